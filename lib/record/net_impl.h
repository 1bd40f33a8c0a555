/*
 * Net change, inside: the window of records and keys that net_window.c fills, net_fold.c folds,
 * net_image.c and net_emit.c print, and net_spill.c moves to temporary files and back.
 *
 * A window is made for a million records: a record costs 56 bytes beside its line, a key 32 beside
 * its bytes and its slot in the map, and nothing is allocated one by one.
 */
#ifndef CDC_RECORD_NET_IMPL_H
#define CDC_RECORD_NET_IMPL_H

#include "base/hash.h"
#include "record/net_file.h"
#include "record/netchange.h"

#define NET_NONE UINT32_MAX

enum net_rec_flags {
	NET_REC_FROZEN = 1 /* last contribution to a move that stays a record: net_fold.c */
};

struct net_rec {
	const char *line; /* with its LF; in the store */
	int64_t order;
	uint64_t tag;
	uint32_t line_len; /* without the LF */
	uint32_t after_off; /* of the after image in the line */
	uint32_t after_len; /* 0: none */
	uint32_t prev; /* older record whose after image this one's overlays, NET_NONE */
	uint32_t kb; /* key(before); of a TRUNCATE NET_NONE */
	uint32_t ka; /* key(after); of a TRUNCATE its table */
	uint16_t shape; /* column names of the after image; 0: not known */
	uint8_t type; /* enum cdc_record_type */
	uint8_t flags;
};

enum net_state {
	NET_FRESH, /* nothing happened: the row that was there, if any */
	NET_DELETED,
	NET_WHOLE,
	NET_OVERLAY
};

enum net_key_flags {
	NET_KEY_INIT = 1, /* WHOLE that only INIT records made */
	NET_KEY_TOUCHED = 2 /* FRESH again after a freeze */
};

/*
 * A key and what has become of it. The last contribution to a row is also the newest layer of its
 * image: older layers hang on net_rec.prev.
 */
struct net_key {
	const char *p;
	uint32_t n;
	uint32_t table;
	uint32_t first; /* first record that touched the key since it was FRESH, NET_NONE */
	uint32_t last; /* last one, NET_NONE */
	uint32_t link; /* OVERLAY: key that the row had; DELETED: key where it is now */
	uint8_t state;
	uint8_t flags;
};

struct net_table {
	struct cdc_str name; /* raw JSON text */
	uint64_t salt; /* of its keys' hashes */
	bool truncated; /* records before (order, seq) do not count */
	int64_t order;
	uint64_t seq;
};

/* The column names of an image, packed as length (4 bytes) and bytes. */
struct net_shape {
	struct cdc_str names;
	uint32_t table;
	bool has_keys; /* every key column is among them */
};

#define NET_SHAPES_MAX 4096 /* more: images are merged column by column, which is only slower */

/* Bump memory whose allocations lie side by side, so that lines which follow each other in the
 * input are one piece when they are printed. */
struct net_block;

struct net_store {
	struct net_block *head;
	uint64_t used_bytes;
};

struct net_sorted {
	int64_t order;
	uint32_t rec;
};

/* A move that net_fold.c froze: printed at record `rec`, its before image is that of `first`. */
struct net_frozen {
	uint32_t rec;
	uint32_t first;
};

struct net_window {
	struct net_store lines;
	struct net_store key_bytes;
	struct net_rec *rec;
	struct net_key *key;
	struct net_frozen *frozen;
	struct net_sorted *sorted; /* fold order, if it is not that of rec */
	uint32_t num_rec, cap_rec;
	uint32_t num_key, cap_key;
	uint32_t num_frozen, cap_frozen;
	uint32_t folded; /* records that the states already include */
	struct cdc_map map; /* hash of table and key bytes -> key */
	uint64_t first_seq; /* arrival number of rec[0]; the others follow */
	bool own_seq; /* no: each line has its number in front (net_spill.c) */
	bool disordered; /* some record came after one of a higher order */
	int64_t last_order;
};

/* Column of an image under construction. */
struct net_column {
	struct cdc_str name; /* decoded */
	struct cdc_str name_source; /* with quotes */
	struct cdc_str value_source;
};

struct net_image {
	struct cdc_tape tape;
	struct cdc_buf text;
	struct cdc_arena names; /* decoded names that were escaped */
	struct cdc_map map; /* hash of a name -> column */
	struct net_column *col;
	uint32_t *chain;
	uint32_t num_col, cap_col;
	uint32_t num_chain, cap_chain;
};

struct net_spill;

struct cdc_net {
	struct cdc_net_options opt;
	uint64_t memory_bytes;
	struct net_window w;
	struct cdc_arena names; /* of tables and shapes */
	struct net_table *table;
	struct net_shape *shape; /* [0] is not used */
	uint32_t num_table, cap_table;
	uint32_t num_shape, cap_shape;
	struct cdc_map tables;
	struct cdc_map shapes;
	uint32_t last_table;
	uint16_t last_shape;
	bool truncated_all; /* a TRUNCATE without dbTable, at (all_order, all_seq) */
	int64_t all_order;
	uint64_t all_seq;
	uint64_t num_added;
	uint64_t num_controls;
	uint64_t num_truncates;
	struct net_spill *spill;
	/* scratch */
	struct net_image image;
	struct cdc_tape tape[2];
	struct cdc_buf kb, ka, out, before, packed;
};

