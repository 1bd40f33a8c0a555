/*
 * Format dts: events of an Alibaba Cloud DTS subscription, one Avro datum a message (spec section
 * 1), to change records.
 */
#include "base/value.h"
#include "source/dts/dts_table.h"
#include "source/mysql/truncate.h"

#include <stdlib.h>

/* Some servers send exactly 48 bytes that mean nothing, to move the offset on (spec 1.1). */
#define NOOP_BYTES 48
#define NOOP_BYTES_SHORT 2

#define SECONDS_MIN (-62167219200) /* years 0000 to 9999 */
#define SECONDS_MAX 253402300799

struct dts {
	struct cdc_source *s;
	struct dts_layout *builtin;
	struct dts_layout *written; /* of the current container */
	uint64_t layouts;
	struct dts_event e;
	struct dts_tables tables;
	struct dts_table *announced; /* its SCHEMA record is part of the current message */
	struct cdc_charsets charsets;
	struct cdc_buf name; /* of an event without columns */
	struct cdc_buf truncated; /* of the table that a statement truncates */
	/* Printed again and again: `"source":{…},` and the second. */
	struct cdc_out source;
	char source_type[32];
	struct cdc_buf source_version;
	struct cdc_out tags; /* ,"extraTags":{… of the event's own tags, as printed last */
	uint64_t tags_no;
	uint32_t tags_n;
	bool tags_first; /* there are none of them */
	bool tags_have[3]; /* names that put_tags would add */
	int64_t second;
	char second_text[CDC_VALUE_TEXT_MAX];
	size_t second_len;
};

/* NULL: such events are not printed. */
static const char *const type_names[DTS_OPERATIONS] = {
	[DTS_INSERT] = "INSERT", [DTS_UPDATE] = "UPDATE",
	[DTS_DELETE] = "DELETE", [DTS_INIT] = "INIT",
	[DTS_DDL] = "DDL",	 [DTS_BEGIN] = "BEGIN",
	[DTS_COMMIT] = "COMMIT", [DTS_HEARTBEAT] = "CHECKPOINT",
};

static void dts_close(void *ctx)
{
	struct dts *d = ctx;

	dts_layout_free(d->builtin);
	dts_layout_free(d->written);
	dts_event_free(&d->e);
	dts_tables_free(&d->tables);
	cdc_charsets_free(&d->charsets);
	cdc_buf_free(&d->name);
	cdc_buf_free(&d->truncated);
	cdc_buf_free(&d->source.buf);
	cdc_buf_free(&d->source_version);
	cdc_buf_free(&d->tags.buf);
	free(d);
}

static int dts_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct dts *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return cdc_fail_nomem(err);
	d->s = s;
	d->second = INT64_MIN;
	rc = dts_tables_init(&d->tables, s, err);
	if (rc == CDC_OK)
		rc = dts_layout_builtin(&d->builtin, err);
	if (rc == CDC_OK)
		d->builtin->id = ++d->layouts;
	if (rc < 0)
		dts_close(d);
	else
		*ctx = d;
	return rc;
}

static int dts_schema(void *ctx, struct cdc_str json, struct cdc_err *err)
{
	struct dts *d = ctx;
	struct dts_layout *l = NULL;
	int rc = dts_layout_new(&l, json, err);

	if (rc < 0)
		return rc;
	dts_layout_free(d->written);
	d->written = l;
	l->id = ++d->layouts;
	return CDC_OK;
}

/* --- parts of a record -------------------------------------------------- */

static bool same_source(const struct dts *d, const struct dts_event *e)
{
	return d->source.buf.len && strcmp(d->source_type, e->source_type) == 0 &&
	       cdc_str_eq(cdc_buf_str(&d->source_version), e->source_version);
}

static int render_source(struct dts *d, const struct dts_event *e, struct cdc_err *err)
{
	size_t n = strlen(e->source_type);

	d->source.buf.len = 0;
	/* A name that is too long to remember is rendered every time. */
	d->source_type[0] = '\0';
	if (n < sizeof(d->source_type))
		memcpy(d->source_type, e->source_type, n + 1);
	cdc_buf_reset(&d->source_version);
	cdc_out_lit(&d->source, ",\"source\":{\"sourceType\":");
	cdc_out_quoted(&d->source, cdc_str_z(e->source_type));
	cdc_out_lit(&d->source, ",\"version\":");
	cdc_out_quoted(&d->source, e->source_version);
	cdc_out_char(&d->source, '}');
	if (cdc_out_take(&d->source, err) < 0) {
		d->source.buf.len = 0;
		return cdc_err_prefix(err, "source");
	}
	return cdc_buf_put(&d->source_version, e->source_version, err);
}

