/*
 * Reading of tables, timed: the half of tests/bench/bench_scan.py that is ours.
 *
 * Takes requests from its standard input, one a line, and answers each with a line of JSON:
 *
 *	scan TABLE COLUMN	rows through lib/table's scan, and of each column the number of
 *				values and their sum
 *	decode TABLE COLUMN	the Parquet layer alone: every value is decoded, none is looked at
 *	check TABLE COLUMN	as scan, with a sum that depends on each value's row and bytes
 *
 * COLUMN is a name, or * for all columns side by side. Sums: integers as they are, decimals
 * unscaled, dates in days, timestamps in microseconds, booleans as 0 and 1, strings by their bytes.
 * For check each is multiplied by 1 + row % 1000003, and a string counts as the MD5 of
 * "row:string". One process answers all requests, as DuckDB does: memory is warm on both sides.
 */
#include "base/endian.h"
#include "base/md5.h"
#include "table/scan/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 8192, CYCLE = 1000003, LINE_MAX_BYTES = 8192 };

struct sum {
	uint64_t count;
	cdc_i128 whole;
	long double real;
};

static void die(const struct cdc_err *err)
{
	fprintf(stderr, "bench_scan: %s: %s\n", err->file, err->msg);
	exit(1);
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ------------------------------------------------------------------ sums */

/*
 * A slot under a null holds nothing that counts. `valid` may be NULL. No branch on it: what the sum
 * costs is not what is measured. MASKED is for integers; a double under a null is zero.
 */
#define MASKED(v, valid) ((v) & -(valid))
#define PLAIN(v, valid) (v)
#define ADD(name, type, as, into, under)                                                           \
	static void add_##name(struct sum *s, const void *values, const uint8_t *valid,            \
			       uint32_t n)                                                         \
	{                                                                                          \
		const type *v = values;                                                            \
		as total = 0;                                                                      \
		if (valid)                                                                         \
			for (uint32_t i = 0; i < n; i++)                                           \
				total += under((as)v[i], (as)valid[i]);                            \
		else                                                                               \
			for (uint32_t i = 0; i < n; i++)                                           \
				total += v[i];                                                     \
		s->into += total;                                                                  \
	}                                                                                          \
	static void weigh_##name(struct sum *s, const void *values, const uint8_t *valid,          \
				 uint32_t n, uint64_t row)                                         \
	{                                                                                          \
		const type *v = values;                                                            \
		for (uint32_t i = 0; i < n; i++)                                                   \
			if (!valid || valid[i])                                                    \
				s->into += (as)v[i] * (as)(1 + (row + i) % CYCLE);                 \
	}

ADD(u8, uint8_t, int64_t, whole, MASKED)
ADD(i32, int32_t, int64_t, whole, MASKED)
ADD(i64, int64_t, cdc_i128, whole, MASKED)
ADD(i128, cdc_i128, cdc_i128, whole, MASKED)
ADD(double, double, double, real, PLAIN)

static void add_str(struct sum *s, const void *values, const uint8_t *valid, uint32_t n)
{
	const struct cdc_str *v = values;
	size_t total = 0;

	for (uint32_t i = 0; i < n; i++)
		total += v[i].n & (valid ? -(size_t)valid[i] : SIZE_MAX);
	s->whole += total;
}

static void weigh_str(struct sum *s, const struct cdc_column *c, uint32_t n, uint64_t row)
{
	static char text[1 << 20];
	const struct cdc_str *v = c->values;
	uint8_t sum[CDC_MD5_BYTES];

	for (uint32_t i = 0; i < n; i++) {
		int head = sprintf(text, "%" PRIu64 ":", row + i);

		if (cdc_column_is_null(c, i))
			continue;
		if (v[i].n > sizeof(text) - 32)
			abort();
		memcpy(text + head, v[i].p, v[i].n);
		/* DuckDB's md5_number_lower. */
		cdc_md5(text, (size_t)head + v[i].n, sum);
		s->whole += cdc_le64(sum + 8);
	}
}

static uint64_t count(const struct cdc_column *c, uint32_t n)
{
	uint64_t ones = 0;

	if (!c->valid)
		return n;
	for (uint32_t i = 0; i < n; i++)
		ones += c->valid[i];
	return ones;
}

static void add(struct sum *s, const struct cdc_column *c, uint32_t n, bool check, uint64_t row)
{
	static const struct {
		void (*add)(struct sum *, const void *, const uint8_t *, uint32_t);
		void (*weigh)(struct sum *, const void *, const uint8_t *, uint32_t, uint64_t);
	} op[] = {
		[CDC_TYPE_BOOLEAN] = { add_u8, weigh_u8 },
		[CDC_TYPE_BYTE] = { add_i32, weigh_i32 },
		[CDC_TYPE_SHORT] = { add_i32, weigh_i32 },
		[CDC_TYPE_INTEGER] = { add_i32, weigh_i32 },
		[CDC_TYPE_LONG] = { add_i64, weigh_i64 },
		[CDC_TYPE_FLOAT] = { NULL, NULL },
		[CDC_TYPE_DOUBLE] = { add_double, weigh_double },
		[CDC_TYPE_DECIMAL] = { add_i128, weigh_i128 },
		[CDC_TYPE_STRING] = { add_str, NULL },
		[CDC_TYPE_BINARY] = { add_str, NULL },
		[CDC_TYPE_DATE] = { add_i32, weigh_i32 },
		[CDC_TYPE_TIMESTAMP] = { add_i64, weigh_i64 },
		[CDC_TYPE_TIMESTAMP_NTZ] = { add_i64, weigh_i64 },
	};
	enum cdc_type t = c->field->type;

	if (t > CDC_TYPE_TIMESTAMP_NTZ || !op[t].add)
		abort();
	s->count += count(c, n);
	if (!check)
		op[t].add(s, c->values, c->valid, n);
	else if (op[t].weigh)
		op[t].weigh(s, c->values, c->valid, n, row);
	else
		weigh_str(s, c, n, row);
}

