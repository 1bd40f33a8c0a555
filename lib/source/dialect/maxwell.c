/*
 * Format maxwell: JSON of Zendesk's Maxwell (spec section 3). A message is one row, typed JSON
 * values; column types are told only by the statements of tables, where these are in the stream.
 */
#include "source/dialect/json_in.h"
#include "source/mysql/mysql_type.h"
#include "source/value/value_text.h"

#include <stdlib.h>
#include <strings.h>

enum member {
	DATABASE,
	TABLE,
	TYPE,
	TS,
	XID,
	XOFFSET,
	COMMIT,
	POSITION,
	GTID,
	SERVER_ID,
	THREAD_ID,
	SCHEMA_ID,
	PRIMARY_KEY_COLUMNS,
	DATA,
	OLD,
	DEF,
	SQL,
	ENCRYPTED,
	REASON,
	MEMBERS
};

static const struct cdc_str members[MEMBERS] = {
	[DATABASE] = { "database", 8 },
	[TABLE] = { "table", 5 },
	[TYPE] = { "type", 4 },
	[TS] = { "ts", 2 },
	[XID] = { "xid", 3 },
	[XOFFSET] = { "xoffset", 7 },
	[COMMIT] = { "commit", 6 },
	[POSITION] = { "position", 8 },
	[GTID] = { "gtid", 4 },
	[SERVER_ID] = { "server_id", 9 },
	[THREAD_ID] = { "thread_id", 9 },
	[SCHEMA_ID] = { "schema_id", 9 },
	[PRIMARY_KEY_COLUMNS] = { "primary_key_columns", 19 },
	[DATA] = { "data", 4 },
	[OLD] = { "old", 3 },
	[DEF] = { "def", 3 },
	[SQL] = { "sql", 3 },
	[ENCRYPTED] = { "encrypted", 9 },
	[REASON] = { "reason", 6 },
};

/* What else a message tells goes into extraTags under its own name. */
static const enum member tags[] = { XID,  XOFFSET,   COMMIT,	POSITION,
				    GTID, SERVER_ID, THREAD_ID, SCHEMA_ID };

enum kind { ROW_INSERT, ROW_UPDATE, ROW_DELETE, ROW_INIT, MARK, STATEMENT };

static const struct {
	const char *name;
	enum kind kind;
} types[] = {
	{ "insert", ROW_INSERT },	  { "update", ROW_UPDATE },
	{ "delete", ROW_DELETE },	  { "bootstrap-insert", ROW_INIT },
	{ "bootstrap-start", MARK },	  { "bootstrap-complete", MARK },
	{ "database-create", STATEMENT }, { "database-alter", STATEMENT },
	{ "database-drop", STATEMENT },	  { "table-create", STATEMENT },
	{ "table-alter", STATEMENT },	  { "table-drop", STATEMENT },
};

struct maxwell {
	struct cdc_json_in j;
	uint32_t tok[MEMBERS];
	struct cdc_tape key; /* of a message's key */
	struct cdc_buf name; /* there, without escapes */
};

static void maxwell_close(void *ctx)
{
	struct maxwell *d = ctx;

	cdc_json_in_free(&d->j);
	cdc_tape_free(&d->key);
	cdc_buf_free(&d->name);
	free(d);
}

static int maxwell_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct maxwell *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return cdc_fail_nomem(err);
	rc = cdc_json_in_init(&d->j, s, CDC_STR("MySQL"), err);
	if (rc < 0)
		maxwell_close(d);
	else
		*ctx = d;
	return rc;
}

static bool is_a(const struct maxwell *d, uint32_t i, enum cdc_json_type type)
{
	return cdc_json_in_is(&d->j, i, type);
}

static struct cdc_str raw(const struct maxwell *d, uint32_t i)
{
	return cdc_json_in_raw(&d->j, i);
}

static bool is_known(const struct maxwell *d, enum kind *kind)
{
	struct cdc_str type = raw(d, d->tok[TYPE]);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (cdc_str_eqz(type, types[i].name)) {
			*kind = types[i].kind;
			return true;
		}
	}
	return false;
}

