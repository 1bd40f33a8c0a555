/* The dataTypeNumbers of DTS columns (spec section 1.4). */
#ifndef CDC_SOURCE_DTS_TYPES_H
#define CDC_SOURCE_DTS_TYPES_H

#include "source/dts/dts_int.h"

struct dts_type {
	int32_t number;
	const char *source_type; /* as the source calls it, NULL: its sign or digits are not told */
	const char *type; /* of a SCHEMA record, NULL: the values must tell */
	const char *binary_type; /* when values are binary, NULL: they never are */
	const char *text_type; /* when values are text and `type` is NULL */
	uint8_t as; /* enum dts_text_as */
};

/* NULL: a number that is not in the tables, or a source whose numbers are not known. */
const struct dts_type *dts_type_find(const char *source_type, int32_t number);

#endif
