/*
 * The walk over a DTS datum: from the input bytes into a flat struct dts_event whose slices point
 * into the input. Nothing is printed here, so fields may come in any order.
 */
#include "source/dts/dts_int.h"

#include <stdlib.h>

#define RAW_TAGS_MAX 4096 /* bytes of tags that are kept */

struct walk {
	const struct dts_layout *l;
	struct cdc_avro_cur *cur;
	struct dts_event *e;
	struct cdc_str known_fields;
	bool *nomem;
};

static bool fail(struct cdc_avro_cur *cur, const char *why)
{
	cur->why = why;
	return false;
}

static uint8_t kind_of(const struct walk *w, uint32_t node)
{
	return cdc_avro_node(w->l->plan, node)->kind;
}

static bool skip(struct walk *w, uint32_t node)
{
	return cdc_avro_skip(w->l->plan, node, w->cur);
}

static void *grow(struct walk *w, void *p, uint32_t *cap, size_t size)
{
	uint32_t n = *cap ? *cap * 2 : 32;
	void *q = realloc(p, n * size);

	if (!q) {
		*w->nomem = true;
		return NULL;
	}
	*cap = n;
	return q;
}

/* A key may come twice: the last one counts, as it does where the map is built. */
static void put_tag(struct dts_event *e, struct dts_tag t)
{
	for (uint32_t i = 0; i < e->n_tags; i++) {
		if (cdc_str_eq(e->tag[i].key, t.key)) {
			e->tag[i] = t;
			return;
		}
	}
	e->tag[e->n_tags++] = t;
}

static bool read_tag_map(struct walk *w, uint32_t node)
{
	struct cdc_avro_blocks b = { 0, NULL };
	struct dts_event *e = w->e;
	struct dts_tag t;
	bool ok = true;
	uint32_t values;

	values = cdc_avro_child(w->l->plan, cdc_avro_node(w->l->plan, node), 0)->node;
	while (cdc_avro_next(w->cur, &b, &ok)) {
		if (!cdc_avro_bytes(w->cur, &t.key) ||
		    !dts_text_at(w->l, w->cur, values, &t.value, NULL))
			return false;
		if (e->n_tags == DTS_TAGS_MAX)
			return fail(w->cur, "it has too many tags");
		if (e->n_tags == e->cap_tags) {
			void *q = grow(w, e->tag, &e->cap_tags, sizeof(*e->tag));

			if (!q)
				return false;
			e->tag = q;
		}
		put_tag(e, t);
	}
	return ok;
}

/* Keep the encoded tags, and have `tag` point to them there. */
static bool keep_tags(struct walk *w, struct cdc_str raw)
{
	struct dts_event *e = w->e;
	struct cdc_err err;

	cdc_buf_reset(&e->raw_tags);
	if (raw.n > RAW_TAGS_MAX)
		return true;
	if (cdc_buf_put(&e->raw_tags, raw, &err) < 0) {
		*w->nomem = true;
		return false;
	}
	for (uint32_t i = 0; i < e->n_tags; i++) {
		struct dts_tag *t = &e->tag[i];

		t->key.p = e->raw_tags.p + (t->key.p - raw.p);
		if (t->value.n)
			t->value.p = e->raw_tags.p + (t->value.p - raw.p);
	}
	e->tags_layout = w->l->id;
	e->n_raw_tags = e->n_tags;
	return true;
}

static bool read_tags(struct walk *w, uint32_t node)
{
	const char *start;
	struct dts_event *e = w->e;
	size_t known = e->tags_layout == w->l->id ? e->raw_tags.len : 0;

	if (!cdc_avro_branch(w->l->plan, w->cur, &node))
		return false;
	if (kind_of(w, node) == CDC_AVRO_NULL) {
		e->tags_no++;
		cdc_buf_reset(&e->raw_tags);
		return true;
	}
	start = (const char *)w->cur->p;
	if (known && (size_t)(w->cur->end - w->cur->p) >= known &&
	    memcmp(start, e->raw_tags.p, known) == 0) {
		w->cur->p += known;
		e->n_tags = e->n_raw_tags;
		return true;
	}
	e->tags_no++;
	cdc_buf_reset(&e->raw_tags);
	return read_tag_map(w, node) &&
	       keep_tags(w, cdc_str(start, (size_t)((const char *)w->cur->p - start)));
}

static bool read_source(struct walk *w, uint32_t node)
{
	struct dts_steps s = w->l->of[node].steps;
	uint32_t unused;

	for (uint32_t i = s.first; i < s.first + s.n; i++) {
		struct dts_step step = w->l->step[i];
		bool ok;

		if (step.op == DTS_OP_SOURCE_TYPE)
			ok = dts_symbol_at(w->l, w->cur, step.node, &w->e->source_type, &unused);
		else if (step.op == DTS_OP_SOURCE_VERSION)
			ok = dts_text_at(w->l, w->cur, step.node, &w->e->source_version, NULL);
		else
			ok = skip(w, step.node);
		if (!ok)
			return false;
	}
	return true;
}

/*
 * The columns are the same from one event of a table to the next: where the encoded bytes are those
 * that are known, they need no walk. (An encoding tells its own length, so equal bytes are all of
 * it.)
 */
