/*
 * Proves that the JSON scanner accepts what RFC 8259 allows and refuses the rest (with the place of
 * the fault), whatever the alignment and the length of what surrounds it; that the tape says what
 * the text says; and that the printer's escapes are those that JSON asks for.
 */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* A copy that ends where the memory ends, so that a sanitizer sees a read past it. */
static char *exact(const char *p, size_t n)
{
	char *copy = malloc(n ? n : 1);

	assert_non_null(copy);
	if (n > 0)
		memcpy(copy, p, n);
	return copy;
}

static int scan(struct cdc_str s, struct cdc_err *err)
{
	struct cdc_tape t = CDC_TAPE_INIT;
	char *p = exact(s.p, s.n);
	int rc = cdc_json_scan(&t, cdc_str(p, s.n), NULL, err);

	assert_true(rc == CDC_OK ? t.n > 0 && t.tok[0].next == t.n : t.n == 0);
	cdc_tape_free(&t);
	free(p);
	return rc;
}

#define S(literal)                                                                                 \
	{                                                                                          \
		(literal), sizeof(literal) - 1                                                     \
	}

static const struct cdc_str good[] = {
	/* structure */
	S("[]"),
	S("{}"),
	S("[[]]"),
	S("[{}]"),
	S("{\"a\":{}}"),
	S("{\"a\":[]}"),
	S("[[],[[]],{}]"),
	S(" [ ] "),
	S(" { } "),
	S("\t\n\r [1 , 2 ]\r\n"),
	S("{ \"a\" : 1 , \"b\" : 2 }"),
	S("[[] ]"),
	S("[\"\"]"),
	S("[null, 1, \"1\", {}]"),
	S("[1,null,null,null,2]"),
	S("{\"a\":\"b\",\"a\":\"c\"}"),
	S("{\"\":0}"),
	S("{\"a\\u0000b\":1}"),
	S("[false]"),
	/* scalars as documents */
	S("null"),
	S("true"),
	S("false"),
	S("\"x\""),
	S("0"),
	S("-0"),
	S("42"),
	S(" 7 "),
	/* numbers */
	S("[0]"),
	S("[-0]"),
	S("[-1]"),
	S("[123]"),
	S("[20e1]"),
	S("[0e+1]"),
	S("[0e1]"),
	S("[1E22]"),
	S("[1E-2]"),
	S("[1E+2]"),
	S("[123e45]"),
	S("[123.456e78]"),
	S("[1e-2]"),
	S("[-0.0]"),
	S("[123.456789]"),
	S("[1.7976931348623157e309]"),
	S("[-123123e100000]"),
	S("[100000000000000000000000000000000000000]"),
	S("[0.00000000000000000000000001]"),
	S("[123456789012345678901234567890.123456789]"),
	/* strings */
	S("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
	S("[\"\\u0060\\u012a\\u12AB\"]"),
	S("[\"\\u0000\"]"),
	S("[\"\\uD801\\udc37\"]"),
	S("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
	S("[\"\\uDBFF\\uDFFF\"]"),
	S("[\"\\uFFFF\\uFFFE\"]"),
	S("[\"\\\\u0000\"]"),
	S("[\"a/*b*/c\"]"),
	S("[\"\\\\a\"]"),
	S("[\"asd \"]"),
	S("[\"\x7f\"]"),
	S("[\"\xc2\x80\"]"),
	S("[\"\xdf\xbf\"]"),
	S("[\"\xe0\xa0\x80\"]"),
	S("[\"\xec\xbf\xbf\"]"),
	S("[\"\xed\x9f\xbf\"]"),
	S("[\"\xee\x80\x80\"]"),
	S("[\"\xef\xbf\xbf\"]"),
	S("[\"\xf0\x90\x80\x80\"]"),
	S("[\"\xf3\xbf\xbf\xbf\"]"),
	S("[\"\xf4\x8f\xbf\xbf\"]"),
	S("[\"\xe2\x80\xa8\xe2\x80\xa9\"]"),
	S("[\"\xef\xbb\xbf\"]"),
	S("[\"\xe9\x9b\xb7\xe6\x9d\x8e\xc3\xab\xf0\x9f\x98\xb9x\"]"),
};

/* Texts that are refused, and the byte that the error names. */
static const struct {
	struct cdc_str text;
	uint64_t at;
} bad[] = {
	/* nothing, or not all of it */
	{ S(""), 0 },
	{ S("  "), 2 },
	{ S("["), 1 },
	{ S("{"), 1 },
	{ S("[1"), 2 },
	{ S("[1,"), 3 },
	{ S("{\"a\""), 4 },
	{ S("{\"a\":"), 5 },
	{ S("{\"a\":1"), 6 },
	{ S("{\"a\":1,"), 7 },
	{ S("[{}"), 3 },
	{ S("[\"a"), 3 },
	{ S("\""), 1 },
	{ S("[\"a\",\n4\n,1,"), 11 },
	{ S("n"), 0 },
	{ S("nul"), 0 },
	{ S("tru"), 0 },
	{ S("fals"), 0 },
	{ S("-"), 1 },
	/* structure */
	{ S("]"), 0 },
	{ S("}"), 0 },
	{ S(","), 0 },
	{ S(":"), 0 },
	{ S("[,1]"), 1 },
	{ S("[1,]"), 3 },
	{ S("[1,,2]"), 3 },
	{ S("[,]"), 1 },
	{ S("[1 2]"), 3 },
	{ S("[1}"), 2 },
	{ S("{\"a\":1]"), 6 },
	{ S("[]]"), 2 },
	{ S("{}}"), 2 },
	{ S("[] x"), 3 },
	{ S("{}{}"), 2 },
	{ S("[1:2]"), 2 },
	{ S("{\"a\",1}"), 4 },
	{ S("{\"a\" 1}"), 5 },
	{ S("{\"a\"::1}"), 5 },
	{ S("{:1}"), 1 },
	{ S("{1:1}"), 1 },
	{ S("{null:1}"), 1 },
	{ S("{a:1}"), 1 },
	{ S("{'a':1}"), 1 },
	{ S("{\"a\":1,}"), 7 },
	{ S("{,}"), 1 },
	{ S("{\"a\":1,,\"b\":2}"), 7 },
	{ S("{\"a\":1 \"b\":2}"), 7 },
	{ S("{[]:1}"), 1 },
	{ S("{{}:1}"), 1 },
	{ S("[\"a\":1]"), 4 },
	{ S("{\"a\"}"), 4 },
	{ S("[[]"), 3 },
	{ S("[] []"), 3 },
	{ S("{}#"), 2 },
	{ S("[1]//"), 3 },
	{ S("/**/[]"), 0 },
	{ S("<.>"), 0 },
	{ S("[<null>]"), 1 },
	{ S("[a\xe5]"), 1 },
	{ S("\xe5"), 0 },
	{ S("[\xe5]"), 1 },
	{ S("\xef\xbb\xbf{}"), 0 },
	{ S("\xfe\xff"), 0 },
	{ S("[\f1]"), 1 },
	{ S("[\v]"), 1 },
	{ S("\xc2\xa0[]"), 0 },
	{ S("[\xe2\x81\xa0]"), 1 },
	/* NUL bytes */
	{ S("\0"), 0 },
	{ S("[\0]"), 1 },
	{ S("[1\0]"), 2 },
	{ S("[1]\0"), 3 },
	{ S("{}\0"), 2 },
	{ S("{\"a\0\":1}"), 3 },
	{ S("1\0"), 1 },
	{ S("[123\0,4]"), 4 },
	/* literals */
	{ S("[nul]"), 1 },
	{ S("[NULL]"), 1 },
	{ S("[True]"), 1 },
	{ S("[truee]"), 5 },
	{ S("[falsely]"), 6 },
	{ S("nullx"), 4 },
	{ S("[nan]"), 1 },
	{ S("[NaN]"), 1 },
	{ S("[Infinity]"), 1 },
	{ S("[-Infinity]"), 2 },
	{ S("[undefined]"), 1 },
	{ S("true1"), 4 },
	/* numbers */
	{ S("[01]"), 2 },
	{ S("[-01]"), 3 },
	{ S("[+1]"), 1 },
	{ S("[.5]"), 1 },
	{ S("[1.]"), 3 },
	{ S("[-.5]"), 2 },
	{ S("[1.e1]"), 3 },
	{ S("[1e]"), 3 },
	{ S("[1e+]"), 4 },
	{ S("[1eE2]"), 3 },
	{ S("[--1]"), 2 },
	{ S("[-]"), 2 },
	{ S("[0x1]"), 2 },
	{ S("[1_000]"), 2 },
	{ S("[1.2.3]"), 4 },
	{ S("[1+2]"), 2 },
	{ S("[0e]"), 3 },
	{ S("[0.3e+]"), 6 },
	{ S("012"), 1 },
	{ S("[-2.]"), 4 },
	{ S("[9.e+]"), 3 },
	{ S("[1 000.0]"), 3 },
	{ S("[1e1.5]"), 4 },
	{ S("[\xef\xbc\x91]"), 1 },
	{ S("1.5x"), 3 },
	{ S("[- 1]"), 2 },
	{ S("[1ea]"), 3 },
	/* strings */
	{ S("['a']"), 1 },
	{ S("[\"\\x00\"]"), 2 },
	{ S("[\"\\a\"]"), 2 },
	{ S("[\"\\'\"]"), 2 },
	{ S("[\"\\\n\"]"), 2 },
	{ S("[\"\\\0\"]"), 2 },
	{ S("[\"\\u\"]"), 2 },
	{ S("[\"\\u00\"]"), 2 },
	{ S("[\"\\u00G0\"]"), 2 },
	{ S("[\"\\uqqqq\"]"), 2 },
	{ S("[\"\\U0041\"]"), 2 },
	{ S("[\"\\u 123\"]"), 2 },
	{ S("[\"\\u+123\"]"), 2 },
	{ S("[\"\\\"]"), 5 },
	{ S("[\"\\"), 3 },
	{ S("[\"a\nb\"]"), 3 },
	{ S("[\"a\tb\"]"), 3 },
	{ S("[\"\x1f\"]"), 2 },
	{ S("[\"\r\"]"), 2 },
	{ S("[\"a\0b\"]"), 3 },
	{ S("\"\\u12"), 1 },
	{ S("[\"x\\ud83\"]"), 3 },
	/* surrogates without their half */
	{ S("[\"\\uD800\"]"), 2 },
	{ S("[\"\\uDC00\"]"), 2 },
	{ S("[\"\\uD800\\uD800\"]"), 2 },
	{ S("[\"\\uDBFF\\uE000\"]"), 2 },
	{ S("[\"\\uD800\\n\"]"), 2 },
	{ S("[\"\\uD800x\"]"), 2 },
	{ S("[\"\\uD800\\u\"]"), 2 },
	{ S("[\"\\uD800\\u1\"]"), 2 },
	{ S("[\"\\uD834\\uDd\"]"), 2 },
	{ S("[\"\\uDd1e\\uD834\"]"), 2 },
	{ S("[\"ab\\uD888\\u1234\"]"), 4 },
	/* UTF-8: stray, cut, overlong, surrogate, too large */
	{ S("[\"\x80\"]"), 2 },
	{ S("[\"\xbf\"]"), 2 },
	{ S("[\"\xc0\xaf\"]"), 2 },
	{ S("[\"\xc1\xbf\"]"), 2 },
	{ S("[\"\xc2\"]"), 2 },
	{ S("[\"\xc2\x20\"]"), 2 },
	{ S("[\"\xe0\x80\xaf\"]"), 2 },
	{ S("[\"\xe0\x9f\xbf\"]"), 2 },
	{ S("[\"\xe1\x80\"]"), 2 },
	{ S("[\"\xe1\"]"), 2 },
	{ S("[\"\xe1\x80\xc0\"]"), 2 },
	{ S("[\"\xed\xa0\x80\"]"), 2 },
	{ S("[\"\xed\xbf\xbf\"]"), 2 },
	{ S("[\"\xef\xbf\"]"), 2 },
	{ S("[\"\xf0\x80\x80\x80\"]"), 2 },
	{ S("[\"\xf0\x8f\xbf\xbf\"]"), 2 },
	{ S("[\"\xf0\x90\x80\"]"), 2 },
	{ S("[\"\xf1\x80\x80\x7f\"]"), 2 },
	{ S("[\"\xf4\x90\x80\x80\"]"), 2 },
	{ S("[\"\xf5\x80\x80\x80\"]"), 2 },
	{ S("[\"\xf8\x88\x80\x80\x80\"]"), 2 },
	{ S("[\"\xff\"]"), 2 },
	{ S("[\"\xfe\"]"), 2 },
	{ S("[\"\xc3\xab\xc3\"]"), 4 },
	{ S("[\"\xe9\x9b\xb7\xe6\x9d\"]"), 5 },
	{ S("[\"\xf0\x9f\x98"), 2 },
	{ S("[\"a\xe9\x9b"), 3 },
};

static void accepts(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (scan(good[i], &err) != CDC_OK)
			fail_msg("refused: %.*s: %s", (int)good[i].n, good[i].p, err.msg);
	}
}

static void refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cdc_err err = CDC_ERR_INIT;

		if (scan(bad[i].text, &err) != CDC_EDATA)
			fail_msg("accepted: %.*s", (int)bad[i].text.n, bad[i].text.p);
		if (!err.has_offset || err.offset != bad[i].at || err.msg[0] == '\0')
			fail_msg("%.*s: \"%s\" at %llu, not at %llu", (int)bad[i].text.n,
				 bad[i].text.p, err.msg, (unsigned long long)err.offset,
				 (unsigned long long)bad[i].at);
	}
}

