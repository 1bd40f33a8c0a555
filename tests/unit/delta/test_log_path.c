/*
 * Proves the encodings of paths: the vectors of the protocol digest, decoding of what others write,
 * and the canonical form by which absolute and relative names of one file meet.
 */
#include "log_fixture.h"

#include "delta/log_int.h"
#include "delta/path.h"

static void encode_is(const char *path, const char *expected)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf b = CDC_BUF_INIT, back = CDC_BUF_INIT;

	assert_int_equal(cdc_path_encode(cdc_str_z(path), &b, &err), CDC_OK);
	assert_str(cdc_buf_str(&b), expected);
	assert_int_equal(cdc_path_decode(cdc_buf_str(&b), &back, &err), CDC_OK);
	assert_str(cdc_buf_str(&back), path);
	cdc_buf_free(&b);
	cdc_buf_free(&back);
}

static void encode(void **state)
{
	(void)state;
	encode_is("region=US%2FEast/x", "region=US%252FEast/x");
	encode_is("a<b>c|d", "a%3Cb%3Ec%7Cd");
	encode_is("100%2525", "100%252525");
	encode_is("hello world", "hello%20world");
	encode_is("plain-name_1.c000.snappy.parquet", "plain-name_1.c000.snappy.parquet");
	encode_is("p=\xc3\xa9", "p=%C3%A9");
	encode_is("#?[]^`{}\\\"\x01\x7f", "%23%3F%5B%5D%5E%60%7B%7D%5C%22%01%7F");
	encode_is("c=a:b'*=+&,;@!$()~", "c=a:b'*=+&,;@!$()~");
}

static void decode(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf b = CDC_BUF_INIT;

	(void)state;
	assert_int_equal(cdc_path_decode(CDC_STR("a%c3%A9%20b"), &b, &err), CDC_OK);
	assert_str(cdc_buf_str(&b), "a\xc3\xa9 b");
	cdc_buf_reset(&b);
	/* Not an escape: stands for itself. */
	assert_int_equal(cdc_path_decode(CDC_STR("test%file%2"), &b, &err), CDC_OK);
	assert_str(cdc_buf_str(&b), "test%file%2");
	cdc_buf_reset(&b);
	assert_int_equal(cdc_path_decode(CDC_STR("a%00b"), &b, &err), CDC_ECORRUPT);
	cdc_buf_free(&b);
}

static void dir_is(const char *column, struct cdc_str value, const char *expected)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf b = CDC_BUF_INIT;

	assert_int_equal(cdc_partition_dir(cdc_str_z(column), value, &b, &err), CDC_OK);
	assert_str(cdc_buf_str(&b), expected);
	cdc_buf_free(&b);
}

static void partition_dir(void **state)
{
	(void)state;
	dir_is("region", CDC_STR("US/East"), "region=US%2FEast");
	dir_is("c", CDC_STR("a<b>c|d"), "c=a<b>c|d");
	dir_is("c", CDC_STR("100%25"), "c=100%2525");
	dir_is("c", CDC_STR("hello world}"), "c=hello world}");
	dir_is("ts", CDC_STR("2020-01-01 08:09:10.001"), "ts=2020-01-01 08%3A09%3A10.001");
	dir_is("a=b", CDC_STR("\"#'*?\\{[]^\n"), "a%3Db=%22%23%27%2A%3F%5C%7B%5B%5D%5E%0A");
	dir_is("p", (struct cdc_str)CDC_STR_INIT, "p=__HIVE_DEFAULT_PARTITION__");
	dir_is("p", CDC_STR(""), "p=__HIVE_DEFAULT_PARTITION__");
	dir_is("p", CDC_STR("\xc3\xa9~"), "p=%C3%A9%7E");
}

/* Names stay under what file systems take, in whole escapes, and differ where values do. */
static void long_partition_dir(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	char value[400];
	char last[400] = "";

	(void)state;
	for (size_t n = 230; n < sizeof(value); n++) {
		struct cdc_buf b = CDC_BUF_INIT;
		size_t percents = 0;

		memset(value, 'x', n);
		memset(value, '/', n % 7 + 60);
		assert_int_equal(cdc_partition_dir(CDC_STR("column"), cdc_str(value, n), &b, &err),
				 CDC_OK);
		assert_int_equal(cdc_buf_putc(&b, 0, &err), CDC_OK);
		assert_true(b.len <= 241 && strcmp(b.p, last) != 0);
		for (const char *p = strchr(b.p, '%'); p; p = strchr(p + 1, '%'), percents++)
			assert_memory_equal(p, "%2F", 3);
		assert_true(percents >= 60);
		strcpy(last, b.p);
		cdc_buf_free(&b);
	}
}

