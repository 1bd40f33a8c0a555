/*
 * Proves the framings and the detection: kcat dumps, lines, containers of every codec (written by
 * avro-c and by hand), single messages; what is damaged is rejected with its bytes and offset, and
 * where boundaries are lost the input ends in an error.
 */
#include "harness.h"

#include "dts_random.h"

#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#define EVENTS 300

static struct cdc_buf events[EVENTS];
static char schema[16384];

static int make_events(void **state)
{
	avro_schema_t s;
	avro_value_iface_t *iface;
	avro_value_t v;

	(void)state;
	snprintf(schema, sizeof(schema), "%s%s", schema_head, schema_v2_tail);
	assert_int_equal(avro_schema_from_json_length(schema, strlen(schema), &s), 0);
	iface = avro_generic_class_from_schema(s);
	avro_generic_value_new(iface, &v);
	for (int i = 0; i < EVENTS; i++) {
		avro_value_reset(&v);
		random_event(&v, i);
		encode(&events[i], &v);
	}
	avro_value_decref(&v);
	avro_value_iface_decref(iface);
	avro_schema_decref(s);
	return 0;
}

static int free_events(void **state)
{
	(void)state;
	for (int i = 0; i < EVENTS; i++)
		cdc_buf_free(&events[i]);
	return 0;
}

static void add(struct cdc_buf *b, const void *p, size_t n)
{
	struct cdc_err err;

	assert_int_equal(cdc_buf_append(b, p, n, &err), CDC_OK);
}

static void dump_of(struct cdc_buf *b, int from, int to)
{
	for (int i = from; i < to; i++)
		harness_frame(b, events[i].p, events[i].len);
}

/* The output without positions, which differ between framings. */
static char *without_positions(struct harness *h)
{
	char *text = strdup(harness_out(h)), *out = text;

	for (char *p = text; *p;) {
		char *end = strchr(p, '\n') + 1;
		char *cut = strstr(p, ",\"position\":{");
		size_t n = (size_t)((cut && cut < end ? cut : end) - p);

		memmove(out, p, n);
		out += n;
		if (cut && cut < end)
			*out++ = '\n';
		p = end;
	}
	*out = '\0';
	return text;
}

static char *reference(void)
{
	struct cdc_source_options opt = { .format = "dts", .framing = "kcat", .control = true };
	struct harness h = { .rc = 0 };
	struct cdc_buf b = CDC_BUF_INIT;
	char *text;

	dump_of(&b, 0, EVENTS);
	harness_run(&h, &opt, b.p, b.len, true);
	assert_int_equal(h.rc, 0);
	assert_int_equal(h.rejects, 0);
	text = without_positions(&h);
	cdc_buf_free(&b);
	harness_free(&h);
	return text;
}

/* --- kcat ----------------------------------------------------------------- */

static void kcat_truncated(void **state)
{
	struct cdc_source_options opt = { .format = "dts", .framing = "kcat" };
	struct harness h = { .rc = 0 };
	struct cdc_buf b = CDC_BUF_INIT;
	char want[64];
	size_t whole;

	(void)state;
	dump_of(&b, 0, 3);
	whole = b.len;
	dump_of(&b, 3, 4);
	for (size_t n = whole + 1; n < b.len; n++) {
		harness_run(&h, &opt, b.p, n, false);
		assert_int_equal(h.rc, 0);
		assert_int_equal(h.rejects, 1);
		assert_int_equal(h.counts.messages, 3);
		snprintf(want, sizeof(want), "%zu:0: the input ends inside a message\n", whole);
		assert_string_equal(cdc_buf_z(&h.reasons), want);
		assert_int_equal(h.raw.len, n - whole);
		assert_memory_equal(h.raw.p, b.p + whole, n - whole);
	}
	cdc_buf_free(&b);
	harness_free(&h);
}

