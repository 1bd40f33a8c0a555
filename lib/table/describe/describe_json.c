/*
 * JSON of a description, token by token. See describe_json.h.
 */
#include "table/describe/describe_json.h"

#include "base/value.h"

void cdc_json_to_line(struct cdc_buf *out, size_t from)
{
	size_t to = from;
	bool in_string = false;

	for (size_t i = from; i < out->len; i++) {
		char c = out->p[i];

		if (!in_string && (c == ' ' || c == '\t' || c == '\n' || c == '\r'))
			continue;
		if (c == '"')
			in_string = !in_string;
		out->p[to++] = c;
		if (c == '\\' && i + 1 < out->len)
			out->p[to++] = out->p[++i];
	}
	out->len = to;
}

/* Bytes of the character at the start of s, 0 when there is none. */
static size_t char_bytes(struct cdc_str s)
{
	unsigned char b = (unsigned char)s.p[0];
	size_t n = b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;

	return n <= s.n && cdc_utf8_valid(s.p, n) ? n : 0;
}

int cdc_put_valid_utf8(struct cdc_buf *out, struct cdc_str s, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (cdc_utf8_valid(s.p, s.n))
		return cdc_buf_put(out, s, err);
	while (rc == CDC_OK && s.n) {
		size_t n = char_bytes(s);

		if (n)
			rc = cdc_buf_append(out, s.p, n, err);
		else
			rc = cdc_buf_printf(out, err, "\\x%02x", (unsigned)(unsigned char)s.p[0]);
		n = n ? n : 1;
		s = cdc_str(s.p + n, s.n - n);
	}
	return rc;
}

/* ------------------------------------------------------------------ tokens */

void cdc_json_out_flush(struct cdc_json_out *j)
{
	if (j->rc < 0 || !j->writer || !j->buf->len)
		return;
	j->rc = cdc_writer_put(j->writer, j->buf->p, j->buf->len, j->err);
	cdc_buf_reset(j->buf);
}

/* The comma in front of a value or a key, if it needs one. */
static bool begin(struct cdc_json_out *j)
{
	if (j->rc == CDC_OK && j->writer && j->buf->len >= CDC_STREAM_CHUNK)
		cdc_json_out_flush(j);
	if (j->rc == CDC_OK && j->comma)
		j->rc = cdc_buf_putc(j->buf, ',', j->err);
	j->comma = true;
	return j->rc == CDC_OK;
}

void cdc_json_out_open(struct cdc_json_out *j, char bracket)
{
	if (begin(j))
		j->rc = cdc_buf_putc(j->buf, bracket, j->err);
	j->comma = false;
}

void cdc_json_out_close(struct cdc_json_out *j, char bracket)
{
	if (j->rc == CDC_OK)
		j->rc = cdc_buf_putc(j->buf, bracket, j->err);
	j->comma = true;
}

void cdc_json_out_key(struct cdc_json_out *j, const char *name)
{
	if (begin(j))
		j->rc = cdc_buf_printf(j->buf, j->err, "\"%s\":", name);
	j->comma = false;
}

static int put_string(struct cdc_json_out *j, struct cdc_str s)
{
	struct cdc_buf valid = CDC_BUF_INIT;
	int rc;

	if (cdc_utf8_valid(s.p, s.n))
		return cdc_json_put_string(j->buf, s, j->err);
	rc = cdc_put_valid_utf8(&valid, s, j->err);
	if (rc == CDC_OK)
		rc = cdc_json_put_string(j->buf, cdc_buf_str(&valid), j->err);
	cdc_buf_free(&valid);
	return rc;
}

void cdc_json_out_str(struct cdc_json_out *j, struct cdc_str s)
{
	if (begin(j))
		j->rc = s.p ? put_string(j, s) : cdc_buf_puts(j->buf, "null", j->err);
}

void cdc_json_out_int(struct cdc_json_out *j, int64_t v)
{
	if (begin(j))
		j->rc = cdc_buf_printf(j->buf, j->err, "%lld", (long long)v);
}

void cdc_json_out_bool(struct cdc_json_out *j, bool v)
{
	if (begin(j))
		j->rc = cdc_buf_puts(j->buf, v ? "true" : "false", j->err);
}

void cdc_json_out_null(struct cdc_json_out *j)
{
	cdc_json_out_raw(j, CDC_STR("null"));
}

void cdc_json_out_raw(struct cdc_json_out *j, struct cdc_str json)
{
	size_t from;

	if (!begin(j))
		return;
	from = j->buf->len;
	j->rc = cdc_buf_put(j->buf, json, j->err);
	cdc_json_to_line(j->buf, from);
}

void cdc_json_out_time(struct cdc_json_out *j, int64_t ms)
{
	char text[CDC_VALUE_TEXT_MAX];
	int64_t us;

	if (__builtin_mul_overflow(ms, 1000, &us))
		cdc_json_out_null(j);
	else
		cdc_json_out_str(j,
				 cdc_str(text, cdc_timestamp_format_fixed(us, 'T', true, 3, text)));
}
