/*
 * Sets of row positions in memory: an array of 32-bit Roaring bitmaps by the upper half of the
 * position. Nearly every file has one bitmap, so the array is searched from its end.
 */
#include "delta/dv_int.h"

#include <roaring/roaring.h>
#include <stdlib.h>

#define READ_AHEAD 512 /* positions fetched from an iterator at once */

struct bucket {
	uint32_t key;
	roaring_bitmap_t *rows;
};

struct cdc_dv {
	struct bucket *bucket; /* keys ascending */
	size_t n;
	size_t cap;
};

bool cdc_dv_ref_equal(const struct cdc_dv_ref *a, const struct cdc_dv_ref *b)
{
	return a->storage == b->storage && cdc_str_eq(a->path, b->path) &&
	       (a->has_offset ? a->offset : 0) == (b->has_offset ? b->offset : 0);
}

int cdc_dv_new(struct cdc_dv **dv, struct cdc_err *err)
{
	*dv = calloc(1, sizeof(**dv));
	return *dv ? CDC_OK : cdc_fail_nomem(err);
}

void cdc_dv_free(struct cdc_dv *dv)
{
	if (!dv)
		return;
	for (size_t i = 0; i < dv->n; i++)
		roaring_bitmap_free(dv->bucket[i].rows);
	free(dv->bucket);
	free(dv);
}

