/*
 * Proves base64 (the vectors of RFC 4648 and all lengths), UTF-8 validity (the boundaries of
 * Unicode's table 3-7, at every distance from the 8-byte steps), and option sizes and durations,
 * and the text of a UUID (RFC 9562).
 */
#include "base/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void test_base64_vectors(void **state)
{
	static const struct {
		const char *plain;
		const char *coded;
	} cases[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfd", "//79" },
		{ "\xfb\xef\xbe", "++++" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char out[16];
		size_t n = cdc_base64_encode(cases[i].plain, strlen(cases[i].plain), out);

		assert_int_equal(n, strlen(cases[i].coded));
		assert_memory_equal(out, cases[i].coded, n);
		assert_int_equal(cdc_base64_decode(cdc_str_z(cases[i].coded), out, &n),
				 CDC_PARSE_OK);
		assert_int_equal(n, strlen(cases[i].plain));
		assert_memory_equal(out, cases[i].plain, n);
	}
}

static void test_base64_lengths(void **state)
{
	unsigned char in[259];
	unsigned char back[259];
	char coded[348];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)(i * 167 + 13);
	for (size_t n = 0; n <= sizeof(in); n++) {
		size_t m = cdc_base64_encode(in, n, coded);
		size_t got = 0;

		assert_int_equal(m, (n + 2) / 3 * 4);
		assert_int_equal(cdc_base64_decode(cdc_str(coded, m), back, &got), CDC_PARSE_OK);
		assert_int_equal(got, n);
		assert_memory_equal(back, in, n);
	}
}

