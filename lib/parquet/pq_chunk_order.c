/*
 * Column chunks to leaves: by their ordinal, or by their paths where a writer listed a row group's
 * chunks in an order of its own (spec 3.2).
 */
#include "parquet/pq_meta_read.h"

#include "base/hash.h"

#include <stdlib.h>

/* As deep as cdc_pq_schema_finish lets a schema be, the leaf included. */
enum { MAX_PARTS = 65 };

struct named_leaf {
	uint64_t hash; /* of its path */
	int32_t leaf;
	int32_t chunk; /* whose path leads to it; -1: none yet */
};

static uint64_t add_part(uint64_t hash, struct cdc_str name)
{
	return cdc_hash64_u64(hash ^ cdc_hash64(name.p, name.n));
}

/* The nodes from below the root to the leaf; their number, 0 when they are too many. */
static uint32_t parts_of(const struct cdc_pq_schema *s, int32_t leaf, int32_t part[MAX_PARTS])
{
	uint32_t n = 0;
	int32_t at = s->leaf_node[leaf];

	for (int32_t i = at; i > 0; i = s->node[i].parent)
		n++;
	if (n > MAX_PARTS)
		return 0;
	for (uint32_t i = n; i > 0; at = s->node[at].parent)
		part[--i] = at;
	return n;
}

/* Does the list of names under the cursor lead to the leaf? */
static bool leads_to(struct cdc_pq_tread path, const struct cdc_pq_schema *s, int32_t leaf)
{
	int32_t part[MAX_PARTS];
	uint32_t n = parts_of(s, leaf, part);
	bool same = n > 0 && cdc_pq_tread_list(&path, CDC_PQ_WIRE_BINARY) == n;

	for (uint32_t i = 0; i < n && same; i++)
		same = cdc_str_eq(cdc_pq_tread_binary(&path), s->node[part[i]].name);
	return same && !path.bad;
}

static bool all_in_order(const struct cdc_pq_schema *s, const struct cdc_pq_tread *path)
{
	for (int32_t i = 0; i < s->num_leaves; i++)
		if (path[i].p && !leads_to(path[i], s, i))
			return false;
	return true;
}

static int by_hash(const void *a, const void *b)
{
	uint64_t x = ((const struct named_leaf *)a)->hash;
	uint64_t y = ((const struct named_leaf *)b)->hash;

	return (x > y) - (x < y);
}

/* The leaves by the hashes of their paths; false when two have the same. */
static bool sort_leaves(const struct cdc_pq_schema *s, struct named_leaf *named)
{
	for (int32_t i = 0; i < s->num_leaves; i++) {
		int32_t part[MAX_PARTS];
		uint32_t n = parts_of(s, i, part);

		named[i] = (struct named_leaf){ .leaf = i, .chunk = -1 };
		for (uint32_t k = 0; k < n; k++)
			named[i].hash = add_part(named[i].hash, s->node[part[k]].name);
	}
	qsort(named, (size_t)s->num_leaves, sizeof(*named), by_hash);
	for (int32_t i = 1; i < s->num_leaves; i++)
		if (named[i].hash == named[i - 1].hash)
			return false;
	return true;
}

/* The leaf that the path leads to, or NULL. */
static struct named_leaf *find(const struct cdc_pq_schema *s, struct named_leaf *named,
			       const struct cdc_pq_tread *path)
{
	struct cdc_pq_tread r = *path;
	struct named_leaf key = { 0 };
	struct named_leaf *at;
	uint32_t n = path->p ? cdc_pq_tread_list(&r, CDC_PQ_WIRE_BINARY) : 0;

	for (uint32_t i = 0; i < n && !r.bad; i++)
		key.hash = add_part(key.hash, cdc_pq_tread_binary(&r));
	at = bsearch(&key, named, (size_t)s->num_leaves, sizeof(*named), by_hash);
	return at && leads_to(*path, s, at->leaf) ? at : NULL;
}

/* Each leaf gets its chunk; false when the paths do not lead to one leaf each. */
static bool match(const struct cdc_pq_schema *s, const struct cdc_pq_tread *path,
		  struct named_leaf *named)
{
	if (!sort_leaves(s, named))
		return false;
	for (int32_t i = 0; i < s->num_leaves; i++) {
		struct named_leaf *to = find(s, named, &path[i]);

		if (!to || to->chunk >= 0)
			return false;
		to->chunk = i;
	}
	return true;
}

int cdc_pq_order_chunks(const struct cdc_pq_schema *s, const struct cdc_pq_tread *path,
			struct cdc_pq_column_meta *column, struct cdc_err *err)
{
	size_t n = (size_t)s->num_leaves;
	struct cdc_pq_column_meta *sorted;
	struct named_leaf *named;

	if (all_in_order(s, path))
		return CDC_OK;
	named = calloc(n, sizeof(*named));
	sorted = calloc(n, sizeof(*sorted));
	if (!named || !sorted) {
		free(named);
		free(sorted);
		return cdc_fail_nomem(err);
	}
	if (match(s, path, named)) {
		for (size_t i = 0; i < n; i++)
			sorted[named[i].leaf] = column[named[i].chunk];
		memcpy(column, sorted, n * sizeof(*column));
	}
	free(named);
	free(sorted);
	return CDC_OK;
}
