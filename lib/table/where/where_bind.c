/*
 * A predicate's tree and a schema to a filter: columns found, literals made values of their types,
 * comparisons turned into a few kinds of terms.
 */
#include "table/where/where_tree.h"

#include <stdlib.h>

struct binder {
	struct cdc_filter *f;
	struct cdc_err *err;
};

#define SHOWN(s) (int)((s).n > 80 ? 80 : (s).n), (s).p

static int bind_node(struct binder *b, const struct cdc_where_node *n, struct cdc_term **out);

static int new_term(struct binder *b, enum cdc_term_kind kind, const struct cdc_where_node *n,
		    struct cdc_term **out)
{
	*out = cdc_arena_calloc(&b->f->arena, 1, sizeof(**out));
	if (!*out)
		return cdc_fail_nomem(b->err);
	(*out)->kind = kind;
	(*out)->text = n->text;
	(*out)->lo = CDC_KEY_MIN;
	(*out)->hi = CDC_KEY_MAX;
	return CDC_OK;
}

static int wrap_term(struct binder *b, enum cdc_term_kind kind, const struct cdc_where_node *n,
		     struct cdc_term **term)
{
	struct cdc_term *child = *term;
	int rc = new_term(b, kind, n, term);

	if (rc == CDC_OK)
		(*term)->child = child;
	return rc;
}

static int constant(struct binder *b, const struct cdc_where_node *n, enum cdc_outcome o,
		    struct cdc_term **out)
{
	int rc = new_term(b, CDC_TERM_CONSTANT, n, out);

	if (rc == CDC_OK)
		(*out)->outcomes = CDC_OUTCOME(o);
	return rc;
}

static int fail_at(struct binder *b, const struct cdc_where_node *n, const char *what)
{
	return cdc_where_fail(b->f->where, n->text.p, b->err, "%s", what);
}

/* ------------------------------------------------------------------ columns */

int cdc_where_find_child(const struct cdc_field *f, struct cdc_str name)
{
	for (int i = 0; i < f->num_children; i++) {
		if (cdc_str_eq(f->child[i].name, name))
			return i;
	}
	for (int i = 0; i < f->num_children; i++) {
		if (cdc_str_ieq(f->child[i].name, name))
			return i;
	}
	return -1;
}

/* Index in the filter's list of a field of the schema, put there if it is new. */
static int use_column(struct cdc_filter *f, int field)
{
	for (int i = 0; i < f->num_columns; i++) {
		if (f->column[i] == field)
			return i;
	}
	f->column[f->num_columns] = field;
	return f->num_columns++;
}

static int grow_paths(struct binder *b)
{
	struct cdc_filter *f = b->f;
	struct cdc_path *more;

	if (f->num_paths & (f->num_paths - 1))
		return CDC_OK;
	more = reallocarray(f->path, f->num_paths ? (size_t)f->num_paths * 2 : 1, sizeof(*more));
	if (!more)
		return cdc_fail_nomem(b->err);
	f->path = more;
	return CDC_OK;
}

/* The path that a column's node names, as an index. Paths need not differ. */
static int bind_path(struct binder *b, const struct cdc_where_node *n, int *out)
{
	struct cdc_filter *f = b->f;
	int top = cdc_schema_find(f->schema, n->part[0]);
	struct cdc_path path = { 0 };
	int rc;

	if (top < 0)
		return cdc_where_fail(f->where, n->text.p, b->err, "there is no column \"%.*s\"",
				      SHOWN(n->part[0]));
	path.field = &f->schema->field[top];
	path.step = cdc_arena_calloc(&f->arena, (size_t)n->num_parts, sizeof(*path.step));
	if (!path.step)
		return cdc_fail_nomem(b->err);
	for (int i = 1; i < n->num_parts; i++) {
		int step = path.field->type == CDC_TYPE_STRUCT
				   ? cdc_where_find_child(path.field, n->part[i])
				   : -1;

		if (step < 0)
			return cdc_where_fail(f->where, n->text.p, b->err,
					      "\"%.*s\" has no field \"%.*s\"",
					      SHOWN(path.field->name), SHOWN(n->part[i]));
		path.step[path.num_steps++] = step;
		path.field = &path.field->child[step];
	}
	rc = grow_paths(b);
	if (rc < 0)
		return rc;
	path.column = use_column(f, top);
	*out = f->num_paths;
	f->path[f->num_paths++] = path;
	return CDC_OK;
}

