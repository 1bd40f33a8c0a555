/*
 * The stored rows that a batch has to know: what partial images build on, how new a row is, and
 * which of the new rows are what is stored already. See merge_internal.h.
 *
 * A column is read at the rows that are asked about, and only there: pages in between are passed
 * over.
 */
#include "table/merge/merge_internal.h"

#include <stdlib.h>

/* Matches of one file, by number, whose stored values are wanted. */
struct wanted {
	uint32_t *match;
	size_t n;
};

/* One stored value: row `row` of `c` is at match `m`. */
typedef int stored_fn(void *ctx, struct match *m, const struct cdc_column *c, uint32_t row,
		      struct cdc_err *err);

/* How many rows from `at` on to read at once: to the last wanted one that a batch reaches. */
static uint32_t stretch(const struct touched *t, const struct wanted *w, size_t k)
{
	uint64_t first = t->match[w->match[k]].pos, last = first;

	while (++k < w->n && t->match[w->match[k]].pos < first + CDC_BATCH_ROWS)
		last = t->match[w->match[k]].pos;
	return (uint32_t)(last - first + 1);
}

static int read_stored(struct cdc_datafile *df, int field, struct touched *t,
		       const struct wanted *w, stored_fn *fn, void *ctx, struct cdc_err *err)
{
	struct cdc_column_reader *r = NULL;
	struct cdc_column c = { .field = NULL };
	uint64_t next = 0; /* first row after those of `c` */
	uint32_t n = 0;
	int rc = cdc_column_reader_open(&r, df, field, err);

	for (size_t k = 0; !rc && k < w->n; k++) {
		uint64_t pos = t->match[w->match[k]].pos;

		if (pos > next)
			rc = cdc_column_reader_skip(r, pos - next, err);
		next = pos > next ? pos : next;
		while (!rc && pos >= next) {
			rc = cdc_column_reader_rows(r, stretch(t, w, k), &n, err);
			if (!rc)
				rc = cdc_column_reader_next(r, n, &c, &n, err);
			next += n;
		}
		if (!rc)
			rc = fn(ctx, &t->match[w->match[k]], &c, (uint32_t)(pos + n - next), err);
	}
	cdc_column_reader_close(r);
	return rc == CDC_END ? cdc_fail(err, CDC_ECORRUPT, "a data file ends early") : rc;
}

static int make_wanted(struct wanted *w, const struct touched *t, struct cdc_err *err)
{
	w->n = 0;
	w->match = malloc((t->n + 1) * sizeof(*w->match));
	return w->match ? CDC_OK : cdc_fail_nomem(err);
}

/* ------------------------------------------------------------------ bases */

struct basing {
	struct batch *b;
	int field;
	struct cdc_buf cell; /* of a nested value */
};

/* A stored value as rows hold it; a cell lives until the next call. */
static int stored_value(const struct cdc_column *c, uint32_t row, struct cdc_buf *cell,
			union cdc_value *v, struct cdc_err *err)
{
	int rc;

	if (!cdc_type_is_nested(c->field->type)) {
		*v = cdc_value_load(c->field->type, c->values, row);
		return CDC_OK;
	}
	cdc_buf_reset(cell);
	rc = cdc_nested_serialize(c, row, cell, err);
	v->s = cdc_buf_str(cell);
	return rc;
}

static int keep_stored(void *ctx, struct match *m, const struct cdc_column *c, uint32_t row,
		       struct cdc_err *err)
{
	struct basing *k = ctx;
	struct cdc_rows *r = &k->b->rows;
	const struct entry *e = &k->b->entry[k->b->entry[m->entry].dependent];
	uint8_t *cell = &r->column[k->field].cell[e->row];
	union cdc_value v;

	if (*cell != CDC_CELL_UNKNOWN)
		return CDC_OK;
	if (cdc_column_is_null(c, row)) {
		*cell = CDC_CELL_KEPT_NULL;
		return CDC_OK;
	}
	if (stored_value(c, row, &k->cell, &v, err) || cdc_rows_set(r, e->row, k->field, &v, err))
		return err->code;
	*cell = CDC_CELL_KEPT_VALUE;
	return CDC_OK;
}

/* Matches whose stored row fills the field of a partial image. */
static void want_bases(struct wanted *w, const struct batch *b, const struct touched *t, int field)
{
	w->n = 0;
	for (size_t k = 0; k < t->n; k++) {
		uint32_t d = b->entry[t->match[k].entry].dependent;

		if (d == NO_INDEX || !b->entry[d].has_unknown)
			continue;
		if (b->rows.column[field].cell[b->entry[d].row] == CDC_CELL_UNKNOWN)
			w->match[w->n++] = (uint32_t)k;
	}
}

