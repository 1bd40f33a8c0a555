/*
 * What a node of a Parquet schema stands for: a value, a struct, a list or a map, whichever of the
 * layouts of lists and maps its writer used (parquet-format LogicalTypes.md, "Nested Types", with
 * the rules for old files).
 */
#ifndef CDC_PARQUET_PQ_SHAPE_H
#define CDC_PARQUET_PQ_SHAPE_H

#include "parquet/pq_format.h"

enum cdc_pq_shape_kind {
	CDC_PQ_SHAPE_LEAF,
	CDC_PQ_SHAPE_STRUCT,
	CDC_PQ_SHAPE_LIST,
	CDC_PQ_SHAPE_MAP
};

struct cdc_pq_shape {
	enum cdc_pq_shape_kind kind;
	int32_t repeated; /* LIST, MAP: the node whose repetition makes the entries */
	int32_t first; /* LIST: the element, which may be `repeated` itself; MAP: the key */
	int32_t second; /* MAP: the value, -1: it has none, as sets are stored */
};

/*
 * The shape of a node. `element` is true when the node is the element of a list that was found
 * before, so that its own repetition is spent. A LIST or MAP annotation on a group that cannot be
 * one is passed over: the group is a struct then.
 */
struct cdc_pq_shape cdc_pq_shape_of(const struct cdc_pq_schema *s, int32_t node, bool element);

/* As above for a reader that knows the column to be a list or a map although the file does not say
 * so: a group with one repeated child is one. */
struct cdc_pq_shape cdc_pq_shape_as(const struct cdc_pq_schema *s, int32_t node, bool element,
				    enum cdc_pq_shape_kind wanted);

/* The next child of `parent` behind `child` (its first one when child == parent); -1: no more. */
int32_t cdc_pq_next_child(const struct cdc_pq_schema *s, int32_t parent, int32_t child);

#endif
