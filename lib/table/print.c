/*
 * Printing of rows: what the formats share, and NDJSON. See print.h.
 */
#include "table/print_int.h"

#include "base/json.h"

#include <math.h>
#include <stdlib.h>

#define PIECE ((size_t)8 << 10) /* long values are escaped in pieces of that many bytes */

int cdc_printer_new(struct cdc_printer **out, enum cdc_print_format format,
		    const struct cdc_field *const *field, int num_fields, struct cdc_writer *w,
		    struct cdc_err *err)
{
	static const struct cdc_print_ops *const ops[] = {
		[CDC_PRINT_NDJSON] = &cdc_print_ndjson,
		[CDC_PRINT_CSV] = &cdc_print_csv,
		[CDC_PRINT_TSV] = &cdc_print_tsv,
		[CDC_PRINT_TABLE] = &cdc_print_table,
	};
	struct cdc_printer *p = calloc(1, sizeof(*p));

	if (!p)
		return cdc_fail_nomem(err);
	p->ops = ops[format];
	p->out = w;
	p->num_fields = num_fields;
	p->field = calloc((size_t)num_fields + 1, sizeof(*p->field));
	p->key_end = calloc((size_t)num_fields + 1, sizeof(*p->key_end));
	if (!p->field || !p->key_end) {
		cdc_printer_free(p);
		return cdc_fail_nomem(err);
	}
	for (int i = 0; i < num_fields; i++)
		p->field[i] = field[i];
	*out = p;
	return CDC_OK;
}

void cdc_printer_free(struct cdc_printer *p)
{
	if (!p)
		return;
	cdc_buf_free(&p->keys);
	cdc_buf_free(&p->text);
	free(p->cell);
	free(p->key_end);
	free(p->field);
	free(p);
}

static int begin(struct cdc_printer *p, struct cdc_err *err)
{
	if (p->begun)
		return CDC_OK;
	p->begun = true;
	return p->ops->begin(p, err);
}

int cdc_printer_batch(struct cdc_printer *p, const struct cdc_batch *b, struct cdc_err *err)
{
	int rc = begin(p, err);

	return rc < 0 ? rc : p->ops->batch(p, b, err);
}

int cdc_printer_finish(struct cdc_printer *p, struct cdc_err *err)
{
	int rc = begin(p, err);

	return rc < 0 || !p->ops->finish ? rc : p->ops->finish(p, err);
}

size_t cdc_print_value(const struct cdc_column *c, uint32_t row, char *out)
{
	switch (c->field->type) {
	case CDC_TYPE_BOOLEAN:
		if (((const uint8_t *)c->values)[row]) {
			memcpy(out, "true", 4);
			return 4;
		}
		memcpy(out, "false", 5);
		return 5;
	case CDC_TYPE_BYTE:
	case CDC_TYPE_SHORT:
	case CDC_TYPE_INTEGER:
		return cdc_int64_format(((const int32_t *)c->values)[row], out);
	case CDC_TYPE_LONG:
		return cdc_int64_format(((const int64_t *)c->values)[row], out);
	case CDC_TYPE_FLOAT:
		return cdc_float_format(((const float *)c->values)[row], out);
	case CDC_TYPE_DOUBLE:
		return cdc_double_format(((const double *)c->values)[row], out);
	case CDC_TYPE_DECIMAL:
		return cdc_decimal_format(((const cdc_i128 *)c->values)[row], c->field->scale, out);
	case CDC_TYPE_DATE:
		return cdc_date_format(((const int32_t *)c->values)[row], out);
	case CDC_TYPE_TIMESTAMP:
		return cdc_timestamp_format(((const int64_t *)c->values)[row], 'T', true, out);
	case CDC_TYPE_TIMESTAMP_NTZ:
		return cdc_timestamp_format(((const int64_t *)c->values)[row], ' ', false, out);
	case CDC_TYPE_STRING:
	case CDC_TYPE_BINARY:
	case CDC_TYPE_VOID:
	case CDC_TYPE_VARIANT:
	case CDC_TYPE_STRUCT:
	case CDC_TYPE_ARRAY:
	case CDC_TYPE_MAP:
	case CDC_TYPE_TIME:
	case CDC_TYPE_TIMESTAMP_NS:
	case CDC_TYPE_TIMESTAMP_NTZ_NS:
	case CDC_TYPE_UUID:
	case CDC_TYPE_INTERVAL:
	case CDC_TYPE_BIG_DECIMAL:
		break;
	}
	return 0;
}

