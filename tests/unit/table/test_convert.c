/*
 * Proves that every physical form of a value becomes the same value of the table (expected numbers
 * from Python's datetime and int.to_bytes), that what does not fit is found, and that the wrong
 * annotations are refused.
 */
#include "table/convert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct cdc_field field(enum cdc_type type, int precision, int scale)
{
	return (struct cdc_field){ .type = type, .precision = precision, .scale = scale };
}

static struct cdc_pq_node leaf(enum cdc_pq_type type)
{
	return (struct cdc_pq_node){ .is_leaf = true, .type = type, .converted = CDC_PQ_CONV_NONE };
}

static struct cdc_pq_node decimal(enum cdc_pq_type type, int scale)
{
	struct cdc_pq_node n = leaf(type);

	n.logical = CDC_PQ_LOGICAL_DECIMAL;
	n.scale = scale;
	return n;
}

static struct cdc_pq_node timestamp(enum cdc_pq_time_unit unit)
{
	struct cdc_pq_node n = leaf(CDC_PQ_INT64);

	n.logical = CDC_PQ_LOGICAL_TIMESTAMP;
	n.unit = unit;
	return n;
}

/* Convert one value: false when it does not fit. */
static bool one(struct cdc_pq_node n, struct cdc_field f, const void *value, void *out)
{
	struct cdc_pq_vec vec = { n.type, 1, value, NULL, NULL };
	struct cdc_convert c;

	assert_true(cdc_convert_choose(&c, &n, &f));
	assert_non_null(c.fn);
	return c.fn(&c, &vec, out);
}

static void passes(struct cdc_pq_node n, struct cdc_field f)
{
	struct cdc_convert c;

	assert_true(cdc_convert_choose(&c, &n, &f));
	assert_null(c.fn);
}

static void refused(struct cdc_pq_node n, struct cdc_field f)
{
	struct cdc_convert c;

	assert_false(cdc_convert_choose(&c, &n, &f));
}

static void without_work(void **state)
{
	(void)state;
	passes(leaf(CDC_PQ_BOOLEAN), field(CDC_TYPE_BOOLEAN, 0, 0));
	passes(leaf(CDC_PQ_INT32), field(CDC_TYPE_BYTE, 0, 0));
	passes(leaf(CDC_PQ_INT32), field(CDC_TYPE_DATE, 0, 0));
	passes(leaf(CDC_PQ_INT64), field(CDC_TYPE_LONG, 0, 0));
	passes(leaf(CDC_PQ_FLOAT), field(CDC_TYPE_FLOAT, 0, 0));
	passes(leaf(CDC_PQ_DOUBLE), field(CDC_TYPE_DOUBLE, 0, 0));
	passes(leaf(CDC_PQ_BYTE_ARRAY), field(CDC_TYPE_STRING, 0, 0));
	passes(leaf(CDC_PQ_FIXED), field(CDC_TYPE_BINARY, 0, 0));
	passes(timestamp(CDC_PQ_MICROS), field(CDC_TYPE_TIMESTAMP, 0, 0));
	passes(timestamp(CDC_PQ_MICROS), field(CDC_TYPE_TIMESTAMP_NTZ, 0, 0));
}

static void widened(void **state)
{
	const int32_t i = -7;
	const float f = 0.5f;
	int64_t l = 0;
	double d = 0;

	(void)state;
	assert_true(one(leaf(CDC_PQ_INT32), field(CDC_TYPE_LONG, 0, 0), &i, &l));
	assert_int_equal(l, -7);
	assert_true(one(leaf(CDC_PQ_INT32), field(CDC_TYPE_DOUBLE, 0, 0), &i, &d));
	assert_true(d == -7);
	assert_true(one(leaf(CDC_PQ_FLOAT), field(CDC_TYPE_DOUBLE, 0, 0), &f, &d));
	assert_true(d == 0.5);
}

