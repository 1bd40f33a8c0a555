/*
 * Proves that a table keeps every version, whatever is done to it: random sequences of merges,
 * redeliveries, compactions, checkpoints, vacuums, properties that change, columns that come and
 * grow, and the passing of days, some beside another writer who commits first, some with a call to
 * the system that fails, are done to one table while SQLite keeps the rows of each version.
 * Versions that the retentions promise must have SQLite's rows, others too or be refused; the
 * change data of a range of versions must turn the rows before it into those after it, and the
 * change data feed of a commit must have what it changed. A sequence that fails is made as short as
 * it can be, and printed.
 *
 *	prop_table [SEQUENCES [SEED]]
 */
#include "tests/property/table_check.h"

#include <signal.h>
#include <time.h>

#define MAX_OPS 24
#define MAX_TRIES 300 /* to make a failure smaller */
/* The sanitizers have a report of their own. */
#ifdef __SANITIZE_ADDRESS__
#define CATCH_CRASHES false
#else
#define CATCH_CRASHES true
#endif

/* ------------------------------------------------------------------ one sequence */

static int create(struct run *r, struct cdc_err *err)
{
	const char *property[] = {
		"delta.logRetentionDuration=interval 48 hours",
		"delta.deletedFileRetentionDuration=interval 36 hours",
		"delta.checkpointInterval=4",
		r->dvs ? "delta.enableDeletionVectors=true" : "delta.enableDeletionVectors=false",
		r->feed ? "delta.enableChangeDataFeed=true" : "delta.enableChangeDataFeed=false",
		natures[r->nature],
		NULL
	};
	struct cdc_merge_options o = { .io = &r->world.io,
				       .table = r->path,
				       .create = true,
				       .schema = r->shape.ddl,
				       .key = r->shape.key,
				       .partition_by = r->shape.partition,
				       .property = property,
				       .on_reject = law_reject };
	struct cdc_merge *m = NULL;
	int rc;

	rc = cdc_merge_new(&m, &o, err);
	if (!rc)
		rc = cdc_merge_finish(m, err);
	cdc_merge_free(m);
	r->since_us = r->world.now_us;
	return rc ? rc : note_versions(r, err);
}

static int check_after(struct run *r, struct cdc_err *err)
{
	size_t last = r->num_versions - 1;
	int rc = check_version(r, last, err);

	if (!rc && last && changes_promised(r, last, last))
		rc = check_feed(r, last, err);
	if (!rc && law_rnd(4) == 0)
		rc = check_version(r, law_rnd((uint32_t)r->num_versions), err);
	if (!rc && law_rnd(4) == 0)
		rc = check_some_changes(r, err);
	return rc;
}

static int check_all(struct run *r, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < r->num_versions; i++)
		rc = check_version(r, i, err);
	for (size_t i = 0; !rc && i < r->num_versions; i++)
		rc = check_changes(r, i, i, err);
	for (size_t i = 1; !rc && i < r->num_versions; i++)
		if (changes_promised(r, i, i))
			rc = check_feed(r, i, err);
	for (int i = 0; !rc && i < 4; i++)
		rc = check_some_changes(r, err);
	return rc;
}

struct plan {
	const struct law_shape *shape;
	uint64_t seed;
	struct op op[MAX_OPS];
	size_t n;
};

static int run_plan(const struct plan *p, const char *path, bool verbose, struct cdc_err *err)
{
	struct run *r = calloc(1, sizeof(*r));
	int rc;

	*err = (struct cdc_err)CDC_ERR_INIT;
	*r = (struct run){ .shape = *p->shape,
			   .path = path,
			   .db = law_open(),
			   .stream = { { .app_id = NULL }, { .app_id = "other" } },
			   .dvs = p->shape->property || p->shape->mode == CDC_MERGE_DV,
			   .feed = p->seed / 2 % 3 == 0,
			   .nature = p->seed / 8 % NATURES,
			   .verbose = verbose };
	world_init(&r->world, p->seed);
	law_sql(r->db, "CREATE TABLE h(version INTEGER, k, n, d, s, day, x, y)");
	rc = create(r, err);
	for (size_t i = 0; !rc && i < p->n; i++) {
		if (p->op[i].dropped)
			continue;
		rc = do_op(r, &p->op[i], err);
		if (!rc)
			rc = check_after(r, err);
		if (rc)
			cdc_err_prefix(err, "after step %zu", i);
	}
	if (!rc)
		rc = check_all(r, err);
	sqlite3_close(r->db);
	cdc_buf_free(&r->stream[0].fed);
	cdc_buf_free(&r->stream[1].fed);
	free(r->v);
	free(r);
	law_remove_tree(path);
	return rc;
}

/* ------------------------------------------------------------------ sequences */

/*
 * Who commits first beside whom: not a vacuum without retention, which may take what is at work. A
 * compaction has somebody beside it more often, since it often has nothing to do.
 */
static enum kind random_race(enum kind kind)
{
	static const enum kind beside_merge[] = { MERGE,  MERGE,    COMPACT,
						  VACUUM, PROPERTY, CHECKPOINT };
	static const enum kind beside_other[] = { MERGE, MERGE, MERGE, MERGE, COMPACT, PROPERTY };

	if (kind == REPLAY || kind == CHECKPOINT || (law_rnd(3) && (kind != COMPACT || law_rnd(2))))
		return KINDS;
	return kind == MERGE || kind == EVOLVE ? beside_merge[law_rnd(6)]
					       : beside_other[law_rnd(6)];
}

