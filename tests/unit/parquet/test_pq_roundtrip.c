/*
 * Proves that the reader gives back what the writer took: random schemas up to four levels deep,
 * random nulls, repeats and values, random page, dictionary and row group limits, every codec, and
 * batches of random sizes on both sides. Slots are compared with what was drawn, bit by bit. The
 * same holds for a file into which some row groups of the first were spliced, others decoded and
 * written again; its page index covers what the first file's did, and its summary never tells
 * other bounds than hold.
 * $CDC_PQ_ROUNDS sets how many files (default 300), $CDC_PQ_SEED where they start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pq_types.h"

#include "parquet/pq_file.h"
#include "parquet/pq_stats.h"

#include <fcntl.h>
#include <unistd.h>

/* All slots of a leaf that went into the file. */
struct kept {
	uint8_t *def;
	uint8_t *rep;
	char *values;
	size_t elem;
	size_t n;
	size_t cap;
};

struct round {
	struct gen g;
	struct kept kept[GEN_NODES];
	struct cdc_arena bytes;
	struct cdc_pq_write_options opt;
	uint64_t rows;
	char path[64];
	struct cdc_pq_summary summary;
	uint64_t spliced; /* row groups */
	uint64_t seed;
};

static uint64_t pick(struct round *r, uint64_t n)
{
	return (r->seed = gen_mix(r->seed)) % n;
}

static const char *node_name(struct round *r)
{
	char name[16];
	int n = snprintf(name, sizeof(name), "n%d", (int)r->g.schema.num_nodes);

	return cdc_arena_dupz(&r->g.arena, cdc_str(name, (size_t)n));
}

static void random_leaf(struct round *r, enum cdc_pq_repetition rep)
{
	static const struct {
		enum cdc_pq_type type;
		enum cdc_pq_logical logical;
		int32_t length;
		int32_t precision;
	} kind[] = {
		{ CDC_PQ_BOOLEAN, CDC_PQ_LOGICAL_NONE, 0, 0 },
		{ CDC_PQ_INT32, CDC_PQ_LOGICAL_NONE, 0, 0 },
		{ CDC_PQ_INT32, CDC_PQ_LOGICAL_DATE, 0, 0 },
		{ CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE, 0, 0 },
		{ CDC_PQ_INT64, CDC_PQ_LOGICAL_DECIMAL, 0, 18 },
		{ CDC_PQ_INT96, CDC_PQ_LOGICAL_NONE, 0, 0 },
		{ CDC_PQ_FLOAT, CDC_PQ_LOGICAL_NONE, 0, 0 },
		{ CDC_PQ_DOUBLE, CDC_PQ_LOGICAL_NONE, 0, 0 },
		{ CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING, 0, 0 },
		{ CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_NONE, 0, 0 },
		{ CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_DECIMAL, 0, 38 },
		{ CDC_PQ_FIXED, CDC_PQ_LOGICAL_NONE, 1, 0 },
		{ CDC_PQ_FIXED, CDC_PQ_LOGICAL_NONE, 4, 0 },
		{ CDC_PQ_FIXED, CDC_PQ_LOGICAL_NONE, 37, 0 },
		{ CDC_PQ_FIXED, CDC_PQ_LOGICAL_DECIMAL, 16, 38 },
	};
	size_t k = pick(r, sizeof(kind) / sizeof(kind[0]));
	struct cdc_pq_node *n = gen_column(&r->g, node_name(r), rep, kind[k].type, kind[k].logical);

	n->type_length = kind[k].length;
	n->precision = kind[k].precision;
}

static void random_node(struct round *r, int depth)
{
	enum cdc_pq_repetition rep = (enum cdc_pq_repetition)pick(r, depth > 1 ? 3 : 2);
	bool deep = depth < 4 && r->g.schema.num_nodes < GEN_NODES - 30 && pick(r, 3) == 0;
	int32_t children = 1 + (int32_t)pick(r, 3);

	if (!deep) {
		random_leaf(r, depth == 1 && pick(r, 10) == 0 ? CDC_PQ_REPEATED : rep);
		return;
	}
	if (pick(r, 2))
		rep = CDC_PQ_REPEATED;
	gen_group(&r->g, node_name(r), rep, children);
	for (int32_t i = 0; i < children; i++)
		random_node(r, depth + 1);
}

