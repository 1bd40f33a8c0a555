/*
 * TiCDC's open protocol, put together after its description: batches under their Kafka keys in
 * lines as kcat -J writes them; values of each type, partial rows, statements, damage.
 */
#include "harness.h"

#include <lz4frame.h>
#include <snappy-c.h>

/* A message: key and value part by part. */
struct message {
	unsigned char key[4096];
	size_t key_n;
	unsigned char value[4096];
	size_t value_n;
};

static void put_be64(unsigned char *p, size_t *n, uint64_t v)
{
	for (unsigned i = 8; i-- > 0;)
		p[(*n)++] = (unsigned char)(v >> (8 * i));
}

static void put_part(unsigned char *p, size_t *n, const void *part, size_t len)
{
	put_be64(p, n, len);
	memcpy(p + *n, part, len);
	*n += len;
}

static void begin(struct message *m)
{
	m->key_n = m->value_n = 0;
	put_be64(m->key, &m->key_n, 1);
}

static void put_event(struct message *m, const char *key, const char *value)
{
	put_part(m->key, &m->key_n, key, strlen(key));
	put_part(m->value, &m->value_n, value, strlen(value));
}

/* A string of JSON as kcat prints bytes. */
static void put_string(struct cdc_buf *b, const unsigned char *p, size_t n)
{
	struct cdc_err err;
	int rc = cdc_buf_putc(b, '"', &err);

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '"' || p[i] == '\\')
			rc |= cdc_buf_printf(b, &err, "\\%c", p[i]);
		else if (p[i] < 0x20)
			rc |= cdc_buf_printf(b, &err, "\\u%04X", p[i]);
		else
			rc |= cdc_buf_putc(b, (char)p[i], &err);
	}
	rc |= cdc_buf_putc(b, '"', &err);
	assert_int_equal(rc, CDC_OK);
}

static void run_with(struct harness *h, const struct cdc_source_options *more,
		     const struct message *m, bool key)
{
	struct cdc_source_options opt = *more;
	struct cdc_buf line = CDC_BUF_INIT;
	struct cdc_err err;
	int rc = cdc_buf_puts(&line,
			      "{\"topic\":\"s\",\"partition\":0,\"offset\":7,\"tstype\":\"create\","
			      "\"ts\":1,\"broker\":1,\"key\":",
			      &err);

	if (key)
		put_string(&line, m->key, m->key_n);
	else
		rc |= cdc_buf_puts(&line, "null", &err);
	rc |= cdc_buf_puts(&line, ",\"payload\":", &err);
	put_string(&line, m->value, m->value_n);
	rc |= cdc_buf_puts(&line, "}\n", &err);
	assert_int_equal(rc, CDC_OK);
	harness_run(h, &opt, line.p, line.len, false);
	assert_int_equal(h->rc, CDC_OK);
	cdc_buf_free(&line);
}

/* Format and framing are told from the bytes. */
static void run(struct harness *h, const struct message *m)
{
	static const struct cdc_source_options automatic = { .format = "auto" };

	run_with(h, &automatic, m, true);
}

static void expect_reject(struct harness *h, const struct message *m, bool key, const char *reason)
{
	static const struct cdc_source_options named = { .format = "ticdc",
							 .framing = "kcat-json" };
	char line[300];

	run_with(h, &named, m, key);
	snprintf(line, sizeof(line), "0:1: %s\n", reason);
	assert_string_equal(cdc_buf_z(&h->reasons), line);
	assert_string_equal(harness_out(h), "");
}

static void expect(struct harness *h, const struct message *m, const char *out)
{
	run(h, m);
	assert_string_equal(cdc_buf_z(&h->reasons), "");
	assert_string_equal(harness_out(h), out);
}

/* 415508878783938562 >> 18 is 1585040583740. */
#define KEY "{\"ts\":415508878783938562,\"scm\":\"shop\",\"tbl\":\"t\",\"t\":1}"
#define HEAD(type)                                                                                 \
	"{\"recordID\":7,\"source\":{\"sourceType\":\"TiDB\",\"version\":\"\"},"                   \
	"\"dbTable\":\"shop.t\",\"recordType\":\"" type "\","                                      \
	"\"recordTimestamp\":\"2020-03-24T09:03:03.740Z\","                                        \
	"\"extraTags\":{\"commitTs\":\"415508878783938562\""
