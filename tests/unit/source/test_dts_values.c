/*
 * Proves by hand-made events what random ones cannot: character sets with known bytes, geometries,
 * notations of numbers, dates that are out of range, SCHEMA records and when they are repeated,
 * no-op messages, control events, filters, and the reasons of rejects.
 */
#include "harness.h"

#define STRING(s) s, sizeof(s) - 1

/* --- a small encoder ------------------------------------------------------ */

static struct cdc_buf event;

static void put(const void *p, size_t n)
{
	struct cdc_err err;

	assert_int_equal(cdc_buf_append(&event, p, n, &err), CDC_OK);
}

static void put_long(int64_t v)
{
	uint64_t u = (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
	unsigned char c;

	for (; u >= 0x80; u >>= 7) {
		c = (unsigned char)(u | 0x80);
		put(&c, 1);
	}
	c = (unsigned char)u;
	put(&c, 1);
}

static void put_bytes(const void *p, size_t n)
{
	put_long((int64_t)n);
	put(p, n);
}

static void put_string(const char *s)
{
	put_bytes(s, strlen(s));
}

struct head {
	int operation;
	const char *object; /* NULL: null */
	const char *key; /* pk_uk_info */
	int source;
	int64_t id;
};

static void begin(const struct head *h)
{
	cdc_buf_reset(&event);
	put_long(0);
	put_long(h->id);
	put_long(0);
	put_string("1@2");
	put_string("1@2");
	put_string("0");
	put_long(h->source);
	put_string("8");
	put_long(h->operation);
	put_long(h->object != NULL);
	if (h->object)
		put_string(h->object);
	put_long(0);
	if (h->key) {
		put_long(1);
		put_string("pk_uk_info");
		put_string(h->key);
	}
	put_long(0);
}

/* Fields, "name:type name:type"; then nothing before, and the after image begins. */
static void fields(const char *list, size_t n)
{
	put_long(2);
	put_long((int64_t)n);
	for (size_t i = 0; i < n; i++) {
		size_t len = strcspn(list, ":");
		char *end;

		put_bytes(list, len);
		put_long(strtol(list + len + 1, &end, 10));
		list = *end ? end + 1 : end;
	}
	put_long(0);
	put_long(0);
	put_long(2);
	put_long((int64_t)n);
}

/* An INSERT into a table of one column "c" of this type; the value follows. */
static void one_column(int type)
{
	char list[32];

	begin(&(struct head){ 0, "d.t", NULL, 0, 1 });
	snprintf(list, sizeof(list), "c:%d", type);
	fields(list, 1);
}

static const char *run(struct harness *h, const struct cdc_source_options *opt)
{
	static const struct cdc_source_options plain = { .format = "dts", .framing = "single" };

	put_long(0);
	harness_run(h, opt ? opt : &plain, event.p, event.len, false);
	return harness_out(h);
}

/* The value of column "c" as printed (its JSON), or the reason of the reject. */
static const char *value(struct harness *h)
{
	const char *out = run(h, NULL);
	const char *at = strstr(out, "\"afterImages\":{\"c\":");
	char *end;

	if (!at)
		return cdc_buf_z(&h->reasons);
	at += strlen("\"afterImages\":{\"c\":");
	end = strstr(at, "},\"position\"");
	assert_non_null(end);
	*end = '\0';
	return at;
}

static const char *character(struct harness *h, const char *charset, const char *bytes, size_t n)
{
	one_column(253);
	put_long(2);
	put_string(charset);
	put_bytes(bytes, n);
	return value(h);
}

static const char *text_value(struct harness *h, int branch, int type, const char *text)
{
	one_column(type);
	put_long(branch);
	if (branch == 1) {
		put_long(8);
		put_string(text);
	} else if (branch == 3) {
		put_string(text);
		put_long(5);
		put_long(2);
	} else {
		put_string("x");
		put_string(text);
	}
	return value(h);
}

#define NO INT32_MIN

static const char *datetime(struct harness *h, int type, const int part[7])
{
	one_column(type);
	put_long(6);
	for (int i = 0; i < 7; i++) {
		put_long(part[i] != NO);
		if (part[i] != NO)
			put_long(part[i]);
	}
	return value(h);
}

/* --- tests ---------------------------------------------------------------- */

/* The bytes of one character each, from the code charts of the sets. */
static void charsets(void **state)
{
	static const struct {
		const char *charset;
		const char *bytes;
		size_t n;
		const char *want;
	} cases[] = {
		{ "utf8mb4", STRING("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"" },
		{ "UTF8", STRING("\xc3\xa9"), "\"\xc3\xa9\"" },
		{ "latin1", STRING("\xe9\x80\x9d"), "\"\xc3\xa9\xe2\x82\xac\xc2\x9d\"" },
		{ "binary", STRING("\x80\xff"), "\"\xc2\x80\xc3\xbf\"" },
		{ "ascii", STRING("abc"), "\"abc\"" },
		{ "latin2", STRING("\xb1"), "\"\xc4\x85\"" }, /* a with ogonek */
		{ "latin5", STRING("\xf0"), "\"\xc4\x9f\"" }, /* g with breve */
		{ "latin7", STRING("\xe0"), "\"\xc4\x85\"" },
		{ "cp1250", STRING("\xb9"), "\"\xc4\x85\"" },
		{ "cp1251", STRING("\xcf"), "\"\xd0\x9f\"" }, /* Cyrillic pe */
		{ "cp1256", STRING("\xc7"), "\"\xd8\xa7\"" }, /* alef */
		{ "cp1257", STRING("\xe0"), "\"\xc4\x85\"" },
		{ "cp850", STRING("\x82"), "\"\xc3\xa9\"" },
		{ "cp852", STRING("\xa5"), "\"\xc4\x85\"" },
		{ "cp866", STRING("\x8f"), "\"\xd0\x9f\"" },
		{ "koi8r", STRING("\xf0"), "\"\xd0\x9f\"" },
		{ "koi8u", STRING("\xa4"), "\"\xd1\x94\"" }, /* Ukrainian ie */
		{ "greek", STRING("\xe1"), "\"\xce\xb1\"" }, /* alpha */
		{ "hebrew", STRING("\xe0"), "\"\xd7\x90\"" }, /* alef */
		{ "tis620", STRING("\xa1"), "\"\xe0\xb8\x81\"" }, /* ko kai */
		{ "gbk", STRING("\xd6\xd0"), "\"\xe4\xb8\xad\"" },
		{ "gb2312", STRING("\xd6\xd0"), "\"\xe4\xb8\xad\"" },
		{ "gb18030", STRING("\x94\x39\xda\x33"), "\"\xf0\x9f\x92\xa9\"" },
		{ "big5", STRING("\xa4\xa4"), "\"\xe4\xb8\xad\"" },
		{ "sjis", STRING("\x5c\x7e\x81\x5f\x93\xfa\xb1"),
		  "\"\\\\~\xef\xbc\xbc\xe6\x97\xa5\xef\xbd\xb1\"" },
		{ "cp932", STRING("\x5c\x87\x40"), "\"\\\\\xe2\x91\xa0\"" },
		{ "ujis", STRING("\xc6\xfc"), "\"\xe6\x97\xa5\"" },
		{ "eucjpms", STRING("\xad\xa1"), "\"\xe2\x91\xa0\"" },
		{ "euckr", STRING("\xb0\xa1"), "\"\xea\xb0\x80\"" },
		{ "ucs2", STRING("\x4e\x2d"), "\"\xe4\xb8\xad\"" },
		{ "utf16", STRING("\xd8\x3d\xde\x00"), "\"\xf0\x9f\x98\x80\"" },
		{ "utf16le", STRING("\x2d\x4e"), "\"\xe4\xb8\xad\"" },
		{ "utf32", STRING("\0\0\x4e\x2d"), "\"\xe4\xb8\xad\"" },
		{ "macroman", STRING("\x8e"), "\"\xc3\xa9\"" },
		{ "macce", STRING("\x88"), "\"\xc4\x85\"" },
		{ "armscii8", STRING("\xb2"), "\"\xd4\xb1\"" }, /* ayb */
		{ "dec8", STRING("\xe9"), "\"\xc3\xa9\"" },
		{ "hp8", STRING("\xc5"), "\"\xc3\xa9\"" },
		{ "swe7", STRING("}"), "\"\xc3\xa5\"" }, /* a with ring */
		{ "keybcs2", STRING("abc"), "\"abc\"" },
		{ "geostd8", STRING("abc"), "\"abc\"" },
		{ "ISO-8859-15", STRING("\xa4"), "\"\xe2\x82\xac\"" },
		{ "", STRING("\x01\x02\xff"), "\"AQL/\"" },
	};
	struct harness h = { .rc = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got = character(&h, cases[i].charset, cases[i].bytes, cases[i].n);

		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].charset, got);
	}
	harness_free(&h);
}

/* Text that is not of its set, or of a set nobody knows, is a reject and never a replacement. */
static void bad_charsets(void **state)
{
	static const struct {
		const char *charset;
		const char *bytes;
		size_t n;
		const char *want;
	} cases[] = {
		{ "utf8mb4", STRING("\xff"), "0:0: column c: text is not UTF-8\n" },
		{ "utf8mb4", STRING("\xed\xa0\x80"), "0:0: column c: text is not UTF-8\n" },
		{ "ascii", STRING("\xe9"),
		  "0:0: column c: text is not ASCII, and its character set is ascii\n" },
		{ "keybcs2", STRING("\x80"),
		  "0:0: column c: text is not ASCII, and its character set is keybcs2\n" },
		{ "ucs2", STRING("\x4e"), "0:0: column c: text is not ucs2\n" },
		{ "gbk", STRING("ab\xd6"), "0:0: column c: text is not gbk\n" },
		{ "sjis", STRING("\x93"), "0:0: column c: text is not sjis\n" },
		{ "klingon", STRING("x"), "0:0: column c: unknown character set klingon\n" },
		{ "utf8//IGNORE", STRING("\xff"),
		  "0:0: column c: its character set has a strange name\n" },
	};
	struct harness h = { .rc = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got = character(&h, cases[i].charset, cases[i].bytes, cases[i].n);

		assert_string_equal(got, cases[i].want);
		assert_int_equal(h.out.len, 0);
		assert_int_equal(h.raw.len, event.len);
	}
	harness_free(&h);
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} decimals[] = {
		{ "348.00", "\"348.00\"" },
		{ "0E-8", "\"0.00000000\"" },
		{ "1.5E+3", "\"1500\"" },
		{ "-1.25e1", "\"-12.5\"" },
		{ "12E-1", "\"1.2\"" },
		{ "1E-3", "\"0.001\"" },
		{ "0.5E1", "\"5\"" },
		{ "0E+3", "\"0\"" },
		{ "+12E0", "\"12\"" },
		{ "12E1", "\"120\"" },
		{ "123.456E-5", "\"0.00123456\"" },
		{ "1E99999", "\"1E99999\"" },
		{ "EE", "\"EE\"" },
	};
	struct harness h = { .rc = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(decimals) / sizeof(decimals[0]); i++)
		assert_string_equal(text_value(&h, 3, 246, decimals[i].text), decimals[i].want);
	assert_string_equal(text_value(&h, 1, 8, "18446744073709551615"),
			    "\"18446744073709551615\"");
	harness_free(&h);
}

