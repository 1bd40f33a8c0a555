/*
 * What decoders of JSON dialects share: the message on a tape, the change that is made of it, and
 * memory for what must be unescaped on the way.
 */
#ifndef CDC_SOURCE_JSON_IN_H
#define CDC_SOURCE_JSON_IN_H

#include "base/json.h"
#include "source/change.h"

struct cdc_json_in {
	struct cdc_source *s;
	struct cdc_change c;
	struct cdc_tape tape;
	struct cdc_buf text; /* of cdc_json_in_text */
	struct cdc_buf id; /* of a table */
	struct cdc_arena scratch; /* reset by who uses it */
	/* A row's image: for each column its value token, CDC_JSON_NONE: unknown. */
	uint32_t *value;
	uint32_t *old;
	uint32_t cap;
	/* Columns of a table that grows (cdc_json_in_grow): in the scratch arena, found by name. */
	struct cdc_change_column *col;
	size_t n_col;
	struct cdc_map names;
};

int cdc_json_in_init(struct cdc_json_in *j, struct cdc_source *s, struct cdc_str source_type,
		     struct cdc_err *err) CDC_NODISCARD;
void cdc_json_in_free(struct cdc_json_in *j);

/* A message onto the tape, and the members of its object into tok (cdc_json_members). CDC_EDATA
 * when it is no object. */
int cdc_json_in_scan(struct cdc_json_in *j, struct cdc_str text, const struct cdc_str *names,
		     size_t n, uint32_t *tok, struct cdc_err *err) CDC_NODISCARD;

static inline const struct cdc_json_tok *cdc_json_in_tok(const struct cdc_json_in *j, uint32_t i)
{
	return &j->tape.tok[i];
}

static inline bool cdc_json_in_is(const struct cdc_json_in *j, uint32_t i, enum cdc_json_type type)
{
	return i != CDC_JSON_NONE && j->tape.tok[i].type == type;
}

/* Raw text of a value, "" of none. */
static inline struct cdc_str cdc_json_in_raw(const struct cdc_json_in *j, uint32_t i)
{
	return i == CDC_JSON_NONE ? CDC_STR("") : cdc_json_raw(&j->tape, i);
}

/* The plain text of a string, the source text of another value; until the next call. */
struct cdc_str cdc_json_in_text(struct cdc_json_in *j, uint32_t i);

/* The table whose name has these parts (string tokens; CDC_JSON_NONE is left out), with its name.
 */
int cdc_json_in_table(struct cdc_json_in *j, const uint32_t *part, size_t n,
		      struct cdc_change_table **t, struct cdc_err *err) CDC_NODISCARD;

/* The strings of an array, in the scratch arena; none of CDC_JSON_NONE. */
int cdc_json_in_names(struct cdc_json_in *j, uint32_t array, struct cdc_str **name, size_t *n,
		      struct cdc_err *err) CDC_NODISCARD;

/* All columns of `value` and `old` unknown. */
int cdc_json_in_reset(struct cdc_json_in *j, const struct cdc_change_table *t,
		      struct cdc_err *err) CDC_NODISCARD;
/*
 * Note where the values of object `row` are. *unknown receives the key of the first name that is no
 * column, or CDC_JSON_NONE; names that begin with `skip` (NULL: none) are passed over. CDC_EDATA
 * when a name comes twice.
 */
int cdc_json_in_row(struct cdc_json_in *j, struct cdc_change_table *t, uint32_t row,
		    const char *skip, uint32_t *value, uint32_t *unknown,
		    struct cdc_err *err) CDC_NODISCARD;

/* The same, where `row` may be no object, and a name that is no column is CDC_EDATA. */
int cdc_json_in_object(struct cdc_json_in *j, struct cdc_change_table *t, uint32_t row,
		       const char *skip, uint32_t *value, struct cdc_err *err) CDC_NODISCARD;

/* cdc_change_find for the name at key `k`, which may have escapes. */
struct cdc_change_column *cdc_json_in_column(const struct cdc_json_in *j,
					     struct cdc_change_table *t, uint32_t k,
					     uint32_t *hint);

