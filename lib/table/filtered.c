/*
 * The rows of one data file that a filter lets through. See filtered.h.
 */
#include "table/filtered.h"

#include <stdlib.h>

/* The reader of one field; `behind` rows of the file were passed over since it last read. */
struct lane {
	int field;
	struct cdc_column_reader *reader;
	uint64_t behind;
};

struct cdc_filtered {
	struct cdc_datafile *df;
	struct cdc_filter *filter;
	struct cdc_filtered_counts *counts;
	struct lane *lane; /* those of the filter first */
	int num_lanes;
	int num_tested; /* lanes of the filter */
	struct cdc_column *read; /* one a lane */
	int *source; /* lane of each column wanted */
	struct cdc_column *column; /* those wanted */
	int num_columns;
	struct cdc_skip_range *range;
	size_t num_ranges;
	size_t next_range;
	int32_t group;
	uint64_t group_left; /* rows of the row group still to come */
	uint64_t row; /* of the file */
};

/* ------------------------------------------------------------------ opening */

static int open_lane(struct cdc_filtered *f, int field, int *index, struct cdc_err *err)
{
	int rc;

	for (*index = 0; *index < f->num_lanes; ++*index) {
		if (f->lane[*index].field == field)
			return CDC_OK;
	}
	f->lane[f->num_lanes].field = field;
	rc = cdc_column_reader_open(&f->lane[f->num_lanes].reader, f->df, field, err);
	f->num_lanes += rc == CDC_OK;
	return rc;
}

static int open_lanes(struct cdc_filtered *f, const int *field, int num_fields, struct cdc_err *err)
{
	int n;
	const int *tested = cdc_filter_columns(f->filter, &n);
	size_t most = (size_t)n + (size_t)num_fields + 1;
	int rc = CDC_OK;
	int ignored;

	f->lane = calloc(most, sizeof(*f->lane));
	f->read = calloc(most, sizeof(*f->read));
	f->source = calloc(most, sizeof(*f->source));
	f->column = calloc(most, sizeof(*f->column));
	if (!f->lane || !f->read || !f->source || !f->column)
		return cdc_fail_nomem(err);
	for (int i = 0; rc == CDC_OK && i < n; i++)
		rc = open_lane(f, tested[i], &ignored, err);
	f->num_tested = f->num_lanes;
	for (int i = 0; rc == CDC_OK && i < num_fields; i++)
		rc = open_lane(f, field ? field[i] : i, &f->source[i], err);
	f->num_columns = num_fields;
	return rc;
}

static int plan(struct cdc_filtered *f, struct cdc_skip *skip, struct cdc_err *err)
{
	const struct cdc_skip_range *range;
	uint64_t row_groups;
	size_t n;
	int rc = cdc_skip_ranges(skip, f->df, &range, &n, &row_groups, err);

	if (rc < 0)
		return rc;
	f->range = calloc(n + 1, sizeof(*f->range));
	if (!f->range)
		return cdc_fail_nomem(err);
	if (n)
		memcpy(f->range, range, n * sizeof(*range));
	f->num_ranges = n;
	f->counts->row_groups_skipped += row_groups;
	return CDC_OK;
}

int cdc_filtered_new(struct cdc_filtered **out, struct cdc_datafile *df, struct cdc_filter *filter,
		     struct cdc_skip *skip, const int *field, int num_fields,
		     struct cdc_filtered_counts *counts, struct cdc_err *err)
{
	struct cdc_filtered *f = calloc(1, sizeof(*f));
	int rc;

	if (!f)
		return cdc_fail_nomem(err);
	f->df = df;
	f->filter = filter;
	f->counts = counts;
	f->group = -1;
	rc = open_lanes(f, field, num_fields, err);
	if (rc == CDC_OK)
		rc = plan(f, skip, err);
	if (rc < 0) {
		cdc_filtered_free(f);
		return rc;
	}
	*out = f;
	return CDC_OK;
}

void cdc_filtered_free(struct cdc_filtered *f)
{
	if (!f)
		return;
	for (int i = 0; i < f->num_lanes; i++)
		cdc_column_reader_close(f->lane[i].reader);
	free(f->range);
	free(f->column);
	free(f->source);
	free(f->read);
	free(f->lane);
	free(f);
}

