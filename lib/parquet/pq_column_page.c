/*
 * Column cursors: from the bytes of the chunk to pages, and which memory pages keep.
 *
 * One page at a time is unpacked; pages that strings of the current batch point into are kept until
 * the next batch.
 */
#include "parquet/pq_column_int.h"

#include <stdlib.h>

/* ------------------------------------------------------------------ unpacked pages */

/* Two free bodies after those in use: a page takes one to decompress, one to transpose. */
static int free_bodies(struct cdc_pq_column *c, struct cdc_err *err)
{
	struct cdc_pq_mem *more;
	uint32_t max = c->max_bodies ? 2 * c->max_bodies : 4;

	if (c->num_bodies + 2 <= c->max_bodies)
		return CDC_OK;
	more = realloc(c->body, max * sizeof(*more));
	if (!more)
		return cdc_fail_nomem(err);
	memset(more + c->max_bodies, 0, (max - c->max_bodies) * sizeof(*more));
	c->body = more;
	c->max_bodies = max;
	return CDC_OK;
}

/* PARQUET-246: the first value's prefix is of the last value of the page before. */
int cdc_pq_column_keep_last(struct cdc_pq_column *c, struct cdc_err *err)
{
	const struct cdc_pq_values *v = &c->page.values;

	if (v->encoding != CDC_PQ_DELTA_BYTE_ARRAY)
		return CDC_OK;
	cdc_buf_reset(&c->last);
	return cdc_buf_append(&c->last, v->dba.last.p, v->dba.last.n, err);
}

/* The page at work is done with: keep its memory only if strings of the batch point there. */
int cdc_pq_column_leave_page(struct cdc_pq_column *c, struct cdc_err *err)
{
	int rc = c->page_bodies && c->f->carried_prefix ? cdc_pq_column_keep_last(c, err) : CDC_OK;

	if (rc < 0)
		return rc;
	if (!c->page_bodies)
		return CDC_OK;
	if (c->batch.n == 0 || !cdc_pq_values_point_into_page(&c->page.values)) {
		c->num_bodies -= c->page_bodies;
		c->bodies_bytes -= c->page_bytes;
	} else if (c->bodies_bytes > CDC_PQ_MAX_STRINGS) {
		return cdc_fail(err, CDC_ENOMEM,
				"the strings of one batch are larger than %zu bytes",
				CDC_PQ_MAX_STRINGS);
	}
	c->page_bodies = 0;
	c->page_bytes = 0;
	return CDC_OK;
}

/* A batch begins: only the page at work keeps its memory. */
void cdc_pq_column_release(struct cdc_pq_column *c)
{
	for (uint32_t i = 0; i < c->page_bodies; i++) {
		struct cdc_pq_mem *from = &c->body[c->num_bodies - c->page_bodies + i];
		struct cdc_pq_mem m = *from;

		*from = c->body[i];
		c->body[i] = m;
	}
	c->num_bodies = c->page_bodies;
	c->bodies_bytes = c->page_bytes;
}

/* ------------------------------------------------------------------ pages */

/* Strings of the batch may point into stored bytes: those are kept as an unpacked page is. */
static void keep_window(struct cdc_pq_column *c)
{
	bool strings = c->node->type == CDC_PQ_BYTE_ARRAY || c->node->type == CDC_PQ_FIXED;

	c->chunk.keep = strings && c->batch.n > 0;
}

/* There is room for it: see free_bodies. */
static void take_window(struct cdc_pq_column *c)
{
	struct cdc_pq_mem *body = &c->body[c->num_bodies];

	if (!c->chunk.left.p)
		return;
	cdc_pq_mem_free(body);
	*body = c->chunk.left;
	c->chunk.left = (struct cdc_pq_mem)CDC_PQ_MEM_INIT;
	c->num_bodies++;
	c->bodies_bytes += body->cap;
}

/* The stored bytes of the page whose header was read. */
static int page_bytes(struct cdc_pq_column *c, const struct cdc_pq_page_header *h,
		      const uint8_t **stored, struct cdc_err *err)
{
	int rc = free_bodies(c, err);

	if (rc < 0)
		return rc;
	keep_window(c);
	rc = cdc_pq_chunk_page(&c->chunk, h, stored, err);
	take_window(c);
	return rc;
}

