/*
 * Values as bytes that compare as the values do: ascending, null first, NaN last, strings by their
 * bytes. Bytes of one column after those of another compare as the columns do together.
 */
#ifndef CDC_TABLE_SORT_KEY_H
#define CDC_TABLE_SORT_KEY_H

#include "table/batch/batch.h"

/* Whether columns of the type can be sorted by: all but nested ones, variants and void. */
bool cdc_sort_key_possible(enum cdc_type t);

/* Append the value of a row. -0 is 0, and all NaN are one. */
int cdc_sort_key_put(struct cdc_buf *out, const struct cdc_column *c, uint32_t row,
		     struct cdc_err *err) CDC_NODISCARD;

#endif
