/*
 * Proves that statistics are exact where readers answer queries from them and bounds elsewhere
 * (expected texts by hand and from Python's datetime and int.to_bytes), and that what other writers
 * put there is read without ever ruling out a row that is there.
 */
#include "delta/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

/* ------------------------------------------------------------------ writing */

static struct cdc_schema schema_of(const char *ddl)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	if (cdc_schema_from_ddl(&s, cdc_str_z(ddl), &err) < 0)
		fail_msg("%s", err.msg);
	return s;
}

static void stats_are(struct cdc_schema *s, struct cdc_pq_leaf_summary *leaf, int n, int indexed,
		      bool tight, const char *want)
{
	struct cdc_pq_summary sum = { .num_rows = 10, .num_leaves = n, .leaf = leaf };
	struct cdc_stats_columns columns;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_stats_columns_first(&columns, s, indexed, &arena, &err), 0);
	columns.tight_bounds = tight;
	if (cdc_stats_write(s, &sum, &columns, &out, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(cdc_buf_z(&out), want);
	cdc_arena_free(&arena);
	cdc_buf_free(&out);
}

static struct cdc_pq_leaf_summary ints(int64_t nulls, int64_t min, int64_t max)
{
	return (struct cdc_pq_leaf_summary){ .num_values = 10,
					     .null_count = nulls,
					     .has_min_max = true,
					     .min.i = min,
					     .max.i = max };
}

static struct cdc_pq_leaf_summary doubles(double min, double max)
{
	return (struct cdc_pq_leaf_summary){
		.num_values = 10, .has_min_max = true, .min.d = min, .max.d = max
	};
}

static struct cdc_pq_leaf_summary strings(struct cdc_str min, struct cdc_str max)
{
	return (struct cdc_pq_leaf_summary){
		.num_values = 10, .has_min_max = true, .min.s = min, .max.s = max
	};
}

/* Structs are objects; of lists and maps there is one number, and their leaves are passed over. */
static void nested(void **state)
{
	static const char json[] =
		"{\"type\":\"struct\",\"fields\":["
		"{\"name\":\"l\",\"type\":{\"type\":\"array\",\"elementType\":\"long\","
		"\"containsNull\":true},\"nullable\":true,\"metadata\":{}},"
		"{\"name\":\"s\",\"type\":{\"type\":\"struct\",\"fields\":["
		"{\"name\":\"a\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},"
		"{\"name\":\"m\",\"type\":{\"type\":\"map\",\"keyType\":\"string\","
		"\"valueType\":\"long\",\"valueContainsNull\":true},\"nullable\":true,"
		"\"metadata\":{}}]},\"nullable\":true,\"metadata\":{}},"
		"{\"name\":\"e\",\"type\":{\"type\":\"struct\",\"fields\":["
		"{\"name\":\"x\",\"type\":\"binary\",\"nullable\":true,\"metadata\":{}}]},"
		"\"nullable\":true,\"metadata\":{}},"
		"{\"name\":\"z\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}";
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_leaf_summary leaf[] = {
		ints(4, 1, 2), /* l */
		ints(3, 5, 6), /* s.a */
		strings(CDC_STR("k"), CDC_STR("k")), /* s.m */
		ints(0, 7, 8),
		strings(CDC_STR("x"), CDC_STR("y")), /* e.x */
		ints(1, -9, 9), /* z */
	};

	(void)state;
	leaf[0].null_lists = 7;
	leaf[2].null_lists = 2;
	if (cdc_schema_from_json(&s, cdc_str_z(json), &err) < 0)
		fail_msg("%s", err.msg);
	stats_are(&s, leaf, 6, -1, false,
		  "{\"numRecords\":10,\"minValues\":{\"s\":{\"a\":5},\"z\":-9},"
		  "\"maxValues\":{\"s\":{\"a\":6},\"z\":9},"
		  "\"nullCount\":{\"l\":7,\"s\":{\"a\":3,\"m\":2},\"e\":{\"x\":0},\"z\":1}}");
	stats_are(&s, leaf, 6, 2, false,
		  "{\"numRecords\":10,\"minValues\":{\"s\":{\"a\":5}},"
		  "\"maxValues\":{\"s\":{\"a\":6}},\"nullCount\":{\"l\":7,\"s\":{\"a\":3}}}");
	cdc_schema_free(&s);
}

static void every_type(void **state)
{
	static const char neg[] =
		"\xff\xff\xff\xff\xff\xff\xfd\x62\xbd\x49\xb1\x89\x8e\xbd\xbb\x35";
	static const char pos[] =
		"\x00\x00\x00\x00\x00\x00\x02\x9d\x42\xb6\x4e\x76\x71\x42\x44\xcb";
	struct cdc_schema s =
		schema_of("b BOOLEAN, i TINYINT, l BIGINT, f FLOAT, d DOUBLE, "
			  "m DECIMAL(7,2), n DECIMAL(18,1), o DECIMAL(38,3), s STRING, "
			  "x BINARY, day DATE, t TIMESTAMP, w TIMESTAMP_NTZ");
	struct cdc_pq_leaf_summary leaf[] = {
		ints(1, 0, 1),
		ints(0, -128, 127),
		ints(2, INT64_MIN, INT64_MAX),
		doubles((double)0.1f, 1e10),
		doubles(-0.0, 0.5),
		ints(0, -5, 32300),
		ints(0, -999999999999999999, 0),
		strings(cdc_str(neg, 16), cdc_str(pos, 16)),
		strings(CDC_STR("a\"b\\\n\x01"), CDC_STR("\xe5\x90\x8d")),
		strings(CDC_STR("a"), CDC_STR("b")),
		ints(10, -719162, 18214),
		ints(0, 1573701065120001, 1573701065120001),
		ints(0, -1, 1573701065120000),
	};

	(void)state;
	stats_are(&s, leaf, 13, -1, true,
		  "{\"numRecords\":10,"
		  "\"minValues\":{\"i\":-128,\"l\":-9223372036854775808,\"f\":0.1,\"d\":-0.0,"
		  "\"m\":-0.05,\"n\":-99999999999999999.9,\"o\":-12345678901234567890.123,"
		  "\"s\":\"a\\\"b\\\\\\n\\u0001\",\"day\":\"0001-01-01\","
		  "\"t\":\"2019-11-14T03:11:05.120Z\",\"w\":\"1969-12-31T23:59:59.999\"},"
		  "\"maxValues\":{\"i\":127,\"l\":9223372036854775807,\"f\":1.0E10,\"d\":0.5,"
		  "\"m\":323.00,\"n\":0.0,\"o\":12345678901234567890.123,"
		  "\"s\":\"\xe5\x90\x8d\",\"day\":\"2019-11-14\","
		  "\"t\":\"2019-11-14T03:11:05.121Z\",\"w\":\"2019-11-14T03:11:05.120\"},"
		  "\"nullCount\":{\"b\":1,\"i\":0,\"l\":2,\"f\":0,\"d\":0,\"m\":0,\"n\":0,\"o\":0,"
		  "\"s\":0,\"x\":0,\"day\":10,\"t\":0,\"w\":0},\"tightBounds\":true}");
	stats_are(&s, leaf, 13, 2, false,
		  "{\"numRecords\":10,\"minValues\":{\"i\":-128},\"maxValues\":{\"i\":127},"
		  "\"nullCount\":{\"b\":1,\"i\":0}}");
	stats_are(&s, leaf, 13, 0, false, "{\"numRecords\":10}");
	s.field[0].is_partition = true;
	stats_are(&s, leaf + 1, 12, 1, false,
		  "{\"numRecords\":10,\"minValues\":{\"i\":-128},\"maxValues\":{\"i\":127},"
		  "\"nullCount\":{\"i\":0}}");
	s.field[1].physical_name = CDC_STR("col-7");
	stats_are(&s, leaf + 1, 12, 1, true,
		  "{\"numRecords\":10,\"minValues\":{\"col-7\":-128},\"maxValues\":{\"col-7\":127},"
		  "\"nullCount\":{\"col-7\":0},\"tightBounds\":true}");
	cdc_schema_free(&s);
}

static void bounds_that_cannot_be_written(void **state)
{
	struct cdc_schema s =
		schema_of("d DOUBLE, f FLOAT, s STRING, day DATE, t TIMESTAMP, x INT");
	struct cdc_pq_leaf_summary leaf[] = {
		doubles(-INFINITY, INFINITY),
		doubles(NAN, NAN),
		strings(CDC_STR("ok"), CDC_STR("bad\xff")),
		ints(0, -719529, 2932897),
		ints(0, -62167219200000001, 253402300799999999),
		{ .num_values = 10, .null_count = 10, .has_min_max = false },
	};

	(void)state;
	stats_are(&s, leaf, 6, -1, false,
		  "{\"numRecords\":10,\"minValues\":{\"d\":\"-Infinity\",\"s\":\"ok\"},"
		  "\"maxValues\":{\"d\":\"Infinity\"},"
		  "\"nullCount\":{\"d\":0,\"f\":0,\"s\":0,\"day\":0,\"t\":0,\"x\":10}}");
	cdc_schema_free(&s);
}

#define A31 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A32 A31 "a"
#define TOP "\xf4\x8f\xbf\xbf"
#define TOP4 TOP TOP TOP TOP
#define E8 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
#define SMILE "\xf0\x9f\x98\x80"

/* Each upper bound by the rule of the protocol digest, computed with Python. */
static void long_strings(void **state)
{
	static const struct {
		const char *value;
		const char *min;
		const char *max; /* NULL: none */
	} c[] = {
		{ "", "", "" },
		{ A32, A32, A32 },
		{ A32 "a", A32, A32 "\x7f" },
		{ A32 "\x7e", A32, A32 "\x7f" },
		{ A32 "\x7f", A32, A32 TOP },
		{ E8 E8 E8 E8 E8, E8 E8 E8 E8, E8 E8 E8 E8 TOP },
		{ A31 SMILE "b", A31 SMILE, A31 TOP },
		{ A32 TOP TOP TOP "z", A32, A32 TOP TOP TOP "\x7f" },
		{ A32 TOP, A32, A32 TOP },
		{ A32 TOP4 TOP4 TOP4 TOP4 "z", A32, A32 TOP4 TOP4 TOP4 TOP4 "\x7f" },
		{ A32 TOP4 TOP4 TOP4 TOP4 TOP "z", A32, NULL },
	};
	struct cdc_schema s = schema_of("s STRING");

	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		struct cdc_pq_leaf_summary leaf =
			strings(cdc_str_z(c[i].value), cdc_str_z(c[i].value));
		struct cdc_buf want = CDC_BUF_INIT;
		struct cdc_err err = CDC_ERR_INIT;
		const char *q = c[i].max ? "\"" : "";

		assert_int_equal(cdc_buf_printf(&want, &err,
						"{\"numRecords\":10,\"minValues\":{\"s\":\"%s\"},"
						"\"maxValues\":{%s%s%s%s},\"nullCount\":{\"s\":0}}",
						c[i].min, c[i].max ? "\"s\":" : "", q,
						c[i].max ? c[i].max : "", q),
				 0);
		stats_are(&s, &leaf, 1, -1, false, cdc_buf_z(&want));
		cdc_buf_free(&want);
	}
	cdc_schema_free(&s);
}

