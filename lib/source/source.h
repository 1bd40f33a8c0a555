/*
 * Foreign bytes to change records: framing splits an input into messages, a decoder turns each
 * message into lines of NDJSON. One file a format; formats and framings are tables.
 */
#ifndef CDC_SOURCE_SOURCE_H
#define CDC_SOURCE_SOURCE_H

#include "base/buf.h"
#include "base/error.h"
#include "io/stream.h"
#include "source/value/zone.h"

/* A header of a Kafka message. */
struct cdc_header {
	struct cdc_str name;
	struct cdc_str value;
	bool is_null;
};

/* One message, and where it came from. Slices are borrowed until the next message. */
struct cdc_message {
	struct cdc_str value;
	bool is_null; /* Kafka null value */
	bool has_key; /* false: the key is null, or the framing does not tell it */
	struct cdc_str key;
	const struct cdc_header *header;
	uint32_t n_headers;
	bool has_timestamp; /* of the message, as Kafka has it */
	int64_t timestamp_ms;
	uint64_t offset; /* byte offset of the value in the input */
	uint64_t line; /* 1-based first line, 0: not a text input */
	uint64_t index; /* 0-based number of the message in the input */
	bool unterminated; /* a line without its end: the input ends there */
	const char *file;
	/* Kafka coordinates, when the framing knows them (has_kafka). */
	bool has_kafka;
	struct cdc_str topic;
	int32_t partition;
	int64_t kafka_offset;
};

struct cdc_format;

struct cdc_source_options {
	const char *format; /* --from, NULL or "auto" */
	const char *framing; /* --framing, NULL or "auto" */
	const char *const *tables; /* --table globs on db.table; NULL-terminated, NULL: all */
	bool control; /* --control: BEGIN, COMMIT, HEARTBEAT too */
	bool as_init; /* --as init: rows of exports are INIT, not INSERT */
	bool header; /* --header: first line names the columns */
	const char *columns; /* --columns */
	const char *key; /* --key: primary key for SCHEMA */
	const char *db_table; /* --db-table */
	const char *null_string; /* --null; NULL: the format's own rule */
	const char *op_column; /* --op-column */
	const char *schema_dir; /* --schema-dir: Avro schemas by id, NULL: none */
	const char *registry; /* --registry: URL of a schema registry, NULL: none */
	const char *schema; /* --schema: columns of tables whose source does not name them */
	/* Delimiters of text exports; NULL: the format's own. */
	const char *fields_terminated; /* --fields-terminated-by */
	const char *fields_enclosed; /* --fields-enclosed-by, --optionally-enclosed-by */
	const char *fields_escaped; /* --fields-escaped-by */
	const char *lines_terminated; /* --lines-terminated-by */
	const char *charset; /* --charset */
	const char *kcat_format; /* --kcat-format: of framing kcat-format, which it implies */
	const char *topic; /* positions of framings without coordinates: NULL: none */
	int32_t partition;
	/* Formats of higher layers, NULL-terminated; NULL: none. */
	const struct cdc_format *const *more;
	const struct cdc_zone *zone; /* --source-timezone; NULL: UTC */
	size_t record_max; /* bytes of one message, 0: CDC_RECORD_MAX */
};

/* A rejected message, for --reject. Slices live for the call. */
struct cdc_reject {
	const char *reason;
	const char *file;
	uint64_t offset;
	uint64_t line; /* 0: none */
	struct cdc_str raw;
	bool has_key;
	struct cdc_str key; /* of the Kafka message that raw is the value of */
};

/*
 * Where decoded lines and rejects go. on_reject returns CDC_OK to go on, or an error to stop (the
 * decoder fills err with the reason of the reject before it calls).
 */
struct cdc_sink {
	void *ctx;
	int (*put)(void *ctx, struct cdc_str lines, struct cdc_err *err);
	int (*on_reject)(void *ctx, const struct cdc_reject *reject, struct cdc_err *err);
	/* Called once an input's format and framing (NULL: the format's own) are settled; may be
	 * NULL. */
	void (*on_format)(void *ctx, const char *file, const char *format, const char *framing);
	/* Called with each message before it is decoded, all lines of those before it having been
	 * put; may be NULL, which is faster. */
	int (*on_message)(void *ctx, const struct cdc_message *m, struct cdc_err *err);
};

struct cdc_source_counts {
	uint64_t messages;
	uint64_t bytes;
	uint64_t records; /* row records printed */
	uint64_t control; /* control records printed */
	uint64_t skipped; /* no-op messages, filtered tables, heartbeats */
	uint64_t rejected;
	uint64_t cut_off; /* inputs whose writer did not close them: ours is not final then */
	uint64_t open; /* Kafka transactions that no segment ended: left out, with what follows */
	uint64_t prepared; /* XA transactions that have not ended: their rows are held back */
};

struct cdc_source;

int cdc_source_new(struct cdc_source **s, const struct cdc_source_options *opt,
		   const struct cdc_sink *sink, struct cdc_err *err) CDC_NODISCARD;
/* Decode one input to its end. State (schemas already printed) carries over to the next. */
int cdc_source_run(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err) CDC_NODISCARD;

/*
 * The same for messages that come one by one, without framing (live.c). The format is told from
 * `first`, which is not decoded yet: there are n of them, all that can be had without waiting long.
 * CDC_EDATA when they do not tell; where all of them mean nothing (tombstones), the first message
 * that does mean something tells it. Then each message, in its order; at last the end.
 * cdc_source_live_check() is CDC_EUSAGE for a format that does not come so.
 */
int cdc_source_live_check(const struct cdc_source *s, struct cdc_err *err) CDC_NODISCARD;
int cdc_source_live_begin(struct cdc_source *s, const char *name, const struct cdc_message *first,
			  size_t n, struct cdc_err *err) CDC_NODISCARD;
int cdc_source_live_message(struct cdc_source *s, const struct cdc_message *m,
			    struct cdc_err *err) CDC_NODISCARD;
/* Hand on what is printed, before a wait. */
int cdc_source_live_flush(struct cdc_source *s, struct cdc_err *err) CDC_NODISCARD;
int cdc_source_live_end(struct cdc_source *s, struct cdc_err *err) CDC_NODISCARD;
/*
 * Print and hand on a CHECKPOINT of what has been consumed. When the format holds a message back
 * that belongs to the next one, nothing is done and *done is false, unless `force`: then the
 * message is printed for itself.
 */
int cdc_source_checkpoint(struct cdc_source *s, bool force, bool *done,
			  struct cdc_err *err) CDC_NODISCARD;

/* Print the closing CHECKPOINT, with "final":true unless an input was cut off. */
int cdc_source_finish(struct cdc_source *s, struct cdc_err *err) CDC_NODISCARD;
const struct cdc_source_counts *cdc_source_counts(const struct cdc_source *s);
void cdc_source_free(struct cdc_source *s);

/* Names for --help and completions, NULL-terminated. */
const char *const *cdc_source_formats(void);
const char *const *cdc_source_framings(void);

#endif
