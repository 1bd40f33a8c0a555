/*
 * Images that several records make together, and key columns that an image lacks.
 *
 * Layers are read from the oldest to the newest: a column keeps the place where it first came, and
 * takes the newest value. The images of a table have their columns in one order, so the place of
 * the last column found is the guess for the next one, and the map is seldom asked.
 */
#include "record/net_impl.h"

#include <stdlib.h>

/* A map that one odd image made large would be cleared again and again. */
#define MAP_KEEP_BYTES ((size_t)64 << 10)

static void image_begin(struct net_image *im)
{
	im->num_col = 0;
	cdc_arena_reset(&im->names);
	if (cdc_map_bytes(&im->map) > MAP_KEEP_BYTES)
		cdc_map_free(&im->map);
	else
		cdc_map_clear(&im->map);
}

void net_image_free(struct net_image *im)
{
	cdc_tape_free(&im->tape);
	cdc_buf_free(&im->text);
	cdc_arena_free(&im->names);
	cdc_map_free(&im->map);
	free(im->col);
	free(im->chain);
	*im = (struct net_image){ 0 };
}

static int column_new(struct net_image *im, const struct net_column *c, uint64_t hash,
		      struct cdc_err *err)
{
	void *grown = net_grown(im->col, &im->cap_col, (uint64_t)im->num_col + 1, sizeof(*im->col));

	if (!grown)
		return cdc_fail_nomem(err);
	im->col = grown;
	im->col[im->num_col] = *c;
	return cdc_map_insert(&im->map, hash, im->num_col++, err);
}

/* Index of the column `name`, or NET_NONE. */
static uint32_t column_find(const struct net_image *im, struct cdc_str name, uint64_t hash)
{
	struct cdc_map_iter it = cdc_map_seek(&im->map, hash);
	uint32_t i;

	while (cdc_map_next(&im->map, &it, &i))
		if (cdc_str_eq(im->col[i].name, name))
			return i;
	return NET_NONE;
}

/* Set the column at token `key` of tape `t`. *hint: the place to look at first, then the next. */
static int column_set(struct net_image *im, const struct cdc_tape *t, uint32_t key, uint32_t *hint,
		      struct cdc_err *err)
{
	struct net_column c = { .name_source = cdc_json_source(t, key),
				.value_source = cdc_json_source(t, key + 1) };
	uint32_t at = *hint;
	int rc = cdc_json_string(t, key, &im->names, &c.name, err);

	if (rc)
		return rc;
	if (at >= im->num_col || !cdc_str_eq(im->col[at].name, c.name)) {
		uint64_t hash = cdc_hash64(c.name.p, c.name.n);

		at = column_find(im, c.name, hash);
		if (at == NET_NONE) {
			*hint = im->num_col + 1;
			return column_new(im, &c, hash, err);
		}
	}
	im->col[at].value_source = c.value_source;
	*hint = at + 1;
	return CDC_OK;
}

static int layer(struct net_image *im, struct cdc_str image, struct cdc_err *err)
{
	uint32_t hint = 0;
	int rc = cdc_json_scan(&im->tape, image, NULL, err);

	for (uint32_t k = rc ? CDC_JSON_NONE : cdc_json_first(&im->tape, 0);
	     !rc && k != CDC_JSON_NONE; k = cdc_json_after(&im->tape, 0, k))
		rc = column_set(im, &im->tape, k, &hint, err);
	return rc;
}

/* The key columns of one image of a parsed record; those that are there stay. */
static int layer_keys(struct cdc_net *net, const struct cdc_record *r, uint32_t image,
		      struct cdc_err *err)
{
	struct net_image *im = &net->image;
	uint32_t hint = 0;
	int rc = CDC_OK;

	if (image == CDC_JSON_NONE || !net->opt.is_key)
		return CDC_OK;
	for (uint32_t k = cdc_json_first(r->tape, image); !rc && k != CDC_JSON_NONE;
	     k = cdc_json_after(r->tape, image, k)) {
		if (net->opt.is_key(net->opt.key_ctx, r->db_table, cdc_json_raw(r->tape, k)))
			rc = column_set(im, r->tape, k, &hint, err);
	}
	return rc;
}

