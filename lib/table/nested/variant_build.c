/*
 * The binary encoding of variants, written. See variant_build.h.
 *
 * A value becomes a list of nodes first, containers before what is in them. From its end, where all
 * that is in a container has its size already, the list gives the sizes; from its start the bytes.
 */
#include "table/nested/variant_build.h"

#include "base/endian.h"
#include "base/hash.h"
#include "table/nested/variant_int.h"
#include "table/nested/variant_json.h"

#include <stdlib.h>

#define NONE UINT32_MAX
#define SHORT_STRING_MAX 63

struct node {
	uint32_t parent; /* NONE: the value itself */
	uint32_t next; /* first node after this one and all that is in it */
	uint32_t count; /* object, array: of members, elements */
	uint32_t name; /* of a member; else NONE */
	uint8_t basic; /* CDC_VARIANT_IS_OBJECT, CDC_VARIANT_IS_ARRAY; else its bytes are there */
	uint32_t at; /* in `bytes` */
	uint32_t size; /* of the encoded value */
};

struct name {
	struct cdc_str text; /* borrowed */
	uint32_t id; /* place in the dictionary */
};

/* For sorting. */
struct entry {
	struct cdc_str text;
	uint32_t name;
};

struct cdc_variant_build {
	enum cdc_code blame; /* what it is when a value cannot be */
	struct node *node;
	uint32_t n;
	uint32_t cap;
	uint32_t open; /* the container at hand, NONE outside */
	uint32_t due; /* name of the member that comes next */
	int depth;
	struct cdc_buf bytes; /* of flat values */
	struct name *name;
	uint32_t num_names;
	uint32_t cap_names;
	size_t text_bytes; /* of all names */
	struct cdc_map map; /* hash of the text -> name */
	struct entry *entry;
	uint32_t cap_entries;
	struct cdc_buf members; /* uint64_t, of the objects being written: id, node */
	struct cdc_buf metadata;
	struct cdc_buf value;
	struct cdc_arena text; /* names and strings of a JSON text, unescaped */
};

int cdc_variant_build_new(struct cdc_variant_build **out, struct cdc_err *err)
{
	*out = calloc(1, sizeof(**out));
	return *out ? CDC_OK : cdc_fail_nomem(err);
}

void cdc_variant_build_free(struct cdc_variant_build *b)
{
	if (!b)
		return;
	free(b->node);
	free(b->name);
	free(b->entry);
	cdc_map_free(&b->map);
	cdc_buf_free(&b->bytes);
	cdc_buf_free(&b->members);
	cdc_buf_free(&b->metadata);
	cdc_buf_free(&b->value);
	cdc_arena_free(&b->text);
	free(b);
}

static int too_large(const struct cdc_variant_build *b, struct cdc_err *err)
{
	return cdc_fail(err, b->blame, "a variant takes more than %d MiB",
			(int)(CDC_VARIANT_MAX_BYTES >> 20));
}

/* ------------------------------------------------------------------ nodes */

static int add_node(struct cdc_variant_build *b, uint8_t basic, uint32_t size, struct cdc_err *err)
{
	if (b->n == b->cap) {
		uint32_t cap = b->cap ? b->cap * 2 : 64;
		struct node *grown = reallocarray(b->node, cap, sizeof(*grown));

		if (!grown)
			return cdc_fail_nomem(err);
		b->node = grown;
		b->cap = cap;
	}
	/* Each node is a byte at least, so that they are no more than 2^27. */
	if (b->n >= CDC_VARIANT_MAX_BYTES)
		return too_large(b, err);
	b->node[b->n] = (struct node){ .parent = b->open,
				       .next = b->n + 1,
				       .name = b->due,
				       .basic = basic,
				       .at = (uint32_t)b->bytes.len,
				       .size = size };
	if (b->open != NONE)
		b->node[b->open].count++;
	b->due = NONE;
	b->n++;
	return CDC_OK;
}

