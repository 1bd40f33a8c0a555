/*
 * What the commits of other writers mean for a compaction under way: Delta's conflict rules for a
 * transaction that changes no row (spec section 14). See compact_int.h.
 *
 * New files do not matter. A file of ours that is gone costs its bin. One that got a new deletion
 * vector was removed and added under the same path: its rows can be found again.
 */
#include "table/compact/compact_int.h"

#include <stdlib.h>

/* Our inputs by their decoded paths. */
struct known {
	struct cdc_map map;
	struct place {
		size_t bin;
		size_t input;
		struct cdc_str path;
		bool gone; /* removed by the commit at hand, and not added again */
	} * place;
	size_t n;
	struct cdc_arena arena;
};

static int decoded(struct cdc_str uri, struct cdc_arena *arena, struct cdc_str *out,
		   struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	int rc = cdc_path_decode(uri, &b, err);

	if (!rc) {
		*out = cdc_str(cdc_arena_dup(arena, b.p ? b.p : "", b.len), b.len);
		rc = out->p ? CDC_OK : cdc_fail_nomem(err);
	}
	cdc_buf_free(&b);
	return rc;
}

static int know_inputs(struct known *n, const struct compaction *k, struct cdc_err *err)
{
	size_t total = 0;
	int rc = CDC_OK;

	for (size_t b = 0; b < k->num_bins; b++)
		total += k->bin[b].lost ? 0 : k->bin[b].n;
	n->place = reallocarray(NULL, total + 1, sizeof(*n->place));
	if (!n->place || total >= CDC_MAP_EMPTY)
		return cdc_fail_nomem(err);
	for (size_t b = 0; b < k->num_bins; b++) {
		for (size_t i = 0; !rc && !k->bin[b].lost && i < k->bin[b].n; i++) {
			struct place *p = &n->place[n->n];

			*p = (struct place){ .bin = b, .input = i };
			rc = decoded(k->bin[b].input[i].add->path, &n->arena, &p->path, err);
			if (!rc)
				rc = cdc_map_insert(&n->map, cdc_hash64(p->path.p, p->path.n),
						    (uint32_t)n->n++, err);
		}
	}
	return rc;
}

static void forget_inputs(struct known *n)
{
	cdc_map_free(&n->map);
	free(n->place);
	cdc_arena_free(&n->arena);
}

static int find_input(struct known *n, struct cdc_str uri, struct place **found,
		      struct cdc_err *err)
{
	struct cdc_map_iter it;
	struct cdc_str path;
	uint32_t i;
	int rc = decoded(uri, &n->arena, &path, err);

	*found = NULL;
	if (rc)
		return rc;
	it = cdc_map_seek(&n->map, cdc_hash64(path.p, path.n));
	while (!*found && cdc_map_next(&n->map, &it, &i))
		if (cdc_str_eq(n->place[i].path, path))
			*found = &n->place[i];
	return CDC_OK;
}

static bool is_relative(struct cdc_str path)
{
	const char *slash = path.n ? memchr(path.p, '/', path.n) : NULL;
	size_t first = slash ? (size_t)(slash - path.p) : path.n;

	return first && !memchr(path.p, ':', first);
}

static int note_removes(struct known *n, const struct cdc_commit_actions *a, struct cdc_err *err)
{
	for (size_t i = 0; i < a->num_removes; i++) {
		struct place *p;

		if (find_input(n, a->remove[i].path, &p, err))
			return err->code;
		if (p)
			p->gone = true;
		else if (!is_relative(a->remove[i].path))
			/* Perhaps one of ours by another name: read the state anew. */
			return cdc_fail(err, CDC_ECONFLICT,
					"version %lld removes a file by an absolute path",
					(long long)a->version);
	}
	return CDC_OK;
}

static int note_adds(struct known *n, struct compaction *k, const struct cdc_commit_actions *a,
		     struct cdc_err *err)
{
	for (size_t i = 0; i < a->num_adds; i++) {
		struct compact_input *in;
		struct place *p;

		if (find_input(n, a->add[i].path, &p, err))
			return err->code;
		if (!p)
			continue;
		in = &k->bin[p->bin].input[p->input];
		p->gone = false;
		in->now.dv = a->add[i].dv;
		in->now.dv.path.p = cdc_arena_dup(
			&k->arena, in->now.dv.path.p ? in->now.dv.path.p : "", in->now.dv.path.n);
		if (!in->now.dv.path.p)
			return cdc_fail_nomem(err);
		in->marked = !cdc_dv_ref_equal(&in->now.dv, &in->add->dv);
	}
	return CDC_OK;
}

int compact_rebase(struct compaction *k, int64_t version, struct cdc_err *err)
{
	struct cdc_commit_actions a;
	struct known n = { .map = CDC_MAP_INIT };
	int rc = cdc_commit_read(k->io, k->s->table, version, &a, err);

	if (rc)
		return rc;
	if (a.has_metadata || a.has_protocol)
		rc = cdc_fail(err, CDC_ECONFLICT, "version %lld changed the table's metadata",
			      (long long)version);
	for (size_t i = 0; !rc && i < a.num_domains; i++)
		rc = cdc_row_tracking_follow(&a.domain[i], &k->row_id_mark, err);
	if (!rc && (a.num_removes || a.num_adds))
		rc = know_inputs(&n, k, err);
	if (!rc)
		rc = note_removes(&n, &a, err);
	if (!rc)
		rc = note_adds(&n, k, &a, err);
	for (size_t i = 0; !rc && i < n.n; i++)
		if (n.place[i].gone)
			k->bin[n.place[i].bin].lost = true;
	forget_inputs(&n);
	cdc_commit_actions_free(&a);
	return rc;
}
