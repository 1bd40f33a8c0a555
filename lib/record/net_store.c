/*
 * Memory of the window: the bump store of lines and keys, and vectors that grow.
 */
#include "record/net_impl.h"

#include <stdlib.h>

#define FIRST_BLOCK ((size_t)64 << 10)
#define LAST_BLOCK ((size_t)8 << 20)

struct net_block {
	struct net_block *older;
	size_t size; /* of data */
	size_t used;
	char data[];
};

void *net_grown(void *old, uint32_t *cap, uint64_t need, size_t size)
{
	uint64_t n = *cap + (uint64_t)*cap / 2;
	void *p;

	if (old && need <= *cap)
		return old;
	if (n < 16)
		n = 16;
	if (n < need)
		n = need;
	if (n >= NET_NONE)
		n = NET_NONE - 1;
	if (n < need)
		return NULL;
	p = reallocarray(old, (size_t)n, size);
	if (p)
		*cap = (uint32_t)n;
	return p;
}

char *net_store_alloc(struct net_store *s, size_t n)
{
	struct net_block *b = s->head;
	char *p;

	if (!b || n > b->size - b->used) {
		size_t size = b ? b->size * 2 : FIRST_BLOCK;

		if (size > LAST_BLOCK)
			size = LAST_BLOCK;
		if (size < n)
			size = n;
		if (size > SIZE_MAX - sizeof(*b))
			return NULL;
		b = malloc(sizeof(*b) + size);
		if (!b)
			return NULL;
		b->older = s->head;
		b->size = size;
		b->used = 0;
		s->head = b;
	}
	p = b->data + b->used;
	b->used += n;
	s->used_bytes += n;
	return p;
}

void net_store_reset(struct net_store *s)
{
	struct net_block *keep = NULL;
	struct net_block *older;

	for (struct net_block *b = s->head; b; b = older) {
		older = b->older;
		if (b->size <= LAST_BLOCK && (!keep || b->size > keep->size)) {
			free(keep);
			keep = b;
		} else {
			free(b);
		}
	}
	s->head = keep;
	s->used_bytes = 0;
	if (keep) {
		keep->older = NULL;
		keep->used = 0;
	}
}

void net_store_free(struct net_store *s)
{
	net_store_reset(s);
	free(s->head);
	s->head = NULL;
}
