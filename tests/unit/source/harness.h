/* Runs bytes through a source and keeps what comes out: shared by the tests of lib/source. */
#ifndef TEST_SOURCE_HARNESS_H
#define TEST_SOURCE_HARNESS_H

#include "io/io.h"
#include "source/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

struct harness {
	struct cdc_buf out;
	struct cdc_buf reasons; /* one line a reject: offset:line: reason */
	struct cdc_buf raw; /* bytes of all rejects, one behind the other */
	size_t rejects;
	bool stop_at_reject;
	struct cdc_source_counts counts;
	struct cdc_err err;
	int rc;
	char framing[16];
};

static inline int harness_put(void *ctx, struct cdc_str lines, struct cdc_err *err)
{
	struct harness *h = ctx;

	return cdc_buf_put(&h->out, lines, err);
}

static inline int harness_reject(void *ctx, const struct cdc_reject *r, struct cdc_err *err)
{
	struct harness *h = ctx;

	h->rejects++;
	assert_int_equal(cdc_buf_printf(&h->reasons, err, "%llu:%llu: %s\n",
					(unsigned long long)r->offset, (unsigned long long)r->line,
					r->reason),
			 CDC_OK);
	assert_int_equal(cdc_buf_put(&h->raw, r->raw, err), CDC_OK);
	return h->stop_at_reject ? err->code : CDC_OK;
}

static inline void harness_format(void *ctx, const char *file, const char *format,
				  const char *framing)
{
	struct harness *h = ctx;

	(void)file;
	(void)format;
	snprintf(h->framing, sizeof(h->framing), "%s", framing ? framing : "");
}

/* One input through an open source. */
static inline int harness_input(struct cdc_source *s, const void *p, size_t n, struct cdc_err *err)
{
	int fd = memfd_create("input", 0);
	struct cdc_reader r;
	int rc;

	assert_true(fd >= 0);
	assert_int_equal(cdc_io_write_full(&cdc_io_posix, fd, p, n, err), CDC_OK);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(cdc_reader_fd(&r, &cdc_io_posix, fd, "in", err), CDC_OK);
	rc = cdc_source_run(s, &r, err);
	cdc_reader_close(&r);
	close(fd);
	return rc;
}

/* A whole run over one input; h->rc is its result. finish: print the closing CHECKPOINT too. */
static inline void harness_run(struct harness *h, const struct cdc_source_options *opt,
			       const void *p, size_t n, bool finish)
{
	struct cdc_sink sink = { .ctx = h,
				 .put = harness_put,
				 .on_reject = harness_reject,
				 .on_format = harness_format };
	struct cdc_source *s = NULL;

	cdc_buf_reset(&h->out);
	cdc_buf_reset(&h->reasons);
	cdc_buf_reset(&h->raw);
	h->rejects = 0;
	h->framing[0] = '\0';
	h->err = (struct cdc_err)CDC_ERR_INIT;
	h->rc = cdc_source_new(&s, opt, &sink, &h->err);
	if (h->rc == CDC_OK)
		h->rc = harness_input(s, p, n, &h->err);
	if (h->rc == CDC_OK && finish)
		h->rc = cdc_source_finish(s, &h->err);
	if (s)
		h->counts = *cdc_source_counts(s);
	cdc_source_free(s);
}

static inline void harness_free(struct harness *h)
{
	cdc_buf_free(&h->out);
	cdc_buf_free(&h->reasons);
	cdc_buf_free(&h->raw);
}

static inline const char *harness_out(struct harness *h)
{
	return cdc_buf_z(&h->out);
}

/* Append a kcat frame. */
static inline void harness_frame(struct cdc_buf *b, const void *p, size_t n)
{
	unsigned char head[4] = { (unsigned char)(n >> 24), (unsigned char)(n >> 16),
				  (unsigned char)(n >> 8), (unsigned char)n };
	struct cdc_err err;

	assert_int_equal(cdc_buf_append(b, head, 4, &err), CDC_OK);
	assert_int_equal(cdc_buf_append(b, p, n, &err), CDC_OK);
}

#endif
