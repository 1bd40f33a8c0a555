/*
 * Snappy raw blocks to bytes. Format: a varint length, then elements whose low two tag bits say
 * literal (0) or copy with a 1-, 2- or 4-byte offset (1, 2, 3). Most elements are short, so both
 * kinds move 16 bytes at once while there is room, and fall back to exact copies near the ends.
 */
#include "parquet/pq_snappy.h"

#include "base/endian.h"

enum { CHUNK = 16 };

struct cursor {
	const uint8_t *src;
	const uint8_t *src_end;
	uint8_t *dst;
	uint8_t *dst_start;
	uint8_t *dst_end;
};

static bool read_length(struct cursor *c, uint64_t *length)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		if (c->src == c->src_end)
			return false;
		v |= (uint64_t)(*c->src & 0x7f) << shift;
		if (!(*c->src++ & 0x80)) {
			*length = v;
			return v <= UINT32_MAX;
		}
	}
	return false;
}

static bool literal(struct cursor *c, uint8_t tag)
{
	size_t len = (size_t)(tag >> 2) + 1;

	if (len <= CHUNK && c->src_end - c->src >= CHUNK && c->dst_end - c->dst >= CHUNK) {
		memcpy(c->dst, c->src, CHUNK);
		c->dst += len;
		c->src += len;
		return true;
	}
	if (len > 60) {
		size_t bytes = len - 60;

		if ((size_t)(c->src_end - c->src) < bytes)
			return false;
		len = 0;
		for (size_t i = 0; i < bytes; i++)
			len |= (size_t)c->src[i] << (8 * i);
		len++;
		c->src += bytes;
	}
	if ((size_t)(c->src_end - c->src) < len || (size_t)(c->dst_end - c->dst) < len)
		return false;
	memcpy(c->dst, c->src, len);
	c->dst += len;
	c->src += len;
	return true;
}

/* Source and target may overlap: a copy of offset 1 repeats one byte. */
static bool copy(struct cursor *c, size_t offset, size_t len)
{
	size_t room = (size_t)(c->dst_end - c->dst);
	uint8_t *d = c->dst;
	const uint8_t *s;

	if (offset == 0 || offset > (size_t)(c->dst - c->dst_start) || len > room)
		return false;
	s = d - offset;
	if (offset >= CHUNK && room >= 64) { /* len is 64 at most */
		for (size_t i = 0; i < len; i += CHUNK)
			memcpy(d + i, s + i, CHUNK);
	} else if (offset >= 8 && room >= 64 + 8) {
		for (size_t i = 0; i < len; i += 8)
			memcpy(d + i, s + i, 8);
	} else {
		for (size_t i = 0; i < len; i++)
			d[i] = s[i];
	}
	c->dst += len;
	return true;
}

bool cdc_pq_snappy_decode(const void *src, size_t n, void *dst, size_t dst_n)
{
	struct cursor c = { src, (const uint8_t *)src + n, dst, dst, (uint8_t *)dst + dst_n };
	uint64_t length;

	if (n == 0 || !read_length(&c, &length) || length != dst_n)
		return false;
	while (c.src < c.src_end) {
		uint8_t tag = *c.src++;
		size_t left = (size_t)(c.src_end - c.src);
		bool ok;

		switch (tag & 3) {
		case 0:
			ok = literal(&c, tag);
			break;
		case 1:
			ok = left >= 1 && copy(&c, (size_t)(tag & 0xe0) << 3 | c.src[0],
					       (size_t)(tag >> 2 & 7) + 4);
			c.src++;
			break;
		case 2:
			ok = left >= 2 && copy(&c, cdc_le16(c.src), (size_t)(tag >> 2) + 1);
			c.src += 2;
			break;
		default:
			ok = left >= 4 && copy(&c, cdc_le32(c.src), (size_t)(tag >> 2) + 1);
			c.src += 4;
			break;
		}
		if (!ok)
			return false;
	}
	return c.dst == c.dst_end;
}
