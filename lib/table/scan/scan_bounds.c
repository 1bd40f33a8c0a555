/*
 * Bounds and values of a Parquet leaf as those of the table's column. The conversions are those of
 * the rows themselves, which keep the order of the values but for one, which is left out.
 */
#include "table/scan/scan_bounds.h"

#include "base/endian.h"

#include <math.h>

/* ------------------------------------------------------------------ bounds */

/* Two values as the Parquet layer decodes them. */
union pair {
	uint8_t flag[2];
	int32_t i32[2];
	int64_t i64[2];
	float f32[2];
	double f64[2];
	struct cdc_str s[2];
	cdc_i128 wide[2];
};

static bool decode(const struct cdc_pq_node *n, const struct cdc_str text[2], bool converted,
		   union pair *out)
{
	size_t size = n->type == CDC_PQ_BOOLEAN				    ? 1
		      : n->type == CDC_PQ_INT32 || n->type == CDC_PQ_FLOAT  ? 4
		      : n->type == CDC_PQ_INT64 || n->type == CDC_PQ_DOUBLE ? 8
									    : 0;

	if (n->type == CDC_PQ_INT96)
		return false;
	/* A conversion takes values of the type's length; a bound may have been cut. */
	if (n->type == CDC_PQ_FIXED && converted)
		size = (size_t)n->type_length;
	for (size_t i = 0; i < 2; i++) {
		uint32_t bits;
		uint64_t wide;

		if (size && text[i].n != size)
			return false;
		if (n->type == CDC_PQ_FIXED || size == 0) {
			out->s[i] = text[i];
		} else if (size == 1) {
			out->flag[i] = text[i].p[0] != 0;
		} else if (size == 4) {
			bits = cdc_le32(text[i].p);
			memcpy(&out->i32[i], &bits, sizeof(bits));
		} else {
			wide = cdc_le64(text[i].p);
			memcpy(&out->i64[i], &wide, sizeof(wide));
		}
	}
	return true;
}

static union cdc_value load(enum cdc_type t, const union pair *p, int i)
{
	union cdc_value v = { .dec = 0 };

	if (t == CDC_TYPE_FLOAT)
		v.d = (double)p->f32[i];
	else if (t == CDC_TYPE_DOUBLE)
		v.d = p->f64[i];
	else if (cdc_type_is_wide(t))
		v.dec = p->wide[i];
	else if (t == CDC_TYPE_STRING || t == CDC_TYPE_BINARY || t == CDC_TYPE_UUID)
		v.s = p->s[i];
	else if (cdc_type_size(t) == 8)
		v.i = p->i64[i];
	else if (cdc_type_size(t) == 4)
		v.i = p->i32[i];
	else
		v.i = p->flag[i];
	return v;
}

/* Times below zero are of the day before: their order is not that of the file's numbers. */
static bool wraps_around(enum cdc_type t, const struct cdc_pq_node *n, const union pair *p)
{
	return t == CDC_TYPE_TIME && (n->type == CDC_PQ_INT32 ? p->i32[0] < 0 : p->i64[0] < 0);
}

void cdc_skip_take_bounds(const struct cdc_skip_leaf *l, struct cdc_str min, struct cdc_str max,
			  struct cdc_bounds *b)
{
	const struct cdc_str text[2] = { min, max };
	enum cdc_type t = l->field->type;
	bool is_float = t == CDC_TYPE_FLOAT || t == CDC_TYPE_DOUBLE;
	union pair in;
	union pair out;
	struct cdc_pq_vec vec = { l->node->type, 2, &in, NULL, NULL };

	if (!decode(l->node, text, l->convert.fn != NULL, &in) || wraps_around(t, l->node, &in))
		return;
	if (!l->convert.fn)
		out = in;
	else if (!l->convert.fn(&l->convert, &vec, &out))
		return;
	b->min = load(t, &out, 0);
	b->max = load(t, &out, 1);
	b->has_min = !is_float || !isnan(b->min.d);
	/* NaN, the largest value, is in no maximum (spec 3.1). A float that was an integer has
	 * none. */
	b->has_max = !is_float || (l->node->type == CDC_PQ_INT32 && !isnan(b->max.d));
}

