/*
 * Proves that columns of any type can be made row by row and lose nothing: JSON by hand gives the
 * text that cdc-snapshot(1) promises, and what does not fit is refused with its path; values of
 * random types, up to four levels deep, go from JSON to a column, to cells, from cells and from
 * rows to other columns, and to a Parquet file and back, and stay the same; and cells and columns
 * are equal exactly where their values are. $CDC_NESTED_ROUNDS sets how many types (default 200),
 * $CDC_NESTED_SEED where they start.
 */
#include "table/nested/nested_build.h"

#include "parquet/parquet.h"
#include "table/datafile/nested_reader.h"
#include "table/print/print.h"
#include "table/nested/shred.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROWS 60

static struct cdc_err err;

#define OK(call)                                                                                   \
	do {                                                                                       \
		if ((call) != CDC_OK)                                                              \
			fail_msg("line %d: %s", __LINE__, err.msg);                                \
	} while (0)

/* ------------------------------------------------------------------ by hand */

/* A column of the type, and one value from JSON. */
static int make(const char *type, const char *json, struct cdc_buf *out)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_buf ddl = CDC_BUF_INIT;
	struct cdc_nested_build *b;
	struct cdc_column c;
	int rc;

	OK(cdc_buf_printf(&ddl, &err, "c %s", type));
	OK(cdc_schema_from_ddl(&s, cdc_buf_str(&ddl), &err));
	OK(cdc_nested_build_new(&b, &s.field[0], &err));
	OK(cdc_json_scan(&tape, cdc_str_z(json), NULL, &err));
	rc = cdc_nested_build_json(b, &tape, 0, &err);
	if (rc == CDC_OK) {
		assert_int_equal(cdc_nested_build_rows(b), 1);
		cdc_nested_build_column(b, &c);
		OK(cdc_print_json_value(&c, 0, out, &err));
	}
	cdc_nested_build_free(b);
	cdc_tape_free(&tape);
	cdc_buf_free(&ddl);
	cdc_schema_free(&s);
	return rc;
}

