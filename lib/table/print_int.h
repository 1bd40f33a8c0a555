/*
 * Inside the printers.
 */
#ifndef CDC_TABLE_PRINT_INT_H
#define CDC_TABLE_PRINT_INT_H

#include "table/print.h"

struct cdc_print_ops {
	int (*begin)(struct cdc_printer *p, struct cdc_err *err);
	int (*batch)(struct cdc_printer *p, const struct cdc_batch *b, struct cdc_err *err);
	int (*finish)(struct cdc_printer *p, struct cdc_err *err);
};

struct cdc_print_cell {
	size_t off; /* in text */
	uint32_t len;
	uint32_t width; /* columns of a terminal */
};

struct cdc_printer {
	const struct cdc_print_ops *ops;
	const struct cdc_field **field;
	int num_fields;
	struct cdc_writer *out;
	bool begun;
	/* NDJSON: what stands before each value: {"id": or ,"name": */
	struct cdc_buf keys;
	size_t *key_end;
	/* TABLE: cells that wait until the widths are known */
	struct cdc_buf text;
	struct cdc_print_cell *cell;
	size_t num_cells;
	size_t cap_cells;
	bool printed;
};

extern const struct cdc_print_ops cdc_print_ndjson;
extern const struct cdc_print_ops cdc_print_csv;
extern const struct cdc_print_ops cdc_print_tsv;
extern const struct cdc_print_ops cdc_print_table;

/* Text of a value that is neither a string nor binary: at most CDC_VALUE_TEXT_MAX bytes. */
size_t cdc_print_value(const struct cdc_column *c, uint32_t row, char *out);
static inline bool cdc_print_is_bytes(const struct cdc_field *f)
{
	return f->type == CDC_TYPE_STRING || f->type == CDC_TYPE_BINARY;
}
/* Base64 of a binary value. */
int cdc_print_base64(struct cdc_writer *w, struct cdc_str s, struct cdc_err *err) CDC_NODISCARD;

#endif
