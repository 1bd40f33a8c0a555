/*
 * Proves that a change record's members are found in any order and any spelling, that each way of
 * being malformed that record.h names is refused at its place, and that images are walked and
 * searched by decoded name.
 */
#include "record/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct cdc_tape tape = CDC_TAPE_INIT;

static int parse(struct cdc_record *r, const char *line, struct cdc_err *err)
{
	return cdc_record_parse(r, &tape, cdc_str_z(line), err);
}

static void must_parse(struct cdc_record *r, const char *line)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (parse(r, line, &err) != CDC_OK)
		fail_msg("%s: %s", line, err.msg);
}

static const char whole[] =
	"{\"recordID\":1700504,\"source\":{\"sourceType\":\"MySQL\",\"version\":\"8.0.35\"},"
	"\"dbTable\":\"shop.sales\",\"recordType\":\"UPDATE\","
	"\"recordTimestamp\":\"2019-11-14T03:11:05.120Z\",\"extraTags\":{\"thread_id\":\"7\"},"
	"\"fields\":[\"id\",\"name\"],\"beforeImages\":{\"id\":\"1\",\"name\":\"a\\tb\"},"
	"\"afterImages\":{\"id\":\"2\",\"name\":null},"
	"\"position\":{\"topic\":\"sales\",\"partition\":3,\"offset\":42}}";

static void check_whole(const struct cdc_record *r)
{
	assert_int_equal(r->type, CDC_RECORD_UPDATE);
	assert_true(r->has_id);
	assert_int_equal(r->id, 1700504);
	assert_true(cdc_str_eqz(r->db_table, "shop.sales"));
	assert_true(r->has_position);
	assert_true(cdc_str_eqz(r->position.topic, "sales"));
	assert_int_equal(r->position.partition, 3);
	assert_int_equal(r->position.offset, 42);
	assert_false(r->final);
	assert_true(
		cdc_str_eqz(cdc_json_raw(r->tape, r->timestamp_tok), "2019-11-14T03:11:05.120Z"));
	assert_true(cdc_str_eqz(cdc_json_source(r->tape, r->type_tok), "\"UPDATE\""));
	assert_true(cdc_str_eqz(cdc_json_source(r->tape, r->fields_tok), "[\"id\",\"name\"]"));
	assert_true(cdc_str_eqz(cdc_json_source(r->tape, r->before_tok),
				"{\"id\":\"1\",\"name\":\"a\\tb\"}"));
	assert_true(cdc_str_eqz(cdc_json_source(r->tape, r->after_tok),
				"{\"id\":\"2\",\"name\":null}"));
	assert_true(cdc_str_eqz(cdc_json_source(r->tape, r->position_tok),
				"{\"topic\":\"sales\",\"partition\":3,\"offset\":42}"));
	assert_int_equal(r->positions_tok, CDC_JSON_NONE);
	assert_int_equal(r->columns_tok, CDC_JSON_NONE);
	assert_int_equal(r->primary_key_tok, CDC_JSON_NONE);
}

static void all_members(void **state)
{
	struct cdc_record r;

	(void)state;
	must_parse(&r, whole);
	check_whole(&r);
	assert_true(r.line.p == whole && r.line.n == sizeof(whole) - 1);
}

/* The members of `whole` in every rotation, in reverse, with white space and a member of no
 * meaning between them. */
static void any_order(void **state)
{
	struct cdc_tape t = CDC_TAPE_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_str member[16];
	struct cdc_record r;
	char line[1024];
	unsigned n = 0;

	(void)state;
	assert_int_equal(cdc_json_scan(&t, cdc_str_z(whole), NULL, &err), CDC_OK);
	for (uint32_t k = cdc_json_first(&t, 0); k != CDC_JSON_NONE; k = cdc_json_after(&t, 0, k)) {
		const char *from = cdc_json_source(&t, k).p;
		struct cdc_str value = cdc_json_source(&t, k + 1);

		member[n++] = cdc_str(from, (size_t)(value.p + value.n - from));
	}
	assert_int_equal(n, 10);
	for (unsigned i = 0; i < 2 * n; i++) {
		int len = sprintf(line, " {");

		for (unsigned k = 0; k < n; k++) {
			unsigned m = i < n ? (i + k) % n : (2 * n - k + i) % n;

			len += sprintf(line + len, " %.*s\t,", (int)member[m].n, member[m].p);
			if (k == i % n)
				len += sprintf(line + len, "\"other\":{\"recordID\":[1]},");
		}
		sprintf(line + len - 1, "} \r");
		must_parse(&r, line);
		check_whole(&r);
	}
	cdc_tape_free(&t);
}

