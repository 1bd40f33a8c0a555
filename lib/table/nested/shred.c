/*
 * Leaves from rows. See shred.h.
 *
 * Going down the tree, each part has entries: where the value of an entry is in the part's column,
 * or that it is absent since something above it is null or empty, and the levels so far. A list has
 * an entry for each of its elements below it, or one without a value if it has none.
 */
#include "table/nested/shred.h"

#include "base/endian.h"
#include "parquet/pq_shape.h"
#include "parquet/pq_value_read.h"
#include "table/nested/variant_build.h"
#include "table/nested/variant_int.h"

#include <stdlib.h>

#define ABSENT UINT32_MAX

struct entries {
	const uint32_t *at; /* in the column; or ABSENT */
	const uint8_t *def;
	const uint8_t *rep;
	uint32_t n;
};

struct part {
	const struct cdc_field *field;
	const struct cdc_pq_node *node;
	bool in_file; /* a field of type void is not */
	struct part *child;
	/* Arrays of the batch: entries past the part's own null, and those of its elements. */
	struct cdc_pq_mem at;
	struct cdc_pq_mem def;
	struct cdc_pq_mem entry_at;
	struct cdc_pq_mem entry_def;
	struct cdc_pq_mem entry_rep;
	struct cdc_pq_mem values;
	struct cdc_pq_mem converted;
};

struct cdc_shredder {
	const struct cdc_pq_schema *file;
	struct part top; /* the root: its children are the fields of the schema */
	struct cdc_pq_mem at; /* 0, 1, 2 … */
	struct cdc_pq_mem zero;
	struct cdc_variant_build *variant; /* NULL until a shredded variant comes */
	struct cdc_arena rebuilt; /* the binaries of those of the batch */
	struct cdc_arena arena;
};

/* ------------------------------------------------------------------ the tree */

/* Parts for the fields; `node` goes from each to the next in the file. */
static int plan(struct cdc_shredder *s, struct part *p, const struct cdc_field *field, int n,
		int32_t parent, struct cdc_err *err)
{
	int32_t node = parent;
	int rc = CDC_OK;

	p->child = cdc_arena_calloc(&s->arena, (size_t)n + 1, sizeof(*p->child));
	if (!p->child)
		return cdc_fail_nomem(err);
	for (int i = 0; rc == CDC_OK && i < n; i++) {
		struct part *c = &p->child[i];
		int32_t below;

		c->field = &field[i];
		if (field[i].is_partition || field[i].type == CDC_TYPE_VOID)
			continue;
		node = cdc_pq_next_child(s->file, parent, node);
		if (node < 0)
			return cdc_fail(err, CDC_EINTERNAL, "the file lacks a column");
		c->in_file = true;
		c->node = &s->file->node[node];
		below = node;
		if (field[i].type == CDC_TYPE_VARIANT)
			continue; /* whatever it is made of where it was read */
		if (field[i].type == CDC_TYPE_ARRAY || field[i].type == CDC_TYPE_MAP)
			below++; /* the repeated group */
		if (field[i].num_children)
			rc = plan(s, c, field[i].child, field[i].num_children, below, err);
	}
	return rc;
}

int cdc_shredder_new(struct cdc_shredder **out, const struct cdc_schema *schema,
		     const struct cdc_pq_schema *file, struct cdc_err *err)
{
	struct cdc_shredder *s = calloc(1, sizeof(*s));
	int rc;

	*out = NULL;
	if (!s)
		return cdc_fail_nomem(err);
	s->file = file;
	rc = plan(s, &s->top, schema->field, schema->num_fields, 0, err);
	if (rc < 0) {
		cdc_shredder_free(s);
		return rc;
	}
	*out = s;
	return CDC_OK;
}

static void free_parts(struct part *p, int n)
{
	for (int i = 0; p && i < n; i++) {
		int children = p[i].child ? p[i].field->num_children : 0;

		struct cdc_pq_mem *mem[] = { &p[i].at,	      &p[i].def,       &p[i].entry_at,
					     &p[i].entry_def, &p[i].entry_rep, &p[i].values,
					     &p[i].converted };

		for (size_t k = 0; k < sizeof(mem) / sizeof(mem[0]); k++)
			cdc_pq_mem_free(mem[k]);
		free_parts(p[i].child, children);
	}
}

