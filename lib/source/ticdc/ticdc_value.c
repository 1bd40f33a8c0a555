/*
 * Columns and values of TiCDC's open protocol: type codes are MySQL's; text and bytes share codes
 * and are told apart by a flag. Bytes of BLOBs, and text of their size, are base64; other bytes are
 * in the escapes of Go's string literals.
 */
#include "source/ticdc/ticdc.h"

#include "source/mysql/mysql_value.h"
#include "source/value/value_text.h"

#include "base/value.h"

/* How a value is written; a column's arg. */
enum form { PLAIN, BASE64_TEXT, BASE64_BYTES, ESCAPED_BYTES };

static const struct {
	uint64_t code;
	const char *type;
	const char *other; /* of integers unsigned, of text binary */
	enum cdc_mysql_kind kind;
	bool digits; /* the source has digits that are not told: then it names no source type */
} types[] = {
	{ 0, "decimal", NULL, CDC_MYSQL_DECIMAL, true },
	{ 1, "tinyint", "tinyint unsigned", CDC_MYSQL_INTEGER, false },
	{ 2, "smallint", "smallint unsigned", CDC_MYSQL_INTEGER, false },
	{ 3, "int", "int unsigned", CDC_MYSQL_INTEGER, false },
	{ 4, "float", NULL, CDC_MYSQL_FLOAT, false },
	{ 5, "double", NULL, CDC_MYSQL_DOUBLE, false },
	{ 7, "timestamp", NULL, CDC_MYSQL_TIMESTAMP, false },
	{ 8, "bigint", "bigint unsigned", CDC_MYSQL_INTEGER, false },
	{ 9, "mediumint", "mediumint unsigned", CDC_MYSQL_INTEGER, false },
	{ 10, "date", NULL, CDC_MYSQL_DATE, false },
	{ 11, "time", NULL, CDC_MYSQL_TIME, false },
	{ 12, "datetime", NULL, CDC_MYSQL_DATETIME, false },
	{ 13, "year", NULL, CDC_MYSQL_YEAR, false },
	{ 14, "date", NULL, CDC_MYSQL_DATE, false },
	{ 15, "varchar", "varbinary", CDC_MYSQL_TEXT, false },
	{ 16, "bit", NULL, CDC_MYSQL_BIT, true },
	{ 245, "json", NULL, CDC_MYSQL_JSON, false },
	{ 246, "decimal", NULL, CDC_MYSQL_DECIMAL, true },
	{ 247, "enum", NULL, CDC_MYSQL_ENUM, false },
	{ 248, "set", NULL, CDC_MYSQL_SET, false },
	{ 249, "tinytext", "tinyblob", CDC_MYSQL_TEXT, false },
	{ 250, "mediumtext", "mediumblob", CDC_MYSQL_TEXT, false },
	{ 251, "longtext", "longblob", CDC_MYSQL_TEXT, false },
	{ 252, "text", "blob", CDC_MYSQL_TEXT, false },
	{ 253, "varchar", "varbinary", CDC_MYSQL_TEXT, false },
	{ 254, "char", "binary", CDC_MYSQL_TEXT, false },
};

void ticdc_column(struct cdc_change_column *col, uint64_t code, uint64_t flags)
{
	bool binary = flags & TICDC_BINARY;
	size_t i = 0, n = sizeof(types) / sizeof(types[0]);
	const char *type;

	col->not_null = !(flags & TICDC_NULLABLE);
	col->as = CDC_MYSQL_TEXT;
	col->arg = PLAIN;
	while (i < n && types[i].code != code)
		i++;
	if (i == n)
		return;
	col->as = (uint8_t)types[i].kind;
	type = types[i].type;
	if (types[i].kind == CDC_MYSQL_INTEGER && (flags & TICDC_UNSIGNED))
		type = types[i].other;
	if (types[i].kind == CDC_MYSQL_TEXT) {
		bool blob = code >= 249 && code <= 252;

		type = binary ? types[i].other : type;
		if (blob)
			col->arg = binary ? BASE64_BYTES : BASE64_TEXT;
		else if (binary)
			col->arg = ESCAPED_BYTES;
	}
	col->type = cdc_str_z(type);
	if (!types[i].digits)
		col->source_type = col->type;
}

