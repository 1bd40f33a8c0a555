/*
 * Changes of the table itself in a merge: its properties before the first batch, and its columns
 * when the source's change. See merge_internal.h.
 */
#include "table/merge/merge_internal.h"

#include <stdlib.h>

/* What an entry of a batch takes beside its row: struct entry, its key, map and index slots. */
#define ENTRY_BYTES 120

static bool evolves(const struct cdc_merge *m)
{
	return m->opt.evolve == CDC_EVOLVE_ADD || m->opt.evolve == CDC_EVOLVE_WIDEN;
}

int merge_use_snapshot(struct cdc_merge *m, struct cdc_err *err)
{
	cdc_constraints_free(m->constraints);
	m->constraints = NULL;
	m->images.schema = &m->target.snapshot->schema;
	if (cdc_constraints_new(&m->constraints, m->target.snapshot, err))
		return err->code;
	m->images.constraints = m->constraints;
	return CDC_OK;
}

int merge_use_schema(struct cdc_merge *m, struct cdc_err *err)
{
	const struct cdc_schema *s = &m->target.snapshot->schema;

	free(m->told_apart);
	m->told_apart = calloc((size_t)s->num_fields + 1, sizeof(*m->told_apart));
	if (!m->told_apart)
		return cdc_fail_nomem(err);
	m->row_bytes = ENTRY_BYTES;
	for (int i = 0; i < s->num_fields; i++)
		m->row_bytes += cdc_cell_size(s->field[i].type) + 1;
	if (image_init(&m->images, &m->target, err))
		return err->code;
	return merge_use_snapshot(m, err);
}

static int set_properties(struct cdc_merge *m, struct cdc_err *err)
{
	struct cdc_buf what = CDC_BUF_INIT;
	int64_t version;
	int rc = cdc_target_set_properties(&m->target, &what, &version, err);

	if (!rc && what.len && !cdc_buf_z(&what))
		rc = cdc_fail_nomem(err);
	if (!rc && version >= 0) {
		m->version = version;
		merge_warn_of_commit(m, err);
		merge_checkpoint_if_due(m, version);
	}
	if (!rc && what.len && m->opt.on_properties)
		m->opt.on_properties(m->opt.ctx, version, what.p);
	cdc_buf_free(&what);
	return rc;
}

int merge_adapt_table(struct cdc_merge *m, struct cdc_err *err)
{
	bool changes;
	int rc = set_properties(m, err);

	if (rc || !evolves(m) || (!m->has_schema && !m->opt.schema))
		return rc;
	return cdc_target_evolve(&m->target, m->has_schema ? &m->schema_record : NULL, true,
				 &changes, err);
}

/*
 * The rows so far are of the old schema: they are committed before. What came last is not claimed
 * by that commit, since more records of its position may follow.
 */
static int follow(struct cdc_merge *m, struct cdc_err *err)
{
	bool changes;
	int rc = cdc_target_evolve(&m->target, &m->schema_record, false, &changes, err);

	if (rc || !changes)
		return rc;
	m->paused = true;
	if (m->batch_records)
		rc = merge_commit_batch(m, err);
	m->paused = false;
	if (!rc)
		rc = cdc_target_evolve(&m->target, &m->schema_record, true, &changes, err);
	/* Keys of a wider type have other hashes. */
	if (m->target.columns.widened)
		seen_stop(&m->seen);
	return rc ? rc : merge_use_schema(m, err);
}

int merge_schema(struct cdc_merge *m, const struct cdc_record *r, struct cdc_err *err)
{
	int rc;

	/* An open table has its columns already; images are checked against them one by one. */
	if (m->ready && !evolves(m))
		return CDC_OK;
	/* Of another table, whose rows will be refused. */
	if (m->has_db_table && !cdc_str_eq(cdc_buf_str(&m->db_table), r->db_table))
		return CDC_OK;
	cdc_buf_reset(&m->schema_line);
	rc = cdc_buf_put(&m->schema_line, r->line, err);
	if (!rc)
		rc = cdc_record_parse(&m->schema_record, &m->schema_tape,
				      cdc_buf_str(&m->schema_line), err);
	m->has_schema = !rc;
	return rc || !m->ready ? rc : follow(m, err);
}
