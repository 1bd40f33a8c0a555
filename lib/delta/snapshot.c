/*
 * Loading a table's state at a version: which checkpoint, which commits, in which order; and
 * questions to the state.
 */
#include "delta/log_load.h"
#include "delta/property.h"

#include "base/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define RELIST_MAX 3 /* the log may be cleaned up while it is read */
#define BAD_CHECKPOINTS_MAX 32 /* each costs a replay of the commits behind it */

static int keep_action(void *ctx, const struct cdc_action *a, struct cdc_err *err)
{
	struct cdc_action_list *l = ctx;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct cdc_action *p = reallocarray(l->a, cap, sizeof(*p));

		if (!p)
			return cdc_fail_nomem(err);
		l->a = p;
		l->cap = cap;
	}
	l->a[l->n++] = *a;
	return CDC_OK;
}

static int replay_checkpoint(void *ctx, const struct cdc_action *a, struct cdc_err *err)
{
	struct cdc_loader *ld = ctx;

	ld->cp_protocol |= a->kind == CDC_ACT_PROTOCOL;
	ld->cp_metadata |= a->kind == CDC_ACT_METADATA;
	return cdc_replay_action(&ld->replay, a, err);
}

/* The actions of a commit, or of a file that replaces several, into ld->actions. */
static int parse_commit(struct cdc_loader *ld, const struct cdc_log_file *f, const char **path,
			struct cdc_err *err)
{
	int rc;

	cdc_arena_reset(&ld->scratch);
	cdc_buf_reset(&ld->text);
	ld->actions.n = 0;
	rc = cdc_log_path(ld->s->table, f->name, &ld->scratch, path, err);
	if (!rc)
		rc = cdc_log_read_file(ld->io, *path, &ld->text, err);
	if (!rc)
		rc = cdc_actions_parse(&ld->tape, cdc_buf_str(&ld->text), &ld->scratch, keep_action,
				       &ld->actions, err);
	if (rc == CDC_ECORRUPT)
		cdc_err_file(err, *path);
	return rc;
}

/* Newest first, so backwards within a commit as well: the last word on a key is its last. */
static int replay_commit(struct cdc_loader *ld, const char *path, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (size_t i = ld->actions.n; !rc && i-- > 0;) {
		rc = cdc_replay_action(&ld->replay, &ld->actions.a[i], err);
		if (rc == CDC_ECORRUPT)
			cdc_err_file(err, path);
	}
	return rc;
}

/*
 * Where the log begins later than at 0 and no checkpoint bridges that, the clean-up has done its
 * work, and the version that was asked for is gone. Any other hole is damage.
 */
static int missing(const struct cdc_loader *ld, int64_t after, int64_t version, struct cdc_err *err)
{
	bool older = after >= 0;

	for (size_t i = 0; i < ld->list.n && ld->list.file[i].version < version; i++)
		older |= ld->list.file[i].kind == CDC_LOG_COMMIT;
	if (ld->travel && !older)
		return cdc_fail(err, CDC_EUSAGE,
				"version %" PRId64 " of %s is too old: the log does not reach back "
				"to it any more",
				ld->s->version, ld->s->table);
	return cdc_fail(err, CDC_ECORRUPT, "version %" PRId64 " is missing from the log of %s",
			version, ld->s->table);
}

/*
 * A compacted file stands for the commits of its range (spec section 1), and is only asked for
 * where one of them is missing. It may tell of commits that were replayed already, or of a part of
 * the checkpoint: what is seen first wins, and the rest agrees. One that is empty or damaged is
 * passed over. *v becomes the version to go on with.
 */
