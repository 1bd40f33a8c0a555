/*
 * Text that is not a number: UUIDs, base64, UTF-8, and the sizes and durations of options.
 */
#include "base/value.h"

#include "base/digits.h"

/* --- UUID --------------------------------------------------------------- */

size_t cdc_uuid_format(const void *bytes, char *out)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *in = bytes;
	char *o = out;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*o++ = '-';
		*o++ = hex[in[i] >> 4];
		*o++ = hex[in[i] & 15];
	}
	return (size_t)(o - out);
}

/* --- base64 ------------------------------------------------------------- */

static const char base64_alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t cdc_base64_encode(const void *p, size_t n, char *out)
{
	const unsigned char *in = p;
	char *o = out;

	for (; n >= 3; n -= 3, in += 3, o += 4) {
		uint32_t v = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];

		o[0] = base64_alphabet[v >> 18];
		o[1] = base64_alphabet[v >> 12 & 63];
		o[2] = base64_alphabet[v >> 6 & 63];
		o[3] = base64_alphabet[v & 63];
	}
	if (n) {
		uint32_t v = (uint32_t)in[0] << 16 | (n == 2 ? (uint32_t)in[1] << 8 : 0);

		o[0] = base64_alphabet[v >> 18];
		o[1] = base64_alphabet[v >> 12 & 63];
		o[2] = n == 2 ? base64_alphabet[v >> 6 & 63] : '=';
		o[3] = '=';
		o += 4;
	}
	return (size_t)(o - out);
}

