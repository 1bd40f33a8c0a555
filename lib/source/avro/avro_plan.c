/*
 * The compiler from an Avro schema to a plan. The only file that knows avro-c, which parses the
 * schema's JSON; avro-c keeps its error text in one static buffer, so it is copied out at once.
 */
#include "source/avro/avro_plan.h"

#include <avro.h>
#include <stdlib.h>

struct compiler {
	struct cdc_avro_plan *plan;
	struct seen {
		avro_schema_t schema;
		uint32_t node;
	} * seen; /* named types, for links */
	size_t n_seen;
	size_t cap_seen;
	unsigned depth;
	struct cdc_err *err;
};

static int compile(struct compiler *c, avro_schema_t s, uint32_t *out);

static int grow(void **p, uint32_t *cap, uint32_t need, size_t size, struct cdc_err *err)
{
	uint32_t n = *cap ? *cap : 64;
	void *q;

	if (need > CDC_AVRO_NODES_MAX)
		return cdc_fail(err, CDC_EDATA, "the Avro schema has too many parts");
	while (n < need)
		n *= 2;
	if (n == *cap)
		return CDC_OK;
	q = realloc(*p, n * size);
	if (!q)
		return cdc_fail_nomem(err);
	*p = q;
	*cap = n;
	return CDC_OK;
}

static int add_node(struct compiler *c, enum cdc_avro_kind kind, uint32_t *out)
{
	struct cdc_avro_plan *p = c->plan;
	void *nodes = p->node;
	int rc = grow(&nodes, &p->cap_nodes, p->n_nodes + 1, sizeof(*p->node), c->err);

	p->node = nodes;
	if (rc < 0)
		return rc;
	*out = p->n_nodes++;
	p->node[*out] = (struct cdc_avro_node){ .kind = (uint8_t)kind };
	return CDC_OK;
}

static int add_children(struct compiler *c, uint32_t node, size_t n)
{
	struct cdc_avro_plan *p = c->plan;
	void *child = p->child;
	int rc;

	if (n > CDC_AVRO_NODES_MAX)
		return cdc_fail(c->err, CDC_EDATA, "the Avro schema has too many parts");
	rc = grow(&child, &p->cap_children, p->n_children + (uint32_t)n, sizeof(*p->child), c->err);
	p->child = child;
	if (rc < 0)
		return rc;
	p->node[node].first = p->n_children;
	p->node[node].n = (uint32_t)n;
	p->n_children += (uint32_t)n;
	return CDC_OK;
}

/* Copy a name of avro-c's; NULL stays NULL. */
static int copy_name(struct compiler *c, const char *name, const char **out)
{
	*out = name ? cdc_arena_dupz(&c->plan->names, cdc_str_z(name)) : NULL;
	return name && !*out ? cdc_fail_nomem(c->err) : CDC_OK;
}

static int remember(struct compiler *c, avro_schema_t s, uint32_t node)
{
	const char *name;
	int rc;

	if (c->n_seen == c->cap_seen) {
		size_t cap = c->cap_seen ? c->cap_seen * 2 : 32;
		struct seen *q = realloc(c->seen, cap * sizeof(*q));

		if (!q)
			return cdc_fail_nomem(c->err);
		c->seen = q;
		c->cap_seen = cap;
	}
	c->seen[c->n_seen++] = (struct seen){ s, node };
	rc = copy_name(c, avro_schema_name(s), &name);
	c->plan->node[node].name = name;
	return rc;
}

static int compile_child(struct compiler *c, uint32_t node, uint32_t i, avro_schema_t s,
			 const char *name)
{
	uint32_t child = 0;
	const char *copy;
	int rc = copy_name(c, name, &copy);

	if (rc == CDC_OK)
		rc = compile(c, s, &child);
	if (rc < 0)
		return rc;
	c->plan->child[c->plan->node[node].first + i] = (struct cdc_avro_child){ child, copy, 0 };
	return CDC_OK;
}

static int compile_record(struct compiler *c, avro_schema_t s, uint32_t node)
{
	size_t n = avro_schema_record_size(s);
	bool empty = true;
	int rc = add_children(c, node, n);

	for (uint32_t i = 0; rc == CDC_OK && i < n; i++) {
		rc = compile_child(c, node, i, avro_schema_record_field_get_by_index(s, (int)i),
				   avro_schema_record_field_name(s, (int)i));
		if (rc == CDC_OK)
			empty = empty &&
				c->plan->node[cdc_avro_child(c->plan, &c->plan->node[node], i)
						      ->node]
					.empty;
	}
	c->plan->node[node].empty = empty;
	return rc;
}

static int compile_union(struct compiler *c, avro_schema_t s, uint32_t node)
{
	size_t n = avro_schema_union_size(s);
	int rc = add_children(c, node, n);

	for (uint32_t i = 0; rc == CDC_OK && i < n; i++)
		rc = compile_child(c, node, i, avro_schema_union_branch(s, (int)i), NULL);
	return rc;
}

static int compile_enum(struct compiler *c, avro_schema_t s, uint32_t node)
{
	int n = avro_schema_enum_number_of_symbols(s);
	int rc = add_children(c, node, n > 0 ? (size_t)n : 0);

	for (int i = 0; rc == CDC_OK && i < n; i++)
		rc = copy_name(c, avro_schema_enum_get(s, i),
			       &c->plan->child[c->plan->node[node].first + (uint32_t)i].name);
	return rc;
}

