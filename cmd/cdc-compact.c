/*
 * cdc-compact: pack small files, drop marked rows, write a checkpoint, remove old files. Options
 * and wiring; the work is in lib/table/compact/compact.h.
 */
#include "cmd/common.h"
#include "cmd/findings.h"

#include "base/json.h"
#include "table/compact/compact.h"
#include "table/vacuum/vacuum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	uint64_t target_size;
	const char *where;
	const char *sort_by;
	const char *zorder_by;
	int64_t retries;
	bool checkpoint;
	bool vacuum;
	bool fsck;
	uint64_t retain;
	bool force;
	bool dry_run;
};

#define NO_RETAIN UINT64_MAX
#define DEFAULT_RETRIES 100

static const struct opt option_table[] = {
	{ 0, "target-size", OPT_SIZE, "SIZE", "size of packed files (default 128M, or the table's)",
	  OPT_TARGET(options, target_size), NULL },
	{ 0, "where", OPT_STRING, "PREDICATE", "only partitions for which this is true, as in SQL",
	  OPT_TARGET(options, where), NULL },
	{ 0, "sort-by", OPT_STRING, "COLS", "rewrite all files, with their rows in order of these",
	  OPT_TARGET(options, sort_by), NULL },
	{ 0, "zorder-by", OPT_STRING, "COLS", "the same, in a Z-order of these",
	  OPT_TARGET(options, zorder_by), NULL },
	{ 0, "retries", OPT_INT, "N", "tries after losing to another writer (default 100)",
	  OPT_TARGET(options, retries), NULL },
	{ 0, "checkpoint", OPT_FLAG, NULL, "write a checkpoint; alone: nothing else",
	  OPT_TARGET(options, checkpoint), NULL },
	{ 0, "vacuum", OPT_FLAG, NULL, "remove files that are out of use; alone: nothing else",
	  OPT_TARGET(options, vacuum), NULL },
	{ 0, "fsck", OPT_FLAG, NULL, "check the table and print findings as NDJSON, change nothing",
	  OPT_TARGET(options, fsck), NULL },
	{ 0, "retain", OPT_DURATION, "TIME", "how long out of use, for --vacuum (default 7d)",
	  OPT_TARGET(options, retain), NULL },
	{ 0, "force", OPT_FLAG, NULL, "allow a --retain below the table's retention",
	  OPT_TARGET(options, force), NULL },
	{ 0, "dry-run", OPT_FLAG, NULL, "print what would be done as NDJSON, do nothing",
	  OPT_TARGET(options, dry_run), NULL },
	{ 0, NULL, OPT_FLAG, NULL, NULL, 0, NULL }
};

static const struct opt_program program = {
	.name = "cdc-compact",
	.synopsis = "[options] TABLE",
	.summary = "Pack the small files of a Delta table and purge rows marked as deleted.",
	.options = option_table,
	.example = { "cdc-compact ./sales", "cdc-compact --vacuum --retain 14d ./sales" },
	.common = CMD_OPT_GENERAL | CMD_OPT_SPILL,
};

struct run {
	struct cmd c;
	struct options o;
	const char *table;
};

static int put_line(struct run *r, struct cdc_buf *b, struct cdc_err *err)
{
	int rc = cdc_buf_putc(b, '\n', err);

	return rc ? rc : cdc_writer_put(&r->c.out, b->p, b->len, err);
}

/* ------------------------------------------------------------------ the three jobs */

static int put_kv(struct cdc_buf *b, const struct cdc_kv *kv, bool first, struct cdc_err *err)
{
	int rc = first ? CDC_OK : cdc_buf_putc(b, ',', err);

	if (!rc)
		rc = cdc_json_put_string(b, kv->key, err);
	if (!rc)
		rc = cdc_buf_putc(b, ':', err);
	if (rc)
		return rc;
	return kv->value.p ? cdc_json_put_string(b, kv->value, err) : cdc_buf_puts(b, "null", err);
}