static void escaped_names(void **state)
{
	struct cdc_record r;

	(void)state;
	must_parse(&r, "{\"record\\u0049D\":7,\"\\u0064bTable\":\"a.b\","
		       "\"recordType\":\"\\u0049NSERT\",\"after\\u0049mages\":{\"id\":\"1\"}}");
	assert_int_equal(r.type, CDC_RECORD_INSERT);
	assert_int_equal(r.id, 7);
	assert_true(cdc_str_eqz(r.db_table, "a.b"));
	assert_true(cdc_str_eqz(cdc_json_source(r.tape, r.after_tok), "{\"id\":\"1\"}"));
}

static void types(void **state)
{
	static const char *const names[CDC_RECORD_TYPES] = {
		"INIT",	  "INSERT", "UPDATE", "DELETE", "TRUNCATE",
		"SCHEMA", "DDL",    "BEGIN",  "COMMIT", "CHECKPOINT",
	};
	struct cdc_record r;
	char line[128];

	(void)state;
	for (unsigned i = 0; i < CDC_RECORD_TYPES; i++) {
		sprintf(line, "{\"recordType\":\"%s\",\"beforeImages\":{},\"afterImages\":{}}",
			names[i]);
		must_parse(&r, line);
		assert_int_equal(r.type, i);
		assert_string_equal(cdc_record_type_name(r.type), names[i]);
		assert_int_equal(cdc_record_is_row(r.type), i < 4);
	}
}

static void control_records(void **state)
{
	struct cdc_record r;

	(void)state;
	must_parse(&r, "{\"recordType\":\"CHECKPOINT\",\"positions\":[],\"final\":true}");
	assert_true(r.final);
	assert_int_not_equal(r.positions_tok, CDC_JSON_NONE);
	must_parse(&r, "{\"recordType\":\"CHECKPOINT\",\"positions\":[],\"final\":false}");
	assert_false(r.final);
	must_parse(&r,
		   "{\"recordType\":\"SCHEMA\",\"dbTable\":\"d.t\",\"columns\":[{\"name\":\"id\"}],"
		   "\"primaryKey\":[\"id\"]}");
	assert_true(cdc_str_eqz(cdc_json_source(r.tape, r.columns_tok), "[{\"name\":\"id\"}]"));
	assert_true(cdc_str_eqz(cdc_json_source(r.tape, r.primary_key_tok), "[\"id\"]"));
	must_parse(&r, "{\"recordType\":\"BEGIN\"}");
	assert_false(r.has_id);
	assert_false(r.has_position);
	assert_int_equal(r.db_table.n, 0);
}

/* Null is the same as absent. */
static void null_members(void **state)
{
	struct cdc_record r;

	(void)state;
	must_parse(&r,
		   "{\"recordID\":null,\"source\":null,\"dbTable\":null,\"recordType\":\"DELETE\","
		   "\"recordTimestamp\":null,\"extraTags\":null,\"fields\":null,"
		   "\"beforeImages\":{\"id\":\"1\"},\"afterImages\":null,\"position\":null,"
		   "\"final\":null}");
	assert_false(r.has_id);
	assert_int_equal(r.after_tok, CDC_JSON_NONE);
	assert_int_equal(r.fields_tok, CDC_JSON_NONE);
	assert_int_equal(r.position_tok, CDC_JSON_NONE);
	assert_int_equal(r.timestamp_tok, CDC_JSON_NONE);
	assert_false(r.has_position);
	assert_false(r.final);
}

static void positions(void **state)
{
	struct cdc_record r;

	(void)state;
	must_parse(
		&r,
		"{\"recordType\":\"BEGIN\",\"position\":{\"file\":\"a.frames\",\"offset\":1234}}");
	assert_false(r.has_position);
	assert_int_not_equal(r.position_tok, CDC_JSON_NONE);
	must_parse(&r, "{\"recordType\":\"BEGIN\",\"position\":{\"topic\":\"t\",\"offset\":1}}");
	assert_false(r.has_position);
	must_parse(&r, "{\"recordType\":\"BEGIN\",\"position\":{\"topic\":\"t\",\"partition\":0}}");
	assert_false(r.has_position);
	must_parse(&r, "{\"recordType\":\"BEGIN\",\"position\":{\"offset\":9223372036854775807,"
		       "\"x\":1,\"partition\":2147483647,\"topic\":\"\"}}");
	assert_true(r.has_position);
	assert_true(r.position.offset == INT64_MAX);
	assert_int_equal(r.position.partition, INT32_MAX);
	must_parse(&r, "{\"recordType\":\"BEGIN\",\"recordID\":9223372036854775807}");
	assert_true(r.id == INT64_MAX);
}

