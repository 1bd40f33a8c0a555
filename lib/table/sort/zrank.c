/*
 * Ranks in a sample, interleaved bit by bit. See zrank.h.
 */
#include "table/sort/zrank.h"

#include "table/sort/sort_key.h"

#include <stdlib.h>

#define SAMPLE_ROWS (32u << 10) /* ranks are off by less than a hundredth, nearly always */
#define SLOT_BYTES 40 /* of a value that count for its rank */
#define RANK_BITS 16

/* The first bytes of a value's key, zeros behind a shorter one. */
struct slot {
	uint8_t byte[SLOT_BYTES];
};

struct cdc_zrank {
	int num_columns;
	struct slot **sample; /* of each column */
	uint32_t n; /* rows in it */
	uint64_t seen;
	uint64_t random;
	struct cdc_buf key;
	uint32_t *rank; /* of one row */
};

int cdc_zrank_new(struct cdc_zrank **out, int num_columns, struct cdc_err *err)
{
	struct cdc_zrank *z = calloc(1, sizeof(*z));

	*out = z;
	if (!z)
		return cdc_fail_nomem(err);
	z->num_columns = num_columns;
	z->random = 1; /* the same rows give the same sample */
	z->sample = calloc((size_t)num_columns + 1, sizeof(*z->sample));
	z->rank = calloc((size_t)num_columns + 1, sizeof(*z->rank));
	for (int i = 0; z->sample && i < num_columns; i++) {
		z->sample[i] = calloc(SAMPLE_ROWS, sizeof(**z->sample));
		if (!z->sample[i])
			break;
	}
	if (!z->sample || !z->rank || (num_columns && !z->sample[num_columns - 1])) {
		cdc_zrank_free(z);
		*out = NULL;
		return cdc_fail_nomem(err);
	}
	return CDC_OK;
}

void cdc_zrank_free(struct cdc_zrank *z)
{
	if (!z)
		return;
	for (int i = 0; z->sample && i < z->num_columns; i++)
		free(z->sample[i]);
	free(z->sample);
	free(z->rank);
	cdc_buf_free(&z->key);
	free(z);
}

static int slot_of(struct cdc_zrank *z, const struct cdc_column *c, uint32_t row, struct slot *s,
		   struct cdc_err *err)
{
	int rc;

	cdc_buf_reset(&z->key);
	rc = cdc_sort_key_put(&z->key, c, row, err);
	memset(s, 0, sizeof(*s));
	if (!rc)
		memcpy(s->byte, z->key.p, z->key.len < SLOT_BYTES ? z->key.len : SLOT_BYTES);
	return rc;
}

/* Any row is in the sample with the same chance: Vitter's algorithm R. */
static uint64_t draw(struct cdc_zrank *z)
{
	if (z->seen++ < SAMPLE_ROWS)
		return z->n++;
	z->random = z->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint64_t)((unsigned __int128)z->random * z->seen >> 64);
}

int cdc_zrank_sample(struct cdc_zrank *z, const struct cdc_batch *b, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (uint32_t row = 0; !rc && row < b->rows; row++) {
		uint64_t at = draw(z);

		for (int i = 0; !rc && at < SAMPLE_ROWS && i < z->num_columns; i++)
			rc = slot_of(z, &b->column[i], row, &z->sample[i][at], err);
	}
	return rc;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, SLOT_BYTES);
}

void cdc_zrank_finish(struct cdc_zrank *z)
{
	for (int i = 0; z->n && i < z->num_columns; i++)
		qsort(z->sample[i], z->n, sizeof(struct slot), compare);
}

/* How many values of the sample are smaller, as a share of 2^RANK_BITS. */
static uint32_t rank_of(const struct cdc_zrank *z, int column, const struct slot *s)
{
	uint32_t low = 0;
	uint32_t high = z->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (compare(&z->sample[column][mid], s) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return z->n ? (uint32_t)(((uint64_t)low << RANK_BITS) / ((uint64_t)z->n + 1)) : 0;
}

int cdc_zrank_put(struct cdc_zrank *z, struct cdc_buf *out, const struct cdc_batch *b,
		  const int *field, uint32_t row, struct cdc_err *err)
{
	size_t bits = (size_t)z->num_columns * RANK_BITS;
	uint8_t *to;
	size_t at = 0;
	struct slot s;

	for (int i = 0; i < z->num_columns; i++) {
		if (slot_of(z, &b->column[field[i]], row, &s, err))
			return err->code;
		z->rank[i] = rank_of(z, i, &s);
	}
	if (cdc_buf_reserve(out, (bits + 7) / 8, err))
		return err->code;
	to = (uint8_t *)out->p + out->len;
	memset(to, 0, (bits + 7) / 8);
	for (int bit = RANK_BITS - 1; bit >= 0; bit--)
		for (int i = 0; i < z->num_columns; i++, at++)
			to[at / 8] |= (uint8_t)((z->rank[i] >> bit & 1) << (7 - at % 8));
	out->len += (bits + 7) / 8;
	return CDC_OK;
}
