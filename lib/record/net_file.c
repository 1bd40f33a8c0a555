/*
 * Spill files: frames in runs, and the merge of runs. See net_file.h.
 */
#include "record/net_file.h"

#include "record/net_impl.h"

#include <stdlib.h>

int net_file_open(struct net_file *f, const struct cdc_io *io, const char *tmpdir,
		  struct cdc_err *err)
{
	int rc;

	*f = (struct net_file){ .io = io, .fd = -1 };
	rc = cdc_io_open_temp(io, tmpdir, &f->fd, err);
	if (rc)
		return rc;
	rc = cdc_writer_init(&f->w, io, f->fd, err);
	if (rc)
		io->close(io->ctx, f->fd);
	f->open = !rc;
	return rc;
}

void net_file_close(struct net_file *f)
{
	if (f->open) {
		cdc_writer_free(&f->w);
		f->io->close(f->io->ctx, f->fd);
	}
	free(f->ext);
	*f = (struct net_file){ .fd = -1 };
}

static int extent_new(struct net_file *f, struct net_run *run, uint64_t off, struct cdc_err *err)
{
	void *grown = net_grown(f->ext, &f->cap_ext, (uint64_t)f->num_ext + 1, sizeof(*f->ext));

	if (!grown)
		return cdc_fail_nomem(err);
	f->ext = grown;
	f->ext[f->num_ext] = (struct net_extent){ off, 0, NET_RUN_END };
	if (run->head == NET_RUN_END)
		run->head = f->num_ext;
	else
		f->ext[run->tail].next = f->num_ext;
	run->tail = f->num_ext++;
	return CDC_OK;
}

int net_file_append(struct net_file *f, struct net_run *run, const void *p, size_t n,
		    struct cdc_err *err)
{
	uint64_t off = cdc_writer_offset(&f->w);
	const struct net_extent *tail = run->head == NET_RUN_END ? NULL : &f->ext[run->tail];
	int rc = CDC_OK;

	if (!tail || tail->off + tail->len != off)
		rc = extent_new(f, run, off, err);
	if (!rc)
		rc = cdc_writer_put(&f->w, p, n, err);
	if (rc)
		return rc;
	f->ext[run->tail].len += n;
	run->bytes += n;
	return CDC_OK;
}

int net_file_flush(struct net_file *f, struct cdc_err *err)
{
	return cdc_writer_flush(&f->w, err);
}

/* ------------------------------------------------------------------ reading a run */

struct net_reader {
	struct net_file *f;
	char *buf;
	size_t cap, pos, end;
	uint32_t ext; /* next bytes of the file: extent and place in it */
	uint64_t ext_pos;
	uint64_t left; /* bytes of the run that are not in the buffer yet */
	struct net_frame frame; /* current */
};

static int fill(struct net_reader *r, size_t want, struct cdc_err *err)
{
	while (r->end - r->pos < want && r->left) {
		const struct net_extent *x = &r->f->ext[r->ext];
		uint64_t n = x->len - r->ext_pos;
		int rc;

		if (n > r->cap - r->end)
			n = r->cap - r->end;
		rc = cdc_io_pread_full(r->f->io, r->f->fd, r->buf + r->end, (size_t)n,
				       x->off + r->ext_pos, "temporary file", err);
		if (rc) {
			/* Not the user's file: that it is short is the environment's fault. */
			if (rc == CDC_ECORRUPT)
				rc = err->code = CDC_EIO;
			return rc;
		}
		r->end += (size_t)n;
		r->left -= n;
		r->ext_pos += n;
		if (r->ext_pos == x->len) {
			r->ext = x->next;
			r->ext_pos = 0;
		}
	}
	if (r->end - r->pos < want)
		return cdc_fail(err, CDC_EINTERNAL, "a spilled record is cut short");
	return CDC_OK;
}

