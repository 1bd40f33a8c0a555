/*
 * Proves that numbers, decimals, floats, dates and timestamps convert to text and back exactly:
 * against vectors that Python worked out, by hand at the edges, and by round trips over random
 * values.
 */
#include "base/value.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "value_vectors.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* A printer's output as a C string, for messages that show both sides. */
static const char *z(char *out, size_t n)
{
	assert_true(n <= CDC_VALUE_TEXT_MAX);
	out[n] = '\0';
	return out;
}

static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

static double double_of(uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static uint64_t bits_of(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

static float float_of(uint32_t bits)
{
	float v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static void test_int(void **state)
{
	static const struct {
		const char *text;
		enum cdc_parse rc;
		int64_t v;
	} cases[] = {
		{ "0", CDC_PARSE_OK, 0 },
		{ "-0", CDC_PARSE_OK, 0 },
		{ "+7", CDC_PARSE_OK, 7 },
		{ "007", CDC_PARSE_OK, 7 },
		{ "323.0", CDC_PARSE_OK, 323 },
		{ "1e3", CDC_PARSE_OK, 1000 },
		{ "1.5E1", CDC_PARSE_OK, 15 },
		{ "100e-2", CDC_PARSE_OK, 1 },
		{ "0e999999999999999999999", CDC_PARSE_OK, 0 },
		{ "9223372036854775807", CDC_PARSE_OK, INT64_MAX },
		{ "-9223372036854775808", CDC_PARSE_OK, INT64_MIN },
		{ "0000000000000000000000000000000000000000000042", CDC_PARSE_OK, 42 },
		{ "9223372036854775808", CDC_PARSE_RANGE, 0 },
		{ "-9223372036854775809", CDC_PARSE_RANGE, 0 },
		{ "1e19", CDC_PARSE_RANGE, 0 },
		{ "1e999999999999999999999", CDC_PARSE_RANGE, 0 },
		{ "1.5", CDC_PARSE_INEXACT, 0 },
		{ "1e-1", CDC_PARSE_INEXACT, 0 },
		{ "1e-999999999999999999999", CDC_PARSE_INEXACT, 0 },
		{ "", CDC_PARSE_SYNTAX, 0 },
		{ "-", CDC_PARSE_SYNTAX, 0 },
		{ "+-1", CDC_PARSE_SYNTAX, 0 },
		{ " 1", CDC_PARSE_SYNTAX, 0 },
		{ "1 ", CDC_PARSE_SYNTAX, 0 },
		{ "1x", CDC_PARSE_SYNTAX, 0 },
		{ "0x10", CDC_PARSE_SYNTAX, 0 },
		{ "1e", CDC_PARSE_SYNTAX, 0 },
		{ "1e+", CDC_PARSE_SYNTAX, 0 },
		{ "e1", CDC_PARSE_SYNTAX, 0 },
		{ ".", CDC_PARSE_SYNTAX, 0 },
		{ "1.2.3", CDC_PARSE_SYNTAX, 0 },
		{ "1_000", CDC_PARSE_SYNTAX, 0 },
		{ "99999999999999999999x", CDC_PARSE_SYNTAX, 0 },
	};
	char out[CDC_VALUE_TEXT_MAX + 1];
	uint64_t u = 0;
	int64_t v;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		v = 0;
		assert_int_equal(cdc_int64_parse(cdc_str_z(cases[i].text), &v), cases[i].rc);
		assert_int_equal(v, cases[i].v);
	}
	assert_int_equal(cdc_uint64_parse(CDC_STR("18446744073709551615"), &u), CDC_PARSE_OK);
	assert_true(u == UINT64_MAX);
	assert_int_equal(cdc_uint64_parse(CDC_STR("18446744073709551616"), &u), CDC_PARSE_RANGE);
	assert_int_equal(cdc_uint64_parse(CDC_STR("-1"), &u), CDC_PARSE_RANGE);
	assert_int_equal(cdc_uint64_parse(CDC_STR("-0"), &u), CDC_PARSE_OK);
	assert_true(u == 0);
	assert_int_equal(cdc_int64_parse(cdc_str("12345", 3), &v), CDC_PARSE_OK);
	assert_int_equal(v, 123);
	assert_string_equal(z(out, cdc_int64_format(INT64_MIN, out)), "-9223372036854775808");
	assert_string_equal(z(out, cdc_uint64_format(UINT64_MAX, out)), "18446744073709551615");
	assert_string_equal(z(out, cdc_int64_format(0, out)), "0");
}

static void test_int_lengths(void **state)
{
	char out[CDC_VALUE_TEXT_MAX + 1];
	char expected[32];
	uint64_t p = 1;

	(void)state;
	/* Around every power of ten, where the digit count changes. */
	for (int n = 0; n < 20; n++, p *= 10) {
		for (uint64_t v = p - 1; v <= p + 1; v++) {
			uint64_t back;

			snprintf(expected, sizeof(expected), "%llu", (unsigned long long)v);
			assert_string_equal(z(out, cdc_uint64_format(v, out)), expected);
			assert_int_equal(cdc_uint64_parse(cdc_str_z(out), &back), CDC_PARSE_OK);
			assert_true(back == v);
		}
	}
}

static void test_decimal_vectors(void **state)
{
	char out[CDC_VALUE_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(decimal_vectors); i++) {
		int scale = decimal_vectors[i].scale;
		cdc_i128 v = 0;
		enum cdc_parse rc = cdc_decimal_parse(cdc_str_z(decimal_vectors[i].text),
						      decimal_vectors[i].precision, scale, &v);

		if (rc != decimal_vectors[i].rc)
			fail_msg("%s as decimal(%d,%d): %d", decimal_vectors[i].text,
				 decimal_vectors[i].precision, scale, (int)rc);
		if (rc != CDC_PARSE_OK)
			continue;
		assert_string_equal(z(out, cdc_decimal_format(v, scale, out)),
				    decimal_vectors[i].plain);
	}
}

static void test_decimal_edges(void **state)
{
	static const char most[] = "99999999999999999999999999999999999999";
	char out[CDC_VALUE_TEXT_MAX + 1];
	cdc_u128 smallest = (cdc_u128)1 << 127;
	cdc_i128 v;

	(void)state;
	assert_int_equal(cdc_decimal_parse(cdc_str_z(most), 38, 0, &v), CDC_PARSE_OK);
	assert_string_equal(z(out, cdc_decimal_format(v, 0, out)), most);
	assert_string_equal(z(out, cdc_decimal_format(-v, 38, out)),
			    "-0.99999999999999999999999999999999999999");
	assert_int_equal(cdc_decimal_parse(CDC_STR("1e38"), 38, 0, &v), CDC_PARSE_RANGE);
	assert_int_equal(cdc_decimal_parse(CDC_STR("100000.00"), 7, 2, &v), CDC_PARSE_RANGE);
	assert_int_equal(cdc_decimal_parse(CDC_STR("99999.99"), 7, 2, &v), CDC_PARSE_OK);
	assert_true(v == 9999999);
	assert_int_equal(cdc_decimal_parse(CDC_STR("323.001"), 7, 2, &v), CDC_PARSE_INEXACT);
	assert_int_equal(cdc_decimal_parse(CDC_STR("323.00000"), 7, 2, &v), CDC_PARSE_OK);
	assert_true(v == 32300);
	assert_int_equal(cdc_decimal_parse(CDC_STR("1.0E4"), 7, 2, &v), CDC_PARSE_OK);
	assert_true(v == 1000000);
	assert_int_equal(cdc_decimal_parse(CDC_STR(".5"), 7, 2, &v), CDC_PARSE_OK);
	assert_true(v == 50);
	assert_int_equal(cdc_decimal_parse(CDC_STR("5."), 7, 2, &v), CDC_PARSE_OK);
	assert_true(v == 500);
	assert_int_equal(cdc_decimal_parse(CDC_STR("-0.00"), 7, 2, &v), CDC_PARSE_OK);
	assert_true(v == 0);
	assert_int_equal(cdc_decimal_parse(CDC_STR("NaN"), 7, 2, &v), CDC_PARSE_SYNTAX);
	assert_int_equal(cdc_decimal_parse(CDC_STR("1,5"), 7, 2, &v), CDC_PARSE_SYNTAX);
	assert_int_equal(cdc_decimal_parse(CDC_STR(""), 7, 2, &v), CDC_PARSE_SYNTAX);
	assert_string_equal(z(out, cdc_decimal_format(-5, 2, out)), "-0.05");
	assert_string_equal(z(out, cdc_decimal_format(32300, 2, out)), "323.00");
	assert_string_equal(z(out, cdc_decimal_format(0, 3, out)), "0.000");
	assert_string_equal(z(out, cdc_decimal_format((cdc_i128)smallest, 0, out)),
			    "-170141183460469231731687303715884105728");
}

static void test_double_vectors(void **state)
{
	char out[CDC_VALUE_TEXT_MAX + 1];
	double v = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(double_vectors); i++) {
		size_t n = cdc_double_format(double_of(double_vectors[i].bits), out);

		assert_string_equal(z(out, n), double_vectors[i].text);
		assert_int_equal(cdc_double_parse(cdc_str_z(out), &v), CDC_PARSE_OK);
		assert_true(bits_of(v) == double_vectors[i].bits);
	}
	for (size_t i = 0; i < COUNT_OF(midpoint_vectors); i++) {
		assert_int_equal(cdc_double_parse(cdc_str_z(midpoint_vectors[i].text), &v),
				 CDC_PARSE_OK);
		if (bits_of(v) != midpoint_vectors[i].bits)
			fail_msg("%s: %a", midpoint_vectors[i].text, v);
	}
}

static void test_float_vectors(void **state)
{
	char out[CDC_VALUE_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(float_vectors); i++) {
		float v = float_of(float_vectors[i].bits);
		float back = 0;

		assert_string_equal(z(out, cdc_float_format(v, out)), float_vectors[i].text);
		assert_int_equal(cdc_float_parse(cdc_str_z(out), &back), CDC_PARSE_OK);
		assert_memory_equal(&back, &v, sizeof(v));
	}
}

static void test_float_special(void **state)
{
	static const struct {
		const char *text;
		double v;
		const char *printed;
	} cases[] = {
		{ "Infinity", HUGE_VAL, "Infinity" },
		{ "+infinity", HUGE_VAL, "Infinity" },
		{ "-INF", -HUGE_VAL, "-Infinity" },
		{ "0", 0.0, "0.0" },
		{ "-0.0", -0.0, "-0.0" },
		{ "4", 4.0, "4.0" },
		{ "1e10", 1e10, "1.0E10" },
		{ "0.00001", 1e-5, "1.0E-5" },
		{ "1e-999999999999999999999", 0.0, "0.0" },
		{ "0e999999999999999999999", 0.0, "0.0" },
		{ "1.7976931348623157e308", DBL_MAX, "1.7976931348623157E308" },
	};
	char out[CDC_VALUE_TEXT_MAX + 1];
	float f = 0;
	double v = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(cdc_double_parse(cdc_str_z(cases[i].text), &v), CDC_PARSE_OK);
		assert_true(bits_of(v) == bits_of(cases[i].v));
		assert_string_equal(z(out, cdc_double_format(v, out)), cases[i].printed);
	}
	assert_int_equal(cdc_double_parse(CDC_STR("nan"), &v), CDC_PARSE_OK);
	assert_string_equal(z(out, cdc_double_format(v, out)), "NaN");
	assert_int_equal(cdc_double_parse(CDC_STR("1e309"), &v), CDC_PARSE_RANGE);
	assert_int_equal(cdc_double_parse(CDC_STR("-1e999999999999999999999"), &v),
			 CDC_PARSE_RANGE);
	assert_int_equal(cdc_float_parse(CDC_STR("3.5e38"), &f), CDC_PARSE_RANGE);
	assert_int_equal(cdc_float_parse(CDC_STR("-Infinity"), &f), CDC_PARSE_OK);
	assert_string_equal(z(out, cdc_float_format(f, out)), "-Infinity");
	/* Halfway for float, but a hair over it in double: rounding twice would go down. */
	assert_int_equal(cdc_float_parse(CDC_STR("1.00000005960464477540"), &f), CDC_PARSE_OK);
	assert_true(f > 1.0F);
	assert_int_equal(cdc_double_parse(CDC_STR("-nan"), &v), CDC_PARSE_SYNTAX);
	assert_int_equal(cdc_double_parse(CDC_STR("0x1p3"), &v), CDC_PARSE_SYNTAX);
	assert_int_equal(cdc_double_parse(CDC_STR("infinit"), &v), CDC_PARSE_SYNTAX);
	assert_int_equal(cdc_double_parse(CDC_STR(""), &v), CDC_PARSE_SYNTAX);
	assert_int_equal(cdc_double_parse(CDC_STR("1.5 "), &v), CDC_PARSE_SYNTAX);
}

