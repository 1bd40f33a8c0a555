/* A run: inputs through their framing and format to the sink. */
#include "source/source_int.h"

#include "base/json.h"
#include "base/value.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#define FORMAT_POINTER(id, text) &cdc_format_##id,
#define FRAMING_POINTER(id, text) &cdc_framing_##id,
#define NAME(id, text) text,

static const struct cdc_format *const formats[] = { CDC_SOURCE_FORMATS(FORMAT_POINTER) };
const struct cdc_framing *const cdc_framings[] = { CDC_SOURCE_FRAMINGS(FRAMING_POINTER) NULL };

const struct cdc_format *cdc_format_at(const struct cdc_source_options *opt, size_t i)
{
	const size_t own = sizeof(formats) / sizeof(formats[0]);

	if (i < own)
		return formats[i];
	return opt->more && i < CDC_SOURCE_FORMATS_MAX ? opt->more[i - own] : NULL;
}

const struct cdc_format *cdc_format_find(const struct cdc_source_options *opt, const char *name)
{
	const struct cdc_format *f;

	for (size_t i = 0; (f = cdc_format_at(opt, i)) != NULL; i++) {
		if (strcmp(f->name, name) == 0)
			return f;
	}
	return NULL;
}

const struct cdc_framing *cdc_framing_find(const char *name)
{
	for (size_t i = 0; cdc_framings[i]; i++) {
		if (strcmp(cdc_framings[i]->name, name) == 0)
			return cdc_framings[i];
	}
	return NULL;
}

const char *const *cdc_source_formats(void)
{
	static const char *const names[] = { "auto", CDC_SOURCE_FORMATS(NAME) NULL };

	return names;
}

const char *const *cdc_source_framings(void)
{
	static const char *const names[] = { "auto", CDC_SOURCE_FRAMINGS(NAME) NULL };

	return names;
}

static int check_options(const struct cdc_source_options *opt, struct cdc_err *err)
{
	if (opt->format && strcmp(opt->format, "auto") != 0 && !cdc_format_find(opt, opt->format))
		return cdc_fail(err, CDC_EUSAGE, "unknown format %s", opt->format);
	if (opt->framing && strcmp(opt->framing, "auto") != 0 && !cdc_framing_find(opt->framing))
		return cdc_fail(err, CDC_EUSAGE, "unknown framing %s", opt->framing);
	if (!opt->kcat_format && opt->framing && strcmp(opt->framing, "kcat-format") == 0)
		return cdc_fail(err, CDC_EUSAGE, "--framing kcat-format needs --kcat-format");
	if (!opt->kcat_format)
		return CDC_OK;
	if (opt->framing && strcmp(opt->framing, "auto") != 0 &&
	    strcmp(opt->framing, "kcat-format") != 0)
		return cdc_fail(err, CDC_EUSAGE, "--kcat-format is not for framing %s",
				opt->framing);
	return cdc_kcat_format_check(opt->kcat_format, err);
}

int cdc_source_new(struct cdc_source **out, const struct cdc_source_options *opt,
		   const struct cdc_sink *sink, struct cdc_err *err)
{
	struct cdc_source *s;
	int rc = check_options(opt, err);

	if (rc < 0)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return cdc_fail_nomem(err);
	s->opt = *opt;
	if (opt->kcat_format)
		s->opt.framing = "kcat-format";
	s->sink = *sink;
	s->record_max = opt->record_max ? opt->record_max : CDC_RECORD_MAX;
	*out = s;
	return CDC_OK;
}

int cdc_source_use(struct cdc_source *s, const struct cdc_format *f, void **ctx,
		   struct cdc_err *err)
{
	size_t i = 0;
	int rc = CDC_OK;

	while (cdc_format_at(&s->opt, i) != f)
		i++;
	if (!s->ctx[i])
		rc = f->open(s, &s->ctx[i], err);
	*ctx = s->ctx[i];
	return rc;
}

int cdc_source_flush(struct cdc_source *s, struct cdc_err *err)
{
	int rc;

	if (s->out.buf.len == 0)
		return CDC_OK;
	rc = s->sink.put(s->sink.ctx, cdc_buf_str(&s->out.buf), err);
	cdc_buf_reset(&s->out.buf);
	s->flushes++;
	if (rc < 0) {
		s->fatal = rc;
		s->put_failed = true;
	}
	return rc;
}

int cdc_source_peek(struct cdc_source *s, struct cdc_reader *r, size_t n, struct cdc_str *out,
		    struct cdc_err *err)
{
	int rc = CDC_OK;

	if (r->end - r->pos < n && !r->eof)
		rc = cdc_source_flush(s, err);
	return rc < 0 ? rc : cdc_reader_peek(r, n, out, err);
}

