/*
 * Literals as values of a column's type: as keys, which are integers in the order of the values,
 * or as bytes. Nothing is rounded: a literal between two keys is the lower one and "not exact".
 */
#include "table/where/where_tree.h"

#include <math.h>

#define NS_PER_US 1000
#define NS_PER_DAY INT64_C(86400000000000)
#define MAX_DIGITS 38

enum cdc_key cdc_where_key(enum cdc_type t)
{
	static const uint8_t key[] = {
		[CDC_TYPE_BOOLEAN] = CDC_KEY_NUMBER,
		[CDC_TYPE_BYTE] = CDC_KEY_NUMBER,
		[CDC_TYPE_SHORT] = CDC_KEY_NUMBER,
		[CDC_TYPE_INTEGER] = CDC_KEY_NUMBER,
		[CDC_TYPE_LONG] = CDC_KEY_NUMBER,
		[CDC_TYPE_FLOAT] = CDC_KEY_NUMBER,
		[CDC_TYPE_DOUBLE] = CDC_KEY_NUMBER,
		[CDC_TYPE_DECIMAL] = CDC_KEY_NUMBER,
		[CDC_TYPE_STRING] = CDC_KEY_BYTES,
		[CDC_TYPE_BINARY] = CDC_KEY_BYTES,
		[CDC_TYPE_DATE] = CDC_KEY_NUMBER,
		[CDC_TYPE_TIMESTAMP] = CDC_KEY_NUMBER,
		[CDC_TYPE_TIMESTAMP_NTZ] = CDC_KEY_NUMBER,
		[CDC_TYPE_TIME] = CDC_KEY_NUMBER,
		[CDC_TYPE_TIMESTAMP_NS] = CDC_KEY_NUMBER,
		[CDC_TYPE_TIMESTAMP_NTZ_NS] = CDC_KEY_NUMBER,
		[CDC_TYPE_UUID] = CDC_KEY_BYTES,
		[CDC_TYPE_BIG_DECIMAL] = CDC_KEY_NONE,
	};

	return (size_t)t < sizeof(key) ? (enum cdc_key)key[t] : CDC_KEY_NONE;
}

/* ------------------------------------------------------------------ doubles */

/* Bits of positive doubles are in their order, those of negative ones in the opposite one. */
int64_t cdc_where_double_key(double v)
{
	int64_t bits;

	if (isnan(v))
		v = (double)NAN;
	else if (v == 0)
		v = 0;
	memcpy(&bits, &v, sizeof(bits));
	if (isnan(v))
		bits = INT64_C(0x7ff8000000000000);
	return bits < 0 ? bits ^ INT64_MAX : bits;
}

double cdc_where_key_double(int64_t key)
{
	int64_t bits = key < 0 ? key ^ INT64_MAX : key;
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static bool double_number(struct cdc_str text, struct cdc_where_number *out)
{
	double v;
	enum cdc_parse p = cdc_double_parse(text, &v);

	if (p == CDC_PARSE_OK) {
		*out = (struct cdc_where_number){ cdc_where_double_key(v), true };
	} else if (p == CDC_PARSE_RANGE) {
		/* Between the largest finite number and infinity. */
		v = text.p[0] == '-' ? -(double)INFINITY : __DBL_MAX__;
		*out = (struct cdc_where_number){ cdc_where_double_key(v), false };
	}
	return p == CDC_PARSE_OK || p == CDC_PARSE_RANGE;
}

/* ------------------------------------------------------------------ exact numbers */

/* A number's text in parts: 0.DIGITS * 10^exponent, the first digit of `n` not 0. */
struct digits {
	bool negative;
	const char *first; /* a point may stand between */
	const char *end;
	int64_t n; /* 0: the number is 0 */
	int64_t exponent;
};

static bool scan_exponent(const char *p, const char *end, int64_t *out)
{
	bool negative = p < end && *p == '-';
	int64_t e = 0;

	p += p < end && (*p == '-' || *p == '+');
	if (p == end)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		e = e < 1000000000 ? e * 10 + (*p - '0') : e;
	}
	*out = negative ? -e : e;
	return true;
}

