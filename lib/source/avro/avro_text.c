/* Prints Avro values. */
#include "source/avro/avro_text.h"

#include "base/value.h"
#include "source/value/value_text.h"

#include <stdio.h>
#include <stdlib.h>

#define EMPTY_ITEMS_MAX 65536u

/* --- what nodes mean ---------------------------------------------------- */

static const struct mark {
	const char *name; /* connect.name */
	uint8_t kind;
	uint8_t as;
} marks[] = {
	{ "org.apache.kafka.connect.data.Decimal", CDC_AVRO_BYTES, CDC_AVRO_AS_DECIMAL },
	{ "org.apache.kafka.connect.data.Date", CDC_AVRO_INT, CDC_AVRO_AS_DATE },
	{ "org.apache.kafka.connect.data.Time", CDC_AVRO_INT, CDC_AVRO_AS_TIME_MS },
	{ "org.apache.kafka.connect.data.Timestamp", CDC_AVRO_LONG, CDC_AVRO_AS_INSTANT_MS },
	{ "io.debezium.time.Date", CDC_AVRO_INT, CDC_AVRO_AS_DATE },
	{ "io.debezium.time.Time", CDC_AVRO_INT, CDC_AVRO_AS_TIME_MS },
	{ "io.debezium.time.MicroTime", CDC_AVRO_LONG, CDC_AVRO_AS_TIME_US },
	{ "io.debezium.time.NanoTime", CDC_AVRO_LONG, CDC_AVRO_AS_TIME_NS },
	{ "io.debezium.time.Timestamp", CDC_AVRO_LONG, CDC_AVRO_AS_DATETIME_MS },
	{ "io.debezium.time.MicroTimestamp", CDC_AVRO_LONG, CDC_AVRO_AS_DATETIME_US },
	{ "io.debezium.time.NanoTimestamp", CDC_AVRO_LONG, CDC_AVRO_AS_DATETIME_NS },
	{ "io.debezium.time.ZonedTimestamp", CDC_AVRO_STRING, CDC_AVRO_AS_INSTANT_TEXT },
	{ "io.debezium.time.Year", CDC_AVRO_INT, CDC_AVRO_AS_YEAR },
	{ "io.debezium.data.Bits", CDC_AVRO_BYTES, CDC_AVRO_AS_BITS },
	{ "io.debezium.data.Json", CDC_AVRO_STRING, CDC_AVRO_AS_JSON },
	{ "io.debezium.data.Enum", CDC_AVRO_STRING, CDC_AVRO_AS_ENUM },
	{ "io.debezium.data.VariableScaleDecimal", CDC_AVRO_RECORD, CDC_AVRO_AS_SCALED },
};

static const uint8_t by_logical[] = {
	[CDC_AVRO_PLAIN] = CDC_AVRO_AS_IT_IS,
	[CDC_AVRO_DECIMAL] = CDC_AVRO_AS_DECIMAL,
	[CDC_AVRO_DATE] = CDC_AVRO_AS_DATE,
	[CDC_AVRO_TIME_MILLIS] = CDC_AVRO_AS_TIME_MS,
	[CDC_AVRO_TIME_MICROS] = CDC_AVRO_AS_TIME_US,
	[CDC_AVRO_TIMESTAMP_MILLIS] = CDC_AVRO_AS_INSTANT_MS,
	[CDC_AVRO_TIMESTAMP_MICROS] = CDC_AVRO_AS_INSTANT_US,
	[CDC_AVRO_TIMESTAMP_NANOS] = CDC_AVRO_AS_INSTANT_NS,
	[CDC_AVRO_LOCAL_MILLIS] = CDC_AVRO_AS_DATETIME_MS,
	[CDC_AVRO_LOCAL_MICROS] = CDC_AVRO_AS_DATETIME_US,
	[CDC_AVRO_LOCAL_NANOS] = CDC_AVRO_AS_DATETIME_NS,
	[CDC_AVRO_UUID] = CDC_AVRO_AS_UUID,
	[CDC_AVRO_DURATION] = CDC_AVRO_AS_DURATION,
};

