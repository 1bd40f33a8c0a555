/*
 * Rows to bytes and back. See row_bytes.h.
 *
 * A value is a byte that tells whether it is there, and, if it is, numbers as they lie in memory,
 * strings as length and bytes, structs as their fields, lists and maps as a count and entries.
 */
#include "table/row_bytes.h"

#include <stdlib.h>

#define FULL_BYTES ((size_t)16 << 20) /* of a batch's strings and entries */

static bool is_bytes(enum cdc_type t)
{
	return t == CDC_TYPE_STRING || t == CDC_TYPE_BINARY;
}

static bool is_list(enum cdc_type t)
{
	return t == CDC_TYPE_ARRAY || t == CDC_TYPE_MAP;
}

/* ------------------------------------------------------------------ to bytes */

static int put_count(struct cdc_buf *out, size_t n, struct cdc_err *err)
{
	uint32_t v = (uint32_t)n;

	if (n > UINT32_MAX)
		return cdc_fail(err, CDC_ENOMEM, "a value of over 4 GiB");
	return cdc_buf_append(out, &v, sizeof(v), err);
}

static int put_value(struct cdc_buf *out, const struct cdc_column *c, uint32_t row,
		     struct cdc_err *err)
{
	const struct cdc_field *f = c->field;
	size_t size = cdc_type_size(f->type);
	struct cdc_span span = { row, 1 };
	int rc;

	if (f->type == CDC_TYPE_VOID)
		return CDC_OK;
	if (cdc_column_is_null(c, row))
		return cdc_buf_putc(out, 0, err);
	rc = cdc_buf_putc(out, 1, err);
	if (rc)
		return rc;
	if (is_bytes(f->type)) {
		struct cdc_str s = ((const struct cdc_str *)c->values)[row];

		rc = put_count(out, s.n, err);
		return rc ? rc : cdc_buf_put(out, s, err);
	}
	if (!c->child)
		return cdc_buf_append(out, (const char *)c->values + row * size, size, err);
	if (is_list(f->type)) {
		span = ((const struct cdc_span *)c->values)[row];
		rc = put_count(out, span.n, err);
	}
	for (uint32_t i = 0; i < span.n; i++)
		for (int k = 0; !rc && k < f->num_children; k++)
			rc = put_value(out, &c->child[k], span.first + i, err);
	return rc;
}

int cdc_row_put(struct cdc_buf *out, const struct cdc_batch *b, uint32_t row, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; !rc && i < b->num_columns; i++)
		if (!b->column[i].field->is_partition)
			rc = put_value(out, &b->column[i], row, err);
	return rc;
}

/* ------------------------------------------------------------------ from bytes */

/* A column as it grows; `column` of the children are those of the batch. */
struct part {
	const struct cdc_field *field;
	struct cdc_buf values;
	struct cdc_buf valid;
	uint32_t n;
	struct part *child;
	struct cdc_column *column;
};

struct cdc_row_builder {
	struct part top; /* its children are the fields */
	int num_fields;
	uint32_t rows;
	size_t bytes;
	struct cdc_arena parts;
	struct cdc_arena strings;
	bool taken; /* the rows, at the last call */
};

static int make_parts(struct cdc_row_builder *b, struct part *p, const struct cdc_field *field,
		      int n, struct cdc_err *err)
{
	int rc = CDC_OK;

	p->child = cdc_arena_calloc(&b->parts, (size_t)n + 1, sizeof(*p->child));
	p->column = cdc_arena_calloc(&b->parts, (size_t)n + 1, sizeof(*p->column));
	if (!p->child || !p->column)
		return cdc_fail_nomem(err);
	for (int i = 0; !rc && i < n; i++) {
		p->child[i].field = &field[i];
		if (field[i].type == CDC_TYPE_VARIANT)
			rc = cdc_fail(err, CDC_EUNSUPPORTED,
				      "column \"%.*s\": rows with variants cannot be sorted",
				      (int)(field[i].name.n > 128 ? 128 : field[i].name.n),
				      field[i].name.p);
		else if (field[i].num_children)
			rc = make_parts(b, &p->child[i], field[i].child, field[i].num_children,
					err);
	}
	return rc;
}

int cdc_row_builder_new(struct cdc_row_builder **out, const struct cdc_schema *schema,
			struct cdc_err *err)
{
	struct cdc_row_builder *b = calloc(1, sizeof(*b));
	int rc;

	*out = NULL;
	if (!b)
		return cdc_fail_nomem(err);
	b->num_fields = schema->num_fields;
	rc = make_parts(b, &b->top, schema->field, schema->num_fields, err);
	if (rc)
		cdc_row_builder_free(b);
	else
		*out = b;
	return rc;
}

static void free_parts(struct part *p, int n)
{
	for (int i = 0; p && i < n && p[i].field; i++) {
		cdc_buf_free(&p[i].values);
		cdc_buf_free(&p[i].valid);
		free_parts(p[i].child, p[i].field->num_children);
	}
}

void cdc_row_builder_free(struct cdc_row_builder *b)
{
	if (!b)
		return;
	free_parts(b->top.child, b->num_fields);
	cdc_arena_free(&b->parts);
	cdc_arena_free(&b->strings);
	free(b);
}

