/*
 * Whole transfers and small services on files and directories: loops over short transfers, mkdir
 * -p, directory fsync, random names, temporary files.
 */
#include "io/io.h"

#include <errno.h>
#include <unistd.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often a random name is drawn again because a file has it. */
#define NAME_TRIES 64

int cdc_io_write_full(const struct cdc_io *io, int fd, const void *p, size_t n, struct cdc_err *err)
{
	const char *at = p;

	while (n) {
		ssize_t put = io->write(io->ctx, fd, at, n);

		if (put < 0 && errno == EINTR)
			continue;
		/* A write of nothing would be tried for ever. */
		if (put <= 0)
			return cdc_fail_errno(err, put < 0 ? errno : EIO, "cannot write");
		at += put;
		n -= (size_t)put;
	}
	return CDC_OK;
}

int cdc_io_pread_full(const struct cdc_io *io, int fd, void *p, size_t n, uint64_t offset,
		      const char *path, struct cdc_err *err)
{
	char *at = p;

	if (offset > (uint64_t)INT64_MAX - n)
		return cdc_fail(err, CDC_ECORRUPT, "%s: offset past the end of the file", path);
	while (n) {
		ssize_t got = io->pread(io->ctx, fd, at, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return cdc_fail_errno(err, errno, "cannot read %s", path);
		if (got == 0)
			return cdc_fail(err, CDC_ECORRUPT, "%s: file ends early", path);
		at += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	return CDC_OK;
}

/*
 * Read to the end of fd. A full buffer is probed through `spill`, so that a file that just fits the
 * cap is not refused for the room that seeing its end would take.
 */
static int read_all(const struct cdc_io *io, int fd, const char *path, struct cdc_buf *b,
		    struct cdc_err *err)
{
	char spill[4096];

	for (;;) {
		size_t room = b->cap - b->len;
		ssize_t got = io->read(io->ctx, fd, room ? b->p + b->len : spill,
				       room ? room : sizeof(spill));
		int rc;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return cdc_fail_errno(err, errno, "cannot read %s", path);
		if (got == 0)
			return CDC_OK;
		if (room) {
			b->len += (size_t)got;
			continue;
		}
		rc = cdc_buf_append(b, spill, (size_t)got, err);
		if (rc < 0)
			return cdc_err_prefix(err, "%s", path);
	}
}

int cdc_io_read_file(const struct cdc_io *io, const char *path, struct cdc_buf *b,
		     struct cdc_err *err)
{
	size_t before = b->len;
	struct stat st;
	int rc = CDC_OK;
	int fd;

	fd = io->open(io->ctx, path, O_RDONLY, 0);
	if (fd < 0)
		return cdc_fail_errno(err, errno, "cannot open %s", path);
	if (io->fstat(io->ctx, fd, &st) < 0) {
		rc = cdc_fail_errno(err, errno, "cannot read %s", path);
		goto out;
	}
	/* The size is a hint (the file may grow, or be a pipe): the cap decides. */
	if (S_ISREG(st.st_mode) && st.st_size > 0) {
		rc = cdc_buf_reserve(b, (size_t)st.st_size, err);
		if (rc < 0) {
			cdc_err_prefix(err, "%s", path);
			goto out;
		}
	}
	rc = read_all(io, fd, path, b, err);
out:
	if (rc < 0)
		b->len = before;
	io->close(io->ctx, fd);
	return rc;
}

int cdc_io_sync_dir(const struct cdc_io *io, const char *path, struct cdc_err *err)
{
	int rc = CDC_OK;
	int fd = io->open(io->ctx, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return cdc_fail_errno(err, errno, "cannot open directory %s", path);
	/* EINVAL: a file system on which directories cannot be synced, and need not be. */
	if (io->fsync(io->ctx, fd) < 0 && errno != EINVAL)
		rc = cdc_fail_errno(err, errno, "cannot sync directory %s", path);
	io->close(io->ctx, fd);
	return rc;
}

/* --- mkdir -p ------------------------------------------------------------- */

static int is_dir(const struct cdc_io *io, const char *path)
{
	struct stat st;

	if (io->stat(io->ctx, path, &st) < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return 0;
	errno = ENOTDIR;
	return -1;
}

/* Sync the directory that holds `path`; path is cut for the while. */
static int sync_parent(const struct cdc_io *io, char *path, struct cdc_err *err)
{
	char *slash = strrchr(path, '/');
	int rc;

	if (!slash)
		return cdc_io_sync_dir(io, ".", err);
	if (slash == path)
		return cdc_io_sync_dir(io, "/", err);
	*slash = '\0';
	rc = cdc_io_sync_dir(io, path, err);
	*slash = '/';
	return rc;
}

static int make_one(const struct cdc_io *io, char *path, struct cdc_err *err)
{
	if (is_dir(io, path) == 0)
		return CDC_OK;
	if (errno != ENOENT)
		return cdc_fail_errno(err, errno, "cannot use directory %s", path);
	if (io->mkdir(io->ctx, path, 0777) == 0)
		return sync_parent(io, path, err);
	if (errno != EEXIST)
		return cdc_fail_errno(err, errno, "cannot make directory %s", path);
	/* Somebody else made it just now: also good, if it is a directory. */
	if (is_dir(io, path) < 0)
		return cdc_fail_errno(err, errno, "cannot make directory %s", path);
	return CDC_OK;
}

int cdc_io_mkdirs(const struct cdc_io *io, const char *path, struct cdc_err *err)
{
	size_t n = strlen(path);
	int rc = CDC_OK;
	char *p;

	if (n == 0)
		return cdc_fail(err, CDC_EUSAGE, "empty directory name");
	p = malloc(n + 1);
	if (!p)
		return cdc_fail_nomem(err);
	memcpy(p, path, n + 1);
	while (n > 1 && p[n - 1] == '/')
		p[--n] = '\0';
	for (size_t i = 1; rc == CDC_OK && i < n; i++) {
		if (p[i] != '/' || p[i - 1] == '/')
			continue;
		p[i] = '\0';
		rc = make_one(io, p, err);
		p[i] = '/';
	}
	if (rc == CDC_OK)
		rc = make_one(io, p, err);
	free(p);
	return rc;
}

/* --- random names ----------------------------------------------------------- */

int cdc_io_uuid(const struct cdc_io *io, char text[37], uint8_t bytes[16], struct cdc_err *err)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t b[16];
	size_t at = 0;

	if (io->random(io->ctx, b, sizeof(b)) < 0)
		return cdc_fail_errno(err, errno, "cannot get random bytes");
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* version 4, RFC 9562 section 5.4 */
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[at++] = '-';
		text[at++] = hex[b[i] >> 4];
		text[at++] = hex[b[i] & 15];
	}
	text[at] = '\0';
	if (bytes)
		memcpy(bytes, b, sizeof(b));
	return CDC_OK;
}

/* The old way, for file systems without O_TMPFILE: a name for a moment. */
static int open_named_temp(const struct cdc_io *io, const char *dir, int *fd, struct cdc_err *err)
{
	struct cdc_buf path = CDC_BUF_INIT;
	int rc = CDC_OK;

	for (int i = 0; i < NAME_TRIES; i++) {
		char id[37];

		rc = cdc_io_uuid(io, id, NULL, err);
		if (rc < 0)
			goto out;
		cdc_buf_reset(&path);
		rc = cdc_buf_printf(&path, err, "%s/.cdc-%s.tmp", dir, id);
		if (rc < 0)
			goto out;
		if (!cdc_buf_z(&path)) {
			rc = cdc_fail_nomem(err);
			goto out;
		}
		*fd = io->open(io->ctx, path.p, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (*fd >= 0 || errno != EEXIST)
			break;
	}
	if (*fd < 0) {
		rc = cdc_fail_errno(err, errno, "cannot make a temporary file in %s", dir);
		goto out;
	}
	if (io->unlink(io->ctx, path.p) < 0) {
		rc = cdc_fail_errno(err, errno, "cannot unlink temporary file %s", path.p);
		io->close(io->ctx, *fd);
		*fd = -1;
	}
out:
	cdc_buf_free(&path);
	return rc;
}

int cdc_io_open_temp(const struct cdc_io *io, const char *dir, int *fd, struct cdc_err *err)
{
	*fd = -1;
	if (!dir)
		dir = secure_getenv("TMPDIR");
	if (!dir || !*dir)
		dir = "/tmp";
	*fd = io->open(io->ctx, dir, O_TMPFILE | O_RDWR | O_EXCL, 0600);
	if (*fd >= 0)
		return CDC_OK;
	/* EISDIR: a kernel that takes O_TMPFILE for O_DIRECTORY; the others are file systems'. */
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return cdc_fail_errno(err, errno, "cannot make a temporary file in %s", dir);
	return open_named_temp(io, dir, fd, err);
}

int cdc_io_rewind(int fd, struct cdc_err *err)
{
	return lseek(fd, 0, SEEK_SET) == 0 ? CDC_OK
					   : cdc_fail_errno(err, errno, "cannot go back in a file");
}
