/*
 * Proves the format avro by containers put together byte by byte after the Avro specification: the
 * text of every type, operations, rows that are damaged, and schemas that hold no rows.
 */
#include "harness.h"

#define SYNC "0123456789abcdef"

static void add(struct cdc_buf *b, const void *p, size_t n)
{
	struct cdc_err err;

	assert_int_equal(cdc_buf_append(b, p, n, &err), CDC_OK);
}

static void add_long(struct cdc_buf *b, long long v)
{
	unsigned long long u = ((unsigned long long)v << 1) ^ (unsigned long long)(v >> 63);

	do {
		unsigned char c = (unsigned char)((u & 0x7f) | (u > 0x7f ? 0x80 : 0));

		add(b, &c, 1);
		u >>= 7;
	} while (u);
}

static void add_text(struct cdc_buf *b, const char *s)
{
	add_long(b, (long long)strlen(s));
	add(b, s, strlen(s));
}

/* A container of one block. */
static void container(struct cdc_buf *b, const char *schema, int count, const void *data, size_t n)
{
	cdc_buf_reset(b);
	add(b, "Obj\x01", 4);
	add_long(b, 1);
	add_text(b, "avro.schema");
	add_text(b, schema);
	add_long(b, 0);
	add(b, SYNC, 16);
	add_long(b, count);
	add_long(b, (long long)n);
	add(b, data, n);
	add(b, SYNC, 16);
}

static struct cdc_buf file;

/* One field of that type, one row of those bytes: the value as it is printed. */
static const char *one(struct harness *h, const char *type, const void *data, size_t n)
{
	struct cdc_source_options opt = { .format = "avro", .framing = "ocf" };
	static char out[4096];
	char schema[2048];
	char *p, *end;

	snprintf(schema, sizeof(schema),
		 "{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"v\",\"type\":%s}]}",
		 type);
	container(&file, schema, 1, data, n);
	harness_run(h, &opt, file.p, file.len, false);
	p = strstr((char *)(uintptr_t)harness_out(h), "\"afterImages\":{\"v\":");
	if (!p)
		return cdc_buf_z(&h->reasons);
	snprintf(out, sizeof(out), "%s", p + strlen("\"afterImages\":{\"v\":"));
	end = strstr(out, "},\"position\"");
	assert_non_null(end);
	*end = '\0';
	return out;
}

#define T(type, logical) "{\"type\":\"" type "\",\"logicalType\":\"" logical "\"}"
#define C(type, name) "{\"type\":\"" type "\",\"connect.name\":\"" name "\"}"
#define B(s) s, sizeof(s) - 1

static void values(void **state)
{
	static const struct {
		const char *type;
		const char *data;
		size_t n;
		const char *want;
	} cases[] = {
		{ "\"boolean\"", B("\1"), "\"true\"" },
		{ "\"int\"", B("\3"), "\"-2\"" },
		{ "\"float\"", B("\0\0\xc0\x3f"), "\"1.5\"" },
		{ "\"double\"", B("\0\0\0\0\0\0\xf0\x7f"), "\"Infinity\"" },
		{ "\"string\"", B("\4a\""), "\"a\\\"\"" },
		{ "\"bytes\"", B("\4\0\xff"), "\"AP8=\"" },
		{ "[\"null\",\"string\"]", B("\0"), "null" },
		{ "[\"null\",\"string\"]", B("\2\2x"), "\"x\"" },
		{ "{\"type\":\"enum\",\"name\":\"e\",\"symbols\":[\"A\",\"B\"]}", B("\2"),
		  "\"B\"" },
		{ "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":7,\"scale\":2}",
		  B("\4\xfe\xd4"), "\"-3.00\"" },
		{ "{\"type\":\"fixed\",\"size\":2,\"name\":\"f\",\"logicalType\":\"decimal\","
		  "\"precision\":4}",
		  B("\1\0"), "\"256\"" },
		{ T("int", "date"), B("\2"), "\"1970-01-02\"" },
		{ T("int", "time-millis"), B("\xd0\x0f"), "\"00:00:01\"" },
		{ T("long", "time-micros"), B("\2"), "\"00:00:00.000001\"" },
		{ T("long", "timestamp-millis"), B("\1"), "\"1969-12-31T23:59:59.999000Z\"" },
		{ T("long", "timestamp-micros"), B("\0"), "\"1970-01-01T00:00:00Z\"" },
		{ T("long", "timestamp-nanos"), B("\1"), "\"1969-12-31T23:59:59.999999999Z\"" },
		{ T("long", "local-timestamp-micros"), B("\2"), "\"1970-01-01 00:00:00.000001\"" },
		{ C("long", "io.debezium.time.MicroTimestamp"), B("\2"),
		  "\"1970-01-01 00:00:00.000001\"" },
		{ C("long", "io.debezium.time.MicroTime"), B("\1"), "\"-00:00:00.000001\"" },
		{ C("string", "io.debezium.time.ZonedTimestamp"),
		  B("\x32"
		    "2023-11-30T13:34:56+01:00"),
		  "\"2023-11-30T12:34:56Z\"" },
		{ C("bytes", "io.debezium.data.Bits"), B("\4\1\2"), "\"513\"" },
		{ "{\"type\":\"array\",\"items\":[\"null\",\"int\"]}", B("\4\0\2\4\0"),
		  "\"[null,2]\"" },
		{ "{\"type\":\"map\",\"values\":\"string\"}", B("\2\2k\2\"\0"),
		  "\"{\\\"k\\\":\\\"\\\\\\\"\\\"}\"" },
		/* what cannot be read */
		{ "\"string\"", B("\2\xff"), "" },
		{ T("int", "date"), B("\xff\xff\xff\xff\x0f"), "" },
		{ "\"boolean\"", B("\2"), "" },
		{ "[\"null\",\"int\"]", B("\4"), "" },
		{ "{\"type\":\"array\",\"items\":\"null\"}",
		  B("\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1"), "" },
	};
	struct harness h = { .rc = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got = one(&h, cases[i].type, cases[i].data, cases[i].n);

		assert_int_equal(h.rejects, cases[i].want[0] ? 0 : 1);
		if (cases[i].want[0])
			assert_string_equal(got, cases[i].want);
	}
	harness_free(&h);
}