/* ------------------------------------------------------------------ reading */

/* To the next row group with rows, if this one is used up; false at the end of the file. */
static bool settle(struct cdc_filtered *f)
{
	while (!f->group_left) {
		if (f->group + 1 >= cdc_datafile_row_groups(f->df))
			return false;
		f->group++;
		f->group_left = cdc_datafile_row_group_rows(f->df, f->group);
	}
	return true;
}

/* The readers of these lanes need not see so many rows. */
static void pass(struct cdc_filtered *f, int from, int to, uint64_t rows)
{
	for (int i = from; i < to; i++)
		f->lane[i].behind += rows;
}

/* Pass over the range of rows that begins here; how many rows are left before the next one. */
static uint64_t apply_ranges(struct cdc_filtered *f)
{
	const struct cdc_skip_range *r = &f->range[f->next_range];

	if (f->next_range < f->num_ranges && r->first == f->row) {
		uint64_t left = r->rows;

		while (left && settle(f)) {
			uint64_t n = left < f->group_left ? left : f->group_left;

			f->group_left -= n;
			left -= n;
		}
		f->row += r->rows;
		f->counts->rows_skipped += r->rows;
		pass(f, 0, f->num_lanes, r->rows);
		f->next_range++;
		r++;
	}
	return f->next_range < f->num_ranges ? r->first - f->row : UINT64_MAX;
}

static int read_lanes(struct cdc_filtered *f, int from, int to, uint32_t n, struct cdc_err *err)
{
	for (int i = from; i < to; i++) {
		struct lane *l = &f->lane[i];
		uint32_t got = 0;
		int rc = CDC_OK;

		if (l->behind)
			rc = cdc_column_reader_skip(l->reader, l->behind, err);
		l->behind = 0;
		if (rc == CDC_OK)
			rc = cdc_column_reader_next(l->reader, n, &f->read[i], &got, err);
		if (rc == CDC_END || (rc == CDC_OK && got != n))
			rc = cdc_fail(err, CDC_EINTERNAL, "columns of a file do not end together");
		if (rc < 0)
			return rc;
	}
	return CDC_OK;
}

/* Test the next n rows. */
static int test(struct cdc_filtered *f, uint32_t n, const struct cdc_dv *dv, uint8_t *keep,
		uint32_t *num_kept, struct cdc_err *err)
{
	struct cdc_batch b = {
		.rows = n, .first_row = f->row, .num_columns = f->num_tested, .column = f->read
	};
	int rc = read_lanes(f, 0, f->num_tested, n, err);

	if (rc == CDC_OK)
		rc = cdc_filter_eval(f->filter, &b, keep, err);
	if (rc < 0)
		return rc;
	f->counts->rows_tested += n;
	for (uint32_t i = 0; i < n; i++)
		keep[i] = keep[i] == CDC_TRUE;
	if (dv)
		(void)cdc_dv_mask(dv, f->row, n, keep);
	*num_kept = 0;
	for (uint32_t i = 0; i < n; i++)
		*num_kept += keep[i];
	return CDC_OK;
}

int cdc_filtered_next(struct cdc_filtered *f, const struct cdc_dv *dv, struct cdc_batch *out,
		      uint8_t keep[CDC_BATCH_ROWS], uint32_t *num_kept, struct cdc_err *err)
{
	uint64_t most = apply_ranges(f);
	uint32_t n;
	int rc;

	if (!settle(f))
		return CDC_END;
	most = most < f->group_left ? most : f->group_left;
	n = most < CDC_BATCH_ROWS ? (uint32_t)most : CDC_BATCH_ROWS;
	rc = test(f, n, dv, keep, num_kept, err);
	if (rc < 0)
		return rc;
	if (*num_kept)
		rc = read_lanes(f, f->num_tested, f->num_lanes, n, err);
	else
		pass(f, f->num_tested, f->num_lanes, n);
	for (int i = 0; i < f->num_columns; i++)
		f->column[i] = f->read[f->source[i]];
	*out = (struct cdc_batch){ .rows = n,
				   .first_row = f->row,
				   .num_columns = *num_kept ? f->num_columns : 0,
				   .column = f->column };
	f->row += n;
	f->group_left -= n;
	return rc;
}