/* The 6 bits a character stands for, plus 1; 0 for all others. */
static const uint8_t base64_value[256] = {
	['A'] = 1,  ['B'] = 2,	['C'] = 3,  ['D'] = 4,	['E'] = 5,  ['F'] = 6,	['G'] = 7,
	['H'] = 8,  ['I'] = 9,	['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
	['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
	['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
	['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
	['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
	['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
	['/'] = 64,
};

/* n characters (2..4) to 24 bits, left-aligned; bit 31 is set when one is not of the alphabet. */
static uint32_t base64_quad(const unsigned char *p, size_t n)
{
	uint32_t v = 0;
	uint32_t bad = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t c = base64_value[p[i]];

		bad |= c == 0;
		v |= ((c - 1) & 63) << (18 - 6 * i);
	}
	return v | bad << 31;
}

enum cdc_parse cdc_base64_decode(struct cdc_str s, void *out, size_t *n)
{
	const unsigned char *p = (const unsigned char *)s.p;
	unsigned char *o = out;
	size_t left = s.n;
	size_t tail = 4;
	uint32_t v;

	*n = 0;
	if (left == 0)
		return CDC_PARSE_OK;
	if (left % 4)
		return CDC_PARSE_SYNTAX;
	for (; left > 4; left -= 4, p += 4, o += 3) {
		v = base64_quad(p, 4);
		if (v >> 31)
			return CDC_PARSE_SYNTAX;
		o[0] = (unsigned char)(v >> 16);
		o[1] = (unsigned char)(v >> 8);
		o[2] = (unsigned char)v;
	}
	if (p[3] == '=')
		tail = p[2] == '=' ? 2 : 3;
	v = base64_quad(p, tail);
	/* The bits that padding leaves over must be 0: one text for one value. */
	if (v >> 31 || v & (tail == 2 ? 0xffffU : tail == 3 ? 0xffU : 0))
		return CDC_PARSE_SYNTAX;
	for (size_t i = 0; i < tail - 1; i++)
		*o++ = (unsigned char)(v >> (16 - 8 * i));
	*n = (size_t)(o - (unsigned char *)out);
	return CDC_PARSE_OK;
}

/* --- UTF-8 -------------------------------------------------------------- */

#define HIGH_BITS UINT64_C(0x8080808080808080)

static bool continues(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * Bytes of the character at p (the first byte is not ASCII), 0 when it is none. The second byte's
 * range is what rules out overlong forms, surrogates and values past U+10FFFF (Unicode, table 3-7).
 */
static size_t utf8_char(const unsigned char *p, size_t n)
{
	unsigned char c = p[0];

	if (c < 0xc2 || c > 0xf4)
		return 0;
	if (c < 0xe0)
		return n >= 2 && continues(p[1]) ? 2 : 0;
	if (c < 0xf0) {
		unsigned char low = c == 0xe0 ? 0xa0 : 0x80;
		unsigned char high = c == 0xed ? 0x9f : 0xbf;

		return n >= 3 && p[1] >= low && p[1] <= high && continues(p[2]) ? 3 : 0;
	}
	if (n >= 4) {
		unsigned char low = c == 0xf0 ? 0x90 : 0x80;
		unsigned char high = c == 0xf4 ? 0x8f : 0xbf;

		if (p[1] >= low && p[1] <= high && continues(p[2]) && continues(p[3]))
			return 4;
	}
	return 0;
}

bool cdc_utf8_valid(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	while (n) {
		size_t len;

		while (n >= 8) {
			uint64_t w;

			memcpy(&w, p, sizeof(w));
			if (w & HIGH_BITS)
				break;
			p += 8;
			n -= 8;
		}
		while (n && *p < 0x80) {
			p++;
			n--;
		}
		while (n && *p >= 0x80) {
			len = utf8_char(p, n);
			if (!len)
				return false;
			p += len;
			n -= len;
		}
	}
	return true;
}

size_t cdc_utf8_prefix(const char *p, size_t n, size_t max)
{
	size_t i = max;

	if (n <= max)
		return n;
	/* The longest character has three continuation bytes; more are no UTF-8, and nothing is
	 * cut. */
	while (i > 0 && max - i < 3 && continues((unsigned char)p[i]))
		i--;
	return continues((unsigned char)p[i]) ? max : i;
}

/* --- options ------------------------------------------------------------ */

static size_t leading_digits(struct cdc_str s)
{
	size_t n = 0;

	while (n < s.n && is_digit(s.p[n]))
		n++;
	return n;
}

static enum cdc_parse parse_count(struct cdc_str s, struct cdc_str *unit, uint64_t *out)
{
	size_t n = leading_digits(s);

	*unit = cdc_str(s.p + n, s.n - n);
	return n ? cdc_uint64_parse(cdc_str(s.p, n), out) : CDC_PARSE_SYNTAX;
}

struct unit {
	const char *name; /* lower case */
	uint64_t factor;
};

static enum cdc_parse parse_unit(struct cdc_str s, const struct unit *units, size_t n,
				 uint64_t *out)
{
	struct cdc_str name;
	uint64_t count;
	enum cdc_parse rc = parse_count(s, &name, &count);

	if (rc != CDC_PARSE_OK)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (!cdc_str_ieq(name, cdc_str_z(units[i].name)))
			continue;
		return __builtin_mul_overflow(count, units[i].factor, out) ? CDC_PARSE_RANGE
									   : CDC_PARSE_OK;
	}
	return CDC_PARSE_SYNTAX;
}

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define KIB UINT64_C(1024)

enum cdc_parse cdc_size_parse(struct cdc_str s, uint64_t *bytes)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "b", 1 },
		{ "k", KIB },
		{ "kb", KIB },
		{ "kib", KIB },
		{ "m", KIB * KIB },
		{ "mb", KIB * KIB },
		{ "mib", KIB * KIB },
		{ "g", KIB * KIB * KIB },
		{ "gb", KIB * KIB * KIB },
		{ "gib", KIB * KIB * KIB },
		{ "t", KIB * KIB * KIB * KIB },
		{ "tb", KIB * KIB * KIB * KIB },
		{ "tib", KIB * KIB * KIB * KIB },
	};

	return parse_unit(s, units, COUNT_OF(units), bytes);
}

enum cdc_parse cdc_duration_parse(struct cdc_str s, uint64_t *seconds)
{
	static const struct unit units[] = {
		{ "", 1 },     { "s", 1 },     { "m", 60 },
		{ "h", 3600 }, { "d", 86400 }, { "w", UINT64_C(7) * 86400 },
	};

	return parse_unit(s, units, COUNT_OF(units), seconds);
}
