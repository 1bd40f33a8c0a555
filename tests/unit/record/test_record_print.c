/*
 * Proves that a record printed with a patch is the line it came from, byte for byte, but for the
 * patched members, and that members it lacks are appended.
 */
#include "record/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NONE CDC_STR_INIT
#define S(literal)                                                                                 \
	{                                                                                          \
		(literal), sizeof(literal) - 1                                                     \
	}

static const struct {
	const char *line;
	struct cdc_record_patch patch;
	const char *want;
} rows[] = {
	/* nothing to change: the record without the space around it */
	{ "{\"recordType\":\"BEGIN\"}", { NULL, NONE, NONE }, "{\"recordType\":\"BEGIN\"}\n" },
	{ " { \"recordType\" : \"BEGIN\" }\r",
	  { NULL, NONE, NONE },
	  "{ \"recordType\" : \"BEGIN\" }\n" },
	/* one member at each place, others with odd spelling untouched */
	{ "{\"recordType\":\"UPDATE\",\"x\" :  [1.50, \"\\u0061\"],\"afterImages\":{\"id\":\"1\"}}",
	  { "INSERT", NONE, NONE },
	  "{\"recordType\":\"INSERT\",\"x\" :  [1.50, \"\\u0061\"],\"afterImages\":{\"id\":\"1\"}}\n" },
	{ "{\"afterImages\": {\"id\":\"1\"} ,\"recordType\":\"UPDATE\"}",
	  { NULL, NONE, S("{\"id\":\"2\",\"n\":null}") },
	  "{\"afterImages\": {\"id\":\"2\",\"n\":null} ,\"recordType\":\"UPDATE\"}\n" },
	{ "{\"beforeImages\":{\"id\":\"1\"},\"recordType\":\"DELETE\"}",
	  { NULL, S("{}"), NONE },
	  "{\"beforeImages\":{},\"recordType\":\"DELETE\"}\n" },
	/* all three, in an order that is not the patch's */
	{ "{\"afterImages\":{\"a\":\"1\"},\"z\":0,\"beforeImages\":{\"b\":\"2\"},\"recordType\":\"UPDATE\"}",
	  { "INSERT", S("{}"), S("{\"c\":\"3\"}") },
	  "{\"afterImages\":{\"c\":\"3\"},\"z\":0,\"beforeImages\":{},\"recordType\":\"INSERT\"}\n" },
	/* null is replaced in its place, not repeated */
	{ "{\"recordType\":\"DELETE\",\"beforeImages\":{\"id\":\"1\"},\"afterImages\":null,\"k\":1}",
	  { "UPDATE", NONE, S("{\"id\":\"2\"}") },
	  "{\"recordType\":\"UPDATE\",\"beforeImages\":{\"id\":\"1\"},\"afterImages\":{\"id\":\"2\"},"
	  "\"k\":1}\n" },
	/* and so is a member whose name is spelled with an escape */
	{ "{\"recordType\":\"INSERT\",\"before\\u0049mages\":null,\"after\\u0049mages\":{\"id\":\"1\"}}",
	  { NULL, S("{\"b\":null}"), S("{\"a\":null}") },
	  "{\"recordType\":\"INSERT\",\"before\\u0049mages\":{\"b\":null},\"after\\u0049mages\":{\"a\":null}}\n" },
	/* missing members come last, before after */
	{ "{\"recordType\":\"TRUNCATE\" }",
	  { "UPDATE", S("{}"), S("{\"a\":\"1\"}") },
	  "{\"recordType\":\"UPDATE\" ,\"beforeImages\":{},\"afterImages\":{\"a\":\"1\"}}\n" },
	{ "{\"recordType\":\"DELETE\",\"beforeImages\":{\"id\":\"1\"}}",
	  { "INSERT", NONE, S("{}") },
	  "{\"recordType\":\"INSERT\",\"beforeImages\":{\"id\":\"1\"},\"afterImages\":{}}\n" },
};

static void patches(void **state)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_record r;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(cdc_record_parse(&r, &tape, cdc_str_z(rows[i].line), &err),
				 CDC_OK);
		cdc_buf_reset(&out);
		assert_int_equal(cdc_buf_puts(&out, "before", &err), CDC_OK);
		assert_int_equal(cdc_record_print(&out, &r, &rows[i].patch, &err), CDC_OK);
		assert_memory_equal(out.p, "before", 6);
		if (!cdc_str_eqz(cdc_str(out.p + 6, out.len - 6), rows[i].want))
			fail_msg("%.*snot %s", (int)out.len - 6, out.p + 6, rows[i].want);
	}
	cdc_buf_free(&out);
	cdc_tape_free(&tape);
}

static void without_patch(void **state)
{
	static const char line[] = "{\"recordType\":\"BEGIN\",\"n\":1.10}";
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf out = CDC_BUF_INIT_MAX(sizeof(line));
	struct cdc_buf small = CDC_BUF_INIT_MAX(sizeof(line) - 1);
	struct cdc_record_patch wrong = { .type_name = "NOT_A_TYPE_BUT_A_VERY_LONG_NAME" };
	struct cdc_record r;

	(void)state;
	assert_int_equal(cdc_record_parse(&r, &tape, cdc_str_z(line), &err), CDC_OK);
	assert_int_equal(cdc_record_print(&out, &r, NULL, &err), CDC_OK);
	assert_true(cdc_str_eqz(cdc_buf_str(&out), "{\"recordType\":\"BEGIN\",\"n\":1.10}\n"));
	/* a buffer that is full says so and keeps what it has */
	assert_int_equal(cdc_record_print(&small, &r, NULL, &err), CDC_EDATA);
	assert_int_equal(small.len, 0);
	assert_int_equal(cdc_record_print(&out, &r, &wrong, &err), CDC_EINTERNAL);
	cdc_buf_free(&out);
	cdc_buf_free(&small);
	cdc_tape_free(&tape);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patches),
		cmocka_unit_test(without_patch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