static void loosened(const char *stats, int64_t n, const char *want)
{
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_stats_loosen(cdc_str_z(stats), n, &out, &err), 0);
	assert_string_equal(cdc_buf_z(&out), want);
	cdc_buf_free(&out);
}

static void loosening(void **state)
{
	(void)state;
	loosened("{\"numRecords\":3,\"minValues\":{\"a\":1e400},\"tightBounds\":true}", 9,
		 "{\"numRecords\":3,\"minValues\":{\"a\":1e400},\"tightBounds\":false}");
	loosened("{\"tightBounds\":true,\"numRecords\":3}", 9,
		 "{\"numRecords\":3,\"tightBounds\":false}");
	loosened("{\"nullCount\":{}}", 9,
		 "{\"numRecords\":9,\"nullCount\":{},\"tightBounds\":false}");
	loosened("{}", 9, "{\"numRecords\":9,\"tightBounds\":false}");
	loosened(NULL, 9, "{\"numRecords\":9,\"tightBounds\":false}");
	loosened("{\"numRecords\":", 9, "{\"numRecords\":9,\"tightBounds\":false}");
}

/* ------------------------------------------------------------------ reading */

struct read {
	struct cdc_schema schema;
	struct cdc_arena arena;
	struct cdc_file_stats stats;
};