static void from_json(void **state)
{
	static const struct {
		const char *type;
		const char *json;
		const char *want;
	} row[] = {
		{ "array<int>", "[1,\"2\",null,3.0]", "[1,2,null,3]" },
		{ "array<int>", "[]", "[]" },
		{ "array<int>", "null", "null" },
		{ "array<decimal(7,2)>", "[1,\"-0.5\"]", "[1.00,-0.50]" },
		{ "array<double>", "[\"NaN\",\"-Infinity\",-0.0,1e3]",
		  "[\"NaN\",\"-Infinity\",-0.0,1000.0]" },
		{ "array<string>", "[\"\\u20ac\\n\",5,true,\"\"]",
		  "[\"\xe2\x82\xac\\n\",\"5\",\"true\",\"\"]" },
		{ "array<binary>", "[\"/wAB\"]", "[\"/wAB\"]" },
		{ "array<boolean>", "[true,\"f\",1]", "[true,false,true]" },
		{ "array<timestamp>", "[\"2019-11-14T03:11:05+08:00\"]",
		  "[\"2019-11-13T19:11:05Z\"]" },
		{ "struct<a:date,b:timestamp_ntz>",
		  "{\"b\":\"2019-11-14 03:11:05.5\",\"a\":\"2019-11-14\"}",
		  "{\"a\":\"2019-11-14\",\"b\":\"2019-11-14 03:11:05.5\"}" },
		{ "struct<a:int,B:struct<c:int>>", "{\"b\":{\"C\":1}}",
		  "{\"a\":null,\"B\":{\"c\":1}}" },
		{ "struct<n:void,a:int>", "{\"n\":null}", "{\"n\":null,\"a\":null}" },
		{ "map<string,int>", "{\"x\":1,\"x\":2,\"\":null}", "{\"x\":1,\"x\":2,\"\":null}" },
		{ "map<string,int>", "[[\"x\",1]]", "{\"x\":1}" },
		{ "map<int,array<int>>", "{\"7\":[1],\"8\":null}", "[[7,[1]],[8,null]]" },
		{ "map<array<int>,boolean>", "[[[1,2],true],[[],false]]",
		  "[[[1,2],true],[[],false]]" },
		{ "array<struct<a:array<int>>>", "[{\"a\":[]},{\"a\":null},{},null]",
		  "[{\"a\":[]},{\"a\":null},{\"a\":null},null]" },
		{ "variant", "{\"b\":1.50,\"a\":[null,\"x\"]}", "{\"a\":[null,\"x\"],\"b\":1.50}" },
		{ "variant", "null", "null" },
		{ "map<string,variant>", "{\"k\":{\"z\":[]},\"l\":null}",
		  "{\"k\":{\"z\":[]},\"l\":null}" },
		{ "struct<v:variant,a:array<variant>>", "{\"v\":7,\"a\":[\"x\",{}]}",
		  "{\"v\":7,\"a\":[\"x\",{}]}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct cdc_buf out = CDC_BUF_INIT;

		OK(make(row[i].type, row[i].json, &out));
		assert_string_equal(cdc_buf_z(&out), row[i].want);
		cdc_buf_free(&out);
	}
}

static void misfits(void **state)
{
	static const struct {
		const char *type;
		const char *json;
		const char *why;
	} row[] = {
		{ "array<int>", "{}", "column \"c\": the value is no array" },
		{ "array<int>", "\"[1]\"", "column \"c\": the value is no array" },
		{ "array<int>", "[[1]]", "column \"c[0]\": the value is no integer" },
		{ "array<short>", "[1,32768]",
		  "column \"c[1]\": \"32768\" is out of range for type short" },
		{ "array<date>", "[\"2019-02-30\"]",
		  "column \"c[0]\": \"2019-02-30\" is out of range for type date" },
		{ "struct<a:struct<b:decimal(3,1)>>", "{\"a\":{\"b\":1.25}}",
		  "column \"c.a.b\": \"1.25\" is too precise for type decimal(3,1)" },
		{ "struct<a:int>", "{\"a\":1,\"x\":2}", "column \"c\": it has no field x" },
		{ "struct<a:int>", "{\"a\":1,\"A\":2}", "column \"c\": it has twice the field A" },
		{ "struct<a:int not null>", "{}",
		  "column \"c.a\": it is NOT NULL and the value is null or missing" },
		{ "map<string,struct<a:int not null>>", "{\"k\":{\"a\":null}}",
		  "column \"c[0].a\": it is NOT NULL and the value is null or missing" },
		{ "map<int,int>", "[[1,2],[3]]", "column \"c[1]\": an entry of a map is no pair" },
		{ "map<int,int>", "[[null,2]]",
		  "column \"c[0].key\": it is NOT NULL and the value is null or missing" },
		{ "map<int,int>", "{\"x\":2}",
		  "column \"c[0].key\": \"x\" is malformed for type integer" },
		{ "map<int,int>", "7", "column \"c\": the value is no map" },
		{ "struct<n:void>", "{\"n\":1}", "column \"c.n\": the value is no void" },
		{ "array<variant>", "[{\"a\":1,\"a\":2}]",
		  "column \"c[0]\": an object has two members of one name" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct cdc_buf out = CDC_BUF_INIT;

		err = (struct cdc_err)CDC_ERR_INIT;
		assert_int_equal(make(row[i].type, row[i].json, &out), CDC_EDATA);
		assert_string_equal(err.msg, row[i].why);
		cdc_buf_free(&out);
	}
}

/* ------------------------------------------------------------------ random */

static uint64_t seed;

static uint32_t below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 20) % n;
}

static void put(struct cdc_buf *b, const char *text)
{
	OK(cdc_buf_puts(b, text, &err));
}

static const char *const flat_type[] = { "boolean", "byte",	 "short",	  "int",
					 "bigint",  "float",	 "double",	  "decimal(9,2)",
					 "string",  "binary",	 "decimal(18,0)", "decimal(38,10)",
					 "date",    "timestamp", "timestamp_ntz", "variant" };
/* What values of them print. */
static const char *const flat_value[][3] = {
	{ "true", "false", "true" },
	{ "-128", "0", "127" },
	{ "-32768", "0", "32767" },
	{ "-2147483648", "7", "2147483647" },
	{ "-9223372036854775808", "0", "9223372036854775807" },
	{ "\"NaN\"", "-0.0", "3.4028235E38" },
	{ "\"-Infinity\"", "0.1", "-0.0" },
	{ "-9999999.99", "0.00", "0.10" },
	{ "\"\"", "\"\xe2\x82\xac\\\"\\n\"", "\"null\"" },
	{ "\"\"", "\"/wAB\"", "\"AA==\"" },
	{ "-999999999999999999", "0", "5" },
	{ "-9999999999999999999999999999.9999999999", "0.0000000000", "1.5000000000" },
	{ "\"0001-01-01\"", "\"1970-01-01\"", "\"9999-12-31\"" },
	{ "\"1969-12-31T23:59:59.999999Z\"", "\"2019-11-14T03:11:05Z\"",
	  "\"1970-01-01T00:00:00Z\"" },
	{ "\"1969-12-31 23:59:59.999999\"", "\"2019-11-14 03:11:05.1\"",
	  "\"1970-01-01 00:00:00\"" },
	{ "{\"a\":[1,{}],\"b\":\"\"}", "1.50", "[1.0E100,\"x\",null,-1]" },
};
#define FLAT_TYPES (sizeof(flat_type) / sizeof(flat_type[0]))

