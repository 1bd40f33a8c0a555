/*
 * The columns of a Parquet file for people: a line for each leaf, summed over the row groups. See
 * describe_file.h.
 */
#include "table/describe/describe_file_int.h"

#include "base/value.h"
#include "parquet/pq_stats.h"
#include "table/describe/describe_names.h"

enum { COLUMN, TYPE, CODEC, ENCODINGS, NULLS, MIN, MAX, BYTES, RATIO, NUM_CELLS };

#define BOUND_BYTES 24 /* what is shown of a bound */
#define NAME_BYTES 64

static const struct cdc_field fields[NUM_CELLS] = {
	[COLUMN] = { .name = CDC_STR("column"), .type = CDC_TYPE_STRING },
	[TYPE] = { .name = CDC_STR("type"), .type = CDC_TYPE_STRING },
	[CODEC] = { .name = CDC_STR("codec"), .type = CDC_TYPE_STRING },
	[ENCODINGS] = { .name = CDC_STR("encodings"), .type = CDC_TYPE_STRING },
	[NULLS] = { .name = CDC_STR("nulls"), .type = CDC_TYPE_LONG },
	[MIN] = { .name = CDC_STR("min"), .type = CDC_TYPE_STRING },
	[MAX] = { .name = CDC_STR("max"), .type = CDC_TYPE_STRING },
	[BYTES] = { .name = CDC_STR("bytes"), .type = CDC_TYPE_LONG },
	[RATIO] = { .name = CDC_STR("ratio"), .type = CDC_TYPE_STRING },
};

/* A leaf over all row groups. */
struct total {
	enum cdc_pq_codec codec;
	bool codecs_differ;
	uint32_t encodings;
	bool has_nulls; /* every chunk tells */
	int64_t nulls;
	bool has_bounds; /* every chunk that has values has them */
	struct cdc_str min;
	struct cdc_str max;
	int64_t compressed;
	int64_t uncompressed;
};

static bool has_no_value(const struct cdc_pq_column_meta *c)
{
	return !c->num_values || (c->stats.has_null_count && c->stats.null_count == c->num_values);
}

static void add_bounds(struct total *t, const struct cdc_pq_column_meta *c,
		       const struct cdc_pq_node *leaf)
{
	const struct cdc_pq_statistics *st = &c->stats;

	if (!t->has_bounds || has_no_value(c))
		return;
	t->has_bounds = st->has_min_max;
	if (!st->has_min_max)
		return;
	if (!t->min.p || cdc_pq_order_plain(leaf, st->min_value, t->min) < 0)
		t->min = st->min_value;
	if (!t->max.p || cdc_pq_order_plain(leaf, st->max_value, t->max) > 0)
		t->max = st->max_value;
}

static struct total total_of(const struct cdc_pq_metadata *m, int32_t leaf)
{
	const struct cdc_pq_node *n = &m->schema.node[m->schema.leaf_node[leaf]];
	struct total t = { .has_nulls = true, .has_bounds = true };

	for (int32_t g = 0; g < m->num_row_groups; g++) {
		const struct cdc_pq_column_meta *c = &m->row_group[g].column[leaf];

		t.codecs_differ |= g && c->codec != t.codec;
		t.codec = c->codec;
		t.encodings |= c->encodings;
		t.has_nulls &= c->stats.has_null_count;
		t.nulls = cdc_sum_limited(t.nulls, c->stats.null_count);
		add_bounds(&t, c, n);
		t.compressed = cdc_sum_limited(t.compressed, c->total_compressed_size);
		t.uncompressed = cdc_sum_limited(t.uncompressed, c->total_uncompressed_size);
	}
	t.has_bounds = t.has_bounds && t.min.p;
	return t;
}

/* ------------------------------------------------------------------ cells */

struct line {
	struct cdc_buf cell[NUM_CELLS];
	bool null[NUM_CELLS];
	struct cdc_err *err;
	int rc;
};

/* A cell that is too long ends in three dots. */
static void cut(struct line *l, int cell, size_t max)
{
	struct cdc_buf *b = &l->cell[cell];

	if (l->rc < 0 || b->len <= max)
		return;
	b->len = cdc_utf8_prefix(b->p, b->len, max);
	l->rc = cdc_buf_puts(b, "...", l->err);
}

static void put_bound(struct line *l, int cell, const struct cdc_pq_node *leaf, bool there,
		      struct cdc_str plain)
{
	l->null[cell] = !there;
	if (l->rc == CDC_OK && there)
		l->rc = cdc_pq_put_bound(leaf, plain, &l->cell[cell], l->err);
	cut(l, cell, BOUND_BYTES);
}

