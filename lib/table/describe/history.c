/*
 * The history of a table as rows. See history.h.
 */
#include "table/describe/history.h"

#include "base/json.h"
#include "table/describe/describe_json.h"

#include <errno.h>
#include <stdlib.h>

enum {
	VERSION,
	TIMESTAMP,
	OPERATION,
	ENGINE,
	USER,
	READ_VERSION,
	BLIND,
	FILES_ADDED,
	FILES_REMOVED,
	PARAMETERS,
	METRICS,
	NUM_COLUMNS
};

/* The columns that fit a terminal. */
#define NARROW_COLUMNS USER
#define RELIST_MAX 3 /* the log may be cleaned up while it is read */

/* The names of the columns are those of the commitInfo's members, where they are some. */
static const struct cdc_field columns[NUM_COLUMNS] = {
	[VERSION] = { .name = CDC_STR("version"), .type = CDC_TYPE_LONG },
	[TIMESTAMP] = { .name = CDC_STR("timestamp"), .type = CDC_TYPE_TIMESTAMP },
	[OPERATION] = { .name = CDC_STR("operation"), .type = CDC_TYPE_STRING },
	[ENGINE] = { .name = CDC_STR("engineInfo"), .type = CDC_TYPE_STRING },
	[USER] = { .name = CDC_STR("userName"), .type = CDC_TYPE_STRING },
	[READ_VERSION] = { .name = CDC_STR("readVersion"), .type = CDC_TYPE_STRING },
	[BLIND] = { .name = CDC_STR("isBlindAppend"), .type = CDC_TYPE_STRING },
	[FILES_ADDED] = { .name = CDC_STR("filesAdded"), .type = CDC_TYPE_LONG },
	[FILES_REMOVED] = { .name = CDC_STR("filesRemoved"), .type = CDC_TYPE_LONG },
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
	struct cdc_buf path;
	struct cdc_buf commit;
	struct cdc_buf text; /* values of one commit, one after the other */
};

/* What is told of one commit. */
struct entry {
	int64_t version;
	int64_t timestamp_us;
	struct cdc_str info; /* the commitInfo's JSON; p == NULL: none */
	int64_t added;
	int64_t removed;
};

/* ------------------------------------------------------------------ one commit */

/* A document of a commit: usually one action. */
static void look_at(const struct cdc_tape *t, struct entry *e)
{
	uint32_t v;

	if (t->tok[0].type != CDC_JSON_OBJECT)
		return;
	for (uint32_t i = cdc_json_first(t, 0); i != CDC_JSON_NONE; i = cdc_json_after(t, 0, i)) {
		bool object = t->tok[i + 1].type == CDC_JSON_OBJECT;

		e->added += object && cdc_json_is(t, i, CDC_STR("add"));
		e->removed += object && cdc_json_is(t, i, CDC_STR("remove"));
	}
	v = cdc_json_get(t, 0, "commitInfo");
	if (v != CDC_JSON_NONE && t->tok[v].type == CDC_JSON_OBJECT && !e->info.p)
		e->info = cdc_json_source(t, v);
}

static int parse_commit(struct history *h, struct entry *e, struct cdc_err *err)
{
	struct cdc_str rest = cdc_buf_str(&h->commit);
	size_t used;
	int rc = CDC_OK;

	while (rc == CDC_OK && rest.n) {
		rc = cdc_json_scan(&h->tape, rest, &used, err);
		if (rc != CDC_OK)
			break;
		look_at(&h->tape, e);
		rest = cdc_str(rest.p + used, rest.n - used);
	}
	if (rc == CDC_EDATA) {
		rc = err->code = CDC_ECORRUPT;
		err->offset += (uint64_t)(rest.p - h->commit.p);
		cdc_err_file(err, h->path.p);
	}
	return rc < 0 ? rc : CDC_OK;
}

static int read_commit(struct history *h, struct entry *e, struct cdc_err *err)
{
	int rc;

	cdc_buf_reset(&h->path);
	cdc_buf_reset(&h->commit);
	rc = cdc_buf_printf(&h->path, err, "%s/_delta_log/%020lld.json", h->table,
			    (long long)e->version);
	if (rc == CDC_OK && !cdc_buf_z(&h->path))
		rc = cdc_fail_nomem(err);
	if (rc == CDC_OK)
		rc = cdc_io_read_file(h->io, h->path.p, &h->commit, err);
	return rc < 0 ? rc : parse_commit(h, e, err);
}

/* ------------------------------------------------------------------ printing */

/* The value of column i as one line of JSON, at the end of h->text; "null" when it is not told. The
 * tape is that of the commitInfo. */
static int put_value(struct history *h, const struct entry *e, int i, struct cdc_err *err)
{
	uint32_t v;
	size_t from = h->text.len;
	int rc;

	if (i == FILES_ADDED || i == FILES_REMOVED)
		return cdc_buf_printf(&h->text, err, "%lld",
				      (long long)(i == FILES_ADDED ? e->added : e->removed));
	v = e->info.p ? cdc_json_get(&h->tape, 0, columns[i].name.p) : CDC_JSON_NONE;
	rc = cdc_buf_put(&h->text,
			 v == CDC_JSON_NONE ? CDC_STR("null") : cdc_json_source(&h->tape, v), err);
	cdc_json_to_line(&h->text, from);
	return rc;
}