static void random_type(struct cdc_buf *ddl, int depth)
{
	uint32_t kind = depth ? below(5) : 0;

	if (kind < 2) {
		put(ddl, flat_type[below(FLAT_TYPES)]);
	} else if (kind == 2) {
		put(ddl, "array<");
		random_type(ddl, depth - 1);
		put(ddl, ">");
	} else if (kind == 3) {
		put(ddl, "map<");
		random_type(ddl, 0);
		put(ddl, ",");
		random_type(ddl, depth - 1);
		put(ddl, ">");
	} else {
		uint32_t n = 1 + below(4);

		put(ddl, "struct<");
		for (uint32_t i = 0; i < n; i++) {
			OK(cdc_buf_printf(ddl, &err, "%sf%u:", i ? "," : "", (unsigned)i));
			random_type(ddl, depth - 1);
			put(ddl, below(4) ? "" : " not null");
		}
		put(ddl, ">");
	}
}

static const char *value_of(const struct cdc_field *f)
{
	size_t i;

	for (i = 0; i < FLAT_TYPES; i++) {
		struct cdc_schema s = CDC_SCHEMA_INIT;
		char text[64];

		snprintf(text, sizeof(text), "c %s", flat_type[i]);
		OK(cdc_schema_from_ddl(&s, cdc_str_z(text), &err));
		if (s.field[0].type == f->type && s.field[0].precision == f->precision &&
		    s.field[0].scale == f->scale) {
			cdc_schema_free(&s);
			break;
		}
		cdc_schema_free(&s);
	}
	assert_true(i < FLAT_TYPES);
	return flat_value[i][below(3)];
}

/* The text of a random value, as it prints. */
static void random_value(const struct cdc_field *f, struct cdc_buf *json)
{
	uint32_t n = below(4) ? below(4) : 0;

	if (f->nullable && !below(4)) {
		put(json, "null");
	} else if (f->type == CDC_TYPE_ARRAY) {
		put(json, "[");
		for (uint32_t i = 0; i < n; i++) {
			put(json, i ? "," : "");
			random_value(&f->child[0], json);
		}
		put(json, "]");
	} else if (f->type == CDC_TYPE_MAP) {
		bool object = f->child[0].type == CDC_TYPE_STRING;

		put(json, object ? "{" : "[");
		for (uint32_t i = 0; i < n; i++) {
			put(json, i ? "," : "");
			put(json, object ? "" : "[");
			random_value(&f->child[0], json);
			put(json, object ? ":" : ",");
			random_value(&f->child[1], json);
			put(json, object ? "" : "]");
		}
		put(json, object ? "}" : "]");
	} else if (f->type == CDC_TYPE_STRUCT) {
		for (int i = 0; i < f->num_children; i++) {
			OK(cdc_buf_printf(json, &err, "%s\"f%d\":", i ? "," : "{", i));
			random_value(&f->child[i], json);
		}
		put(json, "}");
	} else {
		put(json, value_of(f));
	}
}

struct made {
	struct cdc_schema schema; /* one column, c */
	struct cdc_buf text[ROWS]; /* what the rows print */
	struct cdc_buf cell[ROWS]; /* empty: null */
	struct cdc_tape tape;
	struct cdc_nested_build *b;
	struct cdc_column c;
};

static void prints(const struct made *m, const struct cdc_column *c, const char *what)
{
	struct cdc_buf out = CDC_BUF_INIT;

	for (uint32_t i = 0; i < ROWS; i++) {
		cdc_buf_reset(&out);
		OK(cdc_print_json_value(c, i, &out, &err));
		if (!cdc_str_eq(cdc_buf_str(&out), cdc_buf_str(&m->text[i])))
			fail_msg("%s, row %u: %s, not %.*s", what, (unsigned)i, cdc_buf_z(&out),
				 (int)m->text[i].len, m->text[i].p);
	}
	cdc_buf_free(&out);
}

