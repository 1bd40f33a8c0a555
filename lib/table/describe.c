/*
 * Description of a table's state. See describe.h.
 */
#include "table/describe.h"

#include "base/json.h"
#include "delta/stats.h"
#include "table/datafile.h"

void cdc_json_to_line(struct cdc_buf *out, size_t from)
{
	size_t to = from;
	bool in_string = false;

	for (size_t i = from; i < out->len; i++) {
		char c = out->p[i];

		if (!in_string && (c == ' ' || c == '\t' || c == '\n' || c == '\r'))
			continue;
		if (c == '"')
			in_string = !in_string;
		out->p[to++] = c;
		if (c == '\\' && i + 1 < out->len)
			out->p[to++] = out->p[++i];
	}
	out->len = to;
}

static int put_timestamp(struct cdc_buf *out, int64_t ms, struct cdc_err *err)
{
	char text[CDC_VALUE_TEXT_MAX];
	int64_t us;

	if (__builtin_mul_overflow(ms, 1000, &us))
		return cdc_buf_puts(out, "null", err);
	return cdc_json_put_string(
		out, cdc_str(text, cdc_timestamp_format_fixed(us, 'T', true, 3, text)), err);
}

/* p == NULL: null */
static int put_text(struct cdc_buf *out, struct cdc_str s, struct cdc_err *err)
{
	return s.p ? cdc_json_put_string(out, s, err) : cdc_buf_puts(out, "null", err);
}

static int put_list(struct cdc_buf *out, const struct cdc_str *s, int n, struct cdc_err *err)
{
	int rc = cdc_buf_putc(out, '[', err);

	for (int i = 0; rc == CDC_OK && i < n; i++) {
		if (i)
			rc = cdc_buf_putc(out, ',', err);
		if (rc == CDC_OK)
			rc = cdc_json_put_string(out, s[i], err);
	}
	return rc < 0 ? rc : cdc_buf_putc(out, ']', err);
}

static int put_properties(struct cdc_buf *out, const struct cdc_metadata *m, struct cdc_err *err)
{
	int rc = cdc_buf_putc(out, '{', err);

	for (int i = 0; rc == CDC_OK && i < m->num_config; i++) {
		if (i)
			rc = cdc_buf_putc(out, ',', err);
		if (rc == CDC_OK &&
		    (rc = cdc_json_put_string(out, m->config[i].key, err)) == CDC_OK &&
		    (rc = cdc_buf_putc(out, ':', err)) == CDC_OK)
			rc = put_text(out, m->config[i].value, err);
	}
	return rc < 0 ? rc : cdc_buf_putc(out, '}', err);
}

static int put_protocol(struct cdc_buf *out, const struct cdc_protocol *p, struct cdc_err *err)
{
	int rc = cdc_buf_printf(
		out, err, "{\"minReaderVersion\":%d,\"minWriterVersion\":%d,\"readerFeatures\":",
		p->reader_version, p->writer_version);

	if (rc < 0 || (rc = put_list(out, p->reader_feature, p->num_reader_features, err)) < 0 ||
	    (rc = cdc_buf_puts(out, ",\"writerFeatures\":", err)) < 0 ||
	    (rc = put_list(out, p->writer_feature, p->num_writer_features, err)) < 0)
		return rc;
	return cdc_buf_putc(out, '}', err);
}

/* ------------------------------------------------------------------ counts */

struct counts {
	int64_t rows;
	int64_t bytes;
	int64_t vectors;
	int64_t deleted;
};

static int physical_rows(const struct cdc_io *io, const struct cdc_snapshot *s,
			 const struct cdc_add *add, int64_t *rows, struct cdc_err *err)
{
	struct cdc_datafile *df;
	int rc;

	*rows = cdc_stats_num_records(add->stats);
	if (*rows >= 0)
		return CDC_OK;
	rc = cdc_datafile_open(&df, io, s, add, err);
	if (rc < 0)
		return rc;
	*rows = (int64_t)cdc_datafile_rows(df);
	cdc_datafile_close(df);
	return CDC_OK;
}

static int count(const struct cdc_io *io, const struct cdc_snapshot *s, struct counts *c,
		 struct cdc_err *err)
{
	bool overflow = false;

	*c = (struct counts){ 0 };
	for (size_t i = 0; i < s->num_adds; i++) {
		const struct cdc_add *add = &s->add[i];
		int64_t rows = 0;
		int rc = physical_rows(io, s, add, &rows, err);

		if (rc < 0)
			return rc;
		overflow |= __builtin_add_overflow(c->rows, rows, &c->rows);
		overflow |= __builtin_add_overflow(c->bytes, add->size_bytes, &c->bytes);
		if (!add->dv.storage)
			continue;
		c->vectors++;
		overflow |= __builtin_add_overflow(c->deleted, add->dv.cardinality, &c->deleted);
	}
	overflow |= __builtin_sub_overflow(c->rows, c->deleted, &c->rows);
	if (overflow)
		return cdc_fail(err, CDC_ECORRUPT, "the log's counts of rows or bytes overflow");
	return CDC_OK;
}

static int put_metadata(const struct cdc_snapshot *s, struct cdc_buf *out, struct cdc_err *err)
{
	const struct cdc_metadata *m = &s->metadata;
	int rc;

	if ((rc = cdc_buf_puts(out, ",\"id\":", err)) < 0 || (rc = put_text(out, m->id, err)) < 0 ||
	    (rc = cdc_buf_puts(out, ",\"name\":", err)) < 0 ||
	    (rc = put_text(out, m->name, err)) < 0 ||
	    (rc = cdc_buf_puts(out, ",\"description\":", err)) < 0 ||
	    (rc = put_text(out, m->description, err)) < 0 ||
	    (rc = cdc_buf_puts(out, ",\"schema\":", err)) < 0 ||
	    (rc = cdc_schema_to_json(&s->schema, out, err)) < 0 ||
	    (rc = cdc_buf_puts(out, ",\"partitionColumns\":", err)) < 0 ||
	    (rc = put_list(out, m->partition_column, m->num_partition_columns, err)) < 0 ||
	    (rc = cdc_buf_puts(out, ",\"protocol\":", err)) < 0 ||
	    (rc = put_protocol(out, &s->protocol, err)) < 0 ||
	    (rc = cdc_buf_puts(out, ",\"properties\":", err)) < 0)
		return rc;
	return put_properties(out, m, err);
}

int cdc_describe(const struct cdc_io *io, const struct cdc_snapshot *s, struct cdc_buf *out,
		 struct cdc_err *err)
{
	struct counts c;
	size_t from = out->len;
	int rc = count(io, s, &c, err);

	if (rc < 0 || (rc = cdc_buf_puts(out, "{\"table\":", err)) < 0 ||
	    (rc = cdc_json_put_string(out, cdc_str_z(s->table), err)) < 0 ||
	    (rc = cdc_buf_printf(out, err,
				 ",\"version\":%lld,\"timestamp\":", (long long)s->version)) < 0 ||
	    (rc = put_timestamp(out, s->timestamp_ms, err)) < 0 ||
	    (rc = put_metadata(s, out, err)) < 0)
		return rc;
	rc = cdc_buf_printf(out, err,
			    ",\"files\":%zu,\"rows\":%lld,\"bytes\":%lld,\"deletionVectors\":%lld,"
			    "\"deletedRows\":%lld}",
			    s->num_adds, (long long)c.rows, (long long)c.bytes,
			    (long long)c.vectors, (long long)c.deleted);
	cdc_json_to_line(out, from);
	return rc;
}
