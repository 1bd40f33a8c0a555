/*
 * Proves the typed columns of checkpoints: statistics and partition values of every type, in the
 * physical types that other readers expect, only of columns that have statistics, null where the
 * text does not parse; and that they are enough to get the text back.
 */
#include "log_fixture.h"

#include "delta/log_int.h"
#include "parquet/parquet.h"

#define FIELD(name, type)                                                                          \
	"{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":" type                                        \
	",\\\"nullable\\\":true,\\\"metadata\\\":{}}"
#define SIMPLE(name, type) FIELD(name, "\\\"" type "\\\"")
#define ARRAY_FIELD                                                                                \
	FIELD("l", "{\\\"type\\\":\\\"array\\\",\\\"elementType\\\":\\\"long\\\","                 \
		   "\\\"containsNull\\\":true}")
#define STRUCT_FIELD                                                                               \
	FIELD("s", "{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[" SIMPLE("u", "long") "," SIMPLE( \
			   "v", "binary") "]}")
#define FIELDS                                                                                                                                                                                                           \
	SIMPLE("b", "boolean")                                                                                                                                                                                           \
	"," SIMPLE("i1", "byte") "," SIMPLE("i4", "integer") "," SIMPLE("i8", "long") "," SIMPLE("f", "float") "," SIMPLE("d", "double") "," SIMPLE("m9", "decimal(9,2)") "," SIMPLE("m18", "decimal(18,3)") "," SIMPLE( \
		"m38",                                                                                                                                                                                                   \
		"decimal(20,1)") "," SIMPLE("t",                                                                                                                                                                         \
					    "string") "," SIMPLE("day",                                                                                                                                                  \
								 "date") "," SIMPLE("ts",                                                                                                                                \
										    "timestamp") "," SIMPLE("ntz",                                                                                                       \
													    "timestamp_ntz") "," STRUCT_FIELD                                                                            \
															     "," ARRAY_FIELD                                                                             \
															     "," SIMPLE("p", "date") "," SIMPLE(                                                         \
																     "q",                                                                                \
																     "string") "," SIMPLE("last",                                                        \
																			  "long")

#define PROTOCOL_37                                                                                \
	"{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":"         \
	"[\"deletionVectors\",\"timestampNtz\"],\"writerFeatures\":[\"deletionVectors\","          \
	"\"timestampNtz\"]}}\n"
#define TABLE(config)                                                                              \
	PROTOCOL_37 "{\"metaData\":{\"id\":\"t\",\"format\":{\"provider\":\"parquet\","            \
		    "\"options\":{}},\"schemaString\":\"{\\\"type\\\":\\\"struct\\\","             \
		    "\\\"fields\\\":[" FIELDS "]}\",\"partitionColumns\":[\"p\",\"q\"],"           \
		    "\"configuration\":{" config "}}}\n"
#define ADD_WITH(path, values, stats)                                                              \
	"{\"add\":{\"path\":\"" path "\",\"partitionValues\":{" values                             \
	"},\"size\":1,\"modificationTime\":1,\"dataChange\":true,\"stats\":\"" stats "\"}}\n"
#define NO_JSON "\"delta.checkpoint.writeStatsAsJson\":\"false\""

static void write_checkpoint(const struct fixture *f)
{
	struct cdc_snapshot *s = fixture_load(f, -1);
	struct cdc_err err = CDC_ERR_INIT;
	int rc = cdc_checkpoint_write(&cdc_io_posix, s, &err);

	if (rc)
		print_message("checkpoint: %s\n", err.msg);
	assert_int_equal(rc, CDC_OK);
	cdc_snapshot_free(s);
}

/* The state out of the checkpoint of version 0 alone. */
static struct cdc_snapshot *reload(const struct fixture *f)
{
	struct cdc_snapshot *s;

	write_checkpoint(f);
	fixture_unlink(f, "00000000000000000000.json");
	s = fixture_load(f, -1);
	assert_int_equal(s->checkpoint_version, 0);
	return s;
}

static struct cdc_pq_file *open_checkpoint(const struct fixture *f)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_file *file = NULL;
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/00000000000000000000.checkpoint.parquet", f->log);
	assert_int_equal(cdc_pq_open(&file, &cdc_io_posix, path, 0, &err), CDC_OK);
	return file;
}

