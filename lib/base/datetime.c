/*
 * Dates and timestamps to and from text: proleptic Gregorian calendar, microseconds.
 */
#include "base/value.h"

#include "base/digits.h"

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY (86400 * US_PER_SECOND)
#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_DAY (86400 * NS_PER_SECOND)

/*
 * The calendar is counted in eras of 400 years that start on 1 March, so that the leap day is the
 * last day of a year and the lengths of the months before it repeat: 153 days in 5 months.
 */
#define DAYS_PER_ERA 146097
#define DAYS_TO_EPOCH 719468 /* from 0000-03-01 to 1970-01-01 */

static int64_t floor_div(int64_t a, int64_t b)
{
	int64_t q = a / b;

	return q - (a % b < 0);
}

int64_t cdc_days_from_civil(int64_t year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = floor_div(y, 400);
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
}

/*
 * By the method of C. Neri and L. Schneider, "Euclidean affine functions and their application to
 * calendar algorithms" (2022): a division by a constant gives quotient and remainder by one
 * multiplication where both are needed. 2939745 / 2^32 is 4 / 1461, the years in a day; 2141 / 2^16
 * is 5 / 153, the months.
 */
void cdc_civil_from_days(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t z = days + DAYS_TO_EPOCH;
	int64_t era = floor_div(z, DAYS_PER_ERA);
	uint32_t quarters = 4 * (uint32_t)(z - era * DAYS_PER_ERA) + 3;
	uint32_t century = quarters / DAYS_PER_ERA;
	uint32_t of_century = quarters % DAYS_PER_ERA | 3; /* in quarters of a day, as above */
	uint64_t years = UINT64_C(2939745) * of_century;
	uint32_t day_of_year = (uint32_t)years / 2939745 / 4;
	uint32_t months = 2141 * day_of_year + 197913; /* March is 3, February 14 */
	bool next = day_of_year >= 306; /* January and February */

	*day = (int)((months & 0xffff) / 2141 + 1);
	*month = (int)(months >> 16) - (next ? 12 : 0);
	*year = era * 400 + 100 * century + (int64_t)(years >> 32) + next;
}

/* --- in ----------------------------------------------------------------- */

struct cursor {
	const char *p;
	const char *end;
};

static size_t left(const struct cursor *c)
{
	return (size_t)(c->end - c->p);
}

static bool at(const struct cursor *c, char ch)
{
	return c->p < c->end && *c->p == ch;
}

static bool take_2(struct cursor *c, int *out)
{
	unsigned a;
	unsigned b;

	if (left(c) < 2)
		return false;
	a = digit_value(c->p[0]);
	b = digit_value(c->p[1]);
	if (a > 9 || b > 9)
		return false;
	*out = (int)(a * 10 + b);
	c->p += 2;
	return true;
}

static bool take_char(struct cursor *c, char ch)
{
	if (!at(c, ch))
		return false;
	c->p++;
	return true;
}

/* Four to seven digits, with a sign or without: Databricks wrote 10000 where we print +10000. */
static bool take_year(struct cursor *c, int *out)
{
	bool minus = at(c, '-');
	bool sign = minus || at(c, '+');
	int digits = 0;
	int year = 0;

	c->p += sign;
	for (; digits < 7 && c->p < c->end && is_digit(*c->p); digits++)
		year = year * 10 + (int)digit_value(*c->p++);
	*out = minus ? -year : year;
	return digits >= 4;
}

static int days_in_month(int year, int month)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* YYYY-MM-DD. */
static enum cdc_parse take_date(struct cursor *c, int64_t *days)
{
	int year;
	int month;
	int day;

	if (!take_year(c, &year) || !take_char(c, '-') || !take_2(c, &month) ||
	    !take_char(c, '-') || !take_2(c, &day))
		return CDC_PARSE_SYNTAX;
	if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return CDC_PARSE_RANGE;
	*days = cdc_days_from_civil(year, month, day);
	return CDC_PARSE_OK;
}

/*
 * .f{1,9} to nanoseconds, when there is a point. The ninth digit is the last: databases know no
 * finer time.
 */
static bool take_fraction(struct cursor *c, int64_t *ns)
{
	int64_t v = 0;
	int n = 0;

	*ns = 0;
	if (!take_char(c, '.'))
		return true;
	for (; n < 9 && c->p < c->end && is_digit(*c->p); n++)
		v = v * 10 + (int64_t)digit_value(*c->p++);
	if (n == 0)
		return false;
	for (; n < 9; n++)
		v *= 10;
	*ns = v;
	return true;
}

/* HH:MM[:SS[.f]] to nanoseconds of the day. */
static enum cdc_parse take_time(struct cursor *c, int64_t *ns)
{
	int hour;
	int minute;
	int second = 0;
	int64_t fraction = 0;

