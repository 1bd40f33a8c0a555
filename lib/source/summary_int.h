/* What summary.c gathers and summary_print.c prints. */
#ifndef CDC_SOURCE_SUMMARY_INT_H
#define CDC_SOURCE_SUMMARY_INT_H

#include "base/idset.h"
#include "base/topk.h"
#include "record/record.h"
#include "source/summary.h"

/* A time span. */
struct cdc_span {
	bool known;
	int64_t first_us;
	int64_t last_us;
};

/* A series of numbers that should rise by one: offsets, recordIDs. */
struct cdc_series {
	bool known;
	int64_t first; /* smallest */
	int64_t last; /* largest */
	int64_t before; /* the one that came last */
	uint64_t jumps; /* times that numbers were passed over */
	uint64_t duplicates; /* seen before */
	uint64_t inversions; /* smaller than the one before */
	struct cdc_idset seen;
};

struct cdc_summary_format {
	const char *format;
	const char *framing;
	uint64_t inputs;
};

struct cdc_summary_table {
	char *name; /* JSON text between its quotes */
	size_t name_len;
	uint64_t count[CDC_RECORD_TYPES];
	struct cdc_span span;
	struct cdc_buf fields; /* JSON arrays, empty: not told */
	struct cdc_buf key;
	struct cdc_buf *key_name; /* each as JSON text between its quotes */
	uint32_t n_key;
};

struct cdc_summary_part {
	char *topic; /* NULL: the input tells no position; plain text */
	size_t topic_len;
	int32_t partition;
	uint64_t messages;
	struct cdc_series offset;
	struct cdc_series id;
};

struct cdc_summary {
	struct cdc_summary_format format[64];
	size_t n_format;
	struct cdc_summary_table *table;
	uint32_t n_table;
	uint32_t cap_table;
	uint32_t last_table;
	struct cdc_map table_map;
	struct cdc_summary_part *part;
	uint32_t n_part;
	uint32_t cap_part;
	uint32_t at; /* partition of the message */
	struct cdc_map part_map;
	uint64_t count[CDC_RECORD_TYPES];
	struct cdc_span span;
	bool fresh; /* no record of this message has been seen */
	bool has_messages;
	bool uncounted; /* what tells duplicates has outgrown its memory */
	uint64_t no_key; /* row records whose key is not known */
	struct cdc_topk keys;
	struct cdc_tape tape;
	struct cdc_buf text;
};

#endif
