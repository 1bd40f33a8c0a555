/*
 * Printing of rows as CSV (RFC 4180) and TSV. See print.h.
 */
#include "table/print/print_int.h"

#define PIECE ((size_t)8 << 10)

/* Copy s with `escape` put before (CSV: the doubled quote) or instead of special bytes. */
static int put_escaped(struct cdc_writer *w, struct cdc_str s, size_t (*put)(char c, char *out),
		       struct cdc_err *err)
{
	while (s.n) {
		size_t n = s.n < PIECE ? s.n : PIECE;
		char *start = cdc_writer_reserve(w, 2 * n, err);
		char *at = start;

		if (!start)
			return err->code;
		for (size_t i = 0; i < n; i++)
			at += put(s.p[i], at);
		cdc_writer_advance(w, (size_t)(at - start));
		s = cdc_str(s.p + n, s.n - n);
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ CSV */

static size_t csv_byte(char c, char *out)
{
	out[0] = c;
	out[1] = c;
	return c == '"' ? 2 : 1;
}

static bool csv_needs_quotes(struct cdc_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == ',' || s.p[i] == '\n' || s.p[i] == '\r')
			return true;
	}
	return s.n == 0;
}

static int csv_string(struct cdc_writer *w, struct cdc_str s, struct cdc_err *err)
{
	int rc;

	if (!csv_needs_quotes(s))
		return cdc_writer_put(w, s.p, s.n, err);
	if ((rc = cdc_writer_put(w, "\"", 1, err)) < 0 ||
	    (rc = put_escaped(w, s, csv_byte, err)) < 0)
		return rc;
	return cdc_writer_put(w, "\"", 1, err);
}

/* ------------------------------------------------------------------ TSV */

static size_t tsv_byte(char c, char *out)
{
	char letter = c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\\' ? '\\' : 0;

	out[0] = letter ? '\\' : c;
	out[1] = letter;
	return letter ? 2 : 1;
}

static int tsv_string(struct cdc_writer *w, struct cdc_str s, struct cdc_err *err)
{
	return put_escaped(w, s, tsv_byte, err);
}

/* ------------------------------------------------------------------ both */

typedef int string_fn(struct cdc_writer *w, struct cdc_str s, struct cdc_err *err);

static int header(struct cdc_printer *p, string_fn *string, const char *separator,
		  struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; rc == CDC_OK && i < p->num_fields; i++) {
		if (i)
			rc = cdc_writer_put(p->out, separator, 1, err);
		if (rc == CDC_OK)
			rc = string(p->out, p->field[i]->name, err);
	}
	return rc < 0 ? rc : cdc_writer_put(p->out, "\n", 1, err);
}

/* What no other text shows: JSON. */
static int json_cell(struct cdc_printer *p, const struct cdc_column *c, uint32_t row,
		     string_fn *string, struct cdc_err *err)
{
	struct cdc_str s = CDC_STR_INIT;
	int rc = cdc_print_json_cell(p, c, row, &s, err);

	return rc < 0 ? rc : string(p->out, s, err);
}

static int cell(struct cdc_printer *p, const struct cdc_column *c, uint32_t row, string_fn *string,
		struct cdc_str null, struct cdc_err *err)
{
	struct cdc_writer *w = p->out;
	struct cdc_str s;
	char *at;

	if (cdc_column_is_null(c, row))
		return cdc_writer_put(w, null.p, null.n, err);
	if (cdc_print_is_bytes(c->field)) {
		s = ((const struct cdc_str *)c->values)[row];
		if (c->field->type == CDC_TYPE_BINARY && s.n)
			return cdc_print_base64(&p->sink, s, err);
		return string(w, s, err);
	}
	if (!cdc_print_is_short(c->field))
		return json_cell(p, c, row, string, err);
	at = cdc_writer_reserve(w, CDC_VALUE_TEXT_MAX, err);
	if (!at)
		return err->code;
	cdc_writer_advance(w, cdc_print_value(c, row, at));
	return CDC_OK;
}

static int batch(struct cdc_printer *p, const struct cdc_batch *b, string_fn *string,
		 const char *separator, struct cdc_str null, struct cdc_err *err)
{
	for (uint32_t row = 0; row < b->rows; row++) {
		int rc = CDC_OK;

		for (int i = 0; rc == CDC_OK && i < p->num_fields; i++) {
			if (i)
				rc = cdc_writer_put(p->out, separator, 1, err);
			if (rc == CDC_OK)
				rc = cell(p, &b->column[i], row, string, null, err);
			if (rc < 0)
				rc = cdc_print_failed(p->field[i], err);
		}
		if (rc < 0 || (rc = cdc_writer_put(p->out, "\n", 1, err)) < 0)
			return rc;
	}
	return CDC_OK;
}

static int csv_begin(struct cdc_printer *p, struct cdc_err *err)
{
	return header(p, csv_string, ",", err);
}

static int csv_batch(struct cdc_printer *p, const struct cdc_batch *b, struct cdc_err *err)
{
	return batch(p, b, csv_string, ",", CDC_STR(""), err);
}

static int tsv_begin(struct cdc_printer *p, struct cdc_err *err)
{
	return header(p, tsv_string, "\t", err);
}

static int tsv_batch(struct cdc_printer *p, const struct cdc_batch *b, struct cdc_err *err)
{
	return batch(p, b, tsv_string, "\t", CDC_STR("\\N"), err);
}

const struct cdc_print_ops cdc_print_csv = { csv_begin, csv_batch, NULL };
const struct cdc_print_ops cdc_print_tsv = { tsv_begin, tsv_batch, NULL };
