/*
 * Predicates from anyone: no crash, no hang; each row is false, true or unknown; and the outcomes
 * that bounds of the rows allow have all that occur among them.
 */
#include "table/where/where.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define ROWS 4 /* the last is null */

static const uint8_t valid[ROWS] = { 1, 1, 1, 0 };
static const uint8_t flags[ROWS] = { 0, 1, 1, 0 };
static const int32_t ints[ROWS] = { -1, 0, 18262, 0 };
static const int64_t longs[ROWS] = { INT64_MIN, 7, INT64_MAX, 0 };
static const float floats[ROWS] = { -0.5f, 0, 3e38f, 0 };
static const double doubles[ROWS] = { -0.0, 0.1, 1e308, 0 };
static const cdc_i128 wides[ROWS] = { -9999999, 5, 9999999, 0 };
static const struct cdc_str strings[ROWS] = {
	{ "", 0 }, { "ab%", 3 }, { "\xc3\xab_b", 4 }, { NULL, 0 }
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
					  "f FLOAT, d DOUBLE, m DECIMAL(7,2), o DECIMAL(38,3), "
					  "s STRING, x BINARY"),
				  &err) == CDC_OK);
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
	return f->type == CDC_TYPE_BOOLEAN   ? (const void *)flags
	       : cdc_type_size(f->type) == 4 ? (const void *)ints
					     : (const void *)longs;
}

static union cdc_value value_of(const struct cdc_field *f, int row)
{
	union cdc_value v = { .dec = 0 };

	if (f->type == CDC_TYPE_FLOAT)
		v.d = (double)floats[row];
	else if (f->type == CDC_TYPE_DOUBLE)
		v.d = doubles[row];
	else if (f->type == CDC_TYPE_DECIMAL)
		v.dec = wides[row];
	else if (f->type == CDC_TYPE_STRING || f->type == CDC_TYPE_BINARY)
		v.s = strings[row];
	else
		v.i = f->type == CDC_TYPE_BOOLEAN   ? flags[row]
		      : cdc_type_size(f->type) == 4 ? ints[row]
						    : longs[row];
	return v;
}

/* All rows are in order, but for null. */
static void give(void *ctx, int column, struct cdc_bounds *b)
{
	const struct cdc_field *const *field = ctx;

	b->has_min = b->has_max = true;
	b->min = value_of(field[column], 0);
	b->max = value_of(field[column], 2);
}

static void try_filter(struct cdc_filter *f, const struct cdc_schema *s)
{
	const struct cdc_field *field[16];
	const struct cdc_facts facts = { field, give, NULL };
	struct cdc_column column[16];
	struct cdc_batch b = { .rows = ROWS, .column = column };
	struct cdc_err err = CDC_ERR_INIT;
	uint8_t out[ROWS];
	const int *used = cdc_filter_columns(f, &b.num_columns);
	unsigned allowed;

	for (int i = 0; i < b.num_columns; i++) {
		field[i] = &s->field[used[i]];
		column[i] = (struct cdc_column){ field[i], values_of(field[i]), valid, NULL };
	}
	check(cdc_filter_eval(f, &b, out, &err) == CDC_OK);
	allowed = cdc_filter_outcomes(f, &facts);
	for (int i = 0; i < ROWS; i++)
		check(out[i] <= CDC_UNKNOWN && allowed & CDC_OUTCOME(out[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct cdc_schema schema;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_where *w = NULL;
	struct cdc_filter *f = NULL;

	if (!schema.num_fields)
		schema = every_type();
	if (cdc_where_parse(&w, cdc_str((const char *)data, n), &err) == CDC_OK) {
		if (cdc_filter_new(&f, w, &schema, &err) == CDC_OK)
			try_filter(f, &schema);
		else
			check(err.code == CDC_EUSAGE);
	} else {
		check(err.code == CDC_EUSAGE);
	}
	cdc_filter_free(f);
	cdc_where_free(w);
	return 0;
}
