/*
 * Proves that the delta encodings decode vectors worked out by hand from the format's text, and
 * what a naive encoder (one bit at a time) makes of random and extreme numbers, in pieces of any
 * size; and that headers which lie are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "parquet/pq_delta_read.h"
#include "parquet/pq_unpack.h"

#include <stdlib.h>

enum { ROOM = 1 << 20 };

static uint64_t seed = 7;

static uint64_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

struct out {
	uint8_t *p;
	size_t n;
};

static void put_varint(struct out *o, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		o->p[o->n++] = (uint8_t)(v | 0x80);
	o->p[o->n++] = (uint8_t)v;
}

static void put_zigzag(struct out *o, int64_t v)
{
	put_varint(o, v < 0 ? ~((uint64_t)v << 1) : (uint64_t)v << 1);
}

static uint64_t wrap(uint64_t v, uint32_t bits)
{
	return bits == 32 ? (uint64_t)(int64_t)(int32_t)(uint32_t)v : v;
}

static uint32_t width_of(uint64_t v, uint32_t bits)
{
	uint32_t w = 0;

	for (v = bits == 32 ? v & UINT32_MAX : v; v; v >>= 1)
		w++;
	return w;
}

/* Blocks of `block` values in `parts` miniblocks; the widths of unused ones are 0xff. */
static void encode(struct out *o, const int64_t *v, uint32_t n, uint32_t bits, uint32_t block,
		   uint32_t parts)
{
	uint32_t per = block / parts;

	put_varint(o, block);
	put_varint(o, parts);
	put_varint(o, n);
	put_zigzag(o, n ? v[0] : 0);
	for (uint32_t from = 1; from < n; from += block) {
		uint32_t to = n - from < block ? n : from + block;
		int64_t min = INT64_MAX;
		uint8_t *widths;

		for (uint32_t i = from; i < to; i++) {
			int64_t d = (int64_t)wrap((uint64_t)v[i] - (uint64_t)v[i - 1], bits);

			min = d < min ? d : min;
		}
		put_zigzag(o, min);
		widths = o->p + o->n;
		memset(widths, 0xff, parts);
		o->n += parts;
		for (uint32_t m = 0; from + m * per < to; m++) {
			uint32_t first = from + m * per;
			uint32_t last = first + per < to ? first + per : to;
			uint32_t w = 0;

			for (uint32_t i = first; i < last; i++) {
				uint64_t d = (uint64_t)v[i] - (uint64_t)v[i - 1] - (uint64_t)min;
				uint32_t x = width_of(d, bits);

				w = x > w ? x : w;
			}
			widths[m] = (uint8_t)w;
			memset(o->p + o->n, 0, (size_t)per / 8 * w);
			for (uint32_t i = first; i < last; i++) {
				uint64_t d = (uint64_t)v[i] - (uint64_t)v[i - 1] - (uint64_t)min;

				for (uint32_t b = 0; b < w; b++) {
					size_t at = (size_t)(i - first) * w + b;

					if (d >> b & 1)
						o->p[o->n + at / 8] =
							(uint8_t)(o->p[o->n + at / 8] |
								  1u << at % 8);
				}
			}
			o->n += (size_t)per / 8 * w;
		}
	}
}

static void decode_all(const struct out *o, const int64_t *want, uint32_t n, uint32_t bits)
{
	struct cdc_err err = CDC_ERR_INIT;
	const uint8_t *end = NULL;
	struct cdc_pq_dbp d;
	int64_t v64[700];
	int32_t v32[700];
	uint32_t at = 0;

	assert_int_equal(cdc_pq_dbp_init(&d, o->p, o->n, n, &err), CDC_OK);
	assert_int_equal(cdc_pq_dbp_end(&d, &end, &err), CDC_OK);
	assert_ptr_equal(end, o->p + o->n);
	while (at < n) {
		uint32_t k = 1 + (uint32_t)(draw() % (draw() % 2 ? 5 : 700));

		k = k < n - at ? k : n - at;
		if (bits == 32) {
			assert_int_equal(cdc_pq_dbp_i32(&d, v32, k, &err), CDC_OK);
			for (uint32_t i = 0; i < k; i++)
				assert_int_equal(v32[i], want[at + i]);
		} else {
			assert_int_equal(cdc_pq_dbp_i64(&d, v64, k, &err), CDC_OK);
			assert_memory_equal(v64, want + at, k * sizeof(*want));
		}
		at += k;
	}
	assert_int_equal(cdc_pq_dbp_i64(&d, v64, 1, &err), CDC_ECORRUPT);
}

