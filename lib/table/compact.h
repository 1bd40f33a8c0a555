/*
 * Maintenance of a table: small files packed into large ones, rows that deletion vectors mark
 * dropped for good, files that no version needs removed.
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

struct cdc_vacuum_options {
	const struct cdc_io *io;
	const char *table;
	int64_t retain_ms; /* -1: delta.deletedFileRetentionDuration, else 7 days */
	bool force; /* allow less than that */
	bool dry_run;
	void *ctx;
	/* Each file that is (or would be) removed; may be NULL. */
	void (*on_file)(void *ctx, const char *path, uint64_t bytes);
};

struct cdc_vacuum_result {
	uint64_t files_removed;
	uint64_t bytes_removed;
	uint64_t dirs_seen;
	uint64_t dirs_removed;
};

/*
 * Remove files under the table's root that are older than the retention and that neither the
 * latest version nor a version within the retention refers to. Hidden files and directories (names
 * with a leading "_" or ".") are not touched, but for _change_data; symbolic links are never
 * followed. Commits "VACUUM START" and "VACUUM END" to the log.
 */
int cdc_vacuum(const struct cdc_vacuum_options *opt, struct cdc_vacuum_result *r,
	       struct cdc_err *err) CDC_NODISCARD;

#endif
