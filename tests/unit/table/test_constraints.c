/*
 * What tables demand of their rows: which demands count under which protocol, what breaks them,
 * what fills cells, and what is refused. The expectations were worked out by hand.
 */
#include "table/expr/constraints.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

/* ------------------------------------------------------------------ tables by hand */

#define FIELD(name, type, nullable, metadata)                                                      \
	"{\"name\":\"" name "\",\"type\":" type ",\"nullable\":" nullable                          \
	",\"metadata\":{" metadata "}}"
#define SCHEMA(fields) "{\"type\":\"struct\",\"fields\":[" fields "]}"
#define INT "\"integer\""
#define LONG "\"long\""
#define STRING "\"string\""

#define ID FIELD("id", INT, "false", "")
#define INVARIANT(sql)                                                                             \
	"\"delta.invariants\":\"{\\\"expression\\\":{\\\"expression\\\":\\\"" sql "\\\"}}\""
#define GENERATED(sql) "\"delta.generationExpression\":\"" sql "\""
#define DEFAULT(sql) "\"CURRENT_DEFAULT\":\"" sql "\",\"EXISTS_DEFAULT\":\"9\""
#define IDENTITY(explicit)                                                                         \
	"\"delta.identity.start\":1,\"delta.identity.step\":1,"                                    \
	"\"delta.identity.highWaterMark\":7,\"delta.identity.allowExplicitInsert\":" explicit

static struct cdc_str features[8];

static void init_table(struct cdc_snapshot *s, const char *schema, int writer_version)
{
	struct cdc_err err = CDC_ERR_INIT;

	*s = (struct cdc_snapshot){ .protocol = { .reader_version = 1,
						  .writer_version = writer_version } };
	if (cdc_schema_from_json(&s->schema, cdc_str_z(schema), &err) < 0)
		fail_msg("%s", err.msg);
}

/* A table of writer version 7 with the features, which NULL ends. */
static void init_listed(struct cdc_snapshot *s, const char *schema, const char *const *feature)
{
	init_table(s, schema, 7);
	s->protocol.writer_feature = features;
	for (; *feature; feature++)
		features[s->protocol.num_writer_features++] = cdc_str_z(*feature);
}

static struct cdc_constraints *make(struct cdc_snapshot *s)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_constraints *c;

	if (cdc_constraints_new(&c, s, &err) < 0)
		fail_msg("%s", err.msg);
	cdc_constraints_time(c, INT64_C(1614834367000000)); /* 2021-03-04 05:06:07 */
	return c;
}

static void expect_refusal(struct cdc_snapshot *s, const char *message)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_constraints *c;

	assert_int_equal(cdc_constraints_new(&c, s, &err), CDC_EUNSUPPORTED);
	assert_int_equal(err.code, CDC_EUNSUPPORTED);
	assert_string_equal(err.msg, message);
	assert_null(c);
	cdc_schema_free(&s->schema);
}

/* A row of integers and texts: NULL is null, "?" is not given, "=5" and "=" are kept. */
static uint32_t append(struct cdc_rows *r, const char *const *cell)
{
	struct cdc_err err = CDC_ERR_INIT;
	uint32_t row;

	assert_int_equal(cdc_rows_append(r, CDC_CELL_UNKNOWN, &row, &err), CDC_OK);
	for (int i = 0; i < r->schema->num_fields; i++) {
		bool kept = cell[i] && *cell[i] == '=';
		const char *text = cell[i] && kept ? cell[i] + 1 : cell[i];
		union cdc_value v = { .i = text ? atoi(text) : 0 };

		if (r->schema->field[i].type == CDC_TYPE_STRING)
			v.s = cdc_str_z(text);
		if (text && *text == '?')
			continue;
		if (!text || (kept && !*text)) {
			r->column[i].cell[row] = kept ? CDC_CELL_KEPT_NULL : CDC_CELL_NULL;
			continue;
		}
		assert_int_equal(cdc_rows_set(r, row, i, &v, &err), CDC_OK);
		r->column[i].cell[row] = kept ? CDC_CELL_KEPT_VALUE : CDC_CELL_VALUE;
	}
	return row;
}

