/*
 * The RLE / bit-packed hybrid, writing: for levels and for dictionary indices (spec 1.6).
 */
#ifndef CDC_PARQUET_PQ_RLE_WRITE_H
#define CDC_PARQUET_PQ_RLE_WRITE_H

#include "base/buf.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Append the runs of v[0..n), each value below 2^width, width 1..32. Only the last run may be a
 * bit-packed one filled up with zeros; n == 0 appends nothing.
 */
int cdc_pq_rle_write(const uint32_t *v, size_t n, unsigned width, struct cdc_buf *out,
		     struct cdc_err *err) CDC_NODISCARD;

/* The same for n copies of one value. */
int cdc_pq_rle_write_run(uint32_t value, size_t n, unsigned width, struct cdc_buf *out,
			 struct cdc_err *err) CDC_NODISCARD;

#endif
