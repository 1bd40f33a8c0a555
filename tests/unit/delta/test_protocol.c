/*
 * Proves which tables may be read and written: features by list and by legacy version, and those
 * that only count when the metadata uses them.
 */
#include "log_fixture.h"

#define READER(list) "\"readerFeatures\":[" list "],"
#define FEATURES(reader, writer)                                                                   \
	"{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7," READER(                    \
		reader) "\"writerFeatures\":[" writer "]}}\n"
#define WRITER(list)                                                                               \
	"{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[" list   \
	"]}}\n"
#define LEGACY(r, w) "{\"protocol\":{\"minReaderVersion\":" #r ",\"minWriterVersion\":" #w "}}\n"
#define COLUMN(metadata)                                                                           \
	"{\"metaData\":{\"id\":\"t\",\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields"   \
	"\\\":[{\\\"name\\\":\\\"s\\\",\\\"type\\\":{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":"  \
	"[{\\\"name\\\":\\\"delta.invariants\\\",\\\"type\\\":\\\"long\\\",\\\"nullable\\\":"      \
	"true,\\\"metadata\\\":{" metadata "}}]},\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\","  \
	"\"partitionColumns\":[],\"configuration\":{}}}\n"

#define VARIANT                                                                                        \
	"{\"metaData\":{\"id\":\"t\",\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields"       \
	"\\\":[{\\\"name\\\":\\\"s\\\",\\\"type\\\":{\\\"type\\\":\\\"array\\\",\\\"elementType"       \
	"\\\":\\\"variant\\\",\\\"containsNull\\\":true},\\\"nullable\\\":true,\\\"metadata\\\":{}}]}" \
	"\",\"partitionColumns\":[],\"configuration\":{}}}\n"

static void may_write(const struct fixture *f, const char *log)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s;

	fixture_commit(f, 0, log);
	s = fixture_load(f, -1);
	if (cdc_snapshot_check_writable(s, &err))
		fail_msg("%s: %s", log, err.msg);
	cdc_snapshot_free(s);
}

static void may_not_write(const struct fixture *f, const char *log, const char *feature)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s;

	fixture_commit(f, 0, log);
	s = fixture_load(f, -1);
	assert_int_equal(cdc_snapshot_check_writable(s, &err), CDC_EUNSUPPORTED);
	if (!strstr(err.msg, feature))
		fail_msg("\"%s\" is not in \"%s\"", feature, err.msg);
	cdc_snapshot_free(s);
}

static void may_not_read(const struct fixture *f, const char *log, const char *feature)
{
	fixture_commit(f, 0, log);
	fixture_refuse(f, -1, CDC_EUNSUPPORTED, feature);
}

static void readers(void **state)
{
	const struct fixture *f = *state;

	may_not_read(f, LEGACY(4, 7) METADATA, "reader version 4");
	may_not_read(f, FEATURES("\"catalogManaged\"", "") METADATA,
		     "managed by a catalog (reader feature catalogManaged)");
	may_not_read(f, FEATURES("\"catalogOwned-preview\"", "") METADATA,
		     "managed by a catalog (reader feature catalogOwned-preview)");
	may_not_read(f, FEATURES("\"collations\"", "") METADATA, "collations");
	may_not_read(f, FEATURES("\"deletionVectors\",\"new\"", "") METADATA, "new");
	/* A writer feature has no place in readerFeatures: what it would mean there is unknown. */
	may_not_read(f, FEATURES("\"appendOnly\"", "\"appendOnly\"") METADATA, "appendOnly");
}

static void may_read(const struct fixture *f, const char *log)
{
	fixture_commit(f, 0, log);
	cdc_snapshot_free(fixture_load(f, -1));
}

static void readable(void **state)
{
	static const char *const reader[] = {
		"columnMapping",
		"deletionVectors",
		"timestampNtz",
		"v2Checkpoint",
		"vacuumProtocolCheck",
		"typeWidening",
		"typeWidening-preview",
		"variantType",
		"variantType-preview",
		"variantShredding",
		"variantShredding-preview",
	};
	const struct fixture *f = *state;
	char log[4096];

	for (size_t i = 0; i < sizeof(reader) / sizeof(reader[0]); i++) {
		snprintf(log, sizeof(log), FEATURES("\"%s\"", "\"%s\"") "%s", reader[i], reader[i],
			 METADATA);
		may_read(f, log);
	}
	/* What only writers must honour, known or not, does not matter to a reader. */
	may_read(f, FEATURES("", "\"rowTracking\",\"clustering\",\"collations\",\"new\"") METADATA);
	may_read(f, LEGACY(1, 99) METADATA);
	may_read(f, LEGACY(2, 5) METADATA_WITH("\"delta.columnMapping.mode\":\"ID\""));
	fixture_commit(f, 0, LEGACY(2, 5) METADATA_WITH("\"delta.columnMapping.mode\":\"serial\""));
	fixture_refuse(f, -1, CDC_EUNSUPPORTED, "column mapping mode \"serial\"");
}

