/* TRUNCATE statements. */
#ifndef CDC_SOURCE_TRUNCATE_H
#define CDC_SOURCE_TRUNCATE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/*
 * Is the statement a TRUNCATE of one table and nothing else? Then its db.table, NUL-terminated, is
 * in `name`. `db` is the database that the statement was given in.
 */
int cdc_truncated_table(struct cdc_str ddl, struct cdc_str db, struct cdc_buf *name, bool *yes,
			struct cdc_err *err) CDC_NODISCARD;

#endif
