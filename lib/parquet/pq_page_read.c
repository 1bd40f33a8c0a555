/*
 * Pages, reading: checksum, decompression, and where levels end and values begin (spec 1.6).
 */
#include "parquet/pq_page_read.h"

#include "base/endian.h"

/* The most that a codec can blow up: sizes beyond it are lies (spec 3.5). 0: no such limit. */
static const uint32_t max_ratio[] = {
	[CDC_PQ_UNCOMPRESSED] = 1, [CDC_PQ_SNAPPY] = 64,   [CDC_PQ_GZIP] = 1100,
	[CDC_PQ_LZO] = 0,	   [CDC_PQ_BROTLI] = 0,	   [CDC_PQ_LZ4] = 256,
	[CDC_PQ_ZSTD] = 0,	   [CDC_PQ_LZ4_RAW] = 256,
};

static int check_header(const struct cdc_pq_page_env *env, const struct cdc_pq_page_header *h,
			const uint8_t *stored, struct cdc_err *err)
{
	uint64_t full = (uint64_t)h->uncompressed_size;
	uint64_t kept = (uint64_t)h->compressed_size;
	uint32_t ratio = max_ratio[env->codec];

	if (full > env->max_page)
		return cdc_fail(err, CDC_EUNSUPPORTED, "a page of %llu bytes; the limit is %u",
				(unsigned long long)full, (unsigned)env->max_page);
	if (ratio && full > (kept + 64) * ratio)
		return cdc_fail(err, CDC_ECORRUPT, "%llu bytes cannot come from %llu of %s",
				(unsigned long long)full, (unsigned long long)kept,
				cdc_pq_codec_name(env->codec));
	if (h->has_crc && cdc_pq_crc32(stored, (size_t)kept) != h->crc)
		return cdc_fail(err, CDC_ECORRUPT, "the checksum of a page is wrong");
	return CDC_OK;
}

/* src[0..n) as it is or decompressed into m; it must come to `full` bytes. */
static int unpack(const struct cdc_pq_page_env *env, bool compressed, const uint8_t *src, size_t n,
		  size_t full, struct cdc_pq_mem *m, const uint8_t **out, struct cdc_err *err)
{
	int rc;

	*out = src;
	if (!compressed) {
		if (n != full)
			return cdc_fail(err, CDC_ECORRUPT,
					"an uncompressed page has %zu bytes and says %zu", n, full);
		return CDC_OK;
	}
	rc = cdc_pq_mem_reserve(m, full, 0, err);
	if (rc < 0)
		return rc;
	*out = m->p;
	return cdc_pq_decompress(env->codec_ctx, env->codec, src, n, m->p, full, err);
}

static int unknown_levels(enum cdc_pq_encoding e, struct cdc_err *err)
{
	return cdc_fail(err, CDC_EUNSUPPORTED, "levels in encoding %d", (int)e);
}

/* Levels of a V1 page begin at *p; move it past them. */
static int begin_levels(struct cdc_pq_levels *l, uint8_t max, enum cdc_pq_encoding e, uint32_t n,
			const uint8_t **p, const uint8_t *end, struct cdc_err *err)
{
	uint64_t len;

	cdc_pq_levels_init(l, max);
	if (max == 0)
		return CDC_OK;
	if (e == CDC_PQ_BIT_PACKED) {
		len = ((uint64_t)n * l->width + 7) / 8;
		if (len > (uint64_t)(end - *p))
			return cdc_fail(err, CDC_ECORRUPT, "levels are longer than their page");
		cdc_pq_levels_set_packed(l, *p, (size_t)len);
	} else if (e == CDC_PQ_RLE) {
		if (end - *p < 4)
			return cdc_fail(err, CDC_ECORRUPT, "a page ends before its levels");
		len = cdc_le32(*p);
		*p += 4;
		if (len > (uint64_t)(end - *p))
			return cdc_fail(err, CDC_ECORRUPT, "levels are longer than their page");
		cdc_pq_levels_set_rle(l, *p, (size_t)len);
	} else {
		return unknown_levels(e, err);
	}
	*p += len;
	return CDC_OK;
}