static uint8_t meaning(const struct cdc_avro_node *n)
{
	for (size_t i = 0; n->connect_name && i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (n->kind == marks[i].kind && strcmp(n->connect_name, marks[i].name) == 0)
			return marks[i].as;
	}
	return by_logical[n->logical];
}

/* Sqoop's timestamps are a long of milliseconds, and only the column's JDBC type tells so. */
static void take_sql_types(struct cdc_avro_text *t, const struct cdc_avro_node *record)
{
	for (uint32_t i = 0; i < record->n; i++) {
		const struct cdc_avro_child *field = cdc_avro_child(t->plan, record, i);
		const struct cdc_avro_node *n = cdc_avro_node(t->plan, field->node);

		for (uint32_t k = 0; k < (n->kind == CDC_AVRO_UNION ? n->n : 1); k++) {
			uint32_t at = n->kind == CDC_AVRO_UNION
					      ? cdc_avro_child(t->plan, n, k)->node
					      : field->node;

			if (cdc_avro_node(t->plan, at)->kind != CDC_AVRO_LONG ||
			    t->as[at] != CDC_AVRO_AS_IT_IS)
				continue;
			/* TIMESTAMP; DATE and TIME are instants as well, of the zone that Sqoop
			 * ran in, which is not told. */
			if (field->sql_type >= 91 && field->sql_type <= 93)
				t->as[at] = CDC_AVRO_AS_INSTANT_MS;
		}
	}
}

int cdc_avro_text_init(struct cdc_avro_text *t, const struct cdc_avro_plan *plan,
		       struct cdc_err *err)
{
	t->plan = plan;
	t->as = calloc(plan->n_nodes, 1);
	if (!t->as)
		return cdc_fail_nomem(err);
	for (uint32_t i = 0; i < plan->n_nodes; i++)
		t->as[i] = meaning(&plan->node[i]);
	for (uint32_t i = 0; i < plan->n_nodes; i++) {
		if (plan->node[i].kind == CDC_AVRO_RECORD)
			take_sql_types(t, &plan->node[i]);
	}
	return CDC_OK;
}

void cdc_avro_text_free(struct cdc_avro_text *t)
{
	free(t->as);
	cdc_buf_free(&t->nested.buf);
	memset(t, 0, sizeof(*t));
}

/* --- scalars ------------------------------------------------------------ */

static void put(struct cdc_out *o, const char *text, size_t n)
{
	char *p = cdc_out_room(o, n + 2);

	if (!p)
		return;
	p[0] = '"';
	memcpy(p + 1, text, n);
	p[n + 1] = '"';
	o->buf.len += n + 2;
}

/* Bare: a number of nested JSON. */
static void put_number(struct cdc_out *o, const char *text, size_t n, bool bare)
{
	if (bare)
		cdc_out_raw(o, cdc_str(text, n));
	else
		put(o, text, n);
}

static void put_ms(struct cdc_out *o, int64_t ms, uint8_t as)
{
	int64_t us;

	if (__builtin_mul_overflow(ms, 1000, &us))
		cdc_out_fail(o, "a time is out of range");
	else if (as == CDC_AVRO_AS_TIME_MS)
		cdc_text_time_us(o, us);
	else
		cdc_text_timestamp_us(o, us, as == CDC_AVRO_AS_INSTANT_MS);
}

