/*
 * Proves that what only Spark does not read in a file is found, and that a check ends with an
 * error, and never with a clean bill, when the system fails it at any call.
 */
#include "tests/unit/delta/log_fixture.h"

#include "parquet/parquet.h"
#include "table/fsck/fsck_int.h"

#include <errno.h>
#include <fcntl.h>

/* ------------------------------------------------------------------ what Spark does not read */

#define SPARK_ROWS 2000
#define COLUMN(name, type)                                                                         \
	"{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":\\\"" type                                    \
	"\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}"
#define SPARK_METADATA                                                                             \
	"{\"metaData\":{\"id\":\"t\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"        \
	"\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[" COLUMN(                 \
		"u",                                                                               \
		"integer") "," COLUMN("t",                                                         \
				      "timestamp") "," COLUMN("i",                                 \
							      "integer") "]}\",\"partitionColumns\":[],\"configuration\":{}}}\n"

/* Columns u: unsigned integers, t: timestamps in nanoseconds, i: plain integers; one row, Brotli.
 */
static long put_spark_file(const struct fixture *f, const char *name)
{
	static const int32_t u[SPARK_ROWS], i[SPARK_ROWS];
	static const int64_t t[SPARK_ROWS];
	static uint8_t def[SPARK_ROWS];
	const struct cdc_pq_vec vec[3] = { { CDC_PQ_INT32, SPARK_ROWS, u, def, NULL },
					   { CDC_PQ_INT64, SPARK_ROWS, t, def, NULL },
					   { CDC_PQ_INT32, SPARK_ROWS, i, def, NULL } };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_schema schema = CDC_SCHEMA_INIT;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_pq_write_options opt;
	struct cdc_pq_schema file;
	struct cdc_pq_summary sum;
	struct cdc_pq_writer *w;
	char path[2 * PATH_MAX];
	int fd;
	long size;

	memset(def, 1, sizeof(def));
	snprintf(path, sizeof(path), "%s/%s", f->table, name);
	fd = open(path, O_RDWR | O_CREAT, 0666);
	assert_true(fd >= 0);
	assert_int_equal(cdc_schema_from_ddl(&schema, CDC_STR("u INT, t TIMESTAMP, i INT"), &err),
			 CDC_OK);
	assert_int_equal(cdc_schema_to_parquet(&schema, &file, &arena, &err), CDC_OK);
	file.node[1].logical = CDC_PQ_LOGICAL_INTEGER;
	file.node[1].converted = CDC_PQ_CONV_UINT_32;
	file.node[1].bit_width = 32;
	file.node[1].is_signed = false;
	file.node[2].unit = CDC_PQ_NANOS;
	file.node[2].converted = CDC_PQ_CONV_NONE;
	cdc_pq_write_options_init(&opt);
	opt.codec = CDC_PQ_BROTLI;
	opt.dictionary_bytes = 0;
	assert_int_equal(cdc_pq_writer_new(&w, &cdc_io_posix, fd, &file, &opt, &err), CDC_OK);
	assert_int_equal(cdc_pq_writer_write(w, vec, SPARK_ROWS, &err), CDC_OK);
	assert_int_equal(cdc_pq_writer_finish(w, &sum, &err), CDC_OK);
	cdc_pq_writer_free(w);
	size = (long)sum.file_bytes;
	cdc_pq_summary_free(&sum);
	cdc_schema_free(&schema);
	cdc_arena_free(&arena);
	assert_int_equal(close(fd), 0);
	return size;
}

