/*
 * Proves that the changes of a commit are what its old and new rows differ in: with duplicates and
 * nulls, with a key and without, whatever memory there is to match them in; that files of change
 * rows are read in both modes of column mapping; that what cannot be is refused, and a failed call
 * of the system is reported.
 */
#include "table/changes/changes.h"

#include "parquet/parquet.h"
#include "delta/log.h"
#include "tests/fault/faultio.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ------------------------------------------------------------------ tables by hand */

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_changes.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	strcat(dir, "/_delta_log");
	if (mkdir(dir, 0777))
		return -1;
	*strrchr(dir, '/') = '\0';
	return 0;
}

static int remove_dir(void **state)
{
	char command[80];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

struct row {
	int64_t k; /* -1: null */
	const char *v; /* NULL: null */
	const char *type; /* _change_type; NULL in a data file */
};

/* A file of columns k and v, and _change_type if the first row has one. */
static void put_file(const char *name, const struct row *row, uint32_t n, int32_t field_id)
{
	struct cdc_schema schema = CDC_SCHEMA_INIT;
	struct cdc_pq_write_options opt;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_summary sum;
	struct cdc_pq_schema pq;
	struct cdc_pq_writer *w;
	int64_t *k = calloc(n, sizeof(*k));
	struct cdc_str *v = calloc(n, sizeof(*v)), *type = calloc(n, sizeof(*type));
	uint8_t *has_k = calloc(n, 1), *has_v = calloc(n, 1), *has_type = calloc(n, 1);
	struct cdc_pq_vec vec[3] = {
		{ .type = CDC_PQ_INT64, .n = n, .values = k, .def = has_k },
		{ .type = CDC_PQ_BYTE_ARRAY, .n = n, .values = v, .def = has_v },
		{ .type = CDC_PQ_BYTE_ARRAY, .n = n, .values = type, .def = has_type },
	};
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	assert_true(fd >= 0);
	for (uint32_t i = 0; i < n; i++) {
		has_k[i] = row[i].k >= 0;
		has_v[i] = row[i].v != NULL;
		has_type[i] = row[i].type != NULL;
		k[i] = row[i].k;
		v[i] = cdc_str_z(row[i].v);
		type[i] = cdc_str_z(row[i].type);
	}
	assert_int_equal(
		cdc_schema_from_ddl(&schema,
				    row[0].type ? CDC_STR("k BIGINT, v STRING, _change_type STRING")
						: CDC_STR("k BIGINT, v STRING"),
				    &err),
		0);
	for (int i = 0; field_id && i < 2; i++) {
		schema.field[i].has_field_id = true;
		schema.field[i].field_id = field_id + i;
	}
	cdc_pq_write_options_init(&opt);
	opt.row_group_rows = 5000;
	assert_int_equal(cdc_schema_to_parquet(&schema, &pq, &arena, &err), 0);
	assert_int_equal(cdc_pq_writer_new(&w, &cdc_io_posix, fd, &pq, &opt, &err), 0);
	assert_int_equal(cdc_pq_writer_write(w, vec, n, &err), 0);
	assert_int_equal(cdc_pq_writer_finish(w, &sum, &err), 0);
	cdc_pq_writer_free(w);
	cdc_pq_summary_free(&sum);
	assert_int_equal(close(fd), 0);
	cdc_arena_free(&arena);
	cdc_schema_free(&schema);
	free(k);
	free(v);
	free(type);
	free(has_k);
	free(has_v);
	free(has_type);
}

static void put_commit(int version, const char *actions)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/_delta_log/%020d.json", dir, version);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(actions, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

#define PROTOCOL "{\"protocol\":{\"minReaderVersion\":2,\"minWriterVersion\":5}}\n"
#define FIELD(name, type, metadata)                                                                \
	"{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":\\\"" type                                    \
	"\\\",\\\"nullable\\\":true,\\\"metadata\\\":{" metadata "}}"
#define METADATA(fields, config)                                                                   \
	"{\"metaData\":{\"id\":\"t\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"        \
	"\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[" fields                  \
	"]}\",\"partitionColumns\":[],\"configuration\":{" config "}}}\n"
#define PLAIN METADATA(FIELD("k", "long", "") "," FIELD("v", "string", ""), "")
#define ADD(name)                                                                                  \
	"{\"add\":{\"path\":\"" name                                                               \
	"\",\"partitionValues\":{},\"size\":1,\"modificationTime\":0,\"dataChange\":true}}\n"
#define REMOVE(name)                                                                               \
	"{\"remove\":{\"path\":\"" name "\",\"deletionTimestamp\":0,\"dataChange\":true}}\n"
#define CDC(name)                                                                                  \
	"{\"cdc\":{\"path\":\"" name "\",\"partitionValues\":{},\"size\":1,\"dataChange\":false}}\n"

/* ------------------------------------------------------------------ running it */

static const char *const key_k[] = { "k", NULL };

static struct cdc_changes_options options(int64_t from, bool key)
{
	return (struct cdc_changes_options){ .io = &cdc_io_posix,
					     .table = dir,
					     .from = from,
					     .to = -1,
					     .key = key ? key_k : NULL,
					     .limit = UINT64_MAX };
}

/* Runs it, and returns what was printed, NUL-terminated, for the caller to free. */
static char *print(const struct cdc_changes_options *opt, struct cdc_changes_counts *n, int *rc,
		   struct cdc_err *err)
{
	FILE *f = tmpfile();
	struct cdc_writer w;
	char *text;
	long len;

	assert_non_null(f);
	*err = (struct cdc_err)CDC_ERR_INIT;
	assert_int_equal(cdc_writer_init(&w, &cdc_io_posix, fileno(f), err), 0);
	*rc = cdc_changes_print(opt, &w, n, err);
	assert_int_equal(cdc_writer_flush(&w, &(struct cdc_err)CDC_ERR_INIT), 0);
	cdc_writer_free(&w);
	len = lseek(fileno(f), 0, SEEK_END);
	text = calloc((size_t)len + 1, 1);
	assert_non_null(text);
	assert_int_equal(pread(fileno(f), text, (size_t)len, 0), len);
	fclose(f);
	return text;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * The row records of the text, short, and sorted if asked for: "D old", "I new" or "U old new", a
 * line each; images as JSON.
 */
static char *shorten(char *text, bool sort)
{
	char **line = NULL, *out, *to;
	size_t n = 0;

	out = to = malloc(strlen(text) + 1);
	assert_non_null(out);
	for (char *at = text, *end; *at; at = end + 1) {
		char *before = strstr(at, "\"beforeImages\":"), *after, *tail;

		end = strchr(at, '\n');
		assert_non_null(end);
		*end = '\0';
		if (!before || before > end)
			continue;
		before += 15;
		after = strstr(before, ",\"afterImages\":");
		tail = strstr(after, ",\"position\":");
		*after = *tail = '\0';
		after += 15;
		line = realloc(line, (n + 1) * sizeof(*line));
		line[n++] = to;
		if (!strcmp(before, "{}"))
			to += sprintf(to, "I %s", after) + 1;
		else if (!strcmp(after, "{}"))
			to += sprintf(to, "D %s", before) + 1;
		else
			to += sprintf(to, "U %s %s", before, after) + 1;
	}
	if (sort && n)
		qsort(line, n, sizeof(*line), compare_lines);
	to = text;
	for (size_t i = 0; i < n; i++)
		to += sprintf(to, "%s\n", line[i]);
	*to = '\0';
	free(line);
	free(out);
	return text;
}

static void changes_are(int64_t from, bool key, const char *want)
{
	struct cdc_changes_options opt = options(from, key);
	struct cdc_changes_counts n;
	struct cdc_err err;
	int rc;
	char *text = print(&opt, &n, &rc, &err);

	if (rc)
		fail_msg("%s", err.msg);
	assert_string_equal(shorten(text, false), want);
	free(text);
}

static void fails(int64_t from, int code, const char *why)
{
	struct cdc_changes_options opt = options(from, false);
	struct cdc_changes_counts n;
	struct cdc_err err;
	int rc;

	free(print(&opt, &n, &rc, &err));
	assert_int_equal(rc, code);
	assert_non_null(strstr(err.msg, why));
}

/* ------------------------------------------------------------------ pairs */

#define ROWS(array) array, sizeof(array) / sizeof((array)[0])

static void duplicates_cancel_one_by_one(void **state)
{
	static const struct row old[] = {
		{ 1, "a", NULL },  { 1, "a", NULL },	{ 1, "a", NULL },
		{ 2, "x", NULL },  { 2, "y", NULL },	{ 3, NULL, NULL },
		{ -1, "n", NULL }, { 4, "same", NULL }, { 5, "gone", NULL },
	};
	static const struct row fresh[] = {
		{ 4, "same", NULL }, { 1, "a", NULL },	 { 2, "z", NULL }, { 3, "", NULL },
		{ -1, "m", NULL },   { 6, "new", NULL }, { 1, "b", NULL }, { 6, "new", NULL },
	};

	(void)state;
	put_file("old", ROWS(old), 0);
	put_file("new", ROWS(fresh), 0);
	put_commit(0, PROTOCOL PLAIN ADD("old"));
	put_commit(1, REMOVE("old") ADD("new"));
	/* Of key 1 two rows are left and a new one, of key 2 two and one: the first is paired. */
	changes_are(1, true,
		    "D {\"k\":\"1\",\"v\":\"a\"}\n"
		    "D {\"k\":\"2\",\"v\":\"y\"}\n"
		    "D {\"k\":\"5\",\"v\":\"gone\"}\n"
		    "U {\"k\":\"2\",\"v\":\"x\"} {\"k\":\"2\",\"v\":\"z\"}\n"
		    "U {\"k\":\"3\",\"v\":null} {\"k\":\"3\",\"v\":\"\"}\n"
		    "U {\"k\":null,\"v\":\"n\"} {\"k\":null,\"v\":\"m\"}\n"
		    "I {\"k\":\"6\",\"v\":\"new\"}\n"
		    "U {\"k\":\"1\",\"v\":\"a\"} {\"k\":\"1\",\"v\":\"b\"}\n"
		    "I {\"k\":\"6\",\"v\":\"new\"}\n");
	changes_are(1, false,
		    "D {\"k\":\"1\",\"v\":\"a\"}\n"
		    "D {\"k\":\"1\",\"v\":\"a\"}\n"
		    "D {\"k\":\"2\",\"v\":\"x\"}\n"
		    "D {\"k\":\"2\",\"v\":\"y\"}\n"
		    "D {\"k\":\"3\",\"v\":null}\n"
		    "D {\"k\":null,\"v\":\"n\"}\n"
		    "D {\"k\":\"5\",\"v\":\"gone\"}\n"
		    "I {\"k\":\"2\",\"v\":\"z\"}\n"
		    "I {\"k\":\"3\",\"v\":\"\"}\n"
		    "I {\"k\":null,\"v\":\"m\"}\n"
		    "I {\"k\":\"6\",\"v\":\"new\"}\n"
		    "I {\"k\":\"1\",\"v\":\"b\"}\n"
		    "I {\"k\":\"6\",\"v\":\"new\"}\n");
}

#define MANY 20000

/* Every 3rd row goes, every 5th changes, every 7th key is new, the others are copied, reversed. */
static char *rewrite_many(bool key)
{
	static char value[MANY][2][24];
	struct row *old = calloc(MANY, sizeof(*old)), *fresh = calloc(MANY * 2, sizeof(*fresh));
	char *want = malloc((size_t)MANY * 200), *to = want;
	uint32_t n = 0;

	assert_true(old && fresh && want);
	for (int i = MANY - 1; i >= 0; i--) {
		snprintf(value[i][0], sizeof(value[i][0]), "value %d", i % 1000);
		snprintf(value[i][1], sizeof(value[i][1]), "other %d", i % 1000);
		old[i] = (struct row){ i, value[i][0], NULL };
		if (i % 3)
			fresh[n++] = (struct row){ i, value[i][i % 5 == 0], NULL };
		if (i % 7 == 0)
			fresh[n++] = (struct row){ MANY + i, value[i][0], NULL };
	}
	for (int i = 0; i < MANY; i++) {
		const char *a = value[i][0], *b = value[i][1];

		if (i % 3 == 0 || (i % 5 == 0 && !key))
			to += sprintf(to, "D {\"k\":\"%d\",\"v\":\"%s\"}\n", i, a);
		if (i % 3 && i % 5 == 0 && key)
			to += sprintf(to,
				      "U {\"k\":\"%d\",\"v\":\"%s\"} {\"k\":\"%d\",\"v\":\"%s\"}\n",
				      i, a, i, b);
		if (i % 3 && i % 5 == 0 && !key)
			to += sprintf(to, "I {\"k\":\"%d\",\"v\":\"%s\"}\n", i, b);
		if (i % 7 == 0)
			to += sprintf(to, "I {\"k\":\"%d\",\"v\":\"%s\"}\n", MANY + i, a);
	}
	put_file("old", old, MANY, 0);
	put_file("new", fresh, n, 0);
	free(old);
	free(fresh);
	return want;
}

/* Lines in strcmp's order. */
static void sort_text(char *text)
{
	size_t n = 0, size = strlen(text);
	char **line = malloc(MANY * 2 * sizeof(*line)), *copy = strdup(text), *to = text;

	assert_true(line && copy);
	for (char *at = copy; at < copy + size; at = strchr(at, '\0') + 1) {
		*strchr(at, '\n') = '\0';
		line[n++] = at;
	}
	qsort(line, n, sizeof(*line), compare_lines);
	for (size_t i = 0; i < n; i++)
		to += sprintf(to, "%s\n", line[i]);
	free(line);
	free(copy);
}

static void any_memory_gives_the_same(void **state)
{
	(void)state;
	for (int key = 0; key < 2; key++) {
		static const uint64_t memory[] = { 0, 4 << 20, 700000, 64 << 10 };
		char *want = rewrite_many(key);

		sort_text(want);
		put_commit(0, PROTOCOL PLAIN ADD("old"));
		put_commit(1, REMOVE("old") ADD("new"));
		for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); i++) {
			struct cdc_changes_options opt = options(1, key);
			struct cdc_changes_counts n;
			struct cdc_err err;
			char *text;
			int rc;

			opt.memory_bytes = memory[i];
			text = print(&opt, &n, &rc, &err);
			if (rc)
				fail_msg("%s", err.msg);
			assert_int_equal(n.commits, 1);
			assert_string_equal(shorten(text, true), want);
			free(text);
		}
		free(want);
	}
}