	if (!take_2(c, &hour) || !take_char(c, ':') || !take_2(c, &minute))
		return CDC_PARSE_SYNTAX;
	if (take_char(c, ':') && (!take_2(c, &second) || !take_fraction(c, &fraction)))
		return CDC_PARSE_SYNTAX;
	if (hour > 23 || minute > 59 || second > 59)
		return CDC_PARSE_RANGE;
	*ns = ((hour * 60 + minute) * INT64_C(60) + second) * 1000000000 + fraction;
	return CDC_PARSE_OK;
}

/*
 * Z or (+|-)HH[[:]MM[:SS]], seconds east of UTC. Seconds occur: PostgreSQL prints the local mean
 * time that zones had before they were zones.
 */
static enum cdc_parse take_zone(struct cursor *c, int64_t *seconds)
{
	bool colon;
	bool west;
	int h;
	int m = 0;
	int s = 0;

	*seconds = 0;
	if (take_char(c, 'Z'))
		return CDC_PARSE_OK;
	west = at(c, '-');
	if (!west && !at(c, '+'))
		return CDC_PARSE_SYNTAX;
	c->p++;
	if (!take_2(c, &h))
		return CDC_PARSE_SYNTAX;
	colon = take_char(c, ':');
	if ((colon || left(c)) && !take_2(c, &m))
		return CDC_PARSE_SYNTAX;
	if (left(c) && (!take_char(c, ':') || !take_2(c, &s)))
		return CDC_PARSE_SYNTAX;
	if (h > 18 || m > 59 || s > 59)
		return CDC_PARSE_RANGE;
	*seconds = (h * 60 + m) * INT64_C(60) + s;
	if (west)
		*seconds = -*seconds;
	return CDC_PARSE_OK;
}

enum cdc_parse cdc_date_parse(struct cdc_str s, int32_t *days)
{
	struct cursor c = { s.p, s.p + s.n };
	enum cdc_parse rc;
	int64_t d;
	int64_t ns = 0;

	if (s.n == 0)
		return CDC_PARSE_SYNTAX;
	rc = take_date(&c, &d);
	if (rc != CDC_PARSE_OK)
		return rc;
	if (left(&c)) {
		if (!take_char(&c, ' ') && !take_char(&c, 'T'))
			return CDC_PARSE_SYNTAX;
		rc = take_time(&c, &ns);
		if (rc != CDC_PARSE_OK)
			return rc;
	}
	if (left(&c))
		return CDC_PARSE_SYNTAX;
	if (ns)
		return CDC_PARSE_INEXACT;
	if (d < INT32_MIN || d > INT32_MAX)
		return CDC_PARSE_RANGE;
	*days = (int32_t)d;
	return CDC_PARSE_OK;
}

/* [+-]digits[.f{1,9}], seconds since the epoch. */
static enum cdc_parse parse_epoch(struct cdc_str s, int64_t *us)
{
	struct cursor c = { s.p, s.p + s.n };
	const char *first;
	bool negative;
	bool wide = false;
	int64_t seconds = 0;
	int64_t ns;

	negative = at(&c, '-');
	if (negative || at(&c, '+'))
		c.p++;
	for (first = c.p; c.p < c.end && is_digit(*c.p); c.p++)
		wide |= __builtin_mul_overflow(seconds, 10, &seconds) ||
			__builtin_add_overflow(seconds, (int64_t)digit_value(*c.p), &seconds);
	if (c.p == first || !take_fraction(&c, &ns) || left(&c))
		return CDC_PARSE_SYNTAX;
	if (ns % 1000)
		return CDC_PARSE_INEXACT;
	if (wide || __builtin_mul_overflow(negative ? -seconds : seconds, US_PER_SECOND, us) ||
	    __builtin_add_overflow(*us, negative ? -(ns / 1000) : ns / 1000, us))
		return CDC_PARSE_RANGE;
	return CDC_PARSE_OK;
}

/* Does the text start as YYYY- does? Otherwise it may be a number of seconds. */
static bool looks_civil(struct cdc_str s)
{
	struct cursor c = { s.p, s.p + s.n };
	int year;

	return take_year(&c, &year) && at(&c, '-');
}

enum cdc_parse cdc_timestamp_parse(struct cdc_str s, bool epoch, int64_t *us, bool *zone)
{
	struct cursor c = { s.p, s.p + s.n };
	enum cdc_parse rc;
	int64_t days;
	int64_t ns = 0;
	int64_t east = 0;
	cdc_i128 v;
	bool zoned = false;

	if (s.n == 0)
		return CDC_PARSE_SYNTAX;
	if (epoch && !looks_civil(s)) {
		*zone = true;
		return parse_epoch(s, us);
	}
	rc = take_date(&c, &days);
	if (rc == CDC_PARSE_OK && (take_char(&c, ' ') || take_char(&c, 'T')))
		rc = take_time(&c, &ns);
	if (rc == CDC_PARSE_OK && left(&c)) {
		zoned = true;
		rc = take_zone(&c, &east);
	}
	if (rc != CDC_PARSE_OK)
		return rc;
	if (left(&c))
		return CDC_PARSE_SYNTAX;
	if (ns % 1000)
		return CDC_PARSE_INEXACT;
	v = (cdc_i128)days * US_PER_DAY + ns / 1000 - east * US_PER_SECOND;
	if (v < INT64_MIN || v > INT64_MAX)
		return CDC_PARSE_RANGE;
	*us = (int64_t)v;
	*zone = zoned;
	return CDC_PARSE_OK;
}

