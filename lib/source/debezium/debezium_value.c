/* Values of Debezium JSON by their Connect type. */
#include "source/debezium/debezium_int.h"

#include "base/value.h"
#include "source/value/value_text.h"

/* The bytes of a base64 text, in the scratch arena. */
static bool decode(struct debezium *d, struct cdc_str s, struct cdc_str *bytes)
{
	struct cdc_out *o = &d->j.s->out;
	char *p;
	size_t n;

	cdc_arena_reset(&d->j.scratch);
	p = cdc_arena_alloc(&d->j.scratch, s.n + 3);
	if (!p) {
		if (o->rc == CDC_OK)
			o->rc = cdc_fail_nomem(&o->err);
		return false;
	}
	if (cdc_base64_decode(s, p, &n) != CDC_PARSE_OK) {
		cdc_out_fail(o, "bytes that are not base64");
		return false;
	}
	*bytes = cdc_str(p, n);
	return true;
}

static void put_decimal(struct debezium *d, uint32_t scale, uint32_t i)
{
	struct cdc_str s = cdc_json_in_text(&d->j, i), bytes;

	/* The converter may be told to write numbers. */
	if (!cdc_json_in_is(&d->j, i, CDC_JSON_STRING))
		cdc_text_decimal(&d->j.s->out, s);
	else if (decode(d, s, &bytes))
		cdc_text_unscaled(&d->j.s->out, bytes, scale);
}

/* Of a column that --schema gives, which may have come as text. */
static void put_given_decimal(struct debezium *d, const struct cdc_change_table *t, uint32_t arg,
			      uint32_t i)
{
	struct cdc_str s = cdc_json_in_text(&d->j, i);
	uint32_t scale;

	if (cdc_json_in_is(&d->j, i, CDC_JSON_STRING) && debezium_is_base64(d, t, arg, s, &scale))
		put_decimal(d, scale, i);
	else
		cdc_text_decimal(&d->j.s->out, s);
}

static void put_variable_decimal(struct debezium *d, uint32_t i)
{
	uint32_t scale = cdc_json_get(&d->j.tape, i, "scale");
	uint32_t value = cdc_json_get(&d->j.tape, i, "value");
	struct cdc_str bytes;
	int64_t n;

	if (!cdc_json_in_is(&d->j, scale, CDC_JSON_NUMBER) ||
	    !cdc_json_in_is(&d->j, value, CDC_JSON_STRING) ||
	    !cdc_json_int64(&d->j.tape, scale, &n))
		cdc_out_fail(&d->j.s->out, "a decimal lacks its scale or its value");
	else if (decode(d, cdc_json_in_text(&d->j, value), &bytes))
		cdc_text_unscaled(&d->j.s->out, bytes, n);
}

static void put_geometry(struct debezium *d, uint32_t i)
{
	uint32_t wkb = cdc_json_get(&d->j.tape, i, "wkb");
	struct cdc_str bytes;

	if (!cdc_json_in_is(&d->j, wkb, CDC_JSON_STRING))
		cdc_out_fail(&d->j.s->out, "a geometry without wkb");
	else if (decode(d, cdc_json_in_text(&d->j, wkb), &bytes))
		cdc_text_wkb(&d->j.s->out, bytes);
}

/* Text of a day or a wall clock; connectors end it in Z, which says nothing of such. */
static void put_iso(struct debezium *d, enum cdc_connect_kind kind, uint32_t i)
{
	struct cdc_str s = cdc_json_in_text(&d->j, i);

	if (s.n && s.p[s.n - 1] == 'Z')
		s.n--;
	if (kind == CDC_CONNECT_DATE)
		cdc_text_date(&d->j.s->out, s);
	else if (kind == CDC_CONNECT_TIME_US)
		cdc_text_time(&d->j.s->out, s);
	else
		cdc_text_datetime(&d->j.s->out, s);
}

