/* What is known of a table: its map, CREATE TABLE statements, and the SCHEMA record of both. */
#include "source/binlog/binlog_int.h"

#include "source/mysql/mysql_type.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* Bytes of a character at most; 0: not known. */
static unsigned character_bytes(const char *charset)
{
	static const struct {
		const char *name;
		unsigned bytes;
	} sets[] = {
		{ "utf8mb4", 4 }, { "utf8", 3 },    { "latin1", 1 },  { "ascii", 1 },
		{ "binary", 1 },  { "gbk", 2 },	    { "gb2312", 2 },  { "gb18030", 4 },
		{ "big5", 2 },	  { "sjis", 2 },    { "cp932", 2 },   { "euckr", 2 },
		{ "ucs2", 2 },	  { "utf16", 4 },   { "utf16le", 4 }, { "utf32", 4 },
		{ "ujis", 3 },	  { "eucjpms", 3 }, { "latin2", 1 },  { "cp1251", 1 },
	};

	for (size_t i = 0; charset && i < sizeof(sets) / sizeof(sets[0]); i++) {
		if (strcmp(sets[i].name, charset) == 0)
			return sets[i].bytes;
	}
	return 0;
}

/* Names of members are in the column's set. */
static int decode_members(struct binlog *b, struct binlog_table *bt, struct cdc_err *err)
{
	for (uint32_t k = 0; k < bt->n; k++) {
		struct binlog_column *col = &bt->col[k];

		for (uint32_t i = 0; i < col->n_members && col->charset; i++) {
			struct cdc_str text;
			char *p;
			int rc = cdc_charset_decode(&b->charsets, cdc_str_z(col->charset),
						    col->member[i], &text, err);

			if (rc < 0)
				return rc;
			p = cdc_arena_dup(&bt->a, text.p, text.n);
			if (!p)
				return cdc_fail_nomem(err);
			col->member[i] = cdc_str(p, text.n);
		}
	}
	return CDC_OK;
}

/* --- what a CREATE TABLE says ------------------------------------------- */

/* Is the type in the log one that the statement's can be? */
static bool type_fits(const struct binlog_column *col, enum cdc_mysql_kind kind)
{
	switch ((enum binlog_type)col->type) {
	case BL_TINY:
	case BL_SHORT:
	case BL_INT24:
	case BL_LONG:
	case BL_LONGLONG:
		return kind == CDC_MYSQL_INTEGER;
	case BL_FLOAT:
		return kind == CDC_MYSQL_FLOAT;
	case BL_DOUBLE:
		return kind == CDC_MYSQL_DOUBLE || kind == CDC_MYSQL_FLOAT;
	case BL_NEWDECIMAL:
		return kind == CDC_MYSQL_DECIMAL;
	case BL_TIMESTAMP:
	case BL_TIMESTAMP2:
		return kind == CDC_MYSQL_TIMESTAMP;
	case BL_DATETIME:
	case BL_DATETIME2:
		return kind == CDC_MYSQL_DATETIME;
	case BL_TIME:
	case BL_TIME2:
		return kind == CDC_MYSQL_TIME;
	case BL_DATE:
	case BL_NEWDATE:
		return kind == CDC_MYSQL_DATE;
	case BL_YEAR:
		return kind == CDC_MYSQL_YEAR;
	case BL_BIT:
		return kind == CDC_MYSQL_BIT;
	case BL_ENUM:
		return kind == CDC_MYSQL_ENUM;
	case BL_SET:
		return kind == CDC_MYSQL_SET;
	case BL_GEOMETRY:
		return kind == CDC_MYSQL_GEOMETRY;
	case BL_JSON:
		return kind == CDC_MYSQL_JSON;
	case BL_DECIMAL:
	case BL_NULL:
		return false;
	case BL_VARCHAR:
	case BL_VAR_STRING:
	case BL_STRING:
	case BL_BLOB:
	case BL_TINY_BLOB:
	case BL_MEDIUM_BLOB:
	case BL_LONG_BLOB:
	case BL_VECTOR:
	case BL_BLOB_COMPRESSED:
	case BL_VARCHAR_COMPRESSED:
		return kind == CDC_MYSQL_TEXT || kind == CDC_MYSQL_BINARY || kind == CDC_MYSQL_JSON;
	}
	return false;
}

/* "utf8mb4_general_ci" -> "utf8mb4", kept in the table's memory. */
static const char *charset_of(struct binlog_table *bt, const struct cdc_ddl_table *ddl,
			      const struct cdc_ddl_column *c)
{
	struct cdc_str s = c->charset.n	    ? c->charset
			   : c->collation.n ? c->collation
			   : ddl->charset.n ? ddl->charset
					    : ddl->collation;
	size_t n = 0;

	while (n < s.n && s.p[n] != '_')
		n++;
	return n ? cdc_arena_dupz(&bt->a, cdc_str(s.p, n)) : NULL;
}

