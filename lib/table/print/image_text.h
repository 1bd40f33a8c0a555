/*
 * Rows of a table as images of change records (cdc-record(5)): every column with its exact text,
 * strings in quotes whatever the type, null as null. The text of a nested value is its JSON text.
 */
#ifndef CDC_TABLE_IMAGE_TEXT_H
#define CDC_TABLE_IMAGE_TEXT_H

#include "table/batch/batch.h"

/* The column names of images, escaped once. Void columns are left out: they hold nothing. */
struct cdc_image_text {
	struct cdc_buf keys; /* what stands before each value: {"id": or ,"name": */
	size_t *key_end; /* one per field; of a void one that of the field before it */
	int num_fields;
	struct cdc_buf nested; /* JSON text of the nested value at hand */
};

/* Zero it first; free it in any case. */
int cdc_image_text_init(struct cdc_image_text *t, const struct cdc_schema *schema,
			struct cdc_err *err) CDC_NODISCARD;
void cdc_image_text_free(struct cdc_image_text *t);

/*
 * Append one row. The first columns of the batch are the fields of the schema, in order. Rows with
 * the same values, bit by bit, have the same text. CDC_ECORRUPT: a string that is not UTF-8, or a
 * malformed variant; CDC_EUNSUPPORTED, CDC_ENOMEM: see cdc_print_json_value.
 */
int cdc_image_text_put(struct cdc_image_text *t, const struct cdc_batch *b, uint32_t row,
		       struct cdc_buf *out, struct cdc_err *err) CDC_NODISCARD;

/* ["id","name"]: the `fields` of a record; and the `type` and `sourceType` members of a column in
 * a SCHEMA record, from which cdc-merge makes the same type again. */
int cdc_image_text_fields(const struct cdc_schema *schema, struct cdc_buf *out,
			  struct cdc_err *err) CDC_NODISCARD;
int cdc_image_text_type(const struct cdc_field *f, struct cdc_buf *out,
			struct cdc_err *err) CDC_NODISCARD;

#endif
