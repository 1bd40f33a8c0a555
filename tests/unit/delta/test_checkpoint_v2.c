/*
 * Proves V2 checkpoints: written where the table asks for them, whole without any commit, with
 * sidecars of the sizes that are told, pointed to by the hint; and that whatever fails leaves the
 * old state and no file that nothing names.
 */
#include "log_fixture.h"

#include "base/json.h"
#include "delta/log_int.h"
#include "parquet/parquet.h"
#include "tests/fault/faultio.h"

#include <dirent.h>

#define V2_PROTOCOL                                                                                \
	"{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":"         \
	"[\"v2Checkpoint\"],\"writerFeatures\":[\"v2Checkpoint\",\"domainMetadata\"]}}\n"
#define V2_METADATA METADATA_WITH("\"delta.checkpointPolicy\":\"v2\"")
#define REST                                                                                       \
	"{\"txn\":{\"appId\":\"k\",\"version\":9,\"lastUpdated\":8}}\n"                            \
	"{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"{}\",\"removed\":false}}\n"

/* Names in a directory of the log that end as told. */
struct names {
	char name[16][128];
	int n;
};

static struct names list(const struct fixture *f, const char *dir, const char *tail)
{
	struct names l = { .n = 0 };
	char path[2 * PATH_MAX];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%s", f->log, dir);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		size_t n = strlen(e->d_name), t = strlen(tail);

		if (n < t || strcmp(e->d_name + n - t, tail) != 0 || e->d_name[0] == '.')
			continue;
		assert_true(l.n < 16 && n < 128);
		snprintf(l.name[l.n++], 128, "%s", e->d_name);
	}
	if (d)
		closedir(d);
	return l;
}

