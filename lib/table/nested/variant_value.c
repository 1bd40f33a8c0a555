/*
 * A walk over the binary encoding of variants (VariantEncoding.md). See variant.h.
 *
 * The values inside an object or array are found by offsets, which a hostile file may let point to
 * the same bytes again and again. In a well-formed value each byte belongs to one value, so every
 * value that is told of pays for its own bytes, and when more is paid than there is, it is refused.
 */
#include "table/nested/variant_int.h"

#include "base/endian.h"

#define US_PER_DAY INT64_C(86400000000)

struct walk {
	const struct cdc_variant_sink *sink;
	const struct cdc_variant_names *names;
	uint64_t budget;
	int depth;
};

static int malformed(struct cdc_err *err, const char *what)
{
	return cdc_fail(err, CDC_ECORRUPT, "malformed variant: %s", what);
}

/* Little-endian, of 1 to 4 bytes. */
static uint32_t take_uint(const char *p, unsigned width)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < width; i++)
		v |= (uint32_t)(unsigned char)p[i] << 8 * i;
	return v;
}

/* ------------------------------------------------------------------ names */

int cdc_variant_names_open(struct cdc_variant_names *names, struct cdc_str metadata,
			   struct cdc_err *err)
{
	unsigned header = metadata.n ? (unsigned char)metadata.p[0] : 0;
	unsigned width = (header >> 6) + 1;
	uint64_t size;

	if (metadata.n < 1 + (size_t)width)
		return malformed(err, "its metadata is cut off");
	if ((header & 15) != 1)
		return cdc_fail(err, CDC_EUNSUPPORTED, "variant encoding version %u", header & 15);
	*names = (struct cdc_variant_names){ .n = take_uint(metadata.p + 1, width),
					     .width = width,
					     .offset = metadata.p + 1 + width };
	size = 1 + width + ((uint64_t)names->n + 1) * width;
	/* Of a dictionary without names some writers leave the offset out. */
	if (!names->n)
		return CDC_OK;
	if (size > metadata.n)
		return malformed(err, "its metadata is cut off");
	names->text = cdc_str(metadata.p + size, metadata.n - size);
	return CDC_OK;
}

static int find_name(const struct cdc_variant_names *names, uint32_t id, struct cdc_str *out,
		     struct cdc_err *err)
{
	uint32_t start;
	uint32_t end;

	if (id >= names->n)
		return malformed(err, "a name is not in its metadata");
	start = take_uint(names->offset + (size_t)id * names->width, names->width);
	end = take_uint(names->offset + ((size_t)id + 1) * names->width, names->width);
	if (start > end || end > names->text.n)
		return malformed(err, "a name passes the end of its metadata");
	*out = cdc_str(names->text.p + start, end - start);
	return CDC_OK;
}

/* ------------------------------------------------------------------ objects and arrays */

static int pay(uint64_t *budget, uint64_t bytes, struct cdc_err *err)
{
	if (bytes > *budget)
		return malformed(err, "values overlap");
	*budget -= bytes;
	return CDC_OK;
}

/*
 * Header, count, ids of the names (objects), offsets of the values and one more that is their end,
 * values. An array is an object without ids.
 */
static int open_container(struct cdc_variant_object *o, struct cdc_str s, struct cdc_err *err)
{
	unsigned header = (unsigned char)s.p[0];
	bool object = (header & 3) == CDC_VARIANT_IS_OBJECT;
	bool large = header >> (object ? 6 : 4) & 1;
	size_t head = large ? 5 : 2;
	uint64_t size;
	uint32_t end;

	o->offset_width = (header >> 2 & 3) + 1;
	o->id_width = object ? (header >> 4 & 3) + 1 : 0;
	if (s.n < head)
		return malformed(err, "it is cut off");
	o->n = take_uint(s.p + 1, large ? 4 : 1);
	o->values = cdc_str(s.p, 0);
	if (!o->n)
		return pay(&o->budget, head, err);
	size = head + (uint64_t)o->n * o->id_width + ((uint64_t)o->n + 1) * o->offset_width;
	if (size > s.n)
		return malformed(err, "it is cut off");
	o->id = s.p + head;
	o->offset = o->id + (size_t)o->n * o->id_width;
	end = take_uint(o->offset + (size_t)o->n * o->offset_width, o->offset_width);
	if (end > s.n - size)
		return malformed(err, "it is cut off");
	o->values = cdc_str(s.p + size, end);
	return pay(&o->budget, size, err);
}

