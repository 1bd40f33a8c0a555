/*
 * A predicate's text to its tree, by recursive descent. See where.h for the language.
 */
#include "table/where/where_parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int cdc_where_fail(const struct cdc_where *w, const char *at, struct cdc_err *err, const char *fmt,
		   ...)
{
	char what[400];
	size_t n = 1;
	va_list ap;

	for (const char *p = w->text.p; p < at; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return cdc_fail(err, CDC_EUSAGE, "%s at character %zu", what, n);
}

/* ------------------------------------------------------------------ tokens */

#define SHOWN(s) (int)((s).n > 60 ? 60 : (s).n), (s).p

int cdc_where_unexpected(struct cdc_where_parser *p, const char *wanted)
{
	if (p->t.kind == CDC_TOK_END)
		return cdc_where_fail(p->w, p->t.text.p, p->err, "%s is missing", wanted);
	return cdc_where_fail(p->w, p->t.text.p, p->err, "%s is wanted instead of %.*s", wanted,
			      SHOWN(p->t.text));
}

int cdc_where_advance(struct cdc_where_parser *p)
{
	p->behind = p->t.text.p + p->t.text.n;
	return cdc_where_lex(p->w, p->behind, &p->t, p->err);
}

bool cdc_where_at_word(const struct cdc_where_parser *p, const char *word)
{
	return p->t.kind == CDC_TOK_NAME && cdc_str_ieq(p->t.text, cdc_str_z(word));
}

bool cdc_where_at_sign(const struct cdc_where_parser *p, char c)
{
	return p->t.kind == CDC_TOK_SIGN && p->t.text.p[0] == c;
}

/* Take the word or sign if it is there: 1, else 0; <0: error. */
int cdc_where_take_word(struct cdc_where_parser *p, const char *word)
{
	int rc;

	if (!cdc_where_at_word(p, word))
		return 0;
	rc = cdc_where_advance(p);
	return rc < 0 ? rc : 1;
}

int cdc_where_take_sign(struct cdc_where_parser *p, char c)
{
	int rc;

	if (!cdc_where_at_sign(p, c))
		return 0;
	rc = cdc_where_advance(p);
	return rc < 0 ? rc : 1;
}

int cdc_where_want_word(struct cdc_where_parser *p, const char *word)
{
	int rc = cdc_where_take_word(p, word);

	return rc ? (rc < 0 ? rc : CDC_OK) : cdc_where_unexpected(p, word);
}

int cdc_where_want_sign(struct cdc_where_parser *p, char c)
{
	const char name[2] = { c, 0 };
	int rc = cdc_where_take_sign(p, c);

	return rc ? (rc < 0 ? rc : CDC_OK) : cdc_where_unexpected(p, name);
}

/* ------------------------------------------------------------------ nodes */

int cdc_where_new_node(struct cdc_where_parser *p, enum cdc_where_kind kind, const char *start,
		       struct cdc_where_node **out)
{
	*out = cdc_arena_calloc(&p->w->arena, 1, sizeof(**out));
	if (!*out)
		return cdc_fail_nomem(p->err);
	(*out)->kind = kind;
	(*out)->text = cdc_str(start, (size_t)(p->behind - start));
	return CDC_OK;
}

/* A node over those that stand there so far, up to the last token taken. */
int cdc_where_wrap(struct cdc_where_parser *p, enum cdc_where_kind kind,
		   struct cdc_where_node **node)
{
	struct cdc_where_node *child = *node;
	int rc = cdc_where_new_node(p, kind, child->text.p, node);

	if (rc == CDC_OK)
		(*node)->child = child;
	return rc;
}

static void stretch(const struct cdc_where_parser *p, struct cdc_where_node *n)
{
	n->text.n = (size_t)(p->behind - n->text.p);
}

/* ------------------------------------------------------------------ operands */

static bool is_reserved(struct cdc_str word)
{
	static const char *const words[] = { "and",  "or",	"not",	"in",	 "is",
					     "like", "between", "null", "escape" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (cdc_str_ieq(word, cdc_str_z(words[i])))
			return true;
	}
	return false;
}

#define MAX_PARTS 64 /* deeper than schemas may be */

static int parse_path(struct cdc_where_parser *p, struct cdc_where_node **out)
{
	struct cdc_str part[MAX_PARTS];
	const char *start = p->t.text.p;
	int n = 0;
	int rc;

	do {
		if (p->t.kind != CDC_TOK_QUOTED_NAME &&
		    (p->t.kind != CDC_TOK_NAME || (!n && is_reserved(p->t.text))))
			return cdc_where_unexpected(p, n ? "a name" : "a value");
		if (n == MAX_PARTS)
			return cdc_where_fail(p->w, start, p->err, "a path of too many names");
		part[n++] = p->t.value;
		rc = cdc_where_advance(p);
		if (rc == CDC_OK)
			rc = cdc_where_take_sign(p, '.');
	} while (rc > 0);
	if (rc == CDC_OK)
		rc = cdc_where_new_node(p, CDC_WHERE_COLUMN, start, out);
	if (rc < 0)
		return rc;
	(*out)->part = cdc_arena_calloc(&p->w->arena, (size_t)n, sizeof(*part));
	if (!(*out)->part)
		return cdc_fail_nomem(p->err);
	memcpy((*out)->part, part, (size_t)n * sizeof(*part));
	(*out)->num_parts = n;
	return CDC_OK;
}

static int make_literal(struct cdc_where_parser *p, enum cdc_where_literal literal,
			const char *start, struct cdc_where_node **out)
{
	struct cdc_str value = p->t.value;
	int rc = cdc_where_advance(p);

	if (rc == CDC_OK)
		rc = cdc_where_new_node(p, CDC_WHERE_LITERAL, start, out);
	if (rc < 0)
		return rc;
	(*out)->literal = literal;
	(*out)->value = value;
	return CDC_OK;
}

/* [+-] number */
static int parse_number(struct cdc_where_parser *p, struct cdc_where_node **out)
{
	const char *start = p->t.text.p;
	bool negative = cdc_where_at_sign(p, '-');
	int rc = p->t.kind == CDC_TOK_NUMBER ? CDC_OK : cdc_where_advance(p);
	struct cdc_str digits;
	char *text;

	if (rc < 0)
		return rc;
	if (p->t.kind != CDC_TOK_NUMBER)
		return cdc_where_unexpected(p, "a number");
	digits = p->t.value;
	rc = make_literal(p, CDC_LIT_NUMBER, start, out);
	if (rc < 0 || !negative)
		return rc;
	text = cdc_arena_alloc(&p->w->arena, digits.n + 1);
	if (!text)
		return cdc_fail_nomem(p->err);
	text[0] = '-';
	memcpy(text + 1, digits.p, digits.n);
	(*out)->value = cdc_str(text, digits.n + 1);
	return CDC_OK;
}

/* A name that is a literal, or begins one: 1 and the literal, else 0. */
static int parse_word_literal(struct cdc_where_parser *p, struct cdc_where_node **out)
{
	static const struct {
		const char *word;
		enum cdc_where_literal literal;
		bool typed; /* a string follows */
	} words[] = {
		{ "null", CDC_LIT_NULL, false },
		{ "true", CDC_LIT_TRUE, false },
		{ "false", CDC_LIT_FALSE, false },
		{ "date", CDC_LIT_DATE, true },
		{ "timestamp", CDC_LIT_TIMESTAMP, true },
		{ "timestamp_ntz", CDC_LIT_TIMESTAMP, true },
		{ "timestamp_ltz", CDC_LIT_TIMESTAMP, true },
		{ "time", CDC_LIT_TIME, true },
	};
	const char *start = p->t.text.p;
	struct cdc_token ahead;
	int rc;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!cdc_where_at_word(p, words[i].word))
			continue;
		if (words[i].typed) {
			rc = cdc_where_lex(p->w, start + p->t.text.n, &ahead, p->err);
			if (rc < 0 || ahead.kind != CDC_TOK_STRING)
				return rc;
			rc = cdc_where_advance(p);
			if (rc < 0)
				return rc;
		}
		rc = make_literal(p, words[i].literal, start, out);
		return rc < 0 ? rc : 1;
	}
	return 0;
}

