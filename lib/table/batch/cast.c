/*
 * Text to typed values. See cast.h.
 */
#include "table/batch/cast.h"

#include "base/value.h"

#include <math.h>

static int misfit(const struct cdc_field *f, struct cdc_str text, const char *why,
		  struct cdc_err *err)
{
	char type[CDC_TYPE_NAME_MAX];
	int shown = text.n > 64 ? 64 : (int)text.n;

	return cdc_fail(err, CDC_EDATA, "column \"%.*s\": \"%.*s%s\" is %s for type %s",
			(int)f->name.n, f->name.p, shown, text.p, text.n > 64 ? "..." : "", why,
			cdc_type_name(f, type));
}

static enum cdc_parse cast_integer(struct cdc_str text, int64_t min, int64_t max, int64_t *out)
{
	enum cdc_parse p = cdc_int64_parse(text, out);

	return !p && (*out < min || *out > max) ? CDC_PARSE_RANGE : p;
}

/* Integers of MySQL's tinyint(1) and bit(1) columns arrive as booleans from some sources. */
static enum cdc_parse cast_bool_as_integer(struct cdc_str text, int64_t *out)
{
	*out = cdc_str_ieq(text, CDC_STR("true"));
	return *out || cdc_str_ieq(text, CDC_STR("false")) ? CDC_PARSE_OK : CDC_PARSE_SYNTAX;
}

static enum cdc_parse cast_timestamp(struct cdc_str text, bool instant, int64_t *out)
{
	bool zone = false;
	enum cdc_parse p = cdc_timestamp_parse(text, instant, out, &zone);

	/* A wall clock without a zone column is not an instant, but UTC is what sources without a
	 * zone mean by convention; an instant put into a zoneless column would lose its zone. */
	if (!p && !instant && zone)
		return CDC_PARSE_SYNTAX;
	return p;
}

static enum cdc_parse cast_binary(struct cdc_str text, struct cdc_arena *arena, struct cdc_str *out)
{
	size_t n = 0;
	char *p = cdc_arena_alloc(arena, text.n + 1);
	enum cdc_parse rc;

	if (!p)
		return CDC_PARSE_RANGE;
	rc = cdc_base64_decode(text, p, &n);
	*out = cdc_str(p, n);
	return rc;
}

static enum cdc_parse cast_float(struct cdc_str text, double *out)
{
	float v = 0;
	enum cdc_parse p = cdc_float_parse(text, &v);

	*out = (double)v;
	return p;
}

int cdc_cast_text(const struct cdc_field *f, struct cdc_str text, struct cdc_arena *arena,
		  union cdc_value *out, struct cdc_err *err)
{
	enum cdc_parse p = CDC_PARSE_SYNTAX;
	int32_t days = 0;
	bool b = false;

	switch (f->type) {
	case CDC_TYPE_BOOLEAN:
		p = cdc_bool_parse(text, &b);
		out->i = b;
		break;
	case CDC_TYPE_BYTE:
		p = cast_integer(text, INT8_MIN, INT8_MAX, &out->i);
		break;
	case CDC_TYPE_SHORT:
		p = cast_integer(text, INT16_MIN, INT16_MAX, &out->i);
		break;
	case CDC_TYPE_INTEGER:
		p = cast_integer(text, INT32_MIN, INT32_MAX, &out->i);
		break;
	case CDC_TYPE_LONG:
		p = cdc_int64_parse(text, &out->i);
		break;
	case CDC_TYPE_FLOAT:
		p = cast_float(text, &out->d);
		break;
	case CDC_TYPE_DOUBLE:
		p = cdc_double_parse(text, &out->d);
		break;
	case CDC_TYPE_DECIMAL:
		p = cdc_decimal_parse(text, f->precision, f->scale, &out->dec);
		break;
	case CDC_TYPE_STRING:
		out->s = text;
		return CDC_OK;
	case CDC_TYPE_BINARY:
		p = cast_binary(text, arena, &out->s);
		break;
	case CDC_TYPE_DATE:
		p = cdc_date_parse(text, &days);
		out->i = days;
		break;
	case CDC_TYPE_TIMESTAMP:
	case CDC_TYPE_TIMESTAMP_NTZ:
		p = cast_timestamp(text, f->type == CDC_TYPE_TIMESTAMP, &out->i);
		break;
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
		return misfit(f, text, "not possible", err);
	}
	if (p == CDC_PARSE_SYNTAX && f->type >= CDC_TYPE_BYTE && f->type <= CDC_TYPE_LONG)
		p = cast_bool_as_integer(text, &out->i);
	return p ? misfit(f, text, cdc_parse_text(p), err) : CDC_OK;
}
