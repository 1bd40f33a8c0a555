/*
 * Private to the log: the member tables that drive every reader and writer of actions, the listing
 * of _delta_log, and the replay that turns actions into a snapshot.
 */
#ifndef CDC_DELTA_LOG_INT_H
#define CDC_DELTA_LOG_INT_H

#include "base/hash.h"
#include "base/json.h"
#include "delta/log.h"

#define CDC_LOG_DIR "_delta_log"
#define CDC_SIDECAR_DIR "_sidecars" /* in it */
#define CDC_LOG_NAME_MAX 64 /* "%020d.json" and the other names that we write */
#define CDC_LOG_VERSION_MAX (INT64_MAX - 1)
#define CDC_MS_PER_DAY INT64_C(86400000)
/* Bounds on what is read as a whole: a file of JSON actions, and one action of it. */
#define CDC_LOG_JSON_MAX ((size_t)2 << 30)
#define CDC_LOG_ACTION_MAX ((size_t)128 << 20)

/* ------------------------------------------------------------------ actions */

enum cdc_action_kind {
	CDC_ACT_TXN,
	CDC_ACT_ADD,
	CDC_ACT_REMOVE,
	CDC_ACT_METADATA,
	CDC_ACT_PROTOCOL,
	CDC_ACT_DOMAIN,
	CDC_ACT_SIDECAR,
	CDC_ACT_CHANGE, /* "cdc" */
	CDC_ACT_CHECKPOINT, /* "checkpointMetadata" */
	CDC_ACT_COMMIT_INFO,
	CDC_ACT_NUM
};

#define CDC_ACT_NUM_TABLES CDC_ACT_COMMIT_INFO /* kinds with a member table */

struct cdc_sidecar {
	struct cdc_str path;
	int64_t size_bytes;
	int64_t modification_time_ms;
	struct cdc_str tags; /* raw JSON object; p == NULL: none */
};

/* What tells a V2 checkpoint. */
struct cdc_checkpoint_info {
	int64_t version;
	struct cdc_str tags;
};

/* What we look at in a commitInfo; everything in it is optional and of any type. */
struct cdc_commit_info {
	struct cdc_str raw;
	struct cdc_str txn_id; /* p == NULL: none */
	bool is_blind_append;
	bool has_in_commit_timestamp;
	int64_t in_commit_timestamp_ms;
};

struct cdc_action {
	enum cdc_action_kind kind;
	union cdc_action_body {
		struct cdc_txn txn;
		struct cdc_add add;
		struct cdc_remove remove;
		struct cdc_metadata metadata;
		struct cdc_protocol protocol;
		struct cdc_domain domain;
		struct cdc_sidecar sidecar;
		struct cdc_change_file change;
		struct cdc_checkpoint_info checkpoint;
		struct cdc_commit_info info;
	} u;
};

/* Receives an action whose slices live for the call. */
typedef int cdc_action_fn(void *ctx, const struct cdc_action *a, struct cdc_err *err);

/*
 * How a member of an action lies in its struct. The same table reads and writes JSON and the
 * columns of a checkpoint.
 */
enum cdc_member_type {
	CDC_M_STRING, /* struct cdc_str, absent: p == NULL */
	CDC_M_INT64,
	CDC_M_INT32,
	CDC_M_BOOL,
	CDC_M_MAP, /* struct cdc_kv *, count in `count_at` */
	CDC_M_LIST, /* struct cdc_str *, count in `count_at` */
	CDC_M_TAGS, /* struct cdc_str of raw JSON; a map in a checkpoint */
	CDC_M_COUNT_STATS, /* int64_t, inside a stats string as numRecords */
	CDC_M_STORAGE, /* char, a string of one letter */
	CDC_M_EXTENDED, /* bool, derived when read */
	CDC_M_FORMAT, /* constant {"provider":"parquet","options":{}} */
	CDC_M_DV /* struct cdc_dv_ref, by cdc_dv_member */
};

#define CDC_M_NO_FLAG UINT16_MAX

