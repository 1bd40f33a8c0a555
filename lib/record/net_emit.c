/*
 * Survivors: the states of a folded window as records again, and as a map.
 *
 * Records are walked in fold order; each prints the states that it was the last to contribute to.
 * A survivor that no other record had a part in is printed as it came.
 */
#include "record/net_impl.h"

#include <stdlib.h>

struct emit {
	struct cdc_net *net;
	struct net_sink *sink;
	struct cdc_err *err;
};

static int put(const struct emit *e, uint32_t i, struct cdc_str line, bool stable)
{
	if (e->sink->counts)
		e->sink->counts->records_out++;
	return e->sink->put(e->sink, e->net->w.rec[i].order, net_rec_seq(&e->net->w, i), line,
			    stable, e->err);
}

static int put_verbatim(const struct emit *e, uint32_t i)
{
	const struct net_rec *r = &e->net->w.rec[i];

	return put(e, i, cdc_str(r->line, (size_t)r->line_len + 1), true);
}

static bool same_image(const struct cdc_record *r, uint32_t tok, struct cdc_str image)
{
	if (tok == CDC_JSON_NONE)
		return cdc_str_eq(image, CDC_STR("{}"));
	return cdc_str_eq(cdc_json_source(r->tape, tok), image);
}

/* Print record i as a record of this type with these images. */
static int put_patched(const struct emit *e, uint32_t i, enum cdc_record_type type,
		       struct cdc_str before, struct cdc_str after)
{
	struct cdc_net *net = e->net;
	struct cdc_record_patch patch = { NULL, before, after };
	struct cdc_record r;
	int rc = cdc_record_parse(&r, &net->tape[0], net_rec_line(&net->w.rec[i]), e->err);

	if (rc)
		return rc;
	if (r.type != type)
		patch.type_name = cdc_record_type_name(type);
	if (same_image(&r, r.before_tok, before))
		patch.before.p = NULL;
	if (same_image(&r, r.after_tok, after))
		patch.after.p = NULL;
	if (!patch.type_name && !patch.before.p && !patch.after.p)
		return put_verbatim(e, i);
	cdc_buf_reset(&net->out);
	rc = cdc_record_print(&net->out, &r, &patch, e->err);
	return rc ? rc : put(e, i, cdc_buf_str(&net->out), false);
}

/*
 * DELETE of key k. Its before image is best told by the first record on k, if that found the row
 * there; the last one always has the key.
 */
static int emit_deleted(const struct emit *e, uint32_t k, uint32_t i)
{
	const struct net_window *w = &e->net->w;
	uint32_t first = w->key[k].first;
	struct cdc_str before;
	int rc;

	if (w->rec[first].kb != k || w->rec[first].type == CDC_RECORD_INSERT ||
	    w->rec[first].type == CDC_RECORD_INIT)
		first = i;
	if (first == i && w->rec[i].type == CDC_RECORD_DELETE)
		return put_verbatim(e, i);
	rc = net_before_of(e->net, first, true, &before, e->err);
	return rc ? rc : put_patched(e, i, CDC_RECORD_DELETE, before, CDC_STR("{}"));
}

static int emit_whole(const struct emit *e, uint32_t k, uint32_t i)
{
	const struct net_window *w = &e->net->w;
	bool init = w->key[k].flags & NET_KEY_INIT;
	enum cdc_record_type type = init ? CDC_RECORD_INIT : CDC_RECORD_INSERT;
	struct cdc_str after;
	int rc;

	if (w->rec[i].type == type && w->rec[i].prev == NET_NONE)
		return put_verbatim(e, i);
	rc = net_image_of(e->net, i, true, &after, e->err);
	return rc ? rc : put_patched(e, i, type, CDC_STR("{}"), after);
}

/*
 * UPDATE whose row had its source key at record `first`, and got its last change from record i. A
 * merged after image has the columns of the new key, so the before image must have all of the old.
 */
static int emit_overlay(const struct emit *e, uint32_t first, bool moved, uint32_t i)
{
	const struct net_window *w = &e->net->w;
	struct cdc_str before, after;
	int rc;

	if (first == i && w->rec[i].prev == NET_NONE)
		return put_verbatim(e, i);
	rc = net_before_of(e->net, first, moved, &before, e->err);
	if (!rc)
		rc = net_image_of(e->net, i, false, &after, e->err);
	return rc ? rc : put_patched(e, i, CDC_RECORD_UPDATE, before, after);
}

static int emit_key(const struct emit *e, uint32_t k, uint32_t i)
{
	const struct net_window *w = &e->net->w;
	const struct net_key *key = &w->key[k];

	switch ((enum net_state)key->state) {
	case NET_FRESH:
		break;
	case NET_DELETED:
		/* Part of a move, or of a TRUNCATE. */
		if (key->link != NET_NONE || net_table_truncated(e->net, key->table))
			break;
		return emit_deleted(e, k, i);
	case NET_WHOLE:
		return emit_whole(e, k, i);
	case NET_OVERLAY:
		return emit_overlay(e, w->key[key->link].first, key->link != k, i);
	}
	return CDC_OK;
}

