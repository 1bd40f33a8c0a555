/*
 * Format canal: FlatMessage JSON of Alibaba's Canal (spec section 2), which Alibaba Cloud DTS and
 * TiCDC write as well. A message is one row event: `data` and `old` hold its rows, `mysqlType` the
 * columns.
 */
#include "source/dialect/json_in.h"
#include "source/mysql/mysql_value.h"

#include "base/value.h"

#include <stdlib.h>

enum member {
	DATA,
	DATABASE,
	ES,
	ID,
	IS_DDL,
	MYSQL_TYPE,
	OLD,
	PK_NAMES,
	SQL,
	SQL_TYPE,
	TABLE,
	TIDB,
	TS,
	TYPE,
	GTID,
	MEMBERS
};

/* In the order that Canal's own serializer prints them. */
static const struct cdc_str members[MEMBERS] = {
	[DATA] = { "data", 4 },	   [DATABASE] = { "database", 8 },
	[ES] = { "es", 2 },	   [ID] = { "id", 2 },
	[IS_DDL] = { "isDdl", 5 }, [MYSQL_TYPE] = { "mysqlType", 9 },
	[OLD] = { "old", 3 },	   [PK_NAMES] = { "pkNames", 7 },
	[SQL] = { "sql", 3 },	   [SQL_TYPE] = { "sqlType", 7 },
	[TABLE] = { "table", 5 },  [TIDB] = { "_tidb", 5 },
	[TS] = { "ts", 2 },	   [TYPE] = { "type", 4 },
	[GTID] = { "gtid", 4 },
};

enum row_type { ROW_INSERT, ROW_UPDATE, ROW_DELETE, ROW_INIT };

struct canal {
	struct cdc_json_in j;
	uint32_t tok[MEMBERS];
	struct cdc_buf shape;
};

static void canal_close(void *ctx)
{
	struct canal *d = ctx;

	cdc_json_in_free(&d->j);
	cdc_buf_free(&d->shape);
	free(d);
}

static int canal_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct canal *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return cdc_fail_nomem(err);
	rc = cdc_json_in_init(&d->j, s, CDC_STR("MySQL"), err);
	if (rc < 0)
		canal_close(d);
	else
		*ctx = d;
	return rc;
}

static bool is_a(const struct canal *d, uint32_t i, enum cdc_json_type type)
{
	return cdc_json_in_is(&d->j, i, type);
}

static struct cdc_str raw(const struct canal *d, uint32_t i)
{
	return cdc_json_in_raw(&d->j, i);
}

/* --- the table ---------------------------------------------------------- */

/* A member of mysqlType as a column. */
static int column(struct canal *d, uint32_t key, struct cdc_change_column *col, struct cdc_err *err)
{
	int rc = cdc_json_string(&d->j.tape, key, &d->j.scratch, &col->name, err);

	if (rc < 0)
		return rc;
	if (cdc_json_in_tok(&d->j, key + 1)->type != CDC_JSON_STRING)
		return cdc_fail(err, CDC_EDATA, "mysqlType of a column is no string");
	rc = cdc_json_string(&d->j.tape, key + 1, &d->j.scratch, &col->source_type, err);
	return rc < 0 ? rc : cdc_mysql_column(col, &d->j.scratch, err);
}

/* Columns of a row without types: only their names are known. */
static int bare_column(struct canal *d, uint32_t key, struct cdc_change_column *col,
		       struct cdc_err *err)
{
	col->as = CDC_MYSQL_TEXT;
	return cdc_json_string(&d->j.tape, key, &d->j.scratch, &col->name, err);
}

/* TiCDC prints mysqlType in no order: a row that has all columns has the table's. */
static void order_by_row(struct canal *d, uint32_t row, struct cdc_change_column *col, size_t n)
{
	size_t at = 0;

	if (cdc_json_in_tok(&d->j, row)->count != n)
		return;
	for (uint32_t k = cdc_json_first(&d->j.tape, row); k != CDC_JSON_NONE;
	     k = cdc_json_after(&d->j.tape, row, k), at++) {
		struct cdc_change_column found;
		size_t i = at;

		while (i < n && !cdc_json_is(&d->j.tape, k, col[i].name))
			i++;
		if (i >= n)
			return;
		found = col[i];
		memmove(&col[at + 1], &col[at], (i - at) * sizeof(*col));
		col[at] = found;
	}
}

