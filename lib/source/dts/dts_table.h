/*
 * What is the same for all events of a table, rendered once: its name, its columns, its SCHEMA
 * record, whether --table keeps it. Looked up by the bytes of the event, so that the common case
 * is three compares.
 */
#ifndef CDC_SOURCE_DTS_TABLE_H
#define CDC_SOURCE_DTS_TABLE_H

#include "base/hash.h"
#include "base/json.h"
#include "source/columns.h"
#include "source/dts/dts_types.h"
#include "source/source_int.h"

#define DTS_NAME_LOAD 16u /* bytes that can be read at any column's name */

struct dts_table_column {
	uint32_t off; /* of ,"name": in names */
	uint32_t len;
	struct cdc_str name; /* in raw_fields */
	int32_t number; /* dataTypeNumber */
	const struct dts_type *type; /* NULL: not known */
	uint8_t as; /* enum dts_text_as */
	uint8_t content; /* what values were: 0 nothing yet, 1 text, 2 binary */
};

struct dts_table {
	char *object; /* objectName as it came */
	size_t object_len;
	char *source_type; /* symbol of the source */
	struct cdc_buf raw_fields; /* encoded fields as they came */
	struct cdc_buf raw_key; /* pk_uk_info as it came */
	uint64_t layout_id; /* of the layout that raw_fields is of */
	bool has_fields;
	bool keep;
	bool printed; /* `schema` is in the output */
	struct cdc_buf name; /* db.table, unescaped, NUL-terminated */
	struct cdc_out db_table; /* "db.table" as JSON */
	struct cdc_out fields; /* ["id","date"] */
	struct cdc_out names; /* ,"id":,"date": and DTS_NAME_LOAD bytes more */
	struct cdc_out schema; /* the SCHEMA record */
	struct dts_table_column *col;
	uint32_t n_cols;
};

struct dts_tables {
	struct cdc_source *s;
	struct dts_table **table;
	uint32_t n;
	uint32_t cap;
	struct cdc_map map;
	struct dts_table *last;
	struct cdc_tape tape; /* for pk_uk_info */
	struct cdc_names given_key; /* --key */
};

#define DTS_TABLES_MAX 20000u /* then all are forgotten: SCHEMA records are printed again */

int dts_tables_init(struct dts_tables *ts, struct cdc_source *s, struct cdc_err *err) CDC_NODISCARD;
void dts_tables_free(struct dts_tables *ts);

/* The table of a row event, with its columns. CDC_EDATA: bad columns or name. */
int dts_tables_find(struct dts_tables *ts, const struct dts_layout *l, const struct dts_event *e,
		    struct dts_table **t, struct cdc_err *err) CDC_NODISCARD;
/* Learn from an image; true if the SCHEMA record is no longer right. */
bool dts_table_learn(struct dts_table *t, const struct dts_image *img);
/* Print the SCHEMA record if it is not in the output as it is now; sets t->printed. */
int dts_table_schema(struct dts_tables *ts, struct dts_table *t, struct cdc_out *o,
		     struct cdc_err *err) CDC_NODISCARD;

/* objectName to db.table: parts are split at dots, then the escapes \u002E become dots. */
int dts_object_name(struct cdc_str object, struct cdc_buf *name, struct cdc_err *err) CDC_NODISCARD;

#endif
