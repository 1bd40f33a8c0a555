/*
 * Logical types and the marks of Kafka Connect and Sqoop in a schema's JSON. avro-c drops them, so
 * the JSON is walked beside the plan that was made of it; where the two differ the walk stops.
 */
#include "base/json.h"
#include "source/avro/avro_plan.h"

struct walk {
	struct cdc_avro_plan *plan;
	struct cdc_tape tape;
	struct cdc_err *err;
};

static const struct logical {
	const char *name;
	uint8_t logical;
	uint8_t kind;
	uint64_t size; /* of a fixed, 0: any */
} logicals[] = {
	{ "decimal", CDC_AVRO_DECIMAL, CDC_AVRO_BYTES, 0 },
	{ "decimal", CDC_AVRO_DECIMAL, CDC_AVRO_FIXED, 0 },
	{ "date", CDC_AVRO_DATE, CDC_AVRO_INT, 0 },
	{ "time-millis", CDC_AVRO_TIME_MILLIS, CDC_AVRO_INT, 0 },
	{ "time-micros", CDC_AVRO_TIME_MICROS, CDC_AVRO_LONG, 0 },
	{ "timestamp-millis", CDC_AVRO_TIMESTAMP_MILLIS, CDC_AVRO_LONG, 0 },
	{ "timestamp-micros", CDC_AVRO_TIMESTAMP_MICROS, CDC_AVRO_LONG, 0 },
	{ "timestamp-nanos", CDC_AVRO_TIMESTAMP_NANOS, CDC_AVRO_LONG, 0 },
	{ "local-timestamp-millis", CDC_AVRO_LOCAL_MILLIS, CDC_AVRO_LONG, 0 },
	{ "local-timestamp-micros", CDC_AVRO_LOCAL_MICROS, CDC_AVRO_LONG, 0 },
	{ "local-timestamp-nanos", CDC_AVRO_LOCAL_NANOS, CDC_AVRO_LONG, 0 },
	{ "uuid", CDC_AVRO_UUID, CDC_AVRO_STRING, 0 },
	{ "uuid", CDC_AVRO_UUID, CDC_AVRO_FIXED, 16 },
	{ "duration", CDC_AVRO_DURATION, CDC_AVRO_FIXED, 12 },
};

static bool is_type(const struct cdc_tape *t, uint32_t i, enum cdc_json_type type)
{
	return i != CDC_JSON_NONE && t->tok[i].type == (uint8_t)type;
}

/* A small number, also as a string; 0 when it is neither. */
static int32_t number(const struct cdc_tape *t, uint32_t i)
{
	int64_t v = 0;
	struct cdc_str s;

	if (i == CDC_JSON_NONE)
		return 0;
	s = cdc_json_raw(t, i);
	if (s.n == 0 || s.n > 11)
		return 0;
	for (size_t k = s.p[0] == '-'; k < s.n; k++) {
		if (s.p[k] < '0' || s.p[k] > '9')
			return 0;
		v = v * 10 + (s.p[k] - '0');
	}
	v = s.p[0] == '-' ? -v : v;
	return v < INT32_MIN || v > INT32_MAX ? 0 : (int32_t)v;
}

static void take_logical(struct walk *w, uint32_t obj, struct cdc_avro_node *n)
{
	uint32_t name = cdc_json_get(&w->tape, obj, "logicalType");
	int32_t precision = number(&w->tape, cdc_json_get(&w->tape, obj, "precision"));
	int32_t scale = number(&w->tape, cdc_json_get(&w->tape, obj, "scale"));

	n->precision = precision ? precision : n->precision;
	n->scale = scale ? scale : n->scale;
	if (!is_type(&w->tape, name, CDC_JSON_STRING))
		return;
	for (size_t i = 0; i < sizeof(logicals) / sizeof(logicals[0]); i++) {
		const struct logical *l = &logicals[i];

		if (n->kind == l->kind && (l->size == 0 || l->size == n->size) &&
		    cdc_json_is(&w->tape, name, cdc_str_z(l->name)))
			n->logical = l->logical;
	}
	/* The specification: a logical type that is not valid is not there. */
	if (n->logical == CDC_AVRO_DECIMAL &&
	    (n->precision <= 0 || n->scale < 0 || n->scale > n->precision))
		n->logical = CDC_AVRO_PLAIN;
}

static int take_text(struct walk *w, uint32_t tok, const char **out)
{
	struct cdc_str s;
	char *copy;

	if (!is_type(&w->tape, tok, CDC_JSON_STRING))
		return CDC_OK;
	s = cdc_json_raw(&w->tape, tok);
	copy = cdc_arena_alloc(&w->plan->names, s.n + 1);
	if (!copy)
		return cdc_fail_nomem(w->err);
	copy[cdc_json_unescape(s, copy)] = '\0';
	*out = copy;
	return CDC_OK;
}

