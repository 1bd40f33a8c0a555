/*
 * Proves that a merged table is what the law of cdc(7) says, by SQLite: random streams of changes
 * with key changes, swaps, re-inserts, partial images, nulls and TRUNCATE, shuffled inside their
 * batches, are merged batch by batch in every mode, and each version is compared with a table that
 * SQLite keeps by replaying the records one at a time. Also that a stream which is replayed from
 * its start changes nothing (law 3).
 *
 *	prop_merge [SEQUENCES [SEED]]
 */
#include "base/value.h"
#include "record/record.h"
#include "table/merge.h"
#include "table/scan.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define COLUMNS 5
#define MAX_BATCH 40
#define LINE_MAX_ 1024

struct shape {
	const char *name;
	const char *ddl;
	const char *key[3];
	const char *partition[2];
	const char *property;
	enum cdc_merge_mode mode;
	int num_keys; /* columns 0 .. num_keys-1 are the key */
	bool string_key;
};

#define TAIL ", d DECIMAL(7,2), s STRING, day DATE"

static const struct shape shapes[] = {
	{ "cow",
	  "k BIGINT NOT NULL, n INT" TAIL,
	  { "k" },
	  { NULL },
	  NULL,
	  CDC_MERGE_COW,
	  1,
	  false },
	{ "dv", "k BIGINT NOT NULL, n INT" TAIL, { "k" }, { NULL }, NULL, CDC_MERGE_DV, 1, false },
	{ "composite",
	  "k INT, n INT" TAIL,
	  { "k", "n" },
	  { NULL },
	  NULL,
	  CDC_MERGE_AUTO,
	  2,
	  false },
	{ "string",
	  "k STRING, n INT" TAIL,
	  { "k" },
	  { NULL },
	  "delta.enableDeletionVectors=true",
	  CDC_MERGE_AUTO,
	  1,
	  true },
	{ "partitioned", "k BIGINT, n INT" TAIL, { "k" }, { "n" }, NULL, CDC_MERGE_COW, 1, false },
	{ "partition-key",
	  "k BIGINT, n INT" TAIL,
	  { "k", "n" },
	  { "k" },
	  NULL,
	  CDC_MERGE_DV,
	  2,
	  false },
	{ "decimal",
	  "k DECIMAL(20,0), n INT" TAIL,
	  { "k" },
	  { "day" },
	  NULL,
	  CDC_MERGE_DV,
	  1,
	  false },
};

static const char *const column_name[COLUMNS] = { "k", "n", "d", "s", "day" };

/* ------------------------------------------------------------------ random */

static uint64_t rng;

static uint32_t rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)((rng >> 16) % n);
}

/* Canonical text of a random value of a column; NULL: SQL null. */
static const char *random_value(const struct shape *s, int c, char buf[64])
{
	static const char *const strings[] = { "",
					       "a",
					       "Zo\xc3\xab",
					       "q\"uote",
					       "back\\slash",
					       "tab\there",
					       "\xf0\x9f\x8d\x8b lemon",
					       "null" };

	if (c >= s->num_keys && rnd(5) == 0)
		return NULL;
	switch (c) {
	case 0:
		snprintf(buf, 64, s->string_key ? "key-%u" : "%u", rnd(8));
		return buf;
	case 1:
		snprintf(buf, 64, "%d", (int)rnd(3) - 1);
		return buf;
	case 2:
		snprintf(buf, 64, "%s%u.%02u", "", rnd(99999), rnd(100));
		return buf;
	case 3:
		return strings[rnd(8)];
	default:
		snprintf(buf, 64, "20%02u-%02u-%02u", 10 + rnd(3), 1 + rnd(12), 1 + rnd(28));
		return buf;
	}
}

/* ------------------------------------------------------------------ records */

struct image {
	bool present[COLUMNS];
	bool null[COLUMNS];
	char text[COLUMNS][64];
};

struct change {
	enum cdc_record_type type;
	uint64_t id;
	struct image before, after;
};

static void fill(const struct shape *s, struct image *im, bool partial)
{
	for (int c = 0; c < COLUMNS; c++) {
		char buf[64];
		const char *v = random_value(s, c, buf);

		im->present[c] = !partial || c < s->num_keys || rnd(2);
		im->null[c] = !v;
		snprintf(im->text[c], sizeof(im->text[c]), "%s", v ? v : "");
	}
}

static struct change random_change(const struct shape *s, uint64_t id)
{
	struct change ch = { .id = id };
	uint32_t kind = rnd(100);