static int load_compacted(struct cdc_loader *ld, int64_t after, int64_t *v, struct cdc_err *err)
{
	for (size_t i = 0; i < ld->list.n && ld->list.file[i].version <= *v; i++) {
		struct cdc_log_file *f = &ld->list.file[i];
		struct cdc_err this = CDC_ERR_INIT;
		const char *path;
		int rc;

		if (f->kind != CDC_LOG_COMPACTED || f->last < *v || f->last > ld->s->version)
			continue;
		rc = parse_commit(ld, f, &path, &this);
		if (!rc && ld->actions.n) {
			*v = f->version - 1;
			return replay_commit(ld, path, err);
		}
		if (rc && rc != CDC_ECORRUPT) {
			*err = this;
			return rc;
		}
		f->kind = CDC_LOG_OTHER; /* not to be read again */
	}
	return missing(ld, after, *v, err);
}

/* Commits after..version, newest first; each must be there. */
static int load_commits(struct cdc_loader *ld, int64_t after, struct cdc_err *err)
{
	for (int64_t v = ld->s->version; v > after;) {
		const struct cdc_log_file *f = cdc_log_commit_find(&ld->list, v);
		const char *path;
		int rc;

		if (ld->io->interrupted(ld->io->ctx))
			return cdc_fail(err, CDC_EINTR, "interrupted");
		if (f) {
			rc = parse_commit(ld, f, &path, err);
			if (!rc)
				rc = replay_commit(ld, path, err);
			v--;
		} else {
			rc = load_compacted(ld, after, &v, err);
		}
		if (rc)
			return rc;
	}
	return CDC_OK;
}

static void snapshot_clear(struct cdc_snapshot *s)
{
	free(s->add);
	free(s->tombstone);
	free(s->txn);
	free(s->domain);
	cdc_schema_free(&s->schema);
	cdc_arena_free(&s->arena);
	s->add = NULL;
	s->tombstone = NULL;
	s->txn = NULL;
	s->domain = NULL;
	s->num_adds = s->num_tombstones = s->num_txns = s->num_domains = 0;
}

/* A checkpoint is a whole state: one that lacks these is a part of one (spec section 9). */
static int load_checkpoint(struct cdc_loader *ld, const struct cdc_log_checkpoint *cp,
			   struct cdc_err *err)
{
	const char *path;
	int rc = cdc_log_path(ld->s->table, cp->file[0].name, &ld->scratch, &path, err);

	ld->cp_protocol = ld->cp_metadata = false;
	if (!rc)
		rc = cdc_checkpoint_read(ld->io, ld->s->table, cp,
					 ld->leave_files ? ~CDC_FILE_KINDS : CDC_ALL_KINDS,
					 replay_checkpoint, ld, err);
	if (!rc && (!ld->cp_protocol || !ld->cp_metadata)) {
		rc = cdc_fail(err, CDC_ECORRUPT, "the checkpoint has no %s action",
			      ld->cp_protocol ? "metaData" : "protocol");
		cdc_err_file(err, path);
	}
	return rc;
}

/* Whether the failure is the checkpoint's alone. A file of it that is gone is such a one, a table
 * that is not to be read is not. */
static bool may_pass_over(const struct cdc_loader *ld, const struct cdc_err *err)
{
	struct cdc_err unused = CDC_ERR_INIT;

	if (err->code == CDC_EUNSUPPORTED && ld->replay.has_protocol)
		return cdc_protocol_check_readable(&ld->s->protocol, &unused) == CDC_OK;
	return err->code == CDC_ECORRUPT || err->code == CDC_EUNSUPPORTED ||
	       (err->code == CDC_EIO && err->sys_errno == ENOENT);
}

/*
 * Replay on top of one checkpoint (NULL: from version 0). *bad_checkpoint tells that a failure is
 * the checkpoint's, so that an older one may serve.
 */
static int load_from(struct cdc_loader *ld, const struct cdc_log_checkpoint *cp,
		     bool *bad_checkpoint, struct cdc_err *err)
{
	struct cdc_replay_mark mark;
	int rc;

	snapshot_clear(ld->s);
	cdc_replay_free(&ld->replay);
	cdc_replay_init(&ld->replay, ld->s, ld->io);
	ld->s->checkpoint_version = cp ? cp->version : -1;
	*bad_checkpoint = false;
	rc = load_commits(ld, ld->s->checkpoint_version, err);
	if (rc)
		goto out;
	mark = cdc_replay_mark(&ld->replay);
	if (cp) {
		rc = load_checkpoint(ld, cp, err);
		*bad_checkpoint = rc && may_pass_over(ld, err);
		if (rc)
			goto out;
	}
	cdc_replay_order(&ld->replay, mark);
	rc = cdc_replay_finish(&ld->replay, ld->io, err);
out:
	if (rc || !ld->leave_files)
		cdc_replay_free(&ld->replay);
	return rc;
}

