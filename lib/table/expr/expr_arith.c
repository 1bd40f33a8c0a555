/*
 * Arithmetic: the types that operators give, and the functions of rows behind them.
 */
#include "table/expr/expr_int.h"

#include <math.h>

/* ------------------------------------------------------------------ types */

bool cdc_expr_in_range(enum cdc_type t, cdc_i128 v)
{
	static const int64_t greatest[] = { [CDC_TYPE_BYTE] = INT8_MAX,
					    [CDC_TYPE_SHORT] = INT16_MAX,
					    [CDC_TYPE_INTEGER] = INT32_MAX,
					    [CDC_TYPE_LONG] = INT64_MAX };

	return v <= greatest[t] && v >= -(cdc_i128)greatest[t] - 1;
}

static struct cdc_field decimal_of(enum cdc_type t)
{
	static const uint8_t digits[] = { [CDC_TYPE_BYTE] = 3,
					  [CDC_TYPE_SHORT] = 5,
					  [CDC_TYPE_INTEGER] = 10,
					  [CDC_TYPE_LONG] = 20 };

	return (struct cdc_field){ .type = CDC_TYPE_DECIMAL, .precision = digits[t] };
}

cdc_i128 cdc_expr_pow10(int n)
{
	cdc_i128 v = 1;

	while (n-- > 0)
		v *= 10;
	return v;
}

/* ------------------------------------------------------------------ integers */

static bool put_integer(struct cdc_expr_row *r, cdc_i128 v)
{
	r->out.i = (int64_t)v;
	return cdc_expr_in_range(r->node->type.type, v);
}

static bool add_integers(struct cdc_expr_row *r)
{
	return put_integer(r, (cdc_i128)r->arg[0].i + r->arg[1].i);
}

static bool subtract_integers(struct cdc_expr_row *r)
{
	return put_integer(r, (cdc_i128)r->arg[0].i - r->arg[1].i);
}

static bool multiply_integers(struct cdc_expr_row *r)
{
	return put_integer(r, (cdc_i128)r->arg[0].i * r->arg[1].i);
}

static bool remainder_integers(struct cdc_expr_row *r)
{
	if (!r->arg[1].i)
		return false;
	r->out.i = r->arg[1].i == -1 ? 0 : r->arg[0].i % r->arg[1].i;
	return true;
}

static bool negate_integer(struct cdc_expr_row *r)
{
	return put_integer(r, -(cdc_i128)r->arg[0].i);
}

bool cdc_fn_abs_integer(struct cdc_expr_row *r)
{
	cdc_i128 v = r->arg[0].i;

	return put_integer(r, v < 0 ? -v : v);
}

/* ------------------------------------------------------------------ decimals */

/* The precision of the result has room for any sum and product: see decimal_result. */
static bool add_decimals(struct cdc_expr_row *r)
{
	r->out.dec = r->arg[0].dec + r->arg[1].dec;
	return true;
}

static bool subtract_decimals(struct cdc_expr_row *r)
{
	r->out.dec = r->arg[0].dec - r->arg[1].dec;
	return true;
}

static bool multiply_decimals(struct cdc_expr_row *r)
{
	r->out.dec = r->arg[0].dec * r->arg[1].dec;
	return true;
}

static bool negate_decimal(struct cdc_expr_row *r)
{
	r->out.dec = -r->arg[0].dec;
	return true;
}

bool cdc_fn_abs_decimal(struct cdc_expr_row *r)
{
	r->out.dec = r->arg[0].dec < 0 ? -r->arg[0].dec : r->arg[0].dec;
	return true;
}

/* ------------------------------------------------------------------ doubles and floats */

static bool put_double(struct cdc_expr_row *r, double v)
{
	r->out.d = r->node->type.type == CDC_TYPE_FLOAT ? (double)(float)v : v;
	return true;
}

/* Of two floats in double, rounded once more: the nearest float, since 53 >= 2 * 24 + 2. */
static bool add_doubles(struct cdc_expr_row *r)
{
	return put_double(r, r->arg[0].d + r->arg[1].d);
}

static bool subtract_doubles(struct cdc_expr_row *r)
{
	return put_double(r, r->arg[0].d - r->arg[1].d);
}

static bool multiply_doubles(struct cdc_expr_row *r)
{
	return put_double(r, r->arg[0].d * r->arg[1].d);
}

static bool divide_doubles(struct cdc_expr_row *r)
{
	return r->arg[1].d != 0 && put_double(r, r->arg[0].d / r->arg[1].d);
}

static bool remainder_doubles(struct cdc_expr_row *r)
{
	return r->arg[1].d != 0 && put_double(r, fmod(r->arg[0].d, r->arg[1].d));
}

static bool negate_double(struct cdc_expr_row *r)
{
	return put_double(r, -r->arg[0].d);
}

bool cdc_fn_abs_double(struct cdc_expr_row *r)
{
	return put_double(r, fabs(r->arg[0].d));
}

/* ------------------------------------------------------------------ operators */

struct operators {
	char sign;
	cdc_expr_fn *integers;
	cdc_expr_fn *decimals;
	cdc_expr_fn *doubles;
};

static const struct operators binary[] = {
	{ '+', add_integers, add_decimals, add_doubles },
	{ '-', subtract_integers, subtract_decimals, subtract_doubles },
	{ '*', multiply_integers, multiply_decimals, multiply_doubles },
	{ '/', NULL, NULL, divide_doubles },
	{ '%', remainder_integers, NULL, remainder_doubles },
};

static const struct operators unary = { '-', negate_integer, negate_decimal, negate_double };

