/*
 * Columns compared with columns: numbers exactly whatever their types, dates and timestamps as
 * nanoseconds, the rest within its type.
 */
#include "table/where/where_tree.h"

#define NS_PER_US 1000
#define NS_PER_DAY INT64_C(86400000000000)

enum group { GROUP_NONE, GROUP_NUMBER, GROUP_INSTANT, GROUP_BOOLEAN, GROUP_TIME, GROUP_BYTES };

static enum group group_of(enum cdc_type t)
{
	static const uint8_t group[] = {
		[CDC_TYPE_BOOLEAN] = GROUP_BOOLEAN,
		[CDC_TYPE_BYTE] = GROUP_NUMBER,
		[CDC_TYPE_SHORT] = GROUP_NUMBER,
		[CDC_TYPE_INTEGER] = GROUP_NUMBER,
		[CDC_TYPE_LONG] = GROUP_NUMBER,
		[CDC_TYPE_FLOAT] = GROUP_NUMBER,
		[CDC_TYPE_DOUBLE] = GROUP_NUMBER,
		[CDC_TYPE_DECIMAL] = GROUP_NUMBER,
		[CDC_TYPE_STRING] = GROUP_BYTES,
		[CDC_TYPE_BINARY] = GROUP_BYTES,
		[CDC_TYPE_DATE] = GROUP_INSTANT,
		[CDC_TYPE_TIMESTAMP] = GROUP_INSTANT,
		[CDC_TYPE_TIMESTAMP_NTZ] = GROUP_INSTANT,
		[CDC_TYPE_TIME] = GROUP_TIME,
		[CDC_TYPE_TIMESTAMP_NS] = GROUP_INSTANT,
		[CDC_TYPE_TIMESTAMP_NTZ_NS] = GROUP_INSTANT,
		[CDC_TYPE_UUID] = GROUP_BYTES,
		[CDC_TYPE_BIG_DECIMAL] = GROUP_NONE,
	};

	return (size_t)t < sizeof(group) ? (enum group)group[t] : GROUP_NONE;
}

bool cdc_columns_comparable(const struct cdc_field *a, const struct cdc_field *b)
{
	enum group g = group_of(a->type);

	return g != GROUP_NONE && g == group_of(b->type) &&
	       (g != GROUP_BYTES || a->type == b->type);
}

static bool is_float(const struct cdc_column *c)
{
	return c->field->type == CDC_TYPE_FLOAT || c->field->type == CDC_TYPE_DOUBLE;
}

static cdc_i128 load(const struct cdc_column *c, uint32_t row)
{
	switch (cdc_type_size(c->field->type)) {
	case 1:
		return ((const uint8_t *)c->values)[row];
	case 4:
		return ((const int32_t *)c->values)[row];
	case 8:
		return ((const int64_t *)c->values)[row];
	default:
		return ((const cdc_i128 *)c->values)[row];
	}
}

static cdc_i128 load_instant(const struct cdc_column *c, uint32_t row)
{
	enum cdc_type t = c->field->type;

	return load(c, row) * (t == CDC_TYPE_DATE					? NS_PER_DAY
			       : t == CDC_TYPE_TIMESTAMP || t == CDC_TYPE_TIMESTAMP_NTZ ? NS_PER_US
											: 1);
}

/* The nearest double; that of a decimal goes through its digits, so that it is rounded once. */
static double load_double(const struct cdc_column *c, uint32_t row)
{
	char text[CDC_VALUE_TEXT_MAX];
	double v = 0;
	size_t n;

	if (c->field->type == CDC_TYPE_DOUBLE)
		return ((const double *)c->values)[row];
	if (c->field->type == CDC_TYPE_FLOAT)
		return (double)((const float *)c->values)[row];
	if (c->field->type != CDC_TYPE_DECIMAL)
		return (double)(int64_t)load(c, row);
	n = cdc_decimal_format(load(c, row), c->field->scale, text);
	(void)cdc_double_parse(cdc_str(text, n), &v);
	return v;
}