/* A line, and the text in it at which the error must point. */
static const struct {
	const char *line;
	const char *at;
} bad[] = {
	{ "[1]", "[1]" },
	{ "\"INSERT\"", "\"INSERT\"" },
	{ "{}", "{}" },
	{ "{\"recordType\":null}", "{" },
	{ "{\"recordType\":1}", "1" },
	{ "{\"recordType\":\"insert\"}", "\"insert" },
	{ "{\"recordType\":\"INSERTS\"}", "\"INSERTS" },
	{ "{\"recordType\":\"\"}", "\"\"" },
	{ "{\"recordType\":\"INSER\\u0055\"}", "\"INSER" },
	{ "{\"recordType\":\"BEGIN\"} []", "[]" },
	{ "{\"recordType\":\"BEGIN\"", "" },
	/* types */
	{ "{\"recordType\":\"BEGIN\",\"recordID\":\"1\"}", "\"1\"" },
	{ "{\"recordType\":\"BEGIN\",\"source\":\"x\"}", "\"x\"" },
	{ "{\"recordType\":\"BEGIN\",\"dbTable\":5}", "5" },
	{ "{\"recordType\":\"BEGIN\",\"recordTimestamp\":5}", "5" },
	{ "{\"recordType\":\"BEGIN\",\"extraTags\":[]}", "[]" },
	{ "{\"recordType\":\"BEGIN\",\"fields\":{}}", "{}" },
	{ "{\"recordType\":\"BEGIN\",\"fields\":[\"a\",1]}", "1]" },
	{ "{\"recordType\":\"BEGIN\",\"beforeImages\":[]}", "[]" },
	{ "{\"recordType\":\"BEGIN\",\"afterImages\":\"{}\"}", "\"{}" },
	{ "{\"recordType\":\"BEGIN\",\"position\":7}", "7" },
	{ "{\"recordType\":\"BEGIN\",\"positions\":{}}", "{}" },
	{ "{\"recordType\":\"BEGIN\",\"columns\":{}}", "{}" },
	{ "{\"recordType\":\"BEGIN\",\"primaryKey\":\"id\"}", "\"id\"" },
	{ "{\"recordType\":\"BEGIN\",\"primaryKey\":[[]]}", "[]" },
	{ "{\"recordType\":\"BEGIN\",\"final\":\"true\"}", "\"true" },
	{ "{\"recordType\":\"BEGIN\",\"final\":1}", "1" },
	/* ranges */
	{ "{\"recordType\":\"BEGIN\",\"recordID\":-1}", "-1" },
	{ "{\"recordType\":\"BEGIN\",\"recordID\":1.5}", "1.5" },
	{ "{\"recordType\":\"BEGIN\",\"recordID\":9223372036854775808}", "9223" },
	{ "{\"recordType\":\"BEGIN\",\"position\":{\"topic\":1}}", "1}" },
	{ "{\"recordType\":\"BEGIN\",\"position\":{\"partition\":\"0\"}}", "\"0\"" },
	{ "{\"recordType\":\"BEGIN\",\"position\":{\"partition\":-1}}", "-1" },
	{ "{\"recordType\":\"BEGIN\",\"position\":{\"partition\":2147483648}}", "2147" },
	{ "{\"recordType\":\"BEGIN\",\"position\":{\"offset\":-1}}", "-1" },
	{ "{\"recordType\":\"BEGIN\",\"position\":{\"offset\":9223372036854775808}}", "9223" },
	{ "{\"recordType\":\"BEGIN\",\"position\":{\"offset\":1,\"offset\":2}}", "\"offset\":2" },
	/* images */
	{ "{\"recordType\":\"INSERT\"}", "{" },
	{ "{\"recordType\":\"INIT\",\"beforeImages\":{}}", "{" },
	{ "{\"recordType\":\"UPDATE\",\"beforeImages\":{\"id\":\"1\"},\"afterImages\":null}", "{" },
	{ "{\"recordType\":\"DELETE\",\"afterImages\":{}}", "{" },
	/* twice */
	{ "{\"recordType\":\"BEGIN\",\"recordID\":1,\"recordID\":2}", "\"recordID\":2" },
	{ "{\"recordType\":\"BEGIN\",\"recordID\":null,\"recordID\":2}", "\"recordID\":2" },
	{ "{\"recordType\":\"BEGIN\",\"record\\u0049D\":1,\"recordID\":2}", "\"recordID" },
	{ "{\"recordType\":\"BEGIN\",\"recordID\":1,\"record\\u0049D\":2}", "\"record\\u" },
	{ "{\"recordType\":\"BEGIN\",\"x\":1,\"y\":2,\"x\":3}", "\"x\":3" },
	{ "{\"recordType\":\"BEGIN\",\"x\":1,\"y\":2,\"\\u0078\":3}", "\"\\u0078" },
	{ "{\"recordType\":\"DELETE\",\"beforeImages\":{\"a\":\"1\",\"b\":null,\"a\":null}}",
	  "\"a\":null" },
	{ "{\"recordType\":\"INSERT\",\"afterImages\":{\"a\":1,\"\\u0061\":1}}", "\"\\u0061" },
};

