/*
 * Maintenance of a table: small files packed into large ones, rows that deletion vectors mark
 * dropped for good.
 */
#ifndef CDC_TABLE_COMPACT_H
#define CDC_TABLE_COMPACT_H

#include "delta/log.h"

/* Files that are read together and written anew: what --dry-run tells of. Lives for the call. */
struct cdc_compact_bin {
	const char *operation; /* "compact", "sort" or "zorder" */
	const struct cdc_kv *partition_value; /* by the columns' names, in the table's order */
	int num_partition_values;
	const struct cdc_add *const *file;
	size_t num_files;
	uint64_t bytes;
	uint64_t rows; /* that would be written */
	uint64_t dvs;
	bool copied; /* some row groups would be taken over without decoding them */
};

struct cdc_compact_options {
	const struct cdc_io *io;
	const char *table;
	uint64_t target_bytes; /* 0: delta.targetFileSize, else 128 MiB */
	int dv_percent; /* files with more deleted rows are rewritten; default 5 */
	const char *where; /* partitions for which this is true; NULL: all */
	const char *const *sort_by; /* NULL-terminated column names; NULL: rows keep their order */
	bool zorder; /* sort_by is for a Z-order */
	uint64_t memory_bytes; /* of a sort, 0: 256 MiB */
	const char *tmpdir; /* where a sort spills; NULL: $TMPDIR or /tmp */
	bool dry_run;
	int retries; /* commits lost to other writers before CDC_ECONFLICT; 0: 100, -1: none */
	void *ctx;
	/* With dry_run, each bin. May be NULL. Anything but CDC_OK ends the run. */
	int (*on_bin)(void *ctx, const struct cdc_compact_bin *bin, struct cdc_err *err);
};

struct cdc_compact_result {
	int64_t version; /* of the commit, -1: nothing to do, or a dry run */
	uint64_t bins;
	uint64_t bins_lost; /* left alone, since another writer changed their files meanwhile */
	uint64_t files_added;
	uint64_t files_removed;
	uint64_t bytes_added;
	uint64_t bytes_removed;
	uint64_t dvs_removed;
	uint64_t dvs_carried; /* on new files, for rows that were deleted meanwhile */
	uint64_t rows; /* that were written again */
	uint64_t rows_copied; /* of them, without decoding them */
	uint64_t retries; /* commits lost to other writers */
	int64_t elapsed_ms;
};

/*
 * Pack the files of each partition, in their order, into files of about the target size, and
 * rewrite those whose deletion vectors have grown. With sort_by all files of the partitions are
 * rewritten, with their rows in order: ascending, nulls first, NaN last, strings by their bytes;
 * or along a Z-order curve through the ranks of the columns' values.
 *
 * One commit, in which no row changes (dataChange=false). Readers and appending writers are not
 * disturbed. When another writer is faster its commits are read: rows that it marked in a file that
 * was rewritten are marked in the new file too; a bin of which it removed a file is left out. Only
 * when nothing is left, or the table's metadata changed, the work is done again.
 *
 * CDC_EUSAGE: a predicate or a column that does not do. CDC_ECONFLICT: lost too often.
 */
int cdc_compact(const struct cdc_compact_options *opt, struct cdc_compact_result *r,
		struct cdc_err *err) CDC_NODISCARD;

#endif
