/* Avro data as Kafka Connect's JSON. See connect_json.h. */
#include "source/connect/connect_json.h"

#include "base/value.h"

#include <string.h>

#define SCHEMA_DEPTH_MAX 12 /* of structs in a schema: deeper ones are told without fields */
#define SCHEMA_TEXT_MAX ((size_t)64 << 20)
#define EMPTY_ITEMS_MAX 100000u

/* --- schemas ------------------------------------------------------------ */

static const char *const types[] = {
	[CDC_AVRO_NULL] = "string", [CDC_AVRO_BOOLEAN] = "boolean", [CDC_AVRO_INT] = "int32",
	[CDC_AVRO_LONG] = "int64",  [CDC_AVRO_FLOAT] = "float",	    [CDC_AVRO_DOUBLE] = "double",
	[CDC_AVRO_BYTES] = "bytes", [CDC_AVRO_STRING] = "string",   [CDC_AVRO_FIXED] = "bytes",
	[CDC_AVRO_ENUM] = "string", [CDC_AVRO_RECORD] = "struct",   [CDC_AVRO_ARRAY] = "array",
	[CDC_AVRO_MAP] = "map",	    [CDC_AVRO_UNION] = "struct",
};

/* What a logical type without Connect's marks means. Only the local ones are wall clocks; Connect
 * has no names for instants. */
static const char *const meanings[] = {
	[CDC_AVRO_DECIMAL] = "org.apache.kafka.connect.data.Decimal",
	[CDC_AVRO_DATE] = "io.debezium.time.Date",
	[CDC_AVRO_TIME_MILLIS] = "io.debezium.time.Time",
	[CDC_AVRO_TIME_MICROS] = "io.debezium.time.MicroTime",
	[CDC_AVRO_TIMESTAMP_MILLIS] = "timestamp-millis",
	[CDC_AVRO_TIMESTAMP_MICROS] = "timestamp-micros",
	[CDC_AVRO_TIMESTAMP_NANOS] = "timestamp-nanos",
	[CDC_AVRO_LOCAL_MILLIS] = "io.debezium.time.Timestamp",
	[CDC_AVRO_LOCAL_MICROS] = "io.debezium.time.MicroTimestamp",
	[CDC_AVRO_LOCAL_NANOS] = "io.debezium.time.NanoTimestamp",
	[CDC_AVRO_UUID] = "io.debezium.data.Uuid",
	[CDC_AVRO_DURATION] = NULL,
};

/* The other branch of a union with null; of more branches there is no one type. */
static uint32_t behind_null(const struct cdc_avro_plan *plan, uint32_t node, bool *optional)
{
	const struct cdc_avro_node *n = cdc_avro_node(plan, node);
	uint32_t found = node, others = 0;

	*optional = false;
	if (n->kind != CDC_AVRO_UNION)
		return node;
	for (uint32_t i = 0; i < n->n; i++) {
		uint32_t branch = cdc_avro_child(plan, n, i)->node;

		if (cdc_avro_node(plan, branch)->kind == CDC_AVRO_NULL) {
			*optional = true;
		} else {
			found = branch;
			others++;
		}
	}
	return others == 1 ? found : node;
}

static void put_name(const struct cdc_avro_node *n, struct cdc_out *o)
{
	const char *name = n->connect_name;
	bool decimal = n->logical == CDC_AVRO_DECIMAL;

	if (!name && n->logical != CDC_AVRO_PLAIN)
		name = meanings[n->logical];
	if (name) {
		cdc_out_lit(o, ",\"name\":");
		cdc_out_quoted(o, cdc_str_z(name));
	}
	if (n->connect_parameters.n) {
		cdc_out_lit(o, ",\"parameters\":");
		cdc_out_raw(o, n->connect_parameters);
	} else if (decimal || (name && strcmp(name, meanings[CDC_AVRO_DECIMAL]) == 0)) {
		cdc_out_lit(o, ",\"parameters\":{\"scale\":\"");
		cdc_out_int(o, n->scale);
		if (n->precision) {
			cdc_out_lit(o, "\",\"connect.decimal.precision\":\"");
			cdc_out_int(o, n->precision);
		}
		cdc_out_lit(o, "\"}");
	}
}

