/*
 * Proves what a vacuum does when something happens meanwhile: a file that another writer brings
 * back between the listing and the removal stays, a removal that fails is logged as a failure, a
 * table that becomes one of unknown features is left alone. And which tables and names are none of
 * its business.
 */
#include "tests/unit/delta/log_fixture.h"

#include "table/vacuum/vacuum.h"

#include <errno.h>
#include <fcntl.h>

#define OLD "1000" /* long expired */
#define FEATURES(list)                                                                             \
	"{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[" list   \
	"]}}\n"

/* The system, with something that happens once, at the call that `when` names. */
struct world {
	const struct fixture *f;
	struct cdc_io io;
	const char *commit; /* put into the log as the next version */
	bool at_link; /* after VACUUM START was committed; else at the first removal */
	bool fail_unlink;
	int removed;
	bool done;
};

static void happen(struct world *w)
{
	char name[64];
	int version = 0;

	if (w->done || !w->commit)
		return;
	w->done = true;
	do
		snprintf(name, sizeof(name), "%020d.json", version++);
	while (fixture_has(w->f, name));
	fixture_put(w->f, name, w->commit);
}

static int world_link(void *ctx, const char *from, const char *to)
{
	struct world *w = ctx;
	int rc = cdc_io_posix.link(cdc_io_posix.ctx, from, to);

	if (w->at_link)
		happen(w);
	return rc;
}

static int world_unlink(void *ctx, const char *path)
{
	struct world *w = ctx;

	if (strstr(path, "_delta_log"))
		return cdc_io_posix.unlink(cdc_io_posix.ctx, path);
	if (w->fail_unlink) {
		errno = EROFS;
		return -1;
	}
	w->removed++;
	if (!w->at_link)
		happen(w);
	return cdc_io_posix.unlink(cdc_io_posix.ctx, path);
}

static struct world world_of(const struct fixture *f)
{
	struct world w = { .f = f, .io = cdc_io_posix };

	assert_null(cdc_io_posix.ctx);
	w.io.link = world_link;
	w.io.unlink = world_unlink;
	return w;
}

/* A file or directory under the root that was last changed in 1970. */
static void put_old(const struct fixture *f, const char *name, bool dir)
{
	const struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	char path[2 * PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->table, name);
	if (dir) {
		assert_int_equal(mkdir(path, 0777), 0);
	} else {
		fd = open(path, O_WRONLY | O_CREAT, 0666);
		assert_true(fd >= 0);
		assert_int_equal(close(fd), 0);
	}
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
}

static bool there(const struct fixture *f, const char *name)
{
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", f->table, name);
	return access(path, F_OK) == 0;
}

static int vacuum(struct world *w, struct cdc_vacuum_result *r, struct cdc_err *err)
{
	const struct cdc_vacuum_options o = { .io = &w->io, .table = w->f->table, .retain_ms = -1 };

	w->io.ctx = w;
	return cdc_vacuum(&o, r, err);
}

/* Whether the commit of `version` has the text. */
static bool commit_has(const struct fixture *f, int version, const char *text)
{
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	char path[2 * PATH_MAX];
	bool has;

	snprintf(path, sizeof(path), "%s/%020d.json", f->log, version);
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, path, &b, &err), CDC_OK);
	has = memmem(b.p, b.len, text, strlen(text)) != NULL;
	cdc_buf_free(&b);
	return has;
}

/* a and d/b were removed long ago, c is live. */
static void make_table(const struct fixture *f, const char *protocol)
{
	char first[4096];

	snprintf(first, sizeof(first), "%s%s", protocol, METADATA ADD("a") ADD("d/b") ADD("c"));
	fixture_commit(f, 0, first);
	fixture_commit(f, 1, REMOVE_AT("a", OLD) REMOVE_AT("d/b", OLD));
	put_old(f, "d", true);
	put_old(f, "a", false);
	put_old(f, "d/b", false);
	put_old(f, "c", false);
}

