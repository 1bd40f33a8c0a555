/*
 * What the framings and formats share: the run's state, the two tables, the output.
 *
 * A framing reads an input and hands messages to cdc_source_message(). A format either turns one
 * message into lines (message) or reads a text input by itself (stream).
 */
#ifndef CDC_SOURCE_INT_H
#define CDC_SOURCE_INT_H

#include "record/positions.h"
#include "source/out.h"
#include "source/source.h"

struct cdc_format {
	const char *name;
	/* Made at the first input that has this format; lives as long as the source. */
	int (*open)(struct cdc_source *s, void **ctx, struct cdc_err *err);
	void (*close)(void *ctx);
	/*
	 * One message. CDC_EDATA makes it a reject: what it put into the output is taken back, then
	 * rejected() (may be NULL) can forget what it had learnt from it.
	 */
	int (*message)(void *ctx, const struct cdc_message *m, struct cdc_err *err);
	void (*rejected)(void *ctx);
	/* Text formats that delimit their own records: read the whole input. */
	int (*stream)(void *ctx, struct cdc_reader *r, struct cdc_err *err);
	/* Avro containers: take the writer's schema, then datum after datum at *p. */
	int (*schema)(void *ctx, struct cdc_str json, struct cdc_err *err);
	int (*datum)(void *ctx, const struct cdc_message *m, size_t *used, struct cdc_err *err);
	/* Could this message be one of ours? For detection: decodes, prints nothing. */
	bool (*probe)(void *ctx, struct cdc_str value);
};

struct cdc_framing {
	const char *name;
	int (*run)(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err);
};

extern const struct cdc_format cdc_format_dts;
extern const struct cdc_format cdc_format_csv;
extern const struct cdc_format cdc_format_tsv;
extern const struct cdc_format cdc_format_sqoop;
extern const struct cdc_format cdc_format_records;

#define CDC_SOURCE_FORMATS_MAX 8

struct cdc_source {
	struct cdc_source_options opt;
	struct cdc_sink sink;
	struct cdc_source_counts counts;
	struct cdc_positions positions;
	struct cdc_out out;
	size_t record_max;
	uint64_t lines_before; /* lines of the text inputs that came before this one */
	char file[256]; /* name of the current input */
	void *ctx[CDC_SOURCE_FORMATS_MAX];
	const struct cdc_format *format; /* of the current input */
	void *format_ctx;
	int fatal; /* the sink's error, which must not be taken for a bad message */
};

const struct cdc_framing *cdc_framing_find(const char *name);
const struct cdc_format *cdc_format_find(const char *name);

/* Make the format's context if this is its first input. */
int cdc_source_use(struct cdc_source *s, const struct cdc_format *f, void **ctx,
		   struct cdc_err *err) CDC_NODISCARD;

/* Settle format and framing of an input (detect.c). *framing is NULL when the input is empty. */
int cdc_source_detect(struct cdc_source *s, struct cdc_reader *r, const struct cdc_format **format,
		      const struct cdc_framing **framing, struct cdc_err *err) CDC_NODISCARD;

/* Decode one message: counts, rejects, hands the output on when it is large. */
int cdc_source_message(struct cdc_source *s, const struct cdc_message *m,
		       struct cdc_err *err) CDC_NODISCARD;

/* Reject bytes of the input for the reason that is in err. */
int cdc_source_reject(struct cdc_source *s, uint64_t offset, uint64_t line, struct cdc_str raw,
		      struct cdc_err *err) CDC_NODISCARD;

/* Hand the output to the sink: all of it, or only once it has grown past CDC_STREAM_CHUNK. */
int cdc_source_flush(struct cdc_source *s, struct cdc_err *err) CDC_NODISCARD;
static inline bool cdc_source_full(const struct cdc_source *s)
{
	return s->out.buf.len >= CDC_STREAM_CHUNK;
}

/* Like cdc_reader_peek, but hands the output on first when the read may block. */
int cdc_source_peek(struct cdc_source *s, struct cdc_reader *r, size_t n, struct cdc_str *out,
		    struct cdc_err *err) CDC_NODISCARD;

/* Does --table keep this name? db_only: a database name, kept if it could hold a kept table. */
bool cdc_source_keeps(const struct cdc_source *s, const char *db_table, bool db_only);

/* Append ,"position":{…} for a message. */
void cdc_source_put_position(struct cdc_source *s, const struct cdc_message *m);

/* ocf.c */
int cdc_framing_ocf_run(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err);

#endif
