/*
 * Proves MD5 by the test suite of RFC 1321 (section A.5), and at every length around the end of a
 * block by sums that Python's hashlib gave.
 */
#include "base/md5.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void suite(void **state)
{
	static const struct {
		const char *text;
		const char *sum;
	} cases[] = {
		{ "", "d41d8cd98f00b204e9800998ecf8427e" },
		{ "a", "0cc175b9c0f1b6a831c399e269772661" },
		{ "abc", "900150983cd24fb0d6963f7d28e17f72" },
		{ "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
		{ "abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b" },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
		  "d174ab98d277d9f5a5611c2c9f419d9f" },
		{ "1234567890123456789012345678901234567890123456789012345678901234567890123456789"
		  "0",
		  "57edf4a22be3c955ac49da2e2107b67a" },
	};
	char sum[CDC_MD5_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cdc_md5_text(cases[i].text, strlen(cases[i].text), sum);
		assert_string_equal(sum, cases[i].sum);
	}
}

/* hashlib.md5(b"".join(hashlib.md5(b"x" * n).digest() for n in range(50, 131))).hexdigest() */
static void lengths(void **state)
{
	uint8_t sums[81][CDC_MD5_BYTES];
	char text[130], sum[CDC_MD5_TEXT_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t n = 50; n <= 130; n++)
		cdc_md5(text, n, sums[n - 50]);
	cdc_md5_text(sums, sizeof(sums), sum);
	assert_string_equal(sum, "abc3e2a41454f4920a79bac28f61b050");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suite),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
