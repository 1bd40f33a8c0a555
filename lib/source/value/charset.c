/*
 * MySQL character sets to UTF-8 (spec section 1.3).
 *
 * Where MySQL's set and the one that Java clients take for it differ, MySQL's counts: the bytes are
 * the server's. keybcs2 and geostd8 are in no iconv: their ASCII is read, the rest refused.
 */
#include "source/value/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#define NAME_MAX_BYTES 40

enum how {
	AS_UTF8,
	AS_ASCII,
	AS_LATIN1, /* MySQL's latin1: cp1252 with C1 controls where that has holes */
	AS_ISO_LATIN1, /* bytes as code points */
	AS_ICONV,
	AS_SJIS /* iconv, but 0x5C and 0x7E are ASCII as in MySQL */
};

struct cdc_charset {
	struct cdc_charset *next;
	char name[NAME_MAX_BYTES + 1];
	size_t name_len;
	enum how how;
	bool ascii_first; /* bytes below 0x80 alone are ASCII: no conversion then */
	iconv_t cd;
};

static const struct known {
	const char *name;
	enum how how;
	bool ascii_first;
	const char *iconv_name;
} known[] = {
	{ "armscii8", AS_ICONV, true, "ARMSCII-8" },
	{ "ascii", AS_ASCII, true, NULL },
	{ "big5", AS_ICONV, true, "BIG5" },
	{ "binary", AS_ISO_LATIN1, true, NULL },
	{ "cp1250", AS_ICONV, true, "CP1250" },
	{ "cp1251", AS_ICONV, true, "CP1251" },
	{ "cp1256", AS_ICONV, true, "CP1256" },
	{ "cp1257", AS_ICONV, true, "CP1257" },
	{ "cp850", AS_ICONV, true, "CP850" },
	{ "cp852", AS_ICONV, true, "CP852" },
	{ "cp866", AS_ICONV, true, "CP866" },
	{ "cp932", AS_ICONV, true, "CP932" },
	{ "dec8", AS_ICONV, true, "DEC-MCS" },
	{ "eucjpms", AS_ICONV, true, "EUC-JP-MS" },
	{ "euckr", AS_ICONV, true, "UHC" },
	{ "gb18030", AS_ICONV, true, "GB18030" },
	{ "gb2312", AS_ICONV, true, "EUC-CN" },
	{ "gbk", AS_ICONV, true, "GBK" },
	{ "geostd8", AS_ASCII, true, NULL },
	{ "greek", AS_ICONV, true, "ISO-8859-7" },
	{ "hebrew", AS_ICONV, true, "ISO-8859-8" },
	{ "hp8", AS_ICONV, true, "HP-ROMAN8" },
	{ "keybcs2", AS_ASCII, true, NULL },
	{ "koi8r", AS_ICONV, true, "KOI8-R" },
	{ "koi8u", AS_ICONV, true, "KOI8-U" },
	{ "latin1", AS_LATIN1, true, NULL },
	{ "latin2", AS_ICONV, true, "ISO-8859-2" },
	{ "latin5", AS_ICONV, true, "ISO-8859-9" },
	{ "latin7", AS_ICONV, true, "ISO-8859-13" },
	{ "macce", AS_ICONV, true, "MAC-CENTRALEUROPE" },
	{ "macroman", AS_ICONV, true, "MACINTOSH" },
	{ "sjis", AS_SJIS, true, "SHIFT_JIS" },
	{ "swe7", AS_ICONV, false, "SEN_850200_B" },
	{ "tis620", AS_ICONV, true, "TIS-620" },
	{ "ucs2", AS_ICONV, false, "UTF-16BE" },
	{ "ujis", AS_ICONV, true, "EUC-JP" },
	{ "us-ascii", AS_ASCII, true, NULL },
	{ "utf-8", AS_UTF8, true, NULL },
	{ "utf16", AS_ICONV, false, "UTF-16BE" },
	{ "utf16le", AS_ICONV, false, "UTF-16LE" },
	{ "utf32", AS_ICONV, false, "UTF-32BE" },
	{ "utf8", AS_UTF8, true, NULL },
	{ "utf8mb3", AS_UTF8, true, NULL },
	{ "utf8mb4", AS_UTF8, true, NULL },
};

