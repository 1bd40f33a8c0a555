/*
 * Inside the check of a table: the catalogue of what can be found, and the parts of the check.
 */
#ifndef CDC_TABLE_FSCK_INT_H
#define CDC_TABLE_FSCK_INT_H

#include "delta/log_int.h"
#include "delta/stats.h"
#include "table/fsck/fsck.h"
#include "table/vacuum/tree.h"

/* What can be found: the catalogue is in fsck_report.c. */
enum fsck_check {
	FSCK_LOG_GAP,
	FSCK_LOG_COMMIT,
	FSCK_LOG_ACTIONS,
	FSCK_LOG_TIME,
	FSCK_LOG_FILE_TIME,
	FSCK_CHECKPOINT,
	FSCK_CHECKPOINT_STATE,
	FSCK_HINT,
	FSCK_HINT_OLD,
	FSCK_CHECKSUM,
	FSCK_SIDE_FILE,
	FSCK_PATH,
	FSCK_EXTERNAL,
	FSCK_FILE,
	FSCK_SIZE,
	FSCK_PARQUET,
	FSCK_COLUMN,
	FSCK_SPARK_TYPE,
	FSCK_SPARK_CODEC,
	FSCK_NUM_RECORDS,
	FSCK_STATS,
	FSCK_STATS_EXACT,
	FSCK_PARTITION,
	FSCK_PARTITION_FORM,
	FSCK_NOT_NULL,
	FSCK_DV,
	FSCK_DV_STATS,
	FSCK_TOMBSTONE,
	FSCK_ORPHAN,
	FSCK_NUM_CHECKS
};

enum { FSCK_SPARK = 1, FSCK_RUST = 2, FSCK_DUCKDB = 4, FSCK_ALL = 7 };

struct fsck_def {
	const char *name;
	bool is_error;
	unsigned no_read; /* FSCK_SPARK …: who cannot read a table that has it, or reads it wrongly
			   */
	unsigned no_write; /* who should not write to it before it is mended */
};

extern const struct fsck_def fsck_def[FSCK_NUM_CHECKS];

struct fsck {
	const struct cdc_fsck_options *opt;
	const struct cdc_io *io;
	struct cdc_writer *out;
	struct cdc_fsck_result *r;
	const char *table; /* without a slash at the end */
	struct cdc_snapshot *s; /* NULL while only the log is looked at */
	struct cdc_snapshot *bare; /* the same with no column marked as one of the partition */
	struct cdc_field *bare_field; /* of its schema */
	struct cdc_log_list list;
	struct cdc_tree_set *known; /* files that the log refers to */
	int64_t newest_checkpoint; /* that can be used, -1: none */
	uint64_t found[FSCK_NUM_CHECKS]; /* what bears on the latest version */
	struct cdc_buf line;
};

/* Where a finding is. */
struct fsck_place {
	struct cdc_str path; /* p == NULL: no file's */
	int64_t version; /* -1: none */
};

/* Print a finding. An error is one of the output. */
int fsck_report(struct fsck *k, enum fsck_check check, struct fsck_place at, struct cdc_err *err,
		const char *fmt, ...) CDC_PRINTF(5, 6) CDC_NODISCARD;
/*
 * Make a finding of `why` when it is about what was read, and give it back when it is about the
 * system or about us.
 */
int fsck_report_err(struct fsck *k, enum fsck_check check, struct fsck_place at,
		    const struct cdc_err *why, struct cdc_err *err) CDC_NODISCARD;
/* Whether an error tells of damage, or of what we do not know, rather than of the system. */
bool fsck_is_finding(const struct cdc_err *why);
/* Put k->line, which `rc` tells the fate of, out. */
int fsck_put_line(struct fsck *k, int rc, struct cdc_err *err) CDC_NODISCARD;

/* Whether a file that is there passes its Hadoop checksum; `path` has the name "<name>", its
 * checksum is in ".<name>.crc" beside it, or there is none. */
int fsck_side_file(struct fsck *k, const char *path, struct fsck_place at,
		   struct cdc_err *err) CDC_NODISCARD;

/*
 * Give the text of a file of the log, which need not be there, to look(), and check its Hadoop
 * checksum. That it cannot be read, or has more than `max` bytes, is a finding of `check`.
 */
int fsck_log_text(struct fsck *k, enum fsck_check check, const char *name, size_t max,
		  struct fsck_place at,
		  int (*look)(void *ctx, struct cdc_str text, struct cdc_err *err), void *ctx,
		  struct cdc_err *err) CDC_NODISCARD;

/* The parts, in the order in which they run. */
int fsck_log(struct fsck *k, struct cdc_err *err) CDC_NODISCARD;
int fsck_checkpoints(struct fsck *k, struct cdc_err *err) CDC_NODISCARD;
int fsck_hint(struct fsck *k, struct cdc_err *err) CDC_NODISCARD;
int fsck_checksums(struct fsck *k, struct cdc_err *err) CDC_NODISCARD;
int fsck_files(struct fsck *k, struct cdc_err *err) CDC_NODISCARD;
int fsck_orphans(struct fsck *k, struct cdc_err *err) CDC_NODISCARD;
int fsck_verdicts(struct fsck *k, struct cdc_err *err) CDC_NODISCARD;

/* What two states of one version differ in: `got` is the checkpoint's, `want` the log's. */
int fsck_compare(struct fsck *k, struct fsck_place at, const struct cdc_snapshot *got,
		 const struct cdc_snapshot *want, struct cdc_err *err) CDC_NODISCARD;

/* Of one file. */
struct cdc_datafile;
int fsck_partition_values(struct fsck *k, const struct cdc_add *a,
			  struct cdc_err *err) CDC_NODISCARD;
int fsck_types(struct fsck *k, const struct cdc_datafile *df, struct cdc_err *err) CDC_NODISCARD;
/* `dv`: the rows that do not count; NULL: all do. */
int fsck_data(struct fsck *k, struct cdc_datafile *df, const struct cdc_dv *dv,
	      struct cdc_err *err) CDC_NODISCARD;

#define FSCK_SHOWN(s) (int)((s).n > 100 ? 100 : (s).n), (s).p

#endif