static void make_random(struct made *m)
{
	struct cdc_buf ddl = CDC_BUF_INIT;

	*m = (struct made){ .schema = CDC_SCHEMA_INIT };
	put(&ddl, "c ");
	random_type(&ddl, 4);
	OK(cdc_schema_from_ddl(&m->schema, cdc_buf_str(&ddl), &err));
	OK(cdc_nested_build_new(&m->b, &m->schema.field[0], &err));
	for (uint32_t i = 0; i < ROWS; i++) {
		random_value(&m->schema.field[0], &m->text[i]);
		OK(cdc_json_scan(&m->tape, cdc_buf_str(&m->text[i]), NULL, &err));
		if (m->tape.tok[0].type == CDC_JSON_NULL)
			OK(cdc_nested_build_null(m->b, &err));
		else
			OK(cdc_nested_build_json(m->b, &m->tape, 0, &err));
	}
	cdc_nested_build_column(m->b, &m->c);
	prints(m, &m->c, cdc_buf_z(&ddl));
	cdc_buf_free(&ddl);
}

static void free_made(struct made *m)
{
	for (size_t i = 0; i < ROWS; i++) {
		cdc_buf_free(&m->text[i]);
		cdc_buf_free(&m->cell[i]);
	}
	cdc_tape_free(&m->tape);
	cdc_nested_build_free(m->b);
	cdc_schema_free(&m->schema);
}

/* To cells and from them; the same rows from the column, last first and then right. */
static void through_cells(struct made *m)
{
	struct cdc_nested_build *b, *turned;
	struct cdc_column c, back;

	OK(cdc_nested_build_new(&b, &m->schema.field[0], &err));
	OK(cdc_nested_build_new(&turned, &m->schema.field[0], &err));
	for (uint32_t i = 0; i < ROWS; i++) {
		if (cdc_column_is_null(&m->c, i)) {
			OK(cdc_nested_build_null(b, &err));
			continue;
		}
		OK(cdc_nested_serialize(&m->c, i, &m->cell[i], &err));
		OK(cdc_nested_build_cell(b, cdc_buf_str(&m->cell[i]), &err));
	}
	cdc_nested_build_column(b, &c);
	prints(m, &c, "cells");
	for (uint32_t i = ROWS; i-- > 0;)
		OK(cdc_nested_build_row(turned, &c, i, &err));
	cdc_nested_build_column(turned, &back);
	cdc_nested_build_reset(b);
	/* b borrows strings that live in m's cells alone. */
	for (uint32_t i = ROWS; i-- > 0;)
		OK(cdc_nested_build_row(b, &back, i, &err));
	cdc_nested_build_column(b, &c);
	prints(m, &c, "rows");
	cdc_nested_build_free(b);
	cdc_nested_build_free(turned);
}

/* A cell that is cut off anywhere is noticed. */
static void cut_cells(struct made *m)
{
	struct cdc_nested_build *b;

	OK(cdc_nested_build_new(&b, &m->schema.field[0], &err));
	for (size_t n = 0; n < m->cell[0].len; n++) {
		cdc_nested_build_reset(b);
		assert_int_equal(cdc_nested_build_cell(b, cdc_str(m->cell[0].p, n), &err),
				 CDC_EINTERNAL);
	}
	cdc_nested_build_free(b);
}

/* Rows are equal if their texts are: no two values of one type here have one text. */
static void comparisons(struct made *m)
{
	for (uint32_t i = 0; i < ROWS; i++) {
		for (uint32_t k = i; k < ROWS; k++) {
			bool same = cdc_str_eq(cdc_buf_str(&m->text[i]), cdc_buf_str(&m->text[k]));
			bool null = cdc_column_is_null(&m->c, i) || cdc_column_is_null(&m->c, k);
			bool equal = !same;

			OK(cdc_column_equal(&m->c, i, &m->c, k, &equal, &err));
			assert_int_equal(equal, same);
			if (!null)
				assert_int_equal(cdc_str_eq(cdc_buf_str(&m->cell[i]),
							    cdc_buf_str(&m->cell[k])),
						 same);
		}
	}
}

