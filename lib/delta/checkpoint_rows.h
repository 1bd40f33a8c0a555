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
	const struct cdc_member *m; /* of the action, or of its deletion vector */
	const struct cdc_member *dv; /* the member that holds the deletion vector, else NULL */
	enum cdc_cp_part part;
	enum cdc_pq_type type;
	uint8_t max_def;
	bool repeated;
	size_t value_size;
	char *values;
	uint8_t *def;
	uint8_t *rep;
	uint32_t n;
	uint32_t cap;
};

struct cdc_cp_rows {
	struct cdc_pq_schema schema;
	struct cdc_cp_column *column; /* one per leaf */
	struct cdc_pq_vec *vec;
	uint32_t num_rows;
	struct cdc_arena arena; /* the schema and the columns' descriptions */
	struct cdc_arena scratch; /* tags of the batch */
	struct cdc_tape tape;
};

int cdc_cp_rows_init(struct cdc_cp_rows *r, struct cdc_err *err) CDC_NODISCARD;
/* One action; its strings must live until the batch is written. */
int cdc_cp_rows_add(struct cdc_cp_rows *r, enum cdc_action_kind kind, const void *body,
		    struct cdc_err *err) CDC_NODISCARD;
void cdc_cp_rows_vecs(struct cdc_cp_rows *r); /* fill r->vec for the writer */
void cdc_cp_rows_reset(struct cdc_cp_rows *r);
void cdc_cp_rows_free(struct cdc_cp_rows *r);

#endif
