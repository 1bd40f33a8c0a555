/*
 * Text exports with any delimiters: SELECT INTO OUTFILE with its options, Sqoop's and Hive's files,
 * CSV with other characters. The defaults of the formats have splitters of their own.
 *
 * What is in a field follows the one who wrote it. MySQL: a quote inside a quoted field ends it
 * only in front of a delimiter, letters behind the escape stand for bytes, \N is null, and so is
 * the bare word NULL where fields are quoted or nothing is escaped. Sqoop: an escaped byte is that
 * byte. CSV: a quote is doubled, and nowhere else but around a field.
 */
#include "source/export/rows.h"

#include <strings.h>

enum { AT_START, PLAIN, QUOTED };

/* --- notation of options ------------------------------------------------ */

static int digit(char c, int base)
{
	int v = c >= '0' && c <= '9'   ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : 99;

	return v < base ? v : -1;
}

/* Digits at *p, at most `max`; false: none, or more than a byte holds. */
static bool number(const char **p, int base, int max, unsigned *v)
{
	int n = 0;

	*v = 0;
	for (; n < max && digit(**p, base) >= 0; n++)
		*v = *v * (unsigned)base + (unsigned)digit(*(*p)++, base);
	return n > 0 && *v <= 0xff;
}

/* The byte that is behind a backslash at *p: \t, \n, \x01, \0x01, \001, \0001, \0, \\ … */
static bool escaped_byte(const char **p, char *out)
{
	static const char letters[] = "abfnrtvZ\\'\"";
	static const char bytes[] = "\a\b\f\n\r\t\v\x1a\\'\"";
	const char *l;
	unsigned v;

	if ((*p)[0] == 'x' || ((*p)[0] == '0' && (*p)[1] == 'x')) {
		*p += (*p)[0] == 'x' ? 1 : 2;
		if (!number(p, 16, 4, &v))
			return false;
		*out = (char)v;
		return true;
	}
	if (digit(**p, 8) >= 0) {
		if (!number(p, 8, **p == '0' ? 4 : 3, &v))
			return false;
		*out = (char)v;
		return true;
	}
	l = **p ? strchr(letters, **p) : NULL;
	if (!l)
		return false;
	*out = bytes[l - letters];
	++*p;
	return true;
}

static int parse_notation(const char *text, const char *option, struct cdc_buf *out,
			  struct cdc_err *err)
{
	int rc = CDC_OK;

	for (const char *p = text; rc == CDC_OK && *p;) {
		char c = *p++;

		/* A backslash alone is one. */
		if (c == '\\' && *p && !escaped_byte(&p, &c))
			return cdc_fail(err, CDC_EUSAGE, "--%s: unknown notation %s", option, text);
		rc = cdc_buf_putc(out, c, err);
	}
	return rc;
}

/* One byte, or none: "" and, as Sqoop has it, \0. */
static int parse_byte(const char *text, const char *option, bool *has, char *c, struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	int rc = parse_notation(text, option, &b, err);

	if (rc == CDC_OK && b.len > 1)
		rc = cdc_fail(err, CDC_EUSAGE, "--%s is more than one byte", option);
	if (rc == CDC_OK) {
		*has = b.len == 1 && b.p[0] != '\0';
		*c = *has ? b.p[0] : '\0';
	}
	cdc_buf_free(&b);
	return rc;
}

static int settle_charset(struct cdc_delimiters *how, const char *charset, struct cdc_err *err)
{
	static const char *const none[] = { "ucs2", "utf16", "utf16le", "utf32" };
	static const char *const wide[] = { "gbk", "big5", "gb18030" };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (strcasecmp(charset, none[i]) == 0)
			return cdc_fail(err, CDC_EUSAGE, "--charset: %s is not read in exports",
					charset);
	}
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
		if (strcasecmp(charset, wide[i]) == 0)
			how->wide = 'g';
	}
	if (strcasecmp(charset, "sjis") == 0 || strcasecmp(charset, "cp932") == 0)
		how->wide = 's';
	return CDC_OK;
}

static void settle_special(struct cdc_delimiters *how)
{
	how->special[(unsigned char)how->field.p[0]] = true;
	how->special[(unsigned char)how->line.p[0]] = true;
	how->special['\n'] = true;
	if (how->encloses)
		how->special[(unsigned char)how->enclose] = true;
	if (how->escapes)
		how->special[(unsigned char)how->escape] = true;
	for (int c = 0x81; how->wide && c < 0xff; c++)
		how->special[c] = how->wide == 'g' || c <= 0x9f || c >= 0xe0;
}