static void dbp_random(void **state)
{
	static const uint32_t shape[][2] = {
		{ 128, 4 }, { 128, 1 }, { 2048, 8 }, { 256, 1 }, { 1024, 32 }
	};
	struct out o = { malloc(ROOM), 0 };
	int64_t *v = malloc(9000 * sizeof(*v));

	(void)state;
	assert_non_null(o.p);
	assert_non_null(v);
	for (uint32_t k = 0; k < 300; k++) {
		uint32_t bits = k % 2 ? 64 : 32;
		uint32_t n = (uint32_t)(draw() % (k % 3 ? 300 : 9000));
		uint64_t range = UINT64_MAX >> draw() % 64;

		for (uint32_t i = 0; i < n; i++) {
			uint64_t x = draw() & range;

			x = draw() % 20 ? x : UINT64_C(1) << 63;
			x = draw() % 20 ? x : UINT64_MAX >> 1;
			v[i] = (int64_t)(bits == 32 ? wrap(x, 32) : x);
			if (k % 5 == 0)
				v[i] = 1000 * (int64_t)i;
		}
		o.n = 0;
		encode(&o, v, n, bits, shape[k % 5][0], shape[k % 5][1]);
		memset(o.p + o.n, 0xee, CDC_PQ_SLACK);
		decode_all(&o, v, n, bits);
	}
	free(v);
	free(o.p);
}

/* The two examples of Encodings.md. */
static void dbp_by_hand(void **state)
{
	static const uint8_t one[10 + CDC_PQ_SLACK] = { 0x80, 0x01, 0x04, 0x05, 0x02, 0x02 };
	static const uint8_t two[18 + CDC_PQ_SLACK] = { 0x80, 0x01, 0x04, 0x08, 0x0e, 0x03,
							0x02, 0x00, 0x00, 0x00, 0xc0, 0x3f };
	static const int64_t first[5] = { 1, 2, 3, 4, 5 };
	static const int64_t second[8] = { 7, 5, 3, 1, 2, 3, 4, 5 };
	struct out o = { malloc(sizeof(two)), 10 };

	(void)state;
	assert_non_null(o.p);
	memcpy(o.p, one, sizeof(one));
	decode_all(&o, first, 5, 32);
	decode_all(&o, first, 5, 64);
	memcpy(o.p, two, sizeof(two));
	o.n = 18;
	decode_all(&o, second, 8, 32);
	decode_all(&o, second, 8, 64);
	free(o.p);
}

/* DuckDB makes the deltas of 32-bit integers in 64 bits: up to 33 of them. */
static void dbp_wide_deltas(void **state)
{
	static const int64_t v[] = { INT32_MAX, INT32_MIN, INT32_MAX, 0, INT32_MIN, -1, INT32_MIN };
	struct cdc_err err = CDC_ERR_INIT;
	struct out o = { malloc(ROOM), 0 };
	struct cdc_pq_dbp d;
	int32_t out[7];

	(void)state;
	assert_non_null(o.p);
	encode(&o, v, 7, 64, 128, 4);
	assert_int_equal(o.p[5 + 4 + 5], 33); /* header, first value, least delta */
	assert_int_equal(cdc_pq_dbp_init(&d, o.p, o.n, 7, &err), CDC_OK);
	assert_int_equal(cdc_pq_dbp_i32(&d, out, 7, &err), CDC_OK);
	for (int i = 0; i < 7; i++)
		assert_int_equal(out[i], v[i]);
	free(o.p);
}

