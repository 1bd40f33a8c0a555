/*
 * A live Kafka topic as input of a source: through librdkafka, without a consumer group, so that
 * nothing is stored on the brokers. Optional at build: without it cdc_kafka_run() is CDC_EUSAGE.
 */
#ifndef CDC_SOURCE_KAFKA_H
#define CDC_SOURCE_KAFKA_H

#include "io/io.h"
#include "source/source.h"

#define CDC_KAFKA_BEGINNING (-1)
#define CDC_KAFKA_END (-2)
#define CDC_KAFKA_TAIL (-1000) /* minus N: the last N messages of each partition */

struct cdc_kafka_options {
	const struct cdc_io *io;
	const char *brokers; /* HOST[:PORT],… */
	const char *topic;
	int32_t partition; /* -1: all */
	int64_t offset; /* where to begin: an offset, or one of CDC_KAFKA_… */
	/* Where a run before this one got to: *next is set to the offset to go on at, and left
	 * alone where there is none. NULL: not asked for. */
	int (*resume)(void *ctx, const char *topic, int32_t partition, int64_t *next,
		      struct cdc_err *err);
	/* What lies at the beginning offset is gone: go on with what there is, instead of
	 * failing. */
	bool on_loss_continue;
	bool follow; /* wait for more at the end, until interrupted */
	uint64_t max_records; /* 0: no limit */
	struct cdc_str config; /* lines of librdkafka's properties, name=value */
	const char *config_name; /* for messages */
	uint64_t checkpoint_messages; /* a CHECKPOINT after so many messages, 0: not by count */
	uint64_t checkpoint_seconds; /* and after so many seconds, 0: not by time */
	void *ctx; /* of resume and of these, which may be NULL */
	void (*warn)(void *ctx, const char *text);
	void (*debug)(void *ctx, const char *text);
	/* Before a wait: everything that has come is decoded and handed on. */
	int (*idle)(void *ctx, struct cdc_err *err);
	/* After each batch: messages that are still to come, as far as is known. */
	void (*progress)(void *ctx, uint64_t lag);
};

/*
 * Read the topic into the source: each partition from where it begins to where it ended at the
 * start, or on and on. CDC_EDATA: messages between the place to go on at and the first that is
 * left are lost, or a message is bad; CDC_EIO: what the brokers say, or that they do not answer.
 * CDC_EINTR when interrupted, unless it follows: then that is the ordinary end.
 */
int cdc_kafka_run(struct cdc_source *s, const struct cdc_kafka_options *opt,
		  struct cdc_err *err) CDC_NODISCARD;

/* Version of librdkafka, NULL: built without it. */
const char *cdc_kafka_version(void);

#endif
