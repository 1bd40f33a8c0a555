/*
 * Removing files that no version within the retention refers to. See compact.h.
 *
 * Two walks: the first counts, so that the log can say what will go before anything goes; the
 * second removes. What is referenced is a set of paths under the root; files that actions name by
 * absolute path are recognised by device and inode, since a root has many spellings.
 */
#include "table/compact.h"
#include "delta/path.h"

#include "base/hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_RETENTION_MS ((int64_t)7 * 24 * 3600 * 1000)
#define MAX_DEPTH 32
#define LOG_RETRIES 100

struct reference {
	struct cdc_str path; /* under the root; p == NULL: by inode */
	dev_t dev;
	ino_t ino;
};

struct vacuum {
	const struct cdc_vacuum_options *opt;
	const struct cdc_io *io;
	struct cdc_snapshot *s;
	int64_t cutoff_ms;
	struct reference *ref;
	uint32_t num_refs;
	uint32_t cap_refs;
	struct cdc_map map;
	struct cdc_arena arena;
	struct cdc_buf path; /* full path of the walk */
	struct cdc_buf scratch;
	bool removing;
	struct cdc_vacuum_result *r;
	struct cdc_err *err;
	int rc;
	int depth;
	bool dir_empty;
};

/* ------------------------------------------------------------------ what is referenced */

static uint64_t inode_hash(dev_t dev, ino_t ino)
{
	uint64_t w[2] = { (uint64_t)dev, (uint64_t)ino };

	return cdc_hash64(w, sizeof(w));
}

static int push_ref(struct vacuum *v, const struct reference *ref, uint64_t hash)
{
	if (v->num_refs == v->cap_refs) {
		uint32_t cap = v->cap_refs ? v->cap_refs * 2 : 256;
		struct reference *grown = realloc(v->ref, cap * sizeof(*grown));

		if (!grown)
			return cdc_fail_nomem(v->err);
		v->ref = grown;
		v->cap_refs = cap;
	}
	v->ref[v->num_refs] = *ref;
	return cdc_map_insert(&v->map, hash, v->num_refs++, v->err);
}

/* Spelled as the walk spells it: no empty and no "." component. */
static bool is_plain(struct cdc_str path)
{
	size_t start = 0;

	for (size_t i = 0; i <= path.n; i++) {
		if (i < path.n && path.p[i] != '/')
			continue;
		if (i == start || (i == start + 1 && path.p[start] == '.'))
			return false;
		start = i + 1;
	}
	return true;
}

/* A file by its full path, as the actions of a table name it. */
static int keep_path(struct vacuum *v, struct cdc_str full)
{
	size_t root = strlen(v->s->table);
	struct reference ref = { .dev = 0 };
	struct stat st;
	const char *z;

	if (full.n > root + 1 && !memcmp(full.p, v->s->table, root) && full.p[root] == '/' &&
	    is_plain(cdc_str(full.p + root + 1, full.n - root - 1))) {
		ref.path = cdc_str(cdc_arena_dup(&v->arena, full.p + root + 1, full.n - root - 1),
				   full.n - root - 1);
		if (!ref.path.p)
			return cdc_fail_nomem(v->err);
		return push_ref(v, &ref, cdc_hash64(ref.path.p, ref.path.n));
	}
	z = cdc_arena_dupz(&v->arena, full);
	if (!z)
		return cdc_fail_nomem(v->err);
	if (v->io->stat(v->io->ctx, z, &st))
		return errno == ENOENT || errno == ENOTDIR
			       ? CDC_OK
			       : cdc_fail_errno(v->err, errno, "cannot stat %s", z);
	ref.dev = st.st_dev;
	ref.ino = st.st_ino;
	return push_ref(v, &ref, inode_hash(st.st_dev, st.st_ino));
}

static int keep_file(struct vacuum *v, struct cdc_str uri, const struct cdc_dv_ref *dv)
{
	const char *dv_path = NULL;
	int rc;

	cdc_buf_reset(&v->scratch);
	rc = cdc_path_local(v->s->table, uri, &v->scratch, v->err);
	if (!rc)
		rc = keep_path(v, cdc_buf_str(&v->scratch));
	if (!rc && dv->storage)
		rc = cdc_dv_file_path(dv, v->s->table, &v->arena, &dv_path, v->err);
	if (!rc && dv_path)
		rc = keep_path(v, cdc_str_z(dv_path));
	return rc;
}

static int collect_references(struct vacuum *v)
{
	for (size_t i = 0; i < v->s->num_adds; i++)
		if (keep_file(v, v->s->add[i].path, &v->s->add[i].dv))
			return v->err->code;
	for (size_t i = 0; i < v->s->num_tombstones; i++) {
		const struct cdc_remove *t = &v->s->tombstone[i];

		if (t->has_deletion_timestamp && t->deletion_timestamp_ms >= v->cutoff_ms &&
		    keep_file(v, t->path, &t->dv))
			return v->err->code;
	}
	return CDC_OK;
}

