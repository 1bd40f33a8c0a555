/*
 * What happened to a table: its commits, newest first.
 */
#ifndef CDC_TABLE_HISTORY_H
#define CDC_TABLE_HISTORY_H

#include "delta/log.h"
#include "table/print.h"

/*
 * Print the commits that are in the log, up to `version` (-1: all) and at most `limit` (-1: all):
 * version, timestamp, operation, engineInfo, operationParameters, operationMetrics, null where a
 * commit does not tell. As NDJSON the parameters and metrics are objects, in CSV and TSV their JSON
 * text; a table for people leaves them out.
 */
int cdc_history_print(const struct cdc_io *io, const char *table, int64_t version, int64_t limit,
		      enum cdc_print_format format, struct cdc_writer *out,
		      struct cdc_err *err) CDC_NODISCARD;

#endif
