/*
 * cdc-snapshot: print a Delta table, its history, its changes or its description. Options and
 * wiring; the work is in lib/table/scan/scan.h, print.h, history.h, changes.h, describe.h and
 * fsck.h.
 */
#include "cmd/common.h"
#include "cmd/findings.h"

#include "base/value.h"
#include "delta/log.h"
#include "table/archive/archive.h"
#include "table/changes/changes.h"
#include "table/describe/describe.h"
#include "table/describe/describe_file.h"
#include "table/describe/history.h"
#include "table/scan/parquet_table.h"
#include "table/print/print.h"
#include "table/scan/scan.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOT_GIVEN INT64_MIN

/* The order is that of enum cdc_print_format. */
static const char *const format_choices[] = { "ndjson", "csv", "tsv", "table", "parquet", NULL };

struct options {
	const char *format;
	int64_t version;
	const char *timestamp;
	bool allow_external;
	const char *columns;
	const char *where;
	int64_t limit;
	bool history;
	bool describe;
	bool verify;
	const char *changes;
	const char *key;
	const char *archive;
};

static const struct opt option_table[] = {
	{ 'f', "format", OPT_CHOICE, "FORMAT", "how rows are printed", OPT_TARGET(options, format),
	  format_choices },
	{ 0, "version-as-of", OPT_INT, "N", "the table as it was at version N",
	  OPT_TARGET(options, version), NULL },
	{ 0, "timestamp-as-of", OPT_STRING, "TIME",
	  "the table as it was at a time, UTC if it has no zone", OPT_TARGET(options, timestamp),
	  NULL },
	{ 0, "allow-external", OPT_FLAG, NULL, "read files that lie outside the table too",
	  OPT_TARGET(options, allow_external), NULL },
	{ 'c', "columns", OPT_STRING, "COLS", "only these columns, in this order",
	  OPT_TARGET(options, columns), NULL },
	{ 0, "where", OPT_STRING, "PREDICATE", "only rows for which this is true, as in SQL",
	  OPT_TARGET(options, where), NULL },
	{ 0, "limit", OPT_INT, "N", "stop after N rows", OPT_TARGET(options, limit), NULL },
	{ 0, "history", OPT_FLAG, NULL, "print the commits instead, newest first",
	  OPT_TARGET(options, history), NULL },
	{ 0, "describe", OPT_FLAG, NULL, "print schema, protocol, properties and counts instead",
	  OPT_TARGET(options, describe), NULL },
	{ 0, "verify", OPT_FLAG, NULL, "check the version's files and data instead, print findings",
	  OPT_TARGET(options, verify), NULL },
	{ 0, "changes", OPT_STRING, "FROM[..TO]", "print what these versions changed instead",
	  OPT_TARGET(options, changes), NULL },
	{ 'k', "key", OPT_STRING, "COLS", "key columns of --changes (default: the table's)",
	  OPT_TARGET(options, key), NULL },
	{ 0, "archive", OPT_STRING, "FILE", "write a copy of the table to FILE, e.g. sales.tar.zst",
	  OPT_TARGET(options, archive), NULL },
	{ 0, NULL, OPT_FLAG, NULL, NULL, 0, NULL }
};

static const struct opt_program program = {
	.name = "cdc-snapshot",
	.synopsis = "[options] TABLE",
	.summary = "Print the Delta table in directory TABLE, or the Parquet file of that name.",
	.options = option_table,
	.example = { "cdc-snapshot -f table --limit 20 ./sales",
		     "cdc-snapshot --version-as-of 3 -c id,sales ./sales | jq -c ." },
	.common = CMD_OPT_GENERAL | CMD_OPT_OUTPUT | CMD_OPT_MEMORY,
};

/* What is printed. */
enum view { ROWS = 1, HISTORY = 2, DESCRIPTION = 4, CHANGES = 8, ARCHIVE = 16, FINDINGS = 32 };