static int bind_comparable(struct binder *b, const struct cdc_where_node *n, int *path)
{
	char type[CDC_TYPE_NAME_MAX];
	int rc = bind_path(b, n, path);
	const struct cdc_field *f;

	if (rc < 0)
		return rc;
	f = b->f->path[*path].field;
	if (cdc_where_key(f->type) != CDC_KEY_NONE || f->type == CDC_TYPE_VOID)
		return CDC_OK;
	return cdc_where_fail(b->f->where, n->text.p, b->err,
			      "\"%.*s\" is of type %s, which only knows IS NULL", SHOWN(f->name),
			      cdc_type_name(f, type));
}

/* ------------------------------------------------------------------ literals */

static int bad_literal(struct binder *b, const struct cdc_field *f, const struct cdc_where_node *n)
{
	char type[CDC_TYPE_NAME_MAX];

	return cdc_where_fail(b->f->where, n->text.p, b->err,
			      "%.*s is no value of column \"%.*s\", which is of type %s",
			      SHOWN(n->text), SHOWN(f->name), cdc_type_name(f, type));
}

/* Columns of 64 bits have no keys past them. */
static void clamp(const struct cdc_field *f, struct cdc_term *t)
{
	if (cdc_type_is_wide(f->type))
		return;
	if (t->lo > INT64_MAX || t->hi < INT64_MIN) {
		t->lo = 1;
		t->hi = 0;
	}
	t->lo = t->lo < INT64_MIN ? INT64_MIN : t->lo;
	t->hi = t->hi > INT64_MAX ? INT64_MAX : t->hi;
}

static void range_of_number(struct cdc_term *t, enum cdc_where_op op, struct cdc_where_number v)
{
	if (op == CDC_OP_LT || op == CDC_OP_LE) {
		t->hi = v.floor - (op == CDC_OP_LT && v.exact);
	} else if (op == CDC_OP_GT || op == CDC_OP_GE) {
		t->lo = v.floor + (op == CDC_OP_GT || !v.exact);
	} else {
		t->lo = v.floor + !v.exact;
		t->hi = v.floor;
	}
}

static void range_of_bytes(struct cdc_term *t, enum cdc_where_op op, struct cdc_str s)
{
	struct cdc_bytes_end end = { true, op == CDC_OP_LT || op == CDC_OP_GT, s };

	if (op != CDC_OP_LT && op != CDC_OP_LE)
		t->from = end;
	if (op != CDC_OP_GT && op != CDC_OP_GE)
		t->to = end;
}

/* path op literal */
static int bind_range(struct binder *b, const struct cdc_where_node *n, int path,
		      enum cdc_where_op op, const struct cdc_where_node *literal,
		      struct cdc_term **out)
{
	const struct cdc_field *f = b->f->path[path].field;
	struct cdc_where_number number;
	struct cdc_str bytes;
	int rc;

	if (literal->literal == CDC_LIT_NULL || f->type == CDC_TYPE_VOID)
		return constant(b, n, CDC_UNKNOWN, out);
	rc = new_term(b, CDC_TERM_RANGE, n, out);
	if (rc < 0)
		return rc;
	(*out)->path = path;
	if (cdc_where_key(f->type) == CDC_KEY_NUMBER) {
		if (!cdc_where_number(f, literal, &number))
			return bad_literal(b, f, literal);
		range_of_number(*out, op, number);
		clamp(f, *out);
	} else {
		rc = cdc_where_bytes(f, literal, &b->f->arena, &bytes, b->err);
		if (rc)
			return rc < 0 ? rc : bad_literal(b, f, literal);
		range_of_bytes(*out, op, bytes);
	}
	return op == CDC_OP_NE ? wrap_term(b, CDC_TERM_NOT, n, out) : CDC_OK;
}

