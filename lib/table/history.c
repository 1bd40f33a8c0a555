/*
 * The history of a table as rows. See history.h.
 */
#include "table/history.h"

#include "base/json.h"
#include "table/describe_json.h"

#include <stdlib.h>

enum { VERSION, TIMESTAMP, OPERATION, ENGINE, PARAMETERS, METRICS, NUM_COLUMNS };

/* The columns that fit a terminal: those before the parameters. */
#define NARROW_COLUMNS PARAMETERS

static const struct cdc_field columns[NUM_COLUMNS] = {
	[VERSION] = { .name = CDC_STR("version"), .type = CDC_TYPE_LONG },
	[TIMESTAMP] = { .name = CDC_STR("timestamp"), .type = CDC_TYPE_TIMESTAMP },
	[OPERATION] = { .name = CDC_STR("operation"), .type = CDC_TYPE_STRING },
	[ENGINE] = { .name = CDC_STR("engineInfo"), .type = CDC_TYPE_STRING },
	[PARAMETERS] = { .name = CDC_STR("operationParameters"), .type = CDC_TYPE_STRING },
	[METRICS] = { .name = CDC_STR("operationMetrics"), .type = CDC_TYPE_STRING },
};

struct history {
	const struct cdc_io *io;
	const char *table;
	struct cdc_writer *out;
	struct cdc_printer *printer; /* NULL for NDJSON */
	int num_columns;
	struct cdc_tape tape;
	struct cdc_buf text; /* values of one commit, one after the other */
};

/* One line of JSON for member `key` of the commitInfo, at the end of h->text; "null" without it. */
static int put_member(struct history *h, const char *key, struct cdc_err *err)
{
	uint32_t v = h->tape.n ? cdc_json_get(&h->tape, 0, key) : CDC_JSON_NONE;
	size_t from = h->text.len;
	int rc = cdc_buf_put(
		&h->text, v == CDC_JSON_NONE ? CDC_STR("null") : cdc_json_source(&h->tape, v), err);

	cdc_json_to_line(&h->text, from);
	return rc;
}

static int print_json(struct history *h, const struct cdc_commit_actions *a, struct cdc_err *err)
{
	char time[CDC_VALUE_TEXT_MAX];
	size_t n = cdc_timestamp_format_fixed(a->timestamp_ms * 1000, 'T', true, 3, time);
	int rc = cdc_buf_printf(&h->text, err, "{\"version\":%lld,\"timestamp\":\"%.*s\"",
				(long long)a->version, (int)n, time);

	for (int i = OPERATION; rc == CDC_OK && i < NUM_COLUMNS; i++) {
		rc = cdc_buf_printf(&h->text, err, ",\"%s\":", columns[i].name.p);
		if (rc == CDC_OK)
			rc = put_member(h, columns[i].name.p, err);
	}
	if (rc == CDC_OK)
		rc = cdc_buf_puts(&h->text, "}\n", err);
	return rc < 0 ? rc : cdc_writer_put(h->out, h->text.p, h->text.len, err);
}

/* The text of a JSON string; other JSON is its own text. */
static struct cdc_str plain(struct cdc_buf *text, size_t from)
{
	char *p = text->p + from;
	size_t n = text->len - from;

	if (n < 2 || p[0] != '"')
		return cdc_str(p, n);
	return cdc_str(p + 1, cdc_json_unescape(cdc_str(p + 1, n - 2), p + 1));
}

static int print_row(struct history *h, const struct cdc_commit_actions *a, struct cdc_err *err)
{
	int64_t time_us = a->timestamp_ms * 1000;
	struct cdc_column column[NUM_COLUMNS];
	struct cdc_str value[NUM_COLUMNS];
	struct cdc_batch row = { .rows = 1, .num_columns = h->num_columns, .column = column };
	static const uint8_t null[1] = { 0 };
	size_t end[NUM_COLUMNS] = { 0 };
	int rc = CDC_OK;

	for (int i = OPERATION; rc == CDC_OK && i < h->num_columns; i++) {
		rc = put_member(h, columns[i].name.p, err);
		end[i] = h->text.len;
	}
	if (rc < 0)
		return rc;
	column[VERSION] = (struct cdc_column){ &columns[VERSION], &a->version, NULL, NULL };
	column[TIMESTAMP] = (struct cdc_column){ &columns[TIMESTAMP], &time_us, NULL, NULL };
	for (int i = OPERATION; i < h->num_columns; i++) {
		h->text.len = end[i];
		value[i] = plain(&h->text, end[i - 1]);
		column[i] =
			(struct cdc_column){ &columns[i], &value[i],
					     cdc_str_eqz(value[i], "null") ? null : NULL, NULL };
	}
	return cdc_printer_batch(h->printer, &row, err);
}

static int print_commit(struct history *h, int64_t version, struct cdc_err *err)
{
	struct cdc_commit_actions a;
	int rc = cdc_commit_read(h->io, h->table, version, &a, err);

	if (rc) /* CDC_END: cleaned up in the meantime */
		return rc;
	h->tape.n = 0;
	cdc_buf_reset(&h->text);
	if (a.timestamp_ms > INT64_MAX / 1000 || a.timestamp_ms < INT64_MIN / 1000)
		a.timestamp_ms = 0;
	if (a.commit_info.p)
		rc = cdc_json_scan(&h->tape, a.commit_info, NULL, err);
	if (rc == CDC_OK)
		rc = h->printer ? print_row(h, &a, err) : print_json(h, &a, err);
	cdc_commit_actions_free(&a);
	return rc;
}

static int print_all(struct history *h, int64_t version, int64_t limit, struct cdc_err *err)
{
	int64_t *versions = NULL;
	size_t n = 0;
	int rc = cdc_log_versions(h->io, h->table, &versions, &n, err);

	while (rc >= 0 && n > 0 && limit) {
		int64_t v = versions[--n];

		if (version >= 0 && v > version)
			continue;
		rc = h->io->interrupted(h->io->ctx) ? cdc_fail(err, CDC_EINTR, "interrupted")
						    : print_commit(h, v, err);
		limit -= rc == CDC_OK && limit > 0;
	}
	free(versions);
	return rc < 0 ? rc : CDC_OK;
}

int cdc_history_print(const struct cdc_io *io, const char *table, int64_t version, int64_t limit,
		      enum cdc_print_format format, struct cdc_writer *out, struct cdc_err *err)
{
	struct history h = {
		.io = io, .table = table, .out = out, .tape = CDC_TAPE_INIT, .text = CDC_BUF_INIT
	};
	const struct cdc_field *field[NUM_COLUMNS];
	int rc = CDC_OK;

	h.num_columns = format == CDC_PRINT_TABLE ? NARROW_COLUMNS : NUM_COLUMNS;
	for (int i = 0; i < NUM_COLUMNS; i++)
		field[i] = &columns[i];
	if (format != CDC_PRINT_NDJSON)
		rc = cdc_printer_new(&h.printer, format, field, h.num_columns, out, err);
	if (rc == CDC_OK)
		rc = print_all(&h, version, limit, err);
	if (rc == CDC_OK && h.printer)
		rc = cdc_printer_finish(h.printer, err);
	cdc_printer_free(h.printer);
	cdc_buf_free(&h.text);
	cdc_tape_free(&h.tape);
	return rc;
}
