/*
 * A folded batch: one entry per key, and the new rows in the table's types. See merge_internal.h.
 */
#include "base/endian.h"
#include "table/merge/merge_internal.h"

#include <stdlib.h>

struct build {
	struct cdc_merge *m;
	struct batch *b;
};

static int find_entry(const struct batch *b, struct cdc_str key, uint64_t hash, uint32_t *index)
{
	struct cdc_map_iter it = cdc_map_seek(&b->map, hash);

	while (cdc_map_next(&b->map, &it, index))
		if (cdc_str_eq(b->entry[*index].key, key))
			return true;
	*index = NO_INDEX;
	return false;
}

static int new_entry(struct batch *b, struct cdc_str key, uint32_t *index, struct cdc_err *err)
{
	struct entry *e;

	if (b->n == b->cap) {
		uint32_t cap = b->cap ? b->cap * 2 : 1024;

		if (cap <= b->cap || cap == NO_INDEX)
			return cdc_fail(err, CDC_ENOMEM, "more than 2^31 keys in one batch");
		e = realloc(b->entry, cap * sizeof(*e));
		if (!e)
			return cdc_fail_nomem(err);
		b->entry = e;
		b->cap = cap;
	}
	e = &b->entry[b->n];
	*e = (struct entry){ .hash = cdc_hash64(key.p, key.n),
			     .row = NO_INDEX,
			     .source = NO_INDEX,
			     .dependent = NO_INDEX };
	e->key = cdc_str(cdc_arena_dup(&b->arena, key.p, key.n), key.n);
	if (!e->key.p)
		return cdc_fail_nomem(err);
	if (cdc_map_insert(&b->map, e->hash, b->n, err))
		return err->code;
	*index = b->n++;
	return CDC_OK;
}

/* The entry of a key, made if there is none (a move's source can be named before it is visited). */
static int want_entry(struct batch *b, struct cdc_str key, uint32_t *index, struct cdc_err *err)
{
	if (find_entry(b, key, cdc_hash64(key.p, key.n), index))
		return CDC_OK;
	return new_entry(b, key, index, err);
}

/* Key columns that the image leaves open: the row has this key, whatever image named it. */
static int fill_key(const struct cdc_merge *m, struct batch *b, struct cdc_str key, uint32_t row,
		    struct cdc_err *err)
{
	for (int k = 0; k < m->target.key.num_fields; k++) {
		int f = m->target.key.field[k];
		union cdc_value v;
		size_t n = cdc_key_get(key, b->rows.schema->field[f].type, &v);

		if (b->rows.column[f].cell[row] != CDC_CELL_VALUE &&
		    cdc_rows_set(&b->rows, row, f, &v, err))
			return err->code;
		key = cdc_str(key.p + n, key.n - n);
	}
	return CDC_OK;
}

/* What an image lacks: null in a whole one, unless the table has something to fill in. */
static enum cdc_cell blank_cell(const struct cdc_merge *m, enum cdc_net_state state)
{
	return state == CDC_NET_WHOLE && !cdc_constraints_any_fill(m->constraints)
		       ? CDC_CELL_NULL
		       : CDC_CELL_UNKNOWN;
}

static int visit(void *ctx, const struct cdc_net_change *c, struct cdc_err *err)
{
	struct build *bd = ctx;
	struct batch *b = bd->b;
	uint32_t i, source = NO_INDEX, row = NO_INDEX;
	struct entry *e;
	int rc = want_entry(b, c->key, &i, err);

	if (!rc && c->state == CDC_NET_OVERLAY)
		rc = want_entry(b, c->source_key, &source, err);
	if (!rc && c->state != CDC_NET_DELETED)
		rc = cdc_rows_append(&b->rows, blank_cell(bd->m, c->state), &row, err);
	if (!rc && row != NO_INDEX)
		rc = image_to_row(&bd->m->images, &bd->m->tape2, c->after, &b->rows, row, err);
	if (!rc && row != NO_INDEX)
		rc = fill_key(bd->m, b, c->key, row, err);
	if (rc)
		return rc;
	e = &b->entry[i];
	e->row = row;
	e->source = source;
	e->place = c->tag;
	e->order = c->order;
	if (source != NO_INDEX)
		b->entry[source].dependent = i;
	for (int f = 0; row != NO_INDEX && f < b->rows.schema->num_fields; f++)
		if (b->rows.column[f].cell[row] == CDC_CELL_UNKNOWN)
			e->has_unknown = true;
	return CDC_OK;
}

