/*
 * Proves when versions were made, by the files' times and by in-commit timestamps, which of them
 * can be loaded, and which version a moment falls to.
 */
#include "log_fixture.h"

#include <fcntl.h>

#define ICT "\"delta.enableInCommitTimestamps\":\"true\""
#define ICT_FROM(v) ICT ",\"delta.inCommitTimestampEnablementVersion\":\"" v "\""
#define INFO(ms) "{\"commitInfo\":{\"inCommitTimestamp\":" ms "}}\n"

/* A commit whose file is of `ms` since the epoch. */
static void put(const struct fixture *f, int version, const char *text, int64_t ms)
{
	struct timespec t[2] = { { ms / 1000, ms % 1000 * 1000000 },
				 { ms / 1000, ms % 1000 * 1000000 } };
	char path[2 * PATH_MAX];

	fixture_commit(f, version, text);
	snprintf(path, sizeof(path), "%s/%020d.json", f->log, version);
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

static void assert_times(const struct fixture *f, int64_t version, size_t readable, size_t n,
			 const int64_t (*expected)[2])
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s = fixture_load(f, version);
	struct cdc_log_times t;

	assert_int_equal(cdc_log_times(&cdc_io_posix, s, &t, &err), CDC_OK);
	assert_int_equal(t.n, n);
	assert_int_equal(t.readable, readable);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(t.version[i], expected[i][0]);
		assert_int_equal(t.timestamp_ms[i], expected[i][1]);
	}
	cdc_log_times_free(&t);
	cdc_snapshot_free(s);
}

/* `expected` -1: refused, with `text` in the message. */
static void assert_at(const struct fixture *f, int64_t ms, int64_t expected, const char *text)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s = fixture_load(f, -1);
	int64_t version = -1;
	int rc = cdc_log_version_at(&cdc_io_posix, s, ms, &version, &err);

	assert_int_equal(rc, expected < 0 ? CDC_EUSAGE : CDC_OK);
	assert_int_equal(version, expected);
	if (rc && !strstr(err.msg, text))
		fail_msg("\"%s\" is not in \"%s\"", text, err.msg);
	cdc_snapshot_free(s);
}

static void file_times(void **state)
{
	const struct fixture *f = *state;

	put(f, 0, PROTOCOL METADATA, 10000);
	put(f, 1, INFO("99999") ADD("a"), 20000);
	put(f, 2, ADD("b"), 20000); /* no later than the one before */
	put(f, 3, ADD("c"), 5000);
	put(f, 4, ADD("d"), 30500);
	assert_times(
		f, -1, 0, 5,
		(const int64_t[][2]){
			{ 0, 10000 }, { 1, 20000 }, { 2, 20001 }, { 3, 20002 }, { 4, 30500 } });
	assert_times(f, 1, 0, 2, (const int64_t[][2]){ { 0, 10000 }, { 1, 20000 } });
	assert_at(f, 9999, -1,
		  "before the earliest version that can be read, 0 of "
		  "1970-01-01T00:00:10.000Z");
	assert_at(f, 10000, 0, NULL);
	assert_at(f, 20000, 1, NULL);
	assert_at(f, 20001, 2, NULL);
	assert_at(f, 30499, 3, NULL);
	assert_at(f, 30500, 4, NULL);
	assert_at(f, 30501, -1,
		  "after the latest version that can be read, 4 of "
		  "1970-01-01T00:00:30.500Z");
}

static void in_commit_times(void **state)
{
	const struct fixture *f = *state;

	put(f, 0, INFO("500") PROTOCOL METADATA_WITH(ICT), 10000);
	put(f, 1, INFO("600") ADD("a"), 9000);
	put(f, 2, ADD("b"), 100); /* it should have one, and has none */
	put(f, 3, INFO("700") ADD("c"), 9000);
	assert_times(f, -1, 0, 4,
		     (const int64_t[][2]){ { 0, 500 }, { 1, 600 }, { 2, 601 }, { 3, 700 } });
	assert_at(f, 650, 2, NULL);
	put(f, 4, INFO("550") ADD("d"), 9000);
	put(f, 5, INFO("900") ADD("e"), 9000);
	assert_at(f, 899, 4, NULL);
	assert_at(f, 599, 4, NULL);
	assert_at(f, 549, 0, NULL);
}

