/*
 * Proves the DTS decoder against avro-c: random events with every branch, arrays and maps in
 * several blocks, are read back by avro-c's generic reader, and what this test makes of its values
 * by plain C must be what the decoder printed. Then truncations, bit flips, and other writers'
 * schemas.
 */
#include "harness.h"

#include "dts_random.h"

#include "base/json.h"
#include "record/record.h"

#include <jansson.h>
#include <math.h>
#include <time.h>

#define EVENTS 24000

/* --- what avro-c read, as a change record made by plain C ----------------- */

static const char *get_string(avro_value_t *v, const char *name)
{
	avro_value_t m = member(v, name);
	const char *s;
	size_t n;

	avro_value_get_string(&m, &s, &n);
	return s;
}

static int get_int(avro_value_t *v, const char *name)
{
	avro_value_t m = member(v, name);
	int i;

	avro_value_get_int(&m, &i);
	return i;
}

static int get_parts(avro_value_t *v, int part[7])
{
	int mask = 0;

	for (int i = 0; i < 7; i++) {
		avro_value_t m = member(v, parts[i]), b;

		avro_value_get_current_branch(&m, &b);
		part[i] = 0;
		if (avro_value_get_type(&b) == AVRO_INT32) {
			avro_value_get_int(&b, &part[i]);
			mask |= 1 << i;
		}
	}
	return mask;
}

static void micros_text(char *out, int us)
{
	out[0] = '\0';
	if (us)
		sprintf(out, ".%06d", abs(us));
}

static void instant_text(char *out, time_t t, int us)
{
	char fraction[32];
	struct tm tm;

	gmtime_r(&t, &tm);
	micros_text(fraction, us);
	sprintf(out, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", tm.tm_year + 1900, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, fraction);
}

/* `type`: dataTypeNumber. A date with no time of day is that of a DATE column, and so on. */
static void datetime_text(char *out, const int p[7], int mask, int type)
{
	bool no_time = !p[3] && !p[4] && !p[5] && !p[6];
	bool no_date = !p[0] && !p[1] && !p[2];
	char fraction[32];

	micros_text(fraction, p[6]);
	if (type == 11 && (mask & 8) && no_date)
		mask &= ~7;
	if (type == 10 && (mask & 7) == 7 && no_time)
		mask = 7;
	if (mask == 1 || (type == 13 && (mask & 1) && !p[1] && !p[2] && no_time))
		sprintf(out, "%d", p[0]);
	else if (mask == 7)
		sprintf(out, "%04d-%02d-%02d", p[0], p[1], p[2]);
	else if (!(mask & 7))
		sprintf(out, "%s%02d:%02d:%02d%s",
			p[3] < 0 || p[4] < 0 || p[5] < 0 || p[6] < 0 ? "-" : "", abs(p[3]),
			abs(p[4]), abs(p[5]), fraction);
	else
		sprintf(out, "%04d-%02d-%02d %02d:%02d:%02d%s", p[0], p[1], p[2], p[3], p[4], p[5],
			fraction);
}

static void zoned_text(char *out, avro_value_t *v)
{
	static const struct {
		const char *zone;
		int seconds;
	} offsets[] = { { "+08:00", 28800 }, { "UTC", 0 }, { "-05:30", -19800 }, { "Z", 0 } };
	avro_value_t m = member(v, "value");
	const char *zone = get_string(v, "timezone");
	int p[7], mask = get_parts(&m, p);

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		struct tm tm = { .tm_year = p[0] - 1900,
				 .tm_mon = p[1] - 1,
				 .tm_mday = p[2],
				 .tm_hour = p[3],
				 .tm_min = p[4],
				 .tm_sec = p[5] };

		if (strcmp(zone, offsets[i].zone) == 0) {
			instant_text(out, timegm(&tm) - offsets[i].seconds, p[6]);
			return;
		}
	}
	datetime_text(out, p, mask | 8, 12);
	strcat(out, " ");
	strcat(out, zone);
}

