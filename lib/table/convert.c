/*
 * Conversion of column batches from Parquet's physical types (spec section 18) and from the
 * narrower types that a column had before it was widened (section 13).
 *
 * Each converter is one loop over one pair of types, so that the compiler can make vectors of it.
 */
#include "table/convert.h"

#include "base/endian.h"

#define US_PER_DAY INT64_C(86400000000)
#define JULIAN_EPOCH 2440588 /* Julian day of 1970-01-01 */
#define NS_PER_US 1000

static bool int_to_long(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const int32_t *from = in->values;
	int64_t *to = out;

	(void)c;
	for (uint32_t i = 0; i < in->n; i++)
		to[i] = from[i];
	return true;
}

static bool int_to_double(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const int32_t *from = in->values;
	double *to = out;

	(void)c;
	for (uint32_t i = 0; i < in->n; i++)
		to[i] = from[i];
	return true;
}

static bool float_to_double(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const float *from = in->values;
	double *to = out;

	(void)c;
	for (uint32_t i = 0; i < in->n; i++)
		to[i] = from[i];
	return true;
}

/* ------------------------------------------------------------------ time */

static bool date_to_timestamp(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const int32_t *from = in->values;
	int64_t *to = out;
	bool overflow = false;

	(void)c;
	for (uint32_t i = 0; i < in->n; i++)
		overflow |= __builtin_mul_overflow((int64_t)from[i], US_PER_DAY, &to[i]);
	return !overflow;
}

static bool scale_timestamp(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const int64_t *from = in->values;
	int64_t *to = out;
	bool overflow = false;

	for (uint32_t i = 0; i < in->n; i++)
		overflow |= __builtin_mul_overflow(from[i], c->multiply, &to[i]);
	return !overflow;
}

/* Towards the past, as timestamps before 1970 want it. */
static int64_t floor_divide(int64_t v, int64_t by)
{
	return v / by - (v % by < 0);
}

static bool cut_timestamp(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const int64_t *from = in->values;
	int64_t *to = out;

	for (uint32_t i = 0; i < in->n; i++)
		to[i] = floor_divide(from[i], c->divide);
	return true;
}

static bool int96_to_timestamp(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const struct cdc_pq_int96 *from = in->values;
	int64_t *to = out;
	bool overflow = false;

	(void)c;
	for (uint32_t i = 0; i < in->n; i++) {
		int64_t us = floor_divide((int64_t)from[i].nanos, NS_PER_US);
		int64_t day;

		overflow |= __builtin_mul_overflow((int64_t)from[i].julian_day - JULIAN_EPOCH,
						   US_PER_DAY, &day);
		overflow |= __builtin_add_overflow(day, us, &to[i]);
	}
	return !overflow;
}

/* ------------------------------------------------------------------ decimals */

static bool to_scale(const struct cdc_convert *c, cdc_i128 v, cdc_i128 *out)
{
	*out = v;
	return (c->factor == 1 || !__builtin_mul_overflow(v, c->factor, out)) &&
	       *out<c->limit && * out> - c->limit;
}

static bool int_to_decimal(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const int32_t *from = in->values;
	cdc_i128 *to = out;
	bool good = true;

	for (uint32_t i = 0; i < in->n; i++)
		good &= to_scale(c, from[i], &to[i]);
	return good;
}

static bool long_to_decimal(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const int64_t *from = in->values;
	cdc_i128 *to = out;
	bool good = true;

	for (uint32_t i = 0; i < in->n; i++)
		good &= to_scale(c, from[i], &to[i]);
	return good;
}

/*
 * The same without digits to add, which is nearly always so. Integers from -most to most are at
 * most 2 * most once `most` is added; where every integer has few enough digits `most` is 0 and
 * `range` lets all pass.
 */
struct digits {
	uint64_t most;
	uint64_t range;
};

static struct digits digits_of(const struct cdc_convert *c)
{
	uint64_t most = c->limit > INT64_MAX ? 0 : (uint64_t)c->limit - 1;

