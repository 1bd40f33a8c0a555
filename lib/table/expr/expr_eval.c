/*
 * An expression on a batch: node by node, each a loop over columns that leaves a value and a state
 * a row. What Spark does not evaluate, since what comes before it decides, cannot be in error.
 */
#include "table/batch/batch_rows.h"
#include "table/expr/expr_int.h"

#include <stdlib.h>

#define SLOT_BYTES 16 /* the largest value */

struct run {
	struct cdc_expr *e;
	const struct cdc_batch *batch;
	uint32_t rows;
	int64_t now_us;
};

static unsigned char *values_of(const struct run *r, int slot)
{
	return r->e->values + (size_t)slot * r->e->work_rows * SLOT_BYTES;
}

/* The last array is for whoever is at work. */
static uint8_t *state_of(const struct run *r, int slot)
{
	return r->e->state + (size_t)slot * r->e->work_rows;
}

static bool eval(struct run *r, const struct cdc_expr_node *n, struct cdc_column *out);

static uint8_t state_at(const struct cdc_column *c, uint32_t row)
{
	return c->valid ? c->valid[row] : CDC_ROW_VALUE;
}

/* ------------------------------------------------------------------ columns and constants */

/* Null is what has a null anywhere on its path. */
static void eval_column(struct run *r, const struct cdc_expr_node *n, struct cdc_column *out)
{
	const struct cdc_column *c = &r->batch->column[n->column];
	uint8_t *state = state_of(r, n->slot);

	out->valid = c->valid;
	for (int i = 0; i < n->num_steps; i++) {
		c = &c->child[n->step[i]];
		for (uint32_t row = 0; c->valid && out->valid && row < r->rows; row++)
			state[row] = out->valid[row] && c->valid[row];
		if (c->valid)
			out->valid = out->valid ? state : c->valid;
	}
	out->values = c->values;
	if (n->type.type != CDC_TYPE_VOID)
		return;
	memset(state, CDC_ROW_NULL, r->rows);
	out->valid = state;
}

static void eval_constant(struct run *r, const struct cdc_expr_node *n, struct cdc_column *out)
{
	unsigned char *values = values_of(r, n->slot);
	size_t bytes = cdc_type_size(n->type.type);
	size_t all = bytes * r->rows;
	union cdc_value v = n->value;

	if (n->is_null) {
		memset(state_of(r, n->slot), CDC_ROW_NULL, r->rows);
		return;
	}
	if (n->kind == CDC_EXPR_NOW)
		v.i = n->type.type == CDC_TYPE_DATE
			      ? cdc_expr_floor_div(r->now_us, INT64_C(86400000000))
			      : r->now_us;
	out->valid = NULL;
	cdc_value_store(n->type.type, values, 0, &v);
	/* What is there is copied behind itself until it fills the array. */
	for (; bytes < all; bytes *= 2)
		memcpy(values + bytes, values, bytes <= all - bytes ? bytes : all - bytes);
}

/* ------------------------------------------------------------------ functions of rows */

/* The first argument without a value decides. */
static void states_of_arguments(const struct run *r, const struct cdc_column *arg, int n,
				uint8_t *state)
{
	memset(state, CDC_ROW_VALUE, r->rows);
	for (int i = 0; i < n; i++) {
		for (uint32_t row = 0; arg[i].valid && row < r->rows; row++) {
			if (state[row] == CDC_ROW_VALUE)
				state[row] = arg[i].valid[row];
		}
	}
}