/* TiCDC has many types of statements ("create view"): their text tells what they are. */
static bool kind_of(const struct maxwell *d, enum kind *kind)
{
	if (is_known(d, kind))
		return true;
	*kind = STATEMENT;
	return is_a(d, d->tok[SQL], CDC_JSON_STRING);
}

/* --- times -------------------------------------------------------------- */

/*
 * TiDB's clock, which statements of TiCDC have: milliseconds, and a counter of 18 bits. From 2015,
 * when TiDB began, to 2099 it is no date in milliseconds, and one before 2004 in nanoseconds.
 */
#define TSO_PER_MS (INT64_C(1) << 18)
#define TSO_MIN (INT64_C(1420070400000) * TSO_PER_MS)
#define TSO_END (INT64_C(4102444800000) * TSO_PER_MS)

static bool tso_of(const struct maxwell *d, int64_t *tso)
{
	uint32_t i = d->tok[TS];

	return i != CDC_JSON_NONE && cdc_json_int64(&d->j.tape, i, tso) && *tso >= TSO_MIN &&
	       *tso < TSO_END;
}

static bool time_of(const struct maxwell *d, int64_t unit_us, int64_t *us)
{
	int64_t v;
	uint32_t i = d->tok[TS];

	if (tso_of(d, &v)) {
		*us = v / TSO_PER_MS * 1000;
		return true;
	}
	if (i == CDC_JSON_NONE || !cdc_json_int64(&d->j.tape, i, &v))
		return false;
	/* What is no time is told where it is printed. */
	if (__builtin_mul_overflow(v, unit_us, us))
		*us = INT64_MAX;
	return true;
}

/* --- columns ------------------------------------------------------------ */

/* Is the type all there? No digits of a decimal are told, and by TiCDC no signs of integers. */
static bool is_exact(enum cdc_mysql_kind kind, uint32_t sign)
{
	return kind != CDC_MYSQL_DECIMAL && (kind != CDC_MYSQL_INTEGER || sign != CDC_JSON_NONE);
}

/* TiCDC calls columns of doubles float too: a double holds the values of both. */
static struct cdc_str spelled_type(struct maxwell *d, uint32_t type)
{
	struct cdc_str s = cdc_json_in_text(&d->j, type);
	int64_t tso;

	return cdc_str_eqz(s, "float") && tso_of(d, &tso) ? CDC_STR("double") : s;
}

/* A column's arg: TiCDC has JSON as the text of it, where Maxwell has the value itself. */
#define OF_TICDC 1u

/* "int", signed false -> "int unsigned", into the scratch arena. */
static int column_type(struct maxwell *d, uint32_t def, struct cdc_change_column *col,
		       struct cdc_err *err)
{
	uint32_t type = cdc_json_get(&d->j.tape, def, "type");
	uint32_t sign = cdc_json_get(&d->j.tape, def, "signed");
	struct cdc_buf name = CDC_BUF_INIT, spelled = CDC_BUF_INIT;
	enum cdc_mysql_kind kind;
	int64_t tso;
	char *p, *q;
	int rc;

	if (!is_a(d, type, CDC_JSON_STRING))
		return cdc_fail(err, CDC_EDATA, "a column without type in def");
	rc = cdc_buf_put(&spelled, spelled_type(d, type), err);
	if (rc == CDC_OK && is_a(d, sign, CDC_JSON_FALSE))
		rc = cdc_buf_puts(&spelled, " unsigned", err);
	if (rc == CDC_OK)
		rc = cdc_mysql_type(cdc_buf_str(&spelled), &name, &kind, err);
	if (rc == CDC_OK) {
		p = cdc_arena_dup(&d->j.scratch, spelled.p, spelled.len);
		q = cdc_arena_dup(&d->j.scratch, name.p, name.len);
		col->source_type = cdc_str(p, is_exact(kind, sign) ? spelled.len : 0);
		col->type = cdc_str(q, name.len);
		col->as = (uint8_t)kind;
		col->arg = tso_of(d, &tso) ? OF_TICDC : 0;
		if (!p || !q)
			rc = cdc_fail_nomem(err);
	}
	cdc_buf_free(&name);
	cdc_buf_free(&spelled);
	return rc;
}

