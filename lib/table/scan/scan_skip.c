/*
 * Which rows of a table a filter cannot let through. See scan_skip.h.
 */
#include "table/scan/scan_skip.h"

#include "parquet/pq_bloom.h"
#include "table/scan/scan_bounds.h"
#include "table/where/where_tree.h"

#include <stdlib.h>

/* What is known of one column of the filter. */
struct column {
	const struct cdc_field *field;
	int index; /* in the schema */
	struct cdc_bounds file; /* of all rows of the file */
	struct cdc_skip_leaf leaf; /* in the open file */
	int32_t leaf_number; /* -1: none */
	struct cdc_bounds rows; /* of the rows in question */
	bool has_bloom; /* of the row group in question */
	struct cdc_pq_bloom bloom;
	struct cdc_pq_page_index pages; /* num_pages 0: none */
	uint32_t page;
};

struct cdc_skip {
	const struct cdc_filter *filter;
	const struct cdc_snapshot *snapshot;
	struct column *column;
	int num_columns;
	struct cdc_arena arena; /* of the statistics of the file */
	struct cdc_skip_range *range;
	size_t num_ranges;
	size_t cap_ranges;
};

int cdc_skip_new(struct cdc_skip **out, const struct cdc_filter *f,
		 const struct cdc_snapshot *snapshot, struct cdc_err *err)
{
	struct cdc_skip *s = calloc(1, sizeof(*s));
	const int *field;

	if (!s)
		return cdc_fail_nomem(err);
	s->filter = f;
	s->snapshot = snapshot;
	field = cdc_filter_columns(f, &s->num_columns);
	s->column = calloc((size_t)s->num_columns + 1, sizeof(*s->column));
	if (!s->column) {
		cdc_skip_free(s);
		return cdc_fail_nomem(err);
	}
	for (int i = 0; i < s->num_columns; i++) {
		s->column[i].index = field[i];
		s->column[i].field = &snapshot->schema.field[field[i]];
	}
	*out = s;
	return CDC_OK;
}

void cdc_skip_free(struct cdc_skip *s)
{
	if (!s)
		return;
	free(s->range);
	free(s->column);
	cdc_arena_free(&s->arena);
	free(s);
}

/* ------------------------------------------------------------------ facts */

static void give_bounds(void *ctx, int i, struct cdc_bounds *b)
{
	const struct cdc_skip *s = ctx;

	*b = s->column[i].rows;
}

/* A filter that cannot be read excludes nothing. */
static bool may_hold(void *ctx, int i, const union cdc_value *v)
{
	const struct cdc_skip *s = ctx;
	const struct column *c = &s->column[i];
	struct cdc_err ignored = CDC_ERR_INIT;
	struct cdc_str plain;
	bool may = true;
	char text[16];
	int rc;

	if (!c->has_bloom)
		return true;
	rc = cdc_skip_plain(&c->leaf, v, text, &plain);
	if (rc != CDC_OK)
		return rc != CDC_END;
	return cdc_pq_bloom_look(&c->bloom, cdc_pq_bloom_hash(plain.p, plain.n), &may, &ignored) <
		       0 ||
	       may;
}

static bool may_match(struct cdc_skip *s, bool blooms)
{
	const struct cdc_facts facts = { s, give_bounds, blooms ? may_hold : NULL };

	return cdc_filter_outcomes(s->filter, &facts) & CDC_OUTCOME(CDC_TRUE);
}

/* ------------------------------------------------------------------ the action */

static const struct cdc_bounds nothing = { .may_be_null = true, .may_have_value = true };

/* A value that does not parse is left to the reader, who says so. */
static void take_partition(const struct cdc_add *add, const struct cdc_field *f,
			   struct cdc_bounds *b)
{
	struct cdc_err ignored = CDC_ERR_INIT;
	union cdc_value v = { .dec = 0 };
	bool is_null;

	for (int i = 0; i < add->num_partition_values; i++) {
		const struct cdc_kv *kv = &add->partition_value[i];

		if (!cdc_str_eq(kv->key, f->physical_name))
			continue;
		if (cdc_partition_parse(f, kv->value, &v, &is_null, &ignored) < 0)
			return;
		*b = (struct cdc_bounds){ .may_be_null = is_null,
					  .may_have_value = !is_null,
					  .has_min = !is_null,
					  .has_max = !is_null,
					  .min = v,
					  .max = v };
		return;
	}
}

