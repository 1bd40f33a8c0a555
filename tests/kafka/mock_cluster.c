/*
 * A Kafka cluster for tests: librdkafka's own mock, on loopback, in a process of its own. Prints
 * "ready HOST:PORT", then reads commands and answers each with "ok" or "failed: WHY"; ends with its
 * standard input, and by itself after two minutes.
 *
 *	topic NAME PARTITIONS
 *	text TOPIC PARTITION FILE	a message a line: [KEY TAB] VALUE [TAB NAME=VALUE]…, \N is
 *null kcat TOPIC PARTITION FILE	what kcat -f '%R%s' writes error CODE N			the
 *next N fetches are answered with this error down, up			the broker goes and comes
 *back
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FETCH 1 /* ApiKey */
#define HEADERS_MAX 8

static rd_kafka_t *rk;
static rd_kafka_mock_cluster_t *cluster;
static int failed; /* of deliveries */

static void on_delivery(rd_kafka_t *handle, const rd_kafka_message_t *m, void *opaque)
{
	(void)handle;
	(void)opaque;
	failed += m->err != 0;
}

static char *plain(char *text)
{
	return text && strcmp(text, "\\N") != 0 ? text : NULL;
}

static const char *produce(const char *topic, int partition, const char *key, const char *value,
			   size_t n, rd_kafka_headers_t *headers)
{
	rd_kafka_resp_err_t rc;

	do {
		rc = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
				       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
				       RD_KAFKA_V_KEY(key, key ? strlen(key) : 0),
				       RD_KAFKA_V_VALUE((void *)(size_t)value, n),
				       RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
		rd_kafka_poll(rk, rc == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
	} while (rc == RD_KAFKA_RESP_ERR__QUEUE_FULL);
	return rc ? rd_kafka_err2str(rc) : NULL;
}

static const char *produce_line(const char *topic, int partition, char *line)
{
	rd_kafka_headers_t *headers = NULL;
	char *field[2 + HEADERS_MAX];
	char *value;
	size_t n = 0;

	for (char *f = strtok(line, "\t"); f && n < 2 + HEADERS_MAX; f = strtok(NULL, "\t"))
		field[n++] = f;
	if (n == 0)
		return "an empty line";
	for (size_t i = 2; i < n; i++) {
		char *equals = strchr(field[i], '=');

		if (!equals)
			return "a header without =";
		headers = headers ? headers : rd_kafka_headers_new(HEADERS_MAX);
		rd_kafka_header_add(headers, field[i], equals - field[i], equals + 1, -1);
	}
	value = plain(n > 1 ? field[1] : field[0]);
	return produce(topic, partition, n > 1 ? plain(field[0]) : NULL, value,
		       value ? strlen(value) : 0, headers);
}

static const char *produce_text(const char *topic, int partition, FILE *f)
{
	const char *why = NULL;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while (!why && (n = getline(&line, &cap, f)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		why = produce_line(topic, partition, line);
	}
	free(line);
	return why;
}

static const char *produce_kcat(const char *topic, int partition, FILE *f)
{
	const char *why = NULL;
	unsigned char head[4];

	while (!why && fread(head, 1, 4, f) == 4) {
		size_t n = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 |
			   head[3];
		char *value = malloc(n + 1);

		if (!value || fread(value, 1, n, f) != n)
			why = "a short dump";
		else
			why = produce(topic, partition, NULL, value, n, NULL);
		free(value);
	}
	return why;
}

static const char *produce_file(const char *topic, int partition, const char *path, bool kcat)
{
	FILE *f = fopen(path, "r");
	const char *why;

	if (!f)
		return "cannot open the file";
	failed = 0;
	why = kcat ? produce_kcat(topic, partition, f) : produce_text(topic, partition, f);
	fclose(f);
	if (!why && rd_kafka_flush(rk, 30000))
		why = "not all was delivered in time";
	return why ? why : failed ? "not all was delivered" : NULL;
}

static const char *push_errors(int code, int n)
{
	while (n-- > 0)
		rd_kafka_mock_push_request_errors(cluster, FETCH, 1, (rd_kafka_resp_err_t)code);
	return NULL;
}

static const char *obey(const char *line)
{
	char name[256], path[1024];
	int number, n;

	if (sscanf(line, "topic %255s %d", name, &number) == 2)
		return rd_kafka_mock_topic_create(cluster, name, number, 1) ? "no topic" : NULL;
	if (sscanf(line, "text %255s %d %1023s", name, &number, path) == 3)
		return produce_file(name, number, path, false);
	if (sscanf(line, "kcat %255s %d %1023s", name, &number, path) == 3)
		return produce_file(name, number, path, true);
	if (sscanf(line, "error %d %d", &number, &n) == 2)
		return push_errors(number, n);
	if (strncmp(line, "down", 4) == 0)
		return rd_kafka_mock_broker_set_down(cluster, 1) ? "not down" : NULL;
	if (strncmp(line, "up", 2) == 0)
		return rd_kafka_mock_broker_set_up(cluster, 1) ? "not up" : NULL;
	return "no such command";
}

int main(void)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256], line[2048];

	alarm(120);
	setvbuf(stdout, NULL, _IOLBF, 0);
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	if (rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", why, sizeof(why)) ||
	    rd_kafka_conf_set(conf, "linger.ms", "1", why, sizeof(why)) ||
	    rd_kafka_conf_set(conf, "log_level", "0", why, sizeof(why)) ||
	    !(rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why)))) {
		fprintf(stderr, "mock_cluster: %s\n", why);
		return 1;
	}
	cluster = rd_kafka_handle_mock_cluster(rk);
	printf("ready %s\n", rd_kafka_mock_cluster_bootstraps(cluster));
	while (fgets(line, sizeof(line), stdin)) {
		const char *problem = obey(line);

		if (problem)
			printf("failed: %s\n", problem);
		else
			puts("ok");
	}
	rd_kafka_destroy(rk);
	return 0;
}