static struct read reading(const char *ddl, const char *stats)
{
	struct read r = { schema_of(ddl), CDC_ARENA_INIT, { 0 } };
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_stats_read(&r.schema, cdc_str_z(stats), &r.arena, &r.stats, &err), 0);
	return r;
}

static void done(struct read *r)
{
	cdc_arena_free(&r->arena);
	cdc_schema_free(&r->schema);
}

static void what_spark_writes(void **state)
{
	struct read r = reading(
		"i INT, s STRING, t TIMESTAMP, w TIMESTAMP_NTZ, m DECIMAL(7,2), day DATE, b BOOLEAN",
		"{\"numRecords\":5,\"minValues\":{\"i\":-3,\"s\":\"a\\u00e9\","
		"\"t\":\"2019-11-14T03:11:05.120-08:00\",\"w\":\"2019-11-14T03:11:05.120\","
		"\"m\":-1.5,\"day\":\"2019-11-14\"},\"maxValues\":{\"i\":7,\"s\":\"" A32 "\","
		"\"t\":\"2019-11-14T03:11:05.120Z\",\"w\":\"2019-11-14T03:11:05.120\","
		"\"m\":99999.99,\"day\":\"2019-11-15\"},"
		"\"nullCount\":{\"i\":0,\"s\":1,\"t\":0,\"w\":0,\"m\":0,\"day\":0,\"b\":5}}");
	const struct cdc_column_stats *c = r.stats.column;

	(void)state;
	assert_true(r.stats.has_num_records);
	assert_int_equal(r.stats.num_records, 5);
	assert_true(c[0].has_min && c[0].has_max && c[0].has_null_count);
	assert_int_equal(c[0].min.i, -3);
	assert_int_equal(c[0].max.i, 7);
	assert_true(cdc_str_eqz(c[1].min.s, "a\xc3\xa9"));
	assert_true(cdc_str_eqz(c[1].max.s, A32 TOP));
	assert_int_equal(c[1].null_count, 1);
	assert_int_equal(c[2].min.i, 1573701065120000 + 8 * 3600 * INT64_C(1000000));
	assert_int_equal(c[2].max.i, 1573701065121000);
	assert_int_equal(c[3].max.i, 1573701065121000);
	assert_true(c[4].min.dec == -150 && c[4].max.dec == 9999999);
	assert_int_equal(c[5].min.i, 18214);
	assert_int_equal(c[5].max.i, 18215);
	assert_false(c[6].has_min || c[6].has_max);
	assert_int_equal(c[6].null_count, 5);
	done(&r);
}