/* Header of the next page. CDC_END at the end of the values. */
int cdc_pq_column_next_header(struct cdc_pq_column *c, struct cdc_pq_page_header *h,
			      struct cdc_err *err)
{
	int rc = c->slots_left ? free_bodies(c, err) : CDC_END;

	if (rc == CDC_OK) {
		keep_window(c);
		rc = cdc_pq_chunk_header(&c->chunk, h, err);
		take_window(c);
	}
	if (rc == CDC_END && c->slots_left)
		return cdc_fail(err, CDC_ECORRUPT, "its pages end %llu values early",
				(unsigned long long)c->slots_left);
	return rc;
}

/* Is it a data page? A dictionary is put aside for when it is needed; others are passed over. */
int cdc_pq_column_note_page(struct cdc_pq_column *c, const struct cdc_pq_page_header *h, bool *data,
			    struct cdc_err *err)
{
	const uint8_t *stored = NULL;
	int rc;

	*data = (h->type == CDC_PQ_DATA_PAGE || h->type == CDC_PQ_DATA_PAGE_V2) &&
		h->num_values > 0;
	if (h->type != CDC_PQ_DICTIONARY_PAGE)
		return CDC_OK;
	if (c->dict_waits || c->dict.present)
		return cdc_fail(err, CDC_ECORRUPT, "a second dictionary page");
	rc = page_bytes(c, h, &stored, err);
	if (rc >= 0)
		rc = cdc_pq_mem_reserve(&c->dict_page, (size_t)h->compressed_size, 0, err);
	if (rc < 0)
		return rc;
	memcpy(c->dict_page.p, stored, (size_t)h->compressed_size);
	c->dict_header = *h;
	c->dict_waits = true;
	return CDC_OK;
}

static int load_dictionary(struct cdc_pq_column *c, struct cdc_err *err)
{
	if (!c->dict_waits)
		return CDC_OK;
	c->dict_waits = false;
	return cdc_pq_page_dictionary(&c->dict, &c->env, &c->dict_header, c->dict_page.p, err);
}

int cdc_pq_column_begin_page(struct cdc_pq_column *c, const struct cdc_pq_page_header *h,
			     struct cdc_err *err)
{
	bool carried = c->f->carried_prefix && h->encoding == CDC_PQ_DELTA_BYTE_ARRAY;
	const uint8_t *stored = NULL;
	int rc = page_bytes(c, h, &stored, err);

	if (rc >= 0)
		rc = free_bodies(c, err);

	if (rc >= 0 && carried)
		rc = cdc_pq_column_keep_last(c, err);
	if (rc >= 0 &&
	    (h->encoding == CDC_PQ_RLE_DICTIONARY || h->encoding == CDC_PQ_PLAIN_DICTIONARY))
		rc = load_dictionary(c, err);
	if (rc < 0)
		return rc;
	rc = cdc_pq_page_begin(&c->page, &c->env, h, stored, &c->dict, &c->body[c->num_bodies],
			       &c->body[c->num_bodies + 1], err);
	if (rc < 0) {
		c->page.left = 0;
		return rc;
	}
	c->num_bodies += 2;
	c->page_bodies = 2;
	c->page_bytes = (size_t)h->uncompressed_size;
	c->bodies_bytes += c->page_bytes;
	/* More slots than the chunk has are padding (spec 3.2). */
	if (c->page.left > c->slots_left)
		c->page.left = (uint32_t)c->slots_left;
	c->slots_left -= c->page.left;
	if (c->f->carried_prefix && c->page.values.encoding == CDC_PQ_DELTA_BYTE_ARRAY)
		c->page.values.dba.last = cdc_buf_str(&c->last);
	return CDC_OK;
}

/* Make page.left positive; CDC_END when there is nothing more. */
int cdc_pq_column_next_page(struct cdc_pq_column *c, struct cdc_err *err)
{
	struct cdc_pq_page_header h;
	bool data = false;
	int rc = cdc_pq_column_leave_page(c, err);

	while (rc >= 0 && !data) {
		rc = cdc_pq_column_next_header(c, &h, err);
		if (rc != CDC_OK)
			return rc;
		rc = cdc_pq_column_note_page(c, &h, &data, err);
	}
	return rc < 0 ? rc : cdc_pq_column_begin_page(c, &h, err);
}
