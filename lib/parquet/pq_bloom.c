/*
 * Reads Bloom filters. See pq_bloom.h.
 */
#include "parquet/pq_bloom.h"

#include "base/endian.h"
#include "parquet/pq_file.h"
#include "parquet/pq_thrift_read.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Headers have some 16 bytes; the format bounds a filter at 128 MiB. */
#define MAX_HEADER 64
#define MAX_BYTES (128 << 20)

uint64_t cdc_pq_bloom_hash(const void *p, size_t n)
{
	return XXH64(n ? p : "", n, 0);
}

uint32_t cdc_pq_bloom_block(uint64_t hash, uint32_t num_blocks)
{
	return (uint32_t)(((hash >> 32) * num_blocks) >> 32);
}

bool cdc_pq_bloom_has(const void *block, uint64_t hash)
{
	static const uint32_t salt[8] = { 0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
					  0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31 };
	const char *p = block;

	for (size_t i = 0; i < 8; i++) {
		uint32_t bit = (uint32_t)hash * salt[i] >> 27;

		if (!(cdc_le32(p + 4 * i) >> bit & 1))
			return false;
	}
	return true;
}

/* A union of which only the member `id`, an empty struct, is understood. */
static bool is_member(struct cdc_pq_tread *r, int16_t id)
{
	struct cdc_pq_twant want = { { 0 } };
	static const struct cdc_pq_twant nothing = { { 0 } };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
	bool found = false;

	want.type[id] = CDC_PQ_WIRE_STRUCT;
	while (cdc_pq_tread_field(r, &f, &want)) {
		struct cdc_pq_tfield inner = CDC_PQ_TFIELD_INIT;

		while (cdc_pq_tread_field(r, &inner, &nothing))
			;
		found = true;
	}
	return found;
}

/* BloomFilterHeader: bytes of the filter and of the header; false when it is not ours. */
static bool read_header(const void *p, size_t n, int32_t *bytes, size_t *used)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_I32,
		[2] = CDC_PQ_WIRE_STRUCT, /* algorithm: BLOCK */
		[3] = CDC_PQ_WIRE_STRUCT, /* hash: XXHASH */
		[4] = CDC_PQ_WIRE_STRUCT, /* compression: UNCOMPRESSED */
	} };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
	struct cdc_pq_tread r;
	unsigned good = 0;

	cdc_pq_tread_init(&r, p, n);
	while (cdc_pq_tread_field(&r, &f, &want)) {
		if (f.id == 1)
			*bytes = cdc_pq_tread_i32(&r);
		if (f.id == 1 || is_member(&r, 1))
			good |= 1u << f.id;
	}
	*used = cdc_pq_tread_used(&r);
	return !r.bad && good == 0x1e && *bytes > 0 && *bytes <= MAX_BYTES &&
	       *bytes % CDC_PQ_BLOOM_BLOCK == 0;
}

int cdc_pq_bloom_open(struct cdc_pq_bloom *b, const struct cdc_pq_file *f, int32_t row_group,
		      int32_t leaf, struct cdc_err *err)
{
	const struct cdc_pq_column_meta *m = &f->meta.row_group[row_group].column[leaf];
	uint64_t offset = (uint64_t)m->bloom_filter_offset;
	char header[MAX_HEADER];
	uint64_t there;
	int32_t bytes = 0;
	size_t used = 0;
	size_t n;
	int rc;

	if (m->bloom_filter_offset < 4 || offset >= f->footer_start || m->encrypted ||
	    m->has_file_path)
		return CDC_END;
	there = f->footer_start - offset;
	n = there < sizeof(header) ? (size_t)there : sizeof(header);
	rc = cdc_io_pread_full(f->io, f->fd, header, n, offset, f->path, err);
	if (rc < 0)
		return rc;
	if (!read_header(header, n, &bytes, &used) || (uint64_t)bytes > there - used)
		return CDC_END;
	/* A size that was damaged would have us look for each value in the wrong block. */
	if (m->bloom_filter_length > 0 &&
	    (uint64_t)m->bloom_filter_length != used + (uint64_t)bytes)
		return CDC_END;
	*b = (struct cdc_pq_bloom){ f, offset + used, (uint32_t)bytes / CDC_PQ_BLOOM_BLOCK };
	return CDC_OK;
}

int cdc_pq_bloom_look(const struct cdc_pq_bloom *b, uint64_t hash, bool *may, struct cdc_err *err)
{
	uint64_t at = (uint64_t)cdc_pq_bloom_block(hash, b->num_blocks) * CDC_PQ_BLOOM_BLOCK;
	char block[CDC_PQ_BLOOM_BLOCK];
	int rc = cdc_io_pread_full(b->file->io, b->file->fd, block, sizeof(block), b->offset + at,
				   b->file->path, err);

	*may = rc < 0 || cdc_pq_bloom_has(block, hash);
	return rc;
}
