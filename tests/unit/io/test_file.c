/*
 * Proves the services on files and directories (read whole, mkdir -p, temporary files, UUIDs), the
 * repeatable clock and chance of SOURCE_DATE_EPOCH, and the progress line.
 */
#include "io/io.h"
#include "io/progress.h"

#include "tests/fault/faultio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static int enter(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/cdc-file-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int leave(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void put(const char *path, const char *p, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void test_read_file(void **state)
{
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_buf capped = CDC_BUF_INIT_MAX(300000);
	struct cdc_err err = CDC_ERR_INIT;
	static char text[300001];
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 + i / 251);
	snprintf(path, sizeof(path), "%s/file", dir);
	put(path, text, sizeof(text) - 1);
	assert_int_equal(cdc_buf_puts(&b, "before", &err), CDC_OK);
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, path, &b, &err), CDC_OK);
	assert_int_equal(b.len, 6 + 300000);
	assert_memory_equal(b.p + 6, text, 300000);
	/* A file that just fits the cap is read; one byte more is refused and leaves b alone. */
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, path, &capped, &err), CDC_OK);
	assert_int_equal(capped.len, 300000);
	cdc_buf_reset(&capped);
	put(path, text, sizeof(text));
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, path, &capped, &err), CDC_EDATA);
	assert_int_equal(capped.len, 0);
	/* Files under /proc have no size. */
	cdc_buf_reset(&b);
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, "/proc/self/maps", &b, &err), CDC_OK);
	assert_true(b.len > 100);
	put(path, "", 0);
	cdc_buf_reset(&b);
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, path, &b, &err), CDC_OK);
	assert_int_equal(b.len, 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, path, &b, &err), CDC_EIO);
	assert_int_equal(err.sys_errno, ENOENT);
	assert_non_null(strstr(err.msg, path));
	cdc_buf_free(&b);
	cdc_buf_free(&capped);
}

static void test_read_file_sweep(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/file", dir);
	put(path, "0123456789", 10);
	for (uint64_t n = 1;; n++) {
		struct cdc_buf b = CDC_BUF_INIT;
		struct cdc_err err = CDC_ERR_INIT;
		struct faultio f;
		int rc;

		faultio_init(&f, &cdc_io_posix);
		f.max_transfer = 3;
		f.fail_at = n;
		rc = cdc_io_read_file(&f.io, path, &b, &err);
		assert_int_equal(b.len, rc == CDC_OK ? 10 : 0);
		assert_int_equal(rc, f.hits && f.last_hit != FAULTIO_CLOSE ? CDC_EIO : CDC_OK);
		cdc_buf_free(&b);
		if (!f.hits)
			break;
	}
	assert_int_equal(unlink(path), 0);
}

static void test_pread(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct faultio f;
	char got[8];
	int fd = -1;

	(void)state;
	assert_int_equal(cdc_io_open_temp(&cdc_io_posix, dir, &fd, &err), CDC_OK);
	assert_int_equal(cdc_io_write_full(&cdc_io_posix, fd, "0123456789", 10, &err), CDC_OK);
	faultio_init(&f, &cdc_io_posix);
	f.max_transfer = 1;
	f.fail_op = FAULTIO_PREAD;
	f.fail_at = 3;
	f.fail_errno = EINTR;
	assert_int_equal(cdc_io_pread_full(&f.io, fd, got, 8, 2, "t", &err), CDC_OK);
	assert_memory_equal(got, "23456789", 8);
	assert_int_equal(cdc_io_pread_full(&f.io, fd, got, 8, 3, "t", &err), CDC_ECORRUPT);
	assert_int_equal(cdc_io_pread_full(&f.io, fd, got, 8, UINT64_MAX, "t", &err), CDC_ECORRUPT);
	f.fail_at = f.calls[FAULTIO_PREAD] + 1;
	f.fail_errno = EIO;
	assert_int_equal(cdc_io_pread_full(&f.io, fd, got, 8, 0, "t", &err), CDC_EIO);
	close(fd);
}

static int fail_list(void *arg, const char *name)
{
	(void)arg;
	fail_msg("%s is left", name);
	return 1;
}

