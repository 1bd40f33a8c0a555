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
#include "source/place.h"
#include "source/source.h"

/* How well something is what a format reads. */
enum cdc_fit {
	CDC_FIT_NO,
	CDC_FIT_WEAK, /* it would be read, but so would what others wrote */
	CDC_FIT_YES /* it has the format's own marks */
};

struct cdc_format {
	const char *name;
	/* First bytes of files that only this format has: then no framing is asked. NULL: none. */
	const char *magic;
	/* Messages are text: where nothing tells the framing, it is lines. */
	bool text;
	/* Made at the first input that has this format; lives as long as the source. */
	int (*open)(struct cdc_source *s, void **ctx, struct cdc_err *err);
	void (*close)(void *ctx);
	/*
	 * One message. CDC_EDATA makes it a reject: what it put into the output is taken back, then
	 * rejected() (may be NULL) can forget what it had learnt from it.
	 */
	int (*message)(void *ctx, const struct cdc_message *m, struct cdc_err *err);
	void (*rejected)(void *ctx);
	/* Print what was held back to see what comes next (NULL: the format holds nothing): at the
	 * end of an input, and before a CHECKPOINT. */
	int (*flush)(void *ctx, struct cdc_err *err);
	/* Is something held back? NULL: never. */
	bool (*holds)(const void *ctx);
	/* Text formats that delimit their own records: read the whole input. */
	int (*stream)(void *ctx, struct cdc_reader *r, struct cdc_err *err);
	/* Avro containers: take the writer's schema, then datum after datum at *p. */
	int (*schema)(void *ctx, struct cdc_str json, struct cdc_err *err);
	int (*datum)(void *ctx, const struct cdc_message *m, size_t *used, struct cdc_err *err);
	/* For detection: is this message one of ours? Decodes, prints nothing. NULL: the format has
	 * no mark and must be named. */
	enum cdc_fit (*probe)(void *ctx, const struct cdc_message *m);
	/* The same for the writer's schema of an Avro container. */
	enum cdc_fit (*probe_schema)(void *ctx, struct cdc_str json);
};

/*
 * For detection, run() is given a copy of an input's head, and what it hands on is only looked at
 * (detect.c): a framing needs nothing more.
 */
struct cdc_framing {
	const char *name;
	int (*run)(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err);
	/* Could an input that begins like this be framed so? Cheap; NULL: always. `head` is not
	 * empty, and is all of the input if eof. */
	bool (*maybe)(struct cdc_str head, bool eof);
	bool named; /* nothing tells it: it must be asked for */
};

/* The first messages of an input, while its format and framing are being told. */
#define CDC_SAMPLE_MESSAGES 64

struct cdc_sample {
	struct cdc_message m[CDC_SAMPLE_MESSAGES]; /* copies */
	size_t n;
	bool full; /* there are more */
	bool cut; /* the head is not all of the input */
	struct cdc_arena text;
};

/* All formats, in the order of --help: identifier and name. */
#define CDC_SOURCE_FORMATS(X)                                                                      \
	X(dts, "dts")                                                                              \
	X(canal, "canal")                                                                          \
	X(canal_pb, "canal-pb")                                                                    \
	X(ticdc, "ticdc")                                                                          \
	X(maxwell, "maxwell")                                                                      \
	X(debezium, "debezium")                                                                    \
	X(debezium_avro, "debezium-avro")                                                          \
	X(ogg, "ogg")                                                                              \
	X(dms, "dms")                                                                              \
	X(sls, "sls")                                                                              \
	X(dataworks, "dataworks")                                                                  \
	X(oms, "oms")                                                                              \
	X(binlog, "binlog")                                                                        \
	X(csv, "csv")                                                                              \
	X(tsv, "tsv")                                                                              \
	X(sqoop, "sqoop")                                                                          \
	X(avro, "avro")                                                                            \
	X(records, "records")

/* All framings, in the order in which they are tried. */
#define CDC_SOURCE_FRAMINGS(X)                                                                     \
	X(ocf, "ocf")                                                                              \
	X(segment, "segment")                                                                      \
	X(kcat_json, "kcat-json")                                                                  \
	X(console, "console")                                                                      \
	X(dump_log, "dump-log")                                                                    \
	X(kcat, "kcat")                                                                            \
	X(kcat_format, "kcat-format")                                                              \
	X(lines, "lines")                                                                          \
	X(json, "json")                                                                            \
	X(single, "single")

#define CDC_DECLARE_FORMAT(id, text) extern const struct cdc_format cdc_format_##id;
#define CDC_DECLARE_FRAMING(id, text) extern const struct cdc_framing cdc_framing_##id;
CDC_SOURCE_FORMATS(CDC_DECLARE_FORMAT)
CDC_SOURCE_FRAMINGS(CDC_DECLARE_FRAMING)

#define CDC_SOURCE_FORMATS_MAX 32

