/*
 * Proves that bit unpacking, the RLE / bit-packed hybrid and levels decode what a naive encoder,
 * which sets one bit at a time, wrote: every width, every split into pieces; and that damaged input
 * is refused. Some vectors are worked out by hand from the format's text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "parquet/pq_level_read.h"
#include "parquet/pq_unpack.h"

#include <stdlib.h>

static uint64_t seed = 42;

static uint64_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void set_bits(uint8_t *p, uint64_t at, uint64_t v, uint32_t width)
{
	for (uint32_t i = 0; i < width; i++)
		if (v >> i & 1)
			p[(at + i) / 8] = (uint8_t)(p[(at + i) / 8] | 1u << (at + i) % 8);
}

static uint64_t low(uint64_t v, uint32_t width)
{
	return width == 64 ? v : v & ((UINT64_C(1) << width) - 1);
}

static void unpack_every_width(void **state)
{
	(void)state;
	for (uint32_t w = 0; w <= 64; w++) {
		uint8_t in[256 + CDC_PQ_SLACK];
		uint64_t want[32];
		uint64_t got64[32];
		uint32_t got32[32];
		uint8_t got8[8];

		memset(in, 0, 4 * w);
		memset(in + 4 * w, 0xff, sizeof(in) - 4 * w);
		for (uint32_t i = 0; i < 32; i++) {
			want[i] = low(i % 5 ? draw() : UINT64_MAX, w);
			set_bits(in, (uint64_t)i * w, want[i], w);
		}
		cdc_pq_unpack64[w](in, got64);
		assert_memory_equal(got64, want, sizeof(want));
		if (w > 32)
			continue;
		cdc_pq_unpack32[w](in, got32);
		for (int i = 0; i < 32; i++)
			assert_int_equal(got32[i], want[i]);
		cdc_pq_unpack8(in, w, got32);
		for (int i = 0; i < 8; i++)
			assert_int_equal(got32[i], want[i]);
		if (w > 8)
			continue;
		cdc_pq_unpack8_u8(in, w, got8);
		for (int i = 0; i < 8; i++)
			assert_int_equal(got8[i], want[i]);
	}
}

/* ------------------------------------------------------------------ hybrid */

struct stream {
	uint8_t *p;
	size_t n;
	uint32_t *v;
	uint32_t num;
};

static void put_varint(struct stream *s, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		s->p[s->n++] = (uint8_t)(v | 0x80);
	s->p[s->n++] = (uint8_t)v;
}

/* Random runs of both kinds, some of them empty or long. */
static struct stream encode(uint32_t width, uint32_t runs)
{
	struct stream s = { .p = calloc(runs, 4096), .v = calloc(runs, 4096) };

	assert_non_null(s.p);
	assert_non_null(s.v);
	for (uint32_t r = 0; r < runs; r++) {
		uint64_t v = low(draw(), width);

		if (draw() % 2) {
			uint32_t n = (uint32_t)(draw() % (draw() % 4 ? 12 : 900));

			put_varint(&s, (uint64_t)n << 1);
			for (uint32_t i = 0; i < (width + 7) / 8; i++)
				s.p[s.n++] = (uint8_t)(v >> 8 * i);
			for (uint32_t i = 0; i < n; i++)
				s.v[s.num++] = (uint32_t)v;
		} else {
			uint32_t groups = (uint32_t)(draw() % (draw() % 4 ? 3 : 20));

			put_varint(&s, (uint64_t)groups << 1 | 1);
			for (uint32_t i = 0; i < groups * 8; i++) {
				s.v[s.num] = (uint32_t)low(draw(), width);
				set_bits(s.p + s.n, (uint64_t)i * width, s.v[s.num++], width);
			}
			s.n += (size_t)groups * width;
		}
	}
	return s;
}

