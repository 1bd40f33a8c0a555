/*
 * Proves what changes of a schema leave and what they write: metadata of fields, column mapping at
 * any depth, and the widenings that the Delta protocol lists ("Type Widening").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "delta/schema.h"
#include "io/io.h"

#define FIELD(name, type, meta)                                                                    \
	"{\"name\":\"" name "\",\"type\":" type ",\"nullable\":true,\"metadata\":{" meta "}}"
#define STRUCT(fields) "{\"type\":\"struct\",\"fields\":[" fields "]}"
#define ID(n, name)                                                                                \
	"\"delta.columnMapping.id\":" #n ",\"delta.columnMapping.physicalName\":\"" name "\""

static void load(struct cdc_schema *s, const char *json)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (cdc_schema_from_json(s, cdc_str_z(json), &err))
		fail_msg("%s: %s", json, err.msg);
}

static void expect_json(const struct cdc_schema *s, const char *json)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf out = CDC_BUF_INIT;

	assert_int_equal(cdc_schema_to_json(s, &out, &err), 0);
	assert_non_null(cdc_buf_z(&out));
	assert_string_equal(out.p, json);
	cdc_buf_free(&out);
}

static void test_metadata(void **state)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	load(&s,
	     STRUCT(FIELD("a", "\"long\"", "\"x\" : [1, 2], \"k\":1.50,\"comment\":\"\\u0041\"")));
	assert_int_equal(cdc_field_set_metadata(&s, &s.field[0], "k", CDC_STR("true"), &err), 0);
	expect_json(&s, STRUCT(FIELD("a", "\"long\"",
				     "\"x\":[1, 2],\"comment\":\"\\u0041\",\"k\":true")));
	cdc_schema_free(&s);
}

/* Names are kept where files are there already; ids go on from the highest of table and schema. */
static void test_map_keeps_names(void **state)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	int64_t max = 7;

	(void)state;
	load(&s, STRUCT(FIELD("a", "\"long\"", "") "," FIELD(
			 "s", STRUCT(FIELD("x", "\"date\"", "\"comment\":\"c\"")),
			 "") "," FIELD("m",
				       "{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":"
				       "{\"type\":\"array\",\"elementType\":" STRUCT(FIELD(
					       "y", "\"long\"", "")) ",\"containsNull\":false},"
								     "\"valueContainsNull\":true}",
				       "")));
	assert_int_equal(cdc_schema_map(&s, &cdc_io_posix, false, &max, &err), 0);
	assert_int_equal(max, 12);
	expect_json(
		&s,
		STRUCT(FIELD("a", "\"long\"", ID(8, "a")) "," FIELD(
			"s", STRUCT(FIELD("x", "\"date\"", "\"comment\":\"c\"," ID(10, "x"))),
			ID(9,
			   "s")) "," FIELD("m",
					   "{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":"
					   "{\"type\":\"array\",\"elementType\":" STRUCT(FIELD(
						   "y", "\"long\"",
						   ID(12,
						      "y"))) ",\"containsNull\":"
							     "false},\"valueContainsNull\":true}",
					   ID(11, "m"))));
	cdc_schema_free(&s);
}

/* A new column gets a name of its own; those that are mapped stay as they are. */
static void test_map_new_names(void **state)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	char want[512];
	int64_t max = 2;

	(void)state;
	load(&s, STRUCT(FIELD("a", "\"long\"", ID(4, "col-a")) "," FIELD("b c", "\"long\"", "")));
	assert_int_equal(cdc_schema_map(&s, &cdc_io_posix, true, &max, &err), 0);
	assert_int_equal(max, 5);
	assert_int_equal(s.field[1].physical_name.n, 4 + 36);
	assert_memory_equal(s.field[1].physical_name.p, "col-", 4);
	snprintf(want, sizeof(want),
		 "{\"delta.columnMapping.id\":5,"
		 "\"delta.columnMapping.physicalName\":\"%.40s\"}",
		 s.field[1].physical_name.p);
	assert_true(cdc_str_eqz(s.field[1].metadata, want));
	assert_true(cdc_str_eqz(s.field[0].metadata, "{" ID(4, "col-a") "}"));
	cdc_schema_free(&s);
}

