/* Reads CREATE TABLE statements. */
#include "source/mysql/create_table.h"

#include "source/mysql/sql_lex.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct parser {
	struct cdc_sql_lex l;
	struct cdc_ddl *ddl;
	struct cdc_str db; /* of the last USE */
	struct cdc_ddl_table t;
	uint32_t cap_columns;
	uint32_t cap_key;
	struct cdc_buf text; /* a type being put together */
	struct cdc_err *err;
};

static int fail(struct parser *p, const char *what)
{
	int n = p->l.raw.n < 60 ? (int)p->l.raw.n : 60;

	if (p->l.kind == CDC_SQL_END || p->l.kind == CDC_SQL_OPEN)
		return cdc_fail(p->err, CDC_EDATA, "line %zu: the statement is not complete: %s",
				p->l.line, what);
	return cdc_fail(p->err, CDC_EDATA, "line %zu: %s at \"%.*s\"", p->l.line, what, n,
			p->l.raw.p);
}

/* Make room for one more in an array of the arena. */
static int grow(struct parser *p, void **array, uint32_t n, uint32_t *cap, size_t size)
{
	uint32_t more = *cap ? *cap * 2 : 16;
	void *q;

	if (n < *cap)
		return CDC_OK;
	if (n >= CDC_DDL_COLUMNS_MAX)
		return fail(p, "a table has too many columns");
	q = cdc_arena_calloc(&p->ddl->arena, more, size);
	if (!q)
		return cdc_fail_nomem(p->err);
	if (n)
		memcpy(q, *array, n * size);
	*array = q;
	*cap = more;
	return CDC_OK;
}

/* --- tokens ------------------------------------------------------------- */

static bool accept(struct parser *p, const char *word)
{
	if (!cdc_sql_is_word(&p->l, word))
		return false;
	cdc_sql_next(&p->l);
	return true;
}

static bool accept_char(struct parser *p, char c)
{
	if (!cdc_sql_is_char(&p->l, c))
		return false;
	cdc_sql_next(&p->l);
	return true;
}

static bool at_end(const struct parser *p)
{
	return p->l.kind == CDC_SQL_END || p->l.kind == CDC_SQL_OPEN;
}

static int take_text(struct parser *p, struct cdc_str *out)
{
	char *q = cdc_arena_alloc(&p->ddl->arena, p->l.raw.n + 1);

	if (!q)
		return cdc_fail_nomem(p->err);
	*out = cdc_str(q, cdc_sql_unquote(p->l.kind, p->l.raw, q));
	cdc_sql_next(&p->l);
	return CDC_OK;
}

/* A name of any spelling. */
static int take_name(struct parser *p, struct cdc_str *out)
{
	if (p->l.kind != CDC_SQL_WORD && p->l.kind != CDC_SQL_NAME && p->l.kind != CDC_SQL_QUOTED)
		return fail(p, "a name is missing");
	return take_text(p, out);
}

/* db.table or table; *db stays when it is not told. */
static int take_qualified(struct parser *p, struct cdc_str *db, struct cdc_str *name)
{
	int rc = take_name(p, name);

	if (rc == CDC_OK && accept_char(p, '.')) {
		*db = *name;
		rc = take_name(p, name);
	}
	return rc;
}

/* Pass over "( … )" if it is next. */
static int skip_group(struct parser *p)
{
	unsigned depth = 0;

	if (!cdc_sql_is_char(&p->l, '('))
		return CDC_OK;
	do {
		if (at_end(p))
			return fail(p, "a parenthesis is not closed");
		depth += cdc_sql_is_char(&p->l, '(');
		depth -= cdc_sql_is_char(&p->l, ')');
		if (depth > CDC_DDL_DEPTH_MAX)
			return fail(p, "parentheses are nested too deeply");
		cdc_sql_next(&p->l);
	} while (depth);
	return CDC_OK;
}

/* To the comma or the parenthesis that ends an item of the list. */
static int skip_item(struct parser *p)
{
	int rc = CDC_OK;

	while (rc == CDC_OK && !cdc_sql_is_char(&p->l, ',') && !cdc_sql_is_char(&p->l, ')')) {
		if (at_end(p))
			return fail(p, "the list of columns is not closed");
		if (cdc_sql_is_char(&p->l, '('))
			rc = skip_group(p);
		else
			cdc_sql_next(&p->l);
	}
	return rc;
}

/* --- columns ------------------------------------------------------------ */

