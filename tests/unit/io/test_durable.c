/*
 * Proves the durable commit: whatever call fails, the file is there whole with success reported, or
 * not there with failure reported and nothing left behind; the order of fsync, link and fsync of
 * the directory is the one that survives a power loss; lost replies and file systems without links
 * are told apart.
 */
#include "io/io.h"

#include "tests/fault/faultio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define NAME "00000000000000000007.json"

struct place {
	char dir[64];
	char file[128];
};

static int remove_one(void *arg, const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", (const char *)arg, name);
	unlink(path);
	return 0;
}

static int enter(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p)
		return -1;
	snprintf(p->dir, sizeof(p->dir), "/tmp/cdc-durable-XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	snprintf(p->file, sizeof(p->file), "%s/%s", p->dir, NAME);
	*state = p;
	return 0;
}

static int leave(void **state)
{
	struct place *p = *state;

	cdc_io_posix.list(NULL, p->dir, remove_one, p->dir);
	rmdir(p->dir);
	free(p);
	return 0;
}

static int count_one(void *arg, const char *name)
{
	(void)name;
	++*(int *)arg;
	return 0;
}

static int count_files(const struct place *p)
{
	int n = 0;

	assert_int_equal(cdc_io_posix.list(NULL, p->dir, count_one, &n), 0);
	return n;
}

static bool content_is(const struct place *p, const char *expected)
{
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	bool same;

	if (cdc_io_read_file(&cdc_io_posix, p->file, &b, &err) < 0)
		return false;
	same = cdc_str_eqz(cdc_buf_str(&b), expected);
	cdc_buf_free(&b);
	return same;
}