static void test_float_long(void **state)
{
	char text[3000];
	double v = 0;

	(void)state;
	/* 2^53 + 1 is half way; a one after 2900 zeros tips it. */
	memset(text, '0', sizeof(text));
	memcpy(text, "9007199254740993.", 17);
	assert_int_equal(cdc_double_parse(cdc_str(text, sizeof(text)), &v), CDC_PARSE_OK);
	assert_true(v == 9007199254740992.0);
	text[sizeof(text) - 1] = '1';
	assert_int_equal(cdc_double_parse(cdc_str(text, sizeof(text)), &v), CDC_PARSE_OK);
	assert_true(v == 9007199254740994.0);
}

static void test_float_round_trip(void **state)
{
	char out[CDC_VALUE_TEXT_MAX + 1];
	uint64_t seed = 88172645463325252;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = next_random(&seed);
		double v = double_of(bits);
		float f = float_of((uint32_t)bits);
		double v_back = 0;
		float f_back = 0;

		if (isfinite(v)) {
			size_t n = cdc_double_format(v, out);

			assert_int_equal(cdc_double_parse(cdc_str(out, n), &v_back), CDC_PARSE_OK);
			assert_true(bits_of(v_back) == bits);
		}
		if (isfinite(f)) {
			size_t n = cdc_float_format(f, out);

			assert_int_equal(cdc_float_parse(cdc_str(out, n), &f_back), CDC_PARSE_OK);
			assert_memory_equal(&f_back, &f, sizeof(f));
		}
	}
}

