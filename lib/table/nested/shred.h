/*
 * From the rows of a batch to the leaves of a Parquet file: record shredding (parquet-format
 * "Nested Encoding"). The way back is nested_reader.h.
 */
#ifndef CDC_TABLE_SHRED_H
#define CDC_TABLE_SHRED_H

#include "parquet/parquet.h"
#include "table/batch/batch.h"

struct cdc_shredder;

/*
 * For batches of the columns of `schema` into files of `file`, which cdc_schema_to_parquet made of
 * it. Both are borrowed.
 */
int cdc_shredder_new(struct cdc_shredder **s, const struct cdc_schema *schema,
		     const struct cdc_pq_schema *file, struct cdc_err *err) CDC_NODISCARD;
void cdc_shredder_free(struct cdc_shredder *s);

/*
 * One vector for each leaf of the file, from a batch with a column for each field of the schema, in
 * order; partition columns are passed over. Arrays belong to the shredder, or are those of the
 * batch, and live until the next call. A null where the schema allows none is CDC_EDATA; so are
 * lists of more than 2^32 entries in one batch. Variants that are stored whole pass through as they
 * are; shredded ones are put together, for what may go wrong see table/nested/variant_build.h.
 */
int cdc_shredder_rows(struct cdc_shredder *s, const struct cdc_batch *batch, struct cdc_pq_vec *vec,
		      struct cdc_err *err) CDC_NODISCARD;

#endif
