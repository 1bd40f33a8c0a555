/*
 * Checking a table: its log, its checkpoints and what they tell of each other, its files, and what
 * the log says of their content against the content itself. Nothing is written to the table.
 *
 * Findings are printed as they are made, one JSON object a line; see cdc-compact(1) for their form.
 * Memory grows with the table's state, as for reading it, not with its data.
 */
#ifndef CDC_TABLE_FSCK_H
#define CDC_TABLE_FSCK_H

#include "delta/log.h"
#include "io/stream.h"

struct cdc_fsck_options {
	const struct cdc_io *io;
	const char *table;
	int64_t version; /* -1: the latest */
	bool files_only; /* the files and data of that version; not the log, nor what else is in
			  * the directory, nor what engines can do */
	bool allow_external; /* look at files outside the table too (delta/path.h) */
	/* Rows and bytes read so far; may be NULL. */
	void (*on_progress)(void *ctx, uint64_t rows, uint64_t bytes);
	void *ctx;
};

struct cdc_fsck_result {
	int64_t version; /* that was checked, -1: it could not be loaded */
	uint64_t errors;
	uint64_t warnings;
	uint64_t files;
	uint64_t rows;
	uint64_t bytes;
	uint64_t orphan_files; /* that nothing refers to */
	uint64_t orphan_bytes;
};

/*
 * CDC_OK whatever was found; see the result. Errors are those of cdc_snapshot_load() for a table
 * that cannot be loaded (findings about its log are printed first), of the system, and of `out`.
 */
int cdc_fsck(const struct cdc_fsck_options *opt, struct cdc_writer *out, struct cdc_fsck_result *r,
	     struct cdc_err *err) CDC_NODISCARD;

#endif
