/*
 * Data pages, writing: levels and values to a V1 page body, the choice whether to compress, and the
 * store of finished pages until their chunk is written.
 *
 * The codec is one per chunk, so it is chosen by what compression gains (spec 4.2): a first guess
 * by the first page, then again by the whole when the chunk ends. Pages stored in the form that
 * was not chosen are converted then; that is rare.
 */
#include "parquet/pq_write.h"

#include "base/endian.h"
#include "parquet/pq_bits.h"
#include "parquet/pq_rle_write.h"

#include <stdlib.h>

enum {
	/* A dictionary is one page of many: its weight in the guess by the first data page. */
	DICTIONARY_SHARE = 8,
	MAX_BODY = INT32_MAX - 4096 /* the page index counts the header too, in an i32 */
};

/* Compression must gain 5 %, or reading costs more than it saves. */
static bool pays(uint64_t raw, uint64_t stored)
{
	return raw * 20 >= stored * 21;
}

static unsigned index_width(const struct cdc_pq_column_writer *c)
{
	unsigned width = c->dict.count ? cdc_pq_bit_width(c->dict.count - 1) : 0;

	return width ? width : 1; /* 0 is allowed, but not every reader knows it */
}

size_t cdc_pq_page_estimate(const struct cdc_pq_column_writer *c)
{
	size_t n = (c->def.len + c->rep.len) / 8;

	if (c->use_dict)
		return n + (size_t)c->present * index_width(c) / 8;
	return n + (c->leaf->type == CDC_PQ_BOOLEAN ? c->plain.len / 8 : c->plain.len);
}

void cdc_pq_page_reset(struct cdc_pq_column_writer *c)
{
	c->slots = 0;
	c->rows = 0;
	c->present = 0;
	cdc_buf_reset(&c->def);
	cdc_buf_reset(&c->rep);
	cdc_buf_reset(&c->plain);
	cdc_buf_reset(&c->index);
	cdc_pq_range_reset(&c->range);
	c->stamp++;
}

/* [u32 length][RLE] of one kind of level; no bytes when the maximum is 0 (spec 1.6). */
static int put_levels(struct cdc_pq_column_writer *c, const struct cdc_buf *levels, uint8_t max,
		      bool all_max, struct cdc_err *err)
{
	unsigned width = cdc_pq_bit_width(max);
	size_t at = c->scratch->body.len;
	uint8_t length[4] = { 0 };
	int rc;

	if (max == 0)
		return CDC_OK;
	rc = cdc_buf_append(&c->scratch->body, length, sizeof(length), err);
	if (rc < 0)
		return rc;
	if (all_max) {
		rc = cdc_pq_rle_write_run(max, levels->len, width, &c->scratch->body, err);
	} else {
		uint32_t *wide;

		cdc_buf_reset(&c->scratch->levels);
		rc = cdc_buf_reserve(&c->scratch->levels, levels->len * sizeof(*wide), err);
		if (rc < 0)
			return rc;
		wide = (uint32_t *)(void *)c->scratch->levels.p;
		for (size_t i = 0; i < levels->len; i++)
			wide[i] = (uint8_t)levels->p[i];
		rc = cdc_pq_rle_write(wide, levels->len, width, &c->scratch->body, err);
	}
	if (rc < 0)
		return rc;
	cdc_put_le32(c->scratch->body.p + at, (uint32_t)(c->scratch->body.len - at - 4));
	return CDC_OK;
}

static int put_values(struct cdc_pq_column_writer *c, struct cdc_err *err)
{
	size_t bytes = (c->plain.len + 7) / 8;
	unsigned width = index_width(c);
	int rc;

	if (c->use_dict) {
		/* Before the dictionary has entries nothing may refer to it. */
		if (c->dict.count == 0)
			return CDC_OK;
		rc = cdc_buf_putc(&c->scratch->body, (char)width, err);
		if (rc < 0)
			return rc;
		return cdc_pq_rle_write((const uint32_t *)(const void *)c->index.p, c->present,
					width, &c->scratch->body, err);
	}
	if (c->leaf->type != CDC_PQ_BOOLEAN)
		return cdc_buf_append(&c->scratch->body, c->plain.p, c->plain.len, err);
	rc = cdc_buf_reserve(&c->scratch->body, bytes, err);
	if (rc < 0)
		return rc;
	cdc_pq_pack_bools((const uint8_t *)c->plain.p, c->plain.len,
			  (uint8_t *)c->scratch->body.p + c->scratch->body.len);
	c->scratch->body.len += bytes;
	return CDC_OK;
}

