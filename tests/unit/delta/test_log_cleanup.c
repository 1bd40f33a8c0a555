/*
 * Proves the clean-up of the log: what has expired goes, by the file's time or the in-commit
 * timestamp; what a reader of a later version needs stays; sidecars go when nothing names them; and
 * whatever fails leaves every version readable that was to stay.
 */
#include "log_fixture.h"

#include "delta/log_int.h"
#include "tests/fault/faultio.h"

#include <dirent.h>
#include <fcntl.h>

#define V2_PROTOCOL                                                                                \
	"{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":"         \
	"[\"v2Checkpoint\"],\"writerFeatures\":[\"v2Checkpoint\",\"inCommitTimestamp\"]}}\n"
#define POLICY "\"delta.checkpointPolicy\":\"v2\""
#define ICT "\"delta.enableInCommitTimestamps\":\"true\""

static void age(const struct fixture *f, const char *name, int days)
{
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT }, { 0, 0 } };
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", f->log, name);
	t[1].tv_sec = (time_t)(cdc_io_posix.now_us(cdc_io_posix.ctx) / 1000000) - days * 86400L;
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

static void age_commits(const struct fixture *f, int first, int last, int days)
{
	char name[64];

	for (int v = first; v <= last; v++) {
		snprintf(name, sizeof(name), "%020d.json", v);
		age(f, name, days - v);
	}
}

static void checkpoint(const struct fixture *f, int64_t version)
{
	struct cdc_snapshot *s = fixture_load(f, version);
	struct cdc_err err = CDC_ERR_INIT;

	if (cdc_checkpoint_write(&cdc_io_posix, s, &err))
		fail_msg("%s", err.msg);
	cdc_snapshot_free(s);
}

static int clean(const struct cdc_io *io, const struct fixture *f, struct cdc_err *err)
{
	struct cdc_snapshot *s = fixture_load(f, -1);
	int rc = cdc_log_cleanup(io, s, err);

	cdc_snapshot_free(s);
	return rc;
}

static void clean_well(const struct fixture *f)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (clean(&cdc_io_posix, f, &err))
		fail_msg("%s", err.msg);
}

static bool has_version(const struct fixture *f, int version)
{
	char name[64];

	snprintf(name, sizeof(name), "%020d.json", version);
	return fixture_has(f, name);
}

static int count(const struct fixture *f, const char *dir, const char *text)
{
	char path[2 * PATH_MAX];
	struct dirent *e;
	DIR *d;
	int n = 0;

	snprintf(path, sizeof(path), "%s/%s", f->log, dir);
	d = opendir(path);
	while (d && (e = readdir(d)))
		n += strstr(e->d_name, text) != NULL;
	if (d)
		closedir(d);
	return n;
}

/* ------------------------------------------------------------------ in-commit timestamps */

static void commit_at(const struct fixture *f, int version, int days_ago, const char *text)
{
	char whole[4096];

	snprintf(whole, sizeof(whole), "{\"commitInfo\":{\"inCommitTimestamp\":%lld}}\n%s",
		 (long long)(cdc_io_posix.now_us(cdc_io_posix.ctx) / 1000 -
			     days_ago * CDC_MS_PER_DAY),
		 text);
	fixture_commit(f, version, whole);
}

/* Files that are new, since the table was copied, of commits that are old; and the other way. */
static void by_in_commit_timestamp(void **state)
{
	const struct fixture *f = *state;

	commit_at(f, 0, 50, V2_PROTOCOL METADATA_WITH(ICT));
	commit_at(f, 1, 45, ADD("a"));
	commit_at(f, 2, 40, ADD("b"));
	commit_at(f, 3, 2, ADD("c"));
	checkpoint(f, 2);
	checkpoint(f, 3);
	assert_false(has_version(f, 0));
	assert_false(has_version(f, 1));
	assert_true(has_version(f, 2));
	commit_at(f, 4, 1, ADD("d"));
	age_commits(f, 2, 4, 90);
	checkpoint(f, 4);
	assert_true(has_version(f, 2));
	assert_true(has_version(f, 3));
}

