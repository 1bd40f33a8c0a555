/*
 * What the table remembers of the stream: the txn actions of its commits. See merge_internal.h.
 */
#include "table/merge/merge_internal.h"
#include "table/merge/next_offset.h"

static const char *app_id(const struct cdc_merge *m)
{
	return m->opt.app_id ? m->opt.app_id : CDC_APP_ID;
}

static int partition_app_id(const struct cdc_merge *m, const char *topic, int32_t partition,
			    struct cdc_buf *out, struct cdc_err *err)
{
	return cdc_partition_app_id(app_id(m), cdc_str_z(topic), partition, out, err);
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

struct collecting {
	const struct cdc_merge *m;
	struct cdc_arena *arena;
	struct cdc_txn *txn;
	size_t n;
};

static int add_txn(struct collecting *k, const struct cdc_buf *id, int64_t version,
		   struct cdc_err *err)
{
	struct cdc_txn *t = &k->txn[k->n++];

	*t = (struct cdc_txn){ .version = version, .has_last_updated = true };
	t->last_updated_ms = k->m->opt.io->now_us(k->m->opt.io->ctx) / 1000;
	t->app_id = cdc_str(cdc_arena_dup(k->arena, id->p, id->len), id->len);
	return t->app_id.p ? CDC_OK : cdc_fail_nomem(err);
}

int merge_new_positions(const struct cdc_merge *m, struct cdc_arena *arena, struct cdc_txn **txn,
			size_t *n, struct cdc_err *err)
{
	struct collecting k = { .m = m, .arena = arena };
	struct cdc_buf id = CDC_BUF_INIT;
	int rc = CDC_OK;
	int64_t have = -1;

	k.txn = cdc_arena_calloc(arena, m->positions.n + 1, sizeof(*k.txn));
	if (!k.txn)
		return cdc_fail_nomem(err);
	for (size_t i = 0; !rc && m->opt.position == CDC_POSITION_KAFKA && i < m->positions.n;
	     i++) {
		const struct cdc_positions_entry *e = &m->positions.entry[i];

		cdc_buf_reset(&id);
		rc = partition_app_id(m, e->topic, e->partition, &id, err);
		if (!rc)
			rc = stored(m, cdc_buf_str(&id), &have);
		if (!rc && reached(m, i) > have)
			rc = add_txn(&k, &id, reached(m, i), err);
	}
	if (!rc && m->opt.position == CDC_POSITION_RECORD_ID && reached_id(m) >= 0) {
		cdc_buf_reset(&id);
		rc = cdc_buf_printf(&id, err, "%s:recordID", app_id(m));
		if (!rc)
			rc = stored(m, cdc_buf_str(&id), &have);
		if (!rc && reached_id(m) > have)
			rc = add_txn(&k, &id, reached_id(m), err);
	}
	cdc_buf_free(&id);
	*txn = k.txn;
	*n = k.n;
	return rc;
}

int merge_check_positions(const struct cdc_merge *m, struct cdc_err *err)
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

int merge_note_positions(struct cdc_merge *m, struct cdc_err *err)
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
