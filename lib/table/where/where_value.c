/*
 * Computed values in the text of a condition: operators, calls, CAST and CASE. See expr.h.
 */
#include "table/where/where_parse.h"

static int parse_unary(struct cdc_where_parser *p, struct cdc_where_node **out);

/* Room for one more that is computed. */
static int count_call(struct cdc_where_parser *p, const char *at)
{
	if (++p->calls > CDC_WHERE_MAX_CALLS)
		return cdc_where_fail(p->w, at, p->err, "more than %d operators and calls",
				      CDC_WHERE_MAX_CALLS);
	return CDC_OK;
}

/* Whether `(` or `word` comes after the token at hand. */
static int looks_at(struct cdc_where_parser *p, enum cdc_token_kind kind, char sign, bool *is)
{
	struct cdc_token ahead;
	int rc = cdc_where_lex(p->w, p->t.text.p + p->t.text.n, &ahead, p->err);

	if (rc == CDC_OK)
		*is = ahead.kind == kind && (!sign || ahead.text.p[0] == sign);
	return rc;
}

/* ------------------------------------------------------------------ calls */

/* What stands before an argument: a comma, or in substring(text FROM start FOR length) a word. */
static int want_separator(struct cdc_where_parser *p, struct cdc_str name, int args)
{
	const char *word = args == 1 ? "FROM" : "FOR";

	if (args == 0)
		return CDC_OK;
	if (args <= 2 && cdc_where_at_word(p, word) &&
	    (cdc_str_ieq(name, CDC_STR("substring")) || cdc_str_ieq(name, CDC_STR("substr"))))
		return cdc_where_advance(p);
	return cdc_where_want_sign(p, ',');
}

/* name ( condition, ... ) */
static int parse_call(struct cdc_where_parser *p, struct cdc_where_node **out)
{
	const char *start = p->t.text.p;
	struct cdc_str name = p->t.value;
	struct cdc_where_node *first = NULL;
	struct cdc_where_node **last = &first;
	int rc = count_call(p, start);

	if (rc == CDC_OK)
		rc = cdc_where_advance(p);
	if (rc == CDC_OK)
		rc = cdc_where_want_sign(p, '(');
	for (int args = 0; rc == CDC_OK && !cdc_where_at_sign(p, ')'); args++) {
		rc = want_separator(p, name, args);
		if (rc == CDC_OK)
			rc = cdc_where_condition(p, last);
		if (rc == CDC_OK)
			last = &(*last)->next;
	}
	if (rc == CDC_OK)
		rc = cdc_where_want_sign(p, ')');
	if (rc == CDC_OK)
		rc = cdc_where_new_node(p, CDC_WHERE_CALL, start, out);
	if (rc < 0)
		return rc;
	(*out)->value = name;
	(*out)->child = first;
	return CDC_OK;
}

static int want_number(struct cdc_where_parser *p)
{
	return p->t.kind == CDC_TOK_NUMBER ? cdc_where_advance(p)
					   : cdc_where_unexpected(p, "a number");
}

/* NAME [( number [, number] )] */
static int parse_type(struct cdc_where_parser *p, struct cdc_str *type)
{
	const char *start = p->t.text.p;
	int rc = p->t.kind == CDC_TOK_NAME ? cdc_where_advance(p)
					   : cdc_where_unexpected(p, "a type");

	if (rc == CDC_OK && (rc = cdc_where_take_sign(p, '(')) > 0) {
		rc = want_number(p);
		if (rc == CDC_OK && (rc = cdc_where_take_sign(p, ',')) > 0)
			rc = want_number(p);
		if (rc == CDC_OK)
			rc = cdc_where_want_sign(p, ')');
	}
	*type = cdc_str(start, (size_t)(p->behind - start));
	return rc;
}

/* CAST ( condition AS type ) */
static int parse_cast(struct cdc_where_parser *p, struct cdc_where_node **out)
{
	const char *start = p->t.text.p;
	struct cdc_where_node *child = NULL;
	struct cdc_str type = CDC_STR_INIT;
	int rc = count_call(p, start);

	if (rc == CDC_OK)
		rc = cdc_where_advance(p);
	if (rc == CDC_OK)
		rc = cdc_where_want_sign(p, '(');
	if (rc == CDC_OK)
		rc = cdc_where_condition(p, &child);
	if (rc == CDC_OK)
		rc = cdc_where_want_word(p, "AS");
	if (rc == CDC_OK)
		rc = parse_type(p, &type);
	if (rc == CDC_OK)
		rc = cdc_where_want_sign(p, ')');
	if (rc == CDC_OK)
		rc = cdc_where_new_node(p, CDC_WHERE_CAST, start, out);
	if (rc < 0)
		return rc;
	(*out)->value = type;
	(*out)->child = child;
	return CDC_OK;
}

