/*
 * Where a column chunk lies when the footer may be wrong about its size.
 */
#ifndef CDC_PARQUET_PQ_CHUNK_PLACE_H
#define CDC_PARQUET_PQ_CHUNK_PLACE_H

#include "parquet/pq_file.h"

/*
 * The chunk's first byte in the file and its length as the footer has them; a length that goes
 * beyond the data is cut to the room that there is. CDC_ECORRUPT: it begins outside the data.
 */
int cdc_pq_chunk_place(struct cdc_pq_file *f, const struct cdc_pq_column_meta *m, uint64_t *start,
		       uint64_t *len, struct cdc_err *err) CDC_NODISCARD;

/* Bytes from a chunk's start to that of the next one in the file, or to the footer. */
int cdc_pq_chunk_room(struct cdc_pq_file *f, uint64_t start, uint64_t *room,
		      struct cdc_err *err) CDC_NODISCARD;

#endif
