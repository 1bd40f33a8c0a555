/*
 * The law of cdc(7) beside SQLite: random changes as change records, a table that SQLite keeps by
 * replaying them one at a time, and its rows beside those of a Delta table. For tests, all static
 * inline.
 */
#ifndef CDC_TESTS_LAW_H
#define CDC_TESTS_LAW_H

#include "base/value.h"
#include "record/record.h"
#include "table/merge/merge.h"
#include "table/scan/scan.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LAW_COLUMNS 7 /* most that a table comes to have */
#define LAW_FIRST 5 /* those that it is made with */

struct law_shape {
	const char *name;
	const char *ddl;
	const char *key[3];
	const char *partition[2];
	const char *property;
	enum cdc_merge_mode mode;
	int num_keys; /* columns 0 .. num_keys-1 are the key */
	bool string_key;
	int added; /* columns that the table got later */
	bool wide; /* n became BIGINT */
};

#define LAW_TAIL ", d DECIMAL(7,2), s STRING, day DATE"

static const struct law_shape law_shapes[] = {
	{ .name = "cow",
	  .ddl = "k BIGINT NOT NULL, n INT" LAW_TAIL,
	  .key = { "k" },
	  .mode = CDC_MERGE_COW,
	  .num_keys = 1 },
	{ .name = "dv",
	  .ddl = "k BIGINT NOT NULL, n INT" LAW_TAIL,
	  .key = { "k" },
	  .mode = CDC_MERGE_DV,
	  .num_keys = 1 },
	{ .name = "composite",
	  .ddl = "k INT, n INT" LAW_TAIL,
	  .key = { "k", "n" },
	  .mode = CDC_MERGE_AUTO,
	  .num_keys = 2 },
	{ .name = "string",
	  .ddl = "k STRING, n INT" LAW_TAIL,
	  .key = { "k" },
	  .property = "delta.enableDeletionVectors=true",
	  .mode = CDC_MERGE_AUTO,
	  .num_keys = 1,
	  .string_key = true },
	{ .name = "partitioned",
	  .ddl = "k BIGINT, n INT" LAW_TAIL,
	  .key = { "k" },
	  .partition = { "n" },
	  .mode = CDC_MERGE_COW,
	  .num_keys = 1 },
	{ .name = "partition-key",
	  .ddl = "k BIGINT, n INT" LAW_TAIL,
	  .key = { "k", "n" },
	  .partition = { "k" },
	  .mode = CDC_MERGE_DV,
	  .num_keys = 2 },
	{ .name = "decimal",
	  .ddl = "k DECIMAL(20,0), n INT" LAW_TAIL,
	  .key = { "k" },
	  .partition = { "day" },
	  .mode = CDC_MERGE_DV,
	  .num_keys = 1 },
};

static const char *const law_column[LAW_COLUMNS] = { "k", "n", "d", "s", "day", "x", "y" };

/* ------------------------------------------------------------------ random */

static uint64_t law_rng;

static inline uint32_t law_rnd(uint32_t n)
{
	law_rng ^= law_rng << 13;
	law_rng ^= law_rng >> 7;
	law_rng ^= law_rng << 17;
	return (uint32_t)((law_rng >> 16) % n);
}

/* Canonical text of a random value of a column; NULL: SQL null. */
static inline const char *law_value(const struct law_shape *s, int c, char buf[64])
{
	static const char *const strings[] = { "",
					       "a",
					       "Zo\xc3\xab",
					       "q\"uote",
					       "back\\slash",
					       "tab\there",
					       "\xf0\x9f\x8d\x8b lemon",
					       "null" };

	if (c >= s->num_keys && law_rnd(5) == 0)
		return NULL;
	switch (c) {
	case 0:
		snprintf(buf, 64, s->string_key ? "key-%u" : "%u", law_rnd(8));
		return buf;
	case 1:
		snprintf(buf, 64, "%lld",
			 ((long long)law_rnd(3) - 1) * (s->wide ? 100000000000 : 1));
		return buf;
	case 2:
		snprintf(buf, 64, "%u.%02u", law_rnd(99999), law_rnd(100));
		return buf;
	case 4:
		snprintf(buf, 64, "20%02u-%02u-%02u", 10 + law_rnd(3), 1 + law_rnd(12),
			 1 + law_rnd(28));
		return buf;
	case 6:
		snprintf(buf, 64, "%u", law_rnd(1000));
		return buf;
	default:
		return strings[law_rnd(8)];
	}
}

