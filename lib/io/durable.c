/*
 * The durable commit of a small file, all or nothing: temporary name, full write, fsync, link or
 * rename, fsync of the directory.
 */
#include "io/io.h"

#include "base/endian.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#define NAME_TRIES 64

/* One commit under way. */
struct commit {
	const struct cdc_io *io;
	const char *dir;
	const char *name;
	struct cdc_buf final; /* dir/name, NUL-terminated */
	struct cdc_buf temp; /* dir/.name.random.tmp, NUL-terminated */
	bool temp_exists;
	dev_t dev; /* of the temporary file: how it is known again */
	ino_t ino;
};

static int set_path(struct cdc_buf *b, struct cdc_err *err)
{
	return cdc_buf_z(b) ? CDC_OK : cdc_fail_nomem(err);
}

static int set_temp_path(struct commit *c, struct cdc_err *err)
{
	uint8_t random[8];
	int rc;

	if (c->io->random(c->io->ctx, random, sizeof(random)) < 0)
		return cdc_fail_errno(err, errno, "cannot get random bytes");
	cdc_buf_reset(&c->temp);
	/* The dot hides it from everybody who lists the log. */
	rc = cdc_buf_printf(&c->temp, err, "%s/.%s.%016" PRIx64 ".tmp", c->dir, c->name,
			    cdc_le64(random));
	return rc < 0 ? rc : set_path(&c->temp, err);
}

static int open_temp(struct commit *c, int *fd, struct cdc_err *err)
{
	int rc;

	for (int i = 0; i < NAME_TRIES; i++) {
		rc = set_temp_path(c, err);
		if (rc < 0)
			return rc;
		*fd = c->io->open(c->io->ctx, c->temp.p, O_WRONLY | O_CREAT | O_EXCL, 0666);
		if (*fd >= 0) {
			c->temp_exists = true;
			return CDC_OK;
		}
		if (errno != EEXIST)
			break;
	}
	return cdc_fail_errno(err, errno, "cannot create %s", c->temp.p);
}

/* The temporary file, written and synced. Its place on disk is remembered for settling doubts. */
static int write_temp(struct commit *c, struct cdc_str data, struct cdc_err *err)
{
	const struct cdc_io *io = c->io;
	struct stat st;
	int fd = -1;
	int rc;

	rc = open_temp(c, &fd, err);
	if (rc < 0)
		return rc;
	rc = cdc_io_write_full(io, fd, data.p, data.n, err);
	if (rc < 0) {
		cdc_err_prefix(err, "%s", c->temp.p);
	} else if (io->fsync(io->ctx, fd) < 0) {
		/* What was dirty may be marked clean now: a second fsync would lie. */
		rc = cdc_fail_errno(err, errno, "cannot sync %s", c->temp.p);
	} else if (io->fstat(io->ctx, fd, &st) < 0) {
		rc = cdc_fail_errno(err, errno, "cannot stat %s", c->temp.p);
	} else {
		c->dev = st.st_dev;
		c->ino = st.st_ino;
	}
	/* After fsync, close has nothing left to lose. */
	io->close(io->ctx, fd);
	return rc;
}

static int commit_open(struct commit *c, struct cdc_str data, struct cdc_err *err)
{
	int rc = cdc_buf_printf(&c->final, err, "%s/%s", c->dir, c->name);

	if (rc == CDC_OK)
		rc = set_path(&c->final, err);
	if (rc == CDC_OK)
		rc = write_temp(c, data, err);
	return rc;
}

static void commit_close(struct commit *c)
{
	/* A leftover is harmless: hidden, and vacuum's to collect. */
	if (c->temp_exists)
		c->io->unlink(c->io->ctx, c->temp.p);
	cdc_buf_free(&c->temp);
	cdc_buf_free(&c->final);
}

/*
 * Is the final name our file? Over NFS a reply can be lost after the server did the work, and the
 * repeated request then fails: only looking tells.
 */
static bool is_ours(const struct commit *c)
{
	struct stat st;

	return c->io->lstat(c->io->ctx, c->final.p, &st) == 0 && st.st_dev == c->dev &&
	       st.st_ino == c->ino;
}

