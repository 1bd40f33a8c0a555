/*
 * Committing a batch: creation, positions, metrics, retry, checkpoint. See merge_internal.h.
 */
#include "table/merge_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_RETRIES 100
#define MAX_METRICS 20

struct committing {
	struct cdc_merge *m;
	struct cdc_commit c;
	struct cdc_txn *txn;
	struct cdc_kv metric[MAX_METRICS];
	struct cdc_arena arena;
};

/* ------------------------------------------------------------------ positions */

static const char *app_id(const struct cdc_merge *m)
{
	return m->opt.app_id ? m->opt.app_id : "cdc";
}

/* "APP:TOPIC:PARTITION", the appId of a partition's txn action. */
static int partition_app_id(const struct cdc_merge *m, const char *topic, int32_t partition,
			    struct cdc_buf *out, struct cdc_err *err)
{
	size_t n = strlen(topic);

	if (cdc_buf_printf(out, err, "%s:", app_id(m)) || cdc_buf_reserve(out, n, err))
		return err->code;
	out->len += cdc_json_unescape(cdc_str(topic, n), out->p + out->len);
	return cdc_buf_printf(out, err, ":%d", (int)partition);
}

static int stored(const struct cdc_merge *m, struct cdc_str id, int64_t *version)
{
	*version = m->target.creating ? -1 : cdc_snapshot_txn(m->target.snapshot, id);
	return CDC_OK;
}

int merge_stored_position(const struct cdc_merge *m, const char *topic, int32_t partition,
			  int64_t *version, struct cdc_err *err)
{
	struct cdc_buf id = CDC_BUF_INIT;
	int rc;

	if (topic)
		rc = partition_app_id(m, topic, partition, &id, err);
	else
		rc = cdc_buf_printf(&id, err, "%s:recordID", app_id(m));
	if (!rc)
		rc = stored(m, cdc_buf_str(&id), version);
	cdc_buf_free(&id);
	return rc;
}

/*
 * A batch that ends because the input pauses may end between two records of one position: what came
 * last is not claimed then, or a run after this one would skip the second.
 */
static int64_t reached(const struct cdc_merge *m, size_t i)
{
	const struct cdc_positions_entry *e = &m->positions.entry[i];
	int64_t seen = e->offset;

	if (e->disordered)
		return e->promised;
	if (m->paused && m->has_last && i == m->last_entry)
		seen--;
	return seen > e->promised ? seen : e->promised;
}

static int64_t reached_id(const struct cdc_merge *m)
{
	if (m->id_disordered && !m->counts.final)
		return -1;
	return m->paused ? m->id_seen - 1 : m->id_seen;
}

static int add_txn(struct committing *k, struct cdc_buf *id, int64_t version, struct cdc_err *err)
{
	struct cdc_txn *t = &k->txn[k->c.num_txns++];

	*t = (struct cdc_txn){ .version = version, .has_last_updated = true };
	t->last_updated_ms = k->m->opt.io->now_us(k->m->opt.io->ctx) / 1000;
	t->app_id = cdc_str(cdc_arena_dup(&k->arena, id->p, id->len), id->len);
	return t->app_id.p ? CDC_OK : cdc_fail_nomem(err);
}

/* What the table shall remember of the stream after this batch, where it is more than it does. */
static int collect_txns(struct committing *k, struct cdc_err *err)
{
	const struct cdc_merge *m = k->m;
	struct cdc_buf id = CDC_BUF_INIT;
	int rc = CDC_OK;
	int64_t have = -1;

	k->txn = cdc_arena_calloc(&k->arena, m->positions.n + 1, sizeof(*k->txn));
	if (!k->txn)
		return cdc_fail_nomem(err);
	for (size_t i = 0; !rc && m->opt.position == CDC_POSITION_KAFKA && i < m->positions.n;
	     i++) {
		const struct cdc_positions_entry *e = &m->positions.entry[i];

		cdc_buf_reset(&id);
		rc = partition_app_id(m, e->topic, e->partition, &id, err);
		if (!rc)
			rc = stored(m, cdc_buf_str(&id), &have);
		if (!rc && reached(m, i) > have)
			rc = add_txn(k, &id, reached(m, i), err);
	}
	if (!rc && m->opt.position == CDC_POSITION_RECORD_ID && reached_id(m) >= 0) {
		cdc_buf_reset(&id);
		rc = cdc_buf_printf(&id, err, "%s:recordID", app_id(m));
		if (!rc)
			rc = stored(m, cdc_buf_str(&id), &have);
		if (!rc && reached_id(m) > have)
			rc = add_txn(k, &id, reached_id(m), err);
	}
	k->c.txn = k->txn;
	cdc_buf_free(&id);
	return rc;
}