/* Try checkpoints from the newest down, then the commits alone. The first error is reported. */
static int load_state(struct cdc_loader *ld, struct cdc_err *err)
{
	bool bad;
	int rc;

	do {
		struct cdc_err this = CDC_ERR_INIT;

		ld->has_cp = ld->tries++ < BAD_CHECKPOINTS_MAX &&
			     cdc_log_checkpoint_before(&ld->list, ld->s->version, &ld->at, &ld->cp);
		rc = load_from(ld, ld->has_cp ? &ld->cp : NULL, &bad, &this);
		/* A table that is not to be read says more than a damaged file. */
		if (rc && (!ld->first.code || (rc == CDC_EUNSUPPORTED && !bad)))
			ld->first = this;
	} while (rc && bad);
	if (rc) {
		*err = ld->first;
		rc = err->code;
	}
	return rc;
}

static int mark_partitions(struct cdc_snapshot *s, struct cdc_err *err)
{
	for (int i = 0; i < s->metadata.num_partition_columns; i++) {
		int f = cdc_schema_find(&s->schema, s->metadata.partition_column[i]);

		if (f < 0)
			return cdc_fail(err, CDC_ECORRUPT,
					"partition column %.*s is not in the schema",
					(int)s->metadata.partition_column[i].n,
					s->metadata.partition_column[i].p);
		s->schema.field[f].is_partition = true;
	}
	return CDC_OK;
}

/* In-commit timestamps where the table has them, else the file's time (spec section 13). */
static int set_timestamp(struct cdc_loader *ld, struct cdc_err *err)
{
	struct cdc_snapshot *s = ld->s;
	const struct cdc_log_file *f = cdc_log_commit_find(&ld->list, s->version);
	struct cdc_commit_info info;
	bool found;
	struct stat st;
	const char *path;
	int rc;

	s->has_in_commit_timestamp = false;
	if (f && cdc_metadata_config_is(&s->metadata, "delta.enableInCommitTimestamps", "true")) {
		/* The commit of a checkpoint's own version was not replayed. */
		rc = cdc_commit_info_read(ld->io, s->table, s->version, &ld->scratch, &info, &found,
					  err);
		if (rc)
			return rc;
		if (found && info.has_in_commit_timestamp) {
			s->has_in_commit_timestamp = true;
			s->timestamp_ms = info.in_commit_timestamp_ms;
			return CDC_OK;
		}
	}
	for (size_t i = 0; !f && i < ld->list.n; i++) {
		if (ld->list.file[i].version == s->version)
			f = &ld->list.file[i];
	}
	if (!f)
		return CDC_OK;
	rc = cdc_log_path(s->table, f->name, &ld->scratch, &path, err);
	if (rc)
		return rc;
	if (ld->io->stat(ld->io->ctx, path, &st) < 0)
		return cdc_fail_errno(err, errno, "cannot stat %s", path);
	s->timestamp_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	return CDC_OK;
}

