/*
 * Format canal-pb: protobuf of Alibaba's Canal (spec section 2.2), as its producers write it with
 * flatMessage=false: a packet with a batch of entries. A batch and an entry by themselves are read
 * as well. Each entry is a row event, a statement, or a mark of the stream. The same change gives
 * the record that it gives as Canal's JSON.
 */
#include "source/canal/canal_pb.h"

#include "source/input/codec.h"

#include "base/value.h"

#include <stdlib.h>

enum compression { NONE_OF_PROTO2, NONE, ZLIB, GZIP, LZF };

static void canal_pb_close(void *ctx)
{
	struct canal_pb *d = ctx;

	cdc_change_free(&d->c);
	cdc_buf_free(&d->unpacked);
	cdc_buf_free(&d->id);
	cdc_buf_free(&d->shape);
	cdc_arena_free(&d->scratch);
	canal_pb_rows_free(d);
	free(d);
}

static int canal_pb_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct canal_pb *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return cdc_fail_nomem(err);
	d->s = s;
	d->unpacked.max = s->record_max;
	d->source_type = CANAL_PB_MYSQL;
	rc = cdc_change_init(&d->c, s, CDC_STR("MySQL"), CDC_STR(""), err);
	if (rc < 0)
		canal_pb_close(d);
	else
		*ctx = d;
	return rc;
}

/* --- packets and batches ------------------------------------------------ */

enum { PACKET_TYPE, PACKET_COMPRESSION, PACKET_BODY, PACKET_FIELDS };
static const struct cdc_pb_want packet_fields[PACKET_FIELDS] = {
	[PACKET_TYPE] = { 3, CDC_PB_VARINT },
	[PACKET_COMPRESSION] = { 4, CDC_PB_VARINT },
	[PACKET_BODY] = { 5, CDC_PB_BYTES },
};

enum { BATCH_ID, BATCH_MESSAGES, BATCH_FIELDS };
static const struct cdc_pb_want batch_fields[BATCH_FIELDS] = {
	[BATCH_ID] = { 1, CDC_PB_VARINT },
	[BATCH_MESSAGES] = { 2, CDC_PB_BYTES },
};

enum { ENTRY_HEADER, ENTRY_TYPE, ENTRY_STORE, ENTRY_FIELDS };
static const struct cdc_pb_want entry_fields[ENTRY_FIELDS] = {
	[ENTRY_HEADER] = { 1, CDC_PB_BYTES },
	[ENTRY_TYPE] = { 2, CDC_PB_VARINT },
	[ENTRY_STORE] = { 3, CDC_PB_BYTES },
};

static const struct cdc_pb_want header_fields[CANAL_PB_HEADER_FIELDS] = {
	[CANAL_PB_LOG_FILE] = { 2, CDC_PB_BYTES },
	[CANAL_PB_LOG_OFFSET] = { 3, CDC_PB_VARINT },
	[CANAL_PB_SERVER_ID] = { 4, CDC_PB_VARINT },
	[CANAL_PB_EXECUTE_TIME] = { 6, CDC_PB_VARINT },
	[CANAL_PB_SOURCE_TYPE] = { 7, CDC_PB_VARINT },
	[CANAL_PB_SCHEMA] = { 8, CDC_PB_BYTES },
	[CANAL_PB_TABLE] = { 9, CDC_PB_BYTES },
	[CANAL_PB_GTID] = { 13, CDC_PB_BYTES },
};

static int unpack(struct canal_pb *d, uint64_t compression, struct cdc_str *body,
		  struct cdc_err *err)
{
	int rc;

	switch (compression) {
	case NONE_OF_PROTO2:
	case NONE:
		return CDC_OK;
	case ZLIB:
	case GZIP:
		rc = cdc_unpack_zlib(compression == ZLIB ? CDC_ZLIB_HEADER : CDC_ZLIB_GZIP, *body,
				     &d->unpacked, err);
		if (rc == CDC_OK)
			*body = cdc_buf_str(&d->unpacked);
		return rc;
	default:
		return cdc_fail(err, CDC_EDATA, "a Canal packet with compression %llu%s",
				(unsigned long long)compression,
				compression == LZF ? " (lzf)" : "");
	}
}

