/*
 * Types of Kafka Connect schemas: a base type and, for many, a semantic name ("io.debezium.time.
 * Date") that tells what its values mean (spec section 4.2). Shared by the JSON and Avro decoders.
 */
#ifndef CDC_SOURCE_CONNECT_TYPE_H
#define CDC_SOURCE_CONNECT_TYPE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "source/out.h"

enum cdc_connect_kind {
	CDC_CONNECT_ANY, /* no schema: by the JSON value alone */
	CDC_CONNECT_INTEGER,
	CDC_CONNECT_UNSIGNED_LONG, /* 64 bits that came as a signed number */
	CDC_CONNECT_FLOAT,
	CDC_CONNECT_DOUBLE,
	CDC_CONNECT_BOOLEAN,
	CDC_CONNECT_STRING,
	CDC_CONNECT_BYTES,
	CDC_CONNECT_NESTED, /* struct, array, map without a meaning */
	CDC_CONNECT_DECIMAL, /* arg: scale */
	CDC_CONNECT_DECIMAL_OR_TEXT, /* no schema tells which; arg: see debezium_decimal.c */
	CDC_CONNECT_VARIABLE_DECIMAL, /* struct{scale, value} */
	CDC_CONNECT_DATE, /* days */
	CDC_CONNECT_TIME_MS,
	CDC_CONNECT_TIME_US,
	CDC_CONNECT_TIME_NS,
	CDC_CONNECT_DATETIME_MS, /* a wall clock as if it were UTC */
	CDC_CONNECT_DATETIME_US,
	CDC_CONNECT_DATETIME_NS,
	CDC_CONNECT_INSTANT_MS,
	CDC_CONNECT_INSTANT_US,
	CDC_CONNECT_INSTANT_NS,
	CDC_CONNECT_ZONED, /* ISO text with an offset */
	CDC_CONNECT_ISO_DATETIME,
	CDC_CONNECT_ISO_DATE,
	CDC_CONNECT_ISO_TIME,
	CDC_CONNECT_BITS, /* little-endian; arg: how many */
	CDC_CONNECT_GEOMETRY /* struct{wkb, srid} */
};

/* What a field's schema tells; what is missing is empty. */
struct cdc_connect_schema {
	struct cdc_str base; /* "int32", "struct" … */
	struct cdc_str name; /* semantic */
	struct cdc_str scale; /* parameters, as text */
	struct cdc_str precision;
	struct cdc_str length;
	/* Of the column, where the connector propagates it. */
	struct cdc_str column_type;
	struct cdc_str column_length;
	struct cdc_str column_scale;
};

struct cdc_connect_type {
	enum cdc_connect_kind kind;
	uint32_t arg;
	struct cdc_buf type; /* of the SCHEMA record */
	struct cdc_buf source_type;
};

/* The buffers of *t are reset first. CDC_EDATA on a base type that is not known. */
int cdc_connect_type(const struct cdc_connect_schema *schema, struct cdc_connect_type *t,
		     struct cdc_err *err) CDC_NODISCARD;
void cdc_connect_type_free(struct cdc_connect_type *t);

/* Print a number of one of the integer kinds above as the value that it stands for. */
void cdc_connect_put_number(struct cdc_out *o, enum cdc_connect_kind kind, int64_t v);
/* Bits of Bits, at most 64, as an unsigned number; longer ones as base64. */
void cdc_connect_put_bits(struct cdc_out *o, struct cdc_str bytes);

/* Is it the value that stands for one that the source did not send? */
bool cdc_connect_unavailable(struct cdc_str text);

#endif
