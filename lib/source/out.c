/* The output of a decoder: JSON text into a growing buffer with one sticky failure. */
#include "source/out.h"

#include "base/json.h"
#include "base/value.h"

#include <stdarg.h>
#include <stdio.h>

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

char *cdc_out_grow(struct cdc_out *o, size_t n)
{
	if (o->rc != CDC_OK)
		return NULL;
	o->rc = cdc_buf_reserve(&o->buf, n, &o->err);
	return o->rc == CDC_OK ? o->buf.p + o->buf.len : NULL;
}

/* True when none of the eight bytes needs an escape or is part of a multi-byte character. */
static bool word_is_plain(uint64_t w)
{
	uint64_t quote = w ^ (ONES * '"');
	uint64_t slash = w ^ (ONES * '\\');
	uint64_t bad = w | (w - ONES * 0x20) | (quote - ONES) | (slash - ONES);

	return (bad & HIGHS) == 0;
}

static bool byte_is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/*
 * Copy the plain bytes at the start of s, return how many. Whole words first; what is left over is
 * copied as a word that overlaps the one before, or as two overlapping halves of one.
 */
static inline size_t copy_plain(char *p, struct cdc_str s)
{
	size_t i = 0;
	uint64_t w;

	for (; i + 8 <= s.n; i += 8) {
		memcpy(&w, s.p + i, 8);
		if (!word_is_plain(w))
			goto bytes;
		memcpy(p + i, &w, 8);
	}
	if (i == s.n)
		return i;
	if (s.n >= 8) {
		memcpy(&w, s.p + s.n - 8, 8);
		if (!word_is_plain(w))
			goto bytes;
		memcpy(p + s.n - 8, &w, 8);
		return s.n;
	}
	if (s.n >= 4) {
		uint32_t head, tail;

		memcpy(&head, s.p, 4);
		memcpy(&tail, s.p + s.n - 4, 4);
		if (!word_is_plain((uint64_t)tail << 32 | head))
			goto bytes;
		memcpy(p, &head, 4);
		memcpy(p + s.n - 4, &tail, 4);
		return s.n;
	}
bytes:
	for (; i < s.n && byte_is_plain((unsigned char)s.p[i]); i++)
		p[i] = s.p[i];
	return i;
}

static void text_slow(struct cdc_out *o, struct cdc_str s)
{
	char *p;

	if (!cdc_utf8_valid(s.p, s.n)) {
		cdc_out_fail(o, "text is not UTF-8");
		return;
	}
	p = cdc_out_room(o, s.n * CDC_JSON_ESCAPE_MAX);
	if (p)
		o->buf.len = (size_t)(cdc_json_escape_to(p, s) - o->buf.p);
}

void cdc_out_text(struct cdc_out *o, struct cdc_str s)
{
	char *p = cdc_out_room(o, s.n + 1);
	size_t n;

	if (!p)
		return;
	n = copy_plain(p, s);
	o->buf.len += n;
	if (n < s.n)
		text_slow(o, cdc_str(s.p + n, s.n - n));
}

void cdc_out_quoted(struct cdc_out *o, struct cdc_str s)
{
	char *p = cdc_out_room(o, s.n + 2);
	size_t n;

	if (!p)
		return;
	*p = '"';
	n = copy_plain(p + 1, s);
	if (n == s.n) {
		p[n + 1] = '"';
		o->buf.len += n + 2;
		return;
	}
	o->buf.len += n + 1;
	text_slow(o, cdc_str(s.p + n, s.n - n));
	cdc_out_char(o, '"');
}

void cdc_out_int(struct cdc_out *o, int64_t v)
{
	char *p = cdc_out_room(o, CDC_VALUE_TEXT_MAX);

	if (p)
		o->buf.len += cdc_int64_format(v, p);
}

void cdc_out_uint(struct cdc_out *o, uint64_t v)
{
	char *p = cdc_out_room(o, CDC_VALUE_TEXT_MAX);

	if (p)
		o->buf.len += cdc_uint64_format(v, p);
}

void cdc_out_base64(struct cdc_out *o, struct cdc_str s)
{
	char *p = cdc_out_room(o, s.n / 3 * 4 + 4);

	if (p)
		o->buf.len += cdc_base64_encode(s.p, s.n, p);
}

void cdc_out_fail(struct cdc_out *o, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (o->rc != CDC_OK)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	o->rc = cdc_fail(&o->err, CDC_EDATA, "%s", text);
}

int cdc_out_take(struct cdc_out *o, struct cdc_err *err)
{
	int rc = o->rc;

	if (rc != CDC_OK)
		*err = o->err;
	o->rc = CDC_OK;
	return rc;
}
