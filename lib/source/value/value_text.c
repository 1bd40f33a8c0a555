/* Canonical text of values. */
#include "source/value/value_text.h"

#include "base/value.h"
#include "source/value/zone.h"

#define SECOND_US INT64_C(1000000)
#define SECOND_NS INT64_C(1000000000)
/* Years 0000 to 9999. */
#define SECONDS_MIN (-62167219200)
#define SECONDS_MAX 253402300799

/* Room for a quoted value whose text is printed where it belongs; NULL after a failure. */
static char *begin(struct cdc_out *o)
{
	char *p = cdc_out_room(o, CDC_VALUE_TEXT_MAX + 2);

	if (!p)
		return NULL;
	*p = '"';
	return p + 1;
}

/* Its text of n bytes is there. */
static void end(struct cdc_out *o, size_t n)
{
	o->buf.p[o->buf.len + 1 + n] = '"';
	o->buf.len += n + 2;
}

static void put(struct cdc_out *o, const char *text, size_t n)
{
	char *p = cdc_out_room(o, n + 2);

	if (!p)
		return;
	p[0] = '"';
	memcpy(p + 1, text, n);
	p[n + 1] = '"';
	o->buf.len += n + 2;
}

/* --- numbers ------------------------------------------------------------ */

/* Digits of a number in scientific notation, and where its point is; false: not one. */
static bool split_scientific(struct cdc_str s, struct cdc_str *whole, struct cdc_str *fraction,
			     int64_t *exponent)
{
	size_t e = 0, dot;

	while (e < s.n && s.p[e] != 'e' && s.p[e] != 'E')
		e++;
	if (e == s.n ||
	    cdc_int64_parse(cdc_str(s.p + e + 1, s.n - e - 1), exponent) != CDC_PARSE_OK)
		return false;
	for (dot = 0; dot < e && s.p[dot] != '.'; dot++)
		;
	*whole = cdc_str(s.p, dot);
	*fraction = dot < e ? cdc_str(s.p + dot + 1, e - dot - 1) : cdc_str(s.p + e, 0);
	if (whole->n + fraction->n == 0)
		return false;
	for (size_t i = 0; i < whole->n + fraction->n; i++) {
		char c = i < whole->n ? whole->p[i] : fraction->p[i - whole->n];

		if (c < '0' || c > '9')
			return false;
	}
	return true;
}

/* Java writes 0.00000000 as 0E-8; a change record has plain notation only. */
#define EXPONENT_MAX 1000

/* Digit i of the two parts together; 0 before and after them. */
static char digit_at(struct cdc_str whole, struct cdc_str fraction, int64_t i)
{
	if (i < 0 || i >= (int64_t)(whole.n + fraction.n))
		return '0';
	return (size_t)i < whole.n ? whole.p[i] : fraction.p[(size_t)i - whole.n];
}

static bool print_scientific(struct cdc_out *o, struct cdc_str s)
{
	struct cdc_str sign = cdc_str(s.p, s.n && (s.p[0] == '-' || s.p[0] == '+'));
	struct cdc_str whole, fraction;
	int64_t exponent, point, n, from = 0;

	if (!split_scientific(cdc_str(s.p + sign.n, s.n - sign.n), &whole, &fraction, &exponent) ||
	    exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX)
		return false;
	point = (int64_t)whole.n + exponent;
	n = (int64_t)(whole.n + fraction.n);
	while (from < point - 1 && digit_at(whole, fraction, from) == '0')
		from++;
	cdc_out_char(o, '"');
	if (sign.n && sign.p[0] == '-')
		cdc_out_char(o, '-');
	if (point <= 0) {
		cdc_out_char(o, '0');
		from = point;
	}
	for (int64_t i = from; i < n || i < point; i++) {
		if (i == point)
			cdc_out_char(o, '.');
		cdc_out_char(o, digit_at(whole, fraction, i));
	}
	cdc_out_char(o, '"');
	return true;
}

void cdc_text_decimal(struct cdc_out *o, struct cdc_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((s.p[i] | 0x20) == 'e') {
			if (!print_scientific(o, s))
				cdc_out_quoted(o, s);
			return;
		}
	}
	cdc_out_quoted(o, s);
}

void cdc_text_double(struct cdc_out *o, double v, bool single)
{
	char *p = begin(o);

	if (!p)
		return;
	/* A float that was widened on its way has a shorter form of its own. */
	if (single && (v != v || (double)(float)v == v))
		end(o, cdc_float_format((float)v, p));
	else
		end(o, cdc_double_format(v, p));
}

