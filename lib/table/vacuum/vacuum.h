/*
 * Removing the files of a table that no version within the retention refers to.
 */
#ifndef CDC_TABLE_VACUUM_H
#define CDC_TABLE_VACUUM_H

#include "delta/log.h"

struct cdc_vacuum_options {
	const struct cdc_io *io;
	const char *table;
	int64_t retain_ms; /* -1: delta.deletedFileRetentionDuration, else 7 days */
	bool force; /* allow less than that */
	bool dry_run;
	void *ctx;
	/* Each file that was (or would be) removed; may be NULL. An error of it ends the vacuum. */
	int (*on_file)(void *ctx, const char *path, uint64_t bytes, struct cdc_err *err);
};

struct cdc_vacuum_result {
	uint64_t files_removed;
	uint64_t bytes_removed;
	uint64_t dirs_seen;
	uint64_t dirs_removed;
};

/*
 * Remove files under the table's root that are older than the retention and that neither the
 * latest version nor a version within the retention refers to, and directories that have been empty
 * as long. What is not looked at: see tree.h. Streams: memory grows with the files that are in use,
 * not with those that are there.
 *
 * Commits "VACUUM START" and "VACUUM END" to the log, unless there is nothing to remove. A commit
 * that brings a file back while the vacuum runs is seen before the file would go. When a removal
 * fails the vacuum stops there, and its END says so.
 *
 * CDC_EUSAGE: the retention is too short. CDC_EUNSUPPORTED: a writer feature that is not known, or
 * a table of a catalog; features that are known but not honoured do not matter, since no row is
 * written.
 */
int cdc_vacuum(const struct cdc_vacuum_options *opt, struct cdc_vacuum_result *r,
	       struct cdc_err *err) CDC_NODISCARD;

#endif
