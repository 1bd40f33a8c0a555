/*
 * Variant values as JSON, put together again where they are shredded.
 *
 * Source: VariantEncoding.md and VariantShredding.md of parquet-format. Numbers, dates, times and
 * bytes look as they do in columns of such types. A variant null prints as null, and so does a
 * variant that is missing where there must be one. The members of an object come in the order of
 * their names' bytes if the file has them so, shredded or not; a member that is in both places,
 * which no writer may do, is the shredded one.
 *
 * Offsets, lengths and ids are the file's and checked: what is malformed is CDC_ECORRUPT, among it
 * values that overlap (they could make a small file print without end) and more than
 * CDC_VARIANT_DEPTH levels of objects and arrays. A type that the specification got later is
 * CDC_EUNSUPPORTED. After an error a part of the text may be in the sink.
 */
#ifndef CDC_TABLE_VARIANT_H
#define CDC_TABLE_VARIANT_H

#include "table/batch/batch.h"

struct cdc_print_sink; /* table/print/print_sink.h */

#define CDC_VARIANT_DEPTH 128

/* The value in a row of a VARIANT column that is not null there (see table/batch/batch.h). */
int cdc_variant_print(const struct cdc_print_sink *s, const struct cdc_column *c, uint32_t row,
		      struct cdc_err *err) CDC_NODISCARD;

/* The value that the two binaries of an unshredded variant are. */
int cdc_variant_print_binary(const struct cdc_print_sink *s, struct cdc_str metadata,
			     struct cdc_str value, struct cdc_err *err) CDC_NODISCARD;

#endif
