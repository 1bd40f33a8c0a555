/*
 * Proves that values of every type are JSON as cdc-snapshot(1) says: lists, structs and maps at any
 * depth, where null and empty differ, the types that only Parquet files have, and that the other
 * formats hold the same text. Columns are made by hand, as table/batch/batch.h says that they lie.
 */
#include "table/print/print.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FIELD(n, t, c)                                                                             \
	{                                                                                          \
		.name = CDC_STR(n), .type = (t), .child = (c), .num_children = 1                   \
	}
#define FLAT(n, t)                                                                                 \
	{                                                                                          \
		.name = CDC_STR(n), .type = (t)                                                    \
	}
#define S(text)                                                                                    \
	{                                                                                          \
		(text), sizeof(text) - 1                                                           \
	}

/* The JSON text of a row. */
static void is_json(const struct cdc_column *c, uint32_t row, const char *want)
{
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_print_json_value(c, row, &out, &err), 0);
	assert_string_equal(cdc_buf_z(&out), want);
	cdc_buf_free(&out);
}

static int fails(const struct cdc_column *c, struct cdc_err *err)
{
	struct cdc_buf out = CDC_BUF_INIT;
	int rc = cdc_print_json_value(c, 0, &out, err);

	cdc_buf_free(&out);
	return rc;
}

/* What a printer writes for one column. */
static void is_printed(enum cdc_print_format format, const struct cdc_column *c, uint32_t rows,
		       const char *want)
{
	struct cdc_column column = *c;
	struct cdc_batch b = { .rows = rows, .num_columns = 1, .column = &column };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_printer *p;
	struct cdc_writer w;
	char path[] = "/tmp/test_print.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(cdc_writer_init(&w, &cdc_io_posix, fd, &err), 0);
	assert_int_equal(cdc_printer_new(&p, format, &c->field, 1, &w, &err), 0);
	assert_int_equal(cdc_printer_batch(p, &b, &err), 0);
	assert_int_equal(cdc_printer_finish(p, &err), 0);
	cdc_printer_free(p);
	assert_int_equal(cdc_writer_flush(&w, &err), 0);
	cdc_writer_free(&w);
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, path, &out, &err), 0);
	assert_string_equal(cdc_buf_z(&out), want);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
	cdc_buf_free(&out);
}

/* ------------------------------------------------------------------ lists */

static struct cdc_field int_element = FLAT("element", CDC_TYPE_INTEGER);
static const struct cdc_field ints_field = FIELD("ints", CDC_TYPE_ARRAY, &int_element);
static const int32_t int_values[] = { 9, 1, -2, 0, 4 };
static const uint8_t int_valid[] = { 1, 1, 1, 0, 1 };
static struct cdc_column int_column = { &int_element, int_values, int_valid, NULL };

/* [1,-2,null], null, [], [4]: a span need not follow the one before. */
static const struct cdc_span int_spans[] = { { 1, 3 }, { 0, 0 }, { 4, 0 }, { 4, 1 } };
static const uint8_t int_lists_valid[] = { 1, 0, 1, 1 };
static const struct cdc_column ints = { &ints_field, int_spans, int_lists_valid, &int_column };

static void lists(void **state)
{
	(void)state;
	is_json(&ints, 0, "[1,-2,null]");
	is_json(&ints, 1, "null");
	is_json(&ints, 2, "[]");
	is_json(&ints, 3, "[4]");
	is_printed(CDC_PRINT_NDJSON, &ints, 4,
		   "{\"ints\":[1,-2,null]}\n{\"ints\":null}\n{\"ints\":[]}\n{\"ints\":[4]}\n");
	is_printed(CDC_PRINT_CSV, &ints, 4, "ints\n\"[1,-2,null]\"\n\n[]\n[4]\n");
	is_printed(CDC_PRINT_TSV, &ints, 4, "ints\n[1,-2,null]\n\\N\n[]\n[4]\n");
	is_printed(CDC_PRINT_TABLE, &ints, 4,
		   "+-----------+\n|       ints|\n+-----------+\n|[1,-2,null]|\n|       null|\n"
		   "|         []|\n|        [4]|\n+-----------+\n");
}

