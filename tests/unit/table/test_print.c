/*
 * Proves that rows are printed as cdc-snapshot(1) says in each format: exact numbers, escapes,
 * nulls told from empty strings, values longer than any buffer, boxes of bounded size.
 */
#include "table/print/print.h"

#include "base/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROWS 3

static const uint8_t third_is_null[ROWS] = { 1, 1, 0 };
static const uint8_t flag[ROWS] = { 1, 0, 0 };
static const int32_t small[ROWS] = { -128, 127, 0 };
static const int64_t wide[ROWS] = { INT64_MIN, INT64_MAX, 0 };
static const float single[ROWS] = { 0.1f, INFINITY, 0 };
static const double twofold[ROWS] = { NAN, 1e10, 0 };
static const cdc_i128 money[ROWS] = { 32300, -5, 0 };
static const int32_t day[ROWS] = { 18214, -719162, 0 };
static const int64_t at[ROWS] = { 1573701065120000, 1573701065000000, 0 };
static const struct cdc_str text[ROWS] = { { "a,\"b\"\\\n\t\r\x01", 10 }, { "", 0 }, { NULL, 0 } };
static const struct cdc_str bytes[ROWS] = { { "\xff\x00\x01", 3 }, { "", 0 }, { NULL, 0 } };

static const struct cdc_field fields[] = {
	{ .name = CDC_STR("flag"), .type = CDC_TYPE_BOOLEAN },
	{ .name = CDC_STR("s\"m"), .type = CDC_TYPE_BYTE },
	{ .name = CDC_STR("wide"), .type = CDC_TYPE_LONG },
	{ .name = CDC_STR("f"), .type = CDC_TYPE_FLOAT },
	{ .name = CDC_STR("d"), .type = CDC_TYPE_DOUBLE },
	{ .name = CDC_STR("m"), .type = CDC_TYPE_DECIMAL, .precision = 7, .scale = 2 },
	{ .name = CDC_STR("day"), .type = CDC_TYPE_DATE },
	{ .name = CDC_STR("t"), .type = CDC_TYPE_TIMESTAMP },
	{ .name = CDC_STR("w"), .type = CDC_TYPE_TIMESTAMP_NTZ },
	{ .name = CDC_STR("text"), .type = CDC_TYPE_STRING },
	{ .name = CDC_STR("bytes"), .type = CDC_TYPE_BINARY },
};

#define NUM_FIELDS ((int)(sizeof(fields) / sizeof(fields[0])))

static const void *const values[] = { flag, small, wide, single, twofold, money,
				      day,  at,	   at,	 text,	 bytes };

/* What the printer writes for the batches, and its return code. */
static char *printed(enum cdc_print_format format, const struct cdc_field *f, int n,
		     const struct cdc_batch *b, int batches, int *code)
{
	const struct cdc_field **list = calloc((size_t)n + 1, sizeof(*list));
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_printer *p;
	struct cdc_writer w;
	char path[] = "/tmp/test_print.XXXXXX";
	int fd = mkstemp(path);
	char *text_out;

	assert_true(list && fd >= 0);
	for (int i = 0; i < n; i++)
		list[i] = &f[i];
	assert_int_equal(cdc_writer_init(&w, &cdc_io_posix, fd, &err), 0);
	assert_int_equal(cdc_printer_new(&p, format, list, n, &w, &err), 0);
	*code = 0;
	for (int i = 0; i < batches && *code == 0; i++)
		*code = cdc_printer_batch(p, b, &err);
	if (*code == 0)
		*code = cdc_printer_finish(p, &err);
	cdc_printer_free(p);
	assert_int_equal(cdc_writer_flush(&w, &err), 0);
	cdc_writer_free(&w);
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, path, &out, &err), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
	text_out = strdup(cdc_buf_z(&out));
	cdc_buf_free(&out);
	free(list);
	return text_out;
}

static void prints(enum cdc_print_format format, const struct cdc_field *f, const void *const *v,
		   int n, uint32_t rows, const char *want)
{
	struct cdc_column column[NUM_FIELDS];
	struct cdc_batch b = { .rows = rows, .num_columns = n, .column = column };
	char *got;
	int code;

	for (int i = 0; i < n; i++)
		column[i] = (struct cdc_column){ &f[i], v[i], rows == ROWS ? third_is_null : NULL,
						 NULL };
	got = printed(format, f, n, &b, 1, &code);
	assert_int_equal(code, 0);
	assert_string_equal(got, want);
	free(got);
}

static void ndjson(void **state)
{
	(void)state;
	prints(CDC_PRINT_NDJSON, fields, values, NUM_FIELDS, ROWS,
	       "{\"flag\":true,\"s\\\"m\":-128,\"wide\":-9223372036854775808,\"f\":0.1,\"d\":\"NaN\","
	       "\"m\":323.00,\"day\":\"2019-11-14\",\"t\":\"2019-11-14T03:11:05.12Z\","
	       "\"w\":\"2019-11-14 03:11:05.12\",\"text\":\"a,\\\"b\\\"\\\\\\n\\t\\r\\u0001\","
	       "\"bytes\":\"/wAB\"}\n"
	       "{\"flag\":false,\"s\\\"m\":127,\"wide\":9223372036854775807,\"f\":\"Infinity\","
	       "\"d\":1.0E10,\"m\":-0.05,\"day\":\"0001-01-01\",\"t\":\"2019-11-14T03:11:05Z\","
	       "\"w\":\"2019-11-14 03:11:05\",\"text\":\"\",\"bytes\":\"\"}\n"
	       "{\"flag\":null,\"s\\\"m\":null,\"wide\":null,\"f\":null,\"d\":null,\"m\":null,"
	       "\"day\":null,\"t\":null,\"w\":null,\"text\":null,\"bytes\":null}\n");
	prints(CDC_PRINT_NDJSON, fields, values, 0, 2, "{}\n{}\n");
	prints(CDC_PRINT_NDJSON, fields, values, 1, 0, "");
}

