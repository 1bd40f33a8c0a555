/*
 * Checkpoints (spec section 9), streamed: a classic one, all in one file, or a V2 checkpoint, whose
 * adds and removes lie in sidecars. A reader sees a whole checkpoint or none: files get their names
 * when they are on disk, and the one that names the others comes last.
 */
#include "delta/checkpoint_file.h"
#include "delta/checkpoint_hint.h"
#include "delta/checkpoint_source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SIDECAR_ACTIONS 50000 /* as Spark's default */

struct output {
	const struct cdc_io *io;
	const struct cdc_snapshot *s;
	const struct cdc_cp_source *source;
	struct cdc_arena arena;
	const char *dir; /* _delta_log */
	const char *sidecar_dir;
	struct cdc_cp_file file; /* that file actions go to */
	bool file_open;
	struct cdc_sidecar *sidecar;
	size_t num_sidecars;
	size_t cap_sidecars;
	struct cdc_cp_hint hint;
};

/* ------------------------------------------------------------------ properties */

static bool flag(const struct cdc_snapshot *s, const char *key)
{
	struct cdc_str v;

	return !cdc_metadata_config(&s->metadata, key, &v) || !cdc_str_ieq(v, CDC_STR("false"));
}

static bool is_v2(const struct cdc_snapshot *s)
{
	struct cdc_str policy;

	return cdc_metadata_config(&s->metadata, "delta.checkpointPolicy", &policy) &&
	       cdc_str_ieq(policy, CDC_STR("v2")) &&
	       cdc_protocol_has_feature(&s->protocol, "v2Checkpoint");
}

static struct cdc_cp_content content_of(const struct cdc_snapshot *s, uint32_t kinds)
{
	return (struct cdc_cp_content){
		.kinds = kinds,
		.stats = flag(s, "delta.checkpoint.writeStatsAsJson"),
		.typed = flag(s, "delta.checkpoint.writeStatsAsStruct"),
		.s = s,
	};
}

/* ------------------------------------------------------------------ all but the files */

/* Transactions that the table forgets; by default it remembers all. */
static bool txn_expired(const struct output *o, const struct cdc_txn *t)
{
	int64_t keep_ms =
		cdc_snapshot_config_interval_ms(o->s, "delta.setTransactionRetentionDuration", -1);

	return keep_ms >= 0 && (!t->has_last_updated ||
				t->last_updated_ms <= o->io->now_us(o->io->ctx) / 1000 - keep_ms);
}

static int put_state(struct output *o, struct cdc_cp_file *f, struct cdc_err *err)
{
	const struct cdc_snapshot *s = o->s;
	struct cdc_action a = { .kind = CDC_ACT_PROTOCOL, .u.protocol = s->protocol };
	int rc = cdc_cp_file_put(f, &a, err);

	a = (struct cdc_action){ .kind = CDC_ACT_METADATA, .u.metadata = s->metadata };
	if (!rc)
		rc = cdc_cp_file_put(f, &a, err);
	for (size_t i = 0; !rc && i < s->num_txns; i++) {
		if (txn_expired(o, &s->txn[i]))
			continue;
		a = (struct cdc_action){ .kind = CDC_ACT_TXN, .u.txn = s->txn[i] };
		rc = cdc_cp_file_put(f, &a, err);
	}
	for (size_t i = 0; !rc && i < s->num_domains; i++) {
		a = (struct cdc_action){ .kind = CDC_ACT_DOMAIN, .u.domain = s->domain[i] };
		rc = cdc_cp_file_put(f, &a, err);
	}
	return rc;
}

/* A file is done: what the hint tells of them all. */
static void count_file(struct output *o, const struct cdc_cp_file *f)
{
	o->hint.num_actions += f->num_actions;
	o->hint.size_bytes += f->size_bytes;
}

/* ------------------------------------------------------------------ classic */

static int put_file_action(void *ctx, const struct cdc_action *a, struct cdc_err *err)
{
	struct output *o = ctx;

	o->hint.num_adds += a->kind == CDC_ACT_ADD;
	return cdc_cp_file_put(&o->file, a, err);
}

