/*
 * Growing a batch: levels, dense values, and spreading values over slots where some are null.
 */
#include "parquet/pq_batch.h"

#include "base/endian.h"
#include "parquet/parquet.h"

/* Slots that a first allocation has room for. */
enum { FIRST = 1024 };

void cdc_pq_batch_reset(struct cdc_pq_batch *b)
{
	b->n = 0;
	b->rows = 0;
	b->has_def = false;
}

void cdc_pq_batch_free(struct cdc_pq_batch *b)
{
	cdc_pq_mem_free(&b->values);
	cdc_pq_mem_free(&b->def);
	cdc_pq_mem_free(&b->rep);
}

/* Room for k more slots in all arrays. */
static int reserve(struct cdc_pq_batch *b, uint32_t k, struct cdc_err *err)
{
	size_t size = cdc_pq_slot_size(b->type);
	uint64_t cap = b->cap ? b->cap : FIRST;
	int rc;

	if ((uint64_t)b->n + k <= b->cap)
		return CDC_OK;
	if ((uint64_t)b->n + k > UINT32_MAX)
		return cdc_fail_nomem(err);
	while (cap < (uint64_t)b->n + k)
		cap *= 2;
	rc = cdc_pq_mem_reserve(&b->values, cap * size, b->n * size, err);
	if (rc >= 0 && b->max_def)
		rc = cdc_pq_mem_reserve(&b->def, cap, b->has_def ? b->n : 0, err);
	if (rc >= 0 && b->max_rep)
		rc = cdc_pq_mem_reserve(&b->rep, cap, b->n, err);
	if (rc >= 0)
		b->cap = cap < UINT32_MAX ? (uint32_t)cap : UINT32_MAX;
	return rc;
}

static int append_rep(struct cdc_pq_batch *b, struct cdc_pq_page *pg, uint32_t k,
		      struct cdc_err *err)
{
	uint8_t *rep = b->rep.p + b->n;
	uint32_t at_max = 0;
	int rc = cdc_pq_levels_read(&pg->rep, rep, k, &at_max, err);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < k; i++)
		b->rows += rep[i] == 0;
	return CDC_OK;
}

/* From now on this batch has definition levels: those so far were all the maximum. */
static void need_def(struct cdc_pq_batch *b)
{
	if (!b->has_def && b->n)
		memset(b->def.p, b->max_def, b->n);
	b->has_def = true;
}

/* Definition levels of k slots; *valid is how many hold a value. One run costs nothing. */
static int append_def(struct cdc_pq_batch *b, struct cdc_pq_page *pg, uint32_t k, uint32_t *valid,
		      struct cdc_err *err)
{
	uint8_t v = 0;
	uint64_t run = 0;
	int rc = cdc_pq_levels_run(&pg->def, &v, &run, err);

	if (rc < 0)
		return rc;
	if (run >= k) {
		cdc_pq_levels_pass(&pg->def, k);
		*valid = v == b->max_def ? k : 0;
		if (*valid == k && !b->has_def)
			return CDC_OK;
		need_def(b);
		memset(b->def.p + b->n, v, k);
		return CDC_OK;
	}
	rc = cdc_pq_levels_read(&pg->def, b->def.p + b->n, k, valid, err);
	if (rc >= 0 && *valid < k)
		need_def(b);
	return rc;
}

/*
 * The first k of n slots hold the values in order: move each to the slot whose level is the
 * maximum, and zero the others. From the end, so that nothing is overwritten before it moved: below
 * slot i there are k <= i values still to be placed, so v[k] is inside. Eight slots at a time where
 * all of them have values.
 */
/* clang-format off */
#define SPREAD(name, type, zero) \
	static void spread_##name(void *slots, const uint8_t *def, uint8_t max, uint32_t n, uint32_t k) \
	{ \
		const uint64_t all = max * UINT64_C(0x0101010101010101); \
		type *v = slots; \
		type eight[8]; \
		uint32_t i = n; \
		while (i > 0) { \
			uint32_t end = i > 8 ? i - 8 : 0; \
			if (i >= 8 && cdc_le64(def + end) == all) { \
				k -= 8; \
				memcpy(eight, v + k, sizeof(eight)); \
				memcpy(v + end, eight, sizeof(eight)); \
				i = end; \
				continue; \
			} \
			while (i > end) { \
				bool has = def[--i] == max; \
				k -= has; \
				type x = v[k]; \
				v[i] = has ? x : zero; \
			} \
		} \
	}
/* clang-format on */

SPREAD(u8, uint8_t, 0)
SPREAD(i32, int32_t, 0)
SPREAD(i64, int64_t, 0)
SPREAD(float, float, 0.0f)
SPREAD(double, double, 0.0)
SPREAD(int96, struct cdc_pq_int96, ((struct cdc_pq_int96){ 0, 0 }))
SPREAD(str, struct cdc_str, ((struct cdc_str){ NULL, 0 }))

static void (*const spread[8])(void *slots, const uint8_t *def, uint8_t max, uint32_t n,
			       uint32_t k) = {
	[CDC_PQ_BOOLEAN] = spread_u8,	  [CDC_PQ_INT32] = spread_i32,
	[CDC_PQ_INT64] = spread_i64,	  [CDC_PQ_INT96] = spread_int96,
	[CDC_PQ_FLOAT] = spread_float,	  [CDC_PQ_DOUBLE] = spread_double,
	[CDC_PQ_BYTE_ARRAY] = spread_str, [CDC_PQ_FIXED] = spread_str,
};

int cdc_pq_batch_append(struct cdc_pq_batch *b, struct cdc_pq_page *pg, uint32_t k,
			struct cdc_pq_string_space *space, struct cdc_err *err)
{
	size_t size = cdc_pq_slot_size(b->type);
	uint32_t valid = k;
	uint8_t *slots;
	int rc = reserve(b, k, err);

	if (rc >= 0 && b->max_rep)
		rc = append_rep(b, pg, k, err);
	if (rc >= 0 && b->max_def)
		rc = append_def(b, pg, k, &valid, err);
	if (rc < 0)
		return rc;
	slots = b->values.p + b->n * size;
	rc = cdc_pq_values_read(&pg->values, slots, valid, space, err);
	if (rc < 0)
		return rc;
	if (valid == 0)
		memset(slots, 0, k * size);
	else if (valid < k)
		spread[b->type](slots, b->def.p + b->n, b->max_def, k, valid);
	b->n += k;
	pg->left -= k;
	return CDC_OK;
}
