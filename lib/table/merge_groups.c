/*
 * The rows of a batch by partition. See merge_internal.h.
 */
#include "table/merge_internal.h"

#include <stdlib.h>

struct grouping {
	const struct batch *b;
	const struct plan *p;
	const struct cdc_snapshot *s;
	struct groups *g;
};

static int put_part(struct cdc_buf *b, struct cdc_str v, struct cdc_err *err)
{
	uint64_t n = v.p ? v.n : UINT64_MAX;

	if (cdc_buf_append(b, &n, sizeof(n), err))
		return err->code;
	return v.p ? cdc_buf_put(b, v, err) : CDC_OK;
}

/* The group of the partition values, made if it is new. */
static int find_group(struct grouping *w, const struct cdc_kv *value, uint32_t *index,
		      struct cdc_err *err)
{
	int n = w->s->metadata.num_partition_columns;
	struct cdc_map_iter it;
	struct group *g;
	uint64_t hash;

	cdc_buf_reset(&w->g->text);
	for (int i = 0; i < n; i++)
		if (put_part(&w->g->text, value[i].value, err))
			return err->code;
	hash = cdc_hash64(w->g->text.p, w->g->text.len);
	it = cdc_map_seek(&w->g->map, hash);
	while (cdc_map_next(&w->g->map, &it, index))
		if (cdc_str_eq(w->g->group[*index].text, cdc_buf_str(&w->g->text)))
			return CDC_OK;
	if (w->g->n == w->g->cap) {
		uint32_t cap = w->g->cap ? w->g->cap * 2 : 16;

		g = realloc(w->g->group, cap * sizeof(*g));
		if (!g)
			return cdc_fail_nomem(err);
		w->g->group = g;
		w->g->cap = cap;
	}
	g = &w->g->group[w->g->n];
	*g = (struct group){ .first = NO_INDEX,
			     .last = NO_INDEX,
			     .first_file = SIZE_MAX,
			     .last_rewrite = SIZE_MAX };
	g->text =
		cdc_str(cdc_arena_dup(&w->g->arena, w->g->text.p, w->g->text.len), w->g->text.len);
	g->value = cdc_arena_calloc(&w->g->arena, (size_t)n + 1, sizeof(*g->value));
	if (!g->text.p || !g->value)
		return cdc_fail_nomem(err);
	for (int i = 0; i < n; i++) {
		g->value[i] = value[i];
		if (value[i].value.p)
			g->value[i].value.p =
				cdc_arena_dup(&w->g->arena, value[i].value.p, value[i].value.n);
	}
	*index = w->g->n++;
	return cdc_map_insert(&w->g->map, hash, *index, err);
}

/* Partition values of a stored file, in the order of the partition columns. */
static int group_of_file(struct grouping *w, const struct cdc_add *add, uint32_t *index,
			 struct cdc_err *err)
{
	const struct cdc_metadata *meta = &w->s->metadata;
	struct cdc_kv *value = cdc_arena_calloc(
		&w->g->arena, (size_t)meta->num_partition_columns + 1, sizeof(*value));

	if (!value)
		return cdc_fail_nomem(err);
	for (int i = 0; i < meta->num_partition_columns; i++) {
		int f = cdc_schema_find(&w->s->schema, meta->partition_column[i]);

		value[i].key = w->s->schema.field[f].physical_name;
		for (int k = 0; k < add->num_partition_values; k++)
			if (cdc_str_eq(add->partition_value[k].key, value[i].key))
				value[i].value = add->partition_value[k].value;
		if (!value[i].value.n)
			value[i].value.p = NULL;
	}
	return find_group(w, value, index, err);
}

