/*
 * The rows of a batch by partition. See merge_internal.h.
 */
#include "table/merge/merge_internal.h"

#include <stdlib.h>

struct grouping {
	const struct batch *b;
	const struct plan *p;
	const struct cdc_snapshot *s;
	struct groups *g;
};

/* A group for each partition that there is. */
static int fit_groups(struct groups *g, struct cdc_err *err)
{
	struct group *grown;

	if (g->partitions.n > g->cap) {
		grown = reallocarray(g->group, g->partitions.cap, sizeof(*grown));
		if (!grown)
			return cdc_fail_nomem(err);
		g->group = grown;
		g->cap = g->partitions.cap;
	}
	for (; g->n < g->partitions.n; g->n++)
		g->group[g->n] = (struct group){ .value = g->partitions.value[g->n],
						 .first = NO_INDEX,
						 .last = NO_INDEX,
						 .first_file = SIZE_MAX,
						 .last_rewrite = SIZE_MAX };
	return CDC_OK;
}

static int group_of_row(struct grouping *w, uint32_t row, uint32_t *index, struct cdc_err *err)
{
	const struct cdc_metadata *meta = &w->s->metadata;
	const struct cdc_rows *r = &w->b->rows;
	struct cdc_str value[64];
	size_t end[64];

	if (meta->num_partition_columns > 64)
		return cdc_fail(err, CDC_EUNSUPPORTED, "more than 64 partition columns");
	cdc_buf_reset(&w->g->scratch);
	for (int i = 0; i < meta->num_partition_columns; i++) {
		int f = cdc_schema_find(&w->s->schema, meta->partition_column[i]);
		const struct cdc_field *fd = &w->s->schema.field[f];

		if (cdc_cell_has_value(r->column[f].cell[row])) {
			union cdc_value v = cdc_value_load(fd->type, r->column[f].values, row);

			if (cdc_partition_format(fd, &v, &w->g->scratch, err))
				return err->code;
		}
		end[i] = w->g->scratch.len;
	}
	for (int i = 0; i < meta->num_partition_columns; i++) {
		size_t start = i ? end[i - 1] : 0;

		value[i] =
			cdc_str(w->g->scratch.p ? w->g->scratch.p + start : NULL, end[i] - start);
	}
	return cdc_partitions_find(&w->g->partitions, value, index, err);
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

		if (cdc_partitions_of_file(&w->g->partitions, t->add, &w->g->of_file[i], err) ||
		    fit_groups(w->g, err))
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
	int rc = cdc_partitions_init(&g->partitions, w.s, err);

	if (!rc)
		rc = group_rows(&w, err);
	if (!rc)
		rc = fit_groups(g, err);
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
	cdc_partitions_free(&g->partitions);
	cdc_buf_free(&g->scratch);
}
