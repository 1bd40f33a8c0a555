/*
 * Framing dump-log: the text of `kafka-dump-log --print-data-log`. A line a record, which tells the
 * sizes of key and value, so that a value may hold line ends. The tool decodes bytes as UTF-8:
 * what was none is lost, and is rejected where that shows.
 */
#include "source/source_int.h"

#include "base/value.h"

#include <stdlib.h>

struct dump {
	struct cdc_source *s;
	struct cdc_reader *r;
	struct cdc_str have; /* from the line's start */
	bool eof;
	struct cdc_message m;
	char file[512]; /* of the dump: tells topic and partition */
	struct cdc_place place;
	bool control; /* of the batch */
	bool transactional;
};

/* What a record's line tells. */
struct line {
	struct cdc_str rest; /* behind what was read */
	int64_t offset;
	int64_t time_ms;
	int64_t key_size;
	int64_t value_size;
	bool has_offset, has_time, has_key_size, has_value_size;
};

static int need(struct dump *d, size_t n, struct cdc_err *err)
{
	int rc;

	if (d->have.n >= n || d->eof)
		return CDC_OK;
	if (n > d->r->max)
		return cdc_fail(err, CDC_EDATA, "a line of more than %zu bytes", d->r->max);
	rc = cdc_source_peek(d->s, d->r, n, &d->have, err);
	d->eof = d->have.n < n;
	return rc;
}

/* Bytes of the line that begins at `at`, without its end, which may be the input's. */
static int line_end(struct dump *d, size_t at, size_t *n, struct cdc_err *err)
{
	size_t looked = at;

	for (;;) {
		const char *end = d->have.n > looked
					  ? memchr(d->have.p + looked, '\n', d->have.n - looked)
					  : NULL;
		int rc;

		if (end) {
			*n = (size_t)(end - d->have.p) - at;
			return CDC_OK;
		}
		if (d->eof) {
			*n = d->have.n - at;
			return CDC_OK;
		}
		looked = d->have.n;
		rc = need(d, d->have.n + 1, err);
		if (rc < 0)
			return rc;
	}
}

static bool take(struct cdc_str *s, const char *word)
{
	size_t n = strlen(word);

	if (s->n < n || memcmp(s->p, word, n) != 0)
		return false;
	*s = cdc_str(s->p + n, s->n - n);
	return true;
}

/* --- the lines ---------------------------------------------------------- */

/* "Dumping /var/lib/kafka/sales-3/00000000000000000000.log" */
static void take_file(struct dump *d, struct cdc_str name)
{
	size_t n = name.n < sizeof(d->file) ? name.n : sizeof(d->file) - 1;

	memcpy(d->file, name.p, n);
	d->file[n] = '\0';
	d->place = cdc_place_of(d->file);
}

static bool flag(struct cdc_str line, const char *word)
{
	const char *at = memmem(line.p, line.n, word, strlen(word));

	return at != NULL;
}

static void take_batch(struct dump *d, struct cdc_str line)
{
	d->control = flag(line, "isControl: true");
	d->transactional = flag(line, "isTransactional: true");
}

/* "name: value " pairs up to the key or the payload. False: this is no record. */
static bool take_pairs(struct line *l, struct cdc_str s)
{
	while (s.n && !(s.n >= 5 && memcmp(s.p, "key: ", 5) == 0) &&
	       !(s.n >= 8 && memcmp(s.p, "payload:", 8) == 0)) {
		const char *colon = memchr(s.p, ':', s.n);
		struct cdc_str name, value;
		const char *end;
		int64_t v = 0;
		bool number;

		if (!colon)
			return false;
		name = cdc_str(s.p, (size_t)(colon - s.p));
		s = cdc_str(colon + 1, s.n - name.n - 1);
		(void)take(&s, " ");
		end = s.n ? memchr(s.p, s.p[0] == '[' ? ']' : ' ', s.n) : NULL;
		value = cdc_str(s.p, end ? (size_t)(end - s.p) : s.n);
		value.n += end && s.p[0] == '[';
		s = cdc_str(s.p + value.n, s.n - value.n);
		(void)take(&s, " ");
		number = cdc_int64_parse(value, &v) == CDC_PARSE_OK;
		if (cdc_str_eqz(name, "offset") && number) {
			l->offset = v;
			l->has_offset = true;
		} else if ((cdc_str_eqz(name, "CreateTime") ||
			    cdc_str_eqz(name, "LogAppendTime")) &&
			   number) {
			l->time_ms = v;
			l->has_time = true;
		} else if (cdc_str_ieq(name, CDC_STR("keySize")) && number) {
			l->key_size = v;
			l->has_key_size = true;
		} else if (cdc_str_ieq(name, CDC_STR("valueSize")) && number) {
			l->value_size = v;
			l->has_value_size = true;
		}
	}
	l->rest = s;
	return l->has_offset && l->has_key_size && l->has_value_size;
}

/* Key or value of so many bytes, which the line's end does not end. */
static int take_bytes(struct dump *d, size_t *at, int64_t size, struct cdc_str *out,
		      struct cdc_err *err)
{
	int rc;

	if (size > (int64_t)d->s->record_max)
		return cdc_fail(err, CDC_EDATA, "a record of %lld bytes", (long long)size);
	rc = need(d, *at + (size_t)size, err);
	if (rc < 0)
		return rc;
	if (d->have.n - *at < (size_t)size)
		return cdc_fail(err, CDC_EDATA, "the input ends inside a record");
	*out = cdc_str(d->have.p + *at, (size_t)size);
	*at += (size_t)size;
	return CDC_OK;
}

static int lossy(struct cdc_err *err)
{
	return cdc_fail(err, CDC_EDATA,
			"what is printed is not as long as the record was: it is no text, so read "
			"the log's segment itself");
}

