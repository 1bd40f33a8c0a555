/*
 * MD5 (RFC 1321). See md5.h.
 */
#include "base/md5.h"

#include "base/endian.h"

#include <stdio.h>

#define BLOCK_BYTES 64

/* Section 3.4: the fractions of the sines of 1 to 64. */
static const uint32_t sine[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613,
	0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193,
	0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d,
	0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
	0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
	0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa,
	0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244,
	0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb,
	0xeb86d391,
};

static void add_block(uint32_t h[4], const uint8_t *p)
{
	static const uint8_t turn[4][4] = {
		{ 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 }
	};
	static const uint8_t step[4] = { 1, 5, 3, 7 };
	static const uint8_t first[4] = { 0, 1, 5, 0 };
	uint32_t a = h[0], b = h[1], c = h[2], d = h[3];

	for (unsigned i = 0; i < 64; i++) {
		unsigned round = i / 16;
		uint32_t f = round == 0	  ? (b & c) | (~b & d)
			     : round == 1 ? (d & b) | (~d & c)
			     : round == 2 ? b ^ c ^ d
					  : c ^ (b | ~d);
		uint32_t word = cdc_le32(p + (i * step[round] + first[round]) % 16 * 4);
		uint32_t x = a + f + sine[i] + word;
		unsigned by = turn[round][i % 4];

		a = d;
		d = c;
		c = b;
		b += x << by | x >> (32 - by);
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
}

void cdc_md5(const void *p, size_t n, uint8_t out[CDC_MD5_BYTES])
{
	uint32_t h[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };
	const uint8_t *text = p;
	uint8_t tail[2 * BLOCK_BYTES] = { 0 };
	size_t left = n % BLOCK_BYTES;
	/* The length takes 8 bytes behind the bit that ends the text. */
	size_t end = left < BLOCK_BYTES - 8 ? BLOCK_BYTES : 2 * BLOCK_BYTES;

	for (size_t i = 0; i + BLOCK_BYTES <= n; i += BLOCK_BYTES)
		add_block(h, text + i);
	if (left)
		memcpy(tail, text + n - left, left);
	tail[left] = 0x80;
	cdc_put_le64(tail + end - 8, 8 * (uint64_t)n);
	for (size_t i = 0; i < end; i += BLOCK_BYTES)
		add_block(h, tail + i);
	for (int i = 0; i < 4; i++)
		cdc_put_le32(out + i * 4, h[i]);
}

void cdc_md5_text(const void *p, size_t n, char out[CDC_MD5_TEXT_MAX])
{
	uint8_t sum[CDC_MD5_BYTES];

	cdc_md5(p, n, sum);
	for (int i = 0; i < CDC_MD5_BYTES; i++)
		snprintf(out + i * 2, 3, "%02x", sum[i]);
}
