/*
 * The intake of a merge: control records, positions, and when a batch ends. See merge.h.
 */
#include "table/merge/merge_internal.h"

#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_MEMORY ((uint64_t)464 << 20)
#define DEFAULT_RETRIES 100

int cdc_merge_new(struct cdc_merge **out, const struct cdc_merge_options *opt, struct cdc_err *err)
{
	struct cdc_merge *m = calloc(1, sizeof(*m));
	int rc;

	*out = NULL;
	if (!m)
		return cdc_fail_nomem(err);
	m->opt = *opt;
	m->version = -1;
	m->id_applied = -1;
	m->id_stored = -1;
	m->id_seen = -1;
	if (!m->opt.memory_bytes)
		m->opt.memory_bytes = DEFAULT_MEMORY;
	if (!m->opt.retries)
		m->opt.retries = DEFAULT_RETRIES;
	rc = cdc_target_init(&m->target, &m->opt, err);
	if (rc) {
		cdc_merge_free(m);
		return rc;
	}
	*out = m;
	return CDC_OK;
}

void cdc_merge_free(struct cdc_merge *m)
{
	if (!m)
		return;
	cdc_net_free(m->net);
	seen_stop(&m->seen);
	image_free(&m->images);
	cdc_target_free(&m->target);
	cdc_tape_free(&m->tape);
	cdc_tape_free(&m->tape2);
	cdc_tape_free(&m->schema_tape);
	cdc_buf_free(&m->schema_line);
	cdc_buf_free(&m->db_table);
	cdc_positions_free(&m->positions);
	free(m->applied);
	free(m->told_apart);
	cdc_constraints_free(m->constraints);
	for (size_t i = 0; i < m->num_files; i++)
		free(m->file[i]);
	free(m->file);
	free(m);
}

const struct cdc_merge_counts *cdc_merge_counts(const struct cdc_merge *m)
{
	return &m->counts;
}

int64_t cdc_merge_version(const struct cdc_merge *m)
{
	return m->version;
}

/* Where a record stood: a batch may span files, and a line in each. */
#define LINE_BITS 44

static int note_place(struct cdc_merge *m, const char *file, uint64_t line, struct cdc_err *err)
{
	char **grown;

	if (!m->num_files || strcmp(m->file[m->num_files - 1], file)) {
		grown = realloc(m->file, (m->num_files + 1) * sizeof(*grown));
		if (!grown)
			return cdc_fail_nomem(err);
		m->file = grown;
		grown[m->num_files] = strdup(file);
		if (!grown[m->num_files])
			return cdc_fail_nomem(err);
		m->num_files++;
	}
	m->place = (uint64_t)(m->num_files - 1) << LINE_BITS |
		   (line & (((uint64_t)1 << LINE_BITS) - 1));
	return CDC_OK;
}

int merge_reject(struct cdc_merge *m, const char *reason, uint64_t place, struct cdc_str raw,
		 struct cdc_err *err)
{
	m->counts.rejected++;
	return m->opt.on_reject(m->opt.ctx, reason, m->file[place >> LINE_BITS],
				place & (((uint64_t)1 << LINE_BITS) - 1), raw, err);
}

/* Turn an error of one record into a reject of it. */
static int reject_record(struct cdc_merge *m, struct cdc_err *err)
{
	struct cdc_err reason = *err;

	*err = (struct cdc_err)CDC_ERR_INIT;
	return merge_reject(m, reason.msg, m->place, m->line, err);
}

/* ------------------------------------------------------------------ readiness */

/* The column of --sequence-by. */
static int find_sequence(struct cdc_merge *m, struct cdc_err *err)
{
	const struct cdc_schema *s = &m->target.snapshot->schema;
	char type[CDC_TYPE_NAME_MAX];
	int f;

	if (!m->opt.sequence_by)
		return CDC_OK;
	f = cdc_schema_find(s, cdc_str_z(m->opt.sequence_by));
	if (f < 0)
		return cdc_fail(err, CDC_EUSAGE, "--sequence-by %s: no such column",
				m->opt.sequence_by);
	if (!cdc_type_is_ordinal(s->field[f].type))
		return cdc_fail(err, CDC_EUSAGE,
				"--sequence-by %s: a column of type %s tells no order; an integer, "
				"a date or a timestamp does",
				m->opt.sequence_by, cdc_type_name(&s->field[f], type));
	m->target.sequence = f;
	m->last_order = INT64_MIN;
	return CDC_OK;
}

/* The table and what hangs on it, before the first row. */
static int make_ready(struct cdc_merge *m, struct cdc_err *err)
{
	struct cdc_net_options no = { .io = m->opt.io,
				      .key_of = image_key,
				      .key_ctx = &m->images,
				      .memory_bytes = UINT64_MAX,
				      .one_table = true,
				      .images_only = true };
	int rc;

	if (m->ready)
		return CDC_OK;
	rc = cdc_target_ready(&m->target, m->has_schema ? &m->schema_record : NULL, err);
	if (!rc && !m->target.creating)
		rc = merge_adapt_table(m, err);
	if (!rc)
		rc = find_sequence(m, err);
	if (!rc)
		rc = merge_use_schema(m, err);
	if (!rc)
		rc = cdc_net_new(&m->net, &no, err);
	if (!rc && m->opt.position == CDC_POSITION_RECORD_ID)
		rc = merge_stored_position(m, NULL, 0, &m->id_applied, err);
	m->id_stored = m->id_applied;
	if (!rc)
		seen_start(&m->seen, m->target.snapshot, m->opt.memory_bytes);
	m->ready = !rc;
	return rc;
}

