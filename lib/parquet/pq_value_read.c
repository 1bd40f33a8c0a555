/*
 * Values, reading: the decoders of pq_value_read.h, by encoding and type (spec 1.6).
 */
#include "parquet/pq_value_read.h"

#include "base/endian.h"
#include "parquet/parquet.h"
#include "parquet/pq_unpack.h"

#include <stdlib.h>

/* Values that are handled in one go: indices to check and look up, bytes to transpose. */
enum { STEP = 512 };

/* A repeated run of at least this many indices is filled rather than looked up. */
enum { FILL = 16 };

/* Memory from this size on gets some to spare. */
enum { SPARE_FROM = 64 << 10 };

int cdc_pq_mem_reserve(struct cdc_pq_mem *m, size_t n, size_t keep, struct cdc_err *err)
{
	size_t cap;
	uint8_t *p;

	if (n > SIZE_MAX / 2 - CDC_PQ_SLACK)
		return cdc_fail_nomem(err);
	if (m->p && n + CDC_PQ_SLACK <= m->cap) {
		memset(m->p + n, 0, CDC_PQ_SLACK);
		return CDC_OK;
	}
	/* What is large is used again, for pages and chunks of about the same size. */
	cap = n < SPARE_FROM ? n : n + n / 8;
	cap = (cap + CDC_PQ_SLACK + 63) & ~(size_t)63;
	p = aligned_alloc(64, cap);
	if (!p)
		return cdc_fail_nomem(err);
	memset(p + n, 0, CDC_PQ_SLACK);
	if (keep)
		memcpy(p, m->p, keep);
	free(m->p);
	m->p = p;
	m->cap = cap;
	return CDC_OK;
}

void cdc_pq_mem_free(struct cdc_pq_mem *m)
{
	free(m->p);
	m->p = NULL;
	m->cap = 0;
}

size_t cdc_pq_slot_size(enum cdc_pq_type type)
{
	switch (type) {
	case CDC_PQ_BOOLEAN:
		return 1;
	case CDC_PQ_INT32:
	case CDC_PQ_FLOAT:
		return 4;
	case CDC_PQ_INT64:
	case CDC_PQ_DOUBLE:
		return 8;
	case CDC_PQ_INT96:
		return sizeof(struct cdc_pq_int96);
	case CDC_PQ_BYTE_ARRAY:
	case CDC_PQ_FIXED:
		break;
	}
	return sizeof(struct cdc_str);
}

/* Bytes of a value in a PLAIN page; 0 where that varies. */
static size_t plain_size(struct cdc_pq_value_type t)
{
	switch (t.type) {
	case CDC_PQ_INT32:
	case CDC_PQ_FLOAT:
		return 4;
	case CDC_PQ_INT64:
	case CDC_PQ_DOUBLE:
		return 8;
	case CDC_PQ_INT96:
		return 12;
	case CDC_PQ_FIXED:
		return t.length;
	case CDC_PQ_BOOLEAN:
	case CDC_PQ_BYTE_ARRAY:
		break;
	}
	return 0;
}

static int too_few(struct cdc_err *err)
{
	return cdc_fail(err, CDC_ECORRUPT, "the page ends before its values do");
}

/* ------------------------------------------------------------------ PLAIN */

static void plain_fixed(const uint8_t *p, struct cdc_pq_value_type t, void *out, uint32_t n)
{
	if (t.type == CDC_PQ_INT96) {
		struct cdc_pq_int96 *o = out;

		for (uint32_t i = 0; i < n; i++, p += 12)
			o[i] = (struct cdc_pq_int96){ cdc_le64(p), cdc_le32(p + 8) };
	} else if (t.type == CDC_PQ_FIXED) {
		struct cdc_str *o = out;

		for (uint32_t i = 0; i < n; i++, p += t.length)
			o[i] = cdc_str((const char *)p, t.length);
	} else if (n > 0) {
		memcpy(out, p, plain_size(t) * n);
	}
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	if (t.type != CDC_PQ_INT96 && t.type != CDC_PQ_FIXED)
		for (uint32_t i = 0; i < n; i++) {
			if (plain_size(t) == 4)
				((uint32_t *)out)[i] = cdc_le32((uint32_t *)out + i);
			else
				((uint64_t *)out)[i] = cdc_le64((uint64_t *)out + i);
		}
#endif
}

static int plain_strings(struct cdc_pq_values *v, struct cdc_str *out, uint32_t n,
			 struct cdc_err *err)
{
	const uint8_t *p = v->p;
	const uint8_t *end = v->end;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t len;

