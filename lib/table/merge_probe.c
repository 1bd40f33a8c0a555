/*
 * Which files can hold the batch's keys, and which of their rows do. See merge_internal.h.
 *
 * Files are ruled out by partition value and by the statistics of the first key column, row groups
 * by their own statistics; of what remains only the key columns are read.
 */
#include "base/endian.h"
#include "table/merge_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* Files up to this size are rewritten rather than given a deletion vector. */
#define SMALL_FILE_BYTES (1 << 20)
/* Share of deleted rows, in percent, from which rewriting is the cheaper way. */
#define REWRITE_PERCENT 25

struct probe {
	struct cdc_merge *m;
	struct batch *b;
	struct plan *p;
	const struct cdc_snapshot *s;
	struct cdc_arena arena; /* statistics of one file */
	struct cdc_buf key;
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

static int add_match(struct probe *pr, struct touched *t, uint64_t pos, uint32_t index,
		     struct cdc_err *err)
{
	struct entry *e = &pr->b->entry[index];

	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		struct match *grown = realloc(t->match, cap * sizeof(*grown));

		if (!grown)
			return cdc_fail_nomem(err);
		t->match = grown;
		t->cap = cap;
	}
	t->match[t->n++] = (struct match){ pos, index };
	if (e->matches++)
		pr->p->result.duplicates++;
	else if (e->dependent != NO_INDEX && !pr->b->entry[e->dependent].base_found) {
		pr->b->entry[e->dependent].base_found = true;
		t->needs_base = t->needs_base || pr->b->entry[e->dependent].has_unknown;
	}
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
		if (add_match(pr, t, first + row[i], number[i], err))
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
			return add_match(pr, t, pos, index, err);
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

/* ------------------------------------------------------------------ stored values */

static int keep_stored(struct probe *pr, struct entry *e, const struct cdc_batch *rows, uint32_t i,
		       struct cdc_err *err)
{
	struct cdc_rows *r = &pr->b->rows;

	for (int f = 0; f < r->schema->num_fields; f++) {
		const struct cdc_column *c = &rows->column[f];
		uint8_t *cell = &r->column[f].cell[e->row];
		union cdc_value v;

		if (*cell != CDC_CELL_UNKNOWN)
			continue;
		if (cdc_column_is_null(c, i)) {
			*cell = CDC_CELL_KEPT_NULL;
			continue;
		}
		v = cdc_value_load(c->field->type, c->values, i);
		if (cdc_rows_set(r, e->row, f, &v, err))
			return err->code;
		*cell = CDC_CELL_KEPT_VALUE;
	}
	return CDC_OK;
}

/* Read the whole rows that partial images build on. */
static int fetch_bases(struct probe *pr, struct touched *t, struct cdc_datafile *df,
		       struct cdc_err *err)
{
	struct cdc_datafile_scan *scan = NULL;
	struct cdc_batch rows = { .rows = 0 };
	uint64_t next = 0; /* first row after `rows` */
	int rc = cdc_datafile_scan_new(&scan, df, NULL, pr->s->schema.num_fields, err);

