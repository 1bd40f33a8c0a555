/*
 * Batches of rows as text, or as a Parquet file. How values look: cdc-snapshot(1), and DESIGN:
 *exact digits, nothing rounded, nulls told from empty strings.
 *
 *	NDJSON	one object a line, null members printed, NaN and infinities as strings
 *	CSV	RFC 4180 with a header line and LF; null is empty, the empty string is ""
 *	TSV	header line; \N is null; tab, LF, CR and backslash as \t \n \r \\
 *	TABLE	a box for people; the columns are as wide as their values
 *	PARQUET	a file with the same columns, written past `out` to its descriptor
 *
 * Arrays, structs and variants are JSON arrays and objects, in CSV, TSV and TABLE as one text. A
 *map with string keys is an object, whose members may repeat if the map's keys do; another map is
 *an array of pairs.
 */
#ifndef CDC_TABLE_PRINT_H
#define CDC_TABLE_PRINT_H

#include "io/stream.h"
#include "table/batch/batch.h"

enum cdc_print_format {
	CDC_PRINT_NDJSON,
	CDC_PRINT_CSV,
	CDC_PRINT_TSV,
	CDC_PRINT_TABLE,
	CDC_PRINT_PARQUET
};

struct cdc_printer;

/* The fields are copied as pointers and must outlive the printer; so must `out`. */
int cdc_printer_new(struct cdc_printer **p, enum cdc_print_format format,
		    const struct cdc_field *const *field, int num_fields, struct cdc_writer *out,
		    struct cdc_err *err) CDC_NODISCARD;
/* Columns of the batch: those fields, in that order. CDC_ECORRUPT: JSON text of a string whose
 * bytes are not UTF-8, or of a malformed variant; CDC_EUNSUPPORTED: a variant of a type that is
 * newer than this; CDC_ENOMEM: the JSON text of a value passes 1 GiB in a format other than NDJSON.
 * The message names the column. */
int cdc_printer_batch(struct cdc_printer *p, const struct cdc_batch *b,
		      struct cdc_err *err) CDC_NODISCARD;
/* What is still held back. Does not flush the writer. */
int cdc_printer_finish(struct cdc_printer *p, struct cdc_err *err) CDC_NODISCARD;
void cdc_printer_free(struct cdc_printer *p);

/* Append the JSON text of one value of any type, as NDJSON has it, to `out`. Errors as above,
 * out->max in the place of 1 GiB; after one, `out` may hold a part of the text. */
int cdc_print_json_value(const struct cdc_column *c, uint32_t row, struct cdc_buf *out,
			 struct cdc_err *err) CDC_NODISCARD;

#endif
