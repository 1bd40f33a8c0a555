/*
 * Proves that keys by text tell apart what differs and join what is the same value, whether the
 * columns were told or learned from SCHEMA records.
 */
#include "record/textkey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct cdc_tape tape;
static struct cdc_err err;

static struct cdc_record parse(const char *line)
{
	struct cdc_record r;

	assert_int_equal(cdc_record_parse(&r, &tape, cdc_str_z(line), &err), 0);
	return r;
}

/* Key of an INSERT with this after image, appended to a fresh buffer. */
static struct cdc_buf key_of(struct cdc_textkey *k, const char *image)
{
	struct cdc_buf b = CDC_BUF_INIT;
	char line[512];
	struct cdc_record r;

	snprintf(line, sizeof(line),
		 "{\"recordType\":\"INSERT\",\"dbTable\":\"d.t\",\"afterImages\":%s}", image);
	r = parse(line);
	assert_int_equal(cdc_textkey_of(k, &r, r.after_tok, CDC_JSON_NONE, &b, &err), 0);
	return b;
}

static bool same_key(struct cdc_textkey *k, const char *a, const char *b)
{
	struct cdc_buf x = key_of(k, a), y = key_of(k, b);
	bool same = cdc_str_eq(cdc_buf_str(&x), cdc_buf_str(&y));

	cdc_buf_free(&x);
	cdc_buf_free(&y);
	return same;
}

static void test_values(void **state)
{
	static const char *const one[] = { "a" }, *const two[] = { "a", "b" };
	struct cdc_textkey k = CDC_TEXTKEY_INIT;
	struct cdc_buf b;

	(void)state;
	assert_int_equal(cdc_textkey_set(&k, one, 1, &err), 0);
	b = key_of(&k, "{\"x\":1,\"a\":\"t\\u0065xt\"}");
	assert_true(cdc_str_eqz(cdc_buf_str(&b), "text"));
	cdc_buf_free(&b);
	assert_true(same_key(&k, "{\"a\":7}", "{\"b\":0,\"a\":\"7\"}"));
	assert_true(same_key(&k, "{\"a\":\"\\/\"}", "{\"\\u0061\":\"/\"}"));
	assert_false(same_key(&k, "{\"a\":7}", "{\"a\":7.0}"));
	assert_false(same_key(&k, "{\"a\":\"\"}", "{\"a\":\" \"}"));
	cdc_textkey_free(&k);
	assert_int_equal(cdc_textkey_set(&k, two, 2, &err), 0);
	assert_false(same_key(&k, "{\"a\":\"1\",\"b\":\"23\"}", "{\"a\":\"12\",\"b\":\"3\"}"));
	assert_false(same_key(&k, "{\"a\":\"\",\"b\":\"1\"}", "{\"a\":\"1\",\"b\":\"\"}"));
	assert_true(same_key(&k, "{\"a\":\"1\",\"b\":\"2\"}", "{\"b\":2,\"c\":null,\"a\":1}"));
	cdc_textkey_free(&k);
}

static void test_columns(void **state)
{
	static const char *const twice[] = { "a", "b", "a" }, *const odd[] = { "a\"\n" };
	struct cdc_textkey k = CDC_TEXTKEY_INIT;

	(void)state;
	assert_int_equal(cdc_textkey_set(&k, twice, 3, &err), CDC_EUSAGE);
	cdc_textkey_free(&k);
	assert_int_equal(cdc_textkey_set(&k, odd, 1, &err), 0);
	assert_true(same_key(&k, "{\"a\\\"\\n\":1}", "{\"a\\u0022\\u000a\":1}"));
	assert_true(cdc_textkey_is_key(&k, CDC_STR("d.t"), CDC_STR("a\\u0022\\n")));
	assert_false(cdc_textkey_is_key(&k, CDC_STR("d.t"), CDC_STR("a")));
	cdc_textkey_free(&k);
}

#define SCHEMA(table, pk)                                                                          \
	"{\"recordType\":\"SCHEMA\",\"dbTable\":\"" table "\",\"columns\":[]" pk "}"

static void test_schema(void **state)
{
	struct cdc_textkey k = CDC_TEXTKEY_INIT;
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_record r;
	bool first = false;

	(void)state;
	r = parse("{\"recordType\":\"INSERT\",\"dbTable\":\"d.t\",\"afterImages\":{\"a\":1}}");
	assert_int_equal(cdc_textkey_of(&k, &r, r.after_tok, CDC_JSON_NONE, &b, &err), CDC_EDATA);
	r = parse(SCHEMA("d.t", ",\"primaryKey\":[\"a\"]"));
	assert_false(cdc_textkey_changes(&k, &r));
	assert_int_equal(cdc_textkey_learn(&k, &r, &first, &err), 0);
	assert_true(first);
	assert_false(cdc_textkey_changes(&k, &r));
	assert_true(same_key(&k, "{\"a\":1,\"b\":1}", "{\"a\":1,\"b\":2}"));
	/* Other tables have keys of their own. */
	r = parse(SCHEMA("d.u", ",\"primaryKey\":[\"x\",\"y\"]"));
	assert_int_equal(cdc_textkey_learn(&k, &r, &first, &err), 0);
	assert_true(first);
	assert_true(cdc_textkey_is_key(&k, CDC_STR("d.u"), CDC_STR("y")));
	assert_false(cdc_textkey_is_key(&k, CDC_STR("d.t"), CDC_STR("y")));
	/* A longer key, and one with another column, are changes. */
	r = parse(SCHEMA("d.t", ",\"primaryKey\":[\"a\",\"b\"]"));
	assert_true(cdc_textkey_changes(&k, &r));
	assert_int_equal(cdc_textkey_learn(&k, &r, &first, &err), 0);
	assert_false(first);
	assert_false(same_key(&k, "{\"a\":1,\"b\":1}", "{\"a\":1,\"b\":2}"));
	r = parse(SCHEMA("d.t", ",\"primaryKey\":[\"a\"]"));
	assert_true(cdc_textkey_changes(&k, &r));
	r = parse(SCHEMA("d.t", ",\"primaryKey\":[\"b\",\"a\"]"));
	assert_true(cdc_textkey_changes(&k, &r));
	/* No key at all. */
	r = parse(SCHEMA("d.t", ""));
	assert_true(cdc_textkey_changes(&k, &r));
	assert_int_equal(cdc_textkey_learn(&k, &r, NULL, &err), 0);
	r = parse("{\"recordType\":\"INSERT\",\"dbTable\":\"d.t\",\"afterImages\":{\"a\":1}}");
	assert_int_equal(cdc_textkey_of(&k, &r, r.after_tok, CDC_JSON_NONE, &b, &err), CDC_EDATA);
	cdc_buf_free(&b);
	cdc_textkey_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_schema),
	};
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	cdc_tape_free(&tape);
	return rc;
}