#define FIELDS "},\"fields\":[\"id\",\"v\"],"
#define POSITION "\"position\":{\"topic\":\"s\",\"partition\":0,\"offset\":7}}\n"
#define SCHEMA                                                                                     \
	"{\"recordType\":\"SCHEMA\",\"dbTable\":\"shop.t\",\"columns\":["                          \
	"{\"name\":\"id\",\"type\":\"bigint unsigned\",\"nullable\":false,"                        \
	"\"sourceType\":\"bigint unsigned\"},"                                                     \
	"{\"name\":\"v\",\"type\":\"varchar\",\"nullable\":true,\"sourceType\":\"varchar\"}],"     \
	"\"primaryKey\":[\"id\"]}\n"
/* Flags of the key: handle, primary, unsigned. */
#define ID(v) "\"id\":{\"t\":8,\"h\":true,\"f\":138,\"v\":" v "}"
#define V(v) "\"v\":{\"t\":15,\"f\":64,\"v\":" v "}"

/* The kinds of rows in one batch; `p` may hold only what changed. */
static void test_rows(void **state)
{
	struct harness h = { .rejects = 0 };
	struct message m;

	(void)state;
	begin(&m);
	put_event(&m, KEY, "{\"u\":{" ID("18446744073709551615") "," V("\"\"") "}}");
	put_event(&m, KEY,
		  "{\"u\":{" ID("1") "," V("null") "},\"p\":{" ID("1") "," V("\"a\"") "}}");
	put_event(&m, KEY, "{\"u\":{" ID("1") "," V("\"c\"") "},\"p\":{" V("null") "}}");
	put_event(&m, KEY, "{\"d\":{" ID("1") "," V("\"c\"") "}}");
	put_event(&m, KEY, "{\"d\":{" ID("2") "}}");
	expect(&h, &m,
	       SCHEMA HEAD("INSERT") FIELDS
	       "\"beforeImages\":{},\"afterImages\":{\"id\":\"18446744073709551615\","
	       "\"v\":\"\"}," POSITION HEAD("UPDATE") FIELDS
	       "\"beforeImages\":{\"id\":\"1\",\"v\":\"a\"},"
	       "\"afterImages\":{\"id\":\"1\",\"v\":null}," POSITION HEAD("UPDATE") FIELDS
	       "\"beforeImages\":{\"id\":\"1\",\"v\":null},"
	       "\"afterImages\":{\"id\":\"1\",\"v\":\"c\"}," POSITION HEAD("DELETE") FIELDS
	       "\"beforeImages\":{\"id\":\"1\",\"v\":\"c\"},\"afterImages\":{}," POSITION HEAD(
		       "DELETE") FIELDS
	       "\"beforeImages\":{\"id\":\"2\"},\"afterImages\":{}," POSITION);
	assert_string_equal(h.framing, "kcat-json");
	harness_free(&h);
}

/* A row that was too long for a message must not replace the stored one. */
static void test_only_keys(void **state)
{
	struct harness h = { .rejects = 0 };
	struct message m;

	(void)state;
	begin(&m);
	put_event(&m, KEY, "{\"u\":{" ID("1") "," V("\"a\"") "}}");
	put_event(&m,
		  "{\"ts\":415508878783938562,\"scm\":\"shop\",\"tbl\":\"t\",\"t\":1,\"ohk\":true}",
		  "{\"u\":{" ID("1") "}}");
	put_event(&m,
		  "{\"ts\":415508878783938562,\"scm\":\"shop\",\"tbl\":\"t\",\"t\":1,"
		  "\"ccl\":\"x.json\"}",
		  "{\"u\":{" ID("1") "}}");
	expect(&h, &m,
	       SCHEMA HEAD("INSERT") FIELDS
	       "\"beforeImages\":{},\"afterImages\":{\"id\":\"1\",\"v\":\"a\"}," POSITION HEAD(
		       "UPDATE") ",\"onlyHandleKey\":\"true\"" FIELDS
				 "\"beforeImages\":{},\"afterImages\":{\"id\":\"1\"}," POSITION HEAD(
					 "UPDATE") ",\"claimCheckLocation\":\"x.json\"" FIELDS
						   "\"beforeImages\":{},\"afterImages\":{\"id\":\"1\"}," POSITION);
	harness_free(&h);
}

/*
 * TiCDC 8.5, told to send what was updated only, loses the name of a column that became null: its
 * type, flags and value stand among the columns. What was null before and after can then not be
 * told from it; a column of that name, which has an object, can.
 */
