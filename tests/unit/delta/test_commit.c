/*
 * Proves commits: what is written and read back, that of two writers exactly one wins, that a
 * failure of any one system call leaves either the whole commit or none of it, and in-commit
 * timestamps.
 */
#include "log_fixture.h"

#include "delta/log_int.h"
#include "tests/fault/faultio.h"

#include <inttypes.h>
#include <sys/wait.h>

static struct cdc_commit plain_commit(int64_t read_version)
{
	return (struct cdc_commit){ .operation = "WRITE",
				    .isolation = "Serializable",
				    .read_version = read_version };
}

/* Version 0 by hand, so that reading does not depend on writing. */
static void create(const struct fixture *f)
{
	fixture_commit(f, 0, PROTOCOL METADATA);
}

static char *slurp(const struct fixture *f, int version)
{
	char path[2 * PATH_MAX];
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	snprintf(path, sizeof(path), "%s/%020d.json", f->log, version);
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, path, &b, &err), CDC_OK);
	assert_non_null(cdc_buf_z(&b));
	return b.p;
}

static void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

/* The whole text of every action, against what the protocol asks for. */
static void text(void **state)
{
	const struct fixture *f = *state;
	struct cdc_kv parameter[] = { { CDC_STR("predicate"), CDC_STR("[\"(id = 1)\"]") } };
	struct cdc_kv metric[] = { { CDC_STR("numOutputRows"), CDC_STR("12") } };
	struct cdc_kv value[] = { { CDC_STR("p"), CDC_STR("a\"b") },
				  { CDC_STR("q"), CDC_STR("") } };
	struct cdc_kv config[] = { { CDC_STR("k"), CDC_STR("") } };
	struct cdc_str column[] = { CDC_STR("p") };
	struct cdc_str feature[] = { CDC_STR("deletionVectors") };
	struct cdc_protocol protocol = { 3, 7, feature, 1, feature, 1, false };
	struct cdc_metadata metadata = { .id = CDC_STR("t-2"),
					 .schema_json = CDC_STR("{\"type\":\"struct\"}"),
					 .partition_column = column,
					 .num_partition_columns = 1,
					 .config = config,
					 .num_config = 1,
					 .has_created_time = true,
					 .created_time_ms = 7 };
	struct cdc_add add = { .path = CDC_STR("x%20y"),
			       .partition_value = value,
			       .num_partition_values = 2,
			       .size_bytes = 10,
			       .modification_time_ms = 11,
			       .data_change = true,
			       .stats = CDC_STR("{\"numRecords\":1}"),
			       .tags = CDC_STR("{\"t\":\"1\"}"),
			       .dv = { 'u', CDC_STR("vBn["), true, 1, 36, 2 } };
	struct cdc_remove remove = { .path = CDC_STR("z"),
				     .has_deletion_timestamp = true,
				     .deletion_timestamp_ms = 99,
				     .data_change = true,
				     .extended = true,
				     .size_bytes = 5,
				     .num_records = 50 };
	struct cdc_txn txn = { CDC_STR("app"), 3, true, 4 };
	struct cdc_domain domain = { CDC_STR("d"), CDC_STR("{}"), false };
	struct cdc_commit c = plain_commit(0);
	struct cdc_err err = CDC_ERR_INIT;
	char *got, *line;

	create(f);
	c.parameter = parameter;
	c.num_parameters = 1;
	c.metric = metric;
	c.num_metrics = 1;
	c.protocol = &protocol;
	c.metadata = &metadata;
	c.add = &add;
	c.remove = &remove;
	c.txn = &txn;
	c.domain = &domain;
	c.num_adds = c.num_removes = c.num_txns = c.num_domains = 1;
	assert_int_equal(cdc_commit_put(&cdc_io_posix, f->table, 1, &c, &err), CDC_OK);
	got = slurp(f, 1);
	assert_int_equal(strncmp(got, "{\"commitInfo\":{\"timestamp\":", 27), 0);
	line = strchr(got, '\n');
	assert_non_null(line);
	*line = '\0';
	assert_contains(got, ",\"operation\":\"WRITE\",\"operationParameters\":{\"predicate\":"
			     "\"[\\\"(id = 1)\\\"]\"},\"readVersion\":0,\"isolationLevel\":"
			     "\"Serializable\",\"isBlindAppend\":false,\"operationMetrics\":"
			     "{\"numOutputRows\":\"12\"},\"engineInfo\":\"cdc-tools/");
	assert_contains(got, "\",\"txnId\":\"");
	assert_string_equal(
		line + 1,
		"{\"metaData\":{\"id\":\"t-2\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"
		"\"schemaString\":\"{\\\"type\\\":\\\"struct\\\"}\",\"partitionColumns\":[\"p\"],"
		"\"configuration\":{\"k\":\"\"},\"createdTime\":7}}\n"
		"{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":"
		"[\"deletionVectors\"],\"writerFeatures\":[\"deletionVectors\"]}}\n"
		"{\"txn\":{\"appId\":\"app\",\"version\":3,\"lastUpdated\":4}}\n"
		"{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"{}\",\"removed\":false}}\n"
		"{\"remove\":{\"path\":\"z\",\"deletionTimestamp\":99,\"dataChange\":true,"
		"\"extendedFileMetadata\":true,\"partitionValues\":{},\"size\":5,"
		"\"stats\":\"{\\\"numRecords\\\":50}\"}}\n"
		"{\"add\":{\"path\":\"x%20y\",\"partitionValues\":{\"p\":\"a\\\"b\",\"q\":null},"
		"\"size\":10,\"modificationTime\":11,\"dataChange\":true,"
		"\"stats\":\"{\\\"numRecords\\\":1}\",\"tags\":{\"t\":\"1\"},"
		"\"deletionVector\":{\"storageType\":\"u\",\"pathOrInlineDv\":\"vBn[\","
		"\"offset\":1,\"sizeInBytes\":36,\"cardinality\":2}}}\n");
	free(got);
}

