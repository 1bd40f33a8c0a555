/*
 * Expressions from anyone: no crash, no hang; values lie in the range of their type; a row has the
 * same value alone as among others; and a condition that --where knows too means the same there.
 */
#include "table/batch/batch_rows.h"
#include "table/expr/expr.h"
#include "table/where/where.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define ROWS 4 /* the last is null */
#define COLUMNS 13
#define NOW INT64_C(1614834367000000)

static const uint8_t valid[ROWS] = { 1, 1, 1, 0 };
static const uint8_t flags[ROWS] = { 0, 1, 1, 0 };
static const int32_t ints[ROWS] = { -1, 0, 18262, 0 };
static const int32_t bytes[ROWS] = { -128, 1, 127, 0 };
static const int64_t longs[ROWS] = { INT64_MIN, 7, INT64_MAX, 0 };
static const float floats[ROWS] = { -0.5f, 0, 3e38f, 0 };
static const double doubles[ROWS] = { -0.0, 0.1, 1e308, 0 };
static const cdc_i128 wides[ROWS] = { -9999999, 5, 9999999, 0 };
static const struct cdc_str strings[ROWS] = {
	{ "", 0 }, { "2020-01-01", 10 }, { " \xc3\xab_\xff", 5 }, { NULL, 0 }
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static struct cdc_schema every_type(void)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	check(cdc_schema_from_ddl(&s,
				  CDC_STR("b BOOLEAN, k INT, y DATE, l BIGINT, t TIMESTAMP, "
					  "u TIMESTAMP_NTZ, f FLOAT, d DOUBLE, m DECIMAL(7,2), "
					  "o DECIMAL(38,3), s STRING, x BINARY, i TINYINT"),
				  &err) == CDC_OK);
	check(s.num_fields == COLUMNS);
	return s;
}

static const void *values_of(const struct cdc_field *f)
{
	if (f->type == CDC_TYPE_FLOAT)
		return floats;
	if (f->type == CDC_TYPE_DOUBLE)
		return doubles;
	if (f->type == CDC_TYPE_DECIMAL)
		return wides;
	if (f->type == CDC_TYPE_STRING || f->type == CDC_TYPE_BINARY)
		return strings;
	if (f->type == CDC_TYPE_BYTE)
		return bytes;
	return f->type == CDC_TYPE_BOOLEAN   ? (const void *)flags
	       : cdc_type_size(f->type) == 4 ? (const void *)ints
					     : (const void *)longs;
}

static void columns_from(const struct cdc_schema *s, uint32_t row, struct cdc_column *column)
{
	for (int i = 0; i < COLUMNS; i++) {
		const struct cdc_field *f = &s->field[i];

		column[i] = (struct cdc_column){ f,
						 (const char *)values_of(f) +
							 row * cdc_type_size(f->type),
						 valid + row, NULL };
	}
}

static uint8_t state_at(const struct cdc_column *c, uint32_t row)
{
	return c->valid ? c->valid[row] : CDC_ROW_VALUE;
}

static void check_range(const struct cdc_field *f, const union cdc_value *v)
{
	cdc_i128 limit = 1;

	for (int i = 0; f->type == CDC_TYPE_DECIMAL && i < f->precision; i++)
		limit *= 10;
	if (f->type == CDC_TYPE_DECIMAL)
		check(v->dec < limit && v->dec > -limit);
	if (f->type == CDC_TYPE_BYTE)
		check(v->i >= INT8_MIN && v->i <= INT8_MAX);
	if (f->type == CDC_TYPE_BOOLEAN)
		check(v->i == 0 || v->i == 1);
}

static bool same(const struct cdc_field *f, const union cdc_value *a, const union cdc_value *b)
{
	if (f->type == CDC_TYPE_STRING || f->type == CDC_TYPE_BINARY)
		return cdc_str_eq(a->s, b->s);
	if (f->type == CDC_TYPE_FLOAT || f->type == CDC_TYPE_DOUBLE)
		return memcmp(&a->d, &b->d, sizeof(a->d)) == 0 || (a->d != a->d && b->d != b->d);
	return f->type == CDC_TYPE_DECIMAL ? a->dec == b->dec : a->i == b->i;
}