/* One merge is of one source table: a second one is most likely a forgotten filter. */
static int check_db_table(struct cdc_merge *m, const struct cdc_record *r, struct cdc_err *err)
{
	if (!m->has_db_table) {
		m->has_db_table = true;
		return cdc_buf_put(&m->db_table, r->db_table, err);
	}
	if (cdc_str_eq(cdc_buf_str(&m->db_table), r->db_table))
		return CDC_OK;
	return cdc_fail(
		err, CDC_EDATA,
		"record of table \"%.*s\" in a stream of \"%.*s\" (cdc-decode --table picks one)",
		(int)r->db_table.n, r->db_table.p, (int)m->db_table.len, m->db_table.p);
}

/* ------------------------------------------------------------------ positions */

/* Room for the stored offset of each new partition. */
static int learn_applied(struct cdc_merge *m, struct cdc_err *err)
{
	while (m->num_applied < m->positions.n) {
		const struct cdc_positions_entry *e = &m->positions.entry[m->num_applied];
		int64_t *grown = realloc(m->applied, (m->num_applied + 1) * sizeof(*grown));

		if (!grown)
			return cdc_fail_nomem(err);
		m->applied = grown;
		if (merge_stored_position(m, e->topic, e->partition, &m->applied[m->num_applied],
					  err))
			return err->code;
		m->num_applied++;
	}
	return CDC_OK;
}

static bool same_position(const struct cdc_merge *m, const struct cdc_record *r)
{
	const struct cdc_positions_entry *e;

	if (m->opt.position == CDC_POSITION_RECORD_ID)
		return r->has_id && r->id == m->id_seen;
	if (m->opt.position != CDC_POSITION_KAFKA || !r->has_position || !m->has_last)
		return false;
	e = &m->positions.entry[m->last_entry];
	return r->position.offset == m->last_offset && r->position.partition == e->partition &&
	       cdc_str_eqz(r->position.topic, e->topic);
}

/* Note where the record stands; *seen: the table has it already. */
static int note_position(struct cdc_merge *m, const struct cdc_record *r, bool *seen,
			 struct cdc_err *err)
{
	*seen = false;
	if (m->opt.position == CDC_POSITION_RECORD_ID && r->has_id) {
		*seen = r->id <= m->id_applied;
		if (r->id < m->id_seen)
			m->id_disordered = true;
		else
			m->id_seen = r->id;
	}
	if (m->opt.position != CDC_POSITION_KAFKA || !r->has_position)
		return CDC_OK;
	if (cdc_positions_note(&m->positions, &r->position, err) || learn_applied(m, err))
		return err->code;
	m->has_last = true;
	m->last_entry = m->positions.last;
	m->last_offset = r->position.offset;
	*seen = r->position.offset <= m->applied[m->last_entry];
	return CDC_OK;
}

/* ------------------------------------------------------------------ batches */

/* Memory of the open batch once it is folded: its images, and the rows they become. */
static uint64_t batch_memory(const struct cdc_merge *m)
{
	uint64_t images = cdc_net_bytes(m->net);

	return images + images / 6 + m->batch_records * m->row_bytes;
}

static bool batch_full(const struct cdc_merge *m)
{
	const struct cdc_merge_options *o = &m->opt;

	if (!m->batch_records)
		return false;
	if (o->batch_records && m->batch_records >= o->batch_records)
		return true;
	if (o->batch_bytes && m->batch_bytes >= o->batch_bytes)
		return true;
	if (o->batch_seconds &&
	    o->io->mono_us(o->io->ctx) - m->batch_start_us >= (int64_t)o->batch_seconds * 1000000)
		return true;
	return batch_memory(m) >= o->memory_bytes;
}

/*
 * What orders the record: its recordID, or with --sequence-by the value of that column. A record
 * without stays where it came, after the highest before it; so does a TRUNCATE, which has no row.
 */
static int order_of(struct cdc_merge *m, const struct cdc_record *r, int64_t *order,
		    struct cdc_err *err)
{
	bool has = r->has_id;

	*order = r->id;
	if (m->target.sequence >= 0) {
		has = cdc_record_is_row(r->type);
		if (has && image_sequence(&m->images, r, m->target.sequence, order, err))
			return err->code;
	}
	if (has && *order > m->last_order)
		m->last_order = *order;
	if (!has)
		*order = m->last_order;
	return CDC_OK;
}

