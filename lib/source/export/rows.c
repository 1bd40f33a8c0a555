/*
 * Rows of delimited exports to change records: columns by option or header, keys, null, and the
 * operation from a column if there is one.
 */
#include "source/export/rows.h"

#include "source/value/charset.h"
#include "source/mysql/create_table.h"
#include "source/export/row_out.h"
#include "source/export/row_value.h"

#include <stdlib.h>

struct rows {
	struct cdc_source *s;
	const struct cdc_dialect *dialect;
	struct cdc_delimiters how;
	struct cdc_arena options; /* holds what --columns says */
	struct cdc_ddl ddl; /* or this */
	struct cdc_schema_column *given; /* --columns */
	size_t n_given;
	struct cdc_str *given_charset; /* by column, when a CREATE TABLE tells them */
	char *given_table; /* its name */
	struct cdc_charsets charsets;
	struct cdc_arena layout; /* holds what follows, until the next header */
	struct cdc_schema_column *col; /* of the current input */
	size_t n;
	struct column {
		uint8_t as; /* enum cdc_row_as */
		struct cdc_str charset; /* empty: UTF-8 */
	} * how_column;
	bool plain; /* no column needs more than its text */
	struct cdc_row_out out;
	struct cdc_split sp;
	struct cdc_buf text; /* an unescaped field */
	uint64_t line; /* line ends consumed of the current input */
};

/* --- splitting ---------------------------------------------------------- */

void cdc_split_field(struct cdc_split *sp, size_t end, bool quoted)
{
	struct cdc_field f = { sp->start, end - sp->start, quoted, sp->escaped };

	sp->start = sp->pos;
	sp->escaped = false;
	if (sp->n == CDC_FIELDS_MAX) {
		sp->bad = "too many fields";
		return;
	}
	if (sp->n == sp->cap) {
		size_t cap = sp->cap ? sp->cap * 2 : 32;
		struct cdc_field *q = realloc(sp->field, cap * sizeof(*q));

		if (!q) {
			sp->nomem = true;
			return;
		}
		sp->field = q;
		sp->cap = cap;
	}
	sp->field[sp->n++] = f;
}

/*
 * The next record, whole, in *in. CDC_END at the end of the input. A record that passes the limit
 * is final: in CSV a quote too many can make one of all that follows.
 */
static int next_record(struct rows *d, struct cdc_reader *r, struct cdc_str *in,
		       struct cdc_err *err)
{
	struct cdc_split *sp = &d->sp;
	size_t want = 1;
	int rc;

	sp->n = sp->pos = sp->start = sp->newlines = 0;
	sp->state = 0;
	sp->escaped = false;
	sp->bad = NULL;
	sp->open = false;
	for (;;) {
		rc = cdc_source_peek(d->s, r, want, in, err);
		if (rc < 0 || in->n == 0)
			return rc < 0 ? rc : CDC_END;
		if (d->dialect->split(sp, *in, in->n < want))
			break;
		if (in->n > d->s->record_max) {
			cdc_fail(err, CDC_EDATA, "a record of more than %zu bytes",
				 d->s->record_max);
			cdc_err_line(err, d->line + 1);
			return CDC_EDATA;
		}
		want = in->n + 1;
	}
	in->n = sp->pos;
	return sp->nomem ? cdc_fail_nomem(err) : CDC_OK;
}

/* The text of a field: of the input, or unescaped in d->text until the next call. */
static int field_text(struct rows *d, const struct cdc_field *f, struct cdc_str raw,
		      struct cdc_str *out, struct cdc_err *err)
{
	int rc;

	*out = raw;
	if (!f->escaped)
		return CDC_OK;
	cdc_buf_reset(&d->text);
	rc = cdc_buf_reserve(&d->text, raw.n + 1, err);
	if (rc < 0)
		return rc;
	*out = cdc_str(d->text.p, d->dialect->unescape(&d->how, raw, d->text.p));
	return CDC_OK;
}

