/*
 * Proves that variants become the JSON that their encoding stands for, whole or shredded (the
 * examples of parquet-format's VariantShredding.md), and that no malformed one is read past its
 * end, without end or wrongly. Values are encoded by hand as VariantEncoding.md says. Each of them
 * is also written anew, in the canonical form: that prints the same, and is its own canonical form.
 * The leaves of a file get what is stored whole byte for byte, and what is shredded in that form.
 */
#include "table/nested/variant.h"
#include "table/print/print_sink.h"

#include "table/nested/shred.h"
#include "table/nested/variant_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#define S(text) ((struct cdc_str){ (text), sizeof(text) - 1 })
#define INIT(text)                                                                                 \
	{                                                                                          \
		(text), sizeof(text) - 1                                                           \
	}
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const struct cdc_str no_names = { "\x01\x00\x00", 3 };
/* "a", "b", "cc" */
static const struct cdc_str abc = { "\x11\x03\x00\x01\x02\x04"
				    "abcc",
				    10 };

/* The value as JSON, or what went wrong. Copies the bytes, so that sanitizers see their ends. */
static int print(struct cdc_str metadata, struct cdc_str value, struct cdc_buf *out,
		 struct cdc_err *err)
{
	const struct cdc_print_sink sink = { .buf = out };
	char *m = malloc(metadata.n + 1);
	char *v = malloc(value.n + 1);
	int rc;

	assert_true(m && v);
	m = realloc(memcpy(m, metadata.p, metadata.n), metadata.n ? metadata.n : 1);
	v = realloc(memcpy(v, value.p, value.n), value.n ? value.n : 1);
	cdc_buf_reset(out);
	rc = cdc_variant_print_binary(&sink, cdc_str(m, metadata.n), cdc_str(v, value.n), err);
	free(m);
	free(v);
	return rc;
}

/* The row written anew: the same JSON, and the same bytes when that is written anew. */
static void is_rewritten(const struct cdc_column *c, uint32_t row, const char *want)
{
	static struct cdc_field parts[] = {
		{ .name = CDC_STR("metadata"), .type = CDC_TYPE_BINARY },
		{ .name = CDC_STR("value"), .type = CDC_TYPE_BINARY },
	};
	static const struct cdc_field field = {
		.name = CDC_STR("v"), .type = CDC_TYPE_VARIANT, .child = parts, .num_children = 2
	};
	struct cdc_str m, v, m2, v2;
	struct cdc_column child[] = { { &parts[0], &m, NULL, NULL },
				      { &parts[1], &v, NULL, NULL } };
	const struct cdc_column written = { &field, NULL, NULL, child };
	struct cdc_variant_build *b, *again;
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_variant_build_new(&b, &err), 0);
	assert_int_equal(cdc_variant_build_new(&again, &err), 0);
	assert_int_equal(cdc_variant_from_column(b, c, row, &m, &v, &err), 0);
	assert_int_equal(print(m, v, &out, &err), 0);
	assert_string_equal(cdc_buf_z(&out), want);
	assert_int_equal(cdc_variant_from_column(again, &written, 0, &m2, &v2, &err), 0);
	assert_true(cdc_str_eq(m, m2) && cdc_str_eq(v, v2));
	cdc_buf_free(&out);
	cdc_variant_build_free(b);
	cdc_variant_build_free(again);
}

/* Nor can it be written. */
static void not_rewritten(const struct cdc_column *c, uint32_t row, const char *why)
{
	struct cdc_variant_build *b;
	struct cdc_str m, v;
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_variant_build_new(&b, &err), 0);
	assert_int_equal(cdc_variant_from_column(b, c, row, &m, &v, &err), CDC_ECORRUPT);
	assert_string_equal(err.msg, why);
	cdc_variant_build_free(b);
}