/* cp1252, 0x80..0x9F; where that has a hole MySQL keeps the C1 control. */
static const uint16_t latin1_high[32] = {
	0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
	0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
	0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

static const struct known *find_known(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcasecmp(known[i].name, name) == 0)
			return &known[i];
	}
	return NULL;
}

/* iconv names take options after slashes; a name from the input must not. */
static bool name_is_plain(struct cdc_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      c == '-' || c == '_' || c == '.' || c == ':'))
			return false;
	}
	return s.n > 0 && s.n <= NAME_MAX_BYTES;
}

static int open_set(struct cdc_charset **out, struct cdc_str name, struct cdc_err *err)
{
	struct cdc_charset *c;
	const struct known *k;
	const char *iconv_name;

	if (!name_is_plain(name))
		return cdc_fail(err, CDC_EDATA, "its character set has a strange name");
	c = calloc(1, sizeof(*c));
	if (!c)
		return cdc_fail_nomem(err);
	memcpy(c->name, name.p, name.n);
	c->name_len = name.n;
	c->cd = (iconv_t)-1;
	k = find_known(c->name);
	c->how = k ? k->how : AS_ICONV;
	c->ascii_first = k && k->ascii_first;
	iconv_name = k ? k->iconv_name : c->name;
	if (c->how == AS_ICONV || c->how == AS_SJIS) {
		c->cd = iconv_open("UTF-8", iconv_name);
		if (c->cd == (iconv_t)-1) {
			free(c);
			return cdc_fail(err, CDC_EDATA, "unknown character set %.*s", (int)name.n,
					name.p);
		}
	}
	*out = c;
	return CDC_OK;
}

static int find_set(struct cdc_charsets *cs, struct cdc_str name, struct cdc_charset **out,
		    struct cdc_err *err)
{
	struct cdc_charset *c = NULL;
	int rc;

	for (struct cdc_charset *i = cs->list; i; i = i->next) {
		if (cdc_str_eq(cdc_str(i->name, i->name_len), name)) {
			*out = cs->last = i;
			return CDC_OK;
		}
	}
	if (cs->n == CDC_CHARSETS_MAX)
		return cdc_fail(err, CDC_EDATA, "too many different character sets");
	rc = open_set(&c, name, err);
	if (rc < 0)
		return rc;
	if (!c)
		return cdc_fail_nomem(err);
	c->next = cs->list;
	cs->list = c;
	cs->n++;
	*out = cs->last = c;
	return CDC_OK;
}

static bool is_ascii(struct cdc_str s)
{
	size_t i = 0;
	uint64_t w, high = 0;

	for (; i + 8 <= s.n; i += 8) {
		memcpy(&w, s.p + i, 8);
		high |= w;
	}
	for (; i < s.n; i++)
		high |= (unsigned char)s.p[i];
	return (high & 0x8080808080808080u) == 0;
}

static char *put_utf8(char *p, unsigned c)
{
	if (c < 0x80) {
		*p++ = (char)c;
	} else if (c < 0x800) {
		*p++ = (char)(0xC0 | c >> 6);
		*p++ = (char)(0x80 | (c & 0x3F));
	} else {
		*p++ = (char)(0xE0 | c >> 12);
		*p++ = (char)(0x80 | (c >> 6 & 0x3F));
		*p++ = (char)(0x80 | (c & 0x3F));
	}
	return p;
}

static int decode_single(struct cdc_buf *b, struct cdc_str s, bool cp1252, struct cdc_err *err)
{
	int rc = cdc_buf_reserve(b, s.n * 3 + 1, err);
	char *p = b->p;

	if (rc < 0 || !p)
		return rc;
	for (size_t i = 0; i < s.n; i++) {
		unsigned c = (unsigned char)s.p[i];

		p = put_utf8(p, cp1252 && c >= 0x80 && c < 0xA0 ? latin1_high[c - 0x80] : c);
	}
	b->len = (size_t)(p - b->p);
	return CDC_OK;
}

