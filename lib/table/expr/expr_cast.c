/*
 * Casts between types: what Spark's answer is beyond doubt for.
 */
#include "table/expr/expr_int.h"

#include <math.h>
#include <stdio.h>

#define US_PER_DAY INT64_C(86400000000)
#define TWO_63 9223372036854775808.0

/* ------------------------------------------------------------------ numbers */

static bool fits_decimal(const struct cdc_field *f, cdc_i128 v)
{
	cdc_i128 limit = cdc_expr_pow10(f->precision);

	return v < limit && v > -limit;
}

/* v * 10^(scale of the result - from) */
static bool rescale(const struct cdc_field *f, cdc_i128 v, int from, cdc_i128 *out)
{
	int more = f->scale - from;
	cdc_i128 power = cdc_expr_pow10(more < 0 ? -more : more);
	cdc_i128 rest;

	if (more >= 0) {
		if (v >= cdc_expr_pow10(38) / power || v <= -(cdc_expr_pow10(38) / power))
			return v == 0;
		*out = v * power;
		return fits_decimal(f, *out);
	}
	*out = v / power;
	rest = v % power;
	/* Halves go away from zero. */
	if (rest >= power - rest)
		++*out;
	if (-rest >= power + rest)
		--*out;
	return fits_decimal(f, *out);
}

static bool integer_to_integer(struct cdc_expr_row *r)
{
	r->out.i = r->arg[0].i;
	return cdc_expr_in_range(r->node->type.type, r->arg[0].i);
}

static bool integer_to_decimal(struct cdc_expr_row *r)
{
	return rescale(&r->node->type, r->arg[0].i, 0, &r->out.dec);
}

static bool integer_to_double(struct cdc_expr_row *r)
{
	r->out.d = (double)r->arg[0].i;
	return true;
}

static bool integer_to_float(struct cdc_expr_row *r)
{
	r->out.d = (double)(float)r->arg[0].i;
	return true;
}

static bool integer_to_boolean(struct cdc_expr_row *r)
{
	r->out.i = r->arg[0].i != 0;
	return true;
}

static bool integer_to_text(struct cdc_expr_row *r)
{
	char *out = cdc_arena_alloc(r->arena, CDC_VALUE_TEXT_MAX);

	r->nomem = !out;
	if (out)
		r->out.s = cdc_str(out, cdc_int64_format(r->arg[0].i, out));
	return out != NULL;
}

static bool decimal_to_decimal(struct cdc_expr_row *r)
{
	return rescale(&r->node->type, r->arg[0].dec, r->node->arg[0]->type.scale, &r->out.dec);
}

static bool decimal_to_integer(struct cdc_expr_row *r)
{
	cdc_i128 v = r->arg[0].dec / cdc_expr_pow10(r->node->arg[0]->type.scale);

	r->out.i = (int64_t)v;
	return cdc_expr_in_range(r->node->type.type, v);
}

static size_t format_decimal(const struct cdc_expr_row *r, char *out)
{
	return cdc_decimal_format(r->arg[0].dec, r->node->arg[0]->type.scale, out);
}

/* Through the digits, so that it is rounded once. */
static bool decimal_to_double(struct cdc_expr_row *r)
{
	char text[CDC_VALUE_TEXT_MAX];

	return cdc_double_parse(cdc_str(text, format_decimal(r, text)), &r->out.d) == CDC_PARSE_OK;
}

static bool decimal_to_text(struct cdc_expr_row *r)
{
	char *out = cdc_arena_alloc(r->arena, CDC_VALUE_TEXT_MAX);

	r->nomem = !out;
	if (out)
		r->out.s = cdc_str(out, format_decimal(r, out));
	return out != NULL;
}

static bool double_to_integer(struct cdc_expr_row *r)
{
	double v = trunc(r->arg[0].d);

	if (isnan(v) || v < -TWO_63 || v >= TWO_63)
		return false;
	r->out.i = (int64_t)v;
	return cdc_expr_in_range(r->node->type.type, r->out.i);
}

static bool double_to_double(struct cdc_expr_row *r)
{
	r->out.d = r->node->type.type == CDC_TYPE_FLOAT ? (double)(float)r->arg[0].d : r->arg[0].d;
	return true;
}

static bool boolean_to_text(struct cdc_expr_row *r)
{
	r->out.s = r->arg[0].i ? CDC_STR("true") : CDC_STR("false");
	return true;
}

