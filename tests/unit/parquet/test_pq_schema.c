/*
 * Proves that parents, leaves and level limits come out of the pre-order list as the format has
 * them, by hand for a nested schema, and that lists that do not add up are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "parquet/pq_format.h"

static struct cdc_pq_node group(enum cdc_pq_repetition rep, int32_t children)
{
	return (struct cdc_pq_node){ .repetition = rep, .num_children = children };
}

static struct cdc_pq_node leaf(enum cdc_pq_repetition rep)
{
	return (struct cdc_pq_node){ .is_leaf = true, .type = CDC_PQ_INT32, .repetition = rep };
}

static int finish(struct cdc_pq_node *node, int32_t n, struct cdc_pq_schema *s,
		  struct cdc_arena *arena)
{
	struct cdc_err err = CDC_ERR_INIT;

	*s = (struct cdc_pq_schema){ .node = node, .num_nodes = n };
	return cdc_pq_schema_finish(s, arena, &err);
}

static void levels(void **state)
{
	/* root { a; optional b { repeated c { d; optional e } } repeated f; optional g } */
	struct cdc_pq_node n[] = {
		group(CDC_PQ_REQUIRED, 4), leaf(CDC_PQ_REQUIRED), group(CDC_PQ_OPTIONAL, 1),
		group(CDC_PQ_REPEATED, 2), leaf(CDC_PQ_REQUIRED), leaf(CDC_PQ_OPTIONAL),
		leaf(CDC_PQ_REPEATED),	   leaf(CDC_PQ_OPTIONAL),
	};
	static const int32_t parent[] = { -1, 0, 0, 2, 3, 3, 0, 0 };
	static const int32_t ordinal[] = { -1, 0, -1, -1, 1, 2, 3, 4 };
	static const uint8_t def[] = { 0, 0, 1, 2, 2, 3, 1, 1 };
	static const uint8_t rep[] = { 0, 0, 0, 1, 1, 1, 1, 0 };
	static const int32_t leaf_node[] = { 1, 4, 5, 6, 7 };
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_pq_schema s;

	(void)state;
	assert_int_equal(finish(n, 8, &s, &arena), CDC_OK);
	assert_int_equal(s.num_leaves, 5);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(n[i].parent, parent[i]);
		assert_int_equal(n[i].leaf, ordinal[i]);
		assert_int_equal(n[i].max_def, def[i]);
		assert_int_equal(n[i].max_rep, rep[i]);
	}
	for (int i = 0; i < 5; i++)
		assert_int_equal(s.leaf_node[i], leaf_node[i]);
	cdc_arena_free(&arena);
}

static void empty_groups(void **state)
{
	struct cdc_pq_node n[] = { group(CDC_PQ_REQUIRED, 2), group(CDC_PQ_OPTIONAL, 0),
				   leaf(CDC_PQ_REQUIRED) };
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_pq_schema s;

	(void)state;
	assert_int_equal(finish(n, 3, &s, &arena), CDC_OK);
	assert_int_equal(s.num_leaves, 1);
	assert_int_equal(n[2].parent, 0);
	n[0].num_children = 0;
	assert_int_equal(finish(n, 1, &s, &arena), CDC_OK);
	assert_int_equal(s.num_leaves, 0);
	cdc_arena_free(&arena);
}

static void refused(void **state)
{
	struct cdc_pq_node n[] = { group(CDC_PQ_REQUIRED, 2), leaf(CDC_PQ_REQUIRED),
				   leaf(CDC_PQ_REQUIRED), leaf(CDC_PQ_REQUIRED) };
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_pq_schema s;

	(void)state;
	assert_int_equal(finish(n, 3, &s, &arena), CDC_OK);
	assert_int_equal(finish(n, 0, &s, &arena), CDC_ECORRUPT);
	assert_int_equal(finish(n, 2, &s, &arena), CDC_ECORRUPT); /* a child is missing */
	assert_int_equal(finish(n, 4, &s, &arena), CDC_ECORRUPT); /* one too many */
	assert_int_equal(finish(n + 1, 1, &s, &arena), CDC_ECORRUPT); /* the root is a leaf */
	n[0].num_children = INT32_MAX;
	assert_int_equal(finish(n, 3, &s, &arena), CDC_ECORRUPT);
	n[0].num_children = -1;
	assert_int_equal(finish(n, 3, &s, &arena), CDC_ECORRUPT);
	n[0].num_children = 2;
	n[1].num_children = 1;
	assert_int_equal(finish(n, 3, &s, &arena), CDC_ECORRUPT); /* a leaf with children */
	n[1].num_children = 0;
	n[1].repetition = (enum cdc_pq_repetition)3;
	assert_int_equal(finish(n, 3, &s, &arena), CDC_ECORRUPT);
	n[1].repetition = CDC_PQ_REQUIRED;
	n[1].type = (enum cdc_pq_type)8;
	assert_int_equal(finish(n, 3, &s, &arena), CDC_ECORRUPT);
	n[1].type = CDC_PQ_FIXED;
	n[1].type_length = -1;
	assert_int_equal(finish(n, 3, &s, &arena), CDC_ECORRUPT);
	cdc_arena_free(&arena);
}

static void depth(void **state)
{
	struct cdc_pq_node n[CDC_PQ_DEPTH + 2];
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_pq_schema s;

	(void)state;
	for (int i = 0; i < CDC_PQ_DEPTH + 2; i++)
		n[i] = group(CDC_PQ_OPTIONAL, 1);
	n[CDC_PQ_DEPTH] = leaf(CDC_PQ_OPTIONAL);
	assert_int_equal(finish(n, CDC_PQ_DEPTH + 1, &s, &arena), CDC_OK);
	assert_int_equal(n[CDC_PQ_DEPTH].max_def, CDC_PQ_DEPTH);
	n[CDC_PQ_DEPTH] = group(CDC_PQ_OPTIONAL, 1);
	n[CDC_PQ_DEPTH + 1] = leaf(CDC_PQ_OPTIONAL);
	assert_int_equal(finish(n, CDC_PQ_DEPTH + 2, &s, &arena), CDC_ECORRUPT);
	cdc_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels),
		cmocka_unit_test(empty_groups),
		cmocka_unit_test(refused),
		cmocka_unit_test(depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
