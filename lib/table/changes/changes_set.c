/*
 * Which rows of which files a commit took away and which it brought. See changes_int.h.
 */
#include "table/changes/changes_int.h"

#include "delta/path.h"

#include <stdlib.h>

/* Files of the commit by where they are: two spellings of one path are one file. */
struct by_path {
	struct cdc_str *path; /* of remove i; p == NULL: paired with an add */
	struct cdc_map map;
};

static int local_path(const struct cdc_snapshot *s, struct cdc_str uri, struct cdc_buf *out,
		      struct cdc_err *err)
{
	cdc_buf_reset(out);
	return cdc_path_local(s->table, uri, out, err);
}

static int index_removes(struct by_path *by, struct changes_set *set, const struct cdc_snapshot *s,
			 const struct cdc_commit_actions *a, struct cdc_err *err)
{
	struct cdc_buf path = CDC_BUF_INIT;
	int rc = CDC_OK;

	by->path = cdc_arena_calloc(&set->arena, a->num_removes + 1, sizeof(*by->path));
	if (!by->path || a->num_removes >= CDC_MAP_EMPTY)
		return cdc_fail_nomem(err);
	for (size_t i = 0; !rc && i < a->num_removes; i++) {
		rc = local_path(s, a->remove[i].path, &path, err);
		if (rc)
			break;
		by->path[i] = cdc_str(cdc_arena_dup(&set->arena, path.p, path.len), path.len);
		rc = by->path[i].p ? cdc_map_insert(&by->map, cdc_hash64(path.p, path.len),
						    (uint32_t)i, err)
				   : cdc_fail_nomem(err);
	}
	cdc_buf_free(&path);
	return rc;
}

/* The remove of a path, which is then paired; NULL if there is none. */
static const struct cdc_remove *take_remove(struct by_path *by, const struct cdc_commit_actions *a,
					    struct cdc_str path)
{
	struct cdc_map_iter it = cdc_map_seek(&by->map, cdc_hash64(path.p, path.n));
	uint32_t i;

	while (cdc_map_next(&by->map, &it, &i))
		if (by->path[i].p && cdc_str_eq(by->path[i], path)) {
			by->path[i].p = NULL;
			return &a->remove[i];
		}
	return NULL;
}

/* The files before the commit, by where they are. */
static int load_before(struct changes_set *set, const struct cdc_io *io,
		       const struct cdc_snapshot *s, int64_t version, struct cdc_err *err)
{
	struct cdc_buf path = CDC_BUF_INIT;
	int rc = cdc_snapshot_load(&set->before, io, s->table, version - 1, err);

	if (!rc && set->before->num_adds >= CDC_MAP_EMPTY)
		rc = cdc_fail_nomem(err);
	for (size_t i = 0; !rc && i < set->before->num_adds; i++) {
		rc = local_path(s, set->before->add[i].path, &path, err);
		if (!rc)
			rc = cdc_map_insert(&set->before_paths, cdc_hash64(path.p, path.len),
					    (uint32_t)i, err);
	}
	cdc_buf_free(&path);
	return rc;
}

/* Partition values of a remove that does not tell them, from the add that it takes back. */
static int find_values(struct changes_set *set, const struct cdc_io *io,
		       const struct cdc_snapshot *s, int64_t version, struct cdc_str path,
		       struct cdc_add *add, struct cdc_err *err)
{
	struct cdc_buf local = CDC_BUF_INIT;
	struct cdc_map_iter it;
	uint32_t i;
	int rc = set->before ? CDC_OK : load_before(set, io, s, version, err);

	it = cdc_map_seek(&set->before_paths, cdc_hash64(path.p, path.n));
	while (!rc && cdc_map_next(&set->before_paths, &it, &i)) {
		const struct cdc_add *b = &set->before->add[i];

		rc = local_path(s, b->path, &local, err);
		if (!rc && cdc_str_eq(cdc_buf_str(&local), path)) {
			add->partition_value = b->partition_value;
			add->num_partition_values = b->num_partition_values;
		}
	}
	cdc_buf_free(&local);
	return rc;
}

/* Spark's removes of files that it knew from a checkpoint lack the values that are null. */
static int add_nulls(struct changes_set *set, const struct cdc_snapshot *s, struct cdc_add *add,
		     struct cdc_err *err)
{
	int n = add->num_partition_values, max = n + s->metadata.num_partition_columns;
	struct cdc_kv *all = cdc_arena_calloc(&set->arena, (size_t)max + 1, sizeof(*all));

	if (!all)
		return cdc_fail_nomem(err);
	for (int i = 0; i < n; i++)
		all[i] = add->partition_value[i];
	for (int i = 0; i < s->schema.num_fields; i++) {
		bool found = !s->schema.field[i].is_partition;

		for (int k = 0; !found && k < add->num_partition_values; k++)
			found = cdc_str_eq(all[k].key, s->schema.field[i].physical_name);
		if (!found && n < max)
			all[n++].key = s->schema.field[i].physical_name;
	}
	add->partition_value = all;
	add->num_partition_values = n;
	return CDC_OK;
}

