/*
 * Checks serialised 32-bit Roaring bitmaps before the bitmap library sees them: the library trusts
 * the inside of containers. Format: RoaringFormatSpec ("portable" serialisation).
 */
#include "delta/dv_int.h"

#include "base/endian.h"

#define COOKIE_NO_RUNS 12346
#define COOKIE_RUNS 12347
#define OFFSETS_FROM 4 /* with runs: fewer containers have no offset table */
#define ARRAY_MAX 4096 /* more values than that are a bitmap */
#define BITMAP_BYTES 8192
#define CONTAINERS_MAX 65536

struct cursor {
	const char *p;
	size_t left;
};

static const char *take(struct cursor *c, size_t n)
{
	const char *at = c->p;

	if (n > c->left)
		return NULL;
	c->p += n;
	c->left -= n;
	return at;
}

static bool array_good(struct cursor *c, uint32_t count)
{
	const char *p = take(c, (size_t)count * 2);

	for (uint32_t i = 1; p && i < count; i++) {
		if (cdc_le16(p + 2 * (size_t)i) <= cdc_le16(p + 2 * (size_t)i - 2))
			return false;
	}
	return p != NULL;
}

static bool bitmap_good(struct cursor *c, uint32_t count)
{
	const char *p = take(c, BITMAP_BYTES);
	uint32_t bits = 0;

	for (size_t i = 0; p && i < BITMAP_BYTES; i += 8)
		bits += (uint32_t)__builtin_popcountll(cdc_le64(p + i));
	return p && bits == count;
}

static bool runs_good(struct cursor *c, uint32_t count)
{
	const char *p = take(c, 2);
	uint32_t runs = p ? cdc_le16(p) : 0;
	uint32_t next = 0;
	uint32_t total = 0;

	p = take(c, (size_t)runs * 4);
	if (!runs || !p)
		return false;
	for (uint32_t i = 0; i < runs; i++, p += 4) {
		uint32_t start = cdc_le16(p);
		uint32_t len = (uint32_t)cdc_le16(p + 2) + 1;

		if (start < next || start + len > 65536)
			return false;
		next = start + len;
		total += len;
	}
	return total == count;
}

static bool header(struct cursor *c, uint32_t *count, const char **run_flags)
{
	const char *p = take(c, 4);
	uint32_t cookie;

	*run_flags = NULL;
	if (!p)
		return false;
	cookie = cdc_le32(p);
	if ((cookie & 0xffff) == COOKIE_RUNS) {
		*count = (cookie >> 16) + 1;
		*run_flags = take(c, (*count + 7) / 8);
		return *run_flags != NULL;
	}
	p = take(c, 4);
	if (cookie != COOKIE_NO_RUNS || !p)
		return false;
	*count = cdc_le32(p);
	return *count <= CONTAINERS_MAX;
}

int cdc_roaring_check(struct cdc_str bytes, size_t *used, struct cdc_err *err)
{
	struct cursor c = { bytes.p, bytes.n };
	const char *run_flags;
	const char *describe;
	uint32_t count;

	if (!header(&c, &count, &run_flags))
		return cdc_fail(err, CDC_ECORRUPT, "deletion vector: bad bitmap header");
	describe = take(&c, (size_t)count * 4);
	if (!describe || ((!run_flags || count >= OFFSETS_FROM) && !take(&c, (size_t)count * 4)))
		return cdc_fail(err, CDC_ECORRUPT, "deletion vector: bitmap header is cut off");
	for (uint32_t i = 0; i < count; i++, describe += 4) {
		uint32_t values = (uint32_t)cdc_le16(describe + 2) + 1;
		bool good;

		if (i && cdc_le16(describe) <= cdc_le16(describe - 4))
			return cdc_fail(err, CDC_ECORRUPT,
					"deletion vector: bitmap containers are out of order");
		if (run_flags && (run_flags[i / 8] >> (i % 8)) & 1)
			good = runs_good(&c, values);
		else if (values > ARRAY_MAX)
			good = bitmap_good(&c, values);
		else
			good = array_good(&c, values);
		if (!good)
			return cdc_fail(err, CDC_ECORRUPT, "deletion vector: bad bitmap container");
	}
	*used = bytes.n - c.left;
	return CDC_OK;
}