static void is_json(struct cdc_str metadata, struct cdc_str value, const char *want)
{
	static struct cdc_field parts[] = {
		{ .name = CDC_STR("value"), .type = CDC_TYPE_BINARY },
		{ .name = CDC_STR("metadata"), .type = CDC_TYPE_BINARY },
	};
	static const struct cdc_field field = {
		.name = CDC_STR("v"), .type = CDC_TYPE_VARIANT, .child = parts, .num_children = 2
	};
	struct cdc_column child[] = { { &parts[0], &value, NULL, NULL },
				      { &parts[1], &metadata, NULL, NULL } };
	const struct cdc_column c = { &field, NULL, NULL, child };
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(print(metadata, value, &out, &err), 0);
	assert_string_equal(cdc_buf_z(&out), want);
	is_rewritten(&c, 0, want);
	cdc_buf_free(&out);
}

static void refused(struct cdc_str metadata, struct cdc_str value, int code, const char *why)
{
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(print(metadata, value, &out, &err), code);
	assert_string_equal(err.msg, why);
	cdc_buf_free(&out);
}

/* ------------------------------------------------------------------ the encoding */

static const struct {
	struct cdc_str value;
	const char *json;
} primitives[] = {
	{ INIT("\x00"), "null" },
	{ INIT("\x04"), "true" },
	{ INIT("\x08"), "false" },
	{ INIT("\x0c\x80"), "-128" },
	{ INIT("\x10\x2e\xfb"), "-1234" },
	{ INIT("\x14\xff\xff\xff\x7f"), "2147483647" },
	{ INIT("\x18\0\0\0\0\0\0\0\x80"), "-9223372036854775808" },
	{ INIT("\x1c\0\0\0\0\0\0\xf8\x3f"), "1.5" },
	{ INIT("\x1c\0\0\0\0\0\0\xf0\x7f"), "\"Infinity\"" },
	{ INIT("\x20\x02\xd2\x04\0\0"), "12.34" },
	{ INIT("\x20\x00\xff\xff\xff\xff"), "-1" },
	{ INIT("\x24\x02\xd2\x02\x96\x49\0\0\0\0"), "12345678.90" },
	{ INIT("\x28\x26\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
	  "-0.00000000000000000000000000000000000001" },
	{ INIT("\x28\x01\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0"), "1844674407370955161.6" },
	{ INIT("\x2c\x26\x47\0\0"), "\"2019-11-14\"" },
	{ INIT("\x30\x01\x00\0\0\0\0\0\0"), "\"1970-01-01T00:00:00.000001Z\"" },
	{ INIT("\x34\xff\xff\xff\xff\xff\xff\xff\xff"), "\"1969-12-31 23:59:59.999999\"" },
	{ INIT("\x38\0\0\0\x3f"), "0.5" },
	{ INIT("\x3c\x03\0\0\0\xff\0\x01"), "\"/wAB\"" },
	{ INIT("\x40\x04\0\0\0a\"\n\\"), "\"a\\\"\\n\\\\\"" },
	{ INIT("\x44\x40\x42\x0f\0\0\0\0\0"), "\"00:00:01\"" },
	{ INIT("\x48\x01\0\0\0\0\0\0\0"), "\"1970-01-01T00:00:00.000000001Z\"" },
	{ INIT("\x4c\x01\0\0\0\0\0\0\0"), "\"1970-01-01 00:00:00.000000001\"" },
	{ INIT("\x50\xf2\x4f\x9b\x64\x81\xfa\x49\xd1\xb7\x4e\x8c\x09\xa6\xe3\x1c\x56"),
	  "\"f24f9b64-81fa-49d1-b74e-8c09a6e31c56\"" },
	{ INIT("\x01"), "\"\"" },
	{ INIT("\x0d\xe2\x82\xac"), "\"\xe2\x82\xac\"" },
};

/* Each in full, and cut off at every length. */
static void primitive(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(primitives); i++) {
		struct cdc_str v = primitives[i].value;

		is_json(no_names, v, primitives[i].json);
		for (size_t n = 1; n < v.n; n++)
			refused(no_names, cdc_str(v.p, n), CDC_ECORRUPT,
				"malformed variant: it is cut off");
		refused(no_names, cdc_str(v.p, 0), CDC_ECORRUPT, "malformed variant: it is empty");
	}
}

