/*
 * cdc-dedup: fold change records to what they add up to, key by key. Options and wiring; the work
 * is in lib/record/netchange.h.
 */
#include "cmd/common.h"

#include "base/value.h"
#include "record/netchange.h"
#include "record/positions.h"
#include "record/textkey.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#define MIN_MEMORY_BYTES ((uint64_t)8 << 20)
#define OWN_MEMORY_BYTES                                                                           \
	((uint64_t)4 << 20) /* the program beside its window: --memory is for all */
#define MMAP_BYTES (128 << 10)
#define CLOCK_EVERY 1024 /* records between looks at the clock while input does not pause */

struct options {
	const char *key;
	const char *order;
	int64_t window;
	uint64_t window_time;
	bool require_final;
};

static const struct opt option_table[] = {
	{ 'k', "key", OPT_STRING, "COLS",
	  "key columns (default: the primary key in SCHEMA records)", OPT_TARGET(options, key),
	  NULL },
	{ 0, "order", OPT_STRING, "FIELD", "member that orders the records (default recordID)",
	  OPT_TARGET(options, order), NULL },
	{ 0, "window", OPT_INT, "N", "fold and print every N records (default: all at the end)",
	  OPT_TARGET(options, window), NULL },
	{ 0, "window-time", OPT_DURATION, "S", "fold and print a window that is S seconds old",
	  OPT_TARGET(options, window_time), NULL },
	{ 0, "require-final", OPT_FLAG, NULL,
	  "fail if an input does not end with a final CHECKPOINT",
	  OPT_TARGET(options, require_final), NULL },
	{ 0, NULL, OPT_FLAG, NULL, NULL, 0, NULL }
};

static const struct opt_program program = {
	.name = "cdc-dedup",
	.synopsis = "[options] [FILE...]",
	.summary = "Fold change records to the least that has the same effect, in the same order.",
	.options = option_table,
	.example = { "cdc-decode --from dts changes.kcat | cdc-dedup | cdc-merge ./sales",
		     "cdc-dedup -k id --window-time 30s < records.ndjson" },
	.common = CMD_OPT_GENERAL | CMD_OPT_OUTPUT | CMD_OPT_REJECTS | CMD_OPT_SPILL,
};

/* Whether the records of the input have the order field: the first one decides for all. */
enum has_order { ORDER_UNKNOWN, ORDER_FIELD, ORDER_ARRIVAL };

struct run {
	struct cmd c;
	struct options o;
	char **key_columns;
	struct cdc_textkey key;
	struct cdc_positions positions;
	struct cdc_net *net;
	struct cdc_tape tape;
	struct cdc_buf line; /* a CHECKPOINT to print */
	/* order */
	bool by_id;
	enum has_order has_order;
	int64_t highest; /* order so far */
	/* window */
	uint64_t in_window; /* rows and TRUNCATEs */
	int64_t window_start_us;
	/* input */
	bool saw_checkpoint;
	bool ends_final; /* the last record was a final CHECKPOINT */
	bool cut_off; /* some input was not closed by the program that wrote it */
	uint64_t records_in, rows_in, rows_out, controls_dropped, windows, truncates;
	uint64_t bytes_in;
};

static int64_t monotonic_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* ------------------------------------------------------------------ order */

/* The order field of a record: 1, 0 when it has none, CDC_EDATA when it is no integer. */
static int read_order(const struct run *r, const struct cdc_record *rec, int64_t *order,
		      struct cdc_err *err)
{
	const struct cdc_tape *t = rec->tape;
	uint32_t v;
	bool ok = false;

	if (r->by_id) {
		*order = rec->id;
		return rec->has_id;
	}
	v = cdc_json_get(t, 0, r->o.order);
	if (v == CDC_JSON_NONE || t->tok[v].type == CDC_JSON_NULL)
		return 0;
	if (t->tok[v].type == CDC_JSON_NUMBER)
		ok = cdc_json_int64(t, v, order);
	else if (t->tok[v].type == CDC_JSON_STRING)
		ok = cdc_int64_parse(cdc_json_raw(t, v), order) == CDC_PARSE_OK;
	return ok ? 1 : cdc_fail(err, CDC_EDATA, "\"%s\" is no integer", r->o.order);
}

/* Order of a row or TRUNCATE: the field, or for input that has none throughout the arrival. */
static int row_order(struct run *r, const struct cdc_record *rec, int64_t *order,
		     struct cdc_err *err)
{
	int has = read_order(r, rec, order, err);

