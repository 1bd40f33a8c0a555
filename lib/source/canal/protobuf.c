/* Protocol Buffers' wire format, read in place. */
#include "source/canal/protobuf.h"

#include "base/endian.h"

#define VARINT_BYTES_MAX 10

static bool varint(struct cdc_str *s, uint64_t *v)
{
	*v = 0;
	for (size_t i = 0; i < s->n && i < VARINT_BYTES_MAX; i++) {
		uint64_t c = (unsigned char)s->p[i];

		/* The tenth byte has room for one bit. */
		if (i == VARINT_BYTES_MAX - 1 && c > 1)
			return false;
		*v |= (c & 0x7f) << (7 * i);
		if (c < 0x80) {
			s->p += i + 1;
			s->n -= i + 1;
			return true;
		}
	}
	return false;
}

static bool take(struct cdc_str *s, uint64_t n, struct cdc_str *out)
{
	if (n > s->n)
		return false;
	*out = cdc_str(s->p, (size_t)n);
	s->p += n;
	s->n -= (size_t)n;
	return true;
}

static bool value(struct cdc_str *s, struct cdc_pb_field *f)
{
	struct cdc_str fixed;
	uint64_t n;

	switch (f->wire) {
	case CDC_PB_VARINT:
		return varint(s, &f->n);
	case CDC_PB_BYTES:
		return varint(s, &n) && take(s, n, &f->bytes);
	case CDC_PB_FIXED64:
		if (!take(s, 8, &fixed))
			return false;
		f->n = cdc_le64(fixed.p);
		return true;
	case CDC_PB_FIXED32:
		if (!take(s, 4, &fixed))
			return false;
		f->n = cdc_le32(fixed.p);
		return true;
	}
	return false;
}

bool cdc_pb_next(struct cdc_pb *r, struct cdc_pb_field *f)
{
	uint64_t tag;

	if (r->bad || r->rest.n == 0)
		return false;
	*f = (struct cdc_pb_field){ .bytes = { "", 0 } };
	r->bad = true;
	if (!varint(&r->rest, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
		return false;
	f->number = (uint32_t)tag >> 3;
	f->wire = (enum cdc_pb_wire)(tag & 7);
	r->bad = !value(&r->rest, f);
	return !r->bad;
}

bool cdc_pb_next_bytes(struct cdc_pb *r, uint32_t number, struct cdc_str *bytes)
{
	struct cdc_pb_field f;

	while (cdc_pb_next(r, &f)) {
		if (f.number != number)
			continue;
		r->bad = f.wire != CDC_PB_BYTES;
		*bytes = f.bytes;
		return !r->bad;
	}
	return false;
}

bool cdc_pb_read(struct cdc_str message, const struct cdc_pb_want *want, size_t n,
		 struct cdc_pb_value *out)
{
	struct cdc_pb r = cdc_pb(message);
	struct cdc_pb_field f;
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		out[i] = (struct cdc_pb_value){ .bytes = { "", 0 } };
	while (cdc_pb_next(&r, &f)) {
		size_t looked = 0;

		/* Writers go by number, and so do the lists of what is wanted. */
		while (looked < n && want[at].number != f.number) {
			at = at + 1 < n ? at + 1 : 0;
			looked++;
		}
		if (looked == n)
			continue;
		if (want[at].wire != f.wire)
			return false;
		out[at] = (struct cdc_pb_value){ true, f.n, f.bytes };
	}
	return !r.bad;
}
