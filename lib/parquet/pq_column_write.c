/*
 * One column, writing: batches of slots to pages, through the dictionary while that pays.
 *
 * Slots are taken in strides of whole rows. After each stride the page is flushed when it is full,
 * and the dictionary given up when it has grown too large or holds too many of the values. A first
 * page that is still open then is written anew as PLAIN; pages already stored keep the dictionary.
 */
#include "parquet/pq_write.h"

#include "base/endian.h"

#include <stdlib.h>

enum {
	STRIDE_SLOTS = 2048,
	STRIDE_BYTES = 256 << 10, /* of strings, so that a stride cannot make a giant page */
	JUDGE_VALUES = 20000, /* before this many values the dictionary is not judged */
	JUDGE_PAGE_VALUES = 1000, /* … nor, when a page ends earlier, before this many */
	PROBES_ALLOWED = 8 /* a value, on average: more means the hash was attacked */
};

/* Values without gaps, and the levels of their slots. */
struct feed {
	const uint8_t *def;
	const uint8_t *rep;
	const char *values;
	uint32_t slots;
};

struct stride {
	uint32_t slots;
	uint32_t rows;
	uint32_t present;
};

int cdc_pq_column_init(struct cdc_pq_column_writer *c, const struct cdc_pq_node *leaf,
		       const struct cdc_pq_write_options *opt, struct cdc_pq_scratch *scratch,
		       struct cdc_err *err)
{
	static const uint8_t width[] = { 1, 4, 8, 12, 4, 8, 0, 0 };

	*c = (struct cdc_pq_column_writer){ .leaf = leaf, .opt = opt, .scratch = scratch };
	if (leaf->type == CDC_PQ_FIXED && leaf->type_length <= 0)
		return cdc_fail(err, CDC_EUSAGE, "column %.*s: FIXED without a length",
				(int)leaf->name.n, leaf->name.p);
	c->order = cdc_pq_order_of(leaf);
	c->width = leaf->type == CDC_PQ_FIXED ? (uint32_t)leaf->type_length : width[leaf->type];
	c->strings = leaf->type == CDC_PQ_BYTE_ARRAY || leaf->type == CDC_PQ_FIXED ||
		     leaf->type == CDC_PQ_INT96;
	c->elem = c->strings ? sizeof(struct cdc_str) : c->width;
	cdc_pq_dict_init(&c->dict, c->width);
	cdc_pq_column_restart(c);
	return CDC_OK;
}

void cdc_pq_scratch_free(struct cdc_pq_scratch *s)
{
	cdc_pq_codec_ctx_free(&s->codec);
	cdc_buf_free(&s->values);
	cdc_buf_free(&s->int96);
	cdc_buf_free(&s->replayed);
	cdc_buf_free(&s->levels);
	cdc_buf_free(&s->body);
	cdc_buf_free(&s->packed);
}

void cdc_pq_column_free(struct cdc_pq_column_writer *c)
{
	cdc_pq_dict_free(&c->dict);
	cdc_pq_range_free(&c->range);
	cdc_pq_range_free(&c->chunk_range);
	cdc_pq_range_free(&c->file_range);
	cdc_buf_free(&c->def);
	cdc_buf_free(&c->rep);
	cdc_buf_free(&c->plain);
	cdc_buf_free(&c->index);
	cdc_buf_free(&c->data);
	cdc_buf_free(&c->bounds);
	free(c->page);
	c->page = NULL;
}

void cdc_pq_column_restart(struct cdc_pq_column_writer *c)
{
	cdc_pq_page_reset(c);
	cdc_pq_dict_reset(&c->dict);
	cdc_pq_range_reset(&c->chunk_range);
	cdc_buf_reset(&c->data);
	cdc_buf_reset(&c->bounds);
	c->num_pages = 0;
	c->dict_pages = 0;
	c->shrink = CDC_PQ_SHRINK_UNKNOWN;
	c->chunk_rows = 0;
	c->chunk_slots = 0;
	c->chunk_present = 0;
	c->use_dict = c->opt->dictionary_bytes > 0 && c->leaf->type != CDC_PQ_BOOLEAN;
}

uint64_t cdc_pq_column_bytes(const struct cdc_pq_column_writer *c)
{
	return c->data.len + c->dict.plain.len + cdc_pq_page_estimate(c);
}

/* --------------------------------------------------------------------- values */