static void write_file(const struct made *m, const char *path)
{
	struct cdc_pq_summary summary = { .num_leaves = 0 };
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_pq_write_options opt;
	struct cdc_column column = m->c;
	const struct cdc_batch batch = { .rows = ROWS, .num_columns = 1, .column = &column };
	struct cdc_pq_schema file;
	struct cdc_pq_writer *w;
	struct cdc_shredder *s;
	struct cdc_pq_vec *vec;
	int fd = open(path, O_RDWR | O_TRUNC);

	assert_true(fd >= 0);
	OK(cdc_schema_to_parquet(&m->schema, &file, &arena, &err));
	OK(cdc_shredder_new(&s, &m->schema, &file, &err));
	vec = calloc((size_t)file.num_leaves + 1, sizeof(*vec));
	assert_non_null(vec);
	cdc_pq_write_options_init(&opt);
	opt.page_rows = 7;
	OK(cdc_pq_writer_new(&w, &cdc_io_posix, fd, &file, &opt, &err));
	OK(cdc_shredder_rows(s, &batch, vec, &err));
	OK(cdc_pq_writer_write(w, vec, ROWS, &err));
	OK(cdc_pq_writer_finish(w, &summary, &err));
	cdc_pq_writer_free(w);
	cdc_pq_summary_free(&summary);
	cdc_shredder_free(s);
	free(vec);
	cdc_arena_free(&arena);
	assert_int_equal(close(fd), 0);
}

/* Ids for the fields that have names; `lost`: and no name that a file has. */
static void set_ids(struct cdc_field *f, int n, int32_t *id, bool lost)
{
	for (int i = 0; i < n; i++) {
		f[i].has_field_id = true;
		f[i].field_id = (*id)++;
		if (lost)
			f[i].physical_name = CDC_STR("lost");
		set_ids(f[i].child, f[i].num_children, id, lost);
	}
}

static void same_rows(const struct made *m, struct cdc_pq_file *f, bool by_id)
{
	struct cdc_nested_reader *r;
	struct cdc_column c;

	OK(cdc_nested_reader_new(&r, f, &m->schema.field[0], 1, by_id, &err));
	OK(cdc_nested_reader_open(r, 0, &err));
	OK(cdc_nested_reader_next(r, ROWS, &c, &err));
	prints(m, &c, by_id ? "file by id" : "file by name");
	for (uint32_t i = 0; i < ROWS; i++) {
		bool equal = false;

		OK(cdc_column_equal(&m->c, i, &c, i, &equal, &err));
		assert_true(equal);
	}
	cdc_nested_reader_free(r);
}

/* Through a file: the reader is the counterpart of the writer, by names and by field ids. */
static void through_file(struct made *m)
{
	char path[] = "/tmp/test_nested_build.XXXXXX";
	struct cdc_pq_file *f;
	int fd = mkstemp(path);
	int32_t id = 1;

	assert_true(fd >= 0 && close(fd) == 0);
	set_ids(m->schema.field, 1, &id, false);
	write_file(m, path);
	OK(cdc_pq_open(&f, &cdc_io_posix, path, 0, &err));
	same_rows(m, f, false);
	id = 1;
	set_ids(m->schema.field, 1, &id, true);
	same_rows(m, f, true);
	cdc_pq_close(f);
	assert_int_equal(unlink(path), 0);
}

static void round_trips(void **state)
{
	const char *rounds = getenv("CDC_NESTED_ROUNDS");
	const char *start = getenv("CDC_NESTED_SEED");
	int n = rounds ? atoi(rounds) : 200;

	(void)state;
	for (int i = 0; i < n; i++) {
		struct made m;

		seed = ((start ? (uint64_t)strtoull(start, NULL, 10) : 1) + (uint64_t)i) *
		       UINT64_C(0x9e3779b97f4a7c15);
		make_random(&m);
		through_cells(&m);
		cut_cells(&m);
		comparisons(&m);
		through_file(&m);
		free_made(&m);
	}
}

/* ------------------------------------------------------------------ numbers that compare oddly */

static void odd_numbers(void **state)
{
	static const struct cdc_field field = { .name = CDC_STR("d"), .type = CDC_TYPE_DOUBLE };
	const double v[] = { NAN, -NAN, 0.0, -0.0 };
	const struct cdc_column c = { .field = &field, .values = v };
	struct cdc_buf cell[4] = { CDC_BUF_INIT, CDC_BUF_INIT, CDC_BUF_INIT, CDC_BUF_INIT };
	bool equal;

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		OK(cdc_nested_serialize(&c, i, &cell[i], &err));
	assert_true(cdc_str_eq(cdc_buf_str(&cell[0]), cdc_buf_str(&cell[1])));
	assert_false(cdc_str_eq(cdc_buf_str(&cell[2]), cdc_buf_str(&cell[3])));
	OK(cdc_column_equal(&c, 0, &c, 1, &equal, &err));
	assert_true(equal);
	OK(cdc_column_equal(&c, 2, &c, 3, &equal, &err));
	assert_false(equal);
	for (uint32_t i = 0; i < 4; i++)
		cdc_buf_free(&cell[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_json),
		cmocka_unit_test(misfits),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(odd_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
