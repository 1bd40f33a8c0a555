/* A DTS field of one of the types that its schema may give it, read by its node in the plan. */
#include "source/dts/dts_int.h"

static bool fail(struct cdc_avro_cur *cur, const char *why)
{
	cur->why = why;
	return false;
}

bool dts_integral_at(const struct dts_layout *l, struct cdc_avro_cur *cur, uint32_t node,
		     int64_t *v)
{
	int32_t i;

	if (!cdc_avro_branch(l->plan, cur, &node))
		return false;
	if (cdc_avro_node(l->plan, node)->kind == CDC_AVRO_LONG)
		return cdc_avro_long(cur, v);
	if (!cdc_avro_int(cur, &i))
		return false;
	*v = i;
	return true;
}

bool dts_int32_at(const struct dts_layout *l, struct cdc_avro_cur *cur, uint32_t node, int32_t *v)
{
	int64_t wide;

	if (!dts_integral_at(l, cur, node, &wide))
		return false;
	if (wide < INT32_MIN || wide > INT32_MAX)
		return fail(cur, "a number is out of range");
	*v = (int32_t)wide;
	return true;
}

bool dts_text_at(const struct dts_layout *l, struct cdc_avro_cur *cur, uint32_t node,
		 struct cdc_str *s, bool *is_null)
{
	bool null;

	if (!cdc_avro_branch(l->plan, cur, &node))
		return false;
	null = cdc_avro_node(l->plan, node)->kind == CDC_AVRO_NULL;
	if (is_null)
		*is_null = null;
	if (!null)
		return cdc_avro_bytes(cur, s);
	*s = cdc_str("", 0);
	return true;
}

bool dts_symbol_at(const struct dts_layout *l, struct cdc_avro_cur *cur, uint32_t node,
		   const char **name, uint32_t *index)
{
	const struct cdc_avro_node *n = cdc_avro_node(l->plan, node);
	int32_t i;

	if (!cdc_avro_int(cur, &i))
		return false;
	if (i < 0 || (uint32_t)i >= n->n)
		return fail(cur, "an enum has no such symbol");
	*name = cdc_avro_child(l->plan, n, (uint32_t)i)->name;
	*index = (uint32_t)i;
	return true;
}
