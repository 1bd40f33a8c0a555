/*
 * Column cursors: batches of slots from pages.
 */
#include "parquet/pq_column_int.h"

/* How far one row of a nested column may go beyond the batch that was asked for. */
#define MAX_ROW_SLOTS (64u << 20)

int cdc_pq_column_begin_batch(struct cdc_pq_column *c, struct cdc_err *err)
{
	struct cdc_pq_values *v = &c->page.values;
	int rc = CDC_OK;

	if (c->space.arena.total_bytes > 0) {
		rc = cdc_pq_column_keep_last(c, err);
		if (rc >= 0 && v->encoding == CDC_PQ_DELTA_BYTE_ARRAY)
			v->dba.last = cdc_buf_str(&c->last);
		cdc_arena_reset(&c->space.arena);
	}
	cdc_pq_batch_reset(&c->batch);
	cdc_pq_column_release(c);
	return rc;
}

/*
 * The whole batch from one page of PLAIN values without nulls: no copy. False when that is not so;
 * nothing is consumed then.
 */
static int read_direct(struct cdc_pq_column *c, uint32_t max, struct cdc_pq_vec *out, bool *done,
		       struct cdc_err *err)
{
	struct cdc_pq_page *pg = &c->page;
	uint32_t k = pg->left < max ? pg->left : max;
	uint64_t run = UINT64_MAX;
	uint8_t v = 0;
	const void *p;
	int rc = CDC_OK;

	*done = false;
	if (pg->values.encoding != CDC_PQ_PLAIN || (k < max && c->slots_left > 0))
		return CDC_OK;
	if (c->env.max_def)
		rc = cdc_pq_levels_run(&pg->def, &v, &run, err);
	if (rc < 0 || run < k || v != c->env.max_def)
		return rc;
	p = cdc_pq_values_direct(&pg->values, k);
	if (!p)
		return CDC_OK;
	if (c->env.max_def)
		cdc_pq_levels_pass(&pg->def, k);
	pg->left -= k;
	*out = (struct cdc_pq_vec){ c->batch.type, k, p, NULL, NULL };
	*done = true;
	return CDC_OK;
}

/* Slots until there are max of them or the chunk ends. */
static int fill(struct cdc_pq_column *c, uint32_t max, struct cdc_err *err)
{
	struct cdc_pq_batch *b = &c->batch;

	while (b->n < max) {
		uint32_t k = max - b->n;
		int rc;

		if (c->page.left == 0) {
			rc = cdc_pq_column_next_page(c, err);
			if (rc != CDC_OK)
				return rc;
		}
		k = k < c->page.left ? k : c->page.left;
		k = k < CDC_PQ_STEP ? k : CDC_PQ_STEP;
		rc = cdc_pq_batch_append(b, &c->page, k, &c->space, err);
		if (rc < 0)
			return rc;
	}
	return CDC_OK;
}

/* The rest of the last row: slots while the repetition level is not 0. */
static int finish_row(struct cdc_pq_column *c, uint32_t max, struct cdc_err *err)
{
	for (;;) {
		uint64_t run = 0;
		uint32_t k = 1;
		uint8_t v = 0;
		int rc;

		if (c->page.left == 0) {
			rc = cdc_pq_column_next_page(c, err);
			if (rc != CDC_OK)
				return rc;
		}
		rc = cdc_pq_levels_run(&c->page.rep, &v, &run, err);
		if (rc >= 0 && run > 0)
			k = run < CDC_PQ_STEP ? (uint32_t)run : CDC_PQ_STEP;
		else if (rc >= 0)
			rc = cdc_pq_levels_peek(&c->page.rep, &v, err);
		if (rc < 0 || v == 0)
			return rc;
		if (c->batch.n - max >= MAX_ROW_SLOTS)
			return cdc_fail(err, CDC_ENOMEM, "a row of more than %u values",
					MAX_ROW_SLOTS);
		k = k < c->page.left ? k : c->page.left;
		rc = cdc_pq_batch_append(&c->batch, &c->page, k, &c->space, err);
		if (rc < 0)
			return rc;
	}
}

/* Rows of a nested column add up to the row group's, and the first level begins one. */
static int check_nested(struct cdc_pq_column *c, struct cdc_err *err)
{
	const struct cdc_pq_batch *b = &c->batch;

	if (!c->began && b->n > 0 && b->rep.p[0] != 0)
		return cdc_fail(err, CDC_ECORRUPT, "its first value continues a row");
	c->began = c->began || b->n > 0;
	if (b->rows > c->rows_left)
		return cdc_fail(err, CDC_ECORRUPT, "it has more rows than its row group");
	c->rows_left -= b->rows;
	if (c->rows_left > 0 && c->slots_left == 0 && c->page.left == 0)
		return cdc_fail(err, CDC_ECORRUPT, "it has %llu rows fewer than its row group",
				(unsigned long long)c->rows_left);
	return CDC_OK;
}

/*
 * How far the next *rows rows reach in the page at work: *k of at most `max` slots, and how many of
 * the rows begin there. The first slots may belong to a row that began before.
 */
