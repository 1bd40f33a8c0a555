/*
 * Canal's protobuf, put together field by field after the description of its messages: rows of each
 * kind against what the same change gives as JSON, statements, transactions, packets, damage.
 */
#include "harness.h"

#include "source/canal/protobuf.h"

#include <zlib.h>

struct bytes {
	unsigned char p[8192];
	size_t n;
};

static void put_byte(struct bytes *b, unsigned c)
{
	assert_true(b->n < sizeof(b->p));
	b->p[b->n++] = (unsigned char)c;
}

static void put_varint(struct bytes *b, uint64_t v)
{
	for (; v > 0x7f; v >>= 7)
		put_byte(b, (unsigned)(v & 0x7f) | 0x80);
	put_byte(b, (unsigned)v);
}

static void put_number(struct bytes *b, unsigned field, uint64_t v)
{
	put_varint(b, field << 3);
	put_varint(b, v);
}

static void put_raw(struct bytes *b, unsigned field, const void *p, size_t n)
{
	put_varint(b, field << 3 | 2);
	put_varint(b, n);
	for (size_t i = 0; i < n; i++)
		put_byte(b, ((const unsigned char *)p)[i]);
}

static void put_text(struct bytes *b, unsigned field, const char *z)
{
	put_raw(b, field, z, strlen(z));
}

static void put_message(struct bytes *b, unsigned field, const struct bytes *m)
{
	put_raw(b, field, m->p, m->n);
}

/* --- Canal's messages --------------------------------------------------- */

enum { BEGIN = 1, ROWS = 2, END = 3, HEARTBEAT = 4, GTIDLOG = 5 };
enum {
	INSERT = 1,
	UPDATE = 2,
	DELETE = 3,
	QUERY = 7,
	TRUNCATE = 8,
	GTID = 12,
	XA_COMMIT = 13,
	XA_ROLLBACK = 14
};

/* The table of the entries that are put. */
static const char *table = "t";

/* A column of an image (field 1 or 2 of a row). value NULL: null. */
static void put_column(struct bytes *row, unsigned image, unsigned index, const char *name,
		       bool key, const char *type, const char *value)
{
	struct bytes c = { .n = 0 }, prop = { .n = 0 };

	if (index)
		put_number(&c, 1, index);
	put_number(&c, 2, 4);
	put_text(&c, 3, name);
	if (key)
		put_number(&c, 4, 1);
	put_number(&c, 5, 1);
	put_number(&c, 6, value == NULL);
	put_text(&prop, 1, "k");
	put_message(&c, 7, &prop);
	if (value && value[0])
		put_text(&c, 8, value);
	put_number(&c, 9, 3);
	put_text(&c, 10, type);
	put_message(row, image, &c);
}

static void put_header(struct bytes *entry, unsigned event)
{
	struct bytes h = { .n = 0 };

	put_number(&h, 1, 1);
	put_text(&h, 2, "mysql-bin.000007");
	put_number(&h, 3, 4242);
	put_number(&h, 4, 11);
	put_text(&h, 5, "UTF-8");
	put_number(&h, 6, 1573701065120);
	put_number(&h, 7, 2);
	put_text(&h, 8, "shop");
	put_text(&h, 9, table);
	put_number(&h, 10, 99);
	put_number(&h, 11, event);
	put_text(&h, 13, "u:5");
	put_message(entry, 1, &h);
}

static void put_entry(struct bytes *batch, unsigned type, unsigned event, const struct bytes *store)
{
	struct bytes e = { .n = 0 };

	put_header(&e, event);
	put_number(&e, 2, type);
	put_message(&e, 3, store);
	put_message(batch, 2, &e);
}

/* A RowChange with one row. */
static void put_rows(struct bytes *batch, unsigned event, const struct bytes *row)
{
	struct bytes change = { .n = 0 };

	put_number(&change, 1, 77);
	put_number(&change, 2, event);
	put_number(&change, 10, 0);
	if (row)
		put_message(&change, 12, row);
	put_entry(batch, ROWS, event, &change);
}

static void packet(struct bytes *p, unsigned compression, const void *body, size_t n)
{
	p->n = 0;
	put_number(p, 2, 1);
	put_number(p, 3, 7);
	if (compression)
		put_number(p, 4, compression);
	put_raw(p, 5, body, n);
}

/* --- the run ------------------------------------------------------------ */

