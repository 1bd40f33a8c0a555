/* Avro binary encoding: the reads that are not inline, blocks, and skipping by a plan. */
#include "source/avro/avro_plan.h"

#include "base/endian.h"

static bool fail(struct cdc_avro_cur *c, const char *why)
{
	c->why = why;
	return false;
}

bool cdc_avro_long_slow(struct cdc_avro_cur *c, int64_t *v)
{
	const unsigned char *p = c->p;
	uint64_t u = 0;

	if (c->end - p >= 8) {
		unsigned n = cdc_avro_long_of(cdc_le64(p), v);

		c->p += n;
		if (n)
			return true;
	}
	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (p == c->end)
			return fail(c, "it ends early");
		if (shift == 63 && *p > 1)
			break;
		u |= (uint64_t)(*p & 0x7f) << shift;
		if (*p++ < 0x80) {
			c->p = p;
			*v = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
			return true;
		}
	}
	return fail(c, "a number is longer than 64 bits");
}

bool cdc_avro_double(struct cdc_avro_cur *c, double *v)
{
	uint64_t bits;

	if (c->end - c->p < 8)
		return fail(c, "it ends early");
	bits = cdc_le64(c->p);
	memcpy(v, &bits, 8);
	c->p += 8;
	return true;
}

bool cdc_avro_float(struct cdc_avro_cur *c, double *v)
{
	uint32_t bits;
	float f;

	if (c->end - c->p < 4)
		return fail(c, "it ends early");
	bits = cdc_le32(c->p);
	memcpy(&f, &bits, 4);
	*v = (double)f;
	c->p += 4;
	return true;
}

bool cdc_avro_next_block(struct cdc_avro_cur *c, struct cdc_avro_blocks *b, bool *ok)
{
	int64_t n, size;

	*ok = false;
	if (b->end && b->end != c->p)
		return fail(c, "a block does not have the size it tells");
	if (!cdc_avro_long(c, &n))
		return false;
	if (n == 0) {
		*ok = true;
		return false;
	}
	b->end = NULL;
	if (n < 0) {
		if (n == INT64_MIN)
			return fail(c, "a block has too many items");
		if (!cdc_avro_long(c, &size))
			return false;
		if (size < 0 || size > c->end - c->p)
			return fail(c, "a block runs past the end");
		b->end = c->p + size;
		n = -n;
	}
	*ok = true;
	b->left = n - 1;
	return true;
}

static bool skip_bytes(struct cdc_avro_cur *c, uint64_t n)
{
	if (n > (uint64_t)(c->end - c->p))
		return fail(c, "it ends early");
	c->p += n;
	return true;
}

static bool skip(const struct cdc_avro_plan *plan, uint32_t node, struct cdc_avro_cur *c,
		 unsigned depth);

/* Items that take no bytes are not visited one by one: their count is only a claim. */
static bool skip_items(const struct cdc_avro_plan *plan, const struct cdc_avro_node *n,
		       struct cdc_avro_cur *c, unsigned depth)
{
	uint32_t item = cdc_avro_child(plan, n, 0)->node;
	bool no_bytes = n->kind == CDC_AVRO_ARRAY && cdc_avro_node(plan, item)->empty;
	struct cdc_avro_blocks b = { 0, NULL };
	struct cdc_str key;
	bool ok = true;

	while (cdc_avro_next(c, &b, &ok)) {
		if (no_bytes) {
			b.left = 0;
			continue;
		}
		if (n->kind == CDC_AVRO_MAP && !cdc_avro_bytes(c, &key))
			return false;
		if (!skip(plan, item, c, depth))
			return false;
	}
	return ok;
}

static bool skip_enum(const struct cdc_avro_node *n, struct cdc_avro_cur *c)
{
	int32_t i;

	if (!cdc_avro_int(c, &i))
		return false;
	return (i >= 0 && (uint32_t)i < n->n) || fail(c, "an enum has no such symbol");
}

static bool skip(const struct cdc_avro_plan *plan, uint32_t node, struct cdc_avro_cur *c,
		 unsigned depth)
{
	const struct cdc_avro_node *n = cdc_avro_node(plan, node);
	struct cdc_str s;
	int64_t l;
	int32_t i;

	if (n->empty)
		return true;
	if (depth == CDC_AVRO_DEPTH_MAX)
		return fail(c, "it is nested too deeply");
	switch ((enum cdc_avro_kind)n->kind) {
	case CDC_AVRO_NULL:
		return true;
	case CDC_AVRO_BOOLEAN:
		return skip_bytes(c, 1);
	case CDC_AVRO_INT:
		return cdc_avro_int(c, &i);
	case CDC_AVRO_LONG:
		return cdc_avro_long(c, &l);
	case CDC_AVRO_FLOAT:
		return skip_bytes(c, 4);
	case CDC_AVRO_DOUBLE:
		return skip_bytes(c, 8);
	case CDC_AVRO_BYTES:
	case CDC_AVRO_STRING:
		return cdc_avro_bytes(c, &s);
	case CDC_AVRO_FIXED:
		return skip_bytes(c, n->size);
	case CDC_AVRO_ENUM:
		return skip_enum(n, c);
	case CDC_AVRO_ARRAY:
	case CDC_AVRO_MAP:
		return skip_items(plan, n, c, depth + 1);
	case CDC_AVRO_UNION:
		return cdc_avro_branch(plan, c, &node) && skip(plan, node, c, depth + 1);
	case CDC_AVRO_RECORD:
		for (uint32_t k = 0; k < n->n; k++) {
			if (!skip(plan, cdc_avro_child(plan, n, k)->node, c, depth + 1))
				return false;
		}
		return true;
	}
	return fail(c, "an unknown type");
}

bool cdc_avro_skip(const struct cdc_avro_plan *plan, uint32_t node, struct cdc_avro_cur *c)
{
	return skip(plan, node, c, 0);
}
