/*
 * A filter on a batch: term by term, each a loop over one column that leaves a byte a row.
 */
#include "table/where/where_tree.h"

#include <stdlib.h>

struct eval {
	struct cdc_filter *f;
	const struct cdc_batch *b;
	uint32_t rows;
};

/* A column at the end of a path. */
struct leaf {
	const struct cdc_column *column;
	const uint8_t *valid; /* NULL: no row is null */
};

/* Working array `i`: 0 and 1 are for validity, the others for results of terms. */
static uint8_t *work_array(const struct eval *e, int i)
{
	return e->f->work + (size_t)i * e->f->work_rows;
}

/* Null is what has a null anywhere on its path. `slot` is the working array to note that in. */
static struct leaf find_leaf(const struct eval *e, int path, int slot)
{
	const struct cdc_path *p = &e->f->path[path];
	const struct cdc_column *c = &e->b->column[p->column];
	const uint8_t *valid = c->valid;

	for (int i = 0; i < p->num_steps; i++) {
		c = &c->child[p->step[i]];
		if (!c->valid)
			continue;
		if (valid) {
			uint8_t *both = work_array(e, slot);

			for (uint32_t r = 0; r < e->rows; r++)
				both[r] = valid[r] && c->valid[r];
			valid = both;
		} else {
			valid = c->valid;
		}
	}
	return (struct leaf){ c, valid };
}

static void put_unknown(const struct leaf *l, uint32_t rows, uint8_t *out)
{
	for (uint32_t i = 0; l->valid && i < rows; i++)
		out[i] = l->valid[i] ? out[i] : CDC_UNKNOWN;
}

/* ------------------------------------------------------------------ ranges */

#define RANGE_OF_INTEGERS(name, type)                                                              \
	static void name(const void *values, int64_t lo, int64_t hi, uint32_t rows, uint8_t *out)  \
	{                                                                                          \
		const type *v = values;                                                            \
                                                                                                   \
		for (uint32_t i = 0; i < rows; i++)                                                \
			out[i] = (uint8_t)((int64_t)v[i] >= lo) & (uint8_t)((int64_t)v[i] <= hi);  \
	}

RANGE_OF_INTEGERS(range_8, uint8_t)
RANGE_OF_INTEGERS(range_32, int32_t)
RANGE_OF_INTEGERS(range_64, int64_t)

static void range_double(const double *v, int64_t lo, int64_t hi, uint32_t rows, uint8_t *out)
{
	for (uint32_t i = 0; i < rows; i++) {
		int64_t key = cdc_where_double_key(v[i]);

		out[i] = key >= lo && key <= hi;
	}
}

static void range_float(const float *v, int64_t lo, int64_t hi, uint32_t rows, uint8_t *out)
{
	for (uint32_t i = 0; i < rows; i++) {
		int64_t key = cdc_where_double_key((double)v[i]);

		out[i] = key >= lo && key <= hi;
	}
}

static void range_wide(const cdc_i128 *v, cdc_i128 lo, cdc_i128 hi, uint32_t rows, uint8_t *out)
{
	for (uint32_t i = 0; i < rows; i++)
		out[i] = v[i] >= lo && v[i] <= hi;
}

static void range_numbers(const struct cdc_term *t, const struct leaf *l, uint32_t rows,
			  uint8_t *out)
{
	const void *values = l->column->values;
	enum cdc_type type = l->column->field->type;

	if (cdc_type_is_wide(type))
		range_wide(values, t->lo, t->hi, rows, out);
	else if (type == CDC_TYPE_DOUBLE)
		range_double(values, (int64_t)t->lo, (int64_t)t->hi, rows, out);
	else if (type == CDC_TYPE_FLOAT)
		range_float(values, (int64_t)t->lo, (int64_t)t->hi, rows, out);
	else if (cdc_type_size(type) == 8)
		range_64(values, (int64_t)t->lo, (int64_t)t->hi, rows, out);
	else if (cdc_type_size(type) == 4)
		range_32(values, (int64_t)t->lo, (int64_t)t->hi, rows, out);
	else
		range_8(values, (int64_t)t->lo, (int64_t)t->hi, rows, out);
}

static bool in_bytes_range(const struct cdc_term *t, struct cdc_str s)
{
	if (t->from.has && cdc_str_cmp(s, t->from.s) < (int)t->from.open)
		return false;
	return !t->to.has || cdc_str_cmp(s, t->to.s) <= -(int)t->to.open;
}