/* Without a key INSERTs come after all DELETEs, however many parts there are. */
static void deletes_come_first(void **state)
{
	struct cdc_changes_options opt = options(1, false);
	struct cdc_changes_counts n;
	struct cdc_err err;
	char *text, *first_insert;
	int rc;

	(void)state;
	free(rewrite_many(false));
	put_commit(0, PROTOCOL PLAIN ADD("old"));
	put_commit(1, REMOVE("old") ADD("new"));
	opt.memory_bytes = 64 << 10;
	text = print(&opt, &n, &rc, &err);
	assert_int_equal(rc, 0);
	shorten(text, false);
	first_insert = strstr(text, "\nI ");
	assert_non_null(first_insert);
	assert_null(strstr(first_insert, "\nD "));
	free(text);
}

/* Old images that wait for their pair leave memory where there is little of it, and only then. */
static void images_are_spooled(void **state)
{
	struct cdc_changes_options opt = options(1, true);
	struct row *old = calloc(200, sizeof(*old)), *fresh = calloc(200, sizeof(*fresh));
	char *long_a = malloc(2001), *long_b = malloc(2001);
	struct cdc_changes_counts n;
	struct cdc_err err;
	char *text, *at, want[4100];
	int rc;

	(void)state;
	assert_true(old && fresh && long_a && long_b);
	memset(long_a, 'a', 2000);
	memset(long_b, 'b', 2000);
	long_a[2000] = long_b[2000] = '\0';
	for (int i = 0; i < 200; i++) {
		old[i] = (struct row){ i, long_a, NULL };
		fresh[i] = (struct row){ 199 - i, long_b, NULL };
	}
	put_file("old", old, 200, 0);
	put_file("new", fresh, 200, 0);
	put_commit(0, PROTOCOL PLAIN ADD("old"));
	put_commit(1, REMOVE("old") ADD("new"));
	opt.tmpdir = "/nonexistent";
	free(print(&opt, &n, &rc, &err));
	assert_int_equal(rc, 0);
	assert_int_equal(n.updated, 200);
	opt.memory_bytes = 200 << 10;
	free(print(&opt, &n, &rc, &err));
	assert_int_equal(rc, CDC_EIO);
	opt.tmpdir = NULL;
	text = print(&opt, &n, &rc, &err);
	assert_int_equal(rc, 0);
	assert_int_equal(n.updated, 200);
	shorten(text, false);
	at = text;
	for (int i = 199; i >= 0; i--) {
		snprintf(want, sizeof(want),
			 "U {\"k\":\"%d\",\"v\":\"%s\"} {\"k\":\"%d\",\"v\":\"%s\"}\n", i, long_a,
			 i, long_b);
		assert_int_equal(strncmp(at, want, strlen(want)), 0);
		at += strlen(want);
	}
	assert_string_equal(at, "");
	free(text);
	free(old);
	free(fresh);
	free(long_a);
	free(long_b);
}

