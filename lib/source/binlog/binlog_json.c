/* MySQL's binary JSON as text, the way the server prints it (spec section 5.4). */
#include "source/binlog/binlog_int.h"

#include "base/json.h"
#include "base/value.h"

#define DEPTH_MAX 100 /* MySQL's own limit */

enum json_type {
	SMALL_OBJECT = 0,
	LARGE_OBJECT = 1,
	SMALL_ARRAY = 2,
	LARGE_ARRAY = 3,
	LITERAL = 4,
	INT16 = 5,
	UINT16 = 6,
	INT32 = 7,
	UINT32 = 8,
	INT64 = 9,
	UINT64 = 10,
	DOUBLE = 11,
	STRING = 12,
	OPAQUE = 15
};

struct printer {
	struct cdc_buf *out;
	struct cdc_err err;
	bool bad;
};

static void put(struct printer *p, struct cdc_str s)
{
	if (cdc_buf_put(p->out, s, &p->err) < 0)
		p->bad = true;
}

static void put_number(struct printer *p, uint64_t v, bool is_signed)
{
	char text[CDC_VALUE_TEXT_MAX];

	put(p, cdc_str(text, is_signed ? cdc_int64_format((int64_t)v, text)
				       : cdc_uint64_format(v, text)));
}

static void put_string(struct printer *p, struct cdc_str s)
{
	if (!cdc_utf8_valid(s.p, s.n) || cdc_json_put_string(p->out, s, &p->err) < 0)
		p->bad = true;
}

static void put_double(struct printer *p, struct binlog_cur *c)
{
	uint64_t bits = binlog_le(c, 8);
	char text[CDC_VALUE_TEXT_MAX];
	double v;

	memcpy(&v, &bits, sizeof(v));
	put(p, cdc_str(text, cdc_double_format(v, text)));
}

/* Seven bits a byte, the last without the high bit. */
static uint64_t variable_length(struct binlog_cur *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		uint64_t byte = binlog_le(c, 1);

		v |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	c->bad = true;
	return 0;
}

static size_t two(char *out, uint64_t v, char before)
{
	size_t n = 0;

	if (before)
		out[n++] = before;
	out[n++] = (char)('0' + v / 10 % 10);
	out[n++] = (char)('0' + v % 10);
	return n;
}

/* Times are packed: a signed count of 2^-24 seconds' fields. */
static void put_time(struct printer *p, uint8_t type, struct cdc_str s)
{
	struct binlog_cur c = binlog_cur(s);
	int64_t packed = (int64_t)binlog_le(&c, 8);
	uint64_t v = packed < 0 ? 0 - (uint64_t)packed : (uint64_t)packed;
	uint64_t us = v & 0xffffff, whole = v >> 24;
	char text[64];
	size_t n = 0;

	if (c.bad) {
		p->bad = true;
		return;
	}
	text[n++] = '"';
	if (packed < 0)
		text[n++] = '-';
	if (type != BL_TIME) {
		uint64_t ymd = whole >> 17, ym = ymd >> 5;

		n += two(text + n, ym / 13 / 100, 0);
		n += two(text + n, ym / 13 % 100, 0);
		n += two(text + n, ym % 13, '-');
		n += two(text + n, ymd & 31, '-');
		if (type != BL_DATE)
			text[n++] = ' ';
	}
	if (type != BL_DATE) {
		uint64_t hour = type == BL_TIME ? whole >> 12 & 0x3ff : whole >> 12 & 0x1f;

		if (hour > 99)
			text[n++] = (char)('0' + hour / 100 % 10);
		n += two(text + n, hour % 100, 0);
		n += two(text + n, whole >> 6 & 0x3f, ':');
		n += two(text + n, whole & 0x3f, ':');
		text[n++] = '.';
		for (uint64_t unit = 100000; unit; unit /= 10)
			text[n++] = (char)('0' + us / unit % 10);
	}
	text[n++] = '"';
	put(p, cdc_str(text, n));
}

static void put_opaque(struct printer *p, struct binlog_cur *c)
{
	uint8_t type = (uint8_t)binlog_le(c, 1);
	struct cdc_str s = binlog_bytes(c, variable_length(c));
	struct cdc_buf b = CDC_BUF_INIT;
	char text[128];
	size_t n;

	if (c->bad)
		return;
	if (type == BL_NEWDECIMAL) {
		struct binlog_cur d = binlog_cur(s);
		unsigned precision = (unsigned)binlog_le(&d, 1), scale = (unsigned)binlog_le(&d, 1);

		if (!binlog_decimal(&d, precision, scale, text, &n))
			p->bad = true;
		else
			put(p, cdc_str(text, n));
		return;
	}
	if (type == BL_DATE || type == BL_TIME || type == BL_DATETIME || type == BL_TIMESTAMP) {
		put_time(p, type, s);
		return;
	}
	/* As the server does: the type's number and base64. */
	if (cdc_buf_reserve(&b, s.n / 3 * 4 + 64, &p->err) < 0 ||
	    cdc_buf_printf(&b, &p->err, "\"base64:type%u:", type) < 0) {
		p->bad = true;
	} else {
		b.len += cdc_base64_encode(s.p, s.n, b.p + b.len);
		b.p[b.len++] = '"';
		put(p, cdc_buf_str(&b));
	}
	cdc_buf_free(&b);
}