/* Since version 2 only: before that the files' times count. */
static void since_they_were_enabled(void **state)
{
	const struct fixture *f = *state;

	fixture_commit(f, 0, V2_PROTOCOL METADATA);
	fixture_commit(f, 1, ADD("a"));
	commit_at(f, 2, 2,
		  METADATA_WITH(ICT ",\"delta.inCommitTimestampEnablementVersion\":\"2\""));
	checkpoint(f, 1);
	checkpoint(f, 2);
	assert_true(has_version(f, 0));
	age_commits(f, 0, 2, 90);
	clean_well(f);
	assert_false(has_version(f, 0));
	assert_true(has_version(f, 1));
	assert_true(has_version(f, 2));
}

/* ------------------------------------------------------------------ what stays */

static void protected_checkpoints(void **state)
{
	const struct fixture *f = *state;

	fixture_commit(f, 0,
		       "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,"
		       "\"writerFeatures\":[\"checkpointProtection\"]}}\n" METADATA);
	fixture_commit(f, 1, ADD("a"));
	fixture_commit(f, 2, ADD("b"));
	checkpoint(f, 1);
	age_commits(f, 0, 2, 90);
	clean_well(f);
	assert_true(has_version(f, 0));
}

static void nothing_without_a_checkpoint(void **state)
{
	const struct fixture *f = *state;

	fixture_commit(f, 0, PROTOCOL METADATA);
	fixture_commit(f, 1, ADD("a"));
	fixture_commit(f, 2, ADD("b"));
	age_commits(f, 0, 1, 90);
	checkpoint(f, 2);
	assert_true(has_version(f, 0));
	assert_true(has_version(f, 1));
}

/* A compacted file that begins before the checkpoint, and one that is all there is of version 3. */
static void compacted_files(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(f, 0, PROTOCOL METADATA);
	fixture_commit(f, 1, ADD("a"));
	fixture_commit(f, 2, ADD("b"));
	fixture_commit(f, 3, ADD("c"));
	fixture_commit(f, 4, ADD("d"));
	checkpoint(f, 2);
	fixture_put(f, "00000000000000000000.00000000000000000001.compacted.json", ADD("a"));
	fixture_put(f, "00000000000000000001.00000000000000000002.compacted.json",
		    ADD("a") ADD("b"));
	fixture_put(f, "00000000000000000002.00000000000000000003.compacted.json",
		    ADD("b") ADD("c"));
	fixture_unlink(f, "00000000000000000003.json");
	age_commits(f, 0, 2, 90);
	clean_well(f);
	assert_false(has_version(f, 1));
	assert_int_equal(count(f, ".", "compacted"), 1);
	s = fixture_load(f, -1);
	assert_live(s, "a b c d");
	cdc_snapshot_free(s);
}

/* ------------------------------------------------------------------ sidecars */

/* Versions 0 to 4, of which 0 to 3 are old; V2 checkpoints of 1, 2 and 4. */
static void v2_log(const struct fixture *f)
{
	fixture_commit(f, 0, V2_PROTOCOL METADATA_WITH(POLICY));
	fixture_commit(f, 1, ADD("a"));
	fixture_commit(f, 2, ADD("b"));
	fixture_commit(f, 3, ADD("c"));
	fixture_commit(f, 4, ADD("d"));
	checkpoint(f, 1);
	checkpoint(f, 2);
	checkpoint(f, 4);
	age_commits(f, 0, 3, 90);
}

static void age_sidecars(const struct fixture *f, int days)
{
	char path[2 * PATH_MAX], name[512];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/_sidecars", f->log);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "_sidecars/%s", e->d_name);
		age(f, name, days);
	}
	closedir(d);
}

static void check_v2(const struct fixture *f)
{
	struct cdc_snapshot *s = fixture_load(f, -1);

	assert_live(s, "a b c d");
	cdc_snapshot_free(s);
	s = fixture_load(f, 2);
	assert_live(s, "a b");
	cdc_snapshot_free(s);
	s = fixture_load(f, 3);
	assert_live(s, "a b c");
	cdc_snapshot_free(s);
}

