/*
 * Committing a batch: the plan, its commit with metrics, the next try when it was lost, the
 * checkpoint. See merge_internal.h.
 */
#include "table/merge/merge_internal.h"

#include <stdio.h>

#define MAX_METRICS 20

/* A batch on its way into the log. */
struct committing {
	struct cdc_merge *m;
	struct batch *b;
	struct plan p;
	struct outcome o;
	struct cdc_commit c;
	struct cdc_kv metric[MAX_METRICS];
	struct cdc_arena arena; /* of one attempt */
	bool keep_files; /* the log may name them */
	int64_t start_us;
	uint64_t retries;
};

/* ------------------------------------------------------------------ commit info */

static void metric(struct committing *k, const char *name, uint64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	struct cdc_kv *kv = &k->metric[k->c.num_metrics];
	char *p = cdc_arena_dup(&k->arena, text, (size_t)n);

	if (!p || k->c.num_metrics == MAX_METRICS)
		return; /* metrics are for people: a commit does not fail for them */
	kv->key = cdc_str_z(name);
	kv->value = cdc_str(p, (size_t)n);
	k->c.num_metrics++;
}

static int64_t elapsed_ms(const struct committing *k)
{
	const struct cdc_io *io = k->m->opt.io;

	return (io->now_us(io->ctx) - k->start_us) / 1000;
}

static void fill_metrics(struct committing *k)
{
	const struct cdc_merge_result *r = &k->p.result;
	uint64_t dv_updated = 0, dv_removed = 0;
	int64_t ms = elapsed_ms(k);

	for (size_t i = 0; i < k->p.n; i++) {
		const struct touched *t = &k->p.touched[i];
		bool had = t->add->dv.storage != 0;

		dv_removed += had && (t->rewrite || t->remove_only);
		dv_updated += had && t->new_dv.storage;
	}
	metric(k, "numSourceRows", r->records);
	metric(k, "numTargetRowsInserted", r->inserted);
	metric(k, "numTargetRowsUpdated", r->updated);
	metric(k, "numTargetRowsDeleted", r->deleted);
	metric(k, "numTargetRowsCopied", r->copied);
	metric(k, "numOutputRows", r->inserted + r->updated + r->copied);
	metric(k, "numTargetFilesAdded", r->files_added);
	metric(k, "numTargetFilesRemoved", r->files_removed);
	metric(k, "numTargetBytesAdded", r->bytes_added);
	metric(k, "numTargetBytesRemoved", r->bytes_removed);
	metric(k, "numTargetChangeFilesAdded", k->c.num_changes);
	metric(k, "numTargetDeletionVectorsAdded", r->dvs_added - dv_updated);
	metric(k, "numTargetDeletionVectorsRemoved", dv_removed);
	metric(k, "numTargetDeletionVectorsUpdated", dv_updated);
	metric(k, "executionTimeMs", (uint64_t)(ms > 0 ? ms : 0));
	k->c.metric = k->metric;
}

/* ["(target.id = source.id)"] */
static int fill_predicate(struct committing *k, struct cdc_kv *param, struct cdc_err *err)
{
	const struct cdc_merge *m = k->m;
	struct cdc_buf text = CDC_BUF_INIT, json = CDC_BUF_INIT;
	int rc = cdc_buf_putc(&text, '(', err);

	for (int i = 0; !rc && i < m->target.key.num_fields; i++) {
		const struct cdc_field *f =
			&m->target.snapshot->schema.field[m->target.key.field[i]];

		rc = cdc_buf_printf(&text, err, "%starget.%.*s = source.%.*s", i ? " AND " : "",
				    (int)f->name.n, f->name.p, (int)f->name.n, f->name.p);
	}
	if (!rc)
		rc = cdc_buf_putc(&text, ')', err);
	if (!rc)
		rc = cdc_buf_putc(&json, '[', err);
	if (!rc)
		rc = cdc_json_put_string(&json, cdc_buf_str(&text), err);
	if (!rc)
		rc = cdc_buf_putc(&json, ']', err);
	if (!rc) {
		param->key = CDC_STR("predicate");
		param->value = cdc_str(cdc_arena_dup(&k->arena, json.p, json.len), json.len);
		if (!param->value.p)
			rc = cdc_fail_nomem(err);
	}
	cdc_buf_free(&text);
	cdc_buf_free(&json);
	return rc;
}

