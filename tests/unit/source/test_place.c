/* Names of files that tell topic, partition and offset, and names that only look like it. */
#include "source/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void check(const char *path, const char *want)
{
	struct cdc_place p = cdc_place_of(path);
	char got[128] = "none";

	if (p.known)
		(void)snprintf(got, sizeof(got), "%.*s %d %lld", (int)p.topic.n, p.topic.p,
			       (int)p.partition, (long long)p.offset);
	if (strcmp(got, want) != 0)
		fail_msg("%s: %s, not %s", path, got, want);
}

static void places(void **state)
{
	(void)state;
	check("a/my.topic+3+0000000042.json.gz", "my.topic 3 42");
	check("x+1+2.avro", "x 1 2");
	check("orders-2024+1+15.json", "orders-2024 1 15");
	check("my-topic-3/00000000000000000042.log", "my-topic 3 42");
	check("sales-3-42", "sales 3 42");
	check("d/my.topic-0-0.gz", "my.topic 0 0");
	check("topic1-12-123456789.zst", "topic1 12 123456789");
	check("a.tar/my-topic-12-20241315.snappy", "my-topic 12 20241315");
	check("sales-3-00000000000000000042.jsonl", "sales 3 42");
	check("s-2024-0000000003-00000000000000000042.csv.gz", "s-2024 3 42");
}

static void names(void **state)
{
	static const char *const none[] = {
		"orders-2024-01-15.json",
		"orders-2024-01-15",
		"orders-2024-11-15.gz",
		"orders_2024-11-15.gz",
		"orders2024-11-15",
		"2024-11-15.gz",
		"orders-2024-11",
		"orders-2024-150.gz",
		"orders-20240115-120000.gz",
		"orders-3-20240115.gz",
		"orders-3-20240115120000",
		"orders-1-02.gz",
		"orders-01-2.gz",
		"orders-12-30-59.gz",
		"backup-10-15.json",
		"part-1-2.csv.gz",
		"sales-3-42.jsonl",
		"sales-3-",
		"-3-42",
		"sales-42.gz",
		"sales/00000000000000000042.log",
		"sales-3/42.log",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		check(none[i], "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(places), cmocka_unit_test(names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