int cdc_delimiters_init(struct cdc_delimiters *how, const struct cdc_source_options *opt,
			const struct cdc_dialect *dialect, struct cdc_err *err)
{
	const char *field = opt->fields_terminated;
	const char *line = opt->lines_terminated;
	int rc;

	how->style = dialect->style;
	how->line_given = line != NULL;
	rc = parse_notation(field ? field : dialect->field, "fields-terminated-by", &how->field,
			    err);
	if (rc == CDC_OK)
		rc = parse_notation(line ? line : "\n", "lines-terminated-by", &how->line, err);
	if (rc == CDC_OK)
		rc = parse_byte(opt->fields_enclosed ? opt->fields_enclosed : dialect->enclose,
				"fields-enclosed-by", &how->encloses, &how->enclose, err);
	if (rc == CDC_OK)
		rc = parse_byte(opt->fields_escaped ? opt->fields_escaped : dialect->escape,
				"fields-escaped-by", &how->escapes, &how->escape, err);
	if (rc == CDC_OK && opt->charset)
		rc = settle_charset(how, opt->charset, err);
	if (rc < 0)
		return rc;
	if (how->field.len == 0 || how->line.len == 0)
		return cdc_fail(
			err, CDC_EUSAGE,
			"fields and lines must end in something: rows of fixed width are not "
			"read");
	/* The same byte for both doubles itself, which is read anyway. */
	if (how->encloses && how->escape == how->enclose)
		how->escapes = false;
	how->given = field || line || opt->fields_enclosed || opt->fields_escaped || how->wide;
	settle_special(how);
	return CDC_OK;
}

void cdc_delimiters_free(struct cdc_delimiters *how)
{
	cdc_buf_free(&how->field);
	cdc_buf_free(&how->line);
}

/* --- splitting ---------------------------------------------------------- */

enum match { NO, YES, MORE /* the bytes that would tell are not there yet */ };

static enum match matches(const struct cdc_buf *what, struct cdc_str in, size_t at, bool eof)
{
	size_t n = in.n - at < what->len ? in.n - at : what->len;

	if (memcmp(in.p + at, what->p, n) != 0)
		return NO;
	return n == what->len ? YES : eof ? NO : MORE;
}

static void count_newlines(struct cdc_split *sp, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sp->newlines += p[i] == '\n';
}

/* End the field at `end` if a delimiter is at `at`. *line: it was the record's. */
static enum match end_field(struct cdc_split *sp, struct cdc_str in, size_t at, size_t end,
			    bool quoted, bool eof, bool *line)
{
	const struct cdc_delimiters *how = sp->how;
	enum match is_field = matches(&how->field, in, at, eof);
	enum match is_line = matches(&how->line, in, at, eof);

	*line = false;
	/* One may begin like the other: the longer one counts. */
	if (is_field == MORE || is_line == MORE)
		return MORE;
	if (is_field == YES && (is_line == NO || how->field.len >= how->line.len)) {
		sp->pos = at + how->field.len;
		count_newlines(sp, how->field.p, how->field.len);
	} else if (is_line == YES) {
		size_t before = sp->newlines;

		sp->pos = at + how->line.len;
		count_newlines(sp, how->line.p, how->line.len);
		/* Records are numbered by lines: each is one at least. */
		sp->newlines += sp->newlines == before;
		if (how->style == CDC_ROWS_CSV && !how->line_given && !quoted && end > sp->start &&
		    in.p[end - 1] == '\r')
			end--;
		*line = true;
	} else {
		return NO;
	}
	cdc_split_field(sp, end, quoted);
	sp->state = AT_START;
	return YES;
}

/* Behind a quote in a quoted field, at sp->pos. */
static enum match quote(struct cdc_split *sp, struct cdc_str in, bool eof, bool *line)
{
	const struct cdc_delimiters *how = sp->how;
	size_t end = sp->pos, at = end + 1;
	enum match m;

	if (at == in.n)
		return eof ? YES : MORE;
	if (in.p[at] == how->enclose) {
		sp->escaped = true;
		sp->pos += 2;
		return YES;
	}
	m = end_field(sp, in, at, end, true, eof, line);
	if (m == NO && in.p[at] == '\r' && how->style == CDC_ROWS_CSV && !how->line_given) {
		if (at + 1 == in.n)
			return eof ? NO : MORE;
		if (in.p[at + 1] == '\n')
			m = end_field(sp, in, at + 1, end, true, eof, line);
	}
	if (m != NO)
		return m;
	if (how->style != CDC_ROWS_MYSQL) {
		sp->bad = "text after the closing quote";
		sp->state = PLAIN;
	}
	sp->pos++;
	return YES;
}

