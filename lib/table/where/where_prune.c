/*
 * A filter on bounds: which outcomes can occur. Every set that is given here may be too large and
 * is never too small, so NOT, AND and OR of sets hold for any rows behind them.
 */
#include "table/where/where_tree.h"

#define FALSE_ CDC_OUTCOME(CDC_FALSE)
#define TRUE_ CDC_OUTCOME(CDC_TRUE)
#define UNKNOWN_ CDC_OUTCOME(CDC_UNKNOWN)

struct prune {
	const struct cdc_filter *f;
	const struct cdc_facts *facts;
};

static struct cdc_bounds bounds_of(const struct prune *p, int path)
{
	struct cdc_bounds b = { .may_be_null = true, .may_have_value = true };
	const struct cdc_path *at = &p->f->path[path];

	if (!at->num_steps && at->field->type != CDC_TYPE_STRUCT)
		p->facts->bounds(p->facts->ctx, at->column, &b);
	return b;
}

static bool may_hold(const struct prune *p, int path, const union cdc_value *v)
{
	const struct cdc_path *at = &p->f->path[path];

	return at->num_steps || !p->facts->may_hold ||
	       p->facts->may_hold(p->facts->ctx, at->column, v);
}

static unsigned with_nulls(const struct cdc_bounds *b, unsigned of_values)
{
	return (b->may_have_value ? of_values : 0) | (b->may_be_null ? UNKNOWN_ : 0);
}

/* ------------------------------------------------------------------ numbers */

static cdc_i128 key_of(enum cdc_type t, const union cdc_value *v)
{
	if (cdc_type_is_wide(t))
		return v->dec;
	return t == CDC_TYPE_FLOAT || t == CDC_TYPE_DOUBLE ? cdc_where_double_key(v->d) : v->i;
}

static union cdc_value value_of(enum cdc_type t, cdc_i128 key)
{
	union cdc_value v = { .i = 0 };

	if (cdc_type_is_wide(t))
		v.dec = key;
	else if (t == CDC_TYPE_FLOAT || t == CDC_TYPE_DOUBLE)
		v.d = cdc_where_key_double((int64_t)key);
	else
		v.i = (int64_t)key;
	return v;
}

/* The keys that the values have: as far as the type reaches where nothing is known. */
static void keys_of(enum cdc_type t, const struct cdc_bounds *b, cdc_i128 *least, cdc_i128 *most)
{
	bool wide = cdc_type_is_wide(t);

	*least = b->has_min ? key_of(t, &b->min) : wide ? CDC_KEY_MIN : INT64_MIN;
	*most = b->has_max ? key_of(t, &b->max) : wide ? CDC_KEY_MAX : INT64_MAX;
}

static unsigned numbers_in_range(const struct prune *p, const struct cdc_term *t,
				 const struct cdc_bounds *b)
{
	enum cdc_type type = p->f->path[t->path].field->type;
	union cdc_value only = value_of(type, t->lo);
	cdc_i128 least;
	cdc_i128 most;
	unsigned o = 0;

	keys_of(type, b, &least, &most);
	if (t->lo <= t->hi && least <= t->hi && most >= t->lo &&
	    (t->lo != t->hi || may_hold(p, t->path, &only)))
		o |= TRUE_;
	if (t->lo > t->hi || least < t->lo || most > t->hi)
		o |= FALSE_;
	return o;
}

/* ------------------------------------------------------------------ bytes */

/* Whether all of the values lie on the wrong side of an end of the range. */
static bool all_below(const struct cdc_bounds *b, const struct cdc_bytes_end *from)
{
	return from->has && b->has_max && cdc_str_cmp(b->max.s, from->s) < (int)from->open;
}

static bool all_above(const struct cdc_bounds *b, const struct cdc_bytes_end *to)
{
	return to->has && b->has_min && cdc_str_cmp(b->min.s, to->s) > -(int)to->open;
}

static bool none_below(const struct cdc_bounds *b, const struct cdc_bytes_end *from)
{
	return !from->has || (b->has_min && cdc_str_cmp(b->min.s, from->s) >= (int)from->open);
}

static bool none_above(const struct cdc_bounds *b, const struct cdc_bytes_end *to)
{
	return !to->has || (b->has_max && cdc_str_cmp(b->max.s, to->s) <= -(int)to->open);
}

static unsigned bytes_in_range(const struct prune *p, const struct cdc_term *t,
			       const struct cdc_bounds *b)
{
	union cdc_value only = { .s = t->from.s };
	bool one = t->from.has && t->to.has && cdc_str_eq(t->from.s, t->to.s);
	unsigned o = 0;

	if (!all_below(b, &t->from) && !all_above(b, &t->to) &&
	    (!one || may_hold(p, t->path, &only)))
		o |= TRUE_;
	if (!none_below(b, &t->from) || !none_above(b, &t->to))
		o |= FALSE_;
	return o;
}

/* ------------------------------------------------------------------ sets, patterns */

/* Sets with more members than this between the bounds are not looked up one by one. */
#define MAX_LOOKUPS 1000

static bool is_constant(enum cdc_type t, const struct cdc_bounds *b)
{
	return b->has_min && b->has_max && cdc_value_cmp(t, &b->min, &b->max) == 0;
}

static union cdc_value member(enum cdc_type type, const struct cdc_term *t, size_t i)
{
	if (t->bytes)
		return (union cdc_value){ .s = t->bytes[i] };
	return value_of(type, t->wide ? t->wide[i] : t->key[i]);
}

