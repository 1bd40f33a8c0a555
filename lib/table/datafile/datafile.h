/*
 * One data file of a table: its columns by field, in the table's own types, whatever the file's
 * physical types are. Partition columns come from the add action, columns that the file lacks are
 * null. Positions are physical: deletion vectors are not applied here.
 *
 * Where the file's type already is the type in memory, values are passed through as the Parquet
 * layer decoded them, without work per row.
 */
#ifndef CDC_TABLE_DATAFILE_H
#define CDC_TABLE_DATAFILE_H

#include "delta/log.h"
#include "parquet/parquet.h"
#include "table/batch/batch.h"

struct cdc_datafile;

/*
 * Open the file of an add action and read its footer. The snapshot and the action are borrowed and
 * must outlive it. CDC_ECORRUPT: missing file, or no Parquet file.
 */
int cdc_datafile_open(struct cdc_datafile **df, const struct cdc_io *io,
		      const struct cdc_snapshot *snapshot, const struct cdc_add *add,
		      struct cdc_err *err) CDC_NODISCARD;
void cdc_datafile_close(struct cdc_datafile *df);

uint64_t cdc_datafile_rows(const struct cdc_datafile *df);
int32_t cdc_datafile_row_groups(const struct cdc_datafile *df);
uint64_t cdc_datafile_row_group_rows(const struct cdc_datafile *df, int32_t row_group);
/* The Parquet file, for its statistics; it belongs to `df`. */
struct cdc_pq_file *cdc_datafile_parquet(const struct cdc_datafile *df);
/* Leaf of a field of the snapshot's schema in that file; -1: partition column, or not in the file.
 */
int32_t cdc_datafile_leaf(const struct cdc_datafile *df, int field);

/*
 * Sequential reader of one field across the row groups of a file. `field` is an index into
 * snapshot->schema. CDC_ECORRUPT: the file's type cannot become the table's, or the partition value
 * does not parse. A void column is all null, and its values NULL. Nested columns: see batch.h.
 */
struct cdc_column_reader;

int cdc_column_reader_open(struct cdc_column_reader **r, struct cdc_datafile *df, int field,
			   struct cdc_err *err) CDC_NODISCARD;
void cdc_column_reader_close(struct cdc_column_reader *r);

/*
 * How many of the next `max` rows, at least 1, the next batch should have: fewer where a row group
 * ends, and where the lists of a nested column grow large. CDC_END after the last row.
 */
int cdc_column_reader_rows(struct cdc_column_reader *r, uint32_t max, uint32_t *n,
			   struct cdc_err *err) CDC_NODISCARD;
/*
 * The next values: `max` of them, fewer where a row group ends (so all columns of one file, asked
 * for the same counts, break at the same rows). CDC_END after the last. Arrays live until the next
 * call. A value that does not fit the table's type is CDC_ECORRUPT.
 */
int cdc_column_reader_next(struct cdc_column_reader *r, uint32_t max, struct cdc_column *out,
			   uint32_t *n, struct cdc_err *err) CDC_NODISCARD;
/* Pass over rows; whole pages and row groups are not decompressed. */
int cdc_column_reader_skip(struct cdc_column_reader *r, uint64_t rows,
			   struct cdc_err *err) CDC_NODISCARD;

/*
 * Several fields side by side: batches of up to CDC_BATCH_ROWS rows with first_row set, no deletion
 * vector applied. column[i] of the batch is field[i]; field == NULL stands for 0, 1, 2 … With no
 * fields at all (num_fields 0) the batches still count the rows.
 */
struct cdc_datafile_scan;

int cdc_datafile_scan_new(struct cdc_datafile_scan **s, struct cdc_datafile *df, const int *field,
			  int num_fields, struct cdc_err *err) CDC_NODISCARD;
void cdc_datafile_scan_free(struct cdc_datafile_scan *s);
int cdc_datafile_scan_next(struct cdc_datafile_scan *s, struct cdc_batch *out,
			   struct cdc_err *err) CDC_NODISCARD;
/* Pass over rows (an all-deleted stretch, a row group that statistics rule out). */
int cdc_datafile_scan_skip(struct cdc_datafile_scan *s, uint64_t rows,
			   struct cdc_err *err) CDC_NODISCARD;

#endif
