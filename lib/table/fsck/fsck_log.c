/*
 * The commits of the log, one by one: whether they are all there and can be read, whether each is
 * one that the protocol allows after those before it, and whether their times ascend (spec sections
 * 2, 3 and 13).
 */
#include "table/fsck/fsck_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum key_kind { KEY_REMOVE, KEY_ADD, KEY_TXN, KEY_DOMAIN };

/* What may occur once in a commit. */
struct key {
	enum key_kind kind;
	struct cdc_str name; /* canonical path, appId, domain */
	uint64_t dv; /* hash of the deletion vector's identity, 0: none */
};

/* A file that some commit added, and how it stands. Hashes: memory counts, there are many. */
struct state {
	struct cdc_hash128 path;
	uint64_t dv;
	bool live;
};

struct log_check {
	struct fsck *k;
	struct cdc_tape tape;
	struct cdc_buf text;
	struct cdc_path_root root;
	/* This commit. */
	struct fsck_place at;
	struct cdc_arena arena;
	struct key *key;
	size_t num_keys;
	size_t cap_keys;
	struct cdc_map keys;
	int num_actions;
	int num_metadata;
	int num_protocols;
	bool has_ict; /* in a commitInfo that comes first */
	int64_t ict_ms;
	/* All so far. */
	bool whole; /* they begin at version 0 */
	struct state *file;
	size_t num_files;
	size_t cap_files;
	struct cdc_map files;
	bool ict_known;
	bool ict_on;
	int64_t last_ict_ms; /* -1: none */
	int64_t last_mtime_ms;
	int64_t back_version; /* the first whose file is older than the one before; -1: none */
};

static void *grow(void *p, size_t n, size_t *cap, size_t size, struct cdc_err *err)
{
	size_t want = *cap ? *cap * 2 : 64;
	void *q;

	if (n < *cap)
		return p;
	q = n >= CDC_MAP_EMPTY - 1 ? NULL : reallocarray(p, want, size);
	if (q)
		*cap = want;
	else
		cdc_fail_nomem(err);
	return q;
}

/* ------------------------------------------------------------------ within a commit */

static uint64_t dv_identity(const struct cdc_dv_ref *dv)
{
	uint64_t h;

	if (!dv->storage)
		return 0;
	h = cdc_hash64(dv->path.p, dv->path.n) * 3 + (uint64_t)(unsigned char)dv->storage;
	if (dv->has_offset)
		h += (uint64_t)(uint32_t)dv->offset * 31 + 7;
	return h | 1;
}

static const struct key *find_key(const struct log_check *c, enum key_kind kind,
				  struct cdc_str name, uint64_t hash)
{
	struct cdc_map_iter it = cdc_map_seek(&c->keys, hash);
	uint32_t i;

	while (cdc_map_next(&c->keys, &it, &i))
		if (c->key[i].kind == kind && cdc_str_eq(c->key[i].name, name))
			return &c->key[i];
	return NULL;
}

static int add_key(struct log_check *c, enum key_kind kind, struct cdc_str name, uint64_t dv,
		   struct cdc_err *err)
{
	static const char *const noun[] = { "removes", "adds", "txn actions of", "domains named" };
	uint64_t hash = cdc_hash64(name.p, name.n);
	enum key_kind other = kind == KEY_ADD ? KEY_REMOVE : KEY_ADD;
	const struct key *twin;
	struct key *grown;

	if (find_key(c, kind, name, hash))
		return fsck_report(c->k, FSCK_LOG_ACTIONS, c->at, err, "two %s \"%.*s\"",
				   noun[kind], FSCK_SHOWN(name));
	twin = kind <= KEY_ADD ? find_key(c, other, name, hash) : NULL;
	if (twin && twin->dv == dv &&
	    fsck_report(c->k, FSCK_LOG_ACTIONS, c->at, err,
			"\"%.*s\" is both removed and added, with one deletion vector",
			FSCK_SHOWN(name)))
		return err->code;
	grown = grow(c->key, c->num_keys, &c->cap_keys, sizeof(*grown), err);
	if (!grown)
		return err->code;
	c->key = grown;
	name.p = cdc_arena_dup(&c->arena, name.p ? name.p : "", name.n);
	if (!name.p)
		return cdc_fail_nomem(err);
	c->key[c->num_keys] = (struct key){ kind, name, dv };
	return cdc_map_insert(&c->keys, hash, (uint32_t)c->num_keys++, err);
}

static int take_file(struct log_check *c, enum key_kind kind, struct cdc_str uri,
		     const struct cdc_dv_ref *dv, struct cdc_err *err)
{
	struct cdc_err why = CDC_ERR_INIT;
	struct cdc_str name;

	if (cdc_path_canonical(&c->root, uri, &name, &why))
		return fsck_report_err(c->k, FSCK_LOG_ACTIONS, c->at, &why, err);
	return add_key(c, kind, name, dv_identity(dv), err);
}

static void take_metadata(struct log_check *c, const struct cdc_metadata *m)
{
	c->num_metadata++;
	c->ict_known = true;
	c->ict_on = cdc_metadata_config_is(m, "delta.enableInCommitTimestamps", "true");
}

