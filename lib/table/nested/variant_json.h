/*
 * A walk over a JSON text that is to become a variant.
 */
#ifndef CDC_TABLE_VARIANT_JSON_H
#define CDC_TABLE_VARIANT_JSON_H

#include "base/json.h"
#include "table/nested/variant_int.h"

/*
 * Tell the sink of value `tok` of the tape; which number becomes which type: see
 * cdc_variant_from_json. Text is unescaped into `arena`. CDC_EDATA: a number that no double holds;
 * and what the sink refuses.
 */
int cdc_variant_json_walk(const struct cdc_variant_sink *s, const struct cdc_tape *tape,
			  uint32_t tok, struct cdc_arena *arena, struct cdc_err *err) CDC_NODISCARD;

#endif