/* From where value i starts to where the last one ends: how long it is, it tells itself. */
static int find_value(const struct cdc_variant_object *o, uint32_t i, struct cdc_str *out,
		      struct cdc_err *err)
{
	uint32_t at = take_uint(o->offset + (size_t)i * o->offset_width, o->offset_width);

	if (at >= o->values.n)
		return malformed(err, "an offset passes its end");
	*out = cdc_str(o->values.p + at, o->values.n - at);
	return CDC_OK;
}

static int put_value(struct walk *w, struct cdc_str s, struct cdc_err *err);

static int put_child(struct walk *w, const struct cdc_variant_object *o, uint32_t i,
		     struct cdc_err *err)
{
	struct cdc_str value = CDC_STR_INIT;
	int rc = find_value(o, i, &value, err);

	return rc < 0 ? rc : put_value(w, value, err);
}

static int put_members(struct walk *w, const struct cdc_variant_object *o, struct cdc_err *err)
{
	struct cdc_str name = CDC_STR_INIT;
	int rc = CDC_OK;

	for (uint32_t i = 0; rc == CDC_OK && i < o->n; i++) {
		rc = cdc_variant_object_name(o, i, &name, err);
		if (rc == CDC_OK)
			rc = cdc_variant_tell_member(w->sink, name, err);
		if (rc == CDC_OK)
			rc = put_child(w, o, i, err);
	}
	return rc;
}

static int put_elements(struct walk *w, const struct cdc_variant_object *o, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (uint32_t i = 0; rc == CDC_OK && i < o->n; i++) {
		rc = cdc_variant_tell_element(w->sink, err);
		if (rc == CDC_OK)
			rc = put_child(w, o, i, err);
	}
	return rc;
}

static int put_container(struct walk *w, struct cdc_str s, bool object, struct cdc_err *err)
{
	struct cdc_variant_object o = { .names = w->names, .budget = w->budget };
	int rc = open_container(&o, s, err);

	if (rc < 0)
		return rc;
	if (w->depth == CDC_VARIANT_DEPTH)
		return cdc_fail(err, CDC_ECORRUPT, "a variant is nested more than %d levels deep",
				CDC_VARIANT_DEPTH);
	w->budget = o.budget;
	w->depth++;
	rc = cdc_variant_tell_begin(w->sink, object, err);
	if (rc == CDC_OK)
		rc = object ? put_members(w, &o, err) : put_elements(w, &o, err);
	w->depth--;
	return rc < 0 ? rc : cdc_variant_tell_end(w->sink, object, err);
}

/* ------------------------------------------------------------------ primitives */

static int put_decimal(struct walk *w, const char *p, size_t bytes, struct cdc_err *err)
{
	int scale = (unsigned char)p[0];
	struct cdc_field f = { .type = CDC_TYPE_DECIMAL, .scale = scale };
	cdc_i128 v;
	const struct cdc_column c = { .field = &f, .values = &v };

	if (scale > CDC_VARIANT_SCALE_MAX)
		return malformed(err, "a decimal's scale is over 38");
	if (bytes == 4) {
		f.precision = CDC_VARIANT_DECIMAL4_DIGITS;
		v = (int32_t)cdc_le32(p + 1);
	} else if (bytes == 8) {
		f.precision = CDC_VARIANT_DECIMAL8_DIGITS;
		v = (int64_t)cdc_le64(p + 1);
	} else {
		f.precision = CDC_VARIANT_SCALE_MAX;
		v = (cdc_i128)((cdc_u128)cdc_le64(p + 9) << 64 | cdc_le64(p + 1));
	}
	return w->sink->ops->flat(w->sink->ctx, &c, 0, err);
}

static int put_integer(struct walk *w, enum cdc_type type, int32_t v, struct cdc_err *err)
{
	return cdc_variant_tell_flat(w->sink, type, &v, err);
}

/* What lies in 8 bytes. */
static int put_wide(struct walk *w, enum cdc_type type, const char *p, struct cdc_err *err)
{
	uint64_t v = cdc_le64(p);

	if (type == CDC_TYPE_TIME) {
		if (v > US_PER_DAY)
			return malformed(err, "a time is past the end of the day");
		v *= 1000;
	}
	return cdc_variant_tell_flat(w->sink, type, &v, err);
}

