/*
 * A live Kafka topic between the files of its reader: kafka_connect.c sets librdkafka up,
 * kafka_start.c settles where each partition begins, kafka.c takes messages and runs the loop.
 */
#ifndef CDC_SOURCE_KAFKA_INT_H
#define CDC_SOURCE_KAFKA_INT_H

#include "source/kafka/kafka.h"

#include <librdkafka/rdkafka.h>

#define KAFKA_SLICE_MS 500 /* between two looks at whether to stop */
#define KAFKA_FIRST 64 /* messages that tell the format */

struct part {
	bool wanted;
	bool started;
	bool done; /* it has been read to where it ended at the start */
	int64_t next;
	int64_t end; /* where it ended at the start */
};

struct kafka {
	struct cdc_source *s;
	const struct cdc_kafka_options *opt;
	rd_kafka_t *rk;
	rd_kafka_topic_t *topic;
	rd_kafka_queue_t *queue;
	struct part *part; /* by number */
	int32_t n_part;
	int32_t open; /* wanted and not done */
	rd_kafka_message_t **first; /* what came before the format was known, ends too */
	size_t n_first;
	struct cdc_header *header;
	size_t cap_header;
	uint64_t index; /* messages so far */
	uint64_t pending; /* since the last CHECKPOINT */
	int64_t checkpoint_us;
	int64_t heard_us; /* when the brokers last answered */
	bool enough; /* max_records is reached */
	char trouble[256]; /* the last error that librdkafka may get over */
	bool warned;
	bool fatal;
};

static inline int64_t kafka_now_us(const struct kafka *k)
{
	return k->opt->io->mono_us(k->opt->io->ctx);
}

static inline bool kafka_interrupted(const struct kafka *k)
{
	return k->opt->io->interrupted(k->opt->io->ctx);
}

/* Make and configure what reads the topic. What was made before a failure is disconnected too. */
int kafka_connect(struct kafka *k, struct cdc_err *err) CDC_NODISCARD;
void kafka_disconnect(struct kafka *k);

/* Ask for the partitions, choose where each begins and start to read those that hold something. */
int kafka_start(struct kafka *k, struct cdc_err *err) CDC_NODISCARD;
/* What lay at the partition's next offset has been deleted meanwhile. */
int kafka_overtaken(struct kafka *k, int32_t id, struct cdc_err *err) CDC_NODISCARD;

/* The failure that librdkafka tells of, and that of an interrupt. */
int kafka_broker_error(const struct kafka *k, rd_kafka_resp_err_t code, struct cdc_err *err);
int kafka_stopped(struct cdc_err *err);

#endif
