/*
 * A set of 64-bit keys, and which of them a column of values holds: the inner loop of a merge.
 *
 * Values in ascending order, as in a table that is clustered by its key, are joined with the sorted
 * keys by a merge. Others go through a filter of 16 bits a key, small enough for the cache, and
 * then a hash table whose slots are fetched ahead of their use.
 */
#ifndef CDC_TABLE_KEY_INDEX_H
#define CDC_TABLE_KEY_INDEX_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define CDC_KEY_INDEX_ROWS 4096 /* most values in one probe */

struct cdc_key_index_slot {
	uint64_t key;
	uint32_t number;
};

struct cdc_key_index {
	struct cdc_key_index_slot *sorted; /* by key as a signed integer */
	uint32_t n;
	struct cdc_key_index_slot *slot; /* number UINT32_MAX: free */
	uint64_t mask;
	uint64_t *filter;
	unsigned filter_shift;
};

/* Index key[0..n-1], all different; a key's number is its position. */
int cdc_key_index_init(struct cdc_key_index *x, const uint64_t *key, uint32_t n,
		       struct cdc_err *err) CDC_NODISCARD;
void cdc_key_index_free(struct cdc_key_index *x);

/*
 * Which of value[0..n-1] are keys: row[i] receives the position of the i-th hit, ascending,
 * number[i] the number of its key. n <= CDC_KEY_INDEX_ROWS. Returns the number of hits.
 */
uint32_t cdc_key_index_probe(const struct cdc_key_index *x, const uint64_t *value, uint32_t n,
			     uint32_t *row, uint32_t *number);

#endif
