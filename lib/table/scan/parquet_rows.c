/*
 * Rows of a Parquet file as change records. See parquet_rows.h. The offset in a record's position
 * is the number of its row in the file, from 0.
 */
#include "table/scan/parquet_rows.h"

#include "source/export/row_out.h"
#include "table/scan/parquet_table.h"
#include "table/print/print_int.h"
#include "table/scan/scan.h"

#include <stdio.h>
#include <stdlib.h>

#define TYPE_MAX 32

struct parquet_rows {
	struct cdc_source *s;
	struct cdc_row_out out;
	struct cdc_snapshot *file; /* the current one, as a table */
	struct cdc_schema_column *col;
	struct cdc_arena layout; /* what col points to */
	struct cdc_buf json; /* a nested value */
};

static int parquet_rows_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct parquet_rows *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return cdc_fail_nomem(err);
	d->s = s;
	d->json.max = s->record_max;
	rc = cdc_row_open(&d->out, s, err);
	if (rc < 0) {
		cdc_row_free(&d->out);
		free(d);
		return rc;
	}
	*ctx = d;
	return CDC_OK;
}

static void forget_file(struct parquet_rows *d)
{
	if (d->file)
		cdc_snapshot_free(d->file);
	d->file = NULL;
	cdc_arena_reset(&d->layout);
}

static void parquet_rows_close(void *ctx)
{
	struct parquet_rows *d = ctx;

	cdc_row_free(&d->out);
	forget_file(d);
	cdc_arena_free(&d->layout);
	cdc_buf_free(&d->json);
	free(d);
}

/* --- columns ------------------------------------------------------------ */

static size_t type_name(const struct cdc_field *f, char out[TYPE_MAX])
{
	static const char *const names[] = {
		[CDC_TYPE_BOOLEAN] = "boolean",
		[CDC_TYPE_BYTE] = "tinyint",
		[CDC_TYPE_SHORT] = "smallint",
		[CDC_TYPE_INTEGER] = "int",
		[CDC_TYPE_LONG] = "bigint",
		[CDC_TYPE_FLOAT] = "float",
		[CDC_TYPE_DOUBLE] = "double",
		[CDC_TYPE_STRING] = "string",
		[CDC_TYPE_BINARY] = "varbinary",
		[CDC_TYPE_DATE] = "date",
		[CDC_TYPE_TIMESTAMP] = "timestamp",
		[CDC_TYPE_TIMESTAMP_NTZ] = "datetime",
		[CDC_TYPE_VOID] = "string",
		[CDC_TYPE_VARIANT] = "json",
		[CDC_TYPE_STRUCT] = "json",
		[CDC_TYPE_ARRAY] = "json",
		[CDC_TYPE_MAP] = "json",
		[CDC_TYPE_TIME] = "time",
		[CDC_TYPE_TIMESTAMP_NS] = "timestamp",
		[CDC_TYPE_TIMESTAMP_NTZ_NS] = "datetime",
		[CDC_TYPE_UUID] = "string",
		[CDC_TYPE_INTERVAL] = "string",
	};

	if (f->type == CDC_TYPE_DECIMAL || f->type == CDC_TYPE_BIG_DECIMAL)
		return (size_t)snprintf(out, TYPE_MAX, "decimal(%d,%d)", f->precision, f->scale);
	return (size_t)snprintf(out, TYPE_MAX, "%s", names[f->type]);
}

static int define_columns(struct parquet_rows *d, struct cdc_err *err)
{
	const struct cdc_schema *schema = &d->file->schema;
	size_t n = (size_t)schema->num_fields;

	d->col = cdc_arena_calloc(&d->layout, n ? n : 1, sizeof(*d->col));
	if (!d->col)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const struct cdc_field *f = &schema->field[i];
		char type[TYPE_MAX];
		size_t len = type_name(f, type);
		char *copy = cdc_arena_dup(&d->layout, type, len);

		if (!copy)
			return cdc_fail_nomem(err);
		d->col[i].name = f->name;
		d->col[i].type = d->col[i].source_type = cdc_str(copy, len);
		d->col[i].not_null = !f->nullable;
	}
	if (cdc_columns_check(d->col, n, err) < 0)
		return CDC_EUSAGE;
	return cdc_row_define(&d->out, CDC_STR(""), d->col, n, err);
}

