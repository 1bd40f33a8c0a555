/* Cuts SQL into tokens. */
#include "source/mysql/sql_lex.h"

static bool is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static char at(const struct cdc_sql_lex *l, size_t i)
{
	return i < l->text.n ? l->text.p[i] : '\0';
}

/* "-- " needs the blank; "--" at the end of a line is one as well. */
static bool is_line_comment(const struct cdc_sql_lex *l)
{
	return at(l, l->pos) == '#' || (at(l, l->pos) == '-' && at(l, l->pos + 1) == '-' &&
					(is_blank(at(l, l->pos + 2)) || l->pos + 2 >= l->text.n));
}

static void advance(struct cdc_sql_lex *l)
{
	l->line += l->text.p[l->pos] == '\n';
	l->pos++;
}

static void skip_blank(struct cdc_sql_lex *l)
{
	while (l->pos < l->text.n) {
		if (is_blank(l->text.p[l->pos])) {
			advance(l);
		} else if (is_line_comment(l)) {
			while (l->pos < l->text.n && l->text.p[l->pos] != '\n')
				l->pos++;
		} else if (at(l, l->pos) == '/' && at(l, l->pos + 1) == '*') {
			l->pos += 2;
			while (l->pos < l->text.n &&
			       !(at(l, l->pos) == '*' && at(l, l->pos + 1) == '/'))
				advance(l);
			l->pos = l->pos + 2 < l->text.n ? l->pos + 2 : l->text.n;
		} else {
			break;
		}
	}
}

/* The text to the closing quote; doubled ones, and escaped ones in strings, do not close it. */
static void take_quoted(struct cdc_sql_lex *l, char quote, enum cdc_sql_kind kind)
{
	l->kind = CDC_SQL_OPEN;
	advance(l);
	while (l->pos < l->text.n) {
		char c = l->text.p[l->pos];

		if (c == '\\' && quote != '`' && l->pos + 1 < l->text.n) {
			advance(l);
			advance(l);
			continue;
		}
		advance(l);
		if (c != quote)
			continue;
		if (at(l, l->pos) != quote) {
			l->kind = kind;
			return;
		}
		l->pos++;
	}
}

void cdc_sql_next(struct cdc_sql_lex *l)
{
	size_t start;
	char c;

	skip_blank(l);
	start = l->pos;
	c = at(l, start);
	if (start >= l->text.n) {
		l->kind = CDC_SQL_END;
	} else if (c == '`') {
		take_quoted(l, c, CDC_SQL_NAME);
	} else if (c == '"') {
		take_quoted(l, c, CDC_SQL_QUOTED);
	} else if (c == '\'') {
		take_quoted(l, c, CDC_SQL_STRING);
	} else if (is_word_byte(c)) {
		l->kind = CDC_SQL_WORD;
		while (l->pos < l->text.n && is_word_byte(l->text.p[l->pos]))
			l->pos++;
	} else {
		l->kind = CDC_SQL_CHAR;
		advance(l);
	}
	l->raw = cdc_str(l->text.p + start, l->pos - start);
}

bool cdc_sql_is_word(const struct cdc_sql_lex *l, const char *word)
{
	return l->kind == CDC_SQL_WORD && cdc_str_ieq(l->raw, cdc_str_z(word));
}

size_t cdc_sql_unquote(enum cdc_sql_kind kind, struct cdc_str raw, char *out)
{
	static const char letters[] = "0bnrtZ";
	static const char bytes[] = { '\0', '\b', '\n', '\r', '\t', '\x1a' };
	bool quoted = kind == CDC_SQL_NAME || kind == CDC_SQL_QUOTED || kind == CDC_SQL_STRING;
	bool escapes = kind == CDC_SQL_QUOTED || kind == CDC_SQL_STRING;
	size_t n = 0, i = quoted ? 1 : 0, end = raw.n - (quoted ? 1 : 0);

	while (i < end) {
		char c = raw.p[i++];

		if (quoted && c == raw.p[0]) {
			i++; /* the second of two */
		} else if (escapes && c == '\\' && i < end) {
			const char *l = memchr(letters, raw.p[i], sizeof(letters) - 1);

			c = l ? bytes[l - letters] : raw.p[i];
			i++;
		}
		out[n++] = c;
	}
	return n;
}
