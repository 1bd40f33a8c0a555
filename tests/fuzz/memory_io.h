/*
 * A file that is in memory, as the fuzz targets give it to the library: whatever path is asked for,
 * these bytes are there. What is written goes nowhere.
 */
#ifndef CDC_TESTS_MEMORY_IO_H
#define CDC_TESTS_MEMORY_IO_H

#include "io/io.h"

#include <string.h>

struct memory {
	const uint8_t *p;
	size_t n;
};

static int mem_open(void *ctx, const char *path, int flags, mode_t mode)
{
	(void)ctx;
	(void)path;
	(void)flags;
	(void)mode;
	return 3;
}

static int mem_close(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	return 0;
}

static ssize_t mem_pread(void *ctx, int fd, void *buf, size_t n, off_t offset)
{
	const struct memory *m = ctx;
	size_t at = (size_t)offset;

	(void)fd;
	if (offset < 0 || at >= m->n)
		return 0;
	n = n < m->n - at ? n : m->n - at;
	memcpy(buf, m->p + at, n);
	return (ssize_t)n;
}

static int mem_fstat(void *ctx, int fd, struct stat *st)
{
	const struct memory *m = ctx;

	(void)fd;
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFREG | 0644;
	st->st_size = (off_t)m->n;
	return 0;
}

static int mem_stat(void *ctx, const char *path, struct stat *st)
{
	(void)path;
	return mem_fstat(ctx, 3, st);
}

static ssize_t mem_write(void *ctx, int fd, const void *buf, size_t n)
{
	(void)ctx;
	(void)fd;
	(void)buf;
	return (ssize_t)n;
}

static bool mem_interrupted(void *ctx)
{
	(void)ctx;
	return false;
}

static inline struct cdc_io memory_io(struct memory *m)
{
	return (struct cdc_io){ .ctx = m,
				.open = mem_open,
				.close = mem_close,
				.pread = mem_pread,
				.write = mem_write,
				.fstat = mem_fstat,
				.stat = mem_stat,
				.interrupted = mem_interrupted };
}

#endif
