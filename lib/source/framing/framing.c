/*
 * Framings: how messages are cut from an input. kcat: what `kcat -f '%R%s'` writes, a big-endian
 * 32-bit length (-1: null) and the payload; lines; single: the input is one message; ocf is a file
 * of its own.
 */
#include "source/source_int.h"

#include "base/endian.h"

/* Of an input that can no longer be cut into messages, this much is kept with the reject. */
#define LOST_MAX ((size_t)64 << 10)

static int reject_rest(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err)
{
	uint64_t offset = cdc_reader_offset(r);
	struct cdc_err why = *err;
	struct cdc_str rest;
	int rc = cdc_source_peek(s, r, LOST_MAX < r->max ? LOST_MAX : r->max, &rest, err);

	if (rc < 0)
		return rc;
	rest.n = rest.n < LOST_MAX ? rest.n : LOST_MAX;
	*err = why;
	return cdc_source_reject(s, offset, 0, rest, err);
}

int cdc_framing_lost(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err)
{
	struct cdc_err why;
	int rc;

	cdc_err_offset(err, cdc_reader_offset(r));
	why = *err;
	rc = reject_rest(s, r, err);
	if (rc < 0)
		return rc;
	*err = why;
	return CDC_EDATA;
}

int cdc_framing_cut(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err)
{
	return reject_rest(s, r, err);
}

/* The input ends inside a message: what is there is rejected, and that is the end of it. */
static int truncated(struct cdc_source *s, struct cdc_reader *r, struct cdc_str tail,
		     struct cdc_err *err)
{
	cdc_fail(err, CDC_EDATA, "the input ends inside a message");
	return cdc_source_reject(s, cdc_reader_offset(r), 0, tail, err);
}

static int kcat_run(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err)
{
	struct cdc_message m = { .file = s->file };
	struct cdc_str head;
	int rc;

	for (;; m.index++) {
		int32_t n;

		rc = cdc_source_peek(s, r, 4, &head, err);
		if (rc < 0 || head.n == 0)
			return rc;
		if (head.n < 4)
			return truncated(s, r, head, err);
		n = (int32_t)cdc_be32(head.p);
		if (n < -1 || (n > 0 && (size_t)n > s->record_max)) {
			cdc_fail(err, CDC_EDATA,
				 "a message of %d bytes: not a kcat dump from here on", (int)n);
			return cdc_framing_lost(s, r, err);
		}
		m.is_null = n == -1;
		n = n < 0 ? 0 : n;
		rc = cdc_source_peek(s, r, 4 + (size_t)n, &head, err);
		if (rc < 0)
			return rc;
		if (head.n < 4 + (size_t)n)
			return truncated(s, r, head, err);
		m.value = cdc_str(head.p + 4, (size_t)n);
		m.offset = cdc_reader_offset(r) + 4;
		rc = cdc_source_message(s, &m, err);
		if (rc < 0)
			return rc;
		cdc_reader_skip(r, 4 + (size_t)n);
	}
}

int cdc_framing_bad_line(struct cdc_source *s, struct cdc_reader *r, const struct cdc_message *m,
			 struct cdc_err *err)
{
	if (!r->broken)
		return cdc_source_reject(s, m->offset, r->line, CDC_STR(""), err);
	cdc_err_line(err, r->line);
	return CDC_EDATA;
}

static int lines_run(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err)
{
	struct cdc_message m = { .file = s->file };
	bool terminated;
	int rc;

	for (;; m.index++) {
		m.offset = cdc_reader_offset(r);
		if (!cdc_reader_buffered(r)) {
			rc = cdc_source_flush(s, err);
			if (rc < 0)
				return rc;
		}
		rc = cdc_reader_line(r, &m.value, &terminated, err);
		if (rc == CDC_EDATA) {
			rc = cdc_framing_bad_line(s, r, &m, err);
			if (rc < 0)
				return rc;
			continue;
		}
		if (rc != CDC_OK)
			break;
		m.line = r->line;
		m.unterminated = !terminated;
		rc = cdc_source_message(s, &m, err);
		if (rc < 0)
			return rc;
	}
	return rc == CDC_END ? CDC_OK : rc;
}

static int single_run(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err)
{
	struct cdc_message m = { .file = s->file, .offset = cdc_reader_offset(r) };
	int rc = cdc_source_peek(s, r, s->record_max + 1, &m.value, err);

	if (rc < 0)
		return rc;
	if (m.value.n > s->record_max)
		return cdc_fail(err, CDC_EDATA, "a message of more than %zu bytes", s->record_max);
	rc = cdc_source_message(s, &m, err);
	cdc_reader_skip(r, m.value.n);
	return rc;
}

/* A length of a message, and for short dumps no more than there is. */
static bool kcat_maybe(struct cdc_str head, bool eof)
{
	uint32_t n;

	if (head.n < 4)
		return !eof;
	n = cdc_be32(head.p);
	return n == UINT32_MAX || (n <= INT32_MAX && (!eof || n <= head.n - 4));
}

/* Only an input that has been seen to its end can be one message. */
static bool single_maybe(struct cdc_str head, bool eof)
{
	return head.n && eof;
}

const struct cdc_framing cdc_framing_kcat = {
	.name = "kcat",
	.run = kcat_run,
	.maybe = kcat_maybe,
};
const struct cdc_framing cdc_framing_lines = {
	.name = "lines",
	.run = lines_run,
};
const struct cdc_framing cdc_framing_single = {
	.name = "single",
	.run = single_run,
	.maybe = single_maybe,
};
