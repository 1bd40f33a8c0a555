/*
 * Proves that what the writer wrote is what the reader gives, slot for slot: all types, nestings,
 * codecs and page limits, read in batches of any size, with pages and rows skipped in flat columns;
 * and that the page index tells of the same rows. The rows are drawn a second time from the same
 * seed for the comparison, so neither side's memory is trusted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pq_types.h"

#include <unistd.h>

struct test_case {
	const char *name;
	void (*schema)(struct gen *g);
	uint32_t rows;
	uint64_t distinct;
	uint32_t null_permille;
	enum cdc_pq_codec codec;
	uint32_t page_rows;
	uint64_t group_rows;
	uint32_t dictionary_bytes;
	uint32_t most; /* slots of a batch */
};

static void optional_types(struct gen *g)
{
	types_flat(g, CDC_PQ_OPTIONAL);
}

static void required_types(struct gen *g)
{
	types_flat(g, CDC_PQ_REQUIRED);
}

static const struct test_case cases[] = {
	{ "dictionary", optional_types, 4000, 200, 100, CDC_PQ_ZSTD, 300, 1500, 1 << 20, 500 },
	{ "plain", optional_types, 4000, 0, 100, CDC_PQ_UNCOMPRESSED, 300, 1500, 0, 500 },
	{ "required", required_types, 4000, 0, 0, CDC_PQ_SNAPPY, 1000, 100000, 0, 3000 },
	{ "required_dict", required_types, 4000, 90, 0, CDC_PQ_LZ4, 777, 100000, 1 << 20, 3000 },
	{ "fallback", optional_types, 4000, 2000, 50, CDC_PQ_GZIP, 100, 2000, 4096, 64 },
	{ "no_nulls", optional_types, 3000, 50, 0, CDC_PQ_ZSTD, 256, 1000, 1 << 20, 700 },
	{ "all_null", optional_types, 1500, 0, 1000, CDC_PQ_ZSTD, 100, 1000, 1 << 20, 90 },
	{ "rare_nulls", optional_types, 3000, 0, 3, CDC_PQ_BROTLI, 500, 2000, 0, 40 },
	{ "single_slots", optional_types, 300, 20, 300, CDC_PQ_LZ4_RAW, 7, 100, 1 << 20, 1 },
	{ "nested", types_nested, 3000, 60, 100, CDC_PQ_ZSTD, 100, 1000, 1 << 20, 300 },
	{ "nested_plain", types_nested, 2000, 0, 300, CDC_PQ_SNAPPY, 17, 700, 0, 30 },
	{ "nested_single", types_nested, 500, 9, 500, CDC_PQ_UNCOMPRESSED, 5, 100, 1 << 20, 1 },
};

/* Where the reading of one leaf is. */
struct reading {
	struct cdc_pq_column *column;
	struct cdc_pq_vec vec;
	uint32_t at;
	int32_t group;
};

static void set_up(const struct test_case *t, struct gen *g)
{
	struct cdc_err err = CDC_ERR_INIT;

	gen_init(g, gen_mix((uint64_t)(t - cases) + 1000));
	g->distinct = t->distinct;
	g->null_permille = t->null_permille;
	g->long_permille = 20;
	t->schema(g);
	assert_int_equal(gen_ready(g, &err), CDC_OK);
}

static void write_file(const struct test_case *t, int fd)
{
	struct cdc_pq_vec vec[GEN_NODES];
	struct cdc_pq_write_options opt;
	struct cdc_pq_summary summary;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_writer *w;
	struct gen g;

	set_up(t, &g);
	cdc_pq_write_options_init(&opt);
	opt.codec = t->codec;
	opt.page_rows = t->page_rows;
	opt.row_group_rows = t->group_rows;
	opt.dictionary_bytes = t->dictionary_bytes;
	assert_int_equal(cdc_pq_writer_new(&w, &cdc_io_posix, fd, &g.schema, &opt, &err), CDC_OK);
	for (uint32_t done = 0; done < t->rows; done += 100) {
		gen_batch(&g, 100, vec);
		assert_int_equal(cdc_pq_writer_write(w, vec, 100, &err), CDC_OK);
	}
	assert_int_equal(cdc_pq_writer_finish(w, &summary, &err), CDC_OK);
	cdc_pq_summary_free(&summary);
	cdc_pq_writer_free(w);
	gen_free(&g);
}

