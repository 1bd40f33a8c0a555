/*
 * Rows as bytes, of any types that a table's files can hold, and back: how a sort keeps them. The
 * form never leaves the process.
 */
#ifndef CDC_TABLE_ROW_BYTES_H
#define CDC_TABLE_ROW_BYTES_H

#include "table/batch/batch.h"

/* Append row `row` of a batch that has a column for each field of the table, but for partition
 * columns. */
int cdc_row_put(struct cdc_buf *out, const struct cdc_batch *b, uint32_t row,
		struct cdc_err *err) CDC_NODISCARD;

/* Collects rows for a batch. */
struct cdc_row_builder;

/* The schema is borrowed. */
int cdc_row_builder_new(struct cdc_row_builder **b, const struct cdc_schema *schema,
			struct cdc_err *err) CDC_NODISCARD;
void cdc_row_builder_free(struct cdc_row_builder *b);

/* Take a row that cdc_row_put made; its bytes are copied. */
int cdc_row_builder_add(struct cdc_row_builder *b, struct cdc_str row,
			struct cdc_err *err) CDC_NODISCARD;
/* Whether the rows are as many as a batch should have. */
bool cdc_row_builder_full(const struct cdc_row_builder *b);
/* The rows, as a batch that lives until the next call; the builder is empty then. */
void cdc_row_builder_take(struct cdc_row_builder *b, struct cdc_batch *out);

#endif
