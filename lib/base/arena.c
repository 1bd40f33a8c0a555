/*
 * The arena: bump allocation in blocks that are freed together.
 */
#include "base/buf.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN ((size_t)16)
#define FIRST_BLOCK ((size_t)64 << 10)
#define LAST_BLOCK ((size_t)8 << 20)

struct cdc_arena_block {
	alignas(16) struct cdc_arena_block *older;
	size_t size; /* of the whole block, this header included */
};

static char *block_data(struct cdc_arena_block *b)
{
	return (char *)(b + 1);
}

static struct cdc_arena_block *new_block(struct cdc_arena *a, size_t size)
{
	struct cdc_arena_block *b = malloc(size);

	if (!b)
		return NULL;
	b->older = NULL;
	b->size = size;
	a->total_bytes += size;
	return b;
}

/* A large allocation goes behind the head, so that what is left of the head stays in use. */
static void *alloc_large(struct cdc_arena *a, size_t n)
{
	struct cdc_arena_block *b = new_block(a, sizeof(*b) + n);

	if (!b)
		return NULL;
	if (a->head) {
		b->older = a->head->older;
		a->head->older = b;
	} else {
		a->head = b;
		a->next = a->end = block_data(b) + n;
	}
	return block_data(b);
}

static void *alloc_slow(struct cdc_arena *a, size_t n)
{
	size_t size = a->head ? a->head->size : 0;
	struct cdc_arena_block *b;
	char *p;

	size = size < FIRST_BLOCK ? FIRST_BLOCK : size * 2;
	if (size > LAST_BLOCK)
		size = LAST_BLOCK;
	if (n > SIZE_MAX - sizeof(*b))
		return NULL;
	if (n > size - sizeof(*b))
		return alloc_large(a, n);
	b = new_block(a, size);
	if (!b)
		return NULL;
	b->older = a->head;
	a->head = b;
	p = block_data(b);
	a->next = p + n;
	a->end = (char *)b + size;
	return p;
}

static void *bump(struct cdc_arena *a, size_t n)
{
	char *p = a->next;

	if (n > (size_t)(a->end - p))
		return alloc_slow(a, n);
	a->next = p + n;
	return p;
}

/* Bytes from the bump pointer to the next multiple of ALIGN. */
static size_t misalignment(const struct cdc_arena *a)
{
	return (size_t)(-(uintptr_t)a->next & (ALIGN - 1));
}

void *cdc_arena_alloc(struct cdc_arena *a, size_t n)
{
	size_t pad = misalignment(a);

	if (n == 0)
		n = 1;
	if (a->head && pad <= (size_t)(a->end - a->next))
		a->next += pad;
	else
		a->next = a->end;
	return bump(a, n);
}

void *cdc_arena_calloc(struct cdc_arena *a, size_t count, size_t size)
{
	size_t n;
	void *p;

	if (__builtin_mul_overflow(count, size, &n))
		return NULL;
	p = cdc_arena_alloc(a, n);
	if (p && n)
		memset(p, 0, n);
	return p;
}

char *cdc_arena_dup(struct cdc_arena *a, const void *p, size_t n)
{
	char *copy = bump(a, n ? n : 1);

	if (copy && n)
		memcpy(copy, p, n);
	return copy;
}

char *cdc_arena_dupz(struct cdc_arena *a, struct cdc_str s)
{
	char *copy;

	if (s.n == SIZE_MAX)
		return NULL;
	copy = bump(a, s.n + 1);
	if (!copy)
		return NULL;
	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

void cdc_arena_reset(struct cdc_arena *a)
{
	struct cdc_arena_block *keep = NULL;
	struct cdc_arena_block *b;
	struct cdc_arena_block *older;

	for (b = a->head; b; b = older) {
		older = b->older;
		/* A block of its own for one huge allocation is not worth holding on to. */
		if (b->size <= LAST_BLOCK && (!keep || b->size > keep->size)) {
			free(keep);
			keep = b;
		} else {
			free(b);
		}
	}
	*a = (struct cdc_arena)CDC_ARENA_INIT;
	if (!keep)
		return;
	keep->older = NULL;
	a->head = keep;
	a->next = block_data(keep);
	a->end = (char *)keep + keep->size;
	a->total_bytes = keep->size;
}

void cdc_arena_free(struct cdc_arena *a)
{
	struct cdc_arena_block *b;
	struct cdc_arena_block *older;

	for (b = a->head; b; b = older) {
		older = b->older;
		free(b);
	}
	*a = (struct cdc_arena)CDC_ARENA_INIT;
}
