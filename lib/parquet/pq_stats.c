/*
 * Minimum and maximum of a column: taking values in, and merging. pq_bounds.c gives the file's
 * form.
 */
#include "parquet/pq_stats.h"

#include "base/endian.h"

#include <math.h>

enum cdc_pq_order cdc_pq_order_of(const struct cdc_pq_node *leaf)
{
	bool is_unsigned = leaf->logical == CDC_PQ_LOGICAL_INTEGER
				   ? !leaf->is_signed
				   : leaf->converted >= CDC_PQ_CONV_UINT_8 &&
					     leaf->converted <= CDC_PQ_CONV_UINT_64;
	bool decimal =
		leaf->logical == CDC_PQ_LOGICAL_DECIMAL || leaf->converted == CDC_PQ_CONV_DECIMAL;

	if (leaf->logical > CDC_PQ_LOGICAL_UUID || leaf->logical == CDC_PQ_LOGICAL_UNKNOWN ||
	    leaf->converted == CDC_PQ_CONV_INTERVAL)
		return CDC_PQ_ORDER_NONE;
	switch (leaf->type) {
	case CDC_PQ_BOOLEAN:
		return CDC_PQ_ORDER_BOOL;
	case CDC_PQ_INT32:
	case CDC_PQ_INT64:
		return is_unsigned ? CDC_PQ_ORDER_UNSIGNED : CDC_PQ_ORDER_SIGNED;
	case CDC_PQ_FLOAT:
	case CDC_PQ_DOUBLE:
		return CDC_PQ_ORDER_FLOAT;
	case CDC_PQ_BYTE_ARRAY:
	case CDC_PQ_FIXED:
		return decimal ? CDC_PQ_ORDER_DECIMAL : CDC_PQ_ORDER_BYTES;
	case CDC_PQ_INT96:
	default:
		return CDC_PQ_ORDER_NONE;
	}
}

void cdc_pq_range_reset(struct cdc_pq_range *r)
{
	r->has = false;
	r->nan_count = 0;
	cdc_buf_reset(&r->min_s);
	cdc_buf_reset(&r->max_s);
}

void cdc_pq_range_free(struct cdc_pq_range *r)
{
	cdc_buf_free(&r->min_s);
	cdc_buf_free(&r->max_s);
}

static void take_ints(struct cdc_pq_range *r, int64_t min, int64_t max)
{
	if (!r->has || min < r->min_i)
		r->min_i = min;
	if (!r->has || max > r->max_i)
		r->max_i = max;
	r->has = true;
}

static void take_doubles(struct cdc_pq_range *r, double min, double max)
{
	if (!r->has || min < r->min_d || (min == r->min_d && signbit(min)))
		r->min_d = min;
	if (!r->has || max > r->max_d)
		r->max_d = max;
	r->has = true;
}

void cdc_pq_range_bools(struct cdc_pq_range *r, const uint8_t *v, size_t n)
{
	size_t set = 0;

	for (size_t i = 0; i < n; i++)
		set += v[i] != 0;
	take_ints(r, set == n, set > 0);
}

/*
 * Order of unsigned values is order of signed ones with the top bit flipped: `flip` is that bit,
 * or 0.
 */
void cdc_pq_range_int32(struct cdc_pq_range *r, enum cdc_pq_order order, const int32_t *v, size_t n)
{
	int32_t flip = order == CDC_PQ_ORDER_UNSIGNED ? INT32_MIN : 0;
	int32_t min = v[0] ^ flip;
	int32_t max = min;

	for (size_t i = 1; i < n; i++) {
		int32_t x = v[i] ^ flip;

		min = x < min ? x : min;
		max = x > max ? x : max;
	}
	if (flip)
		take_ints(r, (int64_t)(uint32_t)(min ^ flip) ^ INT64_MIN,
			  (int64_t)(uint32_t)(max ^ flip) ^ INT64_MIN);
	else
		take_ints(r, min, max);
}