/* A flat value: its first byte, and room for n more at *to. */
static int add_flat(struct cdc_variant_build *b, unsigned header, size_t n, char **to,
		    struct cdc_err *err)
{
	int rc;

	if (n > CDC_VARIANT_MAX_BYTES || b->bytes.len + n > CDC_VARIANT_MAX_BYTES)
		return too_large(b, err);
	rc = add_node(b, CDC_VARIANT_IS_PRIMITIVE, (uint32_t)n + 1, err);
	if (rc == CDC_OK)
		rc = cdc_buf_reserve(&b->bytes, n + 1, err);
	if (rc < 0)
		return rc;
	*to = b->bytes.p + b->bytes.len;
	*(*to)++ = (char)header;
	b->bytes.len += n + 1;
	return CDC_OK;
}

static int build_begin(void *ctx, bool object, struct cdc_err *err)
{
	struct cdc_variant_build *b = ctx;
	uint32_t at = b->n;
	int rc;

	if (b->depth == CDC_VARIANT_DEPTH)
		return cdc_fail(err, b->blame, "a variant is nested more than %d levels deep",
				CDC_VARIANT_DEPTH);
	rc = add_node(b, object ? CDC_VARIANT_IS_OBJECT : CDC_VARIANT_IS_ARRAY, 0, err);
	if (rc < 0)
		return rc;
	b->open = at;
	b->depth++;
	return CDC_OK;
}

static int build_end(void *ctx, bool object, struct cdc_err *err)
{
	struct cdc_variant_build *b = ctx;
	struct node *c = &b->node[b->open];

	(void)object;
	(void)err;
	c->next = b->n;
	b->open = c->parent;
	b->depth--;
	return CDC_OK;
}

static int add_name(struct cdc_variant_build *b, struct cdc_str text, uint64_t hash,
		    struct cdc_err *err)
{
	if (b->num_names == b->cap_names) {
		uint32_t cap = b->cap_names ? b->cap_names * 2 : 32;
		struct name *grown = reallocarray(b->name, cap, sizeof(*grown));

		if (!grown)
			return cdc_fail_nomem(err);
		b->name = grown;
		b->cap_names = cap;
	}
	if (text.n > CDC_VARIANT_MAX_BYTES || b->text_bytes + text.n > CDC_VARIANT_MAX_BYTES)
		return too_large(b, err);
	b->text_bytes += text.n;
	b->name[b->num_names] = (struct name){ .text = text };
	return cdc_map_insert(&b->map, hash, b->num_names++, err);
}

static int build_member(void *ctx, struct cdc_str text, struct cdc_err *err)
{
	struct cdc_variant_build *b = ctx;
	uint64_t hash = cdc_hash64(text.p, text.n);
	struct cdc_map_iter it = cdc_map_seek(&b->map, hash);

	while (cdc_map_next(&b->map, &it, &b->due)) {
		if (cdc_str_eq(b->name[b->due].text, text))
			return CDC_OK;
	}
	b->due = b->num_names;
	return add_name(b, text, hash, err);
}

static int build_element(void *ctx, struct cdc_err *err)
{
	(void)ctx;
	(void)err;
	return CDC_OK;
}

/* ------------------------------------------------------------------ flat values */

static int put_number(struct cdc_variant_build *b, enum cdc_variant_primitive type, uint64_t v,
		      size_t bytes, struct cdc_err *err)
{
	char word[8];
	char *to;
	int rc = add_flat(b, (unsigned)type << 2, bytes, &to, err);

	if (rc < 0)
		return rc;
	cdc_put_le64(word, v);
	memcpy(to, word, bytes);
	return CDC_OK;
}

static int put_bytes(struct cdc_variant_build *b, enum cdc_variant_primitive type, struct cdc_str s,
		     struct cdc_err *err)
{
	bool is_short = type == CDC_VARIANT_STRING && s.n <= SHORT_STRING_MAX;
	size_t head = is_short || type == CDC_VARIANT_UUID ? 0 : 4;
	char *to;
	int rc;

