/*
 * cdc-decode: foreign change events and exports to change records. Options and wiring; the work is
 * in lib/source.
 */
#include "cmd/common.h"
#include "cmd/decode_live.h"

#include "source/input/input.h"
#include "source/show.h"
#include "source/source.h"
#include "source/summary.h"
#include "table/scan/parquet_rows.h"

#include <stdio.h>
#include <string.h>

/* Of --memory, what one message may take: it is held as it came, decoded and printed. */
#define MEMORY_PER_MESSAGE 16
#define RECORD_MIN ((size_t)64 << 10)

/* Formats that the library's source layer does not know. */
static const struct cdc_format *const more_formats[] = { &cdc_format_parquet, NULL };
#define FORMATS_MAX 64
static const char *formats[FORMATS_MAX + 1];

#define NOT_GIVEN INT64_MIN

static const char *const loss_choices[] = { "fail", "continue", NULL };
static const char *const as_choices[] = { "insert", "init", NULL };

struct options {
	const char *from;
	const char *framing;
	struct opt_list table;
	bool control;
	const char *as;
	bool header;
	const char *columns;
	const char *key;
	const char *db_table;
	const char *null_string;
	const char *op_column;
	const char *fields_terminated;
	const char *fields_enclosed;
	const char *optionally_enclosed;
	const char *fields_escaped;
	const char *lines_terminated;
	const char *charset;
	const char *kcat_format;
	const char *topic;
	int64_t partition;
	const char *zone;
	const char *schema;
	const char *schema_dir;
	const char *registry;
	uint64_t max_unpacked;
	bool show;
	bool describe;
	struct live_options live;
};

/* The formats and framings are those of the library's tables. */
enum { OPT_FROM, OPT_FRAMING };

