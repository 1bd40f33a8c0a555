/*
 * Actions as rows of a checkpoint: the Parquet schema out of the member tables, and one slot per
 * leaf and row, with levels.
 */
#include "delta/checkpoint_rows.h"

#include <stdlib.h>

#define MAX_NODES 160 /* of the member tables */

/* ------------------------------------------------------------------ the schema */

struct cdc_pq_node *cdc_cp_add_node(struct cdc_cp_shape *b, struct cdc_str name,
				    enum cdc_pq_repetition repetition, int32_t children)
{
	struct cdc_pq_node *n = &b->r->schema.node[b->r->schema.num_nodes++];

	*n = (struct cdc_pq_node){ .name = name,
				   .repetition = repetition,
				   .num_children = children,
				   .converted = CDC_PQ_CONV_NONE };
	return n;
}

static struct cdc_pq_node *add_group(struct cdc_cp_shape *b, const char *name,
				     enum cdc_pq_repetition repetition, int32_t children)
{
	return cdc_cp_add_node(b, cdc_str_z(name), repetition, children);
}

static void add_leaf(struct cdc_cp_shape *b, const char *name, enum cdc_pq_repetition repetition,
		     enum cdc_pq_type type, struct cdc_cp_column column)
{
	struct cdc_pq_node *n = cdc_cp_add_node(b, cdc_str_z(name), repetition, 0);

	n->is_leaf = true;
	n->type = type;
	if (type == CDC_PQ_BYTE_ARRAY) {
		n->converted = CDC_PQ_CONV_UTF8;
		n->logical = CDC_PQ_LOGICAL_STRING;
	}
	b->r->column[b->num_columns++] = column;
}

static void add_map(struct cdc_cp_shape *b, const char *name, struct cdc_cp_column c)
{
	struct cdc_pq_node *n = add_group(b, name, CDC_PQ_OPTIONAL, 1);

	n->converted = CDC_PQ_CONV_MAP;
	n->logical = CDC_PQ_LOGICAL_MAP;
	add_group(b, "key_value", CDC_PQ_REPEATED, 2);
	c.part = CDC_CP_KEY;
	add_leaf(b, "key", CDC_PQ_REQUIRED, CDC_PQ_BYTE_ARRAY, c);
	c.part = CDC_CP_MAP_VALUE;
	add_leaf(b, "value", CDC_PQ_OPTIONAL, CDC_PQ_BYTE_ARRAY, c);
}

static void add_list(struct cdc_cp_shape *b, const char *name, struct cdc_cp_column c)
{
	struct cdc_pq_node *n = add_group(b, name, CDC_PQ_OPTIONAL, 1);

	n->converted = CDC_PQ_CONV_LIST;
	n->logical = CDC_PQ_LOGICAL_LIST;
	add_group(b, "list", CDC_PQ_REPEATED, 1);
	c.part = CDC_CP_ELEMENT;
	add_leaf(b, "element", CDC_PQ_OPTIONAL, CDC_PQ_BYTE_ARRAY, c);
}

static enum cdc_pq_type leaf_type(enum cdc_member_type t)
{
	switch (t) {
	case CDC_M_INT64:
		return CDC_PQ_INT64;
	case CDC_M_INT32:
		return CDC_PQ_INT32;
	case CDC_M_BOOL:
	case CDC_M_EXTENDED:
		return CDC_PQ_BOOLEAN;
	case CDC_M_STRING:
	case CDC_M_STORAGE:
	case CDC_M_COUNT_STATS:
	case CDC_M_MAP:
	case CDC_M_LIST:
	case CDC_M_TAGS:
	case CDC_M_FORMAT:
	case CDC_M_DV:
		break;
	}
	return CDC_PQ_BYTE_ARRAY;
}

