/*
 * The window: records and the keys they touch, in the order they came, and the order to fold in.
 */
#include "record/net_impl.h"

#include <stdlib.h>

#define MAP_KEEP_BYTES ((uint64_t)1 << 20)
#define MAP_KEY_BYTES 256

/* ------------------------------------------------------------------ tables */

static int table_new(struct cdc_net *net, struct cdc_str name, uint64_t hash, struct cdc_err *err)
{
	void *grown = net_grown(net->table, &net->cap_table, (uint64_t)net->num_table + 1,
				sizeof(*net->table));
	char *copy;

	if (!grown)
		return cdc_fail_nomem(err);
	net->table = grown;
	copy = cdc_arena_dup(&net->names, name.p, name.n);
	if (!copy)
		return cdc_fail_nomem(err);
	net->table[net->num_table] = (struct net_table){
		.name = cdc_str(copy, name.n),
		.salt = net->num_table ? cdc_hash64_u64(net->num_table) : 0,
	};
	return cdc_map_insert(&net->tables, hash, net->num_table++, err);
}

int net_table_of(struct cdc_net *net, struct cdc_str name, uint32_t *table, struct cdc_err *err)
{
	struct cdc_map_iter it;
	uint64_t hash;
	int rc;

	/* Records of one table come in runs. */
	if (net->num_table &&
	    (net->opt.one_table || cdc_str_eq(net->table[net->last_table].name, name))) {
		*table = net->last_table;
		return CDC_OK;
	}
	hash = cdc_hash64(name.p, name.n);
	it = cdc_map_seek(&net->tables, hash);
	while (cdc_map_next(&net->tables, &it, table))
		if (cdc_str_eq(net->table[*table].name, name)) {
			net->last_table = *table;
			return CDC_OK;
		}
	rc = table_new(net, name, hash, err);
	*table = net->last_table = net->num_table - 1;
	return rc;
}

/* Whether (a_order, a_seq) comes before (b_order, b_seq). */
static bool before(int64_t a_order, uint64_t a_seq, int64_t b_order, uint64_t b_seq)
{
	return a_order < b_order || (a_order == b_order && a_seq < b_seq);
}

bool net_is_truncated(const struct cdc_net *net, uint32_t table, int64_t order, uint64_t seq)
{
	const struct net_table *t = &net->table[table];

	return (t->truncated && before(order, seq, t->order, t->seq)) ||
	       (net->truncated_all && before(order, seq, net->all_order, net->all_seq));
}

bool net_table_truncated(const struct cdc_net *net, uint32_t table)
{
	return net->truncated_all || net->table[table].truncated;
}

bool net_truncate_counts(const struct cdc_net *net, uint32_t table, int64_t order, uint64_t seq)
{
	if (table == NET_NONE)
		return order == net->all_order && seq == net->all_seq;
	return !net_is_truncated(net, table, order, seq);
}

/* ------------------------------------------------------------------ shapes */

static bool shape_is(const struct net_shape *s, const struct cdc_record *r, uint32_t table)
{
	struct cdc_image_iter it = cdc_image_begin(r, r->after_tok);
	struct cdc_image_col col;
	const char *p = s->names.p;
	const char *end = p + s->names.n;

	if (s->table != table)
		return false;
	while (cdc_image_next(&it, &col)) {
		uint32_t n;

		if (p == end)
			return false;
		memcpy(&n, p, sizeof(n));
		p += sizeof(n);
		if (n != col.name.n || memcmp(p, col.name.p, n) != 0)
			return false;
		p += n;
	}
	return p == end;
}

static int shape_new(struct cdc_net *net, const struct cdc_record *r, uint32_t table, uint64_t hash,
		     struct cdc_err *err)
{
	struct cdc_err why = CDC_ERR_INIT;
	struct net_shape s = { .table = table };
	void *grown;
	char *copy;
	int rc;

	grown = net_grown(net->shape, &net->cap_shape, (uint64_t)net->num_shape + 1, sizeof(s));
	if (!grown)
		return cdc_fail_nomem(err);
	net->shape = grown;
	copy = cdc_arena_dup(&net->names, net->packed.p, net->packed.len);
	if (!copy)
		return cdc_fail_nomem(err);
	s.names = cdc_str(copy, net->packed.len);
	cdc_buf_reset(&net->packed);
	rc = net->opt.key_of(net->opt.key_ctx, r, r->after_tok, CDC_JSON_NONE, &net->packed, &why);
	s.has_keys = !rc;
	net->shape[net->num_shape] = s;
	return cdc_map_insert(&net->shapes, hash, net->num_shape++, err);
}