static void random_options(struct round *r)
{
	static const enum cdc_pq_codec codec[] = { CDC_PQ_ZSTD,	  CDC_PQ_UNCOMPRESSED,
						   CDC_PQ_SNAPPY, CDC_PQ_GZIP,
						   CDC_PQ_BROTLI, CDC_PQ_LZ4,
						   CDC_PQ_LZ4_RAW };

	cdc_pq_write_options_init(&r->opt);
	r->opt.codec = codec[pick(r, 7)];
	if (pick(r, 2))
		r->opt.page_rows = 1 + (uint32_t)pick(r, pick(r, 2) ? 10 : 1000);
	if (pick(r, 3) == 0)
		r->opt.page_bytes = 1 + (uint32_t)pick(r, 5000);
	if (pick(r, 2))
		r->opt.row_group_rows = 1 + pick(r, r->rows + 1);
	if (pick(r, 4) == 0)
		r->opt.row_group_bytes = 1 + pick(r, 50000);
	if (pick(r, 3) == 0)
		r->opt.dictionary_bytes = (uint32_t)pick(r, 3) * 500;
}

static void random_draw(struct round *r)
{
	uint64_t style = pick(r, 4);

	r->g.null_permille = (uint32_t)(pick(r, 4) ? pick(r, 400) : pick(r, 2) * 1000);
	r->g.nan_permille = (uint32_t)pick(r, 3) * 50;
	r->g.max_repeat = (uint32_t)pick(r, 6);
	r->g.long_permille = pick(r, 6) ? 0 : (uint32_t)pick(r, 100);
	r->g.distinct = style ? 1 + pick(r, style == 1 ? 5 : 500) : 0;
	if (pick(r, 3) == 0)
		r->g.distinct_from = pick(r, r->rows + 1);
	r->g.ascending = pick(r, 10) == 0;
}

static void keep(struct round *r, struct kept *k, const struct gen_leaf *l, bool strings)
{
	if (k->n + l->n > k->cap) {
		k->cap = 2 * (k->n + l->n);
		k->def = realloc(k->def, k->cap);
		k->rep = realloc(k->rep, k->cap);
		k->values = realloc(k->values, k->cap * l->elem);
		assert_true(k->def && k->rep && k->values);
	}
	memcpy(k->def + k->n, l->def, l->n);
	memcpy(k->rep + k->n, l->rep, l->n);
	memcpy(k->values + k->n * l->elem, l->values, l->n * l->elem);
	for (uint32_t i = 0; strings && i < l->n; i++) {
		struct cdc_str *s = (struct cdc_str *)(void *)k->values + k->n + i;

		s->p = s->p ? cdc_arena_dup(&r->bytes, s->p, s->n) : NULL;
	}
	k->elem = l->elem;
	k->n += l->n;
}

static void write_file(struct round *r)
{
	struct cdc_pq_vec vec[GEN_NODES];
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_writer *w;
	uint64_t left = r->rows;
	int fd;

	strcpy(r->path, "/tmp/cdc-pq-XXXXXX");
	fd = mkstemp(r->path);
	assert_true(fd >= 0);
	assert_int_equal(cdc_pq_writer_new(&w, &cdc_io_posix, fd, &r->g.schema, &r->opt, &err),
			 CDC_OK);
	while (left > 0) {
		uint32_t n = 1 + (uint32_t)pick(r, pick(r, 2) ? 20 : 3000);

		n = n < left ? n : (uint32_t)left;
		gen_batch(&r->g, n, vec);
		for (int32_t i = 0; i < r->g.schema.num_leaves; i++) {
			enum cdc_pq_type type = vec[i].type;

			keep(r, &r->kept[i], &r->g.leaf[i],
			     type == CDC_PQ_BYTE_ARRAY || type == CDC_PQ_FIXED);
			/* Levels that say nothing may be left out. */
			if (vec[i].def && pick(r, 2) && r->g.null_permille == 0 &&
			    !r->g.node[r->g.schema.leaf_node[i]].max_rep)
				vec[i].def = NULL;
		}
		assert_int_equal(cdc_pq_writer_write(w, vec, n, &err), CDC_OK);
		left -= n;
	}
	assert_int_equal(cdc_pq_writer_finish(w, &r->summary, &err), CDC_OK);
	cdc_pq_writer_free(w);
	assert_int_equal(close(fd), 0);
}

