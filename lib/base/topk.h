/*
 * Which of many texts come most often, in fixed memory: the Space-Saving algorithm of Metwally,
 * Agrawal and El Abbadi (2005). What is counted is at least the true count, and too high by at most
 * `over`; with no more distinct texts than counters all counts are exact.
 */
#ifndef CDC_BASE_TOPK_H
#define CDC_BASE_TOPK_H

#include "base/buf.h"
#include "base/hash.h"

struct cdc_topk_entry {
	struct cdc_hash128 hash;
	uint64_t count;
	uint64_t over;
	struct cdc_buf text;
	uint32_t slot; /* in the table of hashes */
};

struct cdc_topk {
	struct cdc_topk_entry *entry; /* a heap, the smallest count first */
	uint32_t n;
	uint32_t max;
	uint32_t *slot; /* hash -> entry + 1, 0: free; linear probing */
	uint32_t mask;
};

/* max: counters, at least 1. */
int cdc_topk_init(struct cdc_topk *t, uint32_t max, struct cdc_err *err) CDC_NODISCARD;
int cdc_topk_add(struct cdc_topk *t, struct cdc_str text, struct cdc_err *err) CDC_NODISCARD;
/* Order the entries by falling count, then by text. Nothing can be added after it. */
void cdc_topk_sort(struct cdc_topk *t);
void cdc_topk_free(struct cdc_topk *t);

#endif
