/*
 * Proves that a log may lie in many ways: commits that were compacted, empty or oddly printed,
 * checkpoints that are no whole state, and that what is damaged is passed over where something else
 * tells the same.
 */
#include "log_fixture.h"

#define UUID "80a083e8-7026-4e79-81be-64bd76c43a11"
#define COMPACTED(first, last)                                                                     \
	"0000000000000000000" first ".0000000000000000000" last ".compacted.json"

static void loads(const struct fixture *f, int64_t version, const char *live)
{
	struct cdc_snapshot *s = fixture_load(f, version);

	assert_live(s, live);
	cdc_snapshot_free(s);
}

/* Commits 0 to 5; 2, 3 and 4 are compacted. */
static void compacted(void **state)
{
	const struct fixture *f = *state;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("a"));
	fixture_commit(f, 1, ADD("b") ADD("x"));
	fixture_commit(f, 2, ADD("c") REMOVE("x"));
	fixture_commit(f, 3, ADD("d") ADD("y"));
	fixture_commit(f, 4, REMOVE("y") REMOVE("a"));
	fixture_commit(f, 5, ADD("e") REMOVE("c"));
	loads(f, -1, "b d e");
	fixture_put(f, COMPACTED("2", "4"), REMOVE("x") REMOVE("y") REMOVE("a") ADD("c") ADD("d"));
	fixture_unlink(f, "00000000000000000003.json");
	loads(f, -1, "b d e");
	loads(f, 4, "b c d");
	/* Without commit 4, what is told of it is still not to be told of version 3. */
	fixture_refuse(f, 3, CDC_EUSAGE, "version 3");
	fixture_unlink(f, "00000000000000000002.json");
	fixture_unlink(f, "00000000000000000004.json");
	loads(f, -1, "b d e");
	loads(f, 4, "b c d");
	fixture_unlink(f, "00000000000000000005.json");
	loads(f, -1, "b c d");
}

static void compacted_files_that_do_not_count(void **state)
{
	static const char *const bad[] = { "", "\n \n", "{\"add\":{}}\n",
					   ADD("z") "{\"add\":", "{\"unknown\":{}}" };
	const struct fixture *f = *state;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("a"));
	fixture_commit(f, 1, ADD("b"));
	fixture_commit(f, 3, ADD("d"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fixture_put(f, COMPACTED("1", "2"), bad[i]);
		fixture_refuse(f, -1, CDC_ECORRUPT, "version 2 is missing");
	}
	/* Past the version, back to front, or not of the missing version. */
	fixture_put(f, COMPACTED("2", "4"), ADD("z"));
	fixture_refuse(f, 3, CDC_ECORRUPT, "version 2 is missing");
	fixture_put(f, COMPACTED("3", "1"), ADD("z"));
	fixture_put(f, COMPACTED("0", "1"), PROTOCOL METADATA ADD("z"));
	fixture_refuse(f, 3, CDC_ECORRUPT, "version 2 is missing");
	/* With all commits there, none is asked. */
	fixture_commit(f, 2, ADD("c"));
	loads(f, 3, "a b c d");
	/* The first one may be damaged, and the next one good. */
	fixture_unlink(f, "00000000000000000002.json");
	fixture_unlink(f, COMPACTED("2", "4"));
	fixture_put(f, COMPACTED("1", "3"), "{");
	fixture_put(f, COMPACTED("1", "2"), ADD("b") ADD("c"));
	loads(f, -1, "a b c d");
}

static void odd_commits(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(f, 0, "\xef\xbb\xbf" PROTOCOL "\r\n\r\n" METADATA);
	fixture_commit(f, 1, "");
	fixture_commit(
		f, 2,
		"\n{\r\n  \"add\" : {\r\n \"path\" : \"a\",\r\n \"size\" : 1.0e0,\r\n"
		"\"partitionValues\" : {}, \"tags\" : null, \"new\" : [{}] } }\r\n\r\n"
		"{\"later\":{\"x\":[[]]}} {\"remove\":null,\"add\":{\"path\":\"b\",\"size\":1,"
		"\"deletionVector\":null,\"stats\":null}}");
	fixture_commit(f, 3, " \r\n\t");
	s = fixture_load(f, -1);
	assert_int_equal(s->version, 3);
	assert_live(s, "a b");
	cdc_snapshot_free(s);
	/* The mark is one only at the start. */
	fixture_commit(f, 4, ADD("c") "\xef\xbb\xbf" ADD("d"));
	fixture_refuse(f, -1, CDC_ECORRUPT, "");
}