static void test_float_locale(void **state)
{
	static const char *const commas[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE",
					      "cs_CZ.UTF-8" };
	char out[CDC_VALUE_TEXT_MAX + 1];
	bool found = false;
	double v = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(commas) && !found; i++)
		found = setlocale(LC_ALL, commas[i]) != NULL;
	if (!found)
		skip();
	assert_string_equal(z(out, cdc_double_format(0.1 + 0.2, out)), "0.30000000000000004");
	assert_int_equal(cdc_double_parse(CDC_STR("0.30000000000000004"), &v), CDC_PARSE_OK);
	assert_true(bits_of(v) == bits_of(0.1 + 0.2));
	setlocale(LC_ALL, "C");
}

static void test_bool(void **state)
{
	static const char *const yes[] = { "true", "TRUE", "t", "T", "1", "b'1'", "B'1'" };
	static const char *const no[] = { "false", "False", "f", "0", "b'0'" };
	static const char *const bad[] = { "", "yes", "2", "tru", "b'2'", "b''", "01" };
	bool v;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(yes); i++) {
		v = false;
		assert_int_equal(cdc_bool_parse(cdc_str_z(yes[i]), &v), CDC_PARSE_OK);
		assert_true(v);
	}
	for (size_t i = 0; i < COUNT_OF(no); i++) {
		v = true;
		assert_int_equal(cdc_bool_parse(cdc_str_z(no[i]), &v), CDC_PARSE_OK);
		assert_false(v);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(cdc_bool_parse(cdc_str_z(bad[i]), &v), CDC_PARSE_SYNTAX);
}