static int range_of(struct cdc_pq_column_writer *c, const char *values, size_t n,
		    struct cdc_err *err)
{
	const void *v = values;

	switch (c->order) {
	case CDC_PQ_ORDER_BOOL:
		cdc_pq_range_bools(&c->range, v, n);
		return CDC_OK;
	case CDC_PQ_ORDER_SIGNED:
	case CDC_PQ_ORDER_UNSIGNED:
		if (c->width == 4)
			cdc_pq_range_int32(&c->range, c->order, v, n);
		else
			cdc_pq_range_int64(&c->range, c->order, v, n);
		return CDC_OK;
	case CDC_PQ_ORDER_FLOAT:
		if (c->width == 4)
			cdc_pq_range_float(&c->range, v, n);
		else
			cdc_pq_range_double(&c->range, v, n);
		return CDC_OK;
	case CDC_PQ_ORDER_BYTES:
	case CDC_PQ_ORDER_DECIMAL:
		return cdc_pq_range_strs(&c->range, c->order, v, n, err);
	case CDC_PQ_ORDER_NONE:
	default:
		return CDC_OK;
	}
}

/* Strings in a dictionary: only entries that this page has not met yet can change its range. */
static int range_of_entries(struct cdc_pq_column_writer *c, const struct cdc_str *v,
			    const uint32_t *index, size_t n, struct cdc_err *err)
{
	struct cdc_str fresh[64];
	size_t num = 0;
	int rc;

	if (c->order == CDC_PQ_ORDER_NONE)
		return CDC_OK;
	for (size_t i = 0; i < n; i++) {
		uint32_t *stamp = &c->dict.stamp[index[i]];

		if (*stamp == c->stamp)
			continue;
		*stamp = c->stamp;
		fresh[num++] = v[i];
		if (num < sizeof(fresh) / sizeof(fresh[0]))
			continue;
		rc = cdc_pq_range_strs(&c->range, c->order, fresh, num, err);
		if (rc < 0)
			return rc;
		num = 0;
	}
	return num ? cdc_pq_range_strs(&c->range, c->order, fresh, num, err) : CDC_OK;
}

static int put_dict(struct cdc_pq_column_writer *c, const char *values, size_t n,
		    struct cdc_err *err)
{
	const void *v = values;
	uint32_t *index;
	int rc = cdc_buf_reserve(&c->index, n * sizeof(*index), err);

	if (rc < 0)
		return rc;
	index = (uint32_t *)(void *)(c->index.p + c->index.len);
	c->index.len += n * sizeof(*index);
	if (c->strings) {
		rc = cdc_pq_dict_put_str(&c->dict, v, n, index, err);
		return rc < 0 ? rc : range_of_entries(c, v, index, n, err);
	}
	if (c->width == 4)
		rc = cdc_pq_dict_put32(&c->dict, v, n, index, err);
	else
		rc = cdc_pq_dict_put64(&c->dict, v, n, index, err);
	return rc < 0 ? rc : range_of(c, values, n, err);
}

/* Also the other way: both swap, or neither. */
static void to_little_endian(char *to, const char *from, size_t n, size_t width)
{
	memcpy(to, from, n * width);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	for (size_t i = 0; i < n && width == 4; i++)
		cdc_put_le32(to + 4 * i, cdc_be32(to + 4 * i));
	for (size_t i = 0; i < n && width == 8; i++)
		cdc_put_le64(to + 8 * i, cdc_be64(to + 8 * i));
#endif
}

static int put_plain_strs(struct cdc_pq_column_writer *c, const struct cdc_str *v, size_t n,
			  struct cdc_err *err)
{
	size_t total = c->width ? 0 : 4 * n;
	char *p;
	int rc;

	for (size_t i = 0; i < n; i++)
		total += v[i].n;
	rc = cdc_buf_reserve(&c->plain, total, err);
	if (rc < 0)
		return rc;
	p = c->plain.p + c->plain.len;
	c->plain.len += total;
	if (c->width == 16) { /* decimals beyond 18 digits, UUIDs: a copy of constant size */
		for (size_t i = 0; i < n; i++)
			memcpy(p + 16 * i, v[i].p, 16);
		return CDC_OK;
	}
	for (size_t i = 0; i < n; i++) {
		if (!c->width) {
			cdc_put_le32(p, (uint32_t)v[i].n);
			p += 4;
		}
		if (v[i].n)
			memcpy(p, v[i].p, v[i].n);
		p += v[i].n;
	}
	return CDC_OK;
}

