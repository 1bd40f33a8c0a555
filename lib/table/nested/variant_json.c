/*
 * Variants from JSON. See variant_json.h.
 */
#include "table/nested/variant_json.h"

struct walk {
	const struct cdc_variant_sink *sink;
	const struct cdc_tape *tape;
	struct cdc_arena *arena;
};

/* ------------------------------------------------------------------ numbers */

static int put_integer(const struct walk *w, int64_t v, struct cdc_err *err)
{
	int32_t narrow = (int32_t)v;

	if (v < INT32_MIN || v > INT32_MAX)
		return cdc_variant_tell_flat(w->sink, CDC_TYPE_LONG, &v, err);
	return cdc_variant_tell_flat(w->sink,
				     v >= INT8_MIN && v <= INT8_MAX	? CDC_TYPE_BYTE
				     : v >= INT16_MIN && v <= INT16_MAX ? CDC_TYPE_SHORT
									: CDC_TYPE_INTEGER,
				     &narrow, err);
}

/* Digits that a decimal must have for the value and its scale. */
static int digits_for(cdc_i128 v, int scale)
{
	cdc_u128 left = v < 0 ? -(cdc_u128)v : (cdc_u128)v;
	int n = 0;

	for (; left; left /= 10)
		n++;
	return n > scale ? n : scale;
}

/* A number without exponent; false: a decimal cannot hold it. */
static bool take_decimal(struct cdc_str text, struct cdc_field *f, cdc_i128 *v)
{
	const char *point = memchr(text.p, '.', text.n);
	size_t places = point ? (size_t)(text.p + text.n - point) - 1 : 0;

	if (places > CDC_VARIANT_SCALE_MAX || memchr(text.p, 'e', text.n) ||
	    memchr(text.p, 'E', text.n))
		return false;
	f->scale = (int)places;
	if (cdc_decimal_parse(text, CDC_VARIANT_SCALE_MAX, f->scale, v))
		return false;
	if (!*v && text.p[0] == '-')
		return false; /* of zeros only a double has the sign */
	f->precision = digits_for(*v, f->scale);
	return true;
}

static int put_number(const struct walk *w, uint32_t tok, struct cdc_err *err)
{
	struct cdc_str text = cdc_json_raw(w->tape, tok);
	struct cdc_field f = { .type = CDC_TYPE_DECIMAL };
	cdc_i128 dec;
	const struct cdc_column c = { .field = &f, .values = &dec };
	int64_t i;
	double d;

	if (cdc_json_int64(w->tape, tok, &i))
		return put_integer(w, i, err);
	if (take_decimal(text, &f, &dec))
		return w->sink->ops->flat(w->sink->ctx, &c, 0, err);
	if (cdc_double_parse(text, &d))
		return cdc_fail(err, CDC_EDATA, "the number %.*s is out of range for a variant",
				(int)(text.n > 64 ? 64 : text.n), text.p);
	return cdc_variant_tell_flat(w->sink, CDC_TYPE_DOUBLE, &d, err);
}

/* ------------------------------------------------------------------ any value */

static int put_value(const struct walk *w, uint32_t tok, struct cdc_err *err);

static int put_container(const struct walk *w, uint32_t tok, bool object, struct cdc_err *err)
{
	struct cdc_str name;
	int rc = cdc_variant_tell_begin(w->sink, object, err);

	for (uint32_t i = cdc_json_first(w->tape, tok); rc == CDC_OK && i != CDC_JSON_NONE;
	     i = cdc_json_after(w->tape, tok, i)) {
		if (object) {
			rc = cdc_json_string(w->tape, i, w->arena, &name, err);
			if (rc == CDC_OK)
				rc = cdc_variant_tell_member(w->sink, name, err);
		} else {
			rc = cdc_variant_tell_element(w->sink, err);
		}
		if (rc == CDC_OK)
			rc = put_value(w, object ? i + 1 : i, err);
	}
	return rc < 0 ? rc : cdc_variant_tell_end(w->sink, object, err);
}

static int put_string(const struct walk *w, uint32_t tok, struct cdc_err *err)
{
	struct cdc_str text;
	int rc = cdc_json_string(w->tape, tok, w->arena, &text, err);

	return rc < 0 ? rc : cdc_variant_tell_flat(w->sink, CDC_TYPE_STRING, &text, err);
}

/* Depth is bounded by the scanner. */
static int put_value(const struct walk *w, uint32_t tok, struct cdc_err *err)
{
	enum cdc_json_type type = (enum cdc_json_type)w->tape->tok[tok].type;
	uint8_t yes = type == CDC_JSON_TRUE;

	switch (type) {
	case CDC_JSON_NULL:
		return cdc_variant_tell_null(w->sink, err);
	case CDC_JSON_FALSE:
	case CDC_JSON_TRUE:
		return cdc_variant_tell_flat(w->sink, CDC_TYPE_BOOLEAN, &yes, err);
	case CDC_JSON_NUMBER:
		return put_number(w, tok, err);
	case CDC_JSON_STRING:
		return put_string(w, tok, err);
	case CDC_JSON_ARRAY:
		return put_container(w, tok, false, err);
	case CDC_JSON_OBJECT:
		return put_container(w, tok, true, err);
	}
	return cdc_fail(err, CDC_EINTERNAL, "JSON type %d", (int)type);
}

int cdc_variant_json_walk(const struct cdc_variant_sink *s, const struct cdc_tape *tape,
			  uint32_t tok, struct cdc_arena *arena, struct cdc_err *err)
{
	const struct walk w = { s, tape, arena };

	return put_value(&w, tok, err);
}