static void put_source(struct dts *d, const struct dts_event *e)
{
	struct cdc_out *o = &d->s->out;

	if (!same_source(d, e) && o->rc == CDC_OK)
		o->rc = render_source(d, e, &o->err);
	cdc_out_raw(o, cdc_buf_str(&d->source.buf));
}

/* ,"recordTimestamp":"…" */
static void put_timestamp(struct dts *d, int64_t second)
{
	struct cdc_out *o = &d->s->out;

	if (second < SECONDS_MIN || second > SECONDS_MAX) {
		cdc_out_fail(o, "sourceTimestamp is out of range");
		return;
	}
	if (second != d->second) {
		d->second_len =
			cdc_timestamp_format_fixed(second * 1000000, 'T', true, 0, d->second_text);
		d->second = second;
	}
	cdc_out_lit(o, ",\"recordTimestamp\":\"");
	cdc_out_raw(o, cdc_str(d->second_text, d->second_len));
	cdc_out_char(o, '"');
}

static void put_tag(struct cdc_out *o, bool *first, struct cdc_str key, struct cdc_str value)
{
	if (!*first)
		cdc_out_char(o, ',');
	*first = false;
	cdc_out_quoted(o, key);
	cdc_out_char(o, ':');
	cdc_out_quoted(o, value);
}

static bool has_tag(const struct dts_event *e, struct cdc_str key)
{
	for (uint32_t i = 0; i < e->n_tags; i++) {
		if (cdc_str_eq(e->tag[i].key, key))
			return true;
	}
	return false;
}

enum { SOURCE_POSITION, SAFE_POSITION, SOURCE_TXID, PLACES };

static const struct cdc_str place_names[PLACES] = { { "sourcePosition", 14 },
						    { "safeSourcePosition", 18 },
						    { "sourceTxid", 10 } };
static const struct cdc_str place_members[PLACES] = { { ",\"sourcePosition\":", 18 },
						      { ",\"safeSourcePosition\":", 22 },
						      { ",\"sourceTxid\":", 14 } };

/* Print the event's own tags, unless they are those that were printed last. */
static void render_tags(struct dts *d, const struct dts_event *e)
{
	struct cdc_out *o = &d->tags;
	bool first = true;

	if (d->tags_no == e->tags_no && d->tags_n == e->n_tags && o->buf.len)
		return;
	d->tags_no = e->tags_no;
	d->tags_n = e->n_tags;
	cdc_buf_reset(&o->buf);
	cdc_out_lit(o, ",\"extraTags\":{");
	for (uint32_t i = 0; i < e->n_tags; i++)
		put_tag(o, &first, e->tag[i].key, e->tag[i].value);
	d->tags_first = first;
	for (size_t i = 0; i < PLACES; i++)
		d->tags_have[i] = has_tag(e, place_names[i]);
	if (o->rc < 0) {
		struct cdc_out *out = &d->s->out;

		if (out->rc == CDC_OK) {
			out->rc = o->rc;
			out->err = o->err;
		}
		o->rc = CDC_OK;
		cdc_buf_reset(&o->buf);
	}
}

/* The tags and what else the event says of its place; a tag of the same name comes first. */
static void put_tags(struct dts *d, const struct dts_event *e)
{
	const struct cdc_str place[PLACES] = {
		e->position,
		cdc_str_eq(e->safe_position, e->position) ? CDC_STR("") : e->safe_position,
		cdc_str_eq(e->txid, CDC_STR("0")) ? CDC_STR("") : e->txid,
	};
	struct cdc_out *o = &d->s->out;
	bool first;

	render_tags(d, e);
	cdc_out_raw(o, cdc_buf_str(&d->tags.buf));
	first = d->tags_first;
	for (size_t i = 0; i < PLACES; i++) {
		if (place[i].n == 0 || d->tags_have[i])
			continue;
		cdc_out_raw(o, cdc_str(place_members[i].p + first, place_members[i].n - first));
		cdc_out_quoted(o, place[i]);
		first = false;
	}
	if (e->operation == DTS_HEARTBEAT && !has_tag(e, CDC_STR("operation")))
		put_tag(o, &first, CDC_STR("operation"), CDC_STR("HEARTBEAT"));
	cdc_out_char(o, '}');
}

