/*
 * A world of its own for a table: a clock that the test moves, files that bear its time, names that
 * a seed decides, and a moment just before a commit in which another writer may act. The files are
 * on the disk all the same. For tests, all static inline.
 */
#ifndef CDC_TESTS_WORLD_H
#define CDC_TESTS_WORLD_H

#include "io/io.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORLD_FDS 256
#define WORLD_BEGIN_US ((int64_t)1893456000 * 1000000) /* 2030-01-01 */
#define WORLD_TICK_US 1000

struct world {
	struct cdc_io io; /* hand this to the code under test */
	int64_t now_us;
	uint64_t random;
	bool made[WORLD_FDS]; /* the descriptor is of a file that was created */
	/* Called once, before the next commit gets its name; NULL: nothing happens then. */
	void (*before_commit)(void *arg);
	void *arg;
};

/* No two moments are the same: what is done later is later. */
static inline int64_t world_now_us(void *ctx)
{
	struct world *w = ctx;

	w->now_us += WORLD_TICK_US;
	return w->now_us;
}

static inline void world_sleep_ms(void *ctx, uint32_t ms)
{
	struct world *w = ctx;

	w->now_us += (int64_t)ms * 1000;
}

static inline int world_random(void *ctx, void *buf, size_t n)
{
	struct world *w = ctx;

	for (size_t i = 0; i < n; i++) {
		w->random ^= w->random << 13;
		w->random ^= w->random >> 7;
		w->random ^= w->random << 17;
		((uint8_t *)buf)[i] = (uint8_t)(w->random >> 32);
	}
	return 0;
}

static inline int world_open(void *ctx, const char *path, int flags, mode_t mode)
{
	struct world *w = ctx;
	int fd = cdc_io_posix.open(NULL, path, flags, mode);

	if (fd >= 0 && fd < WORLD_FDS)
		w->made[fd] = (flags & O_CREAT) != 0;
	return fd;
}

static inline int world_close(void *ctx, int fd)
{
	struct world *w = ctx;
	int64_t us = world_now_us(w);
	struct timespec t = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	if (fd >= 0 && fd < WORLD_FDS && w->made[fd])
		(void)futimens(fd, (struct timespec[]){ t, t });
	return cdc_io_posix.close(NULL, fd);
}

static inline int world_fsync(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	return 0;
}

static inline int world_link(void *ctx, const char *from, const char *to)
{
	struct world *w = ctx;
	void (*act)(void *) = w->before_commit;
	size_t n = strlen(to);

	if (act && n > 5 && !strcmp(to + n - 5, ".json")) {
		w->before_commit = NULL;
		act(w->arg);
	}
	return cdc_io_posix.link(NULL, from, to);
}

static inline void world_init(struct world *w, uint64_t seed)
{
	*w = (struct world){ .io = cdc_io_posix, .now_us = WORLD_BEGIN_US, .random = seed | 1 };
	w->io.ctx = w;
	w->io.now_us = world_now_us;
	w->io.mono_us = world_now_us;
	w->io.sleep_ms = world_sleep_ms;
	w->io.random = world_random;
	w->io.open = world_open;
	w->io.close = world_close;
	w->io.fsync = world_fsync;
	w->io.link = world_link;
}

#endif
