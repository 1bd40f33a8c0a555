/*
 * Canal's protobuf between the files of its decoder: canal_pb.c reads packets, entries and
 * statements, canal_pb_rows.c rows.
 */
#ifndef CDC_SOURCE_CANAL_PB_H
#define CDC_SOURCE_CANAL_PB_H

#include "source/change.h"
#include "source/canal/protobuf.h"

/* Numbers of Canal's enums. */
enum {
	CANAL_PB_TRANSACTION_BEGIN = 1,
	CANAL_PB_ROW_DATA = 2,
	CANAL_PB_TRANSACTION_END = 3,
	CANAL_PB_HEARTBEAT = 4,
	CANAL_PB_GTID_LOG = 5
};
enum { CANAL_PB_ORACLE = 1, CANAL_PB_MYSQL = 2, CANAL_PB_PGSQL = 3 };

/* What is read of an entry's header. */
enum {
	CANAL_PB_LOG_FILE,
	CANAL_PB_LOG_OFFSET,
	CANAL_PB_SERVER_ID,
	CANAL_PB_EXECUTE_TIME, /* milliseconds */
	CANAL_PB_SOURCE_TYPE,
	CANAL_PB_SCHEMA,
	CANAL_PB_TABLE,
	CANAL_PB_GTID,
	CANAL_PB_HEADER_FIELDS
};

/* A column of an image. */
struct canal_pb_column {
	int64_t index; /* its place in the table */
	uint32_t order; /* its place among the columns of both images */
	bool is_key;
	bool is_null;
	struct cdc_str name;
	struct cdc_str value;
	struct cdc_str mysql_type;
};

struct canal_pb_image {
	struct canal_pb_column *col;
	uint32_t n;
	uint32_t cap;
};

struct canal_pb {
	struct cdc_source *s;
	struct cdc_change c;
	struct cdc_buf unpacked; /* a compressed packet's batch */
	struct cdc_buf id; /* of a table; also a log's name and place */
	struct cdc_arena scratch;
	uint64_t source_type; /* that cdc_change_source was told */
	int64_t batch_id; /* 0: none */
	/* Of the current entry; slices of the message. */
	struct cdc_str entry;
	uint64_t entry_type;
	struct cdc_pb_value header[CANAL_PB_HEADER_FIELDS];
	struct cdc_str transaction;
	int64_t thread_id;
	/* Of the current row. */
	struct canal_pb_image before;
	struct canal_pb_image after;
	const struct canal_pb_column **all; /* the columns that either has */
	uint32_t n_all;
	uint32_t all_cap;
	struct cdc_buf shape;
	const struct canal_pb_column **slot; /* before and after by the table's columns */
	uint32_t slot_cap;
};

/* The time of the current entry; false: it has none. */
bool canal_pb_time(const struct canal_pb *d, int64_t *us);
/* Tags of the current entry. */
void canal_pb_tags(struct canal_pb *d);

/* Print the rows of a RowChange: INSERT, UPDATE or DELETE. */
int canal_pb_rows(struct canal_pb *d, struct cdc_change_table *t, const char *type,
		  struct cdc_str change, const struct cdc_message *m,
		  struct cdc_err *err) CDC_NODISCARD;
void canal_pb_rows_free(struct canal_pb *d);

#endif
