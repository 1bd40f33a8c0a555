/*
 * The small files of the log that hold one JSON document: the hint, and checksums of versions.
 */
#include "table/fsck/fsck_int.h"

#include <errno.h>

int fsck_log_text(struct fsck *k, enum fsck_check check, const char *name, size_t max,
		  struct fsck_place at,
		  int (*look)(void *ctx, struct cdc_str text, struct cdc_err *err), void *ctx,
		  struct cdc_err *err)
{
	struct cdc_buf text = CDC_BUF_INIT_MAX(max);
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err why = CDC_ERR_INIT;
	const char *path;
	int rc = cdc_log_path(k->table, name, &arena, &path, err);

	if (rc)
		goto out;
	rc = cdc_log_read_file(k->io, path, &text, &why);
	if (rc == CDC_EIO && why.sys_errno == ENOENT) {
		rc = CDC_OK;
		goto out;
	}
	rc = rc ? fsck_report_err(k, check, at, &why, err) : look(ctx, cdc_buf_str(&text), err);
	if (!rc)
		rc = fsck_side_file(k, path, at, err);
out:
	cdc_arena_free(&arena);
	cdc_buf_free(&text);
	return rc;
}
