/*
 * Bit packing, writing: one straight-line function per width, 32 values a call. The shifts are
 * constants after unrolling, which is what makes this run at memory speed (spec 4.3).
 */
#include "parquet/pq_bits.h"

#include "base/endian.h"

enum { BLOCK = 32 };

#define STEP(i)                                                                                    \
	acc |= (uint64_t)v[i] << bits;                                                             \
	bits += width;                                                                             \
	if (bits >= 32) {                                                                          \
		cdc_put_le32(out, (uint32_t)acc);                                                  \
		out += 4;                                                                          \
		acc >>= 32;                                                                        \
		bits -= 32;                                                                        \
	}
#define STEP4(i) STEP(i) STEP(i + 1) STEP(i + 2) STEP(i + 3)
#define STEP16(i) STEP4(i) STEP4(i + 4) STEP4(i + 8) STEP4(i + 12)

static inline __attribute__((always_inline)) void pack_block(const uint32_t *v, unsigned width,
							     uint8_t *out)
{
	uint64_t acc = 0;
	unsigned bits = 0;

	STEP16(0)
	STEP16(16)
}

#define PACKER(w)                                                                                  \
	static void pack_##w(const uint32_t *v, uint8_t *out)                                      \
	{                                                                                          \
		pack_block(v, w, out);                                                             \
	}
#define PACKER8(a, b, c, d, e, f, g, h)                                                            \
	PACKER(a) PACKER(b) PACKER(c) PACKER(d) PACKER(e) PACKER(f) PACKER(g) PACKER(h)

PACKER8(1, 2, 3, 4, 5, 6, 7, 8)
PACKER8(9, 10, 11, 12, 13, 14, 15, 16)
PACKER8(17, 18, 19, 20, 21, 22, 23, 24)
PACKER8(25, 26, 27, 28, 29, 30, 31, 32)

static void (*const packer[])(const uint32_t *v, uint8_t *out) = {
	NULL,	 pack_1,  pack_2,  pack_3,  pack_4,  pack_5,  pack_6,  pack_7,	pack_8,
	pack_9,	 pack_10, pack_11, pack_12, pack_13, pack_14, pack_15, pack_16, pack_17,
	pack_18, pack_19, pack_20, pack_21, pack_22, pack_23, pack_24, pack_25, pack_26,
	pack_27, pack_28, pack_29, pack_30, pack_31, pack_32
};

void cdc_pq_pack(const uint32_t *v, size_t n, unsigned width, uint8_t *out)
{
	void (*pack)(const uint32_t *, uint8_t *) = packer[width];
	uint32_t last[BLOCK] = { 0 };
	uint8_t bytes[BLOCK * 4];
	size_t i = 0;

	for (; i + BLOCK <= n; i += BLOCK) {
		pack(v + i, out);
		out += BLOCK / 8 * width;
	}
	if (i == n)
		return;
	memcpy(last, v + i, (n - i) * sizeof(*v));
	pack(last, bytes);
	memcpy(out, bytes, (n - i) / 8 * width);
}

void cdc_pq_pack_bools(const uint8_t *v, size_t n, uint8_t *out)
{
	size_t i = 0;

	/* The multiplication gathers the low bits of eight bytes in the top byte. */
	for (; i + 8 <= n; i += 8)
		*out++ = (uint8_t)(cdc_le64(v + i) * 0x0102040810204080 >> 56);
	if (i == n)
		return;
	*out = 0;
	for (unsigned bit = 0; i < n; i++, bit++)
		*out = (uint8_t)(*out | v[i] << bit);
}