/* Does the text of a single read back as the double? */
static bool says(const char *text, size_t n, double d)
{
	double back;

	return cdc_double_parse(cdc_str(text, n), &back) == CDC_PARSE_OK && back == d;
}

void cdc_text_float(struct cdc_out *o, struct cdc_str s, bool single)
{
	double d;
	float f;

	if (single && cdc_float_parse(s, &f) == CDC_PARSE_OK)
		cdc_text_double(o, (double)f, true);
	else if (!single && cdc_double_parse(s, &d) == CDC_PARSE_OK)
		cdc_text_double(o, d, false);
	else
		cdc_out_quoted(o, s);
}

void cdc_text_float_or_double(struct cdc_out *o, struct cdc_str s)
{
	char text[CDC_VALUE_TEXT_MAX];
	double d;
	float f;
	bool single;

	if (cdc_double_parse(s, &d) != CDC_PARSE_OK) {
		cdc_out_quoted(o, s);
		return;
	}
	single = cdc_float_parse(s, &f) == CDC_PARSE_OK &&
		 ((double)f == d || d != d || says(text, cdc_float_format(f, text), d));
	cdc_text_double(o, single ? (double)f : d, single);
}

void cdc_text_unscaled(struct cdc_out *o, struct cdc_str bytes, int64_t scale)
{
	static const char too_long[] = "a decimal has more digits than are read here";
	char text[CDC_BIG_DECIMAL_TEXT_MAX];

	/* A negative scale counts zeros before the point. */
	if (scale < 0) {
		if (scale < -CDC_BIG_DECIMAL_DIGITS || bytes.n > 16) {
			cdc_out_fail(o, "%s", too_long);
			return;
		}
	} else if (bytes.n > CDC_BIG_DECIMAL_BYTES || scale > CDC_BIG_DECIMAL_DIGITS) {
		cdc_out_fail(o, "%s", too_long);
		return;
	}
	if (bytes.n == 0) {
		cdc_out_fail(o, "a decimal has no bytes");
		return;
	}
	if (scale >= 0) {
		put(o, text, cdc_big_decimal_format(bytes, (int)scale, text));
		return;
	}
	cdc_out_char(o, '"');
	cdc_out_raw(o, cdc_str(text, cdc_big_decimal_format(bytes, 0, text)));
	for (int64_t i = text[0] == '0' ? 0 : scale; i < 0; i++)
		cdc_out_char(o, '0');
	cdc_out_char(o, '"');
}

void cdc_text_bool(struct cdc_out *o, struct cdc_str s)
{
	bool v;

	if (cdc_bool_parse(s, &v) == CDC_PARSE_OK)
		cdc_out_raw(o, v ? CDC_STR("\"true\"") : CDC_STR("\"false\""));
	else
		cdc_out_quoted(o, s);
}

/* --- dates and times as text -------------------------------------------- */

static bool is_digits(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
	}
	return true;
}

static bool is_date(struct cdc_str s)
{
	return s.n >= 10 && is_digits(s.p, 4) && s.p[4] == '-' && is_digits(s.p + 5, 2) &&
	       s.p[7] == '-' && is_digits(s.p + 8, 2);
}

static bool is_clock(const char *p)
{
	return is_digits(p, 2) && p[2] == ':' && is_digits(p + 3, 2) && p[5] == ':' &&
	       is_digits(p + 6, 2);
}

/*
 * "" or ".f{1,9}" in its canonical form: at most ten bytes at `out`, how many in *n. False: it is
 * something else.
 */
static bool fraction(struct cdc_str s, char *out, size_t *n)
{
	size_t digits = s.n ? s.n - 1 : 0, used;

	*n = 0;
	if (s.n == 0)
		return true;
	if (s.p[0] != '.' || digits == 0 || digits > 9 || !is_digits(s.p + 1, digits))
		return false;
	for (used = digits; used && s.p[used] == '0'; used--)
		;
	if (used == 0)
		return true;
	memcpy(out, ".000000000", 10);
	memcpy(out + 1, s.p + 1, digits);
	*n = used > 6 ? 10 : 7;
	return true;
}

void cdc_text_date(struct cdc_out *o, struct cdc_str s)
{
	size_t n = 0;
	char f[10];

	if (is_date(s) && s.n > 10 && s.n >= 19 && (s.p[10] == ' ' || s.p[10] == 'T') &&
	    memcmp(s.p + 11, "00:00:00", 8) == 0 && fraction(cdc_str(s.p + 19, s.n - 19), f, &n) &&
	    n == 0)
		s.n = 10;
	cdc_out_quoted(o, s);
}