static void test_calendar(void **state)
{
	int64_t days = cdc_days_from_civil(-401, 1, 1);
	int64_t last_year = -402;
	int last_month = 12;
	int last_day = 31;

	(void)state;
	assert_int_equal(cdc_days_from_civil(1970, 1, 1), 0);
	assert_int_equal(cdc_days_from_civil(2019, 11, 14), 18214);
	assert_int_equal(cdc_days_from_civil(0, 1, 1), -719528);
	/* Every day of 1,200 years: back and forth, and each the successor of the one before. */
	for (; days < cdc_days_from_civil(800, 1, 1); days++) {
		int64_t year;
		int month;
		int day;

		cdc_civil_from_days(days, &year, &month, &day);
		assert_int_equal(cdc_days_from_civil(year, month, day), days);
		if (day == 1) {
			assert_true(last_day >= 28 && month == last_month % 12 + 1);
			assert_int_equal(year, last_year + (month == 1));
		} else {
			assert_true(day == last_day + 1 && month == last_month);
		}
		last_year = year;
		last_month = month;
		last_day = day;
	}
}

static void test_date(void **state)
{
	static const struct {
		const char *text;
		enum cdc_parse rc;
		int32_t days;
	} cases[] = {
		{ "1970-01-01", CDC_PARSE_OK, 0 },
		{ "2019-11-14", CDC_PARSE_OK, 18214 },
		{ "2019-11-14 00:00:00", CDC_PARSE_OK, 18214 },
		{ "2019-11-14T00:00:00.000", CDC_PARSE_OK, 18214 },
		{ "2000-02-29", CDC_PARSE_OK, 11016 },
		{ "0000-01-01", CDC_PARSE_OK, -719528 },
		{ "9999-12-31", CDC_PARSE_OK, 2932896 },
		{ "2019-11-14 00:00:01", CDC_PARSE_INEXACT, 0 },
		{ "2019-11-14 00:00:00.000000001", CDC_PARSE_INEXACT, 0 },
		{ "1900-02-29", CDC_PARSE_RANGE, 0 },
		{ "2019-02-30", CDC_PARSE_RANGE, 0 },
		{ "2019-13-01", CDC_PARSE_RANGE, 0 },
		{ "0000-00-00", CDC_PARSE_RANGE, 0 },
		{ "2019-11-14 24:00:00", CDC_PARSE_RANGE, 0 },
		{ "", CDC_PARSE_SYNTAX, 0 },
		{ "2019-11-1", CDC_PARSE_SYNTAX, 0 },
		{ "2019/11/14", CDC_PARSE_SYNTAX, 0 },
		{ "20191114", CDC_PARSE_SYNTAX, 0 },
		{ "2019-11-14 ", CDC_PARSE_SYNTAX, 0 },
		{ "2019-11-14Z", CDC_PARSE_SYNTAX, 0 },
		{ "2019-11-14 00:00:00Z", CDC_PARSE_SYNTAX, 0 },
		{ "10000-01-01", CDC_PARSE_OK, 2932897 },
		{ "+10000-01-01", CDC_PARSE_OK, 2932897 },
		{ "-0001-12-31", CDC_PARSE_OK, -719529 },
		{ "-0004-02-29", CDC_PARSE_OK, -720930 },
		{ "-0001-02-29", CDC_PARSE_RANGE, 0 },
		{ "+5881580-07-11", CDC_PARSE_OK, INT32_MAX },
		{ "+5881580-07-12", CDC_PARSE_RANGE, 0 },
		{ "-5877641-06-23", CDC_PARSE_OK, INT32_MIN },
		{ "-5877641-06-22", CDC_PARSE_RANGE, 0 },
		{ "+12345678-01-01", CDC_PARSE_SYNTAX, 0 },
		{ "-001-01-01", CDC_PARSE_SYNTAX, 0 },
		{ "+-2019-11-14", CDC_PARSE_SYNTAX, 0 },
	};
	char out[CDC_VALUE_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int32_t days = 0;

		if (cdc_date_parse(cdc_str_z(cases[i].text), &days) != cases[i].rc)
			fail_msg("%s", cases[i].text);
		assert_int_equal(days, cases[i].days);
	}
	assert_string_equal(z(out, cdc_date_format(2932897, out)), "+10000-01-01");
	assert_string_equal(z(out, cdc_date_format(-719529, out)), "-0001-12-31");
	assert_string_equal(z(out, cdc_date_format(INT32_MAX, out)), "+5881580-07-11");
	assert_string_equal(z(out, cdc_date_format(INT32_MIN, out)), "-5877641-06-23");
}

