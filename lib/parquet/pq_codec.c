/*
 * Page compression: zstd, snappy, gzip, LZ4 in both forms, Brotli and none behind one interface,
 * and the page checksum. The only file of this layer that knows the compression libraries.
 */
#include "parquet/pq_codec.h"

#include "base/endian.h"
#include "parquet/pq_snappy.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <lz4.h>
#include <snappy-c.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

enum {
	GZIP_LEVEL = 6,
	BROTLI_QUALITY = 4,
	WINDOW_GZIP = 15 + 16, /* deflateInit2: gzip wrapper */
	WINDOW_DETECT = 15 + 32 /* inflateInit2: gzip or zlib wrapper */
};

static const char *const codec_names[] = { "uncompressed", "snappy", "gzip", "lzo",
					   "brotli",	   "lz4",    "zstd", "lz4_raw" };

const char *cdc_pq_codec_name(enum cdc_pq_codec codec)
{
	return (unsigned)codec <= CDC_PQ_LZ4_RAW ? codec_names[codec] : "?";
}

bool cdc_pq_codec_known(enum cdc_pq_codec codec)
{
	return (unsigned)codec <= CDC_PQ_LZ4_RAW && codec != CDC_PQ_LZO;
}

void cdc_pq_codec_ctx_free(struct cdc_pq_codec_ctx *ctx)
{
	ZSTD_freeCCtx(ctx->zstd_c);
	ZSTD_freeDCtx(ctx->zstd_d);
	if (ctx->inflate)
		inflateEnd(ctx->inflate);
	if (ctx->deflate)
		deflateEnd(ctx->deflate);
	free(ctx->inflate);
	free(ctx->deflate);
	*ctx = (struct cdc_pq_codec_ctx)CDC_PQ_CODEC_CTX_INIT;
}

uint32_t cdc_pq_crc32(const void *p, size_t n)
{
	return (uint32_t)crc32_z(0, p, n);
}

/* ---------------------------------------------------------------- compression */

static int failed(enum cdc_pq_codec codec, struct cdc_err *err)
{
	return cdc_fail(err, CDC_EINTERNAL, "%s failed to compress a page",
			cdc_pq_codec_name(codec));
}

static int zstd_compress(struct cdc_pq_codec_ctx *ctx, int level, const void *src, size_t n,
			 struct cdc_buf *out, struct cdc_err *err)
{
	size_t bound = ZSTD_compressBound(n);
	size_t got;
	int rc;

	if (!ctx->zstd_c)
		ctx->zstd_c = ZSTD_createCCtx();
	if (!ctx->zstd_c)
		return cdc_fail_nomem(err);
	rc = cdc_buf_reserve(out, bound, err);
	if (rc < 0)
		return rc;
	got = ZSTD_compressCCtx(ctx->zstd_c, out->p + out->len, bound, src, n, level);
	if (ZSTD_isError(got))
		return cdc_fail(err, CDC_ENOMEM, "zstd: %s", ZSTD_getErrorName(got));
	out->len += got;
	return CDC_OK;
}

static int gzip_compress(struct cdc_pq_codec_ctx *ctx, const void *src, size_t n,
			 struct cdc_buf *out, struct cdc_err *err)
{
	z_stream *z = ctx->deflate;
	size_t bound;
	int rc;

	if (!z) {
		z = calloc(1, sizeof(*z));
		if (!z)
			return cdc_fail_nomem(err);
		if (deflateInit2(z, GZIP_LEVEL, Z_DEFLATED, WINDOW_GZIP, 8, Z_DEFAULT_STRATEGY) !=
		    Z_OK) {
			free(z);
			return cdc_fail_nomem(err);
		}
		ctx->deflate = z;
	} else if (deflateReset(z) != Z_OK) {
		return failed(CDC_PQ_GZIP, err);
	}
	bound = deflateBound(z, n);
	rc = cdc_buf_reserve(out, bound, err);
	if (rc < 0)
		return rc;
	z->next_in = src;
	z->avail_in = (uInt)n;
	z->next_out = (Bytef *)out->p + out->len;
	z->avail_out = (uInt)bound;
	if (deflate(z, Z_FINISH) != Z_STREAM_END)
		return failed(CDC_PQ_GZIP, err);
	out->len += bound - z->avail_out;
	return CDC_OK;
}

static int snappy_encode(const void *src, size_t n, struct cdc_buf *out, struct cdc_err *err)
{
	size_t got = snappy_max_compressed_length(n);
	int rc = cdc_buf_reserve(out, got, err);

	if (rc < 0)
		return rc;
	if (snappy_compress(src, n, out->p + out->len, &got) != SNAPPY_OK)
		return failed(CDC_PQ_SNAPPY, err);
	out->len += got;
	return CDC_OK;
}