/* ------------------------------------------------------------------ literal and literal */

/* Of what a literal is by itself; a field to read two literals by. */
static enum cdc_type type_of_literal(const struct cdc_where_node *n)
{
	static const enum cdc_type type[] = {
		[CDC_LIT_NULL] = CDC_TYPE_VOID,		[CDC_LIT_TRUE] = CDC_TYPE_BOOLEAN,
		[CDC_LIT_FALSE] = CDC_TYPE_BOOLEAN,	[CDC_LIT_NUMBER] = CDC_TYPE_DECIMAL,
		[CDC_LIT_STRING] = CDC_TYPE_STRING,	[CDC_LIT_BINARY] = CDC_TYPE_BINARY,
		[CDC_LIT_DATE] = CDC_TYPE_TIMESTAMP_NS, [CDC_LIT_TIMESTAMP] = CDC_TYPE_TIMESTAMP_NS,
		[CDC_LIT_TIME] = CDC_TYPE_TIME,
	};

	return type[n->literal];
}

/* Numbers are compared to 18 places. */
#define LITERAL_SCALE 18

static int order_literals(struct binder *b, const struct cdc_where_node *x,
			  const struct cdc_where_node *y, int *order)
{
	struct cdc_field f = { .type = type_of_literal(x),
			       .precision = 38,
			       .scale = LITERAL_SCALE };
	struct cdc_where_number number[2];
	struct cdc_str bytes[2];

	if (type_of_literal(y) != f.type)
		return fail_at(b, y, "a value of another type");
	if (cdc_where_key(f.type) == CDC_KEY_NUMBER) {
		if (!cdc_where_number(&f, x, &number[0]) || !cdc_where_number(&f, y, &number[1]) ||
		    (!number[0].exact && !number[1].exact && number[0].floor == number[1].floor))
			return fail_at(b, x, "values that cannot be compared");
		*order = (number[0].floor > number[1].floor) - (number[0].floor < number[1].floor);
		if (!*order)
			*order = (int)number[1].exact - (int)number[0].exact;
		return CDC_OK;
	}
	bytes[0] = x->value;
	bytes[1] = y->value;
	*order = cdc_str_cmp(bytes[0], bytes[1]);
	return CDC_OK;
}

static int bind_literals(struct binder *b, const struct cdc_where_node *n, enum cdc_where_op op,
			 const struct cdc_where_node *x, const struct cdc_where_node *y,
			 struct cdc_term **out)
{
	bool holds = false;
	int order = 0;
	int rc;

	if (x->literal == CDC_LIT_NULL || y->literal == CDC_LIT_NULL)
		return constant(b, n, CDC_UNKNOWN, out);
	rc = order_literals(b, x, y, &order);
	if (rc < 0)
		return rc;
	switch (op) {
	case CDC_OP_EQ:
	case CDC_OP_SAME:
		holds = order == 0;
		break;
	case CDC_OP_NE:
		holds = order != 0;
		break;
	case CDC_OP_LT:
		holds = order < 0;
		break;
	case CDC_OP_LE:
		holds = order <= 0;
		break;
	case CDC_OP_GT:
		holds = order > 0;
		break;
	case CDC_OP_GE:
		holds = order >= 0;
		break;
	}
	return constant(b, n, holds ? CDC_TRUE : CDC_FALSE, out);
}

/* ------------------------------------------------------------------ comparisons */

static enum cdc_where_op flip(enum cdc_where_op op)
{
	static const enum cdc_where_op flipped[] = {
		[CDC_OP_EQ] = CDC_OP_EQ,     [CDC_OP_NE] = CDC_OP_NE, [CDC_OP_LT] = CDC_OP_GT,
		[CDC_OP_LE] = CDC_OP_GE,     [CDC_OP_GT] = CDC_OP_LT, [CDC_OP_GE] = CDC_OP_LE,
		[CDC_OP_SAME] = CDC_OP_SAME,
	};

	return flipped[op];
}

