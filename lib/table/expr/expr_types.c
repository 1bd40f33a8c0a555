/*
 * Literals, and what values of different types have to do with each other: which can be compared,
 * and which type is common to both.
 */
#include "table/expr/expr_int.h"

/* ------------------------------------------------------------------ literals */

/* A doubled quote and a backslash mean one thing or another, depending on version and setting. */
bool cdc_expr_is_plain_text(const struct cdc_where_node *n)
{
	return n->text.n == n->value.n + 2 &&
	       (!n->value.n || !memchr(n->value.p, '\\', n->value.n));
}

/* Precision and scale of digits with a point among them, or none. */
static bool decimal_type(struct cdc_str s, struct cdc_field *out)
{
	int digits = 0;
	int scale = 0;
	bool point = false;

	for (size_t i = 0; i < s.n && digits <= 38 && scale <= 38; i++) {
		point = point || s.p[i] == '.';
		if (s.p[i] < '0' || s.p[i] > '9')
			continue;
		digits += digits || s.p[i] != '0';
		scale += point;
	}
	digits = digits < scale ? scale : digits;
	*out = (struct cdc_field){ .type = CDC_TYPE_DECIMAL,
				   .precision = digits ? digits : 1,
				   .scale = scale };
	return digits <= 38;
}

/* The suffix that tells the type is taken off. CDC_TYPE_VOID: there is none. */
static enum cdc_type take_suffix(struct cdc_str *s)
{
	static const struct {
		struct cdc_str suffix;
		enum cdc_type type;
	} types[] = {
		{ { "bd", 2 }, CDC_TYPE_DECIMAL }, { { "l", 1 }, CDC_TYPE_LONG },
		{ { "s", 1 }, CDC_TYPE_SHORT },	   { { "y", 1 }, CDC_TYPE_BYTE },
		{ { "d", 1 }, CDC_TYPE_DOUBLE },   { { "f", 1 }, CDC_TYPE_FLOAT },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct cdc_str x = types[i].suffix;

		if (s->n > x.n && cdc_str_ieq(cdc_str(s->p + s->n - x.n, x.n), x)) {
			s->n -= x.n;
			return types[i].type;
		}
	}
	return CDC_TYPE_VOID;
}

/* The type of a number without a suffix. */
static enum cdc_type plain_type(struct cdc_str s)
{
	int64_t v;

	if (memchr(s.p, 'e', s.n) || memchr(s.p, 'E', s.n))
		return CDC_TYPE_DOUBLE;
	if (memchr(s.p, '.', s.n) || cdc_int64_parse(s, &v) != CDC_PARSE_OK)
		return CDC_TYPE_DECIMAL;
	return cdc_expr_in_range(CDC_TYPE_INTEGER, v) ? CDC_TYPE_INTEGER : CDC_TYPE_LONG;
}

static bool read_number(struct cdc_str s, struct cdc_field *type, union cdc_value *v)
{
	enum cdc_type plain = plain_type(s);
	float f = 0;
	bool ok;

	if (type->type == CDC_TYPE_DOUBLE)
		return cdc_double_parse(s, &v->d) == CDC_PARSE_OK;
	if (type->type == CDC_TYPE_FLOAT) {
		ok = cdc_float_parse(s, &f) == CDC_PARSE_OK;
		v->d = (double)f;
		return ok;
	}
	if (type->type == CDC_TYPE_DECIMAL)
		return plain != CDC_TYPE_DOUBLE && decimal_type(s, type) &&
		       cdc_decimal_parse(s, 38, type->scale, &v->dec) == CDC_PARSE_OK;
	return cdc_expr_is_integer(plain) && cdc_int64_parse(s, &v->i) == CDC_PARSE_OK &&
	       cdc_expr_in_range(type->type, v->i);
}

static int bind_number(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		       struct cdc_expr_node *out)
{
	struct cdc_str s = n->value;

	out->type.type = take_suffix(&s);
	if (out->type.type == CDC_TYPE_VOID)
		out->type.type = plain_type(s);
	/* Beside a decimal a BYTE counts by its type. */
	out->is_literal = out->type.type != CDC_TYPE_BYTE;
	return read_number(s, &out->type, &out->value)
		       ? CDC_OK
		       : cdc_expr_refuse(b, n, "a number out of range");
}

