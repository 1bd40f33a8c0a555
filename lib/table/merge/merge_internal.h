/*
 * What the parts of a merge share. Not for other files.
 *
 *	merge.c		records in: control records, positions, when a batch ends
 *	merge_image.c	images to keys and typed rows, and what is wrong with them
 *	merge_evolve.c	SCHEMA records and properties that change the table
 *	merge_batch.c	a folded batch: one entry per key, rows in the table's types
 *	merge_seen.c	keys of an initial load, which needs no look-ups
 *	merge_probe.c	which files can hold the keys, which rows they hold
 *	merge_settle.c	what becomes of each row: late, unchanged, updated, inserted
 *	merge_check.c	what the table demands of new rows
 *	merge_stored.c	the stored rows that this needs: bases, sequences, comparisons
 *	merge_groups.c	the new rows by partition
 *	merge_gather.c	rows side by side, for the writers of files
 *	merge_write.c	the new data files and deletion vectors
 *	merge_feed.c	the change data feed
 *	merge_create.c	the table, when it is not there yet
 *	merge_position.c	what the table remembers of the stream
 *	merge_commit.c	the commit and its metrics
 *	merge_retry.c	what the commits of other writers mean for a batch that lost to them
 */
#ifndef CDC_TABLE_MERGE_INTERNAL_H
#define CDC_TABLE_MERGE_INTERNAL_H

#include "base/hash.h"
#include "record/netchange.h"
#include "record/positions.h"
#include "table/expr/constraints.h"
#include "table/datafile/datafile.h"
#include "table/datafile/datawriter.h"
#include "table/batch/key_index.h"
#include "table/merge/merge.h"
#include "table/nested/nested_build.h"
#include "table/datafile/partitions.h"
#include "table/nested/nested_build.h"
#include "table/batch/batch_rows.h"
#include "table/merge/target.h"

#define NO_INDEX UINT32_MAX

/* ------------------------------------------------------------------ images */

/* Column names of images, seen before, and the field of each; images repeat them in order. */
struct image_map {
	struct image_name {
		char *raw; /* JSON text between the quotes, owned */
		size_t n;
		int field; /* -1: not in the table */
	} * name;
	size_t num_names;
	bool has_aliases; /* several names are of one field */
	struct cdc_str *key_raw; /* JSON text of each key column's name */
	uint32_t *key_hint;
	struct cdc_arena arena; /* owns key_raw */
	struct cdc_arena scratch; /* of one record */
	struct cdc_buf text; /* of one value, unescaped */
	struct cdc_nested_build **nested; /* by field; NULL until it has a value */
	int num_nested;
	struct cdc_tape tape; /* of the JSON text of a nested value */
	struct cdc_buf cell; /* of that value */
};

struct image_ctx {
	const struct cdc_schema *schema;
	const struct cdc_key *key;
	const struct cdc_constraints *constraints; /* columns that it fills may be missing */
	bool ignore_unknown_columns;
	struct image_map map;
};

int image_init(struct image_ctx *x, const struct cdc_target *t, struct cdc_err *err);
void image_free(struct image_ctx *x);
/* Whether every value of the record's after image fits; CDC_EDATA tells what does not. */
int image_check(struct image_ctx *x, const struct cdc_record *r, struct cdc_err *err);
/* cdc_net_key_fn */
int image_key(void *ctx, const struct cdc_record *r, uint32_t primary, uint32_t fallback,
	      struct cdc_buf *key, struct cdc_err *err);
/* The value of the column of --sequence-by: of the after image, else of the before image. */
int image_sequence(struct image_ctx *x, const struct cdc_record *r, int field, int64_t *order,
		   struct cdc_err *err);
/* Put the columns of the JSON object `image` into a row. */
int image_to_row(struct image_ctx *x, struct cdc_tape *tape, struct cdc_str image,
		 struct cdc_rows *rows, uint32_t row, struct cdc_err *err);

/*
 * The folded row as a change record that can be applied again: for a reject that comes too late for
 * the lines that made it.
 */
int image_of_row(const struct cdc_rows *rows, uint32_t row, struct cdc_str db_table,
		 struct cdc_buf *out, struct cdc_err *err);

/* ------------------------------------------------------------------ batch */

/* What a row that is written is to the table. */
enum entry_role {
	ENTRY_NONE, /* it is not written */
	ENTRY_INSERT,
	ENTRY_UPDATE /* of a stored row: a match has it as its pair */
};