static void lists_of_lists(void **state)
{
	static const struct cdc_span outer[] = { { 0, 4 }, { 2, 1 } };
	static struct cdc_field inner_field = FIELD("element", CDC_TYPE_ARRAY, &int_element);
	static const struct cdc_field field = FIELD("deep", CDC_TYPE_ARRAY, &inner_field);
	struct cdc_column inner = { &inner_field, int_spans, int_lists_valid, &int_column };
	const struct cdc_column deep = { &field, outer, NULL, &inner };

	(void)state;
	is_json(&deep, 0, "[[1,-2,null],null,[],[4]]");
	is_json(&deep, 1, "[[]]");
}

/* ------------------------------------------------------------------ structs */

static void structs(void **state)
{
	static struct cdc_field parts[] = { FLAT("a\"b", CDC_TYPE_STRING),
					    FLAT("n", CDC_TYPE_DOUBLE) };
	static const struct cdc_field field = {
		.name = CDC_STR("s"), .type = CDC_TYPE_STRUCT, .child = parts, .num_children = 2
	};
	static const struct cdc_field none = { .name = CDC_STR("e"), .type = CDC_TYPE_STRUCT };
	static const struct cdc_str text[] = { S("x\ty"), S(""), S(""), S("") };
	static const double number[] = { 1.5, NAN, 0, -INFINITY };
	static const uint8_t text_valid[] = { 1, 1, 0, 0 };
	static const uint8_t number_valid[] = { 1, 1, 0, 1 };
	static const uint8_t valid[] = { 1, 1, 1, 0 };
	struct cdc_column child[] = { { &parts[0], text, text_valid, NULL },
				      { &parts[1], number, number_valid, NULL } };
	const struct cdc_column c = { &field, NULL, valid, child };
	const struct cdc_column empty = { &none, NULL, NULL, NULL };

	(void)state;
	is_json(&c, 0, "{\"a\\\"b\":\"x\\ty\",\"n\":1.5}");
	is_json(&c, 1, "{\"a\\\"b\":\"\",\"n\":\"NaN\"}");
	/* All members null is not the same as null. */
	is_json(&c, 2, "{\"a\\\"b\":null,\"n\":null}");
	is_json(&c, 3, "null");
	is_json(&empty, 0, "{}");
	is_printed(CDC_PRINT_CSV, &c, 1, "s\n\"{\"\"a\\\"\"b\"\":\"\"x\\ty\"\",\"\"n\"\":1.5}\"\n");
	is_printed(CDC_PRINT_TSV, &c, 1, "s\n{\"a\\\\\"b\":\"x\\\\ty\",\"n\":1.5}\n");
}

static void list_of_struct_of_list(void **state)
{
	static struct cdc_field parts[] = { FLAT("id", CDC_TYPE_LONG),
					    FIELD("tags", CDC_TYPE_ARRAY, NULL) };
	static struct cdc_field element = { .name = CDC_STR("element"),
					    .type = CDC_TYPE_STRUCT,
					    .child = parts,
					    .num_children = 2 };
	static struct cdc_field tag = FLAT("element", CDC_TYPE_STRING);
	static const struct cdc_field field = FIELD("l", CDC_TYPE_ARRAY, &element);
	static const struct cdc_str tags[] = { S("a"), S("b"), S("c") };
	static const int64_t ids[] = { INT64_MAX, 2, 3, 4 };
	static const struct cdc_span tag_spans[] = { { 0, 2 }, { 2, 0 }, { 2, 0 }, { 2, 1 } };
	static const uint8_t tag_lists_valid[] = { 1, 0, 1, 1 };
	static const uint8_t structs_valid[] = { 1, 1, 0, 1 };
	static const struct cdc_span spans[] = { { 0, 3 }, { 3, 1 }, { 4, 0 } };
	struct cdc_column tag_column = { &tag, tags, NULL, NULL };
	struct cdc_column child[] = { { &parts[0], ids, NULL, NULL },
				      { &parts[1], tag_spans, tag_lists_valid, &tag_column } };
	struct cdc_column structs_column = { &element, NULL, structs_valid, child };
	const struct cdc_column c = { &field, spans, NULL, &structs_column };

	(void)state;
	parts[1].child = &tag;
	is_json(&c, 0,
		"[{\"id\":9223372036854775807,\"tags\":[\"a\",\"b\"]},{\"id\":2,\"tags\":null},"
		"null]");
	is_json(&c, 1, "[{\"id\":4,\"tags\":[\"c\"]}]");
	is_json(&c, 2, "[]");
}