/* Hadoop's framing puts the two lengths, big-endian, before the block (spec 1.7). */
static int lz4_encode(bool hadoop, const void *src, size_t n, struct cdc_buf *out,
		      struct cdc_err *err)
{
	size_t head = hadoop ? 8 : 0;
	int bound = LZ4_compressBound((int)n);
	int got;
	int rc;

	if (bound <= 0)
		return cdc_fail(err, CDC_EDATA, "a page of %zu bytes is too large for LZ4", n);
	rc = cdc_buf_reserve(out, head + (size_t)bound, err);
	if (rc < 0)
		return rc;
	got = LZ4_compress_default(src, out->p + out->len + head, (int)n, bound);
	if (got <= 0)
		return failed(CDC_PQ_LZ4_RAW, err);
	if (hadoop) {
		cdc_put_be32(out->p + out->len, (uint32_t)n);
		cdc_put_be32(out->p + out->len + 4, (uint32_t)got);
	}
	out->len += head + (size_t)got;
	return CDC_OK;
}

static int brotli_compress(const void *src, size_t n, struct cdc_buf *out, struct cdc_err *err)
{
	size_t got = BrotliEncoderMaxCompressedSize(n);
	int rc;

	if (got == 0)
		return cdc_fail(err, CDC_EDATA, "a page of %zu bytes is too large for Brotli", n);
	rc = cdc_buf_reserve(out, got, err);
	if (rc < 0)
		return rc;
	if (!BrotliEncoderCompress(BROTLI_QUALITY, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, n,
				   src, &got, (uint8_t *)out->p + out->len))
		return failed(CDC_PQ_BROTLI, err);
	out->len += got;
	return CDC_OK;
}

int cdc_pq_compress(struct cdc_pq_codec_ctx *ctx, enum cdc_pq_codec codec, int level,
		    const void *src, size_t n, struct cdc_buf *out, struct cdc_err *err)
{
	if (n > INT32_MAX)
		return cdc_fail(err, CDC_EDATA, "a page of %zu bytes does not fit the format", n);
	if (!src)
		src = "";
	switch (codec) {
	case CDC_PQ_UNCOMPRESSED:
		return cdc_buf_append(out, src, n, err);
	case CDC_PQ_SNAPPY:
		return snappy_encode(src, n, out, err);
	case CDC_PQ_GZIP:
		return gzip_compress(ctx, src, n, out, err);
	case CDC_PQ_BROTLI:
		return brotli_compress(src, n, out, err);
	case CDC_PQ_LZ4:
		return lz4_encode(true, src, n, out, err);
	case CDC_PQ_LZ4_RAW:
		return lz4_encode(false, src, n, out, err);
	case CDC_PQ_ZSTD:
		return zstd_compress(ctx, level, src, n, out, err);
	case CDC_PQ_LZO:
	default:
		return cdc_fail(err, CDC_EUNSUPPORTED, "Parquet codec %d", (int)codec);
	}
}

/* -------------------------------------------------------------- decompression */

static int damaged(enum cdc_pq_codec codec, struct cdc_err *err)
{
	return cdc_fail(err, CDC_ECORRUPT, "a page does not decompress with %s to its stated size",
			cdc_pq_codec_name(codec));
}

static int zstd_decompress(struct cdc_pq_codec_ctx *ctx, const void *src, size_t n, void *dst,
			   size_t dst_n, struct cdc_err *err)
{
	size_t got;

	if (!ctx->zstd_d)
		ctx->zstd_d = ZSTD_createDCtx();
	if (!ctx->zstd_d)
		return cdc_fail_nomem(err);
	got = ZSTD_decompressDCtx(ctx->zstd_d, dst, dst_n, src, n);
	return got == dst_n ? CDC_OK : damaged(CDC_PQ_ZSTD, err);
}

static int inflate_state(struct cdc_pq_codec_ctx *ctx, z_stream **z, struct cdc_err *err)
{
	if (ctx->inflate) {
		*z = ctx->inflate;
		return inflateReset(*z) == Z_OK ? CDC_OK : damaged(CDC_PQ_GZIP, err);
	}
	*z = calloc(1, sizeof(**z));
	if (!*z)
		return cdc_fail_nomem(err);
	if (inflateInit2(*z, WINDOW_DETECT) != Z_OK) {
		free(*z);
		return cdc_fail_nomem(err);
	}
	ctx->inflate = *z;
	return CDC_OK;
}

