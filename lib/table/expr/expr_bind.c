/*
 * An expression's tree and a schema to nodes of known types: columns and conditions. See expr.h.
 */
#include "table/expr/expr_int.h"

int cdc_expr_refuse(struct cdc_expr_binder *b, const struct cdc_where_node *at, const char *what)
{
	(void)cdc_where_fail(b->e->where, at->text.p, b->err, "%s", what);
	b->err->code = CDC_EUNSUPPORTED;
	return CDC_EUNSUPPORTED;
}

int cdc_expr_node(struct cdc_expr_binder *b, enum cdc_expr_kind kind, enum cdc_type type,
		  const struct cdc_where_node *source, int num_args, struct cdc_expr_node **out)
{
	struct cdc_arena *a = &b->e->arena;

	*out = cdc_arena_calloc(a, 1, sizeof(**out));
	if (!*out)
		return cdc_fail_nomem(b->err);
	(*out)->arg = cdc_arena_calloc(a, (size_t)num_args + 1, sizeof(*(*out)->arg));
	if (!(*out)->arg)
		return cdc_fail_nomem(b->err);
	(*out)->kind = kind;
	(*out)->type.type = type;
	(*out)->source = source;
	(*out)->num_args = num_args;
	return CDC_OK;
}

/* ------------------------------------------------------------------ columns */

static int bind_column(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		       struct cdc_expr_node **out)
{
	const struct cdc_schema *s = b->e->schema;
	int top = cdc_schema_find(s, n->part[0]);
	const struct cdc_field *f;
	int rc;

	if (top < 0 && n->num_parts == 1) {
		rc = cdc_expr_bind_word(b, n, n->part[0], out);
		if (rc != CDC_END)
			return rc;
	}
	if (top < 0)
		return cdc_expr_refuse(b, n, "there is no such column");
	f = &s->field[top];
	rc = cdc_expr_node(b, CDC_EXPR_COLUMN, f->type, n, 0, out);
	if (rc < 0)
		return rc;
	(*out)->column = top;
	(*out)->step = cdc_arena_calloc(&b->e->arena, (size_t)n->num_parts, sizeof(int));
	if (!(*out)->step)
		return cdc_fail_nomem(b->err);
	for (int i = 1; i < n->num_parts; i++) {
		int step = f->type == CDC_TYPE_STRUCT ? cdc_where_find_child(f, n->part[i]) : -1;

		if (step < 0)
			return cdc_expr_refuse(b, n, "there is no such field");
		(*out)->step[(*out)->num_steps++] = step;
		f = &f->child[step];
	}
	(*out)->type = *f;
	return CDC_OK;
}

/* ------------------------------------------------------------------ conditions */

static int bind_arguments(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			  enum cdc_expr_kind kind, struct cdc_expr_node **out)
{
	int count = 0;
	int i = 0;
	int rc;

	for (const struct cdc_where_node *c = n->child; c; c = c->next)
		count++;
	rc = cdc_expr_node(b, kind, CDC_TYPE_BOOLEAN, n, count, out);
	for (const struct cdc_where_node *c = n->child; c && rc == CDC_OK; c = c->next)
		rc = cdc_expr_bind(b, c, &(*out)->arg[i++]);
	return rc;
}

/* AND, OR, NOT, IS TRUE: of conditions. */
static int bind_connective(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			   enum cdc_expr_kind kind, struct cdc_expr_node **out)
{
	int rc = bind_arguments(b, n, kind, out);

	for (int i = 0; rc == CDC_OK && i < (*out)->num_args; i++) {
		enum cdc_type t = (*out)->arg[i]->type.type;

		if (t != CDC_TYPE_BOOLEAN && t != CDC_TYPE_VOID)
			rc = cdc_expr_refuse(b, (*out)->arg[i]->source, "a condition is wanted");
	}
	if (rc == CDC_OK)
		(*out)->outcomes = n->outcomes;
	return rc;
}

