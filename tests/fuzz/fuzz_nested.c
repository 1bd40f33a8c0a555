/*
 * JSON of anyone as values of nested columns and variants: what is accepted prints as JSON that is
 * accepted too and prints the same, goes through a cell and stays the same, and can be cut into the
 * leaves of a file.
 *
 * Input: a type in the DDL form, a line feed, a JSON text.
 */
#include "table/nested/nested_build.h"
#include "table/print/print.h"
#include "table/nested/shred.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* The value of the text, and how it prints. */
static int make(struct cdc_nested_build *b, struct cdc_str json, struct cdc_column *c,
		struct cdc_buf *out, struct cdc_err *err)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	int rc = cdc_json_scan(&tape, json, NULL, err);

	if (rc == CDC_OK)
		rc = cdc_nested_build_json(b, &tape, 0, err);
	cdc_tape_free(&tape);
	if (rc < 0)
		return rc;
	check(cdc_nested_build_rows(b) == 1);
	cdc_nested_build_column(b, c);
	check(cdc_print_json_value(c, 0, out, err) == CDC_OK);
	return CDC_OK;
}

static void through_cell(const struct cdc_field *f, const struct cdc_column *c,
			 const struct cdc_buf *text)
{
	struct cdc_nested_build *b;
	struct cdc_buf cell = CDC_BUF_INIT;
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_column back;
	bool equal = false;

	check(cdc_nested_build_new(&b, f, &err) == CDC_OK);
	check(cdc_nested_serialize(c, 0, &cell, &err) == CDC_OK);
	check(cdc_nested_build_cell(b, cdc_buf_str(&cell), &err) == CDC_OK);
	cdc_nested_build_column(b, &back);
	check(cdc_print_json_value(&back, 0, &out, &err) == CDC_OK);
	check(cdc_str_eq(cdc_buf_str(&out), cdc_buf_str(text)));
	check(cdc_column_equal(c, 0, &back, 0, &equal, &err) == CDC_OK && equal);
	cdc_nested_build_free(b);
	cdc_buf_free(&cell);
	cdc_buf_free(&out);
}

/* A type that no file can have is all that may go wrong. */
static void shred(const struct cdc_schema *s, struct cdc_column *c)
{
	const struct cdc_batch batch = { .rows = 1, .num_columns = 1, .column = c };
	struct cdc_shredder *shredder = NULL;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_schema file;
	struct cdc_pq_vec *vec;

	if (cdc_schema_to_parquet(s, &file, &arena, &err) == CDC_OK) {
		vec = cdc_arena_calloc(&arena, (size_t)file.num_leaves + 1, sizeof(*vec));
		check(vec && cdc_shredder_new(&shredder, s, &file, &err) == CDC_OK);
		check(cdc_shredder_rows(shredder, &batch, vec, &err) == CDC_OK);
		cdc_shredder_free(shredder);
	}
	cdc_arena_free(&arena);
}

static void try_value(const struct cdc_schema *s, struct cdc_str json)
{
	struct cdc_nested_build *first, *second;
	struct cdc_buf text = CDC_BUF_INIT;
	struct cdc_buf again = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_column c, same;

	check(cdc_nested_build_new(&first, &s->field[0], &err) == CDC_OK);
	check(cdc_nested_build_new(&second, &s->field[0], &err) == CDC_OK);
	if (make(first, json, &c, &text, &err) == CDC_OK) {
		/* Pairs of maps are one level of arrays more, and the scanner has a limit. */
		if (make(second, cdc_buf_str(&text), &same, &again, &err) == CDC_OK)
			check(cdc_str_eq(cdc_buf_str(&text), cdc_buf_str(&again)));
		else
			check(text.len > 2 * CDC_JSON_DEPTH);
		if (!cdc_column_is_null(&c, 0))
			through_cell(&s->field[0], &c, &text);
		shred(s, &c);
	}
	cdc_nested_build_free(first);
	cdc_nested_build_free(second);
	cdc_buf_free(&text);
	cdc_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data;
	const char *end = n ? memchr(p, '\n', n) : NULL;
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_buf ddl = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	if (!end)
		return 0;
	check(cdc_buf_printf(&ddl, &err, "c %.*s", (int)(end - p), p) == CDC_OK);
	if (cdc_schema_from_ddl(&s, cdc_buf_str(&ddl), &err) == CDC_OK && s.num_fields == 1)
		try_value(&s, cdc_str(end + 1, n - (size_t)(end - p) - 1));
	cdc_schema_free(&s);
	cdc_buf_free(&ddl);
	return 0;
}
