/*
 * Statistics that a checkpoint holds in parsed form only (add.stats_parsed, spec section 9), back
 * to the JSON text of add.stats. Only read where the text is not there.
 */
#include "delta/checkpoint_int.h"

#include "base/value.h"

#include <math.h>
#include <stdlib.h>

#define BATCH_SLOTS 1024
#define DECIMAL_SCALE_MAX 38
#define JULIAN_EPOCH_DAY INT64_C(2440588)
#define US_PER_DAY INT64_C(86400000000)

bool cdc_cp_is_missing(const struct cdc_pq_metadata *file, int32_t parent, const char *name)
{
	int32_t node = cdc_cp_child(&file->schema, parent, name);

	while (node >= 0 && !file->schema.node[node].is_leaf && node + 1 < file->schema.num_nodes)
		node++;
	if (node < 0 || !file->schema.node[node].is_leaf)
		return true;
	for (int32_t g = 0; g < file->num_row_groups; g++) {
		const struct cdc_pq_column_meta *c =
			&file->row_group[g].column[file->schema.node[node].leaf];

		if (!c->stats.has_null_count || c->stats.null_count < c->num_values)
			return false;
	}
	return true;
}

static bool wanted(const struct cdc_pq_schema *s, int32_t node, int32_t top)
{
	static const char *const known[] = { "numRecords", "minValues", "maxValues", "nullCount",
					     "tightBounds" };
	int32_t member = node;

	if (!s->node[node].is_leaf || s->node[node].max_rep)
		return false;
	while (s->node[member].parent != top)
		member = s->node[member].parent;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (cdc_str_eqz(s->node[member].name, known[i]))
			return true;
	}
	return false;
}

int cdc_cp_stats_bind(struct cdc_cp_stats *s, const struct cdc_pq_metadata *file, int32_t add,
		      struct cdc_err *err)
{
	const struct cdc_pq_schema *schema = &file->schema;
	int32_t top = cdc_cp_child(schema, add, "stats_parsed");
	size_t n = (size_t)schema->num_leaves;

	if (top < 0 || schema->node[top].is_leaf || !cdc_cp_is_missing(file, add, "stats"))
		return CDC_OK;
	s->schema = schema;
	s->top = top;
	s->cursor = calloc(n, sizeof(*s->cursor));
	s->node = calloc(n, sizeof(*s->node));
	if (!s->cursor || !s->node)
		return cdc_fail_nomem(err);
	for (int32_t i = top + 1; i < schema->num_nodes && cdc_cp_is_below(schema, i, top); i++) {
		if (!wanted(schema, i, top))
			continue;
		s->node[s->num_cursors] = i;
		s->cursor[s->num_cursors++] =
			(struct cdc_cp_cursor){ .leaf = schema->node[i].leaf,
						.max_def = schema->node[i].max_def };
	}
	return CDC_OK;
}

int cdc_cp_stats_open(struct cdc_cp_stats *s, struct cdc_pq_file *file, int32_t row_group,
		      struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; !rc && i < s->num_cursors; i++) {
		struct cdc_cp_cursor *c = &s->cursor[i];

		c->vec.n = c->pos = c->end = 0;
		rc = cdc_pq_column_open(&c->column, file, row_group, c->leaf, err);
	}
	return rc;
}

int cdc_cp_stats_advance(struct cdc_cp_stats *s, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; !rc && i < s->num_cursors; i++)
		rc = cdc_cp_cursor_advance(&s->cursor[i], err);
	return rc;
}

void cdc_cp_stats_close(struct cdc_cp_stats *s)
{
	for (int i = 0; i < s->num_cursors; i++) {
		cdc_pq_column_close(s->cursor[i].column);
		s->cursor[i].column = NULL;
	}
}

void cdc_cp_stats_free(struct cdc_cp_stats *s)
{
	free(s->cursor);
	free(s->node);
	cdc_buf_free(&s->text);
	*s = (struct cdc_cp_stats){ .schema = NULL };
}