static int print_json(struct history *h, const struct entry *e, struct cdc_err *err)
{
	char time[CDC_VALUE_TEXT_MAX];
	size_t n = cdc_timestamp_format_fixed(e->timestamp_us, 'T', true, 3, time);
	int rc = cdc_buf_printf(&h->text, err, "{\"version\":%lld,\"timestamp\":\"%.*s\"",
				(long long)e->version, (int)n, time);

	for (int i = OPERATION; rc == CDC_OK && i < NUM_COLUMNS; i++) {
		rc = cdc_buf_printf(&h->text, err, ",\"%s\":", columns[i].name.p);
		if (rc == CDC_OK)
			rc = put_value(h, e, i, err);
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

/* Values of strings are slices of h->text, which must not grow any more. */
static void set_column(struct history *h, const struct entry *e, int i, const size_t *end,
		       struct cdc_str *value, struct cdc_column *c)
{
	static const uint8_t null[1] = { 0 };
	bool told;

	*c = (struct cdc_column){ .field = &columns[i] };
	if (i == VERSION) {
		c->values = &e->version;
	} else if (i == TIMESTAMP) {
		c->values = &e->timestamp_us;
	} else if (i == FILES_ADDED) {
		c->values = &e->added;
	} else if (i == FILES_REMOVED) {
		c->values = &e->removed;
	} else {
		h->text.len = end[i];
		told = !cdc_str_eqz(cdc_str(h->text.p + end[i - 1], end[i] - end[i - 1]), "null");
		*value = plain(&h->text, end[i - 1]);
		c->values = value;
		c->valid = told ? NULL : null;
	}
}

static int print_row(struct history *h, const struct entry *e, struct cdc_err *err)
{
	struct cdc_column column[NUM_COLUMNS];
	struct cdc_str value[NUM_COLUMNS];
	struct cdc_batch row = { .rows = 1, .num_columns = h->num_columns, .column = column };
	size_t end[NUM_COLUMNS] = { 0 };
	int rc = CDC_OK;

	for (int i = OPERATION; rc == CDC_OK && i < h->num_columns; i++) {
		rc = put_value(h, e, i, err);
		end[i] = h->text.len;
	}
	if (rc < 0)
		return rc;
	for (int i = 0; i < h->num_columns; i++)
		set_column(h, e, i, end, &value[i], &column[i]);
	return cdc_printer_batch(h->printer, &row, err);
}

static int print_commit(struct history *h, int64_t version, int64_t timestamp_ms,
			struct cdc_err *err)
{
	struct entry e = { .version = version };
	struct cdc_err why = CDC_ERR_INIT;
	int rc = read_commit(h, &e, &why);

	if (rc == CDC_EIO && why.sys_errno == ENOENT)
		return CDC_END; /* cleaned up in the meantime */
	if (rc < 0) {
		*err = why;
		return rc;
	}
	if (__builtin_mul_overflow(timestamp_ms, 1000, &e.timestamp_us))
		e.timestamp_us = 0;
	if (e.info.p)
		rc = cdc_json_scan(&h->tape, e.info, NULL, err);
	cdc_buf_reset(&h->text);
	if (rc == CDC_OK)
		rc = h->printer ? print_row(h, &e, err) : print_json(h, &e, err);
	return rc;
}

static int print_all(struct history *h, const struct cdc_log_times *t, int64_t limit,
		     struct cdc_err *err)
{
	int rc = CDC_OK;

	for (size_t n = t->n; rc >= 0 && n > 0 && limit; n--) {
		rc = h->io->interrupted(h->io->ctx)
			     ? cdc_fail(err, CDC_EINTR, "interrupted")
			     : print_commit(h, t->version[n - 1], t->timestamp_ms[n - 1], err);
		limit -= rc == CDC_OK && limit > 0;
	}
	return rc < 0 ? rc : CDC_OK;
}

static int read_times(const struct cdc_io *io, const struct cdc_snapshot *s,
		      struct cdc_log_times *t, struct cdc_err *err)
{
	struct cdc_err why = CDC_ERR_INIT;
	int rc, tries = 0;

	do {
		why = (struct cdc_err)CDC_ERR_INIT;
		rc = cdc_log_times(io, s, t, &why);
	} while (rc == CDC_EIO && why.sys_errno == ENOENT && ++tries < RELIST_MAX);
	if (rc < 0)
		*err = why;
	return rc;
}

int cdc_history_print(const struct cdc_io *io, const struct cdc_snapshot *s, int64_t limit,
		      enum cdc_print_format format, struct cdc_writer *out, struct cdc_err *err)
{
	struct history h = { .io = io, .table = s->table, .out = out, .tape = CDC_TAPE_INIT };
	const struct cdc_field *field[NUM_COLUMNS];
	struct cdc_log_times times;
	int rc = read_times(io, s, &times, err);

	if (rc < 0)
		return rc;
	h.num_columns = format == CDC_PRINT_TABLE ? NARROW_COLUMNS : NUM_COLUMNS;
	for (int i = 0; i < NUM_COLUMNS; i++)
		field[i] = &columns[i];
	if (format != CDC_PRINT_NDJSON)
		rc = cdc_printer_new(&h.printer, format, field, h.num_columns, out, err);
	if (rc == CDC_OK)
		rc = print_all(&h, &times, limit, err);
	if (rc == CDC_OK && h.printer)
		rc = cdc_printer_finish(h.printer, err);
	cdc_printer_free(h.printer);
	cdc_log_times_free(&times);
	cdc_buf_free(&h.text);
	cdc_buf_free(&h.commit);
	cdc_buf_free(&h.path);
	cdc_tape_free(&h.tape);
	return rc;
}

int cdc_history_print_log(const struct cdc_io *io, const char *table, int64_t version,
			  int64_t limit, enum cdc_print_format format, struct cdc_writer *out,
			  struct cdc_err *err)
{
	struct cdc_snapshot s = { .version = version < 0 ? INT64_MAX : version };
	int rc;

	s.table = strdup(table);
	if (!s.table)
		return cdc_fail_nomem(err);
	rc = cdc_history_print(io, &s, limit, format, out, err);
	free(s.table);
	return rc;
}