static int parse_group(struct cdc_where_parser *p, struct cdc_where_node **out)
{
	const char *start = p->t.text.p;
	int rc = cdc_where_advance(p);

	if (rc == CDC_OK)
		rc = cdc_where_condition(p, out);
	if (rc == CDC_OK)
		rc = cdc_where_want_sign(p, ')');
	if (rc == CDC_OK)
		(*out)->text = cdc_str(start, (size_t)(p->behind - start));
	return rc;
}

int cdc_where_operand(struct cdc_where_parser *p, struct cdc_where_node **out)
{
	const char *start = p->t.text.p;
	int rc;

	if (cdc_where_at_sign(p, '('))
		return parse_group(p, out);
	if (p->t.kind == CDC_TOK_NUMBER || cdc_where_at_sign(p, '-') || cdc_where_at_sign(p, '+'))
		return parse_number(p, out);
	if (p->t.kind == CDC_TOK_STRING)
		return make_literal(p, CDC_LIT_STRING, start, out);
	if (p->t.kind == CDC_TOK_BINARY)
		return make_literal(p, CDC_LIT_BINARY, start, out);
	rc = parse_word_literal(p, out);
	if (rc)
		return rc < 0 ? rc : CDC_OK;
	return parse_path(p, out);
}

/* ------------------------------------------------------------------ conditions */