		if (end - p < 4)
			return too_few(err);
		len = cdc_le32(p);
		p += 4;
		if (len > (size_t)(end - p))
			return cdc_fail(err, CDC_ECORRUPT, "a string is longer than its page");
		out[i] = cdc_str((const char *)p, len);
		p += len;
	}
	v->p = p;
	return CDC_OK;
}

static int plain_booleans(struct cdc_pq_values *v, uint8_t *out, uint32_t n, struct cdc_err *err)
{
	uint32_t i = 0;

	if (8 * (uint64_t)(v->end - v->p) < (uint64_t)v->bit + n)
		return too_few(err);
	while (i < n) {
		if (v->bit == 0 && n - i >= 8) {
			cdc_pq_unpack8_u8(v->p++, 1, out + i);
			i += 8;
			continue;
		}
		out[i++] = *v->p >> v->bit & 1;
		v->bit = (v->bit + 1) % 8;
		if (v->bit == 0)
			v->p++;
	}
	return CDC_OK;
}

static int read_plain(struct cdc_pq_values *v, void *out, uint32_t n, struct cdc_err *err)
{
	size_t size = plain_size(v->t);

	if (v->t.type == CDC_PQ_BOOLEAN)
		return plain_booleans(v, out, n, err);
	if (v->t.type == CDC_PQ_BYTE_ARRAY)
		return plain_strings(v, out, n, err);
	if ((size_t)(v->end - v->p) / size < n)
		return too_few(err);
	plain_fixed(v->p, v->t, out, n);
	v->p += size * n;
	return CDC_OK;
}

/* ------------------------------------------------------------------ BYTE_STREAM_SPLIT */

/* Sixteen bytes: gcc and clang make the vector instructions of any machine of them. */
typedef uint8_t block __attribute__((vector_size(16)));

static block low_halves(block a, block b)
{
	return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7,
				       23);
}

static block high_halves(block a, block b)
{
	return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30,
				       15, 31);
}

/*
 * Sixteen values at a time, of 2, 4, 8 or 16 bytes: byte k of them is one block. Each turn joins
 * block lists k and k + m / 2, so that there are half as many of twice the length, and at the end
 * one, which is the values. Returns how many values that were.
 */
static size_t transpose_blocks(const uint8_t *p, uint8_t *out, size_t size, size_t n)
{
	block two[2][16];
	size_t i = 0;

	for (; i + 16 <= n; i += 16) {
		block *from = two[0];
		block *to = two[1];

		for (size_t k = 0; k < size; k++)
			memcpy(&from[k], p + k * n + i, sizeof(*from));
		for (size_t m = size; m > 1; m /= 2) {
			block *done = from;

			for (size_t k = 0; k < size / 2; k++) {
				to[2 * k] = low_halves(from[k], from[k + size / 2]);
				to[2 * k + 1] = high_halves(from[k], from[k + size / 2]);
			}
			from = to;
			to = done;
		}
		memcpy(out + i * size, from, size * sizeof(*from));
	}
	return i;
}

/*
 * Byte k of value i is at k * n + i; put each value together. A few values at a time, so that what
 * is written stays in the cache until it is whole.
 */
static void transpose(const uint8_t *p, uint8_t *out, size_t size, size_t n)
{
	bool blocks = size == 2 || size == 4 || size == 8 || size == 16;

	for (size_t from = blocks ? transpose_blocks(p, out, size, n) : 0; from < n; from += STEP) {
		size_t to = n - from < STEP ? n : from + STEP;

		for (size_t k = 0; k < size; k++)
			for (size_t i = from; i < to; i++)
				out[i * size + k] = p[k * n + i];
	}
}

static int join_streams(struct cdc_pq_values *v, size_t n, struct cdc_pq_mem *m,
			struct cdc_err *err)
{
	size_t size = v->t.type == CDC_PQ_INT96 ? 0 : plain_size(v->t);
	int rc;

	if (size == 0)
		return cdc_fail(err, CDC_ECORRUPT, "byte stream split of a type it is not for");
	if (n % size != 0)
		return cdc_fail(err, CDC_ECORRUPT, "byte streams are not equally long");
	rc = cdc_pq_mem_reserve(m, n, 0, err);
	if (rc < 0)
		return rc;
	transpose(v->p, m->p, size, n / size);
	v->p = m->p;
	v->end = m->p + n;
	v->encoding = CDC_PQ_PLAIN;
	return CDC_OK;
}

/* ------------------------------------------------------------------ dictionary */

