/*
 * The public interface (cdc.h) over merge, scan and print: plain types, copied arguments, errors
 * that stay. No algorithm is here.
 */
#include "cdc.h"

#include "delta/log.h"
#include "table/describe/describe.h"
#include "table/merge/merge.h"
#include "table/print/print.h"
#include "table/scan/scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_STREAM "cdc"

_Static_assert((int)CDC_ERROR_USAGE == (int)CDC_EUSAGE && (int)CDC_ERROR_DATA == (int)CDC_EDATA &&
		       (int)CDC_ERROR_IO == (int)CDC_EIO &&
		       (int)CDC_ERROR_MEMORY == (int)CDC_ENOMEM &&
		       (int)CDC_ERROR_CONFLICT == (int)CDC_ECONFLICT &&
		       (int)CDC_ERROR_CORRUPT == (int)CDC_ECORRUPT &&
		       (int)CDC_ERROR_UNSUPPORTED == (int)CDC_EUNSUPPORTED &&
		       (int)CDC_ERROR_INTERNAL == (int)CDC_EINTERNAL &&
		       (int)CDC_CURSOR_END == (int)CDC_END,
	       "the public numbers are those of the library");
_Static_assert((int)CDC_APPLY_AUTO == (int)CDC_MERGE_AUTO &&
		       (int)CDC_APPLY_DELETION_VECTORS == (int)CDC_MERGE_DV &&
		       (int)CDC_APPLY_COPY_ON_WRITE == (int)CDC_MERGE_COW &&
		       (int)CDC_APPLY_BY_KAFKA_POSITION == (int)CDC_POSITION_KAFKA &&
		       (int)CDC_APPLY_BY_RECORD_ID == (int)CDC_POSITION_RECORD_ID &&
		       (int)CDC_APPLY_BY_NOTHING == (int)CDC_POSITION_NONE &&
		       (int)CDC_APPLY_TRUNCATE == (int)CDC_TRUNCATE_APPLY &&
		       (int)CDC_APPLY_TRUNCATE_IGNORE == (int)CDC_TRUNCATE_IGNORE &&
		       (int)CDC_APPLY_TRUNCATE_FAIL == (int)CDC_TRUNCATE_FAIL,
	       "the public choices are those of the library");

const char *cdc_version_string(void)
{
	return CDC_VERSION;
}

/* Hand an error out. Returns its code. */
static int give_error(const struct cdc_err *err, struct cdc_error *out)
{
	int code = err->code == CDC_EINTR ? CDC_ERROR_IO : (int)err->code;

	if (out) {
		out->code = code;
		out->system_error = err->sys_errno;
		snprintf(out->message, sizeof(out->message), "%s%s%s", err->file,
			 err->file[0] ? ": " : "", err->msg);
	}
	return code;
}

/* ------------------------------------------------------------------ applying */

struct cdc_apply {
	struct cdc_apply_options opt; /* its strings and lists are in the arena */
	struct cdc_arena arena;
	struct cdc_merge *merge;
	uint64_t number; /* of the record that was put last */
	struct cdc_err failed; /* code CDC_OK: not failed */
};

static int copy_string(struct cdc_arena *a, const char **s, struct cdc_err *err)
{
	if (!*s)
		return CDC_OK;
	*s = cdc_arena_dupz(a, cdc_str_z(*s));
	return *s ? CDC_OK : cdc_fail_nomem(err);
}

static int copy_list(struct cdc_arena *a, const char *const **list, struct cdc_err *err)
{
	const char **copy;
	size_t n = 0;

	if (!*list)
		return CDC_OK;
	while ((*list)[n])
		n++;
	copy = cdc_arena_calloc(a, n + 1, sizeof(*copy));
	if (!copy)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		copy[i] = (*list)[i];
		if (copy_string(a, &copy[i], err))
			return err->code;
	}
	*list = copy;
	return CDC_OK;
}

/* A caller that was built with another version of the header knows fewer members, or more. */
static int copy_options(struct cdc_apply *a, const struct cdc_apply_options *opt,
			struct cdc_err *err)
{
	const unsigned char *bytes = (const unsigned char *)opt;
	struct cdc_apply_options *o = &a->opt;

