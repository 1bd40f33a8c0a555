/*
 * Framing kcat-json: what `kcat -J` writes, one object a line around each message. Its payload is a
 * string that holds the message's bytes: those from 0x80 on stand there as they are, so the line is
 * JSON in its form only, and is read byte by byte (spec section 7.1).
 */
#include "source/source_int.h"

#include "base/value.h"

#include <stdlib.h>

#define HEADERS_MAX 1024
#define DEPTH_MAX 64

struct wrapper {
	struct cdc_str key; /* source text of each; p NULL: absent */
	struct cdc_str payload;
	struct cdc_str topic;
	struct cdc_str partition;
	struct cdc_str offset;
	struct cdc_str ts;
	struct cdc_str headers;
};

struct kcat_json {
	struct cdc_buf value; /* unescaped */
	struct cdc_buf key;
	struct cdc_buf topic;
	struct cdc_buf header_text;
	struct cdc_header *header;
};

static void skip_space(struct cdc_str *s)
{
	while (s->n && (s->p[0] == ' ' || s->p[0] == '\t' || s->p[0] == '\r'))
		*s = cdc_str(s->p + 1, s->n - 1);
}

static bool take(struct cdc_str *s, char c)
{
	skip_space(s);
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = cdc_str(s->p + 1, s->n - 1);
	return true;
}

/* The length of a string token with its quotes, 0: it is not one. */
static size_t string_length(struct cdc_str s)
{
	if (s.n < 2 || s.p[0] != '"')
		return 0;
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return 0;
}

/* A value of any kind, as source text. Nested ones by their brackets. */
static bool take_value(struct cdc_str *s, struct cdc_str *value)
{
	size_t n = 0, depth = 0;

	skip_space(s);
	do {
		size_t string = string_length(cdc_str(s->p + n, s->n - n));
		char c = n < s->n ? s->p[n] : '\0';

		if (n == s->n || (c == '"' && !string))
			return false;
		if (string) {
			n += string;
			continue;
		}
		if (depth == 0 && n && strchr(",}] \t\r", c))
			break;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth)
			depth--;
		else if (depth == 0 && strchr(",}]", c))
			return false;
		if (depth > DEPTH_MAX)
			return false;
		n++;
		if (depth == 0 && (c == '}' || c == ']'))
			break;
	} while (depth || (s->p[0] != '"' && n < s->n));
	*value = cdc_str(s->p, n);
	*s = cdc_str(s->p + n, s->n - n);
	return n > 0;
}

static bool read_wrapper(struct cdc_str line, struct wrapper *w)
{
	const struct {
		const char *name;
		struct cdc_str *value;
	} members[] = {
		{ "topic", &w->topic },	    { "partition", &w->partition },
		{ "offset", &w->offset },   { "ts", &w->ts },
		{ "headers", &w->headers }, { "key", &w->key },
		{ "payload", &w->payload },
	};

	*w = (struct wrapper){ .key = CDC_STR_INIT };
	if (!take(&line, '{'))
		return false;
	while (!take(&line, '}')) {
		struct cdc_str name, value;

		if (!take_value(&line, &name) || name.p[0] != '"' || !take(&line, ':') ||
		    !take_value(&line, &value))
			return false;
		name = cdc_str(name.p + 1, name.n - 2);
		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
			if (cdc_str_eqz(name, members[i].name))
				*members[i].value = value;
		}
		if (!take(&line, ',') && (line.n == 0 || line.p[0] != '}'))
			return false;
	}
	skip_space(&line);
	return line.n == 0 && w->topic.p && w->partition.p && w->offset.p && w->payload.p;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \uXXXX: the code unit, -1 when it is not one. */
static int code_unit(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		if (hex(p[i]) < 0)
			return -1;
		v = v * 16 + hex(p[i]);
	}
	return v;
}

