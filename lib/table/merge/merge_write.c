/*
 * The files of a merge: rewritten ones, new ones, deletion vectors. See merge_internal.h.
 *
 * A rewritten file keeps its rows in their order, with changed rows in place of the old ones where
 * the partition is the same, so that a table that was clustered by key stays so. What has no place
 * follows in the last rewritten file of its partition, or in a new one.
 */
#include "delta/row_tracking.h"
#include "table/merge/merge_internal.h"

#include <stdlib.h>

struct writing {
	struct cdc_merge *m;
	struct batch *b;
	struct plan *p;
	struct outcome *o;
	const struct cdc_snapshot *s;
	struct cdc_tracked_table tracked; /* what files are read and written by */
	struct groups groups;
	struct gather g;
};

/* ------------------------------------------------------------------ gathering rows */

static int flush(struct writing *w, struct cdc_err *err)
{
	return gather_flush(&w->g, w->o->writer, err);
}

static int put_row(struct writing *w, const struct entry *e, struct cdc_err *err)
{
	union cdc_value id = { .i = e->row_id };

	if (gather_row(&w->g, &w->b->rows, e->row, err))
		return err->code;
	if (w->tracked.num_columns && e->row_id >= 0)
		gather_extra(&w->g, 0, &id);
	return w->g.n == CDC_BATCH_ROWS ? flush(w, err) : CDC_OK;
}

/* Strings of stored rows are borrowed: flush before the next batch is read. */
static int put_stored(struct writing *w, const struct cdc_batch *rows, uint32_t i, uint32_t n,
		      struct cdc_err *err)
{
	while (n) {
		uint32_t room = CDC_BATCH_ROWS - w->g.n;
		uint32_t take = n < room ? n : room;

		if (gather_stored(&w->g, rows, i, take, err))
			return err->code;
		i += take;
		n -= take;
		if (w->g.n == CDC_BATCH_ROWS && flush(w, err))
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

	if (w->groups.of_entry[entry] != rw->group || e->placed)
		return CDC_OK;
	e->placed = true;
	return put_row(w, e, err);
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
		if (w->g.n && flush(w, err))
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
		if (put_stored(w, rows, i, run, err))
			return err->code;
		i += run ? run : 1;
	}
	/* What was gathered points into this batch. */
	return w->g.n ? flush(w, err) : CDC_OK;
}

/* The rows of a group that found no place in a rewritten file. */
static int write_chain(struct writing *w, struct group *g, struct cdc_err *err)
{
	for (uint32_t i = g->first; i != NO_INDEX; i = w->groups.next[i])
		if (!w->b->entry[i].placed && put_row(w, &w->b->entry[i], err))
			return err->code;
	g->first = NO_INDEX;
	return w->g.n ? flush(w, err) : CDC_OK;
}

static int rewrite_file(struct writing *w, struct touched *t, uint32_t group, struct cdc_err *err)
{
	struct rewrite rw = { .t = t, .group = group };
	struct cdc_datafile *df = NULL;
	struct cdc_datafile_scan *scan = NULL;
	struct cdc_batch rows;
	const struct cdc_io *io = w->m->opt.io;
	int rc = cdc_datafile_open(&df, io, &w->tracked.table, t->add, err);

	if (!rc)
		rc = cdc_datafile_scan_new(&scan, df, NULL, w->tracked.table.schema.num_fields,
					   err);
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

	for (size_t i = 0; i < w->p->n; i++) {
		struct touched *t = &w->p->touched[i];
		uint32_t at = w->groups.of_file[i];
		struct group *g = &w->groups.group[at];

		if (!t->rewrite)
			continue;
		if (cdc_datawriter_begin(w->o->writer, g->value, num, err) ||
		    rewrite_file(w, t, at, err))
			return err->code;
		/* Only files of one partition hold places for its rows: the rest is known now. */
		if (g->last_rewrite == i && write_chain(w, g, err))
			return err->code;
		if (cdc_datawriter_end(w->o->writer, err))
			return err->code;
	}
	return CDC_OK;
}