/*
 * Take off what is around the entries: *batch receives the batch, or nothing when the packet has
 * none; *entry an entry that came alone. The three are told apart by their fields' wire types.
 */
static int open_message(struct canal_pb *d, struct cdc_str text, struct cdc_str *batch,
			struct cdc_str *entry, struct cdc_err *err)
{
	enum { PACKET_MESSAGES = 7, PACKET_HEARTBEAT = 11 };
	struct cdc_pb_value v[PACKET_FIELDS];

	*batch = *entry = CDC_STR("");
	if (cdc_pb_read(text, packet_fields, PACKET_FIELDS, v) && v[PACKET_TYPE].has) {
		if (v[PACKET_TYPE].n == PACKET_HEARTBEAT)
			return CDC_OK;
		if (v[PACKET_TYPE].n != PACKET_MESSAGES)
			return cdc_fail(err, CDC_EDATA, "a Canal packet of type %llu, not messages",
					(unsigned long long)v[PACKET_TYPE].n);
		*batch = v[PACKET_BODY].bytes;
		return unpack(d, v[PACKET_COMPRESSION].n, batch, err);
	}
	if (cdc_pb_read(text, batch_fields, BATCH_FIELDS, v)) {
		*batch = text;
		return CDC_OK;
	}
	if (!cdc_pb_read(text, entry_fields, ENTRY_FIELDS, v))
		return cdc_fail(err, CDC_EDATA, "not a packet, batch or entry of Canal");
	*entry = text;
	return CDC_OK;
}

/* Read an entry; its change is still bytes. */
static bool open_entry(struct canal_pb *d, struct cdc_str text, struct cdc_str *store)
{
	struct cdc_pb_value v[ENTRY_FIELDS];

	if (!cdc_pb_read(text, entry_fields, ENTRY_FIELDS, v) || !v[ENTRY_HEADER].has ||
	    !cdc_pb_read(v[ENTRY_HEADER].bytes, header_fields, CANAL_PB_HEADER_FIELDS, d->header))
		return false;
	d->entry_type = v[ENTRY_TYPE].n ? v[ENTRY_TYPE].n : CANAL_PB_ROW_DATA;
	*store = v[ENTRY_STORE].bytes;
	return true;
}

/* --- records ------------------------------------------------------------ */

static int find_table(struct canal_pb *d, struct cdc_str schema, struct cdc_str table,
		      struct cdc_change_table **t, struct cdc_err *err)
{
	const struct cdc_str name[] = { schema, table };
	int rc = CDC_OK;

	cdc_buf_reset(&d->id);
	for (size_t i = 0; rc == CDC_OK && i < 2; i++) {
		rc = cdc_buf_put(&d->id, name[i], err);
		if (rc == CDC_OK)
			rc = cdc_buf_putc(&d->id, '\0', err);
	}
	if (rc == CDC_OK)
		rc = cdc_change_table(&d->c, cdc_buf_str(&d->id), t, err);
	if (rc == CDC_OK && !(*t)->named)
		rc = cdc_change_name(&d->c, *t, name, 2, err);
	return rc;
}

bool canal_pb_time(const struct canal_pb *d, int64_t *us)
{
	int64_t ms = (int64_t)d->header[CANAL_PB_EXECUTE_TIME].n;

	if (!d->header[CANAL_PB_EXECUTE_TIME].has || ms > INT64_MAX / 1000 || ms < INT64_MIN / 1000)
		return false;
	*us = ms * 1000;
	return true;
}