static int put_token(struct parser *p, bool space)
{
	int rc = CDC_OK;

	if (space && p->text.len)
		rc = cdc_buf_putc(&p->text, ' ', p->err);
	if (rc == CDC_OK)
		rc = cdc_buf_put(&p->text, p->l.raw, p->err);
	cdc_sql_next(&p->l);
	return rc;
}

static int add_value(struct parser *p, struct cdc_ddl_column *c, uint32_t *cap)
{
	void *values = c->value;
	char *q;

	/* A SET has 64 members, an ENUM 65535. */
	if (c->n_values >= 65535)
		return fail(p, "a list of values is too long");
	if (c->n_values == *cap) {
		*cap = *cap ? *cap * 2 : 8;
		values = cdc_arena_calloc(&p->ddl->arena, *cap, sizeof(*c->value));
		if (values && c->n_values)
			memcpy(values, c->value, c->n_values * sizeof(*c->value));
	}
	q = values ? cdc_arena_alloc(&p->ddl->arena, p->l.raw.n + 1) : NULL;
	if (!q)
		return cdc_fail_nomem(p->err);
	c->value = values;
	c->value[c->n_values++] = cdc_str(q, cdc_sql_unquote(p->l.kind, p->l.raw, q));
	return put_token(p, false);
}

/* "(10,2)", "('a','b')". */
static int take_size(struct parser *p, struct cdc_ddl_column *c)
{
	uint32_t cap = 0;
	int rc = put_token(p, false);

	while (rc == CDC_OK && !cdc_sql_is_char(&p->l, ')')) {
		if (at_end(p) || p->l.kind == CDC_SQL_NAME || cdc_sql_is_char(&p->l, '('))
			return fail(p, "the size of a type is not closed");
		if (p->l.kind == CDC_SQL_STRING || p->l.kind == CDC_SQL_QUOTED)
			rc = add_value(p, c, &cap);
		else
			rc = put_token(p, false);
	}
	return rc < 0 ? rc : put_token(p, false);
}

/* Words that go on with a type; the others are attributes. */
static bool is_type_word(const struct parser *p)
{
	static const char *const words[] = { "precision", "varying",   "char",	       "character",
					     "varchar",	  "varbinary", "varcharacter", "unsigned",
					     "signed",	  "zerofill",  "byte" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (cdc_sql_is_word(&p->l, words[i]))
			return true;
	}
	return false;
}

/* "CHARACTER SET" looks like "NATIONAL CHARACTER" for a word. */
static bool at_character_set(const struct parser *p)
{
	struct cdc_sql_lex ahead = p->l;

	if (!cdc_sql_is_word(&p->l, "character") && !cdc_sql_is_word(&p->l, "char"))
		return false;
	cdc_sql_next(&ahead);
	return cdc_sql_is_word(&ahead, "set");
}

static int take_type(struct parser *p, struct cdc_ddl_column *c)
{
	char *q;
	int rc;

	if (p->l.kind != CDC_SQL_WORD)
		return fail(p, "a column has no type");
	cdc_buf_reset(&p->text);
	c->not_null = cdc_sql_is_word(&p->l, "serial");
	c->is_unsigned = c->not_null;
	rc = put_token(p, false);
	for (;;) {
		if (rc < 0)
			return rc;
		if (cdc_sql_is_char(&p->l, '(')) {
			rc = take_size(p, c);
		} else if (is_type_word(p) && !at_character_set(p)) {
			c->is_unsigned = c->is_unsigned || cdc_sql_is_word(&p->l, "unsigned") ||
					 cdc_sql_is_word(&p->l, "zerofill");
			rc = put_token(p, true);
		} else {
			break;
		}
	}
	q = cdc_arena_dup(&p->ddl->arena, p->text.p, p->text.len);
	if (!q)
		return cdc_fail_nomem(p->err);
	c->type = cdc_str(q, p->text.len);
	return CDC_OK;
}

static int add_key(struct parser *p, struct cdc_str name)
{
	void *key = p->t.key;
	int rc = grow(p, &key, p->t.n_key, &p->cap_key, sizeof(*p->t.key));

	p->t.key = key;
	if (rc == CDC_OK)
		p->t.key[p->t.n_key++] = name;
	return rc;
}

/* The value behind DEFAULT: nothing in it is an attribute. */
static int skip_default(struct parser *p)
{
	if (!accept_char(p, '-'))
		(void)accept_char(p, '+');
	if (!cdc_sql_is_char(&p->l, '(') && !at_end(p))
		cdc_sql_next(&p->l);
	return skip_group(p);
}

