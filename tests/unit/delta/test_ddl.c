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

static void nested(void **state)
{
	(void)state;
	gives("a array<array<int>>, b MAP < string , decimal(7,2) > not null",
	      "{\"name\":\"a\",\"type\":{\"type\":\"array\",\"elementType\":{\"type\":\"array\","
	      "\"elementType\":\"integer\",\"containsNull\":true},\"containsNull\":true},"
	      "\"nullable\":true,\"metadata\":{}},{\"name\":\"b\",\"type\":{\"type\":\"map\","
	      "\"keyType\":\"string\",\"valueType\":\"decimal(7,2)\",\"valueContainsNull\":true},"
	      "\"nullable\":false,\"metadata\":{}}");
	gives("s struct<x: bigint not null comment 'it''s', `y``z` struct<v:variant,n:void>> "
	      "comment 'c'",
	      "{\"name\":\"s\",\"type\":{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",\"type\":"
	      "\"long\",\"nullable\":false,\"metadata\":{\"comment\":\"it's\"}},{\"name\":\"y`z\","
	      "\"type\":{\"type\":\"struct\",\"fields\":[" FIELD("v", "variant") "," FIELD(
		      "n", "void") "]},\"nullable\":true,\"metadata\":{}}]},\"nullable\":true,"
				   "\"metadata\":{\"comment\":\"c\"}}");
}

/* 64 types inside each other are the most. */
static void deep(void **state)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	char ddl[2 + 65 * 7 + 65 + 1] = "a ";

	(void)state;
	for (int levels = 64; levels <= 65; levels++) {
		size_t n = 2;

		for (int i = 0; i < levels; i++, n += 6)
			memcpy(ddl + n, "array<", 6);
		memcpy(ddl + n, "int", 3);
		memset(ddl + n + 3, '>', (size_t)levels);
		ddl[n + 3 + (size_t)levels] = 0;
		assert_int_equal(cdc_schema_from_ddl(&s, cdc_str_z(ddl), &err),
				 levels == 64 ? CDC_OK : CDC_EUSAGE);
		if (levels == 64)
			cdc_schema_free(&s);
	}
	assert_non_null(strstr(err.msg, "too deep"));
}

/* The type of a field as DDL, which gives the same type again. */
static void printed(void **state)
{
	static const char *const type[] = {
		"array<decimal(38,10)>",
		"map<string,struct<`a``b`:array<variant> not null,`c`:timestamp_ntz>>",
		"byte",
		"struct<`e`:map<date,binary>>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(type) / sizeof(type[0]); i++) {
		struct cdc_schema s = CDC_SCHEMA_INIT;
		struct cdc_buf ddl = CDC_BUF_INIT;
		struct cdc_buf out = CDC_BUF_INIT;
		struct cdc_err err = CDC_ERR_INIT;

		assert_int_equal(cdc_buf_printf(&ddl, &err, "x %s", type[i]), 0);
		assert_int_equal(cdc_schema_from_ddl(&s, cdc_buf_str(&ddl), &err), 0);
		assert_int_equal(cdc_type_to_ddl(&s.field[0], &out, &err), 0);
		assert_string_equal(cdc_buf_z(&out), type[i]);
		cdc_buf_free(&out);
		cdc_buf_free(&ddl);
		cdc_schema_free(&s);
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
	refused("id array", "expected \"<\" at the end");
	refused("id array<int", "expected \">\" at the end");
	refused("id array<>", "expected a type at character 10");
	refused("id array<int,int>", "expected \">\" at character 13");
	refused("id map<int>", "expected \",\" at character 11");
	refused("id struct<>", "expected a column name at character 11");
	refused("id struct<a:int,A:int>", "\"A\" is there twice");
	refused("id struct<a:int b>", "expected \">\" at character 17");
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
		cmocka_unit_test(columns),  cmocka_unit_test(type_names),
		cmocka_unit_test(nested),   cmocka_unit_test(deep),
		cmocka_unit_test(printed),  cmocka_unit_test(comments),
		cmocka_unit_test(mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