static void add_member(struct cdc_cp_shape *b, enum cdc_action_kind kind,
		       const struct cdc_member *m, const struct cdc_member *dv)
{
	struct cdc_cp_column c = { .kind = kind, .m = m, .dv = dv };

	switch (m->type) {
	case CDC_M_MAP:
	case CDC_M_TAGS:
		add_map(b, m->name, c);
		break;
	case CDC_M_LIST:
		add_list(b, m->name, c);
		break;
	case CDC_M_FORMAT:
		add_group(b, m->name, CDC_PQ_OPTIONAL, 2);
		add_leaf(b, "provider", CDC_PQ_OPTIONAL, CDC_PQ_BYTE_ARRAY, c);
		add_map(b, "options", c);
		break;
	case CDC_M_DV:
		add_group(b, m->name, CDC_PQ_OPTIONAL, CDC_DV_NUM_MEMBERS);
		for (int i = 0; i < CDC_DV_NUM_MEMBERS; i++)
			add_member(b, kind, &cdc_dv_member[i], m);
		break;
	case CDC_M_STRING:
	case CDC_M_INT64:
	case CDC_M_INT32:
	case CDC_M_BOOL:
	case CDC_M_STORAGE:
	case CDC_M_EXTENDED:
	case CDC_M_COUNT_STATS:
		add_leaf(b, m->name, CDC_PQ_OPTIONAL, leaf_type(m->type), c);
		break;
	}
}

static bool is_stats(enum cdc_action_kind kind, const struct cdc_member *m)
{
	return kind == CDC_ACT_ADD && m->at == offsetof(struct cdc_add, stats);
}

static int add_action(struct cdc_cp_shape *b, enum cdc_action_kind kind, struct cdc_err *err)
{
	const struct cdc_action_def *d = &cdc_action_def[kind];
	const struct cdc_cp_content *content = &b->r->content;
	struct cdc_pq_node *group = add_group(b, d->name, CDC_PQ_OPTIONAL, 0);

	for (int i = 0; i < d->num_members; i++) {
		if (!d->member[i].in_checkpoint ||
		    (is_stats(kind, &d->member[i]) && !content->stats))
			continue;
		group->num_children++;
		add_member(b, kind, &d->member[i], NULL);
	}
	if (kind == CDC_ACT_ADD && content->typed)
		return cdc_cp_typed_shape(b, group, err);
	return CDC_OK;
}

static size_t value_size(enum cdc_pq_type t)
{
	switch (t) {
	case CDC_PQ_BOOLEAN:
		return sizeof(uint8_t);
	case CDC_PQ_INT32:
		return sizeof(int32_t);
	case CDC_PQ_INT64:
		return sizeof(int64_t);
	case CDC_PQ_FLOAT:
		return sizeof(float);
	case CDC_PQ_DOUBLE:
		return sizeof(double);
	case CDC_PQ_INT96:
	case CDC_PQ_BYTE_ARRAY:
	case CDC_PQ_FIXED:
		break;
	}
	return sizeof(struct cdc_str);
}

static int add_actions(struct cdc_cp_shape *b, struct cdc_err *err)
{
	struct cdc_pq_node *root = add_group(b, "spark_schema", CDC_PQ_REQUIRED, 0);
	int rc = CDC_OK;

	for (int k = 0; !rc && k < CDC_ACT_NUM_TABLES; k++) {
		if (!(b->r->content.kinds & CDC_KIND(k)))
			continue;
		root->num_children++;
		rc = add_action(b, (enum cdc_action_kind)k, err);
	}
	return rc;
}

int cdc_cp_rows_init(struct cdc_cp_rows *r, const struct cdc_cp_content *content,
		     struct cdc_err *err)
{
	struct cdc_cp_shape b = { r, 0 };
	size_t most = MAX_NODES;
	int rc;

	*r = (struct cdc_cp_rows){ .content = *content, .tape = CDC_TAPE_INIT };
	if (content->typed)
		most += (size_t)cdc_cp_typed_nodes(&content->s->schema);
	r->schema.node = cdc_arena_calloc(&r->arena, most, sizeof(*r->schema.node));
	r->column = cdc_arena_calloc(&r->arena, most, sizeof(*r->column));
	r->vec = cdc_arena_calloc(&r->arena, most, sizeof(*r->vec));
	if (!r->schema.node || !r->column || !r->vec)
		return cdc_fail_nomem(err);
	rc = add_actions(&b, err);
	if (!rc)
		rc = cdc_pq_schema_finish(&r->schema, &r->arena, err);
	for (int32_t i = 0; !rc && i < b.num_columns; i++) {
		const struct cdc_pq_node *n = &r->schema.node[r->schema.leaf_node[i]];

		r->column[i].type = n->type;
		r->column[i].type_length = n->type_length;
		r->column[i].max_def = n->max_def;
		r->column[i].repeated = n->max_rep > 0;
		r->column[i].value_size = value_size(n->type);
	}
	return rc;
}