void cdc_text_time(struct cdc_out *o, struct cdc_str s)
{
	struct cdc_str t = s;
	bool minus = s.n && s.p[0] == '-';
	size_t hours, n;
	char f[10];

	t = cdc_str(s.p + minus, s.n - minus);
	for (hours = 0; hours < t.n && t.p[hours] >= '0' && t.p[hours] <= '9'; hours++)
		;
	if (hours < 1 || hours > 3 || t.n < hours + 6 || t.p[hours] != ':' ||
	    !is_digits(t.p + hours + 1, 2) || t.p[hours + 3] != ':' ||
	    !is_digits(t.p + hours + 4, 2) ||
	    !fraction(cdc_str(t.p + hours + 6, t.n - hours - 6), f, &n)) {
		cdc_out_quoted(o, s);
		return;
	}
	cdc_out_char(o, '"');
	if (minus)
		cdc_out_char(o, '-');
	if (hours == 1)
		cdc_out_char(o, '0');
	cdc_out_raw(o, cdc_str(t.p, hours + 6));
	cdc_out_raw(o, cdc_str(f, n));
	cdc_out_char(o, '"');
}

void cdc_text_datetime(struct cdc_out *o, struct cdc_str s)
{
	char text[32];
	size_t n;

	if (s.n < 19 || !is_date(s) || (s.p[10] != ' ' && s.p[10] != 'T') || !is_clock(s.p + 11) ||
	    !fraction(cdc_str(s.p + 19, s.n - 19), text + 19, &n)) {
		cdc_out_quoted(o, s);
		return;
	}
	memcpy(text, s.p, 19);
	text[10] = ' ';
	put(o, text, 19 + n);
}

/* Nine digits of a second that is in range. */
static void put_nanos(struct cdc_out *o, int64_t second, int64_t nanos, bool zulu)
{
	char text[CDC_VALUE_TEXT_MAX], f[10];
	size_t n;

	if (second < SECONDS_MIN || second > SECONDS_MAX) {
		cdc_out_fail(o, "a timestamp is out of range");
		return;
	}
	n = cdc_timestamp_format_fixed(second * SECOND_US, zulu ? 'T' : ' ', false, 0, text);
	f[0] = '.';
	for (int i = 9; i > 0; i--, nanos /= 10)
		f[i] = (char)('0' + nanos % 10);
	memcpy(text + n, f, sizeof(f));
	n += sizeof(f);
	if (zulu)
		text[n++] = 'Z';
	put(o, text, n);
}

/* A date and time whose fraction has up to nine digits: those behind the sixth in *nanos. */
static bool parse_instant(struct cdc_str s, int64_t *us, int64_t *nanos, bool *zoned)
{
	enum { SIXTH = 26 }; /* "2019-11-14 03:11:05.123456" */
	enum cdc_parse rc;
	char cut[64];
	size_t i = SIXTH;

	*nanos = 0;
	if (!is_date(s))
		return false;
	rc = cdc_timestamp_parse(s, false, us, zoned);
	if (rc != CDC_PARSE_INEXACT)
		return rc == CDC_PARSE_OK;
	if (s.n <= SIXTH || s.n > sizeof(cut) || !is_clock(s.p + 11) || s.p[19] != '.')
		return false;
	for (int64_t unit = 100; unit && i < s.n && is_digits(s.p + i, 1); unit /= 10, i++)
		*nanos += (s.p[i] - '0') * unit;
	memcpy(cut, s.p, SIXTH);
	memcpy(cut + SIXTH, s.p + i, s.n - i);
	return cdc_timestamp_parse(cdc_str(cut, SIXTH + s.n - i), false, us, zoned) == CDC_PARSE_OK;
}

void cdc_text_instant(struct cdc_out *o, struct cdc_str s, const struct cdc_zone *zone)
{
	int64_t us, nanos, part, second;
	bool zoned;

	if (!parse_instant(s, &us, &nanos, &zoned)) {
		cdc_out_quoted(o, s);
		return;
	}
	part = us % SECOND_US;
	second = us / SECOND_US;
	if (part < 0) {
		part += SECOND_US;
		second--;
	}
	if (!zoned && zone)
		second = cdc_zone_to_utc(zone, second);
	if (nanos)
		put_nanos(o, second, part * 1000 + nanos, true);
	else
		cdc_text_timestamp_us(o, second * SECOND_US + part, true);
}

/* --- dates and times as numbers ----------------------------------------- */