static int compare_int(const void *a, const void *b)
{
	const union cdc_value *x = a, *y = b;

	return (x->i > y->i) - (x->i < y->i);
}

static int compare_double(const void *a, const void *b)
{
	return cdc_value_cmp(CDC_TYPE_DOUBLE, a, b);
}

static int compare_decimal(const void *a, const void *b)
{
	const union cdc_value *x = a, *y = b;

	return (x->dec > y->dec) - (x->dec < y->dec);
}

static int compare_string(const void *a, const void *b)
{
	const union cdc_value *x = a, *y = b;

	return cdc_str_cmp(x->s, y->s);
}

/* The first key column's values in order. */
static int sort_keys(const struct cdc_merge *m, struct batch *b, struct cdc_err *err)
{
	const struct cdc_key *key = &m->target.key;
	enum cdc_type t = m->target.snapshot->schema.field[key->field[0]].type;
	int (*compare)(const void *, const void *) = compare_int;
	size_t n = (size_t)b->n + 1;

	b->sorted = malloc(n * sizeof(*b->sorted));
	if (!b->sorted)
		return cdc_fail_nomem(err);
	for (uint32_t i = 0; i < b->n; i++)
		cdc_key_get(b->entry[i].key, t, &b->sorted[i]);
	if (t == CDC_TYPE_FLOAT || t == CDC_TYPE_DOUBLE)
		compare = compare_double;
	else if (t == CDC_TYPE_DECIMAL)
		compare = compare_decimal;
	else if (t == CDC_TYPE_STRING || t == CDC_TYPE_BINARY)
		compare = compare_string;
	qsort(b->sorted, b->n, sizeof(*b->sorted), compare);
	return CDC_OK;
}

/* A key of one column whose words are in the order of its values. */
static bool has_integer_key(const struct cdc_merge *m)
{
	enum cdc_type t = m->target.snapshot->schema.field[m->target.key.field[0]].type;

	return m->target.key.is_word && t != CDC_TYPE_FLOAT && t != CDC_TYPE_DOUBLE;
}

static int index_words(struct batch *b, struct cdc_err *err)
{
	uint64_t *word = malloc(((size_t)b->n + 1) * sizeof(*word));
	int rc;

	if (!word)
		return cdc_fail_nomem(err);
	for (uint32_t i = 0; i < b->n; i++)
		word[i] = cdc_le64(b->entry[i].key.p);
	rc = cdc_key_index_init(&b->index, word, b->n, err);
	free(word);
	return rc;
}

int batch_build(struct cdc_merge *m, struct batch *b, struct cdc_err *err)
{
	struct build bd = { m, b };
	int rc;

	*b = (struct batch){ .records = cdc_net_count(m->net) };
	rc = cdc_rows_init(&b->rows, &m->target.snapshot->schema, err);
	if (!rc)
		rc = cdc_net_each(m->net, &b->truncated, visit, &bd, err);
	/* Nothing that is stored goes. */
	if (m->opt.insert_only)
		b->truncated = false;
	if (!rc && m->target.key.is_word)
		rc = index_words(b, err);
	if (!rc && !has_integer_key(m))
		rc = sort_keys(m, b, err);
	return rc;
}

void batch_free(struct batch *b)
{
	free(b->entry);
	free(b->sorted);
	cdc_key_index_free(&b->index);
	cdc_map_free(&b->map);
	if (b->rows.schema)
		cdc_rows_free(&b->rows);
	cdc_arena_free(&b->arena);
	*b = (struct batch){ .n = 0 };
}
