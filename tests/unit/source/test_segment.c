/*
 * Kafka log segments, put together byte by byte after the protocol's description: all three
 * formats, each compression by its own library, transactions, damage.
 */
#include "harness.h"

#include "base/endian.h"
#include "source/framing/segment.h"
#include "source/framing/segment_queue.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

struct bytes {
	unsigned char p[65536];
	size_t n;
};

static void put(struct bytes *b, const void *p, size_t n)
{
	assert_true(b->n + n <= sizeof(b->p));
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

static void put_be(struct bytes *b, uint64_t v, unsigned n)
{
	for (unsigned i = n; i-- > 0;) {
		unsigned char c = (unsigned char)(v >> (8 * i));

		put(b, &c, 1);
	}
}

static void put_varint(struct bytes *b, int64_t v)
{
	uint64_t u = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);

	do {
		unsigned char c = (unsigned char)((u & 0x7f) | (u > 0x7f ? 0x80 : 0));

		put(b, &c, 1);
		u >>= 7;
	} while (u);
}

static void put_string(struct bytes *b, const char *s)
{
	put_varint(b, s ? (int64_t)strlen(s) : -1);
	if (s)
		put(b, s, strlen(s));
}

/* A v2 record. */
static void put_record(struct bytes *b, int64_t delta, const char *key, const char *value)
{
	struct bytes r = { .n = 0 };

	put_be(&r, 0, 1);
	put_varint(&r, delta * 10); /* time */
	put_varint(&r, delta);
	put_string(&r, key);
	put_string(&r, value);
	put_varint(&r, 1);
	put_string(&r, "h");
	put_string(&r, NULL);
	put_varint(b, (int64_t)r.n);
	put(b, r.p, r.n);
}

/* Bit by bit, after the polynomial. */
static uint32_t crc32c(const unsigned char *p, size_t n)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void compress_with(unsigned codec, const struct bytes *in, struct bytes *out)
{
	out->n = 0;
	if (codec == 0) {
		put(out, in->p, in->n);
	} else if (codec == 1) {
		union {
			const unsigned char *in;
			Bytef *next;
		} u = { in->p };
		z_stream z = { .next_in = u.next,
			       .avail_in = (uInt)in->n,
			       .next_out = out->p,
			       .avail_out = sizeof(out->p) };

		assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		out->n = sizeof(out->p) - z.avail_out;
		deflateEnd(&z);
	} else if (codec == 2) {
		/* xerial's frame of two blocks */
		size_t half = in->n / 2;

		put(out, "\x82SNAPPY\0\0\0\0\1\0\0\0\1", 16);
		for (int i = 0; i < 2; i++) {
			char block[65536];
			size_t n = sizeof(block);

			assert_int_equal(snappy_compress((const char *)in->p + (i ? half : 0),
							 i ? in->n - half : half, block, &n),
					 SNAPPY_OK);
			put_be(out, n, 4);
			put(out, block, n);
		}
	} else if (codec == 3) {
		out->n = LZ4F_compressFrame(out->p, sizeof(out->p), in->p, in->n, NULL);
		assert_false(LZ4F_isError(out->n));
	} else if (codec == 4) {
		out->n = ZSTD_compress(out->p, sizeof(out->p), in->p, in->n, 1);
		assert_false(ZSTD_isError(out->n));
	}
}

static void put_batch(struct bytes *b, int64_t offset, unsigned attributes, int64_t producer,
		      uint32_t count, const struct bytes *records)
{
	static struct bytes body, packed;

	compress_with(attributes & 7, records, &packed);
	body.n = 0;
	put_be(&body, attributes, 2);
	put_be(&body, count ? count - 1 : 0, 4);
	put_be(&body, 1573701065120, 8);
	put_be(&body, 1573701065999, 8);
	put_be(&body, (uint64_t)producer, 8);
	put_be(&body, 0, 2);
	put_be(&body, 0, 4);
	put_be(&body, count, 4);
	put(&body, packed.p, packed.n);
	put_be(b, (uint64_t)offset, 8);
	put_be(b, body.n + 9, 4);
	put_be(b, 0, 4);
	put_be(b, 2, 1);
	put_be(b, crc32c(body.p, body.n), 4);
	put(b, body.p, body.n);
}

