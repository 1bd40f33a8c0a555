/*
 * What has been consumed of each (topic, partition): the highest offset seen, whether the offsets
 * came in ascending order, and the CHECKPOINT record that says so.
 */
#ifndef CDC_RECORD_POSITIONS_H
#define CDC_RECORD_POSITIONS_H

#include "base/hash.h"
#include "record/record.h"

struct cdc_positions_entry {
	char *topic; /* raw JSON text, NUL-terminated, owned */
	size_t topic_len;
	int32_t partition;
	int64_t offset; /* highest seen, -1: none */
	int64_t promised; /* highest that a CHECKPOINT promised, -1: none */
	bool disordered; /* offsets went backwards: only promises count */
};

struct cdc_positions {
	struct cdc_positions_entry *entry;
	size_t n;
	size_t cap;
	size_t last; /* index of the last entry found: consecutive records share it */
	struct cdc_map map; /* topic and partition -> entry */
};

#define CDC_POSITIONS_INIT                                                                         \
	{                                                                                          \
		NULL, 0, 0, 0, CDC_MAP_INIT                                                        \
	}
#define CDC_POSITIONS_MAX 100000 /* distinct partitions before CDC_EDATA */

/* Note one record's position. */
int cdc_positions_note(struct cdc_positions *p, const struct cdc_position *pos,
		       struct cdc_err *err) CDC_NODISCARD;
/* Note the promises of a CHECKPOINT record. Elements that are no Kafka position are skipped; none
 * is noted when one is malformed (CDC_EDATA). */
int cdc_positions_checkpoint(struct cdc_positions *p, const struct cdc_record *r,
			     struct cdc_err *err) CDC_NODISCARD;
/* Append {"recordType":"CHECKPOINT","positions":[…][,"final":true]} and LF, entries in order of
 * first appearance, with the highest of seen and promised offsets. */
int cdc_positions_print(const struct cdc_positions *p, bool final, struct cdc_buf *out,
			struct cdc_err *err) CDC_NODISCARD;
void cdc_positions_free(struct cdc_positions *p);

#endif