static void base64_text(char *out, const unsigned char *p, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		unsigned w = p[i] * 65536u;

		w += i + 1 < n ? p[i + 1] * 256u : 0;
		w += i + 2 < n ? p[i + 2] : 0;
		*out++ = digits[w >> 18];
		*out++ = digits[w >> 12 & 63];
		*out++ = i + 1 < n ? digits[w >> 6 & 63] : '=';
		*out++ = i + 2 < n ? digits[w & 63] : '=';
	}
	*out = '\0';
}

static void bytes_text(char *out, avro_value_t *v, bool geometry)
{
	avro_value_t m = member(v, "value");
	const void *p;
	double xy[2];
	size_t n;

	avro_value_get_bytes(&m, &p, &n);
	if (geometry && n == 21 && memcmp(p, "\x01\x01\0\0\0", 5) == 0) {
		memcpy(xy, (const char *)p + 5, 16);
		sprintf(out, "POINT(%g %g)", xy[0], xy[1]);
	} else {
		base64_text(out, p, n);
	}
}

static void character_text(char *out, avro_value_t *v)
{
	const char *charset = get_string(v, "charset");

	for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
		if (characters[i].utf8 && strcmp(charset, characters[i].charset) == 0)
			strcpy(out, characters[i].utf8);
	}
}

/* A float has many spellings: the shortest that reads back is found by trying. */
static void float_text(char *out, double d, bool single)
{
	char digits[40];
	int exponent, n;

	single = single && (isnan(d) || (double)(float)d == d);
	if (isnan(d) || isinf(d)) {
		strcpy(out, isnan(d) ? "NaN" : d < 0 ? "-Infinity" : "Infinity");
		return;
	}
	for (int precision = 0; precision <= 17; precision++) {
		sprintf(digits, "%.*e", precision, d);
		if (single ? strtof(digits, NULL) == (float)d : strtod(digits, NULL) == d)
			break;
	}
	n = sscanf(strchr(digits, 'e') + 1, "%d", &exponent);
	assert_int_equal(n, 1);
	sprintf(out, "%se%d", digits, exponent);
}

static json_t *value_json(avro_value_t *slot, int type, bool *absent)
{
	char text[4 * TEXT_MAX] = "";
	int b, p[7], mask;
	avro_value_t v, m;
	double d;
	int64_t l;

	avro_value_get_discriminant(slot, &b);
	avro_value_get_current_branch(slot, &v);
	*absent = false;
	switch (b) {
	case B_INTEGER:
	case B_DECIMAL:
	case B_TEXT_GEOMETRY:
	case B_TEXT_OBJECT:
		return json_string(get_string(&v, "value"));
	case B_CHARACTER:
		character_text(text, &v);
		break;
	case B_FLOAT:
		m = member(&v, "value");
		avro_value_get_double(&m, &d);
		float_text(text, d, type == 4);
		break;
	case B_TIMESTAMP:
		m = member(&v, "timestamp");
		avro_value_get_long(&m, &l);
		instant_text(text, l, get_int(&v, "millis"));
		break;
	case B_DATETIME:
		mask = get_parts(&v, p);
		datetime_text(text, p, mask, type);
		break;
	case B_ZONED:
		zoned_text(text, &v);
		break;
	case B_BINARY_GEOMETRY:
	case B_BINARY_OBJECT:
		bytes_text(text, &v, b == B_BINARY_GEOMETRY);
		break;
	case B_EMPTY:
		avro_value_get_enum(&v, &mask);
		*absent = mask == 1;
		return json_null();
	default:
		return json_null();
	}
	return json_string(text);
}

static json_t *image_json(avro_value_t *event, const char *name, json_t *fields, const int *types)
{
	avro_value_t slot = member(event, name), array, item;
	json_t *o = json_object();
	size_t n;
	int b;

	avro_value_get_discriminant(&slot, &b);
	if (b != 2)
		return o;
	avro_value_get_current_branch(&slot, &array);
	avro_value_get_size(&array, &n);
	assert_int_equal(n, json_array_size(fields));
	for (size_t i = 0; i < n; i++) {
		json_t *j;
		bool absent;

		avro_value_get_by_index(&array, i, &item, NULL);
		j = value_json(&item, types[i], &absent);
		if (absent)
			json_decref(j);
		else
			json_object_set_new(o, json_string_value(json_array_get(fields, i)), j);
	}
	return o;
}