static int take_action(void *ctx, const struct cdc_action *a, struct cdc_err *err)
{
	static const struct cdc_dv_ref no_dv = { .storage = 0 };
	struct log_check *c = ctx;
	bool first = c->num_actions++ == 0;

	switch (a->kind) {
	case CDC_ACT_ADD:
		return take_file(c, KEY_ADD, a->u.add.path, &a->u.add.dv, err);
	case CDC_ACT_REMOVE:
		return take_file(c, KEY_REMOVE, a->u.remove.path, &a->u.remove.dv, err);
	case CDC_ACT_TXN:
		return add_key(c, KEY_TXN, a->u.txn.app_id, 0, err);
	case CDC_ACT_DOMAIN:
		return add_key(c, KEY_DOMAIN, a->u.domain.domain, 0, err);
	case CDC_ACT_METADATA:
		take_metadata(c, &a->u.metadata);
		break;
	case CDC_ACT_PROTOCOL:
		c->num_protocols++;
		break;
	case CDC_ACT_CHANGE:
		return cdc_tree_set_add(c->k->known, a->u.change.path, &no_dv, err);
	case CDC_ACT_COMMIT_INFO:
		if (first && a->u.info.has_in_commit_timestamp) {
			c->has_ict = true;
			c->ict_ms = a->u.info.in_commit_timestamp_ms;
		}
		break;
	case CDC_ACT_SIDECAR:
	case CDC_ACT_CHECKPOINT:
	case CDC_ACT_NUM:
		break;
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ after the commits before */

static int find_state(struct log_check *c, struct cdc_str name, struct state **out,
		      struct cdc_err *err)
{
	struct cdc_hash128 h = cdc_hash128(name.p, name.n);
	struct cdc_map_iter it = cdc_map_seek(&c->files, h.lo);
	struct state *grown;
	uint32_t i;

	while (cdc_map_next(&c->files, &it, &i)) {
		*out = &c->file[i];
		if (c->file[i].path.lo == h.lo && c->file[i].path.hi == h.hi)
			return CDC_OK;
	}
	grown = grow(c->file, c->num_files, &c->cap_files, sizeof(*grown), err);
	if (!grown)
		return err->code;
	c->file = grown;
	*out = &c->file[c->num_files];
	**out = (struct state){ .path = h };
	return cdc_map_insert(&c->files, h.lo, (uint32_t)c->num_files++, err);
}

/* A remove cancels the add with the same deletion vector and no other; a path is live once. */
static int apply(struct log_check *c, const struct key *key, struct cdc_err *err)
{
	struct state *s = NULL;
	int rc = find_state(c, key->name, &s, err);

	if (rc)
		return rc;
	if (s->live && s->dv != key->dv) {
		rc = fsck_report(c->k, FSCK_LOG_ACTIONS, c->at, err,
				 key->kind == KEY_ADD
					 ? "\"%.*s\" is added, and is live with another deletion "
					   "vector that is not removed"
					 : "\"%.*s\" is removed with another deletion vector than "
					   "it has, and stays",
				 FSCK_SHOWN(key->name));
		if (rc || key->kind == KEY_REMOVE)
			return rc;
	}
	s->live = key->kind == KEY_ADD;
	s->dv = key->dv;
	return CDC_OK;
}

static int apply_files(struct log_check *c, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int kind = KEY_REMOVE; kind <= KEY_ADD; kind++)
		for (size_t i = 0; !rc && i < c->num_keys; i++)
			if ((int)c->key[i].kind == kind)
				rc = apply(c, &c->key[i], err);
	return rc;
}

static int check_ict(struct log_check *c, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (!c->ict_known && c->has_ict)
		c->ict_known = c->ict_on = true;
	if (c->ict_on && !c->has_ict)
		rc = fsck_report(c->k, FSCK_LOG_TIME, c->at, err,
				 "the commit does not begin with a commitInfo that has an "
				 "inCommitTimestamp");
	if (!rc && c->ict_on && c->has_ict && c->ict_ms <= c->last_ict_ms)
		rc = fsck_report(c->k, FSCK_LOG_TIME, c->at, err,
				 "the inCommitTimestamp %" PRId64 " is not after the %" PRId64
				 " of the version before",
				 c->ict_ms, c->last_ict_ms);
	c->last_ict_ms = c->ict_on && c->has_ict ? c->ict_ms : -1;
	return rc;
}

static int check_counts(struct log_check *c, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (c->num_metadata > 1)
		rc = fsck_report(c->k, FSCK_LOG_ACTIONS, c->at, err, "%d metaData actions",
				 c->num_metadata);
	if (!rc && c->num_protocols > 1)
		rc = fsck_report(c->k, FSCK_LOG_ACTIONS, c->at, err, "%d protocol actions",
				 c->num_protocols);
	if (!rc && c->at.version == 0 && !c->num_metadata)
		rc = fsck_report(c->k, FSCK_LOG_ACTIONS, c->at, err,
				 "version 0 has no metaData action");
	if (!rc && c->at.version == 0 && !c->num_protocols)
		rc = fsck_report(c->k, FSCK_LOG_ACTIONS, c->at, err,
				 "version 0 has no protocol action");
	return rc;
}

static int check_file_time(struct log_check *c, const char *path, struct cdc_err *err)
{
	struct stat st;
	int64_t ms;

	if (c->k->io->stat(c->k->io->ctx, path, &st) < 0)
		return cdc_fail_errno(err, errno, "cannot stat %s", path);
	ms = cdc_tree_mtime_ms(&st);
	if (ms < c->last_mtime_ms && c->back_version < 0 && !c->ict_on)
		c->back_version = c->at.version;
	c->last_mtime_ms = ms;
	return CDC_OK;
}

static int check_commit(struct log_check *c, const struct cdc_log_file *f, struct cdc_err *err)
{
	struct cdc_err why = CDC_ERR_INIT;
	const char *path;
	int rc;

	cdc_arena_reset(&c->arena);
	cdc_map_clear(&c->keys);
	cdc_buf_reset(&c->text);
	c->num_keys = 0;
	c->num_actions = c->num_metadata = c->num_protocols = 0;
	c->has_ict = false;
	c->at = (struct fsck_place){ cdc_str_z(f->name), f->version };
	rc = cdc_log_path(c->k->table, f->name, &c->arena, &path, err);
	if (rc)
		return rc;
	rc = cdc_log_read_file(c->k->io, path, &c->text, &why);
	if (!rc)
		rc = cdc_actions_parse(&c->tape, cdc_buf_str(&c->text), &c->arena, take_action, c,
				       &why);
	/* What follows would only tell of what could not be read. */
	if (rc)
		return fsck_report_err(c->k, FSCK_LOG_COMMIT, c->at, &why, err);
	rc = check_counts(c, err);
	if (!rc)
		rc = check_ict(c, err);
	if (!rc && c->whole)
		rc = apply_files(c, err);
	if (!rc)
		rc = fsck_side_file(c->k, path, c->at, err);
	return rc ? rc : check_file_time(c, path, err);
}

/* ------------------------------------------------------------------ all */

/* Whether a compacted file stands for the versions that are missing. */
static bool is_bridged(const struct cdc_log_list *l, int64_t first, int64_t last)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->file[i].kind == CDC_LOG_COMPACTED && l->file[i].version <= first &&
		    l->file[i].last >= last)
			return true;
	return false;
}