	if (s.n > CDC_VARIANT_MAX_BYTES)
		return too_large(b, err);
	rc = add_flat(b,
		      is_short ? (unsigned)s.n << 2 | CDC_VARIANT_IS_SHORT_STRING
			       : (unsigned)type << 2,
		      head + s.n, &to, err);
	if (rc < 0)
		return rc;
	if (head)
		cdc_put_le32(to, (uint32_t)s.n);
	if (s.n)
		memcpy(to + head, s.p, s.n);
	return CDC_OK;
}

static int put_decimal(struct cdc_variant_build *b, const struct cdc_field *f, cdc_i128 v,
		       struct cdc_err *err)
{
	enum cdc_variant_primitive type = CDC_VARIANT_DECIMAL16;
	size_t bytes = sizeof(v);
	char *to;
	int rc;

	if (f->precision <= CDC_VARIANT_DECIMAL4_DIGITS) {
		type = CDC_VARIANT_DECIMAL4;
		bytes = 4;
	} else if (f->precision <= CDC_VARIANT_DECIMAL8_DIGITS) {
		type = CDC_VARIANT_DECIMAL8;
		bytes = 8;
	}
	rc = add_flat(b, (unsigned)type << 2, 1 + bytes, &to, err);
	if (rc < 0)
		return rc;
	to[0] = (char)f->scale;
	if (bytes == 4) {
		cdc_put_le32(to + 1, (uint32_t)v);
		return CDC_OK;
	}
	cdc_put_le64(to + 1, (uint64_t)v);
	if (bytes > 8)
		cdc_put_le64(to + 9, (uint64_t)(v >> 64));
	return CDC_OK;
}

static int put_nanos(struct cdc_variant_build *b, enum cdc_variant_primitive type, cdc_i128 ns,
		     struct cdc_err *err)
{
	if (ns < INT64_MIN || ns > INT64_MAX)
		return cdc_fail(err, b->blame, "a time in nanoseconds is out of a variant's range");
	return put_number(b, type, (uint64_t)(int64_t)ns, 8, err);
}

/* A time of the day, of which a variant has microseconds. */
static int put_time(struct cdc_variant_build *b, int64_t ns, struct cdc_err *err)
{
	if (ns % 1000)
		return cdc_fail(err, b->blame, "a time is finer than a variant's microseconds");
	return put_number(b, CDC_VARIANT_TIME, (uint64_t)(ns / 1000), 8, err);
}

/* Types whose values are numbers in memory and little-endian in a variant; bytes 0: another type.
 */
static const struct {
	uint8_t bytes;
	uint8_t type; /* enum cdc_variant_primitive */
} numbers[] = {
	[CDC_TYPE_BYTE] = { 1, CDC_VARIANT_INT8 },
	[CDC_TYPE_SHORT] = { 2, CDC_VARIANT_INT16 },
	[CDC_TYPE_INTEGER] = { 4, CDC_VARIANT_INT32 },
	[CDC_TYPE_LONG] = { 8, CDC_VARIANT_INT64 },
	[CDC_TYPE_FLOAT] = { 4, CDC_VARIANT_FLOAT },
	[CDC_TYPE_DOUBLE] = { 8, CDC_VARIANT_DOUBLE },
	[CDC_TYPE_DATE] = { 4, CDC_VARIANT_DATE },
	[CDC_TYPE_TIMESTAMP] = { 8, CDC_VARIANT_TIMESTAMP },
	[CDC_TYPE_TIMESTAMP_NTZ] = { 8, CDC_VARIANT_TIMESTAMP_NTZ },
	[CDC_TYPE_BIG_DECIMAL] = { 0, 0 }, /* the last type */
};

static int put_column_number(struct cdc_variant_build *b, const struct cdc_column *c, uint32_t row,
			     struct cdc_err *err)
{
	enum cdc_type type = c->field->type;
	uint32_t narrow;
	uint64_t wide;

