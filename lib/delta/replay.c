/*
 * Reconciliation (spec section 4): actions come newest first, and what is seen first wins. Only
 * what survives is copied into the snapshot.
 */
#include "delta/log_int.h"

#include <stdlib.h>

#define WEEK_MS (7 * CDC_MS_PER_DAY)

/* ------------------------------------------------------------------ copies */

static int copy_str(struct cdc_arena *a, struct cdc_str *s, struct cdc_err *err)
{
	if (!s->p)
		return CDC_OK;
	s->p = cdc_arena_dup(a, s->p, s->n);
	return s->p ? CDC_OK : cdc_fail_nomem(err);
}

static int copy_map(struct cdc_arena *a, struct cdc_kv **kv, int n, struct cdc_err *err)
{
	struct cdc_kv *to;
	int rc = CDC_OK;

	if (n == 0) {
		*kv = NULL;
		return CDC_OK;
	}
	to = cdc_arena_calloc(a, (size_t)n, sizeof(*to));
	if (!to)
		return cdc_fail_nomem(err);
	memcpy(to, *kv, (size_t)n * sizeof(*to));
	for (int i = 0; !rc && i < n; i++) {
		rc = copy_str(a, &to[i].key, err);
		if (!rc)
			rc = copy_str(a, &to[i].value, err);
	}
	*kv = to;
	return rc;
}

static int copy_list(struct cdc_arena *a, struct cdc_str **s, int n, struct cdc_err *err)
{
	struct cdc_str *to;
	int rc = CDC_OK;

	if (n == 0) {
		*s = NULL;
		return CDC_OK;
	}
	to = cdc_arena_calloc(a, (size_t)n, sizeof(*to));
	if (!to)
		return cdc_fail_nomem(err);
	memcpy(to, *s, (size_t)n * sizeof(*to));
	for (int i = 0; !rc && i < n; i++)
		rc = copy_str(a, &to[i], err);
	*s = to;
	return rc;
}

int cdc_action_copy(struct cdc_arena *a, enum cdc_action_kind kind, void *body, struct cdc_err *err)
{
	const struct cdc_action_def *d = &cdc_action_def[kind];
	int rc = CDC_OK;

	for (int i = 0; !rc && i < d->num_members; i++) {
		const struct cdc_member *m = &d->member[i];
		void *at = cdc_member_to(body, m->at);
		int n = 0;

		if (m->type == CDC_M_MAP || m->type == CDC_M_LIST)
			n = *(const int *)cdc_member_at(body, m->count_at);
		if (m->type == CDC_M_STRING || m->type == CDC_M_TAGS)
			rc = copy_str(a, at, err);
		else if (m->type == CDC_M_MAP)
			rc = copy_map(a, at, n, err);
		else if (m->type == CDC_M_LIST)
			rc = copy_list(a, at, n, err);
		else if (m->type == CDC_M_DV)
			rc = copy_str(a, &((struct cdc_dv_ref *)at)->path, err);
	}
	return rc;
}

/* ------------------------------------------------------------------ seen sets */

/* One file in two states is two keys: the deletion vector is part of it (spec section 4.4). */
static bool same_dv(const struct cdc_dv_ref *a, const struct cdc_dv_ref *b)
{
	if (!a || !b)
		return a == b;
	return a->storage == b->storage && cdc_str_eq(a->path, b->path) &&
	       a->has_offset == b->has_offset && (!a->has_offset || a->offset == b->offset);
}

static uint64_t key_hash(const struct cdc_replay_key *k)
{
	uint64_t h = cdc_hash64(k->name.p, k->name.n);

	if (k->dv)
		h ^= cdc_hash64(k->dv->path.p, k->dv->path.n) * 3 + (uint64_t)k->dv->offset;
	return h;
}