static void put_head(struct dts *d, const struct dts_event *e, const char *type,
		     struct cdc_str db_table_json)
{
	struct cdc_out *o = &d->s->out;

	if (e->id < 0)
		cdc_out_fail(o, "id is negative");
	cdc_out_lit(o, "{\"recordID\":");
	cdc_out_int(o, e->id);
	put_source(d, e);
	if (db_table_json.n) {
		cdc_out_lit(o, ",\"dbTable\":");
		cdc_out_raw(o, db_table_json);
	}
	cdc_out_lit(o, ",\"recordType\":\"");
	cdc_out_raw(o, cdc_str_z(type));
	cdc_out_char(o, '"');
	put_timestamp(d, e->timestamp_s);
	put_tags(d, e);
}

/* --- rows --------------------------------------------------------------- */

/* ,"name": of n bytes; as many as one load takes can be read in any case. */
static inline void put_name(struct cdc_out *o, const char *name, size_t n)
{
	char *p = cdc_out_room(o, n < DTS_NAME_LOAD ? DTS_NAME_LOAD : n);

	if (!p)
		return;
	if (n <= DTS_NAME_LOAD)
		memcpy(p, name, DTS_NAME_LOAD);
	else
		memcpy(p, name, n);
	o->buf.len += n;
}

static void put_image(struct dts *d, const struct dts_table *t, const struct dts_image *img)
{
	struct cdc_out *o = &d->s->out;
	size_t start = o->buf.len;

	for (uint32_t i = 0; i < img->n; i++) {
		const struct dts_table_column *c = &t->col[i];

		if (img->value[i].kind == DTS_ABSENT)
			continue;
		put_name(o, t->names.buf.p + c->off, c->len);
		dts_value_print(o, &d->charsets, &img->value[i], (enum dts_text_as)c->as);
		if (o->rc < 0) {
			cdc_err_prefix(&o->err, "column %.*s",
				       (int)(c->name.n < 100 ? c->name.n : 100), c->name.p);
			return;
		}
	}
	/* Where there are members, the first one's comma becomes the brace. */
	if (o->buf.len == start)
		cdc_out_char(o, '{');
	else
		o->buf.p[start] = '{';
	cdc_out_char(o, '}');
}

/* An image that the operation must, may or must not have (spec section 1.3). */
static int check_image(const struct dts_image *img, bool required, uint32_t n_cols,
		       const char *name, struct cdc_err *err)
{
	if (img->shape == DTS_NONE)
		return required ? cdc_fail(err, CDC_EDATA, "%s is missing", name) : CDC_OK;
	if (img->shape == DTS_STRING)
		return cdc_fail(err, CDC_EDATA, "%s is a string, not a row", name);
	if (img->n != n_cols)
		return cdc_fail(err, CDC_EDATA, "%s has %u values for %u fields", name, img->n,
				n_cols);
	return CDC_OK;
}

static int put_row(struct dts *d, const struct dts_layout *l, const struct cdc_message *m,
		   struct cdc_err *err)
{
	static const struct dts_image no_image = { .shape = DTS_NONE };
	struct dts_event *e = &d->e;
	bool has_before = e->operation == DTS_UPDATE || e->operation == DTS_DELETE;
	bool has_after = e->operation != DTS_DELETE;
	const struct dts_image *before = has_before ? &e->before : &no_image;
	const struct dts_image *after = has_after ? &e->after : &no_image;
	struct cdc_out *o = &d->s->out;
	struct dts_table *t;
	int rc;

