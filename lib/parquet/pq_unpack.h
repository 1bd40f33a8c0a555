/*
 * Bit-packed integers, least significant bit first, to whole ones: one unrolled function a width.
 *
 * All of these may read up to CDC_PQ_SLACK bytes past the packed bytes that they are asked for, so
 * every page buffer has that much room after its end. What is read there never reaches the output.
 */
#ifndef CDC_PARQUET_PQ_UNPACK_H
#define CDC_PARQUET_PQ_UNPACK_H

#include "base/endian.h"

#include <stdint.h>

#define CDC_PQ_SLACK 64

/* 32 values of `width` bits: 4 * width bytes. */
typedef void cdc_pq_unpack32_fn(const uint8_t *p, uint32_t *out);
typedef void cdc_pq_unpack64_fn(const uint8_t *p, uint64_t *out);

extern cdc_pq_unpack32_fn *const cdc_pq_unpack32[33]; /* width 0..32 */
extern cdc_pq_unpack64_fn *const cdc_pq_unpack64[65]; /* width 0..64 */

/* 8 values of width 0..32: `width` bytes. */
static inline void cdc_pq_unpack8(const uint8_t *p, uint32_t width, uint32_t *out)
{
	uint64_t mask = (UINT64_C(1) << width) - 1;

	for (uint32_t i = 0; i < 8; i++) {
		uint32_t bit = i * width;

		out[i] = (uint32_t)(cdc_le64(p + bit / 8) >> (bit % 8) & mask);
	}
}

/* 8 values of width 0..8 to bytes: levels and booleans. */
static inline void cdc_pq_unpack8_u8(const uint8_t *p, uint32_t width, uint8_t *out)
{
	uint64_t v = cdc_le64(p);
	uint64_t mask = (UINT64_C(1) << width) - 1;

	if (width == 1) {
		/* Bit i of the byte to byte i: spread, isolate, and make 0 or 1 of it. */
		v = (v & 0xff) * UINT64_C(0x0101010101010101) & UINT64_C(0x8040201008040201);
		v = (v + UINT64_C(0x7f7f7f7f7f7f7f7f)) >> 7 & UINT64_C(0x0101010101010101);
		cdc_put_le64(out, v);
		return;
	}
	for (uint32_t i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (i * width) & mask);
}

#endif
