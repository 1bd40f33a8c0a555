/*
 * The keys that a run put into a table that was empty when it began. See merge_internal.h.
 *
 * While every stored key came from this run, a key whose hash is not in this set has no stored row,
 * and a batch of such keys needs no look-up: an initial load reads nothing back. The set holds
 * 64-bit hashes only; a collision merely costs a look-up. It is given up when another writer
 * commits, or when it passes its share of the memory.
 */
#include "table/merge/merge_internal.h"

#include <stdlib.h>

#define MIN_SLOTS 4096
/* Of the memory that a batch may take, for the set. */
#define SHARE 2

void seen_start(struct seen_keys *s, const struct cdc_snapshot *snapshot, uint64_t memory_bytes)
{
	*s = (struct seen_keys){ .on = !snapshot->num_adds, .max_bytes = memory_bytes / SHARE };
}

void seen_stop(struct seen_keys *s)
{
	free(s->slot);
	*s = (struct seen_keys){ .on = false };
}

/* 0 marks a free slot; a hash of 0 is kept as 1. */
static uint64_t mark(uint64_t hash)
{
	return hash ? hash : 1;
}

static bool contains(const struct seen_keys *s, uint64_t hash)
{
	for (size_t i = (size_t)hash & s->mask; s->slot[i]; i = (i + 1) & s->mask)
		if (s->slot[i] == hash)
			return true;
	return false;
}

static void put(struct seen_keys *s, uint64_t hash)
{
	size_t i = (size_t)hash & s->mask;

	while (s->slot[i] && s->slot[i] != hash)
		i = (i + 1) & s->mask;
	s->n += !s->slot[i];
	s->slot[i] = hash;
}

static bool grow(struct seen_keys *s, size_t want)
{
	struct seen_keys bigger = { .on = true, .max_bytes = s->max_bytes };
	size_t slots = MIN_SLOTS;

	while (slots / 4 * 3 < want)
		slots *= 2;
	if (s->slot && slots <= s->mask + 1)
		return true;
	if (slots * sizeof(*s->slot) > s->max_bytes)
		return false;
	bigger.slot = calloc(slots, sizeof(*bigger.slot));
	bigger.mask = slots - 1;
	if (!bigger.slot)
		return false;
	for (size_t i = 0; s->slot && i <= s->mask; i++)
		if (s->slot[i])
			put(&bigger, s->slot[i]);
	free(s->slot);
	*s = bigger;
	return true;
}

bool seen_none(const struct seen_keys *s, const struct batch *b)
{
	if (!s->on)
		return false;
	for (uint32_t i = 0; s->slot && i < b->n; i++)
		if (contains(s, mark(b->entry[i].hash)))
			return false;
	return true;
}

void seen_add(struct seen_keys *s, const struct batch *b)
{
	if (!s->on)
		return;
	if (!grow(s, s->n + b->n)) {
		seen_stop(s);
		return;
	}
	for (uint32_t i = 0; i < b->n; i++)
		if (b->entry[i].row != NO_INDEX)
			put(s, mark(b->entry[i].hash));
}