static void run(struct harness *h, const struct cdc_source_options *more, const struct bytes *m)
{
	struct cdc_source_options opt = *more;

	if (!opt.format)
		opt.format = "canal-pb";
	opt.framing = "single";
	harness_run(h, &opt, m->p, m->n, false);
	assert_int_equal(h->rc, CDC_OK);
}

static void expect(struct harness *h, const struct bytes *batch, const char *out)
{
	static const struct cdc_source_options plain = { .format = NULL };
	struct bytes p;

	packet(&p, 0, batch->p, batch->n);
	run(h, &plain, &p);
	assert_string_equal(cdc_buf_z(&h->reasons), "");
	assert_string_equal(harness_out(h), out);
}

static void expect_reject(struct harness *h, const struct bytes *m, const char *reason)
{
	static const struct cdc_source_options plain = { .format = NULL };

	run(h, &plain, m);
	assert_int_equal(h->rejects, 1);
	assert_string_equal(cdc_buf_z(&h->reasons), reason);
	assert_string_equal(harness_out(h), "");
}

#define SOURCE "\"source\":{\"sourceType\":\"MySQL\",\"version\":\"\"}"
#define TAGS                                                                                       \
	"\"extraTags\":{\"gtid\":\"u:5\",\"server_id\":\"11\","                                    \
	"\"sourcePosition\":\"mysql-bin.000007:4242\"}"
#define HEAD(type)                                                                                 \
	"{\"recordID\":1," SOURCE ",\"dbTable\":\"shop.t\",\"recordType\":\"" type "\","           \
	"\"recordTimestamp\":\"2019-11-14T03:11:05.120Z\"," TAGS
#define POSITION "\"position\":{\"file\":\"in\",\"offset\":0}}\n"
#define SCHEMA                                                                                     \
	"{\"recordType\":\"SCHEMA\",\"dbTable\":\"shop.t\",\"columns\":["                          \
	"{\"name\":\"id\",\"type\":\"bigint unsigned\",\"nullable\":false,"                        \
	"\"sourceType\":\"bigint(20) unsigned\"},"                                                 \
	"{\"name\":\"v\",\"type\":\"varchar(10)\",\"nullable\":true,"                              \
	"\"sourceType\":\"varchar(10)\"}],\"primaryKey\":[\"id\"]}\n"
#define FIELDS "\"fields\":[\"id\",\"v\"]"

static void id_and_v(struct bytes *row, unsigned image, const char *id, const char *v)
{
	put_column(row, image, 0, "id", true, "bigint(20) unsigned", id);
	put_column(row, image, 1, "v", false, "varchar(10)", v);
}

/* The kinds of rows; null, the empty string, and an image of all columns before an update. */
static void test_rows(void **state)
{
	struct bytes batch = { .n = 0 }, row = { .n = 0 };
	struct harness h = { .rejects = 0 };

	(void)state;
	id_and_v(&row, 2, "18446744073709551615", "");
	put_rows(&batch, INSERT, &row);
	row.n = 0;
	id_and_v(&row, 1, "1", "a");
	id_and_v(&row, 2, "1", NULL);
	put_rows(&batch, UPDATE, &row);
	row.n = 0;
	id_and_v(&row, 1, "1", "\xc3\xa4");
	put_rows(&batch, DELETE, &row);
	expect(&h, &batch,
	       SCHEMA HEAD(
		       "INSERT") "," FIELDS ",\"beforeImages\":{},\"afterImages\":{"
				 "\"id\":\"18446744073709551615\",\"v\":\"\"}," POSITION HEAD(
					 "UPDATE") "," FIELDS
						   ",\"beforeImages\":{\"id\":\"1\",\"v\":\"a\"},\"afterImages\":{"
						   "\"id\":\"1\",\"v\":null}," POSITION HEAD(
							   "DELETE") "," FIELDS
								     ",\"beforeImages\":{\"id\":\"1\",\"v\":\"\xc3\xa4\"},"
								     "\"afterImages\":{}," POSITION);
	harness_free(&h);
}

/* A row with one column of each kind, as both of Canal's forms have it. */
static const struct {
	const char *type;
	const char *value;
} kinds[] = {
	{ "tinyint(1)", "-1" },
	{ "decimal(10,2)", "12.30" },
	{ "float", "1.5" },
	{ "double", "1.0E10" },
	{ "bit(8)", "170" },
	{ "date", "2019-11-14" },
	{ "time(3)", "-12:00:01.500" },
	{ "datetime(6)", "2019-11-14 03:11:05.120000" },
	{ "timestamp", "2019-11-14 03:11:05" },
	{ "year(4)", "2019" },
	{ "enum('a','b')", "2" },
	{ "set('x','y','z')", "5" },
	{ "json", "{\\\"a\\\": 1}" },
	{ "varbinary(4)", "\xc2\x80\x01\xc3\xbf" },
	{ "text", "\xe2\x82\xac" },
	{ "geometry", "" },
};