/* Put `inner` into an array after a string of `before` bytes and before one of `after` bytes. */
static size_t surround(char *out, size_t before, struct cdc_str inner, size_t after)
{
	size_t n = 0;

	out[n++] = '[';
	out[n++] = '"';
	memset(out + n, 'x', before);
	n += before;
	out[n++] = '"';
	out[n++] = ',';
	memcpy(out + n, inner.p, inner.n);
	n += inner.n;
	out[n++] = ',';
	out[n++] = '"';
	memset(out + n, 'y', after);
	n += after;
	out[n++] = '"';
	out[n++] = ']';
	return n;
}

/* The same verdict wherever a fault falls within a block of the string search. */
static void any_alignment(void **state)
{
	static char text[256];

	(void)state;
	for (size_t before = 0; before < 34; before++) {
		for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
			struct cdc_err err = CDC_ERR_INIT;
			size_t n = surround(text, before, good[i], before % 7 * 5);

			if (scan(cdc_str(text, n), &err) != CDC_OK)
				fail_msg("refused: %.*s: %s", (int)n, text, err.msg);
		}
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			struct cdc_err err = CDC_ERR_INIT;
			size_t n = surround(text, before, bad[i].text, before % 7 * 5);

			if (scan(cdc_str(text, n), &err) != CDC_EDATA)
				fail_msg("accepted: %.*s", (int)n, text);
		}
	}
}

