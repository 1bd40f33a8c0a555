/*
 * Description of a table's state as JSON. See describe.h.
 */
#include "table/describe/describe.h"

#include "base/value.h"
#include "table/describe/describe_json.h"

static void put_list(struct cdc_json_out *j, const struct cdc_str *s, int n)
{
	cdc_json_out_open(j, '[');
	for (int i = 0; i < n; i++)
		cdc_json_out_str(j, s[i]);
	cdc_json_out_close(j, ']');
}

/* Keys are any text. */
static void put_properties(struct cdc_json_out *j, const struct cdc_metadata *m)
{
	cdc_json_out_open(j, '{');
	for (int i = 0; i < m->num_config; i++) {
		cdc_json_out_str(j, m->config[i].key);
		if (j->rc == CDC_OK)
			j->rc = cdc_buf_putc(j->buf, ':', j->err);
		j->comma = false;
		cdc_json_out_str(j, m->config[i].value);
	}
	cdc_json_out_close(j, '}');
}

static void put_protocol(struct cdc_json_out *j, const struct cdc_protocol *p)
{
	cdc_json_out_open(j, '{');
	cdc_json_out_key(j, "minReaderVersion");
	cdc_json_out_int(j, p->reader_version);
	cdc_json_out_key(j, "minWriterVersion");
	cdc_json_out_int(j, p->writer_version);
	cdc_json_out_key(j, "readerFeatures");
	put_list(j, p->reader_feature, p->num_reader_features);
	cdc_json_out_key(j, "writerFeatures");
	put_list(j, p->writer_feature, p->num_writer_features);
	cdc_json_out_close(j, '}');
}

/* Text that should be JSON: as it is when it is, else as a string. */
static void put_json_text(struct cdc_json_out *j, struct cdc_str text)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err why = CDC_ERR_INIT;

	if (text.p && cdc_json_scan(&tape, text, NULL, &why) == CDC_OK)
		cdc_json_out_raw(j, text);
	else
		cdc_json_out_str(j, text);
	cdc_tape_free(&tape);
}

static void put_schema(struct cdc_json_out *j, const struct cdc_schema *s)
{
	struct cdc_buf text = CDC_BUF_INIT;

	if (j->rc == CDC_OK)
		j->rc = cdc_schema_to_json(s, &text, j->err);
	cdc_json_out_raw(j, cdc_buf_str(&text));
	cdc_buf_free(&text);
}

static void put_metadata(struct cdc_json_out *j, const struct cdc_snapshot *s)
{
	const struct cdc_metadata *m = &s->metadata;
	struct cdc_str key = CDC_STR_INIT;

	cdc_json_out_key(j, "id");
	cdc_json_out_str(j, m->id);
	cdc_json_out_key(j, "name");
	cdc_json_out_str(j, m->name);
	cdc_json_out_key(j, "description");
	cdc_json_out_str(j, m->description);
	cdc_json_out_key(j, "createdTime");
	if (m->has_created_time)
		cdc_json_out_time(j, m->created_time_ms);
	else
		cdc_json_out_null(j);
	cdc_json_out_key(j, "schema");
	put_schema(j, &s->schema);
	cdc_json_out_key(j, "partitionColumns");
	put_list(j, m->partition_column, m->num_partition_columns);
	cdc_json_out_key(j, "key");
	(void)cdc_metadata_config(m, "cdc.key", &key);
	put_json_text(j, key);
	cdc_json_out_key(j, "protocol");
	put_protocol(j, &s->protocol);
	cdc_json_out_key(j, "properties");
	put_properties(j, m);
}

static void put_transactions(struct cdc_json_out *j, const struct cdc_snapshot *s)
{
	cdc_json_out_key(j, "appTransactions");
	cdc_json_out_open(j, '[');
	for (size_t i = 0; i < s->num_txns; i++) {
		const struct cdc_txn *t = &s->txn[i];

		cdc_json_out_open(j, '{');
		cdc_json_out_key(j, "appId");
		cdc_json_out_str(j, t->app_id);
		cdc_json_out_key(j, "version");
		cdc_json_out_int(j, t->version);
		cdc_json_out_key(j, "lastUpdated");
		if (t->has_last_updated)
			cdc_json_out_time(j, t->last_updated_ms);
		else
			cdc_json_out_null(j);
		cdc_json_out_close(j, '}');
	}
	cdc_json_out_close(j, ']');
}