/* The first argument with each of the others; comparisons keep n->op. */
static int bind_comparison(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			   enum cdc_expr_kind kind, struct cdc_expr_node **out)
{
	int rc = bind_arguments(b, n, kind, out);

	for (int i = 1; rc == CDC_OK && i < (*out)->num_args; i++)
		rc = cdc_expr_match(b, n, &(*out)->arg[0], &(*out)->arg[i], kind == CDC_EXPR_IN);
	if (rc == CDC_OK)
		(*out)->op = n->op;
	return rc;
}

static int bind_like(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		     struct cdc_expr_node **out)
{
	const struct cdc_where_node *pattern = n->child->next;
	const struct cdc_where_node *escape = pattern->next;
	const char *wrong;
	bool nomem;
	int rc = cdc_expr_node(b, CDC_EXPR_CALL, CDC_TYPE_BOOLEAN, n, 1, out);

	if (rc == CDC_OK)
		rc = cdc_expr_bind(b, n->child, &(*out)->arg[0]);
	if (rc < 0)
		return rc;
	if ((*out)->arg[0]->type.type != CDC_TYPE_STRING)
		return cdc_expr_refuse(b, n->child, "LIKE wants text");
	if (!cdc_expr_is_plain_text(pattern) || (escape && !cdc_expr_is_plain_text(escape)))
		return cdc_expr_refuse(b, pattern, "a backslash or a doubled quote in a pattern");
	if (escape && (escape->value.n != 1 || (unsigned char)*escape->value.p >= 0x80))
		return cdc_expr_refuse(b, escape, "ESCAPE wants one ASCII character");
	wrong = cdc_like_compile(&(*out)->like, pattern->value,
				 escape ? escape->value : CDC_STR("\\"), &b->e->arena, &nomem);
	if (nomem)
		return cdc_fail_nomem(b->err);
	(*out)->fn = cdc_fn_like;
	return wrong ? cdc_expr_refuse(b, pattern, wrong) : CDC_OK;
}

/* IS [NOT] NULL is of any value; IS TRUE and its like of conditions. */
static int bind_is(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		   struct cdc_expr_node **out)
{
	struct cdc_expr_node *is = NULL;
	int rc;

	if (n->outcomes != CDC_OUTCOME(CDC_UNKNOWN) &&
	    n->outcomes != (CDC_OUTCOMES_ALL ^ CDC_OUTCOME(CDC_UNKNOWN)))
		return bind_connective(b, n, CDC_EXPR_IS, out);
	rc = bind_arguments(b, n, CDC_EXPR_IS_NULL, &is);
	*out = is;
	if (rc < 0 || n->outcomes == CDC_OUTCOME(CDC_UNKNOWN))
		return rc;
	rc = cdc_expr_node(b, CDC_EXPR_NOT, CDC_TYPE_BOOLEAN, n, 1, out);
	if (rc == CDC_OK)
		(*out)->arg[0] = is;
	return rc;
}

int cdc_expr_bind(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		  struct cdc_expr_node **out)
{
	*out = NULL;
	switch (n->kind) {
	case CDC_WHERE_AND:
		return bind_connective(b, n, CDC_EXPR_AND, out);
	case CDC_WHERE_OR:
		return bind_connective(b, n, CDC_EXPR_OR, out);
	case CDC_WHERE_NOT:
		return bind_connective(b, n, CDC_EXPR_NOT, out);
	case CDC_WHERE_COMPARE:
		return bind_comparison(b, n, CDC_EXPR_COMPARE, out);
	case CDC_WHERE_BETWEEN:
		return bind_comparison(b, n, CDC_EXPR_BETWEEN, out);
	case CDC_WHERE_IN:
		return bind_comparison(b, n, CDC_EXPR_IN, out);
	case CDC_WHERE_LIKE:
		return bind_like(b, n, out);
	case CDC_WHERE_IS:
		return bind_is(b, n, out);
	case CDC_WHERE_COLUMN:
		return bind_column(b, n, out);
	case CDC_WHERE_LITERAL:
		return cdc_expr_bind_literal(b, n, out);
	case CDC_WHERE_CALL:
	case CDC_WHERE_CASE:
		return cdc_expr_bind_call(b, n, out);
	case CDC_WHERE_CAST:
		return cdc_expr_bind_cast(b, n, out);
	}
	return cdc_fail(b->err, CDC_EINTERNAL, "a node of an unknown kind");
}
