/*
 * Keys of a sort. See sort_key.h.
 */
#include "table/sort/sort_key.h"

#include "base/endian.h"
#include "table/batch/batch_rows.h"

#include <math.h>

#define SIGN (UINT64_C(1) << 63)

bool cdc_sort_key_possible(enum cdc_type t)
{
	return cdc_type_is_primitive(t);
}

/* Strings end with 0 0; a 0 within them is 0 255, which is greater than the end. */
static int put_bytes(struct cdc_buf *out, struct cdc_str s, struct cdc_err *err)
{
	int rc = CDC_OK;

	while (!rc && s.n) {
		const char *zero = memchr(s.p, 0, s.n);
		size_t n = zero ? (size_t)(zero - s.p) : s.n;

		rc = cdc_buf_append(out, s.p, n, err);
		if (!rc && zero)
			rc = cdc_buf_append(out, "\0\xff", 2, err);
		n += zero != NULL;
		s = cdc_str(s.p + n, s.n - n);
	}
	return rc ? rc : cdc_buf_append(out, "\0\0", 2, err);
}

static uint64_t double_order(double d)
{
	uint64_t bits;

	if (isnan(d))
		return UINT64_MAX;
	d += 0.0; /* no negative zero */
	memcpy(&bits, &d, sizeof(bits));
	return bits & SIGN ? ~bits : bits | SIGN;
}

int cdc_sort_key_put(struct cdc_buf *out, const struct cdc_column *c, uint32_t row,
		     struct cdc_err *err)
{
	enum cdc_type t = c->field->type;
	union cdc_value v;
	char bytes[16];
	size_t n = 8;

	if (cdc_column_is_null(c, row))
		return cdc_buf_putc(out, 0, err);
	v = cdc_value_load(t, c->values, row);
	if (cdc_buf_putc(out, 1, err))
		return err->code;
	if (t == CDC_TYPE_STRING || t == CDC_TYPE_BINARY)
		return put_bytes(out, v.s, err);
	if (t == CDC_TYPE_DECIMAL) {
		cdc_put_be64(bytes, (uint64_t)(v.dec >> 64) ^ SIGN);
		cdc_put_be64(bytes + 8, (uint64_t)v.dec);
		n = 16;
	} else if (t == CDC_TYPE_FLOAT || t == CDC_TYPE_DOUBLE) {
		cdc_put_be64(bytes, double_order(v.d));
	} else {
		cdc_put_be64(bytes, (uint64_t)v.i ^ SIGN);
	}
	return cdc_buf_append(out, bytes, n, err);
}
