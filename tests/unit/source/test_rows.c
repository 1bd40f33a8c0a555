/*
 * Proves the export formats by hand-made files: RFC 4180 quoting, the escapes of mysqldump --tab,
 * Sqoop's text, null by every rule, columns from options and headers, operations from a column, and
 * what is rejected. Also the pass-through of change records.
 */
#include "harness.h"

#define TEXT(s) s, sizeof(s) - 1

/* The images of the output, one a line: "TYPE before after". SCHEMA and CHECKPOINT are left out. */
static const char *images(struct harness *h, const struct cdc_source_options *opt, const char *text,
			  size_t n)
{
	static char out[8192];
	size_t len = 0;
	char *p;

	harness_run(h, opt, text, n, false);
	out[0] = '\0';
	for (p = (char *)(uintptr_t)harness_out(h); *p;) {
		char *end = strchr(p, '\n');
		char *type, *before, *after, *position;

		*end = '\0';
		type = strstr(p, "\"recordType\":\"");
		before = strstr(p, "\"beforeImages\":");
		after = strstr(p, ",\"afterImages\":");
		position = strstr(p, ",\"position\":");
		if (before) {
			type += strlen("\"recordType\":\"");
			before += strlen("\"beforeImages\":");
			len += (size_t)snprintf(out + len, sizeof(out) - len, "%.*s %.*s %.*s\n",
						(int)strcspn(type, "\""), type,
						(int)(after - before), before,
						(int)(position - after - 15), after + 15);
		}
		p = end + 1;
	}
	return out;
}

static void csv_quoting(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *want;
	} cases[] = {
		{ TEXT("1,a\r\n2,b\n3,c"),
		  "INSERT {} {\"a\":\"1\",\"b\":\"a\"}\nINSERT {} {\"a\":\"2\",\"b\":\"b\"}\n"
		  "INSERT {} {\"a\":\"3\",\"b\":\"c\"}\n" },
		{ TEXT("\"x,y\",\"say \"\"hi\"\"\"\n"),
		  "INSERT {} {\"a\":\"x,y\",\"b\":\"say \\\"hi\\\"\"}\n" },
		{ TEXT("\"two\r\nlines\n\",z\n"),
		  "INSERT {} {\"a\":\"two\\r\\nlines\\n\",\"b\":\"z\"}\n" },
		{ TEXT(",\"\"\n"), "INSERT {} {\"a\":null,\"b\":\"\"}\n" },
		{ TEXT(" a , b \n"), "INSERT {} {\"a\":\" a \",\"b\":\" b \"}\n" },
		{ TEXT("\\n,\\\n"), "INSERT {} {\"a\":\"\\\\n\",\"b\":\"\\\\\"}\n" },
		{ TEXT("\xEF\xBB\xBF"
		       "1,2\n"),
		  "INSERT {} {\"a\":\"1\",\"b\":\"2\"}\n" },
		{ TEXT("\"\"\"\",\"a\"\r\n"), "INSERT {} {\"a\":\"\\\"\",\"b\":\"a\"}\n" },
		{ TEXT("1,\"x\""), "INSERT {} {\"a\":\"1\",\"b\":\"x\"}\n" },
		{ TEXT("\n1,2\n\r\n\n"), "INSERT {} {\"a\":\"1\",\"b\":\"2\"}\n" },
		{ TEXT("1,\xe9\xbd\xbf\0\n"),
		  "INSERT {} {\"a\":\"1\",\"b\":\"\xe9\xbd\xbf\\u0000\"}\n" },
		{ TEXT(""), "" },
	};
	struct cdc_source_options opt = { .format = "csv", .columns = "a,b" };
	struct harness h = { .rc = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(images(&h, &opt, cases[i].in, cases[i].n), cases[i].want);
		assert_int_equal(h.rc, 0);
		assert_int_equal(h.rejects, 0);
	}
	harness_free(&h);
}

