/*
 * Finished chunks into the file: page headers and pages, and what the footer and the page indexes
 * will tell of them.
 */
#include "parquet/pq_write.h"

#include <stdlib.h>

enum { OUT_BYTES = 1 << 20 }; /* what one write hands to the system */

void cdc_pq_chunks_free(struct cdc_pq_chunks *w)
{
	free(w->entry);
	cdc_buf_free(&w->out);
	cdc_buf_free(&w->indexes);
	cdc_arena_free(&w->arena);
}

/* --------------------------------------------------------------------- output */

int cdc_pq_chunks_flush(struct cdc_pq_chunks *w, struct cdc_err *err)
{
	int rc = cdc_io_write_full(w->io, w->fd, w->out.p, w->out.len, err);

	cdc_buf_reset(&w->out);
	return rc;
}

int cdc_pq_chunks_put(struct cdc_pq_chunks *w, const void *p, size_t n, struct cdc_err *err)
{
	int rc = CDC_OK;

	w->offset += n;
	if (w->out.len > 0 && w->out.len + n > OUT_BYTES)
		rc = cdc_pq_chunks_flush(w, err);
	if (rc == CDC_OK && n >= OUT_BYTES)
		return cdc_io_write_full(w->io, w->fd, p, n, err);
	return rc == CDC_OK ? cdc_buf_append(&w->out, p, n, err) : rc;
}

/* A page: header, then the bytes as stored. Adds both sizes to the chunk's totals. */
static int put_page(struct cdc_pq_chunks *w, struct cdc_pq_column_meta *m,
		    struct cdc_pq_page_header *h, struct cdc_str stored, struct cdc_err *err)
{
	uint64_t start = w->offset;
	size_t header_at = w->out.len;
	int rc;

	h->compressed_size = (int32_t)stored.n;
	h->has_crc = true;
	rc = cdc_pq_write_page_header(h, &w->out, err);
	if (rc < 0)
		return rc;
	w->offset += w->out.len - header_at;
	m->total_uncompressed_size += (int64_t)(w->offset - start) + h->uncompressed_size;
	rc = cdc_pq_chunks_put(w, stored.p, stored.n, err);
	m->total_compressed_size += (int64_t)(w->offset - start);
	return rc;
}

/* --------------------------------------------------------------------- chunks */

static int put_dictionary(struct cdc_pq_chunks *w, struct cdc_pq_chunk_meta *meta,
			  const struct cdc_pq_out_dictionary *d, struct cdc_err *err)
{
	struct cdc_pq_page_header h = { .type = CDC_PQ_DICTIONARY_PAGE,
					.uncompressed_size = (int32_t)d->raw,
					.crc = cdc_pq_crc32(d->stored.p, d->stored.n),
					.num_values = (int32_t)d->count,
					.encoding = CDC_PQ_PLAIN };

	if (d->raw > INT32_MAX)
		return cdc_fail(err, CDC_EDATA, "a dictionary of over 2 GiB");
	meta->dictionary_page = true;
	meta->dictionary_encoding = CDC_PQ_PLAIN;
	meta->m.dictionary_page_offset = (int64_t)w->offset;
	meta->m.encodings |= 1U << CDC_PQ_PLAIN;
	return put_page(w, &meta->m, &h, d->stored, err);
}

int cdc_pq_chunks_entries(struct cdc_pq_chunks *w, size_t n, struct cdc_err *err)
{
	struct cdc_pq_page_entry *p;

	if (n <= w->cap_entries)
		return CDC_OK;
	p = realloc(w->entry, n * sizeof(*p));
	if (!p)
		return cdc_fail_nomem(err);
	w->entry = p;
	w->cap_entries = n;
	return CDC_OK;
}

static int put_data_pages(struct cdc_pq_chunks *w, const struct cdc_pq_column_writer *c,
			  struct cdc_pq_chunk_meta *meta, struct cdc_err *err)
{
	int64_t first_row = 0;
	int rc = cdc_pq_chunks_entries(w, c->num_pages, err);

	if (rc < 0)
		return rc;
	meta->m.data_page_offset = (int64_t)w->offset;
	for (size_t i = 0; i < c->num_pages; i++) {
		const struct cdc_pq_out_page *page = &c->page[i];
		const char *bounds = c->bounds.p ? c->bounds.p + page->bounds_at : "";
		uint64_t start = w->offset;
		struct cdc_pq_page_header h = { .type = CDC_PQ_DATA_PAGE,
						.uncompressed_size = (int32_t)page->raw,
						.crc = page->crc,
						.num_values = (int32_t)page->slots,
						.encoding = page->dictionary ? CDC_PQ_RLE_DICTIONARY
									     : CDC_PQ_PLAIN,
						.def_encoding = CDC_PQ_RLE,
						.rep_encoding = CDC_PQ_RLE };

		rc = put_page(w, &meta->m, &h, cdc_str(c->data.p + page->at, page->stored), err);
		if (rc < 0)
			return rc;
		meta->m.encodings |= 1U << h.encoding;
		meta->data_pages[0][h.encoding]++;
		w->entry[i] = (struct cdc_pq_page_entry){ .offset = start,
							  .size = (int32_t)(w->offset - start),
							  .first_row = first_row,
							  .has_values = page->nulls < page->slots,
							  .null_count = page->nulls,
							  .nan_count = page->nans };
		if (page->bounds.usable) {
			w->entry[i].min = cdc_str(bounds, page->bounds.min_len);
			w->entry[i].max =
				cdc_str(bounds + page->bounds.min_len, page->bounds.max_len);
		}
		first_row += page->rows;
	}
	return CDC_OK;
}

