/*
 * Format binlog: binary logs of MySQL 5.1 to 9 and MariaDB, as files (spec section 5). Events are
 * read one by one; each is a message of its own, so that a damaged one is a reject. Rows are
 * printed as they come: only an XA transaction is held, until it is known how it ended.
 */
#include "source/binlog/binlog_int.h"

#include "source/input/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC                                                                                      \
	"\xfe"                                                                                     \
	"bin"
#define MAGIC_BYTES 4
#define HEADER_BYTES 19
#define CHECKSUM_BYTES 4
#define FLAG_IN_USE 1
#define PLAIN_FACTOR 4 /* a decompressed event may be so many times the largest message */
#define FILE_NO_SHIFT 40 /* of a recordID: the rest counts the records of the file */

enum event {
	EV_QUERY = 2,
	EV_ROTATE = 4,
	EV_FORMAT_DESCRIPTION = 15,
	EV_XID = 16,
	EV_TABLE_MAP = 19,
	EV_WRITE_ROWS_V0 = 20,
	EV_DELETE_ROWS_V1 = 25,
	EV_INCIDENT = 26,
	EV_WRITE_ROWS = 30,
	EV_DELETE_ROWS = 32,
	EV_GTID = 33,
	EV_ANONYMOUS_GTID = 34,
	EV_XA_PREPARE = 38,
	EV_PARTIAL_UPDATE_ROWS = 39,
	EV_TRANSACTION_PAYLOAD = 40,
	EV_GTID_TAGGED = 42,
	EV_MARIADB_GTID = 162,
	EV_START_ENCRYPTION = 164,
	EV_QUERY_COMPRESSED = 165,
	EV_WRITE_ROWS_COMPRESSED_V1 = 166,
	EV_DELETE_ROWS_COMPRESSED = 171
};

static void binlog_close(void *ctx)
{
	struct binlog *b = ctx;

	binlog_tables_forget(b);
	free(b->table);
	cdc_map_free(&b->tables);
	cdc_change_free(&b->c);
	cdc_charsets_free(&b->charsets);
	cdc_ddl_free(&b->given);
	cdc_ddl_free(&b->seen);
	cdc_buf_free(&b->plain);
	cdc_buf_free(&b->rows);
	cdc_buf_free(&b->value);
	free(b->before);
	cdc_buf_free(&b->text);
	cdc_buf_free(&b->name);
	binlog_xa_free(b);
	free(b);
}

static int binlog_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct binlog *b = calloc(1, sizeof(*b));
	size_t max = s->record_max <= SIZE_MAX / PLAIN_FACTOR ? s->record_max * PLAIN_FACTOR
							      : s->record_max;
	int rc;

	if (!b)
		return cdc_fail_nomem(err);
	b->s = s;
	b->plain.max = b->rows.max = b->value.max = max;
	b->xa.held_max = max;
	rc = cdc_change_init(&b->c, s, CDC_STR("MySQL"), CDC_STR(""), err);
	if (rc == CDC_OK)
		rc = cdc_ddl_given(&b->given, s->opt.schema, err);
	if (rc < 0)
		binlog_close(b);
	else
		*ctx = b;
	return rc;
}

/* --- records ------------------------------------------------------------ */

static int64_t record_id(const struct binlog *b)
{
	return (int64_t)(b->file_no << FILE_NO_SHIFT | b->ordinal);
}

void binlog_begin(struct binlog *b, struct cdc_change_table *t, struct cdc_str name,
		  const char *type)
{
	int64_t us = b->commit_us ? (int64_t)b->commit_us : (int64_t)b->event_time_s * 1000000;
	char place[300];

	if (t)
		cdc_change_begin(&b->c, t, type, record_id(b), true, us);
	else
		cdc_change_begin_named(&b->c, name, type, record_id(b), true, us);
	if (b->gtid[0])
		cdc_change_tag(&b->c, CDC_STR("gtid"), cdc_str_z(b->gtid));
	cdc_change_tag_int(&b->c, CDC_STR("server_id"), b->server_id);
	if (b->has_thread)
		cdc_change_tag_int(&b->c, CDC_STR("thread_id"), b->thread_id);
	if (b->file[0]) {
		(void)snprintf(place, sizeof(place), "%s:%llu", b->file,
			       (unsigned long long)b->offset);
		cdc_change_tag(&b->c, CDC_STR("sourcePosition"), cdc_str_z(place));
	}
}