/* ------------------------------------------------------------------ maps */

static void maps(void **state)
{
	static struct cdc_field kv[] = { FLAT("key", CDC_TYPE_STRING),
					 FLAT("value", CDC_TYPE_BOOLEAN) };
	static const struct cdc_field field = {
		.name = CDC_STR("m"), .type = CDC_TYPE_MAP, .child = kv, .num_children = 2
	};
	static const struct cdc_str keys[] = { S("k"), S("k"), S("") };
	static const uint8_t values[] = { 1, 0, 0 };
	static const uint8_t values_valid[] = { 1, 1, 0 };
	static const struct cdc_span spans[] = { { 0, 2 }, { 2, 1 }, { 3, 0 }, { 0, 0 } };
	static const uint8_t valid[] = { 1, 1, 1, 0 };
	struct cdc_column child[] = { { &kv[0], keys, NULL, NULL },
				      { &kv[1], values, values_valid, NULL } };
	const struct cdc_column c = { &field, spans, valid, child };

	(void)state;
	/* Two keys alike: both are shown. */
	is_json(&c, 0, "{\"k\":true,\"k\":false}");
	is_json(&c, 1, "{\"\":null}");
	is_json(&c, 2, "{}");
	is_json(&c, 3, "null");
}

/* Keys that are no strings, and values that are structs. */
static void maps_of_struct(void **state)
{
	static struct cdc_field part = FLAT("x", CDC_TYPE_DATE);
	static struct cdc_field kv[] = { FLAT("key", CDC_TYPE_INTEGER),
					 FIELD("value", CDC_TYPE_STRUCT, &part) };
	static const struct cdc_field field = {
		.name = CDC_STR("m"), .type = CDC_TYPE_MAP, .child = kv, .num_children = 2
	};
	static const int32_t keys[] = { 7, -8 };
	static const int32_t days[] = { 18214, 0 };
	static const uint8_t structs_valid[] = { 1, 0 };
	static const struct cdc_span spans[] = { { 0, 2 }, { 2, 0 } };
	struct cdc_column x = { &part, days, NULL, NULL };
	struct cdc_column child[] = { { &kv[0], keys, NULL, NULL },
				      { &kv[1], NULL, structs_valid, &x } };
	const struct cdc_column c = { &field, spans, NULL, child };

	(void)state;
	is_json(&c, 0, "[[7,{\"x\":\"2019-11-14\"}],[-8,null]]");
	is_json(&c, 1, "[]");
}

/* ------------------------------------------------------------------ types of Parquet files */

static void flat(enum cdc_type type, int scale, const void *value, const char *want)
{
	const struct cdc_field f = { .name = CDC_STR("c"), .type = type, .scale = scale };
	const struct cdc_column c = { &f, value, NULL, NULL };

	is_json(&c, 0, want);
}

