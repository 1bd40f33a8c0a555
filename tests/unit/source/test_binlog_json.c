/*
 * Partial updates of JSON documents, with differences put together by hand as MySQL's server does
 * (JSON_SET, JSON_REPLACE and JSON_REMOVE under binlog_row_value_options=PARTIAL_JSON).
 */
#include "source/binlog/binlog_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

/* An int16, and a string, as binary JSON. */
#define SEVEN "\x05\x07\x00"
#define SEVEN_LEN 3
#define HI "\x0c\x02hi"
#define HI_LEN 4

struct diff {
	uint8_t op; /* 0 replace, 1 insert, 2 remove */
	const char *path;
	const char *value;
	size_t n;
};

static size_t encode(const struct diff *d, size_t count, char *out)
{
	char *p = out;

	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(d[i].path);

		*p++ = (char)d[i].op;
		*p++ = (char)n;
		memcpy(p, d[i].path, n);
		p += n;
		if (d[i].op == 2)
			continue;
		*p++ = (char)d[i].n;
		memcpy(p, d[i].value, d[i].n);
		p += d[i].n;
	}
	return (size_t)(p - out);
}

static int apply(const char *before, const struct diff *d, size_t count, struct cdc_buf *doc)
{
	struct cdc_err err;
	char diffs[512];

	cdc_buf_reset(doc);
	assert_int_equal(cdc_buf_puts(doc, before, &err), CDC_OK);
	return binlog_json_apply(doc, cdc_str(diffs, encode(d, count, diffs)), &err);
}

static void documents_are_patched(void **state)
{
	static const struct {
		const char *before;
		struct diff d[2];
		size_t n;
		const char *after;
	} cases[] = {
		{ "{\"a\": 1}", { { 0, "$.a", SEVEN, SEVEN_LEN } }, 1, "{\"a\": 7}" },
		{ "{\"a\": 1}", { { 0, "$", HI, HI_LEN } }, 1, "\"hi\"" },
		{ "{\"a\": [1, {\"b\": null}, 3]}",
		  { { 0, "$.a[1].b", HI, HI_LEN } },
		  1,
		  "{\"a\": [1, {\"b\": \"hi\"}, 3]}" },
		/* Keys are ordered by length, then by bytes. */
		{ "{\"b\": 1, \"aa\": 2}",
		  { { 1, "$.c", SEVEN, SEVEN_LEN }, { 1, "$.a", HI, HI_LEN } },
		  2,
		  "{\"a\": \"hi\", \"b\": 1, \"c\": 7, \"aa\": 2}" },
		{ "{}", { { 1, "$.\"k \\\" x\"", SEVEN, SEVEN_LEN } }, 1, "{\"k \\\" x\": 7}" },
		{ "{\"a b\": 1}", { { 0, "$.\"a b\"", SEVEN, SEVEN_LEN } }, 1, "{\"a b\": 7}" },
		{ "[1, 2]",
		  { { 1, "$[1]", SEVEN, SEVEN_LEN }, { 1, "$[3]", HI, HI_LEN } },
		  2,
		  "[1, 7, 2, \"hi\"]" },
		{ "[]", { { 1, "$[0]", SEVEN, SEVEN_LEN } }, 1, "[7]" },
		{ "[1]", { { 1, "$[9]", SEVEN, SEVEN_LEN } }, 1, "[1, 7]" },
		{ "[1, 2, 3]", { { 2, "$[0]", NULL, 0 }, { 2, "$[1]", NULL, 0 } }, 2, "[2]" },
		{ "{\"a\": 1, \"b\": {\"c\": 2}}",
		  { { 2, "$.b.c", NULL, 0 }, { 2, "$.a", NULL, 0 } },
		  2,
		  "{\"b\": {}}" },
		{ "{\"x\": \"}],\\\"\", \"y\": 1}", { { 2, "$.x", NULL, 0 } }, 1, "{\"y\": 1}" },
	};
	struct cdc_buf doc = CDC_BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = apply(cases[i].before, cases[i].d, cases[i].n, &doc);

		if (rc != CDC_OK || !cdc_str_eqz(cdc_buf_str(&doc), cases[i].after))
			fail_msg("case %zu: %d, %.*s", i, rc, (int)doc.len, doc.p);
	}
	cdc_buf_free(&doc);
}

static void what_does_not_fit_is_an_error(void **state)
{
	static const struct {
		const char *before;
		struct diff d;
	} cases[] = {
		{ "{\"a\": 1}", { 0, "$.b", SEVEN, SEVEN_LEN } },
		{ "{\"a\": 1}", { 0, "$.a.b", SEVEN, SEVEN_LEN } },
		{ "{\"a\": 1}", { 1, "$.a", SEVEN, SEVEN_LEN } },
		{ "{\"a\": 1}", { 1, "$[0]", SEVEN, SEVEN_LEN } },
		{ "[1]", { 1, "$.a", SEVEN, SEVEN_LEN } },
		{ "[1]", { 0, "$[1]", SEVEN, SEVEN_LEN } },
		{ "[1]", { 2, "$", NULL, 0 } },
		{ "[1]", { 2, "a", NULL, 0 } },
		{ "[1]", { 2, "$[", NULL, 0 } },
		{ "[1]", { 2, "$[x]", NULL, 0 } },
		{ "{\"a\": 1}", { 2, "$.", NULL, 0 } },
		{ "{\"a\": 1}", { 2, "$.\"a", NULL, 0 } },
		{ "{\"a\": 1}", { 3, "$.a", SEVEN, SEVEN_LEN } },
		{ "{\"a\": 1}", { 0, "$.a", "\x0c\x50hi", HI_LEN } },
	};
	struct cdc_buf doc = CDC_BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (apply(cases[i].before, &cases[i].d, 1, &doc) != CDC_EDATA)
			fail_msg("case %zu: %.*s", i, (int)doc.len, doc.p);
	}
	cdc_buf_free(&doc);
}

/* Each cut of the differences is an error or the differences that are whole. */
static void cut_differences_are_noticed(void **state)
{
	static const struct diff d[] = { { 0, "$.a", HI, HI_LEN }, { 2, "$.b", NULL, 0 } };
	struct cdc_buf doc = CDC_BUF_INIT;
	struct cdc_err err;
	char diffs[64];
	size_t n = encode(d, 2, diffs), first = encode(d, 1, diffs);

	(void)state;
	n = encode(d, 2, diffs);
	for (size_t cut = 1; cut < n; cut++) {
		int rc;

		cdc_buf_reset(&doc);
		assert_int_equal(cdc_buf_puts(&doc, "{\"a\": 1, \"b\": 2}", &err), CDC_OK);
		rc = binlog_json_apply(&doc, cdc_str(diffs, cut), &err);
		assert_int_equal(rc, cut == first ? CDC_OK : CDC_EDATA);
	}
	cdc_buf_free(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_are_patched),
		cmocka_unit_test(what_does_not_fit_is_an_error),
		cmocka_unit_test(cut_differences_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