/* After a lost commit: has somebody else applied this very stream meanwhile? */
static int check_positions(const struct cdc_merge *m, struct cdc_err *err)
{
	int64_t id = -1;

	if (m->opt.position == CDC_POSITION_RECORD_ID) {
		if (merge_stored_position(m, NULL, 0, &id, err))
			return err->code;
		if (id != m->id_stored)
			return cdc_fail(err, CDC_ECONFLICT,
					"another process applied records up to recordID %lld",
					(long long)id);
	}
	for (size_t i = 0; i < m->num_applied; i++) {
		const struct cdc_positions_entry *e = &m->positions.entry[i];
		int64_t have = -1;

		if (merge_stored_position(m, e->topic, e->partition, &have, err))
			return err->code;
		if (have != m->applied[i])
			return cdc_fail(err, CDC_ECONFLICT,
					"another process applied topic %s partition %d up to %lld",
					e->topic, (int)e->partition, (long long)have);
	}
	return CDC_OK;
}

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

static void fill_metrics(struct committing *k, const struct plan *p, int64_t ms)
{
	const struct cdc_merge_result *r = &p->result;
	uint64_t dv_updated = 0, dv_removed = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct touched *t = &p->touched[i];
		bool had = t->add->dv.storage != 0;

		dv_removed += had && (t->rewrite || t->remove_only);
		dv_updated += had && !t->rewrite && !t->remove_only;
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
	metric(k, "numTargetChangeFilesAdded", 0);
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

/* ------------------------------------------------------------------ creation */

static int json_names(const struct cdc_str *name, int n, struct cdc_buf *out, struct cdc_err *err)
{
	int rc = cdc_buf_putc(out, '[', err);

	for (int i = 0; !rc && i < n; i++) {
		if (i)
			rc = cdc_buf_putc(out, ',', err);
		if (!rc)
			rc = cdc_json_put_string(out, name[i], err);
	}
	return rc ? rc : cdc_buf_putc(out, ']', err);
}

/* A commit that stands, though the system could not promise that a power loss spares it. */
static void warn_of_commit(const struct cdc_merge *m, struct cdc_err *err)
{
	if (err->msg[0] && m->opt.on_warning)
		m->opt.on_warning(m->opt.ctx, err->msg);
	*err = (struct cdc_err)CDC_ERR_INIT;
}

/*
 * The directories above the log may be those of a run that died before they were on disk: sync
 * them all. Where one belongs to others, and may not be opened, it is older than the table.
 */
static int sync_ancestors(const struct cdc_merge *m, struct cdc_err *err)
{
	struct cdc_buf path = CDC_BUF_INIT;
	int rc = cdc_buf_puts(&path, m->target.path, err);

	for (;;) {
		if (!rc && !cdc_buf_z(&path))
			rc = cdc_fail_nomem(err);
		if (!rc)
			rc = cdc_io_sync_dir(m->opt.io, path.p, err);
		if (rc == CDC_EIO && err->sys_errno == EACCES) {
			*err = (struct cdc_err)CDC_ERR_INIT;
			rc = CDC_OK;
		}
		if (rc || !path.len || (path.len == 1 && (path.p[0] == '/' || path.p[0] == '.')))
			break;
		while (path.len && path.p[path.len - 1] != '/')
			path.len--;
		while (path.len > 1 && path.p[path.len - 1] == '/')
			path.len--;
		if (!path.len)
			rc = cdc_buf_putc(&path, '.', err);
	}
	cdc_buf_free(&path);
	return rc;
}

int merge_create_table(struct cdc_merge *m, struct cdc_err *err)
{
	const struct cdc_snapshot *s = m->target.snapshot;
	struct cdc_buf partition_by = CDC_BUF_INIT;
	struct cdc_kv param[2] = { { .key = CDC_STR("isManaged"), .value = CDC_STR("false") },
				   { .key = CDC_STR("partitionBy") } };
	struct cdc_commit c = { .operation = "CREATE TABLE",
				.isolation = "Serializable",
				.read_version = -1,
				.is_blind_append = true,
				.protocol = &s->protocol,
				.metadata = &s->metadata,
				.parameter = param,
				.num_parameters = 2 };
	struct cdc_buf log = CDC_BUF_INIT;
	bool lost = false;
	int rc = cdc_buf_printf(&log, err, "%s/_delta_log", s->table);

	if (!rc && !cdc_buf_z(&log))
		rc = cdc_fail_nomem(err);
	if (!rc)
		rc = json_names(s->metadata.partition_column, s->metadata.num_partition_columns,
				&partition_by, err);
	param[1].value = cdc_buf_str(&partition_by);
	if (!rc)
		rc = cdc_io_mkdirs(m->opt.io, log.p, err);
	if (!rc)
		rc = sync_ancestors(m, err);
	if (!rc)
		rc = cdc_commit_put(m->opt.io, s->table, 0, &c, err);
	if (!rc) {
		m->version = 0;
		warn_of_commit(m, err);
	} else if (rc == CDC_ECONFLICT) {
		/* Lost to a writer that creates the same table: use that one. */
		lost = true;
		*err = (struct cdc_err)CDC_ERR_INIT;
		rc = CDC_OK;
	}
	if (!rc) {
		rc = cdc_target_reload(&m->target, err);
		if (m->target.snapshot->num_adds)
			seen_stop(&m->seen);
		m->images.schema = &m->target.snapshot->schema;
	}
	if (!rc && lost)
		rc = check_positions(m, err);
	cdc_buf_free(&log);
	cdc_buf_free(&partition_by);
	return rc;
}

/* ------------------------------------------------------------------ commit */

static int reload(struct cdc_merge *m, struct batch *b, struct cdc_err *err)
{
	int rc = cdc_target_reload(&m->target, err);

	m->images.schema = &m->target.snapshot->schema;
	b->rows.schema = &m->target.snapshot->schema;
	return rc;
}

/* delta.appendOnly (spec section 12): rows may come, none may change or go. */
static int check_append_only(const struct cdc_merge *m, const struct plan *p, struct cdc_err *err)
{
	struct cdc_str v;

	if (!p->n || !cdc_metadata_config(&m->target.snapshot->metadata, "delta.appendOnly", &v) ||
	    !cdc_str_ieq(v, CDC_STR("true")))
		return CDC_OK;
	return cdc_fail(
		err, CDC_EDATA,
		"%s is append-only (delta.appendOnly), and the input changes or deletes rows "
		"that it holds",
		m->target.path);
}

static int put_commit(struct committing *k, const struct plan *p, const struct outcome *o,
		      int64_t ms, struct cdc_err *err)
{
	struct cdc_merge *m = k->m;
	struct cdc_kv param[4] = {
		{ CDC_STR(""), CDC_STR("") },
		{ CDC_STR("matchedPredicates"),
		  CDC_STR("[{\"actionType\":\"update\"},{\"actionType\":\"delete\"}]") },
		{ CDC_STR("notMatchedPredicates"), CDC_STR("[{\"actionType\":\"insert\"}]") },
		{ CDC_STR("notMatchedBySourcePredicates"), CDC_STR("[]") }
	};
	int64_t read = m->target.snapshot->version;

	if (fill_predicate(k, &param[0], err))
		return err->code;
	fill_metrics(k, p, ms);
	k->c.operation = "MERGE";
	k->c.parameter = param;
	k->c.num_parameters = 4;
	k->c.isolation = "Serializable";
	k->c.read_version = read;
	k->c.add = o->add;
	k->c.num_adds = o->num_adds;
	k->c.remove = o->remove;
	k->c.num_removes = o->num_removes;
	return cdc_commit_put(m->opt.io, m->target.path, read + 1, &k->c, err);
}

/* A checkpoint that fails never fails the commit that it follows. */
static void checkpoint_if_due(struct cdc_merge *m, int64_t version)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (!cdc_checkpoint_due(m->target.snapshot, version))
		return;
	if (cdc_checkpoint_write(m->opt.io, m->target.snapshot, &err) && m->opt.on_warning) {
		cdc_err_prefix(&err, "checkpoint not written");
		m->opt.on_warning(m->opt.ctx, err.msg);
	}
}