static int build_body(struct cdc_pq_column_writer *c, struct cdc_err *err)
{
	int rc;

	cdc_buf_reset(&c->scratch->body);
	rc = put_levels(c, &c->rep, c->leaf->max_rep, false, err);
	if (rc == CDC_OK)
		rc = put_levels(c, &c->def, c->leaf->max_def, c->present == c->slots, err);
	if (rc == CDC_OK)
		rc = put_values(c, err);
	if (rc == CDC_OK && c->scratch->body.len > MAX_BODY)
		rc = cdc_fail(err, CDC_EDATA, "a value or a row of over 2 GiB");
	return rc;
}

static int squeeze(struct cdc_pq_column_writer *c, const void *p, size_t n, struct cdc_buf *out,
		   struct cdc_err *err)
{
	return cdc_pq_compress(&c->scratch->codec, c->opt->codec, c->opt->level, p, n, out, err);
}

/* Guess by one page whether the chunk will shrink; the compressed page is left in `packed`. */
static int guess(struct cdc_pq_column_writer *c, struct cdc_err *err)
{
	size_t raw = c->scratch->body.len;
	size_t stored;
	int rc;

	cdc_buf_reset(&c->scratch->packed);
	if (c->use_dict && c->num_pages == 0) {
		rc = squeeze(c, c->dict.plain.p, c->dict.plain.len, &c->scratch->packed, err);
		if (rc < 0)
			return rc;
		raw += c->dict.plain.len / DICTIONARY_SHARE;
	}
	stored = c->scratch->packed.len / DICTIONARY_SHARE;
	cdc_buf_reset(&c->scratch->packed);
	rc = squeeze(c, c->scratch->body.p, c->scratch->body.len, &c->scratch->packed, err);
	if (rc < 0)
		return rc;
	stored += c->scratch->packed.len;
	c->shrink = pays(raw, stored) ? CDC_PQ_SHRINK_YES : CDC_PQ_SHRINK_NO;
	return CDC_OK;
}

/* Put the body, compressed or not, behind the pages of the chunk. */
static int store_body(struct cdc_pq_column_writer *c, struct cdc_pq_out_page *page,
		      struct cdc_err *err)
{
	/* Later pages of a chunk that does not shrink are tried at the 2nd, 4th, 8th … */
	bool again = c->shrink == CDC_PQ_SHRINK_NO && (c->num_pages & (c->num_pages + 1)) == 0;
	int rc = CDC_OK;

	cdc_buf_reset(&c->scratch->packed);
	page->at = c->data.len;
	page->raw = c->scratch->body.len;
	if (c->opt->codec == CDC_PQ_UNCOMPRESSED)
		c->shrink = CDC_PQ_SHRINK_NO;
	else if (c->shrink == CDC_PQ_SHRINK_UNKNOWN || again)
		rc = guess(c, err);
	if (rc < 0)
		return rc;
	page->compressed = c->shrink == CDC_PQ_SHRINK_YES;
	if (!page->compressed)
		rc = cdc_buf_put(&c->data, cdc_buf_str(&c->scratch->body), err);
	else if (c->scratch->packed.len > 0)
		rc = cdc_buf_put(&c->data, cdc_buf_str(&c->scratch->packed), err);
	else
		rc = squeeze(c, c->scratch->body.p, c->scratch->body.len, &c->data, err);
	page->stored = c->data.len - page->at;
	page->crc = cdc_pq_crc32(c->data.p + page->at, page->stored);
	return rc;
}

static int new_page(struct cdc_pq_column_writer *c, struct cdc_err *err)
{
	size_t cap = c->cap_pages ? 2 * c->cap_pages : 16;
	struct cdc_pq_out_page *p;

	if (c->num_pages < c->cap_pages)
		return CDC_OK;
	p = realloc(c->page, cap * sizeof(*p));
	if (!p)
		return cdc_fail_nomem(err);
	c->page = p;
	c->cap_pages = cap;
	return CDC_OK;
}

