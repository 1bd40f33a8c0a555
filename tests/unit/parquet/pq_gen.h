/*
 * Random rows of any Parquet schema, for the writer's tests: the batches it is fed, and the same
 * rows as JSON, both made without any of its code.
 *
 * A row is drawn from the schema tree top down; each leaf gets its slots with definition and
 * repetition levels as the format defines them, and the JSON gets the plain nesting. Text forms in
 * the JSON: integers as such, BOOLEAN true or false, FLOAT and DOUBLE "%a" (or "nan"), everything
 * made of bytes in hexadecimal. A repeated node is an array, a group an object.
 */
#ifndef TESTS_PQ_GEN_H
#define TESTS_PQ_GEN_H

#include "parquet/parquet.h"

#include "base/endian.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { GEN_NODES = 80, GEN_TEXT = 20, GEN_VALUE_BYTES = 9000 };

struct gen_leaf {
	uint8_t *def;
	uint8_t *rep;
	char *values;
	size_t elem;
	uint32_t n;
	uint32_t cap;
};

struct gen {
	uint64_t seed;
	uint64_t distinct; /* values a leaf draws from; 0: no limit */
	uint64_t distinct_from; /* … from this row on no limit */
	uint32_t null_permille;
	uint32_t nan_permille;
	uint32_t max_repeat;
	uint32_t long_permille; /* strings longer than statistics hold */
	bool ascending; /* integers and strings grow with the row */
	FILE *json; /* NULL: no text */

	struct cdc_pq_node node[GEN_NODES];
	struct cdc_pq_schema schema;
	struct gen_leaf leaf[GEN_NODES];
	uint64_t row;
	struct cdc_arena arena; /* of the schema */
	struct cdc_arena bytes; /* of the batch */
};

static inline uint64_t gen_mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static inline uint64_t gen_next(struct gen *g)
{
	return g->seed = gen_mix(g->seed);
}

static inline bool gen_chance(struct gen *g, uint32_t permille)
{
	return gen_next(g) % 1000 < permille;
}

static inline void gen_init(struct gen *g, uint64_t seed)
{
	*g = (struct gen){ .seed = seed, .null_permille = 100, .max_repeat = 3 };
}

static inline struct cdc_pq_node *gen_add(struct gen *g, const char *name,
					  enum cdc_pq_repetition repetition)
{
	struct cdc_pq_node *n = &g->node[g->schema.num_nodes++];

	if (g->schema.num_nodes > GEN_NODES)
		abort();
	*n = (struct cdc_pq_node){ .name = cdc_str_z(name),
				   .repetition = repetition,
				   .converted = CDC_PQ_CONV_NONE };
	return n;
}

static inline struct cdc_pq_node *gen_group(struct gen *g, const char *name,
					    enum cdc_pq_repetition repetition, int32_t children)
{
	struct cdc_pq_node *n = gen_add(g, name, repetition);

	n->num_children = children;
	return n;
}

static inline struct cdc_pq_node *gen_column(struct gen *g, const char *name,
					     enum cdc_pq_repetition repetition,
					     enum cdc_pq_type type, enum cdc_pq_logical logical)
{
	struct cdc_pq_node *n = gen_add(g, name, repetition);

	n->is_leaf = true;
	n->type = type;
	n->logical = logical;
	return n;
}

/* Call after the last node. */
static inline int gen_ready(struct gen *g, struct cdc_err *err)
{
	static const size_t elem[] = { 1,
				       4,
				       8,
				       sizeof(struct cdc_pq_int96),
				       4,
				       8,
				       sizeof(struct cdc_str),
				       sizeof(struct cdc_str) };
	int rc;

	g->schema.node = g->node;
	rc = cdc_pq_schema_finish(&g->schema, &g->arena, err);
	for (int32_t i = 0; rc == CDC_OK && i < g->schema.num_leaves; i++)
		g->leaf[i].elem = elem[g->node[g->schema.leaf_node[i]].type];
	return rc;
}

static inline void gen_free(struct gen *g)
{
	for (int32_t i = 0; i < g->schema.num_leaves; i++) {
		free(g->leaf[i].def);
		free(g->leaf[i].rep);
		free(g->leaf[i].values);
	}
	cdc_arena_free(&g->arena);
	cdc_arena_free(&g->bytes);
}

/* ------------------------------------------------------------------- one value */