static void same_slot(const struct cdc_pq_vec *got, uint32_t i, const struct cdc_pq_vec *want,
		      uint32_t k, const struct cdc_pq_node *n)
{
	static const size_t size[] = { 1, 4, 8, 16, 4, 8, 0, 0 };
	uint8_t def = want->def ? want->def[k] : n->max_def;
	const struct cdc_str *a;
	const struct cdc_str *b;

	assert_int_equal(got->def ? got->def[i] : n->max_def, def);
	assert_int_equal(got->rep ? got->rep[i] : 0, want->rep ? want->rep[k] : 0);
	if (n->type == CDC_PQ_BYTE_ARRAY || n->type == CDC_PQ_FIXED) {
		a = (const struct cdc_str *)got->values + i;
		b = (const struct cdc_str *)want->values + k;
		assert_int_equal(a->n, def == n->max_def ? b->n : 0);
		assert_true(cdc_str_eq(*a, *b));
	} else if (n->type == CDC_PQ_INT96) {
		assert_memory_equal((const char *)got->values + i * 16,
				    (const char *)want->values + k * 16, 12);
	} else {
		assert_memory_equal((const char *)got->values + i * size[n->type],
				    (const char *)want->values + k * size[n->type], size[n->type]);
	}
}

/* Make slot r->at of r->vec the next one of the leaf. */
static void advance(struct reading *r, struct cdc_pq_file *f, int32_t leaf, uint32_t most,
		    struct gen *random)
{
	struct cdc_err err = CDC_ERR_INIT;

	while (r->at == r->vec.n) {
		uint32_t max = 1 + (uint32_t)(gen_next(random) % most);
		int rc;

		if (!r->column)
			assert_int_equal(cdc_pq_column_open(&r->column, f, r->group++, leaf, &err),
					 CDC_OK);
		rc = cdc_pq_column_read(r->column, max, &r->vec, &err);
		assert_true(rc == CDC_OK || rc == CDC_END);
		r->at = 0;
		if (rc == CDC_OK) {
			assert_true(r->vec.n > 0);
			if (r->vec.rep)
				assert_int_equal(r->vec.rep[0], 0);
			else
				assert_true(r->vec.n <= max);
			continue;
		}
		r->vec.n = 0;
		cdc_pq_column_close(r->column);
		r->column = NULL;
	}
}

static void compare(const struct test_case *t, struct cdc_pq_file *f)
{
	struct reading r[GEN_NODES] = { { 0 } };
	struct cdc_pq_vec vec[GEN_NODES];
	struct cdc_err err = CDC_ERR_INIT;
	struct gen random;
	struct gen g;

	set_up(t, &g);
	gen_init(&random, 5);
	for (uint32_t done = 0; done < t->rows; done += 100) {
		gen_batch(&g, 100, vec);
		for (int32_t i = 0; i < g.schema.num_leaves; i++)
			for (uint32_t k = 0; k < vec[i].n; k++) {
				advance(&r[i], f, i, t->most, &random);
				same_slot(&r[i].vec, r[i].at++, &vec[i], k,
					  &g.node[g.schema.leaf_node[i]]);
			}
	}
	for (int32_t i = 0; i < g.schema.num_leaves; i++) {
		assert_int_equal(r[i].at, r[i].vec.n);
		assert_int_equal(cdc_pq_column_read(r[i].column, 1, &r[i].vec, &err), CDC_END);
		cdc_pq_column_close(r[i].column);
	}
	gen_free(&g);
}