/* ------------------------------------------------------------------ files of change rows */

static const struct row feed[] = {
	{ 1, "a", "update_preimage" }, { 1, "b", "update_postimage" },
	{ 2, "c", "delete" },	       { 3, "d", "insert" },
	{ 4, "e", "update_preimage" }, { 4, "e", "update_postimage" },
	{ 5, "f", "update_preimage" }, { 6, "f", "update_postimage" },
};

/* What an update left as it was is no change, and a changed key is no UPDATE. */
#define FEED_CHANGES                                                                               \
	"D {\"k\":\"2\",\"v\":\"c\"}\n"                                                            \
	"D {\"k\":\"5\",\"v\":\"f\"}\n"                                                            \
	"U {\"k\":\"1\",\"v\":\"a\"} {\"k\":\"1\",\"v\":\"b\"}\n"                                  \
	"I {\"k\":\"3\",\"v\":\"d\"}\n"                                                            \
	"I {\"k\":\"6\",\"v\":\"f\"}\n"

static void a_feed_is_all_there_is(void **state)
{
	static const struct row other[] = { { 9, "not a change", NULL } };

	(void)state;
	put_file("data", ROWS(other), 0);
	put_file("feed", ROWS(feed), 0);
	put_commit(0, PROTOCOL PLAIN ADD("data"));
	put_commit(1, REMOVE("data") CDC("feed"));
	changes_are(1, true, FEED_CHANGES);
}