struct run {
	struct cmd c;
	struct options o;
	enum view view;
	enum cdc_print_format format;
	const char *table; /* the operand: a table's directory, or a Parquet file */
	int64_t version; /* that was asked for; -1: the latest */
	struct cdc_snapshot *snapshot;
	struct cdc_err unreadable; /* why there is no snapshot */
	char **names; /* --columns */
	int *field; /* of the snapshot's schema */
	const struct cdc_field **columns;
	int num_columns;
	struct cdc_where *where; /* --where */
	struct cdc_filter *filter;
	uint64_t rows;
	int64_t from, to; /* --changes; to -1: the latest */
	char **key;
};

/* FROM or FROM..TO */
static bool parse_range(struct run *r)
{
	const char *dots = strstr(r->o.changes, "..");
	struct cdc_str from =
		cdc_str(r->o.changes, dots ? (size_t)(dots - r->o.changes) : strlen(r->o.changes));

	r->to = -1;
	return !cdc_int64_parse(from, &r->from) && r->from >= 0 &&
	       (!dots || (!cdc_int64_parse(cdc_str_z(dots + 2), &r->to) && r->to >= 0));
}

/* Which option asks for a view. */
static const char *view_option(enum view v)
{
	return v == HISTORY	  ? "--history"
	       : v == DESCRIPTION ? "--describe"
	       : v == CHANGES	  ? "--changes"
	       : v == ARCHIVE	  ? "--archive"
	       : v == FINDINGS	  ? "--verify"
				  : "the printing of rows";
}

/* One of them at most, rows by default. */
static bool choose_view(struct run *r)
{
	const struct {
		bool given;
		enum view view;
	} asked[] = {
		{ r->o.history, HISTORY },	   { r->o.describe, DESCRIPTION },
		{ r->o.changes != NULL, CHANGES }, { r->o.archive != NULL, ARCHIVE },
		{ r->o.verify, FINDINGS },
	};

	r->view = ROWS;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		if (!asked[i].given)
			continue;
		if (r->view != ROWS) {
			cmd_usage(&r->c, "%s and %s exclude each other", view_option(r->view),
				  view_option(asked[i].view));
			return false;
		}
		r->view = asked[i].view;
	}
	return true;
}

/* Options that only some views know. */
static bool options_suit_view(struct run *r)
{
	const bool text = !strcmp(r->o.format, "csv") || !strcmp(r->o.format, "tsv");
	const bool table = !strcmp(r->o.format, "table");
	const bool parquet = !strcmp(r->o.format, "parquet");
	const struct {
		const char *option;
		bool given;
		unsigned views;
	} rule[] = {
		{ "--columns", r->o.columns, ROWS },
		{ "--where", r->o.where, ROWS },
		{ "--key", r->o.key, CHANGES },
		{ "--limit", r->o.limit != NOT_GIVEN, ROWS | HISTORY | CHANGES },
		{ "--format csv or tsv", text, ROWS | HISTORY },
		{ "--format table", table, ROWS | HISTORY | DESCRIPTION },
		{ "--format parquet", parquet, ROWS },
		{ "--version-as-of", r->o.version != NOT_GIVEN,
		  ROWS | HISTORY | DESCRIPTION | ARCHIVE | FINDINGS },
		{ "--timestamp-as-of", r->o.timestamp,
		  ROWS | HISTORY | DESCRIPTION | ARCHIVE | FINDINGS },
		{ "--output", r->c.opt.output, ROWS | HISTORY | DESCRIPTION | CHANGES | FINDINGS },
	};

	for (size_t i = 0; i < sizeof(rule) / sizeof(rule[0]); i++) {
		if (!rule[i].given || (rule[i].views & r->view))
			continue;
		cmd_usage(&r->c, "%s does not go with %s", rule[i].option, view_option(r->view));
		return false;
	}
	return true;
}

