/*
 * The typed columns of a checkpoint: statistics and partition values once more, as values of the
 * table's own types (add.stats_parsed and add.partitionValues_parsed, spec section 9).
 */
#include "delta/checkpoint_rows.h"

#include "base/endian.h"
#include "base/value.h"
#include "delta/stats.h"

/* ------------------------------------------------------------------ the schema */

static const struct cdc_field count_field = { .type = CDC_TYPE_LONG };
static const struct cdc_field flag_field = { .type = CDC_TYPE_BOOLEAN };

static int32_t count_fields(const struct cdc_field *f, int n)
{
	int32_t fields = n;

	for (int i = 0; i < n; i++)
		fields += count_fields(f[i].child, f[i].num_children);
	return fields;
}

/* Each field as minimum, maximum, number of nulls and partition value; and what is around them. */
int32_t cdc_cp_typed_nodes(const struct cdc_schema *schema)
{
	return 4 * count_fields(schema->field, schema->num_fields) + 8;
}

static void add_leaf(struct cdc_cp_shape *b, struct cdc_pq_node *parent, struct cdc_str name,
		     const struct cdc_field *f)
{
	struct cdc_pq_node *n = cdc_cp_add_node(b, name, CDC_PQ_OPTIONAL, 0);

	n->is_leaf = true;
	(void)cdc_schema_leaf(n, f);
	b->r->column[b->num_columns++] = (struct cdc_cp_column){ .kind = CDC_ACT_ADD, .field = f };
	parent->num_children++;
}

/* What is told of each column: its bounds, or how many nulls it has. */
struct telling {
	struct cdc_cp_shape *b;
	const struct cdc_stats_columns *columns;
	int32_t column; /* next one */
	bool bounds;
};

/* Structs without anything to tell of their fields are left out. */
static void add_fields(struct telling *t, struct cdc_pq_node *parent, const struct cdc_field *f,
		       int n)
{
	for (; n > 0; n--, f++) {
		if (f->is_partition || f->type == CDC_TYPE_VOID)
			continue;
		if (f->type == CDC_TYPE_STRUCT) {
			struct cdc_pq_node *group =
				cdc_cp_add_node(t->b, f->physical_name, CDC_PQ_OPTIONAL, 0);

			add_fields(t, group, f->child, f->num_children);
			if (group->num_children)
				parent->num_children++;
			else
				t->b->r->schema.num_nodes--;
		} else if (t->columns->covered[t->column++] &&
			   (!t->bounds || cdc_stats_has_bounds(f->type))) {
			add_leaf(t->b, parent, f->physical_name, t->bounds ? f : &count_field);
		}
	}
}

static void add_section(struct cdc_cp_shape *b, struct cdc_pq_node *parent, const char *name,
			const struct cdc_stats_columns *columns, bool bounds)
{
	const struct cdc_schema *schema = &b->r->content.s->schema;
	struct telling t = { b, columns, 0, bounds };
	struct cdc_pq_node *group = cdc_cp_add_node(b, cdc_str_z(name), CDC_PQ_OPTIONAL, 0);

	add_fields(&t, group, schema->field, schema->num_fields);
	if (group->num_children)
		parent->num_children++;
	else
		b->r->schema.num_nodes--;
}

static void add_parts(struct cdc_cp_shape *b, struct cdc_pq_node *add)
{
	const struct cdc_schema *schema = &b->r->content.s->schema;
	int32_t at = b->r->schema.num_nodes;
	struct cdc_pq_node *group =
		cdc_cp_add_node(b, CDC_STR("partitionValues_parsed"), CDC_PQ_OPTIONAL, 0);

	for (int i = 0; i < schema->num_fields; i++) {
		const struct cdc_field *f = &schema->field[i];
		struct cdc_pq_node leaf;

		if (f->is_partition && cdc_schema_leaf(&leaf, f))
			add_leaf(b, group, f->physical_name, f);
	}
	if (!group->num_children) {
		b->r->schema.num_nodes--;
		return;
	}
	add->num_children++;
	b->r->parts_node = at;
}

int cdc_cp_typed_shape(struct cdc_cp_shape *b, struct cdc_pq_node *add, struct cdc_err *err)
{
	struct cdc_stats_columns columns;
	struct cdc_pq_node *group;
	int rc = cdc_stats_columns_of(&columns, b->r->content.s, &b->r->arena, err);

	if (rc)
		return rc;
	add_parts(b, add);
	b->r->stats_node = b->r->schema.num_nodes;
	group = cdc_cp_add_node(b, CDC_STR("stats_parsed"), CDC_PQ_OPTIONAL, 0);
	add->num_children++;
	add_leaf(b, group, CDC_STR("numRecords"), &count_field);
	add_section(b, group, "minValues", &columns, true);
	add_section(b, group, "maxValues", &columns, true);
	add_section(b, group, "nullCount", &columns, false);
	if (columns.tight_bounds)
		add_leaf(b, group, CDC_STR("tightBounds"), &flag_field);
	return CDC_OK;
}

/* ------------------------------------------------------------------ values */

/* Unscaled, big-endian, in as many bytes as the precision asks for. */
static int put_decimal_bytes(struct cdc_cp_rows *r, const struct cdc_cp_column *c, cdc_i128 v,
			     struct cdc_str *out, struct cdc_err *err)
{
	char *p = cdc_arena_alloc(&r->scratch, sizeof(v));
	size_t n = (size_t)c->type_length;

	if (!p)
		return cdc_fail_nomem(err);
	cdc_put_be64(p, (uint64_t)(v >> 64));
	cdc_put_be64(p + 8, (uint64_t)v);
	*out = cdc_str(p + sizeof(v) - n, n);
	return CDC_OK;
}