static void empty_parts(struct part *p, int n)
{
	for (int i = 0; i < n; i++) {
		cdc_buf_reset(&p[i].values);
		cdc_buf_reset(&p[i].valid);
		p[i].n = 0;
		if (p[i].child)
			empty_parts(p[i].child, p[i].field->num_children);
	}
}

/* n bytes of the row; NULL: it has not as many. */
static const char *cut(struct cdc_str *row, size_t n)
{
	const char *p = row->p;

	if (row->n < n)
		return NULL;
	*row = cdc_str(row->p + n, row->n - n);
	return p;
}

static int cut_short(struct cdc_err *err)
{
	return cdc_fail(err, CDC_EINTERNAL, "the bytes of a row are cut short");
}

static int take_count(struct cdc_str *row, uint32_t *n, struct cdc_err *err)
{
	const char *p = cut(row, sizeof(*n));

	if (!p)
		return cut_short(err);
	memcpy(n, p, sizeof(*n));
	return CDC_OK;
}

/* A slot without a value, in the fields of a struct too. */
static int put_absent(struct part *p, struct cdc_err *err)
{
	static const char zero[16];
	int rc = cdc_buf_append(&p->values, zero, cdc_type_size(p->field->type), err);

	if (!rc)
		rc = cdc_buf_putc(&p->valid, 0, err);
	for (int i = 0; !rc && p->field->type == CDC_TYPE_STRUCT && i < p->field->num_children; i++)
		rc = put_absent(&p->child[i], err);
	p->n++;
	return rc;
}

static int take_string(struct cdc_row_builder *b, struct part *p, struct cdc_str *row,
		       struct cdc_err *err)
{
	struct cdc_str s;
	const char *from;
	uint32_t n = 0;

	if (take_count(row, &n, err))
		return err->code;
	from = cut(row, n);
	if (!from)
		return cut_short(err);
	s = cdc_str(cdc_arena_dup(&b->strings, from, n), n);
	if (!s.p)
		return cdc_fail_nomem(err);
	return cdc_buf_append(&p->values, &s, sizeof(s), err);
}

static int take_value(struct cdc_row_builder *b, struct part *p, struct cdc_str *row,
		      struct cdc_err *err);

static int take_children(struct cdc_row_builder *b, struct part *p, struct cdc_str *row,
			 struct cdc_err *err)
{
	struct cdc_span span = { 0, 1 };
	int rc = CDC_OK;

	if (is_list(p->field->type)) {
		span.first = p->child[0].n;
		rc = take_count(row, &span.n, err);
		if (!rc)
			rc = cdc_buf_append(&p->values, &span, sizeof(span), err);
	}
	for (uint32_t i = 0; i < span.n; i++)
		for (int k = 0; !rc && k < p->field->num_children; k++)
			rc = take_value(b, &p->child[k], row, err);
	return rc;
}

static int take_value(struct cdc_row_builder *b, struct part *p, struct cdc_str *row,
		      struct cdc_err *err)
{
	size_t size = cdc_type_size(p->field->type);
	const char *has;
	int rc;

	if (p->field->type == CDC_TYPE_VOID)
		return put_absent(p, err);
	has = cut(row, 1);
	if (!has)
		return cut_short(err);
	if (!*has)
		return put_absent(p, err);
	if (is_bytes(p->field->type)) {
		rc = take_string(b, p, row, err);
	} else if (p->child) {
		rc = take_children(b, p, row, err);
	} else {
		const char *v = cut(row, size);

		rc = v ? cdc_buf_append(&p->values, v, size, err) : cut_short(err);
	}
	p->n++;
	return rc ? rc : cdc_buf_putc(&p->valid, 1, err);
}

int cdc_row_builder_add(struct cdc_row_builder *b, struct cdc_str row, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (b->taken) {
		empty_parts(b->top.child, b->num_fields);
		cdc_arena_reset(&b->strings);
		b->taken = false;
	}
	b->bytes += row.n;
	for (int i = 0; !rc && i < b->num_fields; i++)
		if (!b->top.child[i].field->is_partition)
			rc = take_value(b, &b->top.child[i], &row, err);
	b->rows++;
	return rc;
}

bool cdc_row_builder_full(const struct cdc_row_builder *b)
{
	return b->rows == CDC_BATCH_ROWS || b->bytes >= FULL_BYTES;
}

static void fill_columns(struct part *p, int n)
{
	for (int i = 0; i < n; i++) {
		struct part *c = &p->child[i];

		if (c->child)
			fill_columns(c, c->field->num_children);
		p->column[i] = (struct cdc_column){ .field = c->field,
						    .values = c->values.p,
						    .valid = (const uint8_t *)c->valid.p,
						    .child = c->column };
	}
}

void cdc_row_builder_take(struct cdc_row_builder *b, struct cdc_batch *out)
{
	fill_columns(&b->top, b->num_fields);
	*out = (struct cdc_batch){ .rows = b->rows,
				   .num_columns = b->num_fields,
				   .column = b->top.column };
	b->rows = 0;
	b->bytes = 0;
	b->taken = true;
}
