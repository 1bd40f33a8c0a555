/*
 * Proves the containers and the error record: buffers grow to their cap and no further, arenas keep
 * alignment and content, the map finds every entry of a hash, errors keep the first cause.
 */
#include "base/buf.h"
#include "base/endian.h"
#include "base/error.h"
#include "base/hash.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_error(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	char longer[2000];

	(void)state;
	assert_int_equal(cdc_fail(&err, CDC_EDATA, "bad %s", "value"), CDC_EDATA);
	assert_string_equal(err.msg, "bad value");
	assert_int_equal(cdc_err_prefix(&err, "column %d", 3), CDC_EDATA);
	assert_string_equal(err.msg, "column 3: bad value");
	cdc_err_file(&err, "a.ndjson");
	cdc_err_file(&err, "b.ndjson");
	cdc_err_line(&err, 7);
	cdc_err_line(&err, 8);
	cdc_err_offset(&err, 0);
	cdc_err_offset(&err, 9);
	assert_string_equal(err.file, "a.ndjson");
	assert_true(err.has_line && err.line == 7);
	assert_true(err.has_offset && err.offset == 0);
	/* A new failure forgets the place of the old, even one that quotes it. */
	assert_int_equal(cdc_fail(&err, CDC_EIO, "after: %s", err.msg), CDC_EIO);
	assert_string_equal(err.msg, "after: column 3: bad value");
	assert_true(!err.has_line && !err.has_offset && !err.file[0]);
	assert_int_equal(cdc_fail_errno(&err, ENOSPC, "cannot write %s", "x"), CDC_EIO);
	assert_string_equal(err.msg, "cannot write x: No space left on device");
	assert_int_equal(err.sys_errno, ENOSPC);
	assert_int_equal(cdc_fail_errno(&err, ENOMEM, "x"), CDC_ENOMEM);
	assert_int_equal(cdc_fail_errno(&err, 4095, "x"), CDC_EIO);
	assert_string_equal(err.msg, "x: error 4095");
	assert_int_equal(cdc_fail_nomem(&err), CDC_ENOMEM);
	assert_int_equal(cdc_fail(NULL, CDC_EDATA, "nobody asks"), CDC_EDATA);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	cdc_fail_errno(&err, EIO, "%s", longer);
	cdc_err_prefix(&err, "%s", longer);
	cdc_err_file(&err, longer);
	assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
	assert_int_equal(strlen(err.file), sizeof(err.file) - 1);
}

