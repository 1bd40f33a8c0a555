/*
 * Forgetting records of a folded window that no state needs any more, so that a partition whose
 * keys change again and again fits in memory.
 */
#include "record/net_impl.h"

#include <stdlib.h>

/* new_index[i]: NET_NONE until record i turns out to be needed. */
static void mark(uint32_t *new_index, uint32_t i)
{
	if (i != NET_NONE)
		new_index[i] = 0;
}

static void mark_image(const struct net_window *w, uint32_t *new_index, uint32_t i)
{
	for (; i != NET_NONE; i = w->rec[i].prev)
		mark(new_index, i);
}

static void mark_all(const struct net_window *w, uint32_t *new_index)
{
	for (uint32_t k = 0; k < w->num_key; k++) {
		const struct net_key *key = &w->key[k];

		mark(new_index, key->first);
		if (key->state == NET_DELETED)
			mark(new_index, key->last);
		else
			mark_image(w, new_index, key->last);
	}
	for (uint32_t i = 0; i < w->num_frozen; i++) {
		mark(new_index, w->frozen[i].first);
		mark_image(w, new_index, w->frozen[i].rec);
	}
}

static int move_lines(struct net_window *w, uint32_t *new_index, struct cdc_err *err)
{
	struct net_store lines = { NULL, 0 };
	size_t front = w->own_seq ? sizeof(uint64_t) : 0;
	uint32_t n = 0;

	/* All lines first: a failure must leave the window whole. */
	for (uint32_t i = 0; i < w->num_rec; i++) {
		size_t len = front + w->rec[i].line_len + 1;
		char *p;

		if (new_index[i] == NET_NONE)
			continue;
		p = net_store_alloc(&lines, len);
		if (!p) {
			net_store_free(&lines);
			return cdc_fail_nomem(err);
		}
		memcpy(p, w->rec[i].line - front, len);
		w->rec[n] = w->rec[i];
		w->rec[n].line = p + front;
		new_index[i] = n++;
	}
	net_store_free(&w->lines);
	w->lines = lines;
	w->num_rec = w->folded = n;
	return CDC_OK;
}

static void renumber(const uint32_t *new_index, uint32_t *i)
{
	if (*i != NET_NONE)
		*i = new_index[*i];
}

/* Only for windows in order with their own arrival numbers, all folded. */
int net_window_compact(struct net_window *w, struct cdc_err *err)
{
	uint32_t *new_index = reallocarray(NULL, w->num_rec, sizeof(*new_index));
	int rc;

	if (!new_index)
		return cdc_fail_nomem(err);
	memset(new_index, 0xff, w->num_rec * sizeof(*new_index));
	mark_all(w, new_index);
	rc = move_lines(w, new_index, err);
	if (!rc) {
		for (uint32_t i = 0; i < w->num_rec; i++)
			renumber(new_index, &w->rec[i].prev);
		for (uint32_t k = 0; k < w->num_key; k++) {
			renumber(new_index, &w->key[k].first);
			renumber(new_index, &w->key[k].last);
		}
		for (uint32_t i = 0; i < w->num_frozen; i++) {
			renumber(new_index, &w->frozen[i].first);
			renumber(new_index, &w->frozen[i].rec);
		}
	}
	free(new_index);
	return rc;
}
