/*
 * Proves that Thrift structs come out byte by byte as the compact protocol has them: all
 * expectations are written by hand from the protocol's document.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "parquet/pq_meta_write.h"
#include "parquet/pq_thrift_write.h"

#include <stdio.h>

static void assert_hex(struct cdc_buf *b, const char *hex)
{
	char text[1024] = "";

	assert_true(b->len * 2 < sizeof(text));
	for (size_t i = 0; i < b->len; i++)
		sprintf(text + 2 * i, "%02x", (uint8_t)b->p[i]);
	assert_string_equal(text, hex);
	cdc_buf_free(b);
}

static void scalars(void **state)
{
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_tw t;

	(void)state;
	cdc_pq_tw_init(&t, &b, &err);
	cdc_pq_tw_bool(&t, 1, true); /* delta 1, type 1 */
	cdc_pq_tw_bool(&t, 2, false); /* delta 1, type 2 */
	cdc_pq_tw_i8(&t, 3, -1); /* one raw byte */
	cdc_pq_tw_i16(&t, 4, -1); /* zigzag 1 */
	cdc_pq_tw_i32(&t, 5, 150); /* zigzag 300 = ac 02 */
	cdc_pq_tw_i32(&t, 6, INT32_MIN); /* zigzag ffffffff */
	cdc_pq_tw_i64(&t, 21, INT64_MIN); /* delta 15 still fits */
	cdc_pq_tw_i64(&t, 37, INT64_MAX); /* delta 16: long form, id zigzag 74 = 4a */
	cdc_pq_tw_binary(&t, 38, CDC_STR("hi"));
	assert_int_equal(cdc_pq_tw_finish(&t), CDC_OK);
	assert_hex(&b, "11"
		       "12"
		       "13ff"
		       "1401"
		       "15ac02"
		       "15ffffffff0f"
		       "f6ffffffffffffffffff01"
		       "064afeffffffffffffffff01"
		       "18026869"
		       "00");
}

static void structs_and_lists(void **state)
{
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_tw t;

	(void)state;
	cdc_pq_tw_init(&t, &b, &err);
	cdc_pq_tw_struct(&t, 2); /* 2c */
	cdc_pq_tw_i32(&t, 1, 1); /* ids start anew: 15 02 */
	cdc_pq_tw_empty(&t, 3); /* 2c 00 */
	cdc_pq_tw_end(&t); /* 00 */
	cdc_pq_tw_list(&t, 3, CDC_PQ_TW_I32, 2); /* id goes on from 2: 19 25 */
	cdc_pq_tw_elem_int(&t, -2);
	cdc_pq_tw_elem_int(&t, 64);
	cdc_pq_tw_list(&t, 4, CDC_PQ_TW_BOOL, 15); /* long size: 19 f2 0f */
	for (int i = 0; i < 15; i++)
		cdc_pq_tw_elem_bool(&t, i == 0);
	cdc_pq_tw_list(&t, 5, CDC_PQ_TW_STRUCT, 1);
	cdc_pq_tw_struct(&t, 0);
	cdc_pq_tw_binary(&t, 1, CDC_STR(""));
	cdc_pq_tw_end(&t);
	assert_int_equal(cdc_pq_tw_finish(&t), CDC_OK);
	assert_hex(&b, "2c"
		       "1502"
		       "2c00"
		       "00"
		       "1925"
		       "03"
		       "8001"
		       "19f20f"
		       "010202020202020202020202020202"
		       "191c"
		       "1800"
		       "00"
		       "00");
}

static void nesting_is_checked(void **state)
{
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_tw t;

	(void)state;
	cdc_pq_tw_init(&t, &b, &err);
	cdc_pq_tw_struct(&t, 1);
	assert_int_equal(cdc_pq_tw_finish(&t), CDC_EINTERNAL);
	cdc_pq_tw_init(&t, &b, &err);
	for (int i = 0; i < CDC_PQ_TW_DEPTH; i++)
		cdc_pq_tw_struct(&t, 1);
	assert_int_equal(t.rc, CDC_EINTERNAL);
	cdc_buf_free(&b);
}

static void full_buffer_sticks(void **state)
{
	struct cdc_buf b = CDC_BUF_INIT_MAX(4);
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_tw t;

	(void)state;
	cdc_pq_tw_init(&t, &b, &err);
	cdc_pq_tw_binary(&t, 1, CDC_STR("too long for it"));
	cdc_pq_tw_bool(&t, 2, true);
	assert_int_equal(cdc_pq_tw_finish(&t), CDC_EDATA);
	assert_true(b.len <= 4);
	cdc_buf_free(&b);
}

static void page_headers(void **state)
{
	struct cdc_pq_page_header h = { .type = CDC_PQ_DATA_PAGE,
					.uncompressed_size = 100,
					.compressed_size = 63,
					.has_crc = true,
					.crc = 0xffffffff,
					.num_values = 10,
					.encoding = CDC_PQ_RLE_DICTIONARY,
					.def_encoding = CDC_PQ_RLE,
					.rep_encoding = CDC_PQ_RLE };
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	assert_int_equal(cdc_pq_write_page_header(&h, &b, &err), CDC_OK);
	/* 1: 0, 2: 100, 3: 63, 4: -1, 5: {1: 10, 2: 8, 3: 3, 4: 3} */
	assert_hex(&b, "1500"
		       "15c801"
		       "157e"
		       "1501"
		       "1c"
		       "1514"
		       "1510"
		       "1506"
		       "1506"
		       "00"
		       "00");
	h.type = CDC_PQ_DICTIONARY_PAGE;
	h.encoding = CDC_PQ_PLAIN;
	h.has_crc = false;
	assert_int_equal(cdc_pq_write_page_header(&h, &b, &err), CDC_OK);
	/* 1: 2, 2: 100, 3: 63, 7: {1: 10, 2: 0} */
	assert_hex(&b, "1504"
		       "15c801"
		       "157e"
		       "4c"
		       "1514"
		       "1500"
		       "00"
		       "00");
}

static void page_indexes(void **state)
{
	static const struct cdc_pq_page_entry page[] = {
		{ .offset = 4,
		  .size = 10,
		  .has_values = true,
		  .null_count = 1,
		  .nan_count = 2,
		  .min = { "a", 1 },
		  .max = { "b", 1 } },
		{ .offset = 14, .size = 5, .first_row = 3, .null_count = 7 },
	};
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	assert_int_equal(cdc_pq_write_offset_index(page, 2, &b, &err), CDC_OK);
	assert_hex(&b, "192c"
		       "1608"
		       "1514"
		       "1600"
		       "00"
		       "161c"
		       "150a"
		       "1606"
		       "00"
		       "00");
	assert_int_equal(cdc_pq_write_column_index(page, 2, CDC_PQ_ASCENDING, false, &b, &err),
			 CDC_OK);
	assert_hex(&b, "1922"
		       "0201"
		       "1928"
		       "016100"
		       "1928"
		       "016200"
		       "1502"
		       "1926"
		       "020e"
		       "00");
	assert_int_equal(cdc_pq_write_column_index(page, 2, CDC_PQ_UNORDERED, true, &b, &err),
			 CDC_OK);
	assert_hex(&b, "1922"
		       "0201"
		       "1928"
		       "016100"
		       "1928"
		       "016200"
		       "1500"
		       "1926"
		       "020e"
		       "3926"
		       "0400"
		       "00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars),
		cmocka_unit_test(structs_and_lists),
		cmocka_unit_test(nesting_is_checked),
		cmocka_unit_test(full_buffer_sticks),
		cmocka_unit_test(page_headers),
		cmocka_unit_test(page_indexes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
