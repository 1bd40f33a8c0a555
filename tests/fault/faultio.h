/*
 * An operating system that fails on demand: a struct cdc_io around another one that makes the Nth
 * call of a chosen kind fail with a chosen errno, cuts transfers short, and remembers the order of
 * what was called. For tests, all static inline: include it and build nothing.
 *
 *	struct faultio f;
 *	faultio_init(&f, &cdc_io_posix);
 *	f.fail_op = FAULTIO_ANY;	// or one kind, FAULTIO_FSYNC…
 *	f.fail_at = n;			// 1: the first such call
 *	f.fail_errno = EIO;
 *	cdc_io_commit_new(&f.io, …);
 *	assert(f.hits == 1);		// 0: there were fewer calls than n, the sweep is over
 */
#ifndef CDC_TESTS_FAULTIO_H
#define CDC_TESTS_FAULTIO_H

#include "io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum faultio_op {
	FAULTIO_ANY,
	FAULTIO_OPEN,
	FAULTIO_CLOSE,
	FAULTIO_READ,
	FAULTIO_PREAD,
	FAULTIO_WRITE,
	FAULTIO_FSYNC,
	FAULTIO_FSTAT,
	FAULTIO_LSTAT,
	FAULTIO_STAT,
	FAULTIO_LINK,
	FAULTIO_RENAME,
	FAULTIO_RENAME_NOREPLACE,
	FAULTIO_UNLINK,
	FAULTIO_MKDIR,
	FAULTIO_RMDIR,
	FAULTIO_LIST,
	FAULTIO_RANDOM,
	FAULTIO_OPS
};

#define FAULTIO_LOG 4096

struct faultio {
	struct cdc_io io; /* hand this to the code under test */
	const struct cdc_io *under;

	enum faultio_op fail_op; /* which calls count towards fail_at */
	uint64_t fail_at; /* 0: never */
	uint64_t fail_for; /* how many in a row fail; 0: all from fail_at on */
	int fail_errno;
	bool fail_after; /* do the work, then report failure: a lost reply */
	size_t max_transfer; /* read, pread and write move at most this much; 0: all */
	bool interrupted; /* what interrupted() says */

	uint64_t calls[FAULTIO_OPS]; /* made so far, by kind; all kinds under FAULTIO_ANY */
	uint64_t hits; /* failures injected */
	enum faultio_op last_hit;
	size_t max_asked; /* largest transfer that was asked for */

	/*
	 * What was done, in order, one letter a successful call, for tests of ordering:
	 * O create, w write, f fsync of a file, d fsync of a directory, c close, l link, r rename,
	 * n rename without replacing, u unlink, m mkdir.
	 */
	char log[FAULTIO_LOG];
	size_t log_len;
};

static inline void faultio_note(struct faultio *f, char what)
{
	if (f->log_len + 1 < sizeof(f->log))
		f->log[f->log_len++] = what;
	f->log[f->log_len] = '\0';
}

/* Count the call; true when it is to fail. */
static inline bool faultio_hit(struct faultio *f, enum faultio_op op)
{
	uint64_t n;

	f->calls[FAULTIO_ANY]++;
	f->calls[op]++;
	if (!f->fail_at || (f->fail_op != FAULTIO_ANY && f->fail_op != op))
		return false;
	n = f->calls[f->fail_op];
	if (n < f->fail_at || (f->fail_for && n >= f->fail_at + f->fail_for))
		return false;
	f->hits++;
	f->last_hit = op;
	return true;
}

static inline int faultio_failed(const struct faultio *f)
{
	errno = f->fail_errno;
	return -1;
}

static inline size_t faultio_cut(struct faultio *f, size_t n)
{
	if (n > f->max_asked)
		f->max_asked = n;
	return f->max_transfer && n > f->max_transfer ? f->max_transfer : n;
}

static inline int faultio_open(void *ctx, const char *path, int flags, mode_t mode)
{
	struct faultio *f = ctx;
	int fd;

	if (faultio_hit(f, FAULTIO_OPEN))
		return faultio_failed(f);
	fd = f->under->open(f->under->ctx, path, flags, mode);
	if (fd >= 0 && (flags & O_CREAT))
		faultio_note(f, 'O');
	return fd;
}

/* A close that fails has closed all the same, as on Linux. */
static inline int faultio_close(void *ctx, int fd)
{
	struct faultio *f = ctx;
	bool hit = faultio_hit(f, FAULTIO_CLOSE);
	int rc = f->under->close(f->under->ctx, fd);

	faultio_note(f, 'c');
	return hit ? faultio_failed(f) : rc;
}

static inline ssize_t faultio_read(void *ctx, int fd, void *buf, size_t n)
{
	struct faultio *f = ctx;

	if (faultio_hit(f, FAULTIO_READ))
		return faultio_failed(f);
	return f->under->read(f->under->ctx, fd, buf, faultio_cut(f, n));
}

static inline ssize_t faultio_pread(void *ctx, int fd, void *buf, size_t n, off_t offset)
{
	struct faultio *f = ctx;

	if (faultio_hit(f, FAULTIO_PREAD))
		return faultio_failed(f);
	return f->under->pread(f->under->ctx, fd, buf, faultio_cut(f, n), offset);
}

static inline ssize_t faultio_write(void *ctx, int fd, const void *buf, size_t n)
{
	struct faultio *f = ctx;

	if (faultio_hit(f, FAULTIO_WRITE))
		return faultio_failed(f);
	faultio_note(f, 'w');
	return f->under->write(f->under->ctx, fd, buf, faultio_cut(f, n));
}