/* ------------------------------------------------------------------ dates and times */

static bool date_to_instant(struct cdc_expr_row *r)
{
	return !__builtin_mul_overflow(r->arg[0].i, US_PER_DAY, &r->out.i);
}

static bool instant_to_date(struct cdc_expr_row *r)
{
	r->out.i = cdc_expr_floor_div(r->arg[0].i, US_PER_DAY);
	return cdc_expr_in_range(CDC_TYPE_INTEGER, r->out.i);
}

static bool instant_to_instant(struct cdc_expr_row *r)
{
	r->out.i = r->arg[0].i;
	return true;
}

static bool has_plain_year(int64_t days)
{
	return days >= cdc_days_from_civil(0, 1, 1) && days <= cdc_days_from_civil(9999, 12, 31);
}

static bool date_to_text(struct cdc_expr_row *r)
{
	char *out = cdc_arena_alloc(r->arena, CDC_VALUE_TEXT_MAX);

	r->nomem = !out;
	if (!out || !has_plain_year(r->arg[0].i))
		return false;
	r->out.s = cdc_str(out, cdc_date_format((int32_t)r->arg[0].i, out));
	return true;
}

static bool instant_to_text(struct cdc_expr_row *r)
{
	char *out = cdc_arena_alloc(r->arena, CDC_VALUE_TEXT_MAX);

	r->nomem = !out;
	if (!out || !has_plain_year(cdc_expr_floor_div(r->arg[0].i, US_PER_DAY)))
		return false;
	r->out.s = cdc_str(out, cdc_timestamp_format(r->arg[0].i, ' ', false, out));
	return true;
}

/* ------------------------------------------------------------------ text */

static struct cdc_str trimmed(struct cdc_str s)
{
	while (s.n && memchr(" \t\n\r", *s.p, 4))
		s = cdc_str(s.p + 1, s.n - 1);
	while (s.n && memchr(" \t\n\r", s.p[s.n - 1], 4))
		s.n--;
	return s;
}

/* [+-]digits: what else Spark takes depends on its settings. */
static bool text_to_integer(struct cdc_expr_row *r)
{
	struct cdc_str s = trimmed(r->arg[0].s);

	for (size_t i = 0; i < s.n; i++) {
		if ((s.p[i] < '0' || s.p[i] > '9') && (i || (*s.p != '-' && *s.p != '+')))
			return false;
	}
	return cdc_int64_parse(s, &r->out.i) == CDC_PARSE_OK &&
	       cdc_expr_in_range(r->node->type.type, r->out.i);
}

static bool text_to_decimal(struct cdc_expr_row *r)
{
	const struct cdc_field *f = &r->node->type;

	return cdc_decimal_parse(trimmed(r->arg[0].s), f->precision, f->scale, &r->out.dec) ==
	       CDC_PARSE_OK;
}

static bool text_to_double(struct cdc_expr_row *r)
{
	struct cdc_str s = trimmed(r->arg[0].s);
	float v = 0;

	if (r->node->type.type == CDC_TYPE_DOUBLE)
		return cdc_double_parse(s, &r->out.d) == CDC_PARSE_OK;
	if (cdc_float_parse(s, &v) != CDC_PARSE_OK)
		return false;
	r->out.d = (double)v;
	return true;
}

static bool text_to_boolean(struct cdc_expr_row *r)
{
	static const char *const words[2][5] = { { "f", "false", "n", "no", "0" },
						 { "t", "true", "y", "yes", "1" } };
	struct cdc_str s = trimmed(r->arg[0].s);

	for (int value = 0; value < 2; value++) {
		for (int i = 0; i < 5; i++) {
			if (!cdc_str_ieq(s, cdc_str_z(words[value][i])))
				continue;
			r->out.i = value;
			return true;
		}
	}
	return false;
}

/* YYYY-MM-DD, whatever follows a space or a T. */
static bool text_to_date(struct cdc_expr_row *r)
{
	struct cdc_str s = trimmed(r->arg[0].s);
	int32_t days;

	if (s.n < 10 || (s.n > 10 && s.p[10] != ' ' && s.p[10] != 'T') ||
	    cdc_date_parse(cdc_str(s.p, 10), &days) != CDC_PARSE_OK)
		return false;
	r->out.i = days;
	return true;
}

