/*
 * Proves which file names of a log mean what, that foreign names are passed over, and that only
 * complete checkpoints are offered, newest first.
 */
#include "log_fixture.h"

#include "delta/log_int.h"

static void expect(const char *name, enum cdc_log_kind kind, int64_t version)
{
	struct cdc_log_file f;

	cdc_log_name_parse(name, &f);
	if (f.kind != kind)
		fail_msg("%s: kind %d, expected %d", name, (int)f.kind, (int)kind);
	if (kind != CDC_LOG_OTHER)
		assert_int_equal(f.version, version);
}

static void names(void **state)
{
	struct cdc_log_file f;

	(void)state;
	expect("00000000000000000000.json", CDC_LOG_COMMIT, 0);
	expect("00000000000000000017.json", CDC_LOG_COMMIT, 17);
	expect("09223372036854775806.json", CDC_LOG_COMMIT, INT64_C(9223372036854775806));
	expect("00000000000000000010.checkpoint.parquet", CDC_LOG_CHECKPOINT, 10);
	expect("00000000000000000010.crc", CDC_LOG_CHECKSUM, 10);
	expect("00000000000000000004.00000000000000000006.compacted.json", CDC_LOG_COMPACTED, 4);
	expect("00000000000000000010.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
	       CDC_LOG_CHECKPOINT_V2, 10);
	expect("00000000000000000010.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.parquet",
	       CDC_LOG_CHECKPOINT_V2, 10);

	cdc_log_name_parse("00000000000000000010.checkpoint.0000000002.0000000003.parquet", &f);
	assert_int_equal(f.kind, CDC_LOG_CHECKPOINT_PART);
	assert_int_equal(f.part, 2);
	assert_int_equal(f.parts, 3);
}

