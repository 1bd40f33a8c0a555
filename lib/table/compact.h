/*
 * Maintenance of a table: small files packed into large ones, rows that deletion vectors mark
 * dropped for good.
 */
#ifndef CDC_TABLE_COMPACT_H
#define CDC_TABLE_COMPACT_H

#include "delta/log.h"

struct cdc_compact_options {
	const struct cdc_io *io;
	const char *table;
	uint64_t target_bytes; /* 0: delta.targetFileSize, else 128 MiB */
	int dv_percent; /* files with more deleted rows are rewritten; default 5 */
	bool dry_run;
	int retries; /* commits lost to other writers before CDC_ECONFLICT */
};

struct cdc_compact_result {
	int64_t version; /* of the commit, -1: nothing to do, or a dry run */
	uint64_t files_added;
	uint64_t files_removed;
	uint64_t bytes_added;
	uint64_t bytes_removed;
	uint64_t dvs_removed;
	uint64_t rows; /* that were written again */
	int64_t elapsed_ms;
};

/*
 * Pack the files of each partition, in their order, into files of about the target size, and
 * rewrite those whose deletion vectors have grown. One commit, in which no row changes
 * (dataChange=false). Readers and appending writers are not disturbed; when another writer changed
 * a file that was packed, the whole is done again on the new state.
 */
int cdc_compact(const struct cdc_compact_options *opt, struct cdc_compact_result *r,
		struct cdc_err *err) CDC_NODISCARD;

#endif
