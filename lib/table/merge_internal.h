/*
 * What the parts of a merge share. Not for other files.
 *
 *	merge.c		records in: control records, positions, when a batch ends
 *	merge_image.c	images to keys and typed rows, and what is wrong with them
 *	merge_batch.c	a folded batch: one entry per key, rows in the table's types
 *	merge_seen.c	keys of an initial load, which needs no look-ups
 *	merge_probe.c	which files can hold the keys, which rows they hold
 *	merge_write.c	the new data files and deletion vectors
 *	merge_commit.c	the commit, its positions and metrics, and the retry when it was lost
 */
#ifndef CDC_TABLE_MERGE_INTERNAL_H
#define CDC_TABLE_MERGE_INTERNAL_H

#include "base/hash.h"
#include "record/netchange.h"
#include "record/positions.h"
#include "table/datafile.h"
#include "table/datawriter.h"
#include "table/key_index.h"
#include "table/merge.h"
#include "table/batch_rows.h"
#include "table/target.h"

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
};

struct image_ctx {
	const struct cdc_schema *schema;
	const struct cdc_key *key;
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

/* One key of the batch. */
struct entry {
	struct cdc_str key; /* in batch.arena */
	uint64_t hash;
	uint32_t row; /* in batch.rows; NO_INDEX: DELETED */
	uint32_t source; /* OVERLAY: entry whose stored row is the base; NO_INDEX: none */
	uint32_t dependent; /* entry that takes this key's stored row as its base */
	uint32_t matches; /* stored rows with this key */
	bool has_unknown; /* the row has cells that the base must fill */
	bool base_found;
	bool dropped; /* rejected late, or --insert-only and the key exists */
	bool placed; /* written in place of the row it replaces */
	uint64_t place; /* of the last contributing record, for late rejects */
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
};

/* A live file that holds such rows. */
struct touched {
	const struct cdc_add *add;
	struct match *match;
	size_t n;
	size_t cap;
	uint64_t rows; /* physical */
	struct cdc_dv *dv; /* loaded when the file has one, else NULL */
	bool rewrite; /* else a deletion vector */
	bool remove_only; /* no row is left */
	bool needs_base;
};

/* Hashes of the keys that this run put into a table that was empty when it began. */
struct seen_keys {
	bool on;
	uint64_t *slot;
	size_t mask;
	size_t n;
	uint64_t max_bytes;
};

struct plan {
	struct touched *touched;
	size_t n;
	size_t cap;
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
	int64_t last_order; /* highest recordID so far */
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

/* Find the stored rows of the batch's keys, and fill in what partial images leave open. */
int probe_table(struct cdc_merge *m, struct batch *b, struct plan *p, struct cdc_err *err);
void plan_free(struct plan *p);

/* New files for the batch; the actions that they and the touched files give. */
struct outcome {
	struct cdc_datawriter *writer;
	struct cdc_dv_writer *dv_writer;
	struct cdc_add *add;
	size_t num_adds;
	struct cdc_remove *remove;
	size_t num_removes;
	struct cdc_arena arena;
};

int write_outcome(struct cdc_merge *m, struct batch *b, struct plan *p, struct outcome *o,
		  struct cdc_err *err);
void outcome_free(struct outcome *o, struct cdc_merge *m, bool keep_files);

/* Commit the open batch and forget it. */
int merge_commit_batch(struct cdc_merge *m, struct cdc_err *err);
/* Create the table that target.creating drafts. */
int merge_create_table(struct cdc_merge *m, struct cdc_err *err);
/* The txn version stored for a (topic, partition), or for recordIDs (topic NULL); -1: none. */
int merge_stored_position(const struct cdc_merge *m, const char *topic, int32_t partition,
			  int64_t *version, struct cdc_err *err);

#endif