/* ------------------------------------------------------------------ records */

struct law_image {
	bool present[LAW_COLUMNS];
	bool null[LAW_COLUMNS];
	char text[LAW_COLUMNS][64];
};

struct law_change {
	enum cdc_record_type type;
	uint64_t id;
	struct law_image before, after;
};

static inline void law_fill(const struct law_shape *s, struct law_image *im, bool partial)
{
	for (int c = 0; c < LAW_COLUMNS; c++) {
		char buf[64];
		const char *v = law_value(s, c, buf);

		im->present[c] =
			c < LAW_FIRST + s->added && (!partial || c < s->num_keys || law_rnd(2));
		im->null[c] = !v;
		snprintf(im->text[c], sizeof(im->text[c]), "%s", v ? v : "");
	}
}

static inline struct law_change law_change_random(const struct law_shape *s, uint64_t id)
{
	struct law_change ch = { .id = id };
	uint32_t kind = law_rnd(100);

	if (kind < 30) {
		ch.type = law_rnd(3) ? CDC_RECORD_INSERT : CDC_RECORD_INIT;
		law_fill(s, &ch.after, law_rnd(4) == 0);
	} else if (kind < 75) {
		bool move = law_rnd(3) == 0;

		ch.type = CDC_RECORD_UPDATE;
		law_fill(s, &ch.before, law_rnd(2) == 0);
		law_fill(s, &ch.after, law_rnd(2) == 0);
		for (int c = 0; c < s->num_keys; c++) {
			if (!move)
				memcpy(ch.after.text[c], ch.before.text[c], 64);
			/* A key column may be in one of the images only. */
			if (!move && law_rnd(4) == 0)
				ch.before.present[c] = false;
			else if (!move && law_rnd(4) == 0)
				ch.after.present[c] = false;
		}
	} else if (kind < 98) {
		ch.type = CDC_RECORD_DELETE;
		law_fill(s, &ch.before, true);
	} else {
		ch.type = CDC_RECORD_TRUNCATE;
	}
	return ch;
}

static inline size_t law_put_image(char *out, const char *name, const struct law_image *im)
{
	size_t n = (size_t)sprintf(out, ",\"%s\":{", name);
	bool first = true;

	for (int c = 0; c < LAW_COLUMNS; c++) {
		if (!im->present[c])
			continue;
		n += (size_t)sprintf(out + n, "%s\"%s\":", first ? "" : ",", law_column[c]);
		first = false;
		if (im->null[c]) {
			n += (size_t)sprintf(out + n, "null");
			continue;
		}
		out[n++] = '"';
		n = (size_t)(cdc_json_escape_to(out + n, cdc_str_z(im->text[c])) - out);
		out[n++] = '"';
	}
	out[n++] = '}';
	out[n] = 0;
	return n;
}

static inline size_t law_put_record(char *out, const struct law_change *ch)
{
	size_t n =
		(size_t)sprintf(out, "{\"recordID\":%llu,\"dbTable\":\"d.t\",\"recordType\":\"%s\"",
				(unsigned long long)ch->id, cdc_record_type_name(ch->type));

	if (cdc_record_is_row(ch->type)) {
		n += law_put_image(out + n, "beforeImages", &ch->before);
		n += law_put_image(out + n, "afterImages", &ch->after);
	}
	return n +
	       (size_t)sprintf(out + n,
			       ",\"position\":{\"topic\":\"t\",\"partition\":0,\"offset\":%llu}}",
			       (unsigned long long)ch->id);
}

/* ------------------------------------------------------------------ oracle */

