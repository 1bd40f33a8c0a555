/*
 * Values as JSON, nested ones by recursion. See print_int.h.
 */
#include "table/print/print_int.h"

#include "base/json.h"
#include "table/nested/variant.h"

#define PIECE ((size_t)8 << 10) /* long values are escaped in pieces of that many bytes */

/* ------------------------------------------------------------------ strings and bytes */

/* A string may be as long as a file: no buffer is made to hold all of it. */
int cdc_print_json_string(const struct cdc_print_sink *s, struct cdc_str text, struct cdc_err *err)
{
	bool first = true;

	if (!cdc_utf8_valid(text.p, text.n))
		return cdc_fail(err, CDC_ECORRUPT, "text is not UTF-8: JSON cannot show it");
	do {
		size_t n = text.n < PIECE ? text.n : PIECE;
		char *start = cdc_print_reserve(s, n * CDC_JSON_ESCAPE_MAX + 2, err);
		char *at = start;

		if (!start)
			return err->code;
		if (first)
			*at++ = '"';
		first = false;
		at = cdc_json_escape_to(at, cdc_str(text.p, n));
		text = cdc_str(text.p + n, text.n - n);
		if (!text.n)
			*at++ = '"';
		cdc_print_advance(s, (size_t)(at - start));
	} while (text.n);
	return CDC_OK;
}

int cdc_print_base64(const struct cdc_print_sink *s, struct cdc_str bytes, struct cdc_err *err)
{
	const size_t piece = PIECE / 3 * 3;

	while (bytes.n) {
		size_t n = bytes.n < piece ? bytes.n : piece;
		char *out = cdc_print_reserve(s, (n + 2) / 3 * 4, err);

		if (!out)
			return err->code;
		cdc_print_advance(s, cdc_base64_encode(bytes.p, n, out));
		bytes = cdc_str(bytes.p + n, bytes.n - n);
	}
	return CDC_OK;
}

int cdc_print_json_binary(const struct cdc_print_sink *s, struct cdc_str bytes, struct cdc_err *err)
{
	int rc = cdc_print_put(s, CDC_STR("\""), err);

	if (rc == CDC_OK)
		rc = cdc_print_base64(s, bytes, err);
	return rc < 0 ? rc : cdc_print_put(s, CDC_STR("\""), err);
}

/* ------------------------------------------------------------------ flat types */

static int json_short(const struct cdc_print_sink *s, const struct cdc_column *c, uint32_t row,
		      struct cdc_err *err)
{
	char *out = cdc_print_reserve(s, CDC_PRINT_SCALAR_MAX, err);

	if (!out)
		return err->code;
	cdc_print_advance(s, cdc_print_json_scalar(c, row, out));
	return CDC_OK;
}

static int json_big_decimal(const struct cdc_print_sink *s, const struct cdc_column *c,
			    uint32_t row, struct cdc_err *err)
{
	char *out = cdc_print_reserve(s, CDC_BIG_DECIMAL_TEXT_MAX, err);

	if (!out)
		return err->code;
	cdc_print_advance(s, cdc_big_decimal_format(((const struct cdc_str *)c->values)[row],
						    c->field->scale, out));
	return CDC_OK;
}

/* ------------------------------------------------------------------ nested types */

static int json_struct(const struct cdc_print_sink *s, const struct cdc_column *c, uint32_t row,
		       struct cdc_err *err)
{
	int rc = cdc_print_put(s, CDC_STR("{"), err);

	for (int i = 0; rc == CDC_OK && i < c->field->num_children; i++) {
		if (i)
			rc = cdc_print_put(s, CDC_STR(","), err);
		if (rc == CDC_OK)
			rc = cdc_print_json_string(s, c->field->child[i].name, err);
		if (rc == CDC_OK)
			rc = cdc_print_put(s, CDC_STR(":"), err);
		if (rc == CDC_OK)
			rc = cdc_print_json(s, &c->child[i], row, err);
	}
	return rc < 0 ? rc : cdc_print_put(s, CDC_STR("}"), err);
}

static int json_array(const struct cdc_print_sink *s, const struct cdc_column *c, uint32_t row,
		      struct cdc_err *err)
{
	struct cdc_span span = ((const struct cdc_span *)c->values)[row];
	int rc = cdc_print_put(s, CDC_STR("["), err);

