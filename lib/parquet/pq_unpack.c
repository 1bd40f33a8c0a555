/*
 * Bit unpacking: the functions of pq_unpack.h, made by macro for every width.
 *
 * With the width a constant each value is one or two word loads (shared between neighbours), a
 * shift and a mask (spec 4.3: within 10-20 % of AVX2, and portable).
 */
#include "parquet/pq_unpack.h"

/* clang-format off */
#define MASK(w) ((w) == 64 ? UINT64_MAX : (UINT64_C(1) << ((w) & 63)) - 1)
#define WORD(k) cdc_le64(p + 8 * (k))
#define LOW(w, i) (WORD((i) * (w) / 64) >> ((i) * (w) % 64))
#define HIGH(w, i) (WORD((i) * (w) / 64 + 1) << ((64 - (i) * (w) % 64) & 63))
#define VALUE(w, i) ((((i) * (w) % 64 + (w) <= 64) ? LOW(w, i) : (LOW(w, i) | HIGH(w, i))) & MASK(w))

#define PUT(t, w, i) out[i] = (t)VALUE(w, i);
#define PUT4(t, w, i) PUT(t, w, (i)) PUT(t, w, (i) + 1) PUT(t, w, (i) + 2) PUT(t, w, (i) + 3)
#define PUT16(t, w, i) PUT4(t, w, (i)) PUT4(t, w, (i) + 4) PUT4(t, w, (i) + 8) PUT4(t, w, (i) + 12)

#define UNPACK32(w) \
	static void u32_##w(const uint8_t *p, uint32_t *out) \
	{ \
		PUT16(uint32_t, w, 0) PUT16(uint32_t, w, 16) \
	}
#define UNPACK64(w) \
	static void u64_##w(const uint8_t *p, uint64_t *out) \
	{ \
		PUT16(uint64_t, w, 0) PUT16(uint64_t, w, 16) \
	}

#define WIDTHS_1_TO_32(X) \
	X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) \
	X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(32)
#define WIDTHS_33_TO_64(X) \
	X(33) X(34) X(35) X(36) X(37) X(38) X(39) X(40) X(41) X(42) X(43) X(44) X(45) X(46) X(47) X(48) \
	X(49) X(50) X(51) X(52) X(53) X(54) X(55) X(56) X(57) X(58) X(59) X(60) X(61) X(62) X(63) X(64)
/* clang-format on */

WIDTHS_1_TO_32(UNPACK32)
WIDTHS_1_TO_32(UNPACK64)
WIDTHS_33_TO_64(UNPACK64)

static void u32_0(const uint8_t *p, uint32_t *out)
{
	(void)p;
	memset(out, 0, 32 * sizeof(*out));
}

static void u64_0(const uint8_t *p, uint64_t *out)
{
	(void)p;
	memset(out, 0, 32 * sizeof(*out));
}

#define NAME32(w) u32_##w,
#define NAME64(w) u64_##w,

cdc_pq_unpack32_fn *const cdc_pq_unpack32[33] = { u32_0, WIDTHS_1_TO_32(NAME32) };
cdc_pq_unpack64_fn *const cdc_pq_unpack64[65] = { u64_0,
						  WIDTHS_1_TO_32(NAME64) WIDTHS_33_TO_64(NAME64) };