/* Text that stands for a date or a timestamp. */
static int bind_instant(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			struct cdc_expr_node **out)
{
	static const struct cdc_str ntz = { "timestamp_ntz", 13 };
	enum cdc_type type = n->literal == CDC_LIT_DATE ? CDC_TYPE_DATE : CDC_TYPE_TIMESTAMP;

	if (n->text.n > ntz.n && cdc_str_ieq(cdc_str(n->text.p, ntz.n), ntz))
		type = CDC_TYPE_TIMESTAMP_NTZ;
	(*out)->type.type = CDC_TYPE_STRING;
	(*out)->value.s = n->value;
	return cdc_expr_cast_type(b, type, out);
}

int cdc_expr_bind_literal(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			  struct cdc_expr_node **out)
{
	int rc = cdc_expr_node(b, CDC_EXPR_CONSTANT, CDC_TYPE_VOID, n, 0, out);
	struct cdc_expr_node *c = *out;

	if (rc < 0)
		return rc;
	c->is_literal = true;
	switch (n->literal) {
	case CDC_LIT_NULL:
		c->is_null = true;
		break;
	case CDC_LIT_TRUE:
	case CDC_LIT_FALSE:
		c->type.type = CDC_TYPE_BOOLEAN;
		c->value.i = n->literal == CDC_LIT_TRUE;
		break;
	case CDC_LIT_NUMBER:
		return bind_number(b, n, c);
	case CDC_LIT_STRING:
		c->type.type = CDC_TYPE_STRING;
		c->value.s = n->value;
		if (!cdc_expr_is_plain_text(n))
			return cdc_expr_refuse(b, n, "a backslash or a doubled quote in text");
		break;
	case CDC_LIT_BINARY:
		c->type.type = CDC_TYPE_BINARY;
		c->value.s = n->value;
		break;
	case CDC_LIT_DATE:
	case CDC_LIT_TIMESTAMP:
		return bind_instant(b, n, out);
	case CDC_LIT_TIME:
		return cdc_expr_refuse(b, n, "a time of day");
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ comparisons */

/* The decimal that holds all values of both; false: it has more than 38 digits. */
static bool wider_decimal(const struct cdc_field *a, const struct cdc_field *b,
			  struct cdc_field *out)
{
	int whole_a = a->precision - a->scale;
	int whole_b = b->precision - b->scale;

	*out = (struct cdc_field){ .type = CDC_TYPE_DECIMAL,
				   .scale = a->scale > b->scale ? a->scale : b->scale };
	out->precision = (whole_a > whole_b ? whole_a : whole_b) + out->scale;
	return out->precision <= 38;
}

#define FLOAT_EXACT (1 << 24) /* integers up to here are floats */

/* An integer as FLOAT or as DOUBLE is what Spark's settings tell: it must not matter. */
static bool is_exact_float(const struct cdc_expr_node *n)
{
	return n->type.type == CDC_TYPE_BYTE || n->type.type == CDC_TYPE_SHORT ||
	       (n->is_literal && n->value.i >= -FLOAT_EXACT && n->value.i <= FLOAT_EXACT);
}

static bool match_numbers(const struct cdc_expr_node *x, const struct cdc_expr_node *y, bool in)
{
	enum cdc_type a = x->type.type;
	enum cdc_type b = y->type.type;
	struct cdc_field decimal[2];
	struct cdc_field wider;

	/* One double in the list makes doubles of all that is compared. */
	if (in && cdc_expr_is_float(b) && a != CDC_TYPE_DOUBLE && a != b)
		return false;
	if (a == CDC_TYPE_FLOAT && cdc_expr_is_integer(b))
		return is_exact_float(y);
	if (b == CDC_TYPE_FLOAT && cdc_expr_is_integer(a))
		return is_exact_float(x);
	if (cdc_expr_is_float(a) || cdc_expr_is_float(b) ||
	    (a != CDC_TYPE_DECIMAL && b != CDC_TYPE_DECIMAL))
		return true;
	decimal[0] = cdc_expr_as_decimal(x);
	decimal[1] = cdc_expr_as_decimal(y);
	return wider_decimal(&decimal[0], &decimal[1], &wider);
}

static bool is_number(enum cdc_type t)
{
	return cdc_expr_is_integer(t) || cdc_expr_is_float(t) || t == CDC_TYPE_DECIMAL;
}

/* Text that is written down beside a date or a timestamp is one. */
static int match_text(struct cdc_expr_binder *b, const struct cdc_field *with, bool in,
		      struct cdc_expr_node **node)
{
	const struct cdc_expr_node *n = *node;
	bool date = with->type == CDC_TYPE_DATE;

	if (!n->is_literal || n->type.type != CDC_TYPE_STRING ||
	    (!date && (in || !cdc_expr_is_instant(with->type))))
		return CDC_OK;
	if (date && n->value.s.n != 10)
		return cdc_expr_refuse(b, n->source, "no plain date");
	return cdc_expr_cast_type(b, with->type, node);
}

/* A small integer that is written down beside a LONG: of one width they compare faster. */
static int match_widths(struct cdc_expr_binder *b, struct cdc_expr_node **x,
			struct cdc_expr_node **y)
{
	return (*x)->is_literal && (*x)->type.type == CDC_TYPE_INTEGER &&
			       (*y)->type.type == CDC_TYPE_LONG
		       ? cdc_expr_cast_type(b, CDC_TYPE_LONG, x)
		       : CDC_OK;
}

int cdc_expr_match(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		   struct cdc_expr_node **x, struct cdc_expr_node **y, bool in)
{
	int rc = match_text(b, &(*y)->type, in, x);
	const struct cdc_field *a;
	const struct cdc_field *c;

	if (rc == CDC_OK)
		rc = match_text(b, &(*x)->type, in, y);
	if (rc < 0)
		return rc;
	rc = match_widths(b, x, y);
	if (rc == CDC_OK)
		rc = match_widths(b, y, x);
	if (rc < 0)
		return rc;
	a = &(*x)->type;
	c = &(*y)->type;
	if (a->type == CDC_TYPE_VOID || c->type == CDC_TYPE_VOID)
		return CDC_OK;
	if (!cdc_columns_comparable(a, c) ||
	    (is_number(a->type) && is_number(c->type) && !match_numbers(*x, *y, in)))
		return cdc_expr_refuse(b, n, "types that are not compared here");
	return CDC_OK;
}

/* ------------------------------------------------------------------ a common type */

/* The type that Spark gives to either of two values; false: it is not known here. */
static bool common_type(const struct cdc_field *a, const struct cdc_field *b, struct cdc_field *out)
{
	struct cdc_expr_node x = { .type = *a };
	struct cdc_expr_node y = { .type = *b };
	struct cdc_field decimal[2];

	*out = a->type == CDC_TYPE_VOID ? *b : *a;
	if (a->type == CDC_TYPE_VOID || b->type == CDC_TYPE_VOID || cdc_expr_same_type(a, b))
		return true;
	if (!is_number(a->type) || !is_number(b->type))
		return false;
	if (cdc_expr_is_float(a->type) || cdc_expr_is_float(b->type)) {
		*out = (struct cdc_field){ .type = CDC_TYPE_DOUBLE };
		return (a->type != CDC_TYPE_FLOAT || !cdc_expr_is_integer(b->type)) &&
		       (b->type != CDC_TYPE_FLOAT || !cdc_expr_is_integer(a->type));
	}
	if (a->type != CDC_TYPE_DECIMAL && b->type != CDC_TYPE_DECIMAL) {
		*out = (struct cdc_field){ .type = a->type > b->type ? a->type : b->type };
		return true;
	}
	decimal[0] = cdc_expr_as_decimal(&x);
	decimal[1] = cdc_expr_as_decimal(&y);
	return wider_decimal(&decimal[0], &decimal[1], out);
}

/* The arguments that are values: each `step`-th, and the last one. */
static bool is_value(const struct cdc_expr_node *n, int i, int first, int step)
{
	return i >= first && ((i - first) % step == 0 || i == n->num_args - 1);
}

int cdc_expr_unify(struct cdc_expr_binder *b, struct cdc_expr_node *n, int first, int step)
{
	struct cdc_field type = { .type = CDC_TYPE_VOID };
	int rc = CDC_OK;

	for (int i = first; i < n->num_args; i++) {
		if (is_value(n, i, first, step) && !common_type(&type, &n->arg[i]->type, &type))
			return cdc_expr_refuse(b, n->arg[i]->source,
					       "a value of another type than those before it");
	}
	for (int i = first; i < n->num_args && rc == CDC_OK; i++) {
		if (is_value(n, i, first, step))
			rc = cdc_expr_cast(b, &type, &n->arg[i]);
	}
	n->type = type;
	return rc;
}
