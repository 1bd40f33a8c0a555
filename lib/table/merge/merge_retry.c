/*
 * What the commits of other writers mean for a batch that lost to them. See merge_internal.h.
 *
 * Nothing that the batch read is assumed to be still there. Files of the plan that are gone leave
 * it; files that are new, or have another deletion vector, are probed for the batch's keys. Where
 * neither concerns a row of the batch, what was written already is committed as it is. A compaction
 * that moved rows of the batch is no different from any other writer: they are found where they are
 * now.
 */
#include "base/hash.h"
#include "table/merge/merge_internal.h"

#include <stdlib.h>

static uint64_t hash_of(const struct cdc_add *a)
{
	return cdc_hash64(a->path.p, a->path.n);
}

/* The same file with the same rows. */
static bool same_file(const struct cdc_add *a, const struct cdc_add *b)
{
	return cdc_str_eq(a->path, b->path) && cdc_dv_ref_equal(&a->dv, &b->dv);
}

/* Live files of before and now. */
struct moving {
	const struct cdc_snapshot *old;
	const struct cdc_snapshot *now;
	const struct cdc_add **still; /* of each old file: itself, now; NULL: gone */
	const struct cdc_add **fresh; /* files that were not there */
	size_t num_fresh;
};

static int compare_files(struct moving *v, struct cdc_err *err)
{
	struct cdc_map map = CDC_MAP_INIT;
	int rc = CDC_OK;

	v->still = calloc(v->old->num_adds + 1, sizeof(*v->still));
	v->fresh = malloc((v->now->num_adds + 1) * sizeof(*v->fresh));
	if (!v->still || !v->fresh)
		return cdc_fail_nomem(err);
	for (size_t i = 0; !rc && i < v->old->num_adds; i++)
		rc = cdc_map_insert(&map, hash_of(&v->old->add[i]), (uint32_t)i, err);
	for (size_t i = 0; !rc && i < v->now->num_adds; i++) {
		const struct cdc_add *a = &v->now->add[i];
		struct cdc_map_iter it = cdc_map_seek(&map, hash_of(a));
		uint32_t k;
		bool found = false;

		while (!found && cdc_map_next(&map, &it, &k))
			found = same_file(&v->old->add[k], a);
		if (found)
			v->still[k] = a;
		else
			v->fresh[v->num_fresh++] = a;
	}
	cdc_map_free(&map);
	return rc;
}

/* Point the plan to the files as they are now; those that are gone leave it. */
static bool drop_gone(struct plan *p, const struct moving *v)
{
	size_t kept = 0, before = p->n;

	for (size_t i = 0; i < p->n; i++) {
		struct touched *t = &p->touched[i];

		t->add = v->still[t->add - v->old->add];
		if (t->add)
			p->touched[kept++] = *t;
		else
			touched_free(t);
	}
	p->n = kept;
	return kept != before;
}

static int move_plan(struct cdc_merge *m, struct batch *b, struct plan *p, struct moving *v,
		     bool *changed, struct cdc_err *err)
{
	size_t before;
	int rc = compare_files(v, err);

	if (rc)
		return rc;
	*changed |= drop_gone(p, v);
	before = p->n;
	rc = probe_files(m, b, p, v->fresh, v->num_fresh, err);
	*changed |= p->n != before;
	return rc;
}

/* Properties and features may have changed what is to be written. */
static bool same_settings(const struct cdc_snapshot *a, const struct cdc_snapshot *b)
{
	bool same = a->metadata.num_config == b->metadata.num_config &&
		    a->protocol.reader_version == b->protocol.reader_version &&
		    a->protocol.writer_version == b->protocol.writer_version &&
		    a->protocol.num_writer_features == b->protocol.num_writer_features;

	for (int i = 0; same && i < a->metadata.num_config; i++) {
		const struct cdc_kv *x = &a->metadata.config[i], *y = &b->metadata.config[i];

		same = cdc_str_eq(x->key, y->key) && cdc_str_eq(x->value, y->value);
	}
	return same;
}

int merge_reload(struct cdc_merge *m, struct batch *b, struct cdc_snapshot **old,
		 struct cdc_err *err)
{
	int rc = cdc_target_reload(&m->target, old, err);

	b->rows.schema = &m->target.snapshot->schema;
	return rc ? rc : merge_use_snapshot(m, err);
}

int merge_rebase(struct cdc_merge *m, struct batch *b, struct plan *p, bool *changed,
		 struct cdc_err *err)
{
	struct moving v = { .num_fresh = 0 };
	struct cdc_snapshot *old = NULL;
	int rc = merge_reload(m, b, &old, err);

	*changed = false;
	seen_stop(&m->seen);
	if (!rc)
		rc = merge_check_positions(m, err);
	v.old = old;
	v.now = m->target.snapshot;
	/* Columns that are pending have got their names anew. */
	if (!rc && (m->target.pending || !same_settings(v.old, v.now)))
		*changed = true;
	if (!rc && p->probed) {
		rc = move_plan(m, b, p, &v, changed, err);
	} else if (!rc) {
		/* No file was looked at, or all of them go. */
		*changed = true;
		plan_free(p);
		rc = probe_table(m, b, p, err);
	}
	free(v.still);
	free(v.fresh);
	cdc_snapshot_free(old);
	return rc;
}