/* One record on its way into the window. */
struct net_new {
	struct cdc_str line;
	int64_t order;
	uint64_t seq;
	uint64_t tag;
	uint32_t after_off;
	uint32_t after_len;
	uint32_t table;
	struct cdc_str kb;
	struct cdc_str ka; /* == kb (same pointer) when the key does not change */
	uint16_t shape;
	uint8_t type;
};

/* Where survivors go. The line has its LF; `stable`: it lives until the window is reset. */
struct net_sink {
	int (*put)(struct net_sink *s, int64_t order, uint64_t seq, struct cdc_str line,
		   bool stable, struct cdc_err *err);
	struct cdc_net_counts *counts;
};

/* A vector with room for `need` elements, or NULL; *cap is updated. */
void *net_grown(void *old, uint32_t *cap, uint64_t need, size_t size);

/* net_store.c */
char *net_store_alloc(struct net_store *s, size_t n);
void net_store_reset(struct net_store *s);
void net_store_free(struct net_store *s);

/* net_window.c */
int net_table_of(struct cdc_net *net, struct cdc_str name, uint32_t *table,
		 struct cdc_err *err) CDC_NODISCARD;
int net_shape_of(struct cdc_net *net, const struct cdc_record *r, uint32_t table, uint16_t *shape,
		 struct cdc_err *err) CDC_NODISCARD;
int net_window_add(struct cdc_net *net, const struct net_new *n, struct cdc_err *err) CDC_NODISCARD;
int net_window_sort(struct net_window *w, struct cdc_err *err) CDC_NODISCARD;
int net_window_compact(struct net_window *w, struct cdc_err *err) CDC_NODISCARD;
uint64_t net_window_bytes(const struct net_window *w);
void net_window_reset(struct net_window *w);
void net_window_free(struct net_window *w);
uint64_t net_rec_seq(const struct net_window *w, uint32_t i);
/* Hash of a key as the map and the partitions use it. */
uint64_t net_key_hash(const struct cdc_net *net, uint32_t table, struct cdc_str key);
/* Whether a record of `table` at (order, seq) comes before a TRUNCATE that undoes it. */
bool net_is_truncated(const struct cdc_net *net, uint32_t table, int64_t order, uint64_t seq);
bool net_table_truncated(const struct cdc_net *net, uint32_t table);
/* Whether the TRUNCATE at (order, seq) is one that counts: no later one undoes it. */
bool net_truncate_counts(const struct cdc_net *net, uint32_t table, int64_t order, uint64_t seq);

/* The i-th record in fold order. */
static inline uint32_t net_at(const struct net_window *w, uint32_t i)
{
	return w->sorted ? w->sorted[i].rec : i;
}

static inline struct cdc_str net_rec_line(const struct net_rec *r)
{
	return cdc_str(r->line, r->line_len);
}

/* net_fold.c: bring the states up to the last record. `moves`: freeze, for cdc_net_emit. */
int net_fold(struct cdc_net *net, bool moves, struct cdc_err *err) CDC_NODISCARD;

/*
 * net_image.c: the after image whose newest layer is record `head`. `whole`: key columns that only
 * a before image has are put in.
 */
int net_image_of(struct cdc_net *net, uint32_t head, bool whole, struct cdc_str *image,
		 struct cdc_err *err) CDC_NODISCARD;
void net_image_free(struct net_image *im);
/* Before image of record i; with `fill`, key columns that it lacks are taken from the after image.
 */
int net_before_of(struct cdc_net *net, uint32_t i, bool fill, struct cdc_str *image,
		  struct cdc_err *err) CDC_NODISCARD;

/* net_emit.c: survivors and states of a folded window. */
int net_emit_window(struct cdc_net *net, struct net_sink *sink, struct cdc_err *err) CDC_NODISCARD;
int net_each_window(struct cdc_net *net,
		    int (*visit)(void *ctx, const struct cdc_net_change *c, struct cdc_err *err),
		    void *ctx, struct cdc_err *err) CDC_NODISCARD;

/* net_spill.c */
int net_spill_chunk(struct cdc_net *net, struct cdc_err *err) CDC_NODISCARD;
int net_spill_emit(struct cdc_net *net,
		   int (*put)(void *ctx, struct cdc_str lines, struct cdc_err *err), void *ctx,
		   struct cdc_net_counts *counts, struct cdc_err *err) CDC_NODISCARD;
int net_spill_each(struct cdc_net *net,
		   int (*visit)(void *ctx, const struct cdc_net_change *c, struct cdc_err *err),
		   void *ctx, struct cdc_err *err) CDC_NODISCARD;
uint64_t net_spill_bytes(const struct net_spill *sp); /* memory, not disk */
void net_spill_free(struct net_spill *sp);

#endif
