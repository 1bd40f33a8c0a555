/*
 * Proves that the scanner accepts what jansson accepts and finds the same values there, over two
 * hundred thousand change records that were damaged at random (the same ones every time). The ways
 * in which the two are known to differ are listed in json_oracle.h.
 */
#include "tests/bench/records.h"
#include "tests/fuzz/json_oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CASES 200000

static const struct cdc_str pieces[] = {
#define S(literal)                                                                                 \
	{                                                                                          \
		(literal), sizeof(literal) - 1                                                     \
	}
	S("\""),
	S("\\"),
	S("\\\""),
	S("\\\\"),
	S("\\n"),
	S("\\u0041"),
	S("\\u00e9"),
	S("\\u0000"),
	S("\\ud83d\\ude39"),
	S("\\ud83d"),
	S("\\ude39"),
	S("\\uD8"),
	S("\\x"),
	S("\\/"),
	S("\x01"),
	S("\n"),
	S("\t"),
	S("\0"),
	S("\x7f"),
	S("\x80"),
	S("\xc3\xa9"),
	S("\xc3"),
	S("\xc0\xaf"),
	S("\xe9\x9b\xb7"),
	S("\xe9\x9b"),
	S("\xed\xa0\x80"),
	S("\xf0\x9f\x98\xb9"),
	S("\xf0\x9f\x98"),
	S("\xf4\x90\x80\x80"),
	S("\xff"),
	S("{"),
	S("}"),
	S("["),
	S("]"),
	S(","),
	S(":"),
	S(" "),
	S("[]"),
	S("{}"),
	S("[[]]"),
	S("{\"a\":1}"),
	S("\"\""),
	S("\"x\""),
	S(",\"a\":1"),
	S("null"),
	S("true"),
	S("false"),
	S("nul"),
	S("TRUE"),
	S("0"),
	S("-"),
	S("-0"),
	S("01"),
	S("1.5"),
	S("1."),
	S("0e1"),
	S("1e400"),
	S("-1E-400"),
	S("12345678901234567890123"),
	S("9223372036854775807"),
	S("9223372036854775808"),
	S("1.7976931348623159e308"),
	S("+1"),
	S(".5"),
	S("1e"),
	S("0x1"),
	S("\xef\xbb\xbf"),
	S("/**/"),
	S("'"),
#undef S
};

static uint64_t state_of_mutations = 20240101;

static uint64_t random_below(uint64_t n)
{
	state_of_mutations += UINT64_C(0x9e3779b97f4a7c15);
	return (gen_mix(state_of_mutations) >> 32) * n >> 32;
}

/* Replace `cut` bytes at `at` by `s`. */
static size_t splice(char *p, size_t n, size_t at, size_t cut, struct cdc_str s)
{
	if (cut > n - at)
		cut = n - at;
	memmove(p + at + s.n, p + at + cut, n - at - cut);
	memcpy(p + at, s.p, s.n);
	return n - cut + s.n;
}

static size_t mutate(char *p, size_t n)
{
	char copy[32];
	size_t at = random_below(n + 1);
	size_t len;

	switch (random_below(8)) {
	case 0: /* any byte */
		copy[0] = (char)random_below(256);
		return splice(p, n, at, random_below(2), cdc_str(copy, 1));
	case 1: /* a hole */
		return splice(p, n, at, 1 + random_below(6), cdc_str("", 0));
	case 2: /* cut short */
		return random_below(8) == 0 ? at : n;
	case 3: /* a run of the text elsewhere */
		len = random_below(sizeof(copy));
		if (len > n - at)
			len = n - at;
		memcpy(copy, p + at, len);
		return splice(p, n, random_below(n + 1), 0, cdc_str(copy, len));
	default:
		return splice(p, n, at, random_below(4),
			      pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))]);
	}
}

/* In the place of a value or inside a string more of the damaged texts stay valid. */
static size_t mutate_value(char *p, size_t n)
{
	size_t start = random_below(n);
	const char *quote = memchr(p + start, '"', n - start);
	size_t at = quote ? (size_t)(quote - p) + random_below(2) : start;

	return splice(p, n, at, 0, pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))]);
}

static void damaged_records(void **state)
{
	static const struct gen_options opt = { .seed = 7,
						.keys = 500,
						.insert = 2,
						.update = 5,
						.del = 2,
						.move_percent = 10,
						.bytes = 500,
						.full = true,
						.topic = "t",
						.partitions = 3 };
	static struct gen g;
	static char text[GEN_LINE_MAX + 4096];
	struct cdc_tape t = CDC_TAPE_INIT;
	unsigned count[WRONG + 1] = { 0 };

	(void)state;
	assert_true(gen_open(&g, &opt, CASES));
	for (unsigned i = 0; i < CASES; i++) {
		struct cdc_err err = CDC_ERR_INIT;
		size_t n = (size_t)(gen_record(&g, text) - text);
		uint64_t times = random_below(4);
		enum verdict v;
		char *exact;

		while (times-- > 0 && n > 0)
			n = random_below(2) ? mutate(text, n) : mutate_value(text, n);
		exact = malloc(n + 1);
		assert_non_null(exact);
		memcpy(exact, text, n);
		v = json_verdict(&t, cdc_str(exact, n), &err);
		count[v]++;
		if (v == WRONG)
			fail_msg("case %u: %s: %.*s", i, err.msg, (int)n, exact);
		free(exact);
	}
	print_message("%u accepted, %u refused, %u known differences\n", count[BOTH_ACCEPT],
		      count[BOTH_REFUSE], count[KNOWN_DIFFERENCE]);
	/* the damage must be such that every way is taken */
	assert_true(count[BOTH_ACCEPT] > CASES / 10);
	assert_true(count[BOTH_REFUSE] > CASES / 10);
	assert_in_range(count[KNOWN_DIFFERENCE], 1, CASES / 20);
	gen_close(&g);
	cdc_tape_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