	if (!opt || opt->size < offsetof(struct cdc_apply_options, schema))
		return cdc_fail(err, CDC_EUSAGE, "options are not initialised");
	memcpy(o, opt, opt->size < sizeof(*o) ? opt->size : sizeof(*o));
	for (size_t i = sizeof(*o); i < opt->size; i++)
		if (bytes[i])
			return cdc_fail(err, CDC_EUSAGE,
					"an option is set that this version does not have");
	if (!o->table || !*o->table)
		return cdc_fail(err, CDC_EUSAGE, "no table given");
	if (o->mode < 0 || o->mode > CDC_APPLY_COPY_ON_WRITE || o->identity < 0 ||
	    o->identity > CDC_APPLY_BY_NOTHING || o->truncate < 0 ||
	    o->truncate > CDC_APPLY_TRUNCATE_FAIL || o->retries < 0)
		return cdc_fail(err, CDC_EUSAGE, "an option is out of range");
	if (copy_string(&a->arena, &o->table, err) || copy_string(&a->arena, &o->schema, err) ||
	    copy_string(&a->arena, &o->stream, err) || copy_list(&a->arena, &o->key, err) ||
	    copy_list(&a->arena, &o->partition_by, err) || copy_list(&a->arena, &o->property, err))
		return err->code;
	return CDC_OK;
}

static int on_reject(void *ctx, const char *reason, const char *file, uint64_t line,
		     struct cdc_str raw, struct cdc_err *err)
{
	const struct cdc_apply *a = ctx;
	struct cdc_apply_reject r = { reason, line, raw.p, raw.n };

	(void)file;
	if (a->opt.on_reject && a->opt.on_reject(a->opt.context, &r) == 0)
		return CDC_OK;
	return cdc_fail(err, CDC_EDATA, "record %llu: %s", (unsigned long long)line, reason);
}

static void on_commit(void *ctx, const struct cdc_merge_result *d)
{
	const struct cdc_apply *a = ctx;
	struct cdc_apply_result r = {
		.version = d->version,
		.records = d->records,
		.inserted = d->inserted,
		.updated = d->updated,
		.deleted = d->deleted,
		.files_added = d->files_added,
		.files_removed = d->files_removed,
		.bytes_added = d->bytes_added,
		.bytes_removed = d->bytes_removed,
		.deletion_vectors_added = d->dvs_added,
		.lost_commits = d->retries,
	};

	if (a->opt.on_commit)
		a->opt.on_commit(a->opt.context, &r);
}

static void on_warning(void *ctx, const char *text)
{
	const struct cdc_apply *a = ctx;

	if (a->opt.on_warning)
		a->opt.on_warning(a->opt.context, text);
}

static int new_merge(struct cdc_apply *a, struct cdc_err *err)
{
	const struct cdc_apply_options *o = &a->opt;
	struct cdc_merge_options mo = {
		.io = &cdc_io_posix,
		.table = o->table,
		.create = o->create != 0,
		.schema = o->schema,
		.key = o->key,
		.partition_by = o->partition_by,
		.property = o->property,
		.mode = (enum cdc_merge_mode)o->mode,
		.position = (enum cdc_merge_position)o->identity,
		.on_truncate = (enum cdc_on_truncate)o->truncate,
		.evolve = o->ignore_unknown_columns ? CDC_EVOLVE_IGNORE : CDC_EVOLVE_FAIL,
		.insert_only = o->insert_only != 0,
		.app_id = o->stream,
		.batch_records = o->batch_records,
		.batch_bytes = o->batch_bytes,
		.memory_bytes = o->memory_bytes,
		.retries = o->retries,
		.ctx = a,
		.on_reject = on_reject,
		.on_commit = on_commit,
		.on_warning = on_warning,
	};

	return cdc_merge_new(&a->merge, &mo, err);
}

int cdc_apply_open(struct cdc_apply **out, const struct cdc_apply_options *options,
		   struct cdc_error *error)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_apply *a = calloc(1, sizeof(*a));
	int rc;

	*out = NULL;
	if (!a) {
		cdc_fail_nomem(&err);
		return give_error(&err, error);
	}
	rc = copy_options(a, options, &err);
	if (!rc)
		rc = new_merge(a, &err);
	if (rc) {
		cdc_apply_close(a);
		return give_error(&err, error);
	}
	*out = a;
	return CDC_OK;
}

int cdc_apply_put(struct cdc_apply *a, const char *line, size_t length, struct cdc_error *error)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (a->failed.code)
		return give_error(&a->failed, error);
	if (length && line[length - 1] == '\n')
		length--;
	if (length && line[length - 1] == '\r')
		length--;
	a->number++;
	if (!length || !cdc_merge_line(a->merge, cdc_str(line, length), a->number, NULL, &err))
		return CDC_OK;
	a->failed = err;
	return give_error(&err, error);
}

