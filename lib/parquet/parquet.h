/*
 * Parquet files: reader and writer, column by column, batch by batch.
 *
 * A batch of one leaf column is a struct cdc_pq_vec: parallel arrays with one slot per level entry.
 * For a flat column that is one slot per row. Nothing here knows of rows, tables or change records;
 * nested columns travel as leaves with definition and repetition levels.
 *
 * Specification: parquet-format 2.13. Files written are format version 1 with V1 data pages,
 * dictionary encoding with PLAIN fallback, zstd, statistics, page index and column orders.
 */
#ifndef CDC_PARQUET_PARQUET_H
#define CDC_PARQUET_PARQUET_H

#include "io/io.h"
#include "parquet/pq_format.h"

/*
 * One leaf, n slots. `values` has n elements of the C type for the physical type:
 *
 *	BOOLEAN uint8_t (0, 1)	INT32 int32_t	INT64 int64_t	INT96 struct cdc_pq_int96
 *	FLOAT float		DOUBLE double	BYTE_ARRAY and FIXED struct cdc_str
 *
 * A slot holds a value iff def is NULL or def[i] == max_def of the leaf; other slots are zero.
 * def == NULL: every slot holds a value. rep == NULL: every rep level is 0.
 */
struct cdc_pq_vec {
	enum cdc_pq_type type;
	uint32_t n;
	const void *values;
	const uint8_t *def;
	const uint8_t *rep;
};

struct cdc_pq_int96 {
	uint64_t nanos; /* of the day */
	uint32_t julian_day; /* 2440588 = 1970-01-01 */
};

/* ------------------------------------------------------------------ reading */

struct cdc_pq_file;

/*
 * Open a file and read its footer. `size` is what the caller knows of the length (0: ask the
 * system). `path` is copied for messages. CDC_ECORRUPT: not a Parquet file, or damaged.
 * CDC_EUNSUPPORTED: an encrypted footer.
 */
int cdc_pq_open(struct cdc_pq_file **f, const struct cdc_io *io, const char *path, uint64_t size,
		struct cdc_err *err) CDC_NODISCARD;
void cdc_pq_close(struct cdc_pq_file *f);
/* Refuse pages that are larger than `bytes` when unpacked. Without it the limit is the format's, 2
 * GiB; memory is taken for what a page really unpacks to, so it costs what the codec can be made to
 * give. */
void cdc_pq_limit_page(struct cdc_pq_file *f, uint32_t bytes);
const struct cdc_pq_metadata *cdc_pq_metadata(const struct cdc_pq_file *f);

uint64_t cdc_pq_size(const struct cdc_pq_file *f); /* bytes of the file */

/* Leaf ordinal of a top-level leaf column by exact name, then unique case-insensitive name; -1. */
int32_t cdc_pq_leaf_by_name(const struct cdc_pq_file *f, struct cdc_str name);

/*
 * Cursor over one leaf of one row group. The chunk is read with one pread, pages are decompressed
 * one at a time. Memory: the compressed chunk, one or a few pages, one batch. Cursors of one file
 * share its decompression state: they belong to one thread. Page checksums are always verified
 * where there are any.
 * CDC_EUNSUPPORTED: the column is encrypted, in another file, or compressed with LZO or a codec
 * that is not known; other columns of the file can still be read.
 */
struct cdc_pq_column;

int cdc_pq_column_open(struct cdc_pq_column **c, struct cdc_pq_file *f, int32_t row_group,
		       int32_t leaf, struct cdc_err *err) CDC_NODISCARD;
/* Before its file is closed. Up to 64 MiB stay with the file for the next column that is opened. */
void cdc_pq_column_close(struct cdc_pq_column *c);

/*
 * Next batch: exactly `max` slots unless the chunk ends (CDC_END when nothing is left; for leaves
 * with max_rep > 0 a batch ends at a row boundary and may exceed `max` by the rest of a row).
 * The arrays belong to the cursor and live until the next call on it; so do the bytes of strings,
 * which point into pages that are kept that long. CDC_ECORRUPT, with the file and the offset of the
 * page; CDC_EUNSUPPORTED for pages over the limit and unknown encodings; CDC_ENOMEM also when the
 * strings of one batch come to more than 4 GiB.
 */