/* YYYY-MM-DD[(T| )HH:MM:SS[.f]], a Z only for an instant. */
static bool text_to_instant(struct cdc_expr_row *r)
{
	struct cdc_str s = trimmed(r->arg[0].s);
	bool zulu = s.n && s.p[s.n - 1] == 'Z';
	bool zone = false;

	if (s.n < 10 || s.p[4] != '-' || s.p[7] != '-' || (s.n > 10 && s.n < 19) ||
	    (zulu && r->node->type.type != CDC_TYPE_TIMESTAMP) ||
	    cdc_timestamp_parse(s, false, &r->out.i, &zone) != CDC_PARSE_OK)
		return false;
	return zone == zulu;
}

static bool text_to_bytes(struct cdc_expr_row *r)
{
	r->out.s = r->arg[0].s;
	return true;
}

/* ------------------------------------------------------------------ the table of them */

enum group {
	GROUP_NONE,
	GROUP_INTEGER,
	GROUP_DECIMAL,
	GROUP_FLOAT,
	GROUP_DOUBLE,
	GROUP_BOOLEAN,
	GROUP_TEXT,
	GROUP_BINARY,
	GROUP_DATE,
	GROUP_INSTANT,
	GROUPS
};

static enum group group_of(enum cdc_type t)
{
	static const uint8_t group[] = {
		[CDC_TYPE_BOOLEAN] = GROUP_BOOLEAN,
		[CDC_TYPE_BYTE] = GROUP_INTEGER,
		[CDC_TYPE_SHORT] = GROUP_INTEGER,
		[CDC_TYPE_INTEGER] = GROUP_INTEGER,
		[CDC_TYPE_LONG] = GROUP_INTEGER,
		[CDC_TYPE_FLOAT] = GROUP_FLOAT,
		[CDC_TYPE_DOUBLE] = GROUP_DOUBLE,
		[CDC_TYPE_DECIMAL] = GROUP_DECIMAL,
		[CDC_TYPE_STRING] = GROUP_TEXT,
		[CDC_TYPE_BINARY] = GROUP_BINARY,
		[CDC_TYPE_DATE] = GROUP_DATE,
		[CDC_TYPE_TIMESTAMP] = GROUP_INSTANT,
		[CDC_TYPE_TIMESTAMP_NTZ] = GROUP_INSTANT,
	};

	return (size_t)t < sizeof(group) ? (enum group)group[t] : GROUP_NONE;
}

static cdc_expr_fn *const casts[GROUPS][GROUPS] = {
	[GROUP_INTEGER] = { [GROUP_INTEGER] = integer_to_integer,
			    [GROUP_DECIMAL] = integer_to_decimal,
			    [GROUP_FLOAT] = integer_to_float,
			    [GROUP_DOUBLE] = integer_to_double,
			    [GROUP_BOOLEAN] = integer_to_boolean,
			    [GROUP_TEXT] = integer_to_text },
	[GROUP_DECIMAL] = { [GROUP_INTEGER] = decimal_to_integer,
			    [GROUP_DECIMAL] = decimal_to_decimal,
			    [GROUP_DOUBLE] = decimal_to_double,
			    [GROUP_TEXT] = decimal_to_text },
	[GROUP_FLOAT] = { [GROUP_INTEGER] = double_to_integer, [GROUP_DOUBLE] = double_to_double },
	[GROUP_DOUBLE] = { [GROUP_INTEGER] = double_to_integer, [GROUP_FLOAT] = double_to_double },
	[GROUP_BOOLEAN] = { [GROUP_INTEGER] = integer_to_integer, [GROUP_TEXT] = boolean_to_text },
	[GROUP_TEXT] = { [GROUP_INTEGER] = text_to_integer,
			 [GROUP_DECIMAL] = text_to_decimal,
			 [GROUP_FLOAT] = text_to_double,
			 [GROUP_DOUBLE] = text_to_double,
			 [GROUP_BOOLEAN] = text_to_boolean,
			 [GROUP_BINARY] = text_to_bytes,
			 [GROUP_DATE] = text_to_date,
			 [GROUP_INSTANT] = text_to_instant },
	[GROUP_DATE] = { [GROUP_TEXT] = date_to_text, [GROUP_INSTANT] = date_to_instant },
	[GROUP_INSTANT] = { [GROUP_TEXT] = instant_to_text,
			    [GROUP_DATE] = instant_to_date,
			    [GROUP_INSTANT] = instant_to_instant },
};

/* Spark's text of small decimals is in exponent notation at times, depending on a setting. */
#define PLAIN_SCALE 6

