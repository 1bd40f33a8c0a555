/*
 * Parquet files from anyone: whatever bytes come, opening and reading every column ends with values
 * or an error, in bounded time and memory; and a column that is read in pieces with rows skipped
 * between them gives the same slots as one that is read in a row. Taking its row groups over into
 * another file ends as well.
 */
#include "base/hash.h"
#include "memory_io.h"
#include "parquet/parquet.h"
#include "parquet/pq_file.h"

#include <errno.h>
#include <stdlib.h>

#define SLOTS_MAX 50000 /* a few bytes of runs can make millions of them */
#define COLUMNS_MAX 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static uint64_t hash_slot(const struct cdc_pq_vec *v, uint32_t i, uint8_t max_def)
{
	const struct cdc_pq_int96 *t;
	const struct cdc_str *s;
	uint64_t h = 1;

	if (v->def) {
		check(v->def[i] <= max_def);
		if (v->def[i] < max_def)
			return v->def[i];
	}
	switch (v->type) {
	case CDC_PQ_BOOLEAN:
		check(((const uint8_t *)v->values)[i] <= 1);
		h = ((const uint8_t *)v->values)[i];
		break;
	case CDC_PQ_INT32:
	case CDC_PQ_FLOAT:
		h = cdc_hash64((const int32_t *)v->values + i, 4);
		break;
	case CDC_PQ_INT64:
	case CDC_PQ_DOUBLE:
		h = cdc_hash64((const int64_t *)v->values + i, 8);
		break;
	case CDC_PQ_INT96:
		t = (const struct cdc_pq_int96 *)v->values + i;
		h = t->nanos * 31 + t->julian_day;
		break;
	case CDC_PQ_BYTE_ARRAY:
	case CDC_PQ_FIXED:
		s = (const struct cdc_str *)v->values + i;
		h = cdc_hash64(s->p, s->n) + s->n;
		break;
	}
	return h * 256 + max_def;
}

/* Read all slots in batches of `batch`; their hashes to h. */
static size_t read_all(struct cdc_pq_file *f, int32_t g, int32_t leaf, uint8_t max_def,
		       uint32_t batch, uint64_t *h)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_column *c = NULL;
	struct cdc_pq_vec v;
	size_t n = 0;
	int rc = cdc_pq_column_open(&c, f, g, leaf, &err);

	while (rc == CDC_OK && n < SLOTS_MAX) {
		rc = cdc_pq_column_read(c, batch, &v, &err);
		if (rc != CDC_OK)
			break;
		check(v.n > 0 && (v.rep || v.n <= batch));
		for (uint32_t i = 0; i < v.n && n < SLOTS_MAX; i++)
			h[n++] = hash_slot(&v, i, max_def);
	}
	check(rc >= 0 || err.code == rc);
	cdc_pq_column_close(c);
	return n;
}

/* Skip and read by turns; slots that both passes give are the same. */
static void read_pieces(struct cdc_pq_file *f, int32_t g, int32_t leaf, uint8_t max_def,
			const uint64_t *h, size_t n)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_column *c = NULL;
	struct cdc_pq_vec v;
	uint64_t random = n;
	size_t at = 0;
	int rc = cdc_pq_column_open(&c, f, g, leaf, &err);

	while (rc == CDC_OK && at < n) {
		uint32_t k;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
		k = 1 + (uint32_t)(random >> 33) % ((random >> 60) ? 40 : 3000);
		if (random >> 40 & 1) {
			k = k < n - at ? k : (uint32_t)(n - at);
			rc = cdc_pq_column_skip(c, k, &err);
			at += k;
			continue;
		}
		rc = cdc_pq_column_read(c, k, &v, &err);
		if (rc != CDC_OK)
			break;
		for (uint32_t i = 0; i < v.n && at < n; i++)
			check(hash_slot(&v, i, max_def) == h[at++]);
	}
	check(rc >= 0 || err.code != CDC_EINTERNAL);
	cdc_pq_column_close(c);
}

static void read_index(struct cdc_pq_file *f, int32_t g, int32_t leaf)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_page_index index;
	uint64_t sum = 0;

	if (cdc_pq_page_index_read(&index, f, g, leaf, &err) != CDC_OK)
		return;
	check(index.num_pages > 0);
	for (uint32_t i = 0; i < index.num_pages; i++)
		if (index.page[i].has_min_max)
			sum += cdc_hash64(index.page[i].min_value.p, index.page[i].min_value.n) +
			       cdc_hash64(index.page[i].max_value.p, index.page[i].max_value.n);
	check(sum != 1);
	cdc_pq_page_index_free(&index);
}

/* The row groups that can be taken over into another file are, whatever their pages hold. */
static void splice(struct cdc_pq_file *f, const struct cdc_io *io)
{
	const struct cdc_pq_metadata *m = cdc_pq_metadata(f);
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_write_options opt;
	struct cdc_pq_summary summary;
	struct cdc_pq_writer *w = NULL;
	uint64_t rows = 0;
	int rc = CDC_OK;

	cdc_pq_write_options_init(&opt);
	if (!cdc_pq_can_splice(f, &m->schema) ||
	    cdc_pq_writer_new(&w, io, 3, &m->schema, &opt, &err) != CDC_OK)
		return;
	for (int32_t g = 0; rc >= 0 && g < m->num_row_groups && g < COLUMNS_MAX; g++) {
		rc = cdc_pq_writer_splice(w, f, g, NULL, &err);
		check(rc >= 0 || err.code == rc);
		rows += rc == CDC_OK ? (uint64_t)m->row_group[g].num_rows : 0;
	}
	if (rc >= 0 && cdc_pq_writer_finish(w, &summary, &err) == CDC_OK) {
		check((uint64_t)summary.num_rows == rows);
		cdc_pq_summary_free(&summary);
	}
	cdc_pq_writer_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct memory mem = { data, n };
	const struct cdc_io io = memory_io(&mem);
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_file *f = NULL;
	const struct cdc_pq_metadata *m;
	uint64_t *h;
	int32_t columns = 0;

	if (cdc_pq_open(&f, &io, "fuzz", 0, &err) != CDC_OK) {
		check(err.code < 0);
		return 0;
	}
	cdc_pq_limit_page(f, 64u << 20);
	f->window = n % 3 ? f->window : 1 + (uint32_t)(n % 199);
	h = malloc(SLOTS_MAX * sizeof(*h));
	check(h != NULL);
	m = cdc_pq_metadata(f);
	for (int32_t g = 0; g < m->num_row_groups; g++)
		for (int32_t i = 0; i < m->schema.num_leaves && columns < COLUMNS_MAX; i++) {
			const struct cdc_pq_node *node = &m->schema.node[m->schema.leaf_node[i]];
			size_t slots = read_all(f, g, i, node->max_def, n % 7 ? 1000 : 3, h);

			if (node->max_rep == 0)
				read_pieces(f, g, i, node->max_def, h, slots);
			read_index(f, g, i);
			columns++;
		}
	splice(f, &io);
	free(h);
	cdc_pq_close(f);
	return 0;
}