	return (struct digits){ most, most ? 2 * most : UINT64_MAX };
}

static bool int_as_decimal(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const struct digits d = digits_of(c);
	const int32_t *from = in->values;
	cdc_i128 *to = out;
	bool bad = false;

	for (uint32_t i = 0; i < in->n; i++) {
		bad |= (uint64_t)from[i] + d.most > d.range;
		to[i] = from[i];
	}
	return !bad;
}

static bool long_as_decimal(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const struct digits d = digits_of(c);
	const int64_t *from = in->values;
	cdc_i128 *to = out;
	bool bad = false;

	for (uint32_t i = 0; i < in->n; i++) {
		bad |= (uint64_t)from[i] + d.most > d.range;
		to[i] = from[i];
	}
	return !bad;
}

/* Big-endian two's complement of any length; what is longer than 16 bytes must be sign bytes. */
static bool bytes_value(struct cdc_str s, cdc_i128 *out)
{
	bool negative = s.n && (unsigned char)s.p[0] & 0x80;
	unsigned char sign = negative ? 0xff : 0;
	cdc_u128 v = negative ? ~(cdc_u128)0 : 0;

	if (s.n == sizeof(v)) {
		*out = (cdc_i128)((cdc_u128)cdc_be64(s.p) << 64 | cdc_be64(s.p + 8));
		return true;
	}
	while (s.n > sizeof(v)) {
		if ((unsigned char)s.p[0] != sign)
			return false;
		s = cdc_str(s.p + 1, s.n - 1);
	}
	for (; s.n >= 8; s = cdc_str(s.p + 8, s.n - 8))
		v = v << 64 | cdc_be64(s.p);
	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (unsigned char)s.p[i];
	*out = (cdc_i128)v;
	return (*out < 0) == negative;
}

static bool bytes_to_decimal(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const struct cdc_str *from = in->values;
	cdc_i128 *to = out;
	bool good = true;

	for (uint32_t i = 0; i < in->n; i++) {
		cdc_i128 v = 0;

		good &= bytes_value(from[i], &v) && to_scale(c, v, &to[i]);
	}
	return good;
}

/* ------------------------------------------------------------------ the choice */

static cdc_i128 power_of_ten(int n)
{
	cdc_i128 v = 1;

	while (n-- > 0)
		v *= 10;
	return v;
}

static bool is_decimal(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_DECIMAL || n->converted == CDC_PQ_CONV_DECIMAL;
}

static bool choose_decimal(struct cdc_convert *c, const struct cdc_pq_node *n,
			   const struct cdc_field *f)
{
	int scale = is_decimal(n) ? n->scale : 0;

	if (scale < 0 || scale > f->scale)
		return false;
	c->factor = power_of_ten(f->scale - scale);
	c->limit = power_of_ten(f->precision);
	if (n->type == CDC_PQ_INT32)
		c->fn = c->factor == 1 ? int_as_decimal : int_to_decimal;
	else if (n->type == CDC_PQ_INT64)
		c->fn = c->factor == 1 ? long_as_decimal : long_to_decimal;
	else if (is_decimal(n) && (n->type == CDC_PQ_FIXED || n->type == CDC_PQ_BYTE_ARRAY))
		c->fn = bytes_to_decimal;
	return c->fn != NULL;
}

static bool choose_timestamp(struct cdc_convert *c, const struct cdc_pq_node *n)
{
	bool annotated = n->logical == CDC_PQ_LOGICAL_TIMESTAMP;

	if (n->type == CDC_PQ_INT96) {
		c->fn = int96_to_timestamp;
		return true;
	}
	if (n->type == CDC_PQ_INT32) {
		c->fn = date_to_timestamp;
		return n->logical == CDC_PQ_LOGICAL_DATE || n->converted == CDC_PQ_CONV_DATE;
	}
	if (n->type != CDC_PQ_INT64)
		return false;
	if ((annotated && n->unit == CDC_PQ_MILLIS) ||
	    (!annotated && n->converted == CDC_PQ_CONV_TIMESTAMP_MILLIS)) {
		c->multiply = 1000;
		c->fn = scale_timestamp;
		return true;
	}
	if (annotated && n->unit == CDC_PQ_NANOS) {
		c->divide = NS_PER_US;
		c->fn = cut_timestamp;
		return true;
	}
	return annotated || n->converted == CDC_PQ_CONV_TIMESTAMP_MICROS;
}