static const char *number(struct harness *h, int type, double d)
{
	one_column(type);
	put_long(4);
	put(&d, 8);
	put_long(12);
	put_long(31);
	return value(h);
}

static void floats(void **state)
{
	struct harness h = { .rc = 0 };
	double nan = strtod("nan", NULL), inf = strtod("inf", NULL);

	(void)state;
	assert_string_equal(number(&h, 5, 323), "\"323.0\"");
	assert_string_equal(number(&h, 5, 0.1), "\"0.1\"");
	assert_string_equal(number(&h, 4, (double)0.1F), "\"0.1\"");
	assert_string_equal(number(&h, 5, (double)0.1F), "\"0.10000000149011612\"");
	assert_string_equal(number(&h, 4, 0.1), "\"0.1\"");
	assert_string_equal(number(&h, 4, 1.0 / 3), "\"0.3333333333333333\"");
	assert_string_equal(number(&h, 5, -0.0), "\"-0.0\"");
	assert_string_equal(number(&h, 4, nan), "\"NaN\"");
	assert_string_equal(number(&h, 5, inf), "\"Infinity\"");
	assert_string_equal(number(&h, 5, -inf), "\"-Infinity\"");
	harness_free(&h);
}

static void dates(void **state)
{
	static const struct {
		int type;
		int part[7];
		const char *want;
	} cases[] = {
		{ 12, { 2019, 11, 14, 3, 11, 5, 120000 }, "\"2019-11-14 03:11:05.120000\"" },
		{ 12, { 2019, 11, 14, 3, 11, 5, NO }, "\"2019-11-14 03:11:05\"" },
		{ 12, { 2019, 11, 14, 3, NO, NO, NO }, "\"2019-11-14 03:00:00\"" },
		{ 12, { 0, 0, 0, 0, 0, 0, 0 }, "\"0000-00-00 00:00:00\"" },
		{ 10, { 0, 0, 0, NO, NO, NO, NO }, "\"0000-00-00\"" },
		{ 10, { 2019, 11, 14, 0, 0, 0, 0 }, "\"2019-11-14\"" },
		{ 10, { 2019, 11, 14, NO, NO, NO, 0 }, "\"2019-11-14\"" },
		{ 10, { 2019, 11, 14, 1, 0, 0, 0 }, "\"2019-11-14 01:00:00\"" },
		{ 11, { NO, NO, NO, -838, -59, -59, NO }, "\"-838:59:59\"" },
		{ 11, { NO, NO, NO, 0, 0, 0, -1 }, "\"-00:00:00.000001\"" },
		{ 11, { 0, 0, 0, 8, 0, 0, 0 }, "\"08:00:00\"" },
		{ 11, { NO, NO, NO, 99, 1, 2, 3 }, "\"99:01:02.000003\"" },
		{ 13, { 2019, NO, NO, NO, NO, NO, NO }, "\"2019\"" },
		{ 13, { 0, 0, 0, 0, 0, 0, 0 }, "\"0\"" },
		{ 12,
		  { 2019, 13, 1, 0, 0, 0, 0 },
		  "0:0: column c: a date or time is out of range\n" },
		{ 12,
		  { 2019, 1, 32, 0, 0, 0, 0 },
		  "0:0: column c: a date or time is out of range\n" },
		{ 12,
		  { 10000, 1, 1, 0, 0, 0, 0 },
		  "0:0: column c: a date or time is out of range\n" },
		{ 12,
		  { 2019, 1, 1, 24, 0, 0, 0 },
		  "0:0: column c: a date or time is out of range\n" },
		{ 12,
		  { 2019, 1, 1, -1, 0, 0, 0 },
		  "0:0: column c: a date or time is out of range\n" },
		{ 12,
		  { 2019, 1, 1, 0, 0, 0, 1000000 },
		  "0:0: column c: a date or time is out of range\n" },
		{ 11,
		  { NO, NO, NO, 1, -1, 0, 0 },
		  "0:0: column c: a date or time is out of range\n" },
		{ 12,
		  { 2019, 1, NO, 0, 0, 0, 0 },
		  "0:0: column c: a date or time lacks some of its parts\n" },
		{ 12,
		  { NO, NO, NO, NO, NO, NO, NO },
		  "0:0: column c: a date or time lacks some of its parts\n" },
		{ 10,
		  { 2019, 1, 1, NO, 5, 0, 0 },
		  "0:0: column c: a date or time lacks some of its parts\n" },
	};
	struct harness h = { .rc = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(datetime(&h, cases[i].type, cases[i].part), cases[i].want);
	harness_free(&h);
}

static const char *timestamp(struct harness *h, int64_t seconds, int micros)
{
	one_column(7);
	put_long(5);
	put_long(seconds);
	put_long(micros);
	return value(h);
}

static const char *zoned(struct harness *h, const char *zone, int day)
{
	static const int part[] = { 2021, 4, 0, 22, 57, 31, 500000 };

	one_column(7);
	put_long(7);
	for (int i = 0; i < 7; i++) {
		put_long(1);
		put_long(i == 2 ? day : part[i]);
	}
	put_string(zone);
	return value(h);
}

static void instants(void **state)
{
	struct harness h = { .rc = 0 };

	(void)state;
	assert_string_equal(timestamp(&h, 1618239451, 0), "\"2021-04-12T14:57:31Z\"");
	assert_string_equal(timestamp(&h, -1, 999999), "\"1969-12-31T23:59:59.999999Z\"");
	assert_string_equal(timestamp(&h, 253402300799, 0), "\"9999-12-31T23:59:59Z\"");
	assert_string_equal(timestamp(&h, 253402300800, 0),
			    "0:0: column c: a timestamp is out of range\n");
	assert_string_equal(timestamp(&h, INT64_MIN, 0),
			    "0:0: column c: a timestamp is out of range\n");
	assert_string_equal(timestamp(&h, 0, 1000000),
			    "0:0: column c: a timestamp's fraction is out of range\n");
	assert_string_equal(timestamp(&h, 0, -1),
			    "0:0: column c: a timestamp's fraction is out of range\n");
	assert_string_equal(zoned(&h, "+08:00", 12), "\"2021-04-12T14:57:31.500000Z\"");
	assert_string_equal(zoned(&h, "GMT+0800", 12), "\"2021-04-12T14:57:31.500000Z\"");
	assert_string_equal(zoned(&h, "-03", 12), "\"2021-04-13T01:57:31.500000Z\"");
	assert_string_equal(zoned(&h, "utc", 12), "\"2021-04-12T22:57:31.500000Z\"");
	assert_string_equal(zoned(&h, "Asia/Shanghai", 12),
			    "\"2021-04-12 22:57:31.500000 Asia/Shanghai\"");
	assert_string_equal(zoned(&h, "+8", 12), "\"2021-04-12 22:57:31.500000 +8\"");
	assert_string_equal(zoned(&h, "UTC", 31), "\"2021-04-31 22:57:31.500000 UTC\"");
	harness_free(&h);
}

static const char *geometry(struct harness *h, const void *p, size_t n)
{
	one_column(255);
	put_long(8);
	put_string("geometry");
	put_bytes(p, n);
	return value(h);
}

#define LE_1 "\0\0\0\0\0\0\xf0\x3f"
#define LE_2 "\0\0\0\0\0\0\0\x40"
#define LE_HALF "\0\0\0\0\0\0\xe0\x3f"
#define BE_1 "\x3f\xf0\0\0\0\0\0\0"
#define BE_2 "\x40\0\0\0\0\0\0\0"

/* Well-known binary by hand, after the OGC simple features specification. */
static void geometries(void **state)
{
	static const char point[] = "\x01\x01\0\0\0" LE_1 LE_HALF;
	static const char point_be[] = "\0\0\0\0\x01" BE_1 BE_2;
	static const char srid_point[] = "\xe6\x10\0\0\x01\x01\0\0\0" LE_1 LE_2;
	static const char srid0_point[] = "\0\0\0\0\x01\x01\0\0\0" LE_1 LE_2;
	static const char line[] = "\x01\x02\0\0\0\x02\0\0\0" LE_1 LE_2 LE_2 LE_1;
	static const char polygon[] =
		"\x01\x03\0\0\0\x01\0\0\0\x03\0\0\0" LE_1 LE_1 LE_2 LE_2 LE_1 LE_1;
	static const char points[] =
		"\x01\x04\0\0\0\x02\0\0\0\x01\x01\0\0\0" LE_1 LE_2 "\x01\x01\0\0\0" LE_2 LE_2;
	static const char lines[] =
		"\x01\x05\0\0\0\x01\0\0\0\x01\x02\0\0\0\x02\0\0\0" LE_1 LE_2 LE_2 LE_1;
	static const char polygons[] =
		"\x01\x06\0\0\0\x01\0\0\0\x01\x03\0\0\0\x01\0\0\0\x03\0\0\0" LE_1 LE_1 LE_2 LE_2
			LE_1 LE_1;
	static const char both[] = "\x01\x07\0\0\0\x02\0\0\0\x01\x01\0\0\0" LE_1 LE_2
				   "\x01\x02\0\0\0\x02\0\0\0" LE_1 LE_2 LE_2 LE_1;
	static const char none[] = "\x01\x07\0\0\0\0\0\0\0";
	static const char three_d[] = "\x01\xe9\x03\0\0" LE_1 LE_2;
	struct harness h = { .rc = 0 };

	(void)state;
	assert_string_equal(geometry(&h, STRING(point)), "\"POINT(1 0.5)\"");
	assert_string_equal(geometry(&h, STRING(point_be)), "\"POINT(1 2)\"");
	assert_string_equal(geometry(&h, STRING(srid_point)), "\"POINT(1 2)\"");
	assert_string_equal(geometry(&h, STRING(srid0_point)), "\"POINT(1 2)\"");
	assert_string_equal(geometry(&h, STRING(line)), "\"LINESTRING(1 2,2 1)\"");
	assert_string_equal(geometry(&h, STRING(polygon)), "\"POLYGON((1 1,2 2,1 1))\"");
	assert_string_equal(geometry(&h, STRING(points)), "\"MULTIPOINT((1 2),(2 2))\"");
	assert_string_equal(geometry(&h, STRING(lines)), "\"MULTILINESTRING((1 2,2 1))\"");
	assert_string_equal(geometry(&h, STRING(polygons)), "\"MULTIPOLYGON(((1 1,2 2,1 1)))\"");
	assert_string_equal(geometry(&h, STRING(both)),
			    "\"GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(1 2,2 1))\"");
	assert_string_equal(geometry(&h, STRING(none)), "\"GEOMETRYCOLLECTION EMPTY\"");
	/* What is not plain WKB stays as bytes. */
	assert_string_equal(geometry(&h, STRING(three_d)), "\"AekDAAAAAAAAAADwPwAAAAAAAABA\"");
	assert_string_equal(geometry(&h, point, sizeof(point) - 2),
			    "\"AQEAAAAAAAAAAADwPwAAAAAAAOA=\"");
	harness_free(&h);
}

/* --- whole events --------------------------------------------------------- */

static void add_row(struct cdc_buf *dump, const char *list, size_t n, const char *key, int branch,
		    const char *text)
{
	begin(&(struct head){ 0, "d.t", key, 0, 1 });
	fields(list, n);
	for (size_t i = 0; i < n; i++) {
		put_long(branch);
		if (branch == 10 || branch == 11)
			put_string("TEXT");
		else if (branch == 2)
			put_string("utf8");
		if (branch)
			put_string(text);
	}
	put_long(0);
	harness_frame(dump, event.p, event.len);
}

/* SCHEMA comes first, and again only when something of it changed. */
static void schemas(void **state)
{
	struct cdc_source_options opt = { .format = "dts", .framing = "kcat", .key = "x" };
	struct cdc_buf dump = CDC_BUF_INIT;
	struct harness h = { .rc = 0 };
	const char *p;
	static const char *const want[] = {
		/* no value yet: a blob or a text, nobody can tell; --key knows no such column */
		"{\"recordType\":\"SCHEMA\",\"dbTable\":\"d.t\",\"columns\":[{\"name\":\"b\",\"nullable\":true,"
		"\"sourceType\":\"blob\"}]}",
		"{\"recordType\":\"SCHEMA\",\"dbTable\":\"d.t\",\"columns\":[{\"name\":\"b\",\"type\":\"text\","
		"\"nullable\":true,\"sourceType\":\"text\"}]}",
		"{\"recordType\":\"SCHEMA\",\"dbTable\":\"d.t\",\"columns\":[{\"name\":\"b\",\"type\":\"text\","
		"\"nullable\":false,\"sourceType\":\"text\"}],\"primaryKey\":[\"b\"]}",
		"{\"recordType\":\"SCHEMA\",\"dbTable\":\"d.t\",\"columns\":[{\"name\":\"b\",\"type\":\"blob\","
		"\"nullable\":false,\"sourceType\":\"blob\"}],\"primaryKey\":[\"b\"]}",
		"{\"recordType\":\"SCHEMA\",\"dbTable\":\"d.t\",\"columns\":[{\"name\":\"b\",\"type\":\"blob\","
		"\"nullable\":true,\"sourceType\":\"blob\"},{\"name\":\"x\",\"type\":\"varbinary\",\"nullable\":false,"
		"\"sourceType\":\"varbinary\"}],\"primaryKey\":[\"x\"]}",
	};

	(void)state;
	add_row(&dump, "b:252", 1, NULL, 0, "");
	add_row(&dump, "b:252", 1, NULL, 0, "");
	add_row(&dump, "b:252", 1, NULL, 2, "text");
	add_row(&dump, "b:252", 1, "{}", 0, "");
	add_row(&dump, "b:252", 1, "no JSON", 2, "text");
	add_row(&dump, "b:252", 1, "{\"PRIMARY\":[\"b\"]}", 2, "text");
	add_row(&dump, "b:252", 1, "{\"u\":[], \"PRIMARY\":[\"b\"]}", 2, "text");
	add_row(&dump, "b:252", 1, "{\"PRIMARY\":[\"b\"]}", 10, "bytes");
	add_row(&dump, "b:252 x:253", 2, NULL, 10, "bytes");
	add_row(&dump, "b:252 x:253", 2, NULL, 10, "bytes");
	harness_run(&h, &opt, dump.p, dump.len, false);
	assert_int_equal(h.rejects, 0);
	assert_int_equal(h.counts.records, 10);
	p = harness_out(&h);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		p = strstr(p, "{\"recordType\":\"SCHEMA\"");
		assert_non_null(p);
		assert_memory_equal(p, want[i], strlen(want[i]));
		assert_int_equal(p[strlen(want[i])], '\n');
		p += strlen(want[i]);
	}
	assert_null(strstr(p, "SCHEMA"));
	cdc_buf_free(&dump);
	harness_free(&h);
}