/* One key of the batch. */
struct entry {
	struct cdc_str key; /* in batch.arena */
	uint64_t hash;
	uint32_t row; /* in batch.rows; NO_INDEX: DELETED */
	uint32_t source; /* OVERLAY: entry whose stored row is the base; NO_INDEX: none */
	uint32_t dependent; /* entry that takes this key's stored row as its base */
	uint32_t matches; /* stored rows with this key */
	enum entry_role role;
	bool has_unknown; /* the row has cells that the base must fill */
	bool base_found;
	bool rejected; /* and reported: it stays so whatever another writer does */
	bool late; /* a stored row is newer, by --sequence-by */
	bool unchanged; /* it is what is stored */
	bool dropped; /* neither written nor deleted: for one of these reasons */
	bool placed; /* written in place of the row it replaces */
	int64_t order; /* of the last contributing record */
	int64_t row_id; /* row tracking: id of the stored row that it is an update of */
	uint64_t place; /* of that record, for late rejects */
};

struct batch {
	struct entry *entry;
	uint32_t n;
	uint32_t cap;
	struct cdc_map map; /* hash -> entry */
	struct cdc_rows rows;
	struct cdc_arena arena;
	bool truncated;
	uint64_t records;
	/* Values of the first key column, sorted: what files are pruned by. NULL: the index has
	 * them, by key as an integer. */
	union cdc_value *sorted;
	struct cdc_key_index index; /* is_word keys: word -> entry */
};

/* A stored row whose key is in the batch. */
struct match {
	uint64_t pos;
	uint32_t entry;
	uint32_t pair; /* entry whose row is the update of this one; NO_INDEX: it is deleted */
};

/* A live file that holds such rows. */
struct touched {
	const struct cdc_add *add;
	struct match *match;
	size_t n;
	size_t cap;
	uint64_t rows; /* physical */
	struct cdc_dv *dv; /* loaded when the file has one, else NULL */
	size_t num_probed; /* matches that the probe found; match[n..) are those that stay */
	bool rewrite; /* else a deletion vector */
	bool remove_only; /* no row is left */
	/* once written, with !rewrite and !remove_only: */
	struct cdc_dv_ref new_dv;
	struct cdc_str new_stats;
};

/* Hashes of the keys that this run put into a table that was empty when it began. */
struct seen_keys {
	bool on;
	uint64_t *slot;
	size_t mask;
	size_t n;
	uint64_t max_bytes;
};

/* What a batch does to the table. Probing fills it, settling decides, writing carries it out. */
struct plan {
	struct touched *touched; /* by their order in the log */
	size_t n;
	size_t cap;
	bool probed; /* false: no file had to be looked at */
	struct cdc_merge_result result;
};

struct cdc_merge {
	struct cdc_merge_options opt;
	struct cdc_target target;
	struct image_ctx images;
	bool ready;
	struct cdc_tape tape; /* of the record that came in */
	struct cdc_tape tape2; /* of a folded image */
	struct cdc_net *net;
	struct cdc_merge_counts counts;
	struct cdc_constraints *constraints; /* of the target's snapshot */
	uint64_t *told_apart; /* by field: how often it made a new row differ from the stored one */
	int64_t version; /* last commit, -1 */
	struct seen_keys seen;
	/* the SCHEMA record that came last, and its tape */
	struct cdc_buf schema_line;
	struct cdc_tape schema_tape;
	struct cdc_record schema_record;
	bool has_schema;
	struct cdc_buf db_table;
	bool has_db_table;
	/* positions of the stream, and what the table had when the run began */
	struct cdc_positions positions;
	int64_t *applied; /* by entry of positions */
	size_t num_applied;
	int64_t id_applied; /* recordID mode */
	int64_t id_stored; /* what the table has now */
	int64_t id_seen;
	bool id_disordered;
	/* the open batch */
	uint64_t batch_records;
	uint64_t batch_bytes;
	uint64_t row_bytes; /* of one record once it is a row: for the memory ceiling */
	int64_t batch_start_us;
	int64_t last_order; /* highest recordID, or value of --sequence-by, so far */
	bool paused; /* the batch ends because no input comes */
	bool has_last;
	size_t last_entry; /* of positions */
	int64_t last_offset;
	bool warned_ddl;
	struct cdc_str line; /* the record that came in, for rejects */
	uint64_t place; /* of that record: number of the file and of the line, see note_place */
	char **file; /* names of the inputs, as they came; owned */
	size_t num_files;
};

