/*
 * The transaction log: a table's state at a version, commits, checkpoints, history.
 *
 * A snapshot is immutable and owns all memory its slices point to.
 */
#ifndef CDC_DELTA_LOG_H
#define CDC_DELTA_LOG_H

#include "delta/actions.h"

struct cdc_snapshot {
	char *table; /* root path, no trailing slash */
	bool allow_external; /* set by the caller: files outside the root may be read (path.h) */
	int64_t version;
	int64_t checkpoint_version; /* the checkpoint it was read from, -1: none */
	int64_t timestamp_ms; /* of this version's commit: in-commit, else the file's time */
	bool has_in_commit_timestamp; /* timestamp_ms is an in-commit timestamp */
	struct cdc_protocol protocol;
	struct cdc_metadata metadata;
	struct cdc_schema schema; /* parsed metadata.schema_json, is_partition set */
	struct cdc_add *add; /* live files, in the order of the log */
	size_t num_adds;
	struct cdc_remove *tombstone; /* all removes not yet expired nor re-added */
	size_t num_tombstones;
	struct cdc_txn *txn;
	size_t num_txns;
	struct cdc_domain *domain;
	size_t num_domains;
	struct cdc_arena arena;
};

/* True when `table`/_delta_log holds a commit or checkpoint. */
int cdc_log_exists(const struct cdc_io *io, const char *table, bool *exists,
		   struct cdc_err *err) CDC_NODISCARD;

/*
 * Read the state at `version` (-1: the latest). CDC_ECORRUPT: gap, damaged file, no protocol or
 * metaData. CDC_EUNSUPPORTED: a reader feature that we do not know (the message names it).
 * CDC_EUSAGE: no such version, or not a table.
 */
int cdc_snapshot_load(struct cdc_snapshot **s, const struct cdc_io *io, const char *table,
		      int64_t version, struct cdc_err *err) CDC_NODISCARD;
void cdc_snapshot_free(struct cdc_snapshot *s);

/* CDC_EUNSUPPORTED naming the first writer feature that we do not honour. */
int cdc_snapshot_check_writable(const struct cdc_snapshot *s, struct cdc_err *err) CDC_NODISCARD;
/*
 * CDC_EUNSUPPORTED naming the first feature that we do not know at all: enough for who commits
 * neither rows nor files, as VACUUM, and does not honour what it does not touch.
 */
int cdc_protocol_check_known(const struct cdc_protocol *p, struct cdc_err *err) CDC_NODISCARD;
/* Whether files may be given new deletion vectors: the protocol has them, and a property asks. */
bool cdc_deletion_vectors_on(const struct cdc_snapshot *s);
bool cdc_protocol_has_feature(const struct cdc_protocol *p, const char *feature);
/*
 * The protocol that supports all that the metadata and its schema use: `old`, where it does, else
 * raised no further than needed. Legacy versions stay where they suffice; lists name everything
 * that the old versions implied. Lists are of `arena`, names of `old` or constant.
 */
int cdc_protocol_upgrade(const struct cdc_protocol *old, const struct cdc_metadata *m,
			 const struct cdc_schema *schema, struct cdc_arena *arena,
			 struct cdc_protocol *out, bool *changed,
			 struct cdc_err *err) CDC_NODISCARD;
/* Whether the column mapping is on, and whether columns are found in files by their field ids,
 * which is its mode id. */
bool cdc_mapped(const struct cdc_protocol *p, const struct cdc_metadata *m);
bool cdc_mapped_by_id(const struct cdc_protocol *p, const struct cdc_metadata *m);
/* Version of the application transaction, -1 if there is none. */
int64_t cdc_snapshot_txn(const struct cdc_snapshot *s, struct cdc_str app_id);
/* Integer table property; `fallback` when absent or malformed. */
int64_t cdc_snapshot_config_int(const struct cdc_snapshot *s, const char *key, int64_t fallback);
/* "interval 1 week", "7 days" … to milliseconds; `fallback_ms` when absent or malformed. */
int64_t cdc_snapshot_config_interval_ms(const struct cdc_snapshot *s, const char *key,
					int64_t fallback_ms);