int cdc_apply_commit(struct cdc_apply *a, struct cdc_error *error)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (a->failed.code)
		return give_error(&a->failed, error);
	if (!cdc_merge_finish(a->merge, &err))
		return CDC_OK;
	a->failed = err;
	return give_error(&err, error);
}

int64_t cdc_apply_version(const struct cdc_apply *a)
{
	return cdc_merge_version(a->merge);
}

uint64_t cdc_apply_skipped(const struct cdc_apply *a)
{
	return cdc_merge_counts(a->merge)->skipped;
}

void cdc_apply_close(struct cdc_apply *a)
{
	if (!a)
		return;
	cdc_merge_free(a->merge);
	cdc_arena_free(&a->arena);
	free(a);
}

/* ------------------------------------------------------------------ the table */

struct cdc_table {
	struct cdc_snapshot *snapshot;
	struct cdc_arena arena;
	const char **name; /* of the columns */
	struct cdc_buf description;
};

static int load_table(struct cdc_table *t, const char *path, int64_t version, struct cdc_err *err)
{
	const struct cdc_schema *s;
	int rc;

	if (!path || !*path || version < -1)
		return cdc_fail(err, CDC_EUSAGE, "no table given, or a negative version");
	rc = cdc_snapshot_load(&t->snapshot, &cdc_io_posix, path, version, err);
	if (rc)
		return rc;
	s = &t->snapshot->schema;
	t->name = cdc_arena_calloc(&t->arena, (size_t)s->num_fields + 1, sizeof(*t->name));
	if (!t->name)
		return cdc_fail_nomem(err);
	for (int i = 0; i < s->num_fields; i++) {
		t->name[i] = cdc_arena_dupz(&t->arena, s->field[i].name);
		if (!t->name[i])
			return cdc_fail_nomem(err);
	}
	return CDC_OK;
}

int cdc_table_open(struct cdc_table **out, const char *path, int64_t version,
		   struct cdc_error *error)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_table *t = calloc(1, sizeof(*t));

	*out = NULL;
	if (!t)
		cdc_fail_nomem(&err);
	else if (!load_table(t, path, version, &err)) {
		*out = t;
		return CDC_OK;
	}
	cdc_table_close(t);
	return give_error(&err, error);
}

void cdc_table_close(struct cdc_table *t)
{
	if (!t)
		return;
	cdc_snapshot_free(t->snapshot);
	cdc_arena_free(&t->arena);
	cdc_buf_free(&t->description);
	free(t);
}

int64_t cdc_table_version(const struct cdc_table *t)
{
	return t->snapshot->version;
}

size_t cdc_table_column_count(const struct cdc_table *t)
{
	return (size_t)t->snapshot->schema.num_fields;
}

const char *cdc_table_column_name(const struct cdc_table *t, size_t i)
{
	return i < cdc_table_column_count(t) ? t->name[i] : NULL;
}

/* Take `part` from the front of *s, if it is there. */
static bool take(struct cdc_str *s, const char *part)
{
	size_t n = strlen(part);

	if (s->n < n || memcmp(s->p, part, n) != 0)
		return false;
	*s = cdc_str(s->p + n, s->n - n);
	return true;
}

/* The appId is STREAM:TOPIC:PARTITION or STREAM:recordID, see cdc-table(5). */
int64_t cdc_table_position(const struct cdc_table *t, const char *stream, const char *topic,
			   int32_t partition)
{
	const struct cdc_snapshot *s = t->snapshot;
	char number[16];

	snprintf(number, sizeof(number), ":%d", (int)partition);
	for (size_t i = 0; i < s->num_txns; i++) {
		struct cdc_str id = s->txn[i].app_id;

		if (take(&id, stream ? stream : DEFAULT_STREAM) && take(&id, ":") &&
		    take(&id, topic ? topic : "recordID") && (!topic || take(&id, number)) && !id.n)
			return s->txn[i].version;
	}
	return -1;
}

int cdc_table_describe(struct cdc_table *t, const char **json, struct cdc_error *error)
{
	struct cdc_err err = CDC_ERR_INIT;
	int rc;

	*json = NULL;
	cdc_buf_reset(&t->description);
	rc = cdc_describe(&cdc_io_posix, t->snapshot, &t->description, &err);
	if (!rc && !(*json = cdc_buf_z(&t->description)))
		rc = cdc_fail_nomem(&err);
	return rc ? give_error(&err, error) : CDC_OK;
}

/* ------------------------------------------------------------------ rows */