/* The node at a path of names with dots, NULL: none. */
static const struct cdc_pq_node *node(struct cdc_pq_file *file, const char *path)
{
	const struct cdc_pq_schema *s = &cdc_pq_metadata(file)->schema;
	int32_t at = 0;

	while (*path) {
		size_t n = strcspn(path, ".");
		int32_t i = at + 1;

		while (i < s->num_nodes && (s->node[i].parent != at || s->node[i].name.n != n ||
					    memcmp(s->node[i].name.p, path, n) != 0))
			i++;
		if (i == s->num_nodes)
			return NULL;
		at = i;
		path += path[n] ? n + 1 : n;
	}
	return &s->node[at];
}

#define MINIMA                                                                                     \
	"\"i1\":-128,\"i4\":-2147483648,\"i8\":-9223372036854775808,\"f\":0.1,\"d\":-1.5E300,"     \
	"\"m9\":-1234567.89,\"m18\":-123456789012345.678,\"m38\":-1234567890123456789.0,"          \
	"\"t\":\"a\\\"\xc3\xa9\",\"day\":\"0001-01-01\",\"ts\":\"2019-11-14T03:11:05.120000Z\","   \
	"\"ntz\":\"1969-12-31T23:59:59.999000\",\"s\":{\"u\":5},\"last\":1"
#define MAXIMA                                                                                     \
	"\"i1\":127,\"i4\":2147483647,\"i8\":9223372036854775807,\"f\":\"NaN\","                   \
	"\"d\":\"Infinity\",\"m9\":0.05,\"m18\":0.000,\"m38\":1234567890123456789.9,"              \
	"\"t\":\"\",\"day\":\"9999-12-31\",\"ts\":\"9999-12-31T23:59:59.999000Z\","                \
	"\"ntz\":\"2019-11-14T03:11:05.000000\",\"s\":{\"u\":6},\"last\":2"
#define NULLS                                                                                      \
	"\"b\":1,\"i1\":2,\"i4\":3,\"i8\":4,\"f\":5,\"d\":6,\"m9\":7,\"m18\":8,\"m38\":9,"         \
	"\"t\":10,\"day\":11,\"ts\":12,\"ntz\":13,\"s\":{\"u\":14,\"v\":15},\"l\":16,\"last\":17"
#define STATS                                                                                      \
	"{\"numRecords\":99,\"minValues\":{" MINIMA "},\"maxValues\":{" MAXIMA                     \
	"},\"nullCount\":{" NULLS "},\"tightBounds\":true}"

/* Text as the value of a JSON string. */
static void escape(const char *text, char *out)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			*out++ = '\\';
		*out++ = *text;
	}
	*out = 0;
}

static void commit_with_stats(const struct fixture *f, const char *head, const char *stats)
{
	char *text = malloc(20000), *escaped = malloc(10000);

	assert_non_null(text);
	assert_non_null(escaped);
	escape(stats, escaped);
	snprintf(text, 20000,
		 "%s{\"add\":{\"path\":\"a\",\"partitionValues\":{\"p\":"
		 "\"2020-02-29\",\"q\":\"x\"},\"size\":1,\"modificationTime\":1,"
		 "\"dataChange\":true,\"stats\":\"%s\"}}\n",
		 head, escaped);
	fixture_commit(f, 0, text);
	free(text);
	free(escaped);
}

/* The text is not in the file, and comes back from the typed columns. */
static void every_type(void **state)
{
	const struct fixture *f = *state;
	struct cdc_pq_file *file;
	struct cdc_snapshot *s;

	commit_with_stats(f, TABLE(NO_JSON), STATS);
	s = reload(f);
	assert_int_equal(s->num_adds, 1);
	assert_str(s->add[0].stats, STATS);
	cdc_snapshot_free(s);
	file = open_checkpoint(f);
	assert_null(node(file, "add.stats"));
	cdc_pq_close(file);
}