static void test_buf(void **state)
{
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	assert_string_equal(cdc_buf_z(&b), "");
	assert_int_equal(cdc_buf_append(&b, NULL, 0, &err), CDC_OK);
	assert_int_equal(cdc_buf_puts(&b, "abc", &err), CDC_OK);
	assert_int_equal(cdc_buf_putc(&b, 'd', &err), CDC_OK);
	assert_int_equal(cdc_buf_put(&b, CDC_STR("e\0f"), &err), CDC_OK);
	assert_int_equal(cdc_buf_printf(&b, &err, "%0500d", 7), CDC_OK);
	assert_int_equal(b.len, 507);
	assert_memory_equal(b.p, "abcde\0f000", 10);
	assert_int_equal(b.p[506], '7');
	assert_string_equal(cdc_buf_z(&b), "abcde");
	cdc_buf_reset(&b);
	assert_int_equal(b.len, 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(cdc_buf_putc(&b, (char)i, &err), CDC_OK);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(b.p[i], (char)i);
	assert_int_equal(cdc_buf_reserve(&b, SIZE_MAX, &err), CDC_ENOMEM);
	assert_int_equal(b.len, 100000);
	cdc_buf_free(&b);
	assert_null(b.p);
}

static void test_buf_cap(void **state)
{
	struct cdc_buf b = CDC_BUF_INIT_MAX(300);
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	assert_int_equal(cdc_buf_printf(&b, &err, "%0300d", 7), CDC_OK);
	assert_int_equal(cdc_buf_putc(&b, 'x', &err), CDC_EDATA);
	assert_string_equal(err.msg, "more than 300 bytes");
	assert_int_equal(cdc_buf_printf(&b, &err, "y"), CDC_EDATA);
	/* The content is as it was, and its terminator may lie past the cap. */
	assert_int_equal(b.len, 300);
	assert_int_equal(strlen(cdc_buf_z(&b)), 300);
	assert_int_equal(cdc_buf_putc(&b, 'x', &err), CDC_EDATA);
	cdc_buf_reset(&b);
	assert_int_equal(cdc_buf_append(&b, "123", 3, &err), CDC_OK);
	cdc_buf_free(&b);
}

static void test_arena(void **state)
{
	enum { COUNT = 3000 };
	static const size_t sizes[] = { 1, 16, 17, 1000, 70000, 5, 200000, 0 };
	struct cdc_arena a = CDC_ARENA_INIT;
	static unsigned char *p[COUNT];
	size_t held;

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < COUNT; i++) {
			size_t n = sizes[i % 8];

			p[i] = cdc_arena_alloc(&a, n);
			assert_non_null(p[i]);
			assert_int_equal((uintptr_t)p[i] % 16, 0);
			memset(p[i], i, n);
			assert_memory_equal(cdc_arena_dup(&a, "xyz", 3), "xyz", 3);
		}
		for (int i = 0; i < COUNT; i++)
			for (size_t k = 0; k < sizes[i % 8]; k += 97)
				assert_int_equal(p[i][k], (unsigned char)i);
		held = a.total_bytes;
		cdc_arena_reset(&a);
		assert_true(a.total_bytes > 0 && a.total_bytes <= 8 << 20);
		assert_true(a.total_bytes < held);
	}
	cdc_arena_free(&a);
	assert_int_equal(a.total_bytes, 0);
}

static void test_arena_edges(void **state)
{
	struct cdc_arena a = CDC_ARENA_INIT;
	char *big;
	char *small;

	(void)state;
	cdc_arena_reset(&a);
	assert_non_null(cdc_arena_dup(&a, NULL, 0));
	assert_string_equal(cdc_arena_dupz(&a, CDC_STR("name")), "name");
	assert_string_equal(cdc_arena_dupz(&a, cdc_str(NULL, 0)), "");
	assert_null(cdc_arena_calloc(&a, SIZE_MAX / 2, 3));
	assert_null(cdc_arena_alloc(&a, SIZE_MAX));
	assert_null(cdc_arena_dupz(&a, cdc_str("", SIZE_MAX)));
	small = cdc_arena_calloc(&a, 10, 10);
	for (int i = 0; i < 100; i++)
		assert_int_equal(small[i], 0);
	/* One of its own size does not end the block that was being filled, and is not kept. */
	big = cdc_arena_alloc(&a, 20 << 20);
	assert_non_null(big);
	big[(20 << 20) - 1] = 1;
	assert_true((char *)cdc_arena_alloc(&a, 8) - small < 65536);
	cdc_arena_reset(&a);
	assert_int_equal(a.total_bytes, 65536);
	cdc_arena_free(&a);
	/* The first allocation may be one of its own size. */
	assert_non_null(cdc_arena_alloc(&a, 9 << 20));
	assert_non_null(cdc_arena_alloc(&a, 1));
	cdc_arena_free(&a);
}