	if (!e->has_object)
		return cdc_fail(err, CDC_EDATA, "a row without objectName");
	if (e->fields_shape != DTS_ARRAY)
		return cdc_fail(err, CDC_EDATA, "a row without fields");
	rc = dts_tables_find(&d->tables, l, e, &t, err);
	if (rc == CDC_OK)
		rc = check_image(before, e->operation == DTS_DELETE, t->n_cols, "beforeImages",
				 err);
	if (rc == CDC_OK)
		rc = check_image(after, has_after, t->n_cols, "afterImages", err);
	if (rc < 0)
		return rc;
	if (!t->keep) {
		d->s->counts.skipped++;
		return CDC_OK;
	}
	if ((int)dts_table_learn(t, before) | (int)dts_table_learn(t, after))
		t->printed = false;
	if (!t->printed) {
		size_t len = o->buf.len;

		rc = dts_table_schema(&d->tables, t, o, err);
		if (rc < 0)
			return rc;
		if (o->buf.len > len) {
			d->announced = t;
			d->s->counts.control++;
		}
	}
	put_head(d, e, type_names[e->operation], cdc_buf_str(&t->db_table.buf));
	if (o->rc < 0)
		return cdc_out_take(o, err);
	cdc_out_lit(o, ",\"fields\":");
	cdc_out_raw(o, cdc_buf_str(&t->fields.buf));
	cdc_out_lit(o, ",\"beforeImages\":");
	put_image(d, t, before);
	cdc_out_lit(o, ",\"afterImages\":");
	put_image(d, t, after);
	cdc_source_put_position(d->s, m);
	cdc_out_lit(o, "}\n");
	d->s->counts.records++;
	return cdc_out_take(o, err);
}

/* --- control ------------------------------------------------------------ */

/* One control record; `member` is what is special about its type, as JSON text. */
static int put_control(struct dts *d, const struct cdc_message *m, const char *type,
		       const struct cdc_buf *table, const char *member, struct cdc_str text,
		       struct cdc_err *err)
{
	struct cdc_out name = { .buf = CDC_BUF_INIT };
	struct cdc_out *o = &d->s->out;
	int rc;

	if (table)
		cdc_out_quoted(&name, cdc_buf_str(table));
	put_head(d, &d->e, type, cdc_buf_str(&name.buf));
	rc = cdc_out_take(&name, err);
	cdc_buf_free(&name.buf);
	if (rc < 0) {
		struct cdc_err second;

		(void)cdc_out_take(o, &second);
		return cdc_err_prefix(err, "objectName");
	}
	cdc_out_raw(o, cdc_str_z(member));
	if (text.p)
		cdc_out_quoted(o, text);
	cdc_source_put_position(d->s, m);
	cdc_out_lit(o, "}\n");
	d->s->counts.control++;
	return cdc_out_take(o, err);
}

/* A statement, and what it does to a table if it is a TRUNCATE. */
static int put_ddl(struct dts *d, const struct cdc_message *m, struct cdc_err *err)
{
	struct dts_event *e = &d->e;
	bool has_table = memchr(d->name.p, '.', d->name.len) != NULL;
	bool is_truncate = false;
	int rc = CDC_OK;

	if (e->after.shape != DTS_STRING)
		return cdc_fail(err, CDC_EDATA, "a DDL event without its statement");
	if (e->has_object && !cdc_source_keeps(d->s, d->name.p, !has_table)) {
		d->s->counts.skipped++;
		return CDC_OK;
	}
	rc = put_control(d, m, "DDL", e->has_object ? &d->name : NULL, ",\"ddl\":", e->after.text,
			 err);
	if (rc == CDC_OK && dts_type_find(e->source_type, 0))
		rc = cdc_truncated_table(e->after.text,
					 has_table ? CDC_STR("") : cdc_buf_str(&d->name),
					 &d->truncated, &is_truncate, err);
	if (rc == CDC_OK && is_truncate && cdc_source_keeps(d->s, d->truncated.p, false))
		rc = put_control(d, m, "TRUNCATE", &d->truncated, "", (struct cdc_str)CDC_STR_INIT,
				 err);
	return rc;
}

static int put_other(struct dts *d, const struct cdc_message *m, struct cdc_err *err)
{
	struct dts_event *e = &d->e;
	int rc = dts_object_name(e->object, &d->name, err);

	if (rc < 0)
		return rc;
	if (e->operation == DTS_DDL)
		return put_ddl(d, m, err);
	return put_control(d, m, type_names[e->operation], e->has_object ? &d->name : NULL,
			   e->operation == DTS_HEARTBEAT ? ",\"positions\":[]" : "",
			   (struct cdc_str)CDC_STR_INIT, err);
}

