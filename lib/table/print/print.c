/*
 * Printing of rows: what the formats share, and NDJSON. See print.h.
 */
#include "table/print/print_int.h"

#include "base/json.h"

#include <stdlib.h>

int cdc_printer_new(struct cdc_printer **out, enum cdc_print_format format,
		    const struct cdc_field *const *field, int num_fields, struct cdc_writer *w,
		    struct cdc_err *err)
{
	static const struct cdc_print_ops *const ops[] = {
		[CDC_PRINT_NDJSON] = &cdc_print_ndjson,	  [CDC_PRINT_CSV] = &cdc_print_csv,
		[CDC_PRINT_TSV] = &cdc_print_tsv,	  [CDC_PRINT_TABLE] = &cdc_print_table,
		[CDC_PRINT_PARQUET] = &cdc_print_parquet,
	};
	struct cdc_printer *p = calloc(1, sizeof(*p));

	if (!p)
		return cdc_fail_nomem(err);
	p->ops = ops[format];
	p->out = w;
	p->sink.writer = w;
	p->json.max = CDC_PRINT_JSON_MAX;
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
	cdc_buf_free(&p->json);
	cdc_print_parquet_free(p->parquet);
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

int cdc_print_json_cell(struct cdc_printer *p, const struct cdc_column *c, uint32_t row,
			struct cdc_str *text, struct cdc_err *err)
{
	const struct cdc_print_sink sink = { .buf = &p->json };
	int rc;

	cdc_buf_reset(&p->json);
	rc = cdc_print_json(&sink, c, row, err);
	*text = cdc_buf_str(&p->json);
	return rc;
}

/* ------------------------------------------------------------------ NDJSON */

static int ndjson_begin(struct cdc_printer *p, struct cdc_err *err)
{
	for (int i = 0; i < p->num_fields; i++) {
		int rc;

		if (!cdc_utf8_valid(p->field[i]->name.p, p->field[i]->name.n))
			return cdc_fail(err, CDC_ECORRUPT,
					"the name of column %d is not UTF-8: JSON cannot show it",
					i + 1);
		if ((rc = cdc_buf_putc(&p->keys, i ? ',' : '{', err)) < 0 ||
		    (rc = cdc_json_put_string(&p->keys, p->field[i]->name, err)) < 0 ||
		    (rc = cdc_buf_putc(&p->keys, ':', err)) < 0)
			return rc;
		p->key_end[i] = p->keys.len;
	}
	return CDC_OK;
}

static int ndjson_cell(struct cdc_printer *p, const struct cdc_column *c, struct cdc_str key,
		       uint32_t row, struct cdc_err *err)
{
	char *start = cdc_writer_reserve(p->out, key.n + CDC_PRINT_SCALAR_MAX, err);
	char *at;

	if (!start)
		return err->code;
	memcpy(start, key.p, key.n);
	at = start + key.n;
	if (cdc_column_is_null(c, row)) {
		memcpy(at, "null", 4);
		at += 4;
	} else if (cdc_print_is_short(c->field)) {
		at += cdc_print_json_scalar(c, row, at);
	} else {
		cdc_writer_advance(p->out, key.n);
		return cdc_print_json(&p->sink, c, row, err);
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
				return cdc_print_failed(p->field[i], err);
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