static int write_rest(struct writing *w, struct cdc_err *err)
{
	int num = w->s->metadata.num_partition_columns;

	for (uint32_t i = 0; i < w->groups.n; i++) {
		struct group *g = &w->groups.group[i];

		if (g->first == NO_INDEX)
			continue;
		if (cdc_datawriter_begin(w->o->writer, g->value, num, err) ||
		    write_chain(w, g, err) || cdc_datawriter_end(w->o->writer, err))
			return err->code;
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ deletion vectors */

/* The rows of the file that are marked already, and those that go now. */
static int union_of(const struct touched *t, struct cdc_dv **dv, struct cdc_err *err)
{
	int rc = cdc_dv_new(dv, err);

	if (!rc && t->dv)
		rc = cdc_dv_union(*dv, t->dv, err);
	for (size_t i = 0; !rc && i < t->n; i++)
		rc = cdc_dv_add(*dv, t->match[i].pos, err);
	return rc;
}

/* The same file with more rows marked. */
static int mark_rows(struct writing *w, struct touched *t, struct cdc_err *err)
{
	struct cdc_buf stats = CDC_BUF_INIT;
	struct cdc_dv *dv = NULL;
	struct outcome *o = w->o;
	int rc = union_of(t, &dv, err);

	if (!rc && !o->dv_writer)
		rc = cdc_dv_writer_new(&o->dv_writer, w->m->opt.io, w->s->table, err);
	t->new_dv = (struct cdc_dv_ref){ .storage = 0 };
	if (!rc)
		rc = cdc_dv_writer_add(o->dv_writer, dv, &t->new_dv, &o->arena, err);
	if (!rc)
		rc = cdc_stats_loosen(t->add->stats, (int64_t)t->rows, &stats, err);
	if (!rc) {
		t->new_stats = cdc_str(cdc_arena_dup(&o->arena, stats.p, stats.len), stats.len);
		if (!t->new_stats.p)
			rc = cdc_fail_nomem(err);
	}
	cdc_dv_free(dv);
	cdc_buf_free(&stats);
	return rc;
}

static int write_vectors(struct writing *w, struct cdc_err *err)
{
	struct outcome *o = w->o;

	for (size_t i = 0; i < w->p->n; i++) {
		struct touched *t = &w->p->touched[i];

		t->new_dv.storage = 0;
		if (t->n && !t->rewrite && !t->remove_only && mark_rows(w, t, err))
			return err->code;
	}
	if (!o->dv_writer)
		return CDC_OK;
	if (cdc_dv_writer_finish(o->dv_writer, err))
		return err->code;
	return cdc_io_sync_dir(w->m->opt.io, w->s->table, err);
}

/* ------------------------------------------------------------------ actions */

int outcome_actions(struct cdc_merge *m, struct plan *p, struct outcome *o, struct cdc_err *err)
{
	size_t new_files = 0;
	const struct cdc_add *added = cdc_datawriter_adds(o->writer, &new_files);
	struct cdc_merge_result *r = &p->result;
	int64_t now_ms = m->opt.io->now_us(m->opt.io->ctx) / 1000;
	int64_t mark;

	cdc_arena_reset(&o->actions);
	o->add = cdc_arena_calloc(&o->actions, new_files + p->n + 1, sizeof(*o->add));
	o->remove = cdc_arena_calloc(&o->actions, p->n + 1, sizeof(*o->remove));
	o->num_adds = o->num_removes = 0;
	if (!o->add || !o->remove)
		return cdc_fail_nomem(err);
	r->files_removed = r->bytes_removed = r->dvs_added = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct touched *t = &p->touched[i];

		if (!t->n && !t->remove_only)
			continue;
		cdc_remove_of(t->add, now_ms, true, &o->remove[o->num_removes++]);
		if (t->new_dv.storage) {
			struct cdc_add *a = &o->add[o->num_adds++];

			*a = *t->add;
			a->data_change = true;
			a->dv = t->new_dv;
			a->stats = t->new_stats;
			r->dvs_added++;
		} else {
			r->files_removed++;
			r->bytes_removed += (uint64_t)t->add->size_bytes;
		}
	}
	for (size_t i = 0; i < new_files; i++)
		o->add[o->num_adds++] = added[i];
	r->files_added = new_files;
	r->bytes_added = cdc_datawriter_bytes(o->writer);
	if (cdc_row_tracking_mark(m->target.snapshot, &mark, err))
		return err->code;
	return cdc_row_tracking_assign(m->target.snapshot, mark, m->target.snapshot->version + 1,
				       o->add, o->num_adds, &o->domain, &o->has_domain, &o->actions,
				       err);
}

static int open_writer(struct writing *w, struct cdc_err *err)
{
	struct cdc_datawriter_options opt = { .data_change = true,
					      .extra = w->tracked.column,
					      .num_extra = w->tracked.num_columns };

	opt.target_bytes = w->m->opt.target_file_bytes;
	if (!opt.target_bytes)
		opt.target_bytes =
			(uint64_t)cdc_snapshot_config_size(w->s, "delta.targetFileSize", 0);
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
	rc = cdc_tracked_table_init(&w.tracked, w.s, err);
	o->tracks_rows = w.tracked.num_columns > 0;
	if (!rc)
		rc = open_writer(&w, err);
	if (!rc)
		rc = gather_init(&w.g, &w.s->schema, w.tracked.column, w.tracked.num_columns,
				 &o->arena, err);
	if (!rc)
		rc = groups_make(&w.groups, m, b, p, err);
	if (!rc)
		rc = write_feed(m, b, p, &w.groups, o, err);
	if (!rc)
		rc = rewrite_files(&w, err);
	if (!rc)
		rc = write_rest(&w, err);
	if (!rc)
		rc = write_vectors(&w, err);
	if (!rc)
		rc = cdc_datawriter_sync(o->writer, err);
	gather_free(&w.g);
	groups_free(&w.groups);
	cdc_tracked_table_free(&w.tracked);
	return rc;
}

void outcome_free(struct outcome *o, struct cdc_merge *m, bool keep_files)
{
	const struct cdc_io *io = m->opt.io;

	if (o->dv_writer && !keep_files)
		io->unlink(io->ctx, cdc_dv_writer_path(o->dv_writer));
	cdc_dv_writer_free(o->dv_writer);
	cdc_datawriter_free(o->writer, keep_files);
	cdc_datawriter_free(o->feed, keep_files);
	cdc_arena_free(&o->arena);
	cdc_arena_free(&o->actions);
	*o = (struct outcome){ .num_adds = 0 };
}
