/*
 * Proves what a merge does that loses to another writer's commit: at the moment when it puts its
 * own into the log, another merge or a compaction is first. The table must be what the two would
 * make of it one after the other; what the winner did not concern is not read and not written
 * again; the change data feed tells of what really was replaced.
 */
#include "table/compact/compact.h"
#include "table/merge/merge.h"
#include "table/scan/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* An operating system in which somebody else commits first, `races` times. */
struct race {
	struct cdc_io io;
	char dir[64];
	void (*winner)(struct race *r);
	const char *const *lines; /* of the winner */
	int races;
	int data_files; /* opened for writing */
	int data_reads; /* opened for reading */
	uint64_t slept_ms;
	struct cdc_merge_result result;
	int rejects;
};

static int race_link(void *ctx, const char *from, const char *to)
{
	struct race *r = ctx;

	if (r->races && strstr(to, ".json")) {
		r->races--;
		r->winner(r);
	}
	return link(from, to);
}

static int race_open(void *ctx, const char *path, int flags, mode_t mode)
{
	struct race *r = ctx;

	if (strstr(path, ".parquet") && !strstr(path, "_delta_log")) {
		r->data_files += (flags & O_CREAT) != 0;
		r->data_reads += !(flags & O_CREAT);
	}
	return cdc_io_posix.open(NULL, path, flags, mode);
}

static void race_sleep(void *ctx, uint32_t ms)
{
	((struct race *)ctx)->slept_ms += ms;
}

