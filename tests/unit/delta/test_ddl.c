/*
 * Proves that the DDL form of schemas gives the fields it says, and that mistakes are refused with
 * their place.
 */
#include "delta/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void gives(const char *ddl, const char *fields)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_buf want = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	if (cdc_schema_from_ddl(&s, cdc_str_z(ddl), &err) < 0)
		fail_msg("%s: %s", ddl, err.msg);
	assert_int_equal(cdc_schema_to_json(&s, &out, &err), 0);
	assert_int_equal(
		cdc_buf_printf(&want, &err, "{\"type\":\"struct\",\"fields\":[%s]}", fields), 0);
	assert_string_equal(cdc_buf_z(&out), cdc_buf_z(&want));
	cdc_buf_free(&want);
	cdc_buf_free(&out);
	cdc_schema_free(&s);
}

static void refused(const char *ddl, const char *hint)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_schema_from_ddl(&s, cdc_str_z(ddl), &err), CDC_EUSAGE);
	if (!strstr(err.msg, hint))
		fail_msg("%s: \"%s\" lacks \"%s\"", ddl, err.msg, hint);
	assert_int_equal(s.num_fields, 0);
}

#define FIELD(name, type)                                                                          \
	"{\"name\":\"" name "\",\"type\":\"" type "\",\"nullable\":true,\"metadata\":{}}"
#define KEY(name, type)                                                                            \
	"{\"name\":\"" name "\",\"type\":\"" type "\",\"nullable\":false,\"metadata\":{}}"

static void columns(void **state)
{
	(void)state;
	gives("id BIGINT NOT NULL, date DATE, name STRING, sales DECIMAL(7,2)",
	      KEY("id", "long") "," FIELD("date", "date") "," FIELD("name", "string") "," FIELD(
		      "sales", "decimal(7,2)"));
	gives("\n\tid\tbigint\n not\n null ,\r\n x int null",
	      KEY("id", "long") "," FIELD("x", "integer"));
	gives("`a``b` INT, `not` int", FIELD("a`b", "integer") "," FIELD("not", "integer"));
	gives("\xe5\x90\x8d string", FIELD("\xe5\x90\x8d", "string"));
	gives("2x string", FIELD("2x", "string"));
	gives("date date, timestamp timestamp",
	      FIELD("date", "date") "," FIELD("timestamp", "timestamp"));
}

static void type_names(void **state)
{
	static const char *const pair[][2] = {
		{ "BOOLEAN", "boolean" },
		{ "bool", "boolean" },
		{ "TINYINT", "byte" },
		{ "byte", "byte" },
		{ "smallint", "short" },
		{ "SHORT", "short" },
		{ "Int", "integer" },
		{ "INTEGER", "integer" },
		{ "bigint", "long" },
		{ "long", "long" },
		{ "float", "float" },
		{ "real", "float" },
		{ "double", "double" },
		{ "double precision", "double" },
		{ "decimal", "decimal(10,0)" },
		{ "dec(5)", "decimal(5,0)" },
		{ "NUMERIC ( 38 , 38 )", "decimal(38,38)" },
		{ "string", "string" },
		{ "text", "string" },
		{ "varchar(20)", "string" },
		{ "char", "string" },
		{ "binary", "binary" },
		{ "date", "date" },
		{ "timestamp", "timestamp" },
		{ "timestamp_ntz", "timestamp_ntz" },
		{ "datetime", "timestamp_ntz" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pair) / sizeof(pair[0]); i++) {
		struct cdc_buf ddl = CDC_BUF_INIT;
		struct cdc_buf want = CDC_BUF_INIT;
		struct cdc_err err = CDC_ERR_INIT;

		assert_int_equal(cdc_buf_printf(&ddl, &err, "c %s", pair[i][0]), 0);
		assert_int_equal(cdc_buf_printf(&want, &err,
						"{\"name\":\"c\",\"type\":\"%s\",\"nullable\":true,"
						"\"metadata\":{}}",
						pair[i][1]),
				 0);
		gives(cdc_buf_z(&ddl), cdc_buf_z(&want));
		cdc_buf_free(&want);
		cdc_buf_free(&ddl);
	}
}

static void comments(void **state)
{
	(void)state;
	gives("id int COMMENT 'it''s \"the\" key' NOT NULL",
	      "{\"name\":\"id\",\"type\":\"integer\",\"nullable\":false,"
	      "\"metadata\":{\"comment\":\"it's \\\"the\\\" key\"}}");
	gives("id int comment 'a\\'b', x int",
	      "{\"name\":\"id\",\"type\":\"integer\",\"nullable\":true,"
	      "\"metadata\":{\"comment\":\"a'b\"}}," FIELD("x", "integer"));
}

static void mistakes(void **state)
{
	(void)state;
	refused("", "column name at the end");
	refused("id", "expected a type at the end");
	refused("id int,", "column name at the end");
	refused("id int x int", "expected \",\" at character 8");
	refused("id blorb", "unknown type at character 4, near \"blorb\"");
	refused("id array<int>", "unknown type at character 4");
	refused("id int not", "expected NULL at the end");
	refused("id decimal(39)", "out of range at character 12");
	refused("id decimal(0)", "precision");
	refused("id decimal(5,6)", "precision");
	refused("id decimal(5", "\")\"");
	refused("id decimal()", "number");
	refused("id decimal(99999999999999999999)", "out of range");
	refused("`id int", "not closed");
	refused("`` int", "not allow");
	refused("id int comment 'x", "not closed");
	refused("id int comment x", "quoted");
	refused("id int, ID long", "twice");
	refused("id int \xff", "UTF-8");
	refused("id int;", "\",\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns),
		cmocka_unit_test(type_names),
		cmocka_unit_test(comments),
		cmocka_unit_test(mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
