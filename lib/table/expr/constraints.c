/*
 * Rows held against a table's demands, and filled by its expressions. See constraints.h.
 */
#include "table/expr/constraints_int.h"
#include "table/where/where_tree.h"

#include <stdio.h>
#include <stdlib.h>

#define SHOWN(s) (int)((s).n > 100 ? 100 : (s).n), (s).p

/* ------------------------------------------------------------------ life */

int cdc_constraints_new(struct cdc_constraints **out, const struct cdc_snapshot *s,
			struct cdc_err *err)
{
	struct cdc_constraints *c = calloc(1, sizeof(*c));
	size_t n = (size_t)s->schema.num_fields + 1;
	int rc;

	*out = NULL;
	if (!c)
		return cdc_fail_nomem(err);
	c->snapshot = s;
	c->fills = cdc_arena_calloc(&c->arena, n, sizeof(*c->fills));
	c->column = cdc_arena_calloc(&c->arena, n, sizeof(*c->column));
	c->valid = cdc_arena_calloc(&c->arena, n, sizeof(*c->valid));
	c->used = cdc_arena_calloc(&c->arena, n, sizeof(*c->used));
	rc = c->fills && c->column && c->valid && c->used ? cdc_constraints_read(c, err)
							  : cdc_fail_nomem(err);
	if (rc < 0) {
		cdc_constraints_free(c);
		return rc;
	}
	*out = c;
	return CDC_OK;
}

void cdc_constraints_free(struct cdc_constraints *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < c->num_rules; i++)
		cdc_expr_free(c->rule[i].expr);
	free(c->rule);
	free(c->work);
	cdc_arena_free(&c->arena);
	free(c);
}

bool cdc_constraints_any(const struct cdc_constraints *c)
{
	return c->any_check;
}

bool cdc_constraints_any_fill(const struct cdc_constraints *c)
{
	return c->any_fill;
}

bool cdc_constraints_fills(const struct cdc_constraints *c, int field)
{
	return c->fills[field];
}

void cdc_constraints_time(struct cdc_constraints *c, int64_t now_us)
{
	c->now_us = now_us;
}

/* ------------------------------------------------------------------ filling */

/* The cells that expressions use, as columns of one row. */
static void view_row(struct cdc_constraints *c, const struct cdc_rows *rows, uint32_t row)
{
	for (int f = 0; f < c->snapshot->schema.num_fields; f++) {
		const struct cdc_rows_column *from = &rows->column[f];

		if (!c->used[f])
			continue;
		c->valid[f] = cdc_cell_has_value(from->cell[row]);
		c->column[f] = (struct cdc_column){ &c->snapshot->schema.field[f],
						    from->values + (size_t)row * from->size,
						    &c->valid[f], NULL };
	}
}

static int fill_cell(struct cdc_constraints *c, const struct cdc_rule *r, struct cdc_rows *rows,
		     uint32_t row, struct cdc_err *err)
{
	const struct cdc_field *f = &c->snapshot->schema.field[r->field];
	const struct cdc_batch one = { .rows = 1, .column = c->column };
	struct cdc_column got;
	union cdc_value v;
	char title[300];
	int rc = cdc_expr_eval(r->expr, &one, c->now_us, &got, err);
	uint8_t state;

	if (rc < 0)
		return rc;
	state = got.valid ? got.valid[0] : CDC_ROW_VALUE;
	if (state == CDC_ROW_VALUE) {
		v = cdc_value_load(f->type, got.values, 0);
		return cdc_rows_set(rows, row, r->field, &v, err);
	}
	(void)cdc_rule_title(r, title, sizeof(title));
	if (state == CDC_ROW_ERROR)
		return cdc_fail(err, CDC_EDATA, "%s has no value for this row", title);
	if (!f->nullable)
		return cdc_fail(err, CDC_EDATA, "%s is null, and the column is NOT NULL", title);
	cdc_rows_set_null(rows, row, r->field);
	return CDC_OK;
}

static int fill_kind(struct cdc_constraints *c, enum cdc_rule_kind kind, struct cdc_rows *rows,
		     uint32_t row, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (uint32_t i = 0; i < c->num_rules && rc == CDC_OK; i++) {
		const struct cdc_rule *r = &c->rule[i];
		uint8_t cell;

		if (r->kind != kind)
			continue;
		cell = rows->column[r->field].cell[row];
		if (cell == CDC_CELL_VALUE || cell == CDC_CELL_NULL)
			continue;
		if (kind != CDC_RULE_IDENTITY)
			rc = fill_cell(c, r, rows, row, err);
		else
			rc = cdc_fail(err, CDC_EDATA,
				      "identity column %.*s has no value, and none are generated "
				      "here",
				      SHOWN(r->name));
	}
	return rc;
}

