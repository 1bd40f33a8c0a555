/*
 * Proves that whole files come out as asked: sizes, counts and summaries against a naive count, for
 * every type, nesting, codec and page limit. Each case leaves NAME.parquet, NAME.rows (the rows as
 * JSON lines) and NAME.info (options and summary) in $CDC_PQ_DIR, when that is set, for
 * tests/interop/check_parquet.py, which reads them with other programs and compares rows,
 * statistics and page indexes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pq_types.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct test_case {
	const char *name;
	void (*schema)(struct gen *g);
	uint64_t rows;
	uint64_t distinct;
	uint64_t distinct_from;
	int null_permille; /* 0: 100; -1: none */
	uint32_t nan_permille;
	uint32_t long_permille;
	bool ascending;
	enum cdc_pq_codec codec; /* 0: zstd */
	bool uncompressed;
	uint32_t page_rows;
	uint32_t page_bytes;
	uint64_t group_rows;
	uint64_t group_bytes;
	uint32_t dictionary_bytes;
	bool no_dictionary;
	uint32_t batch;
};

static void optional_types(struct gen *g)
{
	types_flat(g, CDC_PQ_OPTIONAL);
}

static void required_types(struct gen *g)
{
	types_flat(g, CDC_PQ_REQUIRED);
}

static void numbers(struct gen *g)
{
	gen_group(g, "schema", CDC_PQ_REQUIRED, 4);
	gen_column(g, "i64", CDC_PQ_OPTIONAL, CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE);
	gen_column(g, "double", CDC_PQ_OPTIONAL, CDC_PQ_DOUBLE, CDC_PQ_LOGICAL_NONE);
	gen_column(g, "float", CDC_PQ_REQUIRED, CDC_PQ_FLOAT, CDC_PQ_LOGICAL_NONE);
	gen_column(g, "string", CDC_PQ_OPTIONAL, CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING);
}

static const struct test_case cases[] = {
	{ .name = "optional", .schema = optional_types, .rows = 5000, .distinct = 300 },
	{ .name = "required", .schema = required_types, .rows = 5000 },
	{ .name = "all_null",
	  .schema = optional_types,
	  .rows = 2500,
	  .null_permille = 1000,
	  .page_rows = 1000 },
	{ .name = "mostly_null",
	  .schema = optional_types,
	  .rows = 2500,
	  .null_permille = 995,
	  .distinct = 5,
	  .page_rows = 100 },
	{ .name = "no_rows", .schema = optional_types },
	{ .name = "one_row", .schema = required_types, .rows = 1 },
	{ .name = "one_value",
	  .schema = optional_types,
	  .rows = 3000,
	  .distinct = 1,
	  .page_rows = 700 },
	{ .name = "small_pages",
	  .schema = optional_types,
	  .rows = 3000,
	  .page_rows = 100,
	  .page_bytes = 500,
	  .distinct = 60 },
	{ .name = "tiny_pages", .schema = optional_types, .rows = 300, .page_rows = 1, .batch = 7 },
	{ .name = "edge_99", .schema = numbers, .rows = 99, .page_rows = 100 },
	{ .name = "edge_100", .schema = numbers, .rows = 100, .page_rows = 100 },
	{ .name = "edge_101", .schema = numbers, .rows = 101, .page_rows = 100 },
	{ .name = "edge_200", .schema = numbers, .rows = 200, .page_rows = 100, .batch = 100 },
	{ .name = "groups",
	  .schema = optional_types,
	  .rows = 3500,
	  .group_rows = 1000,
	  .page_rows = 300,
	  .distinct = 40 },
	{ .name = "group_exact", .schema = numbers, .rows = 3000, .group_rows = 1000 },
	{ .name = "group_bytes",
	  .schema = numbers,
	  .rows = 60000,
	  .group_bytes = 300000,
	  .batch = 500 },
	{ .name = "fallback",
	  .schema = numbers,
	  .rows = 60000,
	  .distinct = 200,
	  .distinct_from = 25000 },
	{ .name = "dict_full",
	  .schema = optional_types,
	  .rows = 5000,
	  .distinct = 1500,
	  .dictionary_bytes = 4096,
	  .page_rows = 250 },
	{ .name = "no_dict",
	  .schema = optional_types,
	  .rows = 1000,
	  .distinct = 5,
	  .no_dictionary = true },
	{ .name = "ascending",
	  .schema = numbers,
	  .rows = 5000,
	  .ascending = true,
	  .page_rows = 500 },
	{ .name = "long_strings",
	  .schema = optional_types,
	  .rows = 3000,
	  .long_permille = 300,
	  .page_rows = 50,
	  .distinct = 500 },
	{ .name = "long_unique",
	  .schema = required_types,
	  .rows = 2000,
	  .long_permille = 1000,
	  .page_rows = 1,
	  .batch = 64 },
	{ .name = "nan_some",
	  .schema = numbers,
	  .rows = 2000,
	  .nan_permille = 50,
	  .page_rows = 100 },
	{ .name = "nan_all",
	  .schema = numbers,
	  .rows = 2000,
	  .nan_permille = 1000,
	  .page_rows = 100 },
	{ .name = "nested", .schema = types_nested, .rows = 4000, .distinct = 50 },
	{ .name = "nested_unique", .schema = types_nested, .rows = 4000, .null_permille = 200 },
	{ .name = "nested_pages",
	  .schema = types_nested,
	  .rows = 2000,
	  .page_rows = 17,
	  .page_bytes = 100,
	  .distinct = 30,
	  .group_rows = 700 },
	{ .name = "nested_null", .schema = types_nested, .rows = 500, .null_permille = 1000 },
	{ .name = "nested_one", .schema = types_nested, .rows = 1, .null_permille = -1 },
	{ .name = "snappy",
	  .schema = optional_types,
	  .rows = 3000,
	  .codec = CDC_PQ_SNAPPY,
	  .distinct = 900 },
	{ .name = "gzip",
	  .schema = optional_types,
	  .rows = 3000,
	  .codec = CDC_PQ_GZIP,
	  .distinct = 900 },
	{ .name = "brotli",
	  .schema = optional_types,
	  .rows = 3000,
	  .codec = CDC_PQ_BROTLI,
	  .distinct = 900 },
	{ .name = "lz4_raw",
	  .schema = optional_types,
	  .rows = 3000,
	  .codec = CDC_PQ_LZ4_RAW,
	  .distinct = 900 },
	{ .name = "lz4_hadoop",
	  .schema = optional_types,
	  .rows = 3000,
	  .codec = CDC_PQ_LZ4,
	  .distinct = 900 },
	{ .name = "uncompressed",
	  .schema = optional_types,
	  .rows = 3000,
	  .uncompressed = true,
	  .distinct = 900 },
};

