/*
 * Proves reconciliation over logs written by hand: which files live, in which order, what a
 * version is, and what is refused.
 */
#include "log_fixture.h"

static void adds_and_removes(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("a") ADD("b"));
	fixture_commit(f, 1, REMOVE("a") ADD("c"));
	fixture_commit(f, 2, ADD("a"));
	fixture_commit(f, 3, REMOVE("c") ADD("d") ADD("e"));
	s = fixture_load(f, -1);
	assert_int_equal(s->version, 3);
	assert_int_equal(s->checkpoint_version, -1);
	assert_live(s, "b a d e");
	assert_int_equal(s->num_tombstones, 1);
	assert_str(s->tombstone[0].path, "c");
	assert_false(s->tombstone[0].extended);
	cdc_snapshot_free(s);
	s = fixture_load(f, 1);
	assert_live(s, "b c");
	assert_int_equal(s->version, 1);
	cdc_snapshot_free(s);
	s = fixture_load(f, 0);
	assert_live(s, "a b");
	assert_true(s->schema.field[1].is_partition);
	assert_false(s->schema.field[0].is_partition);
	cdc_snapshot_free(s);
	fixture_refuse(f, 4, CDC_EUSAGE, "the latest is 3");
}

static void deletion_vectors_are_part_of_the_key(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("a"));
	/* In either order within the commit. */
	fixture_commit(f, 1, ADD_DV("a", DV("ab1", "1")) REMOVE("a"));
	s = fixture_load(f, -1);
	assert_live(s, "a@ab1");
	assert_int_equal(s->add[0].dv.offset, 1);
	assert_int_equal(s->add[0].dv.size_bytes, 34);
	assert_int_equal(s->add[0].dv.cardinality, 2);
	assert_int_equal(s->num_tombstones, 1);
	cdc_snapshot_free(s);
	/* Another offset is another vector: the remove misses the live one. */
	fixture_commit(f, 2,
		       "{\"remove\":{\"path\":\"a\",\"dataChange\":true,\"deletionVector\":" DV(
			       "ab1", "2") "}}\n");
	s = fixture_load(f, -1);
	assert_live(s, "a@ab1");
	cdc_snapshot_free(s);
	fixture_commit(f, 3,
		       "{\"remove\":{\"path\":\"a\",\"dataChange\":true,\"deletionVector\":" DV(
			       "ab1", "1") "}}\n");
	s = fixture_load(f, -1);
	assert_live(s, "");
	cdc_snapshot_free(s);
}

static void same_file_by_other_names(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;
	char text[4 * PATH_MAX];

	fixture_commit(f, 0, PROTOCOL METADATA ADD("p=%C3%A9/a") ADD("x%20y") ADD("z"));
	snprintf(text, sizeof(text),
		 REMOVE("p=\xc3\xa9/a") "{\"remove\":{\"path\":\"file://%s/x%%20y\"}}\n"
					"{\"remove\":{\"path\":\"%s/z\"}}\n" ADD("last"),
		 f->table, f->table);
	fixture_commit(f, 1, text);
	s = fixture_load(f, -1);
	assert_live(s, "last");
	cdc_snapshot_free(s);
}

static void tombstones_expire(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("a") ADD("b") ADD("c"));
	fixture_commit(f, 1, REMOVE_AT("a", "1000") "{\"remove\":{\"path\":\"b\"}}\n" REMOVE("c"));
	s = fixture_load(f, -1);
	assert_live(s, "");
	assert_int_equal(s->num_tombstones, 1);
	assert_str(s->tombstone[0].path, "c");
	cdc_snapshot_free(s);
}

