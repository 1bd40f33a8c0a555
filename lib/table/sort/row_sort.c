/*
 * An external merge sort. See row_sort.h.
 *
 * A record is two lengths, the key and the payload. In memory they are sorted through entries that
 * hold the key's first 8 bytes, so that most comparisons touch no record. Runs are read back each
 * through a buffer of its own; when there are more runs than buffers, the first of them are merged
 * to a new one.
 */
#include "table/sort/row_sort.h"

#include "base/endian.h"
#include "io/stream.h"

#include <stdlib.h>

#define BUFFER_LEAST ((size_t)64 << 10)
#define BUFFER_MOST ((size_t)1 << 20)
#define FAN_LEAST 8u

struct header {
	uint32_t key;
	uint32_t payload;
};

struct entry {
	uint64_t prefix; /* of the key, big-endian, zeros behind a shorter one */
	const char *record;
};

struct run {
	uint64_t offset;
	uint64_t len;
};

/* A run that is read. */
struct reader {
	uint64_t at; /* in the file, of what is not in the buffer */
	uint64_t left;
	char *buf;
	size_t cap;
	size_t pos; /* of the record at hand */
	size_t end;
	uint64_t prefix;
};

struct cdc_sorter {
	const struct cdc_io *io;
	const char *tmpdir;
	uint64_t memory;
	struct cdc_arena arena;
	struct entry *entry;
	size_t n;
	size_t cap;
	bool sorted; /* records are read: from memory, or merged */
	size_t next; /* entry, when all are in memory */
	/* spilled */
	int fd; /* -1: nothing was */
	struct cdc_writer out;
	struct run *run;
	size_t num_runs;
	size_t cap_runs;
	uint64_t runs_written;
	/* merged */
	struct reader *reader;
	size_t num_readers;
	size_t *heap;
	size_t num_heap;
	bool moved; /* the first of the heap was given out */
};

int cdc_sorter_new(struct cdc_sorter **out, const struct cdc_io *io, const char *tmpdir,
		   uint64_t memory_bytes, struct cdc_err *err)
{
	struct cdc_sorter *s = calloc(1, sizeof(*s));

	*out = s;
	if (!s)
		return cdc_fail_nomem(err);
	s->io = io;
	s->tmpdir = tmpdir;
	s->memory = memory_bytes < CDC_SORT_LEAST ? CDC_SORT_LEAST : memory_bytes;
	s->fd = -1;
	return CDC_OK;
}

static void close_readers(struct cdc_sorter *s)
{
	for (size_t i = 0; i < s->num_readers; i++)
		free(s->reader[i].buf);
	free(s->reader);
	free(s->heap);
	s->reader = NULL;
	s->heap = NULL;
	s->num_readers = 0;
	s->num_heap = 0;
	s->moved = false;
}

void cdc_sorter_free(struct cdc_sorter *s)
{
	if (!s)
		return;
	close_readers(s);
	if (s->fd >= 0) {
		cdc_writer_free(&s->out);
		s->io->close(s->io->ctx, s->fd);
	}
	cdc_arena_free(&s->arena);
	free(s->entry);
	free(s->run);
	free(s);
}

uint64_t cdc_sorter_runs(const struct cdc_sorter *s)
{
	return s->runs_written;
}

/* ------------------------------------------------------------------ records */

static struct cdc_str key_of(const char *record)
{
	struct header h;

	memcpy(&h, record, sizeof(h));
	return cdc_str(record + sizeof(h), h.key);
}

static size_t record_bytes(const char *record)
{
	struct header h;

	memcpy(&h, record, sizeof(h));
	return sizeof(h) + h.key + h.payload;
}

static uint64_t prefix_of(struct cdc_str key)
{
	char bytes[8] = { 0 };

	memcpy(bytes, key.p, key.n < 8 ? key.n : 8);
	return cdc_be64(bytes);
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return cdc_str_cmp(key_of(x->record), key_of(y->record));
}

static void give(const char *record, struct cdc_str *key, struct cdc_str *payload)
{
	struct header h;

	memcpy(&h, record, sizeof(h));
	*key = cdc_str(record + sizeof(h), h.key);
	*payload = cdc_str(record + sizeof(h) + h.key, h.payload);
}

/* ------------------------------------------------------------------ runs */

