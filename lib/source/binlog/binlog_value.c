/* Values of binlog rows as canonical text (spec section 5.4). */
#include "source/binlog/binlog_int.h"

#include "base/value.h"
#include "source/input/codec.h"
#include "source/value/value_text.h"

/* --- decimals ----------------------------------------------------------- */

/* Bytes of 0 to 9 digits. */
static const uint8_t digit_bytes[10] = { 0, 1, 1, 2, 2, 3, 3, 4, 4, 4 };

static size_t put_digits(char *out, uint64_t v, unsigned n)
{
	for (unsigned i = n; i-- > 0; v /= 10)
		out[i] = (char)('0' + v % 10);
	return n;
}

/* One group of n digits; the value's sign inverts the bytes. */
static bool group(struct binlog_cur *c, unsigned n, uint64_t mask, uint64_t flip, uint64_t *v)
{
	static const uint64_t limit[10] = { 1,	    10,	     100,      1000,	  10000,
					    100000, 1000000, 10000000, 100000000, 1000000000 };
	unsigned bytes = digit_bytes[n];
	uint64_t all = bytes ? UINT64_MAX >> (64 - 8 * bytes) : 0;

	*v = ((binlog_be(c, bytes) ^ flip) ^ mask) & all;
	return *v < limit[n] || n == 0;
}

bool binlog_decimal(struct binlog_cur *c, unsigned precision, unsigned scale, char *out,
		    size_t *len)
{
	unsigned whole = precision - scale, lead = whole % 9, rest = scale % 9, digits;
	bool first = true, negative, ok = true;
	size_t n = 0, start;
	uint64_t mask, flip, v;

	if (precision == 0 || precision > 81 || scale > precision || binlog_left(c) == 0)
		return false;
	negative = !(*c->p & 0x80);
	mask = negative ? UINT64_MAX : 0;
	if (negative)
		out[n++] = '-';
	start = n;
	/* The top bit of the first byte is the sign, stored inverted. */
	for (unsigned done = 0; done < whole || done < 1; done += digits) {
		digits = first && lead ? lead : 9;
		if (whole == 0)
			break;
		flip = first ? (uint64_t)0x80 << 8 * (digit_bytes[digits] - 1u) : 0;
		first = false;
		ok = ok && group(c, digits, mask, flip, &v);
		n += put_digits(out + n, v, digits);
	}
	/* Leading zeros go, but for one. */
	while (n - start > 1 && out[start] == '0') {
		memmove(out + start, out + start + 1, n - start - 1);
		n--;
	}
	if (n == start)
		out[n++] = '0';
	if (scale)
		out[n++] = '.';
	for (unsigned done = 0; done < scale; done += digits) {
		digits = scale - done >= 9 ? 9 : rest;
		flip = first ? (uint64_t)0x80 << 8 * (digit_bytes[digits] - 1u) : 0;
		first = false;
		ok = ok && group(c, digits, mask, flip, &v);
		n += put_digits(out + n, v, digits);
	}
	*len = n;
	return ok && !c->bad;
}

/* --- dates and times ---------------------------------------------------- */