static void decode_pieces(const struct stream *s, uint32_t width, uint32_t most)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_rle d;
	uint32_t at = 0;

	cdc_pq_rle_init(&d, s->p, s->n, width);
	while (at < s->num) {
		uint32_t out[1000];
		uint8_t out8[1000];
		uint32_t n = 1 + (uint32_t)(draw() % most);
		uint64_t run = 0;
		uint32_t v = 0;

		n = n < s->num - at ? n : s->num - at;
		assert_int_equal(cdc_pq_rle_run(&d, &v, &run, &err), CDC_OK);
		if (run)
			assert_int_equal(v, s->v[at]);
		if (draw() % 4 == 0) {
			assert_int_equal(cdc_pq_rle_skip(&d, n, &err), CDC_OK);
		} else if (width <= 8 && draw() % 2) {
			assert_int_equal(cdc_pq_rle_u8(&d, out8, n, &err), CDC_OK);
			for (uint32_t i = 0; i < n; i++)
				assert_int_equal(out8[i], s->v[at + i]);
		} else {
			assert_int_equal(cdc_pq_rle_u32(&d, out, n, &err), CDC_OK);
			for (uint32_t i = 0; i < n; i++)
				assert_int_equal(out[i], s->v[at + i]);
		}
		at += n;
	}
	if (width > 0)
		assert_int_equal(cdc_pq_rle_skip(&d, 8, &err), CDC_ECORRUPT);
}

static void hybrid_every_width(void **state)
{
	(void)state;
	for (uint32_t w = 0; w <= 32; w++)
		for (int k = 0; k < 6; k++) {
			struct stream s = encode(w, 60);

			decode_pieces(&s, w, k % 2 ? 10 : 1000);
			free(s.p);
			free(s.v);
		}
}

/* The format's own example: 0 to 7 in 3 bits are 0x88 0xC6 0xFA. */
static void hybrid_by_hand(void **state)
{
	static const uint8_t in[8 + CDC_PQ_SLACK] = {
		0x03, 0x88, 0xc6, 0xfa, 0x0a, 0x05, 0x00, 0x07
	};
	static const uint32_t want[13] = { 0, 1, 2, 3, 4, 5, 6, 7, 5, 5, 5, 5, 5 };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_rle d;
	uint32_t out[13];

	(void)state;
	cdc_pq_rle_init(&d, in, 8, 3);
	assert_int_equal(cdc_pq_rle_u32(&d, out, 13, &err), CDC_OK);
	assert_memory_equal(out, want, sizeof(want));
	assert_int_equal(cdc_pq_rle_u32(&d, out, 1, &err), CDC_ECORRUPT);
}

/* A last run without its padding: 3 bytes where the header promises 8 groups of 3 bits. */
static void hybrid_cut_short(void **state)
{
	static const uint8_t in[4 + CDC_PQ_SLACK] = { 0x11, 0x88, 0xc6, 0xfa };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_rle d;
	uint32_t out[9];

	(void)state;
	cdc_pq_rle_init(&d, in, 4, 3);
	assert_int_equal(cdc_pq_rle_u32(&d, out, 8, &err), CDC_OK);
	assert_int_equal(out[7], 7);
	assert_int_equal(cdc_pq_rle_u32(&d, out, 1, &err), CDC_ECORRUPT);
	cdc_pq_rle_init(&d, in, 4, 3);
	assert_int_equal(cdc_pq_rle_u32(&d, out, 9, &err), CDC_ECORRUPT);
}

static void hybrid_damaged(void **state)
{
	static const uint8_t endless[16 + CDC_PQ_SLACK] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
							    0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
							    0xff, 0xff, 0xff, 0xff };
	static const uint8_t no_value[1 + CDC_PQ_SLACK] = { 0x04 };
	static const uint8_t empty_runs[4 + CDC_PQ_SLACK] = { 0x00, 0x01, 0x00, 0x01 };
	/* 2^63 - 1 groups of nothing: width 0 */
	static const uint8_t huge[10 + CDC_PQ_SLACK] = { 0xff, 0xff, 0xff, 0xff, 0xff,
							 0xff, 0xff, 0xff, 0xff, 0x01 };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_rle d;
	uint32_t out[100];

	(void)state;
	cdc_pq_rle_init(&d, endless, 16, 4);
	assert_int_equal(cdc_pq_rle_u32(&d, out, 1, &err), CDC_ECORRUPT);
	cdc_pq_rle_init(&d, no_value, 1, 4);
	assert_int_equal(cdc_pq_rle_u32(&d, out, 1, &err), CDC_ECORRUPT);
	cdc_pq_rle_init(&d, empty_runs, 4, 0);
	assert_int_equal(cdc_pq_rle_u32(&d, out, 1, &err), CDC_ECORRUPT);
	cdc_pq_rle_init(&d, NULL, 0, 1);
	assert_int_equal(cdc_pq_rle_u32(&d, out, 1, &err), CDC_ECORRUPT);
	cdc_pq_rle_init(&d, huge, 10, 0);
	assert_int_equal(cdc_pq_rle_skip(&d, UINT64_C(1) << 60, &err), CDC_OK);
	assert_int_equal(cdc_pq_rle_u32(&d, out, 100, &err), CDC_OK);
	assert_int_equal(out[99], 0);
	cdc_pq_rle_init(&d, huge, 10, 32);
	assert_int_equal(cdc_pq_rle_u32(&d, out, 1, &err), CDC_ECORRUPT);
}

