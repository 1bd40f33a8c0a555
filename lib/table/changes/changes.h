/*
 * What the commits of a table changed, as change records (cdc-record(5)) that cdc-merge can apply
 * to a replica.
 *
 * One commit after the other, ascending. A commit with cdc actions is told by their files alone
 * (spec section 12); of any other, the rows of removed files are old and those of added files new,
 * and where a commit gives a file another deletion vector, the rows that are newly marked are old
 * and those that are no longer marked new. What was only moved (dataChange false) is no change. Old
 * and new rows that are equal in all columns cancel out. What is left is paired by key to UPDATE;
 * the other old rows are DELETE, the other new ones INSERT. Without a key there are no UPDATEs. Of
 * one key, DELETE comes before UPDATE and INSERT, and a row whose key changed is DELETE and INSERT:
 * records are applied one by one, and keys that are swapped or shifted within a commit would
 * overwrite each other as UPDATEs.
 *
 * A record's recordID is version * 2^32 + its number within the commit, and its position is
 * {"topic":"delta:ID","partition":0,"offset":recordID} with the id of the table: the same commits
 * with the same key and memory give the same records, and cdc-merge skips what the replica has.
 * After each commit that changed anything comes a CHECKPOINT, at the end a final one.
 */
#ifndef CDC_TABLE_CHANGES_H
#define CDC_TABLE_CHANGES_H

#include "io/stream.h"

/* Strings and lists are borrowed for the call. */
struct cdc_changes_options {
	const struct cdc_io *io;
	const char *table;
	int64_t from; /* first commit whose changes are wanted */
	int64_t to; /* last one; -1: the latest */
	const char *const *key; /* NULL-terminated; NULL: the table's cdc.key, if it has one */
	bool allow_external; /* follow paths that lead outside the table */
	uint64_t limit; /* row records to print; UINT64_MAX: all */
	/*
	 * Most memory for matching old rows with new ones; 0: 256 MiB. Only commits that have both
	 * need any: about 150 bytes for each old row, and one bit for each new one. Past it the
	 * rows are matched in parts by their hash, and the files read once more for each part;
	 * images of rows that wait for their pair go to a temporary file in `tmpdir` (NULL:
	 * $TMPDIR or /tmp).
	 */
	uint64_t memory_bytes;
	const char *tmpdir;
	/* Now and then, with what was written so far; may be NULL. */
	void (*on_progress)(void *ctx, uint64_t records, uint64_t bytes);
	void *ctx;
};

struct cdc_changes_counts {
	int64_t version; /* last commit that was told */
	uint64_t commits;
	uint64_t inserted;
	uint64_t updated;
	uint64_t deleted;
};

/*
 * Print the changes. CDC_EUSAGE: from > to, versions that are not in the log (any more), a key that
 * is not in the table. When the limit is reached before the end there is no final CHECKPOINT. Does
 * not flush the writer.
 */
int cdc_changes_print(const struct cdc_changes_options *opt, struct cdc_writer *out,
		      struct cdc_changes_counts *counts, struct cdc_err *err) CDC_NODISCARD;

#endif
