/*
 * cdc-merge: apply change records to a Delta table. Options and wiring; the work is in
 * lib/table/merge/merge.h.
 */
#include "cmd/common.h"
#include "cmd/job.h"

#include "table/compact/compact.h"
#include "table/merge/merge.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const mode_choices[] = { "auto", "dv", "cow", NULL };
static const char *const position_choices[] = { "kafka", "recordID", "none", NULL };
static const char *const truncate_choices[] = { "apply", "ignore", "fail", NULL };
static const char *const evolve_choices[] = { "fail", "add", "widen", "ignore", NULL };

struct options {
	bool create;
	const char *schema;
	const char *key;
	const char *partition_by;
	struct opt_list property;
	const char *mode;
	int64_t batch_records;
	uint64_t batch_bytes;
	uint64_t batch_time;
	bool insert_only;
	const char *evolve;
	const char *on_truncate;
	const char *position;
	const char *app_id;
	bool require_final;
	int64_t retries;
	const char *sequence_by;
	int64_t compact_every;
	bool dry_run;
};

static const struct opt option_table[] = {
	{ 0, "create", OPT_FLAG, NULL, "create the table (implied by a SCHEMA record)",
	  OPT_TARGET(options, create), NULL },
	{ 0, "schema", OPT_STRING, "DDL",
	  "columns of a new table: 'id BIGINT NOT NULL, name STRING'", OPT_TARGET(options, schema),
	  NULL },
	{ 'k', "key", OPT_STRING, "COLS", "key columns (default: the table's, else the SCHEMA's)",
	  OPT_TARGET(options, key), NULL },
	{ 'p', "partition-by", OPT_STRING, "COLS", "partition columns of a new table",
	  OPT_TARGET(options, partition_by), NULL },
	{ 0, "property", OPT_LIST, "K=V", "table property to set (repeatable)",
	  OPT_TARGET(options, property), NULL },
	{ 0, "mode", OPT_CHOICE, "MODE", "how changed files are written", OPT_TARGET(options, mode),
	  mode_choices },
	{ 0, "batch-records", OPT_INT, "N", "commit every N records",
	  OPT_TARGET(options, batch_records), NULL },
	{ 0, "batch-bytes", OPT_SIZE, "SIZE", "commit every SIZE of input",
	  OPT_TARGET(options, batch_bytes), NULL },
	{ 0, "batch-time", OPT_DURATION, "S", "commit a batch that is S seconds old",
	  OPT_TARGET(options, batch_time), NULL },
	{ 0, "insert-only", OPT_FLAG, NULL, "add rows of new keys, change nothing else",
	  OPT_TARGET(options, insert_only), NULL },
	{ 0, "evolve", OPT_CHOICE, "WHAT", "columns that the table lacks",
	  OPT_TARGET(options, evolve), evolve_choices },
	{ 0, "on-truncate", OPT_CHOICE, "WHAT", "TRUNCATE records",
	  OPT_TARGET(options, on_truncate), truncate_choices },
	{ 0, "sequence-by", OPT_STRING, "COL", "a newer stored row, by COL, wins over a late event",
	  OPT_TARGET(options, sequence_by), NULL },
	{ 0, "position", OPT_CHOICE, "WHAT", "what counts as already applied",
	  OPT_TARGET(options, position), position_choices },
	{ 0, "app-id", OPT_STRING, "ID", "name of this stream in the table (default cdc)",
	  OPT_TARGET(options, app_id), NULL },
	{ 0, "require-final", OPT_FLAG, NULL, "do not commit the end of input that was cut off",
	  OPT_TARGET(options, require_final), NULL },
	{ 0, "retries", OPT_INT, "N", "commits lost to other writers before giving up (100)",
	  OPT_TARGET(options, retries), NULL },
	{ 0, "compact-every", OPT_INT, "N",
	  "pack small files after every N commits, beside the merge",
	  OPT_TARGET(options, compact_every), NULL },
	{ 0, "dry-run", OPT_FLAG, NULL, "report what would be written, write nothing",
	  OPT_TARGET(options, dry_run), NULL },
	{ 0, NULL, OPT_FLAG, NULL, NULL, 0, NULL }
};