static bool same_value(enum cdc_pq_type type, const char *a, const char *b, size_t elem)
{
	const struct cdc_pq_int96 *x = (const void *)a;
	const struct cdc_pq_int96 *y = (const void *)b;

	if (type == CDC_PQ_BYTE_ARRAY || type == CDC_PQ_FIXED)
		return cdc_str_eq(*(const struct cdc_str *)(const void *)a,
				  *(const struct cdc_str *)(const void *)b);
	if (type == CDC_PQ_INT96)
		return x->nanos == y->nanos && x->julian_day == y->julian_day;
	return memcmp(a, b, elem) == 0;
}

static void compare(const struct round *r, int32_t leaf, const struct cdc_pq_vec *got, size_t at)
{
	const struct cdc_pq_node *n = &r->g.node[r->g.schema.leaf_node[leaf]];
	const struct kept *k = &r->kept[leaf];

	assert_int_equal(got->type, n->type);
	assert_true(at + got->n <= k->n);
	for (size_t i = 0; i < got->n; i++) {
		assert_int_equal(got->def ? got->def[i] : n->max_def, k->def[at + i]);
		assert_int_equal(got->rep ? got->rep[i] : 0, k->rep[at + i]);
		if (k->def[at + i] == n->max_def)
			assert_true(same_value(n->type, (const char *)got->values + i * k->elem,
					       k->values + (at + i) * k->elem, k->elem));
	}
}

static void read_file(struct round *r)
{
	struct cdc_err err = CDC_ERR_INIT;
	const struct cdc_pq_metadata *meta;
	struct cdc_pq_file *f;

	if (cdc_pq_open(&f, &cdc_io_posix, r->path, 0, &err) != CDC_OK)
		fail_msg("%s: %s", r->path, err.msg);
	/* Chunks are small here: let windows on them be so too. */
	f->window = 1 + (uint32_t)pick(r, 2000);
	meta = cdc_pq_metadata(f);
	assert_int_equal(meta->num_rows, r->rows);
	assert_int_equal(meta->schema.num_nodes, r->g.schema.num_nodes);
	for (int32_t leaf = 0; leaf < r->g.schema.num_leaves; leaf++) {
		size_t at = 0;

		for (int32_t g = 0; g < meta->num_row_groups; g++) {
			struct cdc_pq_column *c;
			struct cdc_pq_vec got;
			int rc;

			if (cdc_pq_column_open(&c, f, g, leaf, &err) != CDC_OK)
				fail_msg("%s", err.msg);
			while ((rc = cdc_pq_column_read(c, 1 + (uint32_t)pick(r, 3000), &got,
							&err)) == CDC_OK) {
				assert_true(got.n > 0);
				compare(r, leaf, &got, at);
				at += got.n;
			}
			if (rc != CDC_END)
				fail_msg("%s", err.msg);
			cdc_pq_column_close(c);
		}
		assert_int_equal(at, r->kept[leaf].n);
	}
	cdc_pq_close(f);
}

/* ------------------------------------------------------------------ splicing */