static char *put_utf8(char *out, unsigned v)
{
	if (v < 0x80) {
		*out++ = (char)v;
	} else if (v < 0x800) {
		*out++ = (char)(0xc0 | v >> 6);
		*out++ = (char)(0x80 | (v & 63));
	} else if (v < 0x10000) {
		*out++ = (char)(0xe0 | v >> 12);
		*out++ = (char)(0x80 | (v >> 6 & 63));
		*out++ = (char)(0x80 | (v & 63));
	} else {
		*out++ = (char)(0xf0 | v >> 18);
		*out++ = (char)(0x80 | (v >> 12 & 63));
		*out++ = (char)(0x80 | (v >> 6 & 63));
		*out++ = (char)(0x80 | (v & 63));
	}
	return out;
}

/* An escape at p (behind the backslash), its bytes to *out; NULL: it is none. */
static const char *unescape(const char *p, const char *end, char **out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *known = p < end && *p ? strchr(from, *p) : NULL;
	int unit, low;

	if (known) {
		*(*out)++ = to[known - from];
		return p + 1;
	}
	if (p == end || *p != 'u' || (unit = code_unit(p + 1, end)) < 0)
		return NULL;
	p += 5;
	if (unit >= 0xd800 && unit < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u' &&
	    (low = code_unit(p + 2, end)) >= 0xdc00 && low < 0xe000) {
		*out = put_utf8(*out, 0x10000u + ((unsigned)(unit - 0xd800) << 10) +
					      (unsigned)(low - 0xdc00));
		return p + 6;
	}
	*out = put_utf8(*out, (unsigned)unit);
	return p;
}

/* The bytes of a string token, appended to b; of another value its source text. */
static int bytes_of(struct cdc_str s, struct cdc_buf *b, struct cdc_str *bytes, struct cdc_err *err)
{
	const char *p = s.p + 1, *end = s.p + s.n - 1;
	size_t before = b->len;
	char *out;
	int rc = cdc_buf_reserve(b, s.n, err);

	if (rc < 0)
		return rc;
	if (s.p[0] != '"') {
		rc = cdc_buf_put(b, s, err);
		*bytes = cdc_str(b->p + before, s.n);
		return rc;
	}
	out = b->p + before;
	while (p < end) {
		const char *slash = memchr(p, '\\', (size_t)(end - p));
		size_t n = (size_t)((slash ? slash : end) - p);

		memcpy(out, p, n);
		out += n;
		p = slash ? unescape(slash + 1, end, &out) : end;
		if (!p)
			return cdc_fail(err, CDC_EDATA, "a string has an escape that is none");
	}
	b->len = (size_t)(out - b->p);
	*bytes = cdc_str(b->p + before, b->len - before);
	return CDC_OK;
}

/* ["name","value","name",null…]; text is reserved first, so that what points to it stays. */
static int read_headers(struct kcat_json *k, struct cdc_str list, struct cdc_message *m,
			struct cdc_err *err)
{
	struct cdc_str item;
	int rc = CDC_OK;

	if (!list.p || !take(&list, '['))
		return CDC_OK;
	if (!k->header)
		k->header = calloc(HEADERS_MAX, sizeof(*k->header));
	if (!k->header)
		return cdc_fail_nomem(err);
	cdc_buf_reset(&k->header_text);
	rc = cdc_buf_reserve(&k->header_text, 2 * list.n + 16, err);
	while (rc == CDC_OK && m->n_headers < HEADERS_MAX && !take(&list, ']')) {
		struct cdc_header *h = &k->header[m->n_headers];

		if (!take_value(&list, &item))
			return cdc_fail(err, CDC_EDATA,
					"headers that are no list of names and values");
		rc = bytes_of(item, &k->header_text, &h->name, err);
		if (rc == CDC_OK && (!take(&list, ',') || !take_value(&list, &item)))
			return cdc_fail(err, CDC_EDATA, "a header without a value");
		h->is_null = cdc_str_eqz(item, "null");
		if (rc == CDC_OK)
			rc = bytes_of(item, &k->header_text, &h->value, err);
		(void)take(&list, ',');
		m->n_headers++;
	}
	m->header = k->header;
	return rc;
}

