/*
 * Proves that partition values are read from the texts that Spark and delta-rs write, and written
 * as the Delta protocol wants them.
 */
#include "delta/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct cdc_field field(enum cdc_type type, int precision, int scale)
{
	return (struct cdc_field){
		.name = CDC_STR("part"), .type = type, .precision = precision, .scale = scale
	};
}

static union cdc_value value(struct cdc_field f, const char *text)
{
	struct cdc_err err = CDC_ERR_INIT;
	union cdc_value v = { .dec = 0 };
	bool is_null = true;

	if (cdc_partition_parse(&f, cdc_str_z(text), &v, &is_null, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	assert_false(is_null);
	return v;
}

static void written(struct cdc_field f, const char *text, const char *want)
{
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	union cdc_value v = value(f, text);

	assert_int_equal(cdc_partition_format(&f, &v, &out, &err), 0);
	assert_string_equal(cdc_buf_z(&out), want);
	cdc_buf_free(&out);
}

static void refused(struct cdc_field f, const char *text)
{
	struct cdc_err err = CDC_ERR_INIT;
	union cdc_value v;
	bool is_null;

	assert_int_equal(cdc_partition_parse(&f, cdc_str_z(text), &v, &is_null, &err),
			 CDC_ECORRUPT);
	assert_non_null(strstr(err.msg, "part"));
}

static void values(void **state)
{
	(void)state;
	assert_int_equal(value(field(CDC_TYPE_BOOLEAN, 0, 0), "true").i, 1);
	assert_int_equal(value(field(CDC_TYPE_BOOLEAN, 0, 0), "false").i, 0);
	assert_int_equal(value(field(CDC_TYPE_BYTE, 0, 0), "-128").i, -128);
	assert_int_equal(value(field(CDC_TYPE_LONG, 0, 0), "-9223372036854775808").i, INT64_MIN);
	assert_true(value(field(CDC_TYPE_DOUBLE, 0, 0), "1.0E10").d == 1e10);
	assert_true(isnan(value(field(CDC_TYPE_FLOAT, 0, 0), "NaN").d));
	assert_true(value(field(CDC_TYPE_FLOAT, 0, 0), "0.1").d == (double)0.1f);
	assert_true(value(field(CDC_TYPE_DECIMAL, 38, 18), "1.230000000000000000").dec ==
		    (cdc_i128)1230000000000000000);
	/* date -d '2019-11-14 00:00 UTC' +%s / 86400 */
	assert_int_equal(value(field(CDC_TYPE_DATE, 0, 0), "2019-11-14").i, 18214);
	/* date -d '2020-01-01 08:09:10.001 UTC' +%s%6N */
	assert_int_equal(value(field(CDC_TYPE_TIMESTAMP, 0, 0), "2020-01-01 08:09:10.001").i,
			 1577866150001000);
	assert_int_equal(value(field(CDC_TYPE_TIMESTAMP, 0, 0), "2020-01-01T08:09:10.001000Z").i,
			 1577866150001000);
	assert_int_equal(value(field(CDC_TYPE_TIMESTAMP_NTZ, 0, 0), "2020-01-01 08:09:10").i,
			 1577866150000000);
	assert_true(cdc_str_eqz(value(field(CDC_TYPE_STRING, 0, 0), "US/East").s, "US/East"));
}

static void nulls(void **state)
{
	struct cdc_field f = field(CDC_TYPE_STRING, 0, 0);
	struct cdc_err err = CDC_ERR_INIT;
	union cdc_value v;
	bool is_null = false;

	(void)state;
	assert_int_equal(cdc_partition_parse(&f, CDC_STR(""), &v, &is_null, &err), 0);
	assert_true(is_null);
	is_null = false;
	assert_int_equal(cdc_partition_parse(&f, cdc_str(NULL, 0), &v, &is_null, &err), 0);
	assert_true(is_null);
}

static void texts(void **state)
{
	(void)state;
	written(field(CDC_TYPE_BOOLEAN, 0, 0), "TRUE", "true");
	written(field(CDC_TYPE_SHORT, 0, 0), "-7", "-7");
	written(field(CDC_TYPE_DOUBLE, 0, 0), "10000000000", "1.0E10");
	written(field(CDC_TYPE_DOUBLE, 0, 0), "0.001", "0.001");
	written(field(CDC_TYPE_FLOAT, 0, 0), "0.1", "0.1");
	written(field(CDC_TYPE_DOUBLE, 0, 0), "-Infinity", "-Infinity");
	written(field(CDC_TYPE_DECIMAL, 10, 3), "1.5", "1.500");
	written(field(CDC_TYPE_DATE, 0, 0), "2019-11-14", "2019-11-14");
	written(field(CDC_TYPE_TIMESTAMP, 0, 0), "2020-01-01 08:09:10.001",
		"2020-01-01T08:09:10.001000Z");
	written(field(CDC_TYPE_TIMESTAMP_NTZ, 0, 0), "2020-01-01T08:09:10", "2020-01-01 08:09:10");
	written(field(CDC_TYPE_STRING, 0, 0), "100%25", "100%25");
	written(field(CDC_TYPE_BINARY, 0, 0), "abc", "abc");
}

static void damaged(void **state)
{
	(void)state;
	refused(field(CDC_TYPE_BYTE, 0, 0), "128");
	refused(field(CDC_TYPE_SHORT, 0, 0), "-32769");
	refused(field(CDC_TYPE_INTEGER, 0, 0), "2147483648");
	refused(field(CDC_TYPE_LONG, 0, 0), "x");
	refused(field(CDC_TYPE_DATE, 0, 0), "2019-02-29");
	refused(field(CDC_TYPE_DECIMAL, 4, 2), "100.00");
	refused(field(CDC_TYPE_DECIMAL, 4, 2), "1.001");
	refused(field(CDC_TYPE_BOOLEAN, 0, 0), "yes");
	refused(field(CDC_TYPE_STRUCT, 0, 0), "x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(nulls),
		cmocka_unit_test(texts),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