static void test_hash(void **state)
{
	/* From the xxHash library's own XXH3_64bits. */
	static const char fox[] = "The quick brown fox jumps over the lazy dog";
	unsigned char bytes[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	assert_true(cdc_hash64("", 0) == UINT64_C(0x2d06800538d394c2));
	assert_true(cdc_hash64("a", 1) == UINT64_C(0xe6c632b61e964e1f));
	assert_true(cdc_hash64(fox, 43) == UINT64_C(0xce7d19a5418fb365));
	assert_true(cdc_hash64(bytes, 1000) == UINT64_C(0xd33dd80b46f60e50));
	assert_true(cdc_hash64_u64(UINT64_C(0x3837363534333231)) == cdc_hash64("12345678", 8));
	assert_true(cdc_hash64("12345678", 8) == UINT64_C(0x62e29b4cad9e2ef6));
}

/* How often `index` comes up among the candidates of h, and how many candidates there are. */
static int seek(const struct cdc_map *m, uint64_t h, uint32_t index, int *candidates)
{
	struct cdc_map_iter it = cdc_map_seek(m, h);
	int found = 0;
	uint32_t i;

	*candidates = 0;
	while (cdc_map_next(m, &it, &i)) {
		(*candidates)++;
		found += i == index;
	}
	return found;
}

static void test_map(void **state)
{
	enum { COUNT = 50000, SAME = 7 };
	struct cdc_map m = CDC_MAP_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	int candidates;

	(void)state;
	assert_int_equal(seek(&m, 1, 0, &candidates), 0);
	/* Seven entries a hash, as equal keys or collisions would have. */
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(cdc_map_insert(&m, cdc_hash64_u64(i / SAME), i, &err), CDC_OK);
	assert_int_equal(m.count, COUNT);
	assert_true((m.mask + 1) * 7 / 10 >= COUNT);
	assert_int_equal(cdc_map_bytes(&m), (m.mask + 1) * 12);
	for (uint32_t i = 0; i < COUNT - COUNT % SAME; i++) {
		assert_int_equal(seek(&m, cdc_hash64_u64(i / SAME), i, &candidates), 1);
		assert_int_equal(candidates, SAME);
	}
	assert_int_equal(seek(&m, cdc_hash64_u64(COUNT), 0, &candidates), 0);
	assert_int_equal(candidates, 0);
	cdc_map_clear(&m);
	assert_int_equal(seek(&m, cdc_hash64_u64(0), 0, &candidates), 0);
	assert_int_equal(candidates, 0);
	cdc_map_free(&m);
	assert_int_equal(cdc_map_bytes(&m), 0);
}

static void test_map_wraps(void **state)
{
	struct cdc_map m = CDC_MAP_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	uint64_t last;
	int candidates;

	(void)state;
	assert_int_equal(cdc_map_reserve(&m, 100, &err), CDC_OK);
	last = m.mask;
	/* All want the last slot: they must go on at the first. */
	for (uint32_t i = 0; i < 40; i++)
		assert_int_equal(cdc_map_insert(&m, last + ((uint64_t)i << 32), i, &err), CDC_OK);
	assert_true(m.mask == last);
	for (uint32_t i = 0; i < 40; i++) {
		assert_int_equal(seek(&m, last + ((uint64_t)i << 32), i, &candidates), 1);
		assert_int_equal(candidates, 1);
	}
	assert_int_equal(cdc_map_reserve(&m, SIZE_MAX / 2, &err), CDC_ENOMEM);
	assert_int_equal(m.count, 40);
	cdc_map_free(&m);
}

static void test_endian(void **state)
{
	unsigned char b[9];

	(void)state;
	cdc_put_le32(b + 1, UINT32_C(0x01020304));
	assert_memory_equal(b + 1, "\x04\x03\x02\x01", 4);
	assert_true(cdc_be32(b + 1) == UINT32_C(0x04030201));
	cdc_put_be64(b + 1, UINT64_C(0x0102030405060708));
	assert_memory_equal(b + 1, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	assert_true(cdc_le64(b + 1) == UINT64_C(0x0807060504030201));
	assert_true(cdc_le16(b + 1) == 0x0201 && cdc_be16(b + 1) == 0x0102);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error),	    cmocka_unit_test(test_buf),
		cmocka_unit_test(test_buf_cap),	    cmocka_unit_test(test_arena),
		cmocka_unit_test(test_arena_edges), cmocka_unit_test(test_hash),
		cmocka_unit_test(test_map),	    cmocka_unit_test(test_map_wraps),
		cmocka_unit_test(test_endian),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