/* The cells with a space between them. */
static const char *row_text(const struct cdc_rows *r, uint32_t row, char *out)
{
	char *p = out;

	for (int i = 0; i < r->schema->num_fields; i++) {
		enum cdc_type t = r->schema->field[i].type;
		union cdc_value v = cdc_value_load(t, r->column[i].values, row);

		p += sprintf(p, "%s", i ? " " : "");
		if (r->column[i].cell[row] == CDC_CELL_UNKNOWN)
			p += sprintf(p, "?");
		else if (!cdc_cell_has_value(r->column[i].cell[row]))
			p += sprintf(p, "null");
		else if (t == CDC_TYPE_STRING)
			p += sprintf(p, "%.*s", (int)v.s.n, v.s.p);
		else
			p += sprintf(p, "%lld", (long long)v.i);
	}
	return out;
}

/* Which demand the row breaks; "": none. */
static const char *broken(struct cdc_constraints *c, const struct cdc_rows *r, uint32_t row,
			  char *out, size_t n)
{
	struct cdc_column column[16];
	uint8_t valid[16];
	struct cdc_batch b = { .rows = 1, .num_columns = r->schema->num_fields, .column = column };
	struct cdc_err err = CDC_ERR_INIT;
	uint32_t bad = 99;

	for (int i = 0; i < b.num_columns; i++) {
		valid[i] = cdc_cell_has_value(r->column[i].cell[row]);
		column[i] = (struct cdc_column){ &r->schema->field[i],
						 r->column[i].values + row * r->column[i].size,
						 &valid[i], NULL };
	}
	assert_int_equal(cdc_constraints_check(c, &b, &bad, &err), CDC_OK);
	*out = 0;
	if (bad)
		cdc_constraints_reason(c, bad, out, n);
	return out;
}

/* ------------------------------------------------------------------ conditions */

static struct cdc_kv checks[] = {
	{ CDC_STR_INIT, CDC_STR_INIT },
	{ CDC_STR_INIT, CDC_STR_INIT },
	{ CDC_STR_INIT, CDC_STR_INIT },
};

static void set_checks(struct cdc_snapshot *s)
{
	checks[0] = (struct cdc_kv){ CDC_STR("delta.constraints.positive"), CDC_STR("a > 0") };
	checks[1] = (struct cdc_kv){ CDC_STR("delta.appendOnly"), CDC_STR("false") };
	checks[2] = (struct cdc_kv){ CDC_STR("delta.constraints.sum"), CDC_STR("a + id < 100") };
	s->metadata.config = checks;
	s->metadata.num_config = 3;
}

static void conditions(void **state)
{
	static const struct {
		const char *cell[2];
		const char *broken;
	} x[] = {
		{ { "1", "1" }, "" },
		{ { "1", "0" }, "CHECK constraint positive (a > 0) is not true" },
		{ { "1", NULL }, "CHECK constraint positive (a > 0) is not true" },
		{ { "99", "1" }, "CHECK constraint sum (a + id < 100) is not true" },
		{ { "1", "2147483647" },
		  "CHECK constraint sum (a + id < 100) has no value for this row, as by overflow or a "
		  "division by zero" },
		{ { "-1", "5" }, "the invariant of column id (id >= 0) is not true" },
		/* The first of two. */
		{ { "-1", "0" }, "the invariant of column id (id >= 0) is not true" },
	};
	struct cdc_snapshot s;
	struct cdc_constraints *c;
	struct cdc_rows r;
	struct cdc_err err = CDC_ERR_INIT;
	char reason[300];

	(void)state;
	init_table(&s,
		   SCHEMA(FIELD("id", INT, "false", INVARIANT("id >= 0")) "," FIELD(
			   "a", INT, "true", "\"comment\":\"x\"")),
		   3);
	set_checks(&s);
	c = make(&s);
	assert_true(cdc_constraints_any(c));
	assert_false(cdc_constraints_any_fill(c));
	assert_int_equal(cdc_rows_init(&r, &s.schema, &err), CDC_OK);
	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++)
		assert_string_equal(broken(c, &r, append(&r, x[i].cell), reason, sizeof(reason)),
				    x[i].broken);
	cdc_rows_free(&r);
	cdc_constraints_free(c);
	cdc_schema_free(&s.schema);
}