/* --- values ------------------------------------------------------------- */

/* As text of its JSON: nested values, decimals of any length. */
static int put_json(struct parquet_rows *d, const struct cdc_column *c, uint32_t row,
		    struct cdc_err *err)
{
	const struct cdc_print_sink sink = { .buf = &d->json };
	int rc;

	cdc_buf_reset(&d->json);
	rc = cdc_print_json(&sink, c, row, err);
	if (rc == CDC_OK)
		cdc_out_quoted(&d->s->out, cdc_buf_str(&d->json));
	return rc;
}

/* A fraction of a timestamp has six digits in a change record. */
static size_t short_text(const struct cdc_column *c, uint32_t row, char *out)
{
	bool zulu = c->field->type == CDC_TYPE_TIMESTAMP;
	int64_t us;

	if (!zulu && c->field->type != CDC_TYPE_TIMESTAMP_NTZ)
		return cdc_print_value(c, row, out);
	us = ((const int64_t *)c->values)[row];
	return cdc_timestamp_format_fixed(us, zulu ? 'T' : ' ', zulu, us % 1000000 ? 6 : 0, out);
}

static int put_value(struct parquet_rows *d, const struct cdc_column *c, uint32_t row,
		     struct cdc_err *err)
{
	struct cdc_out *o = &d->s->out;
	char text[CDC_VALUE_TEXT_MAX];

	/* A string may be as long as the file: no record is. */
	if (cdc_print_is_bytes(c->field) && !cdc_column_is_null(c, row) &&
	    ((const struct cdc_str *)c->values)[row].n > d->s->record_max) {
		cdc_out_fail(o, "a value of more than %zu bytes", d->s->record_max);
		return CDC_OK;
	}
	if (cdc_column_is_null(c, row) || c->field->type == CDC_TYPE_VOID) {
		cdc_out_lit(o, "null");
	} else if (c->field->type == CDC_TYPE_STRING) {
		cdc_out_quoted(o, ((const struct cdc_str *)c->values)[row]);
	} else if (c->field->type == CDC_TYPE_BINARY) {
		cdc_out_char(o, '"');
		cdc_out_base64(o, ((const struct cdc_str *)c->values)[row]);
		cdc_out_char(o, '"');
	} else if (cdc_print_is_short(c->field)) {
		cdc_out_char(o, '"');
		cdc_out_raw(o, cdc_str(text, short_text(c, row, text)));
		cdc_out_char(o, '"');
	} else {
		return put_json(d, c, row, err);
	}
	return CDC_OK;
}

static int operation(struct parquet_rows *d, const struct cdc_batch *b, uint32_t row,
		     enum cdc_record_type *type, struct cdc_err *err)
{
	const struct cdc_column *c;

	*type = cdc_row_type(&d->out);
	if (d->out.op == CDC_ROW_NO_COLUMN)
		return CDC_OK;
	c = &b->column[d->out.op];
	if (c->field->type != CDC_TYPE_STRING)
		return cdc_fail(err, CDC_EUSAGE, "--op-column: the column %s is no text",
				d->s->opt.op_column);
	if (cdc_column_is_null(c, row))
		return cdc_row_operation(CDC_STR(""), type, err);
	return cdc_row_operation(((const struct cdc_str *)c->values)[row], type, err);
}