static void put_file(struct changes_set *set, enum changes_side side, struct changes_file f)
{
	set->file[side][set->num_files[side]++] = f;
}

static const struct cdc_dv_ref *dv_of(const struct cdc_dv_ref *dv)
{
	return dv->storage ? dv : NULL;
}

/* All rows of a file that went. */
static int put_removed(struct changes_set *set, const struct cdc_io *io,
		       const struct cdc_snapshot *s, int64_t version, const struct cdc_remove *r,
		       struct cdc_str path, struct cdc_err *err)
{
	struct cdc_add *add = cdc_arena_calloc(&set->arena, 1, sizeof(*add));
	int rc = CDC_OK;

	if (!add)
		return cdc_fail_nomem(err);
	add->path = r->path;
	add->size_bytes = r->size_bytes;
	add->partition_value = r->partition_value;
	add->num_partition_values = r->num_partition_values;
	if (s->metadata.num_partition_columns)
		rc = r->extended || r->num_partition_values
			     ? add_nulls(set, s, add, err)
			     : find_values(set, io, s, version, path, add, err);
	put_file(set, CHANGES_OLD, (struct changes_file){ .add = add, .except = dv_of(&r->dv) });
	return rc;
}

static void put_added(struct changes_set *set, const struct cdc_add *add,
		      const struct cdc_remove *r)
{
	const struct cdc_dv_ref *now = dv_of(&add->dv);
	const struct cdc_dv_ref *before = r ? dv_of(&r->dv) : NULL;

	if (!r) {
		put_file(set, CHANGES_NEW, (struct changes_file){ .add = add, .except = now });
		return;
	}
	/* The file stays: rows that are marked now, and rows that are not any more. */
	if (now)
		put_file(set, CHANGES_OLD,
			 (struct changes_file){ .add = add, .only = now, .except = before });
	if (before)
		put_file(set, CHANGES_NEW,
			 (struct changes_file){ .add = add, .only = before, .except = now });
}

static int from_files(struct changes_set *set, const struct cdc_io *io,
		      const struct cdc_snapshot *s, const struct cdc_commit_actions *a,
		      struct cdc_err *err)
{
	struct by_path by = { .map = CDC_MAP_INIT };
	struct cdc_buf path = CDC_BUF_INIT;
	int rc = index_removes(&by, set, s, a, err);

	for (size_t i = 0; !rc && i < a->num_adds; i++) {
		if (!a->add[i].data_change)
			continue;
		rc = local_path(s, a->add[i].path, &path, err);
		if (!rc)
			put_added(set, &a->add[i], take_remove(&by, a, cdc_buf_str(&path)));
	}
	for (size_t i = 0; !rc && i < a->num_removes; i++)
		if (a->remove[i].data_change && by.path[i].p)
			rc = put_removed(set, io, s, a->version, &a->remove[i], by.path[i], err);
	cdc_map_free(&by.map);
	cdc_buf_free(&path);
	return rc;
}

static int from_feed(struct changes_set *set, struct changes_view *v,
		     const struct cdc_commit_actions *a, struct cdc_err *err)
{
	struct cdc_add *add = cdc_arena_calloc(&set->arena, a->num_changes, sizeof(*add));

	if (!add)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < a->num_changes; i++) {
		add[i].path = a->change[i].path;
		add[i].size_bytes = a->change[i].size_bytes;
		add[i].partition_value = a->change[i].partition_value;
		add[i].num_partition_values = a->change[i].num_partition_values;
		for (int side = 0; side < CHANGES_SIDES; side++)
			put_file(set, (enum changes_side)side,
				 (struct changes_file){ .add = &add[i], .feed = true });
	}
	return changes_view_feed(v, err);
}

int changes_set_make(struct changes_set *set, const struct cdc_io *io,
		     const struct changes_view *old, struct changes_view *now,
		     const struct cdc_commit_actions *a, struct cdc_err *err)
{
	/* An add makes at most one file of each side, a remove that is not paired an old one. */
	size_t max = a->num_changes ? a->num_changes : a->num_adds + a->num_removes;

	*set = (struct changes_set){ .arena = CDC_ARENA_INIT };
	for (int i = 0; i < CHANGES_SIDES; i++) {
		set->file[i] = cdc_arena_calloc(&set->arena, max + 1, sizeof(*set->file[i]));
		if (!set->file[i])
			return cdc_fail_nomem(err);
	}
	if (a->num_changes)
		return from_feed(set, now, a, err);
	return from_files(set, io, old->s, a, err);
}

void changes_set_free(struct changes_set *set)
{
	cdc_map_free(&set->before_paths);
	cdc_snapshot_free(set->before);
	cdc_arena_free(&set->arena);
	*set = (struct changes_set){ .arena = CDC_ARENA_INIT };
}
