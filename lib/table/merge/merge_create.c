/*
 * Creating the table that a merge writes to. See merge_internal.h.
 */
#include "table/merge/merge_internal.h"

#include <errno.h>

static int json_names(const struct cdc_str *name, int n, struct cdc_buf *out, struct cdc_err *err)
{
	int rc = cdc_buf_putc(out, '[', err);

	for (int i = 0; !rc && i < n; i++) {
		if (i)
			rc = cdc_buf_putc(out, ',', err);
		if (!rc)
			rc = cdc_json_put_string(out, name[i], err);
	}
	return rc ? rc : cdc_buf_putc(out, ']', err);
}

/*
 * The directories above the log may be those of a run that died before they were on disk: sync
 * them all. Where one belongs to others, and may not be opened, it is older than the table.
 */
static int sync_ancestors(const struct cdc_merge *m, struct cdc_err *err)
{
	struct cdc_buf path = CDC_BUF_INIT;
	int rc = cdc_buf_puts(&path, m->target.path, err);

	for (;;) {
		if (!rc && !cdc_buf_z(&path))
			rc = cdc_fail_nomem(err);
		if (!rc)
			rc = cdc_io_sync_dir(m->opt.io, path.p, err);
		if (rc == CDC_EIO && err->sys_errno == EACCES) {
			*err = (struct cdc_err)CDC_ERR_INIT;
			rc = CDC_OK;
		}
		if (rc || !path.len || (path.len == 1 && (path.p[0] == '/' || path.p[0] == '.')))
			break;
		while (path.len && path.p[path.len - 1] != '/')
			path.len--;
		while (path.len > 1 && path.p[path.len - 1] == '/')
			path.len--;
		if (!path.len)
			rc = cdc_buf_putc(&path, '.', err);
	}
	cdc_buf_free(&path);
	return rc;
}

int merge_create_table(struct cdc_merge *m, struct cdc_err *err)
{
	const struct cdc_snapshot *s = m->target.snapshot;
	struct cdc_buf partition_by = CDC_BUF_INIT;
	struct cdc_kv param[2] = { { .key = CDC_STR("isManaged"), .value = CDC_STR("false") },
				   { .key = CDC_STR("partitionBy") } };
	struct cdc_commit c = { .operation = "CREATE TABLE",
				.isolation = "Serializable",
				.read_version = -1,
				.is_blind_append = true,
				.protocol = &s->protocol,
				.metadata = &s->metadata,
				.parameter = param,
				.num_parameters = 2 };
	struct cdc_buf log = CDC_BUF_INIT;
	bool lost = false;
	int rc = cdc_buf_printf(&log, err, "%s/_delta_log", s->table);

	if (!rc && !cdc_buf_z(&log))
		rc = cdc_fail_nomem(err);
	if (!rc)
		rc = json_names(s->metadata.partition_column, s->metadata.num_partition_columns,
				&partition_by, err);
	param[1].value = cdc_buf_str(&partition_by);
	if (!rc)
		rc = cdc_io_mkdirs(m->opt.io, log.p, err);
	if (!rc)
		rc = sync_ancestors(m, err);
	if (!rc)
		rc = cdc_commit_put(m->opt.io, s->table, 0, &c, err);
	if (!rc) {
		m->version = 0;
		merge_warn_of_commit(m, err);
	} else if (rc == CDC_ECONFLICT) {
		/* Lost to a writer that creates the same table: use that one. */
		lost = true;
		*err = (struct cdc_err)CDC_ERR_INIT;
		rc = CDC_OK;
	}
	if (!rc) {
		rc = cdc_target_reload(&m->target, NULL, err);
		if (m->target.snapshot->num_adds)
			seen_stop(&m->seen);
		if (!rc)
			rc = merge_use_snapshot(m, err);
	}
	if (!rc && lost)
		rc = merge_check_positions(m, err);
	cdc_buf_free(&log);
	cdc_buf_free(&partition_by);
	return rc;
}
