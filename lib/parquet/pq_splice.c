/*
 * Column chunks taken over from other files: first the page headers are walked, so that what does
 * not add up is known before a byte is written, then the pages are copied. See pq_splice.h.
 */
#include "parquet/pq_splice.h"

#include "base/endian.h"
#include "parquet/pq_chunk_place.h"
#include "parquet/pq_chunk_read.h"

enum { HEADER_WINDOW = 4 << 10 }; /* read at once where only headers are wanted */

/* ------------------------------------------------------------------ schemas */

/* What the values of a node stand for, the same for old annotations and new ones. */
struct meaning {
	int kind; /* enum cdc_pq_logical */
	int a;
	int b;
};

static struct meaning integer(const struct cdc_pq_node *n, int bits, bool is_signed)
{
	/* Signed and as wide as the type is what no annotation means. */
	if (is_signed && bits == (n->type == CDC_PQ_INT32 ? 32 : 64))
		return (struct meaning){ CDC_PQ_LOGICAL_NONE, 0, 0 };
	return (struct meaning){ CDC_PQ_LOGICAL_INTEGER, bits, is_signed };
}

static struct meaning converted_meaning(const struct cdc_pq_node *n)
{
	static const struct meaning of[] = {
		[CDC_PQ_CONV_UTF8] = { CDC_PQ_LOGICAL_STRING, 0, 0 },
		[CDC_PQ_CONV_MAP] = { CDC_PQ_LOGICAL_MAP, 0, 0 },
		[CDC_PQ_CONV_MAP_KEY_VALUE] = { CDC_PQ_LOGICAL_NONE, 0, 0 },
		[CDC_PQ_CONV_LIST] = { CDC_PQ_LOGICAL_LIST, 0, 0 },
		[CDC_PQ_CONV_ENUM] = { CDC_PQ_LOGICAL_ENUM, 0, 0 },
		[CDC_PQ_CONV_DATE] = { CDC_PQ_LOGICAL_DATE, 0, 0 },
		[CDC_PQ_CONV_TIME_MILLIS] = { CDC_PQ_LOGICAL_TIME, true, CDC_PQ_MILLIS },
		[CDC_PQ_CONV_TIME_MICROS] = { CDC_PQ_LOGICAL_TIME, true, CDC_PQ_MICROS },
		[CDC_PQ_CONV_TIMESTAMP_MILLIS] = { CDC_PQ_LOGICAL_TIMESTAMP, true, CDC_PQ_MILLIS },
		[CDC_PQ_CONV_TIMESTAMP_MICROS] = { CDC_PQ_LOGICAL_TIMESTAMP, true, CDC_PQ_MICROS },
		[CDC_PQ_CONV_JSON] = { CDC_PQ_LOGICAL_JSON, 0, 0 },
		[CDC_PQ_CONV_BSON] = { CDC_PQ_LOGICAL_BSON, 0, 0 },
		[CDC_PQ_CONV_INTERVAL] = { CDC_PQ_LOGICAL_OTHER, 0, 0 },
	};
	int c = n->converted;

	if (c == CDC_PQ_CONV_DECIMAL)
		return (struct meaning){ CDC_PQ_LOGICAL_DECIMAL, n->precision, n->scale };
	if (c >= CDC_PQ_CONV_UINT_8 && c <= CDC_PQ_CONV_UINT_64)
		return integer(n, 8 << (c - CDC_PQ_CONV_UINT_8), false);
	if (c >= CDC_PQ_CONV_INT_8 && c <= CDC_PQ_CONV_INT_64)
		return integer(n, 8 << (c - CDC_PQ_CONV_INT_8), true);
	if (c == CDC_PQ_CONV_NONE)
		return (struct meaning){ CDC_PQ_LOGICAL_NONE, 0, 0 };
	if (c < 0 || (size_t)c >= sizeof(of) / sizeof(of[0]))
		return (struct meaning){ CDC_PQ_LOGICAL_OTHER, 0, 0 };
	return of[c];
}