static int put_row(struct parquet_rows *d, const struct cdc_batch *b, uint32_t row,
		   const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_out *o = &d->s->out;
	enum cdc_record_type type;
	int rc = operation(d, b, row, &type, err);

	if (rc < 0)
		return rc;
	cdc_row_begin(&d->out, d->s->counts.messages, type);
	for (size_t i = 0; rc == CDC_OK && o->rc == CDC_OK && i < d->out.n; i++) {
		if (i == d->out.op)
			continue;
		cdc_row_value(&d->out, i);
		rc = put_value(d, &b->column[i], row, err);
		if (rc < 0)
			cdc_err_prefix(err, "column %.*s",
				       (int)(d->col[i].name.n < 100 ? d->col[i].name.n : 100),
				       d->col[i].name.p);
		if (o->rc < 0)
			cdc_row_blame(&d->out, i);
	}
	return rc < 0 ? rc : cdc_row_end(&d->out, type, m, err);
}

/* --- files -------------------------------------------------------------- */

/* A bad file is bad input here, not a broken table. */
static int as_input(int rc, struct cdc_err *err)
{
	if (rc == CDC_ECORRUPT || rc == CDC_EUNSUPPORTED)
		err->code = rc = CDC_EDATA;
	/* The name that it was opened by says nothing. */
	if (rc < 0)
		err->file[0] = '\0';
	return rc;
}

static int one_row(struct parquet_rows *d, const struct cdc_batch *b, uint32_t row,
		   struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_source *s = d->s;
	struct cdc_source_counts before;
	size_t mark = s->out.buf.len;
	int rc;

	m->offset = b->first_row + row;
	s->counts.messages++;
	before = s->counts;
	rc = as_input(put_row(d, b, row, m, err), err);
	if (rc == CDC_EDATA) {
		struct cdc_err unused;

		(void)cdc_out_take(&s->out, &unused);
		s->out.buf.len = mark;
		s->counts = before;
		rc = cdc_source_reject(s, m->offset, 0, CDC_STR(""), err);
	}
	m->index++;
	if (rc == CDC_OK && cdc_source_full(s))
		rc = cdc_source_flush(s, err);
	return rc;
}

static int all_rows(struct parquet_rows *d, const struct cdc_io *io, struct cdc_err *err)
{
	const struct cdc_scan_options opt = { .columns = NULL };
	struct cdc_message m = { .file = d->s->file };
	struct cdc_scan *scan = NULL;
	struct cdc_batch b;
	int rc = cdc_scan_new(&scan, io, d->file, &opt, err);

	while (rc == CDC_OK) {
		rc = as_input(cdc_scan_next(scan, &b, err), err);
		for (uint32_t i = 0; rc == CDC_OK && i < b.rows; i++)
			rc = one_row(d, &b, i, &m, err);
	}
	cdc_scan_free(scan);
	return rc == CDC_END ? CDC_OK : as_input(rc, err);
}

static int parquet_rows_stream(void *ctx, struct cdc_reader *r, struct cdc_err *err)
{
	struct parquet_rows *d = ctx;
	const char *table = d->s->opt.db_table ? d->s->opt.db_table : "";
	char path[64];
	int rc;

	/* What is unpacked and begins as such a file has been put into one (input.c). */
	if (r->pull)
		return cdc_fail(err, CDC_EDATA, "not a Parquet file: no PAR1 at its start");
	if (!r->regular)
		return cdc_fail(err, CDC_EUSAGE,
				"a Parquet file is read from its end: it must be a file, not a "
				"pipe");
	if (!cdc_source_keeps(d->s, table, false))
		return cdc_fail(err, CDC_EUSAGE, "--table leaves nothing of %s", table);
	forget_file(d);
	/* The file that is open, whatever its name is now; standard input too. */
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", r->fd);
	rc = as_input(cdc_parquet_table_open(&d->file, r->io, path, err), err);
	if (rc == CDC_OK)
		rc = define_columns(d, err);
	if (rc == CDC_OK)
		rc = all_rows(d, r->io, err);
	forget_file(d);
	return rc;
}

const struct cdc_format cdc_format_parquet = {
	.name = "parquet",
	.magic = "PAR1",
	.open = parquet_rows_open,
	.close = parquet_rows_close,
	.stream = parquet_rows_stream,
};
