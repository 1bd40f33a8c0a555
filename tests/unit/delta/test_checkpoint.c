/*
 * Proves checkpoints: a table whose commits are gone loads from its checkpoint as it did before, a
 * damaged one is passed over, a failing system call leaves the old state, and the clean-up deletes
 * what has expired and nothing else.
 */
#include "log_fixture.h"

#include "base/md5.h"
#include "delta/log_int.h"
#include "tests/fault/faultio.h"

#include <fcntl.h>

#define DV_PROTOCOL                                                                                \
	"{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":"         \
	"[\"deletionVectors\"],\"writerFeatures\":[\"deletionVectors\",\"domainMetadata\"]}}\n"

#define FULL_ADD                                                                                   \
	"{\"add\":{\"path\":\"p=x/a%20b\",\"partitionValues\":{\"p\":\"x\",\"q\":null},\"size\":"  \
	"9007199254740993,\"modificationTime\":1700000000001,\"dataChange\":true,\"stats\":"       \
	"\"{\\\"numRecords\\\":3}\",\"tags\":{\"k\":\"v\\n\",\"n\":null},\"baseRowId\":5,"         \
	"\"defaultRowCommitVersion\":2,\"clusteringProvider\":\"liquid\",\"deletionVector\":"      \
	"{\"storageType\":\"u\",\"pathOrInlineDv\":\"vBn[lx{q8@P<9BNH/isA\",\"offset\":1,"         \
	"\"sizeInBytes\":36,\"cardinality\":2}}}\n"
#define FULL_REMOVE                                                                                \
	"{\"remove\":{\"path\":\"gone\",\"deletionTimestamp\":4102444800000,\"dataChange\":true,"  \
	"\"extendedFileMetadata\":true,\"partitionValues\":{\"p\":\"x\"},\"size\":7,"              \
	"\"deletionVector\":{\"storageType\":\"i\",\"pathOrInlineDv\":\"abc\",\"sizeInBytes\":4,"  \
	"\"cardinality\":1}}}\n"
#define REST                                                                                       \
	"{\"txn\":{\"appId\":\"k\",\"version\":9,\"lastUpdated\":8}}\n"                            \
	"{\"txn\":{\"appId\":\"j\",\"version\":1}}\n"                                              \
	"{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"{\\\"x\\\":1}\",\"removed\":"   \
	"false}}\n"

/* The state as JSON actions: what has to survive a checkpoint. dataChange is not state. */
static char *dump(const struct cdc_snapshot *s)
{
	struct cdc_buf b = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	int rc = cdc_action_write(&b, CDC_ACT_PROTOCOL, &s->protocol, &err);

	rc |= cdc_action_write(&b, CDC_ACT_METADATA, &s->metadata, &err);
	for (size_t i = 0; i < s->num_txns; i++)
		rc |= cdc_action_write(&b, CDC_ACT_TXN, &s->txn[i], &err);
	for (size_t i = 0; i < s->num_domains; i++)
		rc |= cdc_action_write(&b, CDC_ACT_DOMAIN, &s->domain[i], &err);
	for (size_t i = 0; i < s->num_tombstones; i++) {
		s->tombstone[i].data_change = false;
		rc |= cdc_action_write(&b, CDC_ACT_REMOVE, &s->tombstone[i], &err);
	}
	for (size_t i = 0; i < s->num_adds; i++) {
		s->add[i].data_change = false;
		rc |= cdc_action_write(&b, CDC_ACT_ADD, &s->add[i], &err);
	}
	assert_int_equal(rc, 0);
	assert_non_null(cdc_buf_z(&b));
	return b.p;
}

static void write_checkpoint(const struct fixture *f, int64_t version)
{
	struct cdc_snapshot *s = fixture_load(f, version);
	struct cdc_err err = CDC_ERR_INIT;
	int rc = cdc_checkpoint_write(&cdc_io_posix, s, &err);

	if (rc)
		print_message("checkpoint: %s\n", err.msg);
	assert_int_equal(rc, CDC_OK);
	cdc_snapshot_free(s);
}

static void survives(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;
	char *before, *after;

	fixture_commit(f, 0,
		       DV_PROTOCOL METADATA_WITH("\"a\":\"\",\"b\":\"\xc3\xa9\"") ADD("gone")
			       FULL_ADD ADD("z"));
	fixture_commit(f, 1, REMOVE("gone") FULL_REMOVE REST ADD("y"));
	s = fixture_load(f, -1);
	before = dump(s);
	cdc_snapshot_free(s);
	write_checkpoint(f, -1);
	fixture_unlink(f, "00000000000000000000.json");
	fixture_unlink(f, "00000000000000000001.json");
	s = fixture_load(f, -1);
	assert_int_equal(s->version, 1);
	assert_int_equal(s->checkpoint_version, 1);
	after = dump(s);
	assert_string_equal(before, after);
	assert_int_equal(s->num_adds, 3);
	assert_int_equal(s->num_tombstones, 2);
	assert_int_equal(s->num_txns, 2);
	assert_int_equal(s->num_domains, 1);
	assert_str(s->add[0].tags, "{\"k\":\"v\\n\",\"n\":null}");
	cdc_snapshot_free(s);
	/* A checkpoint of what came from a checkpoint. */
	write_checkpoint(f, -1);
	s = fixture_load(f, -1);
	free(after);
	after = dump(s);
	assert_string_equal(before, after);
	cdc_snapshot_free(s);
	/* Commits on top, with removes of what the checkpoint holds. */
	fixture_commit(f, 2, ADD("w") REMOVE("z"));
	s = fixture_load(f, -1);
	assert_live(s, "p=x/a%20b@vBn[lx{q8@P<9BNH/isA y w");
	cdc_snapshot_free(s);
	free(before);
	free(after);
}

/* More rows than a batch of the writer or the reader holds. */
static void many(void **state)
{
	enum { N = 5003 };
	const struct fixture *f = *state;
	struct cdc_snapshot *s;
	char *text = malloc(N * 200), *at = text;

	assert_non_null(text);
	at += sprintf(at, "%s", PROTOCOL METADATA);
	for (int i = 0; i < N; i++)
		at += sprintf(at,
			      "{\"add\":{\"path\":\"f%d\",\"partitionValues\":{%s},\"size\":%d,"
			      "\"modificationTime\":1,\"dataChange\":true}}\n",
			      i,
			      i % 3 == 0   ? ""
			      : i % 3 == 1 ? "\"p\":\"v\""
					   : "\"p\":null,\"q\":\"w\"",
			      i);
	fixture_commit(f, 0, text);
	free(text);
	write_checkpoint(f, -1);
	fixture_unlink(f, "00000000000000000000.json");
	s = fixture_load(f, -1);
	assert_int_equal(s->num_adds, N);
	for (int i = 0; i < N; i++) {
		const struct cdc_add *a = &s->add[i];
		char path[32];

		snprintf(path, sizeof(path), "f%d", i);
		assert_str(a->path, path);
		assert_int_equal(a->size_bytes, i);
		assert_int_equal(a->num_partition_values, i % 3);
		if (i % 3 == 1)
			assert_str(a->partition_value[0].value, "v");
		if (i % 3 == 2) {
			assert_null(a->partition_value[0].value.p);
			assert_str(a->partition_value[1].key, "q");
		}
	}
	cdc_snapshot_free(s);
}

static void damaged_ones_are_passed_over(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;
	char path[2 * PATH_MAX];
	struct stat st;
	int fd;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("a"));
	fixture_commit(f, 1, ADD("b"));
	write_checkpoint(f, 1);
	fixture_commit(f, 2, ADD("c"));
	write_checkpoint(f, 2);
	fixture_unlink(f, "00000000000000000000.json");
	snprintf(path, sizeof(path), "%s/00000000000000000002.checkpoint.parquet", f->log);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(ftruncate(fd, st.st_size / 2), 0);
	close(fd);
	s = fixture_load(f, -1);
	assert_int_equal(s->checkpoint_version, 1);
	assert_live(s, "a b c");
	cdc_snapshot_free(s);
}

static void hint(void **state)
{
	const struct fixture *f = *state;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf b = CDC_BUF_INIT;
	char path[2 * PATH_MAX], canonical[200], sum[CDC_MD5_TEXT_MAX], expected[300];
	struct stat st;

	fixture_commit(f, 0,
		       PROTOCOL METADATA ADD("a") ADD("b") "{\"txn\":{\"appId\":\"k\","
							   "\"version\":1}}\n");
	fixture_commit(f, 1, ADD("c"));
	fixture_put(f, "._last_checkpoint.crc", "stale");
	fixture_put(f, ".00000000000000000001.checkpoint.parquet.crc", "stale");
	write_checkpoint(f, 1);
	assert_false(fixture_has(f, "._last_checkpoint.crc"));
	assert_false(fixture_has(f, ".00000000000000000001.checkpoint.parquet.crc"));
	snprintf(path, sizeof(path), "%s/00000000000000000001.checkpoint.parquet", f->log);
	assert_int_equal(stat(path, &st), 0);
	/* protocol, metaData, txn and three adds. */
	snprintf(canonical, sizeof(canonical),
		 "\"numOfAddFiles\"=3,\"size\"=6,\"sizeInBytes\"=%lld,\"version\"=1",
		 (long long)st.st_size);
	cdc_md5_text(canonical, strlen(canonical), sum);
	snprintf(expected, sizeof(expected),
		 "{\"version\":1,\"size\":6,\"sizeInBytes\":%lld,\"numOfAddFiles\":3,"
		 "\"checksum\":\"%s\"}\n",
		 (long long)st.st_size, sum);
	snprintf(path, sizeof(path), "%s/_last_checkpoint", f->log);
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, path, &b, &err), CDC_OK);
	assert_str(cdc_buf_str(&b), expected);
	/* A slower writer does not turn it back. */
	write_checkpoint(f, 0);
	cdc_buf_reset(&b);
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, path, &b, &err), CDC_OK);
	assert_str(cdc_buf_str(&b), expected);
	/* But a hint to nothing is replaced. */
	fixture_put(f, "_last_checkpoint", "{\"version\":9,\"size\":1}");
	write_checkpoint(f, 1);
	cdc_buf_reset(&b);
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, path, &b, &err), CDC_OK);
	assert_str(cdc_buf_str(&b), expected);
	cdc_buf_free(&b);
}