/* Every byte value, at every place of strings up to three blocks long. */
static void each_byte_in_a_string(void **state)
{
	(void)state;
	for (size_t len = 1; len <= 49; len++) {
		for (size_t at = 0; at < len; at++) {
			for (unsigned c = 0; c < 256; c++) {
				struct cdc_err err = CDC_ERR_INIT;
				struct cdc_tape t = CDC_TAPE_INIT;
				char text[64];
				bool ok = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
				int rc;

				memset(text, 'z', len + 2);
				text[0] = text[len + 1] = '"';
				text[1 + at] = (char)c;
				rc = cdc_json_scan(&t, cdc_str(text, len + 2), NULL, &err);
				assert_int_equal(rc, ok ? CDC_OK : CDC_EDATA);
				if (ok)
					assert_int_equal(t.tok[0].len, len);
				else if (c < 0x20 || c >= 0x80)
					assert_int_equal(err.offset, 1 + at);
				cdc_tape_free(&t);
			}
		}
	}
}

static void depth(void **state)
{
	static char text[8 * CDC_JSON_DEPTH];

	(void)state;
	for (int object = 0; object < 2; object++) {
		for (size_t d = CDC_JSON_DEPTH - 1; d <= CDC_JSON_DEPTH + 2; d++) {
			struct cdc_err err = CDC_ERR_INIT;
			size_t n = 0;

			for (size_t i = 0; i < d; i++) {
				memcpy(text + n, object ? "{\"\":" : "[", object ? 4 : 1);
				n += object ? 4 : 1;
			}
			if (object)
				n -= 3; /* the innermost is empty */
			for (size_t i = 0; i < d; i++)
				text[n++] = object ? '}' : ']';
			assert_int_equal(scan(cdc_str(text, n), &err),
					 d <= CDC_JSON_DEPTH ? CDC_OK : CDC_EDATA);
			if (d > CDC_JSON_DEPTH)
				assert_int_equal(err.offset, CDC_JSON_DEPTH * (object ? 4 : 1));
		}
	}
}