int cdc_pq_column_look_ahead(const struct cdc_pq_column *c, uint32_t max, uint32_t *rows,
			     uint32_t *k, struct cdc_err *err)
{
	struct cdc_pq_levels ahead = c->page.rep;
	uint32_t left = *rows;
	uint8_t rep[512];
	uint32_t at_max = 0;

	*k = 0;
	max = max < c->page.left ? max : c->page.left;
	while (*k < max) {
		uint32_t n = max - *k < sizeof(rep) ? max - *k : (uint32_t)sizeof(rep);
		int rc = cdc_pq_levels_read(&ahead, rep, n, &at_max, err);

		if (rc < 0)
			return rc;
		for (uint32_t i = 0; i < n; i++, (*k)++) {
			if (rep[i])
				continue;
			if (left == 0)
				return CDC_OK;
			left--;
		}
	}
	*rows -= left;
	return CDC_OK;
}

/* Slots of exactly `rows` rows, to the end of the last one or of the chunk. */
static int fill_rows(struct cdc_pq_column *c, uint32_t rows, struct cdc_err *err)
{
	for (;;) {
		uint32_t begun = rows;
		uint32_t k = 0;
		int rc;

		if (c->page.left == 0) {
			rc = cdc_pq_column_next_page(c, err);
			if (rc != CDC_OK)
				return rc;
		}
		rc = cdc_pq_column_look_ahead(c, CDC_PQ_STEP, &begun, &k, err);
		if (rc < 0 || k == 0)
			return rc;
		if (c->batch.n >= MAX_ROW_SLOTS)
			return cdc_fail(err, CDC_ENOMEM, "rows of more than %u values",
					MAX_ROW_SLOTS);
		rc = cdc_pq_batch_append(&c->batch, &c->page, k, &c->space, err);
		if (rc < 0)
			return rc;
		rows -= begun;
	}
}

static void hand_out(const struct cdc_pq_column *c, struct cdc_pq_vec *out)
{
	const struct cdc_pq_batch *b = &c->batch;

	*out = (struct cdc_pq_vec){ .type = b->type,
				    .n = b->n,
				    .values = b->values.p,
				    .def = b->has_def ? b->def.p : NULL,
				    .rep = c->env.max_rep ? b->rep.p : NULL };
}

static int read_rows(struct cdc_pq_column *c, uint32_t rows, struct cdc_pq_vec *out,
		     struct cdc_err *err)
{
	int rc = cdc_pq_column_begin_batch(c, err);

	if (rc >= 0 && c->page.left == 0)
		rc = cdc_pq_column_next_page(c, err);
	if (rc != CDC_OK)
		return rc;
	rc = fill_rows(c, rows, err);
	if (rc >= 0)
		rc = check_nested(c, err);
	if (rc >= 0)
		hand_out(c, out);
	return rc < 0 ? rc : CDC_OK;
}

int cdc_pq_column_rows(struct cdc_pq_column *c, uint32_t max_rows, uint32_t max_slots,
		       uint32_t *rows, struct cdc_err *err)
{
	uint32_t k = 0;
	int rc = CDC_OK;

	*rows = max_rows;
	if (c->rc < 0)
		return cdc_fail(err, c->rc, "the column was given up after an error");
	if (c->env.max_rep == 0)
		return CDC_OK;
	if (c->page.left == 0) {
		rc = cdc_pq_column_begin_batch(c, err);
		if (rc >= 0)
			rc = cdc_pq_column_next_page(c, err);
	}
	if (rc == CDC_OK)
		rc = cdc_pq_column_look_ahead(c, max_slots, rows, &k, err);
	if (rc == CDC_OK && *rows == 0)
		*rows = 1;
	return rc < 0 ? cdc_pq_column_failed(c, rc, err) : rc;
}

int cdc_pq_column_read_rows(struct cdc_pq_column *c, uint32_t rows, struct cdc_pq_vec *out,
			    struct cdc_err *err)
{
	int rc;

	if (c->env.max_rep == 0 || c->rc < 0 || rows == 0)
		return cdc_pq_column_read(c, rows, out, err);
	rc = read_rows(c, rows, out, err);
	return rc < 0 ? cdc_pq_column_failed(c, rc, err) : rc;
}

static int read_batch(struct cdc_pq_column *c, uint32_t max, struct cdc_pq_vec *out,
		      struct cdc_err *err)
{
	bool done = false;
	int rc = cdc_pq_column_begin_batch(c, err);

	if (rc >= 0 && c->page.left == 0)
		rc = cdc_pq_column_next_page(c, err);
	if (rc == CDC_OK && !c->env.max_rep)
		rc = read_direct(c, max, out, &done, err);
	if (rc != CDC_OK || done)
		return rc;
	rc = fill(c, max, err);
	if (rc == CDC_OK && c->env.max_rep)
		rc = finish_row(c, max, err);
	if (rc >= 0 && c->env.max_rep)
		rc = check_nested(c, err);
	if (rc < 0)
		return rc;
	hand_out(c, out);
	return CDC_OK;
}

int cdc_pq_column_read(struct cdc_pq_column *c, uint32_t max, struct cdc_pq_vec *out,
		       struct cdc_err *err)
{
	int rc;

	if (c->rc < 0)
		return cdc_fail(err, c->rc, "the column was given up after an error");
	if (max == 0)
		return cdc_fail(err, CDC_EINTERNAL, "a batch of no slots");
	rc = read_batch(c, max, out, err);
	return rc < 0 ? cdc_pq_column_failed(c, rc, err) : rc;
}