/* A checkpoint without protocol or metaData is not a whole state, whatever the commits say. */
static void partial_checkpoints(void **state)
{
	static const char *const partial[] = { "", PROTOCOL ADD("z"), METADATA ADD("z"), ADD("z"),
					       "{\"checkpointMetadata\":{\"version\":1}}\n" };
	static const char name[] = "00000000000000000001.checkpoint." UUID ".json";
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	for (size_t i = 0; i < sizeof(partial) / sizeof(partial[0]); i++) {
		fixture_commit(f, 0, PROTOCOL METADATA ADD("a"));
		fixture_commit(f, 1, ADD("b"));
		fixture_commit(f, 2, PROTOCOL METADATA ADD("c"));
		fixture_put(f, name, partial[i]);
		s = fixture_load(f, -1);
		assert_int_equal(s->checkpoint_version, -1);
		assert_live(s, "a b c");
		cdc_snapshot_free(s);
		fixture_unlink(f, "00000000000000000000.json");
		fixture_refuse(f, -1, CDC_ECORRUPT, "the checkpoint has no");
	}
}

/* An older checkpoint serves where the newest is damaged, and the commits where all are. */
static void older_checkpoints(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;
	char name[128];

	fixture_commit(f, 0, PROTOCOL METADATA ADD("a"));
	for (int v = 1; v <= 40; v++) {
		fixture_commit(f, v, "");
		snprintf(name, sizeof(name), "%020d.checkpoint." UUID ".json", v);
		fixture_put(f, name, v == 5 ? PROTOCOL METADATA ADD("five") : "{}{");
	}
	s = fixture_load(f, 9);
	assert_int_equal(s->checkpoint_version, 5);
	assert_live(s, "five");
	cdc_snapshot_free(s);
	/* Not all of very many are tried. */
	s = fixture_load(f, -1);
	assert_int_equal(s->checkpoint_version, -1);
	assert_live(s, "a");
	cdc_snapshot_free(s);
}

/* What must not be read is refused for that reason, although the rest cannot be understood. */
static void features_come_first(void **state)
{
	const struct fixture *f = *state;

	fixture_commit(f, 0, PROTOCOL METADATA "{\"add\":{\"path\":\"a\",\"size\":1}}\n");
	fixture_commit(f, 1,
		       "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,"
		       "\"readerFeatures\":[\"new\"],\"writerFeatures\":[\"new\"]}}\n");
	fixture_put(f, "00000000000000000001.checkpoint." UUID ".json", "{}{");
	fixture_commit(f, 2, ADD("b"));
	fixture_refuse(f, -1, CDC_EUNSUPPORTED, "reader feature new");
	loads(f, 0, "a");
}

/* A table may be there before its columns are known. */
static void no_schema(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(f, 0, PROTOCOL "{\"metaData\":{\"id\":\"x\",\"configuration\":{}}}\n");
	s = fixture_load(f, -1);
	assert_int_equal(s->schema.num_fields, 0);
	cdc_snapshot_free(s);
	fixture_commit(f, 1, METADATA ADD("a"));
	s = fixture_load(f, -1);
	assert_live(s, "a");
	assert_int_equal(s->schema.num_fields, 2);
	cdc_snapshot_free(s);
}

/* Names that are no files: a pipe would never end. */
static void pipes(void **state)
{
	static const char *const name[] = { "00000000000000000001.json",
					    "00000000000000000001.checkpoint.parquet",
					    "00000000000000000001.checkpoint." UUID ".json" };
	const struct fixture *f = *state;
	char path[2 * PATH_MAX];

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		fixture_commit(f, 0, PROTOCOL METADATA);
		snprintf(path, sizeof(path), "%s/%s", f->log, name[i]);
		assert_int_equal(mkfifo(path, 0666), 0);
		if (i == 0) {
			fixture_refuse(f, -1, CDC_ECORRUPT, "is not a file");
		} else {
			fixture_commit(f, 1, ADD("a"));
			loads(f, -1, "a");
			fixture_unlink(f, "00000000000000000000.json");
			fixture_refuse(f, -1, CDC_ECORRUPT, "");
		}
		assert_int_equal(unlink(path), 0);
	}
}

static void no_directory(void **state)
{
	const struct fixture *f = *state;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s = NULL;

	assert_int_equal(cdc_snapshot_load(&s, &cdc_io_posix, "/nowhere", -1, &err), CDC_EUSAGE);
	assert_int_equal(cdc_snapshot_load(&s, &cdc_io_posix, "/dev/null", -1, &err), CDC_EUSAGE);
	fixture_put(f, "x", "");
	fixture_refuse(f, -1, CDC_EUSAGE, "is not a Delta table");
}

#define WITH_TABLE(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(compacted),	       WITH_TABLE(compacted_files_that_do_not_count),
		WITH_TABLE(odd_commits),       WITH_TABLE(partial_checkpoints),
		WITH_TABLE(older_checkpoints), WITH_TABLE(features_come_first),
		WITH_TABLE(no_schema),	       WITH_TABLE(pipes),
		WITH_TABLE(no_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