static void take_nulls(bool known, int64_t nulls, bool rows_known, int64_t rows,
		       struct cdc_bounds *b)
{
	if (!known)
		return;
	b->may_be_null = nulls != 0;
	/* Bounds tell of values, whatever the count says. */
	b->may_have_value = !rows_known || nulls != rows || b->has_min || b->has_max;
}

static void take_stats(const struct cdc_file_stats *stats, int field, struct cdc_bounds *b)
{
	const struct cdc_column_stats *c = &stats->column[field];

	b->has_min = c->has_min;
	b->has_max = c->has_max;
	b->min = c->min;
	b->max = c->max;
	take_nulls(c->has_null_count, c->null_count, stats->has_num_records, stats->num_records, b);
}

int cdc_skip_file(struct cdc_skip *s, const struct cdc_add *add, bool *skip, struct cdc_err *err)
{
	struct cdc_file_stats stats;
	int rc;

	cdc_arena_reset(&s->arena);
	rc = cdc_stats_read(&s->snapshot->schema, add->stats, &s->arena, &stats, err);
	if (rc < 0)
		return rc;
	for (int i = 0; i < s->num_columns; i++) {
		struct column *c = &s->column[i];

		c->file = nothing;
		if (c->field->is_partition)
			take_partition(add, c->field, &c->file);
		else if (cdc_type_is_primitive(c->field->type))
			take_stats(&stats, c->index, &c->file);
		c->rows = c->file;
	}
	*skip = !may_match(s, false);
	return CDC_OK;
}

/* ------------------------------------------------------------------ row groups */

static int add_range(struct cdc_skip *s, uint64_t first, uint64_t rows, struct cdc_err *err)
{
	struct cdc_skip_range *last = s->num_ranges ? &s->range[s->num_ranges - 1] : NULL;

	if (!rows)
		return CDC_OK;
	if (last && last->first + last->rows == first) {
		last->rows += rows;
		return CDC_OK;
	}
	if (s->num_ranges == s->cap_ranges) {
		size_t cap = s->cap_ranges ? s->cap_ranges * 2 : 16;
		struct cdc_skip_range *more = reallocarray(s->range, cap, sizeof(*more));

		if (!more)
			return cdc_fail_nomem(err);
		s->range = more;
		s->cap_ranges = cap;
	}
	s->range[s->num_ranges++] = (struct cdc_skip_range){ first, rows };
	return CDC_OK;
}

/* A leaf with one slot a row, of which we know how it becomes the column. */
static void find_leaf(struct column *c, const struct cdc_datafile *df)
{
	const struct cdc_pq_metadata *m = cdc_pq_metadata(cdc_datafile_parquet(df));
	const struct cdc_pq_node *node;

	c->leaf = (struct cdc_skip_leaf){ .field = c->field };
	c->leaf_number = -1;
	if (c->field->is_partition || cdc_where_key(c->field->type) == CDC_KEY_NONE)
		return;
	c->leaf_number = cdc_datafile_leaf(df, c->index);
	if (c->leaf_number < 0) {
		/* Rows that were written before the column was there. */
		c->file = (struct cdc_bounds){ .may_be_null = true };
		return;
	}
	node = &m->schema.node[m->schema.leaf_node[c->leaf_number]];
	if (node->max_rep || !cdc_convert_choose(&c->leaf.convert, node, c->field)) {
		c->leaf_number = -1;
		return;
	}
	cdc_convert_calendar(&c->leaf.convert, m, node, c->field);
	c->leaf.node = node;
}

static void take_chunk(struct column *c, const struct cdc_pq_row_group *g)
{
	const struct cdc_pq_statistics *st;

	c->rows = c->file;
	if (c->leaf_number < 0)
		return;
	st = &g->column[c->leaf_number].stats;
	if (st->has_min_max)
		cdc_skip_take_bounds(&c->leaf, st->min_value, st->max_value, &c->rows);
	if (!c->leaf.node->max_def) {
		c->rows.may_be_null = false;
	} else if (st->has_null_count) {
		c->rows.may_be_null = c->rows.may_be_null && st->null_count != 0;
		c->rows.may_have_value = c->rows.may_have_value &&
					 (st->null_count != g->num_rows || st->has_min_max);
	}
}

static void open_blooms(struct cdc_skip *s, const struct cdc_pq_file *pq, int32_t group)
{
	for (int i = 0; i < s->num_columns; i++) {
		struct column *c = &s->column[i];
		struct cdc_err ignored = CDC_ERR_INIT;

		c->has_bloom =
			c->leaf_number >= 0 &&
			cdc_pq_bloom_open(&c->bloom, pq, group, c->leaf_number, &ignored) == CDC_OK;
	}
}