/* ------------------------------------------------------------------ slots */

void *cdc_cp_slot(struct cdc_cp_column *c, uint8_t def, bool rep)
{
	char *v;

	if (c->n == c->cap) {
		uint32_t cap = c->cap ? c->cap * 2 : 1024;
		char *values = reallocarray(c->values, cap, c->value_size);
		uint8_t *defs, *reps;

		if (values)
			c->values = values;
		defs = realloc(c->def, cap);
		if (defs)
			c->def = defs;
		reps = realloc(c->rep, cap);
		if (reps)
			c->rep = reps;
		if (!values || !defs || !reps || cap < c->cap)
			return NULL;
		c->cap = cap;
	}
	v = c->values + (size_t)c->n * c->value_size;
	memset(v, 0, c->value_size);
	c->def[c->n] = def;
	c->rep[c->n++] = rep;
	return v;
}

int cdc_cp_put_null(struct cdc_cp_column *c, uint8_t def, struct cdc_err *err)
{
	return cdc_cp_slot(c, def, false) ? CDC_OK : cdc_fail_nomem(err);
}

static int put_string(struct cdc_cp_column *c, struct cdc_str s, bool rep, struct cdc_err *err)
{
	struct cdc_str *v = cdc_cp_slot(c, c->max_def, rep);

	if (!v)
		return cdc_fail_nomem(err);
	*v = s;
	return CDC_OK;
}

/* `parent` is the definition level of the member itself. */
static int put_map(struct cdc_cp_column *c, const struct cdc_kv *kv, int n, uint8_t parent,
		   bool empty_is_null, struct cdc_err *err)
{
	int rc = n == 0 ? cdc_cp_put_null(c, parent, err) : CDC_OK;

	for (int i = 0; !rc && i < n; i++) {
		bool null = !kv[i].value.p || (empty_is_null && kv[i].value.n == 0);

		if (c->part == CDC_CP_KEY)
			rc = put_string(c, kv[i].key, i > 0, err);
		else if (!null)
			rc = put_string(c, kv[i].value, i > 0, err);
		else if (!cdc_cp_slot(c, (uint8_t)(c->max_def - 1), i > 0))
			rc = cdc_fail_nomem(err);
	}
	return rc;
}

static int put_list(struct cdc_cp_column *c, const struct cdc_str *s, int n, uint8_t parent,
		    struct cdc_err *err)
{
	int rc = n == 0 ? cdc_cp_put_null(c, parent, err) : CDC_OK;

	for (int i = 0; !rc && i < n; i++)
		rc = put_string(c, s[i], i > 0, err);
	return rc;
}

/* Raw JSON of tags to a map; what is no string is written as its text. */
static int put_tags(struct cdc_cp_rows *r, struct cdc_cp_column *c, struct cdc_str json,
		    uint8_t parent, struct cdc_err *err)
{
	struct cdc_kv *kv;
	int n = 0, rc = cdc_json_scan(&r->tape, json, NULL, err);

	if (!rc && r->tape.tok[0].type != CDC_JSON_OBJECT)
		rc = cdc_fail(err, CDC_ECORRUPT, "tags are not a JSON object");
	if (rc)
		return rc;
	kv = cdc_arena_calloc(&r->scratch, r->tape.tok[0].count, sizeof(*kv));
	if (!kv)
		return cdc_fail_nomem(err);
	for (uint32_t i = cdc_json_first(&r->tape, 0); !rc && i != CDC_JSON_NONE;
	     i = cdc_json_after(&r->tape, 0, i)) {
		uint8_t type = r->tape.tok[i + 1].type;

		rc = cdc_json_string(&r->tape, i, &r->scratch, &kv[n].key, err);
		if (!rc && type == CDC_JSON_STRING)
			rc = cdc_json_string(&r->tape, i + 1, &r->scratch, &kv[n].value, err);
		else if (!rc && type != CDC_JSON_NULL)
			kv[n].value = cdc_json_raw(&r->tape, i + 1);
		n++;
	}
	return rc ? rc : put_map(c, kv, n, parent, false, err);
}