int binlog_put(struct binlog *b, struct cdc_str name, const char *type, struct cdc_str ddl,
	       const struct cdc_message *m, struct cdc_err *err)
{
	b->ordinal++;
	binlog_begin(b, NULL, name, type);
	cdc_change_ddl(&b->c, ddl);
	return cdc_change_end(&b->c, m, err);
}

int binlog_boundary(struct binlog *b, const char *type, const struct cdc_message *m,
		    struct cdc_err *err)
{
	if (b->s->opt.control)
		return binlog_put(b, CDC_STR(""), type, (struct cdc_str)CDC_STR_INIT, m, err);
	b->ordinal++;
	b->s->counts.skipped++;
	return CDC_OK;
}

/* --- the log ------------------------------------------------------------ */

/* The number at the end of a name: mysql-bin.000123 -> 123. */
static uint64_t number_of(const char *name)
{
	const char *dot = strrchr(name, '.');
	uint64_t v = 0;

	if (!dot || !dot[1])
		return 0;
	for (const char *p = dot + 1; *p; p++) {
		if (*p < '0' || *p > '9' || v >= UINT64_C(1) << 20)
			return 0;
		v = v * 10 + (uint64_t)(*p - '0');
	}
	return v < UINT64_C(1) << 22 ? v : 0;
}

/* A log begins: its name is the file's, or what the log before called its successor. */
static void begin_log(struct binlog *b, const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash ? slash + 1 : file;

	if (number_of(base))
		(void)snprintf(b->file, sizeof(b->file), "%s", base);
	else
		(void)snprintf(b->file, sizeof(b->file), "%s", b->next_file);
	b->next_file[0] = '\0';
	b->file_no = number_of(b->file);
	b->ordinal = 0;
	b->has_fde = false;
	b->checksums = false;
	b->n_mapped = 0;
	binlog_begin_transaction(b);
}

static int format_description(struct binlog *b, struct cdc_str event, struct cdc_err *err)
{
	struct binlog_cur c = binlog_cur(event);
	struct cdc_str version;
	uint64_t number, header, lengths;
	unsigned algorithm = 0;
	bool has_algorithm;

	(void)binlog_take(&c, HEADER_BYTES);
	number = binlog_le(&c, 2);
	version = binlog_bytes(&c, 50);
	(void)binlog_le(&c, 4);
	header = binlog_le(&c, 1);
	if (c.bad || number != 4 || header != HEADER_BYTES)
		return cdc_fail(err, CDC_EDATA, "a binlog of version %llu, which is not read",
				(unsigned long long)number);
	(void)snprintf(b->version, sizeof(b->version), "%.*s", 50, version.p);
	b->mariadb = strstr(b->version, "MariaDB") != NULL;
	/* Newer servers end it with the checksum's kind and room for one (spec 5.1). */
	lengths = binlog_left(&c);
	has_algorithm = lengths > 5 &&
			(b->mariadb || b->version[0] >= '6' || strncmp(b->version, "5.6", 3) == 0 ||
			 strncmp(b->version, "5.7", 3) == 0 || strncmp(b->version, "10.", 3) == 0 ||
			 lengths >= 35 + 5);
	if (has_algorithm)
		algorithm = c.p[lengths - 5];
	b->checksums = algorithm == 1;
	if (algorithm > 1 && algorithm != 255)
		return cdc_fail(err, CDC_EDATA, "a binlog with checksums of kind %u", algorithm);
	b->table_id_bytes = lengths >= EV_TABLE_MAP && c.p[EV_TABLE_MAP - 1] == 6 ? 4 : 6;
	b->has_fde = true;
	return cdc_change_source(&b->c, b->mariadb ? CDC_STR("MariaDB") : CDC_STR("MySQL"),
				 cdc_str_z(b->version), err);
}

