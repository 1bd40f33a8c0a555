/*
 * The files of a merge: rewritten ones, new ones, deletion vectors. See merge_internal.h.
 *
 * A rewritten file keeps its rows in their order, with changed rows in place of the old ones where
 * the partition is the same, so that a table that was clustered by key stays so. What has no place
 * follows in the last rewritten file of its partition, or in a new one.
 */
#include "table/merge_internal.h"

#include <stdlib.h>

/* Rows of one partition that have no place in a rewritten file. */
struct group {
	struct cdc_str text; /* the values, length-prefixed: what makes groups equal */
	struct cdc_kv *value;
	uint32_t first; /* entry, chained by writing.next */
	uint32_t last;
	size_t last_rewrite; /* touched file that takes them, SIZE_MAX: none */
};

/* Rows gathered for the writer. */
struct gather {
	struct cdc_column *column;
	void **values;
	uint8_t **valid;
	uint32_t n;
};

struct writing {
	struct cdc_merge *m;
	struct batch *b;
	struct plan *p;
	struct outcome *o;
	const struct cdc_snapshot *s;
	struct group *group;
	uint32_t num_groups;
	uint32_t cap_groups;
	struct cdc_map group_map;
	uint32_t *next; /* entry -> next entry of its group */
	uint32_t *group_of; /* entry -> group */
	struct gather g;
	struct cdc_buf text;
	struct cdc_buf scratch;
};

/* ------------------------------------------------------------------ partitions */

static int put_part(struct cdc_buf *b, struct cdc_str v, struct cdc_err *err)
{
	uint64_t n = v.p ? v.n : UINT64_MAX;

	if (cdc_buf_append(b, &n, sizeof(n), err))
		return err->code;
	return v.p ? cdc_buf_put(b, v, err) : CDC_OK;
}

/* The group of the partition values, made if it is new. */
static int find_group(struct writing *w, const struct cdc_kv *value, uint32_t *index,
		      struct cdc_err *err)
{
	int n = w->s->metadata.num_partition_columns;
	struct cdc_map_iter it;
	struct group *g;
	uint64_t hash;

	cdc_buf_reset(&w->text);
	for (int i = 0; i < n; i++)
		if (put_part(&w->text, value[i].value, err))
			return err->code;
	hash = cdc_hash64(w->text.p, w->text.len);
	it = cdc_map_seek(&w->group_map, hash);
	while (cdc_map_next(&w->group_map, &it, index))
		if (cdc_str_eq(w->group[*index].text, cdc_buf_str(&w->text)))
			return CDC_OK;
	if (w->num_groups == w->cap_groups) {
		uint32_t cap = w->cap_groups ? w->cap_groups * 2 : 16;

		g = realloc(w->group, cap * sizeof(*g));
		if (!g)
			return cdc_fail_nomem(err);
		w->group = g;
		w->cap_groups = cap;
	}
	g = &w->group[w->num_groups];
	*g = (struct group){ .first = NO_INDEX, .last = NO_INDEX, .last_rewrite = SIZE_MAX };
	g->text = cdc_str(cdc_arena_dup(&w->o->arena, w->text.p, w->text.len), w->text.len);
	g->value = cdc_arena_calloc(&w->o->arena, (size_t)n + 1, sizeof(*g->value));
	if (!g->text.p || !g->value)
		return cdc_fail_nomem(err);
	for (int i = 0; i < n; i++) {
		g->value[i] = value[i];
		if (value[i].value.p)
			g->value[i].value.p =
				cdc_arena_dup(&w->o->arena, value[i].value.p, value[i].value.n);
	}
	*index = w->num_groups++;
	return cdc_map_insert(&w->group_map, hash, *index, err);
}