/* Report a record that cannot be applied; CDC_OK to go on. */
int merge_reject(struct cdc_merge *m, const char *reason, uint64_t place, struct cdc_str raw,
		 struct cdc_err *err);

int batch_build(struct cdc_merge *m, struct batch *b, struct cdc_err *err);
void batch_free(struct batch *b);

void seen_start(struct seen_keys *s, const struct cdc_snapshot *snapshot, uint64_t memory_bytes);
void seen_stop(struct seen_keys *s);
/* Is it certain that no key of the batch is stored? */
bool seen_none(const struct seen_keys *s, const struct batch *b);
void seen_add(struct seen_keys *s, const struct batch *b); /* after its commit */

/* Find the stored rows of the batch's keys: in all files of the table, or in these. */
int probe_table(struct cdc_merge *m, struct batch *b, struct plan *p, struct cdc_err *err);
int probe_files(struct cdc_merge *m, struct batch *b, struct plan *p,
		const struct cdc_add *const *add, size_t n, struct cdc_err *err);
void touched_free(struct touched *t);
void plan_free(struct plan *p);

/* Decide on each row, and on each file. Can be called again when the plan's files changed. */
int settle_plan(struct cdc_merge *m, struct batch *b, struct plan *p, struct cdc_err *err);

/* Whether a row is written. */
static inline bool is_written(const struct entry *e)
{
	return e->row != NO_INDEX && !e->dropped;
}

/* A row that is rejected is not written; where its key changed, the old one does not go either. */
static inline void drop_rejected(struct batch *b, struct entry *e)
{
	e->dropped = true;
	if (e->source != NO_INDEX && b->entry[e->source].row == NO_INDEX)
		b->entry[e->source].dropped = true;
}

/* Fill what neither images nor stored rows gave; reject rows that lack what they must have. */
int check_filled(struct cdc_merge *m, struct batch *b, struct cdc_err *err);
/* Reject rows that break a constraint. */
int check_constraints(struct cdc_merge *m, struct batch *b, struct cdc_err *err);

/* Of the matches of a file: fill what partial images leave open; note in the entries whether the
 * stored row is newer, and whether it is the new one. */
int stored_bases(struct cdc_merge *m, struct batch *b, struct touched *t, struct cdc_err *err);
int stored_sequences(struct cdc_merge *m, struct batch *b, struct touched *t, struct cdc_err *err);
int stored_unchanged(struct cdc_merge *m, struct batch *b, struct touched *t, struct cdc_err *err);
/* Put the ids of paired rows into their entries; `table` has the columns of row tracking. */
int stored_row_ids(struct cdc_merge *m, struct batch *b, struct touched *t,
		   const struct cdc_snapshot *table, struct cdc_err *err);

/* Groups of rows by partition: the new rows of each, and the files that take them. */
struct group {
	const struct cdc_kv *value;
	uint32_t first; /* entry, chained by groups.next */
	uint32_t last;
	size_t first_file; /* touched file, chained by groups.next_file; SIZE_MAX: none */
	size_t last_file;
	size_t last_rewrite; /* touched file that takes its rows, SIZE_MAX: none */
};

struct groups {
	struct cdc_partitions partitions;
	struct group *group; /* by their numbers */
	uint32_t n;
	uint32_t cap;
	uint32_t *next; /* entry -> next entry of its group */
	uint32_t *of_entry; /* entry -> group; NO_INDEX: not written */
	uint32_t *of_file; /* touched file -> group */
	size_t *next_file; /* touched file -> next one of its group */
	struct cdc_buf scratch;
};

int groups_make(struct groups *g, const struct cdc_merge *m, const struct batch *b,
		const struct plan *p, struct cdc_err *err);
void groups_free(struct groups *g);

/*
 * Rows on their way to a file: up to CDC_BATCH_ROWS of them, one array a column. `extra` columns
 * follow those of the table; each gathered row leaves them null.
 */
struct gather {
	const struct cdc_schema *schema;
	struct cdc_column *column;
	void **values;
	uint8_t **valid;
	struct cdc_nested_build **nested; /* NULL: a flat column, which has the two above */
	int num_columns; /* extra ones included */
	uint32_t n;
};

int gather_init(struct gather *g, const struct cdc_schema *s, const struct cdc_field *extra,
		int num_extra, struct cdc_arena *a, struct cdc_err *err);