static int check_sum(const struct binlog *b, struct cdc_str event, struct cdc_err *err)
{
	uint32_t want;

	if (!b->checksums)
		return CDC_OK;
	if (event.n < HEADER_BYTES + CHECKSUM_BYTES)
		return cdc_fail(err, CDC_EDATA, "an event is too short for its checksum");
	want = cdc_le32(event.p + event.n - CHECKSUM_BYTES);
	if (cdc_crc32(cdc_str(event.p, event.n - CHECKSUM_BYTES)) != want)
		return cdc_fail(err, CDC_EDATA, "an event has a wrong checksum");
	return CDC_OK;
}

/* --- events ------------------------------------------------------------- */

static int rotate(struct binlog *b, struct cdc_str body, struct cdc_err *err)
{
	if (body.n < 8)
		return cdc_fail(err, CDC_EDATA, "a rotate event is damaged");
	(void)snprintf(b->next_file, sizeof(b->next_file), "%.*s",
		       (int)(body.n - 8 < 200 ? body.n - 8 : 200), body.p + 8);
	b->s->counts.skipped++;
	return CDC_OK;
}

static int table_map(struct binlog *b, struct cdc_str body, struct cdc_err *err)
{
	struct binlog_cur c = binlog_cur(body);
	uint64_t id = binlog_le(&c, b->table_id_bytes);

	if (c.bad)
		return cdc_fail(err, CDC_EDATA, "a table map is damaged");
	b->s->counts.skipped++;
	return binlog_table_map(b, id, cdc_str((const char *)c.p, binlog_left(&c)), err);
}

static bool is_rows(uint8_t type)
{
	return (type >= EV_WRITE_ROWS_V0 && type <= EV_DELETE_ROWS_V1) ||
	       (type >= EV_WRITE_ROWS && type <= EV_DELETE_ROWS) ||
	       type == EV_PARTIAL_UPDATE_ROWS ||
	       (type >= EV_WRITE_ROWS_COMPRESSED_V1 && type <= EV_DELETE_ROWS_COMPRESSED);
}

static int dispatch(struct binlog *b, struct cdc_str body, const struct cdc_message *m,
		    struct cdc_err *err)
{
	if (b->xa.open && (is_rows(b->event_type) || b->event_type == EV_TABLE_MAP))
		return binlog_xa_keep(b, cdc_str(m->value.p, HEADER_BYTES + body.n), err);
	if (is_rows(b->event_type))
		return binlog_rows(b, m, body, err);
	switch (b->event_type) {
	case EV_QUERY:
		return binlog_query(b, body, false, m, err);
	case EV_QUERY_COMPRESSED:
		return binlog_query(b, body, true, m, err);
	case EV_TABLE_MAP:
		return table_map(b, body, err);
	case EV_XID:
		return binlog_boundary(b, "COMMIT", m, err);
	case EV_GTID:
	case EV_ANONYMOUS_GTID:
		b->s->counts.skipped++;
		return binlog_gtid(b, body, b->event_type == EV_ANONYMOUS_GTID, err);
	case EV_GTID_TAGGED:
		b->s->counts.skipped++;
		return binlog_gtid_tagged(b, body, err);
	case EV_MARIADB_GTID:
		return binlog_gtid_mariadb(b, body, m, err);
	case EV_XA_PREPARE:
		return binlog_xa_prepare(b, body, err);
	case EV_ROTATE:
		return rotate(b, body, err);
	case EV_INCIDENT:
		return cdc_fail(err, CDC_EDATA,
				"the server lost events here (an incident): the log has a gap");
	default:
		b->s->counts.skipped++;
		return CDC_OK;
	}
}

