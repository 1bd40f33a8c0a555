/*
 * Deletion vectors from anyone: whatever bytes (or inline text) are accepted must be one and the
 * same set to iteration, lookup and mask, and after writing and reading it again.
 */
#include "delta/dv_int.h"

#include <stdlib.h>

#define ROWS_MAX 200000 /* a few bytes of runs can mark millions of rows */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

struct walk {
	const struct cdc_dv *other;
	uint64_t next;
	uint64_t seen;
};

static int walk_row(void *ctx, uint64_t row)
{
	struct walk *w = ctx;
	uint8_t keep[3] = { 1, 1, 1 };
	size_t cleared;

	check(row >= w->next && row <= INT64_MAX);
	w->next = row + 1;
	check(cdc_dv_contains(w->other, row));
	cleared = cdc_dv_mask(w->other, row, 3, keep);
	check(keep[0] == 0 && cleared == 3u - keep[1] - keep[2]);
	check(keep[1] == !cdc_dv_contains(w->other, row + 1));
	return ++w->seen == ROWS_MAX;
}

static void check_set(struct cdc_dv *dv)
{
	struct cdc_buf bytes = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	uint64_t count = cdc_dv_count(dv);
	struct walk w = { 0 };
	struct cdc_dv *back = NULL;

	check(cdc_dv_encode(dv, &bytes, &err) == CDC_OK);
	check(cdc_dv_decode(&back, cdc_buf_str(&bytes), &err) == CDC_OK);
	check(cdc_dv_count(back) == count);
	w.other = back;
	(void)cdc_dv_each(dv, walk_row, &w);
	check(w.seen == (count < ROWS_MAX ? count : ROWS_MAX));
	check(cdc_dv_union(back, dv, &err) == CDC_OK);
	check(cdc_dv_count(back) == count);
	cdc_dv_free(back);
	cdc_buf_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_dv *dv = NULL;
	struct cdc_str rest;
	struct cdc_dv_ref ref;

	if (n < 2)
		return 0;
	rest = cdc_str((const char *)data + 1, n - 1);
	if (data[0] & 1) {
		if (cdc_dv_decode(&dv, rest, &err) == CDC_OK)
			check_set(dv);
	} else {
		ref = (struct cdc_dv_ref){ .storage = 'i',
					   .path = rest,
					   .size_bytes = (int32_t)(rest.n / 5 * 4),
					   .cardinality = data[0] >> 1 };
		if (cdc_dv_load(&dv, &cdc_io_posix, "/", false, &ref, &err) == CDC_OK)
			check_set(dv);
	}
	cdc_dv_free(dv);
	return 0;
}
