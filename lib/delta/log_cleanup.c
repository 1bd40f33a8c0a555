/*
 * Deleting expired log files (spec section 15). Errs on the side of keeping: a file goes only when
 * a sound checkpoint behind the retention makes it superfluous.
 */
#include "delta/log_int.h"

#include <errno.h>

#define LOG_RETENTION_MS (30 * CDC_MS_PER_DAY)

struct cleaner {
	const struct cdc_io *io;
	const struct cdc_snapshot *s;
	struct cdc_log_list list;
	struct cdc_arena scratch;
	int64_t cutoff_ms;
	bool checkpoint_gone;
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
		struct cdc_err this = CDC_ERR_INIT;
		int64_t made_ms;
		bool told;
		int rc;

		if (f->kind != CDC_LOG_COMMIT)
			continue;
		cdc_arena_reset(&c->scratch);
		rc = cdc_log_commit_time(c->io, c->s, f->version, &c->scratch, &made_ms, &told,
					 &this);
		if (rc == CDC_EIO && this.sys_errno == ENOENT)
			continue;
		if (rc) {
			*err = this;
			return rc;
		}
		if (made_ms > c->cutoff_ms)
			break;
		*version = f->version;
	}
	return CDC_OK;
}

static int unlink_in(const struct cdc_io *io, const char *table, const char *dir, const char *head,
		     const char *name, const char *tail, struct cdc_err *err)
{
	struct cdc_buf path = CDC_BUF_INIT;
	int rc = cdc_buf_printf(&path, err, "%s/" CDC_LOG_DIR "/%s%s%s%s", table, dir, head, name,
				tail);

	if (!rc && !cdc_buf_z(&path))
		rc = cdc_fail_nomem(err);
	if (!rc && io->unlink(io->ctx, path.p) < 0 && errno != ENOENT)
		rc = cdc_fail_errno(err, errno, "cannot remove %s", path.p);
	cdc_buf_free(&path);
	return rc;
}

int cdc_log_remove(const struct cdc_io *io, const char *table, const char *dir, const char *name,
		   struct cdc_err *err)
{
	int rc = unlink_in(io, table, dir, "", name, "", err);

	return rc ? rc : unlink_in(io, table, dir, ".", name, ".crc", err);
}

/* Whether a compacted file stands for a commit behind `version` that is not there itself. */
static bool is_needed(const struct cleaner *c, const struct cdc_log_file *f, int64_t version)
{
	for (int64_t v = version + 1; v <= f->last; v++) {
		if (!cdc_log_commit_find(&c->list, v))
			return true;
	}
	return false;
}

/* Everything before `version`, oldest first: what is left is whole at every step. */
static int remove_before(struct cleaner *c, int64_t version, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < c->list.n && c->list.file[i].version <= version; i++) {
		const struct cdc_log_file *f = &c->list.file[i];

		if (f->kind == CDC_LOG_COMPACTED ? is_needed(c, f, version) : f->version == version)
			continue;
		rc = cdc_log_remove(c->io, c->s->table, "", f->name, err);
		c->checkpoint_gone |= f->kind == CDC_LOG_CHECKPOINT ||
				      f->kind == CDC_LOG_CHECKPOINT_PART ||
				      f->kind == CDC_LOG_CHECKPOINT_V2;
	}
	return rc;
}

/* What shows that a checkpoint can be read, short of reading its files. */
struct look {
	struct cleaner *c;
	bool protocol;
	bool metadata;
};

static int look_at(void *ctx, const struct cdc_action *a, struct cdc_err *err)
{
	struct look *l = ctx;
	struct cdc_buf path = CDC_BUF_INIT;
	struct stat st;
	int rc = CDC_OK;

	l->protocol |= a->kind == CDC_ACT_PROTOCOL;
	l->metadata |= a->kind == CDC_ACT_METADATA;
	if (a->kind != CDC_ACT_SIDECAR)
		return CDC_OK;
	rc = cdc_sidecar_path(l->c->s->table, &a->u.sidecar, &path, err);
	if (!rc && l->c->io->stat(l->c->io->ctx, path.p, &st) < 0)
		rc = cdc_fail_errno(err, errno, "cannot stat %s", path.p);
	cdc_buf_free(&path);
	return rc;
}

static int is_sound(struct cleaner *c, const struct cdc_log_checkpoint *cp, bool *sound,
		    struct cdc_err *err)
{
	const uint32_t kinds =
		CDC_KIND(CDC_ACT_PROTOCOL) | CDC_KIND(CDC_ACT_METADATA) | CDC_KIND(CDC_ACT_SIDECAR);
	struct look l = { .c = c };
	struct cdc_err this = CDC_ERR_INIT;
	int rc = cdc_checkpoint_read(c->io, c->s->table, cp, kinds, look_at, &l, &this);

	*sound = !rc && l.protocol && l.metadata;
	if (!rc || rc == CDC_ECORRUPT || rc == CDC_EUNSUPPORTED ||
	    (rc == CDC_EIO && this.sys_errno == ENOENT))
		return CDC_OK;
	*err = this;
	return rc;
}

/* The newest sound checkpoint that has expired with its commit; false: none with anything before.
 */
static int find_cut(struct cleaner *c, int64_t expired, bool *found, int64_t *version,
		    struct cdc_err *err)
{
	struct cdc_log_checkpoint cp;
	size_t at = c->list.n;
	int rc = CDC_OK;

	*found = false;
	while (!rc && !*found && cdc_log_checkpoint_before(&c->list, expired, &at, &cp)) {
		*version = cp.version;
		if (cp.version > c->list.file[0].version)
			rc = is_sound(c, &cp, found, err);
	}
	return rc;
}

int cdc_log_cleanup(const struct cdc_io *io, const struct cdc_snapshot *s, struct cdc_err *err)
{
	struct cleaner c = { .io = io, .s = s };
	int64_t expired, version = -1;
	bool found = false;
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
	if (!rc && expired >= 0)
		rc = find_cut(&c, expired, &found, &version, err);
	if (!rc && found)
		rc = remove_before(&c, version, err);
	/* Only with a checkpoint do sidecars lose what names them. */
	if (!rc && c.checkpoint_gone)
		rc = cdc_log_sidecar_cleanup(io, s->table, err);
	cdc_log_list_free(&c.list);
	cdc_arena_free(&c.scratch);
	return rc;
}