static bool values_are_good(struct run *r)
{
	size_t n;

	if (r->o.version != NOT_GIVEN && r->o.version < 0)
		cmd_usage(&r->c, "--version-as-of must not be negative");
	else if (r->o.version != NOT_GIVEN && r->o.timestamp)
		cmd_usage(&r->c, "--version-as-of and --timestamp-as-of exclude each other");
	else if (r->o.limit != NOT_GIVEN && r->o.limit < 0)
		cmd_usage(&r->c, "--limit must not be negative");
	else if (r->o.changes && !parse_range(r))
		cmd_usage(&r->c, "--changes %s: not of the form FROM or FROM..TO", r->o.changes);
	else if (r->o.key && !(r->key = opt_split(r->o.key, &n)))
		cmd_usage(&r->c, "--key: \"%s\" is not a list of columns", r->o.key);
	else if (r->o.archive && !cdc_archive_known(r->o.archive))
		cmd_usage(&r->c, "--archive %s: the suffix must be one of %s", r->o.archive,
			  cdc_archive_suffixes);
	else if (isatty(STDOUT_FILENO) && ((r->o.archive && !strcmp(r->o.archive, "-")) ||
					   (!strcmp(r->o.format, "parquet") && !r->c.opt.output)))
		cmd_usage(&r->c, "what is no text is not written to a terminal: say where to");
	else
		return true;
	return false;
}

static bool usage_is_good(struct run *r, int operands)
{
	if (operands < 1)
		cmd_usage(&r->c, "no TABLE given (see cdc-snapshot --help)");
	else if (operands > 1)
		cmd_usage(&r->c, "more than one TABLE given");
	else
		return choose_view(r) && options_suit_view(r) && values_are_good(r);
	return false;
}

/* What --columns names, or all columns. */
static int choose_columns(struct run *r, struct cdc_err *err)
{
	const struct cdc_schema *s = &r->snapshot->schema;
	size_t n = (size_t)s->num_fields;

	if (r->o.columns) {
		r->names = opt_split(r->o.columns, &n);
		if (!r->names)
			return cdc_fail(err, CDC_EUSAGE, "--columns holds an empty name");
	}
	r->field = calloc(n + 1, sizeof(*r->field));
	r->columns = calloc(n + 1, sizeof(*r->columns));
	if (!r->field || !r->columns)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		int f = r->names ? cdc_schema_find(s, cdc_str_z(r->names[i])) : (int)i;

		if (f < 0)
			return cdc_fail(err, CDC_EUSAGE, "the table has no column \"%s\"",
					r->names[i]);
		r->field[i] = f;
		r->columns[i] = &s->field[f];
	}
	r->num_columns = (int)n;
	return CDC_OK;
}

static int print_batches(struct run *r, struct cdc_scan *scan, struct cdc_printer *p,
			 struct cdc_err *err)
{
	uint64_t limit = r->o.limit == NOT_GIVEN ? UINT64_MAX : (uint64_t)r->o.limit;
	struct cdc_batch b;
	int rc = CDC_OK;

	while (r->rows < limit) {
		rc = cdc_scan_next(scan, &b, err);
		if (rc)
			break;
		if (b.rows > limit - r->rows)
			b.rows = (uint32_t)(limit - r->rows);
		rc = cdc_printer_batch(p, &b, err);
		if (rc < 0)
			break;
		r->rows += b.rows;
		cmd_progress(&r->c, r->rows, cdc_writer_offset(&r->c.out));
	}
	return rc < 0 ? rc : cdc_printer_finish(p, err);
}

static void put_scan_counts(struct run *r, const struct cdc_scan *scan)
{
	struct cdc_scan_counts n = cdc_scan_counts(scan);

	if (!r->filter)
		return;
	cmd_stat_int(&r->c, "filesSkipped", n.files_skipped);
	cmd_stat_int(&r->c, "rowGroupsSkipped", n.row_groups_skipped);
	cmd_stat_int(&r->c, "rowsSkipped", n.rows_skipped);
	cmd_stat_int(&r->c, "rowsTested", n.rows_tested);
}

static int print_rows(struct run *r, struct cdc_err *err)
{
	struct cdc_scan_options opt;
	struct cdc_scan *scan = NULL;
	struct cdc_printer *p = NULL;
	int rc = choose_columns(r, err);

	if (rc < 0)
		return rc;
	if (r->where && cdc_filter_new(&r->filter, r->where, &r->snapshot->schema, err) < 0)
		return cdc_err_prefix(err, "--where");
	cmd_progress_start(&r->c, 0);
	opt = (struct cdc_scan_options){ .columns = r->field,
					 .num_columns = r->num_columns,
					 .where = r->filter };
	if ((rc = cdc_scan_new(&scan, r->c.io, r->snapshot, &opt, err)) == CDC_OK &&
	    (rc = cdc_printer_new(&p, r->format, r->columns, r->num_columns, &r->c.out, err)) ==
		    CDC_OK)
		rc = print_batches(r, scan, p, err);
	if (rc == CDC_OK)
		put_scan_counts(r, scan);
	cdc_printer_free(p);
	cdc_scan_free(scan);
	return rc;
}