/* A hundred thousand brackets cost neither stack nor time, open or closed. */
static void bomb(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	size_t n = 100000;
	char *p = malloc(n);

	(void)state;
	assert_non_null(p);
	memset(p, '[', n);
	assert_int_equal(scan(cdc_str(p, n), &err), CDC_EDATA);
	for (size_t i = 0; i < n; i += 5)
		memcpy(p + i, "{\"a\":", 5);
	assert_int_equal(scan(cdc_str(p, n), &err), CDC_EDATA);
	free(p);
}

static void prefixes_are_refused(void **state)
{
	static const char doc[] =
		"{\"a\":[1.5e3,true,null,false,\"\\u00e9\xc3\xa9\\ud83d\\ude39\"],\"b\":{\"c\":-0}}";

	(void)state;
	for (size_t n = 0; n < sizeof(doc) - 1; n++) {
		struct cdc_err err = CDC_ERR_INIT;

		if (scan(cdc_str(doc, n), &err) != CDC_EDATA)
			fail_msg("accepted: %.*s", (int)n, doc);
		assert_true(err.offset <= n);
	}
}

static void tape(void **state)
{
	static const char doc[] =
		" {\"a\":[1,{\"b\":null},\"x\\ty\"],\"c\":{},\"d\":true, \"e\" : [ ] } ";
	static const struct {
		uint8_t type;
		bool escaped;
		uint32_t count;
		uint32_t next;
		const char *raw;
	} want[] = {
		{ CDC_JSON_STRING, false, 0, 2, "a" },
		{ CDC_JSON_ARRAY, false, 3, 8, "[1,{\"b\":null},\"x\\ty\"]" },
		{ CDC_JSON_NUMBER, false, 0, 4, "1" },
		{ CDC_JSON_OBJECT, false, 1, 7, "{\"b\":null}" },
		{ CDC_JSON_STRING, false, 0, 6, "b" },
		{ CDC_JSON_NULL, false, 0, 7, "null" },
		{ CDC_JSON_STRING, true, 0, 8, "x\\ty" },
		{ CDC_JSON_STRING, false, 0, 9, "c" },
		{ CDC_JSON_OBJECT, false, 0, 10, "{}" },
		{ CDC_JSON_STRING, false, 0, 11, "d" },
		{ CDC_JSON_TRUE, false, 0, 12, "true" },
		{ CDC_JSON_STRING, false, 0, 13, "e" },
		{ CDC_JSON_ARRAY, false, 0, 14, "[ ]" },
	};
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape t = CDC_TAPE_INIT;
	uint32_t k;

	(void)state;
	assert_int_equal(cdc_json_scan(&t, cdc_str_z(doc), NULL, &err), CDC_OK);
	assert_int_equal(t.n, 14);
	assert_int_equal(t.tok[0].count, 4);
	for (uint32_t i = 1; i < t.n; i++) {
		assert_int_equal(t.tok[i].type, want[i - 1].type);
		assert_int_equal(t.tok[i].escaped, want[i - 1].escaped);
		assert_int_equal(t.tok[i].count, want[i - 1].count);
		assert_int_equal(t.tok[i].next, want[i - 1].next);
		assert_true(cdc_str_eqz(cdc_json_raw(&t, i), want[i - 1].raw));
	}
	k = cdc_json_first(&t, 0);
	assert_int_equal(k, 1);
	k = cdc_json_after(&t, 0, k);
	assert_true(cdc_json_is(&t, k, CDC_STR("c")));
	assert_int_equal(cdc_json_first(&t, k + 1), CDC_JSON_NONE);
	k = cdc_json_after(&t, 0, k);
	assert_true(cdc_json_is(&t, k, CDC_STR("d")));
	k = cdc_json_after(&t, 0, k);
	assert_true(cdc_str_eqz(cdc_json_source(&t, k), "\"e\""));
	assert_true(cdc_str_eqz(cdc_json_source(&t, k + 1), "[ ]"));
	assert_int_equal(cdc_json_after(&t, 0, k), CDC_JSON_NONE);
	k = cdc_json_first(&t, 2);
	k = cdc_json_after(&t, 2, cdc_json_after(&t, 2, k));
	assert_true(cdc_str_eqz(cdc_json_source(&t, k), "\"x\\ty\""));
	assert_int_equal(cdc_json_after(&t, 2, k), CDC_JSON_NONE);
	cdc_tape_free(&t);
}