static void columns(void **state)
{
	static const struct {
		const char *path;
		enum cdc_pq_type type;
	} leaf[] = {
		{ "add.stats", CDC_PQ_BYTE_ARRAY },
		{ "add.stats_parsed.numRecords", CDC_PQ_INT64 },
		{ "add.stats_parsed.tightBounds", CDC_PQ_BOOLEAN },
		{ "add.stats_parsed.minValues.i1", CDC_PQ_INT32 },
		{ "add.stats_parsed.maxValues.f", CDC_PQ_FLOAT },
		{ "add.stats_parsed.minValues.d", CDC_PQ_DOUBLE },
		{ "add.stats_parsed.minValues.m9", CDC_PQ_INT32 },
		{ "add.stats_parsed.minValues.m18", CDC_PQ_INT64 },
		{ "add.stats_parsed.minValues.m38", CDC_PQ_FIXED },
		{ "add.stats_parsed.minValues.day", CDC_PQ_INT32 },
		{ "add.stats_parsed.minValues.s.u", CDC_PQ_INT64 },
		{ "add.stats_parsed.nullCount.s.v", CDC_PQ_INT64 },
		{ "add.stats_parsed.nullCount.l", CDC_PQ_INT64 },
		{ "add.stats_parsed.nullCount.b", CDC_PQ_INT64 },
		{ "add.partitionValues_parsed.p", CDC_PQ_INT32 },
		{ "add.partitionValues_parsed.q", CDC_PQ_BYTE_ARRAY },
	};
	static const char *const absent[] = {
		"add.stats_parsed.minValues.b",	  "add.stats_parsed.minValues.l",
		"add.stats_parsed.minValues.s.v", "add.stats_parsed.nullCount.p",
		"add.partitionValues_parsed.b",	  "remove.stats_parsed",
	};
	const struct fixture *f = *state;
	const struct cdc_pq_schema *schema;
	const struct cdc_pq_node *ts, *ntz;
	struct cdc_pq_file *file;

	commit_with_stats(f, TABLE(""), STATS);
	write_checkpoint(f);
	file = open_checkpoint(f);
	for (size_t i = 0; i < sizeof(leaf) / sizeof(leaf[0]); i++) {
		const struct cdc_pq_node *n = node(file, leaf[i].path);

		if (!n || !n->is_leaf || n->type != leaf[i].type)
			fail_msg("%s", leaf[i].path);
	}
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		assert_null(node(file, absent[i]));
	ts = node(file, "add.stats_parsed.maxValues.ts");
	ntz = node(file, "add.stats_parsed.maxValues.ntz");
	assert_true(ts->type == CDC_PQ_INT64 && ts->logical == CDC_PQ_LOGICAL_TIMESTAMP && ts->utc);
	assert_true(ntz->type == CDC_PQ_INT64 && ntz->logical == CDC_PQ_LOGICAL_TIMESTAMP &&
		    !ntz->utc);
	/* All optional but the keys of maps. */
	schema = &cdc_pq_metadata(file)->schema;
	for (int32_t i = 1; i < schema->num_nodes; i++) {
		const struct cdc_pq_node *n = &schema->node[i];

		assert_true(n->repetition == CDC_PQ_OPTIONAL || cdc_str_eqz(n->name, "key_value") ||
			    cdc_str_eqz(n->name, "list") || cdc_str_eqz(n->name, "key"));
	}
	cdc_pq_close(file);
}

static void as_the_table_wants(void **state)
{
	const struct fixture *f = *state;
	struct cdc_pq_file *file;

	commit_with_stats(f, TABLE("\"delta.checkpoint.writeStatsAsStruct\":\"false\""), STATS);
	write_checkpoint(f);
	file = open_checkpoint(f);
	assert_non_null(node(file, "add.stats"));
	assert_null(node(file, "add.stats_parsed"));
	assert_null(node(file, "add.partitionValues_parsed"));
	cdc_pq_close(file);
	fixture_unlink(f, "00000000000000000000.checkpoint.parquet");
	commit_with_stats(f, TABLE("\"delta.dataSkippingNumIndexedCols\":\"2\""), STATS);
	write_checkpoint(f);
	file = open_checkpoint(f);
	assert_non_null(node(file, "add.stats_parsed.nullCount.b"));
	assert_non_null(node(file, "add.stats_parsed.minValues.i1"));
	assert_null(node(file, "add.stats_parsed.minValues.i4"));
	cdc_pq_close(file);
	fixture_unlink(f, "00000000000000000000.checkpoint.parquet");
	commit_with_stats(f, TABLE("\"delta.dataSkippingNumIndexedCols\":\"1\""), STATS);
	write_checkpoint(f);
	file = open_checkpoint(f);
	assert_non_null(node(file, "add.stats_parsed.nullCount.b"));
	assert_null(node(file, "add.stats_parsed.minValues"));
	cdc_pq_close(file);
}