static void refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cdc_err err = CDC_ERR_INIT;
		const char *at = strstr(bad[i].line, bad[i].at);
		struct cdc_record r;

		if (bad[i].at[0] == '\0')
			at = bad[i].line + strlen(bad[i].line);
		if (parse(&r, bad[i].line, &err) != CDC_EDATA)
			fail_msg("accepted: %s", bad[i].line);
		assert_non_null(at);
		if (!err.has_offset || err.offset != (uint64_t)(at - bad[i].line))
			fail_msg("%s: %s at %d", bad[i].line, err.msg, (int)err.offset);
	}
}

static void walk(void **state)
{
	struct cdc_image_iter it;
	struct cdc_image_col col;
	struct cdc_record r;

	(void)state;
	must_parse(&r, "{\"recordType\":\"INSERT\",\"afterImages\":{\"a\":\"x\\ny\",\"b\\\"\":null,"
		       "\"c\":-1.50,\"d\":true,\"\":\"\"}}");
	it = cdc_image_begin(&r, r.after_tok);
	assert_true(cdc_image_next(&it, &col));
	assert_true(cdc_str_eqz(col.name, "a") && !col.name_escaped);
	assert_true(cdc_str_eqz(col.value, "x\\ny"));
	assert_true(col.is_string && col.escaped && !col.is_null);
	assert_true(cdc_str_eqz(cdc_json_source(r.tape, col.value_tok), "\"x\\ny\""));
	assert_true(cdc_image_next(&it, &col));
	assert_true(cdc_str_eqz(col.name, "b\\\"") && col.name_escaped);
	assert_true(col.is_null && !col.is_string && !col.escaped);
	assert_true(cdc_image_next(&it, &col));
	assert_true(cdc_str_eqz(col.value, "-1.50") && !col.is_string && !col.is_null);
	assert_true(cdc_image_next(&it, &col));
	assert_true(cdc_str_eqz(col.value, "true") && !col.is_string && !col.is_null);
	assert_true(cdc_image_next(&it, &col));
	assert_true(col.name.n == 0 && col.value.n == 0 && col.is_string);
	assert_false(cdc_image_next(&it, &col));
	assert_false(cdc_image_next(&it, &col));
	it = cdc_image_begin(&r, r.before_tok);
	assert_false(cdc_image_next(&it, &col));
	must_parse(&r, "{\"recordType\":\"INSERT\",\"afterImages\":{}}");
	it = cdc_image_begin(&r, r.after_tok);
	assert_false(cdc_image_next(&it, &col));
}

