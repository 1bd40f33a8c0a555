/*
 * Kafka log segments (spec section 7.3): batches of records in the formats v2, and v0 and v1 of old
 * brokers, cut into messages. kafka_batch.c reads one batch, segment.c the file around them.
 */
#ifndef CDC_SOURCE_SEGMENT_H
#define CDC_SOURCE_SEGMENT_H

#include "source/source_int.h"

#define KAFKA_HEADERS_MAX 1024u

/* What a v2 batch says of itself. */
struct kafka_batch {
	int64_t base_offset;
	int64_t last_offset;
	int64_t base_timestamp_ms;
	int64_t max_timestamp_ms;
	int64_t producer_id;
	uint16_t attributes;
	uint32_t count;
	uint8_t magic;
	struct cdc_str records; /* as they are, maybe compressed */
};

#define KAFKA_CODEC 7u /* of attributes */
#define KAFKA_APPEND_TIME 8u
#define KAFKA_TRANSACTIONAL 16u
#define KAFKA_CONTROL 32u

/* Bytes in front of what a batch's length counts. */
#define KAFKA_LEAD_BYTES 12

/* The whole length of the batch that begins here, 0 when the log is filled up with zeros from here
 * on. *ok false: that is no batch. Needs KAFKA_LEAD_BYTES bytes. */
uint64_t kafka_batch_bytes(struct cdc_str head, bool *ok);

/* Check a whole batch and read its head. CDC_EDATA on a wrong checksum and what cannot be. */
int kafka_batch_read(struct cdc_str bytes, struct kafka_batch *b,
		     struct cdc_err *err) CDC_NODISCARD;

/* Memory of a reader of batches. */
struct kafka_scratch {
	struct cdc_buf plain; /* decompressed; its max is the caller's */
	struct cdc_header *header;
};

/*
 * Hand each record of a v0, v1 or v2 batch to `each` as a message whose Kafka members but topic and
 * partition are set, upon the members of `base`. Stops when it fails.
 */
int kafka_batch_records(const struct kafka_batch *b, struct kafka_scratch *scratch,
			const struct cdc_message *base,
			int (*each)(void *ctx, const struct cdc_message *m, struct cdc_err *err),
			void *ctx, struct cdc_err *err) CDC_NODISCARD;
void kafka_scratch_free(struct kafka_scratch *scratch);

/* Of a control batch: true and *commit when it ends a transaction. */
bool kafka_end_of_transaction(const struct kafka_batch *b, bool *commit);

/* CRC-32C. */
uint32_t kafka_crc32c(struct cdc_str s);

#endif