/* ------------------------------------------------------------------ pages */

static int open_pages(struct cdc_skip *s, const struct cdc_pq_file *pq, int32_t group, bool *any,
		      struct cdc_err *err)
{
	*any = false;
	for (int i = 0; i < s->num_columns; i++) {
		struct column *c = &s->column[i];
		int rc;

		c->page = 0;
		if (c->leaf_number < 0)
			continue;
		rc = cdc_pq_page_index_read(&c->pages, pq, group, c->leaf_number, err);
		if (rc < 0)
			return rc;
		if (rc == CDC_OK)
			*any = true;
	}
	return CDC_OK;
}

static void close_pages(struct cdc_skip *s)
{
	for (int i = 0; i < s->num_columns; i++) {
		cdc_pq_page_index_free(&s->column[i].pages);
		s->column[i].pages = (struct cdc_pq_page_index){ .arena = CDC_ARENA_INIT };
	}
}

/* The bounds of the page that the column is at, within those of the row group. */
static void take_page(struct column *c, const struct cdc_pq_row_group *g)
{
	const struct cdc_pq_page_info *p = &c->pages.page[c->page];

	take_chunk(c, g);
	if (p->has_min_max)
		cdc_skip_take_bounds(&c->leaf, p->min_value, p->max_value, &c->rows);
	if (p->has_null_count && p->null_count == 0)
		c->rows.may_be_null = false;
	/* Some writers of no statistics call all pages null, with -1 nulls. */
	if (p->all_null && p->has_null_count && p->null_count == p->num_rows &&
	    c->leaf.node->max_def)
		c->rows.may_have_value = false;
}

/* From row to row at which some column's page ends. */
static int skip_pages(struct cdc_skip *s, const struct cdc_pq_row_group *g, uint64_t first,
		      struct cdc_err *err)
{
	int64_t row = 0;
	int rc = CDC_OK;

	while (row < g->num_rows && rc == CDC_OK) {
		int64_t end = g->num_rows;

		for (int i = 0; i < s->num_columns; i++) {
			struct column *c = &s->column[i];
			const struct cdc_pq_page_info *p;

			if (!c->pages.num_pages)
				continue;
			p = &c->pages.page[c->page];
			if (p->first_row + p->num_rows <= row)
				p = &c->pages.page[++c->page];
			if (p->first_row == row || row == 0)
				take_page(c, g);
			end = p->first_row + p->num_rows < end ? p->first_row + p->num_rows : end;
		}
		if (!may_match(s, false))
			rc = add_range(s, first + (uint64_t)row, (uint64_t)(end - row), err);
		row = end;
	}
	return rc;
}

static int skip_in_group(struct cdc_skip *s, const struct cdc_pq_file *pq, int32_t group,
			 uint64_t first, struct cdc_err *err)
{
	bool any;
	int rc = open_pages(s, pq, group, &any, err);

	if (rc == CDC_OK && any)
		rc = skip_pages(s, &cdc_pq_metadata(pq)->row_group[group], first, err);
	close_pages(s);
	return rc;
}

int cdc_skip_ranges(struct cdc_skip *s, const struct cdc_datafile *df,
		    const struct cdc_skip_range **range, size_t *num_ranges, uint64_t *row_groups,
		    struct cdc_err *err)
{
	const struct cdc_pq_file *pq = cdc_datafile_parquet(df);
	const struct cdc_pq_metadata *m = cdc_pq_metadata(pq);
	uint64_t first = 0;
	int rc = CDC_OK;

	s->num_ranges = 0;
	*row_groups = 0;
	for (int i = 0; i < s->num_columns; i++)
		find_leaf(&s->column[i], df);
	for (int32_t g = 0; rc == CDC_OK && g < m->num_row_groups; g++) {
		const struct cdc_pq_row_group *group = &m->row_group[g];
		bool match;

		for (int i = 0; i < s->num_columns; i++)
			take_chunk(&s->column[i], group);
		match = may_match(s, false);
		if (match) {
			open_blooms(s, pq, g);
			match = may_match(s, true);
		}
		if (match) {
			rc = skip_in_group(s, pq, g, first, err);
		} else {
			rc = add_range(s, first, (uint64_t)group->num_rows, err);
			++*row_groups;
		}
		first += (uint64_t)group->num_rows;
	}
	*range = s->range;
	*num_ranges = s->num_ranges;
	return rc;
}