static void put_long(struct cdc_out *o, int64_t v, uint8_t as, bool bare)
{
	char text[CDC_VALUE_TEXT_MAX] = "";

	switch (as) {
	case CDC_AVRO_AS_DATE:
		cdc_text_date_days(o, v);
		break;
	case CDC_AVRO_AS_TIME_US:
		cdc_text_time_us(o, v);
		break;
	case CDC_AVRO_AS_TIME_NS:
		cdc_text_time_ns(o, v);
		break;
	case CDC_AVRO_AS_TIME_MS:
	case CDC_AVRO_AS_INSTANT_MS:
	case CDC_AVRO_AS_DATETIME_MS:
		put_ms(o, v, as);
		break;
	case CDC_AVRO_AS_INSTANT_US:
	case CDC_AVRO_AS_DATETIME_US:
		cdc_text_timestamp_us(o, v, as == CDC_AVRO_AS_INSTANT_US);
		break;
	case CDC_AVRO_AS_INSTANT_NS:
	case CDC_AVRO_AS_DATETIME_NS:
		cdc_text_timestamp_ns(o, v, as == CDC_AVRO_AS_INSTANT_NS);
		break;
	default:
		put_number(o, text, cdc_int64_format(v, text), bare);
		break;
	}
}

static void put_double(struct cdc_out *o, double v, bool single, bool bare)
{
	char text[CDC_VALUE_TEXT_MAX] = "";
	bool finite = v - v == 0;
	size_t n = single ? cdc_float_format((float)v, text) : cdc_double_format(v, text);

	put_number(o, text, n, bare && finite);
}

static void put_decimal(struct cdc_out *o, struct cdc_str bytes, int64_t scale, bool bare)
{
	char text[CDC_BIG_DECIMAL_TEXT_MAX + CDC_VALUE_TEXT_MAX];
	size_t n;

	if (bytes.n == 0 || bytes.n > CDC_BIG_DECIMAL_BYTES || scale > CDC_BIG_DECIMAL_DIGITS ||
	    scale < -CDC_VALUE_TEXT_MAX) {
		cdc_out_fail(o, "a decimal has no digits, or more than are read here");
		return;
	}
	n = cdc_big_decimal_format(bytes, scale > 0 ? (int)scale : 0, text);
	/* A negative scale counts zeros in front of the point. */
	for (; scale < 0 && !(n == 1 && text[0] == '0'); scale++)
		text[n++] = '0';
	put_number(o, text, n, bare);
}

/* BIT(n): an unsigned number, its first byte the lowest. */
static void put_bits(struct cdc_out *o, struct cdc_str s, bool bare)
{
	char text[CDC_VALUE_TEXT_MAX] = "";
	uint64_t v = 0;

	while (s.n > 8 && s.p[s.n - 1] == '\0')
		s.n--;
	if (s.n > 8) {
		cdc_out_fail(o, "a bit value of more than 64 bits");
		return;
	}
	for (size_t i = s.n; i > 0; i--)
		v = v << 8 | (unsigned char)s.p[i - 1];
	put_number(o, text, cdc_uint64_format(v, text), bare);
}

static void put_duration(struct cdc_out *o, struct cdc_str s)
{
	uint32_t part[3] = { 0, 0, 0 };
	char text[CDC_VALUE_TEXT_MAX] = "";

	for (size_t i = 0; i < 12 && i < s.n; i++)
		part[i / 4] |= (uint32_t)(unsigned char)s.p[i] << (i % 4 * 8);
	put(o, text, cdc_interval_format(part[0], part[1], part[2], text));
}

static void put_bytes(struct cdc_out *o, const struct cdc_avro_node *n, uint8_t as,
		      struct cdc_str s, bool bare)
{
	char text[CDC_VALUE_TEXT_MAX] = "";

	if (as == CDC_AVRO_AS_DECIMAL) {
		put_decimal(o, s, n->scale, bare);
	} else if (as == CDC_AVRO_AS_UUID && s.n == 16) {
		put(o, text, cdc_uuid_format(s.p, text));
	} else if (as == CDC_AVRO_AS_BITS) {
		put_bits(o, s, bare);
	} else if (as == CDC_AVRO_AS_DURATION) {
		put_duration(o, s);
	} else {
		cdc_text_binary(o, s);
	}
}