void cdc_pq_range_int64(struct cdc_pq_range *r, enum cdc_pq_order order, const int64_t *v, size_t n)
{
	int64_t flip = order == CDC_PQ_ORDER_UNSIGNED ? INT64_MIN : 0;
	int64_t min = v[0] ^ flip;
	int64_t max = min;

	for (size_t i = 1; i < n; i++) {
		int64_t x = v[i] ^ flip;

		min = x < min ? x : min;
		max = x > max ? x : max;
	}
	take_ints(r, min, max);
}

/*
 * NaN compares false with everything, so it never wins. A minimum of zero is the negative one if
 * there is one; which zero a maximum is, is chance.
 */
#define RANGE_OF_FLOATS(name, type)                                                                \
	void name(struct cdc_pq_range *r, const type *v, size_t n)                                 \
	{                                                                                          \
		type min = (type)__builtin_inf();                                                  \
		type max = -min;                                                                   \
		size_t nans = 0;                                                                   \
                                                                                                   \
		for (size_t i = 0; i < n; i++) {                                                   \
			nans += v[i] != v[i];                                                      \
			min = v[i] < min ? v[i] : min;                                             \
			max = v[i] > max ? v[i] : max;                                             \
		}                                                                                  \
		for (size_t i = 0; min == 0 && !signbit(min) && i < n; i++)                        \
			min = v[i] == 0 ? v[i] : min;                                              \
		r->nan_count += (int64_t)nans;                                                     \
		if (nans < n)                                                                      \
			take_doubles(r, (double)min, (double)max);                                 \
	}

RANGE_OF_FLOATS(cdc_pq_range_float, float)
RANGE_OF_FLOATS(cdc_pq_range_double, double)

/* Signed big-endian numbers of any lengths: the shorter is extended by its sign. */
static int cmp_decimal(struct cdc_str a, struct cdc_str b)
{
	bool a_neg = a.n && (a.p[0] & 0x80);
	bool b_neg = b.n && (b.p[0] & 0x80);
	const struct cdc_str *longer = a.n > b.n ? &a : &b;
	size_t extra = a.n > b.n ? a.n - b.n : b.n - a.n;
	char fill = (char)(a_neg ? 0xff : 0);

	if (a_neg != b_neg)
		return a_neg ? -1 : 1;
	for (size_t i = 0; i < extra; i++) {
		if (longer->p[i] != fill) /* magnitude beyond the shorter one's reach */
			return (longer == &a) != a_neg ? 1 : -1;
	}
	/* Same sign and length: two's complement compares as unsigned bytes. */
	if (a.n > b.n)
		a = cdc_str(a.p + extra, b.n);
	else
		b = cdc_str(b.p + extra, a.n);
	return cdc_str_cmp(a, b);
}

int cdc_pq_order_strs(enum cdc_pq_order order, struct cdc_str a, struct cdc_str b)
{
	return order == CDC_PQ_ORDER_DECIMAL ? cmp_decimal(a, b) : cdc_str_cmp(a, b);
}

/* The first 8 bytes as a number that orders as they do, zeros behind a shorter string. */
static inline uint64_t prefix(struct cdc_str s)
{
	const uint8_t *p = (const uint8_t *)s.p;

	if (s.n >= 8)
		return cdc_be64(p);
	if (s.n >= 4)
		return (uint64_t)cdc_be32(p) << 32 | (uint64_t)cdc_be32(p + s.n - 4)
							     << (64 - 8 * s.n);
	if (s.n == 0)
		return 0;
	return (uint64_t)p[0] << 56 | (uint64_t)p[s.n / 2] << (56 - 8 * (s.n / 2)) |
	       (uint64_t)p[s.n - 1] << (64 - 8 * s.n);
}

static int set_str(struct cdc_buf *b, struct cdc_str s, struct cdc_err *err)
{
	cdc_buf_reset(b);
	return cdc_buf_put(b, s, err);
}