static void timestamps(void **state)
{
	/* 2019-11-14T03:11:05.120001Z = 1573701065120001 us; Julian day 2458802 */
	const struct cdc_pq_int96 spark = { 11465120001000, 2458802 };
	const struct cdc_pq_int96 year_1 = { 0, 1721426 };
	const struct cdc_pq_int96 far = { 0, UINT32_MAX };
	const int64_t ms = 1573701065120;
	const int64_t ns = -1;
	const int64_t big = INT64_MAX / 999;
	struct cdc_pq_node date = leaf(CDC_PQ_INT32);
	struct cdc_pq_node old_ms = leaf(CDC_PQ_INT64);
	const int32_t day = 18214;
	int64_t us = 0;

	(void)state;
	assert_true(one(leaf(CDC_PQ_INT96), field(CDC_TYPE_TIMESTAMP, 0, 0), &spark, &us));
	assert_int_equal(us, 1573701065120001);
	assert_true(one(leaf(CDC_PQ_INT96), field(CDC_TYPE_TIMESTAMP, 0, 0), &year_1, &us));
	assert_int_equal(us, -62135596800000000);
	assert_false(one(leaf(CDC_PQ_INT96), field(CDC_TYPE_TIMESTAMP, 0, 0), &far, &us));
	assert_true(one(timestamp(CDC_PQ_MILLIS), field(CDC_TYPE_TIMESTAMP, 0, 0), &ms, &us));
	assert_int_equal(us, 1573701065120000);
	assert_false(one(timestamp(CDC_PQ_MILLIS), field(CDC_TYPE_TIMESTAMP, 0, 0), &big, &us));
	assert_true(one(timestamp(CDC_PQ_NANOS), field(CDC_TYPE_TIMESTAMP, 0, 0), &ns, &us));
	assert_int_equal(us, -1);
	old_ms.converted = CDC_PQ_CONV_TIMESTAMP_MILLIS;
	assert_true(one(old_ms, field(CDC_TYPE_TIMESTAMP, 0, 0), &ms, &us));
	assert_int_equal(us, 1573701065120000);
	date.converted = CDC_PQ_CONV_DATE;
	assert_true(one(date, field(CDC_TYPE_TIMESTAMP_NTZ, 0, 0), &day, &us));
	assert_int_equal(us, INT64_C(18214) * 86400 * 1000000);
	refused(leaf(CDC_PQ_INT64), field(CDC_TYPE_TIMESTAMP, 0, 0));
	refused(leaf(CDC_PQ_INT32), field(CDC_TYPE_TIMESTAMP_NTZ, 0, 0));
}

static void decimals(void **state)
{
	static const char neg[] =
		"\xff\xff\xff\xff\xff\xff\xfd\x62\xbd\x49\xb1\x89\x8e\xbd\xbb\x35";
	static const char short_pos[] = "\x00\x00\x02\x9d\x42\xb6\x4e\x76\x71\x42\x44\xcb";
	const cdc_i128 v = (cdc_i128)12345678901234567 * 1000000 + 890123;
	struct cdc_str s;
	cdc_i128 out = 0;
	int32_t i = -323;
	int64_t l = 999999999999999999;

	(void)state;
	assert_true(one(decimal(CDC_PQ_INT32, 2), field(CDC_TYPE_DECIMAL, 7, 2), &i, &out));
	assert_true(out == -323);
	assert_true(one(decimal(CDC_PQ_INT32, 2), field(CDC_TYPE_DECIMAL, 10, 4), &i, &out));
	assert_true(out == -32300);
	assert_true(one(leaf(CDC_PQ_INT32), field(CDC_TYPE_DECIMAL, 12, 2), &i, &out));
	assert_true(out == -32300);
	assert_true(one(decimal(CDC_PQ_INT64, 0), field(CDC_TYPE_DECIMAL, 18, 0), &l, &out));
	assert_true(out == l);
	assert_false(one(decimal(CDC_PQ_INT64, 0), field(CDC_TYPE_DECIMAL, 17, 0), &l, &out));
	s = cdc_str(neg, 16);
	assert_true(one(decimal(CDC_PQ_FIXED, 3), field(CDC_TYPE_DECIMAL, 38, 3), &s, &out));
	assert_true(out == -v);
	s = cdc_str(short_pos, 12);
	assert_true(one(decimal(CDC_PQ_BYTE_ARRAY, 3), field(CDC_TYPE_DECIMAL, 38, 3), &s, &out));
	assert_true(out == v);
	assert_false(one(decimal(CDC_PQ_BYTE_ARRAY, 3), field(CDC_TYPE_DECIMAL, 22, 3), &s, &out));
	assert_false(one(decimal(CDC_PQ_BYTE_ARRAY, 0), field(CDC_TYPE_DECIMAL, 38, 30), &s, &out));
	s = cdc_str("", 0);
	assert_true(one(decimal(CDC_PQ_BYTE_ARRAY, 0), field(CDC_TYPE_DECIMAL, 38, 0), &s, &out));
	assert_true(out == 0);
}

