/* A run over messages that come one by one. See source.h. */
#include "source/source_int.h"

#include <stdio.h>
#include <stdlib.h>

int cdc_source_live_check(const struct cdc_source *s, struct cdc_err *err)
{
	const struct cdc_format *f = s->opt.format ? cdc_format_find(&s->opt, s->opt.format) : NULL;

	if (s->opt.framing && strcmp(s->opt.framing, "auto") != 0)
		return cdc_fail(err, CDC_EUSAGE, "messages of a live topic have no framing");
	if (f && !f->message)
		return cdc_fail(err, CDC_EUSAGE, "format %s does not come in messages", f->name);
	return CDC_OK;
}

/* Until a message tells the format: tombstones that come first do not. */
static int unsettled_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_source *s = ctx;

	(void)m;
	(void)err;
	s->counts.skipped++;
	return CDC_OK;
}

static const struct cdc_format unsettled = { .name = "unsettled", .message = unsettled_message };

static int choose_format(struct cdc_source *s, const struct cdc_message *first, size_t n,
			 struct cdc_err *err)
{
	struct cdc_sample *sample = calloc(1, sizeof(*sample));
	struct cdc_err enough;
	int rc = CDC_OK;

	if (!sample)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		rc = cdc_sample_add(sample, &first[i], &enough);
		if (rc == CDC_ENOMEM)
			*err = enough;
		if (rc < 0)
			break;
	}
	if (rc != CDC_ENOMEM)
		rc = cdc_source_detect_messages(s, sample, &s->format, err);
	cdc_arena_free(&sample->text);
	free(sample);
	return rc;
}

/* Format and its context, as far as these messages tell it. */
static int settle(struct cdc_source *s, const struct cdc_message *m, size_t n, struct cdc_err *err)
{
	int rc = choose_format(s, m, n, err);

	if (rc < 0)
		return rc;
	if (!s->format) {
		s->format = &unsettled;
		s->format_ctx = s;
		return CDC_OK;
	}
	rc = cdc_source_use(s, s->format, &s->format_ctx, err);
	if (rc == CDC_OK && s->sink.on_format)
		s->sink.on_format(s->sink.ctx, s->file, s->format->name, NULL);
	return rc;
}

int cdc_source_live_begin(struct cdc_source *s, const char *name, const struct cdc_message *first,
			  size_t n, struct cdc_err *err)
{
	(void)snprintf(s->file, sizeof(s->file), "%s", name);
	s->place.known = false;
	cdc_buf_reset(&s->file_json);
	return settle(s, first, n, err);
}

int cdc_source_live_message(struct cdc_source *s, const struct cdc_message *m, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (s->format == &unsettled && !cdc_source_means_nothing(m))
		rc = settle(s, m, 1, err);
	return rc < 0 ? rc : cdc_source_message(s, m, err);
}

int cdc_source_live_flush(struct cdc_source *s, struct cdc_err *err)
{
	return cdc_source_flush(s, err);
}

int cdc_source_live_end(struct cdc_source *s, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (s->put_failed)
		return CDC_OK;
	if (s->format && s->format->flush)
		rc = s->format->flush(s->format_ctx, err);
	return rc < 0 ? rc : cdc_source_flush(s, err);
}

/* What is held back must come before the promise that it has been consumed. */
int cdc_source_checkpoint(struct cdc_source *s, bool force, bool *done, struct cdc_err *err)
{
	const struct cdc_format *f = s->format;
	int rc = CDC_OK;

	*done = force || !f || !f->holds || !f->holds(s->format_ctx);
	if (!*done)
		return CDC_OK;
	if (f && f->flush)
		rc = f->flush(s->format_ctx, err);
	if (rc == CDC_OK)
		rc = cdc_positions_print(&s->positions, false, &s->out.buf, err);
	if (rc < 0)
		return rc;
	s->counts.control++;
	return cdc_source_flush(s, err);
}