static int put_bin(struct cdc_buf *b, const struct cdc_compact_bin *bin, struct cdc_err *err)
{
	int rc = cdc_buf_printf(b, err, "{\"operation\":\"%s\",\"partitionValues\":{",
				bin->operation);

	for (int i = 0; !rc && i < bin->num_partition_values; i++)
		rc = put_kv(b, &bin->partition_value[i], i == 0, err);
	if (!rc)
		rc = cdc_buf_puts(b, "},\"files\":[", err);
	for (size_t i = 0; !rc && i < bin->num_files; i++) {
		if (i)
			rc = cdc_buf_putc(b, ',', err);
		if (!rc)
			rc = cdc_json_put_string(b, bin->file[i]->path, err);
	}
	if (rc)
		return rc;
	return cdc_buf_printf(b, err,
			      "],\"filesRemoved\":%llu,\"bytesRemoved\":%llu,\"rows\":%llu,"
			      "\"deletionVectorsRemoved\":%llu,\"copied\":%s}",
			      (unsigned long long)bin->num_files, (unsigned long long)bin->bytes,
			      (unsigned long long)bin->rows, (unsigned long long)bin->dvs,
			      bin->copied ? "true" : "false");
}

/* Files that --dry-run tells would be rewritten together. */
static int on_bin(void *ctx, const struct cdc_compact_bin *bin, struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	int rc = put_bin(&b, bin, err);

	if (!rc)
		rc = put_line(ctx, &b, err);
	cdc_buf_free(&b);
	return rc;
}

static int put_packed(struct run *r, const struct cdc_compact_result *d, struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	int rc = cdc_buf_printf(&b, err,
				"{\"operation\":\"total\",\"bins\":%llu,\"filesRemoved\":%llu,"
				"\"bytesRemoved\":%llu,\"rows\":%llu,"
				"\"deletionVectorsRemoved\":%llu}",
				(unsigned long long)d->bins, (unsigned long long)d->files_removed,
				(unsigned long long)d->bytes_removed, (unsigned long long)d->rows,
				(unsigned long long)d->dvs_removed);

	if (!rc)
		rc = put_line(r, &b, err);
	cdc_buf_free(&b);
	return rc;
}

static void tell(struct run *r, const struct cdc_compact_result *d)
{
	if (d->version < 0) {
		cmd_info(&r->c, "nothing to compact");
		return;
	}
	cmd_info(&r->c,
		 "version %lld: files +%llu -%llu, deletion vectors -%llu, %llu rows, "
		 "%llu to %llu bytes; %lld ms",
		 (long long)d->version, (unsigned long long)d->files_added,
		 (unsigned long long)d->files_removed, (unsigned long long)d->dvs_removed,
		 (unsigned long long)d->rows, (unsigned long long)d->bytes_removed,
		 (unsigned long long)d->bytes_added, (long long)d->elapsed_ms);
	cmd_debug(&r->c, "%llu rows were copied without decoding them",
		  (unsigned long long)d->rows_copied);
	if (d->bins_lost)
		cmd_warn(&r->c,
			 "%llu of %llu groups of files were left as they are, since another writer "
			 "changed them meanwhile",
			 (unsigned long long)d->bins_lost, (unsigned long long)d->bins);
}

/* Names of columns, NULL-terminated, freed with one free(). */
static int split_columns(const struct options *o, char ***names, struct cdc_err *err)
{
	const char *list = o->sort_by ? o->sort_by : o->zorder_by;
	size_t n = 0;

	*names = NULL;
	if (!list)
		return CDC_OK;
	*names = opt_split(list, &n);
	return *names && n ? CDC_OK
			   : cdc_fail(err, CDC_EUSAGE, "--%s wants names of columns",
				      o->sort_by ? "sort-by" : "zorder-by");
}