static void latest_wins(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(f, 0,
		       PROTOCOL METADATA "{\"txn\":{\"appId\":\"k\",\"version\":9}}\n"
					 "{\"txn\":{\"appId\":\"j\",\"version\":4}}\n"
					 "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":"
					 "\"1\",\"removed\":false}}\n"
					 "{\"domainMetadata\":{\"domain\":\"e\",\"configuration\":"
					 "\"1\",\"removed\":false}}\n");
	/* The latest, not the greatest (spec section 3). */
	fixture_commit(f, 1,
		       "{\"txn\":{\"appId\":\"k\",\"version\":7,\"lastUpdated\":5}}\n"
		       "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"2\","
		       "\"removed\":true}}\n"
		       "{\"domainMetadata\":{\"domain\":\"e\",\"configuration\":\"\\u0041\","
		       "\"removed\":false}}\n" METADATA_WITH("\"delta.appendOnly\":\"true\""));
	s = fixture_load(f, -1);
	assert_int_equal(cdc_snapshot_txn(s, CDC_STR("k")), 7);
	assert_int_equal(cdc_snapshot_txn(s, CDC_STR("j")), 4);
	assert_int_equal(cdc_snapshot_txn(s, CDC_STR("nobody")), -1);
	assert_int_equal(s->num_txns, 2);
	assert_int_equal(s->num_domains, 1);
	assert_str(s->domain[0].domain, "e");
	assert_str(s->domain[0].configuration, "A");
	assert_int_equal(s->metadata.num_config, 1);
	cdc_snapshot_free(s);
}

static void any_json_stream(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(f, 0,
		       "\r\n" PROTOCOL "\n\n  \r\n{\n  \"metaData\": {\n    \"id\": \"t\",\n"
		       "    \"schemaString\": \"" SCHEMA "\",\n    \"partitionColumns\": [\"P\"],\n"
		       "    \"newMember\": [1, {\"a\": null}],\n    \"name\": null\n  }\n}\r\n"
		       "{\"newAction\":{\"path\":\"x\"}}{\"cdc\":{\"path\":\"c\"}}\n"
		       "{\"add\":null,\"remove\":null,\"commitInfo\":{\"timestamp\":\"odd\"}}\n"
		       "{\"add\":{\"size\":12.0,\"path\":\"a\",\"tags\":null,\"stats\":"
		       "\"{\\\"numRecords\\\":3}\",\"partitionValues\":{\"p\":\"v\",\"n\":7}}}");
	fixture_commit(f, 1, "");
	s = fixture_load(f, -1);
	assert_int_equal(s->version, 1);
	assert_live(s, "a");
	assert_int_equal(s->add[0].size_bytes, 12);
	assert_null(s->add[0].tags.p);
	assert_str(s->add[0].stats, "{\"numRecords\":3}");
	assert_str(s->add[0].partition_value[1].value, "7");
	assert_null(s->metadata.name.p);
	assert_true(s->schema.field[1].is_partition);
	cdc_snapshot_free(s);
}

static void whole_add(void **state)
{
	const struct fixture *f = *state;
	const struct cdc_add *a;
	struct cdc_snapshot *s;

	fixture_commit(
		f, 0,
		PROTOCOL METADATA
		"{\"add\":{\"path\":\"a\",\"partitionValues\":{\"p\":null},\"size\":"
		"9007199254740993,\"modificationTime\":1700000000001,\"dataChange\":false,"
		"\"tags\":{\"k\":\"v\\n\"},\"baseRowId\":5,\"defaultRowCommitVersion\":2,"
		"\"clusteringProvider\":\"liquid\",\"deletionVector\":{\"storageType\":\"i\","
		"\"pathOrInlineDv\":\"wi5b\",\"sizeInBytes\":40,\"cardinality\":6}}}\n");
	s = fixture_load(f, -1);
	a = &s->add[0];
	assert_int_equal(a->size_bytes, INT64_C(9007199254740993));
	assert_int_equal(a->modification_time_ms, INT64_C(1700000000001));
	assert_false(a->data_change);
	assert_null(a->partition_value[0].value.p);
	assert_null(a->stats.p);
	assert_str(a->tags, "{\"k\":\"v\\n\"}");
	assert_true(a->has_base_row_id);
	assert_int_equal(a->base_row_id, 5);
	assert_true(a->has_default_row_commit_version);
	assert_int_equal(a->default_row_commit_version, 2);
	assert_str(a->clustering_provider, "liquid");
	assert_int_equal(a->dv.storage, 'i');
	assert_false(a->dv.has_offset);
	cdc_snapshot_free(s);
}

