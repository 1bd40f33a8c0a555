/*
 * Framing kcat-format: what `kcat -f FORMAT` writes. A field whose length the format tells before
 * it
 * (%S or %R for %s, %K for %k) has that length; another one ends where the text behind it begins.
 */
#include "source/source_int.h"

#include "base/endian.h"
#include "base/value.h"

#include <stdlib.h>

#define ITEMS_MAX 128
#define NUMBER_MAX 20 /* characters */

struct item {
	char field; /* the letter behind %, 0: plain text */
	uint32_t off; /* of plain text */
	uint32_t len;
};

struct format {
	struct item item[ITEMS_MAX];
	size_t n;
	struct cdc_buf text;
	bool sized_value; /* a length comes before the value, */
	bool sized_key; /* before the key */
};

/* A message being read, from where the reader stands. */
struct parse {
	struct cdc_source *s;
	struct cdc_reader *r;
	const struct format *f;
	struct cdc_str have; /* what is in memory */
	bool eof; /* and that is all there is */
	size_t at;
	int64_t value_len; /* told, -1: null */
	int64_t key_len;
	/* Where fields are: the memory may move while more is read. */
	size_t value_at, value_n;
	size_t key_at, key_n;
	size_t topic_at, topic_n;
	bool is_cut; /* the input ended too early */
	bool has_topic, has_key, has_partition, has_offset, has_time;
	int64_t partition;
	int64_t offset;
	int64_t time_ms;
};

/* --- the format --------------------------------------------------------- */

static int add(struct format *f, char field, const char *p, size_t n, struct cdc_err *err)
{
	struct item *before = f->n ? &f->item[f->n - 1] : NULL;

	if (!field && before && !before->field) {
		before->len += (uint32_t)n;
		return cdc_buf_append(&f->text, p, n, err);
	}
	if (f->n == ITEMS_MAX)
		return cdc_fail(err, CDC_EUSAGE, "--kcat-format has too many parts");
	f->item[f->n++] = (struct item){ field, (uint32_t)f->text.len, (uint32_t)n };
	return cdc_buf_append(&f->text, p, n, err);
}

/* kcat's escapes: \t \n \r, \x and hexadecimal digits, \ and digits as C reads a number. */
static int add_text(struct format *f, const char *p, size_t n, struct cdc_err *err)
{
	struct cdc_buf out = CDC_BUF_INIT;
	const char *end = p + n;
	int rc = CDC_OK;

	while (rc == CDC_OK && p < end) {
		char c = *p++;

		if (c == '\\' && p < end) {
			char *after = NULL;

			c = *p++;
			if (c == 'x')
				c = (char)strtoul(p, &after, 16);
			else if (c >= '0' && c <= '9')
				c = (char)strtoul(p - 1, &after, 0);
			else
				c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
			p = after && after > p ? after : p;
			p = p > end ? end : p;
		}
		rc = cdc_buf_putc(&out, c, err);
	}
	if (rc == CDC_OK)
		rc = add(f, 0, out.p ? out.p : "", out.len, err);
	cdc_buf_free(&out);
	return rc;
}

static bool is_number(char field)
{
	return field && strchr("SKTpo", field);
}

/* Can one tell where item i ends? */
static int check_item(struct format *f, size_t i, struct cdc_err *err)
{
	const struct item *it = &f->item[i], *next = &f->item[(i + 1) % f->n];
	const char *text = f->text.p + next->off;
	bool delimited = !next->field && next->len && i + 1 < f->n;

	if (it->field == 'S' || it->field == 'R')
		f->sized_value = true;
	if (it->field == 'K')
		f->sized_key = true;
	if (is_number(it->field) && (next->field || (*text >= '0' && *text <= '9') || f->n == 1))
		return cdc_fail(err, CDC_EUSAGE, "--kcat-format: nothing ends the number %%%c",
				it->field);
	if ((it->field == 's' && !f->sized_value) || (it->field == 'k' && !f->sized_key) ||
	    it->field == 't' || it->field == 'h') {
		if (!delimited)
			return cdc_fail(err, CDC_EUSAGE,
					"--kcat-format: nothing tells where %%%c ends", it->field);
	}
	return CDC_OK;
}

static int compile(struct format *f, const char *text, struct cdc_err *err)
{
	bool value = false;
	int rc = CDC_OK;

	while (rc == CDC_OK && *text) {
		size_t n = strcspn(text, "%");

		if (n) {
			rc = add_text(f, text, n, err);
			text += n;
			continue;
		}
		if (text[1] == '%')
			rc = add(f, 0, "%", 1, err);
		else if (text[1] && strchr("sSRkKTthpo", text[1]))
			rc = add(f, text[1], "", 0, err);
		else
			rc = cdc_fail(err, CDC_EUSAGE, "--kcat-format: %%%c is none of kcat's",
				      text[1] ? text[1] : ' ');
		value = value || text[1] == 's';
		text += text[1] ? 2 : 1;
	}
	if (rc == CDC_OK && !value)
		rc = cdc_fail(err, CDC_EUSAGE, "--kcat-format has no %%s");
	for (size_t i = 0; rc == CDC_OK && i < f->n; i++)
		rc = check_item(f, i, err);
	return rc;
}

