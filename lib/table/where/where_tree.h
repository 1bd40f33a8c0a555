/*
 * Inside predicates: the tree that the parser makes, and the terms that binding makes of it.
 */
#ifndef CDC_TABLE_WHERE_TREE_H
#define CDC_TABLE_WHERE_TREE_H

#include "table/where/where.h"

/* ------------------------------------------------------------------ parsed */

enum cdc_where_kind {
	CDC_WHERE_AND, /* two children or more */
	CDC_WHERE_OR,
	CDC_WHERE_NOT,
	CDC_WHERE_COMPARE, /* two children, `op` */
	CDC_WHERE_BETWEEN, /* value, low, high */
	CDC_WHERE_IN, /* value, then the list */
	CDC_WHERE_LIKE, /* value, pattern, perhaps the escape character */
	CDC_WHERE_IS, /* the child is one of `outcomes` (a column: is null or not) */
	CDC_WHERE_COLUMN, /* `part` */
	CDC_WHERE_LITERAL, /* `literal`, `value` */
	/* Values that are computed, where the text may have them: */
	CDC_WHERE_CALL, /* `value` is the function's name, or the operator's sign */
	CDC_WHERE_CAST, /* one child; `value` is the type's text */
	CDC_WHERE_CASE /* condition, value, condition, value..., perhaps the value of ELSE */
};

enum cdc_where_op {
	CDC_OP_EQ,
	CDC_OP_NE,
	CDC_OP_LT,
	CDC_OP_LE,
	CDC_OP_GT,
	CDC_OP_GE,
	CDC_OP_SAME /* <=> */
};

enum cdc_where_literal {
	CDC_LIT_NULL,
	CDC_LIT_TRUE,
	CDC_LIT_FALSE,
	CDC_LIT_NUMBER,
	CDC_LIT_STRING,
	CDC_LIT_BINARY,
	CDC_LIT_DATE,
	CDC_LIT_TIMESTAMP,
	CDC_LIT_TIME
};

struct cdc_where_node {
	enum cdc_where_kind kind;
	enum cdc_where_op op;
	enum cdc_where_literal literal;
	unsigned outcomes;
	struct cdc_str text; /* the part of the predicate's text that this is */
	struct cdc_str value; /* digits with the sign before them, or the bytes of the string */
	struct cdc_str *part; /* of a column's path */
	int num_parts;
	struct cdc_where_node *child; /* the first */
	struct cdc_where_node *next; /* of the same parent */
};

struct cdc_where {
	struct cdc_str text;
	struct cdc_where_node *root;
	bool values; /* computed values are part of the language */
	struct cdc_arena arena; /* owns all above */
};

/*
 * The same language with computed values beside columns and literals, see expr.h. What comes out is
 * for cdc_expr_new alone.
 */
int cdc_where_parse_values(struct cdc_where **w, struct cdc_str text,
			   struct cdc_err *err) CDC_NODISCARD;

/* CDC_EUSAGE: the message and " at character N", where `at` points into the text. */
int cdc_where_fail(const struct cdc_where *w, const char *at, struct cdc_err *err, const char *fmt,
		   ...) CDC_PRINTF(4, 5);

/* ------------------------------------------------------------------ literals as keys */

/*
 * A column's values as integers in the order of the values, its keys: integers, booleans, dates
 * and times as they are, doubles by their bits, decimals unscaled. Others are CDC_KEY_BYTES, or
 * not comparable.
 */
enum cdc_key { CDC_KEY_NONE, CDC_KEY_NUMBER, CDC_KEY_BYTES };

/* Ends of open ranges of decimals. */
#define CDC_KEY_MAX ((cdc_i128)(~(cdc_u128)0 >> 1))
#define CDC_KEY_MIN (-CDC_KEY_MAX - 1)

enum cdc_key cdc_where_key(enum cdc_type t);
int64_t cdc_where_double_key(double v);
double cdc_where_key_double(int64_t key);