static void put_domains(struct cdc_json_out *j, const struct cdc_snapshot *s)
{
	int64_t mark;

	cdc_json_out_key(j, "domains");
	cdc_json_out_open(j, '[');
	for (size_t i = 0; i < s->num_domains; i++) {
		cdc_json_out_open(j, '{');
		cdc_json_out_key(j, "domain");
		cdc_json_out_str(j, s->domain[i].domain);
		cdc_json_out_key(j, "configuration");
		put_json_text(j, s->domain[i].configuration);
		cdc_json_out_close(j, '}');
	}
	cdc_json_out_close(j, ']');
	cdc_json_out_key(j, "rowIdHighWaterMark");
	if (cdc_table_high_water_mark(s, &mark))
		cdc_json_out_int(j, mark);
	else
		cdc_json_out_null(j);
}

/* Buckets without a file are left out. */
static void put_sizes(struct cdc_json_out *j, const struct cdc_table_counts *c)
{
	cdc_json_out_key(j, "fileSizes");
	cdc_json_out_open(j, '[');
	for (int i = 0; i < CDC_SIZE_BUCKETS; i++) {
		if (!c->size[i].files)
			continue;
		cdc_json_out_open(j, '{');
		cdc_json_out_key(j, "from");
		cdc_json_out_int(j, i ? INT64_C(1) << (i - 1) : 0);
		cdc_json_out_key(j, "files");
		cdc_json_out_int(j, c->size[i].files);
		cdc_json_out_key(j, "bytes");
		cdc_json_out_int(j, c->size[i].bytes);
		cdc_json_out_close(j, '}');
	}
	cdc_json_out_close(j, ']');
}

static void put_counts(struct cdc_json_out *j, const struct cdc_snapshot *s,
		       const struct cdc_table_counts *c)
{
	char share[CDC_VALUE_TEXT_MAX];

	cdc_json_out_key(j, "files");
	cdc_json_out_int(j, (int64_t)s->num_adds);
	cdc_json_out_key(j, "rows");
	cdc_json_out_int(j, c->rows);
	cdc_json_out_key(j, "bytes");
	cdc_json_out_int(j, c->bytes);
	put_sizes(j, c);
	cdc_json_out_key(j, "deletionVectors");
	cdc_json_out_int(j, c->vectors);
	cdc_json_out_key(j, "deletedRows");
	cdc_json_out_int(j, c->deleted);
	cdc_json_out_key(j, "deletedShare");
	cdc_json_out_raw(j,
			 cdc_str(share, cdc_decimal_format(cdc_table_deleted_share(c), 4, share)));
}

static void put_log(struct cdc_json_out *j, const struct cdc_snapshot *s)
{
	cdc_json_out_key(j, "checkpointVersion");
	if (s->checkpoint_version >= 0)
		cdc_json_out_int(j, s->checkpoint_version);
	else
		cdc_json_out_null(j);
	cdc_json_out_key(j, "commitsSinceCheckpoint");
	cdc_json_out_int(j, s->version - s->checkpoint_version);
	put_transactions(j, s);
	put_domains(j, s);
}

int cdc_describe(const struct cdc_io *io, const struct cdc_snapshot *s, struct cdc_buf *out,
		 struct cdc_err *err)
{
	struct cdc_json_out j = { .buf = out, .err = err };
	struct cdc_err why = CDC_ERR_INIT;
	struct cdc_table_counts c;
	int rc = cdc_table_count(io, s, &c, err);

	if (rc == CDC_OK)
		rc = cdc_table_write_refusal(s, &why, err);
	if (rc < 0)
		return rc;
	cdc_json_out_open(&j, '{');
	cdc_json_out_key(&j, "table");
	cdc_json_out_str(&j, cdc_str_z(s->table));
	cdc_json_out_key(&j, "version");
	cdc_json_out_int(&j, s->version);
	cdc_json_out_key(&j, "timestamp");
	cdc_json_out_time(&j, s->timestamp_ms);
	put_metadata(&j, s);
	put_counts(&j, s, &c);
	put_log(&j, s);
	cdc_json_out_key(&j, "writeRefusal");
	cdc_json_out_str(&j, why.msg[0] ? cdc_str_z(why.msg) : (struct cdc_str)CDC_STR_INIT);
	cdc_json_out_close(&j, '}');
	return j.rc;
}
