/* What a run read, as JSON. See summary.h. */
#include "source/summary_int.h"

#include "base/value.h"
#include "source/out.h"

#define KEYS_MAX 10u /* are printed */

static void put_name(struct cdc_out *o, const char *name)
{
	if (o->buf.len && o->buf.p[o->buf.len - 1] != '{')
		cdc_out_char(o, ',');
	cdc_out_char(o, '"');
	cdc_out_raw(o, cdc_str_z(name));
	cdc_out_lit(o, "\":");
}

static void put_count(struct cdc_out *o, const char *name, uint64_t n)
{
	put_name(o, name);
	cdc_out_uint(o, n);
}

static void put_time(struct cdc_out *o, const char *name, const struct cdc_span *span, int64_t us)
{
	char text[CDC_VALUE_TEXT_MAX];
	int digits = us % 1000000 == 0 ? 0 : us % 1000 == 0 ? 3 : 6;

	put_name(o, name);
	if (!span->known) {
		cdc_out_lit(o, "null");
		return;
	}
	cdc_out_char(o, '"');
	cdc_out_raw(o, cdc_str(text, cdc_timestamp_format_fixed(us, 'T', true, digits, text)));
	cdc_out_char(o, '"');
}

static void put_span(struct cdc_out *o, const struct cdc_span *span)
{
	put_time(o, "firstTime", span, span->first_us);
	put_time(o, "lastTime", span, span->last_us);
}

/* {"INSERT":3,…}: the types that came. */
static void put_types(struct cdc_out *o, const uint64_t *count)
{
	put_name(o, "records");
	cdc_out_char(o, '{');
	for (int i = 0; i < CDC_RECORD_TYPES; i++) {
		if (count[i])
			put_count(o, cdc_record_type_name((enum cdc_record_type)i), count[i]);
	}
	cdc_out_char(o, '}');
}

static void put_json(struct cdc_out *o, const char *name, const struct cdc_buf *json)
{
	put_name(o, name);
	cdc_out_raw(o, json->len ? cdc_buf_str(json) : CDC_STR("null"));
}

static void put_series(struct cdc_out *o, const char *name, const struct cdc_series *q,
		       bool with_gaps, bool uncounted)
{
	put_name(o, name);
	if (!q->known) {
		cdc_out_lit(o, "null");
		return;
	}
	cdc_out_lit(o, "{\"first\":");
	cdc_out_int(o, q->first);
	cdc_out_lit(o, ",\"last\":");
	cdc_out_int(o, q->last);
	if (with_gaps) {
		put_count(o, "gaps", q->jumps);
		if (!uncounted)
			put_count(o, "missing",
				  (uint64_t)q->last - (uint64_t)q->first + 1 - q->seen.count);
		else
			cdc_out_lit(o, ",\"missing\":null");
	}
	if (!uncounted)
		put_count(o, "duplicates", q->duplicates);
	else
		cdc_out_lit(o, ",\"duplicates\":null");
	put_count(o, "inversions", q->inversions);
	cdc_out_char(o, '}');
}

static void put_formats(const struct cdc_summary *s, struct cdc_out *o)
{
	put_name(o, "formats");
	cdc_out_char(o, '[');
	for (size_t i = 0; i < s->n_format; i++) {
		const struct cdc_summary_format *f = &s->format[i];

		cdc_out_raw(o, i ? CDC_STR(",{\"format\":\"") : CDC_STR("{\"format\":\""));
		cdc_out_raw(o, cdc_str_z(f->format));
		cdc_out_lit(o, "\",\"framing\":");
		if (f->framing) {
			cdc_out_char(o, '"');
			cdc_out_raw(o, cdc_str_z(f->framing));
			cdc_out_char(o, '"');
		} else {
			cdc_out_lit(o, "null");
		}
		put_count(o, "inputs", f->inputs);
		cdc_out_char(o, '}');
	}
	cdc_out_char(o, ']');
}

static void put_tables(const struct cdc_summary *s, struct cdc_out *o)
{
	put_name(o, "tables");
	cdc_out_char(o, '[');
	for (uint32_t i = 0; i < s->n_table; i++) {
		const struct cdc_summary_table *t = &s->table[i];

		cdc_out_raw(o, i ? CDC_STR(",{\"dbTable\":\"") : CDC_STR("{\"dbTable\":\""));
		cdc_out_raw(o, cdc_str(t->name, t->name_len));
		cdc_out_char(o, '"');
		put_types(o, t->count);
		put_span(o, &t->span);
		put_json(o, "fields", &t->fields);
		put_json(o, "primaryKey", &t->key);
		cdc_out_char(o, '}');
	}
	cdc_out_char(o, ']');
}

static void put_parts(const struct cdc_summary *s, struct cdc_out *o)
{
	put_name(o, "partitions");
	cdc_out_char(o, '[');
	for (uint32_t i = 0; i < s->n_part; i++) {
		const struct cdc_summary_part *p = &s->part[i];

		cdc_out_raw(o, i ? CDC_STR(",{\"topic\":") : CDC_STR("{\"topic\":"));
		if (p->topic) {
			cdc_out_quoted(o, cdc_str(p->topic, p->topic_len));
			cdc_out_lit(o, ",\"partition\":");
			cdc_out_int(o, p->partition);
		} else {
			cdc_out_lit(o, "null,\"partition\":null");
		}
		put_count(o, "messages", p->messages);
		put_series(o, "offset", &p->offset, true, s->uncounted);
		put_series(o, "recordID", &p->id, false, s->uncounted);
		cdc_out_char(o, '}');
	}
	cdc_out_char(o, ']');
}

/* Keys that surely changed more than once. An entry's text is an object that is still open. */
static void put_keys(struct cdc_summary *s, struct cdc_out *o)
{
	const char *comma = "";

	put_name(o, "keysChangedMost");
	cdc_out_char(o, '[');
	cdc_topk_sort(&s->keys);
	for (uint32_t i = 0; i < s->keys.n && i < KEYS_MAX; i++) {
		const struct cdc_topk_entry *e = &s->keys.entry[i];

		if (e->count - e->over < 2)
			continue;
		cdc_out_raw(o, cdc_str_z(comma));
		cdc_out_raw(o, cdc_buf_str(&e->text));
		put_count(o, "changes", e->count);
		put_count(o, "over", e->over);
		cdc_out_char(o, '}');
		comma = ",";
	}
	cdc_out_char(o, ']');
}

int cdc_summary_print(struct cdc_summary *s, const struct cdc_source_counts *counts,
		      struct cdc_buf *out, struct cdc_err *err)
{
	struct cdc_out o = { .buf = *out };
	int rc;

	cdc_out_char(&o, '{');
	put_formats(s, &o);
	put_count(&o, "messages", counts->messages);
	put_count(&o, "bytes", counts->bytes);
	put_count(&o, "skipped", counts->skipped);
	put_count(&o, "rejected", counts->rejected);
	put_types(&o, s->count);
	put_span(&o, &s->span);
	put_tables(s, &o);
	put_parts(s, &o);
	put_count(&o, "rowsWithoutKey", s->no_key);
	put_keys(s, &o);
	cdc_out_lit(&o, "}\n");
	rc = cdc_out_take(&o, err);
	*out = o.buf;
	return rc;
}