/* ------------------------------------------------------------------ requests */

/* Columns that a request names, as indexes; their number. */
static int choose(const struct cdc_snapshot *s, const char *name, int *out)
{
	int n = 0;

	for (int i = 0; i < s->schema.num_fields; i++)
		if (strcmp(name, "*") == 0 || cdc_str_eqz(s->schema.field[i].name, name))
			out[n++] = i;
	return n;
}

static uint64_t scan(const struct cdc_snapshot *s, const int *field, int num, bool check,
		     struct sum *sum)
{
	struct cdc_scan_options opt = { .columns = field, .num_columns = num };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_scan *sc = NULL;
	struct cdc_batch b;
	uint64_t rows = 0;
	int rc = cdc_scan_new(&sc, &cdc_io_posix, s, &opt, &err);

	while (rc == CDC_OK) {
		rc = cdc_scan_next(sc, &b, &err);
		if (rc != CDC_OK)
			break;
		for (int i = 0; i < num; i++)
			add(&sum[i], &b.column[i], b.rows, check, rows);
		rows += b.rows;
	}
	if (rc < 0)
		die(&err);
	cdc_scan_free(sc);
	return rows;
}

/* All row groups of one leaf; the number of slots. */
static uint64_t decode_leaf(struct cdc_pq_file *f, int32_t leaf)
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

static uint64_t decode(const struct cdc_snapshot *s, const int *field, int num)
{
	struct cdc_err err = CDC_ERR_INIT;
	uint64_t rows = 0;

	for (size_t i = 0; i < s->num_adds; i++) {
		struct cdc_datafile *df = NULL;

		if (cdc_datafile_open(&df, &cdc_io_posix, s, &s->add[i], &err) < 0)
			die(&err);
		for (int k = 0; k < num; k++)
			rows += decode_leaf(cdc_datafile_parquet(df),
					    cdc_datafile_leaf(df, field[k]));
		cdc_datafile_close(df);
	}
	return rows / (uint64_t)(num ? num : 1);
}

static void print_whole(cdc_i128 v)
{
	char text[48];
	char *p = text + sizeof(text);
	cdc_u128 rest = v < 0 ? -(cdc_u128)v : (cdc_u128)v;

	*--p = '\0';
	do
		*--p = (char)('0' + (int)(rest % 10));
	while (rest /= 10);
	printf("\"sum\":\"%s%s\"}", v < 0 ? "-" : "", p);
}

static void answer(const struct cdc_snapshot *s, const int *field, int num, const struct sum *sum,
		   uint64_t rows, const double *t)
{
	printf("{\"rows\":%" PRIu64 ",\"cpu_ms\":%.3f,\"wall_ms\":%.3f,\"columns\":[", rows,
	       1e3 * t[0], 1e3 * t[1]);
	for (int i = 0; i < num; i++) {
		const struct cdc_field *f = &s->schema.field[field[i]];

		printf("%s{\"name\":\"%.*s\",\"count\":%" PRIu64 ",", i ? "," : "", (int)f->name.n,
		       f->name.p, sum[i].count);
		if (f->type == CDC_TYPE_DOUBLE)
			printf("\"sum\":\"%.17Lg\"}", sum[i].real);
		else
			print_whole(sum[i].whole);
	}
	puts("]}");
	fflush(stdout);
}

static void serve(const char *mode, const char *table, const char *column)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s = NULL;
	double t[2] = { -seconds(CLOCK_PROCESS_CPUTIME_ID), -seconds(CLOCK_MONOTONIC) };
	struct sum *sum;
	uint64_t rows;
	int *field;
	int num;

	if (cdc_snapshot_load(&s, &cdc_io_posix, table, -1, &err) < 0)
		die(&err);
	field = calloc((size_t)s->schema.num_fields, sizeof(*field));
	sum = calloc((size_t)s->schema.num_fields, sizeof(*sum));
	if (!field || !sum)
		abort();
	num = choose(s, column, field);
	if (strcmp(mode, "decode") == 0)
		rows = decode(s, field, num);
	else
		rows = scan(s, field, num, strcmp(mode, "check") == 0, sum);
	t[0] += seconds(CLOCK_PROCESS_CPUTIME_ID);
	t[1] += seconds(CLOCK_MONOTONIC);
	answer(s, field, num, sum, rows, t);
	cdc_snapshot_free(s);
	free(field);
	free(sum);
}

int main(void)
{
	char line[LINE_MAX_BYTES];

	while (fgets(line, sizeof(line), stdin)) {
		char *mode = strtok(line, " \n");
		char *table = strtok(NULL, " \n");
		char *column = strtok(NULL, "\n");

		if (!mode || !table || !column) {
			fputs("bench_scan: a request is: MODE TABLE COLUMN\n", stderr);
			return 2;
		}
		serve(mode, table, column);
	}
	return 0;
}
