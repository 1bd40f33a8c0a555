/*
 * The live rows of a table at a version, in the order of the log's files.
 */
#ifndef CDC_TABLE_SCAN_H
#define CDC_TABLE_SCAN_H

#include "table/datafile/datafile.h"
#include "table/where/where.h"

struct cdc_scan_options {
	const int *columns; /* field indexes in the order wanted; NULL: all, in schema order */
	int num_columns; /* ignored when columns is NULL */
	const struct cdc_add *const *file; /* only these of the snapshot's files; NULL: all */
	size_t num_files;
	struct cdc_filter *where; /* bound to the snapshot's schema; NULL: all rows */
};

/* What was not read because of `where`; all 0 without it. */
struct cdc_scan_counts {
	uint64_t files_skipped; /* by partition values and statistics */
	uint64_t row_groups_skipped; /* of the other files, by statistics and Bloom filters */
	uint64_t rows_skipped; /* of the other files, by row group or page */
	uint64_t rows_tested; /* one by one */
};

struct cdc_scan;

/*
 * The snapshot, the list of files and the filter are borrowed and must outlive the scan; columns
 * are copied.
 */
int cdc_scan_new(struct cdc_scan **scan, const struct cdc_io *io,
		 const struct cdc_snapshot *snapshot, const struct cdc_scan_options *opt,
		 struct cdc_err *err) CDC_NODISCARD;
void cdc_scan_free(struct cdc_scan *scan);

/*
 * The next rows, 1 to CDC_BATCH_ROWS of them, without those that a deletion vector marks and those
 * for which `where` is not true.
 * CDC_END after the last. The arrays live until the next call. CDC_EINTR when interrupted.
 */
int cdc_scan_next(struct cdc_scan *scan, struct cdc_batch *out, struct cdc_err *err) CDC_NODISCARD;

/* Counts so far. */
struct cdc_scan_counts cdc_scan_counts(const struct cdc_scan *scan);

#endif
