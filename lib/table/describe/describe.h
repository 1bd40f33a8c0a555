/*
 * What a table is, for programs as JSON and for people as a table.
 */
#ifndef CDC_TABLE_DESCRIBE_H
#define CDC_TABLE_DESCRIBE_H

#include "delta/log.h"
#include "table/print/print.h"

/*
 * One object on one line, without the line end. Its members are those of cdc-snapshot(1). The rows
 * are counted exactly: a file whose statistics do not tell has its footer read. CDC_ECORRUPT when a
 * deletion vector marks more rows than its file has.
 */
int cdc_describe(const struct cdc_io *io, const struct cdc_snapshot *s, struct cdc_buf *out,
		 struct cdc_err *err) CDC_NODISCARD;

/* The short form for people: a box of names and values. */
int cdc_describe_short(const struct cdc_io *io, const struct cdc_snapshot *s,
		       struct cdc_writer *out, struct cdc_err *err) CDC_NODISCARD;

/* Counts over the live files. */
#define CDC_SIZE_BUCKETS 64

struct cdc_table_counts {
	int64_t rows; /* live */
	int64_t bytes;
	int64_t vectors;
	int64_t deleted; /* rows that deletion vectors mark */
	struct cdc_size_bucket {
		int64_t files;
		int64_t bytes;
	} size[CDC_SIZE_BUCKETS]; /* [0]: empty files; [i]: 2^(i-1) to 2^i - 1 bytes */
};

int cdc_table_count(const struct cdc_io *io, const struct cdc_snapshot *s,
		    struct cdc_table_counts *c, struct cdc_err *err) CDC_NODISCARD;
/* deleted of all rows as 0 to 10000 ten-thousandths, rounded down. */
int cdc_table_deleted_share(const struct cdc_table_counts *c);
/* The row tracking's rowIdHighWaterMark; false when the table has none. */
bool cdc_table_high_water_mark(const struct cdc_snapshot *s, int64_t *mark);
/* Why cdc-merge would refuse to write: the sentence, or "" when it would not. */
int cdc_table_write_refusal(const struct cdc_snapshot *s, struct cdc_err *why,
			    struct cdc_err *err) CDC_NODISCARD;

#endif
