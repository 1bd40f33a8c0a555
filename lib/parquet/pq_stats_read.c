/*
 * Which min and max values of a file can be believed: order, length, NaN (spec 3.1).
 */
#include "parquet/pq_meta_read.h"

#include "base/endian.h"

#include <math.h>

static bool is_unsigned(const struct cdc_pq_node *n)
{
	if (n->logical == CDC_PQ_LOGICAL_INTEGER)
		return !n->is_signed;
	return n->converted >= CDC_PQ_CONV_UINT_8 && n->converted <= CDC_PQ_CONV_UINT_64;
}

static bool is_decimal(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_DECIMAL || n->converted == CDC_PQ_CONV_DECIMAL;
}

/* Types whose order is undefined, or that nobody here knows how to compare. */
static bool has_no_order(const struct cdc_pq_node *n)
{
	switch ((int)n->logical) {
	case CDC_PQ_LOGICAL_UNKNOWN:
	case CDC_PQ_LOGICAL_FLOAT16:
	case CDC_PQ_LOGICAL_VARIANT:
	case CDC_PQ_LOGICAL_GEOMETRY:
	case CDC_PQ_LOGICAL_GEOGRAPHY:
	case CDC_PQ_LOGICAL_OTHER:
		return true;
	default:
		return n->type == CDC_PQ_INT96 || n->converted == CDC_PQ_CONV_INTERVAL;
	}
}

static bool is_timestamp(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_TIMESTAMP ||
	       n->converted == CDC_PQ_CONV_TIMESTAMP_MILLIS ||
	       n->converted == CDC_PQ_CONV_TIMESTAMP_MICROS;
}

/* Parquet.Net shifts the bounds of timestamps by the time zone of its machine, not the values. */
static bool writer_is_wrong(const struct cdc_pq_metadata *m, const struct cdc_pq_node *n)
{
	static const char name[] = "Parquet.Net";

	return m->created_by.n >= sizeof(name) - 1 &&
	       memcmp(m->created_by.p, name, sizeof(name) - 1) == 0 && is_timestamp(n);
}

enum cdc_pq_trust cdc_pq_leaf_trust(const struct cdc_pq_metadata *m, int32_t leaf)
{
	if (writer_is_wrong(m, &m->schema.node[m->schema.leaf_node[leaf]]))
		return CDC_PQ_TRUST_OTHER;
	return m->leaf_order ? (enum cdc_pq_trust)m->leaf_order[leaf] : CDC_PQ_TRUST_NONE;
}

static bool ordered(int64_t min, int64_t max, bool as_unsigned)
{
	/* Bounds of unsigned values that both orders agree on serve a reader that knows one. */
	return min <= max && (!as_unsigned || min >= 0);
}

static bool float_usable(struct cdc_str min, struct cdc_str max)
{
	uint32_t bits[2] = { cdc_le32(min.p), cdc_le32(max.p) };
	float v[2];

	memcpy(v, bits, sizeof(v));
	return !isnan(v[0]) && !isnan(v[1]) && v[0] <= v[1];
}

static bool double_usable(struct cdc_str min, struct cdc_str max)
{
	uint64_t bits[2] = { cdc_le64(min.p), cdc_le64(max.p) };
	double v[2];

	memcpy(v, bits, sizeof(v));
	return !isnan(v[0]) && !isnan(v[1]) && v[0] <= v[1];
}

static bool bytes_usable(const struct cdc_pq_node *n, struct cdc_str min, struct cdc_str max)
{
	size_t len = n->type == CDC_PQ_FIXED ? (size_t)n->type_length : SIZE_MAX;

	if (is_decimal(n))
		return n->type == CDC_PQ_FIXED ? min.n == len && max.n == len : min.n && max.n;
	return min.n <= len && max.n <= len && cdc_str_cmp(min, max) <= 0;
}

bool cdc_pq_bounds_usable(const struct cdc_pq_node *leaf, enum cdc_pq_trust order,
			  struct cdc_str min, struct cdc_str max)
{
	bool uns = is_unsigned(leaf);

	if (order == CDC_PQ_TRUST_OTHER || has_no_order(leaf))
		return false;
	switch (leaf->type) {
	case CDC_PQ_BOOLEAN:
		return order == CDC_PQ_TRUST_TYPE && min.n == 1 && max.n == 1;
	case CDC_PQ_INT32:
		return min.n == 4 && max.n == 4 &&
		       ordered((int32_t)cdc_le32(min.p), (int32_t)cdc_le32(max.p), uns);
	case CDC_PQ_INT64:
		return min.n == 8 && max.n == 8 &&
		       ordered((int64_t)cdc_le64(min.p), (int64_t)cdc_le64(max.p), uns);
	case CDC_PQ_FLOAT:
		return order == CDC_PQ_TRUST_TYPE && min.n == 4 && max.n == 4 &&
		       float_usable(min, max);
	case CDC_PQ_DOUBLE:
		return order == CDC_PQ_TRUST_TYPE && min.n == 8 && max.n == 8 &&
		       double_usable(min, max);
	case CDC_PQ_BYTE_ARRAY:
	case CDC_PQ_FIXED:
		return order == CDC_PQ_TRUST_TYPE && bytes_usable(leaf, min, max);
	case CDC_PQ_INT96:
		break;
	}
	return false;
}