static inline void law_sql(sqlite3 *db, const char *text)
{
	char *message = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK) {
		fprintf(stderr, "sqlite: %s: %s\n", message, text);
		exit(70);
	}
}

/* A database with the table m: a column for each that a table may come to have, all text. */
static inline sqlite3 *law_open(void)
{
	sqlite3 *db = NULL;

	if (sqlite3_open(":memory:", &db) != SQLITE_OK)
		exit(70);
	law_sql(db, "CREATE TABLE m(k TEXT, n TEXT, d TEXT, s TEXT, day TEXT, x TEXT, y TEXT)");
	return db;
}

static inline sqlite3_stmt *law_prepare(sqlite3 *db, const char *text)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db, text, -1, &st, NULL) != SQLITE_OK) {
		fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
		exit(70);
	}
	return st;
}

static inline void law_bind(sqlite3_stmt *st, int i, const struct law_image *im, int c)
{
	if (im->null[c] || !im->present[c])
		sqlite3_bind_null(st, i);
	else
		sqlite3_bind_text(st, i, im->text[c], -1, SQLITE_TRANSIENT);
}

/* Take the row with this key out of the table; false if there is none. */
static inline bool law_take(sqlite3 *db, const struct law_shape *s, const struct law_image *key,
			    struct law_image *row)
{
	sqlite3_stmt *st =
		law_prepare(db, s->num_keys == 1 ? "SELECT * FROM m WHERE k=?1"
						 : "SELECT * FROM m WHERE k=?1 AND n=?2");
	bool found;

	for (int c = 0; c < s->num_keys; c++)
		law_bind(st, c + 1, key, c);
	found = sqlite3_step(st) == SQLITE_ROW;
	for (int c = 0; found && c < LAW_COLUMNS; c++) {
		const unsigned char *v = sqlite3_column_text(st, c);

		row->present[c] = true;
		row->null[c] = !v;
		snprintf(row->text[c], 64, "%s", v ? (const char *)v : "");
	}
	sqlite3_finalize(st);
	st = law_prepare(db, s->num_keys == 1 ? "DELETE FROM m WHERE k=?1"
					      : "DELETE FROM m WHERE k=?1 AND n=?2");
	for (int c = 0; c < s->num_keys; c++)
		law_bind(st, c + 1, key, c);
	sqlite3_step(st);
	sqlite3_finalize(st);
	return found;
}

static inline void law_put(sqlite3 *db, const struct law_shape *s, const struct law_image *row)
{
	struct law_image dropped;
	sqlite3_stmt *st;

	law_take(db, s, row, &dropped);
	st = law_prepare(db, "INSERT INTO m VALUES (?1,?2,?3,?4,?5,?6,?7)");
	for (int c = 0; c < LAW_COLUMNS; c++)
		law_bind(st, c + 1, row, c);
	sqlite3_step(st);
	sqlite3_finalize(st);
}

/* The columns of `over` over those of `base`. */
static inline void law_overlay(struct law_image *base, const struct law_image *over, int columns)
{
	for (int c = 0; c < columns; c++) {
		if (!over->present[c])
			continue;
		base->present[c] = true;
		base->null[c] = over->null[c];
		memcpy(base->text[c], over->text[c], 64);
	}
}

static inline void law_replay(sqlite3 *db, const struct law_shape *s, const struct law_change *ch)
{
	struct law_image row, key;

	memset(&row, 0, sizeof(row));
	switch (ch->type) {
	case CDC_RECORD_TRUNCATE:
		law_sql(db, "DELETE FROM m");
		return;
	case CDC_RECORD_DELETE:
		law_take(db, s, &ch->before, &row);
		return;
	case CDC_RECORD_UPDATE:
		key = ch->after;
		law_overlay(&key, &ch->before, s->num_keys);
		law_take(db, s, &key, &row);
		law_overlay(&row, &key, s->num_keys);
		law_overlay(&row, &ch->after, LAW_COLUMNS);
		law_put(db, s, &row);
		return;
	default:
		law_put(db, s, &ch->after);
	}
}