static void put_marker(struct bytes *b, int64_t offset, int64_t producer, bool commit)
{
	struct bytes r = { .n = 0 }, all = { .n = 0 };

	put_be(&r, 0, 1);
	put_varint(&r, 0);
	put_varint(&r, 0);
	put_varint(&r, 4);
	put_be(&r, 0, 2);
	put_be(&r, commit, 2);
	put_varint(&r, 6);
	put_be(&r, 0, 6);
	put_varint(&r, 0);
	put_varint(&all, (int64_t)r.n);
	put(&all, r.p, r.n);
	put_batch(b, offset, 16 | 32, producer, 1, &all);
}

/* A message of v0 or v1. */
static void put_message(struct bytes *b, int64_t offset, unsigned magic, unsigned attributes,
			const void *value, size_t n)
{
	struct bytes m = { .n = 0 };

	put_be(&m, magic, 1);
	put_be(&m, attributes, 1);
	if (magic == 1)
		put_be(&m, 1573701065120, 8);
	put_be(&m, UINT32_MAX, 4);
	put_be(&m, n, 4);
	put(&m, value, n);
	put_be(b, (uint64_t)offset, 8);
	put_be(b, m.n + 4, 4);
	put_be(b, (uint32_t)crc32(0, m.p, (uInt)m.n), 4);
	put(b, m.p, m.n);
}

/* Records that pass through, so that what came out is what was in the messages. */
#define ROW(id) "{\"recordType\":\"INSERT\",\"afterImages\":{\"id\":\"" id "\"}}"

static const struct cdc_source_options opt = {
	.format = "records", .framing = "segment", .topic = "sales", .partition = 3
};

/* Topic and partition by the file's name, or not at all. */
static const struct cdc_source_options detected = { .format = "records" };
static const struct cdc_source_options nameless = { .format = "records", .framing = "segment" };

static const char *run(struct harness *h, const struct bytes *b)
{
	harness_run(h, &opt, b->p, b->n, true);
	return cdc_buf_z(&h->out);
}

#define AT(topic, partition, offset)                                                               \
	"{\"topic\":\"" topic "\",\"partition\":" partition ",\"offset\":" offset "}"
#define PROMISED(positions)                                                                        \
	"{\"recordType\":\"CHECKPOINT\",\"positions\":[" positions "],\"final\":true}\n"
#define FINAL(offset)                                                                              \
	"{\"recordType\":\"CHECKPOINT\",\"positions\":[{\"topic\":\"sales\",\"partition\":3,"      \
	"\"offset\":" offset "}],\"final\":true}\n"

static void codecs(void **state)
{
	(void)state;
	for (unsigned codec = 0; codec <= 4; codec++) {
		struct harness h = { .rc = 0 };
		struct bytes b = { .n = 0 }, r = { .n = 0 };

		put_record(&r, 0, "k", ROW("1"));
		put_record(&r, 1, NULL, NULL); /* a tombstone */
		put_record(&r, 4, NULL, ROW("2")); /* a gap: the log was compacted */
		put_batch(&b, 40, codec, -1, 3, &r);
		r.n = 0;
		put_batch(&b, 50, 0, -1, 0, &r); /* all of it compacted away */
		assert_string_equal(run(&h, &b), ROW("1") "\n" ROW("2") "\n" FINAL("44"));
		assert_int_equal(h.rejects, 0);
		harness_free(&h);
	}
}

static void old_formats(void **state)
{
	(void)state;
	for (unsigned magic = 0; magic <= 1; magic++) {
		for (unsigned codec = 0; codec <= 3; codec++) {
			struct harness h = { .rc = 0 };
			struct bytes b = { .n = 0 }, inner = { .n = 0 }, packed = { .n = 0 };

			/* v1 counts from the wrapper's last offset, v0 tells the offsets. */
			put_message(&inner, magic ? 0 : 7, magic, 0, ROW("1"), strlen(ROW("1")));
			put_message(&inner, magic ? 1 : 8, magic, 0, ROW("2"), strlen(ROW("2")));
			compress_with(codec, &inner, &packed);
			if (codec == 3)
				packed.p[6] ^= 0x55; /* the header checksum of old clients */
			if (codec)
				put_message(&b, 8, magic, codec, packed.p, packed.n);
			else
				put_message(&b, 8, magic, 0, ROW("1"), strlen(ROW("1")));
			assert_string_equal(run(&h, &b),
					    codec ? ROW("1") "\n" ROW("2") "\n" FINAL("8")
						  : ROW("1") "\n" FINAL("8"));
			assert_int_equal(h.rejects, 0);
			harness_free(&h);
		}
	}
}

