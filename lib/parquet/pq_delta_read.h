/*
 * DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY, reading (spec 1.6).
 *
 * All three decode on demand: what a header promises costs nothing before the bytes are there. The
 * bytes need CDC_PQ_SLACK readable bytes after their end. Errors are CDC_ECORRUPT, but for
 * CDC_ENOMEM.
 */
#ifndef CDC_PARQUET_PQ_DELTA_READ_H
#define CDC_PARQUET_PQ_DELTA_READ_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cdc_pq_dbp {
	const uint8_t *p; /* next byte of the current miniblock, or the next block */
	const uint8_t *end;
	uint32_t miniblocks; /* in a block */
	uint32_t miniblock_values; /* a multiple of 32 */
	uint32_t total;
	uint32_t left; /* values that were not handed out */
	uint32_t deltas; /* deltas that were not unpacked */
	const uint8_t *widths; /* of the current block */
	uint32_t miniblock; /* current one */
	uint32_t in_miniblock; /* its values that were not unpacked */
	uint32_t width;
	uint64_t min_delta;
	uint64_t last; /* the value before the next one */
	bool first; /* `last` is the first value and was not handed out */
	uint32_t buf_pos;
	uint32_t buf_n;
	uint64_t buf[32]; /* decoded values that are waiting */
};

/*
 * `max` is how many values the page can hold at most. Sums wrap at 64 bits, and so do 32-bit values
 * at 32: some writers keep to the column's width, others, like DuckDB, make deltas of 33 bits.
 */
int cdc_pq_dbp_init(struct cdc_pq_dbp *d, const void *p, size_t n, uint32_t max,
		    struct cdc_err *err) CDC_NODISCARD;
int cdc_pq_dbp_i32(struct cdc_pq_dbp *d, int32_t *out, uint32_t n,
		   struct cdc_err *err) CDC_NODISCARD;
int cdc_pq_dbp_i64(struct cdc_pq_dbp *d, int64_t *out, uint32_t n,
		   struct cdc_err *err) CDC_NODISCARD;

/* Where the values of a decoder that was just initialised end. */
int cdc_pq_dbp_end(const struct cdc_pq_dbp *d, const uint8_t **end,
		   struct cdc_err *err) CDC_NODISCARD;

/* DELTA_LENGTH_BYTE_ARRAY: strings point into the input. */
struct cdc_pq_dlba {
	struct cdc_pq_dbp lengths;
	const uint8_t *p;
	const uint8_t *end;
};

int cdc_pq_dlba_init(struct cdc_pq_dlba *d, const void *p, size_t n, uint32_t max,
		     struct cdc_err *err) CDC_NODISCARD;
int cdc_pq_dlba_read(struct cdc_pq_dlba *d, struct cdc_str *out, uint32_t n,
		     struct cdc_err *err) CDC_NODISCARD;

/*
 * DELTA_BYTE_ARRAY: each value is a prefix of the one before it and a suffix, so it is built in
 * `arena`, which may hold max_bytes. The value before the next one is `last`; it must stay readable
 * until then, and is the caller's to set for a page that goes on where the last one ended.
 */
struct cdc_pq_dba {
	struct cdc_pq_dbp prefixes;
	struct cdc_pq_dlba suffixes;
	struct cdc_str last;
};

int cdc_pq_dba_init(struct cdc_pq_dba *d, const void *p, size_t n, uint32_t max,
		    struct cdc_err *err) CDC_NODISCARD;
int cdc_pq_dba_read(struct cdc_pq_dba *d, struct cdc_str *out, uint32_t n, struct cdc_arena *arena,
		    size_t max_bytes, struct cdc_err *err) CDC_NODISCARD;

#endif