static int unwrap(struct kcat_json *k, struct cdc_str line, struct cdc_message *m,
		  struct cdc_err *err)
{
	struct wrapper w;
	int64_t partition;
	int rc;

	if (!read_wrapper(line, &w))
		return cdc_fail(err, CDC_EDATA, "not a line of kcat -J");
	if (cdc_int64_parse(w.partition, &partition) != CDC_PARSE_OK || partition < 0 ||
	    partition > INT32_MAX || cdc_int64_parse(w.offset, &m->kafka_offset) != CDC_PARSE_OK ||
	    m->kafka_offset < 0)
		return cdc_fail(err, CDC_EDATA, "a line of kcat -J with a bad partition or offset");
	m->has_kafka = true;
	m->partition = (int32_t)partition;
	m->has_timestamp = w.ts.p && cdc_int64_parse(w.ts, &m->timestamp_ms) == CDC_PARSE_OK &&
			   m->timestamp_ms > 0;
	m->is_null = cdc_str_eqz(w.payload, "null");
	m->has_key = w.key.p && !cdc_str_eqz(w.key, "null");
	cdc_buf_reset(&k->value);
	cdc_buf_reset(&k->key);
	cdc_buf_reset(&k->topic);
	rc = bytes_of(w.topic, &k->topic, &m->topic, err);
	if (rc == CDC_OK && m->has_key)
		rc = bytes_of(w.key, &k->key, &m->key, err);
	m->value = CDC_STR("");
	if (rc == CDC_OK && !m->is_null)
		rc = bytes_of(w.payload, &k->value, &m->value, err);
	m->n_headers = 0;
	return rc < 0 ? rc : read_headers(k, w.headers, m, err);
}

static int one_line(struct cdc_source *s, struct kcat_json *k, struct cdc_str line,
		    struct cdc_message *m, struct cdc_err *err)
{
	int rc;

	if (cdc_source_blank(line))
		return CDC_OK;
	rc = unwrap(k, line, m, err);
	if (rc == CDC_EDATA)
		return cdc_source_reject(s, m->offset, m->line, line, err);
	return rc < 0 ? rc : cdc_source_message(s, m, err);
}

static int kcat_json_run(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err)
{
	struct kcat_json k = { .header = NULL };
	struct cdc_message m = { .file = s->file };
	struct cdc_str line;
	int rc;

	for (;; m.index++) {
		m.offset = cdc_reader_offset(r);
		rc = cdc_reader_buffered(r) ? CDC_OK : cdc_source_flush(s, err);
		if (rc == CDC_OK)
			rc = cdc_reader_line(r, &line, NULL, err);
		m.line = r->line;
		if (rc == CDC_OK)
			rc = one_line(s, &k, line, &m, err);
		else if (rc == CDC_EDATA)
			rc = cdc_framing_bad_line(s, r, &m, err);
		if (rc != CDC_OK)
			break;
	}
	cdc_buf_free(&k.value);
	cdc_buf_free(&k.key);
	cdc_buf_free(&k.topic);
	cdc_buf_free(&k.header_text);
	free(k.header);
	return rc == CDC_END ? CDC_OK : rc;
}

static bool kcat_json_maybe(struct cdc_str head, bool eof)
{
	static const char mark[] = "\"topic\"";

	(void)eof;
	skip_space(&head);
	return head.n && head.p[0] == '{' &&
	       memmem(head.p, head.n < 4096 ? head.n : 4096, mark, sizeof(mark) - 1);
}

const struct cdc_framing cdc_framing_kcat_json = {
	.name = "kcat-json",
	.run = kcat_json_run,
	.maybe = kcat_json_maybe,
};
