/*
 * Proves text exports with other delimiters than the format's own, typed columns, character sets
 * and columns from a CREATE TABLE, by files made by hand after the manuals of MySQL and Sqoop.
 */
#include "harness.h"

#define TEXT(s) s, sizeof(s) - 1

/* The images of the rows, one a line. */
static const char *images(struct harness *h, const struct cdc_source_options *opt, const char *text,
			  size_t n)
{
	static char out[8192];
	size_t len = 0;

	harness_run(h, opt, text, n, false);
	out[0] = '\0';
	for (const char *p = harness_out(h); (p = strstr(p, "\"afterImages\":")) != NULL;) {
		const char *end = strstr(p, ",\"position\":");

		p += strlen("\"afterImages\":");
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%.*s\n", (int)(end - p), p);
	}
	return out;
}

struct how {
	const char *format, *fields, *enclosed, *escaped, *lines;
	const char *in;
	size_t n;
	const char *want; /* the images; empty: all is rejected */
};

static const struct how hows[] = {
	/* SELECT INTO OUTFILE … ENCLOSED BY '"': all fields, and \N */
	{ "tsv", ",", "\"", NULL, "\\r\\n",
	  TEXT("\"1\",\"a,\\\"b\r\nc\"\r\n\"2\",\\N\r\n\"\",\"NULL\"\r\n\"\",NULL\r\n"),
	  "{\"a\":\"1\",\"b\":\"a,\\\"b\\r\\nc\"}\n{\"a\":\"2\",\"b\":null}\n"
	  "{\"a\":\"\",\"b\":\"NULL\"}\n{\"a\":\"\",\"b\":null}\n" },
	/* a quote inside ends a field in front of a delimiter only; two are one */
	{ "tsv", ",", "\"", NULL, NULL, TEXT("\"a\"b\",\"c\"\"d\"\n"),
	  "{\"a\":\"a\\\"b\",\"b\":\"c\\\"d\"}\n" },
	{ "tsv", NULL, NULL, "", NULL, TEXT("NULL\t\\N\n"), "{\"a\":null,\"b\":\"\\\\N\"}\n" },
	{ "tsv", NULL, NULL, "~", NULL, TEXT("~N\t~n~0~~\\\n"),
	  "{\"a\":null,\"b\":\"\\n\\u0000~\\\\\"}\n" },
	{ "tsv", "||", NULL, NULL, "|\\n",
	  TEXT("a|b||c\\||d|\n"
	       "1||2"),
	  "{\"a\":\"a|b\",\"b\":\"c||d\"}\n{\"a\":\"1\",\"b\":\"2\"}\n" },
	/* Hive */
	{ "sqoop", "\\x01", NULL, NULL, NULL, TEXT("a,\x01null\n"), "{\"a\":\"a,\",\"b\":null}\n" },
	{ "sqoop", "\\001", NULL, NULL, "\\0x2",
	  TEXT("a\nb\x01"
	       "c\x02"),
	  "{\"a\":\"a\\nb\",\"b\":\"c\"}\n" },
	/* Sqoop --mysql-delimiters: an escaped byte is that byte */
	{ "sqoop", ",", "'", "\\\\", NULL, TEXT("'a,b','it\\'s'\nc\\,d,x\\n\\\\\n'null',null\n"),
	  "{\"a\":\"a,b\",\"b\":\"it's\"}\n{\"a\":\"c,d\",\"b\":\"xn\\\\\"}\n"
	  "{\"a\":\"null\",\"b\":null}\n" },
	{ "csv", ";", NULL, NULL, NULL, TEXT("\"x;\"\"\";,\r\n;\"\"\n"),
	  "{\"a\":\"x;\\\"\",\"b\":\",\"}\n{\"a\":null,\"b\":\"\"}\n" },
	{ "csv", NULL, "'", "\\\\", NULL, TEXT("'a\\'b',\"\n"),
	  "{\"a\":\"a'b\",\"b\":\"\\\"\"}\n" },
	{ "csv", NULL, "", NULL, NULL, TEXT("\"a,b\"\n"), "{\"a\":\"\\\"a\",\"b\":\"b\\\"\"}\n" },
	{ "csv", ";", NULL, NULL, NULL, TEXT("a\"b;c\n"), "" },
	{ "csv", ";", NULL, NULL, NULL, TEXT("\"a\"b;c\n"), "" },
	{ "csv", ";", NULL, NULL, NULL, TEXT("a;\"c\n"), "" },
	{ "tsv", ",", NULL, NULL, NULL, TEXT("a,c\\"), "" },
};