/* ------------------------------------------------------------------ values */

static bool is_decimal(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_DECIMAL || n->converted == CDC_PQ_CONV_DECIMAL;
}

static bool is_timestamp(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_TIMESTAMP ||
	       n->converted == CDC_PQ_CONV_TIMESTAMP_MILLIS ||
	       n->converted == CDC_PQ_CONV_TIMESTAMP_MICROS;
}

static int put_timestamp(struct cdc_buf *b, int64_t us, bool utc, struct cdc_err *err)
{
	char text[CDC_VALUE_TEXT_MAX];
	size_t n = cdc_timestamp_format_fixed(us, 'T', utc, 6, text);

	return cdc_json_put_string(b, cdc_str(text, n), err);
}

static int put_int96(struct cdc_buf *b, const struct cdc_pq_int96 *t, struct cdc_err *err)
{
	int64_t us;

	if (__builtin_mul_overflow((int64_t)t->julian_day - JULIAN_EPOCH_DAY, US_PER_DAY, &us) ||
	    __builtin_add_overflow(us, (int64_t)(t->nanos / 1000 % US_PER_DAY), &us))
		return cdc_buf_puts(b, "null", err);
	return put_timestamp(b, us, true, err);
}

static int put_int64(struct cdc_buf *b, const struct cdc_pq_node *n, int64_t v, struct cdc_err *err)
{
	bool millis = n->converted == CDC_PQ_CONV_TIMESTAMP_MILLIS ||
		      (n->logical == CDC_PQ_LOGICAL_TIMESTAMP && n->unit == CDC_PQ_MILLIS);
	bool nanos = n->logical == CDC_PQ_LOGICAL_TIMESTAMP && n->unit == CDC_PQ_NANOS;
	/* The converted types are instants; the logical type tells. */
	bool utc = n->logical != CDC_PQ_LOGICAL_TIMESTAMP || n->utc;
	char text[CDC_VALUE_TEXT_MAX];

	/* A file may say any scale. */
	if (is_decimal(n) && n->scale > DECIMAL_SCALE_MAX)
		return cdc_buf_puts(b, "null", err);
	if (is_decimal(n))
		return cdc_buf_append(b, text, cdc_decimal_format(v, n->scale, text), err);
	if (!is_timestamp(n))
		return cdc_buf_append(b, text, cdc_int64_format(v, text), err);
	if (millis && __builtin_mul_overflow(v, 1000, &v))
		return cdc_buf_puts(b, "null", err);
	return put_timestamp(b, nanos ? v / 1000 : v, utc, err);
}

static int put_int32(struct cdc_buf *b, const struct cdc_pq_node *n, int32_t v, struct cdc_err *err)
{
	char text[CDC_VALUE_TEXT_MAX];

	if (n->logical == CDC_PQ_LOGICAL_DATE || n->converted == CDC_PQ_CONV_DATE) {
		size_t len = cdc_date_format(v, text);

		return cdc_json_put_string(b, cdc_str(text, len), err);
	}
	return put_int64(b, n, v, err);
}

static int put_double(struct cdc_buf *b, double v, bool is_float, struct cdc_err *err)
{
	char text[CDC_VALUE_TEXT_MAX];
	size_t n = is_float ? cdc_float_format((float)v, text) : cdc_double_format(v, text);

	if (!isfinite(v))
		return cdc_json_put_string(b, cdc_str(text, n), err);
	return cdc_buf_append(b, text, n, err);
}

/* Big-endian two's complement, 16 bytes at most. */
static int put_decimal_bytes(struct cdc_buf *b, const struct cdc_pq_node *n, struct cdc_str s,
			     struct cdc_err *err)
{
	char text[CDC_VALUE_TEXT_MAX];
	cdc_u128 v;

	if (s.n == 0 || s.n > 16 || n->scale > DECIMAL_SCALE_MAX)
		return cdc_buf_puts(b, "null", err);
	v = (signed char)s.p[0] < 0 ? ~(cdc_u128)0 : 0;
	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | (unsigned char)s.p[i];
	return cdc_buf_append(b, text, cdc_decimal_format((cdc_i128)v, n->scale, text), err);
}