static void kcat_lost(void **state)
{
	static const struct {
		unsigned char head[4];
		const char *want;
	} cases[] = {
		{ { 0xff, 0xff, 0xff, 0xfe },
		  "a message of -2 bytes: not a kcat dump from here on" },
		{ { 0x7f, 0xff, 0xff, 0xff },
		  "a message of 2147483647 bytes: not a kcat dump from here on" },
	};
	struct cdc_source_options opt = { .format = "dts", .framing = "kcat" };
	struct harness h = { .rc = 0 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct cdc_buf b = CDC_BUF_INIT;
		size_t at;

		dump_of(&b, 0, 3);
		at = b.len;
		add(&b, cases[i].head, 4);
		dump_of(&b, 3, 6);
		harness_run(&h, &opt, b.p, b.len, false);
		assert_int_equal(h.rc, CDC_EDATA);
		assert_string_equal(h.err.msg, cases[i].want);
		assert_int_equal(h.err.offset, at);
		assert_int_equal(h.rejects, 1);
		assert_int_equal(h.raw.len, b.len - at);
		assert_int_equal(h.counts.messages, 3);
		/* what came before is out */
		assert_int_equal(h.counts.records > 0, h.out.len > 0);
		cdc_buf_free(&b);
	}
	harness_free(&h);
}

/* A bad message between good ones is one reject, with its own bytes. */
static void kcat_bad_message(void **state)
{
	struct cdc_source_options opt = { .format = "dts", .framing = "kcat", .control = true };
	struct harness h = { .rc = 0 };
	struct cdc_buf b = CDC_BUF_INIT;
	size_t at;

	(void)state;
	dump_of(&b, 0, 1);
	at = b.len + 4;
	harness_frame(&b, "this is not an event", 20);
	dump_of(&b, 1, 2);
	harness_run(&h, &opt, b.p, b.len, false);
	assert_int_equal(h.rc, 0);
	assert_int_equal(h.rejects, 1);
	assert_int_equal(h.counts.messages, 3);
	assert_int_equal(strtoull(cdc_buf_z(&h.reasons), NULL, 10), at);
	assert_int_equal(h.raw.len, 20);
	assert_memory_equal(h.raw.p, "this is not an event", 20);
	h.stop_at_reject = true;
	harness_run(&h, &opt, b.p, b.len, false);
	assert_int_equal(h.rc, CDC_EDATA);
	assert_true(h.err.has_offset);
	assert_int_equal(h.err.offset, at);
	cdc_buf_free(&b);
	harness_free(&h);
}

static void message_limit(void **state)
{
	struct cdc_source_options opt = { .format = "records",
					  .framing = "kcat",
					  .record_max = 100 };
	struct harness h = { .rc = 0 };
	struct cdc_buf b = CDC_BUF_INIT;
	char big[101];

	(void)state;
	memset(big, ' ', sizeof(big));
	harness_frame(&b, big, 100);
	harness_run(&h, &opt, b.p, b.len, false);
	assert_int_equal(h.rc, 0);
	harness_frame(&b, big, 101);
	harness_run(&h, &opt, b.p, b.len, false);
	assert_int_equal(h.rc, CDC_EDATA);
	opt.framing = "single";
	harness_run(&h, &opt, big, 100, false);
	assert_int_equal(h.rc, 0);
	harness_run(&h, &opt, big, 101, false);
	assert_int_equal(h.rc, CDC_EDATA);
	cdc_buf_free(&b);
	harness_free(&h);
}

/* --- containers ----------------------------------------------------------- */

static const char marker[16] = "0123456789abcdef";

static void container_head(struct cdc_buf *b, const char *codec)
{
	put_bytes(b, "Obj\x01", 4);
	put_long(b, 2);
	put_long(b, 11);
	put_bytes(b, "avro.schema", 11);
	put_long(b, (int64_t)strlen(schema));
	put_bytes(b, schema, strlen(schema));
	put_long(b, 10);
	put_bytes(b, "avro.codec", 10);
	put_long(b, (int64_t)strlen(codec));
	put_bytes(b, codec, strlen(codec));
	put_long(b, 0);
	put_bytes(b, marker, 16);
}