/* RLE and BIT_PACKED are named for the levels too: they are shown of booleans alone. */
static void put_encodings(struct line *l, uint32_t encodings, const struct cdc_pq_node *leaf)
{
	const uint32_t levels = 1u << CDC_PQ_RLE | 1u << CDC_PQ_BIT_PACKED;

	if (leaf->type != CDC_PQ_BOOLEAN)
		encodings &= ~levels;
	for (int e = 0; l->rc == CDC_OK && e < 32; e++) {
		const char *name = cdc_pq_name_encoding(e);

		if (encodings >> e & 1)
			l->rc = cdc_buf_printf(&l->cell[ENCODINGS], l->err, "%s%s",
					       l->cell[ENCODINGS].len ? " " : "",
					       name ? name : "?");
	}
}

static void put_ratio(struct line *l, const struct total *t)
{
	char text[CDC_VALUE_TEXT_MAX];
	cdc_i128 hundredths = (cdc_i128)t->uncompressed * 100;

	l->null[RATIO] = t->compressed <= 0;
	if (l->null[RATIO] || l->rc < 0)
		return;
	l->rc = cdc_buf_append(&l->cell[RATIO], text,
			       cdc_decimal_format(hundredths / t->compressed, 2, text), l->err);
}

static void fill(struct line *l, const struct cdc_pq_metadata *m, int32_t leaf,
		 const struct total *t)
{
	int32_t node = m->schema.leaf_node[leaf];
	const struct cdc_pq_node *n = &m->schema.node[node];
	const char *codec = cdc_pq_name_codec(t->codec);

	l->rc = cdc_pq_put_path(&m->schema, node, &l->cell[COLUMN], l->err);
	cut(l, COLUMN, NAME_BYTES);
	if (l->rc == CDC_OK)
		l->rc = cdc_pq_put_type(n, &l->cell[TYPE], l->err);
	l->null[CODEC] = !m->num_row_groups;
	if (l->rc == CDC_OK && !l->null[CODEC])
		l->rc = cdc_buf_puts(&l->cell[CODEC],
				     t->codecs_differ ? "several"
				     : codec	      ? codec
						      : "?",
				     l->err);
	put_encodings(l, t->encodings, n);
	l->null[NULLS] = !t->has_nulls;
	put_bound(l, MIN, n, t->has_bounds, t->min);
	put_bound(l, MAX, n, t->has_bounds, t->max);
	put_ratio(l, t);
}

static int print_line(struct line *l, const struct total *t, struct cdc_printer *p)
{
	static const uint8_t null[1] = { 0 };
	struct cdc_column column[NUM_CELLS];
	struct cdc_str text[NUM_CELLS];
	struct cdc_batch row = { .rows = 1, .num_columns = NUM_CELLS, .column = column };

	for (int i = 0; i < NUM_CELLS; i++) {
		const void *value = i == NULLS	 ? (const void *)&t->nulls
				    : i == BYTES ? (const void *)&t->compressed
						 : (const void *)&text[i];

		text[i] = cdc_str(l->cell[i].len ? l->cell[i].p : "", l->cell[i].len);
		column[i] = (struct cdc_column){ .field = &fields[i],
						 .values = value,
						 .valid = l->null[i] ? null : NULL };
	}
	return cdc_printer_batch(p, &row, l->err);
}

static int print_leaf(const struct cdc_pq_metadata *m, int32_t leaf, struct cdc_printer *p,
		      struct cdc_err *err)
{
	struct total t = total_of(m, leaf);
	struct line l = { .err = err };

	fill(&l, m, leaf, &t);
	if (l.rc == CDC_OK)
		l.rc = print_line(&l, &t, p);
	for (int i = 0; i < NUM_CELLS; i++)
		cdc_buf_free(&l.cell[i]);
	return l.rc;
}

int cdc_describe_columns(const struct cdc_pq_metadata *m, struct cdc_writer *out,
			 struct cdc_err *err)
{
	const struct cdc_field *field[NUM_CELLS];
	struct cdc_printer *p = NULL;
	int rc;

	for (int i = 0; i < NUM_CELLS; i++)
		field[i] = &fields[i];
	rc = cdc_printer_new(&p, CDC_PRINT_TABLE, field, NUM_CELLS, out, err);
	for (int32_t i = 0; rc == CDC_OK && i < m->schema.num_leaves; i++)
		rc = print_leaf(m, i, p, err);
	if (rc == CDC_OK)
		rc = cdc_printer_finish(p, err);
	cdc_printer_free(p);
	return rc;
}
