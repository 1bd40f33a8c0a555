/*
 * Proves that minimum and maximum are chosen in each column's order and put in the file's form:
 * signed, unsigned, floats with NaN and both zeros, bytes, decimals of any length; long strings
 * cut on characters, long binary on bytes. Expectations by hand, orders against naive comparisons.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "parquet/pq_stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct cdc_pq_node leaf_of(enum cdc_pq_type type, enum cdc_pq_logical logical)
{
	return (struct cdc_pq_node){
		.is_leaf = true, .type = type, .logical = logical, .converted = CDC_PQ_CONV_NONE
	};
}

static void assert_bounds(const struct cdc_pq_range *r, const struct cdc_pq_node *leaf,
			  struct cdc_str min, bool min_exact, struct cdc_str max, bool max_exact)
{
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_bounds got;

	assert_int_equal(cdc_pq_range_bounds(r, leaf, &b, &got, &err), CDC_OK);
	assert_true(got.usable);
	assert_int_equal(got.min_exact, min_exact);
	assert_int_equal(got.max_exact, max_exact);
	assert_int_equal(got.min_len, min.n);
	assert_int_equal(got.max_len, max.n);
	assert_int_equal(b.len, min.n + max.n);
	assert_memory_equal(b.p, min.p, min.n);
	assert_memory_equal(b.p + min.n, max.p, max.n);
	cdc_buf_free(&b);
}

static void assert_no_bounds(const struct cdc_pq_range *r, const struct cdc_pq_node *leaf)
{
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_bounds got;

	assert_int_equal(cdc_pq_range_bounds(r, leaf, &b, &got, &err), CDC_OK);
	assert_false(got.usable);
	assert_int_equal(b.len, 0);
	cdc_buf_free(&b);
}

static void orders(void **state)
{
	struct cdc_pq_node n = leaf_of(CDC_PQ_INT32, CDC_PQ_LOGICAL_NONE);

	(void)state;
	assert_int_equal(cdc_pq_order_of(&n), CDC_PQ_ORDER_SIGNED);
	n.converted = CDC_PQ_CONV_UINT_16;
	assert_int_equal(cdc_pq_order_of(&n), CDC_PQ_ORDER_UNSIGNED);
	n.converted = CDC_PQ_CONV_DATE;
	assert_int_equal(cdc_pq_order_of(&n), CDC_PQ_ORDER_SIGNED);
	n = leaf_of(CDC_PQ_INT64, CDC_PQ_LOGICAL_INTEGER);
	assert_int_equal(cdc_pq_order_of(&n), CDC_PQ_ORDER_UNSIGNED);
	n.is_signed = true;
	assert_int_equal(cdc_pq_order_of(&n), CDC_PQ_ORDER_SIGNED);
	n = leaf_of(CDC_PQ_FIXED, CDC_PQ_LOGICAL_DECIMAL);
	assert_int_equal(cdc_pq_order_of(&n), CDC_PQ_ORDER_DECIMAL);
	n = leaf_of(CDC_PQ_FIXED, CDC_PQ_LOGICAL_UUID);
	assert_int_equal(cdc_pq_order_of(&n), CDC_PQ_ORDER_BYTES);
	n = leaf_of(CDC_PQ_FIXED, CDC_PQ_LOGICAL_FLOAT16);
	assert_int_equal(cdc_pq_order_of(&n), CDC_PQ_ORDER_NONE);
	n = leaf_of(CDC_PQ_INT96, CDC_PQ_LOGICAL_NONE);
	assert_int_equal(cdc_pq_order_of(&n), CDC_PQ_ORDER_NONE);
	n = leaf_of(CDC_PQ_FIXED, CDC_PQ_LOGICAL_NONE);
	n.converted = CDC_PQ_CONV_INTERVAL;
	assert_int_equal(cdc_pq_order_of(&n), CDC_PQ_ORDER_NONE);
}

static void integers(void **state)
{
	static const int32_t narrow[] = { 5, -1, 7, INT32_MIN };
	static const int64_t wide[] = { 5, -1, INT64_MAX };
	struct cdc_pq_node n = leaf_of(CDC_PQ_INT32, CDC_PQ_LOGICAL_NONE);
	struct cdc_pq_range r = { .has = false };

	(void)state;
	assert_no_bounds(&r, &n);
	cdc_pq_range_int32(&r, CDC_PQ_ORDER_SIGNED, narrow, 4);
	assert_bounds(&r, &n, CDC_STR("\x00\x00\x00\x80"), true, CDC_STR("\x07\0\0\0"), true);
	/* As unsigned, -1 is the greatest and INT32_MIN 2^31. */
	n.converted = CDC_PQ_CONV_UINT_32;
	cdc_pq_range_reset(&r);
	cdc_pq_range_int32(&r, CDC_PQ_ORDER_UNSIGNED, narrow, 4);
	assert_bounds(&r, &n, CDC_STR("\x05\0\0\0"), true, CDC_STR("\xff\xff\xff\xff"), true);
	n = leaf_of(CDC_PQ_INT64, CDC_PQ_LOGICAL_INTEGER);
	cdc_pq_range_reset(&r);
	cdc_pq_range_int64(&r, CDC_PQ_ORDER_UNSIGNED, wide, 3);
	assert_bounds(&r, &n, CDC_STR("\x05\0\0\0\0\0\0\0"), true,
		      CDC_STR("\xff\xff\xff\xff\xff\xff\xff\xff"), true);
	n.is_signed = true;
	cdc_pq_range_reset(&r);
	cdc_pq_range_int64(&r, CDC_PQ_ORDER_SIGNED, wide, 3);
	assert_bounds(&r, &n, CDC_STR("\xff\xff\xff\xff\xff\xff\xff\xff"), true,
		      CDC_STR("\xff\xff\xff\xff\xff\xff\xff\x7f"), true);
}

