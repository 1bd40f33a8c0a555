/*
 * Column cursors: rows that are passed over.
 */
#include "parquet/pq_column_int.h"

/* The next k slots of the page at work. */
static int skip_slots(struct cdc_pq_column *c, uint32_t k, struct cdc_err *err)
{
	uint32_t valid = k;
	uint32_t at_max = 0;
	uint8_t level[512];
	int rc = CDC_OK;

	k = k < sizeof(level) || !c->env.max_def ? k : (uint32_t)sizeof(level);
	valid = k;
	if (c->env.max_rep)
		rc = cdc_pq_levels_read(&c->page.rep, level, k, &at_max, err);
	if (rc >= 0 && c->env.max_def)
		rc = cdc_pq_levels_read(&c->page.def, level, k, &valid, err);
	if (rc >= 0)
		rc = cdc_pq_values_skip(&c->page.values, valid, &c->space, err);
	if (rc < 0)
		return rc;
	c->page.left -= k;
	return (int)k;
}

/* Pass over pages as long as they are skipped whole; begin the one that is not. */
static int skip_pages(struct cdc_pq_column *c, uint64_t *rows, struct cdc_err *err)
{
	struct cdc_pq_page_header h;
	bool data = false;
	int rc = cdc_pq_column_leave_page(c, err);

	while (rc >= 0) {
		rc = cdc_pq_column_next_header(c, &h, err);
		if (rc != CDC_OK)
			return rc;
		rc = cdc_pq_column_note_page(c, &h, &data, err);
		if (rc < 0 || !data)
			continue;
		if ((uint64_t)h.num_values > *rows || (uint64_t)h.num_values > c->slots_left ||
		    (c->f->carried_prefix && h.encoding == CDC_PQ_DELTA_BYTE_ARRAY))
			return cdc_pq_column_begin_page(c, &h, err);
		*rows -= (uint64_t)h.num_values;
		c->slots_left -= (uint64_t)h.num_values;
		if (*rows == 0)
			return CDC_OK;
	}
	return rc;
}

static int skip_rows(struct cdc_pq_column *c, uint64_t rows, struct cdc_err *err)
{
	int rc = cdc_pq_column_begin_batch(c, err);

	while (rc >= 0 && rows > 0) {
		if (c->page.left == 0) {
			rc = skip_pages(c, &rows, err);
			if (rc == CDC_END)
				return cdc_fail(err, CDC_EINTERNAL, "a skip beyond its end");
			continue;
		}
		rc = skip_slots(c, rows < c->page.left ? (uint32_t)rows : c->page.left, err);
		if (rc >= 0)
			rows -= (uint64_t)rc;
		if (rc >= 0 && c->space.arena.total_bytes > CDC_PQ_MAX_STRINGS / 2)
			rc = cdc_pq_column_begin_batch(c, err);
	}
	return rc < 0 ? rc : CDC_OK;
}

static int check_first(const struct cdc_pq_column *c, struct cdc_err *err)
{
	uint8_t v = 0;
	int rc = cdc_pq_levels_peek(&c->page.rep, &v, err);

	if (rc >= 0 && v != 0)
		return cdc_fail(err, CDC_ECORRUPT, "its first value continues a row");
	return rc;
}

/* Rows of a nested column: where they end only the repetition levels tell. */
static int skip_nested(struct cdc_pq_column *c, uint64_t rows, struct cdc_err *err)
{
	int rc = cdc_pq_column_begin_batch(c, err);

	if (rows > c->rows_left)
		return cdc_fail(err, CDC_EINTERNAL, "a skip beyond its end");
	c->rows_left -= rows;
	while (rc >= 0) {
		uint32_t begun = rows < UINT32_MAX ? (uint32_t)rows : UINT32_MAX;
		uint32_t k = 0;

		if (c->page.left == 0) {
			rc = cdc_pq_column_next_page(c, err);
			if (rc != CDC_OK)
				break;
		}
		if (!c->began && (rc = check_first(c, err)) < 0)
			break;
		rc = cdc_pq_column_look_ahead(c, CDC_PQ_STEP, &begun, &k, err);
		if (rc < 0 || k == 0)
			break;
		c->began = true;
		rows -= begun;
		while (rc >= 0 && k > 0) {
			rc = skip_slots(c, k, err);
			k -= rc < 0 ? 0 : (uint32_t)rc;
		}
		if (rc >= 0 && c->space.arena.total_bytes > CDC_PQ_MAX_STRINGS / 2)
			rc = cdc_pq_column_begin_batch(c, err);
	}
	if (rc == CDC_END && (rows > 0 || c->rows_left > 0))
		return cdc_fail(err, CDC_ECORRUPT, "it has %llu rows fewer than its row group",
				(unsigned long long)(rows + c->rows_left));
	return rc < 0 ? rc : CDC_OK;
}

int cdc_pq_column_skip(struct cdc_pq_column *c, uint64_t rows, struct cdc_err *err)
{
	int rc;

	if (c->rc < 0)
		return cdc_fail(err, c->rc, "the column was given up after an error");
	if (rows == 0)
		return CDC_OK;
	rc = c->env.max_rep ? skip_nested(c, rows, err) : skip_rows(c, rows, err);
	return rc < 0 ? cdc_pq_column_failed(c, rc, err) : rc;
}
