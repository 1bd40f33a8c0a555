/*
 * Floating point to and from text: correctly rounded in, shortest round trip out, no locale.
 *
 * Both ways multiply by a power of ten of 128 bits. Out, that is always enough (R. Giulietti, "The
 * Schubfach way to render doubles", 2020). In, it leaves a few texts undecided, those within a hair
 * of the middle between two numbers; strtod settles them. It is given digits and an exponent only,
 * "12345e-3", so that the decimal point of the locale does not come into it.
 */
#include "base/value.h"

#include "base/digits.h"
#include "base/numeral.h"

#include <math.h>
#include <stdlib.h>

struct pow10 {
	uint64_t high;
	uint64_t low;
};

#include "base/pow10_table.h"

/* What the two types differ in: bits of the significand with its leading 1, lowest exponent. */
struct width {
	int bits;
	int q_min; /* a value is c * 2^q with c < 2^bits and q >= q_min */
	int q_max;
};

static const struct width width_double = { 53, -1074, 971 };
static const struct width width_float = { 24, -149, 104 };

static const struct pow10 *pow10_of(int k)
{
	return &pow10_table[k - POW10_FIRST];
}

/* floor(log2(10^k)) for |k| < 1650, and floor(log10(2^q)) for |q| < 1650: fixed-point logarithms.
 */
static int floor_log2_pow10(int k)
{
	return (k * 1741647) >> 19;
}

static int floor_log10_pow2(int q)
{
	return (q * 1262611) >> 22;
}

/* floor(log10(3/4 * 2^q)). */
static int floor_log10_three_quarters_pow2(int q)
{
	return (q * 1262611 - 524031) >> 22;
}

/* --- in ----------------------------------------------------------------- */

/*
 * No more digits than this can matter to the rounding of a double (767 for the worst midpoint
 * between two subnormals), save that something not 0 comes after them.
 */
#define DIGITS_THAT_MATTER 770
#define SPELLED_MAX (DIGITS_THAT_MATTER + 32)

/* As many digits always fit 64 bits. */
#define DIGITS_64 19

static bool parse_special(struct cdc_str s, double *out)
{
	bool negative = false;

	if (s.n && (s.p[0] == '+' || s.p[0] == '-')) {
		negative = s.p[0] == '-';
		s = cdc_str(s.p + 1, s.n - 1);
	} else if (cdc_str_ieq(s, CDC_STR("nan"))) {
		*out = (double)NAN;
		return true;
	}
	if (!cdc_str_ieq(s, CDC_STR("infinity")) && !cdc_str_ieq(s, CDC_STR("inf")))
		return false;
	*out = negative ? -HUGE_VAL : HUGE_VAL;
	return true;
}

/* The significant digits as an integer; only for m->n <= DIGITS_64. */
static uint64_t integer_of(const struct numeral *m)
{
	const char *p = m->digits;
	uint64_t v = 0;

	for (size_t i = 0; i < m->n; p++) {
		if (*p == '.')
			continue;
		v = v * 10 + digit_value(*p);
		i++;
	}
	return v;
}

/*
 * "[-]digits e exponent" for strtod. Digits past DIGITS_THAT_MATTER are replaced by one 1, which
 * leaves the number on the same side of every midpoint.
 */
static void spell(const struct numeral *m, char out[SPELLED_MAX])
{
	const char *p = m->digits;
	int64_t exponent = m->exponent;
	size_t n = m->n;
	size_t len = 0;

	if (m->negative)
		out[len++] = '-';
	if (n > DIGITS_THAT_MATTER) {
		exponent += (int64_t)(n - DIGITS_THAT_MATTER) - 1;
		n = DIGITS_THAT_MATTER;
	}
	for (size_t i = 0; i < n; p++) {
		if (*p == '.')
			continue;
		out[len++] = *p;
		i++;
	}
	if (n < m->n)
		out[len++] = '1';
	out[len++] = 'e';
	len += cdc_int64_format(exponent, out + len);
	out[len] = '\0';
}

/*
 * w * 10^e rounded to c * 2^q with the width's bits. False when it cannot be told from here: too
 * close to a midpoint (or on it), subnormal, or out of range.
 *
 * The power of ten is at most one unit of its last bit too large, so the product is less than 2^64
 * units of its own too large, which is one unit of the 128 bits that are kept.
 */
