/*
 * Functions and operators by name: what they take, what they give, and who computes it.
 */
#include "table/expr/expr_int.h"

/*
 * What an argument must be: 's' text; 'i' an integer of at most 32 bits; 'd' anything that is cast
 * to a date; 't' to a timestamp.
 */
struct function {
	const char *name;
	const char *args;
	enum cdc_type type; /* of the value */
	cdc_expr_fn *fn;
};

static const struct function functions[] = {
	{ "char_length", "s", CDC_TYPE_INTEGER, cdc_fn_length },
	{ "character_length", "s", CDC_TYPE_INTEGER, cdc_fn_length },
	{ "len", "s", CDC_TYPE_INTEGER, cdc_fn_length },
	{ "length", "s", CDC_TYPE_INTEGER, cdc_fn_length },
	{ "octet_length", "s", CDC_TYPE_INTEGER, cdc_fn_octets },
	{ "upper", "s", CDC_TYPE_STRING, cdc_fn_upper },
	{ "ucase", "s", CDC_TYPE_STRING, cdc_fn_upper },
	{ "lower", "s", CDC_TYPE_STRING, cdc_fn_lower },
	{ "lcase", "s", CDC_TYPE_STRING, cdc_fn_lower },
	{ "trim", "s", CDC_TYPE_STRING, cdc_fn_trim },
	{ "ltrim", "s", CDC_TYPE_STRING, cdc_fn_ltrim },
	{ "rtrim", "s", CDC_TYPE_STRING, cdc_fn_rtrim },
	{ "substr", "si", CDC_TYPE_STRING, cdc_fn_substring_to_end },
	{ "substr", "sii", CDC_TYPE_STRING, cdc_fn_substring },
	{ "substring", "si", CDC_TYPE_STRING, cdc_fn_substring_to_end },
	{ "substring", "sii", CDC_TYPE_STRING, cdc_fn_substring },
	{ "year", "d", CDC_TYPE_INTEGER, cdc_fn_year },
	{ "quarter", "d", CDC_TYPE_INTEGER, cdc_fn_quarter },
	{ "month", "d", CDC_TYPE_INTEGER, cdc_fn_month },
	{ "day", "d", CDC_TYPE_INTEGER, cdc_fn_day },
	{ "dayofmonth", "d", CDC_TYPE_INTEGER, cdc_fn_day },
	{ "dayofweek", "d", CDC_TYPE_INTEGER, cdc_fn_day_of_week },
	{ "weekday", "d", CDC_TYPE_INTEGER, cdc_fn_weekday },
	{ "dayofyear", "d", CDC_TYPE_INTEGER, cdc_fn_day_of_year },
	{ "hour", "t", CDC_TYPE_INTEGER, cdc_fn_hour },
	{ "minute", "t", CDC_TYPE_INTEGER, cdc_fn_minute },
	{ "second", "t", CDC_TYPE_INTEGER, cdc_fn_second },
};

static int count_children(const struct cdc_where_node *n)
{
	int count = 0;

	for (const struct cdc_where_node *c = n->child; c; c = c->next)
		count++;
	return count;
}

/* A node whose arguments are the children, bound. */
static int bind_arguments(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			  enum cdc_expr_kind kind, enum cdc_type type, struct cdc_expr_node **out)
{
	int rc = cdc_expr_node(b, kind, type, n, count_children(n), out);
	int i = 0;

	for (const struct cdc_where_node *c = n->child; c && rc == CDC_OK; c = c->next)
		rc = cdc_expr_bind(b, c, &(*out)->arg[i++]);
	return rc;
}

static int fit_argument(struct cdc_expr_binder *b, char kind, struct cdc_expr_node **arg)
{
	enum cdc_type t = (*arg)->type.type;

	if (t == CDC_TYPE_VOID)
		return cdc_expr_cast_type(b,
					  kind == 's'	? CDC_TYPE_STRING
					  : kind == 'i' ? CDC_TYPE_INTEGER
					  : kind == 'd' ? CDC_TYPE_DATE
							: CDC_TYPE_TIMESTAMP,
					  arg);
	if (kind == 's' && t != CDC_TYPE_STRING)
		return cdc_expr_refuse(b, (*arg)->source, "text is wanted");
	if (kind == 'i' && (!cdc_expr_is_integer(t) || t == CDC_TYPE_LONG))
		return cdc_expr_refuse(b, (*arg)->source, "an INT is wanted");
	if ((kind == 'd' || kind == 't') && t != CDC_TYPE_STRING && t != CDC_TYPE_DATE &&
	    !cdc_expr_is_instant(t))
		return cdc_expr_refuse(b, (*arg)->source, "a date or a timestamp is wanted");
	if (kind == 'd')
		return cdc_expr_cast_type(b, CDC_TYPE_DATE, arg);
	return kind == 't' ? cdc_expr_cast_type(b, CDC_TYPE_TIMESTAMP, arg) : CDC_OK;
}