/* "134217728", "128mb" … to bytes; `fallback` when absent or malformed. */
int64_t cdc_snapshot_config_size(const struct cdc_snapshot *s, const char *key, int64_t fallback);

/*
 * Make a snapshot ahead of the log: what a commit yet to come, with this metaData and protocol,
 * would make of it. Their memory has to be the snapshot's own arena. CDC_EUNSUPPORTED when such a
 * table could not be written to; nothing has changed then.
 */
int cdc_snapshot_revise(struct cdc_snapshot *s, const struct cdc_metadata *m,
			const struct cdc_protocol *p, struct cdc_err *err) CDC_NODISCARD;

/*
 * The same table with more columns behind its own, to read and write files that have them; found
 * there by name. *out shares all other memory with `s`. Names must not be those of columns:
 * CDC_EUNSUPPORTED.
 */
int cdc_snapshot_extend(struct cdc_snapshot *out, const struct cdc_snapshot *s,
			const struct cdc_field *extra, int n, struct cdc_err *err) CDC_NODISCARD;
void cdc_snapshot_extend_free(struct cdc_snapshot *out);

/* ------------------------------------------------------------------ commit */

/* What one commit holds. Borrowed for the call. NULL protocol or metadata: unchanged. */
struct cdc_commit {
	const char *operation; /* "MERGE", "CREATE TABLE" … */
	struct cdc_kv *parameter; /* values are strings (JSON text inside) */
	int num_parameters;
	struct cdc_kv *metric; /* values are decimal text */
	int num_metrics;
	const struct cdc_kv *tag; /* of the commitInfo */
	int num_tags;
	bool is_blind_append;
	const char *isolation; /* "Serializable", "SnapshotIsolation" */
	int64_t read_version; /* -1: none (first commit) */
	int64_t in_commit_timestamp_ms; /* of the commit that turns them on; 0: chosen */
	const struct cdc_protocol *protocol;
	const struct cdc_metadata *metadata;
	const struct cdc_add *add;
	size_t num_adds;
	const struct cdc_remove *remove;
	size_t num_removes;
	const struct cdc_change_file *change;
	size_t num_changes;
	const struct cdc_txn *txn;
	size_t num_txns;
	const struct cdc_domain *domain;
	size_t num_domains;
};

/*
 * Put version `version` in the log if it is not there: CDC_ECONFLICT when another writer was first
 * (read its commit with cdc_commit_read, rebase, try the next version). Order in the file:
 * commitInfo, metaData, protocol, txn, domainMetadata, remove, add, cdc. Data files must be durable
 * already. On success the commit is durable. Errors that leave the outcome open are settled by
 * reading the commit back and comparing its txnId; where even that fails the message says that the
 * outcome is not known. Success with a message in `err` (code CDC_OK) is a warning: the commit is
 * there, but the directory could not be synced.
 *
 * In-commit timestamps are written when the metadata given here turns them on, or when the previous
 * commit has one. CDC_EINTERNAL when version - 1 is not in the log.
 */
int cdc_commit_put(const struct cdc_io *io, const char *table, int64_t version,
		   const struct cdc_commit *c, struct cdc_err *err) CDC_NODISCARD;

/* One action as it stands in a commit, appended with its line end: for commits of other tables than
 * the one at hand, which cdc_commit_put does not serve. */
int cdc_protocol_write(struct cdc_buf *b, const struct cdc_protocol *p,
		       struct cdc_err *err) CDC_NODISCARD;
int cdc_metadata_write(struct cdc_buf *b, const struct cdc_metadata *m,
		       struct cdc_err *err) CDC_NODISCARD;
int cdc_txn_write(struct cdc_buf *b, const struct cdc_txn *t, struct cdc_err *err) CDC_NODISCARD;
int cdc_domain_write(struct cdc_buf *b, const struct cdc_domain *d,
		     struct cdc_err *err) CDC_NODISCARD;