int cdc_pq_column_read(struct cdc_pq_column *c, uint32_t max, struct cdc_pq_vec *out,
		       struct cdc_err *err) CDC_NODISCARD;

/*
 * The same by rows: exactly `rows` of them, or those that are left of the chunk. Where the leaf has
 * max_rep > 0, cdc_pq_column_rows tells beforehand how many of the next `max_rows` rows begin
 * within `max_slots` slots of the page at work, at least 1, so that a batch has a bound; CDC_END at
 * the end. One row of more than 64 Mi slots is CDC_ENOMEM.
 */
int cdc_pq_column_rows(struct cdc_pq_column *c, uint32_t max_rows, uint32_t max_slots,
		       uint32_t *rows, struct cdc_err *err) CDC_NODISCARD;
int cdc_pq_column_read_rows(struct cdc_pq_column *c, uint32_t rows, struct cdc_pq_vec *out,
			    struct cdc_err *err) CDC_NODISCARD;

/*
 * Skip `rows` rows; where max_rep == 0, whole pages are passed over without decompression. More
 * rows than are left are CDC_EINTERNAL. After an error of read or skip only close is allowed.
 */
int cdc_pq_column_skip(struct cdc_pq_column *c, uint64_t rows, struct cdc_err *err) CDC_NODISCARD;

/* What the page index tells of one data page. */
struct cdc_pq_page_info {
	int64_t offset; /* of its header in the file */
	int32_t compressed_size; /* header included */
	int64_t first_row; /* in the row group */
	int64_t num_rows;
	bool all_null;
	bool has_null_count;
	int64_t null_count;
	bool has_min_max; /* bounds, PLAIN bytes, perhaps cut short; usable as in
			   * struct cdc_pq_statistics */
	struct cdc_str min_value;
	struct cdc_str max_value;
};

struct cdc_pq_page_index {
	struct cdc_pq_page_info *page;
	uint32_t num_pages;
	struct cdc_arena arena; /* owns everything above */
};

/*
 * Page index of one leaf of one row group; free it with cdc_pq_page_index_free after CDC_OK.
 * CDC_END: there is none, or it does not agree with the chunk and is better ignored.
 */
int cdc_pq_page_index_read(struct cdc_pq_page_index *index, const struct cdc_pq_file *f,
			   int32_t row_group, int32_t leaf, struct cdc_err *err) CDC_NODISCARD;
void cdc_pq_page_index_free(struct cdc_pq_page_index *index);

/* ------------------------------------------------------------------ writing */

struct cdc_pq_write_options {
	enum cdc_pq_codec codec; /* default ZSTD; a chunk that shrinks by less than 5 % is
				    written uncompressed */
	int level; /* zstd 1..19, default 1; other codecs have one level */
	uint64_t row_group_bytes; /* default 128 MiB, estimated encoded size */
	uint64_t row_group_rows; /* default 1 Mi */
	uint32_t page_bytes; /* default 1 MiB */
	uint32_t page_rows; /* default 20000 */
	uint32_t dictionary_bytes; /* default 1 MiB; 0 turns dictionaries off */
	const char *created_by; /* default "cdc-tools version X.Y.Z (build …)" */
	const struct cdc_pq_key_value *key_value; /* of the footer, borrowed; default none */
	size_t num_key_values;
};

void cdc_pq_write_options_init(struct cdc_pq_write_options *opt);

/*
 * Statistics of one leaf over the whole file, exact, in the column's order. A minimum of zero is
 * negative zero if that is among the values, a maximum of zero never. With row groups that were
 * spliced, a minimum of zero may be negative zero without need, and strings may be bounds that no
 * value equals.
 */