static int write_classic(struct output *o, struct cdc_err *err)
{
	struct cdc_cp_content content = content_of(o->s, CDC_CP_STATE_KINDS | CDC_FILE_KINDS);
	char name[CDC_LOG_NAME_MAX];
	int rc;

	snprintf(name, sizeof(name), "%020" PRId64 ".checkpoint.parquet", o->s->version);
	rc = cdc_cp_file_open(&o->file, o->io, o->dir, name, &content, err);
	if (!rc)
		rc = put_state(o, &o->file, err);
	if (!rc)
		rc = o->source->files(o->source->ctx, put_file_action, o, err);
	if (!rc)
		rc = cdc_cp_file_close(&o->file, err);
	if (!rc)
		count_file(o, &o->file);
	cdc_cp_file_free(&o->file);
	return rc ? rc : cdc_io_sync_dir(o->io, o->dir, err);
}

/* ------------------------------------------------------------------ V2 */

static int end_sidecar(struct output *o, struct cdc_err *err)
{
	struct cdc_sidecar *sc;
	int rc;

	if (!o->file_open)
		return CDC_OK;
	if (o->num_sidecars == o->cap_sidecars) {
		size_t cap = o->cap_sidecars ? o->cap_sidecars * 2 : 16;
		struct cdc_sidecar *p = reallocarray(o->sidecar, cap, sizeof(*p));

		if (!p)
			return cdc_fail_nomem(err);
		o->sidecar = p;
		o->cap_sidecars = cap;
	}
	sc = &o->sidecar[o->num_sidecars];
	*sc = (struct cdc_sidecar){ .path.n = strlen(o->file.name) };
	sc->path.p = cdc_arena_dup(&o->arena, o->file.name, sc->path.n);
	rc = sc->path.p ? cdc_cp_file_close(&o->file, err) : cdc_fail_nomem(err);
	if (!rc) {
		sc->size_bytes = o->file.size_bytes;
		sc->modification_time_ms = o->file.modification_time_ms;
		o->num_sidecars++;
		count_file(o, &o->file);
	}
	cdc_cp_file_free(&o->file);
	o->file_open = false;
	return rc;
}

static int put_sidecar_action(void *ctx, const struct cdc_action *a, struct cdc_err *err)
{
	struct output *o = ctx;
	struct cdc_cp_content content = content_of(o->s, CDC_FILE_KINDS);
	int rc = CDC_OK;

	if (o->file_open && o->file.num_actions == SIDECAR_ACTIONS)
		rc = end_sidecar(o, err);
	if (!rc && !o->file_open) {
		o->file_open = true;
		rc = cdc_cp_file_open(&o->file, o->io, o->sidecar_dir, "%s.parquet", &content, err);
	}
	return rc ? rc : put_file_action(o, a, err);
}

static int write_sidecars(struct output *o, struct cdc_err *err)
{
	int rc = cdc_io_mkdirs(o->io, o->sidecar_dir, err);

	if (!rc)
		rc = o->source->files(o->source->ctx, put_sidecar_action, o, err);
	if (!rc)
		rc = end_sidecar(o, err);
	cdc_cp_file_free(&o->file);
	return rc ? rc : cdc_io_sync_dir(o->io, o->sidecar_dir, err);
}