static void booleans(void **state)
{
	static const uint8_t v[] = { 1, 1, 0 };
	struct cdc_pq_node n = leaf_of(CDC_PQ_BOOLEAN, CDC_PQ_LOGICAL_NONE);
	struct cdc_pq_range r = { .has = false };

	(void)state;
	cdc_pq_range_bools(&r, v, 2);
	assert_bounds(&r, &n, CDC_STR("\1"), true, CDC_STR("\1"), true);
	cdc_pq_range_bools(&r, v, 3);
	assert_bounds(&r, &n, CDC_STR("\0"), true, CDC_STR("\1"), true);
}

static void floats(void **state)
{
	static const float zeros[] = { 0.0F, 0.0F };
	static const float some_nan[] = { NAN, 1.5F, NAN };
	static const double negative_zero[] = { -0.0 };
	static const double both_zeros[] = { 0.5, 0.0, -0.0, 0.0 };
	static const double all_nan[] = { NAN, NAN };
	static const double infinite[] = { -INFINITY, 1.5 };
	struct cdc_pq_node n = leaf_of(CDC_PQ_FLOAT, CDC_PQ_LOGICAL_NONE);
	struct cdc_pq_range r = { .has = false };

	(void)state;
	cdc_pq_range_float(&r, some_nan, 3);
	assert_int_equal(r.nan_count, 2);
	assert_no_bounds(&r, &n);
	cdc_pq_range_reset(&r);
	cdc_pq_range_float(&r, zeros, 2);
	assert_bounds(&r, &n, CDC_STR("\0\0\0\x80"), true, CDC_STR("\0\0\0\0"), true);
	n = leaf_of(CDC_PQ_DOUBLE, CDC_PQ_LOGICAL_NONE);
	cdc_pq_range_reset(&r);
	cdc_pq_range_double(&r, negative_zero, 1);
	assert_bounds(&r, &n, CDC_STR("\0\0\0\0\0\0\0\x80"), true, CDC_STR("\0\0\0\0\0\0\0\0"),
		      true);
	assert_true(signbit(r.min_d));
	cdc_pq_range_reset(&r);
	cdc_pq_range_double(&r, both_zeros, 2);
	assert_true(r.min_d == 0 && !signbit(r.min_d));
	cdc_pq_range_double(&r, both_zeros + 2, 2);
	assert_true(r.min_d == 0 && signbit(r.min_d));
	cdc_pq_range_reset(&r);
	cdc_pq_range_double(&r, all_nan, 2);
	assert_int_equal(r.nan_count, 2);
	assert_no_bounds(&r, &n);
	cdc_pq_range_reset(&r);
	cdc_pq_range_double(&r, infinite, 2);
	assert_bounds(&r, &n, CDC_STR("\0\0\0\0\0\0\xf0\xff"), true,
		      CDC_STR("\0\0\0\0\0\0\xf8\x3f"), true);
}