static bool eval_call(struct run *r, const struct cdc_expr_node *n)
{
	struct cdc_column arg[CDC_EXPR_MAX_ARGS];
	struct cdc_expr_row call = { .node = n, .arena = &r->e->strings };
	uint8_t *state = state_of(r, n->slot);

	for (int i = 0; i < n->num_args; i++) {
		if (!eval(r, n->arg[i], &arg[i]))
			return false;
	}
	states_of_arguments(r, arg, n->num_args, state);
	for (uint32_t row = 0; row < r->rows; row++) {
		if (state[row] != CDC_ROW_VALUE)
			continue;
		for (int i = 0; i < n->num_args; i++)
			call.arg[i] = cdc_value_load(arg[i].field->type, arg[i].values, row);
		call.out = (union cdc_value){ .dec = 0 };
		if (n->fn(&call))
			cdc_value_store(n->type.type, values_of(r, n->slot), row, &call.out);
		else
			state[row] = CDC_ROW_ERROR;
		if (call.nomem)
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------ outcomes */

#define IN_ERROR 3 /* beside enum cdc_outcome */

static uint8_t outcome_at(const struct cdc_column *c, uint32_t row)
{
	uint8_t state = state_at(c, row);

	return state == CDC_ROW_VALUE  ? ((const uint8_t *)c->values)[row] != 0
	       : state == CDC_ROW_NULL ? CDC_UNKNOWN
				       : IN_ERROR;
}

/* A node's arrays, as outcomes are put into them. */
struct outcomes {
	uint8_t *value;
	uint8_t *state;
};

static struct outcomes outcomes_of(const struct run *r, const struct cdc_expr_node *n)
{
	return (struct outcomes){ values_of(r, n->slot), state_of(r, n->slot) };
}

static void put_outcome(struct outcomes to, uint32_t row, uint8_t outcome)
{
	static const uint8_t state[4] = { [CDC_FALSE] = CDC_ROW_VALUE,
					  [CDC_TRUE] = CDC_ROW_VALUE,
					  [CDC_UNKNOWN] = CDC_ROW_NULL,
					  [IN_ERROR] = CDC_ROW_ERROR };

	to.state[row] = state[outcome];
	to.value[row] = outcome == CDC_TRUE;
}

/* Left to right: what decides ends it, and so does an error. */
static uint8_t combine(uint8_t decides, uint8_t left, uint8_t right)
{
	if (left == decides || left == IN_ERROR)
		return left;
	if (right == decides || right == IN_ERROR)
		return right;
	return left > right ? left : right;
}

/* x op y, as outcomes in the array. */
static void compare(const struct run *r, enum cdc_where_op op, const struct cdc_column *x,
		    const struct cdc_column *y, uint8_t *out)
{
	const struct cdc_column pair[2] = { *x, *y };
	bool turn = op == CDC_OP_GT || op == CDC_OP_GE;
	bool empty = x->field->type == CDC_TYPE_VOID || y->field->type == CDC_TYPE_VOID;
	enum cdc_where_op kind = op == CDC_OP_GT || op == CDC_OP_LT   ? CDC_OP_LT
				 : op == CDC_OP_GE || op == CDC_OP_LE ? CDC_OP_LE
								      : CDC_OP_EQ;
	uint8_t *state = state_of(r, r->e->num_slots);

	if (!x->valid && !y->valid) {
		cdc_columns_compare(turn ? y : x, turn ? x : y, kind, NULL, r->rows, out);
		for (uint32_t i = 0; op == CDC_OP_NE && i < r->rows; i++)
			out[i] = !out[i];
		return;
	}
	states_of_arguments(r, pair, 2, state);
	for (uint32_t i = 0; i < r->rows; i++)
		state[i] = state[i] == CDC_ROW_VALUE;
	if (!empty)
		cdc_columns_compare(turn ? y : x, turn ? x : y, kind, state, r->rows, out);
	states_of_arguments(r, pair, 2, state);
	for (uint32_t i = 0; i < r->rows; i++) {
		uint8_t a = state_at(x, i);
		uint8_t b = state_at(y, i);

		if (op == CDC_OP_SAME && (a == CDC_ROW_ERROR || b == CDC_ROW_ERROR))
			out[i] = IN_ERROR;
		else if (op == CDC_OP_SAME && state[i] != CDC_ROW_VALUE)
			out[i] = a == b;
		else if (state[i] != CDC_ROW_VALUE)
			out[i] = state[i] == CDC_ROW_NULL ? CDC_UNKNOWN : IN_ERROR;
		else if (op == CDC_OP_NE)
			out[i] = !out[i];
	}
}

static bool eval_comparison(struct run *r, const struct cdc_expr_node *n)
{
	struct outcomes self = outcomes_of(r, n);
	uint8_t *out = self.value;
	struct cdc_column x;
	struct cdc_column y;

	if (!eval(r, n->arg[0], &x))
		return false;
	for (int i = 1; i < n->num_args; i++) {
		/* Behind the outcomes so far there is room for another array. */
		uint8_t *other = i == 1 ? out : out + r->e->work_rows;
		uint8_t decides = n->kind == CDC_EXPR_IN ? CDC_TRUE : CDC_FALSE;
		enum cdc_where_op op = n->kind == CDC_EXPR_COMPARE ? n->op
				       : n->kind == CDC_EXPR_IN	   ? CDC_OP_EQ
				       : i == 1			   ? CDC_OP_GE
								   : CDC_OP_LE;

		if (!eval(r, n->arg[i], &y))
			return false;
		compare(r, op, &x, &y, other);
		for (uint32_t row = 0; i > 1 && row < r->rows; row++)
			out[row] = combine(decides, out[row], other[row]);
	}
	for (uint32_t row = 0; row < r->rows; row++)
		put_outcome(self, row, out[row]);
	return true;
}

static bool eval_connective(struct run *r, const struct cdc_expr_node *n)
{
	uint8_t decides = n->kind == CDC_EXPR_AND ? CDC_FALSE : CDC_TRUE;
	struct outcomes self = outcomes_of(r, n);
	struct cdc_column so_far = { .values = self.value, .valid = self.state };
	struct cdc_column c;

	if (!eval(r, n->arg[0], &c))
		return false;
	for (uint32_t row = 0; row < r->rows; row++)
		put_outcome(self, row, outcome_at(&c, row));
	for (int i = 1; i < n->num_args; i++) {
		if (!eval(r, n->arg[i], &c))
			return false;
		for (uint32_t row = 0; row < r->rows; row++)
			put_outcome(
				self, row,
				combine(decides, outcome_at(&so_far, row), outcome_at(&c, row)));
	}
	return true;
}

/* NOT, IS, IS NULL */
static bool eval_test(struct run *r, const struct cdc_expr_node *n)
{
	static const uint8_t negation[4] = { CDC_TRUE, CDC_FALSE, CDC_UNKNOWN, IN_ERROR };
	struct outcomes self = outcomes_of(r, n);
	struct cdc_column c;

	if (!eval(r, n->arg[0], &c))
		return false;
	for (uint32_t row = 0; row < r->rows; row++) {
		uint8_t state = state_at(&c, row);
		uint8_t o;

		if (state == CDC_ROW_ERROR)
			o = IN_ERROR;
		else if (n->kind == CDC_EXPR_IS_NULL)
			o = state == CDC_ROW_NULL;
		else if (n->kind == CDC_EXPR_NOT)
			o = negation[outcome_at(&c, row)];
		else
			o = (n->outcomes & CDC_OUTCOME(outcome_at(&c, row))) != 0;
		put_outcome(self, row, o);
	}
	return true;
}

/* ------------------------------------------------------------------ choices */

#define OPEN 3 /* a state: not decided yet */

static void take(const struct run *r, const struct cdc_expr_node *n, const struct cdc_column *from,
		 uint32_t row)
{
	size_t size = cdc_type_size(n->type.type);

	state_of(r, n->slot)[row] = state_at(from, row);
	if (size && state_at(from, row) == CDC_ROW_VALUE)
		memcpy(values_of(r, n->slot) + row * size,
		       (const unsigned char *)from->values + row * size, size);
}

static bool eval_coalesce(struct run *r, const struct cdc_expr_node *n)
{
	uint8_t *state = state_of(r, n->slot);
	struct cdc_column c;

	memset(state, CDC_ROW_NULL, r->rows);
	for (int i = 0; i < n->num_args; i++) {
		if (!eval(r, n->arg[i], &c))
			return false;
		for (uint32_t row = 0; row < r->rows; row++) {
			if (state[row] == CDC_ROW_NULL)
				take(r, n, &c, row);
		}
	}
	return true;
}

static bool eval_case(struct run *r, const struct cdc_expr_node *n)
{
	uint8_t *state = state_of(r, n->slot);
	struct cdc_column when;
	struct cdc_column then;

	memset(state, OPEN, r->rows);
	for (int i = 0; i < n->num_args; i += 2) {
		bool last = i + 1 == n->num_args; /* ELSE */

		if ((!last && !eval(r, n->arg[i], &when)) ||
		    !eval(r, n->arg[last ? i : i + 1], &then))
			return false;
		for (uint32_t row = 0; row < r->rows; row++) {
			uint8_t o = last ? CDC_TRUE : outcome_at(&when, row);

			if (state[row] == OPEN && o == CDC_TRUE)
				take(r, n, &then, row);
			else if (state[row] == OPEN && o == IN_ERROR)
				state[row] = CDC_ROW_ERROR;
		}
	}
	for (uint32_t row = 0; row < r->rows; row++)
		state[row] = state[row] == OPEN ? CDC_ROW_NULL : state[row];
	return true;
}

/* ------------------------------------------------------------------ nodes */

/* False: memory is gone. */
static bool eval(struct run *r, const struct cdc_expr_node *n, struct cdc_column *out)
{
	*out = (struct cdc_column){ .field = &n->type,
				    .values = values_of(r, n->slot),
				    .valid = state_of(r, n->slot) };
	switch (n->kind) {
	case CDC_EXPR_COLUMN:
		eval_column(r, n, out);
		return true;
	case CDC_EXPR_CONSTANT:
	case CDC_EXPR_NOW:
		eval_constant(r, n, out);
		return true;
	case CDC_EXPR_CALL:
		return eval_call(r, n);
	case CDC_EXPR_COMPARE:
	case CDC_EXPR_BETWEEN:
	case CDC_EXPR_IN:
		return eval_comparison(r, n);
	case CDC_EXPR_AND:
	case CDC_EXPR_OR:
		return eval_connective(r, n);
	case CDC_EXPR_NOT:
	case CDC_EXPR_IS:
	case CDC_EXPR_IS_NULL:
		return eval_test(r, n);
	case CDC_EXPR_COALESCE:
		return eval_coalesce(r, n);
	case CDC_EXPR_CASE:
		return eval_case(r, n);
	}
	return true;
}

static int grow(struct cdc_expr *e, uint32_t rows, struct cdc_err *err)
{
	size_t slots = (size_t)e->num_slots + 1;
	unsigned char *values = NULL;
	uint8_t *state = NULL;

	if (rows <= e->work_rows)
		return CDC_OK;
	e->work_rows = 0;
	values = reallocarray(e->values, slots * SLOT_BYTES, rows);
	if (!values)
		return cdc_fail_nomem(err);
	e->values = values;
	state = reallocarray(e->state, slots, rows);
	if (!state)
		return cdc_fail_nomem(err);
	e->state = state;
	e->work_rows = rows;
	return CDC_OK;
}

int cdc_expr_eval(struct cdc_expr *e, const struct cdc_batch *batch, int64_t now_us,
		  struct cdc_column *out, struct cdc_err *err)
{
	struct run r = { .e = e, .batch = batch, .rows = batch->rows, .now_us = now_us };
	int rc = grow(e, batch->rows ? batch->rows : 1, err);

	if (rc < 0)
		return rc;
	cdc_arena_reset(&e->strings);
	return eval(&r, e->root, out) ? CDC_OK : cdc_fail_nomem(err);
}
