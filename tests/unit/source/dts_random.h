/*
 * Random DTS events for tests: the published layout in our own words, events of every operation
 * with values of every branch through avro-c, and an encoder that splits arrays and maps into
 * blocks.
 */
#ifndef TEST_SOURCE_DTS_RANDOM_H
#define TEST_SOURCE_DTS_RANDOM_H

#include "base/buf.h"

/* avro-c's getters are macros that may leave their result alone, as far as clang can see. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wsometimes-uninitialized"
#endif

#include <avro.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 256

/* --- our own copy of the published layout -------------------------------- */

static const char schema_head[] =
	"{\"namespace\":\"com.alibaba.dts.formats.avro\",\"type\":\"record\",\"name\":\"Record\",\"fields\":["
	"{\"name\":\"version\",\"type\":\"int\"},"
	"{\"name\":\"id\",\"type\":\"long\"},"
	"{\"name\":\"sourceTimestamp\",\"type\":\"long\"},"
	"{\"name\":\"sourcePosition\",\"type\":\"string\"},"
	"{\"name\":\"safeSourcePosition\",\"type\":\"string\",\"default\":\"\"},"
	"{\"name\":\"sourceTxid\",\"type\":\"string\",\"default\":\"\"},"
	"{\"name\":\"source\",\"type\":{\"type\":\"record\",\"name\":\"Source\",\"fields\":["
	"{\"name\":\"sourceType\",\"type\":{\"type\":\"enum\",\"name\":\"SourceType\",\"symbols\":"
	"[\"MySQL\",\"Oracle\",\"SQLServer\",\"PostgreSQL\",\"MongoDB\",\"Redis\",\"DB2\",\"PPAS\",\"DRDS\","
	"\"HBASE\",\"HDFS\",\"FILE\",\"OTHER\"]}},{\"name\":\"version\",\"type\":\"string\"}]}},"
	"{\"name\":\"operation\",\"type\":{\"type\":\"enum\",\"name\":\"Operation\",\"symbols\":"
	"[\"INSERT\",\"UPDATE\",\"DELETE\",\"DDL\",\"BEGIN\",\"COMMIT\",\"ROLLBACK\",\"ABORT\",\"HEARTBEAT\","
	"\"CHECKPOINT\",\"COMMAND\",\"FILL\",\"FINISH\",\"CONTROL\",\"RDB\",\"NOOP\",\"INIT\"]}},"
	"{\"name\":\"objectName\",\"type\":[\"null\",\"string\"]},"
	"{\"name\":\"processTimestamps\",\"type\":[\"null\",{\"type\":\"array\",\"items\":\"long\"}]},"
	"{\"name\":\"tags\",\"type\":{\"type\":\"map\",\"values\":\"string\"}},"
	"{\"name\":\"fields\",\"type\":[\"null\",\"string\",{\"type\":\"array\",\"items\":"
	"{\"type\":\"record\",\"name\":\"Field\",\"fields\":[{\"name\":\"name\",\"type\":\"string\"},"
	"{\"name\":\"dataTypeNumber\",\"type\":\"int\"}]}}]},"
	"{\"name\":\"beforeImages\",\"type\":[\"null\",\"string\",{\"type\":\"array\",\"items\":[\"null\","
	"{\"type\":\"record\",\"name\":\"Integer\",\"fields\":[{\"name\":\"precision\",\"type\":\"int\"},"
	"{\"name\":\"value\",\"type\":\"string\"}]},"
	"{\"type\":\"record\",\"name\":\"Character\",\"fields\":[{\"name\":\"charset\",\"type\":\"string\"},"
	"{\"name\":\"value\",\"type\":\"bytes\"}]},"
	"{\"type\":\"record\",\"name\":\"Decimal\",\"fields\":[{\"name\":\"value\",\"type\":\"string\"},"
	"{\"name\":\"precision\",\"type\":\"int\"},{\"name\":\"scale\",\"type\":\"int\"}]},"
	"{\"type\":\"record\",\"name\":\"Float\",\"fields\":[{\"name\":\"value\",\"type\":\"double\"},"
	"{\"name\":\"precision\",\"type\":\"int\"},{\"name\":\"scale\",\"type\":\"int\"}]},"
	"{\"type\":\"record\",\"name\":\"Timestamp\",\"fields\":[{\"name\":\"timestamp\",\"type\":\"long\"},"
	"{\"name\":\"millis\",\"type\":\"int\"}]},"
	"{\"type\":\"record\",\"name\":\"DateTime\",\"fields\":[{\"name\":\"year\",\"type\":[\"null\",\"int\"]},"
	"{\"name\":\"month\",\"type\":[\"null\",\"int\"]},{\"name\":\"day\",\"type\":[\"null\",\"int\"]},"
	"{\"name\":\"hour\",\"type\":[\"null\",\"int\"]},{\"name\":\"minute\",\"type\":[\"null\",\"int\"]},"
	"{\"name\":\"second\",\"type\":[\"null\",\"int\"]},{\"name\":\"millis\",\"type\":[\"null\",\"int\"]}]},"
	"{\"type\":\"record\",\"name\":\"TimestampWithTimeZone\",\"fields\":["
	"{\"name\":\"value\",\"type\":\"DateTime\"},{\"name\":\"timezone\",\"type\":\"string\"}]},"
	"{\"type\":\"record\",\"name\":\"BinaryGeometry\",\"fields\":[{\"name\":\"type\",\"type\":\"string\"},"
	"{\"name\":\"value\",\"type\":\"bytes\"}]},"
	"{\"type\":\"record\",\"name\":\"TextGeometry\",\"fields\":[{\"name\":\"type\",\"type\":\"string\"},"
	"{\"name\":\"value\",\"type\":\"string\"}]},"
	"{\"type\":\"record\",\"name\":\"BinaryObject\",\"fields\":[{\"name\":\"type\",\"type\":\"string\"},"
	"{\"name\":\"value\",\"type\":\"bytes\"}]},"
	"{\"type\":\"record\",\"name\":\"TextObject\",\"fields\":[{\"name\":\"type\",\"type\":\"string\"},"
	"{\"name\":\"value\",\"type\":\"string\"}]},"
	"{\"type\":\"enum\",\"name\":\"EmptyObject\",\"symbols\":[\"NULL\",\"NONE\"]}]}]},"
	"{\"name\":\"afterImages\",\"type\":[\"null\",\"string\",{\"type\":\"array\",\"items\":[\"null\","
	"\"Integer\",\"Character\",\"Decimal\",\"Float\",\"Timestamp\",\"DateTime\",\"TimestampWithTimeZone\","
	"\"BinaryGeometry\",\"TextGeometry\",\"BinaryObject\",\"TextObject\",\"EmptyObject\"]}]}";