void canal_pb_tags(struct canal_pb *d)
{
	const struct cdc_pb_value *h = d->header;

	if (d->batch_id)
		cdc_change_tag_int(&d->c, CDC_STR("id"), d->batch_id);
	if (h[CANAL_PB_GTID].bytes.n)
		cdc_change_tag(&d->c, CDC_STR("gtid"), h[CANAL_PB_GTID].bytes);
	if (h[CANAL_PB_SERVER_ID].n)
		cdc_change_tag_int(&d->c, CDC_STR("server_id"), (int64_t)h[CANAL_PB_SERVER_ID].n);
	if (h[CANAL_PB_LOG_FILE].bytes.n) {
		struct cdc_str file = h[CANAL_PB_LOG_FILE].bytes;
		struct cdc_err ignored;

		cdc_buf_reset(&d->id);
		if (cdc_buf_put(&d->id, file, &ignored) < 0 ||
		    cdc_buf_printf(&d->id, &ignored, ":%lld", (long long)h[CANAL_PB_LOG_OFFSET].n) <
			    0)
			cdc_out_fail(&d->s->out, "out of memory");
		cdc_change_tag(&d->c, CDC_STR("sourcePosition"), cdc_buf_str(&d->id));
	}
}

/* A record of a statement or of a transaction's edge. */
static int put_control(struct canal_pb *d, struct cdc_str name, const char *type,
		       struct cdc_str ddl, const struct cdc_message *m, struct cdc_err *err)
{
	int64_t us = 0;
	bool timed = canal_pb_time(d, &us);

	cdc_change_begin_named(&d->c, name, type, cdc_change_id(&d->c, m), timed, us);
	canal_pb_tags(d);
	if (d->transaction.n)
		cdc_change_tag(&d->c, CDC_STR("sourceTxid"), d->transaction);
	if (d->thread_id)
		cdc_change_tag_int(&d->c, CDC_STR("thread_id"), d->thread_id);
	cdc_change_ddl(&d->c, ddl);
	return cdc_change_end(&d->c, m, err);
}

/* --- transactions ------------------------------------------------------- */

static int put_boundary(struct canal_pb *d, struct cdc_str store, const struct cdc_message *m,
			struct cdc_err *err)
{
	static const struct cdc_pb_want fields[] = { { 2, CDC_PB_BYTES }, { 4, CDC_PB_VARINT } };
	const char *type = d->entry_type == CANAL_PB_TRANSACTION_BEGIN ? "BEGIN" : "COMMIT";
	struct cdc_pb_value v[2];

	if (!d->s->opt.control) {
		d->s->counts.skipped++;
		return CDC_OK;
	}
	if (!cdc_pb_read(store, fields, 2, v))
		return cdc_fail(err, CDC_EDATA, "a transaction of Canal is malformed");
	d->transaction = v[0].bytes;
	d->thread_id = (int64_t)v[1].n;
	return put_control(d, CDC_STR(""), type, (struct cdc_str)CDC_STR_INIT, m, err);
}

/* --- changes ------------------------------------------------------------ */

enum { CHANGE_EVENT_TYPE, CHANGE_IS_DDL, CHANGE_SQL, CHANGE_SCHEMA, CHANGE_FIELDS };
static const struct cdc_pb_want change_fields[CHANGE_FIELDS] = {
	[CHANGE_EVENT_TYPE] = { 2, CDC_PB_VARINT },
	[CHANGE_IS_DDL] = { 10, CDC_PB_VARINT },
	[CHANGE_SQL] = { 11, CDC_PB_BYTES },
	[CHANGE_SCHEMA] = { 14, CDC_PB_BYTES },
};

enum event_type {
	EVENT_INSERT = 1,
	EVENT_UPDATE = 2, /* also what no number stands for */
	EVENT_DELETE = 3,
	/*
	 * If it is no DDL: the text of the statement whose rows come next (MariaDB logs it by
	 * default, MySQL when told to), or a variable of one that is logged as itself.
	 */
	EVENT_QUERY = 7,
	EVENT_TRUNCATE = 8,
	/* Marks of a place in the stream, which say nothing of a table. */
	EVENT_GTID = 12,
	EVENT_XA_COMMIT = 13,
	EVENT_XA_ROLLBACK = 14, /* of rows that were sent when it was prepared */
	EVENT_HEARTBEAT = 15
};