static int note_applied(struct cdc_merge *m, struct cdc_err *err)
{
	if (m->opt.position == CDC_POSITION_RECORD_ID &&
	    merge_stored_position(m, NULL, 0, &m->id_stored, err))
		return err->code;
	for (size_t i = 0; i < m->num_applied; i++)
		if (merge_stored_position(m, m->positions.entry[i].topic,
					  m->positions.entry[i].partition, &m->applied[i], err))
			return err->code;
	return CDC_OK;
}

/* One attempt. CDC_ECONFLICT: lost, the files of the attempt are gone. */
static int attempt(struct cdc_merge *m, struct batch *b, struct cdc_merge_result *result,
		   int64_t start_us, struct cdc_err *err)
{
	struct plan p = { .n = 0 };
	struct outcome o = { .num_adds = 0 };
	struct committing k = { .m = m };
	const struct cdc_io *io = m->opt.io;
	bool keep = false, committed = false;
	int64_t version = m->target.snapshot->version + 1;
	int rc = probe_table(m, b, &p, err);

	if (!rc)
		rc = check_append_only(m, &p, err);
	if (!rc)
		rc = collect_txns(&k, err);
	if (!rc && !m->opt.dry_run)
		rc = write_outcome(m, b, &p, &o, err);
	if (!rc && !m->opt.dry_run && (o.num_adds || o.num_removes || k.c.num_txns)) {
		rc = put_commit(&k, &p, &o, (io->now_us(io->ctx) - start_us) / 1000, err);
		keep = cdc_commit_may_be_there(io, m->target.path, version, rc);
		committed = !rc;
		if (!rc)
			warn_of_commit(m, err);
	}
	if (!rc) {
		uint64_t retries = result->retries;

		*result = p.result;
		result->retries = retries;
		result->elapsed_ms = (io->now_us(io->ctx) - start_us) / 1000;
		result->version = committed ? version : -1;
	}
	outcome_free(&o, m, keep);
	plan_free(&p);
	cdc_arena_free(&k.arena);
	return rc;
}