static void csv(void **state)
{
	(void)state;
	prints(CDC_PRINT_CSV, fields, values, NUM_FIELDS, ROWS,
	       "flag,\"s\"\"m\",wide,f,d,m,day,t,w,text,bytes\n"
	       "true,-128,-9223372036854775808,0.1,NaN,323.00,2019-11-14,2019-11-14T03:11:05.12Z,"
	       "2019-11-14 03:11:05.12,\"a,\"\"b\"\"\\\n\t\r\x01\",/wAB\n"
	       "false,127,9223372036854775807,Infinity,1.0E10,-0.05,0001-01-01,2019-11-14T03:11:05Z,"
	       "2019-11-14 03:11:05,\"\",\"\"\n"
	       ",,,,,,,,,,\n");
	prints(CDC_PRINT_CSV, fields, values, 1, 0, "flag\n");
}

static void tsv(void **state)
{
	(void)state;
	prints(CDC_PRINT_TSV, fields + 8, values + 8, 3, ROWS,
	       "w\ttext\tbytes\n"
	       "2019-11-14 03:11:05.12\ta,\"b\"\\\\\\n\\t\\r\x01\t/wAB\n"
	       "2019-11-14 03:11:05\t\t\n"
	       "\\N\t\\N\t\\N\n");
}

static void table(void **state)
{
	static const struct cdc_field cols[] = {
		{ .name = CDC_STR("id"), .type = CDC_TYPE_INTEGER },
		{ .name = CDC_STR("name"), .type = CDC_TYPE_STRING },
	};
	static const struct cdc_str names[ROWS] = { { "\xe5\x90\x8d!", 4 },
						    { "a\n\x1b\xff\xc2\x9b", 6 },
						    { NULL, 0 } };
	const void *const v[] = { small, names };

	(void)state;
	prints(CDC_PRINT_TABLE, cols, v, 2, ROWS,
	       "+----+-----------------+\n"
	       "|  id|             name|\n"
	       "+----+-----------------+\n"
	       "|-128|              \xe5\x90\x8d!|\n"
	       "| 127|a\\n\\x1b\\xff\\u009b|\n"
	       "|null|             null|\n"
	       "+----+-----------------+\n");
	prints(CDC_PRINT_TABLE, cols, v, 2, 0, "+---+----+\n| id|name|\n+---+----+\n+---+----+\n");
}

/* A string longer than the writer's buffer. */
static void long_values(void **state)
{
	const size_t n = (size_t)3 << 20;
	char *long_text = malloc(n);
	struct cdc_str s;
	struct cdc_column c = { &fields[9], &s, NULL, NULL };
	struct cdc_batch b = { .rows = 1, .num_columns = 1, .column = &c };
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	size_t used;
	uint32_t v;
	char *got;
	int code;

	(void)state;
	assert_non_null(long_text);
	for (size_t i = 0; i < n; i++)
		long_text[i] = i % 5 ? (char)('a' + i % 26) : '\x02';
	s = cdc_str(long_text, n);
	got = printed(CDC_PRINT_NDJSON, &fields[9], 1, &b, 1, &code);
	assert_int_equal(code, 0);
	assert_int_equal(cdc_json_scan(&tape, cdc_str_z(got), &used, &err), 0);
	v = cdc_json_get(&tape, 0, "text");
	assert_int_equal(cdc_json_unescape(cdc_json_raw(&tape, v), got + tape.tok[v].off), n);
	assert_memory_equal(got + tape.tok[v].off, long_text, n);
	free(got);
	got = printed(CDC_PRINT_TSV, &fields[9], 1, &b, 1, &code);
	assert_int_equal(strlen(got), n + strlen("text\n\n"));
	free(got);
	cdc_tape_free(&tape);
	free(long_text);
}

static void not_utf8(void **state)
{
	static const struct cdc_str bad = { "a\xff", 2 };
	struct cdc_column c = { &fields[9], &bad, NULL, NULL };
	struct cdc_batch b = { .rows = 1, .num_columns = 1, .column = &c };
	char *got;
	int code;

	(void)state;
	got = printed(CDC_PRINT_NDJSON, &fields[9], 1, &b, 1, &code);
	assert_int_equal(code, CDC_ECORRUPT);
	free(got);
	got = printed(CDC_PRINT_CSV, &fields[9], 1, &b, 1, &code);
	assert_int_equal(code, 0);
	assert_string_equal(got, "text\na\xff\n");
	free(got);
}

/* More rows than one box holds: each box has its header, no row is lost. */
static void many_boxes(void **state)
{
	struct cdc_column c = { &fields[1], small, NULL, NULL };
	struct cdc_batch b = { .rows = 2, .num_columns = 1, .column = &c };
	size_t rules = 0;
	size_t lines = 0;
	char *got;
	int code;

	(void)state;
	got = printed(CDC_PRINT_TABLE, &fields[1], 1, &b, 12500, &code);
	assert_int_equal(code, 0);
	for (const char *p = got; *p; p = strchr(p, '\n') + 1) {
		rules += *p == '+';
		lines++;
	}
	assert_int_equal(rules, 3 * 3);
	assert_int_equal(lines, 25000 + 3 * 4);
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ndjson),      cmocka_unit_test(csv),
		cmocka_unit_test(tsv),	       cmocka_unit_test(table),
		cmocka_unit_test(long_values), cmocka_unit_test(not_utf8),
		cmocka_unit_test(many_boxes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
