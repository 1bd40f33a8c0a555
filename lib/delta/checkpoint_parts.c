/*
 * Partition values that a checkpoint holds in parsed form only (add.partitionValues_parsed, spec
 * section 9), back to the text of add.partitionValues.
 */
#include "delta/checkpoint_int.h"

#include "base/value.h"

#include <stdlib.h>

int cdc_cp_parts_bind(struct cdc_cp_stats *s, const struct cdc_pq_metadata *file, int32_t add,
		      struct cdc_err *err)
{
	const struct cdc_pq_schema *schema = &file->schema;
	int32_t top = cdc_cp_child(schema, add, "partitionValues_parsed");

	if (top < 0 || schema->node[top].is_leaf ||
	    !cdc_cp_is_missing(file, add, "partitionValues"))
		return CDC_OK;
	s->schema = schema;
	s->top = top;
	s->cursor = calloc((size_t)schema->num_leaves, sizeof(*s->cursor));
	s->node = calloc((size_t)schema->num_leaves, sizeof(*s->node));
	if (!s->cursor || !s->node)
		return cdc_fail_nomem(err);
	for (int32_t i = top + 1; i < schema->num_nodes && cdc_cp_is_below(schema, i, top); i++) {
		const struct cdc_pq_node *n = &schema->node[i];

		if (!n->is_leaf || n->max_rep || n->parent != top)
			continue;
		s->node[s->num_cursors] = i;
		s->cursor[s->num_cursors++] =
			(struct cdc_cp_cursor){ .leaf = n->leaf, .max_def = n->max_def };
	}
	return CDC_OK;
}

/* JSON's quotes are not part of the value; what is quoted has no escapes in it. */
static struct cdc_str unquoted(struct cdc_str s)
{
	return s.n >= 2 && s.p[0] == '"' ? cdc_str(s.p + 1, s.n - 2) : s;
}

static int read_value(struct cdc_cp_stats *s, int i, struct cdc_arena *arena, struct cdc_str *out,
		      struct cdc_err *err)
{
	const struct cdc_cp_cursor *c = &s->cursor[i];
	const struct cdc_pq_node *n = &s->schema->node[s->node[i]];
	struct cdc_str text;
	int rc = CDC_OK;

	if (!cdc_cp_has_value(c, c->pos))
		return CDC_OK;
	if ((n->type == CDC_PQ_BYTE_ARRAY || n->type == CDC_PQ_FIXED) &&
	    n->logical != CDC_PQ_LOGICAL_DECIMAL && n->converted != CDC_PQ_CONV_DECIMAL) {
		text = ((const struct cdc_str *)c->vec.values)[c->pos];
	} else {
		cdc_buf_reset(&s->text);
		rc = cdc_cp_put_value(&s->text, n, c, err);
		text = unquoted(cdc_buf_str(&s->text));
		if (!rc && cdc_str_eqz(text, "null"))
			rc = cdc_fail(err, CDC_ECORRUPT,
				      "a value of partitionValues_parsed is bad");
	}
	if (rc)
		return rc;
	*out = cdc_str(cdc_arena_dup(arena, text.n ? text.p : "", text.n), text.n);
	return out->p ? CDC_OK : cdc_fail_nomem(err);
}

int cdc_cp_parts_row(struct cdc_cp_stats *s, struct cdc_arena *arena, struct cdc_kv **out, int *n,
		     struct cdc_err *err)
{
	struct cdc_kv *kv;
	int rc = CDC_OK;

	if (!s->num_cursors)
		return CDC_OK;
	kv = cdc_arena_calloc(arena, (size_t)s->num_cursors, sizeof(*kv));
	if (!kv)
		return cdc_fail_nomem(err);
	for (int i = 0; !rc && i < s->num_cursors; i++) {
		kv[i].key = s->schema->node[s->node[i]].name;
		rc = read_value(s, i, arena, &kv[i].value, err);
	}
	*out = kv;
	*n = s->num_cursors;
	return rc;
}