/* path op other */
static int bind_columns(struct binder *b, const struct cdc_where_node *n, int path,
			enum cdc_where_op op, int other, struct cdc_term **out)
{
	const struct cdc_field *x = b->f->path[path].field;
	const struct cdc_field *y = b->f->path[other].field;
	char type[2][CDC_TYPE_NAME_MAX];
	bool turn = op == CDC_OP_GT || op == CDC_OP_GE;
	int rc;

	if (x->type == CDC_TYPE_VOID || y->type == CDC_TYPE_VOID)
		return constant(b, n, CDC_UNKNOWN, out);
	if (!cdc_columns_comparable(x, y))
		return cdc_where_fail(b->f->where, n->text.p, b->err,
				      "columns \"%.*s\" of type %s and \"%.*s\" of type %s cannot "
				      "be compared",
				      SHOWN(x->name), cdc_type_name(x, type[0]), SHOWN(y->name),
				      cdc_type_name(y, type[1]));
	rc = new_term(b, CDC_TERM_COLUMNS, n, out);
	if (rc < 0)
		return rc;
	(*out)->path = turn ? other : path;
	(*out)->other = turn ? path : other;
	(*out)->op = op == CDC_OP_NE ? CDC_OP_EQ : turn ? flip(op) : op;
	return op == CDC_OP_NE ? wrap_term(b, CDC_TERM_NOT, n, out) : CDC_OK;
}

static bool is_operand(const struct cdc_where_node *n)
{
	return n->kind == CDC_WHERE_COLUMN || n->kind == CDC_WHERE_LITERAL;
}

/* x op y for any op but <=>. */
static int bind_plain(struct binder *b, const struct cdc_where_node *n, enum cdc_where_op op,
		      const struct cdc_where_node *x, const struct cdc_where_node *y,
		      struct cdc_term **out)
{
	int path;
	int other;
	int rc;

	if (!is_operand(x) || !is_operand(y))
		return fail_at(b, is_operand(x) ? y : x, "a condition cannot be compared");
	if (x->kind == CDC_WHERE_LITERAL && y->kind == CDC_WHERE_LITERAL)
		return bind_literals(b, n, op, x, y, out);
	if (x->kind == CDC_WHERE_LITERAL)
		return bind_plain(b, n, flip(op), y, x, out);
	rc = bind_comparable(b, x, &path);
	if (rc < 0)
		return rc;
	if (y->kind == CDC_WHERE_LITERAL)
		return bind_range(b, n, path, op, y, out);
	rc = bind_comparable(b, y, &other);
	return rc < 0 ? rc : bind_columns(b, n, path, op, other, out);
}

static int is_null(struct binder *b, const struct cdc_where_node *n, struct cdc_term **out)
{
	int path;
	int rc;

	if (n->kind == CDC_WHERE_LITERAL)
		return constant(b, n, n->literal == CDC_LIT_NULL ? CDC_TRUE : CDC_FALSE, out);
	rc = bind_path(b, n, &path);
	if (rc == CDC_OK)
		rc = new_term(b, CDC_TERM_NULL, n, out);
	if (rc == CDC_OK)
		(*out)->path = path;
	return rc;
}

/* x <=> y: (x = y) IS TRUE, or both are null. */
static int bind_same(struct binder *b, const struct cdc_where_node *n,
		     const struct cdc_where_node *x, const struct cdc_where_node *y,
		     struct cdc_term **out)
{
	struct cdc_term *nulls = NULL;
	int rc = bind_plain(b, n, CDC_OP_EQ, x, y, out);

	if (rc == CDC_OK)
		rc = wrap_term(b, CDC_TERM_IS, n, out);
	if (rc < 0)
		return rc;
	(*out)->outcomes = CDC_OUTCOME(CDC_TRUE);
	rc = is_null(b, x, &nulls);
	if (rc == CDC_OK)
		rc = is_null(b, y, &nulls->next);
	if (rc == CDC_OK)
		rc = wrap_term(b, CDC_TERM_AND, n, &nulls);
	if (rc < 0)
		return rc;
	(*out)->next = nulls;
	return wrap_term(b, CDC_TERM_OR, n, out);
}

