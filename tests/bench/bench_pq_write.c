/*
 * How fast the Parquet writer encodes: M values/s and MB/s per kind of column, and for a table of
 * 16 mixed columns after the shape of TPC-H's lineitem. CPU time of one thread; the bytes go to a
 * sink, or to the files DIR/KIND.parquet when a directory is given, so that others can read them.
 *
 *	bench_pq_write [ROWS [DIR|- [NAME]]]
 */
#include "parquet/parquet.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 8192, MAX_COLUMNS = 16, TEXT_BYTES = 64 };

enum kind {
	KIND_SEQUENCE, /* 0, 1, 2 … */
	KIND_FEW, /* 50 values */
	KIND_MANY, /* 100 000 values */
	KIND_RANDOM, /* all different */
	KIND_RUNS /* changes every 100 rows */
};

struct column {
	const char *name;
	enum cdc_pq_type type;
	enum cdc_pq_logical logical;
	enum kind kind;
	int32_t length; /* FIXED, and of strings */
	bool nulls;
};

static const struct column lineitem[MAX_COLUMNS] = {
	{ "orderkey", CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE, KIND_RUNS, 0, false },
	{ "partkey", CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE, KIND_RANDOM, 0, false },
	{ "suppkey", CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE, KIND_MANY, 0, false },
	{ "linenumber", CDC_PQ_INT32, CDC_PQ_LOGICAL_NONE, KIND_FEW, 0, false },
	{ "quantity", CDC_PQ_INT64, CDC_PQ_LOGICAL_DECIMAL, KIND_FEW, 0, false },
	{ "extendedprice", CDC_PQ_INT64, CDC_PQ_LOGICAL_DECIMAL, KIND_RANDOM, 0, false },
	{ "discount", CDC_PQ_INT64, CDC_PQ_LOGICAL_DECIMAL, KIND_FEW, 0, true },
	{ "tax", CDC_PQ_FIXED, CDC_PQ_LOGICAL_DECIMAL, KIND_FEW, 16, true },
	{ "returnflag", CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING, KIND_FEW, 1, false },
	{ "linestatus", CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING, KIND_RUNS, 1, true },
	{ "shipdate", CDC_PQ_INT32, CDC_PQ_LOGICAL_DATE, KIND_RUNS, 0, true },
	{ "commitdate", CDC_PQ_INT32, CDC_PQ_LOGICAL_DATE, KIND_FEW, 0, true },
	{ "receipt", CDC_PQ_INT64, CDC_PQ_LOGICAL_TIMESTAMP, KIND_SEQUENCE, 0, true },
	{ "shipinstruct", CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING, KIND_FEW, 17, false },
	{ "shipmode", CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING, KIND_FEW, 5, false },
	{ "comment", CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING, KIND_RANDOM, 27, true },
};

static const struct column single[] = {
	{ "int64 sequence", CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE, KIND_SEQUENCE, 0, false },
	{ "int64 few", CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE, KIND_FEW, 0, false },
	{ "int64 few nulls", CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE, KIND_FEW, 0, true },
	{ "int64 many", CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE, KIND_MANY, 0, false },
	{ "int64 random", CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE, KIND_RANDOM, 0, false },
	{ "int32 few", CDC_PQ_INT32, CDC_PQ_LOGICAL_NONE, KIND_FEW, 0, false },
	{ "double random", CDC_PQ_DOUBLE, CDC_PQ_LOGICAL_NONE, KIND_RANDOM, 0, false },
	{ "boolean", CDC_PQ_BOOLEAN, CDC_PQ_LOGICAL_NONE, KIND_RANDOM, 0, false },
	{ "string few", CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING, KIND_FEW, 12, false },
	{ "string many", CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING, KIND_MANY, 12, false },
	{ "string random", CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING, KIND_RANDOM, 27, false },
	{ "decimal18 random", CDC_PQ_INT64, CDC_PQ_LOGICAL_DECIMAL, KIND_RANDOM, 0, false },
	{ "decimal38 few", CDC_PQ_FIXED, CDC_PQ_LOGICAL_DECIMAL, KIND_FEW, 16, false },
	{ "decimal38 random", CDC_PQ_FIXED, CDC_PQ_LOGICAL_DECIMAL, KIND_RANDOM, 16, false },
};

struct data {
	void *values;
	uint8_t *def;
	char *bytes;
};