static void one(struct bytes *b, int64_t offset, unsigned attributes, int64_t producer,
		const char *value)
{
	struct bytes r = { .n = 0 };

	put_record(&r, 0, NULL, value);
	put_batch(b, offset, attributes, producer, 1, &r);
}

/* Two producers, one of which aborts, and one more whose end is not in the file: nothing is
 * promised from there on. */
static void transactions(void **state)
{
	struct harness h = { .rc = 0 };
	struct bytes b = { .n = 0 };

	(void)state;
	one(&b, 0, 0, -1, ROW("before"));
	one(&b, 1, 16, 7, ROW("aborted"));
	one(&b, 2, 16, 8, ROW("committed"));
	one(&b, 3, 0, -1, ROW("between"));
	put_marker(&b, 4, 8, true);
	put_marker(&b, 5, 7, false);
	one(&b, 6, 16, 7, ROW("again"));
	put_marker(&b, 7, 7, true);
	one(&b, 8, 16, 9, ROW("open"));
	one(&b, 9, 0, -1, ROW("last"));
	assert_string_equal(run(&h, &b), ROW("before") "\n" ROW("committed") "\n" ROW(
						 "between") "\n" ROW("again") "\n" FINAL("6"));
	assert_int_equal(h.rejects, 0);
	assert_int_equal(h.counts.open, 1);
	/* Without a topic there is nothing to promise, and no segment that goes on. */
	harness_run(&h, &nameless, b.p, b.n, true);
	assert_string_equal(cdc_buf_z(&h.out),
			    ROW("before") "\n" ROW("committed") "\n" ROW("between") "\n" ROW(
				    "again") "\n" ROW("last") "\n" PROMISED(""));
	assert_int_equal(h.counts.open, 1);
	harness_free(&h);
}

/* Inputs of one run, by the names of segments. */
struct file {
	const char *name;
	const struct bytes *b;
};

static const char *run_files(struct harness *h, const struct file *file, size_t n)
{
	struct cdc_sink sink = { .ctx = h, .put = harness_put, .on_reject = harness_reject };
	struct cdc_source *s = NULL;

	cdc_buf_reset(&h->out);
	h->rejects = 0;
	assert_int_equal(cdc_source_new(&s, &detected, &sink, &h->err), CDC_OK);
	for (size_t i = 0; i < n; i++) {
		int fd = memfd_create("input", 0);
		struct cdc_reader r;

		assert_int_equal(
			cdc_io_write_full(&cdc_io_posix, fd, file[i].b->p, file[i].b->n, &h->err),
			CDC_OK);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(cdc_reader_fd(&r, &cdc_io_posix, fd, file[i].name, &h->err),
				 CDC_OK);
		assert_int_equal(cdc_source_run(s, &r, &h->err), CDC_OK);
		cdc_reader_close(&r);
		close(fd);
	}
	assert_int_equal(cdc_source_finish(s, &h->err), CDC_OK);
	h->counts = *cdc_source_counts(s);
	cdc_source_free(s);
	return cdc_buf_z(&h->out);
}

#define SEGMENT(dir, offset) dir "/00000000000000000" offset ".log"

