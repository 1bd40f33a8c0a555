/*
 * Proves which outcomes a filter gives for bounds of columns: tables by hand, and that on bounds of
 * the rows of where_rows.h, exact or loose, no outcome that occurs is ever left out.
 */
#include "where_rows.h"

#include <stdlib.h>

static struct cdc_bounds given[COLUMNS];
static const int *used;

static void give(void *ctx, int column, struct cdc_bounds *b)
{
	(void)ctx;
	*b = given[used[column]];
}

static int64_t held; /* the only value of i that "may be held" */

static bool holds(void *ctx, int column, const union cdc_value *v)
{
	(void)ctx;
	return used[column] != I || v->i == held;
}

static unsigned outcomes(const struct cdc_schema *s, const char *predicate, bool bloom)
{
	const struct cdc_facts facts = { NULL, give, bloom ? holds : NULL };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_where *w;
	struct cdc_filter *f;
	unsigned o;
	int n;

	if (cdc_where_parse(&w, cdc_str_z(predicate), &err) < 0 ||
	    cdc_filter_new(&f, w, s, &err) < 0)
		fail_msg("%s: %s", predicate, err.msg);
	used = cdc_filter_columns(f, &n);
	o = cdc_filter_outcomes(f, &facts);
	cdc_filter_free(f);
	cdc_where_free(w);
	return o;
}

static void know_nothing(void)
{
	for (int i = 0; i < COLUMNS; i++)
		given[i] = (struct cdc_bounds){ .may_be_null = true, .may_have_value = true };
}

struct expectation {
	const char *predicate;
	const char *outcomes; /* those of 0, 1 and ? that can be */
};

static void check(const struct cdc_schema *s, const struct expectation *e, size_t n, bool bloom)
{
	for (size_t i = 0; i < n; i++) {
		unsigned want = (strchr(e[i].outcomes, '0') ? 1u : 0) |
				(strchr(e[i].outcomes, '1') ? 2u : 0) |
				(strchr(e[i].outcomes, '?') ? 4u : 0);
		unsigned got = outcomes(s, e[i].predicate, bloom);

		if (want != got)
			fail_msg("%s: %x, not %x", e[i].predicate, got, want);
	}
}

#define CHECK(s, table, bloom) check(s, table, sizeof(table) / sizeof((table)[0]), bloom)

