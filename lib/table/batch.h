/*
 * Rows in memory: one array a column, in the table's own types.
 *
 * How the values of a type lie in memory: see cdc_type_size in delta/schema.h. A batch owns
 * nothing; its arrays belong to the reader that filled it and live until the next call on that
 * reader.
 */
#ifndef CDC_TABLE_BATCH_H
#define CDC_TABLE_BATCH_H

#include "delta/schema.h"

#define CDC_BATCH_ROWS 4096 /* most rows that a scan puts in one batch */

struct cdc_column {
	const struct cdc_field *field;
	const void *values; /* one cdc_type_size(field->type) element a row */
	const uint8_t *valid; /* 1: a value, 0: null; NULL: every row has a value */
};

struct cdc_batch {
	uint32_t rows;
	uint64_t first_row; /* position in the file of the first row; meaningful while no
			     * deletion vector was applied */
	int num_columns;
	struct cdc_column *column;
};

static inline bool cdc_column_is_null(const struct cdc_column *c, uint32_t row)
{
	return c->valid && !c->valid[row];
}

#endif
