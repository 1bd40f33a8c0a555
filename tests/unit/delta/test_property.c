/*
 * Proves which table properties may be set, and to what: keys and values by hand from the list of
 * table properties of the Delta documentation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "delta/property.h"

static int check(const char *property, struct cdc_err *err)
{
	const char *eq = strchr(property, '=');

	*err = (struct cdc_err)CDC_ERR_INIT;
	return cdc_property_check(cdc_str(property, (size_t)(eq - property)), cdc_str_z(eq + 1),
				  err);
}

static void test_accepted(void **state)
{
	static const char *const good[] = {
		"delta.appendOnly=true",
		"delta.appendOnly=FALSE",
		"delta.checkpointInterval=1",
		"delta.checkpointInterval=2147483647",
		"delta.checkpointPolicy=v2",
		"delta.checkpoint.writeStatsAsStruct=false",
		"delta.columnMapping.mode=name",
		"delta.columnMapping.mode=id",
		"delta.constraints.positive=a > 0",
		"delta.dataSkippingNumIndexedCols=-1",
		"delta.dataSkippingStatsColumns=a, b.c",
		"delta.deletedFileRetentionDuration=interval 1 week",
		"delta.deletedFileRetentionDuration=7 days 3 HOURS",
		"delta.enableTypeWidening=true",
		"delta.isolationLevel=WriteSerializable",
		"delta.parquet.compression.codec=ZSTD",
		"delta.randomPrefixLength=32",
		"delta.targetFileSize=134217728",
		"delta.targetFileSize=128mb",
		"my.own=",
		"deltas=x",
		"cdcs=x",
	};
	struct cdc_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (check(good[i], &err))
			fail_msg("%s: %s", good[i], err.msg);
}

static void test_refused(void **state)
{
	static const struct {
		const char *property;
		const char *reason;
	} bad[] = {
		{ "delta.appendOnly=yes", "not true or false" },
		{ "delta.appendOnly=", "not true or false" },
		{ "delta.appendonly=true", "not supported" },
		{ "delta.=x", "not supported" },
		{ "delta.checkpointInterval=0", "not a number from 1" },
		{ "delta.checkpointInterval=2147483648", "not a number from 1" },
		{ "delta.checkpointInterval=1.5", "not a number from 1" },
		{ "delta.checkpointPolicy=v3", "none of classic,v2" },
		{ "delta.columnMapping.mode=", "none of none,name,id" },
		{ "delta.columnMapping.maxColumnId=7", "not supported" },
		{ "delta.constraints.=a > 0", "not supported" },
		{ "delta.constraints.c=", "not an expression" },
		{ "delta.dataSkippingNumIndexedCols=-2", "not a number from -1" },
		{ "delta.dataSkippingStatsColumns=a,,b", "not a list" },
		{ "delta.dataSkippingStatsColumns=a,", "not a list" },
		{ "delta.dataSkippingStatsColumns= ", "not a list" },
		{ "delta.logRetentionDuration=1 month", "not an interval" },
		{ "delta.logRetentionDuration=-1 days", "not an interval" },
		{ "delta.logRetentionDuration=interval", "not an interval" },
		{ "delta.logRetentionDuration=9999999999999999 days", "not an interval" },
		{ "delta.minReaderVersion=3", "not stored" },
		{ "delta.minWriterVersion=7", "not stored" },
		{ "delta.parquet.compression.codec=brotli", "none of zstd," },
		{ "delta.parquet.compression.codec=zstd,snappy", "none of zstd," },
		{ "delta.randomPrefixLength=33", "not a number from 1 to 32" },
		{ "delta.targetFileSize=0", "not a size" },
		{ "delta.targetFileSize=128 parsec", "not a size" },
		{ "delta.enableIcebergCompatV2=true", "not supported" },
		{ "cdc.key=[\"a\"]", "kept by this program" },
	};
	struct cdc_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (check(bad[i].property, &err) != CDC_EUSAGE)
			fail_msg("%s is accepted", bad[i].property);
		if (!strstr(err.msg, bad[i].reason))
			fail_msg("%s: \"%s\" does not say \"%s\"", bad[i].property, err.msg,
				 bad[i].reason);
	}
}

static void test_intervals(void **state)
{
	int64_t ms;

	(void)state;
	assert_true(cdc_interval_parse(CDC_STR("interval 1 week 2 days"), &ms));
	assert_int_equal(ms, INT64_C(777600000));
	assert_true(cdc_interval_parse(CDC_STR("90 minutes 1 second 5 milliseconds"), &ms));
	assert_int_equal(ms, 5401005);
	assert_false(cdc_interval_parse(CDC_STR("3"), &ms));
	assert_false(cdc_interval_parse(CDC_STR(""), &ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_intervals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
