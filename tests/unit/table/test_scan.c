/*
 * Proves that a table's rows are read back in file order from files with many row groups and pages:
 * any mix of reading and skipping, deletion vectors, partition columns, columns that a file lacks,
 * types that were widened, and that paths and types that cannot be are refused.
 */
#include "table/scan/scan.h"

#include "delta/path.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_ROWS 10000
#define GROUP_ROWS 3000
#define FILES 2

/* ------------------------------------------------------------------ a table by hand */

struct table {
	char dir[32];
	struct cdc_snapshot s;
	struct cdc_add add[FILES];
	struct cdc_kv part[FILES];
	struct cdc_arena arena;
	struct cdc_dv *dv[FILES];
};

static int64_t id_of(int file, uint64_t row)
{
	return (int64_t)file * 1000000 + (int64_t)row;
}

static bool has_name(uint64_t row)
{
	return row % 7 != 0;
}

static size_t name_of(int file, uint64_t row, char *out)
{
	return (size_t)snprintf(out, 40, "name %d %llu", file, (unsigned long long)(row % 100));
}

static struct cdc_schema schema_of(const char *ddl)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	if (cdc_schema_from_ddl(&s, cdc_str_z(ddl), &err) < 0)
		fail_msg("%s", err.msg);
	return s;
}

/* Columns: id BIGINT NOT NULL, name STRING, small INT (= row % 1000). */
static void write_rows(struct cdc_pq_writer *w, int file, uint64_t first, uint32_t n)
{
	struct cdc_err err = CDC_ERR_INIT;
	int64_t *id = calloc(n, sizeof(*id));
	int32_t *small = calloc(n, sizeof(*small));
	struct cdc_str *name = calloc(n, sizeof(*name));
	uint8_t *def = calloc(n, 1);
	uint8_t *all = malloc(n);
	char *text = malloc((size_t)n * 40);
	struct cdc_pq_vec vec[3] = {
		{ CDC_PQ_INT64, n, id, NULL, NULL },
		{ CDC_PQ_BYTE_ARRAY, n, name, def, NULL },
		{ CDC_PQ_INT32, n, small, all, NULL },
	};

	assert_true(id && small && name && def && all && text);
	memset(all, 1, n);
	for (uint32_t i = 0; i < n; i++) {
		id[i] = id_of(file, first + i);
		small[i] = (int32_t)((first + i) % 1000);
		def[i] = has_name(first + i);
		if (def[i])
			name[i] = cdc_str(text + (size_t)i * 40,
					  name_of(file, first + i, text + (size_t)i * 40));
	}
	if (cdc_pq_writer_write(w, vec, n, &err) < 0)
		fail_msg("%s", err.msg);
	free(text);
	free(all);
	free(def);
	free(name);
	free(small);
	free(id);
}

static void write_file(const char *path, int file)
{
	struct cdc_schema schema = schema_of("id BIGINT NOT NULL, name STRING, small INT");
	struct cdc_pq_write_options opt;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_summary sum;
	struct cdc_pq_schema pq;
	struct cdc_pq_writer *w;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);

	assert_true(fd >= 0);
	cdc_pq_write_options_init(&opt);
	opt.row_group_rows = GROUP_ROWS;
	opt.page_rows = 700;
	assert_int_equal(cdc_schema_to_parquet(&schema, &pq, &arena, &err), 0);
	assert_int_equal(cdc_pq_writer_new(&w, &cdc_io_posix, fd, &pq, &opt, &err), 0);
	for (uint64_t row = 0; row < FILE_ROWS; row += 500)
		write_rows(w, file, row, 500);
	assert_int_equal(cdc_pq_writer_finish(w, &sum, &err), 0);
	cdc_pq_writer_free(w);
	cdc_pq_summary_free(&sum);
	assert_int_equal(close(fd), 0);
	cdc_arena_free(&arena);
	cdc_schema_free(&schema);
}

