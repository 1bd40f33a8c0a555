/*
 * Which files can hold the batch's keys, and which of their rows do. See merge_internal.h.
 *
 * Files are ruled out by partition value and by the statistics of the first key column, row groups
 * by their own statistics; of what remains only the key columns are read.
 */
#include "base/endian.h"
#include "table/merge/merge_internal.h"

#include <stdio.h>
#include <stdlib.h>

struct probe {
	struct cdc_merge *m;
	struct batch *b;
	struct plan *p;
	const struct cdc_snapshot *s;
	struct cdc_arena arena; /* statistics of one file */
	struct cdc_buf key;
	struct cdc_buf cell; /* of a stored value */
};

/* ------------------------------------------------------------------ pruning */

/* The i-th value of the first key column, in order. */
static union cdc_value key_value(const struct batch *b, uint32_t i)
{
	union cdc_value v;

	if (b->sorted)
		return b->sorted[i];
	v.i = (int64_t)b->index.sorted[i].key;
	return v;
}

/* Is a key value of the batch within [min, max]? */
static bool any_within(const struct batch *b, enum cdc_type t, const union cdc_value *min,
		       const union cdc_value *max)
{
	uint32_t lo = 0, hi = b->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		union cdc_value v = key_value(b, mid);

		if (min && cdc_value_cmp(t, &v, min) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < b->n && max) {
		union cdc_value v = key_value(b, lo);

		return cdc_value_cmp(t, &v, max) <= 0;
	}
	return lo < b->n;
}

static int partition_may_match(const struct probe *pr, const struct cdc_add *add,
			       const struct cdc_field *f, bool *may, struct cdc_err *err)
{
	for (int i = 0; i < add->num_partition_values; i++) {
		union cdc_value v;
		bool null = false;

		if (!cdc_str_eq(add->partition_value[i].key, f->physical_name))
			continue;
		if (cdc_partition_parse(f, add->partition_value[i].value, &v, &null, err))
			return err->code;
		*may = !null && any_within(pr->b, f->type, &v, &v);
		return CDC_OK;
	}
	*may = true;
	return CDC_OK;
}

static int file_may_match(struct probe *pr, const struct cdc_add *add, bool *may,
			  struct cdc_err *err)
{
	int first = pr->m->target.key.field[0];
	const struct cdc_field *f = &pr->s->schema.field[first];
	struct cdc_file_stats stats;
	const struct cdc_column_stats *c;

	*may = true;
	if (f->is_partition)
		return partition_may_match(pr, add, f, may, err);
	if (!add->stats.p)
		return CDC_OK;
	cdc_arena_reset(&pr->arena);
	if (cdc_stats_read(&pr->s->schema, add->stats, &pr->arena, &stats, err))
		return err->code;
	c = &stats.column[first];
	if (c->has_min || c->has_max)
		*may = any_within(pr->b, f->type, c->has_min ? &c->min : NULL,
				  c->has_max ? &c->max : NULL);
	return CDC_OK;
}

/* Row group statistics of integer-like keys that the file stores as plain INT32 or INT64. */
static bool row_group_may_match(const struct probe *pr, struct cdc_datafile *df, int32_t rg)
{
	int first = pr->m->target.key.field[0];
	enum cdc_type t = pr->s->schema.field[first].type;
	int32_t leaf = cdc_datafile_leaf(df, first);
	const struct cdc_pq_metadata *meta = cdc_pq_metadata(cdc_datafile_parquet(df));
	const struct cdc_pq_column_meta *c;
	const struct cdc_pq_node *node;
	union cdc_value min, max;

	if (leaf < 0 || (t != CDC_TYPE_INTEGER && t != CDC_TYPE_LONG && t != CDC_TYPE_DATE))
		return true;
	c = &meta->row_group[rg].column[leaf];
	node = &meta->schema.node[meta->schema.leaf_node[leaf]];
	if (!c->stats.has_min_max || node->logical == CDC_PQ_LOGICAL_DECIMAL ||
	    node->converted == CDC_PQ_CONV_DECIMAL)
		return true;
	if (node->type == CDC_PQ_INT32 && c->stats.min_value.n == 4 && c->stats.max_value.n == 4) {
		min.i = (int32_t)cdc_le32(c->stats.min_value.p);
		max.i = (int32_t)cdc_le32(c->stats.max_value.p);
	} else if (node->type == CDC_PQ_INT64 && c->stats.min_value.n == 8 &&
		   c->stats.max_value.n == 8) {
		min.i = (int64_t)cdc_le64(c->stats.min_value.p);
		max.i = (int64_t)cdc_le64(c->stats.max_value.p);
	} else {
		return true;
	}
	return any_within(pr->b, t, &min, &max);
}