int cdc_print_base64(struct cdc_writer *w, struct cdc_str s, struct cdc_err *err)
{
	const size_t piece = PIECE / 3 * 3;

	while (s.n) {
		size_t n = s.n < piece ? s.n : piece;
		char *out = cdc_writer_reserve(w, (n + 2) / 3 * 4, err);

		if (!out)
			return err->code;
		cdc_writer_advance(w, cdc_base64_encode(s.p, n, out));
		s = cdc_str(s.p + n, s.n - n);
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ NDJSON */

static int ndjson_begin(struct cdc_printer *p, struct cdc_err *err)
{
	for (int i = 0; i < p->num_fields; i++) {
		int rc;

		if ((rc = cdc_buf_putc(&p->keys, i ? ',' : '{', err)) < 0 ||
		    (rc = cdc_json_put_string(&p->keys, p->field[i]->name, err)) < 0 ||
		    (rc = cdc_buf_putc(&p->keys, ':', err)) < 0)
			return rc;
		p->key_end[i] = p->keys.len;
	}
	return CDC_OK;
}

/* A string may be as long as a file: no buffer is made to hold all of it. */
static int json_string(struct cdc_writer *w, struct cdc_str s, struct cdc_err *err)
{
	char *start;
	char *end;

	do {
		size_t n = s.n < PIECE ? s.n : PIECE;

		start = cdc_writer_reserve(w, n * CDC_JSON_ESCAPE_MAX + 1, err);
		if (!start)
			return err->code;
		end = cdc_json_escape_to(start, cdc_str(s.p, n));
		s = cdc_str(s.p + n, s.n - n);
		if (!s.n)
			*end++ = '"';
		cdc_writer_advance(w, (size_t)(end - start));
	} while (s.n);
	return CDC_OK;
}

static int json_bytes(struct cdc_printer *p, const struct cdc_column *c, uint32_t row,
		      struct cdc_err *err)
{
	struct cdc_str s = ((const struct cdc_str *)c->values)[row];
	int rc = cdc_writer_put(p->out, "\"", 1, err);

	if (rc < 0)
		return rc;
	if (c->field->type == CDC_TYPE_BINARY) {
		rc = cdc_print_base64(p->out, s, err);
		return rc < 0 ? rc : cdc_writer_put(p->out, "\"", 1, err);
	}
	if (!cdc_utf8_valid(s.p, s.n))
		return cdc_fail(
			err, CDC_ECORRUPT,
			"column \"%.*s\" holds bytes that are not UTF-8: JSON cannot show them",
			(int)(c->field->name.n > 128 ? 128 : c->field->name.n), c->field->name.p);
	return json_string(p->out, s, err);
}

/* Numbers and booleans bare; dates, times, NaN and infinities in quotes. */
static bool json_quoted(const struct cdc_column *c, uint32_t row)
{
	enum cdc_type t = c->field->type;

	if (t == CDC_TYPE_DOUBLE)
		return !isfinite(((const double *)c->values)[row]);
	if (t == CDC_TYPE_FLOAT)
		return !isfinite(((const float *)c->values)[row]);
	return t == CDC_TYPE_DATE || t == CDC_TYPE_TIMESTAMP || t == CDC_TYPE_TIMESTAMP_NTZ;
}

static int ndjson_cell(struct cdc_printer *p, const struct cdc_column *c, struct cdc_str key,
		       uint32_t row, struct cdc_err *err)
{
	char *start = cdc_writer_reserve(p->out, key.n + CDC_VALUE_TEXT_MAX + 2, err);
	char *at;

	if (!start)
		return err->code;
	memcpy(start, key.p, key.n);
	at = start + key.n;
	if (cdc_column_is_null(c, row)) {
		memcpy(at, "null", 4);
		at += 4;
	} else if (cdc_print_is_bytes(c->field)) {
		cdc_writer_advance(p->out, key.n);
		return json_bytes(p, c, row, err);
	} else if (json_quoted(c, row)) {
		*at++ = '"';
		at += cdc_print_value(c, row, at);
		*at++ = '"';
	} else {
		at += cdc_print_value(c, row, at);
	}
	cdc_writer_advance(p->out, (size_t)(at - start));
	return CDC_OK;
}

static int ndjson_batch(struct cdc_printer *p, const struct cdc_batch *b, struct cdc_err *err)
{
	for (uint32_t row = 0; row < b->rows; row++) {
		size_t from = 0;
		int rc = CDC_OK;

		for (int i = 0; i < p->num_fields; i++) {
			struct cdc_str key = cdc_str(p->keys.p + from, p->key_end[i] - from);

			rc = ndjson_cell(p, &b->column[i], key, row, err);
			if (rc < 0)
				return rc;
			from = p->key_end[i];
		}
		rc = cdc_writer_put(p->out, p->num_fields ? "}\n" : "{}\n", p->num_fields ? 2 : 3,
				    err);
		if (rc < 0)
			return rc;
	}
	return CDC_OK;
}

const struct cdc_print_ops cdc_print_ndjson = { ndjson_begin, ndjson_batch, NULL };