/* n bytes at buf + pos. */
static int need(struct net_reader *r, size_t n, struct cdc_err *err)
{
	if (r->end - r->pos >= n)
		return CDC_OK;
	if (r->pos) {
		memmove(r->buf, r->buf + r->pos, r->end - r->pos);
		r->end -= r->pos;
		r->pos = 0;
	}
	if (n > r->cap) {
		char *p = realloc(r->buf, n);

		if (!p)
			return cdc_fail_nomem(err);
		r->buf = p;
		r->cap = n;
	}
	return fill(r, n, err);
}

/* Read the next frame; its payload is at buf + pos until it is skipped. CDC_END at the end. */
static int advance(struct net_reader *r, struct cdc_err *err)
{
	int rc;

	if (r->pos == r->end && !r->left)
		return CDC_END;
	rc = need(r, sizeof(r->frame), err);
	if (rc)
		return rc;
	memcpy(&r->frame, r->buf + r->pos, sizeof(r->frame));
	r->pos += sizeof(r->frame);
	return need(r, net_frame_payload(&r->frame), err);
}

/* ------------------------------------------------------------------ merging */

static bool less(const struct net_merge *m, uint32_t a, uint32_t b)
{
	const struct net_frame *x = &m->reader[a].frame;
	const struct net_frame *y = &m->reader[b].frame;

	if (x->order != y->order)
		return x->order < y->order;
	return x->seq < y->seq;
}

static void sift_down(struct net_merge *m, uint32_t i)
{
	for (;;) {
		uint32_t c = 2 * i + 1;
		uint32_t t;

		if (c >= m->num_heap)
			return;
		if (c + 1 < m->num_heap && less(m, m->heap[c + 1], m->heap[c]))
			c++;
		if (!less(m, m->heap[c], m->heap[i]))
			return;
		t = m->heap[i];
		m->heap[i] = m->heap[c];
		m->heap[c] = t;
		i = c;
	}
}

int net_merge_open(struct net_merge *m, struct net_file *f, const struct net_run *runs, uint32_t n,
		   size_t buffer_bytes, struct cdc_err *err)
{
	int rc = CDC_OK;

	*m = (struct net_merge){ .num_run = n };
	m->reader = calloc(n ? n : 1, sizeof(*m->reader));
	m->heap = calloc(n ? n : 1, sizeof(*m->heap));
	if (!m->reader || !m->heap) {
		m->num_run = 0;
		rc = cdc_fail_nomem(err);
	}
	for (uint32_t i = 0; !rc && i < n; i++) {
		struct net_reader *r = &m->reader[i];

		if (runs[i].head == NET_RUN_END)
			continue;
		r->f = f;
		r->ext = runs[i].head;
		r->left = runs[i].bytes;
		r->cap = buffer_bytes < r->left ? buffer_bytes : (size_t)r->left;
		r->buf = malloc(r->cap);
		rc = r->buf ? advance(r, err) : cdc_fail_nomem(err);
		m->heap[m->num_heap++] = i;
	}
	for (uint32_t i = m->num_heap / 2; !rc && i > 0; i--)
		sift_down(m, i - 1);
	if (rc)
		net_merge_close(m);
	return rc;
}

int net_merge_next(struct net_merge *m, struct net_frame *frame, const char **payload,
		   struct cdc_err *err)
{
	struct net_reader *r;

	if (m->started && m->num_heap) {
		int rc;

		r = &m->reader[m->heap[0]];
		r->pos += net_frame_payload(&r->frame);
		rc = advance(r, err);
		if (rc < 0)
			return rc;
		if (rc == CDC_END) {
			free(r->buf);
			r->buf = NULL;
			m->heap[0] = m->heap[--m->num_heap];
		}
		sift_down(m, 0);
	}
	m->started = true;
	if (!m->num_heap)
		return CDC_END;
	r = &m->reader[m->heap[0]];
	*frame = r->frame;
	*payload = r->buf + r->pos;
	return CDC_OK;
}

void net_merge_close(struct net_merge *m)
{
	for (uint32_t i = 0; i < m->num_run; i++)
		free(m->reader[i].buf);
	free(m->reader);
	free(m->heap);
	*m = (struct net_merge){ 0 };
}