void gather_free(struct gather *g);
/* A new row. The gather must not be full. */
int gather_row(struct gather *g, const struct cdc_rows *rows, uint32_t row, struct cdc_err *err);
/* Rows i .. i+n-1 of a stored batch, for which there must be room. The batch has all columns, the
 * extra ones too or none of them. Strings are borrowed. */
int gather_stored(struct gather *g, const struct cdc_batch *rows, uint32_t i, uint32_t n,
		  struct cdc_err *err);
/* The value of the k-th extra column in the row that was gathered last. */
void gather_extra(struct gather *g, int k, const union cdc_value *v);
/* What was gathered, until the next call; and forget it. */
struct cdc_batch gather_take(struct gather *g);
void gather_reset(struct gather *g);
/* Write what was gathered, and forget it. */
int gather_flush(struct gather *g, struct cdc_datawriter *w, struct cdc_err *err);

/* New files for the batch; the actions that they and the touched files give. */
struct outcome {
	struct cdc_datawriter *writer;
	struct cdc_datawriter *feed; /* NULL: no change data */
	struct cdc_dv_writer *dv_writer;
	bool tracks_rows; /* rows kept their ids */
	struct cdc_add *add;
	size_t num_adds;
	struct cdc_remove *remove;
	size_t num_removes;
	bool has_domain;
	struct cdc_domain domain; /* of row tracking */
	struct cdc_arena arena; /* descriptors and statistics of deletion vectors */
	struct cdc_arena actions; /* the two arrays, made anew for each attempt */
};

int write_outcome(struct cdc_merge *m, struct batch *b, struct plan *p, struct outcome *o,
		  struct cdc_err *err);
/* Change data of the batch, into o->feed. */
int write_feed(struct cdc_merge *m, struct batch *b, struct plan *p, struct groups *g,
	       struct outcome *o, struct cdc_err *err);
/* The actions, for the state that the table has now. */
int outcome_actions(struct cdc_merge *m, struct plan *p, struct outcome *o, struct cdc_err *err);
void outcome_free(struct outcome *o, struct cdc_merge *m, bool keep_files);

/*
 * After a commit that was lost: load the table's state, and bring the plan up to it. Files that are
 * gone leave the plan, new ones are probed. *changed: the plan has to be settled and written again.
 * CDC_ECONFLICT when another writer changed the schema, or applied this stream.
 */
int merge_rebase(struct cdc_merge *m, struct batch *b, struct plan *p, bool *changed,
		 struct cdc_err *err);
/* What depends on the target's snapshot, which is another one now. */
int merge_use_snapshot(struct cdc_merge *m, struct cdc_err *err);
/* Load the table's state after a commit, or a lost one; `old` as of cdc_target_reload. */
int merge_reload(struct cdc_merge *m, struct batch *b, struct cdc_snapshot **old,
		 struct cdc_err *err);
/* A commit that stands, though the system could not promise that a power loss spares it. */
void merge_warn_of_commit(const struct cdc_merge *m, struct cdc_err *err);

/* A SCHEMA record: kept for creation, or the table follows it. */
int merge_schema(struct cdc_merge *m, const struct cdc_record *r, struct cdc_err *err);
/* --property and --evolve on a table that was opened just now. */
int merge_adapt_table(struct cdc_merge *m, struct cdc_err *err);
/* What hangs on the target's schema. */
int merge_use_schema(struct cdc_merge *m, struct cdc_err *err);

/* A checkpoint that fails never fails the commit that it follows. */
void merge_checkpoint_if_due(struct cdc_merge *m, int64_t version);

/* Commit the open batch and forget it. */
int merge_commit_batch(struct cdc_merge *m, struct cdc_err *err);
/* Create the table that target.creating drafts. */
int merge_create_table(struct cdc_merge *m, struct cdc_err *err);

/* The txn version stored for a (topic, partition), or for recordIDs (topic NULL); -1: none. */
int merge_stored_position(const struct cdc_merge *m, const char *topic, int32_t partition,
			  int64_t *version, struct cdc_err *err);
/* What the table shall remember of the stream after the batch, where it is more than it does. */
int merge_new_positions(const struct cdc_merge *m, struct cdc_arena *arena, struct cdc_txn **txn,
			size_t *n, struct cdc_err *err);
/* After a lost commit: CDC_ECONFLICT when somebody else has applied this very stream meanwhile. */
int merge_check_positions(const struct cdc_merge *m, struct cdc_err *err);
/* After a commit: what the table remembers now. */
int merge_note_positions(struct cdc_merge *m, struct cdc_err *err);

#endif
