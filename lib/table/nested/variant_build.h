/*
 * Variants in the binary encoding (VariantEncoding.md), made from what a walk or a JSON text tells.
 *
 * The form is canonical: the dictionary holds the names that the value uses, sorted and each once;
 * the members of objects are in the order of their names; counts, ids and offsets take the fewest
 * bytes. So two values that are the same, each number in the same type, are the same bytes.
 */
#ifndef CDC_TABLE_VARIANT_BUILD_H
#define CDC_TABLE_VARIANT_BUILD_H

#include "base/json.h"
#include "table/batch/batch.h"

#define CDC_VARIANT_MAX_BYTES ((size_t)128 << 20) /* what Spark reads at most */

struct cdc_variant_build;

int cdc_variant_build_new(struct cdc_variant_build **b, struct cdc_err *err) CDC_NODISCARD;
void cdc_variant_build_free(struct cdc_variant_build *b);

/*
 * The binaries of a value, which live until the next call. CDC_EDATA: it takes more than
 * CDC_VARIANT_MAX_BYTES.
 *
 * From a row of a VARIANT column that is not null there, shredded or not; other errors: see
 * variant.h.
 */
int cdc_variant_from_column(struct cdc_variant_build *b, const struct cdc_column *c, uint32_t row,
			    struct cdc_str *metadata, struct cdc_str *value,
			    struct cdc_err *err) CDC_NODISCARD;

/*
 * From value `tok` of a scanned JSON text. Integers of 64 bits take the fewest bytes; other numbers
 * without exponent and of up to 38 digits are decimals with the digits as they stand, the rest
 * doubles. CDC_EDATA: two members of one name, more than CDC_VARIANT_DEPTH levels, or a number that
 * no double holds.
 */
int cdc_variant_from_json(struct cdc_variant_build *b, const struct cdc_tape *tape, uint32_t tok,
			  struct cdc_str *metadata, struct cdc_str *value,
			  struct cdc_err *err) CDC_NODISCARD;

#endif