static inline int faultio_fsync(void *ctx, int fd)
{
	struct faultio *f = ctx;
	struct stat st;
	bool dir = f->under->fstat(f->under->ctx, fd, &st) == 0 && S_ISDIR(st.st_mode);

	if (faultio_hit(f, FAULTIO_FSYNC))
		return faultio_failed(f);
	faultio_note(f, dir ? 'd' : 'f');
	return f->under->fsync(f->under->ctx, fd);
}

static inline int faultio_fstat(void *ctx, int fd, struct stat *st)
{
	struct faultio *f = ctx;

	return faultio_hit(f, FAULTIO_FSTAT) ? faultio_failed(f)
					     : f->under->fstat(f->under->ctx, fd, st);
}

static inline int faultio_lstat(void *ctx, const char *path, struct stat *st)
{
	struct faultio *f = ctx;

	return faultio_hit(f, FAULTIO_LSTAT) ? faultio_failed(f)
					     : f->under->lstat(f->under->ctx, path, st);
}

static inline int faultio_stat(void *ctx, const char *path, struct stat *st)
{
	struct faultio *f = ctx;

	return faultio_hit(f, FAULTIO_STAT) ? faultio_failed(f)
					    : f->under->stat(f->under->ctx, path, st);
}

/* What the calls that change directories have in common. */
static inline int faultio_change(struct faultio *f, enum faultio_op op, char what, const char *from,
				 const char *to)
{
	const struct cdc_io *u = f->under;
	bool hit = faultio_hit(f, op);
	int rc = -1;

	if (hit && !f->fail_after)
		return faultio_failed(f);
	switch (what) {
	case 'l':
		rc = u->link(u->ctx, from, to);
		break;
	case 'r':
		rc = u->rename(u->ctx, from, to);
		break;
	case 'n':
		rc = u->rename_noreplace(u->ctx, from, to);
		break;
	case 'u':
		rc = u->unlink(u->ctx, from);
		break;
	default:
		errno = ENOSYS;
		break;
	}
	if (rc == 0)
		faultio_note(f, what);
	return hit ? faultio_failed(f) : rc;
}

static inline int faultio_link(void *ctx, const char *from, const char *to)
{
	return faultio_change(ctx, FAULTIO_LINK, 'l', from, to);
}

static inline int faultio_rename(void *ctx, const char *from, const char *to)
{
	return faultio_change(ctx, FAULTIO_RENAME, 'r', from, to);
}

static inline int faultio_rename_noreplace(void *ctx, const char *from, const char *to)
{
	return faultio_change(ctx, FAULTIO_RENAME_NOREPLACE, 'n', from, to);
}

static inline int faultio_unlink(void *ctx, const char *path)
{
	return faultio_change(ctx, FAULTIO_UNLINK, 'u', path, NULL);
}

static inline int faultio_mkdir(void *ctx, const char *path, mode_t mode)
{
	struct faultio *f = ctx;
	int rc;

	if (faultio_hit(f, FAULTIO_MKDIR))
		return faultio_failed(f);
	rc = f->under->mkdir(f->under->ctx, path, mode);
	if (rc == 0)
		faultio_note(f, 'm');
	return rc;
}

static inline int faultio_rmdir(void *ctx, const char *path)
{
	struct faultio *f = ctx;

	return faultio_hit(f, FAULTIO_RMDIR) ? faultio_failed(f)
					     : f->under->rmdir(f->under->ctx, path);
}

static inline int faultio_list(void *ctx, const char *path,
			       int (*each)(void *arg, const char *name), void *arg)
{
	struct faultio *f = ctx;

	return faultio_hit(f, FAULTIO_LIST) ? faultio_failed(f)
					    : f->under->list(f->under->ctx, path, each, arg);
}

static inline int faultio_random(void *ctx, void *buf, size_t n)
{
	struct faultio *f = ctx;

	return faultio_hit(f, FAULTIO_RANDOM) ? faultio_failed(f)
					      : f->under->random(f->under->ctx, buf, n);
}

static inline int64_t faultio_now_us(void *ctx)
{
	struct faultio *f = ctx;

	return f->under->now_us(f->under->ctx);
}

/* Tests do not wait. */
static inline void faultio_sleep_ms(void *ctx, uint32_t ms)
{
	(void)ctx;
	(void)ms;
}

static inline int64_t faultio_mono_us(void *ctx)
{
	struct faultio *f = ctx;

	return f->under->mono_us(f->under->ctx);
}

static inline bool faultio_interrupted(void *ctx)
{
	const struct faultio *f = ctx;

	return f->interrupted || f->under->interrupted(f->under->ctx);
}

/* f must stay where it is: its table points to it. */
static inline void faultio_init(struct faultio *f, const struct cdc_io *under)
{
	memset(f, 0, sizeof(*f));
	f->under = under;
	f->fail_for = 1;
	f->fail_errno = EIO;
	f->io = (struct cdc_io){
		.ctx = f,
		.open = faultio_open,
		.close = faultio_close,
		.read = faultio_read,
		.pread = faultio_pread,
		.write = faultio_write,
		.fsync = faultio_fsync,
		.fstat = faultio_fstat,
		.lstat = faultio_lstat,
		.stat = faultio_stat,
		.link = faultio_link,
		.rename = faultio_rename,
		.rename_noreplace = faultio_rename_noreplace,
		.unlink = faultio_unlink,
		.mkdir = faultio_mkdir,
		.rmdir = faultio_rmdir,
		.list = faultio_list,
		.random = faultio_random,
		.now_us = faultio_now_us,
		.interrupted = faultio_interrupted,
		.mono_us = faultio_mono_us,
		.sleep_ms = faultio_sleep_ms,
	};
}

#endif