static struct meaning meaning_of(const struct cdc_pq_node *n)
{
	switch ((int)n->logical) {
	case CDC_PQ_LOGICAL_NONE:
		return converted_meaning(n);
	case CDC_PQ_LOGICAL_DECIMAL:
		return (struct meaning){ CDC_PQ_LOGICAL_DECIMAL, n->precision, n->scale };
	case CDC_PQ_LOGICAL_TIME:
	case CDC_PQ_LOGICAL_TIMESTAMP:
		return (struct meaning){ (int)n->logical, n->utc, (int)n->unit };
	case CDC_PQ_LOGICAL_INTEGER:
		return integer(n, n->bit_width, n->is_signed);
	default:
		return (struct meaning){ (int)n->logical, 0, 0 };
	}
}

static bool same_node(const struct cdc_pq_node *file, const struct cdc_pq_node *want)
{
	struct meaning a = meaning_of(file);
	struct meaning b = meaning_of(want);

	if (!cdc_str_eq(file->name, want->name) || file->is_leaf != want->is_leaf ||
	    file->repetition != want->repetition || file->num_children != want->num_children)
		return false;
	if (want->is_leaf && (file->type != want->type || (want->type == CDC_PQ_FIXED &&
							   file->type_length != want->type_length)))
		return false;
	if (want->has_field_id && (!file->has_field_id || file->field_id != want->field_id))
		return false;
	return a.kind == b.kind && a.a == b.a && a.b == b.b && a.kind != CDC_PQ_LOGICAL_OTHER;
}

bool cdc_pq_can_splice(const struct cdc_pq_file *f, const struct cdc_pq_schema *schema)
{
	const struct cdc_pq_schema *s = &f->meta.schema;

	if (f->carried_prefix || f->v2_flag_lies || s->num_nodes != schema->num_nodes ||
	    s->node[0].num_children != schema->node[0].num_children)
		return false;
	for (int32_t i = 1; i < s->num_nodes; i++)
		if (!same_node(&s->node[i], &schema->node[i]))
			return false;
	return true;
}

/* ------------------------------------------------------------------ probing */

static bool supported(const struct cdc_pq_column_meta *m, const struct cdc_pq_node *leaf)
{
	if (m->encrypted || m->has_file_path || m->codec == CDC_PQ_LZO ||
	    !cdc_pq_codec_known(m->codec) || m->total_uncompressed_size < 0)
		return false;
	/* How many values are null must be known for the statistics of the table. */
	return m->stats.has_null_count ? m->stats.null_count <= m->num_values
				       : leaf->max_def == 0 || leaf->max_rep > 0;
}

/* A page is counted; false: it has no place here. */
static bool take_header(struct cdc_pq_splice *s, const struct cdc_pq_chunk *c,
			const struct cdc_pq_page_header *h, uint64_t *rows)
{
	bool v2 = h->type == CDC_PQ_DATA_PAGE_V2;

	if (h->type == CDC_PQ_DICTIONARY_PAGE) {
		if (c->page_pos)
			return false;
		s->meta.dictionary_page = true;
		s->meta.dictionary_encoding = h->encoding;
		s->meta.m.encodings |= 1U << CDC_PQ_PLAIN;
		return h->encoding == CDC_PQ_PLAIN || h->encoding == CDC_PQ_PLAIN_DICTIONARY;
	}
	if ((h->type != CDC_PQ_DATA_PAGE && !v2) || (unsigned)h->encoding >= CDC_PQ_NUM_ENCODINGS)
		return false;
	if (!s->num_pages)
		s->data_pos = c->page_pos;
	s->num_pages++;
	s->meta.data_pages[v2][h->encoding]++;
	s->meta.m.encodings |= 1U << h->encoding;
	s->meta.m.num_values += h->num_values;
	s->rows_known = s->rows_known && (v2 || !rows);
	if (rows && v2)
		*rows += (uint64_t)h->num_rows;
	return true;
}