static void foreign_names(void **state)
{
	static const char *const other[] = {
		"_last_checkpoint",
		"_sidecars",
		"_staged_commits",
		"0.json",
		"0000000000000000000.json",
		"000000000000000000000.json",
		"00000000000000000000.json#1",
		"00000000000000000000.json.tmp",
		".00000000000000000000.json.crc",
		".00000000000000000001.json.0ab3.tmp",
		"_commit_80a083e8-7026-4e79-81be-64bd76c43a11.json.tmp",
		"00000000000000000000.checkpoint.parquet.tmp",
		"00000000000000000000.checkpoint.0000000000.0000000003.parquet",
		"00000000000000000000.checkpoint.0000000004.0000000003.parquet",
		"00000000000000000000.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a1.json",
		"00000000000000000000.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.orc",
		"00000000000000000000.checkpoint.",
		"00000000000000000000.",
		"00000000000000000000",
		"99999999999999999999.json",
		"09223372036854775807.json",
		"0000000000000000000a.json",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		expect(other[i], CDC_LOG_OTHER, 0);
}

static void checkpoints_newest_first(void **state)
{
	const struct fixture *f = *state;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_log_list l;
	struct cdc_log_checkpoint cp;
	size_t at;

	fixture_put(f, "00000000000000000003.checkpoint.parquet", "x");
	fixture_put(f, "00000000000000000005.checkpoint.0000000001.0000000002.parquet", "x");
	fixture_put(f, "00000000000000000005.checkpoint.0000000002.0000000002.parquet", "x");
	/* Part 2 of 3 is missing; parts of another set do not fill the hole. */
	fixture_put(f, "00000000000000000007.checkpoint.0000000001.0000000003.parquet", "x");
	fixture_put(f, "00000000000000000007.checkpoint.0000000003.0000000003.parquet", "x");
	fixture_put(f, "00000000000000000007.checkpoint.0000000001.0000000002.parquet", "x");
	fixture_put(f, "00000000000000000009.checkpoint.parquet", "x");
	assert_int_equal(cdc_log_list_read(&l, &cdc_io_posix, f->table, &err), CDC_OK);
	at = l.n;
	assert_true(cdc_log_checkpoint_before(&l, 8, &at, &cp));
	assert_int_equal(cp.version, 5);
	assert_int_equal(cp.num_files, 2);
	assert_int_equal(cp.file[0].part, 1);
	assert_int_equal(cp.file[1].part, 2);
	assert_true(cdc_log_checkpoint_before(&l, 8, &at, &cp));
	assert_int_equal(cp.version, 3);
	assert_int_equal(cp.num_files, 1);
	assert_false(cdc_log_checkpoint_before(&l, 8, &at, &cp));
	at = l.n;
	assert_true(cdc_log_checkpoint_before(&l, INT64_MAX, &at, &cp));
	assert_int_equal(cp.version, 9);
	assert_null(cdc_log_commit_find(&l, 3));
	cdc_log_list_free(&l);
}

static void exists(void **state)
{
	const struct fixture *f = *state;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_log_list l;
	int64_t v[3] = { 0 };
	size_t n = 0;
	bool there = true;

	assert_int_equal(cdc_log_exists(&cdc_io_posix, "/nowhere/at/all", &there, &err), CDC_OK);
	assert_false(there);
	fixture_put(f, "_last_checkpoint", "{}");
	fixture_put(f, "00000000000000000002.crc", "{}");
	assert_int_equal(cdc_log_exists(&cdc_io_posix, f->table, &there, &err), CDC_OK);
	assert_false(there);
	fixture_commit(f, 3, "");
	fixture_commit(f, 12, "");
	fixture_commit(f, 1, "");
	assert_int_equal(cdc_log_exists(&cdc_io_posix, f->table, &there, &err), CDC_OK);
	assert_true(there);
	assert_int_equal(cdc_log_list_read(&l, &cdc_io_posix, f->table, &err), CDC_OK);
	for (size_t i = 0; i < l.n; i++) {
		if (l.file[i].kind != CDC_LOG_COMMIT)
			continue;
		assert_true(n < 3);
		v[n++] = l.file[i].version;
	}
	assert_int_equal(n, 3);
	assert_int_equal(v[0], 1);
	assert_int_equal(v[1], 3);
	assert_int_equal(v[2], 12);
	cdc_log_list_free(&l);
}

/* A directory that changes while it is read: names come up that others do not, the first times. */
struct changing {
	const char *hidden; /* the name that does not */
	int times; /* how often it does not */
	int listings;
	int (*each)(void *arg, const char *name);
	void *arg;
};

static int pass_on(void *arg, const char *name)
{
	struct changing *c = arg;

	return c->listings <= c->times && !strcmp(name, c->hidden) ? 0 : c->each(c->arg, name);
}

static int list_changing(void *ctx, const char *path, int (*each)(void *arg, const char *name),
			 void *arg)
{
	struct changing *c = ctx;

	c->listings++;
	c->each = each;
	c->arg = arg;
	return cdc_io_posix.list(NULL, path, pass_on, c);
}

static void assert_listing(const struct fixture *f, struct changing c, size_t n, int listings)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_log_list l;
	struct cdc_io io = cdc_io_posix;

	io.ctx = &c;
	io.list = list_changing;
	assert_int_equal(cdc_log_list_read(&l, &io, f->table, &err), CDC_OK);
	assert_int_equal(l.n, n);
	assert_int_equal(c.listings, listings);
	cdc_log_list_free(&l);
}

static void commits_that_come_meanwhile(void **state)
{
	const struct fixture *f = *state;
	const char *two = "00000000000000000002.json", *four = "00000000000000000004.json";

	for (int v = 1; v < 5; v++)
		fixture_commit(f, v, "");
	assert_listing(f, (struct changing){ .hidden = two, .times = 0 }, 4, 1);
	assert_listing(f, (struct changing){ .hidden = two, .times = 1 }, 4, 2);
	/* The last one is not missed. */
	assert_listing(f, (struct changing){ .hidden = four, .times = 1 }, 3, 1);
	/* A hole that stays is one. */
	assert_listing(f, (struct changing){ .hidden = two, .times = 100 }, 3, 2);
	fixture_commit(f, 7, "");
	fixture_commit(f, 8, "");
	assert_listing(f, (struct changing){ .hidden = two, .times = 100 }, 5, 2);
	fixture_commit(f, 9, "");
	assert_listing(f, (struct changing){ .hidden = "00000000000000000008.json", .times = 1 }, 7,
		       3);
}

#define WITH_TABLE(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(foreign_names),
		WITH_TABLE(checkpoints_newest_first),
		WITH_TABLE(exists),
		WITH_TABLE(commits_that_come_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
