/*
 * Framing segment: log segments of Kafka brokers, `<topic>-<partition>/<20 digits>.log`. Records of
 * transactions that were aborted, or that the file does not end, are left out, as a reader with
 * isolation level read_committed leaves them out: the batches of open transactions wait in memory
 * until their end is read.
 */
#include "source/framing/segment.h"

#include <stdlib.h>

#define PLAIN_FACTOR 4

/* A batch that waits for the end of its transaction, or behind one that does. */
struct waiting {
	struct cdc_str bytes; /* malloced */
	uint64_t offset; /* in the file */
	int64_t producer_id; /* -1: of no transaction */
	bool decided;
	bool aborted;
};

struct segment {
	struct cdc_source *s;
	struct cdc_reader *r;
	struct kafka_scratch scratch;
	struct cdc_message m;
	struct waiting *queue; /* in the order of the log */
	size_t head;
	size_t n;
	size_t cap;
	size_t bytes; /* that wait */
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

/* --- transactions ------------------------------------------------------- */

/* Print what waits no longer, in the order of the log. */
static int drain(struct segment *g, struct cdc_err *err)
{
	int rc = CDC_OK;

	while (rc == CDC_OK && g->head < g->n && g->queue[g->head].decided) {
		struct waiting *w = &g->queue[g->head++];

		if (w->aborted)
			g->s->counts.skipped++;
		else
			rc = put_batch(g, w->bytes, w->offset, err);
		g->bytes -= w->bytes.n;
		free((char *)(uintptr_t)w->bytes.p);
	}
	if (g->head == g->n)
		g->head = g->n = 0;
	return rc;
}

static int wait_for_end(struct segment *g, struct cdc_str bytes, int64_t producer_id,
			struct cdc_err *err)
{
	char *copy;

	if (g->bytes + bytes.n > g->s->record_max * PLAIN_FACTOR)
		return cdc_fail(
			err, CDC_EDATA,
			"a transaction that is open over more than %zu bytes: raise --memory",
			g->s->record_max * PLAIN_FACTOR);
	if (g->n == g->cap) {
		size_t cap = g->cap ? g->cap * 2 : 64;
		struct waiting *q = realloc(g->queue, cap * sizeof(*q));

		if (!q)
			return cdc_fail_nomem(err);
		g->queue = q;
		g->cap = cap;
	}
	copy = malloc(bytes.n);
	if (!copy)
		return cdc_fail_nomem(err);
	memcpy(copy, bytes.p, bytes.n);
	g->queue[g->n++] = (struct waiting){ cdc_str(copy, bytes.n), cdc_reader_offset(g->r),
					     producer_id, producer_id < 0, false };
	g->bytes += bytes.n;
	return CDC_OK;
}

static int end_transaction(struct segment *g, const struct kafka_batch *b, struct cdc_err *err)
{
	bool commit;

	g->s->counts.skipped++;
	if (!kafka_end_of_transaction(b, &commit))
		return CDC_OK;
	for (size_t i = g->head; i < g->n; i++) {
		if (g->queue[i].decided || g->queue[i].producer_id != b->producer_id)
			continue;
		g->queue[i].decided = true;
		g->queue[i].aborted = !commit;
	}
	return drain(g, err);
}

static int take_batch(struct segment *g, struct cdc_str bytes, struct cdc_err *err)
{
	struct kafka_batch b;
	bool transactional;
	int rc = kafka_batch_read(bytes, &b, err);

	if (rc == CDC_EDATA)
		return cdc_source_reject(g->s, cdc_reader_offset(g->r), 0, bytes, err);
	if (rc < 0)
		return rc;
	if (b.attributes & KAFKA_CONTROL)
		return end_transaction(g, &b, err);
	transactional = (b.attributes & KAFKA_TRANSACTIONAL) != 0;
	/* Detection only looks at what messages are like. */
	if (!g->s->sample && (transactional || g->head < g->n))
		return wait_for_end(g, bytes, transactional ? b.producer_id : -1, err);
	return put_batch(g, bytes, cdc_reader_offset(g->r), err);
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

static int segment_run(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err)
{
	struct segment g = { .s = s, .r = r };
	int rc = CDC_OK;

	g.scratch.plain.max = s->record_max <= SIZE_MAX / PLAIN_FACTOR
				      ? s->record_max * PLAIN_FACTOR
				      : s->record_max;
	set_place(&g);
	while (rc == CDC_OK)
		rc = next_batch(&g, err);
	/* What the file does not end is not committed; what waited behind it is not of it. */
	for (size_t i = g.head; i < g.n; i++) {
		g.queue[i].aborted = g.queue[i].aborted || !g.queue[i].decided;
		g.queue[i].decided = true;
	}
	if (rc == CDC_END)
		rc = drain(&g, err);
	while (g.head < g.n)
		free((char *)(uintptr_t)g.queue[g.head++].bytes.p);
	free(g.queue);
	kafka_scratch_free(&g.scratch);
	return rc == CDC_END ? CDC_OK : rc;
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