static int decode_iconv(struct cdc_buf *b, const struct cdc_charset *c, struct cdc_str s,
			struct cdc_err *err)
{
	union {
		const char *in;
		char *iconv_in; /* iconv does not write through it */
	} u = { s.p };
	size_t left = s.n;
	int rc = cdc_buf_reserve(b, s.n * 3 + 16, err);

	if (rc < 0)
		return rc;
	(void)iconv(c->cd, NULL, NULL, NULL, NULL);
	while (left) {
		char *out = b->p + b->len;
		size_t room = b->cap - b->len;
		size_t n = iconv(c->cd, &u.iconv_in, &left, &out, &room);

		b->len = (size_t)(out - b->p);
		if (n != (size_t)-1)
			continue;
		if (errno != E2BIG)
			return cdc_fail(err, CDC_EDATA, "text is not %s", c->name);
		rc = cdc_buf_reserve(b, left * 3 + 64, err);
		if (rc < 0)
			return rc;
	}
	return CDC_OK;
}

/*
 * iconv's SHIFT_JIS follows JIS X 0201, where 0x5C is a yen sign and 0x7E an overline. In MySQL
 * (and Java) they are ASCII, and 0x815F is the full-width backslash. Nothing else maps to the two.
 */
static int decode_sjis(struct cdc_buf *b, const struct cdc_charset *c, struct cdc_str s,
		       struct cdc_err *err)
{
	int rc = CDC_OK;

	for (size_t i = 0; rc == CDC_OK && i < s.n;) {
		unsigned char lead = (unsigned char)s.p[i];
		size_t n = (lead >= 0x81 && lead <= 0x9F) || lead >= 0xE0 ? 2 : 1;

		if (lead < 0x80) {
			rc = cdc_buf_putc(b, s.p[i], err);
		} else if (n > s.n - i) {
			rc = cdc_fail(err, CDC_EDATA, "text is not %s", c->name);
		} else if (lead == 0x81 && (unsigned char)s.p[i + 1] == 0x5F) {
			rc = cdc_buf_append(b, "\xEF\xBC\xBC", 3, err);
		} else {
			rc = decode_iconv(b, c, cdc_str(s.p + i, n), err);
		}
		i += n;
	}
	return rc;
}

int cdc_charset_decode(struct cdc_charsets *cs, struct cdc_str name, struct cdc_str bytes,
		       struct cdc_str *out, struct cdc_err *err)
{
	struct cdc_charset *c = cs->last;
	int rc = CDC_OK;

	if (!c || !cdc_str_eq(cdc_str(c->name, c->name_len), name))
		rc = find_set(cs, name, &c, err);
	if (rc < 0)
		return rc;
	*out = bytes;
	if (c->how == AS_UTF8 || (c->ascii_first && is_ascii(bytes)))
		return CDC_OK;
	cdc_buf_reset(&cs->text);
	switch (c->how) {
	case AS_UTF8:
		break;
	case AS_ASCII:
		return cdc_fail(err, CDC_EDATA, "text is not ASCII, and its character set is %s",
				c->name);
	case AS_LATIN1:
	case AS_ISO_LATIN1:
		rc = decode_single(&cs->text, bytes, c->how == AS_LATIN1, err);
		break;
	case AS_ICONV:
		rc = decode_iconv(&cs->text, c, bytes, err);
		break;
	case AS_SJIS:
		rc = decode_sjis(&cs->text, c, bytes, err);
		break;
	}
	*out = cdc_buf_str(&cs->text);
	return rc;
}

void cdc_charsets_free(struct cdc_charsets *cs)
{
	struct cdc_charset *c = cs->list;

	while (c) {
		struct cdc_charset *next = c->next;

		if (c->cd != (iconv_t)-1)
			(void)iconv_close(c->cd);
		free(c);
		c = next;
	}
	cdc_buf_free(&cs->text);
	memset(cs, 0, sizeof(*cs));
}