static struct opt option_table[] = {
	[OPT_FROM] = { 'f', "from", OPT_CHOICE, "FORMAT", "what the input is (default auto)",
		       OPT_TARGET(options, from), NULL },
	[OPT_FRAMING] = { 0, "framing", OPT_CHOICE, "FRAMING", "how messages are cut from it",
			  OPT_TARGET(options, framing), NULL },
	{ 't', "table", OPT_LIST, "PATTERN", "only tables whose db.table matches (repeatable)",
	  OPT_TARGET(options, table), NULL },
	{ 0, "control", OPT_FLAG, NULL, "also print BEGIN, COMMIT and heartbeats",
	  OPT_TARGET(options, control), NULL },
	{ 0, "show", OPT_FLAG, NULL, "print a table for people instead of records",
	  OPT_TARGET(options, show), NULL },
	{ 0, "describe", OPT_FLAG, NULL, "print a summary of the input instead, as JSON",
	  OPT_TARGET(options, describe), NULL },
	{ 0, "as", OPT_CHOICE, "TYPE", OPT_RARE "rows of exports are INSERT or INIT records",
	  OPT_TARGET(options, as), as_choices },
	{ 0, "header", OPT_FLAG, NULL, "the first line of an export names its columns",
	  OPT_TARGET(options, header), NULL },
	{ 0, "columns", OPT_STRING, "COLUMNS", "columns of an export: 'id BIGINT NOT NULL, name'",
	  OPT_TARGET(options, columns), NULL },
	{ 'k', "key", OPT_STRING, "COLS", "primary key, where the input does not tell it",
	  OPT_TARGET(options, key), NULL },
	{ 0, "db-table", OPT_STRING, "NAME", "name of an export's table",
	  OPT_TARGET(options, db_table), NULL },
	{ 0, "null", OPT_STRING, "STRING", OPT_RARE "text that stands for null in an export",
	  OPT_TARGET(options, null_string), NULL },
	{ 0, "op-column", OPT_STRING, "NAME",
	  OPT_RARE "column of an export that tells the operation", OPT_TARGET(options, op_column),
	  NULL },
	{ 0, "fields-terminated-by", OPT_STRING, "STRING",
	  OPT_RARE "what ends a field of an export", OPT_TARGET(options, fields_terminated), NULL },
	{ 0, "fields-enclosed-by", OPT_STRING, "CHAR",
	  OPT_RARE "what an export's fields are quoted with", OPT_TARGET(options, fields_enclosed),
	  NULL },
	{ 0, "optionally-enclosed-by", OPT_STRING, "CHAR", OPT_RARE "the same, where not all are",
	  OPT_TARGET(options, optionally_enclosed), NULL },
	{ 0, "fields-escaped-by", OPT_STRING, "CHAR", OPT_RARE "what escapes a byte in an export",
	  OPT_TARGET(options, fields_escaped), NULL },
	{ 0, "lines-terminated-by", OPT_STRING, "STRING", OPT_RARE "what ends a row of an export",
	  OPT_TARGET(options, lines_terminated), NULL },
	{ 0, "charset", OPT_STRING, "NAME", OPT_RARE "character set of an export (default UTF-8)",
	  OPT_TARGET(options, charset), NULL },
	{ 0, "kcat-format", OPT_STRING, "FORMAT", OPT_RARE "what kcat -f was given",
	  OPT_TARGET(options, kcat_format), NULL },
	{ 0, "kafka", OPT_STRING, "BROKERS", "read a live topic: HOST[:PORT],...",
	  OPT_TARGET(options, live.brokers), NULL },
	{ 0, "topic", OPT_STRING, "TOPIC", "topic to read, or that a dump is of",
	  OPT_TARGET(options, topic), NULL },
	{ 0, "partition", OPT_INT, "N",
	  OPT_RARE "partition to read (default all), or that a dump is of",
	  OPT_TARGET(options, partition), NULL },
	{ 0, "offset", OPT_STRING, "OFFSET", "where to begin: beginning, end, N, -N from the end",
	  OPT_TARGET(options, live.offset), NULL },
	{ 0, "follow", OPT_FLAG, NULL, "wait for more at the topic's end",
	  OPT_TARGET(options, live.follow), NULL },
	{ 0, "resume", OPT_STRING, "TABLE", "go on behind what TABLE has of the topic",
	  OPT_TARGET(options, live.resume), NULL },
	{ 0, "max-records", OPT_INT, "N", OPT_RARE "stop after N records of a topic",
	  OPT_TARGET(options, live.max_records), NULL },
	{ 0, "kafka-config", OPT_STRING, "FILE", OPT_RARE "properties of librdkafka, such as TLS",
	  OPT_TARGET(options, live.config), NULL },
	{ 0, "checkpoint-every", OPT_STRING, "N|TIME",
	  OPT_RARE "a CHECKPOINT after N messages or a time",
	  OPT_TARGET(options, live.checkpoint_every), NULL },
	{ 0, "on-data-loss", OPT_CHOICE, "WHAT",
	  OPT_RARE "when what is to be read next is gone: fail or continue",
	  OPT_TARGET(options, live.on_loss), loss_choices },
	{ 0, "app-id", OPT_STRING, "ID", OPT_RARE "name of the stream in the table of --resume",
	  OPT_TARGET(options, live.app_id), NULL },
	{ 0, "schema", OPT_STRING, "TEXT|@FILE",
	  OPT_RARE "columns of tables that the source does not type", OPT_TARGET(options, schema),
	  NULL },
	{ 0, "schema-dir", OPT_STRING, "DIR", OPT_RARE "Avro schemas of messages, as ID.avsc",
	  OPT_TARGET(options, schema_dir), NULL },
	{ 0, "registry", OPT_STRING, "URL", OPT_RARE "schema registry to ask for them",
	  OPT_TARGET(options, registry), NULL },
	{ 0, "max-unpacked", OPT_SIZE, "SIZE",
	  OPT_RARE "most that one compressed input may unpack to",
	  OPT_TARGET(options, max_unpacked), NULL },
	{ 0, "source-timezone", OPT_STRING, "ZONE",
	  OPT_RARE "zone of a source that prints local time (default UTC)",
	  OPT_TARGET(options, zone), NULL },
	{ 0, NULL, OPT_FLAG, NULL, NULL, 0, NULL }
};

