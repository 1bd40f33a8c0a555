/*
 * Proves that every physical form of a value becomes the same value of the table (expected numbers
 * from Python's datetime and int.to_bytes), that what does not fit is found, and that the wrong
 * annotations are refused.
 */
#include "table/datafile/convert.h"

#include <math.h>
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

static struct cdc_pq_node fixed(enum cdc_pq_logical logical, int32_t length)
{
	struct cdc_pq_node n = leaf(CDC_PQ_FIXED);

	n.logical = logical;
	n.type_length = length;
	return n;
}

static struct cdc_pq_node time_of_day(enum cdc_pq_type type, enum cdc_pq_time_unit unit)
{
	struct cdc_pq_node n = leaf(type);

	n.logical = CDC_PQ_LOGICAL_TIME;
	n.unit = unit;
	return n;
}

static struct cdc_pq_node integer(enum cdc_pq_type type, int8_t bits, bool is_signed)
{
	struct cdc_pq_node n = leaf(type);

	n.logical = CDC_PQ_LOGICAL_INTEGER;
	n.bit_width = bits;
	n.is_signed = is_signed;
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
	passes(leaf(CDC_PQ_INT32), field(CDC_TYPE_INTEGER, 0, 0));
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

/* Small integers lie in an INT32 that may hold too much. */
static void narrow(void **state)
{
	static const struct {
		enum cdc_type type;
		int32_t v;
		bool fits;
	} cases[] = {
		{ CDC_TYPE_BYTE, 127, true },	  { CDC_TYPE_BYTE, -128, true },
		{ CDC_TYPE_BYTE, 128, false },	  { CDC_TYPE_BYTE, -129, false },
		{ CDC_TYPE_SHORT, 32767, true },  { CDC_TYPE_SHORT, -32768, true },
		{ CDC_TYPE_SHORT, 32768, false }, { CDC_TYPE_SHORT, -32769, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int32_t out = 1;

		assert_int_equal(
			one(leaf(CDC_PQ_INT32), field(cases[i].type, 0, 0), &cases[i].v, &out),
			cases[i].fits);
		if (cases[i].fits)
			assert_int_equal(out, cases[i].v);
	}
}

static void unsigned_integers(void **state)
{
	const uint32_t big = 4000000000;
	const uint32_t small = 7;
	const uint64_t huge = 18446744073709551615U;
	const uint64_t half = INT64_MAX;
	struct cdc_pq_node old = leaf(CDC_PQ_INT64);
	int32_t i = 0;
	int64_t l = 0;
	double d = 0;
	cdc_i128 x = 0;

	(void)state;
	assert_true(one(integer(CDC_PQ_INT32, 32, false), field(CDC_TYPE_LONG, 0, 0), &big, &l));
	assert_int_equal(l, 4000000000);
	assert_true(one(integer(CDC_PQ_INT32, 32, false), field(CDC_TYPE_DOUBLE, 0, 0), &big, &d));
	assert_true(d == 4e9);
	assert_true(
		one(integer(CDC_PQ_INT32, 32, false), field(CDC_TYPE_DECIMAL, 12, 2), &big, &x));
	assert_true(x == (cdc_i128)400000000000);
	assert_true(
		one(integer(CDC_PQ_INT32, 32, false), field(CDC_TYPE_INTEGER, 0, 0), &small, &i));
	assert_int_equal(i, 7);
	assert_false(
		one(integer(CDC_PQ_INT32, 32, false), field(CDC_TYPE_INTEGER, 0, 0), &big, &i));
	assert_true(
		one(integer(CDC_PQ_INT64, 64, false), field(CDC_TYPE_DECIMAL, 20, 0), &huge, &x));
	assert_true(x == (cdc_i128)UINT64_MAX);
	old.converted = CDC_PQ_CONV_UINT_64;
	assert_true(one(old, field(CDC_TYPE_LONG, 0, 0), &half, &l));
	assert_int_equal(l, INT64_MAX);
	assert_false(one(old, field(CDC_TYPE_LONG, 0, 0), &huge, &l));
	passes(integer(CDC_PQ_INT64, 64, true), field(CDC_TYPE_LONG, 0, 0));
}

/* Numbers from Python's struct, format "e". */
static void halves(void **state)
{
	static const struct {
		const char *bytes;
		float v;
	} cases[] = {
		{ "\x00\x3c", 1.0f },	   { "\x66\x2e", 0.0999755859375f },
		{ "\x00\xc0", -2.0f },	   { "\xff\x7b", 65504.0f },
		{ "\x01\x00", 0x1p-24f },  { "\xff\x03", 0x3ffp-24f },
		{ "\x00\x04", 0x1p-14f },  { "\x00\x7c", INFINITY },
		{ "\x00\xfc", -INFINITY }, { "\x00\x00", 0.0f },
	};
	struct cdc_str s;
	float f = 0;
	double d = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s = cdc_str(cases[i].bytes, 2);
		assert_true(
			one(fixed(CDC_PQ_LOGICAL_FLOAT16, 2), field(CDC_TYPE_FLOAT, 0, 0), &s, &f));
		assert_true(f == cases[i].v);
		assert_true(one(fixed(CDC_PQ_LOGICAL_FLOAT16, 2), field(CDC_TYPE_DOUBLE, 0, 0), &s,
				&d));
		assert_true(d == (double)cases[i].v);
	}
	s = cdc_str("\x01\x7e", 2);
	assert_true(one(fixed(CDC_PQ_LOGICAL_FLOAT16, 2), field(CDC_TYPE_FLOAT, 0, 0), &s, &f));
	assert_true(isnan(f));
	s = cdc_str("\x00\x80", 2);
	assert_true(one(fixed(CDC_PQ_LOGICAL_FLOAT16, 2), field(CDC_TYPE_FLOAT, 0, 0), &s, &f));
	assert_true(f == 0 && signbit(f));
}

static void times(void **state)
{
	const int32_t ms = 11465120;
	const int32_t before = -1;
	const int64_t us = 11465120001;
	const int64_t ns = 86400000000000;
	const int64_t after = ns + 1;
	const int64_t wrap = INT64_MAX;
	struct cdc_pq_node old = leaf(CDC_PQ_INT32);
	struct cdc_field time = field(CDC_TYPE_TIME, 0, 0);
	const int32_t evening = -13899000;
	const int32_t days_ago = -86400001;
	struct cdc_pq_node utc = time_of_day(CDC_PQ_INT32, CDC_PQ_MILLIS);
	int64_t out = 0;

	(void)state;
	assert_true(one(time_of_day(CDC_PQ_INT32, CDC_PQ_MILLIS), time, &ms, &out));
	assert_int_equal(out, 11465120000000);
	old.converted = CDC_PQ_CONV_TIME_MILLIS;
	assert_true(one(old, time, &ms, &out));
	assert_int_equal(out, 11465120000000);
	assert_false(one(old, time, &before, &out));
	utc.utc = true;
	assert_true(one(utc, time, &evening, &out)); /* 20:08:21 */
	assert_int_equal(out, INT64_C(72501000000000));
	assert_false(one(utc, time, &days_ago, &out));
	assert_true(one(time_of_day(CDC_PQ_INT64, CDC_PQ_MICROS), time, &us, &out));
	assert_int_equal(out, 11465120001000);
	assert_false(one(time_of_day(CDC_PQ_INT64, CDC_PQ_MICROS), time, &wrap, &out));
	assert_true(one(time_of_day(CDC_PQ_INT64, CDC_PQ_NANOS), time, &ns, &out));
	assert_int_equal(out, ns);
	assert_false(one(time_of_day(CDC_PQ_INT64, CDC_PQ_NANOS), time, &after, &out));
}

static void nanoseconds(void **state)
{
	struct cdc_field f = field(CDC_TYPE_TIMESTAMP_NS, 0, 0);
	const int64_t us = 1573701065120001;
	const int64_t least = INT64_MIN;
	const struct cdc_pq_int96 at = { 11465120001007,
					 2458802 }; /* 2019-11-14T03:11:05.120001007Z */
	const struct cdc_pq_int96 before = { (uint64_t)-1, 2440588 };
	/* 290000-12-30T23:00:00Z as Spark writes it: see timestamps() */
	const struct cdc_pq_int96 far = { 0xffffe26ec7b96000, 0xf9b0aba8 };
	cdc_i128 out = 0;

	(void)state;
	assert_true(one(timestamp(CDC_PQ_NANOS), f, &us, &out));
	assert_true(out == us);
	assert_true(
		one(timestamp(CDC_PQ_NANOS), field(CDC_TYPE_TIMESTAMP_NTZ_NS, 0, 0), &us, &out));
	assert_true(out == us);
	assert_true(one(timestamp(CDC_PQ_MICROS), f, &us, &out));
	assert_true(out == (cdc_i128)us * 1000);
	assert_true(one(timestamp(CDC_PQ_MILLIS), f, &least, &out));
	assert_true(out == (cdc_i128)INT64_MIN * 1000000);
	assert_true(one(leaf(CDC_PQ_INT96), f, &at, &out));
	assert_true(out == INT64_C(1573701065120001007));
	assert_true(one(leaf(CDC_PQ_INT96), f, &before, &out));
	assert_true(out == -1);
	assert_true(one(leaf(CDC_PQ_INT96), f, &far, &out));
	assert_true(out == (cdc_i128)INT64_C(9089380393200000000) * 1000);
}

static void other_types(void **state)
{
	static const char bytes[CDC_BIG_DECIMAL_BYTES + 1];
	struct cdc_str in = cdc_str(bytes, CDC_BIG_DECIMAL_BYTES);
	struct cdc_str out = CDC_STR_INIT;
	struct cdc_pq_node big = fixed(CDC_PQ_LOGICAL_DECIMAL, 20);

	(void)state;
	passes(fixed(CDC_PQ_LOGICAL_UUID, 16), field(CDC_TYPE_UUID, 0, 0));
	passes(fixed(CDC_PQ_LOGICAL_NONE, 12), field(CDC_TYPE_INTERVAL, 0, 0));
	big.scale = 2;
	passes(big, field(CDC_TYPE_BIG_DECIMAL, 45, 2));
	assert_true(
		one(decimal(CDC_PQ_BYTE_ARRAY, 2), field(CDC_TYPE_BIG_DECIMAL, 45, 2), &in, &out));
	assert_ptr_equal(out.p, in.p);
	assert_int_equal(out.n, in.n);
	in.n++;
	assert_false(
		one(decimal(CDC_PQ_BYTE_ARRAY, 2), field(CDC_TYPE_BIG_DECIMAL, 45, 2), &in, &out));
}

/* A leaf that is annotated as always null is any column, as long as it keeps its word. */
static void nulls_only(void **state)
{
	const int32_t values[2] = { 0, 0 };
	const uint8_t def[2] = { 0, 0 };
	const uint8_t lie[2] = { 0, 1 };
	struct cdc_pq_vec vec = { CDC_PQ_INT32, 2, values, def, NULL };
	struct cdc_pq_node n = leaf(CDC_PQ_INT32);
	struct cdc_field f = field(CDC_TYPE_STRING, 0, 0);
	struct cdc_str out[2] = { { "x", 1 }, { "y", 1 } };
	struct cdc_convert c;

	(void)state;
	n.logical = CDC_PQ_LOGICAL_UNKNOWN;
	n.max_def = 3; /* in->def is validity, however deep the leaf is */
	assert_true(cdc_convert_choose(&c, &n, &f));
	assert_true(c.fn(&c, &vec, out));
	assert_null(out[0].p);
	assert_int_equal(out[1].n, 0);
	vec.def = lie;
	assert_false(c.fn(&c, &vec, out));
	vec.def = NULL;
	assert_false(c.fn(&c, &vec, out));
	vec.n = 0;
	assert_true(c.fn(&c, &vec, out));
}

static void timestamps(void **state)
{
	/* 2019-11-14T03:11:05.120001Z = 1573701065120001 us; Julian day 2458802 */
	const struct cdc_pq_int96 spark = { 11465120001000, 2458802 };
	const struct cdc_pq_int96 year_1 = { 0, 1721426 };
	/* 290000-12-30T23:00:00Z as Spark writes it, of apache/parquet-testing int96_from_spark */
	const struct cdc_pq_int96 far = { 0xffffe26ec7b96000, 0xf9b0aba8 };
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
	assert_true(one(leaf(CDC_PQ_INT96), field(CDC_TYPE_TIMESTAMP, 0, 0), &far, &us));
	assert_int_equal(us, 9089380393200000000);
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
	/* A larger scale in the file: only if nothing is lost. */
	i = -32300;
	assert_true(one(decimal(CDC_PQ_INT32, 4), field(CDC_TYPE_DECIMAL, 7, 2), &i, &out));
	assert_true(out == -323);
	i = -32301;
	assert_false(one(decimal(CDC_PQ_INT32, 4), field(CDC_TYPE_DECIMAL, 7, 2), &i, &out));
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

/* More digits than the precision: in a table an error, in a lone file the value. */
static void digits_past_the_precision(void **state)
{
	static const char over[] = "\x4b\x3b\x4c\xa8\x5a\x86\xc4\x7a\x09\x8a\x22\x40\0\0\0\0";
	struct cdc_field f = field(CDC_TYPE_DECIMAL, 4, 0);
	struct cdc_pq_node node = decimal(CDC_PQ_FIXED, 0);
	struct cdc_str s = cdc_str(over, 16); /* 10^38 */
	const int32_t i = 548854133;
	const int64_t l = -9217672214943489829;
	cdc_i128 out = 0;

	(void)state;
	node.type_length = 16;
	assert_false(one(decimal(CDC_PQ_INT32, 0), f, &i, &out));
	f.file_node = 1;
	assert_true(one(decimal(CDC_PQ_INT32, 0), f, &i, &out));
	assert_true(out == i);
	assert_true(one(decimal(CDC_PQ_INT64, 0), f, &l, &out));
	assert_true(out == l);
	assert_false(one(node, f, &s, &out));
	s = cdc_str("\0\0\0\0\0\0\0\0\x4b\x3b\x4c\xa8\x5a\x86\xc4\x7a", 16);
	assert_true(one(node, f, &s, &out));
	assert_true(out == 0x4b3b4ca85a86c47a);
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

/* n integers as decimal(precision, 0): all fit, and each became itself. */
static bool same_ints(const int32_t *v, uint32_t n, int precision)
{
	struct cdc_pq_node node = decimal(CDC_PQ_INT32, 0);
	struct cdc_field f = field(CDC_TYPE_DECIMAL, precision, 0);
	struct cdc_pq_vec vec = { node.type, n, v, NULL, NULL };
	struct cdc_convert c;
	cdc_i128 out[16];
	bool fits;

	assert_true(cdc_convert_choose(&c, &node, &f));
	fits = c.fn(&c, &vec, out);
	for (uint32_t i = 0; i < n; i++)
		assert_true(out[i] == v[i]);
	return fits;
}

static bool same_longs(const int64_t *v, uint32_t n, int precision)
{
	struct cdc_pq_node node = decimal(CDC_PQ_INT64, 0);
	struct cdc_field f = field(CDC_TYPE_DECIMAL, precision, 0);
	struct cdc_pq_vec vec = { node.type, n, v, NULL, NULL };
	struct cdc_convert c;
	cdc_i128 out[16];
	bool fits;

	assert_true(cdc_convert_choose(&c, &node, &f));
	fits = c.fn(&c, &vec, out);
	for (uint32_t i = 0; i < n; i++)
		assert_true(out[i] == v[i]);
	return fits;
}

/* Every length of a batch, and the one value that does not fit at every place of it. */
static void decimals_in_batches(void **state)
{
	const int32_t most = 9999999;
	const int64_t most_long = 999999999999999999;

	(void)state;
	for (uint32_t n = 0; n <= 11; n++) {
		int32_t v[11];
		int64_t w[11];

		for (uint32_t i = 0; i < n; i++) {
			v[i] = i % 2 ? most : -most;
			w[i] = i % 2 ? -most_long : most_long;
		}
		assert_true(same_ints(v, n, 7));
		assert_true(same_longs(w, n, 18));
		for (uint32_t i = 0; i < n; i++) {
			const int32_t bad[] = { most + 1, -most - 1, INT32_MAX, INT32_MIN };
			const int64_t bad_long[] = { most_long + 1, -most_long - 1, INT64_MAX,
						     INT64_MIN };
			int32_t good = v[i];
			int64_t good_long = w[i];

			for (uint32_t k = 0; k < 4; k++) {
				v[i] = bad[k];
				w[i] = bad_long[k];
				assert_false(same_ints(v, n, 7));
				assert_true(same_ints(v, n, 10));
				assert_false(same_longs(w, n, 18));
				assert_true(same_longs(w, n, 19));
			}
			v[i] = good;
			w[i] = good_long;
		}
	}
}

static cdc_i128 nines(int n)
{
	cdc_i128 v = 0;

	while (n-- > 0)
		v = 10 * v + 9;
	return v;
}

/*
 * FIXED values of every length, with a slot that has none: 0, 1, -1 and the largest and smallest
 * of as many digits as the length holds; then one more than the digits allow.
 */
static void fixed_decimals(void **state)
{
	static const int digits[17] = { 0,  2,	4,  6,	9,  11, 14, 16, 18,
					21, 23, 26, 28, 31, 33, 35, 38 };

	(void)state;
	for (int length = 1; length <= 16; length++) {
		const cdc_i128 most = nines(digits[length]);
		const cdc_i128 want[6] = { 1, -1, 0, most, -most, most + 1 };
		struct cdc_pq_node node = decimal(CDC_PQ_FIXED, 0);
		struct cdc_field f = field(CDC_TYPE_DECIMAL, digits[length], 0);
		struct cdc_str s[6];
		struct cdc_pq_vec vec = { CDC_PQ_FIXED, 5, s, NULL, NULL };
		struct cdc_convert c;
		char bytes[6][16];
		cdc_i128 out[6];

		node.type_length = length;
		for (int i = 0; i < 6; i++) {
			for (int k = 0; k < length; k++)
				bytes[i][k] = (char)(want[i] >> 8 * (length - 1 - k));
			s[i] = i == 2 ? cdc_str(NULL, 0) : cdc_str(bytes[i], (size_t)length);
		}
		assert_true(cdc_convert_choose(&c, &node, &f));
		assert_true(c.fn(&c, &vec, out));
		for (int i = 0; i < 5; i++)
			assert_true(out[i] == want[i]);
		vec.n = 6;
		assert_false(c.fn(&c, &vec, out));
	}
}

/* The day in Julian is that in Gregorian; both as days since 1970 by Python's datetime, which knows
 * no Julian days: 1582-10-04 is the day before 1582-10-15. */
static const int32_t julian[] = { -141427, -141428, -171596, -171595, -609896,
				  -609895, -354280, -719164, -719165, 18000 };
static const int32_t gregorian[] = { -141427, -141438, -171605, -171605, -609896,
				     -609896, -354285, -719162, -719163, 18000 };
#define NUM_DAYS (sizeof(julian) / sizeof(julian[0]))

static struct cdc_convert of_calendar(struct cdc_pq_node n, enum cdc_type type, const char *key,
				      const char *value, const char *zone)
{
	struct cdc_pq_meta_entry entry[] = { { cdc_str_z(key), cdc_str_z(value) },
					     { CDC_STR("org.apache.spark.timeZone"),
					       zone ? cdc_str_z(zone) : cdc_str(NULL, 0) } };
	struct cdc_pq_metadata m = { .entry = entry, .num_entries = zone ? 2 : 1 };
	struct cdc_field f = field(type, 0, 0);
	struct cdc_convert c;

	assert_true(cdc_convert_choose(&c, &n, &f));
	cdc_convert_calendar(&c, &m, &n, &f);
	return c;
}

static void julian_days(void **state)
{
	static const char *const hybrid[][2] = { { "org.apache.spark.legacyDateTime", "" },
						 { "org.apache.spark.version", "2.4.5" } };
	struct cdc_pq_node day = leaf(CDC_PQ_INT32);
	struct cdc_pq_vec vec = { CDC_PQ_INT32, NUM_DAYS, julian, NULL, NULL };
	int32_t lowest = INT32_MIN;
	int32_t out[NUM_DAYS];
	int64_t us[NUM_DAYS];
	struct cdc_convert c;

	(void)state;
	for (int i = 0; i < 2; i++) {
		c = of_calendar(day, CDC_TYPE_DATE, hybrid[i][0], hybrid[i][1], "Asia/Shanghai");
		assert_true(c.fn(&c, &vec, out));
		assert_memory_equal(out, gregorian, sizeof(out));
	}
	vec = (struct cdc_pq_vec){ CDC_PQ_INT32, 1, &lowest, NULL, NULL };
	assert_true(c.fn(&c, &vec, out));
	vec = (struct cdc_pq_vec){ CDC_PQ_INT32, NUM_DAYS, julian, NULL, NULL };
	day.converted = CDC_PQ_CONV_DATE;
	c = of_calendar(day, CDC_TYPE_TIMESTAMP_NTZ, hybrid[1][0], hybrid[1][1], NULL);
	assert_true(c.fn(&c, &vec, us));
	for (size_t i = 0; i < NUM_DAYS; i++)
		assert_int_equal(us[i], gregorian[i] * INT64_C(86400000000));
	/* Of later files the numbers stand. */
	c = of_calendar(day, CDC_TYPE_DATE, "org.apache.spark.version", "3.0.0", NULL);
	assert_null(c.fn);
	c = of_calendar(day, CDC_TYPE_DATE, "org.apache.spark.legacyINT96", "", NULL);
	assert_null(c.fn);
}

static void julian_times(void **state)
{
	const char *old = "org.apache.spark.legacyDateTime";
	int64_t in[] = { INT64_C(-12219336000000), -1, INT64_C(-2208988800000) }; /* ms */
	struct cdc_pq_int96 wide = { 1, 2299160 }; /* 1582-10-04 */
	struct cdc_pq_vec vec = { CDC_PQ_INT64, 3, in, NULL, NULL };
	struct cdc_convert c =
		of_calendar(timestamp(CDC_PQ_MILLIS), CDC_TYPE_TIMESTAMP, old, "", "UTC");
	int64_t out[3];
	cdc_i128 ns;

	(void)state;
	assert_true(c.fn(&c, &vec, out));
	assert_int_equal(out[0], INT64_C(-12220200000000000));
	assert_int_equal(out[1], -1000);
	c = of_calendar(timestamp(CDC_PQ_MILLIS), CDC_TYPE_TIMESTAMP, old, "", "Asia/Shanghai");
	assert_false(c.fn(&c, &vec, out));
	assert_non_null(c.misfit);
	vec = (struct cdc_pq_vec){ CDC_PQ_INT64, 2, in + 1, NULL, NULL };
	assert_true(c.fn(&c, &vec, out));
	in[0] = INT64_MIN;
	vec = (struct cdc_pq_vec){ CDC_PQ_INT64, 1, in, NULL, NULL };
	c = of_calendar(timestamp(CDC_PQ_MICROS), CDC_TYPE_TIMESTAMP, old, "", NULL);
	c.fn(&c, &vec, out);
	c = of_calendar(timestamp(CDC_PQ_MICROS), CDC_TYPE_TIMESTAMP_NTZ, old, "", NULL);
	assert_null(c.fn);

	vec = (struct cdc_pq_vec){ CDC_PQ_INT96, 1, &wide, NULL, NULL };
	c = of_calendar(leaf(CDC_PQ_INT96), CDC_TYPE_TIMESTAMP, "org.apache.spark.version", "3.0.3",
			NULL);
	wide.nanos = 1000;
	assert_true(c.fn(&c, &vec, out));
	assert_int_equal(out[0], -141438 * INT64_C(86400000000) + 1);
	wide.nanos = 1001;
	c = of_calendar(leaf(CDC_PQ_INT96), CDC_TYPE_TIMESTAMP_NS, "org.apache.spark.legacyINT96",
			"", NULL);
	assert_true(c.fn(&c, &vec, &ns));
	assert_true(ns == (cdc_i128)-141438 * INT64_C(86400000000000) + 1001);
	c = of_calendar(leaf(CDC_PQ_INT96), CDC_TYPE_TIMESTAMP_NS, "org.apache.spark.legacyINT96",
			"", "Europe/Paris");
	assert_false(c.fn(&c, &vec, &ns));
	wide.nanos = 1000;
	c = of_calendar(leaf(CDC_PQ_INT96), CDC_TYPE_TIMESTAMP, "org.apache.spark.version", "3.1.0",
			NULL);
	assert_true(c.fn(&c, &vec, out));
	assert_int_equal(out[0], -141428 * INT64_C(86400000000) + 1);
}

static void wrong_annotations(void **state)
{
	struct cdc_pq_node u = leaf(CDC_PQ_INT32);

	(void)state;
	u.logical = CDC_PQ_LOGICAL_INTEGER;
	u.bit_width = 16;
	passes(u, field(CDC_TYPE_INTEGER, 0, 0));
	u.bit_width = 32;
	refused(u, field(CDC_TYPE_DATE, 0, 0));
	u = leaf(CDC_PQ_INT32);
	u.converted = CDC_PQ_CONV_TIME_MILLIS;
	refused(u, field(CDC_TYPE_INTEGER, 0, 0));
	refused(u, field(CDC_TYPE_LONG, 0, 0));
	refused(u, field(CDC_TYPE_DOUBLE, 0, 0));
	refused(u, field(CDC_TYPE_DECIMAL, 12, 2));
	refused(timestamp(CDC_PQ_MICROS), field(CDC_TYPE_DECIMAL, 38, 0));
	refused(timestamp(CDC_PQ_MICROS), field(CDC_TYPE_TIME, 0, 0));
	refused(decimal(CDC_PQ_INT32, 2), field(CDC_TYPE_INTEGER, 0, 0));
	refused(decimal(CDC_PQ_INT32, 41), field(CDC_TYPE_DECIMAL, 7, 2));
	refused(decimal(CDC_PQ_INT32, -1), field(CDC_TYPE_DECIMAL, 7, 2));
	refused(fixed(CDC_PQ_LOGICAL_NONE, 2), field(CDC_TYPE_FLOAT, 0, 0));
	refused(fixed(CDC_PQ_LOGICAL_FLOAT16, 4), field(CDC_TYPE_FLOAT, 0, 0));
	refused(fixed(CDC_PQ_LOGICAL_UUID, 15), field(CDC_TYPE_UUID, 0, 0));
	refused(fixed(CDC_PQ_LOGICAL_NONE, 16), field(CDC_TYPE_INTERVAL, 0, 0));
	refused(fixed(CDC_PQ_LOGICAL_DECIMAL, 1025), field(CDC_TYPE_BIG_DECIMAL, 2468, 0));
	refused(decimal(CDC_PQ_BYTE_ARRAY, 2467), field(CDC_TYPE_BIG_DECIMAL, 2467, 2467));
	refused(decimal(CDC_PQ_BYTE_ARRAY, 3), field(CDC_TYPE_BIG_DECIMAL, 50, 2));
	refused(leaf(CDC_PQ_INT32), field(CDC_TYPE_TIMESTAMP_NS, 0, 0));
	refused(leaf(CDC_PQ_BOOLEAN), field(CDC_TYPE_VOID, 0, 0));
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
		cmocka_unit_test(without_work),	  cmocka_unit_test(widened),
		cmocka_unit_test(narrow),	  cmocka_unit_test(unsigned_integers),
		cmocka_unit_test(halves),	  cmocka_unit_test(times),
		cmocka_unit_test(nanoseconds),	  cmocka_unit_test(other_types),
		cmocka_unit_test(nulls_only),	  cmocka_unit_test(timestamps),
		cmocka_unit_test(decimals),	  cmocka_unit_test(digits_past_the_precision),
		cmocka_unit_test(long_decimals),  cmocka_unit_test(decimals_in_batches),
		cmocka_unit_test(fixed_decimals), cmocka_unit_test(wrong_annotations),
		cmocka_unit_test(julian_days),	  cmocka_unit_test(julian_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
