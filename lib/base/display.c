/* Text for a terminal. See display.h. */
#include "base/display.h"

#include "base/value.h"

static bool is_wide(uint32_t c)
{
	return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
	       (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
	       (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
	       (c >= 0xffe0 && c <= 0xffe6) || c > 0xffff;
}

/* The next character, or its first byte when it is not UTF-8 (*bad then). */
static size_t next_char(struct cdc_str s, uint32_t *c, bool *bad)
{
	unsigned char b = (unsigned char)s.p[0];
	size_t n = b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;

	*c = b;
	*bad = n > s.n || !cdc_utf8_valid(s.p, n);
	if (*bad || n == 1)
		return 1;
	*c = b & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		*c = *c << 6 | ((unsigned char)s.p[i] & 0x3f);
	return n;
}

int cdc_display_put(struct cdc_buf *out, struct cdc_str s, uint32_t *width, struct cdc_err *err)
{
	while (s.n) {
		uint32_t c;
		bool bad;
		size_t n = next_char(s, &c, &bad);
		int rc;

		if (c == '\n' || c == '\r' || c == '\t') {
			rc = cdc_buf_printf(out, err, "\\%c",
					    c == '\n'	? 'n'
					    : c == '\r' ? 'r'
							: 't');
			*width += 2;
		} else if (bad || c < 0x20 || c == 0x7f) {
			rc = cdc_buf_printf(out, err, "\\x%02x", c);
			*width += 4;
		} else if (c >= 0x80 && c < 0xa0) {
			rc = cdc_buf_printf(out, err, "\\u%04x", c);
			*width += 6;
		} else {
			rc = cdc_buf_append(out, s.p, n, err);
			*width += is_wide(c) ? 2 : 1;
		}
		if (rc < 0)
			return rc;
		s = cdc_str(s.p + n, s.n - n);
	}
	return CDC_OK;
}

size_t cdc_display_cut(struct cdc_str s, uint32_t max, uint32_t *width)
{
	size_t at = 0;

	*width = 0;
	while (at < s.n) {
		uint32_t c;
		bool bad;
		size_t n = next_char(cdc_str(s.p + at, s.n - at), &c, &bad);
		uint32_t w = is_wide(c) ? 2 : 1;

		if (w > max - *width)
			break;
		*width += w;
		at += n;
	}
	return at;
}