static int parse_value(struct cdc_where_parser *p, struct cdc_where_node **out)
{
	return p->w->values ? cdc_where_value(p, out) : cdc_where_operand(p, out);
}

/* The next child of a node, behind `last`. */
static int parse_child(struct cdc_where_parser *p, struct cdc_where_node **last)
{
	int rc = parse_value(p, &(*last)->next);

	*last = (*last)->next;
	return rc;
}

static int parse_list(struct cdc_where_parser *p, struct cdc_where_node **node)
{
	struct cdc_where_node *last = *node;
	int rc = cdc_where_want_sign(p, '(');

	do {
		if (rc >= 0)
			rc = parse_child(p, &last);
		if (rc >= 0)
			rc = cdc_where_take_sign(p, ',');
	} while (rc > 0);
	if (rc == CDC_OK)
		rc = cdc_where_want_sign(p, ')');
	return rc < 0 ? rc : cdc_where_wrap(p, CDC_WHERE_IN, node);
}

static int parse_between(struct cdc_where_parser *p, struct cdc_where_node **node)
{
	struct cdc_where_node *last = *node;
	int rc = parse_child(p, &last);

	if (rc == CDC_OK)
		rc = cdc_where_want_word(p, "AND");
	if (rc == CDC_OK)
		rc = parse_child(p, &last);
	return rc < 0 ? rc : cdc_where_wrap(p, CDC_WHERE_BETWEEN, node);
}

static int parse_like(struct cdc_where_parser *p, struct cdc_where_node **node)
{
	struct cdc_where_node *last = *node;
	int rc = p->t.kind == CDC_TOK_STRING ? parse_child(p, &last)
					     : cdc_where_unexpected(p, "a pattern in quotes");

	if (rc == CDC_OK)
		rc = cdc_where_take_word(p, "ESCAPE");
	if (rc > 0)
		rc = p->t.kind == CDC_TOK_STRING ? parse_child(p, &last)
						 : cdc_where_unexpected(p, "a character in quotes");
	return rc < 0 ? rc : cdc_where_wrap(p, CDC_WHERE_LIKE, node);
}

/* IS [NOT] NULL, TRUE, FALSE, UNKNOWN; IS is taken already. */
static int parse_is(struct cdc_where_parser *p, struct cdc_where_node **node)
{
	static const struct {
		const char *word;
		enum cdc_outcome outcome;
	} words[] = { { "NULL", CDC_UNKNOWN },
		      { "UNKNOWN", CDC_UNKNOWN },
		      { "TRUE", CDC_TRUE },
		      { "FALSE", CDC_FALSE } };
	int negated = cdc_where_take_word(p, "NOT");

	if (negated < 0)
		return negated;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		int rc = cdc_where_take_word(p, words[i].word);

		if (rc > 0)
			rc = cdc_where_wrap(p, CDC_WHERE_IS, node);
		else if (rc == 0)
			continue;
		if (rc == CDC_OK)
			(*node)->outcomes =
				CDC_OUTCOME(words[i].outcome) ^ (negated ? CDC_OUTCOMES_ALL : 0);
		return rc;
	}
	return cdc_where_unexpected(p, "NULL, TRUE, FALSE or UNKNOWN");
}

/* [NOT] IN, BETWEEN, LIKE behind a value: 1 when one was there. */
static int parse_test(struct cdc_where_parser *p, struct cdc_where_node **node)
{
	int negated = cdc_where_take_word(p, "NOT");
	int rc;

	if (negated < 0)
		return negated;
	rc = cdc_where_take_word(p, "IN");
	if (rc > 0) {
		rc = parse_list(p, node);
	} else if (rc == 0 && (rc = cdc_where_take_word(p, "BETWEEN")) > 0) {
		rc = parse_between(p, node);
	} else if (rc == 0 && (rc = cdc_where_take_word(p, "LIKE")) > 0) {
		rc = parse_like(p, node);
	} else if (rc == 0) {
		return negated ? cdc_where_unexpected(p, "IN, BETWEEN or LIKE") : 0;
	}
	if (rc == CDC_OK && negated)
		rc = cdc_where_wrap(p, CDC_WHERE_NOT, node);
	return rc < 0 ? rc : 1;
}