static void put_uint(struct cdc_buf *b, uint32_t v, unsigned width)
{
	struct cdc_err err;

	for (unsigned i = 0; i < width; i++)
		assert_int_equal(cdc_buf_putc(b, (char)(v >> 8 * i), &err), 0);
}

/* {"a":1,"b":[true,"x"]} with the values the other way round, in numbers of the given widths. */
static void encode(struct cdc_buf *b, unsigned id_width, unsigned offset_width, bool large)
{
	unsigned widths = (offset_width - 1) << 2;
	uint32_t array = (large ? 5 : 2) + 3 * offset_width + 3;
	struct cdc_err err;

	cdc_buf_reset(b);
	put_uint(b, 2 | widths | (id_width - 1) << 4 | (large ? 1u << 6 : 0), 1);
	put_uint(b, 2, large ? 4 : 1);
	put_uint(b, 0, id_width);
	put_uint(b, 1, id_width);
	put_uint(b, array, offset_width);
	put_uint(b, 0, offset_width);
	put_uint(b, array + 2, offset_width);
	put_uint(b, 3 | widths | (large ? 1u << 4 : 0), 1);
	put_uint(b, 2, large ? 4 : 1);
	put_uint(b, 0, offset_width);
	put_uint(b, 1, offset_width);
	put_uint(b, 3, offset_width);
	assert_int_equal(cdc_buf_append(b, "\x04\x05x\x0c\x01", 5, &err), 0);
}

static void containers(void **state)
{
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	for (unsigned i = 0; i < 32; i++) {
		encode(&b, i % 4 + 1, i / 4 % 4 + 1, i / 16);
		is_json(abc, cdc_buf_str(&b), "{\"a\":1,\"b\":[true,\"x\"]}");
		for (size_t n = 0; n < b.len; n++)
			assert_int_equal(print(abc, cdc_str(b.p, n), &out, &err), CDC_ECORRUPT);
	}
	is_json(no_names, S("\x02\x00\x00"), "{}");
	is_json(no_names, S("\x03\x00\x00"), "[]");
	is_json(no_names, S("\x13\0\0\0\0\0"), "[]");
	/* Without the offset that ends nothing, as VariantShredding.md itself writes them. */
	is_json(S("\x01\x00"), S("\x02\x00"), "{}");
	cdc_buf_free(&b);
	cdc_buf_free(&out);
}

static void metadata(void **state)
{
	static const struct cdc_str object = INIT("\x02\x01\x02\x00\x01\x00"); /* {"cc":null} */

	(void)state;
	is_json(abc, object, "{\"cc\":null}");
	/* Names with offsets of 2 and 4 bytes. */
	is_json(S("\x41\x03\0\0\0\0\0\0\0\x02\0cc"), object, "{\"cc\":null}");
	is_json(S("\xc1\x03\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0c"), object, "{\"c\":null}");
	refused(S(""), object, CDC_ECORRUPT, "malformed variant: its metadata is cut off");
	refused(S("\x01"), object, CDC_ECORRUPT, "malformed variant: its metadata is cut off");
	refused(S("\x01\x03\0\0\0"), object, CDC_ECORRUPT,
		"malformed variant: its metadata is cut off");
	refused(S("\xc1\xff\xff\xff\xff\0"), object, CDC_ECORRUPT,
		"malformed variant: its metadata is cut off");
	refused(S("\x02\x00\x00"), object, CDC_EUNSUPPORTED, "variant encoding version 2");
	refused(no_names, object, CDC_ECORRUPT, "malformed variant: a name is not in its metadata");
	refused(S("\x01\x03\0\0\0\x03zz"), object, CDC_ECORRUPT,
		"malformed variant: a name passes the end of its metadata");
	refused(S("\x01\x03\0\0\x02\x01zz"), object, CDC_ECORRUPT,
		"malformed variant: a name passes the end of its metadata");
	refused(S("\x01\x03\0\0\0\x01\xff"), object, CDC_ECORRUPT,
		"text is not UTF-8: JSON cannot show it");
}