static bool field_is_null(const struct rows *d, const struct cdc_field *f, struct cdc_str raw)
{
	if (d->s->opt.null_string)
		return !f->quoted && cdc_str_eqz(raw, d->s->opt.null_string);
	return d->dialect->is_null(&d->how, f, raw);
}

/* --- columns ------------------------------------------------------------ */

/* Only strings have a set of their own; JSON does not take the table's. */
static bool is_string(struct cdc_str type)
{
	static const char *const names[] = { "char",	   "varchar",  "tinytext", "text",
					     "mediumtext", "longtext", "enum",	   "set" };
	struct cdc_str base = type;

	for (base.n = 0; base.n < type.n && type.p[base.n] != '('; base.n++)
		;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (cdc_str_eqz(base, names[i]))
			return true;
	}
	return false;
}

/* The character set of a column's bytes: --charset, else what CREATE TABLE says of it. */
static struct cdc_str charset_of(const struct rows *d, size_t i)
{
	const char *option = d->s->opt.charset;
	struct cdc_str name = CDC_STR("");
	size_t k;

	if (option) {
		name = cdc_str_z(option);
	} else if (d->given_charset && is_string(d->col[i].type)) {
		k = cdc_row_find(d->given, d->n_given, d->col[i].name);
		name = k < d->n_given ? d->given_charset[k] : name;
	}
	/* These need no conversion: the output checks that they are UTF-8. */
	if (name.n >= 5 && cdc_str_ieq(cdc_str(name.p, 4), CDC_STR("utf8")) &&
	    cdc_str_ieq(cdc_str(name.p + 4, 2), CDC_STR("mb")))
		return CDC_STR("");
	if (cdc_str_ieq(name, CDC_STR("utf8")) || cdc_str_ieq(name, CDC_STR("utf-8")))
		return CDC_STR("");
	return name;
}

/* The input's columns are in d->col: how each is printed, and what all rows share. */
static int define(struct rows *d, struct cdc_err *err)
{
	d->how_column = cdc_arena_calloc(&d->layout, d->n ? d->n : 1, sizeof(*d->how_column));
	if (!d->how_column)
		return cdc_fail_nomem(err);
	d->plain = true;
	for (size_t i = 0; i < d->n; i++) {
		struct column *c = &d->how_column[i];

		c->as = (uint8_t)cdc_row_as(d->how.style, d->col[i].type);
		if (!cdc_row_is_bytes((enum cdc_row_as)c->as))
			c->charset = charset_of(d, i);
		d->plain = d->plain && c->as == CDC_ROW_AS_IT_IS && c->charset.n == 0;
	}
	return cdc_row_define(&d->out, cdc_str_z(d->given_table ? d->given_table : ""), d->col,
			      d->n, err);
}

/* A name of the header takes its type from --columns, which then must know all of them. */
static int header_column(struct rows *d, size_t i, struct cdc_str text, struct cdc_err *err)
{
	char *name = cdc_arena_dup(&d->layout, text.p, text.n);
	size_t k;

	if (!name)
		return cdc_fail_nomem(err);
	if (text.n == 0)
		return cdc_fail(err, CDC_EDATA, "the header has an empty name");
	d->col[i].name = cdc_str(name, text.n);
	if (d->n_given == 0)
		return CDC_OK;
	k = cdc_row_find(d->given, d->n_given, text);
	if (k == d->n_given)
		return cdc_fail(err, CDC_EUSAGE, "--columns does not have %.*s of the header",
				(int)(text.n < 100 ? text.n : 100), text.p);
	d->col[i] = d->given[k];
	return CDC_OK;
}

