/*
 * When versions were made, and which version a moment falls to (spec sections 13 and 15). One
 * listing and one stat a commit; the commit itself is opened only for in-commit timestamps.
 */
#include "delta/log_int.h"

#include "base/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* From this version on the commits tell their times; INT64_MAX: none does. */
static int64_t first_told(const struct cdc_snapshot *s)
{
	if (!cdc_metadata_config_is(&s->metadata, "delta.enableInCommitTimestamps", "true"))
		return INT64_MAX;
	/* A table that had them from the start does not say since when. */
	return cdc_snapshot_config_int(s, "delta.inCommitTimestampEnablementVersion", 0);
}

static int file_time(const struct cdc_io *io, const char *table, int64_t version,
		     struct cdc_arena *scratch, int64_t *ms, struct cdc_err *err)
{
	char name[CDC_LOG_NAME_MAX];
	const char *path;
	struct stat st;
	int rc;

	cdc_log_commit_name(version, name);
	rc = cdc_log_path(table, name, scratch, &path, err);
	if (rc)
		return rc;
	if (io->stat(io->ctx, path, &st) < 0)
		return cdc_fail_errno(err, errno, "cannot stat %s", path);
	*ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	return CDC_OK;
}

int cdc_log_commit_time(const struct cdc_io *io, const struct cdc_snapshot *s, int64_t version,
			struct cdc_arena *scratch, int64_t *ms, bool *told, struct cdc_err *err)
{
	struct cdc_commit_info info = { .raw = CDC_STR_INIT };
	int rc = CDC_OK;

	*told = false;
	if (version >= first_told(s))
		rc = cdc_commit_info_read(io, s->table, version, scratch, &info, told, err);
	if (rc)
		return rc;
	*told = *told && info.has_in_commit_timestamp;
	if (!*told)
		return file_time(io, s->table, version, scratch, ms, err);
	*ms = info.in_commit_timestamp_ms;
	return CDC_OK;
}

/* Forget the first `n` versions. */
static void drop(struct cdc_log_times *t, size_t n)
{
	t->n -= n;
	memmove(t->version, t->version + n, t->n * sizeof(*t->version));
	memmove(t->timestamp_ms, t->timestamp_ms + n, t->n * sizeof(*t->timestamp_ms));
}

/* The clean-up of another process may take commits since the listing, the oldest first. */
static int fill_times(const struct cdc_io *io, const struct cdc_snapshot *s,
		      struct cdc_log_times *t, struct cdc_err *err)
{
	struct cdc_arena scratch = CDC_ARENA_INIT;
	size_t i = 0;
	int rc = CDC_OK;

	while (!rc && i < t->n) {
		bool told = false;

		cdc_arena_reset(&scratch);
		if (io->interrupted(io->ctx))
			rc = cdc_fail(err, CDC_EINTR, "interrupted");
		else
			rc = cdc_log_commit_time(io, s, t->version[i], &scratch,
						 &t->timestamp_ms[i], &told, err);
		if (rc == CDC_EIO && err->sys_errno == ENOENT) {
			drop(t, i + 1);
			*err = (struct cdc_err)CDC_ERR_INIT;
			rc = CDC_OK;
			i = 0;
			continue;
		}
		/* Copies and clocks that were set back would put versions out of order. */
		if (!rc && !told && i && t->timestamp_ms[i] <= t->timestamp_ms[i - 1] &&
		    __builtin_add_overflow(t->timestamp_ms[i - 1], 1, &t->timestamp_ms[i]))
			t->timestamp_ms[i] = INT64_MAX;
		i++;
	}
	cdc_arena_free(&scratch);
	return rc;
}

/*
 * Where the commits begin from which every later state can be made: at version 0, or at the oldest
 * checkpoint that joins the run of commits which leads to the newest.
 */
static size_t find_readable(const struct cdc_log_list *l, const struct cdc_log_times *t)
{
	struct cdc_log_checkpoint cp;
	int64_t from = INT64_MAX;
	size_t run = t->n, at = l->n, i;

	while (run > 0 && (run == t->n || t->version[run - 1] + 1 == t->version[run]))
		run--;
	if (run == t->n || t->version[run] == 0)
		return run;
	while (cdc_log_checkpoint_before(l, t->version[t->n - 1], &at, &cp)) {
		if (cp.version >= t->version[run] - 1)
			from = cp.version;
	}
	for (i = run; i < t->n && t->version[i] < from;)
		i++;
	return i;
}

int cdc_log_times(const struct cdc_io *io, const struct cdc_snapshot *s, struct cdc_log_times *out,
		  struct cdc_err *err)
{
	struct cdc_log_list l;
	int rc;

	*out = (struct cdc_log_times){ .n = 0 };
	rc = cdc_log_list_read(&l, io, s->table, err);
	if (rc)
		return rc;
	out->version = calloc(l.n + 1, sizeof(*out->version));
	out->timestamp_ms = calloc(l.n + 1, sizeof(*out->timestamp_ms));
	if (!out->version || !out->timestamp_ms) {
		rc = cdc_fail_nomem(err);
		goto out;
	}
	for (size_t i = 0; i < l.n && l.file[i].version <= s->version; i++) {
		if (l.file[i].kind == CDC_LOG_COMMIT)
			out->version[out->n++] = l.file[i].version;
	}
	rc = fill_times(io, s, out, err);
	out->readable = find_readable(&l, out);
out:
	cdc_log_list_free(&l);
	if (rc)
		cdc_log_times_free(out);
	return rc;
}

void cdc_log_times_free(struct cdc_log_times *t)
{
	free(t->version);
	free(t->timestamp_ms);
	*t = (struct cdc_log_times){ .n = 0 };
}

/* ------------------------------------------------------------------ the version of a moment */

static int outside(const struct cdc_log_times *t, size_t i, const char *which, const char *side,
		   struct cdc_err *err)
{
	char text[CDC_VALUE_TEXT_MAX];
	int64_t us;
	size_t n = 0;

	if (!__builtin_mul_overflow(t->timestamp_ms[i], 1000, &us))
		n = cdc_timestamp_format_fixed(us, 'T', true, 3, text);
	return cdc_fail(err, CDC_EUSAGE,
			"the timestamp lies %s the %s version that can be read, %" PRId64
			" of %.*s",
			side, which, t->version[i], (int)n, text);
}

int cdc_log_version_at(const struct cdc_io *io, const struct cdc_snapshot *s, int64_t timestamp_ms,
		       int64_t *version, struct cdc_err *err)
{
	struct cdc_log_times t;
	int rc = cdc_log_times(io, s, &t, err);
	size_t i;

	if (rc)
		return rc;
	/* From the end: in-commit timestamps that others wrote need not ascend. */
	for (i = t.n; i > t.readable && t.timestamp_ms[i - 1] > timestamp_ms;)
		i--;
	if (t.readable == t.n)
		rc = cdc_fail(err, CDC_EUSAGE,
			      "no commit of %s is left to tell when a version was made", s->table);
	else if (i == t.readable)
		rc = outside(&t, i, "earliest", "before", err);
	else if (timestamp_ms > t.timestamp_ms[t.n - 1])
		rc = outside(&t, t.n - 1, "latest", "after", err);
	else
		*version = t.version[i - 1];
	cdc_log_times_free(&t);
	return rc;
}
