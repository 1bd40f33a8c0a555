/* From a writer's schema to the steps by which a DTS event is walked: fields are found by name. */
#include "source/dts/dts_int.h"

#include <stdlib.h>

#define KIND(k) (1u << (k))
#define INTEGRAL (KIND(CDC_AVRO_INT) | KIND(CDC_AVRO_LONG))
#define TEXTUAL (KIND(CDC_AVRO_STRING) | KIND(CDC_AVRO_BYTES))
#define OR_NULL KIND(CDC_AVRO_NULL)

/* A field that we read: what it may be, behind unions too. */
struct want {
	const char *name;
	uint8_t op;
	uint16_t kinds;
	bool required;
};

static const struct want want_event[] = {
	{ "id", DTS_OP_ID, INTEGRAL, true },
	{ "sourceTimestamp", DTS_OP_TIMESTAMP, INTEGRAL, true },
	{ "sourcePosition", DTS_OP_POSITION, TEXTUAL | OR_NULL, false },
	{ "safeSourcePosition", DTS_OP_SAFE_POSITION, TEXTUAL | OR_NULL, false },
	{ "sourceTxid", DTS_OP_TXID, TEXTUAL | OR_NULL, false },
	{ "source", DTS_OP_SOURCE, KIND(CDC_AVRO_RECORD), true },
	{ "operation", DTS_OP_OPERATION, KIND(CDC_AVRO_ENUM), true },
	{ "objectName", DTS_OP_OBJECT, TEXTUAL | OR_NULL, true },
	{ "tags", DTS_OP_TAGS, KIND(CDC_AVRO_MAP) | OR_NULL, false },
	{ "fields", DTS_OP_FIELDS, KIND(CDC_AVRO_ARRAY) | TEXTUAL | OR_NULL, true },
	{ "beforeImages", DTS_OP_BEFORE, KIND(CDC_AVRO_ARRAY) | TEXTUAL | OR_NULL, true },
	{ "afterImages", DTS_OP_AFTER, KIND(CDC_AVRO_ARRAY) | TEXTUAL | OR_NULL, true },
	{ NULL, 0, 0, false }
};

static const struct want want_source[] = { { "sourceType", DTS_OP_SOURCE_TYPE, KIND(CDC_AVRO_ENUM),
					     true },
					   { "version", DTS_OP_SOURCE_VERSION, TEXTUAL, true },
					   { NULL, 0, 0, false } };

static const struct want want_field[] = { { "name", DTS_OP_FIELD_NAME, TEXTUAL, true },
					  { "dataTypeNumber", DTS_OP_FIELD_TYPE, INTEGRAL, true },
					  { NULL, 0, 0, false } };

static const struct want want_number_text[] = { { "value", DTS_OP_TEXT, TEXTUAL, true },
						{ NULL, 0, 0, false } };

static const struct want want_character[] = { { "charset", DTS_OP_TAG, TEXTUAL, true },
					      { "value", DTS_OP_TEXT, TEXTUAL, true },
					      { NULL, 0, 0, false } };

static const struct want want_object[] = { { "type", DTS_OP_TAG, TEXTUAL, true },
					   { "value", DTS_OP_TEXT, TEXTUAL, true },
					   { NULL, 0, 0, false } };

static const struct want want_float[] = { { "value", DTS_OP_NUMBER,
					    KIND(CDC_AVRO_DOUBLE) | KIND(CDC_AVRO_FLOAT), true },
					  { NULL, 0, 0, false } };

static const struct want want_timestamp[] = { { "timestamp", DTS_OP_SECONDS, INTEGRAL, true },
					      { "millis", DTS_OP_MICROS, INTEGRAL, true },
					      { NULL, 0, 0, false } };

static const struct want want_datetime[] = {
	{ "year", DTS_OP_PART + DTS_YEAR, INTEGRAL | OR_NULL, true },
	{ "month", DTS_OP_PART + DTS_MONTH, INTEGRAL | OR_NULL, true },
	{ "day", DTS_OP_PART + DTS_DAY, INTEGRAL | OR_NULL, true },
	{ "hour", DTS_OP_PART + DTS_HOUR, INTEGRAL | OR_NULL, true },
	{ "minute", DTS_OP_PART + DTS_MINUTE, INTEGRAL | OR_NULL, true },
	{ "second", DTS_OP_PART + DTS_SECOND, INTEGRAL | OR_NULL, true },
	{ "millis", DTS_OP_PART + DTS_MICROS, INTEGRAL | OR_NULL, true },
	{ NULL, 0, 0, false }
};

static const struct want want_zoned[] = { { "value", DTS_OP_NESTED, KIND(CDC_AVRO_RECORD), true },
					  { "timezone", DTS_OP_TAG, TEXTUAL, true },
					  { NULL, 0, 0, false } };

