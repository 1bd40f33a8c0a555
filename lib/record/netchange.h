/*
 * Net change: folds the change records of a window to what they add up to, key by key.
 *
 * DESIGN (the one law): a table is a map from key to row; INIT/INSERT put, UPDATE moves and
 * overlays, DELETE removes, TRUNCATE empties. The records of a window are ordered by an order value
 * (recordID, or another member), ties by arrival. Their composition is a finite map from key to
 *
 *	DELETED			no row has this key afterwards
 *	WHOLE(image)		the row is exactly `image` (columns not in it: null)
 *	OVERLAY(source, image)	the row that had key `source` before the window, the columns in
 *				`image` replaced; if there was none, image alone
 *
 * and, after a TRUNCATE, "all other keys are gone". This map is closed under composition, which is
 * what law 1 (fold) asks for.
 *
 * Two consumers, one algebra:
 *  - cdc-dedup wants records again: cdc_net_emit() prints a short stream whose replay gives the
 *same map, in the order of the last contribution to each, so that recordIDs and offsets ascend. It
 *    has at most one record a key where no key changes. Where a move (a key change that keeps
 *    unknown columns) must happen before its source key is filled again, the move stays a record
 *    of its own.
 *  - cdc-merge wants the map: cdc_net_each() gives every key's final state.
 *
 * Keys are bytes that the caller's `key_of` makes of a record: text for dedup, values cast to the
 * column's type for merge.
 *
 * Memory: records are kept in an arena. Past `memory_bytes` they go to unlinked temporary files,
 * partitioned by key (keys that a key change links share a partition), and are folded partition by
 * partition; the result is the same, byte for byte.
 */
#ifndef CDC_RECORD_NETCHANGE_H
#define CDC_RECORD_NETCHANGE_H

#include "io/io.h"
#include "record/record.h"

enum cdc_net_state { CDC_NET_DELETED, CDC_NET_WHOLE, CDC_NET_OVERLAY };

/* One key's outcome. Slices live until the next call or until cdc_net_reset. */
struct cdc_net_change {
	enum cdc_net_state state;
	bool init; /* WHOLE that only INIT records made */
	struct cdc_str key; /* bytes from key_of */
	struct cdc_str source_key; /* OVERLAY: == key unless the row moved */
	struct cdc_str db_table;
	struct cdc_str after; /* image as JSON source text, "{}" when DELETED; has all
			       * key columns if is_key was given */
	struct cdc_str last; /* line of the last contributing record */
	int64_t order; /* of that record */
	uint64_t tag; /* of that record, as given to cdc_net_add */
};

/*
 * Make the key bytes of an image pair. `primary` is looked at first, `fallback` for columns that it
 * lacks (CDC_JSON_NONE: no such image). Appends to `key`. CDC_EDATA when a key column is missing or
 * null, or does not fit its type: the record is then a reject.
 */
typedef int (*cdc_net_key_fn)(void *ctx, const struct cdc_record *r, uint32_t primary,
			      uint32_t fallback, struct cdc_buf *key, struct cdc_err *err);

/*
 * Whether a column (its raw JSON text between the quotes) belongs to the key of a table. Lets an
 * image that lacks a key column, because the source told it in the before image alone, be
 * completed: an UPDATE after a DELETE makes a whole row, and its INSERT must have the key.
 */
typedef bool (*cdc_net_is_key_fn)(void *ctx, struct cdc_str db_table, struct cdc_str column);

struct cdc_net_options {
	const struct cdc_io *io;
	cdc_net_key_fn key_of;
	cdc_net_is_key_fn is_key; /* NULL: images are left as they are */
	void *key_ctx; /* of both */
	uint64_t memory_bytes; /* ceiling of what the window may hold; 0: 256 MiB */
	const char *tmpdir; /* NULL: $TMPDIR or /tmp */
	bool spill; /* false: never spill, CDC_ENOMEM past the ceiling */
	bool one_table; /* all records are of one table, whatever their dbTable */
	bool images_only; /* keep after images, not lines: cdc_net_each alone, no spill;
			   * `last` of a change is then not the record */
};

struct cdc_net;

int cdc_net_new(struct cdc_net **net, const struct cdc_net_options *opt,
		struct cdc_err *err) CDC_NODISCARD;
void cdc_net_free(struct cdc_net *net);

/*
 * Add a row record or a TRUNCATE; the line is copied. `order` sorts the window; `tag` is the
 * caller's (a line number, say) and comes back in cdc_net_change. On CDC_EDATA the record was bad
 * and is not part of the window; the fold goes on. Other errors are final.
 */
int cdc_net_add(struct cdc_net *net, const struct cdc_record *r, int64_t order, uint64_t tag,
		struct cdc_err *err) CDC_NODISCARD;

/*
 * Control records (SCHEMA, DDL …) that must stay in the stream: cdc_net_emit prints them at their
 * place in the order.
 */
int cdc_net_add_control(struct cdc_net *net, const struct cdc_record *r, int64_t order,
			struct cdc_err *err) CDC_NODISCARD;

/* Records in the window, and bytes held for them. */
uint64_t cdc_net_count(const struct cdc_net *net);
uint64_t cdc_net_bytes(const struct cdc_net *net);

/*
 * Fold and print. `put` receives whole lines with their LF. Afterwards the window is empty.
 * Counts (may be NULL) of what was folded and printed.
 */
struct cdc_net_counts {
	uint64_t records_in; /* rows and TRUNCATEs */
	uint64_t records_out; /* of them; control records are in neither */
	uint64_t truncates; /* in */
};
int cdc_net_emit(struct cdc_net *net,
		 int (*put)(void *ctx, struct cdc_str lines, struct cdc_err *err), void *ctx,
		 struct cdc_net_counts *counts, struct cdc_err *err) CDC_NODISCARD;

/*
 * Fold and visit every key's final state, in the order of the last contribution (not spilled) or
 * partition by partition (spilled). *truncated: a TRUNCATE came, keys not visited are gone;
 * of which table, only a caller that adds one table's records knows. The states apply all at once:
 * an OVERLAY's source is the row before the window, whatever the source key's own state is.
 * Afterwards the window is empty.
 */
int cdc_net_each(struct cdc_net *net, bool *truncated,
		 int (*visit)(void *ctx, const struct cdc_net_change *c, struct cdc_err *err),
		 void *ctx, struct cdc_err *err) CDC_NODISCARD;

void cdc_net_reset(struct cdc_net *net); /* forget the window, keep the memory */

#endif
