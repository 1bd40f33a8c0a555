/*
 * Decompression of blocks. In Avro containers deflate is a raw RFC 1951 stream, snappy a raw block
 * followed by the big-endian CRC-32 of what it holds, zstandard a frame.
 */
#include "source/input/codec.h"

#include "base/endian.h"

#include <lz4frame.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#define GROW_MIN ((size_t)64 << 10)

static const struct {
	const char *name;
	enum cdc_ocf_codec codec;
} codecs[] = {
	{ "", CDC_OCF_NULL },
	{ "null", CDC_OCF_NULL },
	{ "deflate", CDC_OCF_DEFLATE },
	{ "snappy", CDC_OCF_SNAPPY },
	{ "zstandard", CDC_OCF_ZSTANDARD },
};

int cdc_ocf_codec_find(struct cdc_str name, enum cdc_ocf_codec *codec, struct cdc_err *err)
{
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		if (cdc_str_eqz(name, codecs[i].name)) {
			*codec = codecs[i].codec;
			return CDC_OK;
		}
	}
	return cdc_fail(err, CDC_EDATA, "Avro container with codec %.*s, which is not supported",
			(int)(name.n < 40 ? name.n : 40), name.p);
}

/* More room behind what has come out; the ceiling is out->max. */
static int make_room(struct cdc_buf *out, struct cdc_err *err)
{
	size_t want = out->len > GROW_MIN ? out->len : GROW_MIN;

	if (out->cap > out->len)
		return CDC_OK;
	if (out->len >= out->max)
		return cdc_fail(err, CDC_EDATA, "a block of more than %zu bytes", out->max);
	if (want > out->max - out->len)
		want = out->max - out->len;
	return cdc_buf_reserve(out, want, err);
}

int cdc_unpack_zlib(enum cdc_zlib_wrap wrap, struct cdc_str block, struct cdc_buf *out,
		    struct cdc_err *err)
{
	static const int window[] = { -MAX_WBITS, MAX_WBITS, MAX_WBITS + 16 };
	union {
		const char *in;
		Bytef *next_in; /* zlib does not write through it */
	} u = { block.p };
	z_stream z = { .next_in = u.next_in, .avail_in = (uInt)block.n };
	int rc = CDC_OK, state = Z_OK;

	cdc_buf_reset(out);
	if (block.n > UINT32_MAX || inflateInit2(&z, window[wrap]) != Z_OK)
		return cdc_fail_nomem(err);
	while (state == Z_OK) {
		size_t room;

		rc = make_room(out, err);
		if (rc < 0)
			goto out;
		room = out->cap - out->len;
		room = room < UINT32_MAX ? room : UINT32_MAX;
		z.next_out = (Bytef *)(out->p + out->len);
		z.avail_out = (uInt)room;
		state = inflate(&z, Z_NO_FLUSH);
		out->len += room - z.avail_out;
	}
	/* Python's writers leave a part of zlib's own checksum behind a raw stream. */
	if (state != Z_STREAM_END || z.avail_in > (wrap == CDC_ZLIB_RAW ? 4u : 0u))
		rc = cdc_fail(err, CDC_EDATA, "a deflate block is damaged");
out:
	inflateEnd(&z);
	return rc;
}

int cdc_unpack_snappy(struct cdc_str in, struct cdc_buf *out, struct cdc_err *err)
{
	size_t n;
	int rc;

	if (snappy_uncompressed_length(in.p, in.n, &n) != SNAPPY_OK)
		return cdc_fail(err, CDC_EDATA, "a snappy block is damaged");
	if (n > out->max - out->len)
		return cdc_fail(err, CDC_EDATA, "a block of more than %zu bytes", out->max);
	rc = cdc_buf_reserve(out, n + 1, err);
	if (rc < 0)
		return rc;
	if (snappy_uncompress(in.p, in.n, out->p + out->len, &n) != SNAPPY_OK)
		return cdc_fail(err, CDC_EDATA, "a snappy block is damaged");
	out->len += n;
	return CDC_OK;
}

uint32_t cdc_crc32(struct cdc_str s)
{
	return (uint32_t)crc32_z(0, (const Bytef *)s.p, s.n);
}

static int snappy_block(struct cdc_str block, struct cdc_buf *out, struct cdc_err *err)
{
	int rc;

	if (block.n < 4)
		return cdc_fail(err, CDC_EDATA, "a snappy block is damaged");
	rc = cdc_unpack_snappy(cdc_str(block.p, block.n - 4), out, err);
	if (rc == CDC_OK && cdc_crc32(cdc_buf_str(out)) != cdc_be32(block.p + block.n - 4))
		rc = cdc_fail(err, CDC_EDATA, "a snappy block has a wrong checksum");
	return rc;
}

int cdc_unpack_zstd(struct cdc_str block, struct cdc_buf *out, struct cdc_err *err)
{
	ZSTD_DCtx *d = ZSTD_createDCtx();
	ZSTD_inBuffer in = { block.p, block.n, 0 };
	size_t left = 1;
	int rc = CDC_OK;

	if (!d)
		return cdc_fail_nomem(err);
	cdc_buf_reset(out);
	while (left != 0) {
		ZSTD_outBuffer to;
		size_t before = in.pos;

		rc = make_room(out, err);
		if (rc < 0)
			goto out;
		to = (ZSTD_outBuffer){ out->p + out->len, out->cap - out->len, 0 };
		left = ZSTD_decompressStream(d, &to, &in);
		out->len += to.pos;
		if (ZSTD_isError(left) || (left != 0 && to.pos == 0 && in.pos == before)) {
			rc = cdc_fail(err, CDC_EDATA, "a zstandard block is damaged");
			goto out;
		}
	}
	if (in.pos != in.size)
		rc = cdc_fail(err, CDC_EDATA, "a zstandard block is damaged");
out:
	ZSTD_freeDCtx(d);
	return rc;
}

