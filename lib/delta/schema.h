/*
 * Table schemas: Delta's JSON form, the DDL form of --schema, and the mapping to Parquet.
 */
#ifndef CDC_DELTA_SCHEMA_H
#define CDC_DELTA_SCHEMA_H

#include "base/buf.h"
#include "base/error.h"
#include "base/value.h"
#include "parquet/pq_format.h"

enum cdc_type {
	CDC_TYPE_BOOLEAN,
	CDC_TYPE_BYTE,
	CDC_TYPE_SHORT,
	CDC_TYPE_INTEGER,
	CDC_TYPE_LONG,
	CDC_TYPE_FLOAT,
	CDC_TYPE_DOUBLE,
	CDC_TYPE_DECIMAL,
	CDC_TYPE_STRING,
	CDC_TYPE_BINARY,
	CDC_TYPE_DATE,
	CDC_TYPE_TIMESTAMP,
	CDC_TYPE_TIMESTAMP_NTZ,
	CDC_TYPE_VOID,
	CDC_TYPE_VARIANT,
	CDC_TYPE_STRUCT,
	CDC_TYPE_ARRAY,
	CDC_TYPE_MAP,
	/* Columns of Parquet files that no Delta table has: */
	CDC_TYPE_TIME,
	CDC_TYPE_TIMESTAMP_NS,
	CDC_TYPE_TIMESTAMP_NTZ_NS,
	CDC_TYPE_UUID,
	CDC_TYPE_INTERVAL,
	CDC_TYPE_BIG_DECIMAL /* more than 38 digits */
};

/* Columns that are not the table's, but go with its rows in files: see delta/row_tracking.h. */
enum cdc_field_role { CDC_FIELD_PLAIN, CDC_FIELD_ROW_ID, CDC_FIELD_ROW_COMMIT_VERSION };

struct cdc_field {
	struct cdc_str name;
	struct cdc_str physical_name; /* column mapping; == name without it */
	bool has_field_id; /* column mapping: delta.columnMapping.id */
	int32_t field_id;
	enum cdc_type type;
	int precision; /* DECIMAL */
	int scale;
	bool nullable;
	bool is_partition;
	enum cdc_field_role role;
	struct cdc_str metadata; /* raw JSON object, "{}" if none: kept byte for byte */
	struct cdc_str type_json; /* raw JSON of the type, for nested types */
	/* STRUCT: its fields; ARRAY: "element"; MAP: "key", "value". VARIANT: none in a table's
	 * schema; in a column that was read, the group of the file (see table/batch/batch.h). */
	struct cdc_field *child;
	int num_children;
	int32_t file_node; /* in a schema made from a Parquet file: its node there; 0: by name */
};

struct cdc_schema {
	struct cdc_field *field;
	int num_fields;
	struct cdc_arena arena; /* owns everything above */
};

#define CDC_SCHEMA_INIT                                                                            \
	{                                                                                          \
		NULL, 0, CDC_ARENA_INIT                                                            \
	}
#define CDC_SCHEMA_MAX_FIELDS 100000

static inline bool cdc_type_is_primitive(enum cdc_type t)
{
	return t <= CDC_TYPE_TIMESTAMP_NTZ;
}

/* Values of a table that are integers in memory, in the order of the values. */
static inline bool cdc_type_is_ordinal(enum cdc_type t)
{
	return (t >= CDC_TYPE_BYTE && t <= CDC_TYPE_LONG) || t == CDC_TYPE_DATE ||
	       t == CDC_TYPE_TIMESTAMP || t == CDC_TYPE_TIMESTAMP_NTZ;
}

/* Numbers of 128 bits. */
static inline bool cdc_type_is_wide(enum cdc_type t)
{
	return t == CDC_TYPE_DECIMAL || t == CDC_TYPE_TIMESTAMP_NS ||
	       t == CDC_TYPE_TIMESTAMP_NTZ_NS;
}

/* From metaData.schemaString. CDC_ECORRUPT if malformed, CDC_EUNSUPPORTED for an unknown type. */
int cdc_schema_from_json(struct cdc_schema *s, struct cdc_str json,
			 struct cdc_err *err) CDC_NODISCARD;
/* For a table whose delta.columnMapping.mode is absent or "none": the mapping that field metadata
 * may still hold does not count, physical names are the names. */
void cdc_schema_unmap(struct cdc_schema *s);
int cdc_schema_to_json(const struct cdc_schema *s, struct cdc_buf *out,
		       struct cdc_err *err) CDC_NODISCARD;

/*
 * From the DDL form: `id BIGINT NOT NULL, name STRING, sales DECIMAL(7,2)`. Types by Spark's names
 * and their usual synonyms (TINYINT/BYTE, SMALLINT/SHORT, INT/INTEGER, BIGINT/LONG, FLOAT/REAL,
 * DOUBLE, DECIMAL/DEC/NUMERIC[(p[,s])], STRING/TEXT/VARCHAR(n)/CHAR(n), BINARY, BOOLEAN/BOOL, DATE,
 * TIMESTAMP, TIMESTAMP_NTZ/DATETIME, VARIANT, VOID, ARRAY<T>, MAP<K, V>, STRUCT<name: T, …>, where
 * fields may be NOT NULL and the colon left out); names bare or in back quotes; COMMENT 'text' is
 * kept. CDC_EUSAGE with the place in the message.
 */
