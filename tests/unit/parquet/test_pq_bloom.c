/*
 * Proves that Bloom filters are read as parquet-format's BloomFilter.md says: published values of
 * XXH64, bits worked out apart from this code, headers byte by byte; and that in files of other
 * writers each value that is there is found, and hardly any other.
 */
#include "parquet/pq_bloom.h"

#include "parquet/pq_file.h"

#include "base/endian.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HASH_OF_ABC UINT64_C(0x44bc2cf5ad770999)

/* Of the hash of "abc", the bit in each of the eight words: ((h & 0xffffffff) * salt) >> 27. */
static const unsigned bits_of_abc[8] = { 13, 11, 23, 21, 6, 14, 29, 29 };

static void hashes(void **state)
{
	(void)state;
	/* From the specification of XXH64 and its test vectors. */
	assert_true(cdc_pq_bloom_hash("", 0) == UINT64_C(0xef46db3751d8e999));
	assert_true(cdc_pq_bloom_hash(NULL, 0) == UINT64_C(0xef46db3751d8e999));
	assert_true(cdc_pq_bloom_hash("a", 1) == UINT64_C(0xd24ec4f1a98c6e5b));
	assert_true(cdc_pq_bloom_hash("abc", 3) == HASH_OF_ABC);
}

static void block_of_abc(char block[CDC_PQ_BLOOM_BLOCK])
{
	memset(block, 0, CDC_PQ_BLOOM_BLOCK);
	for (size_t i = 0; i < 8; i++)
		cdc_put_le32(block + 4 * i, UINT32_C(1) << bits_of_abc[i]);
}

static void blocks_and_bits(void **state)
{
	char block[CDC_PQ_BLOOM_BLOCK];

	(void)state;
	/* 0x44bc2cf5 of 2^32 is 0.2685 of the blocks. */
	assert_int_equal(cdc_pq_bloom_block(HASH_OF_ABC, 1), 0);
	assert_int_equal(cdc_pq_bloom_block(HASH_OF_ABC, 7), 1);
	assert_int_equal(cdc_pq_bloom_block(HASH_OF_ABC, 1000), 268);
	assert_int_equal(cdc_pq_bloom_block(UINT64_MAX, 4194304), 4194303);
	block_of_abc(block);
	assert_true(cdc_pq_bloom_has(block, HASH_OF_ABC));
	assert_false(cdc_pq_bloom_has(block, UINT64_C(0xd24ec4f1a98c6e5b)));
	for (size_t i = 0; i < 8; i++) {
		block_of_abc(block);
		memset(block + 4 * i, 0, 4);
		assert_false(cdc_pq_bloom_has(block, HASH_OF_ABC));
		cdc_put_le32(block + 4 * i, ~(UINT32_C(1) << bits_of_abc[i]));
		assert_false(cdc_pq_bloom_has(block, HASH_OF_ABC));
	}
}

/* ------------------------------------------------------------------ headers */

/* numBytes 32, BLOCK, XXHASH, UNCOMPRESSED in Thrift's compact protocol. */
static const char good_header[] = "\x15\x40\x1c\x1c\0\0\x1c\x1c\0\0\x1c\x1c\0\0\0";
#define HEADER (sizeof(good_header) - 1)

static int32_t footer_length; /* of header and filter, in the footer; 0: not told */

/* A file that is "PAR1" and the bytes given, with one column chunk whose filter is at `offset`. */
static int open_filter(const char *bytes, size_t n, int64_t offset, uint64_t hash, bool *may)
{
	char path[] = "/tmp/test_pq_bloom.XXXXXX";
	struct cdc_pq_column_meta column = { .bloom_filter_offset = offset,
					     .bloom_filter_length = footer_length };
	struct cdc_pq_row_group group = { .column = &column };
	struct cdc_pq_file f = { .io = &cdc_io_posix, .path = path, .footer_start = 4 + n };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_bloom b;
	int rc;

	f.meta.row_group = &group;
	f.fd = mkstemp(path);
	assert_true(f.fd >= 0);
	assert_int_equal(write(f.fd, "PAR1", 4), 4);
	assert_int_equal(write(f.fd, bytes, n), (ssize_t)n);
	rc = cdc_pq_bloom_open(&b, &f, 0, 0, &err);
	if (rc == CDC_OK)
		assert_int_equal(cdc_pq_bloom_look(&b, hash, may, &err), 0);
	assert_int_equal(close(f.fd), 0);
	assert_int_equal(unlink(path), 0);
	return rc;
}

