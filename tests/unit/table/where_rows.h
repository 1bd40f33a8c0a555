/*
 * A batch written down by hand for the tests of predicates, and a predicate's outcomes on it as one
 * character a row: 1 true, 0 false, ? unknown.
 */
#ifndef WHERE_ROWS_H
#define WHERE_ROWS_H

#include "table/where/where.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#define ROWS 5

static const char rows_ddl[] =
	"i INT, l BIGINT, d DOUBLE, f FLOAT, n DECIMAL(7,2), s STRING, b BINARY, o BOOLEAN, "
	"day DATE, ts TIMESTAMP, w DECIMAL(38,10), `and` INT, tm INT, ns INT, u INT, z INT";

enum { I, L, D, F, N, S, B, O, DAY, TS, W, AND, TM, NS, U, Z, COLUMNS };

/* The last row is all null. */
static const uint8_t last_null[ROWS] = { 1, 1, 1, 1, 0 };
static const int32_t i_values[ROWS] = { 1, 2, 3, -4, 0 };
static const int64_t l_values[ROWS] = { 10, 1000, INT64_MAX, INT64_MIN, 0 };
static const double d_values[ROWS] = { 0.5, (double)NAN, -0.0, (double)INFINITY, 0 };
static const float f_values[ROWS] = { 0.1f, 0.5f, -0.0f, (float)NAN, 0 };
static const cdc_i128 n_values[ROWS] = { 100, -5, 9999999, -9999999, 0 };
static const struct cdc_str s_values[ROWS] = {
	{ "abc", 3 }, { "ABC", 3 }, { "", 0 }, { "Zo\xc3\xab%", 5 }, { NULL, 0 }
};
static const struct cdc_str b_values[ROWS] = {
	{ "\0\xff", 2 }, { "", 0 }, { "abc", 3 }, { "\xff", 1 }, { NULL, 0 }
};
static const uint8_t o_values[ROWS] = { 1, 0, 1, 0, 0 };
/* 2020-01-01, 2020-01-02, 1969-12-31, 1970-01-01 */
static const int32_t day_values[ROWS] = { 18262, 18263, -1, 0, 0 };
/* 2020-01-01 00:00:00, and 1 us later; 1969-12-31 23:59:59.5; 2020-01-01 12:00:00 */
static const int64_t ts_values[ROWS] = { INT64_C(1577836800000000), INT64_C(1577836800000001),
					 -500000, INT64_C(1577880000000000), 0 };
/* 00:00:00, 12:00:00, 23:59:59.999999999, 12:00:00.000000001 */
static const int64_t tm_values[ROWS] = { 0, INT64_C(43200000000000), INT64_C(86399999999999),
					 INT64_C(43200000000001), 0 };
/* The epoch, and 1 ns around it */
static const cdc_i128 ns_values[ROWS] = { 0, 1, -1, INT64_C(1577836800000000000), 0 };
static const struct cdc_str u_values[ROWS] = {
	{ "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16 },
	{ "\xff\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16 },
	{ "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\x00", 16 },
	{ "\x80\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16 },
	{ NULL, 0 }
};

/* w is filled at run time: 10^27 * 10^10 needs more than 64 bits. */
static cdc_i128 w_values[ROWS];

static struct cdc_schema rows_schema(void)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	cdc_i128 big = INT64_C(1000000000000000000);

	if (cdc_schema_from_ddl(&s, cdc_str_z(rows_ddl), &err) < 0)
		fail_msg("%s", err.msg);
	s.field[TM].type = CDC_TYPE_TIME;
	s.field[NS].type = CDC_TYPE_TIMESTAMP_NS;
	s.field[U].type = CDC_TYPE_UUID;
	s.field[Z].type = CDC_TYPE_VOID;
	w_values[0] = INT64_C(10000000000); /* 1 */
	w_values[1] = INT64_C(10000000001); /* 1 and a little */
	w_values[2] = big * 10 * big; /* 10^27 */
	w_values[3] = -w_values[2];
	return s;
}

static const void *rows_values(int column)
{
	const void *const values[COLUMNS] = { i_values,	  l_values,  d_values, f_values,
					      n_values,	  s_values,  b_values, o_values,
					      day_values, ts_values, w_values, i_values,
					      tm_values,  ns_values, u_values, NULL };

	return values[column];
}

static void outcomes_of(const struct cdc_schema *s, const char *predicate, char out[ROWS + 1])
{
	static const uint8_t nulls[ROWS];
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_where *w;
	struct cdc_filter *f;
	struct cdc_column column[COLUMNS];
	struct cdc_batch b = { .rows = ROWS, .column = column };
	uint8_t result[ROWS];
	const int *field;

	if (cdc_where_parse(&w, cdc_str_z(predicate), &err) < 0)
		fail_msg("%s: %s", predicate, err.msg);
	if (cdc_filter_new(&f, w, s, &err) < 0)
		fail_msg("%s: %s", predicate, err.msg);
	field = cdc_filter_columns(f, &b.num_columns);
	for (int i = 0; i < b.num_columns; i++)
		column[i] = (struct cdc_column){ &s->field[field[i]], rows_values(field[i]),
						 field[i] == Z ? nulls : last_null, NULL };
	assert_int_equal(cdc_filter_eval(f, &b, result, &err), 0);
	for (int i = 0; i < ROWS; i++)
		out[i] = result[i] < 3 ? "01?"[result[i]] : 'x';
	out[ROWS] = 0;
	cdc_filter_free(f);
	cdc_where_free(w);
}

static inline void expect(const struct cdc_schema *s, const char *predicate, const char *want)
{
	char got[ROWS + 1];

	outcomes_of(s, predicate, got);
	if (strcmp(got, want) != 0)
		fail_msg("%s: %s, not %s", predicate, got, want);
}

#endif