static void test_base64_bad(void **state)
{
	static const char *const bad[] = {
		"Z",	"Zg",	    "Zg=",  "Zg==Zg==", "Z===",	    "====", "Zm9 ",
		"Zm-v", "Zm9vZm_v", "Zh==", "Zm9=",	"Zm9vY=g=", "=m9v", "Zg==\n"
	};
	char out[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (cdc_base64_decode(cdc_str_z(bad[i]), out, &n) != CDC_PARSE_SYNTAX)
			fail_msg("%s", bad[i]);
}

/* Is `s` judged valid wherever it stands in a longer text? The buffer ends where the text ends. */
static void check_utf8(struct cdc_str s, bool valid)
{
	for (size_t before = 0; before < 20; before++) {
		for (size_t after = 0; after < 12; after++) {
			size_t n = before + s.n + after;
			char *p = malloc(n);

			assert_non_null(p);
			memset(p, 'x', n);
			memcpy(p + before, s.p, s.n);
			if (cdc_utf8_valid(p, n) != valid)
				fail_msg("%02x %02x at %zu", (unsigned char)s.p[0],
					 (unsigned char)s.p[s.n - 1], before);
			free(p);
		}
	}
}

static void test_utf8_boundaries(void **state)
{
	static const struct cdc_str good[] = {
		{ "\0", 1 },
		{ "\x7f", 1 },
		{ "\xc2\x80", 2 },
		{ "\xdf\xbf", 2 },
		{ "\xe0\xa0\x80", 3 },
		{ "\xec\xbf\xbf", 3 },
		{ "\xed\x9f\xbf", 3 },
		{ "\xee\x80\x80", 3 },
		{ "\xef\xbf\xbf", 3 },
		{ "\xf0\x90\x80\x80", 4 },
		{ "\xf3\xbf\xbf\xbf", 4 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "\xe4\xb8\xad\xe6\x96\x87", 6 },
	};
	static const struct cdc_str bad[] = {
		{ "\x80", 1 },
		{ "\xbf", 1 },
		{ "\xc0\x80", 2 },
		{ "\xc1\xbf", 2 },
		{ "\xc2", 1 },
		{ "\xc2\x41", 2 },
		{ "\xe0\x9f\xbf", 3 },
		{ "\xe0\xa0", 2 },
		{ "\xed\xa0\x80", 3 },
		{ "\xed\xbf\xbf", 3 },
		{ "\xe1\x80\x41", 3 },
		{ "\xf0\x8f\xbf\xbf", 4 },
		{ "\xf4\x90\x80\x80", 4 },
		{ "\xf1\x80\x80", 3 },
		{ "\xf1\x80\x80\x41", 4 },
		{ "\xf5\x80\x80\x80", 4 },
		{ "\xf8\x88\x80\x80\x80", 5 },
		{ "\xfe", 1 },
		{ "\xff", 1 },
	};

	(void)state;
	assert_true(cdc_utf8_valid(NULL, 0));
	for (size_t i = 0; i < COUNT_OF(good); i++)
		check_utf8(good[i], true);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		check_utf8(bad[i], false);
}

static void test_utf8_prefix(void **state)
{
	static const char text[] = "a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80z";
	static const size_t expected[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11 };

	(void)state;
	for (size_t max = 0; max < COUNT_OF(expected); max++)
		assert_int_equal(cdc_utf8_prefix(text, sizeof(text) - 1, max), expected[max]);
	/* Not UTF-8: cut anywhere, but go on. */
	assert_int_equal(cdc_utf8_prefix("\x80\x80\x80\x80\x80\x80\x80\x80", 8, 6), 6);
	assert_int_equal(cdc_utf8_prefix("x\xf0\x80\x80\x80\x80z", 7, 5), 5);
}

static void test_uuid(void **state)
{
	char out[CDC_VALUE_TEXT_MAX + 1];
	size_t n = cdc_uuid_format(
		"\xf2\x4f\x9b\x64\x81\xfa\x49\xd1\xb7\x4e\x8c\x09\xa6\xe3\x1c\x56", out);

	(void)state;
	assert_int_equal(n, 36);
	assert_memory_equal(out, "f24f9b64-81fa-49d1-b74e-8c09a6e31c56", 36);
}

static void test_size(void **state)
{
	static const struct {
		const char *text;
		enum cdc_parse rc;
		uint64_t v;
	} cases[] = {
		{ "1000", CDC_PARSE_OK, 1000 },
		{ "0", CDC_PARSE_OK, 0 },
		{ "64K", CDC_PARSE_OK, 65536 },
		{ "256MiB", CDC_PARSE_OK, 268435456 },
		{ "256mb", CDC_PARSE_OK, 268435456 },
		{ "1g", CDC_PARSE_OK, 1073741824 },
		{ "2T", CDC_PARSE_OK, UINT64_C(2199023255552) },
		{ "512B", CDC_PARSE_OK, 512 },
		{ "16777215T", CDC_PARSE_OK, UINT64_C(18446742974197923840) },
		{ "16777216T", CDC_PARSE_RANGE, 0 },
		{ "99999999999999999999", CDC_PARSE_RANGE, 0 },
		{ "", CDC_PARSE_SYNTAX, 0 },
		{ "K", CDC_PARSE_SYNTAX, 0 },
		{ "-1", CDC_PARSE_SYNTAX, 0 },
		{ "1.5G", CDC_PARSE_SYNTAX, 0 },
		{ "1 K", CDC_PARSE_SYNTAX, 0 },
		{ "1Kx", CDC_PARSE_SYNTAX, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t v = 0;

		if (cdc_size_parse(cdc_str_z(cases[i].text), &v) != cases[i].rc)
			fail_msg("%s", cases[i].text);
		if (cases[i].rc == CDC_PARSE_OK)
			assert_true(v == cases[i].v);
	}
}

static void test_duration(void **state)
{
	static const struct {
		const char *text;
		uint64_t v;
	} cases[] = {
		{ "90", 90 },	  { "90s", 90 },     { "5m", 300 },    { "12h", 43200 },
		{ "7d", 604800 }, { "2w", 1209600 }, { "7D", 604800 },
	};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(cdc_duration_parse(cdc_str_z(cases[i].text), &v), CDC_PARSE_OK);
		assert_true(v == cases[i].v);
	}
	assert_int_equal(cdc_duration_parse(CDC_STR("7y"), &v), CDC_PARSE_SYNTAX);
	assert_int_equal(cdc_duration_parse(CDC_STR("d"), &v), CDC_PARSE_SYNTAX);
	assert_int_equal(cdc_duration_parse(CDC_STR("18446744073709551615w"), &v), CDC_PARSE_RANGE);
}

static void test_ieq(void **state)
{
	(void)state;
	assert_true(cdc_str_ieq(CDC_STR("SaleS_1"), CDC_STR("sALEs_1")));
	assert_false(cdc_str_ieq(CDC_STR("sales"), CDC_STR("sale")));
	/* '[' and '{' differ by the bit that tells cases apart, and so do these two letters. */
	assert_false(cdc_str_ieq(CDC_STR("["), CDC_STR("{")));
	assert_false(cdc_str_ieq(CDC_STR("\xc3\x89"), CDC_STR("\xc3\xa9")));
	assert_true(cdc_str_ieq(cdc_str(NULL, 0), CDC_STR("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64_vectors), cmocka_unit_test(test_base64_lengths),
		cmocka_unit_test(test_base64_bad),     cmocka_unit_test(test_utf8_boundaries),
		cmocka_unit_test(test_utf8_prefix),    cmocka_unit_test(test_size),
		cmocka_unit_test(test_duration),       cmocka_unit_test(test_ieq),
		cmocka_unit_test(test_uuid),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
