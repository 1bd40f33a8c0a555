/*
 * Levels, reading: the decoder of pq_level_read.h.
 */
#include "parquet/pq_level_read.h"

#include "base/endian.h"

uint32_t cdc_pq_level_width(uint8_t max)
{
	uint32_t w = 0;

	for (; max; max >>= 1)
		w++;
	return w;
}

void cdc_pq_levels_init(struct cdc_pq_levels *l, uint8_t max)
{
	*l = (struct cdc_pq_levels){ .max = max, .width = cdc_pq_level_width(max) };
}

void cdc_pq_levels_set_rle(struct cdc_pq_levels *l, const void *p, size_t n)
{
	cdc_pq_rle_init(&l->rle, p, n, l->width);
}

void cdc_pq_levels_set_packed(struct cdc_pq_levels *l, const void *p, size_t n)
{
	l->packed = true;
	l->bits = p;
	l->bit = 0;
	l->num_bits = 8 * (uint64_t)n;
}

static int read_packed(struct cdc_pq_levels *l, uint8_t *out, uint32_t n, struct cdc_err *err)
{
	if ((l->num_bits - l->bit) / l->width < n)
		return cdc_fail(err, CDC_ECORRUPT, "levels end before the values do");
	for (uint32_t i = 0; i < n; i++) {
		uint32_t v = 0;

		for (uint32_t k = 0; k < l->width; k++, l->bit++)
			v = v << 1 | ((uint32_t)l->bits[l->bit / 8] >> (7 - l->bit % 8) & 1);
		out[i] = (uint8_t)v;
	}
	return CDC_OK;
}

/* Levels of 0 and 1, eight at a time: how many are 1; *over when one is neither. */
static uint32_t count_ones(const uint8_t *v, uint32_t n, bool *over)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t bad = 0;
	uint32_t count = 0;
	uint32_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t w = cdc_le64(v + i);

		bad |= w & ~ones;
		count += (uint32_t)((w & ones) * ones >> 56);
	}
	for (; i < n; i++) {
		bad |= v[i] & 0xfeu;
		count += v[i] & 1u;
	}
	*over = bad != 0;
	return count;
}

static uint32_t count_max(const uint8_t *v, uint32_t n, uint8_t max, bool *over)
{
	uint32_t count = 0;
	uint32_t bad = 0;

	for (uint32_t i = 0; i < n; i++) {
		count += v[i] == max;
		bad |= v[i] > max;
	}
	*over = bad != 0;
	return count;
}

int cdc_pq_levels_read(struct cdc_pq_levels *l, uint8_t *out, uint32_t n, uint32_t *at_max,
		       struct cdc_err *err)
{
	bool over = false;
	int rc;

	if (l->max == 0) {
		memset(out, 0, n);
		*at_max = n;
		return CDC_OK;
	}
	rc = l->packed ? read_packed(l, out, n, err) : cdc_pq_rle_u8(&l->rle, out, n, err);
	if (rc < 0)
		return rc;
	*at_max = l->max == 1 ? count_ones(out, n, &over) : count_max(out, n, l->max, &over);
	if (over)
		return cdc_fail(err, CDC_ECORRUPT, "a level is over the maximum of %u",
				(unsigned)l->max);
	return CDC_OK;
}

int cdc_pq_levels_run(struct cdc_pq_levels *l, uint8_t *v, uint64_t *n, struct cdc_err *err)
{
	uint32_t value = 0;
	int rc;

	*v = 0;
	*n = 0;
	if (l->max == 0) {
		*n = UINT64_MAX;
		return CDC_OK;
	}
	if (l->packed)
		return CDC_OK;
	rc = cdc_pq_rle_run(&l->rle, &value, n, err);
	if (rc < 0)
		return rc;
	if (*n > 0 && value > l->max)
		return cdc_fail(err, CDC_ECORRUPT, "a level is over the maximum of %u",
				(unsigned)l->max);
	*v = *n > 0 ? (uint8_t)value : 0;
	return CDC_OK;
}

void cdc_pq_levels_pass(struct cdc_pq_levels *l, uint32_t n)
{
	if (l->max > 0)
		l->rle.run_left -= n;
}

int cdc_pq_levels_peek(const struct cdc_pq_levels *l, uint8_t *v, struct cdc_err *err)
{
	struct cdc_pq_levels ahead = *l;
	uint32_t at_max = 0;

	return cdc_pq_levels_read(&ahead, v, 1, &at_max, err);
}