int net_shape_of(struct cdc_net *net, const struct cdc_record *r, uint32_t table, uint16_t *shape,
		 struct cdc_err *err)
{
	struct cdc_image_iter it = cdc_image_begin(r, r->after_tok);
	struct cdc_map_iter seek;
	struct cdc_image_col col;
	uint64_t hash;
	uint32_t i;
	int rc = CDC_OK;

	*shape = net->last_shape;
	if (net->last_shape && shape_is(&net->shape[net->last_shape], r, table))
		return CDC_OK;
	cdc_buf_reset(&net->packed);
	while (!rc && cdc_image_next(&it, &col)) {
		uint32_t n = (uint32_t)col.name.n;

		rc = cdc_buf_append(&net->packed, &n, sizeof(n), err);
		if (!rc)
			rc = cdc_buf_put(&net->packed, col.name, err);
	}
	if (rc)
		return rc;
	hash = cdc_hash64(net->packed.p, net->packed.len) ^ cdc_hash64_u64(table);
	seek = cdc_map_seek(&net->shapes, hash);
	while (cdc_map_next(&net->shapes, &seek, &i))
		if (shape_is(&net->shape[i], r, table)) {
			*shape = net->last_shape = (uint16_t)i;
			return CDC_OK;
		}
	*shape = 0;
	if (net->num_shape == NET_SHAPES_MAX)
		return CDC_OK;
	if (!net->num_shape)
		net->num_shape = 1;
	rc = shape_new(net, r, table, hash, err);
	if (!rc)
		*shape = net->last_shape = (uint16_t)(net->num_shape - 1);
	return rc;
}

/* ------------------------------------------------------------------ records and keys */

uint64_t net_key_hash(const struct cdc_net *net, uint32_t table, struct cdc_str key)
{
	return cdc_hash64(key.p, key.n) ^ net->table[table].salt;
}

static int key_intern(struct cdc_net *net, uint32_t table, struct cdc_str key, uint32_t *out,
		      struct cdc_err *err)
{
	struct net_window *w = &net->w;
	uint64_t hash = net_key_hash(net, table, key);
	struct cdc_map_iter it = cdc_map_seek(&w->map, hash);
	void *grown;
	char *copy;

	while (cdc_map_next(&w->map, &it, out)) {
		const struct net_key *k = &w->key[*out];

		if (k->table == table && k->n == key.n && !memcmp(k->p, key.p, key.n))
			return CDC_OK;
	}
	grown = net_grown(w->key, &w->cap_key, (uint64_t)w->num_key + 1, sizeof(*w->key));
	if (!grown)
		return cdc_fail_nomem(err);
	w->key = grown;
	copy = net_store_alloc(&w->key_bytes, key.n);
	if (!copy)
		return cdc_fail_nomem(err);
	memcpy(copy, key.p, key.n);
	w->key[w->num_key] = (struct net_key){
		.p = copy,
		.n = (uint32_t)key.n,
		.table = table,
		.first = NET_NONE,
		.last = NET_NONE,
		.link = NET_NONE,
	};
	*out = w->num_key;
	return cdc_map_insert(&w->map, hash, w->num_key++, err);
}

static const char *store_line(struct net_window *w, struct cdc_str line, uint64_t seq)
{
	size_t front = w->own_seq ? sizeof(seq) : 0;
	char *p = net_store_alloc(&w->lines, front + line.n + 1);

	if (!p)
		return NULL;
	if (front)
		memcpy(p, &seq, sizeof(seq));
	memcpy(p + front, line.p, line.n);
	p[front + line.n] = '\n';
	return p + front;
}

uint64_t net_rec_seq(const struct net_window *w, uint32_t i)
{
	uint64_t seq;

	if (!w->own_seq)
		return w->first_seq + i;
	memcpy(&seq, w->rec[i].line - sizeof(seq), sizeof(seq));
	return seq;
}