/* More tokens than a tape starts with, and the tape used again. */
static void tape_grows(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape t = CDC_TAPE_INIT;
	size_t n = 0;
	char *p = malloc(400000);
	uint32_t k;

	(void)state;
	assert_non_null(p);
	p[n++] = '[';
	for (int i = 0; i < 20000; i++) {
		memcpy(p + n, "{\"k\":[0,\"\"]},", 13);
		n += 13;
	}
	p[n - 1] = ']';
	assert_int_equal(cdc_json_scan(&t, cdc_str(p, n), NULL, &err), CDC_OK);
	assert_int_equal(t.n, 1 + 20000 * 5);
	assert_int_equal(t.tok[0].count, 20000);
	k = cdc_json_first(&t, 0);
	for (int i = 0; i < 20000; i++, k = cdc_json_after(&t, 0, k)) {
		assert_int_equal(k, 1 + i * 5);
		assert_int_equal(cdc_json_get(&t, k, "k"), k + 2);
	}
	assert_int_equal(k, CDC_JSON_NONE);
	assert_int_equal(cdc_json_scan(&t, CDC_STR("[1]"), NULL, &err), CDC_OK);
	assert_int_equal(t.n, 2);
	assert_int_equal(cdc_json_scan(&t, CDC_STR("[1"), NULL, &err), CDC_EDATA);
	assert_int_equal(t.n, 0);
	cdc_tape_free(&t);
	free(p);
}

static void streams(void **state)
{
	static const char text[] = " {\"a\":1}\n[2] \"x\"null 3\n\n4 ";
	static const char *const want[] = { "{\"a\":1}", "[2]", "\"x\"", "null", "3", "4" };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape t = CDC_TAPE_INIT;
	struct cdc_str rest = cdc_str_z(text);
	size_t used = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(cdc_json_scan(&t, rest, &used, &err), CDC_OK);
		assert_true(cdc_str_eqz(cdc_json_source(&t, 0), want[i]));
		rest = cdc_str(rest.p + used, rest.n - used);
	}
	assert_int_equal(rest.n, 0); /* trailing space belongs to the document before */
	assert_int_equal(cdc_json_scan(&t, rest, &used, &err), CDC_END);
	assert_int_equal(cdc_json_scan(&t, CDC_STR(" \n "), &used, &err), CDC_END);
	assert_int_equal(used, 3);
	assert_int_equal(cdc_json_scan(&t, cdc_str(NULL, 0), &used, &err), CDC_END);
	assert_int_equal(cdc_json_scan(&t, cdc_str(NULL, 0), NULL, &err), CDC_EDATA);
	/* what follows a document is not looked at, but a scalar must end */
	assert_int_equal(cdc_json_scan(&t, CDC_STR("{}}"), &used, &err), CDC_OK);
	assert_int_equal(used, 2);
	assert_int_equal(cdc_json_scan(&t, CDC_STR("01"), &used, &err), CDC_EDATA);
	assert_int_equal(cdc_json_scan(&t, CDC_STR("truefalse"), &used, &err), CDC_EDATA);
	assert_int_equal(cdc_json_scan(&t, CDC_STR("1.5.2"), &used, &err), CDC_EDATA);
	cdc_tape_free(&t);
}

/*
 * Offsets are 32 bits wide: a document that goes on past 2 GiB is refused, one that ends before is
 * not, however long the text after it is. The text is one block of memory mapped over and over.
 */