static const struct opt_program program = {
	.name = "cdc-merge",
	.synopsis = "[options] TABLE [FILE...]",
	.summary = "Apply change records to the Delta table in directory TABLE.",
	.options = option_table,
	.example = { "cdc-decode --from dts changes.kcat | cdc-dedup | cdc-merge ./sales",
		     "cdc-merge --create --schema 'id BIGINT, name STRING' -k id ./t records.ndjson" },
	.common = CMD_OPT_GENERAL | CMD_OPT_REJECTS | CMD_OPT_MEMORY,
};

struct run {
	struct cmd c;
	struct options o;
	struct cdc_merge *m;
	uint64_t total_inserted, total_updated, total_deleted;
	char **lists[2];
	const char *table;
	struct cmd_job compaction;
	int64_t commits; /* since the last compaction began */
};

static int on_reject(void *ctx, const char *reason, const char *file, uint64_t line,
		     struct cdc_str raw, struct cdc_err *err)
{
	struct run *r = ctx;
	struct cmd_rejected rejected = {
		.reason = reason,
		.file = file ? file : "-",
		.line = line,
		.raw = raw,
	};

	return cmd_reject(&r->c, &rejected, err);
}

/* ------------------------------------------------------------------ compaction beside it */

/* In a process of its own. */
static int compact(void *ctx)
{
	struct run *r = ctx;
	struct cdc_compact_options co = { .io = r->c.io, .table = r->table };
	struct cdc_compact_result d;
	struct cdc_err err = CDC_ERR_INIT;

	if (cdc_compact(&co, &d, &err)) {
		if (err.code != CDC_EINTR)
			cmd_warn(&r->c, "not compacted: %s", err.msg);
		return 1;
	}
	if (d.version >= 0)
		cmd_info(&r->c, "version %lld: compacted, files +%llu -%llu; %lld ms",
			 (long long)d.version, (unsigned long long)d.files_added,
			 (unsigned long long)d.files_removed, (long long)d.elapsed_ms);
	return 0;
}

/* A compaction that fails, or is too slow for the next, is no failure of the merge. */
static void compact_if_due(struct run *r)
{
	int status;

	if (cmd_job_ended(&r->compaction, &status) && status > 128)
		cmd_warn(&r->c, "the compaction was killed by signal %d", status - 128);
	if (!r->o.compact_every || ++r->commits < r->o.compact_every)
		return;
	if (cmd_job_start(&r->compaction, compact, r))
		r->commits = 0;
}

static void finish_compaction(struct run *r, bool stop)
{
	int status;

	if (cmd_job_wait(&r->compaction, stop, &status) && status > 128 && !stop)
		cmd_warn(&r->c, "the compaction was killed by signal %d", status - 128);
}

/* ------------------------------------------------------------------ messages */

static void on_properties(void *ctx, int64_t version, const char *what)
{
	struct run *r = ctx;

	if (version < 0)
		cmd_info(&r->c, "dry run: properties %s", what);
	else
		cmd_info(&r->c, "version %lld: properties %s", (long long)version, what);
}

#define COLUMNS_MAX 160 /* three numbers and the words around them */

/* "columns added: 1; " before the counts of rows; nothing where nothing changed. */
static const char *column_changes(const struct cdc_merge_result *d, char out[COLUMNS_MAX])
{
	const struct {
		uint64_t n;
		const char *what;
	} change[] = { { d->columns_added, "added" },
		       { d->columns_widened, "widened" },
		       { d->columns_relaxed, "made nullable" } };
	size_t len = 0;

	out[0] = 0;
	for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++)
		if (change[i].n)
			len += (size_t)snprintf(out + len, COLUMNS_MAX - len, "columns %s: %llu; ",
						change[i].what, (unsigned long long)change[i].n);
	return out;
}