static int bind_compare(struct binder *b, const struct cdc_where_node *n, struct cdc_term **out)
{
	const struct cdc_where_node *x = n->child;

	return n->op == CDC_OP_SAME ? bind_same(b, n, x, x->next, out)
				    : bind_plain(b, n, n->op, x, x->next, out);
}

static int bind_between(struct binder *b, const struct cdc_where_node *n, struct cdc_term **out)
{
	const struct cdc_where_node *low = n->child->next;
	int rc = bind_plain(b, n, CDC_OP_GE, n->child, low, out);

	if (rc == CDC_OK)
		rc = bind_plain(b, n, CDC_OP_LE, n->child, low->next, &(*out)->next);
	return rc < 0 ? rc : wrap_term(b, CDC_TERM_AND, n, out);
}

/* ------------------------------------------------------------------ IN */

static int cmp_int64(const void *a, const void *b)
{
	const int64_t *x = a;
	const int64_t *y = b;

	return (*x > *y) - (*x < *y);
}

static int cmp_i128(const void *a, const void *b)
{
	const cdc_i128 *x = a;
	const cdc_i128 *y = b;

	return (*x > *y) - (*x < *y);
}

static int cmp_str(const void *a, const void *b)
{
	const struct cdc_str *x = a;
	const struct cdc_str *y = b;

	return cdc_str_cmp(*x, *y);
}

/* One literal into the set; those that no value equals are left out. */
static int add_member(struct binder *b, const struct cdc_field *f, struct cdc_term *t,
		      const struct cdc_where_node *literal)
{
	struct cdc_where_number v;
	int rc = CDC_OK;

	if (literal->literal == CDC_LIT_NULL) {
		t->has_null = true;
		return CDC_OK;
	}
	if (t->bytes) {
		rc = cdc_where_bytes(f, literal, &b->f->arena, &t->bytes[t->num_members], b->err);
		if (rc)
			return rc < 0 ? rc : bad_literal(b, f, literal);
		t->num_members++;
		return CDC_OK;
	}
	if (!cdc_where_number(f, literal, &v))
		return bad_literal(b, f, literal);
	if (!v.exact || (t->key && (v.floor < INT64_MIN || v.floor > INT64_MAX)))
		return CDC_OK;
	if (t->wide)
		t->wide[t->num_members++] = v.floor;
	else
		t->key[t->num_members++] = (int64_t)v.floor;
	return CDC_OK;
}

static void sort_members(struct cdc_term *t)
{
	if (t->bytes)
		qsort(t->bytes, t->num_members, sizeof(*t->bytes), cmp_str);
	else if (t->wide)
		qsort(t->wide, t->num_members, sizeof(*t->wide), cmp_i128);
	else
		qsort(t->key, t->num_members, sizeof(*t->key), cmp_int64);
}

static int bind_set(struct binder *b, const struct cdc_where_node *n, int path, size_t count,
		    struct cdc_term **out)
{
	const struct cdc_field *f = b->f->path[path].field;
	struct cdc_arena *a = &b->f->arena;
	struct cdc_term *t;
	int rc;

	if (f->type == CDC_TYPE_VOID)
		return constant(b, n, CDC_UNKNOWN, out);
	rc = new_term(b, CDC_TERM_SET, n, out);
	if (rc < 0)
		return rc;
	t = *out;
	t->path = path;
	if (cdc_where_key(f->type) == CDC_KEY_BYTES)
		t->bytes = cdc_arena_calloc(a, count, sizeof(*t->bytes));
	else if (cdc_type_is_wide(f->type))
		t->wide = cdc_arena_calloc(a, count, sizeof(*t->wide));
	else
		t->key = cdc_arena_calloc(a, count, sizeof(*t->key));
	if (!t->bytes && !t->wide && !t->key)
		return cdc_fail_nomem(b->err);
	for (const struct cdc_where_node *m = n->child->next; m && rc == CDC_OK; m = m->next)
		rc = add_member(b, f, t, m);
	if (rc == CDC_OK)
		sort_members(t);
	return rc;
}

