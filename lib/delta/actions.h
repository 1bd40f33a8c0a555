/*
 * The actions of the Delta log, as structs. Slices point into memory of whoever made the struct:
 * a snapshot's arena, or the caller's.
 */
#ifndef CDC_DELTA_ACTIONS_H
#define CDC_DELTA_ACTIONS_H

#include "delta/dv.h"
#include "delta/schema.h"

struct cdc_kv {
	struct cdc_str key;
	struct cdc_str value; /* p == NULL: JSON null */
};

struct cdc_protocol {
	int reader_version;
	int writer_version;
	struct cdc_str *reader_feature; /* reader_version 3 */
	int num_reader_features;
	struct cdc_str *writer_feature; /* writer_version 7 */
	int num_writer_features;
	bool writer_list_missing; /* though it has to be there: not to be written to */
};

struct cdc_metadata {
	struct cdc_str id;
	struct cdc_str name; /* p == NULL: absent */
	struct cdc_str description;
	struct cdc_str schema_json;
	struct cdc_str *partition_column;
	int num_partition_columns;
	struct cdc_kv *config;
	int num_config;
	bool has_created_time;
	int64_t created_time_ms;
};

/* An add action; also what a remove is made from. */
struct cdc_add {
	struct cdc_str path; /* as in the log: URI-encoded */
	struct cdc_kv *partition_value; /* by physical name, in the log's order */
	int num_partition_values;
	int64_t size_bytes;
	int64_t modification_time_ms;
	bool data_change;
	struct cdc_str stats; /* JSON text; p == NULL: none */
	struct cdc_str tags; /* raw JSON object; p == NULL: none */
	struct cdc_dv_ref dv;
	bool has_base_row_id;
	int64_t base_row_id;
	bool has_default_row_commit_version;
	int64_t default_row_commit_version;
	struct cdc_str clustering_provider; /* p == NULL: none */
};

struct cdc_remove {
	struct cdc_str path;
	bool has_deletion_timestamp;
	int64_t deletion_timestamp_ms;
	bool data_change;
	bool extended; /* partition values and size are there */
	struct cdc_kv *partition_value;
	int num_partition_values;
	int64_t size_bytes;
	int64_t num_records; /* -1: unknown; written as stats {"numRecords":n} */
	struct cdc_dv_ref dv;
	bool has_base_row_id;
	int64_t base_row_id;
	bool has_default_row_commit_version;
	int64_t default_row_commit_version;
};

/* A cdc action: a file of change rows (spec section 12). */
struct cdc_change_file {
	struct cdc_str path;
	struct cdc_kv *partition_value;
	int num_partition_values;
	int64_t size_bytes; /* 0: its writer did not tell */
	bool data_change; /* never: a cdc action adds no rows to the table */
};

struct cdc_txn {
	struct cdc_str app_id;
	int64_t version;
	bool has_last_updated;
	int64_t last_updated_ms;
};

struct cdc_domain {
	struct cdc_str domain;
	struct cdc_str configuration;
	bool removed;
};

/* Escaping of paths. All append to `out`. */
/* Percent-decode once: the file's path relative to the root (or an absolute path or URI). */
int cdc_path_decode(struct cdc_str uri, struct cdc_buf *out, struct cdc_err *err) CDC_NODISCARD;
/* Percent-encode a relative path for add.path. */
int cdc_path_encode(struct cdc_str path, struct cdc_buf *out, struct cdc_err *err) CDC_NODISCARD;
/* "column=value" as a Hive-style directory name; value.p == NULL: null. */
int cdc_partition_dir(struct cdc_str column, struct cdc_str value, struct cdc_buf *out,
		      struct cdc_err *err) CDC_NODISCARD;

/* Value of a configuration key; false if absent. */
bool cdc_metadata_config(const struct cdc_metadata *m, const char *key, struct cdc_str *value);
/* Whether the key is there with this value, in letters of any case. */
bool cdc_metadata_config_is(const struct cdc_metadata *m, const char *key, const char *value);

#endif
