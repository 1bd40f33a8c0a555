/*
 * The DDL form of schemas: `id BIGINT NOT NULL, name STRING, tags ARRAY<STRING>`.
 */
#include "delta/schema_names.h"

#include "base/json.h"

#define DEPTH_MAX 64 /* types inside each other */

struct ddl {
	struct cdc_str text;
	size_t at;
	int depth;
	struct cdc_arena arena; /* the fields of nested types */
	struct cdc_err *err;
};

struct type_word {
	const char *word;
	enum cdc_type type;
	bool sized; /* takes an optional (n) that does not matter: VARCHAR(20) */
};

static const struct type_word type_words[] = {
	{ "BOOLEAN", CDC_TYPE_BOOLEAN, false },
	{ "BOOL", CDC_TYPE_BOOLEAN, false },
	{ "TINYINT", CDC_TYPE_BYTE, false },
	{ "BYTE", CDC_TYPE_BYTE, false },
	{ "SMALLINT", CDC_TYPE_SHORT, false },
	{ "SHORT", CDC_TYPE_SHORT, false },
	{ "INT", CDC_TYPE_INTEGER, false },
	{ "INTEGER", CDC_TYPE_INTEGER, false },
	{ "BIGINT", CDC_TYPE_LONG, false },
	{ "LONG", CDC_TYPE_LONG, false },
	{ "FLOAT", CDC_TYPE_FLOAT, false },
	{ "REAL", CDC_TYPE_FLOAT, false },
	{ "DOUBLE", CDC_TYPE_DOUBLE, false },
	{ "DECIMAL", CDC_TYPE_DECIMAL, false },
	{ "DEC", CDC_TYPE_DECIMAL, false },
	{ "NUMERIC", CDC_TYPE_DECIMAL, false },
	{ "STRING", CDC_TYPE_STRING, false },
	{ "TEXT", CDC_TYPE_STRING, false },
	{ "VARCHAR", CDC_TYPE_STRING, true },
	{ "CHAR", CDC_TYPE_STRING, true },
	{ "BINARY", CDC_TYPE_BINARY, false },
	{ "DATE", CDC_TYPE_DATE, false },
	{ "TIMESTAMP", CDC_TYPE_TIMESTAMP, false },
	{ "TIMESTAMP_NTZ", CDC_TYPE_TIMESTAMP_NTZ, false },
	{ "DATETIME", CDC_TYPE_TIMESTAMP_NTZ, false },
	{ "VARIANT", CDC_TYPE_VARIANT, false },
	{ "VOID", CDC_TYPE_VOID, false },
	{ "ARRAY", CDC_TYPE_ARRAY, false },
	{ "MAP", CDC_TYPE_MAP, false },
	{ "STRUCT", CDC_TYPE_STRUCT, false },
};

static int fail_at(struct ddl *d, const char *what)
{
	size_t left = d->text.n - d->at;

	if (!left)
		return cdc_fail(d->err, CDC_EUSAGE, "schema: %s at the end", what);
	return cdc_fail(d->err, CDC_EUSAGE, "schema: %s at character %zu, near \"%.*s\"", what,
			d->at + 1, (int)(left > 24 ? 24 : left), d->text.p + d->at);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (unsigned char)c >= 0x80;
}

static void skip_space(struct ddl *d)
{
	while (d->at < d->text.n && is_space(d->text.p[d->at]))
		d->at++;
}

static bool accept(struct ddl *d, char c)
{
	skip_space(d);
	if (d->at >= d->text.n || d->text.p[d->at] != c)
		return false;
	d->at++;
	return true;
}

/* The word at the cursor, which stays where it is; empty if there is none. */
static struct cdc_str peek_word(struct ddl *d)
{
	size_t n = 0;

	skip_space(d);
	while (d->at + n < d->text.n && is_word(d->text.p[d->at + n]))
		n++;
	return cdc_str(d->text.p + d->at, n);
}

static bool accept_word(struct ddl *d, const char *word)
{
	struct cdc_str w = peek_word(d);

	if (!cdc_str_ieq(w, cdc_str_z(word)))
		return false;
	d->at += w.n;
	return true;
}

/* A bare word, or anything in back quotes, where two of them stand for one. */
static int read_name(struct ddl *d, struct cdc_buf *scratch, struct cdc_str *name)
{
	struct cdc_str w = peek_word(d);
	size_t start = d->at;
	int rc;

	cdc_buf_reset(scratch);
	if (w.n) {
		d->at += w.n;
		*name = w;
		return CDC_OK;
	}
	if (!accept(d, '`'))
		return fail_at(d, "expected a column name");
	for (;; d->at++) {
		if (d->at >= d->text.n) {
			d->at = start;
			return fail_at(d, "back quote is not closed");
		}
		if (d->text.p[d->at] == '`') {
			d->at++;
			if (d->at >= d->text.n || d->text.p[d->at] != '`')
				break;
		}
		rc = cdc_buf_putc(scratch, d->text.p[d->at], d->err);
		if (rc < 0)
			return rc;
	}
	*name = cdc_buf_str(scratch);
	return CDC_OK;
}