/* A byte that may mean something, at sp->pos. MORE: wait for what follows it. */
static enum match step(struct cdc_split *sp, struct cdc_str in, bool eof, bool *line)
{
	const struct cdc_delimiters *how = sp->how;
	unsigned char c = (unsigned char)in.p[sp->pos];
	enum match m = NO;

	if (how->wide && c >= 0x81 && how->special[c]) {
		if (sp->pos + 1 == in.n && !eof)
			return MORE;
		sp->pos += sp->pos + 1 < in.n ? 2 : 1;
		return YES;
	}
	if (how->escapes && in.p[sp->pos] == how->escape) {
		if (sp->pos + 1 == in.n) {
			if (eof)
				sp->bad = "an escape at the end of the input";
			sp->pos += eof;
			return eof ? YES : MORE;
		}
		sp->escaped = true;
		sp->newlines += in.p[sp->pos + 1] == '\n';
		sp->pos += 2;
		return YES;
	}
	if (sp->state == QUOTED && in.p[sp->pos] == how->enclose)
		return quote(sp, in, eof, line);
	if (sp->state == PLAIN)
		m = end_field(sp, in, sp->pos, sp->pos, false, eof, line);
	if (m != NO)
		return m;
	if (how->encloses && in.p[sp->pos] == how->enclose && how->style == CDC_ROWS_CSV)
		sp->bad = "a quote inside a field that is not quoted";
	sp->newlines += c == '\n';
	sp->pos++;
	return YES;
}

static bool at_end(struct cdc_split *sp, struct cdc_str in)
{
	const struct cdc_delimiters *how = sp->how;
	bool closed = sp->state == QUOTED && sp->pos < in.n && in.p[sp->pos] == how->enclose;
	size_t end = closed ? sp->pos : in.n;

	sp->open = true;
	if (sp->state == QUOTED && !closed && !sp->bad)
		sp->bad = "a quoted field is not closed";
	sp->pos = in.n;
	cdc_split_field(sp, end, sp->state == QUOTED);
	return true;
}

static bool delimited_split(struct cdc_split *sp, struct cdc_str in, bool eof)
{
	const struct cdc_delimiters *how = sp->how;

	for (;;) {
		bool line = false;

		if (sp->state == AT_START) {
			if (sp->pos == in.n)
				break;
			sp->state = how->encloses && in.p[sp->pos] == how->enclose ? QUOTED : PLAIN;
			if (sp->state == QUOTED)
				sp->start = ++sp->pos;
		}
		while (sp->pos < in.n && !how->special[(unsigned char)in.p[sp->pos]])
			sp->pos++;
		if (sp->pos == in.n)
			break;
		if (eof && sp->state == QUOTED && sp->pos + 1 == in.n &&
		    in.p[sp->pos] == how->enclose)
			break;
		if (step(sp, in, eof, &line) == MORE)
			return false;
		if (line)
			return true;
	}
	return eof && at_end(sp, in);
}

/* --- fields ------------------------------------------------------------- */

static char mysql_escape(char c)
{
	static const char letters[] = "0bnrtZ";
	static const char bytes[] = { '\0', '\b', '\n', '\r', '\t', '\x1a' };
	const char *l = memchr(letters, c, sizeof(letters) - 1);

	return l ? bytes[l - letters] : c;
}

static size_t delimited_unescape(const struct cdc_delimiters *how, struct cdc_str s, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (how->wide && (unsigned char)c >= 0x81 && how->special[(unsigned char)c] &&
		    i + 1 < s.n) {
			out[n++] = c;
			c = s.p[++i];
		} else if (how->escapes && c == how->escape && i + 1 < s.n) {
			c = s.p[++i];
			if (how->style == CDC_ROWS_MYSQL)
				c = mysql_escape(c);
		} else if (how->encloses && c == how->enclose && i + 1 < s.n &&
			   s.p[i + 1] == how->enclose) {
			i++;
		}
		out[n++] = c;
	}
	return n;
}

static bool delimited_is_null(const struct cdc_delimiters *how, const struct cdc_field *f,
			      struct cdc_str s)
{
	if (f->quoted)
		return false;
	switch (how->style) {
	case CDC_ROWS_MYSQL:
		if (how->escapes && s.n == 2 && s.p[0] == how->escape && s.p[1] == 'N')
			return true;
		return (how->encloses || !how->escapes) && cdc_str_eq(s, CDC_STR("NULL"));
	case CDC_ROWS_SQOOP:
		return cdc_str_eq(s, CDC_STR("null"));
	case CDC_ROWS_CSV:
		break;
	}
	return s.n == 0;
}

const struct cdc_dialect cdc_dialect_delimited = {
	.split = delimited_split,
	.unescape = delimited_unescape,
	.is_null = delimited_is_null,
};