/* One event: its head is whole, its length that of the message. */
static int binlog_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct binlog *b = ctx;
	struct binlog_cur c = binlog_cur(m->value);
	size_t tail = b->checksums ? CHECKSUM_BYTES : 0;
	int rc;

	cdc_change_message(&b->c);
	b->event_time_s = (uint32_t)binlog_le(&c, 4);
	b->event_type = (uint8_t)binlog_le(&c, 1);
	b->server_id = (uint32_t)binlog_le(&c, 4);
	b->offset = m->offset;
	/* An event of a payload has no checksum, the payload had; one that was held lost its own.
	 */
	if (m->index)
		tail = 0;
	rc = tail ? check_sum(b, m->value, err) : CDC_OK;
	if (rc < 0)
		return rc;
	if (m->value.n < HEADER_BYTES + tail)
		return cdc_fail(err, CDC_EDATA, "an event is too short");
	return dispatch(b, cdc_str(m->value.p + HEADER_BYTES, m->value.n - HEADER_BYTES - tail), m,
			err);
}

static void binlog_rejected(void *ctx)
{
	struct binlog *b = ctx;

	cdc_change_rejected(&b->c);
}

/* The event, then what it commits. */
static int run_event(struct binlog *b, const struct cdc_message *m, struct cdc_err *err)
{
	int rc = cdc_source_message(b->s, m, err);

	return rc == CDC_OK && b->xa.due.len ? binlog_xa_replay(b, m, err) : rc;
}

/* --- payloads ----------------------------------------------------------- */

/* The fields of a TRANSACTION_PAYLOAD event: kind of compression, size, then the bytes. */
static int unpack(struct binlog *b, struct cdc_str body, struct cdc_str *plain, struct cdc_err *err)
{
	struct binlog_cur c = binlog_cur(body);
	uint64_t compression = 255, size = UINT64_MAX;

	while (!c.bad) {
		uint64_t type = binlog_lenenc(&c), length;
		struct binlog_cur v;

		if (type == 0)
			break;
		length = binlog_lenenc(&c);
		v = binlog_cur(binlog_bytes(&c, length));
		if (type == 1)
			size = binlog_lenenc(&v);
		else if (type == 2)
			compression = binlog_lenenc(&v);
	}
	if (c.bad || (size != UINT64_MAX && size > binlog_left(&c)))
		return cdc_fail(err, CDC_EDATA, "a transaction payload is damaged");
	*plain = cdc_str((const char *)c.p, size == UINT64_MAX ? binlog_left(&c) : (size_t)size);
	if (compression == 255)
		return CDC_OK;
	if (compression != 0)
		return cdc_fail(err, CDC_EDATA, "a transaction payload with compression %llu",
				(unsigned long long)compression);
	if (cdc_unpack_zstd(*plain, &b->plain, err) < 0)
		return err->code;
	*plain = cdc_buf_str(&b->plain);
	return CDC_OK;
}

/* The events inside, each a message at the payload's place; index tells them apart. */
static int run_payload(struct binlog *b, const struct cdc_message *outer, struct cdc_err *err)
{
	struct cdc_message m = *outer;
	size_t tail = b->checksums ? CHECKSUM_BYTES : 0;
	struct cdc_str plain;
	int rc = check_sum(b, outer->value, err);

	if (rc == CDC_OK && outer->value.n < HEADER_BYTES + tail)
		rc = cdc_fail(err, CDC_EDATA, "a transaction payload is damaged");
	if (rc == CDC_OK)
		rc = unpack(b,
			    cdc_str(outer->value.p + HEADER_BYTES,
				    outer->value.n - HEADER_BYTES - tail),
			    &plain, err);
	while (rc == CDC_OK && plain.n) {
		uint32_t size = plain.n >= HEADER_BYTES ? cdc_le32(plain.p + 9) : 0;

		m.index++;
		if (size < HEADER_BYTES || size > plain.n ||
		    plain.p[4] == (char)EV_TRANSACTION_PAYLOAD) {
			rc = cdc_fail(err, CDC_EDATA, "an event in a payload is damaged");
			break;
		}
		m.value = cdc_str(plain.p, size);
		rc = run_event(b, &m, err);
		if (rc < 0)
			return rc;
		plain = cdc_str(plain.p + size, plain.n - size);
	}
	return rc == CDC_EDATA ? cdc_source_reject(b->s, outer->offset, 0, outer->value, err) : rc;
}

/* --- the input ---------------------------------------------------------- */