static int take_connect(struct walk *w, uint32_t obj, struct cdc_avro_node *n)
{
	uint32_t params = cdc_json_get(&w->tape, obj, "connect.parameters");
	struct cdc_str s;
	char *copy;
	int rc = take_text(w, cdc_json_get(&w->tape, obj, "connect.name"), &n->connect_name);

	if (rc == CDC_OK)
		rc = take_text(w, cdc_json_get(&w->tape, obj, "connect.type"), &n->connect_type);
	if (rc < 0)
		return rc;
	if (is_type(&w->tape, params, CDC_JSON_OBJECT)) {
		s = cdc_json_source(&w->tape, params);
		copy = cdc_arena_dup(&w->plan->names, s.p, s.n);
		if (!copy)
			return cdc_fail_nomem(w->err);
		n->connect_parameters = cdc_str(copy, s.n);
		/* Connect's own scale, where the Avro schema has none. */
		if (n->scale == 0)
			n->scale = number(&w->tape, cdc_json_get(&w->tape, params, "scale"));
		if (n->precision == 0)
			n->precision = number(&w->tape, cdc_json_get(&w->tape, params,
								     "connect.decimal.precision"));
	}
	return CDC_OK;
}

static int walk(struct walk *w, uint32_t tok, uint32_t node, unsigned depth);

static int walk_union(struct walk *w, uint32_t tok, uint32_t node, unsigned depth)
{
	const struct cdc_avro_node n = w->plan->node[node];
	uint32_t k = cdc_json_first(&w->tape, tok);
	int rc = CDC_OK;

	if (n.kind != CDC_AVRO_UNION)
		return CDC_OK;
	for (uint32_t i = 0; rc == CDC_OK && i < n.n && k != CDC_JSON_NONE; i++) {
		rc = walk(w, k, cdc_avro_child(w->plan, &n, i)->node, depth);
		k = cdc_json_after(&w->tape, tok, k);
	}
	return rc;
}

static int walk_fields(struct walk *w, uint32_t obj, uint32_t node, unsigned depth)
{
	const struct cdc_avro_node n = w->plan->node[node];
	uint32_t fields = cdc_json_get(&w->tape, obj, "fields");
	uint32_t k;
	int rc = CDC_OK;

	if (!is_type(&w->tape, fields, CDC_JSON_ARRAY))
		return CDC_OK;
	k = cdc_json_first(&w->tape, fields);
	for (uint32_t i = 0; rc == CDC_OK && i < n.n && k != CDC_JSON_NONE; i++) {
		struct cdc_avro_child *child = &w->plan->child[n.first + i];
		uint32_t name = cdc_json_get(&w->tape, k, "name");
		uint32_t type = cdc_json_get(&w->tape, k, "type");

		if (!is_type(&w->tape, name, CDC_JSON_STRING) || !child->name ||
		    !cdc_json_is(&w->tape, name, cdc_str_z(child->name)))
			return CDC_OK;
		child->sql_type = number(&w->tape, cdc_json_get(&w->tape, k, "sqlType"));
		if (type != CDC_JSON_NONE)
			rc = walk(w, type, child->node, depth);
		k = cdc_json_after(&w->tape, fields, k);
	}
	return rc;
}

static int walk_object(struct walk *w, uint32_t obj, uint32_t node, unsigned depth)
{
	struct cdc_avro_node *n = &w->plan->node[node];
	uint32_t type = cdc_json_get(&w->tape, obj, "type");
	uint32_t items;
	int rc;

	if (type == CDC_JSON_NONE)
		return CDC_OK;
	if (!is_type(&w->tape, type, CDC_JSON_STRING)) {
		rc = walk(w, type, node, depth);
		if (rc < 0 || n->kind == CDC_AVRO_UNION)
			return rc;
	}
	take_logical(w, obj, n);
	rc = take_connect(w, obj, n);
	if (rc < 0)
		return rc;
	if (n->kind == CDC_AVRO_RECORD)
		return walk_fields(w, obj, node, depth);
	if (n->kind != CDC_AVRO_ARRAY && n->kind != CDC_AVRO_MAP)
		return CDC_OK;
	items = cdc_json_get(&w->tape, obj, n->kind == CDC_AVRO_ARRAY ? "items" : "values");
	return items == CDC_JSON_NONE ? CDC_OK
				      : walk(w, items, cdc_avro_child(w->plan, n, 0)->node, depth);
}

/* A string is the name of a type: a primitive has no marks, another has been walked. */
static int walk(struct walk *w, uint32_t tok, uint32_t node, unsigned depth)
{
	if (depth > 2 * CDC_AVRO_DEPTH_MAX)
		return CDC_OK;
	if (w->tape.tok[tok].type == CDC_JSON_ARRAY)
		return walk_union(w, tok, node, depth + 1);
	if (w->tape.tok[tok].type == CDC_JSON_OBJECT)
		return walk_object(w, tok, node, depth + 1);
	return CDC_OK;
}

int cdc_avro_plan_annotate(struct cdc_avro_plan *plan, struct cdc_str json, struct cdc_err *err)
{
	struct walk w = { .plan = plan, .tape = CDC_TAPE_INIT, .err = err };
	struct cdc_err unused = CDC_ERR_INIT;
	int rc = cdc_json_scan(&w.tape, json, NULL, &unused);

	/* What jansson reads and the scanner does not has no marks then. */
	if (rc == CDC_OK)
		rc = walk(&w, 0, 0, 0);
	else
		rc = rc == CDC_ENOMEM ? cdc_fail_nomem(err) : CDC_OK;
	cdc_tape_free(&w.tape);
	return rc;
}