static void test_nameless(void **state)
{
	struct harness h = { .rejects = 0 };
	struct message m;

	(void)state;
	begin(&m);
	put_event(
		&m, KEY,
		"{\"u\":{" ID("1") "," V(
			"null") ",\"t\":{\"t\":3,\"f\":64,\"v\":5}},"
				"\"p\":{\"t\":15,\"f\":64,\"v\":\"was\",\"t\":{\"t\":3,\"f\":64,\"v\":4}}}");
	run(&h, &m);
	assert_string_equal(cdc_buf_z(&h.reasons), "");
	assert_non_null(strstr(harness_out(&h),
			       "\"beforeImages\":{\"id\":\"1\",\"t\":\"4\"},"
			       "\"afterImages\":{\"id\":\"1\",\"v\":null,\"t\":\"5\"},"));
	/* A null that did not change is known where nothing was lost. */
	begin(&m);
	put_event(&m, KEY,
		  "{\"u\":{" ID("2") "," V("null") ",\"t\":{\"t\":3,\"f\":64,\"v\":5}},"
						   "\"p\":{\"t\":{\"t\":3,\"f\":64,\"v\":4}}}");
	run(&h, &m);
	assert_non_null(
		strstr(harness_out(&h), "\"beforeImages\":{\"id\":\"2\",\"v\":null,\"t\":\"4\"},"));
	/* Nor may the row itself be so. */
	begin(&m);
	put_event(&m, KEY, "{\"u\":{" ID("1") ",\"t\":15,\"f\":64,\"v\":null}}");
	expect_reject(&h, &m, true, "a column without a type");
	harness_free(&h);
}

static const struct {
	unsigned code;
	unsigned flags;
	const char *value; /* as in the message */
	const char *type; /* of the SCHEMA record; NULL: none */
	const char *source_type;
	const char *text; /* as in the record */
} kinds[] = {
	{ 0, 64, "\"129012.1230000\"", "decimal", NULL, "\"129012.1230000\"" },
	{ 1, 64, "-1", "tinyint", "tinyint", "\"-1\"" },
	{ 2, 192, "65535", "smallint unsigned", "smallint unsigned", "\"65535\"" },
	{ 3, 65, "123", "int", "int", "\"123\"" },
	{ 4, 64, "1.5", "float", "float", "\"1.5\"" },
	{ 5, 64, "1e+30", "double", "double", "\"1.0E30\"" },
	{ 6, 64, "null", NULL, NULL, "null" },
	{ 7, 64, "\"1973-12-30 15:30:00\"", "timestamp", "timestamp", "\"1973-12-30T15:30:00Z\"" },
	{ 9, 64, "5", "mediumint", "mediumint", "\"5\"" },
	{ 10, 64, "\"2000-01-01\"", "date", "date", "\"2000-01-01\"" },
	{ 11, 64, "\"23:59:59.5\"", "time", "time", "\"23:59:59.500000\"" },
	{ 12, 64, "\"2015-12-20 23:58:58\"", "datetime", "datetime", "\"2015-12-20 23:58:58\"" },
	{ 13, 64, "1970", "year", "year", "\"1970\"" },
	{ 16, 192, "81", "bit", NULL, "\"81\"" },
	{ 245, 64, "\"{\\\"k\\\": 1}\"", "json", "json", "\"{\\\"k\\\": 1}\"" },
	{ 246, 64, "\"-0.50\"", "decimal", NULL, "\"-0.50\"" },
	{ 247, 64, "2", "enum", "enum", "\"2\"" },
	{ 248, 64, "3", "set", "set", "\"3\"" },
	{ 252, 64, "\"5rWL\"", "text", "text", "\"\xe6\xb5\x8b\"" },
	{ 251, 65, "\"gAEC/w==\"", "longblob", "longblob", "\"gAEC/w==\"" },
	/* 89 P N G CR LF 1A LF, then U+6D4B as it is, a quote and a backslash, U+200B and U+1F600.
	 */
	{ 15, 65, "\"\\\\x89PNG\\\\r\\\\n\\\\x1a\\\\n\"", "varbinary", "varbinary",
	  "\"iVBORw0KGgo=\"" },
	{ 254, 65, "\"\xe6\xb5\x8b\\\\\\\"\\\\\\\\\\\\u200b\\\\U0001f600\"", "binary", "binary",
	  "\"5rWLIlzigIvwn5iA\"" },
	{ 254, 64, "\"a\\\\b\"", "char", "char", "\"a\\\\b\"" },
	{ 225, 64, "\"[1,2]\"", NULL, NULL, "\"[1,2]\"" },
};

