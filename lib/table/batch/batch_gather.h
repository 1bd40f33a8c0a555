/*
 * Some rows of a batch, in order, as a batch of their own: what is left when a deletion vector or a
 * predicate has taken the others.
 */
#ifndef CDC_TABLE_BATCH_GATHER_H
#define CDC_TABLE_BATCH_GATHER_H

#include "table/batch/batch.h"

struct cdc_gather;

int cdc_gather_new(struct cdc_gather **g, int num_columns, struct cdc_err *err) CDC_NODISCARD;
void cdc_gather_free(struct cdc_gather *g);

/*
 * Make *b the rows live[0..n) of itself, n <= CDC_BATCH_ROWS, live ascending. Strings, and the
 * entries of lists and maps, stay where they are; the other arrays are copied and belong to the
 * gatherer until its next call. The batch must have as many columns as the gatherer.
 */
int cdc_gather_rows(struct cdc_gather *g, struct cdc_batch *b, const uint32_t *live, uint32_t n,
		    struct cdc_err *err) CDC_NODISCARD;

#endif
