/*
 * Between the two halves of the parser: conditions (where_parse.c), computed values
 * (where_value.c).
 */
#ifndef CDC_TABLE_WHERE_PARSE_H
#define CDC_TABLE_WHERE_PARSE_H

#include "table/where/where_lex.h"

/* Operators, calls and casts in one text: they bound the depth of its tree. */
#define CDC_WHERE_MAX_CALLS 500

struct cdc_where_parser {
	struct cdc_where *w;
	struct cdc_token t; /* the token that comes next */
	const char *behind; /* end of the last one taken */
	int depth;
	int calls;
	struct cdc_err *err;
};

int cdc_where_advance(struct cdc_where_parser *p);
/* "`wanted` is missing", or is wanted instead of what is there. */
int cdc_where_unexpected(struct cdc_where_parser *p, const char *wanted);
bool cdc_where_at_word(const struct cdc_where_parser *p, const char *word);
bool cdc_where_at_sign(const struct cdc_where_parser *p, char c);
/* Take the word or sign if it is there: 1, else 0; <0: error. */
int cdc_where_take_word(struct cdc_where_parser *p, const char *word);
int cdc_where_take_sign(struct cdc_where_parser *p, char c);
/* It must be there. */
int cdc_where_want_word(struct cdc_where_parser *p, const char *word);
int cdc_where_want_sign(struct cdc_where_parser *p, char c);

int cdc_where_new_node(struct cdc_where_parser *p, enum cdc_where_kind kind, const char *start,
		       struct cdc_where_node **out);
/* A node over those that stand there so far, up to the last token taken. */
int cdc_where_wrap(struct cdc_where_parser *p, enum cdc_where_kind kind,
		   struct cdc_where_node **node);

/* A column, a literal, or anything in parentheses. */
int cdc_where_operand(struct cdc_where_parser *p, struct cdc_where_node **out);
/* A computed value: an operand, a call, and all that operators make of them. */
int cdc_where_value(struct cdc_where_parser *p, struct cdc_where_node **out);
int cdc_where_condition(struct cdc_where_parser *p, struct cdc_where_node **out);

#endif
