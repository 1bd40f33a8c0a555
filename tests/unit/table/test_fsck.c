/*
 * Proves the checksum of _last_checkpoint by the protocol's own example, and that a check ends with
 * an error, and never with a clean bill, when the system fails it at any call.
 */
#include "tests/unit/delta/log_fixture.h"

#include "table/fsck_int.h"

#include <errno.h>
#include <fcntl.h>

static void expect_digest(const char *json, const char *digest)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	char got[33];

	assert_int_equal(cdc_json_scan(&tape, cdc_str_z(json), NULL, &err), CDC_OK);
	assert_int_equal(fsck_hint_digest(&tape, got, &err), CDC_OK);
	assert_string_equal(got, digest);
	cdc_tape_free(&tape);
}

static void test_digest(void **state)
{
	(void)state;
	expect_digest("{\"k0\":\"'v 0'\",\"checksum\":\"x\",\"k1\":{\"k2\":2,\"k3\":[\"v3\",[1,2],"
		      "{\"k4\":\"v4\",\"k5\":[\"v5\",\"v6\",\"v7\"]}]}}",
		      "6a92d155a59bf2eecbd4b4ec7fd1f875");
	/* Neither the order of members nor the checksum itself counts. */
	expect_digest("{ \"k1\":{\"k3\":[\"v3\",[1,2],{\"k5\":[\"v5\",\"v6\",\"v7\"],\"k4\":\"v4\"}"
		      "],\"k2\":2},\"k0\":\"'v 0'\"}",
		      "6a92d155a59bf2eecbd4b4ec7fd1f875");
	/* A member of that name further in does: printf '"a"+"checksum"=1' | md5sum. */
	expect_digest("{\"a\":{\"checksum\":1}}", "0d776d6168ee61e154225fd7cf49ee41");
}

/* ------------------------------------------------------------------ failures */

/* The system, whose call number `fail_at` fails with EIO. */
struct world {
	struct cdc_io io;
	int calls;
	int fail_at; /* -1: none */
};

static bool fails(void *ctx)
{
	struct world *w = ctx;

	if (w->calls++ != w->fail_at)
		return false;
	errno = EIO;
	return true;
}

static int world_open(void *ctx, const char *path, int flags, mode_t mode)
{
	return fails(ctx) ? -1 : cdc_io_posix.open(NULL, path, flags, mode);
}

static ssize_t world_read(void *ctx, int fd, void *buf, size_t n)
{
	return fails(ctx) ? -1 : cdc_io_posix.read(NULL, fd, buf, n);
}

static ssize_t world_pread(void *ctx, int fd, void *buf, size_t n, off_t at)
{
	return fails(ctx) ? -1 : cdc_io_posix.pread(NULL, fd, buf, n, at);
}

static int world_stat(void *ctx, const char *path, struct stat *st)
{
	return fails(ctx) ? -1 : cdc_io_posix.stat(NULL, path, st);
}

static int world_list(void *ctx, const char *path, int (*each)(void *arg, const char *name),
		      void *arg)
{
	return fails(ctx) ? -1 : cdc_io_posix.list(NULL, path, each, arg);
}

static int run(const struct fixture *f, struct world *w, int fail_at, struct cdc_fsck_result *r)
{
	struct cdc_fsck_options opt = { .io = &w->io, .table = f->table, .version = -1 };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_writer out;
	int fd = open("/dev/null", O_WRONLY);
	int rc;

	*w = (struct world){ .io = cdc_io_posix, .fail_at = fail_at };
	w->io.ctx = w;
	w->io.open = world_open;
	w->io.read = world_read;
	w->io.pread = world_pread;
	w->io.stat = world_stat;
	w->io.list = world_list;
	assert_true(fd >= 0);
	assert_int_equal(cdc_writer_init(&out, &cdc_io_posix, fd, &err), CDC_OK);
	rc = cdc_fsck(&opt, &out, r, &err);
	assert_int_equal(rc, err.code);
	cdc_writer_free(&out);
	assert_int_equal(close(fd), 0);
	return rc;
}

static void test_every_call_that_fails(void **state)
{
	const struct fixture *f = *state;
	struct cdc_fsck_result r;
	struct world w;
	int calls;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("gone"));
	fixture_commit(f, 1, ADD("gone too"));
	fixture_put(f, "00000000000000000001.crc", "{\"numFiles\":2}");
	assert_int_equal(run(f, &w, -1, &r), CDC_OK);
	/* Two files that are not there. */
	assert_int_equal(r.errors, 2);
	calls = w.calls;
	assert_true(calls > 10);
	for (int i = 0; i < calls; i++) {
		int rc = run(f, &w, i, &r);

		if (rc != CDC_EIO && r.errors < 2)
			fail_msg("call %d failed, and the result is %d with %d errors", i, rc,
				 (int)r.errors);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),
		cmocka_unit_test_setup_teardown(test_every_call_that_fails, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests_name("fsck", tests, NULL, NULL);
}
