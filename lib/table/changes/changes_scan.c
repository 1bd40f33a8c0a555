/*
 * The rows of a commit that one side has, file after file. See changes_int.h.
 *
 * Where only a few rows of a file count, the stretches between them are passed over undecoded.
 */
#include "table/changes/changes_int.h"

#include <stdlib.h>

struct changes_scan {
	const struct cdc_io *io;
	struct changes_view *view;
	const struct changes_file *file; /* next one */
	const struct changes_file *end;
	enum changes_side side;
	/* the open file */
	bool feed;
	struct cdc_datafile *df;
	struct cdc_datafile_scan *rows;
	struct cdc_dv *only;
	struct cdc_dv *except;
	int32_t group;
	uint64_t group_left; /* rows of the row group that are still to come */
	uint64_t at; /* rows passed */
	/* the batch */
	struct cdc_batch batch;
	uint32_t row; /* next */
	uint8_t keep[CDC_BATCH_ROWS];
};

int changes_scan_new(struct changes_scan **out, const struct cdc_io *io, struct changes_view *v,
		     const struct changes_set *set, enum changes_side side, struct cdc_err *err)
{
	struct changes_scan *s = calloc(1, sizeof(*s));

	if (!s)
		return cdc_fail_nomem(err);
	s->io = io;
	s->view = v;
	s->side = side;
	s->file = set->file[side];
	s->end = s->file + set->num_files[side];
	*out = s;
	return CDC_OK;
}

static void close_file(struct changes_scan *s)
{
	cdc_datafile_scan_free(s->rows);
	cdc_datafile_close(s->df);
	cdc_dv_free(s->only);
	cdc_dv_free(s->except);
	s->rows = NULL;
	s->df = NULL;
	s->only = s->except = NULL;
	s->batch.rows = s->row = 0;
}

void changes_scan_free(struct changes_scan *s)
{
	if (!s)
		return;
	close_file(s);
	free(s);
}

static int open_file(struct changes_scan *s, struct cdc_err *err)
{
	const struct changes_file *f = s->file++;
	const struct cdc_snapshot *as = f->feed ? &s->view->feed : s->view->s;
	int rc = cdc_datafile_open(&s->df, s->io, as, f->add, err);

	if (!rc && f->only)
		rc = cdc_dv_load(&s->only, s->io, as->table, as->allow_external, f->only, err);
	if (!rc && f->except)
		rc = cdc_dv_load(&s->except, s->io, as->table, as->allow_external, f->except, err);
	if (!rc && f->feed && cdc_datafile_leaf(s->df, as->schema.num_fields - 1) < 0)
		rc = cdc_fail(err, CDC_ECORRUPT,
			      "file of change rows %.*s has no column _change_type",
			      (int)(f->add->path.n > 300 ? 300 : f->add->path.n), f->add->path.p);
	if (!rc)
		rc = cdc_datafile_scan_new(&s->rows, s->df, NULL, as->schema.num_fields, err);
	s->feed = f->feed;
	s->group = -1;
	s->group_left = 0;
	s->at = 0;
	return rc;
}

/* Which of n rows from s->at on count; how many. */
static uint32_t choose(struct changes_scan *s, uint32_t n)
{
	uint8_t marked[CDC_BATCH_ROWS];
	uint32_t count = 0;

	memset(s->keep, 1, n);
	if (s->except)
		(void)cdc_dv_mask(s->except, s->at, n, s->keep);
	if (s->only) {
		memset(marked, 1, n);
		(void)cdc_dv_mask(s->only, s->at, n, marked);
		for (uint32_t i = 0; i < n; i++)
			s->keep[i] = (uint8_t)(s->keep[i] & !marked[i]);
	}
	for (uint32_t i = 0; i < n; i++)
		count += s->keep[i];
	return count;
}

/* -1: not one of the four. */
static int side_of(struct cdc_str type)
{
	if (cdc_str_eqz(type, "insert") || cdc_str_eqz(type, "update_postimage"))
		return CHANGES_NEW;
	if (cdc_str_eqz(type, "delete") || cdc_str_eqz(type, "update_preimage"))
		return CHANGES_OLD;
	return -1;
}

static int choose_by_type(struct changes_scan *s, struct cdc_err *err)
{
	const struct cdc_column *c = &s->batch.column[s->batch.num_columns - 1];
	const struct cdc_str *type = c->values;

	for (uint32_t i = 0; i < s->batch.rows; i++) {
		int side = cdc_column_is_null(c, i) ? -1 : side_of(type[i]);

		if (side < 0)
			return cdc_fail(
				err, CDC_ECORRUPT, "a change row with _change_type \"%.*s\"",
				(int)(type[i].n > 64 ? 64 : type[i].n), type[i].n ? type[i].p : "");
		s->keep[i] = side == (int)s->side;
	}
	return CDC_OK;
}

/* The next batch with rows that count; CDC_END at the end of the file. */
static int next_batch(struct changes_scan *s, struct cdc_err *err)
{
	for (;;) {
		uint32_t n, count;
		int rc;

		if (s->io->interrupted(s->io->ctx))
			return cdc_fail(err, CDC_EINTR, "interrupted");
		while (!s->group_left) {
			if (++s->group >= cdc_datafile_row_groups(s->df))
				return CDC_END;
			s->group_left = cdc_datafile_row_group_rows(s->df, s->group);
		}
		n = s->group_left < CDC_BATCH_ROWS ? (uint32_t)s->group_left : CDC_BATCH_ROWS;
		count = choose(s, n);
		rc = count ? cdc_datafile_scan_next(s->rows, &s->batch, err)
			   : cdc_datafile_scan_skip(s->rows, n, err);
		if (!rc && count && s->batch.rows > n)
			rc = cdc_fail(err, CDC_EINTERNAL, "a batch past the end of a row group");
		if (!rc && count)
			n = s->batch.rows;
		s->group_left -= n;
		s->at += n;
		if (rc || !count)
			s->batch.rows = 0;
		if (!rc && count && s->feed)
			rc = choose_by_type(s, err);
		s->row = 0;
		if (rc || count)
			return rc;
	}
}

int changes_scan_next(struct changes_scan *s, const struct cdc_batch **b, uint32_t *row,
		      struct cdc_err *err)
{
	for (;;) {
		int rc = CDC_OK;

		while (s->row < s->batch.rows)
			if (s->keep[s->row++]) {
				*b = &s->batch;
				*row = s->row - 1;
				return CDC_OK;
			}
		if (!s->rows) {
			if (s->file == s->end)
				return CDC_END;
			rc = open_file(s, err);
		}
		if (!rc)
			rc = next_batch(s, err);
		if (rc == CDC_END)
			close_file(s);
		else if (rc)
			return rc;
	}
}
