/*
 * Bounds and values of a Parquet leaf as those of the table's column.
 */
#ifndef CDC_TABLE_SCAN_BOUNDS_H
#define CDC_TABLE_SCAN_BOUNDS_H

#include "table/datafile/convert.h"
#include "table/where/where.h"

/* A leaf, and how its values become the column's; node == NULL: no leaf that is understood. */
struct cdc_skip_leaf {
	const struct cdc_field *field;
	const struct cdc_pq_node *node;
	struct cdc_convert convert;
};

/* Take in min and max of the file (PLAIN bytes), where they can be converted. */
void cdc_skip_take_bounds(const struct cdc_skip_leaf *l, struct cdc_str min, struct cdc_str max,
			  struct cdc_bounds *b);

/*
 * The only PLAIN bytes that become `v`, into `text` or as they are. CDC_OK; CDC_END: no bytes do;
 * CDC_EUNSUPPORTED without a message: there may be several, or the type is not handled.
 */
int cdc_skip_plain(const struct cdc_skip_leaf *l, const union cdc_value *v, char text[16],
		   struct cdc_str *out);

#endif
