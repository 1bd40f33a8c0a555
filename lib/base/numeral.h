/*
 * The one grammar of numbers with a point or an exponent, shared by decimals and floats. Not for
 * other layers.
 *
 *	[+-] ( digits [. digits*] | . digits ) [ (e|E) [+-] digits ]
 */
#ifndef CDC_BASE_NUMERAL_H
#define CDC_BASE_NUMERAL_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct numeral {
	bool negative;
	const char *digits; /* first significant digit; a '.' may stand among the n digits */
	size_t n; /* significant digits, neither the first nor the last is 0; 0: zero */
	int64_t exponent; /* value = digits * 10^exponent; clamped to about +-10^18 */
};

/* False when the text is no number. */
bool numeral_scan(struct cdc_str s, struct numeral *m);

#endif
