/* TiCDC's open protocol between the files of its decoder: columns and their values. */
#ifndef CDC_SOURCE_TICDC_H
#define CDC_SOURCE_TICDC_H

#include "source/dialect/json_in.h"

/* Flags of columns. */
#define TICDC_BINARY 0x01u
#define TICDC_HANDLE_KEY 0x02u
#define TICDC_PRIMARY_KEY 0x08u
#define TICDC_NULLABLE 0x40u
#define TICDC_UNSIGNED 0x80u

/* Fill types, nullability, and how values are printed, of a column by type code and flags; types
 * are literals. */
void ticdc_column(struct cdc_change_column *col, uint64_t code, uint64_t flags);

/* Print the value at `tok`, which is not null. What is wrong is a failure of the output that names
 * the column. */
void ticdc_put(struct cdc_json_in *j, const struct cdc_change_column *col, uint32_t tok);

#endif