static void put_schema(const struct cdc_avro_plan *plan, uint32_t node, const char *field,
		       unsigned depth, struct cdc_out *o)
{
	bool optional;
	const struct cdc_avro_node *n = cdc_avro_node(plan, behind_null(plan, node, &optional));

	cdc_out_lit(o, "{\"type\":\"");
	cdc_out_raw(o, cdc_str_z(n->connect_type && n->kind == CDC_AVRO_INT ? n->connect_type
									    : types[n->kind]));
	cdc_out_char(o, '"');
	if (n->kind == CDC_AVRO_RECORD && depth < SCHEMA_DEPTH_MAX) {
		cdc_out_lit(o, ",\"fields\":[");
		for (uint32_t i = 0; o->rc == CDC_OK && i < n->n; i++) {
			const struct cdc_avro_child *f = cdc_avro_child(plan, n, i);

			if (i)
				cdc_out_char(o, ',');
			put_schema(plan, f->node, f->name, depth + 1, o);
		}
		cdc_out_char(o, ']');
	}
	cdc_out_raw(o, optional ? CDC_STR(",\"optional\":true") : CDC_STR(",\"optional\":false"));
	put_name(n, o);
	if (field) {
		cdc_out_lit(o, ",\"field\":");
		cdc_out_quoted(o, cdc_str_z(field));
	}
	cdc_out_char(o, '}');
	if (o->buf.len > SCHEMA_TEXT_MAX)
		cdc_out_fail(o, "the schema is too large");
}

void cdc_connect_json_schema(const struct cdc_avro_plan *plan, struct cdc_out *o)
{
	put_schema(plan, 0, NULL, 0, o);
}

/* --- values ------------------------------------------------------------- */

static bool put_value(const struct cdc_avro_plan *plan, uint32_t node, struct cdc_avro_cur *c,
		      unsigned depth, struct cdc_out *o);

static bool put_boolean(struct cdc_avro_cur *c, struct cdc_out *o)
{
	if (c->p == c->end || *c->p > 1) {
		c->why = "a boolean is neither 0 nor 1";
		return false;
	}
	cdc_out_raw(o, *c->p++ ? CDC_STR("true") : CDC_STR("false"));
	return true;
}

/* JSON has no word for what is not finite: it becomes a string. */
static bool put_real(const struct cdc_avro_node *n, struct cdc_avro_cur *c, struct cdc_out *o)
{
	bool single = n->kind == CDC_AVRO_FLOAT;
	char text[CDC_VALUE_TEXT_MAX];
	double v;
	size_t len;
	bool finite;

	if (single ? !cdc_avro_float(c, &v) : !cdc_avro_double(c, &v))
		return false;
	finite = v - v == 0;
	len = single ? cdc_float_format((float)v, text) : cdc_double_format(v, text);
	if (!finite)
		cdc_out_char(o, '"');
	cdc_out_raw(o, cdc_str(text, len));
	if (!finite)
		cdc_out_char(o, '"');
	return true;
}

static void put_bytes(struct cdc_str s, struct cdc_out *o)
{
	cdc_out_char(o, '"');
	cdc_out_base64(o, s);
	cdc_out_char(o, '"');
}

static bool put_fixed(const struct cdc_avro_node *n, struct cdc_avro_cur *c, struct cdc_out *o)
{
	struct cdc_str s;

	if (n->size > (uint64_t)(c->end - c->p)) {
		c->why = "a fixed value runs past the end";
		return false;
	}
	s = cdc_str((const char *)c->p, n->size);
	c->p += n->size;
	put_bytes(s, o);
	return true;
}

static bool put_symbol(const struct cdc_avro_plan *plan, const struct cdc_avro_node *n,
		       struct cdc_avro_cur *c, struct cdc_out *o)
{
	int64_t i;