static char *two(char *p, uint64_t v)
{
	*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

static char *put_fraction(char *p, uint64_t us)
{
	if (us == 0)
		return p;
	*p++ = '.';
	p = two(p, us / 10000);
	p = two(p, us / 100);
	return two(p, us);
}

static char *put_date(char *p, uint64_t year, uint64_t month, uint64_t day)
{
	p = two(p, year / 100);
	p = two(p, year % 100);
	*p++ = '-';
	p = two(p, month);
	*p++ = '-';
	return two(p, day);
}

static char *put_clock(char *p, uint64_t hour, uint64_t minute, uint64_t second)
{
	if (hour > 99)
		*p++ = (char)('0' + hour / 100 % 10);
	p = two(p, hour % 100);
	*p++ = ':';
	p = two(p, minute);
	*p++ = ':';
	return two(p, second);
}

static void put_text(struct cdc_out *o, const char *text, const char *end)
{
	cdc_out_char(o, '"');
	cdc_out_raw(o, cdc_str(text, (size_t)(end - text)));
	cdc_out_char(o, '"');
}

/* The fraction behind a time: (fsp + 1) / 2 bytes in hundreds, ten-thousands or millions. */
static uint64_t fraction(struct binlog_cur *c, uint8_t fsp)
{
	static const uint64_t unit[] = { 0, 10000, 100, 1 };
	unsigned bytes = (fsp + 1u) / 2;

	return bytes ? binlog_be(c, bytes) * unit[bytes < 4 ? bytes : 3] : 0;
}

static void put_datetime2(struct cdc_out *o, struct binlog_cur *c, uint8_t fsp)
{
	uint64_t v = binlog_be(c, 5) - UINT64_C(0x8000000000);
	uint64_t us = fraction(c, fsp), ym = v >> 22, time = v & 0x1ffff;
	char text[40], *p = text;

	if (c->bad || ym / 13 > 9999 || us > 999999) {
		c->bad = true;
		return;
	}
	p = put_date(p, ym / 13, ym % 13, v >> 17 & 31);
	*p++ = ' ';
	p = put_clock(p, time >> 12, time >> 6 & 63, time & 63);
	put_text(o, text, put_fraction(p, us));
}

/* Whole and fraction are one number, so that a negative one borrows. */
static void put_time2(struct cdc_out *o, struct binlog_cur *c, uint8_t fsp)
{
	static const uint64_t unit[] = { 1, 10000, 100, 1 };
	unsigned bytes = (fsp + 1u) / 2;
	int64_t zero = (int64_t)(UINT64_C(0x800000) << 8 * bytes);
	int64_t v = (int64_t)binlog_be(c, 3 + bytes) - zero;
	uint64_t abs = v < 0 ? (uint64_t)-v : (uint64_t)v, whole = abs >> 8 * bytes;
	uint64_t us = bytes ? (abs & ((UINT64_C(1) << 8 * bytes) - 1)) * unit[bytes] : 0;
	char text[40], *p = text;

	if (c->bad || us > 999999) {
		c->bad = true;
		return;
	}
	if (v < 0)
		*p++ = '-';
	p = put_clock(p, whole >> 12 & 0x3ff, whole >> 6 & 63, whole & 63);
	put_text(o, text, put_fraction(p, us));
}

/* 0 is the zero date, which is no instant. */
static void put_timestamp(struct cdc_out *o, struct binlog_cur *c, uint64_t seconds, uint64_t us)
{
	if (c->bad || us > 999999)
		c->bad = true;
	else if (seconds == 0 && us == 0)
		cdc_out_lit(o, "\"0000-00-00 00:00:00\"");
	else
		cdc_text_instant_s(o, (int64_t)seconds, (int32_t)us);
}

static void put_old_datetime(struct cdc_out *o, struct binlog_cur *c)
{
	uint64_t v = binlog_le(c, 8), date = v / 1000000, time = v % 1000000;
	char text[40], *p = text;

	if (c->bad || date / 10000 > 9999) {
		c->bad = true;
		return;
	}
	p = put_date(p, date / 10000, date / 100 % 100, date % 100);
	*p++ = ' ';
	put_text(o, text, put_clock(p, time / 10000, time / 100 % 100, time % 100));
}

static void put_old_time(struct cdc_out *o, struct binlog_cur *c)
{
	uint64_t v = binlog_le(c, 3);
	bool minus = (v & 0x800000) != 0;
	char text[40], *p = text;

	if (minus) {
		v = 0x1000000 - v;
		*p++ = '-';
	}
	put_text(o, text, put_clock(p, v / 10000, v / 100 % 100, v % 100));
}

static void put_day(struct cdc_out *o, struct binlog_cur *c)
{
	uint64_t v = binlog_le(c, 3);
	char text[40];

	put_text(o, text, put_date(text, v >> 9, v >> 5 & 15, v & 31));
}

static void put_year(struct cdc_out *o, struct binlog_cur *c)
{
	uint64_t v = binlog_le(c, 1);

	cdc_out_char(o, '"');
	if (v == 0)
		cdc_out_lit(o, "0000");
	else
		cdc_out_uint(o, v + 1900);
	cdc_out_char(o, '"');
}

/* --- numbers ------------------------------------------------------------ */

static void put_integer(struct cdc_out *o, struct binlog_cur *c, unsigned bytes, bool is_unsigned)
{
	uint64_t v = binlog_le(c, bytes);
	uint64_t sign = UINT64_C(1) << (8 * bytes - 1);

	cdc_out_char(o, '"');
	if (is_unsigned)
		cdc_out_uint(o, v);
	else
		cdc_out_int(o, (int64_t)((v ^ sign) - sign));
	cdc_out_char(o, '"');
}

static void put_real(struct cdc_out *o, struct binlog_cur *c, bool single)
{
	uint64_t bits = binlog_le(c, single ? 4 : 8);
	double d;

	if (single) {
		uint32_t word = (uint32_t)bits;
		float f;

		memcpy(&f, &word, sizeof(f));
		d = (double)f;
	} else {
		memcpy(&d, &bits, sizeof(d));
	}
	cdc_text_double(o, d, single);
}

static void put_new_decimal(struct cdc_out *o, const struct binlog_column *col,
			    struct binlog_cur *c)
{
	char text[128];
	size_t n;

	if (binlog_decimal(c, col->length, col->scale, text, &n))
		put_text(o, text, text + n);
	else
		c->bad = true;
}

/* --- text and bytes ----------------------------------------------------- */

int binlog_uncompress(struct cdc_str in, struct cdc_buf *out, struct cdc_err *err)
{
	struct binlog_cur c = binlog_cur(in);
	unsigned head = (unsigned)binlog_le(&c, 1), n = head & 7;
	uint64_t size;
	int rc;

	if ((head & 0xf0) != 0x80 || n == 0)
		return cdc_fail(err, CDC_EDATA, "compressed data of an unknown kind");
	size = binlog_be(&c, n < 5 ? n : 8);
	if (c.bad || n > 4 || size > out->max)
		return cdc_fail(err, CDC_EDATA, "compressed data of %llu bytes",
				(unsigned long long)size);
	rc = cdc_unpack_zlib(head & 8 ? CDC_ZLIB_RAW : CDC_ZLIB_HEADER,
			     cdc_str((const char *)c.p, binlog_left(&c)), out, err);
	if (rc == CDC_OK && out->len != size)
		rc = cdc_fail(err, CDC_EDATA, "compressed data has another length than it says");
	return rc;
}

static void put_characters(struct binlog *b, const struct binlog_column *col, struct cdc_str s)
{
	struct cdc_out *o = &b->s->out;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_str text;

	if (!col->charset) {
		/* Not told: bytes that are text in every likely set, or nothing is known. */
		if (cdc_utf8_valid(s.p, s.n))
			cdc_out_quoted(o, s);
		else
			cdc_out_fail(o, "text of a character set that the log does not tell: give "
					"--schema");
	} else if (cdc_charset_decode(&b->charsets, cdc_str_z(col->charset), s, &text, &err) < 0) {
		if (o->rc == CDC_OK) {
			o->rc = err.code;
			o->err = err;
		}
	} else {
		cdc_out_quoted(o, text);
	}
}

static bool is_binary(const struct binlog_column *col)
{
	return col->charset && strcmp(col->charset, "binary") == 0;
}

/* BINARY(n) lost its trailing zeros on the way. */
static void put_padded(struct binlog *b, const struct binlog_column *col, struct cdc_str s)
{
	struct cdc_err *err = &b->s->out.err;

	cdc_buf_reset(&b->value);
	if (cdc_buf_put(&b->value, s, err) < 0 ||
	    cdc_buf_reserve(&b->value, col->length, err) < 0) {
		cdc_out_fail(&b->s->out, "out of memory");
		return;
	}
	while (b->value.len < col->length)
		b->value.p[b->value.len++] = '\0';
	cdc_text_binary(&b->s->out, cdc_buf_str(&b->value));
}

static void put_string(struct binlog *b, const struct binlog_column *col, struct cdc_str s)
{
	if (!is_binary(col))
		put_characters(b, col, s);
	else if (col->type == BL_STRING)
		put_padded(b, col, s);
	else
		cdc_text_binary(&b->s->out, s);
}

static void put_blob(struct binlog *b, const struct binlog_column *col, struct cdc_str s)
{
	struct cdc_out *o = &b->s->out;

	if (col->type == BL_GEOMETRY) {
		cdc_text_wkb(o, s.n > 4 ? cdc_str(s.p + 4, s.n - 4) : s);
	} else if (col->type == BL_JSON) {
		cdc_buf_reset(&b->value);
		if (binlog_json(&b->value, s))
			cdc_out_quoted(o, cdc_buf_str(&b->value));
		else
			cdc_out_fail(o, "a JSON document is damaged");
	} else if (!col->charset || is_binary(col)) {
		cdc_text_binary(o, s);
	} else {
		put_characters(b, col, s);
	}
}

/* MariaDB's compressed columns: 0 and the plain bytes, or a compressed area. */
static void put_compressed(struct binlog *b, const struct binlog_column *col, struct cdc_str s)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (s.n == 0 || s.p[0] == 0)
		s = cdc_str(s.p + (s.n != 0), s.n - (s.n != 0));
	else if (binlog_uncompress(s, &b->value, &err) < 0) {
		cdc_out_fail(&b->s->out, "%s", err.msg);
		return;
	} else {
		s = cdc_buf_str(&b->value);
	}
	if (is_binary(col) || !col->charset)
		cdc_text_binary(&b->s->out, s);
	else
		put_characters(b, col, s);
}