static void put_string(struct cdc_out *o, uint8_t as, struct cdc_str s)
{
	if (as == CDC_AVRO_AS_INSTANT_TEXT)
		cdc_text_instant(o, s, NULL);
	else
		cdc_out_quoted(o, s);
}

/* --- walking ------------------------------------------------------------ */

static bool value(struct cdc_avro_text *t, uint32_t node, struct cdc_avro_cur *c, struct cdc_out *o,
		  unsigned depth);

/* io.debezium.data.VariableScaleDecimal */
static bool scaled(struct cdc_avro_text *t, const struct cdc_avro_node *n, struct cdc_avro_cur *c,
		   struct cdc_out *o, bool bare)
{
	struct cdc_str bytes = CDC_STR("");
	int32_t scale = 0;

	for (uint32_t i = 0; i < n->n; i++) {
		const struct cdc_avro_child *f = cdc_avro_child(t->plan, n, i);
		uint8_t kind = cdc_avro_node(t->plan, f->node)->kind;
		bool ok;

		if (kind == CDC_AVRO_INT && strcmp(f->name, "scale") == 0)
			ok = cdc_avro_int(c, &scale);
		else if (kind == CDC_AVRO_BYTES && strcmp(f->name, "value") == 0)
			ok = cdc_avro_bytes(c, &bytes);
		else
			ok = cdc_avro_skip(t->plan, f->node, c);
		if (!ok)
			return false;
	}
	put_decimal(o, bytes, scale, bare);
	return true;
}

static bool record(struct cdc_avro_text *t, const struct cdc_avro_node *n, struct cdc_avro_cur *c,
		   struct cdc_out *o, unsigned depth)
{
	bool ok = true;

	cdc_out_char(o, '{');
	for (uint32_t i = 0; ok && i < n->n; i++) {
		const struct cdc_avro_child *f = cdc_avro_child(t->plan, n, i);

		if (i)
			cdc_out_char(o, ',');
		cdc_out_quoted(o, cdc_str_z(f->name));
		cdc_out_char(o, ':');
		ok = value(t, f->node, c, o, depth);
	}
	cdc_out_char(o, '}');
	return ok;
}

static bool items(struct cdc_avro_text *t, const struct cdc_avro_node *n, struct cdc_avro_cur *c,
		  struct cdc_out *o, unsigned depth)
{
	uint32_t item = cdc_avro_child(t->plan, n, 0)->node;
	bool map = n->kind == CDC_AVRO_MAP, first = true, ok = true;
	struct cdc_avro_blocks b = { 0, NULL };
	uint32_t n_empty = 0;
	struct cdc_str key;

	cdc_out_char(o, map ? '{' : '[');
	while (cdc_avro_next(c, &b, &ok)) {
		/* Items that take no bytes can be as many as a few bytes say. */
		if (!map && cdc_avro_node(t->plan, item)->empty && ++n_empty > EMPTY_ITEMS_MAX) {
			c->why = "an array of too many empty items";
			return false;
		}
		if (!first)
			cdc_out_char(o, ',');
		first = false;
		if (map) {
			if (!cdc_avro_bytes(c, &key))
				return false;
			cdc_out_quoted(o, key);
			cdc_out_char(o, ':');
		}
		if (!value(t, item, c, o, depth))
			return false;
	}
	cdc_out_char(o, map ? '}' : ']');
	return ok;
}

/* depth 0: a column's own value, a string; deeper: JSON inside one. */
static bool scalar(struct cdc_avro_text *t, uint32_t node, struct cdc_avro_cur *c,
		   struct cdc_out *o, bool bare)
{
	const struct cdc_avro_node *n = cdc_avro_node(t->plan, node);
	struct cdc_str s;
	int64_t l;
	int32_t i;
	double d;