static int put_number(struct cdc_cp_column *c, const void *at, struct cdc_err *err)
{
	void *v = cdc_cp_slot(c, c->max_def, false);

	if (!v)
		return cdc_fail_nomem(err);
	/* bool, int32_t and int64_t lie in the struct as Parquet's vectors have them. */
	memcpy(v, at, c->value_size);
	return CDC_OK;
}

/* Text that outlives the struct, which may be a passing copy. */
static struct cdc_str storage_text(char storage)
{
	return storage == 'u' ? CDC_STR("u") : storage == 'p' ? CDC_STR("p") : CDC_STR("i");
}

static int put_member(struct cdc_cp_rows *r, struct cdc_cp_column *c, const void *body, uint8_t def,
		      struct cdc_err *err)
{
	const struct cdc_member *m = c->m;
	const void *at = cdc_member_at(body, m->at);

	switch (m->type) {
	case CDC_M_STRING:
		return put_string(c, *(const struct cdc_str *)at, false, err);
	case CDC_M_STORAGE:
		return put_string(c, storage_text(*(const char *)at), false, err);
	case CDC_M_INT64:
	case CDC_M_INT32:
	case CDC_M_BOOL:
	case CDC_M_EXTENDED:
		return put_number(c, at, err);
	case CDC_M_MAP:
		return put_map(c, *(struct cdc_kv *const *)at,
			       *(const int *)cdc_member_at(body, m->count_at), def,
			       c->kind != CDC_ACT_METADATA, err);
	case CDC_M_LIST:
		return put_list(c, *(struct cdc_str *const *)at,
				*(const int *)cdc_member_at(body, m->count_at), def, err);
	case CDC_M_TAGS:
		return put_tags(r, c, *(const struct cdc_str *)at, def, err);
	case CDC_M_FORMAT:
		if (c->part == CDC_CP_VALUE)
			return put_string(c, CDC_STR("parquet"), false, err);
		return put_map(c, NULL, 0, (uint8_t)(def + 1), false, err);
	case CDC_M_COUNT_STATS:
	case CDC_M_DV:
		break;
	}
	return cdc_cp_put_null(c, 0, err);
}

static int put_column(struct cdc_cp_rows *r, struct cdc_cp_column *c, const void *body,
		      struct cdc_err *err)
{
	uint8_t def = 1;

	if (c->dv) {
		if (!cdc_member_present(c->kind, c->dv, body))
			return cdc_cp_put_null(c, def, err);
		body = cdc_member_at(body, c->dv->at);
		def++;
	}
	if (!cdc_member_present(c->kind, c->m, body))
		return cdc_cp_put_null(c, def, err);
	return put_member(r, c, body, (uint8_t)(def + 1), err);
}

int cdc_cp_rows_add(struct cdc_cp_rows *r, enum cdc_action_kind kind, const void *body,
		    struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int32_t i = 0; !rc && i < r->schema.num_leaves; i++) {
		struct cdc_cp_column *c = &r->column[i];

		if (c->kind != kind)
			rc = cdc_cp_put_null(c, 0, err);
		else if (!c->field)
			rc = put_column(r, c, body, err);
	}
	if (!rc && kind == CDC_ACT_ADD && r->content.typed)
		rc = cdc_cp_typed_row(r, body, err);
	r->num_rows++;
	return rc;
}

void cdc_cp_rows_vecs(struct cdc_cp_rows *r)
{
	for (int32_t i = 0; i < r->schema.num_leaves; i++) {
		const struct cdc_cp_column *c = &r->column[i];

		r->vec[i] = (struct cdc_pq_vec){ .type = c->type,
						 .n = c->n,
						 .values = c->values,
						 .def = c->def,
						 .rep = c->repeated ? c->rep : NULL };
	}
}

void cdc_cp_rows_reset(struct cdc_cp_rows *r)
{
	for (int32_t i = 0; i < r->schema.num_leaves; i++)
		r->column[i].n = 0;
	r->num_rows = 0;
	cdc_arena_reset(&r->scratch);
}

void cdc_cp_rows_free(struct cdc_cp_rows *r)
{
	for (int32_t i = 0; r->column && i < r->schema.num_leaves; i++) {
		free(r->column[i].values);
		free(r->column[i].def);
		free(r->column[i].rep);
	}
	cdc_tape_free(&r->tape);
	cdc_arena_free(&r->scratch);
	cdc_arena_free(&r->arena);
}