static bool set_has(const struct cdc_replay_set *s, const struct cdc_replay_key *k, uint64_t hash)
{
	struct cdc_map_iter it = cdc_map_seek(&s->map, hash);
	uint32_t i;

	while (cdc_map_next(&s->map, &it, &i)) {
		if (cdc_str_eq(s->key[i].name, k->name) && same_dv(s->key[i].dv, k->dv))
			return true;
	}
	return false;
}

/* Room for one more element of `size` bytes at *p. */
static int grow(void *pp, size_t n, size_t *cap, size_t size, struct cdc_err *err)
{
	void **p = pp;
	size_t want = *cap ? *cap + *cap / 2 : 64;
	void *q;

	if (n < *cap)
		return CDC_OK;
	if (n >= CDC_MAP_EMPTY - 1)
		return cdc_fail(err, CDC_ECORRUPT, "more than 2^32 files in one table");
	q = reallocarray(*p, want, size);
	if (!q)
		return cdc_fail_nomem(err);
	*p = q;
	*cap = want;
	return CDC_OK;
}

static int set_add(struct cdc_replay_set *s, struct cdc_replay_key k, uint64_t hash,
		   struct cdc_err *err)
{
	int rc = grow(&s->key, s->n, &s->cap, sizeof(k), err);

	if (!rc)
		rc = cdc_map_insert(&s->map, hash, (uint32_t)s->n, err);
	if (!rc)
		s->key[s->n++] = k;
	return rc;
}

static void set_free(struct cdc_replay_set *s)
{
	cdc_map_free(&s->map);
	free(s->key);
}

/* ------------------------------------------------------------------ actions */

/*
 * See whether a file's key is new; `path` and `dv` must already be the snapshot's own when it is
 * added, so the copy is made by the caller between the two.
 */
static int file_lookup(struct cdc_replay *r, struct cdc_str path, const struct cdc_dv_ref *dv,
		       struct cdc_replay_key *k, uint64_t *hash, bool *seen, struct cdc_err *err)
{
	int rc = cdc_path_canonical(&r->root, path, &k->name, err);

	if (rc)
		return rc;
	k->dv = dv->storage ? dv : NULL;
	*hash = key_hash(k);
	*seen = set_has(&r->files, k, *hash);
	return CDC_OK;
}

/* Remember the key: `own_path` is the snapshot's copy of `path`, reused where the canonical form
 * is a part of it. */
static int file_remember(struct cdc_replay *r, struct cdc_replay_key k, uint64_t hash,
			 struct cdc_str path, struct cdc_str own_path,
			 const struct cdc_dv_ref *own_dv, struct cdc_err *err)
{
	struct cdc_arena *a = &r->s->arena;
	struct cdc_dv_ref *dv;
	int rc;

	if (k.name.p >= path.p && k.name.p + k.name.n <= path.p + path.n) {
		k.name.p = own_path.p + (k.name.p - path.p);
	} else {
		rc = copy_str(a, &k.name, err);
		if (rc)
			return rc;
	}
	if (k.dv) {
		dv = cdc_arena_alloc(a, sizeof(*dv));
		if (!dv)
			return cdc_fail_nomem(err);
		*dv = *own_dv;
		k.dv = dv;
	}
	return set_add(&r->files, k, hash, err);
}

static int replay_add(struct cdc_replay *r, const struct cdc_add *add, struct cdc_err *err)
{
	struct cdc_snapshot *s = r->s;
	struct cdc_replay_key k;
	struct cdc_add own = *add;
	uint64_t hash;
	bool seen;
	int rc = file_lookup(r, add->path, &add->dv, &k, &hash, &seen, err);

	if (rc || seen)
		return rc;
	rc = cdc_action_copy(&s->arena, CDC_ACT_ADD, &own, err);
	if (!rc)
		rc = file_remember(r, k, hash, add->path, own.path, &own.dv, err);
	if (!rc)
		rc = grow(&s->add, s->num_adds, &r->cap_adds, sizeof(own), err);
	if (!rc)
		s->add[s->num_adds++] = own;
	return rc;
}