int cdc_kcat_format_check(const char *text, struct cdc_err *err)
{
	struct format f = { .n = 0 };
	int rc = compile(&f, text, err);

	cdc_buf_free(&f.text);
	return rc;
}

/* --- messages ----------------------------------------------------------- */

static int need(struct parse *p, size_t n, struct cdc_err *err)
{
	int rc;

	if (p->have.n >= n || p->eof)
		return CDC_OK;
	if (n > p->r->max)
		return cdc_fail(err, CDC_EDATA, "a message of more than %zu bytes", p->r->max);
	rc = cdc_source_peek(p->s, p->r, n, &p->have, err);
	p->eof = p->have.n < n;
	return rc;
}

static int cut(struct parse *p, struct cdc_err *err)
{
	p->is_cut = true;
	return cdc_fail(err, CDC_EDATA, "the input ends inside a message");
}

static int take_text(struct parse *p, const struct item *it, bool last, struct cdc_err *err)
{
	const char *want = p->f->text.p + it->off;
	size_t n = it->len;
	int rc = need(p, p->at + n, err);

	if (rc < 0)
		return rc;
	if (p->have.n - p->at < n && last)
		n = p->have.n - p->at; /* the end of the input may lack the last line's end */
	if (p->have.n - p->at < n)
		return cut(p, err);
	if (memcmp(p->have.p + p->at, want, n) != 0)
		return cdc_fail(err, CDC_EDATA, "this is not what --kcat-format says");
	p->at += n;
	return CDC_OK;
}

static int take_number(struct parse *p, int64_t *v, struct cdc_err *err)
{
	size_t n = 0;

	for (;; n++) {
		int rc = need(p, p->at + n + 1, err);
		char c;

		if (rc < 0)
			return rc;
		if (p->at + n == p->have.n)
			break;
		c = p->have.p[p->at + n];
		if (n == NUMBER_MAX || !((c >= '0' && c <= '9') || (n == 0 && c == '-')))
			break;
	}
	if (n == 0 && p->at == p->have.n)
		return cut(p, err);
	if (cdc_int64_parse(cdc_str(p->have.p + p->at, n), v) != CDC_PARSE_OK)
		return cdc_fail(err, CDC_EDATA, "a number of --kcat-format is not there");
	p->at += n;
	return CDC_OK;
}

static int take_sized(struct parse *p, int64_t len, size_t *at, size_t *n, struct cdc_err *err)
{
	int rc;

	if (len < -1 || len > (int64_t)p->s->record_max)
		return cdc_fail(err, CDC_EDATA, "a length of %lld bytes", (long long)len);
	*at = p->at;
	*n = len < 0 ? 0 : (size_t)len;
	rc = need(p, p->at + *n, err);
	if (rc == CDC_OK && p->have.n - p->at < *n)
		rc = cut(p, err);
	p->at += *n;
	return rc;
}

/* How much of the text that ends a field stands at the end of the input. */
static size_t torn_text(struct cdc_str s, const char *text, size_t n)
{
	for (size_t k = n - 1; k > 0; k--) {
		if (s.n >= k && memcmp(s.p + s.n - k, text, k) == 0)
			return k;
	}
	return 0;
}

/* Up to the text of the next item; at the end of the input up to that. */
static int take_delimited(struct parse *p, const struct item *next, bool last, size_t *at,
			  size_t *n, struct cdc_err *err)
{
	const char *text = p->f->text.p + next->off;
	size_t looked = p->at;

	*at = p->at;
	for (;;) {
		const char *found =
			p->have.n - looked >= next->len
				? memmem(p->have.p + looked, p->have.n - looked, text, next->len)
				: NULL;
		int rc;

		if (found) {
			*n = (size_t)(found - p->have.p) - p->at;
			break;
		}
		if (p->eof && !last)
			return cut(p, err);
		if (p->eof) {
			*n = p->have.n - p->at;
			*n -= torn_text(cdc_str(p->have.p + p->at, *n), text, next->len);
			break;
		}
		looked = p->have.n - p->at >= next->len ? p->have.n - next->len + 1 : p->at;
		rc = need(p, p->have.n + 1, err);
		if (rc < 0)
			return rc;
	}
	p->at += *n;
	return CDC_OK;
}

static int take_length(struct parse *p, struct cdc_err *err)
{
	int rc = need(p, p->at + 4, err);

	if (rc == CDC_OK && p->have.n - p->at < 4)
		rc = cut(p, err);
	if (rc < 0)
		return rc;
	p->value_len = (int32_t)cdc_be32(p->have.p + p->at);
	p->at += 4;
	return CDC_OK;
}