static int reject(struct cdc_source *s, struct cdc_reject *r, struct cdc_err *err)
{
	struct cdc_err reason = *err;
	int rc;

	if (s->sample) {
		*err = (struct cdc_err)CDC_ERR_INIT;
		return CDC_OK;
	}
	s->counts.rejected++;
	cdc_err_file(err, s->file);
	if (r->line)
		cdc_err_line(err, r->line);
	cdc_err_offset(err, r->offset);
	r->file = s->file;
	r->reason = reason.msg;
	rc = s->sink.on_reject(s->sink.ctx, r, err);
	if (rc < 0)
		s->fatal = rc;
	else
		*err = (struct cdc_err)CDC_ERR_INIT;
	return rc;
}

int cdc_source_reject(struct cdc_source *s, uint64_t offset, uint64_t line, struct cdc_str raw,
		      struct cdc_err *err)
{
	struct cdc_reject r = { .offset = offset, .line = line, .raw = raw };

	return reject(s, &r, err);
}

static int reject_message(struct cdc_source *s, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_reject r = {
		.offset = m->offset,
		.line = m->line,
		.raw = m->value,
		.has_key = m->has_key,
		.key = m->key,
	};

	return reject(s, &r, err);
}

void cdc_source_place(const struct cdc_source *s, struct cdc_message *m)
{
	if (!s->place.known || m->has_kafka)
		return;
	m->has_kafka = true;
	m->topic = s->place.topic;
	m->partition = s->place.partition;
	m->kafka_offset = s->place.offset + (int64_t)m->index;
}

/* What has been consumed, for the CHECKPOINT: also of messages that gave no record. */
int cdc_source_note(struct cdc_source *s, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_position pos = { m->topic, m->partition, m->kafka_offset };
	int rc;

	/* No topic has a name that is not text, and a record could not tell it. */
	if (!m->has_kafka || !cdc_utf8_valid(m->topic.p, m->topic.n))
		return CDC_OK;
	if (cdc_json_escaped_len(m->topic) != m->topic.n) {
		cdc_buf_reset(&s->topic);
		rc = cdc_json_put_escaped(&s->topic, m->topic, err);
		if (rc < 0)
			return rc;
		pos.topic = cdc_buf_str(&s->topic);
	}
	return cdc_positions_note(&s->positions, &pos, err);
}

static int announce(struct cdc_source *s, const struct cdc_message *m, struct cdc_err *err)
{
	int rc = cdc_source_flush(s, err);

	if (rc == CDC_OK) {
		rc = s->sink.on_message(s->sink.ctx, m, err);
		s->fatal = rc < 0 ? rc : CDC_OK;
	}
	return rc;
}

int cdc_source_message(struct cdc_source *s, const struct cdc_message *given, struct cdc_err *err)
{
	const struct cdc_message *m = given;
	struct cdc_message placed;
	struct cdc_source_counts before;
	size_t mark;
	uint64_t flushes;
	struct cdc_err unused;
	int rc;

	if (s->sample)
		return cdc_sample_add(s->sample, m, err);
	if (s->place.known) {
		placed = *given;
		cdc_source_place(s, &placed);
		m = &placed;
	}
	if (s->sink.on_message) {
		rc = announce(s, m, err);
		if (rc < 0)
			return rc;
	}
	s->counts.messages++;
	s->counts.bytes += m->value.n;
	before = s->counts;
	mark = s->out.buf.len;
	flushes = s->flushes;
	rc = s->format->message(s->format_ctx, m, err);
	if (rc == CDC_EDATA && s->fatal == CDC_OK) {
		(void)cdc_out_take(&s->out, &unused);
		/* What has been handed on already stays. */
		if (s->flushes == flushes) {
			s->out.buf.len = mark;
			s->counts = before;
		} else {
			s->out.buf.len = 0;
		}
		if (s->format->rejected)
			s->format->rejected(s->format_ctx);
		rc = reject_message(s, m, err);
	}
	if (rc == CDC_OK)
		rc = cdc_source_note(s, m, err);
	if (rc == CDC_OK && cdc_source_full(s))
		rc = cdc_source_flush(s, err);
	return rc;
}

bool cdc_source_blank(struct cdc_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' && s.p[i] != '\n')
			return false;
	}
	return true;
}

/* Whatever the pattern's own wildcards are, its part before the first dot is about the database. */
static bool keeps_database(const char *pattern, const char *db)
{
	size_t n = strcspn(pattern, ".");
	char part[256];

	if (n >= sizeof(part))
		return true;
	memcpy(part, pattern, n);
	part[n] = '\0';
	return fnmatch(part, db, 0) == 0;
}

bool cdc_source_keeps(const struct cdc_source *s, const char *db_table, bool db_only)
{
	const char *const *t = s->opt.tables;

	if (!t || !t[0])
		return true;
	for (; *t; t++) {
		if (fnmatch(*t, db_table, 0) == 0 ||
		    (db_only && (!*db_table || keeps_database(*t, db_table))))
			return true;
	}
	return false;
}