#define MAPPED(mode)                                                                                      \
	"{\"metaData\":{\"id\":\"5fba94ed-9794-4965-ba6e-6ee3c0d22af9\",\"format\":{\"provider\":"        \
	"\"parquet\",\"options\":{}},\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":["    \
	"{\\\"name\\\":\\\"a\\\",\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":"       \
	"{\\\"delta.columnMapping.id\\\":1,\\\"delta.columnMapping.physicalName\\\":\\\"col-1\\\"}}]}\"," \
	"\"partitionColumns\":[],\"configuration\":{\"delta.columnMapping.mode\":\"" mode                 \
	"\"}}}\n"

static void check_mapped(const struct fixture *f, const char *log, const char *name, bool by_id)
{
	struct cdc_snapshot *s;

	fixture_commit(f, 0, log);
	s = fixture_load(f, -1);
	assert_true(cdc_str_eqz(s->schema.field[0].physical_name, name));
	assert_int_equal(cdc_mapped_by_id(&s->protocol, &s->metadata), by_id);
	cdc_snapshot_free(s);
}

/* The property counts where the protocol has the feature. */
static void mapping(void **state)
{
	const struct fixture *f = *state;

	check_mapped(f, LEGACY(2, 5) MAPPED("name"), "col-1", false);
	check_mapped(f, LEGACY(2, 5) MAPPED("id"), "col-1", true);
	check_mapped(f, LEGACY(2, 5) MAPPED("ID"), "col-1", true);
	check_mapped(f, LEGACY(2, 5) MAPPED("none"), "a", false);
	check_mapped(f, FEATURES("\"columnMapping\"", "\"columnMapping\"") MAPPED("id"), "col-1",
		     true);
	check_mapped(f, FEATURES("\"timestampNtz\"", "\"timestampNtz\"") MAPPED("id"), "a", false);
	check_mapped(f, FEATURES("\"timestampNtz\"", "\"timestampNtz\"") MAPPED("odd"), "a", false);
	check_mapped(f, LEGACY(1, 2) MAPPED("name"), "a", false);
}

/* Lists and versions that do not go together. */
static void odd_protocols(void **state)
{
	const struct fixture *f = *state;

	fixture_commit(f, 0, LEGACY(0, 2) METADATA);
	fixture_refuse(f, -1, CDC_ECORRUPT, "below 1");
	fixture_commit(f, 0, LEGACY(-1, -1) METADATA);
	fixture_refuse(f, -1, CDC_ECORRUPT, "below 1");
	fixture_commit(f, 0, LEGACY(3, 7) METADATA);
	fixture_refuse(f, -1, CDC_ECORRUPT, "without readerFeatures");
	fixture_commit(f, 0,
		       "{\"protocol\":{\"minReaderVersion\":99999999999,"
		       "\"minWriterVersion\":2}}\n" METADATA);
	fixture_refuse(f, -1, CDC_ECORRUPT, "minReaderVersion");
	/* A list is obeyed at any version. */
	may_read(f, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2,"
		    "\"readerFeatures\":[\"deletionVectors\"]}}\n" METADATA);
	may_not_read(f,
		     "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2,"
		     "\"readerFeatures\":[\"new\"]}}\n" METADATA,
		     "new");
	may_read(f, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2,"
		    "\"readerFeatures\":null,\"writerFeatures\":null}}\n" METADATA);
	may_not_write(f, LEGACY(1, 7) METADATA, "no list of writer features");
}

static void writers(void **state)
{
	const struct fixture *f = *state;

	may_write(f, LEGACY(1, 2) METADATA);
	may_write(f, LEGACY(1, 6) METADATA);
	may_write(f, LEGACY(2, 5) METADATA);
	may_write(f, FEATURES("\"deletionVectors\",\"timestampNtz\",\"v2Checkpoint\","
			      "\"vacuumProtocolCheck\",\"columnMapping\"",
			      "\"deletionVectors\",\"timestampNtz\",\"v2Checkpoint\","
			      "\"vacuumProtocolCheck\",\"columnMapping\",\"appendOnly\","
			      "\"invariants\",\"checkConstraints\",\"changeDataFeed\","
			      "\"generatedColumns\",\"identityColumns\",\"domainMetadata\","
			      "\"inCommitTimestamp\",\"allowColumnDefaults\",\"icebergCompatV1\"")
			     METADATA);
	may_write(f, FEATURES("\"typeWidening\",\"variantType\",\"variantShredding\"",
			      "\"typeWidening\",\"variantType\",\"variantShredding\"") METADATA);
	may_not_write(f, LEGACY(1, 8) METADATA, "writer version 8");
	may_write(f, WRITER("\"rowTracking\",\"domainMetadata\"") METADATA);
	may_write(f, WRITER("\"clustering\",\"domainMetadata\"") METADATA);
	may_not_write(f, WRITER("\"checkpointProtection\"") METADATA, "checkpointProtection");
	may_not_write(f, WRITER("\"somethingNew\"") METADATA, "somethingNew");
}

#define CDF "\"delta.enableChangeDataFeed\":"
#define CHECK "\"delta.constraints.c\":\"id > 0\""

static void settings_in_use(void **state)
{
	const struct fixture *f = *state;

	may_write(f, LEGACY(1, 4) METADATA_WITH(CDF "\"false\""));
	may_write(f, LEGACY(1, 4) METADATA_WITH(CDF "\"true\""));
	may_write(f, WRITER("\"changeDataFeed\"") METADATA_WITH(CDF "\"True\""));
	/* Not supported by the protocol: the setting means nothing. */
	may_write(f, WRITER("") METADATA_WITH(CHECK));
	may_write(f, LEGACY(1, 2) METADATA_WITH(CHECK));
	may_write(f, LEGACY(1, 3) METADATA_WITH(CHECK));
	may_write(f, WRITER("\"checkConstraints\"") METADATA_WITH(CHECK));
	may_write(f, LEGACY(2, 5) METADATA_WITH("\"delta.columnMapping.mode\":\"none\""));
	may_write(f, LEGACY(2, 5) METADATA_WITH("\"delta.columnMapping.mode\":\"name\""));
	may_not_write(f,
		      WRITER("\"icebergCompatV2\"")
			      METADATA_WITH("\"delta.enableIcebergCompatV2\":\"true\""),
		      "icebergCompatV2");
	may_not_write(f,
		      WRITER("\"inCommitTimestamp\"")
			      METADATA_WITH("\"delta.enableInCommitTimestamps\":\"true\""),
		      "in-commit timestamps");
}

static void columns_in_use(void **state)
{
	const struct fixture *f = *state;

	/* A nested column is looked at, and a column's name is no setting. */
	may_write(f, LEGACY(1, 6) COLUMN(""));
	may_write(f, LEGACY(1, 2) COLUMN("\\\"delta.invariants\\\":\\\"{}\\\""));
	may_write(f, LEGACY(1, 3) COLUMN("\\\"delta.generationExpression\\\":\\\"1\\\""));
	may_write(f, LEGACY(1, 4) COLUMN("\\\"delta.generationExpression\\\":\\\"1\\\""));
	may_write(f, LEGACY(1, 6) COLUMN("\\\"delta.identity.start\\\":1"));
	may_write(f, FEATURES("\"typeWidening\"", "\"typeWidening\"")
			     COLUMN("\\\"delta.typeChanges\\\":[]"));
	may_write(f, FEATURES("\"typeWidening-preview\"", "\"typeWidening-preview\"")
			     COLUMN("\\\"delta.typeChanges\\\":[]"));
	may_write(f, FEATURES("\"variantType\"", "\"variantType\"") VARIANT);
	may_write(f,
		  FEATURES("\"variantShredding-preview\"", "\"variantShredding-preview\"") VARIANT);
	may_write(f, WRITER("\"allowColumnDefaults\"") COLUMN("\\\"CURRENT_DEFAULT\\\":\\\"1\\\""));
}

static void has_feature(void **state)
{
	struct cdc_str dv[] = { CDC_STR("deletionVectors") };
	struct cdc_protocol legacy = { .reader_version = 2, .writer_version = 5 };
	struct cdc_protocol listed = { 3, 7, dv, 1, dv, 1, false };

	(void)state;
	assert_true(cdc_protocol_has_feature(&legacy, "columnMapping"));
	assert_true(cdc_protocol_has_feature(&legacy, "appendOnly"));
	assert_false(cdc_protocol_has_feature(&legacy, "identityColumns"));
	assert_false(cdc_protocol_has_feature(&legacy, "deletionVectors"));
	assert_true(cdc_protocol_has_feature(&listed, "deletionVectors"));
	assert_false(cdc_protocol_has_feature(&listed, "appendOnly"));
	assert_false(cdc_protocol_has_feature(&listed, "unheardOf"));
}

#define WITH_TABLE(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(readers),	    WITH_TABLE(readable),
		WITH_TABLE(mapping),	    WITH_TABLE(odd_protocols),
		WITH_TABLE(writers),	    WITH_TABLE(settings_in_use),
		WITH_TABLE(columns_in_use), cmocka_unit_test(has_feature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
