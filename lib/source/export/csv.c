/*
 * Format csv: RFC 4180. Fields may be quoted, and then hold commas, line ends and doubled quotes;
 * spaces are data; a line ends in CRLF or LF. There is no null in CSV: by convention an empty field
 * is null, and an empty field in quotes is the empty string (spec section 8.3).
 */
#include "source/export/rows.h"

enum { AT_START, UNQUOTED, QUOTED, QUOTE_IN_QUOTED, CR_AFTER_QUOTE };

static bool unquoted(struct cdc_split *sp, struct cdc_str in, char c)
{
	size_t end = sp->pos++;

	if (c == '"')
		sp->bad = "a quote inside a field that is not quoted";
	if (c != ',' && c != '\n')
		return false;
	sp->newlines += c == '\n';
	if (c == '\n' && end > sp->start && in.p[end - 1] == '\r')
		end--;
	cdc_split_field(sp, end, false);
	sp->state = AT_START;
	return c == '\n';
}

/* Behind a quote in a quoted field: it was the first of two, or the field's end. */
static bool after_quote(struct cdc_split *sp, char c)
{
	size_t end = sp->pos - 1;

	if (c == '"' && sp->state == QUOTE_IN_QUOTED) {
		sp->pos++;
		sp->escaped = true;
		sp->state = QUOTED;
	} else if (c == '\r' && sp->state == QUOTE_IN_QUOTED) {
		sp->pos++;
		sp->state = CR_AFTER_QUOTE;
	} else if (c == '\n' || (c == ',' && sp->state == QUOTE_IN_QUOTED)) {
		sp->pos++;
		sp->newlines += c == '\n';
		cdc_split_field(sp, sp->state == CR_AFTER_QUOTE ? end - 1 : end, true);
		sp->state = AT_START;
		return c == '\n';
	} else {
		sp->bad = "text after the closing quote";
		sp->state = UNQUOTED;
	}
	return false;
}

/* One byte. True at the end of the record. */
static bool step(struct cdc_split *sp, struct cdc_str in)
{
	char c = in.p[sp->pos];

	switch (sp->state) {
	case AT_START:
		sp->state = c == '"' ? QUOTED : UNQUOTED;
		if (c == '"')
			sp->start = ++sp->pos;
		return false;
	case UNQUOTED:
		return unquoted(sp, in, c);
	case QUOTED:
		if (c == '"')
			sp->state = QUOTE_IN_QUOTED;
		sp->newlines += c == '\n';
		sp->pos++;
		return false;
	default:
		return after_quote(sp, c);
	}
}

/* Skip what cannot end the field; most bytes are such. */
static void skip_plain(struct cdc_split *sp, struct cdc_str in)
{
	const char *p = in.p + sp->pos, *end = in.p + in.n;

	if (sp->state == QUOTED) {
		while (p < end && *p != '"' && *p != '\n')
			p++;
	} else if (sp->state == UNQUOTED) {
		while (p < end && *p != ',' && *p != '\n' && *p != '"')
			p++;
	}
	sp->pos = (size_t)(p - in.p);
}

static bool csv_split(struct cdc_split *sp, struct cdc_str in, bool eof)
{
	for (;;) {
		skip_plain(sp, in);
		if (sp->pos == in.n)
			break;
		if (step(sp, in))
			return true;
	}
	if (!eof)
		return false;
	sp->open = true;
	if (sp->state == QUOTED)
		sp->bad = "a quoted field is not closed";
	if (sp->state == CR_AFTER_QUOTE)
		sp->bad = "text after the closing quote";
	cdc_split_field(sp, sp->state == QUOTE_IN_QUOTED ? sp->pos - 1 : sp->pos,
			sp->state == QUOTED || sp->state == QUOTE_IN_QUOTED);
	return true;
}

/* A doubled quote is one quote. */
static size_t csv_unescape(const struct cdc_delimiters *how, struct cdc_str s, char *out)
{
	size_t n = 0;

	(void)how;
	for (size_t i = 0; i < s.n; i++) {
		out[n++] = s.p[i];
		if (s.p[i] == '"')
			i++;
	}
	return n;
}

static bool csv_is_null(const struct cdc_delimiters *how, const struct cdc_field *f,
			struct cdc_str s)
{
	(void)how;
	return s.n == 0 && !f->quoted;
}

static const struct cdc_dialect dialect = { csv_split, csv_unescape, csv_is_null, CDC_ROWS_CSV,
					    ",",       "\"",	     "" };

static int csv_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	return cdc_rows_open(s, &dialect, ctx, err);
}

const struct cdc_format cdc_format_csv = {
	.name = "csv",
	.open = csv_open,
	.close = cdc_rows_close,
	.stream = cdc_rows_stream,
};