#define MAPPED(name, type, id)                                                                     \
	FIELD(name "_now", type,                                                                   \
	      "\\\"delta.columnMapping.id\\\":" id                                                 \
	      ",\\\"delta.columnMapping.physicalName\\\":\\\"" name "\\\"")

static void a_feed_of_mapped_columns(void **state)
{
	static const char *const key[] = { "k_now", NULL };
	static const char *const metadata[] = {
		METADATA(MAPPED("k", "long", "7") "," MAPPED("v", "string", "8"),
			 "\"delta.columnMapping.mode\":\"id\""),
		METADATA(MAPPED("k", "long", "7") "," MAPPED("v", "string", "8"),
			 "\"delta.columnMapping.mode\":\"name\""),
	};

	(void)state;
	put_file("feed", ROWS(feed), 7);
	for (int i = 0; i < 2; i++) {
		struct cdc_changes_options opt = options(1, true);
		struct cdc_changes_counts n;
		struct cdc_err err;
		char actions[1200], *text;
		int rc;

		snprintf(actions, sizeof(actions), "%s%s", PROTOCOL, metadata[i]);
		put_commit(0, actions);
		put_commit(1, CDC("feed"));
		opt.key = key;
		text = print(&opt, &n, &rc, &err);
		if (rc)
			fail_msg("%s", err.msg);
		assert_int_equal(n.deleted, 2);
		assert_int_equal(n.inserted, 2);
		assert_int_equal(n.updated, 1);
		assert_non_null(strstr(text, "{\"k_now\":\"3\",\"v_now\":\"d\"}"));
		free(text);
	}
}