	if (kind < 30) {
		ch.type = rnd(3) ? CDC_RECORD_INSERT : CDC_RECORD_INIT;
		fill(s, &ch.after, rnd(4) == 0);
	} else if (kind < 75) {
		bool move = rnd(3) == 0;

		ch.type = CDC_RECORD_UPDATE;
		fill(s, &ch.before, rnd(2) == 0);
		fill(s, &ch.after, rnd(2) == 0);
		for (int c = 0; c < s->num_keys; c++) {
			if (!move)
				memcpy(ch.after.text[c], ch.before.text[c], 64);
			/* A key column may be in one of the images only. */
			if (!move && rnd(4) == 0)
				ch.before.present[c] = false;
			else if (!move && rnd(4) == 0)
				ch.after.present[c] = false;
		}
	} else if (kind < 98) {
		ch.type = CDC_RECORD_DELETE;
		fill(s, &ch.before, true);
	} else {
		ch.type = CDC_RECORD_TRUNCATE;
	}
	return ch;
}

static size_t put_image(char *out, const char *name, const struct image *im)
{
	size_t n = (size_t)sprintf(out, ",\"%s\":{", name);
	bool first = true;

	for (int c = 0; c < COLUMNS; c++) {
		if (!im->present[c])
			continue;
		n += (size_t)sprintf(out + n, "%s\"%s\":", first ? "" : ",", column_name[c]);
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

static size_t put_record(char *out, const struct change *ch)
{
	size_t n =
		(size_t)sprintf(out, "{\"recordID\":%llu,\"dbTable\":\"d.t\",\"recordType\":\"%s\"",
				(unsigned long long)ch->id, cdc_record_type_name(ch->type));

	if (cdc_record_is_row(ch->type)) {
		n += put_image(out + n, "beforeImages", &ch->before);
		n += put_image(out + n, "afterImages", &ch->after);
	}
	return n +
	       (size_t)sprintf(out + n,
			       ",\"position\":{\"topic\":\"t\",\"partition\":0,\"offset\":%llu}}",
			       (unsigned long long)ch->id);
}

/* ------------------------------------------------------------------ oracle */

static void sql(sqlite3 *db, const char *text)
{
	char *message = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK) {
		fprintf(stderr, "sqlite: %s: %s\n", message, text);
		exit(70);
	}
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *text)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db, text, -1, &st, NULL) != SQLITE_OK) {
		fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
		exit(70);
	}
	return st;
}

static void bind(sqlite3_stmt *st, int i, const struct image *im, int c)
{
	if (im->null[c] || !im->present[c])
		sqlite3_bind_null(st, i);
	else
		sqlite3_bind_text(st, i, im->text[c], -1, SQLITE_TRANSIENT);
}

/* Take the row with this key out of the table; false if there is none. */
static bool take(sqlite3 *db, const struct shape *s, const struct image *key, struct image *row)
{
	sqlite3_stmt *st = prepare(db, s->num_keys == 1 ? "SELECT * FROM m WHERE k=?1"
							: "SELECT * FROM m WHERE k=?1 AND n=?2");
	bool found;

	for (int c = 0; c < s->num_keys; c++)
		bind(st, c + 1, key, c);
	found = sqlite3_step(st) == SQLITE_ROW;
	for (int c = 0; found && c < COLUMNS; c++) {
		const unsigned char *v = sqlite3_column_text(st, c);

		row->present[c] = true;
		row->null[c] = !v;
		snprintf(row->text[c], 64, "%s", v ? (const char *)v : "");
	}
	sqlite3_finalize(st);
	st = prepare(db, s->num_keys == 1 ? "DELETE FROM m WHERE k=?1"
					  : "DELETE FROM m WHERE k=?1 AND n=?2");
	for (int c = 0; c < s->num_keys; c++)
		bind(st, c + 1, key, c);
	sqlite3_step(st);
	sqlite3_finalize(st);
	return found;
}

static void put(sqlite3 *db, const struct shape *s, const struct image *row)
{
	struct image dropped;
	sqlite3_stmt *st;

	take(db, s, row, &dropped);
	st = prepare(db, "INSERT INTO m VALUES (?1,?2,?3,?4,?5)");
	for (int c = 0; c < COLUMNS; c++)
		bind(st, c + 1, row, c);
	sqlite3_step(st);
	sqlite3_finalize(st);
}

/* The columns of `over` over those of `base`. */
static void overlay(struct image *base, const struct image *over, int columns)
{
	for (int c = 0; c < columns; c++) {
		if (!over->present[c])
			continue;
		base->present[c] = true;
		base->null[c] = over->null[c];
		memcpy(base->text[c], over->text[c], 64);
	}
}

static void replay(sqlite3 *db, const struct shape *s, const struct change *ch)
{
	struct image row, key;

	memset(&row, 0, sizeof(row));
	switch (ch->type) {
	case CDC_RECORD_TRUNCATE:
		sql(db, "DELETE FROM m");
		return;
	case CDC_RECORD_DELETE:
		take(db, s, &ch->before, &row);
		return;
	case CDC_RECORD_UPDATE:
		key = ch->after;
		overlay(&key, &ch->before, s->num_keys);
		take(db, s, &key, &row);
		overlay(&row, &key, s->num_keys);
		overlay(&row, &ch->after, COLUMNS);
		put(db, s, &row);
		return;
	default:
		put(db, s, &ch->after);
	}
}