static int replay_remove(struct cdc_replay *r, const struct cdc_remove *remove, struct cdc_err *err)
{
	struct cdc_snapshot *s = r->s;
	struct cdc_replay_key k;
	struct cdc_remove own = *remove;
	uint64_t hash;
	bool seen;
	int rc = file_lookup(r, remove->path, &remove->dv, &k, &hash, &seen, err);

	if (rc || seen)
		return rc;
	rc = cdc_action_copy(&s->arena, CDC_ACT_REMOVE, &own, err);
	if (!rc)
		rc = file_remember(r, k, hash, remove->path, own.path, &own.dv, err);
	if (!rc)
		rc = grow(&s->tombstone, s->num_tombstones, &r->cap_tombstones, sizeof(own), err);
	if (!rc)
		s->tombstone[s->num_tombstones++] = own;
	return rc;
}

static int replay_txn(struct cdc_replay *r, const struct cdc_txn *txn, struct cdc_err *err)
{
	struct cdc_snapshot *s = r->s;
	struct cdc_replay_key k = { txn->app_id, NULL };
	struct cdc_txn own = *txn;
	uint64_t hash = key_hash(&k);
	int rc;

	if (set_has(&r->txns, &k, hash))
		return CDC_OK;
	rc = cdc_action_copy(&s->arena, CDC_ACT_TXN, &own, err);
	k.name = own.app_id;
	if (!rc)
		rc = set_add(&r->txns, k, hash, err);
	if (!rc)
		rc = grow(&s->txn, s->num_txns, &r->cap_txns, sizeof(own), err);
	if (!rc)
		s->txn[s->num_txns++] = own;
	return rc;
}

static int replay_domain(struct cdc_replay *r, const struct cdc_domain *domain, struct cdc_err *err)
{
	struct cdc_snapshot *s = r->s;
	struct cdc_replay_key k = { domain->domain, NULL };
	struct cdc_domain own = *domain;
	uint64_t hash = key_hash(&k);
	int rc;

	if (set_has(&r->domains, &k, hash))
		return CDC_OK;
	rc = cdc_action_copy(&s->arena, CDC_ACT_DOMAIN, &own, err);
	k.name = own.domain;
	if (!rc)
		rc = set_add(&r->domains, k, hash, err);
	if (!rc)
		rc = grow(&s->domain, s->num_domains, &r->cap_domains, sizeof(own), err);
	if (!rc)
		s->domain[s->num_domains++] = own;
	return rc;
}

int cdc_replay_seen(struct cdc_replay *r, const struct cdc_action *a, bool *seen,
		    struct cdc_err *err)
{
	struct cdc_replay_key k;
	uint64_t hash;

	*seen = false;
	if (a->kind == CDC_ACT_ADD)
		return file_lookup(r, a->u.add.path, &a->u.add.dv, &k, &hash, seen, err);
	if (a->kind == CDC_ACT_REMOVE)
		return file_lookup(r, a->u.remove.path, &a->u.remove.dv, &k, &hash, seen, err);
	return CDC_OK;
}