static void test_timestamp_vectors(void **state)
{
	char out[CDC_VALUE_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(timestamp_vectors); i++) {
		const char *text = timestamp_vectors[i].text;
		int64_t us = 0;
		int32_t days = 0;
		bool zone = true;
		size_t n;

		assert_int_equal(cdc_timestamp_parse(cdc_str_z(text), false, &us, &zone),
				 CDC_PARSE_OK);
		assert_int_equal(us, timestamp_vectors[i].us);
		assert_false(zone);
		n = cdc_timestamp_format(timestamp_vectors[i].us, ' ', false, out);
		assert_string_equal(z(out, n), text);
		assert_int_equal(cdc_date_parse(cdc_str(text, 10), &days), CDC_PARSE_OK);
		assert_int_equal(days, timestamp_vectors[i].days);
		assert_memory_equal(z(out, cdc_date_format(days, out)), text, 11 - 1);
	}
}

static void test_timestamp_forms(void **state)
{
	static const struct {
		const char *text;
		bool epoch;
		enum cdc_parse rc;
		int64_t us;
		bool zone;
	} cases[] = {
		{ "2019-11-14T03:11:05.120Z", false, CDC_PARSE_OK, 1573701065120000, true },
		{ "2019-11-14 11:11:05.12+08:00", false, CDC_PARSE_OK, 1573701065120000, true },
		{ "2019-11-14T11:11:05.12+0800", false, CDC_PARSE_OK, 1573701065120000, true },
		{ "2019-11-13 21:41:05.12-05:30", false, CDC_PARSE_OK, 1573701065120000, true },
		{ "2019-11-14 03:11:05.12+00", false, CDC_PARSE_OK, 1573701065120000, true },
		{ "1900-01-01 08:05:43+08:05:43", false, CDC_PARSE_OK, -2208988800000000, true },
		{ "1970-01-01", false, CDC_PARSE_OK, 0, false },
		{ "1970-01-01T00:01", false, CDC_PARSE_OK, 60000000, false },
		{ "1970-01-01 00:00:00.000001000", false, CDC_PARSE_OK, 1, false },
		{ "1970-01-01 00:00:00.000000001", false, CDC_PARSE_INEXACT, 0, false },
		{ "1970-01-01 00:00:00.0000000000", false, CDC_PARSE_SYNTAX, 0, false },
		{ "1970-01-01 00:00:60", false, CDC_PARSE_RANGE, 0, false },
		{ "1970-01-01 24:00:00", false, CDC_PARSE_RANGE, 0, false },
		{ "1970-01-01 00:00:00+19:00", false, CDC_PARSE_RANGE, 0, false },
		{ "1970-01-01 00:00:00.", false, CDC_PARSE_SYNTAX, 0, false },
		{ "1970-01-01 00:00:00+", false, CDC_PARSE_SYNTAX, 0, false },
		{ "1970-01-01 00:00:00+08:", false, CDC_PARSE_SYNTAX, 0, false },
		{ "1970-01-01 00:00:00+08:0", false, CDC_PARSE_SYNTAX, 0, false },
		{ "1970-01-01 00:00:00+08:00:", false, CDC_PARSE_SYNTAX, 0, false },
		{ "1970-01-01 00:00:00ZZ", false, CDC_PARSE_SYNTAX, 0, false },
		{ "1970-01-01 00:00:00 Z", false, CDC_PARSE_SYNTAX, 0, false },
		{ "1970-01-01 00", false, CDC_PARSE_SYNTAX, 0, false },
		{ "1573701065", false, CDC_PARSE_SYNTAX, 0, false },
		{ "1573701065", true, CDC_PARSE_OK, 1573701065000000, true },
		{ "1573701065.12", true, CDC_PARSE_OK, 1573701065120000, true },
		{ "-1.5", true, CDC_PARSE_OK, -1500000, true },
		{ "1970-01-01", true, CDC_PARSE_OK, 0, false },
		{ "1.0000001", true, CDC_PARSE_INEXACT, 0, false },
		{ "9223372036854.775807", true, CDC_PARSE_OK, INT64_MAX, true },
		{ "9223372036854.775808", true, CDC_PARSE_RANGE, 0, false },
		{ "99999999999999999999", true, CDC_PARSE_RANGE, 0, false },
		{ "1573701065x", true, CDC_PARSE_SYNTAX, 0, false },
		{ "-9999-12-31 23:59:59.999999", false, CDC_PARSE_OK, -377673580800000001, false },
		{ "-9999-12-31 23:59:59.999999", true, CDC_PARSE_OK, -377673580800000001, false },
		{ "-9999", true, CDC_PARSE_OK, -9999000000, true },
		{ "10000-01-01 00:00:00", true, CDC_PARSE_OK, 253402300800000000, false },
		{ "+294247-01-10T04:00:54.775807Z", false, CDC_PARSE_OK, INT64_MAX, true },
		{ "+294247-01-10T04:00:54.775808Z", false, CDC_PARSE_RANGE, 0, false },
		{ "-290308-12-21T19:59:05.224192Z", false, CDC_PARSE_OK, INT64_MIN, true },
		{ "-290308-12-21T19:59:05.224191Z", false, CDC_PARSE_RANGE, 0, false },
		{ "-", true, CDC_PARSE_SYNTAX, 0, false },
		{ "", true, CDC_PARSE_SYNTAX, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		bool zone = !cases[i].zone;
		int64_t us = 0;
		enum cdc_parse rc;

		rc = cdc_timestamp_parse(cdc_str_z(cases[i].text), cases[i].epoch, &us, &zone);
		if (rc != cases[i].rc)
			fail_msg("%s: %d", cases[i].text, (int)rc);
		if (rc != CDC_PARSE_OK)
			continue;
		assert_int_equal(us, cases[i].us);
		assert_int_equal(zone, cases[i].zone);
	}
}

static void test_timestamp_print(void **state)
{
	char out[CDC_VALUE_TEXT_MAX + 1];
	int64_t us = 1573701065120000;

	(void)state;
	assert_string_equal(z(out, cdc_timestamp_format(us, 'T', true, out)),
			    "2019-11-14T03:11:05.12Z");
	assert_string_equal(z(out, cdc_timestamp_format_fixed(us, 'T', true, 3, out)),
			    "2019-11-14T03:11:05.120Z");
	assert_string_equal(z(out, cdc_timestamp_format_fixed(us, ' ', false, 0, out)),
			    "2019-11-14 03:11:05");
	assert_string_equal(z(out, cdc_timestamp_format_fixed(-1, ' ', false, 3, out)),
			    "1969-12-31 23:59:59.999");
	assert_string_equal(z(out, cdc_timestamp_format_fixed(-1, ' ', false, 6, out)),
			    "1969-12-31 23:59:59.999999");
	assert_string_equal(z(out, cdc_timestamp_format(INT64_MAX, 'T', true, out)),
			    "+294247-01-10T04:00:54.775807Z");
	assert_string_equal(z(out, cdc_timestamp_format(INT64_MIN, 'T', true, out)),
			    "-290308-12-21T19:59:05.224192Z");
}

static void test_nanoseconds(void **state)
{
	char out[CDC_VALUE_TEXT_MAX + 1];

	(void)state;
	assert_string_equal(z(out, cdc_timestamp_ns_format(INT64_MAX, 'T', true, out)),
			    "2262-04-11T23:47:16.854775807Z");
	assert_string_equal(z(out, cdc_timestamp_ns_format(INT64_MIN, ' ', false, out)),
			    "1677-09-21 00:12:43.145224192");
	assert_string_equal(z(out, cdc_timestamp_ns_format(-1, ' ', false, out)),
			    "1969-12-31 23:59:59.999999999");
	assert_string_equal(
		z(out, cdc_timestamp_ns_format((cdc_i128)INT64_C(9089380393200000000) * 1000, 'T',
					       true, out)),
		"+290000-12-30T23:00:00Z");
	assert_string_equal(z(out, cdc_timestamp_ns_format(1500000000, 'T', true, out)),
			    "1970-01-01T00:00:01.5Z");
	assert_string_equal(z(out, cdc_time_format(0, out)), "00:00:00");
	assert_string_equal(z(out, cdc_time_format(11465000000010, out)), "03:11:05.00000001");
	assert_string_equal(z(out, cdc_time_format(86399999999999, out)), "23:59:59.999999999");
	assert_string_equal(z(out, cdc_time_format(86400000000000, out)), "24:00:00");
}

static void test_interval(void **state)
{
	char out[CDC_VALUE_TEXT_MAX + 1];

	(void)state;
	assert_string_equal(z(out, cdc_interval_format(14, 3, 5006, out)), "P14M3DT5.006S");
	assert_string_equal(z(out, cdc_interval_format(0, 0, 0, out)), "PT0S");
	assert_string_equal(z(out, cdc_interval_format(1, 0, 0, out)), "P1M");
	assert_string_equal(z(out, cdc_interval_format(0, 7, 0, out)), "P7D");
	assert_string_equal(z(out, cdc_interval_format(0, 0, 120, out)), "PT0.12S");
	assert_string_equal(z(out, cdc_interval_format(UINT32_MAX, UINT32_MAX, UINT32_MAX, out)),
			    "P4294967295M4294967295DT4294967.295S");
}

static const char *big(const char *bytes, size_t n, int scale, char *out)
{
	size_t len = cdc_big_decimal_format(cdc_str(bytes, n), scale, out);

	assert_true(len <= CDC_BIG_DECIMAL_TEXT_MAX);
	out[len] = '\0';
	return out;
}

static void test_big_decimal_random(void)
{
	char out[CDC_BIG_DECIMAL_TEXT_MAX + 1];
	uint64_t seed = 42;

	for (int i = 0; i < 20000; i++) {
		cdc_i128 v = (cdc_i128)((cdc_u128)next_random(&seed) << 64 | next_random(&seed)) >>
			     next_random(&seed) % 128;
		int scale = (int)(next_random(&seed) % 39);
		char want[CDC_VALUE_TEXT_MAX + 1];
		char bytes[20];

		for (int k = 0; k < 20; k++)
			bytes[19 - k] = (char)(k < 16 ? v >> 8 * k : v < 0 ? -1 : 0);
		z(want, cdc_decimal_format(v, scale, want));
		assert_string_equal(big(bytes, 20, scale, out), want);
		assert_string_equal(big(bytes + 4, 16, scale, out), want);
	}
}

/* Numbers by Python's int.to_bytes. */
static void test_big_decimal(void **state)
{
	char out[CDC_BIG_DECIMAL_TEXT_MAX + 1];
	char bytes[CDC_BIG_DECIMAL_BYTES];

	(void)state;
	assert_string_equal(big("", 0, 0, out), "0");
	assert_string_equal(big("", 0, 2, out), "0.00");
	assert_string_equal(big("\xff", 1, 3, out), "-0.001");
	assert_string_equal(big("\x80", 1, 0, out), "-128");
	assert_string_equal(big("\xff\xff\xff\xe2\x9c\xd6\x0e\x3c\xa3\x5b\x40\x54\x46\x0a\x9e\xff"
				"\xff\xff\xff\x85",
				20, 2, out),
			    "-100000000000000000000000000000000000001.23");
	assert_string_equal(
		big("\x16\x1b\xcc\xa7\x11\x99\x15\xb5\x07\x64\xb4\xab\xe8\x65\x29\x79"
		    "\x77\x75\xa5\xf1\x71\x95\x10\0\0\0\0\0\0\0\0\x05",
		    32, 0, out),
		"10000000000000000000000000000000000000000000000000000000000000000000000000005");
	assert_string_equal(big("\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 17, 0, out),
			    "-43556142965880123323311949751266331066368");
	memset(bytes, 0, sizeof(bytes));
	bytes[0] = (char)0x80;
	assert_int_equal(strlen(big(bytes, sizeof(bytes), 0, out)), CDC_BIG_DECIMAL_DIGITS + 1);
	assert_memory_equal(out, "-54537406780", 12);
	assert_string_equal(out + strlen(out) - 10, "7857896448");
	assert_int_equal(strlen(big(bytes, sizeof(bytes), CDC_BIG_DECIMAL_DIGITS, out)),
			 CDC_BIG_DECIMAL_TEXT_MAX);
	assert_memory_equal(out, "-0.54537406780", 14);
	test_big_decimal_random();
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(cdc_parse_text(CDC_PARSE_SYNTAX), "malformed");
	assert_string_equal(cdc_parse_text(CDC_PARSE_RANGE), "out of range");
	assert_string_equal(cdc_parse_text(CDC_PARSE_INEXACT), "too precise");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_int),
		cmocka_unit_test(test_int_lengths),
		cmocka_unit_test(test_decimal_vectors),
		cmocka_unit_test(test_decimal_edges),
		cmocka_unit_test(test_double_vectors),
		cmocka_unit_test(test_float_vectors),
		cmocka_unit_test(test_float_special),
		cmocka_unit_test(test_float_long),
		cmocka_unit_test(test_float_round_trip),
		cmocka_unit_test(test_float_locale),
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_calendar),
		cmocka_unit_test(test_date),
		cmocka_unit_test(test_timestamp_vectors),
		cmocka_unit_test(test_timestamp_forms),
		cmocka_unit_test(test_timestamp_print),
		cmocka_unit_test(test_nanoseconds),
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_big_decimal),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
