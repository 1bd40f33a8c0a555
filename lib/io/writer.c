/*
 * Buffered output: one buffer, written when full or asked for; the first error stays.
 */
#include "io/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int cdc_writer_init(struct cdc_writer *w, const struct cdc_io *io, int fd, struct cdc_err *err)
{
	*w = (struct cdc_writer){ .io = io, .fd = fd };
	w->buf = malloc(CDC_STREAM_CHUNK);
	if (!w->buf)
		return cdc_fail_nomem(err);
	w->cap = CDC_STREAM_CHUNK;
	return CDC_OK;
}

static int report(const struct cdc_writer *w, struct cdc_err *err)
{
	if (w->failed_errno == EINTR)
		return cdc_fail(err, CDC_EINTR, "interrupted");
	return cdc_fail_errno(err, w->failed_errno, "cannot write output");
}

static int failed(struct cdc_writer *w, int why, struct cdc_err *err)
{
	w->failed_errno = why;
	w->len = 0;
	return report(w, err);
}

/*
 * All of p to the system. Unlike cdc_io_write_full this gives up when the user asks to stop: a pipe
 * whose reader sleeps would otherwise hold the program for ever.
 */
static int write_out(struct cdc_writer *w, const char *p, size_t n, struct cdc_err *err)
{
	while (n) {
		ssize_t put = w->io->write(w->io->ctx, w->fd, p, n);

		if (put < 0 && errno == EINTR) {
			if (w->io->interrupted(w->io->ctx))
				return failed(w, EINTR, err);
			continue;
		}
		if (put <= 0)
			return failed(w, put < 0 ? errno : EIO, err);
		w->written += (uint64_t)put;
		p += put;
		n -= (size_t)put;
	}
	return CDC_OK;
}

int cdc_writer_flush(struct cdc_writer *w, struct cdc_err *err)
{
	int rc;

	if (w->failed_errno)
		return report(w, err);
	rc = write_out(w, w->buf, w->len, err);
	w->len = 0;
	return rc;
}

int cdc_writer_put(struct cdc_writer *w, const void *p, size_t n, struct cdc_err *err)
{
	int rc;

	if (w->failed_errno)
		return report(w, err);
	if (n > w->cap - w->len) {
		rc = cdc_writer_flush(w, err);
		if (rc < 0)
			return rc;
		if (n >= w->cap)
			return write_out(w, p, n, err);
	}
	if (n)
		memcpy(w->buf + w->len, p, n);
	w->len += n;
	return CDC_OK;
}

char *cdc_writer_reserve(struct cdc_writer *w, size_t n, struct cdc_err *err)
{
	if (w->failed_errno) {
		report(w, err);
		return NULL;
	}
	if (n <= w->cap - w->len)
		return w->buf + w->len;
	if (cdc_writer_flush(w, err) < 0)
		return NULL;
	if (n > w->cap) {
		char *p = realloc(w->buf, n);

		if (!p) {
			failed(w, ENOMEM, err);
			return NULL;
		}
		w->buf = p;
		w->cap = n;
	}
	return w->buf;
}

void cdc_writer_free(struct cdc_writer *w)
{
	free(w->buf);
	w->buf = NULL;
	w->cap = w->len = 0;
}