static struct op random_op(void)
{
	static const enum kind kinds[] = { MERGE,   MERGE,	MERGE,	  MERGE,   MERGE,
					   REPLAY,  EVOLVE,	VACUUM,	  VACUUM,  COMPACT,
					   COMPACT, CHECKPOINT, PROPERTY, PROPERTY };
	struct op op = { .kind = kinds[law_rnd(14)] };

	op.seed = ((uint64_t)law_rnd(UINT32_MAX) << 32 | law_rnd(UINT32_MAX)) | 1;
	op.idle_us = (law_rnd(2) ? law_rnd(36) : 0) * HOUR_US + law_rnd(1000) * 1000;
	op.size = 1 + law_rnd(law_rnd(2) ? 4 : MAX_BATCH);
	op.force = law_rnd(3) == 0;
	op.race = random_race(op.kind);
	op.race_size = 1 + law_rnd(4);
	if (law_rnd(4) == 0)
		op.fault = 1 + law_rnd(law_rnd(2) ? 40 : 250);
	op.fault_errno = law_rnd(2) ? EIO : ENOSPC;
	op.lost_reply = law_rnd(3) == 0;
	return op;
}

static void make_plan(struct plan *p, const struct law_shape *shape, uint64_t seed)
{
	*p = (struct plan){ .shape = shape, .seed = seed * 0x9e3779b97f4a7c15u | 1 };
	law_rng = p->seed;
	law_rnd(2);
	p->n = 3 + law_rnd(MAX_OPS - 2);
	for (size_t i = 0; i < p->n; i++)
		p->op[i] = random_op();
}

/* Leave out what the failure does not need: steps, then what makes them special, then changes. */
static void shrink(struct plan *p, const char *path)
{
	struct cdc_err err;
	int tries = 0;
	bool smaller = true;

	while (smaller && tries < MAX_TRIES) {
		smaller = false;
		for (size_t i = p->n; i-- > 0;) {
			for (int what = 0; what < 5 && !p->op[i].dropped; what++) {
				struct op was = p->op[i], *op = &p->op[i];

				if (what == 0)
					op->dropped = true;
				else if (what == 1)
					op->race = KINDS;
				else if (what == 2)
					op->fault = 0;
				else if (what == 3)
					op->idle_us = 0;
				else if (op->size > 1)
					op->size /= 2;
				if (!memcmp(&was, op, sizeof(was)))
					continue;
				tries++;
				if (run_plan(p, path, false, &err))
					smaller = true;
				else
					*op = was;
			}
		}
	}
}

static void print_plan(const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->op[i];

		if (op->dropped)
			continue;
		printf("#   step %zu: after %" PRId64 " ms %s", i, op->idle_us / 1000,
		       kind_name[op->kind]);
		if (op->kind == MERGE || op->kind == EVOLVE)
			printf(" of %u changes", op->size);
		if (op->kind == VACUUM && op->force)
			printf(" without retention");
		if (op->race != KINDS)
			printf(", beside %s", kind_name[op->race]);
		if (op->fault)
			printf(", call %u fails%s", op->fault, op->lost_reply ? " afterwards" : "");
		printf(" (seed %" PRIu64 ")\n", op->seed);
	}
}

static bool run_seed(const struct law_shape *shape, uint64_t seed, const char *path)
{
	struct plan *p = calloc(1, sizeof(*p));
	struct cdc_err err;
	bool good;

	make_plan(p, shape, seed);
	good = !run_plan(p, path, false, &err);
	if (!good) {
		printf("# %s, seed %" PRIu64 ": %s\n", shape->name, seed, err.msg);
		shrink(p, path);
		if (run_plan(p, path, true, &err))
			printf("# the shortest: %s\n", err.msg);
		print_plan(p);
		fflush(stdout);
	}
	free(p);
	return good;
}

static char doing[64]; /* what to say when the program dies */

static void on_crash(int signal_number)
{
	(void)!write(STDOUT_FILENO, doing, strlen(doing));
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

int main(int argc, char **argv)
{
	size_t shapes = sizeof(law_shapes) / sizeof(law_shapes[0]);
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 105;
	unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : (unsigned long)time(NULL);
	unsigned long failed[16] = { 0 }, ran[16] = { 0 }, failures = 0;
	char root[] = "/tmp/prop-table-XXXXXX";
	char path[128];

	if (!mkdtemp(root))
		return 4;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (CATCH_CRASHES) {
		signal(SIGSEGV, on_crash);
		signal(SIGABRT, on_crash);
	}
	printf("# seed %lu\n", seed);
	for (unsigned long i = 0; i < count && failures < 3; i++) {
		size_t s = (seed + i) % shapes;

		snprintf(path, sizeof(path), "%s/t%lu", root, i);
		snprintf(doing, sizeof(doing), "# crash at seed %lu\n", seed + i);
		ran[s]++;
		if (!run_seed(&law_shapes[s], seed + i, path)) {
			failed[s]++;
			failures++;
		}
	}
	law_remove_tree(root);
	for (int k = 0; k < KINDS; k++)
		printf("# %lu times %s\n", tally.done[k], kind_name[k]);
	printf("# %lu other writers first, %lu faults, %lu deletions carried over by compactions\n",
	       tally.races, tally.faults, tally.carried);
	printf("# %lu versions, %lu ranges with %lu changes and %lu change files compared, of which "
	       "%lu were refused for their age\n",
	       tally.versions, tally.ranges, tally.changes, tally.feeds, tally.refused);
	for (size_t s = 0; s < shapes; s++)
		printf("%s %zu - %s: every version of %lu tables is SQLite's%s\n",
		       failed[s] ? "not ok" : "ok", s + 1, law_shapes[s].name, ran[s],
		       ran[s] ? "" : " # skip: fewer sequences than kinds of tables");
	printf("1..%zu\n", shapes);
	return 0;
}
