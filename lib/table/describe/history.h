/*
 * What happened to a table: its commits, newest first.
 */
#ifndef CDC_TABLE_HISTORY_H
#define CDC_TABLE_HISTORY_H

#include "delta/log.h"
#include "table/print/print.h"

/*
 * Print the commits that are in the log up to the snapshot's version, at most `limit` (-1: all):
 * version, timestamp (see cdc_log_times), operation, engineInfo, userName, readVersion,
 * isBlindAppend, the number of add and remove actions, operationParameters, operationMetrics, null
 * where a commit does not tell. What the commit tells has the form that its writer gave it. In CSV
 * and TSV values that are no strings are their JSON text; a table for people ends with engineInfo.
 *
 * Of a commit its commitInfo alone is looked at, and not more than whether the rest is JSON: the
 * history of a table that cannot be read can be printed all the same. CDC_ECORRUPT, with the file:
 * a commit that is no JSON.
 */
int cdc_history_print(const struct cdc_io *io, const struct cdc_snapshot *s, int64_t limit,
		      enum cdc_print_format format, struct cdc_writer *out,
		      struct cdc_err *err) CDC_NODISCARD;

/* The same without a snapshot; times are those of the commits' files. version -1: all. */
int cdc_history_print_log(const struct cdc_io *io, const char *table, int64_t version,
			  int64_t limit, enum cdc_print_format format, struct cdc_writer *out,
			  struct cdc_err *err) CDC_NODISCARD;

#endif