/* The table as a statement leaves it. */
static int define_by_statement(struct maxwell *d, struct cdc_change_table *t, struct cdc_err *err)
{
	uint32_t list = cdc_json_get(&d->j.tape, d->tok[DEF], "columns");
	uint32_t pk = cdc_json_get(&d->j.tape, d->tok[DEF], "primary-key");
	struct cdc_change_column *col;
	struct cdc_str *key;
	size_t n = 0, n_key;
	int rc;

	t->defined = false;
	if (!is_a(d, list, CDC_JSON_ARRAY))
		return CDC_OK;
	cdc_arena_reset(&d->j.scratch);
	col = cdc_arena_calloc(&d->j.scratch, cdc_json_in_tok(&d->j, list)->count + 1u,
			       sizeof(*col));
	if (!col)
		return cdc_fail_nomem(err);
	rc = cdc_json_in_names(&d->j, pk, &key, &n_key, err);
	for (uint32_t i = cdc_json_first(&d->j.tape, list); rc == CDC_OK && i != CDC_JSON_NONE;
	     i = cdc_json_after(&d->j.tape, list, i), n++) {
		uint32_t name = cdc_json_get(&d->j.tape, i, "name");

		if (!is_a(d, name, CDC_JSON_STRING))
			return cdc_fail(err, CDC_EDATA, "a column without name in def");
		rc = cdc_json_string(&d->j.tape, name, &d->j.scratch, &col[n].name, err);
		if (rc == CDC_OK)
			rc = column_type(d, i, &col[n], err);
	}
	if (rc == CDC_OK)
		rc = cdc_change_define(&d->j.c, t, CDC_STR(""), col, n, key, n_key, err);
	return rc;
}

/* A name in a message's key, until the next call; there is room for it. */
static struct cdc_str name_in_key(struct maxwell *d, uint32_t k)
{
	struct cdc_str s = cdc_json_raw(&d->key, k);

	return d->key.tok[k].escaped ? cdc_str(d->name.p, cdc_json_unescape(s, d->name.p)) : s;
}

/* A column of the key by its name in a message's key, where names are in lower case. */
static bool add_key(const struct cdc_change_column *col, size_t n, struct cdc_str name,
		    struct cdc_str *key, size_t *n_key)
{
	for (size_t i = 0; i < n; i++) {
		if (col[i].name.n == name.n && strncasecmp(col[i].name.p, name.p, name.n) == 0) {
			key[(*n_key)++] = col[i].name;
			return true;
		}
	}
	return false;
}

/* {"database":"shop","table":"sales","pk.id":1,"pk.at":…}: true for a member that fits. */
static bool key_of_hash(struct maxwell *d, const struct cdc_change_column *col, size_t n,
			struct cdc_str *key, size_t *n_key)
{
	for (uint32_t k = cdc_json_first(&d->key, 0); k != CDC_JSON_NONE;
	     k = cdc_json_after(&d->key, 0, k)) {
		struct cdc_str name = name_in_key(d, k);

		if (name.n > 3 && memcmp(name.p, "pk.", 3) == 0 &&
		    !add_key(col, n, cdc_str(name.p + 3, name.n - 3), key, n_key))
			return false;
	}
	return true;
}

/* ["shop","sales",[{"id":1},{"at":…}]] */
static bool key_of_array(struct maxwell *d, const struct cdc_change_column *col, size_t n,
			 struct cdc_str *key, size_t *n_key)
{
	uint32_t list = 3;

	if (d->key.tok[0].count != 3 || d->key.tok[1].type != CDC_JSON_STRING ||
	    d->key.tok[2].type != CDC_JSON_STRING || d->key.tok[list].type != CDC_JSON_ARRAY)
		return false;
	for (uint32_t i = cdc_json_first(&d->key, list); i != CDC_JSON_NONE;
	     i = cdc_json_after(&d->key, list, i)) {
		if (d->key.tok[i].type != CDC_JSON_OBJECT || d->key.tok[i].count != 1 ||
		    !add_key(col, n, name_in_key(d, cdc_json_first(&d->key, i)), key, n_key))
			return false;
	}
	return true;
}