/* i in 10..20, never null; l in 5.., maybe null; s in b..d; d from 1 up; n is all null. */
static void bounds_by_hand(void **state)
{
	static const struct expectation e[] = {
		{ "i = 9", "0" },
		{ "i = 10", "01" },
		{ "i = 20", "01" },
		{ "i = 21", "0" },
		{ "i <> 21", "1" },
		{ "i < 10", "0" },
		{ "i <= 10", "01" },
		{ "i < 21", "1" },
		{ "i <= 20", "1" },
		{ "i <= 19.5", "01" },
		{ "i > 20", "0" },
		{ "i > 19.5", "01" },
		{ "i >= 10", "1" },
		{ "NOT i >= 10", "0" },
		{ "i BETWEEN 10 AND 20", "1" },
		{ "i NOT BETWEEN 10 AND 20", "0" },
		{ "i BETWEEN 1 AND 9", "0" },
		{ "i IS NULL", "0" },
		{ "i IS NOT NULL", "1" },
		{ "i = 15.5", "0" },
		{ "i = NULL", "?" },
		{ "i IN (1, 9, 21, 30)", "0" },
		{ "i IN (1, 9, 15, 30)", "01" },
		{ "i NOT IN (1, 9, 21)", "1" },
		{ "i IN (1, NULL)", "?" },
		{ "i IN (11, NULL)", "1?" },
		{ "l = 4", "0?" },
		{ "l = 1000000", "01?" },
		{ "l >= 5", "1?" },
		{ "l < 5", "0?" },
		{ "NOT l < 5", "1?" },
		{ "l <=> 4", "0" },
		{ "l IS NULL", "01" },
		{ "l <=> NULL", "01" },
		{ "s < 'b'", "0" },
		{ "s <= 'b'", "01" },
		{ "s > 'd'", "0" },
		{ "s >= 'd'", "01" },
		{ "s = 'd0'", "0" },
		{ "s = 'c'", "01" },
		{ "s IN ('a', 'e')", "0" },
		{ "s >= 'b' AND s <= 'd'", "1" },
		{ "s LIKE 'a%'", "0" },
		{ "s LIKE 'c%'", "01" },
		{ "s LIKE 'd%'", "01" },
		{ "s LIKE 'd_'", "01" },
		{ "s LIKE 'e_'", "0" },
		{ "s LIKE '_x'", "01" },
		{ "d < 1", "0?" },
		{ "d = 'NaN'", "01?" },
		{ "d > 1e300", "01?" },
		{ "d < 'NaN'", "01?" },
		{ "d >= 1", "1?" },
		{ "n = 1", "?" },
		{ "n IS NULL", "1" },
		{ "n <=> 1", "0" },
		{ "n = 1 OR i = 9", "?" },
		{ "n = 1 AND i = 9", "0" },
		{ "n = 1 OR i >= 10", "1" },
		{ "i = 9 OR i = 21", "0" },
		{ "i = 9 OR i = 11", "01" },
		{ "i > 9 AND l >= 5", "1?" },
		{ "(l < 5) IS NULL", "01" },
		{ "(l < 5) IS TRUE", "0" },
		{ "(l < 5) IS NOT TRUE", "1" },
		{ "i = l", "01?" },
		{ "i = n", "?" },
		{ "o", "01?" },
		{ "w > 1e37", "01?" },
	};
	struct cdc_schema s = rows_schema();

	(void)state;
	know_nothing();
	given[I] = (struct cdc_bounds){
		false, true, true, true, { .i = 10 }, { .i = 20 },
	};
	given[L] = (struct cdc_bounds){ true, true, true, false, { .i = 5 }, { .i = 0 } };
	given[S] = (struct cdc_bounds){
		false, true, true, true, { .s = { "b", 1 } }, { .s = { "d", 1 } }
	};
	given[D] = (struct cdc_bounds){ true, true, true, false, { .d = 1 }, { .d = 0 } };
	given[N] = (struct cdc_bounds){ .may_be_null = true };
	CHECK(&s, e, false);
	cdc_schema_free(&s);
}

/* A constant column, as partition columns are: every condition is decided. */
static void constants_are_exact(void **state)
{
	static const struct expectation e[] = {
		{ "i = 7", "1" },
		{ "i <> 7", "0" },
		{ "i IN (1, 7)", "1" },
		{ "i NOT IN (1, 7)", "0" },
		{ "i IN (1, 8, NULL)", "?" },
		{ "s LIKE 'a_c'", "1" },
		{ "s LIKE '%x'", "0" },
		{ "s NOT LIKE 'a%'", "0" },
		{ "s = 'abc' AND i = 7", "1" },
		{ "u IN ('00112233-4455-6677-8899-aabbccddeeff')", "1" },
		{ "u IN ('00112233-4455-6677-8899-aabbccddeefe')", "0" },
		{ "d = 'NaN'", "1" },
		{ "n = 0.07", "1" },
		{ "n > 0.065", "1" },
	};
	struct cdc_schema s = rows_schema();

	(void)state;
	know_nothing();
	given[I] = (struct cdc_bounds){ false, true, true, true, { .i = 7 }, { .i = 7 } };
	given[S] = (struct cdc_bounds){
		false, true, true, true, { .s = { "abc", 3 } }, { .s = { "abc", 3 } }
	};
	given[U] = (struct cdc_bounds){
		false, true, true, true, { .s = u_values[0] }, { .s = u_values[0] }
	};
	given[D] = (struct cdc_bounds){
		false, true, true, true, { .d = (double)NAN }, { .d = (double)NAN }
	};
	given[N] = (struct cdc_bounds){ false, true, true, true, { .dec = 7 }, { .dec = 7 } };
	CHECK(&s, e, false);
	cdc_schema_free(&s);
}

