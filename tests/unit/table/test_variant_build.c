/*
 * Proves that JSON becomes the variant that VariantEncoding.md says, byte for byte (encoded by hand
 * here), in the canonical form of variant_build.h: each number in its type, members and names in
 * order whatever the text's order, wide counts, ids and offsets where they are needed, and nothing
 * that is not a variant.
 */
#include "table/nested/variant_build.h"

#include "table/nested/variant.h"
#include "table/print/print_sink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define BYTES(text)                                                                                \
	{                                                                                          \
		(text), sizeof(text) - 1                                                           \
	}
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

struct made {
	struct cdc_variant_build *b;
	struct cdc_tape tape;
	struct cdc_str metadata;
	struct cdc_str value;
	struct cdc_err err;
};

static int make(struct made *m, struct cdc_str json)
{
	m->err = (struct cdc_err)CDC_ERR_INIT;
	assert_int_equal(cdc_json_scan(&m->tape, json, NULL, &m->err), 0);
	return cdc_variant_from_json(m->b, &m->tape, 0, &m->metadata, &m->value, &m->err);
}

static int set_up(void **state)
{
	struct made *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	assert_int_equal(cdc_variant_build_new(&m->b, &m->err), 0);
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct made *m = *state;

	cdc_variant_build_free(m->b);
	cdc_tape_free(&m->tape);
	free(m);
	return 0;
}

static void is_bytes(struct cdc_str got, struct cdc_str want)
{
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.p, want.p, want.n);
}

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *json;
	struct cdc_str value;
} flat[] = {
	{ "null", BYTES("\x00") },
	{ "true", BYTES("\x04") },
	{ "false", BYTES("\x08") },
	{ "127", BYTES("\x0c\x7f") },
	{ "-128", BYTES("\x0c\x80") },
	{ "128", BYTES("\x10\x80\x00") },
	{ "-32769", BYTES("\x14\xff\x7f\xff\xff") },
	{ "2147483648", BYTES("\x18\0\0\0\x80\0\0\0\0") },
	{ "-9223372036854775808", BYTES("\x18\0\0\0\0\0\0\0\x80") },
	/* Exact numbers with a point, or past 64 bits, are decimals with their digits. */
	{ "12.34", BYTES("\x20\x02\xd2\x04\0\0") },
	{ "-0.10", BYTES("\x20\x02\xf6\xff\xff\xff") },
	{ "999999999.0", BYTES("\x24\x01\xf6\xe3\x0b\x54\x02\0\0\0") },
	{ "0.0000000001", BYTES("\x24\x0a\x01\0\0\0\0\0\0\0") },
	{ "9223372036854775808", BYTES("\x28\x00\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\0") },
	/* An exponent, or more digits than a decimal has, is a double. */
	{ "15e-1", BYTES("\x1c\0\0\0\0\0\0\xf8\x3f") },
	{ "1.50000000000000000000000000000000000000", BYTES("\x1c\0\0\0\0\0\0\xf8\x3f") },
	{ "-0.0", BYTES("\x1c\0\0\0\0\0\0\0\x80") },
	{ "0.0", BYTES("\x20\x01\0\0\0\0") },
	{ "-0", BYTES("\x0c\x00") },
	{ "\"\"", BYTES("\x01") },
	{ "\"\\u20ac\"", BYTES("\x0d\xe2\x82\xac") },
	{ "\"" X64 "\"", BYTES("\x40\x40\0\0\0" X64) },
	{ "[]", BYTES("\x03\x00\x00") },
	{ "{}", BYTES("\x02\x00\x00") },
	{ "[1,[true]]", BYTES("\x03\x02\x00\x02\x07\x0c\x01\x03\x01\x00\x01\x04") },
};

