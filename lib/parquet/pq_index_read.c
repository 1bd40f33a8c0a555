/*
 * The page index: OffsetIndex and ColumnIndex of a chunk, joined and checked against each other and
 * the chunk. An index that does not agree is ignored, never an error (spec 3.5).
 */
#include "parquet/pq_file.h"
#include "parquet/pq_meta_read.h"

/* Bytes of a PageLocation at least: three fields and the STOP. */
enum { MIN_LOCATION = 7 };

/* What the two structs say, list by list. */
struct raw_index {
	uint32_t num_pages;
	struct cdc_pq_page_info *page;
};

static void read_location(struct cdc_pq_tread *r, struct cdc_pq_page_info *p)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_I64,
		[2] = CDC_PQ_WIRE_I32,
		[3] = CDC_PQ_WIRE_I64,
	} };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;

	while (cdc_pq_tread_field(r, &f, &want)) {
		if (f.id == 1)
			p->offset = cdc_pq_tread_i64(r);
		else if (f.id == 2)
			p->compressed_size = cdc_pq_tread_i32(r);
		else
			p->first_row = cdc_pq_tread_i64(r);
	}
}

/* CDC_OK even when the bytes are no OffsetIndex: num_pages is 0 then. */
static int read_offset_index(struct raw_index *raw, const void *p, size_t n,
			     struct cdc_arena *arena, struct cdc_err *err)
{
	static const struct cdc_pq_twant want = { { [1] = CDC_PQ_WIRE_LIST } };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
	struct cdc_pq_tread r;

	cdc_pq_tread_init(&r, p, n);
	while (cdc_pq_tread_field(&r, &f, &want)) {
		uint32_t count = cdc_pq_tread_list(&r, CDC_PQ_WIRE_STRUCT);

		if (count > (size_t)(r.end - r.p) / MIN_LOCATION)
			break;
		raw->page = cdc_arena_calloc(arena, count ? count : 1, sizeof(*raw->page));
		if (!raw->page)
			return cdc_fail_nomem(err);
		for (uint32_t i = 0; i < count && !r.bad; i++)
			read_location(&r, &raw->page[i]);
		raw->num_pages = count;
	}
	if (r.bad)
		raw->num_pages = 0;
	return CDC_OK;
}

/* One list of a ColumnIndex into the pages, as far as there are pages. */
static void read_list(struct cdc_pq_tread *r, struct raw_index *raw, int16_t id)
{
	enum cdc_pq_wire type = id == 1	  ? CDC_PQ_WIRE_TRUE
				: id == 5 ? CDC_PQ_WIRE_I64
					  : CDC_PQ_WIRE_BINARY;
	uint32_t count = cdc_pq_tread_list(r, type);

	if (count != raw->num_pages) {
		cdc_pq_tread_fail(r, "its lists are not equally long");
		return;
	}
	for (uint32_t i = 0; i < count && !r->bad; i++) {
		struct cdc_pq_page_info *p = &raw->page[i];

		if (id == 1)
			p->all_null = cdc_pq_tread_elem_bool(r);
		else if (id == 2)
			p->min_value = cdc_pq_tread_binary(r);
		else if (id == 3)
			p->max_value = cdc_pq_tread_binary(r);
		else
			p->null_count = cdc_pq_tread_i64(r);
	}
}

static bool read_column_index(struct raw_index *raw, const void *p, size_t n)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_LIST,
		[2] = CDC_PQ_WIRE_LIST,
		[3] = CDC_PQ_WIRE_LIST,
		[5] = CDC_PQ_WIRE_LIST,
	} };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
	struct cdc_pq_tread r;
	unsigned has = 0;

	cdc_pq_tread_init(&r, p, n);
	while (cdc_pq_tread_field(&r, &f, &want)) {
		read_list(&r, raw, f.id);
		has |= 1u << f.id;
	}
	if (r.bad || (has & 0xe) != 0xe)
		return false;
	for (uint32_t i = 0; i < raw->num_pages; i++)
		raw->page[i].has_null_count = (has & 1u << 5) && raw->page[i].null_count >= 0;
	return true;
}