static void test_as_json(void **state)
{
	enum { N = sizeof(kinds) / sizeof(kinds[0]) };
	struct cdc_source_options opt = { .format = "canal-pb" };
	struct bytes batch = { .n = 0 }, row = { .n = 0 }, p;
	struct harness a = { .rejects = 0 }, b = { .rejects = 0 };
	struct cdc_buf json = CDC_BUF_INIT;
	struct cdc_err err;
	const char *pb, *js;
	int rc = CDC_OK;

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		char name[8], plain[64];
		size_t n = 0;

		snprintf(name, sizeof(name), "c%u", i);
		for (const char *q = kinds[i].value; *q; q++) {
			if (*q != '\\')
				plain[n++] = *q;
		}
		plain[n] = '\0';
		put_column(&row, 2, i, name, i == 0, kinds[i].type, plain);
	}
	put_rows(&batch, INSERT, &row);
	packet(&p, 1, batch.p, batch.n);
	run(&a, &opt, &p);
	rc |= cdc_buf_puts(&json, "{\"data\":[{", &err);
	for (unsigned i = 0; i < N; i++)
		rc |= cdc_buf_printf(&json, &err, "%s\"c%u\":\"%s\"", i ? "," : "", i,
				     strcmp(kinds[i].type, "varbinary(4)") == 0
					     ? "\xc2\x80\\u0001\xc3\xbf"
					     : kinds[i].value);
	rc |= cdc_buf_puts(&json,
			   "}],\"database\":\"shop\",\"es\":1573701065120,\"id\":0,"
			   "\"isDdl\":false,\"gtid\":\"u:5\",\"pkNames\":[\"c0\"],\"mysqlType\":{",
			   &err);
	for (unsigned i = 0; i < N; i++)
		rc |= cdc_buf_printf(&json, &err, "%s\"c%u\":\"%s\"", i ? "," : "", i,
				     kinds[i].type);
	rc |= cdc_buf_puts(&json, "},\"table\":\"t\",\"type\":\"INSERT\"}", &err);
	assert_int_equal(rc, CDC_OK);
	opt = (struct cdc_source_options){ .format = "canal", .framing = "single" };
	harness_run(&b, &opt, json.p, json.len, false);
	assert_string_equal(cdc_buf_z(&b.reasons), "");
	assert_string_equal(cdc_buf_z(&a.reasons), "");
	/* But for the tags the same bytes: the SCHEMA record, and what follows the tags. */
	pb = harness_out(&a);
	js = harness_out(&b);
	assert_non_null(strstr(pb, "\"fields\""));
	assert_string_equal(strstr(pb, "\"fields\""), strstr(js, "\"fields\""));
	assert_memory_equal(pb, js, (size_t)(strstr(js, "\"extraTags\"") - js));
	assert_non_null(strstr(pb, "\"c10\":\"b\",\"c11\":\"x,z\""));
	assert_non_null(strstr(pb, "\"c13\":\"gAH/\""));
	cdc_buf_free(&json);
	harness_free(&a);
	harness_free(&b);
}

/* Under a minimal row image the columns come in parts: what is not there is unknown. */
static void test_partial(void **state)
{
	struct bytes batch = { .n = 0 }, row = { .n = 0 };
	struct harness h = { .rejects = 0 };

	(void)state;
	put_column(&row, 1, 0, "id", true, "bigint(20) unsigned", "1");
	put_column(&row, 2, 1, "v", false, "varchar(10)", "b");
	put_rows(&batch, UPDATE, &row);
	row.n = 0;
	put_column(&row, 1, 0, "id", true, "bigint(20) unsigned", "1");
	put_rows(&batch, DELETE, &row);
	expect(&h, &batch,
	       SCHEMA HEAD(
		       "UPDATE") "," FIELDS ",\"beforeImages\":{\"id\":\"1\"},"
				 "\"afterImages\":{\"v\":\"b\"}," POSITION HEAD(
					 "DELETE") "," FIELDS
						   ",\"beforeImages\":{\"id\":\"1\"},\"afterImages\":{}," POSITION);
	harness_free(&h);
}

