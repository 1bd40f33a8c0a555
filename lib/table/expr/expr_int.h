/*
 * Inside expressions: bound nodes, and what the files that bind and evaluate them share.
 */
#ifndef CDC_TABLE_EXPR_INT_H
#define CDC_TABLE_EXPR_INT_H

#include "delta/stats.h"
#include "table/expr/expr.h"
#include "table/where/where_tree.h"

#define CDC_EXPR_MAX_ARGS 3 /* of a function of rows */

/* A row's arguments, all with values, and what a function makes of them. */
struct cdc_expr_row {
	const struct cdc_expr_node *node;
	union cdc_value arg[CDC_EXPR_MAX_ARGS];
	union cdc_value out;
	struct cdc_arena *arena; /* for the bytes of `out` */
	bool nomem;
};

/* False: the row is in error. */
typedef bool cdc_expr_fn(struct cdc_expr_row *r);

enum cdc_expr_kind {
	CDC_EXPR_COLUMN,
	CDC_EXPR_CONSTANT,
	CDC_EXPR_NOW, /* the time of evaluation: a timestamp, or a date */
	CDC_EXPR_CALL, /* `fn` of each row; null if an argument is */
	CDC_EXPR_COMPARE, /* `op` */
	CDC_EXPR_BETWEEN,
	CDC_EXPR_IN,
	CDC_EXPR_AND,
	CDC_EXPR_OR,
	CDC_EXPR_NOT,
	CDC_EXPR_IS, /* the argument is one of `outcomes` */
	CDC_EXPR_IS_NULL,
	CDC_EXPR_COALESCE,
	CDC_EXPR_CASE
};

struct cdc_expr_node {
	enum cdc_expr_kind kind;
	struct cdc_field type; /* of the value: type, precision, scale */
	const struct cdc_where_node *source;
	struct cdc_expr_node **arg;
	int num_args;
	int slot; /* working arrays that the value goes to */
	cdc_expr_fn *fn;
	enum cdc_where_op op;
	unsigned outcomes;
	int column; /* COLUMN: field of the schema, then child after child */
	int *step;
	int num_steps;
	bool is_literal; /* CONSTANT: as it stands in the text */
	bool is_null; /* CONSTANT */
	union cdc_value value;
	struct cdc_like like;
	struct cdc_str pattern; /* of date_format */
	int unit; /* of date_trunc */
};

struct cdc_expr {
	struct cdc_where *where;
	const struct cdc_schema *schema;
	struct cdc_expr_node *root;
	struct cdc_arena arena;
	int num_slots;
	unsigned char *values; /* num_slots arrays of `work_rows` slots of 16 bytes */
	uint8_t *state; /* num_slots arrays of `work_rows` */
	uint32_t work_rows;
	struct cdc_arena strings; /* of the last evaluation */
};

struct cdc_expr_binder {
	struct cdc_expr *e;
	struct cdc_err *err;
};

/* ------------------------------------------------------------------ binding */

/* CDC_EUNSUPPORTED at a node's place. */
int cdc_expr_refuse(struct cdc_expr_binder *b, const struct cdc_where_node *at,
		    const char *what) CDC_NODISCARD;
int cdc_expr_node(struct cdc_expr_binder *b, enum cdc_expr_kind kind, enum cdc_type type,
		  const struct cdc_where_node *source, int num_args,
		  struct cdc_expr_node **out) CDC_NODISCARD;
int cdc_expr_bind(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		  struct cdc_expr_node **out) CDC_NODISCARD;
int cdc_expr_bind_literal(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			  struct cdc_expr_node **out) CDC_NODISCARD;
/* Operators and functions by their names, the arguments are not bound yet. */
int cdc_expr_bind_call(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		       struct cdc_expr_node **out) CDC_NODISCARD;
/* A function without parentheses: current_date. CDC_END: it is none. */
int cdc_expr_bind_word(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		       struct cdc_str name, struct cdc_expr_node **out) CDC_NODISCARD;
/* sign: one of + - * / %; `arg` has two nodes, or one for a sign before a value. */
int cdc_expr_bind_arithmetic(struct cdc_expr_binder *b, const struct cdc_where_node *n, char sign,
			     struct cdc_expr_node **arg, int num_args,
			     struct cdc_expr_node **out) CDC_NODISCARD;
