/* Where each partition of a topic begins, and what was deleted there (see kafka_int.h). */
#ifdef CDC_WITH_RDKAFKA

#include "source/kafka/kafka_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ANSWER_MS 15000 /* for what is asked at the start */
#define PARTITIONS_MAX 100000

int kafka_broker_error(const struct kafka *k, rd_kafka_resp_err_t code, struct cdc_err *err)
{
	return cdc_fail(err, CDC_EIO, "topic %s at %s: %s%s%s", k->opt->topic, k->opt->brokers,
			rd_kafka_err2str(code), k->trouble[0] ? ": " : "", k->trouble);
}

int kafka_stopped(struct cdc_err *err)
{
	return cdc_fail(err, CDC_EINTR, "interrupted");
}

static int ask_metadata(struct kafka *k, const struct rd_kafka_metadata **md, struct cdc_err *err)
{
	int64_t until = kafka_now_us(k) + (int64_t)ANSWER_MS * 1000;
	rd_kafka_resp_err_t rc;

	for (;;) {
		rc = rd_kafka_metadata(k->rk, 0, k->topic, md, KAFKA_SLICE_MS);
		(void)rd_kafka_poll(k->rk, 0);
		if (!rc)
			return CDC_OK;
		if (kafka_interrupted(k))
			return kafka_stopped(err);
		if (k->fatal || kafka_now_us(k) > until)
			return kafka_broker_error(k, rc, err);
		k->opt->io->sleep_ms(k->opt->io->ctx, 100);
	}
}

static int list_partitions(struct kafka *k, const struct rd_kafka_metadata *md, struct cdc_err *err)
{
	const struct rd_kafka_metadata_topic *t = md->topics;
	int32_t max = -1;

	if (md->topic_cnt != 1 || t->err || t->partition_cnt == 0)
		return kafka_broker_error(k,
					  md->topic_cnt == 1 && t->err
						  ? t->err
						  : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
					  err);
	for (int i = 0; i < t->partition_cnt; i++) {
		if (t->partitions[i].id < 0 || t->partitions[i].id >= PARTITIONS_MAX)
			return cdc_fail(err, CDC_EUNSUPPORTED, "partition %d of topic %s",
					(int)t->partitions[i].id, k->opt->topic);
		max = t->partitions[i].id > max ? t->partitions[i].id : max;
	}
	k->n_part = max + 1;
	k->part = calloc((size_t)k->n_part, sizeof(*k->part));
	k->first = calloc((size_t)k->n_part + KAFKA_FIRST, sizeof(*k->first));
	if (!k->part || !k->first)
		return cdc_fail_nomem(err);
	for (int i = 0; i < t->partition_cnt; i++) {
		int32_t id = t->partitions[i].id;

		k->part[id].wanted = k->opt->partition < 0 || k->opt->partition == id;
	}
	if (k->opt->partition >= k->n_part ||
	    (k->opt->partition >= 0 && !k->part[k->opt->partition].wanted))
		return cdc_fail(err, CDC_EUSAGE, "topic %s has no partition %d", k->opt->topic,
				(int)k->opt->partition);
	return CDC_OK;
}

static int lost(const struct kafka *k, int32_t id, int64_t next, int64_t low, int64_t high,
		struct cdc_err *err)
{
	const char *what =
		next > high ? "the topic was cut, or made anew" : "what was there has been deleted";
	char text[400];

	(void)snprintf(text, sizeof(text),
		       "topic %s, partition %d: offset %" PRId64
		       " is to be read next, but there are %" PRId64 " to %" PRId64 ": %s",
		       k->opt->topic, (int)id, next, low, high, what);
	if (!k->opt->on_loss_continue)
		return cdc_fail(err, CDC_EDATA, "%s", text);
	if (k->opt->warn)
		k->opt->warn(k->opt->ctx, text);
	return CDC_OK;
}

static int ask_range(struct kafka *k, int32_t id, int64_t *low, int64_t *high, struct cdc_err *err)
{
	rd_kafka_resp_err_t rc =
		rd_kafka_query_watermark_offsets(k->rk, k->opt->topic, id, low, high, ANSWER_MS);

	(void)rd_kafka_poll(k->rk, 0);
	return rc ? kafka_broker_error(k, rc, err) : CDC_OK;
}

/* Where a partition begins, by what it holds now. */
static int choose_start(struct kafka *k, int32_t id, struct cdc_err *err)
{
	struct part *p = &k->part[id];
	int64_t low, high, offset = k->opt->offset;
	bool exact = offset >= 0;
	int rc = ask_range(k, id, &low, &high, err);

	if (rc == CDC_OK && k->opt->resume) {
		int64_t next = -1;

		rc = k->opt->resume(k->opt->ctx, k->opt->topic, id, &next, err);
		exact = exact || next >= 0;
		offset = next >= 0 ? next : offset;
	}
	if (rc < 0)
		return rc;
	p->end = high;
	if (offset == CDC_KAFKA_BEGINNING)
		p->next = low;
	else if (offset == CDC_KAFKA_END)
		p->next = high;
	else if (!exact)
		p->next = high - low < CDC_KAFKA_TAIL - offset ? low
							       : high - (CDC_KAFKA_TAIL - offset);
	else
		p->next = offset;
	if (exact && (offset < low || offset > high)) {
		rc = lost(k, id, offset, low, high, err);
		p->next = low;
	}
	return rc;
}

static int start(struct kafka *k, int32_t id, struct cdc_err *err)
{
	struct part *p = &k->part[id];

	if (rd_kafka_consume_start_queue(k->topic, id, p->next, k->queue))
		return kafka_broker_error(k, rd_kafka_last_error(), err);
	p->started = true;
	return CDC_OK;
}

int kafka_start(struct kafka *k, struct cdc_err *err)
{
	const struct rd_kafka_metadata *md;
	int rc = ask_metadata(k, &md, err);

	if (rc < 0)
		return rc;
	rc = list_partitions(k, md, err);
	rd_kafka_metadata_destroy(md);
	for (int32_t id = 0; rc == CDC_OK && id < k->n_part; id++) {
		struct part *p = &k->part[id];

		if (!p->wanted)
			continue;
		rc = kafka_interrupted(k) ? kafka_stopped(err) : choose_start(k, id, err);
		p->done = !k->opt->follow && p->next >= p->end;
		if (rc == CDC_OK && !p->done) {
			k->open++;
			rc = start(k, id, err);
		}
	}
	return rc;
}

int kafka_overtaken(struct kafka *k, int32_t id, struct cdc_err *err)
{
	struct part *p = &k->part[id];
	int64_t low, high;
	int rc = ask_range(k, id, &low, &high, err);

	if (rc == CDC_OK)
		rc = lost(k, id, p->next, low, high, err);
	if (rc < 0)
		return rc;
	(void)rd_kafka_consume_stop(k->topic, id);
	p->started = false;
	p->next = low;
	return start(k, id, err);
}

#endif
