/*
 * Sequential reading of a field over the row groups of a data file, alone or side by side with
 * others. See datafile.h.
 */
#include "table/datafile/datafile_int.h"

#include "table/datafile/convert.h"
#include "table/datafile/nested_reader.h"
#include "table/batch/batch_rows.h"

#include <stdlib.h>

#define SHOWN(s) (int)((s).n > 128 ? 128 : (s).n), (s).p

/* Where a reader stands: `left` rows of row group `group` are still to come. */
struct place {
	const struct cdc_datafile *df;
	int32_t group; /* -1 before the first */
	uint64_t left;
};

/* Go to the next row group with rows if this one is used up; false at the end of the file. */
static bool place_settle(struct place *p)
{
	while (!p->left) {
		if (p->group + 1 >= cdc_datafile_row_groups(p->df))
			return false;
		p->group++;
		p->left = cdc_datafile_row_group_rows(p->df, p->group);
	}
	return true;
}

static uint32_t place_take(struct place *p, uint64_t max)
{
	uint32_t n = (uint32_t)(max < p->left ? max : p->left);

	p->left -= n;
	return n;
}

struct cdc_column_reader {
	struct cdc_datafile *df;
	const struct cdc_field *field;
	struct place at;
	uint64_t row; /* position in the file of the next row */
	int32_t leaf; /* -1: the same value in every row */
	struct cdc_nested_reader *nested; /* in its place: a column of more than one leaf */
	struct cdc_convert convert;
	struct cdc_pq_column *column; /* of row group `open_group` */
	int32_t open_group;
	uint64_t pending_skip; /* rows of the group passed over, not yet told to `column` */
	bool constant_null;
	union cdc_value constant;
	void *buffer; /* converted values, or the constant repeated */
	uint8_t *nulls; /* all 0: validity of a constant null */
	uint32_t cap; /* rows that both have room for */
	uint32_t filled; /* rows of a constant that are set already */
};

/* Say in which file, and which column. */
static int in_column(const struct cdc_column_reader *r, struct cdc_err *err)
{
	cdc_err_file(err, r->df->path.p);
	return cdc_err_prefix(err, "column \"%.*s\"", SHOWN(r->field->name));
}

/* ------------------------------------------------------------------ constants */

static int partition_value(struct cdc_column_reader *r, struct cdc_err *err)
{
	const struct cdc_add *add = r->df->add;

	r->constant_null = true;
	for (int i = 0; i < add->num_partition_values; i++) {
		const struct cdc_kv *kv = &add->partition_value[i];

		if (cdc_str_eq(kv->key, r->field->physical_name))
			return cdc_partition_parse(r->field, kv->value, &r->constant,
						   &r->constant_null, err);
	}
	cdc_fail(err, CDC_ECORRUPT, "the log has no value of this partition column");
	return in_column(r, err);
}

static void fill_constant(struct cdc_column_reader *r, uint32_t n)
{
	for (uint32_t i = r->filled; i < n && r->field->type != CDC_TYPE_VOID; i++)
		cdc_value_store(r->field->type, r->buffer, i, &r->constant);
	r->filled = n;
}

/* ------------------------------------------------------------------ opening */

static bool is_nested(enum cdc_type t)
{
	return t == CDC_TYPE_STRUCT || t == CDC_TYPE_ARRAY || t == CDC_TYPE_MAP ||
	       t == CDC_TYPE_VARIANT;
}

