/*
 * A set of 64-bit numbers that mostly follow each other: a bitmap of 512 numbers for each stretch
 * in which one was seen. Close numbers take a fraction of a byte, lone ones about 90.
 */
#ifndef CDC_BASE_IDSET_H
#define CDC_BASE_IDSET_H

#include "base/hash.h"

struct cdc_idset {
	struct cdc_idset_chunk *chunk;
	size_t n;
	size_t cap;
	size_t last; /* where the previous number went */
	uint64_t count; /* numbers in the set */
	struct cdc_map map; /* stretch -> chunk */
};

#define CDC_IDSET_INIT                                                                             \
	{                                                                                          \
		NULL, 0, 0, 0, 0, CDC_MAP_INIT                                                     \
	}

/* Add a number; *was tells whether it was in the set. Fails only for lack of memory. */
int cdc_idset_add(struct cdc_idset *s, int64_t id, bool *was, struct cdc_err *err) CDC_NODISCARD;
size_t cdc_idset_bytes(const struct cdc_idset *s);
void cdc_idset_free(struct cdc_idset *s);

#endif