	if (cdc_type_size(type) == sizeof(narrow)) {
		memcpy(&narrow, (const char *)c->values + (size_t)row * sizeof(narrow),
		       sizeof(narrow));
		wide = narrow;
	} else {
		memcpy(&wide, (const char *)c->values + (size_t)row * sizeof(wide), sizeof(wide));
	}
	return put_number(b, (enum cdc_variant_primitive)numbers[type].type, wide,
			  numbers[type].bytes, err);
}

static int put_column_bytes(struct cdc_variant_build *b, enum cdc_variant_primitive type,
			    const struct cdc_column *c, uint32_t row, struct cdc_err *err)
{
	return put_bytes(b, type, ((const struct cdc_str *)c->values)[row], err);
}

static int build_flat(void *ctx, const struct cdc_column *c, uint32_t row, struct cdc_err *err)
{
	struct cdc_variant_build *b = ctx;
	enum cdc_type type = c->field->type;

	if (cdc_column_is_null(c, row))
		return put_number(b, CDC_VARIANT_NULL, 0, 0, err);
	if (numbers[type].bytes)
		return put_column_number(b, c, row, err);
	if (type == CDC_TYPE_BOOLEAN)
		return put_number(
			b, ((const uint8_t *)c->values)[row] ? CDC_VARIANT_TRUE : CDC_VARIANT_FALSE,
			0, 0, err);
	if (type == CDC_TYPE_DECIMAL)
		return put_decimal(b, c->field, ((const cdc_i128 *)c->values)[row], err);
	if (type == CDC_TYPE_STRING)
		return put_column_bytes(b, CDC_VARIANT_STRING, c, row, err);
	if (type == CDC_TYPE_BINARY)
		return put_column_bytes(b, CDC_VARIANT_BINARY, c, row, err);
	if (type == CDC_TYPE_UUID)
		return put_column_bytes(b, CDC_VARIANT_UUID, c, row, err);
	if (type == CDC_TYPE_TIME)
		return put_time(b, ((const int64_t *)c->values)[row], err);
	if (type == CDC_TYPE_TIMESTAMP_NS)
		return put_nanos(b, CDC_VARIANT_TIMESTAMP_NS, ((const cdc_i128 *)c->values)[row],
				 err);
	if (type == CDC_TYPE_TIMESTAMP_NTZ_NS)
		return put_nanos(b, CDC_VARIANT_TIMESTAMP_NTZ_NS,
				 ((const cdc_i128 *)c->values)[row], err);
	return cdc_fail(err, CDC_ECORRUPT,
			"malformed variant: it is shredded as a type that no variant has");
}

static const struct cdc_variant_ops build_ops = { build_begin, build_member, build_element,
						  build_end, build_flat };

/* ------------------------------------------------------------------ the dictionary */

static unsigned width_of(size_t max)
{
	return max <= 0xff ? 1 : max <= 0xffff ? 2 : max <= 0xffffff ? 3 : 4;
}

static char *put_uint(char *to, size_t v, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		*to++ = (char)(v >> 8 * i);
	return to;
}

static int by_text(const void *a, const void *b)
{
	return cdc_str_cmp(((const struct entry *)a)->text, ((const struct entry *)b)->text);
}

static int sort_names(struct cdc_variant_build *b, struct cdc_err *err)
{
	if (b->num_names > b->cap_entries) {
		struct entry *grown = reallocarray(b->entry, b->cap_names, sizeof(*grown));

		if (!grown)
			return cdc_fail_nomem(err);
		b->entry = grown;
		b->cap_entries = b->cap_names;
	}
	for (uint32_t i = 0; i < b->num_names; i++)
		b->entry[i] = (struct entry){ b->name[i].text, i };
	if (b->num_names)
		qsort(b->entry, b->num_names, sizeof(*b->entry), by_text);
	for (uint32_t i = 0; i < b->num_names; i++)
		b->name[b->entry[i].name].id = i;
	return CDC_OK;
}