static int put_plain(struct cdc_pq_column_writer *c, const char *values, size_t n,
		     struct cdc_err *err)
{
	const void *v = values;
	char *p;
	int rc;

	if (c->strings) {
		rc = put_plain_strs(c, v, n, err);
		return rc < 0 ? rc : range_of(c, values, n, err);
	}
	rc = cdc_buf_reserve(&c->plain, n * c->width, err);
	if (rc < 0)
		return rc;
	p = c->plain.p + c->plain.len;
	c->plain.len += n * c->width;
	if (c->width == 1)
		for (size_t i = 0; i < n; i++)
			p[i] = values[i] != 0;
	else
		to_little_endian(p, values, n, c->width);
	return range_of(c, values, n, err);
}

/* -------------------------------------------------------------------- strides */

static uint32_t count_present(const struct cdc_pq_column_writer *c, const uint8_t *def, uint32_t n)
{
	uint8_t max = c->leaf->max_def;
	uint32_t present = 0;

	if (!def || max == 0)
		return n;
	for (uint32_t i = 0; i < n; i++)
		present += def[i] == max;
	return present;
}

static size_t page_room(const struct cdc_pq_column_writer *c)
{
	size_t used = cdc_pq_page_estimate(c);

	return used < c->opt->page_bytes ? c->opt->page_bytes - used : 0;
}

/* Fixed-size values, one slot a row. */
static struct stride flat_stride(const struct cdc_pq_column_writer *c, const struct feed *f)
{
	uint32_t n = c->opt->page_rows - c->rows;
	size_t fit = page_room(c) / c->width + 1;

	n = n < STRIDE_SLOTS ? n : STRIDE_SLOTS;
	n = n < f->slots ? n : f->slots;
	if (!c->use_dict && fit < n)
		n = (uint32_t)fit;
	return (struct stride){ n, n, count_present(c, f->def, n) };
}

/* Whole rows until there are enough of slots, rows or bytes: always at least one. */
static struct stride walked_stride(const struct cdc_pq_column_writer *c, const struct feed *f)
{
	const struct cdc_str *str = (const struct cdc_str *)(const void *)f->values;
	size_t budget = c->use_dict ? STRIDE_BYTES : page_room(c);
	uint32_t rows_left = c->opt->page_rows - c->rows;
	struct stride s = { 0, 0, 0 };
	size_t bytes = 0;

	while (s.slots < f->slots) {
		if (f->rep == NULL || f->rep[s.slots] == 0) {
			if (s.slots > 0 &&
			    (s.slots >= STRIDE_SLOTS || s.rows == rows_left || bytes >= budget))
				break;
			s.rows++;
		}
		if (f->def == NULL || f->def[s.slots] == c->leaf->max_def) {
			bytes += c->strings ? 4 + str[s.present].n : c->width;
			s.present++;
		}
		s.slots++;
	}
	return s;
}

static struct stride next_stride(const struct cdc_pq_column_writer *c, const struct feed *f)
{
	return c->strings || f->rep ? walked_stride(c, f) : flat_stride(c, f);
}

static int put_levels(struct cdc_buf *b, const uint8_t *levels, uint8_t max, uint8_t otherwise,
		      uint32_t n, struct cdc_err *err)
{
	int rc;

	if (max == 0)
		return CDC_OK;
	if (levels)
		return cdc_buf_append(b, levels, n, err);
	rc = cdc_buf_reserve(b, n, err);
	if (rc < 0)
		return rc;
	memset(b->p + b->len, otherwise, n);
	b->len += n;
	return CDC_OK;
}

static int put_stride(struct cdc_pq_column_writer *c, const struct feed *f, struct stride s,
		      struct cdc_err *err)
{
	uint8_t max_def = c->leaf->max_def;
	int rc = put_levels(&c->def, f->def, max_def, max_def, s.slots, err);

	if (rc == CDC_OK)
		rc = put_levels(&c->rep, f->rep, c->leaf->max_rep, 0, s.slots, err);
	if (rc == CDC_OK && s.present > 0)
		rc = c->use_dict ? put_dict(c, f->values, s.present, err)
				 : put_plain(c, f->values, s.present, err);
	c->slots += s.slots;
	c->rows += s.rows;
	c->present += s.present;
	return rc;
}

/* ------------------------------------------------------------- the dictionary */

