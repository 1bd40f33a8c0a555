/*
 * What a table is, as JSON text.
 */
#ifndef CDC_TABLE_DESCRIBE_H
#define CDC_TABLE_DESCRIBE_H

#include "delta/log.h"

/*
 * One object on one line, without the line end: table, version, timestamp, id, name, description,
 * schema, partitionColumns, protocol, properties, files, rows, bytes, deletionVectors, deletedRows.
 * The rows are counted exactly: a file whose statistics do not tell has its footer read.
 */
int cdc_describe(const struct cdc_io *io, const struct cdc_snapshot *s, struct cdc_buf *out,
		 struct cdc_err *err) CDC_NODISCARD;

/* Take the white space between the tokens of the JSON text at out->p + from out: what others wrote
 * may have line ends in it. */
void cdc_json_to_line(struct cdc_buf *out, size_t from);

#endif