static const struct operators *find_binary(char sign)
{
	for (size_t i = 0; i < sizeof(binary) / sizeof(binary[0]); i++) {
		if (binary[i].sign == sign)
			return &binary[i];
	}
	return NULL;
}

static int count_digits(int64_t v)
{
	int n = 1;

	while (v /= 10)
		n++;
	return n;
}

struct cdc_field cdc_expr_as_decimal(const struct cdc_expr_node *n)
{
	struct cdc_field f = n->type;

	if (f.type == CDC_TYPE_DECIMAL)
		return f;
	f = decimal_of(f.type);
	if (n->is_literal)
		f.precision = count_digits(n->value.i);
	return f;
}

/* The type of a sum or a product of decimals; false: Spark might round it. */
static bool decimal_result(char sign, const struct cdc_field *a, const struct cdc_field *b,
			   struct cdc_field *out)
{
	int whole_a = a->precision - a->scale;
	int whole_b = b->precision - b->scale;

	*out = (struct cdc_field){ .type = CDC_TYPE_DECIMAL };
	if (sign == '*') {
		out->scale = a->scale + b->scale;
		out->precision = a->precision + b->precision + 1;
	} else {
		out->scale = a->scale > b->scale ? a->scale : b->scale;
		out->precision = (whole_a > whole_b ? whole_a : whole_b) + out->scale + 1;
	}
	return out->precision <= 38;
}

static int bind_decimals(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			 const struct operators *op, struct cdc_expr_node **arg,
			 struct cdc_field *type)
{
	struct cdc_field field[2] = { cdc_expr_as_decimal(arg[0]), cdc_expr_as_decimal(arg[1]) };
	int rc = CDC_OK;

	if (!op->decimals)
		return cdc_expr_refuse(b, n, "decimals are not divided here");
	if (!decimal_result(op->sign, &field[0], &field[1], type))
		return cdc_expr_refuse(b, n, "a decimal of more than 38 digits");
	for (int i = 0; i < 2 && rc == CDC_OK; i++) {
		if (op->sign != '*')
			field[i].precision += type->scale - field[i].scale;
		if (op->sign != '*')
			field[i].scale = type->scale;
		rc = cdc_expr_cast(b, &field[i], &arg[i]);
	}
	return rc;
}

/* FLOAT beside an integer is FLOAT or DOUBLE, depending on a setting of Spark. */
static int bind_doubles(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			const struct operators *op, struct cdc_expr_node **arg,
			struct cdc_field *type)
{
	enum cdc_type x = arg[0]->type.type;
	enum cdc_type y = arg[1]->type.type;
	bool floats = x == CDC_TYPE_FLOAT && y == CDC_TYPE_FLOAT && op->sign != '/';
	int rc;

	if ((x == CDC_TYPE_FLOAT && cdc_expr_is_integer(y)) ||
	    (y == CDC_TYPE_FLOAT && cdc_expr_is_integer(x)))
		return cdc_expr_refuse(b, n, "FLOAT and an integer: use CAST");
	*type = (struct cdc_field){ .type = floats ? CDC_TYPE_FLOAT : CDC_TYPE_DOUBLE };
	rc = cdc_expr_cast(b, type, &arg[0]);
	return rc < 0 ? rc : cdc_expr_cast(b, type, &arg[1]);
}

static bool is_number(enum cdc_type t)
{
	return cdc_expr_is_integer(t) || cdc_expr_is_float(t) || t == CDC_TYPE_DECIMAL;
}

static int bind_binary(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		       const struct operators *op, struct cdc_expr_node **arg,
		       struct cdc_field *type, cdc_expr_fn **fn)
{
	enum cdc_type x = arg[0]->type.type;
	enum cdc_type y = arg[1]->type.type;

	if (!is_number(x) || !is_number(y))
		return cdc_expr_refuse(b, n, "only numbers are computed with");
	if (cdc_expr_is_float(x) || cdc_expr_is_float(y) ||
	    (op->sign == '/' && cdc_expr_is_integer(x) && cdc_expr_is_integer(y))) {
		*fn = op->doubles;
		return bind_doubles(b, n, op, arg, type);
	}
	if (x == CDC_TYPE_DECIMAL || y == CDC_TYPE_DECIMAL) {
		*fn = op->decimals;
		return bind_decimals(b, n, op, arg, type);
	}
	*fn = op->integers;
	*type = (struct cdc_field){ .type = x > y ? x : y };
	return CDC_OK;
}

int cdc_expr_bind_arithmetic(struct cdc_expr_binder *b, const struct cdc_where_node *n, char sign,
			     struct cdc_expr_node **arg, int num_args, struct cdc_expr_node **out)
{
	struct cdc_field type = arg[0]->type;
	cdc_expr_fn *fn = cdc_expr_is_integer(type.type) ? unary.integers
			  : cdc_expr_is_float(type.type) ? unary.doubles
							 : unary.decimals;
	int rc = CDC_OK;

	if (num_args == 2)
		rc = bind_binary(b, n, find_binary(sign), arg, &type, &fn);
	else if (!is_number(type.type))
		rc = cdc_expr_refuse(b, n, "only numbers have a sign");
	if (rc == CDC_OK && num_args == 1 && sign == '+') {
		*out = arg[0];
		return CDC_OK;
	}
	if (rc == CDC_OK)
		rc = cdc_expr_node(b, CDC_EXPR_CALL, type.type, n, num_args, out);
	if (rc < 0)
		return rc;
	(*out)->type = type;
	(*out)->fn = fn;
	for (int i = 0; i < num_args; i++)
		(*out)->arg[i] = arg[i];
	return CDC_OK;
}