#define TXN(app, rest) "{\"txn\":{\"appId\":\"" app "\",\"version\":1" rest "}}\n"

/* With a retention, a transaction without a time is as good as expired. */
static void transactions_expire(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(
		f, 0,
		PROTOCOL METADATA_WITH("\"delta.setTransactionRetentionDuration\":"
				       "\"interval 1 days\"") TXN("old", ",\"lastUpdated\":1")
			TXN("new", ",\"lastUpdated\":4102444800000") TXN("timeless", ""));
	s = fixture_load(f, -1);
	assert_int_equal(s->num_txns, 3);
	cdc_snapshot_free(s);
	write_checkpoint(f, -1);
	fixture_unlink(f, "00000000000000000000.json");
	s = fixture_load(f, -1);
	assert_int_equal(s->num_txns, 1);
	assert_str(s->txn[0].app_id, "new");
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

/* Whatever fails, the table reads as before, and no half checkpoint has the final name. */
static bool fault_at(const struct fixture *f, uint64_t nth)
{
	static const char name[] = "00000000000000000001.checkpoint.parquet";
	struct cdc_snapshot *s = fixture_load(f, -1), *again;
	struct leftovers hidden = { f, 0 };
	struct cdc_err err = CDC_ERR_INIT;
	struct faultio io;
	int rc;

	if (fixture_has(f, name))
		fixture_unlink(f, name);
	faultio_init(&io, &cdc_io_posix);
	io.fail_at = nth;
	rc = cdc_checkpoint_write(&io.io, s, &err);
	if (!io.hits)
		assert_int_equal(rc, CDC_OK);
	if (rc)
		assert_int_equal(err.code, rc);
	if (fixture_has(f, name)) {
		fixture_unlink(f, "00000000000000000000.json");
		again = fixture_load(f, -1);
		assert_int_equal(again->checkpoint_version, 1);
		fixture_commit(f, 0, PROTOCOL METADATA ADD("a"));
	} else {
		assert_int_not_equal(rc, CDC_OK);
		again = fixture_load(f, -1);
	}
	assert_live(again, "a b");
	cdc_snapshot_free(again);
	cdc_snapshot_free(s);
	assert_int_equal(cdc_io_posix.list(cdc_io_posix.ctx, f->log, sweep, &hidden), 0);
	if (!(io.hits && io.last_hit == FAULTIO_UNLINK))
		assert_int_equal(hidden.n, 0);
	return io.hits > 0;
}

static void faults(void **state)
{
	const struct fixture *f = *state;
	uint64_t n = 1;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("a"));
	fixture_commit(f, 1, ADD("b"));
	while (fault_at(f, n))
		n++;
	assert_true(n > 12);
}

