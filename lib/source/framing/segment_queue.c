/*
 * See segment_queue.h. The batches of a transaction are chained, so that its end costs what it
 * holds and not what waits.
 */
#include "source/framing/segment_queue.h"

#include <stdlib.h>

/* Producers whose transactions have ended are forgotten when nothing waits, and not before there
 * are so many. */
#define PRODUCERS_KEPT 1024

static void free_bytes(struct segment_queue *q, struct segment_waiting *w)
{
	q->bytes -= w->bytes.n;
	free((char *)(uintptr_t)w->bytes.p);
	w->bytes = cdc_str(NULL, 0);
}

static struct segment_waiting *numbered(struct segment_queue *q, uint64_t number)
{
	return &q->w[number - q->base - 1];
}

/* --- producers ---------------------------------------------------------- */

static struct segment_producer *find(struct segment_queue *q, int64_t id)
{
	struct cdc_map_iter it = cdc_map_seek(&q->map, cdc_hash64_u64((uint64_t)id));
	uint32_t i;

	while (cdc_map_next(&q->map, &it, &i)) {
		if (q->producer[i].id == id)
			return &q->producer[i];
	}
	return NULL;
}

static int find_or_add(struct segment_queue *q, int64_t id, struct segment_producer **p,
		       struct cdc_err *err)
{
	int rc;

	*p = find(q, id);
	if (*p)
		return CDC_OK;
	if (q->n_producers == q->cap_producers) {
		uint32_t cap = q->cap_producers ? q->cap_producers * 2 : 16;
		struct segment_producer *grown = realloc(q->producer, cap * sizeof(*grown));

		if (!grown)
			return cdc_fail_nomem(err);
		q->producer = grown;
		q->cap_producers = cap;
	}
	rc = cdc_map_insert(&q->map, cdc_hash64_u64((uint64_t)id), q->n_producers, err);
	if (rc < 0)
		return rc;
	*p = &q->producer[q->n_producers++];
	**p = (struct segment_producer){ .id = id };
	return CDC_OK;
}

static void forget_producers(struct segment_queue *q)
{
	free(q->producer);
	q->producer = NULL;
	q->n_producers = q->cap_producers = 0;
	cdc_map_free(&q->map);
	q->map = (struct cdc_map)CDC_MAP_INIT;
}

/* --- batches ------------------------------------------------------------ */

/* Room for one more: where half is free at the front, what waits moves there. */
static int make_room(struct segment_queue *q, struct cdc_err *err)
{
	size_t cap = q->cap ? q->cap * 2 : 64;
	struct segment_waiting *grown;

	if (q->n < q->cap)
		return CDC_OK;
	if (q->head > q->cap / 2) {
		memmove(q->w, q->w + q->head, (q->n - q->head) * sizeof(*q->w));
		q->base += q->head;
		q->n -= q->head;
		q->head = 0;
		return CDC_OK;
	}
	grown = realloc(q->w, cap * sizeof(*grown));
	if (!grown)
		return cdc_fail_nomem(err);
	q->w = grown;
	q->cap = cap;
	return CDC_OK;
}

int segment_queue_add(struct segment_queue *q, struct segment_waiting w, struct cdc_err *err)
{
	struct segment_producer *p = NULL;
	uint64_t number;
	char *copy;
	int rc = make_room(q, err);

	if (rc == CDC_OK && w.producer_id >= 0)
		rc = find_or_add(q, w.producer_id, &p, err);
	if (rc < 0)
		return rc;
	copy = malloc(w.bytes.n);
	if (!copy)
		return cdc_fail_nomem(err);
	memcpy(copy, w.bytes.p, w.bytes.n);
	w.bytes.p = copy;
	w.decided = !p;
	number = q->base + q->n + 1;
	q->w[q->n++] = w;
	q->bytes += w.bytes.n + sizeof(w);
	if (!p)
		return CDC_OK;
	if (p->first)
		numbered(q, p->last)->next = number;
	else
		p->first = number;
	q->open += p->first == number;
	p->last = number;
	return CDC_OK;
}

static void decide(struct segment_queue *q, struct segment_producer *p, bool commit)
{
	for (uint64_t i = p->first; i;) {
		struct segment_waiting *w = numbered(q, i);

		w->decided = true;
		w->aborted = !commit;
		if (w->aborted)
			free_bytes(q, w);
		i = w->next;
	}
	q->open -= p->first != 0;
	p->first = p->last = 0;
}

void segment_queue_decide(struct segment_queue *q, int64_t producer_id, bool commit)
{
	struct segment_producer *p = find(q, producer_id);

	if (p)
		decide(q, p, commit);
}

void segment_queue_abort_all(struct segment_queue *q)
{
	for (uint32_t i = 0; i < q->n_producers; i++)
		decide(q, &q->producer[i], false);
}

bool segment_queue_take(struct segment_queue *q, struct segment_waiting *w)
{
	if (segment_queue_is_empty(q) || !q->w[q->head].decided)
		return false;
	*w = q->w[q->head++];
	q->bytes -= w->bytes.n + sizeof(*w);
	if (!segment_queue_is_empty(q))
		return true;
	q->base += q->n;
	q->head = q->n = 0;
	if (q->n_producers > PRODUCERS_KEPT)
		forget_producers(q);
	return true;
}

void segment_queue_free(struct segment_queue *q)
{
	for (size_t i = q->head; i < q->n; i++)
		free_bytes(q, &q->w[i]);
	free(q->w);
	forget_producers(q);
	*q = (struct segment_queue){ .w = NULL };
}