static void long_decimals(void **state)
{
	static const char bytes[] =
		"\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
		"\x00\x00\x05";
	static const char minus[] =
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
		"\xff\xff\xfb";
	struct cdc_str s = cdc_str(minus, 19);
	cdc_i128 out = 0;

	(void)state;
	assert_true(one(decimal(CDC_PQ_FIXED, 0), field(CDC_TYPE_DECIMAL, 38, 0), &s, &out));
	assert_true(out == -5);
	/* 2^127 + 5: its top bit is no sign */
	s = cdc_str(bytes, 19);
	assert_false(one(decimal(CDC_PQ_FIXED, 0), field(CDC_TYPE_DECIMAL, 38, 0), &s, &out));
	s = cdc_str(bytes + 3, 16);
	assert_false(one(decimal(CDC_PQ_FIXED, 0), field(CDC_TYPE_DECIMAL, 38, 0), &s, &out));
	s = cdc_str("\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 17);
	assert_false(one(decimal(CDC_PQ_FIXED, 0), field(CDC_TYPE_DECIMAL, 38, 0), &s, &out));
}

static void wrong_annotations(void **state)
{
	struct cdc_pq_node u = leaf(CDC_PQ_INT32);

	(void)state;
	u.logical = CDC_PQ_LOGICAL_INTEGER;
	u.bit_width = 32;
	refused(u, field(CDC_TYPE_INTEGER, 0, 0));
	u.bit_width = 16;
	passes(u, field(CDC_TYPE_INTEGER, 0, 0));
	u = leaf(CDC_PQ_INT64);
	u.converted = CDC_PQ_CONV_UINT_64;
	refused(u, field(CDC_TYPE_LONG, 0, 0));
	refused(decimal(CDC_PQ_INT32, 2), field(CDC_TYPE_INTEGER, 0, 0));
	refused(decimal(CDC_PQ_INT32, 3), field(CDC_TYPE_DECIMAL, 7, 2));
	refused(decimal(CDC_PQ_FIXED, 2), field(CDC_TYPE_BINARY, 0, 0));
	refused(leaf(CDC_PQ_FIXED), field(CDC_TYPE_DECIMAL, 7, 2));
	refused(leaf(CDC_PQ_INT64), field(CDC_TYPE_INTEGER, 0, 0));
	refused(leaf(CDC_PQ_DOUBLE), field(CDC_TYPE_FLOAT, 0, 0));
	refused(leaf(CDC_PQ_INT64), field(CDC_TYPE_DOUBLE, 0, 0));
	refused(timestamp(CDC_PQ_MICROS), field(CDC_TYPE_LONG, 0, 0));
	refused(leaf(CDC_PQ_FIXED), field(CDC_TYPE_STRING, 0, 0));
	refused(leaf(CDC_PQ_BYTE_ARRAY), field(CDC_TYPE_STRUCT, 0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_work),	 cmocka_unit_test(widened),
		cmocka_unit_test(timestamps),	 cmocka_unit_test(decimals),
		cmocka_unit_test(long_decimals), cmocka_unit_test(wrong_annotations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
