/*
 * Framing segment: log segments of Kafka brokers, `<topic>-<partition>/<20 digits>.log`. Records of
 * transactions that were aborted are left out, as a reader with isolation level read_committed
 * leaves them out: the batches of open transactions wait in memory until their end is read, which
 * may stand in the partition's next segment.
 *
 * What never ends must not be passed over by a position: the next run would take it for seen. So
 * nothing is printed of a partition from the first such record on, as Kafka itself has it (the
 * last stable offset).
 */
#include "source/framing/segment.h"
#include "source/framing/segment_queue.h"

#include <stdlib.h>

#define PLAIN_FACTOR 4

/* A partition that is read no further: what waited there was left out. */
struct stop {
	struct cdc_str topic;
	int32_t partition;
	int64_t offset;
};

/* What goes on from one segment to the next. */
struct cdc_segments {
	struct segment_queue queue;
	struct cdc_arena origins; /* of what waits */
	struct cdc_arena names; /* of topics, for the whole run */
	struct cdc_str topic; /* of what waits */
	int32_t partition;
	int64_t last_offset; /* that was read of it */
	struct stop *stop;
	size_t n_stops;
	size_t cap_stops;
	uint64_t left_open; /* transactions that were left out */
};

struct segment {
	struct cdc_source *s;
	struct cdc_reader *r;
	struct kafka_scratch scratch;
	struct cdc_message m;
	struct cdc_segments *log; /* NULL in detection, which only looks at messages */
	const struct segment_origin *origin; /* NULL: nothing of this segment has waited */
	bool begun; /* a batch was read */
	uint64_t stop_at; /* nothing is read from this offset on */
};

/* The directory's name tells it, or the options. The file's own offset is that of each batch. */
static void set_place(struct segment *g)
{
	const struct cdc_source *s = g->s;

	g->m.file = s->file;
	g->m.topic = s->opt.topic ? cdc_str_z(s->opt.topic) : CDC_STR("");
	g->m.partition = s->opt.partition;
	if (s->place.known) {
		g->m.topic = s->place.topic;
		g->m.partition = s->place.partition;
	}
}

/* --- messages ----------------------------------------------------------- */

static int each(void *ctx, const struct cdc_message *record, struct cdc_err *err)
{
	struct segment *g = ctx;
	struct cdc_message m = *record;

	/* An offset without its topic is none. */
	m.has_kafka = g->m.topic.n > 0;
	m.index = g->m.index++;
	return cdc_source_message(g->s, &m, err);
}

static int put_batch(struct segment *g, struct cdc_str bytes, uint64_t offset, struct cdc_err *err)
{
	struct kafka_batch b;
	int rc = kafka_batch_read(bytes, &b, err);

	g->m.offset = offset;
	if (rc == CDC_OK)
		rc = kafka_batch_records(&b, &g->scratch, &g->m, each, g, err);
	if (rc == CDC_EDATA && g->s->fatal == CDC_OK)
		rc = cdc_source_reject(g->s, offset, 0, bytes, err);
	return rc;
}

/* --- from one segment to the next --------------------------------------- */

static struct cdc_segments *open_log(struct cdc_source *s, struct cdc_err *err)
{
	if (!s->segments)
		s->segments = calloc(1, sizeof(*s->segments));
	if (!s->segments)
		(void)cdc_fail_nomem(err);
	return s->segments;
}

void cdc_segments_free(struct cdc_segments *log)
{
	if (!log)
		return;
	segment_queue_free(&log->queue);
	cdc_arena_free(&log->origins);
	cdc_arena_free(&log->names);
	free(log->stop);
	free(log);
}

/* What waits will not be decided in this run: it is left out, and so is what follows. */
static int stop_here(struct cdc_segments *log, struct cdc_err *err)
{
	struct segment_queue *q = &log->queue;

	if (log->n_stops == log->cap_stops) {
		size_t cap = log->cap_stops ? log->cap_stops * 2 : 16;
		struct stop *grown = realloc(log->stop, cap * sizeof(*grown));

		if (!grown)
			return cdc_fail_nomem(err);
		log->stop = grown;
		log->cap_stops = cap;
	}
	log->stop[log->n_stops++] =
		(struct stop){ log->topic, log->partition, q->w[q->head].base_offset };
	log->left_open += q->open;
	segment_queue_free(q);
	cdc_arena_reset(&log->origins);
	return CDC_OK;
}

static bool is_of(const struct segment *g, struct cdc_str topic, int32_t partition)
{
	return g->m.partition == partition && cdc_str_eq(g->m.topic, topic);
}

