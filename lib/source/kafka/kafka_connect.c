/* Setting librdkafka up: its properties, the file of them, its messages (see kafka_int.h). */
#ifdef CDC_WITH_RDKAFKA

#include "source/kafka/kafka_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int kafka_connect(struct kafka *k, struct cdc_err *err)
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

void kafka_disconnect(struct kafka *k)
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

#endif