void cdc_shredder_free(struct cdc_shredder *s)
{
	if (!s)
		return;
	for (struct part *p = s->top.child; p && p->field; p++)
		free_parts(p, 1);
	cdc_pq_mem_free(&s->at);
	cdc_pq_mem_free(&s->zero);
	cdc_variant_build_free(s->variant);
	cdc_arena_free(&s->rebuilt);
	cdc_arena_free(&s->arena);
	free(s);
}

/* ------------------------------------------------------------------ decimals */

/* Unscaled 128-bit decimals to the physical type that the precision asks for. */
static int convert_decimals(struct part *p, const cdc_i128 *v, uint32_t n, const void **out,
			    struct cdc_err *err)
{
	enum cdc_pq_type type = p->node->type;
	size_t fixed = sizeof(struct cdc_str) + sizeof(cdc_i128);
	size_t size = type == CDC_PQ_INT32 ? 4 : type == CDC_PQ_INT64 ? 8 : fixed;
	int rc = cdc_pq_mem_reserve(&p->converted, n * size, 0, err);
	void *to = p->converted.p;

	if (rc < 0)
		return rc;
	*out = to;
	if (type == CDC_PQ_INT32) {
		for (uint32_t i = 0; i < n; i++)
			((int32_t *)to)[i] = (int32_t)v[i];
	} else if (type == CDC_PQ_INT64) {
		for (uint32_t i = 0; i < n; i++)
			((int64_t *)to)[i] = (int64_t)v[i];
	} else {
		struct cdc_str *s = to;
		char *bytes = (char *)(s + n);
		size_t length = (size_t)p->node->type_length;

		for (uint32_t i = 0; i < n; i++, bytes += sizeof(*v)) {
			cdc_put_be64(bytes, (uint64_t)(v[i] >> 64));
			cdc_put_be64(bytes + 8, (uint64_t)v[i]);
			s[i] = cdc_str(bytes + sizeof(*v) - length, length);
		}
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ leaves */

static int null_where_none_may_be(const struct part *p, struct cdc_err *err)
{
	return cdc_fail(err, CDC_EDATA, "null in column \"%.*s\", which is NOT NULL",
			(int)(p->field->name.n > 128 ? 128 : p->field->name.n), p->field->name.p);
}

/* A leaf that is a column by itself: its values are those of the batch. */
static int flat_leaf(struct part *p, const struct cdc_column *c, uint32_t rows,
		     struct cdc_pq_vec *vec, struct cdc_err *err)
{
	bool nulls = c->valid && memchr(c->valid, 0, rows);

	if (nulls && p->node->repetition == CDC_PQ_REQUIRED)
		return null_where_none_may_be(p, err);
	*vec = (struct cdc_pq_vec){ .type = p->node->type,
				    .n = rows,
				    .values = c->values,
				    .def = nulls ? c->valid : NULL };
	if (p->field->type == CDC_TYPE_DECIMAL)
		return convert_decimals(p, c->values, rows, &vec->values, err);
	return CDC_OK;
}

/* The values of the entries; where there is none, zero. */
static int nested_leaf(struct part *p, const struct cdc_column *c, const struct entries *e,
		       struct cdc_pq_vec *vec, struct cdc_err *err)
{
	size_t size = cdc_type_size(p->field->type);
	const char *from = c->values;
	int rc = cdc_pq_mem_reserve(&p->values, e->n * size, 0, err);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < e->n; i++) {
		if (e->at[i] == ABSENT)
			memset(p->values.p + i * size, 0, size);
		else
			memcpy(p->values.p + i * size, from + e->at[i] * size, size);
	}
	*vec = (struct cdc_pq_vec){ .type = p->node->type,
				    .n = e->n,
				    .values = p->values.p,
				    .def = p->node->max_def ? e->def : NULL,
				    .rep = p->node->max_rep ? e->rep : NULL };
	if (p->field->type == CDC_TYPE_DECIMAL)
		return convert_decimals(p, (const cdc_i128 *)(const void *)p->values.p, e->n,
					&vec->values, err);
	return CDC_OK;
}

/* ------------------------------------------------------------------ variants */

/* The binaries of one value: as they are stored, or put together if it is shredded. */
static int binaries_of(struct cdc_shredder *s, const struct cdc_column *c, uint32_t row,
		       struct cdc_str *value, struct cdc_str *metadata, struct cdc_err *err)
{
	int rc = cdc_variant_stored(c, row, metadata, value, err);