static int take_item(struct parse *p, size_t i, struct cdc_err *err)
{
	const struct item *it = &p->f->item[i], *next = it + 1;
	bool last = i + 2 == p->f->n; /* behind it comes the end of the format */
	size_t at, n;

	switch (it->field) {
	case 0:
		return take_text(p, it, i + 1 == p->f->n, err);
	case 'R':
		return take_length(p, err);
	case 'S':
		return take_number(p, &p->value_len, err);
	case 'K':
		return take_number(p, &p->key_len, err);
	case 'T':
		p->has_time = true;
		return take_number(p, &p->time_ms, err);
	case 'p':
		p->has_partition = true;
		return take_number(p, &p->partition, err);
	case 'o':
		p->has_offset = true;
		return take_number(p, &p->offset, err);
	case 's':
		return p->f->sized_value && p->value_len != INT64_MIN
			       ? take_sized(p, p->value_len, &p->value_at, &p->value_n, err)
			       : take_delimited(p, next, last, &p->value_at, &p->value_n, err);
	case 'k':
		p->has_key = true;
		return p->f->sized_key && p->key_len != INT64_MIN
			       ? take_sized(p, p->key_len, &p->key_at, &p->key_n, err)
			       : take_delimited(p, next, last, &p->key_at, &p->key_n, err);
	case 't':
		p->has_topic = true;
		return take_delimited(p, next, last, &p->topic_at, &p->topic_n, err);
	default:
		return take_delimited(p, next, last, &at, &n, err);
	}
}

/* kcat prints nothing for a null value or key, with -Z the text NULL. */
static bool is_null(struct cdc_str s, bool sized, int64_t len)
{
	return sized ? len < 0 : s.n == 0 || cdc_str_eqz(s, "NULL");
}

static int describe(const struct parse *p, struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_str key = cdc_str(p->have.p + p->key_at, p->key_n);

	m->value = cdc_str(p->have.p + p->value_at, p->value_n);
	m->is_null = is_null(m->value, p->f->sized_value, p->value_len);
	if (m->is_null)
		m->value.n = 0;
	m->offset = cdc_reader_offset(p->r) + p->value_at;
	m->has_key = p->has_key && !is_null(key, p->f->sized_key, p->key_len);
	m->key = m->has_key ? key : CDC_STR("");
	m->has_timestamp = p->has_time && p->time_ms >= 0;
	m->timestamp_ms = p->time_ms;
	m->topic = p->has_topic	     ? cdc_str(p->have.p + p->topic_at, p->topic_n)
		   : p->s->opt.topic ? cdc_str_z(p->s->opt.topic)
				     : CDC_STR("");
	m->has_kafka = p->has_offset && p->has_partition && m->topic.n > 0;
	if (m->has_kafka && (p->partition < 0 || p->partition > INT32_MAX || p->offset < 0))
		return cdc_fail(err, CDC_EDATA, "a partition or an offset that cannot be");
	m->partition = (int32_t)p->partition;
	m->kafka_offset = p->offset;
	return CDC_OK;
}

static int one_message(struct parse *p, struct cdc_message *m, struct cdc_err *err)
{
	int rc = CDC_OK;

	p->at = p->value_at = p->value_n = p->key_at = p->key_n = p->topic_n = 0;
	p->value_len = p->key_len = INT64_MIN;
	for (size_t i = 0; rc == CDC_OK && i < p->f->n; i++)
		rc = take_item(p, i, err);
	return rc < 0 ? rc : describe(p, m, err);
}

static int read_all(struct parse *p, struct cdc_err *err)
{
	struct cdc_message m = { .file = p->s->file };
	int rc;

	for (;; m.index++) {
		p->have.n = 0;
		p->eof = false;
		rc = need(p, 1, err);
		if (rc < 0 || p->have.n == 0)
			return rc;
		rc = one_message(p, &m, err);
		if (rc == CDC_EDATA && !p->r->broken)
			return p->is_cut ? cdc_framing_cut(p->s, p->r, err)
					 : cdc_framing_lost(p->s, p->r, err);
		if (rc == CDC_OK)
			rc = cdc_source_message(p->s, &m, err);
		if (rc < 0)
			return rc;
		cdc_reader_skip(p->r, p->at);
	}
}

static int kcat_format_run(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err)
{
	struct format f = { .n = 0 };
	struct parse p = { .s = s, .r = r, .f = &f };
	int rc;

	if (!s->opt.kcat_format)
		return cdc_fail(err, CDC_EUSAGE, "--framing kcat-format needs --kcat-format");
	rc = compile(&f, s->opt.kcat_format, err);
	if (rc == CDC_OK)
		rc = read_all(&p, err);
	cdc_buf_free(&f.text);
	return rc;
}

const struct cdc_framing cdc_framing_kcat_format = {
	.name = "kcat-format",
	.run = kcat_format_run,
	.named = true,
};