/* ------------------------------------------------------------------ commit */

void merge_warn_of_commit(const struct cdc_merge *m, struct cdc_err *err)
{
	if (err->msg[0] && m->opt.on_warning)
		m->opt.on_warning(m->opt.ctx, err->msg);
	*err = (struct cdc_err)CDC_ERR_INIT;
}

/* delta.appendOnly (spec section 12): rows may come, none may change or go. */
static int check_append_only(const struct committing *k, struct cdc_err *err)
{
	const struct cdc_snapshot *s = k->m->target.snapshot;
	bool changes = false;

	for (size_t i = 0; i < k->p.n; i++)
		changes = changes || k->p.touched[i].n || k->p.touched[i].remove_only;
	if (!changes || !cdc_metadata_config_is(&s->metadata, "delta.appendOnly", "true"))
		return CDC_OK;
	return cdc_fail(
		err, CDC_EDATA,
		"%s is append-only (delta.appendOnly), and the input changes or deletes rows "
		"that it holds",
		k->m->target.path);
}

static int put_commit(struct committing *k, struct cdc_err *err)
{
	static const struct cdc_kv preserved = { CDC_STR("delta.rowTracking.preserved"),
						 CDC_STR("true") };
	struct cdc_merge *m = k->m;
	struct cdc_kv param[4] = {
		{ CDC_STR(""), CDC_STR("") },
		{ CDC_STR("matchedPredicates"),
		  CDC_STR("[{\"actionType\":\"update\"},{\"actionType\":\"delete\"}]") },
		{ CDC_STR("notMatchedPredicates"), CDC_STR("[{\"actionType\":\"insert\"}]") },
		{ CDC_STR("notMatchedBySourcePredicates"), CDC_STR("[]") }
	};
	int64_t read = m->target.snapshot->version;
	int rc;

	k->c.change = k->o.feed ? cdc_datawriter_changes(k->o.feed, &k->c.num_changes) : NULL;
	k->c.num_metrics = 0;
	if (fill_predicate(k, &param[0], err))
		return err->code;
	fill_metrics(k);
	k->c.operation = "MERGE";
	k->c.parameter = param;
	k->c.num_parameters = 4;
	if (m->target.pending && !k->o.num_adds && !k->o.num_removes) {
		k->c.operation = m->target.columns.added ? "ADD COLUMNS" : "CHANGE COLUMN";
		k->c.num_parameters = 0;
		k->c.num_metrics = 0;
	}
	cdc_target_fill_commit(&m->target, &k->c);
	k->c.isolation = "Serializable";
	k->c.read_version = read;
	k->c.add = k->o.add;
	k->c.num_adds = k->o.num_adds;
	k->c.remove = k->o.remove;
	k->c.num_removes = k->o.num_removes;
	k->c.domain = &k->o.domain;
	k->c.num_domains = k->o.has_domain;
	k->c.tag = &preserved;
	k->c.num_tags = k->o.tracks_rows;
	rc = cdc_commit_put(m->opt.io, m->target.path, read + 1, &k->c, err);
	k->keep_files = cdc_commit_may_be_there(m->opt.io, m->target.path, read + 1, rc);
	if (!rc)
		k->p.result.version = read + 1;
	return rc;
}

void merge_checkpoint_if_due(struct cdc_merge *m, int64_t version)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (!cdc_checkpoint_due(m->target.snapshot, version))
		return;
	if (cdc_checkpoint_write(m->opt.io, m->target.snapshot, &err) && m->opt.on_warning) {
		cdc_err_prefix(&err, "checkpoint not written");
		m->opt.on_warning(m->opt.ctx, err.msg);
	}
}