/* ------------------------------------------------------------------ matching rows */

static int add_match(struct touched *t, uint64_t pos, uint32_t index, struct cdc_err *err)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		struct match *grown = realloc(t->match, cap * sizeof(*grown));

		if (!grown)
			return cdc_fail_nomem(err);
		t->match = grown;
		t->cap = cap;
	}
	t->match[t->n++] = (struct match){ .pos = pos, .entry = index };
	return CDC_OK;
}

/* Word keys of one batch as the batch's index has them. */
static void load_words(const struct cdc_column *c, uint32_t n, uint64_t *word)
{
	enum cdc_type type = c->field->type;

	if (type == CDC_TYPE_LONG || type == CDC_TYPE_TIMESTAMP || type == CDC_TYPE_TIMESTAMP_NTZ) {
		memcpy(word, c->values, n * sizeof(*word));
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		union cdc_value v = cdc_value_load(type, c->values, i);

		word[i] = cdc_key_word(type, &v);
	}
}

static int match_words(struct probe *pr, struct touched *t, const struct cdc_column *c, uint32_t n,
		       uint64_t first, const uint8_t *keep, struct cdc_err *err)
{
	uint64_t word[CDC_KEY_INDEX_ROWS];
	uint32_t row[CDC_KEY_INDEX_ROWS], number[CDC_KEY_INDEX_ROWS], hits;

	load_words(c, n, word);
	hits = cdc_key_index_probe(&pr->b->index, word, n, row, number);
	for (uint32_t i = 0; i < hits; i++) {
		if ((keep && !keep[row[i]]) || cdc_column_is_null(c, row[i]))
			continue;
		if (add_match(t, first + row[i], number[i], err))
			return err->code;
	}
	return CDC_OK;
}

static int match_row(struct probe *pr, struct touched *t, const struct cdc_column *c, uint32_t i,
		     uint64_t pos, struct cdc_err *err)
{
	const struct batch *b = pr->b;
	int num = pr->m->target.key.num_fields;
	struct cdc_map_iter it;
	uint32_t index;

	cdc_buf_reset(&pr->key);
	for (int k = 0; k < num; k++) {
		union cdc_value v;

		if (cdc_column_is_null(&c[k], i))
			return CDC_OK;
		v = cdc_value_load(c[k].field->type, c[k].values, i);
		if (cdc_key_put(&pr->key, c[k].field->type, &v, err))
			return err->code;
	}
	it = cdc_map_seek(&b->map, cdc_hash64(pr->key.p, pr->key.len));
	while (cdc_map_next(&b->map, &it, &index))
		if (cdc_str_eq(b->entry[index].key, cdc_buf_str(&pr->key)))
			return add_match(t, pos, index, err);
	return CDC_OK;
}

static int match_batch(struct probe *pr, struct touched *t, const struct cdc_batch *rows,
		       struct cdc_err *err)
{
	uint8_t keep[CDC_BATCH_ROWS];
	const uint8_t *mask = NULL;

	if (t->dv) {
		memset(keep, 1, rows->rows);
		if (cdc_dv_mask(t->dv, rows->first_row, rows->rows, keep))
			mask = keep;
	}
	if (pr->m->target.key.is_word)
		return match_words(pr, t, &rows->column[0], rows->rows, rows->first_row, mask, err);
	for (uint32_t i = 0; i < rows->rows; i++)
		if ((!mask || mask[i]) &&
		    match_row(pr, t, rows->column, i, rows->first_row + i, err))
			return err->code;
	return CDC_OK;
}

/* Passes over row groups that cannot match; the others are read up to `until`. */
static int match_file(struct probe *pr, struct touched *t, struct cdc_datafile *df,
		      struct cdc_err *err)
{
	struct cdc_datafile_scan *scan = NULL;
	struct cdc_batch rows;
	uint64_t pos = 0, end = 0;
	int rc = cdc_datafile_scan_new(&scan, df, pr->m->target.key.field,
				       pr->m->target.key.num_fields, err);