static void headers(void **state)
{
	char bytes[HEADER + CDC_PQ_BLOOM_BLOCK];
	bool may = false;

	(void)state;
	memcpy(bytes, good_header, HEADER);
	block_of_abc(bytes + HEADER);
	assert_int_equal(open_filter(bytes, sizeof(bytes), 4, HASH_OF_ABC, &may), CDC_OK);
	assert_true(may);
	assert_int_equal(open_filter(bytes, sizeof(bytes), 4, ~HASH_OF_ABC, &may), CDC_OK);
	assert_false(may);
	/* The footer agrees on the length, or does not. */
	footer_length = sizeof(bytes);
	assert_int_equal(open_filter(bytes, sizeof(bytes), 4, HASH_OF_ABC, &may), CDC_OK);
	footer_length = sizeof(bytes) + CDC_PQ_BLOOM_BLOCK;
	assert_int_equal(open_filter(bytes, sizeof(bytes), 4, HASH_OF_ABC, &may), CDC_END);
	footer_length = 0;
	/* None, or not in the file. */
	assert_int_equal(open_filter(bytes, sizeof(bytes), 0, 0, &may), CDC_END);
	assert_int_equal(open_filter(bytes, sizeof(bytes), -1, 0, &may), CDC_END);
	assert_int_equal(open_filter(bytes, sizeof(bytes), 1000, 0, &may), CDC_END);
	assert_int_equal(open_filter(bytes, sizeof(bytes) - 1, 4, 0, &may), CDC_END);
	for (size_t n = 0; n < HEADER; n++)
		assert_int_equal(open_filter(bytes, n, 4, 0, &may), CDC_END);
	/* Sizes: 31, 0, -32, 64 where there are 32. */
	for (size_t i = 0; i < 4; i++) {
		bytes[1] = "\x3e\x00\x3f\x80"[i];
		assert_int_equal(open_filter(bytes, sizeof(bytes), 4, 0, &may), CDC_END);
	}
	/* Another algorithm, hash or compression: member 2 of its union. */
	for (size_t at = 3; at <= 11; at += 4) {
		memcpy(bytes, good_header, HEADER);
		bytes[at] = 0x2c;
		assert_int_equal(open_filter(bytes, sizeof(bytes), 4, 0, &may), CDC_END);
	}
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(open_filter(bytes, sizeof(bytes), 4, 0, &may), CDC_END);
}

/* ------------------------------------------------------------------ files of others */

static uint64_t hash_of(const struct cdc_pq_vec *v, uint32_t i)
{
	const struct cdc_str *s = v->values;

	if (v->type == CDC_PQ_BYTE_ARRAY)
		return cdc_pq_bloom_hash(s[i].p, s[i].n);
	if (v->type == CDC_PQ_INT32 || v->type == CDC_PQ_FLOAT)
		return cdc_pq_bloom_hash((const int32_t *)v->values + i, 4);
	return cdc_pq_bloom_hash((const int64_t *)v->values + i, 8);
}

static int check_chunk(struct cdc_pq_file *f, int32_t group, int32_t leaf)
{
	const struct cdc_pq_schema *s = &cdc_pq_metadata(f)->schema;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_column *c;
	struct cdc_pq_bloom b;
	struct cdc_pq_vec v;
	int others = 0;
	bool may;

	if (cdc_pq_bloom_open(&b, f, group, leaf, &err) != CDC_OK)
		return 0;
	assert_int_equal(cdc_pq_column_open(&c, f, group, leaf, &err), 0);
	while (cdc_pq_column_read(c, 1000, &v, &err) == CDC_OK) {
		for (uint32_t i = 0; i < v.n; i++) {
			if (v.def && v.def[i] != s->node[s->leaf_node[leaf]].max_def)
				continue;
			assert_int_equal(cdc_pq_bloom_look(&b, hash_of(&v, i), &may, &err), 0);
			assert_true(may);
		}
	}
	assert_int_equal(err.code, 0);
	for (int i = 0; i < 1000; i++) {
		char text[40];
		size_t n = (size_t)snprintf(text, sizeof(text), "no such value %d", i);

		assert_int_equal(cdc_pq_bloom_look(&b, cdc_pq_bloom_hash(text, n), &may, &err), 0);
		others += may;
	}
	assert_true(others < 100);
	cdc_pq_column_close(c);
	return 1;
}

static void files_of_others(void **state)
{
	static const char *const files[] = {
		"parquet/apache/data/data_index_bloom_encoding_stats.parquet",
		"parquet/apache/data/data_index_bloom_encoding_with_length.parquet",
		"parquet/hyparquet/bloom_filter.parquet",
	};
	const char *corpus = getenv("CDC_CORPUS");
	int filters = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct cdc_err err = CDC_ERR_INIT;
		struct cdc_pq_file *f;
		char path[1000];

		(void)snprintf(path, sizeof(path), "%s/%s", corpus ? corpus : "../shared/corpus",
			       files[i]);
		if (access(path, R_OK) < 0)
			continue;
		assert_int_equal(cdc_pq_open(&f, &cdc_io_posix, path, 0, &err), 0);
		for (int32_t g = 0; g < cdc_pq_metadata(f)->num_row_groups; g++)
			for (int32_t l = 0; l < cdc_pq_metadata(f)->schema.num_leaves; l++)
				filters += check_chunk(f, g, l);
		cdc_pq_close(f);
	}
	print_message("# %d filters\n", filters);
	if (!filters)
		skip();
	assert_true(filters >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes),
		cmocka_unit_test(blocks_and_bits),
		cmocka_unit_test(headers),
		cmocka_unit_test(files_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