	for (size_t k = 0; !rc && k < t->n; k++) {
		uint64_t pos = t->match[k].pos;
		const struct entry *from = &pr->b->entry[t->match[k].entry];
		struct entry *e =
			from->dependent == NO_INDEX ? NULL : &pr->b->entry[from->dependent];

		if (!e || !e->has_unknown)
			continue;
		if (pos >= next + CDC_BATCH_ROWS) {
			rc = cdc_datafile_scan_skip(scan, pos - next, err);
			next = pos;
		}
		while (!rc && pos >= next) {
			rc = cdc_datafile_scan_next(scan, &rows, err);
			if (!rc)
				next = rows.first_row + rows.rows;
		}
		if (!rc)
			rc = keep_stored(pr, e, &rows, (uint32_t)(pos - rows.first_row), err);
	}
	cdc_datafile_scan_free(scan);
	return rc == CDC_END ? cdc_fail(err, CDC_ECORRUPT, "a data file ends early") : rc;
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

static void drop_touched(struct touched *t)
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
	if (!rc && t->needs_base)
		rc = fetch_bases(pr, t, df, err);
	cdc_datafile_close(df);
	pr->p->result.files_probed++;
	if (!rc && !t->n) {
		drop_touched(t);
		pr->p->n--;
	}
	return rc;
}

static int probe_files(struct probe *pr, struct cdc_err *err)
{
	const struct cdc_io *io = pr->m->opt.io;

	for (size_t i = 0; i < pr->s->num_adds; i++) {
		bool may = true;

		if (io->interrupted(io->ctx))
			return cdc_fail(err, CDC_EINTR, "interrupted");
		if (file_may_match(pr, &pr->s->add[i], &may, err))
			return err->code;
		if (!may)
			pr->p->result.files_skipped++;
		else if (probe_file(pr, &pr->s->add[i], err))
			return err->code;
	}
	return CDC_OK;
}

/* TRUNCATE: every file goes, whatever it holds. */
static int take_all_files(struct probe *pr, struct cdc_err *err)
{
	for (size_t i = 0; i < pr->s->num_adds; i++) {
		struct touched *t = push_touched(pr->p, &pr->s->add[i]);
		int64_t rows = cdc_stats_num_records(pr->s->add[i].stats);

		if (!t)
			return cdc_fail_nomem(err);
		t->remove_only = true;
		t->rows = rows < 0 ? 0 : (uint64_t)rows;
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ after probing */

static int reject_row(struct probe *pr, struct entry *e, const struct cdc_field *fd,
		      struct cdc_err *err)
{
	struct cdc_buf raw = CDC_BUF_INIT;
	char reason[256];
	int rc = image_of_row(&pr->b->rows, e->row, cdc_buf_str(&pr->m->db_table), &raw, err);

	snprintf(reason, sizeof(reason),
		 "column \"%.*s\" is NOT NULL, and the key of this partial update has no row",
		 (int)fd->name.n, fd->name.p);
	e->dropped = true;
	if (!rc)
		rc = merge_reject(pr->m, reason, e->place, cdc_buf_str(&raw), err);
	cdc_buf_free(&raw);
	return rc;
}

/* NOT NULL columns that neither the image nor a stored row gave. */
static int check_row(struct probe *pr, struct entry *e, struct cdc_err *err)
{
	const struct cdc_rows *r = &pr->b->rows;

	if (e->row == NO_INDEX || e->dropped)
		return CDC_OK;
	if (pr->m->opt.insert_only && e->matches) {
		e->dropped = true;
		return CDC_OK;
	}
	for (int f = 0; e->has_unknown && f < r->schema->num_fields; f++) {
		const struct cdc_field *fd = &r->schema->field[f];

		if (!fd->nullable && r->column[f].cell[e->row] == CDC_CELL_UNKNOWN)
			return reject_row(pr, e, fd, err);
	}
	return CDC_OK;
}

/* Stored rows of entries that were dropped stay. */
static void forget_dropped(struct probe *pr)
{
	size_t kept_files = 0;

	for (size_t i = 0; i < pr->p->n; i++) {
		struct touched *t = &pr->p->touched[i];
		size_t kept = 0;

		for (size_t k = 0; k < t->n; k++) {
			const struct entry *e = &pr->b->entry[t->match[k].entry];

			if (!e->dropped && !pr->m->opt.insert_only)
				t->match[kept++] = t->match[k];
		}
		t->n = kept;
		if (t->n || t->remove_only)
			pr->p->touched[kept_files++] = *t;
		else
			drop_touched(t);
	}
	pr->p->n = kept_files;
}

static int choose_ways(struct probe *pr, struct cdc_err *err)
{
	bool has_dv = cdc_protocol_has_feature(&pr->s->protocol, "deletionVectors");
	struct cdc_str v;
	bool enabled = has_dv &&
		       cdc_metadata_config(&pr->s->metadata, "delta.enableDeletionVectors", &v) &&
		       cdc_str_ieq(v, CDC_STR("true"));
	enum cdc_merge_mode mode = pr->m->opt.mode;

	if (mode == CDC_MERGE_DV && !enabled)
		return cdc_fail(err, CDC_EUSAGE,
				"--mode dv: the table has no deletion vectors "
				"(delta.enableDeletionVectors is not true)");
	for (size_t i = 0; i < pr->p->n; i++) {
		struct touched *t = &pr->p->touched[i];
		uint64_t gone = t->n + (t->dv ? cdc_dv_count(t->dv) : 0);

		if (gone >= t->rows)
			t->remove_only = true;
		else if (!enabled || mode == CDC_MERGE_COW)
			t->rewrite = true;
		else if (mode == CDC_MERGE_AUTO)
			t->rewrite = t->add->size_bytes <= SMALL_FILE_BYTES ||
				     gone * 100 >= t->rows * REWRITE_PERCENT;
	}
	return CDC_OK;
}

static void count_rows(struct probe *pr)
{
	struct cdc_merge_result *r = &pr->p->result;
	uint64_t removed = 0, written = 0;

	for (size_t i = 0; i < pr->p->n; i++) {
		const struct touched *t = &pr->p->touched[i];
		uint64_t dv = t->add->dv.storage ? (uint64_t)t->add->dv.cardinality : 0;

		removed += pr->b->truncated ? t->rows - (dv < t->rows ? dv : t->rows) : t->n;
	}
	for (uint32_t i = 0; i < pr->b->n; i++) {
		const struct entry *e = &pr->b->entry[i];

		if (e->row == NO_INDEX || e->dropped)
			continue;
		written++;
		r->updated += !pr->m->opt.insert_only && (e->matches || e->base_found);
	}
	r->inserted = written - r->updated;
	r->deleted = removed - r->updated;
	r->records = pr->b->records;
}

/* Undo what an earlier, lost attempt left in the entries. */
static void reset_entries(struct batch *b)
{
	for (uint32_t i = 0; i < b->n; i++) {
		struct entry *e = &b->entry[i];

		e->matches = 0;
		e->base_found = false;
		e->placed = false;
		for (int f = 0; e->has_unknown && f < b->rows.schema->num_fields; f++) {
			uint8_t *cell = &b->rows.column[f].cell[e->row];

			if (*cell >= CDC_CELL_KEPT_VALUE)
				*cell = CDC_CELL_UNKNOWN;
		}
	}
}

int probe_table(struct cdc_merge *m, struct batch *b, struct plan *p, struct cdc_err *err)
{
	struct probe pr = { .m = m, .b = b, .p = p, .s = m->target.snapshot };
	int rc;

	*p = (struct plan){ .result = { .version = -1 } };
	reset_entries(b);
	if (b->truncated)
		rc = take_all_files(&pr, err);
	else
		rc = seen_none(&m->seen, b) ? CDC_OK : probe_files(&pr, err);
	for (uint32_t i = 0; !rc && i < b->n; i++)
		rc = check_row(&pr, &b->entry[i], err);
	if (!rc) {
		forget_dropped(&pr);
		if (!b->truncated)
			rc = choose_ways(&pr, err);
	}
	if (!rc)
		count_rows(&pr);
	cdc_arena_free(&pr.arena);
	cdc_buf_free(&pr.key);
	return rc;
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		drop_touched(&p->touched[i]);
	free(p->touched);
	*p = (struct plan){ .n = 0 };
}