	if (rc != CDC_END)
		return rc;
	rc = s->variant ? CDC_OK : cdc_variant_build_new(&s->variant, err);
	if (rc == CDC_OK)
		rc = cdc_variant_from_column(s->variant, c, row, metadata, value, err);
	if (rc < 0)
		return rc;
	value->p = cdc_arena_dup(&s->rebuilt, value->p, value->n);
	metadata->p = cdc_arena_dup(&s->rebuilt, metadata->p, metadata->n);
	return value->p && metadata->p ? CDC_OK : cdc_fail_nomem(err);
}

/* The two leaves of a variant, from entries past its own null. */
static int variant_leaves(struct cdc_shredder *s, struct part *p, const struct cdc_column *c,
			  const struct entries *e, struct cdc_pq_vec *vec, struct cdc_err *err)
{
	const struct cdc_pq_node *first = p->node + 1;
	struct cdc_str *value;
	int rc = cdc_pq_mem_reserve(&p->values, (size_t)e->n * 2 * sizeof(*value), 0, err);

	if (rc < 0)
		return rc;
	value = (struct cdc_str *)(void *)p->values.p;
	for (uint32_t i = 0; rc == CDC_OK && i < e->n; i++) {
		value[i] = value[e->n + i] = (struct cdc_str)CDC_STR_INIT;
		if (e->at[i] != ABSENT)
			rc = binaries_of(s, c, e->at[i], &value[i], &value[e->n + i], err);
	}
	for (int k = 0; k < 2; k++)
		vec[first[k].leaf] = (struct cdc_pq_vec){ .type = CDC_PQ_BYTE_ARRAY,
							  .n = e->n,
							  .values = value + (size_t)k * e->n,
							  .def = first->max_def ? e->def : NULL,
							  .rep = first->max_rep ? e->rep : NULL };
	return rc;
}

/* ------------------------------------------------------------------ going down */

/* Entries past the part's own null: one level more where it has a value. */
static int pass_null(struct part *p, const struct cdc_column *c, const struct entries *in,
		     struct entries *out, struct cdc_err *err)
{
	bool optional = p->node->repetition == CDC_PQ_OPTIONAL;
	uint32_t *at;
	int rc = cdc_pq_mem_reserve(&p->at, in->n * sizeof(*at), 0, err);

	if (rc == CDC_OK)
		rc = cdc_pq_mem_reserve(&p->def, in->n, 0, err);
	if (rc < 0)
		return rc;
	at = (uint32_t *)(void *)p->at.p;
	for (uint32_t i = 0; i < in->n; i++) {
		bool has = in->at[i] != ABSENT;

		if (has && cdc_column_is_null(c, in->at[i])) {
			if (!optional)
				return null_where_none_may_be(p, err);
			has = false;
		}
		at[i] = has ? in->at[i] : ABSENT;
		p->def.p[i] = (uint8_t)(in->def[i] + (has && optional));
	}
	*out = (struct entries){ at, p->def.p, in->rep, in->n };
	return CDC_OK;
}

static uint32_t entries_of(const struct entries *in, const struct cdc_span *span, uint32_t i)
{
	uint32_t n = in->at[i] == ABSENT ? 0 : span[in->at[i]].n;

	return n ? n : 1;
}

/* The entries of the elements of lists; `rep` is the level at which a further element begins. */
static int expand(struct part *p, const struct cdc_column *c, const struct entries *in, uint8_t rep,
		  struct entries *out, struct cdc_err *err)
{
	const struct cdc_span *span = c->values;
	uint64_t total = 0;
	uint32_t *at;
	uint32_t k = 0;
	int rc;

