/*
 * The images of a DTS event: most of its bytes, so this is the hot part of the walk. A value of the
 * published layout is read by what its record is made of, all at once, as long as nothing about it
 * is unusual. Any other is read field by field.
 */
#include "source/dts/dts_int.h"

#include "base/endian.h"

#include <stdlib.h>

struct walk {
	const struct dts_layout *l;
	struct cdc_avro_cur *cur;
	uint32_t item; /* node of the values */
	/* If that is a union: its branches. */
	const struct cdc_avro_child *branch;
	uint32_t n_branches;
};

/* --- field by field ----------------------------------------------------- */

static uint8_t kind_of(const struct walk *w, uint32_t node)
{
	return cdc_avro_node(w->l->plan, node)->kind;
}

static bool skip(struct walk *w, uint32_t node)
{
	return cdc_avro_skip(w->l->plan, node, w->cur);
}

static bool read_number(struct walk *w, uint32_t node, double *v)
{
	if (!cdc_avro_branch(w->l->plan, w->cur, &node))
		return false;
	return kind_of(w, node) == CDC_AVRO_FLOAT ? cdc_avro_float(w->cur, v)
						  : cdc_avro_double(w->cur, v);
}

static bool read_part(struct walk *w, struct dts_step step, struct dts_value *v)
{
	unsigned part = step.op - DTS_OP_PART;
	uint32_t node = step.node;

	if (!cdc_avro_branch(w->l->plan, w->cur, &node))
		return false;
	if (kind_of(w, node) == CDC_AVRO_NULL)
		return true;
	v->present = (uint16_t)(v->present | 1u << part);
	return dts_int32_at(w->l, w->cur, node, &v->part[part]);
}

static bool read_parts(struct walk *w, struct dts_steps s, struct dts_value *v)
{
	for (uint32_t i = s.first; i < s.first + s.n; i++) {
		struct dts_step step = w->l->step[i];
		bool ok = step.op >= DTS_OP_PART ? read_part(w, step, v) : skip(w, step.node);

		if (!ok)
			return false;
	}
	return true;
}

static bool read_field(struct walk *w, struct dts_step step, struct dts_value *v)
{
	switch (step.op) {
	case DTS_OP_TEXT:
		return dts_text_at(w->l, w->cur, step.node, &v->u.text, NULL);
	case DTS_OP_TAG:
		return dts_text_at(w->l, w->cur, step.node, &v->tag, NULL);
	case DTS_OP_NUMBER:
		return read_number(w, step.node, &v->u.number);
	case DTS_OP_SECONDS:
		return dts_integral_at(w->l, w->cur, step.node, &v->u.seconds);
	case DTS_OP_MICROS:
		v->present = 1u << DTS_MICROS;
		return dts_int32_at(w->l, w->cur, step.node, &v->part[DTS_MICROS]);
	case DTS_OP_NESTED:
		return read_parts(w, w->l->of[step.node].steps, v);
	default:
		return skip(w, step.node);
	}
}

static bool read_value(struct walk *w, struct dts_value *v)
{
	uint32_t node = w->item, i;
	const char *name;
	struct dts_steps s;

	if (!cdc_avro_branch(w->l->plan, w->cur, &node))
		return false;
	v->kind = w->l->of[node].kind;
	v->present = 0;
	s = w->l->of[node].steps;
	switch ((enum dts_kind)v->kind) {
	case DTS_NULL:
	case DTS_ABSENT:
		return true;
	case DTS_EMPTY_OBJECT:
		if (!dts_symbol_at(w->l, w->cur, node, &name, &i))
			return false;
		v->kind = strcmp(name, "NONE") == 0 ? DTS_ABSENT : DTS_NULL;
		return true;
	case DTS_DATETIME:
		return read_parts(w, s, v);
	case DTS_INTEGER:
	case DTS_CHARACTER:
	case DTS_DECIMAL:
	case DTS_FLOAT:
	case DTS_TIMESTAMP:
	case DTS_TIMESTAMP_TZ:
	case DTS_BINARY_GEOMETRY:
	case DTS_TEXT_GEOMETRY:
	case DTS_BINARY_OBJECT:
	case DTS_TEXT_OBJECT:
		break;
	}
	for (i = s.first; i < s.first + s.n; i++) {
		if (!read_field(w, w->l->step[i], v))
			return false;
	}
	return true;
}

/* --- all at once -------------------------------------------------------- */

/*
 * The functions of this part return where what they read ends, or NULL if it is unusual, or too
 * near to the end of the data: then nothing is decided.
 */

/* A varint of one byte that is not negative. */
static inline bool is_small(unsigned byte)
{
	return (byte & 0x81) == 0;
}

static inline const unsigned char *quick_text(const unsigned char *p, const unsigned char *end,
					      struct cdc_str *s)
{
	size_t n;

	if (p >= end || !is_small(*p))
		return NULL;
	n = *p++ >> 1;
	*s = cdc_str((const char *)p, n);
	return n <= (size_t)(end - p) ? p + n : NULL;
}

