/*
 * Proves, for any text, that the parsers of values neither crash nor read past it, and that what
 * they accept prints to a text that parses to the same value and prints the same again.
 */
#include "base/value.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define MUST(x)                                                                                    \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_integers(struct cdc_str s)
{
	char out[CDC_VALUE_TEXT_MAX];
	uint64_t u;
	uint64_t u_back;
	int64_t v;
	int64_t back;
	bool b;

	if (cdc_int64_parse(s, &v) == CDC_PARSE_OK) {
		size_t n = cdc_int64_format(v, out);

		MUST(n <= sizeof(out));
		MUST(cdc_int64_parse(cdc_str(out, n), &back) == CDC_PARSE_OK && back == v);
		if (v >= 0)
			MUST(cdc_uint64_parse(s, &u) == CDC_PARSE_OK && u == (uint64_t)v);
	}
	if (cdc_uint64_parse(s, &u) == CDC_PARSE_OK) {
		size_t n = cdc_uint64_format(u, out);

		MUST(cdc_uint64_parse(cdc_str(out, n), &u_back) == CDC_PARSE_OK && u_back == u);
	}
	(void)cdc_bool_parse(s, &b);
	(void)cdc_size_parse(s, &u);
	(void)cdc_duration_parse(s, &u);
}

static void check_decimal(struct cdc_str s, int precision, int scale)
{
	char out[CDC_VALUE_TEXT_MAX];
	cdc_i128 v;
	cdc_i128 back;
	int64_t whole;

	if (cdc_decimal_parse(s, precision, scale, &v) != CDC_PARSE_OK)
		return;
	size_t n = cdc_decimal_format(v, scale, out);

	MUST(n <= sizeof(out));
	MUST(cdc_decimal_parse(cdc_str(out, n), precision, scale, &back) == CDC_PARSE_OK);
	MUST(back == v);
	/* What an integer takes, a decimal of scale 0 takes, with the same value. */
	if (scale == 0 && cdc_int64_parse(s, &whole) == CDC_PARSE_OK)
		MUST(whole == v);
}

static void check_floats(struct cdc_str s)
{
	char out[CDC_VALUE_TEXT_MAX];
	double v;
	double back;
	float f;
	float f_back;

	if (cdc_double_parse(s, &v) == CDC_PARSE_OK) {
		size_t n = cdc_double_format(v, out);

		MUST(n <= sizeof(out));
		MUST(cdc_double_parse(cdc_str(out, n), &back) == CDC_PARSE_OK);
		MUST(isnan(v) ? isnan(back) : memcmp(&v, &back, sizeof(v)) == 0);
	}
	if (cdc_float_parse(s, &f) == CDC_PARSE_OK) {
		size_t n = cdc_float_format(f, out);

		MUST(n <= sizeof(out));
		MUST(cdc_float_parse(cdc_str(out, n), &f_back) == CDC_PARSE_OK);
		MUST(isnan(f) ? isnan(f_back) : memcmp(&f, &f_back, sizeof(f)) == 0);
	}
}

static void check_times(struct cdc_str s, bool epoch)
{
	char out[CDC_VALUE_TEXT_MAX];
	int64_t us;
	int64_t us_back;
	int32_t days;
	int32_t days_back;
	bool zone;
	bool zone_back;
	size_t n;

	if (cdc_date_parse(s, &days) == CDC_PARSE_OK) {
		n = cdc_date_format(days, out);
		MUST(n == 10);
		MUST(cdc_date_parse(cdc_str(out, n), &days_back) == CDC_PARSE_OK);
		MUST(days_back == days);
		MUST(cdc_timestamp_parse(s, false, &us, &zone) == CDC_PARSE_OK);
		MUST(us == days * INT64_C(86400000000));
	}
	if (cdc_timestamp_parse(s, epoch, &us, &zone) != CDC_PARSE_OK)
		return;
	n = cdc_timestamp_format(us, 'T', zone, out);
	MUST(n <= sizeof(out));
	/* A zone or a number of seconds can lead out of the years that have a text. */
	if (out[0] == '+' || out[0] == '-')
		return;
	MUST(cdc_timestamp_parse(cdc_str(out, n), epoch, &us_back, &zone_back) == CDC_PARSE_OK);
	MUST(us_back == us && zone_back == zone);
	n = cdc_timestamp_format_fixed(us, ' ', zone, 6, out);
	MUST(cdc_timestamp_parse(cdc_str(out, n), epoch, &us_back, &zone_back) == CDC_PARSE_OK);
	MUST(us_back == us);
}

static void check_bytes(struct cdc_str s, size_t max)
{
	char *plain = malloc(s.n + 1);
	char *coded = malloc(s.n / 3 * 4 + 8);
	size_t cut;
	size_t n;

	MUST(plain && coded);
	if (cdc_base64_decode(s, plain, &n) == CDC_PARSE_OK) {
		MUST(n <= s.n / 4 * 3);
		MUST(cdc_str_eq(cdc_str(coded, cdc_base64_encode(plain, n, coded)), s));
	}
	cut = cdc_utf8_prefix(s.p, s.n, max);
	MUST(cut <= s.n && cut <= max && (s.n <= max || max - cut < 4));
	if (cdc_utf8_valid(s.p, s.n))
		MUST(cdc_utf8_valid(s.p, cut) && cdc_utf8_valid(s.p + cut, s.n - cut));
	free(plain);
	free(coded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cdc_str s;
	int precision;
	int scale;

	if (size < 2)
		return 0;
	/* Two bytes of parameters, then the text. */
	precision = data[0] % 38 + 1;
	scale = data[1] % (precision + 1);
	s = cdc_str((const char *)data + 2, size - 2);
	check_integers(s);
	check_decimal(s, precision, scale);
	check_decimal(s, 38, 0);
	check_floats(s);
	check_times(s, data[0] & 0x80);
	check_bytes(s, data[1]);
	return 0;
}