	if (has < 0)
		return has;
	if (r->has_order == ORDER_UNKNOWN)
		r->has_order = has ? ORDER_FIELD : ORDER_ARRIVAL;
	if (has && r->has_order == ORDER_ARRIVAL)
		return cdc_fail(err, CDC_EDATA,
				"the record has \"%s\", but the ones before have not", r->o.order);
	if (!has && r->has_order == ORDER_FIELD)
		return cdc_fail(err, CDC_EDATA,
				"the record lacks \"%s\", but the ones before have it", r->o.order);
	if (!has)
		*order = 0;
	if (*order > r->highest)
		r->highest = *order;
	return CDC_OK;
}

/*
 * Order of a control record that has none itself: behind all that came before it. The first SCHEMA
 * of a table goes to the front of the window, since rows of the table may sort before those.
 */
static int control_order(struct run *r, const struct cdc_record *rec, bool front, int64_t *order,
			 struct cdc_err *err)
{
	int has = front ? 0 : read_order(r, rec, order, err);

	if (has < 0)
		return has;
	if (!has || r->has_order == ORDER_ARRIVAL)
		*order = front ? INT64_MIN : r->highest;
	return CDC_OK;
}

/* ------------------------------------------------------------------ windows */

static int put(void *ctx, struct cdc_str lines, struct cdc_err *err)
{
	struct run *r = ctx;

	return cdc_writer_put(&r->c.out, lines.p, lines.n, err);
}

static int put_checkpoint(struct run *r, bool final, struct cdc_err *err)
{
	int rc;

	cdc_buf_reset(&r->line);
	rc = cdc_positions_print(&r->positions, final, &r->line, err);
	return rc ? rc : cdc_writer_put(&r->c.out, r->line.p, r->line.len, err);
}

static int flush_window(struct run *r, struct cdc_err *err)
{
	struct cdc_net_counts n;
	int rc;

	if (!cdc_net_count(r->net))
		return CDC_OK;
	rc = cdc_net_emit(r->net, put, r, &n, err);
	r->rows_out += n.records_out;
	r->truncates += n.truncates;
	r->windows++;
	r->in_window = 0;
	return rc;
}

/* A window in the midst of the input: what it consumed is told, and the reader gets it now. */
static int end_window(struct run *r, struct cdc_err *err)
{
	int rc = flush_window(r, err);

	if (!rc)
		rc = put_checkpoint(r, false, err);
	return rc ? rc : cdc_writer_flush(&r->c.out, err);
}

static int64_t window_left_us(const struct run *r)
{
	return (int64_t)r->o.window_time * 1000000 - (monotonic_us() - r->window_start_us);
}

/* End the window if it is full. `clock`: also if it is old. */
static int check_window(struct run *r, bool clock, struct cdc_err *err)
{
	if (!r->in_window)
		return CDC_OK;
	if (r->o.window && r->in_window >= (uint64_t)r->o.window)
		return end_window(r, err);
	if (r->o.window_time && clock && window_left_us(r) <= 0)
		return end_window(r, err);
	return CDC_OK;
}

/* A window ends on time even while no record comes. */
static int wait_for_input(struct run *r, const struct cdc_reader *in, struct cdc_err *err)
{
	struct pollfd p = { .fd = in->fd, .events = POLLIN };

	if (!r->o.window_time || !r->in_window || cdc_reader_buffered(in))
		return CDC_OK;
	for (;;) {
		int64_t left = window_left_us(r);
		int n = left <= 0 ? 0
				  : poll(&p, 1, left > 60000000 ? 60000 : (int)(left / 1000) + 1);

		if (left <= 0)
			return end_window(r, err);
		if (n > 0 || (n < 0 && errno == EINTR && r->c.io->interrupted(r->c.io->ctx)))
			return CDC_OK;
		if (n < 0 && errno != EINTR)
			return cdc_fail_errno(err, errno, "cannot wait for %s", in->name);
	}
}

/* ------------------------------------------------------------------ records */

static int take_row(struct run *r, const struct cdc_record *rec, uint64_t line, struct cdc_err *err)
{
	int64_t order;
	int rc = row_order(r, rec, &order, err);

	if (!rc)
		rc = cdc_net_add(r->net, rec, order, line, err);
	if (rc)
		return rc;
	r->rows_in++;
	if (!r->in_window++ && r->o.window_time)
		r->window_start_us = monotonic_us();
	return CDC_OK;
}

