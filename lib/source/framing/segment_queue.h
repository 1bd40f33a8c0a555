/*
 * The batches of a partition's log that wait: those of transactions that have not ended, and those
 * that come behind them. They leave in the order of the log.
 */
#ifndef CDC_SOURCE_SEGMENT_QUEUE_H
#define CDC_SOURCE_SEGMENT_QUEUE_H

#include "base/hash.h"
#include "source/source_int.h"

/* The segment that a batch is from, and how its messages are read. */
struct segment_origin {
	char file[256];
	const struct cdc_format *format;
	void *format_ctx;
};

struct segment_waiting {
	struct cdc_str bytes; /* malloced; NULL when it was aborted */
	uint64_t offset; /* in the file */
	int64_t base_offset;
	int64_t producer_id; /* -1: of no transaction */
	const struct segment_origin *origin;
	uint64_t next; /* number of the transaction's next batch, 0: none */
	bool decided;
	bool aborted;
};

/* A producer's open transaction: numbers of its batches, 0 when it has none. */
struct segment_producer {
	int64_t id;
	uint64_t first;
	uint64_t last;
};

struct segment_queue {
	struct segment_waiting *w;
	size_t head;
	size_t n;
	size_t cap;
	uint64_t base; /* w[i] has the number base + i + 1 */
	size_t bytes; /* of memory, by all that waits */
	size_t open; /* transactions that have not ended */
	struct segment_producer *producer;
	uint32_t n_producers;
	uint32_t cap_producers;
	struct cdc_map map; /* id -> producer */
};

static inline bool segment_queue_is_empty(const struct segment_queue *q)
{
	return q->head == q->n;
}

/* Append a batch, whose bytes are copied; one of no transaction only waits for those before it. */
int segment_queue_add(struct segment_queue *q, struct segment_waiting w,
		      struct cdc_err *err) CDC_NODISCARD;
/* The producer's transaction ends here. */
void segment_queue_decide(struct segment_queue *q, int64_t producer_id, bool commit);
/* None of the open transactions will end. */
void segment_queue_abort_all(struct segment_queue *q);
/* Take the first batch out if it waits no longer. The caller frees its bytes. */
bool segment_queue_take(struct segment_queue *q, struct segment_waiting *w);
void segment_queue_free(struct segment_queue *q);

#endif