static void find(void **state)
{
	static const struct {
		const char *name;
		const char *value; /* NULL: not there */
	} row[] = {
		{ "id", "1" },
		{ "name", "2" },
		{ "caf\xc3\xa9", "3" },
		{ "caf\\u00e9", "3" },
		{ "a\\/b", "4" },
		{ "a/b", "4" },
		{ "\\u0069d", "1" },
		{ "", "5" },
		{ "i", NULL },
		{ "idx", NULL },
		{ "na\\u006de\\u0000", NULL },
		{ "ID", NULL },
		{ "caf\\u00e8", NULL },
		{ "long_name_of_more_than_16_bytes", "6" },
		{ "long_name_of_more_than_16_byteS", NULL },
	};
	struct cdc_image_col col;
	struct cdc_record r;

	(void)state;
	must_parse(&r, "{\"recordType\":\"INSERT\",\"afterImages\":{\"id\":\"1\",\"name\":\"2\","
		       "\"caf\\u00e9\":\"3\",\"a\\/b\":\"4\",\"\":\"5\","
		       "\"long_name_of_more_than_16_bytes\":\"6\"}}");
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		for (uint32_t start = 0; start < 8; start++) {
			uint32_t hint = start;
			bool found = cdc_image_find(&r, r.after_tok, cdc_str_z(row[i].name), &hint,
						    &col);

			assert_int_equal(found, row[i].value != NULL);
			if (found) {
				assert_true(cdc_str_eqz(col.value, row[i].value));
				assert_int_equal(hint, col.value.p[0] - '0');
			} else {
				assert_int_equal(hint, start);
			}
		}
		assert_int_equal(
			cdc_image_find(&r, r.after_tok, cdc_str_z(row[i].name), NULL, &col),
			row[i].value != NULL);
		assert_false(cdc_image_find(&r, r.before_tok, cdc_str_z(row[i].name), NULL, &col));
	}
	must_parse(&r, "{\"recordType\":\"INSERT\",\"afterImages\":{}}");
	assert_false(cdc_image_find(&r, r.after_tok, CDC_STR("id"), NULL, &col));
}

/* Values that are arrays and objects do not hide the columns after them, nor are what is in them
 * columns. */
static void deep(void **state)
{
	static const char *const value[] = { "[1,{\"id\":2}]", "7", "{}", "{\"b\":[[]]}", "8" };
	static const char *const name[] = { "a", "id", "e", "caf\xc3\xa9", "z" };
	struct cdc_image_iter it;
	struct cdc_image_col col;
	struct cdc_record r;

	(void)state;
	must_parse(&r,
		   "{\"recordType\":\"INSERT\",\"afterImages\":{\"a\":[1,{\"id\":2}],\"id\":\"7\","
		   "\"e\":{},\"caf\\u00e9\":{\"b\":[[]]},\"z\":8}}");
	it = cdc_image_begin(&r, r.after_tok);
	for (size_t i = 0; i < 5; i++) {
		uint32_t hint = 0;

		assert_true(cdc_image_next(&it, &col));
		assert_true(cdc_str_eqz(col.value, value[i]));
		assert_int_equal(col.is_string, i == 1);
		assert_true(cdc_image_find(&r, r.after_tok, cdc_str_z(name[i]), &hint, &col));
		assert_true(cdc_str_eqz(col.value, value[i]));
		assert_int_equal(hint, i + 1);
	}
	assert_false(cdc_image_next(&it, &col));
	assert_false(cdc_image_find(&r, r.after_tok, CDC_STR("b"), NULL, &col));
	assert_true(cdc_image_find(&r, r.after_tok, CDC_STR("z"), NULL, &col));
}

/* A table of very many columns: all found, a name twice noticed wherever it is. */
static void wide(void **state)
{
	enum { COLUMNS = 3000 };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_image_col col;
	struct cdc_record r;
	uint32_t hint = 0;
	char *line = malloc(COLUMNS * 64);

	(void)state;
	assert_non_null(line);
	for (unsigned twice = 0; twice < 4; twice++) {
		int n = sprintf(line, "{\"recordType\":\"INSERT\",\"afterImages\":{");

		for (unsigned i = 0; i < COLUMNS; i++)
			n += sprintf(line + n, "\"measurement_%u_celsius\":\"%u\",",
				     twice && i == twice * 900 ? i - 899 : i, i);
		sprintf(line + n - 1, "}}");
		if (twice) {
			assert_int_equal(parse(&r, line, &err), CDC_EDATA);
			continue;
		}
		must_parse(&r, line);
		for (unsigned i = 0; i < COLUMNS; i++) {
			char name[64];

			n = sprintf(name, "measurement_%u_celsius", i);
			assert_true(cdc_image_find(&r, r.after_tok, cdc_str(name, (size_t)n), &hint,
						   &col));
			assert_int_equal(hint, i + 1);
		}
	}
	free(line);
}

static int free_tape(void **state)
{
	(void)state;
	cdc_tape_free(&tape);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_members),
		cmocka_unit_test(any_order),
		cmocka_unit_test(escaped_names),
		cmocka_unit_test(types),
		cmocka_unit_test(control_records),
		cmocka_unit_test(null_members),
		cmocka_unit_test(positions),
		cmocka_unit_test(refusals),
		cmocka_unit_test(walk),
		cmocka_unit_test(find),
		cmocka_unit_test(deep),
		cmocka_unit_test(wide),
	};

	return cmocka_run_group_tests(tests, NULL, free_tape);
}
