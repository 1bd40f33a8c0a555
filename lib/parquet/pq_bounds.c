/*
 * Bounds in the file's form: PLAIN bytes, long byte strings cut (spec 3.1).
 *
 * A cut minimum is a prefix, which orders before the whole. A cut maximum is a prefix with its last
 * character, or byte, replaced by a greater one, which orders after everything that starts so.
 */
#include "parquet/pq_stats.h"

#include "base/endian.h"

enum {
	CUT_BYTES = 64,
	KEEP_BYTES = 4096 /* a bound that cannot be cut is still written up to this length */
};

static bool is_text(const struct cdc_pq_node *leaf)
{
	return leaf->logical == CDC_PQ_LOGICAL_STRING || leaf->logical == CDC_PQ_LOGICAL_ENUM ||
	       leaf->logical == CDC_PQ_LOGICAL_JSON || leaf->converted == CDC_PQ_CONV_UTF8 ||
	       leaf->converted == CDC_PQ_CONV_ENUM || leaf->converted == CDC_PQ_CONV_JSON;
}

/* Length of the UTF-8 character at s[at], or 0 when there is none that is well formed and whole. */
static size_t char_at(struct cdc_str s, size_t at, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *p = (const uint8_t *)s.p + at;
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (len == 0 || p[0] > 0xf4 || len > s.n - at)
		return 0;
	*code = len == 1 ? p[0] : p[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	if (*code < least[len] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return len;
}

static void put_char(char *p, size_t len, uint32_t code)
{
	static const uint32_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = len - 1; i > 0; i--, code >>= 6)
		p[i] = (char)(0x80 | (code & 0x3f));
	p[0] = (char)(lead[len] | code);
}

/* Bytes of the longest prefix of whole characters within CUT_BYTES; 0 when it is not UTF-8. */
static size_t text_prefix(struct cdc_str s)
{
	size_t at = 0;

	while (at < s.n) {
		uint32_t code;
		size_t len = char_at(s, at, &code);

		if (len == 0)
			return 0;
		if (at + len > CUT_BYTES)
			break;
		at += len;
	}
	return at;
}

/* The next character with a code of as many bytes; false when there is none. */
static bool next_code(uint32_t *code, size_t len)
{
	static const uint32_t most[] = { 0, 0x7f, 0x7ff, 0xffff, 0x10ffff };

	if (*code >= most[len])
		return false;
	*code = *code == 0xd7ff ? 0xe000 : *code + 1;
	return true;
}

/* Replace the last character that has a greater one, dropping what follows; 0: there is none. */
static size_t increment_text(char *p, size_t n)
{
	while (n > 0) {
		size_t at = n - 1;
		uint32_t code;
		size_t len;

		while (((uint8_t)p[at] & 0xc0) == 0x80)
			at--;
		len = char_at(cdc_str(p, n), at, &code);
		if (next_code(&code, len)) {
			put_char(p + at, len, code);
			return n;
		}
		n = at;
	}
	return 0;
}

static size_t increment_bytes(char *p, size_t n)
{
	while (n > 0 && (uint8_t)p[n - 1] == 0xff)
		n--;
	if (n > 0)
		p[n - 1] = (char)((uint8_t)p[n - 1] + 1);
	return n;
}

static int put_min(const struct cdc_pq_node *leaf, struct cdc_str s, struct cdc_buf *out,
		   struct cdc_pq_bounds *b, struct cdc_err *err)
{
	size_t cut = is_text(leaf) ? text_prefix(s) : 0;

	b->min_exact = leaf->type != CDC_PQ_BYTE_ARRAY || s.n <= CUT_BYTES;
	b->min_len = b->min_exact ? s.n : cut ? cut : CUT_BYTES;
	return cdc_buf_append(out, s.p, b->min_len, err);
}

static int put_max(const struct cdc_pq_node *leaf, struct cdc_str s, struct cdc_buf *out,
		   struct cdc_pq_bounds *b, struct cdc_err *err)
{
	char cut[CUT_BYTES];
	size_t n = 0;

	b->max_exact = leaf->type != CDC_PQ_BYTE_ARRAY || s.n <= CUT_BYTES;
	if (!b->max_exact) {
		size_t text = is_text(leaf) ? text_prefix(s) : 0;

		memcpy(cut, s.p, CUT_BYTES);
		n = text ? increment_text(cut, text) : 0;
		if (n == 0 && !text)
			n = increment_bytes(cut, CUT_BYTES);
		b->max_exact = n == 0;
	}
	b->max_len = n ? n : s.n;
	return cdc_buf_append(out, n ? cut : s.p, b->max_len, err);
}

static int put_strs(const struct cdc_pq_range *r, const struct cdc_pq_node *leaf,
		    struct cdc_buf *out, struct cdc_pq_bounds *b, struct cdc_err *err)
{
	struct cdc_str min = cdc_buf_str(&r->min_s);
	struct cdc_str max = cdc_buf_str(&r->max_s);
	bool decimal = cdc_pq_order_of(leaf) == CDC_PQ_ORDER_DECIMAL;
	size_t start = out->len;
	int rc = CDC_OK;

	if (decimal) { /* no prefix of a number bounds it */
		b->min_len = min.n;
		b->max_len = max.n;
		rc = cdc_buf_put(out, min, err);
		if (rc == CDC_OK)
			rc = cdc_buf_put(out, max, err);
	} else {
		rc = put_min(leaf, min, out, b, err);
		if (rc == CDC_OK)
			rc = put_max(leaf, max, out, b, err);
	}
	if (b->min_len > KEEP_BYTES || b->max_len > KEEP_BYTES) {
		b->usable = false;
		out->len = start;
	}
	return rc;
}

static int put_fixed(struct cdc_buf *out, struct cdc_pq_bounds *b, uint64_t min, uint64_t max,
		     size_t width, struct cdc_err *err)
{
	uint8_t bytes[16];

	cdc_put_le64(bytes, min);
	cdc_put_le64(bytes + width, max);
	b->min_len = b->max_len = width;
	return cdc_buf_append(out, bytes, 2 * width, err);
}

static uint64_t double_bits(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

static uint64_t float_bits(double v)
{
	float f = (float)v; /* exact: it came from a float */
	uint32_t bits;

	memcpy(&bits, &f, sizeof(bits));
	return bits;
}

int cdc_pq_range_bounds(const struct cdc_pq_range *r, const struct cdc_pq_node *leaf,
			struct cdc_buf *out, struct cdc_pq_bounds *b, struct cdc_err *err)
{
	uint64_t flip = cdc_pq_order_of(leaf) == CDC_PQ_ORDER_UNSIGNED ? (uint64_t)1 << 63 : 0;
	double min = r->min_d;
	double max = r->max_d;

	/* Spark, DuckDB and DataFusion hold NaN the greatest number, and skip by a maximum without.
	 */
	*b = (struct cdc_pq_bounds){ r->has && r->nan_count == 0, true, true, 0, 0 };
	if (!b->usable)
		return CDC_OK;
	min = min == 0 ? -0.0 : min; /* either zero may have been seen: cover both */
	max = max == 0 ? 0.0 : max;
	switch (leaf->type) {
	case CDC_PQ_BOOLEAN:
		return put_fixed(out, b, (uint64_t)r->min_i, (uint64_t)r->max_i, 1, err);
	case CDC_PQ_INT32:
		return put_fixed(out, b, (uint64_t)r->min_i ^ flip, (uint64_t)r->max_i ^ flip, 4,
				 err);
	case CDC_PQ_INT64:
		return put_fixed(out, b, (uint64_t)r->min_i ^ flip, (uint64_t)r->max_i ^ flip, 8,
				 err);
	case CDC_PQ_FLOAT:
		return put_fixed(out, b, float_bits(min), float_bits(max), 4, err);
	case CDC_PQ_DOUBLE:
		return put_fixed(out, b, double_bits(min), double_bits(max), 8, err);
	case CDC_PQ_BYTE_ARRAY:
	case CDC_PQ_FIXED:
		return put_strs(r, leaf, out, b, err);
	case CDC_PQ_INT96:
	default:
		b->usable = false;
		return CDC_OK;
	}
}

/* Any plain number as a signed 64-bit one that orders as the column does. */
static int64_t as_ordered(const struct cdc_pq_node *leaf, enum cdc_pq_order order, const char *p)
{
	if (leaf->type == CDC_PQ_BOOLEAN)
		return (uint8_t)*p;
	if (leaf->type == CDC_PQ_INT64)
		return (int64_t)(order == CDC_PQ_ORDER_UNSIGNED ? cdc_le64(p) ^ (uint64_t)1 << 63
								: cdc_le64(p));
	return order == CDC_PQ_ORDER_UNSIGNED ? (int64_t)cdc_le32(p) : (int32_t)cdc_le32(p);
}

static double as_double(const struct cdc_pq_node *leaf, const char *p)
{
	uint64_t wide = leaf->type == CDC_PQ_DOUBLE ? cdc_le64(p) : 0;
	uint32_t narrow = leaf->type == CDC_PQ_DOUBLE ? 0 : cdc_le32(p);
	double d;
	float f;

	memcpy(&d, &wide, sizeof(d));
	memcpy(&f, &narrow, sizeof(f));
	return leaf->type == CDC_PQ_DOUBLE ? d : (double)f;
}

int cdc_pq_order_plain(const struct cdc_pq_node *leaf, struct cdc_str a, struct cdc_str b)
{
	enum cdc_pq_order order = cdc_pq_order_of(leaf);

	if (order == CDC_PQ_ORDER_FLOAT) {
		double x = as_double(leaf, a.p);
		double y = as_double(leaf, b.p);

		return (x > y) - (x < y);
	}
	if (order == CDC_PQ_ORDER_BYTES || order == CDC_PQ_ORDER_DECIMAL)
		return cdc_pq_order_strs(order, a, b);
	if (order == CDC_PQ_ORDER_NONE)
		return 0;
	{
		int64_t x = as_ordered(leaf, order, a.p);
		int64_t y = as_ordered(leaf, order, b.p);

		return (x > y) - (x < y);
	}
}