static int apply_column(struct binlog *b, struct binlog_table *bt, const struct cdc_ddl_table *ddl,
			uint32_t k, bool *fits, struct cdc_err *err)
{
	const struct cdc_ddl_column *from = &ddl->column[k];
	struct binlog_column *col = &bt->col[k];
	enum cdc_mysql_kind kind;
	int rc;

	cdc_buf_reset(&b->text);
	rc = cdc_mysql_type(from->type, &b->text, &kind, err);
	if (rc < 0)
		return rc;
	*fits = type_fits(col, kind);
	if (!*fits)
		return CDC_OK;
	col->name = from->name;
	col->json = kind == CDC_MYSQL_JSON;
	if (col->sign == SIGN_UNKNOWN)
		col->sign = from->is_unsigned ? SIGN_UNSIGNED : SIGN_SIGNED;
	if (!col->charset || col->type == BL_VARCHAR_COMPRESSED || col->type == BL_BLOB_COMPRESSED)
		col->charset = kind == CDC_MYSQL_BINARY ? "binary" : charset_of(bt, ddl, from);
	if (!col->charset && kind == CDC_MYSQL_TEXT)
		col->charset = "utf8mb4";
	if (!col->member && from->n_values) {
		col->member = from->value;
		col->n_members = from->n_values;
	}
	return CDC_OK;
}

/*
 * Types that the log has no name for: MariaDB's UUID and INET travel as CHAR with bytes that are no
 * text, and its compressed columns without their character set.
 */
static int apply_hidden(struct binlog *b, struct binlog_table *bt, const struct cdc_ddl_table *ddl,
			struct cdc_err *err)
{
	for (uint32_t k = 0; ddl && ddl->n_columns == bt->n && k < bt->n; k++) {
		const struct cdc_ddl_column *from = &ddl->column[k];
		struct binlog_column *col = &bt->col[k];
		enum cdc_mysql_kind kind;
		int rc;

		if (!cdc_str_eq(col->name, from->name))
			return CDC_OK;
		cdc_buf_reset(&b->text);
		rc = cdc_mysql_type(from->type, &b->text, &kind, err);
		if (rc < 0)
			return rc;
		if (col->type == BL_STRING && (cdc_str_ieq(from->type, CDC_STR("uuid")) ||
					       cdc_str_ieq(from->type, CDC_STR("inet6")) ||
					       cdc_str_ieq(from->type, CDC_STR("inet4"))))
			col->charset = "binary";
		if ((col->type == BL_VARCHAR_COMPRESSED || col->type == BL_BLOB_COMPRESSED) &&
		    kind == CDC_MYSQL_TEXT)
			col->charset = charset_of(bt, ddl, from);
	}
	return CDC_OK;
}

/* The statement's names point into its own memory: they are copied when the table is defined. */
static int apply_ddl(struct binlog *b, struct binlog_table *bt, const struct cdc_ddl_table *ddl,
		     struct cdc_err *err)
{
	struct binlog_column *before;
	uint32_t *key;
	bool fits = true;
	int rc = CDC_OK;

	if (!ddl || ddl->n_columns != bt->n)
		return CDC_OK;
	before = cdc_arena_calloc(&bt->a, bt->n, sizeof(*before));
	key = cdc_arena_calloc(&bt->a, bt->n, sizeof(*key));
	if (!before || !key)
		return cdc_fail_nomem(err);
	memcpy(before, bt->col, bt->n * sizeof(*before));
	for (uint32_t k = 0; rc == CDC_OK && fits && k < bt->n; k++)
		rc = apply_column(b, bt, ddl, k, &fits, err);
	if (rc < 0 || !fits) {
		memcpy(bt->col, before, bt->n * sizeof(*before));
		return rc;
	}
	if (bt->n_key)
		return CDC_OK;
	bt->key = key;
	for (uint32_t i = 0; i < ddl->n_key; i++) {
		for (uint32_t k = 0; k < bt->n; k++) {
			if (cdc_str_eq(ddl->column[k].name, ddl->key[i]))
				key[bt->n_key++] = k;
		}
	}
	return CDC_OK;
}

/* --- SCHEMA ------------------------------------------------------------- */

static void spell_string(const struct binlog_column *col, const char *text, const char *binary,
			 char *out, size_t room)
{
	unsigned bytes = character_bytes(col->charset);

	if (bytes == 0)
		(void)snprintf(out, room, "%s", text);
	else
		(void)snprintf(out, room, "%s(%u)",
			       strcmp(col->charset, "binary") == 0 ? binary : text,
			       col->length / bytes);
}