static const char *temp_dir(void)
{
	static char dir[64] = "/tmp/cdc-pq-XXXXXX";
	static bool made;
	const char *given = getenv("CDC_PQ_DIR");

	if (given)
		return given;
	if (!made)
		assert_non_null(mkdtemp(dir));
	made = true;
	return dir;
}

static void set_options(const struct test_case *t, struct cdc_pq_write_options *opt)
{
	cdc_pq_write_options_init(opt);
	if (t->codec || t->uncompressed)
		opt->codec = t->codec;
	opt->page_rows = t->page_rows ? t->page_rows : opt->page_rows;
	opt->page_bytes = t->page_bytes ? t->page_bytes : opt->page_bytes;
	opt->row_group_rows = t->group_rows ? t->group_rows : opt->row_group_rows;
	opt->row_group_bytes = t->group_bytes ? t->group_bytes : opt->row_group_bytes;
	opt->dictionary_bytes = t->dictionary_bytes ? t->dictionary_bytes : opt->dictionary_bytes;
	if (t->no_dictionary)
		opt->dictionary_bytes = 0;
}

static void print_bound(FILE *f, const struct cdc_pq_node *n, const union cdc_pq_scalar *v)
{
	if (n->type == CDC_PQ_FLOAT || n->type == CDC_PQ_DOUBLE)
		fprintf(f, "\"%a\"", v->d);
	else if (n->type == CDC_PQ_BYTE_ARRAY || n->type == CDC_PQ_FIXED) {
		fputc('"', f);
		for (size_t i = 0; i < v->s.n; i++)
			fprintf(f, "%02x", (uint8_t)v->s.p[i]);
		fputc('"', f);
	} else if (n->logical == CDC_PQ_LOGICAL_INTEGER && !n->is_signed)
		fprintf(f, "%" PRIu64, (uint64_t)v->i);
	else
		fprintf(f, "%" PRId64, v->i);
}

static void print_info(const char *path, const struct gen *g,
		       const struct cdc_pq_write_options *opt, const struct cdc_pq_summary *s)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f,
		"{\"codec\":%d,\"page_rows\":%u,\"page_bytes\":%u,\"row_group_rows\":%" PRIu64
		",\"row_group_bytes\":%" PRIu64 ",\"dictionary_bytes\":%u,\"file_bytes\":%" PRIu64
		",\"num_rows\":%" PRId64 ",\"leaf\":[",
		(int)opt->codec, opt->page_rows, opt->page_bytes, opt->row_group_rows,
		opt->row_group_bytes, opt->dictionary_bytes, s->file_bytes, s->num_rows);
	for (int32_t i = 0; i < s->num_leaves; i++) {
		const struct cdc_pq_leaf_summary *l = &s->leaf[i];
		const struct cdc_pq_node *n = &g->node[g->schema.leaf_node[i]];

		fprintf(f, "%s{\"num_values\":%" PRId64 ",\"null_count\":%" PRId64, i ? "," : "",
			l->num_values, l->null_count);
		if (l->has_min_max) {
			fprintf(f, ",\"min\":");
			print_bound(f, n, &l->min);
			fprintf(f, ",\"max\":");
			print_bound(f, n, &l->max);
		}
		fputc('}', f);
	}
	fputs("]}\n", f);
	fclose(f);
}

