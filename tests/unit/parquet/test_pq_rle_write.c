/*
 * Proves that the RLE / bit-packed encoder and the bit packers write what the format says: bytes by
 * hand, and 100 000 random sequences read back by a decoder that goes bit by bit and takes every
 * slot of a bit-packed run but the last one's padding as a value.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "parquet/pq_bits.h"
#include "parquet/pq_rle_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t next(uint64_t *seed)
{
	uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint32_t bits_at(const uint8_t *p, size_t bit, unsigned width)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < width; i++)
		v |= (uint32_t)(p[(bit + i) / 8] >> ((bit + i) % 8) & 1) << i;
	return v;
}

/* Decodes everything there is; returns the number of values, padding of the last run included. */
static size_t decode(const uint8_t *p, size_t n, unsigned width, uint32_t *out, size_t room,
		     size_t *last_run)
{
	size_t at = 0;
	size_t got = 0;

	while (at < n) {
		uint64_t header = 0;
		size_t count;

		for (unsigned shift = 0;; shift += 7) {
			assert_true(at < n && shift < 35);
			header |= (uint64_t)(p[at] & 0x7f) << shift;
			if (!(p[at++] & 0x80))
				break;
		}
		*last_run = got;
		count = (size_t)(header >> 1) * (header & 1 ? 8 : 1);
		assert_true(count > 0 && count <= room - got);
		if (header & 1) {
			assert_true(count / 8 * width <= n - at);
			for (size_t i = 0; i < count; i++)
				out[got++] = bits_at(p + at, i * width, width);
			at += count / 8 * width;
		} else {
			assert_true((width + 7) / 8 <= n - at);
			for (size_t i = 0; i < count; i++)
				out[got++] = bits_at(p + at, 0, (width + 7) / 8 * 8);
			at += (width + 7) / 8;
		}
	}
	return got;
}

static void assert_bytes(const uint32_t *v, size_t n, unsigned width, const char *hex)
{
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	char text[512] = "";

	assert_int_equal(cdc_pq_rle_write(v, n, width, &b, &err), CDC_OK);
	assert_true(b.len * 2 < sizeof(text));
	for (size_t i = 0; i < b.len; i++)
		sprintf(text + 2 * i, "%02x", (uint8_t)b.p[i]);
	assert_string_equal(text, hex);
	cdc_buf_free(&b);
}

static void by_hand(void **state)
{
	static const uint32_t zero_to_seven[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	static const uint32_t three[] = { 3, 3, 3, 3, 3, 3, 3, 3, 3, 3 };
	static const uint32_t partial[] = { 1, 0, 1 };
	/* The format's trap: a run that starts inside a group of 8. */
	static const uint32_t trap[] = { 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
					 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 1 };

	(void)state;
	assert_bytes(NULL, 0, 3, "");
	assert_bytes(zero_to_seven, 8, 3, "0388c6fa"); /* the example of the format's document */
	assert_bytes(three, 10, 2, "1403"); /* run of 10, one byte of value */
	assert_bytes(three, 10, 17, "14030000"); /* three bytes of value */
	assert_bytes(partial, 3, 1, "0305");
	/* 1,2,3x6 in one group, 3x14 as a run, 0,1 padded */
	assert_bytes(trap, 24, 4,
		     "0321333333"
		     "1c03"
		     "0310000000");
	/* At 2 bits the run would cost more than it saves: one run of three groups. */
	assert_bytes(trap, 24, 2, "07f9ffffffff4f");
}

static void long_runs(void **state)
{
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	assert_int_equal(cdc_pq_rle_write_run(1, 20000, 1, &b, &err), CDC_OK);
	assert_int_equal(b.len, 4); /* 40000 is three varint bytes */
	assert_memory_equal(b.p, "\xc0\xb8\x02\x01", 4);
	cdc_buf_free(&b);
}

static void random_sequence(uint32_t *v, size_t n, uint32_t mask, uint64_t *seed)
{
	uint64_t style = next(seed) % 4;
	size_t i = 0;

	while (i < n) {
		size_t run = style == 0	  ? 1
			     : style == 1 ? 1 + next(seed) % 30
			     : style == 2 ? (next(seed) % 8 ? 1 : 1 + next(seed) % 200)
					  : 7 + next(seed) % 4;
		uint32_t value = (uint32_t)next(seed) & mask;

		if (next(seed) % 4 == 0)
			value = mask;
		while (run-- > 0 && i < n)
			v[i++] = value;
	}
}

static void random_sequences(void **state)
{
	enum { MAX = 600, TIMES = 100000 };
	static uint32_t v[MAX];
	static uint32_t back[MAX + 8];
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < TIMES; i++) {
		unsigned width = 1 + (unsigned)(next(&seed) % 32);
		uint32_t mask = width == 32 ? UINT32_MAX : (1U << width) - 1;
		size_t n = next(&seed) % (i % 10 ? 60 : MAX);
		size_t last = 0;
		size_t got;

		random_sequence(v, n, mask, &seed);
		cdc_buf_reset(&b);
		assert_int_equal(cdc_pq_rle_write(v, n, width, &b, &err), CDC_OK);
		got = decode((const uint8_t *)b.p, b.len, width, back, n + 7, &last);
		assert_true(got >= n && got < n + 8 && last <= n);
		if (n > 0)
			assert_memory_equal(v, back, n * sizeof(*v));
		for (size_t k = n; k < got; k++)
			assert_int_equal(back[k], 0);
		/* Never more than one bit-packed run of everything would take. */
		assert_true(b.len <= (n + 7) / 8 * width + 5);
	}
	cdc_buf_free(&b);
}

static void packs_every_width(void **state)
{
	uint32_t v[72];
	uint8_t out[72 * 4 + 1];
	uint64_t seed = 2;

	(void)state;
	for (unsigned width = 1; width <= 32; width++) {
		for (size_t n = 0; n <= 72; n += 8) {
			size_t bytes = n / 8 * width;

			for (size_t i = 0; i < n; i++)
				v[i] = (uint32_t)next(&seed) >> (32 - width);
			memset(out, 0xa5, sizeof(out));
			cdc_pq_pack(v, n, width, out);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(bits_at(out, i * width, width), v[i]);
			assert_int_equal(out[bytes], 0xa5);
		}
	}
}

static void packs_booleans(void **state)
{
	uint8_t v[100] = { 0 };
	uint8_t out[14];
	uint64_t seed = 3;

	(void)state;
	for (size_t n = 0; n <= 100; n++) {
		for (size_t i = 0; i < n; i++)
			v[i] = next(&seed) & 1;
		memset(out, 0xa5, sizeof(out));
		cdc_pq_pack_bools(v, n, out);
		for (size_t i = 0; i < (n + 7) / 8 * 8; i++)
			assert_int_equal(bits_at(out, i, 1), i < n ? v[i] : 0);
		assert_int_equal(out[(n + 7) / 8], 0xa5);
	}
}

static void bit_widths(void **state)
{
	(void)state;
	assert_int_equal(cdc_pq_bit_width(0), 0);
	assert_int_equal(cdc_pq_bit_width(1), 1);
	assert_int_equal(cdc_pq_bit_width(2), 2);
	assert_int_equal(cdc_pq_bit_width(3), 2);
	assert_int_equal(cdc_pq_bit_width(4), 3);
	assert_int_equal(cdc_pq_bit_width(UINT32_MAX), 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_hand),	    cmocka_unit_test(long_runs),
		cmocka_unit_test(random_sequences), cmocka_unit_test(packs_every_width),
		cmocka_unit_test(packs_booleans),   cmocka_unit_test(bit_widths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