static json_t *tags_json(avro_value_t *event, const char *op)
{
	const char *position = get_string(event, "sourcePosition");
	const char *safe = get_string(event, "safeSourcePosition");
	const char *txid = get_string(event, "sourceTxid");
	avro_value_t tags = member(event, "tags"), t;
	json_t *o = json_object();
	size_t n;

	avro_value_get_size(&tags, &n);
	for (size_t i = 0; i < n; i++) {
		const char *key, *value;
		size_t len;

		avro_value_get_by_index(&tags, i, &t, &key);
		avro_value_get_string(&t, &value, &len);
		json_object_set_new(o, key, json_string(value));
	}
	json_object_set_new(o, "sourcePosition", json_string(position));
	if (strcmp(safe, position) != 0)
		json_object_set_new(o, "safeSourcePosition", json_string(safe));
	if (strcmp(txid, "0") != 0 && !json_object_get(o, "sourceTxid"))
		json_object_set_new(o, "sourceTxid", json_string(txid));
	if (strcmp(op, "HEARTBEAT") == 0)
		json_object_set_new(o, "operation", json_string(op));
	return o;
}

/* Names escape a dot inside a part. */
static void unescape_name(char *out, const char *name)
{
	const char *at = strstr(name, "\\u002E");

	strcpy(out, name);
	if (at)
		sprintf(out + (at - name), ".%s", at + 6);
}

static void put_fields(avro_value_t *event, json_t *record, int *types)
{
	avro_value_t slot = member(event, "fields"), array, item;
	json_t *fields = json_array();
	size_t n;

	avro_value_get_current_branch(&slot, &array);
	avro_value_get_size(&array, &n);
	for (size_t i = 0; i < n; i++) {
		avro_value_get_by_index(&array, i, &item, NULL);
		json_array_append_new(fields, json_string(get_string(&item, "name")));
		types[i] = get_int(&item, "dataTypeNumber");
	}
	json_object_set_new(record, "fields", fields);
}

/* NULL: nothing is printed for the event. */
static json_t *expected(avro_value_t *event)
{
	avro_value_t m = member(event, "operation"), source = member(event, "source"), b;
	int op, types[8];
	json_t *r;
	const char *s;
	char text[64];
	size_t n;
	int64_t l;

	avro_value_get_enum(&m, &op);
	if (op > COMMIT && op != HEARTBEAT && op != INIT)
		return NULL;
	r = json_object();
	m = member(event, "id");
	avro_value_get_long(&m, &l);
	json_object_set_new(r, "recordID", json_integer(l));
	json_object_set_new(r, "source",
			    json_pack("{s:s,s:s}", "sourceType", "MySQL", "version",
				      get_string(&source, "version")));
	m = member(event, "objectName");
	avro_value_get_current_branch(&m, &b);
	if (avro_value_get_type(&b) == AVRO_STRING) {
		avro_value_get_string(&b, &s, &n);
		unescape_name(text, s);
		json_object_set_new(r, "dbTable", json_string(text));
	}
	json_object_set_new(r, "recordType",
			    json_string(op == HEARTBEAT ? "CHECKPOINT" : operation_names[op]));
	m = member(event, "sourceTimestamp");
	avro_value_get_long(&m, &l);
	instant_text(text, l, 0);
	json_object_set_new(r, "recordTimestamp", json_string(text));
	json_object_set_new(r, "extraTags", tags_json(event, operation_names[op]));
	if (op <= DELETE || op == INIT) {
		put_fields(event, r, types);
		json_object_set_new(
			r, "beforeImages",
			image_json(event, "beforeImages", json_object_get(r, "fields"), types));
		json_object_set_new(
			r, "afterImages",
			image_json(event, "afterImages", json_object_get(r, "fields"), types));
	} else if (op == DDL) {
		m = member(event, "afterImages");
		avro_value_get_current_branch(&m, &b);
		avro_value_get_string(&b, &s, &n);
		json_object_set_new(r, "ddl", json_string(s));
	} else if (op == HEARTBEAT) {
		json_object_set_new(r, "positions", json_array());
	}
	return r;
}

