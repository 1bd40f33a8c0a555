/*
 * MD5 (RFC 1321) of a short text, for comparing strings with what another program has: DuckDB can
 * compute it and nothing shorter. Its lower half only, as md5_number_lower gives it.
 */
#ifndef CDC_BENCH_MD5_H
#define CDC_BENCH_MD5_H

#include "base/endian.h"

#include <math.h>
#include <stddef.h>

struct md5 {
	uint32_t k[64];
	uint32_t h[4];
};

/* The constants are the fractions of sines. */
static inline void md5_open(struct md5 *m)
{
	for (int i = 0; i < 64; i++)
		m->k[i] = (uint32_t)(int64_t)floor(fabs(sin(i + 1)) * 4294967296.0);
}

static inline void md5_block(struct md5 *m, const uint8_t *p)
{
	static const uint8_t turn[4][4] = {
		{ 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 }
	};
	static const uint8_t step[4] = { 1, 5, 3, 7 };
	static const uint8_t first[4] = { 0, 1, 5, 0 };
	uint32_t a = m->h[0];
	uint32_t b = m->h[1];
	uint32_t c = m->h[2];
	uint32_t d = m->h[3];

	for (unsigned i = 0; i < 64; i++) {
		unsigned round = i / 16;
		uint32_t f = round == 0	  ? (b & c) | (~b & d)
			     : round == 1 ? (d & b) | (~d & c)
			     : round == 2 ? b ^ c ^ d
					  : c ^ (b | ~d);
		uint32_t word = cdc_le32(p + (i * step[round] + first[round]) % 16 * 4);
		uint32_t x = a + f + m->k[i] + word;
		unsigned by = turn[round][i % 4];

		a = d;
		d = c;
		c = b;
		b += x << by | x >> (32 - by);
	}
	m->h[0] += a;
	m->h[1] += b;
	m->h[2] += c;
	m->h[3] += d;
}

/* The lower eight bytes of the digest, which DuckDB reads as a little-endian number. */
static inline uint64_t md5_lower(struct md5 *m, const void *text, size_t n)
{
	static const uint32_t start[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };
	const uint8_t *p = text;
	uint8_t tail[128] = { 0 };
	size_t left = n % 64;
	size_t end = left < 56 ? 64 : 128;

	memcpy(m->h, start, sizeof(start));
	for (size_t i = 0; i + 64 <= n; i += 64)
		md5_block(m, p + i);
	if (left)
		memcpy(tail, p + n - left, left);
	tail[left] = 0x80;
	cdc_put_le64(tail + end - 8, 8 * (uint64_t)n);
	for (size_t i = 0; i < end; i += 64)
		md5_block(m, tail + i);
	return (uint64_t)m->h[3] << 32 | m->h[2];
}

#endif
