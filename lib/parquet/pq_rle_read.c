/*
 * RLE / bit-packed hybrid, reading: the decoder of pq_rle_read.h.
 */
#include "parquet/pq_rle_read.h"

#include "parquet/pq_unpack.h"

void cdc_pq_rle_init(struct cdc_pq_rle *d, const void *p, size_t n, uint32_t width)
{
	*d = (struct cdc_pq_rle){ .p = p, .width = width };
	d->end = n ? d->p + n : d->p;
}

static int read_header(struct cdc_pq_rle *d, uint64_t *h, struct cdc_err *err)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b;

		if (d->p == d->end)
			return cdc_fail(err, CDC_ECORRUPT, "runs end before the values do");
		b = *d->p++;
		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			*h = v;
			return CDC_OK;
		}
	}
	return cdc_fail(err, CDC_ECORRUPT, "a run header is longer than 64 bits");
}

/* Values that groups * 8 promise, cut to those whose bytes are there. */
static void start_packed(struct cdc_pq_rle *d, uint64_t groups)
{
	uint64_t avail = (uint64_t)(d->end - d->p);

	d->packed = d->p;
	d->packed_pos = 0;
	if (d->width == 0) {
		d->packed_left = groups > UINT64_MAX / 8 ? UINT64_MAX : groups * 8;
	} else if (groups <= avail / d->width) {
		d->packed_left = groups * 8;
		d->p += groups * d->width;
	} else {
		d->packed_left = avail * 8 / d->width;
		d->p = d->end;
	}
}

/* Make run_left or packed_left positive. */
static int next_run(struct cdc_pq_rle *d, struct cdc_err *err)
{
	size_t bytes = (d->width + 7) / 8;
	uint64_t h = 0;
	int rc;

	while (!d->run_left && !d->packed_left) {
		rc = read_header(d, &h, err);
		if (rc < 0)
			return rc;
		if (h & 1) {
			start_packed(d, h >> 1);
			continue;
		}
		if ((size_t)(d->end - d->p) < bytes)
			return cdc_fail(err, CDC_ECORRUPT, "a run ends before its value");
		d->run_value = 0;
		for (size_t i = 0; i < bytes; i++)
			d->run_value |= (uint32_t)d->p[i] << (8 * i);
		d->p += bytes;
		d->run_left = h >> 1;
	}
	return CDC_OK;
}

/* Consume k <= packed_left values of the bit-packed run without decoding. */
static void pass_packed(struct cdc_pq_rle *d, uint64_t k)
{
	uint64_t at = d->packed_pos + k;

	d->packed += at / 8 * d->width;
	d->packed_pos = (uint32_t)(at % 8);
	d->packed_left -= k;
}

/* k <= packed_left values; whole groups go straight to the output. */
static void packed_u32(struct cdc_pq_rle *d, uint32_t *out, uint32_t k)
{
	uint32_t group[8];
	uint32_t i = 0;

	while (i < k) {
		uint32_t n = k - i;

		if (d->packed_pos || n < 8) {
			n = n < 8 - d->packed_pos ? n : 8 - d->packed_pos;
			cdc_pq_unpack8(d->packed, d->width, group);
			memcpy(out + i, group + d->packed_pos, n * sizeof(*out));
		} else if (n < 32) {
			n = 8;
			cdc_pq_unpack8(d->packed, d->width, out + i);
		} else {
			n = 32;
			cdc_pq_unpack32[d->width](d->packed, out + i);
		}
		pass_packed(d, n);
		i += n;
	}
}

static void packed_u8(struct cdc_pq_rle *d, uint8_t *out, uint32_t k)
{
	uint8_t group[8];
	uint32_t i = 0;

	while (i < k) {
		uint32_t n = k - i;

		if (d->packed_pos || n < 8) {
			n = n < 8 - d->packed_pos ? n : 8 - d->packed_pos;
			cdc_pq_unpack8_u8(d->packed, d->width, group);
			memcpy(out + i, group + d->packed_pos, n);
			pass_packed(d, n);
			i += n;
			continue;
		}
		for (; n >= 8; n -= 8, i += 8) {
			cdc_pq_unpack8_u8(d->packed, d->width, out + i);
			d->packed += d->width;
			d->packed_left -= 8;
		}
	}
}

int cdc_pq_rle_u32(struct cdc_pq_rle *d, uint32_t *out, uint32_t n, struct cdc_err *err)
{
	while (n > 0) {
		uint32_t k;

		if (d->run_left) {
			k = d->run_left < n ? (uint32_t)d->run_left : n;
			for (uint32_t i = 0; i < k; i++)
				out[i] = d->run_value;
			d->run_left -= k;
		} else if (d->packed_left) {
			k = d->packed_left < n ? (uint32_t)d->packed_left : n;
			packed_u32(d, out, k);
		} else {
			int rc = next_run(d, err);

			if (rc < 0)
				return rc;
			continue;
		}
		out += k;
		n -= k;
	}
	return CDC_OK;
}

int cdc_pq_rle_u8(struct cdc_pq_rle *d, uint8_t *out, uint32_t n, struct cdc_err *err)
{
	while (n > 0) {
		uint32_t k;

		if (d->run_left) {
			k = d->run_left < n ? (uint32_t)d->run_left : n;
			memset(out, (int)(d->run_value & 0xff), k);
			d->run_left -= k;
		} else if (d->packed_left) {
			k = d->packed_left < n ? (uint32_t)d->packed_left : n;
			packed_u8(d, out, k);
		} else {
			int rc = next_run(d, err);

			if (rc < 0)
				return rc;
			continue;
		}
		out += k;
		n -= k;
	}
	return CDC_OK;
}

int cdc_pq_rle_skip(struct cdc_pq_rle *d, uint64_t n, struct cdc_err *err)
{
	while (n > 0) {
		uint64_t k;

		if (d->run_left) {
			k = d->run_left < n ? d->run_left : n;
			d->run_left -= k;
		} else if (d->packed_left) {
			k = d->packed_left < n ? d->packed_left : n;
			pass_packed(d, k);
		} else {
			int rc = next_run(d, err);

			if (rc < 0)
				return rc;
			continue;
		}
		n -= k;
	}
	return CDC_OK;
}

int cdc_pq_rle_run(struct cdc_pq_rle *d, uint32_t *v, uint64_t *left, struct cdc_err *err)
{
	int rc = next_run(d, err);

	if (rc < 0)
		return rc;
	*v = d->run_value;
	*left = d->run_left;
	return CDC_OK;
}