	for (uint32_t i = 0; i < in->n; i++)
		total += entries_of(in, span, i);
	if (total >= ABSENT)
		return cdc_fail(err, CDC_EDATA, "more than 2^32 entries of lists in one batch");
	if ((rc = cdc_pq_mem_reserve(&p->entry_at, total * sizeof(*at), 0, err)) < 0 ||
	    (rc = cdc_pq_mem_reserve(&p->entry_def, total, 0, err)) < 0 ||
	    (rc = cdc_pq_mem_reserve(&p->entry_rep, total, 0, err)) < 0)
		return rc;
	at = (uint32_t *)(void *)p->entry_at.p;
	for (uint32_t i = 0; i < in->n; i++) {
		bool has = in->at[i] != ABSENT && span[in->at[i]].n;
		uint32_t n = entries_of(in, span, i);

		for (uint32_t m = 0; m < n; m++, k++) {
			at[k] = has ? span[in->at[i]].first + m : ABSENT;
			p->entry_def.p[k] = (uint8_t)(in->def[i] + has);
			p->entry_rep.p[k] = m ? rep : in->rep[i];
		}
	}
	*out = (struct entries){ at, p->entry_def.p, p->entry_rep.p, (uint32_t)total };
	return CDC_OK;
}

/* Depth is bounded by that of the schema. */
static int shred(struct cdc_shredder *s, struct part *p, const struct cdc_column *c,
		 const struct entries *in, struct cdc_pq_vec *vec, struct cdc_err *err)
{
	struct entries own;
	struct entries below;
	int rc;

	if (!p->in_file)
		return CDC_OK;
	rc = pass_null(p, c, in, &own, err);
	if (rc < 0)
		return rc;
	if (p->node->is_leaf)
		return nested_leaf(p, c, &own, &vec[p->node->leaf], err);
	if (p->field->type == CDC_TYPE_VARIANT)
		return variant_leaves(s, p, c, &own, vec, err);
	below = own;
	if (p->field->type != CDC_TYPE_STRUCT)
		rc = expand(p, c, &own, (uint8_t)(p->node->max_rep + 1), &below, err);
	for (int i = 0; rc == CDC_OK && i < p->field->num_children; i++)
		rc = shred(s, &p->child[i], &c->child[i], &below, vec, err);
	return rc;
}

/* Entries of the rows themselves. */
static int rows_as_entries(struct cdc_shredder *s, uint32_t rows, struct entries *e,
			   struct cdc_err *err)
{
	uint32_t *at;
	int rc = cdc_pq_mem_reserve(&s->at, rows * sizeof(*at), 0, err);

	if (rc == CDC_OK)
		rc = cdc_pq_mem_reserve(&s->zero, rows, 0, err);
	if (rc < 0)
		return rc;
	at = (uint32_t *)(void *)s->at.p;
	for (uint32_t i = 0; i < rows; i++)
		at[i] = i;
	memset(s->zero.p, 0, rows);
	*e = (struct entries){ at, s->zero.p, s->zero.p, rows };
	return CDC_OK;
}

int cdc_shredder_rows(struct cdc_shredder *s, const struct cdc_batch *batch, struct cdc_pq_vec *vec,
		      struct cdc_err *err)
{
	struct entries rows = { NULL, NULL, NULL, 0 };
	int rc = CDC_OK;

	cdc_arena_reset(&s->rebuilt);
	for (int i = 0; rc == CDC_OK && i < batch->num_columns; i++) {
		struct part *p = &s->top.child[i];
		const struct cdc_column *c = &batch->column[i];

		if (!p->in_file)
			continue;
		if (p->node->is_leaf) {
			rc = flat_leaf(p, c, batch->rows, &vec[p->node->leaf], err);
			continue;
		}
		if (!rows.at)
			rc = rows_as_entries(s, batch->rows, &rows, err);
		if (rc == CDC_OK)
			rc = shred(s, p, c, &rows, vec, err);
	}
	return rc;
}
