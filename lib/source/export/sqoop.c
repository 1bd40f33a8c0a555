/*
 * Format sqoop: the text that Sqoop's import writes by default. Fields end in a comma and lines in
 * a line feed, nothing is quoted or escaped, and null is the word null, which a string of that word
 * cannot be told from (spec section 8.1).
 */
#include "source/export/rows.h"

static bool sqoop_split(struct cdc_split *sp, struct cdc_str in, bool eof)
{
	while (sp->pos < in.n) {
		char c = in.p[sp->pos++];

		if (c != ',' && c != '\n')
			continue;
		sp->newlines += c == '\n';
		cdc_split_field(sp, sp->pos - 1, false);
		if (c == '\n')
			return true;
	}
	sp->open = eof;
	if (eof)
		cdc_split_field(sp, sp->pos, false);
	return eof;
}

static size_t sqoop_unescape(const struct cdc_delimiters *how, struct cdc_str s, char *out)
{
	(void)how;
	memcpy(out, s.p, s.n);
	return s.n;
}

static bool sqoop_is_null(const struct cdc_delimiters *how, const struct cdc_field *f,
			  struct cdc_str s)
{
	(void)how;
	(void)f;
	return cdc_str_eq(s, CDC_STR("null"));
}

static const struct cdc_dialect dialect = {
	sqoop_split, sqoop_unescape, sqoop_is_null, CDC_ROWS_SQOOP, ",", "", ""
};

static int sqoop_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	return cdc_rows_open(s, &dialect, ctx, err);
}

const struct cdc_format cdc_format_sqoop = {
	.name = "sqoop",
	.open = sqoop_open,
	.close = cdc_rows_close,
	.stream = cdc_rows_stream,
};
