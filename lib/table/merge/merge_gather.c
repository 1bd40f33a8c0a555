/*
 * Rows side by side, for the writers of files. See merge_internal.h.
 */
#include "table/merge/merge_internal.h"

static int init_column(struct gather *g, int i, const struct cdc_field *f, struct cdc_arena *a,
		       struct cdc_err *err)
{
	if (cdc_type_is_nested(f->type))
		return cdc_nested_build_new(&g->nested[i], f, err);
	g->values[i] = cdc_arena_calloc(a, CDC_BATCH_ROWS, cdc_type_size(f->type));
	g->valid[i] = cdc_arena_calloc(a, CDC_BATCH_ROWS, 1);
	if (!g->values[i] || !g->valid[i])
		return cdc_fail_nomem(err);
	g->column[i] =
		(struct cdc_column){ .field = f, .values = g->values[i], .valid = g->valid[i] };
	return CDC_OK;
}

int gather_init(struct gather *g, const struct cdc_schema *s, const struct cdc_field *extra,
		int num_extra, struct cdc_arena *a, struct cdc_err *err)
{
	int n = s->num_fields + num_extra;

	*g = (struct gather){ .schema = s };
	g->column = cdc_arena_calloc(a, (size_t)n + 1, sizeof(*g->column));
	g->values = cdc_arena_calloc(a, (size_t)n + 1, sizeof(*g->values));
	g->valid = cdc_arena_calloc(a, (size_t)n + 1, sizeof(*g->valid));
	g->nested = cdc_arena_calloc(a, (size_t)n + 1, sizeof(*g->nested));
	if (!g->column || !g->values || !g->valid || !g->nested)
		return cdc_fail_nomem(err);
	for (; g->num_columns < n; g->num_columns++) {
		int i = g->num_columns;

		if (init_column(g, i, i < s->num_fields ? &s->field[i] : &extra[i - s->num_fields],
				a, err))
			return err->code;
	}
	return CDC_OK;
}

void gather_free(struct gather *g)
{
	for (int i = 0; i < g->num_columns; i++)
		cdc_nested_build_free(g->nested[i]);
	*g = (struct gather){ .n = 0 };
}

static void clear_extra(struct gather *g, uint32_t n)
{
	for (int i = g->schema->num_fields; i < g->num_columns; i++)
		memset(g->valid[i] + g->n, 0, n);
}

static int gather_cell(struct cdc_nested_build *b, const struct cdc_rows_column *c, uint32_t row,
		       struct cdc_err *err)
{
	if (!cdc_cell_has_value(c->cell[row]))
		return cdc_nested_build_null(b, err);
	return cdc_nested_build_cell(b, ((const struct cdc_str *)(const void *)c->values)[row],
				     err);
}

int gather_row(struct gather *g, const struct cdc_rows *rows, uint32_t row, struct cdc_err *err)
{
	for (int f = 0; f < g->schema->num_fields; f++) {
		const struct cdc_rows_column *c = &rows->column[f];

		if (g->nested[f]) {
			if (gather_cell(g->nested[f], c, row, err))
				return err->code;
			continue;
		}
		memcpy((char *)g->values[f] + g->n * c->size, c->values + (size_t)row * c->size,
		       c->size);
		g->valid[f][g->n] = cdc_cell_has_value(c->cell[row]);
	}
	clear_extra(g, 1);
	g->n++;
	return CDC_OK;
}

static int gather_column(struct gather *g, int f, const struct cdc_column *c, uint32_t i,
			 uint32_t n, struct cdc_err *err)
{
	size_t size = cdc_type_size(c->field->type);
	int rc = CDC_OK;

	for (uint32_t k = 0; g->nested[f] && !rc && k < n; k++)
		rc = cdc_nested_build_row(g->nested[f], c, i + k, err);
	if (g->nested[f])
		return rc;
	if (size)
		memcpy((char *)g->values[f] + g->n * size, (const char *)c->values + i * size,
		       n * size);
	if (c->valid)
		memcpy(g->valid[f] + g->n, c->valid + i, n);
	else
		memset(g->valid[f] + g->n, 1, n);
	return CDC_OK;
}

int gather_stored(struct gather *g, const struct cdc_batch *rows, uint32_t i, uint32_t n,
		  struct cdc_err *err)
{
	for (int f = 0; f < rows->num_columns; f++)
		if (gather_column(g, f, &rows->column[f], i, n, err))
			return err->code;
	if (rows->num_columns < g->num_columns)
		clear_extra(g, n);
	g->n += n;
	return CDC_OK;
}

void gather_extra(struct gather *g, int k, const union cdc_value *v)
{
	int f = g->schema->num_fields + k;

	cdc_value_store(g->column[f].field->type, g->values[f], g->n - 1, v);
	g->valid[f][g->n - 1] = 1;
}

struct cdc_batch gather_take(struct gather *g)
{
	for (int f = 0; f < g->num_columns; f++)
		if (g->nested[f])
			cdc_nested_build_column(g->nested[f], &g->column[f]);
	return (struct cdc_batch){ .rows = g->n,
				   .num_columns = g->num_columns,
				   .column = g->column };
}

void gather_reset(struct gather *g)
{
	for (int f = 0; f < g->num_columns; f++)
		if (g->nested[f])
			cdc_nested_build_reset(g->nested[f]);
	g->n = 0;
}

int gather_flush(struct gather *g, struct cdc_datawriter *w, struct cdc_err *err)
{
	struct cdc_batch out = gather_take(g);
	int rc = cdc_datawriter_write(w, &out, err);

	gather_reset(g);
	return rc;
}
