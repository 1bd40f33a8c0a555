/* A set of 64-bit numbers that mostly follow each other. See idset.h. */
#include "base/idset.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BITS 9

struct cdc_idset_chunk {
	uint64_t stretch; /* number >> CHUNK_BITS */
	uint64_t bits[(1u << CHUNK_BITS) / 64];
};

static int grow(struct cdc_idset *s, struct cdc_err *err)
{
	size_t cap = s->cap ? s->cap * 2 : 16;
	struct cdc_idset_chunk *grown;

	if (s->n < s->cap)
		return CDC_OK;
	if (s->n >= CDC_MAP_EMPTY)
		return cdc_fail_nomem(err);
	grown = reallocarray(s->chunk, cap, sizeof(*grown));
	if (!grown)
		return cdc_fail_nomem(err);
	s->chunk = grown;
	s->cap = cap;
	return CDC_OK;
}

static int find(struct cdc_idset *s, uint64_t stretch, size_t *at, struct cdc_err *err)
{
	uint64_t hash = cdc_hash64_u64(stretch);
	struct cdc_map_iter it = cdc_map_seek(&s->map, hash);
	uint32_t i;
	int rc;

	while (cdc_map_next(&s->map, &it, &i)) {
		if (s->chunk[i].stretch == stretch) {
			*at = i;
			return CDC_OK;
		}
	}
	rc = grow(s, err);
	if (rc == CDC_OK)
		rc = cdc_map_insert(&s->map, hash, (uint32_t)s->n, err);
	if (rc < 0)
		return rc;
	memset(&s->chunk[s->n], 0, sizeof(s->chunk[s->n]));
	s->chunk[s->n].stretch = stretch;
	*at = s->n++;
	return CDC_OK;
}

int cdc_idset_add(struct cdc_idset *s, int64_t id, bool *was, struct cdc_err *err)
{
	uint64_t stretch = (uint64_t)id >> CHUNK_BITS;
	uint64_t bit = (uint64_t)id & ((1u << CHUNK_BITS) - 1);
	uint64_t *word;

	if (s->n == 0 || s->chunk[s->last].stretch != stretch) {
		int rc = find(s, stretch, &s->last, err);

		if (rc < 0)
			return rc;
	}
	word = &s->chunk[s->last].bits[bit / 64];
	*was = *word >> bit % 64 & 1;
	*word |= (uint64_t)1 << bit % 64;
	s->count += *was ? 0 : 1;
	return CDC_OK;
}

size_t cdc_idset_bytes(const struct cdc_idset *s)
{
	return s->cap * sizeof(*s->chunk) + cdc_map_bytes(&s->map);
}

void cdc_idset_free(struct cdc_idset *s)
{
	free(s->chunk);
	cdc_map_free(&s->map);
	*s = (struct cdc_idset)CDC_IDSET_INIT;
}