/* A transaction may end segments later; what waits is printed there as what it was. */
static void transactions_over_segments(void **state)
{
	struct harness h = { .rc = 0 };
	struct bytes first = { .n = 0 }, second = { .n = 0 }, third = { .n = 0 };
	const struct file all[] = { { SEGMENT("t-0", "000"), &first },
				    { SEGMENT("t-0", "004"), &second },
				    { SEGMENT("t-0", "006"), &third } };

	(void)state;
	one(&first, 0, 0, -1, ROW("1"));
	one(&first, 1, 16, 7, ROW("2"));
	one(&first, 2, 16, 8, ROW("aborted"));
	one(&first, 3, 0, -1, ROW("3"));
	one(&second, 4, 16, 7, ROW("4"));
	one(&second, 5, 0, -1, "no record");
	put_marker(&third, 6, 8, false);
	put_marker(&third, 7, 7, true); /* a segment of markers alone */
	assert_string_equal(run_files(&h, all, 3), ROW("1") "\n" ROW("2") "\n" ROW("3") "\n" ROW(
							   "4") "\n" PROMISED(AT("t", "0", "5")));
	assert_int_equal(h.counts.open, 0);
	assert_int_equal(h.rejects, 1);
	/* what is not ended is not passed over */
	assert_string_equal(run_files(&h, all, 2), ROW("1") "\n" PROMISED(AT("t", "0", "0")));
	assert_int_equal(h.counts.open, 2);
	harness_free(&h);
}

/* Another partition, or one that does not go on: nothing is mixed, and what was left out stays so.
 */
static void transactions_that_stop(void **state)
{
	struct harness h = { .rc = 0 };
	struct bytes open = { .n = 0 }, end = { .n = 0 };
	const struct file other[] = { { SEGMENT("t-0", "000"), &open },
				      { SEGMENT("t-1", "002"), &end },
				      { SEGMENT("t-0", "002"), &end } };
	const struct file back[] = { { SEGMENT("t-0", "002"), &end },
				     { SEGMENT("t-0", "000"), &open },
				     { SEGMENT("t-0", "000"), &open } };

	(void)state;
	one(&open, 0, 0, -1, ROW("1"));
	one(&open, 1, 16, 7, ROW("2"));
	put_marker(&end, 2, 7, true);
	one(&end, 3, 0, -1, ROW("3"));
	assert_string_equal(run_files(&h, other, 3), ROW("1") "\n" ROW("3") "\n" PROMISED(AT(
							     "t", "0", "0") "," AT("t", "1", "3")));
	assert_int_equal(h.counts.open, 1);
	assert_string_equal(run_files(&h, back, 3),
			    ROW("3") "\n" ROW("1") "\n" ROW("1") "\n" PROMISED(AT("t", "0", "3")));
	harness_free(&h);
}

static void end_one(struct segment_queue *q, int64_t producer)
{
	struct segment_waiting w;

	segment_queue_decide(q, producer, producer % 2);
	while (segment_queue_take(q, &w)) {
		assert_true(w.decided);
		assert_true(w.aborted == (w.producer_id % 2 == 0));
		assert_true((w.bytes.p == NULL) == w.aborted);
		free((char *)(uintptr_t)w.bytes.p);
	}
}

/* The end of a transaction costs what the transaction holds, and memory what waits. */
static void queue(void **state)
{
	struct segment_waiting w = { .bytes = CDC_STR("batch") };
	struct segment_queue q = { .w = NULL };
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	for (w.producer_id = 0; w.producer_id < 400000; w.producer_id++) {
		/* the first one stays open to the end */
		assert_int_equal(segment_queue_add(&q, w, &err), CDC_OK);
		if (w.producer_id)
			end_one(&q, w.producer_id);
	}
	assert_int_equal(q.n - q.head, 400000);
	assert_int_equal(q.open, 1);
	end_one(&q, 0);
	assert_true(segment_queue_is_empty(&q));
	assert_int_equal(q.bytes, 0);
	segment_queue_free(&q);
	for (int64_t i = 0; i < 400000; i++) {
		w.producer_id = i % 3;
		assert_int_equal(segment_queue_add(&q, w, &err), CDC_OK);
		if (i)
			end_one(&q, (i - 1) % 3);
	}
	assert_int_equal(q.n - q.head, 1);
	assert_int_equal(q.cap, 64);
	segment_queue_free(&q);
}