static void test_no_ids_or_names(void **state)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	int64_t max = INT32_MAX;

	(void)state;
	load(&s, STRUCT(FIELD("a", "\"long\"", "")));
	assert_int_equal(cdc_schema_map(&s, &cdc_io_posix, true, &max, &err), CDC_EUNSUPPORTED);
	cdc_schema_free(&s);
	load(&s, STRUCT(FIELD("", "\"long\"", "")));
	max = 0;
	assert_int_equal(cdc_schema_map(&s, &cdc_io_posix, false, &max, &err), CDC_EUNSUPPORTED);
	cdc_schema_free(&s);
}

static bool widens(const char *from, const char *to)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	char json[256];
	bool yes;

	snprintf(json, sizeof(json), STRUCT(FIELD("a", "\"%s\"", "") "," FIELD("b", "\"%s\"", "")),
		 from, to);
	load(&s, json);
	yes = cdc_type_widens(&s.field[0], &s.field[1]);
	cdc_schema_free(&s);
	return yes;
}

static void test_widenings(void **state)
{
	static const char *const yes[][2] = {
		{ "byte", "short" },
		{ "byte", "long" },
		{ "short", "integer" },
		{ "integer", "long" },
		{ "integer", "double" },
		{ "byte", "double" },
		{ "float", "double" },
		{ "date", "timestamp_ntz" },
		{ "decimal(7,2)", "decimal(8,2)" },
		{ "decimal(7,2)", "decimal(9,4)" },
		{ "byte", "decimal(10,0)" },
		{ "integer", "decimal(12,2)" },
		{ "long", "decimal(20,0)" },
		{ "long", "decimal(38,18)" },
	};
	static const char *const no[][2] = {
		{ "long", "integer" },
		{ "long", "long" },
		{ "long", "double" },
		{ "integer", "float" },
		{ "double", "float" },
		{ "date", "timestamp" },
		{ "timestamp_ntz", "date" },
		{ "string", "integer" },
		{ "integer", "string" },
		{ "decimal(7,2)", "decimal(7,2)" },
		{ "decimal(7,2)", "decimal(6,2)" },
		{ "decimal(7,2)", "decimal(8,4)" },
		{ "decimal(7,2)", "decimal(9,1)" },
		{ "integer", "decimal(9,0)" },
		{ "integer", "decimal(11,2)" },
		{ "long", "decimal(19,0)" },
		{ "float", "decimal(38,10)" },
		{ "boolean", "integer" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!widens(yes[i][0], yes[i][1]))
			fail_msg("%s does not widen to %s", yes[i][0], yes[i][1]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (widens(no[i][0], no[i][1]))
			fail_msg("%s widens to %s", no[i][0], no[i][1]);
}

/* Each step is noted after those before it. */
static void test_widen(void **state)
{
	struct cdc_field wide = { .type = CDC_TYPE_LONG };
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	load(&s, STRUCT(FIELD("a", "\"short\"", "\"delta.typeChanges\":[]")));
	assert_int_equal(cdc_field_widen(&s, &s.field[0], &wide, &err), 0);
	wide = (struct cdc_field){ .type = CDC_TYPE_DECIMAL, .precision = 22, .scale = 2 };
	assert_int_equal(cdc_field_widen(&s, &s.field[0], &wide, &err), 0);
	expect_json(&s, STRUCT(FIELD("a", "\"decimal(22,2)\"",
				     "\"delta.typeChanges\":[{\"fromType\":\"short\",\"toType\":"
				     "\"long\"},{\"fromType\":\"long\",\"toType\":\"decimal(22,2)\""
				     "}]")));
	cdc_schema_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metadata),      cmocka_unit_test(test_map_keeps_names),
		cmocka_unit_test(test_map_new_names), cmocka_unit_test(test_no_ids_or_names),
		cmocka_unit_test(test_widenings),     cmocka_unit_test(test_widen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