struct cdc_source {
	struct cdc_source_options opt;
	struct cdc_sink sink;
	struct cdc_source_counts counts;
	struct cdc_positions positions;
	struct cdc_buf topic; /* a topic's name as JSON text */
	struct cdc_out out;
	size_t record_max;
	uint64_t lines_before; /* lines of the text inputs that came before this one */
	char file[256]; /* name of the current input */
	struct cdc_buf file_json; /* ,"position":{… up to the byte, of inputs without coordinates */
	struct cdc_place place; /* by that name */
	void *ctx[CDC_SOURCE_FORMATS_MAX];
	const struct cdc_format *format; /* of the current input */
	void *format_ctx;
	int fatal; /* the sink's error, which must not be taken for a bad message */
	bool put_failed; /* that error came from its put(): nothing more can be handed on */
	uint64_t flushes; /* of the output */
	struct cdc_segments *segments; /* of a log, what goes on in the next one; NULL: nothing */
	struct cdc_sample *sample; /* not NULL: messages go there */
};

/* Ends in NULL. */
extern const struct cdc_framing *const cdc_framings[];

const struct cdc_framing *cdc_framing_find(const char *name);
/* The formats of the list, then those of options.more; NULL behind the last. */
const struct cdc_format *cdc_format_at(const struct cdc_source_options *opt, size_t i);
const struct cdc_format *cdc_format_find(const struct cdc_source_options *opt, const char *name);

/* Make the format's context if this is its first input. */
int cdc_source_use(struct cdc_source *s, const struct cdc_format *f, void **ctx,
		   struct cdc_err *err) CDC_NODISCARD;

/*
 * Settle format and framing of an input (detect.c). *format is NULL when the input is empty,
 * *framing when the format reads inputs by itself.
 */
int cdc_source_detect(struct cdc_source *s, struct cdc_reader *r, const struct cdc_format **format,
		      const struct cdc_framing **framing, struct cdc_err *err) CDC_NODISCARD;

/* The format of messages that come without framing: CDC_EDATA when they do not tell, NULL when none
 * of them means anything. */
int cdc_source_detect_messages(struct cdc_source *s, const struct cdc_sample *sample,
			       const struct cdc_format **format, struct cdc_err *err) CDC_NODISCARD;

/* Put a message into the sample; negative when that has enough. A line that the input's end cut
 * (not terminated) is not taken. */
int cdc_sample_add(struct cdc_sample *sample, const struct cdc_message *m,
		   struct cdc_err *err) CDC_NODISCARD;

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

/* A null value, or one too short to be anything: it means nothing in any format. */
bool cdc_source_means_nothing(const struct cdc_message *m);

/* Nothing but white space: a line that means nothing. */
bool cdc_source_blank(struct cdc_str s);

/* Does --table keep this name? db_only: a database name, kept if it could hold a kept table, as one
 * that is not told ("") could. */
bool cdc_source_keeps(const struct cdc_source *s, const char *db_table, bool db_only);

/* Give a message the coordinates that the name of its file tells, if its framing told none. */
void cdc_source_place(const struct cdc_source *s, struct cdc_message *m);

/* Note the position of a message that was consumed, if it has one. */
int cdc_source_note(struct cdc_source *s, const struct cdc_message *m,
		    struct cdc_err *err) CDC_NODISCARD;

/* Append ,"position":{…} for a message. */
void cdc_source_put_position(struct cdc_source *s, const struct cdc_message *m);

/* framing.c */
/*
 * The input can no longer be cut into messages, for the reason in err: every later boundary would
 * be a guess. The input ends here, as an error whatever is done about rejects, since nobody can
 * tell how many messages are lost.
 */
int cdc_framing_lost(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err) CDC_NODISCARD;
/* The input ends inside a message: what is left is rejected for the reason in err, and that is the
 * end of it. */
int cdc_framing_cut(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err) CDC_NODISCARD;

/* After CDC_EDATA of cdc_reader_line: a line that is longer than a record may be is rejected, and
 * the reader goes on behind it. A damaged input ends here. */
int cdc_framing_bad_line(struct cdc_source *s, struct cdc_reader *r, const struct cdc_message *m,
			 struct cdc_err *err) CDC_NODISCARD;

/* framing_kcat_format.c: CDC_EUSAGE when messages in this format could not be told apart. */
int cdc_kcat_format_check(const char *text, struct cdc_err *err) CDC_NODISCARD;

/* segment.c */
void cdc_segments_free(struct cdc_segments *log);

/* ocf.c */
/* The writer's schema of the container that the reader is at; nothing is consumed, the slice lives
 * until the next call on the reader. */
int cdc_ocf_peek_schema(struct cdc_source *s, struct cdc_reader *r, struct cdc_str *schema,
			struct cdc_err *err) CDC_NODISCARD;

#endif
