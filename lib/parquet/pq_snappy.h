/*
 * Snappy's raw format, decoding only: faster than the library's for the blocks Parquet has.
 */
#ifndef CDC_PARQUET_PQ_SNAPPY_H
#define CDC_PARQUET_PQ_SNAPPY_H

#include <stdbool.h>
#include <stddef.h>

/* False unless src[0..n) is one whole block of exactly dst_n bytes. Never writes past dst_n. */
bool cdc_pq_snappy_decode(const void *src, size_t n, void *dst, size_t dst_n);

#endif