static int commit_built(struct cdc_merge *m, struct batch *b, struct cdc_err *err)
{
	int retries = m->opt.retries ? m->opt.retries : DEFAULT_RETRIES;
	struct cdc_merge_result r = { .version = -1 };
	int64_t start_us = m->opt.io->now_us(m->opt.io->ctx);
	int rc;

	for (;;) {
		rc = attempt(m, b, &r, start_us, err);
		if (rc != CDC_ECONFLICT || r.retries >= (uint64_t)retries)
			break;
		r.retries++;
		seen_stop(&m->seen);
		*err = (struct cdc_err)CDC_ERR_INIT;
		rc = reload(m, b, err);
		if (!rc)
			rc = check_positions(m, err);
		if (rc)
			break;
	}
	if (rc)
		return rc;
	if (r.version >= 0) {
		m->version = r.version;
		m->counts.batches++;
		seen_add(&m->seen, b);
		rc = reload(m, b, err);
		/* Somebody committed right after: not every stored key is of this run. */
		if (m->target.snapshot->version != r.version)
			seen_stop(&m->seen);
		if (!rc)
			rc = note_applied(m, err);
		if (!rc)
			checkpoint_if_due(m, r.version);
	}
	if (m->opt.on_commit && (r.version >= 0 || m->opt.dry_run))
		m->opt.on_commit(m->opt.ctx, &r);
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