static int begin_v1(struct cdc_pq_page *pg, const struct cdc_pq_page_env *env,
		    const struct cdc_pq_page_header *h, const uint8_t *stored,
		    struct cdc_pq_mem *body, const uint8_t **values, size_t *len,
		    struct cdc_err *err)
{
	const uint8_t *p = NULL;
	const uint8_t *end;
	int rc = unpack(env, env->codec != CDC_PQ_UNCOMPRESSED, stored, (size_t)h->compressed_size,
			(size_t)h->uncompressed_size, body, &p, err);

	if (rc < 0)
		return rc;
	end = p + h->uncompressed_size;
	rc = begin_levels(&pg->rep, env->max_rep, h->rep_encoding, pg->num_values, &p, end, err);
	if (rc >= 0)
		rc = begin_levels(&pg->def, env->max_def, h->def_encoding, pg->num_values, &p, end,
				  err);
	*values = p;
	*len = (size_t)(end - p);
	return rc;
}

/* Levels of a V2 page are in front, never compressed, without a length of their own. */
static int begin_v2(struct cdc_pq_page *pg, const struct cdc_pq_page_env *env,
		    const struct cdc_pq_page_header *h, const uint8_t *stored,
		    struct cdc_pq_mem *body, const uint8_t **values, size_t *len,
		    struct cdc_err *err)
{
	size_t rep = (size_t)h->rep_length;
	size_t def = (size_t)h->def_length;
	size_t kept = (size_t)h->compressed_size;
	size_t full = (size_t)h->uncompressed_size;
	bool compressed = env->codec != CDC_PQ_UNCOMPRESSED && h->is_compressed;

	if (rep + def > kept || rep + def > full)
		return cdc_fail(err, CDC_ECORRUPT, "levels are longer than their page");
	if (env->codec != CDC_PQ_UNCOMPRESSED && env->v2_flag_lies && kept != full)
		compressed = true;
	cdc_pq_levels_init(&pg->rep, env->max_rep);
	cdc_pq_levels_init(&pg->def, env->max_def);
	cdc_pq_levels_set_rle(&pg->rep, stored, rep);
	cdc_pq_levels_set_rle(&pg->def, stored + rep, def);
	*len = full - rep - def;
	return unpack(env, compressed, stored + rep + def, kept - rep - def, *len, body, values,
		      err);
}

int cdc_pq_page_begin(struct cdc_pq_page *pg, const struct cdc_pq_page_env *env,
		      const struct cdc_pq_page_header *h, const uint8_t *stored,
		      const struct cdc_pq_dictionary *dict, struct cdc_pq_mem *body,
		      struct cdc_pq_mem *transposed, struct cdc_err *err)
{
	const uint8_t *values = NULL;
	size_t len = 0;
	int rc = check_header(env, h, stored, err);

	if (rc < 0)
		return rc;
	pg->num_values = (uint32_t)h->num_values;
	pg->left = pg->num_values;
	if (h->type == CDC_PQ_DATA_PAGE_V2)
		rc = begin_v2(pg, env, h, stored, body, &values, &len, err);
	else
		rc = begin_v1(pg, env, h, stored, body, &values, &len, err);
	if (rc < 0)
		return rc;
	return cdc_pq_values_init(&pg->values, env->t, h->encoding, dict, values, len,
				  pg->num_values, transposed, err);
}

int cdc_pq_page_dictionary(struct cdc_pq_dictionary *d, const struct cdc_pq_page_env *env,
			   const struct cdc_pq_page_header *h, const uint8_t *stored,
			   struct cdc_err *err)
{
	const uint8_t *p = NULL;
	int rc = check_header(env, h, stored, err);

	if (rc < 0)
		return rc;
	if (h->encoding != CDC_PQ_PLAIN && h->encoding != CDC_PQ_PLAIN_DICTIONARY)
		return cdc_fail(err, CDC_EUNSUPPORTED, "a dictionary in encoding %d",
				(int)h->encoding);
	rc = unpack(env, env->codec != CDC_PQ_UNCOMPRESSED, stored, (size_t)h->compressed_size,
		    (size_t)h->uncompressed_size, &d->body, &p, err);
	if (rc < 0)
		return rc;
	return cdc_pq_dictionary_read(d, env->t, (uint32_t)h->num_values, p,
				      (size_t)h->uncompressed_size, err);
}