static void put_statement(struct bytes *batch, unsigned event, const char *sql)
{
	struct bytes change = { .n = 0 };

	put_number(&change, 2, event);
	put_number(&change, 10, 1);
	put_text(&change, 11, sql);
	put_text(&change, 14, "shop");
	put_entry(batch, ROWS, event, &change);
}

static void test_statements(void **state)
{
	struct bytes batch = { .n = 0 }, p;
	struct harness h = { .rejects = 0 };

	(void)state;
	put_statement(&batch, QUERY, "ALTER TABLE t ADD x INT");
	put_statement(&batch, TRUNCATE, "TRUNCATE t");
	expect(&h, &batch,
	       HEAD("DDL") ",\"ddl\":\"ALTER TABLE t ADD x INT\"," POSITION HEAD(
		       "DDL") ",\"ddl\":\"TRUNCATE t\"," POSITION HEAD("TRUNCATE") "," POSITION);
	batch.n = 0;
	put_rows(&batch, XA_ROLLBACK, NULL);
	packet(&p, 0, batch.p, batch.n);
	expect_reject(&h, &p,
		      "0:0: an XA transaction is rolled back, whose rows Canal sent when it was "
		      "prepared\n");
	harness_free(&h);
}

/* Edges of transactions are printed only when asked for; marks of the stream never. */
static void test_transactions(void **state)
{
	struct cdc_source_options opt = { .format = "canal-pb", .control = true };
	struct bytes batch = { .n = 0 }, store = { .n = 0 }, p;
	struct harness h = { .rejects = 0 };

	(void)state;
	put_number(&batch, 1, 9);
	put_number(&store, 1, 1573701065120);
	put_number(&store, 4, 33);
	put_entry(&batch, BEGIN, 0, &store);
	store.n = 0;
	put_number(&store, 1, 1573701065120);
	put_text(&store, 2, "1234");
	put_entry(&batch, END, 0, &store);
	put_entry(&batch, HEARTBEAT, 0, &store);
	put_entry(&batch, GTIDLOG, 0, &store);
	put_rows(&batch, GTID, NULL);
	put_rows(&batch, XA_COMMIT, NULL);
	/* The text of a statement, as MariaDB logs it before the statement's rows. */
	put_rows(&batch, QUERY, NULL);
	packet(&p, 0, batch.p, batch.n);
	run(&h, &opt, &p);
	assert_string_equal(
		harness_out(&h),
		"{\"recordID\":1," SOURCE ",\"recordType\":\"BEGIN\","
		"\"recordTimestamp\":\"2019-11-14T03:11:05.120Z\",\"extraTags\":{\"id\":\"9\","
		"\"gtid\":\"u:5\",\"server_id\":\"11\","
		"\"sourcePosition\":\"mysql-bin.000007:4242\",\"thread_id\":\"33\"}," POSITION
		"{\"recordID\":1," SOURCE ",\"recordType\":\"COMMIT\","
		"\"recordTimestamp\":\"2019-11-14T03:11:05.120Z\",\"extraTags\":{\"id\":\"9\","
		"\"gtid\":\"u:5\",\"server_id\":\"11\","
		"\"sourcePosition\":\"mysql-bin.000007:4242\","
		"\"sourceTxid\":\"1234\"}," POSITION);
	opt.control = false;
	run(&h, &opt, &p);
	assert_string_equal(harness_out(&h), "");
	assert_int_equal(h.counts.skipped, 7);
	harness_free(&h);
}

/* Packets of each compression, a batch and an entry by themselves; all are told from their bytes.
 */
static void test_carriage(void **state)
{
	static const struct cdc_source_options automatic = { .format = "auto" };
	struct bytes batch = { .n = 0 }, row = { .n = 0 }, p, entry;
	struct harness h = { .rejects = 0 };
	unsigned char packed[8192];
	uLongf n = sizeof(packed);
	struct cdc_pb r;
	struct cdc_str one;
	char *first;

	(void)state;
	id_and_v(&row, 2, "1", "a");
	put_rows(&batch, INSERT, &row);
	packet(&p, 0, batch.p, batch.n);
	run(&h, &automatic, &p);
	first = strdup(harness_out(&h));
	assert_non_null(first);
	assert_non_null(strstr(first, "\"afterImages\":{\"id\":\"1\",\"v\":\"a\"}"));
	assert_int_equal(compress(packed, &n, batch.p, batch.n), Z_OK);
	packet(&p, 2, packed, n);
	run(&h, &automatic, &p);
	assert_string_equal(harness_out(&h), first);
	run(&h, &automatic, &batch);
	assert_string_equal(harness_out(&h), first);
	r = cdc_pb(cdc_str((const char *)batch.p, batch.n));
	assert_true(cdc_pb_next_bytes(&r, 2, &one));
	memcpy(entry.p, one.p, one.n);
	entry.n = one.n;
	run(&h, &automatic, &entry);
	assert_string_equal(harness_out(&h), first);
	packet(&p, 4, packed, n);
	expect_reject(&h, &p, "0:0: a Canal packet with compression 4 (lzf)\n");
	packet(&p, 3, packed, n);
	run(&h, &(struct cdc_source_options){ .format = NULL }, &p);
	assert_int_equal(h.rejects, 1);
	free(first);
	harness_free(&h);
}

