/*
 * Names of what a Parquet footer holds by number, and bounds as text.
 */
#ifndef CDC_TABLE_DESCRIBE_NAMES_H
#define CDC_TABLE_DESCRIBE_NAMES_H

#include "parquet/pq_format.h"

/* The names of parquet.thrift; NULL for a number that it does not have. */
const char *cdc_pq_name_type(enum cdc_pq_type t);
const char *cdc_pq_name_repetition(enum cdc_pq_repetition r);
const char *cdc_pq_name_converted(enum cdc_pq_converted c);
const char *cdc_pq_name_logical(enum cdc_pq_logical l);
const char *cdc_pq_name_unit(enum cdc_pq_time_unit u);
const char *cdc_pq_name_codec(enum cdc_pq_codec c);
const char *cdc_pq_name_encoding(int encoding);

/* Names from the root down, joined by dots: "list.element". */
int cdc_pq_put_path(const struct cdc_pq_schema *s, int32_t node, struct cdc_buf *out,
		    struct cdc_err *err) CDC_NODISCARD;

/* A type for people: "DECIMAL(7,2)", "TIMESTAMP(MICROS)", "STRING"; the physical type without an
 * annotation. */
int cdc_pq_put_type(const struct cdc_pq_node *n, struct cdc_buf *out,
		    struct cdc_err *err) CDC_NODISCARD;

/*
 * A bound that is usable (struct cdc_pq_statistics) as text of the column's logical type: dates,
 * times and decimals as such, UUIDs in their usual form, text as it is, other bytes as base64. What
 * the type has no text for is the stored number.
 */
int cdc_pq_put_bound(const struct cdc_pq_node *leaf, struct cdc_str plain, struct cdc_buf *out,
		     struct cdc_err *err) CDC_NODISCARD;

#endif
