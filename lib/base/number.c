/*
 * Integers and booleans to and from text.
 */
#include "base/value.h"

#include "base/digits.h"

#define PAIRS(d) #d "0" #d "1" #d "2" #d "3" #d "4" #d "5" #d "6" #d "7" #d "8" #d "9"

_Static_assert(sizeof(PAIRS(0)) == 21, "ten pairs a row");

const char cdc_digit_pairs[201] =
	PAIRS(0) PAIRS(1) PAIRS(2) PAIRS(3) PAIRS(4) PAIRS(5) PAIRS(6) PAIRS(7) PAIRS(8) PAIRS(9);

/* Any run of this many digits fits 64 bits without a check. */
#define SAFE_DIGITS 18

const char *cdc_parse_text(enum cdc_parse p)
{
	switch (p) {
	case CDC_PARSE_OK:
		return "good";
	case CDC_PARSE_SYNTAX:
		return "malformed";
	case CDC_PARSE_RANGE:
		return "out of range";
	case CDC_PARSE_INEXACT:
		return "too precise";
	}
	return "malformed";
}

/*
 * Sign and up to SAFE_DIGITS digits, which is nearly every integer there is. False when the text is
 * anything else, good or bad: cdc_decimal_parse then decides.
 */
static bool parse_short(struct cdc_str s, bool *negative, uint64_t *magnitude)
{
	const char *p = s.p;
	const char *end = s.p + s.n;
	uint64_t v = 0;

	*negative = false;
	if (p < end && (*p == '-' || *p == '+'))
		*negative = *p++ == '-';
	if (p == end || end - p > SAFE_DIGITS)
		return false;
	for (; p < end; p++) {
		unsigned d = digit_value(*p);

		if (d > 9)
			return false;
		v = v * 10 + d;
	}
	*magnitude = v;
	return true;
}

enum cdc_parse cdc_int64_parse(struct cdc_str s, int64_t *out)
{
	enum cdc_parse rc;
	bool negative;
	uint64_t v;
	cdc_i128 wide;

	if (s.n == 0)
		return CDC_PARSE_SYNTAX;
	if (parse_short(s, &negative, &v)) {
		*out = negative ? -(int64_t)v : (int64_t)v;
		return CDC_PARSE_OK;
	}
	rc = cdc_decimal_parse(s, 38, 0, &wide);
	if (rc != CDC_PARSE_OK)
		return rc;
	if (wide < INT64_MIN || wide > INT64_MAX)
		return CDC_PARSE_RANGE;
	*out = (int64_t)wide;
	return CDC_PARSE_OK;
}

enum cdc_parse cdc_uint64_parse(struct cdc_str s, uint64_t *out)
{
	enum cdc_parse rc;
	bool negative;
	uint64_t v;
	cdc_i128 wide;

	if (s.n == 0)
		return CDC_PARSE_SYNTAX;
	if (parse_short(s, &negative, &v)) {
		if (negative && v)
			return CDC_PARSE_RANGE;
		*out = v;
		return CDC_PARSE_OK;
	}
	rc = cdc_decimal_parse(s, 38, 0, &wide);
	if (rc != CDC_PARSE_OK)
		return rc;
	if (wide < 0 || wide > UINT64_MAX)
		return CDC_PARSE_RANGE;
	*out = (uint64_t)wide;
	return CDC_PARSE_OK;
}

enum cdc_parse cdc_bool_parse(struct cdc_str s, bool *out)
{
	static const struct {
		struct cdc_str text;
		bool value;
	} words[] = {
		{ { "true", 4 }, true }, { { "false", 5 }, false }, { { "1", 1 }, true },
		{ { "0", 1 }, false },	 { { "t", 1 }, true },	    { { "f", 1 }, false },
		{ { "b'1'", 4 }, true }, { { "b'0'", 4 }, false },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (cdc_str_ieq(s, words[i].text)) {
			*out = words[i].value;
			return CDC_PARSE_OK;
		}
	}
	return CDC_PARSE_SYNTAX;
}

size_t cdc_uint64_format(uint64_t v, char *out)
{
	size_t n = count_digits(v);

	put_digits(out, v, n);
	return n;
}

size_t cdc_int64_format(int64_t v, char *out)
{
	if (v >= 0)
		return cdc_uint64_format((uint64_t)v, out);
	out[0] = '-';
	return 1 + cdc_uint64_format(0 - (uint64_t)v, out + 1);
}