static int try_dbp(const uint8_t *p, size_t n, uint32_t max, uint32_t values)
{
	struct cdc_err err = CDC_ERR_INIT;
	uint8_t in[100 + CDC_PQ_SLACK] = { 0 };
	const uint8_t *end;
	struct cdc_pq_dbp d;
	int64_t out[300];
	int rc;

	memcpy(in, p, n);
	rc = cdc_pq_dbp_init(&d, in, n, max, &err);
	if (rc == CDC_OK) {
		int walk = cdc_pq_dbp_end(&d, &end, &err);

		rc = cdc_pq_dbp_i64(&d, out, values, &err);
		if (rc == CDC_OK)
			assert_int_equal(walk, CDC_OK);
	}
	return rc;
}

static void dbp_damaged(void **state)
{
	uint8_t p[18] = { 0x80, 0x01, 0x04, 0x08, 0x0e, 0x03, 0x02, 0x00, 0x00, 0x00, 0xc0, 0x3f };

	(void)state;
	assert_int_equal(try_dbp(p, 18, 8, 8), CDC_OK);
	for (size_t n = 0; n < 18; n++)
		assert_int_equal(try_dbp(p, n, 8, 8), CDC_ECORRUPT);
	assert_int_equal(try_dbp(p, 18, 7, 7), CDC_ECORRUPT); /* more than the page has */
	assert_int_equal(try_dbp(p, 18, 8, 9), CDC_ECORRUPT);
	p[6] = 65;
	assert_int_equal(try_dbp(p, 18, 8, 8), CDC_ECORRUPT);
	p[6] = 2;
	p[2] = 0;
	assert_int_equal(try_dbp(p, 18, 8, 8), CDC_ECORRUPT); /* no miniblocks */
	p[2] = 8;
	assert_int_equal(try_dbp(p, 18, 8, 8), CDC_ECORRUPT); /* of 16 values */
	p[2] = 3;
	assert_int_equal(try_dbp(p, 18, 8, 8), CDC_ECORRUPT); /* that do not divide */
	p[2] = 4;
	p[0] = 0x81;
	assert_int_equal(try_dbp(p, 18, 8, 8), CDC_ECORRUPT); /* a block of 129 */
}

/* ------------------------------------------------------------------ strings */

static void put_lengths(struct out *o, const int64_t *v, uint32_t n)
{
	encode(o, v, n, 32, 128, 4);
}

static void put_text(struct out *o, const char *text)
{
	memcpy(o->p + o->n, text, strlen(text));
	o->n += strlen(text);
}

static void assert_strings(const struct cdc_str *got, const char *const *want, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(got[i].n, strlen(want[i]));
		assert_memory_equal(got[i].p, want[i], got[i].n);
	}
}

/* Encodings.md: "Hello", "World", "Foobar", "ABCDEF". */
static void dlba_by_hand(void **state)
{
	static const char *const want[4] = { "Hello", "World", "Foobar", "ABCDEF" };
	static const int64_t length[4] = { 5, 5, 6, 6 };
	struct cdc_err err = CDC_ERR_INIT;
	struct out o = { malloc(ROOM), 0 };
	struct cdc_pq_dlba d;
	struct cdc_str s[5];

	(void)state;
	assert_non_null(o.p);
	put_lengths(&o, length, 4);
	put_text(&o, "HelloWorldFoobarABCDEF");
	assert_int_equal(cdc_pq_dlba_init(&d, o.p, o.n, 4, &err), CDC_OK);
	assert_int_equal(cdc_pq_dlba_read(&d, s, 1, &err), CDC_OK);
	assert_int_equal(cdc_pq_dlba_read(&d, s + 1, 3, &err), CDC_OK);
	assert_strings(s, want, 4);
	assert_int_equal(cdc_pq_dlba_read(&d, s, 1, &err), CDC_ECORRUPT);
	assert_int_equal(cdc_pq_dlba_init(&d, o.p, o.n - 1, 4, &err), CDC_OK);
	assert_int_equal(cdc_pq_dlba_read(&d, s, 4, &err), CDC_ECORRUPT);
	free(o.p);
}