void cdc_text_date_days(struct cdc_out *o, int64_t days)
{
	char *p = begin(o);

	if (days < SECONDS_MIN / 86400 || days > SECONDS_MAX / 86400)
		cdc_out_fail(o, "a date is out of range");
	else if (p)
		end(o, cdc_date_format((int32_t)days, p));
}

void cdc_text_time_ns(struct cdc_out *o, int64_t ns)
{
	uint64_t abs = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	uint64_t second = abs / (uint64_t)SECOND_NS, part = abs % (uint64_t)SECOND_NS;
	char text[CDC_VALUE_TEXT_MAX];
	size_t n = 0;

	if (ns < 0)
		text[n++] = '-';
	if (second < 36000)
		text[n++] = '0';
	n += cdc_uint64_format(second / 3600, text + n);
	for (int i = 0; i < 2; i++) {
		uint64_t v = i == 0 ? second / 60 % 60 : second % 60;

		text[n++] = ':';
		text[n++] = (char)('0' + v / 10);
		text[n++] = (char)('0' + v % 10);
	}
	if (part) {
		int digits = part % 1000 ? 9 : 6;

		text[n++] = '.';
		for (uint64_t unit = (uint64_t)SECOND_NS / 10; digits; digits--, unit /= 10)
			text[n++] = (char)('0' + part / unit % 10);
	}
	put(o, text, n);
}

void cdc_text_time_us(struct cdc_out *o, int64_t us)
{
	if (us > INT64_MAX / 1000 || us < INT64_MIN / 1000)
		cdc_out_fail(o, "a time is out of range");
	else
		cdc_text_time_ns(o, us * 1000);
}

void cdc_text_timestamp_us(struct cdc_out *o, int64_t us, bool zulu)
{
	char *p = begin(o);

	if (us < SECONDS_MIN * SECOND_US || us >= (SECONDS_MAX + 1) * SECOND_US)
		cdc_out_fail(o, "a timestamp is out of range");
	else if (p)
		end(o, cdc_timestamp_format_fixed(us, zulu ? 'T' : ' ', zulu,
						  us % SECOND_US ? 6 : 0, p));
}

void cdc_text_instant_s(struct cdc_out *o, int64_t seconds, int32_t micros)
{
	if (seconds < SECONDS_MIN || seconds > SECONDS_MAX)
		cdc_out_fail(o, "a timestamp is out of range");
	else
		cdc_text_timestamp_us(o, seconds * SECOND_US + micros, true);
}

void cdc_text_timestamp_ns(struct cdc_out *o, int64_t ns, bool zulu)
{
	int64_t part = ns % SECOND_NS;

	if (part % 1000 == 0)
		cdc_text_timestamp_us(o, ns / 1000, zulu);
	else
		put_nanos(o, ns / SECOND_NS - (part < 0), part < 0 ? part + SECOND_NS : part, zulu);
}

/* --- bytes -------------------------------------------------------------- */

void cdc_text_binary(struct cdc_out *o, struct cdc_str s)
{
	cdc_out_char(o, '"');
	cdc_out_base64(o, s);
	cdc_out_char(o, '"');
}

void cdc_text_wkb(struct cdc_out *o, struct cdc_str wkb)
{
	if (!cdc_wkb_print(o, wkb))
		cdc_text_binary(o, wkb);
}

/* One code point of U+0000 to U+00FF; false: another, or no UTF-8. */
static bool latin1(struct cdc_str s, size_t *i, unsigned char *byte)
{
	unsigned char c = (unsigned char)s.p[*i];

	if (c < 0x80) {
		*byte = c;
		*i += 1;
		return true;
	}
	if ((c != 0xc2 && c != 0xc3) || *i + 1 >= s.n ||
	    ((unsigned char)s.p[*i + 1] & 0xc0) != 0x80)
		return false;
	*byte = (unsigned char)(c << 6 | ((unsigned char)s.p[*i + 1] & 0x3f));
	*i += 2;
	return true;
}

void cdc_text_latin1_binary(struct cdc_out *o, struct cdc_str s, size_t length)
{
	unsigned char three[3];
	size_t n = 0, i = 0;

	cdc_out_char(o, '"');
	for (size_t bytes = 0; i < s.n || bytes < length; bytes++) {
		if (i == s.n) {
			three[n++] = 0;
		} else if (!latin1(s, &i, &three[n++])) {
			cdc_out_fail(o, "a binary value has a character that is no byte");
			return;
		}
		if (n == 3) {
			cdc_out_base64(o, cdc_str((const char *)three, 3));
			n = 0;
		}
	}
	if (n)
		cdc_out_base64(o, cdc_str((const char *)three, n));
	cdc_out_char(o, '"');
}
