/* GTID events: the tagged one as a server of MySQL 9 wrote it, and cut at each byte. */
#include "source/binlog/binlog_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const unsigned char tagged[] = {
	0x02, 0x76, 0x00, 0x00, 0x02, /* version, size, last field to be known; flags */
	0x02, 0x25, 0x02, 0xdc, 0xf0, 0x09, 0x02, 0x30, 0xf9, 0x03, 0x22, 0xbd,
	0x03, 0xad, 0x02, 0x21, 0x02, 0x44, 0x44, 0x5a, 0x68, 0x51, 0x03, 0x22, /* the server */
	0x04, 0x04, /* number */
	0x06, 0x0c, 'f',  'o',	'o',  'b',  'a',  'z', /* tag */
	0x08, 0x00, 0x0a, 0x04, /* logical times */
	0x0c, 0x7f, 0x15, 0x83, 0x22, 0x2d, 0x5c, 0x2e, 0x06, /* time of the commit */
	0x10, 0x49, 0x03, 0x12, 0xc3, 0x02, 0x0b, /* length, version of the server */
};
#define TAG_END 39
#define TIME_END 52

static void test_tagged(void **state)
{
	struct cdc_str body = cdc_str((const char *)tagged, sizeof(tagged));
	struct binlog b = { .commit_us = 1 };
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	assert_int_equal(binlog_gtid_tagged(&b, body, &err), CDC_OK);
	assert_string_equal(b.gtid, "896e7882-18fe-11ef-ab88-22222d34d411:foobaz:1");
	assert_int_equal(b.commit_us, 1739823289369365);
}

/* Nothing behind a cut is made up: the name is whole, or it is an error. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(tagged); n++) {
		struct cdc_str body = cdc_str((const char *)tagged, n);
		struct binlog b = { .commit_us = 1 };
		struct cdc_err err = CDC_ERR_INIT;
		int rc = binlog_gtid_tagged(&b, body, &err);

		if (n < TAG_END)
			assert_int_equal(rc, CDC_EDATA);
		if (rc == CDC_OK)
			assert_string_equal(b.gtid,
					    "896e7882-18fe-11ef-ab88-22222d34d411:foobaz:1");
		else
			assert_string_equal(b.gtid, "");
		assert_int_equal(b.commit_us, n < TIME_END ? 0 : 1739823289369365);
	}
}

/* A tag that is longer than tags are, a number below zero, fields out of order. */
static void test_damaged(void **state)
{
	static const struct {
		size_t at;
		unsigned char byte;
	} damage[] = { { 30, 0x06 }, { 32, 0x7e }, { 3, 0x02 }, { 5, 0x04 }, { 31, 0x04 } };
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		unsigned char copy[sizeof(tagged)];
		struct binlog b = { .commit_us = 1 };

		memcpy(copy, tagged, sizeof(copy));
		copy[damage[i].at] = damage[i].byte;
		assert_int_equal(binlog_gtid_tagged(&b, cdc_str((char *)copy, sizeof(copy)), &err),
				 CDC_EDATA);
		assert_string_equal(b.gtid, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tagged),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
