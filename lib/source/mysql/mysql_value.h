/*
 * Columns and values of MySQL as Canal spells them, whatever they travel in: types by their full
 * text, numbers for the members of ENUM and SET, bytes as the code points 0 to 255.
 */
#ifndef CDC_SOURCE_MYSQL_VALUE_H
#define CDC_SOURCE_MYSQL_VALUE_H

#include "source/change.h"
#include "source/mysql/mysql_type.h"

/* Fill type and as (enum cdc_mysql_kind) by the column's source_type; the text is in the arena. */
int cdc_mysql_column(struct cdc_change_column *col, struct cdc_arena *a,
		     struct cdc_err *err) CDC_NODISCARD;

/* Print a value that is not null. `scratch` is reset. What is wrong is a failure of the output that
 * names the column. */
void cdc_mysql_put(struct cdc_out *o, struct cdc_arena *scratch, const struct cdc_zone *zone,
		   const struct cdc_change_column *col, struct cdc_str s);

#endif
