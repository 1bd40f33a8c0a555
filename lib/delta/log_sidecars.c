/*
 * Deleting the sidecars that no checkpoint names any more (spec section 15): those of checkpoints
 * that are gone, and of writers that died. Errs on the side of keeping.
 */
#include "delta/log_int.h"

#include <errno.h>
#include <stdlib.h>

#define SIDECAR_PATH CDC_SIDECAR_DIR "/"

/* The files in the directory. */
struct sweep {
	const struct cdc_io *io;
	const char *table;
	struct cdc_arena arena;
	struct file {
		struct cdc_str name; /* NUL behind it */
		bool named; /* by a checkpoint */
	} * file;
	size_t n;
	size_t cap;
	struct cdc_map map; /* of names */
	struct cdc_buf path;
	struct cdc_err *err;
};

static bool has_tail(struct cdc_str s, struct cdc_str tail)
{
	return s.n > tail.n && memcmp(s.p + s.n - tail.n, tail.p, tail.n) == 0;
}

/* Sidecars, and what a writer that died left of one. */
static int note(void *arg, const char *z)
{
	struct sweep *w = arg;
	struct cdc_str name = cdc_str(z, strlen(z));

	if (z[0] == '.' ? !has_tail(name, CDC_STR(".tmp")) : !has_tail(name, CDC_STR(".parquet")))
		return 0;
	if (w->n == UINT32_MAX - 1)
		return 1;
	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 64;
		struct file *p = reallocarray(w->file, cap, sizeof(*p));

		if (!p)
			return cdc_fail_nomem(w->err);
		w->file = p;
		w->cap = cap;
	}
	w->file[w->n].name = cdc_str(cdc_arena_dupz(&w->arena, name), name.n);
	w->file[w->n].named = false;
	if (!w->file[w->n].name.p)
		return cdc_fail_nomem(w->err);
	if (cdc_map_insert(&w->map, cdc_hash64(name.p, name.n), (uint32_t)w->n, w->err))
		return w->err->code;
	w->n++;
	return 0;
}

/* `err` holds nothing yet. */
static int list_files(struct sweep *w, struct cdc_err *err)
{
	const char *dir;
	int rc = cdc_log_path(w->table, CDC_SIDECAR_DIR, &w->arena, &dir, err);

	if (rc)
		return rc;
	w->err = err;
	if (w->io->list(w->io->ctx, dir, note, w) < 0 && !err->code && errno != ENOENT &&
	    errno != ENOTDIR)
		return cdc_fail_errno(err, errno, "cannot list %s", dir);
	return err->code;
}

static int mark(void *ctx, const struct cdc_action *a, struct cdc_err *err)
{
	struct sweep *w = ctx;
	struct cdc_map_iter it;
	struct cdc_str name;
	const char *slash;
	uint32_t i;
	int rc;

	if (a->kind != CDC_ACT_SIDECAR)
		return CDC_OK;
	cdc_buf_reset(&w->path);
	rc = cdc_sidecar_path(w->table, &a->u.sidecar, &w->path, err);
	if (rc)
		return rc;
	slash = memrchr(w->path.p, '/', w->path.len);
	name = cdc_str(slash + 1, w->path.len - (size_t)(slash + 1 - w->path.p));
	it = cdc_map_seek(&w->map, cdc_hash64(name.p, name.n));
	while (cdc_map_next(&w->map, &it, &i)) {
		if (cdc_str_eq(w->file[i].name, name))
			w->file[i].named = true;
	}
	return CDC_OK;
}

/* What each checkpoint names, also one that is not whole. */
static int mark_all(struct sweep *w, struct cdc_err *err)
{
	struct cdc_log_list list;
	int rc = cdc_log_list_read(&list, w->io, w->table, err);

	if (rc)
		return rc;
	for (size_t i = 0; !rc && i < list.n; i++) {
		const struct cdc_log_file *f = &list.file[i];
		struct cdc_log_checkpoint cp = { f->version, f, 1 };

		if (f->kind == CDC_LOG_CHECKPOINT || f->kind == CDC_LOG_CHECKPOINT_PART ||
		    f->kind == CDC_LOG_CHECKPOINT_V2)
			rc = cdc_checkpoint_read(w->io, w->table, &cp, CDC_KIND(CDC_ACT_SIDECAR),
						 mark, w, err);
	}
	cdc_log_list_free(&list);
	return rc;
}

/* A young one may be of a checkpoint that is being written. */
static int remove_old(struct sweep *w, const struct file *f, struct cdc_err *err)
{
	int64_t cutoff_ms = w->io->now_us(w->io->ctx) / 1000 - CDC_MS_PER_DAY;
	struct stat st;
	int rc;

	cdc_buf_reset(&w->path);
	rc = cdc_buf_printf(&w->path, err, "%s/" CDC_LOG_DIR "/" SIDECAR_PATH "%s", w->table,
			    f->name.p);
	if (!rc && !cdc_buf_z(&w->path))
		rc = cdc_fail_nomem(err);
	if (rc)
		return rc;
	if (w->io->lstat(w->io->ctx, w->path.p, &st) < 0)
		return errno == ENOENT ? CDC_OK
				       : cdc_fail_errno(err, errno, "cannot stat %s", w->path.p);
	if (!S_ISREG(st.st_mode) || (int64_t)st.st_mtim.tv_sec * 1000 > cutoff_ms)
		return CDC_OK;
	return cdc_log_remove(w->io, w->table, SIDECAR_PATH, f->name.p, err);
}

int cdc_log_sidecar_cleanup(const struct cdc_io *io, const char *table, struct cdc_err *err)
{
	struct sweep w = { .io = io, .table = table, .map = CDC_MAP_INIT };
	struct cdc_err this = CDC_ERR_INIT;
	/* Before the checkpoints are: one that comes later has sidecars that are young. */
	int rc = list_files(&w, &this);

	if (!rc && w.n)
		rc = mark_all(&w, &this);
	for (size_t i = 0; !rc && i < w.n; i++) {
		if (!w.file[i].named)
			rc = remove_old(&w, &w.file[i], &this);
	}
	/* What a damaged checkpoint names is not known. */
	if (rc == CDC_ECORRUPT || rc == CDC_EUNSUPPORTED)
		rc = CDC_OK;
	else if (rc)
		*err = this;
	free(w.file);
	cdc_map_free(&w.map);
	cdc_buf_free(&w.path);
	cdc_arena_free(&w.arena);
	return rc;
}
