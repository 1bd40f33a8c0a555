/*
 * Decimals to and from text, exactly: all arithmetic is on 128-bit integers.
 */
#include "base/value.h"

#include "base/digits.h"
#include "base/numeral.h"

#define PRECISION_MAX 38

/* Ten to the 18 is the largest power of ten whose multiples' digits fit put_digits at once. */
#define CHUNK_DIGITS 18
#define CHUNK UINT64_C(1000000000000000000)

static const uint64_t pow10_64[CHUNK_DIGITS + 1] = {
	UINT64_C(1),
	UINT64_C(10),
	UINT64_C(100),
	UINT64_C(1000),
	UINT64_C(10000),
	UINT64_C(100000),
	UINT64_C(1000000),
	UINT64_C(10000000),
	UINT64_C(100000000),
	UINT64_C(1000000000),
	UINT64_C(10000000000),
	UINT64_C(100000000000),
	UINT64_C(1000000000000),
	UINT64_C(10000000000000),
	UINT64_C(100000000000000),
	UINT64_C(1000000000000000),
	UINT64_C(10000000000000000),
	UINT64_C(100000000000000000),
	UINT64_C(1000000000000000000),
};

/* n in 0..38. */
static cdc_u128 pow10_128(int n)
{
	if (n <= CHUNK_DIGITS)
		return pow10_64[n];
	if (n <= 2 * CHUNK_DIGITS)
		return (cdc_u128)CHUNK * pow10_64[n - CHUNK_DIGITS];
	return (cdc_u128)CHUNK * CHUNK * pow10_64[n - 2 * CHUNK_DIGITS];
}

/* The first n significant digits as an integer; n <= 38. */
static cdc_u128 take_digits(const struct numeral *m, size_t n)
{
	const char *p = m->digits;
	cdc_u128 v = 0;

	while (n) {
		size_t chunk = n < CHUNK_DIGITS ? n : CHUNK_DIGITS;
		uint64_t part = 0;

		for (size_t i = 0; i < chunk; p++) {
			if (*p == '.')
				continue;
			part = part * 10 + digit_value(*p);
			i++;
		}
		v = v * pow10_64[chunk] + part;
		n -= chunk;
	}
	return v;
}

/*
 * [-]digits[.digits] that fits 18 digits at the scale without dropping any: nearly every decimal
 * there is, in one pass. False when the text is anything else, good or bad.
 */
static bool parse_short(struct cdc_str s, int precision, int scale, cdc_i128 *out)
{
	bool negative = s.n && s.p[0] == '-';
	size_t start = negative;
	size_t point = s.n;
	size_t places;
	uint64_t v = 0;

	if (s.n - start == 0 || s.n - start > CHUNK_DIGITS)
		return false;
	for (size_t i = start; i < s.n; i++) {
		unsigned d = digit_value(s.p[i]);

		if (d <= 9)
			v = v * 10 + d;
		else if (s.p[i] == '.' && point == s.n && i > start)
			point = i;
		else
			return false;
	}
	places = point < s.n ? s.n - point - 1 : 0;
	if (places > (size_t)scale || point - start + (size_t)scale > CHUNK_DIGITS)
		return false;
	v *= pow10_64[(size_t)scale - places];
	if (precision < CHUNK_DIGITS && v >= pow10_64[precision])
		return false;
	*out = negative ? -(cdc_i128)v : (cdc_i128)v;
	return true;
}

enum cdc_parse cdc_decimal_parse(struct cdc_str s, int precision, int scale, cdc_i128 *out)
{
	struct numeral m;
	cdc_u128 v;
	int64_t shift;
	int64_t kept;

	if (precision < 1 || precision > PRECISION_MAX || scale < 0 || scale > precision)
		return CDC_PARSE_RANGE;
	if (parse_short(s, precision, scale, out))
		return CDC_PARSE_OK;
	if (!numeral_scan(s, &m))
		return CDC_PARSE_SYNTAX;
	if (m.n == 0) {
		*out = 0;
		return CDC_PARSE_OK;
	}
	/* The value is digits * 10^exponent; the result is digits * 10^shift. The last significant
	 * digit is not 0, so a negative shift drops something that matters. */
	shift = m.exponent + scale;
	kept = (int64_t)m.n + shift;
	if (kept > precision)
		return CDC_PARSE_RANGE;
	if (shift < 0)
		return CDC_PARSE_INEXACT;
	v = take_digits(&m, m.n) * pow10_128((int)shift);
	*out = m.negative ? -(cdc_i128)v : (cdc_i128)v;
	return CDC_PARSE_OK;
}