/* A bad line is one reject with its bytes, offset and line; the next line is read. */
static void csv_rejects(void **state)
{
	static const struct {
		const char *in;
		const char *raw;
		const char *want;
	} cases[] = {
		{ "1,2,3\n", "1,2,3\n", "5:2: 3 fields, not 2\n" },
		{ "1\n", "1\n", "5:2: 1 fields, not 2\n" },
		{ "1,a\"b\n", "1,a\"b\n", "5:2: a quote inside a field that is not quoted\n" },
		{ "1,\"a\"b\n", "1,\"a\"b\n", "5:2: text after the closing quote\n" },
		{ "1,\"a\"\rb\n", "1,\"a\"\rb\n", "5:2: text after the closing quote\n" },
		{ "1,\"a\"\r,\n", "1,\"a\"\r,\n", "5:2: text after the closing quote\n" },
		{ "1,\xff\n", "1,\xff\n", "5:2: column b: text is not UTF-8\n" },
	};
	struct cdc_source_options opt = { .format = "csv", .columns = "a,b" };
	struct harness h = { .rc = 0 };
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int n = snprintf(text, sizeof(text), "1,22\n%s3,4\n", cases[i].in);

		assert_string_equal(images(&h, &opt, text, (size_t)n),
				    "INSERT {} {\"a\":\"1\",\"b\":\"22\"}\n"
				    "INSERT {} {\"a\":\"3\",\"b\":\"4\"}\n");
		assert_string_equal(cdc_buf_z(&h.reasons), cases[i].want);
		assert_string_equal(cdc_buf_z(&h.raw), cases[i].raw);
	}
	harness_run(&h, &opt, TEXT("1,\"a\n2,b\n"), false);
	assert_string_equal(cdc_buf_z(&h.reasons), "0:1: a quoted field is not closed\n");
	harness_run(&h, &opt, TEXT("1,\"a\"\r"), false);
	assert_string_equal(cdc_buf_z(&h.reasons), "0:1: text after the closing quote\n");
	opt.record_max = 16;
	harness_run(&h, &opt, TEXT("1,2\n\"a quote that is never closed"), false);
	assert_int_equal(h.rc, CDC_EDATA);
	assert_string_equal(h.err.msg, "a record of more than 16 bytes");
	assert_int_equal(h.err.line, 2);
	harness_free(&h);
}

static void null_rules(void **state)
{
	struct cdc_source_options opt = { .format = "csv", .columns = "a,b", .null_string = "\\N" };
	struct harness h = { .rc = 0 };

	(void)state;
	assert_string_equal(images(&h, &opt, TEXT("\\N,\"\\N\"\n,x\n")),
			    "INSERT {} {\"a\":null,\"b\":\"\\\\N\"}\n"
			    "INSERT {} {\"a\":\"\",\"b\":\"x\"}\n");
	opt.null_string = "";
	assert_string_equal(images(&h, &opt, TEXT(",\"\"\n")),
			    "INSERT {} {\"a\":null,\"b\":\"\"}\n");
	opt.format = "tsv";
	opt.null_string = "NULL";
	assert_string_equal(images(&h, &opt, TEXT("NULL\t\\N\n")),
			    "INSERT {} {\"a\":null,\"b\":\"N\"}\n");
	opt.format = "sqoop";
	opt.null_string = NULL;
	assert_string_equal(images(&h, &opt, TEXT("null,\n")),
			    "INSERT {} {\"a\":null,\"b\":\"\"}\n");
	opt.null_string = "\\N";
	assert_string_equal(images(&h, &opt, TEXT("null,\\N\n")),
			    "INSERT {} {\"a\":\"null\",\"b\":null}\n");
	harness_free(&h);
}

