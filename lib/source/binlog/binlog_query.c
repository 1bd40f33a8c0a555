/* Statements in a binlog: DDL, TRUNCATE, boundaries of transactions (see binlog_int.h). */
#include "source/binlog/binlog_int.h"
#include "source/mysql/truncate.h"

#include <string.h>
#include <strings.h>

/* Does the statement begin with the word? Comments and space in front are passed over. */
static bool begins_with(struct cdc_str sql, const char *word)
{
	size_t n = strlen(word), i = 0;

	for (;;) {
		while (i < sql.n && strchr(" \t\r\n(", sql.p[i]) && sql.p[i])
			i++;
		if (i + 1 < sql.n && sql.p[i] == '/' && sql.p[i + 1] == '*' &&
		    !(i + 2 < sql.n && sql.p[i + 2] == '!')) {
			const char *end = memmem(sql.p + i + 2, sql.n - i - 2, "*/", 2);

			if (!end)
				return false;
			i = (size_t)(end - sql.p) + 2;
			continue;
		}
		if (i < sql.n &&
		    (sql.p[i] == '#' || (i + 2 < sql.n && memcmp(sql.p + i, "-- ", 3) == 0))) {
			const char *end = memchr(sql.p + i, '\n', sql.n - i);

			if (!end)
				return false;
			i = (size_t)(end - sql.p) + 1;
			continue;
		}
		break;
	}
	return sql.n - i >= n && strncasecmp(sql.p + i, word, n) == 0 &&
	       (sql.n - i == n || !((sql.p[i + n] | 0x20) >= 'a' && (sql.p[i + n] | 0x20) <= 'z'));
}

static bool is_one_of(struct cdc_str sql, const char *const *words)
{
	for (; *words; words++) {
		if (begins_with(sql, *words))
			return true;
	}
	return false;
}

/* Statements that change rows: their effect is not in the log as rows. */
static const char *const changes[] = { "insert", "update", "delete", "replace", "load", NULL };
/* Statements that say nothing of a table. */
static const char *const silent[] = { "rollback", "savepoint", "release", "flush", NULL };

/* What the log says of tables' columns, for rows whose map has no names. */
static int learn(struct binlog *b, struct cdc_str db, struct cdc_str sql, struct cdc_err *err)
{
	static const char *const forget[] = { "alter", "drop", "rename", NULL };
	struct cdc_err ignored = CDC_ERR_INIT;
	int rc;

	if (is_one_of(sql, forget)) {
		binlog_tables_forget(b);
		cdc_ddl_free(&b->seen);
		b->seen = (struct cdc_ddl){ .table = NULL };
		return CDC_OK;
	}
	if (!begins_with(sql, "create"))
		return CDC_OK;
	cdc_buf_reset(&b->text);
	rc = CDC_OK;
	if (db.n) {
		rc = cdc_buf_puts(&b->text, "USE `", err);
		if (rc == CDC_OK)
			rc = cdc_buf_put(&b->text, db, err);
		if (rc == CDC_OK)
			rc = cdc_buf_puts(&b->text, "`;\n", err);
	}
	if (rc == CDC_OK)
		rc = cdc_buf_put(&b->text, sql, err);
	if (rc < 0)
		return rc;
	binlog_tables_forget(b);
	/* What cannot be read leaves the columns without names. */
	return cdc_ddl_parse(&b->seen, cdc_buf_str(&b->text), &ignored) == CDC_ENOMEM
		       ? cdc_fail_nomem(err)
		       : CDC_OK;
}

static int put_ddl(struct binlog *b, struct cdc_str db, struct cdc_str sql,
		   const struct cdc_message *m, struct cdc_err *err)
{
	bool is_truncate = false;
	int rc;

	cdc_buf_reset(&b->name);
	rc = cdc_buf_put(&b->name, db, err);
	if (rc == CDC_OK && !cdc_buf_z(&b->name))
		rc = cdc_fail_nomem(err);
	if (rc < 0)
		return rc;
	if (db.n && !cdc_source_keeps(b->s, b->name.p, true)) {
		b->ordinal++;
		b->s->counts.skipped++;
	} else {
		rc = binlog_put(b, db, "DDL", sql, m, err);
	}
	if (rc == CDC_OK)
		rc = cdc_truncated_table(sql, db, &b->name, &is_truncate, err);
	if (rc == CDC_OK && is_truncate && cdc_source_keeps(b->s, b->name.p, false))
		rc = binlog_put(b, cdc_buf_str(&b->name), "TRUNCATE", (struct cdc_str)CDC_STR_INIT,
				m, err);
	return rc < 0 ? rc : learn(b, db, sql, err);
}

int binlog_query(struct binlog *b, struct cdc_str body, bool compressed,
		 const struct cdc_message *m, struct cdc_err *err)
{
	struct binlog_cur c = binlog_cur(body);
	struct cdc_str db, sql;
	uint64_t db_len, status_len;
	int rc;

	b->thread_id = (uint32_t)binlog_le(&c, 4);
	b->has_thread = true;
	(void)binlog_le(&c, 4);
	db_len = binlog_le(&c, 1);
	(void)binlog_le(&c, 2);
	status_len = binlog_le(&c, 2);
	(void)binlog_take(&c, status_len);
	db = binlog_bytes(&c, db_len);
	(void)binlog_le(&c, 1);
	if (c.bad)
		return cdc_fail(err, CDC_EDATA, "a query event is damaged");
	sql = cdc_str((const char *)c.p, binlog_left(&c));
	if (compressed) {
		rc = binlog_uncompress(sql, &b->rows, err);
		if (rc < 0)
			return rc;
		sql = cdc_buf_str(&b->rows);
	}
	if (begins_with(sql, "begin"))
		return binlog_boundary(b, "BEGIN", m, err);
	if (begins_with(sql, "commit"))
		return binlog_boundary(b, "COMMIT", m, err);
	if (begins_with(sql, "xa"))
		return binlog_xa_statement(b, sql, err);
	if (is_one_of(sql, silent)) {
		b->s->counts.skipped++;
		return CDC_OK;
	}
	if (is_one_of(sql, changes))
		return cdc_fail(
			err, CDC_EDATA,
			"a change that is logged as a statement, not as rows (binlog_format)");
	return put_ddl(b, db, sql, m, err);
}