/* Decode a whole row group and write it. */
static void rewrite_group(struct round *r, struct cdc_pq_writer *w, struct cdc_pq_file *f,
			  int32_t g)
{
	struct cdc_pq_column *c[GEN_NODES];
	struct cdc_pq_vec vec[GEN_NODES];
	struct cdc_err err = CDC_ERR_INIT;
	int32_t leaves = r->g.schema.num_leaves;

	for (int32_t i = 0; i < leaves; i++) {
		assert_int_equal(cdc_pq_column_open(&c[i], f, g, i, &err), CDC_OK);
		assert_int_equal(cdc_pq_column_read(c[i], UINT32_MAX, &vec[i], &err), CDC_OK);
	}
	assert_int_equal(cdc_pq_writer_write(
				 w, vec, (uint32_t)cdc_pq_metadata(f)->row_group[g].num_rows, &err),
			 CDC_OK);
	for (int32_t i = 0; i < leaves; i++)
		cdc_pq_column_close(c[i]);
}

static void compare_bounds(const struct cdc_pq_node *n, const struct cdc_pq_leaf_summary *was,
			   const struct cdc_pq_leaf_summary *is)
{
	enum cdc_pq_order order = cdc_pq_order_of(n);

	assert_int_equal(is->num_values, was->num_values);
	if (n->max_rep == 0)
		assert_int_equal(is->null_count, was->null_count);
	if (!is->has_min_max)
		return;
	assert_true(was->has_min_max);
	if (order == CDC_PQ_ORDER_FLOAT) {
		assert_true(is->min.d == was->min.d && is->max.d == was->max.d);
		assert_true(!signbit(was->min.d) || signbit(is->min.d));
	} else if (order == CDC_PQ_ORDER_DECIMAL && n->type != CDC_PQ_INT64 &&
		   n->type != CDC_PQ_INT32) {
		assert_int_equal(cdc_pq_order_strs(order, is->min.s, was->min.s), 0);
		assert_int_equal(cdc_pq_order_strs(order, is->max.s, was->max.s), 0);
	} else if (order == CDC_PQ_ORDER_BYTES) {
		assert_true(cdc_str_cmp(is->min.s, was->min.s) <= 0);
		assert_true(cdc_str_cmp(is->max.s, was->max.s) >= 0);
	} else {
		assert_int_equal(is->min.i, was->min.i);
		assert_int_equal(is->max.i, was->max.i);
	}
}

/* Every spliced chunk has the pages and bounds that it had. */
static void compare_indexes(const struct cdc_pq_file *a, int32_t ga, const struct cdc_pq_file *b,
			    int32_t gb)
{
	struct cdc_err err = CDC_ERR_INIT;

	for (int32_t leaf = 0; leaf < cdc_pq_metadata(a)->schema.num_leaves; leaf++) {
		struct cdc_pq_page_index x, y;

		assert_int_equal(cdc_pq_page_index_read(&x, a, ga, leaf, &err), CDC_OK);
		assert_int_equal(cdc_pq_page_index_read(&y, b, gb, leaf, &err), CDC_OK);
		assert_int_equal(x.num_pages, y.num_pages);
		for (uint32_t i = 0; i < x.num_pages; i++) {
			assert_int_equal(x.page[i].first_row, y.page[i].first_row);
			assert_int_equal(x.page[i].compressed_size, y.page[i].compressed_size);
			assert_int_equal(x.page[i].has_min_max, y.page[i].has_min_max);
			if (x.page[i].has_min_max)
				assert_true(cdc_str_eq(x.page[i].max_value, y.page[i].max_value));
		}
		cdc_pq_page_index_free(&x);
		cdc_pq_page_index_free(&y);
	}
}

