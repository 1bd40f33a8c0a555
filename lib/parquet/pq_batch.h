/*
 * The arrays of one batch while it grows: value slots, definition and repetition levels.
 */
#ifndef CDC_PARQUET_PQ_BATCH_H
#define CDC_PARQUET_PQ_BATCH_H

#include "parquet/pq_page_read.h"

struct cdc_pq_batch {
	enum cdc_pq_type type;
	uint8_t max_def;
	uint8_t max_rep;
	uint32_t n;
	uint32_t rows; /* rep levels of 0 among them; max_rep > 0 only */
	bool has_def; /* a slot has no value: def is filled */
	uint32_t cap;
	struct cdc_pq_mem values;
	struct cdc_pq_mem def;
	struct cdc_pq_mem rep;
};

void cdc_pq_batch_reset(struct cdc_pq_batch *b);
void cdc_pq_batch_free(struct cdc_pq_batch *b);

/* Decode the next k <= pg->left slots of a page to the end of the batch. */
int cdc_pq_batch_append(struct cdc_pq_batch *b, struct cdc_pq_page *pg, uint32_t k,
			struct cdc_pq_string_space *space, struct cdc_err *err) CDC_NODISCARD;

#endif