/* `types`: mysqlType, or the row when there is none. */
static int define(struct canal *d, struct cdc_change_table *t, uint32_t types, uint32_t row,
		  struct cdc_err *err)
{
	bool typed = types == d->tok[MYSQL_TYPE];
	struct cdc_change_column *col;
	struct cdc_str *key;
	size_t n = 0, n_key;
	int rc;

	cdc_arena_reset(&d->j.scratch);
	col = cdc_arena_calloc(&d->j.scratch, cdc_json_in_tok(&d->j, types)->count + 1u,
			       sizeof(*col));
	if (!col)
		return cdc_fail_nomem(err);
	rc = cdc_json_in_names(&d->j, d->tok[PK_NAMES], &key, &n_key, err);
	for (uint32_t k = cdc_json_first(&d->j.tape, types); rc == CDC_OK && k != CDC_JSON_NONE;
	     k = cdc_json_after(&d->j.tape, types, k)) {
		rc = typed ? column(d, k, &col[n], err) : bare_column(d, k, &col[n], err);
		n++;
	}
	if (rc < 0)
		return rc;
	if (typed)
		order_by_row(d, row, col, n);
	/* Under a minimal row image mysqlType holds the columns of the image only. */
	if (cdc_change_covers(t, col, n, key, n_key)) {
		cdc_buf_reset(&t->shape);
		return cdc_buf_put(&t->shape, cdc_buf_str(&d->shape), err);
	}
	return cdc_change_define(&d->j.c, t, cdc_buf_str(&d->shape), col, n, key, n_key, err);
}

/* What tells that the columns are as before: the bytes of mysqlType and pkNames. */
static int find_shape(struct canal *d, struct cdc_err *err)
{
	uint32_t types = d->tok[MYSQL_TYPE];
	int rc = CDC_OK;

	cdc_buf_reset(&d->shape);
	if (types != CDC_JSON_NONE)
		rc = cdc_buf_put(&d->shape, cdc_json_source(&d->j.tape, types), err);
	if (rc == CDC_OK && d->tok[PK_NAMES] != CDC_JSON_NONE)
		rc = cdc_buf_put(&d->shape, cdc_json_source(&d->j.tape, d->tok[PK_NAMES]), err);
	return rc;
}

static int find_table(struct canal *d, struct cdc_change_table **t, struct cdc_err *err)
{
	const uint32_t part[] = { d->tok[DATABASE], d->tok[TABLE] };

	if (!is_a(d, part[0], CDC_JSON_STRING) || !is_a(d, part[1], CDC_JSON_STRING))
		return cdc_fail(err, CDC_EDATA, "a message without database and table");
	return cdc_json_in_table(&d->j, part, 2, t, err);
}

/* --- values ------------------------------------------------------------- */

static void put_value(struct canal *d, const struct cdc_change_column *col, uint32_t i)
{
	struct cdc_out *o = &d->j.s->out;

	if (is_a(d, i, CDC_JSON_NULL)) {
		cdc_out_lit(o, "null");
		return;
	}
	cdc_mysql_put(o, &d->j.scratch, d->j.s->opt.zone, col, cdc_json_in_text(&d->j, i));
}

/* --- rows --------------------------------------------------------------- */

static void put_image(struct canal *d, struct cdc_change_table *t, const uint32_t *value,
		      const uint32_t *over)
{
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t tok = over && over[i] != CDC_JSON_NONE ? over[i] : value[i];

		if (tok == CDC_JSON_NONE)
			continue;
		cdc_change_value(&d->j.c, &t->col[i]);
		put_value(d, &t->col[i], tok);
	}
}