static void feeds_that_cannot_be(void **state)
{
	static const struct row no_type[] = { { 1, "a", NULL } };
	static const struct row null_type[] = { { 1, "a", "insert" }, { 1, "a", NULL } };
	static const struct row odd_type[] = { { 1, "a", "upsert" } };

	(void)state;
	put_commit(0, PROTOCOL PLAIN);
	put_commit(1, CDC("feed"));
	put_file("feed", ROWS(no_type), 0);
	fails(1, CDC_ECORRUPT, "has no column _change_type");
	put_file("feed", ROWS(null_type), 0);
	fails(1, CDC_ECORRUPT, "_change_type \"\"");
	put_file("feed", ROWS(odd_type), 0);
	fails(1, CDC_ECORRUPT, "_change_type \"upsert\"");
	put_commit(1, CDC("../feed"));
	fails(1, CDC_ECORRUPT, "changes of version 1");
	put_commit(0, PROTOCOL METADATA(
			      FIELD("k", "long", "") "," FIELD("_change_type", "string", ""), ""));
	put_commit(1, CDC("feed"));
	fails(1, CDC_EUNSUPPORTED, "_change_type");
}

/* ------------------------------------------------------------------ failures */

static void bytes_that_are_no_text(void **state)
{
	static const struct row bad[] = { { 1, "\xff", NULL } };

	(void)state;
	put_file("bad", ROWS(bad), 0);
	put_commit(0, PROTOCOL PLAIN ADD("bad"));
	fails(0, CDC_ECORRUPT, "not UTF-8");
}

