/*
 * Thrift to structs: the footer, page headers and page indexes.
 *
 * Every function takes the exact bytes, checks all of them, and fails with CDC_ECORRUPT and the
 * offset within `p` when they do not add up.
 */
#ifndef CDC_PARQUET_PQ_META_READ_H
#define CDC_PARQUET_PQ_META_READ_H

#include "parquet/pq_format.h"
#include "parquet/pq_thrift_read.h"

/*
 * FileMetaData. Strings point into `p`, which must live as long as `m` (the reader keeps it in
 * m->arena); everything else comes from m->arena, which the caller initialised and frees.
 */
int cdc_pq_metadata_read(struct cdc_pq_metadata *m, const void *p, size_t n,
			 struct cdc_err *err) CDC_NODISCARD;

/* A PageHeader at the start of p[0..n); *used is its length. Sizes and counts are not negative. */
int cdc_pq_page_header_read(struct cdc_pq_page_header *h, const void *p, size_t n, size_t *used,
			    struct cdc_err *err) CDC_NODISCARD;

/* What the file says of the order of bounds, for one leaf: cdc_pq_metadata.leaf_order. */
enum cdc_pq_trust {
	CDC_PQ_TRUST_NONE, /* no column_orders */
	CDC_PQ_TRUST_TYPE, /* TYPE_ORDER */
	CDC_PQ_TRUST_OTHER /* a member that is not understood */
};

/*
 * True when min and max are bounds that a reader may use for this leaf: the order is understood,
 * the lengths are the type's, and neither is NaN (spec 3.1).
 */
bool cdc_pq_bounds_usable(const struct cdc_pq_node *leaf, enum cdc_pq_trust order,
			  struct cdc_str min, struct cdc_str max);

/* The order of a leaf's bounds; OTHER also where the file's writer is known to get them wrong. */
enum cdc_pq_trust cdc_pq_leaf_trust(const struct cdc_pq_metadata *m, int32_t leaf);

/*
 * Put the chunks of a row group, num_leaves of them, in the order of the leaves. path[i] stands at
 * the path_in_schema of column[i], a list that can be passed over; p is NULL where there is none.
 * Paths that do not lead to one leaf each do not count: then ordinals do.
 */
int cdc_pq_order_chunks(const struct cdc_pq_schema *s, const struct cdc_pq_tread *path,
			struct cdc_pq_column_meta *column, struct cdc_err *err) CDC_NODISCARD;

/* CDC_ECORRUPT from a cursor that went wrong: "<what>: <r->bad>", with the offset. */
int cdc_pq_tread_error(const struct cdc_pq_tread *r, const char *what, struct cdc_err *err);

#endif