static bool has_bases(const struct batch *b, const struct touched *t)
{
	for (size_t k = 0; k < t->n; k++) {
		uint32_t d = b->entry[t->match[k].entry].dependent;

		if (d != NO_INDEX && b->entry[d].has_unknown)
			return true;
	}
	return false;
}

int stored_bases(struct cdc_merge *m, struct batch *b, struct touched *t, struct cdc_err *err)
{
	const struct cdc_snapshot *s = m->target.snapshot;
	struct basing k = { .b = b };
	struct wanted w;
	struct cdc_datafile *df = NULL;
	int rc;

	if (!has_bases(b, t))
		return CDC_OK;
	rc = make_wanted(&w, t, err);
	if (!rc)
		rc = cdc_datafile_open(&df, m->opt.io, s, t->add, err);
	for (k.field = 0; !rc && k.field < s->schema.num_fields; k.field++) {
		want_bases(&w, b, t, k.field);
		if (w.n)
			rc = read_stored(df, k.field, t, &w, keep_stored, &k, err);
	}
	cdc_datafile_close(df);
	cdc_buf_free(&k.cell);
	free(w.match);
	return rc;
}

/* ------------------------------------------------------------------ sequences */

static int compare_order(void *ctx, struct match *m, const struct cdc_column *c, uint32_t row,
			 struct cdc_err *err)
{
	struct entry *e = &((struct batch *)ctx)->entry[m->entry];

	(void)err;
	if (!cdc_column_is_null(c, row) &&
	    cdc_value_load(c->field->type, c->values, row).i > e->order)
		e->late = true;
	return CDC_OK;
}

int stored_sequences(struct cdc_merge *m, struct batch *b, struct touched *t, struct cdc_err *err)
{
	struct cdc_datafile *df = NULL;
	struct wanted w;
	int rc = make_wanted(&w, t, err);

	for (size_t k = 0; !rc && k < t->n; k++)
		w.match[w.n++] = (uint32_t)k;
	if (!rc)
		rc = cdc_datafile_open(&df, m->opt.io, m->target.snapshot, t->add, err);
	if (!rc)
		rc = read_stored(df, m->target.sequence, t, &w, compare_order, b, err);
	cdc_datafile_close(df);
	free(w.match);
	return rc;
}

/* ------------------------------------------------------------------ rows that are stored already
 */

/* The matches whose rows are equal in all columns so far. */
struct comparing {
	struct cdc_rows *rows;
	struct batch *b;
	int field;
	bool *same; /* by match */
	const struct match *first;
	struct cdc_buf cell; /* of a nested value */
};

/* Both have a value. Nested ones are equal exactly if their cells are. */
static int same_value(struct comparing *k, uint32_t mine, const struct cdc_column *c, uint32_t row,
		      bool *same, struct cdc_err *err)
{
	const struct cdc_column own = { .field = c->field,
					.values = k->rows->column[k->field].values };
	int rc;

	if (!cdc_type_is_nested(c->field->type))
		return cdc_column_equal(&own, mine, c, row, same, err);
	cdc_buf_reset(&k->cell);
	rc = cdc_nested_serialize(c, row, &k->cell, err);
	*same = cdc_str_eq(((const struct cdc_str *)own.values)[mine], cdc_buf_str(&k->cell));
	return rc;
}

static int compare_value(void *ctx, struct match *m, const struct cdc_column *c, uint32_t row,
			 struct cdc_err *err)
{
	struct comparing *k = ctx;
	uint32_t at = k->b->entry[m->entry].row;
	bool null = !cdc_cell_has_value(k->rows->column[k->field].cell[at]);
	bool *same = &k->same[m - k->first];

	if (!null && !cdc_column_is_null(c, row))
		return same_value(k, at, c, row, same, err);
	*same = null && cdc_column_is_null(c, row);
	return CDC_OK;
}

static bool is_key(const struct cdc_merge *m, int field)
{
	for (int i = 0; i < m->target.key.num_fields; i++)
		if (m->target.key.field[i] == field)
			return true;
	return false;
}

