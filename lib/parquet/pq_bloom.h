/*
 * Bloom filters of column chunks (spec 1.7; BloomFilter.md of parquet-format): split blocks of 256
 * bits, XXH64 of a value's PLAIN bytes, without a length before them.
 *
 * Only the block that a value belongs to is read, so a look-up is one read of 32 bytes.
 */
#ifndef CDC_PARQUET_PQ_BLOOM_H
#define CDC_PARQUET_PQ_BLOOM_H

#include "parquet/parquet.h"

#define CDC_PQ_BLOOM_BLOCK 32 /* bytes */

struct cdc_pq_bloom {
	const struct cdc_pq_file *file;
	uint64_t offset; /* of the first block in the file */
	uint32_t num_blocks;
};

/*
 * The filter of one leaf of one row group. The file is borrowed. CDC_END: there is none, or its
 * header is not one that we understand, or tells another length than the footer; that is no error,
 * since a filter only saves work.
 */
int cdc_pq_bloom_open(struct cdc_pq_bloom *b, const struct cdc_pq_file *f, int32_t row_group,
		      int32_t leaf, struct cdc_err *err) CDC_NODISCARD;

/* Whether the chunk may hold a value whose PLAIN bytes have this hash: *may. */
int cdc_pq_bloom_look(const struct cdc_pq_bloom *b, uint64_t hash, bool *may,
		      struct cdc_err *err) CDC_NODISCARD;

/* XXH64 with seed 0. */
uint64_t cdc_pq_bloom_hash(const void *p, size_t n);
/* Which of the blocks a hash belongs to, and whether that block has all its bits. */
uint32_t cdc_pq_bloom_block(uint64_t hash, uint32_t num_blocks);
bool cdc_pq_bloom_has(const void *block, uint64_t hash);

#endif