static int read_header(struct rows *d, struct cdc_reader *r, struct cdc_err *err)
{
	struct cdc_str in, text;
	int rc = next_record(d, r, &in, err);

	if (rc != CDC_OK)
		return rc;
	if (d->sp.bad)
		return cdc_fail(err, CDC_EDATA, "bad header: %s", d->sp.bad);
	d->n = 0;
	d->col = cdc_arena_calloc(&d->layout, d->sp.n, sizeof(*d->col));
	if (!d->col)
		return cdc_fail_nomem(err);
	for (size_t i = 0; rc == CDC_OK && i < d->sp.n; i++) {
		const struct cdc_field *f = &d->sp.field[i];

		rc = field_text(d, f, cdc_str(in.p + f->off, f->len), &text, err);
		if (rc == CDC_OK)
			rc = header_column(d, i, text, err);
	}
	if (rc == CDC_OK)
		rc = cdc_columns_check(d->col, d->sp.n, err);
	if (rc == CDC_OK && d->n_given && d->n_given != d->sp.n)
		rc = cdc_fail(err, CDC_EUSAGE, "--columns has %zu columns, the header %zu",
			      d->n_given, d->sp.n);
	if (rc < 0)
		return rc;
	d->n = d->sp.n;
	d->line += d->sp.newlines;
	cdc_reader_skip(r, in.n);
	return define(d, err);
}

/* --- records ------------------------------------------------------------ */

static int operation(struct rows *d, struct cdc_str in, enum cdc_record_type *type,
		     struct cdc_err *err)
{
	const struct cdc_field *f;
	struct cdc_str s;
	int rc;

	*type = cdc_row_type(&d->out);
	if (d->out.op == CDC_ROW_NO_COLUMN)
		return CDC_OK;
	f = &d->sp.field[d->out.op];
	rc = field_text(d, f, cdc_str(in.p + f->off, f->len), &s, err);
	return rc < 0 ? rc : cdc_row_operation(s, type, err);
}

/* A value whose column has a type or a character set. */
static int put_typed(struct rows *d, size_t i, struct cdc_str text, struct cdc_err *err)
{
	const struct column *c = &d->how_column[i];
	int rc = CDC_OK;

	if (c->charset.n) {
		rc = cdc_charset_decode(&d->charsets, c->charset, text, &text, err);
		if (rc == CDC_EDATA)
			cdc_err_prefix(err, "column %.*s",
				       (int)(d->col[i].name.n < 100 ? d->col[i].name.n : 100),
				       d->col[i].name.p);
	}
	if (rc == CDC_OK)
		cdc_row_print(&d->s->out, (enum cdc_row_as)c->as, text, d->s->opt.zone);
	return rc;
}

static int put_value(struct rows *d, size_t i, struct cdc_str in, struct cdc_err *err)
{
	const struct cdc_field *f = &d->sp.field[i];
	struct cdc_str raw = cdc_str(in.p + f->off, f->len), text;
	struct cdc_out *o = &d->s->out;
	int rc;

	cdc_row_value(&d->out, i);
	if (field_is_null(d, f, raw)) {
		cdc_out_lit(o, "null");
		return CDC_OK;
	}
	rc = field_text(d, f, raw, &text, err);
	if (rc < 0)
		return rc;
	if (d->plain)
		cdc_out_quoted(o, text);
	else
		rc = put_typed(d, i, text, err);
	if (rc < 0)
		return rc;
	if (o->rc < 0)
		cdc_row_blame(&d->out, i);
	return CDC_OK;
}

static int put_row(struct rows *d, struct cdc_str in, const struct cdc_message *m,
		   struct cdc_err *err)
{
	enum cdc_record_type type;
	int rc;

	if (d->sp.bad)
		return cdc_fail(err, CDC_EDATA, "%s", d->sp.bad);
	if (d->sp.n != d->n)
		return cdc_fail(err, CDC_EDATA, "%zu fields, not %zu", d->sp.n, d->n);
	rc = operation(d, in, &type, err);
	if (rc < 0)
		return rc;
	cdc_row_begin(&d->out, d->s->lines_before + m->line, type);
	for (size_t i = 0; d->s->out.rc == CDC_OK && i < d->n; i++) {
		rc = i == d->out.op ? CDC_OK : put_value(d, i, in, err);
		if (rc < 0)
			return rc;
	}
	return cdc_row_end(&d->out, type, m, err);
}