static void test_values(void **state)
{
	struct harness h = { .rejects = 0 };
	struct message m;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		char value[300], after[300], schema[300], source[100] = "", type[200] = "";

		snprintf(value, sizeof(value),
			 "{\"u\":{" ID("1") ",\"x\":{\"t\":%u,\"f\":%u,\"v\":%s}}}", kinds[i].code,
			 kinds[i].flags, kinds[i].value);
		snprintf(after, sizeof(after), "\"afterImages\":{\"id\":\"1\",\"x\":%s},",
			 kinds[i].text);
		if (kinds[i].source_type)
			snprintf(source, sizeof(source), ",\"sourceType\":\"%s\"",
				 kinds[i].source_type);
		if (kinds[i].type)
			snprintf(type, sizeof(type), "\"type\":\"%s\",", kinds[i].type);
		snprintf(schema, sizeof(schema), ",{\"name\":\"x\",%s\"nullable\":true%s}],", type,
			 source);
		begin(&m);
		put_event(&m, KEY, value);
		run(&h, &m);
		assert_string_equal(cdc_buf_z(&h.reasons), "");
		if (!strstr(harness_out(&h), after) || !strstr(harness_out(&h), schema))
			fail_msg("%s\n%s\n%s", harness_out(&h), after, schema);
	}
	harness_free(&h);
}

static void test_bad_values(void **state)
{
	static const struct {
		const char *column;
		const char *reason;
	} cases[] = {
		{ "{\"t\":252,\"f\":65,\"v\":\"?\"}", "column x: a value is not base64" },
		{ "{\"t\":15,\"f\":65,\"v\":\"\\\\x8\"}",
		  "column x: a value is not escaped as it must be" },
		{ "{\"t\":15,\"f\":65,\"v\":\"\\\\\"}",
		  "column x: a value is not escaped as it must be" },
		{ "{\"t\":15,\"f\":65,\"v\":\"\\\\ud800\"}",
		  "column x: a value is not escaped as it must be" },
		{ "{\"t\":15,\"v\":\"a\"}", "a column without flags" },
		{ "{\"f\":64,\"v\":\"a\"}", "a column without a type" },
		{ "{\"t\":15,\"f\":64}", "column x has no value" },
		{ "7", "a column without a type" },
	};
	struct harness h = { .rejects = 0 };
	struct message m;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char value[200];

		snprintf(value, sizeof(value), "{\"u\":{\"x\":%s}}", cases[i].column);
		begin(&m);
		put_event(&m, KEY, value);
		expect_reject(&h, &m, true, cases[i].reason);
	}
	harness_free(&h);
}

#define CONTROL(name, type)                                                                        \
	"{\"recordID\":7,\"source\":{\"sourceType\":\"TiDB\",\"version\":\"\"},"                   \
	"\"dbTable\":\"" name "\",\"recordType\":\"" type "\","                                    \
	"\"recordTimestamp\":\"2020-03-24T09:03:03.740Z\","                                        \
	"\"extraTags\":{\"commitTs\":\"415508878783938562\"}"

static void test_statements(void **state)
{
	struct harness h = { .rejects = 0 };
	struct message m;

	(void)state;
	begin(&m);
	put_event(&m, "{\"ts\":415508878783938562,\"scm\":\"shop\",\"t\":2}",
		  "{\"q\":\"CREATE DATABASE shop\",\"t\":1}");
	put_event(&m, "{\"ts\":415508878783938562,\"scm\":\"shop\",\"tbl\":\"t\",\"t\":2}",
		  "{\"q\":\"TRUNCATE t\",\"t\":11}");
	put_event(&m, "{\"ts\":415508878783938562,\"t\":3}", "");
	expect(&h, &m,
	       CONTROL("shop", "DDL") ",\"ddl\":\"CREATE DATABASE shop\"," POSITION CONTROL(
		       "shop.t",
		       "DDL") ",\"ddl\":\"TRUNCATE t\"," POSITION CONTROL("shop.t",
									  "TRUNCATE") "," POSITION);
	assert_int_equal(h.counts.skipped, 1);
	/* A resolved time without any value. */
	begin(&m);
	put_event(&m, "{\"ts\":415508878783938562,\"t\":3}", "");
	m.value_n = 0;
	run_with(&h, &(struct cdc_source_options){ .format = "ticdc", .framing = "kcat-json" }, &m,
		 true);
	assert_int_equal(h.rejects, 0);
	assert_int_equal(h.counts.skipped, 1);
	run_with(&h,
		 &(struct cdc_source_options){
			 .format = "ticdc", .framing = "kcat-json", .control = true },
		 &m, true);
	assert_string_equal(
		harness_out(&h),
		"{\"recordID\":7,\"source\":{\"sourceType\":\"TiDB\",\"version\":\"\"},\"recordType\":\"CHECKPOINT\",\"recordTimestamp\":\"2020-03-24T09:03:03.740Z\",\"extraTags\":{},\"positions\":[]," POSITION);
	assert_int_equal(h.counts.skipped, 0);
	harness_free(&h);
}