static void what_is_not_trusted(void **state)
{
	struct read r = reading(
		"i TINYINT, s STRING, t TIMESTAMP, w TIMESTAMP_NTZ, m DECIMAL(38,2), d DOUBLE, "
		"x BINARY, n BIGINT",
		"{\"numRecords\":5,\"minValues\":{\"i\":-300,\"s\":7,\"t\":\"2019-11-14 03:11:05\","
		"\"w\":\"2019-11-14T03:11:05Z\",\"m\":12345678901234567890.12,\"d\":\"NaN\","
		"\"x\":\"a\",\"n\":1.5,\"unknown\":{\"deep\":[1]}},"
		"\"maxValues\":{\"i\":\"7\",\"m\":1e400,\"d\":7.5,\"n\":1e2},"
		"\"nullCount\":{\"i\":-1,\"s\":\"0\",\"d\":{\"x\":0}}}");
	const struct cdc_column_stats *c = r.stats.column;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_false(c[i].has_min || c[i].has_max || c[i].has_null_count);
	assert_true(c[4].has_min && !c[4].has_max);
	assert_true(c[4].min.dec < (cdc_i128)1234567890123456789 * 1000 + 12);
	assert_true(c[5].has_min && isnan(c[5].min.d));
	assert_false(c[5].has_max || c[5].has_null_count);
	assert_false(c[6].has_min);
	assert_false(c[7].has_min);
	assert_true(c[7].has_max && c[7].max.i == 100);
	done(&r);
}

static void loose_null_counts(void **state)
{
	struct read r = reading("a INT, b INT, c INT",
				"{\"numRecords\":5,\"nullCount\":{\"a\":0,\"b\":5,\"c\":2},"
				"\"tightBounds\":false}");

	(void)state;
	assert_true(r.stats.column[0].has_null_count && r.stats.column[1].has_null_count);
	assert_false(r.stats.column[2].has_null_count);
	done(&r);
}

static void garbage_is_nothing(void **state)
{
	static const char *const text[] = {
		"",
		"x",
		"{",
		"[]",
		"7",
		"{\"numRecords\":-1}",
		"{\"minValues\":7}",
		"{\"minValues\":[\"a\"],\"maxValues\":{},\"nullCount\":null}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		struct read r = reading("a INT", text[i]);

		assert_false(r.stats.has_num_records || r.stats.column[0].has_min ||
			     r.stats.column[0].has_max || r.stats.column[0].has_null_count);
		done(&r);
	}
}