/* A file of the row groups of r->path takes its place. */
static void splice_file(struct round *r)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_summary summary;
	struct cdc_pq_file *f, *out;
	struct cdc_pq_writer *w;
	char path[64] = "/tmp/cdc-pq-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(cdc_pq_open(&f, &cdc_io_posix, r->path, 0, &err), CDC_OK);
	assert_true(cdc_pq_can_splice(f, &r->g.schema));
	/* What is decoded makes row groups of its own, in other pages. */
	r->opt.row_group_rows = 1 << 20;
	r->opt.row_group_bytes = 1 << 30;
	r->opt.page_rows = 777;
	assert_int_equal(cdc_pq_writer_new(&w, &cdc_io_posix, fd, &r->g.schema, &r->opt, &err),
			 CDC_OK);
	for (int32_t g = 0; g < cdc_pq_metadata(f)->num_row_groups; g++) {
		if (pick(r, 3) == 0) {
			rewrite_group(r, w, f, g);
			continue;
		}
		if (cdc_pq_writer_splice(w, f, g, NULL, &err) != CDC_OK)
			fail_msg("row group %d: %s", (int)g, err.msg);
		r->spliced++;
	}
	assert_int_equal(cdc_pq_writer_rows(w), r->rows);
	assert_int_equal(cdc_pq_writer_finish(w, &summary, &err), CDC_OK);
	cdc_pq_writer_free(w);
	assert_int_equal(close(fd), 0);
	assert_int_equal(summary.num_rows, r->rows);
	for (int32_t i = 0; i < r->g.schema.num_leaves; i++)
		compare_bounds(&r->g.node[r->g.schema.leaf_node[i]], &r->summary.leaf[i],
			       &summary.leaf[i]);
	cdc_pq_summary_free(&summary);
	assert_int_equal(cdc_pq_open(&out, &cdc_io_posix, path, 0, &err), CDC_OK);
	if (cdc_pq_metadata(out)->num_row_groups == cdc_pq_metadata(f)->num_row_groups)
		for (int32_t g = 0; g < cdc_pq_metadata(f)->num_row_groups; g++)
			if (cdc_pq_metadata(out)->row_group[g].total_compressed_size ==
			    cdc_pq_metadata(f)->row_group[g].total_compressed_size)
				compare_indexes(f, g, out, g);
	cdc_pq_close(out);
	cdc_pq_close(f);
	unlink(r->path);
	strcpy(r->path, path);
}

/* Returns how many row groups were spliced. */
static uint64_t one_round(uint64_t seed)
{
	uint64_t spliced;
	struct round *r = calloc(1, sizeof(*r));
	struct cdc_err err = CDC_ERR_INIT;
	int32_t columns;

	assert_non_null(r);
	r->seed = gen_mix(seed);
	gen_init(&r->g, gen_mix(r->seed));
	columns = 1 + (int32_t)pick(r, 5);
	gen_group(&r->g, "root", CDC_PQ_REQUIRED, columns);
	for (int32_t i = 0; i < columns; i++)
		random_node(r, 1);
	assert_int_equal(gen_ready(&r->g, &err), CDC_OK);
	r->rows = pick(r, 10) ? pick(r, pick(r, 4) ? 2000 : 30) : pick(r, 30000);
	random_options(r);
	random_draw(r);
	write_file(r);
	read_file(r);
	splice_file(r);
	read_file(r);
	unlink(r->path);
	cdc_pq_summary_free(&r->summary);
	for (int32_t i = 0; i < r->g.schema.num_leaves; i++) {
		free(r->kept[i].def);
		free(r->kept[i].rep);
		free(r->kept[i].values);
	}
	cdc_arena_free(&r->bytes);
	gen_free(&r->g);
	spliced = r->spliced;
	free(r);
	return spliced;
}

static void random_files(void **state)
{
	const char *rounds = getenv("CDC_PQ_ROUNDS");
	const char *seed = getenv("CDC_PQ_SEED");
	uint64_t start = seed ? strtoull(seed, NULL, 10) : 1;
	uint64_t n = rounds ? strtoull(rounds, NULL, 10) : 300;
	uint64_t spliced = 0;

	(void)state;
	for (uint64_t i = start; i < start + n; i++) {
		if (rounds)
			print_message("# seed %" PRIu64 "\n", i);
		spliced += one_round(i);
	}
	assert_true(spliced >= n);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(random_files) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
