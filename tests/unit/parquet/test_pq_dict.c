/*
 * Proves that the dictionary gives equal values equal indices, in order of first appearance, and
 * keeps their PLAIN bytes: against a linear search, over growth, reset and every length of string.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/endian.h"
#include "parquet/pq_dict.h"

#include <stdio.h>
#include <stdlib.h>

enum { NUM = 3000 };

static uint64_t next(uint64_t *seed)
{
	uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Indices as they must be, by searching all before. */
static uint32_t naive(const struct cdc_str *v, size_t n, uint32_t *want)
{
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < i && !cdc_str_eq(v[k], v[i]))
			k++;
		want[i] = k < i ? want[k] : count++;
	}
	return count;
}

static void check(const struct cdc_pq_dict *d, const struct cdc_str *v, size_t n,
		  const uint32_t *got)
{
	static uint32_t want[NUM];
	uint32_t count = naive(v, n, want);
	size_t at = 0;

	assert_int_equal(d->count, count);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(got[i], want[i]);
		assert_true(cdc_str_eq(cdc_pq_dict_get(d, got[i]), v[i]));
	}
	for (uint32_t i = 0; i < count; i++) { /* entries lie one after the other */
		struct cdc_str s = cdc_pq_dict_get(d, i);

		at += d->width ? 0 : 4;
		assert_ptr_equal(s.p, d->plain.p + at);
		if (!d->width)
			assert_int_equal(cdc_le32(s.p - 4), s.n);
		at += s.n;
	}
	assert_int_equal(at, d->plain.len);
}

static void integers(void **state)
{
	static uint32_t narrow[NUM];
	static uint64_t wide[NUM];
	static struct cdc_str v[NUM];
	static uint32_t index[NUM];
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_dict d4;
	struct cdc_pq_dict d8;
	uint64_t seed = 1;

	(void)state;
	cdc_pq_dict_init(&d4, 4);
	cdc_pq_dict_init(&d8, 8);
	for (int turn = 0; turn < 20; turn++) {
		uint64_t distinct = turn % 4 == 0 ? UINT64_MAX : 1 + next(&seed) % 2000;
		uint64_t step = turn % 3 ? 1 : (uint64_t)1 << (turn + 20);
		size_t half = next(&seed) % NUM;

		for (size_t i = 0; i < NUM; i++) {
			wide[i] = next(&seed) % distinct * step;
			narrow[i] = (uint32_t)wide[i];
			v[i] = cdc_str((char *)&narrow[i], 4);
		}
		assert_int_equal(cdc_pq_dict_put32(&d4, narrow, half, index, &err), CDC_OK);
		assert_int_equal(
			cdc_pq_dict_put32(&d4, narrow + half, NUM - half, index + half, &err),
			CDC_OK);
		check(&d4, v, NUM, index);
		for (size_t i = 0; i < NUM; i++)
			v[i] = cdc_str((char *)&wide[i], 8);
		assert_int_equal(cdc_pq_dict_put64(&d8, wide, half, index, &err), CDC_OK);
		assert_int_equal(
			cdc_pq_dict_put64(&d8, wide + half, NUM - half, index + half, &err),
			CDC_OK);
		check(&d8, v, NUM, index);
		cdc_pq_dict_reset(&d4);
		cdc_pq_dict_reset(&d8);
	}
	cdc_pq_dict_free(&d4);
	cdc_pq_dict_free(&d8);
}

static void strings(void **state)
{
	static char bytes[NUM][40];
	static struct cdc_str v[NUM];
	static uint32_t index[NUM];
	struct cdc_err err = CDC_ERR_INIT;
	uint64_t seed = 2;

	(void)state;
	for (uint32_t width = 0; width <= 20; width += 4) {
		struct cdc_pq_dict d;

		cdc_pq_dict_init(&d, width);
		for (int turn = 0; turn < 4; turn++) {
			size_t part = 1 + next(&seed) % NUM;

			for (size_t i = 0; i < NUM; i++) {
				size_t len = width ? width : next(&seed) % 40;

				/* Mostly one letter: same prefixes, same ends, other lengths. */
				memset(bytes[i], 'a', len);
				for (uint64_t k = next(&seed) % 3; k > 0 && len > 0; k--)
					bytes[i][next(&seed) % len] = (char)('a' + next(&seed) % 8);
				v[i] = cdc_str(len ? bytes[i] : NULL, len);
			}
			for (size_t i = 0; i < NUM; i += part) {
				size_t n = NUM - i < part ? NUM - i : part;

				assert_int_equal(cdc_pq_dict_put_str(&d, v + i, n, index + i, &err),
						 CDC_OK);
			}
			check(&d, v, NUM, index);
			for (uint32_t i = 0; i < d.count; i++)
				assert_int_equal(d.stamp[i], 0);
			assert_true(cdc_pq_dict_bytes(&d) >= d.plain.len);
			cdc_pq_dict_reset(&d);
			assert_int_equal(d.count, 0);
		}
		cdc_pq_dict_free(&d);
	}
}

/* Values that all fall in one slot must show in `probes`, which is what ends such a dictionary. */
static void attacks_show(void **state)
{
	static uint64_t v[NUM];
	static uint32_t index[NUM];
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_dict d;
	uint64_t seed = 3;
	size_t n = 0;

	(void)state;
	cdc_pq_dict_init(&d, 8);
	for (size_t i = 0; i < NUM; i++)
		v[i] = next(&seed);
	assert_int_equal(cdc_pq_dict_put64(&d, v, NUM, index, &err), CDC_OK);
	assert_true(d.probes < 3 * NUM);
	/* Of many values keep those whose slot, as the table shows it, is near the first one's. */
	for (uint64_t x = 0; n < 400; x++) {
		uint32_t at = 0;
		struct cdc_pq_dict one;

		cdc_pq_dict_init(&one, 8);
		assert_int_equal(cdc_pq_dict_put64(&one, &x, 1, index, &err), CDC_OK);
		while (one.slot[at] == 0)
			at++;
		if (at < 8)
			v[n++] = x;
		cdc_pq_dict_free(&one);
	}
	cdc_pq_dict_reset(&d);
	d.mask = d.mask < 1023 ? d.mask : 1023;
	assert_int_equal(cdc_pq_dict_put64(&d, v, n, index, &err), CDC_OK);
	assert_true(d.probes > 20 * n);
	cdc_pq_dict_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(strings),
		cmocka_unit_test(attacks_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