static int put_bytes(struct cdc_buf *b, const struct cdc_pq_node *n, struct cdc_str s,
		     struct cdc_err *err)
{
	if (is_decimal(n))
		return put_decimal_bytes(b, n, s, err);
	if (!cdc_utf8_valid(s.p, s.n))
		return cdc_buf_puts(b, "null", err);
	return cdc_json_put_string(b, s, err);
}

int cdc_cp_put_value(struct cdc_buf *b, const struct cdc_pq_node *n, const struct cdc_cp_cursor *c,
		     struct cdc_err *err)
{
	const void *values = c->vec.values;
	const struct cdc_pq_int96 *t = values;
	uint32_t i = c->pos;

	switch (c->vec.type) {
	case CDC_PQ_BOOLEAN:
		return cdc_buf_puts(b, ((const uint8_t *)values)[i] ? "true" : "false", err);
	case CDC_PQ_INT32:
		return put_int32(b, n, ((const int32_t *)values)[i], err);
	case CDC_PQ_INT64:
		return put_int64(b, n, ((const int64_t *)values)[i], err);
	case CDC_PQ_FLOAT:
		return put_double(b, (double)((const float *)values)[i], true, err);
	case CDC_PQ_DOUBLE:
		return put_double(b, ((const double *)values)[i], false, err);
	case CDC_PQ_INT96:
		return put_int96(b, &t[i], err);
	case CDC_PQ_BYTE_ARRAY:
	case CDC_PQ_FIXED:
		return put_bytes(b, n, ((const struct cdc_str *)values)[i], err);
	}
	return cdc_buf_puts(b, "null", err);
}

/* ------------------------------------------------------------------ the row */

/* The object of a group: those of its leaves that have a value. *at is the next cursor. */
static int put_group(struct cdc_cp_stats *s, int32_t group, int *at, struct cdc_err *err)
{
	const struct cdc_pq_schema *schema = s->schema;
	const char *sep = "{";
	int rc = CDC_OK;

	while (!rc && *at < s->num_cursors && cdc_cp_is_below(schema, s->node[*at], group)) {
		int32_t member = s->node[*at];
		bool leaf = schema->node[member].parent == group;

		if (leaf && !cdc_cp_has_value(&s->cursor[*at], s->cursor[*at].pos)) {
			++*at;
			continue;
		}
		while (schema->node[member].parent != group)
			member = schema->node[member].parent;
		rc = cdc_buf_puts(&s->text, sep, err);
		sep = ",";
		if (!rc)
			rc = cdc_json_put_string(&s->text, schema->node[member].name, err);
		if (!rc)
			rc = cdc_buf_putc(&s->text, ':', err);
		if (rc)
			break;
		if (!leaf) {
			rc = put_group(s, member, at, err);
			continue;
		}
		rc = cdc_cp_put_value(&s->text, &schema->node[member], &s->cursor[*at], err);
		++*at;
	}
	if (!rc && *sep == '{')
		rc = cdc_buf_putc(&s->text, '{', err);
	return rc ? rc : cdc_buf_putc(&s->text, '}', err);
}

int cdc_cp_stats_row(struct cdc_cp_stats *s, struct cdc_arena *arena, struct cdc_str *out,
		     struct cdc_err *err)
{
	bool any = false;
	int at = 0, rc;

	for (int i = 0; i < s->num_cursors && !any; i++)
		any = cdc_cp_has_value(&s->cursor[i], s->cursor[i].pos);
	if (!any)
		return CDC_OK;
	cdc_buf_reset(&s->text);
	rc = put_group(s, s->top, &at, err);
	if (rc)
		return rc;
	*out = cdc_str(cdc_arena_dup(arena, s->text.p, s->text.len), s->text.len);
	return out->p ? CDC_OK : cdc_fail_nomem(err);
}
