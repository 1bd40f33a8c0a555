/*
 * Proves that every codec gives back what it took, at exactly the stated length and nothing else;
 * that the forms only others write (several gzip members, Hadoop's LZ4 framing in several blocks,
 * raw LZ4 under the old number) are read; and that damaged input is refused without a write past
 * the output. Snappy's own decoder is held against the library, which compresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/endian.h"
#include "parquet/pq_codec.h"
#include "parquet/pq_snappy.h"

#include <snappy-c.h>
#include <stdlib.h>

enum { MAX = 300000, GUARD = 64 };

static const enum cdc_pq_codec codecs[] = { CDC_PQ_UNCOMPRESSED, CDC_PQ_SNAPPY, CDC_PQ_GZIP,
					    CDC_PQ_BROTLI,	 CDC_PQ_LZ4,	CDC_PQ_ZSTD,
					    CDC_PQ_LZ4_RAW };

static uint64_t next(uint64_t *seed)
{
	uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Noise, runs, short periods and copies from afar, mixed. */
static void fill(char *p, size_t n, uint64_t *seed)
{
	size_t i = 0;

	while (i < n) {
		size_t len = 1 + next(seed) % (next(seed) % 4 ? 20 : 3000);
		size_t period = 1 + next(seed) % (next(seed) % 2 ? 20 : 60000);
		uint64_t style = next(seed) % 3;

		for (; len > 0 && i < n; len--, i++)
			p[i] = style == 0 || i < period ? (char)next(seed) : p[i - period];
	}
}

static void round_trips(void **state)
{
	static const size_t lengths[] = {
		0, 1, 2, 15, 16, 17, 60, 61, 64, 1000, 65536, 70001, MAX
	};
	struct cdc_pq_codec_ctx ctx = CDC_PQ_CODEC_CTX_INIT;
	struct cdc_buf packed = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	char *src = malloc(MAX);
	char *dst = malloc(MAX + GUARD);
	uint64_t seed = 1;

	(void)state;
	for (int turn = 0; turn < 5; turn++) {
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			size_t n = lengths[i];

			fill(src, n, &seed);
			for (size_t c = 0; c < sizeof(codecs) / sizeof(codecs[0]); c++) {
				cdc_buf_reset(&packed);
				assert_int_equal(
					cdc_pq_compress(&ctx, codecs[c], 1, src, n, &packed, &err),
					CDC_OK);
				memset(dst, 0x5a, n + GUARD);
				assert_int_equal(cdc_pq_decompress(&ctx, codecs[c], packed.p,
								   packed.len, dst, n, &err),
						 CDC_OK);
				if (n)
					assert_memory_equal(src, dst, n);
				for (size_t g = 0; g < GUARD; g++)
					assert_int_equal(dst[n + g], 0x5a);
				assert_int_equal(cdc_pq_decompress(&ctx, codecs[c], packed.p,
								   packed.len, dst, n + 1, &err),
						 CDC_ECORRUPT);
				if (n)
					assert_int_equal(cdc_pq_decompress(&ctx, codecs[c],
									   packed.p, packed.len,
									   dst, n - 1, &err),
							 CDC_ECORRUPT);
			}
		}
	}
	cdc_pq_codec_ctx_free(&ctx);
	cdc_buf_free(&packed);
	free(src);
	free(dst);
}

static void appends(void **state)
{
	struct cdc_pq_codec_ctx ctx = CDC_PQ_CODEC_CTX_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	char dst[5];

	(void)state;
	for (size_t c = 0; c < sizeof(codecs) / sizeof(codecs[0]); c++) {
		struct cdc_buf b = CDC_BUF_INIT;

		assert_int_equal(cdc_buf_puts(&b, "before", &err), CDC_OK);
		assert_int_equal(cdc_pq_compress(&ctx, codecs[c], 1, "hello", 5, &b, &err), CDC_OK);
		assert_memory_equal(b.p, "before", 6);
		assert_int_equal(
			cdc_pq_decompress(&ctx, codecs[c], b.p + 6, b.len - 6, dst, 5, &err),
			CDC_OK);
		assert_memory_equal(dst, "hello", 5);
		cdc_buf_free(&b);
	}
	cdc_pq_codec_ctx_free(&ctx);
}

