/*
 * Delta encodings, reading: the decoders of pq_delta_read.h.
 */
#include "parquet/pq_delta_read.h"

#include "parquet/pq_unpack.h"

/* Limits of what a header may say (spec 3.5): writers use blocks of 128 to 2048, 4 to 8 parts. */
#define MAX_BLOCK (1u << 20)
#define MAX_MINIBLOCKS (1u << 10)

/* Strings that are rebuilt in one go. */
enum { STEP = 256 };

static int read_varint(const uint8_t **p, const uint8_t *end, uint64_t *out, struct cdc_err *err)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b;

		if (*p == end)
			return cdc_fail(err, CDC_ECORRUPT, "deltas end inside a header");
		b = *(*p)++;
		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			*out = v;
			return CDC_OK;
		}
	}
	return cdc_fail(err, CDC_ECORRUPT, "a varint of deltas is longer than 64 bits");
}

static uint64_t unzigzag(uint64_t v)
{
	return (v >> 1) ^ (0 - (v & 1));
}

int cdc_pq_dbp_init(struct cdc_pq_dbp *d, const void *p, size_t n, uint32_t max,
		    struct cdc_err *err)
{
	uint64_t head[4] = { 0, 0, 0, 0 }; /* block size, miniblocks, total, first value */

	*d = (struct cdc_pq_dbp){ .p = p, .first = true };
	d->end = n ? d->p + n : d->p;
	for (int i = 0; i < 4; i++) {
		int rc = read_varint(&d->p, d->end, &head[i], err);

		if (rc < 0)
			return rc;
	}
	if (head[0] == 0 || head[0] > MAX_BLOCK || head[0] % 128 != 0 || head[1] == 0 ||
	    head[1] > MAX_MINIBLOCKS || head[0] % head[1] != 0 || head[0] / head[1] % 32 != 0)
		return cdc_fail(err, CDC_ECORRUPT, "deltas have no valid block size");
	if (head[2] > max)
		return cdc_fail(err, CDC_ECORRUPT, "deltas are more than the values of the page");
	d->miniblocks = (uint32_t)head[1];
	d->miniblock_values = (uint32_t)(head[0] / head[1]);
	d->miniblock = d->miniblocks;
	d->total = (uint32_t)head[2];
	d->left = d->total;
	d->deltas = d->total ? d->total - 1 : 0;
	d->last = unzigzag(head[3]);
	return CDC_OK;
}

static int start_block(struct cdc_pq_dbp *d, struct cdc_err *err)
{
	uint64_t v = 0;
	int rc = read_varint(&d->p, d->end, &v, err);

	if (rc < 0)
		return rc;
	if ((size_t)(d->end - d->p) < d->miniblocks)
		return cdc_fail(err, CDC_ECORRUPT, "deltas end inside a block header");
	d->min_delta = unzigzag(v);
	d->widths = d->p;
	d->p += d->miniblocks;
	d->miniblock = 0;
	return CDC_OK;
}

static int start_miniblock(struct cdc_pq_dbp *d, struct cdc_err *err)
{
	if (d->miniblock == d->miniblocks) {
		int rc = start_block(d, err);

		if (rc < 0)
			return rc;
	}
	d->width = d->widths[d->miniblock++];
	if (d->width > 64)
		return cdc_fail(err, CDC_ECORRUPT, "a delta of %u bits", (unsigned)d->width);
	d->in_miniblock = d->miniblock_values;
	return CDC_OK;
}

/* The next 32 deltas as values to out; past the last one they are whatever the padding gives. */
static int decode32(struct cdc_pq_dbp *d, uint64_t *out, struct cdc_err *err)
{
	uint64_t v = d->last;
	uint64_t min = d->min_delta;

	if (d->in_miniblock == 0) {
		int rc = start_miniblock(d, err);

		if (rc < 0)
			return rc;
		min = d->min_delta;
	}
	if ((size_t)(d->end - d->p) < 4 * (size_t)d->width)
		return cdc_fail(err, CDC_ECORRUPT, "deltas end before the values do");
	cdc_pq_unpack64[d->width](d->p, out);
	d->p += 4 * (size_t)d->width;
	d->in_miniblock -= 32;
	for (int i = 0; i < 32; i++) {
		v += out[i] + min;
		out[i] = v;
	}
	if (d->deltas <= 32) {
		d->deltas = 0;
	} else {
		d->deltas -= 32;
		d->last = v;
	}
	return CDC_OK;
}

/* Up to n values, at most 32, to *v; they live in the decoder. */
static int next_values(struct cdc_pq_dbp *d, uint32_t n, const uint64_t **v, uint32_t *count,
		       struct cdc_err *err)
{
	uint32_t k;

	if (d->buf_pos == d->buf_n) {
		if (d->left == 0)
			return cdc_fail(err, CDC_ECORRUPT, "deltas are fewer than the values");
		d->buf_pos = 0;
		if (d->first) {
			d->first = false;
			d->buf[0] = d->last;
			d->buf_n = 1;
		} else {
			int rc;

			d->buf_n = d->left < 32 ? d->left : 32;
			rc = decode32(d, d->buf, err);
			if (rc < 0)
				return rc;
		}
	}
	k = d->buf_n - d->buf_pos;
	k = k < n ? k : n;
	*v = d->buf + d->buf_pos;
	*count = k;
	d->buf_pos += k;
	d->left -= k;
	return CDC_OK;
}

