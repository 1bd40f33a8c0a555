/*
 * Z85: four bytes as five printable characters (ZeroMQ RFC 32).
 */
#include "delta/dv_int.h"

#include "base/endian.h"

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     ".-:+=^!/*?&<>()[]{}@%$#";

static int digit_value(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

void cdc_z85_encode(const uint8_t *p, size_t n, char *out)
{
	for (size_t i = 0; i + 4 <= n; i += 4) {
		uint32_t v = cdc_be32(p + i);

		for (int k = 4; k >= 0; k--) {
			out[k] = digits[v % 85];
			v /= 85;
		}
		out += 5;
	}
}

/*
 * No full group starts with '#' (84 * 85^4 passes 2^32). The Rust crate z85 uses that for data
 * whose length is no multiple of 4: its last group starts with one '#' for each byte that lacks.
 */
static bool group_decode(const char *p, bool last, uint8_t *out, size_t *n)
{
	int missing = 0;
	uint64_t v = 0;
	uint8_t bytes[4];

	while (last && missing < 3 && p[missing] == '#')
		missing++;
	for (int k = missing; k < 5; k++) {
		int d = digit_value(p[k]);

		if (d < 0)
			return false;
		v = v * 85 + (uint64_t)d;
	}
	if (v >> (8 * (4 - missing)))
		return false;
	cdc_put_be32(bytes, (uint32_t)v);
	memcpy(out, bytes + missing, 4 - (size_t)missing);
	*n += 4 - (size_t)missing;
	return true;
}

bool cdc_z85_decode(struct cdc_str text, uint8_t *out, size_t *n)
{
	*n = 0;
	if (text.n % 5)
		return false;
	for (size_t i = 0; i < text.n; i += 5) {
		if (!group_decode(text.p + i, i + 5 == text.n, out + *n, n))
			return false;
	}
	return true;
}