static void what_does_not_parse(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(
		f, 0,
		TABLE(NO_JSON) ADD_WITH("a", "\"p\":null,\"q\":null",
					"") ADD_WITH("b", "", "{\\\"numRecords\\\":")
			ADD_WITH("c", "", "[1]") ADD_WITH("d", "", "{}") ADD_WITH(
				"e", "",
				"{\\\"minValues\\\":7,\\\"maxValues\\\":{\\\"last\\\":2,"
				"\\\"i1\\\":128,\\\"i4\\\":1.5,\\\"i8\\\":null,\\\"s\\\":7,"
				"\\\"m9\\\":0.001,\\\"day\\\":\\\"2019-02-29\\\",\\\"unknown\\\":1,"
				"\\\"ts\\\":\\\"2019-11-14T03:11:05\\\",\\\"t\\\":5},"
				"\\\"numRecords\\\":3,\\\"nullCount\\\":{\\\"s\\\":{\\\"v\\\":1}}}"));
	s = reload(f);
	assert_live(s, "a b c d e");
	assert_null(s->add[0].stats.p);
	assert_null(s->add[1].stats.p);
	assert_null(s->add[2].stats.p);
	assert_null(s->add[3].stats.p);
	assert_str(s->add[4].stats,
		   "{\"numRecords\":3,\"minValues\":{\"s\":{}},\"maxValues\":{\"s\":{},"
		   "\"last\":2},\"nullCount\":{\"s\":{\"v\":1}}}");
	cdc_snapshot_free(s);
}

/* Slots of a leaf of the only row group, in the order of the file. */
static void read_leaf(struct cdc_pq_file *file, const char *path, struct cdc_pq_column **c,
		      struct cdc_pq_vec *vec)
{
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_pq_column_open(c, file, 0, node(file, path)->leaf, &err), CDC_OK);
	assert_int_equal(cdc_pq_column_read(*c, 100, vec, &err), CDC_OK);
}

/* Rows: protocol, metaData, then the adds. */
static void partition_values(void **state)
{
	const struct fixture *f = *state;
	struct cdc_pq_file *file;
	struct cdc_pq_column *c;
	struct cdc_pq_vec vec;

	fixture_commit(f, 0,
		       TABLE("") ADD_WITH("a", "\"p\":\"2020-02-29\",\"q\":\"x\"", "{}")
			       ADD_WITH("b", "\"q\":\"\",\"p\":\"never\"", "{}")
				       ADD_WITH("c", "\"q\":\"y\"", "{}"));
	write_checkpoint(f);
	file = open_checkpoint(f);
	read_leaf(file, "add.partitionValues_parsed.p", &c, &vec);
	assert_int_equal(vec.n, 5);
	assert_memory_equal(vec.def, "\0\0\3\2\2", 5);
	assert_int_equal(((const int32_t *)vec.values)[2], 18321); /* days to 2020-02-29 */
	cdc_pq_column_close(c);
	read_leaf(file, "add.partitionValues_parsed.q", &c, &vec);
	assert_memory_equal(vec.def, "\0\0\3\2\3", 5);
	assert_str(((const struct cdc_str *)vec.values)[4], "y");
	cdc_pq_column_close(c);
	cdc_pq_close(file);
}

#define WITH_TABLE(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(every_type),		WITH_TABLE(columns),
		WITH_TABLE(as_the_table_wants), WITH_TABLE(what_does_not_parse),
		WITH_TABLE(partition_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