/* Pages lie in the chunk, one after the other, and so do their rows. */
static bool pages_agree(const struct raw_index *raw, const struct cdc_pq_column_meta *m,
			int64_t num_rows, uint64_t end)
{
	int64_t offset = 4;
	int64_t row = 0;

	for (uint32_t i = 0; i < raw->num_pages; i++) {
		struct cdc_pq_page_info *p = &raw->page[i];
		int64_t next = i + 1 < raw->num_pages ? p[1].first_row : num_rows;

		if (p->offset < offset || p->compressed_size <= 0 || (uint64_t)p->offset > end ||
		    (uint64_t)p->compressed_size > end - (uint64_t)p->offset)
			return false;
		offset = p->offset + p->compressed_size;
		if (p->first_row != row || next <= row)
			return false;
		p->num_rows = next - row;
		row = next;
	}
	return raw->num_pages > 0 && raw->page[0].offset >= m->data_page_offset &&
	       offset - raw->page[0].offset <= m->total_compressed_size;
}

/* The bytes of an index; NULL without an error when it is not there or not inside the file. */
static int read_bytes(const struct cdc_pq_file *f, int64_t offset, int32_t length,
		      struct cdc_arena *arena, void **p, struct cdc_err *err)
{
	*p = NULL;
	if (offset < 4 || length <= 0 || (uint64_t)offset > f->footer_start ||
	    (uint64_t)length > f->footer_start - (uint64_t)offset)
		return CDC_OK;
	*p = cdc_arena_alloc(arena, (size_t)length);
	if (!*p)
		return cdc_fail_nomem(err);
	return cdc_io_pread_full(f->io, f->fd, *p, (size_t)length, (uint64_t)offset, f->path, err);
}

static int read_index(struct cdc_pq_page_index *index, const struct cdc_pq_file *f,
		      const struct cdc_pq_row_group *g, int32_t leaf, struct cdc_err *err)
{
	const struct cdc_pq_schema *s = &f->meta.schema;
	const struct cdc_pq_column_meta *m = &g->column[leaf];
	struct raw_index raw = { 0 };
	void *p = NULL;
	bool bounds;
	int rc = read_bytes(f, m->offset_index_offset, m->offset_index_length, &index->arena, &p,
			    err);

	if (rc < 0 || !p)
		return rc < 0 ? rc : CDC_END;
	rc = read_offset_index(&raw, p, (size_t)m->offset_index_length, &index->arena, err);
	if (rc < 0)
		return rc;
	if (!pages_agree(&raw, m, g->num_rows, f->footer_start))
		return CDC_END;
	rc = read_bytes(f, m->column_index_offset, m->column_index_length, &index->arena, &p, err);
	if (rc < 0)
		return rc;
	bounds = p && read_column_index(&raw, p, (size_t)m->column_index_length);
	for (uint32_t i = 0; i < raw.num_pages; i++) {
		struct cdc_pq_page_info *pi = &raw.page[i];

		pi->all_null = bounds && pi->all_null;
		pi->has_min_max = bounds && !pi->all_null &&
				  cdc_pq_bounds_usable(&s->node[s->leaf_node[leaf]],
						       cdc_pq_leaf_trust(&f->meta, leaf),
						       pi->min_value, pi->max_value);
	}
	index->page = raw.page;
	index->num_pages = raw.num_pages;
	return CDC_OK;
}

int cdc_pq_page_index_read(struct cdc_pq_page_index *index, const struct cdc_pq_file *f,
			   int32_t row_group, int32_t leaf, struct cdc_err *err)
{
	int rc;

	*index = (struct cdc_pq_page_index){ .arena = CDC_ARENA_INIT };
	if (row_group < 0 || row_group >= f->meta.num_row_groups || leaf < 0 ||
	    leaf >= f->meta.schema.num_leaves)
		return cdc_fail(err, CDC_EINTERNAL, "no row group %d or no leaf %d", (int)row_group,
				(int)leaf);
	rc = read_index(index, f, &f->meta.row_group[row_group], leaf, err);
	if (rc != CDC_OK)
		cdc_pq_page_index_free(index);
	if (rc < 0)
		cdc_err_file(err, f->path);
	return rc;
}

void cdc_pq_page_index_free(struct cdc_pq_page_index *index)
{
	cdc_arena_free(&index->arena);
	index->page = NULL;
	index->num_pages = 0;
}
