/* One batch of a Kafka log: heads, checksums, compression, records. */
#include "source/framing/segment.h"

#include "base/endian.h"
#include "source/input/codec.h"

#include <stdlib.h>

#define HEAD_V2 61
#define HEAD_V0 (KAFKA_LEAD_BYTES + 6) /* offset, size, CRC, magic, attributes */
#define NESTED_MAX 1 /* a compressed message set holds plain messages */

/* --- bytes -------------------------------------------------------------- */

struct cur {
	const unsigned char *p;
	const unsigned char *end;
	bool bad;
};

static struct cur cursor(struct cdc_str s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	return (struct cur){ p, p + s.n, false };
}

static size_t left(const struct cur *c)
{
	return (size_t)(c->end - c->p);
}

static int64_t varint(struct cur *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		if (c->p == c->end)
			break;
		v |= shift < 64 ? (uint64_t)(*c->p & 0x7f) << shift : 0;
		if (!(*c->p++ & 0x80))
			return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
	}
	c->bad = true;
	return 0;
}

static struct cdc_str take(struct cur *c, int64_t n)
{
	const char *p = (const char *)c->p;

	if (n < 0 || (uint64_t)n > left(c)) {
		c->bad = true;
		return CDC_STR("");
	}
	c->p += n;
	return cdc_str(p, (size_t)n);
}

static uint64_t be(struct cur *c, unsigned bytes)
{
	struct cdc_str s = take(c, bytes);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (unsigned char)s.p[i];
	return v;
}

