/*
 * Rows to bytes and back. See row_bytes.h.
 *
 * A row is its values one after the other, each as a byte that tells whether it is there and, if it
 * is, the length of its cell and the cell (nested_build.h).
 */
#include "table/sort/row_bytes.h"

#include "table/nested/nested_build.h"

#include <stdlib.h>

#define FULL_BYTES ((size_t)16 << 20) /* of a batch's rows */

/* Neither is in files. */
static bool is_left_out(const struct cdc_field *f)
{
	return f->is_partition || f->type == CDC_TYPE_VOID;
}

/* ------------------------------------------------------------------ to bytes */

static int put_value(struct cdc_buf *out, const struct cdc_column *c, uint32_t row,
		     struct cdc_err *err)
{
	bool null = cdc_column_is_null(c, row);
	uint32_t n = 0;
	size_t start;
	int rc = cdc_buf_putc(out, !null, err);

	if (rc || null)
		return rc;
	start = out->len + sizeof(n);
	rc = cdc_buf_append(out, &n, sizeof(n), err);
	if (!rc)
		rc = cdc_nested_serialize(c, row, out, err);
	if (!rc && out->len - start > UINT32_MAX)
		rc = cdc_fail(err, CDC_ENOMEM, "a value of over 4 GiB");
	if (rc)
		return rc;
	n = (uint32_t)(out->len - start);
	memcpy(out->p + start - sizeof(n), &n, sizeof(n));
	return CDC_OK;
}

int cdc_row_put(struct cdc_buf *out, const struct cdc_batch *b, uint32_t row, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; !rc && i < b->num_columns; i++)
		if (!is_left_out(b->column[i].field))
			rc = put_value(out, &b->column[i], row, err);
	return rc;
}

/* ------------------------------------------------------------------ from bytes */

struct cdc_row_builder {
	struct cdc_nested_build **column; /* by field; NULL: it is left out */
	struct cdc_column *out;
	int num_fields;
	uint32_t rows;
	size_t bytes;
	struct cdc_arena arena; /* the rows, which the columns borrow from */
	bool taken; /* the rows, at the last call */
};

int cdc_row_builder_new(struct cdc_row_builder **out, const struct cdc_schema *schema,
			struct cdc_err *err)
{
	struct cdc_row_builder *b = calloc(1, sizeof(*b));
	int rc = CDC_OK;

	*out = NULL;
	if (!b)
		return cdc_fail_nomem(err);
	b->column = calloc((size_t)schema->num_fields + 1, sizeof(struct cdc_nested_build *));
	b->out = calloc((size_t)schema->num_fields + 1, sizeof(*b->out));
	if (!b->column || !b->out)
		rc = cdc_fail_nomem(err);
	for (; !rc && b->num_fields < schema->num_fields; b->num_fields++) {
		const struct cdc_field *f = &schema->field[b->num_fields];

		b->out[b->num_fields] = (struct cdc_column){ .field = f };
		if (!is_left_out(f))
			rc = cdc_nested_build_new(&b->column[b->num_fields], f, err);
	}
	if (rc)
		cdc_row_builder_free(b);
	else
		*out = b;
	return rc;
}

void cdc_row_builder_free(struct cdc_row_builder *b)
{
	if (!b)
		return;
	for (int i = 0; i < b->num_fields; i++)
		cdc_nested_build_free(b->column[i]);
	free(b->column);
	free(b->out);
	cdc_arena_free(&b->arena);
	free(b);
}

static void begin(struct cdc_row_builder *b)
{
	for (int i = 0; i < b->num_fields; i++)
		if (b->column[i])
			cdc_nested_build_reset(b->column[i]);
	cdc_arena_reset(&b->arena);
	b->taken = false;
}

static int cut_short(struct cdc_err *err)
{
	return cdc_fail(err, CDC_EINTERNAL, "the bytes of a row are cut short");
}

static int take_value(struct cdc_nested_build *c, struct cdc_str *row, struct cdc_err *err)
{
	struct cdc_str cell;
	uint32_t n;

	if (!row->n)
		return cut_short(err);
	if (!row->p[0]) {
		*row = cdc_str(row->p + 1, row->n - 1);
		return cdc_nested_build_null(c, err);
	}
	if (row->n < 1 + sizeof(n))
		return cut_short(err);
	memcpy(&n, row->p + 1, sizeof(n));
	*row = cdc_str(row->p + 1 + sizeof(n), row->n - 1 - sizeof(n));
	if (row->n < n)
		return cut_short(err);
	cell = cdc_str(row->p, n);
	*row = cdc_str(row->p + n, row->n - n);
	return cdc_nested_build_cell(c, cell, err);
}

int cdc_row_builder_add(struct cdc_row_builder *b, struct cdc_str row, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (b->taken)
		begin(b);
	row.p = cdc_arena_dup(&b->arena, row.p ? row.p : "", row.n);
	if (!row.p)
		return cdc_fail_nomem(err);
	b->bytes += row.n;
	for (int i = 0; !rc && i < b->num_fields; i++)
		if (b->column[i])
			rc = take_value(b->column[i], &row, err);
	b->rows++;
	return rc;
}

bool cdc_row_builder_full(const struct cdc_row_builder *b)
{
	return b->rows == CDC_BATCH_ROWS || b->bytes >= FULL_BYTES;
}

void cdc_row_builder_take(struct cdc_row_builder *b, struct cdc_batch *out)
{
	for (int i = 0; i < b->num_fields; i++)
		if (b->column[i])
			cdc_nested_build_column(b->column[i], &b->out[i]);
	*out = (struct cdc_batch){ .rows = b->rows,
				   .num_columns = b->num_fields,
				   .column = b->out };
	b->rows = 0;
	b->bytes = 0;
	b->taken = true;
}
