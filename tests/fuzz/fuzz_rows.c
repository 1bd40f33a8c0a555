/*
 * Parquet files from anyone, through to text: whatever bytes come, the rows that are printed before
 * an error are lines of valid JSON, one for each row, and their number is the file's when there was
 * none. Covers conversion, nesting, variants and printing.
 */
#include "memory_io.h"

#include "base/json.h"
#include "table/scan/parquet_table.h"
#include "table/print/print.h"
#include "table/scan/scan.h"

#include <stdlib.h>

#define ROWS_MAX 3000 /* a few bytes of runs can make millions of them */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* What was written, line by line. */
struct sink {
	struct memory file; /* first: it is the context of the reading functions */
	struct cdc_buf line;
	struct cdc_tape tape;
	uint64_t lines;
};

static void check_line(struct sink *s)
{
	struct cdc_err err = CDC_ERR_INIT;

	/* Strings of a file can hold what the scanner refuses as too deep, never what is no JSON.
	 */
	if (cdc_json_scan(&s->tape, cdc_buf_str(&s->line), NULL, &err) != CDC_OK)
		check(strstr(err.msg, "deep") != NULL);
	s->lines++;
	cdc_buf_reset(&s->line);
}

static ssize_t sink_write(void *ctx, int fd, const void *buf, size_t n)
{
	struct sink *s = ctx;
	struct cdc_err err = CDC_ERR_INIT;
	const char *p = buf;
	size_t at = 0;

	(void)fd;
	while (at < n) {
		const char *end = memchr(p + at, '\n', n - at);
		size_t k = end ? (size_t)(end - p) - at : n - at;

		check(cdc_buf_append(&s->line, p + at, k, &err) == CDC_OK);
		at += k;
		if (end) {
			check_line(s);
			at++;
		}
	}
	return (ssize_t)n;
}

static void print(struct sink *s, const struct cdc_io *io, struct cdc_snapshot *t)
{
	const struct cdc_field **field = calloc((size_t)t->schema.num_fields + 1, sizeof(*field));
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_printer *p = NULL;
	struct cdc_scan *scan = NULL;
	struct cdc_writer w;
	struct cdc_batch b;
	uint64_t rows = 0;
	int rc;

	check(field != NULL);
	for (int i = 0; i < t->schema.num_fields; i++)
		field[i] = &t->schema.field[i];
	check(cdc_writer_init(&w, io, 1, &err) == CDC_OK);
	check(cdc_printer_new(&p, CDC_PRINT_NDJSON, field, t->schema.num_fields, &w, &err) ==
	      CDC_OK);
	rc = cdc_scan_new(&scan, io, t, NULL, &err);
	while (rc == CDC_OK && rows < ROWS_MAX) {
		rc = cdc_scan_next(scan, &b, &err);
		if (rc != CDC_OK)
			break;
		check(b.rows > 0);
		if (b.rows > ROWS_MAX - rows)
			b.rows = (uint32_t)(ROWS_MAX - rows);
		rc = cdc_printer_batch(p, &b, &err);
		rows += rc == CDC_OK ? b.rows : 0;
	}
	check(rc >= 0 || (err.code == rc && rc != CDC_EINTERNAL));
	if (rc >= 0 && cdc_printer_finish(p, &err) == CDC_OK &&
	    cdc_writer_flush(&w, &err) == CDC_OK)
		check(s->lines == rows && s->line.len == 0);
	cdc_printer_free(p);
	cdc_scan_free(scan);
	cdc_writer_free(&w);
	free(field);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sink s = { .file = { data, n }, .line = CDC_BUF_INIT, .tape = CDC_TAPE_INIT };
	struct cdc_io io = memory_io(&s.file);
	struct cdc_snapshot *t = NULL;
	struct cdc_err err = CDC_ERR_INIT;

	io.ctx = &s;
	io.write = sink_write;
	if (cdc_parquet_table_open(&t, &io, "fuzz", &err) == CDC_OK)
		print(&s, &io, t);
	cdc_snapshot_free(t);
	cdc_buf_free(&s.line);
	cdc_tape_free(&s.tape);
	return 0;
}