static int put_statement(struct canal_pb *d, struct cdc_change_table *t,
			 const struct cdc_pb_value *change, bool db_only,
			 const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_str name = cdc_buf_str(&t->name);
	int rc;

	/* Columns may be others from now on. */
	t->defined = false;
	if (!cdc_source_keeps(d->s, t->name.p, db_only)) {
		d->s->counts.skipped++;
		return CDC_OK;
	}
	rc = put_control(d, name, "DDL", change[CHANGE_SQL].bytes, m, err);
	if (rc == CDC_OK && change[CHANGE_EVENT_TYPE].n == EVENT_TRUNCATE && !db_only)
		rc = put_control(d, name, "TRUNCATE", (struct cdc_str)CDC_STR_INIT, m, err);
	return rc;
}

static int put_change(struct canal_pb *d, struct cdc_str store, const struct cdc_message *m,
		      struct cdc_err *err)
{
	static const char *const names[] = { "UPDATE", "INSERT", "UPDATE", "DELETE" };
	struct cdc_str schema = d->header[CANAL_PB_SCHEMA].bytes;
	struct cdc_str table = d->header[CANAL_PB_TABLE].bytes;
	struct cdc_pb_value v[CHANGE_FIELDS];
	struct cdc_change_table *t;
	uint64_t type;
	int rc;

	if (!cdc_pb_read(store, change_fields, CHANGE_FIELDS, v))
		return cdc_fail(err, CDC_EDATA, "a change of Canal is malformed");
	type = v[CHANGE_EVENT_TYPE].n;
	if (type == EVENT_XA_ROLLBACK) {
		/* Not the other entries of its batch. */
		cdc_fail(err, CDC_EDATA,
			 "an XA transaction is rolled back, whose rows Canal sent when it was "
			 "prepared");
		return cdc_source_reject(d->s, m->offset, m->line, d->entry, err);
	}
	if (type == EVENT_GTID || type == EVENT_XA_COMMIT || type == EVENT_HEARTBEAT ||
	    (type == EVENT_QUERY && !v[CHANGE_IS_DDL].n)) {
		d->s->counts.skipped++;
		return CDC_OK;
	}
	rc = find_table(d, schema.n ? schema : v[CHANGE_SCHEMA].bytes, table, &t, err);
	if (rc < 0)
		return rc;
	if (v[CHANGE_IS_DDL].n)
		return put_statement(d, t, v, table.n == 0, m, err);
	if (!t->keep) {
		d->s->counts.skipped++;
		return CDC_OK;
	}
	if (type > EVENT_DELETE)
		return cdc_fail(err, CDC_EDATA, "a change of unknown type %llu",
				(unsigned long long)type);
	return canal_pb_rows(d, t, names[type], store, m, err);
}

static int set_source(struct canal_pb *d, struct cdc_err *err)
{
	static const struct cdc_str names[] = {
		[CANAL_PB_ORACLE] = { "Oracle", 6 },
		[CANAL_PB_MYSQL] = { "MySQL", 5 },
		[CANAL_PB_PGSQL] = { "PostgreSQL", 10 },
	};
	uint64_t type = d->header[CANAL_PB_SOURCE_TYPE].n;

	type = type ? type : CANAL_PB_MYSQL;
	if (type == d->source_type)
		return CDC_OK;
	if (type > CANAL_PB_PGSQL)
		return cdc_fail(err, CDC_EDATA, "an unknown source type %llu",
				(unsigned long long)type);
	d->source_type = type;
	return cdc_change_source(&d->c, names[type], CDC_STR(""), err);
}

static int put_entry(struct canal_pb *d, struct cdc_str text, const struct cdc_message *m,
		     struct cdc_err *err)
{
	struct cdc_str store;
	int rc;