static void put_literal(struct printer *p, uint64_t v)
{
	static const struct cdc_str literal[] = { { "null", 4 }, { "true", 4 }, { "false", 5 } };

	if (v > 2)
		p->bad = true;
	else
		put(p, literal[v]);
}

static void put_value(struct printer *p, uint8_t type, struct binlog_cur c, unsigned depth);

/* An entry: small values are in place, others at an offset from the container's start. */
static void put_entry(struct printer *p, struct binlog_cur all, struct binlog_cur *entries,
		      unsigned width, unsigned depth)
{
	uint8_t type = (uint8_t)binlog_le(entries, 1);
	struct binlog_cur at = *entries;
	uint64_t word = binlog_le(entries, width);

	if (type == LITERAL) {
		put_literal(p, word & 0xff);
		return;
	}
	if (type == INT16 || type == UINT16 || (width == 4 && (type == INT32 || type == UINT32))) {
		put_value(p, type, at, depth);
		return;
	}
	if (word > binlog_left(&all)) {
		p->bad = true;
		return;
	}
	all.p += word;
	put_value(p, type, all, depth);
}

static void put_container(struct printer *p, struct binlog_cur c, bool object, unsigned width,
			  unsigned depth)
{
	struct binlog_cur all = c, keys, values;
	uint64_t count = binlog_le(&c, width), size = binlog_le(&c, width);

	if (c.bad || depth > DEPTH_MAX || size > binlog_left(&all) ||
	    count * (1 + width + (object ? width + 2 : 0)) > binlog_left(&c)) {
		p->bad = true;
		return;
	}
	all.end = all.p + size;
	keys = values = c;
	values.p += object ? count * (width + 2) : 0;
	put(p, object ? CDC_STR("{") : CDC_STR("["));
	for (uint64_t i = 0; i < count && !p->bad; i++) {
		if (i)
			put(p, CDC_STR(", "));
		if (object) {
			struct binlog_cur key = all;
			uint64_t offset = binlog_le(&keys, width), n = binlog_le(&keys, 2);

			(void)binlog_take(&key, offset);
			put_string(p, binlog_bytes(&key, n));
			put(p, CDC_STR(": "));
			p->bad = p->bad || key.bad;
		}
		put_entry(p, all, &values, width, depth + 1);
	}
	put(p, object ? CDC_STR("}") : CDC_STR("]"));
	p->bad = p->bad || keys.bad || values.bad;
}

static void put_value(struct printer *p, uint8_t type, struct binlog_cur c, unsigned depth)
{
	switch (type) {
	case SMALL_OBJECT:
	case LARGE_OBJECT:
	case SMALL_ARRAY:
	case LARGE_ARRAY:
		put_container(p, c, type <= LARGE_OBJECT, type & 1 ? 4 : 2, depth);
		return;
	case LITERAL:
		put_literal(p, binlog_le(&c, 1));
		break;
	case INT16:
		put_number(p, (uint64_t)(int16_t)binlog_le(&c, 2), true);
		break;
	case UINT16:
		put_number(p, binlog_le(&c, 2), false);
		break;
	case INT32:
		put_number(p, (uint64_t)(int32_t)binlog_le(&c, 4), true);
		break;
	case UINT32:
		put_number(p, binlog_le(&c, 4), false);
		break;
	case INT64:
		put_number(p, binlog_le(&c, 8), true);
		break;
	case UINT64:
		put_number(p, binlog_le(&c, 8), false);
		break;
	case DOUBLE:
		put_double(p, &c);
		break;
	case STRING:
		put_string(p, binlog_bytes(&c, variable_length(&c)));
		break;
	case OPAQUE:
		put_opaque(p, &c);
		break;
	default:
		p->bad = true;
	}
	p->bad = p->bad || c.bad;
}

bool binlog_json(struct cdc_buf *out, struct cdc_str doc)
{
	struct printer p = { out, CDC_ERR_INIT, false };
	struct binlog_cur c = binlog_cur(doc);
	uint8_t type;

	/* A document of no bytes is what the server writes for a bad one: null. */
	if (doc.n == 0) {
		put(&p, CDC_STR("null"));
		return !p.bad;
	}
	type = (uint8_t)binlog_le(&c, 1);
	put_value(&p, type, c, 0);
	return !p.bad;
}