static void strings_in_order(void **state)
{
	static const struct cdc_str v[] = { { "b", 1 },	       { "", 0 },	 { "\xff", 1 },
					    { "abcdefgh", 8 }, { "abcdefg", 7 }, { "\x7f", 1 } };
	struct cdc_pq_node n = leaf_of(CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_NONE);
	struct cdc_pq_range r = { .has = false };
	struct cdc_pq_range other = { .has = false };
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	assert_int_equal(cdc_pq_range_strs(&r, CDC_PQ_ORDER_BYTES, v, 6, &err), CDC_OK);
	assert_bounds(&r, &n, CDC_STR(""), true, CDC_STR("\xff"), true);
	assert_int_equal(cdc_pq_range_strs(&other, CDC_PQ_ORDER_BYTES, v + 3, 2, &err), CDC_OK);
	assert_bounds(&other, &n, CDC_STR("abcdefg"), true, CDC_STR("abcdefgh"), true);
	assert_int_equal(cdc_pq_range_merge(&other, &r, CDC_PQ_ORDER_BYTES, &err), CDC_OK);
	assert_bounds(&other, &n, CDC_STR(""), true, CDC_STR("\xff"), true);
	cdc_pq_range_free(&r);
	cdc_pq_range_free(&other);
}

/* Extremes of many strings with shared prefixes of all lengths, against a plain comparison. */
static void extremes_of_many(void **state)
{
	struct cdc_pq_node n = leaf_of(CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_NONE);
	struct cdc_str v[40];
	char bytes[40][12];
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	srand(7);
	for (int turn = 0; turn < 5000; turn++) {
		struct cdc_pq_range r = { .has = false };
		struct cdc_str min;
		struct cdc_str max;
		size_t num = 1 + (size_t)rand() % 40;

		for (size_t i = 0; i < num; i++) {
			v[i] = cdc_str(bytes[i], (size_t)rand() % 12);
			for (size_t k = 0; k < v[i].n; k++)
				bytes[i][k] = (char)(rand() % 3 ? 'a' : rand() % 4 * 85);
		}
		min = max = v[0];
		for (size_t i = 1; i < num; i++) {
			min = cdc_str_cmp(v[i], min) < 0 ? v[i] : min;
			max = cdc_str_cmp(v[i], max) > 0 ? v[i] : max;
		}
		assert_int_equal(cdc_pq_range_strs(&r, CDC_PQ_ORDER_BYTES, v, num, &err), CDC_OK);
		assert_bounds(&r, &n, min, true, max, true);
		cdc_pq_range_free(&r);
	}
}

static void assert_cut(const struct cdc_pq_node *n, struct cdc_str whole, struct cdc_str min,
		       bool min_exact, struct cdc_str max, bool max_exact)
{
	struct cdc_pq_range r = { .has = false };
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_pq_range_strs(&r, CDC_PQ_ORDER_BYTES, &whole, 1, &err), CDC_OK);
	assert_bounds(&r, n, min, min_exact, max, max_exact);
	assert_true(cdc_str_cmp(min, whole) <= 0 && cdc_str_cmp(max, whole) >= 0);
	cdc_pq_range_free(&r);
}

#define A60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LAST4 "\xf4\x8f\xbf\xbf" /* U+10FFFF, the last character there is */
#define LAST16 LAST4 LAST4 LAST4 LAST4
#define FF64                                                                                       \
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"                         \
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"                         \
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"                         \
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"

