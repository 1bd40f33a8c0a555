/* Framing json: a stream of JSON documents, which may span lines. Each is one message. */
#include "source/source_int.h"

#include "base/json.h"

/* White space and line ends in front of a document. */
static int skip_space(struct cdc_source *s, struct cdc_reader *r, uint64_t *line,
		      struct cdc_err *err)
{
	for (;;) {
		struct cdc_str head;
		size_t n = 0;
		int rc = cdc_source_peek(s, r, 1, &head, err);

		if (rc < 0 || head.n == 0)
			return rc < 0 ? rc : CDC_END;
		for (; n < head.n && strchr(" \t\r\n", head.p[n]) && head.p[n]; n++)
			*line += head.p[n] == '\n';
		cdc_reader_skip(r, n);
		if (n < head.n)
			return CDC_OK;
	}
}

/*
 * The document at the reader. What cannot be read as one may be cut off by the end of what has been
 * read: more is asked for until the input, or the limit of a message, ends.
 */
static int next_document(struct cdc_source *s, struct cdc_reader *r, struct cdc_tape *tape,
			 struct cdc_str *doc, struct cdc_err *err)
{
	size_t want = CDC_STREAM_CHUNK;
	struct cdc_str head;

	for (;; want *= 2) {
		size_t used;
		int rc;

		want = want < s->record_max ? want : s->record_max;
		rc = cdc_source_peek(s, r, want, &head, err);
		if (rc < 0)
			return rc;
		rc = cdc_json_scan(tape, head, &used, err);
		/* A number at the very end may go on. */
		if (rc == CDC_OK && (used < head.n || head.n < want || head.p[used - 1] == '}')) {
			*doc = cdc_str(head.p, used);
			return CDC_OK;
		}
		if (head.n < want || want == s->record_max) {
			*doc = head;
			return rc < 0 ? rc : CDC_OK;
		}
		*err = (struct cdc_err)CDC_ERR_INIT;
	}
}

/* The error knows its place in the document: in the input it is further on. Its line is that of the
 * document, as in the reject. */
static void place_error(const struct cdc_message *m, struct cdc_err *err)
{
	if (err->has_offset)
		err->offset += m->offset;
	cdc_err_line(err, m->line);
}

static int json_run(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err)
{
	struct cdc_message m = { .file = s->file };
	struct cdc_tape tape = CDC_TAPE_INIT;
	uint64_t line = 1;
	int rc;

	for (;; m.index++) {
		rc = skip_space(s, r, &line, err);
		if (rc != CDC_OK)
			break;
		m.offset = cdc_reader_offset(r);
		m.line = line;
		rc = next_document(s, r, &tape, &m.value, err);
		if (rc == CDC_EDATA && !r->broken) {
			struct cdc_err why;

			place_error(&m, err);
			why = *err;
			/* Where the next document begins is not known. */
			rc = cdc_source_reject(s, m.offset, m.line, m.value, err);
			if (rc == CDC_OK) {
				*err = why;
				rc = CDC_EDATA;
			}
		} else if (rc == CDC_OK) {
			rc = cdc_source_message(s, &m, err);
		}
		if (rc < 0)
			break;
		for (size_t i = 0; i < m.value.n; i++)
			line += m.value.p[i] == '\n';
		cdc_reader_skip(r, m.value.n);
	}
	cdc_tape_free(&tape);
	return rc == CDC_END ? CDC_OK : rc;
}

static bool json_maybe(struct cdc_str head, bool eof)
{
	size_t i = 0;

	(void)eof;
	while (i < head.n && strchr(" \t\r\n", head.p[i]) && head.p[i])
		i++;
	return i < head.n && head.p[i] == '{';
}

const struct cdc_framing cdc_framing_json = {
	.name = "json",
	.run = json_run,
	.maybe = json_maybe,
};
