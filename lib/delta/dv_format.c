/*
 * The serialised form of deletion vectors (Delta protocol, "Deletion Vector Format"): a magic
 * number, then the buckets. An older form with another magic number is read as well.
 */
#include "delta/dv_int.h"

#include "base/endian.h"

#define MAGIC_PORTABLE 1681511377u
#define MAGIC_NATIVE 1681511376u

static int cut_off(struct cdc_err *err)
{
	return cdc_fail(err, CDC_ECORRUPT, "deletion vector: data is cut off");
}

int cdc_dv_encode(struct cdc_dv *dv, struct cdc_buf *out, struct cdc_err *err)
{
	size_t total = 12;
	char *p;
	int rc;

	cdc_dv_compact(dv);
	for (size_t i = 0; i < cdc_dv_num_buckets(dv); i++)
		total += 4 + cdc_dv_bucket_bytes(dv, i);
	rc = cdc_buf_reserve(out, total, err);
	if (rc < 0)
		return rc;
	p = out->p + out->len;
	cdc_put_le32(p, MAGIC_PORTABLE);
	cdc_put_le64(p + 4, cdc_dv_num_buckets(dv));
	p += 12;
	for (size_t i = 0; i < cdc_dv_num_buckets(dv); i++) {
		cdc_put_le32(p, cdc_dv_bucket_key(dv, i));
		cdc_dv_bucket_write(dv, i, p + 4);
		p += 4 + cdc_dv_bucket_bytes(dv, i);
	}
	out->len += total;
	return CDC_OK;
}

static int decode_portable(struct cdc_dv *dv, struct cdc_str b, struct cdc_err *err)
{
	uint64_t count;
	int64_t last = -1;

	if (b.n < 8)
		return cut_off(err);
	count = cdc_le64(b.p);
	b = cdc_str(b.p + 8, b.n - 8);
	for (; count; count--) {
		size_t used;
		uint32_t key;
		int rc;

		if (b.n < 4)
			return cut_off(err);
		key = cdc_le32(b.p);
		b = cdc_str(b.p + 4, b.n - 4);
		if ((int64_t)key <= last || key > INT32_MAX)
			return cdc_fail(err, CDC_ECORRUPT,
					"deletion vector: bitmaps are out of order");
		last = key;
		if ((rc = cdc_roaring_check(b, &used, err)) < 0 ||
		    (rc = cdc_dv_bucket_read(dv, key, cdc_str(b.p, used), err)) < 0)
			return rc;
		b = cdc_str(b.p + used, b.n - used);
	}
	if (b.n)
		return cdc_fail(err, CDC_ECORRUPT, "deletion vector: %zu bytes too many", b.n);
	return CDC_OK;
}

static int decode_native(struct cdc_dv *dv, struct cdc_str b, struct cdc_err *err)
{
	uint32_t count;

	if (b.n < 4)
		return cut_off(err);
	count = cdc_le32(b.p);
	b = cdc_str(b.p + 4, b.n - 4);
	if (count > INT32_MAX)
		return cdc_fail(err, CDC_ECORRUPT, "deletion vector: too many bitmaps");
	for (uint32_t key = 0; key < count; key++) {
		size_t size;
		size_t used;
		int rc;

		if (b.n < 4 || (size = cdc_le32(b.p)) > b.n - 4)
			return cut_off(err);
		if ((rc = cdc_roaring_check(cdc_str(b.p + 4, size), &used, err)) < 0)
			return rc;
		if (used != size)
			return cdc_fail(err, CDC_ECORRUPT, "deletion vector: bitmap of wrong size");
		if ((rc = cdc_dv_bucket_read(dv, key, cdc_str(b.p + 4, size), err)) < 0)
			return rc;
		b = cdc_str(b.p + 4 + size, b.n - 4 - size);
	}
	if (b.n)
		return cdc_fail(err, CDC_ECORRUPT, "deletion vector: %zu bytes too many", b.n);
	return CDC_OK;
}

int cdc_dv_decode(struct cdc_dv **dv, struct cdc_str bytes, struct cdc_err *err)
{
	struct cdc_dv *made = NULL;
	struct cdc_str rest;
	uint32_t magic;
	int rc;

	if (bytes.n < 4)
		return cut_off(err);
	magic = cdc_le32(bytes.p);
	rest = cdc_str(bytes.p + 4, bytes.n - 4);
	rc = cdc_dv_new(&made, err);
	if (rc < 0)
		return rc;
	if (magic == MAGIC_PORTABLE)
		rc = decode_portable(made, rest, err);
	else if (magic == MAGIC_NATIVE)
		rc = decode_native(made, rest, err);
	else
		rc = cdc_fail(err, CDC_ECORRUPT, "deletion vector: unknown magic number %u", magic);
	if (rc < 0) {
		cdc_dv_free(made);
		return rc;
	}
	*dv = made;
	return CDC_OK;
}