static const struct branch {
	const char *name;
	uint8_t kind;
	const struct want *want;
} branches[] = {
	{ "Integer", DTS_INTEGER, want_number_text },
	{ "Character", DTS_CHARACTER, want_character },
	{ "Decimal", DTS_DECIMAL, want_number_text },
	{ "Float", DTS_FLOAT, want_float },
	{ "Timestamp", DTS_TIMESTAMP, want_timestamp },
	{ "DateTime", DTS_DATETIME, want_datetime },
	{ "TimestampWithTimeZone", DTS_TIMESTAMP_TZ, want_zoned },
	{ "BinaryGeometry", DTS_BINARY_GEOMETRY, want_object },
	{ "TextGeometry", DTS_TEXT_GEOMETRY, want_object },
	{ "BinaryObject", DTS_BINARY_OBJECT, want_object },
	{ "TextObject", DTS_TEXT_OBJECT, want_object },
};

static const char *const operation_names[DTS_OPERATIONS] = {
	"INSERT",   "UPDATE",  "DELETE",    "DDL",	  "BEGIN",   "COMMIT",
	"ROLLBACK", "ABORT",   "HEARTBEAT", "CHECKPOINT", "COMMAND", "FILL",
	"FINISH",   "CONTROL", "RDB",	    "NOOP",	  "INIT",
};

static const struct want *find_want(const struct want *want, const char *name)
{
	for (; want->name; want++) {
		if (name && strcmp(want->name, name) == 0)
			return want;
	}
	return NULL;
}

/* Is the node, or each branch of the union that it is, of these kinds? */
static bool allowed(const struct cdc_avro_plan *plan, uint32_t node, unsigned kinds)
{
	const struct cdc_avro_node *n = cdc_avro_node(plan, node);

	if (n->kind != CDC_AVRO_UNION)
		return (KIND(n->kind) & kinds) != 0;
	for (uint32_t i = 0; i < n->n; i++) {
		if (!(KIND(cdc_avro_node(plan, cdc_avro_child(plan, n, i)->node)->kind) & kinds))
			return false;
	}
	return true;
}

static int add_step(struct dts_layout *l, uint8_t op, uint32_t node, struct cdc_err *err)
{
	if (l->n_steps == l->cap_steps) {
		uint32_t cap = l->cap_steps ? l->cap_steps * 2 : 64;
		struct dts_step *q = realloc(l->step, cap * sizeof(*q));

		if (!q)
			return cdc_fail_nomem(err);
		l->step = q;
		l->cap_steps = cap;
	}
	l->step[l->n_steps++] = (struct dts_step){ op, node };
	return CDC_OK;
}

/* Steps for the fields of record `node`, in the writer's order. */
static int resolve(struct dts_layout *l, uint32_t node, const struct want *want,
		   struct dts_steps *steps, struct cdc_err *err)
{
	const struct cdc_avro_node *n = cdc_avro_node(l->plan, node);
	const char *record = n->name ? n->name : "?";
	unsigned found = 0;
	int rc = CDC_OK;

	steps->first = l->n_steps;
	steps->n = n->n;
	for (uint32_t i = 0; rc == CDC_OK && i < n->n; i++) {
		const struct cdc_avro_child *f = cdc_avro_child(l->plan, n, i);
		const struct want *w = find_want(want, f->name);

		if (w && !allowed(l->plan, f->node, w->kinds))
			return cdc_fail(err, CDC_EDATA,
					"%s.%s has a type that a DTS event does not have", record,
					w->name);
		if (w)
			found |= 1u << (w - want);
		rc = add_step(l, w ? w->op : DTS_OP_SKIP, f->node, err);
	}
	for (const struct want *w = want; rc == CDC_OK && w->name; w++) {
		if (w->required && !(found & 1u << (w - want)))
			return cdc_fail(err, CDC_EDATA,
					"not a DTS event: its schema's %s has no field %s", record,
					w->name);
	}
	return rc;
}

static const struct branch *find_branch(const struct cdc_avro_node *n)
{
	for (size_t i = 0; n->name && i < sizeof(branches) / sizeof(branches[0]); i++) {
		if (strcmp(branches[i].name, n->name) == 0)
			return &branches[i];
	}
	return NULL;
}

/* TimestampWithTimeZone holds a DateTime, which need not be a branch by itself. */
static int resolve_nested(struct dts_layout *l, struct dts_steps zoned, struct cdc_err *err)
{
	for (uint32_t i = zoned.first; i < zoned.first + zoned.n; i++) {
		uint32_t node = l->step[i].node;

		if (l->step[i].op != DTS_OP_NESTED)
			continue;
		if (cdc_avro_node(l->plan, node)->kind != CDC_AVRO_RECORD)
			return cdc_fail(err, CDC_EDATA,
					"TimestampWithTimeZone.value is not a record");
		if (l->of[node].steps.n == 0)
			return resolve(l, node, want_datetime, &l->of[node].steps, err);
	}
	return CDC_OK;
}