static void test_open_temp(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct faultio f;
	int fd = -1;

	(void)state;
	/* With O_TMPFILE, without it, and with a name that cannot be unlinked. */
	assert_int_equal(cdc_io_open_temp(&cdc_io_posix, dir, &fd, &err), CDC_OK);
	assert_int_equal(cdc_io_posix.list(NULL, dir, fail_list, NULL), 0);
	close(fd);
	faultio_init(&f, &cdc_io_posix);
	f.fail_op = FAULTIO_OPEN;
	f.fail_at = 1;
	f.fail_errno = EOPNOTSUPP;
	assert_int_equal(cdc_io_open_temp(&f.io, dir, &fd, &err), CDC_OK);
	assert_string_equal(f.log, "Ou");
	assert_int_equal(cdc_io_posix.list(NULL, dir, fail_list, NULL), 0);
	close(fd);
	faultio_init(&f, &cdc_io_posix);
	f.fail_op = FAULTIO_OPEN;
	f.fail_at = 1;
	f.fail_errno = EACCES;
	assert_int_equal(cdc_io_open_temp(&f.io, dir, &fd, &err), CDC_EIO);
	assert_int_equal(err.sys_errno, EACCES);
	assert_int_equal(fd, -1);
}

static void test_mkdirs(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct faultio f;
	char path[128];
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "%s/a//b/c///", dir);
	faultio_init(&f, &cdc_io_posix);
	assert_int_equal(cdc_io_mkdirs(&f.io, path, &err), CDC_OK);
	/* Each directory is made, then its parent synced. */
	assert_string_equal(f.log, "mdcmdcmdc");
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	faultio_init(&f, &cdc_io_posix);
	assert_int_equal(cdc_io_mkdirs(&f.io, path, &err), CDC_OK);
	assert_string_equal(f.log, "");
	assert_int_equal(cdc_io_mkdirs(&f.io, "/", &err), CDC_OK);
	assert_int_equal(cdc_io_mkdirs(&f.io, "", &err), CDC_EUSAGE);
	snprintf(path, sizeof(path), "%s/a/b/c", dir);
	assert_int_equal(rmdir(path), 0);
	put(path, "", 0);
	assert_int_equal(cdc_io_mkdirs(&cdc_io_posix, path, &err), CDC_EIO);
	assert_int_equal(err.sys_errno, ENOTDIR);
	assert_int_equal(unlink(path), 0);
	/* Two at once: the loser finds the directory made. */
	assert_int_equal(mkdir(path, 0777), 0);
	faultio_init(&f, &cdc_io_posix);
	f.fail_op = FAULTIO_STAT;
	f.fail_at = 4;
	f.fail_errno = ENOENT;
	strcat(path, "/");
	assert_int_equal(cdc_io_mkdirs(&f.io, path, &err), CDC_OK);
	for (int i = 0; i < 3; i++) {
		*strrchr(path, '/') = '\0';
		assert_int_equal(rmdir(path), 0);
	}
}

static void test_uuid(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	char a[37];
	char b[37];
	uint8_t bytes[16];
	char hex[33];

	(void)state;
	assert_int_equal(cdc_io_uuid(&cdc_io_posix, a, bytes, &err), CDC_OK);
	assert_int_equal(cdc_io_uuid(&cdc_io_posix, b, NULL, &err), CDC_OK);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), 36);
	assert_int_equal(a[14], '4');
	assert_non_null(strchr("89ab", a[19]));
	for (int i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	for (int i = 0, k = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23)
			assert_int_equal(a[i], '-');
		else
			assert_int_equal(a[i], hex[k++]);
	}
}

/* In a process of its own, since the environment is read once. The answer comes by a pipe. */
static void ask(const char *epoch, int64_t *now_us, unsigned char random[20])
{
	struct {
		int64_t now_us;
		unsigned char random[20];
	} answer;
	int fds[2];
	int status;

	assert_int_equal(pipe(fds), 0);
	if (fork() == 0) {
		setenv("SOURCE_DATE_EPOCH", epoch, 1);
		answer.now_us = cdc_io_posix.now_us(NULL);
		cdc_io_posix.random(NULL, answer.random, 7);
		cdc_io_posix.random(NULL, answer.random + 7, 13);
		_exit(write(fds[1], &answer, sizeof(answer)) == sizeof(answer) ? 0 : 1);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &answer, sizeof(answer)), sizeof(answer));
	close(fds[0]);
	wait(&status);
	assert_int_equal(status, 0);
	*now_us = answer.now_us;
	memcpy(random, answer.random, sizeof(answer.random));
}

