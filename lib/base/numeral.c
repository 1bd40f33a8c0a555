/*
 * Scanning the text of a number into sign, significant digits and exponent.
 */
#include "base/numeral.h"

#include "base/digits.h"

/* Past any exponent that a value of a type of ours can have, and far from overflow when added up.
 */
#define EXPONENT_MAX INT64_C(1000000000000000000)

/* [+-]digits up to the end of the text. */
static bool scan_exponent(const char *p, const char *end, int64_t *out)
{
	bool negative = false;
	int64_t e = 0;

	if (p < end && (*p == '+' || *p == '-'))
		negative = *p++ == '-';
	if (p == end)
		return false;
	for (; p < end; p++) {
		if (!is_digit(*p))
			return false;
		if (e < EXPONENT_MAX / 10)
			e = e * 10 + (int64_t)digit_value(*p);
		else
			e = EXPONENT_MAX;
	}
	*out = negative ? -e : e;
	return true;
}

/*
 * The mantissa: digits with at most one point. `first` and `last` receive the outermost digits that
 * are not 0 (NULL: all are), `point` the point (NULL: none).
 */
static const char *scan_mantissa(const char *p, const char *end, const char **first,
				 const char **last, const char **point)
{
	bool any = false;

	*first = *last = *point = NULL;
	for (; p < end; p++) {
		if (is_digit(*p)) {
			any = true;
			if (*p == '0')
				continue;
			if (!*first)
				*first = p;
			*last = p;
		} else if (*p == '.' && !*point) {
			*point = p;
		} else {
			break;
		}
	}
	return any ? p : NULL;
}

bool numeral_scan(struct cdc_str s, struct numeral *m)
{
	const char *p = s.p;
	const char *end = s.p + s.n;
	const char *last;
	const char *point;
	int64_t e = 0;

	*m = (struct numeral){ .digits = s.p };
	if (s.n == 0)
		return false;
	if (*p == '+' || *p == '-')
		m->negative = *p++ == '-';
	p = scan_mantissa(p, end, &m->digits, &last, &point);
	if (!p)
		return false;
	if (!point)
		point = p;
	if (p < end && ((*p != 'e' && *p != 'E') || !scan_exponent(p + 1, end, &e)))
		return false;
	if (!m->digits)
		return true;
	/* Digits from first to last, less the point when it lies between them. */
	m->n = (size_t)(last - m->digits) + 1 - (size_t)(m->digits < point && point < last);
	m->exponent = e + (last < point ? point - last - 1 : -(last - point));
	return true;
}
