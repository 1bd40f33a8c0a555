/*
 * Rows side by side, for the writers of files. See merge_internal.h.
 */
#include "table/merge_internal.h"

int gather_init(struct gather *g, const struct cdc_schema *s, const struct cdc_field *extra,
		int num_extra, struct cdc_arena *a, struct cdc_err *err)
{
	int n = s->num_fields + num_extra;

	*g = (struct gather){ .schema = s, .num_columns = n };
	g->column = cdc_arena_calloc(a, (size_t)n + 1, sizeof(*g->column));
	g->values = cdc_arena_calloc(a, (size_t)n + 1, sizeof(*g->values));
	g->valid = cdc_arena_calloc(a, (size_t)n + 1, sizeof(*g->valid));
	if (!g->column || !g->values || !g->valid)
		return cdc_fail_nomem(err);
	for (int i = 0; i < n; i++) {
		const struct cdc_field *f =
			i < s->num_fields ? &s->field[i] : &extra[i - s->num_fields];

		g->values[i] = cdc_arena_calloc(a, CDC_BATCH_ROWS, cdc_type_size(f->type));
		g->valid[i] = cdc_arena_calloc(a, CDC_BATCH_ROWS, 1);
		if (!g->values[i] || !g->valid[i])
			return cdc_fail_nomem(err);
		g->column[i] = (struct cdc_column){ .field = f,
						    .values = g->values[i],
						    .valid = g->valid[i] };
	}
	return CDC_OK;
}

static void clear_extra(struct gather *g, uint32_t n)
{
	for (int i = g->schema->num_fields; i < g->num_columns; i++)
		memset(g->valid[i] + g->n, 0, n);
}

void gather_row(struct gather *g, const struct cdc_rows *rows, uint32_t row)
{
	for (int f = 0; f < g->schema->num_fields; f++) {
		const struct cdc_rows_column *c = &rows->column[f];

		memcpy((char *)g->values[f] + g->n * c->size, c->values + (size_t)row * c->size,
		       c->size);
		g->valid[f][g->n] = cdc_cell_has_value(c->cell[row]);
	}
	clear_extra(g, 1);
	g->n++;
}

uint32_t gather_stored(struct gather *g, const struct cdc_batch *rows, uint32_t i, uint32_t n)
{
	uint32_t take = n < CDC_BATCH_ROWS - g->n ? n : CDC_BATCH_ROWS - g->n;

	for (int f = 0; f < rows->num_columns; f++) {
		const struct cdc_column *c = &rows->column[f];
		size_t size = cdc_type_size(c->field->type);

		memcpy((char *)g->values[f] + g->n * size, (const char *)c->values + i * size,
		       take * size);
		if (c->valid)
			memcpy(g->valid[f] + g->n, c->valid + i, take);
		else
			memset(g->valid[f] + g->n, 1, take);
	}
	if (rows->num_columns < g->num_columns)
		clear_extra(g, take);
	g->n += take;
	return take;
}

void gather_extra(struct gather *g, int k, const union cdc_value *v)
{
	int f = g->schema->num_fields + k;

	cdc_value_store(g->column[f].field->type, g->values[f], g->n - 1, v);
	g->valid[f][g->n - 1] = 1;
}

struct cdc_batch gather_take(struct gather *g)
{
	struct cdc_batch out = { .rows = g->n, .num_columns = g->num_columns, .column = g->column };

	g->n = 0;
	return out;
}
