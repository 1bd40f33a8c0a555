/* A live Kafka topic as input of a source. See kafka.h; all that knows librdkafka is here. */
#include "source/kafka.h"

#include "base/buf.h"

#ifdef CDC_WITH_RDKAFKA

#include <librdkafka/rdkafka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS 15000 /* for what is asked at the start */
#define SLICE_MS 500 /* between two looks at whether to stop */
#define SILENCE_US (INT64_C(60) * 1000000) /* brokers that say nothing for so long are gone */
#define BATCH 1024
#define FIRST 64 /* messages that tell the format */
#define FIRST_MS 300 /* how long more of them are waited for */
#define PARTITIONS_MAX 100000

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

static int64_t now_us(const struct kafka *k)
{
	return k->opt->io->mono_us(k->opt->io->ctx);
}

static bool interrupted(const struct kafka *k)
{
	return k->opt->io->interrupted(k->opt->io->ctx);
}

/* --- configuration ------------------------------------------------------ */

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	const struct kafka *k = rd_kafka_opaque(rk);

	(void)level;
	(void)facility;
	if (k->opt->debug)
		k->opt->debug(k->opt->ctx, text);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
	struct kafka *k = opaque;

	(void)rk;
	/* What cannot be got over is not to be hidden by what follows from it. */
	if (k->fatal)
		return;
	(void)snprintf(k->trouble, sizeof(k->trouble), "%s", reason);
	k->fatal = k->fatal || code == RD_KAFKA_RESP_ERR__FATAL ||
		   code == RD_KAFKA_RESP_ERR__AUTHENTICATION;
}

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct cdc_err *err)
{
	char why[256];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK)
		return CDC_OK;
	return cdc_fail(err, CDC_EUSAGE, "%s", why);
}

static struct cdc_str trim(struct cdc_str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = cdc_str(s.p + 1, s.n - 1);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r'))
		s.n--;
	return s;
}

/* A line of the file, in a buffer that may be changed; what its value is stays untold. */
static int set_line(rd_kafka_conf_t *conf, struct cdc_str line, struct cdc_err *err)
{
	const char *equals;
	char *name, *value;
	struct cdc_str left, right;
	int rc = CDC_ENOMEM;

	line = trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return CDC_OK;
	equals = memchr(line.p, '=', line.n);
	if (!equals)
		return cdc_fail(err, CDC_EUSAGE, "not of the form name=value");
	left = trim(cdc_str(line.p, (size_t)(equals - line.p)));
	right = trim(cdc_str(equals + 1, (size_t)(line.p + line.n - equals) - 1));
	name = strndup(left.p, left.n);
	value = strndup(right.p, right.n);
	if (name && value)
		rc = set(conf, name, value, err);
	else
		(void)cdc_fail_nomem(err);
	free(name);
	free(value);
	return rc;
}

static int set_file(const struct kafka *k, rd_kafka_conf_t *conf, struct cdc_err *err)
{
	struct cdc_str rest = k->opt->config;
	uint64_t number = 0;
	int rc = CDC_OK;

	while (rc == CDC_OK && rest.n) {
		const char *end = memchr(rest.p, '\n', rest.n);
		size_t n = end ? (size_t)(end - rest.p) : rest.n;

		number++;
		rc = set_line(conf, cdc_str(rest.p, n), err);
		n += end ? 1 : 0;
		rest = cdc_str(rest.p + n, rest.n - n);
	}
	if (rc < 0) {
		cdc_err_file(err, k->opt->config_name);
		cdc_err_line(err, number);
	}
	return rc;
}

/* What the user may change, the user's file, and what must be. */
static int configure(struct kafka *k, rd_kafka_conf_t *conf, struct cdc_err *err)
{
	static const char *const before[][2] = {
		{ "client.id", "cdc-decode" },
		{ "check.crcs", "true" },
		{ "queued.max.messages.kbytes", "16384" },
		{ "socket.keepalive.enable", "true" },
		{ "fetch.wait.max.ms", "100" }, /* it delays the end, too */
	};
	static const char *const after[][2] = {
		{ "enable.partition.eof", "true" },
		{ "auto.offset.reset", "error" },
		{ "log.queue", "true" },
	};
	int rc = CDC_OK;

	for (size_t i = 0; rc == CDC_OK && i < sizeof(before) / sizeof(before[0]); i++)
		rc = set(conf, before[i][0], before[i][1], err);
	if (rc == CDC_OK)
		rc = set_file(k, conf, err);
	for (size_t i = 0; rc == CDC_OK && i < sizeof(after) / sizeof(after[0]); i++)
		rc = set(conf, after[i][0], after[i][1], err);
	if (rc == CDC_OK)
		rc = set(conf, "bootstrap.servers", k->opt->brokers, err);
	rd_kafka_conf_set_opaque(conf, k);
	rd_kafka_conf_set_log_cb(conf, on_log);
	rd_kafka_conf_set_error_cb(conf, on_error);
	return rc;
}

static int connect_to(struct kafka *k, struct cdc_err *err)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];
	int rc = configure(k, conf, err);

	if (rc < 0) {
		rd_kafka_conf_destroy(conf);
		return rc;
	}
	k->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	if (!k->rk) {
		rd_kafka_conf_destroy(conf);
		return cdc_fail(err, CDC_EUSAGE, "%s", why);
	}
	(void)rd_kafka_set_log_queue(k->rk, NULL);
	k->topic = rd_kafka_topic_new(k->rk, k->opt->topic, NULL);
	if (!k->topic)
		return cdc_fail(err, CDC_EUSAGE, "topic %s: %s", k->opt->topic,
				rd_kafka_err2str(rd_kafka_last_error()));
	k->queue = rd_kafka_queue_new(k->rk);
	return k->queue ? CDC_OK : cdc_fail_nomem(err);
}

