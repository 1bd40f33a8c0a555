/*
 * Definition and repetition levels of one page: RLE, or BIT_PACKED as ancient files have them.
 *
 * No level that is read is over the leaf's maximum; that is checked here, once. The bytes need
 * CDC_PQ_SLACK readable bytes after their end. Errors are CDC_ECORRUPT.
 */
#ifndef CDC_PARQUET_PQ_LEVEL_READ_H
#define CDC_PARQUET_PQ_LEVEL_READ_H

#include "base/error.h"
#include "parquet/pq_rle_read.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cdc_pq_levels {
	uint8_t max; /* 0: nothing is stored, every level is 0 */
	bool packed; /* BIT_PACKED: most significant bit first, no runs */
	uint32_t width;
	struct cdc_pq_rle rle;
	const uint8_t *bits;
	uint64_t bit;
	uint64_t num_bits;
};

/* Bits that a level up to max takes. */
uint32_t cdc_pq_level_width(uint8_t max);

void cdc_pq_levels_init(struct cdc_pq_levels *l, uint8_t max);
void cdc_pq_levels_set_rle(struct cdc_pq_levels *l, const void *p, size_t n);
void cdc_pq_levels_set_packed(struct cdc_pq_levels *l, const void *p, size_t n);

/* The next n levels; *at_max is how many of them are the maximum. */
int cdc_pq_levels_read(struct cdc_pq_levels *l, uint8_t *out, uint32_t n, uint32_t *at_max,
		       struct cdc_err *err) CDC_NODISCARD;

/* *n = how many more levels are *v, without consuming any; 0 when that cannot be told cheaply. */
int cdc_pq_levels_run(struct cdc_pq_levels *l, uint8_t *v, uint64_t *n,
		      struct cdc_err *err) CDC_NODISCARD;

/* Consume n levels of the run that cdc_pq_levels_run just told of. */
void cdc_pq_levels_pass(struct cdc_pq_levels *l, uint32_t n);

/* The next level, without consuming it. */
int cdc_pq_levels_peek(const struct cdc_pq_levels *l, uint8_t *v,
		       struct cdc_err *err) CDC_NODISCARD;

#endif
