/*
 * A set of 64-bit keys and its probe. See key_index.h.
 */
#include "table/batch/key_index.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FREE UINT32_MAX
#define AHEAD 12 /* slots fetched ahead: about a memory latency's worth of probes */
#define BITS_PER_KEY 16

/* Finaliser of splitmix64: every bit of the key reaches the high bits, which pick filter and slot.
 */
static inline uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
	v = (v ^ v >> 27) * 0x94d049bb133111ebu;
	return v ^ v >> 31;
}

static int by_key(const void *a, const void *b)
{
	int64_t x = (int64_t)((const struct cdc_key_index_slot *)a)->key;
	int64_t y = (int64_t)((const struct cdc_key_index_slot *)b)->key;

	return (x > y) - (x < y);
}

/* Smallest power of two that is at least n. */
static unsigned log2_ceil(uint64_t n)
{
	unsigned bits = 0;

	while ((uint64_t)1 << bits < n)
		bits++;
	return bits;
}

int cdc_key_index_init(struct cdc_key_index *x, const uint64_t *key, uint32_t n,
		       struct cdc_err *err)
{
	unsigned slot_bits = log2_ceil((uint64_t)n * 2 + 2);
	unsigned filter_bits = log2_ceil((uint64_t)n * BITS_PER_KEY + 64);

	*x = (struct cdc_key_index){ .n = n };
	x->mask = ((uint64_t)1 << slot_bits) - 1;
	x->filter_shift = 64 - filter_bits;
	x->sorted = malloc(((size_t)n + 1) * sizeof(*x->sorted));
	x->slot = malloc(((size_t)x->mask + 1) * sizeof(*x->slot));
	x->filter = calloc(((size_t)1 << filter_bits) / 64, sizeof(*x->filter));
	if (!x->sorted || !x->slot || !x->filter) {
		cdc_key_index_free(x);
		return cdc_fail_nomem(err);
	}
	memset(x->slot, 0xff, ((size_t)x->mask + 1) * sizeof(*x->slot));
	for (uint32_t i = 0; i < n; i++) {
		uint64_t h = mix(key[i]);
		uint64_t bit = h >> x->filter_shift;
		uint64_t s = h & x->mask;

		while (x->slot[s].number != FREE)
			s = (s + 1) & x->mask;
		x->slot[s] = (struct cdc_key_index_slot){ key[i], i };
		x->sorted[i] = x->slot[s];
		x->filter[bit >> 6] |= (uint64_t)1 << (bit & 63);
	}
	qsort(x->sorted, n, sizeof(*x->sorted), by_key);
	return CDC_OK;
}

void cdc_key_index_free(struct cdc_key_index *x)
{
	free(x->sorted);
	free(x->slot);
	free(x->filter);
	*x = (struct cdc_key_index){ .n = 0 };
}

static bool ascending(const uint64_t *value, uint32_t n)
{
	uint32_t wrong = 0;

	for (uint32_t i = 1; i < n; i++)
		wrong += (int64_t)value[i - 1] > (int64_t)value[i];
	return !wrong;
}

/* First sorted key that is not below v. */
static uint32_t lower_bound(const struct cdc_key_index *x, int64_t v)
{
	uint32_t lo = 0, hi = x->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if ((int64_t)x->sorted[mid].key < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t probe_sorted(const struct cdc_key_index *x, const uint64_t *value, uint32_t n,
			     uint32_t *row, uint32_t *number)
{
	uint32_t k = lower_bound(x, (int64_t)value[0]);
	uint32_t hits = 0;

	for (uint32_t i = 0; i < n && k < x->n;) {
		int64_t v = (int64_t)value[i], key = (int64_t)x->sorted[k].key;

		if (v < key) {
			i++;
		} else if (v > key) {
			k++;
		} else {
			row[hits] = i++;
			number[hits++] = x->sorted[k].number;
		}
	}
	return hits;
}

static uint32_t probe_hashed(const struct cdc_key_index *x, const uint64_t *value, uint32_t n,
			     uint32_t *row, uint32_t *number)
{
	uint64_t hash[CDC_KEY_INDEX_ROWS];
	uint32_t left = 0, hits = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t h = mix(value[i]);
		uint64_t bit = h >> x->filter_shift;

		hash[left] = h;
		row[left] = i;
		left += (uint32_t)(x->filter[bit >> 6] >> (bit & 63) & 1);
	}
	for (uint32_t i = 0; i < left; i++) {
		uint64_t v = value[row[i]];
		uint64_t s = hash[i] & x->mask;

		if (i + AHEAD < left)
			__builtin_prefetch(&x->slot[hash[i + AHEAD] & x->mask]);
		while (x->slot[s].number != FREE && x->slot[s].key != v)
			s = (s + 1) & x->mask;
		row[hits] = row[i];
		number[hits] = x->slot[s].number;
		hits += x->slot[s].number != FREE;
	}
	return hits;
}

uint32_t cdc_key_index_probe(const struct cdc_key_index *x, const uint64_t *value, uint32_t n,
			     uint32_t *row, uint32_t *number)
{
	if (!n || !x->n)
		return 0;
	if (ascending(value, n))
		return probe_sorted(x, value, n, row, number);
	return probe_hashed(x, value, n, row, number);
}