	switch (n->kind) {
	case CDC_AVRO_BOOLEAN:
		if (c->p == c->end || *c->p > 1) {
			c->why = "a boolean is neither 0 nor 1";
			return false;
		}
		put_number(o, *c->p ? "true" : "false", *c->p ? 4 : 5, bare);
		c->p++;
		return true;
	case CDC_AVRO_INT:
		if (!cdc_avro_int(c, &i))
			return false;
		put_long(o, i, t->as[node], bare);
		return true;
	case CDC_AVRO_LONG:
		if (!cdc_avro_long(c, &l))
			return false;
		put_long(o, l, t->as[node], bare);
		return true;
	case CDC_AVRO_FLOAT:
	case CDC_AVRO_DOUBLE:
		if (n->kind == CDC_AVRO_FLOAT ? !cdc_avro_float(c, &d) : !cdc_avro_double(c, &d))
			return false;
		put_double(o, d, n->kind == CDC_AVRO_FLOAT, bare);
		return true;
	case CDC_AVRO_STRING:
		if (!cdc_avro_bytes(c, &s))
			return false;
		put_string(o, t->as[node], s);
		return true;
	case CDC_AVRO_BYTES:
		if (!cdc_avro_bytes(c, &s))
			return false;
		put_bytes(o, n, t->as[node], s, bare);
		return true;
	case CDC_AVRO_FIXED:
		if (n->size > (uint64_t)(c->end - c->p)) {
			c->why = "a fixed value runs past the end";
			return false;
		}
		put_bytes(o, n, t->as[node], cdc_str((const char *)c->p, n->size), bare);
		c->p += n->size;
		return true;
	case CDC_AVRO_ENUM:
		if (!cdc_avro_long(c, &l))
			return false;
		if (l < 0 || l >= (int64_t)n->n) {
			c->why = "an enum has no such symbol";
			return false;
		}
		cdc_out_quoted(o, cdc_str_z(cdc_avro_child(t->plan, n, (uint32_t)l)->name));
		return true;
	default:
		cdc_out_lit(o, "null");
		return true;
	}
}

/* A value inside another: JSON. */
static bool value(struct cdc_avro_text *t, uint32_t node, struct cdc_avro_cur *c, struct cdc_out *o,
		  unsigned depth)
{
	const struct cdc_avro_node *n;

	if (!cdc_avro_branch(t->plan, c, &node))
		return false;
	n = cdc_avro_node(t->plan, node);
	if (depth > CDC_AVRO_DEPTH_MAX) {
		c->why = "a value is nested too deeply";
		return false;
	}
	if (t->as[node] == CDC_AVRO_AS_SCALED)
		return scaled(t, n, c, o, true);
	if (n->kind == CDC_AVRO_RECORD)
		return record(t, n, c, o, depth + 1);
	if (n->kind == CDC_AVRO_ARRAY || n->kind == CDC_AVRO_MAP)
		return items(t, n, c, o, depth + 1);
	return scalar(t, node, c, o, true);
}

bool cdc_avro_text_put(struct cdc_avro_text *t, uint32_t node, struct cdc_avro_cur *c,
		       struct cdc_out *o)
{
	const struct cdc_avro_node *n;
	struct cdc_err err;
	bool ok;

	if (!cdc_avro_branch(t->plan, c, &node))
		return false;
	n = cdc_avro_node(t->plan, node);
	if (t->as[node] == CDC_AVRO_AS_SCALED)
		return scaled(t, n, c, o, false);
	if (n->kind != CDC_AVRO_RECORD && n->kind != CDC_AVRO_ARRAY && n->kind != CDC_AVRO_MAP)
		return scalar(t, node, c, o, false);
	cdc_buf_reset(&t->nested.buf);
	t->nested.buf.max = CDC_AVRO_NESTED_MAX;
	ok = value(t, node, c, &t->nested, 0);
	if (cdc_out_take(&t->nested, &err) < 0) {
		if (o->rc == CDC_OK) {
			o->rc = err.code;
			o->err = err;
		}
	} else if (ok) {
		cdc_out_quoted(o, cdc_buf_str(&t->nested.buf));
	}
	return ok;
}