/* The key's columns by the message's key; a key of another form tells none. */
static int key_of_message(struct maxwell *d, const struct cdc_message *m,
			  const struct cdc_change_column *col, size_t n, struct cdc_str **key,
			  size_t *n_key, struct cdc_err *err)
{
	struct cdc_err ignored = CDC_ERR_INIT;
	bool fits = false;
	int rc;

	*n_key = 0;
	if (!m->has_key || m->key.n == 0)
		return CDC_OK;
	rc = cdc_json_scan(&d->key, m->key, NULL, &ignored);
	if (rc == CDC_ENOMEM)
		return cdc_fail_nomem(err);
	if (rc != CDC_OK)
		return CDC_OK;
	*key = cdc_arena_calloc(&d->j.scratch, d->key.n + 1u, sizeof(**key));
	if (!*key)
		return cdc_fail_nomem(err);
	rc = cdc_buf_reserve(&d->name, m->key.n, err);
	if (rc < 0)
		return rc;
	if (d->key.tok[0].type == CDC_JSON_OBJECT)
		fits = key_of_hash(d, col, n, *key, n_key);
	else if (d->key.tok[0].type == CDC_JSON_ARRAY)
		fits = key_of_array(d, col, n, *key, n_key);
	*n_key = fits ? *n_key : 0;
	return CDC_OK;
}

/* Names of `row` that the table does not have. */
static int add_names(struct maxwell *d, struct cdc_change_table *t, uint32_t row,
		     struct cdc_change_column *col, size_t *n, struct cdc_err *err)
{
	uint32_t hint = 0;

	for (uint32_t k = cdc_json_first(&d->j.tape, row); k != CDC_JSON_NONE;
	     k = cdc_json_after(&d->j.tape, row, k)) {
		int rc;

		if (t->defined && cdc_json_in_column(&d->j, t, k, &hint))
			continue;
		if (*n >= CDC_CHANGE_COLUMNS_MAX)
			return cdc_fail(err, CDC_EDATA, "a row has too many columns");
		rc = cdc_json_string(&d->j.tape, k, &d->j.scratch, &col[(*n)++].name, err);
		if (rc < 0)
			return rc;
	}
	return CDC_OK;
}

/* A row with columns that are not known yet, or with another key: they are added. */
static int define_by_row(struct maxwell *d, struct cdc_change_table *t, uint32_t row,
			 const struct cdc_message *m, struct cdc_err *err)
{
	uint32_t pk = d->tok[PRIMARY_KEY_COLUMNS];
	uint32_t known = t->defined ? t->n : 0;
	struct cdc_change_column *col;
	struct cdc_str *key;
	size_t n = known, n_key;
	int rc;

	cdc_arena_reset(&d->j.scratch);
	col = cdc_arena_calloc(&d->j.scratch,
			       (size_t)known + cdc_json_in_tok(&d->j, row)->count + 1,
			       sizeof(*col));
	if (!col)
		return cdc_fail_nomem(err);
	for (uint32_t i = 0; i < known; i++)
		col[i] = t->col[i];
	rc = add_names(d, t, row, col, &n, err);
	if (rc < 0)
		return rc;
	rc = cdc_json_in_names(&d->j, pk, &key, &n_key, err);
	/* Without primary_key_columns the key that is known stays. */
	if (rc == CDC_OK && pk == CDC_JSON_NONE && t->defined && t->n_key) {
		key = t->key;
		n_key = t->n_key;
	} else if (rc == CDC_OK && pk == CDC_JSON_NONE) {
		rc = key_of_message(d, m, col, n, &key, &n_key, err);
	}
	return rc < 0 ? rc : cdc_change_define(&d->j.c, t, raw(d, pk), col, n, key, n_key, err);
}

/* --- values ------------------------------------------------------------- */

/* SET is an array of names; so may a JSON column's value be: the type must be known. */
static void put_set(struct maxwell *d, uint32_t array)
{
	struct cdc_out *o = &d->j.s->out;
	bool first = true;

	cdc_out_char(o, '"');
	for (uint32_t i = cdc_json_first(&d->j.tape, array); i != CDC_JSON_NONE;
	     i = cdc_json_after(&d->j.tape, array, i)) {
		if (!first)
			cdc_out_char(o, ',');
		first = false;
		cdc_out_text(o, cdc_json_in_text(&d->j, i));
	}
	cdc_out_char(o, '"');
}

