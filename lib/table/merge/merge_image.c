/*
 * Images of change records to keys and typed rows. See merge_internal.h.
 */
#include "table/batch/cast.h"
#include "table/merge/merge_internal.h"
#include "table/print/print_int.h"

#include <stdlib.h>

struct image_value {
	bool null;
	union cdc_value v; /* unless it is null; strings live until the next record or value */
};

int image_init(struct image_ctx *x, const struct cdc_target *t, struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	int n = t->key.num_fields;
	int rc = CDC_OK;

	image_free(x);
	x->schema = &t->snapshot->schema;
	x->key = &t->key;
	x->ignore_unknown_columns = t->opt->evolve == CDC_EVOLVE_IGNORE;
	x->map.key_raw = cdc_arena_calloc(&x->map.arena, (size_t)n, sizeof(*x->map.key_raw));
	x->map.key_hint = cdc_arena_calloc(&x->map.arena, (size_t)n, sizeof(*x->map.key_hint));
	x->map.nested = cdc_arena_calloc(&x->map.arena, (size_t)x->schema->num_fields + 1,
					 sizeof(*x->map.nested));
	if (!x->map.key_raw || !x->map.key_hint || !x->map.nested)
		return cdc_fail_nomem(err);
	x->map.num_nested = x->schema->num_fields;
	for (int i = 0; i < n && !rc; i++) {
		cdc_buf_reset(&b);
		rc = cdc_json_put_escaped(&b, x->schema->field[t->key.field[i]].name, err);
		if (!rc) {
			x->map.key_raw[i] =
				cdc_str(cdc_arena_dup(&x->map.arena, b.p, b.len), b.len);
			if (!x->map.key_raw[i].p)
				rc = cdc_fail_nomem(err);
		}
	}
	cdc_buf_free(&b);
	return rc;
}

void image_free(struct image_ctx *x)
{
	for (size_t i = 0; i < x->map.num_names; i++)
		free(x->map.name[i].raw);
	free(x->map.name);
	for (int i = 0; i < x->map.num_nested; i++)
		cdc_nested_build_free(x->map.nested[i]);
	cdc_arena_free(&x->map.arena);
	cdc_arena_free(&x->map.scratch);
	cdc_buf_free(&x->map.text);
	cdc_tape_free(&x->map.tape);
	cdc_buf_free(&x->map.cell);
	*x = (struct image_ctx){ .schema = NULL };
}

/* A name not seen before: resolve and remember it. */
static int learn_name(struct image_ctx *x, const struct cdc_image_col *col, int *field,
		      struct cdc_err *err)
{
	struct image_map *m = &x->map;
	struct image_name *grown = realloc(m->name, (m->num_names + 1) * sizeof(*grown));
	struct cdc_str name = col->name;

	if (!grown)
		return cdc_fail_nomem(err);
	m->name = grown;
	grown += m->num_names;
	*grown = (struct image_name){ .raw = malloc(col->name.n + 1), .n = col->name.n };
	if (!grown->raw)
		return cdc_fail_nomem(err);
	memcpy(grown->raw, col->name.p, col->name.n);
	m->num_names++;
	if (col->name_escaped) {
		char *p = cdc_arena_alloc(&m->arena, col->name.n + 1);

		if (!p)
			return cdc_fail_nomem(err);
		name = cdc_str(p, cdc_json_unescape(col->name, p));
	}
	*field = grown->field = cdc_schema_find(x->schema, name);
	for (size_t i = 0; *field >= 0 && i + 1 < m->num_names; i++)
		m->has_aliases = m->has_aliases || m->name[i].field == *field;
	return CDC_OK;
}

#define MAX_NAMES 100000

/* Field of the i-th column of an image: a compare with what stood there last time, as a rule. */
static int field_of(struct image_ctx *x, const struct cdc_image_col *col, size_t i, int *field,
		    struct cdc_err *err)
{
	const struct image_map *m = &x->map;

	if (i < m->num_names && m->name[i].n == col->name.n &&
	    !memcmp(m->name[i].raw, col->name.p, col->name.n)) {
		*field = m->name[i].field;
		return CDC_OK;
	}
	for (size_t k = 0; k < m->num_names; k++)
		if (m->name[k].n == col->name.n &&
		    !memcmp(m->name[k].raw, col->name.p, col->name.n)) {
			*field = m->name[k].field;
			return CDC_OK;
		}
	if (m->num_names >= MAX_NAMES)
		return cdc_fail(err, CDC_EDATA, "more than %d column names", MAX_NAMES);
	return learn_name(x, col, field, err);
}