static void delimiters(void **state)
{
	struct harness h = { .rc = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
		const struct how *w = &hows[i];
		struct cdc_source_options opt = { .format = w->format,
						  .columns = "a,b",
						  .fields_terminated = w->fields,
						  .fields_enclosed = w->enclosed,
						  .fields_escaped = w->escaped,
						  .lines_terminated = w->lines };

		assert_string_equal(images(&h, &opt, w->in, w->n), w->want);
		assert_int_equal(h.rc, 0);
		assert_int_equal(h.rejects, w->want[0] ? 0 : 1);
	}
	harness_free(&h);
}

/* Records are numbered by lines, also where no line feed ends them. */
static void numbers(void **state)
{
	struct cdc_source_options opt = { .format = "tsv",
					  .columns = "a,b",
					  .fields_terminated = "--",
					  .lines_terminated = ";;" };
	struct harness h = { .rc = 0 };
	const char *p;

	(void)state;
	harness_run(&h, &opt, TEXT("1--a\\\nb;;2--c;;3--d"), false);
	p = harness_out(&h);
	/* a line feed in the first record's data, and each record is a line at least */
	assert_non_null(strstr(p, "{\"recordID\":1,"));
	assert_non_null(strstr(p, "{\"recordID\":3,"));
	assert_non_null(strstr(p, "{\"recordID\":4,"));
	harness_free(&h);
}

static void usage(void **state)
{
	static const struct {
		struct cdc_source_options opt;
		const char *want;
	} cases[] = {
		{ { .format = "tsv", .fields_terminated = "" },
		  "fields and lines must end in something: rows of fixed width are not read" },
		{ { .format = "tsv", .fields_escaped = "ab" },
		  "--fields-escaped-by is more than one byte" },
		{ { .format = "csv", .lines_terminated = "\\q" },
		  "--lines-terminated-by: unknown notation \\q" },
		{ { .format = "csv", .fields_terminated = "\\x100" },
		  "--fields-terminated-by: unknown notation \\x100" },
		{ { .format = "csv", .charset = "utf16" },
		  "--charset: utf16 is not read in exports" },
	};
	struct harness h = { .rc = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cdc_source_options opt = cases[i].opt;

		opt.columns = "a,b";
		harness_run(&h, &opt, TEXT("1,2\n"), false);
		assert_int_equal(h.rc, CDC_EUSAGE);
		assert_string_equal(h.err.msg, cases[i].want);
	}
	harness_free(&h);
}

static void types(void **state)
{
	static const struct {
		const char *format, *type, *in;
		size_t n;
		const char *want; /* empty: rejected */
	} cases[] = {
		{ "tsv", "BLOB", TEXT("\\0\xff\\\\"), "\"AP9c\"" },
		{ "tsv", "VARBINARY(10)", TEXT(""), "\"\"" },
		{ "csv", "BLOB", TEXT("AP9c"), "\"AP9c\"" },
		{ "sqoop", "BLOB", TEXT("61 62 0a ff"), "\"YWIK/w==\"" },
		{ "sqoop", "BLOB", TEXT(""), "\"\"" },
		{ "sqoop", "BLOB", TEXT("61 6"), "" },
		{ "sqoop", "BLOB", TEXT("61 "), "" },
		{ "sqoop", "BLOB", TEXT("externalLob(lf;x;1;2)"), "" },
		{ "tsv", "BIT(10)", TEXT("\2\1"), "\"513\"" },
		{ "sqoop", "BIT(1)", TEXT("true"), "\"true\"" },
		{ "sqoop", "DATETIME", TEXT("2011-01-12 00:00:00.0"), "\"2011-01-12 00:00:00\"" },
		{ "sqoop", "TIMESTAMP(6)", TEXT("2011-01-12 00:00:00.12"),
		  "\"2011-01-12T00:00:00.120000Z\"" },
		{ "tsv", "DATETIME", TEXT("0000-00-00 00:00:00"), "\"0000-00-00 00:00:00\"" },
		{ "tsv", "TIME(2)", TEXT("-838:59:59.50"), "\"-838:59:59.500000\"" },
		{ "tsv", "TIME(2)", TEXT("10:00:00.00"), "\"10:00:00\"" },
		{ "tsv", "FLOAT", TEXT("3"), "\"3.0\"" },
		{ "tsv", "DOUBLE", TEXT("1e300"), "\"1.0E300\"" },
		{ "tsv", "DOUBLE", TEXT("x"), "\"x\"" },
		{ "csv", "BOOLEAN", TEXT("1"), "\"true\"" },
		{ "csv", "DECIMAL(7,2)", TEXT("1.50"), "\"1.50\"" },
	};
	struct harness h = { .rc = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char columns[64], want[128];
		char text[64];
		struct cdc_source_options opt = { .format = cases[i].format, .columns = columns };

		snprintf(columns, sizeof(columns), "id INT, v %s", cases[i].type);
		memcpy(text, cases[i].format[0] == 't' ? "1\t" : "1,", 2);
		memcpy(text + 2, cases[i].in, cases[i].n);
		text[2 + cases[i].n] = '\n';
		snprintf(want, sizeof(want), "{\"id\":\"1\",\"v\":%s}\n", cases[i].want);
		if (!cases[i].want[0])
			want[0] = '\0';
		/* an empty field of CSV is null; of the others it is empty */
		assert_string_equal(images(&h, &opt, text, cases[i].n + 3), want);
		assert_int_equal(h.rejects, !cases[i].want[0]);
	}
	harness_free(&h);
}