	for (uint32_t i = 0; rc == CDC_OK && i < span.n; i++) {
		if (i)
			rc = cdc_print_put(s, CDC_STR(","), err);
		if (rc == CDC_OK)
			rc = cdc_print_json(s, &c->child[0], span.first + i, err);
	}
	return rc < 0 ? rc : cdc_print_put(s, CDC_STR("]"), err);
}

/* An object if the keys are strings, else an array of pairs. */
static int json_map(const struct cdc_print_sink *s, const struct cdc_column *c, uint32_t row,
		    struct cdc_err *err)
{
	bool object = c->child[0].field->type == CDC_TYPE_STRING;
	struct cdc_span span = ((const struct cdc_span *)c->values)[row];
	int rc = cdc_print_put(s, object ? CDC_STR("{") : CDC_STR("["), err);

	for (uint32_t i = 0; rc == CDC_OK && i < span.n; i++) {
		if (i)
			rc = cdc_print_put(s, CDC_STR(","), err);
		if (rc == CDC_OK && !object)
			rc = cdc_print_put(s, CDC_STR("["), err);
		if (rc == CDC_OK)
			rc = cdc_print_json(s, &c->child[0], span.first + i, err);
		if (rc == CDC_OK)
			rc = cdc_print_put(s, object ? CDC_STR(":") : CDC_STR(","), err);
		if (rc == CDC_OK)
			rc = cdc_print_json(s, &c->child[1], span.first + i, err);
		if (rc == CDC_OK && !object)
			rc = cdc_print_put(s, CDC_STR("]"), err);
	}
	return rc < 0 ? rc : cdc_print_put(s, object ? CDC_STR("}") : CDC_STR("]"), err);
}

/* ------------------------------------------------------------------ any type */

int cdc_print_json(const struct cdc_print_sink *s, const struct cdc_column *c, uint32_t row,
		   struct cdc_err *err)
{
	if (cdc_column_is_null(c, row))
		return cdc_print_put(s, CDC_STR("null"), err);
	switch (c->field->type) {
	case CDC_TYPE_STRING:
		return cdc_print_json_string(s, ((const struct cdc_str *)c->values)[row], err);
	case CDC_TYPE_BINARY:
		return cdc_print_json_binary(s, ((const struct cdc_str *)c->values)[row], err);
	case CDC_TYPE_BIG_DECIMAL:
		return json_big_decimal(s, c, row, err);
	case CDC_TYPE_VARIANT:
		return cdc_variant_print(s, c, row, err);
	case CDC_TYPE_STRUCT:
		return json_struct(s, c, row, err);
	case CDC_TYPE_ARRAY:
		return json_array(s, c, row, err);
	case CDC_TYPE_MAP:
		return json_map(s, c, row, err);
	case CDC_TYPE_BOOLEAN:
	case CDC_TYPE_BYTE:
	case CDC_TYPE_SHORT:
	case CDC_TYPE_INTEGER:
	case CDC_TYPE_LONG:
	case CDC_TYPE_FLOAT:
	case CDC_TYPE_DOUBLE:
	case CDC_TYPE_DECIMAL:
	case CDC_TYPE_DATE:
	case CDC_TYPE_TIMESTAMP:
	case CDC_TYPE_TIMESTAMP_NTZ:
	case CDC_TYPE_VOID:
	case CDC_TYPE_TIME:
	case CDC_TYPE_TIMESTAMP_NS:
	case CDC_TYPE_TIMESTAMP_NTZ_NS:
	case CDC_TYPE_UUID:
	case CDC_TYPE_INTERVAL:
		break;
	}
	return json_short(s, c, row, err);
}

int cdc_print_json_value(const struct cdc_column *c, uint32_t row, struct cdc_buf *out,
			 struct cdc_err *err)
{
	const struct cdc_print_sink sink = { .buf = out };

	return cdc_print_json(&sink, c, row, err) < 0 ? cdc_print_failed(c->field, err) : CDC_OK;
}

/* What the environment did is not about the column. */
int cdc_print_failed(const struct cdc_field *f, struct cdc_err *err)
{
	if (err->code == CDC_EDATA) {
		err->code = CDC_ENOMEM;
		return cdc_err_prefix(err, "column \"%.*s\": text of a value",
				      (int)(f->name.n > 128 ? 128 : f->name.n), f->name.p);
	}
	if (err->code == CDC_ECORRUPT || err->code == CDC_EUNSUPPORTED)
		return cdc_err_prefix(err, "column \"%.*s\"",
				      (int)(f->name.n > 128 ? 128 : f->name.n), f->name.p);
	return err->code;
}
