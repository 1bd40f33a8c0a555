/*
 * Buffered input and output on file descriptors, 256 KiB at a time.
 *
 * Reader: lines or raw bytes, with the offset and line number that error messages need. The slices
 * it hands out point into its buffer and live until the next call on the reader.
 */
#ifndef CDC_IO_STREAM_H
#define CDC_IO_STREAM_H

#include "io/io.h"

#define CDC_STREAM_CHUNK ((size_t)256 << 10)
#define CDC_RECORD_MAX ((size_t)64 << 20) /* default cap of one line or message */

struct cdc_writer;

struct cdc_reader {
	const struct cdc_io *io;
	int fd;
	bool owns_fd;
	bool eof;
	char *buf;
	size_t cap;
	size_t pos; /* next byte to hand out */
	size_t end; /* bytes in buf */
	size_t max; /* largest line or message */
	uint64_t base; /* file offset of buf[0] */
	uint64_t line; /* lines handed out so far */
	uint64_t size; /* of a regular file, else 0: for progress */
	bool skip_line; /* the rest of a line that was too long is still to be dropped */
	bool broken; /* pull failed for the reason in `why`: every read from then on says so */
	struct cdc_err why;
	bool regular; /* a regular file: reading never blocks for long */
	struct cdc_writer *tied;
	/* Not NULL: where bytes come from in place of fd. Like read, 0 at the end; negative is an
	 * error code, and err is filled. */
	ssize_t (*pull)(void *ctx, void *buf, size_t n, struct cdc_err *err);
	void *pull_ctx;
	char name[256]; /* for messages; "-" is standard input */
};

/* path "-" or NULL: standard input. */
int cdc_reader_open(struct cdc_reader *r, const struct cdc_io *io, const char *path,
		    struct cdc_err *err) CDC_NODISCARD;
/* Borrow an open descriptor. */
int cdc_reader_fd(struct cdc_reader *r, const struct cdc_io *io, int fd, const char *name,
		  struct cdc_err *err) CDC_NODISCARD;
/* Read what a function gives. */
int cdc_reader_pull(struct cdc_reader *r, const struct cdc_io *io,
		    ssize_t (*pull)(void *ctx, void *buf, size_t n, struct cdc_err *err), void *ctx,
		    const char *name, struct cdc_err *err) CDC_NODISCARD;
void cdc_reader_close(struct cdc_reader *r);

/*
 * Next line without its LF (a CR before it is kept: formats differ). `terminated` (may be NULL)
 * tells whether the LF was there: the last line of a file may lack it. CDC_END at the end.
 * CDC_EDATA when a line passes r->max, with line and offset in err: the next call goes on with the
 * line after it. CDC_EDATA with r->broken: what is pulled is damaged, and nothing comes after it.
 * CDC_EINTR when interrupted.
 */
int cdc_reader_line(struct cdc_reader *r, struct cdc_str *line, bool *terminated,
		    struct cdc_err *err) CDC_NODISCARD;

/*
 * Look at the next bytes without consuming them: at least `n` unless the input ends first, so
 * out->n < n means end of file. n must not pass r->max.
 */
int cdc_reader_peek(struct cdc_reader *r, size_t n, struct cdc_str *out,
		    struct cdc_err *err) CDC_NODISCARD;
/* Consume n bytes that were peeked. Does not count lines. */
void cdc_reader_skip(struct cdc_reader *r, size_t n);

/* True when a line or byte can be had without blocking: decides when a filter flushes. */
bool cdc_reader_buffered(const struct cdc_reader *r);

/*
 * Flush `w` (NULL: none) whenever the reader is about to wait for input. What a filter has written
 * then reaches the next program as soon as there is nothing left to do, at no cost while there is.
 * A failed flush is reported by the next call on the writer.
 */
void cdc_reader_tie(struct cdc_reader *r, struct cdc_writer *w);

static inline uint64_t cdc_reader_offset(const struct cdc_reader *r)
{
	return r->base + r->pos;
}

/*
 * Writer. Errors are sticky: after the first one every call returns it. EPIPE is CDC_EIO with
 * sys_errno EPIPE; programs die quietly of it. A write that is interrupted by the user's wish to
 * stop is CDC_EINTR.
 */
struct cdc_writer {
	const struct cdc_io *io;
	int fd;
	char *buf;
	size_t len;
	size_t cap;
	uint64_t written; /* bytes handed to the system */
	int failed_errno;
};

int cdc_writer_init(struct cdc_writer *w, const struct cdc_io *io, int fd,
		    struct cdc_err *err) CDC_NODISCARD;
int cdc_writer_put(struct cdc_writer *w, const void *p, size_t n,
		   struct cdc_err *err) CDC_NODISCARD;
/*
 * Room for n bytes at the returned pointer (flushing or growing as needed); NULL on error.
 * Fill, then call cdc_writer_advance with what was used.
 */
char *cdc_writer_reserve(struct cdc_writer *w, size_t n, struct cdc_err *err);
static inline void cdc_writer_advance(struct cdc_writer *w, size_t n)
{
	w->len += n;
}
int cdc_writer_flush(struct cdc_writer *w, struct cdc_err *err) CDC_NODISCARD;
void cdc_writer_free(struct cdc_writer *w); /* does not flush or close */

static inline uint64_t cdc_writer_offset(const struct cdc_writer *w)
{
	return w->written + w->len;
}

#endif
