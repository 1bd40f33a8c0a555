/*
 * Columns made row by row: the tree of arrays, and rows from other columns. See nested_build.h.
 */
#include "table/nested/nested_int.h"

#include "table/nested/variant_int.h"

#include <stdlib.h>

/* ------------------------------------------------------------------ the tree */

static int plan(struct cdc_nested_build *b, struct cdc_nested_part *p, const struct cdc_field *f,
		struct cdc_err *err);

static int plan_children(struct cdc_nested_build *b, struct cdc_nested_part *p, struct cdc_err *err)
{
	size_t n = (size_t)p->field->num_children;
	int rc = CDC_OK;

	p->child = cdc_arena_calloc(&b->tree, n + 1, sizeof(*p->child));
	p->column = cdc_arena_calloc(&b->tree, n + 1, sizeof(*p->column));
	if (!p->child || !p->column)
		return cdc_fail_nomem(err);
	for (size_t i = 0; rc == CDC_OK && i < n; i++)
		rc = plan(b, &p->child[i], &p->field->child[i], err);
	return rc;
}

/* In the table's schema a variant has no children: give it the binaries that it is stored as. */
static int plan_variant(struct cdc_nested_build *b, struct cdc_nested_part *p, struct cdc_err *err)
{
	static const char *const name[] = { "metadata", "value" };
	struct cdc_field *part = cdc_arena_calloc(&b->tree, 2, sizeof(*part));

	if (!part)
		return cdc_fail_nomem(err);
	for (int i = 0; i < 2; i++)
		part[i] = (struct cdc_field){ .name = cdc_str_z(name[i]),
					      .physical_name = cdc_str_z(name[i]),
					      .type = CDC_TYPE_BINARY };
	p->own = *p->field;
	p->own.child = part;
	p->own.num_children = 2;
	p->field = &p->own;
	return plan_children(b, p, err);
}

/* Depth is bounded by that of the schema. */
static int plan(struct cdc_nested_build *b, struct cdc_nested_part *p, const struct cdc_field *f,
		struct cdc_err *err)
{
	p->field = f;
	p->size = cdc_type_size(f->type);
	if (f->type == CDC_TYPE_VARIANT)
		return plan_variant(b, p, err);
	return plan_children(b, p, err);
}

int cdc_nested_build_new(struct cdc_nested_build **out, const struct cdc_field *field,
			 struct cdc_err *err)
{
	struct cdc_nested_build *b = calloc(1, sizeof(*b));
	struct cdc_field own = *field;
	const struct cdc_schema one = { &own, 1, CDC_ARENA_INIT };
	int rc;

	*out = NULL;
	if (!b)
		return cdc_fail_nomem(err);
	rc = cdc_schema_copy(&b->schema, &one, err);
	if (rc == CDC_OK)
		rc = plan(b, &b->top, &b->schema.field[0], err);
	if (rc < 0) {
		cdc_nested_build_free(b);
		return rc;
	}
	*out = b;
	return CDC_OK;
}

static void free_part(struct cdc_nested_part *p)
{
	for (int i = 0; p->child && i < p->field->num_children; i++)
		free_part(&p->child[i]);
	free(p->values);
	free(p->valid);
}

void cdc_nested_build_free(struct cdc_nested_build *b)
{
	if (!b)
		return;
	if (b->top.field)
		free_part(&b->top);
	cdc_variant_build_free(b->variant);
	cdc_arena_free(&b->tree);
	cdc_arena_free(&b->bytes);
	cdc_schema_free(&b->schema);
	free(b);
}

static void reset_part(struct cdc_nested_part *p)
{
	p->n = 0;
	for (int i = 0; i < p->field->num_children; i++)
		reset_part(&p->child[i]);
}

void cdc_nested_build_reset(struct cdc_nested_build *b)
{
	reset_part(&b->top);
	cdc_arena_reset(&b->bytes);
}

/* ------------------------------------------------------------------ adding to a part */

static int grow(struct cdc_nested_part *p, struct cdc_err *err)
{
	uint32_t cap = p->cap ? p->cap * 2 : 64;
	void *grown;

	if (cap <= p->cap)
		return cdc_fail(err, CDC_EDATA, "more than 2^31 entries of lists in one batch");
	if (p->size) {
		grown = reallocarray(p->values, cap, p->size);
		if (!grown)
			return cdc_fail_nomem(err);
		p->values = grown;
	}
	grown = realloc(p->valid, cap);
	if (!grown)
		return cdc_fail_nomem(err);
	p->valid = grown;
	p->cap = cap;
	return CDC_OK;
}

int cdc_nested_add(struct cdc_nested_part *p, const void *value, struct cdc_err *err)
{
	int rc = p->n == p->cap ? grow(p, err) : CDC_OK;

	if (rc < 0)
		return rc;
	memcpy(p->values + p->n * p->size, value, p->size);
	p->valid[p->n++] = 1;
	return CDC_OK;
}

int cdc_nested_add_group(struct cdc_nested_part *p, struct cdc_err *err)
{
	int rc = p->n == p->cap ? grow(p, err) : CDC_OK;

	if (rc == CDC_OK)
		p->valid[p->n++] = 1;
	return rc;
}