static bool scan_digits(struct cdc_str s, struct digits *d)
{
	const char *p = s.p;
	const char *end = s.p + s.n;
	const char *point = NULL;
	bool any = false;
	int64_t e = 0;

	*d = (struct digits){ .negative = s.n && *p == '-' };
	p += s.n && (*p == '-' || *p == '+');
	for (; p < end && ((*p >= '0' && *p <= '9') || (*p == '.' && !point)); p++) {
		if (*p == '.') {
			point = p;
			continue;
		}
		any = true;
		if (!d->first && *p == '0') {
			d->exponent -= point != NULL;
			continue;
		}
		if (!d->first)
			d->first = p;
		d->n++;
		d->exponent += point == NULL;
	}
	d->end = p;
	if (!any || (p < end && ((*p != 'e' && *p != 'E') || !scan_exponent(p + 1, end, &e))))
		return false;
	d->exponent += e;
	return true;
}

/* floor(number * 10^scale); what no column's value reaches is 10^38 or its negative. */
static void floor_at(const struct digits *d, int scale, struct cdc_where_number *out)
{
	int64_t want = d->exponent + scale; /* digits before the cut */
	bool rest = false;
	cdc_i128 v = 0;
	int64_t i = 0;

	if (d->n == 0) {
		*out = (struct cdc_where_number){ 0, true };
		return;
	}
	if (want > MAX_DIGITS) {
		v = 1;
		for (i = 0; i < MAX_DIGITS; i++)
			v *= 10;
		*out = (struct cdc_where_number){ d->negative ? -v : v, false };
		return;
	}
	for (const char *p = d->first; p < d->end; p++) {
		if (*p == '.')
			continue;
		if (i++ < want)
			v = v * 10 + (*p - '0');
		else
			rest |= *p != '0';
	}
	for (; i < want; i++)
		v *= 10;
	if (d->negative)
		v = -v - rest;
	*out = (struct cdc_where_number){ v, !rest };
}

static bool exact_number(struct cdc_str text, int scale, struct cdc_where_number *out)
{
	struct digits d;

	if (!scan_digits(text, &d))
		return false;
	floor_at(&d, scale, out);
	return true;
}

/* ------------------------------------------------------------------ time */

/* To nanoseconds: digits past microseconds, which the parser refuses, are taken off and added. */
static bool parse_instant(struct cdc_str s, cdc_i128 *ns, bool *zone)
{
	char text[CDC_VALUE_TEXT_MAX];
	size_t digits = 0;
	size_t n = 0;
	int64_t unit = 100000000;
	int64_t nanos = 0;
	bool fraction = false;
	int64_t us;

	if (s.n > sizeof(text))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool digit = s.p[i] >= '0' && s.p[i] <= '9';

		fraction = (fraction && digit) || s.p[i] == '.';
		if (fraction && digit) {
			if (digits >= 6)
				nanos += (s.p[i] - '0') * unit;
			unit /= 10;
			if (++digits > 9)
				return false;
			if (digits > 6)
				continue;
		}
		text[n++] = s.p[i];
	}
	if (cdc_timestamp_parse(cdc_str(text, n), false, &us, zone) != CDC_PARSE_OK)
		return false;
	*ns = (cdc_i128)us * NS_PER_US + nanos;
	return true;
}

static void divide(cdc_i128 ns, int64_t by, struct cdc_where_number *out)
{
	cdc_i128 rest = ns % by;

	*out = (struct cdc_where_number){ ns / by - (rest < 0), rest == 0 };
}

static bool is_instant(enum cdc_type t)
{
	return t == CDC_TYPE_DATE || t == CDC_TYPE_TIMESTAMP || t == CDC_TYPE_TIMESTAMP_NTZ ||
	       t == CDC_TYPE_TIMESTAMP_NS || t == CDC_TYPE_TIMESTAMP_NTZ_NS;
}

static bool instant_number(enum cdc_type t, const struct cdc_where_node *n,
			   struct cdc_where_number *out)
{
	int32_t days;
	cdc_i128 ns;
	bool zone;