static void spell_blob(const struct binlog_column *col, char *out, size_t room)
{
	static const char *const prefix[] = { "", "tiny", "", "medium", "long" };
	bool text = col->charset && strcmp(col->charset, "binary") != 0;

	(void)snprintf(out, room, "%s%s", prefix[col->length_bytes], text ? "text" : "blob");
}

static void spell_time(const char *name, uint8_t fsp, char *out, size_t room)
{
	if (fsp)
		(void)snprintf(out, room, "%s(%u)", name, fsp);
	else
		(void)snprintf(out, room, "%s", name);
}

/* The type as MySQL spells it, as far as the log tells. */
static void spell(const struct binlog_column *col, char *out, size_t room)
{
	static const char *const names[256] = {
		[BL_TINY] = "tinyint",
		[BL_SHORT] = "smallint",
		[BL_INT24] = "mediumint",
		[BL_LONG] = "int",
		[BL_LONGLONG] = "bigint",
		[BL_FLOAT] = "float",
		[BL_DOUBLE] = "double",
		[BL_YEAR] = "year",
		[BL_DATE] = "date",
		[BL_NEWDATE] = "date",
		[BL_TIME] = "time",
		[BL_DATETIME] = "datetime",
		[BL_TIMESTAMP] = "timestamp",
		[BL_JSON] = "json",
		[BL_GEOMETRY] = "geometry",
		[BL_ENUM] = "enum",
		[BL_SET] = "set",
		[BL_VECTOR] = "blob",
	};
	bool is_unsigned = col->sign == SIGN_UNSIGNED && col->type != BL_YEAR;

	switch (col->type) {
	case BL_NEWDECIMAL:
		(void)snprintf(out, room, "decimal(%u,%u)", col->length, col->scale);
		break;
	case BL_BIT:
		(void)snprintf(out, room, "bit(%u)", col->length);
		break;
	case BL_TIMESTAMP2:
		spell_time("timestamp", col->fsp, out, room);
		break;
	case BL_DATETIME2:
		spell_time("datetime", col->fsp, out, room);
		break;
	case BL_TIME2:
		spell_time("time", col->fsp, out, room);
		break;
	case BL_STRING:
		spell_string(col, "char", "binary", out, room);
		break;
	case BL_VARCHAR:
	case BL_VAR_STRING:
	case BL_VARCHAR_COMPRESSED:
		spell_string(col, "varchar", "varbinary", out, room);
		break;
	case BL_BLOB:
	case BL_TINY_BLOB:
	case BL_MEDIUM_BLOB:
	case BL_LONG_BLOB:
	case BL_BLOB_COMPRESSED:
		if (col->json)
			(void)snprintf(out, room, "json");
		else
			spell_blob(col, out, room);
		break;
	default:
		(void)snprintf(out, room, "%s", names[col->type] ? names[col->type] : "");
	}
	if (is_unsigned)
		strncat(out, " unsigned", room - strlen(out) - 1);
}

/* Without the sign of an integer there is no sourceType: cdc-merge asks. */
static bool tells_all(const struct binlog_column *col)
{
	return !(binlog_is_numeric(col->type, false) && col->sign == SIGN_UNKNOWN &&
		 col->type != BL_FLOAT && col->type != BL_DOUBLE && col->type != BL_NEWDECIMAL);
}

int binlog_table_define(struct binlog *b, struct binlog_table *bt, struct cdc_err *err)
{
	struct cdc_change_column *col;
	struct cdc_str *key;
	struct cdc_arena a = CDC_ARENA_INIT;
	int rc = CDC_OK;

	if (bt->defined && cdc_change_same(bt->t, bt->raw))
		return CDC_OK;
	col = cdc_arena_calloc(&a, bt->n, sizeof(*col));
	key = cdc_arena_calloc(&a, bt->n + 1, sizeof(*key));
	if (!col || !key) {
		rc = cdc_fail_nomem(err);
		goto out;
	}
	for (uint32_t k = 0; k < bt->n; k++) {
		char *text = cdc_arena_alloc(&a, 128);

		if (!text) {
			rc = cdc_fail_nomem(err);
			goto out;
		}
		spell(&bt->col[k], text, 64);
		col[k].type = cdc_str_z(text);
		if (tells_all(&bt->col[k]))
			col[k].source_type = col[k].type;
		col[k].name = bt->col[k].name;
		if (!col[k].name.p) {
			(void)snprintf(text + 64, 64, "c%u", k + 1);
			col[k].name = cdc_str_z(text + 64);
		}
	}
	for (uint32_t i = 0; i < bt->n_key; i++)
		key[i] = col[bt->key[i]].name;
	rc = cdc_change_define(&b->c, bt->t, bt->raw, col, bt->n, key, bt->n_key, err);
	bt->defined = rc == CDC_OK;
out:
	cdc_arena_free(&a);
	return rc;
}