/* Find the version to load: the newest commit or checkpoint when none is asked for. */
static int choose_version(struct cdc_loader *ld, int64_t version, struct cdc_err *err)
{
	const struct cdc_log_list *l = &ld->list;
	int64_t newest = -1;
	bool there = false;
	struct cdc_log_checkpoint cp;
	size_t at = l->n;

	for (size_t i = 0; i < l->n; i++) {
		const struct cdc_log_file *f = &l->file[i];

		if (f->kind == CDC_LOG_COMMIT && f->version > newest)
			newest = f->version;
		if (f->kind == CDC_LOG_COMPACTED && f->last > newest)
			newest = f->last;
	}
	if (cdc_log_checkpoint_before(l, INT64_MAX, &at, &cp) && cp.version > newest)
		newest = cp.version;
	if (newest < 0)
		return cdc_fail(err, CDC_EUSAGE, "%s is not a Delta table: no log in it",
				ld->s->table);
	ld->s->version = version < 0 ? newest : version;
	ld->travel = version >= 0;
	at = l->n;
	there = cdc_log_commit_find(l, ld->s->version) != NULL;
	for (size_t i = 0; i < l->n; i++)
		there |= l->file[i].kind == CDC_LOG_COMPACTED && l->file[i].last == ld->s->version;
	while (!there && cdc_log_checkpoint_before(l, ld->s->version, &at, &cp) &&
	       cp.version == ld->s->version)
		there = true;
	if (there)
		return CDC_OK;
	if (version > newest)
		return cdc_fail(err, CDC_EUSAGE,
				"version %" PRId64 " of %s does not exist: the latest is %" PRId64,
				version, ld->s->table, newest);
	return cdc_fail(err, CDC_EUSAGE, "version %" PRId64 " of %s is not in the log any more",
			version, ld->s->table);
}

/* The columns that the metadata tells. */
static int read_columns(struct cdc_snapshot *s, struct cdc_err *err)
{
	bool mapped = false;
	int rc = cdc_metadata_check_mapping(&s->protocol, &s->metadata, &mapped, err);

	if (!rc)
		rc = cdc_schema_from_json(&s->schema, s->metadata.schema_json, err);
	/* Physical names left in the schema mean nothing once column mapping is off. */
	if (!rc && !mapped)
		cdc_schema_unmap(&s->schema);
	return rc ? rc : mark_partitions(s, err);
}

static int load_whole(struct cdc_loader *ld, struct cdc_err *err)
{
	int rc = load_state(ld, err);

	if (!rc)
		rc = read_columns(ld->s, err);
	return rc ? rc : set_timestamp(ld, err);
}

static int load(struct cdc_loader *ld, int64_t version, struct cdc_err *err)
{
	int rc;

	cdc_log_list_free(&ld->list);
	rc = cdc_log_list_read(&ld->list, ld->io, ld->s->table, err);
	if (!rc)
		rc = choose_version(ld, version, err);
	ld->at = ld->list.n;
	ld->tries = 0;
	ld->first = (struct cdc_err)CDC_ERR_INIT;
	return rc ? rc : load_whole(ld, err);
}

int cdc_loader_open(struct cdc_loader *ld, const struct cdc_io *io, const char *table,
		    int64_t version, bool leave_files, struct cdc_err *err)
{
	struct cdc_err this = CDC_ERR_INIT;
	size_t n = strlen(table);
	int rc, tries = 0;

	*ld = (struct cdc_loader){ .io = io,
				   .leave_files = leave_files,
				   .tape = CDC_TAPE_INIT,
				   .text = CDC_BUF_INIT_MAX(CDC_LOG_JSON_MAX) };
	ld->s = calloc(1, sizeof(*ld->s));
	if (!ld->s)
		return cdc_fail_nomem(err);
	while (n > 1 && table[n - 1] == '/')
		n--;
	ld->s->table = strndup(table, n);
	if (!ld->s->table)
		return cdc_fail_nomem(err);
	do {
		this = (struct cdc_err)CDC_ERR_INIT;
		rc = load(ld, version, &this);
	} while (rc == CDC_EIO && this.sys_errno == ENOENT && ++tries < RELIST_MAX);
	/* Not cleaned up meanwhile, but never there: a sidecar, say. */
	if (tries == RELIST_MAX)
		rc = this.code = CDC_ECORRUPT;
	if (rc)
		*err = this;
	return rc;
}

struct left_files {
	struct cdc_loader *ld;
	cdc_action_fn *each;
	void *ctx;
	int64_t cutoff_ms;
	bool each_failed;
};

