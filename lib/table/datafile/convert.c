/*
 * Conversion of column batches from Parquet's physical types (spec section 18) and from the
 * narrower types that a column had before it was widened (section 13).
 *
 * Each converter is one loop over one pair of types, so that the compiler can make vectors of it.
 */
#include "table/datafile/convert.h"

#include "base/endian.h"

#include <math.h>

#define US_PER_DAY INT64_C(86400000000)
#define JULIAN_EPOCH 2440588 /* Julian day of 1970-01-01 */
#define NS_PER_US 1000
#define NS_PER_DAY (US_PER_DAY * NS_PER_US)

/* ------------------------------------------------------------------ integers and floats */

/* A loop over values from one C type to another that keeps every value. */
#define WIDEN(name, from_type, to_type)                                                            \
	static bool name(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)      \
	{                                                                                          \
		const from_type *from = in->values;                                                \
		to_type *to = out;                                                                 \
                                                                                                   \
		(void)c;                                                                           \
		for (uint32_t i = 0; i < in->n; i++)                                               \
			to[i] = from[i];                                                           \
		return true;                                                                       \
	}

WIDEN(int_to_long, int32_t, int64_t)
WIDEN(uint_to_long, uint32_t, int64_t)
WIDEN(int_to_double, int32_t, double)
WIDEN(uint_to_double, uint32_t, double)
WIDEN(float_to_double, float, double)

/* Small types lie in an INT32, which may hold more than they do. */
static bool check_int(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const int32_t *from = in->values;
	int32_t *to = out;
	bool bad = false;

	for (uint32_t i = 0; i < in->n; i++) {
		bad |= (from[i] < c->low) | (from[i] > c->high);
		to[i] = from[i];
	}
	return !bad;
}

/* An unsigned 64-bit integer that must not pass for a negative one. */
static bool ulong_to_long(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const int64_t *from = in->values;
	int64_t *to = out;
	bool bad = false;

	(void)c;
	for (uint32_t i = 0; i < in->n; i++) {
		bad |= from[i] < 0;
		to[i] = from[i];
	}
	return !bad;
}

/* IEEE 754 binary16, little-endian. Every value of it is a float. */
static float half_value(struct cdc_str s)
{
	uint16_t bits = s.n == 2 ? cdc_le16(s.p) : 0;
	int exponent = bits >> 10 & 31;
	float fraction = (float)(bits & 1023);
	float v;

	if (exponent == 31)
		v = fraction > 0 ? NAN : INFINITY;
	else if (exponent)
		v = ldexpf(1024 + fraction, exponent - 25);
	else
		v = ldexpf(fraction, -24);
	return bits >> 15 ? -v : v;
}

static bool half_to_float(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const struct cdc_str *from = in->values;
	float *to = out;

	(void)c;
	for (uint32_t i = 0; i < in->n; i++)
		to[i] = half_value(from[i]);
	return true;
}

static bool half_to_double(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const struct cdc_str *from = in->values;
	double *to = out;

	(void)c;
	for (uint32_t i = 0; i < in->n; i++)
		to[i] = half_value(from[i]);
	return true;
}

