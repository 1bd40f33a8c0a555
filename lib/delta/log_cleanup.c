/*
 * Deleting expired log files (spec section 15). Errs on the side of keeping: a file goes only when
 * a complete checkpoint behind the retention makes it superfluous.
 */
#include "delta/log_int.h"

#include <errno.h>
#include <stdio.h>

#define LOG_RETENTION_MS (30 * CDC_MS_PER_DAY)

struct cleaner {
	const struct cdc_io *io;
	const struct cdc_snapshot *s;
	struct cdc_log_list list;
	struct cdc_arena arena;
	int64_t cutoff_ms;
};

static bool is_on(const struct cdc_snapshot *s)
{
	struct cdc_str v;

	/* That feature promises that old checkpoints stay. */
	if (cdc_protocol_has_feature(&s->protocol, "checkpointProtection"))
		return false;
	return !cdc_metadata_config(&s->metadata, "delta.enableExpiredLogCleanup", &v) ||
	       cdc_str_ieq(v, CDC_STR("true"));
}

/* The newest of the commits that have all expired, oldest first; -1: none has. */
static int last_expired(struct cleaner *c, int64_t *version, struct cdc_err *err)
{
	*version = -1;
	for (size_t i = 0; i < c->list.n; i++) {
		const struct cdc_log_file *f = &c->list.file[i];
		const char *path;
		struct stat st;
		int rc;

		if (f->kind != CDC_LOG_COMMIT)
			continue;
		rc = cdc_log_path(c->s->table, f->name, &c->arena, &path, err);
		if (rc)
			return rc;
		if (c->io->stat(c->io->ctx, path, &st) < 0) {
			if (errno == ENOENT)
				continue;
			return cdc_fail_errno(err, errno, "cannot stat %s", path);
		}
		if ((int64_t)st.st_mtim.tv_sec * 1000 > c->cutoff_ms)
			break;
		*version = f->version;
	}
	return CDC_OK;
}

static int remove_file(struct cleaner *c, const char *name, struct cdc_err *err)
{
	char crc[2 * CDC_LOG_NAME_MAX];
	const char *path;
	int rc = cdc_log_path(c->s->table, name, &c->arena, &path, err);

	if (rc)
		return rc;
	if (c->io->unlink(c->io->ctx, path) < 0 && errno != ENOENT)
		return cdc_fail_errno(err, errno, "cannot remove %s", path);
	/* Hadoop's side file goes with it. */
	snprintf(crc, sizeof(crc), ".%s.crc", name);
	rc = cdc_log_path(c->s->table, crc, &c->arena, &path, err);
	if (!rc && c->io->unlink(c->io->ctx, path) < 0 && errno != ENOENT)
		rc = cdc_fail_errno(err, errno, "cannot remove %s", path);
	return rc;
}

/* Everything before `version`, oldest first: what is left is whole at every step. */
static int remove_before(struct cleaner *c, int64_t version, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < c->list.n && c->list.file[i].version <= version; i++) {
		const struct cdc_log_file *f = &c->list.file[i];

		if (f->version < version || f->kind == CDC_LOG_COMPACTED)
			rc = remove_file(c, f->name, err);
	}
	return rc;
}

int cdc_log_cleanup(const struct cdc_io *io, const struct cdc_snapshot *s, struct cdc_err *err)
{
	struct cleaner c = { .io = io, .s = s };
	struct cdc_log_checkpoint cp;
	int64_t expired;
	size_t at;
	int rc;

	if (!is_on(s))
		return CDC_OK;
	c.cutoff_ms =
		io->now_us(io->ctx) / 1000 -
		cdc_snapshot_config_interval_ms(s, "delta.logRetentionDuration", LOG_RETENTION_MS);
	/* Midnight UTC, as Spark: the log then loses whole days. */
	c.cutoff_ms -= (c.cutoff_ms % CDC_MS_PER_DAY + CDC_MS_PER_DAY) % CDC_MS_PER_DAY;
	rc = cdc_log_list_read(&c.list, io, s->table, err);
	if (rc)
		return rc;
	rc = last_expired(&c, &expired, err);
	at = c.list.n;
	if (!rc && expired >= 0 && cdc_log_checkpoint_before(&c.list, expired, &at, &cp))
		rc = remove_before(&c, cp.version, err);
	cdc_log_list_free(&c.list);
	cdc_arena_free(&c.arena);
	return rc;
}
