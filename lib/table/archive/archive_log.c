/*
 * The log of a copy: one commit, made action by action, so that memory does not grow with it.
 */
#include "table/archive/archive_int.h"

#include "table/describe/describe_json.h"

#include <stdlib.h>

#define ENGINE_INFO "cdc-tools/" CDC_VERSION

struct maker {
	const struct cdc_archive_log *log;
	struct cdc_buf line;
	struct cdc_buf path; /* encoded */
	cdc_text_fn *each;
	void *ctx;
};

/* The line that was made. What others wrote, as tags, may have line ends in it. */
static int give(struct maker *m, int rc, struct cdc_err *err)
{
	if (rc == CDC_OK) {
		cdc_json_to_line(&m->line, 0);
		rc = cdc_buf_putc(&m->line, '\n', err);
	}
	if (rc == CDC_OK)
		rc = m->each(m->ctx, cdc_buf_str(&m->line), err);
	cdc_buf_reset(&m->line);
	return rc;
}

/* ------------------------------------------------------------------ commitInfo */

/* A member that is a number in a string, as Spark writes all parameters and metrics. */
static void put_number(struct cdc_json_out *j, const char *key, int64_t v)
{
	char text[CDC_VALUE_TEXT_MAX];

	cdc_json_out_key(j, key);
	cdc_json_out_str(j, cdc_str(text, cdc_int64_format(v, text)));
}

static void put_text(struct cdc_json_out *j, const char *key, const char *text)
{
	cdc_json_out_key(j, key);
	cdc_json_out_str(j, cdc_str_z(text));
}

/* Parameters and metrics are those that Spark's CLONE has. */
static void put_operation(struct cdc_json_out *j, const struct cdc_snapshot *s)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < s->num_adds; i++) {
		if (__builtin_add_overflow(bytes, s->add[i].size_bytes, &bytes))
			bytes = INT64_MAX;
	}
	put_text(j, "operation", "CLONE");
	cdc_json_out_key(j, "operationParameters");
	cdc_json_out_open(j, '{');
	put_text(j, "source", s->table);
	put_number(j, "sourceVersion", s->version);
	put_text(j, "isShallow", "false");
	cdc_json_out_close(j, '}');
	cdc_json_out_key(j, "isolationLevel");
	cdc_json_out_str(j, CDC_STR("Serializable"));
	cdc_json_out_key(j, "isBlindAppend");
	cdc_json_out_bool(j, false);
	cdc_json_out_key(j, "operationMetrics");
	cdc_json_out_open(j, '{');
	put_number(j, "sourceTableSize", bytes);
	put_number(j, "sourceNumOfFiles", (int64_t)s->num_adds);
	put_number(j, "numRemovedFiles", 0);
	put_number(j, "removedFilesSize", 0);
	put_number(j, "numCopiedFiles", (int64_t)s->num_adds);
	put_number(j, "copiedFilesSize", bytes);
	cdc_json_out_close(j, '}');
}

/* In-commit timestamps never go back: not behind the version that was copied either. */
static int put_info(struct maker *m, struct cdc_err *err)
{
	const struct cdc_snapshot *s = m->log->plan->s;
	struct cdc_json_out j = { .buf = &m->line, .err = err };
	int64_t at = m->log->now_ms;

	cdc_json_out_open(&j, '{');
	cdc_json_out_key(&j, "commitInfo");
	cdc_json_out_open(&j, '{');
	if (cdc_metadata_config_is(&s->metadata, "delta.enableInCommitTimestamps", "true")) {
		at = s->has_in_commit_timestamp && s->timestamp_ms > at ? s->timestamp_ms : at;
		cdc_json_out_key(&j, "inCommitTimestamp");
		cdc_json_out_int(&j, at);
	}
	cdc_json_out_key(&j, "timestamp");
	cdc_json_out_int(&j, at);
	put_operation(&j, s);
	put_text(&j, "engineInfo", ENGINE_INFO);
	put_text(&j, "txnId", m->log->txn_id);
	cdc_json_out_close(&j, '}');
	cdc_json_out_close(&j, '}');
	return give(m, j.rc, err);
}

/* ------------------------------------------------------------------ the other actions */

/*
 * Settings about the source's log that are not true of the copy's: from which version on there are
 * in-commit timestamps, which the copy has from its first, and who coordinates the commits.
 */
static bool is_of_the_old_log(struct cdc_str key)
{
	const struct cdc_str coordinator = CDC_STR("delta.coordinatedCommits.");

	return cdc_str_eqz(key, "delta.inCommitTimestampEnablementVersion") ||
	       cdc_str_eqz(key, "delta.inCommitTimestampEnablementTimestamp") ||
	       (key.n > coordinator.n && memcmp(key.p, coordinator.p, coordinator.n) == 0);
}

static int put_metadata(struct maker *m, struct cdc_err *err)
{
	struct cdc_metadata meta = m->log->plan->s->metadata;
	struct cdc_kv *config = calloc((size_t)meta.num_config + 1, sizeof(*config));
	int n = 0, rc;

	if (!config)
		return cdc_fail_nomem(err);
	for (int i = 0; i < meta.num_config; i++) {
		if (!is_of_the_old_log(meta.config[i].key))
			config[n++] = meta.config[i];
	}
	meta.config = config;
	meta.num_config = n;
	meta.id = cdc_str_z(m->log->plan->id);
	rc = give(m, cdc_metadata_write(&m->line, &meta, err), err);
	free(config);
	return rc;
}

static int put_file(struct maker *m, size_t i, struct cdc_err *err)
{
	const struct cdc_plan *plan = m->log->plan;
	struct cdc_add add = plan->s->add[i];
	int rc;

	cdc_buf_reset(&m->path);
	rc = cdc_path_encode(plan->name[i], &m->path, err);
	if (rc < 0)
		return rc;
	add.path = cdc_buf_str(&m->path);
	add.data_change = true;
	if (plan->vector_of[i] != CDC_PLAN_NONE) {
		add.dv.storage = 'u';
		add.dv.path = plan->vector[plan->vector_of[i]].uuid_path;
	}
	return give(m, cdc_add_write(&m->line, &add, err), err);
}

int cdc_archive_log_make(const struct cdc_archive_log *log, cdc_text_fn *each, void *ctx,
			 struct cdc_err *err)
{
	const struct cdc_snapshot *s = log->plan->s;
	struct maker m = { .log = log, .each = each, .ctx = ctx };
	int rc = put_info(&m, err);

	if (rc == CDC_OK)
		rc = give(&m, cdc_protocol_write(&m.line, &s->protocol, err), err);
	if (rc == CDC_OK)
		rc = put_metadata(&m, err);
	for (size_t i = 0; rc == CDC_OK && i < s->num_txns; i++)
		rc = give(&m, cdc_txn_write(&m.line, &s->txn[i], err), err);
	for (size_t i = 0; rc == CDC_OK && i < s->num_domains; i++)
		rc = give(&m, cdc_domain_write(&m.line, &s->domain[i], err), err);
	for (size_t i = 0; rc == CDC_OK && i < s->num_adds; i++)
		rc = put_file(&m, i, err);
	cdc_buf_free(&m.line);
	cdc_buf_free(&m.path);
	return rc;
}
