/*
 * Buffered input: lines and raw bytes with their offsets, in one buffer that grows to the cap.
 */
#include "io/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIPE_BYTES (1 << 20)

int cdc_reader_fd(struct cdc_reader *r, const struct cdc_io *io, int fd, const char *name,
		  struct cdc_err *err)
{
	struct stat st;
	size_t n = strnlen(name, sizeof(r->name) - 1);

	*r = (struct cdc_reader){ .io = io, .fd = fd, .max = CDC_RECORD_MAX };
	memcpy(r->name, name, n);
	if (io->fstat(io->ctx, fd, &st) < 0)
		return cdc_fail_errno(err, errno, "cannot read %s", name);
	if (S_ISREG(st.st_mode)) {
		r->regular = true;
		r->size = (uint64_t)st.st_size;
	} else if (S_ISFIFO(st.st_mode)) {
		/* Fewer switches between the programs of a pipe. May be refused; then it stays. */
		(void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
	}
	r->buf = malloc(CDC_STREAM_CHUNK);
	if (!r->buf)
		return cdc_fail_nomem(err);
	r->cap = CDC_STREAM_CHUNK;
	return CDC_OK;
}

int cdc_reader_pull(struct cdc_reader *r, const struct cdc_io *io,
		    ssize_t (*pull)(void *ctx, void *buf, size_t n, struct cdc_err *err), void *ctx,
		    const char *name, struct cdc_err *err)
{
	size_t n = strnlen(name, sizeof(r->name) - 1);

	*r = (struct cdc_reader){ .io = io, .fd = -1, .max = CDC_RECORD_MAX };
	memcpy(r->name, name, n);
	r->pull = pull;
	r->pull_ctx = ctx;
	r->regular = true; /* whether it would block is not known here */
	r->buf = malloc(CDC_STREAM_CHUNK);
	if (!r->buf)
		return cdc_fail_nomem(err);
	r->cap = CDC_STREAM_CHUNK;
	return CDC_OK;
}

int cdc_reader_open(struct cdc_reader *r, const struct cdc_io *io, const char *path,
		    struct cdc_err *err)
{
	int fd;
	int rc;