	if (n->literal == CDC_LIT_DATE) {
		if (cdc_date_parse(n->value, &days) != CDC_PARSE_OK)
			return false;
		ns = (cdc_i128)days * NS_PER_DAY;
	} else if ((n->literal != CDC_LIT_TIMESTAMP && n->literal != CDC_LIT_STRING) ||
		   !parse_instant(n->value, &ns, &zone)) {
		return false;
	}
	if (t == CDC_TYPE_DATE)
		divide(ns, NS_PER_DAY, out);
	else if (t == CDC_TYPE_TIMESTAMP || t == CDC_TYPE_TIMESTAMP_NTZ)
		divide(ns, NS_PER_US, out);
	else
		*out = (struct cdc_where_number){ ns, true };
	return true;
}

/* A time of day is that of the first day. */
static bool time_number(const struct cdc_where_node *n, struct cdc_where_number *out)
{
	static const char day[] = "1970-01-01 ";
	char text[CDC_VALUE_TEXT_MAX];
	bool zone = false;

	if ((n->literal != CDC_LIT_TIME && n->literal != CDC_LIT_STRING) ||
	    n->value.n > sizeof(text) - sizeof(day))
		return false;
	memcpy(text, day, sizeof(day) - 1);
	memcpy(text + sizeof(day) - 1, n->value.p, n->value.n);
	out->exact = true;
	return n->value.n &&
	       parse_instant(cdc_str(text, sizeof(day) - 1 + n->value.n), &out->floor, &zone) &&
	       !zone && out->floor >= 0 && out->floor < NS_PER_DAY;
}

/* ------------------------------------------------------------------ public */

bool cdc_where_number(const struct cdc_field *f, const struct cdc_where_node *n,
		      struct cdc_where_number *out)
{
	bool number = n->literal == CDC_LIT_NUMBER || n->literal == CDC_LIT_STRING;
	bool flag;

	if (is_instant(f->type))
		return instant_number(f->type, n, out);
	if (f->type == CDC_TYPE_TIME)
		return time_number(n, out);
	if (f->type == CDC_TYPE_BOOLEAN) {
		flag = n->literal == CDC_LIT_TRUE;
		if (!flag && n->literal != CDC_LIT_FALSE &&
		    (n->literal != CDC_LIT_STRING ||
		     cdc_bool_parse(n->value, &flag) != CDC_PARSE_OK))
			return false;
		*out = (struct cdc_where_number){ flag, true };
		return true;
	}
	if (f->type == CDC_TYPE_FLOAT || f->type == CDC_TYPE_DOUBLE)
		return number && double_number(n->value, out);
	return number && exact_number(n->value, f->type == CDC_TYPE_DECIMAL ? f->scale : 0, out);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool parse_uuid(struct cdc_str s, char out[16])
{
	size_t n = 0;

	if (s.n != 36)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		int digit = hex_value(s.p[i]);

		if (dash ? s.p[i] != '-' : digit < 0)
			return false;
		if (dash)
			continue;
		out[n / 2] = (char)(n % 2 ? out[n / 2] | digit : digit << 4);
		n++;
	}
	return true;
}

int cdc_where_bytes(const struct cdc_field *f, const struct cdc_where_node *n, struct cdc_arena *a,
		    struct cdc_str *out, struct cdc_err *err)
{
	bool binary = n->literal == CDC_LIT_BINARY;
	char *bytes;

	*out = n->value;
	if (f->type == CDC_TYPE_STRING)
		return n->literal == CDC_LIT_STRING ? CDC_OK : CDC_END;
	if (f->type == CDC_TYPE_BINARY || (binary && n->value.n == 16))
		return n->literal == CDC_LIT_STRING || binary ? CDC_OK : CDC_END;
	if (n->literal != CDC_LIT_STRING)
		return CDC_END;
	bytes = cdc_arena_alloc(a, 16);
	if (!bytes)
		return cdc_fail_nomem(err);
	*out = cdc_str(bytes, 16);
	return parse_uuid(n->value, bytes) ? CDC_OK : CDC_END;
}