static void sidecars_go(void **state)
{
	const struct fixture *f = *state;

	v2_log(f);
	assert_int_equal(count(f, "_sidecars", ".parquet"), 3);
	fixture_put(f, "_sidecars/orphan.parquet", "x");
	fixture_put(f, "_sidecars/.orphan.parquet.crc", "x");
	fixture_put(f, "_sidecars/.dead.parquet.1.tmp", "x");
	fixture_put(f, "_sidecars/note.txt", "x");
	age_sidecars(f, 2);
	fixture_put(f, "_sidecars/young.parquet", "x");
	clean_well(f);
	assert_int_equal(count(f, ".", ".checkpoint."), 2);
	/* Those of 2 and 4, and the young one, which may be of a writer at work. */
	assert_int_equal(count(f, "_sidecars", ".parquet"), 3);
	assert_true(fixture_has(f, "_sidecars/young.parquet"));
	assert_true(fixture_has(f, "_sidecars/note.txt"));
	assert_false(fixture_has(f, "_sidecars/.orphan.parquet.crc"));
	assert_false(fixture_has(f, "_sidecars/.dead.parquet.1.tmp"));
	check_v2(f);
}

/* Nobody knows what a checkpoint names that cannot be read. */
static void none_goes_beside_a_damaged_one(void **state)
{
	const struct fixture *f = *state;

	v2_log(f);
	fixture_put(f,
		    "00000000000000000003.checkpoint.0a1b2c3d-0000-4000-8000-000000000000"
		    ".parquet",
		    "no Parquet");
	fixture_put(f, "_sidecars/orphan.parquet", "x");
	age_sidecars(f, 2);
	clean_well(f);
	assert_false(has_version(f, 1));
	assert_int_equal(count(f, "_sidecars", ".parquet"), 4);
	check_v2(f);
}

/* One of JSON names sidecars too. */
static void a_checkpoint_of_json(void **state)
{
	const struct fixture *f = *state;

	v2_log(f);
	fixture_put(f, "00000000000000000003.checkpoint.0a1b2c3d-0000-4000-8000-000000000000.json",
		    V2_PROTOCOL METADATA
		    "{\"sidecar\":{\"path\":\"named%2Eparquet\",\"sizeInBytes\":1,"
		    "\"modificationTime\":1}}\n");
	fixture_put(f, "_sidecars/named.parquet", "x");
	fixture_put(f, "_sidecars/other.parquet", "x");
	age_sidecars(f, 2);
	clean_well(f);
	assert_true(fixture_has(f, "_sidecars/named.parquet"));
	assert_false(fixture_has(f, "_sidecars/other.parquet"));
}

/* ------------------------------------------------------------------ faults */

static void faults(void **state)
{
	const struct fixture *f = *state;
	bool hit = true;
	uint64_t n = 0;

	while (hit) {
		struct cdc_err err = CDC_ERR_INIT;
		struct faultio io;
		int rc;

		nftw(f->log, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
		assert_int_equal(mkdir(f->log, 0777), 0);
		v2_log(f);
		fixture_put(f, "_sidecars/orphan.parquet", "x");
		age_sidecars(f, 2);
		faultio_init(&io, &cdc_io_posix);
		io.fail_at = ++n;
		rc = clean(&io.io, f, &err);
		hit = io.hits > 0;
		if (rc)
			assert_true(hit && err.code == (enum cdc_code)rc && err.msg[0]);
		check_v2(f);
		/* Again, and it is done. */
		clean_well(f);
		check_v2(f);
		assert_false(has_version(f, 1));
	}
	assert_true(n > 20);
}

#define WITH_TABLE(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(by_in_commit_timestamp),
		WITH_TABLE(since_they_were_enabled),
		WITH_TABLE(protected_checkpoints),
		WITH_TABLE(nothing_without_a_checkpoint),
		WITH_TABLE(compacted_files),
		WITH_TABLE(sidecars_go),
		WITH_TABLE(none_goes_beside_a_damaged_one),
		WITH_TABLE(a_checkpoint_of_json),
		WITH_TABLE(faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