/* Is it a union of null and int, in this order? */
static bool is_null_or_int(const struct cdc_avro_plan *plan, const struct cdc_avro_node *n)
{
	return n->kind == CDC_AVRO_UNION && n->n == 2 &&
	       cdc_avro_node(plan, cdc_avro_child(plan, n, 0)->node)->kind == CDC_AVRO_NULL &&
	       cdc_avro_node(plan, cdc_avro_child(plan, n, 1)->node)->kind == CDC_AVRO_INT;
}

/* A letter for a step of a value, '?' if its field is not of the type that it mostly is. */
static char letter_of(const struct cdc_avro_plan *plan, struct dts_step step, uint32_t i)
{
	const struct cdc_avro_node *n = cdc_avro_node(plan, step.node);

	switch (step.op) {
	case DTS_OP_SKIP:
		return n->kind == CDC_AVRO_INT ? 'i' : '?';
	case DTS_OP_TEXT:
		return KIND(n->kind) & TEXTUAL ? 'v' : '?';
	case DTS_OP_TAG:
		return KIND(n->kind) & TEXTUAL ? 't' : '?';
	case DTS_OP_NUMBER:
		return n->kind == CDC_AVRO_DOUBLE ? 'd' : '?';
	case DTS_OP_SECONDS:
		return n->kind == CDC_AVRO_LONG ? 's' : '?';
	case DTS_OP_MICROS:
		return n->kind == CDC_AVRO_INT ? 'u' : '?';
	default:
		return step.op == DTS_OP_PART + i && is_null_or_int(plan, n) ? 'p' : '?';
	}
}

static enum dts_recipe recipe_of(const struct dts_layout *l, struct dts_steps s)
{
	static const struct {
		const char *letters;
		enum dts_recipe recipe;
	} known[] = {
		{ "iv", DTS_RECIPE_SIZE_TEXT },	  { "tv", DTS_RECIPE_TAG_TEXT },
		{ "vii", DTS_RECIPE_TEXT_SIZES }, { "dii", DTS_RECIPE_NUMBER_SIZES },
		{ "su", DTS_RECIPE_INSTANT },	  { "ppppppp", DTS_RECIPE_PARTS },
	};
	char letters[DTS_PARTS + 1] = "";

	for (uint32_t i = 0; i < s.n && i < DTS_PARTS; i++)
		letters[i] = letter_of(l->plan, l->step[s.first + i], i);
	for (size_t i = 0; s.n <= DTS_PARTS && i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].letters, letters) == 0)
			return known[i].recipe;
	}
	return DTS_RECIPE_NONE;
}

static int resolve_branch(struct dts_layout *l, uint32_t node, struct cdc_err *err)
{
	const struct cdc_avro_node *n = cdc_avro_node(l->plan, node);
	const struct branch *b = find_branch(n);
	int rc = CDC_OK;

	if (n->kind == CDC_AVRO_NULL) {
		l->of[node].kind = DTS_NULL;
		l->of[node].recipe = DTS_RECIPE_NULL;
		return CDC_OK;
	}
	if (n->kind == CDC_AVRO_ENUM && n->name && strcmp(n->name, "EmptyObject") == 0) {
		l->of[node].kind = DTS_EMPTY_OBJECT;
		return CDC_OK;
	}
	if (n->kind != CDC_AVRO_RECORD || !b)
		return cdc_fail(err, CDC_EDATA, "images have values of an unknown type %s",
				n->name ? n->name : "");
	l->of[node].kind = b->kind;
	if (l->of[node].steps.n == 0)
		rc = resolve(l, node, b->want, &l->of[node].steps, err);
	if (rc == CDC_OK && b->kind == DTS_TIMESTAMP_TZ)
		rc = resolve_nested(l, l->of[node].steps, err);
	l->of[node].recipe = (uint16_t)recipe_of(l, l->of[node].steps);
	return rc;
}

/* Call `each` for the node and, if it is a union, for its branches instead. */
static int for_branches(struct dts_layout *l, uint32_t node, struct cdc_err *err,
			int (*each)(struct dts_layout *l, uint32_t node, struct cdc_err *err))
{
	const struct cdc_avro_node *n = cdc_avro_node(l->plan, node);
	int rc = CDC_OK;

	if (n->kind != CDC_AVRO_UNION)
		return each(l, node, err);
	for (uint32_t i = 0; rc == CDC_OK && i < n->n; i++)
		rc = each(l, cdc_avro_child(l->plan, n, i)->node, err);
	return rc;
}

