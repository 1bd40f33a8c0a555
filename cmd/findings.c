/*
 * Running a check of a table. See findings.h.
 */
#include "cmd/findings.h"

static void on_progress(void *ctx, uint64_t rows, uint64_t bytes)
{
	cmd_progress(ctx, rows, bytes);
}

int cmd_check_table(struct cmd *c, struct cdc_fsck_options *opt, struct cdc_err *err)
{
	struct cdc_fsck_result r;
	struct cdc_err late = CDC_ERR_INIT;
	int rc;

	opt->io = c->io;
	opt->on_progress = on_progress;
	opt->ctx = c;
	cmd_progress_start(c, 0);
	rc = cdc_fsck(opt, &c->out, &r, err);
	if (rc < 0) {
		/* What was found before is told all the same; the first failure counts. */
		(void)!cdc_writer_flush(&c->out, &late);
		return rc;
	}
	cmd_info(c, "version %lld: %llu errors, %llu warnings in %llu files, %llu rows",
		 (long long)r.version, (unsigned long long)r.errors, (unsigned long long)r.warnings,
		 (unsigned long long)r.files, (unsigned long long)r.rows);
	cmd_stat_int(c, "errors", r.errors);
	cmd_stat_int(c, "warnings", r.warnings);
	cmd_stat_int(c, "files", r.files);
	cmd_stat_int(c, "rows", r.rows);
	if (r.errors)
		cmd_status(c, CMD_REJECTS);
	return CDC_OK;
}
