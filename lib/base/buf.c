/*
 * The growable byte buffer: doubling growth under a hard cap.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP ((size_t)256)

/* Capacity for `need` bytes: double, but never past the cap; 0 when the sum would wrap. */
static size_t grown(const struct cdc_buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : FIRST_CAP;

	while (cap < need) {
		if (cap > SIZE_MAX / 2)
			return need;
		cap *= 2;
	}
	if (b->max && cap > b->max)
		cap = b->max;
	return cap;
}

int cdc_buf_reserve(struct cdc_buf *b, size_t extra, struct cdc_err *err)
{
	size_t need;
	size_t cap;
	char *p;

	if (extra <= b->cap - b->len)
		return CDC_OK;
	if (__builtin_add_overflow(b->len, extra, &need))
		return cdc_fail_nomem(err);
	if (b->max && need > b->max)
		return cdc_fail(err, CDC_EDATA, "more than %zu bytes", b->max);
	cap = grown(b, need);
	p = realloc(b->p, cap);
	if (!p)
		return cdc_fail_nomem(err);
	b->p = p;
	b->cap = cap;
	return CDC_OK;
}

int cdc_buf_append(struct cdc_buf *b, const void *p, size_t n, struct cdc_err *err)
{
	int rc = cdc_buf_reserve(b, n, err);

	if (rc < 0)
		return rc;
	if (n)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	return CDC_OK;
}

int cdc_buf_putc(struct cdc_buf *b, char c, struct cdc_err *err)
{
	if (b->len == b->cap) {
		int rc = cdc_buf_reserve(b, 1, err);

		if (rc < 0)
			return rc;
	}
	b->p[b->len++] = c;
	return CDC_OK;
}

int cdc_buf_puts(struct cdc_buf *b, const char *z, struct cdc_err *err)
{
	return cdc_buf_append(b, z, strlen(z), err);
}

int cdc_buf_put(struct cdc_buf *b, struct cdc_str s, struct cdc_err *err)
{
	return cdc_buf_append(b, s.p, s.n, err);
}

int cdc_buf_printf(struct cdc_buf *b, struct cdc_err *err, const char *fmt, ...)
{
	char small[256];
	char *big = NULL;
	size_t n;
	va_list ap;
	int len;
	int rc;

	va_start(ap, fmt);
	len = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (len < 0)
		return cdc_fail(err, CDC_EINTERNAL, "text cannot be formatted");
	n = (size_t)len;
	if (n < sizeof(small))
		return cdc_buf_append(b, small, n, err);
	/* vsnprintf ends with a NUL, for which the cap leaves no room when the text just fits. */
	big = malloc(n + 1);
	if (!big)
		return cdc_fail_nomem(err);
	va_start(ap, fmt);
	vsnprintf(big, n + 1, fmt, ap);
	va_end(ap);
	rc = cdc_buf_append(b, big, n, err);
	free(big);
	return rc;
}

const char *cdc_buf_z(struct cdc_buf *b)
{
	if (b->len == b->cap) {
		/* Room for the terminator alone; not in cap, for it may lie one past max. */
		char *p = b->len < SIZE_MAX ? realloc(b->p, b->len + 1) : NULL;

		if (!p)
			return NULL;
		b->p = p;
	}
	b->p[b->len] = '\0';
	return b->p;
}

void cdc_buf_reset(struct cdc_buf *b)
{
	b->len = 0;
}

void cdc_buf_free(struct cdc_buf *b)
{
	free(b->p);
	b->p = NULL;
	b->len = 0;
	b->cap = 0;
}
