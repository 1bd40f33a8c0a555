/*
 * New data files of a table: batches of rows of one partition to Parquet files of at most the
 * target size, each finished, fsynced, and described by an add action with statistics.
 *
 *	cdc_datawriter_new
 *	for each partition:
 *		cdc_datawriter_begin(partition)
 *		cdc_datawriter_write(batch) …	(rolls to the next file by itself)
 *		cdc_datawriter_end()
 *	cdc_datawriter_sync()			(directories; then the commit may name the files)
 *	… commit …
 *	cdc_datawriter_free(keep)		(keep == false removes the files)
 */
#ifndef CDC_TABLE_DATAWRITER_H
#define CDC_TABLE_DATAWRITER_H

#include "delta/log.h"
#include "delta/stats.h"
#include "parquet/parquet.h"
#include "table/batch/batch.h"

struct cdc_datawriter_options {
	uint64_t target_bytes; /* roll to a new file at this size; 0: 128 MiB */
	bool data_change;
	enum cdc_pq_codec codec;
	int codec_level;
	/* Columns behind those of the table, in every batch too; statistics do not tell of them. */
	const struct cdc_field *extra;
	int num_extra;
	bool change_data; /* files of the change data feed: see cdc_datawriter_changes */
};

struct cdc_datawriter;

/* The codec that delta.parquet.compression.codec asks for; zstd without it. */
int cdc_datawriter_codec(const struct cdc_snapshot *s, enum cdc_pq_codec *codec,
			 struct cdc_err *err) CDC_NODISCARD;

/* The remove action of a live file. Slices are shared with `add`. */
void cdc_remove_of(const struct cdc_add *add, int64_t now_ms, bool data_change,
		   struct cdc_remove *r);

/*
 * Whether the files of a commit that ended with `rc` must stay: it succeeded, or it failed so that
 * nobody can tell. What is certainly not in the log needs no files.
 */
bool cdc_commit_may_be_there(const struct cdc_io *io, const char *table, int64_t version, int rc);

/* `schema` is the table's (all fields); partition values are in `partition_column`'s order. */
int cdc_datawriter_new(struct cdc_datawriter **w, const struct cdc_io *io,
		       const struct cdc_snapshot *snapshot,
		       const struct cdc_datawriter_options *opt, struct cdc_err *err) CDC_NODISCARD;

/* Start a partition: values as texts of the log, one per partition column (none: unpartitioned). */
int cdc_datawriter_begin(struct cdc_datawriter *w, const struct cdc_kv *value, int num_values,
			 struct cdc_err *err) CDC_NODISCARD;
/* One batch with a column for every field of the schema, in order; partition columns are ignored.
 * A null in a column that is NOT NULL is CDC_EDATA. */
int cdc_datawriter_write(struct cdc_datawriter *w, const struct cdc_batch *batch,
			 struct cdc_err *err) CDC_NODISCARD;
/*
 * Whether row groups of a file can go into the open partition's files as they are stored, and one
 * of them, whole, into the open file: see parquet.h, also for CDC_END. That the partition's rows
 * are meant, and that dates and times count as in new files, is the caller's to know.
 */
bool cdc_datawriter_can_splice(const struct cdc_datawriter *w, const struct cdc_pq_file *f);
int cdc_datawriter_splice(struct cdc_datawriter *w, struct cdc_pq_file *f, int32_t row_group,
			  const bool *plain_zero, struct cdc_err *err) CDC_NODISCARD;
/* Bytes and rows of the file that is open, 0 if none is; rows that are in no row group yet. */
uint64_t cdc_datawriter_open_bytes(const struct cdc_datawriter *w);
uint64_t cdc_datawriter_open_rows(const struct cdc_datawriter *w);
uint64_t cdc_datawriter_waiting_rows(const struct cdc_datawriter *w);
/* Finish the open file; a partition without rows makes none. */
int cdc_datawriter_end(struct cdc_datawriter *w, struct cdc_err *err) CDC_NODISCARD;
int cdc_datawriter_sync(struct cdc_datawriter *w, struct cdc_err *err) CDC_NODISCARD;

/* The add actions made so far; they live until free. */
const struct cdc_add *cdc_datawriter_adds(const struct cdc_datawriter *w, size_t *n);
uint64_t cdc_datawriter_bytes(const struct cdc_datawriter *w);
/* Remove the file of one of them; it must not be named by any commit. */
void cdc_datawriter_discard(struct cdc_datawriter *w, size_t add);
/* With change_data: the cdc actions instead. They live until free; NULL when memory is gone. */
const struct cdc_change_file *cdc_datawriter_changes(struct cdc_datawriter *w, size_t *n);
void cdc_datawriter_free(struct cdc_datawriter *w, bool keep_files);

#endif