static size_t squeeze(const char *codec, const struct cdc_buf *in, char *out, size_t room)
{
	uLong crc;

	if (strcmp(codec, "snappy") == 0) {
		assert_int_equal(snappy_compress(in->p, in->len, out, &room), SNAPPY_OK);
		crc = crc32(0, (const Bytef *)in->p, (uInt)in->len);
		for (int i = 0; i < 4; i++)
			out[room++] = (char)(crc >> (24 - 8 * i));
		return room;
	}
	if (strcmp(codec, "zstandard") == 0) {
		room = ZSTD_compress(out, room, in->p, in->len, 3);
		assert_false(ZSTD_isError(room));
		return room;
	}
	if (strcmp(codec, "deflate") == 0) {
		z_stream z = { .next_in = (Bytef *)in->p,
			       .avail_in = (uInt)in->len,
			       .next_out = (Bytef *)out,
			       .avail_out = (uInt)room };

		deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		deflateEnd(&z);
		return z.total_out;
	}
	memcpy(out, in->p, in->len);
	return in->len;
}

static void container_block(struct cdc_buf *b, const char *codec, int from, int to, int count)
{
	static char out[4 << 20];
	struct cdc_buf block = CDC_BUF_INIT;
	size_t n;

	for (int i = from; i < to; i++)
		add(&block, events[i].p, events[i].len);
	n = squeeze(codec, &block, out, sizeof(out));
	put_long(b, count);
	put_long(b, (int64_t)n);
	put_bytes(b, out, n);
	put_bytes(b, marker, 16);
	cdc_buf_free(&block);
}

static void containers(void **state)
{
	static const char *const codecs[] = { "null", "deflate", "snappy", "zstandard" };
	struct cdc_source_options opt = { .control = true };
	struct harness h = { .rc = 0 };
	char *want = reference();

	(void)state;
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		struct cdc_buf b = CDC_BUF_INIT;
		char *got;

		container_head(&b, codecs[i]);
		container_block(&b, codecs[i], 0, 100, 100);
		container_block(&b, codecs[i], 100, 101, 1);
		container_block(&b, codecs[i], 101, EVENTS, EVENTS - 101);
		harness_run(&h, &opt, b.p, b.len, true);
		if (h.rc || h.rejects)
			fail_msg("%s: %s %s", codecs[i], h.err.msg, cdc_buf_z(&h.reasons));
		assert_string_equal(h.framing, "ocf");
		got = without_positions(&h);
		assert_string_equal(got, want);
		free(got);
		cdc_buf_free(&b);
	}
	free(want);
	harness_free(&h);
}

/* Flip every byte of a block in turn: all of it is decoded right, or rejected, and the next is
 * read. */
static void container_damage(void **state)
{
	static const char *const codecs[] = { "snappy", "deflate", "zstandard", "null" };
	struct cdc_source_options opt = { .format = "dts", .framing = "ocf", .control = true };
	struct harness h = { .rc = 0 };

	(void)state;
	for (size_t c = 0; c < sizeof(codecs) / sizeof(codecs[0]); c++) {
		struct cdc_buf b = CDC_BUF_INIT;
		size_t from, to;

		container_head(&b, codecs[c]);
		from = b.len;
		container_block(&b, codecs[c], 0, 2, 2);
		to = b.len;
		container_block(&b, codecs[c], 2, 4, 2);
		for (size_t i = from; i < to; i++) {
			b.p[i] ^= 0x10;
			harness_run(&h, &opt, b.p, b.len, false);
			/* a snappy block is known by its checksum: nothing of it may pass */
			if (c == 0 && i > from + 3)
				assert_true(h.rejects >= 1);
			if (i >= to - 16) {
				assert_int_equal(h.rc, CDC_EDATA);
				assert_string_equal(
					h.err.msg,
					"a block of the Avro container does not end in its marker");
				assert_int_equal(h.err.offset, from);
				assert_int_equal(h.raw.len, b.len - from);
			}
			b.p[i] ^= 0x10;
		}
		cdc_buf_free(&b);
	}
	harness_free(&h);
}