/* --- partitions --------------------------------------------------------- */

static int broker_error(const struct kafka *k, rd_kafka_resp_err_t code, struct cdc_err *err)
{
	return cdc_fail(err, CDC_EIO, "topic %s at %s: %s%s%s", k->opt->topic, k->opt->brokers,
			rd_kafka_err2str(code), k->trouble[0] ? ": " : "", k->trouble);
}

static int stopped(struct cdc_err *err)
{
	return cdc_fail(err, CDC_EINTR, "interrupted");
}

static int ask_metadata(struct kafka *k, const struct rd_kafka_metadata **md, struct cdc_err *err)
{
	int64_t until = now_us(k) + (int64_t)ANSWER_MS * 1000;
	rd_kafka_resp_err_t rc;

	for (;;) {
		rc = rd_kafka_metadata(k->rk, 0, k->topic, md, SLICE_MS);
		(void)rd_kafka_poll(k->rk, 0);
		if (!rc)
			return CDC_OK;
		if (interrupted(k))
			return stopped(err);
		if (k->fatal || now_us(k) > until)
			return broker_error(k, rc, err);
		k->opt->io->sleep_ms(k->opt->io->ctx, 100);
	}
}

static int list_partitions(struct kafka *k, const struct rd_kafka_metadata *md, struct cdc_err *err)
{
	const struct rd_kafka_metadata_topic *t = md->topics;
	int32_t max = -1;

	if (md->topic_cnt != 1 || t->err || t->partition_cnt == 0)
		return broker_error(k,
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
	k->first = calloc((size_t)k->n_part + FIRST, sizeof(*k->first));
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
	return rc ? broker_error(k, rc, err) : CDC_OK;
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
		return broker_error(k, rd_kafka_last_error(), err);
	p->started = true;
	return CDC_OK;
}

static int start_all(struct kafka *k, struct cdc_err *err)
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
		rc = interrupted(k) ? stopped(err) : choose_start(k, id, err);
		p->done = !k->opt->follow && p->next >= p->end;
		if (rc == CDC_OK && !p->done) {
			k->open++;
			rc = start(k, id, err);
		}
	}
	return rc;
}

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

/* What lay at the next offset is gone while we were reading. */
static int overtaken(struct kafka *k, int32_t id, struct cdc_err *err)
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
		return p->done ? CDC_OK : overtaken(k, in->partition, err);
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
	int64_t since_us = now_us(k) - k->checkpoint_us;
	bool done;
	int rc;

	due = due || (k->opt->checkpoint_seconds &&
		      since_us / 1000000 >= (int64_t)k->opt->checkpoint_seconds);
	if (!due || !k->pending)
		return CDC_OK;
	rc = cdc_source_checkpoint(k->s, idle, &done, err);
	if (rc == CDC_OK && done) {
		k->pending = 0;
		k->checkpoint_us = now_us(k);
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
	if (now_us(k) - k->heard_us < SILENCE_US)
		return CDC_OK;
	return cdc_fail(err, CDC_EIO, "%s does not answer: %s", k->opt->brokers, k->trouble);
}

static void heard(struct kafka *k)
{
	k->heard_us = now_us(k);
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

	while (rc == CDC_OK && *n < FIRST && ends < k->open && !interrupted(k)) {
		rd_kafka_message_t *in;
		ssize_t got =
			rd_kafka_consume_batch_queue(k->queue, *n ? FIRST_MS : SLICE_MS, &in, 1);

		if (got < 0)
			return broker_error(k, rd_kafka_last_error(), err);
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
	struct cdc_message m[FIRST];
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
	while (rc == CDC_OK && !k->enough && (k->open || k->opt->follow) && !interrupted(k)) {
		ssize_t n = rd_kafka_consume_batch_queue(k->queue, 0, batch, BATCH);

		if (n == 0) {
			rc = cdc_source_live_flush(k->s, err);
			if (rc == CDC_OK && k->opt->idle)
				rc = k->opt->idle(k->opt->ctx, err);
			if (rc == CDC_OK)
				n = rd_kafka_consume_batch_queue(k->queue, SLICE_MS, batch, BATCH);
		}
		if (n < 0)
			return broker_error(k, rd_kafka_last_error(), err);
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
		rc = stopped(err);
	return rc;
}

static void disconnect(struct kafka *k)
{
	for (size_t i = 0; i < k->n_first; i++)
		rd_kafka_message_destroy(k->first[i]);
	for (int32_t id = 0; id < k->n_part; id++) {
		if (k->part[id].started)
			(void)rd_kafka_consume_stop(k->topic, id);
	}
	if (k->queue)
		rd_kafka_queue_destroy(k->queue);
	if (k->topic)
		rd_kafka_topic_destroy(k->topic);
	if (k->rk)
		rd_kafka_destroy(k->rk);
	free(k->part);
	free(k->first);
	free(k->header);
}

int cdc_kafka_run(struct cdc_source *s, const struct cdc_kafka_options *opt, struct cdc_err *err)
{
	struct kafka k = { .s = s, .opt = opt };
	int rc = cdc_source_live_check(s, err);

	if (rc == CDC_OK)
		rc = connect_to(&k, err);

	k.heard_us = k.checkpoint_us = now_us(&k);
	if (rc == CDC_OK)
		rc = start_all(&k, err);
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
	disconnect(&k);
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