/* Lines with nothing on them mean nothing, unless there is one column, which is then null. */
static bool is_blank(const struct rows *d)
{
	return d->n > 1 && d->sp.n == 1 && !d->sp.bad && d->sp.field[0].len == 0 &&
	       !d->sp.field[0].quoted;
}

static int one_record(struct rows *d, struct cdc_reader *r, struct cdc_message *m,
		      struct cdc_err *err)
{
	struct cdc_source *s = d->s;
	struct cdc_source_counts before;
	size_t mark = s->out.buf.len;
	struct cdc_str in;
	int rc = next_record(d, r, &in, err);

	if (rc != CDC_OK)
		return rc;
	m->offset = cdc_reader_offset(r);
	m->line = d->line + 1;
	m->value = in;
	s->counts.messages++;
	s->counts.bytes += in.n;
	mark = s->out.buf.len;
	before = s->counts;
	if (is_blank(d)) {
		s->counts.skipped++;
	} else {
		rc = put_row(d, in, m, err);
		if (rc == CDC_EDATA) {
			struct cdc_err unused;

			(void)cdc_out_take(&s->out, &unused);
			s->out.buf.len = mark;
			s->counts = before;
			rc = cdc_source_reject(s, m->offset, m->line, in, err);
		}
	}
	/* A last line without a line end is a line as well. */
	d->line += d->sp.newlines + d->sp.open;
	m->index++;
	cdc_reader_skip(r, in.n);
	if (rc == CDC_OK && cdc_source_full(s))
		rc = cdc_source_flush(s, err);
	return rc;
}

static int skip_bom(struct rows *d, struct cdc_reader *r, struct cdc_err *err)
{
	struct cdc_str head;
	int rc = cdc_source_peek(d->s, r, 3, &head, err);

	if (rc == CDC_OK && head.n >= 3 && memcmp(head.p, "\xEF\xBB\xBF", 3) == 0)
		cdc_reader_skip(r, 3);
	return rc;
}

int cdc_rows_stream(void *ctx, struct cdc_reader *r, struct cdc_err *err)
{
	struct rows *d = ctx;
	struct cdc_message m = { .file = d->s->file };
	const char *table = d->s->opt.db_table ? d->s->opt.db_table
			    : d->given_table   ? d->given_table
					       : "";
	int rc;

	d->line = 0;
	if (!cdc_source_keeps(d->s, table, false))
		return cdc_fail(err, CDC_EUSAGE, "--table leaves nothing of %s", table);
	cdc_arena_reset(&d->layout);
	rc = skip_bom(d, r, err);
	if (rc == CDC_OK && d->s->opt.header) {
		rc = read_header(d, r, err);
	} else if (rc == CDC_OK) {
		d->col = d->given;
		d->n = d->n_given;
		rc = define(d, err);
	}
	while (rc == CDC_OK)
		rc = one_record(d, r, &m, err);
	d->s->lines_before += d->line;
	return rc == CDC_END ? CDC_OK : rc;
}

/* --- the context -------------------------------------------------------- */