/* PLAIN bytes of the values of the open page, which are dictionary indices so far. */
static size_t plain_size(const struct cdc_pq_column_writer *c)
{
	const uint32_t *index = (const uint32_t *)(const void *)c->index.p;
	size_t n = 0;

	if (c->width)
		return (size_t)c->present * c->width;
	for (uint32_t i = 0; i < c->present; i++)
		n += 4 + cdc_pq_dict_get(&c->dict, index[i]).n;
	return n;
}

/* A chunk of one page so far: would PLAIN be no larger? */
static bool plain_is_as_small(const struct cdc_pq_column_writer *c)
{
	return c->dict_pages == 0 && c->dict.count > 0 &&
	       c->dict.plain.len + cdc_pq_page_estimate(c) >=
		       plain_size(c) + (c->def.len + c->rep.len) / 8;
}

static bool dictionary_failed(const struct cdc_pq_column_writer *c, bool page_ends)
{
	uint64_t values = (uint64_t)c->chunk_present + c->present;

	if (c->dict.plain.len > c->opt->dictionary_bytes ||
	    c->dict.probes > PROBES_ALLOWED * (values + STRIDE_SLOTS))
		return true;
	if (values >= JUDGE_VALUES)
		return (uint64_t)c->dict.count * 5 > values * 2;
	return page_ends && values >= JUDGE_PAGE_VALUES && plain_is_as_small(c);
}

/* The values of the open page, from the dictionary, as a batch would have them. */
static int read_back(struct cdc_pq_column_writer *c, const uint32_t *index, uint32_t n,
		     struct cdc_err *err)
{
	struct cdc_str *str;
	int rc;

	cdc_buf_reset(&c->scratch->replayed);
	rc = cdc_buf_reserve(&c->scratch->replayed, n * c->elem + 1, err);
	if (rc < 0)
		return rc;
	str = (struct cdc_str *)(void *)c->scratch->replayed.p;
	for (uint32_t i = 0; i < n; i++) {
		struct cdc_str s = cdc_pq_dict_get(&c->dict, index[i]);

		if (c->strings)
			str[i] = s;
		else
			to_little_endian(c->scratch->replayed.p + i * c->elem, s.p, 1, c->width);
	}
	return CDC_OK;
}

static int feed_column(struct cdc_pq_column_writer *c, struct feed f, struct cdc_err *err);

/* Write the open page anew without a dictionary; it may become several pages. */
static int replay(struct cdc_pq_column_writer *c, struct cdc_err *err)
{
	struct cdc_buf def = c->def;
	struct cdc_buf rep = c->rep;
	struct feed f = { (const uint8_t *)def.p, (const uint8_t *)rep.p, NULL, c->slots };
	int rc = read_back(c, (const uint32_t *)(const void *)c->index.p, c->present, err);

	if (rc < 0)
		return rc;
	c->def = (struct cdc_buf)CDC_BUF_INIT;
	c->rep = (struct cdc_buf)CDC_BUF_INIT;
	f.values = c->scratch->replayed.p;
	c->use_dict = false;
	cdc_pq_page_reset(c);
	rc = feed_column(c, f, err);
	cdc_pq_dict_reset(&c->dict);
	cdc_buf_free(&def);
	cdc_buf_free(&rep);
	return rc;
}

static int give_up_dictionary(struct cdc_pq_column_writer *c, struct cdc_err *err)
{
	int rc;

	if (c->dict_pages == 0)
		return replay(c, err);
	rc = cdc_pq_page_flush(c, err);
	c->use_dict = false;
	return rc;
}

/* ----------------------------------------------------------------- the column */

static int feed_column(struct cdc_pq_column_writer *c, struct feed f, struct cdc_err *err)
{
	while (f.slots > 0) {
		struct stride s = next_stride(c, &f);
		int rc = put_stride(c, &f, s, err);
		bool full;

		if (rc < 0)
			return rc;
		f.slots -= s.slots;
		f.values = f.values ? f.values + s.present * c->elem : NULL;
		f.def = f.def ? f.def + s.slots : NULL;
		f.rep = f.rep ? f.rep + s.slots : NULL;
		full = c->rows >= c->opt->page_rows || page_room(c) == 0;
		if (c->use_dict && dictionary_failed(c, full))
			rc = give_up_dictionary(c, err);
		else if (full)
			rc = cdc_pq_page_flush(c, err);
		if (rc < 0)
			return rc;
	}
	return CDC_OK;
}