int cdc_pq_dictionary_read(struct cdc_pq_dictionary *d, struct cdc_pq_value_type t, uint32_t n,
			   const uint8_t *p, size_t len, struct cdc_err *err)
{
	struct cdc_pq_values v = { .t = t, .encoding = CDC_PQ_PLAIN, .p = p, .end = p + len };
	size_t least = t.type == CDC_PQ_BYTE_ARRAY ? 4 : plain_size(t);
	int rc;

	if (t.type == CDC_PQ_BOOLEAN ? n > 8 * (uint64_t)len : n > len / least)
		return cdc_fail(err, CDC_ECORRUPT,
				"a dictionary of %u values does not fit its page", (unsigned)n);
	rc = cdc_pq_mem_reserve(&d->slots, n * cdc_pq_slot_size(t.type), 0, err);
	if (rc >= 0)
		rc = read_plain(&v, d->slots.p, n, err);
	if (rc < 0)
		return rc;
	d->present = true;
	d->n = n;
	return CDC_OK;
}

/* clang-format off */
#define LOOK_UP(name, type) \
	static void look_up_##name(void *out, const void *dict, const uint32_t *index, uint32_t n) \
	{ \
		type *o = out; \
		const type *d = dict; \
		for (uint32_t i = 0; i < n; i++) \
			o[i] = d[index[i]]; \
	} \
	static void fill_##name(void *out, const void *dict, uint32_t index, uint32_t n) \
	{ \
		type *o = out; \
		type v = ((const type *)dict)[index]; \
		for (uint32_t i = 0; i < n; i++) \
			o[i] = v; \
	}
/* clang-format on */

LOOK_UP(u8, uint8_t)
LOOK_UP(i32, int32_t)
LOOK_UP(i64, int64_t)
LOOK_UP(float, float)
LOOK_UP(double, double)
LOOK_UP(int96, struct cdc_pq_int96)
LOOK_UP(str, struct cdc_str)

struct look_up_ops {
	void (*look_up)(void *out, const void *dict, const uint32_t *index, uint32_t n);
	void (*fill)(void *out, const void *dict, uint32_t index, uint32_t n);
};

static const struct look_up_ops ops[8] = {
	[CDC_PQ_BOOLEAN] = { look_up_u8, fill_u8 },
	[CDC_PQ_INT32] = { look_up_i32, fill_i32 },
	[CDC_PQ_INT64] = { look_up_i64, fill_i64 },
	[CDC_PQ_INT96] = { look_up_int96, fill_int96 },
	[CDC_PQ_FLOAT] = { look_up_float, fill_float },
	[CDC_PQ_DOUBLE] = { look_up_double, fill_double },
	[CDC_PQ_BYTE_ARRAY] = { look_up_str, fill_str },
	[CDC_PQ_FIXED] = { look_up_str, fill_str },
};

static int bad_index(const struct cdc_pq_values *v, uint32_t index, struct cdc_err *err)
{
	if (!v->dict->present)
		return cdc_fail(err, CDC_ECORRUPT, "dictionary indices without a dictionary");
	return cdc_fail(err, CDC_ECORRUPT, "dictionary index %u of %u", (unsigned)index,
			(unsigned)v->dict->n);
}

/* Four indices: gcc and clang make the vector instructions of any machine of it. */
typedef uint32_t quad __attribute__((vector_size(16)));

/*
 * Is one of the indices over `last`, the dictionary's size less one? A difference that went below
 * zero, or an index of 2^31 and more, has its highest bit set; a size is less than 2^31.
 */
static bool any_over(const uint32_t *index, uint32_t k, uint32_t last)
{
	quad all = { 0, 0, 0, 0 };
	uint32_t bad = 0;
	uint32_t i = 0;

	for (; i + 4 <= k; i += 4) {
		quad x;

		memcpy(&x, index + i, sizeof(x));
		all |= x | (last - x);
	}
	for (; i < k; i++)
		bad |= index[i] | (last - index[i]);
	return (bad | all[0] | all[1] | all[2] | all[3]) >> 31;
}

static uint32_t largest(const uint32_t *index, uint32_t k)
{
	uint32_t top = 0;

	for (uint32_t i = 0; i < k; i++)
		top = index[i] > top ? index[i] : top;
	return top;
}