static int put_nanos(struct walk *w, enum cdc_type type, const char *p, struct cdc_err *err)
{
	cdc_i128 v = (int64_t)cdc_le64(p);

	return cdc_variant_tell_flat(w->sink, type, &v, err);
}

static int put_narrow(struct walk *w, enum cdc_type type, const char *p, struct cdc_err *err)
{
	uint32_t v = cdc_le32(p);

	return cdc_variant_tell_flat(w->sink, type, &v, err);
}

static int put_bool(struct walk *w, uint8_t v, struct cdc_err *err)
{
	return cdc_variant_tell_flat(w->sink, CDC_TYPE_BOOLEAN, &v, err);
}

/* The data of a primitive that has all its bytes. */
static int put_primitive_data(struct walk *w, enum cdc_variant_primitive type, struct cdc_str data,
			      struct cdc_err *err)
{
	const char *p = data.p;

	switch (type) {
	case CDC_VARIANT_NULL:
		return cdc_variant_tell_null(w->sink, err);
	case CDC_VARIANT_TRUE:
		return put_bool(w, 1, err);
	case CDC_VARIANT_FALSE:
		return put_bool(w, 0, err);
	case CDC_VARIANT_INT8:
		return put_integer(w, CDC_TYPE_BYTE, (int8_t)p[0], err);
	case CDC_VARIANT_INT16:
		return put_integer(w, CDC_TYPE_SHORT, (int16_t)cdc_le16(p), err);
	case CDC_VARIANT_INT32:
		return put_narrow(w, CDC_TYPE_INTEGER, p, err);
	case CDC_VARIANT_INT64:
		return put_wide(w, CDC_TYPE_LONG, p, err);
	case CDC_VARIANT_DOUBLE:
		return put_wide(w, CDC_TYPE_DOUBLE, p, err);
	case CDC_VARIANT_DECIMAL4:
	case CDC_VARIANT_DECIMAL8:
	case CDC_VARIANT_DECIMAL16:
		return put_decimal(w, p, data.n - 1, err);
	case CDC_VARIANT_DATE:
		return put_narrow(w, CDC_TYPE_DATE, p, err);
	case CDC_VARIANT_TIMESTAMP:
		return put_wide(w, CDC_TYPE_TIMESTAMP, p, err);
	case CDC_VARIANT_TIMESTAMP_NTZ:
		return put_wide(w, CDC_TYPE_TIMESTAMP_NTZ, p, err);
	case CDC_VARIANT_FLOAT:
		return put_narrow(w, CDC_TYPE_FLOAT, p, err);
	case CDC_VARIANT_BINARY:
		return cdc_variant_tell_flat(w->sink, CDC_TYPE_BINARY, &data, err);
	case CDC_VARIANT_STRING:
		return cdc_variant_tell_flat(w->sink, CDC_TYPE_STRING, &data, err);
	case CDC_VARIANT_TIME:
		return put_wide(w, CDC_TYPE_TIME, p, err);
	case CDC_VARIANT_TIMESTAMP_NS:
		return put_nanos(w, CDC_TYPE_TIMESTAMP_NS, p, err);
	case CDC_VARIANT_TIMESTAMP_NTZ_NS:
		return put_nanos(w, CDC_TYPE_TIMESTAMP_NTZ_NS, p, err);
	case CDC_VARIANT_UUID:
		return cdc_variant_tell_flat(w->sink, CDC_TYPE_UUID, &data, err);
	case CDC_VARIANT_PRIMITIVES:
		break;
	}
	return cdc_fail(err, CDC_EINTERNAL, "variant type %d", (int)type);
}