static void container_torn(void **state)
{
	struct cdc_source_options opt = { .format = "dts", .framing = "ocf", .control = true };
	struct harness h = { .rc = 0 };
	struct cdc_buf b = CDC_BUF_INIT;
	size_t head, first;

	(void)state;
	container_head(&b, "null");
	head = b.len;
	container_block(&b, "null", 0, 2, 2);
	first = b.len;
	container_block(&b, "null", 2, 4, 2);
	for (size_t n = 1; n < b.len; n++) {
		harness_run(&h, &opt, b.p, n, false);
		if (n < head) {
			assert_int_equal(h.rc, CDC_EDATA);
		} else if (n == head || n == first) {
			assert_int_equal(h.rc, 0);
			assert_int_equal(h.rejects, 0);
		} else {
			assert_int_equal(h.rc, 0);
			assert_int_equal(h.rejects, 1);
			assert_int_equal(h.raw.len, n - (n < first ? head : first));
			assert_int_equal(h.counts.messages, n < first ? 0 : 2);
		}
	}
	cdc_buf_free(&b);
	harness_free(&h);
}

/* More events than the block tells, or fewer: what is left over or missing is rejected. */
static void container_counts(void **state)
{
	struct cdc_source_options opt = { .format = "dts", .framing = "ocf", .control = true };
	struct harness h = { .rc = 0 };
	struct cdc_buf b = CDC_BUF_INIT;

	(void)state;
	container_head(&b, "null");
	container_block(&b, "null", 0, 3, 2);
	container_block(&b, "null", 3, 5, 3);
	container_block(&b, "null", 5, 6, 1);
	harness_run(&h, &opt, b.p, b.len, false);
	assert_int_equal(h.rc, 0);
	assert_int_equal(h.rejects, 2);
	assert_non_null(strstr(cdc_buf_z(&h.reasons), "bytes are left in a block\n"));
	assert_non_null(strstr(cdc_buf_z(&h.reasons), "it ends early"));
	assert_int_equal(h.counts.messages, 2 + 3 + 1);
	assert_int_equal(h.raw.len, events[2].len);
	cdc_buf_free(&b);
	harness_free(&h);
}

static void container_foreign(void **state)
{
	struct cdc_source_options opt = { .format = "dts" };
	struct harness h = { .rc = 0 };
	struct cdc_buf b = CDC_BUF_INIT;

	(void)state;
	snprintf(
		schema, sizeof(schema),
		"{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"id\",\"type\":\"long\"}]}");
	container_head(&b, "null");
	harness_run(&h, &opt, b.p, b.len, false);
	assert_int_equal(h.rc, CDC_EDATA);
	assert_string_equal(h.err.msg,
			    "not a DTS event: its schema's r has no field sourceTimestamp");
	cdc_buf_reset(&b);
	container_head(&b, "bzip2");
	harness_run(&h, &opt, b.p, b.len, false);
	assert_string_equal(h.err.msg, "Avro container with codec bzip2, which is not supported");
	snprintf(schema, sizeof(schema), "{\"type\":\"record\"");
	cdc_buf_reset(&b);
	container_head(&b, "null");
	harness_run(&h, &opt, b.p, b.len, false);
	assert_int_equal(h.rc, CDC_EDATA);
	snprintf(schema, sizeof(schema), "%s%s", schema_head, schema_v2_tail);
	cdc_buf_free(&b);
	harness_free(&h);
}

/* --- detection ------------------------------------------------------------ */