static void charsets(void **state)
{
	struct cdc_source_options opt = { .format = "tsv", .columns = "a,b", .charset = "latin1" };
	struct harness h = { .rc = 0 };

	(void)state;
	assert_string_equal(images(&h, &opt, TEXT("\xe9\t\x80\n")),
			    "{\"a\":\"\xc3\xa9\",\"b\":\"\xe2\x82\xac\"}\n");
	/* the second byte of a GBK character may be a backslash */
	opt.charset = "gbk";
	assert_string_equal(images(&h, &opt, TEXT("\x81\\\t\xd6\xd0\\t\n")),
			    "{\"a\":\"\xe4\xb9\x97\",\"b\":\"\xe4\xb8\xad\\t\"}\n");
	opt.charset = "ascii";
	assert_string_equal(images(&h, &opt, TEXT("\xe9\t1\n")), "");
	assert_int_equal(h.rejects, 1);
	harness_free(&h);
}

static void create_table(void **state)
{
	static const char sql[] =
		"USE `d`; CREATE TABLE `o` (x int); CREATE TABLE `t` (`id` int(11) NOT NULL, "
		"`v` varchar(9) CHARACTER SET latin1, `j` json, PRIMARY KEY (`id`)) DEFAULT "
		"CHARSET=latin1;";
	char columns[] = "@/tmp/cdc-columns-XXXXXX";
	struct cdc_source_options opt = { .format = "tsv",
					  .columns = columns,
					  .db_table = "shop.t" };
	struct harness h = { .rc = 0 };
	int fd = mkstemp(columns + 1);

	(void)state;
	assert_true(fd >= 0 && write(fd, sql, sizeof(sql) - 1) == (ssize_t)sizeof(sql) - 1);
	close(fd);
	assert_string_equal(images(&h, &opt, TEXT("1\t\xe9\t\"\xc3\xa9\"\n")),
			    "{\"id\":\"1\",\"v\":\"\xc3\xa9\",\"j\":\"\\\"\xc3\xa9\\\"\"}\n");
	assert_non_null(strstr(harness_out(&h),
			       "{\"recordType\":\"SCHEMA\",\"dbTable\":\"shop.t\",\"columns\":[{"
			       "\"name\":\"id\",\"type\":\"int\",\"nullable\":false,\"sourceType\":"
			       "\"int(11)\"},"));
	assert_non_null(strstr(harness_out(&h), "\"primaryKey\":[\"id\"]}"));
	opt.db_table = NULL;
	harness_run(&h, &opt, TEXT("1\n"), false);
	assert_int_equal(h.rc, CDC_EUSAGE);
	unlink(columns + 1);
	harness_run(&h, &opt, TEXT("1\n"), false);
	assert_int_equal(h.rc, CDC_EIO);
	harness_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(delimiters), cmocka_unit_test(numbers),
		cmocka_unit_test(usage),      cmocka_unit_test(types),
		cmocka_unit_test(charsets),   cmocka_unit_test(create_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
