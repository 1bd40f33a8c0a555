/*
 * Format tsv: what SELECT INTO OUTFILE and mysqldump --tab write. Fields end in a tab and lines in
 * a line feed; a backslash escapes the byte behind it, \N alone is null (spec section 8.2).
 */
#include "source/export/rows.h"

static bool tsv_split(struct cdc_split *sp, struct cdc_str in, bool eof)
{
	while (sp->pos < in.n) {
		char c = in.p[sp->pos];

		if (c == '\\') {
			if (sp->pos + 1 == in.n)
				break;
			sp->escaped = true;
			sp->newlines += in.p[sp->pos + 1] == '\n';
			sp->pos += 2;
			continue;
		}
		sp->pos++;
		if (c != '\t' && c != '\n')
			continue;
		sp->newlines += c == '\n';
		cdc_split_field(sp, sp->pos - 1, false);
		if (c == '\n')
			return true;
	}
	if (!eof)
		return false;
	sp->open = true;
	if (sp->pos < in.n) {
		sp->pos++;
		sp->bad = "a backslash at the end of the input";
	}
	cdc_split_field(sp, sp->pos, false);
	return true;
}

/* LOAD DATA's escapes; any other byte stands for itself. */
static size_t tsv_unescape(const struct cdc_delimiters *how, struct cdc_str s, char *out)
{
	static const char letters[] = "0bnrtZ";
	static const char bytes[] = { '\0', '\b', '\n', '\r', '\t', '\x1a' };
	size_t n = 0;

	(void)how;
	for (size_t i = 0; i < s.n; i++) {
		const char *l;

		if (s.p[i] != '\\' || i + 1 == s.n) {
			out[n++] = s.p[i];
			continue;
		}
		i++;
		l = memchr(letters, s.p[i], sizeof(letters) - 1);
		out[n++] = l ? bytes[l - letters] : s.p[i];
	}
	return n;
}

static bool tsv_is_null(const struct cdc_delimiters *how, const struct cdc_field *f,
			struct cdc_str s)
{
	(void)how;
	return f->escaped && cdc_str_eq(s, CDC_STR("\\N"));
}

static const struct cdc_dialect dialect = { tsv_split, tsv_unescape, tsv_is_null, CDC_ROWS_MYSQL,
					    "\t",      "",	     "\\" };

static int tsv_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	return cdc_rows_open(s, &dialect, ctx, err);
}

const struct cdc_format cdc_format_tsv = {
	.name = "tsv",
	.open = tsv_open,
	.close = cdc_rows_close,
	.stream = cdc_rows_stream,
};
