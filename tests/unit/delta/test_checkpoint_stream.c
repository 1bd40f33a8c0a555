/*
 * Proves checkpoints that are made out of the one before them: a table that changes at random reads
 * the same from each, of both kinds; a damaged one is passed over even when that shows late;
 * expired tombstones are dropped; and whatever fails leaves the old state.
 */
#include "log_fixture.h"

#include "delta/log_int.h"
#include "parquet/parquet.h"
#include "tests/fault/faultio.h"

#include <fcntl.h>

#define V2_PROTOCOL                                                                                \
	"{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":"         \
	"[\"v2Checkpoint\",\"deletionVectors\"],\"writerFeatures\":[\"v2Checkpoint\","             \
	"\"deletionVectors\",\"domainMetadata\"]}}\n"
#define CONFIG(policy) METADATA_WITH("\"delta.checkpointPolicy\":\"" policy "\"")

static int64_t write_version(const struct fixture *f, int64_t version)
{
	struct cdc_checkpoint_result r = { .version = -2 };
	struct cdc_err err = CDC_ERR_INIT;

	if (cdc_checkpoint_write_version(&cdc_io_posix, f->table, version, &r, &err))
		fail_msg("%s: %s", err.file, err.msg);
	assert_true(version < 0 || r.version == version);
	return (int64_t)r.num_adds;
}

/* ------------------------------------------------------------------ at random */

enum { PATHS = 24, VERSIONS = 60 };

/* What the table holds: of each path the number of its deletion vector, -1: not there. */
struct model {
	int dv[PATHS];
	uint64_t random;
	int txn, domain;
};

static unsigned draw(struct model *m, unsigned below)
{
	m->random = m->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(m->random >> 33) % below;
}

static char *put_file(char *at, const char *kind, int path, int dv)
{
	at += sprintf(at, "{\"%s\":{\"path\":\"f%d\",\"%s\":4102444800000,\"dataChange\":true",
		      kind, path, *kind == 'a' ? "modificationTime" : "deletionTimestamp");
	if (*kind == 'a')
		at += sprintf(at, ",\"partitionValues\":{},\"size\":%d", path);
	if (dv > 0)
		at += sprintf(
			at,
			",\"deletionVector\":{\"storageType\":\"i\",\"pathOrInlineDv\":\"%d\","
			"\"sizeInBytes\":4,\"cardinality\":1}",
			dv);
	return at + sprintf(at, "}}\n");
}

/* One commit: files come, go, and get other deletion vectors; a transaction, a domain. */
static void change(const struct fixture *f, struct model *m, int version, const char *head)
{
	char text[16384], *at = text;

	at += sprintf(at, "%s", head);
	for (int i = 0; i < PATHS; i++) {
		int was = m->dv[i];

		if (draw(m, 4))
			continue;
		if (was >= 0)
			at = put_file(at, "remove", i, was);
		m->dv[i] = draw(m, 3) ? was + 1 : -1;
		if (m->dv[i] >= 0)
			at = put_file(at, "add", i, m->dv[i]);
	}
	if (draw(m, 2))
		at += sprintf(at, "{\"txn\":{\"appId\":\"k\",\"version\":%d}}\n", m->txn = version);
	if (draw(m, 2)) {
		m->domain = draw(m, 2) ? version : 0;
		at += sprintf(at,
			      "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"%d\","
			      "\"removed\":%s}}\n",
			      m->domain, m->domain ? "false" : "true");
	}
	fixture_commit(f, version, text);
}

static int number(struct cdc_str s)
{
	int n = 0;

	for (size_t i = 0; i < s.n; i++)
		n = s.p[i] == 'f' ? 0 : n * 10 + (s.p[i] - '0');
	return n;
}

static int64_t check(const struct fixture *f, const struct model *m, int64_t checkpoint)
{
	struct cdc_snapshot *s = fixture_load(f, -1);
	size_t live = 0;
	char text[16];

	assert_int_equal(s->checkpoint_version, checkpoint);
	for (size_t i = 0; i < s->num_adds; i++) {
		int path = number(s->add[i].path);

		assert_true(path >= 0 && path < PATHS && m->dv[path] >= 0);
		assert_int_equal(s->add[i].size_bytes, path);
		snprintf(text, sizeof(text), "%d", m->dv[path]);
		assert_int_equal(s->add[i].dv.storage != 0, m->dv[path] > 0);
		if (m->dv[path] > 0)
			assert_str(s->add[i].dv.path, text);
	}
	for (int i = 0; i < PATHS; i++)
		live += m->dv[i] >= 0;
	assert_int_equal(s->num_adds, live);
	/* None that has been added again, and none twice. */
	for (size_t i = 0; i < s->num_tombstones; i++) {
		const struct cdc_remove *r = &s->tombstone[i];
		int path = number(r->path), dv = number(r->dv.path);

		assert_true(m->dv[path] != dv);
		for (size_t k = 0; k < i; k++)
			assert_false(cdc_str_eq(s->tombstone[k].path, r->path) &&
				     cdc_str_eq(s->tombstone[k].dv.path, r->dv.path));
	}
	assert_int_equal(cdc_snapshot_txn(s, CDC_STR("k")), m->txn);
	assert_int_equal(s->num_domains, m->domain > 0);
	cdc_snapshot_free(s);
	return (int64_t)live;
}

static void changes(const struct fixture *f, const char *first)
{
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct model m = { .random = seed, .txn = -1 };
		int64_t checkpoint = -1, live;
		char name[64];

		memset(m.dv, 0xff, sizeof(m.dv));
		for (int v = 0; v < VERSIONS; v++) {
			change(f, &m, v, v ? "" : first);
			if (draw(&m, 5))
				continue;
			checkpoint = v;
			live = write_version(f, -1);
			assert_int_equal(live, check(f, &m, v));
		}
		check(f, &m, checkpoint);
		for (int v = 0; v < VERSIONS; v++) {
			snprintf(name, sizeof(name), "%020d.json", v);
			fixture_unlink(f, name);
			snprintf(name, sizeof(name), "%020d.checkpoint.parquet", v);
			if (fixture_has(f, name))
				fixture_unlink(f, name);
		}
	}
}

