/*
 * What is done to one table by prop_table, and the rows of each version by SQLite: every operation
 * of ours and of another writer, again after a failing call, and which versions and changes the
 * retentions still promise. For tests, all static inline.
 */
#ifndef CDC_TESTS_TABLE_RUN_H
#define CDC_TESTS_TABLE_RUN_H

#include "table/compact/compact.h"
#include "table/vacuum/vacuum.h"
#include "tests/fault/faultio.h"
#include "tests/property/law.h"
#include "tests/property/world.h"

#include <inttypes.h>

#define MAX_BATCH 24
#define LINE_BYTES 4096
#define HOUR_US ((int64_t)3600 * 1000000)
#define LOG_RETENTION_H 48
#define FILE_RETENTION_H 36

enum kind { MERGE, REPLAY, COMPACT, CHECKPOINT, VACUUM, PROPERTY, EVOLVE, KINDS };

static const char *const kind_name[] = { "merge",  "replay",   "compact", "checkpoint",
					 "vacuum", "property", "evolve",  "nothing" };

struct op {
	enum kind kind;
	uint64_t seed;
	int64_t idle_us; /* that pass before it */
	uint32_t size; /* changes of a merge, or of what evolves the columns */
	bool force; /* vacuum without any retention */
	enum kind race; /* what another writer does just before the first commit; KINDS: nothing */
	uint32_t race_size;
	uint32_t fault; /* the call to the system that fails; 0: none */
	int fault_errno;
	bool lost_reply; /* it was done, and reported as failed */
	bool dropped;
};

struct version {
	int64_t since_us; /* it was made then or later */
	int columns;
	bool has_feed; /* what it updates or deletes must be in change files */
	bool no_files; /* a vacuum may have taken files of it */
	bool no_log; /* the clean-up may have taken what tells of it */
};

/* What is had from the beginning, or changes most of what follows. */
static const char *const natures[] = { "made.by=prop_table", "delta.columnMapping.mode=name",
				       "delta.columnMapping.mode=id",
				       "delta.enableInCommitTimestamps=true",
				       "delta.enableRowTracking=true" };
#define NATURES (sizeof(natures) / sizeof(natures[0]))
#define BY_ID 2

/* Two streams: ours, and that of the other writer. */
struct stream {
	const char *app_id;
	uint64_t next_id;
	struct cdc_buf fed; /* every line so far */
};

struct batch {
	struct law_change change[MAX_BATCH];
	uint32_t n;
	enum cdc_merge_mode mode;
	const char *schema; /* columns that it brings, NULL: none */
	struct cdc_buf lines; /* in the order of delivery, what is delivered again included */
	size_t fresh; /* where those begin that are not */
};

struct run {
	struct law_shape shape;
	const char *path;
	struct world world;
	struct faultio fault;
	sqlite3 *db; /* m: the rows now; h: those of each version */
	struct version *v;
	size_t num_versions;
	struct stream stream[2];
	bool dvs; /* delta.enableDeletionVectors */
	size_t nature; /* which of natures[] */
	bool feed; /* delta.enableChangeDataFeed */
	bool merged; /* what was done last changed rows, one by one */
	int64_t since_us; /* what is being done began then */
	int64_t vacuumed_us; /* files that went out of use before may be gone */
	const struct op *op;
	struct cdc_err race_err;
	bool verbose;
};

/* What all sequences together did. */
static struct tally {
	unsigned long done[KINDS], races, faults, versions, refused, ranges, changes, feeds,
		carried;
} tally;

/* ------------------------------------------------------------------ versions */

/* The rows are now those of all versions that are new. */
static inline int note_versions(struct run *r, struct cdc_err *err)
{
	struct cdc_snapshot *s = NULL;
	int rc = cdc_snapshot_load(&s, &r->world.io, r->path, -1, err);
	size_t n = rc ? 0 : (size_t)s->version + 1;

	cdc_snapshot_free(s);
	for (; !rc && r->num_versions < n; r->num_versions++) {
		sqlite3_stmt *st = law_prepare(r->db, "INSERT INTO h SELECT ?1, * FROM m");

		sqlite3_bind_int64(st, 1, (sqlite3_int64)r->num_versions);
		sqlite3_step(st);
		sqlite3_finalize(st);
		r->v = realloc(r->v, n * sizeof(*r->v));
		r->v[r->num_versions] = (struct version){ .since_us = r->since_us,
							  .columns = LAW_FIRST + r->shape.added,
							  .has_feed = r->feed && r->merged };
	}
	r->merged = false;
	return rc;
}

