/* Which of many texts come most often. See topk.h. */
#include "base/topk.h"

#include <stdlib.h>
#include <string.h>

int cdc_topk_init(struct cdc_topk *t, uint32_t max, struct cdc_err *err)
{
	uint32_t slots = 4;

	while (slots < 2 * max)
		slots *= 2;
	*t = (struct cdc_topk){ .max = max, .mask = slots - 1 };
	t->entry = calloc(max, sizeof(*t->entry));
	t->slot = calloc(slots, sizeof(*t->slot));
	if (t->entry && t->slot)
		return CDC_OK;
	cdc_topk_free(t);
	return cdc_fail_nomem(err);
}

void cdc_topk_free(struct cdc_topk *t)
{
	for (uint32_t i = 0; t->entry && i < t->max; i++)
		cdc_buf_free(&t->entry[i].text);
	free(t->entry);
	free(t->slot);
	*t = (struct cdc_topk){ 0 };
}

/* --- the table of hashes ------------------------------------------------ */

/* Where this hash is, or the free slot where it would go. */
static uint32_t find(const struct cdc_topk *t, struct cdc_hash128 h)
{
	uint32_t s = (uint32_t)h.lo & t->mask;

	while (t->slot[s]) {
		const struct cdc_topk_entry *e = &t->entry[t->slot[s] - 1];

		if (e->hash.lo == h.lo && e->hash.hi == h.hi)
			break;
		s = (s + 1) & t->mask;
	}
	return s;
}

static void place(struct cdc_topk *t, uint32_t slot, uint32_t i)
{
	t->slot[slot] = i + 1;
	t->entry[i].slot = slot;
}

/* Free a slot, and move into it what could not go there before. */
static void vacate(struct cdc_topk *t, uint32_t hole)
{
	uint32_t s = hole;

	for (;;) {
		uint32_t home;

		s = (s + 1) & t->mask;
		if (!t->slot[s])
			break;
		home = (uint32_t)t->entry[t->slot[s] - 1].hash.lo & t->mask;
		if (((s - home) & t->mask) < ((s - hole) & t->mask))
			continue;
		place(t, hole, t->slot[s] - 1);
		hole = s;
	}
	t->slot[hole] = 0;
}

/* --- the heap ----------------------------------------------------------- */

static void swap(struct cdc_topk *t, uint32_t a, uint32_t b)
{
	struct cdc_topk_entry e = t->entry[a];

	t->entry[a] = t->entry[b];
	t->entry[b] = e;
	t->slot[t->entry[a].slot] = a + 1;
	t->slot[t->entry[b].slot] = b + 1;
}

static void sift_down(struct cdc_topk *t, uint32_t i)
{
	for (;;) {
		uint32_t least = i;

		for (uint32_t c = 2 * i + 1; c <= 2 * i + 2 && c < t->n; c++) {
			if (t->entry[c].count < t->entry[least].count)
				least = c;
		}
		if (least == i)
			return;
		swap(t, i, least);
		i = least;
	}
}

static void sift_up(struct cdc_topk *t, uint32_t i)
{
	while (i && t->entry[(i - 1) / 2].count > t->entry[i].count) {
		swap(t, i, (i - 1) / 2);
		i = (i - 1) / 2;
	}
}

/* A new text takes over the counter that counts least; its count goes on from there. */
int cdc_topk_add(struct cdc_topk *t, struct cdc_str text, struct cdc_err *err)
{
	struct cdc_hash128 h = cdc_hash128(text.p, text.n);
	uint32_t slot = find(t, h);
	struct cdc_topk_entry *e;
	uint32_t i = t->n < t->max ? t->n : 0;
	int rc;

	if (t->slot[slot]) {
		i = t->slot[slot] - 1;
		t->entry[i].count++;
		sift_down(t, i);
		return CDC_OK;
	}
	e = &t->entry[i];
	cdc_buf_reset(&e->text);
	rc = cdc_buf_put(&e->text, text, err);
	if (rc < 0)
		return rc;
	if (t->n == t->max) {
		e->over = e->count;
		vacate(t, e->slot);
		slot = find(t, h);
	} else {
		t->n++;
	}
	e->hash = h;
	e->count++;
	place(t, slot, i);
	sift_down(t, i);
	sift_up(t, i);
	return CDC_OK;
}

static int by_count(const void *a, const void *b)
{
	const struct cdc_topk_entry *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return cdc_str_cmp(cdc_buf_str(&x->text), cdc_buf_str(&y->text));
}

void cdc_topk_sort(struct cdc_topk *t)
{
	if (t->n)
		qsort(t->entry, t->n, sizeof(*t->entry), by_count);
}