static int resolve_image(struct dts_layout *l, uint32_t node, struct cdc_err *err)
{
	const struct cdc_avro_node *n = cdc_avro_node(l->plan, node);

	if (n->kind != CDC_AVRO_ARRAY)
		return CDC_OK;
	return for_branches(l, cdc_avro_child(l->plan, n, 0)->node, err, resolve_branch);
}

static int resolve_fields(struct dts_layout *l, uint32_t node, struct cdc_err *err)
{
	const struct cdc_avro_node *n = cdc_avro_node(l->plan, node);
	uint32_t item;

	if (n->kind != CDC_AVRO_ARRAY)
		return CDC_OK;
	item = cdc_avro_child(l->plan, n, 0)->node;
	if (cdc_avro_node(l->plan, item)->kind != CDC_AVRO_RECORD)
		return cdc_fail(err, CDC_EDATA, "fields are not records");
	return resolve(l, item, want_field, &l->of[item].steps, err);
}

static int resolve_operation(struct dts_layout *l, uint32_t node, struct cdc_err *err)
{
	const struct cdc_avro_node *n = cdc_avro_node(l->plan, node);

	l->operation = malloc(n->n ? n->n : 1);
	if (!l->operation)
		return cdc_fail_nomem(err);
	for (uint32_t i = 0; i < n->n; i++) {
		uint8_t op = 0;

		while (op < DTS_OPERATIONS &&
		       strcmp(operation_names[op], cdc_avro_child(l->plan, n, i)->name) != 0)
			op++;
		l->operation[i] = op;
	}
	return CDC_OK;
}

static int resolve_tags(struct dts_layout *l, uint32_t node, struct cdc_err *err)
{
	const struct cdc_avro_node *n = cdc_avro_node(l->plan, node);

	if (n->kind == CDC_AVRO_MAP &&
	    !allowed(l->plan, cdc_avro_child(l->plan, n, 0)->node, TEXTUAL | OR_NULL))
		return cdc_fail(err, CDC_EDATA, "tags are not strings");
	return CDC_OK;
}

/* What is inside the event's fields. */
static int resolve_inner(struct dts_layout *l, struct dts_step step, struct cdc_err *err)
{
	switch (step.op) {
	case DTS_OP_SOURCE:
		if (cdc_avro_node(l->plan, step.node)->kind != CDC_AVRO_RECORD)
			return cdc_fail(err, CDC_EDATA, "source is not a record");
		return resolve(l, step.node, want_source, &l->of[step.node].steps, err);
	case DTS_OP_OPERATION:
		if (cdc_avro_node(l->plan, step.node)->kind != CDC_AVRO_ENUM)
			return cdc_fail(err, CDC_EDATA, "operation is not an enum");
		return resolve_operation(l, step.node, err);
	case DTS_OP_TAGS:
		return for_branches(l, step.node, err, resolve_tags);
	case DTS_OP_FIELDS:
		return for_branches(l, step.node, err, resolve_fields);
	case DTS_OP_BEFORE:
	case DTS_OP_AFTER:
		return for_branches(l, step.node, err, resolve_image);
	default:
		return CDC_OK;
	}
}

int dts_layout_new(struct dts_layout **layout, struct cdc_str schema, struct cdc_err *err)
{
	struct dts_layout *l = calloc(1, sizeof(*l));
	int rc = CDC_OK;

	if (!l)
		return cdc_fail_nomem(err);
	rc = cdc_avro_plan_new(&l->plan, schema, err);
	if (rc < 0)
		goto out;
	l->of = calloc(l->plan->n_nodes, sizeof(*l->of));
	if (!l->of) {
		rc = cdc_fail_nomem(err);
		goto out;
	}
	if (cdc_avro_node(l->plan, 0)->kind != CDC_AVRO_RECORD) {
		rc = cdc_fail(err, CDC_EDATA, "not a DTS event: its schema is not a record");
		goto out;
	}
	rc = resolve(l, 0, want_event, &l->event, err);
	for (uint32_t i = 0; rc == CDC_OK && i < l->event.n; i++)
		rc = resolve_inner(l, l->step[l->event.first + i], err);
out:
	if (rc < 0)
		dts_layout_free(l);
	else
		*layout = l;
	return rc;
}

int dts_layout_builtin(struct dts_layout **layout, struct cdc_err *err)
{
	int rc = dts_layout_new(layout, cdc_str_z(dts_schema_json), err);

	if (rc == CDC_OK)
		(*layout)->tail_optional = true;
	return rc;
}

void dts_layout_free(struct dts_layout *l)
{
	if (!l)
		return;
	cdc_avro_plan_free(l->plan);
	free(l->step);
	free(l->of);
	free(l->operation);
	free(l);
}