static void put_value(struct maxwell *d, const struct cdc_change_column *col, uint32_t i)
{
	struct cdc_out *o = &d->j.s->out;
	const struct cdc_json_tok *t = cdc_json_in_tok(&d->j, i);
	struct cdc_str s;

	if (t->type == CDC_JSON_NULL) {
		cdc_out_lit(o, "null");
		return;
	}
	if (t->type == CDC_JSON_ARRAY && col->as == CDC_MYSQL_SET) {
		put_set(d, i);
		return;
	}
	/* A string is a JSON value like others, of which the quotes are a part. */
	if (t->type == CDC_JSON_STRING && col->as == CDC_MYSQL_JSON && col->arg != OF_TICDC) {
		cdc_out_quoted(o, cdc_json_source(&d->j.tape, i));
		return;
	}
	s = cdc_json_in_text(&d->j, i);
	switch ((enum cdc_mysql_kind)col->as) {
	case CDC_MYSQL_FLOAT:
		cdc_text_float_or_double(o, s);
		break;
	case CDC_MYSQL_DOUBLE:
		cdc_text_float(o, s, false);
		break;
	case CDC_MYSQL_DECIMAL:
		cdc_text_decimal(o, s);
		break;
	case CDC_MYSQL_DATE:
		cdc_text_date(o, s);
		break;
	case CDC_MYSQL_TIME:
		cdc_text_time(o, s);
		break;
	case CDC_MYSQL_DATETIME:
		cdc_text_datetime(o, s);
		break;
	case CDC_MYSQL_TIMESTAMP:
		cdc_text_instant(o, s, d->j.s->opt.zone);
		break;
	/* Binary is base64 already, a geometry well-known text, the others names and digits. */
	case CDC_MYSQL_TEXT:
	case CDC_MYSQL_INTEGER:
	case CDC_MYSQL_BIT:
	case CDC_MYSQL_YEAR:
	case CDC_MYSQL_ENUM:
	case CDC_MYSQL_SET:
	case CDC_MYSQL_JSON:
	case CDC_MYSQL_BINARY:
	case CDC_MYSQL_GEOMETRY:
		cdc_out_quoted(o, s);
		break;
	}
}

/*
 * A column that old has and data has not became null: Maxwell told to leave out nulls
 * (output_nulls=false) writes it so.
 */
static void put_after(struct maxwell *d, const struct cdc_change_table *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		if (d->j.value[i] == CDC_JSON_NONE && d->j.old[i] == CDC_JSON_NONE)
			continue;
		cdc_change_value(&d->j.c, &t->col[i]);
		if (d->j.value[i] == CDC_JSON_NONE)
			cdc_out_lit(&d->j.s->out, "null");
		else
			put_value(d, &t->col[i], d->j.value[i]);
	}
}

static void put_image(struct maxwell *d, const struct cdc_change_table *t, const uint32_t *over)
{
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t tok = over && over[i] != CDC_JSON_NONE ? over[i] : d->j.value[i];

		if (tok == CDC_JSON_NONE)
			continue;
		cdc_change_value(&d->j.c, &t->col[i]);
		put_value(d, &t->col[i], tok);
	}
}

/* --- records ------------------------------------------------------------ */

static void put_tags(void *ctx)
{
	struct maxwell *d = ctx;

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		uint32_t tok = d->tok[tags[i]];

		if (is_a(d, tok, CDC_JSON_NUMBER) || is_a(d, tok, CDC_JSON_STRING) ||
		    is_a(d, tok, CDC_JSON_TRUE))
			cdc_change_tag_raw(&d->j.c, members[tags[i]], raw(d, tok));
	}
}

/* *unknown: the object of the two that has a column which the table has not, or CDC_JSON_NONE. */
static int read_images(struct maxwell *d, struct cdc_change_table *t, uint32_t *unknown,
		       struct cdc_err *err)
{
	const uint32_t row[] = { d->tok[DATA], d->tok[OLD] };
	int rc = cdc_json_in_reset(&d->j, t, err);

	*unknown = CDC_JSON_NONE;
	for (unsigned i = 0; rc == CDC_OK && i < 2; i++) {
		uint32_t name;

		if (!is_a(d, row[i], CDC_JSON_OBJECT))
			continue;
		rc = cdc_json_in_row(&d->j, t, row[i], NULL, i ? d->j.old : d->j.value, &name, err);
		if (rc == CDC_OK && name != CDC_JSON_NONE) {
			*unknown = row[i];
			break;
		}
	}
	return rc;
}

