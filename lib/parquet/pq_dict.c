/*
 * Dictionary of one column chunk, building: open addressing at no more than half load, one u64 a
 * slot, so that a lookup touches one cache line before it compares the value (spec 4.3).
 */
#include "parquet/pq_dict.h"

#include "base/endian.h"
#include "base/hash.h"

#include <stdlib.h>

enum { MIN_SLOTS = 1024 };

#define MULTIPLIER UINT64_C(0x9E3779B97F4A7C15) /* 2^64 / golden ratio */

void cdc_pq_dict_init(struct cdc_pq_dict *d, uint32_t width)
{
	*d = (struct cdc_pq_dict){ .width = width, .plain = CDC_BUF_INIT };
}

void cdc_pq_dict_reset(struct cdc_pq_dict *d)
{
	if (d->slot && d->count > 0)
		memset(d->slot, 0, ((size_t)d->mask + 1) * sizeof(*d->slot));
	cdc_buf_reset(&d->plain);
	d->count = 0;
	d->probes = 0;
}

void cdc_pq_dict_free(struct cdc_pq_dict *d)
{
	free(d->slot);
	free(d->start);
	free(d->stamp);
	cdc_buf_free(&d->plain);
	cdc_pq_dict_init(d, d->width);
}

size_t cdc_pq_dict_bytes(const struct cdc_pq_dict *d)
{
	size_t n = d->plain.cap;

	if (d->slot)
		n += ((size_t)d->mask + 1) * sizeof(*d->slot);
	if (d->stamp)
		n += (size_t)d->cap * 2 * sizeof(*d->stamp);
	return n;
}

struct cdc_str cdc_pq_dict_get(const struct cdc_pq_dict *d, uint32_t i)
{
	if (d->width)
		return cdc_str(d->plain.p + (size_t)i * d->width, d->width);
	return cdc_str(d->plain.p + d->start[i], cdc_le32(d->plain.p + d->start[i] - 4));
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint32_t hash_int(uint64_t v)
{
	return (uint32_t)fold(v, MULTIPLIER);
}

/* The bytes of a string of up to 16 as two words; with the length they determine it. */
static inline void two_words(const char *p, size_t n, uint64_t *a, uint64_t *b)
{
	if (n >= 8) {
		*a = cdc_le64(p);
		*b = cdc_le64(p + n - 8);
	} else if (n >= 4) {
		*a = cdc_le32(p);
		*b = cdc_le32(p + n - 4);
	} else {
		*a = n ? (uint8_t)p[0] : 0;
		*b = n ? (uint64_t)(uint8_t)p[n / 2] << 8 | (uint8_t)p[n - 1] : 0;
	}
}

static inline uint32_t hash_str(struct cdc_str s, uint64_t *a, uint64_t *b)
{
	if (s.n > 16)
		return (uint32_t)(cdc_hash64(s.p, s.n) >> 32);
	two_words(s.p, s.n, a, b);
	return (uint32_t)(fold(*a ^ MULTIPLIER, *b ^ UINT64_C(0xA0761D6478BD642F) ^ s.n) >> 32);
}

/* Slots for `extra` more entries. A slot's upper half is what places it: see put32 and put64. */
static int grow_slots(struct cdc_pq_dict *d, size_t extra, bool is_value, struct cdc_err *err)
{
	size_t slots = d->slot ? (size_t)d->mask + 1 : MIN_SLOTS;
	uint64_t *slot;
	uint32_t mask;

	while (slots < 2 * (d->count + extra))
		slots *= 2;
	if (d->slot && slots == (size_t)d->mask + 1)
		return CDC_OK;
	if (slots > UINT32_MAX)
		return cdc_fail(err, CDC_EINTERNAL, "a dictionary of %u entries is still growing",
				(unsigned)d->count);
	slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return cdc_fail_nomem(err);
	mask = (uint32_t)(slots - 1);
	for (size_t i = 0; d->slot && i <= d->mask; i++) {
		uint32_t high = (uint32_t)(d->slot[i] >> 32);
		uint32_t at = (is_value ? hash_int(high) : high) & mask;

		if (!d->slot[i])
			continue;
		while (slot[at])
			at = (at + 1) & mask;
		slot[at] = d->slot[i];
	}
	free(d->slot);
	d->slot = slot;
	d->mask = mask;
	return CDC_OK;
}

static int reserve_fixed(struct cdc_pq_dict *d, size_t n, struct cdc_err *err)
{
	int rc = grow_slots(d, n, d->width == 4, err);

	return rc < 0 ? rc : cdc_buf_reserve(&d->plain, n * d->width, err);
}

/*
 * The loops work on copies of the table's fields: `index` could alias them as far as the compiler
 * knows. 4-byte values: the slot holds the value itself, so a lookup reads nothing else.
 */
int cdc_pq_dict_put32(struct cdc_pq_dict *d, const uint32_t *v, size_t n, uint32_t *index,
		      struct cdc_err *err)
{
	int rc = reserve_fixed(d, n, err);
	uint64_t *slot = d->slot;
	char *plain = d->plain.p;
	uint32_t count = d->count;
	uint32_t mask = d->mask;
	uint64_t probes = 0;

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		uint32_t first = hash_int(v[i]) & mask;
		uint32_t at = first;
		uint64_t s;