static void put_members(struct binlog *b, const struct binlog_column *col, uint64_t v)
{
	struct cdc_out *o = &b->s->out;
	bool first = true;

	if (!col->member || (col->type == BL_ENUM ? v > col->n_members
						  : col->n_members < 64 && v >> col->n_members)) {
		cdc_out_char(o, '"');
		cdc_out_uint(o, v);
		cdc_out_char(o, '"');
		return;
	}
	cdc_out_char(o, '"');
	if (col->type == BL_ENUM && v)
		cdc_out_text(o, col->member[v - 1]);
	for (uint32_t i = 0; col->type == BL_SET && i < col->n_members && i < 64; i++) {
		if (!(v >> i & 1))
			continue;
		if (!first)
			cdc_out_char(o, ',');
		first = false;
		cdc_out_text(o, col->member[i]);
	}
	cdc_out_char(o, '"');
}

static void put_bits(struct cdc_out *o, struct binlog_cur *c, unsigned bits)
{
	uint64_t v = binlog_be(c, (bits + 7) / 8);

	cdc_out_char(o, '"');
	cdc_out_uint(o, v);
	cdc_out_char(o, '"');
}

static void print_value(struct binlog *b, const struct binlog_column *col, struct binlog_cur *c)
{
	struct cdc_out *o = &b->s->out;
	bool is_unsigned = col->sign == SIGN_UNSIGNED;
	uint64_t seconds;

	switch ((enum binlog_type)col->type) {
	case BL_TINY:
		put_integer(o, c, 1, is_unsigned);
		break;
	case BL_SHORT:
		put_integer(o, c, 2, is_unsigned);
		break;
	case BL_INT24:
		put_integer(o, c, 3, is_unsigned);
		break;
	case BL_LONG:
		put_integer(o, c, 4, is_unsigned);
		break;
	case BL_LONGLONG:
		put_integer(o, c, 8, is_unsigned);
		break;
	case BL_FLOAT:
	case BL_DOUBLE:
		put_real(o, c, col->type == BL_FLOAT);
		break;
	case BL_NEWDECIMAL:
		put_new_decimal(o, col, c);
		break;
	case BL_YEAR:
		put_year(o, c);
		break;
	case BL_DATE:
	case BL_NEWDATE:
		put_day(o, c);
		break;
	case BL_TIME:
		put_old_time(o, c);
		break;
	case BL_DATETIME:
		put_old_datetime(o, c);
		break;
	case BL_TIMESTAMP:
		put_timestamp(o, c, binlog_le(c, 4), 0);
		break;
	case BL_TIMESTAMP2:
		seconds = binlog_be(c, 4);
		put_timestamp(o, c, seconds, fraction(c, col->fsp));
		break;
	case BL_DATETIME2:
		put_datetime2(o, c, col->fsp);
		break;
	case BL_TIME2:
		put_time2(o, c, col->fsp);
		break;
	case BL_BIT:
		put_bits(o, c, col->length);
		break;
	case BL_ENUM:
	case BL_SET:
		put_members(b, col, binlog_le(c, col->length_bytes));
		break;
	case BL_VARCHAR:
	case BL_VAR_STRING:
	case BL_STRING:
		put_string(b, col, binlog_bytes(c, binlog_le(c, col->length_bytes)));
		break;
	case BL_BLOB:
	case BL_TINY_BLOB:
	case BL_MEDIUM_BLOB:
	case BL_LONG_BLOB:
	case BL_JSON:
	case BL_GEOMETRY:
	case BL_VECTOR:
		put_blob(b, col, binlog_bytes(c, binlog_le(c, col->length_bytes)));
		break;
	case BL_BLOB_COMPRESSED:
	case BL_VARCHAR_COMPRESSED:
		put_compressed(b, col, binlog_bytes(c, binlog_le(c, col->length_bytes)));
		break;
	case BL_DECIMAL:
	case BL_NULL:
		c->bad = true;
		break;
	}
}