static void canonical_is(struct cdc_path_root *r, const char *uri, const char *expected)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_str out;

	assert_int_equal(cdc_path_canonical(r, cdc_str_z(uri), &out, &err), CDC_OK);
	assert_str(out, expected);
}

static void canonical(void **state)
{
	const struct fixture *f = *state;
	struct cdc_path_root r = { .io = &cdc_io_posix, .table = f->table };
	struct cdc_path_root elsewhere = { .io = &cdc_io_posix, .table = "/nowhere" };
	char uri[2 * PATH_MAX];

	canonical_is(&r, "a%20b.parquet", "a b.parquet");
	canonical_is(&r, "p=1/a.parquet", "p=1/a.parquet");
	snprintf(uri, sizeof(uri), "file://%s/p=1/a%%20b", f->table);
	canonical_is(&r, uri, "p=1/a b");
	snprintf(uri, sizeof(uri), "file:%s/x", f->table);
	canonical_is(&r, uri, "x");
	snprintf(uri, sizeof(uri), "%s//x", f->table);
	canonical_is(&r, uri, "x");
	canonical_is(&r, "file:///elsewhere/x", "/elsewhere/x");
	canonical_is(&r, "file:/elsewhere/x", "/elsewhere/x");
	canonical_is(&r, "/elsewhere/y", "/elsewhere/y");
	snprintf(uri, sizeof(uri), "file://localhost%s/z", f->table);
	canonical_is(&r, uri, "z");
	canonical_is(&r, "s3://bucket/x%20y", "s3://bucket/x y");
	canonical_is(&elsewhere, "file:///t/x", "/t/x");
	canonical_is(&r, "./a.parquet", "a.parquet");
	canonical_is(&r, "p=1//./a.parquet", "p=1/a.parquet");
	canonical_is(&r, "p=1/.hidden/%2E/a", "p=1/.hidden/a");
	snprintf(uri, sizeof(uri), "file://%s/p=1//a", f->table);
	canonical_is(&r, uri, "p=1/a");
	cdc_path_root_free(&r);
	cdc_path_root_free(&elsewhere);
}

static void may_follow(const char *table, const char *uri, bool expected)
{
	struct cdc_err err = CDC_ERR_INIT;
	int rc = cdc_path_check(&cdc_io_posix, table, false, cdc_str_z(uri), &err);

	if (rc != (expected ? CDC_OK : CDC_EUNSUPPORTED))
		fail_msg("%s in %s: %d %s", uri, table, rc, err.msg);
	if (rc) {
		assert_non_null(strstr(err.msg, uri));
		assert_non_null(strstr(err.msg, "--allow-external"));
	}
	assert_int_equal(cdc_path_check(&cdc_io_posix, table, true, cdc_str_z(uri), &err), CDC_OK);
}

/* What lies in the table is known however the table and the file are named. */
static void outside(void **state)
{
	const struct fixture *f = *state;
	char uri[2 * PATH_MAX], link[PATH_MAX + 8], here[PATH_MAX];
	const char *base = strrchr(f->table, '/') + 1;

	snprintf(link, sizeof(link), "%s.link", f->table);
	assert_int_equal(symlink(f->table, link), 0);
	may_follow(f->table, "a.parquet", true);
	may_follow(f->table, "p=a:b/c", true);
	snprintf(uri, sizeof(uri), "%s/p=1/a", f->table);
	may_follow(f->table, uri, true);
	may_follow(link, uri, true);
	snprintf(uri, sizeof(uri), "file://%s/a", link);
	may_follow(f->table, uri, true);
	may_follow(link, uri, true);
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(f->table), 0);
	may_follow(".", uri, true);
	assert_int_equal(chdir(".."), 0);
	may_follow(base, uri, true);
	assert_int_equal(chdir(here), 0);
	snprintf(uri, sizeof(uri), "%s2/a", f->table);
	may_follow(f->table, uri, false);
	may_follow(f->table, "/etc/passwd", false);
	may_follow(f->table, "file:/etc/passwd", false);
	may_follow(f->table, "FILE:///etc/%70asswd", false);
	may_follow(f->table, "file://localhost/etc/passwd", false);
	may_follow("/nowhere", "/nowhere/a", false);
	assert_int_equal(unlink(link), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encode),
		cmocka_unit_test(decode),
		cmocka_unit_test(partition_dir),
		cmocka_unit_test(long_partition_dir),
		cmocka_unit_test_setup_teardown(canonical, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(outside, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
