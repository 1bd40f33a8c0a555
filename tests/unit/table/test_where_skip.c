/*
 * Proves how bounds and values of Parquet leaves become those of columns: widened types, scales,
 * units of time, NaN that no maximum tells of, and which values have only one form in a file. And
 * that a scan skips by the statistics of the log and never where there are none.
 */
#include "table/scan/scan.h"
#include "table/scan/scan_bounds.h"

#include "base/endian.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

static struct cdc_field column(enum cdc_type t, int precision, int scale)
{
	return (struct cdc_field){ .name = CDC_STR("c"),
				   .physical_name = CDC_STR("c"),
				   .type = t,
				   .precision = precision,
				   .scale = scale,
				   .nullable = true };
}

static struct cdc_skip_leaf leaf(const struct cdc_field *f, const struct cdc_pq_node *n)
{
	struct cdc_skip_leaf l = { f, n, { .fn = NULL } };

	assert_true(cdc_convert_choose(&l.convert, n, f));
	return l;
}

static const struct cdc_pq_node int32_node = { .is_leaf = true,
					       .type = CDC_PQ_INT32,
					       .converted = CDC_PQ_CONV_NONE };
static const struct cdc_pq_node int64_node = { .is_leaf = true,
					       .type = CDC_PQ_INT64,
					       .converted = CDC_PQ_CONV_NONE };
static const struct cdc_pq_node float_node = { .is_leaf = true,
					       .type = CDC_PQ_FLOAT,
					       .converted = CDC_PQ_CONV_NONE };
static const struct cdc_pq_node bytes_node = { .is_leaf = true,
					       .type = CDC_PQ_BYTE_ARRAY,
					       .converted = CDC_PQ_CONV_UTF8 };
static const struct cdc_pq_node millis_node = { .is_leaf = true,
						.type = CDC_PQ_INT64,
						.converted = CDC_PQ_CONV_TIMESTAMP_MILLIS };
static const struct cdc_pq_node nanos_node = { .is_leaf = true,
					       .type = CDC_PQ_INT64,
					       .converted = CDC_PQ_CONV_NONE,
					       .logical = CDC_PQ_LOGICAL_TIMESTAMP,
					       .unit = CDC_PQ_NANOS };
static const struct cdc_pq_node date_node = { .is_leaf = true,
					      .type = CDC_PQ_INT32,
					      .converted = CDC_PQ_CONV_DATE };
static const struct cdc_pq_node dec2_node = { .is_leaf = true,
					      .type = CDC_PQ_INT32,
					      .converted = CDC_PQ_CONV_DECIMAL,
					      .precision = 7,
					      .scale = 2 };
static const struct cdc_pq_node fixed_node = { .is_leaf = true,
					       .type = CDC_PQ_FIXED,
					       .type_length = 9,
					       .converted = CDC_PQ_CONV_DECIMAL,
					       .precision = 20,
					       .scale = 2 };
static const struct cdc_pq_node bytes_decimal_node = { .is_leaf = true,
						       .type = CDC_PQ_BYTE_ARRAY,
						       .converted = CDC_PQ_CONV_DECIMAL,
						       .precision = 20,
						       .scale = 2 };

static struct cdc_bounds take(const struct cdc_skip_leaf *l, struct cdc_str min, struct cdc_str max)
{
	struct cdc_bounds b = { .may_be_null = true, .may_have_value = true };

	cdc_skip_take_bounds(l, min, max, &b);
	return b;
}

static struct cdc_bounds take_32(const struct cdc_skip_leaf *l, int32_t min, int32_t max)
{
	char text[2][4];

	cdc_put_le32(text[0], (uint32_t)min);
	cdc_put_le32(text[1], (uint32_t)max);
	return take(l, cdc_str(text[0], 4), cdc_str(text[1], 4));
}

static struct cdc_bounds take_64(const struct cdc_skip_leaf *l, int64_t min, int64_t max)
{
	char text[2][8];

	cdc_put_le64(text[0], (uint64_t)min);
	cdc_put_le64(text[1], (uint64_t)max);
	return take(l, cdc_str(text[0], 8), cdc_str(text[1], 8));
}

