/*
 * Snappy raw blocks to bytes. Format: a varint length, then elements whose low two tag bits say
 * literal (0) or copy with a 1-, 2- or 4-byte offset (1, 2, 3).
 *
 * Elements are short, so the work is in telling what they are. While there is room on both sides a
 * table gives length and offset of literals and of copies that do not overlap, and 16 bytes are
 * moved whatever the length. All else, and what is near the ends, goes element by element with
 * exact copies. (Without any branch between literal and copy random digits are a third faster, but
 * numbers and words, whose elements alternate, a quarter slower.)
 */
#include "parquet/pq_snappy.h"

#include "base/endian.h"

enum {
	CHUNK = 16,
	LONGEST = 64, /* element without a length of its own */
	SRC_ROOM = 1 + 4 + LONGEST
};

struct cursor {
	const uint8_t *src;
	const uint8_t *src_end;
	uint8_t *dst;
	uint8_t *dst_start;
	uint8_t *dst_end;
};

/*
 * What a tag says: offset = (following bytes & mask) + add. A literal has its length as offset,
 * which passes for a copy that does not overlap. Offset 0 for what the fast way does not do: long
 * literals and 4-byte offsets.
 */
struct element {
	uint8_t len;
	uint16_t add;
	uint32_t mask;
};

/* clang-format off */
#define E(t) { \
	(t) % 4 == 1 ? ((t) >> 2 & 7) + 4 : ((t) >> 2) + 1, \
	(t) % 4 == 1 ? (t) >> 5 << 8 : (t) % 4 == 0 && (t) < 60 * 4 ? ((t) >> 2) + 1 : 0, \
	(t) % 4 == 1 ? 0xff : (t) % 4 == 2 ? 0xffff : 0 }
#define E4(t) E(t), E((t) + 1), E((t) + 2), E((t) + 3)
#define E16(t) E4(t), E4((t) + 4), E4((t) + 8), E4((t) + 12)
#define E64(t) E16(t), E16((t) + 16), E16((t) + 32), E16((t) + 48)
/* clang-format on */

static const struct element elements[256] = { E64(0), E64(64), E64(128), E64(192) };

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
	if (offset >= CHUNK && room >= LONGEST) { /* len is LONGEST at most */
		for (size_t i = 0; i < len; i += CHUNK)
			memcpy(d + i, s + i, CHUNK);
	} else if (offset >= 8 && room >= LONGEST + 8) {
		for (size_t i = 0; i < len; i += 8)
			memcpy(d + i, s + i, 8);
	} else {
		for (size_t i = 0; i < len; i++)
			d[i] = s[i];
	}
	c->dst += len;
	return true;
}

/* Any element, exactly. */
static bool one_element(struct cursor *c)
{
	uint8_t tag = *c->src++;
	size_t left = (size_t)(c->src_end - c->src);
	const uint8_t *p = c->src;

	switch (tag & 3) {
	case 0:
		return literal(c, tag);
	case 1:
		c->src += 1;
		return left >= 1 && copy(c, (size_t)(tag & 0xe0) << 3 | p[0], (tag >> 2 & 7) + 4);
	case 2:
		c->src += 2;
		return left >= 2 && copy(c, cdc_le16(p), (size_t)(tag >> 2) + 1);
	default:
		c->src += 4;
		return left >= 4 && copy(c, cdc_le32(p), (size_t)(tag >> 2) + 1);
	}
}

/* All is loaded before anything is stored: what follows the element may overlap. */
static void move(uint8_t *to, const uint8_t *from)
{
	uint64_t chunk[CHUNK / sizeof(uint64_t)];

	memcpy(chunk, from, CHUNK);
	memcpy(to, chunk, CHUNK);
}

/* Elements as long as they are simple and there is room for the longest on both sides. */
static void simple_elements(struct cursor *c)
{
	const uint8_t *src = c->src;
	uint8_t *dst = c->dst;

	while (c->src_end - src >= SRC_ROOM && c->dst_end - dst >= LONGEST) {
		size_t tag = *src;
		size_t kind = tag & 3;
		const struct element *e = &elements[tag];
		size_t offset = (cdc_le32(src + 1) & e->mask) + e->add;
		size_t len = e->len;
		const uint8_t *from;

		if (offset < len || offset > (size_t)(dst - c->dst_start))
			break;
		from = kind ? dst - offset : src + 1;
		src += 1 + (kind ? kind : (tag >> 2) + 1);
		move(dst, from);
		if (len > CHUNK)
			for (size_t i = CHUNK; i < LONGEST; i += CHUNK)
				move(dst + i, from + i);
		dst += len;
	}
	c->src = src;
	c->dst = dst;
}

bool cdc_pq_snappy_decode(const void *src, size_t n, void *dst, size_t dst_n)
{
	struct cursor c = { src, (const uint8_t *)src + n, dst, dst, (uint8_t *)dst + dst_n };
	uint64_t length;

	if (n == 0 || !read_length(&c, &length) || length != dst_n)
		return false;
	while (c.src < c.src_end) {
		simple_elements(&c);
		if (c.src < c.src_end && !one_element(&c))
			return false;
	}
	return c.dst == c.dst_end;
}