static void malformed(void **state)
{
	(void)state;
	refused(no_names, S("\x54"), CDC_EUNSUPPORTED, "variant values of type 21");
	refused(no_names, S("\x20\x27\0\0\0\0"), CDC_ECORRUPT,
		"malformed variant: a decimal's scale is over 38");
	refused(no_names, S("\x44\x01\x60\xdd\x1d\x14\0\0\0"), CDC_ECORRUPT,
		"malformed variant: a time is past the end of the day");
	refused(no_names, S("\x05\xff"), CDC_ECORRUPT, "text is not UTF-8: JSON cannot show it");
	refused(no_names, S("\x03\x01\x01\x01\x00"), CDC_ECORRUPT,
		"malformed variant: an offset passes its end");
	refused(no_names, S("\x13\xff\xff\xff\xff\0\0\0"), CDC_ECORRUPT,
		"malformed variant: it is cut off");
	refused(abc, S("\x02\x02\x01\x01\x00\x01\x02\x00\x00"), CDC_ECORRUPT,
		"malformed variant: an object has two members of one name");
	/* Three elements that are the same two bytes. */
	refused(no_names, S("\x03\x03\x00\x00\x00\x02\x0c\x01"), CDC_ECORRUPT,
		"malformed variant: values overlap");
}

/* Arrays of two elements that are the same array, 30 times: 2^30 values in 150 bytes. */
static void overlap(void **state)
{
	char bytes[30 * 5 + 1];
	struct cdc_str value = { bytes, sizeof(bytes) };

	(void)state;
	for (size_t i = 0; i < 30; i++)
		memcpy(bytes + 5 * i, (const char[]){ 3, 2, 0, 0, (char)(5 * (29 - i) + 1) }, 5);
	bytes[sizeof(bytes) - 1] = 0;
	refused(no_names, value, CDC_ECORRUPT, "malformed variant: values overlap");
}

static void depth(void **state)
{
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	for (uint32_t levels = CDC_VARIANT_DEPTH; levels <= CDC_VARIANT_DEPTH + 1; levels++) {
		cdc_buf_reset(&b);
		for (uint32_t i = levels; i--;) {
			put_uint(&b, 3 | 1 << 2, 1);
			put_uint(&b, 1, 1);
			put_uint(&b, 0, 2);
			put_uint(&b, 6 * i + 1, 2);
		}
		put_uint(&b, 0, 1);
		if (levels > CDC_VARIANT_DEPTH) {
			refused(no_names, cdc_buf_str(&b), CDC_ECORRUPT,
				"a variant is nested more than 128 levels deep");
		} else {
			assert_int_equal(print(no_names, cdc_buf_str(&b), &out, &err), 0);
			assert_int_equal(out.len, 2 * levels + 4);
		}
	}
	cdc_buf_free(&b);
	cdc_buf_free(&out);
}

/* ------------------------------------------------------------------ shredded */

#define PART(n, t)                                                                                 \
	{                                                                                          \
		.name = CDC_STR(n), .type = (t)                                                    \
	}
#define GROUP(n, t, c)                                                                             \
	{                                                                                          \
		.name = CDC_STR(n), .type = (t), .child = (c), .num_children = (int)COUNT_OF(c)    \
	}

static void is_row(const struct cdc_column *c, uint32_t row, const char *want)
{
	const struct cdc_print_sink sink = { .buf = &(struct cdc_buf)CDC_BUF_INIT };
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_variant_print(&sink, c, row, &err), 0);
	assert_string_equal(cdc_buf_z(sink.buf), want);
	is_rewritten(c, row, want);
	cdc_buf_free(sink.buf);
}

static void row_refused(const struct cdc_column *c, uint32_t row, const char *why)
{
	const struct cdc_print_sink sink = { .buf = &(struct cdc_buf)CDC_BUF_INIT };
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_variant_print(&sink, c, row, &err), CDC_ECORRUPT);
	assert_string_equal(err.msg, why);
	not_rewritten(c, row, why);
	cdc_buf_free(sink.buf);
}

#define CONFLICT "malformed variant: a value has a shredded one beside it"

