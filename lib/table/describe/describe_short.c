/*
 * Description of a table for people: a box of names and values. See describe.h.
 */
#include "table/describe/describe.h"

#include "table/describe/describe_json.h"

#include <stdarg.h>

/* What fits a terminal beside the names; a longer value goes on in the rows below, so many of them.
 */
#define VALUE_BYTES 56
#define VALUE_ROWS 8

struct pairs {
	struct cdc_printer *printer;
	struct cdc_buf text; /* one value */
	struct cdc_err *err;
	int rc;
};

static const struct cdc_field columns[2] = {
	{ .name = CDC_STR("what"), .type = CDC_TYPE_STRING },
	{ .name = CDC_STR("value"), .type = CDC_TYPE_STRING },
};

static void put_row(struct pairs *p, struct cdc_str name, struct cdc_str value)
{
	struct cdc_column c[2] = { { .field = &columns[0], .values = &name },
				   { .field = &columns[1], .values = &value } };
	struct cdc_batch row = { .rows = 1, .num_columns = 2, .column = c };

	if (p->rc == CDC_OK)
		p->rc = cdc_printer_batch(p->printer, &row, p->err);
}

/* Nothing for a value that is not there (p == NULL). */
static void put(struct pairs *p, const char *name, struct cdc_str value)
{
	struct cdc_str left;

	if (p->rc < 0 || !value.p)
		return;
	cdc_buf_reset(&p->text);
	p->rc = cdc_put_valid_utf8(&p->text, value, p->err);
	left = p->text.len ? cdc_buf_str(&p->text) : CDC_STR("");
	for (int i = 0; i < VALUE_ROWS && (i == 0 || left.n); i++) {
		size_t n = cdc_utf8_prefix(left.p, left.n, VALUE_BYTES);

		put_row(p, i ? CDC_STR("") : cdc_str_z(name), cdc_str(left.p, n));
		left = cdc_str(left.p + n, left.n - n);
	}
	if (left.n)
		put_row(p, CDC_STR(""), CDC_STR("..."));
}

static void put_int(struct pairs *p, const char *name, int64_t v)
{
	char text[CDC_VALUE_TEXT_MAX];

	put(p, name, cdc_str(text, cdc_int64_format(v, text)));
}

static void put_time(struct pairs *p, const char *name, int64_t ms)
{
	char text[CDC_VALUE_TEXT_MAX];
	int64_t us;

	if (!__builtin_mul_overflow(ms, 1000, &us))
		put(p, name, cdc_str(text, cdc_timestamp_format_fixed(us, ' ', true, 3, text)));
}