int cdc_schema_from_ddl(struct cdc_schema *s, struct cdc_str ddl,
			struct cdc_err *err) CDC_NODISCARD;

/* Append the type of a field in that form. That the elements of a list or the values of a map are
 * never null cannot be said in it, nor the names of types that no table has. */
int cdc_type_to_ddl(const struct cdc_field *f, struct cdc_buf *out,
		    struct cdc_err *err) CDC_NODISCARD;

/* Append a field (copied). CDC_EUSAGE when the name exists (ASCII case-insensitive), is empty, or
 * holds a NUL or invalid UTF-8. */
int cdc_schema_add(struct cdc_schema *s, const struct cdc_field *f,
		   struct cdc_err *err) CDC_NODISCARD;
int cdc_schema_copy(struct cdc_schema *to, const struct cdc_schema *from,
		    struct cdc_err *err) CDC_NODISCARD;
/* Index by name: exact, else ASCII case-insensitive; -1. */
int cdc_schema_find(const struct cdc_schema *s, struct cdc_str name);
/* Whether a table without column mapping may have these fields, by their names and those inside of
 * them: Spark refuses names with a space , ; { } ( ) newline tab or =. */
bool cdc_field_names_are_plain(const struct cdc_field *f, int n);
void cdc_schema_free(struct cdc_schema *s);

/*
 * Changes of a schema that is owned; its JSON is to be made anew afterwards.
 *
 * cdc_field_set_metadata: a member of a field's metadata, `value` being JSON; the others stay byte
 * for byte. cdc_schema_map: column mapping for each field, at any depth, that has no id; ids go on
 * from *max_id, physical names are new ones ("col-UUID") or the names that the fields have.
 * cdc_type_widens: whether type widening allows the change. cdc_field_widen: that change, noted in
 * delta.typeChanges.
 */
struct cdc_io;
int cdc_field_set_metadata(struct cdc_schema *s, struct cdc_field *f, const char *key,
			   struct cdc_str value, struct cdc_err *err) CDC_NODISCARD;
int cdc_schema_map(struct cdc_schema *s, const struct cdc_io *io, bool new_names, int64_t *max_id,
		   struct cdc_err *err) CDC_NODISCARD;
bool cdc_type_widens(const struct cdc_field *from, const struct cdc_field *to);
int cdc_field_widen(struct cdc_schema *s, struct cdc_field *f, const struct cdc_field *to,
		    struct cdc_err *err) CDC_NODISCARD;

/* "decimal(7,2)", "long": into out (CDC_TYPE_NAME_MAX bytes), NUL-terminated. */
#define CDC_TYPE_NAME_MAX 32
const char *cdc_type_name(const struct cdc_field *f, char out[CDC_TYPE_NAME_MAX]);

/*
 * The Parquet schema of the data files: the fields without is_partition, in order, with their field
 * ids. A variant is a group of the binaries "value" and "metadata". Columns of type void are left
 * out; CDC_EUNSUPPORTED: they are in a list or a map, or a struct or the whole file would be empty.
 * Memory from `arena`. OPTIONAL unless nullable is false.
 */
int cdc_schema_to_parquet(const struct cdc_schema *s, struct cdc_pq_schema *out,
			  struct cdc_arena *arena, struct cdc_err *err) CDC_NODISCARD;
/* The physical and logical type of a primitive field; false: it is none. */
bool cdc_schema_leaf(struct cdc_pq_node *n, const struct cdc_field *f);
/* The same for a file that is no table's: its variants are annotated, as nothing else tells of
 * them. */
int cdc_schema_to_single_parquet(const struct cdc_schema *s, struct cdc_pq_schema *out,
				 struct cdc_arena *arena, struct cdc_err *err) CDC_NODISCARD;

/*
 * The other way: the schema that a Parquet file has by itself, with file_node set; and the same for
 * one node. Names and texts are borrowed from the file. Lists and maps in all their layouts
 * (parquet/pq_shape.h); a group annotated VARIANT has its physical fields as children.
 */
int cdc_schema_from_parquet(struct cdc_schema *s, const struct cdc_pq_schema *file,
			    struct cdc_err *err) CDC_NODISCARD;
int cdc_field_from_parquet(struct cdc_field *f, const struct cdc_pq_schema *file, int32_t node,
			   struct cdc_arena *arena, struct cdc_err *err) CDC_NODISCARD;

/* Entries first .. first + n - 1 of the child columns: the value of a list or a map. */
struct cdc_span {
	uint32_t first;
	uint32_t n;
};

/*
 * How a field's values lie in memory once decoded to the table's own type, whatever the file's
 * physical type was: BOOLEAN uint8_t; BYTE, SHORT, INTEGER, DATE int32_t; LONG, TIMESTAMP(_NTZ)
 * int64_t microseconds; FLOAT float; DOUBLE double; DECIMAL cdc_i128 (unscaled); STRING, BINARY
 * struct cdc_str; ARRAY, MAP struct cdc_span; TIME (of the day) int64_t nanoseconds;
 * TIMESTAMP(_NTZ)_NS cdc_i128 nanoseconds, since INT96 reaches further than 64 bits of them; UUID
 * (16 bytes), INTERVAL (12 bytes: months, days, milliseconds, little-endian), BIG_DECIMAL
 * (unscaled, two's complement, big-endian) struct cdc_str. STRUCT, VARIANT and VOID have no values
 * of their own: 0.
 */
size_t cdc_type_size(enum cdc_type t);

#endif