static int put_primitive(struct walk *w, unsigned type, struct cdc_str s, struct cdc_err *err)
{
	/* Bytes of the data; binary and string: of the length before it. */
	static const uint8_t data_bytes[CDC_VARIANT_PRIMITIVES] = {
		[CDC_VARIANT_INT8] = 1,
		[CDC_VARIANT_INT16] = 2,
		[CDC_VARIANT_INT32] = 4,
		[CDC_VARIANT_INT64] = 8,
		[CDC_VARIANT_DOUBLE] = 8,
		[CDC_VARIANT_DECIMAL4] = 1 + 4,
		[CDC_VARIANT_DECIMAL8] = 1 + 8,
		[CDC_VARIANT_DECIMAL16] = 1 + 16,
		[CDC_VARIANT_DATE] = 4,
		[CDC_VARIANT_TIMESTAMP] = 8,
		[CDC_VARIANT_TIMESTAMP_NTZ] = 8,
		[CDC_VARIANT_FLOAT] = 4,
		[CDC_VARIANT_BINARY] = 4,
		[CDC_VARIANT_STRING] = 4,
		[CDC_VARIANT_TIME] = 8,
		[CDC_VARIANT_TIMESTAMP_NS] = 8,
		[CDC_VARIANT_TIMESTAMP_NTZ_NS] = 8,
		[CDC_VARIANT_UUID] = 16,
	};
	struct cdc_str data;
	size_t n;
	int rc;

	if (type >= CDC_VARIANT_PRIMITIVES)
		return cdc_fail(err, CDC_EUNSUPPORTED, "variant values of type %u", type);
	n = data_bytes[type];
	data = cdc_str(s.p + 1, s.n - 1);
	if (data.n >= n && (type == CDC_VARIANT_BINARY || type == CDC_VARIANT_STRING)) {
		n = cdc_le32(data.p);
		data = cdc_str(data.p + 4, data.n - 4);
	}
	if (data.n < n)
		return malformed(err, "it is cut off");
	data.n = n;
	rc = pay(&w->budget, (uint64_t)(data.p + n - s.p), err);
	return rc < 0 ? rc : put_primitive_data(w, (enum cdc_variant_primitive)type, data, err);
}

/* The value at the start of s. */
static int put_value(struct walk *w, struct cdc_str s, struct cdc_err *err)
{
	unsigned header;
	int rc;

	if (!s.n)
		return malformed(err, "it is empty");
	header = (unsigned char)s.p[0];
	switch ((enum cdc_variant_basic)(header & 3)) {
	case CDC_VARIANT_IS_PRIMITIVE:
		return put_primitive(w, header >> 2, s, err);
	case CDC_VARIANT_IS_SHORT_STRING:
		if (s.n - 1 < header >> 2)
			return malformed(err, "it is cut off");
		s = cdc_str(s.p + 1, header >> 2);
		rc = pay(&w->budget, 1 + s.n, err);
		return rc < 0 ? rc : cdc_variant_tell_flat(w->sink, CDC_TYPE_STRING, &s, err);
	case CDC_VARIANT_IS_OBJECT:
		return put_container(w, s, true, err);
	case CDC_VARIANT_IS_ARRAY:
		return put_container(w, s, false, err);
	}
	return cdc_fail(err, CDC_EINTERNAL, "variant header %u", header);
}

/* ------------------------------------------------------------------ for others */

int cdc_variant_object_open(struct cdc_variant_object *o, const struct cdc_variant_names *names,
			    struct cdc_str value, struct cdc_err *err)
{
	*o = (struct cdc_variant_object){ .names = names, .budget = value.n };
	if (!value.n)
		return malformed(err, "it is empty");
	return ((unsigned char)value.p[0] & 3) == CDC_VARIANT_IS_OBJECT
		       ? open_container(o, value, err)
		       : CDC_END;
}

int cdc_variant_object_name(const struct cdc_variant_object *o, uint32_t i, struct cdc_str *name,
			    struct cdc_err *err)
{
	struct cdc_str before = *name;
	int rc = find_name(o->names, take_uint(o->id + (size_t)i * o->id_width, o->id_width), name,
			   err);

	if (rc == CDC_OK && i && cdc_str_eq(*name, before))
		rc = malformed(err, "an object has two members of one name");
	return rc;
}

int cdc_variant_object_walk(struct cdc_variant_object *o, uint32_t i,
			    const struct cdc_variant_sink *s, struct cdc_err *err)
{
	struct walk w = { .sink = s, .names = o->names, .budget = o->budget, .depth = 1 };
	int rc = put_child(&w, o, i, err);

	o->budget = w.budget;
	return rc;
}

int cdc_variant_value_walk(const struct cdc_variant_sink *s, const struct cdc_variant_names *names,
			   struct cdc_str value, struct cdc_err *err)
{
	struct walk w = { .sink = s, .names = names, .budget = value.n };

	return put_value(&w, value, err);
}
