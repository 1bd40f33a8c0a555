/*
 * Names of what a Parquet footer holds by number, and bounds as text. See describe_names.h.
 */
#include "table/describe/describe_names.h"

#include "base/endian.h"
#include "base/value.h"

#define COUNT(names) (int)(sizeof(names) / sizeof((names)[0]))
#define DECIMAL_DIGITS 38 /* what 16 bytes hold */

static const char *name_of(const char *const *names, int n, int i)
{
	return i >= 0 && i < n ? names[i] : NULL;
}

const char *cdc_pq_name_type(enum cdc_pq_type t)
{
	static const char *const names[] = { "BOOLEAN",	   "INT32",
					     "INT64",	   "INT96",
					     "FLOAT",	   "DOUBLE",
					     "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY" };

	return name_of(names, COUNT(names), (int)t);
}

const char *cdc_pq_name_repetition(enum cdc_pq_repetition r)
{
	static const char *const names[] = { "REQUIRED", "OPTIONAL", "REPEATED" };

	return name_of(names, COUNT(names), (int)r);
}

const char *cdc_pq_name_converted(enum cdc_pq_converted c)
{
	static const char *const names[] = {
		"UTF8",
		"MAP",
		"MAP_KEY_VALUE",
		"LIST",
		"ENUM",
		"DECIMAL",
		"DATE",
		"TIME_MILLIS",
		"TIME_MICROS",
		"TIMESTAMP_MILLIS",
		"TIMESTAMP_MICROS",
		"UINT_8",
		"UINT_16",
		"UINT_32",
		"UINT_64",
		"INT_8",
		"INT_16",
		"INT_32",
		"INT_64",
		"JSON",
		"BSON",
		"INTERVAL",
	};

	return name_of(names, COUNT(names), (int)c);
}

const char *cdc_pq_name_logical(enum cdc_pq_logical l)
{
	static const char *const names[] = {
		NULL,	"STRING",    "MAP",	"LIST",	    "ENUM",	 "DECIMAL", "DATE",
		"TIME", "TIMESTAMP", NULL,	"INTEGER",  "UNKNOWN",	 "JSON",    "BSON",
		"UUID", "FLOAT16",   "VARIANT", "GEOMETRY", "GEOGRAPHY",
	};

	return l == CDC_PQ_LOGICAL_OTHER ? "OTHER" : name_of(names, COUNT(names), (int)l);
}

const char *cdc_pq_name_unit(enum cdc_pq_time_unit u)
{
	static const char *const names[] = { NULL, "MILLIS", "MICROS", "NANOS" };

	return name_of(names, COUNT(names), (int)u);
}

const char *cdc_pq_name_codec(enum cdc_pq_codec c)
{
	static const char *const names[] = { "UNCOMPRESSED", "SNAPPY", "GZIP", "LZO",
					     "BROTLI",	     "LZ4",    "ZSTD", "LZ4_RAW" };

	return name_of(names, COUNT(names), (int)c);
}

const char *cdc_pq_name_encoding(int encoding)
{
	static const char *const names[] = {
		"PLAIN",
		NULL,
		"PLAIN_DICTIONARY",
		"RLE",
		"BIT_PACKED",
		"DELTA_BINARY_PACKED",
		"DELTA_LENGTH_BYTE_ARRAY",
		"DELTA_BYTE_ARRAY",
		"RLE_DICTIONARY",
		"BYTE_STREAM_SPLIT",
	};

	return name_of(names, COUNT(names), encoding);
}

int cdc_pq_put_path(const struct cdc_pq_schema *s, int32_t node, struct cdc_buf *out,
		    struct cdc_err *err)
{
	int32_t up[CDC_PQ_DEPTH + 1];
	int depth = 0, rc = CDC_OK;

	for (; node > 0 && depth <= CDC_PQ_DEPTH; node = s->node[node].parent)
		up[depth++] = node;
	while (rc == CDC_OK && depth-- > 0) {
		rc = cdc_buf_put(out, s->node[up[depth]].name, err);
		if (rc == CDC_OK && depth)
			rc = cdc_buf_putc(out, '.', err);
	}
	return rc;
}

static bool is_decimal(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_DECIMAL || n->converted == CDC_PQ_CONV_DECIMAL;
}

