/*
 * Minimum and maximum of a column in the column's order, and their form in Parquet's statistics.
 *
 * A struct cdc_pq_range is used per page, per chunk and per file; ranges merge upwards. It holds
 * whole values. What goes into the file is cut to 64 bytes where the order allows (spec 3.1).
 */
#ifndef CDC_PARQUET_PQ_STATS_H
#define CDC_PARQUET_PQ_STATS_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "parquet/pq_format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How min and max are chosen: TYPE_ORDER of the format, spelled out per type (spec 1.5). */
enum cdc_pq_order {
	CDC_PQ_ORDER_NONE, /* INT96, INTERVAL, unknown: no statistics but the null count */
	CDC_PQ_ORDER_BOOL,
	CDC_PQ_ORDER_SIGNED,
	CDC_PQ_ORDER_UNSIGNED,
	CDC_PQ_ORDER_FLOAT,
	CDC_PQ_ORDER_BYTES, /* unsigned bytes, a shorter prefix first */
	CDC_PQ_ORDER_DECIMAL /* big-endian two's complement of any length */
};

struct cdc_pq_range {
	bool has; /* min and max are set */
	int64_t nan_count; /* FLOAT: NaNs, which are in no min or max */
	int64_t min_i; /* BOOL, SIGNED; UNSIGNED with the top bit flipped */
	int64_t max_i;
	double min_d;
	double max_d;
	struct cdc_buf min_s;
	struct cdc_buf max_s;
};

enum cdc_pq_order cdc_pq_order_of(const struct cdc_pq_node *leaf);

void cdc_pq_range_reset(struct cdc_pq_range *r); /* keeps the memory */
void cdc_pq_range_free(struct cdc_pq_range *r);

/* Take in n > 0 values; the C type is the one of struct cdc_pq_vec for the leaf's type. */
void cdc_pq_range_bools(struct cdc_pq_range *r, const uint8_t *v, size_t n);
void cdc_pq_range_int32(struct cdc_pq_range *r, enum cdc_pq_order order, const int32_t *v,
			size_t n);
void cdc_pq_range_int64(struct cdc_pq_range *r, enum cdc_pq_order order, const int64_t *v,
			size_t n);
void cdc_pq_range_float(struct cdc_pq_range *r, const float *v, size_t n);
void cdc_pq_range_double(struct cdc_pq_range *r, const double *v, size_t n);
/* BYTES, DECIMAL. The winners are copied, once a call. */
int cdc_pq_range_strs(struct cdc_pq_range *r, enum cdc_pq_order order, const struct cdc_str *v,
		      size_t n, struct cdc_err *err) CDC_NODISCARD;

int cdc_pq_range_merge(struct cdc_pq_range *into, const struct cdc_pq_range *from,
		       enum cdc_pq_order order, struct cdc_err *err) CDC_NODISCARD;

/* Order of two byte strings by BYTES or DECIMAL. */
int cdc_pq_order_strs(enum cdc_pq_order order, struct cdc_str a, struct cdc_str b);

/*
 * The file's form of a range: PLAIN bytes without length, appended to `out` min first. min_len and
 * max_len say how long each is. Exact is false for a bound that was cut. `usable` is false, and
 * nothing appended, when there is no range, a NaN was among the values, or a bound is long and
 * cannot be cut.
 */
struct cdc_pq_bounds {
	bool usable;
	bool min_exact;
	bool max_exact;
	size_t min_len;
	size_t max_len;
};

int cdc_pq_range_bounds(const struct cdc_pq_range *r, const struct cdc_pq_node *leaf,
			struct cdc_buf *out, struct cdc_pq_bounds *b,
			struct cdc_err *err) CDC_NODISCARD;

/* Order of two values in the file's form. */
int cdc_pq_order_plain(const struct cdc_pq_node *leaf, struct cdc_str a, struct cdc_str b);

#endif
