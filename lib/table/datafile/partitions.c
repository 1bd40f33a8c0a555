/*
 * Partitions by number. See partitions.h.
 */
#include "table/datafile/partitions.h"

#include <stdlib.h>

int cdc_partitions_init(struct cdc_partitions *p, const struct cdc_snapshot *s, struct cdc_err *err)
{
	const struct cdc_metadata *m = &s->metadata;

	*p = (struct cdc_partitions){ .num_columns = m->num_partition_columns };
	p->column = cdc_arena_calloc(&p->arena, (size_t)p->num_columns + 1, sizeof(*p->column));
	if (!p->column)
		return cdc_fail_nomem(err);
	for (int i = 0; i < p->num_columns; i++) {
		int f = cdc_schema_find(&s->schema, m->partition_column[i]);
		struct cdc_str name =
			f < 0 ? m->partition_column[i] : s->schema.field[f].physical_name;

		p->column[i] = cdc_str(cdc_arena_dup(&p->arena, name.p, name.n), name.n);
		if (!p->column[i].p)
			return cdc_fail_nomem(err);
	}
	return CDC_OK;
}

void cdc_partitions_free(struct cdc_partitions *p)
{
	free(p->value);
	free(p->text);
	cdc_map_free(&p->map);
	cdc_arena_free(&p->arena);
	cdc_buf_free(&p->buf);
	*p = (struct cdc_partitions){ .n = 0 };
}

/* The values, each with its length before it. */
static int put_text(struct cdc_partitions *p, const struct cdc_str *value, struct cdc_err *err)
{
	int rc = CDC_OK;

	cdc_buf_reset(&p->buf);
	for (int i = 0; !rc && i < p->num_columns; i++) {
		uint64_t n = value[i].n ? value[i].n : UINT64_MAX;

		rc = cdc_buf_append(&p->buf, &n, sizeof(n), err);
		if (!rc && value[i].n)
			rc = cdc_buf_put(&p->buf, value[i], err);
	}
	return rc;
}

static int grow(struct cdc_partitions *p, struct cdc_err *err)
{
	uint32_t cap = p->cap ? p->cap * 2 : 16;
	void *value, *text;

	if (cap <= p->cap)
		return cdc_fail(err, CDC_ENOMEM, "more than 2^31 partitions");
	value = reallocarray(p->value, cap, sizeof(struct cdc_kv *));
	if (value)
		p->value = value;
	text = reallocarray(p->text, cap, sizeof(*p->text));
	if (text)
		p->text = text;
	if (!value || !text)
		return cdc_fail_nomem(err);
	p->cap = cap;
	return CDC_OK;
}

static int add(struct cdc_partitions *p, const struct cdc_str *value, uint64_t hash,
	       struct cdc_err *err)
{
	struct cdc_kv *kv = cdc_arena_calloc(&p->arena, (size_t)p->num_columns + 1, sizeof(*kv));
	struct cdc_str text = cdc_buf_str(&p->buf);

	text.p = cdc_arena_dup(&p->arena, text.p ? text.p : "", text.n);
	if (!kv || !text.p)
		return cdc_fail_nomem(err);
	for (int i = 0; i < p->num_columns; i++) {
		kv[i].key = p->column[i];
		if (!value[i].n)
			continue;
		kv[i].value = cdc_str(cdc_arena_dup(&p->arena, value[i].p, value[i].n), value[i].n);
		if (!kv[i].value.p)
			return cdc_fail_nomem(err);
	}
	if (p->n == p->cap && grow(p, err))
		return err->code;
	p->value[p->n] = kv;
	p->text[p->n] = text;
	return cdc_map_insert(&p->map, hash, p->n++, err);
}

int cdc_partitions_find(struct cdc_partitions *p, const struct cdc_str *value, uint32_t *index,
			struct cdc_err *err)
{
	struct cdc_map_iter it;
	uint64_t hash;
	int rc = put_text(p, value, err);

	if (rc)
		return rc;
	hash = cdc_hash64(p->buf.p ? p->buf.p : "", p->buf.len);
	it = cdc_map_seek(&p->map, hash);
	while (cdc_map_next(&p->map, &it, index))
		if (cdc_str_eq(p->text[*index], cdc_buf_str(&p->buf)))
			return CDC_OK;
	*index = p->n;
	return add(p, value, hash, err);
}

int cdc_partitions_of_file(struct cdc_partitions *p, const struct cdc_add *a, uint32_t *index,
			   struct cdc_err *err)
{
	struct cdc_str *value = calloc((size_t)p->num_columns + 1, sizeof(*value));
	int rc = value ? CDC_OK : cdc_fail_nomem(err);

	for (int i = 0; !rc && i < p->num_columns; i++)
		for (int k = 0; k < a->num_partition_values; k++)
			if (cdc_str_eq(a->partition_value[k].key, p->column[i]))
				value[i] = a->partition_value[k].value;
	if (!rc)
		rc = cdc_partitions_find(p, value, index, err);
	free(value);
	return rc;
}