/* Bytes that cannot be an event: what follows has no boundaries. */
static int lost(struct binlog *b, struct cdc_reader *r, const char *what, struct cdc_err *err)
{
	cdc_fail(err, CDC_EDATA, "%s", what);
	cdc_err_offset(err, cdc_reader_offset(r));
	(void)b;
	return CDC_EDATA;
}

/* A magic: at the start, and again where logs were put one behind the other. */
static int take_magic(struct binlog *b, struct cdc_reader *r, struct cdc_str head, bool first,
		      bool *taken, struct cdc_err *err)
{
	*taken = head.n >= MAGIC_BYTES && memcmp(head.p, MAGIC, MAGIC_BYTES) == 0;
	if (head.n >= MAGIC_BYTES && memcmp(head.p,
					    "\xfd"
					    "bin",
					    MAGIC_BYTES) == 0)
		return cdc_fail(err, CDC_EDATA, "an encrypted binlog, which cannot be read");
	if (!*taken)
		return first ? lost(b, r, "not a binlog: it has no magic", err) : CDC_OK;
	begin_log(b, first ? b->s->file : "");
	cdc_reader_skip(r, MAGIC_BYTES);
	return CDC_OK;
}

/* The length of the event at the reader; CDC_END when the log ends, or is cut off, here. */
static int event_size(struct binlog *b, struct cdc_reader *r, struct cdc_str head, uint32_t *size,
		      struct cdc_err *err)
{
	if (head.n == 0)
		return CDC_END;
	if (head.n < HEADER_BYTES) {
		cdc_fail(err, CDC_EDATA, "the log ends inside an event");
		return cdc_source_reject(b->s, cdc_reader_offset(r), 0, head, err) < 0 ? err->code
										       : CDC_END;
	}
	*size = cdc_le32(head.p + 9);
	if (*size < HEADER_BYTES)
		return lost(b, r, "an event has an impossible length", err);
	if (*size > b->s->record_max)
		return lost(b, r, "an event is longer than --memory allows", err);
	return CDC_OK;
}

static int take_event(struct binlog *b, struct cdc_message *m, struct cdc_err *err)
{
	uint8_t type = (uint8_t)m->value.p[4];

	if (type == EV_START_ENCRYPTION)
		return cdc_fail(err, CDC_EDATA, "an encrypted binlog, which cannot be read");
	if (type == EV_FORMAT_DESCRIPTION)
		return format_description(b, m->value, err);
	if (!b->has_fde)
		return cdc_fail(err, CDC_EDATA,
				"a binlog does not begin with a format description");
	if (type == EV_TRANSACTION_PAYLOAD)
		return run_payload(b, m, err);
	return run_event(b, m, err);
}

static int binlog_stream(void *ctx, struct cdc_reader *r, struct cdc_err *err)
{
	struct binlog *b = ctx;
	struct cdc_message m = { .file = b->s->file };
	bool first = true, taken = false;
	struct cdc_str head;
	uint32_t size = 0;
	int rc;

	for (;; first = false) {
		rc = cdc_source_peek(b->s, r, HEADER_BYTES, &head, err);
		if (rc == CDC_OK)
			rc = take_magic(b, r, head, first, &taken, err);
		if (rc < 0 || (taken && head.n == MAGIC_BYTES))
			break;
		if (taken)
			continue;
		rc = event_size(b, r, head, &size, err);
		if (rc != CDC_OK)
			break;
		rc = cdc_source_peek(b->s, r, size, &head, err);
		if (rc < 0)
			break;
		m.offset = cdc_reader_offset(r);
		if (head.n < size) {
			cdc_fail(err, CDC_EDATA, "the log ends inside an event");
			rc = cdc_source_reject(b->s, m.offset, 0, head, err);
			break;
		}
		m.value = cdc_str(head.p, size);
		rc = take_event(b, &m, err);
		if (rc < 0)
			break;
		cdc_reader_skip(r, size);
	}
	return rc == CDC_END ? CDC_OK : rc;
}

const struct cdc_format cdc_format_binlog = {
	.name = "binlog",
	.magic = MAGIC,
	.open = binlog_open,
	.close = binlog_close,
	.message = binlog_message,
	.rejected = binlog_rejected,
	.stream = binlog_stream,
};