/* Do all pages together hold what the footer says? */
static bool adds_up(const struct cdc_pq_splice *s, const struct cdc_pq_row_group *g,
		    const struct cdc_pq_column_meta *m, bool nested, uint64_t rows)
{
	if (!s->num_pages || s->meta.m.num_values != m->num_values)
		return false;
	if (!nested)
		return m->num_values == g->num_rows;
	return s->rows_known ? rows == (uint64_t)g->num_rows : g->num_rows <= m->num_values;
}

static int walk(struct cdc_pq_splice *s, struct cdc_pq_chunk *c, uint64_t *nested_rows,
		struct cdc_err *err)
{
	struct cdc_pq_page_header h;

	while (c->pos < s->len) {
		int rc = cdc_pq_chunk_header(c, &h, err);

		if (rc < 0)
			return rc;
		if (rc == CDC_END || c->stretched || !take_header(s, c, &h, nested_rows))
			return CDC_END;
	}
	return CDC_OK;
}

int cdc_pq_splice_probe(struct cdc_pq_splice *s, struct cdc_pq_file *f, int32_t row_group,
			int32_t leaf, struct cdc_err *err)
{
	const struct cdc_pq_row_group *g = &f->meta.row_group[row_group];
	const struct cdc_pq_column_meta *m = &g->column[leaf];
	const struct cdc_pq_node *node = &f->meta.schema.node[f->meta.schema.leaf_node[leaf]];
	struct cdc_pq_chunk c = { .window = CDC_PQ_MEM_INIT };
	struct cdc_err why = CDC_ERR_INIT;
	uint32_t window = f->window;
	bool nested = node->max_rep > 0;
	uint64_t rows = 0;
	int rc;

	*s = (struct cdc_pq_splice){ .rows_known = true };
	if (!supported(m, node) || m->num_values == 0)
		return CDC_END;
	rc = cdc_pq_chunk_place(f, m, &s->offset, &s->len, &why);
	if (rc < 0 || s->len != (uint64_t)m->total_compressed_size)
		return rc == CDC_ENOMEM ? cdc_fail_nomem(err) : CDC_END;
	cdc_pq_chunk_init(&c, f, s->offset, s->len);
	s->meta.m.encodings = 1U << CDC_PQ_RLE;
	f->window = HEADER_WINDOW;
	rc = walk(s, &c, nested ? &rows : NULL, &why);
	f->window = window;
	cdc_pq_mem_free(&c.window);
	/* What is damaged is left to the decoder, which knows what to say of it. */
	if (rc < 0 && rc != CDC_ECORRUPT) {
		*err = why;
		return rc;
	}
	if (rc != CDC_OK || !adds_up(s, g, m, nested, rows))
		return CDC_END;
	s->meta.m.type = m->type;
	s->meta.m.codec = m->codec;
	s->meta.m.encodings |= m->encodings;
	s->meta.m.total_uncompressed_size = m->total_uncompressed_size;
	s->meta.m.total_compressed_size = (int64_t)s->len;
	s->meta.m.stats = m->stats;
	if (!m->stats.has_null_count && node->max_def == 0) {
		s->meta.m.stats.has_null_count = true;
		s->meta.m.stats.null_count = 0;
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ copying */

static int copy_pages(const struct cdc_pq_splice *s, struct cdc_pq_chunks *w,
		      struct cdc_pq_chunk *c, bool nested, struct cdc_err *err)
{
	struct cdc_pq_page_header h;
	const uint8_t *stored = NULL;
	int64_t first_row = 0;
	size_t pages = 0;
	size_t n = 0;
	int rc = CDC_OK;

	while (rc == CDC_OK && c->pos < s->len) {
		struct cdc_pq_page_entry e = { .offset = w->offset, .first_row = first_row };

		rc = cdc_pq_chunk_header(c, &h, err);
		if (rc == CDC_OK)
			rc = cdc_pq_chunk_stored(c, &h, &stored, &n, err);
		if (rc < 0)
			break;
		if (rc == CDC_END || c->stretched || pages > s->num_pages)
			return cdc_fail(err, CDC_ECORRUPT, "the file changed while it was read");
		if (h.has_crc && cdc_pq_crc32(stored + (n - (size_t)h.compressed_size),
					      (size_t)h.compressed_size) != h.crc)
			return cdc_fail(err, CDC_ECORRUPT, "the checksum of a page is wrong");
		rc = cdc_pq_chunks_put(w, stored, n, err);
		if (h.type == CDC_PQ_DICTIONARY_PAGE)
			continue;
		if (n > INT32_MAX)
			return cdc_fail(err, CDC_EUNSUPPORTED, "a page of over 2 GiB");
		e.size = (int32_t)n;
		first_row += nested ? h.num_rows : h.num_values;
		if (pages < s->num_pages)
			w->entry[pages] = e;
		pages++;
	}
	if (rc == CDC_OK && pages != s->num_pages)
		return cdc_fail(err, CDC_ECORRUPT, "the file changed while it was read");
	return rc;
}

/* Whether the bounds of all pages can be believed: only then does the column index go along. */
static bool all_bounded(const struct cdc_pq_page_index *index)
{
	for (uint32_t i = 0; i < index->num_pages; i++)
		if (!index->page[i].all_null && !index->page[i].has_min_max)
			return false;
	return true;
}

/* The column index has no offsets: it is taken as it is. The offset index is written anew. */
static int copy_indexes(const struct cdc_pq_splice *s, struct cdc_pq_chunks *w,
			const struct cdc_pq_file *f, int32_t row_group, int32_t leaf,
			struct cdc_pq_index_span *span, struct cdc_err *err)
{
	const struct cdc_pq_column_meta *m = &f->meta.row_group[row_group].column[leaf];
	struct cdc_pq_page_index index;
	bool rows_known = s->rows_known;
	int rc = cdc_pq_page_index_read(&index, f, row_group, leaf, err);
	bool have = rc == CDC_OK && index.num_pages == s->num_pages;

	if (rc < 0)
		return rc;
	for (size_t i = 0; have && !s->rows_known && i < s->num_pages; i++)
		w->entry[i].first_row = index.page[i].first_row;
	rows_known = rows_known || have;
	span->column_at = w->indexes.len;
	rc = CDC_OK;
	if (have && all_bounded(&index)) {
		size_t n = (size_t)m->column_index_length;

		rc = cdc_buf_reserve(&w->indexes, n, err);
		if (rc == CDC_OK)
			rc = cdc_io_pread_full(f->io, f->fd, w->indexes.p + w->indexes.len, n,
					       (uint64_t)m->column_index_offset, f->path, err);
		if (rc == CDC_OK)
			w->indexes.len += n;
	}
	span->column_n = w->indexes.len - span->column_at;
	span->offset_at = w->indexes.len;
	if (rc == CDC_OK && rows_known)
		rc = cdc_pq_write_offset_index(w->entry, s->num_pages, &w->indexes, err);
	span->offset_n = w->indexes.len - span->offset_at;
	cdc_pq_page_index_free(&index);
	return rc;
}

/* The bounds' bytes are the other file's, which may be closed before the footer is written. */
static int keep_bounds(struct cdc_pq_statistics *s, struct cdc_arena *arena, struct cdc_err *err)
{
	if (!s->has_min_max)
		return CDC_OK;
	s->min_value.p = cdc_arena_dup(arena, s->min_value.p, s->min_value.n);
	s->max_value.p = cdc_arena_dup(arena, s->max_value.p, s->max_value.n);
	return s->min_value.p && s->max_value.p ? CDC_OK : cdc_fail_nomem(err);
}

int cdc_pq_splice_chunk(const struct cdc_pq_splice *s, struct cdc_pq_chunks *w,
			struct cdc_pq_file *f, int32_t row_group, int32_t leaf,
			struct cdc_pq_chunk_meta *meta, struct cdc_pq_index_span *span,
			struct cdc_err *err)
{
	const struct cdc_pq_node *node = &f->meta.schema.node[f->meta.schema.leaf_node[leaf]];
	struct cdc_pq_chunk c = { .window = CDC_PQ_MEM_INIT };
	uint64_t start = w->offset;
	int rc = cdc_pq_chunks_entries(w, s->num_pages, err);

	cdc_pq_chunk_init(&c, f, s->offset, s->len);
	*meta = s->meta;
	meta->m.data_page_offset = (int64_t)(start + s->data_pos);
	if (meta->dictionary_page)
		meta->m.dictionary_page_offset = (int64_t)start;
	if (rc == CDC_OK)
		rc = copy_pages(s, w, &c, node->max_rep > 0, err);
	cdc_pq_mem_free(&c.window);
	if (rc < 0) {
		cdc_err_file(err, f->path);
		cdc_err_offset(err, s->offset + c.page_pos);
		return rc;
	}
	rc = keep_bounds(&meta->m.stats, &w->arena, err);
	return rc == CDC_OK ? copy_indexes(s, w, f, row_group, leaf, span, err) : rc;
}

/* ------------------------------------------------------------------ counting */

static int take_bounds(struct cdc_pq_column_writer *c, const struct cdc_pq_statistics *s,
		       bool plain_zero, struct cdc_err *err)
{
	const struct cdc_str bound[2] = { s->min_value, s->max_value };
	struct cdc_pq_range *r = &c->file_range;
	uint8_t b[2];
	int32_t i32[2];
	int64_t i64[2];
	float f[2];
	double d[2];

	if (c->strings)
		return cdc_pq_range_strs(r, c->order, bound, 2, err);
	for (int i = 0; i < 2; i++) {
		b[i] = (uint8_t)(bound[i].p[0] != 0);
		i32[i] = c->width == 4 ? (int32_t)cdc_le32(bound[i].p) : 0;
		i64[i] = c->width == 8 ? (int64_t)cdc_le64(bound[i].p) : 0;
		memcpy(&f[i], &i32[i], sizeof(f[i]));
		memcpy(&d[i], &i64[i], sizeof(d[i]));
		if (plain_zero) { /* no negative zero */
			f[i] += 0.0F;
			d[i] += 0.0;
		}
	}
	if (c->order == CDC_PQ_ORDER_BOOL)
		cdc_pq_range_bools(r, b, 2);
	else if (c->order == CDC_PQ_ORDER_FLOAT && c->width == 4)
		cdc_pq_range_float(r, f, 2);
	else if (c->order == CDC_PQ_ORDER_FLOAT)
		cdc_pq_range_double(r, d, 2);
	else if (c->width == 4)
		cdc_pq_range_int32(r, c->order, i32, 2);
	else
		cdc_pq_range_int64(r, c->order, i64, 2);
	return CDC_OK;
}

int cdc_pq_splice_count(struct cdc_pq_column_writer *c, const struct cdc_pq_column_meta *m,
			bool plain_zero, struct cdc_err *err)
{
	const struct cdc_pq_statistics *s = &m->stats;
	bool exact = c->order == CDC_PQ_ORDER_BYTES || (s->min_exact && s->max_exact);

	c->file_slots += m->num_values;
	c->file_nulls += s->null_count;
	if (c->order == CDC_PQ_ORDER_NONE || s->null_count == m->num_values)
		return CDC_OK;
	/* Writers leave NaN out of the bounds: without a count there may be some. */
	if (!s->has_min_max || !exact || (c->order == CDC_PQ_ORDER_FLOAT && !s->has_nan_count)) {
		c->file_unbounded = true;
		return CDC_OK;
	}
	c->file_range.nan_count += s->has_nan_count ? s->nan_count : 0;
	return take_bounds(c, s, plain_zero, err);
}