static void several_gzip_members(void **state)
{
	struct cdc_pq_codec_ctx ctx = CDC_PQ_CODEC_CTX_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf b = CDC_BUF_INIT;
	char dst[10];

	(void)state;
	assert_int_equal(cdc_pq_compress(&ctx, CDC_PQ_GZIP, 1, "hello", 5, &b, &err), CDC_OK);
	assert_int_equal(cdc_pq_compress(&ctx, CDC_PQ_GZIP, 1, "", 0, &b, &err), CDC_OK);
	assert_int_equal(cdc_pq_compress(&ctx, CDC_PQ_GZIP, 1, "world", 5, &b, &err), CDC_OK);
	assert_int_equal(cdc_pq_decompress(&ctx, CDC_PQ_GZIP, b.p, b.len, dst, 10, &err), CDC_OK);
	assert_memory_equal(dst, "helloworld", 10);
	assert_int_equal(cdc_pq_decompress(&ctx, CDC_PQ_GZIP, b.p, b.len - 1, dst, 10, &err),
			 CDC_ECORRUPT);
	cdc_buf_free(&b);
	cdc_pq_codec_ctx_free(&ctx);
}

static void put_be32(struct cdc_buf *b, uint32_t v)
{
	struct cdc_err err = CDC_ERR_INIT;
	char p[4];

	cdc_put_be32(p, v);
	assert_int_equal(cdc_buf_append(b, p, 4, &err), CDC_OK);
}

/* An LZ4 block of literals alone: token, bytes. */
static void put_literals(struct cdc_buf *b, const char *text)
{
	struct cdc_err err = CDC_ERR_INIT;

	put_be32(b, (uint32_t)strlen(text) + 1);
	assert_int_equal(cdc_buf_putc(b, (char)(strlen(text) << 4), &err), CDC_OK);
	assert_int_equal(cdc_buf_puts(b, text, &err), CDC_OK);
}

static void hadoop_framing(void **state)
{
	struct cdc_pq_codec_ctx ctx = CDC_PQ_CODEC_CTX_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf b = CDC_BUF_INIT;
	char dst[13];

	(void)state;
	/* Two frames, the second of two blocks. */
	put_be32(&b, 5);
	put_literals(&b, "hello");
	put_be32(&b, 8);
	put_literals(&b, " wo");
	put_literals(&b, "rld!!");
	assert_int_equal(cdc_pq_decompress(&ctx, CDC_PQ_LZ4, b.p, b.len, dst, 13, &err), CDC_OK);
	assert_memory_equal(dst, "hello world!!", 13);
	assert_int_equal(cdc_pq_decompress(&ctx, CDC_PQ_LZ4, b.p, b.len - 1, dst, 13, &err),
			 CDC_ECORRUPT);
	assert_int_equal(cdc_pq_decompress(&ctx, CDC_PQ_LZ4_RAW, b.p, b.len, dst, 13, &err),
			 CDC_ECORRUPT);
	/* A raw block under the old number. */
	cdc_buf_reset(&b);
	assert_int_equal(cdc_pq_compress(&ctx, CDC_PQ_LZ4_RAW, 1, "hello world!!", 13, &b, &err),
			 CDC_OK);
	assert_int_equal(cdc_pq_decompress(&ctx, CDC_PQ_LZ4, b.p, b.len, dst, 13, &err), CDC_OK);
	assert_memory_equal(dst, "hello world!!", 13);
	cdc_buf_free(&b);
	cdc_pq_codec_ctx_free(&ctx);
}

static void snappy_against_the_library(void **state)
{
	char *src = malloc(MAX);
	char *dst = malloc(MAX + GUARD);
	char *packed = malloc(snappy_max_compressed_length(MAX));
	uint64_t seed = 5;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		size_t n = next(&seed) % (i % 100 ? 400 : MAX);
		size_t len = snappy_max_compressed_length(MAX);
		bool ok;

		fill(src, n, &seed);
		assert_int_equal(snappy_compress(src, n, packed, &len), SNAPPY_OK);
		memset(dst + n, 0x5a, GUARD);
		assert_true(cdc_pq_snappy_decode(packed, len, dst, n));
		assert_memory_equal(src, dst, n);
		/* Damage: whatever the library refuses, ours refuses, and the other way. */
		for (int k = 0; k < 10 && len > 0; k++) {
			size_t at = next(&seed) % len;
			char was = packed[at];
			size_t cut = k % 2 ? len : next(&seed) % len;
			size_t stated;

			packed[at] = (char)next(&seed);
			ok = snappy_uncompressed_length(packed, cut, &stated) == SNAPPY_OK &&
			     stated == n &&
			     snappy_validate_compressed_buffer(packed, cut) == SNAPPY_OK;
			assert_int_equal(cdc_pq_snappy_decode(packed, cut, dst, n), ok);
			for (size_t g = 0; g < GUARD; g++)
				assert_int_equal(dst[n + g], 0x5a);
			packed[at] = was;
		}
	}
	free(src);
	free(dst);
	free(packed);
}