		while ((s = slot[at]) != 0 && (uint32_t)(s >> 32) != v[i])
			at = (at + 1) & mask;
		probes += (at - first) & mask;
		if (s == 0) {
			cdc_put_le32(plain + (size_t)count * 4, v[i]);
			s = (uint64_t)v[i] << 32 | ++count;
			slot[at] = s;
		}
		index[i] = (uint32_t)s - 1;
	}
	d->plain.len = (size_t)count * 4;
	d->count = count;
	d->probes += probes;
	return CDC_OK;
}

/* 8-byte values: the slot holds 32 bits of the hash, and the value is compared in `plain`. */
int cdc_pq_dict_put64(struct cdc_pq_dict *d, const uint64_t *v, size_t n, uint32_t *index,
		      struct cdc_err *err)
{
	int rc = reserve_fixed(d, n, err);
	uint64_t *slot = d->slot;
	char *plain = d->plain.p;
	uint32_t count = d->count;
	uint32_t mask = d->mask;
	uint64_t probes = 0;

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		uint32_t hash = hash_int(v[i]);
		uint32_t first = hash & mask;
		uint32_t at = first;
		uint64_t s;

		for (; (s = slot[at]) != 0; at = (at + 1) & mask) {
			size_t entry = (size_t)(uint32_t)s - 1;

			if ((uint32_t)(s >> 32) == hash && cdc_le64(plain + entry * 8) == v[i])
				break;
		}
		probes += (at - first) & mask;
		if (s == 0) {
			cdc_put_le64(plain + (size_t)count * 8, v[i]);
			s = (uint64_t)hash << 32 | ++count;
			slot[at] = s;
		}
		index[i] = (uint32_t)s - 1;
	}
	d->plain.len = (size_t)count * 8;
	d->count = count;
	d->probes += probes;
	return CDC_OK;
}

static int reserve_entries(struct cdc_pq_dict *d, size_t n, struct cdc_err *err)
{
	size_t cap = d->cap ? d->cap : MIN_SLOTS;
	uint32_t *p;

	if (d->count + n <= d->cap)
		return CDC_OK;
	while (cap < d->count + n)
		cap *= 2;
	p = realloc(d->start, cap * sizeof(*p));
	if (!p)
		return cdc_fail_nomem(err);
	d->start = p;
	p = realloc(d->stamp, cap * sizeof(*p));
	if (!p)
		return cdc_fail_nomem(err);
	d->stamp = p;
	d->cap = (uint32_t)cap;
	return CDC_OK;
}

static int add_str(struct cdc_pq_dict *d, struct cdc_str s, struct cdc_err *err)
{
	int rc = cdc_buf_reserve(&d->plain, s.n + 4, err);

	if (rc < 0)
		return rc;
	if (s.n > UINT32_MAX - 4 - d->plain.len)
		return cdc_fail(err, CDC_EDATA, "a dictionary of over 4 GiB");
	if (!d->width) {
		cdc_put_le32(d->plain.p + d->plain.len, (uint32_t)s.n);
		d->plain.len += 4;
	}
	d->start[d->count] = (uint32_t)d->plain.len;
	d->stamp[d->count] = 0;
	if (s.n)
		memcpy(d->plain.p + d->plain.len, s.p, s.n);
	d->plain.len += s.n;
	d->count++;
	return CDC_OK;
}

static inline bool same_str(const struct cdc_pq_dict *d, uint32_t entry, struct cdc_str s,
			    uint64_t a, uint64_t b)
{
	const char *p = d->plain.p + d->start[entry];
	uint64_t pa;
	uint64_t pb;

	if (!d->width && cdc_le32(p - 4) != s.n)
		return false;
	if (s.n > 16)
		return memcmp(p, s.p, s.n) == 0;
	two_words(p, s.n, &pa, &pb);
	return pa == a && pb == b;
}

/* The slot of a string: the one that names it, or the free one where it belongs. */
static inline uint32_t find_str(const struct cdc_pq_dict *d, struct cdc_str s, uint32_t hash,
				uint64_t a, uint64_t b)
{
	const uint64_t *slot = d->slot;
	uint32_t mask = d->mask;
	uint32_t at = hash & mask;

	for (; slot[at] != 0; at = (at + 1) & mask) {
		if ((uint32_t)(slot[at] >> 32) == hash &&
		    same_str(d, (uint32_t)slot[at] - 1, s, a, b))
			break;
	}
	return at;
}

int cdc_pq_dict_put_str(struct cdc_pq_dict *d, const struct cdc_str *v, size_t n, uint32_t *index,
			struct cdc_err *err)
{
	int rc = grow_slots(d, n, false, err);

	if (rc == CDC_OK)
		rc = reserve_entries(d, n, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		uint64_t a = 0;
		uint64_t b = 0;
		uint32_t hash = hash_str(v[i], &a, &b);
		uint32_t at = find_str(d, v[i], hash, a, b);

		d->probes += (at - hash) & d->mask;
		if (d->slot[at] == 0) {
			rc = add_str(d, v[i], err);
			if (rc < 0)
				return rc;
			d->slot[at] = (uint64_t)hash << 32 | d->count;
		}
		index[i] = (uint32_t)d->slot[at] - 1;
	}
	return CDC_OK;
}
