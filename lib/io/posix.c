/*
 * The table of functions that is the operating system.
 */
#include "io/io.h"

#include "base/value.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static int posix_open(void *ctx, const char *path, int flags, mode_t mode)
{
	(void)ctx;
	return open(path, flags | O_CLOEXEC, mode);
}

static int posix_close(void *ctx, int fd)
{
	(void)ctx;
	return close(fd);
}

static ssize_t posix_read(void *ctx, int fd, void *buf, size_t n)
{
	(void)ctx;
	return read(fd, buf, n);
}

static ssize_t posix_pread(void *ctx, int fd, void *buf, size_t n, off_t offset)
{
	(void)ctx;
	return pread(fd, buf, n, offset);
}

static ssize_t posix_write(void *ctx, int fd, const void *buf, size_t n)
{
	(void)ctx;
	return write(fd, buf, n);
}

static int posix_fsync(void *ctx, int fd)
{
	(void)ctx;
	return fsync(fd);
}

static int posix_fstat(void *ctx, int fd, struct stat *st)
{
	(void)ctx;
	return fstat(fd, st);
}

static int posix_lstat(void *ctx, const char *path, struct stat *st)
{
	(void)ctx;
	return lstat(path, st);
}

static int posix_stat(void *ctx, const char *path, struct stat *st)
{
	(void)ctx;
	return stat(path, st);
}

static int posix_link(void *ctx, const char *from, const char *to)
{
	(void)ctx;
	return link(from, to);
}

static int posix_rename(void *ctx, const char *from, const char *to)
{
	(void)ctx;
	return rename(from, to);
}

static int posix_rename_noreplace(void *ctx, const char *from, const char *to)
{
	(void)ctx;
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

static int posix_unlink(void *ctx, const char *path)
{
	(void)ctx;
	return unlink(path);
}

static int posix_mkdir(void *ctx, const char *path, mode_t mode)
{
	(void)ctx;
	return mkdir(path, mode);
}

static int posix_rmdir(void *ctx, const char *path)
{
	(void)ctx;
	return rmdir(path);
}

static int posix_list(void *ctx, const char *path, int (*each)(void *arg, const char *name),
		      void *arg)
{
	const struct dirent *e;
	DIR *d = opendir(path);
	int failed = 0;

	(void)ctx;
	if (!d)
		return -1;
	for (;;) {
		errno = 0;
		e = readdir(d);
		if (!e) {
			failed = errno;
			break;
		}
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (each(arg, e->d_name))
			break;
	}
	closedir(d);
	errno = failed;
	return failed ? -1 : 0;
}

/* --- the clock and chance, which SOURCE_DATE_EPOCH makes repeatable --------- */

static struct {
	pthread_once_t once;
	bool set;
	uint64_t seconds;
} source_date = { .once = PTHREAD_ONCE_INIT };

/* Position in the repeatable random sequence. */
static atomic_uint_fast64_t drawn;

/* The last second of the year 9999: what the text of a timestamp can hold. */
#define SECONDS_MAX UINT64_C(253402300799)

/* The environment is read once: it must not change under a run, and getenv races with setenv. */
static void read_source_date(void)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	uint64_t seconds;

	if (!text || cdc_uint64_parse(cdc_str_z(text), &seconds) != CDC_PARSE_OK ||
	    seconds > SECONDS_MAX)
		return;
	source_date.set = true;
	source_date.seconds = seconds;
}

static bool date_is_fixed(void)
{
	pthread_once(&source_date.once, read_source_date);
	return source_date.set;
}

/* Sebastiano Vigna's SplitMix64: a good 64-bit mix of a counter. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static int posix_random(void *ctx, void *buf, size_t n)
{
	unsigned char *p = buf;

	(void)ctx;
	while (n) {
		uint64_t word;
		size_t part;

		if (date_is_fixed()) {
			uint64_t i = (uint64_t)atomic_fetch_add(&drawn, 1) + 1;

			word = mix(mix(source_date.seconds) + i * UINT64_C(0x9e3779b97f4a7c15));
			part = n < sizeof(word) ? n : sizeof(word);
			memcpy(p, &word, part);
		} else {
			ssize_t got = getrandom(p, n, 0);

			if (got < 0 && errno == EINTR)
				continue;
			if (got < 0)
				return -1;
			part = (size_t)got;
		}
		p += part;
		n -= part;
	}
	return 0;
}

static int64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) < 0)
		return -1;
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t posix_now_us(void *ctx)
{
	(void)ctx;
	return date_is_fixed() ? (int64_t)source_date.seconds * 1000000 : clock_us(CLOCK_REALTIME);
}

static int64_t posix_mono_us(void *ctx)
{
	(void)ctx;
	return clock_us(CLOCK_MONOTONIC);
}

static void posix_sleep_ms(void *ctx, uint32_t ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)ctx;
	nanosleep(&ts, NULL);
}

/* --- interruption --------------------------------------------------------- */

static volatile sig_atomic_t interrupt_asked;

void cdc_io_interrupt(void)
{
	interrupt_asked = 1;
}

static bool posix_interrupted(void *ctx)
{
	(void)ctx;
	return interrupt_asked != 0;
}

const struct cdc_io cdc_io_posix = {
	.open = posix_open,
	.close = posix_close,
	.read = posix_read,
	.pread = posix_pread,
	.write = posix_write,
	.fsync = posix_fsync,
	.fstat = posix_fstat,
	.lstat = posix_lstat,
	.stat = posix_stat,
	.link = posix_link,
	.rename = posix_rename,
	.rename_noreplace = posix_rename_noreplace,
	.unlink = posix_unlink,
	.mkdir = posix_mkdir,
	.rmdir = posix_rmdir,
	.list = posix_list,
	.random = posix_random,
	.now_us = posix_now_us,
	.interrupted = posix_interrupted,
	.mono_us = posix_mono_us,
	.sleep_ms = posix_sleep_ms,
};