static void read_back(void **state)
{
	const struct fixture *f = *state;
	struct cdc_commit_actions a;
	struct cdc_err err = CDC_ERR_INIT;

	create(f);
	fixture_commit(f, 1,
		       "{\"commitInfo\":{\"isBlindAppend\":true,\"inCommitTimestamp\":123}}\n" ADD(
			       "b") REMOVE("a") "{\"remove\":{\"path\":\"c\",\"stats\":"
						"\"{\\\"numRecords\\\":4}\",\"size\":3,"
						"\"partitionValues\":{}}}\n"
						"{\"txn\":{\"appId\":\"k\",\"version\":1}}\n");
	assert_int_equal(cdc_commit_read(&cdc_io_posix, f->table, 1, &a, &err), CDC_OK);
	assert_int_equal(a.version, 1);
	assert_int_equal(a.timestamp_ms, 123);
	assert_true(a.is_blind_append);
	assert_str(a.commit_info, "{\"isBlindAppend\":true,\"inCommitTimestamp\":123}");
	assert_false(a.has_protocol);
	assert_false(a.has_metadata);
	assert_int_equal(a.num_adds, 1);
	assert_int_equal(a.num_removes, 2);
	assert_int_equal(a.num_txns, 1);
	assert_int_equal(a.remove[0].num_records, -1);
	assert_false(a.remove[0].extended);
	assert_int_equal(a.remove[1].num_records, 4);
	assert_true(a.remove[1].extended);
	cdc_commit_actions_free(&a);
	assert_int_equal(cdc_commit_read(&cdc_io_posix, f->table, 0, &a, &err), CDC_OK);
	assert_true(a.has_protocol);
	assert_true(a.has_metadata);
	assert_null(a.commit_info.p);
	assert_true(a.timestamp_ms > INT64_C(1700000000000));
	cdc_commit_actions_free(&a);
	assert_int_equal(cdc_commit_read(&cdc_io_posix, f->table, 2, &a, &err), CDC_END);
}