void binlog_value(struct binlog *b, const struct binlog_column *col, struct binlog_cur *c,
		  bool print)
{
	struct cdc_out *o = &b->s->out;
	size_t mark = o->buf.len;

	if (print) {
		print_value(b, col, c);
		return;
	}
	print_value(b, col, c);
	o->buf.len = mark;
}

struct cdc_str binlog_json_bytes(const struct binlog_column *col, struct binlog_cur *c)
{
	return binlog_bytes(c, binlog_le(c, col->length_bytes));
}

void binlog_partial_value(struct binlog *b, const struct binlog_column *col, struct binlog_cur *c,
			  struct cdc_str before, bool print)
{
	struct cdc_str diffs = binlog_json_bytes(col, c);
	struct cdc_out *o = &b->s->out;
	struct cdc_err err = CDC_ERR_INIT;

	if (!print || c->bad)
		return;
	cdc_buf_reset(&b->value);
	if (!before.p)
		cdc_out_fail(o, "a partial update of a JSON document that the row before lacks");
	else if (!binlog_json(&b->value, before))
		cdc_out_fail(o, "a JSON document is damaged");
	else if (binlog_json_apply(&b->value, diffs, &err) < 0)
		cdc_out_fail(o, "%s", err.msg);
	else
		cdc_out_quoted(o, cdc_buf_str(&b->value));
}