static inline sqlite3_stmt *rows_of(struct run *r, size_t version)
{
	sqlite3_stmt *st =
		law_prepare(r->db, "SELECT k, n, d, s, day, x, y FROM h WHERE version = ?1");

	sqlite3_bind_int64(st, 1, (sqlite3_int64)version);
	return st;
}

/* The log loses whole days, up to a checkpoint: what is younger than that, by the seconds of its
 * time, stays. */
static inline void expire_log(struct run *r)
{
	int64_t day = 24 * HOUR_US, cutoff = r->world.now_us - LOG_RETENTION_H * HOUR_US;

	cutoff -= cutoff % day;
	for (size_t i = 0; i + 1 < r->num_versions; i++)
		r->v[i].no_log |= r->v[i].since_us < cutoff + 1000000;
}

/* Files of a version are in use until the next one at least. */
static inline void expire_files(struct run *r, size_t live, int64_t retain_us)
{
	int64_t cutoff = r->world.now_us - retain_us;

	for (size_t i = 0; i < live; i++)
		r->v[i].no_files |= r->v[i + 1].since_us <= cutoff;
	if (cutoff > r->vacuumed_us)
		r->vacuumed_us = cutoff;
}

/* ------------------------------------------------------------------ what is done: merging */

static inline void make_batch(struct run *r, const struct law_shape *shape, struct stream *s,
			      uint32_t n, struct batch *b)
{
	char line[LINE_BYTES];
	struct cdc_err err;
	size_t len = s->fed.len;

	b->mode = r->dvs       ? (enum cdc_merge_mode)law_rnd(3)
		  : law_rnd(2) ? CDC_MERGE_COW
			       : CDC_MERGE_AUTO;
	/* Rows that are marked in a file which is being packed: the compaction must mark them too.
	 */
	if (r->dvs && r->op->kind == COMPACT)
		b->mode = CDC_MERGE_DV;
	for (b->n = 0; b->n < n; b->n++)
		b->change[b->n] = law_change_random(shape, s->next_id++);
	/* Some of the last lines once more; not before new columns, which would come with them. */
	for (uint32_t back = b->schema || law_rnd(3) ? 0 : law_rnd(MAX_BATCH); len && back; back--)
		for (len--; len && s->fed.p[len - 1] != '\n';)
			len--;
	if (cdc_buf_append(&b->lines, s->fed.p + len, s->fed.len - len, &err))
		abort();
	b->fresh = b->lines.len;
	for (uint32_t left = n; left; left--) {
		uint32_t i = law_rnd(left);
		struct law_change t = b->change[i];

		len = law_put_record(line, &t);
		line[len++] = '\n';
		if (cdc_buf_append(&b->lines, line, len, &err))
			abort();
		b->change[i] = b->change[left - 1];
		b->change[left - 1] = t;
	}
	len = (size_t)sprintf(line,
			      "{\"recordType\":\"CHECKPOINT\",\"positions\":[{\"topic\":\"t\","
			      "\"partition\":0,\"offset\":%" PRIu64 "}]}\n",
			      s->next_id - 1);
	if (cdc_buf_append(&b->lines, line, len, &err))
		abort();
}