/* Decide and write, from the stored rows that the plan knows. */
static int carry_out(struct committing *k, struct cdc_err *err)
{
	int rc = settle_plan(k->m, k->b, &k->p, err);

	if (!rc)
		rc = check_append_only(k, err);
	if (rc || k->m->opt.dry_run)
		return rc;
	outcome_free(&k->o, k->m, false);
	return write_outcome(k->m, k->b, &k->p, &k->o, err);
}

/* CDC_ECONFLICT: another writer was first. */
static int try_commit(struct committing *k, struct cdc_err *err)
{
	struct cdc_txn *txn = NULL;
	int rc;

	cdc_arena_reset(&k->arena);
	k->c = (struct cdc_commit){ .metric = k->metric };
	rc = merge_new_positions(k->m, &k->arena, &txn, &k->c.num_txns, err);
	k->c.txn = txn;
	if (rc || k->m->opt.dry_run)
		return rc;
	rc = outcome_actions(k->m, &k->p, &k->o, err);
	if (rc || !(k->o.num_adds || k->o.num_removes || k->c.num_txns || k->m->target.pending))
		return rc;
	return put_commit(k, err);
}

/* Until the commit stands, or was lost too often. */
static int commit_plan(struct committing *k, struct cdc_err *err)
{
	uint64_t most = k->m->opt.retries < 0 ? 0 : (uint64_t)k->m->opt.retries;
	bool changed = true;
	int rc = probe_table(k->m, k->b, &k->p, err);

	while (!rc) {
		if (changed)
			rc = carry_out(k, err);
		if (!rc)
			rc = try_commit(k, err);
		if (rc != CDC_ECONFLICT || k->retries >= most)
			break;
		*err = (struct cdc_err)CDC_ERR_INIT;
		rc = cdc_io_back_off(k->m->opt.io, (unsigned)k->retries++, err);
		if (!rc)
			rc = merge_rebase(k->m, k->b, &k->p, &changed, err);
	}
	return rc;
}

/* The commit stands: go on from there. */
static int follow_up(struct cdc_merge *m, struct batch *b, int64_t version, struct cdc_err *err)
{
	int rc;

	m->version = version;
	m->counts.batches++;
	seen_add(&m->seen, b);
	rc = merge_reload(m, b, NULL, err);
	/* Somebody committed right after: not every stored key is of this run. */
	if (m->target.snapshot->version != version)
		seen_stop(&m->seen);
	if (!rc)
		rc = merge_note_positions(m, err);
	if (!rc)
		merge_checkpoint_if_due(m, version);
	return rc;
}

static int commit_built(struct cdc_merge *m, struct batch *b, struct cdc_err *err)
{
	struct committing k = { .m = m, .b = b };
	struct cdc_merge_result *r = &k.p.result;
	int rc;

	k.start_us = m->opt.io->now_us(m->opt.io->ctx);
	rc = commit_plan(&k, err);
	r->retries = k.retries;
	r->elapsed_ms = elapsed_ms(&k);
	r->columns_added = m->target.columns.added;
	r->columns_widened = m->target.columns.widened;
	r->columns_relaxed = m->target.columns.relaxed;
	if (!rc)
		cdc_target_committed(&m->target);
	outcome_free(&k.o, m, k.keep_files);
	if (!rc && r->version >= 0) {
		merge_warn_of_commit(m, err);
		rc = follow_up(m, b, r->version, err);
	}
	if (m->opt.on_commit && (r->version >= 0 || (m->opt.dry_run && !rc)))
		m->opt.on_commit(m->opt.ctx, r);
	plan_free(&k.p);
	cdc_arena_free(&k.arena);
	return rc;
}

int merge_commit_batch(struct cdc_merge *m, struct cdc_err *err)
{
	struct batch b = { .n = 0 };
	int rc = CDC_OK;

	if (!m->ready)
		return CDC_OK;
	if (m->target.creating && !m->opt.dry_run)
		rc = merge_create_table(m, err);
	if (!rc)
		rc = batch_build(m, &b, err);
	if (!rc)
		rc = commit_built(m, &b, err);
	batch_free(&b);
	m->batch_records = 0;
	m->batch_bytes = 0;
	m->batch_start_us = 0;
	return rc;
}