static int image_print(struct net_image *im, struct cdc_str *out, struct cdc_err *err)
{
	struct cdc_buf *b = &im->text;
	int rc;

	cdc_buf_reset(b);
	rc = cdc_buf_putc(b, '{', err);
	for (uint32_t i = 0; !rc && i < im->num_col; i++) {
		if (i)
			rc = cdc_buf_putc(b, ',', err);
		if (!rc)
			rc = cdc_buf_put(b, im->col[i].name_source, err);
		if (!rc)
			rc = cdc_buf_putc(b, ':', err);
		if (!rc)
			rc = cdc_buf_put(b, im->col[i].value_source, err);
	}
	if (!rc)
		rc = cdc_buf_putc(b, '}', err);
	*out = cdc_buf_str(b);
	return rc;
}

/* List the layers under `head` in im->chain. *complete: one of them has every key column. */
static int list_chain(struct cdc_net *net, uint32_t head, bool *complete, struct cdc_err *err)
{
	struct net_image *im = &net->image;

	im->num_chain = 0;
	*complete = !net->opt.is_key;
	for (uint32_t i = head; i != NET_NONE; i = net->w.rec[i].prev) {
		const struct net_rec *r = &net->w.rec[i];
		void *grown = net_grown(im->chain, &im->cap_chain, (uint64_t)im->num_chain + 1,
					sizeof(*im->chain));

		if (!grown)
			return cdc_fail_nomem(err);
		im->chain = grown;
		im->chain[im->num_chain++] = i;
		*complete = *complete || r->type != CDC_RECORD_UPDATE ||
			    (r->shape && net->shape[r->shape].has_keys);
	}
	return CDC_OK;
}

static struct cdc_str after_of(const struct net_rec *r)
{
	return cdc_str(r->line + r->after_off, r->after_len);
}

int net_image_of(struct cdc_net *net, uint32_t head, bool whole, struct cdc_str *image,
		 struct cdc_err *err)
{
	const struct net_rec *r = &net->w.rec[head];
	struct net_image *im = &net->image;
	struct cdc_record rec;
	bool complete;
	int rc = list_chain(net, head, &complete, err);

	if (rc)
		return rc;
	complete = complete || !whole;
	if (im->num_chain == 1 && complete) {
		*image = after_of(r);
		return CDC_OK;
	}
	image_begin(im);
	/*
	 * A key column that no layer has did not change since, or the newest record would say so:
	 * its before image has it.
	 */
	if (!complete) {
		rc = cdc_record_parse(&rec, &net->tape[1], net_rec_line(r), err);
		if (!rc)
			rc = layer_keys(net, &rec, rec.before_tok, err);
	}
	for (uint32_t i = im->num_chain; !rc && i > 0; i--)
		rc = layer(im, after_of(&net->w.rec[im->chain[i - 1]]), err);
	return rc ? rc : image_print(im, image, err);
}

/* Whether `image` of r lacks a key column that `other` has. */
static bool lacks_keys(const struct cdc_net *net, const struct cdc_record *r)
{
	struct cdc_image_iter it;
	struct cdc_image_col col, found;

	if (r->after_tok == CDC_JSON_NONE || !net->opt.is_key)
		return false;
	it = cdc_image_begin(r, r->after_tok);
	while (cdc_image_next(&it, &col)) {
		if (!net->opt.is_key(net->opt.key_ctx, r->db_table, col.name))
			continue;
		if (r->before_tok == CDC_JSON_NONE ||
		    !cdc_image_find(r, r->before_tok, col.name, NULL, &found))
			return true;
	}
	return false;
}

int net_before_of(struct cdc_net *net, uint32_t i, bool fill, struct cdc_str *image,
		  struct cdc_err *err)
{
	struct net_image *im = &net->image;
	struct cdc_record r;
	int rc = cdc_record_parse(&r, &net->tape[1], net_rec_line(&net->w.rec[i]), err);

	if (rc)
		return rc;
	*image = CDC_STR("{}");
	if (r.before_tok != CDC_JSON_NONE)
		*image = cdc_json_source(&net->tape[1], r.before_tok);
	if (!fill || !lacks_keys(net, &r))
		return CDC_OK;
	image_begin(im);
	rc = layer_keys(net, &r, r.after_tok, err);
	if (!rc && r.before_tok != CDC_JSON_NONE)
		rc = layer(im, *image, err);
	if (!rc)
		rc = image_print(im, image, err);
	/* The after image of the same survivor is made in im->text, too. */
	cdc_buf_reset(&net->before);
	if (!rc)
		rc = cdc_buf_put(&net->before, *image, err);
	*image = cdc_buf_str(&net->before);
	return rc;
}