static int add_row(struct cdc_merge *m, const struct cdc_record *r, struct cdc_err *err)
{
	int64_t order = 0;
	bool seen;
	int rc = make_ready(m, err);

	if (rc)
		return rc;
	if (!same_position(m, r) && batch_full(m)) {
		rc = merge_commit_batch(m, err);
		if (rc)
			return rc;
	}
	rc = note_position(m, r, &seen, err);
	if (rc)
		return rc;
	if (seen) {
		m->counts.skipped++;
		return CDC_OK;
	}
	rc = check_db_table(m, r, err);
	if (!rc && cdc_record_is_row(r->type))
		rc = image_check(&m->images, r, err);
	if (!rc)
		rc = order_of(m, r, &order, err);
	if (!rc)
		rc = cdc_net_add(m->net, r, order, m->place, err);
	if (rc == CDC_EDATA)
		return reject_record(m, err);
	if (!m->batch_records++)
		m->batch_start_us = m->opt.io->mono_us(m->opt.io->ctx);
	m->batch_bytes += r->line.n;
	return rc;
}

static int add_truncate(struct cdc_merge *m, const struct cdc_record *r, struct cdc_err *err)
{
	switch (m->opt.on_truncate) {
	case CDC_TRUNCATE_APPLY:
		return add_row(m, r, err);
	case CDC_TRUNCATE_IGNORE:
		return CDC_OK;
	case CDC_TRUNCATE_FAIL:
		break;
	}
	return cdc_fail(err, CDC_EDATA, "TRUNCATE in the stream (--on-truncate fail)");
}

static int checkpoint(struct cdc_merge *m, const struct cdc_record *r, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (m->opt.position == CDC_POSITION_KAFKA)
		rc = cdc_positions_checkpoint(&m->positions, r, err);
	if (!rc && (m->has_schema || m->positions.n))
		rc = make_ready(m, err);
	if (!rc && m->ready)
		rc = learn_applied(m, err);
	if (rc)
		return rc;
	m->counts.final = r->final;
	/* With --require-final only a stream that closed well is committed at its end. */
	return merge_commit_batch(m, err);
}

static int take(struct cdc_merge *m, const struct cdc_record *r, struct cdc_err *err)
{
	switch (r->type) {
	case CDC_RECORD_INIT:
	case CDC_RECORD_INSERT:
	case CDC_RECORD_UPDATE:
	case CDC_RECORD_DELETE:
		m->counts.records++;
		m->counts.final = false;
		return add_row(m, r, err);
	case CDC_RECORD_TRUNCATE:
		m->counts.records++;
		m->counts.final = false;
		return add_truncate(m, r, err);
	case CDC_RECORD_SCHEMA:
		return merge_schema(m, r, err);
	case CDC_RECORD_CHECKPOINT:
		return checkpoint(m, r, err);
	case CDC_RECORD_DDL:
		if (!m->warned_ddl && m->opt.on_warning)
			m->opt.on_warning(m->opt.ctx, "DDL in the stream is not applied");
		m->warned_ddl = true;
		return CDC_OK;
	case CDC_RECORD_BEGIN:
	case CDC_RECORD_COMMIT:
	case CDC_RECORD_TYPES:
		break;
	}
	return CDC_OK;
}

int cdc_merge_line(struct cdc_merge *m, struct cdc_str line, uint64_t number, const char *file,
		   struct cdc_err *err)
{
	struct cdc_record r;
	int rc;

	m->line = line;
	rc = note_place(m, file ? file : "-", number, err);
	if (rc)
		return rc;
	rc = cdc_record_parse(&r, &m->tape, line, err);
	if (rc == CDC_EDATA)
		return reject_record(m, err);
	return rc ? rc : take(m, &r, err);
}

int cdc_merge_idle(struct cdc_merge *m, struct cdc_err *err)
{
	int rc;

	if (!m->opt.batch_seconds || !m->ready || !batch_full(m))
		return CDC_OK;
	m->paused = true;
	rc = merge_commit_batch(m, err);
	m->paused = false;
	return rc;
}

static int sync_log(const struct cdc_merge *m, struct cdc_err *err)
{
	struct cdc_buf log = CDC_BUF_INIT;
	int rc = cdc_buf_printf(&log, err, "%s/_delta_log", m->target.path);

	if (!rc && !cdc_buf_z(&log))
		rc = cdc_fail_nomem(err);
	if (!rc)
		rc = cdc_io_sync_dir(m->opt.io, log.p, err);
	cdc_buf_free(&log);
	return rc;
}

int cdc_merge_finish(struct cdc_merge *m, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (m->opt.require_final && !m->counts.final)
		return cdc_fail(
			err, CDC_EDATA,
			"the input ended without a final CHECKPOINT: its writer did not finish");
	if (!m->ready &&
	    (m->has_schema || m->opt.create || (m->opt.property && m->opt.property[0])))
		rc = make_ready(m, err);
	if (!rc)
		rc = merge_commit_batch(m, err);
	/* What was skipped is the work of a run that may have died before its commit was on disk; a
	 * commit of ours would have synced that too. */
	if (!rc && m->counts.skipped && !m->counts.batches)
		rc = sync_log(m, err);
	return rc;
}