/* ------------------------------------------------------------------ values */

static bool is_unsigned(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_INTEGER
		       ? !n->is_signed
		       : n->converted >= CDC_PQ_CONV_UINT_8 && n->converted <= CDC_PQ_CONV_UINT_64;
}

static int put_integer(const struct cdc_pq_node *n, cdc_i128 v, char text[16], struct cdc_str *out)
{
	if (n->type == CDC_PQ_INT32) {
		if (v < INT32_MIN || v > INT32_MAX)
			return CDC_END;
		cdc_put_le32(text, (uint32_t)(int32_t)v);
		*out = cdc_str(text, 4);
		return CDC_OK;
	}
	if (n->type == CDC_PQ_INT64) {
		if (v < INT64_MIN || v > INT64_MAX)
			return CDC_END;
		cdc_put_le64(text, (uint64_t)(int64_t)v);
		*out = cdc_str(text, 8);
		return CDC_OK;
	}
	return CDC_EUNSUPPORTED;
}

/* Of the least bytes of a decimal many lengths are possible, of a fixed one only that. */
static int put_decimal(const struct cdc_skip_leaf *l, cdc_i128 v, char text[16],
		       struct cdc_str *out)
{
	int32_t n = l->node->type_length;

	if (l->convert.shrink)
		return CDC_EUNSUPPORTED;
	if (v % l->convert.factor)
		return CDC_END;
	v /= l->convert.factor;
	if (l->node->type != CDC_PQ_FIXED)
		return put_integer(l->node, v, text, out);
	if (n < 1 || n > 16)
		return CDC_EUNSUPPORTED;
	for (int32_t i = n; i-- > 0; v >>= 8)
		text[i] = (char)(unsigned char)((cdc_u128)v & 0xff);
	if (v != ((unsigned char)text[0] & 0x80 ? -1 : 0))
		return CDC_END;
	*out = cdc_str(text, (size_t)n);
	return CDC_OK;
}

/* Zero has two forms and NaN many. */
static int put_double(const struct cdc_pq_node *n, double v, char text[16], struct cdc_str *out)
{
	float narrow = (float)v;
	uint32_t bits;
	uint64_t wide;

	if (isnan(v) || v == 0)
		return CDC_EUNSUPPORTED;
	if (n->type == CDC_PQ_FLOAT) {
		if ((double)narrow != v)
			return CDC_END;
		memcpy(&bits, &narrow, sizeof(bits));
		cdc_put_le32(text, bits);
		*out = cdc_str(text, 4);
		return CDC_OK;
	}
	if (n->type != CDC_PQ_DOUBLE)
		return CDC_EUNSUPPORTED;
	memcpy(&wide, &v, sizeof(wide));
	cdc_put_le64(text, wide);
	*out = cdc_str(text, 8);
	return CDC_OK;
}

int cdc_skip_plain(const struct cdc_skip_leaf *l, const union cdc_value *v, char text[16],
		   struct cdc_str *out)
{
	const struct cdc_pq_node *n = l->node;
	enum cdc_type t = l->field->type;
	/* Integers are only checked or widened. */
	bool integer = t == CDC_TYPE_BYTE || t == CDC_TYPE_SHORT || t == CDC_TYPE_INTEGER ||
		       t == CDC_TYPE_LONG;

	if (is_unsigned(n) || t == CDC_TYPE_BOOLEAN)
		return CDC_EUNSUPPORTED;
	if (t == CDC_TYPE_DECIMAL)
		return put_decimal(l, v->dec, text, out);
	if (t == CDC_TYPE_FLOAT || t == CDC_TYPE_DOUBLE)
		return put_double(n, v->d, text, out);
	if (l->convert.fn && !integer)
		return CDC_EUNSUPPORTED;
	if (t == CDC_TYPE_STRING || t == CDC_TYPE_BINARY || t == CDC_TYPE_UUID) {
		*out = v->s;
		return n->type == CDC_PQ_BYTE_ARRAY || n->type == CDC_PQ_FIXED ? CDC_OK
									       : CDC_EUNSUPPORTED;
	}
	return put_integer(n, v->i, text, out);
}