/* ------------------------------------------------------------------ */

static void test_metrics_of_start_and_end(void **state)
{
	const struct fixture *f = *state;
	struct world w = world_of(f);
	struct cdc_vacuum_result r;
	struct cdc_err err = CDC_ERR_INIT;

	make_table(f, PROTOCOL);
	put_old(f, "empty", true);
	assert_int_equal(vacuum(&w, &r, &err), CDC_OK);
	assert_int_equal(r.files_removed, 2);
	assert_int_equal(r.dirs_removed, 1);
	assert_false(there(f, "a") || there(f, "d/b") || there(f, "empty"));
	assert_true(there(f, "c") && there(f, "d"));
	assert_true(commit_has(f, 2, "\"operation\":\"VACUUM START\""));
	assert_true(commit_has(f, 2,
			       "\"operationParameters\":{\"retentionCheckEnabled\":\"true\","
			       "\"defaultRetentionMillis\":\"604800000\"}"));
	assert_true(commit_has(f, 2,
			       "\"operationMetrics\":{\"numFilesToDelete\":\"3\","
			       "\"sizeOfDataToDelete\":\"0\"}"));
	assert_true(commit_has(f, 3, "\"operation\":\"VACUUM END\""));
	assert_true(commit_has(f, 3, "\"operationParameters\":{\"status\":\"COMPLETED\"}"));
	assert_true(commit_has(f, 3,
			       "\"operationMetrics\":{\"numDeletedFiles\":\"3\","
			       "\"numVacuumedDirectories\":\"3\"}"));
}

static void test_restored_after_start(void **state)
{
	const struct fixture *f = *state;
	struct world w = world_of(f);
	struct cdc_vacuum_result r;
	struct cdc_err err = CDC_ERR_INIT;

	make_table(f, PROTOCOL);
	w.commit = ADD("a");
	w.at_link = true;
	assert_int_equal(vacuum(&w, &r, &err), CDC_OK);
	assert_true(w.done);
	assert_int_equal(r.files_removed, 1);
	assert_true(there(f, "a") && there(f, "c"));
	assert_false(there(f, "d/b"));
}

/* Whichever goes first, its removal is the moment at which the others come back. */
static void test_restored_while_removing(void **state)
{
	const struct fixture *f = *state;
	struct world w = world_of(f);
	struct cdc_vacuum_result r;
	struct cdc_err err = CDC_ERR_INIT;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("d/b") ADD("e/b") ADD("f/b"));
	fixture_commit(f, 1, REMOVE_AT("d/b", OLD) REMOVE_AT("e/b", OLD) REMOVE_AT("f/b", OLD));
	for (const char *dir = "def"; *dir; dir++) {
		const char name[] = { *dir, '/', 'b', '\0' };
		const char parent[] = { *dir, '\0' };

		put_old(f, parent, true);
		put_old(f, name, false);
	}
	w.commit = ADD("d/b") ADD("e/b") ADD("f/b");
	assert_int_equal(vacuum(&w, &r, &err), CDC_OK);
	assert_true(w.done);
	assert_int_equal(w.removed, 1);
	assert_int_equal(there(f, "d/b") + there(f, "e/b") + there(f, "f/b"), 2);
}

static void test_failed_removal(void **state)
{
	const struct fixture *f = *state;
	struct world w = world_of(f);
	struct cdc_vacuum_result r;
	struct cdc_err err = CDC_ERR_INIT;

	make_table(f, PROTOCOL);
	w.fail_unlink = true;
	assert_int_equal(vacuum(&w, &r, &err), CDC_EIO);
	assert_int_equal(err.sys_errno, EROFS);
	assert_true(there(f, "a") && there(f, "d/b"));
	assert_true(commit_has(f, 3, "\"operationParameters\":{\"status\":\"FAILED\"}"));
	assert_false(commit_has(f, 3, "numDeletedFiles"));
}