struct cdc_member {
	const char *name;
	enum cdc_member_type type;
	bool required;
	bool in_checkpoint;
	uint16_t at;
	uint16_t flag_at; /* bool that tells whether it is there; CDC_M_NO_FLAG: always */
	uint16_t count_at;
};

struct cdc_action_def {
	const char *name;
	const struct cdc_member *member;
	int num_members;
};

extern const struct cdc_action_def cdc_action_def[CDC_ACT_NUM_TABLES];
extern const struct cdc_member cdc_dv_member[];
#define CDC_DV_NUM_MEMBERS 5

/* Whether the member is to be written. */
bool cdc_member_present(enum cdc_action_kind kind, const struct cdc_member *m, const void *body);
/* Defaults of a struct that is about to be read. */
void cdc_action_init(struct cdc_action *a, enum cdc_action_kind kind);
/* Checks and derived members after reading; bit i of `seen`: member i was there. */
int cdc_action_finish(struct cdc_action *a, uint32_t seen, struct cdc_err *err) CDC_NODISCARD;

static inline const void *cdc_member_at(const void *body, uint16_t at)
{
	return (const char *)body + at;
}

static inline void *cdc_member_to(void *body, uint16_t at)
{
	return (char *)body + at;
}

/*
 * Parse a stream of JSON actions (one a line is usual, not required). Slices point into `text` or
 * `arena`. Unknown actions are passed over. CDC_ECORRUPT with the offset of what is wrong.
 */
int cdc_actions_parse(struct cdc_tape *tape, struct cdc_str text, struct cdc_arena *arena,
		      cdc_action_fn *each, void *ctx, struct cdc_err *err) CDC_NODISCARD;
/* The commitInfo that starts `text`, which may be cut off behind it, or within it. */
enum cdc_info_found {
	CDC_INFO_FOUND,
	CDC_INFO_NONE, /* the text begins with another action */
	CDC_INFO_CUT /* the first action does not end in the text */
};
enum cdc_info_found cdc_commit_info_first(struct cdc_str text, struct cdc_arena *arena,
					  struct cdc_commit_info *out);
/* The commitInfo of a version, if its commit begins with one; slices from `arena`. */
int cdc_commit_info_read(const struct cdc_io *io, const char *table, int64_t version,
			 struct cdc_arena *arena, struct cdc_commit_info *out, bool *found,
			 struct cdc_err *err) CDC_NODISCARD;

/* One action with its line end. */
int cdc_action_write(struct cdc_buf *b, enum cdc_action_kind kind, const void *body,
		     struct cdc_err *err) CDC_NODISCARD;

/* Copy everything that the slices of an action point to; the tables know where they are. */
int cdc_action_copy(struct cdc_arena *a, enum cdc_action_kind kind, void *body,
		    struct cdc_err *err) CDC_NODISCARD;

/* A map as a JSON object of strings. */
int cdc_action_put_map(struct cdc_buf *b, const struct cdc_kv *kv, int n,
		       struct cdc_err *err) CDC_NODISCARD;

/* ------------------------------------------------------------------ the directory */

enum cdc_log_kind {
	CDC_LOG_COMMIT,
	CDC_LOG_CHECKPOINT, /* classic, in one file */
	CDC_LOG_CHECKPOINT_PART,
	CDC_LOG_CHECKPOINT_V2, /* with a UUID in its name */
	CDC_LOG_COMPACTED,
	CDC_LOG_CHECKSUM,
	CDC_LOG_OTHER
};

struct cdc_log_file {
	enum cdc_log_kind kind;
	bool json; /* V2: JSON, else Parquet */
	uint32_t part; /* 1.. */
	uint32_t parts;
	int64_t version;
	int64_t last; /* compacted: it replaces the commits version..last */
	const char *name;
};

struct cdc_log_list {
	struct cdc_log_file *file; /* by version, kind, parts, part, name */
	size_t n;
	struct cdc_arena arena;
};