static void parquet_types(void **state)
{
	static const int64_t time = 11465120001000;
	static const cdc_i128 at = INT64_C(1573701065120001007);
	static const struct cdc_str uuid = S("\xf2\x4f\x9b\x64\x81\xfa\x49\xd1"
					     "\xb7\x4e\x8c\x09\xa6\xe3\x1c\x56");
	static const struct cdc_str interval = S("\x0e\0\0\0\x03\0\0\0\x8e\x13\0\0");
	static const struct cdc_str big =
		S("\xff\xff\xff\xe2\x9c\xd6\x0e\x3c\xa3\x5b\x40\x54\x46\x0a"
		  "\x9e\xff\xff\xff\xff\x85");
	static const struct cdc_str binary = S("\xff\x00\x01");
	static const struct cdc_field big_field = {
		.name = CDC_STR("big"), .type = CDC_TYPE_BIG_DECIMAL, .precision = 48, .scale = 2
	};
	const struct cdc_column c = { &big_field, &big, NULL, NULL };

	(void)state;
	flat(CDC_TYPE_TIME, 0, &time, "\"03:11:05.120001\"");
	flat(CDC_TYPE_TIMESTAMP_NS, 0, &at, "\"2019-11-14T03:11:05.120001007Z\"");
	flat(CDC_TYPE_TIMESTAMP_NTZ_NS, 0, &at, "\"2019-11-14 03:11:05.120001007\"");
	flat(CDC_TYPE_UUID, 0, &uuid, "\"f24f9b64-81fa-49d1-b74e-8c09a6e31c56\"");
	flat(CDC_TYPE_INTERVAL, 0, &interval, "\"P14M3DT5.006S\"");
	flat(CDC_TYPE_BIG_DECIMAL, 2, &big, "-100000000000000000000000000000000000001.23");
	flat(CDC_TYPE_BINARY, 0, &binary, "\"/wAB\"");
	is_printed(CDC_PRINT_CSV, &c, 1, "big\n-100000000000000000000000000000000000001.23\n");
	is_printed(CDC_PRINT_NDJSON, &c, 1,
		   "{\"big\":-100000000000000000000000000000000000001.23}\n");
	is_printed(CDC_PRINT_TABLE, &c, 1,
		   "+-------------------------------------------+\n"
		   "|                                        big|\n"
		   "+-------------------------------------------+\n"
		   "|-100000000000000000000000000000000000001.23|\n"
		   "+-------------------------------------------+\n");
}

/* ------------------------------------------------------------------ errors */

static void not_utf8(void **state)
{
	static struct cdc_field element = FLAT("element", CDC_TYPE_STRING);
	static const struct cdc_field field = FIELD("names", CDC_TYPE_ARRAY, &element);
	static struct cdc_field odd = FLAT("\xff", CDC_TYPE_STRING);
	static const struct cdc_field holder = FIELD("s", CDC_TYPE_STRUCT, &odd);
	static const struct cdc_str text[] = { S("ok"), S("a\xff") };
	static const struct cdc_span spans[] = { { 0, 2 } };
	struct cdc_column child = { &element, text, NULL, NULL };
	struct cdc_column part = { &odd, text, NULL, NULL };
	const struct cdc_column c = { &field, spans, NULL, &child };
	const struct cdc_column s = { &holder, NULL, NULL, &part };
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	assert_int_equal(fails(&c, &err), CDC_ECORRUPT);
	assert_string_equal(err.msg, "column \"names\": text is not UTF-8: JSON cannot show it");
	assert_int_equal(fails(&s, &err), CDC_ECORRUPT);
}

static void buffer_limit(void **state)
{
	struct cdc_buf out = CDC_BUF_INIT_MAX(4);
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	assert_int_equal(cdc_print_json_value(&ints, 0, &out, &err), CDC_ENOMEM);
	assert_int_equal(err.code, CDC_ENOMEM);
	cdc_buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),	 cmocka_unit_test(lists_of_lists),
		cmocka_unit_test(structs),	 cmocka_unit_test(list_of_struct_of_list),
		cmocka_unit_test(maps),		 cmocka_unit_test(maps_of_struct),
		cmocka_unit_test(parquet_types), cmocka_unit_test(not_utf8),
		cmocka_unit_test(buffer_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