static int bind_function(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			 const struct function *f, struct cdc_expr_node **out)
{
	int rc = bind_arguments(b, n, CDC_EXPR_CALL, f->type, out);

	for (int i = 0; rc == CDC_OK && f->args[i]; i++)
		rc = fit_argument(b, f->args[i], &(*out)->arg[i]);
	if (rc == CDC_OK)
		(*out)->fn = f->fn;
	return rc;
}

/* ------------------------------------------------------------------ those with rules of their own
 */

typedef int bind_fn(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		    struct cdc_expr_node **out);

static int bind_operator(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			 struct cdc_expr_node **out)
{
	struct cdc_expr_node *arg[2];
	int rc = cdc_expr_bind(b, n->child, &arg[0]);

	if (rc == CDC_OK && n->child->next)
		rc = cdc_expr_bind(b, n->child->next, &arg[1]);
	return rc < 0 ? rc
		      : cdc_expr_bind_arithmetic(b, n, n->value.p[0], arg, n->child->next ? 2 : 1,
						 out);
}

/* What is no text is cast to it. */
static int bind_concat(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		       struct cdc_expr_node **out)
{
	struct cdc_expr_node *sum = NULL;

	for (const struct cdc_where_node *c = n->child; c; c = c->next) {
		struct cdc_expr_node *next;
		struct cdc_expr_node *both;
		int rc = cdc_expr_bind(b, c, &next);

		if (rc == CDC_OK && next->type.type == CDC_TYPE_BINARY)
			rc = cdc_expr_refuse(b, c, "text is wanted");
		if (rc == CDC_OK)
			rc = cdc_expr_cast_type(b, CDC_TYPE_STRING, &next);
		if (rc == CDC_OK && sum)
			rc = cdc_expr_node(b, CDC_EXPR_CALL, CDC_TYPE_STRING, n, 2, &both);
		if (rc < 0)
			return rc;
		if (sum) {
			both->fn = cdc_fn_concat;
			both->arg[0] = sum;
			both->arg[1] = next;
		}
		sum = sum ? both : next;
	}
	*out = sum;
	return CDC_OK;
}

static int bind_coalesce(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			 struct cdc_expr_node **out)
{
	int rc = bind_arguments(b, n, CDC_EXPR_COALESCE, CDC_TYPE_VOID, out);

	return rc < 0 ? rc : cdc_expr_unify(b, *out, 0, 1);
}

static int bind_if(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		   struct cdc_expr_node **out)
{
	int rc = bind_arguments(b, n, CDC_EXPR_CASE, CDC_TYPE_VOID, out);

	for (int i = 0; rc == CDC_OK && i + 1 < (*out)->num_args; i += 2) {
		enum cdc_type t = (*out)->arg[i]->type.type;

		if (t != CDC_TYPE_BOOLEAN && t != CDC_TYPE_VOID)
			rc = cdc_expr_refuse(b, (*out)->arg[i]->source, "a condition is wanted");
	}
	return rc < 0 ? rc : cdc_expr_unify(b, *out, 1, 2);
}

static int bind_abs(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		    struct cdc_expr_node **out)
{
	int rc = bind_arguments(b, n, CDC_EXPR_CALL, CDC_TYPE_VOID, out);
	enum cdc_type t;

	if (rc < 0)
		return rc;
	(*out)->type = (*out)->arg[0]->type;
	t = (*out)->type.type;
	if (!cdc_expr_is_integer(t) && !cdc_expr_is_float(t) && t != CDC_TYPE_DECIMAL)
		return cdc_expr_refuse(b, n->child, "a number is wanted");
	(*out)->fn = cdc_expr_is_integer(t) ? cdc_fn_abs_integer
		     : cdc_expr_is_float(t) ? cdc_fn_abs_double
					    : cdc_fn_abs_decimal;
	return CDC_OK;
}

static int bind_is_null(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			struct cdc_expr_node **out)
{
	return bind_arguments(b, n, CDC_EXPR_IS_NULL, CDC_TYPE_BOOLEAN, out);
}

static int bind_is_not_null(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			    struct cdc_expr_node **out)
{
	struct cdc_expr_node *is = NULL;
	int rc = bind_is_null(b, n, &is);

	if (rc == CDC_OK)
		rc = cdc_expr_node(b, CDC_EXPR_NOT, CDC_TYPE_BOOLEAN, n, 1, out);
	if (rc == CDC_OK)
		(*out)->arg[0] = is;
	return rc;
}

static int bind_to_date(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			struct cdc_expr_node **out)
{
	int rc = cdc_expr_bind(b, n->child, out);

	return rc < 0 ? rc : fit_argument(b, 'd', out);
}

static bool is_plain_literal(const struct cdc_where_node *n)
{
	return n->kind == CDC_WHERE_LITERAL && n->literal == CDC_LIT_STRING &&
	       cdc_expr_is_plain_text(n);
}