static int take_strs(struct cdc_pq_range *r, enum cdc_pq_order order, struct cdc_str min,
		     struct cdc_str max, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (!r->has || cdc_pq_order_strs(order, min, cdc_buf_str(&r->min_s)) < 0)
		rc = set_str(&r->min_s, min, err);
	if (rc == CDC_OK && (!r->has || cdc_pq_order_strs(order, max, cdc_buf_str(&r->max_s)) > 0))
		rc = set_str(&r->max_s, max, err);
	r->has = true;
	return rc;
}

static void extremes_of_bytes(const struct cdc_str *v, size_t n, struct cdc_str *min,
			      struct cdc_str *max)
{
	uint64_t low = prefix(v[0]);
	uint64_t high = low;

	*min = *max = v[0];
	for (size_t i = 1; i < n; i++) {
		uint64_t x = prefix(v[i]);

		if (x < low || (x == low && cdc_str_cmp(v[i], *min) < 0)) {
			low = x;
			*min = v[i];
		}
		if (x > high || (x == high && cdc_str_cmp(v[i], *max) > 0)) {
			high = x;
			*max = v[i];
		}
	}
}

/* Decimals of one length up to 16 bytes, as numbers: all bytes by two words that may overlap. */
static void extremes_of_decimals(const struct cdc_str *v, size_t n, struct cdc_str *min,
				 struct cdc_str *max)
{
	size_t len = v[0].n;
	unsigned __int128 low = 0;
	unsigned __int128 high = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t first = prefix(v[i]) ^ (uint64_t)1 << 63;
		uint64_t last = len > 8 ? cdc_be64(v[i].p + len - 8) : 0;
		unsigned __int128 x = (unsigned __int128)first << 64 | last;

		if (i == 0 || x < low) {
			low = x;
			*min = v[i];
		}
		if (i == 0 || x > high) {
			high = x;
			*max = v[i];
		}
	}
}

static bool are_short_and_equal(const struct cdc_str *v, size_t n)
{
	size_t differ = 0;

	for (size_t i = 1; i < n; i++)
		differ |= v[i].n ^ v[0].n;
	return differ == 0 && v[0].n > 0 && v[0].n <= 16;
}

int cdc_pq_range_strs(struct cdc_pq_range *r, enum cdc_pq_order order, const struct cdc_str *v,
		      size_t n, struct cdc_err *err)
{
	struct cdc_str min = v[0];
	struct cdc_str max = v[0];

	if (order == CDC_PQ_ORDER_BYTES) {
		extremes_of_bytes(v, n, &min, &max);
		return take_strs(r, order, min, max, err);
	}
	if (are_short_and_equal(v, n)) {
		extremes_of_decimals(v, n, &min, &max);
		return take_strs(r, order, min, max, err);
	}
	for (size_t i = 1; i < n; i++) {
		if (cmp_decimal(v[i], min) < 0)
			min = v[i];
		if (cmp_decimal(v[i], max) > 0)
			max = v[i];
	}
	return take_strs(r, order, min, max, err);
}

int cdc_pq_range_merge(struct cdc_pq_range *into, const struct cdc_pq_range *from,
		       enum cdc_pq_order order, struct cdc_err *err)
{
	into->nan_count += from->nan_count;
	if (!from->has)
		return CDC_OK;
	switch (order) {
	case CDC_PQ_ORDER_BOOL:
	case CDC_PQ_ORDER_SIGNED:
	case CDC_PQ_ORDER_UNSIGNED:
		take_ints(into, from->min_i, from->max_i);
		return CDC_OK;
	case CDC_PQ_ORDER_FLOAT:
		take_doubles(into, from->min_d, from->max_d);
		return CDC_OK;
	case CDC_PQ_ORDER_BYTES:
	case CDC_PQ_ORDER_DECIMAL:
		return take_strs(into, order, cdc_buf_str(&from->min_s), cdc_buf_str(&from->max_s),
				 err);
	case CDC_PQ_ORDER_NONE:
	default:
		return CDC_OK;
	}
}