/* At a segment's first batch: what waits goes on here, or is left out. */
static int begin(struct segment *g, const struct kafka_batch *b, struct cdc_err *err)
{
	struct cdc_segments *log = g->log;
	int rc = CDC_OK;

	g->begun = true;
	if (!segment_queue_is_empty(&log->queue) &&
	    (!is_of(g, log->topic, log->partition) || b->base_offset <= log->last_offset))
		rc = stop_here(log, err);
	for (size_t i = 0; i < log->n_stops; i++) {
		const struct stop *p = &log->stop[i];

		if (is_of(g, p->topic, p->partition) && (uint64_t)p->offset < g->stop_at)
			g->stop_at = (uint64_t)p->offset;
	}
	return rc;
}

/* The first of this segment's batches that waits. */
static int set_origin(struct segment *g, struct cdc_err *err)
{
	struct cdc_segments *log = g->log;
	struct segment_origin *o = cdc_arena_alloc(&log->origins, sizeof(*o));
	char *topic = cdc_arena_dup(&log->names, g->m.topic.p, g->m.topic.n);

	if (!o || !topic)
		return cdc_fail_nomem(err);
	*o = (struct segment_origin){ .format = g->s->format, .format_ctx = g->s->format_ctx };
	memcpy(o->file, g->s->file, sizeof(o->file));
	g->origin = o;
	log->topic = cdc_str(topic, g->m.topic.n);
	log->partition = g->m.partition;
	return CDC_OK;
}

/* --- transactions ------------------------------------------------------- */

/* A batch that waited is read as if its own segment were still the input. */
static int put_waiting(struct segment *g, const struct segment_waiting *w, struct cdc_err *err)
{
	struct cdc_source *s = g->s;
	struct segment_origin now = { .format = s->format, .format_ctx = s->format_ctx };
	int rc;

	memcpy(now.file, s->file, sizeof(now.file));
	memcpy(s->file, w->origin->file, sizeof(s->file));
	s->format = w->origin->format;
	s->format_ctx = w->origin->format_ctx;
	rc = put_batch(g, w->bytes, w->offset, err);
	if (rc == CDC_OK && s->format != now.format && s->format->flush)
		rc = s->format->flush(s->format_ctx, err);
	memcpy(s->file, now.file, sizeof(s->file));
	s->format = now.format;
	s->format_ctx = now.format_ctx;
	return rc;
}

/* Print what waits no longer, in the order of the log. */
static int drain(struct segment *g, struct cdc_err *err)
{
	struct segment_waiting w;
	int rc = CDC_OK;

	while (rc == CDC_OK && segment_queue_take(&g->log->queue, &w)) {
		if (w.aborted)
			g->s->counts.skipped++;
		else
			rc = put_waiting(g, &w, err);
		free((char *)(uintptr_t)w.bytes.p);
	}
	return rc;
}

static bool is_transactional(const struct kafka_batch *b)
{
	return b->attributes & KAFKA_TRANSACTIONAL && b->producer_id >= 0;
}

static int wait_for_end(struct segment *g, struct cdc_str bytes, const struct kafka_batch *b,
			struct cdc_err *err)
{
	size_t max = g->s->record_max * PLAIN_FACTOR;
	int rc = g->origin ? CDC_OK : set_origin(g, err);

	if (rc < 0)
		return rc;
	if (g->log->queue.bytes + bytes.n > max)
		return cdc_fail(
			err, CDC_EDATA,
			"a transaction that is open over more than %zu bytes: raise --memory", max);
	return segment_queue_add(&g->log->queue,
				 (struct segment_waiting){
					 .bytes = bytes,
					 .offset = cdc_reader_offset(g->r),
					 .base_offset = b->base_offset,
					 .producer_id = is_transactional(b) ? b->producer_id : -1,
					 .origin = g->origin,
				 },
				 err);
}

static int end_transaction(struct segment *g, const struct kafka_batch *b, struct cdc_err *err)
{
	bool commit;

	g->s->counts.skipped++;
	if (!g->log || !kafka_end_of_transaction(b, &commit))
		return CDC_OK;
	segment_queue_decide(&g->log->queue, b->producer_id, commit);
	return drain(g, err);
}

static int take_good(struct segment *g, struct cdc_str bytes, const struct kafka_batch *b,
		     struct cdc_err *err)
{
	int rc = g->log && !g->begun ? begin(g, b, err) : CDC_OK;