static int compile_items(struct compiler *c, avro_schema_t items, uint32_t node)
{
	int rc = add_children(c, node, 1);

	return rc < 0 ? rc : compile_child(c, node, 0, items, NULL);
}

static enum cdc_avro_kind kind_of(avro_schema_t s)
{
	switch (avro_typeof(s)) {
	case AVRO_STRING:
		return CDC_AVRO_STRING;
	case AVRO_BYTES:
		return CDC_AVRO_BYTES;
	case AVRO_INT32:
		return CDC_AVRO_INT;
	case AVRO_INT64:
		return CDC_AVRO_LONG;
	case AVRO_FLOAT:
		return CDC_AVRO_FLOAT;
	case AVRO_DOUBLE:
		return CDC_AVRO_DOUBLE;
	case AVRO_BOOLEAN:
		return CDC_AVRO_BOOLEAN;
	case AVRO_RECORD:
		return CDC_AVRO_RECORD;
	case AVRO_ENUM:
		return CDC_AVRO_ENUM;
	case AVRO_FIXED:
		return CDC_AVRO_FIXED;
	case AVRO_MAP:
		return CDC_AVRO_MAP;
	case AVRO_ARRAY:
		return CDC_AVRO_ARRAY;
	case AVRO_UNION:
		return CDC_AVRO_UNION;
	case AVRO_NULL:
	case AVRO_LINK:
	default:
		return CDC_AVRO_NULL;
	}
}

/* A new node for s and what it is made of. */
static int compile_new(struct compiler *c, avro_schema_t s, uint32_t *out)
{
	enum cdc_avro_kind kind = kind_of(s);
	int rc = add_node(c, kind, out);

	if (rc == CDC_OK && is_avro_named_type(s))
		rc = remember(c, s, *out);
	if (rc < 0)
		return rc;
	c->plan->node[*out].empty = kind == CDC_AVRO_NULL;
	switch (kind) {
	case CDC_AVRO_RECORD:
		return compile_record(c, s, *out);
	case CDC_AVRO_ENUM:
		return compile_enum(c, s, *out);
	case CDC_AVRO_UNION:
		return compile_union(c, s, *out);
	case CDC_AVRO_ARRAY:
		return compile_items(c, avro_schema_array_items(s), *out);
	case CDC_AVRO_MAP:
		return compile_items(c, avro_schema_map_values(s), *out);
	case CDC_AVRO_FIXED:
		c->plan->node[*out].size = (uint64_t)avro_schema_fixed_size(s);
		c->plan->node[*out].empty = avro_schema_fixed_size(s) == 0;
		return CDC_OK;
	case CDC_AVRO_NULL:
	case CDC_AVRO_BOOLEAN:
	case CDC_AVRO_INT:
	case CDC_AVRO_LONG:
	case CDC_AVRO_FLOAT:
	case CDC_AVRO_DOUBLE:
	case CDC_AVRO_BYTES:
	case CDC_AVRO_STRING:
		break;
	}
	return CDC_OK;
}

static int compile(struct compiler *c, avro_schema_t s, uint32_t *out)
{
	int rc;

	if (is_avro_link(s))
		s = avro_schema_link_target(s);
	for (size_t i = 0; i < c->n_seen; i++) {
		if (c->seen[i].schema == s && is_avro_named_type(s)) {
			*out = c->seen[i].node;
			return CDC_OK;
		}
	}
	if (c->depth == CDC_AVRO_DEPTH_MAX)
		return cdc_fail(c->err, CDC_EDATA, "the Avro schema is nested too deeply");
	c->depth++;
	rc = compile_new(c, s, out);
	c->depth--;
	return rc;
}

int cdc_avro_plan_new(struct cdc_avro_plan **plan, struct cdc_str json, struct cdc_err *err)
{
	struct compiler c = { .err = err };
	avro_schema_t schema = NULL;
	uint32_t root;
	int rc = CDC_OK;

	if (json.n > CDC_AVRO_SCHEMA_MAX)
		return cdc_fail(err, CDC_EDATA, "the Avro schema is larger than 4 MiB");
	c.plan = calloc(1, sizeof(*c.plan));
	if (!c.plan)
		return cdc_fail_nomem(err);
	if (avro_schema_from_json_length(json.p, json.n, &schema) != 0) {
		schema = NULL;
		rc = cdc_fail(err, CDC_EDATA, "the Avro schema is bad: %s", avro_strerror());
		goto out;
	}
	rc = compile(&c, schema, &root);
	if (rc == CDC_OK)
		rc = cdc_avro_plan_annotate(c.plan, json, err);
out:
	if (schema)
		avro_schema_decref(schema);
	free(c.seen);
	if (rc < 0)
		cdc_avro_plan_free(c.plan);
	else
		*plan = c.plan;
	return rc;
}

void cdc_avro_plan_free(struct cdc_avro_plan *plan)
{
	if (!plan)
		return;
	free(plan->node);
	free(plan->child);
	cdc_arena_free(&plan->names);
	free(plan);
}
