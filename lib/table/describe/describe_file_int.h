/*
 * Inside the description of a Parquet file.
 */
#ifndef CDC_TABLE_DESCRIBE_FILE_INT_H
#define CDC_TABLE_DESCRIBE_FILE_INT_H

#include "table/describe/describe_file.h"

/* The box for people: a line for each leaf column. */
int cdc_describe_columns(const struct cdc_pq_metadata *m, struct cdc_writer *out,
			 struct cdc_err *err) CDC_NODISCARD;

/* a + b of sizes that a file claims: negative ones count as 0, and the sum stops at the largest
 * number. */
static inline int64_t cdc_sum_limited(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b > 0 ? b : 0, &sum) ? INT64_MAX : sum;
}

#endif
