/*
 * How far a stream has been merged into a table: the txn actions that cdc-merge leaves, one for
 * each partition, whose version is the offset of the last message.
 */
#ifndef CDC_TABLE_NEXT_OFFSET_H
#define CDC_TABLE_NEXT_OFFSET_H

#include "delta/log.h"

#define CDC_APP_ID "cdc" /* of streams that are not named */

/* Append "APP:TOPIC:PARTITION", the appId of a partition. `topic` is JSON text without quotes. */
int cdc_partition_app_id(const char *app_id, struct cdc_str topic, int32_t partition,
			 struct cdc_buf *out, struct cdc_err *err) CDC_NODISCARD;

/* Where to go on in a partition: behind what the table has. *next is left alone when it has
 * nothing of it. `topic` is plain text, app_id NULL is CDC_APP_ID. */
int cdc_next_offset(const struct cdc_snapshot *s, const char *app_id, const char *topic,
		    int32_t partition, int64_t *next, struct cdc_err *err) CDC_NODISCARD;

#endif