int cdc_pq_page_flush(struct cdc_pq_column_writer *c, struct cdc_err *err)
{
	struct cdc_pq_out_page *page;
	int rc = new_page(c, err);

	if (rc == CDC_OK)
		rc = build_body(c, err);
	if (rc < 0)
		return rc;
	page = &c->page[c->num_pages];
	*page = (struct cdc_pq_out_page){ .dictionary = c->use_dict && c->dict.count > 0,
					  .slots = c->slots,
					  .rows = c->rows,
					  .nulls = (int64_t)c->slots - c->present,
					  .nans = c->range.nan_count,
					  .bounds_at = c->bounds.len };
	rc = store_body(c, page, err);
	if (rc == CDC_OK)
		rc = cdc_pq_range_bounds(&c->range, c->leaf, &c->bounds, &page->bounds, err);
	if (rc == CDC_OK)
		rc = cdc_pq_range_merge(&c->chunk_range, &c->range, c->order, err);
	if (rc < 0)
		return rc;
	c->num_pages++;
	c->dict_pages += page->dictionary;
	c->chunk_rows += c->rows;
	c->chunk_slots += c->slots;
	c->chunk_present += c->present;
	cdc_pq_page_reset(c);
	return CDC_OK;
}

/* Append one page to `out` in the form asked for. */
static int convert_page(struct cdc_pq_column_writer *c, struct cdc_pq_out_page *page,
			bool compressed, struct cdc_buf *out, struct cdc_err *err)
{
	const char *p = c->data.p + page->at;
	size_t at = out->len;
	int rc;

	if (page->compressed == compressed) {
		rc = cdc_buf_append(out, p, page->stored, err);
	} else if (compressed) {
		rc = squeeze(c, p, page->stored, out, err);
	} else {
		rc = cdc_buf_reserve(out, page->raw, err);
		if (rc == CDC_OK)
			rc = cdc_pq_decompress(&c->scratch->codec, c->opt->codec, p, page->stored,
					       out->p + at, page->raw, err);
		if (rc == CDC_OK)
			out->len += page->raw;
	}
	if (rc < 0)
		return rc;
	page->at = at;
	page->stored = out->len - at;
	page->compressed = compressed;
	page->crc = cdc_pq_crc32(out->p + at, page->stored);
	return CDC_OK;
}

static int convert(struct cdc_pq_column_writer *c, bool compressed, struct cdc_err *err)
{
	struct cdc_buf out = CDC_BUF_INIT;
	bool mixed = false;
	int rc = CDC_OK;

	for (size_t i = 0; i < c->num_pages; i++)
		mixed = mixed || c->page[i].compressed != compressed;
	if (!mixed)
		return CDC_OK;
	for (size_t i = 0; rc == CDC_OK && i < c->num_pages; i++)
		rc = convert_page(c, &c->page[i], compressed, &out, err);
	if (rc < 0) {
		cdc_buf_free(&out);
		return rc;
	}
	cdc_buf_free(&c->data);
	c->data = out;
	return CDC_OK;
}

/* Does the chunk shrink as a whole? Pages stored raw count as they are. */
static bool whole_pays(const struct cdc_pq_column_writer *c, size_t dict_raw, size_t dict_stored)
{
	uint64_t raw = dict_raw;
	uint64_t stored = dict_stored;

	for (size_t i = 0; i < c->num_pages; i++) {
		raw += c->page[i].raw;
		stored += c->page[i].stored;
	}
	return pays(raw, stored);
}

int cdc_pq_pages_settle(struct cdc_pq_column_writer *c, struct cdc_pq_out_dictionary *dictionary,
			struct cdc_err *err)
{
	size_t dict_raw = c->dict_pages ? c->dict.plain.len : 0;
	bool compressed = false;
	int rc = CDC_OK;

	cdc_buf_reset(&c->scratch->packed);
	if (c->opt->codec != CDC_PQ_UNCOMPRESSED) {
		if (dict_raw)
			rc = squeeze(c, c->dict.plain.p, dict_raw, &c->scratch->packed, err);
		compressed = whole_pays(c, dict_raw, c->scratch->packed.len);
	}
	if (rc == CDC_OK)
		rc = convert(c, compressed, err);
	/* Pages that were raw may have grown: what counts is the outcome. */
	if (rc == CDC_OK && compressed && !whole_pays(c, dict_raw, c->scratch->packed.len)) {
		compressed = false;
		rc = convert(c, compressed, err);
	}
	c->shrink = compressed ? CDC_PQ_SHRINK_YES : CDC_PQ_SHRINK_NO;
	dictionary->stored = compressed && dict_raw ? cdc_buf_str(&c->scratch->packed)
						    : cdc_str(c->dict.plain.p, dict_raw);
	dictionary->raw = dict_raw;
	dictionary->count = c->dict_pages ? c->dict.count : 0;
	return rc;
}
