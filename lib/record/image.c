/*
 * Images of a record: walked column by column, and searched by name.
 */
#include "record/record.h"

/* The record's parser has checked that image values are scalars: each column is two tokens. */
static inline uint32_t key_token(uint32_t image, uint32_t column)
{
	return image + 1 + 2 * column;
}

static inline void fill(const struct cdc_tape *t, uint32_t key, struct cdc_image_col *col)
{
	const struct cdc_json_tok *v = &t->tok[key + 1];

	col->name = cdc_json_raw(t, key);
	col->name_escaped = t->tok[key].escaped;
	col->is_null = v->type == CDC_JSON_NULL;
	col->is_string = v->type == CDC_JSON_STRING;
	col->escaped = v->escaped;
	col->value = cdc_json_raw(t, key + 1);
	col->value_tok = key + 1;
}

struct cdc_image_iter cdc_image_begin(const struct cdc_record *r, uint32_t image_tok)
{
	struct cdc_image_iter it = { r->tape, image_tok, CDC_JSON_NONE };

	if (image_tok != CDC_JSON_NONE)
		it.key = key_token(image_tok, 0);
	return it;
}

bool cdc_image_next(struct cdc_image_iter *it, struct cdc_image_col *col)
{
	if (it->key == CDC_JSON_NONE || it->key >= it->tape->tok[it->obj].next)
		return false;
	fill(it->tape, it->key, col);
	it->key += 2;
	return true;
}

static inline bool has_name(const struct cdc_tape *t, uint32_t key, struct cdc_str name)
{
	const struct cdc_json_tok *k = &t->tok[key];

	return k->len == name.n && memcmp(t->text + k->off, name.p, name.n) == 0;
}

/* The place of the column whose name decodes to the same text, or `count`. */
static uint32_t search_decoded(const struct cdc_tape *t, uint32_t image, uint32_t count,
			       struct cdc_str name)
{
	bool plain = name.n == 0 || !memchr(name.p, '\\', name.n);
	uint32_t c;

	for (c = 0; c < count; c++) {
		uint32_t key = key_token(image, c);

		if ((t->tok[key].escaped || !plain) && cdc_json_same(cdc_json_raw(t, key), name))
			break;
	}
	return c;
}

bool cdc_image_find(const struct cdc_record *r, uint32_t image_tok, struct cdc_str name,
		    uint32_t *hint, struct cdc_image_col *col)
{
	const struct cdc_tape *t = r->tape;
	uint32_t first = hint ? *hint : 0;
	uint32_t count;
	uint32_t c;

	if (image_tok == CDC_JSON_NONE || t->tok[image_tok].count == 0)
		return false;
	count = t->tok[image_tok].count;
	c = first < count ? first : 0;
	for (uint32_t tried = 0; !has_name(t, key_token(image_tok, c), name);) {
		if (++tried == count) {
			c = search_decoded(t, image_tok, count, name);
			break;
		}
		c = c + 1 < count ? c + 1 : 0;
	}
	if (c == count)
		return false;
	fill(t, key_token(image_tok, c), col);
	if (hint)
		*hint = c + 1;
	return true;
}
