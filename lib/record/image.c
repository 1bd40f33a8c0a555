/*
 * Images of a record: walked column by column, and searched by name.
 */
#include "record/record.h"

/* As a rule no value is an array or object with something in it: then each column is two tokens. */
static inline bool is_flat(const struct cdc_tape *t, uint32_t image)
{
	return t->tok[image].next - image - 1 == 2 * (uint64_t)t->tok[image].count;
}

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
	it->key = it->tape->tok[it->key + 1].next;
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

/* The same where tokens must be followed one by one. */
static bool find_in_deep(const struct cdc_tape *t, uint32_t image, struct cdc_str name,
			 uint32_t *hint, struct cdc_image_col *col)
{
	uint32_t found = CDC_JSON_NONE;
	uint32_t place = 0;

	for (int decoded = 0; decoded < 2 && found == CDC_JSON_NONE; decoded++) {
		place = 0;
		for (uint32_t k = cdc_json_first(t, image);
		     k != CDC_JSON_NONE && found == CDC_JSON_NONE;
		     k = cdc_json_after(t, image, k), place++) {
			if (decoded ? cdc_json_same(cdc_json_raw(t, k), name)
				    : has_name(t, k, name))
				found = k;
		}
	}
	if (found == CDC_JSON_NONE)
		return false;
	fill(t, found, col);
	if (hint)
		*hint = place;
	return true;
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
	if (!is_flat(t, image_tok))
		return find_in_deep(t, image_tok, name, hint, col);
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