/* Castagnoli's polynomial, a nibble at a time. */
uint32_t kafka_crc32c(struct cdc_str s)
{
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < s.n; i++) {
		crc ^= (unsigned char)s.p[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* --- batches ------------------------------------------------------------ */

uint64_t kafka_batch_bytes(struct cdc_str head, bool *ok)
{
	uint64_t offset = cdc_be64(head.p);
	uint32_t length = cdc_be32(head.p + 8);

	*ok = true;
	if (length == 0 && offset == 0)
		return 0;
	*ok = length >= HEAD_V0 - KAFKA_LEAD_BYTES && length <= INT32_MAX && offset <= INT64_MAX;
	return KAFKA_LEAD_BYTES + (uint64_t)length;
}

static int read_v2(struct cdc_str bytes, struct kafka_batch *b, struct cdc_err *err)
{
	struct cur c = cursor(bytes);
	uint64_t delta;
	uint32_t crc;

	if (bytes.n < HEAD_V2)
		return cdc_fail(err, CDC_EDATA, "a batch is too short");
	c.p += 17;
	crc = (uint32_t)be(&c, 4);
	if (kafka_crc32c(cdc_str((const char *)c.p, left(&c))) != crc)
		return cdc_fail(err, CDC_EDATA, "a batch has a wrong checksum");
	b->attributes = (uint16_t)be(&c, 2);
	delta = be(&c, 4);
	b->base_timestamp_ms = (int64_t)be(&c, 8);
	b->max_timestamp_ms = (int64_t)be(&c, 8);
	b->producer_id = (int64_t)be(&c, 8);
	(void)be(&c, 6);
	b->count = (uint32_t)be(&c, 4);
	b->records = cdc_str((const char *)c.p, left(&c));
	if (delta > INT32_MAX || b->base_offset > INT64_MAX - (int64_t)delta ||
	    b->count > INT32_MAX)
		return cdc_fail(err, CDC_EDATA, "a batch with impossible offsets");
	b->last_offset = b->base_offset + (int64_t)delta;
	return CDC_OK;
}

/* A message set of the old formats is one message, which may hold others. */
static int read_v0(struct cdc_str bytes, struct kafka_batch *b, struct cdc_err *err)
{
	struct cur c = cursor(bytes);
	uint32_t crc;

	if (bytes.n < HEAD_V0 + (b->magic == 1 ? 8u : 0u))
		return cdc_fail(err, CDC_EDATA, "a message is too short");
	c.p += KAFKA_LEAD_BYTES;
	crc = (uint32_t)be(&c, 4);
	if (cdc_crc32(cdc_str((const char *)c.p, left(&c))) != crc)
		return cdc_fail(err, CDC_EDATA, "a message has a wrong checksum");
	(void)be(&c, 1);
	b->attributes = (uint16_t)be(&c, 1);
	b->producer_id = -1;
	b->base_timestamp_ms = b->magic == 1 ? (int64_t)be(&c, 8) : 0;
	b->max_timestamp_ms = b->base_timestamp_ms;
	b->last_offset = b->base_offset;
	b->count = 1;
	b->records = cdc_str((const char *)c.p, left(&c));
	return CDC_OK;
}

int kafka_batch_read(struct cdc_str bytes, struct kafka_batch *b, struct cdc_err *err)
{
	*b = (struct kafka_batch){ .base_offset = (int64_t)cdc_be64(bytes.p) };
	b->magic = (uint8_t)bytes.p[16];
	if (b->magic == 2)
		return read_v2(bytes, b, err);
	if (b->magic < 2) {
		int rc = read_v0(bytes, b, err);

		/* What the old formats do not have. */
		b->attributes &= KAFKA_CODEC | KAFKA_APPEND_TIME;
		return rc;
	}
	return cdc_fail(err, CDC_EDATA, "a batch of format %u, which is not read", b->magic);
}

bool kafka_end_of_transaction(const struct kafka_batch *b, bool *commit)
{
	struct cur c = cursor(b->records), key;
	uint64_t type;

	/* One record: length, attributes, two deltas, then its key of two numbers. */
	(void)varint(&c);
	(void)be(&c, 1);
	(void)varint(&c);
	(void)varint(&c);
	key = cursor(take(&c, varint(&c)));
	(void)be(&key, 2);
	type = be(&key, 2);
	if (c.bad || key.bad || type > 1)
		return false;
	*commit = type == 1;
	return true;
}

/* --- compression -------------------------------------------------------- */

/* Snappy comes as one raw block, or in xerial's frame of several. */
static int unpack_snappy(struct cdc_str in, struct cdc_buf *out, struct cdc_err *err)
{
	static const char magic[] = "\x82SNAPPY";
	struct cur c = cursor(in);

	cdc_buf_reset(out);
	if (in.n < 16 || memcmp(in.p, magic, 8) != 0)
		return cdc_unpack_snappy(in, out, err);
	c.p += 16;
	while (left(&c)) {
		int64_t n = (int32_t)be(&c, 4);
		struct cdc_str block = take(&c, n);

		if (c.bad)
			return cdc_fail(err, CDC_EDATA, "a snappy block is damaged");
		if (cdc_unpack_snappy(block, out, err) < 0)
			return err->code;
	}
	return CDC_OK;
}

static int unpack(unsigned codec, struct cdc_str in, struct cdc_buf *out, struct cdc_err *err)
{
	switch (codec) {
	case 1:
		return cdc_unpack_zlib(CDC_ZLIB_GZIP, in, out, err);
	case 2:
		return unpack_snappy(in, out, err);
	case 3:
		return cdc_unpack_lz4(in, out, err);
	case 4:
		return cdc_unpack_zstd(in, out, err);
	default:
		return cdc_fail(err, CDC_EDATA, "a batch with compression %u, which is not known",
				codec);
	}
}

/* --- records ------------------------------------------------------------ */

static int read_headers(struct cur *c, struct kafka_scratch *scratch, struct cdc_message *m,
			struct cdc_err *err)
{
	int64_t n = varint(c);

	m->header = NULL;
	m->n_headers = 0;
	if (n == 0 || c->bad)
		return CDC_OK;
	if (n < 0 || n > (int64_t)KAFKA_HEADERS_MAX)
		return cdc_fail(err, CDC_EDATA, "a record with %lld headers", (long long)n);
	if (!scratch->header)
		scratch->header = calloc(KAFKA_HEADERS_MAX, sizeof(*scratch->header));
	if (!scratch->header)
		return cdc_fail_nomem(err);
	for (int64_t i = 0; i < n && !c->bad; i++) {
		struct cdc_header *h = &scratch->header[i];
		int64_t len;

		h->name = take(c, varint(c));
		len = varint(c);
		h->is_null = len < 0;
		h->value = len < 0 ? CDC_STR("") : take(c, len);
	}
	m->header = scratch->header;
	m->n_headers = (uint32_t)n;
	return CDC_OK;
}

static int record_v2(const struct kafka_batch *b, struct cur *all, struct kafka_scratch *scratch,
		     struct cdc_message *m, struct cdc_err *err)
{
	struct cur c = cursor(take(all, varint(all)));
	int64_t time, offset, len;
	int rc;

	(void)be(&c, 1);
	time = varint(&c);
	offset = varint(&c);
	len = varint(&c);
	m->has_key = len >= 0;
	m->key = len < 0 ? CDC_STR("") : take(&c, len);
	len = varint(&c);
	m->is_null = len < 0;
	m->value = len < 0 ? CDC_STR("") : take(&c, len);
	rc = read_headers(&c, scratch, m, err);
	if (rc < 0)
		return rc;
	if (c.bad || all->bad || offset < 0 || offset > INT32_MAX ||
	    __builtin_add_overflow(b->base_offset, offset, &m->kafka_offset) ||
	    __builtin_add_overflow(b->base_timestamp_ms, time, &m->timestamp_ms))
		return cdc_fail(err, CDC_EDATA, "a record is damaged");
	if (b->attributes & KAFKA_APPEND_TIME)
		m->timestamp_ms = b->max_timestamp_ms;
	m->has_timestamp = m->timestamp_ms > 0;
	return CDC_OK;
}

/* Key and value of a message of the old formats. */
static int record_v0(const struct kafka_batch *b, struct cdc_message *m, struct cdc_err *err)
{
	struct cur c = cursor(b->records);
	int64_t len = (int32_t)be(&c, 4);

	m->has_key = len >= 0;
	m->key = len < 0 ? CDC_STR("") : take(&c, len);
	len = (int32_t)be(&c, 4);
	m->is_null = len < 0;
	m->value = len < 0 ? CDC_STR("") : take(&c, len);
	if (c.bad)
		return cdc_fail(err, CDC_EDATA, "a message is damaged");
	m->kafka_offset = b->base_offset;
	m->timestamp_ms = b->base_timestamp_ms;
	m->has_timestamp = m->timestamp_ms > 0;
	m->n_headers = 0;
	return CDC_OK;
}

struct visit {
	const struct cdc_message *base;
	int (*each)(void *ctx, const struct cdc_message *m, struct cdc_err *err);
	void *ctx;
};

/* The messages inside a compressed one. In v1 their offsets count from the first one's, and the
 * wrapper has the last one's. */
static int inner_messages(const struct kafka_batch *outer, struct cdc_str set,
			  const struct visit *v, struct cdc_err *err)
{
	int64_t last = 0, shift;
	int rc = CDC_OK;

	/* Offsets are not negative, so the difference of two of them does not overflow. */
	for (int pass = 0; pass < 2; pass++) {
		struct cdc_str rest = set;

		shift = pass && outer->magic == 1 ? outer->base_offset - last : 0;
		while (rc == CDC_OK && rest.n) {
			struct cdc_message m = *v->base;
			struct kafka_batch b;
			uint64_t n = 0;
			bool ok = rest.n >= HEAD_V0;

			n = ok ? kafka_batch_bytes(rest, &ok) : 0;
			if (!ok || n == 0 || n > rest.n || rest.p[16] > 1)
				return cdc_fail(err, CDC_EDATA, "a message set is damaged");
			rc = kafka_batch_read(cdc_str(rest.p, n), &b, err);
			if (rc == CDC_OK && b.attributes & KAFKA_CODEC)
				rc = cdc_fail(err, CDC_EDATA, "a message set in a message set");
			last = b.base_offset;
			if (rc == CDC_OK &&
			    (__builtin_add_overflow(b.base_offset, shift, &b.base_offset) ||
			     b.base_offset < 0))
				rc = cdc_fail(err, CDC_EDATA,
					      "a message set with impossible offsets");
			if (rc == CDC_OK && pass)
				rc = record_v0(&b, &m, err);
			if (rc == CDC_OK && pass && outer->attributes & KAFKA_APPEND_TIME)
				m.timestamp_ms = outer->base_timestamp_ms;
			if (rc == CDC_OK && pass)
				rc = v->each(v->ctx, &m, err);
			rest = cdc_str(rest.p + n, rest.n - n);
		}
	}
	return rc;
}

int kafka_batch_records(const struct kafka_batch *b, struct kafka_scratch *scratch,
			const struct cdc_message *base,
			int (*each)(void *ctx, const struct cdc_message *m, struct cdc_err *err),
			void *ctx, struct cdc_err *err)
{
	struct visit v = { base, each, ctx };
	struct cdc_message m = *base;
	struct cdc_str records = b->records;
	struct cur c;
	int rc;

	m.has_kafka = true;
	if (b->magic < 2 && !(b->attributes & KAFKA_CODEC)) {
		rc = record_v0(b, &m, err);
		return rc < 0 ? rc : each(ctx, &m, err);
	}
	if (b->magic < 2) {
		int32_t key;

		c = cursor(records);
		key = (int32_t)be(&c, 4);
		(void)take(&c, key < 0 ? 0 : key);
		records = take(&c, (int32_t)be(&c, 4));
		if (c.bad)
			return cdc_fail(err, CDC_EDATA, "a message set is damaged");
	}
	if (b->attributes & KAFKA_CODEC) {
		rc = unpack(b->attributes & KAFKA_CODEC, records, &scratch->plain, err);
		if (rc < 0)
			return rc;
		records = cdc_buf_str(&scratch->plain);
	}
	v.base = &m;
	if (b->magic < 2)
		return inner_messages(b, records, &v, err);
	c = cursor(records);
	rc = CDC_OK;
	for (uint32_t i = 0; rc == CDC_OK && i < b->count; i++) {
		rc = record_v2(b, &c, scratch, &m, err);
		if (rc == CDC_OK)
			rc = each(ctx, &m, err);
	}
	if (rc == CDC_OK && left(&c))
		rc = cdc_fail(err, CDC_EDATA, "%zu bytes are left in a batch", left(&c));
	return rc;
}

void kafka_scratch_free(struct kafka_scratch *scratch)
{
	cdc_buf_free(&scratch->plain);
	free(scratch->header);
}
