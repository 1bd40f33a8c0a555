/*
 * Printing of rows as a box, as Spark's show() draws it, for people. See print.h.
 *
 * The widths are those of a block of rows; a longer table is drawn as several boxes, so that memory
 * stays bounded.
 */
#include "table/print/print_int.h"

#include "base/display.h"

#include <stdlib.h>

#define BLOCK_ROWS 10000
#define BLOCK_BYTES ((size_t)16 << 20)
#define WIDTH_MIN 3

/* ------------------------------------------------------------------ cells */

static int put_base64(struct cdc_buf *out, struct cdc_str bytes, uint32_t *width,
		      struct cdc_err *err)
{
	const struct cdc_print_sink sink = { .buf = out };
	size_t from = out->len;
	int rc = cdc_print_base64(&sink, bytes, err);

	*width = (uint32_t)(out->len - from);
	return rc;
}

static int put_cell(struct cdc_printer *p, const struct cdc_column *c, uint32_t row,
		    struct cdc_err *err)
{
	struct cdc_print_cell *cell = &p->cell[p->num_cells];
	struct cdc_str json = CDC_STR("null");
	char text[CDC_VALUE_TEXT_MAX];
	int rc = CDC_OK;

	*cell = (struct cdc_print_cell){ .off = p->text.len };
	if (cdc_column_is_null(c, row)) {
		rc = cdc_display_put(&p->text, json, &cell->width, err);
	} else if (c->field->type == CDC_TYPE_STRING) {
		rc = cdc_display_put(&p->text, ((const struct cdc_str *)c->values)[row],
				     &cell->width, err);
	} else if (c->field->type == CDC_TYPE_BINARY) {
		rc = put_base64(&p->text, ((const struct cdc_str *)c->values)[row], &cell->width,
				err);
	} else if (cdc_print_is_short(c->field)) {
		rc = cdc_display_put(&p->text, cdc_str(text, cdc_print_value(c, row, text)),
				     &cell->width, err);
	} else {
		rc = cdc_print_json_cell(p, c, row, &json, err);
		if (rc == CDC_OK)
			rc = cdc_display_put(&p->text, json, &cell->width, err);
	}
	cell->len = (uint32_t)(p->text.len - cell->off);
	p->num_cells++;
	return rc;
}

/* ------------------------------------------------------------------ the box */

static int repeat(struct cdc_writer *w, char c, uint32_t n, struct cdc_err *err)
{
	char *at = cdc_writer_reserve(w, n, err);

	if (!at)
		return err->code;
	memset(at, c, n);
	cdc_writer_advance(w, n);
	return CDC_OK;
}

static int draw_rule(struct cdc_printer *p, const uint32_t *width, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; rc == CDC_OK && i < p->num_fields; i++) {
		rc = cdc_writer_put(p->out, "+", 1, err);
		if (rc == CDC_OK)
			rc = repeat(p->out, '-', width[i], err);
	}
	return rc < 0 ? rc : cdc_writer_put(p->out, "+\n", 2, err);
}

static int draw_row(struct cdc_printer *p, const struct cdc_print_cell *cell, const uint32_t *width,
		    struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; rc == CDC_OK && i < p->num_fields; i++) {
		rc = cdc_writer_put(p->out, "|", 1, err);
		if (rc == CDC_OK)
			rc = repeat(p->out, ' ', width[i] - cell[i].width, err);
		if (rc == CDC_OK)
			rc = cdc_writer_put(p->out, p->text.p + cell[i].off, cell[i].len, err);
	}
	return rc < 0 ? rc : cdc_writer_put(p->out, "|\n", 2, err);
}

static int reserve_row(struct cdc_printer *p, struct cdc_err *err)
{
	size_t need = p->num_cells + (size_t)p->num_fields;
	size_t cap = p->cap_cells ? p->cap_cells : 256;
	struct cdc_print_cell *grown;

	if (need <= p->cap_cells)
		return CDC_OK;
	while (cap < need)
		cap *= 2;
	grown = reallocarray(p->cell, cap, sizeof(*grown));
	if (!grown)
		return cdc_fail_nomem(err);
	p->cell = grown;
	p->cap_cells = cap;
	return CDC_OK;
}

/* The first row of cells is the header. */
static int put_header(struct cdc_printer *p, struct cdc_err *err)
{
	int rc;

	cdc_buf_reset(&p->text);
	p->num_cells = 0;
	rc = reserve_row(p, err);
	for (int i = 0; rc == CDC_OK && i < p->num_fields; i++) {
		struct cdc_print_cell *cell = &p->cell[p->num_cells++];

		*cell = (struct cdc_print_cell){ .off = p->text.len };
		rc = cdc_display_put(&p->text, p->field[i]->name, &cell->width, err);
		cell->len = (uint32_t)(p->text.len - cell->off);
	}
	return rc;
}

static int draw(struct cdc_printer *p, struct cdc_err *err)
{
	uint32_t *width = calloc((size_t)p->num_fields + 1, sizeof(*width));
	size_t n = (size_t)p->num_fields;
	int rc;

	if (!width)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		width[i] = WIDTH_MIN;
	for (size_t i = 0; i < p->num_cells; i++) {
		if (p->cell[i].width > width[i % n])
			width[i % n] = p->cell[i].width;
	}
	rc = draw_rule(p, width, err);
	if (rc == CDC_OK && n)
		rc = draw_row(p, p->cell, width, err);
	if (rc == CDC_OK)
		rc = draw_rule(p, width, err);
	for (size_t i = n; rc == CDC_OK && i < p->num_cells; i += n)
		rc = draw_row(p, p->cell + i, width, err);
	if (rc == CDC_OK)
		rc = draw_rule(p, width, err);
	free(width);
	p->printed = true;
	return rc;
}

static int table_batch(struct cdc_printer *p, const struct cdc_batch *b, struct cdc_err *err)
{
	size_t n = (size_t)p->num_fields;

	for (uint32_t row = 0; n && row < b->rows; row++) {
		int rc = reserve_row(p, err);

		for (size_t i = 0; rc == CDC_OK && i < n; i++) {
			rc = put_cell(p, &b->column[i], row, err);
			if (rc < 0)
				rc = cdc_print_failed(p->field[i], err);
		}
		if (rc == CDC_OK && (p->num_cells / n > BLOCK_ROWS || p->text.len > BLOCK_BYTES)) {
			rc = draw(p, err);
			if (rc == CDC_OK)
				rc = put_header(p, err);
		}
		if (rc < 0)
			return rc;
	}
	return CDC_OK;
}

static int table_finish(struct cdc_printer *p, struct cdc_err *err)
{
	return p->num_cells > (size_t)p->num_fields || !p->printed ? draw(p, err) : CDC_OK;
}

const struct cdc_print_ops cdc_print_table = { put_header, table_batch, table_finish };