int cdc_constraints_fill(struct cdc_constraints *c, struct cdc_rows *rows, uint32_t row,
			 bool has_base, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (!c->any_fill)
		return CDC_OK;
	if (!has_base)
		rc = fill_kind(c, CDC_RULE_IDENTITY, rows, row, err);
	if (rc == CDC_OK && !has_base)
		rc = fill_kind(c, CDC_RULE_DEFAULT, rows, row, err);
	if (rc < 0)
		return rc;
	view_row(c, rows, row);
	return fill_kind(c, CDC_RULE_GENERATED, rows, row, err);
}

/* ------------------------------------------------------------------ checking */

enum verdict { KEPT, NOT_TRUE, NO_VALUE };

/* Two to a rule, for its two ways to fail; 0 is neither. */
static uint32_t code_of(uint32_t rule, enum verdict v)
{
	return v == KEPT ? 0 : rule * 2 + (uint32_t)v;
}

static enum verdict verdict_of_condition(const struct cdc_column *got, uint32_t row)
{
	uint8_t state = got->valid ? got->valid[row] : CDC_ROW_VALUE;

	if (state == CDC_ROW_ERROR)
		return NO_VALUE;
	return state == CDC_ROW_VALUE && ((const uint8_t *)got->values)[row] ? KEPT : NOT_TRUE;
}

/* column <=> expression */
static void compare_generated(const struct cdc_constraints *c, const struct cdc_column *column,
			      const struct cdc_column *got, uint32_t rows, uint8_t *verdict)
{
	uint8_t *both = c->work + c->work_rows;

	for (uint32_t i = 0; i < rows; i++)
		both[i] = !cdc_column_is_null(column, i) &&
			  (!got->valid || got->valid[i] == CDC_ROW_VALUE);
	cdc_columns_compare(column, got, CDC_OP_EQ, both, rows, verdict);
	for (uint32_t i = 0; i < rows; i++) {
		uint8_t state = got->valid ? got->valid[i] : CDC_ROW_VALUE;
		bool same = both[i] ? verdict[i] == 1
				    : cdc_column_is_null(column, i) && state == CDC_ROW_NULL;

		verdict[i] = state == CDC_ROW_ERROR ? NO_VALUE : same ? KEPT : NOT_TRUE;
	}
}

static int grow(struct cdc_constraints *c, uint32_t rows, struct cdc_err *err)
{
	uint8_t *work;

	if (rows <= c->work_rows)
		return CDC_OK;
	work = reallocarray(c->work, rows, 2);
	if (!work)
		return cdc_fail_nomem(err);
	c->work = work;
	c->work_rows = rows;
	return CDC_OK;
}

int cdc_constraints_check(struct cdc_constraints *c, const struct cdc_batch *batch, uint32_t *bad,
			  struct cdc_err *err)
{
	int rc = grow(c, batch->rows, err);

	if (batch->rows)
		memset(bad, 0, batch->rows * sizeof(*bad));
	for (uint32_t i = 0; i < c->num_rules && rc == CDC_OK && batch->rows; i++) {
		const struct cdc_rule *r = &c->rule[i];
		struct cdc_column got;

		if (r->kind > CDC_RULE_GENERATED)
			continue;
		rc = cdc_expr_eval(r->expr, batch, c->now_us, &got, err);
		if (rc < 0)
			return rc;
		if (r->kind == CDC_RULE_GENERATED)
			compare_generated(c, &batch->column[r->field], &got, batch->rows, c->work);
		for (uint32_t row = 0; row < batch->rows; row++) {
			if (!bad[row])
				bad[row] = code_of(i, r->kind == CDC_RULE_GENERATED
							      ? (enum verdict)c->work[row]
							      : verdict_of_condition(&got, row));
		}
	}
	return rc;
}

void cdc_constraints_reason(const struct cdc_constraints *c, uint32_t bad, char *out, size_t n)
{
	const struct cdc_rule *r = &c->rule[(bad - 1) / 2];
	bool no_value = (bad - 1) % 2;
	size_t k = cdc_rule_title(r, out, n);

	if (k < n)
		(void)snprintf(out + k, n - k, "%s",
			       no_value
				       ? " has no value for this row, as by overflow or a division "
					 "by zero"
			       : r->kind == CDC_RULE_GENERATED ? " is not what the row has"
							       : " is not true");
}