static int by_rec(const void *a, const void *b)
{
	uint32_t x = ((const struct net_frozen *)a)->rec;
	uint32_t y = ((const struct net_frozen *)b)->rec;

	return (x > y) - (x < y);
}

static int emit_frozen(const struct emit *e, uint32_t i)
{
	const struct net_window *w = &e->net->w;
	struct net_frozen want = { i, 0 };
	const struct net_frozen *f = bsearch(&want, w->frozen, w->num_frozen, sizeof(want), by_rec);

	if (!f)
		return cdc_fail(e->err, CDC_EINTERNAL, "a frozen move is lost");
	return emit_overlay(e, f->first, true, i);
}

/* A deletion comes before the move of the same record: it makes room for it in the reader. */
static int emit_row(const struct emit *e, uint32_t i)
{
	const struct net_window *w = &e->net->w;
	const struct net_rec *r = &w->rec[i];
	int rc = CDC_OK;

	if (r->kb != r->ka && w->key[r->kb].last == i)
		rc = emit_key(e, r->kb, i);
	if (!rc && (r->flags & NET_REC_FROZEN))
		rc = emit_frozen(e, i);
	if (!rc && w->key[r->ka].last == i)
		rc = emit_key(e, r->ka, i);
	return rc;
}

static int emit_other(const struct emit *e, uint32_t i)
{
	const struct net_window *w = &e->net->w;
	const struct net_rec *r = &w->rec[i];

	if (r->type != CDC_RECORD_TRUNCATE)
		return e->sink->put(e->sink, r->order, net_rec_seq(w, i),
				    cdc_str(r->line, (size_t)r->line_len + 1), true, e->err);
	if (!net_truncate_counts(e->net, r->ka, r->order, net_rec_seq(w, i)))
		return CDC_OK;
	return put_verbatim(e, i);
}

int net_emit_window(struct cdc_net *net, struct net_sink *sink, struct cdc_err *err)
{
	const struct net_window *w = &net->w;
	struct emit e = { net, sink, err };
	int rc = CDC_OK;

	if (w->num_frozen)
		qsort(w->frozen, w->num_frozen, sizeof(*w->frozen), by_rec);
	for (uint32_t n = 0; !rc && n < w->num_rec; n++) {
		uint32_t i = net_at(w, n);

		rc = cdc_record_is_row(w->rec[i].type) ? emit_row(&e, i) : emit_other(&e, i);
	}
	return rc;
}

/* ------------------------------------------------------------------ the map */

struct each {
	struct cdc_net *net;
	int (*visit)(void *ctx, const struct cdc_net_change *c, struct cdc_err *err);
	void *ctx;
	struct cdc_err *err;
};

static int visit_key(const struct each *e, uint32_t k, uint32_t i)
{
	const struct net_window *w = &e->net->w;
	const struct net_key *key = &w->key[k];
	struct cdc_net_change c = {
		.state = CDC_NET_DELETED,
		.key = cdc_str(key->p, key->n),
		.source_key = cdc_str(key->p, key->n),
		.db_table = e->net->table[key->table].name,
		.after = CDC_STR("{}"),
		.last = net_rec_line(&w->rec[i]),
		.order = w->rec[i].order,
		.tag = w->rec[i].tag,
	};
	int rc = CDC_OK;

	if (key->state == NET_DELETED && net_table_truncated(e->net, key->table))
		return CDC_OK;
	if (key->state == NET_WHOLE) {
		c.state = CDC_NET_WHOLE;
		c.init = key->flags & NET_KEY_INIT;
	} else if (key->state == NET_OVERLAY) {
		c.state = CDC_NET_OVERLAY;
		c.source_key = cdc_str(w->key[key->link].p, w->key[key->link].n);
	}
	if (key->state != NET_DELETED)
		rc = net_image_of(e->net, i, true, &c.after, e->err);
	return rc ? rc : e->visit(e->ctx, &c, e->err);
}

int net_each_window(struct cdc_net *net,
		    int (*visit)(void *ctx, const struct cdc_net_change *c, struct cdc_err *err),
		    void *ctx, struct cdc_err *err)
{
	const struct net_window *w = &net->w;
	struct each e = { net, visit, ctx, err };
	int rc = CDC_OK;

	for (uint32_t n = 0; !rc && n < w->num_rec; n++) {
		uint32_t i = net_at(w, n);
		const struct net_rec *r = &w->rec[i];

		if (!cdc_record_is_row(r->type))
			continue;
		if (r->kb != r->ka && w->key[r->kb].last == i)
			rc = visit_key(&e, r->kb, i);
		if (!rc && w->key[r->ka].last == i)
			rc = visit_key(&e, r->ka, i);
	}
	return rc;
}