static int compact(struct run *r, struct cdc_err *err)
{
	struct cdc_compact_options co = { .io = r->c.io,
					  .table = r->table,
					  .target_bytes = r->o.target_size,
					  .where = r->o.where,
					  .zorder = r->o.zorder_by != NULL,
					  .memory_bytes = r->c.opt.memory,
					  .tmpdir = r->c.opt.tmpdir,
					  .retries = r->o.retries > 0 ? (int)r->o.retries : -1,
					  .dry_run = r->o.dry_run,
					  .ctx = r,
					  .on_bin = on_bin };
	struct cdc_compact_result d = { .version = -1 };
	char **names;
	int rc = split_columns(&r->o, &names, err);

	co.sort_by = (const char *const *)names;
	if (!rc)
		rc = cdc_compact(&co, &d, err);
	free(names);
	if (!rc && r->o.dry_run)
		rc = put_packed(r, &d, err);
	if (rc)
		return rc;
	if (!r->o.dry_run)
		tell(r, &d);
	cmd_stat_int(&r->c, "files_added", d.files_added);
	cmd_stat_int(&r->c, "files_removed", d.files_removed);
	cmd_stat_int(&r->c, "rows", d.rows);
	cmd_stat_int(&r->c, "rows_copied", d.rows_copied);
	cmd_stat_int(&r->c, "retries", d.retries);
	return CDC_OK;
}

static int plan_checkpoint(struct run *r, struct cdc_err *err)
{
	struct cdc_snapshot *s = NULL;
	struct cdc_buf b = CDC_BUF_INIT;
	int rc = cdc_snapshot_load(&s, r->c.io, r->table, -1, err);

	if (!rc)
		rc = cdc_snapshot_check_writable(s, err);
	if (!rc)
		rc = cdc_buf_printf(&b, err, "{\"operation\":\"checkpoint\",\"version\":%lld}",
				    (long long)s->version);
	if (!rc)
		rc = put_line(r, &b, err);
	cdc_buf_free(&b);
	cdc_snapshot_free(s);
	return rc;
}

static int checkpoint(struct run *r, struct cdc_err *err)
{
	struct cdc_checkpoint_result d;
	int rc;

	if (r->o.dry_run)
		return plan_checkpoint(r, err);
	rc = cdc_checkpoint_write_version(r->c.io, r->table, -1, &d, err);
	if (!rc)
		cmd_info(&r->c, "checkpoint of version %lld: %llu files", (long long)d.version,
			 (unsigned long long)d.num_adds);
	return rc;
}

/* A file that goes, as NDJSON with --dry-run and as a message with --verbose. */
static int on_file(void *ctx, const char *path, uint64_t bytes, struct cdc_err *err)
{
	struct run *r = ctx;
	struct cdc_buf b = CDC_BUF_INIT;
	int rc;

	if (!r->o.dry_run) {
		cmd_debug(&r->c, "removed %s", path);
		return CDC_OK;
	}
	rc = cdc_buf_puts(&b, "{\"operation\":\"vacuum\",\"path\":", err);
	if (!rc)
		rc = cdc_json_put_string(&b, cdc_str_z(path), err);
	if (!rc)
		rc = cdc_buf_printf(&b, err, ",\"size\":%llu}", (unsigned long long)bytes);
	if (!rc)
		rc = put_line(r, &b, err);
	cdc_buf_free(&b);
	return rc;
}

/* What --dry-run ends with. */
static int put_total(struct run *r, const struct cdc_vacuum_result *d, struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	int rc = cdc_buf_printf(&b, err,
				"{\"operation\":\"vacuum\",\"filesRemoved\":%llu,"
				"\"bytesRemoved\":%llu,\"directoriesRemoved\":%llu}",
				(unsigned long long)d->files_removed,
				(unsigned long long)d->bytes_removed,
				(unsigned long long)d->dirs_removed);

	if (!rc)
		rc = put_line(r, &b, err);
	cdc_buf_free(&b);
	return rc;
}