/* Floats are compared as numbers: of the printed text only that it is short is asked. */
static bool same_value(json_t *want, json_t *got)
{
	const char *w = json_string_value(want), *g = json_string_value(got);
	const char *e = w ? strchr(w, 'e') : NULL;
	size_t digits = 0, have = 0;

	if (json_equal(want, got))
		return true;
	if (!e || !g || strtod(w, NULL) != strtod(g, NULL) || (!strchr(g, '.') && !strchr(g, 'E')))
		return false;
	for (const char *p = w; p < e; p++)
		digits += *p >= '0' && *p <= '9';
	for (const char *p = g; *p && *p != 'E'; p++)
		have += *p >= '1' && *p <= '9';
	return have <= digits && signbit(strtod(w, NULL)) == signbit(strtod(g, NULL));
}

static void assert_record(json_t *want, json_t *got, size_t event)
{
	static const char *const images[] = { "beforeImages", "afterImages" };
	const char *key;
	json_t *j;

	json_object_del(got, "position");
	for (int i = 0; i < 2; i++) {
		json_t *w = json_object_get(want, images[i]), *g = json_object_get(got, images[i]);

		json_object_foreach(w, key, j)
		{
			json_t *have = json_object_get(g, key);

			if (!have || !same_value(j, have))
				fail_msg("event %zu, %s.%s: %s, not %s", event, images[i], key,
					 have ? json_dumps(have, JSON_ENCODE_ANY) : "(absent)",
					 json_dumps(j, JSON_ENCODE_ANY));
			json_object_set(g, key, j);
		}
	}
	if (!json_equal(want, got))
		fail_msg("event %zu:\n%s\nnot\n%s", event, json_dumps(got, 0), json_dumps(want, 0));
}

/* --- the tests ------------------------------------------------------------ */

struct avro {
	avro_schema_t schema;
	avro_value_iface_t *iface;
	avro_value_t value;
	avro_value_t read;
};

static void avro_open(struct avro *a, const char *tail)
{
	char *text = NULL;

	assert_true(asprintf(&text, "%s%s", schema_head, tail) > 0);
	assert_int_equal(avro_schema_from_json_length(text, strlen(text), &a->schema), 0);
	a->iface = avro_generic_class_from_schema(a->schema);
	avro_generic_value_new(a->iface, &a->value);
	avro_generic_value_new(a->iface, &a->read);
	free(text);
}

static void avro_close(struct avro *a)
{
	avro_value_decref(&a->value);
	avro_value_decref(&a->read);
	avro_value_iface_decref(a->iface);
	avro_schema_decref(a->schema);
}

/* A random event: its bytes, and a->read as avro-c reads them. */
static void make_event(struct avro *a, struct cdc_buf *b, int64_t id)
{
	avro_reader_t reader;

	avro_value_reset(&a->value);
	random_event(&a->value, id);
	cdc_buf_reset(b);
	encode(b, &a->value);
	reader = avro_reader_memory(b->p, (int64_t)b->len);
	avro_value_reset(&a->read);
	assert_int_equal(avro_value_read(reader, &a->read), 0);
	avro_reader_free(reader);
}

/* Lines of the output; SCHEMA records are left out and counted. */
static json_t *next_record(char **line, size_t *schemas)
{
	while (**line) {
		char *end = strchr(*line, '\n');
		json_error_t e;
		json_t *j;

		*end = '\0';
		j = json_loads(*line, JSON_REJECT_DUPLICATES, &e);
		if (!j)
			fail_msg("%s: %s", e.text, *line);
		*line = end + 1;
		if (strcmp(json_string_value(json_object_get(j, "recordType")), "SCHEMA") != 0)
			return j;
		json_decref(j);
		++*schemas;
	}
	return NULL;
}