/* Version 1, sorted names unless there is none; count, offsets, text. */
static int put_dictionary(struct cdc_variant_build *b, struct cdc_err *err)
{
	unsigned width = width_of(b->text_bytes > b->num_names ? b->text_bytes : b->num_names);
	size_t size = 1 + (size_t)width * ((size_t)b->num_names + 2) + b->text_bytes;
	size_t offset = 0;
	char *to;
	int rc = sort_names(b, err);

	if (rc == CDC_OK && size > CDC_VARIANT_MAX_BYTES)
		rc = too_large(b, err);
	cdc_buf_reset(&b->metadata);
	if (rc == CDC_OK)
		rc = cdc_buf_reserve(&b->metadata, size, err);
	if (rc < 0)
		return rc;
	to = b->metadata.p;
	*to++ = (char)(1 | (b->num_names ? 1u << 4 : 0) | (width - 1) << 6);
	to = put_uint(to, b->num_names, width);
	for (uint32_t i = 0; i < b->num_names; i++) {
		to = put_uint(to, offset, width);
		offset += b->entry[i].text.n;
	}
	to = put_uint(to, offset, width);
	for (uint32_t i = 0; i < b->num_names; i++) {
		memcpy(to, b->entry[i].text.p, b->entry[i].text.n);
		to += b->entry[i].text.n;
	}
	b->metadata.len = size;
	return CDC_OK;
}

/* ------------------------------------------------------------------ the value */

struct shape {
	bool large; /* the count takes 4 bytes */
	unsigned id_width; /* 0: an array */
	unsigned offset_width;
	size_t data; /* bytes of the values */
	size_t head; /* bytes before them */
};

static void shape_of(const struct cdc_variant_build *b, uint32_t i, struct shape *s)
{
	const struct node *c = &b->node[i];
	uint32_t max_id = 0;

	*s = (struct shape){ .large = c->count > 0xff };
	for (uint32_t k = i + 1; k < c->next; k = b->node[k].next) {
		s->data += b->node[k].size;
		if (c->basic == CDC_VARIANT_IS_OBJECT && b->name[b->node[k].name].id > max_id)
			max_id = b->name[b->node[k].name].id;
	}
	s->id_width = c->basic == CDC_VARIANT_IS_OBJECT ? width_of(max_id) : 0;
	s->offset_width = width_of(s->data);
	s->head = (s->large ? 5 : 2) + (size_t)c->count * s->id_width +
		  ((size_t)c->count + 1) * s->offset_width;
}

static int set_sizes(struct cdc_variant_build *b, struct cdc_err *err)
{
	struct shape s;

	for (uint32_t i = b->n; i-- > 0;) {
		if (b->node[i].basic == CDC_VARIANT_IS_PRIMITIVE)
			continue;
		shape_of(b, i, &s);
		if (s.head + s.data > CDC_VARIANT_MAX_BYTES)
			return too_large(b, err);
		b->node[i].size = (uint32_t)(s.head + s.data);
	}
	return CDC_OK;
}