static void put_number(struct debezium *d, enum cdc_connect_kind kind, uint32_t i)
{
	struct cdc_str s = cdc_json_in_text(&d->j, i);
	int64_t v;

	if (kind == CDC_CONNECT_INTEGER)
		cdc_out_quoted(&d->j.s->out, s);
	else if (cdc_int64_parse(s, &v) == CDC_PARSE_OK)
		cdc_connect_put_number(&d->j.s->out, kind, v);
	else
		cdc_out_fail(&d->j.s->out, "not a number of 64 bits: %.*s",
			     (int)(s.n < 40 ? s.n : 40), s.p);
}

static void put_bits(struct debezium *d, uint32_t i)
{
	struct cdc_str bytes;

	if (decode(d, cdc_json_in_text(&d->j, i), &bytes))
		cdc_connect_put_bits(&d->j.s->out, bytes);
}

void debezium_put(struct debezium *d, const struct cdc_change_table *t,
		  const struct cdc_change_column *col, uint32_t i)
{
	struct cdc_out *o = &d->j.s->out;

	/* What failed before is not this column's. */
	if (o->rc < 0)
		return;
	if (cdc_json_in_is(&d->j, i, CDC_JSON_NULL)) {
		cdc_out_lit(o, "null");
		return;
	}
	switch ((enum cdc_connect_kind)col->as) {
	case CDC_CONNECT_ANY:
	case CDC_CONNECT_BOOLEAN:
	case CDC_CONNECT_STRING:
	case CDC_CONNECT_BYTES:
	case CDC_CONNECT_NESTED:
		cdc_out_quoted(o, cdc_json_in_text(&d->j, i));
		break;
	case CDC_CONNECT_FLOAT:
	case CDC_CONNECT_DOUBLE:
		cdc_text_float(o, cdc_json_in_text(&d->j, i), col->as == CDC_CONNECT_FLOAT);
		break;
	case CDC_CONNECT_DECIMAL:
		put_decimal(d, col->arg, i);
		break;
	case CDC_CONNECT_DECIMAL_OR_TEXT:
		put_given_decimal(d, t, col->arg, i);
		break;
	case CDC_CONNECT_VARIABLE_DECIMAL:
		put_variable_decimal(d, i);
		break;
	case CDC_CONNECT_DATE:
	case CDC_CONNECT_TIME_US:
	case CDC_CONNECT_DATETIME_MS:
	case CDC_CONNECT_DATETIME_US:
		/* Without a schema the connector may have been told to write text. */
		if (cdc_json_in_is(&d->j, i, CDC_JSON_STRING)) {
			put_iso(d, (enum cdc_connect_kind)col->as, i);
			break;
		}
		put_number(d, (enum cdc_connect_kind)col->as, i);
		break;
	case CDC_CONNECT_INTEGER:
	case CDC_CONNECT_UNSIGNED_LONG:
	case CDC_CONNECT_TIME_MS:
	case CDC_CONNECT_TIME_NS:
	case CDC_CONNECT_DATETIME_NS:
	case CDC_CONNECT_INSTANT_MS:
	case CDC_CONNECT_INSTANT_US:
	case CDC_CONNECT_INSTANT_NS:
		put_number(d, (enum cdc_connect_kind)col->as, i);
		break;
	case CDC_CONNECT_ZONED:
		cdc_text_instant(o, cdc_json_in_text(&d->j, i), NULL);
		break;
	case CDC_CONNECT_ISO_DATETIME:
		put_iso(d, CDC_CONNECT_DATETIME_US, i);
		break;
	case CDC_CONNECT_ISO_DATE:
		put_iso(d, CDC_CONNECT_DATE, i);
		break;
	case CDC_CONNECT_ISO_TIME:
		put_iso(d, CDC_CONNECT_TIME_US, i);
		break;
	case CDC_CONNECT_BITS:
		put_bits(d, i);
		break;
	case CDC_CONNECT_GEOMETRY:
		put_geometry(d, i);
		break;
	}
	if (o->rc < 0)
		cdc_err_prefix(&o->err, "column %.*s", (int)(col->name.n < 100 ? col->name.n : 100),
			       col->name.p);
}