static void refusals(void **state)
{
	static const char *const corrupt[] = {
		"{\"add\":{\"size\":1}}",
		"{\"add\":{\"path\":\"\",\"size\":1}}",
		"{\"add\":{\"path\":\"a\"}}",
		"{\"add\":{\"path\":\"a\",\"size\":-1}}",
		"{\"add\":{\"path\":\"a\",\"size\":1.5}}",
		"{\"add\":{\"path\":\"a\",\"size\":99999999999999999999}}",
		"{\"add\":{\"path\":\"a\",\"size\":\"1\"}}",
		"{\"add\":{\"path\":7,\"size\":1}}",
		"{\"add\":{\"path\":\"a%00b\",\"size\":1}}",
		"{\"add\":[]}",
		"{\"add\":{\"path\":\"a\",\"size\":1,\"deletionVector\":{\"storageType\":\"u\"}}}",
		ADD_DV("a", "{\"storageType\":\"x\",\"pathOrInlineDv\":\"a\"}"),
		"{\"remove\":{}}",
		"{\"txn\":{\"appId\":\"a\"}}",
		"{\"protocol\":{\"minReaderVersion\":1}}",
		"{\"protocol\":{\"minReaderVersion\":0,\"minWriterVersion\":2}}",
		"{\"metaData\":{\"schemaString\":\"{}\"}}",
		"{\"domainMetadata\":{\"domain\":\"x\"}}",
		"[]",
		"{\"add\":{\"path\":\"a\",\"size\":1}",
		"{\"add\":{\"path\":\"a\",\"si",
		"nonsense",
	};
	const struct fixture *f = *state;

	fixture_commit(f, 0, PROTOCOL METADATA);
	for (size_t i = 0; i < sizeof(corrupt) / sizeof(corrupt[0]); i++) {
		struct cdc_err err = CDC_ERR_INIT;
		struct cdc_snapshot *s;

		fixture_commit(f, 1, corrupt[i]);
		if (cdc_snapshot_load(&s, &cdc_io_posix, f->table, -1, &err) != CDC_ECORRUPT)
			fail_msg("accepted: %s", corrupt[i]);
		assert_non_null(strstr(err.file, "00000000000000000001.json"));
	}
}

/* As Databricks creates the table of a pipeline: the columns come with a later commit. */
static void metadata_without_columns(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(
		f, 0,
		PROTOCOL
		"{\"metaData\":{\"id\":\"t-1\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"
		"\"partitionColumns\":[],\"configuration\":{},\"createdTime\":1}}\n");
	fixture_commit(f, 1, METADATA ADD("a"));
	s = fixture_load(f, -1);
	assert_int_equal(s->schema.num_fields, 2);
	assert_live(s, "a");
	cdc_snapshot_free(s);
	s = fixture_load(f, 0);
	assert_int_equal(s->schema.num_fields, 0);
	cdc_snapshot_free(s);
}

static void holes(void **state)
{
	const struct fixture *f = *state;

	fixture_refuse(f, -1, CDC_EUSAGE, "not a Delta table");
	fixture_commit(f, 0, PROTOCOL METADATA);
	fixture_commit(f, 1, "");
	fixture_commit(f, 3, "");
	fixture_refuse(f, -1, CDC_ECORRUPT, "version 2 is missing");
	fixture_refuse(f, 2, CDC_EUSAGE, "version 2");
	fixture_unlink(f, "00000000000000000000.json");
	fixture_refuse(f, 1, CDC_EUSAGE, "too old");
	fixture_unlink(f, "00000000000000000003.json");
	fixture_refuse(f, -1, CDC_ECORRUPT, "version 0 is missing");
	fixture_commit(f, 0, PROTOCOL);
	fixture_refuse(f, -1, CDC_ECORRUPT, "no metaData");
	fixture_commit(f, 0, METADATA);
	fixture_refuse(f, -1, CDC_ECORRUPT, "no protocol");
}