static void random_events(void **state)
{
	struct cdc_source_options opt = { .format = "dts", .framing = "kcat", .control = true };
	json_t **want = calloc(EVENTS, sizeof(json_t *));
	struct cdc_buf dump = CDC_BUF_INIT, b = CDC_BUF_INIT;
	struct harness h = { .rc = 0 };
	struct avro a[2];
	size_t schemas = 0, n = 0;
	char *line;

	(void)state;
	avro_open(&a[0], schema_v1_tail);
	avro_open(&a[1], schema_v2_tail);
	for (size_t i = 0; i < EVENTS; i++) {
		make_event(&a[i % 2], &b, (int64_t)i);
		want[i] = expected(&a[i % 2].read);
		harness_frame(&dump, b.p, b.len);
	}
	harness_run(&h, &opt, dump.p, dump.len, false);
	if (h.rejects || h.rc)
		fail_msg("%zu rejects: %.2000s", h.rejects, cdc_buf_z(&h.reasons));
	line = (char *)(uintptr_t)harness_out(&h);
	for (size_t i = 0; i < EVENTS; i++) {
		json_t *got;

		if (!want[i])
			continue;
		got = next_record(&line, &schemas);
		if (!got)
			fail_msg("no record for event %zu", i);
		assert_record(want[i], got, i);
		json_decref(got);
		json_decref(want[i]);
		n++;
	}
	assert_null(next_record(&line, &schemas));
	assert_int_equal(h.counts.messages, EVENTS);
	assert_int_equal(h.counts.records + h.counts.control, n + schemas);
	assert_true(schemas >= 5);
	for (int i = 0; i < BRANCHES; i++)
		assert_true(seen_branch[i] > 1000);
	for (int i = 0; i < OPERATIONS; i++)
		assert_true(seen_operation[i] > 500);
	assert_true(split_blocks > 1000);
	free(want);
	avro_close(&a[0]);
	avro_close(&a[1]);
	cdc_buf_free(&dump);
	cdc_buf_free(&b);
	harness_free(&h);
}

/*
 * Every prefix of an event is a reject, a no-op by its length, or (version 2 cut where version 1
 * ends) the event itself.
 */
static void truncations(void **state)
{
	struct cdc_source_options opt = { .format = "dts", .framing = "single", .control = true };
	struct harness h = { .rc = 0 };
	struct cdc_buf b = CDC_BUF_INIT;
	struct avro a;

	(void)state;
	avro_open(&a, schema_v2_tail);
	for (int i = 0; i < 120; i++) {
		char *whole;
		size_t accepted = 0;

		make_event(&a, &b, i);
		harness_run(&h, &opt, b.p, b.len, false);
		assert_int_equal(h.rejects, 0);
		whole = strdup(harness_out(&h));
		for (size_t n = 3; n < b.len; n++) {
			if (n == 48)
				continue;
			harness_run(&h, &opt, b.p, n, false);
			assert_int_equal(h.rc, 0);
			if (h.rejects) {
				assert_int_equal(h.out.len, 0);
				assert_int_equal(h.raw.len, n);
				continue;
			}
			assert_string_equal(harness_out(&h), whole);
			accepted++;
		}
		assert_true(accepted <= 1);
		free(whole);
	}
	avro_close(&a);
	cdc_buf_free(&b);
	harness_free(&h);
}

/* What is printed of damaged events are records, whatever they say. */
static void bit_flips(void **state)
{
	struct cdc_source_options opt = { .format = "dts", .framing = "kcat", .control = true };
	struct harness h = { .rc = 0 };
	struct cdc_buf b = CDC_BUF_INIT, dump = CDC_BUF_INIT;
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_record r;
	struct avro a;
	char *line, *end;

	(void)state;
	avro_open(&a, schema_v2_tail);
	for (int i = 0; i < 20000; i++) {
		if (i % 10 == 0)
			make_event(&a, &b, i);
		for (int k = 1 + below(3); k > 0; k--)
			b.p[below((int)b.len)] ^= (char)(1 << below(8));
		harness_frame(&dump, b.p, b.len);
	}
	harness_run(&h, &opt, dump.p, dump.len, false);
	assert_int_equal(h.rc, 0);
	assert_true(h.rejects > 1000);
	line = (char *)(uintptr_t)harness_out(&h);
	for (; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (cdc_record_parse(&r, &tape, cdc_str(line, (size_t)(end - line)), &err) !=
		    CDC_OK)
			fail_msg("%s: %.*s", err.msg, (int)(end - line), line);
	}
	avro_close(&a);
	cdc_tape_free(&tape);
	cdc_buf_free(&b);
	cdc_buf_free(&dump);
	harness_free(&h);
}