static void check_frame(const char *path, const struct cdc_pq_summary *s)
{
	char magic[4];
	struct stat st;
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	assert_int_equal(st.st_size, s->file_bytes);
	assert_int_equal(fread(magic, 1, 4, f), 4);
	assert_memory_equal(magic, "PAR1", 4);
	assert_int_equal(fseek(f, -4, SEEK_END), 0);
	assert_int_equal(fread(magic, 1, 4, f), 4);
	assert_memory_equal(magic, "PAR1", 4);
	fclose(f);
}

static void write_case(void **state)
{
	const struct test_case *t = *state;
	struct cdc_pq_vec vec[GEN_NODES];
	int64_t slots[GEN_NODES] = { 0 };
	int64_t nulls[GEN_NODES] = { 0 };
	struct cdc_pq_write_options opt;
	struct cdc_pq_summary summary;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_writer *w;
	struct gen g;
	char parquet[512];
	char rows[512];
	char info[512];
	uint64_t left = t->rows;
	uint32_t batch = t->batch ? t->batch : 1000;
	int fd;

	snprintf(parquet, sizeof(parquet), "%s/%s.parquet", temp_dir(), t->name);
	snprintf(rows, sizeof(rows), "%s/%s.rows", temp_dir(), t->name);
	snprintf(info, sizeof(info), "%s/%s.info", temp_dir(), t->name);
	gen_init(&g, gen_mix((uint64_t)(t - cases)));
	g.distinct = t->distinct;
	g.distinct_from = t->distinct_from;
	if (t->null_permille)
		g.null_permille = t->null_permille < 0 ? 0 : (uint32_t)t->null_permille;
	g.nan_permille = t->nan_permille;
	g.long_permille = t->long_permille;
	g.ascending = t->ascending;
	t->schema(&g);
	assert_int_equal(gen_ready(&g, &err), CDC_OK);
	g.json = fopen(rows, "w");
	assert_non_null(g.json);
	fd = open(parquet, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	assert_true(fd >= 0);
	set_options(t, &opt);
	assert_int_equal(cdc_pq_writer_new(&w, &cdc_io_posix, fd, &g.schema, &opt, &err), CDC_OK);
	while (left > 0) {
		uint32_t n = left < batch ? (uint32_t)left : batch;

		gen_batch(&g, n, vec);
		assert_int_equal(cdc_pq_writer_write(w, vec, n, &err), CDC_OK);
		for (int32_t i = 0; i < g.schema.num_leaves; i++) {
			slots[i] += vec[i].n;
			for (uint32_t k = 0; vec[i].def && k < vec[i].n; k++)
				nulls[i] += vec[i].def[k] < g.node[g.schema.leaf_node[i]].max_def;
		}
		left -= n;
	}
	assert_true(cdc_pq_writer_bytes(w) > 0);
	assert_int_equal(cdc_pq_writer_finish(w, &summary, &err), CDC_OK);
	assert_int_equal(close(fd), 0);
	assert_int_equal(fclose(g.json), 0);
	assert_int_equal(summary.num_rows, t->rows);
	for (int32_t i = 0; i < g.schema.num_leaves; i++) {
		assert_int_equal(summary.leaf[i].num_values, slots[i]);
		assert_int_equal(summary.leaf[i].null_count, nulls[i]);
	}
	check_frame(parquet, &summary);
	print_info(info, &g, &opt, &summary);
	cdc_pq_summary_free(&summary);
	cdc_pq_writer_free(w);
	gen_free(&g);
	if (!getenv("CDC_PQ_DIR")) {
		unlink(parquet);
		unlink(rows);
		unlink(info);
	}
}

static int remove_dir(void **state)
{
	(void)state;
	if (!getenv("CDC_PQ_DIR"))
		rmdir(temp_dir());
	return 0;
}

int main(void)
{
	enum { NUM = sizeof(cases) / sizeof(cases[0]) };
	struct CMUnitTest tests[NUM];

	for (size_t i = 0; i < NUM; i++)
		tests[i] = (struct CMUnitTest){ cases[i].name, write_case, NULL, NULL,
						(void *)(uintptr_t)&cases[i] };
	return cmocka_run_group_tests(tests, NULL, remove_dir);
}
