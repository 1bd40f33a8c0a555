/*
 * The RLE / bit-packed hybrid, writing.
 *
 * A bit-packed run holds whole groups of 8, and a reader takes every slot of it as a value unless
 * it is the last run. So a run of equal values is looked for at group boundaries only: the part of
 * it before the boundary is in the group, and the rest, if it is still long enough, becomes an RLE
 * run, which may end anywhere. The next group starts there.
 */
#include "parquet/pq_rle_write.h"

#include "base/endian.h"
#include "parquet/pq_bits.h"

#include <stdbool.h>

enum { GROUP = 8, MAX_VARINT = 10 };

static size_t put_varint(uint8_t *p, uint64_t v)
{
	size_t n = 0;

	while (v >= 0x80) {
		p[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	p[n++] = (uint8_t)v;
	return n;
}

int cdc_pq_rle_write_run(uint32_t value, size_t n, unsigned width, struct cdc_buf *out,
			 struct cdc_err *err)
{
	uint8_t bytes[MAX_VARINT + 4];
	size_t used;

	if (n == 0)
		return CDC_OK;
	used = put_varint(bytes, (uint64_t)n << 1);
	cdc_put_le32(bytes + used, value);
	return cdc_buf_append(out, bytes, used + (width + 7) / 8, err);
}

/* Bit-packed run of v[0..n). Only the last run of all has an n that is no multiple of 8. */
static int put_packed(const uint32_t *v, size_t n, unsigned width, struct cdc_buf *out,
		      struct cdc_err *err)
{
	size_t groups = (n + GROUP - 1) / GROUP;
	size_t whole = n / GROUP * GROUP;
	uint32_t last[GROUP] = { 0 };
	int rc;

	if (n == 0)
		return CDC_OK;
	rc = cdc_buf_reserve(out, MAX_VARINT + groups * width, err);
	if (rc < 0)
		return rc;
	out->len += put_varint((uint8_t *)out->p + out->len, (uint64_t)groups << 1 | 1);
	cdc_pq_pack(v, whole, width, (uint8_t *)out->p + out->len);
	out->len += whole / GROUP * width;
	if (whole == n)
		return CDC_OK;
	memcpy(last, v + whole, (n - whole) * sizeof(*v));
	cdc_pq_pack(last, GROUP, width, (uint8_t *)out->p + out->len);
	out->len += width;
	return CDC_OK;
}

static bool group_is_equal(const uint32_t *v)
{
	uint32_t differ = 0;

	for (unsigned i = 1; i < GROUP; i++)
		differ |= v[i] ^ v[0];
	return differ == 0;
}

static size_t run_length(const uint32_t *v, size_t n)
{
	size_t len = GROUP; /* known to be equal */

	while (len < n && v[len] == v[0])
		len++;
	return len;
}

/*
 * Shortest run worth leaving the bit-packed form for: its bytes there against the RLE run's header
 * and value and the header of the next bit-packed run.
 */
static size_t least_run(unsigned width)
{
	size_t cost = 1 + (width + 7) / 8 + 1;

	return (cost + width) / width * GROUP;
}

int cdc_pq_rle_write(const uint32_t *v, size_t n, unsigned width, struct cdc_buf *out,
		     struct cdc_err *err)
{
	size_t least = least_run(width);
	size_t packed = 0; /* where the open bit-packed run starts */
	size_t i = 0;

	while (n - i >= GROUP) {
		size_t len;
		int rc;

		if (!group_is_equal(v + i)) {
			i += GROUP;
			continue;
		}
		len = run_length(v + i, n - i);
		if (len < least && i + len < n) {
			i += len / GROUP * GROUP;
			continue;
		}
		rc = put_packed(v + packed, i - packed, width, out, err);
		if (rc == CDC_OK)
			rc = cdc_pq_rle_write_run(v[i], len, width, out, err);
		if (rc < 0)
			return rc;
		i += len;
		packed = i;
	}
	return put_packed(v + packed, n - packed, width, out, err);
}