/* One line a commit. */
static void on_commit(void *ctx, const struct cdc_merge_result *d)
{
	struct run *r = ctx;
	char what[32], columns[COLUMNS_MAX];

	r->total_inserted += d->inserted;
	r->total_updated += d->updated;
	r->total_deleted += d->deleted;
	if (d->version < 0)
		snprintf(what, sizeof(what), "dry run");
	else
		snprintf(what, sizeof(what), "version %lld", (long long)d->version);
	cmd_info(&r->c,
		 "%s: %s%llu inserted, %llu updated, %llu deleted; files +%llu -%llu, "
		 "deletion vectors +%llu; %lld ms",
		 what, column_changes(d, columns), (unsigned long long)d->inserted,
		 (unsigned long long)d->updated, (unsigned long long)d->deleted,
		 (unsigned long long)d->files_added, (unsigned long long)d->files_removed,
		 (unsigned long long)d->dvs_added, (long long)d->elapsed_ms);
	if (d->duplicates)
		cmd_warn(&r->c, "%s: %llu rows beyond the first of their key were replaced too",
			 what, (unsigned long long)d->duplicates);
	if (d->late)
		cmd_info(&r->c, "%s: %llu keys kept a newer row", what,
			 (unsigned long long)d->late);
	if (d->retries)
		cmd_debug(&r->c, "%s: %llu commits lost to other writers before", what,
			  (unsigned long long)d->retries);
	cmd_debug(&r->c,
		  "%s: %llu files read, %llu ruled out, %llu rows copied, %llu keys unchanged",
		  what, (unsigned long long)d->files_probed, (unsigned long long)d->files_skipped,
		  (unsigned long long)d->copied, (unsigned long long)d->unchanged);
	if (d->version >= 0)
		compact_if_due(r);
}

static void on_warning(void *ctx, const char *text)
{
	struct run *r = ctx;

	cmd_warn(&r->c, "%s", text);
}

static int choice(const char *const *choices, const char *value)
{
	for (int i = 0; choices[i]; i++)
		if (!strcmp(choices[i], value))
			return i;
	return 0;
}

static int split_columns(struct run *r, const char *list, int slot, const char *name,
			 const char *const **out, struct cdc_err *err)
{
	size_t n = 0;

	if (!list)
		return CDC_OK;
	r->lists[slot] = opt_split(list, &n);
	if (!r->lists[slot])
		return cdc_fail(err, CDC_EUSAGE, "--%s: \"%s\" is not a list of columns", name,
				list);
	*out = (const char *const *)r->lists[slot];
	return CDC_OK;
}

static int open_merge(struct run *r, const char *table, struct cdc_err *err)
{
	const struct options *o = &r->o;
	struct cdc_merge_options mo = {
		.io = r->c.io,
		.table = table,
		.create = o->create,
		.schema = o->schema,
		.property = (const char *const *)o->property.item,
		.mode = (enum cdc_merge_mode)choice(mode_choices, o->mode),
		.position = (enum cdc_merge_position)choice(position_choices, o->position),
		.on_truncate = (enum cdc_on_truncate)choice(truncate_choices, o->on_truncate),
		.evolve = (enum cdc_evolve)choice(evolve_choices, o->evolve),
		.insert_only = o->insert_only,
		.dry_run = o->dry_run,
		.require_final = o->require_final,
		.app_id = o->app_id,
		.batch_records = (uint64_t)o->batch_records,
		.batch_bytes = o->batch_bytes,
		.batch_seconds = o->batch_time,
		.memory_bytes = r->c.opt.memory,
		.retries = o->retries ? (int)o->retries : -1,
		.sequence_by = o->sequence_by,
		.ctx = r,
		.on_reject = on_reject,
		.on_commit = on_commit,
		.on_properties = on_properties,
		.on_warning = on_warning,
	};

	if (o->batch_records < 0 || o->compact_every < 0 || o->retries < 0 || o->retries > 1000000)
		return cdc_fail(err, CDC_EUSAGE, "a count is negative or too large");
	if (split_columns(r, o->key, 0, "key", &mo.key, err) ||
	    split_columns(r, o->partition_by, 1, "partition-by", &mo.partition_by, err))
		return err->code;
	return cdc_merge_new(&r->m, &mo, err);
}