static inline int64_t gen_range(uint64_t key, int64_t min, int64_t max)
{
	uint64_t span = (uint64_t)max - (uint64_t)min + 1;

	if (key % 31 == 0)
		return min;
	if (key % 37 == 0)
		return max;
	return span ? (int64_t)((uint64_t)min + gen_mix(key) % span) : (int64_t)gen_mix(key);
}

static inline int64_t gen_int(const struct cdc_pq_node *n, uint64_t key)
{
	int64_t digits = 1;

	if (n->logical == CDC_PQ_LOGICAL_DATE) /* 0001-01-01 to 9999-12-31 */
		return gen_range(key, -719162, 2932896);
	if (n->logical == CDC_PQ_LOGICAL_TIME)
		return gen_range(key, 0,
				 n->unit == CDC_PQ_MILLIS   ? 86399999
				 : n->unit == CDC_PQ_MICROS ? INT64_C(86399999999)
							    : INT64_C(86399999999999));
	if (n->logical == CDC_PQ_LOGICAL_TIMESTAMP && n->unit == CDC_PQ_NANOS)
		return gen_range(key, -INT64_C(9000000000000000000), INT64_C(9000000000000000000));
	if (n->logical == CDC_PQ_LOGICAL_TIMESTAMP)
		return gen_range(key, -INT64_C(62135596800), INT64_C(253402300799)) *
			       (n->unit == CDC_PQ_MILLIS ? 1000 : 1000000) +
		       (int64_t)(key % 1000);
	if (n->logical == CDC_PQ_LOGICAL_DECIMAL) {
		for (int i = 0; i < n->precision; i++)
			digits *= 10;
		return gen_range(key, 1 - digits, digits - 1);
	}
	if (n->logical == CDC_PQ_LOGICAL_INTEGER && n->bit_width < 32)
		return n->is_signed ? gen_range(key, -(INT64_C(1) << (n->bit_width - 1)),
						(INT64_C(1) << (n->bit_width - 1)) - 1)
				    : gen_range(key, 0, (INT64_C(1) << n->bit_width) - 1);
	return n->type == CDC_PQ_INT32 ? gen_range(key, INT32_MIN, INT32_MAX)
				       : gen_range(key, INT64_MIN, INT64_MAX);
}

static inline double gen_double(struct gen *g, const struct cdc_pq_node *n, uint64_t key)
{
	double v = (double)(int64_t)gen_mix(key) / 65536;

	if (gen_chance(g, g->nan_permille))
		return NAN;
	if (key % 23 == 0)
		return key % 2 ? -0.0 : 0.0;
	if (key % 41 == 0)
		return key % 2 ? -INFINITY : INFINITY;
	if (key % 43 == 0)
		return n->type == CDC_PQ_FLOAT ? (double)1e-45F : 5e-324;
	return n->type == CDC_PQ_FLOAT ? (double)(float)v : v;
}

static inline size_t gen_text(char *p, uint64_t key, size_t chars)
{
	static const char *const piece[] = { "a", "b",	"Z",  "0", "é",
					     "ß", "漢", "字", "😀", "\U0010ffff" };
	size_t n = 0;

	for (size_t i = 0; i < chars; i++) {
		const char *c = piece[gen_mix(key + i) % 10];

		memcpy(p + n, c, strlen(c));
		n += strlen(c);
	}
	return n;
}

/* Big-endian two's complement of a number of up to `precision` digits in `length` bytes. */
static inline void gen_decimal(uint8_t *p, size_t length, int precision, uint64_t key)
{
	unsigned __int128 limit = 1;
	unsigned __int128 v;

	for (int i = 0; i < precision; i++)
		limit *= 10;
	v = ((unsigned __int128)gen_mix(key) << 64 | gen_mix(key + 1)) % limit;
	if (key % 29 == 0)
		v = limit - 1;
	if (key % 3 == 0)
		v = -v;
	for (size_t i = 0; i < length; i++)
		p[length - 1 - i] = (uint8_t)(i < 16 ? v >> (8 * i) : key % 3 == 0 && v ? 0xff : 0);
}