/* Partition values of a stored file, in the order of the partition columns. */
static int group_of_file(struct writing *w, const struct cdc_add *add, uint32_t *index,
			 struct cdc_err *err)
{
	const struct cdc_metadata *meta = &w->s->metadata;
	struct cdc_kv *value = cdc_arena_calloc(
		&w->o->arena, (size_t)meta->num_partition_columns + 1, sizeof(*value));

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
static int group_of_row(struct writing *w, uint32_t row, uint32_t *index, struct cdc_err *err)
{
	const struct cdc_metadata *meta = &w->s->metadata;
	const struct cdc_rows *r = &w->b->rows;
	struct cdc_kv value[64];
	size_t end[64];

	if (meta->num_partition_columns > 64)
		return cdc_fail(err, CDC_EUNSUPPORTED, "more than 64 partition columns");
	cdc_buf_reset(&w->scratch);
	for (int i = 0; i < meta->num_partition_columns; i++) {
		int f = cdc_schema_find(&w->s->schema, meta->partition_column[i]);
		const struct cdc_field *fd = &w->s->schema.field[f];

		value[i] = (struct cdc_kv){ .key = fd->physical_name };
		if (cdc_cell_has_value(r->column[f].cell[row])) {
			union cdc_value v = cdc_value_load(fd->type, r->column[f].values, row);

			if (cdc_partition_format(fd, &v, &w->scratch, err))
				return err->code;
		}
		end[i] = w->scratch.len;
	}
	for (int i = 0; i < meta->num_partition_columns; i++) {
		size_t start = i ? end[i - 1] : 0;

		/* An empty value is null in Delta. */
		if (end[i] > start)
			value[i].value = cdc_str(w->scratch.p + start, end[i] - start);
	}
	return find_group(w, value, index, err);
}

static int group_rows(struct writing *w, struct cdc_err *err)
{
	size_t n = (size_t)w->b->n + 1;

	w->next = malloc(n * sizeof(*w->next));
	w->group_of = malloc(n * sizeof(*w->group_of));
	if (!w->next || !w->group_of)
		return cdc_fail_nomem(err);
	for (uint32_t i = 0; i < w->b->n; i++) {
		const struct entry *e = &w->b->entry[i];

		w->next[i] = NO_INDEX;
		w->group_of[i] = NO_INDEX;
		if (e->row == NO_INDEX || e->dropped)
			continue;
		if (group_of_row(w, e->row, &w->group_of[i], err))
			return err->code;
	}
	return CDC_OK;
}

/* Chain the new rows of each group, in the order of the entries. */
static void chain_rows(struct writing *w)
{
	for (uint32_t i = 0; i < w->b->n; i++) {
		struct group *g;

		if (w->group_of[i] == NO_INDEX)
			continue;
		g = &w->group[w->group_of[i]];
		if (g->first == NO_INDEX)
			g->first = i;
		else
			w->next[g->last] = i;
		g->last = i;
	}
}

/* ------------------------------------------------------------------ gathering rows */

static int gather_init(struct gather *g, const struct cdc_schema *s, struct cdc_arena *a,
		       struct cdc_err *err)
{
	size_t n = (size_t)s->num_fields + 1;