void cdc_log_name_parse(const char *name, struct cdc_log_file *out);
/* Files of known names in the log. A log that is not there is an empty list. */
int cdc_log_list_read(struct cdc_log_list *l, const struct cdc_io *io, const char *table,
		      struct cdc_err *err) CDC_NODISCARD;
void cdc_log_list_free(struct cdc_log_list *l);
/* table/_delta_log/name, NUL-terminated from `arena`; name NULL: the directory. */
int cdc_log_path(const char *table, const char *name, struct cdc_arena *arena, const char **path,
		 struct cdc_err *err) CDC_NODISCARD;
/*
 * A file of JSON actions as a whole. CDC_ECORRUPT when it is larger than CDC_LOG_JSON_MAX, which
 * has to be the buffer's cap, or no file but a pipe, say, which would never end.
 */
int cdc_log_read_file(const struct cdc_io *io, const char *path, struct cdc_buf *b,
		      struct cdc_err *err) CDC_NODISCARD;
void cdc_log_commit_name(int64_t version, char out[CDC_LOG_NAME_MAX]);

/* One usable checkpoint: num files of the list that belong together. */
struct cdc_log_checkpoint {
	int64_t version;
	const struct cdc_log_file *file;
	size_t num_files;
};

/* The newest complete checkpoint at or below `version`, looking from list position *at downwards
 * (start with l->n); false when there is none. Call again for the next older one. */
bool cdc_log_checkpoint_before(const struct cdc_log_list *l, int64_t version, size_t *at,
			       struct cdc_log_checkpoint *out);
/* The commit file of `version`, NULL if it is not there. */
const struct cdc_log_file *cdc_log_commit_find(const struct cdc_log_list *l, int64_t version);

/*
 * When the commit of a version was made: what it tells (*told), where the table has in-commit
 * timestamps, else its file's time. CDC_EIO with ENOENT when it is not there.
 */
int cdc_log_commit_time(const struct cdc_io *io, const struct cdc_snapshot *s, int64_t version,
			struct cdc_arena *scratch, int64_t *ms, bool *told,
			struct cdc_err *err) CDC_NODISCARD;

/* ------------------------------------------------------------------ replay */

/* A first-seen set of names: adds and removes by path and deletion vector, txns, domains. */
struct cdc_replay_key {
	struct cdc_str name; /* canonical decoded path; appId; domain */
	const struct cdc_dv_ref *dv; /* in the snapshot's arena, NULL: none */
};

struct cdc_replay_set {
	struct cdc_map map;
	struct cdc_replay_key *key;
	size_t n;
	size_t cap;
};

/* Finds where absolute paths meet the table's root. */
struct cdc_path_root {
	const struct cdc_io *io;
	const char *table;
	bool known; /* the root's device and inode were looked up */
	bool there;
	dev_t dev;
	ino_t ino;
	struct cdc_buf prefix; /* absolute form of the root, once found */
	struct cdc_buf foreign; /* a directory known to lie outside */
	struct cdc_buf path;
};

/*
 * The canonical form of a path of the log: decoded once, `file:` URIs and absolute paths under the
 * root made relative. Points into `uri` or r->path: until the next call.
 */
int cdc_path_canonical(struct cdc_path_root *r, struct cdc_str uri, struct cdc_str *out,
		       struct cdc_err *err) CDC_NODISCARD;
void cdc_path_root_free(struct cdc_path_root *r);

/* Newest first: what is seen first wins (spec section 4). */
struct cdc_replay {
	struct cdc_snapshot *s;
	struct cdc_path_root root;
	struct cdc_replay_set files;
	struct cdc_replay_set txns;
	struct cdc_replay_set domains;
	bool has_protocol;
	bool has_metadata;
	size_t cap_adds;
	size_t cap_tombstones;
	size_t cap_txns;
	size_t cap_domains;
};

void cdc_replay_init(struct cdc_replay *r, struct cdc_snapshot *s, const struct cdc_io *io);
void cdc_replay_free(struct cdc_replay *r);
/* One action of older or equal age than all before; copied if it counts. CDC_EUNSUPPORTED when it
 * is the governing protocol and must not be read. */
