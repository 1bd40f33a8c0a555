/*
 * Where the printers put text: a writer, or a buffer.
 */
#ifndef CDC_TABLE_PRINT_SINK_H
#define CDC_TABLE_PRINT_SINK_H

#include "base/buf.h"
#include "io/stream.h"

struct cdc_print_sink {
	struct cdc_writer *writer; /* or, if NULL, */
	struct cdc_buf *buf;
};

/* Room for n bytes at the returned pointer, NULL on error; then cdc_print_advance by what was used.
 */
static inline char *cdc_print_reserve(const struct cdc_print_sink *s, size_t n, struct cdc_err *err)
{
	if (s->writer)
		return cdc_writer_reserve(s->writer, n, err);
	return cdc_buf_reserve(s->buf, n, err) < 0 ? NULL : s->buf->p + s->buf->len;
}

static inline void cdc_print_advance(const struct cdc_print_sink *s, size_t n)
{
	if (s->writer)
		cdc_writer_advance(s->writer, n);
	else
		s->buf->len += n;
}

static inline int cdc_print_put(const struct cdc_print_sink *s, struct cdc_str text,
				struct cdc_err *err)
{
	if (s->writer)
		return cdc_writer_put(s->writer, text.p, text.n, err);
	return cdc_buf_put(s->buf, text, err);
}

#endif