/* [=] name */
static int take_option(struct parser *p, struct cdc_str *out)
{
	(void)accept_char(p, '=');
	if (p->l.kind == CDC_SQL_STRING)
		return take_text(p, out);
	return take_name(p, out);
}

static int take_attribute(struct parser *p, struct cdc_ddl_column *c)
{
	if (accept(p, "not")) {
		/* NOT NULL; MariaDB's NOT SECONDARY and the like mean nothing here */
		c->not_null = accept(p, "null") || c->not_null;
		return CDC_OK;
	}
	if (accept(p, "character") || accept(p, "char"))
		return accept(p, "set") ? take_option(p, &c->charset) : CDC_OK;
	if (accept(p, "charset"))
		return take_option(p, &c->charset);
	if (accept(p, "collate"))
		return take_option(p, &c->collation);
	if (accept(p, "default"))
		return skip_default(p);
	if (accept(p, "comment")) {
		cdc_sql_next(&p->l);
		return CDC_OK;
	}
	if (accept(p, "unique")) {
		(void)accept(p, "key");
		return CDC_OK;
	}
	if (accept(p, "as")) {
		c->generated = true;
		return skip_group(p);
	}
	if (accept(p, "primary") || cdc_sql_is_word(&p->l, "key")) {
		(void)accept(p, "key");
		return add_key(p, c->name);
	}
	if (cdc_sql_is_char(&p->l, '('))
		return skip_group(p);
	cdc_sql_next(&p->l);
	return CDC_OK;
}

static int take_column(struct parser *p)
{
	struct cdc_ddl_column c = { .not_null = false };
	void *columns = p->t.column;
	int rc = take_name(p, &c.name);

	if (rc == CDC_OK)
		rc = take_type(p, &c);
	while (rc == CDC_OK && !cdc_sql_is_char(&p->l, ',') && !cdc_sql_is_char(&p->l, ')')) {
		if (at_end(p))
			return fail(p, "the list of columns is not closed");
		rc = take_attribute(p, &c);
	}
	if (rc == CDC_OK)
		rc = grow(p, &columns, p->t.n_columns, &p->cap_columns, sizeof(c));
	p->t.column = columns;
	if (rc == CDC_OK)
		p->t.column[p->t.n_columns++] = c;
	return rc;
}

/* --- the table ---------------------------------------------------------- */

/* PRIMARY KEY [USING BTREE] (a, b(10) DESC) …, behind PRIMARY. */
static int take_primary(struct parser *p)
{
	struct cdc_str name;
	int rc = CDC_OK;

	while (!cdc_sql_is_char(&p->l, '(')) {
		if (at_end(p) || cdc_sql_is_char(&p->l, ','))
			return fail(p, "a primary key has no columns");
		cdc_sql_next(&p->l);
	}
	do {
		cdc_sql_next(&p->l);
		rc = take_name(p, &name);
		if (rc == CDC_OK)
			rc = add_key(p, name);
		if (rc == CDC_OK)
			rc = skip_item(p);
	} while (rc == CDC_OK && cdc_sql_is_char(&p->l, ','));
	cdc_sql_next(&p->l);
	return rc < 0 ? rc : skip_item(p);
}

/* Does a bare word begin something that is no column? */
static bool is_constraint(const struct parser *p)
{
	static const char *const words[] = { "constraint", "primary", "key",	 "index", "unique",
					     "fulltext",   "spatial", "foreign", "check" };
	struct cdc_sql_lex ahead = p->l;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (cdc_sql_is_word(&p->l, words[i]))
			return true;
	}
	cdc_sql_next(&ahead);
	return (cdc_sql_is_word(&p->l, "period") && cdc_sql_is_word(&ahead, "for")) ||
	       (cdc_sql_is_word(&p->l, "vector") &&
		(cdc_sql_is_word(&ahead, "key") || cdc_sql_is_word(&ahead, "index")));
}

static int take_item(struct parser *p)
{
	struct cdc_str unused;
	int rc = CDC_OK;

	if (!is_constraint(p))
		return take_column(p);
	if (accept(p, "constraint") && !cdc_sql_is_word(&p->l, "primary") &&
	    !cdc_sql_is_word(&p->l, "unique") && !cdc_sql_is_word(&p->l, "foreign") &&
	    !cdc_sql_is_word(&p->l, "check"))
		rc = take_name(p, &unused);
	if (rc == CDC_OK && accept(p, "primary"))
		return take_primary(p);
	return rc < 0 ? rc : skip_item(p);
}