/* Records before a change of the primary key fold by the old one. */
static int take_schema(struct run *r, const struct cdc_record *rec, struct cdc_err *err)
{
	int64_t order;
	bool first;
	int rc = cdc_textkey_changes(&r->key, rec) ? flush_window(r, err) : CDC_OK;

	if (!rc)
		rc = cdc_textkey_learn(&r->key, rec, &first, err);
	if (!rc)
		rc = control_order(r, rec, first, &order, err);
	return rc ? rc : cdc_net_add_control(r->net, rec, order, err);
}

static int take_checkpoint(struct run *r, const struct cdc_record *rec, struct cdc_err *err)
{
	r->saw_checkpoint = true;
	r->ends_final = rec->final;
	return cdc_positions_checkpoint(&r->positions, rec, err);
}

static int take_record(struct run *r, const struct cdc_record *rec, uint64_t line,
		       struct cdc_err *err)
{
	int64_t order;
	int rc;

	r->ends_final = false;
	switch (rec->type) {
	case CDC_RECORD_SCHEMA:
		return take_schema(r, rec, err);
	case CDC_RECORD_DDL:
		rc = control_order(r, rec, false, &order, err);
		return rc ? rc : cdc_net_add_control(r->net, rec, order, err);
	case CDC_RECORD_CHECKPOINT:
		return take_checkpoint(r, rec, err);
	case CDC_RECORD_BEGIN:
	case CDC_RECORD_COMMIT:
		/* Where a transaction ends means nothing once its records are folded. */
		r->controls_dropped++;
		return CDC_OK;
	case CDC_RECORD_INIT:
	case CDC_RECORD_INSERT:
	case CDC_RECORD_UPDATE:
	case CDC_RECORD_DELETE:
	case CDC_RECORD_TRUNCATE:
	case CDC_RECORD_TYPES:
		break;
	}
	return take_row(r, rec, line, err);
}

/* For the reason that is in err. */
static int reject_line(struct run *r, const struct cdc_reader *in, struct cdc_str line,
		       struct cdc_err *err)
{
	struct cdc_err why = *err;
	struct cmd_rejected rejected = {
		.reason = why.msg,
		.file = in->name,
		.line = in->line,
		.raw = line,
	};

	*err = (struct cdc_err)CDC_ERR_INIT;
	return cmd_reject(&r->c, &rejected, err);
}

/* A record that is a reject was consumed all the same: its position counts. */
static int take_line(struct run *r, struct cdc_reader *in, struct cdc_str line, struct cdc_err *err)
{
	struct cdc_record rec = { .has_position = false };
	int rc = cdc_record_parse(&rec, &r->tape, line, err);
	bool parsed = !rc;

	r->records_in++;
	if (parsed)
		rc = take_record(r, &rec, in->line, err);
	if (rc == CDC_EDATA)
		rc = reject_line(r, in, line, err);
	if (!rc && parsed && rec.has_position)
		rc = cdc_positions_note(&r->positions, &rec.position, err);
	return rc;
}

/* ------------------------------------------------------------------ input */

/* The next line, without the CR that some writers put before the LF. Lines that are too long are
 * rejects; empty ones are skipped. */
static int next_line(struct run *r, struct cdc_reader *in, struct cdc_str *line,
		     struct cdc_err *err)
{
	for (;;) {
		int rc = wait_for_input(r, in, err);

		if (!rc)
			rc = cdc_reader_line(in, line, NULL, err);
		if (rc == CDC_EDATA) {
			rc = reject_line(r, in, CDC_STR(""), err);
			if (!rc)
				continue;
		}
		if (rc)
			return rc;
		if (line->n && line->p[line->n - 1] == '\r')
			line->n--;
		if (line->n)
			return CDC_OK;
	}
}

/*
 * How an input ended. One that has CHECKPOINTs comes from a program that closes its output with a
 * final one; without it that program died, and what follows must not look complete.
 */
static int input_ended(struct run *r, const struct cdc_reader *in, struct cdc_err *err)
{
	if (r->ends_final)
		return CDC_OK;
	if (r->o.require_final) {
		cdc_fail(err, CDC_EDATA, "the input was cut off: it has no final CHECKPOINT");
		cdc_err_file(err, in->name);
		return CDC_EDATA;
	}
	if (r->saw_checkpoint) {
		r->cut_off = true;
		cmd_warn(&r->c, "%s: the input was cut off: its last CHECKPOINT is not final",
			 in->name);
	}
	return CDC_OK;
}

