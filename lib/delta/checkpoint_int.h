/*
 * Private to the checkpoint reader: its cursors over the columns of a file, and the statistics that
 * a checkpoint may hold in parsed form only.
 */
#ifndef CDC_DELTA_CHECKPOINT_INT_H
#define CDC_DELTA_CHECKPOINT_INT_H

#include "delta/log_int.h"
#include "parquet/parquet.h"

#define CDC_CP_MAX_CURSORS 96
#define CDC_CP_MAX_BINDINGS 64

/* One leaf, at the slots of the current row. */
struct cdc_cp_cursor {
	struct cdc_pq_column *column;
	struct cdc_pq_vec vec;
	uint32_t pos; /* first slot of the row */
	uint32_t end; /* behind its last */
	int32_t leaf;
	uint8_t max_def;
	bool repeated;
};

/* Which member of which action a cursor feeds. */
struct cdc_cp_binding {
	enum cdc_action_kind kind;
	const struct cdc_member *m;
	int bit;
	bool in_dv;
	uint16_t base; /* of the struct that m->at counts from, in the action's body */
	int cursor;
	int value_cursor; /* maps */
	uint8_t entry_def; /* lists, maps: definition level of an entry */
};

/* To the first or next row of a row group. */
int cdc_cp_cursor_advance(struct cdc_cp_cursor *c, struct cdc_err *err) CDC_NODISCARD;

static inline bool cdc_cp_has_value(const struct cdc_cp_cursor *c, uint32_t slot)
{
	return !c->vec.def || c->vec.def[slot] == c->max_def;
}

/* Node of a child by name, -1 if there is none; whether `node` is `top` or lies below it. */
int32_t cdc_cp_child(const struct cdc_pq_schema *s, int32_t parent, const char *name);
bool cdc_cp_is_below(const struct cdc_pq_schema *s, int32_t node, int32_t top);

/* Parsed statistics; see checkpoint_stats.c. All zero: there are none to read. */
struct cdc_cp_stats {
	const struct cdc_pq_schema *schema;
	int32_t top; /* node of stats_parsed */
	struct cdc_cp_cursor *cursor; /* one per leaf that is read */
	int32_t *node; /* node of each cursor, ascending */
	int num_cursors;
	struct cdc_buf text;
};

/* Find stats_parsed below `add`, if the file needs it; free() undoes it. */
int cdc_cp_stats_bind(struct cdc_cp_stats *s, const struct cdc_pq_metadata *file, int32_t add,
		      struct cdc_err *err) CDC_NODISCARD;
int cdc_cp_stats_open(struct cdc_cp_stats *s, struct cdc_pq_file *file, int32_t row_group,
		      struct cdc_err *err) CDC_NODISCARD;
int cdc_cp_stats_advance(struct cdc_cp_stats *s, struct cdc_err *err) CDC_NODISCARD;
/* The JSON text of the current row's statistics; p == NULL: it has none. */
int cdc_cp_stats_row(struct cdc_cp_stats *s, struct cdc_arena *arena, struct cdc_str *out,
		     struct cdc_err *err) CDC_NODISCARD;
void cdc_cp_stats_close(struct cdc_cp_stats *s);
void cdc_cp_stats_free(struct cdc_cp_stats *s);

/* A member of a group that the file does not have, or that is null in all rows. */
bool cdc_cp_is_missing(const struct cdc_pq_metadata *file, int32_t parent, const char *name);
/* The value at a cursor as JSON; "null" for one that JSON cannot hold. */
int cdc_cp_put_value(struct cdc_buf *b, const struct cdc_pq_node *n, const struct cdc_cp_cursor *c,
		     struct cdc_err *err) CDC_NODISCARD;

/*
 * Partition values that a checkpoint holds in parsed form only (add.partitionValues_parsed, spec
 * section 9), by the same cursors: bind, then open, advance, close and free as above.
 */
int cdc_cp_parts_bind(struct cdc_cp_stats *s, const struct cdc_pq_metadata *file, int32_t add,
		      struct cdc_err *err) CDC_NODISCARD;
/* The values of the current row as the log has them, from `arena`. */
int cdc_cp_parts_row(struct cdc_cp_stats *s, struct cdc_arena *arena, struct cdc_kv **out, int *n,
		     struct cdc_err *err) CDC_NODISCARD;

struct cdc_cp_reader {
	const struct cdc_io *io;
	uint32_t kinds; /* that are read */
	struct cdc_pq_file *file;
	const struct cdc_pq_schema *schema;
	struct cdc_cp_cursor cursor[CDC_CP_MAX_CURSORS];
	int num_cursors;
	struct cdc_cp_binding binding[CDC_CP_MAX_BINDINGS];
	int num_bindings;
	int first[CDC_ACT_NUM_TABLES]; /* bindings of an action */
	int end[CDC_ACT_NUM_TABLES];
	int probe[CDC_ACT_NUM_TABLES]; /* cursor that tells its presence, -1: no such column */
	uint8_t probe_def[CDC_ACT_NUM_TABLES];
	struct cdc_cp_stats stats;
	struct cdc_cp_stats parts;
	struct cdc_arena scratch;
	struct cdc_buf text;
	cdc_action_fn *each;
	void *ctx;
};

#endif
