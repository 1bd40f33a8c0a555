/*
 * Hashing by XXH3, and the open-addressing table from hash to index.
 */
#include "base/hash.h"

#include "base/endian.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define FIRST_SLOTS ((uint64_t)64)

uint64_t cdc_hash64(const void *p, size_t n)
{
	return XXH3_64bits(p, n);
}

struct cdc_hash128 cdc_hash128(const void *p, size_t n)
{
	XXH128_hash_t h = XXH3_128bits(p, n);

	return (struct cdc_hash128){ h.low64, h.high64 };
}

uint64_t cdc_hash64_u64(uint64_t v)
{
	uint8_t b[8];

	cdc_put_le64(b, v);
	return XXH3_64bits(b, sizeof(b));
}

/* Entries that `slots` may hold: at most 0.7 of them, so that a probe always meets a free one. */
static uint64_t capacity(uint64_t slots)
{
	return slots / 10 * 7 + slots % 10 * 7 / 10;
}

static void place(struct cdc_map *m, uint64_t hash, uint32_t index)
{
	uint64_t s = hash & m->mask;

	while (m->index[s] != CDC_MAP_EMPTY)
		s = (s + 1) & m->mask;
	m->hash[s] = hash;
	m->index[s] = index;
}

static int resize(struct cdc_map *m, uint64_t slots, struct cdc_err *err)
{
	struct cdc_map bigger = { .mask = slots - 1, .count = m->count };

	if (slots > SIZE_MAX / sizeof(*bigger.hash))
		return cdc_fail_nomem(err);
	bigger.hash = malloc(slots * sizeof(*bigger.hash));
	bigger.index = malloc(slots * sizeof(*bigger.index));
	if (!bigger.hash || !bigger.index) {
		free(bigger.hash);
		free(bigger.index);
		return cdc_fail_nomem(err);
	}
	memset(bigger.index, 0xff, slots * sizeof(*bigger.index));
	for (uint64_t s = 0; m->hash && s <= m->mask; s++)
		if (m->index[s] != CDC_MAP_EMPTY)
			place(&bigger, m->hash[s], m->index[s]);
	cdc_map_free(m);
	*m = bigger;
	return CDC_OK;
}

int cdc_map_reserve(struct cdc_map *m, size_t n, struct cdc_err *err)
{
	uint64_t have = m->hash ? m->mask + 1 : 0;
	uint64_t slots = have ? have : FIRST_SLOTS;

	while (capacity(slots) < n) {
		if (slots > UINT64_MAX / 4)
			return cdc_fail_nomem(err);
		slots *= 2;
	}
	return slots == have ? CDC_OK : resize(m, slots, err);
}

int cdc_map_insert(struct cdc_map *m, uint64_t hash, uint32_t index, struct cdc_err *err)
{
	int rc = cdc_map_reserve(m, m->count + 1, err);

	if (rc < 0)
		return rc;
	place(m, hash, index);
	m->count++;
	return CDC_OK;
}

size_t cdc_map_bytes(const struct cdc_map *m)
{
	return m->hash ? (size_t)(m->mask + 1) * (sizeof(*m->hash) + sizeof(*m->index)) : 0;
}

void cdc_map_clear(struct cdc_map *m)
{
	if (m->hash)
		memset(m->index, 0xff, (size_t)(m->mask + 1) * sizeof(*m->index));
	m->count = 0;
}

void cdc_map_free(struct cdc_map *m)
{
	free(m->hash);
	free(m->index);
	*m = (struct cdc_map)CDC_MAP_INIT;
}