static bool multiply(uint64_t w, int64_t e, const struct width *width, uint64_t *c, int *q)
{
	const struct pow10 *g;
	cdc_u128 product;
	cdc_u128 rest;
	cdc_u128 half;
	int normal;
	int drop;

	if (w == 0 || e < POW10_FIRST || e > POW10_LAST)
		return false;
	g = pow10_of((int)e);
	normal = __builtin_clzll(w);
	w <<= normal;
	product = (cdc_u128)w * g->high + ((cdc_u128)w * g->low >> 64);
	/* The product is in 2^126..2^128; `drop` bits of it are beyond the significand. */
	drop = 128 - width->bits - (product >> 127 == 0);
	rest = product & (((cdc_u128)1 << drop) - 1);
	half = (cdc_u128)1 << (drop - 1);
	if (rest + 2 >= half && rest <= half + 2)
		return false;
	*c = (uint64_t)(product >> drop) + (rest > half);
	*q = floor_log2_pow10((int)e) - 63 - normal + drop;
	return *q >= width->q_min && *q < width->q_max;
}

static double quick(const struct numeral *m, const struct width *width)
{
	uint64_t c;
	double v;
	int q;

	if (m->n == 0)
		v = 0;
	else if (m->n <= DIGITS_64 && multiply(integer_of(m), m->exponent, width, &c, &q))
		v = ldexp((double)c, q);
	else
		return (double)NAN;
	return m->negative ? -v : v;
}

enum cdc_parse cdc_double_parse(struct cdc_str s, double *out)
{
	char text[SPELLED_MAX];
	struct numeral m;
	double v;

	if (!numeral_scan(s, &m))
		return parse_special(s, out) ? CDC_PARSE_OK : CDC_PARSE_SYNTAX;
	v = quick(&m, &width_double);
	if (isnan(v)) {
		spell(&m, text);
		v = strtod(text, NULL);
	}
	if (isinf(v))
		return CDC_PARSE_RANGE;
	*out = v;
	return CDC_PARSE_OK;
}

enum cdc_parse cdc_float_parse(struct cdc_str s, float *out)
{
	char text[SPELLED_MAX];
	struct numeral m;
	double v;

	if (!numeral_scan(s, &m)) {
		if (!parse_special(s, &v))
			return CDC_PARSE_SYNTAX;
		*out = (float)v;
		return CDC_PARSE_OK;
	}
	v = quick(&m, &width_float);
	if (isnan(v)) {
		spell(&m, text);
		v = (double)strtof(text, NULL);
	}
	if (isinf(v))
		return CDC_PARSE_RANGE;
	*out = (float)v;
	return CDC_PARSE_OK;
}

/* --- out ---------------------------------------------------------------- */

/* digits * 10^exponent, the shortest decimal that reads back, and the closest of those. */
struct shortest {
	uint64_t digits;
	int exponent;
};