static int put_value(struct cdc_cp_rows *r, struct cdc_cp_column *c, const union cdc_value *v,
		     struct cdc_err *err)
{
	bool decimal = c->field->type == CDC_TYPE_DECIMAL;
	void *to = cdc_cp_slot(c, c->max_def, false);

	if (!to)
		return cdc_fail_nomem(err);
	switch (c->type) {
	case CDC_PQ_BOOLEAN:
		*(uint8_t *)to = v->i != 0;
		break;
	case CDC_PQ_INT32:
		*(int32_t *)to = decimal ? (int32_t)v->dec : (int32_t)v->i;
		break;
	case CDC_PQ_INT64:
		*(int64_t *)to = decimal ? (int64_t)v->dec : v->i;
		break;
	case CDC_PQ_FLOAT:
		*(float *)to = (float)v->d;
		break;
	case CDC_PQ_DOUBLE:
		*(double *)to = v->d;
		break;
	case CDC_PQ_FIXED:
		return put_decimal_bytes(r, c, v->dec, to, err);
	case CDC_PQ_BYTE_ARRAY:
	case CDC_PQ_INT96:
		*(struct cdc_str *)to = v->s;
		break;
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ statistics */

/* The value of `name` in object `obj`. Members mostly come in the order of the schema: *next is
 * where to look first. */
static uint32_t find_member(const struct cdc_tape *t, uint32_t obj, struct cdc_str name,
			    uint32_t *next)
{
	uint32_t i = *next, first = cdc_json_first(t, obj);
	bool wrapped = false;

	for (;;) {
		if (i == CDC_JSON_NONE) {
			if (wrapped || *next == first)
				return CDC_JSON_NONE;
			wrapped = true;
			i = first;
		}
		if (wrapped && i == *next)
			return CDC_JSON_NONE;
		if (cdc_json_is(t, i, name))
			break;
		i = cdc_json_after(t, obj, i);
	}
	*next = cdc_json_after(t, obj, i);
	return i + 1;
}

static int put_stat(struct cdc_cp_rows *r, struct cdc_cp_column *c, uint32_t token, uint8_t def,
		    struct cdc_err *err)
{
	union cdc_value v;
	bool known = false;
	int rc = CDC_OK;

	if (token != CDC_JSON_NONE)
		rc = cdc_stats_value(c->field, &r->tape, token, &r->scratch, &v, &known, err);
	if (rc)
		return rc;
	return known ? put_value(r, c, &v, err) : cdc_cp_put_null(c, def, err);
}

/*
 * The slots below group *at, out of object `obj`; CDC_JSON_NONE: there is none, and `def` is the
 * level of what there is above it. *at moves behind the group.
 */
static int put_stats(struct cdc_cp_rows *r, int32_t *at, uint32_t obj, uint8_t def,
		     struct cdc_err *err)
{
	const struct cdc_pq_node *group = &r->schema.node[(*at)++];
	uint32_t next = CDC_JSON_NONE;
	int rc = CDC_OK;

	if (obj != CDC_JSON_NONE && r->tape.tok[obj].type != CDC_JSON_OBJECT)
		obj = CDC_JSON_NONE;
	if (obj != CDC_JSON_NONE) {
		def = group->max_def;
		next = cdc_json_first(&r->tape, obj);
	}
	for (int32_t i = 0; !rc && i < group->num_children; i++) {
		const struct cdc_pq_node *n = &r->schema.node[*at];
		uint32_t token = CDC_JSON_NONE;

		if (obj != CDC_JSON_NONE)
			token = find_member(&r->tape, obj, n->name, &next);
		if (!n->is_leaf) {
			rc = put_stats(r, at, token, def, err);
			continue;
		}
		rc = put_stat(r, &r->column[n->leaf], token, def, err);
		++*at;
	}
	return rc;
}

static int put_row_stats(struct cdc_cp_rows *r, struct cdc_str stats, struct cdc_err *err)
{
	struct cdc_err ignored = CDC_ERR_INIT;
	int32_t at = r->stats_node;
	int rc = stats.n ? cdc_json_scan(&r->tape, stats, NULL, &ignored) : CDC_EDATA;

	if (rc == CDC_ENOMEM)
		return cdc_fail_nomem(err);
	return put_stats(r, &at, rc ? CDC_JSON_NONE : 0, 1, err);
}

/* ------------------------------------------------------------------ partition values */

static struct cdc_str partition_value(const struct cdc_add *add, struct cdc_str name)
{
	for (int i = 0; i < add->num_partition_values; i++) {
		if (cdc_str_eq(add->partition_value[i].key, name))
			return add->partition_value[i].value;
	}
	return (struct cdc_str)CDC_STR_INIT;
}

static int put_parts(struct cdc_cp_rows *r, const struct cdc_add *add, struct cdc_err *err)
{
	const struct cdc_pq_node *group = &r->schema.node[r->parts_node];
	int rc = CDC_OK;

	for (int32_t i = 1; !rc && i <= group->num_children; i++) {
		const struct cdc_pq_node *n = group + i;
		struct cdc_cp_column *c = &r->column[n->leaf];
		struct cdc_err ignored = CDC_ERR_INIT;
		union cdc_value v;
		bool null = true;

		if (cdc_partition_parse(c->field, partition_value(add, n->name), &v, &null,
					&ignored) == CDC_OK &&
		    !null)
			rc = put_value(r, c, &v, err);
		else
			rc = cdc_cp_put_null(c, group->max_def, err);
	}
	return rc;
}

int cdc_cp_typed_row(struct cdc_cp_rows *r, const struct cdc_add *add, struct cdc_err *err)
{
	int rc = r->parts_node ? put_parts(r, add, err) : CDC_OK;

	return rc ? rc : put_row_stats(r, add->stats, err);
}
