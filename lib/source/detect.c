/*
 * Telling format and framing of an input from its first bytes (spec section 9). Each framing cuts
 * a copy of the head into messages, and each format is asked about these. What has no mark (CSV and
 * its kin) is never guessed, and what two formats claim is refused.
 */
#include "source/source_int.h"

#include <stdlib.h>

#define HEAD_MAX ((size_t)4 << 20) /* looked at before giving up, unless a message is longer */
#define NOTHING_BYTES 2 /* messages up to this length mean nothing in any format */
#define SAMPLE_BYTES ((size_t)64 << 20)

static const struct {
	const char *magic;
	size_t n;
	const char *what;
} foreign[] = {
	{ "\xfd\x62\x69\x6e", 4, "an encrypted binlog, which cannot be read without its key" },
	{ "\x1f\x8b", 2, "compressed with gzip: decompress it first" },
	{ "\x28\xb5\x2f\xfd", 4, "compressed with zstd: decompress it first" },
	{ "\xfd"
	  "7zXZ",
	  5, "compressed with xz: decompress it first" },
	{ "BZh", 3, "compressed with bzip2: decompress it first" },
	{ "PK\x03\x04", 4, "a zip archive: unpack it first" },
};

static bool starts_with(struct cdc_str s, const char *magic, size_t n)
{
	return s.n >= n && memcmp(s.p, magic, n) == 0;
}

/* --- a sample ----------------------------------------------------------- */

static bool copy(struct cdc_arena *a, struct cdc_str *s)
{
	char *p = cdc_arena_dup(a, s->p, s->n);

	s->p = p;
	return p != NULL;
}

static bool copy_headers(struct cdc_arena *a, struct cdc_message *m)
{
	struct cdc_header *h = cdc_arena_calloc(a, m->n_headers + 1u, sizeof(*h));

	for (uint32_t i = 0; h && i < m->n_headers; i++) {
		h[i] = m->header[i];
		if (!copy(a, &h[i].name) || !copy(a, &h[i].value))
			h = NULL;
	}
	m->header = h;
	return h != NULL;
}

int cdc_sample_add(struct cdc_sample *sample, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_message *to = &sample->m[sample->n];

	if (m->unterminated && sample->cut)
		return CDC_OK;
	*to = *m;
	if (!copy(&sample->text, &to->value) || !copy(&sample->text, &to->key) ||
	    !copy(&sample->text, &to->topic) || !copy_headers(&sample->text, to))
		return cdc_fail_nomem(err);
	sample->n++;
	if (sample->n < CDC_SAMPLE_MESSAGES && sample->text.total_bytes < SAMPLE_BYTES)
		return CDC_OK;
	sample->full = true;
	return cdc_fail(err, CDC_EINTR, "enough has been seen");
}

/* Run the framing over a copy of the head. What it thinks is wrong there does not matter. */
static int take_sample(struct cdc_source *s, struct cdc_reader *r, const struct cdc_framing *f,
		       struct cdc_str head, struct cdc_sample *sample, struct cdc_err *err)
{
	struct cdc_source_counts counts = s->counts;
	struct cdc_err ignored = CDC_ERR_INIT;
	struct cdc_reader mem = *r;
	int rc;

	mem.buf = malloc(head.n);
	if (!mem.buf)
		return cdc_fail_nomem(err);
	memcpy(mem.buf, head.p, head.n);
	mem.fd = -1;
	mem.owns_fd = false;
	mem.eof = mem.regular = true;
	mem.tied = NULL;
	mem.cap = mem.end = head.n;
	mem.pos = 0;
	mem.base = mem.line = 0;
	sample->n = 0;
	sample->full = false;
	cdc_arena_reset(&sample->text);
	s->sample = sample;
	rc = f->run(s, &mem, &ignored);
	s->sample = NULL;
	s->counts = counts;
	free(mem.buf);
	return rc == CDC_ENOMEM ? cdc_fail_nomem(err) : CDC_OK;
}

