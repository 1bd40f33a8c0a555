/*
 * Change records as a box for people, with the columns that DTS's own parser prints: recordid,
 * source, dbtable, recordtype, recordtimestamp, extratags, fields, beforeimages, afterimages.
 *
 * In an image null stands for NULL and ? for a column whose value the source did not tell. DDL and
 * transaction records are shown too; SCHEMA and CHECKPOINT records are not.
 */
#ifndef CDC_SOURCE_SHOW_H
#define CDC_SOURCE_SHOW_H

#include "io/stream.h"

struct cdc_show;

/* `columns`: of the terminal, 0: nothing is left out or cut. The writer is borrowed. */
int cdc_show_new(struct cdc_show **s, struct cdc_writer *out, uint32_t columns,
		 struct cdc_err *err) CDC_NODISCARD;
/*
 * Show a batch of records, one a line. All of it is drawn: the box fits what has come so far, and
 * where a later batch needs more it is closed and a wider one begun.
 */
int cdc_show_lines(struct cdc_show *s, struct cdc_str lines, struct cdc_err *err) CDC_NODISCARD;
/* Close the box; an empty one is drawn when there was no record. */
int cdc_show_finish(struct cdc_show *s, struct cdc_err *err) CDC_NODISCARD;
void cdc_show_free(struct cdc_show *s);

#endif
