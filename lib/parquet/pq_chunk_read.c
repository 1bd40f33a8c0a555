/*
 * A window on a column chunk. See pq_chunk_read.h.
 */
#include "parquet/pq_chunk_read.h"

#include "parquet/pq_chunk_place.h"
#include "parquet/pq_meta_read.h"

/* A header takes some 50 bytes, with statistics perhaps kilobytes: so much is there before it is
 * read, if the chunk has it, and so much at most. */
#define HEADER_USUAL (4u << 10)
#define HEADER_MOST (16u << 20)

void cdc_pq_chunk_init(struct cdc_pq_chunk *c, struct cdc_pq_file *f, uint64_t offset, uint64_t len)
{
	*c = (struct cdc_pq_chunk){ .f = f, .offset = offset, .len = len, .window = c->window };
}

/* Bytes that the window holds from `pos` on. */
static size_t held(const struct cdc_pq_chunk *c, uint64_t pos)
{
	return pos >= c->at && pos < c->at + c->n ? (size_t)(c->at + c->n - pos) : 0;
}

/* Have n bytes from `pos` on in the window; the chunk has them. */
static int hold(struct cdc_pq_chunk *c, uint64_t pos, size_t n, struct cdc_err *err)
{
	size_t have = held(c, pos);
	uint64_t left = c->len - pos;
	size_t usual = c->f->window < left ? c->f->window : (size_t)left;
	size_t want = n > usual ? n : usual;
	struct cdc_pq_mem old = c->window;
	bool keep = c->keep;
	int rc;

	if (have >= n)
		return CDC_OK;
	if (keep) {
		c->left = old;
		c->keep = false;
		c->window = (struct cdc_pq_mem)CDC_PQ_MEM_INIT;
	} else if (have) {
		memmove(old.p, old.p + (pos - c->at), have);
	}
	c->n = 0;
	rc = cdc_pq_mem_reserve(&c->window, want, keep ? 0 : have, err);
	if (rc < 0)
		return rc;
	if (keep && have)
		memcpy(c->window.p, old.p + (pos - c->at), have);
	c->at = pos;
	rc = cdc_io_pread_full(c->f->io, c->f->fd, c->window.p + have, want - have,
			       c->offset + pos + have, c->f->path, err);
	c->n = rc < 0 ? 0 : want;
	return rc;
}

/* The header at the position, with what of the chunk that takes. */
static int header_here(struct cdc_pq_chunk *c, struct cdc_pq_page_header *h, struct cdc_err *err)
{
	uint64_t left = c->len - c->pos;
	size_t want = c->f->window < HEADER_USUAL ? c->f->window : HEADER_USUAL;

	want = left < want ? (size_t)left : want;
	c->page_pos = c->pos;
	for (;;) {
		struct cdc_err why = CDC_ERR_INIT;
		size_t used = 0;
		int rc = hold(c, c->pos, want, err);

		if (rc < 0)
			return rc;
		want = held(c, c->pos);
		rc = cdc_pq_page_header_read(h, c->window.p + (c->pos - c->at), want, &used, &why);
		if (rc >= 0) {
			c->body_pos = c->pos + used;
			break;
		}
		if (rc != CDC_ECORRUPT || want == left || want >= HEADER_MOST) {
			*err = why;
			if (err->has_offset)
				err->offset += c->offset + c->pos;
			return rc;
		}
		want = left < 2 * (uint64_t)want ? (size_t)left : 2 * want;
	}
	if ((uint64_t)h->compressed_size > c->len - c->body_pos)
		return cdc_fail(err, CDC_ECORRUPT, "a page of %d bytes where %llu are left",
				(int)h->compressed_size,
				(unsigned long long)(c->len - c->body_pos));
	c->pos = c->body_pos + (uint64_t)h->compressed_size;
	return CDC_OK;
}

/* What follows up to the next chunk is the chunk's as well. CDC_END: nothing follows. */
static int stretch(struct cdc_pq_chunk *c, struct cdc_err *err)
{
	uint64_t room = 0;
	int rc = c->stretched ? CDC_END : cdc_pq_chunk_room(c->f, c->offset, &room, err);

	c->stretched = true;
	if (rc != CDC_OK || room <= c->len)
		return rc < 0 ? rc : CDC_END;
	c->len = room;
	return CDC_OK;
}

int cdc_pq_chunk_header(struct cdc_pq_chunk *c, struct cdc_pq_page_header *h, struct cdc_err *err)
{
	struct cdc_err why = CDC_ERR_INIT;
	struct cdc_err ignored = CDC_ERR_INIT;
	uint64_t pos = c->pos;
	int rc = CDC_END;

	c->page_pos = pos;
	if (pos < c->len)
		rc = header_here(c, h, &why);
	if (rc == CDC_OK)
		return rc;
	if (rc < 0 && rc != CDC_ECORRUPT) {
		*err = why;
		return rc;
	}
	c->pos = pos;
	rc = stretch(c, err);
	if (rc == CDC_OK && header_here(c, h, &ignored) == CDC_OK)
		return CDC_OK;
	if (rc < 0)
		return rc;
	if (!why.code)
		return CDC_END;
	*err = why;
	return why.code;
}

int cdc_pq_chunk_page(struct cdc_pq_chunk *c, const struct cdc_pq_page_header *h,
		      const uint8_t **stored, struct cdc_err *err)
{
	int rc = hold(c, c->body_pos, (size_t)h->compressed_size, err);

	if (rc >= 0)
		*stored = h->compressed_size ? c->window.p + (c->body_pos - c->at) : c->window.p;
	return rc;
}

int cdc_pq_chunk_stored(struct cdc_pq_chunk *c, const struct cdc_pq_page_header *h,
			const uint8_t **stored, size_t *n, struct cdc_err *err)
{
	size_t whole = (size_t)(c->body_pos - c->page_pos) + (size_t)h->compressed_size;
	int rc = hold(c, c->page_pos, whole, err);

	if (rc >= 0) {
		*stored = c->window.p + (c->page_pos - c->at);
		*n = whole;
	}
	return rc;
}

int cdc_pq_chunk_values(struct cdc_pq_chunk *c, uint64_t *values, struct cdc_err *err)
{
	struct cdc_pq_page_header h;
	int rc = CDC_OK;

	*values = 0;
	c->pos = 0;
	while (rc == CDC_OK && c->pos < c->len) {
		struct cdc_err ignored = CDC_ERR_INIT;

		rc = header_here(c, &h, &ignored);
		if (rc < 0 && rc != CDC_ECORRUPT)
			*err = ignored;
		else if (rc == CDC_OK &&
			 (h.type == CDC_PQ_DATA_PAGE || h.type == CDC_PQ_DATA_PAGE_V2))
			*values += (uint64_t)h.num_values;
	}
	c->pos = 0;
	return rc == CDC_ECORRUPT ? CDC_OK : rc;
}