	if (!open_entry(d, text, &store))
		return cdc_fail(err, CDC_EDATA, "an entry of Canal is malformed");
	rc = set_source(d, err);
	if (rc < 0)
		return rc;
	d->transaction = CDC_STR("");
	d->thread_id = 0;
	d->entry = text;
	switch (d->entry_type) {
	case CANAL_PB_ROW_DATA:
		return put_change(d, store, m, err);
	case CANAL_PB_TRANSACTION_BEGIN:
	case CANAL_PB_TRANSACTION_END:
		return put_boundary(d, store, m, err);
	case CANAL_PB_HEARTBEAT:
	case CANAL_PB_GTID_LOG:
		d->s->counts.skipped++;
		return CDC_OK;
	default:
		return cdc_fail(err, CDC_EDATA, "an entry of unknown type %llu",
				(unsigned long long)d->entry_type);
	}
}

/* --- messages ----------------------------------------------------------- */

static int put_batch(struct canal_pb *d, struct cdc_str batch, const struct cdc_message *m,
		     struct cdc_err *err)
{
	struct cdc_pb_value v[BATCH_FIELDS];
	struct cdc_pb r = cdc_pb(batch);
	struct cdc_str entry;
	int rc = CDC_OK;

	if (!cdc_pb_read(batch, batch_fields, BATCH_FIELDS, v))
		return cdc_fail(err, CDC_EDATA, "a batch of Canal is malformed");
	d->batch_id = (int64_t)v[BATCH_ID].n;
	if (!v[BATCH_MESSAGES].has)
		d->s->counts.skipped++;
	while (rc == CDC_OK && cdc_pb_next_bytes(&r, 2, &entry))
		rc = put_entry(d, entry, m, err);
	return rc;
}

static int canal_pb_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_str batch, entry;
	struct canal_pb *d = ctx;
	int rc;

	cdc_change_message(&d->c);
	if (m->is_null || m->value.n == 0) {
		d->s->counts.skipped++;
		return CDC_OK;
	}
	rc = open_message(d, m->value, &batch, &entry, err);
	if (rc < 0)
		return rc;
	d->batch_id = 0;
	return entry.n ? put_entry(d, entry, m, err) : put_batch(d, batch, m, err);
}

static void canal_pb_rejected(void *ctx)
{
	struct canal_pb *d = ctx;

	cdc_change_rejected(&d->c);
}

/* An entry whose header names a log or a schema, and whose change reads as what it says it is. */
static enum cdc_fit canal_pb_probe(void *ctx, const struct cdc_message *m)
{
	struct cdc_str batch, entry, store;
	struct cdc_err ignored = CDC_ERR_INIT;
	struct cdc_pb_value v[CHANGE_FIELDS];
	struct canal_pb *d = ctx;

	if (open_message(d, m->value, &batch, &entry, &ignored) < 0)
		return CDC_FIT_NO;
	if (!entry.n) {
		struct cdc_pb r = cdc_pb(batch);

		if (!cdc_pb_next_bytes(&r, 2, &entry))
			return CDC_FIT_NO;
	}
	if (!open_entry(d, entry, &store) || d->entry_type > CANAL_PB_GTID_LOG ||
	    d->header[CANAL_PB_SOURCE_TYPE].n > CANAL_PB_PGSQL ||
	    (!d->header[CANAL_PB_LOG_FILE].bytes.n && !d->header[CANAL_PB_SCHEMA].bytes.n) ||
	    !cdc_utf8_valid(d->header[CANAL_PB_SCHEMA].bytes.p, d->header[CANAL_PB_SCHEMA].bytes.n))
		return CDC_FIT_NO;
	if (d->entry_type == CANAL_PB_ROW_DATA &&
	    (!store.n || !cdc_pb_read(store, change_fields, CHANGE_FIELDS, v)))
		return CDC_FIT_NO;
	return CDC_FIT_YES;
}

const struct cdc_format cdc_format_canal_pb = {
	.name = "canal-pb",
	.open = canal_pb_open,
	.close = canal_pb_close,
	.message = canal_pb_message,
	.rejected = canal_pb_rejected,
	.probe = canal_pb_probe,
};
