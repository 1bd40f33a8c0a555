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

#endif