static int make_dir(void **state)
{
	struct race *r = calloc(1, sizeof(*r));

	r->io = cdc_io_posix;
	r->io.ctx = r;
	r->io.link = race_link;
	r->io.open = race_open;
	r->io.sleep_ms = race_sleep;
	strcpy(r->dir, "/tmp/test_race.XXXXXX");
	*state = r;
	return mkdtemp(r->dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	struct race *r = *state;
	char command[80];

	snprintf(command, sizeof(command), "rm -r %s", r->dir);
	free(r);
	return system(command);
}

static int on_reject(void *ctx, const char *reason, const char *file, uint64_t line,
		     struct cdc_str raw, struct cdc_err *err)
{
	(void)reason;
	(void)file;
	(void)line;
	(void)raw;
	(void)err;
	((struct race *)ctx)->rejects++;
	return CDC_OK;
}

static void on_commit(void *ctx, const struct cdc_merge_result *d)
{
	((struct race *)ctx)->result = *d;
}

static const char *const no_property[] = { NULL };
static const char *const vectors[] = { "delta.enableDeletionVectors=true", NULL };
static const char *const key[] = { "id", NULL };

static int merge(struct race *r, const struct cdc_io *io, const char *const *lines,
		 enum cdc_merge_mode mode, int retries, const char *const *property)
{
	struct cdc_merge_options opt = { .io = io,
					 .table = r->dir,
					 .create = property != NULL,
					 .schema = "id BIGINT NOT NULL, a STRING, n INT",
					 .key = key,
					 .property = property,
					 .mode = mode,
					 .position = CDC_POSITION_NONE,
					 .retries = retries,
					 .ctx = r,
					 .on_reject = on_reject,
					 .on_commit = on_commit };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_merge *m = NULL;
	int rc = cdc_merge_new(&m, &opt, &err);

	for (size_t i = 0; !rc && lines[i]; i++)
		rc = cdc_merge_line(m, cdc_str_z(lines[i]), i + 1, "in", &err);
	if (!rc)
		rc = cdc_merge_finish(m, &err);
	if (rc && rc != CDC_ECONFLICT)
		print_error("%s\n", err.msg);
	cdc_merge_free(m);
	return rc;
}

static void other_merge(struct race *r)
{
	struct cdc_merge_result own = r->result;

	assert_int_equal(merge(r, &cdc_io_posix, r->lines, CDC_MERGE_AUTO, 0, NULL), 0);
	r->result = own;
}

static void compaction(struct race *r)
{
	struct cdc_compact_options opt = { .io = &cdc_io_posix, .table = r->dir };
	struct cdc_compact_result result;
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_compact(&opt, &result, &err), 0);
	assert_true(result.version > 0);
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The rows as "id a n", sorted, each with its line end. */
static void expect(const struct race *r, const char *want)
{
	struct cdc_snapshot *s = NULL;
	struct cdc_scan *scan = NULL;
	struct cdc_scan_options opt = { .columns = NULL };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_batch b;
	char *line[64], have[2048] = "";
	int n = 0;

	assert_int_equal(cdc_snapshot_load(&s, &cdc_io_posix, r->dir, -1, &err), 0);
	assert_int_equal(cdc_scan_new(&scan, &cdc_io_posix, s, &opt, &err), 0);
	while (cdc_scan_next(scan, &b, &err) == CDC_OK)
		for (uint32_t i = 0; i < b.rows; i++) {
			struct cdc_str a = ((const struct cdc_str *)b.column[1].values)[i];
			bool null = cdc_column_is_null(&b.column[2], i);

			assert_true(n < 64);
			line[n] = malloc(64);
			snprintf(line[n++], 64, "%d %.*s %d\n",
				 (int)((const int64_t *)b.column[0].values)[i], (int)a.n, a.p,
				 null ? -1 : ((const int32_t *)b.column[2].values)[i]);
		}
	qsort(line, (size_t)n, sizeof(*line), compare_text);
	for (int i = 0; i < n; i++) {
		strcat(have, line[i]);
		free(line[i]);
	}
	assert_string_equal(have, want);
	cdc_scan_free(scan);
	cdc_snapshot_free(s);
}

#define ROW(id, a, n) "{\"id\":\"" id "\",\"a\":\"" a "\",\"n\":\"" n "\"}"
#define RECORD(type, before, after)                                                                \
	"{\"recordID\":1,\"dbTable\":\"d.t\",\"recordType\":\"" type "\",\"beforeImages\":" before \
	",\"afterImages\":" after "}"
#define INSERT(id, a, n) RECORD("INSERT", "{}", ROW(id, a, n))
#define PARTIAL(id, a) RECORD("UPDATE", "{\"id\":\"" id "\"}", "{\"a\":\"" a "\"}")
#define MOVE(from, to) RECORD("UPDATE", "{\"id\":\"" from "\"}", "{\"id\":\"" to "\"}")
#define DELETE(id) RECORD("DELETE", "{\"id\":\"" id "\"}", "{}")

/* Rows 1 to 4 in two files. */
static void start(struct race *r, const char *const *property)
{
	static const char *const first[] = { INSERT("1", "a", "1"), INSERT("2", "b", "2"), NULL };
	static const char *const second[] = { INSERT("3", "c", "3"), INSERT("4", "d", "4"), NULL };

	assert_int_equal(merge(r, &cdc_io_posix, first, CDC_MERGE_AUTO, 0, property), 0);
	assert_int_equal(merge(r, &cdc_io_posix, second, CDC_MERGE_AUTO, 0, NULL), 0);
}

static void lose(struct race *r, void (*winner)(struct race *), const char *const *theirs,
		 const char *const *mine, enum cdc_merge_mode mode)
{
	r->winner = winner;
	r->lines = theirs;
	r->races = 1;
	r->data_files = r->data_reads = 0;
	r->slept_ms = 0;
	assert_int_equal(merge(r, &r->io, mine, mode, 0, NULL), 0);
	assert_int_equal(r->races, 0);
	assert_true(r->slept_ms > 0);
}

/* ------------------------------------------------------------------ tests */

static void other_keys(void **state)
{
	static const char *const theirs[] = { INSERT("9", "w", "9"), NULL };
	static const char *const mine[] = { PARTIAL("1", "x"), INSERT("5", "e", "5"), NULL };
	struct race *r = *state;

	start(r, no_property);
	lose(r, other_merge, theirs, mine, CDC_MERGE_COW);
	expect(r, "1 x 1\n2 b 2\n3 c 3\n4 d 4\n5 e 5\n9 w 9\n");
	/* The file of row 1 was written once, with row 5. */
	assert_int_equal(r->data_files, 1);
	assert_int_equal(r->result.inserted, 1);
	assert_int_equal(r->result.updated, 1);
}

static void same_key(void **state)
{
	static const char *const theirs[][2] = { { INSERT("1", "w", "7"), NULL },
						 { INSERT("2", "w", "8"), NULL } };
	static const char *const mine[][2] = { { PARTIAL("1", "x"), NULL },
					       { PARTIAL("2", "x"), NULL } };
	struct race *r = *state;

	/* The partial image builds on what the winner left. */
	start(r, vectors);
	lose(r, other_merge, theirs[0], mine[0], CDC_MERGE_COW);
	expect(r, "1 x 7\n2 b 2\n3 c 3\n4 d 4\n");
	lose(r, other_merge, theirs[1], mine[1], CDC_MERGE_DV);
	expect(r, "1 x 7\n2 x 8\n3 c 3\n4 d 4\n");
}

static void deleted_meanwhile(void **state)
{
	static const char *const theirs[] = { DELETE("1"), NULL };
	static const char *const mine[] = { DELETE("1"), DELETE("2"), NULL };
	struct race *r = *state;

	start(r, vectors);
	lose(r, other_merge, theirs, mine, CDC_MERGE_DV);
	expect(r, "3 c 3\n4 d 4\n");
	assert_int_equal(r->result.deleted, 1);
}

static void nothing_left_to_do(void **state)
{
	static const char *const theirs[] = { INSERT("1", "x", "1"), NULL };
	static const char *const mine[] = { PARTIAL("1", "x"), NULL };
	struct race *r = *state;
	struct cdc_snapshot *s = NULL;
	struct cdc_err err = CDC_ERR_INIT;

	start(r, no_property);
	lose(r, other_merge, theirs, mine, CDC_MERGE_COW);
	expect(r, "1 x 1\n2 b 2\n3 c 3\n4 d 4\n");
	assert_int_equal(cdc_snapshot_load(&s, &cdc_io_posix, r->dir, -1, &err), 0);
	assert_int_equal(s->version, 3);
	cdc_snapshot_free(s);
}

static void moved_by_compaction(void **state)
{
	static const char *const mine[] = { PARTIAL("1", "x"), DELETE("3"), MOVE("4", "6"), NULL };
	struct race *r = *state;

	start(r, vectors);
	lose(r, compaction, NULL, mine, CDC_MERGE_DV);
	expect(r, "1 x 1\n2 b 2\n6 d 4\n");
	assert_int_equal(r->result.updated, 2);
	assert_int_equal(r->result.deleted, 1);
}

static void key_changes(void **state)
{
	static const char *const theirs[] = { MOVE("1", "5"), NULL };
	static const char *const mine[] = { MOVE("1", "2"), INSERT("5", "new", "0"), NULL };
	struct race *r = *state;

	start(r, vectors);
	lose(r, other_merge, theirs, mine, CDC_MERGE_DV);
	/* Row 1 is gone: what moves is a row without a base. */
	expect(r, "2  -1\n3 c 3\n4 d 4\n5 new 0\n");
}

static void a_reject_stays_one(void **state)
{
	static const char *const theirs[] = { INSERT("9", "w", "9"), INSERT("3", "w", "9"), NULL };
	static const char *const mine[] = { RECORD("INSERT", "{}", "{\"id\":\"x\"}"),
					    PARTIAL("3", "y"), NULL };
	struct race *r = *state;

	start(r, no_property);
	lose(r, other_merge, theirs, mine, CDC_MERGE_COW);
	assert_int_equal(r->rejects, 1);
	expect(r, "1 a 1\n2 b 2\n3 y 9\n4 d 4\n9 w 9\n");
}

/* The late reject of a key change keeps the old row, in the second try as well. */
static void a_late_reject_stays_one(void **state)
{
	static const char *const checks[] = { "delta.constraints.c=n < 9", NULL };
	static const char *const theirs[] = { INSERT("3", "w", "8"), NULL };
	static const char *const mine[] = { RECORD("UPDATE", "{\"id\":\"1\"}",
						   "{\"id\":\"5\",\"n\":\"50\"}"),
					    PARTIAL("3", "y"), NULL };
	struct race *r = *state;

	start(r, checks);
	lose(r, other_merge, theirs, mine, CDC_MERGE_COW);
	assert_int_equal(r->rejects, 1);
	expect(r, "1 a 1\n2 b 2\n3 y 8\n4 d 4\n");
}

static void many_times(void **state)
{
	static const char *const theirs[] = { PARTIAL("1", "w"), PARTIAL("1", "v"), NULL };
	static const char *const mine[] = { PARTIAL("2", "x"), NULL };
	struct race *r = *state;

	start(r, no_property);
	r->winner = other_merge;
	r->lines = theirs;
	/* Only the first of their merges changes anything. */
	r->races = 3;
	assert_int_equal(merge(r, &r->io, mine, CDC_MERGE_COW, 2, NULL), 0);
	expect(r, "1 v 1\n2 x 2\n3 c 3\n4 d 4\n");
}

static void gives_up(void **state)
{
	static const char *const theirs[] = { INSERT("1", "w", "7"), NULL };
	static const char *const mine[] = { PARTIAL("1", "x"), NULL };
	struct race *r = *state;

	start(r, no_property);
	r->winner = other_merge;
	r->lines = theirs;
	r->races = 1;
	r->data_files = 0;
	assert_int_equal(merge(r, &r->io, mine, CDC_MERGE_COW, -1, NULL), CDC_ECONFLICT);
	expect(r, "1 w 7\n2 b 2\n3 c 3\n4 d 4\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(other_keys, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(same_key, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(deleted_meanwhile, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(nothing_left_to_do, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(moved_by_compaction, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(key_changes, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_reject_stays_one, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_late_reject_stays_one, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(many_times, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(gives_up, make_dir, remove_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