static void tsv_escapes(void **state)
{
	struct cdc_source_options opt = { .format = "tsv", .columns = "a,b" };
	struct harness h = { .rc = 0 };

	(void)state;
	assert_string_equal(
		images(&h, &opt, TEXT("1\t\\N\n2\tNULL\n3\t\n")),
		"INSERT {} {\"a\":\"1\",\"b\":null}\nINSERT {} {\"a\":\"2\",\"b\":\"NULL\"}\n"
		"INSERT {} {\"a\":\"3\",\"b\":\"\"}\n");
	/* a backslash in front of the real tab or line feed, and the letters of LOAD DATA */
	assert_string_equal(
		images(&h, &opt, TEXT("a\\\tb\tc\\\nd\n\\0\\b\\n\\r\\t\\Z\\\\\t\\x\\N\n")),
		"INSERT {} {\"a\":\"a\\tb\",\"b\":\"c\\nd\"}\n"
		"INSERT {} {\"a\":\"\\u0000\\b\\n\\r\\t\\u001a\\\\\",\"b\":\"xN\"}\n");
	assert_string_equal(images(&h, &opt, TEXT("a\tb\r\n")),
			    "INSERT {} {\"a\":\"a\",\"b\":\"b\\r\"}\n");
	assert_string_equal(images(&h, &opt, TEXT("a\tb\\")), "");
	assert_string_equal(cdc_buf_z(&h.reasons), "0:1: a backslash at the end of the input\n");
	harness_free(&h);
}

static void sqoop_text(void **state)
{
	struct cdc_source_options opt = { .format = "sqoop", .columns = "a,b", .as_init = true };
	struct harness h = { .rc = 0 };

	(void)state;
	assert_string_equal(images(&h, &opt, TEXT("\"x\\,\"y\n1,2011-01-12 00:00:00.0")),
			    "INIT {} {\"a\":\"\\\"x\\\\\",\"b\":\"\\\"y\"}\n"
			    "INIT {} {\"a\":\"1\",\"b\":\"2011-01-12 00:00:00.0\"}\n");
	harness_free(&h);
}

static void operations(void **state)
{
	struct cdc_source_options opt = { .format = "csv",
					  .columns = "Op,id,v",
					  .op_column = "Op",
					  .key = "id",
					  .as_init = true };
	struct harness h = { .rc = 0 };

	(void)state;
	assert_string_equal(
		images(&h, &opt,
		       TEXT("I,1,a\nu,1,b\nDELETE,1,\nc,2,x\nr,3,y\nupdate,2,z\nd,2,z\n")),
		"INSERT {} {\"id\":\"1\",\"v\":\"a\"}\nUPDATE {} {\"id\":\"1\",\"v\":\"b\"}\n"
		"DELETE {\"id\":\"1\",\"v\":null} {}\nINSERT {} {\"id\":\"2\",\"v\":\"x\"}\n"
		"INIT {} {\"id\":\"3\",\"v\":\"y\"}\nUPDATE {} {\"id\":\"2\",\"v\":\"z\"}\n"
		"DELETE {\"id\":\"2\",\"v\":\"z\"} {}\n");
	assert_string_equal(images(&h, &opt, TEXT("X,1,a\n,1,a\n")), "");
	assert_string_equal(cdc_buf_z(&h.reasons),
			    "0:1: unknown operation X\n6:2: unknown operation \n");
	opt.op_column = "none";
	harness_run(&h, &opt, TEXT("X,1,a\n"), false);
	assert_int_equal(h.rc, CDC_EUSAGE);
	assert_string_equal(h.err.msg, "--op-column: there is no column none");
	harness_free(&h);
}