static int read_number(struct ddl *d, int max, int *out)
{
	int v = 0;
	size_t start;

	skip_space(d);
	start = d->at;
	for (; d->at < d->text.n && d->text.p[d->at] >= '0' && d->text.p[d->at] <= '9'; d->at++) {
		v = v * 10 + (d->text.p[d->at] - '0');
		if (v > max) {
			d->at = start;
			return fail_at(d, "number out of range");
		}
	}
	if (d->at == start)
		return fail_at(d, "expected a number");
	*out = v;
	return CDC_OK;
}

static int read_decimal(struct ddl *d, struct cdc_field *f)
{
	size_t start = d->at;
	int rc;

	f->precision = CDC_DECIMAL_DEFAULT_PRECISION;
	f->scale = 0;
	if (!accept(d, '('))
		return CDC_OK;
	if ((rc = read_number(d, CDC_DECIMAL_MAX_PRECISION, &f->precision)) < 0)
		return rc;
	if (accept(d, ',') && (rc = read_number(d, CDC_DECIMAL_MAX_PRECISION, &f->scale)) < 0)
		return rc;
	if (!accept(d, ')'))
		return fail_at(d, "expected \")\"");
	if (f->precision < 1 || f->scale > f->precision) {
		d->at = start;
		return fail_at(d, "decimal needs 1 <= precision <= 38 and scale <= precision");
	}
	return CDC_OK;
}

static int read_nested(struct ddl *d, struct cdc_field *f);

static int read_type(struct ddl *d, struct cdc_field *f)
{
	struct cdc_str w = peek_word(d);
	const struct type_word *t = NULL;
	int ignored;
	int rc;

	for (size_t i = 0; i < sizeof(type_words) / sizeof(type_words[0]); i++) {
		if (cdc_str_ieq(w, cdc_str_z(type_words[i].word)))
			t = &type_words[i];
	}
	if (!t)
		return fail_at(d, w.n ? "unknown type" : "expected a type");
	d->at += w.n;
	f->type = t->type;
	if (t->type == CDC_TYPE_DECIMAL)
		return read_decimal(d, f);
	if (t->type == CDC_TYPE_ARRAY || t->type == CDC_TYPE_MAP || t->type == CDC_TYPE_STRUCT)
		return read_nested(d, f);
	if (t->type == CDC_TYPE_DOUBLE && accept_word(d, "PRECISION"))
		return CDC_OK;
	if (!t->sized || !accept(d, '('))
		return CDC_OK;
	rc = read_number(d, 1 << 24, &ignored);
	if (rc == CDC_OK && !accept(d, ')'))
		rc = fail_at(d, "expected \")\"");
	return rc;
}

/* 'text', where '' stands for one quote and a backslash for the character after it. */
static int read_comment(struct ddl *d, struct cdc_buf *scratch)
{
	size_t start;
	int rc;

	cdc_buf_reset(scratch);
	if (!accept(d, '\''))
		return fail_at(d, "expected a quoted comment");
	start = d->at - 1;
	for (;; d->at++) {
		if (d->at >= d->text.n)
			break;
		if (d->text.p[d->at] == '\'') {
			d->at++;
			if (d->at >= d->text.n || d->text.p[d->at] != '\'')
				return CDC_OK;
		} else if (d->text.p[d->at] == '\\' && d->at + 1 < d->text.n) {
			d->at++;
		}
		rc = cdc_buf_putc(scratch, d->text.p[d->at], d->err);
		if (rc < 0)
			return rc;
	}
	d->at = start;
	return fail_at(d, "quote is not closed");
}

static int comment_metadata(struct cdc_str comment, struct cdc_buf *out, struct cdc_err *err)
{
	int rc;

	cdc_buf_reset(out);
	if ((rc = cdc_buf_puts(out, "{\"comment\":", err)) < 0 ||
	    (rc = cdc_json_put_string(out, comment, err)) < 0)
		return rc;
	return cdc_buf_putc(out, '}', err);
}

/* NOT NULL, NULL and COMMENT in any order. */
static int read_suffixes(struct ddl *d, struct cdc_field *f, struct cdc_buf *scratch,
			 struct cdc_buf *metadata)
{
	int rc;

	for (;;) {
		if (accept_word(d, "NOT")) {
			if (!accept_word(d, "NULL"))
				return fail_at(d, "expected NULL");
			f->nullable = false;
		} else if (accept_word(d, "COMMENT")) {
			rc = read_comment(d, scratch);
			if (rc == CDC_OK)
				rc = comment_metadata(cdc_buf_str(scratch), metadata, d->err);
			if (rc < 0)
				return rc;
			f->metadata = cdc_buf_str(metadata);
		} else if (!accept_word(d, "NULL")) {
			return CDC_OK;
		}
	}
}