static int give_file(void *ctx, const struct cdc_action *a, struct cdc_err *err)
{
	struct left_files *l = ctx;
	bool seen;
	int rc = cdc_replay_seen(&l->ld->replay, a, &seen, err);

	if (rc || seen ||
	    (a->kind == CDC_ACT_REMOVE && a->u.remove.deletion_timestamp_ms <= l->cutoff_ms))
		return rc;
	rc = l->each(l->ctx, a, err);
	l->each_failed = rc != CDC_OK;
	return rc;
}

int cdc_loader_files(struct cdc_loader *ld, cdc_action_fn *each, void *ctx, bool *bad,
		     struct cdc_err *err)
{
	struct left_files l = { ld, each, ctx, cdc_replay_cutoff_ms(ld->s, ld->io), false };
	int rc;

	*bad = false;
	if (!ld->has_cp)
		return CDC_OK;
	rc = cdc_checkpoint_read(ld->io, ld->s->table, &ld->cp, CDC_FILE_KINDS, give_file, &l, err);
	*bad = rc && !l.each_failed && may_pass_over(ld, err);
	return rc;
}

int cdc_loader_older(struct cdc_loader *ld, struct cdc_err *err)
{
	if (!ld->first.code)
		ld->first = *err;
	if (!ld->has_cp) {
		*err = ld->first;
		return err->code;
	}
	*err = (struct cdc_err)CDC_ERR_INIT;
	return load_whole(ld, err);
}

void cdc_loader_free(struct cdc_loader *ld)
{
	cdc_replay_free(&ld->replay);
	cdc_log_list_free(&ld->list);
	cdc_tape_free(&ld->tape);
	cdc_buf_free(&ld->text);
	cdc_arena_free(&ld->scratch);
	free(ld->actions.a);
	cdc_snapshot_free(ld->s);
}

int cdc_snapshot_load(struct cdc_snapshot **out, const struct cdc_io *io, const char *table,
		      int64_t version, struct cdc_err *err)
{
	struct cdc_loader ld;
	int rc = cdc_loader_open(&ld, io, table, version, false, err);

	if (!rc) {
		*out = ld.s;
		ld.s = NULL;
	}
	cdc_loader_free(&ld);
	return rc;
}

int cdc_snapshot_load_on(struct cdc_snapshot **out, const struct cdc_io *io, const char *table,
			 int64_t version, const struct cdc_log_checkpoint *cp, struct cdc_err *err)
{
	struct cdc_loader ld = { .io = io,
				 .tape = CDC_TAPE_INIT,
				 .text = CDC_BUF_INIT_MAX(CDC_LOG_JSON_MAX) };
	bool bad;
	int rc;

	ld.s = calloc(1, sizeof(*ld.s));
	if (!ld.s || !(ld.s->table = strdup(table))) {
		free(ld.s);
		return cdc_fail_nomem(err);
	}
	ld.s->version = version;
	rc = cdc_log_list_read(&ld.list, io, table, err);
	if (!rc)
		rc = load_from(&ld, cp, &bad, err);
	if (!rc)
		rc = read_columns(ld.s, err);
	if (!rc)
		rc = set_timestamp(&ld, err);
	if (!rc) {
		*out = ld.s;
		ld.s = NULL;
	}
	cdc_loader_free(&ld);
	return rc;
}

int cdc_snapshot_turn(struct cdc_snapshot **out, const struct cdc_io *io,
		      const struct cdc_snapshot *s, const struct cdc_commit_actions *a,
		      struct cdc_err *err)
{
	struct cdc_action metadata = { .kind = CDC_ACT_METADATA };
	struct cdc_action protocol = { .kind = CDC_ACT_PROTOCOL };
	struct cdc_snapshot *turned = calloc(1, sizeof(*turned));
	struct cdc_replay replay;
	int rc;