	g->column = cdc_arena_calloc(a, n, sizeof(*g->column));
	g->values = cdc_arena_calloc(a, n, sizeof(*g->values));
	g->valid = cdc_arena_calloc(a, n, sizeof(*g->valid));
	if (!g->column || !g->values || !g->valid)
		return cdc_fail_nomem(err);
	for (int f = 0; f < s->num_fields; f++) {
		g->values[f] = cdc_arena_calloc(a, CDC_BATCH_ROWS, cdc_type_size(s->field[f].type));
		g->valid[f] = cdc_arena_calloc(a, CDC_BATCH_ROWS, 1);
		if (!g->values[f] || !g->valid[f])
			return cdc_fail_nomem(err);
		g->column[f] = (struct cdc_column){ .field = &s->field[f],
						    .values = g->values[f],
						    .valid = g->valid[f] };
	}
	g->n = 0;
	return CDC_OK;
}

static int gather_flush(struct writing *w, struct cdc_err *err)
{
	struct cdc_batch out = { .rows = w->g.n,
				 .num_columns = w->s->schema.num_fields,
				 .column = w->g.column };

	w->g.n = 0;
	return cdc_datawriter_write(w->o->writer, &out, err);
}

static int gather_row(struct writing *w, uint32_t row, struct cdc_err *err)
{
	const struct cdc_rows *r = &w->b->rows;
	uint32_t at = w->g.n;

	for (int f = 0; f < r->schema->num_fields; f++) {
		const struct cdc_rows_column *c = &r->column[f];

		memcpy((char *)w->g.values[f] + at * c->size, c->values + (size_t)row * c->size,
		       c->size);
		w->g.valid[f][at] = cdc_cell_has_value(c->cell[row]);
	}
	w->g.n++;
	return w->g.n == CDC_BATCH_ROWS ? gather_flush(w, err) : CDC_OK;
}

/* Rows i .. i+n-1 of a stored batch. Strings are borrowed: flush before the next batch is read. */
static int gather_stored(struct writing *w, const struct cdc_batch *rows, uint32_t i, uint32_t n,
			 struct cdc_err *err)
{
	while (n) {
		uint32_t room = CDC_BATCH_ROWS - w->g.n;
		uint32_t take = n < room ? n : room;

		for (int f = 0; f < w->s->schema.num_fields; f++) {
			const struct cdc_column *c = &rows->column[f];
			size_t size = cdc_type_size(c->field->type);

			memcpy((char *)w->g.values[f] + w->g.n * size,
			       (const char *)c->values + i * size, take * size);
			if (c->valid)
				memcpy(w->g.valid[f] + w->g.n, c->valid + i, take);
			else
				memset(w->g.valid[f] + w->g.n, 1, take);
		}
		w->g.n += take;
		i += take;
		n -= take;
		if (w->g.n == CDC_BATCH_ROWS && gather_flush(w, err))
			return err->code;
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ rewriting */

struct rewrite {
	struct touched *t;
	uint32_t group;
	size_t next_match;
};

/* One stored row whose key is in the batch: its successor, or nothing. */
static int replace_row(struct writing *w, struct rewrite *rw, uint32_t entry, struct cdc_err *err)
{
	struct entry *e = &w->b->entry[entry];

	if (w->group_of[entry] != rw->group || e->placed)
		return CDC_OK;
	e->placed = true;
	return gather_row(w, e->row, err);
}

static int rewrite_batch(struct writing *w, struct rewrite *rw, const struct cdc_batch *rows,
			 struct cdc_err *err)
{
	const struct touched *t = rw->t;
	uint64_t end = rows->first_row + rows->rows;
	uint8_t keep[CDC_BATCH_ROWS];
	bool whole = rw->next_match >= t->n || t->match[rw->next_match].pos >= end;
	uint32_t i = 0;

	memset(keep, 1, rows->rows);
	if (t->dv && cdc_dv_mask(t->dv, rows->first_row, rows->rows, keep))
		whole = false;
	if (whole) {
		w->p->result.copied += rows->rows;
		if (w->g.n && gather_flush(w, err))
			return err->code;
		return cdc_datawriter_write(w->o->writer, rows, err);
	}
	while (i < rows->rows) {
		uint32_t run = 0;

		if (rw->next_match < t->n && t->match[rw->next_match].pos == rows->first_row + i) {
			if (replace_row(w, rw, t->match[rw->next_match++].entry, err))
				return err->code;
			i++;
			continue;
		}
		while (i + run < rows->rows && keep[i + run] &&
		       !(rw->next_match < t->n &&
			 t->match[rw->next_match].pos == rows->first_row + i + run))
			run++;
		w->p->result.copied += run;
		if (gather_stored(w, rows, i, run, err))
			return err->code;
		i += run ? run : 1;
	}
	/* What was gathered points into this batch. */
	return w->g.n ? gather_flush(w, err) : CDC_OK;
}

/* The rows of a group that found no place in a rewritten file. */
static int write_chain(struct writing *w, struct group *g, struct cdc_err *err)
{
	for (uint32_t i = g->first; i != NO_INDEX; i = w->next[i])
		if (!w->b->entry[i].placed && gather_row(w, w->b->entry[i].row, err))
			return err->code;
	g->first = NO_INDEX;
	return w->g.n ? gather_flush(w, err) : CDC_OK;
}

static int rewrite_file(struct writing *w, struct touched *t, uint32_t group, struct cdc_err *err)
{
	struct rewrite rw = { .t = t, .group = group };
	struct cdc_datafile *df = NULL;
	struct cdc_datafile_scan *scan = NULL;
	struct cdc_batch rows;
	const struct cdc_io *io = w->m->opt.io;
	int rc = cdc_datafile_open(&df, io, w->s, t->add, err);

	if (!rc)
		rc = cdc_datafile_scan_new(&scan, df, NULL, w->s->schema.num_fields, err);
	while (!rc) {
		rc = io->interrupted(io->ctx) ? cdc_fail(err, CDC_EINTR, "interrupted")
					      : cdc_datafile_scan_next(scan, &rows, err);
		if (!rc)
			rc = rewrite_batch(w, &rw, &rows, err);
	}
	cdc_datafile_scan_free(scan);
	cdc_datafile_close(df);
	return rc == CDC_END ? CDC_OK : rc;
}

static int rewrite_files(struct writing *w, struct cdc_err *err)
{
	int num = w->s->metadata.num_partition_columns;
	uint32_t *group = cdc_arena_calloc(&w->o->arena, w->p->n + 1, sizeof(*group));

	if (!group)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < w->p->n; i++) {
		if (!w->p->touched[i].rewrite)
			continue;
		if (group_of_file(w, w->p->touched[i].add, &group[i], err))
			return err->code;
		w->group[group[i]].last_rewrite = i;
	}
	for (size_t i = 0; i < w->p->n; i++) {
		struct touched *t = &w->p->touched[i];

		if (!t->rewrite)
			continue;
		if (cdc_datawriter_begin(w->o->writer, w->group[group[i]].value, num, err) ||
		    rewrite_file(w, t, group[i], err))
			return err->code;
		/* Only files of one partition hold places for its rows: the rest is known now. */
		if (w->group[group[i]].last_rewrite == i &&
		    write_chain(w, &w->group[group[i]], err))
			return err->code;
		if (cdc_datawriter_end(w->o->writer, err))
			return err->code;
	}
	return CDC_OK;
}

static int write_rest(struct writing *w, struct cdc_err *err)
{
	int num = w->s->metadata.num_partition_columns;

	for (uint32_t i = 0; i < w->num_groups; i++) {
		struct group *g = &w->group[i];

		if (g->first == NO_INDEX)
			continue;
		if (cdc_datawriter_begin(w->o->writer, g->value, num, err) ||
		    write_chain(w, g, err) || cdc_datawriter_end(w->o->writer, err))
			return err->code;
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ actions */

static int put_match(struct touched *t, struct cdc_err *err)
{
	for (size_t i = 0; i < t->n; i++)
		if (cdc_dv_add(t->dv, t->match[i].pos, err))
			return err->code;
	return CDC_OK;
}

/* The same file with more rows marked. */
static int mark_rows(struct writing *w, struct touched *t, struct cdc_add *add, struct cdc_err *err)
{
	struct cdc_buf stats = CDC_BUF_INIT;
	int rc = t->dv ? CDC_OK : cdc_dv_new(&t->dv, err);

	if (!rc)
		rc = put_match(t, err);
	if (!rc && !w->o->dv_writer)
		rc = cdc_dv_writer_new(&w->o->dv_writer, w->m->opt.io, w->s->table, err);
	*add = *t->add;
	add->data_change = true;
	add->dv = (struct cdc_dv_ref){ .storage = 0 };
	if (!rc)
		rc = cdc_dv_writer_add(w->o->dv_writer, t->dv, &add->dv, &w->o->arena, err);
	if (!rc)
		rc = cdc_stats_loosen(add->stats, (int64_t)t->rows, &stats, err);
	if (!rc) {
		add->stats = cdc_str(cdc_arena_dup(&w->o->arena, stats.p, stats.len), stats.len);
		if (!add->stats.p)
			rc = cdc_fail_nomem(err);
	}
	cdc_buf_free(&stats);
	return rc;
}

static int collect_actions(struct writing *w, struct cdc_err *err)
{
	struct outcome *o = w->o;
	size_t new_files = 0;
	const struct cdc_add *added = cdc_datawriter_adds(o->writer, &new_files);
	struct cdc_merge_result *r = &w->p->result;
	int64_t now_ms = w->m->opt.io->now_us(w->m->opt.io->ctx) / 1000;

	o->add = cdc_arena_calloc(&o->arena, new_files + w->p->n + 1, sizeof(*o->add));
	o->remove = cdc_arena_calloc(&o->arena, w->p->n + 1, sizeof(*o->remove));
	if (!o->add || !o->remove)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < w->p->n; i++) {
		struct touched *t = &w->p->touched[i];

		cdc_remove_of(t->add, now_ms, true, &o->remove[o->num_removes++]);
		if (t->rewrite || t->remove_only) {
			r->files_removed++;
			r->bytes_removed += (uint64_t)t->add->size_bytes;
			continue;
		}
		if (mark_rows(w, t, &o->add[o->num_adds++], err))
			return err->code;
		r->dvs_added++;
	}
	for (size_t i = 0; i < new_files; i++)
		o->add[o->num_adds++] = added[i];
	r->files_added = new_files;
	r->bytes_added = cdc_datawriter_bytes(o->writer);
	return CDC_OK;
}

static int open_writer(struct writing *w, struct cdc_err *err)
{
	struct cdc_datawriter_options opt = { .data_change = true };

	opt.target_bytes = w->m->opt.target_file_bytes;
	if (!opt.target_bytes)
		opt.target_bytes =
			(uint64_t)cdc_snapshot_config_int(w->s, "delta.targetFileSize", 0);
	if (cdc_datawriter_codec(w->s, &opt.codec, err))
		return err->code;
	return cdc_datawriter_new(&w->o->writer, w->m->opt.io, w->s, &opt, err);
}

int write_outcome(struct cdc_merge *m, struct batch *b, struct plan *p, struct outcome *o,
		  struct cdc_err *err)
{
	struct writing w = { .m = m, .b = b, .p = p, .o = o, .s = m->target.snapshot };
	int rc;

	*o = (struct outcome){ .num_adds = 0 };
	rc = open_writer(&w, err);
	if (!rc)
		rc = gather_init(&w.g, &w.s->schema, &o->arena, err);
	if (!rc)
		rc = group_rows(&w, err);
	if (!rc) {
		chain_rows(&w);
		rc = rewrite_files(&w, err);
	}
	if (!rc)
		rc = write_rest(&w, err);
	if (!rc)
		rc = collect_actions(&w, err);
	if (!rc && o->dv_writer)
		rc = cdc_dv_writer_finish(o->dv_writer, err);
	if (!rc && o->dv_writer)
		rc = cdc_io_sync_dir(m->opt.io, m->target.snapshot->table, err);
	if (!rc)
		rc = cdc_datawriter_sync(o->writer, err);
	free(w.group);
	free(w.next);
	free(w.group_of);
	cdc_map_free(&w.group_map);
	cdc_buf_free(&w.text);
	cdc_buf_free(&w.scratch);
	return rc;
}

void outcome_free(struct outcome *o, struct cdc_merge *m, bool keep_files)
{
	const struct cdc_io *io = m->opt.io;

	if (o->dv_writer && !keep_files)
		io->unlink(io->ctx, cdc_dv_writer_path(o->dv_writer));
	cdc_dv_writer_free(o->dv_writer);
	cdc_datawriter_free(o->writer, keep_files);
	cdc_arena_free(&o->arena);
	*o = (struct outcome){ .num_adds = 0 };
}