/* "1.5 MiB": a person wants no more. */
static void put_bytes(struct pairs *p, const char *name, int64_t bytes)
{
	static const char *const unit[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	char text[CDC_VALUE_TEXT_MAX];
	struct cdc_buf b = CDC_BUF_INIT;
	int64_t tenths = bytes < INT64_MAX / 10 ? bytes * 10 : INT64_MAX;
	size_t n = 0;

	for (; tenths >= 10240 && n < sizeof(unit) / sizeof(unit[0]) - 1; n++)
		tenths /= 1024;
	p->rc = p->rc < 0 ? p->rc
			  : cdc_buf_printf(&b, p->err, "%.*s %s",
					   (int)(n ? cdc_decimal_format(tenths, 1, text)
						   : cdc_int64_format(bytes, text)),
					   text, unit[n]);
	put(p, name, cdc_buf_str(&b));
	cdc_buf_free(&b);
}

static void put_columns(struct pairs *p, const struct cdc_schema *s)
{
	char type[CDC_TYPE_NAME_MAX];

	for (int i = 0; p->rc == CDC_OK && i < s->num_fields; i++) {
		const struct cdc_field *f = &s->field[i];
		struct cdc_buf b = CDC_BUF_INIT;

		p->rc = cdc_buf_put(&b, f->name, p->err);
		if (p->rc == CDC_OK)
			p->rc = cdc_buf_printf(&b, p->err, " %s%s%s", cdc_type_name(f, type),
					       f->nullable ? "" : " not null",
					       f->is_partition ? ", partition" : "");
		put(p, "column", cdc_buf_str(&b));
		cdc_buf_free(&b);
	}
}

static void put_protocol(struct pairs *p, const struct cdc_protocol *protocol)
{
	put_int(p, "reader version", protocol->reader_version);
	put_int(p, "writer version", protocol->writer_version);
	for (int i = 0; i < protocol->num_writer_features; i++)
		put(p, "feature", protocol->writer_feature[i]);
}

static void put_properties(struct pairs *p, const struct cdc_metadata *m)
{
	for (int i = 0; p->rc == CDC_OK && i < m->num_config; i++) {
		struct cdc_buf b = CDC_BUF_INIT;

		p->rc = cdc_buf_put(&b, m->config[i].key, p->err);
		if (p->rc == CDC_OK)
			p->rc = cdc_buf_putc(&b, '=', p->err);
		if (p->rc == CDC_OK)
			p->rc = cdc_buf_put(&b, m->config[i].value, p->err);
		put(p, "property", cdc_buf_str(&b));
		cdc_buf_free(&b);
	}
}

static void put_state(struct pairs *p, const struct cdc_snapshot *s,
		      const struct cdc_table_counts *c)
{
	char share[CDC_VALUE_TEXT_MAX];
	size_t n = cdc_decimal_format(cdc_table_deleted_share(c), 2, share);

	put_int(p, "files", (int64_t)s->num_adds);
	put_int(p, "rows", c->rows);
	put_bytes(p, "size", c->bytes);
	if (c->vectors) {
		share[n++] = '%';
		put_int(p, "deletion vectors", c->vectors);
		put_int(p, "deleted rows", c->deleted);
		put(p, "deleted share", cdc_str(share, n));
	}
	if (s->checkpoint_version >= 0)
		put_int(p, "checkpoint", s->checkpoint_version);
	put_int(p, "commits since", s->version - s->checkpoint_version);
	if (s->num_txns)
		put_int(p, "app transactions", (int64_t)s->num_txns);
}

static void put_all(struct pairs *p, const struct cdc_snapshot *s, const struct cdc_table_counts *c,
		    const char *refusal)
{
	const struct cdc_metadata *m = &s->metadata;
	struct cdc_str key = CDC_STR_INIT;

	put(p, "table", cdc_str_z(s->table));
	put_int(p, "version", s->version);
	put_time(p, "time", s->timestamp_ms);
	put(p, "id", m->id);
	put(p, "name", m->name);
	put(p, "description", m->description);
	if (m->has_created_time)
		put_time(p, "created", m->created_time_ms);
	put_columns(p, &s->schema);
	if (cdc_metadata_config(m, "cdc.key", &key))
		put(p, "key", key);
	put_state(p, s, c);
	put_protocol(p, &s->protocol);
	put_properties(p, m);
	put(p, "writable", refusal[0] ? cdc_str_z(refusal) : CDC_STR("yes"));
}

int cdc_describe_short(const struct cdc_io *io, const struct cdc_snapshot *s,
		       struct cdc_writer *out, struct cdc_err *err)
{
	const struct cdc_field *field[2] = { &columns[0], &columns[1] };
	struct pairs p = { .text = CDC_BUF_INIT, .err = err };
	struct cdc_err why = CDC_ERR_INIT;
	struct cdc_table_counts c;

	p.rc = cdc_table_count(io, s, &c, err);
	if (p.rc == CDC_OK)
		p.rc = cdc_table_write_refusal(s, &why, err);
	if (p.rc == CDC_OK)
		p.rc = cdc_printer_new(&p.printer, CDC_PRINT_TABLE, field, 2, out, err);
	if (p.rc == CDC_OK)
		put_all(&p, s, &c, why.msg);
	if (p.rc == CDC_OK)
		p.rc = cdc_printer_finish(p.printer, err);
	cdc_printer_free(p.printer);
	cdc_buf_free(&p.text);
	return p.rc;
}
