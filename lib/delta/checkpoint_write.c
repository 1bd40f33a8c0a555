/*
 * Checkpoints (spec section 9), streamed. A reader sees a whole checkpoint or none: the file gets
 * its name when it is on disk.
 */
#include "delta/checkpoint_file.h"
#include "delta/checkpoint_hint.h"
#include "delta/checkpoint_source.h"

#include <inttypes.h>
#include <stdio.h>

struct output {
	const struct cdc_io *io;
	const struct cdc_snapshot *s;
	const struct cdc_cp_source *source;
	struct cdc_arena arena;
	const char *dir; /* _delta_log */
	struct cdc_cp_file file; /* that file actions go to */
	struct cdc_cp_hint hint;
};

/* ------------------------------------------------------------------ properties */

static bool flag(const struct cdc_snapshot *s, const char *key)
{
	struct cdc_str v;

	return !cdc_metadata_config(&s->metadata, key, &v) || !cdc_str_ieq(v, CDC_STR("false"));
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
	struct cdc_cp_content content = content_of(o->s, CDC_CP_STATE_KINDS | CDC_CP_FILE_KINDS);
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

/* ------------------------------------------------------------------ the whole */

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
		rc = write_classic(&o, err);
	if (!rc)
		rc = cdc_cp_hint_write(io, o.s->table, &o.hint, err);
	*num_adds = (uint64_t)o.hint.num_adds;
	cdc_arena_free(&o.arena);
	return rc;
}

static int snapshot_files(void *ctx, cdc_action_fn *each, void *each_ctx, struct cdc_err *err)
{
	const struct cdc_cp_source *source = ctx;
	const struct cdc_snapshot *s = source->s;
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < s->num_tombstones; i++) {
		struct cdc_action a = { .kind = CDC_ACT_REMOVE, .u.remove = s->tombstone[i] };

		rc = each(each_ctx, &a, err);
	}
	for (size_t i = 0; !rc && i < s->num_adds; i++) {
		struct cdc_action a = { .kind = CDC_ACT_ADD, .u.add = s->add[i] };

		rc = each(each_ctx, &a, err);
	}
	return rc;
}

int cdc_checkpoint_write(const struct cdc_io *io, const struct cdc_snapshot *s, struct cdc_err *err)
{
	struct cdc_cp_source source = { s, snapshot_files, &source };
	uint64_t num_adds;
	int rc = cdc_cp_write(io, &source, &num_adds, err);

	return rc ? rc : cdc_log_cleanup(io, s, err);
}