/* --- out ---------------------------------------------------------------- */

/* Years outside 0..9999 are written with a sign, as in ISO 8601's expanded form. */
static size_t put_year(int64_t year, char *out)
{
	uint64_t y = (uint64_t)(year < 0 ? -year : year);
	size_t n;

	if (year >= 0 && year <= 9999) {
		put_2_digits(out, (unsigned)year / 100);
		put_2_digits(out + 2, (unsigned)year % 100);
		return 4;
	}
	out[0] = year < 0 ? '-' : '+';
	n = count_digits(y);
	if (n < 4)
		n = 4;
	put_digits(out + 1, y, n);
	return 1 + n;
}

static size_t put_date(int64_t days, char *out)
{
	int64_t year;
	int month;
	int day;
	size_t len;

	cdc_civil_from_days(days, &year, &month, &day);
	len = put_year(year, out);
	out[len] = '-';
	put_2_digits(out + len + 1, (unsigned)month);
	out[len + 3] = '-';
	put_2_digits(out + len + 4, (unsigned)day);
	return len + 6;
}

static inline size_t put_time(uint32_t second_of_day, char *out)
{
	put_2_digits(out, second_of_day / 3600);
	out[2] = ':';
	put_2_digits(out + 3, second_of_day / 60 % 60);
	out[5] = ':';
	put_2_digits(out + 6, second_of_day % 60);
	return 8;
}

size_t cdc_date_format(int32_t days, char *out)
{
	return put_date(days, out);
}

/* Date, separator and whole seconds; what is left of the second goes to `fraction`. */
static size_t put_seconds(int64_t us, char sep, char *out, uint32_t *fraction)
{
	int64_t of_day = us % US_PER_DAY;
	size_t len;

	if (of_day < 0)
		of_day += US_PER_DAY;
	len = put_date(floor_div(us, US_PER_DAY), out);

	out[len++] = sep;
	len += put_time((uint32_t)(of_day / US_PER_SECOND), out + len);
	*fraction = (uint32_t)(of_day % US_PER_SECOND);
	return len;
}

/* A point and the digits of a fraction but for its trailing zeros; nothing for 0. */
static inline size_t put_fraction(uint32_t fraction, size_t digits, char *out)
{
	size_t len = digits + 1;

	if (!fraction)
		return 0;
	out[0] = '.';
	put_digits(out + 1, fraction, digits);
	while (out[len - 1] == '0')
		len--;
	return len;
}

size_t cdc_timestamp_format(int64_t us, char sep, bool zulu, char *out)
{
	uint32_t fraction;
	size_t len = put_seconds(us, sep, out, &fraction);

	len += put_fraction(fraction, 6, out + len);
	if (zulu)
		out[len++] = 'Z';
	return len;
}

size_t cdc_timestamp_format_fixed(int64_t us, char sep, bool zulu, int digits, char *out)
{
	uint32_t fraction;
	size_t len = put_seconds(us, sep, out, &fraction);

	if (digits > 0) {
		size_t n = digits == 3 ? 3 : 6;

		out[len++] = '.';
		put_digits(out + len, n == 3 ? fraction / 1000 : fraction, n);
		len += n;
	}
	if (zulu)
		out[len++] = 'Z';
	return len;
}

size_t cdc_time_format(int64_t ns, char *out)
{
	size_t len = put_time((uint32_t)(ns / NS_PER_SECOND), out);

	return len + put_fraction((uint32_t)(ns % NS_PER_SECOND), 9, out + len);
}

size_t cdc_timestamp_ns_format(cdc_i128 ns, char sep, bool zulu, char *out)
{
	int64_t of_day = (int64_t)(ns % NS_PER_DAY);
	size_t len = put_date((int64_t)(ns / NS_PER_DAY) - (of_day < 0), out);

	if (of_day < 0)
		of_day += NS_PER_DAY;
	out[len++] = sep;
	len += cdc_time_format(of_day, out + len);
	if (zulu)
		out[len++] = 'Z';
	return len;
}

size_t cdc_interval_format(uint32_t months, uint32_t days, uint32_t milliseconds, char *out)
{
	size_t len = 1;

	out[0] = 'P';
	if (months) {
		len += cdc_uint64_format(months, out + len);
		out[len++] = 'M';
	}
	if (days) {
		len += cdc_uint64_format(days, out + len);
		out[len++] = 'D';
	}
	if (milliseconds || (!months && !days)) {
		out[len++] = 'T';
		len += cdc_uint64_format(milliseconds / 1000, out + len);
		len += put_fraction(milliseconds % 1000, 3, out + len);
		out[len++] = 'S';
	}
	return len;
}