static void make_table(struct table *t, const char *ddl)
{
	static const char *const name[FILES] = { "a%20b.parquet", "c.parquet" };
	static const char *const on_disk[FILES] = { "a b.parquet", "c.parquet" };
	char path[80];

	*t = (struct table){ .dir = "/tmp/test_scan.XXXXXX", .arena = CDC_ARENA_INIT };
	assert_non_null(mkdtemp(t->dir));
	t->s.table = t->dir;
	t->s.schema = schema_of(ddl);
	t->s.add = t->add;
	t->s.num_adds = FILES;
	for (int i = 0; i < FILES; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", t->dir, on_disk[i]);
		write_file(path, i);
		t->part[i] = (struct cdc_kv){ CDC_STR("p"), i ? CDC_STR("7") : cdc_str(NULL, 0) };
		t->add[i] = (struct cdc_add){ .path = cdc_str_z(name[i]),
					      .partition_value = &t->part[i],
					      .num_partition_values = 1 };
	}
}

static void drop_table(struct table *t)
{
	char command[80];

	(void)snprintf(command, sizeof(command), "rm -r %s", t->dir);
	assert_int_equal(system(command), 0);
	cdc_schema_free(&t->s.schema);
	cdc_arena_free(&t->arena);
	for (int i = 0; i < FILES; i++)
		cdc_dv_free(t->dv[i]);
}

static struct cdc_datafile *open_file(struct table *t, int file)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_datafile *df;

	if (cdc_datafile_open(&df, &cdc_io_posix, &t->s, &t->add[file], &err) < 0)
		fail_msg("%s", err.msg);
	return df;
}

static void check_row(const struct cdc_column *c, uint32_t i, int file, uint64_t row)
{
	struct cdc_str name = ((const struct cdc_str *)c[1].values)[i];
	char want[40];

	assert_int_equal(((const int64_t *)c[0].values)[i], id_of(file, row));
	assert_false(cdc_column_is_null(&c[0], i));
	assert_int_equal(cdc_column_is_null(&c[1], i), !has_name(row));
	if (has_name(row))
		assert_true(cdc_str_eq(name, cdc_str(want, name_of(file, row, want))));
}

/* ------------------------------------------------------------------ tests */

static void whole_file(void **state)
{
	struct table t;
	struct cdc_datafile_scan *scan;
	struct cdc_datafile *df;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_batch b;
	uint64_t row = 0;

	(void)state;
	make_table(&t, "id BIGINT NOT NULL, name STRING, small BIGINT");
	df = open_file(&t, 0);
	assert_int_equal(cdc_datafile_rows(df), FILE_ROWS);
	assert_int_equal(cdc_datafile_row_groups(df), 4);
	assert_int_equal(cdc_datafile_row_group_rows(df, 3), 1000);
	assert_int_equal(cdc_datafile_scan_new(&scan, df, NULL, 3, &err), 0);
	while (cdc_datafile_scan_next(scan, &b, &err) == CDC_OK) {
		assert_int_equal(b.first_row, row);
		assert_true(b.rows >= 1 && b.rows <= CDC_BATCH_ROWS);
		for (uint32_t i = 0; i < b.rows; i++, row++) {
			check_row(b.column, i, 0, row);
			/* INT32 in the file, long in the table */
			assert_int_equal(((const int64_t *)b.column[2].values)[i], row % 1000);
		}
	}
	assert_int_equal(row, FILE_ROWS);
	cdc_datafile_scan_free(scan);
	cdc_datafile_close(df);
	drop_table(&t);
}

static void read_and_skip(void **state)
{
	static const int fields[] = { 0, 1 };
	struct table t;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_datafile *df;

	(void)state;
	make_table(&t, "id BIGINT NOT NULL, name STRING");
	df = open_file(&t, 1);
	for (unsigned seed = 1; seed < 60; seed++) {
		struct cdc_column_reader *r[2];
		uint64_t row = 0;

		srand(seed);
		for (int i = 0; i < 2; i++)
			assert_int_equal(cdc_column_reader_open(&r[i], df, fields[i], &err), 0);
		while (row < FILE_ROWS) {
			uint64_t left = FILE_ROWS - row;
			uint64_t n = 1 + (uint64_t)rand() % (seed % 3 ? 900 : 5000);
			struct cdc_column c[2];
			uint32_t got[2];

			n = n < left ? n : left;
			if (rand() % 2) {
				assert_int_equal(cdc_column_reader_skip(r[0], n, &err), 0);
				assert_int_equal(cdc_column_reader_skip(r[1], n, &err), 0);
				row += n;
				continue;
			}
			for (int i = 0; i < 2; i++)
				assert_int_equal(cdc_column_reader_next(r[i], (uint32_t)n, &c[i],
									&got[i], &err),
						 0);
			assert_int_equal(got[0], got[1]);
			assert_true(got[0] >= 1 && got[0] <= n);
			for (uint32_t i = 0; i < got[0]; i++)
				check_row(c, i, 1, row + i);
			row += got[0];
		}
		assert_int_equal(cdc_column_reader_skip(r[0], 1, &err), CDC_EINTERNAL);
		cdc_column_reader_close(r[0]);
		cdc_column_reader_close(r[1]);
	}
	cdc_datafile_close(df);
	drop_table(&t);
}