static bool read_fields(struct walk *w, uint32_t node)
{
	const char *start = (const char *)w->cur->p;
	struct dts_event *e = w->e;

	if (!cdc_avro_branch(w->l->plan, w->cur, &node))
		return false;
	e->fields_node = node;
	switch (kind_of(w, node)) {
	case CDC_AVRO_NULL:
		e->fields_shape = DTS_NONE;
		return true;
	case CDC_AVRO_ARRAY:
		e->fields_shape = DTS_ARRAY;
		break;
	default:
		e->fields_shape = DTS_STRING;
		return dts_text_at(w->l, w->cur, node, &e->fields, NULL);
	}
	start = (const char *)w->cur->p;
	if (w->known_fields.n && (size_t)(w->cur->end - w->cur->p) >= w->known_fields.n &&
	    memcmp(w->cur->p, w->known_fields.p, w->known_fields.n) == 0)
		w->cur->p += w->known_fields.n;
	else if (!cdc_avro_skip(w->l->plan, node, w->cur))
		return false;
	e->fields = cdc_str(start, (size_t)((const char *)w->cur->p - start));
	return true;
}

static bool read_operation(struct walk *w, uint32_t node)
{
	const char *name;
	uint32_t i;

	if (!dts_symbol_at(w->l, w->cur, node, &name, &i))
		return false;
	w->e->operation = w->l->operation[i];
	return true;
}

static bool read_step(struct walk *w, struct dts_step step)
{
	struct dts_event *e = w->e;
	bool is_null;

	switch (step.op) {
	case DTS_OP_ID:
		return dts_integral_at(w->l, w->cur, step.node, &e->id);
	case DTS_OP_TIMESTAMP:
		return dts_integral_at(w->l, w->cur, step.node, &e->timestamp_s);
	case DTS_OP_POSITION:
		return dts_text_at(w->l, w->cur, step.node, &e->position, NULL);
	case DTS_OP_SAFE_POSITION:
		return dts_text_at(w->l, w->cur, step.node, &e->safe_position, NULL);
	case DTS_OP_TXID:
		return dts_text_at(w->l, w->cur, step.node, &e->txid, NULL);
	case DTS_OP_SOURCE:
		return read_source(w, step.node);
	case DTS_OP_OPERATION:
		return read_operation(w, step.node);
	case DTS_OP_OBJECT:
		if (!dts_text_at(w->l, w->cur, step.node, &e->object, &is_null))
			return false;
		e->has_object = !is_null;
		return true;
	case DTS_OP_TAGS:
		return read_tags(w, step.node);
	case DTS_OP_FIELDS:
		return read_fields(w, step.node);
	case DTS_OP_BEFORE:
		return dts_image_read(w->l, w->cur, step.node, &e->before, w->nomem);
	case DTS_OP_AFTER:
		return dts_image_read(w->l, w->cur, step.node, &e->after, w->nomem);
	default:
		return skip(w, step.node);
	}
}

static void event_reset(struct dts_event *e)
{
	e->position = e->safe_position = e->txid = e->object = cdc_str("", 0);
	e->fields = cdc_str("", 0);
	e->n_tags = 0;
	e->has_object = false;
	e->fields_shape = e->before.shape = e->after.shape = DTS_NONE;
	e->before.n = e->after.n = 0;
}

bool dts_event_read(const struct dts_layout *l, struct cdc_avro_cur *cur, struct dts_event *e,
		    struct cdc_str known_fields, bool *nomem)
{
	struct walk w = { l, cur, e, known_fields, nomem };
	const struct dts_step *step = l->step + l->event.first;

	*nomem = false;
	event_reset(e);
	for (uint32_t i = 0; i < l->event.n; i++) {
		/* Version 1 ends before the last field, with nothing to tell so (spec section 0).
		 */
		if (l->tail_optional && i == l->event.n - 1 && cur->p == cur->end)
			return true;
		if (!read_step(&w, step[i]))
			return false;
	}
	return true;
}

int dts_event_columns(const struct dts_layout *l, const struct dts_event *e,
		      struct dts_column **out, uint32_t *n_out, struct cdc_err *err)
{
	const unsigned char *start = (const unsigned char *)e->fields.p;
	struct cdc_avro_cur cur = { start, start + e->fields.n, NULL };
	const struct cdc_avro_node *array = cdc_avro_node(l->plan, e->fields_node);
	uint32_t item = cdc_avro_child(l->plan, array, 0)->node;
	struct dts_steps s = l->of[item].steps;
	struct cdc_avro_blocks b = { 0, NULL };
	struct dts_column *col = NULL;
	bool ok = true, nomem = false;
	struct walk w = { l, &cur, NULL, CDC_STR_INIT, &nomem };
	uint32_t n = 0, cap = 0;
	int rc = CDC_OK;

	while (rc == CDC_OK && cdc_avro_next(&cur, &b, &ok)) {
		if (n == DTS_COLUMNS_MAX) {
			rc = cdc_fail(err, CDC_EDATA, "it has too many fields");
			break;
		}
		if (n == cap) {
			void *q = grow(&w, col, &cap, sizeof(*col));

			if (!q) {
				rc = cdc_fail_nomem(err);
				break;
			}
			col = q;
		}
		for (uint32_t i = s.first; ok && i < s.first + s.n; i++) {
			struct dts_step step = l->step[i];

			if (step.op == DTS_OP_FIELD_NAME)
				ok = dts_text_at(l, &cur, step.node, &col[n].name, NULL);
			else if (step.op == DTS_OP_FIELD_TYPE)
				ok = dts_int32_at(l, &cur, step.node, &col[n].type);
			else
				ok = skip(&w, step.node);
		}
		n++;
		if (!ok)
			break;
	}
	if (rc == CDC_OK && !ok)
		rc = cdc_fail(err, CDC_EDATA, "malformed fields: %s", cur.why);
	if (rc < 0) {
		free(col);
		return rc;
	}
	*out = col;
	*n_out = n;
	return CDC_OK;
}

void dts_event_free(struct dts_event *e)
{
	free(e->tag);
	cdc_buf_free(&e->raw_tags);
	free(e->before.value);
	free(e->after.value);
	memset(e, 0, sizeof(*e));
}