/* "measurement" of the specification: 34, null, "n/a", 100, and what must not be. */
static void shredded_primitive(void **state)
{
	static struct cdc_field parts[] = { PART("value", CDC_TYPE_BINARY),
					    PART("metadata", CDC_TYPE_BINARY),
					    PART("typed_value", CDC_TYPE_LONG) };
	static const struct cdc_field field = GROUP("measurement", CDC_TYPE_VARIANT, parts);
	static const struct cdc_str meta[] = { INIT("\x01\0"), INIT("\x01\0"), INIT("\x01\0"),
					       INIT("\x01\0"), INIT("\x01\0"), INIT("\x01\0"),
					       INIT("\x01\0") };
	static const uint8_t meta_valid[] = { 1, 1, 1, 1, 1, 1, 0 };
	static const struct cdc_str value[] = { INIT(""), INIT("\0"), INIT("\x0dn/a"), INIT(""),
						INIT(""), INIT("\0"), INIT("") };
	static const uint8_t value_valid[] = { 0, 1, 1, 0, 0, 1, 0 };
	static const int64_t typed[] = { 34, 0, 0, 100, 0, 5, 5 };
	static const uint8_t typed_valid[] = { 1, 0, 0, 1, 0, 1, 1 };
	struct cdc_column child[] = { { &parts[0], value, value_valid, NULL },
				      { &parts[1], meta, meta_valid, NULL },
				      { &parts[2], typed, typed_valid, NULL } };
	const struct cdc_column c = { &field, NULL, NULL, child };

	(void)state;
	is_row(&c, 0, "34");
	is_row(&c, 1, "null");
	is_row(&c, 2, "\"n/a\"");
	is_row(&c, 3, "100");
	is_row(&c, 4, "null");
	row_refused(&c, 5, CONFLICT);
	row_refused(&c, 6, "malformed variant: it has no metadata");
}

/* "tags" of the specification. */
static void shredded_array(void **state)
{
	static struct cdc_field element_parts[] = { PART("value", CDC_TYPE_BINARY),
						    PART("typed_value", CDC_TYPE_STRING) };
	static struct cdc_field element[] = { GROUP("element", CDC_TYPE_STRUCT, element_parts) };
	static struct cdc_field parts[] = { PART("metadata", CDC_TYPE_BINARY),
					    PART("value", CDC_TYPE_BINARY),
					    GROUP("typed_value", CDC_TYPE_ARRAY, element) };
	static const struct cdc_field field = GROUP("tags", CDC_TYPE_VARIANT, parts);
	static const struct cdc_str meta[] = { INIT("\x01\0"), INIT("\x01\0"), INIT("\x01\0"),
					       INIT("\x01\0") };
	static const struct cdc_str value[] = { INIT(""), INIT(""), INIT("\0"), INIT("\0") };
	static const uint8_t value_valid[] = { 0, 0, 1, 1 };
	static const struct cdc_span spans[] = { { 0, 2 }, { 2, 3 }, { 0, 0 }, { 0, 0 } };
	static const uint8_t typed_valid[] = { 1, 1, 0, 1 };
	static const struct cdc_str text[] = { INIT("comedy"), INIT("drama"), INIT("horror"),
					       INIT(""), INIT("") };
	static const uint8_t text_valid[] = { 1, 1, 1, 0, 0 };
	static const struct cdc_str other[] = { INIT(""), INIT(""), INIT(""), INIT("\0"),
						INIT("") };
	static const uint8_t other_valid[] = { 0, 0, 0, 1, 0 };
	struct cdc_column element_child[] = { { &element_parts[0], other, other_valid, NULL },
					      { &element_parts[1], text, text_valid, NULL } };
	struct cdc_column elements = { element, NULL, NULL, element_child };
	struct cdc_column child[] = { { &parts[0], meta, NULL, NULL },
				      { &parts[1], value, value_valid, NULL },
				      { &parts[2], spans, typed_valid, &elements } };
	const struct cdc_column c = { &field, NULL, NULL, child };

	(void)state;
	is_row(&c, 0, "[\"comedy\",\"drama\"]");
	is_row(&c, 1, "[\"horror\",null,null]");
	is_row(&c, 2, "null");
	row_refused(&c, 3, CONFLICT);
}