/* How many members are less than `v`, or not greater if `with`. */
static size_t count_below(enum cdc_type type, const struct cdc_term *t, const union cdc_value *v,
			  bool with)
{
	size_t low = 0;
	size_t high = t->num_members;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		union cdc_value m = member(type, t, middle);

		if (cdc_value_cmp(type, &m, v) < (int)with)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Members first .. *end - 1 are those between the bounds. */
static size_t between(enum cdc_type type, const struct cdc_term *t, const struct cdc_bounds *b,
		      size_t *end)
{
	size_t first = b->has_min ? count_below(type, t, &b->min, false) : 0;

	*end = b->has_max ? count_below(type, t, &b->max, true) : t->num_members;
	return first < *end ? first : *end;
}

static unsigned in_set(const struct prune *p, const struct cdc_term *t, const struct cdc_bounds *b)
{
	/* UUIDs, too, are ordered as bytes. */
	enum cdc_type type = t->bytes ? CDC_TYPE_BINARY : p->f->path[t->path].field->type;
	unsigned miss = t->has_null ? UNKNOWN_ : FALSE_;
	size_t end;
	size_t i = between(type, t, b, &end);

	if (i == end)
		return miss;
	if (is_constant(type, b))
		return TRUE_;
	for (size_t looked = 0; i < end && looked < MAX_LOOKUPS; i++, looked++) {
		union cdc_value v = member(type, t, i);

		if (may_hold(p, t->path, &v))
			break;
	}
	return i < end ? miss | TRUE_ : miss;
}

/* Strings that begin with the prefix: not less than it, and cut to its length not greater. */
static unsigned like(const struct cdc_term *t, const struct cdc_bounds *b)
{
	struct cdc_str prefix = cdc_str(t->like.text.p, t->like.prefix);
	struct cdc_str min = b->min.s;

	if (is_constant(CDC_TYPE_STRING, b))
		return cdc_like_match(&t->like, b->min.s) ? TRUE_ : FALSE_;
	if (b->has_max && cdc_str_cmp(b->max.s, prefix) < 0)
		return FALSE_;
	min.n = b->has_min && min.n > prefix.n ? prefix.n : min.n;
	if (b->has_min && cdc_str_cmp(min, prefix) > 0)
		return FALSE_;
	return TRUE_ | FALSE_;
}

/* ------------------------------------------------------------------ terms */

static unsigned leaf_outcomes(const struct prune *p, const struct cdc_term *t)
{
	struct cdc_bounds b = bounds_of(p, t->path);
	unsigned o;

	if (t->kind == CDC_TERM_NULL)
		return (b.may_be_null ? TRUE_ : 0) | (b.may_have_value ? FALSE_ : 0);
	if (!b.may_have_value)
		return with_nulls(&b, 0);
	if (t->kind == CDC_TERM_SET)
		o = in_set(p, t, &b);
	else if (t->kind == CDC_TERM_LIKE)
		o = like(t, &b);
	else if (cdc_where_key(p->f->path[t->path].field->type) == CDC_KEY_BYTES)
		o = bytes_in_range(p, t, &b);
	else
		o = numbers_in_range(p, t, &b);
	return with_nulls(&b, o);
}

static unsigned columns_outcomes(const struct prune *p, const struct cdc_term *t)
{
	struct cdc_bounds a = bounds_of(p, t->path);
	struct cdc_bounds b = bounds_of(p, t->other);

	return (a.may_have_value && b.may_have_value ? TRUE_ | FALSE_ : 0) |
	       (a.may_be_null || b.may_be_null ? UNKNOWN_ : 0);
}

static unsigned negate(unsigned o)
{
	return (o & TRUE_ ? FALSE_ : 0) | (o & FALSE_ ? TRUE_ : 0) | (o & UNKNOWN_);
}

/* AND of any outcome of `a` with any of `b`. */
static unsigned both(unsigned a, unsigned b)
{
	unsigned o = 0;

	if (!a || !b) /* no rows */
		return 0;
	if ((a | b) & FALSE_)
		o |= FALSE_;
	if (a & b & TRUE_)
		o |= TRUE_;
	if ((a & UNKNOWN_ && b & (UNKNOWN_ | TRUE_)) || (b & UNKNOWN_ && a & TRUE_))
		o |= UNKNOWN_;
	return o;
}

static unsigned outcomes(const struct prune *p, const struct cdc_term *t)
{
	unsigned o;

	switch (t->kind) {
	case CDC_TERM_AND:
	case CDC_TERM_OR:
		/* a OR b is NOT (NOT a AND NOT b). */
		o = TRUE_;
		for (const struct cdc_term *c = t->child; c && o != FALSE_; c = c->next) {
			unsigned one = outcomes(p, c);

			o = both(o, t->kind == CDC_TERM_OR ? negate(one) : one);
		}
		return t->kind == CDC_TERM_OR ? negate(o) : o;
	case CDC_TERM_NOT:
		return negate(outcomes(p, t->child));
	case CDC_TERM_IS:
		o = outcomes(p, t->child);
		return (o & t->outcomes ? TRUE_ : 0) | (o & ~t->outcomes ? FALSE_ : 0);
	case CDC_TERM_CONSTANT:
		return t->outcomes;
	case CDC_TERM_COLUMNS:
		return columns_outcomes(p, t);
	case CDC_TERM_NULL:
	case CDC_TERM_RANGE:
	case CDC_TERM_SET:
	case CDC_TERM_LIKE:
		return leaf_outcomes(p, t);
	}
	return CDC_OUTCOMES_ALL;
}

unsigned cdc_filter_outcomes(const struct cdc_filter *f, const struct cdc_facts *facts)
{
	const struct prune p = { f, facts };

	return outcomes(&p, f->root);
}