/* A whole batch at a time: each row has its own verdict. */
static void batches(void **state)
{
	enum { ROWS = 5000 };
	static int32_t id[ROWS];
	static int32_t a[ROWS];
	static uint32_t bad[ROWS];
	struct cdc_column column[2];
	struct cdc_batch b = { .rows = ROWS, .num_columns = 2, .column = column };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot s;
	struct cdc_constraints *c;

	(void)state;
	init_table(&s, SCHEMA(ID "," FIELD("a", INT, "true", "")), 3);
	set_checks(&s);
	c = make(&s);
	for (int i = 0; i < ROWS; i++)
		a[i] = i % 3;
	for (int i = 0; i < 2; i++)
		column[i] = (struct cdc_column){ &s.schema.field[i], i ? a : id, NULL, NULL };
	for (b.rows = 1; b.rows < ROWS; b.rows += 1000) {
		assert_int_equal(cdc_constraints_check(c, &b, bad, &err), CDC_OK);
		for (uint32_t i = 0; i < b.rows; i++)
			assert_int_equal(bad[i], i % 3 == 0);
	}
	cdc_constraints_free(c);
	cdc_schema_free(&s.schema);
}

/* ------------------------------------------------------------------ protocol */

static void expect_demands(struct cdc_snapshot *s, bool check, bool fill)
{
	struct cdc_constraints *c = make(s);

	assert_int_equal(cdc_constraints_any(c), check);
	assert_int_equal(cdc_constraints_any_fill(c), fill);
	cdc_constraints_free(c);
	cdc_schema_free(&s->schema);
}

static void protocol(void **state)
{
	static const char *const none[] = { NULL };
	static const char *const invariants[] = { "appendOnly", "invariants", NULL };
	static const char *const defaults[] = { "allowColumnDefaults", NULL };
	static const char invariant[] = SCHEMA(FIELD("id", INT, "false", INVARIANT("id > 0")));
	static const char generated[] = SCHEMA(ID "," FIELD("g", INT, "true", GENERATED("id + 1")));
	static const char with_default[] = SCHEMA(ID "," FIELD("d", INT, "true", DEFAULT("1")));
	static const char identity[] = SCHEMA(FIELD("i", LONG, "true", IDENTITY("true")));
	struct cdc_snapshot s;

	(void)state;
	init_table(&s, SCHEMA(ID), 6);
	expect_demands(&s, false, false);
	init_table(&s, invariant, 2);
	expect_demands(&s, true, false);
	init_listed(&s, invariant, invariants);
	expect_demands(&s, true, false);
	init_listed(&s, invariant, none);
	expect_demands(&s, false, false);
	init_table(&s, SCHEMA(ID "," FIELD("a", INT, "true", "")), 2);
	set_checks(&s);
	expect_demands(&s, false, false);
	init_table(&s, generated, 3);
	expect_demands(&s, false, false);
	init_table(&s, generated, 4);
	expect_demands(&s, true, true);
	init_table(&s, with_default, 6);
	expect_demands(&s, false, false);
	init_listed(&s, with_default, defaults);
	expect_demands(&s, false, true);
	init_table(&s, identity, 5);
	expect_demands(&s, false, false);
	init_table(&s, identity, 6);
	expect_demands(&s, false, true);
}