static int print_description(struct run *r, struct cdc_err *err)
{
	struct cdc_buf text = CDC_BUF_INIT;
	int rc;

	if (r->format == CDC_PRINT_TABLE)
		return cdc_describe_short(r->c.io, r->snapshot, &r->c.out, err);
	rc = cdc_describe(r->c.io, r->snapshot, &text, err);
	if (rc == CDC_OK)
		rc = cdc_buf_putc(&text, '\n', err);
	if (rc == CDC_OK)
		rc = cdc_writer_put(&r->c.out, text.p, text.len, err);
	cdc_buf_free(&text);
	return rc;
}

static void on_progress(void *ctx, uint64_t records, uint64_t bytes)
{
	cmd_progress(ctx, records, bytes);
}

static int print_changes(struct run *r, struct cdc_err *err)
{
	const struct cdc_changes_options opt = {
		.io = r->c.io,
		.table = r->table,
		.from = r->from,
		.to = r->to,
		.key = (const char *const *)r->key,
		.memory_bytes = r->c.opt.memory / 2,
		.allow_external = r->o.allow_external,
		.limit = r->o.limit == NOT_GIVEN ? UINT64_MAX : (uint64_t)r->o.limit,
		.on_progress = on_progress,
		.ctx = &r->c,
	};
	struct cdc_changes_counts n;
	int rc;

	cmd_progress_start(&r->c, 0);
	rc = cdc_changes_print(&opt, &r->c.out, &n, err);
	if (rc < 0)
		return rc;
	cmd_stat_int(&r->c, "commits", n.commits);
	cmd_stat_int(&r->c, "inserted", n.inserted);
	cmd_stat_int(&r->c, "updated", n.updated);
	cmd_stat_int(&r->c, "deleted", n.deleted);
	return CDC_OK;
}

static int write_archive(struct run *r, struct cdc_err *err)
{
	const struct cdc_archive_options opt = {
		.io = r->c.io,
		.snapshot = r->snapshot,
		.name = r->o.archive,
		.on_progress = on_progress,
		.ctx = &r->c,
	};
	struct cdc_archive_counts n;
	int rc;

	cmd_progress_start(&r->c, 0);
	rc = cdc_archive_write(&opt, &r->c.out, &n, err);
	if (rc == CDC_OK)
		cmd_stat_int(&r->c, "bytes_copied", n.bytes);
	return rc;
}

/* The check loads the version itself. */
static int print_findings(struct run *r, struct cdc_err *err)
{
	struct cdc_fsck_options opt = { .table = r->table,
					.version = r->version,
					.files_only = true,
					.allow_external = r->o.allow_external };

	return cmd_check_table(&r->c, &opt, err);
}

/*
 * Where the state cannot be read, since it is damaged or has a feature that is not known, the log
 * still tells what happened.
 */
static int print_history(struct run *r, struct cdc_err *err)
{
	int64_t limit = r->o.limit == NOT_GIVEN ? -1 : r->o.limit;

	if (r->snapshot)
		return cdc_history_print(r->c.io, r->snapshot, limit, r->format, &r->c.out, err);
	cmd_warn(&r->c, "%s; the times are those of the commits' files", r->unreadable.msg);
	return cdc_history_print_log(r->c.io, r->table, r->version, limit, r->format, &r->c.out,
				     err);
}

/* The version of --timestamp-as-of; the table's latest state tells how times are to be taken. */
static int find_version(struct run *r, struct cdc_err *err)
{
	struct cdc_snapshot *latest = NULL;
	int64_t us;
	bool zone;
	int rc;

	if (cdc_timestamp_parse(cdc_str_z(r->o.timestamp), false, &us, &zone) != CDC_PARSE_OK)
		return cdc_fail(err, CDC_EUSAGE, "--timestamp-as-of: \"%s\" is not a time",
				r->o.timestamp);
	rc = cdc_snapshot_load(&latest, r->c.io, r->table, -1, err);
	if (rc == CDC_OK)
		rc = cdc_log_version_at(r->c.io, latest, us / 1000 - (us % 1000 < 0), &r->version,
					err);
	cdc_snapshot_free(latest);
	return rc;
}