static inline struct cdc_str gen_bytes(struct gen *g, const struct cdc_pq_node *n, uint64_t key)
{
	uint8_t buf[GEN_VALUE_BYTES];
	bool is_long = gen_mix(key + 77) % 1000 < g->long_permille;
	size_t len = is_long ? 50 + gen_mix(key + 5) % 1500 : gen_mix(key + 3) % (GEN_TEXT + 1);

	if (n->type == CDC_PQ_FIXED)
		len = (size_t)n->type_length;
	if (n->logical == CDC_PQ_LOGICAL_DECIMAL) {
		if (n->type == CDC_PQ_BYTE_ARRAY)
			len = 16; /* the longest that 38 digits need; shortened below */
		gen_decimal(buf, len, n->precision, key);
		while (n->type == CDC_PQ_BYTE_ARRAY && len > 1 && key % 2 &&
		       ((buf[0] == 0 && !(buf[1] & 0x80)) || (buf[0] == 0xff && buf[1] & 0x80)))
			memmove(buf, buf + 1, --len);
	} else if (n->logical == CDC_PQ_LOGICAL_NONE || n->type == CDC_PQ_FIXED) {
		for (size_t i = 0; i < len; i++)
			buf[i] = key % 11 == 0 ? 0xff : (uint8_t)gen_mix(key + i);
	} else if (n->logical == CDC_PQ_LOGICAL_JSON) {
		len = (size_t)snprintf((char *)buf, sizeof(buf), "{\"k\":%" PRIu64 "}", key);
	} else if (key % 19 == 0 && is_long) { /* nothing comes after this but a longer one */
		len = 0;
		for (size_t i = 0; i < 40; i++, len += 4)
			memcpy(buf + len, "\U0010ffff", 4);
	} else {
		len = gen_text((char *)buf, key, len);
	}
	if (g->ascending && n->logical != CDC_PQ_LOGICAL_DECIMAL && n->type == CDC_PQ_BYTE_ARRAY) {
		char prefix[24];

		snprintf(prefix, sizeof(prefix), "%010" PRIu64, g->row);
		memmove(buf + 10, buf, len < sizeof(buf) - 10 ? len : sizeof(buf) - 10);
		memcpy(buf, prefix, 10);
		len = len < sizeof(buf) - 10 ? len + 10 : sizeof(buf);
	}
	return cdc_str(cdc_arena_dup(&g->bytes, buf, len), len);
}

static inline void gen_print_hex(struct gen *g, struct cdc_str s)
{
	fputc('"', g->json);
	for (size_t i = 0; i < s.n; i++)
		fprintf(g->json, "%02x", (uint8_t)s.p[i]);
	fputc('"', g->json);
}

static inline void gen_print_double(struct gen *g, double v)
{
	fprintf(g->json, isnan(v) ? "\"nan\"" : "\"%a\"", v);
}

/* Draw a value of leaf n into slot `to`. */
static inline void gen_value(struct gen *g, const struct cdc_pq_node *n, void *to)
{
	bool free_draw = !g->distinct || (g->distinct_from && g->row >= g->distinct_from);
	uint64_t key = free_draw ? gen_next(g) >> 8 : gen_next(g) % g->distinct;
	struct cdc_pq_int96 day;
	char twelve[12];
	int64_t i;
	double d;
	float f;

	switch (n->type) {
	case CDC_PQ_BOOLEAN:
		*(uint8_t *)to = gen_mix(key) & 1;
		if (g->json)
			fputs(*(uint8_t *)to ? "true" : "false", g->json);
		return;
	case CDC_PQ_INT32:
	case CDC_PQ_INT64:
		i = g->ascending ? (int64_t)g->row : gen_int(n, key);
		if (n->type == CDC_PQ_INT32)
			*(int32_t *)to = (int32_t)i;
		else
			*(int64_t *)to = i;
		if (g->json && n->logical == CDC_PQ_LOGICAL_INTEGER && !n->is_signed)
			fprintf(g->json, "%" PRIu64,
				n->type == CDC_PQ_INT32 ? (uint64_t)(uint32_t)i : (uint64_t)i);
		else if (g->json)
			fprintf(g->json, "%" PRId64, i);
		return;
	case CDC_PQ_FLOAT:
		f = (float)gen_double(g, n, key);
		*(float *)to = f;
		if (g->json)
			gen_print_double(g, (double)f);
		return;
	case CDC_PQ_DOUBLE:
		d = gen_double(g, n, key);
		*(double *)to = d;
		if (g->json)
			gen_print_double(g, d);
		return;
	case CDC_PQ_INT96: /* within the years that nanoseconds reach */
		day = (struct cdc_pq_int96){ gen_mix(key) % UINT64_C(86400000000000),
					     (uint32_t)(2440588 - 80000 +
							gen_mix(key + 1) % 160000) };
		*(struct cdc_pq_int96 *)to = day;
		cdc_put_le64(twelve, day.nanos);
		cdc_put_le32(twelve + 8, day.julian_day);
		if (g->json)
			gen_print_hex(g, cdc_str(twelve, 12));
		return;
	case CDC_PQ_BYTE_ARRAY:
	case CDC_PQ_FIXED:
	default:
		*(struct cdc_str *)to = gen_bytes(g, n, key);
		if (g->json)
			gen_print_hex(g, *(struct cdc_str *)to);
		return;
	}
}