	if (!turned)
		return cdc_fail_nomem(err);
	metadata.u.metadata = a->has_metadata ? a->metadata : s->metadata;
	protocol.u.protocol = a->has_protocol ? a->protocol : s->protocol;
	turned->table = strdup(s->table);
	turned->version = a->version;
	turned->checkpoint_version = -1;
	turned->timestamp_ms = a->timestamp_ms;
	turned->allow_external = s->allow_external;
	cdc_replay_init(&replay, turned, io);
	rc = turned->table ? cdc_replay_action(&replay, &protocol, err) : cdc_fail_nomem(err);
	if (!rc)
		rc = cdc_replay_action(&replay, &metadata, err);
	if (!rc)
		rc = read_columns(turned, err);
	cdc_replay_free(&replay);
	if (rc)
		cdc_snapshot_free(turned);
	else
		*out = turned;
	return rc;
}

int cdc_snapshot_revise(struct cdc_snapshot *s, const struct cdc_metadata *m,
			const struct cdc_protocol *p, struct cdc_err *err)
{
	struct cdc_snapshot next = { .version = s->version, .metadata = *m, .protocol = *p };
	int rc = read_columns(&next, err);

	/* Where the change itself turns them on, no earlier commit has to have one. */
	next.has_in_commit_timestamp =
		s->has_in_commit_timestamp || s->version < 0 ||
		!cdc_metadata_config_is(&s->metadata, "delta.enableInCommitTimestamps", "true");
	if (!rc)
		rc = cdc_snapshot_check_writable(&next, err);
	if (rc) {
		cdc_schema_free(&next.schema);
		return rc;
	}
	cdc_schema_free(&s->schema);
	s->schema = next.schema;
	s->metadata = *m;
	s->protocol = *p;
	return CDC_OK;
}

void cdc_snapshot_free(struct cdc_snapshot *s)
{
	if (!s)
		return;
	snapshot_clear(s);
	free(s->table);
	free(s);
}

/* ------------------------------------------------------------------ questions */

bool cdc_metadata_config(const struct cdc_metadata *m, const char *key, struct cdc_str *value)
{
	for (int i = 0; i < m->num_config; i++) {
		if (cdc_str_eqz(m->config[i].key, key) && m->config[i].value.p) {
			*value = m->config[i].value;
			return true;
		}
	}
	return false;
}

bool cdc_metadata_config_is(const struct cdc_metadata *m, const char *key, const char *value)
{
	struct cdc_str v;

	return cdc_metadata_config(m, key, &v) && cdc_str_ieq(v, cdc_str_z(value));
}

int64_t cdc_snapshot_txn(const struct cdc_snapshot *s, struct cdc_str app_id)
{
	for (size_t i = 0; i < s->num_txns; i++) {
		if (cdc_str_eq(s->txn[i].app_id, app_id))
			return s->txn[i].version;
	}
	return -1;
}

int64_t cdc_snapshot_config_int(const struct cdc_snapshot *s, const char *key, int64_t fallback)
{
	struct cdc_str text;
	int64_t v;

	if (!cdc_metadata_config(&s->metadata, key, &text) ||
	    cdc_int64_parse(text, &v) != CDC_PARSE_OK)
		return fallback;
	return v;
}

int64_t cdc_snapshot_config_interval_ms(const struct cdc_snapshot *s, const char *key,
					int64_t fallback_ms)
{
	struct cdc_str text;
	int64_t ms;

	return cdc_metadata_config(&s->metadata, key, &text) && cdc_interval_parse(text, &ms)
		       ? ms
		       : fallback_ms;
}

int64_t cdc_snapshot_config_size(const struct cdc_snapshot *s, const char *key, int64_t fallback)
{
	struct cdc_str text;
	uint64_t bytes;

	if (!cdc_metadata_config(&s->metadata, key, &text) ||
	    cdc_size_parse(text, &bytes) != CDC_PARSE_OK || bytes > INT64_MAX)
		return fallback;
	return (int64_t)bytes;
}

bool cdc_checkpoint_due(const struct cdc_snapshot *s, int64_t version)
{
	int64_t interval = cdc_snapshot_config_int(s, "delta.checkpointInterval", 10);

	if (interval < 1)
		interval = 10;
	return version > 0 && version % interval == 0;
}
