/* Most frequent texts and sets of numbers, against counting them all. */
#include "base/idset.h"
#include "base/topk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXTS 5000u

/* A text that comes the more often the smaller its number is. */
static uint32_t skewed(uint64_t *state)
{
	double u;

	*state = *state * 6364136223846793005u + 1442695040888963407u;
	u = (double)(*state >> 40) / (double)(1u << 24);
	return (uint32_t)(u * u * u * u * (TEXTS - 1));
}

static void fill(struct cdc_topk *t, uint64_t *exact, int n)
{
	struct cdc_err err;
	uint64_t state = 11;

	for (int i = 0; i < n; i++) {
		uint32_t k = skewed(&state);
		char text[16];
		int len = snprintf(text, sizeof(text), "%u", k);

		exact[k]++;
		assert_int_equal(cdc_topk_add(t, cdc_str(text, (size_t)len), &err), CDC_OK);
	}
}

static void check(struct cdc_topk *t, const uint64_t *exact)
{
	cdc_topk_sort(t);
	for (uint32_t i = 0; i < t->n; i++) {
		const struct cdc_topk_entry *e = &t->entry[i];
		char text[16];
		uint64_t count;

		assert_true(e->text.len < sizeof(text));
		memcpy(text, e->text.p, e->text.len);
		text[e->text.len] = '\0';
		count = exact[strtoul(text, NULL, 10)];
		assert_true(e->count >= count);
		assert_true(e->count - e->over <= count);
		assert_true(i == 0 || t->entry[i - 1].count >= e->count);
	}
}

static void counts_are_exact_when_all_fit(void **state)
{
	static uint64_t exact[TEXTS];
	struct cdc_topk t;
	struct cdc_err err;

	(void)state;
	memset(exact, 0, sizeof(exact));
	assert_int_equal(cdc_topk_init(&t, TEXTS, &err), CDC_OK);
	fill(&t, exact, 100000);
	check(&t, exact);
	for (uint32_t i = 0; i < t.n; i++)
		assert_int_equal(t.entry[i].over, 0);
	cdc_topk_free(&t);
}

static void bounds_hold_when_they_do_not(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 7, 64, 500 };

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		static uint64_t exact[TEXTS];
		struct cdc_topk t;
		struct cdc_err err;
		uint64_t sum = 0;

		memset(exact, 0, sizeof(exact));
		assert_int_equal(cdc_topk_init(&t, sizes[s], &err), CDC_OK);
		fill(&t, exact, 50000);
		check(&t, exact);
		assert_int_equal(t.n, sizes[s]);
		/* Each addition raised one count by one. */
		for (uint32_t i = 0; i < t.n; i++)
			sum += t.entry[i].count;
		assert_int_equal(sum, 50000);
		cdc_topk_free(&t);
	}
}

static void numbers_are_in_the_set_once_added(void **state)
{
	static unsigned char seen[100000];
	struct cdc_idset set = CDC_IDSET_INIT;
	struct cdc_err err;
	uint64_t x = 5, count = 0;
	bool was;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		uint32_t k;

		x = x * 6364136223846793005u + 1442695040888963407u;
		k = (uint32_t)(x >> 33) % 100000;
		assert_int_equal(cdc_idset_add(&set, (int64_t)k - 50000, &was, &err), CDC_OK);
		assert_int_equal(was, seen[k]);
		count += !seen[k];
		seen[k] = 1;
		assert_int_equal(set.count, count);
	}
	assert_int_equal(cdc_idset_add(&set, INT64_MAX, &was, &err), CDC_OK);
	assert_false(was);
	assert_int_equal(cdc_idset_add(&set, INT64_MIN, &was, &err), CDC_OK);
	assert_false(was);
	assert_int_equal(cdc_idset_add(&set, INT64_MAX, &was, &err), CDC_OK);
	assert_true(was);
	cdc_idset_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_exact_when_all_fit),
		cmocka_unit_test(bounds_hold_when_they_do_not),
		cmocka_unit_test(numbers_are_in_the_set_once_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
