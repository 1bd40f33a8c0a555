/* A live Kafka topic as input of a source. See kafka.h; only kafka*.c know librdkafka. */
#include "source/kafka/kafka.h"

#include "base/buf.h"

#ifdef CDC_WITH_RDKAFKA

#include "source/kafka/kafka_int.h"

#include <stdlib.h>
#include <string.h>

#define SILENCE_US (INT64_C(60) * 1000000) /* brokers that say nothing for so long are gone */
#define BATCH 1024
#define FIRST_MS 300 /* how long more of the first messages are waited for */

/* --- messages ----------------------------------------------------------- */

static int take_headers(struct kafka *k, const rd_kafka_message_t *in, struct cdc_message *m,
			struct cdc_err *err)
{
	rd_kafka_headers_t *list;
	size_t n;

	if (rd_kafka_message_headers(in, &list))
		return CDC_OK;
	n = rd_kafka_header_cnt(list);
	if (n > k->cap_header) {
		struct cdc_header *grown = reallocarray(k->header, n, sizeof(*grown));

		if (!grown)
			return cdc_fail_nomem(err);
		k->header = grown;
		k->cap_header = n;
	}
	for (size_t i = 0; i < n; i++) {
		const char *name;
		const void *value;
		size_t size;

		if (rd_kafka_header_get_all(list, i, &name, &value, &size))
			break;
		k->header[i] =
			(struct cdc_header){ .name = cdc_str_z(name),
					     .value = cdc_str(value ? value : "", value ? size : 0),
					     .is_null = !value };
		m->n_headers++;
	}
	m->header = k->header;
	return CDC_OK;
}

static int describe(struct kafka *k, const rd_kafka_message_t *in, struct cdc_message *m,
		    struct cdc_err *err)
{
	rd_kafka_timestamp_type_t type;
	int64_t ts = rd_kafka_message_timestamp(in, &type);

	*m = (struct cdc_message){
		.value = cdc_str(in->payload ? in->payload : "", in->payload ? in->len : 0),
		.is_null = !in->payload,
		.has_key = in->key != NULL,
		.key = cdc_str(in->key ? in->key : "", in->key ? in->key_len : 0),
		.has_timestamp = type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE,
		.timestamp_ms = ts,
		.offset = (uint64_t)in->offset,
		.index = k->index,
		.file = k->opt->topic,
		.has_kafka = true,
		.topic = cdc_str_z(k->opt->topic),
		.partition = in->partition,
		.kafka_offset = in->offset,
	};
	return take_headers(k, in, m, err);
}

static void finish(struct kafka *k, struct part *p)
{
	if (p->done || k->opt->follow)
		return;
	p->done = true;
	k->open--;
}

static int take_event(struct kafka *k, const rd_kafka_message_t *in, struct cdc_err *err)
{
	struct part *p = &k->part[in->partition];

	switch ((int)in->err) {
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		finish(k, p);
		return CDC_OK;
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
		return p->done ? CDC_OK : kafka_overtaken(k, in->partition, err);
	case RD_KAFKA_RESP_ERR__TRANSPORT:
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
	case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
		return CDC_OK;
	default:
		return cdc_fail(err, CDC_EIO, "topic %s, partition %d: %s", k->opt->topic,
				(int)in->partition, rd_kafka_message_errstr(in));
	}
}

static int take(struct kafka *k, const rd_kafka_message_t *in, struct cdc_err *err)
{
	struct cdc_message m;
	struct part *p;
	int rc;

	if (in->partition < 0 || in->partition >= k->n_part)
		return CDC_OK;
	if (in->err)
		return take_event(k, in, err);
	p = &k->part[in->partition];
	/* Batches may hold messages from before the offset that was asked for. */
	if (p->done || k->enough || in->offset < p->next)
		return CDC_OK;
	if (!k->opt->follow && in->offset >= p->end) {
		finish(k, p);
		return CDC_OK;
	}
	rc = describe(k, in, &m, err);
	if (rc == CDC_OK)
		rc = cdc_source_live_message(k->s, &m, err);
	if (rc < 0)
		return rc;
	k->index++;
	k->pending++;
	p->next = in->offset + 1;
	if (!k->opt->follow && p->next >= p->end)
		finish(k, p);
	k->enough = k->opt->max_records && cdc_source_counts(k->s)->records >= k->opt->max_records;
	return CDC_OK;
}