/* ------------------------------------------------------------------ filling */

static const char *const fill_features[] = { "generatedColumns", "allowColumnDefaults",
					     "identityColumns", NULL };

/* n is made of i, whatever fills i */
#define FILLED                                                                                                                         \
	SCHEMA(FIELD("k", LONG, "false", IDENTITY("true")) "," FIELD("i", INT, "false", DEFAULT("2 * 3")) "," FIELD(                   \
		"n", INT, "true",                                                                                                      \
		GENERATED(                                                                                                             \
			"i + 1")) "," FIELD("s", STRING, "true",                                                                       \
					    DEFAULT("CAST(current_date() AS STRING)")) "," FIELD("z",                                  \
												 INT,                                  \
												 "true",                               \
												 DEFAULT("NULL")) "," FIELD("g",       \
															    STRING,    \
															    "false",   \
															    GENERATED( \
																    "substring(s, 0, 4)")))

static void fill(void **state)
{
	static const struct {
		const char *cell[6];
		bool has_base;
		const char *row;
	} x[] = {
		/* A new row: nothing given, some given, null given. */
		{ { "1", "?", "?", "?", "?", "?" }, false, "1 6 7 2021-03-04 null 2021" },
		{ { "1", "5", "?", "1999-01", "4", "?" }, false, "1 5 6 1999-01 4 1999" },
		{ { "1", "5", "9", "x", NULL, "y" }, false, "1 5 9 x null y" },
		/* A row with a base: what is kept stays, what is generated is computed again. */
		{ { "=1", "5", "=9", "=abcdef", "=", "=abcd" }, true, "1 5 6 abcdef null abcd" },
		{ { "=1", "=5", "=9", "=abcdef", "=", "xy" }, true, "1 5 6 abcdef null xy" },
	};
	struct cdc_snapshot s;
	struct cdc_constraints *c;
	struct cdc_rows r;
	struct cdc_err err = CDC_ERR_INIT;
	char got[300];

	(void)state;
	init_listed(&s, FILLED, fill_features);
	c = make(&s);
	for (int i = 0; i < 6; i++)
		assert_int_equal(cdc_constraints_fills(c, i), i > 0);
	assert_int_equal(cdc_rows_init(&r, &s.schema, &err), CDC_OK);
	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++) {
		uint32_t row = append(&r, x[i].cell);

		if (cdc_constraints_fill(c, &r, row, x[i].has_base, &err) < 0)
			fail_msg("%s", err.msg);
		assert_string_equal(row_text(&r, row, got), x[i].row);
	}
	cdc_rows_free(&r);
	cdc_constraints_free(c);
	cdc_schema_free(&s.schema);
}

static void rows_that_cannot_be(void **state)
{
	static const struct {
		const char *cell[6];
		const char *message;
	} x[] = {
		{ { "?", "1", "?", "x", "?", "?" },
		  "identity column k has no value, and none are generated here" },
		{ { "1", "2147483647", "?", "x", "?", "?" },
		  "the expression of generated column n (i + 1) has no value for this row" },
		{ { "1", "1", "?", NULL, "?", "?" },
		  "the expression of generated column g (substring(s, 0, 4)) is null, and the column "
		  "is NOT NULL" },
	};
	struct cdc_snapshot s;
	struct cdc_constraints *c;
	struct cdc_rows r;

	(void)state;
	init_listed(&s, FILLED, fill_features);
	c = make(&s);
	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++) {
		struct cdc_err err = CDC_ERR_INIT;

		assert_int_equal(cdc_rows_init(&r, &s.schema, &err), CDC_OK);
		assert_int_equal(cdc_constraints_fill(c, &r, append(&r, x[i].cell), false, &err),
				 CDC_EDATA);
		assert_string_equal(err.msg, x[i].message);
		cdc_rows_free(&r);
	}
	cdc_constraints_free(c);
	cdc_schema_free(&s.schema);
}