static int choose_leaf(struct cdc_column_reader *r, int field, struct cdc_err *err)
{
	const struct cdc_pq_metadata *m = cdc_pq_metadata(r->df->pq);
	const struct cdc_field *f = r->field;
	char name[CDC_TYPE_NAME_MAX];
	int32_t node = r->df->node[field];

	r->leaf = -1;
	r->constant_null = true;
	if (f->type == CDC_TYPE_VOID)
		return CDC_OK;
	if (f->is_partition)
		return partition_value(r, err);
	if (is_nested(f->type)) {
		int rc = cdc_nested_reader_new(&r->nested, r->df->pq, f, node, r->df->by_id, err);

		return rc < 0 ? in_column(r, err) : rc;
	}
	if (node < 0)
		return CDC_OK;
	if (!m->schema.node[node].is_leaf || m->schema.node[node].max_rep ||
	    !cdc_convert_choose(&r->convert, &m->schema.node[node], f)) {
		cdc_fail(err, CDC_ECORRUPT, "it is no %s there", cdc_type_name(f, name));
		return in_column(r, err);
	}
	cdc_convert_calendar(&r->convert, m, &m->schema.node[node], f);
	r->leaf = m->schema.node[node].leaf;
	return CDC_OK;
}

int cdc_column_reader_open(struct cdc_column_reader **out, struct cdc_datafile *df, int field,
			   struct cdc_err *err)
{
	struct cdc_column_reader *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return cdc_fail_nomem(err);
	r->df = df;
	r->field = &df->snapshot->schema.field[field];
	r->at = (struct place){ df, -1, 0 };
	r->open_group = -1;
	rc = choose_leaf(r, field, err);
	if (rc < 0) {
		cdc_column_reader_close(r);
		return rc;
	}
	*out = r;
	return CDC_OK;
}

void cdc_column_reader_close(struct cdc_column_reader *r)
{
	if (!r)
		return;
	if (r->column)
		cdc_pq_column_close(r->column);
	cdc_nested_reader_free(r->nested);
	free(r->buffer);
	free(r->nulls);
	free(r);
}

/* ------------------------------------------------------------------ reading */

static int reserve(struct cdc_column_reader *r, uint32_t n, struct cdc_err *err)
{
	size_t size = cdc_type_size(r->field->type);
	void *buffer;
	uint8_t *nulls;

	if (n <= r->cap)
		return CDC_OK;
	buffer = reallocarray(r->buffer, n, size ? size : 1);
	if (buffer)
		r->buffer = buffer;
	nulls = realloc(r->nulls, n);
	if (nulls)
		r->nulls = nulls;
	if (!buffer || !nulls)
		return cdc_fail_nomem(err);
	memset(nulls + r->cap, 0, n - r->cap);
	r->cap = n;
	return CDC_OK;
}

static int constant_next(struct cdc_column_reader *r, uint32_t n, struct cdc_column *out,
			 struct cdc_err *err)
{
	int rc = reserve(r, n, err);

	if (rc < 0)
		return rc;
	/* A null's value is zero, as it is in columns that come from the file. */
	if (n > r->filled)
		fill_constant(r, n);
	*out = (struct cdc_column){ r->field, cdc_type_size(r->field->type) ? r->buffer : NULL,
				    r->constant_null ? r->nulls : NULL, NULL };
	return CDC_OK;
}

/* The cursor on the current row group, past the rows that were skipped. */
static int open_group(struct cdc_column_reader *r, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (r->open_group != r->at.group) {
		if (r->column)
			cdc_pq_column_close(r->column);
		r->column = NULL;
		if (r->nested)
			rc = cdc_nested_reader_open(r->nested, r->at.group, err);
		else
			rc = cdc_pq_column_open(&r->column, r->df->pq, r->at.group, r->leaf, err);
		if (rc < 0)
			return rc;
		r->open_group = r->at.group;
	}
	if (r->pending_skip && r->nested)
		rc = cdc_nested_reader_skip(r->nested, r->pending_skip, err);
	else if (r->pending_skip)
		rc = cdc_pq_column_skip(r->column, r->pending_skip, err);
	r->pending_skip = 0;
	return rc;
}

static int leaf_next(struct cdc_column_reader *r, uint32_t n, struct cdc_column *out,
		     struct cdc_err *err)
{
	struct cdc_pq_vec vec;
	int rc = open_group(r, err);

