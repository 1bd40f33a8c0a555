/*
 * Z-order: where a row lies on a curve through several columns, so that rows that are near to each
 * other in all of them come near to each other in the file.
 *
 * Not the values are interleaved but their ranks in a sample: with skewed values, and with columns
 * of few values, each column then takes as much part as the others.
 */
#ifndef CDC_TABLE_ZRANK_H
#define CDC_TABLE_ZRANK_H

#include "table/batch/batch.h"

struct cdc_zrank;

int cdc_zrank_new(struct cdc_zrank **z, int num_columns, struct cdc_err *err) CDC_NODISCARD;
void cdc_zrank_free(struct cdc_zrank *z);

/* Let the rows of a batch take part in the sample. column[i] of the batch is the i-th column. */
int cdc_zrank_sample(struct cdc_zrank *z, const struct cdc_batch *b,
		     struct cdc_err *err) CDC_NODISCARD;
/* The sample is complete. */
void cdc_zrank_finish(struct cdc_zrank *z);

/* Append the place of a row on the curve, whose bytes compare as places do. field[i] is the column
 * of the batch that is the i-th here. */
int cdc_zrank_put(struct cdc_zrank *z, struct cdc_buf *out, const struct cdc_batch *b,
		  const int *field, uint32_t row, struct cdc_err *err) CDC_NODISCARD;

#endif
