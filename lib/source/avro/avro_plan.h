/*
 * An Avro writer's schema as a flat plan: nodes and their children in two arrays, with links
 * resolved, so that a datum can be walked without touching avro-c or building a tree.
 */
#ifndef CDC_SOURCE_AVRO_PLAN_H
#define CDC_SOURCE_AVRO_PLAN_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum cdc_avro_kind {
	CDC_AVRO_NULL,
	CDC_AVRO_BOOLEAN,
	CDC_AVRO_INT,
	CDC_AVRO_LONG,
	CDC_AVRO_FLOAT,
	CDC_AVRO_DOUBLE,
	CDC_AVRO_BYTES,
	CDC_AVRO_STRING,
	CDC_AVRO_FIXED,
	CDC_AVRO_ENUM,
	CDC_AVRO_RECORD,
	CDC_AVRO_ARRAY,
	CDC_AVRO_MAP,
	CDC_AVRO_UNION
};

/* What the schema says that a value means, where its type can have that meaning. */
enum cdc_avro_logical {
	CDC_AVRO_PLAIN,
	CDC_AVRO_DECIMAL, /* bytes, fixed: precision and scale are set */
	CDC_AVRO_DATE, /* int: days */
	CDC_AVRO_TIME_MILLIS, /* int */
	CDC_AVRO_TIME_MICROS, /* long, as all that follow but the last two */
	CDC_AVRO_TIMESTAMP_MILLIS,
	CDC_AVRO_TIMESTAMP_MICROS,
	CDC_AVRO_TIMESTAMP_NANOS,
	CDC_AVRO_LOCAL_MILLIS, /* local-timestamp-…: no zone */
	CDC_AVRO_LOCAL_MICROS,
	CDC_AVRO_LOCAL_NANOS,
	CDC_AVRO_UUID, /* string, fixed(16) */
	CDC_AVRO_DURATION /* fixed(12): months, days, milliseconds */
};

struct cdc_avro_node {
	uint8_t kind; /* enum cdc_avro_kind */
	bool empty; /* takes no bytes whatever its value is: null, a record of nulls */
	uint32_t first; /* children: first in plan->child */
	uint32_t n; /* record fields, union branches, enum symbols; 1 for array and map */
	uint64_t size; /* fixed: bytes */
	const char *name; /* record, enum, fixed: name without namespace */
	/* Of the schema's JSON, where it has them. */
	uint8_t logical; /* enum cdc_avro_logical */
	int32_t precision; /* "precision" and "scale", whatever the type: 0 when there is none */
	int32_t scale;
	const char *connect_name; /* "connect.name", or NULL */
	const char *connect_type; /* "connect.type": "int8" of an int; or NULL */
	struct cdc_str connect_parameters; /* JSON text of the object "connect.parameters" */
};

struct cdc_avro_child {
	uint32_t node; /* not of enum symbols */
	const char *name; /* record field or enum symbol */
	int32_t sql_type; /* record field: java.sql.Types number that Sqoop gives it, 0: none */
};

struct cdc_avro_plan {
	struct cdc_avro_node *node; /* node[0] is the datum */
	struct cdc_avro_child *child;
	uint32_t n_nodes;
	uint32_t n_children;
	uint32_t cap_nodes;
	uint32_t cap_children;
	struct cdc_arena names;
};

#define CDC_AVRO_SCHEMA_MAX ((size_t)4 << 20) /* bytes of schema text */
#define CDC_AVRO_NODES_MAX 100000u
#define CDC_AVRO_DEPTH_MAX 64 /* of a datum, for recursive schemas */

int cdc_avro_plan_new(struct cdc_avro_plan **plan, struct cdc_str json,
		      struct cdc_err *err) CDC_NODISCARD;
/* avro_props.c, for cdc_avro_plan_new: add what avro-c does not tell of the schema's JSON. */
int cdc_avro_plan_annotate(struct cdc_avro_plan *plan, struct cdc_str json,
			   struct cdc_err *err) CDC_NODISCARD;
void cdc_avro_plan_free(struct cdc_avro_plan *plan);

static inline const struct cdc_avro_node *cdc_avro_node(const struct cdc_avro_plan *plan,
							uint32_t i)
{
	return &plan->node[i];
}