/* CASE WHEN condition THEN value ... [ELSE value] END */
static int parse_case(struct cdc_where_parser *p, struct cdc_where_node **out)
{
	const char *start = p->t.text.p;
	struct cdc_where_node *first = NULL;
	struct cdc_where_node **last = &first;
	int rc = cdc_where_advance(p);

	if (rc == CDC_OK && !cdc_where_at_word(p, "WHEN"))
		return cdc_where_unexpected(p, "WHEN");
	while (rc == CDC_OK && (rc = cdc_where_take_word(p, "WHEN")) > 0) {
		rc = count_call(p, p->behind);
		if (rc == CDC_OK)
			rc = cdc_where_condition(p, last);
		if (rc == CDC_OK)
			rc = cdc_where_want_word(p, "THEN");
		if (rc == CDC_OK)
			rc = cdc_where_condition(p, &(*last)->next);
		if (rc == CDC_OK)
			last = &(*last)->next->next;
	}
	if (rc == CDC_OK && (rc = cdc_where_take_word(p, "ELSE")) > 0)
		rc = cdc_where_condition(p, last);
	if (rc == CDC_OK)
		rc = cdc_where_want_word(p, "END");
	if (rc == CDC_OK)
		rc = cdc_where_new_node(p, CDC_WHERE_CASE, start, out);
	if (rc == CDC_OK)
		(*out)->child = first;
	return rc;
}

static int parse_primary(struct cdc_where_parser *p, struct cdc_where_node **out)
{
	bool call = false;
	int rc;

	if (cdc_where_at_word(p, "CASE"))
		return parse_case(p, out);
	if (p->t.kind != CDC_TOK_NAME)
		return cdc_where_operand(p, out);
	rc = looks_at(p, CDC_TOK_SIGN, '(', &call);
	if (rc < 0)
		return rc;
	if (!call)
		return cdc_where_operand(p, out);
	return cdc_where_at_word(p, "CAST") ? parse_cast(p, out) : parse_call(p, out);
}

/* ------------------------------------------------------------------ operators */

/* -value, +value; the sign before digits is theirs. */
static int parse_unary(struct cdc_where_parser *p, struct cdc_where_node **out)
{
	const char *start = p->t.text.p;
	struct cdc_where_node *child = NULL;
	struct cdc_str sign = p->t.text;
	bool number = false;
	int rc;

	if (!cdc_where_at_sign(p, '-') && !cdc_where_at_sign(p, '+'))
		return parse_primary(p, out);
	rc = looks_at(p, CDC_TOK_NUMBER, 0, &number);
	if (rc < 0 || number)
		return rc < 0 ? rc : cdc_where_operand(p, out);
	rc = count_call(p, start);
	if (rc == CDC_OK)
		rc = cdc_where_advance(p);
	if (rc == CDC_OK)
		rc = parse_unary(p, &child);
	if (rc == CDC_OK)
		rc = cdc_where_new_node(p, CDC_WHERE_CALL, start, out);
	if (rc < 0)
		return rc;
	(*out)->value = sign;
	(*out)->child = child;
	return CDC_OK;
}

static bool at_operator(const struct cdc_where_parser *p, bool products)
{
	return p->t.kind == CDC_TOK_SIGN && strchr(products ? "*/%" : "+-|", p->t.text.p[0]);
}

/* Operands with operators of one rank between them, from the left. */
static int parse_chain(struct cdc_where_parser *p, bool products, struct cdc_where_node **out)
{
	int rc = products ? parse_unary(p, out) : parse_chain(p, true, out);

	while (rc == CDC_OK && at_operator(p, products)) {
		struct cdc_str sign = p->t.text;

		rc = count_call(p, sign.p);
		if (rc == CDC_OK)
			rc = cdc_where_advance(p);
		if (rc == CDC_OK)
			rc = products ? parse_unary(p, &(*out)->next)
				      : parse_chain(p, true, &(*out)->next);
		if (rc == CDC_OK)
			rc = cdc_where_wrap(p, CDC_WHERE_CALL, out);
		if (rc == CDC_OK)
			(*out)->value = sign;
	}
	return rc;
}

int cdc_where_value(struct cdc_where_parser *p, struct cdc_where_node **out)
{
	return parse_chain(p, false, out);
}
