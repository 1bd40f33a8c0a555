/*
 * The catalogue of what a check can find, and how findings are printed.
 */
#include "table/fsck/fsck_int.h"

#include "table/describe/describe_json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/*
 * Which engines a finding stands in the way of. Wrong statistics and row counts lose rows from
 * results, which counts as not readable; that a table reads well but writers would make it worse
 * counts as not writable.
 */
const struct fsck_def fsck_def[FSCK_NUM_CHECKS] = {
	[FSCK_LOG_GAP] = { "log-gap", true, 0, 0 },
	[FSCK_LOG_COMMIT] = { "commit", true, 0, 0 },
	[FSCK_LOG_ACTIONS] = { "commit-actions", true, 0, FSCK_ALL },
	[FSCK_LOG_TIME] = { "in-commit-timestamp", true, 0, FSCK_SPARK },
	[FSCK_LOG_FILE_TIME] = { "commit-time", false, 0, 0 },
	[FSCK_CHECKPOINT] = { "checkpoint", true, FSCK_RUST | FSCK_DUCKDB, 0 },
	[FSCK_CHECKPOINT_STATE] = { "checkpoint-state", true, FSCK_ALL, FSCK_ALL },
	[FSCK_HINT] = { "last-checkpoint", true, 0, 0 },
	[FSCK_HINT_OLD] = { "last-checkpoint", false, 0, 0 },
	[FSCK_CHECKSUM] = { "version-checksum", true, 0, FSCK_SPARK },
	[FSCK_SIDE_FILE] = { "hadoop-checksum", true, FSCK_SPARK, FSCK_SPARK },
	[FSCK_PATH] = { "path", true, FSCK_ALL, FSCK_ALL },
	[FSCK_EXTERNAL] = { "path-outside", false, 0, 0 },
	[FSCK_FILE] = { "file", true, FSCK_ALL, 0 },
	[FSCK_SIZE] = { "file-size", true, FSCK_ALL, 0 },
	[FSCK_PARQUET] = { "parquet", true, FSCK_ALL, 0 },
	[FSCK_COLUMN] = { "column", true, FSCK_ALL, 0 },
	[FSCK_SPARK_TYPE] = { "spark-type", true, FSCK_SPARK, 0 },
	[FSCK_SPARK_CODEC] = { "spark-codec", true, FSCK_SPARK, 0 },
	[FSCK_NUM_RECORDS] = { "num-records", true, FSCK_ALL, 0 },
	[FSCK_STATS] = { "stats", true, FSCK_ALL, 0 },
	[FSCK_STATS_EXACT] = { "stats-exact", true, FSCK_SPARK, 0 },
	[FSCK_PARTITION] = { "partition-value", true, FSCK_ALL, 0 },
	[FSCK_PARTITION_FORM] = { "partition-form", false, 0, 0 },
	[FSCK_NOT_NULL] = { "not-null", true, 0, 0 },
	[FSCK_DV] = { "deletion-vector", true, FSCK_ALL, 0 },
	[FSCK_DV_STATS] = { "deletion-vector-stats", true, 0, FSCK_SPARK },
	[FSCK_TOMBSTONE] = { "removed-file", false, 0, 0 },
	[FSCK_ORPHAN] = { "orphan", false, 0, 0 },
};

int fsck_put_line(struct fsck *k, int rc, struct cdc_err *err)
{
	if (rc == CDC_OK)
		rc = cdc_buf_putc(&k->line, '\n', err);
	if (rc == CDC_OK)
		rc = cdc_writer_put(k->out, k->line.p, k->line.len, err);
	cdc_buf_reset(&k->line);
	return rc;
}

static int print(struct fsck *k, enum fsck_check check, struct fsck_place at,
		 struct cdc_str message, struct cdc_err *err)
{
	const struct fsck_def *d = &fsck_def[check];
	struct cdc_json_out j = { .buf = &k->line, .err = err };

	/* An old checkpoint is in nobody's way who reads the latest version. */
	k->found[check] += at.version >= k->newest_checkpoint ||
			   (check != FSCK_CHECKPOINT && check != FSCK_CHECKPOINT_STATE &&
			    check != FSCK_CHECKSUM);
	if (d->is_error)
		k->r->errors++;
	else
		k->r->warnings++;
	cdc_json_out_open(&j, '{');
	cdc_json_out_key(&j, "check");
	cdc_json_out_str(&j, cdc_str_z(d->name));
	cdc_json_out_key(&j, "level");
	cdc_json_out_str(&j, d->is_error ? CDC_STR("error") : CDC_STR("warning"));
	cdc_json_out_key(&j, "path");
	cdc_json_out_str(&j, at.path);
	cdc_json_out_key(&j, "version");
	if (at.version < 0)
		cdc_json_out_null(&j);
	else
		cdc_json_out_int(&j, at.version);
	cdc_json_out_key(&j, "message");
	cdc_json_out_str(&j, message);
	cdc_json_out_close(&j, '}');
	return fsck_put_line(k, j.rc, err);
}

int fsck_report(struct fsck *k, enum fsck_check check, struct fsck_place at, struct cdc_err *err,
		const char *fmt, ...)
{
	char text[sizeof(err->msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return print(k, check, at, cdc_str_z(text), err);
}

bool fsck_is_finding(const struct cdc_err *why)
{
	return why->code == CDC_ECORRUPT || why->code == CDC_EUNSUPPORTED ||
	       why->code == CDC_EDATA ||
	       (why->code == CDC_EIO && (why->sys_errno == ENOENT || why->sys_errno == ENOTDIR));
}

int fsck_report_err(struct fsck *k, enum fsck_check check, struct fsck_place at,
		    const struct cdc_err *why, struct cdc_err *err)
{
	if (fsck_is_finding(why))
		return print(k, check, at, cdc_str_z(why->msg), err);
	*err = *why;
	return why->code;
}
