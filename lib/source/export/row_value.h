/* Values of text exports whose columns have a type: the text of the export to that of a record. */
#ifndef CDC_SOURCE_ROW_VALUE_H
#define CDC_SOURCE_ROW_VALUE_H

#include "source/out.h"
#include "source/export/rows.h"

enum cdc_row_as {
	CDC_ROW_AS_IT_IS,
	CDC_ROW_AS_DATETIME, /* without a zone */
	CDC_ROW_AS_INSTANT,
	CDC_ROW_AS_TIME,
	CDC_ROW_AS_FLOAT,
	CDC_ROW_AS_DOUBLE,
	CDC_ROW_AS_BOOLEAN,
	CDC_ROW_AS_BYTES, /* they are what the field holds */
	CDC_ROW_AS_HEX, /* "61 62 63" */
	CDC_ROW_AS_BITS /* bytes of a number, the highest first */
};

/* For a type as SCHEMA records spell it. */
enum cdc_row_as cdc_row_as(enum cdc_row_style style, struct cdc_str type);
/* Is the field no text, so that no character set applies? */
static inline bool cdc_row_is_bytes(enum cdc_row_as as)
{
	return as == CDC_ROW_AS_BYTES || as == CDC_ROW_AS_BITS;
}

/*
 * Print the value in quotes. What is not of the form that the type has (a zero date) is printed as
 * it came; bytes that are not, fail the output. `zone` is that of instants (NULL: UTC).
 */
void cdc_row_print(struct cdc_out *o, enum cdc_row_as as, struct cdc_str text,
		   const struct cdc_zone *zone);

#endif
