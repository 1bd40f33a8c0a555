/*
 * Proves that the writer refuses what would make an unreadable file, that a failure of every single
 * write comes back as CDC_EIO with nothing leaked (run under a leak checker), that short writes do
 * no harm, that the same batches give the same bytes, and that null lists are counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pq_types.h"

#include <errno.h>

/* An output in memory that fails at its Nth write and takes at most `most` bytes at once. */
struct output {
	struct cdc_io io;
	struct cdc_buf data;
	size_t most;
	int writes;
	int fail_at; /* 0: never */
};

static ssize_t output_write(void *ctx, int fd, const void *buf, size_t n)
{
	struct output *o = ctx;
	struct cdc_err err = CDC_ERR_INIT;

	(void)fd;
	if (++o->writes == o->fail_at) {
		errno = ENOSPC;
		return -1;
	}
	if (o->most && n > o->most)
		n = o->most;
	assert_int_equal(cdc_buf_append(&o->data, buf, n, &err), CDC_OK);
	return (ssize_t)n;
}

static void output_init(struct output *o)
{
	*o = (struct output){ .io = cdc_io_posix };
	o->io.ctx = o;
	o->io.write = output_write;
}

static int write_rows(struct output *o, struct gen *g, const struct cdc_pq_write_options *opt,
		      uint32_t rows, uint32_t batch, struct cdc_err *err)
{
	struct cdc_pq_vec vec[GEN_NODES];
	struct cdc_pq_summary summary;
	struct cdc_pq_writer *w = NULL;
	int rc = cdc_pq_writer_new(&w, &o->io, 0, &g->schema, opt, err);

	for (uint32_t row = 0; rc == CDC_OK && row < rows; row += batch) {
		uint32_t n = rows - row < batch ? rows - row : batch;

		gen_batch(g, n, vec);
		rc = cdc_pq_writer_write(w, vec, n, err);
	}
	if (rc == CDC_OK) {
		rc = cdc_pq_writer_finish(w, &summary, err);
		if (rc == CDC_OK)
			assert_int_equal(summary.file_bytes, o->data.len);
		cdc_pq_summary_free(&summary);
	}
	cdc_pq_writer_free(w);
	return rc;
}

static void every_write_may_fail(void **state)
{
	struct cdc_pq_write_options opt;
	struct cdc_err err = CDC_ERR_INIT;
	struct output o;
	int writes = 0;

	(void)state;
	cdc_pq_write_options_init(&opt);
	opt.row_group_rows = 15000;
	opt.codec = CDC_PQ_UNCOMPRESSED;
	for (int fail = 0; fail == 0 || fail <= writes; fail++) {
		struct gen g;
		int rc;

		gen_init(&g, 1);
		types_flat(&g, CDC_PQ_OPTIONAL);
		assert_int_equal(gen_ready(&g, &err), CDC_OK);
		output_init(&o);
		o.fail_at = fail;
		err = (struct cdc_err)CDC_ERR_INIT;
		rc = write_rows(&o, &g, &opt, 20000, 5000, &err);
		if (fail == 0) {
			assert_int_equal(rc, CDC_OK);
			writes = o.writes;
			assert_true(writes > 5);
		} else {
			assert_int_equal(rc, CDC_EIO);
			assert_int_equal(err.code, CDC_EIO);
			assert_int_equal(err.sys_errno, ENOSPC);
			assert_int_equal(o.writes, fail);
		}
		cdc_buf_free(&o.data);
		gen_free(&g);
	}
}

static void short_writes_and_same_bytes(void **state)
{
	struct cdc_pq_write_options opt;
	struct cdc_err err = CDC_ERR_INIT;
	struct output o[2];

	(void)state;
	cdc_pq_write_options_init(&opt);
	opt.page_rows = 300;
	opt.row_group_rows = 1500;
	for (int i = 0; i < 2; i++) {
		struct gen g;

		gen_init(&g, 2);
		types_nested(&g);
		assert_int_equal(gen_ready(&g, &err), CDC_OK);
		output_init(&o[i]);
		o[i].most = i ? 1000 : 0;
		assert_int_equal(write_rows(&o[i], &g, &opt, 4000, 700, &err), CDC_OK);
		gen_free(&g);
	}
	assert_true(o[1].writes > o[0].writes);
	assert_int_equal(o[0].data.len, o[1].data.len);
	assert_memory_equal(o[0].data.p, o[1].data.p, o[0].data.len);
	cdc_buf_free(&o[0].data);
	cdc_buf_free(&o[1].data);
}

