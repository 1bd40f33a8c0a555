/*
 * Decimal digits for the printers and parsers of this layer: not for other layers.
 */
#ifndef CDC_BASE_DIGITS_H
#define CDC_BASE_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

extern const char cdc_digit_pairs[201]; /* "00" "01" … "99" */

static inline bool is_digit(char c)
{
	return (unsigned char)(c - '0') <= 9;
}

static inline unsigned digit_value(char c)
{
	return (unsigned char)(c - '0');
}

static inline char digit_char(unsigned v)
{
	return (char)('0' + v);
}

/* v in 0..99, always two digits. */
static inline void put_2_digits(char *out, unsigned v)
{
	memcpy(out, cdc_digit_pairs + 2 * v, 2);
}

/* Exactly n digits of v, which has no more than that. */
static inline void put_digits(char *out, uint64_t v, size_t n)
{
	while (n >= 2) {
		n -= 2;
		put_2_digits(out + n, (unsigned)(v % 100));
		v /= 100;
	}
	if (n)
		out[0] = digit_char((unsigned)v);
}

/* Decimal digits of v; 1 for 0. */
static inline size_t count_digits(uint64_t v)
{
	size_t n = 1;

	for (;;) {
		if (v < 10)
			return n;
		if (v < 100)
			return n + 1;
		if (v < 1000)
			return n + 2;
		if (v < 10000)
			return n + 3;
		v /= 10000;
		n += 4;
	}
}

#endif