/* Every third row, a whole stretch of more than a batch, and one at the end. */
static bool deleted(uint64_t row)
{
	return row % 3 == 0 || (row >= 2500 && row < 8000) || row == FILE_ROWS - 1;
}

static void mark_deleted(struct table *t, int file)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_dv_writer *w;

	assert_int_equal(cdc_dv_new(&t->dv[file], &err), 0);
	for (uint64_t row = 0; row < FILE_ROWS; row++) {
		if (deleted(row))
			assert_int_equal(cdc_dv_add(t->dv[file], row, &err), 0);
	}
	assert_int_equal(cdc_dv_writer_new(&w, &cdc_io_posix, t->dir, &err), 0);
	assert_int_equal(cdc_dv_writer_add(w, t->dv[file], &t->add[file].dv, &t->arena, &err), 0);
	assert_int_equal(cdc_dv_writer_finish(w, &err), 0);
	cdc_dv_writer_free(w);
}

static void live_rows(void **state)
{
	/* id, name, then a partition column, one that the files lack and one that is void. */
	static const int columns[] = { 0, 1, 3, 4, 5 };
	struct cdc_scan_options opt = { .columns = columns, .num_columns = 5 };
	struct table t;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_scan *scan;
	struct cdc_batch b;
	uint64_t row = 0;
	int file = 0;
	int rc;

	(void)state;
	make_table(
		&t,
		"id BIGINT NOT NULL, name STRING, small INT, p INT, lacking DECIMAL(20,2), v INT");
	t.s.schema.field[3].is_partition = true;
	t.s.schema.field[5].type = CDC_TYPE_VOID;
	mark_deleted(&t, 1);
	assert_int_equal(cdc_scan_new(&scan, &cdc_io_posix, &t.s, &opt, &err), 0);
	while ((rc = cdc_scan_next(scan, &b, &err)) == CDC_OK) {
		assert_true(b.rows > 0);
		for (uint32_t i = 0; i < b.rows; i++, row++) {
			if (row == FILE_ROWS && file == 0) {
				file = 1;
				row = 0;
			}
			while (file && deleted(row))
				row++;
			check_row(b.column, i, file, row);
			assert_int_equal(cdc_column_is_null(&b.column[2], i), file == 0);
			if (file)
				assert_int_equal(((const int32_t *)b.column[2].values)[i], 7);
			assert_true(cdc_column_is_null(&b.column[3], i));
			assert_true(((const cdc_i128 *)b.column[3].values)[i] == 0);
			assert_true(cdc_column_is_null(&b.column[4], i));
		}
	}
	assert_int_equal(rc, CDC_END);
	assert_int_equal(file, 1);
	while (row < FILE_ROWS && deleted(row))
		row++;
	assert_int_equal(row, FILE_ROWS);
	cdc_scan_free(scan);
	drop_table(&t);
}

static void rows_without_columns(void **state)
{
	static const int none[1];
	struct cdc_scan_options opt = { .columns = none, .num_columns = 0 };
	struct table t;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_scan *scan;
	struct cdc_batch b;
	uint64_t rows = 0;

	(void)state;
	make_table(&t, "id BIGINT");
	assert_int_equal(cdc_scan_new(&scan, &cdc_io_posix, &t.s, &opt, &err), 0);
	while (cdc_scan_next(scan, &b, &err) == CDC_OK)
		rows += b.rows;
	assert_int_equal(rows, FILES * FILE_ROWS);
	cdc_scan_free(scan);
	drop_table(&t);
}

