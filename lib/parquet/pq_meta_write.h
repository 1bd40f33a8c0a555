/*
 * Thrift structs of the file, writing: page headers, page indexes, the footer.
 */
#ifndef CDC_PARQUET_PQ_META_WRITE_H
#define CDC_PARQUET_PQ_META_WRITE_H

#include "base/buf.h"
#include "base/error.h"
#include "parquet/pq_format.h"

#include <stdbool.h>
#include <stdint.h>

/* A column chunk as the footer tells it. Bounds in m.stats belong to the writer's arena. */
struct cdc_pq_chunk_meta {
	struct cdc_pq_column_meta m;
	bool dictionary_page;
	enum cdc_pq_encoding dictionary_encoding;
	int32_t data_pages[2][CDC_PQ_NUM_ENCODINGS]; /* V1, V2; by the encoding of their values */
};

struct cdc_pq_group_meta {
	struct cdc_pq_chunk_meta *chunk; /* one per leaf */
	int64_t num_rows;
	int64_t total_byte_size;
	int64_t total_compressed_size;
	int64_t file_offset;
};

/* One data page as the page index tells it. Bounds are offsets into the chunk's bounds buffer. */
struct cdc_pq_page_entry {
	uint64_t offset; /* of the header, in the file */
	int32_t size; /* header included */
	int64_t first_row;
	bool has_values;
	int64_t null_count;
	int64_t nan_count;
	struct cdc_str min;
	struct cdc_str max;
};

enum cdc_pq_boundary_order { CDC_PQ_UNORDERED = 0, CDC_PQ_ASCENDING = 1, CDC_PQ_DESCENDING = 2 };

int cdc_pq_write_page_header(const struct cdc_pq_page_header *h, struct cdc_buf *out,
			     struct cdc_err *err) CDC_NODISCARD;
int cdc_pq_write_offset_index(const struct cdc_pq_page_entry *page, size_t n, struct cdc_buf *out,
			      struct cdc_err *err) CDC_NODISCARD;
int cdc_pq_write_column_index(const struct cdc_pq_page_entry *page, size_t n,
			      enum cdc_pq_boundary_order order, bool has_nan_counts,
			      struct cdc_buf *out, struct cdc_err *err) CDC_NODISCARD;

/* FileMetaData, without the length and magic behind it. */
struct cdc_pq_footer {
	const struct cdc_pq_schema *schema;
	const struct cdc_pq_group_meta *group;
	size_t num_groups;
	const struct cdc_pq_key_value *key_value;
	size_t num_key_values;
	struct cdc_str created_by;
};

int cdc_pq_write_footer(const struct cdc_pq_footer *f, struct cdc_buf *out,
			struct cdc_err *err) CDC_NODISCARD;

#endif
