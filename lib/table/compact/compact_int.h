/*
 * Inside of the compaction:
 *
 *	compact_plan.c		which files are rewritten together
 *	compact_source.c	a file that is read
 *	compact_copy.c		a bin's rows in their order, large row groups as they are
 *	compact_pack.c		the bins of a partition to one file each
 *	compact_sort.c		a bin's rows in a new order
 *	compact_rebase.c	what other writers' commits mean for the bins
 *	compact_carry.c		rows deleted meanwhile, found again in the new files
 *	compact_commit.c	the commit, and when it is lost
 *	compact.c		one attempt after the other
 */
#ifndef CDC_TABLE_COMPACT_INT_H
#define CDC_TABLE_COMPACT_INT_H

#include "base/hash.h"
#include "delta/row_tracking.h"
#include "table/batch/batch_gather.h"
#include "table/compact/compact.h"
#include "table/datafile/datawriter.h"
#include "table/datafile/partitions.h"
#include "table/scan/scan.h"

/* A file that is rewritten. */
struct compact_input {
	const struct cdc_add *add; /* as it was read */
	struct cdc_add now; /* as it is live: its deletion vector may have grown */
	bool marked; /* it has, since it was read */
	uint64_t rows; /* physical, once it was read */
	/* Its live rows, in their order, begin there: packed, in the bin's file; sorted, in the
	 * order in which the bin's rows were read. */
	uint64_t out_first;
};

/* Files of one partition that are read together. */
struct compact_bin {
	uint32_t partition;
	struct compact_input *input;
	size_t n;
	size_t cap;
	uint64_t bytes; /* of the inputs, without the share that is deleted; or of the output */
	bool purge; /* one of them has a deletion vector that has grown */
	bool idle; /* one file that needs no work: rewritten only if another comes to it */
	bool written;
	bool lost; /* another writer removed one */
	size_t first_output; /* in the writer's adds */
	size_t num_outputs;
	uint64_t rows;
	uint64_t rows_copied; /* without decoding them */
	/* Sorted bins: 8 bytes for each row of the outputs, its place in the order of reading. */
	int places_fd; /* -1: none */
};

struct compact_partition {
	bool chosen; /* by --where */
	size_t last_bin; /* SIZE_MAX: none */
};

struct compaction {
	const struct cdc_compact_options *opt;
	const struct cdc_io *io;
	struct cdc_snapshot *s;
	struct cdc_tracked_table tracked; /* what files are read and written by */
	int64_t row_id_mark; /* as of the last commit that was seen */
	uint64_t target;
	struct cdc_partitions partitions;
	struct compact_partition *partition; /* by their numbers */
	uint32_t cap_partitions;
	struct compact_bin *bin;
	size_t num_bins;
	size_t cap_bins;
	size_t *prev_bin; /* while planning: the bin of the same partition before each */
	struct cdc_datawriter *writer;
	struct cdc_arena arena;
	struct cdc_compact_result *r;
};

/* ---- compact_plan.c */

int compact_plan(struct compaction *k, struct cdc_err *err) CDC_NODISCARD;
/* Tell opt->on_bin of each bin. */
int compact_report(struct compaction *k, struct cdc_err *err) CDC_NODISCARD;
/* The inputs of `from` become inputs of `to`. */
int compact_join_bins(struct compact_bin *to, struct compact_bin *from,
		      struct cdc_err *err) CDC_NODISCARD;
void compact_bins_free(struct compaction *k);

/* ---- compact_source.c */

struct compact_source {
	struct cdc_datafile *df;
	struct cdc_dv *dv; /* NULL: none */
	bool same; /* its row groups may be taken over by new files */
	bool *plain_zero; /* of its leaves, see cdc_pq_writer_splice; NULL: not known */
	struct cdc_datafile_scan *scan; /* NULL until rows have to be decoded */
	uint64_t scan_row; /* where the scan is */
	struct cdc_gather *gather;
};

/* Takes a batch of live rows. */
typedef int compact_sink(void *ctx, const struct cdc_batch *rows, struct cdc_err *err);

int compact_source_open(struct compact_source *s, struct compaction *k, const struct cdc_add *add,
			struct cdc_err *err) CDC_NODISCARD;
void compact_source_close(struct compact_source *s);
/* Give out the live ones of rows first .. first + rows - 1, which end where a row group does, and
 * come after those of the last call. */
int compact_source_read(struct compact_source *s, struct compaction *k, uint64_t first,
			uint64_t rows, compact_sink *sink, void *ctx,
			struct cdc_err *err) CDC_NODISCARD;

/* ---- compact_copy.c */

/* Write the bin's rows through the writer's open file, which stays open. */
int compact_copy(struct compaction *k, struct compact_bin *b, size_t first_input,
		 struct cdc_err *err) CDC_NODISCARD;
/* Live rows of an input, and whether compact_copy would take over any of its row groups. */
int compact_look(struct compaction *k, const struct compact_input *in, uint64_t *rows, bool *copied,
		 struct cdc_err *err) CDC_NODISCARD;

/* ---- compact_pack.c */

/* Bins first .. end - 1, which are all of a partition whose values the writer has. */
int compact_pack(struct compaction *k, struct compact_bin *first, struct compact_bin *end,
		 struct cdc_err *err) CDC_NODISCARD;

/* ---- compact_sort.c */

/* The columns to sort by; CDC_EUSAGE when there is no such column, or it has no order. */
int compact_sort_check(const struct compaction *k, struct cdc_err *err) CDC_NODISCARD;
int compact_sort(struct compaction *k, struct compact_bin *b, struct cdc_err *err) CDC_NODISCARD;

/* ---- compact_rebase.c */

/*
 * Take in the commit of another writer: bins of which a file is gone are lost, deletion vectors
 * that have grown are noted. CDC_END: there is no such version yet. CDC_ECONFLICT: the bins cannot
 * be kept, the whole has to be done again.
 */
int compact_rebase(struct compaction *k, int64_t version, struct cdc_err *err) CDC_NODISCARD;

/* ---- compact_carry.c */

/* The files of the bins that are kept, with deletion vectors for what was deleted meanwhile. */
struct compact_outcome {
	struct cdc_add *add;
	size_t num_adds;
	struct cdc_remove *remove;
	size_t num_removes;
	size_t *empty; /* of the writer's adds: all their rows are deleted by now */
	size_t num_empty;
	struct cdc_dv_writer *dvs; /* NULL: none were needed */
	uint64_t dvs_written;
};

/* Fill it for the present state of the bins. More of them may get lost. */
int compact_carry(struct compaction *k, struct compact_outcome *o,
		  struct cdc_err *err) CDC_NODISCARD;
void compact_outcome_free(struct compaction *k, struct compact_outcome *o, bool keep_files);

/* ---- compact_commit.c */

/* Commit the bins. CDC_ECONFLICT: nothing of them can be kept. */
int compact_commit(struct compaction *k, bool *keep, struct cdc_err *err) CDC_NODISCARD;

/* ---- compact.c */

/* Another try after a lost one: pause, and count it. CDC_ECONFLICT: too many. */
int compact_again(const struct cdc_compact_options *opt, struct cdc_compact_result *r,
		  struct cdc_err *err) CDC_NODISCARD;

#endif