/* What is the same for all positions in a file. */
static void render_file(struct cdc_source *s)
{
	struct cdc_out o = { .buf = s->file_json };

	cdc_out_lit(&o, ",\"position\":{");
	if (s->opt.topic) {
		cdc_out_lit(&o, "\"topic\":");
		cdc_out_quoted(&o, cdc_str_z(s->opt.topic));
		cdc_out_lit(&o, ",\"partition\":");
		cdc_out_int(&o, s->opt.partition);
		cdc_out_char(&o, ',');
	}
	cdc_out_lit(&o, "\"file\":");
	cdc_out_quoted(&o, cdc_str_z(s->file));
	/* With a topic "offset" would be taken for Kafka's, which nobody told us. */
	cdc_out_raw(&o, s->opt.topic ? CDC_STR(",\"byte\":") : CDC_STR(",\"offset\":"));
	s->file_json = o.buf;
	if (o.rc < 0 && s->out.rc == CDC_OK) {
		s->out.rc = o.rc;
		s->out.err = o.err;
		cdc_buf_reset(&s->file_json);
	}
}

void cdc_source_put_position(struct cdc_source *s, const struct cdc_message *m)
{
	struct cdc_out *o = &s->out;

	if (!m->has_kafka) {
		if (s->file_json.len == 0)
			render_file(s);
		cdc_out_raw(o, cdc_buf_str(&s->file_json));
		cdc_out_uint(o, m->offset);
	} else {
		cdc_out_lit(o, ",\"position\":{\"topic\":");
		cdc_out_quoted(o, m->topic);
		cdc_out_lit(o, ",\"partition\":");
		cdc_out_int(o, m->partition);
		cdc_out_lit(o, ",\"offset\":");
		cdc_out_int(o, m->kafka_offset);
	}
	cdc_out_char(o, '}');
}

/* The name as messages and positions give it: UTF-8, cut if it is longer than reader names are. */
static void set_file(struct cdc_source *s, const struct cdc_reader *r)
{
	(void)snprintf(s->file, sizeof(s->file), "%s", r->name);
	for (char *p = s->file; *p; p++) {
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			*p = (unsigned char)*p >= 0x80 ? *p : '?';
	}
	cdc_buf_reset(&s->file_json);
	s->place = cdc_place_of(s->file);
	if (s->opt.topic)
		s->place.known = false;
}

int cdc_source_run(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err)
{
	const struct cdc_framing *framing;
	size_t max = s->record_max < SIZE_MAX - 64 ? s->record_max + 64 : s->record_max;
	int rc;

	if (r->max < max)
		r->max = max;
	set_file(s, r);
	rc = cdc_source_detect(s, r, &s->format, &framing, err);
	if (rc < 0 || !s->format)
		goto out;
	rc = cdc_source_use(s, s->format, &s->format_ctx, err);
	if (rc < 0)
		goto out;
	if (s->sink.on_format)
		s->sink.on_format(s->sink.ctx, s->file, s->format->name,
				  framing ? framing->name : NULL);
	if (framing)
		rc = framing->run(s, r, err);
	else
		rc = s->format->stream(s->format_ctx, r, err);
	if (s->format->flush && !s->put_failed) {
		struct cdc_err second = CDC_ERR_INIT;
		int flushed = s->format->flush(s->format_ctx, rc < 0 ? &second : err);

		rc = rc < 0 ? rc : flushed;
	}
out:
	if (rc == CDC_OK)
		rc = cdc_source_flush(s, err);
	else if (!s->put_failed && rc != CDC_ENOMEM) {
		/* What was decoded before the failure is good. */
		struct cdc_err second = CDC_ERR_INIT;

		(void)!cdc_source_flush(s, &second);
	}
	if (rc < 0)
		cdc_err_file(err, s->file);
	return rc;
}

int cdc_source_finish(struct cdc_source *s, struct cdc_err *err)
{
	int rc = cdc_positions_print(&s->positions, s->counts.cut_off == 0, &s->out.buf, err);

	if (rc < 0)
		return rc;
	s->counts.control++;
	return cdc_source_flush(s, err);
}

const struct cdc_source_counts *cdc_source_counts(const struct cdc_source *s)
{
	return &s->counts;
}

void cdc_source_free(struct cdc_source *s)
{
	if (!s)
		return;
	for (size_t i = 0; cdc_format_at(&s->opt, i); i++) {
		if (s->ctx[i])
			cdc_format_at(&s->opt, i)->close(s->ctx[i]);
	}
	cdc_segments_free(s->segments);
	cdc_positions_free(&s->positions);
	cdc_buf_free(&s->out.buf);
	cdc_buf_free(&s->topic);
	cdc_buf_free(&s->file_json);
	free(s);
}
