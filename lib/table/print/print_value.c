/*
 * The text of one value of a flat type. See print_int.h.
 */
#include "table/print/print_int.h"

#include "base/endian.h"

#include <math.h>

static size_t interval(const char *p, char *out)
{
	return cdc_interval_format(cdc_le32(p), cdc_le32(p + 4), cdc_le32(p + 8), out);
}

size_t cdc_print_value(const struct cdc_column *c, uint32_t row, char *out)
{
	switch (c->field->type) {
	case CDC_TYPE_BOOLEAN:
		if (((const uint8_t *)c->values)[row]) {
			memcpy(out, "true", 4);
			return 4;
		}
		memcpy(out, "false", 5);
		return 5;
	case CDC_TYPE_BYTE:
	case CDC_TYPE_SHORT:
	case CDC_TYPE_INTEGER:
		return cdc_int64_format(((const int32_t *)c->values)[row], out);
	case CDC_TYPE_LONG:
		return cdc_int64_format(((const int64_t *)c->values)[row], out);
	case CDC_TYPE_FLOAT:
		return cdc_float_format(((const float *)c->values)[row], out);
	case CDC_TYPE_DOUBLE:
		return cdc_double_format(((const double *)c->values)[row], out);
	case CDC_TYPE_DECIMAL:
		return cdc_decimal_format(((const cdc_i128 *)c->values)[row], c->field->scale, out);
	case CDC_TYPE_DATE:
		return cdc_date_format(((const int32_t *)c->values)[row], out);
	case CDC_TYPE_TIMESTAMP:
		return cdc_timestamp_format(((const int64_t *)c->values)[row], 'T', true, out);
	case CDC_TYPE_TIMESTAMP_NTZ:
		return cdc_timestamp_format(((const int64_t *)c->values)[row], ' ', false, out);
	case CDC_TYPE_TIME:
		return cdc_time_format(((const int64_t *)c->values)[row], out);
	case CDC_TYPE_TIMESTAMP_NS:
		return cdc_timestamp_ns_format(((const cdc_i128 *)c->values)[row], 'T', true, out);
	case CDC_TYPE_TIMESTAMP_NTZ_NS:
		return cdc_timestamp_ns_format(((const cdc_i128 *)c->values)[row], ' ', false, out);
	case CDC_TYPE_UUID:
		return cdc_uuid_format(((const struct cdc_str *)c->values)[row].p, out);
	case CDC_TYPE_INTERVAL:
		return interval(((const struct cdc_str *)c->values)[row].p, out);
	case CDC_TYPE_STRING:
	case CDC_TYPE_BINARY:
	case CDC_TYPE_VOID:
	case CDC_TYPE_VARIANT:
	case CDC_TYPE_STRUCT:
	case CDC_TYPE_ARRAY:
	case CDC_TYPE_MAP:
	case CDC_TYPE_BIG_DECIMAL:
		break;
	}
	return 0;
}

/* Numbers and booleans bare; dates, times, NaN and infinities in quotes. */
static inline bool is_quoted(const struct cdc_column *c, uint32_t row)
{
	const uint32_t quoted = 1u << CDC_TYPE_DATE | 1u << CDC_TYPE_TIMESTAMP |
				1u << CDC_TYPE_TIMESTAMP_NTZ | 1u << CDC_TYPE_TIME |
				1u << CDC_TYPE_TIMESTAMP_NS | 1u << CDC_TYPE_TIMESTAMP_NTZ_NS |
				1u << CDC_TYPE_UUID | 1u << CDC_TYPE_INTERVAL;
	enum cdc_type t = c->field->type;

	if (t == CDC_TYPE_DOUBLE)
		return !isfinite(((const double *)c->values)[row]);
	if (t == CDC_TYPE_FLOAT)
		return !isfinite(((const float *)c->values)[row]);
	return quoted >> t & 1;
}

size_t cdc_print_json_scalar(const struct cdc_column *c, uint32_t row, char *out)
{
	size_t n;

	if (!is_quoted(c, row))
		return cdc_print_value(c, row, out);
	out[0] = '"';
	n = cdc_print_value(c, row, out + 1);
	out[n + 1] = '"';
	return n + 2;
}