static int conflict(const struct commit *c, struct cdc_err *err)
{
	return cdc_fail(err, CDC_ECONFLICT, "%s exists", c->final.p);
}

/* The file system has no hard links (link_errno says so): rename without replacing. */
static int rename_in(struct commit *c, int link_errno, struct cdc_err *err)
{
	int why;

	if (c->io->rename_noreplace(c->io->ctx, c->temp.p, c->final.p) == 0) {
		c->temp_exists = false;
		return CDC_OK;
	}
	why = errno;
	if (is_ours(c)) {
		c->temp_exists = false;
		return CDC_OK;
	}
	if (why == EEXIST)
		return conflict(c, err);
	if (why == EINVAL || why == ENOSYS)
		return cdc_fail_errno(err, link_errno,
				      "cannot create %s safely: this file system has neither hard "
				      "links nor a rename that does not replace",
				      c->final.p);
	return cdc_fail_errno(err, why, "cannot rename %s to %s", c->temp.p, c->final.p);
}

static int link_in(struct commit *c, struct cdc_err *err)
{
	int why;

	if (c->io->link(c->io->ctx, c->temp.p, c->final.p) == 0)
		return CDC_OK;
	why = errno;
	if (is_ours(c))
		return CDC_OK;
	switch (why) {
	case EEXIST:
		return conflict(c, err);
	case EPERM:
	case EOPNOTSUPP:
	case ENOSYS:
	case EMLINK:
		return rename_in(c, why, err);
	default:
		return cdc_fail_errno(err, why, "cannot link %s to %s", c->temp.p, c->final.p);
	}
}

/*
 * The last step. The name is there and others may have built on it, so failure here cannot undo
 * the commit: it becomes a warning.
 */
static void settle(const struct commit *c, struct cdc_err *err)
{
	struct cdc_err why = CDC_ERR_INIT;

	if (cdc_io_sync_dir(c->io, c->dir, &why) < 0)
		cdc_fail(err, CDC_OK, "%s is written but a power loss may undo it: %s", c->final.p,
			 why.msg);
}

static const char *directory(const char *dir)
{
	return *dir ? dir : ".";
}

int cdc_io_commit_new(const struct cdc_io *io, const char *dir, const char *name,
		      struct cdc_str data, struct cdc_err *err)
{
	struct commit c = { .io = io, .dir = directory(dir), .name = name };
	int rc;

	rc = commit_open(&c, data, err);
	if (rc == CDC_OK)
		rc = link_in(&c, err);
	if (rc == CDC_OK && c.temp_exists) {
		io->unlink(io->ctx, c.temp.p);
		c.temp_exists = false;
	}
	if (rc == CDC_OK)
		settle(&c, err);
	commit_close(&c);
	return rc;
}

/*
 * Hadoop keeps checksums in files beside; one that tells of the old content makes the new
 * unreadable to Spark.
 */
static int remove_crc(const struct commit *c, struct cdc_err *err)
{
	struct cdc_buf path = CDC_BUF_INIT;
	int rc;

	rc = cdc_buf_printf(&path, err, "%s/.%s.crc", c->dir, c->name);
	if (rc == CDC_OK)
		rc = set_path(&path, err);
	if (rc == CDC_OK && c->io->unlink(c->io->ctx, path.p) < 0 && errno != ENOENT)
		rc = cdc_fail_errno(err, errno, "cannot remove stale %s", path.p);
	cdc_buf_free(&path);
	return rc;
}

int cdc_io_commit_replace(const struct cdc_io *io, const char *dir, const char *name,
			  struct cdc_str data, struct cdc_err *err)
{
	struct commit c = { .io = io, .dir = directory(dir), .name = name };
	int rc;

	rc = commit_open(&c, data, err);
	if (rc == CDC_OK)
		rc = remove_crc(&c, err);
	if (rc == CDC_OK && io->rename(io->ctx, c.temp.p, c.final.p) < 0) {
		int why = errno;

		if (!is_ours(&c))
			rc = cdc_fail_errno(err, why, "cannot rename %s to %s", c.temp.p,
					    c.final.p);
	}
	if (rc == CDC_OK) {
		c.temp_exists = false;
		settle(&c, err);
	}
	commit_close(&c);
	return rc;
}
