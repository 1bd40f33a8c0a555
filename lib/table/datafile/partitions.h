/*
 * The partitions that turn up in some work on a table: each set of partition values once, with a
 * number. Values are texts of the log; null and the empty text are one value, as in Delta.
 */
#ifndef CDC_TABLE_PARTITIONS_H
#define CDC_TABLE_PARTITIONS_H

#include "base/hash.h"
#include "delta/log.h"

struct cdc_partitions {
	int num_columns;
	struct cdc_str *column; /* physical names, in the order of the partition columns */
	struct cdc_kv **value; /* by number: one value a column, in that order */
	struct cdc_str *text; /* by number: what makes them equal */
	uint32_t n;
	uint32_t cap;
	struct cdc_map map;
	struct cdc_arena arena; /* owns names, values and texts */
	struct cdc_buf buf;
};

/* The snapshot is not kept. */
int cdc_partitions_init(struct cdc_partitions *p, const struct cdc_snapshot *s,
			struct cdc_err *err) CDC_NODISCARD;
void cdc_partitions_free(struct cdc_partitions *p);

/* The number of the partition with these values, which are copied if it is new: it is p->n - 1
 * then. A value with p == NULL, or n == 0, is null. */
int cdc_partitions_find(struct cdc_partitions *p, const struct cdc_str *value, uint32_t *index,
			struct cdc_err *err) CDC_NODISCARD;
/* The number of a file's partition. */
int cdc_partitions_of_file(struct cdc_partitions *p, const struct cdc_add *add, uint32_t *index,
			   struct cdc_err *err) CDC_NODISCARD;

#endif
