/*
 * Removing files that no version within the retention refers to. See vacuum.h.
 *
 * Two walks: the first counts, so that the log can say what will go before anything goes; the
 * second removes. Between the two, and while it goes on, other writers may commit: what they refer
 * to is added to what stays before anything else is removed.
 */
#include "table/vacuum/vacuum.h"

#include "table/vacuum/tree.h"

#include <errno.h>
#include <stdio.h>

#define DEFAULT_RETENTION_MS ((int64_t)7 * 24 * 3600 * 1000)
#define LOG_RETRIES 100
#define CHECK_EVERY 64 /* removals between two looks at the log */

struct vacuum {
	const struct cdc_vacuum_options *opt;
	const struct cdc_io *io;
	struct cdc_snapshot *s;
	struct cdc_tree_set *keep;
	int64_t seen; /* the newest version that `keep` knows of */
	int64_t default_ms;
	int64_t cutoff_ms;
	bool removing;
	struct cdc_vacuum_result *r;
};

/* ------------------------------------------------------------------ what is referenced */

static int keep_removed(struct vacuum *v, const struct cdc_remove *t, struct cdc_err *err)
{
	if (!t->has_deletion_timestamp || t->deletion_timestamp_ms < v->cutoff_ms)
		return CDC_OK;
	return cdc_tree_set_add(v->keep, t->path, &t->dv, err);
}

static int collect_references(struct vacuum *v, struct cdc_err *err)
{
	const struct cdc_snapshot *s = v->s;
	int rc = cdc_tree_set_new(&v->keep, v->io, s->table, err);

	for (size_t i = 0; !rc && i < s->num_adds; i++)
		rc = cdc_tree_set_add(v->keep, s->add[i].path, &s->add[i].dv, err);
	for (size_t i = 0; !rc && i < s->num_tombstones; i++)
		rc = keep_removed(v, &s->tombstone[i], err);
	v->seen = s->version;
	return rc;
}

static int keep_commit(struct vacuum *v, const struct cdc_commit_actions *a, struct cdc_err *err)
{
	int rc = a->has_protocol ? cdc_protocol_check_known(&a->protocol, err) : CDC_OK;

	for (size_t i = 0; !rc && i < a->num_adds; i++)
		rc = cdc_tree_set_add(v->keep, a->add[i].path, &a->add[i].dv, err);
	for (size_t i = 0; !rc && i < a->num_removes; i++)
		rc = keep_removed(v, &a->remove[i], err);
	return rc;
}

/* What was committed since the last look: a RESTORE may bring back files that were to go. */
static int catch_up(void *ctx, struct cdc_err *err)
{
	struct vacuum *v = ctx;
	int rc = CDC_OK;

	while (!rc) {
		struct cdc_commit_actions a;

		rc = cdc_commit_read(v->io, v->s->table, v->seen + 1, &a, err);
		if (rc)
			break;
		rc = keep_commit(v, &a, err);
		cdc_commit_actions_free(&a);
		v->seen++;
	}
	return rc == CDC_END ? CDC_OK : rc;
}

/* ------------------------------------------------------------------ the two walks */

static int visit_file(void *ctx, const char *path, const char *relative, const struct stat *st,
		      struct cdc_err *err)
{
	struct vacuum *v = ctx;
	struct cdc_vacuum_result *r = v->r;

	if (cdc_tree_mtime_ms(st) >= v->cutoff_ms ||
	    cdc_tree_set_has(v->keep, cdc_str_z(relative), st))
		return CDC_OK;
	if (v->removing && r->files_removed % CHECK_EVERY == CHECK_EVERY - 1) {
		if (catch_up(v, err))
			return err->code;
		if (cdc_tree_set_has(v->keep, cdc_str_z(relative), st))
			return CDC_OK;
	}
	if (v->removing && v->io->unlink(v->io->ctx, path) && errno != ENOENT)
		return cdc_fail_errno(err, errno, "cannot remove %s", path);
	r->files_removed++;
	r->bytes_removed += (uint64_t)st->st_size;
	if (v->opt->on_file && v->removing != v->opt->dry_run)
		return v->opt->on_file(v->opt->ctx, relative, (uint64_t)st->st_size, err);
	return CDC_OK;
}

static int enter_dir(void *ctx, struct cdc_err *err)
{
	struct vacuum *v = ctx;

	v->r->dirs_seen++;
	return v->removing ? catch_up(v, err) : CDC_OK;
}

/* A directory that was empty all through the retention: no writer is about to use it. */
static int leave_dir(void *ctx, const char *path, bool empty, const struct stat *st,
		     struct cdc_err *err)
{
	struct vacuum *v = ctx;

	if (!empty || cdc_tree_mtime_ms(st) >= v->cutoff_ms)
		return CDC_OK;
	if (v->removing && v->io->rmdir(v->io->ctx, path)) {
		if (errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST)
			return CDC_OK;
		return cdc_fail_errno(err, errno, "cannot remove %s", path);
	}
	v->r->dirs_removed++;
	return CDC_OK;
}

static int walk(struct vacuum *v, bool removing, struct cdc_err *err)
{
	const struct cdc_tree_walk w = { .io = v->io,
					 .s = v->s,
					 .ctx = v,
					 .enter = enter_dir,
					 .file = visit_file,
					 .leave = leave_dir };

	*v->r = (struct cdc_vacuum_result){ .files_removed = 0 };
	v->removing = removing;
	return cdc_tree_walk(&w, err);
}