/* Entries of a list are no rows of it: a null one has none. */
static bool has_rows(const struct cdc_nested_part *p)
{
	return p->field->type == CDC_TYPE_STRUCT || p->field->type == CDC_TYPE_VARIANT;
}

int cdc_nested_add_null(struct cdc_nested_part *p, struct cdc_err *err)
{
	int rc = p->n == p->cap ? grow(p, err) : CDC_OK;

	if (rc < 0)
		return rc;
	if (p->size)
		memset(p->values + p->n * p->size, 0, p->size);
	p->valid[p->n++] = 0;
	for (int i = 0; rc == CDC_OK && has_rows(p) && i < p->field->num_children; i++)
		rc = cdc_nested_add_null(&p->child[i], err);
	return rc;
}

int cdc_nested_add_variant(struct cdc_nested_part *p, struct cdc_str metadata, struct cdc_str value,
			   struct cdc_err *err)
{
	int rc = cdc_nested_add_group(p, err);

	if (rc == CDC_OK)
		rc = cdc_nested_add(&p->child[0], &metadata, err);
	return rc < 0 ? rc : cdc_nested_add(&p->child[1], &value, err);
}

int cdc_nested_open_list(struct cdc_nested_part *p, uint32_t *place, struct cdc_err *err)
{
	const struct cdc_span span = { p->child[0].n, 0 };

	*place = p->n;
	return cdc_nested_add(p, &span, err);
}

void cdc_nested_close_list(struct cdc_nested_part *p, uint32_t place)
{
	struct cdc_span span;

	memcpy(&span, p->values + place * p->size, sizeof(span));
	span.n = p->child[0].n - span.first;
	memcpy(p->values + place * p->size, &span, sizeof(span));
}

int cdc_nested_variant(struct cdc_nested_build *b, struct cdc_variant_build **v,
		       struct cdc_err *err)
{
	int rc = b->variant ? CDC_OK : cdc_variant_build_new(&b->variant, err);

	*v = b->variant;
	return rc;
}

/* ------------------------------------------------------------------ rows of columns */

/* What is stored whole stays as it is. */
static int add_variant(struct cdc_nested_build *b, struct cdc_nested_part *p,
		       const struct cdc_column *c, uint32_t row, struct cdc_err *err)
{
	struct cdc_variant_build *v;
	struct cdc_str metadata, value;
	int rc = cdc_variant_stored(c, row, &metadata, &value, err);

	if (rc == CDC_END) {
		rc = cdc_nested_variant(b, &v, err);
		if (rc == CDC_OK)
			rc = cdc_variant_from_column(v, c, row, &metadata, &value, err);
		if (rc < 0)
			return rc;
		metadata.p = cdc_arena_dup(&b->bytes, metadata.p, metadata.n);
		value.p = cdc_arena_dup(&b->bytes, value.p, value.n);
		if (!metadata.p || !value.p)
			return cdc_fail_nomem(err);
	}
	return rc < 0 ? rc : cdc_nested_add_variant(p, metadata, value, err);
}

static int add_row(struct cdc_nested_build *b, struct cdc_nested_part *p,
		   const struct cdc_column *c, uint32_t row, struct cdc_err *err)
{
	enum cdc_type type = p->field->type;
	struct cdc_span span;
	uint32_t place;
	int rc;

	if (cdc_column_is_null(c, row))
		return cdc_nested_add_null(p, err);
	if (type == CDC_TYPE_VARIANT)
		return add_variant(b, p, c, row, err);
	if (type == CDC_TYPE_ARRAY || type == CDC_TYPE_MAP) {
		span = ((const struct cdc_span *)c->values)[row];
		rc = cdc_nested_open_list(p, &place, err);
		for (uint32_t i = 0; rc == CDC_OK && i < span.n; i++) {
			for (int k = 0; rc == CDC_OK && k < p->field->num_children; k++)
				rc = add_row(b, &p->child[k], &c->child[k], span.first + i, err);
		}
		if (rc == CDC_OK)
			cdc_nested_close_list(p, place);
		return rc;
	}
	if (type != CDC_TYPE_STRUCT)
		return cdc_nested_add(p, (const char *)c->values + row * p->size, err);
	rc = cdc_nested_add_group(p, err);
	for (int k = 0; rc == CDC_OK && k < p->field->num_children; k++)
		rc = add_row(b, &p->child[k], &c->child[k], row, err);
	return rc;
}

int cdc_nested_build_row(struct cdc_nested_build *b, const struct cdc_column *c, uint32_t row,
			 struct cdc_err *err)
{
	return add_row(b, &b->top, c, row, err);
}

int cdc_nested_build_null(struct cdc_nested_build *b, struct cdc_err *err)
{
	return cdc_nested_add_null(&b->top, err);
}

/* ------------------------------------------------------------------ the column */

uint32_t cdc_nested_build_rows(const struct cdc_nested_build *b)
{
	return b->top.n;
}

static void column_of(struct cdc_nested_part *p, struct cdc_column *out)
{
	for (int i = 0; i < p->field->num_children; i++)
		column_of(&p->child[i], &p->column[i]);
	*out = (struct cdc_column){ p->field, p->size ? p->values : NULL, p->valid,
				    p->field->num_children ? p->column : NULL };
}

void cdc_nested_build_column(struct cdc_nested_build *b, struct cdc_column *out)
{
	column_of(&b->top, out);
}