/* The whole batch by one of two equal expressions, each row alone by the other. */
static void try_rows(struct cdc_expr *e, struct cdc_expr *twin, const struct cdc_schema *s,
		     uint8_t *outcome)
{
	struct cdc_column all[COLUMNS];
	struct cdc_column one[COLUMNS];
	struct cdc_batch b = { .rows = ROWS, .num_columns = COLUMNS, .column = all };
	struct cdc_batch single = { .rows = 1, .num_columns = COLUMNS, .column = one };
	const struct cdc_field *f = cdc_expr_type(e);
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_column got;
	struct cdc_column alone;

	columns_from(s, 0, all);
	check(cdc_expr_eval(e, &b, NOW, &got, &err) == CDC_OK);
	for (uint32_t row = 0; row < ROWS; row++) {
		union cdc_value v[2];

		columns_from(s, row, one);
		check(cdc_expr_eval(twin, &single, NOW, &alone, &err) == CDC_OK);
		check(state_at(&got, row) == state_at(&alone, 0));
		outcome[row] = CDC_UNKNOWN;
		if (state_at(&got, row) != CDC_ROW_VALUE) {
			outcome[row] = state_at(&got, row) == CDC_ROW_NULL ? CDC_UNKNOWN : 3;
			continue;
		}
		v[0] = cdc_value_load(f->type, got.values, row);
		v[1] = cdc_value_load(f->type, alone.values, 0);
		check(same(f, &v[0], &v[1]));
		check_range(f, &v[0]);
		if (f->type == CDC_TYPE_BOOLEAN)
			outcome[row] = (uint8_t)v[0].i;
	}
}

/* 1e3 is a double here, and an exact number there. */
static bool has_exponent(const uint8_t *data, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if ((data[i] | 0x20) == 'e' &&
		    (data[i - 1] == '.' || (data[i - 1] >= '0' && data[i - 1] <= '9')))
			return true;
	}
	return false;
}

static void try_filter(struct cdc_str text, const struct cdc_schema *s, const uint8_t *outcome)
{
	struct cdc_column column[COLUMNS];
	struct cdc_batch b = { .rows = ROWS, .column = column };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_where *w = NULL;
	struct cdc_filter *f = NULL;
	uint8_t out[ROWS];
	const int *used;

	if (cdc_where_parse(&w, text, &err) == CDC_OK && cdc_filter_new(&f, w, s, &err) == CDC_OK) {
		used = cdc_filter_columns(f, &b.num_columns);
		for (int i = 0; i < b.num_columns; i++)
			column[i] =
				(struct cdc_column){ &s->field[used[i]],
						     values_of(&s->field[used[i]]), valid, NULL };
		check(cdc_filter_eval(f, &b, out, &err) == CDC_OK);
		check(memcmp(out, outcome, ROWS) == 0);
	}
	cdc_filter_free(f);
	cdc_where_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct cdc_schema schema;
	const struct cdc_str text = cdc_str((const char *)data, n);
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_expr *e = NULL;
	struct cdc_expr *twin = NULL;
	uint8_t outcome[ROWS];

	if (!schema.num_fields)
		schema = every_type();
	if (cdc_expr_new(&e, text, &schema, &err) < 0) {
		check(err.code == CDC_EUNSUPPORTED);
		return 0;
	}
	check(cdc_expr_new(&twin, text, &schema, &err) == CDC_OK);
	try_rows(e, twin, &schema, outcome);
	if (cdc_expr_type(e)->type == CDC_TYPE_BOOLEAN && !has_exponent(data, n))
		try_filter(text, &schema, outcome);
	for (int i = 0; i < COLUMNS; i++) {
		if (cdc_expr_assign(e, &schema.field[i], &err) == CDC_OK) {
			check(cdc_expr_assign(twin, &schema.field[i], &err) == CDC_OK);
			try_rows(e, twin, &schema, outcome);
		}
	}
	cdc_expr_free(e);
	cdc_expr_free(twin);
	return 0;
}