int cdc_pq_dbp_i32(struct cdc_pq_dbp *d, int32_t *out, uint32_t n, struct cdc_err *err)
{
	while (n > 0) {
		const uint64_t *v = NULL;
		uint32_t k = 0;
		int rc = next_values(d, n, &v, &k, err);

		if (rc < 0)
			return rc;
		for (uint32_t i = 0; i < k; i++)
			out[i] = (int32_t)(uint32_t)v[i];
		out += k;
		n -= k;
	}
	return CDC_OK;
}

int cdc_pq_dbp_i64(struct cdc_pq_dbp *d, int64_t *out, uint32_t n, struct cdc_err *err)
{
	while (n > 0) {
		const uint64_t *v = NULL;
		uint32_t k = 0;
		int rc = next_values(d, n, &v, &k, err);

		if (rc < 0)
			return rc;
		memcpy(out, v, k * sizeof(*out));
		out += k;
		n -= k;
	}
	return CDC_OK;
}

int cdc_pq_dbp_end(const struct cdc_pq_dbp *d, const uint8_t **end, struct cdc_err *err)
{
	struct cdc_pq_dbp walk = *d;

	while (walk.deltas > 0) {
		size_t bytes;
		int rc = start_miniblock(&walk, err);

		if (rc < 0)
			return rc;
		bytes = (size_t)walk.miniblock_values / 8 * walk.width;
		if ((size_t)(walk.end - walk.p) < bytes)
			return cdc_fail(err, CDC_ECORRUPT, "deltas end before the values do");
		walk.p += bytes;
		walk.deltas -=
			walk.deltas < walk.miniblock_values ? walk.deltas : walk.miniblock_values;
	}
	*end = walk.p;
	return CDC_OK;
}

int cdc_pq_dlba_init(struct cdc_pq_dlba *d, const void *p, size_t n, uint32_t max,
		     struct cdc_err *err)
{
	int rc = cdc_pq_dbp_init(&d->lengths, p, n, max, err);

	if (rc < 0)
		return rc;
	d->end = d->lengths.end;
	return cdc_pq_dbp_end(&d->lengths, &d->p, err);
}

int cdc_pq_dlba_read(struct cdc_pq_dlba *d, struct cdc_str *out, uint32_t n, struct cdc_err *err)
{
	while (n > 0) {
		const uint64_t *v = NULL;
		uint32_t k = 0;
		int rc = next_values(&d->lengths, n, &v, &k, err);

		if (rc < 0)
			return rc;
		for (uint32_t i = 0; i < k; i++) {
			/* A negative length is a huge one here. */
			uint32_t len = (uint32_t)v[i];

			if (len > (size_t)(d->end - d->p))
				return cdc_fail(err, CDC_ECORRUPT,
						"a string is longer than its page");
			out[i] = cdc_str((const char *)d->p, len);
			d->p += len;
		}
		out += k;
		n -= k;
	}
	return CDC_OK;
}

int cdc_pq_dba_init(struct cdc_pq_dba *d, const void *p, size_t n, uint32_t max,
		    struct cdc_err *err)
{
	const uint8_t *suffixes = NULL;
	int rc = cdc_pq_dbp_init(&d->prefixes, p, n, max, err);

	d->last = cdc_str("", 0);
	if (rc < 0)
		return rc;
	rc = cdc_pq_dbp_end(&d->prefixes, &suffixes, err);
	if (rc < 0)
		return rc;
	return cdc_pq_dlba_init(&d->suffixes, suffixes, (size_t)(d->prefixes.end - suffixes), max,
				err);
}

/* The value of a prefix length and a suffix; a value that is all prefix or all suffix is shared. */
static int rebuild(struct cdc_pq_dba *d, int32_t prefix, struct cdc_str *s, struct cdc_arena *arena,
		   size_t max_bytes, struct cdc_err *err)
{
	size_t n = (size_t)prefix;
	char *p;

	if (prefix < 0 || n > d->last.n)
		return cdc_fail(err, CDC_ECORRUPT, "a prefix is longer than the value before it");
	if (s->n == 0) {
		*s = cdc_str(d->last.p, n);
	} else if (n > 0) {
		if (n + s->n > max_bytes || arena->total_bytes > max_bytes - n - s->n)
			return cdc_fail(err, CDC_ENOMEM,
					"the strings of one batch are larger than %zu bytes",
					max_bytes);
		p = cdc_arena_alloc(arena, n + s->n);
		if (!p)
			return cdc_fail_nomem(err);
		memcpy(p, d->last.p, n);
		memcpy(p + n, s->p, s->n);
		*s = cdc_str(p, n + s->n);
	}
	d->last = *s;
	return CDC_OK;
}

int cdc_pq_dba_read(struct cdc_pq_dba *d, struct cdc_str *out, uint32_t n, struct cdc_arena *arena,
		    size_t max_bytes, struct cdc_err *err)
{
	int32_t prefix[STEP];

	while (n > 0) {
		uint32_t k = n < STEP ? n : STEP;
		int rc = cdc_pq_dbp_i32(&d->prefixes, prefix, k, err);

		if (rc >= 0)
			rc = cdc_pq_dlba_read(&d->suffixes, out, k, err);
		for (uint32_t i = 0; i < k && rc >= 0; i++)
			rc = rebuild(d, prefix[i], &out[i], arena, max_bytes, err);
		if (rc < 0)
			return rc;
		out += k;
		n -= k;
	}
	return CDC_OK;
}
