/*
 * Page compression: every codec of the format behind one pair of functions, and the page checksum.
 *
 * A context holds what is expensive to make (zstd and inflate states) and is reused from page to
 * page; it belongs to one reader or writer and is not shared between threads.
 */
#ifndef CDC_PARQUET_PQ_CODEC_H
#define CDC_PARQUET_PQ_CODEC_H

#include "base/buf.h"
#include "base/error.h"
#include "parquet/pq_format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cdc_pq_codec_ctx {
	void *zstd_c; /* made when first needed */
	void *zstd_d;
	void *inflate;
	void *deflate;
};

#define CDC_PQ_CODEC_CTX_INIT                                                                      \
	{                                                                                          \
		NULL, NULL, NULL, NULL                                                             \
	}

void cdc_pq_codec_ctx_free(struct cdc_pq_codec_ctx *ctx);

/* "zstd", "snappy" …; "?" for a number that is no codec. */
const char *cdc_pq_codec_name(enum cdc_pq_codec codec);

/* False for LZO and for numbers that are no codec. */
bool cdc_pq_codec_known(enum cdc_pq_codec codec);

/*
 * Append the compressed form of src[0..n) to `out`; UNCOMPRESSED copies. `level` is zstd's (1..19);
 * the other codecs have one fixed level each. LZ4 writes Hadoop's framing.
 */
int cdc_pq_compress(struct cdc_pq_codec_ctx *ctx, enum cdc_pq_codec codec, int level,
		    const void *src, size_t n, struct cdc_buf *out,
		    struct cdc_err *err) CDC_NODISCARD;

/*
 * Decompress src[0..n) into dst, which must come to exactly dst_n bytes: more, fewer, or bytes left
 * over are CDC_ECORRUPT. n == 0 with dst_n == 0 is fine in every codec. dst may be scribbled on up
 * to dst_n after an error, never beyond. CDC_EUNSUPPORTED for LZO and unknown codecs.
 */
int cdc_pq_decompress(struct cdc_pq_codec_ctx *ctx, enum cdc_pq_codec codec, const void *src,
		      size_t n, void *dst, size_t dst_n, struct cdc_err *err) CDC_NODISCARD;

/* CRC-32 of gzip, as PageHeader.crc wants it: over the page bytes as they are stored. */
uint32_t cdc_pq_crc32(const void *p, size_t n);

#endif