/* A column that its file says has no values. */
static bool only_nulls(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	bool bad = false;

	for (uint32_t i = 0; i < in->n; i++)
		bad |= !in->def || in->def[i];
	memset(out, 0, in->n * c->size);
	return !bad;
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

/*
 * Modulo 2^64, with the day and the nanoseconds signed, as Spark does both ways: it writes the year
 * 290000 as a day far before the epoch.
 */
static bool int96_to_timestamp(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const struct cdc_pq_int96 *from = in->values;
	int64_t *to = out;

	(void)c;
	for (uint32_t i = 0; i < in->n; i++) {
		int64_t us = floor_divide((int64_t)from[i].nanos, NS_PER_US);
		int64_t day = (int64_t)(int32_t)from[i].julian_day - JULIAN_EPOCH;

		to[i] = (int64_t)((uint64_t)day * (uint64_t)US_PER_DAY + (uint64_t)us);
	}
	return true;
}

/* The same to the nanosecond, where the microseconds of it did not wrap. */
static bool int96_to_nanos(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const struct cdc_pq_int96 *from = in->values;
	cdc_i128 *to = out;

	(void)c;
	for (uint32_t i = 0; i < in->n; i++) {
		int64_t nanos = (int64_t)from[i].nanos;
		int64_t day = (int64_t)(int32_t)from[i].julian_day - JULIAN_EPOCH;
		cdc_i128 us = (cdc_i128)day * US_PER_DAY + floor_divide(nanos, NS_PER_US);

		to[i] = (cdc_i128)(int64_t)us * NS_PER_US +
			(nanos % NS_PER_US + NS_PER_US) % NS_PER_US;
	}
	return true;
}

static bool long_to_nanos(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const int64_t *from = in->values;
	cdc_i128 *to = out;

	for (uint32_t i = 0; i < in->n; i++)
		to[i] = (cdc_i128)from[i] * c->multiply;
	return true;
}

/*
 * Within a day, whose end counts: some databases have 24:00:00. A time that was brought to UTC may
 * come to the day before: writers of Java leave it below zero.
 */
static bool time_within_day(const struct cdc_convert *c, int64_t *ns)
{
	if (c->utc && *ns < 0 && *ns >= -NS_PER_DAY)
		*ns += NS_PER_DAY;
	return *ns >= 0 && *ns <= NS_PER_DAY;
}

static bool int_to_time(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const int32_t *from = in->values;
	int64_t *to = out;
	bool good = true;

	for (uint32_t i = 0; i < in->n; i++) {
		to[i] = from[i] * c->multiply;
		good &= time_within_day(c, &to[i]);
	}
	return good;
}

static bool long_to_time(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const int64_t *from = in->values;
	int64_t *to = out;
	bool good = true;

	for (uint32_t i = 0; i < in->n; i++) {
		good &= !__builtin_mul_overflow(from[i], c->multiply, &to[i]);
		good &= time_within_day(c, &to[i]);
	}
	return good;
}

/* ------------------------------------------------------------------ decimals */

static bool to_scale(const struct cdc_convert *c, cdc_i128 v, cdc_i128 *out)
{
	*out = v;
	if (c->shrink) {
		*out = v / c->shrink;
		if (v % c->shrink)
			return false;
	} else if (c->factor != 1 && __builtin_mul_overflow(v, c->factor, out)) {
		return false;
	}
	return *out<c->limit && * out> - c->limit;
}

/* From integers of one C type. */
#define TO_DECIMAL(name, type)                                                                     \
	static bool name(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)      \
	{                                                                                          \
		const type *from = in->values;                                                     \
		cdc_i128 *to = out;                                                                \
		bool good = true;                                                                  \
                                                                                                   \
		for (uint32_t i = 0; i < in->n; i++)                                               \
			good &= to_scale(c, from[i], &to[i]);                                      \
		return good;                                                                       \
	}

TO_DECIMAL(int_to_decimal, int32_t)
TO_DECIMAL(uint_to_decimal, uint32_t)
TO_DECIMAL(long_to_decimal, int64_t)
TO_DECIMAL(ulong_to_decimal, uint64_t)

/*
 * The same without digits to add, which is nearly always so: sign bits are all that is to be done.
 * Four integers, or two, at a time; gcc and clang make the vector instructions of any machine of
 * it.
 */
typedef int32_t ints __attribute__((vector_size(16)));
typedef int64_t longs __attribute__((vector_size(16)));
typedef uint32_t int_bits __attribute__((vector_size(16)));
typedef uint64_t long_bits __attribute__((vector_size(16)));

#define SHUFFLE __builtin_shufflevector
#define LITTLE (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

/*
 * What is over `most`, or under its negative, makes one of the differences negative: the highest
 * bit of what these functions return is set. Integers that all have few enough digits are not
 * looked at.
 */
static uint32_t ints_over(const int32_t *v, uint32_t n, uint32_t most)
{
	int_bits all = { 0, 0, 0, 0 };
	uint32_t bad = 0;
	uint32_t i = 0;

	for (; i + 4 <= n; i += 4) {
		int_bits x;

		memcpy(&x, v + i, sizeof(x));
		all |= (most - x) | (most + x);
	}
	for (; i < n; i++)
		bad |= (most - (uint32_t)v[i]) | (most + (uint32_t)v[i]);
	return bad | all[0] | all[1] | all[2] | all[3];
}

static uint64_t longs_over(const int64_t *v, uint32_t n, uint64_t most)
{
	long_bits all = { 0, 0 };
	uint64_t bad = 0;
	uint32_t i = 0;

	for (; i + 2 <= n; i += 2) {
		long_bits x;

		memcpy(&x, v + i, sizeof(x));
		all |= (most - x) | (most + x);
	}
	for (; i < n; i++)
		bad |= (most - (uint64_t)v[i]) | (most + (uint64_t)v[i]);
	return bad | all[0] | all[1];
}

/* Two integers of 64 bits, and their signs as wide. */
static void put_pair(cdc_i128 *to, ints value, ints sign)
{
	longs first = SHUFFLE((longs)value, (longs)sign, 0, 2);
	longs second = SHUFFLE((longs)value, (longs)sign, 1, 3);

	memcpy(to, &first, sizeof(first));
	memcpy(to + 1, &second, sizeof(second));
}

static bool int_as_decimal(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const int32_t *from = in->values;
	cdc_i128 *to = out;
	uint32_t n = in->n;
	uint32_t i = 0;

	for (; LITTLE && i + 4 <= n; i += 4) {
		ints x;
		ints sign;

		memcpy(&x, from + i, sizeof(x));
		sign = x < 0;
		put_pair(to + i, SHUFFLE(x, sign, 0, 4, 1, 5), SHUFFLE(sign, sign, 0, 0, 1, 1));
		put_pair(to + i + 2, SHUFFLE(x, sign, 2, 6, 3, 7), SHUFFLE(sign, sign, 2, 2, 3, 3));
	}
	for (; i < n; i++)
		to[i] = from[i];
	return c->limit > INT32_MAX || !(ints_over(from, n, (uint32_t)c->limit - 1) >> 31);
}

static bool long_as_decimal(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const int64_t *from = in->values;
	cdc_i128 *to = out;
	uint32_t n = in->n;
	uint32_t i = 0;

	for (; LITTLE && i + 2 <= n; i += 2) {
		ints x;
		ints sign;

		memcpy(&x, from + i, sizeof(x));
		sign = x < 0;
		put_pair(to + i, x, SHUFFLE(sign, sign, 1, 1, 3, 3));
	}
	for (; i < n; i++)
		to[i] = from[i];
	return c->limit > INT64_MAX || !(longs_over(from, n, (uint64_t)c->limit - 1) >> 63);
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

/*
 * The same where all values have one length, 4 to 16 bytes: two loads that overlap, and no digits
 * are added. A slot without a value points nowhere: it is read as zero.
 */
static const char zeros[16];

static bool fixed_to_decimal(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const struct cdc_str *from = in->values;
	const cdc_u128 most = (cdc_u128)c->limit - 1;
	unsigned shift = 8 * (c->length - 8);
	cdc_i128 *to = out;
	bool bad = false;

	for (uint32_t i = 0; i < in->n; i++) {
		const char *p = from[i].p ? from[i].p : zeros;
		cdc_u128 v = (cdc_u128)(cdc_i128)(int64_t)cdc_be64(p) << shift |
			     cdc_be64(p + c->length - 8);

		bad |= v + most > 2 * most;
		to[i] = (cdc_i128)v;
	}
	return !bad;
}

static bool short_fixed_to_decimal(const struct cdc_convert *c, const struct cdc_pq_vec *in,
				   void *out)
{
	const struct cdc_str *from = in->values;
	const uint64_t most = c->limit > INT64_MAX ? INT64_MAX : (uint64_t)c->limit - 1;
	unsigned shift = 8 * (c->length - 4);
	cdc_i128 *to = out;
	bool bad = false;

	for (uint32_t i = 0; i < in->n; i++) {
		const char *p = from[i].p ? from[i].p : zeros;
		uint64_t v = (uint64_t)(int64_t)(int32_t)cdc_be32(p) << shift |
			     cdc_be32(p + c->length - 4);

		bad |= v + most > 2 * most;
		to[i] = (int64_t)v;
	}
	return !bad || c->limit > INT64_MAX;
}

static bool check_big_decimal(const struct cdc_convert *c, const struct cdc_pq_vec *in, void *out)
{
	const struct cdc_str *from = in->values;
	struct cdc_str *to = out;
	bool good = true;

	(void)c;
	for (uint32_t i = 0; i < in->n; i++) {
		good &= from[i].n <= CDC_BIG_DECIMAL_BYTES;
		to[i] = from[i];
	}
	return good;
}

/* ------------------------------------------------------------------ what a leaf is */

static bool is_decimal(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_DECIMAL || n->converted == CDC_PQ_CONV_DECIMAL;
}

static bool is_date(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_DATE || n->converted == CDC_PQ_CONV_DATE;
}

/* Nanoseconds per unit of a TIME or a TIMESTAMP; 0: it is none. */
static int64_t unit_of(const struct cdc_pq_node *n, enum cdc_pq_logical logical,
		       enum cdc_pq_converted millis, enum cdc_pq_converted micros)
{
	if (n->logical == logical)
		return n->unit == CDC_PQ_MILLIS ? 1000000 : n->unit == CDC_PQ_MICROS ? 1000 : 1;
	return n->converted == millis ? 1000000 : n->converted == micros ? 1000 : 0;
}

static int64_t timestamp_unit(const struct cdc_pq_node *n)
{
	return unit_of(n, CDC_PQ_LOGICAL_TIMESTAMP, CDC_PQ_CONV_TIMESTAMP_MILLIS,
		       CDC_PQ_CONV_TIMESTAMP_MICROS);
}

static int64_t time_unit(const struct cdc_pq_node *n)
{
	return unit_of(n, CDC_PQ_LOGICAL_TIME, CDC_PQ_CONV_TIME_MILLIS, CDC_PQ_CONV_TIME_MICROS);
}

/* An integer that is no more than that. */
static bool is_integer(const struct cdc_pq_node *n)
{
	return (n->type == CDC_PQ_INT32 || n->type == CDC_PQ_INT64) && !is_decimal(n) &&
	       !timestamp_unit(n) && !time_unit(n);
}

/* An unsigned integer as wide as its physical type: read as a signed one it may be negative. */
static bool wraps(const struct cdc_pq_node *n)
{
	if (n->logical == CDC_PQ_LOGICAL_INTEGER)
		return !n->is_signed && n->bit_width >= (n->type == CDC_PQ_INT32 ? 32 : 64);
	return n->converted ==
	       (n->type == CDC_PQ_INT32 ? CDC_PQ_CONV_UINT_32 : CDC_PQ_CONV_UINT_64);
}

/* ------------------------------------------------------------------ the choice */

typedef bool choose_fn(struct cdc_convert *c, const struct cdc_pq_node *n,
		       const struct cdc_field *f);

static bool choose_boolean(struct cdc_convert *c, const struct cdc_pq_node *n,
			   const struct cdc_field *f)
{
	(void)c;
	(void)f;
	return n->type == CDC_PQ_BOOLEAN;
}

static bool choose_integer(struct cdc_convert *c, const struct cdc_pq_node *n,
			   const struct cdc_field *f)
{
	if (!is_integer(n) || n->type != CDC_PQ_INT32)
		return false;
	c->low = f->type == CDC_TYPE_BYTE ? INT8_MIN : INT16_MIN;
	c->high = f->type == CDC_TYPE_BYTE ? INT8_MAX : INT16_MAX;
	if (f->type == CDC_TYPE_INTEGER) {
		c->low = 0;
		c->high = INT32_MAX;
	}
	if (f->type != CDC_TYPE_INTEGER || wraps(n))
		c->fn = check_int;
	return true;
}

static bool choose_date(struct cdc_convert *c, const struct cdc_pq_node *n,
			const struct cdc_field *f)
{
	(void)c;
	(void)f;
	return is_integer(n) && n->type == CDC_PQ_INT32 && !wraps(n);
}

static bool choose_long(struct cdc_convert *c, const struct cdc_pq_node *n,
			const struct cdc_field *f)
{
	(void)f;
	if (n->type == CDC_PQ_INT32)
		c->fn = wraps(n) ? uint_to_long : int_to_long;
	else if (wraps(n))
		c->fn = ulong_to_long;
	return is_integer(n);
}

static bool choose_float(struct cdc_convert *c, const struct cdc_pq_node *n,
			 const struct cdc_field *f)
{
	(void)f;
	if (n->type != CDC_PQ_FIXED)
		return n->type == CDC_PQ_FLOAT;
	c->fn = half_to_float;
	return n->logical == CDC_PQ_LOGICAL_FLOAT16 && n->type_length == 2;
}

static bool choose_double(struct cdc_convert *c, const struct cdc_pq_node *n,
			  const struct cdc_field *f)
{
	(void)f;
	if (n->type == CDC_PQ_INT32)
		c->fn = wraps(n) ? uint_to_double : int_to_double;
	else if (n->type == CDC_PQ_FLOAT)
		c->fn = float_to_double;
	else if (n->type == CDC_PQ_FIXED)
		c->fn = half_to_double;
	if (n->type == CDC_PQ_INT32)
		return is_integer(n);
	if (n->type == CDC_PQ_FIXED)
		return n->logical == CDC_PQ_LOGICAL_FLOAT16 && n->type_length == 2;
	return n->type == CDC_PQ_FLOAT || n->type == CDC_PQ_DOUBLE;
}

static cdc_i128 power_of_ten(int n)
{
	cdc_i128 v = 1;

	while (n-- > 0)
		v *= 10;
	return v;
}

#define POWER_MAX 38 /* the largest power of ten that fits */

static bool choose_decimal(struct cdc_convert *c, const struct cdc_pq_node *n,
			   const struct cdc_field *f)
{
	int scale = is_decimal(n) ? n->scale : 0;
	bool same = scale == f->scale;

	if (scale < 0 || scale - f->scale > POWER_MAX)
		return false;
	c->factor = power_of_ten(f->scale - scale);
	c->shrink = scale > f->scale ? power_of_ten(scale - f->scale) : 0;
	/* Some writers do not keep to the precision. In a lone file nothing rests on it. */
	c->limit = power_of_ten(f->file_node ? POWER_MAX : f->precision);
	c->length = (uint32_t)n->type_length;
	if (n->type == CDC_PQ_INT32)
		c->fn = wraps(n) ? uint_to_decimal : same ? int_as_decimal : int_to_decimal;
	else if (n->type == CDC_PQ_INT64)
		c->fn = wraps(n) ? ulong_to_decimal : same ? long_as_decimal : long_to_decimal;
	else if (n->type == CDC_PQ_FIXED && same && n->type_length >= 4 && n->type_length <= 16)
		c->fn = n->type_length <= 8 ? short_fixed_to_decimal : fixed_to_decimal;
	else if (n->type == CDC_PQ_FIXED || n->type == CDC_PQ_BYTE_ARRAY)
		c->fn = bytes_to_decimal;
	return c->fn && (is_decimal(n) || is_integer(n));
}

static bool choose_big_decimal(struct cdc_convert *c, const struct cdc_pq_node *n,
			       const struct cdc_field *f)
{
	if (n->type == CDC_PQ_BYTE_ARRAY)
		c->fn = check_big_decimal;
	return is_decimal(n) && n->scale == f->scale && f->scale >= 0 &&
	       f->scale <= CDC_BIG_DECIMAL_DIGITS &&
	       (c->fn || (n->type == CDC_PQ_FIXED && n->type_length <= CDC_BIG_DECIMAL_BYTES));
}

static bool choose_string(struct cdc_convert *c, const struct cdc_pq_node *n,
			  const struct cdc_field *f)
{
	(void)c;
	(void)f;
	return n->type == CDC_PQ_BYTE_ARRAY && !is_decimal(n);
}

static bool choose_binary(struct cdc_convert *c, const struct cdc_pq_node *n,
			  const struct cdc_field *f)
{
	(void)c;
	(void)f;
	return (n->type == CDC_PQ_BYTE_ARRAY || n->type == CDC_PQ_FIXED) && !is_decimal(n);
}

static bool choose_uuid(struct cdc_convert *c, const struct cdc_pq_node *n,
			const struct cdc_field *f)
{
	(void)c;
	return n->type == CDC_PQ_FIXED && !is_decimal(n) &&
	       n->type_length == (f->type == CDC_TYPE_UUID ? 16 : 12);
}

static bool choose_timestamp(struct cdc_convert *c, const struct cdc_pq_node *n,
			     const struct cdc_field *f)
{
	bool nanos = f->type == CDC_TYPE_TIMESTAMP_NS || f->type == CDC_TYPE_TIMESTAMP_NTZ_NS;
	int64_t from = timestamp_unit(n);
	int64_t to = nanos ? 1 : NS_PER_US;

	if (n->type == CDC_PQ_INT96) {
		c->fn = nanos ? int96_to_nanos : int96_to_timestamp;
		return true;
	}
	if (n->type == CDC_PQ_INT32) {
		c->fn = date_to_timestamp;
		return is_date(n) && !nanos;
	}
	if (n->type != CDC_PQ_INT64 || !from)
		return false;
	if (nanos) {
		c->multiply = from;
		c->fn = long_to_nanos;
		return true;
	}
	c->multiply = from / to;
	c->divide = to / from;
	if (from != to)
		c->fn = from > to ? scale_timestamp : cut_timestamp;
	return true;
}

static bool choose_time(struct cdc_convert *c, const struct cdc_pq_node *n,
			const struct cdc_field *f)
{
	(void)f;
	c->multiply = time_unit(n);
	c->utc = n->logical == CDC_PQ_LOGICAL_TIME && n->utc;
	c->fn = n->type == CDC_PQ_INT32 ? int_to_time : long_to_time;
	return c->multiply && (n->type == CDC_PQ_INT32 || n->type == CDC_PQ_INT64);
}

static choose_fn *const choices[] = {
	[CDC_TYPE_BOOLEAN] = choose_boolean,
	[CDC_TYPE_BYTE] = choose_integer,
	[CDC_TYPE_SHORT] = choose_integer,
	[CDC_TYPE_INTEGER] = choose_integer,
	[CDC_TYPE_LONG] = choose_long,
	[CDC_TYPE_FLOAT] = choose_float,
	[CDC_TYPE_DOUBLE] = choose_double,
	[CDC_TYPE_DECIMAL] = choose_decimal,
	[CDC_TYPE_STRING] = choose_string,
	[CDC_TYPE_BINARY] = choose_binary,
	[CDC_TYPE_DATE] = choose_date,
	[CDC_TYPE_TIMESTAMP] = choose_timestamp,
	[CDC_TYPE_TIMESTAMP_NTZ] = choose_timestamp,
	[CDC_TYPE_TIME] = choose_time,
	[CDC_TYPE_TIMESTAMP_NS] = choose_timestamp,
	[CDC_TYPE_TIMESTAMP_NTZ_NS] = choose_timestamp,
	[CDC_TYPE_UUID] = choose_uuid,
	[CDC_TYPE_INTERVAL] = choose_uuid,
	[CDC_TYPE_BIG_DECIMAL] = choose_big_decimal,
};

bool cdc_convert_choose(struct cdc_convert *c, const struct cdc_pq_node *leaf,
			const struct cdc_field *f)
{
	choose_fn *choose = choices[f->type];

	*c = (struct cdc_convert){ .size = cdc_type_size(f->type) };
	if (!choose)
		return false;
	if (leaf->logical == CDC_PQ_LOGICAL_UNKNOWN) {
		c->fn = only_nulls;
		return true;
	}
	return choose(c, leaf, f);
}