/* The decoded text of a column's value; valid until the next call. */
static int text_of(struct image_ctx *x, const struct cdc_image_col *col, struct cdc_str *text,
		   struct cdc_err *err)
{
	*text = col->value;
	if (!col->escaped)
		return CDC_OK;
	cdc_buf_reset(&x->map.text);
	if (cdc_buf_reserve(&x->map.text, col->value.n + 1, err))
		return err->code;
	*text = cdc_str(x->map.text.p, cdc_json_unescape(col->value, x->map.text.p));
	return CDC_OK;
}

static int unknown_column(const struct cdc_image_col *col, struct cdc_err *err)
{
	return cdc_fail(err, CDC_EDATA,
			"column \"%.*s\" is not in the table (--evolve ignore drops it)",
			(int)col->name.n, col->name.p);
}

static int null_refused(const struct cdc_field *f, struct cdc_err *err)
{
	return cdc_fail(err, CDC_EDATA,
			"column \"%.*s\" is NOT NULL and the value is null or missing",
			(int)f->name.n, f->name.p);
}

/* The value as JSON: a tape and a token of it. Arrays and objects of the image are JSON as they
 * stand, of anything else it is the text. */
static int json_of(struct image_ctx *x, const struct cdc_tape *image,
		   const struct cdc_image_col *col, const struct cdc_tape **tape, uint32_t *tok,
		   struct cdc_err *err)
{
	struct cdc_str text;

	*tape = image;
	*tok = col->value_tok;
	if (image->tok[*tok].type >= CDC_JSON_ARRAY)
		return CDC_OK;
	if (text_of(x, col, &text, err))
		return err->code;
	*tape = &x->map.tape;
	*tok = 0;
	return cdc_json_scan(&x->map.tape, text, NULL, err);
}

/* A value of a nested type as a cell, which lives until the next call. */
static int nested_value(struct image_ctx *x, const struct cdc_tape *image,
			const struct cdc_image_col *col, int field, struct image_value *v,
			struct cdc_err *err)
{
	const struct cdc_field *f = &x->schema->field[field];
	struct cdc_nested_build **b = &x->map.nested[field];
	const struct cdc_tape *tape;
	struct cdc_column c;
	uint32_t tok;
	int rc = json_of(x, image, col, &tape, &tok, err);

	if (rc == CDC_EDATA) {
		err->has_offset = false; /* of the text, not of the line */
		return cdc_err_prefix(err, "column \"%.*s\": the value is no JSON text",
				      (int)f->name.n, f->name.p);
	}
	if (!rc && !*b)
		rc = cdc_nested_build_new(b, f, err);
	if (rc)
		return rc;
	cdc_nested_build_reset(*b);
	cdc_buf_reset(&x->map.cell);
	rc = cdc_nested_build_json(*b, tape, tok, err);
	if (rc)
		return rc;
	cdc_nested_build_column(*b, &c);
	v->null = cdc_column_is_null(&c, 0);
	if (!v->null)
		rc = cdc_nested_serialize(&c, 0, &x->map.cell, err);
	v->v.s = cdc_buf_str(&x->map.cell);
	return rc;
}

/* Cast one column; `field` is -1 for a column that is dropped. */
static int read_column(struct image_ctx *x, const struct cdc_tape *tape,
		       const struct cdc_image_col *col, size_t i, int *field, struct image_value *v,
		       struct cdc_err *err)
{
	struct cdc_str text;

	if (field_of(x, col, i, field, err))
		return err->code;
	if (*field < 0)
		return x->ignore_unknown_columns ? CDC_OK : unknown_column(col, err);
	v->null = col->is_null;
	if (v->null)
		return x->schema->field[*field].nullable
			       ? CDC_OK
			       : null_refused(&x->schema->field[*field], err);
	if (cdc_type_is_nested(x->schema->field[*field].type))
		return nested_value(x, tape, col, *field, v, err);
	if (text_of(x, col, &text, err))
		return err->code;
	return cdc_cast_text(&x->schema->field[*field], text, &x->map.scratch, &v->v, err);
}

/* A row that is put whole must have a value in every NOT NULL column that nothing fills. */
static int check_complete(struct image_ctx *x, const struct cdc_record *r, struct cdc_err *err)
{
	for (int f = 0; f < x->schema->num_fields; f++) {
		const struct cdc_field *fd = &x->schema->field[f];
		struct cdc_image_iter it;
		struct cdc_image_col col;
		bool found = false;
		int field = -1;

		if (fd->nullable || cdc_constraints_fills(x->constraints, f))
			continue;
		it = cdc_image_begin(r, r->after_tok);
		for (size_t i = 0; !found && cdc_image_next(&it, &col); i++) {
			if (field_of(x, &col, i, &field, err))
				return err->code;
			found = field == f;
		}
		if (!found)
			return null_refused(fd, err);
	}
	return CDC_OK;
}

