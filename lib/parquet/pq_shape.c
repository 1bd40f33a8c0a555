/*
 * Lists, maps and structs from the tree of a Parquet schema. See pq_shape.h.
 */
#include "parquet/pq_shape.h"

int32_t cdc_pq_next_child(const struct cdc_pq_schema *s, int32_t parent, int32_t child)
{
	for (int32_t i = child + 1; i < s->num_nodes; i++) {
		if (s->node[i].parent == parent)
			return i;
		if (s->node[i].parent < parent)
			break;
	}
	return -1;
}

static bool says_list(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_LIST || n->converted == CDC_PQ_CONV_LIST;
}

/* Some writers put MAP_KEY_VALUE on the outer group, where it means MAP. */
static bool says_map(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_MAP || n->converted == CDC_PQ_CONV_MAP ||
	       n->converted == CDC_PQ_CONV_MAP_KEY_VALUE;
}

/* The only child of a group, if that is repeated; else -1. */
static int32_t repeated_child(const struct cdc_pq_schema *s, int32_t node)
{
	int32_t c = cdc_pq_next_child(s, node, node);

	if (s->node[node].num_children != 1 || c < 0 || s->node[c].repetition != CDC_PQ_REPEATED)
		return -1;
	return c;
}

/* A name of a repeated group that is the element itself: "array", "<list>_tuple". */
static bool names_element(struct cdc_str list, struct cdc_str name)
{
	const struct cdc_str tail = CDC_STR("_tuple");

	if (cdc_str_eqz(name, "array"))
		return true;
	return name.n == list.n + tail.n && memcmp(name.p, list.p, list.n) == 0 &&
	       memcmp(name.p + list.n, tail.p, tail.n) == 0;
}

/* Three levels, list and element apart, or two, where the repeated node is the element. */
static int32_t element_of(const struct cdc_pq_schema *s, int32_t list, int32_t repeated)
{
	const struct cdc_pq_node *r = &s->node[repeated];
	int32_t only = cdc_pq_next_child(s, repeated, repeated);

	if (r->is_leaf || r->num_children != 1 || only < 0 ||
	    s->node[only].repetition == CDC_PQ_REPEATED ||
	    names_element(s->node[list].name, r->name))
		return repeated;
	return only;
}

static bool as_list(const struct cdc_pq_schema *s, int32_t node, struct cdc_pq_shape *out)
{
	int32_t r = repeated_child(s, node);

	if (r < 0)
		return false;
	*out = (struct cdc_pq_shape){ CDC_PQ_SHAPE_LIST, r, element_of(s, node, r), -1 };
	return true;
}

static bool as_map(const struct cdc_pq_schema *s, int32_t node, struct cdc_pq_shape *out)
{
	int32_t r = repeated_child(s, node);
	int32_t key, value;

	if (r < 0 || s->node[r].is_leaf || s->node[r].num_children > 2)
		return false;
	key = cdc_pq_next_child(s, r, r);
	if (key < 0 || s->node[key].repetition == CDC_PQ_REPEATED)
		return false;
	value = cdc_pq_next_child(s, r, key);
	if (value >= 0 && s->node[value].repetition == CDC_PQ_REPEATED)
		return false;
	*out = (struct cdc_pq_shape){ CDC_PQ_SHAPE_MAP, r, key, value };
	return true;
}

struct cdc_pq_shape cdc_pq_shape_of(const struct cdc_pq_schema *s, int32_t node, bool element)
{
	const struct cdc_pq_node *n = &s->node[node];
	struct cdc_pq_shape out;

	if (!element && n->repetition == CDC_PQ_REPEATED)
		return (struct cdc_pq_shape){ CDC_PQ_SHAPE_LIST, node, node, -1 };
	if (n->is_leaf)
		return (struct cdc_pq_shape){ CDC_PQ_SHAPE_LEAF, -1, -1, -1 };
	if ((says_map(n) && as_map(s, node, &out)) || (says_list(n) && as_list(s, node, &out)))
		return out;
	return (struct cdc_pq_shape){ CDC_PQ_SHAPE_STRUCT, -1, -1, -1 };
}

struct cdc_pq_shape cdc_pq_shape_as(const struct cdc_pq_schema *s, int32_t node, bool element,
				    enum cdc_pq_shape_kind wanted)
{
	struct cdc_pq_shape shape = cdc_pq_shape_of(s, node, element);
	struct cdc_pq_shape out = shape;

	if (shape.kind != CDC_PQ_SHAPE_STRUCT || says_list(&s->node[node]) ||
	    says_map(&s->node[node]))
		return shape;
	if (wanted == CDC_PQ_SHAPE_LIST)
		(void)as_list(s, node, &out);
	else if (wanted == CDC_PQ_SHAPE_MAP)
		(void)as_map(s, node, &out);
	return out;
}