static const char schema_v1_tail[] = "]}";
static const char schema_v2_tail[] =
	",{\"name\":\"bornTimestamp\",\"type\":\"long\",\"default\":0}]}";

enum { INSERT, UPDATE, DELETE, DDL, BEGIN, COMMIT, ROLLBACK, HEARTBEAT = 8, INIT = 16, OPERATIONS };
enum {
	B_NULL,
	B_INTEGER,
	B_CHARACTER,
	B_DECIMAL,
	B_FLOAT,
	B_TIMESTAMP,
	B_DATETIME,
	B_ZONED,
	B_BINARY_GEOMETRY,
	B_TEXT_GEOMETRY,
	B_BINARY_OBJECT,
	B_TEXT_OBJECT,
	B_EMPTY,
	BRANCHES
};

static const char *const operation_names[] = {
	"INSERT",   "UPDATE",  "DELETE",    "DDL",	  "BEGIN",   "COMMIT",
	"ROLLBACK", "ABORT",   "HEARTBEAT", "CHECKPOINT", "COMMAND", "FILL",
	"FINISH",   "CONTROL", "RDB",	    "NOOP",	  "INIT",
};

static uint64_t rng_state = 20191114;
static unsigned long seen_branch[BRANCHES], seen_operation[OPERATIONS], split_blocks;