/* What is cut anywhere gives no record, and never more than a reject. */
static void test_damage(void **state)
{
	struct bytes batch = { .n = 0 }, row = { .n = 0 }, p, cut;
	struct harness h = { .rejects = 0 };

	(void)state;
	id_and_v(&row, 2, "1", "a");
	put_rows(&batch, INSERT, &row);
	packet(&p, 0, batch.p, batch.n);
	/* Up to the tag of the body the rest is a packet without one. */
	for (cut = p, cut.n = 5; cut.n < p.n; cut.n++) {
		run(&h, &(struct cdc_source_options){ .format = NULL }, &cut);
		assert_int_equal(h.rejects, 1);
		assert_string_equal(harness_out(&h), "");
	}
	batch.n = 0;
	put_rows(&batch, INSERT, NULL);
	packet(&p, 0, batch.p, batch.n);
	expect_reject(&h, &p, "0:0: a change of rows without rows\n");
	batch.n = row.n = 0;
	id_and_v(&row, 2, "1", "a");
	id_and_v(&row, 2, "2", "b");
	put_rows(&batch, INSERT, &row);
	packet(&p, 0, batch.p, batch.n);
	expect_reject(&h, &p, "0:0: two columns are called id\n");
	harness_free(&h);
}

/* A message with two tables that is rejected at its end announces neither. */
static void test_rejected_batch(void **state)
{
	struct cdc_source_options opt = { .format = "canal-pb", .framing = "kcat" };
	struct bytes good = { .n = 0 }, bad, row = { .n = 0 }, p;
	struct harness h = { .rejects = 0 };
	struct cdc_buf in = CDC_BUF_INIT;

	(void)state;
	id_and_v(&row, 2, "1", "a");
	put_rows(&good, INSERT, &row);
	bad = good;
	table = "other";
	put_rows(&bad, INSERT, &row);
	put_rows(&bad, INSERT, NULL);
	table = "t";
	packet(&p, 0, bad.p, bad.n);
	harness_frame(&in, p.p, p.n);
	packet(&p, 0, good.p, good.n);
	harness_frame(&in, p.p, p.n);
	harness_run(&h, &opt, in.p, in.len, false);
	assert_int_equal(h.rejects, 1);
	assert_memory_equal(harness_out(&h), SCHEMA, strlen(SCHEMA));
	cdc_buf_free(&in);
	harness_free(&h);
}

/* The wire format by itself: lengths past the end, long varints, groups. */
static void test_wire(void **state)
{
	static const struct {
		const char *p;
		size_t n;
		bool good;
	} cases[] = {
		{ "", 0, true },
		{ "\x08\x01", 2, true },
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, true },
		{ "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, false },
		{ "\x08\x80", 2, false },
		{ "\x12\x02"
		  "a",
		  3, false },
		{ "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
		  "a",
		  12, false },
		{ "\x0d\1\2\3\4", 5, true },
		{ "\x0d\1\2\3", 4, false },
		{ "\x09\1\2\3\4\5\6\7\x8", 9, true },
		{ "\x0b\x0c", 2, false },
		{ "\0\1", 2, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cdc_pb r = cdc_pb(cdc_str(cases[i].p, cases[i].n));
		struct cdc_pb_field f;

		while (cdc_pb_next(&r, &f))
			;
		assert_int_equal(!r.bad, cases[i].good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	     cmocka_unit_test(test_as_json),
		cmocka_unit_test(test_partial),	     cmocka_unit_test(test_statements),
		cmocka_unit_test(test_transactions), cmocka_unit_test(test_carriage),
		cmocka_unit_test(test_damage),	     cmocka_unit_test(test_rejected_batch),
		cmocka_unit_test(test_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