static void two_gigabytes(void **state)
{
	const size_t block = (size_t)16 << 20;
	const size_t size = ((size_t)2 << 30) + block;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape t = CDC_TAPE_INIT;
	int fd = memfd_create("text", 0);
	size_t used = 0;
	char *p;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)block), 0);
	p = mmap(NULL, block, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	memset(p, 'x', block);
	munmap(p, block);
	p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	for (size_t at = 0; at < size; at += block) {
		void *m =
			mmap(p + at, block, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0);

		assert_ptr_equal(m, p + at);
	}
	memcpy(p, "{}[", 3);
	assert_int_equal(cdc_json_scan(&t, cdc_str(p, size), &used, &err), CDC_OK);
	assert_int_equal(used, 2);
	p[0] = '"';
	assert_int_equal(cdc_json_scan(&t, cdc_str(p, size), &used, &err), CDC_EDATA);
	assert_non_null(strstr(err.msg, "2 GiB"));
	p[((size_t)2 << 30) - 1] = '"';
	assert_int_equal(cdc_json_scan(&t, cdc_str(p, size), &used, &err), CDC_OK);
	assert_int_equal(used, (size_t)2 << 30);
	assert_int_equal(cdc_json_scan(&t, cdc_str(p, size), NULL, &err), CDC_EDATA);
	munmap(p, size);
	close(fd);
	cdc_tape_free(&t);
}

static void get(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape t = CDC_TAPE_INIT;

	(void)state;
	assert_int_equal(
		cdc_json_scan(&t,
			      CDC_STR("{\"b\":{\"x\":[0]},\"\\u0061\\\"\":1,\"a\":2,\"a\":3,"
				      "\"\\u00e9\\ud83d\\ude39\":4,\"\":5,\"n\\u0000\":6}"),
			      NULL, &err),
		CDC_OK);
	assert_true(cdc_str_eqz(cdc_json_raw(&t, cdc_json_get(&t, 0, "a")), "2"));
	assert_true(cdc_str_eqz(cdc_json_raw(&t, cdc_json_get(&t, 0, "a\"")), "1"));
	assert_true(cdc_str_eqz(cdc_json_raw(&t, cdc_json_get(&t, 0, "\xc3\xa9\xf0\x9f\x98\xb9")),
				"4"));
	assert_true(cdc_str_eqz(cdc_json_raw(&t, cdc_json_get(&t, 0, "")), "5"));
	assert_int_equal(cdc_json_get(&t, 0, "x"), CDC_JSON_NONE);
	assert_int_equal(cdc_json_get(&t, cdc_json_get(&t, 0, "x"), "x"), CDC_JSON_NONE);
	assert_int_equal(cdc_json_get(&t, 0, "n"), CDC_JSON_NONE);
	assert_int_equal(cdc_json_get(&t, 0, "\xc3\xa9\xf0\x9f\x98"), CDC_JSON_NONE);
	assert_int_equal(cdc_json_get(&t, 0, "\xc3\xa9\xf0\x9f\x98\xb9z"), CDC_JSON_NONE);
	assert_int_equal(cdc_json_get(&t, cdc_json_get(&t, 0, "a"), "a"), CDC_JSON_NONE);
	assert_false(cdc_json_is(&t, cdc_json_get(&t, 0, "a"), CDC_STR("2"))); /* a number */
	cdc_tape_free(&t);
}

static void unescape(void **state)
{
	static const struct {
		struct cdc_str raw;
		struct cdc_str text;
	} pair[] = {
		{ S(""), S("") },
		{ S("plain"), S("plain") },
		{ S("\\\"\\\\\\/\\b\\f\\n\\r\\t"), S("\"\\/\b\f\n\r\t") },
		{ S("a\\u0041z"), S("aAz") },
		{ S("\\u0000"), S("\0") },
		{ S("\\u007f\\u0080"), S("\x7f\xc2\x80") },
		{ S("\\u07ff\\u0800"), S("\xdf\xbf\xe0\xa0\x80") },
		{ S("\\uFFFF\\uABCD"), S("\xef\xbf\xbf\xea\xaf\x8d") },
		{ S("\\ud800\\udc00"), S("\xf0\x90\x80\x80") },
		{ S("\\uDBFF\\uDFFF!"), S("\xf4\x8f\xbf\xbf!") },
		{ S("\\\\u0041"), S("\\u0041") },
		{ S("\xc3\xa9\\n\xc3\xa9"), S("\xc3\xa9\n\xc3\xa9") },
	};
	struct cdc_arena a = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape t = CDC_TAPE_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
		struct cdc_str got;
		char doc[64];
		char out[64];
		size_t n;

		n = cdc_json_unescape(pair[i].raw, out);
		assert_true(cdc_str_eq(cdc_str(out, n), pair[i].text));
		/* in place */
		memcpy(out, pair[i].raw.p, pair[i].raw.n);
		n = cdc_json_unescape(cdc_str(out, pair[i].raw.n), out);
		assert_true(cdc_str_eq(cdc_str(out, n), pair[i].text));
		/* as a token */
		doc[0] = '"';
		memcpy(doc + 1, pair[i].raw.p, pair[i].raw.n);
		doc[1 + pair[i].raw.n] = '"';
		assert_int_equal(cdc_json_scan(&t, cdc_str(doc, pair[i].raw.n + 2), NULL, &err),
				 CDC_OK);
		assert_int_equal(cdc_json_string(&t, 0, &a, &got, &err), CDC_OK);
		assert_true(cdc_str_eq(got, pair[i].text));
		assert_true(cdc_json_is(&t, 0, pair[i].text));
		assert_true(t.tok[0].escaped || got.p == doc + 1);
		for (size_t j = 0; j < sizeof(pair) / sizeof(pair[0]); j++)
			assert_int_equal(cdc_json_same(pair[i].raw, pair[j].raw), i == j);
	}
	assert_true(cdc_json_same(cdc_str("\\u0061b\\/", 9), cdc_str("a\\u0062/", 8)));
	assert_false(cdc_json_same(cdc_str("\\u0061b", 7), cdc_str("a", 1)));
	assert_false(cdc_json_same(cdc_str("a", 1), cdc_str("\\u0061b", 7)));
	cdc_tape_free(&t);
	cdc_arena_free(&a);
}