int cdc_replay_action(struct cdc_replay *r, const struct cdc_action *a,
		      struct cdc_err *err) CDC_NODISCARD;
/*
 * Where the commits end and the checkpoint begins, and then, when both are in: the order of the
 * log, which is the checkpoint's actions first and the commits oldest first.
 */
struct cdc_replay_mark {
	size_t adds;
	size_t tombstones;
	size_t txns;
	size_t domains;
};
struct cdc_replay_mark cdc_replay_mark(const struct cdc_replay *r);
void cdc_replay_order(struct cdc_replay *r, struct cdc_replay_mark commits);
/* Whether a newer action than this add or remove has its key. */
int cdc_replay_seen(struct cdc_replay *r, const struct cdc_action *a, bool *seen,
		    struct cdc_err *err) CDC_NODISCARD;
/* A remove of this time or before has expired. */
int64_t cdc_replay_cutoff_ms(const struct cdc_snapshot *s, const struct cdc_io *io);
/* CDC_ECORRUPT without protocol or metaData; drops expired tombstones and removed domains. */
int cdc_replay_finish(struct cdc_replay *r, const struct cdc_io *io,
		      struct cdc_err *err) CDC_NODISCARD;

/* ------------------------------------------------------------------ checkpoints */

/*
 * The state at `version` on top of that checkpoint and no other; NULL: from version 0, by the
 * commits alone. `table` has no slash at its end. For who compares the two.
 */
int cdc_snapshot_load_on(struct cdc_snapshot **s, const struct cdc_io *io, const char *table,
			 int64_t version, const struct cdc_log_checkpoint *cp,
			 struct cdc_err *err) CDC_NODISCARD;

/* Sets of kinds of actions: bit k stands for kind k. */
#define CDC_KIND(k) (UINT32_C(1) << (k))
#define CDC_ALL_KINDS (~UINT32_C(0))
#define CDC_FILE_KINDS (CDC_KIND(CDC_ACT_ADD) | CDC_KIND(CDC_ACT_REMOVE))

/*
 * Give the actions of a checkpoint that are of the kinds wanted to each(), in its order. Sidecars
 * are followed where files are wanted, after the rest.
 */
int cdc_checkpoint_read(const struct cdc_io *io, const char *table,
			const struct cdc_log_checkpoint *cp, uint32_t kinds, cdc_action_fn *each,
			void *ctx, struct cdc_err *err) CDC_NODISCARD;
/* The path of a sidecar, appended with a NUL behind it; CDC_ECORRUPT when it names none. */
int cdc_sidecar_path(const char *table, const struct cdc_sidecar *s, struct cdc_buf *out,
		     struct cdc_err *err) CDC_NODISCARD;
/* Delete what a checkpoint makes superfluous and the retention allows to go. */
int cdc_log_cleanup(const struct cdc_io *io, const struct cdc_snapshot *s,
		    struct cdc_err *err) CDC_NODISCARD;
/* Delete the sidecars that no checkpoint of the log names and that are older than a day. None goes
 * while there is a checkpoint that cannot be read. */
int cdc_log_sidecar_cleanup(const struct cdc_io *io, const char *table,
			    struct cdc_err *err) CDC_NODISCARD;
/* Delete a file and Hadoop's side file of it; `dir` is "" for the log itself, or ends in a slash.
 * That they are not there is fine. */
int cdc_log_remove(const struct cdc_io *io, const char *table, const char *dir, const char *name,
		   struct cdc_err *err) CDC_NODISCARD;

/* CDC_EUNSUPPORTED naming the first reader feature that we do not know, or the mode of the column
 * mapping. */
int cdc_protocol_check_readable(const struct cdc_protocol *p, struct cdc_err *err) CDC_NODISCARD;
int cdc_metadata_check_mapping(const struct cdc_protocol *p, const struct cdc_metadata *m,
			       bool *mapped, struct cdc_err *err) CDC_NODISCARD;

#endif