static void rows(void **state)
{
	struct cdc_source_options opt = {
		.format = "avro", .framing = "ocf", .op_column = "op", .key = "id"
	};
	struct harness h = { .rc = 0 };

	(void)state;
	/* The rows begin behind magic 4, count 1, key 12, schema 2 + 142, end 1, marker 16 and the
	 * block's head 2: 180, 186, 190. The second has no such operation: it alone is rejected. */
	container(
		&file,
		"{\"type\":\"record\",\"name\":\"ns.sales\",\"fields\":[{\"name\":\"id\",\"type\":"
		"\"long\"},{\"name\":\"op\",\"type\":\"string\"},{\"name\":\"n\",\"type\":[\"null\","
		"\"string\"]}]}",
		3, B("\2\2U\2\2x\4\2?\0\6\2d\0"));
	harness_run(&h, &opt, file.p, file.len, false);
	assert_int_equal(h.rc, CDC_OK);
	assert_string_equal(
		harness_out(&h),
		"{\"recordType\":\"SCHEMA\",\"dbTable\":\"sales\",\"columns\":[{\"name\":\"id\","
		"\"type\":\"bigint\",\"nullable\":false,\"sourceType\":\"long\"},{\"name\":\"n\","
		"\"type\":\"string\",\"nullable\":true,\"sourceType\":\"string\"}],\"primaryKey\":"
		"[\"id\"]}\n"
		"{\"recordID\":1,\"source\":{\"sourceType\":\"FILE\",\"version\":\"\"},\"dbTable\":"
		"\"sales\",\"recordType\":\"UPDATE\",\"extraTags\":{},\"fields\":[\"id\",\"n\"],"
		"\"beforeImages\":{},\"afterImages\":{\"id\":\"1\",\"n\":\"x\"},\"position\":{"
		"\"file\":\"in\",\"offset\":180}}\n"
		"{\"recordID\":3,\"source\":{\"sourceType\":\"FILE\",\"version\":\"\"},\"dbTable\":"
		"\"sales\",\"recordType\":\"DELETE\",\"extraTags\":{},\"fields\":[\"id\",\"n\"],"
		"\"beforeImages\":{\"id\":\"3\",\"n\":null},\"afterImages\":{},\"position\":{"
		"\"file\":\"in\",\"offset\":190}}\n");
	assert_string_equal(cdc_buf_z(&h.reasons), "186:0: unknown operation ?\n");
	assert_int_equal(h.raw.len, 4);
	harness_free(&h);
}

static void refused(void **state)
{
	struct cdc_source_options opt = { .format = "avro", .framing = "ocf" };
	struct harness h = { .rc = 0 };

	(void)state;
	container(&file, "\"string\"", 1, B("\2x"));
	harness_run(&h, &opt, file.p, file.len, false);
	assert_int_equal(h.rc, CDC_EDATA);
	/* rows that take no bytes could be any number */
	container(
		&file,
		"{\"type\":\"record\",\"name\":\"t\",\"fields\":[{\"name\":\"a\",\"type\":\"null\"}]}",
		1000, B(""));
	harness_run(&h, &opt, file.p, file.len, false);
	assert_int_equal(h.rc, CDC_EDATA);
	harness_free(&h);
	cdc_buf_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(rows),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