/* --- maps --------------------------------------------------------------- */

static void table_free(struct binlog_table *bt)
{
	if (!bt)
		return;
	cdc_arena_free(&bt->a);
	free(bt);
}

void binlog_tables_forget(struct binlog *b)
{
	for (uint32_t i = 0; i < b->n_tables; i++)
		table_free(b->table[i]);
	b->n_tables = b->n_mapped = 0;
	cdc_map_clear(&b->tables);
}

static int table_new(struct binlog *b, struct cdc_str body, struct binlog_table **out,
		     struct cdc_err *err)
{
	struct binlog_table *bt = calloc(1, sizeof(*bt));
	const struct cdc_ddl_table *ddl;
	struct cdc_str part[2];
	int rc;

	if (!bt)
		return cdc_fail_nomem(err);
	bt->raw = cdc_str(cdc_arena_dup(&bt->a, body.p, body.n), body.n);
	rc = bt->raw.p ? binlog_read_map(b, bt, err) : cdc_fail_nomem(err);
	if (rc == CDC_OK)
		rc = decode_members(b, bt, err);
	if (rc < 0)
		goto out;
	part[0] = bt->db;
	part[1] = bt->name;
	cdc_buf_reset(&b->text);
	rc = cdc_buf_printf(&b->text, err, "%.*s", (int)bt->db.n, bt->db.p);
	if (rc == CDC_OK)
		rc = cdc_buf_putc(&b->text, '\n', err);
	if (rc == CDC_OK)
		rc = cdc_buf_put(&b->text, bt->name, err);
	if (rc == CDC_OK)
		rc = cdc_change_table(&b->c, cdc_buf_str(&b->text), &bt->t, err);
	if (rc == CDC_OK && !bt->t->named)
		rc = cdc_change_name(&b->c, bt->t, part, 2, err);
	if (rc < 0)
		goto out;
	/* Names in the log are the truth; else what was told for the table, or for any. */
	ddl = cdc_ddl_find_given(&b->given, bt->db, bt->name);
	if (!ddl)
		ddl = cdc_ddl_find(&b->seen, bt->db, bt->name);
	rc = bt->col[0].name.p ? apply_hidden(b, bt, ddl, err) : apply_ddl(b, bt, ddl, err);
out:
	if (rc < 0)
		table_free(bt);
	else
		*out = bt;
	return rc;
}

static int find_or_make(struct binlog *b, struct cdc_str body, struct binlog_table **out,
			struct cdc_err *err)
{
	uint64_t hash = cdc_hash64(body.p, body.n);
	struct cdc_map_iter it = cdc_map_seek(&b->tables, hash);
	uint32_t i;
	int rc;

	while (cdc_map_next(&b->tables, &it, &i)) {
		if (cdc_str_eq(b->table[i]->raw, body)) {
			*out = b->table[i];
			return CDC_OK;
		}
	}
	if (b->n_tables == BINLOG_TABLES_MAX || b->c.n == CDC_CHANGE_TABLES_MAX)
		binlog_tables_forget(b);
	if (!b->table) {
		b->table = calloc(BINLOG_TABLES_MAX, sizeof(struct binlog_table *));
		if (!b->table)
			return cdc_fail_nomem(err);
	}
	rc = table_new(b, body, out, err);
	if (rc < 0)
		return rc;
	rc = cdc_map_insert(&b->tables, hash, b->n_tables, err);
	if (rc < 0) {
		table_free(*out);
		return rc;
	}
	b->table[b->n_tables++] = *out;
	return CDC_OK;
}

int binlog_table_map(struct binlog *b, uint64_t id, struct cdc_str body, struct cdc_err *err)
{
	struct binlog_table *bt = NULL;
	uint32_t i = 0;
	int rc = find_or_make(b, body, &bt, err);

	if (rc < 0)
		return rc;
	while (i < b->n_mapped && b->mapped[i].id != id)
		i++;
	if (i == BINLOG_MAPPED_MAX)
		return cdc_fail(err, CDC_EDATA, "a statement changes more than %u tables",
				BINLOG_MAPPED_MAX);
	b->mapped[i].id = id;
	b->mapped[i].table = bt;
	b->n_mapped += i == b->n_mapped;
	return CDC_OK;
}
