/*
 * Expressions as a whole: made from text, asked about, freed. See expr.h.
 */
#include "table/expr/expr_int.h"

#include <stdlib.h>

/* ------------------------------------------------------------------ working arrays */

/*
 * A node's value goes to slot `base`, what it is made of behind that. Arguments that are looked at
 * one after the other share a slot.
 */
static void assign_slots(struct cdc_expr *e, struct cdc_expr_node *n, int base)
{
	n->slot = base;
	if (base >= e->num_slots)
		e->num_slots = base + 1;
	for (int i = 0; i < n->num_args; i++) {
		int behind = 0;

		if (n->kind == CDC_EXPR_CALL)
			behind = i;
		else if (n->kind == CDC_EXPR_COMPARE || n->kind == CDC_EXPR_BETWEEN ||
			 n->kind == CDC_EXPR_IN)
			behind = i > 0;
		else if (n->kind == CDC_EXPR_CASE)
			behind = i % 2;
		assign_slots(e, n->arg[i], base + 1 + behind);
	}
}

/* ------------------------------------------------------------------ questions */

const struct cdc_field *cdc_expr_type(const struct cdc_expr *e)
{
	return &e->root->type;
}

static void mark(const struct cdc_expr_node *n, bool *used)
{
	if (n->kind == CDC_EXPR_COLUMN)
		used[n->column] = true;
	for (int i = 0; i < n->num_args; i++)
		mark(n->arg[i], used);
}

void cdc_expr_mark(const struct cdc_expr *e, bool *used)
{
	mark(e->root, used);
}

typedef bool test_fn(const struct cdc_expr_node *n);

/* Whether a node passes the test. */
static bool any(const struct cdc_expr_node *n, test_fn *test)
{
	if (test(n))
		return true;
	for (int i = 0; i < n->num_args; i++) {
		if (any(n->arg[i], test))
			return true;
	}
	return false;
}

static bool is_column(const struct cdc_expr_node *n)
{
	return n->kind == CDC_EXPR_COLUMN;
}

static bool is_nested(const struct cdc_expr_node *n)
{
	return n->kind == CDC_EXPR_COLUMN && n->num_steps > 0;
}

static bool is_time(const struct cdc_expr_node *n)
{
	return n->kind == CDC_EXPR_NOW;
}

bool cdc_expr_uses_columns(const struct cdc_expr *e)
{
	return any(e->root, is_column);
}

bool cdc_expr_uses_nested(const struct cdc_expr *e)
{
	return any(e->root, is_nested);
}

bool cdc_expr_uses_time(const struct cdc_expr *e)
{
	return any(e->root, is_time);
}

/* ------------------------------------------------------------------ assignment */

static bool is_assignable(enum cdc_type from, enum cdc_type to)
{
	if (from == CDC_TYPE_VOID || from == to)
		return true;
	if (cdc_expr_is_integer(from))
		return cdc_expr_is_integer(to) || cdc_expr_is_float(to) || to == CDC_TYPE_DECIMAL;
	if (from == CDC_TYPE_DECIMAL || cdc_expr_is_float(from))
		return cdc_expr_is_float(to);
	return (from == CDC_TYPE_DATE || cdc_expr_is_instant(from)) &&
	       (to == CDC_TYPE_DATE || cdc_expr_is_instant(to));
}

int cdc_expr_assign(struct cdc_expr *e, const struct cdc_field *f, struct cdc_err *err)
{
	struct cdc_expr_binder b = { e, err };
	struct cdc_expr_node *root = e->root;
	const struct cdc_field to = { .type = f->type,
				      .precision = f->precision,
				      .scale = f->scale };
	int rc;

	if (!is_assignable(e->root->type.type, f->type))
		return cdc_expr_refuse(&b, e->root->source, "a value of another type");
	rc = cdc_expr_cast(&b, &to, &root);
	if (rc < 0)
		return rc;
	e->root = root;
	assign_slots(e, root, 0);
	e->work_rows = 0; /* there may be more slots now */
	return CDC_OK;
}

/* ------------------------------------------------------------------ life */

int cdc_expr_new(struct cdc_expr **out, struct cdc_str text, const struct cdc_schema *schema,
		 struct cdc_err *err)
{
	struct cdc_expr *e = calloc(1, sizeof(*e));
	struct cdc_expr_binder b = { e, err };
	int rc;

	*out = NULL;
	if (!e)
		return cdc_fail_nomem(err);
	e->schema = schema;
	rc = cdc_where_parse_values(&e->where, text, err);
	if (rc == CDC_OK)
		rc = cdc_expr_bind(&b, e->where->root, &e->root);
	if (rc < 0) {
		if (rc == CDC_EUSAGE)
			rc = err->code = CDC_EUNSUPPORTED;
		cdc_expr_free(e);
		return rc;
	}
	assign_slots(e, e->root, 0);
	*out = e;
	return CDC_OK;
}

void cdc_expr_free(struct cdc_expr *e)
{
	if (!e)
		return;
	cdc_where_free(e->where);
	free(e->values);
	free(e->state);
	cdc_arena_free(&e->arena);
	cdc_arena_free(&e->strings);
	free(e);
}