static void whole_records(void **state)
{
	struct cdc_source_options opt = {
		.format = "csv",
		.key = "id",
		.db_table = "shop.\"s\"",
		.columns =
			"`id` BIGINT(20) UNSIGNED NOT NULL, sales DECIMAL( 7, 2 ), e enum('a','b') null,"
			" \"x \"\" y\" , n",
	};
	struct harness h = { .rc = 0 };

	(void)state;
	harness_run(&h, &opt, TEXT("1,2.50,a,\"p\nq\",\n2,,,,\n"), true);
	assert_int_equal(h.rc, 0);
	assert_string_equal(
		harness_out(&h),
		"{\"recordType\":\"SCHEMA\",\"dbTable\":\"shop.\\\"s\\\"\",\"columns\":["
		"{\"name\":\"id\",\"type\":\"bigint unsigned\",\"nullable\":false,\"sourceType\":"
		"\"BIGINT(20) UNSIGNED\"},"
		"{\"name\":\"sales\",\"type\":\"decimal(7,2)\",\"nullable\":true,\"sourceType\":"
		"\"DECIMAL( 7, 2 )\"},"
		"{\"name\":\"e\",\"type\":\"enum('a','b')\",\"nullable\":true,\"sourceType\":"
		"\"enum('a','b')\"},"
		"{\"name\":\"x \\\" y\",\"nullable\":true},{\"name\":\"n\",\"nullable\":true}],"
		"\"primaryKey\":[\"id\"]}\n"
		"{\"recordID\":1,\"source\":{\"sourceType\":\"FILE\",\"version\":\"\"},"
		"\"dbTable\":\"shop.\\\"s\\\"\",\"recordType\":\"INSERT\",\"extraTags\":{},"
		"\"fields\":[\"id\",\"sales\",\"e\",\"x \\\" y\",\"n\"],\"beforeImages\":{},"
		"\"afterImages\":{\"id\":\"1\",\"sales\":\"2.50\",\"e\":\"a\",\"x \\\" y\":\"p\\nq\",\"n\":null},"
		"\"position\":{\"file\":\"in\",\"offset\":0}}\n"
		"{\"recordID\":3,\"source\":{\"sourceType\":\"FILE\",\"version\":\"\"},"
		"\"dbTable\":\"shop.\\\"s\\\"\",\"recordType\":\"INSERT\",\"extraTags\":{},"
		"\"fields\":[\"id\",\"sales\",\"e\",\"x \\\" y\",\"n\"],\"beforeImages\":{},"
		"\"afterImages\":{\"id\":\"2\",\"sales\":null,\"e\":null,\"x \\\" y\":null,\"n\":null},"
		"\"position\":{\"file\":\"in\",\"offset\":16}}\n"
		"{\"recordType\":\"CHECKPOINT\",\"positions\":[],\"final\":true}\n");
	harness_free(&h);
}

/* recordID goes on over the inputs, as if they were one: a later file has the later records. */
static void several_inputs(void **state)
{
	struct cdc_source_options opt = { .format = "csv", .header = true, .key = "a" };
	struct harness h = { .rc = 0 };
	struct cdc_sink sink = { .ctx = &h, .put = harness_put, .on_reject = harness_reject };
	struct cdc_source *s = NULL;
	struct cdc_err err = CDC_ERR_INIT;
	const char *p;
	static const char *const ids[] = { "{\"recordID\":2,", "{\"recordID\":3,",
					   "{\"recordID\":5,", "{\"recordID\":7," };

	(void)state;
	assert_int_equal(cdc_source_new(&s, &opt, &sink, &err), CDC_OK);
	assert_int_equal(harness_input(s, TEXT("a,b\n1,2\n3,4"), &err), CDC_OK);
	assert_int_equal(harness_input(s, TEXT("a,b\n5,6\n"), &err), CDC_OK);
	assert_int_equal(harness_input(s, TEXT("b,a\n7,8\n"), &err), CDC_OK);
	cdc_source_free(s);
	p = harness_out(&h);
	assert_non_null(
		strstr(p, "\"columns\":[{\"name\":\"a\",\"nullable\":false},{\"name\":\"b\""));
	for (int i = 0; i < 4; i++) {
		p = strstr(p, ids[i]);
		assert_non_null(p);
	}
	/* other columns: another SCHEMA record */
	assert_non_null(
		strstr(harness_out(&h), "\"columns\":[{\"name\":\"b\",\"nullable\":true},"));
	harness_free(&h);
}