/* Go escapes <, > and & in names; one name has them. */
static void test_names(void **state)
{
	struct harness h = { .rejects = 0 };
	struct message m;

	(void)state;
	begin(&m);
	put_event(&m, KEY, "{\"u\":{\"a\\u0026b\":{\"t\":3,\"f\":64,\"v\":1}}}");
	run(&h, &m);
	assert_string_equal(cdc_buf_z(&h.reasons), "");
	assert_non_null(strstr(harness_out(&h), "\"afterImages\":{\"a&b\":\"1\"},"));
	harness_free(&h);
}

/* Values that TiCDC compressed, each by itself. */
static void test_compressed(void **state)
{
	static const char value[] =
		"{\"u\":{" ID("1") "," V("\"aaaaaaaaaaaaaaaaaaaaaaaaaaa\"") "}}";
	struct harness h = { .rejects = 0 };
	char packed[1024], *plain;
	size_t n = sizeof(packed);
	struct message m;

	(void)state;
	begin(&m);
	put_event(&m, KEY, value);
	run(&h, &m);
	plain = strdup(harness_out(&h));
	assert_non_null(plain);
	assert_int_equal(snappy_compress(value, sizeof(value) - 1, packed, &n), SNAPPY_OK);
	begin(&m);
	put_part(m.key, &m.key_n, KEY, sizeof(KEY) - 1);
	put_part(m.value, &m.value_n, packed, n);
	expect(&h, &m, plain);
	n = LZ4F_compressFrame(packed, sizeof(packed), value, sizeof(value) - 1, NULL);
	assert_false(LZ4F_isError(n));
	begin(&m);
	put_part(m.key, &m.key_n, KEY, sizeof(KEY) - 1);
	put_part(m.value, &m.value_n, packed, n);
	expect(&h, &m, plain);
	free(plain);
	harness_free(&h);
}

static void test_damage(void **state)
{
	struct harness h = { .rejects = 0 };
	struct message m, cut;

	(void)state;
	begin(&m);
	put_event(&m, KEY, "{\"u\":{" ID("1") "}}");
	expect_reject(&h, &m, false,
		      "a message of TiCDC without its Kafka key, which names the table: framings "
		      "segment and kcat-json have it, and --kcat-format with %k");
	cut = m;
	cut.key_n--;
	expect_reject(&h, &cut, true, "the key of a message ends inside a part");
	cut = m;
	cut.value_n--;
	expect_reject(&h, &cut, true, "the value of a message ends inside a part");
	cut = m;
	cut.value[0] = 0x7f;
	expect_reject(&h, &cut, true, "the value of a message ends inside a part");
	cut = m;
	cut.key[7] = 2;
	expect_reject(&h, &cut, true, "version 2 of TiCDC's open protocol");
	cut = m;
	put_part(cut.value, &cut.value_n, "{}", 2);
	expect_reject(&h, &cut, true, "a message has more values than keys");
	cut = m;
	put_part(cut.key, &cut.key_n, KEY, sizeof(KEY) - 1);
	expect_reject(&h, &cut, true, "the value of a message ends inside a part");
	begin(&m);
	put_event(&m, KEY, "{}");
	expect_reject(&h, &m, true, "an event of a row without a row");
	begin(&m);
	put_event(&m, "{\"ts\":1,\"t\":9}", "{}");
	expect_reject(&h, &m, true, "an event of unknown type 9");
	harness_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	   cmocka_unit_test(test_only_keys),
		cmocka_unit_test(test_nameless),   cmocka_unit_test(test_values),
		cmocka_unit_test(test_bad_values), cmocka_unit_test(test_statements),
		cmocka_unit_test(test_names),	   cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