static void generated_values(void **state)
{
	static const struct {
		const char *cell[3];
		const char *broken;
	} x[] = {
		{ { "1", "2", "1" }, "" },
		{ { "1", "3", "1" },
		  "the expression of generated column g (id + 1) is not what the row has" },
		{ { "1", NULL, "1" },
		  "the expression of generated column g (id + 1) is not what the row has" },
		{ { "1", "2", NULL },
		  "the expression of generated column t (CAST(id AS STRING)) is not what the row "
		  "has" },
		{ { NULL, NULL, NULL }, "" },
		{ { "2147483647", "1", "2147483647" },
		  "the expression of generated column g (id + 1) has no value for this row, as by "
		  "overflow or a division by zero" },
	};
	struct cdc_snapshot s;
	struct cdc_constraints *c;
	struct cdc_rows r;
	struct cdc_err err = CDC_ERR_INIT;
	char reason[300];

	(void)state;
	init_table(&s,
		   SCHEMA(FIELD("id", INT, "true", "") "," FIELD(
			   "g", INT, "true",
			   GENERATED("id + 1")) "," FIELD("t", STRING, "true",
							  GENERATED("CAST(id AS STRING)"))),
		   4);
	c = make(&s);
	assert_int_equal(cdc_rows_init(&r, &s.schema, &err), CDC_OK);
	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++)
		assert_string_equal(broken(c, &r, append(&r, x[i].cell), reason, sizeof(reason)),
				    x[i].broken);
	cdc_rows_free(&r);
	cdc_constraints_free(c);
	cdc_schema_free(&s.schema);
}

/* ------------------------------------------------------------------ nested fields */

#define STRUCT(field) "{\"type\":\"struct\",\"fields\":[" field "]}"
#define ARRAY(element) "{\"type\":\"array\",\"elementType\":" element ",\"containsNull\":true}"

/* An invariant of a field of a struct is about the whole row. */
static void nested(void **state)
{
	static const int32_t a[] = { 5, 2, 0, 0 };
	static const uint8_t a_valid[] = { 1, 1, 0, 1 };
	static const uint8_t s_valid[] = { 1, 1, 1, 0 };
	uint32_t bad[4];
	struct cdc_column child;
	struct cdc_column column;
	struct cdc_batch b = { .rows = 4, .num_columns = 1, .column = &column };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot s;
	struct cdc_constraints *c;

	(void)state;
	init_table(&s,
		   SCHEMA(FIELD("s", STRUCT(FIELD("a", INT, "true", INVARIANT("s.a > 3"))), "true",
				"")),
		   2);
	c = make(&s);
	child = (struct cdc_column){ &s.schema.field[0].child[0], a, a_valid, NULL };
	column = (struct cdc_column){ &s.schema.field[0], NULL, s_valid, &child };
	assert_int_equal(cdc_constraints_check(c, &b, bad, &err), CDC_OK);
	assert_int_equal(bad[0], 0);
	assert_int_equal(bad[1], 1);
	assert_int_equal(bad[2], 1);
	assert_int_equal(bad[3], 1);
	cdc_constraints_free(c);
	cdc_schema_free(&s.schema);
}

/* ------------------------------------------------------------------ refusals */