/* Names that differ in case or in escapes only are one column: an image may not have it twice. */
static int check_twice(struct image_ctx *x, const struct cdc_record *r, uint32_t tok,
		       struct cdc_err *err)
{
	struct cdc_image_iter it = cdc_image_begin(r, tok);
	struct cdc_image_col col, other;
	int field, twin;

	for (size_t i = 0; cdc_image_next(&it, &col); i++) {
		struct cdc_image_iter before = cdc_image_begin(r, tok);

		if (field_of(x, &col, i, &field, err))
			return err->code;
		for (size_t k = 0; k < i && field >= 0 && cdc_image_next(&before, &other); k++) {
			if (field_of(x, &other, k, &twin, err))
				return err->code;
			if (twin == field)
				return cdc_fail(err, CDC_EDATA,
						"columns \"%.*s\" and \"%.*s\" are the same one",
						(int)other.name.n, other.name.p, (int)col.name.n,
						col.name.p);
		}
	}
	return CDC_OK;
}

int image_check(struct image_ctx *x, const struct cdc_record *r, struct cdc_err *err)
{
	struct cdc_image_iter it;
	struct cdc_image_col col;
	struct image_value v;
	int field;

	if (r->type == CDC_RECORD_DELETE || r->after_tok == CDC_JSON_NONE)
		return CDC_OK;
	cdc_arena_reset(&x->map.scratch);
	it = cdc_image_begin(r, r->after_tok);
	for (size_t i = 0; cdc_image_next(&it, &col); i++)
		if (read_column(x, r->tape, &col, i, &field, &v, err))
			return err->code;
	if (x->map.has_aliases && check_twice(x, r, r->after_tok, err))
		return err->code;
	return r->type == CDC_RECORD_UPDATE ? CDC_OK : check_complete(x, r, err);
}

/* A column by its field, however it is spelled. */
static bool find_alias(struct image_ctx *x, const struct cdc_record *r, uint32_t tok, int want,
		       struct cdc_image_col *col)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_image_iter it;
	int field;

	if (tok == CDC_JSON_NONE)
		return false;
	it = cdc_image_begin(r, tok);
	for (size_t i = 0; cdc_image_next(&it, col); i++)
		if (!field_of(x, col, i, &field, &err) && field == want)
			return true;
	return false;
}

int image_key(void *ctx, const struct cdc_record *r, uint32_t primary, uint32_t fallback,
	      struct cdc_buf *key, struct cdc_err *err)
{
	struct image_ctx *x = ctx;

	for (int i = 0; i < x->key->num_fields; i++) {
		const struct cdc_field *f = &x->schema->field[x->key->field[i]];
		struct cdc_image_col col;
		struct cdc_str text;
		union cdc_value v;

		if (!cdc_image_find(r, primary, x->map.key_raw[i], &x->map.key_hint[i], &col) &&
		    !cdc_image_find(r, fallback, x->map.key_raw[i], NULL, &col) &&
		    !find_alias(x, r, primary, x->key->field[i], &col) &&
		    !find_alias(x, r, fallback, x->key->field[i], &col))
			return cdc_fail(err, CDC_EDATA, "key column \"%.*s\" is missing",
					(int)f->name.n, f->name.p);
		if (col.is_null)
			return cdc_fail(err, CDC_EDATA, "key column \"%.*s\" is null",
					(int)f->name.n, f->name.p);
		if (text_of(x, &col, &text, err) ||
		    cdc_cast_text(f, text, &x->map.scratch, &v, err) ||
		    cdc_key_put(key, f->type, &v, err))
			return err->code;
	}
	return CDC_OK;
}

int image_sequence(struct image_ctx *x, const struct cdc_record *r, int field, int64_t *order,
		   struct cdc_err *err)
{
	const struct cdc_field *f = &x->schema->field[field];
	struct cdc_image_col col;
	struct cdc_str text;
	union cdc_value v;

	if (!find_alias(x, r, r->after_tok, field, &col) &&
	    !find_alias(x, r, r->before_tok, field, &col))
		return cdc_fail(err, CDC_EDATA, "column \"%.*s\" of --sequence-by is missing",
				(int)f->name.n, f->name.p);
	if (col.is_null)
		return cdc_fail(err, CDC_EDATA, "column \"%.*s\" of --sequence-by is null",
				(int)f->name.n, f->name.p);
	if (text_of(x, &col, &text, err) || cdc_cast_text(f, text, &x->map.scratch, &v, err))
		return err->code;
	*order = v.i;
	return CDC_OK;
}