/* Is the text at `at`? */
static int expect(struct dump *d, size_t *at, const char *word, struct cdc_err *err)
{
	size_t n = strlen(word);
	int rc = need(d, *at + n, err);

	if (rc < 0)
		return rc;
	if (d->have.n - *at < n || memcmp(d->have.p + *at, word, n) != 0)
		return lossy(err);
	*at += n;
	return CDC_OK;
}

/* Where the line's end should be; of Windows too. */
static int expect_end(struct dump *d, size_t at, struct cdc_err *err)
{
	int rc = need(d, at + 1, err);

	if (rc < 0 || d->have.n == at || d->have.p[at] == '\n')
		return rc;
	if (d->have.p[at] == '\r' && (d->have.n == at + 1 || d->have.p[at + 1] == '\n'))
		return CDC_OK;
	return lossy(err);
}

/* `at`: behind the pairs. *end receives where the record's text ends. */
static int take_record(struct dump *d, const struct line *l, size_t at, size_t *end,
		       struct cdc_err *err)
{
	struct cdc_message *m = &d->m;
	size_t key_at = 0, value_at = 0;
	int rc = CDC_OK;

	m->has_key = l->key_size >= 0;
	m->is_null = l->value_size < 0;
	m->key = m->value = CDC_STR("");
	if (m->has_key) {
		rc = expect(d, &at, "key: ", err);
		key_at = at;
		if (rc == CDC_OK)
			rc = take_bytes(d, &at, l->key_size, &m->key, err);
		if (rc == CDC_OK && !m->is_null)
			rc = expect(d, &at, " ", err);
	}
	if (rc == CDC_OK && !m->is_null) {
		rc = expect(d, &at, "payload: ", err);
		value_at = at;
		if (rc == CDC_OK)
			rc = take_bytes(d, &at, l->value_size, &m->value, err);
	}
	if (rc == CDC_OK)
		rc = expect_end(d, at, err);
	if (rc < 0)
		return rc;
	/* The memory may have moved since. */
	m->key.p = d->have.p + key_at;
	m->value.p = d->have.p + value_at;
	m->offset = cdc_reader_offset(d->r) + value_at;
	*end = at;
	return CDC_OK;
}

static void describe(struct dump *d, const struct line *l)
{
	const struct cdc_source *s = d->s;
	struct cdc_message *m = &d->m;

	m->has_timestamp = l->has_time && l->time_ms >= 0;
	m->timestamp_ms = l->time_ms;
	m->topic = d->place.known ? d->place.topic
		   : s->opt.topic ? cdc_str_z(s->opt.topic)
				  : CDC_STR("");
	m->partition = d->place.known ? d->place.partition : s->opt.partition;
	m->kafka_offset = l->offset;
	m->has_kafka = m->topic.n > 0 && l->offset >= 0;
}

static int put_record(struct dump *d, const struct line *l, size_t at, size_t *n,
		      struct cdc_err *err)
{
	int rc;

	if (d->control)
		return CDC_OK;
	if (d->transactional)
		rc = cdc_fail(err, CDC_EDATA,
			      "a record of a transaction, which may be aborted later on: read the "
			      "log's segment itself");
	else
		rc = take_record(d, l, at, n, err);
	if (rc == CDC_EDATA && !d->r->broken)
		return cdc_source_reject(d->s, cdc_reader_offset(d->r), d->m.line,
					 cdc_str(d->have.p, *n), err);
	if (rc < 0)
		return rc;
	describe(d, l);
	rc = cdc_source_message(d->s, &d->m, err);
	d->m.index++;
	return rc;
}

/* One line, and what belongs to it; *n: its bytes without the end. */
static int one_line(struct dump *d, size_t *n, struct cdc_err *err)
{
	struct cdc_str line = cdc_str(d->have.p, *n);
	struct line l = { .offset = -1 };

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (take(&line, "Dumping ")) {
		take_file(d, line);
		return CDC_OK;
	}
	if (take(&line, "baseOffset: ")) {
		take_batch(d, line);
		return CDC_OK;
	}
	/* Logs of version 0 and 1 have no batches, and no mark before a record. */
	if (!take(&line, "| "))
		d->control = d->transactional = false;
	if (line.n < 8 || memcmp(line.p, "offset: ", 8) != 0 || !take_pairs(&l, line))
		return CDC_OK;
	return put_record(d, &l, (size_t)(l.rest.p - d->have.p), n, err);
}

static int dump_log_run(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err)
{
	struct dump d = { .s = s, .r = r, .m = { .file = s->file } };
	int rc;

	for (;;) {
		size_t n = 0, more = 0;

		d.have.n = 0;
		d.eof = false;
		rc = need(&d, 1, err);
		if (rc < 0 || d.have.n == 0)
			return rc;
		rc = line_end(&d, 0, &n, err);
		if (rc == CDC_OK)
			rc = one_line(&d, &n, err);
		if (rc < 0)
			return rc;
		/* What was read on to has an end of its own. */
		rc = line_end(&d, n, &more, err);
		if (rc < 0)
			return rc;
		n += more;
		cdc_reader_skip(r, d.have.n > n ? n + 1 : n);
	}
}

static bool dump_log_maybe(struct cdc_str head, bool eof)
{
	(void)eof;
	return take(&head, "Dumping ") || take(&head, "baseOffset: ") ||
	       take(&head, "| offset: ") || take(&head, "Starting offset: ") ||
	       take(&head, "Log starting offset: ");
}

const struct cdc_framing cdc_framing_dump_log = {
	.name = "dump-log",
	.run = dump_log_run,
	.maybe = dump_log_maybe,
};