/* --------------------------------------------------------------------- one row */

static inline void *gen_slot(struct gen_leaf *l, uint8_t def, uint8_t rep)
{
	void *slot;

	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 1024;
		l->def = realloc(l->def, l->cap);
		l->rep = realloc(l->rep, l->cap);
		l->values = realloc(l->values, l->cap * l->elem);
		if (!l->def || !l->rep || !l->values)
			abort();
	}
	l->def[l->n] = def;
	l->rep[l->n] = rep;
	slot = l->values + l->n++ * l->elem;
	memset(slot, 0, l->elem);
	return slot;
}

static inline int32_t gen_next_sibling(const struct gen *g, int32_t i)
{
	int32_t left = g->node[i].num_children;

	for (i++; left > 0; left--)
		i = gen_next_sibling(g, i);
	return i;
}

/* Nothing below node i: one slot in each of its leaves. */
static inline void gen_absent(struct gen *g, int32_t i, uint8_t def, uint8_t rep)
{
	int32_t end = gen_next_sibling(g, i);

	for (; i < end; i++)
		if (g->node[i].is_leaf)
			gen_slot(&g->leaf[g->node[i].leaf], def, rep);
}

static inline void gen_print(struct gen *g, const char *text)
{
	if (g->json)
		fputs(text, g->json);
}

static inline void gen_node(struct gen *g, int32_t i, uint8_t def, uint8_t rep);

static inline void gen_content(struct gen *g, int32_t i, uint8_t def, uint8_t rep)
{
	const struct cdc_pq_node *n = &g->node[i];
	int32_t child = i + 1;

	if (n->is_leaf) {
		gen_value(g, n, gen_slot(&g->leaf[n->leaf], def, rep));
		return;
	}
	gen_print(g, "{");
	for (int32_t k = 0; k < n->num_children; k++) {
		if (g->json)
			fprintf(g->json, "%s\"%.*s\":", k ? "," : "", (int)g->node[child].name.n,
				g->node[child].name.p);
		gen_node(g, child, def, rep);
		child = gen_next_sibling(g, child);
	}
	gen_print(g, "}");
}

static inline void gen_node(struct gen *g, int32_t i, uint8_t def, uint8_t rep)
{
	const struct cdc_pq_node *n = &g->node[i];
	uint64_t count;

	if (n->repetition == CDC_PQ_REQUIRED) {
		gen_content(g, i, def, rep);
	} else if (n->repetition == CDC_PQ_OPTIONAL) {
		if (gen_chance(g, g->null_permille)) {
			gen_absent(g, i, def, rep);
			gen_print(g, "null");
		} else {
			gen_content(g, i, (uint8_t)(def + 1), rep);
		}
	} else {
		count = gen_next(g) % (g->max_repeat + 1);
		gen_print(g, "[");
		if (count == 0)
			gen_absent(g, i, def, rep);
		for (uint64_t k = 0; k < count; k++) {
			gen_print(g, k ? "," : "");
			gen_content(g, i, (uint8_t)(def + 1), k ? n->max_rep : rep);
		}
		gen_print(g, "]");
	}
}

/* Draw a batch of rows; the arrays live until the next one. */
static inline void gen_batch(struct gen *g, uint32_t rows, struct cdc_pq_vec *vec)
{
	cdc_arena_reset(&g->bytes);
	for (int32_t i = 0; i < g->schema.num_leaves; i++)
		g->leaf[i].n = 0;
	for (uint32_t r = 0; r < rows; r++, g->row++) {
		gen_content(g, 0, 0, 0);
		gen_print(g, "\n");
	}
	for (int32_t i = 0; i < g->schema.num_leaves; i++) {
		const struct cdc_pq_node *n = &g->node[g->schema.leaf_node[i]];
		struct gen_leaf *l = &g->leaf[i];

		vec[i] = (struct cdc_pq_vec){ .type = n->type,
					      .n = l->n,
					      .values = l->values,
					      .def = n->max_def ? l->def : NULL,
					      .rep = n->max_rep ? l->rep : NULL };
	}
}

#endif
