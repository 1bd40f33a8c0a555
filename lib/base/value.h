/*
 * Exact conversion between values and their text: integers, decimals, floats, dates and times,
 * booleans, base64. Nothing here depends on the locale, allocates, or passes a decimal through a
 * double. The text forms are those of cdc-record(5).
 *
 * Parsers take the whole slice (no leading or trailing space) and return enum cdc_parse.
 */
#ifndef CDC_BASE_VALUE_H
#define CDC_BASE_VALUE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 cdc_i128;
__extension__ typedef unsigned __int128 cdc_u128;

enum cdc_parse {
	CDC_PARSE_OK = 0,
	CDC_PARSE_SYNTAX, /* not of this type */
	CDC_PARSE_RANGE, /* does not fit */
	CDC_PARSE_INEXACT /* too precise (decimal scale, fraction finer than 1 us) */
};

/* "is not a …"-style words for messages: "malformed", "out of range", "too precise". */
const char *cdc_parse_text(enum cdc_parse p);

/*
 * Integers: [+-]digits. A zero fraction ("323.0", "1e3") is accepted, a non-zero one is INEXACT.
 */
enum cdc_parse cdc_int64_parse(struct cdc_str s, int64_t *out);
enum cdc_parse cdc_uint64_parse(struct cdc_str s, uint64_t *out);

/*
 * Decimals: [+-]digits[.digits][(e|E)[+-]digits] (one side of the point may be empty: Oracle prints
 * ".5") to the unscaled value at `scale`. Trailing zeros
 * beyond the scale are dropped, other digits are INEXACT. |value| must be < 10^precision.
 * precision 1..38, 0 <= scale <= precision.
 */
enum cdc_parse cdc_decimal_parse(struct cdc_str s, int precision, int scale, cdc_i128 *out);

/*
 * Floats: decimal or exponent notation, NaN, Infinity, +Infinity, -Infinity (any case, also inf),
 * rounded to nearest, ties to even. A finite number past the largest is RANGE; one too small is 0.
 */
enum cdc_parse cdc_double_parse(struct cdc_str s, double *out);
enum cdc_parse cdc_float_parse(struct cdc_str s, float *out);

/* true/false, t/f, 1/0, b'0'/b'1', any case. */
enum cdc_parse cdc_bool_parse(struct cdc_str s, bool *out);

/* YYYY-MM-DD to days since 1970-01-01, proleptic Gregorian, real days only. A year may
 * have a sign and up to seven digits. A time of midnight after it (" 00:00:00[.0]") is accepted;
 * another time is INEXACT. A day or time that is well formed but does not exist ("0000-00-00") is
 * RANGE. */
enum cdc_parse cdc_date_parse(struct cdc_str s, int32_t *days);

/*
 * YYYY-MM-DD[(T| )HH:MM[:SS[.f{1,9}]]][Z|(+|-)HH[[:]MM[:SS]]] to microseconds since the epoch.
 * Digits past microseconds must be zero (INEXACT). `zone` tells whether a zone was given; with one,
 * the result is UTC, without one it is the wall clock read as if it were UTC. Also accepts
 * <seconds>[.f{1,9}] (epoch seconds, zone = true) when `epoch` is set.
 */
enum cdc_parse cdc_timestamp_parse(struct cdc_str s, bool epoch, int64_t *us, bool *zone);

/*
 * Printers write at most CDC_VALUE_TEXT_MAX bytes, no NUL, and return the length.
 */
#define CDC_VALUE_TEXT_MAX 64

size_t cdc_int64_format(int64_t v, char *out);
size_t cdc_uint64_format(uint64_t v, char *out);
size_t cdc_decimal_format(cdc_i128 unscaled, int scale, char *out); /* "-0.05", "323.00", "7" */
/* Shortest round trip, with a point: plain for 1e-3 <= |v| < 1e7 ("323.0"), else "1.0E10". */
size_t cdc_double_format(double v, char *out);
size_t cdc_float_format(float v, char *out);
/* 2019-11-14. Years outside 0..9999 have a sign: "+10000-01-01". */
size_t cdc_date_format(int32_t days, char *out);
/* 2019-11-14 03:11:05[.120000 with trailing zeros cut] with sep ' ' and zone "", or …T…Z. */
size_t cdc_timestamp_format(int64_t us, char sep, bool zulu, char *out);
/* The same with exactly `digits` (0, 3 or 6) fraction digits; floor to them. */
size_t cdc_timestamp_format_fixed(int64_t us, char sep, bool zulu, int digits, char *out);

/* Nanoseconds since the epoch: the same with up to nine fraction digits. */
size_t cdc_timestamp_ns_format(cdc_i128 ns, char sep, bool zulu, char *out);
/* Nanoseconds of the day, 0 to 24 hours: "03:11:05[.123456789 with trailing zeros cut]". */
size_t cdc_time_format(int64_t ns, char *out);
/* ISO 8601 in the three units that a Parquet INTERVAL has, none turned into another, those that are
 * 0 left out: "P14M3DT5.006S", "PT0S". */
size_t cdc_interval_format(uint32_t months, uint32_t days, uint32_t milliseconds, char *out);
/* 16 bytes as 8-4-4-4-12 lower case hexadecimal digits. */
size_t cdc_uuid_format(const void *bytes, char *out);

/*
 * A decimal of any length, unscaled, two's complement, big-endian, in plain notation as
 * cdc_decimal_format writes it. Writes at most CDC_BIG_DECIMAL_TEXT_MAX bytes; the value is at most
 * CDC_BIG_DECIMAL_BYTES long, 0 <= scale <= CDC_BIG_DECIMAL_DIGITS. The time is quadratic in the
 * length, which is why there is a limit.
 */
#define CDC_BIG_DECIMAL_BYTES 1024
#define CDC_BIG_DECIMAL_DIGITS 2466 /* of the largest value */
#define CDC_BIG_DECIMAL_TEXT_MAX (CDC_BIG_DECIMAL_DIGITS + 3)
size_t cdc_big_decimal_format(struct cdc_str unscaled, int scale, char *out);

/* Days since the epoch of a civil date, and back. month 1..12, day 1..31. */
int64_t cdc_days_from_civil(int64_t year, int month, int day);
void cdc_civil_from_days(int64_t days, int64_t *year, int *month, int *day);

/* Base64 (RFC 4648, padded). Encode writes 4 * ceil(n / 3) bytes; decode at most 3 * n / 4. */
size_t cdc_base64_encode(const void *p, size_t n, char *out);
enum cdc_parse cdc_base64_decode(struct cdc_str s, void *out, size_t *n);

/* Strict UTF-8: no overlong forms, no surrogates, at most U+10FFFF. */
bool cdc_utf8_valid(const char *p, size_t n);
/* Length of the longest prefix of at most `max` bytes that does not cut a character. */
size_t cdc_utf8_prefix(const char *p, size_t n, size_t max);

/* "64K", "256MiB", "256MB" (the same), "1g", "1000" to bytes; "90s", "5m", "12h", "7d", "2w" to
 * seconds (bare number: seconds). */
enum cdc_parse cdc_size_parse(struct cdc_str s, uint64_t *bytes);
enum cdc_parse cdc_duration_parse(struct cdc_str s, uint64_t *seconds);

#endif