/*
 * "event" of the specification, with the shredded members out of order: event_ts, then event_type.
 * Metadata: "click", "email", "event_ts", "event_type", "zone".
 */
static const struct cdc_str event_names = INIT("\x11\x05\x00\x05\x0a\x12\x1c\x20"
					       "clickemailevent_tsevent_typezone");

static void shredded_object(void **state)
{
	static struct cdc_field ts_parts[] = { PART("value", CDC_TYPE_BINARY),
					       PART("typed_value", CDC_TYPE_TIMESTAMP) };
	static struct cdc_field type_parts[] = { PART("value", CDC_TYPE_BINARY),
						 PART("typed_value", CDC_TYPE_STRING) };
	static struct cdc_field members[] = { GROUP("event_type", CDC_TYPE_STRUCT, type_parts),
					      GROUP("event_ts", CDC_TYPE_STRUCT, ts_parts) };
	static struct cdc_field parts[] = { PART("metadata", CDC_TYPE_BINARY),
					    PART("value", CDC_TYPE_BINARY),
					    GROUP("typed_value", CDC_TYPE_STRUCT, members) };
	static const struct cdc_field field = GROUP("event", CDC_TYPE_VARIANT, parts);
	enum { ROWS = 10 };
	struct cdc_str meta[ROWS];
	/* Rows: whole; email and zone beside; all missing; not an object; click beside; null
	 * member; text for the time; empty; a shredded member beside; not an object beside. */
	static const struct cdc_str value[ROWS] = {
		INIT(""),
		INIT("\x02\x02\x01\x04\x00\x03\x05\x09u@\x0c\x07"),
		INIT("\x02\x01\x00\x00\x02\x05x"),
		INIT("\x05m"),
		INIT("\x02\x01\x00\x00\x02\x05x"),
		INIT(""),
		INIT(""),
		INIT(""),
		INIT("\x02\x02\x01\x03\x00\x01\x03\x04\x05x"),
		INIT("\x05m"),
	};
	static const uint8_t value_valid[ROWS] = { 0, 1, 1, 1, 1, 0, 0, 0, 1, 1 };
	static const uint8_t typed_valid[ROWS] = { 1, 1, 1, 0, 1, 1, 1, 1, 1, 1 };
	static const struct cdc_str type[ROWS] = { INIT("noop"), INIT("login"), INIT(""),
						   INIT(""),	 INIT(""),	INIT(""),
						   INIT("noop"), INIT(""),	INIT("login"),
						   INIT("") };
	static const uint8_t type_valid[ROWS] = { 1, 1, 0, 0, 0, 0, 1, 0, 1, 0 };
	static const struct cdc_str type_value[ROWS] = { [5] = { "\0", 1 } };
	static const uint8_t type_value_valid[ROWS] = { [5] = 1 };
	static const int64_t ts[ROWS] = { 1, 1, 0, 0, 1, 1, 0, 0, 1, 0 };
	static const uint8_t ts_valid[ROWS] = { 1, 1, 0, 0, 1, 1, 0, 0, 1, 0 };
	static const struct cdc_str ts_value[ROWS] = { [6] = { "\x29"
							       "2024-10-24",
							       11 } };
	static const uint8_t ts_value_valid[ROWS] = { [6] = 1 };
	struct cdc_column type_child[] = { { &type_parts[0], type_value, type_value_valid, NULL },
					   { &type_parts[1], type, type_valid, NULL } };
	struct cdc_column ts_child[] = { { &ts_parts[0], ts_value, ts_value_valid, NULL },
					 { &ts_parts[1], ts, ts_valid, NULL } };
	struct cdc_column member[] = { { &members[0], NULL, NULL, type_child },
				       { &members[1], NULL, NULL, ts_child } };
	struct cdc_column child[] = { { &parts[0], meta, NULL, NULL },
				      { &parts[1], value, value_valid, NULL },
				      { &parts[2], NULL, typed_valid, member } };
	const struct cdc_column c = { &field, NULL, NULL, child };

#define TS "\"event_ts\":\"1970-01-01T00:00:00.000001Z\""
	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		meta[i] = event_names;
	is_row(&c, 0, "{" TS ",\"event_type\":\"noop\"}");
	is_row(&c, 1, "{\"email\":\"u@\"," TS ",\"event_type\":\"login\",\"zone\":7}");
	is_row(&c, 2, "{\"click\":\"x\"}");
	is_row(&c, 3, "\"m\"");
	is_row(&c, 4, "{\"click\":\"x\"," TS "}");
	is_row(&c, 5, "{" TS ",\"event_type\":null}");
	is_row(&c, 6, "{\"event_ts\":\"2024-10-24\",\"event_type\":\"noop\"}");
	is_row(&c, 7, "{}");
	/* No writer may do so; the shredded member is the one that counts. */
	is_row(&c, 8, "{\"email\":true," TS ",\"event_type\":\"login\"}");
	row_refused(&c, 9, CONFLICT);
}

