/*
 * Proves the checksum of _last_checkpoint: the vector of the protocol, and by hand what it does not
 * show.
 */
#include "log_fixture.h"

#include "delta/checkpoint_hint.h"

static void checksum_is(const char *json, const char *want)
{
	struct cdc_err err = CDC_ERR_INIT;
	char sum[CDC_MD5_TEXT_MAX];

	assert_int_equal(cdc_cp_hint_checksum(cdc_str_z(json), sum, &err), CDC_OK);
	assert_string_equal(sum, want);
}

/* The sum of what the text becomes. */
static void canonical_is(const char *json, const char *canonical)
{
	char sum[CDC_MD5_TEXT_MAX];

	cdc_md5_text(canonical, strlen(canonical), sum);
	checksum_is(json, sum);
}

static void vector(void **state)
{
	(void)state;
	checksum_is("{\"k0\":\"'v 0'\",\"checksum\":\"x\",\"k1\":{\"k2\":2,\"k3\":[\"v3\",[1,2],"
		    "{\"k4\":\"v4\",\"k5\":[\"v5\",\"v6\",\"v7\"]}]}}",
		    "6a92d155a59bf2eecbd4b4ec7fd1f875");
}

static void canonical(void **state)
{
	(void)state;
	canonical_is("{}", "");
	canonical_is("{\"b\":1.50,\"a\":true,\"c\":null,\"d\":[],\"e\":{}}",
		     "\"a\"=true,\"b\"=1.50,\"c\"=null");
	/* Escapes are undone first, bytes are encoded one by one. */
	canonical_is(" { \"\\u00e9\" : \"a\\n-._~%+/\" } ", "\"%C3%A9\"=\"a%0A-._~%25%2B%2F\"");
	/* By bytes: '%' before letters; a checksum further in counts. */
	canonical_is("{\"a\":{\"checksum\":2},\"checksum\":9,\" \":1}",
		     "\"%20\"=1,\"a\"+\"checksum\"=2");
	canonical_is("{\"a\":[10,{\"b\":false}]}", "\"a\"+0=10,\"a\"+1+\"b\"=false");
	canonical_is("{\"a\":\"\\u0000\"}", "\"a\"=\"%00\"");
}

static void no_json(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	char sum[CDC_MD5_TEXT_MAX];

	(void)state;
	assert_int_equal(cdc_cp_hint_checksum(CDC_STR("{\"a\":"), sum, &err), CDC_EDATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vector),
		cmocka_unit_test(canonical),
		cmocka_unit_test(no_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