/* ------------------------------------------------------------------ log */

static void number(char out[24], uint64_t n, struct cdc_kv *kv, const char *key)
{
	int len = snprintf(out, 24, "%llu", (unsigned long long)n);

	kv->key = cdc_str_z(key);
	kv->value = cdc_str(out, (size_t)len);
}

/* A commit of commitInfo alone, at whatever version is free. */
static int log_operation(struct vacuum *v, const char *operation, struct cdc_kv *param,
			 int num_params, struct cdc_kv *metric, int num_metrics,
			 struct cdc_err *err)
{
	struct cdc_commit c = { .operation = operation,
				.parameter = param,
				.num_parameters = num_params,
				.metric = metric,
				.num_metrics = num_metrics,
				.isolation = "SnapshotIsolation",
				.is_blind_append = true };
	int64_t version = v->seen + 1;
	int rc = CDC_ECONFLICT;

	for (int i = 0; rc == CDC_ECONFLICT && i < LOG_RETRIES; i++, version++) {
		*err = (struct cdc_err)CDC_ERR_INIT;
		c.read_version = version - 1;
		rc = cdc_commit_put(v->io, v->s->table, version, &c, err);
	}
	return rc;
}

/* Spark counts the directories that go among the files. */
static int log_start(struct vacuum *v, struct cdc_err *err)
{
	char text[4][24];
	struct cdc_kv param[3], metric[2];
	bool check = !v->opt->force;

	param[0] = (struct cdc_kv){ CDC_STR("retentionCheckEnabled"),
				    check ? CDC_STR("true") : CDC_STR("false") };
	number(text[0], (uint64_t)v->default_ms, &param[1], "defaultRetentionMillis");
	number(text[1], (uint64_t)v->opt->retain_ms, &param[2], "specifiedRetentionMillis");
	number(text[2], v->r->files_removed + v->r->dirs_removed, &metric[0], "numFilesToDelete");
	number(text[3], v->r->bytes_removed, &metric[1], "sizeOfDataToDelete");
	return log_operation(v, "VACUUM START", param, v->opt->retain_ms < 0 ? 2 : 3, metric, 2,
			     err);
}

/* A vacuum that failed has no metrics (as in Spark): what it did is not known to all of them. */
static int log_end(struct vacuum *v, bool failed, struct cdc_err *err)
{
	char text[2][24];
	struct cdc_kv param = { CDC_STR("status"),
				failed ? CDC_STR("FAILED") : CDC_STR("COMPLETED") };
	struct cdc_kv metric[2];

	number(text[0], v->r->files_removed + v->r->dirs_removed, &metric[0], "numDeletedFiles");
	number(text[1], v->r->dirs_seen, &metric[1], "numVacuumedDirectories");
	return log_operation(v, "VACUUM END", &param, 1, metric, failed ? 0 : 2, err);
}

/* ------------------------------------------------------------------ vacuum */

static int set_cutoff(struct vacuum *v, struct cdc_err *err)
{
	int64_t retain = v->opt->retain_ms;

	v->default_ms = cdc_snapshot_config_interval_ms(v->s, "delta.deletedFileRetentionDuration",
							DEFAULT_RETENTION_MS);
	if (retain < 0)
		retain = v->default_ms;
	if (retain < v->default_ms && !v->opt->force)
		return cdc_fail(err, CDC_EUSAGE,
				"a retention of less than %lld hours can remove files that readers "
				"and writers still use; --force does it anyway",
				(long long)(v->default_ms / 3600000));
	v->cutoff_ms = v->io->now_us(v->io->ctx) / 1000 - retain;
	return CDC_OK;
}

static int remove_logged(struct vacuum *v, struct cdc_err *err)
{
	struct cdc_err unused = CDC_ERR_INIT;
	int rc = log_start(v, err);

	if (rc)
		return rc;
	rc = walk(v, true, err);
	if (!rc)
		return log_end(v, false, err);
	/* The first failure is the one to tell of. A table that got a feature which we do not know
	 * is not written to any more. */
	if (rc != CDC_EUNSUPPORTED)
		(void)!log_end(v, true, &unused);
	return rc;
}

static int run(struct vacuum *v, struct cdc_err *err)
{
	int rc = cdc_snapshot_load(&v->s, v->io, v->opt->table, -1, err);

	if (!rc)
		rc = cdc_protocol_check_known(&v->s->protocol, err);
	if (!rc)
		rc = set_cutoff(v, err);
	if (!rc)
		rc = collect_references(v, err);
	if (!rc)
		rc = walk(v, false, err);
	if (rc || v->opt->dry_run || !(v->r->files_removed || v->r->dirs_removed))
		return rc;
	return remove_logged(v, err);
}

int cdc_vacuum(const struct cdc_vacuum_options *opt, struct cdc_vacuum_result *r,
	       struct cdc_err *err)
{
	struct vacuum v = { .opt = opt, .io = opt->io, .r = r };
	int rc;

	*r = (struct cdc_vacuum_result){ .files_removed = 0 };
	rc = run(&v, err);
	cdc_tree_set_free(v.keep);
	cdc_snapshot_free(v.s);
	return rc;
}
