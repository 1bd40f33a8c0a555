/*
 * The output of a decoder: a buffer whose first failure sticks, so that the code that prints a
 * record is not one half error checks. JSON text is copied eight bytes at a time while it is plain.
 */
#ifndef CDC_SOURCE_OUT_H
#define CDC_SOURCE_OUT_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#include <stdint.h>

struct cdc_out {
	struct cdc_buf buf;
	int rc; /* CDC_OK, or the first failure; then nothing is appended */
	struct cdc_err err;
};

/* Room for n bytes at the returned pointer, NULL after a failure. Add what was used to buf.len. */
char *cdc_out_grow(struct cdc_out *o, size_t n);
static inline char *cdc_out_room(struct cdc_out *o, size_t n)
{
	if (o->rc == CDC_OK && o->buf.cap - o->buf.len >= n)
		return o->buf.p + o->buf.len;
	return cdc_out_grow(o, n);
}

static inline void cdc_out_raw(struct cdc_out *o, struct cdc_str s)
{
	char *p = cdc_out_room(o, s.n + 1);

	if (!p || s.n == 0)
		return;
	memcpy(p, s.p, s.n);
	o->buf.len += s.n;
}

#define cdc_out_lit(o, literal) cdc_out_raw((o), CDC_STR(literal))

static inline void cdc_out_char(struct cdc_out *o, char c)
{
	char *p = cdc_out_room(o, 1);

	if (!p)
		return;
	*p = c;
	o->buf.len++;
}

/* JSON text without quotes; bytes that are not UTF-8 are a failure. */
void cdc_out_text(struct cdc_out *o, struct cdc_str s);
/* The same with quotes. */
void cdc_out_quoted(struct cdc_out *o, struct cdc_str s);
void cdc_out_int(struct cdc_out *o, int64_t v);
void cdc_out_uint(struct cdc_out *o, uint64_t v);
void cdc_out_base64(struct cdc_out *o, struct cdc_str s);

/* Fail, unless that has happened already. */
void cdc_out_fail(struct cdc_out *o, const char *fmt, ...) CDC_PRINTF(2, 3);

/* Move a failure into err; the output is then usable again. Returns its code. */
int cdc_out_take(struct cdc_out *o, struct cdc_err *err);

#endif