static inline const unsigned char *quick_long(const unsigned char *p, const unsigned char *end,
					      int64_t *v)
{
	unsigned n = end - p < 8 ? 0 : cdc_avro_long_of(cdc_le64(p), v);

	return n ? p + n : NULL;
}

static inline const unsigned char *quick_int(const unsigned char *p, const unsigned char *end,
					     int32_t *v)
{
	int64_t n;

	if (p < end && is_small(*p)) {
		*v = *p >> 1;
		return p + 1;
	}
	p = quick_long(p, end, &n);
	if (!p || n < INT32_MIN || n > INT32_MAX)
		return NULL;
	*v = (int32_t)n;
	return p;
}

static inline const unsigned char *quick_parts(const unsigned char *p, const unsigned char *end,
					       struct dts_value *v)
{
	for (unsigned i = 0; i < DTS_PARTS; i++) {
		if (p >= end || (*p & ~2) != 0) /* not the byte of branch 0 or 1 */
			return NULL;
		if (*p++ == 0)
			continue;
		v->present = (uint16_t)(v->present | 1u << i);
		p = quick_int(p, end, &v->part[i]);
		if (!p)
			return NULL;
	}
	return p;
}

static inline const unsigned char *quick_value(const struct walk *w, const unsigned char *p,
					       struct dts_value *v)
{
	const unsigned char *end = w->cur->end;
	const struct dts_node *n;
	uint64_t bits;

	if (end - p < 2 || !is_small(*p) || *p >> 1 >= w->n_branches)
		return NULL;
	n = &w->l->of[w->branch[*p++ >> 1].node];
	v->kind = n->kind;
	v->present = 0;
	switch ((enum dts_recipe)n->recipe) {
	case DTS_RECIPE_NONE:
		return NULL;
	case DTS_RECIPE_NULL:
		return p;
	case DTS_RECIPE_SIZE_TEXT:
		return is_small(*p) ? quick_text(p + 1, end, &v->u.text) : NULL;
	case DTS_RECIPE_TAG_TEXT:
		p = quick_text(p, end, &v->tag);
		return p ? quick_text(p, end, &v->u.text) : NULL;
	case DTS_RECIPE_TEXT_SIZES:
		p = quick_text(p, end, &v->u.text);
		return p && end - p >= 2 && is_small(p[0] | p[1]) ? p + 2 : NULL;
	case DTS_RECIPE_NUMBER_SIZES:
		if (end - p < 10 || !is_small(p[8] | p[9]))
			return NULL;
		bits = cdc_le64(p);
		memcpy(&v->u.number, &bits, 8);
		return p + 10;
	case DTS_RECIPE_INSTANT:
		v->present = 1u << DTS_MICROS;
		p = quick_long(p, end, &v->u.seconds);
		return p ? quick_int(p, end, &v->part[DTS_MICROS]) : NULL;
	case DTS_RECIPE_PARTS:
		return quick_parts(p, end, v);
	}
	return NULL;
}

/* --- images ------------------------------------------------------------- */

static bool grow(struct dts_image *img)
{
	uint32_t cap = img->cap ? img->cap * 2 : 32;
	struct dts_value *q = realloc(img->value, cap * sizeof(*q));

	if (!q)
		return false;
	img->value = q;
	img->cap = cap;
	return true;
}

static bool read_values(struct walk *w, struct dts_image *img, bool *nomem)
{
	struct cdc_avro_blocks b = { 0, NULL };
	struct cdc_avro_cur *cur = w->cur;
	bool ok = true;

	while (cdc_avro_next(cur, &b, &ok)) {
		const unsigned char *p;
		struct dts_value *v;

		if (img->n == DTS_COLUMNS_MAX) {
			cur->why = "an image has too many columns";
			return false;
		}
		if (img->n == img->cap && !grow(img)) {
			*nomem = true;
			return false;
		}
		v = &img->value[img->n++];
		p = quick_value(w, cur->p, v);
		if (p)
			cur->p = p;
		else if (!read_value(w, v))
			return false;
	}
	return ok;
}

bool dts_image_read(const struct dts_layout *l, struct cdc_avro_cur *cur, uint32_t node,
		    struct dts_image *img, bool *nomem)
{
	struct walk w = { .l = l, .cur = cur };
	const struct cdc_avro_node *n;

	if (!cdc_avro_branch(l->plan, cur, &node))
		return false;
	n = cdc_avro_node(l->plan, node);
	if (n->kind == CDC_AVRO_NULL)
		return true;
	if (n->kind != CDC_AVRO_ARRAY) {
		img->shape = DTS_STRING;
		return dts_text_at(l, cur, node, &img->text, NULL);
	}
	img->shape = DTS_ARRAY;
	w.item = cdc_avro_child(l->plan, n, 0)->node;
	n = cdc_avro_node(l->plan, w.item);
	if (n->kind == CDC_AVRO_UNION) {
		w.branch = cdc_avro_child(l->plan, n, 0);
		w.n_branches = n->n;
	}
	return read_values(&w, img, nomem);
}