static ssize_t sink(void *ctx, int fd, const void *buf, size_t n)
{
	(void)ctx;
	(void)fd;
	(void)buf;
	return (ssize_t)n;
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t key_of(enum kind kind, uint64_t row)
{
	switch (kind) {
	case KIND_SEQUENCE:
		return row;
	case KIND_FEW:
		return mix(row) % 50;
	case KIND_MANY:
		return mix(row) % 100000;
	case KIND_RUNS:
		return row / 100;
	case KIND_RANDOM:
	default:
		return mix(row) >> 24;
	}
}

/* A number and words, so that a compressor finds something. */
static size_t text(char *p, uint64_t key, size_t length)
{
	static const char word[8][12] = { "furiously ", "final ",   "deposits ", "sleep ",
					  "carefully ", "pending ", "quickly ",	 "theodolites" };
	size_t n = 0;

	for (uint64_t k = key; n == 0 || k > 0; k >>= 5)
		p[n++] = "0123456789abcdefghijklmnopqrstuv"[k & 31];
	p[n++] = ' ';
	while (n < length) {
		const char *w = word[(key = mix(key + 1)) % 8];

		memcpy(p + n, w, sizeof(word[0]));
		n += strnlen(w, sizeof(word[0]));
	}
	return length;
}

static void fill(const struct column *c, struct data *d, uint64_t row, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint64_t key = key_of(c->kind, row + i);
		char *p = d->bytes + (size_t)i * TEXT_BYTES;

		d->def[i] = !c->nulls || mix(row + i + 7) % 10 != 0;
		switch (c->type) {
		case CDC_PQ_BOOLEAN:
			((uint8_t *)d->values)[i] = key & 1;
			break;
		case CDC_PQ_INT32:
			((int32_t *)d->values)[i] = (int32_t)key;
			break;
		case CDC_PQ_INT64:
			((int64_t *)d->values)[i] = (int64_t)key;
			break;
		case CDC_PQ_DOUBLE:
			((double *)d->values)[i] = (double)key / 100;
			break;
		case CDC_PQ_FIXED:
			memset(p, 0, 16);
			for (int b = 0; b < 8; b++)
				p[15 - b] = (char)(key >> 8 * b);
			((struct cdc_str *)d->values)[i] = cdc_str(p, 16);
			break;
		case CDC_PQ_BYTE_ARRAY:
			((struct cdc_str *)d->values)[i] =
				cdc_str(p, text(p, key, (size_t)c->length));
			break;
		case CDC_PQ_INT96:
		case CDC_PQ_FLOAT:
		default:
			break;
		}
	}
}

static void leaf_of(const struct column *c, struct cdc_pq_node *n)
{
	*n = (struct cdc_pq_node){ .name = cdc_str_z(c->name),
				   .is_leaf = true,
				   .type = c->type,
				   .type_length = c->length,
				   .repetition = c->nulls ? CDC_PQ_OPTIONAL : CDC_PQ_REQUIRED,
				   .converted = CDC_PQ_CONV_NONE,
				   .logical = c->logical,
				   .scale = 2,
				   .precision = c->type == CDC_PQ_FIXED ? 38 : 18,
				   .utc = true,
				   .unit = CDC_PQ_MICROS };
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run(const char *title, const struct column *col, uint32_t num, uint64_t rows,
	       const char *dir)
{
	struct cdc_pq_node node[MAX_COLUMNS + 1] = { { .num_children = (int32_t)num,
						       .converted = CDC_PQ_CONV_NONE } };
	struct cdc_pq_schema schema = { .node = node, .num_nodes = (int32_t)num + 1 };
	struct cdc_pq_write_options opt;
	struct cdc_pq_summary summary = { .num_rows = 0 };
	struct cdc_pq_vec vec[MAX_COLUMNS];
	struct data data[MAX_COLUMNS];
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_io io = cdc_io_posix;
	struct cdc_pq_writer *w = NULL;
	char path[4096];
	double spent = 0;
	int fd = -1;
	int rc;

	if (dir) {
		snprintf(path, sizeof(path), "%s/%s.parquet", dir, title);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	} else {
		io.write = sink;
	}
	for (uint32_t i = 0; i < num; i++) {
		leaf_of(&col[i], &node[i + 1]);
		data[i].values = malloc(BATCH * sizeof(struct cdc_str));
		data[i].def = malloc(BATCH);
		data[i].bytes = malloc((size_t)BATCH * TEXT_BYTES);
		vec[i] = (struct cdc_pq_vec){ .type = col[i].type,
					      .values = data[i].values,
					      .def = col[i].nulls ? data[i].def : NULL };
	}
	cdc_pq_write_options_init(&opt);
	rc = cdc_pq_schema_finish(&schema, &arena, &err);
	if (rc == CDC_OK)
		rc = cdc_pq_writer_new(&w, &io, fd, &schema, &opt, &err);
	for (uint64_t row = 0; rc == CDC_OK && row < rows; row += BATCH) {
		uint32_t n = rows - row < BATCH ? (uint32_t)(rows - row) : BATCH;
		double start;

		for (uint32_t i = 0; i < num; i++) {
			fill(&col[i], &data[i], row, n);
			vec[i].n = n;
		}
		start = now();
		rc = cdc_pq_writer_write(w, vec, n, &err);
		spent += now() - start;
	}
	spent -= now();
	if (rc == CDC_OK)
		rc = cdc_pq_writer_finish(w, &summary, &err);
	spent += now();
	if (rc < 0)
		fprintf(stderr, "%s: %s\n", title, err.msg);
	else
		printf("%-18s %8.1f M values/s %8.2f M rows/s %8.2f bytes/value\n", title,
		       (double)rows * num / spent / 1e6, (double)rows / spent / 1e6,
		       (double)summary.file_bytes / (double)rows / num);
	cdc_pq_summary_free(&summary);
	cdc_pq_writer_free(w);
	cdc_arena_free(&arena);
	for (uint32_t i = 0; i < num; i++) {
		free(data[i].values);
		free(data[i].def);
		free(data[i].bytes);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

int main(int argc, char **argv)
{
	uint64_t rows = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;
	const char *dir = argc > 2 && strcmp(argv[2], "-") != 0 ? argv[2] : NULL;
	const char *only = argc > 3 ? argv[3] : NULL;
	int rc = 0;

	if (!only || strcmp(only, "table of 16") == 0)
		rc = run("table of 16", lineitem, MAX_COLUMNS, rows, dir);
	for (size_t i = 0; rc == CDC_OK && i < sizeof(single) / sizeof(single[0]); i++)
		if (!only || strcmp(only, single[i].name) == 0)
			rc = run(single[i].name, &single[i], 1, rows, dir);
	return rc == CDC_OK ? 0 : 1;
}