int cdc_pq_put_type(const struct cdc_pq_node *n, struct cdc_buf *out, struct cdc_err *err)
{
	const char *name = cdc_pq_name_logical(n->logical);

	if (!name)
		name = cdc_pq_name_converted(n->converted);
	if (!name)
		name = cdc_pq_name_type(n->type);
	if (is_decimal(n))
		return cdc_buf_printf(out, err, "DECIMAL(%d,%d)", (int)n->precision, (int)n->scale);
	if (n->logical == CDC_PQ_LOGICAL_TIME || n->logical == CDC_PQ_LOGICAL_TIMESTAMP)
		return cdc_buf_printf(out, err, "%s(%s%s)", name, cdc_pq_name_unit(n->unit),
				      n->utc ? ",UTC" : "");
	if (n->logical == CDC_PQ_LOGICAL_INTEGER)
		return cdc_buf_printf(out, err, "%s_%d", n->is_signed ? "INT" : "UINT",
				      (int)n->bit_width);
	if (n->type == CDC_PQ_FIXED && n->logical == CDC_PQ_LOGICAL_NONE)
		return cdc_buf_printf(out, err, "%s(%d)", name, (int)n->type_length);
	return cdc_buf_puts(out, name ? name : "?", err);
}

/* ------------------------------------------------------------------ bounds */

static int put_base64(struct cdc_str s, struct cdc_buf *out, struct cdc_err *err)
{
	int rc = cdc_buf_reserve(out, s.n / 3 * 4 + 4, err);

	if (rc == CDC_OK)
		out->len += cdc_base64_encode(s.p, s.n, out->p + out->len);
	return rc;
}

/* Big-endian two's complement of up to 16 bytes. */
static cdc_i128 big_endian(struct cdc_str s)
{
	cdc_u128 v = s.n && (s.p[0] & 0x80) ? ~(cdc_u128)0 : 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (unsigned char)s.p[i];
	return (cdc_i128)v;
}

static bool has_decimal_text(const struct cdc_pq_node *n)
{
	return is_decimal(n) && n->precision <= DECIMAL_DIGITS && n->scale >= 0 &&
	       n->scale <= n->precision;
}

static int put_uuid(struct cdc_str s, struct cdc_buf *out, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (size_t i = 0; rc == CDC_OK && i < s.n; i++)
		rc = cdc_buf_printf(out, err, "%s%02x",
				    i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
				    (unsigned)(unsigned char)s.p[i]);
	return rc;
}

static bool is_text(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_STRING || n->logical == CDC_PQ_LOGICAL_ENUM ||
	       n->logical == CDC_PQ_LOGICAL_JSON || n->converted == CDC_PQ_CONV_UTF8 ||
	       n->converted == CDC_PQ_CONV_ENUM || n->converted == CDC_PQ_CONV_JSON;
}

static int put_bytes(const struct cdc_pq_node *n, struct cdc_str s, struct cdc_buf *out,
		     struct cdc_err *err)
{
	char text[CDC_VALUE_TEXT_MAX];

	if (has_decimal_text(n) && s.n <= sizeof(cdc_i128))
		return cdc_buf_append(out, text, cdc_decimal_format(big_endian(s), n->scale, text),
				      err);
	if (n->logical == CDC_PQ_LOGICAL_UUID && s.n == 16)
		return put_uuid(s, out, err);
	return is_text(n) ? cdc_buf_put(out, s, err) : put_base64(s, out, err);
}

/* The unit of a time of day or of a timestamp; 0: the column is neither. */
static enum cdc_pq_time_unit unit_of(const struct cdc_pq_node *n)
{
	if (n->logical == CDC_PQ_LOGICAL_TIME || n->logical == CDC_PQ_LOGICAL_TIMESTAMP)
		return n->unit;
	if (n->converted == CDC_PQ_CONV_TIME_MILLIS || n->converted == CDC_PQ_CONV_TIMESTAMP_MILLIS)
		return CDC_PQ_MILLIS;
	if (n->converted == CDC_PQ_CONV_TIME_MICROS || n->converted == CDC_PQ_CONV_TIMESTAMP_MICROS)
		return CDC_PQ_MICROS;
	return (enum cdc_pq_time_unit)0;
}

static bool is_time_of_day(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_TIME || n->converted == CDC_PQ_CONV_TIME_MILLIS ||
	       n->converted == CDC_PQ_CONV_TIME_MICROS;
}