/* A page may hold several members one after the other: inflate until the input ends (spec 1.7). */
static int gzip_decompress(struct cdc_pq_codec_ctx *ctx, const void *src, size_t n, void *dst,
			   size_t dst_n, struct cdc_err *err)
{
	z_stream *z;
	int rc = inflate_state(ctx, &z, err);

	if (rc < 0)
		return rc;
	z->next_in = src;
	z->avail_in = (uInt)n;
	z->next_out = dst;
	z->avail_out = (uInt)dst_n;
	while (z->avail_in > 0) {
		if (inflate(z, Z_FINISH) != Z_STREAM_END)
			return damaged(CDC_PQ_GZIP, err);
		if (z->avail_in > 0 && inflateReset(z) != Z_OK)
			return damaged(CDC_PQ_GZIP, err);
	}
	return z->avail_out == 0 && n > 0 ? CDC_OK : damaged(CDC_PQ_GZIP, err);
}

static bool lz4_block(const uint8_t *src, size_t n, uint8_t *dst, size_t dst_n, size_t *got)
{
	int r = LZ4_decompress_safe((const char *)src, (char *)dst, (int)n, (int)dst_n);

	*got = r < 0 ? 0 : (size_t)r;
	return r >= 0;
}

/*
 * Hadoop: frames of {u32 uncompressed length, chunks of {u32 compressed length, block}}, where a
 * frame's chunks together give its length. True only when input and output come out even.
 */
static bool lz4_hadoop(const uint8_t *src, size_t n, uint8_t *dst, size_t dst_n)
{
	while (n > 0) {
		size_t frame;

		if (n < 4)
			return false;
		frame = cdc_be32(src);
		src += 4;
		n -= 4;
		if (frame > dst_n)
			return false;
		do {
			size_t block;
			size_t got;

			if (n < 4)
				return false;
			block = cdc_be32(src);
			src += 4;
			n -= 4;
			if (block > n || !lz4_block(src, block, dst, frame, &got))
				return false;
			if (got == 0 && frame > 0)
				return false;
			src += block;
			n -= block;
			dst += got;
			dst_n -= got;
			frame -= got;
		} while (frame > 0);
	}
	return dst_n == 0;
}

static int lz4_decompress(bool hadoop, const void *src, size_t n, void *dst, size_t dst_n,
			  struct cdc_err *err)
{
	size_t got;

	if (hadoop && lz4_hadoop(src, n, dst, dst_n))
		return CDC_OK;
	if (lz4_block(src, n, dst, dst_n, &got) && got == dst_n)
		return CDC_OK;
	return damaged(hadoop ? CDC_PQ_LZ4 : CDC_PQ_LZ4_RAW, err);
}

static int brotli_decompress(const void *src, size_t n, void *dst, size_t dst_n,
			     struct cdc_err *err)
{
	BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
	const uint8_t *in = src;
	uint8_t *out = dst;
	BrotliDecoderResult result;

	if (!state)
		return cdc_fail_nomem(err);
	result = BrotliDecoderDecompressStream(state, &n, &in, &dst_n, &out, NULL);
	BrotliDecoderDestroyInstance(state);
	if (result != BROTLI_DECODER_RESULT_SUCCESS || n > 0 || dst_n > 0)
		return damaged(CDC_PQ_BROTLI, err);
	return CDC_OK;
}

int cdc_pq_decompress(struct cdc_pq_codec_ctx *ctx, enum cdc_pq_codec codec, const void *src,
		      size_t n, void *dst, size_t dst_n, struct cdc_err *err)
{
	uint8_t nothing[1];

	if (!cdc_pq_codec_known(codec))
		return cdc_fail(err, CDC_EUNSUPPORTED, "Parquet codec %s (%d)",
				cdc_pq_codec_name(codec), (int)codec);
	if (n > INT32_MAX || dst_n > INT32_MAX)
		return cdc_fail(err, CDC_ECORRUPT, "a page of over 2 GiB");
	if (n == 0)
		return dst_n == 0 ? CDC_OK : damaged(codec, err);
	if (!dst)
		dst = nothing; /* dst_n is 0 then */
	switch (codec) {
	case CDC_PQ_UNCOMPRESSED:
		if (n != dst_n)
			return damaged(codec, err);
		memcpy(dst, src, n);
		return CDC_OK;
	case CDC_PQ_SNAPPY:
		return cdc_pq_snappy_decode(src, n, dst, dst_n) ? CDC_OK : damaged(codec, err);
	case CDC_PQ_GZIP:
		return gzip_decompress(ctx, src, n, dst, dst_n, err);
	case CDC_PQ_BROTLI:
		return brotli_decompress(src, n, dst, dst_n, err);
	case CDC_PQ_LZ4:
	case CDC_PQ_LZ4_RAW:
		return lz4_decompress(codec == CDC_PQ_LZ4, src, n, dst, dst_n, err);
	case CDC_PQ_ZSTD:
		return zstd_decompress(ctx, src, n, dst, dst_n, err);
	case CDC_PQ_LZO:
	default:
		return cdc_fail(err, CDC_EUNSUPPORTED, "Parquet codec %d", (int)codec);
	}
}