int cdc_ocf_decompress(enum cdc_ocf_codec codec, struct cdc_str block, struct cdc_buf *out,
		       struct cdc_err *err)
{
	cdc_buf_reset(out);
	switch (codec) {
	case CDC_OCF_DEFLATE:
		return cdc_unpack_zlib(CDC_ZLIB_RAW, block, out, err);
	case CDC_OCF_SNAPPY:
		return snappy_block(block, out, err);
	case CDC_OCF_ZSTANDARD:
		return cdc_unpack_zstd(block, out, err);
	case CDC_OCF_NULL:
		break;
	}
	return cdc_buf_put(out, block, err);
}

#define LZ4_HEADER_MAX 19
#define LZ4_MAGIC_BYTES 4

/* The frame's header with the checksum that it should have: the second byte of the descriptor's
 * XXH32. Its length, 0 when it is no header. */
static size_t lz4_header(struct cdc_str in, char *header)
{
	size_t n = in.n > LZ4_MAGIC_BYTES ? LZ4F_headerSize(in.p, in.n) : 0;

	if (LZ4F_isError(n) || n <= LZ4_MAGIC_BYTES + 1 || n > LZ4_HEADER_MAX || n > in.n)
		return 0;
	memcpy(header, in.p, n);
	header[n - 1] =
		(char)(XXH32(header + LZ4_MAGIC_BYTES, n - LZ4_MAGIC_BYTES - 1, 0) >> 8 & 0xff);
	return n;
}

int cdc_unpack_lz4(struct cdc_str in, struct cdc_buf *out, struct cdc_err *err)
{
	LZ4F_dctx *d = NULL;
	char header[LZ4_HEADER_MAX];
	size_t at = lz4_header(in, header), used = at, room = 0, left;
	int rc = CDC_OK;

	cdc_buf_reset(out);
	if (at == 0)
		return cdc_fail(err, CDC_EDATA, "not an lz4 frame");
	if (LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION)))
		return cdc_fail_nomem(err);
	left = LZ4F_decompress(d, NULL, &room, header, &used, NULL);
	while (left != 0 && !LZ4F_isError(left)) {
		rc = make_room(out, err);
		if (rc < 0)
			goto out;
		room = out->cap - out->len;
		used = in.n - at;
		left = LZ4F_decompress(d, out->p + out->len, &room, in.p + at, &used, NULL);
		if (LZ4F_isError(left) || (left != 0 && room == 0 && used == 0))
			break;
		out->len += room;
		at += used;
	}
	if (left != 0 || at != in.n)
		rc = cdc_fail(err, CDC_EDATA, "an lz4 frame is damaged");
out:
	LZ4F_freeDecompressionContext(d);
	return rc;
}

struct cdc_gunzip {
	z_stream z;
	bool inside; /* a member */
};

int cdc_gunzip_new(struct cdc_gunzip **out, struct cdc_err *err)
{
	struct cdc_gunzip *g = calloc(1, sizeof(*g));

	if (!g || inflateInit2(&g->z, MAX_WBITS + 16) != Z_OK) {
		free(g);
		return cdc_fail_nomem(err);
	}
	*out = g;
	return CDC_OK;
}

int cdc_gunzip_step(struct cdc_gunzip *g, struct cdc_str in, size_t *used, char *out, size_t room,
		    size_t *made, bool *end, struct cdc_err *err)
{
	union {
		const char *in;
		Bytef *next_in; /* zlib does not write through it */
	} u = { in.p };
	int state;

	*used = *made = 0;
	/* Zeros behind a member are padding of tapes. */
	while (!g->inside && *used < in.n && in.p[*used] == '\0')
		++*used;
	*end = !g->inside;
	if (*used == in.n)
		return CDC_OK;
	g->z.next_in = u.next_in + *used;
	g->z.avail_in = (uInt)(in.n - *used < UINT32_MAX ? in.n - *used : UINT32_MAX);
	g->z.next_out = (Bytef *)out;
	g->z.avail_out = (uInt)(room < UINT32_MAX ? room : UINT32_MAX);
	g->inside = true;
	state = inflate(&g->z, Z_NO_FLUSH);
	*used = (size_t)((const char *)g->z.next_in - in.p);
	*made = (size_t)((char *)g->z.next_out - out);
	if (state == Z_STREAM_END) {
		g->inside = false;
		state = inflateReset(&g->z);
	}
	*end = !g->inside;
	if (state != Z_OK && state != Z_BUF_ERROR)
		return cdc_fail(err, CDC_EDATA, "damaged: %s",
				g->z.msg ? g->z.msg : "no gzip member where one should be");
	return CDC_OK;
}

void cdc_gunzip_free(struct cdc_gunzip *g)
{
	if (g)
		inflateEnd(&g->z);
	free(g);
}
