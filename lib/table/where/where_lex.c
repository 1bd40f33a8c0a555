/*
 * A predicate's text to tokens. See where.h for the language.
 */
#include "table/where/where_lex.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* All beyond ASCII may be part of a name. */
static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c) ||
	       (unsigned char)c >= 0x80;
}

static const char *text_end(const struct cdc_where *w)
{
	return w->text.p + w->text.n;
}

/* Text in quotes; the quote itself stands there doubled. */
static int lex_quoted(struct cdc_where *w, const char *p, struct cdc_token *t, struct cdc_err *err)
{
	const char *end = text_end(w);
	const char *start = p;
	char quote = *p++;
	size_t n = 0;
	char *out;

	for (; p < end && (*p != quote || (p + 1 < end && p[1] == quote)); p++)
		p += *p == quote;
	if (p == end)
		return cdc_where_fail(w, start, err, "no %c ends what begins", quote);
	t->text = cdc_str(start, (size_t)(p + 1 - start));
	out = cdc_arena_alloc(&w->arena, t->text.n);
	if (!out)
		return cdc_fail_nomem(err);
	for (const char *q = start + 1; q < p; q++) {
		q += *q == quote;
		out[n++] = *q;
	}
	t->value = cdc_str(out, n);
	return CDC_OK;
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* X'00ff', from its quote on. */
static int lex_binary(struct cdc_where *w, const char *p, struct cdc_token *t, struct cdc_err *err)
{
	int rc = lex_quoted(w, p + 1, t, err);
	char *bytes = NULL;

	if (rc < 0)
		return rc;
	if (t->value.n % 2)
		return cdc_where_fail(w, p, err, "X'...' wants two digits a byte");
	bytes = cdc_arena_alloc(&w->arena, t->value.n / 2 + 1);
	if (!bytes)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < t->value.n; i += 2) {
		int high = hex_digit(t->value.p[i]);
		int low = hex_digit(t->value.p[i + 1]);

		if (high < 0 || low < 0)
			return cdc_where_fail(w, p, err,
					      "X'...' holds what is no hexadecimal digit");
		bytes[i / 2] = (char)(high << 4 | low);
	}
	t->kind = CDC_TOK_BINARY;
	t->text = cdc_str(p, t->text.n + 1);
	t->value = cdc_str(bytes, t->value.n / 2);
	return CDC_OK;
}

/* Behind a suffix that tells a number's type, as in 10L or 0.5BD; else `p` itself. */
static const char *skip_suffix(const char *p, const char *end)
{
	const char *behind = p;

	if (end - p >= 2 && (p[0] | 0x20) == 'b' && (p[1] | 0x20) == 'd')
		behind = p + 2;
	else if (p < end && strchr("lsydf", *p | 0x20))
		behind = p + 1;
	return behind < end && is_name_char(*behind) ? p : behind;
}

/* digits[.digits][e[+-]digits], or .digits… */
static int lex_number(const struct cdc_where *w, const char *p, struct cdc_token *t,
		      struct cdc_err *err)
{
	const char *end = text_end(w);
	const char *start = p;

	while (p < end && is_digit(*p))
		p++;
	if (p < end && *p == '.') {
		for (p++; p < end && is_digit(*p);)
			p++;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		const char *exponent = p + 1;

		if (exponent < end && (*exponent == '+' || *exponent == '-'))
			exponent++;
		if (exponent < end && is_digit(*exponent)) {
			for (p = exponent; p < end && is_digit(*p);)
				p++;
		}
	}
	if (w->values)
		p = skip_suffix(p, end);
	if (p < end && (is_name_char(*p) || *p == '.'))
		return cdc_where_fail(w, start, err, "malformed number");
	t->kind = CDC_TOK_NUMBER;
	t->text = t->value = cdc_str(start, (size_t)(p - start));
	return CDC_OK;
}

static bool lex_compare(const char *p, const char *end, struct cdc_token *t)
{
	static const struct {
		struct cdc_str text;
		enum cdc_where_op op;
	} ops[] = {
		{ { "<=>", 3 }, CDC_OP_SAME }, { { "<=", 2 }, CDC_OP_LE },
		{ { "<>", 2 }, CDC_OP_NE },    { { "<", 1 }, CDC_OP_LT },
		{ { ">=", 2 }, CDC_OP_GE },    { { ">", 1 }, CDC_OP_GT },
		{ { "==", 2 }, CDC_OP_EQ },    { { "=", 1 }, CDC_OP_EQ },
		{ { "!=", 2 }, CDC_OP_NE },
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (ops[i].text.n > (size_t)(end - p) ||
		    memcmp(p, ops[i].text.p, ops[i].text.n) != 0)
			continue;
		*t = (struct cdc_token){ .kind = CDC_TOK_COMPARE,
					 .op = ops[i].op,
					 .text = cdc_str(p, ops[i].text.n) };
		return true;
	}
	return false;
}

static bool begins_comment(const char *p, const char *end)
{
	return end - p > 1 && (memcmp(p, "--", 2) == 0 || memcmp(p, "/*", 2) == 0);
}

/* 0: no sign. */
static size_t sign_bytes(const struct cdc_where *w, const char *p)
{
	if (!*p)
		return 0;
	if (strchr("(),.+-!", *p) || (w->values && strchr("*/%", *p)))
		return 1;
	return w->values && text_end(w) - p > 1 && p[0] == '|' && p[1] == '|' ? 2 : 0;
}

int cdc_where_lex(struct cdc_where *w, const char *p, struct cdc_token *t, struct cdc_err *err)
{
	const char *end = text_end(w);
	const char *start;

	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	start = p;
	*t = (struct cdc_token){ .kind = CDC_TOK_END, .text = cdc_str(p, 0) };
	if (p == end || lex_compare(p, end, t))
		return CDC_OK;
	if (*p == '\'' || *p == '"' || *p == '`') {
		t->kind = *p == '`' ? CDC_TOK_QUOTED_NAME : CDC_TOK_STRING;
		return lex_quoted(w, p, t, err);
	}
	if ((*p == 'x' || *p == 'X') && p + 1 < end && p[1] == '\'')
		return lex_binary(w, p, t, err);
	if (is_digit(*p) || (*p == '.' && p + 1 < end && is_digit(p[1])))
		return lex_number(w, p, t, err);
	if (is_name_char(*p)) {
		while (p < end && is_name_char(*p))
			p++;
		t->kind = CDC_TOK_NAME;
		t->text = t->value = cdc_str(start, (size_t)(p - start));
		return CDC_OK;
	}
	if (w->values && begins_comment(p, end))
		return cdc_where_fail(w, p, err, "a comment");
	t->text = cdc_str(p, sign_bytes(w, p));
	if (!t->text.n)
		return cdc_where_fail(w, p, err, "unexpected character");
	t->kind = CDC_TOK_SIGN;
	return CDC_OK;
}
