/*
 * The table that a merge writes to: opened, or created from --schema and SCHEMA records; its key,
 * and the map from the columns of images to its fields.
 */
#ifndef CDC_TABLE_TARGET_H
#define CDC_TABLE_TARGET_H

#include "delta/log.h"
#include "record/record.h"
#include "table/batch/key.h"
#include "table/merge/merge.h"

/* What the snapshot has ahead of the log. */
struct cdc_target_columns {
	uint64_t added;
	uint64_t widened;
	uint64_t relaxed; /* no longer NOT NULL */
};

struct cdc_target {
	const struct cdc_io *io;
	const struct cdc_merge_options *opt; /* borrowed */
	char *path; /* root, no trailing slash */
	struct cdc_snapshot *snapshot; /* NULL until the table exists or is being created */
	bool creating; /* snapshot is a draft: version -1, nothing on disk */
	/* The snapshot's metaData, and if raised its protocol too, is ahead of the log: the next
	 * commit has to carry it. Its files are those of its version. */
	bool pending;
	bool raised;
	struct cdc_target_columns columns;
	struct cdc_key key;
	int sequence; /* field of --sequence-by; -1: none */
};

int cdc_target_init(struct cdc_target *t, const struct cdc_merge_options *opt,
		    struct cdc_err *err) CDC_NODISCARD;
void cdc_target_free(struct cdc_target *t);

/*
 * Have a snapshot before the first row: from the log, else a draft from --schema and the columns of
 * `schema_record` (NULL: none came). CDC_EUSAGE when what is there does not suffice; the message
 * says which option would.
 */
int cdc_target_ready(struct cdc_target *t, const struct cdc_record *schema_record,
		     struct cdc_err *err) CDC_NODISCARD;

/*
 * --property on a table that is there, before its first batch: a commit of its own when a value
 * differs, tried again when another writer was first; *version is its version, else -1. `what`
 * receives "KEY=VALUE, KEY=VALUE" of those that differ, nothing when none does. With --dry-run
 * nothing is committed. Success with a message in `err` as of cdc_commit_put.
 */
int cdc_target_set_properties(struct cdc_target *t, struct cdc_buf *what, int64_t *version,
			      struct cdc_err *err) CDC_NODISCARD;

/*
 * Make the snapshot of a table that is there what it has to be for rows of the SCHEMA record (NULL:
 * of --schema alone), as far as --evolve allows; `apply` false: only tell in *changes whether it
 * would change. Rows and keys of the old schema must be committed before. CDC_EUSAGE when the
 * change is not possible, or the source does not tell a type.
 */
int cdc_target_evolve(struct cdc_target *t, const struct cdc_record *schema_record, bool apply,
		      bool *changes, struct cdc_err *err) CDC_NODISCARD;

/* Put what is pending into a commit; and say that it was committed. */
void cdc_target_fill_commit(const struct cdc_target *t, struct cdc_commit *c);
void cdc_target_committed(struct cdc_target *t);

/*
 * Replace the snapshot by the latest state of the log, after a commit or a lost one; what is
 * pending is made pending again where the log still lacks it. On failure the old one stays.
 * CDC_ECONFLICT when another writer changed the schema. The state of before goes to *old, for the
 * caller to free (NULL on failure); without `old` it is freed.
 */
int cdc_target_reload(struct cdc_target *t, struct cdc_snapshot **old,
		      struct cdc_err *err) CDC_NODISCARD;

/* One column of a SCHEMA record as a DDL type ("bigint" with sourceType "bigint(20) unsigned" is
 * DECIMAL(20,0)). CDC_EUSAGE when the source did not tell enough. */
int cdc_source_type(struct cdc_str name, struct cdc_str type, struct cdc_str source_type,
		    struct cdc_buf *ddl, struct cdc_err *err) CDC_NODISCARD;

#endif