/* --- the loop ----------------------------------------------------------- */

/* How many messages are to come, by what the brokers told last. */
static uint64_t lag(const struct kafka *k)
{
	uint64_t sum = 0;

	for (int32_t id = 0; id < k->n_part; id++) {
		const struct part *p = &k->part[id];
		int64_t low, high;

		if (!p->wanted || p->done)
			continue;
		if (rd_kafka_get_watermark_offsets(k->rk, k->opt->topic, id, &low, &high) ||
		    high < p->end)
			high = p->end;
		sum += high > p->next ? (uint64_t)(high - p->next) : 0;
	}
	return sum;
}

static int checkpoint(struct kafka *k, bool idle, struct cdc_err *err)
{
	bool due = k->opt->checkpoint_messages && k->pending >= k->opt->checkpoint_messages;
	int64_t since_us = kafka_now_us(k) - k->checkpoint_us;
	bool done;
	int rc;

	due = due || (k->opt->checkpoint_seconds &&
		      since_us / 1000000 >= (int64_t)k->opt->checkpoint_seconds);
	if (!due || !k->pending)
		return CDC_OK;
	rc = cdc_source_checkpoint(k->s, idle, &done, err);
	if (rc == CDC_OK && done) {
		k->pending = 0;
		k->checkpoint_us = kafka_now_us(k);
	}
	return rc;
}

/* Nothing came: is there anybody? */
static int check_silence(struct kafka *k, struct cdc_err *err)
{
	(void)rd_kafka_poll(k->rk, 0);
	if (k->fatal)
		return cdc_fail(err, CDC_EIO, "%s", k->trouble);
	if (!k->trouble[0])
		return CDC_OK;
	if (k->opt->follow) {
		if (!k->warned && k->opt->warn)
			k->opt->warn(k->opt->ctx, k->trouble);
		k->warned = true;
		return CDC_OK;
	}
	if (kafka_now_us(k) - k->heard_us < SILENCE_US)
		return CDC_OK;
	return cdc_fail(err, CDC_EIO, "%s does not answer: %s", k->opt->brokers, k->trouble);
}

static void heard(struct kafka *k)
{
	k->heard_us = kafka_now_us(k);
	k->trouble[0] = '\0';
	k->warned = false;
}

static int take_batch(struct kafka *k, rd_kafka_message_t **in, size_t n, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (size_t i = 0; i < n; i++) {
		if (rc == CDC_OK)
			rc = take(k, in[i], err);
		if (rc == CDC_OK && k->opt->checkpoint_messages)
			rc = checkpoint(k, false, err);
		rd_kafka_message_destroy(in[i]);
	}
	return rc;
}

/* The memory of a message's headers is that of the next one's. */
static int keep_headers(struct cdc_arena *a, struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_header *h = cdc_arena_calloc(a, m->n_headers + 1u, sizeof(*h));

	if (!h)
		return cdc_fail_nomem(err);
	for (uint32_t i = 0; i < m->n_headers; i++)
		h[i] = m->header[i];
	m->header = h;
	return CDC_OK;
}

/* Wait for the first messages. An end is one of them, if it ends anything. */
static int gather(struct kafka *k, struct cdc_arena *a, struct cdc_message *m, size_t *n,
		  struct cdc_err *err)
{
	int32_t ends = 0;
	int rc = CDC_OK;