/* Note the value of key `k` for the column whose name is the key's without its first `cut` bytes.
 * CDC_EDATA when there is no such column, or it has one. */
int cdc_json_in_note(struct cdc_json_in *j, struct cdc_change_table *t, uint32_t k, size_t cut,
		     uint32_t *hint, uint32_t *value, struct cdc_err *err) CDC_NODISCARD;
/* Print the values that are known, in the columns' order: with `put` (NULL: cdc_json_in_put). */
struct cdc_json_row;
void cdc_json_in_image(struct cdc_json_in *j, const struct cdc_change_table *t,
		       const struct cdc_json_row *row, const uint32_t *value);

/*
 * A row whose images are objects, one member a column: columns that are not known yet are added to
 * the table, images read, the record printed.
 */
struct cdc_json_row {
	const char *type; /* "INSERT" … */
	uint32_t before; /* objects, or CDC_JSON_NONE */
	uint32_t after;
	const struct cdc_str *key; /* names; n_key 0: not told */
	size_t n_key;
	const char *skip; /* members that begin so are no columns; NULL: none */
	bool has_time;
	int64_t time_us;
	void *ctx; /* of the two below */
	void (*tags)(void *ctx); /* cdc_change_tag…; NULL: none */
	/* Print a value that is not null; NULL: cdc_json_in_put. */
	void (*put)(void *ctx, const struct cdc_change_column *col, uint32_t tok);
};

int cdc_json_in_put_row(struct cdc_json_in *j, struct cdc_change_table *t,
			const struct cdc_json_row *row, const struct cdc_message *m,
			struct cdc_err *err) CDC_NODISCARD;

/* Only its columns: what the row has and the table has not is added. */
int cdc_json_in_columns(struct cdc_json_in *j, struct cdc_change_table *t,
			const struct cdc_json_row *row, struct cdc_err *err) CDC_NODISCARD;

/*
 * The same by hand: begin with the first `known` columns that the table has, room for `more` names
 * in the scratch arena; add the names that it has not, in plain text that stays; define it, or have
 * the columns in j->col. CDC_EDATA on too many.
 */
int cdc_json_in_grow(struct cdc_json_in *j, const struct cdc_change_table *t, size_t known,
		     size_t more, struct cdc_err *err) CDC_NODISCARD;
int cdc_json_in_add(struct cdc_json_in *j, struct cdc_str name, struct cdc_err *err) CDC_NODISCARD;
int cdc_json_in_define(struct cdc_json_in *j, struct cdc_change_table *t, const struct cdc_str *key,
		       size_t n_key, struct cdc_err *err) CDC_NODISCARD;

/* A value by what JSON tells of it: text, digits as they are, true and false, nested ones as JSON
 * text. */
void cdc_json_in_put(struct cdc_json_in *j, uint32_t tok);

/* A date and time as text, by its offset or in the source's zone, or a number of units of unit_us.
 * False: it is neither. */
bool cdc_json_in_time(struct cdc_json_in *j, uint32_t tok, int64_t unit_us, int64_t *us);

/* A time in seconds, as text too: digits; ten of them and less, more are milliseconds. */
bool cdc_json_in_seconds(struct cdc_json_in *j, uint32_t tok, int64_t *us);
/* A TRUNCATE record behind that of a statement given in the database `db` (a token), if it
 * truncates a table and does nothing else; ctx, tags and time of `row` count. */
int cdc_json_in_truncate(struct cdc_json_in *j, const struct cdc_json_row *row, struct cdc_str sql,
			 uint32_t db, const struct cdc_message *m,
			 struct cdc_err *err) CDC_NODISCARD;
/* Can the value be put between quotes as a tag (cdc_change_tag_raw)? */
static inline bool cdc_json_in_is_tag(const struct cdc_json_in *j, uint32_t i)
{
	return cdc_json_in_is(j, i, CDC_JSON_STRING) || cdc_json_in_is(j, i, CDC_JSON_NUMBER);
}

/* Members of the object whose values are scalars, but those in `skip`, as tags. The output fails
 * when one comes twice. */
void cdc_json_in_tags(struct cdc_json_in *j, uint32_t object, const char *const *skip);

#endif
