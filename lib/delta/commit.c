/*
 * Commits: one file of actions put in the log if its version is not there (spec section 14), and
 * read back.
 */
#include "delta/log_int.h"

#include "base/value.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#define ENGINE_INFO "cdc-tools/" CDC_VERSION
#define INFO_PREFIX_BYTES ((size_t)64 << 10) /* holds all but freak commitInfo actions */

static int64_t now_ms(const struct cdc_io *io)
{
	return io->now_us(io->ctx) / 1000;
}

static int64_t mtime_ms(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

/* ------------------------------------------------------------------ the commitInfo of a version */

/* The first `max` bytes of a file; *whole tells that it has no more. */
static int read_prefix(const struct cdc_io *io, const char *path, size_t max, struct cdc_buf *b,
		       bool *whole, struct cdc_err *err)
{
	struct stat st;
	size_t n;
	int rc, fd = io->open(io->ctx, path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return cdc_fail_errno(err, errno, "cannot open %s", path);
	if (io->fstat(io->ctx, fd, &st) < 0) {
		rc = cdc_fail_errno(err, errno, "cannot stat %s", path);
		goto out;
	}
	*whole = st.st_size <= (off_t)max;
	n = *whole ? (size_t)st.st_size : max;
	cdc_buf_reset(b);
	rc = cdc_buf_reserve(b, n + 1, err);
	if (!rc && n)
		rc = cdc_io_pread_full(io, fd, b->p, n, 0, path, err);
	if (!rc)
		b->len = n;
out:
	io->close(io->ctx, fd);
	return rc;
}

int cdc_commit_info_read(const struct cdc_io *io, const char *table, int64_t version,
			 struct cdc_arena *arena, struct cdc_commit_info *out, bool *found,
			 struct cdc_err *err)
{
	enum cdc_info_found is = CDC_INFO_CUT;
	struct cdc_buf b = CDC_BUF_INIT;
	char name[CDC_LOG_NAME_MAX];
	struct cdc_str text;
	const char *path;
	bool whole = false;
	int rc;

	cdc_log_commit_name(version, name);
	rc = cdc_log_path(table, name, arena, &path, err);
	for (size_t max = INFO_PREFIX_BYTES;
	     !rc && is == CDC_INFO_CUT && !whole && max <= CDC_LOG_ACTION_MAX; max *= 64) {
		rc = read_prefix(io, path, max, &b, &whole, err);
		if (rc)
			break;
		text = cdc_str(cdc_arena_dup(arena, b.p ? b.p : "", b.len), b.len);
		if (!text.p)
			rc = cdc_fail_nomem(err);
		else
			is = cdc_commit_info_first(text, arena, out);
	}
	*found = is == CDC_INFO_FOUND;
	cdc_buf_free(&b);
	return rc;
}

/* ------------------------------------------------------------------ writing */

struct composer {
	const struct cdc_io *io;
	const char *table;
	int64_t version;
	const struct cdc_commit *c;
	struct cdc_buf *b;
	bool has_ict;
	int64_t ict_ms;
	char txn_id[37];
};

/*
 * In-commit timestamps (spec section 13) are on when this commit's metaData says so or, without
 * one, when the previous commit has one. Each exceeds the one before.
 */
static int choose_ict(struct composer *w, struct cdc_err *err)
{
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_commit_info prev;
	bool found = false;
	int rc = CDC_OK;

	w->ict_ms = w->c->in_commit_timestamp_ms ? w->c->in_commit_timestamp_ms : now_ms(w->io);
	w->has_ict =
		w->c->metadata &&
		cdc_metadata_config_is(w->c->metadata, "delta.enableInCommitTimestamps", "true");
	if (w->version > 0 && (w->has_ict || !w->c->metadata)) {
		struct cdc_err lost = CDC_ERR_INIT;

		rc = cdc_commit_info_read(w->io, w->table, w->version - 1, &arena, &prev, &found,
					  &lost);
		/* A log may begin with a checkpoint whose commit is gone. */
		if (rc == CDC_EIO && lost.sys_errno == ENOENT)
			rc = CDC_OK;
		else if (rc)
			*err = lost;
	}
	if (!rc && found && prev.has_in_commit_timestamp) {
		w->has_ict = true;
		if (w->ict_ms <= prev.in_commit_timestamp_ms)
			w->ict_ms = prev.in_commit_timestamp_ms + 1;
	}
	cdc_arena_free(&arena);
	return rc;
}

static int put_info(struct composer *w, struct cdc_err *err)
{
	const struct cdc_commit *c = w->c;
	struct cdc_buf *b = w->b;
	int rc = cdc_buf_puts(b, "{\"commitInfo\":{", err);

	if (!rc && w->has_ict)
		rc = cdc_buf_printf(b, err, "\"inCommitTimestamp\":%" PRId64 ",", w->ict_ms);
	if (!rc)
		rc = cdc_buf_printf(b, err, "\"timestamp\":%" PRId64 ",\"operation\":",
				    w->has_ict ? w->ict_ms : now_ms(w->io));
	if (!rc)
		rc = cdc_json_put_string(b, cdc_str_z(c->operation), err);
	if (!rc)
		rc = cdc_buf_puts(b, ",\"operationParameters\":", err);
	if (!rc)
		rc = cdc_action_put_map(b, c->parameter, c->num_parameters, err);
	if (!rc && c->read_version >= 0)
		rc = cdc_buf_printf(b, err, ",\"readVersion\":%" PRId64, c->read_version);
	if (!rc)
		rc = cdc_buf_puts(b, ",\"isolationLevel\":", err);
	if (!rc)
		rc = cdc_json_put_string(b, cdc_str_z(c->isolation ? c->isolation : "Serializable"),
					 err);
	if (!rc)
		rc = cdc_buf_printf(b, err, ",\"isBlindAppend\":%s,\"operationMetrics\":",
				    c->is_blind_append ? "true" : "false");
	if (!rc)
		rc = cdc_action_put_map(b, c->metric, c->num_metrics, err);
	if (!rc && c->num_tags)
		rc = cdc_buf_puts(b, ",\"tags\":", err);
	if (!rc && c->num_tags)
		rc = cdc_action_put_map(b, c->tag, c->num_tags, err);
	if (!rc)
		rc = cdc_buf_printf(b, err,
				    ",\"engineInfo\":\"" ENGINE_INFO "\",\"txnId\":\"%s\"}}\n",
				    w->txn_id);
	return rc;
}

static int put_actions(struct composer *w, struct cdc_err *err)
{
	const struct cdc_commit *c = w->c;
	struct cdc_buf *b = w->b;
	int rc = put_info(w, err);

	if (!rc && c->metadata)
		rc = cdc_action_write(b, CDC_ACT_METADATA, c->metadata, err);
	if (!rc && c->protocol)
		rc = cdc_action_write(b, CDC_ACT_PROTOCOL, c->protocol, err);
	for (size_t i = 0; !rc && i < c->num_txns; i++)
		rc = cdc_action_write(b, CDC_ACT_TXN, &c->txn[i], err);
	for (size_t i = 0; !rc && i < c->num_domains; i++)
		rc = cdc_action_write(b, CDC_ACT_DOMAIN, &c->domain[i], err);
	for (size_t i = 0; !rc && i < c->num_removes; i++)
		rc = cdc_action_write(b, CDC_ACT_REMOVE, &c->remove[i], err);
	for (size_t i = 0; !rc && i < c->num_adds; i++)
		rc = cdc_action_write(b, CDC_ACT_ADD, &c->add[i], err);
	for (size_t i = 0; !rc && i < c->num_changes; i++)
		rc = cdc_action_write(b, CDC_ACT_CHANGE, &c->change[i], err);
	return rc;
}

enum outcome { OURS, NOT_OURS, UNKNOWN };

/* Whose commit is in the log? What can be read is committed, and its files must not be touched. */
static enum outcome look(const struct composer *w)
{
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_commit_info info;
	enum outcome o;
	bool found;
	int rc = cdc_commit_info_read(w->io, w->table, w->version, &arena, &info, &found, &err);

	if (rc)
		o = rc == CDC_EIO && err.sys_errno == ENOENT ? NOT_OURS : UNKNOWN;
	else
		o = found && cdc_str_eqz(info.txn_id, w->txn_id) ? OURS : NOT_OURS;
	cdc_arena_free(&arena);
	return o;
}

/* The log may begin with a checkpoint whose commit is gone. */
static int find_checkpoint(const struct composer *w, int64_t version, bool *found,
			   struct cdc_err *err)
{
	struct cdc_log_list l;
	struct cdc_log_checkpoint cp;
	size_t at;
	int rc = cdc_log_list_read(&l, w->io, w->table, err);

	if (rc)
		return rc;
	at = l.n;
	*found = cdc_log_checkpoint_before(&l, version, &at, &cp) && cp.version == version;
	cdc_log_list_free(&l);
	return CDC_OK;
}

/* Version n needs version n-1: a hole in the log would make the table unreadable. */
static int check_previous(const struct composer *w, struct cdc_arena *arena, struct cdc_err *err)
{
	char name[CDC_LOG_NAME_MAX];
	const char *path;
	struct stat st;
	bool found = false;
	int rc;

	if (w->version == 0)
		return CDC_OK;
	cdc_log_commit_name(w->version - 1, name);
	rc = cdc_log_path(w->table, name, arena, &path, err);
	if (rc || w->io->stat(w->io->ctx, path, &st) == 0)
		return rc;
	if (errno != ENOENT)
		return cdc_fail_errno(err, errno, "cannot stat %s", path);
	rc = find_checkpoint(w, w->version - 1, &found, err);
	if (!rc && !found)
		rc = cdc_fail(err, CDC_EINTERNAL, "commit %" PRId64 " would leave a gap in the log",
			      w->version);
	return rc;
}

/*
 * A failure while the file is put in the log leaves open whether it is there. It is ours: the
 * commit stands. It is not there, or another's: it does not. Not to be seen: say so.
 */
static int settle(const struct composer *w, int rc, struct cdc_err *err)
{
	enum outcome o = look(w);

	if (o == OURS) {
		*err = (struct cdc_err)CDC_ERR_INIT;
		return CDC_OK;
	}
	if (o == UNKNOWN)
		cdc_err_prefix(err, "whether version %" PRId64 " was committed is not known",
			       w->version);
	return rc;
}

int cdc_commit_put(const struct cdc_io *io, const char *table, int64_t version,
		   const struct cdc_commit *c, struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct composer w = { .io = io, .table = table, .version = version, .c = c, .b = &b };
	char name[CDC_LOG_NAME_MAX];
	const char *dir;
	int rc = cdc_log_path(table, NULL, &arena, &dir, err);

	if (!rc && version == 0)
		rc = cdc_io_mkdirs(io, dir, err);
	if (!rc)
		rc = check_previous(&w, &arena, err);
	if (!rc)
		rc = choose_ict(&w, err);
	if (!rc)
		rc = cdc_io_uuid(io, w.txn_id, NULL, err);
	if (!rc)
		rc = put_actions(&w, err);
	if (rc)
		goto out;
	cdc_log_commit_name(version, name);
	rc = cdc_io_commit_new(io, dir, name, cdc_buf_str(&b), err);
	/* A conflict is certain: it was settled by the file itself. */
	if (rc && rc != CDC_ECONFLICT)
		rc = settle(&w, rc, err);
out:
	cdc_arena_free(&arena);
	cdc_buf_free(&b);
	return rc;
}

/* ------------------------------------------------------------------ reading */

struct gather {
	struct cdc_commit_actions *out;
	size_t cap_adds;
	size_t cap_removes;
	size_t cap_changes;
	size_t cap_txns;
	size_t cap_domains;
};

static int grow(void *pp, size_t n, size_t *cap, size_t size, struct cdc_err *err)
{
	void **p = pp, *q;
	size_t want = *cap ? *cap * 2 : 16;

	if (n < *cap)
		return CDC_OK;
	q = reallocarray(*p, want, size);
	if (!q)
		return cdc_fail_nomem(err);
	*p = q;
	*cap = want;
	return CDC_OK;
}

static int gather_one(void *ctx, const struct cdc_action *a, struct cdc_err *err)
{
	struct gather *g = ctx;
	struct cdc_commit_actions *o = g->out;
	int rc = CDC_OK;

	switch (a->kind) {
	case CDC_ACT_ADD:
		rc = grow(&o->add, o->num_adds, &g->cap_adds, sizeof(*o->add), err);
		if (!rc)
			o->add[o->num_adds++] = a->u.add;
		break;
	case CDC_ACT_REMOVE:
		rc = grow(&o->remove, o->num_removes, &g->cap_removes, sizeof(*o->remove), err);
		if (!rc)
			o->remove[o->num_removes++] = a->u.remove;
		break;
	case CDC_ACT_CHANGE:
		rc = grow(&o->change, o->num_changes, &g->cap_changes, sizeof(*o->change), err);
		if (!rc)
			o->change[o->num_changes++] = a->u.change;
		break;
	case CDC_ACT_TXN:
		rc = grow(&o->txn, o->num_txns, &g->cap_txns, sizeof(*o->txn), err);
		if (!rc)
			o->txn[o->num_txns++] = a->u.txn;
		break;
	case CDC_ACT_DOMAIN:
		rc = grow(&o->domain, o->num_domains, &g->cap_domains, sizeof(*o->domain), err);
		if (!rc)
			o->domain[o->num_domains++] = a->u.domain;
		break;
	case CDC_ACT_METADATA:
		o->has_metadata = true;
		o->metadata = a->u.metadata;
		break;
	case CDC_ACT_PROTOCOL:
		o->has_protocol = true;
		o->protocol = a->u.protocol;
		break;
	case CDC_ACT_COMMIT_INFO:
		o->commit_info = a->u.info.raw;
		o->is_blind_append = a->u.info.is_blind_append;
		if (a->u.info.has_in_commit_timestamp)
			o->timestamp_ms = a->u.info.in_commit_timestamp_ms;
		break;
	case CDC_ACT_SIDECAR:
	case CDC_ACT_CHECKPOINT:
	case CDC_ACT_NUM:
		break;
	}
	return rc;
}

int cdc_commit_read(const struct cdc_io *io, const char *table, int64_t version,
		    struct cdc_commit_actions *out, struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT_MAX(CDC_LOG_JSON_MAX);
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct gather g = { .out = out };
	char name[CDC_LOG_NAME_MAX];
	const char *path;
	struct cdc_str text;
	struct stat st;
	int rc;

	memset(out, 0, sizeof(*out));
	out->version = version;
	cdc_log_commit_name(version, name);
	rc = cdc_log_path(table, name, &out->arena, &path, err);
	if (rc)
		goto out;
	if (io->stat(io->ctx, path, &st) < 0) {
		rc = errno == ENOENT ? CDC_END : cdc_fail_errno(err, errno, "cannot stat %s", path);
		goto out;
	}
	out->timestamp_ms = mtime_ms(&st);
	rc = cdc_log_read_file(io, path, &b, err);
	if (rc)
		goto out;
	text = cdc_str(cdc_arena_dup(&out->arena, b.p ? b.p : "", b.len), b.len);
	cdc_buf_free(&b);
	if (!text.p) {
		rc = cdc_fail_nomem(err);
		goto out;
	}
	rc = cdc_actions_parse(&tape, text, &out->arena, gather_one, &g, err);
	if (rc == CDC_ECORRUPT)
		cdc_err_file(err, path);
out:
	cdc_tape_free(&tape);
	cdc_buf_free(&b);
	if (rc)
		cdc_commit_actions_free(out);
	return rc;
}

void cdc_commit_actions_free(struct cdc_commit_actions *a)
{
	free(a->add);
	free(a->remove);
	free(a->change);
	free(a->txn);
	free(a->domain);
	cdc_arena_free(&a->arena);
	memset(a, 0, sizeof(*a));
}
