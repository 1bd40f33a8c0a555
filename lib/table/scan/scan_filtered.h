/*
 * The rows of one data file that a filter lets through. Columns of the filter are read first, the
 * others only where a row matched; what statistics rule out is not read at all.
 */
#ifndef CDC_TABLE_SCAN_FILTERED_H
#define CDC_TABLE_SCAN_FILTERED_H

#include "table/datafile/datafile.h"
#include "table/scan/scan_skip.h"

/* What a filter saved, and what it did not. */
struct cdc_filtered_counts {
	uint64_t row_groups_skipped; /* by their statistics and Bloom filters */
	uint64_t rows_skipped; /* of these files: never tested, by row groups and pages */
	uint64_t rows_tested;
};

struct cdc_filtered;

/*
 * `field` are the columns wanted, as for cdc_datafile_scan_new. Everything is borrowed. Counts are
 * added to.
 */
int cdc_filtered_new(struct cdc_filtered **f, struct cdc_datafile *df, struct cdc_filter *filter,
		     struct cdc_skip *skip, const int *field, int num_fields,
		     struct cdc_filtered_counts *counts, struct cdc_err *err) CDC_NODISCARD;
void cdc_filtered_free(struct cdc_filtered *f);

/*
 * The next batch, of up to CDC_BATCH_ROWS rows, in which some row matches and is not in `dv` (NULL:
 * none): keep[row] is 1 for those, 0 for others. *num_kept is 0, and the batch empty, after a
 * stretch without such a row: between the calls the caller can look for interrupts. CDC_END after
 * the last.
 */
int cdc_filtered_next(struct cdc_filtered *f, const struct cdc_dv *dv, struct cdc_batch *out,
		      uint8_t keep[CDC_BATCH_ROWS], uint32_t *num_kept,
		      struct cdc_err *err) CDC_NODISCARD;

#endif
