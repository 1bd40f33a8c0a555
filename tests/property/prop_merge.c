/*
 * Proves that a merged table is what the law of cdc(7) says, by SQLite: random streams of changes
 * with key changes, swaps, re-inserts, partial images, nulls and TRUNCATE, shuffled inside their
 * batches, are merged batch by batch in every mode, and each version is compared with a table that
 * SQLite keeps by replaying the records one at a time. Also that a stream which is replayed from
 * its start changes nothing (law 3).
 *
 *	prop_merge [SEQUENCES [SEED]]
 */
#include "tests/property/law.h"

#include <time.h>

#define MAX_BATCH 40
#define LINE_MAX_ 1024

/* ------------------------------------------------------------------ one sequence */

struct sequence {
	const struct law_shape *shape;
	const struct cdc_io *io;
	const char *path;
	const char *property[2];
	sqlite3 *db;
	struct law_change batch[MAX_BATCH];
	uint64_t next_id;
	struct cdc_buf all; /* every line so far, for the replay */
};

static int open_merge(struct sequence *q, struct cdc_merge **m, struct cdc_err *err)
{
	struct cdc_merge_options o = { .io = q->io,
				       .table = q->path,
				       .create = true,
				       .schema = q->shape->ddl,
				       .key = q->shape->key,
				       .partition_by = q->shape->partition,
				       .property = q->property,
				       .mode = q->shape->mode,
				       .on_reject = law_reject };

	return cdc_merge_new(m, &o, err);
}

static int feed(struct sequence *q, struct cdc_merge *m, const char *line, size_t n,
		struct cdc_err *err)
{
	int rc = cdc_buf_append(&q->all, line, n, err);

	if (!rc)
		rc = cdc_buf_putc(&q->all, '\n', err);
	return rc ? rc : cdc_merge_line(m, cdc_str(line, n), 1, "test", err);
}

/* A batch: generated in order for the oracle, shuffled for the merge, closed by a CHECKPOINT. */
static int run_batch(struct sequence *q, struct cdc_merge *m, struct cdc_err *err)
{
	uint32_t n = 1 + law_rnd(MAX_BATCH);
	char line[LINE_MAX_ * 4];
	size_t len;

	for (uint32_t i = 0; i < n; i++) {
		q->batch[i] = law_change_random(q->shape, q->next_id++);
		law_replay(q->db, q->shape, &q->batch[i]);
	}
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = law_rnd(i);
		struct law_change t = q->batch[j];

		q->batch[j] = q->batch[i - 1];
		q->batch[i - 1] = t;
	}
	for (uint32_t i = 0; i < n; i++) {
		len = law_put_record(line, &q->batch[i]);
		if (feed(q, m, line, len, err))
			return err->code;
	}
	len = (size_t)sprintf(line,
			      "{\"recordType\":\"CHECKPOINT\",\"positions\":[{\"topic\":\"t\","
			      "\"partition\":0,\"offset\":%llu}]}",
			      (unsigned long long)q->next_id - 1);
	return feed(q, m, line, len, err);
}

static int compare(struct sequence *q, struct cdc_err *err)
{
	struct law_lines want = { .n = 0 }, have = { .n = 0 };
	int rc = law_table_rows(q->io, q->path, -1, &have, err);

	law_sqlite_rows(law_prepare(q->db, "SELECT * FROM m"), LAW_FIRST, &want);
	if (!rc && !law_same(&want, &have)) {
		rc = cdc_fail(err, CDC_EDATA, "table has %zu rows, SQLite %zu, or they differ",
			      have.n, want.n);
		for (size_t i = 0; i < want.n || i < have.n; i++)
			printf("#  %-60s %s\n", i < want.n ? want.line[i] : "-",
			       i < have.n ? have.line[i] : "-");
	}
	law_lines_free(&want);
	law_lines_free(&have);
	return rc;
}

/* Law 3: the whole stream once more, by a new run. */
static int replay_all(struct sequence *q, int64_t version, struct cdc_err *err)
{
	struct cdc_merge *m = NULL;
	size_t at = 0;
	int rc = open_merge(q, &m, err);

	while (!rc && at < q->all.len) {
		const char *end = memchr(q->all.p + at, '\n', q->all.len - at);

		rc = cdc_merge_line(m, cdc_str(q->all.p + at, (size_t)(end - q->all.p) - at), 1,
				    "test", err);
		at = (size_t)(end - q->all.p) + 1;
	}
	if (!rc)
		rc = cdc_merge_finish(m, err);
	if (!rc && (cdc_merge_version(m) >= 0 || cdc_merge_counts(m)->batches))
		rc = cdc_fail(err, CDC_EDATA, "the replay wrote version %lld after %lld",
			      (long long)cdc_merge_version(m), (long long)version);
	cdc_merge_free(m);
	return rc ? rc : compare(q, err);
}

static int run_sequence(struct sequence *q, struct cdc_err *err)
{
	struct cdc_merge *m = NULL;
	uint32_t batches = 1 + law_rnd(6);
	int rc = open_merge(q, &m, err);

	for (uint32_t i = 0; !rc && i < batches; i++) {
		rc = run_batch(q, m, err);
		if (!rc)
			rc = compare(q, err);
		/* Sometimes by a new run, as cron would do it. */
		if (!rc && law_rnd(3) == 0) {
			rc = cdc_merge_finish(m, err);
			cdc_merge_free(m);
			m = NULL;
			if (!rc)
				rc = open_merge(q, &m, err);
		}
	}
	if (!rc)
		rc = cdc_merge_finish(m, err);
	if (!rc)
		rc = replay_all(q, cdc_merge_version(m), err);
	cdc_merge_free(m);
	return rc;
}

int main(int argc, char **argv)
{
	size_t shapes_n = sizeof(law_shapes) / sizeof(law_shapes[0]);
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1400;
	unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : (unsigned long)time(NULL);
	struct cdc_io io = cdc_io_posix;
	unsigned long failed[16] = { 0 }, ran[16] = { 0 };
	char root[] = "/tmp/prop-merge-XXXXXX";
	char path[128];

	io.fsync = law_no_fsync;
	if (!mkdtemp(root))
		return 4;
	printf("# seed %lu\n", seed);
	for (unsigned long i = 0; i < count; i++) {
		struct sequence q = { .shape = &law_shapes[i % shapes_n],
				      .io = &io,
				      .path = path,
				      .property = { law_shapes[i % shapes_n].property } };
		struct cdc_err err = CDC_ERR_INIT;

		law_rng = (seed + i) * 0x9e3779b97f4a7c15u | 1;
		law_rnd(2);
		snprintf(path, sizeof(path), "%s/t%lu", root, i);
		q.db = law_open();
		ran[i % shapes_n]++;
		if (run_sequence(&q, &err)) {
			failed[i % shapes_n]++;
			printf("# %s, seed %lu: %s\n", q.shape->name, seed + i, err.msg);
		}
		sqlite3_close(q.db);
		cdc_buf_free(&q.all);
		law_remove_tree(path);
		if (failed[i % shapes_n] > 2)
			break;
	}
	law_remove_tree(root);
	for (size_t s = 0; s < shapes_n; s++)
		printf("%s %zu - %s: %lu sequences equal SQLite's replay\n",
		       failed[s] || !ran[s] ? "not ok" : "ok", s + 1, law_shapes[s].name, ran[s]);
	printf("1..%zu\n", shapes_n);
	return 0;
}
