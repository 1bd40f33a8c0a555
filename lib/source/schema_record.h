/* The SCHEMA record: what a table's columns and key are. */
#ifndef CDC_SOURCE_SCHEMA_RECORD_H
#define CDC_SOURCE_SCHEMA_RECORD_H

#include "source/out.h"

struct cdc_schema_column {
	struct cdc_str name;
	struct cdc_str type; /* empty: not known */
	struct cdc_str source_type; /* as the source spells it; empty: not known */
	bool not_null;
};

/* Print it with its LF. Columns of the key are not nullable. n_key 0: no primary key is known. */
void cdc_schema_record_print(struct cdc_out *o, struct cdc_str db_table,
			     const struct cdc_schema_column *col, size_t n,
			     const struct cdc_str *key, size_t n_key);

/* The type of a SCHEMA record for a column type as DDL spells it: "BIGINT(20) UNSIGNED" ->
 * "bigint unsigned". `out` has room for ddl.n bytes; returns the length. */
size_t cdc_schema_type(struct cdc_str ddl, char *out);

#endif