static uint64_t rnd(void)
{
	uint64_t z = rng_state += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static int below(int n)
{
	return (int)(rnd() % (unsigned)n);
}

/* --- encoding: any avro value, arrays and maps in random blocks ----------- */

static void put_byte(struct cdc_buf *b, int c)
{
	struct cdc_err err;

	assert_int_equal(cdc_buf_putc(b, (char)c, &err), CDC_OK);
}

static void put_bytes(struct cdc_buf *b, const void *p, size_t n)
{
	struct cdc_err err;

	assert_int_equal(cdc_buf_append(b, p, n, &err), CDC_OK);
}

static void put_long(struct cdc_buf *b, int64_t v)
{
	uint64_t u = (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);

	for (; u >= 0x80; u >>= 7)
		put_byte(b, (int)(u & 0x7f) | 0x80);
	put_byte(b, (int)u);
}

static void encode(struct cdc_buf *b, avro_value_t *v);

static void encode_items(struct cdc_buf *b, avro_value_t *v, bool map)
{
	size_t n, i = 0;

	avro_value_get_size(v, &n);
	while (i < n) {
		size_t take = below(3) ? n - i : 1 + (size_t)below((int)(n - i));
		struct cdc_buf items = CDC_BUF_INIT;

		for (size_t end = i + take; i < end; i++) {
			avro_value_t item;
			const char *key = NULL;

			avro_value_get_by_index(v, i, &item, &key);
			if (map) {
				put_long(&items, (int64_t)strlen(key));
				put_bytes(&items, key, strlen(key));
			}
			encode(&items, &item);
		}
		split_blocks += take < n;
		if (below(3) == 0) {
			put_long(b, -(int64_t)take);
			put_long(b, (int64_t)items.len);
		} else {
			put_long(b, (int64_t)take);
		}
		put_bytes(b, items.p, items.len);
		cdc_buf_free(&items);
	}
	put_long(b, 0);
}

static void encode(struct cdc_buf *b, avro_value_t *v)
{
	const void *bytes;
	const char *text;
	avro_value_t child;
	int64_t l;
	int32_t i;
	double d;
	size_t n;
	int k;

	switch ((int)avro_value_get_type(v)) {
	case AVRO_NULL:
		break;
	case AVRO_INT32:
		avro_value_get_int(v, &i);
		put_long(b, i);
		break;
	case AVRO_INT64:
		avro_value_get_long(v, &l);
		put_long(b, l);
		break;
	case AVRO_DOUBLE:
		avro_value_get_double(v, &d);
		put_bytes(b, &d, 8);
		break;
	case AVRO_STRING:
		avro_value_get_string(v, &text, &n);
		put_long(b, (int64_t)n - 1);
		put_bytes(b, text, n - 1);
		break;
	case AVRO_BYTES:
		avro_value_get_bytes(v, &bytes, &n);
		put_long(b, (int64_t)n);
		put_bytes(b, bytes, n);
		break;
	case AVRO_ENUM:
		avro_value_get_enum(v, &k);
		put_long(b, k);
		break;
	case AVRO_UNION:
		avro_value_get_discriminant(v, &k);
		put_long(b, k);
		avro_value_get_current_branch(v, &child);
		encode(b, &child);
		break;
	case AVRO_ARRAY:
	case AVRO_MAP:
		encode_items(b, v, avro_value_get_type(v) == AVRO_MAP);
		break;
	case AVRO_RECORD:
		avro_value_get_size(v, &n);
		for (size_t f = 0; f < n; f++) {
			avro_value_get_by_index(v, f, &child, NULL);
			encode(b, &child);
		}
		break;
	default:
		fail_msg("a type that events do not have");
	}
}

/* --- random events -------------------------------------------------------- */

static avro_value_t member(avro_value_t *v, const char *name)
{
	avro_value_t child;

	assert_int_equal(avro_value_get_by_name(v, name, &child, NULL), 0);
	return child;
}

static avro_value_t branch(avro_value_t *v, int b)
{
	avro_value_t child;

	assert_int_equal(avro_value_set_branch(v, b, &child), 0);
	return child;
}

static void set_string(avro_value_t *v, const char *name, const char *s)
{
	avro_value_t m = member(v, name);

	avro_value_set_string(&m, s);
}

static void set_int(avro_value_t *v, const char *name, int i)
{
	avro_value_t m = member(v, name);

	avro_value_set_int(&m, i);
}

static void set_bytes(avro_value_t *v, const char *name, const void *p, size_t n)
{
	avro_value_t m = member(v, name);
	char copy[TEXT_MAX];

	memcpy(copy, p, n);
	avro_value_set_bytes(&m, copy, n);
}

static const char *const parts[] = { "year", "month", "day", "hour", "minute", "second", "millis" };

static void set_parts(avro_value_t *v, const int part[7])
{
	for (int i = 0; i < 7; i++) {
		avro_value_t m = member(v, parts[i]);
		avro_value_t b = branch(&m, part[i] != INT32_MIN);

		if (part[i] == INT32_MIN)
			avro_value_set_null(&b);
		else
			avro_value_set_int(&b, part[i]);
	}
}

#define NO INT32_MIN

static void random_datetime(avro_value_t *v, bool with_date)
{
	int p[7] = { below(10000),
		     1 + below(12),
		     1 + below(28),
		     below(24),
		     below(60),
		     below(60),
		     below(2) ? below(1000000) : 0 };
	int sign = below(2) ? 1 : -1;

	switch (with_date ? 0 : below(6)) {
	case 1: /* DATE */
		p[3] = p[4] = p[5] = p[6] = NO;
		break;
	case 2: /* TIME */
		p[0] = p[1] = p[2] = NO;
		for (int i = 3; i < 7; i++)
			p[i] *= sign;
		p[3] = sign * below(839);
		break;
	case 3: /* YEAR */
		p[1] = p[2] = p[3] = p[4] = p[5] = p[6] = NO;
		break;
	case 4: /* zero date */
		p[0] = p[1] = p[2] = p[3] = p[4] = p[5] = p[6] = 0;
		break;
	case 5:
		p[6] = NO;
		break;
	default:
		break;
	}
	set_parts(v, p);
}

static const struct {
	const char *charset;
	const char *bytes;
	const char *utf8;
} characters[] = {
	{ "utf8mb4", "\xe9\xbd\xbf \xf0\x9f\x98\x80", "\xe9\xbd\xbf \xf0\x9f\x98\x80" },
	{ "utf8", "a\"b\\c\n\x01", "a\"b\\c\n\x01" },
	{ "utf8mb3", "plain text of some length", "plain text of some length" },
	{ "latin1", "caf\xe9 \x80 \x81", "caf\xc3\xa9 \xe2\x82\xac \xc2\x81" },
	{ "gbk", "\xd6\xd0\xce\xc4", "\xe4\xb8\xad\xe6\x96\x87" },
	{ "big5", "\xa4\xa4", "\xe4\xb8\xad" },
	{ "sjis", "\x5c\x7e\x93\xfa", "\\~\xe6\x97\xa5" },
	{ "ucs2", "A", NULL }, /* half a character: a reject; not drawn at random */
	{ "binary", "\xff", "\xc3\xbf" },
};

static void random_integer(avro_value_t *v)
{
	char text[32];

	snprintf(text, sizeof(text), "%s%llu", below(3) ? "" : "-",
		 (unsigned long long)(rnd() >> below(64)));
	set_int(v, "precision", 1 << below(4));
	set_string(v, "value", text);
}

static void random_bytes(avro_value_t *v, bool geometry)
{
	unsigned char bytes[40];
	size_t n = (size_t)below(40);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (unsigned char)rnd();
	set_string(v, "type", geometry ? "geometry" : "BLOB");
	if (geometry && below(2)) {
		double xy[2] = { below(100) - 50, below(100) / 4.0 };

		memcpy(bytes, "\x01\x01\0\0\0", 5);
		memcpy(bytes + 5, xy, 16);
		n = 21;
	} else if (geometry && n) {
		bytes[0] = 0x7f;
		if (n > 4)
			bytes[4] = 0x7f;
	}
	set_bytes(v, "value", bytes, n);
}

static double random_double(void)
{
	static const double special[] = { 0, -0.0, 1, 1e10, 1e-5, 0.1, 323, 1.5e300 };
	uint64_t bits = rnd();
	double d;

	switch (below(4)) {
	case 0:
		return special[below(8)];
	case 1:
		return (double)((float)below(1000000) / 7.0F);
	case 2:
		memcpy(&d, &bits, 8);
		return isnan(d) ? (double)NAN : d;
	default:
		return below(1000000) / 100.0;
	}
}

static void random_value(avro_value_t *slot)
{
	static const char *const zones[] = { "+08:00", "UTC", "Asia/Shanghai", "-05:30", "Z" };
	int b = below(BRANCHES), c;
	avro_value_t v = branch(slot, b), m, year, y;

	seen_branch[b]++;
	switch (b) {
	case B_INTEGER:
		random_integer(&v);
		break;
	case B_CHARACTER:
		do
			c = below((int)(sizeof(characters) / sizeof(characters[0])));
		while (!characters[c].utf8);
		set_string(&v, "charset", characters[c].charset);
		set_bytes(&v, "value", characters[c].bytes, strlen(characters[c].bytes));
		break;
	case B_DECIMAL:
		set_string(&v, "value", below(2) ? "348.00" : "-12345678901234567890.000001");
		set_int(&v, "precision", 5);
		set_int(&v, "scale", 2);
		break;
	case B_FLOAT:
		m = member(&v, "value");
		avro_value_set_double(&m, random_double());
		set_int(&v, "precision", 22);
		set_int(&v, "scale", 31);
		break;
	case B_TIMESTAMP:
		m = member(&v, "timestamp");
		avro_value_set_long(&m, (int64_t)(rnd() % 4000000000u) - 1000000000);
		set_int(&v, "millis", below(2) ? below(1000000) : 0);
		break;
	case B_DATETIME:
		random_datetime(&v, false);
		break;
	case B_ZONED:
		m = member(&v, "value");
		random_datetime(&m, true);
		/* Away from the ends of the calendar, where an offset would leave it. */
		year = member(&m, "year");
		y = branch(&year, 1);
		avro_value_set_int(&y, 1900 + below(200));
		set_string(&v, "timezone", zones[below(5)]);
		break;
	default:
		break;
	}
	if (b == B_BINARY_GEOMETRY || b == B_BINARY_OBJECT) {
		random_bytes(&v, b == B_BINARY_GEOMETRY);
	} else if (b == B_TEXT_GEOMETRY || b == B_TEXT_OBJECT) {
		set_string(&v, "type", b == B_TEXT_GEOMETRY ? "geometry" : "JSON");
		set_string(&v, "value", b == B_TEXT_GEOMETRY ? "POINT(1 2)" : "{\"a\":[1,\"x\"]}");
	} else if (b == B_EMPTY) {
		avro_value_set_enum(&v, below(2));
	} else if (b == B_NULL) {
		avro_value_set_null(&v);
	}
}

static const char *const column_names[] = {
	"id", "date", "na\"me", "\xe9\xbd\xbf", "sales", "a.b", "col_7", "z",
};

static void random_image(avro_value_t *slot, int n, bool present)
{
	avro_value_t b = branch(slot, present ? 2 : 0), item;

	if (!present) {
		avro_value_set_null(&b);
		return;
	}
	for (int i = 0; i < n; i++) {
		avro_value_append(&b, &item, NULL);
		random_value(&item);
	}
}

static void random_fields(avro_value_t *slot, int n, uint64_t table)
{
	static const int types[] = { 8, 4, 5, 10, 11, 13, 12, 253, 252, 246, 7, 255 };
	avro_value_t b = branch(slot, 2), item;

	for (int i = 0; i < n; i++) {
		avro_value_append(&b, &item, NULL);
		set_string(&item, "name", column_names[i]);
		set_int(&item, "dataTypeNumber",
			types[(table * 7 + (unsigned)i) % (sizeof(types) / sizeof(types[0]))]);
	}
}

static void random_tags(avro_value_t *tags)
{
	static const char *const keys[] = { "thread_id", "GTID", "x y", "sourceTxid" };
	avro_value_t t;

	for (int i = 0, n = below(4); i < n; i++) {
		avro_value_add(tags, keys[i], &t, NULL, NULL);
		avro_value_set_string(&t, below(2) ? "17" : "a\"\xe4\xb8\xad");
	}
	if (below(2)) {
		avro_value_add(tags, "pk_uk_info", &t, NULL, NULL);
		avro_value_set_string(&t, "{\"uk\":[\"z\"],\"PRIMARY\":[\"id\"]}");
	}
}

/* Tables differ in their columns; each has the same ones every time. */
static void random_event(avro_value_t *v, int64_t id)
{
	uint64_t table = rnd() % 5;
	int n = 1 + (int)table + below(1), op = below(OPERATIONS + 8);
	bool row;
	char name[32];
	avro_value_t m, b, source;

	op = op >= OPERATIONS ? (op - OPERATIONS) % 4 == 3 ? INIT : (op - OPERATIONS) % 4 : op;
	row = op <= DELETE || op == INIT;
	seen_operation[op]++;
	set_int(v, "version", below(1000000000));
	m = member(v, "id");
	avro_value_set_long(&m, id);
	m = member(v, "sourceTimestamp");
	avro_value_set_long(&m, (int64_t)(rnd() % 4000000000u));
	set_string(v, "sourcePosition", "13402733@391");
	set_string(v, "safeSourcePosition", below(2) ? "13402040@391" : "13402733@391");
	set_string(v, "sourceTxid", below(2) ? "0" : "99");
	source = member(v, "source");
	m = member(&source, "sourceType");
	avro_value_set_enum(&m, 0);
	set_string(&source, "version", below(2) ? "8.0.28" : "5.7.26-log");
	m = member(v, "operation");
	avro_value_set_enum(&m, op);
	m = member(v, "objectName");
	b = branch(&m, row || op == DDL);
	snprintf(name, sizeof(name), table == 3 ? "d\\u002Eb.t%d" : "db.t%d", (int)table);
	if (row)
		avro_value_set_string(&b, name);
	else if (op == DDL)
		avro_value_set_string(&b, "db");
	else
		avro_value_set_null(&b);
	m = member(v, "processTimestamps");
	b = branch(&m, below(2));
	for (int i = 0; avro_value_get_type(&b) == AVRO_ARRAY && i < below(5); i++) {
		avro_value_append(&b, &source, NULL);
		avro_value_set_long(&source, (int64_t)rnd());
	}
	m = member(v, "tags");
	random_tags(&m);
	m = member(v, "fields");
	if (row) {
		random_fields(&m, n, table);
	} else {
		b = branch(&m, 0);
		avro_value_set_null(&b);
	}
	m = member(v, "beforeImages");
	random_image(&m, n, op == UPDATE || op == DELETE);
	m = member(v, "afterImages");
	if (op == DDL) {
		b = branch(&m, 1);
		avro_value_set_string(&b, "alter table t add c int -- \"x\"");
	} else {
		random_image(&m, n, op == INSERT || op == UPDATE || op == INIT);
	}
	if (avro_value_get_by_name(v, "bornTimestamp", &m, NULL) == 0)
		avro_value_set_long(&m, (int64_t)rnd());
}

#endif
