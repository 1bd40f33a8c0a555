/* Prints typed values of text exports. */
#include "source/export/row_value.h"

#include "base/value.h"
#include "source/value/value_text.h"

static const struct {
	const char *type;
	enum cdc_row_as as;
} types[] = {
	{ "datetime", CDC_ROW_AS_DATETIME },
	{ "timestamp_ntz", CDC_ROW_AS_DATETIME },
	{ "timestamp", CDC_ROW_AS_INSTANT },
	{ "timestamptz", CDC_ROW_AS_INSTANT },
	{ "time", CDC_ROW_AS_TIME },
	{ "float", CDC_ROW_AS_FLOAT },
	{ "real", CDC_ROW_AS_DOUBLE },
	{ "double", CDC_ROW_AS_DOUBLE },
	{ "double precision", CDC_ROW_AS_DOUBLE },
	{ "boolean", CDC_ROW_AS_BOOLEAN },
	{ "bool", CDC_ROW_AS_BOOLEAN },
	{ "binary", CDC_ROW_AS_BYTES },
	{ "varbinary", CDC_ROW_AS_BYTES },
	{ "tinyblob", CDC_ROW_AS_BYTES },
	{ "blob", CDC_ROW_AS_BYTES },
	{ "mediumblob", CDC_ROW_AS_BYTES },
	{ "longblob", CDC_ROW_AS_BYTES },
	{ "bit", CDC_ROW_AS_BITS },
};

enum cdc_row_as cdc_row_as(enum cdc_row_style style, struct cdc_str type)
{
	enum cdc_row_as as = CDC_ROW_AS_IT_IS;
	struct cdc_str base = type;

	for (base.n = 0; base.n < type.n && type.p[base.n] != '('; base.n++)
		;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (cdc_str_ieq(base, cdc_str_z(types[i].type)))
			as = types[i].as;
	}
	/* Only MySQL writes bytes as they are; Sqoop's are hexadecimal, its bits are true and
	 * false; in CSV they are text already. */
	if (as == CDC_ROW_AS_BYTES && style == CDC_ROWS_SQOOP)
		return CDC_ROW_AS_HEX;
	if (cdc_row_is_bytes(as) && style != CDC_ROWS_MYSQL)
		return CDC_ROW_AS_IT_IS;
	return as;
}

static void print_bits(struct cdc_out *o, struct cdc_str s)
{
	char text[CDC_VALUE_TEXT_MAX] = "";
	uint64_t v = 0;

	if (s.n > 8) {
		cdc_out_fail(o, "a bit value of more than 64 bits");
		return;
	}
	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (unsigned char)s.p[i];
	cdc_out_char(o, '"');
	cdc_out_raw(o, cdc_str(text, cdc_uint64_format(v, text)));
	cdc_out_char(o, '"');
}

static int nibble(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Hadoop's text of bytes: pairs of digits with blanks between. Three bytes are four of base64. */
static void print_hex(struct cdc_out *o, struct cdc_str s)
{
	char three[3] = { 0, 0, 0 };
	size_t n = 0;

	cdc_out_char(o, '"');
	for (size_t i = 0; i < s.n; i += 3) {
		int high = nibble(s.p[i]), low = i + 1 < s.n ? nibble(s.p[i + 1]) : -1;

		if (high < 0 || low < 0 || (i + 2 < s.n && s.p[i + 2] != ' ') || i + 3 == s.n) {
			cdc_out_fail(o, "bytes are not written as \"61 62 63\"");
			return;
		}
		three[n++] = (char)(high << 4 | low);
		if (n == 3) {
			cdc_out_base64(o, cdc_str(three, 3));
			n = 0;
		}
	}
	cdc_out_base64(o, cdc_str(three, n));
	cdc_out_char(o, '"');
}

void cdc_row_print(struct cdc_out *o, enum cdc_row_as as, struct cdc_str s,
		   const struct cdc_zone *zone)
{
	switch (as) {
	case CDC_ROW_AS_DATETIME:
		cdc_text_datetime(o, s);
		return;
	case CDC_ROW_AS_INSTANT:
		cdc_text_instant(o, s, zone);
		return;
	case CDC_ROW_AS_TIME:
		cdc_text_time(o, s);
		return;
	case CDC_ROW_AS_FLOAT:
	case CDC_ROW_AS_DOUBLE:
		cdc_text_float(o, s, as == CDC_ROW_AS_FLOAT);
		return;
	case CDC_ROW_AS_BOOLEAN:
		cdc_text_bool(o, s);
		return;
	case CDC_ROW_AS_BYTES:
		cdc_text_binary(o, s);
		return;
	case CDC_ROW_AS_HEX:
		print_hex(o, s);
		return;
	case CDC_ROW_AS_BITS:
		print_bits(o, s);
		return;
	case CDC_ROW_AS_IT_IS:
		break;
	}
	cdc_out_quoted(o, s);
}