/* An unsigned integer as wide as its physical type would be read as a negative one. */
static bool wraps(const struct cdc_pq_node *n)
{
	if (n->logical == CDC_PQ_LOGICAL_INTEGER)
		return !n->is_signed && n->bit_width >= (n->type == CDC_PQ_INT32 ? 32 : 64);
	return n->converted == CDC_PQ_CONV_UINT_32 || n->converted == CDC_PQ_CONV_UINT_64;
}

static bool choose_number(struct cdc_convert *c, const struct cdc_pq_node *n, enum cdc_type t)
{
	bool plain = !is_decimal(n) && n->logical != CDC_PQ_LOGICAL_TIMESTAMP && !wraps(n);

	switch (t) {
	case CDC_TYPE_LONG:
		if (n->type == CDC_PQ_INT32)
			c->fn = int_to_long;
		return plain && (n->type == CDC_PQ_INT64 || n->type == CDC_PQ_INT32);
	case CDC_TYPE_DOUBLE:
		if (n->type == CDC_PQ_INT32)
			c->fn = int_to_double;
		if (n->type == CDC_PQ_FLOAT)
			c->fn = float_to_double;
		return plain && (n->type == CDC_PQ_DOUBLE || c->fn);
	case CDC_TYPE_FLOAT:
		return n->type == CDC_PQ_FLOAT;
	case CDC_TYPE_BOOLEAN:
		return n->type == CDC_PQ_BOOLEAN;
	case CDC_TYPE_BYTE:
	case CDC_TYPE_SHORT:
	case CDC_TYPE_INTEGER:
	case CDC_TYPE_DATE:
		return plain && n->type == CDC_PQ_INT32;
	case CDC_TYPE_DECIMAL:
	case CDC_TYPE_STRING:
	case CDC_TYPE_BINARY:
	case CDC_TYPE_TIMESTAMP:
	case CDC_TYPE_TIMESTAMP_NTZ:
	case CDC_TYPE_VOID:
	case CDC_TYPE_VARIANT:
	case CDC_TYPE_STRUCT:
	case CDC_TYPE_ARRAY:
	case CDC_TYPE_MAP:
	case CDC_TYPE_TIME:
	case CDC_TYPE_TIMESTAMP_NS:
	case CDC_TYPE_TIMESTAMP_NTZ_NS:
	case CDC_TYPE_UUID:
	case CDC_TYPE_INTERVAL:
	case CDC_TYPE_BIG_DECIMAL:
		break;
	}
	return false;
}

bool cdc_convert_choose(struct cdc_convert *c, const struct cdc_pq_node *leaf,
			const struct cdc_field *f)
{
	*c = (struct cdc_convert){ .fn = NULL };
	if (f->type == CDC_TYPE_DECIMAL)
		return choose_decimal(c, leaf, f);
	if (f->type == CDC_TYPE_TIMESTAMP || f->type == CDC_TYPE_TIMESTAMP_NTZ)
		return choose_timestamp(c, leaf);
	if (f->type == CDC_TYPE_STRING)
		return leaf->type == CDC_PQ_BYTE_ARRAY && !is_decimal(leaf);
	if (f->type == CDC_TYPE_BINARY)
		return (leaf->type == CDC_PQ_BYTE_ARRAY || leaf->type == CDC_PQ_FIXED) &&
		       !is_decimal(leaf);
	return choose_number(c, leaf, f->type);
}