/* Index of the first bucket with a key of at least `key`. */
static size_t lower_bound(const struct cdc_dv *dv, uint32_t key)
{
	size_t lo = 0;
	size_t hi = dv->n;

	if (hi && dv->bucket[hi - 1].key < key)
		return hi;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (dv->bucket[mid].key < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Put `rows` before bucket i; it belongs to the set then, and is freed on failure. */
static int insert_bucket(struct cdc_dv *dv, size_t i, uint32_t key, roaring_bitmap_t *rows,
			 struct cdc_err *err)
{
	if (rows && dv->n == dv->cap) {
		size_t cap = dv->cap ? 2 * dv->cap : 1;
		struct bucket *grown = reallocarray(dv->bucket, cap, sizeof(*grown));

		if (!grown) {
			roaring_bitmap_free(rows);
			return cdc_fail_nomem(err);
		}
		dv->bucket = grown;
		dv->cap = cap;
	}
	if (!rows)
		return cdc_fail_nomem(err);
	memmove(dv->bucket + i + 1, dv->bucket + i, (dv->n - i) * sizeof(*dv->bucket));
	dv->bucket[i] = (struct bucket){ key, rows };
	dv->n++;
	return CDC_OK;
}

int cdc_dv_add(struct cdc_dv *dv, uint64_t row, struct cdc_err *err)
{
	uint32_t key = (uint32_t)(row >> 32);
	size_t i = lower_bound(dv, key);

	if (row > INT64_MAX)
		return cdc_fail(err, CDC_EINTERNAL, "row position out of range");
	if (i == dv->n || dv->bucket[i].key != key) {
		int rc = insert_bucket(dv, i, key, roaring_bitmap_create(), err);

		if (rc < 0)
			return rc;
	}
	roaring_bitmap_add(dv->bucket[i].rows, (uint32_t)row);
	return CDC_OK;
}

bool cdc_dv_contains(const struct cdc_dv *dv, uint64_t row)
{
	uint32_t key = (uint32_t)(row >> 32);
	size_t i = lower_bound(dv, key);

	return i < dv->n && dv->bucket[i].key == key &&
	       roaring_bitmap_contains(dv->bucket[i].rows, (uint32_t)row);
}

uint64_t cdc_dv_count(const struct cdc_dv *dv)
{
	uint64_t total = 0;

	for (size_t i = 0; i < dv->n; i++)
		total += roaring_bitmap_get_cardinality(dv->bucket[i].rows);
	return total;
}

int cdc_dv_union(struct cdc_dv *into, const struct cdc_dv *other, struct cdc_err *err)
{
	for (size_t k = 0; k < other->n; k++) {
		const struct bucket *b = &other->bucket[k];
		size_t i = lower_bound(into, b->key);
		int rc;

		if (i < into->n && into->bucket[i].key == b->key) {
			roaring_bitmap_or_inplace(into->bucket[i].rows, b->rows);
			continue;
		}
		rc = insert_bucket(into, i, b->key, roaring_bitmap_copy(b->rows), err);
		if (rc < 0)
			return rc;
	}
	return CDC_OK;
}

/* Clears keep[row - first] for rows first..last of one bitmap. */
static size_t mask_bucket(const roaring_bitmap_t *rows, uint32_t first, uint32_t last,
			  uint8_t *keep)
{
	roaring_uint32_iterator_t it;
	uint32_t at[READ_AHEAD];
	size_t cleared = 0;
	uint32_t n;

	roaring_init_iterator(rows, &it);
	if (!roaring_move_uint32_iterator_equalorlarger(&it, first))
		return 0;
	while ((n = roaring_read_uint32_iterator(&it, at, READ_AHEAD)) > 0) {
		for (uint32_t k = 0; k < n; k++) {
			if (at[k] > last)
				return cleared;
			keep[at[k] - first] = 0;
			cleared++;
		}
	}
	return cleared;
}

size_t cdc_dv_mask(const struct cdc_dv *dv, uint64_t first, size_t n, uint8_t *keep)
{
	size_t cleared = 0;

	while (n) {
		uint32_t key = (uint32_t)(first >> 32);
		uint64_t left = ((uint64_t)1 << 32) - (uint32_t)first;
		size_t span = n < left ? n : (size_t)left;
		size_t i = lower_bound(dv, key);

		if (i == dv->n)
			break;
		if (dv->bucket[i].key == key)
			cleared += mask_bucket(dv->bucket[i].rows, (uint32_t)first,
					       (uint32_t)(first + span - 1), keep);
		first += span;
		keep += span;
		n -= span;
	}
	return cleared;
}

int cdc_dv_each(const struct cdc_dv *dv, int (*each)(void *ctx, uint64_t row), void *ctx)
{
	for (size_t i = 0; i < dv->n; i++) {
		roaring_uint32_iterator_t it;
		uint32_t at[READ_AHEAD];
		uint32_t n;

		roaring_init_iterator(dv->bucket[i].rows, &it);
		while ((n = roaring_read_uint32_iterator(&it, at, READ_AHEAD)) > 0) {
			for (uint32_t k = 0; k < n; k++) {
				int rc = each(ctx, (uint64_t)dv->bucket[i].key << 32 | at[k]);

				if (rc)
					return rc;
			}
		}
	}
	return 0;
}

void cdc_dv_compact(struct cdc_dv *dv)
{
	for (size_t i = 0; i < dv->n; i++)
		roaring_bitmap_run_optimize(dv->bucket[i].rows);
}

size_t cdc_dv_num_buckets(const struct cdc_dv *dv)
{
	return dv->n;
}

uint32_t cdc_dv_bucket_key(const struct cdc_dv *dv, size_t i)
{
	return dv->bucket[i].key;
}

size_t cdc_dv_bucket_bytes(const struct cdc_dv *dv, size_t i)
{
	return roaring_bitmap_portable_size_in_bytes(dv->bucket[i].rows);
}

void cdc_dv_bucket_write(const struct cdc_dv *dv, size_t i, char *out)
{
	roaring_bitmap_portable_serialize(dv->bucket[i].rows, out);
}

int cdc_dv_bucket_read(struct cdc_dv *dv, uint32_t key, struct cdc_str bytes, struct cdc_err *err)
{
	roaring_bitmap_t *rows = roaring_bitmap_portable_deserialize_safe(bytes.p, bytes.n);

	if (rows && roaring_bitmap_is_empty(rows)) {
		roaring_bitmap_free(rows);
		return CDC_OK;
	}
	return insert_bucket(dv, dv->n, key, rows, err);
}