/* A function of a timestamp, given by the child `at`. */
static int bind_of_instant(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			   const struct cdc_where_node *at, enum cdc_type type, cdc_expr_fn *fn,
			   struct cdc_expr_node **out)
{
	int rc = cdc_expr_node(b, CDC_EXPR_CALL, type, n, 1, out);

	if (rc == CDC_OK)
		rc = cdc_expr_bind(b, at, &(*out)->arg[0]);
	if (rc == CDC_OK)
		rc = fit_argument(b, 't', &(*out)->arg[0]);
	if (rc == CDC_OK)
		(*out)->fn = fn;
	return rc;
}

static int bind_date_format(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			    struct cdc_expr_node **out)
{
	const struct cdc_where_node *pattern = n->child->next;
	int rc;

	if (!is_plain_literal(pattern) || !cdc_expr_is_date_pattern(pattern->value))
		return cdc_expr_refuse(b, pattern,
				       "a pattern of other than yyyy MM dd HH mm ss and signs");
	rc = bind_of_instant(b, n, n->child, CDC_TYPE_STRING, cdc_fn_date_format, out);
	if (rc == CDC_OK)
		(*out)->pattern = pattern->value;
	return rc;
}

static int bind_date_trunc(struct cdc_expr_binder *b, const struct cdc_where_node *n,
			   struct cdc_expr_node **out)
{
	int unit = is_plain_literal(n->child) ? cdc_expr_date_unit(n->child->value) : -1;
	int rc;

	if (unit < 0)
		return cdc_expr_refuse(b, n->child, "a unit that is not known here");
	rc = bind_of_instant(b, n, n->child->next, CDC_TYPE_TIMESTAMP, cdc_fn_date_trunc, out);
	if (rc == CDC_OK)
		(*out)->unit = unit;
	return rc;
}

static int bind_now(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		    struct cdc_expr_node **out)
{
	return cdc_expr_node(b, CDC_EXPR_NOW, CDC_TYPE_TIMESTAMP, n, 0, out);
}

static int bind_today(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		      struct cdc_expr_node **out)
{
	return cdc_expr_node(b, CDC_EXPR_NOW, CDC_TYPE_DATE, n, 0, out);
}

#define ANY_NUMBER 1000

static const struct special {
	const char *name;
	int min_args;
	int max_args;
	bool is_word; /* may do without parentheses */
	bind_fn *bind;
} specials[] = {
	{ "+", 1, 2, false, bind_operator },
	{ "-", 1, 2, false, bind_operator },
	{ "*", 2, 2, false, bind_operator },
	{ "/", 2, 2, false, bind_operator },
	{ "%", 2, 2, false, bind_operator },
	{ "||", 2, 2, false, bind_concat },
	{ "concat", 1, ANY_NUMBER, false, bind_concat },
	{ "coalesce", 1, ANY_NUMBER, false, bind_coalesce },
	{ "ifnull", 2, 2, false, bind_coalesce },
	{ "nvl", 2, 2, false, bind_coalesce },
	{ "if", 3, 3, false, bind_if },
	{ "abs", 1, 1, false, bind_abs },
	{ "isnull", 1, 1, false, bind_is_null },
	{ "isnotnull", 1, 1, false, bind_is_not_null },
	{ "date", 1, 1, false, bind_to_date },
	{ "to_date", 1, 1, false, bind_to_date },
	{ "date_format", 2, 2, false, bind_date_format },
	{ "date_trunc", 2, 2, false, bind_date_trunc },
	{ "now", 0, 0, false, bind_now },
	{ "current_timestamp", 0, 0, true, bind_now },
	{ "current_date", 0, 0, true, bind_today },
};

static const struct special *find_special(struct cdc_str name, int args)
{
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
		if (cdc_str_ieq(name, cdc_str_z(specials[i].name)) &&
		    args >= specials[i].min_args && args <= specials[i].max_args)
			return &specials[i];
	}
	return NULL;
}

int cdc_expr_bind_call(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		       struct cdc_expr_node **out)
{
	int args = count_children(n);
	const struct special *s = find_special(n->value, args);

	if (n->kind == CDC_WHERE_CASE)
		return bind_if(b, n, out);
	if (s)
		return s->bind(b, n, out);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (cdc_str_ieq(n->value, cdc_str_z(functions[i].name)) &&
		    strlen(functions[i].args) == (size_t)args)
			return bind_function(b, n, &functions[i], out);
	}
	return cdc_expr_refuse(b, n,
			       "a function, or a number of arguments, that is not known here");
}

int cdc_expr_bind_word(struct cdc_expr_binder *b, const struct cdc_where_node *n,
		       struct cdc_str name, struct cdc_expr_node **out)
{
	const struct special *s = find_special(name, 0);

	return s && s->is_word ? s->bind(b, n, out) : CDC_END;
}