/* ------------------------------------------------------------------ nested types */

/* Append to fields whose memory is d->arena; a copy, as deep as the type is. */
static int add_field(struct ddl *d, struct cdc_schema *fields, const struct cdc_field *f)
{
	int rc;

	fields->arena = d->arena;
	rc = cdc_schema_add(fields, f, d->err);
	d->arena = fields->arena;
	return rc;
}

/* One field of a struct: `name: TYPE`, where the colon may be missing. */
static int read_field(struct ddl *d, struct cdc_schema *fields)
{
	struct cdc_field f = { .nullable = true };
	struct cdc_buf name = CDC_BUF_INIT;
	struct cdc_buf comment = CDC_BUF_INIT;
	struct cdc_buf metadata = CDC_BUF_INIT;
	int rc = read_name(d, &name, &f.name);

	(void)accept(d, ':');
	if (rc == CDC_OK && (rc = read_type(d, &f)) == CDC_OK &&
	    (rc = read_suffixes(d, &f, &comment, &metadata)) == CDC_OK)
		rc = add_field(d, fields, &f);
	cdc_buf_free(&name);
	cdc_buf_free(&comment);
	cdc_buf_free(&metadata);
	return rc;
}

static int read_struct(struct ddl *d, struct cdc_field *f)
{
	struct cdc_schema fields = CDC_SCHEMA_INIT;
	int rc;

	do {
		rc = read_field(d, &fields);
	} while (rc == CDC_OK && accept(d, ','));
	f->child = fields.field;
	f->num_children = fields.num_fields;
	return rc;
}

/* The types of the elements of an array, or of the keys and values of a map. */
static int read_entries(struct ddl *d, struct cdc_field *f)
{
	static const char *const name[] = { "element", "key", "value" };
	bool map = f->type == CDC_TYPE_MAP;
	int n = map ? 2 : 1;
	int rc = CDC_OK;

	f->child = cdc_arena_calloc(&d->arena, (size_t)n, sizeof(*f->child));
	if (!f->child)
		return cdc_fail_nomem(d->err);
	for (int i = 0; rc == CDC_OK && i < n; i++) {
		f->child[i].name = cdc_str_z(name[map + i]);
		f->child[i].nullable = !map || i == 1;
		if (i && !accept(d, ','))
			return fail_at(d, "expected \",\"");
		rc = read_type(d, &f->child[i]);
		f->num_children++;
	}
	return rc;
}

static int read_nested(struct ddl *d, struct cdc_field *f)
{
	int rc;

	if (!accept(d, '<'))
		return fail_at(d, "expected \"<\"");
	if (d->depth == DEPTH_MAX)
		return fail_at(d, "types are too deep inside each other");
	d->depth++;
	rc = f->type == CDC_TYPE_STRUCT ? read_struct(d, f) : read_entries(d, f);
	d->depth--;
	if (rc == CDC_OK && !accept(d, '>'))
		rc = fail_at(d, "expected \">\"");
	return rc;
}

/* ------------------------------------------------------------------ columns */

static int read_column(struct ddl *d, struct cdc_schema *s, struct cdc_buf *scratch)
{
	struct cdc_buf metadata = CDC_BUF_INIT;
	struct cdc_buf comment = CDC_BUF_INIT;
	struct cdc_field f = { .nullable = true };
	int rc;

	if ((rc = read_name(d, scratch, &f.name)) == CDC_OK && (rc = read_type(d, &f)) == CDC_OK &&
	    (rc = read_suffixes(d, &f, &comment, &metadata)) == CDC_OK)
		rc = cdc_schema_add(s, &f, d->err);
	cdc_buf_free(&comment);
	cdc_buf_free(&metadata);
	return rc;
}

int cdc_schema_from_ddl(struct cdc_schema *s, struct cdc_str ddl, struct cdc_err *err)
{
	struct ddl d = { .text = ddl, .err = err };
	struct cdc_schema made = CDC_SCHEMA_INIT;
	struct cdc_buf scratch = CDC_BUF_INIT;
	int rc = CDC_OK;

	if (!cdc_utf8_valid(ddl.p, ddl.n))
		return cdc_fail(err, CDC_EUSAGE, "schema: it is not valid UTF-8");
	do {
		rc = read_column(&d, &made, &scratch);
	} while (rc == CDC_OK && accept(&d, ','));
	skip_space(&d);
	if (rc == CDC_OK && d.at < d.text.n)
		rc = fail_at(&d, "expected \",\"");
	cdc_buf_free(&scratch);
	cdc_arena_free(&d.arena);
	if (rc < 0) {
		cdc_schema_free(&made);
		return rc;
	}
	*s = made;
	return CDC_OK;
}