static void classic(void **state)
{
	changes(*state, V2_PROTOCOL CONFIG("classic"));
}

/* The names are not known: one table for each seed would do, so one seed does. */
static void v2(void **state)
{
	const struct fixture *f = *state;
	struct model m = { .random = 99, .txn = -1 };
	int64_t live;

	memset(m.dv, 0xff, sizeof(m.dv));
	for (int v = 0; v < VERSIONS; v++) {
		change(f, &m, v, v ? "" : V2_PROTOCOL CONFIG("v2"));
		if (draw(&m, 4))
			continue;
		live = write_version(f, -1);
		assert_int_equal(live, check(f, &m, v));
	}
}

/* ------------------------------------------------------------------ by hand */

static void of_an_older_version(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("a"));
	fixture_commit(f, 1, ADD("b"));
	fixture_commit(f, 2, ADD("c"));
	assert_int_equal(write_version(f, 1), 2);
	fixture_unlink(f, "00000000000000000000.json");
	s = fixture_load(f, -1);
	assert_int_equal(s->checkpoint_version, 1);
	assert_live(s, "a b c");
	cdc_snapshot_free(s);
}

/* One that had not expired when the checkpoint before was made. */
static void expired_tombstones_go(void **state)
{
	const struct fixture *f = *state;
	int64_t day_ago_ms = cdc_io_posix.now_us(cdc_io_posix.ctx) / 1000 - CDC_MS_PER_DAY;
	struct cdc_snapshot *s;
	char text[512];

	fixture_commit(f, 0, PROTOCOL METADATA ADD("a") ADD("b") ADD("c"));
	snprintf(text, sizeof(text),
		 "{\"remove\":{\"path\":\"a\",\"deletionTimestamp\":%lld,\"dataChange\":true}}\n%s",
		 (long long)day_ago_ms, REMOVE("b"));
	fixture_commit(f, 1, text);
	assert_int_equal(write_version(f, -1), 1);
	s = fixture_load(f, -1);
	assert_int_equal(s->num_tombstones, 2);
	cdc_snapshot_free(s);
	fixture_commit(f, 2,
		       METADATA_WITH("\"delta.deletedFileRetentionDuration\":"
				     "\"interval 1 hours\"") ADD("d"));
	assert_int_equal(write_version(f, -1), 2);
	fixture_commit(f, 3, METADATA);
	s = fixture_load(f, -1);
	assert_live(s, "c d");
	assert_int_equal(s->num_tombstones, 1);
	assert_str(s->tombstone[0].path, "b");
	cdc_snapshot_free(s);
}

