/*
 * Proves which columns get statistics: by their number, by the names of a property, and by the
 * table's clustering, in a schema with structs, lists, a partition column and a physical name.
 */
#include "log_fixture.h"

#include "delta/log_int.h"
#include "delta/stats.h"

#define FIELD(name, type)                                                                          \
	"{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":" type                                        \
	",\\\"nullable\\\":true,\\\"metadata\\\":{}}"
#define FIELD_AS(name, physical, id, type)                                                         \
	"{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":" type                                        \
	",\\\"nullable\\\":true,\\\"metadata\\\":{\\\"delta.columnMapping.id\\\":" id              \
	",\\\"delta.columnMapping.physicalName\\\":\\\"" physical "\\\"}}"
#define LONG "\\\"long\\\""
#define STRUCT(fields) "{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[" fields "]}"
#define ARRAY                                                                                      \
	"{\\\"type\\\":\\\"array\\\",\\\"elementType\\\":\\\"long\\\",\\\"containsNull\\\":true}"

/* Columns in order: a, s.x, s.t.y, s.t.z, l, "d.e", f; p is a partition column. */
#define FIELDS                                                                                                             \
	FIELD_AS("a", "col-1", "1", LONG)                                                                                  \
	"," FIELD_AS(                                                                                                      \
		"s", "col-2", "2",                                                                                         \
		STRUCT(FIELD_AS("x", "col-3", "3", LONG) "," FIELD_AS(                                                     \
			"t", "col-4", "4",                                                                                 \
			STRUCT(FIELD_AS("y", "col-5", "5", LONG) "," FIELD_AS(                                             \
				"z", "col-6", "6",                                                                         \
				LONG))))) "," FIELD_AS("p", "col-7", "7",                                                  \
						       LONG) "," FIELD_AS("l", "col-8", "8",                               \
									  ARRAY) "," FIELD_AS("d.e",                       \
											      "col-9",                     \
											      "9",                         \
											      LONG) "," FIELD_AS("f",      \
														 "col-10", \
														 "10",     \
														 LONG)

#define MAPPED                                                                                     \
	"{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":"         \
	"[\"columnMapping\"],\"writerFeatures\":[\"columnMapping\",\"domainMetadata\"]}}\n"

static const char *covered(struct fixture *f, const char *config, const char *clustering)
{
	static char got[64];
	struct cdc_stats_columns c;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s;
	char text[8192];

	snprintf(text, sizeof(text),
		 MAPPED "{\"metaData\":{\"id\":\"t\",\"format\":{\"provider\":\"parquet\","
			"\"options\":{}},\"schemaString\":\"" STRUCT(
				FIELDS) "\",\"partitionColumns\":[\"p\"],\"configuration\":{"
					"\"delta.columnMapping.mode\":\"name\"%s%s}}}\n%s%s%s",
		 *config ? "," : "", config,
		 *clustering ? "{\"domainMetadata\":{\"domain\":\"delta.clustering\","
			       "\"removed\":false,\"configuration\":\""
			     : "",
		 clustering, *clustering ? "\"}}\n" : "");
	fixture_commit(f, 0, text);
	s = fixture_load(f, -1);
	assert_int_equal(cdc_stats_columns_of(&c, s, &arena, &err), 0);
	assert_int_equal(c.num_columns, 7);
	assert_false(c.tight_bounds);
	for (int i = 0; i < 7; i++)
		got[i] = c.covered[i] ? 'x' : '-';
	snprintf(got + 7, sizeof(got) - 7, " %d %d", c.num_covered, c.string_chars);
	cdc_arena_free(&arena);
	cdc_snapshot_free(s);
	return got;
}

#define NUM(n) "\"delta.dataSkippingNumIndexedCols\":\"" n "\""
#define NAMES(n) "\"delta.dataSkippingStatsColumns\":\"" n "\""
#define CHARS(n) "\"delta.dataSkippingStringPrefixLength\":\"" n "\""

static void by_number(void **state)
{
	assert_string_equal(covered(*state, "", ""), "xxxxxxx 7 32");
	assert_string_equal(covered(*state, NUM("0"), ""), "------- 0 32");
	assert_string_equal(covered(*state, NUM("3"), ""), "xxx---- 3 32");
	assert_string_equal(covered(*state, NUM("5"), ""), "xxxxx-- 5 32");
	assert_string_equal(covered(*state, NUM("-1"), ""), "xxxxxxx 7 32");
	assert_string_equal(covered(*state, NUM("-2"), ""), "xxxxxxx 7 32");
	assert_string_equal(covered(*state, NUM("few"), ""), "xxxxxxx 7 32");
	assert_string_equal(covered(*state, NUM("1") "," CHARS("7"), ""), "x------ 1 7");
	assert_string_equal(covered(*state, NUM("1") "," CHARS("0"), ""), "x------ 1 32");
}

static void by_name(void **state)
{
	assert_string_equal(covered(*state, NAMES("f"), ""), "------x 1 32");
	assert_string_equal(covered(*state, NAMES(" s.t , F "), ""), "--xx--x 3 32");
	assert_string_equal(covered(*state, NAMES("s"), ""), "-xxx--- 3 32");
	assert_string_equal(covered(*state, NAMES("S . `T` . Z,`d.e`,l"), ""), "---xxx- 3 32");
	/* Names that are not there, of partitions, of no fields; a name twice. */
	assert_string_equal(covered(*state, NAMES("nope,p,a.b,d.e,a,a"), ""), "x------ 1 32");
	assert_string_equal(covered(*state, NAMES(""), ""), "------- 0 32");
	/* The physical names are not what users know. */
	assert_string_equal(covered(*state, NAMES("`col-1`"), ""), "------- 0 32");
	/* Over the number. */
	assert_string_equal(covered(*state, NUM("1") "," NAMES("f"), ""), "------x 1 32");
}

static void no_names(void **state)
{
	static const char *const bad[] = { NAMES("f,"), NAMES(",f"),  NAMES("f,,a"), NAMES("`f"),
					   NAMES("s."), NAMES("f g"), NAMES("``") };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char config[256];

		snprintf(config, sizeof(config), "%s,%s", NUM("2"), bad[i]);
		assert_string_equal(covered(*state, config, ""), "xx----- 2 32");
	}
}

#define CLUSTERED(list) "{\\\"clusteringColumns\\\":" list "}"

static void by_clustering(void **state)
{
	assert_string_equal(covered(*state, NUM("1"),
				    CLUSTERED("[[\\\"col-10\\\"],[\\\"col-2\\\",\\\"col-4\\\","
					      "\\\"col-5\\\"]]")),
			    "x-x---x 3 32");
	assert_string_equal(covered(*state, NUM("0"), CLUSTERED("[\\\"col-9\\\",\\\"a\\\"]")),
			    "-----x- 1 32");
	assert_string_equal(covered(*state, NAMES("a"), CLUSTERED("[[\\\"col-10\\\"]]")),
			    "x-----x 2 32");
	assert_string_equal(covered(*state, NUM("1"), CLUSTERED("[[7],{},null,[],[[]]]")),
			    "x------ 1 32");
	assert_string_equal(covered(*state, NUM("1"), CLUSTERED("\\\"col-10\\\"")), "x------ 1 32");
	assert_string_equal(covered(*state, NUM("1"), "{"), "x------ 1 32");
}

#define WITH_TABLE(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(by_number),
		WITH_TABLE(by_name),
		WITH_TABLE(no_names),
		WITH_TABLE(by_clustering),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