static int put_event(struct dts *d, const struct dts_layout *l, const struct cdc_message *m,
		     struct cdc_err *err)
{
	switch (d->e.operation) {
	case DTS_INSERT:
	case DTS_UPDATE:
	case DTS_DELETE:
	case DTS_INIT:
		return put_row(d, l, m, err);
	case DTS_DDL:
		return put_other(d, m, err);
	case DTS_BEGIN:
	case DTS_COMMIT:
	case DTS_HEARTBEAT:
		if (d->s->opt.control)
			return put_other(d, m, err);
		break;
	case DTS_OPERATION_UNKNOWN:
		return cdc_fail(err, CDC_EDATA, "an operation that is not known");
	default:
		break;
	}
	d->s->counts.skipped++;
	return CDC_OK;
}

/* --- the format's functions --------------------------------------------- */

static struct cdc_str known_fields(const struct dts *d, const struct dts_layout *l)
{
	const struct dts_table *t = d->tables.last;

	return t && t->has_fields && t->layout_id == l->id ? cdc_buf_str(&t->raw_fields)
							   : CDC_STR("");
}

static int read_event(struct dts *d, const struct dts_layout *l, struct cdc_avro_cur *cur,
		      const struct cdc_message *m, struct cdc_err *err)
{
	bool nomem;

	d->announced = NULL;
	if (dts_event_read(l, cur, &d->e, known_fields(d, l), &nomem))
		return CDC_OK;
	if (nomem)
		return cdc_fail_nomem(err);
	return cdc_fail(err, CDC_EDATA, "not a DTS event: %s, at byte %zu of %zu", cur->why,
			(size_t)((const char *)cur->p - m->value.p), m->value.n);
}

static struct cdc_avro_cur cursor(struct cdc_str s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	return (struct cdc_avro_cur){ p, p + s.n, NULL };
}

static int dts_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct dts *d = ctx;
	struct cdc_avro_cur cur = cursor(m->value);
	int rc;

	if (m->is_null || m->value.n <= NOOP_BYTES_SHORT) {
		d->s->counts.skipped++;
		return CDC_OK;
	}
	rc = read_event(d, d->builtin, &cur, m, err);
	if (rc == CDC_OK && cur.p != cur.end)
		rc = cdc_fail(err, CDC_EDATA, "not a DTS event: %zu bytes are left after it",
			      (size_t)(cur.end - cur.p));
	if (rc == CDC_EDATA && m->value.n == NOOP_BYTES) {
		d->s->counts.skipped++;
		return CDC_OK;
	}
	return rc < 0 ? rc : put_event(d, d->builtin, m, err);
}

static int dts_datum(void *ctx, const struct cdc_message *m, size_t *used, struct cdc_err *err)
{
	struct dts *d = ctx;
	struct cdc_avro_cur cur = cursor(m->value);
	struct cdc_message own = *m;
	int rc;

	*used = 0;
	rc = read_event(d, d->written, &cur, m, err);
	if (rc < 0)
		return rc;
	*used = (size_t)((const char *)cur.p - m->value.p);
	own.value.n = *used;
	return put_event(d, d->written, &own, err);
}

static void dts_rejected(void *ctx)
{
	struct dts *d = ctx;

	if (d->announced) {
		d->announced->printed = false;
		d->announced->schema.buf.len = 0;
		d->announced = NULL;
	}
}

static enum cdc_fit dts_probe(void *ctx, const struct cdc_message *m)
{
	struct dts *d = ctx;
	struct cdc_avro_cur cur = cursor(m->value);
	bool nomem;

	return dts_event_read(d->builtin, &cur, &d->e, CDC_STR(""), &nomem) && cur.p == cur.end &&
			       d->e.id >= 0 && d->e.timestamp_s >= SECONDS_MIN &&
			       d->e.timestamp_s <= SECONDS_MAX
		       ? CDC_FIT_YES
		       : CDC_FIT_NO;
}

static enum cdc_fit dts_probe_schema(void *ctx, struct cdc_str json)
{
	struct cdc_err ignored = CDC_ERR_INIT;
	struct dts_layout *l = NULL;
	enum cdc_fit fit;

	(void)ctx;
	fit = dts_layout_new(&l, json, &ignored) == CDC_OK ? CDC_FIT_YES : CDC_FIT_NO;
	dts_layout_free(l);
	return fit;
}

const struct cdc_format cdc_format_dts = {
	.name = "dts",
	.open = dts_open,
	.close = dts_close,
	.message = dts_message,
	.rejected = dts_rejected,
	.schema = dts_schema,
	.datum = dts_datum,
	.probe = dts_probe,
	.probe_schema = dts_probe_schema,
};