/* With --batch-time a batch is committed on time even while no record comes. */
static int wait_for_input(struct run *r, struct cdc_reader *in, struct cdc_err *err)
{
	struct pollfd p = { .fd = in->fd, .events = POLLIN };
	int rc = CDC_OK;

	while (r->o.batch_time && !rc && !cdc_reader_buffered(in) && poll(&p, 1, 200) == 0)
		rc = cdc_merge_idle(r->m, err);
	return rc;
}

static int merge_input(struct run *r, struct cdc_reader *in, uint64_t *bytes, struct cdc_err *err)
{
	uint64_t start = *bytes;
	struct cdc_str line;
	int rc;

	while (!(rc = wait_for_input(r, in, err)) &&
	       !(rc = cdc_reader_line(in, &line, NULL, err))) {
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (!line.n)
			continue;
		rc = cdc_merge_line(r->m, line, in->line, in->name, err);
		if (rc) {
			/* Other errors are not about the input. */
			if (rc == CDC_EDATA) {
				cdc_err_file(err, in->name);
				cdc_err_line(err, in->line);
			}
			return rc;
		}
		*bytes = start + cdc_reader_offset(in);
		cmd_progress(&r->c, cdc_merge_counts(r->m)->records, *bytes);
	}
	return rc == CDC_END ? CDC_OK : rc;
}

static int merge_all(struct run *r, int n, char **operand, struct cdc_err *err)
{
	uint64_t bytes = 0;
	int rc = CDC_OK;

	for (int i = 0; !rc && i < cmd_input_count(n); i++) {
		struct cdc_reader in;

		rc = cmd_input_open(&r->c, &in, n, operand, i, err);
		if (rc)
			return rc;
		if (!i)
			cmd_progress_start(&r->c, n == 1 ? in.size : 0);
		rc = merge_input(r, &in, &bytes, err);
		cdc_reader_close(&in);
	}
	cmd_stat_int(&r->c, "bytes_in", bytes);
	return rc ? rc : cdc_merge_finish(r->m, err);
}

static void report(struct run *r)
{
	const struct cdc_merge_counts *n = cdc_merge_counts(r->m);

	if (n->skipped)
		cmd_info(&r->c, "%llu records skipped: the table has their positions already",
			 (unsigned long long)n->skipped);
	cmd_stat_int(&r->c, "records", n->records);
	cmd_stat_int(&r->c, "skipped", n->skipped);
	cmd_stat_int(&r->c, "commits", n->batches);
	cmd_stat_int(&r->c, "inserted", r->total_inserted);
	cmd_stat_int(&r->c, "updated", r->total_updated);
	cmd_stat_int(&r->c, "deleted", r->total_deleted);
}

int main(int argc, char **argv)
{
	struct run r = { .o = { .mode = "auto",
				.evolve = "fail",
				.on_truncate = "apply",
				.position = "kafka",
				.retries = 100 } };
	struct cdc_err err = CDC_ERR_INIT;
	int n = cmd_start(&r.c, &program, &r.o, argc, argv);
	int rc;

	if (n < 0)
		return cmd_exit(&r.c);
	if (n < 1) {
		cmd_usage(&r.c, "no TABLE given (see cdc-merge --help)");
		return cmd_exit(&r.c);
	}
	r.table = argv[1];
	rc = open_merge(&r, argv[1], &err);
	if (!rc)
		rc = merge_all(&r, n - 1, argv + 2, &err);
	finish_compaction(&r, rc < 0);
	if (r.m)
		report(&r);
	if (rc < 0) {
		if (r.m && cdc_merge_version(r.m) >= 0)
			cmd_info(&r.c, "committed before the failure: up to version %lld",
				 (long long)cdc_merge_version(r.m));
		cmd_error(&r.c, &err);
	}
	cdc_merge_free(r.m);
	opt_list_free(&r.o.property);
	free(r.lists[0]);
	free(r.lists[1]);
	return cmd_exit(&r.c);
}