/* --- asking the formats ------------------------------------------------- */

struct choice {
	const struct cdc_format *format;
	const struct cdc_format *other; /* that fits as well */
	enum cdc_fit fit;
};

static void consider(struct choice *c, const struct cdc_format *f, enum cdc_fit fit)
{
	if (fit == CDC_FIT_NO || fit < c->fit)
		return;
	c->other = fit == c->fit ? f : NULL;
	if (fit > c->fit)
		c->format = f;
	c->fit = fit;
}

bool cdc_source_means_nothing(const struct cdc_message *m)
{
	return m->is_null || m->value.n <= NOTHING_BYTES;
}

/* A bad first message is a reject, if what follows it is not bad too. */
static enum cdc_fit fit_of(const struct cdc_format *f, void *ctx, const struct cdc_sample *sample)
{
	enum cdc_fit best = CDC_FIT_NO;
	unsigned asked = 0;

	for (size_t i = 0; i < sample->n && asked < 2; i++) {
		enum cdc_fit fit;

		if (cdc_source_means_nothing(&sample->m[i]))
			continue;
		asked++;
		fit = f->probe(ctx, &sample->m[i]);
		best = fit > best ? fit : best;
	}
	return best;
}

/* Ask the one format, or all that can tell. */
static int ask(struct cdc_source *s, const struct cdc_format *only, const struct cdc_sample *sample,
	       struct choice *c, struct cdc_err *err)
{
	const struct cdc_format *f;

	for (size_t i = 0; (f = cdc_format_at(&s->opt, i)) != NULL; i++) {
		void *ctx;
		int rc;

		if (!f->probe || (only && f != only))
			continue;
		rc = cdc_source_use(s, f, &ctx, err);
		if (rc < 0)
			return rc;
		consider(c, f, fit_of(f, ctx, sample));
	}
	return CDC_OK;
}

static int ask_schema(struct cdc_source *s, struct cdc_reader *r, const struct cdc_format *only,
		      struct choice *c, struct cdc_err *err)
{
	const struct cdc_format *f;
	struct cdc_str schema;
	int rc = cdc_ocf_peek_schema(s, r, &schema, err);

	/* A format that was named takes the container, or says why not. */
	if (only && only->schema) {
		consider(c, only, CDC_FIT_YES);
		return rc;
	}
	for (size_t i = 0; rc == CDC_OK && (f = cdc_format_at(&s->opt, i)) != NULL; i++) {
		void *ctx;

		if (!f->probe_schema || (only && f != only))
			continue;
		rc = cdc_source_use(s, f, &ctx, err);
		if (rc == CDC_OK)
			consider(c, f, f->probe_schema(ctx, schema));
	}
	return rc;
}

/* --- the search --------------------------------------------------------- */

struct search {
	struct cdc_source *s;
	struct cdc_reader *r;
	const struct cdc_format *format; /* --from */
	const struct cdc_framing *framing; /* --framing */
	struct cdc_sample sample;
	bool any_message; /* of substance, in some framing */
	const struct cdc_framing *wrapper; /* that says by itself what it is */
	const struct cdc_framing *empty; /* the input holds messages, but none of substance */
	struct choice found;
	const struct cdc_framing *found_framing;
};

/* Is the input, of whose messages none means anything, in this framing all the same? Not where any
 * two bytes would be. A segment may hold nothing but the ends of transactions. */
static bool holds_nothing(const struct cdc_framing *f, const struct cdc_sample *sample)
{
	if (f == &cdc_framing_json || f == &cdc_framing_single || !f->maybe)
		return false;
	return sample->n || f == &cdc_framing_segment;
}

static int try_framing(struct search *q, const struct cdc_framing *f, struct cdc_str head, bool eof,
		       struct cdc_err *err)
{
	struct choice c = { NULL, NULL, CDC_FIT_NO };
	int rc;

