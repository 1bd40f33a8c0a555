/*
 * Proves that the key index finds exactly the keys it holds: random key sets and probe columns,
 * ascending and not, with extreme values and repeats, against a linear search.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "table/batch/key_index.h"

#include <stdlib.h>

static uint64_t rng = 88172645463325252u;

static uint64_t rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/* Values that collide, values at the ends, values anywhere. */
static uint64_t value(uint64_t spread)
{
	switch (rnd() % 8) {
	case 0:
		return (uint64_t)INT64_MIN + rnd() % 3;
	case 1:
		return (uint64_t)INT64_MAX - rnd() % 3;
	case 2:
		return rnd();
	default:
		return rnd() % spread - spread / 2;
	}
}

static int by_signed(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static uint32_t find(const uint64_t *key, uint32_t n, uint64_t v)
{
	for (uint32_t i = 0; i < n; i++)
		if (key[i] == v)
			return i;
	return UINT32_MAX;
}

static void check(uint32_t num_keys, uint32_t n, uint64_t spread, int sorted)
{
	uint64_t key[300], probe[500];
	uint32_t row[CDC_KEY_INDEX_ROWS], number[CDC_KEY_INDEX_ROWS], hits, keys = 0, at = 0;
	struct cdc_key_index x;
	struct cdc_err err = CDC_ERR_INIT;

	while (keys < num_keys) {
		uint64_t v = value(spread);

		if (find(key, keys, v) == UINT32_MAX)
			key[keys++] = v;
	}
	for (uint32_t i = 0; i < n; i++)
		probe[i] = value(spread);
	if (sorted)
		qsort(probe, n, sizeof(*probe), by_signed);
	assert_int_equal(cdc_key_index_init(&x, key, keys, &err), 0);
	hits = cdc_key_index_probe(&x, probe, n, row, number);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t want = find(key, keys, probe[i]);

		if (want == UINT32_MAX)
			continue;
		assert_true(at < hits);
		assert_int_equal(row[at], i);
		assert_int_equal(number[at], want);
		at++;
	}
	assert_int_equal(at, hits);
	cdc_key_index_free(&x);
}

static void test_random(void **state)
{
	(void)state;
	for (int i = 0; i < 4000; i++) {
		uint32_t keys = (uint32_t)(rnd() % 300);

		check(keys, (uint32_t)(rnd() % 500), 2 + rnd() % 2000 + keys * 2, i & 1);
	}
}

static void test_empty(void **state)
{
	(void)state;
	check(0, 0, 10, 0);
	check(0, 100, 10, 1);
	check(100, 0, 1000, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