static int by_word(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* What is in a container, in the order in which it is written, on top of b->members. */
static int list_members(struct cdc_variant_build *b, uint32_t i, struct cdc_err *err)
{
	const struct node *c = &b->node[i];
	size_t start = b->members.len;
	bool object = c->basic == CDC_VARIANT_IS_OBJECT;
	uint64_t *m;
	int rc = CDC_OK;

	for (uint32_t k = i + 1; rc == CDC_OK && k < c->next; k = b->node[k].next) {
		uint64_t word = k;

		if (object)
			word |= (uint64_t)b->name[b->node[k].name].id << 32;
		rc = cdc_buf_append(&b->members, &word, sizeof(word), err);
	}
	if (rc < 0 || !object || c->count < 2)
		return rc;
	m = (uint64_t *)(void *)(b->members.p + start);
	qsort(m, c->count, sizeof(*m), by_word);
	for (uint32_t k = 1; k < c->count; k++) {
		if (m[k] >> 32 == m[k - 1] >> 32)
			return cdc_fail(err, b->blame, "an object has two members of one name");
	}
	return CDC_OK;
}

static uint64_t member(const struct cdc_variant_build *b, size_t start, uint32_t k)
{
	uint64_t word;

	memcpy(&word, b->members.p + start + k * sizeof(word), sizeof(word));
	return word;
}

/* Depth is bounded by CDC_VARIANT_DEPTH. */
static int put_value(struct cdc_variant_build *b, uint32_t i, char *to, struct cdc_err *err)
{
	const struct node *c = &b->node[i];
	size_t start = b->members.len;
	size_t offset = 0;
	struct shape s;
	unsigned header;
	int rc;

	if (c->basic == CDC_VARIANT_IS_PRIMITIVE) {
		memcpy(to, b->bytes.p + c->at, c->size);
		return CDC_OK;
	}
	rc = list_members(b, i, err);
	if (rc < 0)
		return rc;
	shape_of(b, i, &s);
	header = s.id_width ? (s.id_width - 1) << 4 | (s.large ? 1u << 6 : 0)
			    : (s.large ? 1u << 4 : 0);
	*to++ = (char)(c->basic | (s.offset_width - 1) << 2 | header);
	to = put_uint(to, c->count, s.large ? 4 : 1);
	for (uint32_t k = 0; k < c->count; k++)
		to = put_uint(to, member(b, start, k) >> 32, s.id_width);
	for (uint32_t k = 0; k < c->count; k++) {
		to = put_uint(to, offset, s.offset_width);
		offset += b->node[(uint32_t)member(b, start, k)].size;
	}
	to = put_uint(to, offset, s.offset_width);
	for (uint32_t k = 0; rc == CDC_OK && k < c->count; k++) {
		uint32_t child = (uint32_t)member(b, start, k);

		rc = put_value(b, child, to, err);
		to += b->node[child].size;
	}
	b->members.len = start;
	return rc;
}

/* ------------------------------------------------------------------ for others */

static struct cdc_variant_sink build_start(struct cdc_variant_build *b, enum cdc_code blame)
{
	b->blame = blame;
	b->n = 0;
	b->open = NONE;
	b->due = NONE;
	b->depth = 0;
	b->num_names = 0;
	b->text_bytes = 0;
	cdc_map_clear(&b->map);
	cdc_buf_reset(&b->bytes);
	cdc_buf_reset(&b->members);
	cdc_arena_reset(&b->text);
	return (struct cdc_variant_sink){ &build_ops, b };
}

static int build_finish(struct cdc_variant_build *b, struct cdc_str *metadata,
			struct cdc_str *value, struct cdc_err *err)
{
	int rc = put_dictionary(b, err);

	if (rc == CDC_OK)
		rc = set_sizes(b, err);
	cdc_buf_reset(&b->value);
	if (rc == CDC_OK)
		rc = cdc_buf_reserve(&b->value, b->node[0].size, err);
	if (rc == CDC_OK)
		rc = put_value(b, 0, b->value.p, err);
	if (rc < 0)
		return rc;
	*metadata = cdc_buf_str(&b->metadata);
	*value = cdc_str(b->value.p, b->node[0].size);
	return CDC_OK;
}

int cdc_variant_from_column(struct cdc_variant_build *b, const struct cdc_column *c, uint32_t row,
			    struct cdc_str *metadata, struct cdc_str *value, struct cdc_err *err)
{
	struct cdc_variant_sink sink = build_start(b, CDC_ECORRUPT);
	int rc = cdc_variant_walk(&sink, c, row, err);

	return rc < 0 ? rc : build_finish(b, metadata, value, err);
}

int cdc_variant_from_json(struct cdc_variant_build *b, const struct cdc_tape *tape, uint32_t tok,
			  struct cdc_str *metadata, struct cdc_str *value, struct cdc_err *err)
{
	struct cdc_variant_sink sink = build_start(b, CDC_EDATA);
	int rc = cdc_variant_json_walk(&sink, tape, tok, &b->text, err);

	return rc < 0 ? rc : build_finish(b, metadata, value, err);
}
