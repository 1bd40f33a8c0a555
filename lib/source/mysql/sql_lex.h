/* SQL text as MySQL reads it, cut into tokens. */
#ifndef CDC_SOURCE_SQL_LEX_H
#define CDC_SOURCE_SQL_LEX_H

#include "base/str.h"

#include <stdint.h>

enum cdc_sql_kind {
	CDC_SQL_END,
	CDC_SQL_WORD, /* keyword, bare name, number */
	CDC_SQL_NAME, /* in backquotes */
	CDC_SQL_QUOTED, /* in double quotes: a string, or a name in ANSI mode */
	CDC_SQL_STRING, /* in single quotes */
	CDC_SQL_CHAR, /* any other byte */
	CDC_SQL_OPEN /* a quote that is never closed: the rest of the text */
};

struct cdc_sql_lex {
	struct cdc_str text;
	size_t pos; /* behind the current token */
	size_t line; /* 1-based, of pos */
	/* The current token. */
	enum cdc_sql_kind kind;
	struct cdc_str raw; /* with its quotes */
};

/* Go to the next token; comments and white space are passed over. */
void cdc_sql_next(struct cdc_sql_lex *l);
/* Is the current token that word (any case), or that byte? */
bool cdc_sql_is_word(const struct cdc_sql_lex *l, const char *word);
static inline bool cdc_sql_is_char(const struct cdc_sql_lex *l, char c)
{
	return l->kind == CDC_SQL_CHAR && l->raw.p[0] == c;
}
/* Unquote a token: doubled quotes, and backslashes where it is a string. `out` has room for raw.n;
 * returns the length. */
size_t cdc_sql_unquote(enum cdc_sql_kind kind, struct cdc_str raw, char *out);

#endif