int image_to_row(struct image_ctx *x, struct cdc_tape *tape, struct cdc_str image,
		 struct cdc_rows *rows, uint32_t row, struct cdc_err *err)
{
	struct cdc_record r = { .tape = tape };
	struct cdc_image_iter it;
	struct cdc_image_col col;
	struct image_value v;
	int field, rc = cdc_json_scan(tape, image, NULL, err);

	if (rc)
		return rc;
	cdc_arena_reset(&x->map.scratch);
	it = cdc_image_begin(&r, 0);
	for (size_t i = 0; !rc && cdc_image_next(&it, &col); i++) {
		rc = read_column(x, tape, &col, i, &field, &v, err);
		if (rc || field < 0)
			continue;
		if (v.null)
			cdc_rows_set_null(rows, row, field);
		else
			rc = cdc_rows_set(rows, row, field, &v.v, err);
	}
	return rc;
}

/* ------------------------------------------------------------------ and back */

/* The JSON text of a nested value, in a JSON string. */
static int put_nested(const struct cdc_field *f, struct cdc_str cell, struct cdc_buf *out,
		      struct cdc_err *err)
{
	struct cdc_nested_build *b = NULL;
	struct cdc_buf json = CDC_BUF_INIT;
	struct cdc_column c;
	int rc = cdc_nested_build_new(&b, f, err);

	if (!rc)
		rc = cdc_nested_build_cell(b, cell, err);
	if (!rc) {
		cdc_nested_build_column(b, &c);
		rc = cdc_print_json_value(&c, 0, &json, err);
	}
	if (!rc)
		rc = cdc_json_put_string(out, cdc_buf_str(&json), err);
	cdc_buf_free(&json);
	cdc_nested_build_free(b);
	return rc;
}

static int put_cell(const struct cdc_rows *rows, int field, uint32_t row, struct cdc_buf *out,
		    struct cdc_err *err)
{
	const struct cdc_rows_column *c = &rows->column[field];
	const struct cdc_column column = { .field = &rows->schema->field[field],
					   .values = c->values };
	struct cdc_str s = CDC_STR_INIT;
	int rc;

	if (c->cell[row] == CDC_CELL_NULL)
		return cdc_buf_puts(out, "null", err);
	if (cdc_print_is_bytes(column.field) || cdc_type_is_nested(column.field->type))
		s = ((const struct cdc_str *)(const void *)c->values)[row];
	if (column.field->type == CDC_TYPE_STRING)
		return cdc_json_put_string(out, s, err);
	if (cdc_type_is_nested(column.field->type))
		return put_nested(column.field, s, out, err);
	rc = cdc_buf_reserve(out, s.n / 3 * 4 + 8 + CDC_VALUE_TEXT_MAX, err);
	if (rc)
		return rc;
	out->p[out->len++] = '"';
	if (s.p)
		out->len += cdc_base64_encode(s.p, s.n, out->p + out->len);
	else if (column.field->type != CDC_TYPE_BINARY)
		out->len += cdc_print_value(&column, row, out->p + out->len);
	out->p[out->len++] = '"';
	return CDC_OK;
}

int image_of_row(const struct cdc_rows *rows, uint32_t row, struct cdc_str db_table,
		 struct cdc_buf *out, struct cdc_err *err)
{
	const char *comma = "";
	int rc = cdc_buf_puts(out, "{\"dbTable\":\"", err);

	if (!rc)
		rc = cdc_buf_put(out, db_table, err);
	if (!rc)
		rc = cdc_buf_puts(
			out, "\",\"recordType\":\"UPDATE\",\"beforeImages\":{},\"afterImages\":{",
			err);
	for (int f = 0; !rc && f < rows->schema->num_fields; f++) {
		uint8_t cell = rows->column[f].cell[row];

		if (cell != CDC_CELL_VALUE && cell != CDC_CELL_NULL)
			continue;
		rc = cdc_buf_puts(out, comma, err);
		comma = ",";
		if (!rc)
			rc = cdc_json_put_string(out, rows->schema->field[f].name, err);
		if (!rc)
			rc = cdc_buf_putc(out, ':', err);
		if (!rc)
			rc = put_cell(rows, f, row, out, err);
	}
	return rc ? rc : cdc_buf_puts(out, "}}", err);
}