/* All digits of v, no leading zeros but for 0 itself; returns how many. */
static size_t put_u128(char *out, cdc_u128 v)
{
	uint64_t part[3];
	size_t n = 0;
	size_t len;

	do {
		part[n++] = (uint64_t)(v % CHUNK);
		v /= CHUNK;
	} while (v);
	len = cdc_uint64_format(part[--n], out);
	while (n) {
		put_digits(out + len, part[--n], CHUNK_DIGITS);
		len += CHUNK_DIGITS;
	}
	return len;
}

/* The digits of an unscaled value with the point where the scale wants it. */
static inline size_t put_plain(bool negative, const char *digits, size_t n, int scale, char *out)
{
	size_t places = scale > 0 ? (size_t)scale : 0;
	size_t len = 0;

	if (negative)
		out[len++] = '-';
	if (n <= places) {
		out[len++] = '0';
		out[len++] = '.';
		memset(out + len, '0', places - n);
		len += places - n;
		memcpy(out + len, digits, n);
		return len + n;
	}
	memcpy(out + len, digits, n - places);
	len += n - places;
	if (places) {
		out[len++] = '.';
		memcpy(out + len, digits + n - places, places);
		len += places;
	}
	return len;
}

size_t cdc_decimal_format(cdc_i128 unscaled, int scale, char *out)
{
	cdc_u128 v = unscaled < 0 ? 0 - (cdc_u128)unscaled : (cdc_u128)unscaled;
	char digits[40];
	size_t n;

	n = v <= UINT64_MAX ? cdc_uint64_format((uint64_t)v, digits) : put_u128(digits, v);
	return put_plain(unscaled < 0, digits, n, scale, out);
}

/* --- decimals of any length ---------------------------------------------- */

#define LIMB_BYTES sizeof(uint32_t)
#define LIMBS_MAX (CDC_BIG_DECIMAL_BYTES / LIMB_BYTES)
#define LIMB_DIGITS 9
#define LIMB_CHUNK UINT32_C(1000000000)

/* The magnitude of a big-endian two's complement number in limbs, the lowest first. Its bytes are
 * read from the last one; a negative number is inverted and one added on the way. */
static size_t take_magnitude(struct cdc_str s, bool negative, uint32_t *limb)
{
	uint8_t flip = negative ? 0xff : 0;
	uint32_t carry = negative;
	size_t n = (s.n + LIMB_BYTES - 1) / LIMB_BYTES;

	memset(limb, 0, n * LIMB_BYTES);
	for (size_t i = 0; i < s.n; i++) {
		uint32_t byte = ((uint8_t)s.p[s.n - 1 - i] ^ flip) + carry;

		carry = byte >> 8;
		limb[i / LIMB_BYTES] |= (byte & 0xff) << 8 * (i % LIMB_BYTES);
	}
	return n;
}

/* Divide by 10^9 in place; the remainder is returned. */
static uint32_t divide_limbs(uint32_t *limb, size_t n)
{
	uint64_t rest = 0;

	while (n--) {
		uint64_t v = rest << 32 | limb[n];

		limb[n] = (uint32_t)(v / LIMB_CHUNK);
		rest = v % LIMB_CHUNK;
	}
	return (uint32_t)rest;
}

size_t cdc_big_decimal_format(struct cdc_str unscaled, int scale, char *out)
{
	uint32_t limb[LIMBS_MAX];
	char digits[CDC_BIG_DECIMAL_DIGITS + LIMB_DIGITS];
	char *const end = digits + sizeof(digits);
	char *start = end;
	bool negative = unscaled.n && (unsigned char)unscaled.p[0] & 0x80;
	size_t n = take_magnitude(unscaled, negative, limb);

	for (;;) {
		while (n && !limb[n - 1])
			n--;
		if (!n)
			break;
		start -= LIMB_DIGITS;
		put_digits(start, divide_limbs(limb, n), LIMB_DIGITS);
	}
	while (start < end && *start == '0')
		start++;
	if (start == end)
		*--start = '0';
	return put_plain(negative, start, (size_t)(end - start), scale, out);
}