/* TiCDC's deletes have their row in old. */
static void take_deleted(struct maxwell *d)
{
	if (d->tok[DATA] == CDC_JSON_NONE) {
		d->tok[DATA] = d->tok[OLD];
		d->tok[OLD] = CDC_JSON_NONE;
	}
}

static int put_row(struct maxwell *d, struct cdc_change_table *t, enum kind kind,
		   const struct cdc_message *m, struct cdc_err *err)
{
	static const char *const names[] = { "INSERT", "UPDATE", "DELETE", "INIT" };
	uint32_t pk = d->tok[PRIMARY_KEY_COLUMNS], unknown = CDC_JSON_NONE;
	int64_t us = 0;
	bool timed;
	int rc = CDC_OK;

	if (kind == ROW_DELETE)
		take_deleted(d);
	if (!is_a(d, d->tok[DATA], CDC_JSON_OBJECT))
		return cdc_fail(err, CDC_EDATA, "a row without data");
	if (!t->defined || (pk != CDC_JSON_NONE && t->shape.len &&
			    !cdc_str_eq(cdc_buf_str(&t->shape), raw(d, pk))))
		rc = define_by_row(d, t, d->tok[DATA], m, err);
	if (rc == CDC_OK)
		rc = read_images(d, t, &unknown, err);
	while (rc == CDC_OK && unknown != CDC_JSON_NONE) {
		rc = define_by_row(d, t, unknown, m, err);
		if (rc == CDC_OK)
			rc = read_images(d, t, &unknown, err);
	}
	if (rc < 0)
		return rc;
	timed = time_of(d, 1000000, &us);
	cdc_change_begin(&d->j.c, t, names[kind], cdc_change_id(&d->j.c, m), timed, us);
	put_tags(d);
	cdc_change_images(&d->j.c, t);
	if (kind == ROW_UPDATE)
		put_image(d, t, d->j.old);
	else if (kind == ROW_DELETE)
		put_image(d, t, NULL);
	cdc_change_after(&d->j.c);
	if (kind == ROW_UPDATE)
		put_after(d, t);
	else if (kind != ROW_DELETE)
		put_image(d, t, NULL);
	return cdc_change_end(&d->j.c, m, err);
}

/* Maxwell tells of no TRUNCATE TABLE, but TiCDC does. */
static int put_truncate(struct maxwell *d, bool timed, int64_t us, struct cdc_str sql,
			const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_json_row as = { .has_time = timed, .time_us = us, .ctx = d, .tags = put_tags };

	return cdc_json_in_truncate(&d->j, &as, sql, d->tok[DATABASE], m, err);
}

static int put_statement(struct maxwell *d, struct cdc_change_table *t, const struct cdc_message *m,
			 struct cdc_err *err)
{
	struct cdc_str sql = CDC_STR("");
	int64_t us = 0;
	bool timed = time_of(d, 1000, &us);
	int rc;

	cdc_change_begin_named(&d->j.c, cdc_buf_str(&t->name), "DDL", cdc_change_id(&d->j.c, m),
			       timed, us);
	put_tags(d);
	if (is_a(d, d->tok[SQL], CDC_JSON_STRING))
		sql = cdc_json_in_text(&d->j, d->tok[SQL]);
	cdc_change_ddl(&d->j.c, sql);
	rc = cdc_change_end(&d->j.c, m, err);
	if (rc == CDC_OK)
		rc = put_truncate(d, timed, us, sql, m, err);
	return rc < 0 ? rc : define_by_statement(d, t, err);
}

/* --- messages ----------------------------------------------------------- */

/* The next object of a message; TiCDC puts several there, one behind the other. */
static int scan(struct maxwell *d, struct cdc_str *rest, struct cdc_err *err)
{
	size_t used;
	int rc = cdc_json_scan(&d->j.tape, *rest, &used, err);

	if (rc != CDC_OK)
		return rc;
	if (!is_a(d, 0, CDC_JSON_OBJECT))
		return cdc_fail(err, CDC_EDATA, "not a JSON object");
	cdc_json_members(&d->j.tape, 0, members, MEMBERS, d->tok);
	*rest = cdc_str(rest->p + used, rest->n - used);
	return CDC_OK;
}