	if (rc == CDC_OK)
		rc = cdc_pq_column_read(r->column, n, &vec, err);
	if (rc < 0) {
		/* The message names the leaf, which is the column. */
		cdc_err_file(err, r->df->path.p);
		return rc;
	}
	if (rc == CDC_END || vec.n != n) {
		cdc_fail(err, CDC_ECORRUPT, "it ends early");
		return in_column(r, err);
	}
	/* Definition levels of a flat column are 0 and 1: its validity. */
	*out = (struct cdc_column){ r->field, vec.values, vec.def, NULL };
	if (!r->convert.fn)
		return CDC_OK;
	rc = reserve(r, n, err);
	if (rc < 0)
		return rc;
	if (!r->convert.fn(&r->convert, &vec, r->buffer)) {
		if (r->convert.misfit)
			cdc_fail(err, CDC_EUNSUPPORTED, "it %s", r->convert.misfit);
		else
			cdc_fail(err, CDC_ECORRUPT, "it holds a value that is out of range");
		return in_column(r, err);
	}
	out->values = r->buffer;
	return CDC_OK;
}

static int nested_next(struct cdc_column_reader *r, uint32_t n, struct cdc_column *out,
		       struct cdc_err *err)
{
	int rc = open_group(r, err);

	if (rc == CDC_OK)
		rc = cdc_nested_reader_next(r->nested, n, out, err);
	return rc < 0 ? in_column(r, err) : rc;
}

/* Ids of rows, and the versions that changed them: a null stands for what the add action says. */
static int fill_tracking(struct cdc_column_reader *r, uint32_t n, struct cdc_column *out,
			 struct cdc_err *err)
{
	const struct cdc_add *add = r->df->add;
	bool id = r->field->role == CDC_FIELD_ROW_ID;
	bool known = id ? add->has_base_row_id : add->has_default_row_commit_version;
	int64_t *value;
	int rc;

	if (!known || !out->valid)
		return CDC_OK;
	rc = reserve(r, n, err);
	if (rc < 0)
		return rc;
	value = r->buffer;
	for (uint32_t i = 0; i < n; i++) {
		if (out->valid[i])
			value[i] = ((const int64_t *)out->values)[i];
		else
			value[i] = id ? (int64_t)((uint64_t)add->base_row_id + r->row + i)
				      : add->default_row_commit_version;
	}
	r->filled = 0;
	*out = (struct cdc_column){ r->field, value, NULL, NULL };
	return CDC_OK;
}

int cdc_column_reader_rows(struct cdc_column_reader *r, uint32_t max, uint32_t *n,
			   struct cdc_err *err)
{
	int rc;

	if (!place_settle(&r->at))
		return CDC_END;
	*n = max < r->at.left ? max : (uint32_t)r->at.left;
	if (!r->nested)
		return CDC_OK;
	rc = open_group(r, err);
	if (rc == CDC_OK)
		rc = cdc_nested_reader_rows(r->nested, *n, n, err);
	return rc < 0 ? in_column(r, err) : rc;
}

int cdc_column_reader_next(struct cdc_column_reader *r, uint32_t max, struct cdc_column *out,
			   uint32_t *n, struct cdc_err *err)
{
	int rc;

	if (!place_settle(&r->at))
		return CDC_END;
	*n = place_take(&r->at, max);
	if (r->nested)
		return nested_next(r, *n, out, err);
	rc = r->leaf < 0 ? constant_next(r, *n, out, err) : leaf_next(r, *n, out, err);
	if (!rc && r->field->role != CDC_FIELD_PLAIN)
		rc = fill_tracking(r, *n, out, err);
	r->row += *n;
	return rc;
}