static int read_indices(struct cdc_pq_values *v, void *out, uint32_t n, struct cdc_err *err)
{
	size_t size = cdc_pq_slot_size(v->t.type);
	const struct look_up_ops *op = &ops[v->t.type];
	uint32_t index[STEP];
	uint8_t *o = out;

	while (n > 0) {
		uint32_t top = 0;
		uint64_t run = 0;
		uint32_t k;
		int rc = cdc_pq_rle_run(&v->rle, &top, &run, err);

		if (rc < 0)
			return rc;
		if (run >= FILL) {
			k = run < n ? (uint32_t)run : n;
			if (top >= v->dict->n)
				return bad_index(v, top, err);
			op->fill(o, v->dict->slots.p, top, k);
			v->rle.run_left -= k;
		} else {
			k = n < STEP ? n : STEP;
			rc = cdc_pq_rle_u32(&v->rle, index, k, err);
			if (rc < 0)
				return rc;
			if (any_over(index, k, v->dict->n - 1))
				return bad_index(v, largest(index, k), err);
			op->look_up(o, v->dict->slots.p, index, k);
		}
		o += k * size;
		n -= k;
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ all */

static int wrong_type(const char *encoding, struct cdc_err *err)
{
	return cdc_fail(err, CDC_ECORRUPT, "%s of a type it is not for", encoding);
}

/* One byte of width, then runs to the end. No bytes at all: no values. */
static int init_indices(struct cdc_pq_values *v, size_t n, struct cdc_err *err)
{
	uint32_t width = n ? v->p[0] : 0;

	if (width > 32)
		return cdc_fail(err, CDC_ECORRUPT, "dictionary indices of %u bits",
				(unsigned)width);
	cdc_pq_rle_init(&v->rle, n ? v->p + 1 : v->p, n ? n - 1 : 0, width);
	return CDC_OK;
}

/* Booleans in runs: u32 length, then width 1, in both versions of data pages. */
static int init_rle_booleans(struct cdc_pq_values *v, size_t n, struct cdc_err *err)
{
	uint32_t len;

	if (v->t.type != CDC_PQ_BOOLEAN)
		return wrong_type("RLE", err);
	if (n == 0) {
		cdc_pq_rle_init(&v->rle, v->p, 0, 1);
		return CDC_OK;
	}
	if (n < 4)
		return too_few(err);
	len = cdc_le32(v->p);
	if (len > n - 4)
		return cdc_fail(err, CDC_ECORRUPT, "runs are longer than their page");
	cdc_pq_rle_init(&v->rle, v->p + 4, len, 1);
	return CDC_OK;
}

static int init_deltas(struct cdc_pq_values *v, size_t n, uint32_t max, struct cdc_err *err)
{
	enum cdc_pq_type type = v->t.type;

	/* A page of nulls alone may leave out even the header. */
	if (n == 0) {
		v->encoding = CDC_PQ_PLAIN;
		return CDC_OK;
	}
	if (v->encoding == CDC_PQ_DELTA_BINARY_PACKED) {
		if (type != CDC_PQ_INT32 && type != CDC_PQ_INT64)
			return wrong_type("DELTA_BINARY_PACKED", err);
		return cdc_pq_dbp_init(&v->dbp, v->p, n, max, err);
	}
	if (v->encoding == CDC_PQ_DELTA_LENGTH_BYTE_ARRAY) {
		if (type != CDC_PQ_BYTE_ARRAY)
			return wrong_type("DELTA_LENGTH_BYTE_ARRAY", err);
		return cdc_pq_dlba_init(&v->dlba, v->p, n, max, err);
	}
	if (type != CDC_PQ_BYTE_ARRAY && type != CDC_PQ_FIXED)
		return wrong_type("DELTA_BYTE_ARRAY", err);
	return cdc_pq_dba_init(&v->dba, v->p, n, max, err);
}

int cdc_pq_values_init(struct cdc_pq_values *v, struct cdc_pq_value_type t,
		       enum cdc_pq_encoding encoding, const struct cdc_pq_dictionary *dict,
		       const uint8_t *p, size_t n, uint32_t max, struct cdc_pq_mem *transposed,
		       struct cdc_err *err)
{
	v->t = t;
	v->encoding = encoding;
	v->p = p;
	v->end = p + n;
	v->bit = 0;
	v->dict = dict;
	switch ((int)encoding) {
	case CDC_PQ_PLAIN:
		return CDC_OK;
	case CDC_PQ_PLAIN_DICTIONARY:
	case CDC_PQ_RLE_DICTIONARY:
		v->encoding = CDC_PQ_RLE_DICTIONARY;
		return init_indices(v, n, err);
	case CDC_PQ_RLE:
		return init_rle_booleans(v, n, err);
	case CDC_PQ_DELTA_BINARY_PACKED:
	case CDC_PQ_DELTA_LENGTH_BYTE_ARRAY:
	case CDC_PQ_DELTA_BYTE_ARRAY:
		return init_deltas(v, n, max, err);
	case CDC_PQ_BYTE_STREAM_SPLIT:
		return join_streams(v, n, transposed, err);
	case 10:
		return cdc_fail(err, CDC_EUNSUPPORTED, "encoding ALP");
	default:
		return cdc_fail(err, CDC_EUNSUPPORTED, "encoding %d", (int)encoding);
	}
}

static int read_rle_booleans(struct cdc_pq_values *v, uint8_t *out, uint32_t n, struct cdc_err *err)
{
	int rc = cdc_pq_rle_u8(&v->rle, out, n, err);
	uint8_t all = 0;

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < n; i++)
		all |= out[i];
	if (all > 1)
		return cdc_fail(err, CDC_ECORRUPT, "a boolean that is neither 0 nor 1");
	return CDC_OK;
}

/* DELTA_BYTE_ARRAY; values of a FIXED leaf have its length. */
static int read_dba(struct cdc_pq_values *v, struct cdc_str *out, uint32_t n,
		    struct cdc_pq_string_space *space, struct cdc_err *err)
{
	int rc = cdc_pq_dba_read(&v->dba, out, n, &space->arena, space->max_bytes, err);

	if (rc < 0 || v->t.type != CDC_PQ_FIXED)
		return rc;
	for (uint32_t i = 0; i < n; i++)
		if (out[i].n != v->t.length)
			return cdc_fail(err, CDC_ECORRUPT, "a value of %zu bytes in a column of %u",
					out[i].n, (unsigned)v->t.length);
	return CDC_OK;
}

int cdc_pq_values_read(struct cdc_pq_values *v, void *out, uint32_t n,
		       struct cdc_pq_string_space *space, struct cdc_err *err)
{
	if (n == 0)
		return CDC_OK;
	switch ((int)v->encoding) {
	case CDC_PQ_RLE_DICTIONARY:
		return read_indices(v, out, n, err);
	case CDC_PQ_RLE:
		return read_rle_booleans(v, out, n, err);
	case CDC_PQ_DELTA_BINARY_PACKED:
		return v->t.type == CDC_PQ_INT32 ? cdc_pq_dbp_i32(&v->dbp, out, n, err)
						 : cdc_pq_dbp_i64(&v->dbp, out, n, err);
	case CDC_PQ_DELTA_LENGTH_BYTE_ARRAY:
		return cdc_pq_dlba_read(&v->dlba, out, n, err);
	case CDC_PQ_DELTA_BYTE_ARRAY:
		return read_dba(v, out, n, space, err);
	default:
		return read_plain(v, out, n, err);
	}
}

/* Values that have to be walked are decoded to nowhere. */
static int skip_by_reading(struct cdc_pq_values *v, uint32_t n, struct cdc_pq_string_space *space,
			   struct cdc_err *err)
{
	struct cdc_str scratch[STEP];

	while (n > 0) {
		uint32_t k = n < STEP ? n : STEP;
		int rc = cdc_pq_values_read(v, scratch, k, space, err);

		if (rc < 0)
			return rc;
		n -= k;
	}
	return CDC_OK;
}

int cdc_pq_values_skip(struct cdc_pq_values *v, uint32_t n, struct cdc_pq_string_space *space,
		       struct cdc_err *err)
{
	size_t size = plain_size(v->t);

	if (v->encoding == CDC_PQ_RLE_DICTIONARY || v->encoding == CDC_PQ_RLE)
		return cdc_pq_rle_skip(&v->rle, n, err);
	if (v->encoding != CDC_PQ_PLAIN || size == 0)
		return skip_by_reading(v, n, space, err);
	if ((size_t)(v->end - v->p) / size < n)
		return too_few(err);
	v->p += size * n;
	return CDC_OK;
}

const void *cdc_pq_values_direct(struct cdc_pq_values *v, uint32_t n)
{
	size_t size = plain_size(v->t);
	const uint8_t *p = v->p;

	if (v->encoding != CDC_PQ_PLAIN || size != cdc_pq_slot_size(v->t.type) ||
	    v->t.type == CDC_PQ_FIXED || (uintptr_t)p % size != 0 ||
	    (size_t)(v->end - p) / size < n || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return NULL;
	v->p += size * n;
	return p;
}

bool cdc_pq_values_point_into_page(const struct cdc_pq_values *v)
{
	return (v->t.type == CDC_PQ_BYTE_ARRAY || v->t.type == CDC_PQ_FIXED) &&
	       v->encoding != CDC_PQ_RLE_DICTIONARY;
}