/* g * cp / 2^128 cut off, the last bit set when what was cut off is not 0 (or the error of g). */
static uint64_t round_to_odd(const struct pow10 *g, uint64_t cp)
{
	cdc_u128 low = (cdc_u128)g->low * cp;
	cdc_u128 high = (cdc_u128)g->high * cp + (uint64_t)(low >> 64);

	return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/*
 * The value is c * 2^q. Everything that reads back as it lies between the middles to its
 * neighbours, which belong to it when c is even. In units of 10^k / 4, where the interval is
 * between 1 and 10 units of 10^k long, that is lower..upper around v; so it holds at most one
 * multiple of 10^(k+1), which if there is one is the shortest, and at least one of 10^k.
 */
static struct shortest find_shortest(uint64_t c, int q, const struct width *width)
{
	/* Below a power of two the numbers are twice as close. */
	bool uneven = c == UINT64_C(1) << (width->bits - 1) && q > width->q_min;
	uint64_t open = c & 1;
	int k = uneven ? floor_log10_three_quarters_pow2(q) : floor_log10_pow2(q);
	int h = q + floor_log2_pow10(-k) + 1;
	const struct pow10 *g = pow10_of(-k);
	uint64_t v = round_to_odd(g, 4 * c << h);
	uint64_t lower = round_to_odd(g, (4 * c - 2 + uneven) << h) + open;
	uint64_t upper = round_to_odd(g, (4 * c + 2) << h) - open;
	uint64_t s = v / 4;
	uint64_t tens = s / 10;
	bool below = lower <= 40 * tens;
	bool above = 40 * tens + 40 <= upper;

	if (s >= 10 && below != above)
		return (struct shortest){ tens + above, k + 1 };
	below = lower <= 4 * s;
	above = 4 * s + 4 <= upper;
	if (below != above)
		return (struct shortest){ s + above, k };
	/* Both read back: the closer, or the even one. */
	above = v > 4 * s + 2 || (v == 4 * s + 2 && (s & 1));
	return (struct shortest){ s + above, k };
}

static void strip_zeros(struct shortest *s)
{
	while (s->digits % 10000 == 0) {
		s->digits /= 10000;
		s->exponent += 4;
	}
	while (s->digits % 10 == 0) {
		s->digits /= 10;
		s->exponent++;
	}
}

/* d.ddd * 10^point, -3 <= point < 7, in plain notation. */
static size_t put_plain(const char *digits, size_t n, int point, char *out)
{
	size_t whole;

	if (point < 0) {
		size_t zeros = (size_t)(-point) - 1;

		memcpy(out, "0.00", 4);
		memcpy(out + 2 + zeros, digits, n);
		return 2 + zeros + n;
	}
	whole = (size_t)point + 1;
	if (n <= whole) {
		memcpy(out, digits, n);
		memset(out + n, '0', whole - n);
		memcpy(out + whole, ".0", 2);
		return whole + 2;
	}
	memcpy(out, digits, whole);
	out[whole] = '.';
	memcpy(out + whole + 1, digits + whole, n - whole);
	return n + 1;
}

/* d.dddE[-]n. */
static size_t put_scientific(const char *digits, size_t n, int point, char *out)
{
	size_t len = 2;

	out[0] = digits[0];
	out[1] = '.';
	if (n > 1)
		memcpy(out + len, digits + 1, n - 1);
	else
		out[len] = '0';
	len += n > 1 ? n - 1 : 1;
	out[len++] = 'E';
	return len + cdc_int64_format(point, out + len);
}

/* The sign and c * 2^q, c not 0. */
static size_t put_finite(bool negative, uint64_t c, int q, const struct width *width, char *out)
{
	struct shortest s = find_shortest(c, q, width);
	char digits[20];
	size_t len = 0;
	size_t n;
	int point;

	strip_zeros(&s);
	n = cdc_uint64_format(s.digits, digits);
	point = s.exponent + (int)n - 1;
	if (negative)
		out[len++] = '-';
	if (point >= -3 && point < 7)
		return len + put_plain(digits, n, point, out + len);
	return len + put_scientific(digits, n, point, out + len);
}

static size_t put_text(const char *text, char *out)
{
	size_t n = strlen(text);

	memcpy(out, text, n);
	return n;
}

/* A whole number below 10^7: the commonest, and no digits to search for. */
static size_t put_whole(double v, char *out)
{
	size_t n = cdc_int64_format((int64_t)v, out);

	memcpy(out + n, ".0", 2);
	return n + 2;
}

/* NaN, the infinities, zeros and small whole numbers; 0 when v is none of them. */
static size_t put_simple(double v, char *out)
{
	if (v == 0)
		return put_text(signbit(v) ? "-0.0" : "0.0", out);
	if (v > -1e7 && v < 1e7)
		return (double)(int32_t)v == v ? put_whole(v, out) : 0;
	if (isnan(v))
		return put_text("NaN", out);
	if (isinf(v))
		return put_text(v < 0 ? "-Infinity" : "Infinity", out);
	return 0;
}

size_t cdc_double_format(double v, char *out)
{
	size_t len = put_simple(v, out);
	uint64_t bits;
	uint64_t c;
	int biased;

	if (len)
		return len;
	memcpy(&bits, &v, sizeof(bits));
	c = bits & ((UINT64_C(1) << 52) - 1);
	biased = (int)(bits >> 52 & 0x7ff);
	if (biased)
		c |= UINT64_C(1) << 52;
	return put_finite(bits >> 63, c, (biased ? biased - 1 : 0) + width_double.q_min,
			  &width_double, out);
}

size_t cdc_float_format(float v, char *out)
{
	size_t len = put_simple((double)v, out);
	uint32_t bits;
	uint32_t c;
	int biased;

	if (len)
		return len;
	memcpy(&bits, &v, sizeof(bits));
	c = bits & ((UINT32_C(1) << 23) - 1);
	biased = (int)(bits >> 23 & 0xff);
	if (biased)
		c |= UINT32_C(1) << 23;
	return put_finite(bits >> 31, c, (biased ? biased - 1 : 0) + width_float.q_min,
			  &width_float, out);
}