static const struct opt_program program = {
	.name = "cdc-decode",
	.synopsis = "[options] [FILE...]",
	.summary = "Print the change events or rows in FILEs as change records.",
	.options = option_table,
	.example = { "kcat -C -b HOST -t sales -e -f '%R%s' | cdc-decode --from dts --framing kcat",
		     "cdc-decode --from csv --header --key id --db-table shop.sales full.csv" },
	.common = CMD_OPT_GENERAL | CMD_OPT_OUTPUT | CMD_OPT_REJECTS | CMD_OPT_MEMORY |
		  CMD_OPT_TMPDIR,
};

struct run {
	struct cmd c;
	struct options o;
	struct cdc_source *s;
	struct cdc_show *show; /* NULL: not asked for */
	struct cdc_summary *summary;
	struct cdc_zone *zone;
	struct cdc_buf schema; /* the text of --schema @FILE */
	const struct cdc_reader *in;
	int operands;
	bool in_progress;
	uint64_t bytes_before; /* of the inputs that are done */
};

static int put(void *ctx, struct cdc_str lines, struct cdc_err *err)
{
	struct run *r = ctx;

	cmd_progress(&r->c, cdc_source_counts(r->s)->records,
		     r->bytes_before + (r->in ? cdc_reader_offset(r->in) : 0));
	if (r->summary)
		return cdc_summary_lines(r->summary, lines, err);
	if (r->show)
		return cdc_show_lines(r->show, lines, err);
	return cdc_writer_put(&r->c.out, lines.p, lines.n, err);
}

static int on_reject(void *ctx, const struct cdc_reject *reject, struct cdc_err *err)
{
	struct run *r = ctx;
	struct cmd_rejected rejected = {
		.reason = reject->reason,
		.file = reject->file,
		.line = reject->line,
		.has_offset = true,
		.offset = reject->offset,
		.has_key = reject->has_key,
		.key = reject->key,
		.raw = reject->raw,
	};

	return cmd_reject(&r->c, &rejected, err);
}

static void on_format(void *ctx, const char *file, const char *format, const char *framing)
{
	struct run *r = ctx;

	if (framing)
		cmd_debug(&r->c, "%s: format %s, framing %s", file, format, framing);
	else
		cmd_debug(&r->c, "%s: format %s", file, format);
	if (r->summary)
		cdc_summary_format(r->summary, format, framing);
}

static int on_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct run *r = ctx;

	return cdc_summary_message(r->summary, m, err);
}

/* How the output looks, if it is not records. */
static int open_view(struct run *r, struct cdc_err *err)
{
	if (r->o.show && r->o.describe)
		return cdc_fail(err, CDC_EUSAGE, "--show and --describe exclude each other");
	if (r->o.describe)
		return cdc_summary_new(&r->summary, err);
	if (r->o.show)
		return cdc_show_new(&r->show, &r->c.out, cmd_columns(&r->c), err);
	return CDC_OK;
}

static int close_view(struct run *r, struct cdc_err *err)
{
	struct cdc_buf text = CDC_BUF_INIT;
	int rc;

	if (r->show)
		return cdc_show_finish(r->show, err);
	if (!r->summary)
		return CDC_OK;
	rc = cdc_summary_print(r->summary, cdc_source_counts(r->s), &text, err);
	if (rc == CDC_OK)
		rc = cdc_writer_put(&r->c.out, text.p, text.len, err);
	cdc_buf_free(&text);
	return rc;
}