static void headers(void **state)
{
	struct cdc_source_options opt = { .format = "csv", .header = true };
	struct harness h = { .rc = 0 };

	(void)state;
	assert_string_equal(images(&h, &opt, TEXT("\"a\"\"1\",b\n1,2\n")),
			    "INSERT {} {\"a\\\"1\":\"1\",\"b\":\"2\"}\n");
	/* nothing is known of them but names: no SCHEMA record */
	assert_int_equal(h.counts.control, 0);
	harness_run(&h, &opt, TEXT("a,A\n1,2\n"), false);
	assert_int_equal(h.rc, CDC_EUSAGE);
	harness_run(&h, &opt, TEXT("a,\n1,2\n"), false);
	assert_string_equal(h.err.msg, "the header has an empty name");
	opt.columns = "b INT, a DATE";
	harness_run(&h, &opt, TEXT("a,b\n1,2\n"), false);
	assert_non_null(strstr(harness_out(&h), "\"columns\":[{\"name\":\"a\",\"type\":\"date\""));
	harness_run(&h, &opt, TEXT("a,c\n1,2\n"), false);
	assert_string_equal(h.err.msg, "--columns does not have c of the header");
	opt.columns = "b,a,c";
	harness_run(&h, &opt, TEXT("a,b\n1,2\n"), false);
	assert_string_equal(h.err.msg, "--columns has 3 columns, the header 2");
	opt.header = false;
	opt.columns = "a,`b";
	harness_run(&h, &opt, TEXT("1,2\n"), false);
	assert_string_equal(h.err.msg, "--columns: a quote is not closed");
	opt.columns = "a,,b";
	harness_run(&h, &opt, TEXT("1,2\n"), false);
	assert_string_equal(h.err.msg, "--columns has an empty name");
	opt.columns = "a,b";
	opt.key = "c";
	harness_run(&h, &opt, TEXT("1,2\n"), false);
	assert_string_equal(h.err.msg, "--key: there is no column c");
	harness_free(&h);
}

#define ROW                                                                                        \
	"{\"recordID\":1,\"dbTable\":\"d.t\",\"recordType\":\"INSERT\",\"x\":[1],\"afterImages\":{\"a\":1}"

static void records(void **state)
{
	static const char *const tables[] = { "d.*", NULL };
	struct cdc_source_options opt = { .format = "records", .tables = tables };
	struct harness h = { .rc = 0 };

	(void)state;
	harness_run(
		&h, &opt,
		TEXT(ROW
		     ",\"position\":{\"topic\":\"s\",\"partition\":0,\"offset\":7}}\r\n"
		     "\n"
		     "{\"recordType\":\"DELETE\",\"dbTable\":\"other.t\",\"beforeImages\":{},"
		     "\"position\":{\"topic\":\"s\",\"partition\":0,\"offset\":8}}\n"
		     "{\"recordType\":\"CHECKPOINT\",\"positions\":[{\"topic\":\"s\",\"partition\":1,"
		     "\"offset\":3}],\"final\":true}\n"
		     "{\"recordType\":\"INSERT\"}\n"
		     "not JSON\n"
		     "{\"recordType\":\"DDL\",\"dbTable\":\"d\"}\n"
		     "{\"recordType\":\"COMMIT\"}"),
		true);
	assert_int_equal(h.rc, 0);
	assert_int_equal(h.rejects, 2);
	assert_string_equal(
		harness_out(&h), ROW
		",\"position\":{\"topic\":\"s\",\"partition\":0,\"offset\":7}} \n"
		"{\"recordType\":\"DDL\",\"dbTable\":\"d\"}\n"
		"{\"recordType\":\"COMMIT\"}\n"
		"{\"recordType\":\"CHECKPOINT\",\"positions\":[{\"topic\":\"s\",\"partition\":0,"
		"\"offset\":8},{\"topic\":\"s\",\"partition\":1,\"offset\":3}]}\n");
	/* Records behind the final CHECKPOINT are those of a writer that has not closed them. */
	assert_int_equal(h.counts.cut_off, 1);
	opt.framing = "single";
	harness_run(&h, &opt, TEXT("{\n\"recordType\":\"BEGIN\"\n}\n"), false);
	assert_string_equal(harness_out(&h), "{ \"recordType\":\"BEGIN\" } \n");
	harness_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(csv_quoting),	 cmocka_unit_test(csv_rejects),
		cmocka_unit_test(null_rules),	 cmocka_unit_test(tsv_escapes),
		cmocka_unit_test(sqoop_text),	 cmocka_unit_test(operations),
		cmocka_unit_test(whole_records), cmocka_unit_test(several_inputs),
		cmocka_unit_test(headers),	 cmocka_unit_test(records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