/* ------------------------------------------------------------------ comparison */

struct law_lines {
	char **line;
	size_t n, cap;
};

static inline void law_push(struct law_lines *l, const char *text)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->line = realloc(l->line, l->cap * sizeof(*l->line));
	}
	l->line[l->n++] = strdup(text);
}

static inline int law_by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void law_lines_free(struct law_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->line[i]);
	free(l->line);
	*l = (struct law_lines){ .n = 0 };
}

/* What `st` gives, of which the first `columns` count. */
static inline void law_sqlite_rows(sqlite3_stmt *st, int columns, struct law_lines *l)
{
	while (sqlite3_step(st) == SQLITE_ROW) {
		char text[512] = "";

		for (int c = 0; c < columns; c++) {
			const unsigned char *v = sqlite3_column_text(st, c);

			strcat(text, v ? "=" : "~");
			strcat(text, v ? (const char *)v : "");
			strcat(text, "|");
		}
		law_push(l, text);
	}
	sqlite3_finalize(st);
	if (l->n)
		qsort(l->line, l->n, sizeof(*l->line), law_by_text);
}

static inline void law_cell(const struct cdc_column *c, uint32_t i, char *text)
{
	char buf[CDC_VALUE_TEXT_MAX + 1];
	size_t n = 0;

	if (cdc_column_is_null(c, i)) {
		strcat(text, "~|");
		return;
	}
	switch (c->field->type) {
	case CDC_TYPE_INTEGER:
		n = cdc_int64_format(((const int32_t *)c->values)[i], buf);
		break;
	case CDC_TYPE_LONG:
		n = cdc_int64_format(((const int64_t *)c->values)[i], buf);
		break;
	case CDC_TYPE_DATE:
		n = cdc_date_format(((const int32_t *)c->values)[i], buf);
		break;
	case CDC_TYPE_DECIMAL:
		n = cdc_decimal_format(((const cdc_i128 *)c->values)[i], c->field->scale, buf);
		break;
	default:
		strcat(text, "=");
		if (((const struct cdc_str *)c->values)[i].n)
			strncat(text, ((const struct cdc_str *)c->values)[i].p,
				((const struct cdc_str *)c->values)[i].n);
		strcat(text, "|");
		return;
	}
	buf[n] = 0;
	strcat(strcat(strcat(text, "="), buf), "|");
}

static inline int law_table_rows(const struct cdc_io *io, const char *path, int64_t version,
				 struct law_lines *l, struct cdc_err *err)
{
	struct cdc_snapshot *s = NULL;
	struct cdc_scan *scan = NULL;
	struct cdc_batch b;
	int rc = cdc_snapshot_load(&s, io, path, version, err);

	if (!rc)
		rc = cdc_scan_new(&scan, io, s, NULL, err);
	while (!rc && !(rc = cdc_scan_next(scan, &b, err))) {
		for (uint32_t i = 0; i < b.rows; i++) {
			char text[512] = "";

			for (int c = 0; c < b.num_columns; c++)
				law_cell(&b.column[c], i, text);
			law_push(l, text);
		}
	}
	cdc_scan_free(scan);
	cdc_snapshot_free(s);
	if (l->n)
		qsort(l->line, l->n, sizeof(*l->line), law_by_text);
	return rc == CDC_END ? CDC_OK : rc;
}

static inline bool law_same(const struct law_lines *a, const struct law_lines *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->line[i], b->line[i]))
			return false;
	return true;
}

/* ------------------------------------------------------------------ the run */

static inline int law_no_fsync(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	return 0;
}

static inline int law_reject(void *ctx, const char *reason, const char *file, uint64_t line,
			     struct cdc_str raw, struct cdc_err *err)
{
	(void)ctx;
	(void)file;
	return cdc_fail(err, CDC_EDATA, "line %llu rejected: %s: %.*s", (unsigned long long)line,
			reason, (int)raw.n, raw.p);
}

static inline int law_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void law_remove_tree(const char *path)
{
	nftw(path, law_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