/* Of a number that is too big for 64 bits: the end that it lies beyond. */
static bool read_integer(struct cdc_str s, int64_t *v)
{
	size_t sign = s.n && s.p[0] == '-';

	for (size_t i = sign; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	if (cdc_int64_parse(s, v) != CDC_PARSE_OK)
		*v = sign ? INT64_MIN : INT64_MAX;
	return true;
}

/* False: the time is not told. One that is no time makes the record fail. */
static bool time_of(const struct canal *d, int64_t *us)
{
	uint32_t i = d->tok[ES];
	int64_t ms;

	if (i == CDC_JSON_NONE)
		return false;
	if (!is_a(d, i, CDC_JSON_NUMBER) || !read_integer(raw(d, i), &ms)) {
		cdc_out_fail(&d->j.s->out, "es is no integer");
		return false;
	}
	/* The record's printer tells what is out of range. */
	*us = ms > INT64_MAX / 1000 ? INT64_MAX : ms < INT64_MIN / 1000 ? INT64_MIN : ms * 1000;
	return true;
}

/* TiCDC's row that was too long for a message: only its key is here. */
static bool is_cut(const struct canal *d)
{
	return is_a(d, d->tok[TIDB], CDC_JSON_OBJECT) &&
	       (is_a(d, cdc_json_get(&d->j.tape, d->tok[TIDB], "onlyHandleKey"), CDC_JSON_TRUE) ||
		is_a(d, cdc_json_get(&d->j.tape, d->tok[TIDB], "claimCheckLocation"),
		     CDC_JSON_STRING));
}

static void put_tags(void *ctx)
{
	struct canal *d = ctx;
	uint32_t commit = cdc_json_get(&d->j.tape, d->tok[TIDB], "commitTs");
	uint32_t claim = cdc_json_get(&d->j.tape, d->tok[TIDB], "claimCheckLocation");

	if (is_a(d, d->tok[ID], CDC_JSON_NUMBER) && !cdc_str_eqz(raw(d, d->tok[ID]), "0"))
		cdc_change_tag_raw(&d->j.c, CDC_STR("id"), raw(d, d->tok[ID]));
	if (is_a(d, d->tok[GTID], CDC_JSON_STRING) && raw(d, d->tok[GTID]).n)
		cdc_change_tag_raw(&d->j.c, CDC_STR("gtid"), raw(d, d->tok[GTID]));
	if (is_a(d, commit, CDC_JSON_NUMBER))
		cdc_change_tag_raw(&d->j.c, CDC_STR("commitTs"), raw(d, commit));
	if (is_a(d, cdc_json_get(&d->j.tape, d->tok[TIDB], "onlyHandleKey"), CDC_JSON_TRUE))
		cdc_change_tag(&d->j.c, CDC_STR("onlyHandleKey"), CDC_STR("true"));
	if (is_a(d, claim, CDC_JSON_STRING))
		cdc_change_tag_raw(&d->j.c, CDC_STR("claimCheckLocation"), raw(d, claim));
}

static int put_row(struct canal *d, struct cdc_change_table *t, enum row_type type,
		   const struct cdc_message *m, struct cdc_err *err)
{
	static const char *const names[] = { "INSERT", "UPDATE", "DELETE", "INIT" };
	int64_t us = 0;
	bool timed = time_of(d, &us);
	/* A row that is not all here must not replace what is stored. */
	bool cut = (type == ROW_INSERT || type == ROW_INIT) && is_cut(d);

	cdc_change_begin(&d->j.c, t, names[cut ? ROW_UPDATE : type], cdc_change_id(&d->j.c, m),
			 timed, us);
	put_tags(d);
	cdc_change_images(&d->j.c, t);
	if (type == ROW_UPDATE)
		put_image(d, t, d->j.value, d->j.old);
	else if (type == ROW_DELETE)
		put_image(d, t, d->j.value, NULL);
	cdc_change_after(&d->j.c);
	if (type != ROW_DELETE)
		put_image(d, t, d->j.value, NULL);
	return cdc_change_end(&d->j.c, m, err);
}

/* Rows are in an array, or one is there by itself. */
static uint32_t first_row(const struct canal *d, uint32_t rows)
{
	if (is_a(d, rows, CDC_JSON_OBJECT))
		return rows;
	return is_a(d, rows, CDC_JSON_ARRAY) ? cdc_json_first(&d->j.tape, rows) : CDC_JSON_NONE;
}

/*
 * Of an update, the first row that `old` has an entry for. Canal leaves out those of rows in which
 * no column changed, and these are the first: what changed in one row counts as changed in all
 * after it.
 */
static uint32_t first_changed(const struct canal *d, uint32_t rows, uint32_t olds)
{
	uint32_t row = first_row(d, rows), n;

	if (!is_a(d, rows, CDC_JSON_ARRAY) || !is_a(d, olds, CDC_JSON_ARRAY))
		return row;
	n = cdc_json_in_tok(&d->j, rows)->count;
	for (; row != CDC_JSON_NONE && n > cdc_json_in_tok(&d->j, olds)->count; n--)
		row = cdc_json_after(&d->j.tape, rows, row);
	return row;
}

static uint32_t next_row(const struct canal *d, uint32_t rows, uint32_t row)
{
	if (row == CDC_JSON_NONE || !is_a(d, rows, CDC_JSON_ARRAY))
		return CDC_JSON_NONE;
	return cdc_json_after(&d->j.tape, rows, row);
}

/* Read a row and what it was. */
static int read_images(struct canal *d, struct cdc_change_table *t, uint32_t row, uint32_t old,
		       struct cdc_err *err)
{
	uint32_t unknown = CDC_JSON_NONE;
	int rc = cdc_json_in_reset(&d->j, t, err);

	if (rc == CDC_OK)
		rc = cdc_json_in_row(&d->j, t, row, NULL, d->j.value, &unknown, err);
	if (rc == CDC_OK && unknown == CDC_JSON_NONE && is_a(d, old, CDC_JSON_OBJECT))
		rc = cdc_json_in_row(&d->j, t, old, NULL, d->j.old, &unknown, err);
	if (rc == CDC_OK && unknown != CDC_JSON_NONE)
		rc = cdc_fail(err, CDC_EDATA,
			      "a row has a column that its message does not define");
	return rc;
}

static int put_rows(struct canal *d, struct cdc_change_table *t, enum row_type type,
		    const struct cdc_message *m, struct cdc_err *err)
{
	/* Some writers of DELETE put the row into `old`. */
	bool in_old = type == ROW_DELETE && d->tok[DATA] == CDC_JSON_NONE;
	uint32_t rows = d->tok[in_old ? OLD : DATA],
		 olds = type == ROW_UPDATE ? d->tok[OLD] : CDC_JSON_NONE;
	uint32_t row = first_row(d, rows), changed = first_changed(d, rows, olds);
	uint32_t old = CDC_JSON_NONE, types = d->tok[MYSQL_TYPE];
	int rc = find_shape(d, err);

	if (rc < 0)
		return rc;
	/* A statement of the old binlog format: its rows are not told. */
	if (row == CDC_JSON_NONE)
		return cdc_fail(err, CDC_EDATA, "a message of rows without rows");
	for (; row != CDC_JSON_NONE; row = next_row(d, rows, row)) {
		old = row == changed ? first_row(d, olds) : next_row(d, olds, old);
		if (!is_a(d, row, CDC_JSON_OBJECT))
			return cdc_fail(err, CDC_EDATA, "a row is no object");
		if (!is_a(d, types, CDC_JSON_OBJECT)) {
			cdc_buf_reset(&d->shape);
			rc = define(d, t, row, row, err);
		} else if (!cdc_change_same(t, cdc_buf_str(&d->shape))) {
			rc = define(d, t, types, row, err);
		}
		if (rc == CDC_OK)
			rc = read_images(d, t, row, old, err);
		if (rc == CDC_OK)
			rc = put_row(d, t, type, m, err);
		if (rc < 0)
			return rc;
	}
	return CDC_OK;
}

/* --- statements --------------------------------------------------------- */

static int put_control(struct canal *d, struct cdc_str name, const char *type, struct cdc_str ddl,
		       const struct cdc_message *m, struct cdc_err *err)
{
	int64_t us = 0;
	bool timed = time_of(d, &us);

	cdc_change_begin_named(&d->j.c, name, type, cdc_change_id(&d->j.c, m), timed, us);
	put_tags(d);
	cdc_change_ddl(&d->j.c, ddl);
	return cdc_change_end(&d->j.c, m, err);
}

/* Told by the type, or by the text alone: Canal does not read all that MySQL does. */
static int put_truncate(struct canal *d, const struct cdc_change_table *t, struct cdc_str sql,
			const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_json_row as = { .ctx = d, .tags = put_tags };

	if (cdc_str_eqz(raw(d, d->tok[TYPE]), "TRUNCATE") && raw(d, d->tok[TABLE]).n)
		return put_control(d, cdc_buf_str(&t->name), "TRUNCATE",
				   (struct cdc_str)CDC_STR_INIT, m, err);
	as.has_time = time_of(d, &as.time_us);
	return cdc_json_in_truncate(&d->j, &as, sql, d->tok[DATABASE], m, err);
}

static int put_statement(struct canal *d, struct cdc_change_table *t, const struct cdc_message *m,
			 struct cdc_err *err)
{
	struct cdc_str name = cdc_buf_str(&t->name), ddl = CDC_STR("");
	bool db_only = raw(d, d->tok[TABLE]).n == 0;
	int rc;

	/* Columns may be others from now on. */
	t->defined = false;
	if (!cdc_source_keeps(d->j.s, t->name.p, db_only)) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	cdc_arena_reset(&d->j.scratch);
	if (is_a(d, d->tok[SQL], CDC_JSON_STRING)) {
		rc = cdc_json_string(&d->j.tape, d->tok[SQL], &d->j.scratch, &ddl, err);
		if (rc < 0)
			return rc;
	}
	rc = put_control(d, name, "DDL", ddl, m, err);
	return rc < 0 ? rc : put_truncate(d, t, ddl, m, err);
}

/* --- messages ----------------------------------------------------------- */

static const struct {
	const char *name;
	enum row_type type;
} row_types[] = {
	{ "INSERT", ROW_INSERT }, { "UPDATE", ROW_UPDATE }, { "DELETE", ROW_DELETE },
	{ "INIT", ROW_INIT },	  { "ROW", ROW_INSERT },
};

/*
 * Marks of a place in the stream, which say nothing of a table. A QUERY that is no DDL is the text
 * of the statement whose rows come next (MariaDB logs it by default, MySQL when told to), or a
 * variable of one that is logged as itself.
 */
static const struct {
	const char *type;
	bool heartbeat;
} marks[] = {
	{ "TIDB_WATERMARK", true }, { "MHEARTBEAT", true }, { "GTID", false },
	{ "XACOMMIT", false },	    { "QUERY", false },
};

static int put_mark(struct canal *d, bool heartbeat, const struct cdc_message *m,
		    struct cdc_err *err)
{
	int64_t us = 0;
	bool timed;

	if (!heartbeat || !d->j.s->opt.control) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	timed = time_of(d, &us);
	return cdc_change_heartbeat(&d->j.c, timed, us, m, err);
}

static int put_message(struct canal *d, const struct cdc_message *m, struct cdc_err *err)
{
	bool is_ddl = is_a(d, d->tok[IS_DDL], CDC_JSON_TRUE);
	struct cdc_str type = raw(d, d->tok[TYPE]);
	struct cdc_change_table *t;
	int rc;

	for (size_t i = 0; !is_ddl && i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (cdc_str_eqz(type, marks[i].type))
			return put_mark(d, marks[i].heartbeat, m, err);
	}
	if (cdc_str_eqz(type, "XAROLLBACK"))
		return cdc_fail(err, CDC_EDATA,
				"an XA transaction is rolled back, whose rows Canal sent when it "
				"was prepared");
	rc = find_table(d, &t, err);
	if (rc < 0)
		return rc;
	if (is_ddl)
		return put_statement(d, t, m, err);
	if (!t->keep) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	for (size_t i = 0; i < sizeof(row_types) / sizeof(row_types[0]); i++) {
		if (cdc_str_eqz(type, row_types[i].name))
			return put_rows(d, t, row_types[i].type, m, err);
	}
	return cdc_fail(err, CDC_EDATA, "unknown type %.*s", (int)(type.n < 40 ? type.n : 40),
			type.p);
}

static int scan(struct canal *d, struct cdc_str text, struct cdc_err *err)
{
	int rc = cdc_json_in_scan(&d->j, text, members, MEMBERS, d->tok, err);

	if (rc == CDC_OK && !is_a(d, d->tok[TYPE], CDC_JSON_STRING))
		rc = cdc_fail(err, CDC_EDATA, "not a Canal message: it has no type");
	return rc;
}

static int canal_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct canal *d = ctx;
	int rc;

	cdc_change_message(&d->j.c);
	if (m->is_null || cdc_source_blank(m->value)) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	rc = scan(d, m->value, err);
	return rc < 0 ? rc : put_message(d, m, err);
}

static void canal_rejected(void *ctx)
{
	struct canal *d = ctx;

	cdc_change_rejected(&d->j.c);
}

/* The members that only Canal has. */
static enum cdc_fit canal_probe(void *ctx, const struct cdc_message *m)
{
	struct canal *d = ctx;
	struct cdc_err ignored = CDC_ERR_INIT;

	if (scan(d, m->value, &ignored) < 0)
		return CDC_FIT_NO;
	return is_a(d, d->tok[DATABASE], CDC_JSON_STRING) &&
			       is_a(d, d->tok[TABLE], CDC_JSON_STRING) &&
			       d->tok[IS_DDL] != CDC_JSON_NONE &&
			       (d->tok[MYSQL_TYPE] != CDC_JSON_NONE ||
				d->tok[SQL] != CDC_JSON_NONE || d->tok[TIDB] != CDC_JSON_NONE)
		       ? CDC_FIT_YES
		       : CDC_FIT_NO;
}

const struct cdc_format cdc_format_canal = {
	.name = "canal",
	.text = true,
	.open = canal_open,
	.close = canal_close,
	.message = canal_message,
	.rejected = canal_rejected,
	.probe = canal_probe,
};