	for (int32_t rg = 0; !rc && rg < cdc_datafile_row_groups(df); rg++) {
		end += cdc_datafile_row_group_rows(df, rg);
		if (!row_group_may_match(pr, df, rg)) {
			rc = cdc_datafile_scan_skip(scan, end - pos, err);
			pos = end;
		}
		while (!rc && pos < end) {
			rc = cdc_datafile_scan_next(scan, &rows, err);
			if (!rc)
				rc = match_batch(pr, t, &rows, err);
			if (!rc)
				pos = rows.first_row + rows.rows;
		}
	}
	cdc_datafile_scan_free(scan);
	return rc == CDC_END ? CDC_OK : rc;
}

/* ------------------------------------------------------------------ files */

static struct touched *push_touched(struct plan *p, const struct cdc_add *add)
{
	if (p->n == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 16;
		struct touched *grown = realloc(p->touched, cap * sizeof(*grown));

		if (!grown)
			return NULL;
		p->touched = grown;
		p->cap = cap;
	}
	p->touched[p->n] = (struct touched){ .add = add };
	return &p->touched[p->n++];
}

void touched_free(struct touched *t)
{
	free(t->match);
	cdc_dv_free(t->dv);
}

static int probe_file(struct probe *pr, const struct cdc_add *add, struct cdc_err *err)
{
	struct cdc_datafile *df = NULL;
	struct touched *t = push_touched(pr->p, add);
	int rc;

	if (!t)
		return cdc_fail_nomem(err);
	rc = cdc_datafile_open(&df, pr->m->opt.io, pr->s, add, err);
	if (!rc && add->dv.storage)
		rc = cdc_dv_load(&t->dv, pr->m->opt.io, pr->s->table, pr->s->allow_external,
				 &add->dv, err);
	if (!rc) {
		t->rows = cdc_datafile_rows(df);
		rc = match_file(pr, t, df, err);
	}
	cdc_datafile_close(df);
	pr->p->result.files_probed++;
	t->num_probed = t->n;
	if (!rc && !t->n) {
		touched_free(t);
		pr->p->n--;
	}
	return rc;
}

int probe_files(struct cdc_merge *m, struct batch *b, struct plan *p,
		const struct cdc_add *const *add, size_t n, struct cdc_err *err)
{
	struct probe pr = { .m = m, .b = b, .p = p, .s = m->target.snapshot };
	const struct cdc_io *io = m->opt.io;
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < n; i++) {
		bool may = true;

		if (io->interrupted(io->ctx))
			rc = cdc_fail(err, CDC_EINTR, "interrupted");
		if (!rc)
			rc = file_may_match(&pr, add[i], &may, err);
		if (!rc && may)
			rc = probe_file(&pr, add[i], err);
		else if (!rc)
			p->result.files_skipped++;
	}
	cdc_arena_free(&pr.arena);
	cdc_buf_free(&pr.key);
	return rc;
}

/* TRUNCATE: every file goes, whatever it holds. */
static int take_all_files(struct cdc_merge *m, struct plan *p, struct cdc_err *err)
{
	const struct cdc_snapshot *s = m->target.snapshot;

	for (size_t i = 0; i < s->num_adds; i++) {
		struct touched *t = push_touched(p, &s->add[i]);
		int64_t rows = cdc_stats_num_records(s->add[i].stats);

		if (!t)
			return cdc_fail_nomem(err);
		t->remove_only = true;
		t->rows = rows < 0 ? 0 : (uint64_t)rows;
	}
	return CDC_OK;
}

int probe_table(struct cdc_merge *m, struct batch *b, struct plan *p, struct cdc_err *err)
{
	const struct cdc_snapshot *s = m->target.snapshot;
	const struct cdc_add **add;
	int rc;

	*p = (struct plan){ .result = { .version = -1 } };
	if (b->truncated)
		return take_all_files(m, p, err);
	if (seen_none(&m->seen, b))
		return CDC_OK;
	p->probed = true;
	add = malloc((s->num_adds + 1) * sizeof(*add));
	if (!add)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < s->num_adds; i++)
		add[i] = &s->add[i];
	rc = probe_files(m, b, p, add, s->num_adds, err);
	free(add);
	return rc;
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		touched_free(&p->touched[i]);
	free(p->touched);
	*p = (struct plan){ .n = 0 };
}