static void values_that_are_not_held(void **state)
{
	static const struct expectation e[] = {
		{ "i = 11", "0?" },
		{ "i = 12", "01?" },
		{ "i <> 11", "1?" },
		{ "i IN (1, 2, 3)", "0?" },
		{ "i IN (1, 12, 30)", "01?" },
		{ "i NOT IN (1, 2)", "1?" },
		{ "i BETWEEN 11 AND 11", "01?" },
		{ "i < 11", "01?" },
		{ "l = 3", "01?" },
	};
	struct cdc_schema s = rows_schema();

	(void)state;
	know_nothing();
	held = 12;
	CHECK(&s, e, true);
	cdc_schema_free(&s);
}

/* ------------------------------------------------------------------ no outcome is lost */

static void bound(int column, uint32_t first, uint32_t n, bool loose)
{
	struct cdc_bounds *b = &given[column];
	static const enum cdc_type as[] = { [I] = CDC_TYPE_INTEGER,
					    [L] = CDC_TYPE_LONG,
					    [D] = CDC_TYPE_DOUBLE,
					    [N] = CDC_TYPE_DECIMAL,
					    [S] = CDC_TYPE_STRING };

	*b = (struct cdc_bounds){ 0 };
	for (uint32_t r = first; r < first + n; r++) {
		union cdc_value v = { .dec = 0 };

		if (!last_null[r]) {
			b->may_be_null = true;
			continue;
		}
		if (column == I)
			v.i = i_values[r];
		else if (column == L)
			v.i = l_values[r];
		else if (column == D)
			v.d = d_values[r];
		else if (column == N)
			v.dec = n_values[r];
		else
			v.s = s_values[r];
		if (!b->may_have_value || cdc_value_cmp(as[column], &v, &b->min) < 0)
			b->min = v;
		if (!b->may_have_value || cdc_value_cmp(as[column], &v, &b->max) > 0)
			b->max = v;
		b->may_have_value = true;
	}
	b->has_min = b->may_have_value && !loose;
	b->has_max = b->may_have_value && column != D;
	b->may_be_null |= loose;
	b->may_have_value |= loose;
}

static void no_outcome_is_lost(void **state)
{
	static const char *const predicates[] = {
		"i = 1",
		"i <> 1",
		"i > 1.5 OR s = 'abc'",
		"NOT (i BETWEEN -4 AND 2)",
		"l IN (10, 1000, NULL)",
		"l NOT IN (10, 1000)",
		"d > 0.5",
		"d = 0",
		"d = 'NaN' AND i = 2",
		"n <= -0.05",
		"n IN (1, -0.05)",
		"s LIKE 'a%'",
		"s NOT LIKE '%b%'",
		"s LIKE 'Zo%' OR s = ''",
		"i <=> NULL OR s <=> 'ABC'",
		"(i = 1 OR l = NULL) IS NOT TRUE",
		"i IS NULL AND NOT (l = 3)",
		"i = l OR d > i",
		"s < 'b' AND (n > 0 OR i IN (2, 3))",
	};
	static const int columns[] = { I, L, D, N, S };
	struct cdc_schema s = rows_schema();
	size_t decided = 0;

	(void)state;
	for (size_t p = 0; p < sizeof(predicates) / sizeof(predicates[0]); p++) {
		char exact[ROWS + 1];

		outcomes_of(&s, predicates[p], exact);
		for (unsigned k = 0; k < 30; k++) {
			uint32_t first = k / 2 % ROWS;
			uint32_t n = 1 + k / 10 % (ROWS - first);
			unsigned o;

			for (size_t c = 0; c < 5; c++)
				bound(columns[c], first, n, k % 2);
			o = outcomes(&s, predicates[p], false);
			decided += o != CDC_OUTCOMES_ALL;
			for (uint32_t r = first; r < first + n; r++) {
				unsigned is = exact[r] == '?' ? 4 : exact[r] == '1' ? 2 : 1;

				if (!(o & is))
					fail_msg("%s on rows %u+%u: %x without row %u, which is %c",
						 predicates[p], first, n, o, r, exact[r]);
			}
		}
	}
	assert_true(decided > 200);
	cdc_schema_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_by_hand),
		cmocka_unit_test(constants_are_exact),
		cmocka_unit_test(values_that_are_not_held),
		cmocka_unit_test(no_outcome_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
