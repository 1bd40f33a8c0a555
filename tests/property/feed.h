/*
 * The change data feed of one commit beside what SQLite says that the commit changed: its change
 * files, read one by one as plain Parquet files. For tests, all static inline.
 */
#ifndef CDC_TESTS_FEED_H
#define CDC_TESTS_FEED_H

#include "table/scan/parquet_table.h"
#include "tests/property/law.h"

static inline const struct cdc_column *feed_column(const struct cdc_batch *b, struct cdc_str name)
{
	for (int i = 0; i < b->num_columns; i++)
		if (cdc_str_eq(b->column[i].field->name, name))
			return &b->column[i];
	return NULL;
}

/* A value that is in the action, not in the file. */
static inline void feed_partition_value(const struct cdc_change_file *f, struct cdc_str name,
					char *text)
{
	for (int i = 0; i < f->num_partition_values; i++) {
		const struct cdc_kv *kv = &f->partition_value[i];

		if (cdc_str_eq(kv->key, name) && kv->value.p) {
			sprintf(text + strlen(text), "=%.*s|", (int)kv->value.n, kv->value.p);
			return;
		}
	}
	strcat(text, "~|");
}

/* The change rows of a commit. */
struct feed {
	struct law_lines lines; /* "-=1|…" an old row, "+=1|…" a new one, "?…" neither */
	size_t files;
	size_t preimages;
	size_t postimages;
};

static inline void feed_rows(const struct cdc_snapshot *s, const struct cdc_change_file *f,
			     const struct cdc_batch *b, struct feed *feed)
{
	const struct cdc_column *kind = feed_column(b, CDC_STR("_change_type"));

	for (uint32_t i = 0; i < b->rows; i++) {
		char type[64] = "", text[640] = "?";

		if (kind)
			law_cell(kind, i, type);
		if (!strcmp(type, "=delete|") || !strcmp(type, "=update_preimage|"))
			*text = '-';
		else if (!strcmp(type, "=insert|") || !strcmp(type, "=update_postimage|"))
			*text = '+';
		feed->preimages += !strcmp(type, "=update_preimage|");
		feed->postimages += !strcmp(type, "=update_postimage|");
		for (int c = 0; c < s->schema.num_fields; c++) {
			struct cdc_str name = s->schema.field[c].physical_name;
			const struct cdc_column *column = feed_column(b, name);

			if (column)
				law_cell(column, i, text);
			else
				feed_partition_value(f, name, text);
		}
		law_push(&feed->lines, text);
	}
}

static inline int feed_file(const struct cdc_io *io, const struct cdc_snapshot *s,
			    const struct cdc_change_file *f, struct feed *feed, struct cdc_err *err)
{
	struct cdc_snapshot *file = NULL;
	struct cdc_buf path = CDC_BUF_INIT;
	struct cdc_scan *scan = NULL;
	struct cdc_batch b;
	int rc = cdc_buf_printf(&path, err, "%s/", s->table);

	if (!rc)
		rc = cdc_path_decode(f->path, &path, err);
	if (!rc)
		rc = cdc_parquet_table_open(&file, io, cdc_buf_z(&path), err);
	if (!rc)
		rc = cdc_scan_new(&scan, io, file, NULL, err);
	while (!rc && !(rc = cdc_scan_next(scan, &b, err)))
		feed_rows(s, f, &b, feed);
	cdc_scan_free(scan);
	cdc_snapshot_free(file);
	cdc_buf_free(&path);
	return rc == CDC_END ? CDC_OK : rc;
}

/* The change rows of all files of a commit, sorted. */
static inline int feed_of_commit(const struct cdc_io *io, const char *path, int64_t version,
				 struct feed *feed, struct cdc_err *err)
{
	struct cdc_commit_actions a = { .version = 0 };
	struct cdc_snapshot *s = NULL;
	int rc = cdc_snapshot_load(&s, io, path, version, err);

	if (!rc)
		rc = cdc_commit_read(io, path, version, &a, err);
	feed->files = rc ? 0 : a.num_changes;
	for (size_t i = 0; !rc && i < a.num_changes; i++)
		rc = feed_file(io, s, &a.change[i], feed, err);
	cdc_commit_actions_free(&a);
	cdc_snapshot_free(s);
	if (feed->lines.n)
		qsort(feed->lines.line, feed->lines.n, sizeof(char *), law_by_text);
	return rc;
}

/*
 * What SQLite's table h says that a version changed in the one before it: old rows with "-" before
 * them, new ones with "+". *updates: how many keys have both, *deletes: how many an old row alone.
 */
static inline void feed_wanted(sqlite3 *db, const struct law_shape *s, int64_t version, int columns,
			       struct law_lines *l, size_t *updates, size_t *deletes)
{
	static const char *const sign[] = { "-", "+" };
	char sql[512];

	*updates = *deletes = 0;
	for (int64_t side = 0; side < 2; side++) {
		struct law_lines rows = { .n = 0 };
		sqlite3_stmt *st = law_prepare(
			db, "SELECT k, n, d, s, day, x, y FROM h WHERE version = ?1 EXCEPT "
			    "SELECT k, n, d, s, day, x, y FROM h WHERE version = ?2");

		sqlite3_bind_int64(st, 1, version - 1 + side);
		sqlite3_bind_int64(st, 2, version - side);
		law_sqlite_rows(st, columns, &rows);
		for (size_t i = 0; i < rows.n; i++) {
			char text[640];

			snprintf(text, sizeof(text), "%s%s", sign[side], rows.line[i]);
			law_push(l, text);
		}
		*deletes += side == 0 ? rows.n : 0;
		law_lines_free(&rows);
	}
	snprintf(
		sql, sizeof(sql),
		"SELECT count(*) FROM h a JOIN h b ON a.k = b.k AND %s WHERE a.version = ?1 - 1 AND "
		"b.version = ?1 AND (a.n, a.d, a.s, a.day, a.x, a.y) IS NOT "
		"(b.n, b.d, b.s, b.day, b.x, b.y)",
		s->num_keys == 1 ? "1" : "a.n = b.n");
	{
		sqlite3_stmt *st = law_prepare(db, sql);

		sqlite3_bind_int64(st, 1, version);
		if (sqlite3_step(st) == SQLITE_ROW)
			*updates = (size_t)sqlite3_column_int64(st, 0);
		sqlite3_finalize(st);
	}
	*deletes -= *updates;
	if (l->n)
		qsort(l->line, l->n, sizeof(*l->line), law_by_text);
}

#endif