static int parse_predicate(struct cdc_where_parser *p, struct cdc_where_node **out)
{
	int rc = parse_value(p, out);

	if (rc == CDC_OK && p->t.kind == CDC_TOK_COMPARE) {
		struct cdc_where_node *last = *out;
		enum cdc_where_op op = p->t.op;

		rc = cdc_where_advance(p);
		if (rc == CDC_OK)
			rc = parse_child(p, &last);
		if (rc == CDC_OK)
			rc = cdc_where_wrap(p, CDC_WHERE_COMPARE, out);
		if (rc == CDC_OK)
			(*out)->op = op;
	} else if (rc == CDC_OK) {
		rc = parse_test(p, out);
	}
	if (rc >= 0 && (rc = cdc_where_take_word(p, "IS")) > 0)
		rc = parse_is(p, out);
	return rc;
}

static int parse_not(struct cdc_where_parser *p, struct cdc_where_node **out)
{
	const char *start = p->t.text.p;
	int rc = cdc_where_take_word(p, "NOT");

	if (rc == 0)
		rc = cdc_where_take_sign(p, '!');
	if (rc == 0)
		return parse_predicate(p, out);
	if (rc > 0 && ++p->depth > CDC_WHERE_MAX_DEPTH)
		return cdc_where_fail(p->w, start, p->err, "too deep");
	if (rc > 0)
		rc = parse_not(p, out);
	p->depth--;
	if (rc == CDC_OK)
		rc = cdc_where_wrap(p, CDC_WHERE_NOT, out);
	if (rc == CDC_OK)
		(*out)->text = cdc_str(start, (size_t)(p->behind - start));
	return rc;
}

/* Conditions with AND or OR between them, as one node. */
static int parse_chain(struct cdc_where_parser *p, enum cdc_where_kind kind,
		       struct cdc_where_node **out)
{
	const char *word = kind == CDC_WHERE_OR ? "OR" : "AND";
	struct cdc_where_node *last = NULL;
	bool wrapped = false;
	int rc;

	for (;;) {
		struct cdc_where_node *n = NULL;

		rc = kind == CDC_WHERE_OR ? parse_chain(p, CDC_WHERE_AND, &n) : parse_not(p, &n);
		if (rc < 0)
			return rc;
		if (last)
			last->next = n;
		else
			*out = n;
		last = n;
		rc = cdc_where_take_word(p, word);
		if (rc <= 0)
			break;
		if (!wrapped)
			rc = cdc_where_wrap(p, kind, out);
		if (rc < 0)
			return rc;
		wrapped = true;
	}
	if (wrapped)
		stretch(p, *out);
	return rc;
}

int cdc_where_condition(struct cdc_where_parser *p, struct cdc_where_node **out)
{
	int rc;

	if (++p->depth > CDC_WHERE_MAX_DEPTH)
		return cdc_where_fail(p->w, p->t.text.p, p->err, "too deep");
	rc = parse_chain(p, CDC_WHERE_OR, out);
	p->depth--; /* no matter after an error */
	return rc;
}

/* ------------------------------------------------------------------ public */

static int parse(struct cdc_where **out, struct cdc_str text, bool values, struct cdc_err *err)
{
	struct cdc_where_parser p = { .err = err };
	const char *copy = NULL;
	int rc;

	*out = NULL;
	if (text.n > CDC_WHERE_MAX_BYTES)
		return cdc_fail(err, CDC_EUSAGE, "a predicate of more than %u bytes",
				CDC_WHERE_MAX_BYTES);
	p.w = calloc(1, sizeof(*p.w));
	if (!p.w)
		return cdc_fail_nomem(err);
	copy = cdc_arena_dup(&p.w->arena, text.p, text.n);
	if (!copy) {
		cdc_where_free(p.w);
		return cdc_fail_nomem(err);
	}
	p.w->text = cdc_str(copy, text.n);
	p.w->values = values;
	p.behind = copy;
	rc = cdc_where_lex(p.w, copy, &p.t, err);
	if (rc == CDC_OK)
		rc = cdc_where_condition(&p, &p.w->root);
	if (rc == CDC_OK && p.t.kind != CDC_TOK_END)
		rc = cdc_where_unexpected(&p, "AND, OR or the end");
	if (rc < 0) {
		cdc_where_free(p.w);
		return rc;
	}
	*out = p.w;
	return CDC_OK;
}

int cdc_where_parse(struct cdc_where **out, struct cdc_str text, struct cdc_err *err)
{
	return parse(out, text, false, err);
}

int cdc_where_parse_values(struct cdc_where **out, struct cdc_str text, struct cdc_err *err)
{
	return parse(out, text, true, err);
}

void cdc_where_free(struct cdc_where *w)
{
	if (!w)
		return;
	cdc_arena_free(&w->arena);
	free(w);
}