struct cdc_cursor {
	struct cdc_scan *scan;
	struct cdc_printer *printer;
	struct cdc_writer writer;
	struct cdc_io sink; /* the writer's system: write() appends to text */
	struct cdc_buf text; /* the rows of one batch, a line each */
	size_t next; /* in text */
	struct cdc_arena arena;
	int *field; /* of the schema */
	const struct cdc_field **column;
	int num_columns;
	bool ended;
	struct cdc_err failed;
};

static ssize_t append_text(void *ctx, int fd, const void *p, size_t n)
{
	struct cdc_cursor *c = ctx;
	struct cdc_err err = CDC_ERR_INIT;

	(void)fd;
	if (!cdc_buf_append(&c->text, p, n, &err))
		return (ssize_t)n;
	errno = ENOMEM;
	return -1;
}

static int choose_columns(struct cdc_cursor *c, const struct cdc_schema *s,
			  const char *const *columns, struct cdc_err *err)
{
	size_t n = (size_t)s->num_fields;

	if (columns)
		for (n = 0; columns[n];)
			n++;
	if (n > INT32_MAX)
		return cdc_fail(err, CDC_EUSAGE, "too many columns");
	c->field = cdc_arena_calloc(&c->arena, n + 1, sizeof(*c->field));
	c->column = cdc_arena_calloc(&c->arena, n + 1, sizeof(*c->column));
	if (!c->field || !c->column)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		int f = columns ? cdc_schema_find(s, cdc_str_z(columns[i])) : (int)i;

		if (f < 0)
			return cdc_fail(err, CDC_EUSAGE, "the table has no column \"%s\"",
					columns[i]);
		c->field[i] = f;
		c->column[i] = &s->field[f];
	}
	c->num_columns = (int)n;
	return CDC_OK;
}

static int start_scan(struct cdc_cursor *c, const struct cdc_table *t, const char *const *columns,
		      struct cdc_err *err)
{
	struct cdc_scan_options so;

	if (choose_columns(c, &t->snapshot->schema, columns, err))
		return err->code;
	so = (struct cdc_scan_options){ .columns = c->field, .num_columns = c->num_columns };
	c->sink = cdc_io_posix;
	c->sink.ctx = c;
	c->sink.write = append_text;
	if (cdc_writer_init(&c->writer, &c->sink, -1, err) ||
	    cdc_printer_new(&c->printer, CDC_PRINT_NDJSON, c->column, c->num_columns, &c->writer,
			    err) ||
	    cdc_scan_new(&c->scan, &cdc_io_posix, t->snapshot, &so, err))
		return err->code;
	return CDC_OK;
}

int cdc_cursor_open(struct cdc_cursor **out, const struct cdc_table *table,
		    const char *const *columns, struct cdc_error *error)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_cursor *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		cdc_fail_nomem(&err);
	else if (!start_scan(c, table, columns, &err)) {
		*out = c;
		return CDC_OK;
	}
	cdc_cursor_close(c);
	return give_error(&err, error);
}

void cdc_cursor_close(struct cdc_cursor *c)
{
	if (!c)
		return;
	cdc_scan_free(c->scan);
	cdc_printer_free(c->printer);
	cdc_writer_free(&c->writer);
	cdc_buf_free(&c->text);
	cdc_arena_free(&c->arena);
	free(c);
}

/* The text of the next batch. CDC_END when there is none. */
static int fill_text(struct cdc_cursor *c, struct cdc_err *err)
{
	struct cdc_batch b;
	int rc = cdc_scan_next(c->scan, &b, err);

	if (rc)
		return rc;
	c->next = 0;
	cdc_buf_reset(&c->text);
	rc = cdc_printer_batch(c->printer, &b, err);
	return rc ? rc : cdc_writer_flush(&c->writer, err);
}

int cdc_cursor_next(struct cdc_cursor *c, const char **line, size_t *length,
		    struct cdc_error *error)
{
	struct cdc_err err = CDC_ERR_INIT;
	char *start, *end;

	*line = NULL;
	*length = 0;
	if (c->failed.code)
		return give_error(&c->failed, error);
	if (c->next == c->text.len) {
		int rc = c->ended ? CDC_END : fill_text(c, &err);

		c->ended = rc == CDC_END;
		if (rc < 0) {
			c->failed = err;
			return give_error(&err, error);
		}
		if (rc)
			return CDC_CURSOR_END;
	}
	start = c->text.p + c->next;
	end = memchr(start, '\n', c->text.len - c->next);
	*end = '\0';
	*line = start;
	*length = (size_t)(end - start);
	c->next += *length + 1;
	return CDC_OK;
}