static int fold_input(struct run *r, struct cdc_reader *in, struct cdc_err *err)
{
	uint64_t before = r->bytes_in;
	struct cdc_str line;
	int rc;

	r->saw_checkpoint = r->ends_final = false;
	while (!(rc = next_line(r, in, &line, err))) {
		rc = take_line(r, in, line, err);
		if (!rc)
			rc = check_window(r, r->records_in % CLOCK_EVERY == 0, err);
		if (rc)
			return rc;
		r->bytes_in = before + cdc_reader_offset(in);
		cmd_progress(&r->c, r->records_in, r->bytes_in);
	}
	return rc == CDC_END ? input_ended(r, in, err) : rc;
}

static int fold_all(struct run *r, int n, char **operand, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; !rc && i < cmd_input_count(n); i++) {
		struct cdc_reader in;

		rc = cmd_input_open(&r->c, &in, n, operand, i, err);
		if (rc)
			return rc;
		if (!i)
			cmd_progress_start(&r->c, n <= 1 ? in.size : 0);
		rc = fold_input(r, &in, err);
		cdc_reader_close(&in);
	}
	if (!rc)
		rc = flush_window(r, err);
	if (!rc)
		rc = put_checkpoint(r, !r->cut_off, err);
	return rc ? rc : cmd_output_done(&r->c, err);
}

/* ------------------------------------------------------------------ start and end */

static int check_options(const struct options *o, const struct cmd_common *c, struct cdc_err *err)
{
	if (o->window < 0)
		return cdc_fail(err, CDC_EUSAGE, "--window: a window has at least one record");
	if (!*o->order)
		return cdc_fail(err, CDC_EUSAGE, "--order: the name of the field is empty");
	if (o->window_time > 10u * 365 * 86400)
		return cdc_fail(err, CDC_EUSAGE, "--window-time: more than ten years");
	if (c->memory && c->memory < MIN_MEMORY_BYTES)
		return cdc_fail(err, CDC_EUSAGE, "--memory: at least 8M is needed");
	return CDC_OK;
}

static int start(struct run *r, struct cdc_err *err)
{
	struct cdc_net_options no = {
		.io = r->c.io,
		.key_of = cdc_textkey_of,
		.is_key = cdc_textkey_is_key,
		.key_ctx = &r->key,
		.memory_bytes = r->c.opt.memory ? r->c.opt.memory - OWN_MEMORY_BYTES : 0,
		.tmpdir = r->c.opt.tmpdir,
		.spill = true,
	};
	size_t n = 0;
	int rc = check_options(&r->o, &r->c.opt, err);

	/* What is freed between windows and passes goes back to the system, and not to the heap,
	 * where --memory would be passed by what is kept there. */
	mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
	if (!rc && r->o.key) {
		r->key_columns = opt_split(r->o.key, &n);
		if (!r->key_columns)
			rc = cdc_fail(err, CDC_EUSAGE, "--key: \"%s\" is not a list of columns",
				      r->o.key);
		else
			rc = cdc_textkey_set(&r->key, (const char *const *)r->key_columns, n, err);
	}
	if (!rc)
		rc = cdc_net_new(&r->net, &no, err);
	return rc ? rc : cmd_output_open(&r->c, err);
}

static void stats(struct run *r)
{
	cmd_stat_int(&r->c, "records_in", r->records_in);
	cmd_stat_int(&r->c, "rows_in", r->rows_in);
	cmd_stat_int(&r->c, "rows_out", r->rows_out);
	cmd_stat_int(&r->c, "truncates", r->truncates);
	cmd_stat_int(&r->c, "transaction_marks_dropped", r->controls_dropped);
	cmd_stat_int(&r->c, "windows", r->windows);
	cmd_stat_int(&r->c, "bytes_in", r->bytes_in);
}

int main(int argc, char **argv)
{
	struct run r = { .o = { .order = "recordID" },
			 .key = CDC_TEXTKEY_INIT,
			 .positions = CDC_POSITIONS_INIT,
			 .highest = INT64_MIN };
	struct cdc_err err = CDC_ERR_INIT;
	int n = cmd_start(&r.c, &program, &r.o, argc, argv);
	int rc;

	if (n < 0)
		return cmd_exit(&r.c);
	r.by_id = !strcmp(r.o.order, "recordID");
	rc = start(&r, &err);
	if (!rc)
		rc = fold_all(&r, n, argv + 1, &err);
	stats(&r);
	cdc_net_free(r.net);
	cdc_textkey_free(&r.key);
	cdc_positions_free(&r.positions);
	cdc_tape_free(&r.tape);
	cdc_buf_free(&r.line);
	free(r.key_columns);
	if (rc < 0)
		cmd_error(&r.c, &err);
	return cmd_exit(&r.c);
}