/* A whole one, a shredded one, a null, and one without a value: in a column, and in a list. */
static void leaves(void **state)
{
	static struct cdc_field parts[] = { PART("metadata", CDC_TYPE_BINARY),
					    PART("value", CDC_TYPE_BINARY),
					    PART("typed_value", CDC_TYPE_LONG) };
	static const struct cdc_field read = GROUP("v", CDC_TYPE_VARIANT, parts);
	static struct cdc_field element[] = { { .name = CDC_STR("element"),
						.physical_name = CDC_STR("element"),
						.type = CDC_TYPE_VARIANT,
						.nullable = true } };
	static struct cdc_field fields[] = {
		{ .name = CDC_STR("v"),
		  .physical_name = CDC_STR("v"),
		  .type = CDC_TYPE_VARIANT,
		  .nullable = true },
		{ .name = CDC_STR("l"),
		  .physical_name = CDC_STR("l"),
		  .type = CDC_TYPE_ARRAY,
		  .child = element,
		  .num_children = 1 },
	};
	/* Version 1, no names, and bytes that no canonical form has. */
	static const struct cdc_str meta[] = { INIT("\x01\0\0spare"), INIT("\x01\0"), INIT(""),
					       INIT("\x01\0") };
	static const struct cdc_str value[] = { INIT("\x0dn/aspare"), INIT(""), INIT(""),
						INIT("") };
	static const uint8_t value_valid[] = { 1, 0, 0, 0 };
	static const int64_t typed[] = { 0, 300, 0, 0 };
	static const uint8_t typed_valid[] = { 0, 1, 0, 0 };
	static const uint8_t valid[] = { 1, 1, 0, 1 };
	static const struct cdc_span spans[] = { { 0, 0 }, { 0, 3 }, { 3, 1 }, { 4, 0 } };
	static const struct cdc_str want_meta[] = { INIT("\x01\0\0spare"), INIT("\x01\0\0"),
						    INIT(""), INIT("\x01\0\0") };
	static const struct cdc_str want[] = { INIT("\x0dn/aspare"),
					       INIT("\x18\x2c\x01\0\0\0\0\0\0"), INIT(""),
					       INIT("\0") };
	/* In the list: of an empty row, three elements, one, none. */
	static const int place[] = { -1, 0, 1, 2, 3, -1 };
	struct cdc_column child[] = { { &parts[0], meta, NULL, NULL },
				      { &parts[1], value, value_valid, NULL },
				      { &parts[2], typed, typed_valid, NULL } };
	struct cdc_column v = { &read, NULL, valid, child };
	struct cdc_column column[] = { v, { &fields[1], spans, NULL, &v } };
	const struct cdc_batch batch = { .rows = 4, .num_columns = 2, .column = column };
	const struct cdc_schema schema = { fields, 2, CDC_ARENA_INIT };
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_vec vec[4];
	struct cdc_pq_schema file;
	struct cdc_shredder *s;

	(void)state;
	assert_int_equal(cdc_schema_to_parquet(&schema, &file, &arena, &err), 0);
	assert_int_equal(file.num_leaves, 4);
	assert_int_equal(cdc_shredder_new(&s, &schema, &file, &err), 0);
	assert_int_equal(cdc_shredder_rows(s, &batch, vec, &err), 0);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(vec[0].def[i], valid[i]);
		assert_int_equal(vec[1].def[i], valid[i]);
		assert_true(cdc_str_eq(((const struct cdc_str *)vec[0].values)[i], want[i]));
		assert_true(cdc_str_eq(((const struct cdc_str *)vec[1].values)[i], want_meta[i]));
	}
	assert_int_equal(vec[2].n, COUNT_OF(place));
	for (uint32_t i = 0; i < COUNT_OF(place); i++) {
		struct cdc_str none = CDC_STR_INIT;
		int at = place[i];

		/* The list must be there, so that levels are 0 none, 1 a null, 2 a value. */
		assert_int_equal(vec[2].def[i], at < 0 ? 0 : 1 + valid[at]);
		assert_int_equal(vec[3].rep[i], i == 2 || i == 3);
		assert_true(cdc_str_eq(((const struct cdc_str *)vec[2].values)[i],
				       at < 0 ? none : want[at]));
		assert_true(cdc_str_eq(((const struct cdc_str *)vec[3].values)[i],
				       at < 0 ? none : want_meta[at]));
	}
	cdc_shredder_free(s);
	cdc_arena_free(&arena);
}