/* Fields in the order in which they told most rows apart so far: most rows need one look. */
static void order_fields(const struct cdc_merge *m, int *field)
{
	int n = m->target.snapshot->schema.num_fields;

	for (int i = 0; i < n; i++) {
		int k = i;

		for (; k > 0 && m->told_apart[field[k - 1]] < m->told_apart[i]; k--)
			field[k] = field[k - 1];
		field[k] = i;
	}
}

/* Cells that the stored row itself gave need no look, but those that may have been filled. */
static bool is_kept(const struct cdc_merge *m, const struct batch *b, uint32_t entry, int field)
{
	const struct entry *e = &b->entry[entry];

	return e->source == entry && !cdc_constraints_fills(m->constraints, field) &&
	       b->rows.column[field].cell[e->row] >= CDC_CELL_KEPT_VALUE;
}

static int compare_field(struct cdc_merge *m, struct comparing *k, struct touched *t,
			 struct cdc_datafile *df, struct wanted *w, struct cdc_err *err)
{
	size_t asked;
	int rc;

	w->n = 0;
	for (size_t i = 0; i < t->n; i++)
		if (k->same[i] && !is_kept(m, k->b, t->match[i].entry, k->field))
			w->match[w->n++] = (uint32_t)i;
	asked = w->n;
	rc = asked ? read_stored(df, k->field, t, w, compare_value, k, err) : CDC_OK;
	for (size_t i = 0; i < asked; i++)
		m->told_apart[k->field] += !k->same[w->match[i]];
	return rc;
}

static bool any(const bool *same, size_t n)
{
	return memchr(same, 1, n) != NULL;
}

static int compare_fields(struct cdc_merge *m, struct comparing *k, struct touched *t,
			  struct cdc_err *err)
{
	const struct cdc_snapshot *s = m->target.snapshot;
	int *field = malloc(((size_t)s->schema.num_fields + 1) * sizeof(*field));
	struct cdc_datafile *df = NULL;
	struct wanted w = { .match = NULL };
	int rc = field ? make_wanted(&w, t, err) : cdc_fail_nomem(err);

	if (!rc)
		rc = cdc_datafile_open(&df, m->opt.io, s, t->add, err);
	if (!rc)
		order_fields(m, field);
	for (int i = 0; !rc && i < s->schema.num_fields && any(k->same, t->n); i++) {
		k->field = field[i];
		if (!is_key(m, k->field))
			rc = compare_field(m, k, t, df, &w, err);
	}
	cdc_datafile_close(df);
	free(w.match);
	free(field);
	return rc;
}

int stored_unchanged(struct cdc_merge *m, struct batch *b, struct touched *t, struct cdc_err *err)
{
	struct comparing k = { .rows = &b->rows, .b = b, .first = t->match };
	int rc = CDC_OK;

	k.same = malloc(t->n + 1);
	if (!k.same)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < t->n; i++) {
		const struct entry *e = &b->entry[t->match[i].entry];

		k.same[i] = e->row != NO_INDEX && !e->dropped && e->matches == 1;
	}
	if (any(k.same, t->n))
		rc = compare_fields(m, &k, t, err);
	for (size_t i = 0; !rc && i < t->n; i++)
		if (k.same[i])
			b->entry[t->match[i].entry].unchanged = true;
	cdc_buf_free(&k.cell);
	free(k.same);
	return rc;
}

/* ------------------------------------------------------------------ row ids */

static int keep_row_id(void *ctx, struct match *m, const struct cdc_column *c, uint32_t row,
		       struct cdc_err *err)
{
	struct batch *b = ctx;

	(void)err;
	if (!cdc_column_is_null(c, row))
		b->entry[m->pair].row_id = ((const int64_t *)c->values)[row];
	return CDC_OK;
}

int stored_row_ids(struct cdc_merge *m, struct batch *b, struct touched *t,
		   const struct cdc_snapshot *table, struct cdc_err *err)
{
	int field = m->target.snapshot->schema.num_fields;
	struct cdc_datafile *df = NULL;
	struct wanted w;
	int rc = make_wanted(&w, t, err);

	for (size_t k = 0; !rc && k < t->n; k++)
		if (t->match[k].pair != NO_INDEX)
			w.match[w.n++] = (uint32_t)k;
	if (!rc && w.n)
		rc = cdc_datafile_open(&df, m->opt.io, table, t->add, err);
	if (!rc && w.n)
		rc = read_stored(df, field, t, &w, keep_row_id, b, err);
	cdc_datafile_close(df);
	free(w.match);
	return rc;
}