static int new_run(struct cdc_sorter *s, struct cdc_err *err)
{
	int rc;

	if (s->fd < 0) {
		rc = cdc_io_open_temp(s->io, s->tmpdir, &s->fd, err);
		if (rc)
			return rc;
		rc = cdc_writer_init(&s->out, s->io, s->fd, err);
		if (rc) {
			s->io->close(s->io->ctx, s->fd);
			s->fd = -1;
			return rc;
		}
	}
	if (s->num_runs == s->cap_runs) {
		size_t cap = s->cap_runs ? s->cap_runs * 2 : 16;
		void *grown = reallocarray(s->run, cap, sizeof(*s->run));

		if (!grown)
			return cdc_fail_nomem(err);
		s->run = grown;
		s->cap_runs = cap;
	}
	s->run[s->num_runs++] = (struct run){ cdc_writer_offset(&s->out), 0 };
	s->runs_written++;
	return CDC_OK;
}

static int put_record(struct cdc_sorter *s, const char *record, struct cdc_err *err)
{
	size_t n = record_bytes(record);

	s->run[s->num_runs - 1].len += n;
	return cdc_writer_put(&s->out, record, n, err);
}

static void sort_entries(struct cdc_sorter *s)
{
	if (s->n)
		qsort(s->entry, s->n, sizeof(*s->entry), compare);
}

static int spill(struct cdc_sorter *s, struct cdc_err *err)
{
	int rc = new_run(s, err);

	sort_entries(s);
	for (size_t i = 0; !rc && i < s->n; i++)
		rc = put_record(s, s->entry[i].record, err);
	s->n = 0;
	cdc_arena_free(&s->arena);
	return rc;
}

static int grow_entries(struct cdc_sorter *s, struct cdc_err *err)
{
	size_t cap = s->cap ? s->cap * 2 : 4096;
	void *grown = reallocarray(s->entry, cap, sizeof(*s->entry));

	if (!grown)
		return cdc_fail_nomem(err);
	s->entry = grown;
	s->cap = cap;
	return CDC_OK;
}

int cdc_sorter_add(struct cdc_sorter *s, struct cdc_str key, struct cdc_str payload,
		   struct cdc_err *err)
{
	struct header h = { (uint32_t)key.n, (uint32_t)payload.n };
	size_t entries = s->n < s->cap ? s->cap : 2 * s->cap;
	char *record;
	int rc = CDC_OK;

	if (key.n > UINT32_MAX || payload.n > UINT32_MAX)
		return cdc_fail(err, CDC_ENOMEM, "a row of over 4 GiB");
	if (s->n &&
	    s->arena.total_bytes + entries * sizeof(*s->entry) + key.n + payload.n > s->memory)
		rc = spill(s, err);
	if (!rc && s->n == s->cap)
		rc = grow_entries(s, err);
	if (rc)
		return rc;
	record = cdc_arena_alloc(&s->arena, sizeof(h) + key.n + payload.n);
	if (!record)
		return cdc_fail_nomem(err);
	memcpy(record, &h, sizeof(h));
	if (key.n)
		memcpy(record + sizeof(h), key.p, key.n);
	if (payload.n)
		memcpy(record + sizeof(h) + key.n, payload.p, payload.n);
	s->entry[s->n++] = (struct entry){ prefix_of(key), record };
	return CDC_OK;
}

/* ------------------------------------------------------------------ merging */

/* Have n bytes at the position; the run has them. */
static int need(struct cdc_sorter *s, struct reader *r, size_t n, struct cdc_err *err)
{
	size_t have = r->end - r->pos;
	size_t want;
	int rc;

	if (have >= n)
		return CDC_OK;
	if (have && r->pos)
		memmove(r->buf, r->buf + r->pos, have);
	r->pos = 0;
	r->end = have;
	if (n > r->cap) {
		char *grown = realloc(r->buf, n);

		if (!grown)
			return cdc_fail_nomem(err);
		r->buf = grown;
		r->cap = n;
	}
	want = r->cap - have < r->left ? r->cap - have : (size_t)r->left;
	if (want < n - have)
		return cdc_fail(err, CDC_EINTERNAL, "a spilled row is cut short");
	rc = cdc_io_pread_full(s->io, s->fd, r->buf + have, want, r->at, "temporary file", err);
	/* Not the user's file: that it is short is the environment's fault. */
	if (rc == CDC_ECORRUPT)
		rc = err->code = CDC_EIO;
	r->end += want;
	r->at += want;
	r->left -= want;
	return rc;
}

/* The record at the position, whole in the buffer. CDC_END: there is none. */
static int settle(struct cdc_sorter *s, struct reader *r, struct cdc_err *err)
{
	int rc;

	if (r->pos == r->end && !r->left)
		return CDC_END;
	rc = need(s, r, sizeof(struct header), err);
	if (!rc)
		rc = need(s, r, record_bytes(r->buf + r->pos), err);
	if (!rc)
		r->prefix = prefix_of(key_of(r->buf + r->pos));
	return rc;
}

