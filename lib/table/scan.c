/*
 * The live rows of a table: file after file, without what deletion vectors mark. See scan.h.
 */
#include "table/scan.h"

#include "table/gather.h"

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
	struct cdc_datafile_scan *rows;
	struct cdc_dv *dv; /* of the open file; NULL: none */
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
	size_t n;

	if (!s)
		return cdc_fail_nomem(err);
	s->io = io;
	s->snapshot = snapshot;
	s->list = opt ? opt->file : NULL;
	s->num_files = s->list ? opt->num_files : snapshot->num_adds;
	s->num_fields = all ? snapshot->schema.num_fields : opt->num_columns;
	n = (size_t)s->num_fields + 1;
	s->field = calloc(n, sizeof(*s->field));
	if (!s->field || cdc_gather_new(&s->gather, s->num_fields, err) < 0) {
		cdc_scan_free(s);
		return cdc_fail_nomem(err);
	}
	for (int i = 0; i < s->num_fields; i++)
		s->field[i] = all ? i : opt->columns[i];
	*out = s;
	return CDC_OK;
}

static void close_file(struct cdc_scan *s)
{
	cdc_datafile_scan_free(s->rows);
	cdc_datafile_close(s->file);
	cdc_dv_free(s->dv);
	s->rows = NULL;
	s->file = NULL;
	s->dv = NULL;
}

void cdc_scan_free(struct cdc_scan *s)
{
	if (!s)
		return;
	close_file(s);
	cdc_gather_free(s->gather);
	free(s->field);
	free(s);
}

static int open_file(struct cdc_scan *s, const struct cdc_add *add, struct cdc_err *err)
{
	int rc = cdc_datafile_open(&s->file, s->io, s->snapshot, add, err);

	if (rc == CDC_OK && add->dv.storage)
		rc = cdc_dv_load(&s->dv, s->io, s->snapshot->table, s->snapshot->allow_external,
				 &add->dv, err);
	if (rc == CDC_OK)
		rc = cdc_datafile_scan_new(&s->rows, s->file, s->field, s->num_fields, err);
	return rc;
}

/* Drop the rows that the deletion vector marks. Where it marks none the batch passes as it is. */
static int apply_dv(struct cdc_scan *s, struct cdc_batch *b, struct cdc_err *err)
{
	uint32_t n = 0;

	if (!s->dv)
		return CDC_OK;
	memset(s->keep, 1, b->rows);
	if (!cdc_dv_mask(s->dv, b->first_row, b->rows, s->keep))
		return CDC_OK;
	for (uint32_t i = 0; i < b->rows; i++) {
		s->live[n] = i;
		n += s->keep[i];
	}
	return cdc_gather_rows(s->gather, b, s->live, n, err);
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
		if (!s->rows) {
			close_file(s);
			if (s->next_file == s->num_files)
				return CDC_END;
			rc = open_file(s, next_file(s), err);
			if (rc < 0)
				return rc;
		}
		rc = cdc_datafile_scan_next(s->rows, out, err);
		if (rc == CDC_END) {
			close_file(s);
			continue;
		}
		if (rc == CDC_OK)
			rc = apply_dv(s, out, err);
		if (rc < 0 || out->rows)
			return rc;
	}
}
