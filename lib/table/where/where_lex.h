/*
 * Words of a predicate's text.
 */
#ifndef CDC_TABLE_WHERE_LEX_H
#define CDC_TABLE_WHERE_LEX_H

#include "table/where/where_tree.h"

enum cdc_token_kind {
	CDC_TOK_END,
	CDC_TOK_NAME,
	CDC_TOK_QUOTED_NAME,
	CDC_TOK_NUMBER,
	CDC_TOK_STRING,
	CDC_TOK_BINARY,
	CDC_TOK_COMPARE, /* `op` */
	CDC_TOK_SIGN /* one of ( ) , . + - !, and with values * / % || */
};

struct cdc_token {
	enum cdc_token_kind kind;
	enum cdc_where_op op;
	struct cdc_str text; /* as it stands there */
	struct cdc_str value; /* names and strings without their quotes; bytes of X'…' */
};

/* The token at `p`, which lies in the text of `w`. Memory from w->arena. */
int cdc_where_lex(struct cdc_where *w, const char *p, struct cdc_token *out,
		  struct cdc_err *err) CDC_NODISCARD;

#endif