static int check_gap(struct fsck *k, int64_t after, int64_t version, struct cdc_err *err)
{
	const struct fsck_place at = { .version = after + 1 };
	struct cdc_log_checkpoint cp;
	size_t i = k->list.n;

	if (version == after + 1 || is_bridged(&k->list, after + 1, version - 1))
		return CDC_OK;
	if (after >= 0)
		return fsck_report(k, FSCK_LOG_GAP, at, err,
				   "the commits of versions %" PRId64 " to %" PRId64 " are missing",
				   after + 1, version - 1);
	/* The older ones were cleaned up, which takes a checkpoint that holds their state. */
	while (cdc_log_checkpoint_before(&k->list, INT64_MAX, &i, &cp))
		if (cp.version >= version - 1)
			return CDC_OK;
	return fsck_report(k, FSCK_LOG_GAP, at, err,
			   "the log begins at version %" PRId64
			   ", and no checkpoint holds what was "
			   "before",
			   version);
}

static int check_commits(struct log_check *c, struct cdc_err *err)
{
	struct fsck *k = c->k;
	int64_t after = -1;
	int rc = CDC_OK;

	c->whole = cdc_log_commit_find(&k->list, 0) != NULL;
	for (size_t i = 0; !rc && i < k->list.n; i++) {
		const struct cdc_log_file *f = &k->list.file[i];

		if (k->io->interrupted(k->io->ctx))
			return cdc_fail(err, CDC_EINTR, "interrupted");
		if (f->kind != CDC_LOG_COMMIT)
			continue;
		rc = check_gap(k, after, f->version, err);
		c->whole = c->whole && f->version == after + 1;
		if (!rc)
			rc = check_commit(c, f, err);
		after = f->version;
	}
	if (!rc && c->back_version >= 0)
		rc = fsck_report(k, FSCK_LOG_FILE_TIME,
				 (struct fsck_place){ .version = c->back_version }, err,
				 "the commit's file is older than that of the version before, and "
				 "their times tell when versions were made");
	return rc;
}

int fsck_log(struct fsck *k, struct cdc_err *err)
{
	struct log_check c = { .k = k,
			       .tape = CDC_TAPE_INIT,
			       .text = CDC_BUF_INIT_MAX(CDC_LOG_JSON_MAX),
			       .root = { .io = k->io, .table = k->table },
			       .last_ict_ms = -1,
			       .last_mtime_ms = INT64_MIN,
			       .back_version = -1 };
	int rc = check_commits(&c, err);

	free(c.key);
	free(c.file);
	cdc_map_free(&c.keys);
	cdc_map_free(&c.files);
	cdc_path_root_free(&c.root);
	cdc_tape_free(&c.tape);
	cdc_buf_free(&c.text);
	cdc_arena_free(&c.arena);
	return rc;
}