static inline const struct cdc_avro_child *cdc_avro_child(const struct cdc_avro_plan *plan,
							  const struct cdc_avro_node *n, uint32_t i)
{
	return &plan->child[n->first + i];
}

/* Reading position in a datum. After a failed read `why` says what was wrong at p. */
struct cdc_avro_cur {
	const unsigned char *p;
	const unsigned char *end;
	const char *why;
};

/*
 * The long in the first bytes of a word that was read little endian: how many they are, 0 if it
 * takes more than the word. Groups of 7 bits are joined by pairs, then those of 14, then of 28.
 */
static inline unsigned cdc_avro_long_of(uint64_t word, int64_t *v)
{
	uint64_t last = ~word & UINT64_C(0x8080808080808080), u;
	unsigned bits;

	if (last == 0)
		return 0;
	bits = (unsigned)__builtin_ctzll(last) + 1;
	u = word & UINT64_MAX >> (64 - bits) & UINT64_C(0x7f7f7f7f7f7f7f7f);
	u = (u & UINT64_C(0x007f007f007f007f)) | (u & UINT64_C(0x7f007f007f007f00)) >> 1;
	u = (u & UINT64_C(0x00003fff00003fff)) | (u & UINT64_C(0x3fff00003fff0000)) >> 2;
	u = (u & UINT64_C(0x000000000fffffff)) | (u & UINT64_C(0x0fffffff00000000)) >> 4;
	*v = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
	return bits / 8;
}

bool cdc_avro_long_slow(struct cdc_avro_cur *c, int64_t *v);

/* int and long: a zigzag varint of at most ten bytes. */
static inline bool cdc_avro_long(struct cdc_avro_cur *c, int64_t *v)
{
	if (c->p < c->end && c->p[0] < 0x80) {
		uint64_t u = *c->p++;

		*v = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
		return true;
	}
	return cdc_avro_long_slow(c, v);
}

static inline bool cdc_avro_int(struct cdc_avro_cur *c, int32_t *v)
{
	int64_t l;

	if (!cdc_avro_long(c, &l))
		return false;
	if (l < INT32_MIN || l > INT32_MAX) {
		c->why = "an int does not fit 32 bits";
		return false;
	}
	*v = (int32_t)l;
	return true;
}

/* string and bytes. */
static inline bool cdc_avro_bytes(struct cdc_avro_cur *c, struct cdc_str *s)
{
	int64_t n;

	if (!cdc_avro_long(c, &n))
		return false;
	if (n < 0 || n > c->end - c->p) {
		c->why = n < 0 ? "a negative length" : "a string runs past the end";
		return false;
	}
	*s = cdc_str((const char *)c->p, (size_t)n);
	c->p += n;
	return true;
}

bool cdc_avro_double(struct cdc_avro_cur *c, double *v);
bool cdc_avro_float(struct cdc_avro_cur *c, double *v);

/* If *node is a union, read the branch and go to it. */
static inline bool cdc_avro_branch(const struct cdc_avro_plan *plan, struct cdc_avro_cur *c,
				   uint32_t *node)
{
	const struct cdc_avro_node *n = cdc_avro_node(plan, *node);
	int64_t b;

	if (n->kind != CDC_AVRO_UNION)
		return true;
	if (!cdc_avro_long(c, &b))
		return false;
	if (b < 0 || b >= (int64_t)n->n) {
		c->why = "a union has no such branch";
		return false;
	}
	*node = cdc_avro_child(plan, n, (uint32_t)b)->node;
	return true;
}

/*
 * Blocks of arrays and maps: start with zeroes, then while (cdc_avro_next(c, &b, &ok)) read an
 * item. A block with a negative count tells its size in bytes, which is then checked.
 */
struct cdc_avro_blocks {
	int64_t left; /* items left in the block */
	const unsigned char *end; /* where the block must end, NULL: it did not say */
};

bool cdc_avro_next_block(struct cdc_avro_cur *c, struct cdc_avro_blocks *b, bool *ok);

static inline bool cdc_avro_next(struct cdc_avro_cur *c, struct cdc_avro_blocks *b, bool *ok)
{
	if (b->left > 0) {
		b->left--;
		return true;
	}
	return cdc_avro_next_block(c, b, ok);
}

/* Skip a value of any type. */
bool cdc_avro_skip(const struct cdc_avro_plan *plan, uint32_t node, struct cdc_avro_cur *c);

#endif