	if (!cdc_avro_long(c, &i))
		return false;
	if (i < 0 || i >= (int64_t)n->n) {
		c->why = "an enum has no such symbol";
		return false;
	}
	cdc_out_quoted(o, cdc_str_z(cdc_avro_child(plan, n, (uint32_t)i)->name));
	return true;
}

static bool put_record(const struct cdc_avro_plan *plan, const struct cdc_avro_node *n,
		       struct cdc_avro_cur *c, unsigned depth, struct cdc_out *o)
{
	bool ok = true;

	cdc_out_char(o, '{');
	for (uint32_t i = 0; ok && i < n->n; i++) {
		const struct cdc_avro_child *f = cdc_avro_child(plan, n, i);

		if (i)
			cdc_out_char(o, ',');
		cdc_out_quoted(o, cdc_str_z(f->name));
		cdc_out_char(o, ':');
		ok = put_value(plan, f->node, c, depth + 1, o);
	}
	cdc_out_char(o, '}');
	return ok;
}

static bool put_items(const struct cdc_avro_plan *plan, const struct cdc_avro_node *n,
		      struct cdc_avro_cur *c, unsigned depth, struct cdc_out *o)
{
	uint32_t item = cdc_avro_child(plan, n, 0)->node;
	bool map = n->kind == CDC_AVRO_MAP, first = true, ok = true;
	struct cdc_avro_blocks b = { 0, NULL };
	uint32_t n_empty = 0;
	struct cdc_str key;

	cdc_out_char(o, map ? '{' : '[');
	while (cdc_avro_next(c, &b, &ok)) {
		/* Items that take no bytes can be as many as a few bytes say. */
		if (!map && cdc_avro_node(plan, item)->empty && ++n_empty > EMPTY_ITEMS_MAX) {
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
		if (!put_value(plan, item, c, depth + 1, o))
			return false;
	}
	cdc_out_char(o, map ? '}' : ']');
	return ok;
}

static bool put_value(const struct cdc_avro_plan *plan, uint32_t node, struct cdc_avro_cur *c,
		      unsigned depth, struct cdc_out *o)
{
	const struct cdc_avro_node *n;
	struct cdc_str s;
	int64_t l;
	int32_t i;

	if (!cdc_avro_branch(plan, c, &node))
		return false;
	if (depth > CDC_AVRO_DEPTH_MAX) {
		c->why = "a value is nested too deeply";
		return false;
	}
	n = cdc_avro_node(plan, node);
	switch ((enum cdc_avro_kind)n->kind) {
	case CDC_AVRO_NULL:
		cdc_out_lit(o, "null");
		return true;
	case CDC_AVRO_BOOLEAN:
		return put_boolean(c, o);
	case CDC_AVRO_INT:
		if (!cdc_avro_int(c, &i))
			return false;
		cdc_out_int(o, i);
		return true;
	case CDC_AVRO_LONG:
		if (!cdc_avro_long(c, &l))
			return false;
		cdc_out_int(o, l);
		return true;
	case CDC_AVRO_FLOAT:
	case CDC_AVRO_DOUBLE:
		return put_real(n, c, o);
	case CDC_AVRO_BYTES:
	case CDC_AVRO_STRING:
		if (!cdc_avro_bytes(c, &s))
			return false;
		if (n->kind == CDC_AVRO_BYTES)
			put_bytes(s, o);
		else
			cdc_out_quoted(o, s);
		return true;
	case CDC_AVRO_FIXED:
		return put_fixed(n, c, o);
	case CDC_AVRO_ENUM:
		return put_symbol(plan, n, c, o);
	case CDC_AVRO_RECORD:
		return put_record(plan, n, c, depth, o);
	case CDC_AVRO_ARRAY:
	case CDC_AVRO_MAP:
		return put_items(plan, n, c, depth, o);
	case CDC_AVRO_UNION:
		break;
	}
	c->why = "a union inside a union";
	return false;
}

bool cdc_connect_json_put(const struct cdc_avro_plan *plan, struct cdc_avro_cur *c,
			  struct cdc_out *o)
{
	return put_value(plan, 0, c, 0, o);
}