/*
 * A column index needs bounds of every page that has values: a page with a NaN, or with bytes
 * too long and impossible to cut, has none, and the chunk then goes without (spec 3.1).
 */
static bool has_all_bounds(const struct cdc_pq_column_writer *c)
{
	for (size_t i = 0; i < c->num_pages; i++)
		if (c->page[i].nulls < c->page[i].slots && !c->page[i].bounds.usable)
			return false;
	return c->order != CDC_PQ_ORDER_NONE;
}

static enum cdc_pq_boundary_order boundary_order(const struct cdc_pq_node *leaf,
						 const struct cdc_pq_page_entry *entry, size_t n)
{
	const struct cdc_pq_page_entry *last = NULL;
	bool ascending = true;
	bool descending = true;

	for (size_t i = 0; i < n; i++) {
		if (!entry[i].has_values)
			continue;
		if (last) {
			int min = cdc_pq_order_plain(leaf, last->min, entry[i].min);
			int max = cdc_pq_order_plain(leaf, last->max, entry[i].max);

			ascending = ascending && min <= 0 && max <= 0;
			descending = descending && min >= 0 && max >= 0;
		}
		last = &entry[i];
	}
	return ascending ? CDC_PQ_ASCENDING : descending ? CDC_PQ_DESCENDING : CDC_PQ_UNORDERED;
}

static int keep_indexes(struct cdc_pq_chunks *w, const struct cdc_pq_column_writer *c,
			struct cdc_pq_index_span *span, struct cdc_err *err)
{
	int rc = CDC_OK;

	span->column_at = w->indexes.len;
	if (has_all_bounds(c))
		rc = cdc_pq_write_column_index(w->entry, c->num_pages,
					       boundary_order(c->leaf, w->entry, c->num_pages),
					       c->order == CDC_PQ_ORDER_FLOAT, &w->indexes, err);
	span->column_n = w->indexes.len - span->column_at;
	span->offset_at = w->indexes.len;
	if (rc == CDC_OK)
		rc = cdc_pq_write_offset_index(w->entry, c->num_pages, &w->indexes, err);
	span->offset_n = w->indexes.len - span->offset_at;
	return rc;
}

static int keep_statistics(struct cdc_pq_chunks *w, const struct cdc_pq_column_writer *c,
			   struct cdc_pq_chunk_meta *meta, struct cdc_err *err)
{
	struct cdc_pq_statistics *s = &meta->m.stats;
	struct cdc_buf bytes = CDC_BUF_INIT;
	struct cdc_pq_bounds b;
	const char *p = NULL;
	int rc = cdc_pq_range_bounds(&c->chunk_range, c->leaf, &bytes, &b, err);

	s->has_null_count = true;
	s->null_count = c->chunk_slots - c->chunk_present;
	s->has_nan_count = c->order == CDC_PQ_ORDER_FLOAT;
	s->nan_count = c->chunk_range.nan_count;
	if (rc == CDC_OK && b.usable) {
		p = cdc_arena_dup(&w->arena, bytes.p, bytes.len);
		if (!p)
			rc = cdc_fail_nomem(err);
	}
	if (p) {
		s->has_min_max = true;
		s->min_exact = b.min_exact;
		s->max_exact = b.max_exact;
		s->min_value = cdc_str(p, b.min_len);
		s->max_value = cdc_str(p + b.min_len, b.max_len);
	}
	cdc_buf_free(&bytes);
	return rc;
}

int cdc_pq_chunks_add(struct cdc_pq_chunks *w, struct cdc_pq_column_writer *c,
		      struct cdc_pq_chunk_meta *meta, struct cdc_pq_index_span *span,
		      struct cdc_err *err)
{
	struct cdc_pq_out_dictionary dictionary;
	int rc = cdc_pq_column_end(c, &dictionary, err);

	if (rc < 0)
		return rc;
	meta->m.type = c->leaf->type;
	meta->m.codec = c->shrink == CDC_PQ_SHRINK_YES ? c->opt->codec : CDC_PQ_UNCOMPRESSED;
	meta->m.num_values = c->chunk_slots;
	meta->m.encodings = 1U << CDC_PQ_RLE; /* of the levels */
	if (dictionary.count > 0)
		rc = put_dictionary(w, meta, &dictionary, err);
	if (rc == CDC_OK)
		rc = put_data_pages(w, c, meta, err);
	if (rc == CDC_OK)
		rc = keep_indexes(w, c, span, err);
	if (rc == CDC_OK)
		rc = keep_statistics(w, c, meta, err);
	cdc_pq_column_restart(c);
	return rc;
}