static void text_is_cut(void **state)
{
	struct cdc_pq_node n = leaf_of(CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING);

	(void)state;
	assert_cut(&n, CDC_STR(A60 "bcde"), CDC_STR(A60 "bcde"), true, CDC_STR(A60 "bcde"), true);
	assert_cut(&n, CDC_STR(A60 "bcdef"), CDC_STR(A60 "bcde"), false, CDC_STR(A60 "bcdf"),
		   false);
	/* A character across the limit goes as a whole. */
	assert_cut(&n, CDC_STR(A60 "bcd\xc3\xa9"), CDC_STR(A60 "bcd"), false, CDC_STR(A60 "bce"),
		   false);
	/* U+D7FF is followed by U+E000: there are no characters between. */
	assert_cut(&n, CDC_STR(A60 "b\xed\x9f\xbfz"), CDC_STR(A60 "b\xed\x9f\xbf"), false,
		   CDC_STR(A60 "b\xee\x80\x80"), false);
	/* The last of its length: one character back, which grows no byte. */
	assert_cut(&n, CDC_STR(A60 "bc\xdf\xbfz"), CDC_STR(A60 "bc\xdf\xbf"), false,
		   CDC_STR(A60 "bd"), false);
	assert_cut(&n, CDC_STR(A60 LAST4 "z"), CDC_STR(A60 LAST4), false,
		   CDC_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"), false);
	assert_cut(&n, CDC_STR(A60 "\x7f\x7f\x7f\x7fz"), CDC_STR(A60 "\x7f\x7f\x7f\x7f"), false,
		   CDC_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"), false);
	/* Nothing can be incremented: the maximum stays whole. */
	assert_cut(&n, CDC_STR(LAST16 LAST16 LAST16 LAST16 "z"),
		   CDC_STR(LAST16 LAST16 LAST16 LAST16), false,
		   CDC_STR(LAST16 LAST16 LAST16 LAST16 "z"), true);
	/* Not UTF-8 after all: cut as bytes. */
	assert_cut(&n,
		   CDC_STR(A60 "b\xff"
			       "cdef"),
		   CDC_STR(A60 "b\xff"
			       "cd"),
		   false,
		   CDC_STR(A60 "b\xff"
			       "ce"),
		   false);
	/* By the converted type alone. */
	n = leaf_of(CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_NONE);
	n.converted = CDC_PQ_CONV_UTF8;
	assert_cut(&n, CDC_STR(A60 "bcd\xc3\xa9"), CDC_STR(A60 "bcd"), false, CDC_STR(A60 "bce"),
		   false);
}

static void binary_is_cut(void **state)
{
	struct cdc_pq_node n = leaf_of(CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_NONE);

	(void)state;
	assert_cut(&n, CDC_STR(A60 "bcd\xc3\xa9"), CDC_STR(A60 "bcd\xc3"), false,
		   CDC_STR(A60 "bcd\xc4"), false);
	assert_cut(&n, CDC_STR(A60 "b\xff\xff\xff\xff"), CDC_STR(A60 "b\xff\xff\xff"), false,
		   CDC_STR(A60 "c"), false);
	assert_cut(&n, CDC_STR(FF64 "z"), CDC_STR(FF64), false, CDC_STR(FF64 "z"), true);
	/* Fixed lengths are never cut. */
	n = leaf_of(CDC_PQ_FIXED, CDC_PQ_LOGICAL_NONE);
	assert_cut(&n, CDC_STR(A60 "bcdefgh"), CDC_STR(A60 "bcdefgh"), true, CDC_STR(A60 "bcdefgh"),
		   true);
}

static void hopeless_bounds_are_dropped(void **state)
{
	struct cdc_pq_node n = leaf_of(CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_NONE);
	struct cdc_pq_range r = { .has = false };
	struct cdc_err err = CDC_ERR_INIT;
	char *p = malloc(5000);
	struct cdc_str s = { p, 5000 };

	(void)state;
	memset(p, 0xff, 5000);
	assert_int_equal(cdc_pq_range_strs(&r, CDC_PQ_ORDER_BYTES, &s, 1, &err), CDC_OK);
	assert_no_bounds(&r, &n);
	cdc_pq_range_free(&r);
	free(p);
}

/* Big-endian two's complement of v, with up to `pad` needless sign bytes in front. */
static struct cdc_str decimal(int64_t v, int pad, char *p)
{
	int need = 1;

	while (need < 8 &&
	       (v < -(INT64_C(1) << (8 * need - 1)) || v >= INT64_C(1) << (8 * need - 1)))
		need++;
	memset(p, v < 0 ? 0xff : 0, (size_t)pad);
	for (int i = 0; i < need; i++)
		p[pad + i] = (char)((uint64_t)v >> (8 * (need - 1 - i)));
	return cdc_str(p, (size_t)(pad + need));
}

static void decimals_in_order(void **state)
{
	static const int64_t v[] = { INT64_MIN, -32769, -32768, -257,  -256,	 -255, -129,
				     -128,	-127,	-1,	0,     1,	 127,  128,
				     255,	256,	32767,	32768, INT64_MAX };
	char a[24];
	char b[24];

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		for (size_t k = 0; k < sizeof(v) / sizeof(v[0]); k++) {
			for (int pad = 0; pad < 9; pad++) {
				int c = cdc_pq_order_strs(CDC_PQ_ORDER_DECIMAL,
							  decimal(v[i], pad % 3, a),
							  decimal(v[k], pad / 3, b));

				assert_int_equal((c > 0) - (c < 0), (v[i] > v[k]) - (v[i] < v[k]));
			}
		}
	}
	assert_int_equal(cdc_pq_order_strs(CDC_PQ_ORDER_DECIMAL, CDC_STR(""), CDC_STR("\0")), 0);
}

static void decimals_are_not_cut(void **state)
{
	struct cdc_pq_node n = leaf_of(CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_DECIMAL);
	static const char low[80] = { (char)0x80 };
	static const char high[80] = { 0x7f };
	const struct cdc_str v[] = { { high, 80 }, { low, 80 }, { "\0", 1 } };
	struct cdc_pq_range r = { .has = false };
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	assert_int_equal(cdc_pq_range_strs(&r, CDC_PQ_ORDER_DECIMAL, v, 3, &err), CDC_OK);
	assert_bounds(&r, &n, v[1], true, v[0], true);
	cdc_pq_range_free(&r);
}

static void plain_order(void **state)
{
	struct cdc_pq_node n = leaf_of(CDC_PQ_INT32, CDC_PQ_LOGICAL_NONE);
	struct cdc_str minus = CDC_STR("\xff\xff\xff\xff");
	struct cdc_str one = CDC_STR("\x01\0\0\0");

	(void)state;
	assert_int_equal(cdc_pq_order_plain(&n, minus, one), -1);
	n.converted = CDC_PQ_CONV_UINT_32;
	assert_int_equal(cdc_pq_order_plain(&n, minus, one), 1);
	n = leaf_of(CDC_PQ_INT64, CDC_PQ_LOGICAL_INTEGER);
	assert_int_equal(cdc_pq_order_plain(&n, CDC_STR("\0\0\0\0\0\0\0\x80"),
					    CDC_STR("\x01\0\0\0\0\0\0\0")),
			 1);
	n.is_signed = true;
	assert_int_equal(cdc_pq_order_plain(&n, CDC_STR("\0\0\0\0\0\0\0\x80"),
					    CDC_STR("\x01\0\0\0\0\0\0\0")),
			 -1);
	n = leaf_of(CDC_PQ_FLOAT, CDC_PQ_LOGICAL_NONE);
	assert_int_equal(cdc_pq_order_plain(&n, CDC_STR("\0\0\0\x80"), CDC_STR("\0\0\0\0")), 0);
	assert_int_equal(cdc_pq_order_plain(&n, CDC_STR("\0\0\x80\xbf"), CDC_STR("\0\0\x80\x3f")),
			 -1);
	n = leaf_of(CDC_PQ_DOUBLE, CDC_PQ_LOGICAL_NONE);
	assert_int_equal(cdc_pq_order_plain(&n, CDC_STR("\0\0\0\0\0\0\xf0\x3f"),
					    CDC_STR("\0\0\0\0\0\0\xf0\xbf")),
			 1);
	n = leaf_of(CDC_PQ_BOOLEAN, CDC_PQ_LOGICAL_NONE);
	assert_int_equal(cdc_pq_order_plain(&n, CDC_STR("\0"), CDC_STR("\1")), -1);
	n = leaf_of(CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING);
	assert_true(cdc_pq_order_plain(&n, CDC_STR("a"), CDC_STR("aa")) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),
		cmocka_unit_test(integers),
		cmocka_unit_test(booleans),
		cmocka_unit_test(floats),
		cmocka_unit_test(strings_in_order),
		cmocka_unit_test(extremes_of_many),
		cmocka_unit_test(text_is_cut),
		cmocka_unit_test(binary_is_cut),
		cmocka_unit_test(hopeless_bounds_are_dropped),
		cmocka_unit_test(decimals_in_order),
		cmocka_unit_test(decimals_are_not_cut),
		cmocka_unit_test(plain_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