static void conflict_and_gap(void **state)
{
	const struct fixture *f = *state;
	struct cdc_commit c = plain_commit(0);
	struct cdc_err err = CDC_ERR_INIT;
	char *before, *after;

	create(f);
	assert_int_equal(cdc_commit_put(&cdc_io_posix, f->table, 1, &c, &err), CDC_OK);
	before = slurp(f, 1);
	assert_int_equal(cdc_commit_put(&cdc_io_posix, f->table, 1, &c, &err), CDC_ECONFLICT);
	after = slurp(f, 1);
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_int_equal(cdc_commit_put(&cdc_io_posix, f->table, 3, &c, &err), CDC_EINTERNAL);
	assert_false(fixture_has(f, "00000000000000000003.json"));
}

/* One contestant: tries to be first at each version; its wins are its exit status. */
static int contend(const char *table, int versions)
{
	struct cdc_commit c = plain_commit(0);
	int wins = 0;

	for (int v = 1; v <= versions; v++) {
		struct cdc_err err = CDC_ERR_INIT;
		int rc = cdc_commit_put(&cdc_io_posix, table, v, &c, &err);

		if (rc && rc != CDC_ECONFLICT)
			return 255;
		wins += !rc;
	}
	return wins;
}

static void race(void **state)
{
	enum { RACERS = 4, VERSIONS = 60 };
	const struct fixture *f = *state;
	struct cdc_snapshot *s;
	pid_t pid[RACERS];
	int sum = 0;

	create(f);
	for (int i = 0; i < RACERS; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0)
			_exit(contend(f->table, VERSIONS));
	}
	for (int i = 0; i < RACERS; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFEXITED(status));
		assert_int_not_equal(WEXITSTATUS(status), 255);
		sum += WEXITSTATUS(status);
	}
	assert_int_equal(sum, VERSIONS);
	s = fixture_load(f, -1);
	assert_int_equal(s->version, VERSIONS);
	cdc_snapshot_free(s);
}

struct leftovers {
	const struct fixture *f;
	int n;
};

static int sweep(void *arg, const char *name)
{
	struct leftovers *l = arg;

	if (name[0] == '.') {
		l->n++;
		fixture_unlink(l->f, name);
	}
	return 0;
}

/* Fail the nth call of one kind; the log must hold all of version 1 or nothing of it. */
static bool fault_at(const struct fixture *f, enum faultio_op op, uint64_t nth, bool after)
{
	struct cdc_add add = { .path = CDC_STR("new"), .size_bytes = 1 };
	struct cdc_commit c = plain_commit(0);
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s;
	struct faultio io;
	struct leftovers hidden = { f, 0 };
	int rc;

	if (fixture_has(f, "00000000000000000001.json"))
		fixture_unlink(f, "00000000000000000001.json");
	faultio_init(&io, &cdc_io_posix);
	io.fail_op = op;
	io.fail_at = nth;
	io.fail_after = after;
	c.add = &add;
	c.num_adds = 1;
	rc = cdc_commit_put(&io.io, f->table, 1, &c, &err);
	if (!io.hits)
		assert_int_equal(rc, CDC_OK);
	s = fixture_load(f, -1);
	assert_int_equal(s->version, rc == CDC_OK ? 1 : 0);
	assert_live(s, rc == CDC_OK ? "new" : "");
	cdc_snapshot_free(s);
	if (rc) {
		assert_true(rc == CDC_EIO);
		assert_true(err.msg[0] != '\0');
	}
	assert_int_equal(cdc_io_posix.list(cdc_io_posix.ctx, f->log, sweep, &hidden), 0);
	if (!(io.hits && io.last_hit == FAULTIO_UNLINK))
		assert_int_equal(hidden.n, 0);
	return io.hits > 0;
}

static void faults(void **state)
{
	const struct fixture *f = *state;
	uint64_t n = 1;

	create(f);
	while (fault_at(f, FAULTIO_ANY, n, false))
		n++;
	/* Opens, writes, syncs, the link: fewer would mean that nothing was swept. */
	assert_true(n > 8);
	assert_true(fault_at(f, FAULTIO_LINK, 1, true));
	assert_true(fixture_has(f, "00000000000000000001.json"));
}