static void range_bytes(const struct cdc_term *t, const struct leaf *l, uint32_t rows, uint8_t *out)
{
	const struct cdc_str *v = l->column->values;
	bool equal = t->from.has && t->to.has && !t->from.open && !t->to.open &&
		     cdc_str_eq(t->from.s, t->to.s);

	for (uint32_t i = 0; i < rows; i++) {
		if (l->valid && !l->valid[i])
			continue;
		out[i] = equal ? cdc_str_eq(v[i], t->from.s) : in_bytes_range(t, v[i]);
	}
}

/* ------------------------------------------------------------------ sets */

static bool holds_key(const struct cdc_term *t, int64_t v)
{
	size_t low = 0;
	size_t n = t->num_members;

	while (n > 1) {
		size_t half = n / 2;

		low += t->key[low + half] <= v ? half : 0;
		n -= half;
	}
	return n && t->key[low] == v;
}

static bool holds_wide(const struct cdc_term *t, cdc_i128 v)
{
	size_t low = 0;
	size_t n = t->num_members;

	while (n > 1) {
		size_t half = n / 2;

		low += t->wide[low + half] <= v ? half : 0;
		n -= half;
	}
	return n && t->wide[low] == v;
}

static bool holds_bytes(const struct cdc_term *t, struct cdc_str v)
{
	size_t low = 0;
	size_t n = t->num_members;

	while (n > 1) {
		size_t half = n / 2;

		low += cdc_str_cmp(t->bytes[low + half], v) <= 0 ? half : 0;
		n -= half;
	}
	return n && cdc_str_eq(t->bytes[low], v);
}

#define SET_OF(name, type, holds, key)                                                             \
	static void name(const struct cdc_term *t, const struct leaf *l, uint32_t rows,            \
			 uint8_t miss, uint8_t *out)                                               \
	{                                                                                          \
		const type *v = l->column->values;                                                 \
                                                                                                   \
		for (uint32_t i = 0; i < rows; i++) {                                              \
			if (!l->valid || l->valid[i])                                              \
				out[i] = holds(t, key(v[i])) ? CDC_TRUE : miss;                    \
		}                                                                                  \
	}

SET_OF(set_8, uint8_t, holds_key, (int64_t))
SET_OF(set_32, int32_t, holds_key, (int64_t))
SET_OF(set_64, int64_t, holds_key, (int64_t))
SET_OF(set_float, float, holds_key, cdc_where_double_key)
SET_OF(set_double, double, holds_key, cdc_where_double_key)
SET_OF(set_wide, cdc_i128, holds_wide, (cdc_i128))
SET_OF(set_bytes, struct cdc_str, holds_bytes, )

static void eval_set(const struct cdc_term *t, const struct leaf *l, uint32_t rows, uint8_t *out)
{
	enum cdc_type type = l->column->field->type;
	uint8_t miss = t->has_null ? CDC_UNKNOWN : CDC_FALSE;

	if (t->bytes)
		set_bytes(t, l, rows, miss, out);
	else if (cdc_type_is_wide(type))
		set_wide(t, l, rows, miss, out);
	else if (type == CDC_TYPE_DOUBLE)
		set_double(t, l, rows, miss, out);
	else if (type == CDC_TYPE_FLOAT)
		set_float(t, l, rows, miss, out);
	else if (cdc_type_size(type) == 8)
		set_64(t, l, rows, miss, out);
	else if (cdc_type_size(type) == 4)
		set_32(t, l, rows, miss, out);
	else
		set_8(t, l, rows, miss, out);
}

/* ------------------------------------------------------------------ other terms on columns */

static void eval_null(const struct eval *e, const struct cdc_term *t, uint8_t *out)
{
	struct leaf l = find_leaf(e, t->path, 0);

	if (l.column->field->type == CDC_TYPE_VOID)
		memset(out, CDC_TRUE, e->rows);
	else if (!l.valid)
		memset(out, CDC_FALSE, e->rows);
	else
		for (uint32_t i = 0; i < e->rows; i++)
			out[i] = l.valid[i] ? CDC_FALSE : CDC_TRUE;
}

static void eval_like(const struct cdc_term *t, const struct leaf *l, uint32_t rows, uint8_t *out)
{
	const struct cdc_str *v = l->column->values;

	for (uint32_t i = 0; i < rows; i++) {
		if (!l->valid || l->valid[i])
			out[i] = cdc_like_match(&t->like, v[i]);
	}
}