static void integers(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} row[] = {
		{ "0", true, 0 },
		{ "-0", true, 0 },
		{ "7", true, 7 },
		{ "-7", true, -7 },
		{ "9223372036854775807", true, INT64_MAX },
		{ "-9223372036854775808", true, INT64_MIN },
		{ "9223372036854775808", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "18446744073709551615", false, 0 },
		{ "18446744073709551616", false, 0 },
		{ "99999999999999999999", false, 0 },
		{ "100000000000000000000000", false, 0 },
		{ "1.0", false, 0 },
		{ "1e3", false, 0 },
		{ "\"1\"", false, 0 },
		{ "null", false, 0 },
		{ "true", false, 0 },
		{ "[1]", false, 0 },
		{ "1000000000000000000", true, 1000000000000000000 },
	};
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape t = CDC_TAPE_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		int64_t v = -42;

		assert_int_equal(cdc_json_scan(&t, cdc_str_z(row[i].text), NULL, &err), CDC_OK);
		assert_int_equal(cdc_json_int64(&t, 0, &v), row[i].ok);
		assert_true(v == (row[i].ok ? row[i].value : -42));
	}
	cdc_tape_free(&t);
}

/* An object of n members named by number; member `at` (if < n) has `name` instead. */
static size_t object(char *out, unsigned n, unsigned at, const char *name)
{
	size_t len = 0;

	out[len++] = '{';
	for (unsigned i = 0; i < n; i++) {
		if (i == at)
			len += (size_t)sprintf(out + len, "\"%s\":0,", name);
		else
			len += (size_t)sprintf(out + len, "\"c%u\":{\"c1\":0},", i);
	}
	out[len - (n > 0)] = '}';
	return n > 0 ? len : len + 1;
}

static void duplicates(void **state)
{
	static const unsigned sizes[] = { 1, 2, 3, 15, 16, 17, 18, 31, 64, 65, 1000, 5000 };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape t = CDC_TAPE_INIT;
	char *p = malloc(200000);
	uint32_t key;

	(void)state;
	assert_non_null(p);
	assert_int_equal(cdc_json_scan(&t, cdc_str(p, object(p, 0, 0, "")), NULL, &err), CDC_OK);
	assert_int_equal(cdc_json_duplicate(&t, 0, &key, &err), CDC_OK);
	assert_int_equal(key, CDC_JSON_NONE);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned n = sizes[i];
		size_t len = object(p, n, n, "");

		assert_int_equal(cdc_json_scan(&t, cdc_str(p, len), NULL, &err), CDC_OK);
		assert_int_equal(cdc_json_duplicate(&t, 0, &key, &err), CDC_OK);
		assert_int_equal(key, CDC_JSON_NONE);
		len = object(p, n, n - 1, "c\\u0030");
		assert_int_equal(cdc_json_scan(&t, cdc_str(p, len), NULL, &err), CDC_OK);
		assert_int_equal(cdc_json_duplicate(&t, 0, &key, &err), CDC_OK);
		assert_int_equal(key, n > 1 ? t.n - 2 : CDC_JSON_NONE);
		len = object(p, n, n - 1, "c0");
		assert_int_equal(cdc_json_scan(&t, cdc_str(p, len), NULL, &err), CDC_OK);
		assert_int_equal(cdc_json_duplicate(&t, 0, &key, &err), CDC_OK);
		assert_int_equal(key, n > 1 ? t.n - 2 : CDC_JSON_NONE);
		len = object(p, n, 0, "\\u00630");
		assert_int_equal(cdc_json_scan(&t, cdc_str(p, len), NULL, &err), CDC_OK);
		assert_int_equal(cdc_json_duplicate(&t, 0, &key, &err), CDC_OK);
		assert_int_equal(key, CDC_JSON_NONE);
	}
	cdc_tape_free(&t);
	free(p);
}

