/*
 * A single Parquet file, seen as a table: one version, one file, and the file's own schema.
 */
#ifndef CDC_TABLE_PARQUET_TABLE_H
#define CDC_TABLE_PARQUET_TABLE_H

#include "delta/log.h"

/*
 * True when `path` names something that is not a directory and so can only be a file. A name that
 * cannot be examined is no file: what opens it as a table says why.
 */
bool cdc_is_parquet_operand(const struct cdc_io *io, const char *path);

/*
 * A snapshot of the file: version 0, a schema with file_node set, one add action without
 * statistics, protocol 1/2, no properties. Free it with cdc_snapshot_free. Errors are those of
 * cdc_pq_open. The file is read again by name when it is scanned.
 */
int cdc_parquet_table_open(struct cdc_snapshot **s, const struct cdc_io *io, const char *path,
			   struct cdc_err *err) CDC_NODISCARD;

#endif
