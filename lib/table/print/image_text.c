/*
 * Images of change records from rows. See image_text.h.
 */
#include "table/print/image_text.h"

#include "base/json.h"
#include "table/print/print_int.h"

#include <stdlib.h>

#define SHOWN(s) (int)((s).n > 128 ? 128 : (s).n), (s).p

int cdc_image_text_init(struct cdc_image_text *t, const struct cdc_schema *schema,
			struct cdc_err *err)
{
	int rc = CDC_OK;

	t->num_fields = schema->num_fields;
	t->nested.max = CDC_PRINT_JSON_MAX;
	t->key_end = calloc((size_t)schema->num_fields + 1, sizeof(*t->key_end));
	if (!t->key_end)
		return cdc_fail_nomem(err);
	for (int i = 0; !rc && i < schema->num_fields; i++) {
		const struct cdc_field *f = &schema->field[i];

		if (f->type != CDC_TYPE_VOID) {
			rc = cdc_buf_putc(&t->keys, t->keys.len ? ',' : '{', err);
			if (!rc)
				rc = cdc_json_put_string(&t->keys, f->name, err);
			if (!rc)
				rc = cdc_buf_putc(&t->keys, ':', err);
		}
		t->key_end[i] = t->keys.len;
	}
	return rc;
}

void cdc_image_text_free(struct cdc_image_text *t)
{
	cdc_buf_free(&t->keys);
	cdc_buf_free(&t->nested);
	free(t->key_end);
	*t = (struct cdc_image_text){ .num_fields = 0 };
}

static int put_string(const struct cdc_column *c, struct cdc_str s, struct cdc_buf *out,
		      struct cdc_err *err)
{
	if (!cdc_utf8_valid(s.p, s.n))
		return cdc_fail(
			err, CDC_ECORRUPT,
			"column \"%.*s\" holds bytes that are not UTF-8: JSON cannot show them",
			SHOWN(c->field->name));
	return cdc_json_put_string(out, s, err);
}

static int put_binary(struct cdc_str s, struct cdc_buf *out, struct cdc_err *err)
{
	int rc = cdc_buf_reserve(out, (s.n + 2) / 3 * 4 + 2, err);

	if (rc)
		return rc;
	out->p[out->len++] = '"';
	out->len += cdc_base64_encode(s.p, s.n, out->p + out->len);
	out->p[out->len++] = '"';
	return CDC_OK;
}

static int put_nested(struct cdc_image_text *t, const struct cdc_column *c, uint32_t row,
		      struct cdc_buf *out, struct cdc_err *err)
{
	int rc;

	cdc_buf_reset(&t->nested);
	rc = cdc_print_json_value(c, row, &t->nested, err);
	return rc ? rc : cdc_json_put_string(out, cdc_buf_str(&t->nested), err);
}

static int put_value(struct cdc_image_text *t, const struct cdc_column *c, uint32_t row,
		     struct cdc_buf *out, struct cdc_err *err)
{
	int rc;

	if (c->field->type == CDC_TYPE_STRING)
		return put_string(c, ((const struct cdc_str *)c->values)[row], out, err);
	if (c->field->type == CDC_TYPE_BINARY)
		return put_binary(((const struct cdc_str *)c->values)[row], out, err);
	if (!cdc_type_is_primitive(c->field->type))
		return put_nested(t, c, row, out, err);
	rc = cdc_buf_reserve(out, CDC_VALUE_TEXT_MAX + 2, err);
	if (rc)
		return rc;
	out->p[out->len++] = '"';
	out->len += cdc_print_value(c, row, out->p + out->len);
	out->p[out->len++] = '"';
	return CDC_OK;
}

int cdc_image_text_put(struct cdc_image_text *t, const struct cdc_batch *b, uint32_t row,
		       struct cdc_buf *out, struct cdc_err *err)
{
	size_t from = 0;
	int rc = CDC_OK;

	for (int i = 0; !rc && i < t->num_fields; i++) {
		const struct cdc_column *c = &b->column[i];

		if (t->key_end[i] == from)
			continue;
		rc = cdc_buf_append(out, t->keys.p + from, t->key_end[i] - from, err);
		from = t->key_end[i];
		if (!rc)
			rc = cdc_column_is_null(c, row) ? cdc_buf_puts(out, "null", err)
							: put_value(t, c, row, out, err);
	}
	if (rc)
		return rc;
	return from ? cdc_buf_putc(out, '}', err) : cdc_buf_puts(out, "{}", err);
}

int cdc_image_text_fields(const struct cdc_schema *schema, struct cdc_buf *out, struct cdc_err *err)
{
	const char *before = "[";
	int rc = CDC_OK;

	for (int i = 0; !rc && i < schema->num_fields; i++) {
		if (schema->field[i].type == CDC_TYPE_VOID)
			continue;
		rc = cdc_buf_puts(out, before, err);
		if (!rc)
			rc = cdc_json_put_string(out, schema->field[i].name, err);
		before = ",";
	}
	if (!rc && before[0] == '[')
		rc = cdc_buf_putc(out, '[', err);
	return rc ? rc : cdc_buf_putc(out, ']', err);
}

static int put_nested_type(const struct cdc_field *f, struct cdc_buf *out, struct cdc_err *err)
{
	struct cdc_buf ddl = CDC_BUF_INIT;
	int rc = cdc_type_to_ddl(f, &ddl, err);

	if (!rc)
		rc = cdc_json_put_string(out, cdc_buf_str(&ddl), err);
	cdc_buf_free(&ddl);
	return rc;
}

/* "int" alone would not tell that it has a sign. */
int cdc_image_text_type(const struct cdc_field *f, struct cdc_buf *out, struct cdc_err *err)
{
	char name[CDC_TYPE_NAME_MAX];
	const char *source = f->type == CDC_TYPE_INTEGER ? "int" : cdc_type_name(f, name);
	int rc;

	if (cdc_type_is_primitive(f->type))
		return cdc_buf_printf(out, err, "\"type\":\"%s\",\"sourceType\":\"%s\"", source,
				      source);
	rc = cdc_buf_puts(out, "\"type\":", err);
	if (!rc)
		rc = put_nested_type(f, out, err);
	if (!rc)
		rc = cdc_buf_puts(out, ",\"sourceType\":", err);
	return rc ? rc : put_nested_type(f, out, err);
}