	if (f->maybe && !f->maybe(head, eof))
		return CDC_OK;
	if (f == &cdc_framing_ocf) {
		rc = ask_schema(q->s, q->r, q->format, &c, err);
		q->any_message = true;
	} else {
		bool substance = false;

		q->sample.cut = !eof;
		rc = take_sample(q->s, q->r, f, head, &q->sample, err);
		for (size_t i = 0; i < q->sample.n; i++)
			substance = substance || !cdc_source_means_nothing(&q->sample.m[i]);
		q->any_message = q->any_message || substance;
		if (substance && !q->wrapper &&
		    (f == &cdc_framing_kcat_json || f == &cdc_framing_segment))
			q->wrapper = f;
		if (!substance && !q->empty && holds_nothing(f, &q->sample))
			q->empty = f;
		if (rc == CDC_OK)
			rc = ask(q->s, q->format, &q->sample, &c, err);
	}
	if (rc < 0 || c.fit <= q->found.fit)
		return rc;
	q->found = c;
	q->found_framing = f;
	return CDC_OK;
}

static int try_all(struct search *q, struct cdc_str head, bool eof, struct cdc_err *err)
{
	int rc = CDC_OK;

	q->any_message = false;
	q->empty = NULL;
	q->wrapper = NULL;
	for (size_t i = 0; rc == CDC_OK && cdc_framings[i]; i++) {
		if (q->framing ? cdc_framings[i] == q->framing : !cdc_framings[i]->named)
			rc = try_framing(q, cdc_framings[i], head, eof, err);
		if (q->found.fit == CDC_FIT_YES)
			break;
	}
	return rc;
}

/* A format that reads inputs by itself, by its magic. */
static const struct cdc_format *by_magic(const struct search *q, struct cdc_str head)
{
	const struct cdc_format *f;

	for (size_t i = 0; (f = cdc_format_at(&q->s->opt, i)) != NULL; i++) {
		if (f->magic && starts_with(head, f->magic, strlen(f->magic)))
			return f;
	}
	return NULL;
}

static int refuse_foreign(struct cdc_str head, struct cdc_err *err)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (starts_with(head, foreign[i].magic, foreign[i].n))
			return cdc_fail(err, CDC_EDATA, "the input is %s", foreign[i].what);
	}
	return CDC_OK;
}

static int search(struct search *q, struct cdc_err *err)
{
	size_t want = 1, looks = 0;
	struct cdc_str head;
	int rc;

	for (;;) {
		bool eof;

		rc = cdc_reader_peek(q->r, want, &head, err);
		if (rc < 0)
			return rc;
		eof = head.n < want;
		if (looks == 0 && head.n < 4 && !eof) {
			want = 4;
			continue;
		}
		if (head.n == 0)
			return CDC_OK;
		if (!q->format && !q->framing && by_magic(q, head)) {
			q->found.format = by_magic(q, head);
			return CDC_OK;
		}
		rc = refuse_foreign(head, err);
		if (rc == CDC_OK)
			rc = try_all(q, head, eof, err);
		if (rc < 0 || q->found.format || eof || head.n >= q->r->max)
			return rc;
		if (head.n >= HEAD_MAX && q->any_message)
			return CDC_OK;
		/* A pipe gives what it has; an input that says nothing for long is looked at less
		 * and less often. */
		want = ++looks < 4 ? head.n + 1 : head.n * 2;
		want = want < q->r->max ? want : q->r->max;
	}
}

static int nothing_fits(const struct search *q, struct cdc_err *err)
{
	if (q->format)
		return cdc_fail(
			err, CDC_EDATA,
			"cannot tell how messages of format %s are framed here: give --framing",
			q->format->name);
	return cdc_fail(err, CDC_EDATA, "cannot tell what the input is: give --from and --framing");
}

