/*
 * Decimals of messages without a schema: by decimal.handling.mode they are base64 of the unscaled
 * number or text, and a text of digits may be both ("1234" is -2658824). What tells them apart is
 * that the number must fit the column's type, and what else stands in the decimals of the table,
 * which are all of one mode.
 */
#include "source/debezium/debezium_int.h"

#include "base/value.h"

#include <string.h>

/* In a column's arg. */
#define SCALE(arg) ((arg)&0xffu)
#define PRECISION(arg) ((arg) >> 8 & 0xffu)
#define IS_UNSIGNED (1u << 16)
#define SEEN_TEXT (1u << 17)
#define SEEN_BASE64 (1u << 18)

#define PRECISION_MAX 65u /* MySQL's, of which the base64 has 40 characters */
#define BASE64_MAX 40u

uint32_t debezium_decimal_arg(uint32_t precision, uint32_t scale, bool is_unsigned)
{
	precision = precision ? precision : 10; /* MySQL's default */
	precision = precision < PRECISION_MAX ? precision : PRECISION_MAX;
	scale = scale < precision ? scale : precision;
	return scale | precision << 8 | (is_unsigned ? IS_UNSIGNED : 0);
}

static bool all_digits(struct cdc_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return s.n > 0;
}

static bool fits_as_digits(struct cdc_str s, uint32_t arg)
{
	uint32_t whole = PRECISION(arg) - SCALE(arg);

	/* Java writes no zeros in front but the one of 0. */
	return s.p[0] == '0' ? s.n == 1 : s.n <= whole;
}

/* Java writes as few bytes as there can be. */
static bool is_shortest(const unsigned char *p, size_t n)
{
	return n == 1 || !((p[0] == 0 && p[1] < 0x80) || (p[0] == 0xff && p[1] >= 0x80));
}

static bool fits_as_base64(struct cdc_str s, uint32_t arg)
{
	char bytes[BASE64_MAX], text[CDC_BIG_DECIMAL_TEXT_MAX];
	size_t n, len;

	if (s.n > BASE64_MAX || cdc_base64_decode(s, bytes, &n) != CDC_PARSE_OK || n == 0 ||
	    !is_shortest((const unsigned char *)bytes, n))
		return false;
	len = cdc_big_decimal_format(cdc_str(bytes, n), 0, text);
	if (text[0] == '-')
		return !(arg & IS_UNSIGNED) && len - 1 <= PRECISION(arg);
	return len <= PRECISION(arg);
}

/* What a text can be: SEEN_TEXT, SEEN_BASE64, both, or 0 for neither. */
static uint32_t readings(struct cdc_str s, uint32_t arg)
{
	/* A point, and a minus also in an exponent, are not in base64. */
	if (memchr(s.p, '.', s.n) || memchr(s.p, '-', s.n))
		return SEEN_TEXT;
	if (!all_digits(s))
		return SEEN_BASE64;
	return (fits_as_digits(s, arg) ? SEEN_TEXT : 0) |
	       (fits_as_base64(s, arg) ? SEEN_BASE64 : 0);
}

void debezium_note_decimals(struct debezium *d, const struct cdc_change_table *t,
			    const uint32_t *value)
{
	for (uint32_t i = 0; i < t->n; i++) {
		struct cdc_change_column *col = &t->col[i];
		struct cdc_str s;
		uint32_t is;

		if (col->as != CDC_CONNECT_DECIMAL_OR_TEXT || value[i] == CDC_JSON_NONE ||
		    !cdc_json_in_is(&d->j, value[i], CDC_JSON_STRING))
			continue;
		s = cdc_json_in_text(&d->j, value[i]);
		is = readings(s, col->arg);
		if (is == SEEN_TEXT || (is == SEEN_BASE64 && fits_as_base64(s, col->arg)))
			col->arg |= is;
	}
}

/* What the decimals of the table were seen to be. */
static uint32_t seen(const struct cdc_change_table *t)
{
	uint32_t all = 0;

	for (uint32_t i = 0; i < t->n; i++) {
		if (t->col[i].as == CDC_CONNECT_DECIMAL_OR_TEXT)
			all |= t->col[i].arg & (SEEN_TEXT | SEEN_BASE64);
	}
	return all;
}

bool debezium_is_base64(struct debezium *d, const struct cdc_change_table *t, uint32_t arg,
			struct cdc_str s, uint32_t *scale)
{
	struct cdc_out *o = &d->j.s->out;
	uint32_t is = readings(s, arg), all = seen(t);

	*scale = SCALE(arg);
	/* Where both were seen the mode was changed: they tell nothing. */
	if (is == (SEEN_TEXT | SEEN_BASE64) && all != 0)
		is = all;
	if (is == 0)
		cdc_out_fail(o, "%.*s fits the column neither as digits nor as base64",
			     (int)(s.n < 40 ? s.n : 40), s.p);
	if (is == (SEEN_TEXT | SEEN_BASE64))
		cdc_out_fail(o,
			     "%.*s may be digits or base64: if decimals come as digits, give the "
			     "column as text in --schema",
			     (int)(s.n < 40 ? s.n : 40), s.p);
	return is == SEEN_BASE64;
}
