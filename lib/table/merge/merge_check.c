/*
 * What the table demands of new rows: values in NOT NULL columns, and its constraints; and what it
 * gives them, defaults and generated columns. See merge_internal.h.
 */
#include "table/merge/merge_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* The row is not written, and what is stored of it stays. */
static int reject_row(struct cdc_merge *m, struct batch *b, struct entry *e, const char *reason,
		      struct cdc_err *err)
{
	struct cdc_buf raw = CDC_BUF_INIT;
	int rc = image_of_row(&b->rows, e->row, cdc_buf_str(&m->db_table), &raw, err);

	e->rejected = true;
	drop_rejected(b, e);
	if (!rc)
		rc = merge_reject(m, reason, e->place, cdc_buf_str(&raw), err);
	cdc_buf_free(&raw);
	return rc;
}

/* ------------------------------------------------------------------ filling */

static bool is_given(uint8_t cell)
{
	return cell == CDC_CELL_VALUE || cell == CDC_CELL_NULL;
}

/* What is filled now is not given: another attempt fills it anew. */
static void mark_filled(const struct cdc_merge *m, struct cdc_rows *r, uint32_t row,
			const uint8_t *before)
{
	for (int f = 0; f < r->schema->num_fields; f++) {
		uint8_t *cell = &r->column[f].cell[row];

		if (!cdc_constraints_fills(m->constraints, f) || is_given(before[f]))
			continue;
		if (*cell == CDC_CELL_VALUE)
			*cell = CDC_CELL_KEPT_VALUE;
		else if (*cell == CDC_CELL_NULL)
			*cell = CDC_CELL_KEPT_NULL;
	}
}

static int fill_row(struct cdc_merge *m, struct batch *b, struct entry *e, uint8_t *before,
		    struct cdc_err *err)
{
	struct cdc_rows *r = &b->rows;
	struct cdc_err why = CDC_ERR_INIT;
	int rc;

	for (int f = 0; f < r->schema->num_fields; f++)
		before[f] = r->column[f].cell[e->row];
	rc = cdc_constraints_fill(m->constraints, r, e->row, e->source != NO_INDEX && e->base_found,
				  &why);
	mark_filled(m, r, e->row, before);
	if (rc == CDC_EDATA)
		return reject_row(m, b, e, why.msg, err);
	if (rc)
		*err = why;
	return rc;
}

/* NOT NULL columns that neither the image nor a stored row gave. */
static int check_nulls(struct cdc_merge *m, struct batch *b, struct entry *e, struct cdc_err *err)
{
	const struct cdc_rows *r = &b->rows;
	char reason[256];

	for (int f = 0; f < r->schema->num_fields; f++) {
		const struct cdc_field *fd = &r->schema->field[f];

		if (fd->nullable || r->column[f].cell[e->row] != CDC_CELL_UNKNOWN)
			continue;
		snprintf(reason, sizeof(reason),
			 "column \"%.*s\" is NOT NULL, and the key of this partial update has no "
			 "row",
			 (int)(fd->name.n > 128 ? 128 : fd->name.n), fd->name.p);
		return reject_row(m, b, e, reason, err);
	}
	return CDC_OK;
}

int check_filled(struct cdc_merge *m, struct batch *b, struct cdc_err *err)
{
	bool fills = cdc_constraints_any_fill(m->constraints);
	uint8_t *before = malloc((size_t)b->rows.schema->num_fields + 1);
	int rc = before ? CDC_OK : cdc_fail_nomem(err);

	if (fills)
		cdc_constraints_time(m->constraints, m->opt.io->now_us(m->opt.io->ctx));
	for (uint32_t i = 0; !rc && i < b->n; i++) {
		struct entry *e = &b->entry[i];

		if (!is_written(e) || !e->has_unknown)
			continue;
		if (fills)
			rc = fill_row(m, b, e, before, err);
		if (!rc && !e->dropped)
			rc = check_nulls(m, b, e, err);
	}
	free(before);
	return rc;
}

/* ------------------------------------------------------------------ constraints */

struct checking {
	struct cdc_merge *m;
	struct batch *b;
	struct gather g;
	uint32_t entry[CDC_BATCH_ROWS]; /* of the rows that were gathered */
	uint32_t bad[CDC_BATCH_ROWS];
};

static int check_gathered(struct checking *k, struct cdc_err *err)
{
	struct cdc_batch rows = gather_take(&k->g);
	char reason[512];
	int rc = cdc_constraints_check(k->m->constraints, &rows, k->bad, err);

	for (uint32_t i = 0; !rc && i < rows.rows; i++) {
		if (!k->bad[i])
			continue;
		cdc_constraints_reason(k->m->constraints, k->bad[i], reason, sizeof(reason));
		rc = reject_row(k->m, k->b, &k->b->entry[k->entry[i]], reason, err);
	}
	gather_reset(&k->g);
	return rc;
}

int check_constraints(struct cdc_merge *m, struct batch *b, struct cdc_err *err)
{
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct checking *k;
	int rc;

	if (!cdc_constraints_any(m->constraints))
		return CDC_OK;
	k = calloc(1, sizeof(*k));
	if (!k)
		return cdc_fail_nomem(err);
	k->m = m;
	k->b = b;
	rc = gather_init(&k->g, &m->target.snapshot->schema, NULL, 0, &arena, err);
	for (uint32_t i = 0; !rc && i < b->n; i++) {
		if (!is_written(&b->entry[i]))
			continue;
		k->entry[k->g.n] = i;
		rc = gather_row(&k->g, &b->rows, b->entry[i].row, err);
		if (!rc && k->g.n == CDC_BATCH_ROWS)
			rc = check_gathered(k, err);
	}
	if (!rc && k->g.n)
		rc = check_gathered(k, err);
	gather_free(&k->g);
	cdc_arena_free(&arena);
	free(k);
	return rc;
}