/* Partition values of a new row. */
static int group_of_row(struct grouping *w, uint32_t row, uint32_t *index, struct cdc_err *err)
{
	const struct cdc_metadata *meta = &w->s->metadata;
	const struct cdc_rows *r = &w->b->rows;
	struct cdc_kv value[64];
	size_t end[64];

	if (meta->num_partition_columns > 64)
		return cdc_fail(err, CDC_EUNSUPPORTED, "more than 64 partition columns");
	cdc_buf_reset(&w->g->scratch);
	for (int i = 0; i < meta->num_partition_columns; i++) {
		int f = cdc_schema_find(&w->s->schema, meta->partition_column[i]);
		const struct cdc_field *fd = &w->s->schema.field[f];

		value[i] = (struct cdc_kv){ .key = fd->physical_name };
		if (cdc_cell_has_value(r->column[f].cell[row])) {
			union cdc_value v = cdc_value_load(fd->type, r->column[f].values, row);

			if (cdc_partition_format(fd, &v, &w->g->scratch, err))
				return err->code;
		}
		end[i] = w->g->scratch.len;
	}
	for (int i = 0; i < meta->num_partition_columns; i++) {
		size_t start = i ? end[i - 1] : 0;

		/* An empty value is null in Delta. */
		if (end[i] > start)
			value[i].value = cdc_str(w->g->scratch.p + start, end[i] - start);
	}
	return find_group(w, value, index, err);
}

static int group_rows(struct grouping *w, struct cdc_err *err)
{
	size_t n = (size_t)w->b->n + 1;

	w->g->next = malloc(n * sizeof(*w->g->next));
	w->g->of_entry = malloc(n * sizeof(*w->g->of_entry));
	if (!w->g->next || !w->g->of_entry)
		return cdc_fail_nomem(err);
	for (uint32_t i = 0; i < w->b->n; i++) {
		const struct entry *e = &w->b->entry[i];

		w->g->next[i] = NO_INDEX;
		w->g->of_entry[i] = NO_INDEX;
		if (e->row == NO_INDEX || e->dropped)
			continue;
		if (group_of_row(w, e->row, &w->g->of_entry[i], err))
			return err->code;
	}
	return CDC_OK;
}

/* Chain the new rows of each group, in the order of the entries. */
static void chain_rows(struct grouping *w)
{
	for (uint32_t i = 0; i < w->b->n; i++) {
		struct group *g;

		if (w->g->of_entry[i] == NO_INDEX)
			continue;
		g = &w->g->group[w->g->of_entry[i]];
		if (g->first == NO_INDEX)
			g->first = i;
		else
			w->g->next[g->last] = i;
		g->last = i;
	}
}

static int group_files(struct grouping *w, struct cdc_err *err)
{
	w->g->of_file = malloc((w->p->n + 1) * sizeof(*w->g->of_file));
	w->g->next_file = malloc((w->p->n + 1) * sizeof(*w->g->next_file));
	if (!w->g->of_file || !w->g->next_file)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < w->p->n; i++) {
		const struct touched *t = &w->p->touched[i];
		struct group *g;

		if (group_of_file(w, t->add, &w->g->of_file[i], err))
			return err->code;
		g = &w->g->group[w->g->of_file[i]];
		w->g->next_file[i] = SIZE_MAX;
		if (g->first_file == SIZE_MAX)
			g->first_file = i;
		else
			w->g->next_file[g->last_file] = i;
		g->last_file = i;
		if (t->rewrite)
			g->last_rewrite = i;
	}
	return CDC_OK;
}

int groups_make(struct groups *g, const struct cdc_merge *m, const struct batch *b,
		const struct plan *p, struct cdc_err *err)
{
	struct grouping w = { .b = b, .p = p, .s = m->target.snapshot, .g = g };
	int rc = group_rows(&w, err);

	if (!rc)
		rc = group_files(&w, err);
	if (!rc)
		chain_rows(&w);
	return rc;
}

void groups_free(struct groups *g)
{
	free(g->group);
	free(g->next);
	free(g->of_entry);
	free(g->of_file);
	free(g->next_file);
	cdc_map_free(&g->map);
	cdc_buf_free(&g->text);
	cdc_buf_free(&g->scratch);
	cdc_arena_free(&g->arena);
}