/* A container whose writer had the fields in another order, and some that nobody knows. */
static void other_writers(void **state)
{
	static const char *const cut = "\"fields\":[{\"name\":\"version\",\"type\":\"int\"},";
	struct cdc_source_options opt = { .format = "dts", .framing = "ocf", .control = true };
	struct harness plain = { .rc = 0 }, h = { .rc = 0 };
	char *schema = NULL, *file = NULL, *text;
	struct cdc_buf b = CDC_BUF_INIT, all = CDC_BUF_INIT, dump = CDC_BUF_INIT;
	struct avro a, other;
	const char *rest = strstr(schema_head, cut) + strlen(cut);
	const char *p, *q;
	size_t n = 0;

	(void)state;
	/* after the images: an array of records that are nothing, a recursive type, the version */
	assert_true(
		asprintf(
			&schema,
			"{\"type\":\"record\",\"name\":\"Record\",\"namespace\":\"x.y\",\"fields\":["
			"{\"name\":\"nothing\",\"type\":{\"type\":\"array\",\"items\":\"null\"}},%s,"
			"{\"name\":\"bornTimestamp\",\"type\":\"long\"},"
			"{\"name\":\"list\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"L\",\"fields\":["
			"{\"name\":\"v\",\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}},"
			"{\"name\":\"next\",\"type\":[\"null\",\"L\"]}]}]},"
			"{\"name\":\"version\",\"type\":\"int\"}]}",
			rest) > 0);
	avro_open(&a, schema_v2_tail);
	assert_int_equal(avro_schema_from_json_length(schema, strlen(schema), &other.schema), 0);
	for (int i = 0; i < 500; i++) {
		make_event(&a, &b, i);
		harness_frame(&dump, b.p, b.len);
		put_long(&all, -5); /* five nulls in a block of no bytes */
		put_long(&all, 0);
		put_long(&all, 0);
		/* the event as it was, but for its version in front */
		for (p = b.p; (unsigned char)*p >= 0x80; p++)
			;
		put_bytes(&all, p + 1, b.len - (size_t)(p + 1 - b.p));
		put_long(&all, 1);
		put_bytes(&all, "abc", 3);
		put_long(&all, 0);
		put_long(&all, 7);
		n++;
	}
	cdc_buf_reset(&b);
	put_bytes(&b, "Obj\x01", 4);
	put_long(&b, -1); /* one block of metadata that tells its size */
	put_long(&b, (int64_t)(12u + (strlen(schema) < 8192 ? 2u : 3u) + strlen(schema)));
	put_long(&b, 11);
	put_bytes(&b, "avro.schema", 11);
	put_long(&b, (int64_t)strlen(schema));
	put_bytes(&b, schema, strlen(schema));
	put_long(&b, 0);
	put_bytes(&b, "0123456789abcdef", 16);
	put_long(&b, (int64_t)n);
	put_long(&b, (int64_t)all.len);
	put_bytes(&b, all.p, all.len);
	put_bytes(&b, "0123456789abcdef", 16);
	harness_run(&h, &opt, b.p, b.len, true);
	if (h.rc || h.rejects)
		fail_msg("%s %s", h.err.msg, cdc_buf_z(&h.reasons));
	opt.framing = "kcat";
	harness_run(&plain, &opt, dump.p, dump.len, true);
	text = strdup(harness_out(&plain));
	p = text;
	q = file = strdup(harness_out(&h));
	for (; *p && *q; p = strchr(p, '\n') + 1, q = strchr(q, '\n') + 1) {
		const char *pe = strstr(p, ",\"position\":{\""),
			   *qe = strstr(q, ",\"position\":{\"");

		if (pe && qe && pe < strchr(p, '\n'))
			assert_true(pe - p == qe - q && memcmp(p, q, (size_t)(pe - p)) == 0);
	}
	assert_true(!*p && !*q);
	avro_schema_decref(other.schema);
	avro_close(&a);
	free(schema);
	free(file);
	free(text);
	cdc_buf_free(&b);
	cdc_buf_free(&all);
	cdc_buf_free(&dump);
	harness_free(&h);
	harness_free(&plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_events),
		cmocka_unit_test(truncations),
		cmocka_unit_test(bit_flips),
		cmocka_unit_test(other_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
