/*
 * The fold: what the records of a window add up to, key by key. See netchange.h for the states.
 *
 * For cdc_net_each the states are a map that applies all at once, and nothing more is to say. For
 * cdc_net_emit they must come out again as records that apply one after the other. Each state is
 * then a pending record that touches its own key, and for a move also the key the row came from;
 * the DELETED of that key is part of the move and prints nothing. What keeps this right is that no
 * two pending records touch the same key: they can then be printed in any order, so also in that of
 * their last contribution. Two rules maintain it:
 *
 *  - What destroys the row a pending move j -> k brought to k (a DELETE, an INSERT, another move)
 *    leaves of it that the row j had is gone: DELETE j becomes a record of its own.
 *  - What gives j new content while a pending move j -> k stands would be a second record on j.
 *    The move is frozen: it stays in the output as it is at that moment, at the record that
 *    contributed last to it, and both its keys start again as FRESH. Whatever comes later on them
 *    has a later place. (A row that moves back to j ends the move instead: it is an update of j.)
 *
 * Records before the last TRUNCATE of their table do not count; after it there is no row to
 * overlay, so there are no moves either.
 */
#include "record/net_impl.h"

/* A row taken from its key: the state it makes and the newest layer of its image. */
struct row {
	uint8_t state;
	uint32_t source;
	uint32_t head;
};

struct fold {
	struct net_window *w;
	bool moves;
	bool truncated; /* the record's table */
	struct cdc_err *err;
};

static struct row take(const struct fold *f, uint32_t k)
{
	const struct net_key *key = &f->w->key[k];

	switch ((enum net_state)key->state) {
	case NET_FRESH:
		if (!f->truncated)
			return (struct row){ NET_OVERLAY, k, NET_NONE };
		break;
	case NET_WHOLE:
		return (struct row){ NET_WHOLE, NET_NONE, key->last };
	case NET_OVERLAY:
		return (struct row){ NET_OVERLAY, key->link, key->last };
	case NET_DELETED:
		break;
	}
	return (struct row){ NET_WHOLE, NET_NONE, NET_NONE };
}

/* Put the after image of record r on top of the row. The same columns again replace a layer. */
static void overlay(const struct fold *f, struct row *row, uint32_t r)
{
	struct net_rec *rec = f->w->rec;

	if (row->head != NET_NONE && rec[r].shape && rec[r].shape == rec[row->head].shape)
		rec[r].prev = rec[row->head].prev;
	else
		rec[r].prev = row->head;
	row->head = r;
}

static void start_again(struct net_key *key)
{
	key->state = NET_FRESH;
	key->flags = NET_KEY_TOUCHED;
	key->first = key->last = key->link = NET_NONE;
}

static int freeze(const struct fold *f, uint32_t j)
{
	struct net_window *w = f->w;
	uint32_t k = w->key[j].link;
	void *grown = net_grown(w->frozen, &w->cap_frozen, (uint64_t)w->num_frozen + 1,
				sizeof(*w->frozen));

	if (!grown)
		return cdc_fail_nomem(f->err);
	w->frozen = grown;
	w->frozen[w->num_frozen++] = (struct net_frozen){ w->key[k].last, w->key[j].first };
	w->rec[w->key[k].last].flags |= NET_REC_FROZEN;
	start_again(&w->key[j]);
	start_again(&w->key[k]);
	return CDC_OK;
}

/* Key k is about to lose what it has, or (`fill`) to get new content. */
static int release(const struct fold *f, uint32_t k, bool fill)
{
	struct net_key *key = &f->w->key[k];

	if (!f->moves)
		return CDC_OK;
	if (key->state == NET_OVERLAY && key->link != k)
		f->w->key[key->link].link = NET_NONE;
	if (fill && key->state == NET_DELETED && key->link != NET_NONE)
		return freeze(f, k);
	return CDC_OK;
}

static void touch(const struct fold *f, uint32_t k, uint32_t r)
{
	struct net_key *key = &f->w->key[k];

	if (key->first == NET_NONE)
		key->first = r;
	key->last = r;
}

static int fold_insert(const struct fold *f, uint32_t r)
{
	const struct net_rec *rec = &f->w->rec[r];
	struct net_key *key = &f->w->key[rec->ka];
	bool init = rec->type == CDC_RECORD_INIT;
	int rc;

	if (key->state == NET_FRESH)
		init = init && !(key->flags & NET_KEY_TOUCHED);
	else
		init = init && (key->flags & NET_KEY_INIT);
	rc = release(f, rec->ka, true);
	if (rc)
		return rc;
	key->state = NET_WHOLE;
	key->link = NET_NONE;
	key->flags = init ? NET_KEY_INIT : NET_KEY_TOUCHED;
	touch(f, rec->ka, r);
	return CDC_OK;
}

static int fold_delete(const struct fold *f, uint32_t r)
{
	uint32_t k = f->w->rec[r].kb;
	struct net_key *key = &f->w->key[k];
	int rc = release(f, k, false);

	/* A row that has moved away is not there: the move stays as it is. */
	if (key->state != NET_DELETED)
		key->link = NET_NONE;
	key->state = NET_DELETED;
	key->flags = NET_KEY_TOUCHED;
	touch(f, k, r);
	return rc;
}

/* The row leaves j, whose own row is in `row` if row->source is j. */
static void leave(const struct fold *f, uint32_t j, uint32_t k, const struct row *row, uint32_t r)
{
	struct net_key *key = &f->w->key[j];

	if (key->state != NET_DELETED)
		key->link = NET_NONE;
	key->state = NET_DELETED;
	key->flags = NET_KEY_TOUCHED;
	touch(f, j, r);
	if (f->moves && row->state == NET_OVERLAY && row->source != k)
		f->w->key[row->source].link = k;
}

static int fold_update(const struct fold *f, uint32_t r)
{
	uint32_t j = f->w->rec[r].kb;
	uint32_t k = f->w->rec[r].ka;
	struct net_key *key = &f->w->key[k];
	struct row row = take(f, j);
	bool home = row.state == NET_OVERLAY && row.source == k;
	int rc = CDC_OK;

	overlay(f, &row, r);
	/* In place, only a row that is not there can be in the way of a move. */
	if (j != k || key->state == NET_DELETED)
		rc = release(f, k, !home);
	if (rc)
		return rc;
	if (j != k)
		leave(f, j, k, &row, r);
	key->state = row.state;
	key->link = row.source;
	key->flags = NET_KEY_TOUCHED;
	touch(f, k, r);
	return CDC_OK;
}

static int fold_one(struct fold *f, const struct cdc_net *net, uint32_t r)
{
	const struct net_rec *rec = &f->w->rec[r];
	uint32_t table;

	if (!cdc_record_is_row(rec->type))
		return CDC_OK;
	table = f->w->key[rec->ka].table;
	f->truncated = net_table_truncated(net, table);
	if (f->truncated && net_is_truncated(net, table, rec->order, net_rec_seq(f->w, r)))
		return CDC_OK;
	if (rec->type == CDC_RECORD_UPDATE)
		return fold_update(f, r);
	if (rec->type == CDC_RECORD_DELETE)
		return fold_delete(f, r);
	return fold_insert(f, r);
}

int net_fold(struct cdc_net *net, bool moves, struct cdc_err *err)
{
	struct fold f = { .w = &net->w, .moves = moves, .err = err };
	int rc = net_window_sort(&net->w, err);

	for (uint32_t i = net->w.folded; !rc && i < net->w.num_rec; i++)
		rc = fold_one(&f, net, net_at(&net->w, i));
	net->w.folded = net->w.num_rec;
	return rc;
}
