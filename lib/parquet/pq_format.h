/*
 * Parquet's file metadata as structs: what the footer, page headers and indexes hold, after Thrift
 * and before any interpretation. Field numbers: parquet.thrift of parquet-format 2.13.
 */
#ifndef CDC_PARQUET_PQ_FORMAT_H
#define CDC_PARQUET_PQ_FORMAT_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum cdc_pq_type {
	CDC_PQ_BOOLEAN = 0,
	CDC_PQ_INT32 = 1,
	CDC_PQ_INT64 = 2,
	CDC_PQ_INT96 = 3,
	CDC_PQ_FLOAT = 4,
	CDC_PQ_DOUBLE = 5,
	CDC_PQ_BYTE_ARRAY = 6,
	CDC_PQ_FIXED = 7 /* FIXED_LEN_BYTE_ARRAY */
};

enum cdc_pq_repetition { CDC_PQ_REQUIRED = 0, CDC_PQ_OPTIONAL = 1, CDC_PQ_REPEATED = 2 };

enum cdc_pq_converted {
	CDC_PQ_CONV_NONE = -1,
	CDC_PQ_CONV_UTF8 = 0,
	CDC_PQ_CONV_MAP,
	CDC_PQ_CONV_MAP_KEY_VALUE,
	CDC_PQ_CONV_LIST,
	CDC_PQ_CONV_ENUM,
	CDC_PQ_CONV_DECIMAL,
	CDC_PQ_CONV_DATE,
	CDC_PQ_CONV_TIME_MILLIS,
	CDC_PQ_CONV_TIME_MICROS,
	CDC_PQ_CONV_TIMESTAMP_MILLIS,
	CDC_PQ_CONV_TIMESTAMP_MICROS,
	CDC_PQ_CONV_UINT_8,
	CDC_PQ_CONV_UINT_16,
	CDC_PQ_CONV_UINT_32,
	CDC_PQ_CONV_UINT_64,
	CDC_PQ_CONV_INT_8,
	CDC_PQ_CONV_INT_16,
	CDC_PQ_CONV_INT_32,
	CDC_PQ_CONV_INT_64,
	CDC_PQ_CONV_JSON,
	CDC_PQ_CONV_BSON,
	CDC_PQ_CONV_INTERVAL
};

/* Members of the LogicalType union by field id. */
enum cdc_pq_logical {
	CDC_PQ_LOGICAL_NONE = 0,
	CDC_PQ_LOGICAL_STRING = 1,
	CDC_PQ_LOGICAL_MAP = 2,
	CDC_PQ_LOGICAL_LIST = 3,
	CDC_PQ_LOGICAL_ENUM = 4,
	CDC_PQ_LOGICAL_DECIMAL = 5,
	CDC_PQ_LOGICAL_DATE = 6,
	CDC_PQ_LOGICAL_TIME = 7,
	CDC_PQ_LOGICAL_TIMESTAMP = 8,
	CDC_PQ_LOGICAL_INTEGER = 10,
	CDC_PQ_LOGICAL_UNKNOWN = 11,
	CDC_PQ_LOGICAL_JSON = 12,
	CDC_PQ_LOGICAL_BSON = 13,
	CDC_PQ_LOGICAL_UUID = 14,
	CDC_PQ_LOGICAL_FLOAT16 = 15,
	CDC_PQ_LOGICAL_VARIANT = 16,
	CDC_PQ_LOGICAL_GEOMETRY = 17,
	CDC_PQ_LOGICAL_GEOGRAPHY = 18,
	CDC_PQ_LOGICAL_OTHER = 127 /* read only: a member that is newer than this list */
};

enum cdc_pq_time_unit { CDC_PQ_MILLIS = 1, CDC_PQ_MICROS = 2, CDC_PQ_NANOS = 3 };

enum cdc_pq_encoding {
	CDC_PQ_PLAIN = 0,
	CDC_PQ_PLAIN_DICTIONARY = 2,
	CDC_PQ_RLE = 3,
	CDC_PQ_BIT_PACKED = 4,
	CDC_PQ_DELTA_BINARY_PACKED = 5,
	CDC_PQ_DELTA_LENGTH_BYTE_ARRAY = 6,
	CDC_PQ_DELTA_BYTE_ARRAY = 7,
	CDC_PQ_RLE_DICTIONARY = 8,
	CDC_PQ_BYTE_STREAM_SPLIT = 9
};
#define CDC_PQ_NUM_ENCODINGS 10

enum cdc_pq_codec {
	CDC_PQ_UNCOMPRESSED = 0,
	CDC_PQ_SNAPPY = 1,
	CDC_PQ_GZIP = 2,
	CDC_PQ_LZO = 3,
	CDC_PQ_BROTLI = 4,
	CDC_PQ_LZ4 = 5,
	CDC_PQ_ZSTD = 6,
	CDC_PQ_LZ4_RAW = 7
};