static void options_are_checked(void **state)
{
	struct cdc_pq_write_options opt;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_writer *w;
	struct output o;
	struct gen g;

	(void)state;
	gen_init(&g, 3);
	gen_group(&g, "schema", CDC_PQ_REQUIRED, 1);
	gen_column(&g, "fixed", CDC_PQ_REQUIRED, CDC_PQ_FIXED, CDC_PQ_LOGICAL_NONE);
	assert_int_equal(gen_ready(&g, &err), CDC_OK);
	output_init(&o);
	cdc_pq_write_options_init(&opt);
	/* A FIXED column without a length. */
	assert_int_equal(cdc_pq_writer_new(&w, &o.io, 0, &g.schema, &opt, &err), CDC_EUSAGE);
	g.node[1].type_length = 5;
	assert_int_equal(cdc_pq_writer_new(&w, &o.io, 0, &g.schema, &opt, &err), CDC_OK);
	cdc_pq_writer_free(w);
	opt.codec = CDC_PQ_LZO;
	assert_int_equal(cdc_pq_writer_new(&w, &o.io, 0, &g.schema, &opt, &err), CDC_EUSAGE);
	opt.codec = CDC_PQ_ZSTD;
	opt.level = 20;
	assert_int_equal(cdc_pq_writer_new(&w, &o.io, 0, &g.schema, &opt, &err), CDC_EUSAGE);
	opt.level = 19;
	opt.page_rows = 0;
	assert_int_equal(cdc_pq_writer_new(&w, &o.io, 0, &g.schema, &opt, &err), CDC_EUSAGE);
	opt.page_rows = 1;
	opt.row_group_rows = 0;
	assert_int_equal(cdc_pq_writer_new(&w, &o.io, 0, &g.schema, &opt, &err), CDC_EUSAGE);
	assert_null(w);
	cdc_pq_writer_free(NULL);
	g.schema.num_leaves = 0;
	opt.row_group_rows = 1;
	assert_int_equal(cdc_pq_writer_new(&w, &o.io, 0, &g.schema, &opt, &err), CDC_EUSAGE);
	cdc_buf_free(&o.data);
	gen_free(&g);
}

/* One batch of a required INT64, an optional FIXED(2) and a list of INT32, with one thing wrong. */
static void batches_are_checked(void **state)
{
	static const int64_t numbers[] = { 1, 2, 3 };
	static const uint8_t def[] = { 1, 0, 1 };
	static const uint8_t def_high[] = { 1, 2, 1 };
	static const struct cdc_str fixed[] = { { "ab", 2 }, { NULL, 0 }, { "cd", 2 } };
	static const struct cdc_str fixed_bad[] = { { "ab", 2 }, { NULL, 0 }, { "cde", 3 } };
	static const int32_t items[] = { 1, 2, 0, 3 };
	static const uint8_t item_def[] = { 1, 1, 0, 1 };
	static const uint8_t item_rep[] = { 0, 1, 0, 0 };
	static const uint8_t item_rep_high[] = { 0, 2, 0, 0 };
	static const uint8_t item_rep_first[] = { 1, 0, 0, 0 };
	static const uint8_t item_rep_rows[] = { 0, 0, 0, 0 };
	const struct cdc_pq_vec good[] = {
		{ CDC_PQ_INT64, 3, numbers, NULL, NULL },
		{ CDC_PQ_FIXED, 3, fixed, def, NULL },
		{ CDC_PQ_INT32, 4, items, item_def, item_rep },
	};
	struct cdc_pq_write_options opt;
	struct gen g;

	(void)state;
	gen_init(&g, 4);
	gen_group(&g, "schema", CDC_PQ_REQUIRED, 3);
	gen_column(&g, "number", CDC_PQ_REQUIRED, CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE);
	gen_column(&g, "fixed", CDC_PQ_OPTIONAL, CDC_PQ_FIXED, CDC_PQ_LOGICAL_NONE)->type_length =
		2;
	gen_column(&g, "items", CDC_PQ_REPEATED, CDC_PQ_INT32, CDC_PQ_LOGICAL_NONE);
	cdc_pq_write_options_init(&opt);
	for (int wrong = 0; wrong < 9; wrong++) {
		struct cdc_pq_vec vec[] = { good[0], good[1], good[2] };
		struct cdc_err err = CDC_ERR_INIT;
		struct cdc_pq_writer *w;
		struct output o;

		if (wrong == 0)
			assert_int_equal(gen_ready(&g, &err), CDC_OK);
		output_init(&o);
		assert_int_equal(cdc_pq_writer_new(&w, &o.io, 0, &g.schema, &opt, &err), CDC_OK);
		switch (wrong) {
		case 1:
			vec[0].type = CDC_PQ_INT32;
			break;
		case 2:
			vec[0].n = 2;
			break;
		case 3:
			vec[1].def = def_high;
			break;
		case 4:
			vec[1].values = fixed_bad;
			break;
		case 5:
			vec[2].rep = item_rep_high;
			break;
		case 6:
			vec[2].rep = item_rep_first;
			break;
		case 7:
			vec[2].rep = item_rep_rows;
			break;
		case 8:
			vec[2].n = 0;
			break;
		default:
			break;
		}
		assert_int_equal(cdc_pq_writer_write(w, vec, 3, &err),
				 wrong ? CDC_EINTERNAL : CDC_OK);
		cdc_pq_writer_free(w);
		cdc_buf_free(&o.data);
	}
	gen_free(&g);
}

