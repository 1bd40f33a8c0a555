/*
 * How fast the Parquet reader decodes: M values/s for each column of the files given, by CPU
 * time of one thread, in batches of 8192, the best of some passes; then the whole file. A JSON line
 * for each.
 *
 *	bench_pq_read [-n PASSES] FILE...
 *
 * tests/bench/bench_pq_read.py makes files and sets DuckDB beside it.
 */
#include "parquet/parquet.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 8192 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const struct cdc_err *err)
{
	fprintf(stderr, "bench_pq_read: %s: %s\n", err->file, err->msg);
	exit(1);
}

/* All row groups of one leaf; the number of slots. */
static uint64_t read_leaf(struct cdc_pq_file *f, int32_t leaf)
{
	const struct cdc_pq_metadata *m = cdc_pq_metadata(f);
	struct cdc_err err = CDC_ERR_INIT;
	uint64_t slots = 0;

	for (int32_t g = 0; g < m->num_row_groups; g++) {
		struct cdc_pq_column *c = NULL;
		struct cdc_pq_vec v;
		int rc = cdc_pq_column_open(&c, f, g, leaf, &err);

		while (rc == CDC_OK) {
			rc = cdc_pq_column_read(c, BATCH, &v, &err);
			if (rc == CDC_OK)
				slots += v.n;
		}
		cdc_pq_column_close(c);
		if (rc < 0)
			die(&err);
	}
	return slots;
}

static void bench_file(const char *path, int passes)
{
	const struct cdc_pq_metadata *m;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_file *f = NULL;
	double sum = 0;

	if (cdc_pq_open(&f, &cdc_io_posix, path, 0, &err) < 0)
		die(&err);
	m = cdc_pq_metadata(f);
	for (int32_t i = 0; i < m->schema.num_leaves; i++) {
		const struct cdc_pq_node *n = &m->schema.node[m->schema.leaf_node[i]];
		double best = 1e30;
		uint64_t slots = 0;

		for (int k = 0; k < passes; k++) {
			double t = now();

			slots = read_leaf(f, i);
			t = now() - t;
			best = t < best ? t : best;
		}
		sum += best;
		printf("{\"file\":\"%s\",\"column\":\"%.*s\",\"values\":%llu,\"ms\":%.3f,"
		       "\"mvalues_per_s\":%.1f}\n",
		       path, (int)n->name.n, n->name.p, (unsigned long long)slots, 1e3 * best,
		       1e-6 * (double)slots / best);
	}
	printf("{\"file\":\"%s\",\"rows\":%lld,\"ms\":%.1f}\n", path, (long long)m->num_rows,
	       1e3 * sum);
	cdc_pq_close(f);
}

int main(int argc, char **argv)
{
	int passes = 3;
	int i = 1;

	if (argc > 2 && strcmp(argv[1], "-n") == 0) {
		passes = atoi(argv[2]);
		i = 3;
	}
	if (i >= argc) {
		fputs("usage: bench_pq_read [-n PASSES] FILE...\n", stderr);
		return 2;
	}
	for (; i < argc; i++)
		bench_file(argv[i], passes);
	return 0;
}