static void in_commit_times_later(void **state)
{
	const struct fixture *f = *state;

	put(f, 0, INFO("1") PROTOCOL METADATA, 10000);
	put(f, 1, INFO("2") ADD("a"), 10000);
	put(f, 2, INFO("20000") METADATA_WITH(ICT_FROM("2")), 5);
	put(f, 3, INFO("20005") ADD("b"), 6);
	assert_times(
		f, -1, 0, 4,
		(const int64_t[][2]){ { 0, 10000 }, { 1, 10001 }, { 2, 20000 }, { 3, 20005 } });
	assert_at(f, 19999, 1, NULL);
}

/* The state of a version needs all commits back to version 0, or to a checkpoint. */
static void readable(void **state)
{
	const struct fixture *f = *state;
	static const char v2[] = "00000000000000000003.checkpoint."
				 "80a083e8-7026-4e79-81be-64bd76c43a11.json";

	put(f, 2, ADD("a"), 1000);
	put(f, 3, ADD("b"), 2000);
	put(f, 4, ADD("c"), 3000);
	fixture_put(f, v2, "{\"checkpointMetadata\":{\"version\":3}}\n" PROTOCOL METADATA);
	assert_times(f, -1, 1, 3, (const int64_t[][2]){ { 2, 1000 }, { 3, 2000 }, { 4, 3000 } });
	assert_at(f, 1500, -1, "version that can be read, 3 of");
	/* The commits 6 and 7 do not join what is there. */
	fixture_unlink(f, v2);
	fixture_put(f, "00000000000000000007.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
		    "{\"checkpointMetadata\":{\"version\":7}}\n" PROTOCOL METADATA);
	put(f, 6, ADD("d"), 4000);
	put(f, 7, ADD("e"), 5000);
	assert_times(f, -1, 4, 5,
		     (const int64_t[][2]){
			     { 2, 1000 }, { 3, 2000 }, { 4, 3000 }, { 6, 4000 }, { 7, 5000 } });
}

/* Commits 0 and 1 were there when the directory was read, and then the clean-up took them. */
static int list_two_more(void *ctx, const char *path, int (*each)(void *arg, const char *name),
			 void *arg)
{
	(void)ctx;
	if (each(arg, "00000000000000000000.json") || each(arg, "00000000000000000001.json"))
		return 0;
	return cdc_io_posix.list(NULL, path, each, arg);
}

static void cleaned_up_meanwhile(void **state)
{
	const struct fixture *f = *state;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_io io = cdc_io_posix;
	struct cdc_log_times t;
	struct cdc_snapshot *s;

	put(f, 2, ADD("a"), 1000);
	put(f, 3, ADD("b"), 2000);
	put(f, 4, ADD("c"), 3000);
	fixture_put(f, "00000000000000000003.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
		    "{\"checkpointMetadata\":{\"version\":3}}\n" PROTOCOL METADATA);
	s = fixture_load(f, -1);
	io.list = list_two_more;
	assert_int_equal(cdc_log_times(&io, s, &t, &err), CDC_OK);
	assert_int_equal(t.n, 3);
	assert_int_equal(t.version[0], 2);
	assert_int_equal(t.timestamp_ms[0], 1000);
	assert_int_equal(t.version[2], 4);
	assert_int_equal(t.timestamp_ms[2], 3000);
	assert_int_equal(t.readable, 1);
	cdc_log_times_free(&t);
	cdc_snapshot_free(s);
}

#define WITH_TABLE(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(file_times),
		WITH_TABLE(in_commit_times),
		WITH_TABLE(in_commit_times_later),
		WITH_TABLE(readable),
		WITH_TABLE(cleaned_up_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
