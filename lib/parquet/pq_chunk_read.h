/*
 * The stored bytes of one column chunk, through a window that moves forward: a chunk of any size
 * costs the window, or its largest page. Page headers are read without their pages, so that what is
 * skipped is not read at all.
 */
#ifndef CDC_PARQUET_PQ_CHUNK_READ_H
#define CDC_PARQUET_PQ_CHUNK_READ_H

#include "parquet/pq_file.h"
#include "parquet/pq_value_read.h"

struct cdc_pq_chunk {
	struct cdc_pq_file *f;
	uint64_t offset; /* of the chunk in the file */
	uint64_t len;
	bool stretched; /* len is all the room up to the next chunk */
	uint64_t pos; /* next page header, in the chunk */
	uint64_t page_pos; /* header of the page before, for messages, */
	uint64_t body_pos; /* and its bytes */
	struct cdc_pq_mem window;
	uint64_t at; /* where in the chunk the window begins */
	size_t n; /* and how much it holds */
	/*
	 * While this is set, bytes that were given must live on: when the window moves, its memory
	 * goes to `left` and the flag is cleared. Who sets it takes what is in `left` after a call.
	 */
	bool keep;
	struct cdc_pq_mem left;
};

/* Where the chunk is. `window` is kept as it is: its memory serves again. */
void cdc_pq_chunk_init(struct cdc_pq_chunk *c, struct cdc_pq_file *f, uint64_t offset,
		       uint64_t len);

/*
 * The next page header; the position goes behind its page. Where the footer has the chunk's size
 * too small, as parquet-mr before 1.2.9 did (PARQUET-816), pages are looked for up to the next
 * chunk. CDC_END: no bytes are left. CDC_ECORRUPT with the offset in the file.
 */
int cdc_pq_chunk_header(struct cdc_pq_chunk *c, struct cdc_pq_page_header *h,
			struct cdc_err *err) CDC_NODISCARD;

/*
 * The stored bytes of the page whose header was read last, with CDC_PQ_SLACK readable bytes behind.
 * They live until the next call, or longer with `keep`.
 */
int cdc_pq_chunk_page(struct cdc_pq_chunk *c, const struct cdc_pq_page_header *h,
		      const uint8_t **stored, struct cdc_err *err) CDC_NODISCARD;

/*
 * The same page with its header, as they are in the file: *n bytes. They live until the next call.
 */
int cdc_pq_chunk_stored(struct cdc_pq_chunk *c, const struct cdc_pq_page_header *h,
			const uint8_t **stored, size_t *n, struct cdc_err *err) CDC_NODISCARD;

/* The values, nulls included, that the headers of all pages tell, from the first on. The position
 * is the first page's again. */
int cdc_pq_chunk_values(struct cdc_pq_chunk *c, uint64_t *values,
			struct cdc_err *err) CDC_NODISCARD;

#endif