	while (rc == CDC_OK && *n < KAFKA_FIRST && ends < k->open && !kafka_interrupted(k)) {
		rd_kafka_message_t *in;
		ssize_t got = rd_kafka_consume_batch_queue(k->queue, *n ? FIRST_MS : KAFKA_SLICE_MS,
							   &in, 1);

		if (got < 0)
			return kafka_broker_error(k, rd_kafka_last_error(), err);
		if (got == 0) {
			rc = check_silence(k, err);
			if (*n)
				break;
			continue;
		}
		heard(k);
		if (in->err && (k->opt->follow || in->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)) {
			rc = take(k, in, err);
			rd_kafka_message_destroy(in);
			continue;
		}
		k->first[k->n_first++] = in;
		if (in->err) {
			ends++;
		} else {
			rc = describe(k, in, &m[*n], err);
			if (rc == CDC_OK)
				rc = keep_headers(a, &m[(*n)++], err);
		}
	}
	return rc;
}

/* The first messages tell the format; they are decoded once that is settled. */
static int begin(struct kafka *k, struct cdc_err *err)
{
	struct cdc_message m[KAFKA_FIRST];
	struct cdc_arena headers = CDC_ARENA_INIT;
	size_t n = 0;
	int rc = gather(k, &headers, m, &n, err);

	if (rc == CDC_OK)
		rc = cdc_source_live_begin(k->s, k->opt->topic, m, n, err);
	cdc_arena_free(&headers);
	return rc;
}

static int run(struct kafka *k, struct cdc_err *err)
{
	static rd_kafka_message_t *batch[BATCH];
	int rc = CDC_OK;

	rc = take_batch(k, k->first, k->n_first, err);
	k->n_first = 0;
	if (k->opt->progress)
		k->opt->progress(k->opt->ctx, lag(k));
	while (rc == CDC_OK && !k->enough && (k->open || k->opt->follow) && !kafka_interrupted(k)) {
		ssize_t n = rd_kafka_consume_batch_queue(k->queue, 0, batch, BATCH);

		if (n == 0) {
			rc = cdc_source_live_flush(k->s, err);
			if (rc == CDC_OK && k->opt->idle)
				rc = k->opt->idle(k->opt->ctx, err);
			if (rc == CDC_OK)
				n = rd_kafka_consume_batch_queue(k->queue, KAFKA_SLICE_MS, batch,
								 BATCH);
		}
		if (n < 0)
			return kafka_broker_error(k, rd_kafka_last_error(), err);
		if (rc == CDC_OK && n == 0)
			rc = check_silence(k, err);
		else
			heard(k);
		if (rc == CDC_OK)
			rc = take_batch(k, batch, (size_t)n, err);
		if (rc == CDC_OK)
			rc = checkpoint(k, n == 0, err);
		if (k->opt->progress)
			k->opt->progress(k->opt->ctx, lag(k));
		(void)rd_kafka_poll(k->rk, 0);
	}
	if (rc == CDC_OK && !k->opt->follow && !k->enough && k->open)
		rc = kafka_stopped(err);
	return rc;
}

int cdc_kafka_run(struct cdc_source *s, const struct cdc_kafka_options *opt, struct cdc_err *err)
{
	struct kafka k = { .s = s, .opt = opt };
	int rc = cdc_source_live_check(s, err);

	if (rc == CDC_OK)
		rc = kafka_connect(&k, err);

	k.heard_us = k.checkpoint_us = kafka_now_us(&k);
	if (rc == CDC_OK)
		rc = kafka_start(&k, err);
	if (rc == CDC_OK && k.open)
		rc = begin(&k, err);
	if (rc == CDC_OK)
		rc = run(&k, err);
	/* What was decoded before a failure is good. */
	if (rc == CDC_OK) {
		rc = cdc_source_live_end(s, err);
	} else {
		struct cdc_err second = CDC_ERR_INIT;

		(void)!cdc_source_live_end(s, &second);
	}
	kafka_disconnect(&k);
	return rc;
}

const char *cdc_kafka_version(void)
{
	return rd_kafka_version_str();
}

#else

int cdc_kafka_run(struct cdc_source *s, const struct cdc_kafka_options *opt, struct cdc_err *err)
{
	(void)s;
	(void)opt;
	return cdc_fail(err, CDC_EUSAGE, "this program was built without librdkafka");
}

const char *cdc_kafka_version(void)
{
	return NULL;
}

#endif