static void flat_values(void **state)
{
	static const struct cdc_str none = BYTES("\x01\x00\x00");
	struct made *m = *state;

	for (size_t i = 0; i < COUNT_OF(flat); i++) {
		if (make(m, cdc_str_z(flat[i].json)))
			fail_msg("%s: %s", flat[i].json, m->err.msg);
		is_bytes(m->metadata, none);
		if (!cdc_str_eq(m->value, flat[i].value))
			fail_msg("%s is other bytes", flat[i].json);
	}
}

/* Names in order, each once, and the members of each object in their order. */
static void objects(void **state)
{
	static const char *const same[] = {
		"{\"b\":[{\"a\":1,\"cc\":null}],\"a\":\"x\"}",
		" { \"a\" : \"x\", \"\\u0062\" : [ { \"cc\" : null, \"a\" : 1 } ] } ",
	};
	static const struct cdc_str metadata = BYTES("\x11\x03\x00\x01\x02\x04"
						     "abcc");
	static const struct cdc_str value = BYTES("\x02\x02\x00\x01\x00\x02\x10\x05x"
						  "\x03\x01\x00\x0a"
						  "\x02\x02\x00\x02\x00\x02\x03\x0c\x01\x00");
	struct made *m = *state;

	for (size_t i = 0; i < COUNT_OF(same); i++) {
		assert_int_equal(make(m, cdc_str_z(same[i])), 0);
		is_bytes(m->metadata, metadata);
		is_bytes(m->value, value);
	}
}

/* The text that the value prints. */
static void prints(struct made *m, struct cdc_str want)
{
	struct cdc_buf out = CDC_BUF_INIT;
	const struct cdc_print_sink sink = { .buf = &out };

	assert_int_equal(cdc_variant_print_binary(&sink, m->metadata, m->value, &m->err), 0);
	is_bytes(cdc_buf_str(&out), want);
	cdc_buf_free(&out);
}

/* So many members that counts take four bytes, ids two, and offsets two or three. */
static void wide(void **state)
{
	struct made *m = *state;
	struct cdc_buf json = CDC_BUF_INIT;

	for (int text = 0; text < 2; text++) {
		cdc_buf_reset(&json);
		assert_int_equal(cdc_buf_putc(&json, '{', &m->err), 0);
		for (int i = 0; i < 1000; i++)
			assert_int_equal(cdc_buf_printf(&json, &m->err, "%s\"n%03d\":%s",
							i ? "," : "", i,
							text ? "\"" X64 X64 "\"" : "7"),
					 0);
		assert_int_equal(cdc_buf_putc(&json, '}', &m->err), 0);
		assert_int_equal(make(m, cdc_buf_str(&json)), 0);
		/* Large, ids of two bytes, offsets of two or three; 1000 members. */
		is_bytes(cdc_str(m->value.p, 5),
			 text ? CDC_STR("\x5a\xe8\x03\x00\x00") : CDC_STR("\x56\xe8\x03\x00\x00"));
		is_bytes(cdc_str(m->metadata.p, 3), CDC_STR("\x51\xe8\x03"));
		prints(m, cdc_buf_str(&json));
	}
	cdc_buf_free(&json);
}

static void refused(struct made *m, const char *json, const char *why)
{
	assert_int_equal(make(m, cdc_str_z(json)), CDC_EDATA);
	assert_string_equal(m->err.msg, why);
}

static void no_variant(void **state)
{
	struct made *m = *state;
	char deep[2 * 129 + 1];

	refused(m, "{\"a\":1,\"b\":2,\"\\u0061\":1}", "an object has two members of one name");
	refused(m, "[1e999]", "the number 1e999 is out of range for a variant");
	memset(deep, '[', 129);
	memset(deep + 129, ']', 129);
	deep[258] = 0;
	refused(m, deep, "a variant is nested more than 128 levels deep");
	/* One less is one, and after an error the next value is as if there had been none. */
	assert_int_equal(make(m, cdc_str(deep + 1, 256)), 0);
	prints(m, cdc_str(deep + 1, 256));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(flat_values, set_up, tear_down),
		cmocka_unit_test_setup_teardown(objects, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wide, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_variant, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
