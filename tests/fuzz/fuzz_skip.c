/*
 * Parquet files from anyone, read with predicates: whatever statistics, Bloom filters and page
 * indexes say, no crash and no hang, and what is skipped, tested and given adds up.
 */
#include "memory_io.h"

#include "table/scan/parquet_table.h"
#include "table/scan/scan.h"

#include <stdlib.h>

#define BATCHES_MAX 300 /* a few bytes of runs can make millions of rows */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static int batches_left; /* of one file */

/* A scan asks before each batch. */
static bool out_of_batches(void *ctx)
{
	(void)ctx;
	return batches_left-- <= 0;
}

static void scan(const struct cdc_io *io, struct cdc_snapshot *t, struct cdc_filter *f)
{
	struct cdc_scan_options opt = { .where = f };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_scan *s = NULL;
	struct cdc_scan_counts n;
	struct cdc_batch b;
	uint64_t rows = 0;
	int rc = cdc_scan_new(&s, io, t, &opt, &err);

	while (rc == CDC_OK) {
		rc = cdc_scan_next(s, &b, &err);
		if (rc == CDC_OK)
			check(b.rows > 0 && b.num_columns == t->schema.num_fields);
		rows += rc == CDC_OK ? b.rows : 0;
	}
	check(rc >= 0 || (err.code == rc && rc != CDC_EINTERNAL));
	if (s) {
		n = cdc_scan_counts(s);
		check(rows <= n.rows_tested);
	}
	cdc_scan_free(s);
}

/* One column and one condition on it, if it can stand there. */
static void try_condition(const struct cdc_io *io, struct cdc_snapshot *t, struct cdc_str column,
			  const char *condition)
{
	struct cdc_buf text = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_filter *f = NULL;
	struct cdc_where *w = NULL;

	check(cdc_buf_putc(&text, '`', &err) == CDC_OK);
	for (size_t i = 0; i < column.n; i++) {
		check(cdc_buf_putc(&text, column.p[i], &err) == CDC_OK);
		if (column.p[i] == '`')
			check(cdc_buf_putc(&text, '`', &err) == CDC_OK);
	}
	check(cdc_buf_puts(&text, condition, &err) == CDC_OK);
	if (cdc_where_parse(&w, cdc_buf_str(&text), &err) == CDC_OK &&
	    cdc_filter_new(&f, w, &t->schema, &err) == CDC_OK)
		scan(io, t, f);
	cdc_filter_free(f);
	cdc_where_free(w);
	cdc_buf_free(&text);
}

/* One a file, or files that unpack to a lot would take too long. */
static void try_one(const struct cdc_io *io, struct cdc_snapshot *t, unsigned which)
{
	static const char *const condition[] = { "` IS NULL",	 "` IS NOT NULL",
						 "` = 5",	 "` NOT IN (0, -1, 1.5)",
						 "` > -3e2",	 "` = 'a'",
						 "` LIKE 'b%'",	 "` < X'80'",
						 "` <> '12:00'", "` >= '2020-01-01'" };
	unsigned columns = (unsigned)t->schema.num_fields;
	unsigned n = sizeof(condition) / sizeof(condition[0]);

	if (columns)
		try_condition(io, t, t->schema.field[which / n % columns].name,
			      condition[which % n]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct memory file = { data, n };
	struct cdc_io io = memory_io(&file);
	struct cdc_snapshot *t = NULL;
	struct cdc_err err = CDC_ERR_INIT;

	batches_left = BATCHES_MAX;
	io.interrupted = out_of_batches;
	if (cdc_parquet_table_open(&t, &io, "fuzz", &err) == CDC_OK)
		try_one(&io, t, (unsigned)n + data[n / 2]);
	cdc_snapshot_free(t);
	return 0;
}
