/*
 * Where a column chunk lies when the footer may be wrong about its size (spec 1.1, 3.2).
 */
#include "parquet/pq_chunk_place.h"

#include <stdlib.h>

/* Its first page: the dictionary, where one is named in front of the data pages. */
static int64_t start_of(const struct cdc_pq_column_meta *m)
{
	bool dictionary =
		m->dictionary_page_offset >= 4 && m->dictionary_page_offset < m->data_page_offset;

	return dictionary ? m->dictionary_page_offset : m->data_page_offset;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Once for all: a file whose every chunk is in doubt costs no more than sorting them. */
static int sort_starts(struct cdc_pq_file *f, struct cdc_err *err)
{
	const struct cdc_pq_metadata *m = &f->meta;
	size_t n = (size_t)m->num_row_groups * (size_t)m->schema.num_leaves;

	f->chunk_start = cdc_arena_calloc(&f->meta.arena, n + 1, sizeof(*f->chunk_start));
	if (!f->chunk_start)
		return cdc_fail_nomem(err);
	for (int32_t g = 0; g < m->num_row_groups; g++) {
		for (int32_t i = 0; i < m->schema.num_leaves; i++) {
			int64_t at = start_of(&m->row_group[g].column[i]);

			f->chunk_start[f->num_chunk_starts++] = at > 0 ? (uint64_t)at : 0;
		}
	}
	qsort(f->chunk_start, n, sizeof(*f->chunk_start), ascending);
	return CDC_OK;
}

int cdc_pq_chunk_room(struct cdc_pq_file *f, uint64_t start, uint64_t *room, struct cdc_err *err)
{
	size_t low = 0;
	size_t high;
	uint64_t end = f->footer_start;
	int rc = f->chunk_start ? CDC_OK : sort_starts(f, err);

	if (rc < 0)
		return rc;
	high = f->num_chunk_starts;
	while (low < high) { /* the first start that is greater */
		size_t mid = low + (high - low) / 2;

		if (f->chunk_start[mid] > start)
			high = mid;
		else
			low = mid + 1;
	}
	if (low < f->num_chunk_starts && f->chunk_start[low] < end)
		end = f->chunk_start[low];
	*room = end > start ? end - start : 0;
	return CDC_OK;
}

int cdc_pq_chunk_place(struct cdc_pq_file *f, const struct cdc_pq_column_meta *m, uint64_t *start,
		       uint64_t *len, struct cdc_err *err)
{
	int64_t at = start_of(m);

	if (at < 4 || (uint64_t)at >= f->footer_start)
		return cdc_fail(err, CDC_ECORRUPT, "its chunk lies outside the data");
	*start = (uint64_t)at;
	*len = (uint64_t)m->total_compressed_size;
	if (*len > f->footer_start - *start)
		return cdc_pq_chunk_room(f, *start, len, err);
	return CDC_OK;
}