static void every_call_may_fail(void **state)
{
	struct cdc_changes_options opt = options(0, true);
	uint64_t at;

	(void)state;
	free(rewrite_many(true));
	put_file("feed", ROWS(feed), 0);
	put_commit(0, PROTOCOL PLAIN ADD("old"));
	put_commit(1, REMOVE("old") ADD("new"));
	put_commit(2, CDC("feed"));
	opt.memory_bytes = 4 << 20;
	for (at = 1;; at++) {
		struct cdc_changes_counts n;
		struct cdc_err err;
		struct faultio f;
		int rc;

		faultio_init(&f, &cdc_io_posix);
		f.fail_at = at;
		f.fail_for = 1;
		f.fail_errno = EIO;
		opt.io = &f.io;
		free(print(&opt, &n, &rc, &err));
		if (!f.hits)
			break;
		/* A file that could not be closed was read all the same. */
		if (f.last_hit != FAULTIO_CLOSE)
			assert_int_equal(rc, CDC_EIO);
	}
	assert_true(at > 30);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		TEST(duplicates_cancel_one_by_one), TEST(any_memory_gives_the_same),
		TEST(deletes_come_first),	    TEST(images_are_spooled),
		TEST(a_feed_is_all_there_is),	    TEST(a_feed_of_mapped_columns),
		TEST(feeds_that_cannot_be),	    TEST(bytes_that_are_no_text),
		TEST(every_call_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