enum cdc_pq_page_type {
	CDC_PQ_DATA_PAGE = 0,
	CDC_PQ_INDEX_PAGE = 1,
	CDC_PQ_DICTIONARY_PAGE = 2,
	CDC_PQ_DATA_PAGE_V2 = 3
};

/* SchemaElement, plus what the tree gives: one node of the pre-order list. */
struct cdc_pq_node {
	struct cdc_str name;
	bool is_leaf;
	enum cdc_pq_type type; /* leaf */
	int32_t type_length; /* FIXED: bytes */
	enum cdc_pq_repetition repetition;
	int32_t num_children; /* group */
	enum cdc_pq_converted converted;
	enum cdc_pq_logical logical;
	int32_t scale;
	int32_t precision;
	bool has_field_id;
	int32_t field_id;
	bool utc; /* TIME, TIMESTAMP: isAdjustedToUTC */
	enum cdc_pq_time_unit unit; /* TIME, TIMESTAMP */
	int8_t bit_width; /* INTEGER */
	bool is_signed; /* INTEGER */
	/* Derived: */
	int32_t parent; /* node index, -1 for the root */
	int32_t leaf; /* leaf ordinal, -1 for groups */
	uint8_t max_def;
	uint8_t max_rep;
};

/* An entry of a file's free metadata, both zero-terminated. */
struct cdc_pq_key_value {
	const char *key;
	const char *value;
};

/* The same as it was read: any bytes. */
struct cdc_pq_meta_entry {
	struct cdc_str key;
	struct cdc_str value; /* p == NULL: absent */
};

struct cdc_pq_schema {
	struct cdc_pq_node *node; /* node[0] is the root */
	int32_t num_nodes;
	int32_t *leaf_node; /* leaf ordinal -> node index */
	int32_t num_leaves;
};

struct cdc_pq_statistics {
	bool has_null_count;
	bool has_min_max; /* min_value and max_value (fields 5, 6), usable */
	bool min_exact; /* default true when absent */
	bool max_exact;
	int64_t null_count;
	bool has_nan_count;
	int64_t nan_count;
	struct cdc_str min_value; /* PLAIN bytes without length prefix */
	struct cdc_str max_value;
};

struct cdc_pq_column_meta {
	enum cdc_pq_type type;
	enum cdc_pq_codec codec;
	int64_t num_values;
	int64_t total_uncompressed_size;
	int64_t total_compressed_size;
	int64_t data_page_offset;
	int64_t dictionary_page_offset; /* 0: none */
	struct cdc_pq_statistics stats;
	uint32_t encodings; /* bit e set: encoding e occurs */
	bool all_dictionary; /* encoding_stats: every data page is dictionary-encoded */
	int64_t offset_index_offset; /* 0: none */
	int32_t offset_index_length;
	int64_t column_index_offset;
	int32_t column_index_length;
	int64_t bloom_filter_offset;
	int32_t bloom_filter_length;
	bool has_file_path; /* refused by the reader */
	bool encrypted;
};

struct cdc_pq_row_group {
	struct cdc_pq_column_meta *column; /* one per leaf */
	int64_t num_rows;
	int64_t total_byte_size;
	int64_t total_compressed_size;
	int64_t file_offset;
};

struct cdc_pq_metadata {
	int32_t version;
	struct cdc_pq_schema schema;
	int64_t num_rows;
	struct cdc_pq_row_group *row_group;
	int32_t num_row_groups;
	struct cdc_str created_by;
	struct cdc_pq_meta_entry *entry; /* reader's: key_value_metadata, in the file's order */
	uint32_t num_entries;
	bool has_column_orders;
	const uint8_t *leaf_order; /* reader's: what orders the bounds of each leaf; or NULL */
	struct cdc_arena arena; /* owns everything above */
};

struct cdc_pq_page_header {
	enum cdc_pq_page_type type;
	int32_t uncompressed_size;
	int32_t compressed_size;
	bool has_crc; /* not read from a crc of 0, which writers without checksums leave */
	uint32_t crc;
	int32_t num_values;
	enum cdc_pq_encoding encoding;
	enum cdc_pq_encoding def_encoding; /* V1 */
	enum cdc_pq_encoding rep_encoding; /* V1 */
	int32_t num_nulls; /* V2 */
	int32_t num_rows; /* V2 */
	int32_t def_length; /* V2 */
	int32_t rep_length; /* V2 */
	bool is_compressed; /* V2, default true */
};

#define CDC_PQ_DEPTH 200 /* groups inside each other: levels go up to 255 */

/* Fill parent, leaf, max_def, max_rep and leaf_node from the pre-order list; memory from `arena`.
 * CDC_ECORRUPT when the tree does not add up (num_children against the list, depth over
 * CDC_PQ_DEPTH). */
int cdc_pq_schema_finish(struct cdc_pq_schema *s, struct cdc_arena *arena,
			 struct cdc_err *err) CDC_NODISCARD;

#endif