/* --- Go's escapes ------------------------------------------------------- */

static bool hex(const char *p, unsigned n, uint32_t *v)
{
	*v = 0;
	for (unsigned i = 0; i < n; i++) {
		unsigned c = (unsigned char)p[i];
		unsigned lower = c | 0x20;

		if (c >= '0' && c <= '9')
			*v = *v << 4 | (c - '0');
		else if (lower >= 'a' && lower <= 'f')
			*v = *v << 4 | (lower - 'a' + 10);
		else
			return false;
	}
	return true;
}

/* The UTF-8 of a character; 0: it is none. */
static size_t utf8(uint32_t c, char *out)
{
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* One escape, s behind its backslash; the bytes of s that it takes in *used. Returns the bytes
 * written, 0: it is none. */
static size_t escape(struct cdc_str s, char *out, size_t *used)
{
	static const char letters[] = "abfnrtv\\\"'", bytes[] = "\a\b\f\n\r\t\v\\\"'";
	const char *at = s.n && s.p[0] ? strchr(letters, s.p[0]) : NULL;
	unsigned digits;
	uint32_t v;

	if (at) {
		*out = bytes[at - letters];
		*used = 1;
		return 1;
	}
	digits = s.n == 0 ? 0 : s.p[0] == 'x' ? 2 : s.p[0] == 'u' ? 4 : s.p[0] == 'U' ? 8 : 0;
	if (digits == 0 || s.n <= digits || !hex(s.p + 1, digits, &v))
		return 0;
	*used = 1 + digits;
	if (digits > 2)
		return utf8(v, out);
	*out = (char)v;
	return 1;
}

/* Into `out`, which has room for s.n bytes: no escape is shorter than what it stands for. */
static bool unescape(struct cdc_str s, char *out, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < s.n;) {
		size_t used, made;

		if (s.p[i] != '\\') {
			out[(*n)++] = s.p[i++];
			continue;
		}
		made = escape(cdc_str(s.p + i + 1, s.n - i - 1), out + *n, &used);
		if (made == 0)
			return false;
		*n += made;
		i += 1 + used;
	}
	return true;
}

/* --- values ------------------------------------------------------------- */

static void put_bytes(struct cdc_json_in *j, enum form form, struct cdc_str s)
{
	struct cdc_out *o = &j->s->out;
	char *p;
	size_t n;

	cdc_arena_reset(&j->scratch);
	p = cdc_arena_alloc(&j->scratch, s.n + 4);
	if (!p) {
		cdc_out_fail(o, "out of memory");
		return;
	}
	if (form == ESCAPED_BYTES ? !unescape(s, p, &n)
				  : cdc_base64_decode(s, p, &n) != CDC_PARSE_OK) {
		cdc_out_fail(o, "a value is not %s",
			     form == ESCAPED_BYTES ? "escaped as it must be" : "base64");
		return;
	}
	if (form == BASE64_TEXT)
		cdc_out_quoted(o, cdc_str(p, n));
	else
		cdc_text_binary(o, cdc_str(p, n));
}

void ticdc_put(struct cdc_json_in *j, const struct cdc_change_column *col, uint32_t tok)
{
	struct cdc_out *o = &j->s->out;
	struct cdc_str s = cdc_json_in_text(j, tok);

	/* The failure names the column that it is of, not those after it. */
	if (o->rc < 0)
		return;
	if (col->arg == PLAIN) {
		cdc_mysql_put(o, &j->scratch, j->s->opt.zone, col, s);
		return;
	}
	put_bytes(j, (enum form)col->arg, s);
	if (o->rc < 0)
		cdc_err_prefix(&o->err, "column %.*s", (int)(col->name.n < 100 ? col->name.n : 100),
			       col->name.p);
}
