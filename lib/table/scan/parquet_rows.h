/*
 * Format parquet: Parquet files of rows, as AWS DMS and Spark write them, for cdc_source. It stands
 * here since lib/source knows nothing of Parquet: hand it over in struct cdc_source_options.more.
 */
#ifndef CDC_TABLE_PARQUET_ROWS_H
#define CDC_TABLE_PARQUET_ROWS_H

#include "source/source_int.h"

extern const struct cdc_format cdc_format_parquet;

#endif
