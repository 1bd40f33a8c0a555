/*
 * The live rows of a table: file after file, without what deletion vectors mark and a filter does
 * not let through. See scan.h.
 */
#include "table/scan/scan.h"

#include "table/batch/batch_gather.h"
#include "table/scan/scan_filtered.h"

#include <stdlib.h>

struct cdc_scan {
	const struct cdc_io *io;
	const struct cdc_snapshot *snapshot;
	int *field;
	int num_fields;
	const struct cdc_add *const *list; /* files to scan; NULL: the snapshot's */
	size_t num_files;
	size_t next_file;
	struct cdc_datafile *file;
	struct cdc_datafile_scan *rows; /* of the open file, or with a filter: */
	struct cdc_filtered *filtered;
	struct cdc_dv *dv; /* of the open file; NULL: none */
	struct cdc_filter *where; /* NULL: none */
	struct cdc_skip *skip; /* with `where` */
	struct cdc_filtered_counts counts;
	uint64_t files_skipped;
	uint8_t keep[CDC_BATCH_ROWS];
	uint32_t live[CDC_BATCH_ROWS]; /* rows of the batch that stay */
	struct cdc_gather *gather; /* batches that lost rows */
};

int cdc_scan_new(struct cdc_scan **out, const struct cdc_io *io,
		 const struct cdc_snapshot *snapshot, const struct cdc_scan_options *opt,
		 struct cdc_err *err)
{
	struct cdc_scan *s = calloc(1, sizeof(*s));
	bool all = !opt || !opt->columns;
	int rc;

	if (!s)
		return cdc_fail_nomem(err);
	s->io = io;
	s->snapshot = snapshot;
	s->list = opt ? opt->file : NULL;
	s->num_files = s->list ? opt->num_files : snapshot->num_adds;
	s->num_fields = all ? snapshot->schema.num_fields : opt->num_columns;
	s->where = opt ? opt->where : NULL;
	s->field = calloc((size_t)s->num_fields + 1, sizeof(*s->field));
	rc = s->field ? cdc_gather_new(&s->gather, s->num_fields, err) : cdc_fail_nomem(err);
	if (rc == CDC_OK && s->where)
		rc = cdc_skip_new(&s->skip, s->where, snapshot, err);
	if (rc < 0) {
		cdc_scan_free(s);
		return rc;
	}
	for (int i = 0; i < s->num_fields; i++)
		s->field[i] = all ? i : opt->columns[i];
	*out = s;
	return CDC_OK;
}

static void close_file(struct cdc_scan *s)
{
	cdc_datafile_scan_free(s->rows);
	cdc_filtered_free(s->filtered);
	cdc_datafile_close(s->file);
	cdc_dv_free(s->dv);
	s->rows = NULL;
	s->filtered = NULL;
	s->file = NULL;
	s->dv = NULL;
}

void cdc_scan_free(struct cdc_scan *s)
{
	if (!s)
		return;
	close_file(s);
	cdc_skip_free(s->skip);
	cdc_gather_free(s->gather);
	free(s->field);
	free(s);
}

static int open_file(struct cdc_scan *s, const struct cdc_add *add, struct cdc_err *err)
{
	bool skip = false;
	int rc = s->where ? cdc_skip_file(s->skip, add, &skip, err) : CDC_OK;

	s->files_skipped += skip;
	if (rc < 0 || skip)
		return rc;
	rc = cdc_datafile_open(&s->file, s->io, s->snapshot, add, err);
	if (rc == CDC_OK && add->dv.storage)
		rc = cdc_dv_load(&s->dv, s->io, s->snapshot->table, s->snapshot->allow_external,
				 &add->dv, err);
	if (rc == CDC_OK && s->where)
		rc = cdc_filtered_new(&s->filtered, s->file, s->where, s->skip, s->field,
				      s->num_fields, &s->counts, err);
	else if (rc == CDC_OK)
		rc = cdc_datafile_scan_new(&s->rows, s->file, s->field, s->num_fields, err);
	return rc;
}

/* Drop the rows that `keep` does not mark. */
static int keep_rows(struct cdc_scan *s, struct cdc_batch *b, struct cdc_err *err)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->rows; i++) {
		s->live[n] = i;
		n += s->keep[i];
	}
	if (n == b->rows)
		return CDC_OK;
	b->rows = n;
	return n ? cdc_gather_rows(s->gather, b, s->live, n, err) : CDC_OK;
}

/* Drop the rows that the deletion vector marks. Where it marks none the batch passes as it is. */
static int apply_dv(struct cdc_scan *s, struct cdc_batch *b, struct cdc_err *err)
{
	if (!s->dv)
		return CDC_OK;
	memset(s->keep, 1, b->rows);
	if (!cdc_dv_mask(s->dv, b->first_row, b->rows, s->keep))
		return CDC_OK;
	return keep_rows(s, b, err);
}

/* The next batch of the open file; it may be without rows. */
static int next_batch(struct cdc_scan *s, struct cdc_batch *out, struct cdc_err *err)
{
	uint32_t kept;
	int rc;

	if (!s->filtered) {
		rc = cdc_datafile_scan_next(s->rows, out, err);
		return rc == CDC_OK ? apply_dv(s, out, err) : rc;
	}
	rc = cdc_filtered_next(s->filtered, s->dv, out, s->keep, &kept, err);
	if (rc == CDC_OK && kept)
		return keep_rows(s, out, err);
	out->rows = 0;
	return rc;
}

static const struct cdc_add *next_file(struct cdc_scan *s)
{
	size_t i = s->next_file++;

	return s->list ? s->list[i] : &s->snapshot->add[i];
}

int cdc_scan_next(struct cdc_scan *s, struct cdc_batch *out, struct cdc_err *err)
{
	for (;;) {
		int rc;

		if (s->io->interrupted(s->io->ctx))
			return cdc_fail(err, CDC_EINTR, "interrupted");
		if (!s->rows && !s->filtered) {
			close_file(s);
			if (s->next_file == s->num_files)
				return CDC_END;
			rc = open_file(s, next_file(s), err);
			if (rc < 0)
				return rc;
			if (!s->file)
				continue;
		}
		rc = next_batch(s, out, err);
		if (rc == CDC_END) {
			close_file(s);
			continue;
		}
		if (rc < 0 || out->rows)
			return rc;
	}
}

struct cdc_scan_counts cdc_scan_counts(const struct cdc_scan *s)
{
	return (struct cdc_scan_counts){ .files_skipped = s->files_skipped,
					 .row_groups_skipped = s->counts.row_groups_skipped,
					 .rows_skipped = s->counts.rows_skipped,
					 .rows_tested = s->counts.rows_tested };
}