static void damage(void **state)
{
	struct harness h = { .rc = 0 };
	struct bytes b = { .n = 0 };
	size_t second, third;

	(void)state;
	one(&b, 0, 0, -1, ROW("1"));
	second = b.n;
	one(&b, 1, 0, -1, ROW("2"));
	third = b.n;
	one(&b, 2, 0, -1, ROW("3"));
	b.p[third - 20] ^= 1;
	assert_string_equal(run(&h, &b), ROW("1") "\n" ROW("3") "\n" FINAL("2"));
	assert_int_equal(h.rejects, 1);
	assert_non_null(strstr(cdc_buf_z(&h.reasons), "a batch has a wrong checksum"));
	assert_int_equal(h.raw.len, third - second);
	b.p[third - 20] ^= 1;
	/* a torn batch, and zeros that were laid out in advance */
	b.n -= 3;
	assert_string_equal(run(&h, &b), ROW("1") "\n" ROW("2") "\n" FINAL("1"));
	assert_non_null(strstr(cdc_buf_z(&h.reasons), "the segment ends inside a batch"));
	b.n = third;
	memset(b.p + b.n, 0, 4096);
	b.n += 4096;
	assert_string_equal(run(&h, &b), ROW("1") "\n" ROW("2") "\n" FINAL("1"));
	assert_int_equal(h.rejects, 0);
	/* a length that cannot be ends the input */
	memset(b.p + third, 0xff, 64);
	(void)run(&h, &b);
	assert_int_equal(h.rc, CDC_EDATA);
	harness_free(&h);
}

/* Right checksums around what cannot be. */
static void impossible(void **state)
{
	struct harness h = { .rc = 0 };
	struct bytes b = { .n = 0 }, r = { .n = 0 }, inner = { .n = 0 }, packed = { .n = 0 };

	(void)state;
	/* a message set without room for the lengths of its key and value, and where it is the
	 * copy of a batch that waited: nothing may be read behind it */
	one(&b, 0, 16, 7, ROW("1"));
	put_be(&r, 1, 1);
	put_be(&r, 1, 1); /* gzip */
	put_be(&r, 0, 8);
	put_be(&b, 1, 8);
	put_be(&b, r.n + 4, 4);
	put_be(&b, (uint32_t)crc32(0, r.p, (uInt)r.n), 4);
	put(&b, r.p, r.n);
	put_marker(&b, 2, 7, true);
	/* an offset past the largest, of a record and of a message in a set */
	r.n = 0;
	put_record(&r, 5, NULL, ROW("2"));
	put_batch(&b, INT64_MAX, 0, -1, 1, &r);
	put_message(&inner, 10, 1, 0, ROW("3"), strlen(ROW("3")));
	put_message(&inner, 0, 1, 0, ROW("4"), strlen(ROW("4")));
	compress_with(1, &inner, &packed);
	put_message(&b, INT64_MAX, 1, 1, packed.p, packed.n);
	/* one before the first */
	inner.n = packed.n = 0;
	put_message(&inner, 0, 1, 0, ROW("5"), strlen(ROW("5")));
	put_message(&inner, 10, 1, 0, ROW("6"), strlen(ROW("6")));
	compress_with(1, &inner, &packed);
	put_message(&b, 3, 1, 1, packed.p, packed.n);
	assert_string_equal(run(&h, &b), ROW("1") "\n" FINAL("0"));
	assert_int_equal(h.rejects, 4);
	assert_non_null(strstr(cdc_buf_z(&h.reasons), "a message set is damaged"));
	assert_non_null(strstr(cdc_buf_z(&h.reasons), "a record is damaged"));
	assert_non_null(strstr(cdc_buf_z(&h.reasons), "a message set with impossible offsets"));
	harness_free(&h);
}

static void crc(void **state)
{
	(void)state;
	/* RFC 3720, appendix B.4 */
	assert_int_equal(kafka_crc32c(CDC_STR("123456789")), 0xe3069283u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codecs),
		cmocka_unit_test(old_formats),
		cmocka_unit_test(transactions),
		cmocka_unit_test(transactions_over_segments),
		cmocka_unit_test(transactions_that_stop),
		cmocka_unit_test(queue),
		cmocka_unit_test(damage),
		cmocka_unit_test(impossible),
		cmocka_unit_test(crc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
