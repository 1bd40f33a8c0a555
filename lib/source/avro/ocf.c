/*
 * Framing ocf: Avro object containers. A header with the writer's schema, then blocks of datums,
 * each closed by the sync marker of the header (Avro 1.11 specification, "Object Container Files").
 */
#include "source/avro/avro_plan.h"
#include "source/input/codec.h"
#include "source/source_int.h"

#define MAGIC_BYTES 4
#define SYNC_BYTES 16
#define HEADER_MAX (CDC_AVRO_SCHEMA_MAX + ((size_t)1 << 20))
#define LOST_MAX ((size_t)64 << 10)

struct ocf {
	struct cdc_source *s;
	struct cdc_reader *r;
	struct cdc_str schema; /* in the reader's buffer: only while the header is read */
	enum cdc_ocf_codec codec;
	char sync[SYNC_BYTES];
	struct cdc_buf plain; /* the current block */
	struct cdc_message m;
};

static struct cdc_avro_cur cursor(struct cdc_str s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	return (struct cdc_avro_cur){ p, p + s.n, NULL };
}

/* Parse the header at the start of `head`. False: it is not all there, or bad. */
static bool parse_header(struct ocf *f, struct cdc_str head, struct cdc_str *codec, size_t *used)
{
	struct cdc_avro_cur c = cursor(head);
	struct cdc_avro_blocks b = { 0, NULL };
	struct cdc_str key, value;
	bool ok = true;

	f->schema = *codec = CDC_STR("");
	c.p += MAGIC_BYTES;
	while (cdc_avro_next(&c, &b, &ok)) {
		if (!cdc_avro_bytes(&c, &key) || !cdc_avro_bytes(&c, &value))
			return false;
		if (cdc_str_eq(key, CDC_STR("avro.schema")))
			f->schema = value;
		else if (cdc_str_eq(key, CDC_STR("avro.codec")))
			*codec = value;
	}
	if (!ok || c.end - c.p < SYNC_BYTES)
		return false;
	memcpy(f->sync, c.p, SYNC_BYTES);
	*used = (size_t)((const char *)c.p - head.p) + SYNC_BYTES;
	return true;
}

/* Find the header's end; *used is its length. What is found points into the reader's buffer. */
static int find_header(struct ocf *f, struct cdc_str *codec, size_t *used, struct cdc_err *err)
{
	size_t want = CDC_STREAM_CHUNK;
	struct cdc_str head;
	int rc;

	for (;; want *= 2) {
		want = want < HEADER_MAX ? want : HEADER_MAX;
		want = want < f->r->max ? want : f->r->max;
		rc = cdc_source_peek(f->s, f->r, want, &head, err);
		if (rc < 0)
			return rc;
		if (head.n < MAGIC_BYTES || memcmp(head.p, "Obj\x01", MAGIC_BYTES) != 0)
			return cdc_fail(err, CDC_EDATA, "not an Avro container: it has no magic");
		if (parse_header(f, head, codec, used))
			break;
		if (head.n < want || want == HEADER_MAX || want == f->r->max)
			return cdc_fail(err, CDC_EDATA, "the Avro container's header is damaged");
	}
	if (f->schema.n == 0)
		return cdc_fail(err, CDC_EDATA, "the Avro container has no schema");
	return CDC_OK;
}

int cdc_ocf_peek_schema(struct cdc_source *s, struct cdc_reader *r, struct cdc_str *schema,
			struct cdc_err *err)
{
	struct ocf f = { .s = s, .r = r };
	struct cdc_str codec;
	size_t used;
	int rc = find_header(&f, &codec, &used, err);

	*schema = f.schema;
	return rc;
}

static int read_header(struct ocf *f, struct cdc_err *err)
{
	struct cdc_str codec;
	size_t used;
	int rc = find_header(f, &codec, &used, err);

	if (rc == CDC_OK)
		rc = cdc_ocf_codec_find(codec, &f->codec, err);
	if (rc == CDC_OK)
		rc = f->s->format->schema(f->s->format_ctx, f->schema, err);
	if (rc == CDC_OK)
		cdc_reader_skip(f->r, used);
	return rc;
}

/* Reject what is at the reader; if sync is lost the input ends with an error as well. */
static int reject_rest(struct ocf *f, bool lost, struct cdc_err *err)
{
	uint64_t offset = cdc_reader_offset(f->r);
	struct cdc_err why = *err;
	struct cdc_str rest;
	size_t want = lost && LOST_MAX < f->r->max ? LOST_MAX : f->r->max;
	int rc = cdc_source_peek(f->s, f->r, want, &rest, err);

	if (rc < 0)
		return rc;
	rest.n = lost && rest.n > LOST_MAX ? LOST_MAX : rest.n;
	*err = why;
	rc = cdc_source_reject(f->s, offset, 0, rest, err);
	if (rc < 0 || !lost)
		return rc < 0 ? rc : CDC_END;
	*err = why;
	cdc_err_offset(err, offset);
	return CDC_EDATA;
}

static int torn(struct ocf *f, struct cdc_err *err)
{
	cdc_fail(err, CDC_EDATA, "the input ends inside a block of the Avro container");
	return reject_rest(f, false, err);
}