static void damage_is_contained(void **state)
{
	struct cdc_pq_codec_ctx ctx = CDC_PQ_CODEC_CTX_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf b = CDC_BUF_INIT;
	char src[2000];
	char dst[2000 + GUARD];
	uint64_t seed = 9;
	int refused = 0;

	(void)state;
	memset(dst + 2000, 0x5a, GUARD);
	for (int i = 0; i < 2000; i++) {
		enum cdc_pq_codec codec = codecs[1 + i % 6];
		size_t cut;
		int rc;

		fill(src, sizeof(src), &seed);
		cdc_buf_reset(&b);
		assert_int_equal(cdc_pq_compress(&ctx, codec, 1, src, sizeof(src), &b, &err),
				 CDC_OK);
		cut = i % 3 ? b.len : next(&seed) % b.len;
		b.p[next(&seed) % b.len] ^= (char)(1 << next(&seed) % 8);
		rc = cdc_pq_decompress(&ctx, codec, b.p, cut, dst, 2000, &err);
		assert_true(rc == CDC_OK || rc == CDC_ECORRUPT);
		refused += rc == CDC_ECORRUPT;
		if (cut < b.len)
			assert_int_equal(rc, CDC_ECORRUPT);
		for (size_t g = 0; g < GUARD; g++)
			assert_int_equal(dst[2000 + g], 0x5a);
	}
	assert_true(refused > 600);
	cdc_buf_free(&b);
	cdc_pq_codec_ctx_free(&ctx);
}

static void nothing_and_unknown(void **state)
{
	struct cdc_pq_codec_ctx ctx = CDC_PQ_CODEC_CTX_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf b = CDC_BUF_INIT;
	char dst[1];

	(void)state;
	for (size_t c = 0; c < sizeof(codecs) / sizeof(codecs[0]); c++) {
		assert_int_equal(cdc_pq_decompress(&ctx, codecs[c], NULL, 0, NULL, 0, &err),
				 CDC_OK);
		assert_int_equal(cdc_pq_decompress(&ctx, codecs[c], NULL, 0, dst, 1, &err),
				 CDC_ECORRUPT);
		/* A stream of nothing is fine as well. */
		cdc_buf_reset(&b);
		assert_int_equal(cdc_pq_compress(&ctx, codecs[c], 1, NULL, 0, &b, &err), CDC_OK);
		assert_int_equal(cdc_pq_decompress(&ctx, codecs[c], b.p, b.len, NULL, 0, &err),
				 CDC_OK);
	}
	assert_int_equal(cdc_pq_decompress(&ctx, CDC_PQ_LZO, "x", 1, dst, 1, &err),
			 CDC_EUNSUPPORTED);
	assert_int_equal(cdc_pq_decompress(&ctx, (enum cdc_pq_codec)99, "x", 1, dst, 1, &err),
			 CDC_EUNSUPPORTED);
	assert_int_equal(cdc_pq_compress(&ctx, CDC_PQ_LZO, 1, "x", 1, &b, &err), CDC_EUNSUPPORTED);
	assert_false(cdc_pq_codec_known(CDC_PQ_LZO));
	assert_true(cdc_pq_codec_known(CDC_PQ_LZ4_RAW));
	assert_string_equal(cdc_pq_codec_name(CDC_PQ_ZSTD), "zstd");
	assert_string_equal(cdc_pq_codec_name((enum cdc_pq_codec) - 1), "?");
	cdc_buf_free(&b);
	cdc_pq_codec_ctx_free(&ctx);
}

static void checksum(void **state)
{
	(void)state;
	assert_int_equal(cdc_pq_crc32("123456789", 9), 0xcbf43926); /* CRC-32's check value */
	assert_int_equal(cdc_pq_crc32("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips),
		cmocka_unit_test(appends),
		cmocka_unit_test(several_gzip_members),
		cmocka_unit_test(hadoop_framing),
		cmocka_unit_test(snappy_against_the_library),
		cmocka_unit_test(damage_is_contained),
		cmocka_unit_test(nothing_and_unknown),
		cmocka_unit_test(checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
