/*
 * The cursor over one column chunk, as its parts share it: opening, pages, batches and skipping.
 */
#ifndef CDC_PARQUET_PQ_COLUMN_INT_H
#define CDC_PARQUET_PQ_COLUMN_INT_H

#include "parquet/pq_batch.h"
#include "parquet/pq_chunk_read.h"
#include "parquet/pq_file.h"

/* Slots that are decoded in one go: their levels and values stay in the cache, and memory grows
 * with what was decoded, never with what a header promises. */
#define CDC_PQ_STEP (16u << 10)

/* What the strings of one batch may keep in memory: unpacked pages, and values that were built. */
#define CDC_PQ_MAX_STRINGS ((size_t)4 << 30)

struct cdc_pq_column {
	struct cdc_pq_file *f;
	struct cdc_pq_column *next_idle;
	const struct cdc_pq_column_meta *meta;
	const struct cdc_pq_node *node;
	struct cdc_pq_page_env env;
	int rc; /* an error: the cursor is dead */

	struct cdc_pq_chunk chunk;
	uint64_t slots_left; /* in pages that were not begun */
	uint64_t rows_left; /* rows that were not handed out; nested columns */
	bool began; /* a nested column's first level was seen */

	struct cdc_pq_page page;
	struct cdc_pq_page_header dict_header;
	struct cdc_pq_mem dict_page; /* as it is stored */
	bool dict_waits; /* it was not decoded yet */
	struct cdc_pq_dictionary dict;

	struct cdc_pq_mem *body; /* unpacked pages; those before num_bodies are in use */
	uint32_t num_bodies;
	uint32_t max_bodies;
	size_t bodies_bytes; /* in those in use */
	uint32_t page_bodies; /* how many of them, the last ones, are the page's at work */
	size_t page_bytes; /* and its share of bodies_bytes */

	struct cdc_pq_string_space space;
	struct cdc_buf last; /* copy of the value that the next prefix refers to */
	struct cdc_pq_batch batch;
};

/* Remember the error, and say which column and where. Returns rc. */
int cdc_pq_column_failed(struct cdc_pq_column *c, int rc, struct cdc_err *err);

/* ------------------------------------------------------------------ pages */

/* Header of the next page. CDC_END at the end of the values. */
int cdc_pq_column_next_header(struct cdc_pq_column *c, struct cdc_pq_page_header *h,
			      struct cdc_err *err) CDC_NODISCARD;
/* Is it a data page? A dictionary is put aside for when it is needed; others are passed over. */
int cdc_pq_column_note_page(struct cdc_pq_column *c, const struct cdc_pq_page_header *h, bool *data,
			    struct cdc_err *err) CDC_NODISCARD;
/* Begin the data page whose header was read: page.left is positive then. */
int cdc_pq_column_begin_page(struct cdc_pq_column *c, const struct cdc_pq_page_header *h,
			     struct cdc_err *err) CDC_NODISCARD;
/* The page at work is done with: keep its memory only if strings of the batch point there. */
int cdc_pq_column_leave_page(struct cdc_pq_column *c, struct cdc_err *err) CDC_NODISCARD;
/* All of that to the next data page; CDC_END when there is nothing more. */
int cdc_pq_column_next_page(struct cdc_pq_column *c, struct cdc_err *err) CDC_NODISCARD;
/* PARQUET-246: copy the value that the first prefix of the next page refers to. */
int cdc_pq_column_keep_last(struct cdc_pq_column *c, struct cdc_err *err) CDC_NODISCARD;
/* A batch begins: only the page at work keeps its memory. */
void cdc_pq_column_release(struct cdc_pq_column *c);

/* ------------------------------------------------------------------ batches */

int cdc_pq_column_begin_batch(struct cdc_pq_column *c, struct cdc_err *err) CDC_NODISCARD;
/*
 * How far the next *rows rows reach in the page at work: *k of at most `max` slots, and how many of
 * the rows begin there. The first slots may belong to a row that began before.
 */
int cdc_pq_column_look_ahead(const struct cdc_pq_column *c, uint32_t max, uint32_t *rows,
			     uint32_t *k, struct cdc_err *err) CDC_NODISCARD;

#endif