	if (!path || strcmp(path, "-") == 0)
		return cdc_reader_fd(r, io, STDIN_FILENO, "-", err);
	*r = (struct cdc_reader){ .io = io, .fd = -1 };
	fd = io->open(io->ctx, path, O_RDONLY, 0);
	if (fd < 0)
		return cdc_fail_errno(err, errno, "cannot open %s", path);
	rc = cdc_reader_fd(r, io, fd, path, err);
	r->owns_fd = true;
	if (rc < 0)
		cdc_reader_close(r);
	return rc;
}

void cdc_reader_close(struct cdc_reader *r)
{
	if (r->owns_fd)
		r->io->close(r->io->ctx, r->fd);
	r->owns_fd = false;
	r->fd = -1;
	r->eof = true;
	free(r->buf);
	r->buf = NULL;
	r->cap = r->pos = r->end = 0;
}

void cdc_reader_tie(struct cdc_reader *r, struct cdc_writer *w)
{
	r->tied = w;
}

/* Would read return now? Errors and hang-ups count: read reports them without waiting. */
static bool readable(const struct cdc_reader *r)
{
	struct pollfd p = { .fd = r->fd, .events = POLLIN };

	return r->regular || poll(&p, 1, 0) != 0;
}

/* Room for more behind buf[end]: move what is left to the front, then grow up to `most`. */
static int make_room(struct cdc_reader *r, size_t most, struct cdc_err *err)
{
	size_t cap;
	char *p;

	if (r->pos == r->end) {
		r->base += r->pos;
		r->pos = r->end = 0;
	}
	if (r->end < r->cap)
		return CDC_OK;
	if (r->pos) {
		memmove(r->buf, r->buf + r->pos, r->end - r->pos);
		r->base += r->pos;
		r->end -= r->pos;
		r->pos = 0;
	}
	/* A sliver of room would mean many small reads. */
	if (r->cap - r->end >= CDC_STREAM_CHUNK / 4 || r->cap >= most)
		return CDC_OK;
	cap = r->cap < most / 2 ? r->cap * 2 : most;
	p = realloc(r->buf, cap);
	if (!p)
		return cdc_fail_nomem(err);
	r->buf = p;
	r->cap = cap;
	return CDC_OK;
}

static int read_failed(const struct cdc_reader *r, int why, struct cdc_err *err)
{
	int rc = cdc_fail_errno(err, why, "cannot read %s", r->name);

	cdc_err_file(err, r->name);
	cdc_err_offset(err, r->base + r->end);
	return rc;
}

/* What failed once may seem to go on: a decompressor that is asked again gives what it likes. */
static int pull_failed(struct cdc_reader *r, const struct cdc_err *err)
{
	r->broken = true;
	r->skip_line = false;
	r->why = *err;
	return err->code;
}

/*
 * One read behind what is buffered; `most` is how large the buffer may become. Sets eof when the
 * input ends.
 */
static int fill(struct cdc_reader *r, size_t most, struct cdc_err *err)
{
	int rc = make_room(r, most, err);
	ssize_t got;

	if (rc < 0)
		return rc;
	if (r->broken) {
		*err = r->why;
		return err->code;
	}
	if (r->tied && r->tied->len && !readable(r)) {
		struct cdc_err ignored; /* the writer remembers */

		if (cdc_writer_flush(r->tied, &ignored) < 0)
			r->tied = NULL;
	}
	do {
		if (r->io->interrupted(r->io->ctx))
			return cdc_fail(err, CDC_EINTR, "interrupted");
		if (r->pull) {
			got = r->pull(r->pull_ctx, r->buf + r->end, r->cap - r->end, err);
			if (got < 0)
				return pull_failed(r, err);
			break;
		}
		got = r->io->read(r->io->ctx, r->fd, r->buf + r->end, r->cap - r->end);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return read_failed(r, errno, err);
	r->eof = got == 0;
	r->end += (size_t)got;
	return CDC_OK;
}

/* The buffer for a line of `max` bytes and its LF; never less than a chunk. */
static size_t buffer_limit(const struct cdc_reader *r)
{
	size_t most = r->max < SIZE_MAX ? r->max + 1 : r->max;

	return most > r->cap ? most : r->cap;
}

/* Drop what is left of a line that was too long, through its LF. */
static int drop_line(struct cdc_reader *r, struct cdc_err *err)
{
	for (;;) {
		const char *from = r->buf + r->pos;
		const char *lf = memchr(from, '\n', r->end - r->pos);
		int rc;

		if (lf) {
			r->pos += (size_t)(lf - from) + 1;
			break;
		}
		r->pos = r->end;
		if (r->eof)
			break;
		rc = fill(r, r->cap, err);
		if (rc < 0)
			return rc;
	}
	r->skip_line = false;
	return CDC_OK;
}

static int line_too_long(struct cdc_reader *r, struct cdc_err *err)
{
	r->skip_line = true;
	r->line++;
	cdc_fail(err, CDC_EDATA, "line of more than %zu bytes", r->max);
	cdc_err_file(err, r->name);
	cdc_err_line(err, r->line);
	cdc_err_offset(err, cdc_reader_offset(r));
	return CDC_EDATA;
}

int cdc_reader_line(struct cdc_reader *r, struct cdc_str *line, bool *terminated,
		    struct cdc_err *err)
{
	size_t seen = 0; /* bytes from pos on that hold no LF */
	size_t n;
	int rc;

	if (r->skip_line) {
		rc = drop_line(r, err);
		if (rc < 0)
			return rc;
	}
	for (;;) {
		const char *from = r->buf + r->pos;
		const char *lf = NULL;

		if (r->end - r->pos > seen)
			lf = memchr(from + seen, '\n', r->end - r->pos - seen);
		seen = r->end - r->pos;
		n = lf ? (size_t)(lf - from) : seen;
		if (n > r->max)
			return line_too_long(r, err);
		if (lf || (r->eof && n)) {
			*line = cdc_str(from, n);
			if (terminated)
				*terminated = lf != NULL;
			r->pos += n + (lf != NULL);
			r->line++;
			return CDC_OK;
		}
		if (r->eof)
			return CDC_END;
		rc = fill(r, buffer_limit(r), err);
		if (rc < 0)
			return rc;
	}
}

int cdc_reader_peek(struct cdc_reader *r, size_t n, struct cdc_str *out, struct cdc_err *err)
{
	int rc;

	if (n > r->max) {
		cdc_fail(err, CDC_EDATA, "message of more than %zu bytes", r->max);
		cdc_err_file(err, r->name);
		cdc_err_offset(err, cdc_reader_offset(r));
		return CDC_EDATA;
	}
	while (r->end - r->pos < n && !r->eof) {
		rc = fill(r, buffer_limit(r), err);
		if (rc < 0)
			return rc;
	}
	*out = cdc_str(r->buf + r->pos, r->end - r->pos);
	return CDC_OK;
}

void cdc_reader_skip(struct cdc_reader *r, size_t n)
{
	size_t have = r->end - r->pos;

	r->pos += n < have ? n : have;
}

bool cdc_reader_buffered(const struct cdc_reader *r)
{
	size_t n = r->end - r->pos;

	if (r->eof || (n && memchr(r->buf + r->pos, '\n', n)))
		return true;
	return readable(r);
}