int cdc_expr_bind_cast(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		       struct cdc_expr_node **out) CDC_NODISCARD;
/* `*node` as a value of another type; nothing is done if it has it. Constants are cast here. */
int cdc_expr_cast(struct cdc_expr_binder *b, const struct cdc_field *to,
		  struct cdc_expr_node **node) CDC_NODISCARD;
int cdc_expr_cast_type(struct cdc_expr_binder *b, enum cdc_type to,
		       struct cdc_expr_node **node) CDC_NODISCARD;
/* Whether what is written down is text as it stands, in all of Spark's versions and settings. */
bool cdc_expr_is_plain_text(const struct cdc_where_node *n);
/* Make two values comparable, or refuse; `in`: the second is of a list, which has other rules. */
int cdc_expr_match(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		   struct cdc_expr_node **x, struct cdc_expr_node **y, bool in) CDC_NODISCARD;
/* The type that Spark gives to whichever of some arguments of a node, and their casts to it: each
 * `step`-th from `first` on. */
int cdc_expr_unify(struct cdc_expr_binder *b, struct cdc_expr_node *n, int first,
		   int step) CDC_NODISCARD;

/* ------------------------------------------------------------------ types */

static inline bool cdc_expr_is_integer(enum cdc_type t)
{
	return t == CDC_TYPE_BYTE || t == CDC_TYPE_SHORT || t == CDC_TYPE_INTEGER ||
	       t == CDC_TYPE_LONG;
}

static inline bool cdc_expr_is_float(enum cdc_type t)
{
	return t == CDC_TYPE_FLOAT || t == CDC_TYPE_DOUBLE;
}

static inline bool cdc_expr_is_instant(enum cdc_type t)
{
	return t == CDC_TYPE_TIMESTAMP || t == CDC_TYPE_TIMESTAMP_NTZ;
}

static inline bool cdc_expr_same_type(const struct cdc_field *a, const struct cdc_field *b)
{
	return a->type == b->type && (a->type != CDC_TYPE_DECIMAL ||
				      (a->precision == b->precision && a->scale == b->scale));
}

/* Whether a value lies in the range of an integer type. */
bool cdc_expr_in_range(enum cdc_type t, cdc_i128 v);
/* The decimal for a number beside a decimal: a small one for an integer that is written down. */
struct cdc_field cdc_expr_as_decimal(const struct cdc_expr_node *n);
/* 10^n, n <= 38 */
cdc_i128 cdc_expr_pow10(int n);

static inline int64_t cdc_expr_floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* ------------------------------------------------------------------ functions of rows */

cdc_expr_fn cdc_fn_like, cdc_fn_abs_integer, cdc_fn_abs_decimal, cdc_fn_abs_double;
cdc_expr_fn cdc_fn_length, cdc_fn_octets, cdc_fn_upper, cdc_fn_lower, cdc_fn_trim, cdc_fn_ltrim,
	cdc_fn_rtrim, cdc_fn_substring, cdc_fn_substring_to_end, cdc_fn_concat;
cdc_expr_fn cdc_fn_year, cdc_fn_quarter, cdc_fn_month, cdc_fn_day, cdc_fn_day_of_week,
	cdc_fn_weekday, cdc_fn_day_of_year, cdc_fn_hour, cdc_fn_minute, cdc_fn_second;
cdc_expr_fn cdc_fn_date_format, cdc_fn_date_trunc;

/* Whether date_format knows the pattern. */
bool cdc_expr_is_date_pattern(struct cdc_str pattern);
/* The unit of date_trunc by its name; -1: none. */
int cdc_expr_date_unit(struct cdc_str name);

#endif