struct cdc_pq_leaf_summary {
	int64_t num_values; /* slots, nulls included */
	int64_t null_count;
	int64_t null_lists; /* in a list or map: rows in which the outermost of them is
			     * null; -1: not known */
	bool has_min_max; /* false: no value, or a NaN among them, or no order, or not known */
	union cdc_pq_scalar {
		int64_t i; /* BOOLEAN, INT32, INT64 */
		double d; /* FLOAT, DOUBLE */
		struct cdc_str s; /* BYTE_ARRAY, FIXED: whole values, owned by the summary */
	} min, max;
};

struct cdc_pq_summary {
	uint64_t file_bytes;
	int64_t num_rows;
	int32_t num_leaves;
	struct cdc_pq_leaf_summary *leaf;
	struct cdc_arena arena;
};

void cdc_pq_summary_free(struct cdc_pq_summary *s);

struct cdc_pq_writer;

/*
 * Write a new file through `fd`, which stays the caller's (not fsynced, not closed). `schema` is
 * borrowed: it needs name, is_leaf, type, type_length, repetition, num_children, converted, logical
 * and their parameters set and cdc_pq_schema_finish called; it must outlive the writer.
 */
int cdc_pq_writer_new(struct cdc_pq_writer **w, const struct cdc_io *io, int fd,
		      const struct cdc_pq_schema *schema, const struct cdc_pq_write_options *opt,
		      struct cdc_err *err) CDC_NODISCARD;

/*
 * Append one batch of whole rows: vec[leaf] for every leaf. Flat leaves have rows slots; nested
 * leaves have levels. Everything is copied or encoded before return. A FIXED value whose length is
 * not type_length, a level above its maximum or another number of rows is CDC_EINTERNAL; a value or
 * a row that no page can hold (2 GiB) is CDC_EDATA. After an error only cdc_pq_writer_free is
 * allowed. The same rows in the same batches give the same bytes.
 *
 * Memory: the encoded pages of one row group, one dictionary a column, and a few pages.
 */
int cdc_pq_writer_write(struct cdc_pq_writer *w, const struct cdc_pq_vec *vec, uint32_t rows,
			struct cdc_err *err) CDC_NODISCARD;

/*
 * Whether row groups of another file can be appended as they are stored: its leaves are those of
 * `schema` by name, type, meaning, nesting and, where the schema has field ids, by these; and its
 * writer's bugs are not ones that readers know by its name.
 */
bool cdc_pq_can_splice(const struct cdc_pq_file *f, const struct cdc_pq_schema *schema);

/*
 * Append a row group of such a file as one of its own, page by page, nothing decoded: codecs and
 * encodings stay, offsets move, checksums are verified. Statistics and page index go along as far
 * as they are there and can be believed; Bloom filters stay behind. Rows written before become a
 * row group of their own. CDC_END, with nothing done: pages, sizes and counts of the row group do
 * not agree, or the nulls of a column are not counted; it can still be decoded.
 *
 * Statistics have negative zero for a minimum of zero, whatever the values: plain_zero[leaf] says,
 * for the summary, that there is none among them. NULL: nothing is known of that.
 */
int cdc_pq_writer_splice(struct cdc_pq_writer *w, struct cdc_pq_file *f, int32_t row_group,
			 const bool *plain_zero, struct cdc_err *err) CDC_NODISCARD;

/* Bytes written and estimated to be written so far: for target file sizes. */
uint64_t cdc_pq_writer_bytes(const struct cdc_pq_writer *w);
/* Rows so far: of the file, and of the row group that is open. */
uint64_t cdc_pq_writer_rows(const struct cdc_pq_writer *w);
uint64_t cdc_pq_writer_open_rows(const struct cdc_pq_writer *w);

/* Write the footer. `summary` is filled; free it with cdc_pq_summary_free. */
int cdc_pq_writer_finish(struct cdc_pq_writer *w, struct cdc_pq_summary *summary,
			 struct cdc_err *err) CDC_NODISCARD;
void cdc_pq_writer_free(struct cdc_pq_writer *w);

#endif