/* The final size is known, nearly, before any row group is written. */
static void bytes_are_estimated(void **state)
{
	struct cdc_pq_write_options opt;
	struct cdc_pq_summary summary;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_vec vec[GEN_NODES];
	struct cdc_pq_writer *w;
	struct output o;
	struct gen g;
	uint64_t last = 0;

	(void)state;
	gen_init(&g, 5);
	gen_group(&g, "schema", CDC_PQ_REQUIRED, 1);
	gen_column(&g, "n", CDC_PQ_REQUIRED, CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE);
	assert_int_equal(gen_ready(&g, &err), CDC_OK);
	output_init(&o);
	cdc_pq_write_options_init(&opt);
	assert_int_equal(cdc_pq_writer_new(&w, &o.io, 0, &g.schema, &opt, &err), CDC_OK);
	for (int i = 0; i < 50; i++) {
		gen_batch(&g, 3000, vec);
		assert_int_equal(cdc_pq_writer_write(w, vec, 3000, &err), CDC_OK);
		last = cdc_pq_writer_bytes(w);
	}
	assert_int_equal(o.data.len, 0);
	assert_int_equal(cdc_pq_writer_finish(w, &summary, &err), CDC_OK);
	assert_in_range(last, summary.file_bytes * 9 / 10, summary.file_bytes * 11 / 10);
	cdc_pq_summary_free(&summary);
	cdc_pq_writer_free(w);
	cdc_buf_free(&o.data);
	gen_free(&g);
}

/*
 * Rows, of a list in a struct: [[1], null], [], null, a null struct, [2, 3]. Of these the third and
 * the fourth have no list; an empty one, and null entries, are not null.
 */
static void null_lists_are_counted(void **state)
{
	static const int32_t values[] = { 1, 0, 0, 0, 0, 2, 3 };
	static const uint8_t def[] = { 6, 3, 2, 1, 0, 6, 6 };
	static const uint8_t rep[] = { 0, 1, 0, 0, 0, 0, 1 };
	const struct cdc_pq_vec vec[] = { { CDC_PQ_INT32, 7, values, def, rep } };
	struct cdc_pq_write_options opt;
	struct cdc_pq_summary summary;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_writer *w;
	struct output o;
	struct gen g;

	(void)state;
	gen_init(&g, 6);
	gen_group(&g, "schema", CDC_PQ_REQUIRED, 1);
	gen_group(&g, "s", CDC_PQ_OPTIONAL, 1);
	gen_group(&g, "outer", CDC_PQ_OPTIONAL, 1)->logical = CDC_PQ_LOGICAL_LIST;
	gen_group(&g, "list", CDC_PQ_REPEATED, 1);
	gen_group(&g, "element", CDC_PQ_OPTIONAL, 1)->logical = CDC_PQ_LOGICAL_LIST;
	gen_group(&g, "list", CDC_PQ_REPEATED, 1);
	gen_column(&g, "element", CDC_PQ_OPTIONAL, CDC_PQ_INT32, CDC_PQ_LOGICAL_NONE);
	assert_int_equal(gen_ready(&g, &err), CDC_OK);
	assert_int_equal(g.node[6].max_def, 6);
	output_init(&o);
	cdc_pq_write_options_init(&opt);
	assert_int_equal(cdc_pq_writer_new(&w, &o.io, 0, &g.schema, &opt, &err), CDC_OK);
	assert_int_equal(cdc_pq_writer_write(w, vec, 5, &err), CDC_OK);
	assert_int_equal(cdc_pq_writer_write(w, vec, 5, &err), CDC_OK);
	assert_int_equal(cdc_pq_writer_finish(w, &summary, &err), CDC_OK);
	assert_int_equal(summary.leaf[0].null_lists, 4);
	assert_int_equal(summary.leaf[0].null_count, 8);
	cdc_pq_summary_free(&summary);
	cdc_pq_writer_free(w);
	cdc_buf_free(&o.data);
	gen_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_write_may_fail),
		cmocka_unit_test(short_writes_and_same_bytes),
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(batches_are_checked),
		cmocka_unit_test(bytes_are_estimated),
		cmocka_unit_test(null_lists_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