/* 12 bytes little-endian each, which are strings from here on. */
static int int96_strs(struct cdc_pq_column_writer *c, const struct cdc_pq_int96 *v, uint32_t n,
		      struct cdc_err *err)
{
	struct cdc_str *out;
	int rc;

	cdc_buf_reset(&c->scratch->int96);
	cdc_buf_reset(&c->scratch->values);
	rc = cdc_buf_reserve(&c->scratch->int96, (size_t)n * 12 + 1, err);
	if (rc == CDC_OK)
		rc = cdc_buf_reserve(&c->scratch->values, n * sizeof(*out) + 1, err);
	if (rc < 0)
		return rc;
	out = (struct cdc_str *)(void *)c->scratch->values.p;
	for (uint32_t i = 0; i < n; i++) {
		char *p = c->scratch->int96.p + (size_t)i * 12;

		cdc_put_le64(p, v[i].nanos);
		cdc_put_le32(p + 8, v[i].julian_day);
		out[i] = cdc_str(p, 12);
	}
	return CDC_OK;
}

#define CLOSE_GAPS(name, type)                                                                     \
	static void name(const type *v, const uint8_t *def, uint8_t max, uint32_t n, type *out)    \
	{                                                                                          \
		size_t at = 0;                                                                     \
                                                                                                   \
		for (uint32_t i = 0; i < n; i++) {                                                 \
			out[at] = v[i];                                                            \
			at += def[i] == max;                                                       \
		}                                                                                  \
	}

CLOSE_GAPS(close_gaps_1, uint8_t)
CLOSE_GAPS(close_gaps_4, uint32_t)
CLOSE_GAPS(close_gaps_8, uint64_t)
CLOSE_GAPS(close_gaps_16, struct cdc_str)

/* The values of n slots without those of nulls, into `to`, which may be `from`. */
static void close_gaps(const struct cdc_pq_column_writer *c, const void *from, const uint8_t *def,
		       uint32_t n, void *to)
{
	uint8_t max = c->leaf->max_def;

	if (c->elem == 1)
		close_gaps_1(from, def, max, n, to);
	else if (c->elem == 4)
		close_gaps_4(from, def, max, n, to);
	else if (c->elem == 8)
		close_gaps_8(from, def, max, n, to);
	else
		close_gaps_16(from, def, max, n, to);
}

int cdc_pq_column_append(struct cdc_pq_column_writer *c, const struct cdc_pq_vec *vec,
			 uint32_t from, uint32_t to, struct cdc_err *err)
{
	uint32_t n = to - from;
	struct feed f = { NULL, NULL, NULL, n };
	uint32_t present;
	int rc = CDC_OK;

	if (vec->def && c->leaf->max_def > 0)
		f.def = vec->def + from;
	if (vec->rep && c->leaf->max_rep > 0)
		f.rep = vec->rep + from;
	present = count_present(c, f.def, n);
	if (present == 0)
		return feed_column(c, f, err);
	if (c->leaf->type == CDC_PQ_INT96) {
		rc = int96_strs(c, (const struct cdc_pq_int96 *)vec->values + from, n, err);
		f.values = c->scratch->values.p;
	} else {
		f.values = (const char *)vec->values + from * c->elem;
		cdc_buf_reset(&c->scratch->values);
		if (present < n)
			rc = cdc_buf_reserve(&c->scratch->values, n * c->elem, err);
	}
	if (rc < 0)
		return rc;
	if (present < n) {
		close_gaps(c, f.values, f.def, n, c->scratch->values.p);
		f.values = c->scratch->values.p;
	}
	return feed_column(c, f, err);
}

int cdc_pq_column_end(struct cdc_pq_column_writer *c, struct cdc_pq_out_dictionary *dictionary,
		      struct cdc_err *err)
{
	int rc = CDC_OK;

	if (c->use_dict && plain_is_as_small(c))
		rc = replay(c, err);
	if (rc == CDC_OK && c->slots > 0)
		rc = cdc_pq_page_flush(c, err);
	if (rc == CDC_OK)
		rc = cdc_pq_pages_settle(c, dictionary, err);
	if (rc == CDC_OK)
		rc = cdc_pq_range_merge(&c->file_range, &c->chunk_range, c->order, err);
	c->file_slots += c->chunk_slots;
	c->file_nulls += c->chunk_slots - c->chunk_present;
	return rc;
}
