/*
 * Gathering of rows, column by column. See batch_gather.h.
 */
#include "table/batch/batch_gather.h"

#include "base/value.h"

#include <stdlib.h>

/* The arrays of a column, made when first needed; structs have parts as a batch has columns. */
struct part {
	void *values;
	uint8_t *valid;
	struct part *child;
	struct cdc_column *column;
	int num_children;
};

struct cdc_gather {
	struct part top;
};

static int make_children(struct part *p, int n, struct cdc_err *err)
{
	p->child = calloc((size_t)n + 1, sizeof(*p->child));
	p->column = calloc((size_t)n + 1, sizeof(*p->column));
	if (!p->child || !p->column)
		return cdc_fail_nomem(err);
	p->num_children = n;
	return CDC_OK;
}

static void free_part(struct part *p)
{
	for (int i = 0; i < p->num_children; i++)
		free_part(&p->child[i]);
	free(p->child);
	free(p->column);
	free(p->values);
	free(p->valid);
	*p = (struct part){ 0 };
}

int cdc_gather_new(struct cdc_gather **out, int num_columns, struct cdc_err *err)
{
	struct cdc_gather *g = calloc(1, sizeof(*g));

	if (!g || make_children(&g->top, num_columns, err) < 0) {
		cdc_gather_free(g);
		return cdc_fail_nomem(err);
	}
	*out = g;
	return CDC_OK;
}

void cdc_gather_free(struct cdc_gather *g)
{
	if (g)
		free_part(&g->top);
	free(g);
}

#define GATHER(bits)                                                                               \
	static void gather_##bits(const uint32_t *at, uint32_t n, const void *from, void *to)      \
	{                                                                                          \
		const uint##bits##_t *in = from;                                                   \
		uint##bits##_t *out = to;                                                          \
		for (uint32_t i = 0; i < n; i++)                                                   \
			out[i] = in[at[i]];                                                        \
	}

GATHER(8)
GATHER(32)

static void gather_64(const uint32_t *at, uint32_t n, const void *from, void *to)
{
	const char *in = from;
	char *out = to;

	for (uint32_t i = 0; i < n; i++)
		memcpy(out + (size_t)i * 8, in + (size_t)at[i] * 8, 8);
}

static void gather_128(const uint32_t *at, uint32_t n, const void *from, void *to)
{
	const char *in = from;
	char *out = to;

	for (uint32_t i = 0; i < n; i++)
		memcpy(out + (size_t)i * 16, in + (size_t)at[i] * 16, 16);
}

static void gather(size_t size, const uint32_t *at, uint32_t n, const void *from, void *to)
{
	if (size == 1)
		gather_8(at, n, from, to);
	else if (size == 4)
		gather_32(at, n, from, to);
	else if (size == 8)
		gather_64(at, n, from, to);
	else
		gather_128(at, n, from, to);
}

static int gather_column(struct part *p, const struct cdc_column *from, struct cdc_column *to,
			 const uint32_t *live, uint32_t n, struct cdc_err *err);

/* The children of a struct have its rows; those of a list stay, since its spans point to them. */
static int gather_children(struct part *p, const struct cdc_column *from, struct cdc_column *to,
			   const uint32_t *live, uint32_t n, struct cdc_err *err)
{
	int children = from->field->num_children;
	int rc = CDC_OK;

	if (!from->child || from->field->type == CDC_TYPE_ARRAY ||
	    from->field->type == CDC_TYPE_MAP)
		return CDC_OK;
	/* A variant's parts differ from file to file. */
	if (p->num_children != children) {
		free_part(p);
		rc = make_children(p, children, err);
	}
	for (int i = 0; rc == CDC_OK && i < children; i++)
		rc = gather_column(&p->child[i], &from->child[i], &p->column[i], live, n, err);
	to->child = p->column;
	return rc;
}

static int gather_column(struct part *p, const struct cdc_column *from, struct cdc_column *to,
			 const uint32_t *live, uint32_t n, struct cdc_err *err)
{
	size_t size = cdc_type_size(from->field->type);
	int rc;

	*to = *from;
	rc = gather_children(p, from, to, live, n, err);
	if (rc < 0)
		return rc;
	if (from->values && size) {
		/* 16 bytes a value are the most: the type of a variant's part may change. */
		if (!p->values)
			p->values = reallocarray(NULL, CDC_BATCH_ROWS, sizeof(cdc_i128));
		if (!p->values)
			return cdc_fail_nomem(err);
		gather(size, live, n, from->values, p->values);
		to->values = p->values;
	}
	if (from->valid) {
		if (!p->valid)
			p->valid = malloc(CDC_BATCH_ROWS);
		if (!p->valid)
			return cdc_fail_nomem(err);
		gather_8(live, n, from->valid, p->valid);
		to->valid = p->valid;
	}
	return CDC_OK;
}

int cdc_gather_rows(struct cdc_gather *g, struct cdc_batch *b, const uint32_t *live, uint32_t n,
		    struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; n && rc == CDC_OK && i < b->num_columns; i++)
		rc = gather_column(&g->top.child[i], &b->column[i], &g->top.column[i], live, n,
				   err);
	b->rows = n;
	b->column = g->top.column;
	return rc;
}