static void bounds_are_converted(void **state)
{
	struct cdc_field f = column(CDC_TYPE_LONG, 0, 0);
	struct cdc_skip_leaf l = leaf(&f, &int32_node);
	struct cdc_bounds b = take_32(&l, -5, 7);

	(void)state;
	assert_true(b.has_min && b.has_max && b.min.i == -5 && b.max.i == 7);
	f.type = CDC_TYPE_TIMESTAMP;
	l = leaf(&f, &millis_node);
	b = take_64(&l, -1, 2);
	assert_true(b.has_min && b.has_max && b.min.i == -1000 && b.max.i == 2000);
	b = take_64(&l, INT64_MIN, INT64_MAX); /* no microseconds are that far */
	assert_false(b.has_min || b.has_max);
	l = leaf(&f, &nanos_node);
	b = take_64(&l, -1, 1999);
	assert_true(b.has_min && b.has_max && b.min.i == -1 && b.max.i == 1);
	l = leaf(&f, &date_node);
	b = take_32(&l, -1, 1);
	assert_true(b.min.i == -INT64_C(86400000000) && b.max.i == INT64_C(86400000000));
	f = column(CDC_TYPE_DECIMAL, 20, 4);
	l = leaf(&f, &dec2_node);
	b = take_32(&l, -150, 150);
	assert_true(b.has_min && b.has_max && b.min.dec == -15000 && b.max.dec == 15000);
	l = leaf(&f, &fixed_node);
	b = take(&l, cdc_str("\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9),
		 cdc_str("\0\0\0\0\0\0\0\1\0", 9));
	assert_true(b.has_min && b.has_max && b.min.dec == -100 && b.max.dec == 25600);
	b = take(&l, cdc_str("\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 9),
		 cdc_str("\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 9)); /* past the precision */
	assert_false(b.has_min || b.has_max);
	b = take(&l, cdc_str("\x01", 1), cdc_str("\x02", 1)); /* shorter than the type */
	assert_false(b.has_min || b.has_max);
	f.scale = 1;
	l = leaf(&f, &dec2_node);
	b = take_32(&l, -150, 150);
	assert_true(b.has_min && b.has_max && b.min.dec == -15 && b.max.dec == 15);
	b = take_32(&l, -155, 150); /* the reader refuses such a value */
	assert_false(b.has_min || b.has_max);
	f.type = CDC_TYPE_STRING;
	l = leaf(&f, &bytes_node);
	b = take(&l, CDC_STR(""), CDC_STR("z"));
	assert_true(b.has_min && b.has_max && b.min.s.n == 0 && cdc_str_eqz(b.max.s, "z"));
}

/* In UTC a time may be of the day before: -1 h is 23:00, and 01:00 is between -1 h and 2 h. */
static void times_before_midnight_have_no_bounds(void **state)
{
	struct cdc_field f = column(CDC_TYPE_TIME, 0, 0);
	struct cdc_pq_node n = { .is_leaf = true,
				 .type = CDC_PQ_INT32,
				 .converted = CDC_PQ_CONV_TIME_MILLIS,
				 .logical = CDC_PQ_LOGICAL_TIME,
				 .unit = CDC_PQ_MILLIS,
				 .utc = true };
	struct cdc_skip_leaf l = leaf(&f, &n);
	struct cdc_bounds b = take_32(&l, 0, 3600000);

	(void)state;
	assert_true(b.has_min && b.has_max && b.min.i == 0 && b.max.i == INT64_C(3600000000000));
	b = take_32(&l, -18000000, 72000000);
	assert_false(b.has_min || b.has_max);
	n.type = CDC_PQ_INT64;
	n.unit = CDC_PQ_NANOS;
	n.converted = CDC_PQ_CONV_NONE;
	l = leaf(&f, &n);
	b = take_64(&l, -1, 5);
	assert_false(b.has_min || b.has_max);
	b = take_64(&l, 1, 5);
	assert_true(b.has_min && b.has_max && b.min.i == 1 && b.max.i == 5);
}

static void a_maximum_of_floats_tells_nothing(void **state)
{
	struct cdc_field f = column(CDC_TYPE_DOUBLE, 0, 0);
	struct cdc_skip_leaf l = leaf(&f, &float_node);
	struct cdc_bounds b = take_32(&l, 0x3f800000, 0x40000000); /* 1, 2 */

	(void)state;
	assert_true(b.has_min && b.min.d == 1);
	assert_false(b.has_max);
	b = take_32(&l, 0x7fc00000, 0x7fc00000); /* NaN */
	assert_false(b.has_min || b.has_max);
	/* What was an integer has no NaN. */
	l = leaf(&f, &int32_node);
	b = take_32(&l, 1, 2);
	assert_true(b.has_min && b.has_max && b.max.d == 2);
}

static void lengths_must_fit(void **state)
{
	struct cdc_field f = column(CDC_TYPE_LONG, 0, 0);
	struct cdc_skip_leaf l = leaf(&f, &int64_node);
	struct cdc_bounds b = take(&l, cdc_str("1234567", 7), cdc_str("12345678", 8));

	(void)state;
	assert_false(b.has_min || b.has_max);
}

/* ------------------------------------------------------------------ values */

static int plain(const struct cdc_skip_leaf *l, union cdc_value v, const char *want, size_t n)
{
	struct cdc_str out;
	char text[16];
	int rc = cdc_skip_plain(l, &v, text, &out);

	if (rc == CDC_OK)
		assert_true(cdc_str_eq(out, cdc_str(want, n)));
	return rc;
}

#define INT(x) ((union cdc_value){ .i = (x) })
#define DOUBLE(x) ((union cdc_value){ .d = (x) })
#define DEC(x) ((union cdc_value){ .dec = (x) })

static void values_with_one_form(void **state)
{
	struct cdc_field f = column(CDC_TYPE_LONG, 0, 0);
	struct cdc_skip_leaf l = leaf(&f, &int32_node);

	(void)state;
	assert_int_equal(plain(&l, INT(-2), "\xfe\xff\xff\xff", 4), CDC_OK);
	assert_int_equal(plain(&l, INT(INT64_C(1) << 31), "", 0), CDC_END);
	l = leaf(&f, &int64_node);
	assert_int_equal(plain(&l, INT(258), "\2\1\0\0\0\0\0\0", 8), CDC_OK);
	f = column(CDC_TYPE_DECIMAL, 20, 4);
	l = leaf(&f, &dec2_node);
	assert_int_equal(plain(&l, DEC(25800), "\2\1\0\0", 4), CDC_OK);
	assert_int_equal(plain(&l, DEC(25801), "", 0), CDC_END);
	l = leaf(&f, &fixed_node);
	assert_int_equal(plain(&l, DEC(25800), "\0\0\0\0\0\0\0\1\2", 9), CDC_OK);
	assert_int_equal(plain(&l, DEC(-100), "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9), CDC_OK);
	l = leaf(&f, &bytes_decimal_node);
	assert_int_equal(plain(&l, DEC(25800), "", 0), CDC_EUNSUPPORTED);
	/* A scale that shrinks: the file has 1.00 for the table's 1.0. */
	f.scale = 1;
	l = leaf(&f, &dec2_node);
	assert_int_equal(plain(&l, DEC(10), "", 0), CDC_EUNSUPPORTED);
	f.type = CDC_TYPE_BYTE;
	l = leaf(&f, &int32_node);
	assert_int_equal(plain(&l, INT(-1), "\xff\xff\xff\xff", 4), CDC_OK);
	f.type = CDC_TYPE_DOUBLE;
	l = leaf(&f, &float_node);
	assert_int_equal(plain(&l, DOUBLE(1), "\0\0\x80\x3f", 4), CDC_OK);
	assert_int_equal(plain(&l, DOUBLE(0.1), "", 0), CDC_END);
	assert_int_equal(plain(&l, DOUBLE(-0.0), "", 0), CDC_EUNSUPPORTED);
	assert_int_equal(plain(&l, DOUBLE((double)NAN), "", 0), CDC_EUNSUPPORTED);
	l = leaf(&f, &int32_node);
	assert_int_equal(plain(&l, DOUBLE(1), "", 0), CDC_EUNSUPPORTED);
	f.type = CDC_TYPE_TIMESTAMP;
	l = leaf(&f, &nanos_node);
	assert_int_equal(plain(&l, INT(1), "", 0), CDC_EUNSUPPORTED);
	f.type = CDC_TYPE_STRING;
	l = leaf(&f, &bytes_node);
	assert_int_equal(plain(&l, (union cdc_value){ .s = CDC_STR("ab") }, "ab", 2), CDC_OK);
}

/* ------------------------------------------------------------------ the log */

/* The file itself is not there: only one that is skipped causes no error. */
static bool skips(const char *predicate, const char *stats, const char *p)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_kv kv = { CDC_STR("p"), cdc_str_z(p) };
	struct cdc_add add = { .path = CDC_STR("no-such-file.parquet"),
			       .partition_value = &kv,
			       .num_partition_values = 1,
			       .stats = cdc_str_z(stats) };
	char table[] = "/nowhere";
	struct cdc_snapshot snapshot = { .table = table, .add = &add, .num_adds = 1 };
	struct cdc_scan_options opt = { .columns = NULL };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_where *w;
	struct cdc_scan *scan;
	struct cdc_batch b;
	int rc;

	assert_int_equal(cdc_schema_from_ddl(&s,
					     CDC_STR("i INT, s STRING, d DOUBLE, t TIMESTAMP, "
						     "p DATE, n INT"),
					     &err),
			 0);
	s.field[4].is_partition = true;
	snapshot.schema = s;
	if (cdc_where_parse(&w, cdc_str_z(predicate), &err) < 0 ||
	    cdc_filter_new(&opt.where, w, &snapshot.schema, &err) < 0)
		fail_msg("%s: %s", predicate, err.msg);
	assert_int_equal(cdc_scan_new(&scan, &cdc_io_posix, &snapshot, &opt, &err), 0);
	rc = cdc_scan_next(scan, &b, &err);
	assert_true(rc == CDC_END || rc == CDC_ECORRUPT);
	assert_int_equal(cdc_scan_counts(scan).files_skipped, rc == CDC_END);
	cdc_scan_free(scan);
	cdc_filter_free(opt.where);
	cdc_where_free(w);
	cdc_schema_free(&s);
	return rc == CDC_END;
}

static void files_by_the_log(void **state)
{
	static const char stats[] =
		"{\"numRecords\":10,\"minValues\":{\"i\":1,\"s\":\"a\",\"d\":1.0,"
		"\"t\":\"2020-01-01T00:00:00.000Z\"},\"maxValues\":{\"i\":9,"
		"\"s\":\"abcdefghijklmnopqrstuvwxyzabcdef\",\"d\":2.0,"
		"\"t\":\"2020-01-01T00:00:00.123Z\"},"
		"\"nullCount\":{\"i\":0,\"s\":1,\"d\":0,\"t\":0,\"n\":10}}";
	static const char loose[] =
		"{\"numRecords\":10,\"minValues\":{\"i\":1},\"maxValues\":{\"i\":9},"
		"\"nullCount\":{\"i\":3,\"n\":10},\"tightBounds\":false}";
	static const struct {
		const char *predicate;
		const char *stats;
		bool skip;
	} e[] = {
		{ "i = 10", stats, true },
		{ "i = 9", stats, false },
		{ "i IS NULL", stats, true },
		{ "i IS NULL", loose, false },
		{ "i IS NOT NULL", loose, false },
		{ "i = 0", loose, true },
		{ "n = 1", stats, true },
		{ "n IS NOT NULL", loose, true },
		{ "n IS NULL", stats, false },
		{ "i = 10", NULL, false },
		{ "i = 10", "", false },
		{ "i = 10", "{}", false },
		{ "i = 10", "{\"numRecords\":10}", false },
		{ "i = 10", "no JSON", false },
		/* 32 characters: the rest may have been cut off. */
		{ "s = 'abcdefghijklmnopqrstuvwxyzabcdefz'", stats, false },
		{ "s LIKE 'abcdefghijklmnopqrstuvwxyzabcdef_%'", stats, false },
		{ "s = 'b'", stats, true },
		{ "s LIKE 'b%'", stats, true },
		{ "d > 3", stats, false }, /* there may be NaN */
		{ "d < 1", stats, true },
		{ "t > '2020-01-01 00:00:00.1235'", stats, false },
		{ "t > '2020-01-01 00:00:00.124'", stats, true },
		{ "p = '2020-02-02'", NULL, false },
		{ "p > '2020-02-02'", NULL, true },
		{ "p IS NULL", NULL, true },
		{ "p IN ('2020-02-01', '2020-02-03')", NULL, true },
		{ "p <> '2020-02-02' OR i = 10", stats, true },
		{ "p <> '2020-02-02' OR i = 1", stats, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(e) / sizeof(e[0]); i++) {
		if (skips(e[i].predicate, e[i].stats, "2020-02-02") != e[i].skip)
			fail_msg("%s with %s", e[i].predicate, e[i].stats ? e[i].stats : "none");
	}
	/* "" is null; what is no date is for the reader to refuse. */
	assert_true(skips("p = '2020-02-02'", NULL, ""));
	assert_false(skips("p IS NULL", NULL, ""));
	assert_false(skips("p > '2020-02-02'", NULL, "whenever"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_are_converted),
		cmocka_unit_test(times_before_midnight_have_no_bounds),
		cmocka_unit_test(a_maximum_of_floats_tells_nothing),
		cmocka_unit_test(lengths_must_fit),
		cmocka_unit_test(values_with_one_form),
		cmocka_unit_test(files_by_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