static int vacuum(struct run *r, struct cdc_err *err)
{
	struct cdc_vacuum_options vo = { .io = r->c.io,
					 .table = r->table,
					 .retain_ms = -1,
					 .force = r->o.force,
					 .dry_run = r->o.dry_run,
					 .ctx = r,
					 .on_file = on_file };
	struct cdc_vacuum_result d;
	int rc;

	if (r->o.retain != NO_RETAIN) {
		if (r->o.retain > (uint64_t)INT64_MAX / 1000)
			return cdc_fail(err, CDC_EUSAGE, "--retain is too long");
		vo.retain_ms = (int64_t)r->o.retain * 1000;
	}
	rc = cdc_vacuum(&vo, &d, err);
	if (!rc && r->o.dry_run)
		rc = put_total(r, &d, err);
	if (rc)
		return rc;
	cmd_info(&r->c, "%s %llu files, %llu bytes", r->o.dry_run ? "would remove" : "removed",
		 (unsigned long long)d.files_removed, (unsigned long long)d.bytes_removed);
	cmd_stat_int(&r->c, "vacuumed_files", d.files_removed);
	cmd_stat_int(&r->c, "vacuumed_bytes", d.bytes_removed);
	return CDC_OK;
}

static int fsck(struct run *r, struct cdc_err *err)
{
	struct cdc_fsck_options fo = { .table = r->table, .version = -1 };

	return cmd_check_table(&r->c, &fo, err);
}

/* Options that say how to pack say that it is wanted. */
static bool wants_packing(const struct options *o)
{
	return o->target_size || o->where || o->sort_by || o->zorder_by ||
	       !(o->checkpoint || o->vacuum || o->fsck);
}

static int run_all(struct run *r, struct cdc_err *err)
{
	int rc = cmd_output_open(&r->c, err);

	if (!rc && wants_packing(&r->o))
		rc = compact(r, err);
	if (!rc && r->o.checkpoint)
		rc = checkpoint(r, err);
	if (!rc && r->o.vacuum)
		rc = vacuum(r, err);
	if (!rc && r->o.fsck)
		rc = fsck(r, err);
	return rc ? rc : cmd_output_done(&r->c, err);
}

int main(int argc, char **argv)
{
	struct run r = { .o = { .retain = NO_RETAIN, .retries = DEFAULT_RETRIES } };
	struct cdc_err err = CDC_ERR_INIT;
	int n = cmd_start(&r.c, &program, &r.o, argc, argv);
	int rc;

	if (n < 0)
		return cmd_exit(&r.c);
	if (n != 1) {
		cmd_usage(&r.c, "%s TABLE given (see cdc-compact --help)",
			  n ? "more than one" : "no");
		return cmd_exit(&r.c);
	}
	if ((r.o.retain != NO_RETAIN || r.o.force) && !r.o.vacuum) {
		cmd_usage(&r.c, "--retain and --force go with --vacuum");
		return cmd_exit(&r.c);
	}
	if (r.o.fsck && (r.o.vacuum || r.o.checkpoint || r.o.target_size || r.o.where ||
			 r.o.sort_by || r.o.zorder_by || r.o.dry_run)) {
		cmd_usage(&r.c, "--fsck goes alone: it changes nothing");
		return cmd_exit(&r.c);
	}
	if (r.o.sort_by && r.o.zorder_by) {
		cmd_usage(&r.c, "--sort-by and --zorder-by exclude each other");
		return cmd_exit(&r.c);
	}
	if (r.o.retries < 0 || r.o.retries > INT32_MAX) {
		cmd_usage(&r.c, "--retries is out of range");
		return cmd_exit(&r.c);
	}
	r.table = argv[1];
	rc = run_all(&r, &err);
	if (rc < 0)
		cmd_error(&r.c, &err);
	return cmd_exit(&r.c);
}
