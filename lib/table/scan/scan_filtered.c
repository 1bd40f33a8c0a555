/*
 * The rows of one data file that a filter lets through. See scan_filtered.h.
 */
#include "table/scan/scan_filtered.h"

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
	uint32_t tested; /* rows of the batch that the filter was last evaluated on */
	uint32_t done; /* of them, those that the other lanes are past */
	uint8_t keep[CDC_BATCH_ROWS]; /* which of them match */
	struct cdc_arena slices; /* of nested columns; lives as long as a batch */
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
	cdc_arena_free(&f->slices);
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

/* Take lanes to where the file is read next; *n is how many rows all of them can give at once. */
static int catch_up(struct cdc_filtered *f, int from, int to, uint32_t *n, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = from; rc == CDC_OK && i < to; i++) {
		struct lane *l = &f->lane[i];

		if (l->behind)
			rc = cdc_column_reader_skip(l->reader, l->behind, err);
		l->behind = 0;
		if (rc == CDC_OK)
			rc = cdc_column_reader_rows(l->reader, *n, n, err);
	}
	return rc == CDC_END ? cdc_fail(err, CDC_EINTERNAL, "a column ends before its file") : rc;
}

static int read_lanes(struct cdc_filtered *f, int from, int to, uint32_t n, struct cdc_err *err)
{
	for (int i = from; i < to; i++) {
		uint32_t got = 0;
		int rc = cdc_column_reader_next(f->lane[i].reader, n, &f->read[i], &got, err);

		if (rc == CDC_END || (rc == CDC_OK && got != n))
			rc = cdc_fail(err, CDC_EINTERNAL, "columns of a file do not end together");
		if (rc < 0)
			return rc;
	}
	return CDC_OK;
}

/* Evaluate the filter on the next rows, `most` of them or fewer. */
static int test(struct cdc_filtered *f, uint32_t most, const struct cdc_dv *dv, struct cdc_err *err)
{
	struct cdc_batch b = {
		.rows = most, .first_row = f->row, .num_columns = f->num_tested, .column = f->read
	};
	int rc = catch_up(f, 0, f->num_tested, &b.rows, err);

	if (rc == CDC_OK)
		rc = read_lanes(f, 0, f->num_tested, b.rows, err);
	if (rc == CDC_OK)
		rc = cdc_filter_eval(f->filter, &b, f->keep, err);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < b.rows; i++)
		f->keep[i] = f->keep[i] == CDC_TRUE;
	if (dv)
		(void)cdc_dv_mask(dv, f->row, b.rows, f->keep);
	f->counts->rows_tested += b.rows;
	f->tested = b.rows;
	f->done = 0;
	f->row += b.rows;
	f->group_left -= b.rows;
	return CDC_OK;
}

/* The rows of a column from `first` on. Children of structs have rows as it has. */
static int slice(struct cdc_filtered *f, struct cdc_column *c, uint32_t first, struct cdc_err *err)
{
	bool has_rows = c->field->type == CDC_TYPE_STRUCT || c->field->type == CDC_TYPE_VARIANT;
	int n = c->field->num_children;
	struct cdc_column *child;
	int rc = CDC_OK;

	if (!first)
		return CDC_OK;
	if (c->values)
		c->values = (const char *)c->values + first * cdc_type_size(c->field->type);
	if (c->valid)
		c->valid += first;
	if (!has_rows || !c->child || !n)
		return CDC_OK;
	child = cdc_arena_calloc(&f->slices, (size_t)n, sizeof(*child));
	if (!child)
		return cdc_fail_nomem(err);
	memcpy(child, c->child, (size_t)n * sizeof(*child));
	c->child = child;
	for (int i = 0; rc == CDC_OK && i < n; i++)
		rc = slice(f, &child[i], first, err);
	return rc;
}

/* Columns wanted, of n rows from row `first` of the tested batch on. */
static int put_batch(struct cdc_filtered *f, uint32_t first, uint32_t n, struct cdc_batch *out,
		     struct cdc_err *err)
{
	int rc = CDC_OK;

	cdc_arena_reset(&f->slices);
	for (int i = 0; rc == CDC_OK && i < f->num_columns; i++) {
		f->column[i] = f->read[f->source[i]];
		if (f->source[i] < f->num_tested)
			rc = slice(f, &f->column[i], first, err);
	}
	*out = (struct cdc_batch){ .rows = n,
				   .first_row = f->row - f->tested + first,
				   .num_columns = f->num_columns,
				   .column = f->column };
	return rc;
}

/* From the first row of the tested batch that matches to the last, or as far as all lanes go. */
static int deliver(struct cdc_filtered *f, struct cdc_batch *out, uint8_t keep[CDC_BATCH_ROWS],
		   uint32_t *num_kept, struct cdc_err *err)
{
	uint32_t first = f->done;
	uint32_t end = f->tested;
	uint32_t n;
	int rc;

	while (first < end && !f->keep[first])
		first++;
	while (end > first && !f->keep[end - 1])
		end--;
	pass(f, f->num_tested, f->num_lanes, first - f->done);
	f->done = first;
	n = end - first;
	if (!n)
		return CDC_OK;
	rc = catch_up(f, f->num_tested, f->num_lanes, &n, err);
	if (rc == CDC_OK)
		rc = read_lanes(f, f->num_tested, f->num_lanes, n, err);
	if (rc < 0)
		return rc;
	f->done += n;
	memcpy(keep, f->keep + first, n);
	for (uint32_t i = 0; i < n; i++)
		*num_kept += keep[i];
	return put_batch(f, first, n, out, err);
}

int cdc_filtered_next(struct cdc_filtered *f, const struct cdc_dv *dv, struct cdc_batch *out,
		      uint8_t keep[CDC_BATCH_ROWS], uint32_t *num_kept, struct cdc_err *err)
{
	uint64_t most;
	int rc;

	*num_kept = 0;
	*out = (struct cdc_batch){ .rows = 0 };
	if (f->done == f->tested) {
		most = apply_ranges(f);
		if (!settle(f))
			return CDC_END;
		most = most < f->group_left ? most : f->group_left;
		rc = test(f, most < CDC_BATCH_ROWS ? (uint32_t)most : CDC_BATCH_ROWS, dv, err);
		if (rc < 0)
			return rc;
	}
	return deliver(f, out, keep, num_kept, err);
}