static void field_ids(void **state)
{
	struct table t;
	struct cdc_kv mode = { CDC_STR("delta.columnMapping.mode"), CDC_STR("id") };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_datafile *df;

	(void)state;
	make_table(&t, "id BIGINT");
	t.s.metadata.config = &mode;
	t.s.metadata.num_config = 1;
	t.s.protocol.reader_version = 2;
	/* The files have no ids: names must not be used instead. */
	assert_int_equal(cdc_datafile_open(&df, &cdc_io_posix, &t.s, &t.add[0], &err),
			 CDC_ECORRUPT);
	assert_non_null(strstr(err.msg, "field ids"));
	drop_table(&t);
}

static void refused(struct table *t, enum cdc_type type, int code)
{
	struct cdc_column_reader *r;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_datafile *df = open_file(t, 0);

	t->s.schema.field[1].type = type;
	assert_int_equal(cdc_column_reader_open(&r, df, 1, &err), code);
	assert_non_null(strstr(err.msg, "name"));
	cdc_datafile_close(df);
}

static void what_cannot_be(void **state)
{
	struct table t;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_datafile *df;

	(void)state;
	make_table(&t, "id BIGINT, name STRING");
	refused(&t, CDC_TYPE_LONG, CDC_ECORRUPT);
	refused(&t, CDC_TYPE_TIMESTAMP, CDC_ECORRUPT);
	refused(&t, CDC_TYPE_DECIMAL, CDC_ECORRUPT);
	refused(&t, CDC_TYPE_STRUCT, CDC_ECORRUPT);
	t.add[0].path = CDC_STR("../x.parquet");
	assert_int_equal(cdc_datafile_open(&df, &cdc_io_posix, &t.s, &t.add[0], &err),
			 CDC_ECORRUPT);
	t.add[0].path = CDC_STR("gone.parquet");
	assert_int_equal(cdc_datafile_open(&df, &cdc_io_posix, &t.s, &t.add[0], &err),
			 CDC_ECORRUPT);
	assert_non_null(strstr(err.msg, "gone.parquet is not there"));
	drop_table(&t);
}

static void path_is(const char *uri, int code, const char *want)
{
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_path_local("/t/x", cdc_str_z(uri), &out, &err), code);
	if (!code)
		assert_string_equal(cdc_buf_z(&out), want);
	cdc_buf_free(&out);
}

static void paths(void **state)
{
	(void)state;
	path_is("a.parquet", 0, "/t/x/a.parquet");
	path_is("p=1%252F2/a%20b.parquet", 0, "/t/x/p=1%2F2/a b.parquet");
	path_is("p=12:30/a.parquet", 0, "/t/x/p=12:30/a.parquet");
	path_is("/abs/a.parquet", 0, "/abs/a.parquet");
	path_is("file:/abs/a.parquet", 0, "/abs/a.parquet");
	path_is("file:///abs/a%25.parquet", 0, "/abs/a%.parquet");
	path_is("FILE://localhost/abs/a.parquet", 0, "/abs/a.parquet");
	path_is("a..b/..c/d..", 0, "/t/x/a..b/..c/d..");
	path_is("", CDC_ECORRUPT, NULL);
	path_is("a/../../b", CDC_ECORRUPT, NULL);
	path_is("%2e%2e/b", CDC_ECORRUPT, NULL);
	path_is("..", CDC_ECORRUPT, NULL);
	path_is("%2Fetc/passwd", CDC_ECORRUPT, NULL);
	path_is("a%00b", CDC_ECORRUPT, NULL);
	path_is("file://elsewhere/a", CDC_EUNSUPPORTED, NULL);
	path_is("s3://bucket/a", CDC_EUNSUPPORTED, NULL);
	path_is("hdfs:/a", CDC_EUNSUPPORTED, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_file), cmocka_unit_test(read_and_skip),
		cmocka_unit_test(live_rows),  cmocka_unit_test(rows_without_columns),
		cmocka_unit_test(field_ids),  cmocka_unit_test(what_cannot_be),
		cmocka_unit_test(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