static void floats_keep_their_width(void **state)
{
	struct read r = reading("f FLOAT, d DOUBLE",
				"{\"minValues\":{\"f\":0.7,\"d\":0.7},\"maxValues\":{\"f\":0.7}}");

	(void)state;
	assert_true(r.stats.column[0].has_min && r.stats.column[0].min.d == (double)0.7f);
	assert_true(r.stats.column[1].has_min && r.stats.column[1].min.d == 0.7);
	done(&r);
	r = (struct read){ schema_of("d DOUBLE"), CDC_ARENA_INIT, { 0 } };
	r.schema.field[0].metadata = CDC_STR("{\"delta.typeChanges\":[]}");
	assert_int_equal(cdc_stats_read(&r.schema, CDC_STR("{\"minValues\":{\"d\":0.7}}"), &r.arena,
					&r.stats, &(struct cdc_err)CDC_ERR_INIT),
			 0);
	assert_false(r.stats.column[0].has_min);
	done(&r);
}

static void record_counts(void **state)
{
	(void)state;
	assert_int_equal(cdc_stats_num_records(CDC_STR("{\"numRecords\":17,\"x\":1}")), 17);
	assert_int_equal(cdc_stats_num_records(CDC_STR("{\"numRecords\":0}")), 0);
	assert_int_equal(cdc_stats_num_records(
				 CDC_STR(" { \"a\":{\"numRecords\":5}, \"numRecords\" : 12 }")),
			 12);
	assert_int_equal(cdc_stats_num_records(CDC_STR("{\"numRecords\":9223372036854775807}")),
			 INT64_MAX);
	assert_int_equal(cdc_stats_num_records(CDC_STR("{\"numRecords\":9223372036854775808}")),
			 -1);
	assert_int_equal(cdc_stats_num_records(CDC_STR("{\"numRecords\":-4}")), -1);
	assert_int_equal(cdc_stats_num_records(CDC_STR("{\"numRecords\":1.5}")), -1);
	assert_int_equal(cdc_stats_num_records(CDC_STR("{\"numRecords\":}")), -1);
	assert_int_equal(cdc_stats_num_records(CDC_STR("{\"numRecords\":7")), -1);
	assert_int_equal(cdc_stats_num_records(CDC_STR("{}")), -1);
	assert_int_equal(cdc_stats_num_records(cdc_str(NULL, 0)), -1);
}

static int cmp_doubles(double x, double y)
{
	union cdc_value a = { .d = x };
	union cdc_value b = { .d = y };

	return cdc_value_cmp(CDC_TYPE_DOUBLE, &a, &b);
}

static void order(void **state)
{
	union cdc_value a = { .s = CDC_STR("a\xff") };
	union cdc_value b = { .s = CDC_STR("a\x7f") };

	(void)state;
	assert_true(cdc_value_cmp(CDC_TYPE_STRING, &a, &b) > 0);
	assert_true(cmp_doubles(NAN, INFINITY) > 0);
	assert_true(cmp_doubles(-INFINITY, NAN) < 0);
	assert_int_equal(cmp_doubles(NAN, NAN), 0);
	assert_int_equal(cmp_doubles(-0.0, 0.0), 0);
	assert_true(cmp_doubles(-1, 1) < 0);
	a.dec = -1;
	b.dec = (cdc_i128)1 << 100;
	assert_true(cdc_value_cmp(CDC_TYPE_DECIMAL, &a, &b) < 0);
	a.i = INT64_MIN;
	b.i = INT64_MAX;
	assert_true(cdc_value_cmp(CDC_TYPE_LONG, &a, &b) < 0);
	assert_true(cdc_value_cmp(CDC_TYPE_LONG, &b, &a) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type),
		cmocka_unit_test(nested),
		cmocka_unit_test(bounds_that_cannot_be_written),
		cmocka_unit_test(long_strings),
		cmocka_unit_test(loosening),
		cmocka_unit_test(what_spark_writes),
		cmocka_unit_test(what_is_not_trusted),
		cmocka_unit_test(loose_null_counts),
		cmocka_unit_test(garbage_is_nothing),
		cmocka_unit_test(floats_keep_their_width),
		cmocka_unit_test(record_counts),
		cmocka_unit_test(order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