/* The columns, key and name that a CREATE TABLE tells. */
static int take_table(struct rows *d, const struct cdc_ddl_table *t, struct cdc_err *err)
{
	size_t n = t->n_columns;
	size_t name = t->db.n + t->name.n + 2;

	d->given = cdc_arena_calloc(&d->options, n, sizeof(*d->given));
	d->given_charset = cdc_arena_calloc(&d->options, n, sizeof(*d->given_charset));
	d->given_table = cdc_arena_calloc(&d->options, name, 1);
	if (!d->given || !d->given_charset || !d->given_table)
		return cdc_fail_nomem(err);
	memcpy(d->given_table, t->db.p ? t->db.p : "", t->db.n);
	if (t->db.n)
		d->given_table[t->db.n] = '.';
	memcpy(d->given_table + t->db.n + (t->db.n > 0), t->name.p, t->name.n);
	d->n_given = n;
	for (size_t i = 0; i < n; i++) {
		const struct cdc_ddl_column *c = &t->column[i];
		char *type = cdc_arena_alloc(&d->options, c->type.n + 1);

		if (!type)
			return cdc_fail_nomem(err);
		d->given[i].name = c->name;
		d->given[i].source_type = c->type;
		d->given[i].type = cdc_str(type, cdc_schema_type(c->type, type));
		d->given[i].not_null = c->not_null;
		d->given_charset[i] = c->charset.n ? c->charset : t->charset;
	}
	if (t->n_key && !d->out.key.n) {
		d->out.key.name = calloc(t->n_key, sizeof(*d->out.key.name));
		if (!d->out.key.name)
			return cdc_fail_nomem(err);
		memcpy(d->out.key.name, t->key, t->n_key * sizeof(*t->key));
		d->out.key.n = t->n_key;
	}
	return cdc_columns_check(d->given, n, err);
}

/* --columns @FILE: the only table in it, or the one that --db-table names. */
static int read_ddl(struct rows *d, const char *path, struct cdc_err *err)
{
	const struct cdc_ddl_table *t = NULL;
	const char *want = d->s->opt.db_table;
	const char *dot = want ? strrchr(want, '.') : NULL;
	struct cdc_buf text = CDC_BUF_INIT_MAX(CDC_DDL_TEXT_MAX);
	int rc = cdc_io_read_file(&cdc_io_posix, path, &text, err);

	if (rc == CDC_OK)
		rc = cdc_ddl_parse(&d->ddl, cdc_buf_str(&text), err);
	cdc_buf_free(&text);
	if (rc < 0)
		return cdc_err_prefix(err, "--columns %s", path);
	if (d->ddl.n == 1)
		t = &d->ddl.table[0];
	else if (want)
		t = cdc_ddl_find(&d->ddl, CDC_STR(""), cdc_str_z(dot ? dot + 1 : want));
	if (!t)
		return cdc_fail(err, CDC_EUSAGE,
				"--columns %s: %u tables are created there: say which with "
				"--db-table",
				path, (unsigned)d->ddl.n);
	return take_table(d, t, err);
}

int cdc_rows_open(struct cdc_source *s, const struct cdc_dialect *dialect, void **ctx,
		  struct cdc_err *err)
{
	const struct cdc_source_options *opt = &s->opt;
	struct rows *d;
	int rc = CDC_OK;

	if (!opt->columns && !opt->header)
		return cdc_fail(err, CDC_EUSAGE,
				"what the columns are must be told: --columns or --header");
	d = calloc(1, sizeof(*d));
	if (!d)
		return cdc_fail_nomem(err);
	d->s = s;
	rc = cdc_delimiters_init(&d->how, opt, dialect, err);
	d->dialect = d->how.given ? &cdc_dialect_delimited : dialect;
	d->sp.how = &d->how;
	if (rc == CDC_OK)
		rc = cdc_row_open(&d->out, s, err);
	if (rc == CDC_OK && opt->columns && opt->columns[0] == '@')
		rc = read_ddl(d, opt->columns + 1, err);
	else if (rc == CDC_OK && opt->columns)
		rc = cdc_columns_parse(opt->columns, &d->options, &d->given, &d->n_given, err);
	if (rc < 0)
		cdc_rows_close(d);
	else
		*ctx = d;
	return rc;
}

void cdc_rows_close(void *ctx)
{
	struct rows *d = ctx;

	cdc_row_free(&d->out);
	cdc_arena_free(&d->layout);
	cdc_arena_free(&d->options);
	cdc_buf_free(&d->text);
	cdc_charsets_free(&d->charsets);
	cdc_ddl_free(&d->ddl);
	cdc_delimiters_free(&d->how);
	free(d->sp.field);
	free(d);
}