static void test_unknown_feature_meanwhile(void **state)
{
	const struct fixture *f = *state;
	struct world w = world_of(f);
	struct cdc_vacuum_result r;
	struct cdc_err err = CDC_ERR_INIT;

	make_table(f, PROTOCOL);
	w.commit = FEATURES("\"futureThing\"");
	w.at_link = true;
	assert_int_equal(vacuum(&w, &r, &err), CDC_EUNSUPPORTED);
	assert_non_null(strstr(err.msg, "futureThing"));
	assert_true(there(f, "a") && there(f, "d/b"));
	assert_false(fixture_has(f, "00000000000000000004.json"));
}

static void test_features(void **state)
{
	const struct fixture *f = *state;
	struct world w = world_of(f);
	struct cdc_vacuum_result r;
	struct cdc_err err = CDC_ERR_INIT;

	make_table(f, FEATURES("\"rowTracking\",\"domainMetadata\",\"futureThing\""));
	assert_int_equal(vacuum(&w, &r, &err), CDC_EUNSUPPORTED);
	assert_true(there(f, "a") && there(f, "d/b"));
	assert_false(fixture_has(f, "00000000000000000002.json"));
	/* What matters to rows alone does not matter here. */
	err = (struct cdc_err)CDC_ERR_INIT;
	fixture_commit(f, 0,
		       FEATURES("\"rowTracking\",\"domainMetadata\",\"clustering\"")
			       METADATA ADD("c"));
	assert_int_equal(vacuum(&w, &r, &err), CDC_OK);
	assert_int_equal(r.files_removed, 2);
}

static void test_empty_directories_alone(void **state)
{
	const struct fixture *f = *state;
	struct world w = world_of(f);
	struct cdc_vacuum_result r;
	struct cdc_err err = CDC_ERR_INIT;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("c"));
	put_old(f, "c", false);
	put_old(f, "empty", true);
	assert_int_equal(vacuum(&w, &r, &err), CDC_OK);
	assert_int_equal(r.dirs_removed, 1);
	assert_false(there(f, "empty"));
	assert_true(commit_has(f, 1, "VACUUM START") && commit_has(f, 2, "VACUUM END"));
	assert_int_equal(vacuum(&w, &r, &err), CDC_OK);
	assert_false(fixture_has(f, "00000000000000000003.json"));
}

/* The partition column of these tables is "p". */
static void test_names(void **state)
{
	static const char *const dirs[] = { "metadata", "_change_data", "_delta_index", "_p=1" };
	const struct fixture *f = *state;
	struct world w = world_of(f);
	struct cdc_vacuum_result r;
	struct cdc_err err = CDC_ERR_INIT;
	char name[64];

	fixture_commit(
		f, 0,
		PROTOCOL METADATA_WITH("\"delta.universalFormat.enabledFormats\":\"iceberg\""));
	for (size_t i = 0; i < 4; i++) {
		put_old(f, dirs[i], true);
		snprintf(name, sizeof(name), "%s/x", dirs[i]);
		put_old(f, name, false);
	}
	put_old(f, "_delta_index_file", false);
	put_old(f, "_p=2", false);
	assert_int_equal(vacuum(&w, &r, &err), CDC_OK);
	assert_int_equal(r.files_removed, 2);
	assert_true(there(f, "metadata/x") && there(f, "_p=1/x") && there(f, "_delta_index_file"));
	/* Without the property the directory is one like any other. */
	fixture_commit(f, 3, METADATA);
	assert_int_equal(vacuum(&w, &r, &err), CDC_OK);
	assert_false(there(f, "metadata/x"));
	assert_int_equal(r.files_removed, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_metrics_of_start_and_end),  TEST(test_restored_after_start),
		TEST(test_restored_while_removing),   TEST(test_failed_removal),
		TEST(test_unknown_feature_meanwhile), TEST(test_features),
		TEST(test_empty_directories_alone),   TEST(test_names),
	};

	return cmocka_run_group_tests_name("vacuum", tests, NULL, NULL);
}
