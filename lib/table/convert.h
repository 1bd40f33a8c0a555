/*
 * From the physical types of Parquet files to the types of the table in memory.
 */
#ifndef CDC_TABLE_CONVERT_H
#define CDC_TABLE_CONVERT_H

#include "delta/schema.h"
#include "parquet/parquet.h"

struct cdc_convert;

/*
 * Fill `n` values at `out`, in the layout of cdc_type_size, from a batch of the file. Slots without
 * a value are converted as the zero that they hold. False: a value does not fit.
 */
typedef bool cdc_convert_fn(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out);

struct cdc_convert {
	cdc_convert_fn *fn; /* NULL: the file's values are the table's */
	cdc_i128 factor; /* decimals: 10^(scale of the table - scale of the file) */
	cdc_i128 limit; /* decimals: 10^precision */
	int64_t multiply; /* timestamps: microseconds per unit, or */
	int64_t divide; /* units per microsecond */
};

/* How a leaf becomes a field: false when it cannot. */
bool cdc_convert_choose(struct cdc_convert *c, const struct cdc_pq_node *leaf,
			const struct cdc_field *f);

#endif