static void bad_checkpoints_and_hints_do_not_matter(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("a"));
	fixture_commit(f, 1, ADD("b"));
	fixture_commit(f, 2, ADD("c"));
	fixture_put(f, "_last_checkpoint", "{\"version\":77,\"size\":1}");
	fixture_put(f, "00000000000000000001.checkpoint.parquet", "not Parquet");
	fixture_put(f, "00000000000000000002.checkpoint.parquet", "");
	fixture_put(f, "00000000000000000002.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
		    "{\"checkpointMetadata\":{\"version\":2}}\n" PROTOCOL METADATA
		    "{\"sidecar\":{\"path\":\"none\",\"sizeInBytes\":4}}\n");
	fixture_put(f, "00000000000000000002.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a12.json",
		    PROTOCOL METADATA "{\"add\":{}}\n");
	fixture_put(f, "00000000000000000002.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a13.json",
		    PROTOCOL METADATA "{\"sidecar\":{\"path\":\"../x\",\"sizeInBytes\":4}}\n");
	s = fixture_load(f, -1);
	assert_int_equal(s->checkpoint_version, -1);
	assert_live(s, "a b c");
	cdc_snapshot_free(s);
	/* With nothing to fall back to, the checkpoint's damage is what is reported. */
	fixture_unlink(f, "00000000000000000000.json");
	for (int i = 1; i <= 3; i++) {
		char name[100];

		snprintf(name, sizeof(name),
			 "00000000000000000002.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a1%d."
			 "json",
			 i);
		fixture_unlink(f, name);
	}
	fixture_unlink(f, "00000000000000000002.checkpoint.parquet");
	fixture_refuse(f, -1, CDC_ECORRUPT, "");
}

static void v2_checkpoint_in_json(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_put(f, "00000000000000000004.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
		    "{\"checkpointMetadata\":{\"version\":4}}\n" PROTOCOL METADATA ADD("a")
			    ADD("b") "{\"txn\":{\"appId\":\"k\",\"version\":3}}\n");
	fixture_commit(f, 5, ADD("c") REMOVE("a"));
	fixture_commit(f, 6, ADD("d"));
	s = fixture_load(f, -1);
	assert_int_equal(s->checkpoint_version, 4);
	assert_live(s, "b c d");
	assert_int_equal(cdc_snapshot_txn(s, CDC_STR("k")), 3);
	cdc_snapshot_free(s);
	s = fixture_load(f, 4);
	assert_live(s, "a b");
	cdc_snapshot_free(s);
	fixture_refuse(f, 3, CDC_EUSAGE, "not in the log");
}

static void settings(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(f, 0,
		       PROTOCOL METADATA_WITH(
			       "\"n\":\"42\",\"bad\":\"4x\",\"w\":\"interval 1 week\","
			       "\"d\":\"7 days\",\"m\":\"INTERVAL 2 Hours 30 minutes\","
			       "\"x\":\"interval 1 month\",\"y\":\"interval\",\"z\":\"-1 days\","
			       "\"delta.checkpointInterval\":\"3\""));
	s = fixture_load(f, -1);
	assert_int_equal(cdc_snapshot_config_int(s, "n", 1), 42);
	assert_int_equal(cdc_snapshot_config_int(s, "bad", 1), 1);
	assert_int_equal(cdc_snapshot_config_int(s, "none", 1), 1);
	assert_int_equal(cdc_snapshot_config_interval_ms(s, "w", 0), 604800000);
	assert_int_equal(cdc_snapshot_config_interval_ms(s, "d", 0), 604800000);
	assert_int_equal(cdc_snapshot_config_interval_ms(s, "m", 0), 9000000);
	assert_int_equal(cdc_snapshot_config_interval_ms(s, "x", 5), 5);
	assert_int_equal(cdc_snapshot_config_interval_ms(s, "y", 5), 5);
	assert_int_equal(cdc_snapshot_config_interval_ms(s, "z", 5), 5);
	assert_int_equal(cdc_snapshot_config_interval_ms(s, "none", 5), 5);
	assert_false(cdc_checkpoint_due(s, 0));
	assert_false(cdc_checkpoint_due(s, 2));
	assert_true(cdc_checkpoint_due(s, 3));
	cdc_snapshot_free(s);
}

#define WITH_TABLE(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(adds_and_removes),
		WITH_TABLE(deletion_vectors_are_part_of_the_key),
		WITH_TABLE(same_file_by_other_names),
		WITH_TABLE(tombstones_expire),
		WITH_TABLE(latest_wins),
		WITH_TABLE(any_json_stream),
		WITH_TABLE(whole_add),
		WITH_TABLE(refusals),
		WITH_TABLE(metadata_without_columns),
		WITH_TABLE(holes),
		WITH_TABLE(bad_checkpoints_and_hints_do_not_matter),
		WITH_TABLE(v2_checkpoint_in_json),
		WITH_TABLE(settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