/* The data is on disk before the name appears. */
static void durable_order(void **state)
{
	const struct fixture *f = *state;
	struct cdc_commit c = plain_commit(0);
	struct cdc_err err = CDC_ERR_INIT;
	struct faultio io;
	const char *sync, *link;

	create(f);
	faultio_init(&io, &cdc_io_posix);
	assert_int_equal(cdc_commit_put(&io.io, f->table, 1, &c, &err), CDC_OK);
	sync = strchr(io.log, 'f');
	link = strchr(io.log, 'l');
	assert_true(sync && link && sync < link);
	assert_non_null(strchr(link, 'd'));
}

#define ICT "\"delta.enableInCommitTimestamps\":\"true\""

static void in_commit_timestamps(void **state)
{
	const struct fixture *f = *state;
	struct cdc_commit c = plain_commit(0);
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s;
	char *got;

	/* Year 2100: our clock is behind the previous commit. */
	fixture_commit(f, 0,
		       "{\"commitInfo\":{\"inCommitTimestamp\":4102444800000}}\n"
		       "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,"
		       "\"writerFeatures\":[\"inCommitTimestamp\"]}}\n" METADATA_WITH(ICT));
	s = fixture_load(f, -1);
	assert_true(s->has_in_commit_timestamp);
	assert_int_equal(s->timestamp_ms, INT64_C(4102444800000));
	assert_int_equal(cdc_snapshot_check_writable(s, &err), CDC_OK);
	cdc_snapshot_free(s);
	assert_int_equal(cdc_commit_put(&cdc_io_posix, f->table, 1, &c, &err), CDC_OK);
	got = slurp(f, 1);
	assert_int_equal(strncmp(got,
				 "{\"commitInfo\":{\"inCommitTimestamp\":4102444800001,"
				 "\"timestamp\":4102444800001,",
				 71),
			 0);
	free(got);
	s = fixture_load(f, -1);
	assert_int_equal(s->timestamp_ms, INT64_C(4102444800001));
	cdc_snapshot_free(s);
	/* A commit without one: the next cannot be told to be later. */
	fixture_commit(f, 2, "{\"commitInfo\":{}}\n");
	s = fixture_load(f, -1);
	assert_false(s->has_in_commit_timestamp);
	assert_int_equal(cdc_snapshot_check_writable(s, &err), CDC_EUNSUPPORTED);
	cdc_snapshot_free(s);
}

static void first_commit_makes_the_log(void **state)
{
	const struct fixture *f = *state;
	struct cdc_protocol protocol = { .reader_version = 1, .writer_version = 2 };
	struct cdc_metadata metadata = { .id = CDC_STR("t"),
					 .schema_json =
						 CDC_STR("{\"type\":\"struct\",\"fields\":[]}") };
	struct cdc_commit c = plain_commit(-1);
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s = NULL;
	char table[PATH_MAX + 16];
	bool exists = false;

	snprintf(table, sizeof(table), "%s/new/table", f->table);
	c.protocol = &protocol;
	c.metadata = &metadata;
	assert_int_equal(cdc_commit_put(&cdc_io_posix, table, 0, &c, &err), CDC_OK);
	assert_int_equal(cdc_log_exists(&cdc_io_posix, table, &exists, &err), CDC_OK);
	assert_true(exists);
	assert_int_equal(cdc_snapshot_load(&s, &cdc_io_posix, table, -1, &err), CDC_OK);
	assert_int_equal(s->version, 0);
	assert_int_equal(s->protocol.num_writer_features, 0);
	cdc_snapshot_free(s);
}

#define WITH_TABLE(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(text),
		WITH_TABLE(read_back),
		WITH_TABLE(conflict_and_gap),
		WITH_TABLE(race),
		WITH_TABLE(faults),
		WITH_TABLE(durable_order),
		WITH_TABLE(in_commit_timestamps),
		WITH_TABLE(first_commit_makes_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