/* What follows the columns, to the statement's end. */
static int take_options(struct parser *p)
{
	int rc = CDC_OK;

	while (rc == CDC_OK && !at_end(p) && !cdc_sql_is_char(&p->l, ';')) {
		if (cdc_sql_is_char(&p->l, '(')) {
			rc = skip_group(p);
		} else if (accept(p, "charset")) {
			rc = take_option(p, &p->t.charset);
		} else if (accept(p, "character")) {
			rc = accept(p, "set") ? take_option(p, &p->t.charset) : CDC_OK;
		} else if (accept(p, "collate")) {
			rc = take_option(p, &p->t.collation);
		} else {
			cdc_sql_next(&p->l);
		}
	}
	if (rc == CDC_OK && p->l.kind == CDC_SQL_OPEN)
		return fail(p, "a quote is not closed");
	return rc;
}

/* Key columns take the spelling of the columns, and are not null. */
static int settle_key(struct parser *p)
{
	for (uint32_t k = 0; k < p->t.n_key; k++) {
		uint32_t i = 0;

		while (i < p->t.n_columns && !cdc_str_ieq(p->t.column[i].name, p->t.key[k]))
			i++;
		if (i == p->t.n_columns)
			return cdc_fail(p->err, CDC_EDATA,
					"line %zu: the primary key has no column %.*s", p->l.line,
					p->t.key[k].n < 60 ? (int)p->t.key[k].n : 60,
					p->t.key[k].p);
		p->t.key[k] = p->t.column[i].name;
		p->t.column[i].not_null = true;
	}
	return CDC_OK;
}

static int add_table(struct parser *p)
{
	struct cdc_ddl *d = p->ddl;

	if (d->n == d->cap) {
		uint32_t cap = d->cap ? d->cap * 2 : 16;
		struct cdc_ddl_table *q;

		if (cap > UINT32_MAX / 4)
			return cdc_fail_nomem(p->err);
		q = realloc(d->table, cap * sizeof(*q));
		if (!q)
			return cdc_fail_nomem(p->err);
		d->table = q;
		d->cap = cap;
	}
	d->table[d->n++] = p->t;
	return CDC_OK;
}

/* Behind CREATE … TABLE. */
static int take_table(struct parser *p)
{
	int rc;

	p->t = (struct cdc_ddl_table){ .db = p->db };
	p->cap_columns = p->cap_key = 0;
	if (accept(p, "if")) {
		(void)accept(p, "not");
		(void)accept(p, "exists");
	}
	rc = take_qualified(p, &p->t.db, &p->t.name);
	if (rc < 0)
		return rc;
	if (!cdc_sql_is_char(&p->l, '('))
		return fail(p, "CREATE TABLE without a list of columns");
	do {
		cdc_sql_next(&p->l);
		rc = take_item(p);
	} while (rc == CDC_OK && cdc_sql_is_char(&p->l, ','));
	if (rc < 0)
		return rc;
	cdc_sql_next(&p->l);
	if (p->t.n_columns == 0)
		return cdc_fail(p->err, CDC_EDATA, "line %zu: CREATE TABLE without columns",
				p->l.line);
	rc = take_options(p);
	if (rc == CDC_OK)
		rc = settle_key(p);
	return rc < 0 ? rc : add_table(p);
}

/* --- statements --------------------------------------------------------- */

static void skip_statement(struct parser *p)
{
	while (!at_end(p) && !cdc_sql_is_char(&p->l, ';'))
		cdc_sql_next(&p->l);
}

/*
 * DELIMITER is a command of the client, up to its line's end. What stands between one and the next,
 * which sets the semicolon again, is bodies of routines.
 */
static void skip_delimited(struct parser *p)
{
	struct cdc_sql_lex *l = &p->l;

	for (;;) {
		const char *eol = memchr(l->text.p + l->pos, '\n', l->text.n - l->pos);
		size_t end = eol ? (size_t)(eol - l->text.p) : l->text.n;
		struct cdc_str line = cdc_str(l->text.p + l->pos, end - l->pos);

		l->pos = end;
		while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == ' '))
			line.n--;
		while (line.n && (line.p[0] == ' ' || line.p[0] == '\t'))
			line = cdc_str(line.p + 1, line.n - 1);
		if (cdc_str_eq(line, CDC_STR(";")))
			break;
		do {
			if (l->pos >= l->text.n)
				break;
			l->line++;
			l->pos++;
			eol = memchr(l->text.p + l->pos, '\n', l->text.n - l->pos);
			end = eol ? (size_t)(eol - l->text.p) : l->text.n;
			line = cdc_str(l->text.p + l->pos, end - l->pos);
			if (line.n > 9 && cdc_str_ieq(cdc_str(line.p, 9), CDC_STR("delimiter")))
				break;
			l->pos = end;
		} while (l->pos < l->text.n);
		if (l->pos >= l->text.n)
			break;
		l->pos += 9;
	}
	cdc_sql_next(l);
}