	if (rc < 0)
		return rc;
	if ((uint64_t)b->base_offset >= g->stop_at) {
		g->s->counts.skipped++;
		return CDC_OK;
	}
	if (g->log)
		g->log->last_offset = b->last_offset;
	if (b->attributes & KAFKA_CONTROL)
		return end_transaction(g, b, err);
	if (g->log && (is_transactional(b) || !segment_queue_is_empty(&g->log->queue)))
		return wait_for_end(g, bytes, b, err);
	return put_batch(g, bytes, cdc_reader_offset(g->r), err);
}

static int take_batch(struct segment *g, struct cdc_str bytes, struct cdc_err *err)
{
	struct kafka_batch b;
	int rc = kafka_batch_read(bytes, &b, err);

	if (rc == CDC_EDATA)
		return cdc_source_reject(g->s, cdc_reader_offset(g->r), 0, bytes, err);
	return rc < 0 ? rc : take_good(g, bytes, &b, err);
}

/* --- the file ----------------------------------------------------------- */

/* The log ends inside a batch: a broker that died wrote it so. What is there was never promised. */
static int torn(struct segment *g, struct cdc_str rest, struct cdc_err *err)
{
	cdc_fail(err, CDC_EDATA, "the segment ends inside a batch");
	return cdc_source_reject(g->s, cdc_reader_offset(g->r), 0, rest, err) < 0 ? err->code
										  : CDC_END;
}

static int next_batch(struct segment *g, struct cdc_err *err)
{
	struct cdc_str head;
	uint64_t n;
	bool ok;
	int rc = cdc_source_peek(g->s, g->r, KAFKA_LEAD_BYTES + 6, &head, err);

	if (rc < 0 || head.n == 0)
		return rc < 0 ? rc : CDC_END;
	if (head.n < KAFKA_LEAD_BYTES + 6)
		return torn(g, head, err);
	n = kafka_batch_bytes(head, &ok);
	/* Room that the broker had laid out in advance. */
	if (ok && n == 0)
		return CDC_END;
	if (!ok || n > g->s->record_max + 64) {
		cdc_fail(err, CDC_EDATA,
			 ok ? "a batch is longer than --memory allows"
			    : "not a Kafka log segment from here on");
		cdc_err_offset(err, cdc_reader_offset(g->r));
		return CDC_EDATA;
	}
	rc = cdc_source_peek(g->s, g->r, n, &head, err);
	if (rc < 0)
		return rc;
	if (head.n < n)
		return torn(g, head, err);
	rc = take_batch(g, cdc_str(head.p, n), err);
	if (rc == CDC_OK)
		cdc_reader_skip(g->r, n);
	return rc;
}

/* Where nothing tells the partition, no segment goes on here and no position is promised: what is
 * not ended is left out, and what waited behind it is not of it. */
static int end_segment(struct segment *g, struct cdc_err *err)
{
	struct cdc_segments *log = g->log;
	int rc = CDC_OK;

	if (!log)
		return CDC_OK;
	if (g->m.topic.n == 0) {
		log->left_open += log->queue.open;
		segment_queue_abort_all(&log->queue);
		rc = drain(g, err);
	}
	if (segment_queue_is_empty(&log->queue))
		cdc_arena_reset(&log->origins);
	g->s->counts.open = log->left_open + log->queue.open;
	return rc;
}

static int segment_run(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err)
{
	struct segment g = { .s = s, .r = r, .stop_at = UINT64_MAX };
	int rc = CDC_OK;

	if (!s->sample)
		g.log = open_log(s, err);
	if (!s->sample && !g.log)
		return CDC_ENOMEM;
	g.scratch.plain.max = s->record_max <= SIZE_MAX / PLAIN_FACTOR
				      ? s->record_max * PLAIN_FACTOR
				      : s->record_max;
	set_place(&g);
	while (rc == CDC_OK)
		rc = next_batch(&g, err);
	if (rc == CDC_END)
		rc = end_segment(&g, err);
	kafka_scratch_free(&g.scratch);
	return rc;
}

/* The first batch is one: a format that is known, a length that can be, and the right checksum if
 * the batch is all there. */
static bool segment_maybe(struct cdc_str head, bool eof)
{
	struct cdc_err ignored = CDC_ERR_INIT;
	struct kafka_batch b;
	uint64_t n;
	bool ok;

	if (head.n < KAFKA_LEAD_BYTES + 6)
		return false;
	n = kafka_batch_bytes(head, &ok);
	if (!ok || n == 0 || (unsigned char)head.p[16] > 2 || (eof && n > head.n))
		return false;
	return n > head.n || kafka_batch_read(cdc_str(head.p, n), &b, &ignored) == CDC_OK;
}

const struct cdc_framing cdc_framing_segment = {
	.name = "segment",
	.run = segment_run,
	.maybe = segment_maybe,
};