static void detection(void **state)
{
	static const char record[] = "{\"recordType\":\"BEGIN\"}\n";
	static const struct {
		const char *bytes;
		size_t n;
		const char *want;
	} refused[] = {
		{ "id,name\n1,a\n", 12,
		  "cannot tell what the input is: give --from and --framing" },
		{ "{\"a\":1}\n", 8, "cannot tell what the input is: give --from and --framing" },
		{ "\xfd"
		  "bin....",
		  8, "the input is an encrypted binlog, which cannot be read without its key" },
		{ "\x1f\x8b......", 8, "the input is compressed with gzip: decompress it first" },
		{ "\0\0\0\1", 4, "cannot tell what the input is: give --from and --framing" },
	};
	struct cdc_source_options opt = { .format = "auto", .framing = "auto", .control = true };
	struct harness h = { .rc = 0 };
	struct cdc_buf b = CDC_BUF_INIT;
	static const unsigned char null[] = { 0xff, 0xff, 0xff, 0xff };

	(void)state;
	harness_run(&h, &opt, events[0].p, events[0].len, false);
	assert_string_equal(h.framing, "single");
	assert_int_equal(h.rc, 0);
	dump_of(&b, 0, 2);
	harness_run(&h, &opt, b.p, b.len, false);
	assert_string_equal(h.framing, "kcat");
	/* no-ops in front of the first event */
	cdc_buf_reset(&b);
	add(&b, null, 4);
	harness_frame(&b, "\0", 1);
	dump_of(&b, 0, 1);
	harness_run(&h, &opt, b.p, b.len, false);
	assert_string_equal(h.framing, "kcat");
	assert_int_equal(h.counts.skipped >= 2, true);
	/* a first event that is bad is a reject, not a riddle */
	cdc_buf_reset(&b);
	harness_frame(&b, "what is this?", 13);
	dump_of(&b, 0, 1);
	harness_run(&h, &opt, b.p, b.len, false);
	assert_string_equal(h.framing, "kcat");
	assert_int_equal(h.rejects, 1);
	harness_run(&h, &opt, record, sizeof(record) - 1, false);
	assert_string_equal(h.framing, "lines");
	assert_string_equal(harness_out(&h), record);
	/* nothing at all is nothing */
	harness_run(&h, &opt, "", 0, true);
	assert_int_equal(h.rc, 0);
	assert_string_equal(h.framing, "");
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		harness_run(&h, &opt, refused[i].bytes, refused[i].n, false);
		assert_int_equal(h.rc, CDC_EDATA);
		assert_string_equal(h.err.msg, refused[i].want);
		assert_int_equal(h.out.len, 0);
	}
	cdc_buf_free(&b);
	harness_free(&h);
}

static void bad_options(void **state)
{
	static const struct {
		struct cdc_source_options opt;
		const char *want;
	} cases[] = {
		{ { .format = "oracle" }, "unknown format oracle" },
		{ { .framing = "cans" }, "unknown framing cans" },
		{ { .format = "csv" }, "what the columns are must be told: --columns or --header" },
		{ { .format = "csv", .framing = "kcat", .columns = "a" },
		  "format csv delimits its own records: --framing kcat cannot be" },
		{ { .format = "records", .framing = "ocf" },
		  "format records does not come in Avro containers" },
		{ { .format = "dts", .framing = "kcat", .key = "a,,b" },
		  "--key has an empty name" },
	};
	struct harness h = { .rc = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		harness_run(&h, &cases[i].opt, "x", 1, false);
		assert_int_equal(h.rc, CDC_EUSAGE);
		assert_string_equal(h.err.msg, cases[i].want);
	}
	harness_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kcat_truncated),    cmocka_unit_test(kcat_lost),
		cmocka_unit_test(kcat_bad_message),  cmocka_unit_test(message_limit),
		cmocka_unit_test(containers),	     cmocka_unit_test(container_damage),
		cmocka_unit_test(container_torn),    cmocka_unit_test(container_counts),
		cmocka_unit_test(container_foreign), cmocka_unit_test(detection),
		cmocka_unit_test(bad_options),
	};

	return cmocka_run_group_tests(tests, make_events, free_events);
}