static int open_table(struct run *r, struct cdc_err *err)
{
	int rc = CDC_OK;

	r->version = r->o.version == NOT_GIVEN ? -1 : r->o.version;
	if (r->o.timestamp)
		rc = find_version(r, err);
	if (rc < 0 || r->view == FINDINGS)
		return rc;
	rc = cdc_snapshot_load(&r->snapshot, r->c.io, r->table, r->version, &r->unreadable);
	if (rc == CDC_OK)
		r->snapshot->allow_external = r->o.allow_external;
	if (r->view == HISTORY && (rc == CDC_ECORRUPT || rc == CDC_EUNSUPPORTED))
		return CDC_OK;
	if (rc < 0)
		*err = r->unreadable;
	return rc;
}

/* A file has no log: what asks for one makes no sense. */
static int open_file(struct run *r, struct cdc_err *err)
{
	if (!(r->view & (ROWS | DESCRIPTION)) || r->o.version != NOT_GIVEN || r->o.timestamp)
		return cdc_fail(err, CDC_EUSAGE, "%s is a file, no table: it has no versions",
				r->table);
	return r->view == DESCRIPTION
		       ? CDC_OK
		       : cdc_parquet_table_open(&r->snapshot, r->c.io, r->table, err);
}

static int print(struct run *r, bool is_file, struct cdc_err *err)
{
	switch (r->view) {
	case HISTORY:
		return print_history(r, err);
	case DESCRIPTION:
		if (is_file)
			return cdc_describe_path(r->c.io, r->table, r->format, &r->c.out, err);
		return print_description(r, err);
	case CHANGES:
		return print_changes(r, err);
	case ARCHIVE:
		return write_archive(r, err);
	case FINDINGS:
		return print_findings(r, err);
	case ROWS:
		break;
	}
	return print_rows(r, err);
}

static int run(struct run *r, struct cdc_err *err)
{
	bool is_file = cdc_is_parquet_operand(r->c.io, r->table);
	int rc = CDC_OK;

	cmd_limit_memory(&r->c);
	while (strcmp(format_choices[r->format], r->o.format) != 0)
		r->format++;
	if (r->o.where && cdc_where_parse(&r->where, cdc_str_z(r->o.where), err) < 0)
		return cdc_err_prefix(err, "--where");
	if (r->o.archive)
		r->c.opt.output = r->o.archive;
	if (is_file)
		rc = open_file(r, err);
	else if (r->view != CHANGES) /* which opens the table at each version */
		rc = open_table(r, err);
	if (rc < 0 || (rc = cmd_output_open(&r->c, err)) < 0 || (rc = print(r, is_file, err)) < 0)
		return rc;
	if (r->snapshot) {
		cmd_stat_int(&r->c, "version", (uint64_t)r->snapshot->version);
		cmd_stat_int(&r->c, "files", r->snapshot->num_adds);
		cmd_stat_int(&r->c, "rows", r->rows);
	}
	cmd_stat_int(&r->c, "bytes", cdc_writer_offset(&r->c.out));
	return cmd_output_done(&r->c, err);
}

int main(int argc, char **argv)
{
	struct run r = { .o = { .format = "ndjson", .version = NOT_GIVEN, .limit = NOT_GIVEN } };
	struct cdc_err err = CDC_ERR_INIT;
	int n = cmd_start(&r.c, &program, &r.o, argc, argv);

	if (n >= 0 && usage_is_good(&r, n)) {
		r.table = argv[1];
		if (run(&r, &err) < 0)
			cmd_error(&r.c, &err);
	}
	free(r.key);
	free(r.names);
	free(r.field);
	free(r.columns);
	cdc_filter_free(r.filter);
	cdc_where_free(r.where);
	cdc_snapshot_free(r.snapshot);
	return cmd_exit(&r.c);
}
