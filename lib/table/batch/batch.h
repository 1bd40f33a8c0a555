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

/*
 * A column, or a part of a nested one:
 *
 *	STRUCT	one child a field, each with as many rows as the struct itself
 *	ARRAY	child[0] holds the elements of all rows; values[row] is the span that is the row's
 *	MAP	child[0] keys, child[1] values; spans as for ARRAY. Keys are never null.
 *	VARIANT	children as the file stores it: field->child names and types them ("metadata",
 *		"value", and "typed_value" where it is shredded); rows as for STRUCT
 *
 * `field` of a child is field->child[i] of its parent, for a VARIANT that of the file. Slots of
 * children under a null hold nothing that counts; a null span is empty.
 */
struct cdc_column {
	const struct cdc_field *field;
	const void *values; /* one cdc_type_size(field->type) element a row */
	const uint8_t *valid; /* 1: a value, 0: null; NULL: every row has a value */
	struct cdc_column *child; /* field->num_children of them; NULL: a flat column */
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
