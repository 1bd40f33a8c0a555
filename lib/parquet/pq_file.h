/*
 * An open file, as the parts of the reader share it.
 */
#ifndef CDC_PARQUET_PQ_FILE_H
#define CDC_PARQUET_PQ_FILE_H

#include "parquet/parquet.h"
#include "parquet/pq_codec.h"

struct cdc_pq_file {
	const struct cdc_io *io;
	int fd;
	char *path;
	uint64_t size;
	uint64_t footer_start; /* data lies in [4, footer_start) */
	struct cdc_pq_metadata meta;
	struct cdc_pq_codec_ctx codec;
	uint32_t window; /* bytes of a chunk that are read at once, if it has as many */
	uint32_t max_page; /* bytes of the largest page that is unpacked */
	struct cdc_pq_column *idle; /* closed cursors, for their memory */
	size_t idle_bytes;
	uint64_t *chunk_start; /* of all chunks, ascending; NULL until it is needed */
	size_t num_chunk_starts;
	/* Bugs of known writers (spec 1.1, 1.6, 3.2): */
	bool carried_prefix; /* parquet-mr < 1.8.0: PARQUET-246 */
	bool v2_flag_lies; /* parquet-cpp < 3.0.0: ARROW-17100 */
};

/* Free what closed cursors left. */
void cdc_pq_file_free_idle(struct cdc_pq_file *f);

#endif