/* ------------------------------------------------------------------ comparison */

struct lines {
	char **line;
	size_t n, cap;
};

static void push(struct lines *l, const char *text)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->line = realloc(l->line, l->cap * sizeof(*l->line));
	}
	l->line[l->n++] = strdup(text);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void clear(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->line[i]);
	free(l->line);
	*l = (struct lines){ .n = 0 };
}

static void sqlite_rows(sqlite3 *db, struct lines *l)
{
	sqlite3_stmt *st = prepare(db, "SELECT * FROM m");

	while (sqlite3_step(st) == SQLITE_ROW) {
		char text[512] = "";

		for (int c = 0; c < COLUMNS; c++) {
			const unsigned char *v = sqlite3_column_text(st, c);

			strcat(text, v ? "=" : "~");
			strcat(text, v ? (const char *)v : "");
			strcat(text, "|");
		}
		push(l, text);
	}
	sqlite3_finalize(st);
	if (l->n)
		qsort(l->line, l->n, sizeof(*l->line), by_text);
}

static void cell(const struct cdc_column *c, uint32_t i, char *text)
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

static int table_rows(const struct cdc_io *io, const char *path, struct lines *l,
		      struct cdc_err *err)
{
	struct cdc_snapshot *s = NULL;
	struct cdc_scan *scan = NULL;
	struct cdc_batch b;
	int rc = cdc_snapshot_load(&s, io, path, -1, err);

	if (!rc)
		rc = cdc_scan_new(&scan, io, s, NULL, err);
	while (!rc && !(rc = cdc_scan_next(scan, &b, err))) {
		for (uint32_t i = 0; i < b.rows; i++) {
			char text[512] = "";

			for (int c = 0; c < b.num_columns; c++)
				cell(&b.column[c], i, text);
			push(l, text);
		}
	}
	cdc_scan_free(scan);
	cdc_snapshot_free(s);
	if (l->n)
		qsort(l->line, l->n, sizeof(*l->line), by_text);
	return rc == CDC_END ? CDC_OK : rc;
}

static bool same(const struct lines *a, const struct lines *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->line[i], b->line[i]))
			return false;
	return true;
}

/* ------------------------------------------------------------------ one sequence */

static int no_fsync(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	return 0;
}

static int on_reject(void *ctx, const char *reason, const char *file, uint64_t line,
		     struct cdc_str raw, struct cdc_err *err)
{
	(void)ctx;
	(void)file;
	return cdc_fail(err, CDC_EDATA, "line %llu rejected: %s: %.*s", (unsigned long long)line,
			reason, (int)raw.n, raw.p);
}

struct sequence {
	const struct shape *shape;
	const struct cdc_io *io;
	const char *path;
	const char *property[2];
	sqlite3 *db;
	struct change batch[MAX_BATCH];
	uint64_t next_id;
	struct cdc_buf all; /* every line so far, for the replay */
};

static int open_merge(struct sequence *q, struct cdc_merge **m, struct cdc_err *err)
{
	struct cdc_merge_options o = { .io = q->io,
				       .table = q->path,
				       .create = true,
				       .schema = q->shape->ddl,
				       .key = q->shape->key,
				       .partition_by = q->shape->partition,
				       .property = q->property,
				       .mode = q->shape->mode,
				       .on_reject = on_reject };

	return cdc_merge_new(m, &o, err);
}

static int feed(struct sequence *q, struct cdc_merge *m, const char *line, size_t n,
		struct cdc_err *err)
{
	int rc = cdc_buf_append(&q->all, line, n, err);

	if (!rc)
		rc = cdc_buf_putc(&q->all, '\n', err);
	return rc ? rc : cdc_merge_line(m, cdc_str(line, n), 1, "test", err);
}

/* A batch: generated in order for the oracle, shuffled for the merge, closed by a CHECKPOINT. */
static int run_batch(struct sequence *q, struct cdc_merge *m, struct cdc_err *err)
{
	uint32_t n = 1 + rnd(MAX_BATCH);
	char line[LINE_MAX_ * 4];
	size_t len;

	for (uint32_t i = 0; i < n; i++) {
		q->batch[i] = random_change(q->shape, q->next_id++);
		replay(q->db, q->shape, &q->batch[i]);
	}
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = rnd(i);
		struct change t = q->batch[j];

		q->batch[j] = q->batch[i - 1];
		q->batch[i - 1] = t;
	}
	for (uint32_t i = 0; i < n; i++) {
		len = put_record(line, &q->batch[i]);
		if (feed(q, m, line, len, err))
			return err->code;
	}
	len = (size_t)sprintf(line,
			      "{\"recordType\":\"CHECKPOINT\",\"positions\":[{\"topic\":\"t\","
			      "\"partition\":0,\"offset\":%llu}]}",
			      (unsigned long long)q->next_id - 1);
	return feed(q, m, line, len, err);
}

