/*
 * Partition values: the text of the log to values and back (Delta protocol, "Partition Value
 * Serialization"; spec section 7).
 */
#include "delta/stats.h"

static int bad_value(const struct cdc_field *f, struct cdc_str text, enum cdc_parse why,
		     struct cdc_err *err)
{
	char type[CDC_TYPE_NAME_MAX];

	return cdc_fail(err, CDC_ECORRUPT, "partition column \"%.*s\": \"%.*s\" as %s is %s",
			(int)(f->name.n > 100 ? 100 : f->name.n), f->name.p,
			(int)(text.n > 100 ? 100 : text.n), text.p, cdc_type_name(f, type),
			cdc_parse_text(why));
}

static enum cdc_parse parse_integer(struct cdc_str text, int bits, int64_t *out)
{
	enum cdc_parse p = cdc_int64_parse(text, out);

	if (p == CDC_PARSE_OK && bits < 64 &&
	    (*out < -(INT64_C(1) << (bits - 1)) || *out >= INT64_C(1) << (bits - 1)))
		return CDC_PARSE_RANGE;
	return p;
}

static enum cdc_parse parse_value(const struct cdc_field *f, struct cdc_str text,
				  union cdc_value *out)
{
	enum cdc_parse p;
	int32_t days;
	float narrow;
	bool flag;

	switch (f->type) {
	case CDC_TYPE_BOOLEAN:
		p = cdc_bool_parse(text, &flag);
		out->i = p == CDC_PARSE_OK && flag;
		return p;
	case CDC_TYPE_BYTE:
		return parse_integer(text, 8, &out->i);
	case CDC_TYPE_SHORT:
		return parse_integer(text, 16, &out->i);
	case CDC_TYPE_INTEGER:
		return parse_integer(text, 32, &out->i);
	case CDC_TYPE_LONG:
		return parse_integer(text, 64, &out->i);
	case CDC_TYPE_FLOAT:
		p = cdc_float_parse(text, &narrow);
		if (p == CDC_PARSE_OK)
			out->d = narrow;
		return p;
	case CDC_TYPE_DOUBLE:
		return cdc_double_parse(text, &out->d);
	case CDC_TYPE_DECIMAL:
		return cdc_decimal_parse(text, f->precision, f->scale, &out->dec);
	case CDC_TYPE_STRING:
	case CDC_TYPE_BINARY:
		out->s = text;
		return CDC_PARSE_OK;
	case CDC_TYPE_DATE:
		p = cdc_date_parse(text, &days);
		if (p == CDC_PARSE_OK)
			out->i = days;
		return p;
	case CDC_TYPE_TIMESTAMP:
	case CDC_TYPE_TIMESTAMP_NTZ:
		return cdc_timestamp_parse(text, false, &out->i, &flag);
	case CDC_TYPE_VOID:
	case CDC_TYPE_VARIANT:
	case CDC_TYPE_STRUCT:
	case CDC_TYPE_ARRAY:
	case CDC_TYPE_MAP:
	case CDC_TYPE_TIME:
	case CDC_TYPE_TIMESTAMP_NS:
	case CDC_TYPE_TIMESTAMP_NTZ_NS:
	case CDC_TYPE_UUID:
	case CDC_TYPE_INTERVAL:
	case CDC_TYPE_BIG_DECIMAL:
		break;
	}
	return CDC_PARSE_SYNTAX;
}

int cdc_partition_parse(const struct cdc_field *f, struct cdc_str text, union cdc_value *out,
			bool *is_null, struct cdc_err *err)
{
	enum cdc_parse p;

	*is_null = !text.p || !text.n;
	if (*is_null)
		return CDC_OK;
	p = parse_value(f, text, out);
	return p == CDC_PARSE_OK ? CDC_OK : bad_value(f, text, p, err);
}

static size_t format_value(const struct cdc_field *f, const union cdc_value *v, char *text)
{
	switch (f->type) {
	case CDC_TYPE_BOOLEAN:
		memcpy(text, v->i ? "true" : "false", 5);
		return v->i ? 4 : 5;
	case CDC_TYPE_BYTE:
	case CDC_TYPE_SHORT:
	case CDC_TYPE_INTEGER:
	case CDC_TYPE_LONG:
		return cdc_int64_format(v->i, text);
	case CDC_TYPE_FLOAT:
		return cdc_float_format((float)v->d, text);
	case CDC_TYPE_DOUBLE:
		return cdc_double_format(v->d, text);
	case CDC_TYPE_DECIMAL:
		return cdc_decimal_format(v->dec, f->scale, text);
	case CDC_TYPE_DATE:
		return cdc_date_format((int32_t)v->i, text);
	case CDC_TYPE_TIMESTAMP:
		return cdc_timestamp_format_fixed(v->i, 'T', true, 6, text);
	case CDC_TYPE_TIMESTAMP_NTZ:
		return cdc_timestamp_format(v->i, ' ', false, text);
	case CDC_TYPE_STRING:
	case CDC_TYPE_BINARY:
	case CDC_TYPE_VOID:
	case CDC_TYPE_VARIANT:
	case CDC_TYPE_STRUCT:
	case CDC_TYPE_ARRAY:
	case CDC_TYPE_MAP:
	case CDC_TYPE_TIME:
	case CDC_TYPE_TIMESTAMP_NS:
	case CDC_TYPE_TIMESTAMP_NTZ_NS:
	case CDC_TYPE_UUID:
	case CDC_TYPE_INTERVAL:
	case CDC_TYPE_BIG_DECIMAL:
		break;
	}
	return 0;
}

int cdc_partition_format(const struct cdc_field *f, const union cdc_value *v, struct cdc_buf *out,
			 struct cdc_err *err)
{
	char text[CDC_VALUE_TEXT_MAX];

	if (!cdc_type_is_primitive(f->type))
		return cdc_fail(err, CDC_EUNSUPPORTED, "a table cannot be partitioned by \"%.*s\"",
				(int)(f->name.n > 100 ? 100 : f->name.n), f->name.p);
	if (f->type == CDC_TYPE_STRING || f->type == CDC_TYPE_BINARY)
		return cdc_buf_put(out, v->s, err);
	return cdc_buf_append(out, text, format_value(f, v, text), err);
}
