/*
 * A file that a compaction reads: its row groups, and its live rows. See compact_int.h.
 */
#include "table/compact/compact_int.h"

#include "table/datafile/convert.h"

#include <stdlib.h>

void compact_source_close(struct compact_source *s)
{
	cdc_datafile_scan_free(s->scan);
	cdc_gather_free(s->gather);
	cdc_datafile_close(s->df);
	cdc_dv_free(s->dv);
	free(s->plain_zero);
	*s = (struct compact_source){ .df = NULL };
}

int compact_source_open(struct compact_source *s, struct compaction *k, const struct cdc_add *add,
			struct cdc_err *err)
{
	struct cdc_pq_file *pq;
	int rc;

	*s = (struct compact_source){ .df = NULL };
	rc = cdc_datafile_open(&s->df, k->io, &k->tracked.table, add, err);
	if (!rc && add->dv.storage)
		rc = cdc_dv_load(&s->dv, k->io, k->s->table, k->s->allow_external, &add->dv, err);
	if (rc) {
		compact_source_close(s);
		return rc;
	}
	pq = cdc_datafile_parquet(s->df);
	/* New files say that their days count in the Gregorian calendar, and have the ids of their
	 * rows, of which old ones leave some to their add action. */
	s->same = !k->tracked.num_columns && cdc_datawriter_can_splice(k->writer, pq) &&
		  !cdc_convert_is_hybrid(cdc_pq_metadata(pq));
	return CDC_OK;
}

static int start_scan(struct compact_source *s, struct compaction *k, struct cdc_err *err)
{
	int n = k->tracked.table.schema.num_fields;
	int rc = cdc_datafile_scan_new(&s->scan, s->df, NULL, n, err);

	return rc ? rc : cdc_gather_new(&s->gather, n, err);
}

/* Leave the live rows in the batch. */
static int drop_deleted(struct compact_source *s, struct cdc_batch *rows, struct cdc_err *err)
{
	uint8_t keep[CDC_BATCH_ROWS];
	uint32_t live[CDC_BATCH_ROWS];
	uint32_t n = 0;

	memset(keep, 1, rows->rows);
	if (!s->dv || !cdc_dv_mask(s->dv, rows->first_row, rows->rows, keep))
		return CDC_OK;
	for (uint32_t i = 0; i < rows->rows; i++) {
		live[n] = i;
		n += keep[i];
	}
	return cdc_gather_rows(s->gather, rows, live, n, err);
}

int compact_source_read(struct compact_source *s, struct compaction *k, uint64_t first,
			uint64_t rows, compact_sink *sink, void *ctx, struct cdc_err *err)
{
	struct cdc_batch batch;
	int rc = s->scan ? CDC_OK : start_scan(s, k, err);

	if (!rc && first > s->scan_row)
		rc = cdc_datafile_scan_skip(s->scan, first - s->scan_row, err);
	s->scan_row = first;
	while (!rc && s->scan_row < first + rows) {
		if (k->io->interrupted(k->io->ctx))
			return cdc_fail(err, CDC_EINTR, "interrupted");
		rc = cdc_datafile_scan_next(s->scan, &batch, err);
		if (rc == CDC_END)
			return cdc_fail(err, CDC_EINTERNAL, "a data file ends before its rows");
		if (rc)
			break;
		s->scan_row += batch.rows;
		rc = drop_deleted(s, &batch, err);
		if (!rc && batch.rows)
			rc = sink(ctx, &batch, err);
	}
	return rc;
}