/* A SCHEMA record that went away with a rejected row comes with the next good one. */
static void schema_after_reject(void **state)
{
	struct cdc_source_options opt = { .format = "dts", .framing = "kcat" };
	struct cdc_buf dump = CDC_BUF_INIT;
	struct harness h = { .rc = 0 };

	(void)state;
	add_row(&dump, "b:253", 1, NULL, 2, "\xff");
	add_row(&dump, "b:253", 1, NULL, 2, "good");
	harness_run(&h, &opt, dump.p, dump.len, false);
	assert_int_equal(h.rejects, 1);
	assert_string_equal(cdc_buf_z(&h.reasons), "4:0: column b: text is not UTF-8\n");
	assert_memory_equal(harness_out(&h), "{\"recordType\":\"SCHEMA\"", 22);
	assert_int_equal(h.counts.records, 1);
	assert_int_equal(h.counts.control, 1);
	cdc_buf_free(&dump);
	harness_free(&h);
}

static void reasons(void **state)
{
	struct harness h = { .rc = 0 };

	(void)state;
	/* an image with a value too few */
	begin(&(struct head){ 0, "d.t", NULL, 0, 1 });
	fields("a:8 b:8", 2);
	put_long(0);
	put_long(0);
	event.p[event.len - 3] = 2;
	run(&h, NULL);
	assert_string_equal(cdc_buf_z(&h.reasons), "0:0: afterImages has 1 values for 2 fields\n");
	/* two columns of one name */
	begin(&(struct head){ 0, "d.t", NULL, 0, 1 });
	fields("a:8 a:8", 2);
	put_long(0);
	put_long(0);
	run(&h, NULL);
	assert_string_equal(cdc_buf_z(&h.reasons), "0:0: two columns are called a\n");
	/* no table */
	begin(&(struct head){ 0, NULL, NULL, 0, 1 });
	fields("a:8", 1);
	put_long(0);
	run(&h, NULL);
	assert_string_equal(cdc_buf_z(&h.reasons), "0:0: a row without objectName\n");
	/* a negative id cannot be a recordID */
	begin(&(struct head){ 0, "d.t", NULL, 0, -1 });
	fields("a:8", 1);
	put_long(0);
	run(&h, NULL);
	assert_string_equal(cdc_buf_z(&h.reasons), "0:0: id is negative\n");
	/* a DELETE of nothing; no fields at all */
	begin(&(struct head){ 2, "d.t", NULL, 0, 1 });
	fields("a:8", 1);
	put_long(0);
	run(&h, NULL);
	assert_string_equal(cdc_buf_z(&h.reasons), "0:0: beforeImages is missing\n");
	begin(&(struct head){ 0, "d.t", NULL, 0, 1 });
	put_long(0);
	put_long(0);
	run(&h, NULL);
	assert_string_equal(cdc_buf_z(&h.reasons), "0:0: a row without fields\n");
	/* a block of tags that is four bytes long and says three */
	begin(&(struct head){ 5, "d.t", NULL, 0, 1 });
	event.len--;
	put_long(-1);
	put_long(3);
	put_string("k");
	put_string("v");
	put("\0\0\0\0", 4);
	run(&h, NULL);
	assert_string_equal(
		cdc_buf_z(&h.reasons),
		"0:0: not a DTS event: a block does not have the size it tells, at byte 29 of 34\n");
	/* an operation past INIT, bytes behind the event */
	begin(&(struct head){ 17, "d.t", NULL, 0, 1 });
	run(&h, NULL);
	assert_string_equal(cdc_buf_z(&h.reasons),
			    "0:0: not a DTS event: an enum has no such symbol, at byte 17 of 25\n");
	begin(&(struct head){ 5, "d.t", NULL, 0, 1 });
	put("\0\0\0\0", 4);
	run(&h, NULL);
	assert_string_equal(cdc_buf_z(&h.reasons),
			    "0:0: not a DTS event: 1 bytes are left after it\n");
	harness_free(&h);
}

