/*
 * Rows of a batch in memory, column by column, in the types of the table's schema.
 */
#ifndef CDC_TABLE_BATCH_ROWS_H
#define CDC_TABLE_BATCH_ROWS_H

#include "delta/stats.h"
#include "table/batch.h"

enum cdc_cell {
	CDC_CELL_NULL = 0,
	CDC_CELL_VALUE = 1,
	CDC_CELL_UNKNOWN = 2, /* keeps the stored value, or null when there is no stored row */
	CDC_CELL_KEPT_VALUE = 3, /* was UNKNOWN, filled from the stored row */
	CDC_CELL_KEPT_NULL = 4
};

/* Validity of a cell once probing is done. */
static inline bool cdc_cell_has_value(uint8_t cell)
{
	return cell == CDC_CELL_VALUE || cell == CDC_CELL_KEPT_VALUE;
}

struct cdc_rows_column {
	unsigned char *values; /* cdc_type_size(type) bytes a row */
	uint8_t *cell; /* enum cdc_cell a row */
	size_t size;
};

struct cdc_rows {
	const struct cdc_schema *schema; /* borrowed */
	struct cdc_rows_column *column; /* one per field */
	uint32_t n;
	uint32_t cap;
	struct cdc_arena strings; /* bytes of STRING and BINARY cells */
};

int cdc_rows_init(struct cdc_rows *r, const struct cdc_schema *schema,
		  struct cdc_err *err) CDC_NODISCARD;
void cdc_rows_free(struct cdc_rows *r);

/* Append a row of which every cell is `cell` (NULL or UNKNOWN); its index goes to *row. */
int cdc_rows_append(struct cdc_rows *r, enum cdc_cell cell, uint32_t *row,
		    struct cdc_err *err) CDC_NODISCARD;
/* Set a cell; strings are copied. */
int cdc_rows_set(struct cdc_rows *r, uint32_t row, int field, const union cdc_value *v,
		 struct cdc_err *err) CDC_NODISCARD;
static inline void cdc_rows_set_null(struct cdc_rows *r, uint32_t row, int field)
{
	r->column[field].cell[row] = CDC_CELL_NULL;
}

/* Element i of an array in the layout of cdc_type_size, as a value, and back. */
union cdc_value cdc_value_load(enum cdc_type t, const void *values, size_t i);
void cdc_value_store(enum cdc_type t, void *values, size_t i, const union cdc_value *v);

#endif
