/*
 * Rows to text: speed of the printers on flat columns of the common types and on nested ones, in
 * bytes written, one thread, CPU time, best of five. Output goes to /dev/null.
 */
#include "table/print/print.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ROWS = CDC_BATCH_ROWS, BATCHES = 100, RUNS = 5, LISTED = 4 };

static int64_t ids[ROWS];
static int32_t small[ROWS];
static double doubles[ROWS];
static cdc_i128 decimals[ROWS];
static int64_t times[ROWS];
static struct cdc_str names[ROWS];
static uint8_t valid[ROWS];
static struct cdc_span spans[ROWS];
static int64_t elements[ROWS * LISTED];
static char text[ROWS * 24];

static struct cdc_field element = { .name = CDC_STR("element"), .type = CDC_TYPE_LONG };
static struct cdc_field parts[] = {
	{ .name = CDC_STR("id"), .type = CDC_TYPE_LONG },
	{ .name = CDC_STR("name"), .type = CDC_TYPE_STRING },
};
static const struct cdc_field fields[] = {
	{ .name = CDC_STR("id"), .type = CDC_TYPE_LONG },
	{ .name = CDC_STR("qty"), .type = CDC_TYPE_INTEGER },
	{ .name = CDC_STR("ratio"), .type = CDC_TYPE_DOUBLE },
	{ .name = CDC_STR("price"), .type = CDC_TYPE_DECIMAL, .precision = 12, .scale = 2 },
	{ .name = CDC_STR("at"), .type = CDC_TYPE_TIMESTAMP },
	{ .name = CDC_STR("name"), .type = CDC_TYPE_STRING },
	{ .name = CDC_STR("list"), .type = CDC_TYPE_ARRAY, .child = &element, .num_children = 1 },
	{ .name = CDC_STR("s"), .type = CDC_TYPE_STRUCT, .child = parts, .num_children = 2 },
};

enum { FLAT = 6, NESTED = 2 };

static void fill(void)
{
	uint64_t x = 88172645463325252;

	for (int i = 0; i < ROWS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		ids[i] = (int64_t)(x >> 20);
		small[i] = (int32_t)(x % 1000);
		doubles[i] = (double)(x % 100000) / 64;
		decimals[i] = (cdc_i128)(x % 10000000);
		times[i] = 1573701065000000 + (int64_t)(x % 1000000000000);
		snprintf(text + (size_t)i * 24, 24, "customer %012llu",
			 (unsigned long long)(x % 1000000000000));
		names[i] = cdc_str_z(text + (size_t)i * 24);
		valid[i] = x % 16 != 0;
		spans[i] = (struct cdc_span){ (uint32_t)i * LISTED, (uint32_t)(x % (LISTED + 1)) };
		for (int k = 0; k < LISTED; k++)
			elements[i * LISTED + k] = ids[i] + k;
	}
}

static void must(int rc, const struct cdc_err *err)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "bench_print: %s\n", err->msg);
	exit(1);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t run(enum cdc_print_format format, const struct cdc_batch *b, int fd)
{
	const struct cdc_field *list[FLAT];
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_printer *p;
	struct cdc_writer w;
	uint64_t bytes;

	for (int i = 0; i < b->num_columns; i++)
		list[i] = b->column[i].field;
	must(cdc_writer_init(&w, &cdc_io_posix, fd, &err), &err);
	must(cdc_printer_new(&p, format, list, b->num_columns, &w, &err), &err);
	for (int i = 0; i < BATCHES; i++)
		must(cdc_printer_batch(p, b, &err), &err);
	must(cdc_printer_finish(p, &err), &err);
	bytes = cdc_writer_offset(&w);
	cdc_printer_free(p);
	cdc_writer_free(&w);
	return bytes;
}

static void measure(const char *what, enum cdc_print_format format, struct cdc_column *column,
		    int columns, int fd)
{
	const struct cdc_batch b = { .rows = ROWS, .num_columns = columns, .column = column };
	double best = 1e9;
	uint64_t bytes = 0;

	for (int i = 0; i < RUNS; i++) {
		double start = seconds();

		bytes = run(format, &b, fd);
		if (seconds() - start < best)
			best = seconds() - start;
	}
	printf("%-16s %6.0f MB/s %6.2f M rows/s\n", what, (double)bytes / best / 1e6,
	       ROWS * BATCHES / best / 1e6);
}

int main(void)
{
	struct cdc_column list = { &element, elements, NULL, NULL };
	struct cdc_column members[] = { { &parts[0], ids, NULL, NULL },
					{ &parts[1], names, valid, NULL } };
	struct cdc_column flat[FLAT] = {
		{ &fields[0], ids, NULL, NULL },      { &fields[1], small, valid, NULL },
		{ &fields[2], doubles, valid, NULL }, { &fields[3], decimals, NULL, NULL },
		{ &fields[4], times, NULL, NULL },    { &fields[5], names, valid, NULL },
	};
	struct cdc_column nested[NESTED] = { { &fields[6], spans, NULL, &list },
					     { &fields[7], NULL, NULL, members } };
	int fd = open("/dev/null", O_WRONLY);

	if (fd < 0)
		return 1;
	fill();
	measure("ndjson", CDC_PRINT_NDJSON, flat, FLAT, fd);
	measure("csv", CDC_PRINT_CSV, flat, FLAT, fd);
	measure("tsv", CDC_PRINT_TSV, flat, FLAT, fd);
	measure("ndjson, nested", CDC_PRINT_NDJSON, nested, NESTED, fd);
	measure("csv, nested", CDC_PRINT_CSV, nested, NESTED, fd);
	return close(fd) != 0;
}
