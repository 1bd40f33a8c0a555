/*
 * The schema tree: from the pre-order list of nodes to parents, leaf ordinals and level limits.
 */
#include "parquet/pq_format.h"

struct open_group {
	int32_t node;
	int32_t left; /* children still to come */
};

static int check_node(const struct cdc_pq_node *n, int32_t i, struct cdc_err *err)
{
	if (n->num_children < 0 || (n->is_leaf && n->num_children != 0))
		return cdc_fail(err, CDC_ECORRUPT, "schema element %d has %d children", (int)i,
				(int)n->num_children);
	if (i > 0 && (unsigned)n->repetition > CDC_PQ_REPEATED)
		return cdc_fail(err, CDC_ECORRUPT, "schema element %d has repetition type %d",
				(int)i, (int)n->repetition);
	if (!n->is_leaf)
		return CDC_OK;
	if ((unsigned)n->type > CDC_PQ_FIXED)
		return cdc_fail(err, CDC_ECORRUPT, "schema element %d has physical type %d", (int)i,
				(int)n->type);
	if (n->type == CDC_PQ_FIXED && n->type_length < 0)
		return cdc_fail(err, CDC_ECORRUPT, "schema element %d has length %d", (int)i,
				(int)n->type_length);
	return CDC_OK;
}

/* Levels of a node from its parent's: the root has none (spec 1.6). */
static void derive(struct cdc_pq_schema *s, int32_t i, int32_t parent)
{
	struct cdc_pq_node *n = &s->node[i];

	n->parent = parent;
	n->leaf = -1;
	n->max_def = 0;
	n->max_rep = 0;
	if (parent < 0)
		return;
	n->max_def = s->node[parent].max_def;
	n->max_rep = s->node[parent].max_rep;
	if (n->repetition != CDC_PQ_REQUIRED)
		n->max_def++;
	if (n->repetition == CDC_PQ_REPEATED)
		n->max_rep++;
}

int cdc_pq_schema_finish(struct cdc_pq_schema *s, struct cdc_arena *arena, struct cdc_err *err)
{
	struct open_group stack[CDC_PQ_DEPTH];
	int depth = 0;
	int32_t leaves = 0;
	int rc;

	if (s->num_nodes < 1 || s->node[0].is_leaf)
		return cdc_fail(err, CDC_ECORRUPT, "the schema has no root");
	for (int32_t i = 0; i < s->num_nodes; i++)
		leaves += s->node[i].is_leaf ? 1 : 0;
	s->leaf_node = cdc_arena_calloc(arena, leaves ? (size_t)leaves : 1, sizeof(*s->leaf_node));
	if (!s->leaf_node)
		return cdc_fail_nomem(err);
	s->num_leaves = 0;
	for (int32_t i = 0; i < s->num_nodes; i++) {
		rc = check_node(&s->node[i], i, err);
		if (rc < 0)
			return rc;
		if (i > 0 && depth == 0)
			return cdc_fail(err, CDC_ECORRUPT, "schema element %d has no parent",
					(int)i);
		derive(s, i, i ? stack[depth - 1].node : -1);
		if (i > 0)
			stack[depth - 1].left--;
		if (s->node[i].is_leaf) {
			s->node[i].leaf = s->num_leaves;
			s->leaf_node[s->num_leaves++] = i;
		} else if (s->node[i].num_children > 0) {
			if (depth == CDC_PQ_DEPTH)
				return cdc_fail(err, CDC_ECORRUPT,
						"the schema is nested deeper than %d",
						CDC_PQ_DEPTH);
			stack[depth].node = i;
			stack[depth++].left = s->node[i].num_children;
		}
		while (depth > 0 && stack[depth - 1].left == 0)
			depth--;
	}
	if (depth > 0)
		return cdc_fail(err, CDC_ECORRUPT, "schema element %d lacks %d of its children",
				(int)stack[depth - 1].node, (int)stack[depth - 1].left);
	return CDC_OK;
}