/* Break the first page of a column of a checkpoint: its footer and its other columns are sound. */
static void damage(const struct fixture *f, const char *name, const char *parent, const char *leaf)
{
	const struct cdc_pq_metadata *m;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_file *file;
	char path[2 * PATH_MAX];
	int64_t offset = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->log, name);
	assert_int_equal(cdc_pq_open(&file, &cdc_io_posix, path, 0, &err), CDC_OK);
	m = cdc_pq_metadata(file);
	for (int32_t i = 0; i < m->schema.num_nodes; i++) {
		const struct cdc_pq_node *n = &m->schema.node[i];

		if (n->is_leaf && cdc_str_eqz(n->name, leaf) &&
		    cdc_str_eqz(m->schema.node[n->parent].name, parent))
			offset = m->row_group[0].column[n->leaf].data_page_offset;
	}
	assert_true(offset > 0);
	cdc_pq_close(file);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, offset), 8);
	close(fd);
}

static void a_damaged_one_is_passed_over(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("a"));
	write_version(f, -1);
	fixture_commit(f, 1, ADD("b"));
	write_version(f, -1);
	fixture_commit(f, 2, ADD("c"));
	damage(f, "00000000000000000001.checkpoint.parquet", "add", "path");
	assert_int_equal(write_version(f, -1), 3);
	fixture_unlink(f, "00000000000000000000.json");
	fixture_unlink(f, "00000000000000000001.json");
	s = fixture_load(f, -1);
	assert_int_equal(s->checkpoint_version, 2);
	assert_live(s, "a b c");
	cdc_snapshot_free(s);
}

static void no_other_is_left(void **state)
{
	const struct fixture *f = *state;
	struct cdc_checkpoint_result r;
	struct cdc_err err = CDC_ERR_INIT;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("a"));
	fixture_commit(f, 1, ADD("b"));
	write_version(f, 1);
	fixture_unlink(f, "00000000000000000000.json");
	fixture_commit(f, 2, ADD("c"));
	damage(f, "00000000000000000001.checkpoint.parquet", "add", "path");
	assert_int_equal(cdc_checkpoint_write_version(&cdc_io_posix, f->table, -1, &r, &err),
			 CDC_ECORRUPT);
	assert_non_null(strstr(err.file, "00000000000000000001.checkpoint.parquet"));
	assert_false(fixture_has(f, "00000000000000000002.checkpoint.parquet"));
}

static void what_must_not_be_written_to(void **state)
{
	const struct fixture *f = *state;
	struct cdc_checkpoint_result r;
	struct cdc_err err = CDC_ERR_INIT;

	fixture_commit(f, 0,
		       "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,"
		       "\"writerFeatures\":[\"unheardOf\"]}}\n" METADATA ADD("a"));
	assert_int_equal(cdc_checkpoint_write_version(&cdc_io_posix, f->table, -1, &r, &err),
			 CDC_EUNSUPPORTED);
	assert_false(fixture_has(f, "00000000000000000000.checkpoint.parquet"));
}

static int hidden(void *arg, const char *name)
{
	*(int *)arg += name[0] == '.';
	return 0;
}

static void faults(void **state)
{
	static const char name[] = "00000000000000000002.checkpoint.parquet";
	const struct fixture *f = *state;
	uint64_t n = 0;
	bool hit = true;

	fixture_commit(f, 0, PROTOCOL METADATA ADD("a"));
	fixture_commit(f, 1, ADD("b"));
	write_version(f, -1);
	fixture_commit(f, 2, ADD("c") REMOVE("a"));
	while (hit) {
		struct cdc_checkpoint_result r;
		struct cdc_err err = CDC_ERR_INIT;
		struct cdc_snapshot *s;
		struct faultio io;
		int rc, left = 0;

		if (fixture_has(f, name))
			fixture_unlink(f, name);
		faultio_init(&io, &cdc_io_posix);
		io.fail_at = ++n;
		rc = cdc_checkpoint_write_version(&io.io, f->table, -1, &r, &err);
		hit = io.hits > 0;
		if (rc)
			assert_true(hit && err.code == (enum cdc_code)rc && err.msg[0]);
		else
			assert_true(fixture_has(f, name));
		s = fixture_load(f, -1);
		assert_live(s, "b c");
		cdc_snapshot_free(s);
		assert_int_equal(cdc_io_posix.list(cdc_io_posix.ctx, f->log, hidden, &left), 0);
		if (!(hit && io.last_hit == FAULTIO_UNLINK))
			assert_int_equal(left, 0);
	}
	assert_true(n > 30);
}

#define WITH_TABLE(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(classic),
		WITH_TABLE(v2),
		WITH_TABLE(of_an_older_version),
		WITH_TABLE(expired_tombstones_go),
		WITH_TABLE(a_damaged_one_is_passed_over),
		WITH_TABLE(no_other_is_left),
		WITH_TABLE(what_must_not_be_written_to),
		WITH_TABLE(faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