static void put(const struct place *p, const char *text)
{
	FILE *f = fopen(p->file, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void test_commit(void **state)
{
	const struct place *p = *state;
	struct cdc_err err = CDC_ERR_INIT;
	struct stat st;

	assert_int_equal(cdc_io_commit_new(&cdc_io_posix, p->dir, NAME, CDC_STR("one\n"), &err),
			 CDC_OK);
	assert_true(content_is(p, "one\n"));
	assert_int_equal(count_files(p), 1);
	assert_int_equal(stat(p->file, &st), 0);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(cdc_io_commit_new(&cdc_io_posix, p->dir, NAME, CDC_STR("two\n"), &err),
			 CDC_ECONFLICT);
	assert_true(content_is(p, "one\n"));
	assert_int_equal(count_files(p), 1);
	assert_int_equal(cdc_io_commit_new(&cdc_io_posix, "/nonexistent", NAME, CDC_STR(""), &err),
			 CDC_EIO);
	assert_int_equal(err.sys_errno, ENOENT);
}

static void test_order(void **state)
{
	const struct place *p = *state;
	struct cdc_err err = CDC_ERR_INIT;
	struct faultio f;

	/* Data on disk before the name exists, the name on disk before success is reported. */
	faultio_init(&f, &cdc_io_posix);
	assert_int_equal(cdc_io_commit_new(&f.io, p->dir, NAME, CDC_STR("one"), &err), CDC_OK);
	assert_string_equal(f.log, "Owfcludc");
	faultio_init(&f, &cdc_io_posix);
	assert_int_equal(cdc_io_commit_replace(&f.io, p->dir, NAME, CDC_STR("two"), &err), CDC_OK);
	assert_string_equal(f.log, "Owfcrdc");
	/* Short writes are gone on with. */
	assert_int_equal(unlink(p->file), 0);
	faultio_init(&f, &cdc_io_posix);
	f.max_transfer = 1;
	assert_int_equal(cdc_io_commit_new(&f.io, p->dir, NAME, CDC_STR("three"), &err), CDC_OK);
	assert_string_equal(f.log, "Owwwwwfcludc");
	assert_true(content_is(p, "three"));
}

/* After a failure at one call: whole and reported so, or absent, reported so, and clean. */
static void check_new(const struct place *p, const struct faultio *f, int rc)
{
	bool lost_unlink = f->last_hit == FAULTIO_UNLINK || f->fail_for != 1;

	if (rc == CDC_OK) {
		if (!content_is(p, "content"))
			fail_msg("success without the file, call %d", (int)f->fail_at);
	} else if (access(p->file, F_OK) == 0) {
		fail_msg("failure %d with the file there, call %d (%d)", rc, (int)f->fail_at,
			 (int)f->last_hit);
	}
	if (!lost_unlink)
		assert_int_equal(count_files(p), rc == CDC_OK);
}

/* Fail each call in turn with each errno, once or from there on. Returns the faults injected. */
static uint64_t sweep_new(const struct place *p, bool after, uint64_t fail_for)
{
	static const int errnos[] = { EIO,    ENOSPC, EACCES,	 EPERM, EEXIST,
				      ENOSYS, EINVAL, ETIMEDOUT, EMLINK };
	uint64_t injected = 0;

	for (size_t e = 0; e < sizeof(errnos) / sizeof(errnos[0]); e++) {
		for (uint64_t n = 1;; n++) {
			struct cdc_err err = CDC_ERR_INIT;
			struct faultio f;
			int rc;

			faultio_init(&f, &cdc_io_posix);
			f.fail_at = n;
			f.fail_for = fail_for;
			f.fail_errno = errnos[e];
			f.fail_after = after;
			f.max_transfer = 3;
			rc = cdc_io_commit_new(&f.io, p->dir, NAME, CDC_STR("content"), &err);
			check_new(p, &f, rc);
			assert_true(rc == CDC_OK || err.code == rc);
			cdc_io_posix.list(NULL, p->dir, remove_one, (void *)(uintptr_t)p->dir);
			if (!f.hits)
				break;
			injected += f.hits;
		}
	}
	return injected;
}

static void test_sweep(void **state)
{
	const struct place *p = *state;

	assert_true(sweep_new(p, false, 1) >= 90);
}

static void test_sweep_lost_replies(void **state)
{
	const struct place *p = *state;

	assert_true(sweep_new(p, true, 1) >= 90);
}

/* The disk goes away and does not come back: the commit may not be seen as made. */
static void test_sweep_dead_disk(void **state)
{
	const struct place *p = *state;

	assert_true(sweep_new(p, false, 0) >= 90);
}

static void test_interrupted_write(void **state)
{
	const struct place *p = *state;
	struct cdc_err err = CDC_ERR_INIT;
	struct faultio f;

	faultio_init(&f, &cdc_io_posix);
	f.fail_op = FAULTIO_WRITE;
	f.fail_at = 1;
	f.fail_errno = EINTR;
	assert_int_equal(cdc_io_commit_new(&f.io, p->dir, NAME, CDC_STR("content"), &err), CDC_OK);
	assert_int_equal(f.hits, 1);
	assert_true(content_is(p, "content"));
}

static void test_failed_fsync_is_final(void **state)
{
	const struct place *p = *state;
	struct cdc_err err = CDC_ERR_INIT;
	struct faultio f;

	faultio_init(&f, &cdc_io_posix);
	f.fail_op = FAULTIO_FSYNC;
	f.fail_at = 1;
	assert_int_equal(cdc_io_commit_new(&f.io, p->dir, NAME, CDC_STR("x"), &err), CDC_EIO);
	assert_int_equal(f.calls[FAULTIO_FSYNC], 1);
	assert_int_equal(count_files(p), 0);
}

static void test_unsynced_directory_is_told(void **state)
{
	const struct place *p = *state;
	struct cdc_err err = CDC_ERR_INIT;
	struct faultio f;

	faultio_init(&f, &cdc_io_posix);
	f.fail_op = FAULTIO_FSYNC;
	f.fail_at = 2;
	assert_int_equal(cdc_io_commit_new(&f.io, p->dir, NAME, CDC_STR("x"), &err), CDC_OK);
	assert_int_equal(err.code, CDC_OK);
	assert_non_null(strstr(err.msg, "power loss"));
	assert_true(content_is(p, "x"));
}

static void test_no_hard_links(void **state)
{
	const struct place *p = *state;
	struct cdc_err err = CDC_ERR_INIT;
	struct faultio f;

	/* Rename serves instead, and does not replace. */
	faultio_init(&f, &cdc_io_posix);
	f.fail_op = FAULTIO_LINK;
	f.fail_at = 1;
	f.fail_for = 0;
	f.fail_errno = EPERM;
	assert_int_equal(cdc_io_commit_new(&f.io, p->dir, NAME, CDC_STR("one"), &err), CDC_OK);
	assert_string_equal(f.log, "Owfcndc");
	assert_int_equal(cdc_io_commit_new(&f.io, p->dir, NAME, CDC_STR("two"), &err),
			 CDC_ECONFLICT);
	assert_true(content_is(p, "one"));
	assert_int_equal(count_files(p), 1);
}

static int no_rename(void *ctx, const char *from, const char *to)
{
	(void)ctx;
	(void)from;
	(void)to;
	errno = EINVAL;
	return -1;
}

static void test_neither_link_nor_rename(void **state)
{
	const struct place *p = *state;
	struct cdc_err err = CDC_ERR_INIT;
	struct faultio f;

	faultio_init(&f, &cdc_io_posix);
	f.fail_op = FAULTIO_LINK;
	f.fail_at = 1;
	f.fail_errno = EOPNOTSUPP;
	f.io.rename_noreplace = no_rename;
	assert_int_equal(cdc_io_commit_new(&f.io, p->dir, NAME, CDC_STR("one"), &err), CDC_EIO);
	assert_int_equal(err.sys_errno, EOPNOTSUPP);
	assert_non_null(strstr(err.msg, "neither hard links nor"));
	assert_int_equal(count_files(p), 0);
}

static void test_replace(void **state)
{
	const struct place *p = *state;
	struct cdc_err err = CDC_ERR_INIT;
	char crc[160];

	put(p, "old");
	snprintf(crc, sizeof(crc), "%s/.%s.crc", p->dir, NAME);
	assert_int_equal(link(p->file, crc), 0);
	assert_int_equal(cdc_io_commit_replace(&cdc_io_posix, p->dir, NAME, CDC_STR("new"), &err),
			 CDC_OK);
	assert_true(content_is(p, "new"));
	assert_int_equal(count_files(p), 1);
}

static void test_replace_sweep(void **state)
{
	const struct place *p = *state;

	for (uint64_t n = 1;; n++) {
		struct cdc_err err = CDC_ERR_INIT;
		struct faultio f;
		int rc;

		put(p, "old");
		faultio_init(&f, &cdc_io_posix);
		f.fail_at = n;
		rc = cdc_io_commit_replace(&f.io, p->dir, NAME, CDC_STR("new"), &err);
		assert_true(content_is(p, rc == CDC_OK ? "new" : "old"));
		if (f.last_hit != FAULTIO_UNLINK)
			assert_int_equal(count_files(p), 1);
		cdc_io_posix.list(NULL, p->dir, remove_one, (void *)(uintptr_t)p->dir);
		if (!f.hits) {
			assert_true(n > 8);
			return;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_commit, enter, leave),
		cmocka_unit_test_setup_teardown(test_order, enter, leave),
		cmocka_unit_test_setup_teardown(test_sweep, enter, leave),
		cmocka_unit_test_setup_teardown(test_sweep_lost_replies, enter, leave),
		cmocka_unit_test_setup_teardown(test_sweep_dead_disk, enter, leave),
		cmocka_unit_test_setup_teardown(test_interrupted_write, enter, leave),
		cmocka_unit_test_setup_teardown(test_failed_fsync_is_final, enter, leave),
		cmocka_unit_test_setup_teardown(test_unsynced_directory_is_told, enter, leave),
		cmocka_unit_test_setup_teardown(test_no_hard_links, enter, leave),
		cmocka_unit_test_setup_teardown(test_neither_link_nor_rename, enter, leave),
		cmocka_unit_test_setup_teardown(test_replace, enter, leave),
		cmocka_unit_test_setup_teardown(test_replace_sweep, enter, leave),
	};

	return cmocka_run_group_tests_name("durable", tests, NULL, NULL);
}
