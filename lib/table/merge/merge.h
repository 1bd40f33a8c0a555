/*
 * Apply a stream of change records to a table (the one law of cdc-record(5)).
 *
 *	cdc_merge_new(&m, &opt, &err)
 *	for each line: cdc_merge_line(m, line, number, file, &err)
 *	cdc_merge_finish(m, &err)	commits what is left
 *	cdc_merge_free(m)
 *
 * Records collect in a batch, which is folded to one net change per key, cast to the table's types,
 * probed against the files that can hold its keys, and committed. A batch ends at a CHECKPOINT
 * record, at the limits of the options, or when its memory is full; never between two records of
 * one position. Everything before a failed batch stays committed.
 */
#ifndef CDC_TABLE_MERGE_H
#define CDC_TABLE_MERGE_H

#include "io/io.h"

enum cdc_merge_mode {
	CDC_MERGE_AUTO, /* per file, by cost */
	CDC_MERGE_DV, /* mark rows in deletion vectors, append new ones */
	CDC_MERGE_COW /* rewrite the files that hold changed rows */
};

enum cdc_merge_position {
	CDC_POSITION_KAFKA, /* "position" members with topic, partition and offset */
	CDC_POSITION_RECORD_ID, /* the source's own numbering */
	CDC_POSITION_NONE
};

/* What to do where the source's columns are not the table's. */
enum cdc_evolve {
	CDC_EVOLVE_FAIL, /* records with a column that the table lacks are rejects */
	CDC_EVOLVE_ADD, /* columns of SCHEMA records, or of `schema`, are added */
	CDC_EVOLVE_WIDEN, /* and types that became wider are widened */
	CDC_EVOLVE_IGNORE /* columns that the table lacks are dropped */
};

enum cdc_on_truncate { CDC_TRUNCATE_APPLY, CDC_TRUNCATE_IGNORE, CDC_TRUNCATE_FAIL };

/* What one commit did; also what --dry-run reports, with version -1. */
struct cdc_merge_result {
	int64_t version;
	uint64_t records; /* change records of the batch */
	uint64_t inserted;
	uint64_t updated;
	uint64_t deleted;
	uint64_t unchanged; /* keys whose new row is the stored one: nothing is written */
	uint64_t late; /* keys of which a newer row is stored, by sequence_by */
	uint64_t copied; /* untouched rows in rewritten files */
	uint64_t duplicates; /* stored rows beyond the first of their key, replaced too */
	uint64_t files_added;
	uint64_t files_removed;
	uint64_t bytes_added;
	uint64_t bytes_removed;
	uint64_t dvs_added; /* deletion vectors written or replaced */
	uint64_t files_probed;
	uint64_t files_skipped; /* ruled out by statistics or partition */
	uint64_t retries; /* commits lost to other writers before this one */
	uint64_t columns_added;
	uint64_t columns_widened;
	uint64_t columns_relaxed; /* no longer NOT NULL */
	int64_t elapsed_ms;
};

struct cdc_merge_counts {
	uint64_t records; /* row records and TRUNCATEs seen */
	uint64_t skipped; /* at or below the table's position */
	uint64_t rejected;
	uint64_t batches; /* commits */
	bool final; /* the stream closed with "final":true */
};

/* Strings and lists are borrowed until cdc_merge_free. */
struct cdc_merge_options {
	const struct cdc_io *io;
	const char *table;
	bool create; /* may create without a SCHEMA record (needs schema, key) */
	const char *schema; /* DDL; overrides SCHEMA records for the columns it names */
	const char *const *key; /* NULL-terminated, NULL: the table's, or the SCHEMA's */
	const char *const *partition_by; /* NULL-terminated or NULL; for creation */
	const char *const *property; /* "K=V", NULL-terminated or NULL */
	enum cdc_merge_mode mode;
	enum cdc_merge_position position;
	enum cdc_on_truncate on_truncate;
	enum cdc_evolve evolve;
	bool insert_only; /* records of keys that exist change nothing */
	bool dry_run;
	bool require_final;
	const char *app_id; /* NULL: "cdc" */
	uint64_t batch_records; /* 0: no limit */
	uint64_t batch_bytes;
	uint64_t batch_seconds;
	uint64_t memory_bytes; /* of one batch; 0: 464 MiB */
	uint64_t target_file_bytes; /* 0: delta.targetFileSize, else 128 MiB */
	int retries; /* commits lost to other writers before CDC_ECONFLICT; 0: 100, -1: none */
	/* Column that tells which of two rows of a key is the newer one: an integer, a date or a
	 * timestamp. It takes the place of recordID, and older changes lose to newer stored rows.
	 * NULL: records apply as they come. */
	const char *sequence_by;
	void *ctx;
	/* A record that cannot be applied. Returns CDC_OK to go on. `raw` is the line. */
	int (*on_reject)(void *ctx, const char *reason, const char *file, uint64_t line,
			 struct cdc_str raw, struct cdc_err *err);
	/* After each commit (or planned commit); may be NULL. */
	void (*on_commit)(void *ctx, const struct cdc_merge_result *r);
	/* The properties that were set on a table that was there, in which version; -1: none, as
	 * opt->dry_run asks. May be NULL. */
	void (*on_properties)(void *ctx, int64_t version, const char *what);
	void (*on_warning)(void *ctx, const char *text);
};

struct cdc_merge;

int cdc_merge_new(struct cdc_merge **m, const struct cdc_merge_options *opt,
		  struct cdc_err *err) CDC_NODISCARD;
int cdc_merge_line(struct cdc_merge *m, struct cdc_str line, uint64_t number, const char *file,
		   struct cdc_err *err) CDC_NODISCARD;
/* Commit an open batch whose batch_seconds have passed; call when input is idle. */
int cdc_merge_idle(struct cdc_merge *m, struct cdc_err *err) CDC_NODISCARD;
/* End of good input: commit the rest. */
int cdc_merge_finish(struct cdc_merge *m, struct cdc_err *err) CDC_NODISCARD;
const struct cdc_merge_counts *cdc_merge_counts(const struct cdc_merge *m);
/* Version of the last commit made, -1 if none. */
int64_t cdc_merge_version(const struct cdc_merge *m);
void cdc_merge_free(struct cdc_merge *m);

#endif