/* ------------------------------------------------------------------ levels */

static void levels_over_the_maximum(void **state)
{
	static const uint8_t run[2 + CDC_PQ_SLACK] = { 0x20, 0x02 }; /* 16 times 2 */
	static const uint8_t packed[3 + CDC_PQ_SLACK] = { 0x03, 0x00,
							  0xc0 }; /* 8 in 2 bits, one 3 */
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_levels l;
	uint32_t at_max;
	uint64_t n;
	uint8_t out[16];
	uint8_t v;

	(void)state;
	cdc_pq_levels_init(&l, 1);
	cdc_pq_levels_set_rle(&l, run, 2);
	assert_int_equal(cdc_pq_levels_run(&l, &v, &n, &err), CDC_ECORRUPT);
	assert_int_equal(cdc_pq_levels_read(&l, out, 16, &at_max, &err), CDC_ECORRUPT);
	cdc_pq_levels_init(&l, 2);
	cdc_pq_levels_set_rle(&l, packed, 3);
	assert_int_equal(cdc_pq_levels_read(&l, out, 7, &at_max, &err), CDC_OK);
	assert_int_equal(at_max, 0);
	assert_int_equal(cdc_pq_levels_read(&l, out, 1, &at_max, &err), CDC_ECORRUPT);
}

/* BIT_PACKED: most significant bit first. 1 0 1 1 0 0 1 0 | 1 is B2 80. */
static void levels_bit_packed(void **state)
{
	static const uint8_t in[2 + CDC_PQ_SLACK] = { 0xb2, 0x80 };
	static const uint8_t want[9] = { 1, 0, 1, 1, 0, 0, 1, 0, 1 };
	static const uint8_t wide[3] = { 5, 4, 5 }; /* 3 bits: 101 100 101 */
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_levels l;
	uint32_t at_max;
	uint64_t n;
	uint8_t out[9];
	uint8_t v;

	(void)state;
	cdc_pq_levels_init(&l, 1);
	cdc_pq_levels_set_packed(&l, in, 2);
	assert_int_equal(cdc_pq_levels_peek(&l, &v, &err), CDC_OK);
	assert_int_equal(v, 1);
	assert_int_equal(cdc_pq_levels_run(&l, &v, &n, &err), CDC_OK);
	assert_int_equal(n, 0);
	assert_int_equal(cdc_pq_levels_read(&l, out, 9, &at_max, &err), CDC_OK);
	assert_memory_equal(out, want, 9);
	assert_int_equal(at_max, 5);
	assert_int_equal(cdc_pq_levels_read(&l, out, 8, &at_max, &err), CDC_ECORRUPT);
	cdc_pq_levels_init(&l, 5);
	cdc_pq_levels_set_packed(&l, in, 2);
	assert_int_equal(cdc_pq_levels_read(&l, out, 3, &at_max, &err), CDC_OK);
	assert_memory_equal(out, wide, 3);
	assert_int_equal(at_max, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unpack_every_width), cmocka_unit_test(hybrid_every_width),
		cmocka_unit_test(hybrid_by_hand),     cmocka_unit_test(hybrid_cut_short),
		cmocka_unit_test(hybrid_damaged),     cmocka_unit_test(levels_over_the_maximum),
		cmocka_unit_test(levels_bit_packed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