static int check_pair(const struct cdc_format *f, const char *framing, struct cdc_err *err)
{
	if (f->stream && strcmp(framing, "lines") != 0)
		return cdc_fail(err, CDC_EUSAGE,
				"format %s delimits its own records: --framing %s cannot be",
				f->name, framing);
	if (!f->stream && !f->datum && strcmp(framing, "ocf") == 0)
		return cdc_fail(err, CDC_EUSAGE, "format %s does not come in Avro containers",
				f->name);
	return CDC_OK;
}

static const char *given(const char *option)
{
	return option && strcmp(option, "auto") != 0 ? option : NULL;
}

/* Put the result together; both are NULL for an empty input. */
static int settle(struct search *q, const struct cdc_format **format,
		  const struct cdc_framing **framing, struct cdc_err *err)
{
	const struct cdc_format *first = q->found.format, *other = q->found.other;

	if (first && other)
		return cdc_fail(err, CDC_EDATA,
				"the input could be %s or %s: say which with --from", first->name,
				other->name);
	*format = first;
	*framing = q->found_framing;
	if (*format)
		return CDC_OK;
	if (q->empty && !q->format) {
		/* Nothing but messages that mean nothing, whatever the format. */
		*format = &cdc_format_dts;
		*framing = q->empty;
		return CDC_OK;
	}
	if (q->empty || (q->format && q->framing)) {
		*format = q->format;
		*framing = q->framing ? q->framing : q->empty;
		return CDC_OK;
	}
	if (q->format && q->format->text) {
		*format = q->format;
		/* Rows without a mark of their format, as flattened ones are. */
		*framing = q->wrapper ? q->wrapper : &cdc_framing_lines;
		return CDC_OK;
	}
	return nothing_fits(q, err);
}

int cdc_source_detect(struct cdc_source *s, struct cdc_reader *r, const struct cdc_format **format,
		      const struct cdc_framing **framing, struct cdc_err *err)
{
	const char *from = given(s->opt.format);
	const char *framed = given(s->opt.framing);
	struct search q = { .s = s, .r = r };
	struct cdc_str head;
	int rc;

	*format = from ? cdc_format_find(&s->opt, from) : NULL;
	*framing = framed ? cdc_framing_find(framed) : NULL;
	if (*format && framed) {
		rc = check_pair(*format, framed, err);
		if ((*format)->stream)
			*framing = NULL;
		return rc;
	}
	if (*format && (*format)->stream)
		return CDC_OK; /* there is nothing to look at */
	q.format = *format;
	q.framing = *framing;
	*format = NULL;
	*framing = NULL;
	rc = search(&q, err);
	cdc_arena_free(&q.sample.text);
	if (rc < 0)
		return rc;
	rc = cdc_reader_peek(r, 1, &head, err);
	if (rc < 0 || (head.n == 0 && !q.found.format))
		return rc;
	return settle(&q, format, framing, err);
}

int cdc_source_detect_messages(struct cdc_source *s, const struct cdc_sample *sample,
			       const struct cdc_format **format, struct cdc_err *err)
{
	const char *from = given(s->opt.format);
	struct choice c = { NULL, NULL, CDC_FIT_NO };
	bool substance = false;
	int rc = CDC_OK;

	*format = from ? cdc_format_find(&s->opt, from) : NULL;
	if (*format)
		return CDC_OK;
	for (size_t i = 0; i < sample->n; i++)
		substance = substance || !cdc_source_means_nothing(&sample->m[i]);
	rc = ask(s, NULL, sample, &c, err);
	if (rc < 0)
		return rc;
	if (c.format && c.other)
		return cdc_fail(err, CDC_EDATA,
				"the messages could be %s or %s: say which with --from",
				c.format->name, c.other->name);
	*format = c.format;
	return *format || !substance
		       ? CDC_OK
		       : cdc_fail(err, CDC_EDATA, "cannot tell what the messages are: give --from");
}