/* A column and literals make a set; with other columns it is one comparison or another. */
static int bind_in(struct binder *b, const struct cdc_where_node *n, struct cdc_term **out)
{
	const struct cdc_where_node *x = n->child;
	struct cdc_term **last = out;
	bool plain = x->kind == CDC_WHERE_COLUMN;
	size_t count = 0;
	int path;
	int rc = CDC_OK;

	for (const struct cdc_where_node *m = x->next; m; m = m->next, count++)
		plain = plain && m->kind == CDC_WHERE_LITERAL;
	if (plain) {
		rc = bind_comparable(b, x, &path);
		return rc < 0 ? rc : bind_set(b, n, path, count, out);
	}
	for (const struct cdc_where_node *m = x->next; m && rc == CDC_OK; m = m->next) {
		rc = bind_plain(b, n, CDC_OP_EQ, x, m, last);
		if (rc == CDC_OK)
			last = &(*last)->next;
	}
	return rc < 0 ? rc : wrap_term(b, CDC_TERM_OR, n, out);
}

/* ------------------------------------------------------------------ LIKE */

/* Bytes of the one character that the text must be; 0: it is not one. */
static size_t one_char(struct cdc_str s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return 0;
	}
	return s.n <= 4 ? s.n : 0;
}

static int bind_like(struct binder *b, const struct cdc_where_node *n, struct cdc_term **out)
{
	const struct cdc_where_node *pattern = n->child->next;
	struct cdc_str escape = CDC_STR("\\");
	const char *wrong;
	bool nomem;
	int path;
	int rc;

	if (n->child->kind != CDC_WHERE_COLUMN)
		return fail_at(b, n->child, "LIKE wants a column");
	if (pattern->next) {
		escape = pattern->next->value;
		if (!one_char(escape))
			return fail_at(b, pattern->next, "ESCAPE wants one character");
	}
	rc = bind_path(b, n->child, &path);
	if (rc < 0)
		return rc;
	if (b->f->path[path].field->type == CDC_TYPE_VOID)
		return constant(b, n, CDC_UNKNOWN, out);
	if (b->f->path[path].field->type != CDC_TYPE_STRING)
		return fail_at(b, n->child, "LIKE wants a column of strings");
	rc = new_term(b, CDC_TERM_LIKE, n, out);
	if (rc < 0)
		return rc;
	(*out)->path = path;
	wrong = cdc_like_compile(&(*out)->like, pattern->value, escape, &b->f->arena, &nomem);
	if (nomem)
		return cdc_fail_nomem(b->err);
	if (wrong)
		return fail_at(b, pattern, wrong);
	if ((*out)->like.prefix == (*out)->like.text.n) {
		(*out)->kind = CDC_TERM_RANGE;
		range_of_bytes(*out, CDC_OP_EQ, (*out)->like.text);
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ conditions */

static int bind_is(struct binder *b, const struct cdc_where_node *n, struct cdc_term **out)
{
	bool about_null = n->outcomes == CDC_OUTCOME(CDC_UNKNOWN) ||
			  n->outcomes == (CDC_OUTCOMES_ALL ^ CDC_OUTCOME(CDC_UNKNOWN));
	int rc;

	if (about_null && is_operand(n->child)) {
		rc = is_null(b, n->child, out);
		if (rc == CDC_OK && n->outcomes != CDC_OUTCOME(CDC_UNKNOWN))
			rc = wrap_term(b, CDC_TERM_NOT, n, out);
		return rc;
	}
	rc = bind_node(b, n->child, out);
	if (rc == CDC_OK)
		rc = wrap_term(b, CDC_TERM_IS, n, out);
	if (rc == CDC_OK)
		(*out)->outcomes = n->outcomes;
	return rc;
}

/* A boolean column by itself: it is true. */
static int bind_column(struct binder *b, const struct cdc_where_node *n, struct cdc_term **out)
{
	const struct cdc_where_node literal = { .kind = CDC_WHERE_LITERAL,
						.literal = CDC_LIT_TRUE,
						.text = n->text };
	char type[CDC_TYPE_NAME_MAX];
	const struct cdc_field *f;
	int path;
	int rc = bind_path(b, n, &path);

	if (rc < 0)
		return rc;
	f = b->f->path[path].field;
	if (f->type == CDC_TYPE_BOOLEAN || f->type == CDC_TYPE_VOID)
		return bind_range(b, n, path, CDC_OP_EQ, &literal, out);
	return cdc_where_fail(b->f->where, n->text.p, b->err, "\"%.*s\" of type %s is no condition",
			      SHOWN(f->name), cdc_type_name(f, type));
}

static int bind_literal(struct binder *b, const struct cdc_where_node *n, struct cdc_term **out)
{
	if (n->literal > CDC_LIT_FALSE)
		return fail_at(b, n, "a value is no condition");
	return constant(b, n,
			n->literal == CDC_LIT_TRUE    ? CDC_TRUE
			: n->literal == CDC_LIT_FALSE ? CDC_FALSE
						      : CDC_UNKNOWN,
			out);
}

static int bind_children(struct binder *b, const struct cdc_where_node *n, enum cdc_term_kind kind,
			 struct cdc_term **out)
{
	struct cdc_term **last = out;
	int rc = CDC_OK;

	for (const struct cdc_where_node *c = n->child; c && rc == CDC_OK; c = c->next) {
		rc = bind_node(b, c, last);
		if (rc == CDC_OK)
			last = &(*last)->next;
	}
	return rc < 0 ? rc : wrap_term(b, kind, n, out);
}

static int bind_node(struct binder *b, const struct cdc_where_node *n, struct cdc_term **out)
{
	switch (n->kind) {
	case CDC_WHERE_AND:
		return bind_children(b, n, CDC_TERM_AND, out);
	case CDC_WHERE_OR:
		return bind_children(b, n, CDC_TERM_OR, out);
	case CDC_WHERE_NOT:
		return bind_children(b, n, CDC_TERM_NOT, out);
	case CDC_WHERE_COMPARE:
		return bind_compare(b, n, out);
	case CDC_WHERE_BETWEEN:
		return bind_between(b, n, out);
	case CDC_WHERE_IN:
		return bind_in(b, n, out);
	case CDC_WHERE_LIKE:
		return bind_like(b, n, out);
	case CDC_WHERE_IS:
		return bind_is(b, n, out);
	case CDC_WHERE_COLUMN:
		return bind_column(b, n, out);
	case CDC_WHERE_LITERAL:
		return bind_literal(b, n, out);
	case CDC_WHERE_CALL:
	case CDC_WHERE_CAST:
	case CDC_WHERE_CASE:
		break;
	}
	return cdc_fail(b->err, CDC_EINTERNAL, "a node of an unknown kind");
}

static int depth_of(const struct cdc_term *t)
{
	int deepest = 0;

	for (const struct cdc_term *c = t->child; c; c = c->next) {
		int d = depth_of(c);

		deepest = d > deepest ? d : deepest;
	}
	return deepest + 1;
}

/* ------------------------------------------------------------------ public */

int cdc_filter_new(struct cdc_filter **out, const struct cdc_where *w,
		   const struct cdc_schema *schema, struct cdc_err *err)
{
	struct cdc_filter *f = calloc(1, sizeof(*f));
	struct binder b = { f, err };
	int rc;

	*out = NULL;
	if (!f)
		return cdc_fail_nomem(err);
	f->where = w;
	f->schema = schema;
	f->column = calloc((size_t)schema->num_fields + 1, sizeof(*f->column));
	rc = f->column ? bind_node(&b, w->root, &f->root) : cdc_fail_nomem(err);
	if (rc < 0) {
		cdc_filter_free(f);
		return rc;
	}
	f->depth = depth_of(f->root);
	*out = f;
	return CDC_OK;
}

void cdc_filter_free(struct cdc_filter *f)
{
	if (!f)
		return;
	cdc_arena_free(&f->arena);
	free(f->work);
	free(f->path);
	free(f->column);
	free(f);
}

const int *cdc_filter_columns(const struct cdc_filter *f, int *n)
{
	*n = f->num_columns;
	return f->column;
}
