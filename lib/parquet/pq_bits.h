/*
 * Bit packing, writing: the least significant bit first, as every bit-packed run of the format.
 */
#ifndef CDC_PARQUET_PQ_BITS_H
#define CDC_PARQUET_PQ_BITS_H

#include <stddef.h>
#include <stdint.h>

/* Bits that `max` needs: 0 for 0, 1 for 1, 2 for 2 and 3, … 32. */
static inline unsigned cdc_pq_bit_width(uint32_t max)
{
	return max ? 32U - (unsigned)__builtin_clz(max) : 0;
}

/*
 * Pack v[0..n) at `width` bits (1..32) each; n is a multiple of 8 and every value fits. Writes
 * exactly n / 8 * width bytes.
 */
void cdc_pq_pack(const uint32_t *v, size_t n, unsigned width, uint8_t *out);

/* Booleans of one byte each (0 or 1) to bits; any n, the last byte filled up with zeros. */
void cdc_pq_pack_bools(const uint8_t *v, size_t n, uint8_t *out);

#endif