/* Null, tiny and 48-byte messages that mean nothing move the offset on, and no more. */
static void no_ops(void **state)
{
	struct cdc_source_options opt = { .format = "dts", .framing = "kcat" };
	static const unsigned char null[] = { 0xff, 0xff, 0xff, 0xff };
	struct cdc_buf dump = CDC_BUF_INIT;
	struct harness h = { .rc = 0 };
	struct cdc_err err;
	char zeroes[48];

	(void)state;
	memset(zeroes, 0x7f, sizeof(zeroes));
	assert_int_equal(cdc_buf_append(&dump, null, 4, &err), CDC_OK);
	harness_frame(&dump, "", 0);
	harness_frame(&dump, "\0", 1);
	harness_frame(&dump, "\0\0", 2);
	harness_frame(&dump, zeroes, 48);
	harness_run(&h, &opt, dump.p, dump.len, true);
	assert_int_equal(h.rejects, 0);
	assert_int_equal(h.counts.skipped, 5);
	assert_string_equal(harness_out(&h),
			    "{\"recordType\":\"CHECKPOINT\",\"positions\":[],\"final\":true}\n");
	harness_frame(&dump, zeroes, 47);
	harness_run(&h, &opt, dump.p, dump.len, true);
	assert_int_equal(h.rejects, 1);
	cdc_buf_free(&dump);
	harness_free(&h);
}

