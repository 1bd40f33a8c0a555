/*
 * Checkpoints against the log: whether each can be read, and holds what the commits say. Where the
 * commits do not reach back to version 0 any more, they are taken on top of the next older one.
 */
#include "table/fsck/fsck_int.h"

/* The commits after..version are all there. */
static bool reaches(const struct cdc_log_list *l, int64_t after, int64_t version)
{
	for (int64_t v = version; v > after; v--)
		if (!cdc_log_commit_find(l, v))
			return false;
	return true;
}

/* The state at the checkpoint's version without it; *out stays NULL when the log cannot tell. */
static int state_without(struct fsck *k, const struct cdc_log_checkpoint *cp, size_t before,
			 struct cdc_snapshot **out, struct cdc_err *err)
{
	struct cdc_err why = CDC_ERR_INIT;
	struct cdc_log_checkpoint base;
	bool more;
	int rc;

	do
		more = cdc_log_checkpoint_before(&k->list, cp->version - 1, &before, &base);
	while (more && !reaches(&k->list, base.version, cp->version));
	if (!more && !reaches(&k->list, -1, cp->version))
		return CDC_OK;
	rc = cdc_snapshot_load_on(out, k->io, k->table, cp->version, more ? &base : NULL, &why);
	/* What is wrong with the commits, or with that checkpoint, is told where they are read. */
	if (rc && !fsck_is_finding(&why)) {
		*err = why;
		return rc;
	}
	return CDC_OK;
}

static int check_side_files(struct fsck *k, const struct cdc_log_checkpoint *cp,
			    struct cdc_err *err)
{
	struct cdc_arena arena = CDC_ARENA_INIT;
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < cp->num_files; i++) {
		const struct fsck_place at = { cdc_str_z(cp->file[i].name), cp->version };
		const char *path;

		rc = cdc_log_path(k->table, cp->file[i].name, &arena, &path, err);
		if (!rc)
			rc = fsck_side_file(k, path, at, err);
	}
	cdc_arena_free(&arena);
	return rc;
}

static int check_one(struct fsck *k, const struct cdc_log_checkpoint *cp, size_t before,
		     struct cdc_err *err)
{
	const struct fsck_place at = { cdc_str_z(cp->file[0].name), cp->version };
	struct cdc_snapshot *got = NULL, *want = NULL;
	struct cdc_err why = CDC_ERR_INIT;
	int rc = check_side_files(k, cp, err);

	if (!rc && cdc_snapshot_load_on(&got, k->io, k->table, cp->version, cp, &why))
		rc = fsck_report_err(k, FSCK_CHECKPOINT, at, &why, err);
	if (!rc && got)
		rc = state_without(k, cp, before, &want, err);
	if (!rc && want)
		rc = fsck_compare(k, at, got, want, err);
	cdc_snapshot_free(got);
	cdc_snapshot_free(want);
	return rc;
}

/* Newest first. */
int fsck_checkpoints(struct fsck *k, struct cdc_err *err)
{
	struct cdc_log_checkpoint cp;
	size_t at = k->list.n;
	int rc = CDC_OK;

	while (!rc && cdc_log_checkpoint_before(&k->list, INT64_MAX, &at, &cp)) {
		if (k->io->interrupted(k->io->ctx))
			return cdc_fail(err, CDC_EINTR, "interrupted");
		rc = check_one(k, &cp, at, err);
	}
	return rc;
}
