/*
 * Inside of the writer: one column, from batches of values to the pages of a chunk.
 *
 * pq_column_write.c takes values in and decides where pages end and whether the dictionary goes
 * on; pq_page_write.c makes and stores pages; pq_chunk_write.c puts chunks into the file.
 */
#ifndef CDC_PARQUET_PQ_WRITE_H
#define CDC_PARQUET_PQ_WRITE_H

#include "parquet/parquet.h"
#include "parquet/pq_codec.h"
#include "parquet/pq_dict.h"
#include "parquet/pq_meta_write.h"
#include "parquet/pq_stats.h"

/* One finished data page; its stored bytes are in the chunk's `data`, header not included. */
struct cdc_pq_out_page {
	size_t at;
	size_t stored;
	size_t raw; /* before compression */
	uint32_t crc;
	bool compressed;
	bool dictionary;
	uint32_t slots;
	uint32_t rows;
	int64_t nulls;
	int64_t nans;
	struct cdc_pq_bounds bounds;
	size_t bounds_at; /* in the chunk's `bounds` */
};

/* Whether the pages of a chunk are compressed as they come; settled when the chunk ends. */
enum cdc_pq_shrink { CDC_PQ_SHRINK_UNKNOWN, CDC_PQ_SHRINK_YES, CDC_PQ_SHRINK_NO };

/* Working memory that the columns of a file share; nothing in it outlives a call but as noted. */
struct cdc_pq_scratch {
	struct cdc_pq_codec_ctx codec;
	struct cdc_buf values; /* values without the gaps of nulls */
	struct cdc_buf int96; /* their bytes */
	struct cdc_buf replayed; /* values read back from the dictionary */
	struct cdc_buf levels; /* uint32_t */
	struct cdc_buf body;
	struct cdc_buf packed; /* a compressed body; the dictionary of the chunk that has ended */
};

void cdc_pq_scratch_free(struct cdc_pq_scratch *s);

struct cdc_pq_column_writer {
	const struct cdc_pq_node *leaf;
	const struct cdc_pq_write_options *opt;
	struct cdc_pq_scratch *scratch; /* the file's */
	enum cdc_pq_order order;
	uint32_t width; /* bytes of a PLAIN value; 0: BYTE_ARRAY */
	bool strings; /* values are struct cdc_str: BYTE_ARRAY, FIXED, INT96 */
	size_t elem; /* bytes of a value in memory */

	/* The page being filled. */
	uint32_t slots;
	uint32_t rows;
	uint32_t present; /* slots that hold a value */
	bool use_dict;
	struct cdc_buf def; /* a byte a slot, if max_def > 0 */
	struct cdc_buf rep; /* a byte a slot, if max_rep > 0 */
	struct cdc_buf plain; /* PLAIN values; BOOLEAN: a byte each */
	struct cdc_buf index; /* uint32_t dictionary indices */
	struct cdc_pq_range range;
	uint32_t stamp; /* marks the dictionary entries this page has seen */

	/* The chunk. */
	struct cdc_pq_dict dict;
	struct cdc_buf data;
	struct cdc_buf bounds;
	struct cdc_pq_out_page *page;
	size_t num_pages;
	size_t cap_pages;
	size_t dict_pages; /* of them, those of dictionary indices */
	enum cdc_pq_shrink shrink;
	uint64_t chunk_rows;
	int64_t chunk_slots;
	int64_t chunk_present;
	struct cdc_pq_range chunk_range;

	/* The file. */
	int64_t file_slots;
	int64_t file_nulls;
	struct cdc_pq_range file_range;
	bool file_unbounded; /* file_range is not of all values: spliced ones have no bounds */
};

int cdc_pq_column_init(struct cdc_pq_column_writer *c, const struct cdc_pq_node *leaf,
		       const struct cdc_pq_write_options *opt, struct cdc_pq_scratch *scratch,
		       struct cdc_err *err) CDC_NODISCARD;
void cdc_pq_column_free(struct cdc_pq_column_writer *c);

/* Append slots [from, to) of a checked vector, which hold whole rows. */
int cdc_pq_column_append(struct cdc_pq_column_writer *c, const struct cdc_pq_vec *vec,
			 uint32_t from, uint32_t to, struct cdc_err *err) CDC_NODISCARD;

/*
 * End the chunk: all values in pages, all pages in one form. `dictionary` is filled with the stored
 * dictionary page (n == 0: the chunk has none) and lives until any column
 * of the file goes on.
 */
struct cdc_pq_out_dictionary {
	struct cdc_str stored;
	size_t raw;
	uint32_t count;
};

int cdc_pq_column_end(struct cdc_pq_column_writer *c, struct cdc_pq_out_dictionary *dictionary,
		      struct cdc_err *err) CDC_NODISCARD;
/* Get ready for the next chunk. */
void cdc_pq_column_restart(struct cdc_pq_column_writer *c);

/* Estimated bytes of the chunk so far. */
uint64_t cdc_pq_column_bytes(const struct cdc_pq_column_writer *c);

/* ---- pq_chunk_write.c */

/* Where the serialised indexes of one chunk are in `indexes`; column_n 0: it has no column index.
 */
struct cdc_pq_index_span {
	size_t column_at;
	size_t column_n;
	size_t offset_at;
	size_t offset_n;
};

/* The file as it grows, and what its end will need. All zero but io and fd is the start. */
struct cdc_pq_chunks {
	const struct cdc_io *io;
	int fd;
	uint64_t offset; /* of the end of `out` in the file */
	struct cdc_buf out; /* not yet written */
	struct cdc_arena arena; /* of statistics, and the footer's structs */
	struct cdc_buf indexes;
	struct cdc_pq_page_entry *entry; /* of one chunk at a time */
	size_t cap_entries;
};

int cdc_pq_chunks_put(struct cdc_pq_chunks *w, const void *p, size_t n,
		      struct cdc_err *err) CDC_NODISCARD;
/* Room for n of w->entry. */
int cdc_pq_chunks_entries(struct cdc_pq_chunks *w, size_t n, struct cdc_err *err) CDC_NODISCARD;
int cdc_pq_chunks_flush(struct cdc_pq_chunks *w, struct cdc_err *err) CDC_NODISCARD;
/* End the column's chunk, write it, fill `meta` and `span` (both zero before), restart the column.
 */
int cdc_pq_chunks_add(struct cdc_pq_chunks *w, struct cdc_pq_column_writer *c,
		      struct cdc_pq_chunk_meta *meta, struct cdc_pq_index_span *span,
		      struct cdc_err *err) CDC_NODISCARD;
void cdc_pq_chunks_free(struct cdc_pq_chunks *w);

/* ---- pq_page_write.c */

/* Encoded size of the page being filled, before compression. */
size_t cdc_pq_page_estimate(const struct cdc_pq_column_writer *c);
/* Encode the page being filled, store it, start a new one. */
int cdc_pq_page_flush(struct cdc_pq_column_writer *c, struct cdc_err *err) CDC_NODISCARD;
/* Start a new page, forgetting what is in the present one. */
void cdc_pq_page_reset(struct cdc_pq_column_writer *c);
/* Bring all pages to one form, compressed if that pays, and the dictionary too. */
int cdc_pq_pages_settle(struct cdc_pq_column_writer *c, struct cdc_pq_out_dictionary *dictionary,
			struct cdc_err *err) CDC_NODISCARD;

#endif