static int open_source(struct run *r, struct cdc_err *err)
{
	const struct options *o = &r->o;
	struct cdc_source_options so = {
		.format = o->from,
		.framing = o->framing,
		.tables = (const char *const *)o->table.item,
		.control = o->control,
		.as_init = strcmp(o->as, "init") == 0,
		.header = o->header,
		.columns = o->columns,
		.key = o->key,
		.db_table = o->db_table,
		.null_string = o->null_string,
		.op_column = o->op_column,
		.fields_terminated = o->fields_terminated,
		.fields_enclosed = o->fields_enclosed ? o->fields_enclosed : o->optionally_enclosed,
		.fields_escaped = o->fields_escaped,
		.lines_terminated = o->lines_terminated,
		.charset = o->charset,
		.kcat_format = o->kcat_format,
		.topic = o->topic,
		.schema_dir = o->schema_dir,
		.registry = o->registry,
		.partition = o->partition == NOT_GIVEN ? 0 : (int32_t)o->partition,
		.more = more_formats,
	};
	struct cdc_sink sink = { r, put, on_reject, on_format, r->summary ? on_message : NULL };

	so.schema = o->schema;
	if (o->schema && o->schema[0] == '@') {
		if (cdc_io_read_file(&cdc_io_posix, o->schema + 1, &r->schema, err) < 0)
			return err->code;
		so.schema = cdc_buf_z(&r->schema);
		if (!so.schema)
			return cdc_fail_nomem(err);
	}
	if (o->zone) {
		int rc = cdc_zone_new(&r->zone, &cdc_io_posix, o->zone, err);

		if (rc < 0)
			return cdc_err_prefix(err, "--source-timezone");
		so.zone = r->zone;
	}
	if (o->partition != NOT_GIVEN && (o->partition < 0 || o->partition > INT32_MAX))
		return cdc_fail(err, CDC_EUSAGE, "--partition is out of range");
	if (r->c.opt.memory) {
		so.record_max = (size_t)(r->c.opt.memory / MEMORY_PER_MESSAGE);
		if (so.record_max < RECORD_MIN)
			return cdc_fail(err, CDC_EUSAGE, "--memory is less than 1 MiB");
	}
	return cdc_source_new(&r->s, &so, &sink, err);
}

static int decode_one(void *ctx, struct cdc_reader *in, struct cdc_err *err)
{
	struct run *r = ctx;
	uint64_t cut_off = cdc_source_counts(r->s)->cut_off;
	int rc;

	/* How far it is can be told of one plain file. */
	if (!r->in_progress)
		cmd_progress_start(&r->c, r->operands == 1 && !in->pull ? in->size : 0);
	r->in_progress = true;
	cdc_reader_tie(in, &r->c.out);
	r->in = in;
	rc = cdc_source_run(r->s, in, err);
	/* A format that reads a file at any offset (Parquet) leaves the reader where it was. */
	r->bytes_before += cdc_reader_offset(in) || rc < 0 ? cdc_reader_offset(in) : in->size;
	r->in = NULL;
	if (rc == CDC_OK && cdc_source_counts(r->s)->cut_off > cut_off)
		cmd_warn(&r->c, "%s: the input was cut off: its last CHECKPOINT is not final",
			 in->name);
	return rc;
}

static void on_passed(void *ctx, const char *name, const char *why)
{
	struct run *r = ctx;

	cmd_debug(&r->c, "%s: passed over: %s", name, why);
}

static int decode_topic(struct run *r, int n, struct cdc_err *err)
{
	int64_t partition = r->o.partition == NOT_GIVEN ? -1 : r->o.partition;
	int rc;

	if (n)
		return cdc_fail(err, CDC_EUSAGE, "--kafka reads no FILE");
	rc = live_run(&r->c, &r->o.live, r->o.topic, partition, r->s, err);
	return rc < 0 ? rc : cdc_source_finish(r->s, err);
}

