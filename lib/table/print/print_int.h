/*
 * Inside the printers.
 */
#ifndef CDC_TABLE_PRINT_INT_H
#define CDC_TABLE_PRINT_INT_H

#include "table/print/print.h"
#include "table/print/print_sink.h"

struct cdc_print_parquet;

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
	struct cdc_print_sink sink; /* the same */
	struct cdc_buf json; /* all but NDJSON: a value that is shown as its JSON text */
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
	struct cdc_print_parquet *parquet; /* PARQUET: the file */
};

extern const struct cdc_print_ops cdc_print_ndjson;
extern const struct cdc_print_ops cdc_print_csv;
extern const struct cdc_print_ops cdc_print_tsv;
extern const struct cdc_print_ops cdc_print_table;
extern const struct cdc_print_ops cdc_print_parquet;

void cdc_print_parquet_free(struct cdc_print_parquet *q);

/* The JSON text of one value in a format whose cells are held in memory: 1 GiB at most. */
#define CDC_PRINT_JSON_MAX ((size_t)1 << 30)

/* Types whose text is short: at most CDC_VALUE_TEXT_MAX bytes. */
static inline bool cdc_print_is_short(const struct cdc_field *f)
{
	const uint32_t long_types = 1u << CDC_TYPE_STRING | 1u << CDC_TYPE_BINARY |
				    1u << CDC_TYPE_VARIANT | 1u << CDC_TYPE_STRUCT |
				    1u << CDC_TYPE_ARRAY | 1u << CDC_TYPE_MAP |
				    1u << CDC_TYPE_BIG_DECIMAL;

	return !(long_types >> f->type & 1);
}
static inline bool cdc_print_is_bytes(const struct cdc_field *f)
{
	return f->type == CDC_TYPE_STRING || f->type == CDC_TYPE_BINARY;
}

/* Text of a value of a short type, at most CDC_VALUE_TEXT_MAX bytes. */
size_t cdc_print_value(const struct cdc_column *c, uint32_t row, char *out);
/* The same as JSON: in quotes if it is no JSON number or boolean. */
#define CDC_PRINT_SCALAR_MAX (CDC_VALUE_TEXT_MAX + 2)
size_t cdc_print_json_scalar(const struct cdc_column *c, uint32_t row, char *out);

/*
 * JSON of one value of any type, null included; of a nested one by recursion over the columns,
 * which are no deeper than schemas are. Long strings go out in pieces. CDC_ECORRUPT: text that is
 * not UTF-8, or a malformed variant; CDC_EUNSUPPORTED: a variant of a type that is newer than this.
 */
int cdc_print_json(const struct cdc_print_sink *s, const struct cdc_column *c, uint32_t row,
		   struct cdc_err *err) CDC_NODISCARD;
/* A string in quotes; it must be UTF-8. */
int cdc_print_json_string(const struct cdc_print_sink *s, struct cdc_str text,
			  struct cdc_err *err) CDC_NODISCARD;
/* Base64, without quotes and with them. */
int cdc_print_base64(const struct cdc_print_sink *s, struct cdc_str bytes,
		     struct cdc_err *err) CDC_NODISCARD;
int cdc_print_json_binary(const struct cdc_print_sink *s, struct cdc_str bytes,
			  struct cdc_err *err) CDC_NODISCARD;
/* Say which column an error is about. Returns err->code. */
int cdc_print_failed(const struct cdc_field *f, struct cdc_err *err);

/* JSON of a value into p->json: how the other formats show nested values, variants and decimals of
 * any length. The text lives until the next call. */
int cdc_print_json_cell(struct cdc_printer *p, const struct cdc_column *c, uint32_t row,
			struct cdc_str *text, struct cdc_err *err) CDC_NODISCARD;

#endif
