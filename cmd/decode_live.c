/* cdc-decode --kafka: options to a run of lib/source/kafka/kafka.c. See decode_live.h. */
#include "cmd/decode_live.h"

#include "base/value.h"
#include "source/kafka/kafka.h"
#include "table/merge/next_offset.h"

#include <string.h>

struct live {
	struct cmd *c;
	const struct live_options *o;
	struct cdc_source *s;
	struct cdc_snapshot *table; /* of --resume, NULL: there is no table yet */
};

const char *live_stray(const struct live_options *o)
{
	if (o->brokers)
		return NULL;
	return o->offset	     ? "--offset"
	       : o->follow	     ? "--follow"
	       : o->max_records	     ? "--max-records"
	       : o->resume	     ? "--resume"
	       : o->app_id	     ? "--app-id"
	       : o->config	     ? "--kafka-config"
	       : o->checkpoint_every ? "--checkpoint-every"
	       : o->on_loss	     ? "--on-data-loss"
				     : NULL;
}

static int resume(void *ctx, const char *topic, int32_t partition, int64_t *next,
		  struct cdc_err *err)
{
	struct live *l = ctx;

	return l->table ? cdc_next_offset(l->table, l->o->app_id, topic, partition, next, err)
			: CDC_OK;
}

static void warn(void *ctx, const char *text)
{
	cmd_warn(((struct live *)ctx)->c, "%s", text);
}

static void debug(void *ctx, const char *text)
{
	cmd_debug(((struct live *)ctx)->c, "%s", text);
}

static int idle(void *ctx, struct cdc_err *err)
{
	return cdc_writer_flush(&((struct live *)ctx)->c->out, err);
}

static void progress(void *ctx, uint64_t lag)
{
	struct live *l = ctx;
	const struct cdc_source_counts *n = cdc_source_counts(l->s);

	cdc_progress_live(&l->c->progress, n->records, n->bytes, lag);
}

/* beginning, end, an offset, or -N for the last N messages. */
static int parse_offset(const char *text, int64_t *offset, struct cdc_err *err)
{
	*offset = CDC_KAFKA_BEGINNING;
	if (!text || strcmp(text, "beginning") == 0)
		return CDC_OK;
	*offset = CDC_KAFKA_END;
	if (strcmp(text, "end") == 0)
		return CDC_OK;
	if (cdc_int64_parse(cdc_str_z(text), offset) != CDC_PARSE_OK ||
	    *offset < INT64_MIN - CDC_KAFKA_TAIL)
		return cdc_fail(err, CDC_EUSAGE, "--offset %s: not beginning, end, an offset or -N",
				text);
	if (*offset < 0)
		*offset += CDC_KAFKA_TAIL;
	return CDC_OK;
}

/* A number of messages, or a time: 1000, 30s. */
static int parse_every(const char *text, struct cdc_kafka_options *k, struct cdc_err *err)
{
	struct cdc_str s = cdc_str_z(text ? text : LIVE_CHECKPOINT_EVERY);

	if (cdc_uint64_parse(s, &k->checkpoint_messages) == CDC_PARSE_OK)
		return CDC_OK;
	k->checkpoint_messages = 0;
	if (cdc_duration_parse(s, &k->checkpoint_seconds) == CDC_PARSE_OK)
		return CDC_OK;
	return cdc_fail(err, CDC_EUSAGE,
			"--checkpoint-every %s: not a number of messages or a time such as 30s",
			text);
}

static int open_table(struct live *l, struct cdc_err *err)
{
	bool exists = false;
	int rc = cdc_log_exists(l->c->io, l->o->resume, &exists, err);

	if (rc == CDC_OK && exists)
		rc = cdc_snapshot_load(&l->table, l->c->io, l->o->resume, -1, err);
	else if (rc == CDC_OK)
		cmd_debug(l->c, "%s: no table yet", l->o->resume);
	return rc < 0 ? cdc_err_prefix(err, "--resume") : CDC_OK;
}

static int run(struct live *l, struct cdc_kafka_options *k, struct cdc_err *err)
{
	struct cdc_buf config = CDC_BUF_INIT;
	int rc = parse_offset(l->o->offset, &k->offset, err);

	if (rc == CDC_OK)
		rc = parse_every(l->o->checkpoint_every, k, err);
	if (rc == CDC_OK && l->o->resume)
		rc = open_table(l, err);
	if (rc == CDC_OK && l->o->config)
		rc = cdc_io_read_file(l->c->io, l->o->config, &config, err);
	k->config = cdc_buf_str(&config);
	k->config_name = l->o->config;
	if (rc == CDC_OK) {
		cmd_progress_start(l->c, 0);
		rc = cdc_kafka_run(l->s, k, err);
	}
	cdc_buf_free(&config);
	cdc_snapshot_free(l->table);
	return rc;
}

int live_run(struct cmd *c, const struct live_options *o, const char *topic, int64_t partition,
	     struct cdc_source *s, struct cdc_err *err)
{
	struct live l = { .c = c, .o = o, .s = s };
	struct cdc_kafka_options k = {
		.io = c->io,
		.brokers = o->brokers,
		.topic = topic,
		.partition = (int32_t)partition,
		.resume = o->resume ? resume : NULL,
		.on_loss_continue = o->on_loss && strcmp(o->on_loss, "continue") == 0,
		.follow = o->follow,
		.max_records = (uint64_t)o->max_records,
		.ctx = &l,
		.warn = warn,
		.debug = debug,
		.idle = idle,
		.progress = progress,
	};

	if (!topic)
		return cdc_fail(err, CDC_EUSAGE, "--kafka needs --topic");
	if (o->max_records < 0)
		return cdc_fail(err, CDC_EUSAGE, "--max-records is negative");
	return run(&l, &k, err);
}