int net_window_add(struct cdc_net *net, const struct net_new *n, struct cdc_err *err)
{
	struct net_window *w = &net->w;
	struct net_rec r = {
		.order = n->order,
		.tag = n->tag,
		.line_len = (uint32_t)n->line.n,
		.after_off = n->after_off,
		.after_len = n->after_len,
		.prev = NET_NONE,
		.kb = NET_NONE,
		.ka = n->table,
		.shape = n->shape,
		.type = n->type,
	};
	void *grown = net_grown(w->rec, &w->cap_rec, (uint64_t)w->num_rec + 1, sizeof(*w->rec));
	int rc = CDC_OK;

	if (!grown)
		return cdc_fail_nomem(err);
	w->rec = grown;
	if (cdc_record_is_row(n->type)) {
		rc = key_intern(net, n->table, n->kb, &r.kb, err);
		r.ka = r.kb;
		if (!rc && n->ka.p != n->kb.p)
			rc = key_intern(net, n->table, n->ka, &r.ka, err);
	}
	if (rc)
		return rc;
	r.line = store_line(w, n->line, n->seq);
	if (!r.line)
		return cdc_fail_nomem(err);
	if (w->num_rec && n->order < w->last_order)
		w->disordered = true;
	else
		w->last_order = n->order;
	w->rec[w->num_rec++] = r;
	return CDC_OK;
}

uint64_t net_window_bytes(const struct net_window *w)
{
	uint64_t per_rec = sizeof(*w->rec) + (w->disordered ? 2 * sizeof(*w->sorted) : 0);

	return w->lines.used_bytes + w->key_bytes.used_bytes + w->num_rec * per_rec +
	       w->num_key * (uint64_t)sizeof(*w->key) +
	       w->num_frozen * (uint64_t)sizeof(*w->frozen) + cdc_map_bytes(&w->map);
}

void net_window_reset(struct net_window *w)
{
	net_store_reset(&w->lines);
	net_store_reset(&w->key_bytes);
	/* A map that one large window made is too dear to clear after each small one. */
	if (cdc_map_bytes(&w->map) > MAP_KEEP_BYTES + (uint64_t)w->num_key * MAP_KEY_BYTES)
		cdc_map_free(&w->map);
	else
		cdc_map_clear(&w->map);
	free(w->sorted);
	w->sorted = NULL;
	w->num_rec = w->num_key = w->num_frozen = w->folded = 0;
	w->own_seq = w->disordered = false;
	w->first_seq = 0;
}

void net_window_free(struct net_window *w)
{
	net_window_reset(w);
	net_store_free(&w->lines);
	net_store_free(&w->key_bytes);
	cdc_map_free(&w->map);
	free(w->rec);
	free(w->key);
	free(w->frozen);
	*w = (struct net_window){ 0 };
}

/* ------------------------------------------------------------------ order */

/* Merge the runs [a, b) and [b, e) of `from` into `to`, the left one first on ties. */
static void merge_two(const struct net_sorted *from, struct net_sorted *to, uint32_t a, uint32_t b,
		      uint32_t e)
{
	uint32_t i = a, j = b;

	for (uint32_t o = a; o < e; o++) {
		if (i < b && (j == e || from[i].order <= from[j].order))
			to[o] = from[i++];
		else
			to[o] = from[j++];
	}
}

static uint32_t run_end(const struct net_sorted *s, uint32_t i, uint32_t n)
{
	for (i++; i < n && s[i - 1].order <= s[i].order; i++)
		;
	return i < n ? i : n;
}

/* Natural merge sort: stable, and quick on the nearly sorted input that there is. */
int net_window_sort(struct net_window *w, struct cdc_err *err)
{
	uint32_t n = w->num_rec;
	struct net_sorted *a, *b;
	bool again = true;

	if (!w->disordered || w->sorted)
		return CDC_OK;
	a = reallocarray(NULL, n, sizeof(*a));
	b = reallocarray(NULL, n, sizeof(*b));
	if (!a || !b) {
		free(a);
		free(b);
		return cdc_fail_nomem(err);
	}
	for (uint32_t i = 0; i < n; i++)
		a[i] = (struct net_sorted){ w->rec[i].order, i };
	while (again) {
		struct net_sorted *t = a;

		again = false;
		for (uint32_t i = 0; i < n;) {
			uint32_t m = run_end(a, i, n);
			uint32_t e = m < n ? run_end(a, m, n) : n;

			merge_two(a, b, i, m, e);
			again = again || i || e < n;
			i = e;
		}
		a = b;
		b = t;
	}
	free(b);
	w->sorted = a;
	return CDC_OK;
}