/* Long names, which are hashed piece by piece, in both spellings and of every length around the
 * pieces. */
static void long_duplicates(void **state)
{
	static char p[8192];
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape t = CDC_TAPE_INIT;

	(void)state;
	for (size_t n = 240; n < 530; n++) {
		for (int same = 0; same < 2; same++) {
			size_t len = 0;
			uint32_t key;

			p[len++] = '{';
			p[len++] = '"';
			for (size_t i = 0; i + 2 < n; i++)
				p[len++] = (char)('a' + i % 26);
			len += (size_t)sprintf(p + len, "\xc3\xa9\":1,\"");
			for (size_t i = 0; i + 2 < n; i++) {
				if (i % 50 == 0)
					len += (size_t)sprintf(p + len, "\\u%04x",
							       (unsigned)('a' + i % 26));
				else
					p[len++] = (char)('a' + i % 26);
			}
			memcpy(p + len, same ? "\\u00e9\":2}" : "\\u00e8\":2}", 10);
			len += 10;
			assert_int_equal(cdc_json_scan(&t, cdc_str(p, len), NULL, &err), CDC_OK);
			assert_int_equal(cdc_json_duplicate(&t, 0, &key, &err), CDC_OK);
			assert_int_equal(key, same ? 3 : CDC_JSON_NONE);
		}
	}
	cdc_tape_free(&t);
}

static void prints(void **state)
{
	static const struct {
		struct cdc_str text;
		const char *json;
	} row[] = {
		{ S(""), "\"\"" },
		{ S("plain"), "\"plain\"" },
		{ S("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"" },
		{ S("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"" },
		{ S("\x00\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"" },
		{ S("\xc3\xa9\xf0\x9f\x98\xb9"), "\"\xc3\xa9\xf0\x9f\x98\xb9\"" },
		{ S("0123456789abcdef\"0123456789abcdef"),
		  "\"0123456789abcdef\\\"0123456789abcdef\"" },
		{ S("0123456789abcde\"\"\"\"0123456789abcdef0123456789abcdef\n"),
		  "\"0123456789abcde\\\"\\\"\\\"\\\"0123456789abcdef0123456789abcdef\\n\"" },
	};
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		size_t want = strlen(row[i].json);
		struct cdc_buf b = CDC_BUF_INIT_MAX(want);
		struct cdc_buf small = CDC_BUF_INIT_MAX(want - 1);

		assert_int_equal(cdc_json_put_string(&b, row[i].text, &err), CDC_OK);
		assert_true(cdc_str_eqz(cdc_buf_str(&b), row[i].json));
		assert_int_equal(cdc_json_escaped_len(row[i].text), want - 2);
		assert_int_equal(cdc_json_put_string(&small, row[i].text, &err), CDC_EDATA);
		assert_int_equal(small.len, 0);
		cdc_buf_reset(&b);
		assert_int_equal(cdc_json_put_escaped(&b, row[i].text, &err), CDC_OK);
		assert_true(cdc_str_eq(cdc_buf_str(&b), cdc_str(row[i].json + 1, want - 2)));
		cdc_buf_free(&b);
		cdc_buf_free(&small);
	}
}

/* print, scan, decode: every byte below 0x80 at every place, into memory of the exact size. */
static void round_trip(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape t = CDC_TAPE_INIT;
	char text[40];

	(void)state;
	for (size_t len = 1; len <= sizeof(text); len++) {
		for (unsigned c = 0; c < 0x80; c++) {
			size_t at = (c * 7 + len) % len;
			char back[sizeof(text)];
			struct cdc_str s = { text, len };
			size_t n;
			char *out;

			for (size_t i = 0; i < len; i++)
				text[i] = (char)('A' + i);
			text[at] = (char)c;
			n = cdc_json_escaped_len(s) + 2;
			out = malloc(n);
			assert_non_null(out);
			out[0] = '"';
			assert_ptr_equal(cdc_json_escape_to(out + 1, s), out + n - 1);
			out[n - 1] = '"';
			assert_int_equal(cdc_json_scan(&t, cdc_str(out, n), NULL, &err), CDC_OK);
			assert_int_equal(cdc_json_unescape(cdc_json_raw(&t, 0), back), len);
			assert_memory_equal(back, text, len);
			free(out);
		}
	}
	cdc_tape_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses),
		cmocka_unit_test(any_alignment),
		cmocka_unit_test(each_byte_in_a_string),
		cmocka_unit_test(depth),
		cmocka_unit_test(bomb),
		cmocka_unit_test(prefixes_are_refused),
		cmocka_unit_test(tape),
		cmocka_unit_test(tape_grows),
		cmocka_unit_test(streams),
		cmocka_unit_test(two_gigabytes),
		cmocka_unit_test(get),
		cmocka_unit_test(unescape),
		cmocka_unit_test(integers),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(long_duplicates),
		cmocka_unit_test(prints),
		cmocka_unit_test(round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