static void age(const struct fixture *f, const char *name, int days)
{
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT }, { 0, 0 } };
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", f->log, name);
	t[1].tv_sec = (time_t)(cdc_io_posix.now_us(cdc_io_posix.ctx) / 1000000) - days * 86400L;
	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

/* Versions 0 to 5; 0 to 3 are older than 30 days, checkpoints at 1, 2 and 5. */
static void old_log(const struct fixture *f, const char *metadata)
{
	char name[64];

	fixture_commit(f, 0, PROTOCOL);
	fixture_commit(f, 1, metadata);
	for (int v = 2; v < 6; v++)
		fixture_commit(f, v, "");
	write_checkpoint(f, 1);
	write_checkpoint(f, 2);
	for (int v = 0; v < 6; v++) {
		snprintf(name, sizeof(name), "%020d.json", v);
		age(f, name, v < 4 ? 40 - v : 1);
	}
	fixture_put(f, "00000000000000000001.crc", "{}");
	fixture_put(f, "00000000000000000004.crc", "{}");
	fixture_put(f, ".00000000000000000000.json.crc", "x");
	fixture_put(f, "00000000000000000000.00000000000000000001.compacted.json", "");
	fixture_put(f, "keep.me", "x");
}

static void cleanup(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	old_log(f, METADATA_WITH("\"delta.enableExpiredLogCleanup\":\"true\""));
	write_checkpoint(f, 5);
	/* 3 is the last expired commit, 2 the last checkpoint before it. */
	assert_false(fixture_has(f, "00000000000000000000.json"));
	assert_false(fixture_has(f, ".00000000000000000000.json.crc"));
	assert_false(fixture_has(f, "00000000000000000001.json"));
	assert_false(fixture_has(f, "00000000000000000001.crc"));
	assert_false(fixture_has(f, "00000000000000000001.checkpoint.parquet"));
	assert_false(fixture_has(f, "00000000000000000000.00000000000000000001.compacted.json"));
	assert_true(fixture_has(f, "00000000000000000002.checkpoint.parquet"));
	assert_true(fixture_has(f, "00000000000000000002.json"));
	assert_true(fixture_has(f, "00000000000000000003.json"));
	assert_true(fixture_has(f, "00000000000000000004.crc"));
	assert_true(fixture_has(f, "00000000000000000005.json"));
	assert_true(fixture_has(f, "keep.me"));
	for (int64_t v = 2; v < 6; v++) {
		s = fixture_load(f, v);
		cdc_snapshot_free(s);
	}
	fixture_refuse(f, 1, CDC_EUSAGE, "not in the log");
}

static void cleanup_off(void **state)
{
	const struct fixture *f = *state;

	old_log(f, METADATA_WITH("\"delta.enableExpiredLogCleanup\":\"false\""));
	write_checkpoint(f, 5);
	assert_true(fixture_has(f, "00000000000000000000.json"));
	assert_true(fixture_has(f, "00000000000000000001.checkpoint.parquet"));
}

static void cleanup_keeps_longer(void **state)
{
	const struct fixture *f = *state;

	old_log(f, METADATA_WITH("\"delta.logRetentionDuration\":\"interval 60 days\""));
	write_checkpoint(f, 5);
	assert_true(fixture_has(f, "00000000000000000000.json"));
	assert_true(fixture_has(f, "00000000000000000001.checkpoint.parquet"));
}

#define WITH_TABLE(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(survives),
		WITH_TABLE(many),
		WITH_TABLE(damaged_ones_are_passed_over),
		WITH_TABLE(hint),
		WITH_TABLE(transactions_expire),
		WITH_TABLE(faults),
		WITH_TABLE(cleanup),
		WITH_TABLE(cleanup_off),
		WITH_TABLE(cleanup_keeps_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