static bool is_referenced(const struct vacuum *v, struct cdc_str path, const struct stat *st)
{
	struct cdc_map_iter it = cdc_map_seek(&v->map, cdc_hash64(path.p, path.n));
	uint32_t i;

	while (cdc_map_next(&v->map, &it, &i))
		if (v->ref[i].path.p && cdc_str_eq(v->ref[i].path, path))
			return true;
	it = cdc_map_seek(&v->map, inode_hash(st->st_dev, st->st_ino));
	while (cdc_map_next(&v->map, &it, &i))
		if (!v->ref[i].path.p && v->ref[i].dev == st->st_dev && v->ref[i].ino == st->st_ino)
			return true;
	return false;
}

/* ------------------------------------------------------------------ walking */

static int64_t mtime_ms(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

/* Names that belong to others, or to the log. A partition directory is never hidden. */
static bool is_hidden(const struct vacuum *v, const char *name)
{
	if (name[0] != '_' && name[0] != '.')
		return false;
	if (!strcmp(name, "_change_data"))
		return false;
	for (int i = 0; i < v->s->metadata.num_partition_columns; i++) {
		struct cdc_str c = v->s->metadata.partition_column[i];

		if (!strncmp(name, c.p, c.n) && name[c.n] == '=')
			return false;
	}
	return true;
}

static void visit_file(struct vacuum *v, const struct stat *st)
{
	size_t root = strlen(v->s->table) + 1;
	struct cdc_str relative = cdc_str(v->path.p + root, v->path.len - root);

	if (mtime_ms(st) >= v->cutoff_ms || is_referenced(v, relative, st))
		return;
	if (v->removing && v->io->unlink(v->io->ctx, v->path.p) && errno != ENOENT) {
		v->rc = cdc_fail_errno(v->err, errno, "cannot remove %s", v->path.p);
		return;
	}
	v->r->files_removed++;
	v->r->bytes_removed += (uint64_t)st->st_size;
	if (v->opt->on_file && v->removing != v->opt->dry_run)
		v->opt->on_file(v->opt->ctx, relative.p, (uint64_t)st->st_size);
}

static int visit(void *arg, const char *name);

static void visit_dir(struct vacuum *v, const struct stat *st)
{
	bool outer = v->dir_empty;

	if (v->depth == MAX_DEPTH) {
		v->rc = cdc_fail(v->err, CDC_EUNSUPPORTED, "%s: directories nested over %d deep",
				 v->path.p, MAX_DEPTH);
		return;
	}
	v->depth++;
	v->dir_empty = true;
	v->r->dirs_seen++;
	if (v->io->list(v->io->ctx, v->path.p, visit, v) < 0 && !v->rc && errno != ENOENT)
		v->rc = cdc_fail_errno(v->err, errno, "cannot list %s", v->path.p);
	/* A directory that was empty all through the retention: no writer is about to use it. */
	if (!v->rc && v->dir_empty && v->depth > 1 && mtime_ms(st) < v->cutoff_ms) {
		if (v->removing && !v->io->rmdir(v->io->ctx, v->path.p))
			v->r->dirs_removed++;
	}
	v->dir_empty = outer;
	v->depth--;
}

static int visit(void *arg, const char *name)
{
	struct vacuum *v = arg;
	size_t len = v->path.len;
	struct stat st;

	v->dir_empty = false;
	if (v->io->interrupted(v->io->ctx))
		v->rc = cdc_fail(v->err, CDC_EINTR, "interrupted");
	if (v->rc || is_hidden(v, name))
		return v->rc;
	if (cdc_buf_printf(&v->path, v->err, "/%s", name) || !cdc_buf_z(&v->path)) {
		v->rc = cdc_fail_nomem(v->err);
		return v->rc;
	}
	if (v->io->lstat(v->io->ctx, v->path.p, &st)) {
		if (errno != ENOENT)
			v->rc = cdc_fail_errno(v->err, errno, "cannot stat %s", v->path.p);
	} else if (S_ISDIR(st.st_mode)) {
		visit_dir(v, &st);
	} else if (S_ISREG(st.st_mode)) {
		visit_file(v, &st);
	}
	v->path.len = len;
	(void)cdc_buf_z(&v->path);
	return v->rc;
}

static int walk(struct vacuum *v, bool removing)
{
	struct stat st;

	*v->r = (struct cdc_vacuum_result){ .files_removed = 0 };
	v->removing = removing;
	v->rc = CDC_OK;
	cdc_buf_reset(&v->path);
	if (cdc_buf_puts(&v->path, v->s->table, v->err) || !cdc_buf_z(&v->path))
		return cdc_fail_nomem(v->err);
	if (v->io->stat(v->io->ctx, v->path.p, &st))
		return cdc_fail_errno(v->err, errno, "cannot stat %s", v->path.p);
	visit_dir(v, &st);
	return v->rc;
}

/* ------------------------------------------------------------------ log */

static void number(char out[24], uint64_t n, struct cdc_kv *kv, const char *key)
{
	int len = snprintf(out, 24, "%llu", (unsigned long long)n);

	kv->key = cdc_str_z(key);
	kv->value = cdc_str(out, (size_t)len);
}

/* A commit of commitInfo alone, at whatever version is free. */
static int log_operation(struct vacuum *v, const char *operation, const struct cdc_kv *param,
			 int num_params, const struct cdc_kv *metric, int num_metrics)
{
	struct cdc_kv params[4], metrics[4];
	struct cdc_commit c = { .operation = operation,
				.parameter = params,
				.num_parameters = num_params,
				.metric = metrics,
				.num_metrics = num_metrics,
				.isolation = "SnapshotIsolation",
				.is_blind_append = true };
	int64_t version = v->s->version + 1;
	int rc = CDC_ECONFLICT;

	memcpy(params, param, (size_t)num_params * sizeof(*param));
	memcpy(metrics, metric, (size_t)num_metrics * sizeof(*metric));
	for (int i = 0; rc == CDC_ECONFLICT && i < LOG_RETRIES; i++, version++) {
		*v->err = (struct cdc_err)CDC_ERR_INIT;
		c.read_version = version - 1;
		rc = cdc_commit_put(v->io, v->s->table, version, &c, v->err);
	}
	return rc;
}

static int log_start(struct vacuum *v, int64_t default_ms)
{
	char text[4][24];
	struct cdc_kv param[3], metric[2];
	bool check = !v->opt->force;

	param[0] = (struct cdc_kv){ CDC_STR("retentionCheckEnabled"),
				    check ? CDC_STR("true") : CDC_STR("false") };
	number(text[0], (uint64_t)default_ms, &param[1], "defaultRetentionMillis");
	number(text[1], (uint64_t)v->opt->retain_ms, &param[2], "specifiedRetentionMillis");
	number(text[2], v->r->files_removed, &metric[0], "numFilesToDelete");
	number(text[3], v->r->bytes_removed, &metric[1], "sizeOfDataToDelete");
	return log_operation(v, "VACUUM START", param, v->opt->retain_ms < 0 ? 2 : 3, metric, 2);
}

static int log_end(struct vacuum *v)
{
	char text[2][24];
	struct cdc_kv param = { CDC_STR("status"), CDC_STR("COMPLETED") };
	struct cdc_kv metric[2];

	number(text[0], v->r->files_removed, &metric[0], "numDeletedFiles");
	number(text[1], v->r->dirs_seen, &metric[1], "numVacuumedDirectories");
	return log_operation(v, "VACUUM END", &param, 1, metric, 2);
}

/* ------------------------------------------------------------------ vacuum */

static int set_cutoff(struct vacuum *v, int64_t *default_ms)
{
	int64_t retain = v->opt->retain_ms;

	*default_ms = cdc_snapshot_config_interval_ms(v->s, "delta.deletedFileRetentionDuration",
						      DEFAULT_RETENTION_MS);
	if (retain < 0)
		retain = *default_ms;
	if (retain < *default_ms && !v->opt->force)
		return cdc_fail(v->err, CDC_EUSAGE,
				"a retention of less than %lld hours can remove files that readers "
				"and writers still use; --force does it anyway",
				(long long)(*default_ms / 3600000));
	v->cutoff_ms = v->io->now_us(v->io->ctx) / 1000 - retain;
	return CDC_OK;
}

static int run(struct vacuum *v)
{
	int64_t default_ms;
	int rc = cdc_snapshot_load(&v->s, v->io, v->opt->table, -1, v->err);

	if (!rc)
		rc = cdc_snapshot_check_writable(v->s, v->err);
	if (!rc)
		rc = set_cutoff(v, &default_ms);
	if (!rc)
		rc = collect_references(v);
	if (!rc)
		rc = walk(v, false);
	if (rc || v->opt->dry_run || !v->r->files_removed)
		return rc;
	rc = log_start(v, default_ms);
	if (!rc)
		rc = walk(v, true);
	return rc ? rc : log_end(v);
}

int cdc_vacuum(const struct cdc_vacuum_options *opt, struct cdc_vacuum_result *r,
	       struct cdc_err *err)
{
	struct vacuum v = { .opt = opt, .io = opt->io, .r = r, .err = err };
	int rc = run(&v);

	free(v.ref);
	cdc_map_free(&v.map);
	cdc_buf_free(&v.path);
	cdc_buf_free(&v.scratch);
	cdc_arena_free(&v.arena);
	cdc_snapshot_free(v.s);
	return rc;
}