static int decode_files(struct run *r, int n, char **operand, struct cdc_err *err)
{
	struct cdc_inputs in = {
		.io = r->c.io,
		.tmpdir = r->c.opt.tmpdir,
		.max_unpacked = r->o.max_unpacked,
		.each = decode_one,
		.passed = on_passed,
		.ctx = r,
	};
	int rc = cmd_input_check(&r->c, n, err);

	if (rc < 0)
		return rc;
	r->operands = n;
	for (int i = 0; rc == CDC_OK && i < cmd_input_count(n); i++)
		rc = cdc_inputs_of(&in, n ? operand[i] : "-", err);
	return rc < 0 ? rc : cdc_source_finish(r->s, err);
}

static int decode_inputs(struct run *r, int n, char **operand, struct cdc_err *err)
{
	const char *stray = live_stray(&r->o.live);

	if (stray)
		return cdc_fail(err, CDC_EUSAGE, "%s needs --kafka", stray);
	return r->o.live.brokers ? decode_topic(r, n, err) : decode_files(r, n, operand, err);
}

static void report(struct run *r)
{
	const struct cdc_source_counts *n = cdc_source_counts(r->s);

	cmd_stat_int(&r->c, "bytes_in", r->o.live.brokers ? n->bytes : r->bytes_before);
	cmd_stat_int(&r->c, "messages", n->messages);
	cmd_stat_int(&r->c, "records", n->records);
	cmd_stat_int(&r->c, "control", n->control);
	cmd_stat_int(&r->c, "skipped", n->skipped);
	if (n->open)
		cmd_warn(&r->c,
			 "%llu Kafka transactions are open at the end of what was read of their "
			 "partition: their records, and what follows them there, are not printed",
			 (unsigned long long)n->open);
	if (n->prepared)
		cmd_warn(
			&r->c,
			"%llu XA transactions were prepared, but no log read here ends them: their "
			"rows are not printed",
			(unsigned long long)n->prepared);
}

static const char *const *all_formats(void)
{
	const char *const *own = cdc_source_formats();
	size_t n = 0;

	for (; n < FORMATS_MAX && own[n]; n++)
		formats[n] = own[n];
	for (size_t i = 0; more_formats[i] && n < FORMATS_MAX; i++)
		formats[n++] = more_formats[i]->name;
	return formats;
}

/* What was decoded before a failure is good; a file, though, appears only when all went well. */
static void flush_after_failure(struct run *r)
{
	struct cdc_err second = CDC_ERR_INIT;

	if (r->c.out_open && !r->c.out_temp && r->show)
		(void)!cdc_show_finish(r->show, &second);
	if (r->c.out_open && !r->c.out_temp)
		(void)!cdc_writer_flush(&r->c.out, &second);
}

int main(int argc, char **argv)
{
	struct run r = {
		.o = { .from = "auto", .framing = "auto", .as = "insert", .partition = NOT_GIVEN }
	};
	struct cdc_err err = CDC_ERR_INIT;
	int n, rc;

	option_table[OPT_FROM].choices = all_formats();
	option_table[OPT_FRAMING].choices = cdc_source_framings();
	n = cmd_start(&r.c, &program, &r.o, argc, argv);
	if (n < 0)
		return cmd_exit(&r.c);
	rc = open_view(&r, &err);
	if (rc == CDC_OK)
		rc = open_source(&r, &err);
	if (rc == CDC_OK)
		rc = cmd_output_open(&r.c, &err);
	if (rc == CDC_OK)
		rc = decode_inputs(&r, n, argv + 1, &err);
	if (rc == CDC_OK)
		rc = close_view(&r, &err);
	if (rc == CDC_OK)
		rc = cmd_output_done(&r.c, &err);
	if (r.s)
		report(&r);
	if (rc < 0) {
		flush_after_failure(&r);
		cmd_error(&r.c, &err);
	}
	cdc_source_free(r.s);
	cdc_show_free(r.show);
	cdc_summary_free(r.summary);
	cdc_zone_free(r.zone);
	cdc_buf_free(&r.schema);
	opt_list_free(&r.o.table);
	return cmd_exit(&r.c);
}
