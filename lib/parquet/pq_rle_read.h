/*
 * The RLE / bit-packed hybrid: levels, dictionary indices, booleans (spec 1.6).
 *
 * A decoder is a cursor over runs; it decodes as many values as it is asked for and no header can
 * make it do more. A last bit-packed run may be cut short as long as the values asked for are
 * there. The bytes need CDC_PQ_SLACK readable bytes after their end. Errors are CDC_ECORRUPT.
 */
#ifndef CDC_PARQUET_PQ_RLE_READ_H
#define CDC_PARQUET_PQ_RLE_READ_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct cdc_pq_rle {
	const uint8_t *p; /* next run header */
	const uint8_t *end;
	uint32_t width; /* 0..32 */
	uint32_t run_value;
	uint64_t run_left; /* values left of a repeated run */
	uint64_t packed_left; /* values left of a bit-packed run */
	const uint8_t *packed; /* group of 8 that holds the next of them */
	uint32_t packed_pos; /* its place in the group */
};

void cdc_pq_rle_init(struct cdc_pq_rle *d, const void *p, size_t n, uint32_t width);

/* The next n values. For _u8 the width is at most 8. */
int cdc_pq_rle_u32(struct cdc_pq_rle *d, uint32_t *out, uint32_t n,
		   struct cdc_err *err) CDC_NODISCARD;
int cdc_pq_rle_u8(struct cdc_pq_rle *d, uint8_t *out, uint32_t n,
		  struct cdc_err *err) CDC_NODISCARD;
int cdc_pq_rle_skip(struct cdc_pq_rle *d, uint64_t n, struct cdc_err *err) CDC_NODISCARD;

/*
 * *left = how many more values a repeated run gives, its value in *v; 0 when a bit-packed run is
 * next. Nothing is consumed.
 */
int cdc_pq_rle_run(struct cdc_pq_rle *d, uint32_t *v, uint64_t *left,
		   struct cdc_err *err) CDC_NODISCARD;

#endif