static cdc_expr_fn *find_cast(const struct cdc_field *from, const struct cdc_field *to)
{
	enum group f = group_of(from->type);
	enum group t = group_of(to->type);

	if (f == GROUP_DECIMAL && t == GROUP_TEXT && from->scale > PLAIN_SCALE)
		return NULL;
	return casts[f][t];
}

/* A constant in another type, once and for all. */
static int fold(struct cdc_expr_binder *b, const struct cdc_field *to, cdc_expr_fn *fn,
		struct cdc_expr_node *child, struct cdc_expr_node *node)
{
	struct cdc_expr_node call = { .kind = CDC_EXPR_CALL, .type = *to, .arg = &child };
	struct cdc_expr_row r = { .node = &call, .arena = &b->e->arena };

	r.arg[0] = child->value;
	if (!fn(&r))
		return r.nomem ? cdc_fail_nomem(b->err)
			       : cdc_expr_refuse(b, child->source, "no plain value of its type");
	node->value = r.out;
	return CDC_OK;
}

int cdc_expr_cast(struct cdc_expr_binder *b, const struct cdc_field *to,
		  struct cdc_expr_node **node)
{
	struct cdc_expr_node *child = *node;
	cdc_expr_fn *fn = find_cast(&child->type, to);
	char name[2][CDC_TYPE_NAME_MAX];
	char what[3 * CDC_TYPE_NAME_MAX];
	int rc;

	if (cdc_expr_same_type(&child->type, to))
		return CDC_OK;
	if (!fn && child->type.type != CDC_TYPE_VOID) {
		(void)snprintf(what, sizeof(what), "%s is not cast to %s here",
			       cdc_type_name(&child->type, name[0]), cdc_type_name(to, name[1]));
		return cdc_expr_refuse(b, child->source, what);
	}
	rc = cdc_expr_node(b, CDC_EXPR_CALL, to->type, child->source, 1, node);
	if (rc < 0)
		return rc;
	(*node)->type = *to;
	(*node)->fn = fn;
	(*node)->arg[0] = child;
	if (child->kind != CDC_EXPR_CONSTANT && child->type.type != CDC_TYPE_VOID)
		return CDC_OK;
	(*node)->kind = CDC_EXPR_CONSTANT;
	(*node)->num_args = 0;
	(*node)->is_null = child->type.type == CDC_TYPE_VOID || child->is_null;
	return (*node)->is_null ? CDC_OK : fold(b, to, fn, child, *node);
}

int cdc_expr_cast_type(struct cdc_expr_binder *b, enum cdc_type to, struct cdc_expr_node **node)
{
	const struct cdc_field f = { .type = to };

	return cdc_expr_cast(b, &f, node);
}

/* ------------------------------------------------------------------ CAST */

/* Types by Spark's names. CHAR(n) and VARCHAR(n) are cut, or not, depending on a setting. */
static int parse_type(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		      struct cdc_field *out)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf ddl = CDC_BUF_INIT;
	bool cut = n->value.n >= 4 && (cdc_str_ieq(cdc_str(n->value.p, 4), CDC_STR("char")) ||
				       cdc_str_ieq(cdc_str(n->value.p, 4), CDC_STR("varc")));
	int rc = cdc_buf_puts(&ddl, "c ", &err);

	if (rc == CDC_OK)
		rc = cdc_buf_put(&ddl, n->value, &err);
	if (rc == CDC_OK)
		rc = cdc_schema_from_ddl(&s, cdc_buf_str(&ddl), &err);
	if (rc == CDC_OK && s.num_fields == 1 && !cut && group_of(s.field[0].type) != GROUP_NONE)
		*out = (struct cdc_field){ .type = s.field[0].type,
					   .precision = s.field[0].precision,
					   .scale = s.field[0].scale };
	else if (rc != CDC_ENOMEM)
		rc = cdc_expr_refuse(b, n, "CAST to a type that is not known here");
	else
		rc = cdc_fail_nomem(b->err);
	cdc_schema_free(&s);
	cdc_buf_free(&ddl);
	return rc;
}

int cdc_expr_bind_cast(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		       struct cdc_expr_node **out)
{
	struct cdc_field type;
	int rc = parse_type(b, n, &type);

	if (rc == CDC_OK)
		rc = cdc_expr_bind(b, n->child, out);
	return rc < 0 ? rc : cdc_expr_cast(b, &type, out);
}
