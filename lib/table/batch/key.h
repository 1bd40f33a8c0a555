/*
 * Keys by value: the key columns of a row as bytes that are equal iff the keys are, after the cast
 * to the columns' types. Integers, dates, timestamps and booleans are 8 bytes little-endian, floats
 * 8 bytes of the double (-0 as 0, one NaN), decimals 16 bytes, strings and binary 4 bytes of length
 * and their bytes. The same encoding serves change records and stored rows.
 */
#ifndef CDC_TABLE_KEY_H
#define CDC_TABLE_KEY_H

#include "base/json.h"
#include "delta/actions.h"
#include "delta/stats.h"
#include "table/batch/batch.h"

struct cdc_key {
	int *field; /* indexes into the schema */
	int num_fields;
	bool is_word; /* one column whose encoding is 8 bytes */
};

/* Resolve column names; CDC_EUSAGE when one is not in the schema or cannot be a key. */
int cdc_key_init(struct cdc_key *k, const struct cdc_schema *schema, const struct cdc_str *name,
		 int num_names, struct cdc_err *err) CDC_NODISCARD;
void cdc_key_free(struct cdc_key *k);

/* The JSON array of strings at token i as names, in `arena` or the tape's text. */
int cdc_key_names(const struct cdc_tape *tape, uint32_t i, struct cdc_arena *arena,
		  struct cdc_str **name, int *n, struct cdc_err *err) CDC_NODISCARD;
/* The names in the table property cdc.key; *n == 0 when the table does not have it. */
int cdc_key_stored(const struct cdc_metadata *m, struct cdc_tape *tape, struct cdc_arena *arena,
		   struct cdc_str **name, int *n, struct cdc_err *err) CDC_NODISCARD;

/* Append one column's encoding. */
int cdc_key_put(struct cdc_buf *out, enum cdc_type t, const union cdc_value *v,
		struct cdc_err *err) CDC_NODISCARD;

/* The first column of an encoded key, and the bytes it takes. Strings are borrowed. */
size_t cdc_key_get(struct cdc_str key, enum cdc_type t, union cdc_value *v);

/* The 8 bytes of an is_word key as an integer. */
static inline uint64_t cdc_key_word(enum cdc_type t, const union cdc_value *v)
{
	uint64_t w;
	double d = v->d;

	if (t != CDC_TYPE_FLOAT && t != CDC_TYPE_DOUBLE)
		return (uint64_t)v->i;
	if (d == 0)
		d = 0;
	else if (d != d)
		d = __builtin_nan("");
	memcpy(&w, &d, sizeof(w));
	return w;
}

#endif