static int cmp_wide(cdc_i128 a, cdc_i128 b)
{
	return (a > b) - (a < b);
}

/* a / 10^more with b: by division, which cannot overflow. */
static int cmp_scaled(cdc_i128 a, int more, cdc_i128 b)
{
	cdc_i128 power = 1;
	cdc_i128 rest;

	while (more-- > 0)
		power *= 10;
	rest = a % power;
	a = a / power - (rest < 0);
	return a == b ? rest != 0 : cmp_wide(a, b);
}

static int scale_of(const struct cdc_column *c)
{
	return c->field->type == CDC_TYPE_DECIMAL ? c->field->scale : 0;
}

static int cmp_numbers(const struct cdc_column *a, const struct cdc_column *b, uint32_t row)
{
	int more = scale_of(a) - scale_of(b);

	if (is_float(a) || is_float(b))
		return cmp_wide(cdc_where_double_key(load_double(a, row)),
				cdc_where_double_key(load_double(b, row)));
	return more >= 0 ? cmp_scaled(load(a, row), more, load(b, row))
			 : -cmp_scaled(load(b, row), -more, load(a, row));
}

static int cmp_rows(enum group g, const struct cdc_column *a, const struct cdc_column *b,
		    uint32_t row)
{
	if (g == GROUP_NUMBER)
		return cmp_numbers(a, b, row);
	if (g == GROUP_INSTANT)
		return cmp_wide(load_instant(a, row), load_instant(b, row));
	if (g == GROUP_BYTES)
		return cdc_str_cmp(((const struct cdc_str *)a->values)[row],
				   ((const struct cdc_str *)b->values)[row]);
	return cmp_wide(load(a, row), load(b, row));
}

#define COMPARE_INTEGERS(name, type)                                                               \
	static void name(const void *a, const void *b, enum cdc_where_op op, uint32_t rows,        \
			 uint8_t *out)                                                             \
	{                                                                                          \
		const type *x = a;                                                                 \
		const type *y = b;                                                                 \
                                                                                                   \
		if (op == CDC_OP_EQ) {                                                             \
			for (uint32_t i = 0; i < rows; i++)                                        \
				out[i] = x[i] == y[i];                                             \
		} else if (op == CDC_OP_LT) {                                                      \
			for (uint32_t i = 0; i < rows; i++)                                        \
				out[i] = x[i] < y[i];                                              \
		} else {                                                                           \
			for (uint32_t i = 0; i < rows; i++)                                        \
				out[i] = x[i] <= y[i];                                             \
		}                                                                                  \
	}

COMPARE_INTEGERS(compare_32, int32_t)
COMPARE_INTEGERS(compare_64, int64_t)

/* Integers of one width and unit. */
static bool same_integers(const struct cdc_column *a, const struct cdc_column *b, size_t size)
{
	return cdc_type_size(a->field->type) == size && cdc_type_size(b->field->type) == size &&
	       group_of(a->field->type) == group_of(b->field->type) && !is_float(a) && !is_float(b);
}

void cdc_columns_compare(const struct cdc_column *a, const struct cdc_column *b,
			 enum cdc_where_op op, const uint8_t *valid, uint32_t rows, uint8_t *out)
{
	enum group g = group_of(a->field->type);

	if (same_integers(a, b, 4)) {
		compare_32(a->values, b->values, op, rows, out);
		return;
	}
	if (same_integers(a, b, 8)) {
		compare_64(a->values, b->values, op, rows, out);
		return;
	}
	for (uint32_t i = 0; i < rows; i++) {
		int c = valid && !valid[i] ? 0 : cmp_rows(g, a, b, i);

		out[i] = op == CDC_OP_EQ ? c == 0 : op == CDC_OP_LT ? c < 0 : c <= 0;
	}
}