static void test_spark_types(void **state)
{
	const struct fixture *f = *state;
	const struct cdc_fsck_options opt = { .io = &cdc_io_posix,
					      .table = f->table,
					      .version = -1 };
	char commit[4096], found[4096];
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_fsck_result r;
	struct cdc_writer out;
	int pipes[2];
	ssize_t n;

	snprintf(commit, sizeof(commit),
		 PROTOCOL SPARK_METADATA
		 "{\"add\":{\"path\":\"a\",\"partitionValues\":{},"
		 "\"size\":%ld,\"modificationTime\":1,\"dataChange\":true}}\n",
		 put_spark_file(f, "a"));
	fixture_commit(f, 0, commit);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(cdc_writer_init(&out, &cdc_io_posix, pipes[1], &err), CDC_OK);
	assert_int_equal(cdc_fsck(&opt, &out, &r, &err), CDC_OK);
	assert_int_equal(cdc_writer_flush(&out, &err), CDC_OK);
	cdc_writer_free(&out);
	n = read(pipes[0], found, sizeof(found) - 1);
	assert_true(n > 0);
	found[n] = '\0';
	assert_int_equal(r.rows, SPARK_ROWS);
	assert_non_null(strstr(found, "as such: unsigned integers"));
	assert_non_null(strstr(found, "as such: timestamps in nanoseconds"));
	assert_null(strstr(found, "column \\\"i\\\""));
	assert_non_null(strstr(found, "compressed with Brotli"));
	assert_int_equal(r.errors, 3);
	assert_non_null(strstr(found, "\"engine\":\"Spark\",\"readable\":false"));
	assert_non_null(strstr(found, "\"engine\":\"DuckDB\",\"readable\":true"));
	assert_int_equal(close(pipes[0]), 0);
	assert_int_equal(close(pipes[1]), 0);
}

/* ------------------------------------------------------------------ failures */

/* The system, whose call number `fail_at` fails with EIO. */
struct world {
	struct cdc_io io;
	int calls;
	int fail_at; /* -1: none */
};

static bool fails(void *ctx)
{
	struct world *w = ctx;

	if (w->calls++ != w->fail_at)
		return false;
	errno = EIO;
	return true;
}

static int world_open(void *ctx, const char *path, int flags, mode_t mode)
{
	return fails(ctx) ? -1 : cdc_io_posix.open(NULL, path, flags, mode);
}

static ssize_t world_read(void *ctx, int fd, void *buf, size_t n)
{
	return fails(ctx) ? -1 : cdc_io_posix.read(NULL, fd, buf, n);
}

static ssize_t world_pread(void *ctx, int fd, void *buf, size_t n, off_t at)
{
	return fails(ctx) ? -1 : cdc_io_posix.pread(NULL, fd, buf, n, at);
}

static int world_stat(void *ctx, const char *path, struct stat *st)
{
	return fails(ctx) ? -1 : cdc_io_posix.stat(NULL, path, st);
}

static int world_list(void *ctx, const char *path, int (*each)(void *arg, const char *name),
		      void *arg)
{
	return fails(ctx) ? -1 : cdc_io_posix.list(NULL, path, each, arg);
}

static int run(const struct fixture *f, struct world *w, int fail_at, struct cdc_fsck_result *r)
{
	struct cdc_fsck_options opt = { .io = &w->io, .table = f->table, .version = -1 };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_writer out;
	int fd = open("/dev/null", O_WRONLY);
	int rc;

	*w = (struct world){ .io = cdc_io_posix, .fail_at = fail_at };
	w->io.ctx = w;
	w->io.open = world_open;
	w->io.read = world_read;
	w->io.pread = world_pread;
	w->io.stat = world_stat;
	w->io.list = world_list;
	assert_true(fd >= 0);
	assert_int_equal(cdc_writer_init(&out, &cdc_io_posix, fd, &err), CDC_OK);
	rc = cdc_fsck(&opt, &out, r, &err);
	assert_int_equal(rc, err.code);
	cdc_writer_free(&out);
	assert_int_equal(close(fd), 0);
	return rc;
}

static void test_every_call_that_fails(void **state)
{
	const struct fixture *f = *state;
	struct cdc_fsck_result r;
	struct world w;
	int calls;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("gone"));
	fixture_commit(f, 1, ADD("gone too"));
	fixture_put(f, "00000000000000000001.crc", "{\"numFiles\":2}");
	assert_int_equal(run(f, &w, -1, &r), CDC_OK);
	/* Two files that are not there. */
	assert_int_equal(r.errors, 2);
	calls = w.calls;
	assert_true(calls > 10);
	for (int i = 0; i < calls; i++) {
		int rc = run(f, &w, i, &r);

		if (rc != CDC_EIO && r.errors < 2)
			fail_msg("call %d failed, and the result is %d with %d errors", i, rc,
				 (int)r.errors);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_spark_types, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_every_call_that_fails, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests_name("fsck", tests, NULL, NULL);
}
