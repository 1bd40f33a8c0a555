/*
 * Produce in transactions: transact BROKERS TOPIC commit|abort FILE..., one transaction a FILE, one
 * message a line.
 */
#include <librdkafka/rdkafka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const char *what, rd_kafka_error_t *error)
{
	fprintf(stderr, "transact: %s: %s\n", what, rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
	return 1;
}

static int produce(rd_kafka_t *rk, const char *topic, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int rc = f ? 0 : 1;

	while (!rc && (n = getline(&line, &cap, f)) > 0)
		rc = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
				       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
				       RD_KAFKA_V_VALUE(line, (size_t)n - 1), RD_KAFKA_V_END) != 0;
	free(line);
	if (f)
		fclose(f);
	return rc || rd_kafka_flush(rk, 30000);
}

int main(int argc, char **argv)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_error_t *error;
	rd_kafka_t *rk;
	char why[256];

	if (argc < 5) {
		fprintf(stderr, "usage: transact BROKERS TOPIC commit|abort FILE...\n");
		return 2;
	}
	rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], why, sizeof(why));
	rd_kafka_conf_set(conf, "transactional.id", "test", why, sizeof(why));
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (!rk)
		return 1;
	error = rd_kafka_init_transactions(rk, 60000);
	for (int i = 4; !error && i < argc; i++) {
		error = rd_kafka_begin_transaction(rk);
		if (!error && produce(rk, argv[2], argv[i]))
			return 1;
		if (!error && strcmp(argv[3], "commit") == 0)
			error = rd_kafka_commit_transaction(rk, 60000);
		else if (!error)
			error = rd_kafka_abort_transaction(rk, 60000);
	}
	if (error)
		return fail(argv[3], error);
	rd_kafka_destroy(rk);
	return 0;
}