/* The file that names the sidecars. It has the columns of all actions, as Spark's has. */
static int write_top(struct output *o, struct cdc_err *err)
{
	struct cdc_cp_content content = {
		.kinds = CDC_CP_STATE_KINDS | CDC_FILE_KINDS | CDC_CP_V2_KINDS,
		.stats = true,
		.s = o->s,
	};
	struct cdc_action a = { .kind = CDC_ACT_CHECKPOINT, .u.checkpoint.version = o->s->version };
	struct cdc_cp_file top;
	char name[CDC_LOG_NAME_MAX];
	int rc;

	snprintf(name, sizeof(name), "%020" PRId64 ".checkpoint.%%s.parquet", o->s->version);
	rc = cdc_cp_file_open(&top, o->io, o->dir, name, &content, err);
	if (!rc)
		rc = cdc_cp_file_put(&top, &a, err);
	if (!rc)
		rc = put_state(o, &top, err);
	for (size_t i = 0; !rc && i < o->num_sidecars; i++) {
		a = (struct cdc_action){ .kind = CDC_ACT_SIDECAR, .u.sidecar = o->sidecar[i] };
		rc = cdc_cp_file_put(&top, &a, err);
	}
	if (!rc)
		rc = cdc_cp_file_close(&top, err);
	if (!rc) {
		count_file(o, &top);
		snprintf(o->hint.top_name, sizeof(o->hint.top_name), "%s", top.name);
		o->hint.top_bytes = top.size_bytes;
		o->hint.top_modification_time_ms = top.modification_time_ms;
	}
	cdc_cp_file_free(&top);
	return rc;
}

/* Nothing names them. */
static void remove_sidecars(struct output *o)
{
	struct cdc_buf path = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	for (size_t i = 0; i < o->num_sidecars; i++) {
		cdc_buf_reset(&path);
		if (!cdc_buf_printf(&path, &err, "%s/%.*s", o->sidecar_dir,
				    (int)o->sidecar[i].path.n, o->sidecar[i].path.p) &&
		    cdc_buf_z(&path))
			o->io->unlink(o->io->ctx, path.p);
	}
	cdc_buf_free(&path);
}

static int write_v2(struct output *o, struct cdc_err *err)
{
	int rc = write_sidecars(o, err);

	if (!rc)
		rc = write_top(o, err);
	if (rc)
		remove_sidecars(o);
	free(o->sidecar);
	return rc ? rc : cdc_io_sync_dir(o->io, o->dir, err);
}

/* ------------------------------------------------------------------ both */

int cdc_cp_write(const struct cdc_io *io, const struct cdc_cp_source *source, uint64_t *num_adds,
		 struct cdc_err *err)
{
	struct output o = { .io = io,
			    .s = source->s,
			    .source = source,
			    .file = CDC_CP_FILE_INIT,
			    .hint = { .version = source->s->version } };
	int rc = cdc_log_path(o.s->table, NULL, &o.arena, &o.dir, err);

	if (!rc)
		rc = cdc_log_path(o.s->table, CDC_SIDECAR_DIR, &o.arena, &o.sidecar_dir, err);
	if (!rc)
		rc = is_v2(o.s) ? write_v2(&o, err) : write_classic(&o, err);
	if (!rc)
		rc = cdc_cp_hint_write(io, o.s->table, &o.hint, err);
	*num_adds = (uint64_t)o.hint.num_adds;
	cdc_arena_free(&o.arena);
	return rc;
}

int cdc_cp_snapshot_files(const struct cdc_snapshot *s, cdc_action_fn *each, void *ctx,
			  struct cdc_err *err)
{
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < s->num_tombstones; i++) {
		struct cdc_action a = { .kind = CDC_ACT_REMOVE, .u.remove = s->tombstone[i] };

		rc = each(ctx, &a, err);
	}
	for (size_t i = 0; !rc && i < s->num_adds; i++) {
		struct cdc_action a = { .kind = CDC_ACT_ADD, .u.add = s->add[i] };

		rc = each(ctx, &a, err);
	}
	return rc;
}

static int own_files(void *ctx, cdc_action_fn *each, void *each_ctx, struct cdc_err *err)
{
	const struct cdc_cp_source *source = ctx;

	return cdc_cp_snapshot_files(source->s, each, each_ctx, err);
}

int cdc_checkpoint_write(const struct cdc_io *io, const struct cdc_snapshot *s, struct cdc_err *err)
{
	struct cdc_cp_source source = { s, own_files, &source };
	uint64_t num_adds;
	int rc = cdc_cp_write(io, &source, &num_adds, err);

	return rc ? rc : cdc_log_cleanup(io, s, err);
}
