/*
 * What a description counts and looks up: rows, bytes, sizes of files, deleted rows. See
 * describe.h.
 */
#include "table/describe/describe.h"

#include "base/json.h"
#include "base/value.h"
#include "delta/stats.h"
#include "table/datafile/datafile.h"

static int footer_rows(const struct cdc_io *io, const struct cdc_snapshot *s,
		       const struct cdc_add *add, int64_t *rows, struct cdc_err *err)
{
	struct cdc_datafile *df;
	int rc = cdc_datafile_open(&df, io, s, add, err);

	if (rc < 0)
		return rc;
	*rows = (int64_t)cdc_datafile_rows(df);
	cdc_datafile_close(df);
	return CDC_OK;
}

/* Statistics by which there are more deleted rows than rows are not believed either. */
static int physical_rows(const struct cdc_io *io, const struct cdc_snapshot *s,
			 const struct cdc_add *add, int64_t deleted, int64_t *rows,
			 struct cdc_err *err)
{
	int rc = CDC_OK;

	*rows = cdc_stats_num_records(add->stats);
	if (*rows < 0 || *rows < deleted)
		rc = footer_rows(io, s, add, rows, err);
	if (rc == CDC_OK && (deleted < 0 || deleted > *rows))
		rc = cdc_fail(err, CDC_ECORRUPT,
			      "the log says that %lld of the %lld rows of %.*s are deleted",
			      (long long)deleted, (long long)*rows,
			      (int)(add->path.n > 200 ? 200 : add->path.n), add->path.p);
	return rc;
}

static int bucket_of(int64_t bytes)
{
	return bytes > 0 ? 64 - __builtin_clzll((unsigned long long)bytes) : 0;
}

int cdc_table_count(const struct cdc_io *io, const struct cdc_snapshot *s,
		    struct cdc_table_counts *c, struct cdc_err *err)
{
	bool overflow = false;

	*c = (struct cdc_table_counts){ .rows = 0 };
	for (size_t i = 0; i < s->num_adds; i++) {
		const struct cdc_add *add = &s->add[i];
		int64_t deleted = add->dv.storage ? add->dv.cardinality : 0;
		struct cdc_size_bucket *b = &c->size[bucket_of(add->size_bytes)];
		int64_t rows = 0;
		int rc = physical_rows(io, s, add, deleted, &rows, err);

		if (rc < 0)
			return rc;
		overflow |= __builtin_add_overflow(c->rows, rows - deleted, &c->rows);
		overflow |= __builtin_add_overflow(c->bytes, add->size_bytes, &c->bytes);
		overflow |= __builtin_add_overflow(c->deleted, deleted, &c->deleted);
		c->vectors += add->dv.storage != 0;
		b->files++;
		b->bytes += add->size_bytes;
		if (overflow)
			return cdc_fail(err, CDC_ECORRUPT,
					"the log's counts of rows or bytes overflow");
	}
	return CDC_OK;
}

int cdc_table_deleted_share(const struct cdc_table_counts *c)
{
	cdc_i128 all = (cdc_i128)c->rows + c->deleted;

	return all ? (int)((cdc_i128)c->deleted * 10000 / all) : 0;
}

bool cdc_table_high_water_mark(const struct cdc_snapshot *s, int64_t *mark)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err why = CDC_ERR_INIT;
	bool found = false;

	for (size_t i = 0; !found && i < s->num_domains; i++) {
		const struct cdc_domain *d = &s->domain[i];
		uint32_t v;

		if (!cdc_str_eqz(d->domain, "delta.rowTracking") ||
		    cdc_json_scan(&tape, d->configuration, NULL, &why) < 0)
			continue;
		v = cdc_json_get(&tape, 0, "rowIdHighWaterMark");
		found = v != CDC_JSON_NONE && cdc_json_int64(&tape, v, mark);
	}
	cdc_tape_free(&tape);
	return found;
}

int cdc_table_write_refusal(const struct cdc_snapshot *s, struct cdc_err *why, struct cdc_err *err)
{
	int rc = cdc_snapshot_check_writable(s, why);

	if (rc == CDC_OK || rc == CDC_EUNSUPPORTED)
		return CDC_OK;
	*err = *why;
	return rc;
}