static void refused_checks(void **state)
{
	static const struct {
		const char *sql;
		const char *message;
	} x[] = {
		{ "rand() > 0",
		  "CHECK constraint c (rand() > 0) cannot be evaluated: a function, or a "
		  "number of arguments, that is not known here at character 1" },
		{ "id > ", "CHECK constraint c (id > ) cannot be evaluated: a value is missing at "
			   "character 6" },
		{ "q > 1",
		  "CHECK constraint c (q > 1) cannot be evaluated: there is no such column at "
		  "character 1" },
		{ "id + 1", "CHECK constraint c (id + 1) is no condition" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++) {
		struct cdc_kv kv = { CDC_STR("delta.constraints.c"), cdc_str_z(x[i].sql) };
		struct cdc_snapshot s;

		init_table(&s, SCHEMA(ID), 3);
		s.metadata.config = &kv;
		s.metadata.num_config = 1;
		expect_refusal(&s, x[i].message);
	}
}

static void refused_columns(void **state)
{
	static const char *const all[] = { "invariants", "generatedColumns", "allowColumnDefaults",
					   "identityColumns", NULL };
	static const struct {
		const char *schema;
		const char *message;
	} x[] = {
		{ SCHEMA(FIELD("id", LONG, "false", IDENTITY("false"))),
		  "column id is GENERATED ALWAYS AS IDENTITY: it takes no values, and none are "
		  "generated here" },
		{ SCHEMA(FIELD("id", LONG, "false", "\"delta.identity.start\":1")),
		  "column id is GENERATED ALWAYS AS IDENTITY: it takes no values, and none are "
		  "generated here" },
		{ SCHEMA(ID "," FIELD("g", LONG, "true", GENERATED("id + 1"))),
		  "the expression of generated column g (id + 1) is of another type than the column" },
		{ SCHEMA(ID "," FIELD("g", INT, "true", GENERATED("id + 1")) "," FIELD(
			  "h", INT, "true", GENERATED("g + 1"))),
		  "the expression of generated column g (id + 1) is used by a generated column" },
		{ SCHEMA(ID "," FIELD("g", "\"date\"", "true", GENERATED("CAST(now() AS DATE)"))),
		  "the expression of generated column g (CAST(now() AS DATE)) depends on the time" },
		{ SCHEMA(ID "," FIELD("d", STRING, "true", DEFAULT("uuid()"))),
		  "the default of column d (uuid()) cannot be evaluated: a function, or a number of "
		  "arguments, that is not known here at character 1" },
		{ SCHEMA(ID "," FIELD("d", INT, "true", DEFAULT("id"))),
		  "the default of column d (id) uses columns" },
		{ SCHEMA(ID "," FIELD("d", INT, "true", DEFAULT("'x'"))),
		  "the default of column d ('x') cannot be evaluated: a value of another type at "
		  "character 1" },
		{ SCHEMA(FIELD("id", INT, "true", "\"delta.invariants\":\"{}\"")),
		  "column id: delta.invariants {} is not understood" },
		{ SCHEMA(FIELD("id", INT, "true", "\"delta.invariants\":\"id > 0\"")),
		  "column id: delta.invariants id > 0 is not understood" },
		{ SCHEMA(FIELD("id", INT, "true", "\"delta.generationExpression\":1")),
		  "column id: delta.generationExpression is no text" },
		{ SCHEMA(FIELD("s", STRUCT(FIELD("a", INT, "true", GENERATED("1"))), "true", "")),
		  "column a: delta.generationExpression of a nested field" },
		{ SCHEMA(FIELD("s", ARRAY(STRUCT(FIELD("a", INT, "true", INVARIANT("true")))),
			       "true", "")),
		  "column a: delta.invariants of a nested field" },
		{ SCHEMA(FIELD("s", STRUCT(FIELD("a", INT, "true", "")), "true",
			       "") "," FIELD("g", INT, "true", GENERATED("s.a + 1"))),
		  "the expression of generated column g (s.a + 1) uses a field of a struct, which is "
		  "not done here" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++) {
		struct cdc_snapshot s;

		init_listed(&s, x[i].schema, all);
		expect_refusal(&s, x[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions),
		cmocka_unit_test(batches),
		cmocka_unit_test(protocol),
		cmocka_unit_test(fill),
		cmocka_unit_test(rows_that_cannot_be),
		cmocka_unit_test(generated_values),
		cmocka_unit_test(nested),
		cmocka_unit_test(refused_checks),
		cmocka_unit_test(refused_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