static int64_t size_of(const struct fixture *f, const char *dir, const char *name)
{
	char path[2 * PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s/%s", f->log, dir, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static int write_with(const struct cdc_io *io, const struct fixture *f, struct cdc_err *err)
{
	struct cdc_snapshot *s = fixture_load(f, -1);
	int rc = cdc_checkpoint_write(io, s, err);

	cdc_snapshot_free(s);
	return rc;
}

static void write_checkpoint(const struct fixture *f)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (write_with(&cdc_io_posix, f, &err))
		fail_msg("%s", err.msg);
}

/* One member of the sidecar rows of a top file, the rows that have it. */
static uint32_t sidecar_sizes(const struct fixture *f, const char *name, int64_t *out)
{
	const struct cdc_pq_schema *s;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_file *file;
	struct cdc_pq_column *c;
	struct cdc_pq_vec vec;
	char path[2 * PATH_MAX];
	int32_t leaf = -1;
	uint32_t n = 0;

	snprintf(path, sizeof(path), "%s/%s", f->log, name);
	assert_int_equal(cdc_pq_open(&file, &cdc_io_posix, path, 0, &err), CDC_OK);
	s = &cdc_pq_metadata(file)->schema;
	for (int32_t i = 0; i < s->num_nodes; i++) {
		if (cdc_str_eqz(s->node[i].name, "sizeInBytes") &&
		    cdc_str_eqz(s->node[s->node[i].parent].name, "sidecar"))
			leaf = s->node[i].leaf;
	}
	assert_true(leaf >= 0);
	assert_int_equal(cdc_pq_column_open(&c, file, 0, leaf, &err), CDC_OK);
	assert_int_equal(cdc_pq_column_read(c, 100, &vec, &err), CDC_OK);
	for (uint32_t i = 0; i < vec.n; i++) {
		if (vec.def[i] == 2)
			out[n++] = ((const int64_t *)vec.values)[i];
	}
	cdc_pq_column_close(c);
	cdc_pq_close(file);
	return n;
}

static void survives(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;
	struct names top, sidecars;
	int64_t size[8];

	fixture_commit(f, 0, V2_PROTOCOL V2_METADATA ADD("a") ADD("gone"));
	fixture_commit(f, 1, REST ADD("b") REMOVE("gone"));
	write_checkpoint(f);
	fixture_unlink(f, "00000000000000000000.json");
	fixture_unlink(f, "00000000000000000001.json");
	top = list(f, ".", ".parquet");
	assert_int_equal(top.n, 1);
	assert_int_equal(strlen(top.name[0]),
			 strlen("00000000000000000001.checkpoint..parquet") + 36);
	sidecars = list(f, "_sidecars", ".parquet");
	assert_int_equal(sidecars.n, 1);
	assert_int_equal(sidecar_sizes(f, top.name[0], size), 1);
	assert_int_equal(size[0], size_of(f, "_sidecars", sidecars.name[0]));
	s = fixture_load(f, -1);
	assert_int_equal(s->checkpoint_version, 1);
	assert_live(s, "a b");
	assert_int_equal(s->num_tombstones, 1);
	assert_str(s->tombstone[0].path, "gone");
	assert_int_equal(s->num_txns, 1);
	assert_int_equal(s->num_domains, 1);
	cdc_snapshot_free(s);
	/* And a checkpoint of what came from one. */
	fixture_commit(f, 2, ADD("c") REMOVE("a"));
	write_checkpoint(f);
	fixture_unlink(f, "00000000000000000002.json");
	s = fixture_load(f, -1);
	assert_int_equal(s->checkpoint_version, 2);
	assert_live(s, "b c");
	cdc_snapshot_free(s);
}

/* More files than one sidecar holds. */
static void sidecars_are_cut(void **state)
{
	enum { N = 100001 };
	const struct fixture *f = *state;
	char *text = malloc((size_t)N * 128), *at = text;
	struct cdc_snapshot *s;
	struct names top, sidecars;
	int64_t size[8], told = 0, there = 0;

	assert_non_null(text);
	at += sprintf(at, "%s", V2_PROTOCOL V2_METADATA);
	for (int i = 0; i < N; i++)
		at += sprintf(at,
			      "{\"add\":{\"path\":\"f%d\",\"partitionValues\":{},\"size\":%d,"
			      "\"modificationTime\":1,\"dataChange\":true}}\n",
			      i, i);
	fixture_commit(f, 0, text);
	free(text);
	write_checkpoint(f);
	fixture_unlink(f, "00000000000000000000.json");
	top = list(f, ".", ".parquet");
	sidecars = list(f, "_sidecars", ".parquet");
	assert_int_equal(top.n, 1);
	assert_int_equal(sidecars.n, 3);
	assert_int_equal(sidecar_sizes(f, top.name[0], size), 3);
	for (int i = 0; i < 3; i++) {
		told += size[i];
		there += size_of(f, "_sidecars", sidecars.name[i]);
	}
	assert_int_equal(told, there);
	s = fixture_load(f, -1);
	assert_int_equal(s->num_adds, N);
	for (int i = 0; i < N; i++)
		assert_int_equal(s->add[i].size_bytes, i);
	cdc_snapshot_free(s);
}

static void only_where_asked_for(void **state)
{
	const struct fixture *f = *state;

	fixture_commit(f, 0, PROTOCOL V2_METADATA ADD("a"));
	write_checkpoint(f);
	assert_true(fixture_has(f, "00000000000000000000.checkpoint.parquet"));
	fixture_commit(f, 1, V2_PROTOCOL METADATA_WITH("\"delta.checkpointPolicy\":\"classic\""));
	write_checkpoint(f);
	assert_true(fixture_has(f, "00000000000000000001.checkpoint.parquet"));
	assert_false(fixture_has(f, "_sidecars"));
	fixture_commit(f, 2, METADATA);
	write_checkpoint(f);
	assert_true(fixture_has(f, "00000000000000000002.checkpoint.parquet"));
}

/* An empty table has no sidecar. */
static void without_files(void **state)
{
	const struct fixture *f = *state;
	struct cdc_snapshot *s;

	fixture_commit(f, 0, V2_PROTOCOL V2_METADATA);
	write_checkpoint(f);
	fixture_unlink(f, "00000000000000000000.json");
	assert_int_equal(list(f, "_sidecars", "").n, 0);
	s = fixture_load(f, -1);
	assert_int_equal(s->checkpoint_version, 0);
	assert_int_equal(s->num_adds, 0);
	cdc_snapshot_free(s);
}

static void hint(void **state)
{
	const struct fixture *f = *state;
	struct cdc_tape t = CDC_TAPE_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf b = CDC_BUF_INIT;
	char path[2 * PATH_MAX];
	struct names top, sidecars;
	int64_t n = 0;
	uint32_t v2;

	fixture_commit(f, 0, V2_PROTOCOL V2_METADATA REST ADD("a") ADD("b"));
	write_checkpoint(f);
	top = list(f, ".", ".parquet");
	sidecars = list(f, "_sidecars", ".parquet");
	snprintf(path, sizeof(path), "%s/_last_checkpoint", f->log);
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, path, &b, &err), CDC_OK);
	assert_int_equal(cdc_json_scan(&t, cdc_buf_str(&b), NULL, &err), CDC_OK);
	/* checkpointMetadata, protocol, metaData, txn, domain, sidecar; two adds. */
	assert_true(cdc_json_int64(&t, cdc_json_get(&t, 0, "size"), &n));
	assert_int_equal(n, 8);
	assert_true(cdc_json_int64(&t, cdc_json_get(&t, 0, "numOfAddFiles"), &n));
	assert_int_equal(n, 2);
	assert_true(cdc_json_int64(&t, cdc_json_get(&t, 0, "sizeInBytes"), &n));
	assert_int_equal(n,
			 size_of(f, ".", top.name[0]) + size_of(f, "_sidecars", sidecars.name[0]));
	v2 = cdc_json_get(&t, 0, "v2Checkpoint");
	assert_str(cdc_json_raw(&t, cdc_json_get(&t, v2, "path")), top.name[0]);
	assert_true(cdc_json_int64(&t, cdc_json_get(&t, v2, "sizeInBytes"), &n));
	assert_int_equal(n, size_of(f, ".", top.name[0]));
	assert_true(cdc_json_int64(&t, cdc_json_get(&t, v2, "modificationTime"), &n));
	assert_true(n > 0);
	cdc_tape_free(&t);
	cdc_buf_free(&b);
}

