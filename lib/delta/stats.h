/*
 * Per-file statistics (add.stats): written from a Parquet summary, read for pruning.
 */
#ifndef CDC_DELTA_STATS_H
#define CDC_DELTA_STATS_H

#include "delta/actions.h"
#include "parquet/parquet.h"

/*
 * Which columns of a table's files have statistics (spec section 8). A column is a leaf of the data
 * schema: fields of structs are one each, a list or a map is one as a whole; partition columns and
 * those of type void are none.
 */
struct cdc_stats_columns {
	bool *covered; /* one per column, in the order of the schema */
	int32_t num_columns;
	int32_t num_covered;
	int32_t string_chars; /* strings are cut to so many characters */
	bool tight_bounds; /* the table has deletion vectors: tightBounds is to be told */
};

struct cdc_snapshot;
struct cdc_tape;

/*
 * As the table's properties and its clustering say. A property that makes no sense counts as if it
 * was not there. Memory from `arena`.
 */
int cdc_stats_columns_of(struct cdc_stats_columns *out, const struct cdc_snapshot *s,
			 struct cdc_arena *arena, struct cdc_err *err) CDC_NODISCARD;
/* The first `n` columns (-1: all) of a schema, and what else is usual. */
int cdc_stats_columns_first(struct cdc_stats_columns *out, const struct cdc_schema *schema,
			    int64_t n, struct cdc_arena *arena, struct cdc_err *err) CDC_NODISCARD;
/* How many columns n fields are. */
int32_t cdc_stats_count_columns(const struct cdc_field *f, int n);
/* Whether values of the type have bounds; the others only have a nullCount. */
bool cdc_stats_has_bounds(enum cdc_type t);

/*
 * The JSON text for a new file: numRecords, and of the covered columns minValues, maxValues and
 * nullCount. Strings are cut with a valid upper bound, timestamps floored (min) and ceiled (max) to
 * milliseconds, everything else is exact.
 */
int cdc_stats_write(const struct cdc_schema *schema, const struct cdc_pq_summary *summary,
		    const struct cdc_stats_columns *columns, struct cdc_buf *out,
		    struct cdc_err *err) CDC_NODISCARD;

/*
 * The text of `stats` with "tightBounds":false: for a file that gets a deletion vector. When it
 * holds no numRecords, or is absent (p == NULL), `num_records` is put there: the protocol wants it
 * then.
 */
int cdc_stats_loosen(struct cdc_str stats, int64_t num_records, struct cdc_buf *out,
		     struct cdc_err *err) CDC_NODISCARD;

/* A bound of a column: the value in the table's own type (see cdc_type_size). */
union cdc_value {
	int64_t i; /* BOOLEAN … LONG, DATE, TIMESTAMP, TIMESTAMP_NTZ */
	double d; /* FLOAT, DOUBLE */
	cdc_i128 dec; /* DECIMAL */
	struct cdc_str s; /* STRING, BINARY */
};

struct cdc_column_stats {
	bool has_min;
	bool has_max;
	bool has_null_count;
	union cdc_value min; /* every value is >= min (already widened for truncation) */
	union cdc_value max;
	int64_t null_count;
};

struct cdc_file_stats {
	bool has_num_records;
	int64_t num_records;
	struct cdc_column_stats *column; /* one per schema field, in its order */
};

/*
 * Read statistics. What is absent, unparsable or of an unexpected form is "not there", never an
 * error: statistics only prune. What foreign writers may have cut is widened: timestamps by 1 ms,
 * strings of 32 characters and more, decimals that may have passed through a double. FLOAT and
 * DOUBLE have no max: some writers leave NaN, the largest value, out of it. Memory from `arena`;
 * strings may point into `stats`. CDC_ENOMEM is the only error.
 */
int cdc_stats_read(const struct cdc_schema *schema, struct cdc_str stats, struct cdc_arena *arena,
		   struct cdc_file_stats *out, struct cdc_err *err) CDC_NODISCARD;

/*
 * One value of minValues or maxValues as it stands there, not widened: of a list, a struct or what
 * does not parse *known is false. A string may point into the tape's text, else into `arena`.
 * CDC_ENOMEM is the only error.
 */
int cdc_stats_value(const struct cdc_field *f, const struct cdc_tape *t, uint32_t v,
		    struct cdc_arena *arena, union cdc_value *out, bool *known,
		    struct cdc_err *err) CDC_NODISCARD;

/* numRecords alone; -1 if it is not there. Fast: used for every file of a table. */
int64_t cdc_stats_num_records(struct cdc_str stats);

/* Order of two values of one type: <0, 0, >0. NaN is the largest double, -0 equals 0. */
int cdc_value_cmp(enum cdc_type t, const union cdc_value *a, const union cdc_value *b);

/*
 * Partition values: text of the log to a value and back. Empty text or null p: *is_null. Timestamps
 * without a zone are taken as UTC. A string or binary value points into `text`.
 */
int cdc_partition_parse(const struct cdc_field *f, struct cdc_str text, union cdc_value *out,
			bool *is_null, struct cdc_err *err) CDC_NODISCARD;
int cdc_partition_format(const struct cdc_field *f, const union cdc_value *v, struct cdc_buf *out,
			 struct cdc_err *err) CDC_NODISCARD;

#endif