static void begin_control(int operation, const char *object, const char *ddl)
{
	begin(&(struct head){ operation, object, NULL, 0, 7 });
	put_long(0);
	put_long(0);
	put_long(ddl != NULL);
	if (ddl)
		put_string(ddl);
}

static void control_events(void **state)
{
	struct cdc_source_options opt = { .format = "dts", .framing = "single" };
	struct harness h = { .rc = 0 };

	(void)state;
	begin_control(3, "db", "drop table \"t\"");
	assert_string_equal(
		run(&h, &opt),
		"{\"recordID\":7,\"source\":{\"sourceType\":\"MySQL\",\"version\":\"8\"},"
		"\"dbTable\":\"db\",\"recordType\":\"DDL\",\"recordTimestamp\":"
		"\"1970-01-01T00:00:00Z\",\"extraTags\":{\"sourcePosition\":\"1@2\"},"
		"\"ddl\":\"drop table \\\"t\\\"\",\"position\":{\"file\":\"in\",\"offset\":0}}\n");
	begin_control(4, NULL, NULL);
	assert_string_equal(run(&h, &opt), "");
	assert_int_equal(h.counts.skipped, 1);
	opt.control = true;
	begin_control(4, NULL, NULL);
	assert_non_null(strstr(run(&h, &opt), "\"recordType\":\"BEGIN\""));
	begin_control(8, NULL, NULL);
	assert_non_null(strstr(run(&h, &opt), "\"recordType\":\"CHECKPOINT\""));
	/* ROLLBACK and what servers say among themselves are nothing to a table */
	for (int op = 6; op < 16; op++) {
		if (op == 8)
			continue;
		begin_control(op, NULL, NULL);
		assert_string_equal(run(&h, &opt), "");
		assert_int_equal(h.counts.skipped, 1);
	}
	begin_control(3, "db", NULL);
	run(&h, &opt);
	assert_string_equal(cdc_buf_z(&h.reasons), "0:0: a DDL event without its statement\n");
	harness_free(&h);
}

