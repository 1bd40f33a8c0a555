/*
 * The change record (cdc-record(5)): a view onto one line of NDJSON.
 *
 * cdc_record_parse scans a line onto a tape and notes where the known members are. Nothing is
 * copied: all slices point into the line, so a record lives as long as the line and its tape.
 */
#ifndef CDC_RECORD_RECORD_H
#define CDC_RECORD_RECORD_H

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"

enum cdc_record_type {
	CDC_RECORD_INIT,
	CDC_RECORD_INSERT,
	CDC_RECORD_UPDATE,
	CDC_RECORD_DELETE,
	CDC_RECORD_TRUNCATE,
	CDC_RECORD_SCHEMA,
	CDC_RECORD_DDL,
	CDC_RECORD_BEGIN,
	CDC_RECORD_COMMIT,
	CDC_RECORD_CHECKPOINT,
	CDC_RECORD_TYPES
};

/* "INIT", "INSERT" … */
const char *cdc_record_type_name(enum cdc_record_type t);

static inline bool cdc_record_is_row(enum cdc_record_type t)
{
	return t <= CDC_RECORD_DELETE;
}

/* A place in a Kafka topic. `topic` is the raw JSON text between its quotes. */
struct cdc_position {
	struct cdc_str topic;
	int32_t partition;
	int64_t offset;
};

struct cdc_record {
	struct cdc_str line; /* the whole record, without LF */
	const struct cdc_tape *tape;
	enum cdc_record_type type;
	bool has_id;
	bool has_position; /* topic, partition and offset are all there */
	bool final; /* CHECKPOINT with "final":true */
	int64_t id; /* recordID */
	struct cdc_str db_table; /* raw JSON text between the quotes, "" if absent */
	struct cdc_position position;
	/* Value tokens, CDC_JSON_NONE when the member is absent or null. */
	uint32_t type_tok;
	uint32_t fields_tok;
	uint32_t before_tok;
	uint32_t after_tok;
	uint32_t position_tok;
	uint32_t positions_tok; /* CHECKPOINT */
	uint32_t columns_tok; /* SCHEMA */
	uint32_t primary_key_tok; /* SCHEMA */
	uint32_t timestamp_tok;
};

/*
 * Parse one line. `tape` is scratch that the record borrows. CDC_EDATA (err->offset in the line)
 * when the line is no JSON object, recordType is missing or unknown, a known member has the wrong
 * JSON type, a member of an image or of the record occurs twice, recordID is out of range, or
 * INSERT/INIT/UPDATE lack an after image or DELETE a before one. A member that is null counts as
 * absent, and names compare by their decoded text. Members that are not in cdc-record(5) are
 * accepted.
 */
int cdc_record_parse(struct cdc_record *r, struct cdc_tape *tape, struct cdc_str line,
		     struct cdc_err *err) CDC_NODISCARD;

/*
 * Images are walked column by column, in their order:
 *
 *	struct cdc_image_iter it = cdc_image_begin(rec, rec->after_tok);
 *	while (cdc_image_next(&it, &col)) ...
 */
struct cdc_image_col {
	struct cdc_str name; /* raw JSON text between the quotes */
	bool name_escaped;
	bool is_null;
	bool is_string; /* else number, boolean, array or object: `value` is its source text */
	bool escaped; /* value holds backslashes: unescape before use */
	struct cdc_str value;
	uint32_t value_tok;
};

struct cdc_image_iter {
	const struct cdc_tape *tape;
	uint32_t obj;
	uint32_t key;
};

struct cdc_image_iter cdc_image_begin(const struct cdc_record *r, uint32_t image_tok);
bool cdc_image_next(struct cdc_image_iter *it, struct cdc_image_col *col);

/*
 * Find a column in an image by its raw name (JSON text between quotes: a plain name that holds a
 * quote, a backslash or a control character must be escaped first). Names are the same when they
 * decode to the same text. `hint` (may be NULL; 0 at first) is the place of the column to try first
 * and receives that of the next one: images of one table have the same order, so a search is one
 * compare. False when the column is not there or image_tok is CDC_JSON_NONE.
 */
bool cdc_image_find(const struct cdc_record *r, uint32_t image_tok, struct cdc_str name,
		    uint32_t *hint, struct cdc_image_col *col);

/*
 * A line to print that differs from `r` only in these members. NULL slices (p == NULL) keep the
 * member; the images are JSON source text ("{…}"). A member that the line lacks is appended.
 * Untouched bytes are copied as they are. Appends the line and a LF.
 */
struct cdc_record_patch {
	const char *type_name; /* NULL: keep */
	struct cdc_str before;
	struct cdc_str after;
};

int cdc_record_print(struct cdc_buf *out, const struct cdc_record *r,
		     const struct cdc_record_patch *patch, struct cdc_err *err) CDC_NODISCARD;

/*
 * The position that value token `tok` of a scanned record holds (`position`, or an element of
 * `positions`). *complete: topic, partition and offset are all there. CDC_EDATA when it is no
 * object, or a member has the wrong type, is out of range or occurs twice.
 */
int cdc_position_parse(const struct cdc_tape *tape, uint32_t tok, struct cdc_position *pos,
		       bool *complete, struct cdc_err *err) CDC_NODISCARD;

#endif
