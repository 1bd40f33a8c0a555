/*
 * What a single Parquet file is: its schema tree, free metadata, row groups and column chunks, from
 * the footer alone.
 *
 * Nothing in a footer is believed but for its form: names and values may be any bytes, numbers any
 * numbers. What is printed is valid JSON all the same, and memory does not grow with its length.
 */
#ifndef CDC_TABLE_DESCRIBE_FILE_H
#define CDC_TABLE_DESCRIBE_FILE_H

#include "parquet/parquet.h"
#include "table/print/print.h"

/*
 * Print the description of an open file that is called `name` and has `size` bytes: with
 * CDC_PRINT_NDJSON one object on one line, whose members are those of cdc-snapshot(1), with
 * CDC_PRINT_TABLE a box with a line for each leaf column, summed over the row groups. Other formats
 * are CDC_EUSAGE.
 */
int cdc_describe_file(const struct cdc_pq_file *f, const char *name, uint64_t size,
		      enum cdc_print_format format, struct cdc_writer *out,
		      struct cdc_err *err) CDC_NODISCARD;

/* The same of a path, which is opened and closed. */
int cdc_describe_path(const struct cdc_io *io, const char *path, enum cdc_print_format format,
		      struct cdc_writer *out, struct cdc_err *err) CDC_NODISCARD;

#endif