/* A statement that only truncates is told as such; what is not exactly that is not. */
static void truncates(void **state)
{
	static const struct {
		const char *object;
		const char *ddl;
		const char *table; /* NULL: no TRUNCATE record */
	} cases[] = {
		{ "db", "TRUNCATE TABLE t1", "\"db.t1\"" },
		{ "db", "truncate `a``b` ; ", "\"db.a`b\"" },
		{ "db", "/* app */ Truncate\n\tTable -- x\n other . `t` # done", "\"other.t\"" },
		{ "db.t", "truncate table db.t", "\"db.t\"" },
		{ "db", "truncate table t1, t2", NULL },
		{ "db", "truncate", NULL },
		{ "db", "truncate table `t", NULL },
		{ "db", "truncatetable t", NULL },
		{ "db", "alter table t truncate partition p", NULL },
		{ "db", "/*! truncate */ t", NULL },
		{ NULL, "truncate t", NULL },
	};
	struct cdc_source_options opt = { .format = "dts", .framing = "single" };
	struct harness h = { .rc = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *second;

		begin_control(3, cases[i].object, cases[i].ddl);
		second = strchr(run(&h, &opt), '\n') + 1;
		assert_int_equal(h.rejects, 0);
		assert_non_null(strstr(harness_out(&h), "\"recordType\":\"DDL\""));
		assert_int_equal(*second != '\0', cases[i].table != NULL);
		if (cases[i].table) {
			assert_non_null(strstr(second, "\"recordType\":\"TRUNCATE\""));
			assert_non_null(strstr(second, cases[i].table));
		}
	}
	harness_free(&h);
}