int cdc_replay_action(struct cdc_replay *r, const struct cdc_action *a, struct cdc_err *err)
{
	struct cdc_snapshot *s = r->s;
	int rc;

	switch (a->kind) {
	case CDC_ACT_ADD:
		return replay_add(r, &a->u.add, err);
	case CDC_ACT_REMOVE:
		return replay_remove(r, &a->u.remove, err);
	case CDC_ACT_TXN:
		return replay_txn(r, &a->u.txn, err);
	case CDC_ACT_DOMAIN:
		return replay_domain(r, &a->u.domain, err);
	case CDC_ACT_METADATA:
		if (r->has_metadata)
			return CDC_OK;
		r->has_metadata = true;
		s->metadata = a->u.metadata;
		return cdc_action_copy(&s->arena, CDC_ACT_METADATA, &s->metadata, err);
	case CDC_ACT_PROTOCOL:
		if (r->has_protocol)
			return CDC_OK;
		r->has_protocol = true;
		s->protocol = a->u.protocol;
		/* At once: with a feature that we do not know the rest may mean anything. */
		rc = cdc_action_copy(&s->arena, CDC_ACT_PROTOCOL, &s->protocol, err);
		return rc ? rc : cdc_protocol_check_readable(&s->protocol, err);
	case CDC_ACT_SIDECAR:
	case CDC_ACT_CHANGE:
	case CDC_ACT_CHECKPOINT:
	case CDC_ACT_COMMIT_INFO:
	case CDC_ACT_NUM:
		break;
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ order */

static void reverse(void *base, size_t n, size_t size)
{
	char tmp[sizeof(struct cdc_add) > sizeof(struct cdc_remove) ? sizeof(struct cdc_add)
								    : sizeof(struct cdc_remove)];
	char *lo = base, *hi;

	if (n < 2)
		return;
	for (hi = lo + (n - 1) * size; lo < hi; lo += size, hi -= size) {
		memcpy(tmp, lo, size);
		memcpy(lo, hi, size);
		memcpy(hi, tmp, size);
	}
}

/* From commits newest first, then the checkpoint, to the checkpoint, then commits oldest first. */
static void order(void *base, size_t n, size_t commits, size_t size)
{
	reverse(base, n, size);
	reverse(base, n - commits, size);
}

struct cdc_replay_mark cdc_replay_mark(const struct cdc_replay *r)
{
	const struct cdc_snapshot *s = r->s;

	return (struct cdc_replay_mark){ s->num_adds, s->num_tombstones, s->num_txns,
					 s->num_domains };
}

void cdc_replay_order(struct cdc_replay *r, struct cdc_replay_mark commits)
{
	struct cdc_snapshot *s = r->s;

	order(s->add, s->num_adds, commits.adds, sizeof(*s->add));
	order(s->tombstone, s->num_tombstones, commits.tombstones, sizeof(*s->tombstone));
	order(s->txn, s->num_txns, commits.txns, sizeof(*s->txn));
	order(s->domain, s->num_domains, commits.domains, sizeof(*s->domain));
}

int64_t cdc_replay_cutoff_ms(const struct cdc_snapshot *s, const struct cdc_io *io)
{
	return io->now_us(io->ctx) / 1000 -
	       cdc_snapshot_config_interval_ms(s, "delta.deletedFileRetentionDuration", WEEK_MS);
}

int cdc_replay_finish(struct cdc_replay *r, const struct cdc_io *io, struct cdc_err *err)
{
	struct cdc_snapshot *s = r->s;
	int64_t cutoff_ms;
	size_t n = 0;

	if (!r->has_protocol)
		return cdc_fail(err, CDC_ECORRUPT, "the log of %s has no protocol action",
				s->table);
	if (!r->has_metadata)
		return cdc_fail(err, CDC_ECORRUPT, "the log of %s has no metaData action",
				s->table);
	cutoff_ms = cdc_replay_cutoff_ms(s, io);
	for (size_t i = 0; i < s->num_tombstones; i++) {
		/* Without a timestamp it counts as 0: expired (spec section 3). */
		if (s->tombstone[i].deletion_timestamp_ms > cutoff_ms)
			s->tombstone[n++] = s->tombstone[i];
	}
	s->num_tombstones = n;
	n = 0;
	for (size_t i = 0; i < s->num_domains; i++) {
		if (!s->domain[i].removed)
			s->domain[n++] = s->domain[i];
	}
	s->num_domains = n;
	return CDC_OK;
}

void cdc_replay_init(struct cdc_replay *r, struct cdc_snapshot *s, const struct cdc_io *io)
{
	*r = (struct cdc_replay){ .s = s };
	r->root.io = io;
	r->root.table = s->table;
}

void cdc_replay_free(struct cdc_replay *r)
{
	cdc_path_root_free(&r->root);
	set_free(&r->files);
	set_free(&r->txns);
	set_free(&r->domains);
	*r = (struct cdc_replay){ .s = NULL };
}