static int statement(struct parser *p)
{
	if (cdc_sql_is_word(&p->l, "delimiter")) {
		skip_delimited(p);
		return CDC_OK;
	}
	if (accept(p, "use")) {
		int rc = take_name(p, &p->db);

		skip_statement(p);
		return rc;
	}
	if (accept(p, "create")) {
		if (accept(p, "or"))
			(void)accept(p, "replace");
		if (accept(p, "table"))
			return take_table(p);
	}
	skip_statement(p);
	return CDC_OK;
}

int cdc_ddl_parse(struct cdc_ddl *ddl, struct cdc_str text, struct cdc_err *err)
{
	struct parser p = { .l = { .text = text, .line = 1 }, .ddl = ddl, .err = err };
	int rc = CDC_OK;

	if (text.n > CDC_DDL_TEXT_MAX)
		return cdc_fail(err, CDC_EDATA, "the text of the tables is too long");
	if (text.n >= 3 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0)
		p.l.pos = 3;
	cdc_sql_next(&p.l);
	while (rc == CDC_OK && !at_end(&p)) {
		if (!accept_char(&p, ';'))
			rc = statement(&p);
	}
	/* The tables behind it would be missing without a word. */
	if (rc == CDC_OK && p.l.kind == CDC_SQL_OPEN)
		rc = fail(&p, "a quote is not closed");
	cdc_buf_free(&p.text);
	return rc;
}

void cdc_ddl_free(struct cdc_ddl *ddl)
{
	free(ddl->table);
	cdc_arena_free(&ddl->arena);
	memset(ddl, 0, sizeof(*ddl));
}

const struct cdc_ddl_table *cdc_ddl_find(const struct cdc_ddl *ddl, struct cdc_str db,
					 struct cdc_str name)
{
	for (uint32_t i = ddl->n; i-- > 0;) {
		const struct cdc_ddl_table *t = &ddl->table[i];

		if (cdc_str_eq(t->name, name) && (db.n == 0 || cdc_str_eq(t->db, db)))
			return t;
	}
	return NULL;
}

#define ANY_TABLE "*"

/* Does the text begin with this word, as a statement does? A column may be called user. */
static bool begins_with(const char *text, const char *word)
{
	size_t n = strlen(word);

	return strncasecmp(text, word, n) == 0 && strchr(" \t\r\n`/", text[n]) && text[n];
}

int cdc_ddl_given(struct cdc_ddl *ddl, const char *text, struct cdc_err *err)
{
	struct cdc_buf statement = CDC_BUF_INIT;
	int rc;

	if (!text)
		return CDC_OK;
	text += strspn(text, " \t\r\n");
	if (begins_with(text, "create") || begins_with(text, "use") || text[0] == '-' ||
	    text[0] == '/' || text[0] == '#')
		rc = cdc_buf_puts(&statement, text, err);
	else
		rc = cdc_buf_printf(&statement, err, "CREATE TABLE `" ANY_TABLE "` (%s)", text);
	if (rc == CDC_OK)
		rc = cdc_ddl_parse(ddl, cdc_buf_str(&statement), err);
	if (rc == CDC_OK && ddl->n == 0)
		rc = cdc_fail(err, CDC_EDATA, "it has no CREATE TABLE");
	if (rc == CDC_EDATA) {
		err->code = rc = CDC_EUSAGE;
		cdc_err_prefix(err, "--schema");
	}
	cdc_buf_free(&statement);
	return rc;
}

const struct cdc_ddl_table *cdc_ddl_find_given(const struct cdc_ddl *ddl, struct cdc_str db,
					       struct cdc_str name)
{
	for (uint32_t i = ddl->n; i-- > 0;) {
		const struct cdc_ddl_table *t = &ddl->table[i];

		if (cdc_str_eq(t->name, name) &&
		    (t->db.n == 0 || db.n == 0 || cdc_str_eq(t->db, db)))
			return t;
	}
	return cdc_ddl_find(ddl, CDC_STR(""), CDC_STR(ANY_TABLE));
}