static bool is_utc(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_NONE || n->utc;
}

/* *n receives the length; false: no such time. A time of day is one of 1970-01-01. */
static bool format_time(const struct cdc_pq_node *n, enum cdc_pq_time_unit unit, int64_t v,
			char *text, size_t *len)
{
	const int64_t day_us = INT64_C(86400000000);
	bool of_day = is_time_of_day(n);
	int64_t us = v;
	char whole[CDC_VALUE_TEXT_MAX];
	int nanos = 0;

	if (unit == CDC_PQ_MILLIS && __builtin_mul_overflow(v, 1000, &us))
		return false;
	if (unit == CDC_PQ_NANOS) {
		nanos = (int)(v % 1000 < 0 ? v % 1000 + 1000 : v % 1000);
		us = v / 1000 - (v % 1000 < 0);
	}
	if (of_day && (us < 0 || us >= day_us))
		return false;
	*len = cdc_timestamp_format_fixed(us, is_utc(n) ? 'T' : ' ', false,
					  unit == CDC_PQ_MILLIS ? 3 : 6, whole);
	memcpy(text, of_day ? whole + 11 : whole, of_day ? *len - 11 : *len);
	*len -= of_day ? 11 : 0;
	for (int d = 100; unit == CDC_PQ_NANOS && d; d /= 10)
		text[(*len)++] = (char)('0' + nanos / d % 10);
	if (!of_day && is_utc(n))
		text[(*len)++] = 'Z';
	return true;
}

static bool is_date(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_DATE || n->converted == CDC_PQ_CONV_DATE;
}

static bool is_unsigned(const struct cdc_pq_node *n)
{
	if (n->logical == CDC_PQ_LOGICAL_INTEGER)
		return !n->is_signed;
	return n->converted >= CDC_PQ_CONV_UINT_8 && n->converted <= CDC_PQ_CONV_UINT_64;
}

static size_t format_int(const struct cdc_pq_node *n, int64_t v, char *text)
{
	enum cdc_pq_time_unit unit = unit_of(n);
	size_t len;

	if (is_date(n) && v >= INT32_MIN && v <= INT32_MAX)
		return cdc_date_format((int32_t)v, text);
	if (has_decimal_text(n))
		return cdc_decimal_format(v, n->scale, text);
	if (unit && format_time(n, unit, v, text, &len))
		return len;
	if (is_unsigned(n))
		return cdc_uint64_format(n->type == CDC_PQ_INT32 ? (uint32_t)v : (uint64_t)v, text);
	return cdc_int64_format(v, text);
}

static size_t format_float(const struct cdc_pq_node *n, const char *p, char *text)
{
	uint64_t wide = n->type == CDC_PQ_DOUBLE ? cdc_le64(p) : 0;
	uint32_t narrow = n->type == CDC_PQ_DOUBLE ? 0 : cdc_le32(p);
	double d;
	float f;

	memcpy(&d, &wide, sizeof(d));
	memcpy(&f, &narrow, sizeof(f));
	return n->type == CDC_PQ_DOUBLE ? cdc_double_format(d, text) : cdc_float_format(f, text);
}

int cdc_pq_put_bound(const struct cdc_pq_node *leaf, struct cdc_str plain, struct cdc_buf *out,
		     struct cdc_err *err)
{
	char text[CDC_VALUE_TEXT_MAX];
	size_t n = 0;

	switch (leaf->type) {
	case CDC_PQ_BOOLEAN:
		return cdc_buf_puts(out, plain.n && plain.p[0] ? "true" : "false", err);
	case CDC_PQ_INT32:
		n = format_int(leaf, (int32_t)cdc_le32(plain.p), text);
		break;
	case CDC_PQ_INT64:
		n = format_int(leaf, (int64_t)cdc_le64(plain.p), text);
		break;
	case CDC_PQ_FLOAT:
	case CDC_PQ_DOUBLE:
		n = format_float(leaf, plain.p, text);
		break;
	case CDC_PQ_BYTE_ARRAY:
	case CDC_PQ_FIXED:
		return put_bytes(leaf, plain, out, err);
	case CDC_PQ_INT96:
		return put_base64(plain, out, err);
	}
	return cdc_buf_append(out, text, n, err);
}
