/*
 * Reading of one column of a data file that is more than a flat leaf: structs, lists, maps and
 * variants, put together from the levels of their leaves.
 *
 * The column is a tree of parts, matched with the file by name or field id as the table has it. A
 * part that the file lacks is null. Memory: one batch of each leaf, and the arrays made from it.
 */
#ifndef CDC_TABLE_NESTED_READER_H
#define CDC_TABLE_NESTED_READER_H

#include "parquet/parquet.h"
#include "table/batch/batch.h"

struct cdc_nested_reader;

/*
 * A reader of `field`, whose place in the file is `node`. `by_id`: fields are matched by field id,
 * never by name. CDC_ECORRUPT: the file's column cannot be of the field's type. The field and the
 * file are borrowed.
 */
int cdc_nested_reader_new(struct cdc_nested_reader **r, struct cdc_pq_file *file,
			  const struct cdc_field *field, int32_t node, bool by_id,
			  struct cdc_err *err) CDC_NODISCARD;
void cdc_nested_reader_free(struct cdc_nested_reader *r);

/* Go to the beginning of a row group. */
int cdc_nested_reader_open(struct cdc_nested_reader *r, int32_t row_group,
			   struct cdc_err *err) CDC_NODISCARD;
/* How many of the next `max` rows, at least 1, a batch should have, so that its lists stay within
 * bounds. */
int cdc_nested_reader_rows(struct cdc_nested_reader *r, uint32_t max, uint32_t *rows,
			   struct cdc_err *err) CDC_NODISCARD;
/* The next `rows` rows, which the row group must have. Arrays live until the next call. */
int cdc_nested_reader_next(struct cdc_nested_reader *r, uint32_t rows, struct cdc_column *out,
			   struct cdc_err *err) CDC_NODISCARD;
int cdc_nested_reader_skip(struct cdc_nested_reader *r, uint64_t rows,
			   struct cdc_err *err) CDC_NODISCARD;

/*
 * Node of the child of `parent` (0: the root) that a field stands for; -1: the file has none. Exact
 * name, else the only one that matches but for the case of letters; by field id where by_id.
 * `guess` is looked at first: columns mostly have the table's order.
 */
int32_t cdc_nested_find(const struct cdc_pq_schema *s, int32_t parent, const struct cdc_field *f,
			bool by_id, int32_t guess);

#endif