int cdc_column_reader_skip(struct cdc_column_reader *r, uint64_t rows, struct cdc_err *err)
{
	r->row += rows;
	while (rows) {
		int32_t group = r->at.group;
		uint32_t n;

		if (!place_settle(&r->at))
			return cdc_fail(err, CDC_EINTERNAL, "skip past the end of %s",
					r->df->path.p);
		if (group != r->at.group)
			r->pending_skip = 0;
		n = place_take(&r->at, rows < UINT32_MAX ? rows : UINT32_MAX);
		r->pending_skip += n;
		rows -= n;
	}
	/* Nothing more of this group: the skipped rows need not be found. */
	if (!r->at.left)
		r->pending_skip = 0;
	return CDC_OK;
}

/* ------------------------------------------------------------------ side by side */

struct cdc_datafile_scan {
	struct place at;
	uint64_t row; /* position in the file of the next row */
	struct cdc_column_reader **reader;
	struct cdc_column *column;
	int num_columns;
};

int cdc_datafile_scan_new(struct cdc_datafile_scan **out, struct cdc_datafile *df, const int *field,
			  int num_fields, struct cdc_err *err)
{
	struct cdc_datafile_scan *s = calloc(1, sizeof(*s));
	int rc = CDC_OK;

	if (!s)
		return cdc_fail_nomem(err);
	s->at = (struct place){ df, -1, 0 };
	s->reader = calloc((size_t)num_fields + 1, sizeof(*s->reader));
	s->column = calloc((size_t)num_fields + 1, sizeof(*s->column));
	if (!s->reader || !s->column)
		rc = cdc_fail_nomem(err);
	for (; rc == CDC_OK && s->num_columns < num_fields; s->num_columns++) {
		int f = field ? field[s->num_columns] : s->num_columns;

		rc = cdc_column_reader_open(&s->reader[s->num_columns], df, f, err);
		if (rc < 0)
			break;
	}
	if (rc < 0) {
		cdc_datafile_scan_free(s);
		return rc;
	}
	*out = s;
	return CDC_OK;
}

void cdc_datafile_scan_free(struct cdc_datafile_scan *s)
{
	if (!s)
		return;
	for (int i = 0; i < s->num_columns; i++)
		cdc_column_reader_close(s->reader[i]);
	free(s->reader);
	free(s->column);
	free(s);
}

int cdc_datafile_scan_next(struct cdc_datafile_scan *s, struct cdc_batch *out, struct cdc_err *err)
{
	uint32_t n = CDC_BATCH_ROWS;
	int rc = CDC_OK;

	if (!place_settle(&s->at))
		return CDC_END;
	for (int i = 0; rc == CDC_OK && i < s->num_columns; i++)
		rc = cdc_column_reader_rows(s->reader[i], n, &n, err);
	if (rc)
		return rc < 0 ? rc : cdc_fail(err, CDC_EINTERNAL, "a column ends before its file");
	n = place_take(&s->at, n);
	for (int i = 0; rc == CDC_OK && i < s->num_columns; i++) {
		uint32_t got = 0;

		rc = cdc_column_reader_next(s->reader[i], n, &s->column[i], &got, err);
		if (rc == CDC_END || (rc == CDC_OK && got != n))
			rc = cdc_fail(err, CDC_EINTERNAL, "columns of a file do not end together");
	}
	if (rc < 0)
		return rc;
	*out = (struct cdc_batch){
		.rows = n, .first_row = s->row, .num_columns = s->num_columns, .column = s->column
	};
	s->row += n;
	return CDC_OK;
}

int cdc_datafile_scan_skip(struct cdc_datafile_scan *s, uint64_t rows, struct cdc_err *err)
{
	uint64_t left = rows;
	int rc = CDC_OK;

	while (left && place_settle(&s->at))
		left -= place_take(&s->at, left < UINT32_MAX ? left : UINT32_MAX);
	if (left)
		return cdc_fail(err, CDC_EINTERNAL, "skip past the end of a data file");
	s->row += rows;
	for (int i = 0; rc == CDC_OK && i < s->num_columns; i++)
		rc = cdc_column_reader_skip(s->reader[i], rows, err);
	return rc;
}