/* A literal between keys: `floor` is the largest key that is not greater, `exact` if it is it. */
struct cdc_where_number {
	cdc_i128 floor;
	bool exact;
};

/* A literal as a value of the type of `f`, whose keys are numbers; false: it cannot be one. */
bool cdc_where_number(const struct cdc_field *f, const struct cdc_where_node *literal,
		      struct cdc_where_number *out);
/* The same for bytes, which may come from `a`. CDC_END: it cannot be one. */
int cdc_where_bytes(const struct cdc_field *f, const struct cdc_where_node *literal,
		    struct cdc_arena *a, struct cdc_str *out, struct cdc_err *err) CDC_NODISCARD;

/* ------------------------------------------------------------------ LIKE */

struct cdc_like {
	struct cdc_str text; /* literal bytes, and wildcards where `wild` says so */
	uint8_t *wild; /* 0: the byte itself; '_', '%' */
	size_t prefix; /* bytes before the first wildcard */
	bool prefix_only; /* the prefix and one % */
};

/* NULL, or what is wrong with the pattern. *nomem tells that memory is gone. */
const char *cdc_like_compile(struct cdc_like *l, struct cdc_str pattern, struct cdc_str escape,
			     struct cdc_arena *a, bool *nomem);
bool cdc_like_match(const struct cdc_like *l, struct cdc_str s);

/* ------------------------------------------------------------------ bound */

enum cdc_term_kind {
	CDC_TERM_AND,
	CDC_TERM_OR,
	CDC_TERM_NOT,
	CDC_TERM_IS, /* child is one of `outcomes` */
	CDC_TERM_CONSTANT, /* `outcomes` has one member */
	CDC_TERM_NULL, /* path is null */
	CDC_TERM_RANGE, /* keys of path lie in lo..hi, or its bytes between the ends */
	CDC_TERM_SET, /* path is one of the set */
	CDC_TERM_LIKE,
	CDC_TERM_COLUMNS /* path op other */
};

struct cdc_bytes_end {
	bool has;
	bool open; /* the value itself is outside */
	struct cdc_str s;
};

struct cdc_term {
	enum cdc_term_kind kind;
	unsigned outcomes;
	struct cdc_str text; /* of the node that it was made from */
	struct cdc_term *child;
	struct cdc_term *next;
	int path;
	int other;
	enum cdc_where_op op; /* COLUMNS: EQ, LT or LE */
	cdc_i128 lo; /* RANGE of numbers; lo > hi: no value is in it */
	cdc_i128 hi;
	struct cdc_bytes_end from; /* RANGE of bytes */
	struct cdc_bytes_end to;
	bool has_null; /* SET: null is among them */
	size_t num_members; /* SET: ascending, each once */
	int64_t *key; /* numbers of 64 bits */
	cdc_i128 *wide; /* decimals */
	struct cdc_str *bytes;
	struct cdc_like like;
};

/* A column, or a field in structs. */
struct cdc_path {
	int column; /* index into cdc_filter.column */
	int *step; /* child after child */
	int num_steps;
	const struct cdc_field *field; /* where it ends */
};

struct cdc_filter {
	const struct cdc_where *where;
	const struct cdc_schema *schema;
	struct cdc_term *root;
	int *column;
	int num_columns;
	struct cdc_path *path;
	int num_paths;
	int depth; /* of terms */
	uint8_t *work; /* (depth + 2) arrays of `work_rows` */
	uint32_t work_rows;
	struct cdc_arena arena;
};

/* Index of a struct's field by name: exact, else ASCII case-insensitive; -1. */
int cdc_where_find_child(const struct cdc_field *f, struct cdc_str name);
/* Whether columns of these fields can be compared. */
bool cdc_columns_comparable(const struct cdc_field *a, const struct cdc_field *b);
/* out[row] = a op b for rows that are valid (NULL: all); op is EQ, LT or LE. */
void cdc_columns_compare(const struct cdc_column *a, const struct cdc_column *b,
			 enum cdc_where_op op, const uint8_t *valid, uint32_t rows, uint8_t *out);

#endif