/* Names: dots inside a part are escaped; three parts are kept. Patterns see the plain name. */
static void names_and_filters(void **state)
{
	static const char *const tables[] = { "shop.*", "x.y.z", NULL };
	static const struct {
		const char *object;
		const char *name;
		bool kept;
	} cases[] = {
		{ "shop.sales", "\"dbTable\":\"shop.sales\"", true },
		{ "shop\\u002Eeu.sales", "\"dbTable\":\"shop.eu.sales\"", true },
		{ "x.y.z", "\"dbTable\":\"x.y.z\"", true },
		{ "shop.a\\u002e", "\"dbTable\":\"shop.a.\"", true },
		{ "shop.a\\u002", "\"dbTable\":\"shop.a\\\\u002\"", true },
		{ "other.sales", "", false },
		{ "x.y", "", false },
	};
	struct cdc_source_options opt = { .format = "dts", .framing = "single", .tables = tables };
	struct harness h = { .rc = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&(struct head){ 0, cases[i].object, NULL, 0, 1 });
		fields("a:8", 1);
		put_long(0);
		run(&h, &opt);
		assert_int_equal(h.rejects, 0);
		assert_int_equal(h.counts.records, cases[i].kept);
		assert_int_equal(h.counts.skipped, !cases[i].kept);
		assert_non_null(strstr(harness_out(&h), cases[i].name));
	}
	/* DDL tells its database only: kept where a table of it could be meant */
	begin_control(3, "shop", "x");
	run(&h, &opt);
	assert_int_equal(h.counts.control, 1);
	begin_control(3, "other", "x");
	run(&h, &opt);
	assert_int_equal(h.counts.control, 0);
	harness_free(&h);
}

static void positions(void **state)
{
	struct cdc_source_options opt = {
		.format = "dts", .framing = "single", .topic = "s\"x", .partition = 3
	};
	struct harness h = { .rc = 0 };

	(void)state;
	one_column(8);
	put_long(0);
	assert_non_null(strstr(run(&h, &opt), ",\"position\":{\"topic\":\"s\\\"x\",\"partition\":3,"
					      "\"file\":\"in\",\"byte\":0}}\n"));
	harness_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(charsets),
		cmocka_unit_test(bad_charsets),
		cmocka_unit_test(numbers),
		cmocka_unit_test(floats),
		cmocka_unit_test(dates),
		cmocka_unit_test(instants),
		cmocka_unit_test(geometries),
		cmocka_unit_test(schemas),
		cmocka_unit_test(schema_after_reject),
		cmocka_unit_test(reasons),
		cmocka_unit_test(no_ops),
		cmocka_unit_test(control_events),
		cmocka_unit_test(truncates),
		cmocka_unit_test(names_and_filters),
		cmocka_unit_test(positions),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	cdc_buf_free(&event);
	return failed;
}
