/*
 * Which rows of a table a filter cannot let through, by what is known without reading them:
 * partition values, statistics of files and row groups, Bloom filters, page indexes.
 *
 * What is missing, damaged or not understood only means that more rows are read.
 */
#ifndef CDC_TABLE_SCAN_SKIP_H
#define CDC_TABLE_SCAN_SKIP_H

#include "table/datafile/datafile.h"
#include "table/where/where.h"

struct cdc_skip_range {
	uint64_t first; /* row of the file */
	uint64_t rows;
};

/* Working memory, and what is known of one file at a time. */
struct cdc_skip;

/* Filter and snapshot are borrowed. */
int cdc_skip_new(struct cdc_skip **s, const struct cdc_filter *f,
		 const struct cdc_snapshot *snapshot, struct cdc_err *err) CDC_NODISCARD;
void cdc_skip_free(struct cdc_skip *s);

/* By the action alone: *skip when no row of the file can match. */
int cdc_skip_file(struct cdc_skip *s, const struct cdc_add *add, bool *skip,
		  struct cdc_err *err) CDC_NODISCARD;

/*
 * The same file, open, with all columns of the filter readable in it: the ranges of its rows that
 * cannot match, ascending, apart and not empty.
 * They live until the next call. *row_groups is how many row groups lie in them whole because of
 * the statistics or the filter of the row group.
 */
int cdc_skip_ranges(struct cdc_skip *s, const struct cdc_datafile *df,
		    const struct cdc_skip_range **range, size_t *num_ranges, uint64_t *row_groups,
		    struct cdc_err *err) CDC_NODISCARD;

#endif