int cdc_add_write(struct cdc_buf *b, const struct cdc_add *a, struct cdc_err *err) CDC_NODISCARD;

/* The actions of one commit, for conflict checks, history and change computation. */
struct cdc_commit_actions {
	int64_t version;
	int64_t timestamp_ms; /* inCommitTimestamp, else the file's mtime */
	bool has_protocol;
	struct cdc_protocol protocol;
	bool has_metadata;
	struct cdc_metadata metadata;
	struct cdc_add *add;
	size_t num_adds;
	struct cdc_remove *remove;
	size_t num_removes;
	struct cdc_change_file *change; /* if any: the commit's changes are these and no others */
	size_t num_changes;
	struct cdc_txn *txn;
	size_t num_txns;
	struct cdc_domain *domain;
	size_t num_domains;
	struct cdc_str commit_info; /* raw JSON object; p == NULL: none */
	bool is_blind_append;
	struct cdc_arena arena;
};

/*
 * What the metaData and protocol of a commit make of the state before it, without any files: to
 * read rows of that version. Everything is copied. Errors as of cdc_snapshot_load.
 */
int cdc_snapshot_turn(struct cdc_snapshot **out, const struct cdc_io *io,
		      const struct cdc_snapshot *s, const struct cdc_commit_actions *a,
		      struct cdc_err *err) CDC_NODISCARD;

/* CDC_END when there is no such version. */
int cdc_commit_read(const struct cdc_io *io, const char *table, int64_t version,
		    struct cdc_commit_actions *out, struct cdc_err *err) CDC_NODISCARD;
void cdc_commit_actions_free(struct cdc_commit_actions *a);

/*
 * When the commits that are in the log up to the snapshot's version were made. Where the snapshot's
 * table has in-commit timestamps it is what a commit tells from the version on at which they were
 * enabled; before that, and else, it is the file's time, and 1 ms more than the version before
 * where that is not earlier (spec section 13).
 */
struct cdc_log_times {
	int64_t *version; /* ascending */
	int64_t *timestamp_ms;
	size_t n;
	size_t readable; /* the versions from this position on can be loaded; n: none can */
};
int cdc_log_times(const struct cdc_io *io, const struct cdc_snapshot *s, struct cdc_log_times *out,
		  struct cdc_err *err) CDC_NODISCARD;
void cdc_log_times_free(struct cdc_log_times *t);

/*
 * The last version that was made at `timestamp_ms` or before; `s` is the table's latest state.
 * CDC_EUSAGE, naming the nearest version, when the time lies before the earliest version that can
 * be read or after the latest (spec section 15).
 */
int cdc_log_version_at(const struct cdc_io *io, const struct cdc_snapshot *s, int64_t timestamp_ms,
		       int64_t *version, struct cdc_err *err) CDC_NODISCARD;

/* ------------------------------------------------------------------ checkpoints */

/*
 * Write the checkpoint of a snapshot, of the kind that the table asks for, and _last_checkpoint,
 * then clean up the log as the table's properties allow.
 */
int cdc_checkpoint_write(const struct cdc_io *io, const struct cdc_snapshot *s,
			 struct cdc_err *err) CDC_NODISCARD;

struct cdc_checkpoint_result {
	int64_t version;
	uint64_t num_adds; /* live files in it */
};

/*
 * The same of a version of a table (-1: the latest) that is not in memory. The files of the
 * checkpoint before it are passed through; what is held is what the commits behind that one tell.
 * Errors as of cdc_snapshot_load and cdc_snapshot_check_writable.
 */
int cdc_checkpoint_write_version(const struct cdc_io *io, const char *table, int64_t version,
				 struct cdc_checkpoint_result *out,
				 struct cdc_err *err) CDC_NODISCARD;
/* Whether the commit of `version` is one that delta.checkpointInterval asks a checkpoint for. */
bool cdc_checkpoint_due(const struct cdc_snapshot *s, int64_t version);

#endif