static void test_source_date_epoch(void **state)
{
	unsigned char a[20];
	unsigned char b[20];
	int64_t now_us;

	(void)state;
	ask("1573701065", &now_us, a);
	assert_int_equal(now_us, 1573701065000000);
	ask("1573701065", &now_us, b);
	assert_memory_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, a + 8, 8);
	ask("1573701066", &now_us, b);
	assert_int_equal(now_us, 1573701066000000);
	assert_memory_not_equal(a, b, sizeof(a));
	/* What is no time is as if it were not set. */
	ask("tomorrow", &now_us, a);
	assert_true(now_us > 1700000000000000);
	ask("tomorrow", &now_us, b);
	assert_memory_not_equal(a, b, sizeof(a));
}

/* Progress under a clock and a terminal of our own. */
struct screen {
	int64_t mono_us;
	int looks;
	char text[4096];
};

static ssize_t screen_write(void *ctx, int fd, const void *buf, size_t n)
{
	struct screen *s = ctx;

	assert_int_equal(fd, 2);
	strncat(s->text, buf, n);
	return (ssize_t)n;
}

static int64_t screen_clock(void *ctx)
{
	struct screen *s = ctx;

	s->looks++;
	return s->mono_us;
}

static void test_progress(void **state)
{
	struct screen s = { .mono_us = 5000000 };
	struct cdc_io io = cdc_io_posix;
	struct cdc_progress p;

	(void)state;
	io.ctx = &s;
	io.write = screen_write;
	io.mono_us = screen_clock;
	cdc_progress_init(&p, &io, "cdc-merge", CDC_PROGRESS_ALWAYS, 4000000);
	s.mono_us += 2000000;
	cdc_progress_update(&p, 1000, 1000000);
	assert_string_equal(s.text, "\rcdc-merge: 1000 records, 0.5 MB/s, 25%, 0:00:06 left\033[K");
	s.text[0] = '\0';
	/* The clock is looked at once in 1024 calls, the line changes four times a second. */
	s.looks = 0;
	s.mono_us += 100000;
	for (int i = 0; i < 10240; i++)
		cdc_progress_update(&p, 2000, 2000000);
	assert_int_equal(s.looks, 10);
	assert_string_equal(s.text, "");
	s.mono_us += 200000;
	for (int i = 0; i < 1024; i++)
		cdc_progress_update(&p, 2000, 2000000);
	assert_string_equal(s.text, "\rcdc-merge: 2000 records, 0.9 MB/s, 50%, 0:00:02 left\033[K");
	s.text[0] = '\0';
	cdc_progress_done(&p);
	assert_string_equal(s.text, "\r\033[K");
	s.text[0] = '\0';
	cdc_progress_done(&p);
	assert_string_equal(s.text, "");

	/* Off, but asked for once. */
	cdc_progress_init(&p, &io, "cdc-dedup", CDC_PROGRESS_NEVER, 0);
	s.mono_us += 1000000;
	cdc_progress_update(&p, 1, 1);
	assert_string_equal(s.text, "");
	cdc_progress_request();
	cdc_progress_update(&p, 12, 34500000);
	cdc_progress_update(&p, 13, 34500001);
	assert_string_equal(s.text, "cdc-dedup: 12 records, 34.5 MB/s\n");
}

static void test_interrupt(void **state)
{
	(void)state;
	assert_false(cdc_io_posix.interrupted(NULL));
	cdc_io_interrupt();
	assert_true(cdc_io_posix.interrupted(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: it must come before anything reads the environment. */
		cmocka_unit_test(test_source_date_epoch),
		cmocka_unit_test(test_read_file),
		cmocka_unit_test(test_read_file_sweep),
		cmocka_unit_test(test_pread),
		cmocka_unit_test(test_open_temp),
		cmocka_unit_test(test_mkdirs),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_interrupt),
	};

	return cmocka_run_group_tests_name("file", tests, enter, leave);
}