/* One datum of the block at *rest; advances. A datum that cannot be read hides those behind it. */
static int read_datum(struct ocf *f, struct cdc_str *rest, int64_t left, struct cdc_err *err)
{
	struct cdc_source *s = f->s;
	struct cdc_source_counts before;
	size_t mark = s->out.buf.len, used = 0;
	struct cdc_err unused;
	int rc;

	f->m.value = *rest;
	f->m.has_kafka = false;
	cdc_source_place(s, &f->m);
	s->counts.messages++;
	before = s->counts;
	rc = s->format->datum(s->format_ctx, &f->m, &used, err);
	if (rc == CDC_EDATA && s->fatal == CDC_OK) {
		(void)cdc_out_take(&s->out, &unused);
		s->out.buf.len = mark;
		s->counts = before;
		s->format->rejected(s->format_ctx);
		if (used == 0 && left > 1)
			cdc_err_prefix(err, "the last %lld events of a block", (long long)left);
		rc = cdc_source_reject(s, f->m.offset, 0, cdc_str(rest->p, used ? used : rest->n),
				       err);
		used = used ? used : rest->n;
		if (rc == CDC_OK && used == rest->n)
			rc = CDC_END;
	}
	s->counts.bytes += used;
	*rest = cdc_str(rest->p + used, rest->n - used);
	if (f->codec == CDC_OCF_NULL)
		f->m.offset += used;
	f->m.index++;
	if (rc == CDC_OK)
		rc = cdc_source_note(s, &f->m, err);
	if (rc == CDC_OK && cdc_source_full(s))
		rc = cdc_source_flush(s, err);
	return rc;
}

static int read_datums(struct ocf *f, struct cdc_str rest, int64_t count, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int64_t i = 0; rc == CDC_OK && i < count; i++)
		rc = read_datum(f, &rest, count - i, err);
	if (rc == CDC_OK && rest.n) {
		cdc_fail(err, CDC_EDATA, "%zu bytes are left in a block", rest.n);
		rc = cdc_source_reject(f->s, f->m.offset, 0, rest, err);
	}
	return rc == CDC_END ? CDC_OK : rc;
}

static int read_data(struct ocf *f, struct cdc_str data, int64_t count, struct cdc_err *err)
{
	int rc;

	if (f->codec == CDC_OCF_NULL)
		return read_datums(f, data, count, err);
	rc = cdc_ocf_decompress(f->codec, data, &f->plain, err);
	if (rc == CDC_EDATA)
		return cdc_source_reject(f->s, f->m.offset, 0, data, err);
	return rc < 0 ? rc : read_datums(f, cdc_buf_str(&f->plain), count, err);
}

/* CDC_END at the end of the input. */
static int read_block(struct ocf *f, struct cdc_err *err)
{
	struct cdc_str head;
	struct cdc_avro_cur c;
	int64_t count, size;
	size_t lead, all;
	int rc = cdc_source_peek(f->s, f->r, 20, &head, err);

	if (rc < 0 || head.n == 0)
		return rc < 0 ? rc : CDC_END;
	c = cursor(head);
	if (!cdc_avro_long(&c, &count) || !cdc_avro_long(&c, &size)) {
		if (head.n < 20)
			return torn(f, err);
		cdc_fail(err, CDC_EDATA, "a block of the Avro container is damaged: %s", c.why);
		return reject_rest(f, true, err);
	}
	if (count < 0 || size < 0 || (uint64_t)size > f->s->record_max) {
		cdc_fail(err, CDC_EDATA, "a block of %lld events in %lld bytes", (long long)count,
			 (long long)size);
		return reject_rest(f, true, err);
	}
	lead = (size_t)((const char *)c.p - head.p);
	all = lead + (size_t)size + SYNC_BYTES;
	rc = cdc_source_peek(f->s, f->r, all, &head, err);
	if (rc < 0)
		return rc;
	if (head.n < all)
		return torn(f, err);
	if (memcmp(head.p + lead + size, f->sync, SYNC_BYTES) != 0) {
		cdc_fail(err, CDC_EDATA,
			 "a block of the Avro container does not end in its marker");
		return reject_rest(f, true, err);
	}
	f->m.offset = cdc_reader_offset(f->r) + lead;
	rc = read_data(f, cdc_str(head.p + lead, (size_t)size), count, err);
	if (rc == CDC_OK)
		cdc_reader_skip(f->r, all);
	return rc;
}

static int ocf_run(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err)
{
	struct ocf f = { .s = s, .r = r };
	int rc;

	f.plain.max = s->record_max <= SIZE_MAX / 4 ? s->record_max * 4 : s->record_max;
	f.m.file = s->file;
	rc = read_header(&f, err);
	while (rc == CDC_OK)
		rc = read_block(&f, err);
	cdc_buf_free(&f.plain);
	return rc == CDC_END ? CDC_OK : rc;
}

static bool ocf_maybe(struct cdc_str head, bool eof)
{
	(void)eof;
	return head.n >= MAGIC_BYTES && memcmp(head.p, "Obj\x01", MAGIC_BYTES) == 0;
}

const struct cdc_framing cdc_framing_ocf = {
	.name = "ocf",
	.run = ocf_run,
	.maybe = ocf_maybe,
};
