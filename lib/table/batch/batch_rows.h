/*
 * Rows of a batch in memory, column by column, in the types of the table's schema. Values of nested
 * types and variants are cells, see table/nested/nested_build.h: their bytes are a struct cdc_str.
 */
#ifndef CDC_TABLE_BATCH_ROWS_H
#define CDC_TABLE_BATCH_ROWS_H

#include "delta/stats.h"
#include "table/batch/batch.h"

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
	unsigned char *values; /* cdc_cell_size(type) bytes a row */
	uint8_t *cell; /* enum cdc_cell a row */
	size_t size;
};

struct cdc_rows {
	const struct cdc_schema *schema; /* borrowed */
	struct cdc_rows_column *column; /* one per field */
	uint32_t n;
	uint32_t cap;
	struct cdc_arena strings; /* bytes of STRING, BINARY and nested cells */
};

/* Types whose values are cells. */
static inline bool cdc_type_is_nested(enum cdc_type t)
{
	return t == CDC_TYPE_STRUCT || t == CDC_TYPE_ARRAY || t == CDC_TYPE_MAP ||
	       t == CDC_TYPE_VARIANT;
}

/* Bytes of a value in rows: cdc_type_size, of a cell those of a struct cdc_str. */
static inline size_t cdc_cell_size(enum cdc_type t)
{
	return cdc_type_is_nested(t) ? sizeof(struct cdc_str) : cdc_type_size(t);
}

int cdc_rows_init(struct cdc_rows *r, const struct cdc_schema *schema,
		  struct cdc_err *err) CDC_NODISCARD;
void cdc_rows_free(struct cdc_rows *r);

/* Append a row of which every cell is `cell` (NULL or UNKNOWN); its index goes to *row. */
int cdc_rows_append(struct cdc_rows *r, enum cdc_cell cell, uint32_t *row,
		    struct cdc_err *err) CDC_NODISCARD;
/* Set a cell; strings, and the bytes of nested values in v->s, are copied. */
int cdc_rows_set(struct cdc_rows *r, uint32_t row, int field, const union cdc_value *v,
		 struct cdc_err *err) CDC_NODISCARD;
static inline void cdc_rows_set_null(struct cdc_rows *r, uint32_t row, int field)
{
	r->column[field].cell[row] = CDC_CELL_NULL;
}

/* Element i of an array in the layout of cdc_cell_size, as a value, and back. */
union cdc_value cdc_value_load(enum cdc_type t, const void *values, size_t i);
void cdc_value_store(enum cdc_type t, void *values, size_t i, const union cdc_value *v);

#endif