/* Names that an earlier run drew, as happens under SOURCE_DATE_EPOCH. */
static int same_random(void *ctx, void *buf, size_t n)
{
	static unsigned char next;

	(void)ctx;
	memset(buf, ++next / 4, n);
	return 0;
}

static void names_are_not_reused(void **state)
{
	const struct fixture *f = *state;
	struct cdc_io io = cdc_io_posix;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s;

	io.random = same_random;
	fixture_commit(f, 0, V2_PROTOCOL V2_METADATA ADD("a"));
	assert_int_equal(write_with(&io, f, &err), CDC_OK);
	fixture_commit(f, 1, ADD("b"));
	assert_int_equal(write_with(&io, f, &err), CDC_OK);
	assert_int_equal(list(f, "_sidecars", ".parquet").n, 2);
	s = fixture_load(f, 0);
	assert_live(s, "a");
	cdc_snapshot_free(s);
}

static void remove_all(const struct fixture *f, const char *dir, const char *tail)
{
	struct names l = list(f, dir, tail);
	char name[256];

	for (int i = 0; i < l.n; i++) {
		snprintf(name, sizeof(name), "%s/%s", dir, l.name[i]);
		fixture_unlink(f, name);
	}
}

static bool fault_at(const struct fixture *f, uint64_t nth, bool after)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s;
	struct faultio io;
	int rc, tops, sidecars;

	remove_all(f, ".", ".parquet");
	remove_all(f, "_sidecars", ".parquet");
	faultio_init(&io, &cdc_io_posix);
	io.fail_at = nth;
	io.fail_after = after;
	rc = write_with(&io.io, f, &err);
	if (!io.hits)
		assert_int_equal(rc, CDC_OK);
	tops = list(f, ".", ".parquet").n;
	sidecars = list(f, "_sidecars", ".parquet").n;
	if (!(io.hits && io.last_hit == FAULTIO_UNLINK))
		assert_int_equal(sidecars, tops);
	assert_true(tops == 1 || rc != CDC_OK);
	if (tops)
		fixture_unlink(f, "00000000000000000000.json");
	s = fixture_load(f, -1);
	assert_int_equal(s->checkpoint_version, tops ? 1 : -1);
	assert_live(s, "a b");
	cdc_snapshot_free(s);
	fixture_commit(f, 0, V2_PROTOCOL V2_METADATA ADD("a"));
	return io.hits > 0;
}

static void faults(void **state)
{
	const struct fixture *f = *state;

	fixture_commit(f, 0, V2_PROTOCOL V2_METADATA ADD("a"));
	fixture_commit(f, 1, ADD("b"));
	for (int after = 0; after < 2; after++) {
		uint64_t n = 1;

		while (fault_at(f, n, after))
			n++;
		assert_true(n > 20);
	}
}

#define WITH_TABLE(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(survives),	   WITH_TABLE(sidecars_are_cut),
		WITH_TABLE(without_files), WITH_TABLE(only_where_asked_for),
		WITH_TABLE(hint),	   WITH_TABLE(names_are_not_reused),
		WITH_TABLE(faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
