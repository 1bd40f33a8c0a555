/*
 * One column chunk of another file, taken over as it is stored.
 */
#ifndef CDC_PARQUET_PQ_SPLICE_H
#define CDC_PARQUET_PQ_SPLICE_H

#include "parquet/pq_file.h"
#include "parquet/pq_write.h"

/* What the page headers of a chunk tell. */
struct cdc_pq_splice {
	uint64_t offset; /* of the chunk in its file */
	uint64_t len;
	uint64_t data_pos; /* of the first data page, in the chunk */
	size_t num_pages; /* data pages */
	bool rows_known; /* the rows of each page are */
	struct cdc_pq_chunk_meta meta; /* pages and encodings counted, sizes and statistics */
};

/*
 * Walk through the page headers. CDC_END: they do not agree with the footer, or something is there
 * that a chunk of ours cannot have.
 */
int cdc_pq_splice_probe(struct cdc_pq_splice *s, struct cdc_pq_file *f, int32_t row_group,
			int32_t leaf, struct cdc_err *err) CDC_NODISCARD;

/*
 * Append the chunk that was probed; `meta` and `span` (both zero before) are filled. A page whose
 * checksum is wrong is CDC_ECORRUPT.
 */
int cdc_pq_splice_chunk(const struct cdc_pq_splice *s, struct cdc_pq_chunks *w,
			struct cdc_pq_file *f, int32_t row_group, int32_t leaf,
			struct cdc_pq_chunk_meta *meta, struct cdc_pq_index_span *span,
			struct cdc_err *err) CDC_NODISCARD;

/* Take what the chunk's statistics tell into the column's counts and range of the file.
 * plain_zero: a minimum of negative zero means zero. */
int cdc_pq_splice_count(struct cdc_pq_column_writer *c, const struct cdc_pq_column_meta *m,
			bool plain_zero, struct cdc_err *err) CDC_NODISCARD;

#endif