static inline int by_id(const void *a, const void *b)
{
	const struct law_change *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static inline int feed(struct run *r, const struct cdc_io *io, const char *app_id,
		       const struct batch *b, struct cdc_str lines, int64_t *version,
		       struct cdc_err *err)
{
	struct cdc_merge_options o = { .io = io,
				       .table = r->path,
				       .mode = b->mode,
				       .schema = b->schema,
				       .evolve = b->schema ? CDC_EVOLVE_WIDEN : CDC_EVOLVE_FAIL,
				       .app_id = app_id,
				       .on_reject = law_reject };
	struct cdc_merge *m = NULL;
	int rc = cdc_merge_new(&m, &o, err);

	for (size_t at = 0; !rc && at < lines.n;) {
		const char *end = memchr(lines.p + at, '\n', lines.n - at);
		size_t n = (size_t)(end - lines.p) - at;

		rc = cdc_merge_line(m, cdc_str(lines.p + at, n), 1, "test", err);
		at += n + 1;
	}
	if (!rc)
		rc = cdc_merge_finish(m, err);
	*version = m ? cdc_merge_version(m) : -1;
	cdc_merge_free(m);
	return rc;
}

/* Again without the fault, if that was it. */
static inline bool again(struct run *r, const struct cdc_io *io, int rc, struct cdc_err *err)
{
	if (!rc || io != &r->fault.io || !r->fault.hits)
		return false;
	if (err->code != CDC_EIO)
		return false;
	r->fault.fail_at = 0;
	*err = (struct cdc_err)CDC_ERR_INIT;
	return true;
}

/* Changes of the columns that `shape` has, which may be more than the table has. */
static inline int merge(struct run *r, const struct cdc_io *io, struct stream *s, uint32_t size,
			const struct law_shape *shape, const char *schema, struct cdc_err *err)
{
	struct batch *b = calloc(1, sizeof(*b));
	int64_t version;
	int rc;

	b->schema = schema;
	make_batch(r, shape, s, size, b);
	do
		rc = feed(r, io, s->app_id, b, cdc_buf_str(&b->lines), &version, err);
	while (again(r, io, rc, err));
	r->merged = true;
	qsort(b->change, b->n, sizeof(b->change[0]), by_id);
	for (uint32_t i = 0; !rc && i < b->n; i++) {
		law_replay(r->db, &r->shape, &b->change[i]);
		r->merged &= b->change[i].type != CDC_RECORD_TRUNCATE;
	}
	if (!rc)
		rc = cdc_buf_append(&s->fed, b->lines.p + b->fresh, b->lines.len - b->fresh, err);
	cdc_buf_free(&b->lines);
	free(b);
	return rc;
}

/* A column more, or one that becomes wider, as long as there is one. */
static inline int evolve(struct run *r, const struct cdc_io *io, struct stream *s, uint32_t size,
			 struct cdc_err *err)
{
	struct law_shape next = r->shape;
	bool widens = !next.wide && next.num_keys == 1 && next.partition[0] == NULL;
	const char *schema = "n BIGINT";
	int rc;

	if (widens && law_rnd(2))
		next.wide = true;
	else if (next.added < LAW_COLUMNS - LAW_FIRST)
		schema = next.added++ ? "y BIGINT" : "x STRING";
	else
		schema = NULL;
	rc = merge(r, io, s, size, &next, schema, err);
	if (!rc)
		r->shape = next;
	return rc;
}

/* What was applied already, from some line on. */
static inline int replay(struct run *r, const struct cdc_io *io, struct stream *s,
			 struct cdc_err *err)
{
	size_t at = s->fed.len ? law_rnd((uint32_t)s->fed.len) : 0;
	struct batch b = { .mode = CDC_MERGE_AUTO };
	int64_t version;
	int rc;

	while (at && s->fed.p[at - 1] != '\n')
		at--;
	do
		rc = feed(r, io, s->app_id, &b, cdc_str(s->fed.p + at, s->fed.len - at), &version,
			  err);
	while (again(r, io, rc, err));
	if (!rc && version >= 0)
		rc = cdc_fail(err, CDC_EDATA, "the replay wrote version %" PRId64, version);
	return rc;
}

/* ------------------------------------------------------------------ what is done: the rest */

static inline int compact(struct run *r, const struct cdc_io *io, struct cdc_err *err)
{
	static const uint64_t target[] = { 2000, 5000, 20000, 0 };
	static const char *const by[][3] = { { "s" }, { "d", "s" } };
	bool sorts = law_rnd(3) == 0;
	struct cdc_compact_options o = { .io = io,
					 .table = r->path,
					 .target_bytes = target[law_rnd(4)],
					 .dv_percent = (int)law_rnd(2) * 5,
					 .sort_by = sorts ? by[law_rnd(2)] : NULL,
					 .zorder = sorts && law_rnd(2) };
	struct cdc_compact_result result;
	int rc;

	do
		rc = cdc_compact(&o, &result, err);
	while (again(r, io, rc, err));
	if (!rc)
		tally.carried += result.dvs_carried;
	return rc;
}

static inline int checkpoint(struct run *r, const struct cdc_io *io, struct cdc_err *err)
{
	int rc;

	do {
		struct cdc_snapshot *s = NULL;

		rc = cdc_snapshot_load(&s, io, r->path, -1, err);
		if (!rc)
			rc = cdc_checkpoint_write(io, s, err);
		cdc_snapshot_free(s);
	} while (again(r, io, rc, err));
	return rc;
}

static inline int vacuum(struct run *r, const struct cdc_io *io, bool force, struct cdc_err *err)
{
	struct cdc_vacuum_options o = {
		.io = io, .table = r->path, .retain_ms = force ? 0 : -1, .force = force
	};
	struct cdc_vacuum_result result;
	size_t live;
	int rc;

	do {
		rc = note_versions(r, err);
		live = r->num_versions - 1;
		if (!rc)
			rc = cdc_vacuum(&o, &result, err);
	} while (again(r, io, rc, err));
	if (!rc)
		rc = note_versions(r, err);
	if (!rc)
		expire_files(r, live, force ? 0 : FILE_RETENTION_H * HOUR_US);
	return rc;
}

/* What may be set at any time; no value after the last. */
static const char *const settings[][4] = {
	{ "delta.enableDeletionVectors=true", "delta.enableDeletionVectors=false" },
	{ "delta.enableChangeDataFeed=true", "delta.enableChangeDataFeed=true",
	  "delta.enableChangeDataFeed=false" },
	{ "delta.checkpointInterval=1", "delta.checkpointInterval=2", "delta.checkpointInterval=5",
	  "delta.checkpointInterval=10" },
	{ "delta.checkpointPolicy=v2", "delta.checkpointPolicy=classic" },
	{ "delta.enableInCommitTimestamps=true" },
	{ "delta.dataSkippingNumIndexedCols=0", "delta.dataSkippingNumIndexedCols=1",
	  "delta.dataSkippingNumIndexedCols=-1" },
	{ "delta.checkpoint.writeStatsAsStruct=false", "delta.checkpoint.writeStatsAsStruct=true" },
	{ "delta.checkpoint.writeStatsAsJson=false", "delta.checkpoint.writeStatsAsJson=true" },
	{ "delta.parquet.compression.codec=snappy", "delta.parquet.compression.codec=uncompressed",
	  "delta.parquet.compression.codec=zstd" },
	{ "delta.columnMapping.mode=name" }, /* not where it is by id */
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static inline int property(struct run *r, const struct cdc_io *io, struct cdc_err *err)
{
	const char *const *setting =
		settings[law_rnd(2) ? law_rnd(2) : law_rnd(SETTINGS - (r->nature == BY_ID))];
	const char *value[] = { NULL, NULL };
	struct cdc_merge_options o = { .io = io, .table = r->path, .property = value };
	uint32_t n = 0;
	int rc;

	while (n < 4 && setting[n])
		n++;
	/* A merge that is at work may need the deletion vectors that the table has. */
	value[0] = setting[io == &r->world.io && setting == settings[0] ? 0 : law_rnd(n)];
	do {
		struct cdc_merge *m = NULL;

		rc = cdc_merge_new(&m, &o, err);
		if (!rc)
			rc = cdc_merge_finish(m, err);
		cdc_merge_free(m);
	} while (again(r, io, rc, err));
	if (!rc && setting == settings[0])
		r->dvs = value[0] == setting[0];
	if (!rc && setting == settings[1])
		r->feed = value[0] != setting[2];
	return rc;
}

static inline int act(struct run *r, enum kind kind, const struct cdc_io *io, struct stream *s,
		      uint32_t size, bool force, struct cdc_err *err)
{
	int rc = CDC_OK;

	switch (kind) {
	case MERGE:
		rc = merge(r, io, s, size, &r->shape, NULL, err);
		break;
	case REPLAY:
		rc = replay(r, io, s, err);
		break;
	case COMPACT:
		rc = compact(r, io, err);
		break;
	case CHECKPOINT:
		rc = checkpoint(r, io, err);
		break;
	case VACUUM:
		rc = vacuum(r, io, force, err);
		break;
	case PROPERTY:
		rc = property(r, io, err);
		break;
	case EVOLVE:
		rc = evolve(r, io, s, size, err);
		break;
	case KINDS:
		break;
	}
	return rc ? rc : note_versions(r, err);
}

static inline void other_writer(void *arg)
{
	struct run *r = arg;
	uint64_t ours = law_rng;

	tally.races++;
	law_rng = r->op->seed * 0x2545f4914f6cdd1du | 1;
	if (act(r, r->op->race, &r->world.io, &r->stream[1], r->op->race_size, false, &r->race_err))
		cdc_err_prefix(&r->race_err, "the other writer");
	law_rng = ours;
}

static inline int do_op(struct run *r, const struct op *op, struct cdc_err *err)
{
	int rc;

	r->op = op;
	r->world.now_us += op->idle_us;
	r->since_us = r->world.now_us;
	faultio_init(&r->fault, &r->world.io);
	r->fault.fail_at = op->fault;
	r->fault.fail_for = 1;
	r->fault.fail_errno = op->fault_errno;
	r->fault.fail_after = op->lost_reply;
	r->race_err = (struct cdc_err)CDC_ERR_INIT;
	r->world.arg = r;
	r->world.before_commit = op->race == KINDS ? NULL : other_writer;
	law_rng = op->seed;
	law_rnd(2);
	rc = act(r, op->kind, &r->fault.io, &r->stream[0], op->size, op->force, err);
	r->world.before_commit = NULL;
	tally.done[op->kind]++;
	tally.faults += r->fault.hits;
	if (!rc && r->race_err.code) {
		*err = r->race_err;
		rc = err->code;
	}
	expire_log(r);
	return rc;
}

#endif
