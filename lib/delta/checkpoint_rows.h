/*
 * Private to the checkpoint writer: actions as rows of Parquet columns.
 */
#ifndef CDC_DELTA_CHECKPOINT_ROWS_H
#define CDC_DELTA_CHECKPOINT_ROWS_H

#include "delta/log_int.h"
#include "parquet/parquet.h"

/* Which part of a member a leaf holds. */
enum cdc_cp_part {
	CDC_CP_VALUE,
	CDC_CP_ELEMENT, /* of a list */
	CDC_CP_KEY, /* of a map */
	CDC_CP_MAP_VALUE
};

struct cdc_cp_column {
	enum cdc_action_kind kind;
	const struct cdc_member *m; /* of the action, or of its deletion vector; NULL: typed */
	const struct cdc_member *dv; /* the member that holds the deletion vector, else NULL */
	const struct cdc_field *field; /* typed: what the value is (checkpoint_typed.c) */
	enum cdc_cp_part part;
	enum cdc_pq_type type;
	int32_t type_length;
	uint8_t max_def;
	bool repeated;
	size_t value_size;
	char *values;
	uint8_t *def;
	uint8_t *rep;
	uint32_t n;
	uint32_t cap;
};

/* What the rows of a file can be. */
struct cdc_cp_content {
	uint32_t kinds; /* bit k: actions of kind k */
	bool stats; /* add.stats, the text */
	bool typed; /* add.stats_parsed and add.partitionValues_parsed */
	const struct cdc_snapshot *s; /* whose columns the typed ones follow; outlives the rows */
};

#define CDC_CP_STATE_KINDS                                                                         \
	(CDC_KIND(CDC_ACT_TXN) | CDC_KIND(CDC_ACT_METADATA) | CDC_KIND(CDC_ACT_PROTOCOL) |         \
	 CDC_KIND(CDC_ACT_DOMAIN))
#define CDC_CP_V2_KINDS (CDC_KIND(CDC_ACT_SIDECAR) | CDC_KIND(CDC_ACT_CHECKPOINT))

struct cdc_cp_rows {
	struct cdc_cp_content content;
	struct cdc_pq_schema schema;
	struct cdc_cp_column *column; /* one per leaf */
	struct cdc_pq_vec *vec;
	uint32_t num_rows;
	int32_t stats_node; /* of stats_parsed in the schema, 0: none */
	int32_t parts_node; /* of partitionValues_parsed */
	struct cdc_arena arena; /* the schema and the columns' descriptions */
	struct cdc_arena scratch; /* of the batch */
	struct cdc_tape tape;
};

int cdc_cp_rows_init(struct cdc_cp_rows *r, const struct cdc_cp_content *content,
		     struct cdc_err *err) CDC_NODISCARD;
/* One action; its strings must live until the batch is written, in r->scratch for example. */
int cdc_cp_rows_add(struct cdc_cp_rows *r, enum cdc_action_kind kind, const void *body,
		    struct cdc_err *err) CDC_NODISCARD;
void cdc_cp_rows_vecs(struct cdc_cp_rows *r); /* fill r->vec for the writer */
void cdc_cp_rows_reset(struct cdc_cp_rows *r);
void cdc_cp_rows_free(struct cdc_cp_rows *r);

/* ------------------------------------------------------------------ making them */

/* The schema as it grows: nodes in pre-order. */
struct cdc_cp_shape {
	struct cdc_cp_rows *r;
	int32_t num_columns;
};

struct cdc_pq_node *cdc_cp_add_node(struct cdc_cp_shape *b, struct cdc_str name,
				    enum cdc_pq_repetition repetition, int32_t children);
/* A new slot of `c`; its value is zero. NULL when memory is gone. */
void *cdc_cp_slot(struct cdc_cp_column *c, uint8_t def, bool rep);
int cdc_cp_put_null(struct cdc_cp_column *c, uint8_t def, struct cdc_err *err) CDC_NODISCARD;

/* Nodes that the typed columns of a table take at most. */
int32_t cdc_cp_typed_nodes(const struct cdc_schema *schema);
/* Their nodes, as further children of `add`. */
int cdc_cp_typed_shape(struct cdc_cp_shape *b, struct cdc_pq_node *add,
		       struct cdc_err *err) CDC_NODISCARD;
/* Their slots of one row. What does not parse is null. */
int cdc_cp_typed_row(struct cdc_cp_rows *r, const struct cdc_add *add,
		     struct cdc_err *err) CDC_NODISCARD;

#endif