static void eval_columns(const struct eval *e, const struct cdc_term *t, uint8_t *out)
{
	struct leaf a = find_leaf(e, t->path, 0);
	struct leaf b = find_leaf(e, t->other, 1);

	if (a.valid && b.valid) {
		uint8_t *both = work_array(e, 0);

		for (uint32_t i = 0; i < e->rows; i++)
			both[i] = a.valid[i] && b.valid[i];
		a.valid = both;
	} else if (b.valid) {
		a.valid = b.valid;
	}
	cdc_columns_compare(a.column, b.column, t->op, a.valid, e->rows, out);
	put_unknown(&a, e->rows, out);
}

static void eval_leaf(const struct eval *e, const struct cdc_term *t, uint8_t *out)
{
	struct leaf l = find_leaf(e, t->path, 0);

	if (t->kind == CDC_TERM_LIKE)
		eval_like(t, &l, e->rows, out);
	else if (t->kind == CDC_TERM_SET)
		eval_set(t, &l, e->rows, out);
	else if (cdc_where_key(l.column->field->type) == CDC_KEY_BYTES)
		range_bytes(t, &l, e->rows, out);
	else
		range_numbers(t, &l, e->rows, out);
	put_unknown(&l, e->rows, out);
}

/* ------------------------------------------------------------------ connectives */

/* 0 false, 1 true, 2 unknown: one of false and true decides, else the greater one is it. */
static void combine(uint8_t decides, uint32_t rows, uint8_t *into, const uint8_t *with)
{
	for (uint32_t i = 0; i < rows; i++) {
		uint8_t greater = into[i] > with[i] ? into[i] : with[i];

		into[i] = into[i] == decides || with[i] == decides ? decides : greater;
	}
}

static void map_outcomes(const uint8_t to[3], uint32_t rows, uint8_t *out)
{
	for (uint32_t i = 0; i < rows; i++)
		out[i] = to[out[i]];
}

static uint8_t only_outcome(unsigned outcomes)
{
	return outcomes == CDC_OUTCOME(CDC_FALSE)  ? CDC_FALSE
	       : outcomes == CDC_OUTCOME(CDC_TRUE) ? CDC_TRUE
						   : CDC_UNKNOWN;
}

static void eval_term(const struct eval *e, const struct cdc_term *t, int level, uint8_t *out)
{
	static const uint8_t negation[3] = { CDC_TRUE, CDC_FALSE, CDC_UNKNOWN };
	uint8_t is[3];

	switch (t->kind) {
	case CDC_TERM_AND:
	case CDC_TERM_OR:
		eval_term(e, t->child, level + 1, out);
		for (const struct cdc_term *c = t->child->next; c; c = c->next) {
			uint8_t *other = work_array(e, level + 2);

			eval_term(e, c, level + 1, other);
			combine(t->kind == CDC_TERM_AND ? CDC_FALSE : CDC_TRUE, e->rows, out,
				other);
		}
		break;
	case CDC_TERM_NOT:
		eval_term(e, t->child, level + 1, out);
		map_outcomes(negation, e->rows, out);
		break;
	case CDC_TERM_IS:
		eval_term(e, t->child, level + 1, out);
		for (unsigned i = 0; i < 3; i++)
			is[i] = (t->outcomes & CDC_OUTCOME(i)) != 0;
		map_outcomes(is, e->rows, out);
		break;
	case CDC_TERM_CONSTANT:
		memset(out, only_outcome(t->outcomes), e->rows);
		break;
	case CDC_TERM_NULL:
		eval_null(e, t, out);
		break;
	case CDC_TERM_COLUMNS:
		eval_columns(e, t, out);
		break;
	case CDC_TERM_RANGE:
	case CDC_TERM_SET:
	case CDC_TERM_LIKE:
		eval_leaf(e, t, out);
		break;
	}
}

int cdc_filter_eval(struct cdc_filter *f, const struct cdc_batch *batch, uint8_t *out,
		    struct cdc_err *err)
{
	const struct eval e = { f, batch, batch->rows };

	if (batch->rows > f->work_rows) {
		uint8_t *work = reallocarray(f->work, batch->rows, (size_t)f->depth + 2);

		if (!work)
			return cdc_fail_nomem(err);
		f->work = work;
		f->work_rows = batch->rows;
	}
	if (batch->rows)
		eval_term(&e, f->root, 0, out);
	return CDC_OK;
}