static void dlba_negative_length(void **state)
{
	static const int64_t length[2] = { 5, -5 };
	struct cdc_err err = CDC_ERR_INIT;
	struct out o = { malloc(ROOM), 0 };
	struct cdc_pq_dlba d;
	struct cdc_str s[2];

	(void)state;
	assert_non_null(o.p);
	put_lengths(&o, length, 2);
	put_text(&o, "HelloWorld");
	assert_int_equal(cdc_pq_dlba_init(&d, o.p, o.n, 2, &err), CDC_OK);
	assert_int_equal(cdc_pq_dlba_read(&d, s, 2, &err), CDC_ECORRUPT);
	free(o.p);
}

static int read_dba(const int64_t *prefix, const int64_t *suffix, uint32_t n, const char *text,
		    const char *last, size_t max_bytes, const char *const *want)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct out o = { malloc(ROOM), 0 };
	struct cdc_pq_dba d;
	struct cdc_str s[16];
	int rc;

	assert_non_null(o.p);
	put_lengths(&o, prefix, n);
	put_lengths(&o, suffix, n);
	put_text(&o, text);
	rc = cdc_pq_dba_init(&d, o.p, o.n, n, &err);
	assert_int_equal(rc, CDC_OK);
	d.last = cdc_str_z(last);
	for (uint32_t i = 0; i < n && rc == CDC_OK; i++)
		rc = cdc_pq_dba_read(&d, s + i, 1, &arena, max_bytes, &err);
	if (rc == CDC_OK && want)
		assert_strings(s, want, n);
	cdc_arena_free(&arena);
	free(o.p);
	return rc;
}

/* Encodings.md: "axis", "axle", "babble", "babyhood". */
static void dba_by_hand(void **state)
{
	static const char *const want[4] = { "axis", "axle", "babble", "babyhood" };
	static const char *const shared[4] = { "abc", "ab", "ab", "" };
	static const int64_t prefix[4] = { 0, 2, 0, 3 };
	static const int64_t suffix[4] = { 4, 2, 6, 5 };
	static const int64_t prefix_only[4] = { 0, 2, 2, 0 };
	static const int64_t no_suffix[4] = { 3, 0, 0, 0 };
	static const int64_t carried[1] = { 3 };
	static const int64_t one[1] = { 1 };
	static const int64_t negative[1] = { -1 };
	static const char *const tail[1] = { "axid" };

	(void)state;
	assert_int_equal(read_dba(prefix, suffix, 4, "axislebabbleyhood", "", 1 << 20, want),
			 CDC_OK);
	assert_int_equal(read_dba(prefix_only, no_suffix, 4, "abc", "", 1 << 20, shared), CDC_OK);
	assert_int_equal(read_dba(carried, one, 1, "d", "axis", 1 << 20, tail), CDC_OK);
	assert_int_equal(read_dba(carried, one, 1, "d", "", 1 << 20, NULL), CDC_ECORRUPT);
	assert_int_equal(read_dba(negative, one, 1, "d", "axis", 1 << 20, NULL), CDC_ECORRUPT);
	assert_int_equal(read_dba(carried, one, 1, "d", "axis", 3, NULL), CDC_ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dbp_random),	   cmocka_unit_test(dbp_by_hand),
		cmocka_unit_test(dbp_wide_deltas), cmocka_unit_test(dbp_damaged),
		cmocka_unit_test(dlba_by_hand),	   cmocka_unit_test(dlba_negative_length),
		cmocka_unit_test(dba_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