static bool less(const struct cdc_sorter *s, size_t a, size_t b)
{
	const struct reader *x = &s->reader[a], *y = &s->reader[b];

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix;
	return cdc_str_cmp(key_of(x->buf + x->pos), key_of(y->buf + y->pos)) < 0;
}

static void sift_down(struct cdc_sorter *s, size_t i)
{
	for (;;) {
		size_t c = 2 * i + 1;
		size_t t;

		if (c >= s->num_heap)
			return;
		if (c + 1 < s->num_heap && less(s, s->heap[c + 1], s->heap[c]))
			c++;
		if (!less(s, s->heap[c], s->heap[i]))
			return;
		t = s->heap[i];
		s->heap[i] = s->heap[c];
		s->heap[c] = t;
		i = c;
	}
}

/* The first n runs, each with a buffer. */
static int open_readers(struct cdc_sorter *s, size_t n, struct cdc_err *err)
{
	size_t cap = (size_t)(s->memory / n);
	int rc = cdc_writer_flush(&s->out, err);

	cap = cap < BUFFER_LEAST ? BUFFER_LEAST : cap > BUFFER_MOST ? BUFFER_MOST : cap;
	s->reader = calloc(n, sizeof(*s->reader));
	s->heap = calloc(n, sizeof(*s->heap));
	if (!rc && (!s->reader || !s->heap))
		rc = cdc_fail_nomem(err);
	for (size_t i = 0; !rc && i < n; i++) {
		struct reader *r = &s->reader[i];

		*r = (struct reader){ .at = s->run[i].offset, .left = s->run[i].len, .cap = cap };
		r->buf = malloc(cap);
		s->num_readers++;
		rc = r->buf ? settle(s, r, err) : cdc_fail_nomem(err);
		if (rc == CDC_OK)
			s->heap[s->num_heap++] = i;
		rc = rc == CDC_END ? CDC_OK : rc;
	}
	for (size_t i = s->num_heap / 2; !rc && i > 0; i--)
		sift_down(s, i - 1);
	return rc;
}

/* The least record of all readers, until the next call. */
static int merge_next(struct cdc_sorter *s, const char **record, struct cdc_err *err)
{
	struct reader *r;

	if (s->moved && s->num_heap) {
		int rc;

		r = &s->reader[s->heap[0]];
		r->pos += record_bytes(r->buf + r->pos);
		rc = settle(s, r, err);
		if (rc < 0)
			return rc;
		if (rc == CDC_END)
			s->heap[0] = s->heap[--s->num_heap];
		sift_down(s, 0);
	}
	s->moved = true;
	if (!s->num_heap)
		return CDC_END;
	r = &s->reader[s->heap[0]];
	*record = r->buf + r->pos;
	return CDC_OK;
}

/* The first n runs to one behind the others. */
static int merge_runs(struct cdc_sorter *s, size_t n, struct cdc_err *err)
{
	const char *record;
	int rc = open_readers(s, n, err);

	if (!rc)
		rc = new_run(s, err);
	while (!rc && !(rc = merge_next(s, &record, err))) {
		rc = put_record(s, record, err);
		if (!rc && s->io->interrupted(s->io->ctx))
			rc = cdc_fail(err, CDC_EINTR, "interrupted");
	}
	close_readers(s);
	if (rc != CDC_END)
		return rc;
	memmove(s->run, s->run + n, (s->num_runs - n) * sizeof(*s->run));
	s->num_runs -= n;
	return CDC_OK;
}

static int begin(struct cdc_sorter *s, struct cdc_err *err)
{
	size_t fan = (size_t)(s->memory / BUFFER_LEAST);
	int rc = CDC_OK;

	s->sorted = true;
	if (s->fd < 0) {
		sort_entries(s);
		return CDC_OK;
	}
	if (s->n)
		rc = spill(s, err);
	cdc_arena_free(&s->arena);
	free(s->entry);
	s->entry = NULL;
	s->cap = 0;
	fan = fan < FAN_LEAST ? FAN_LEAST : fan;
	while (!rc && s->num_runs > fan)
		rc = merge_runs(s, fan, err);
	return rc ? rc : open_readers(s, s->num_runs, err);
}

int cdc_sorter_next(struct cdc_sorter *s, struct cdc_str *key, struct cdc_str *payload,
		    struct cdc_err *err)
{
	const char *record = NULL;
	int rc = CDC_OK;

	if (s->io->interrupted(s->io->ctx))
		return cdc_fail(err, CDC_EINTR, "interrupted");
	if (!s->sorted)
		rc = begin(s, err);
	if (rc)
		return rc;
	if (s->fd >= 0)
		rc = merge_next(s, &record, err);
	else if (s->next == s->n)
		rc = CDC_END;
	else
		record = s->entry[s->next++].record;
	if (!rc)
		give(record, key, payload);
	return rc;
}