/* Trees that no variant has: errors, whatever the file's schema is. */
static void odd_trees(void **state)
{
	static struct cdc_field number[] = { PART("element", CDC_TYPE_INTEGER) };
	static struct cdc_field parts[] = { PART("metadata", CDC_TYPE_BINARY),
					    GROUP("typed_value", CDC_TYPE_ARRAY, number) };
	static struct cdc_field numbers[] = { PART("metadata", CDC_TYPE_BINARY),
					      PART("value", CDC_TYPE_INTEGER) };
	static struct cdc_field kv[] = { PART("key", CDC_TYPE_STRING),
					 PART("value", CDC_TYPE_STRING) };
	static struct cdc_field maps[] = { PART("metadata", CDC_TYPE_BINARY),
					   GROUP("typed_value", CDC_TYPE_MAP, kv) };
	static const struct cdc_field array_field = GROUP("v", CDC_TYPE_VARIANT, parts);
	static const struct cdc_field number_field = GROUP("v", CDC_TYPE_VARIANT, numbers);
	static const struct cdc_field map_field = GROUP("v", CDC_TYPE_VARIANT, maps);
	static const struct cdc_field bare = PART("v", CDC_TYPE_VARIANT);
	static const struct cdc_str meta[] = { INIT("\x01\0") };
	static const int32_t ints[] = { 1 };
	static const struct cdc_span spans[] = { { 0, 1 } };
	struct cdc_column element = { number, ints, NULL, NULL };
	struct cdc_column array_child[] = { { &parts[0], meta, NULL, NULL },
					    { &parts[1], spans, NULL, &element } };
	struct cdc_column number_child[] = { { &numbers[0], meta, NULL, NULL },
					     { &numbers[1], ints, NULL, NULL } };
	struct cdc_column map_child[] = { { &maps[0], meta, NULL, NULL },
					  { &maps[1], spans, NULL, NULL } };
	const struct cdc_column array = { &array_field, NULL, NULL, array_child };
	const struct cdc_column integer = { &number_field, NULL, NULL, number_child };
	const struct cdc_column map = { &map_field, NULL, NULL, map_child };
	const struct cdc_column none = { &bare, NULL, NULL, NULL };

	(void)state;
	row_refused(&array, 0, "malformed variant: a shredded value is no group");
	row_refused(&integer, 0, "malformed variant: \"value\" is not binary");
	row_refused(&map, 0, "malformed variant: it is shredded as a type that no variant has");
	row_refused(&none, 0, "malformed variant: it has no metadata");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(primitive),
		cmocka_unit_test(containers),
		cmocka_unit_test(metadata),
		cmocka_unit_test(malformed),
		cmocka_unit_test(overlap),
		cmocka_unit_test(depth),
		cmocka_unit_test(shredded_primitive),
		cmocka_unit_test(shredded_array),
		cmocka_unit_test(shredded_object),
		cmocka_unit_test(leaves),
		cmocka_unit_test(odd_trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
