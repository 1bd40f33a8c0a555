/*
 * 64-bit hashing (XXH3, seed 0) and an open-addressing table from hash to a 32-bit index.
 *
 * The table stores no keys: the caller keeps its entries in an array and the table maps
 * hash -> position in that array. A lookup walks the candidates with the same hash and the caller
 * compares keys, so no function pointer is called on the hot path:
 *
 *	struct cdc_map_iter it = cdc_map_seek(&map, h);
 *	while (cdc_map_next(&map, &it, &i))
 *		if (same_key(entry[i], key))
 *			return i;
 *	rc = cdc_map_insert(&map, h, new_index, err);
 *
 * Load factor at most 0.7, linear probing, grows by doubling. 12 bytes a slot.
 */
#ifndef CDC_BASE_HASH_H
#define CDC_BASE_HASH_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

uint64_t cdc_hash64(const void *p, size_t n);

/* For sets of hashes that stand for what was hashed: 2^32 different texts share none of these but
 * for a chance of 2^-64. */
struct cdc_hash128 {
	uint64_t lo;
	uint64_t hi;
};

struct cdc_hash128 cdc_hash128(const void *p, size_t n);

/* The same as cdc_hash64 of the 8 bytes of v (little-endian), inlined by callers' loops. */
uint64_t cdc_hash64_u64(uint64_t v);

struct cdc_map {
	uint64_t *hash;
	uint32_t *index; /* CDC_MAP_EMPTY: free slot */
	uint64_t mask; /* slots - 1; 0 with hash == NULL: nothing allocated */
	size_t count;
};

#define CDC_MAP_INIT                                                                               \
	{                                                                                          \
		NULL, NULL, 0, 0                                                                   \
	}
#define CDC_MAP_EMPTY UINT32_MAX

struct cdc_map_iter {
	uint64_t hash;
	uint64_t slot;
};

static inline struct cdc_map_iter cdc_map_seek(const struct cdc_map *m, uint64_t hash)
{
	return (struct cdc_map_iter){ hash, hash & m->mask };
}

static inline bool cdc_map_next(const struct cdc_map *m, struct cdc_map_iter *it, uint32_t *index)
{
	if (!m->hash)
		return false;
	while (m->index[it->slot] != CDC_MAP_EMPTY) {
		uint64_t s = it->slot;

		it->slot = (s + 1) & m->mask;
		if (m->hash[s] == it->hash) {
			*index = m->index[s];
			return true;
		}
	}
	return false;
}

/* Adds an entry; does not look for an equal one. index must not be CDC_MAP_EMPTY. */
int cdc_map_insert(struct cdc_map *m, uint64_t hash, uint32_t index,
		   struct cdc_err *err) CDC_NODISCARD;
/* Room for n entries without growing. */
int cdc_map_reserve(struct cdc_map *m, size_t n, struct cdc_err *err) CDC_NODISCARD;
size_t cdc_map_bytes(const struct cdc_map *m);
void cdc_map_clear(struct cdc_map *m); /* empties, keeps the memory */
void cdc_map_free(struct cdc_map *m);

#endif
