/*
 * One data file of a table: which leaf of it is which field. See datafile.h.
 */
#include "table/datafile/datafile_int.h"

#include "delta/path.h"
#include "table/datafile/nested_reader.h"

#include <errno.h>
#include <stdlib.h>

static bool has_ids(const struct cdc_pq_schema *s)
{
	for (int32_t i = 1; i < s->num_nodes; i++) {
		if (s->node[i].parent == 0 && s->node[i].has_field_id)
			return true;
	}
	return s->num_nodes <= 1;
}

/* Column mapping mode `id` goes by field ids and never by names (spec section 11). */
static int map_fields(struct cdc_datafile *df, struct cdc_err *err)
{
	const struct cdc_schema *schema = &df->snapshot->schema;
	const struct cdc_pq_schema *s = &cdc_pq_metadata(df->pq)->schema;
	int32_t guess = 1;

	df->by_id = cdc_mapped_by_id(&df->snapshot->protocol, &df->snapshot->metadata);
	if (df->by_id && !has_ids(s))
		return cdc_fail(err, CDC_ECORRUPT, "%s has no field ids, which this table goes by",
				df->path.p);
	df->node = calloc((size_t)schema->num_fields + 1, sizeof(*df->node));
	if (!df->node)
		return cdc_fail_nomem(err);
	for (int i = 0; i < schema->num_fields; i++) {
		const struct cdc_field *f = &schema->field[i];

		df->node[i] = f->is_partition ? -1 : cdc_nested_find(s, 0, f, df->by_id, guess);
		guess = df->node[i] < 0 ? guess : df->node[i] + 1;
	}
	return CDC_OK;
}

static int check_rows(const struct cdc_datafile *df, struct cdc_err *err)
{
	const struct cdc_pq_metadata *m = cdc_pq_metadata(df->pq);
	uint64_t total = 0;

	for (int32_t g = 0; g < m->num_row_groups; g++) {
		if (m->row_group[g].num_rows < 0 ||
		    __builtin_add_overflow(total, (uint64_t)m->row_group[g].num_rows, &total))
			return cdc_fail(err, CDC_ECORRUPT, "%s: bad number of rows", df->path.p);
	}
	if (m->num_rows < 0 || total != (uint64_t)m->num_rows)
		return cdc_fail(err, CDC_ECORRUPT, "%s: its row groups do not add up to %lld rows",
				df->path.p, (long long)m->num_rows);
	return CDC_OK;
}

int cdc_datafile_open(struct cdc_datafile **out, const struct cdc_io *io,
		      const struct cdc_snapshot *snapshot, const struct cdc_add *add,
		      struct cdc_err *err)
{
	struct cdc_datafile *df = calloc(1, sizeof(*df));
	int rc;

	if (!df)
		return cdc_fail_nomem(err);
	df->snapshot = snapshot;
	df->add = add;
	rc = cdc_path_check(io, snapshot->table, snapshot->allow_external, add->path, err);
	if (rc == CDC_OK)
		rc = cdc_path_local(snapshot->table, add->path, &df->path, err);
	if (rc == CDC_OK && !cdc_buf_z(&df->path))
		rc = cdc_fail_nomem(err);
	if (rc == CDC_OK)
		rc = cdc_pq_open(&df->pq, io, df->path.p, 0, err);
	if (rc == CDC_EIO && err->sys_errno == ENOENT)
		rc = cdc_fail(err, CDC_ECORRUPT, "data file %s is not there", df->path.p);
	if (rc == CDC_OK)
		rc = check_rows(df, err);
	if (rc == CDC_OK)
		rc = map_fields(df, err);
	if (rc < 0) {
		cdc_datafile_close(df);
		return rc;
	}
	*out = df;
	return CDC_OK;
}

void cdc_datafile_close(struct cdc_datafile *df)
{
	if (!df)
		return;
	if (df->pq)
		cdc_pq_close(df->pq);
	free(df->node);
	cdc_buf_free(&df->path);
	free(df);
}

uint64_t cdc_datafile_rows(const struct cdc_datafile *df)
{
	return (uint64_t)cdc_pq_metadata(df->pq)->num_rows;
}

int32_t cdc_datafile_row_groups(const struct cdc_datafile *df)
{
	return cdc_pq_metadata(df->pq)->num_row_groups;
}

uint64_t cdc_datafile_row_group_rows(const struct cdc_datafile *df, int32_t row_group)
{
	return (uint64_t)cdc_pq_metadata(df->pq)->row_group[row_group].num_rows;
}

struct cdc_pq_file *cdc_datafile_parquet(const struct cdc_datafile *df)
{
	return df->pq;
}

int32_t cdc_datafile_leaf(const struct cdc_datafile *df, int field)
{
	int32_t node = df->node[field];

	return node < 0 ? -1 : cdc_pq_metadata(df->pq)->schema.node[node].leaf;
}