static int put_object(struct maxwell *d, const struct cdc_message *m, struct cdc_err *err)
{
	uint32_t part[] = { d->tok[DATABASE], d->tok[TABLE] };
	struct cdc_change_table *t;
	enum kind kind;
	int rc;

	if (d->tok[REASON] != CDC_JSON_NONE && d->tok[TYPE] == CDC_JSON_NONE)
		return cdc_fail(err, CDC_EDATA, "a row that Maxwell could not send");
	if (d->tok[ENCRYPTED] != CDC_JSON_NONE)
		return cdc_fail(err, CDC_EDATA, "an encrypted row");
	if (!is_a(d, d->tok[TYPE], CDC_JSON_STRING))
		return cdc_fail(err, CDC_EDATA, "not a Maxwell message: it has no type");
	if (!kind_of(d, &kind)) {
		struct cdc_str type = raw(d, d->tok[TYPE]);

		return cdc_fail(err, CDC_EDATA, "unknown type %.*s",
				(int)(type.n < 40 ? type.n : 40), type.p);
	}
	if (!is_a(d, part[0], CDC_JSON_STRING) ||
	    (kind != STATEMENT && !is_a(d, part[1], CDC_JSON_STRING)))
		return cdc_fail(err, CDC_EDATA, "a message without database and table");
	if (part[1] != CDC_JSON_NONE && !is_a(d, part[1], CDC_JSON_STRING))
		return cdc_fail(err, CDC_EDATA, "table is no string");
	/* So TiCDC names no table. */
	if (kind == STATEMENT && raw(d, part[1]).n == 0)
		part[1] = CDC_JSON_NONE;
	rc = cdc_json_in_table(&d->j, part, 2, &t, err);
	if (rc < 0)
		return rc;
	if (kind == MARK || !cdc_source_keeps(d->j.s, t->name.p, part[1] == CDC_JSON_NONE)) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	if (kind == STATEMENT)
		return put_statement(d, t, m, err);
	return put_row(d, t, kind, m, err);
}

static int maxwell_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_str rest = m->value;
	struct maxwell *d = ctx;
	int rc = CDC_OK;

	cdc_change_message(&d->j.c);
	if (m->is_null || cdc_source_blank(rest)) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	while (rc == CDC_OK && rest.n) {
		rc = scan(d, &rest, err);
		if (rc == CDC_OK)
			rc = put_object(d, m, err);
	}
	return rc;
}

static void maxwell_rejected(void *ctx)
{
	struct maxwell *d = ctx;

	cdc_change_rejected(&d->j.c);
}

/* A type that only Maxwell has, with a row or a definition. */
static bool has_marks(struct maxwell *d)
{
	enum kind kind;

	/* Canal has a text as well, but no definition. */
	if (!is_known(d, &kind))
		return is_a(d, d->tok[DEF], CDC_JSON_OBJECT) && kind_of(d, &kind);
	if (kind == ROW_DELETE)
		take_deleted(d);
	return is_a(d, d->tok[DATA], CDC_JSON_OBJECT) || d->tok[DEF] != CDC_JSON_NONE ||
	       d->tok[SQL] != CDC_JSON_NONE || d->tok[ENCRYPTED] != CDC_JSON_NONE;
}

static enum cdc_fit maxwell_probe(void *ctx, const struct cdc_message *m)
{
	struct cdc_err ignored = CDC_ERR_INIT;
	struct cdc_str rest = m->value;
	struct maxwell *d = ctx;

	if (scan(d, &rest, &ignored) != CDC_OK || !is_a(d, d->tok[DATABASE], CDC_JSON_STRING) ||
	    !has_marks(d))
		return CDC_FIT_NO;
	/* Framing json has a message for each object, if these are no message together. */
	return rest.n ? CDC_FIT_WEAK : CDC_FIT_YES;
}

const struct cdc_format cdc_format_maxwell = {
	.name = "maxwell",
	.text = true,
	.open = maxwell_open,
	.close = maxwell_close,
	.message = maxwell_message,
	.rejected = maxwell_rejected,
	.probe = maxwell_probe,
};