static int compare(struct sequence *q, struct cdc_err *err)
{
	struct lines want = { .n = 0 }, have = { .n = 0 };
	int rc = table_rows(q->io, q->path, &have, err);

	sqlite_rows(q->db, &want);
	if (!rc && !same(&want, &have)) {
		rc = cdc_fail(err, CDC_EDATA, "table has %zu rows, SQLite %zu, or they differ",
			      have.n, want.n);
		for (size_t i = 0; i < want.n || i < have.n; i++)
			printf("#  %-60s %s\n", i < want.n ? want.line[i] : "-",
			       i < have.n ? have.line[i] : "-");
	}
	clear(&want);
	clear(&have);
	return rc;
}

/* Law 3: the whole stream once more, by a new run. */
static int replay_all(struct sequence *q, int64_t version, struct cdc_err *err)
{
	struct cdc_merge *m = NULL;
	size_t at = 0;
	int rc = open_merge(q, &m, err);

	while (!rc && at < q->all.len) {
		const char *end = memchr(q->all.p + at, '\n', q->all.len - at);

		rc = cdc_merge_line(m, cdc_str(q->all.p + at, (size_t)(end - q->all.p) - at), 1,
				    "test", err);
		at = (size_t)(end - q->all.p) + 1;
	}
	if (!rc)
		rc = cdc_merge_finish(m, err);
	if (!rc && (cdc_merge_version(m) >= 0 || cdc_merge_counts(m)->batches))
		rc = cdc_fail(err, CDC_EDATA, "the replay wrote version %lld after %lld",
			      (long long)cdc_merge_version(m), (long long)version);
	cdc_merge_free(m);
	return rc ? rc : compare(q, err);
}

static int run_sequence(struct sequence *q, struct cdc_err *err)
{
	struct cdc_merge *m = NULL;
	uint32_t batches = 1 + rnd(6);
	int rc = open_merge(q, &m, err);

	for (uint32_t i = 0; !rc && i < batches; i++) {
		rc = run_batch(q, m, err);
		if (!rc)
			rc = compare(q, err);
		/* Sometimes by a new run, as cron would do it. */
		if (!rc && rnd(3) == 0) {
			rc = cdc_merge_finish(m, err);
			cdc_merge_free(m);
			m = NULL;
			if (!rc)
				rc = open_merge(q, &m, err);
		}
	}
	if (!rc)
		rc = cdc_merge_finish(m, err);
	if (!rc)
		rc = replay_all(q, cdc_merge_version(m), err);
	cdc_merge_free(m);
	return rc;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(int argc, char **argv)
{
	size_t shapes_n = sizeof(shapes) / sizeof(shapes[0]);
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1400;
	unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : (unsigned long)time(NULL);
	struct cdc_io io = cdc_io_posix;
	unsigned long failed[16] = { 0 }, ran[16] = { 0 };
	char root[] = "/tmp/prop-merge-XXXXXX";
	char path[128];

	io.fsync = no_fsync;
	if (!mkdtemp(root))
		return 4;
	printf("# seed %lu\n", seed);
	for (unsigned long i = 0; i < count; i++) {
		struct sequence q = { .shape = &shapes[i % shapes_n],
				      .io = &io,
				      .path = path,
				      .property = { shapes[i % shapes_n].property } };
		struct cdc_err err = CDC_ERR_INIT;

		rng = (seed + i) * 0x9e3779b97f4a7c15u | 1;
		rnd(2);
		snprintf(path, sizeof(path), "%s/t%lu", root, i);
		sqlite3_open(":memory:", &q.db);
		sql(q.db, "CREATE TABLE m(k TEXT, n TEXT, d TEXT, s TEXT, day TEXT)");
		ran[i % shapes_n]++;
		if (run_sequence(&q, &err)) {
			failed[i % shapes_n]++;
			printf("# %s, seed %lu: %s\n", q.shape->name, seed + i, err.msg);
		}
		sqlite3_close(q.db);
		cdc_buf_free(&q.all);
		remove_tree(path);
		if (failed[i % shapes_n] > 2)
			break;
	}
	remove_tree(root);
	for (size_t s = 0; s < shapes_n; s++)
		printf("%s %zu - %s: %lu sequences equal SQLite's replay\n",
		       failed[s] || !ran[s] ? "not ok" : "ok", s + 1, shapes[s].name, ran[s]);
	printf("1..%zu\n", shapes_n);
	return 0;
}