/* Rows of one flat leaf, skipping some: those that are read are the right ones. */
static void compare_skipping(const struct test_case *t, struct cdc_pq_file *f, int32_t leaf)
{
	const struct cdc_pq_metadata *m = cdc_pq_metadata(f);
	struct cdc_pq_column *c = NULL;
	struct cdc_pq_vec vec[GEN_NODES];
	struct cdc_pq_vec got;
	struct cdc_err err = CDC_ERR_INIT;
	struct gen random;
	struct gen g;
	int32_t group = 0;
	int64_t left = 0; /* of the row group */
	uint32_t seen = 0;

	set_up(t, &g);
	gen_init(&random, 77);
	gen_batch(&g, t->rows, vec);
	while (seen < t->rows) {
		uint32_t n =
			1 + (uint32_t)(gen_next(&random) % (gen_chance(&random, 300) ? 900 : 20));

		if (left == 0) {
			cdc_pq_column_close(c);
			left = m->row_group[group].num_rows;
			assert_int_equal(cdc_pq_column_open(&c, f, group++, leaf, &err), CDC_OK);
		}
		n = n < left ? n : (uint32_t)left;
		if (gen_chance(&random, 500)) {
			assert_int_equal(cdc_pq_column_skip(c, n, &err), CDC_OK);
		} else {
			assert_int_equal(cdc_pq_column_read(c, n, &got, &err), CDC_OK);
			assert_int_equal(got.n, n);
			for (uint32_t i = 0; i < n; i++)
				same_slot(&got, i, &vec[leaf], seen + i,
					  &g.node[g.schema.leaf_node[leaf]]);
		}
		seen += n;
		left -= n;
	}
	assert_int_equal(cdc_pq_column_skip(c, 1, &err), CDC_EINTERNAL);
	assert_int_equal(cdc_pq_column_read(c, 1, &got, &err), CDC_EINTERNAL);
	cdc_pq_column_close(c);
	gen_free(&g);
}

static void check_index(struct cdc_pq_file *f, int32_t leaf, const struct test_case *t)
{
	const struct cdc_pq_metadata *m = cdc_pq_metadata(f);

	for (int32_t g = 0; g < m->num_row_groups; g++) {
		struct cdc_err err = CDC_ERR_INIT;
		struct cdc_pq_page_index index;
		int64_t rows = 0;
		int64_t nulls = 0;

		assert_int_equal(cdc_pq_page_index_read(&index, f, g, leaf, &err), CDC_OK);
		for (uint32_t i = 0; i < index.num_pages; i++) {
			assert_int_equal(index.page[i].first_row, rows);
			assert_true(index.page[i].num_rows <= t->page_rows);
			rows += index.page[i].num_rows;
			nulls += index.page[i].null_count;
		}
		assert_int_equal(rows, m->row_group[g].num_rows);
		if (m->row_group[g].column[leaf].stats.has_null_count &&
		    index.page[0].has_null_count)
			assert_int_equal(nulls, m->row_group[g].column[leaf].stats.null_count);
		cdc_pq_page_index_free(&index);
	}
}

static void run_case(void **state)
{
	const struct test_case *t = *state;
	const struct cdc_pq_metadata *m;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_file *f = NULL;
	char path[] = "/tmp/cdc-pq-round-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	write_file(t, fd);
	close(fd);
	assert_int_equal(cdc_pq_open(&f, &cdc_io_posix, path, 0, &err), CDC_OK);
	unlink(path);
	m = cdc_pq_metadata(f);
	assert_int_equal(m->num_rows, t->rows);
	compare(t, f);
	for (int32_t i = 0; i < m->schema.num_leaves; i++) {
		if (m->schema.node[m->schema.leaf_node[i]].max_rep == 0)
			compare_skipping(t, f, i);
		/* Pages whose order is not defined (INT96) need not have an index. */
		if (m->row_group[0].column[i].offset_index_offset)
			check_index(f, i, t);
	}
	cdc_pq_close(f);
}

int main(void)
{
	enum { NUM = sizeof(cases) / sizeof(cases[0]) };
	struct CMUnitTest tests[NUM];

	for (size_t i = 0; i < NUM; i++)
		tests[i] = (struct CMUnitTest){ cases[i].name, run_case, NULL, NULL,
						(void *)(uintptr_t)&cases[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
