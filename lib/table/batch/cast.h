/*
 * Text of a change record's image to a value of the column's type, or the reason why not.
 */
#ifndef CDC_TABLE_CAST_H
#define CDC_TABLE_CAST_H

#include "delta/stats.h"

/*
 * Cast `text` (decoded, not JSON-escaped) to the type of `f`. Strings are borrowed from `text`;
 * binary is decoded from base64 into `arena`. CDC_EDATA with a message that names the column, the
 * type and the value when it does not fit: nothing is rounded, cut or made null.
 */
int cdc_cast_text(const struct cdc_field *f, struct cdc_str text, struct cdc_arena *arena,
		  union cdc_value *out, struct cdc_err *err) CDC_NODISCARD;

#endif