/* --- types -------------------------------------------------------------- */

static const char *const as_types[] = {
	[CDC_AVRO_AS_DATE] = "date",
	[CDC_AVRO_AS_TIME_MS] = "time",
	[CDC_AVRO_AS_TIME_US] = "time",
	[CDC_AVRO_AS_TIME_NS] = "time",
	[CDC_AVRO_AS_INSTANT_MS] = "timestamp",
	[CDC_AVRO_AS_INSTANT_US] = "timestamp",
	[CDC_AVRO_AS_INSTANT_NS] = "timestamp",
	[CDC_AVRO_AS_DATETIME_MS] = "datetime",
	[CDC_AVRO_AS_DATETIME_US] = "datetime",
	[CDC_AVRO_AS_DATETIME_NS] = "datetime",
	[CDC_AVRO_AS_INSTANT_TEXT] = "timestamp",
	[CDC_AVRO_AS_UUID] = "string",
	[CDC_AVRO_AS_YEAR] = "year",
	[CDC_AVRO_AS_JSON] = "json",
	[CDC_AVRO_AS_ENUM] = "string",
	[CDC_AVRO_AS_DURATION] = "string",
	[CDC_AVRO_AS_SCALED] = "string",
};

static const char *const kind_types[] = {
	[CDC_AVRO_NULL] = "string",	[CDC_AVRO_BOOLEAN] = "boolean",
	[CDC_AVRO_INT] = "int",		[CDC_AVRO_LONG] = "bigint",
	[CDC_AVRO_FLOAT] = "float",	[CDC_AVRO_DOUBLE] = "double",
	[CDC_AVRO_BYTES] = "varbinary", [CDC_AVRO_STRING] = "string",
	[CDC_AVRO_FIXED] = "varbinary", [CDC_AVRO_ENUM] = "string",
	[CDC_AVRO_RECORD] = "json",	[CDC_AVRO_ARRAY] = "json",
	[CDC_AVRO_MAP] = "json",	[CDC_AVRO_UNION] = "string",
};

size_t cdc_avro_text_type(const struct cdc_avro_text *t, uint32_t node, char *out, bool *nullable)
{
	const struct cdc_avro_node *n = cdc_avro_node(t->plan, node);
	uint32_t branch = node, others = 0;
	const char *type;

	*nullable = n->kind == CDC_AVRO_NULL;
	for (uint32_t i = 0; n->kind == CDC_AVRO_UNION && i < n->n; i++) {
		uint32_t b = cdc_avro_child(t->plan, n, i)->node;

		if (cdc_avro_node(t->plan, b)->kind == CDC_AVRO_NULL) {
			*nullable = true;
		} else {
			branch = b;
			others++;
		}
	}
	n = cdc_avro_node(t->plan, branch);
	if (others > 1 || n->kind == CDC_AVRO_UNION)
		type = "string";
	else if (t->as[branch] == CDC_AVRO_AS_DECIMAL)
		return n->precision > 0 && n->precision <= 9999 && n->scale <= n->precision
			       ? (size_t)snprintf(out, CDC_AVRO_TYPE_MAX, "decimal(%d,%d)",
						  (int)n->precision, (int)n->scale)
			       : (size_t)snprintf(out, CDC_AVRO_TYPE_MAX, "decimal");
	else if (t->as[branch] == CDC_AVRO_AS_BITS)
		type = "decimal(20,0)";
	else if (t->as[branch] != CDC_AVRO_AS_IT_IS)
		type = as_types[t->as[branch]];
	else
		type = kind_types[n->kind];
	return (size_t)snprintf(out, CDC_AVRO_TYPE_MAX, "%s", type);
}
