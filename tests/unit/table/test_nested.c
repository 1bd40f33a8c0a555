/*
 * Proves that nested columns come back as they were: random types up to five levels deep (structs,
 * lists in both layouts, maps, optional or not) with random values are cut into levels by a plain
 * recursive shredder, written with small pages and row groups, and read again with random mixes of
 * reading and skipping. What is read is printed and compared with the text that was made beside the
 * levels; then it is shredded into another file and read from there. Then columns that a file
 * lacks, types that do not fit, and leaves that disagree. $CDC_NESTED_ROUNDS sets how many files
 * (default 400), $CDC_NESTED_SEED where they start.
 */
#include "table/datafile/nested_reader.h"

#include "delta/schema.h"
#include "parquet/pq_file.h"
#include "table/nested/shred.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_NODES 200
#define MAX_LEAVES 60
#define MAX_ROWS 400
#define MAX_SLOTS (1u << 16)

enum kind { INT, TEXT, STRUCT, LIST, MAP };

struct type {
	enum kind kind;
	bool optional;
	bool two_level; /* LIST: the repeated node is the element */
	int leaf;
	int num_children;
	struct type *child[4];
};

struct leaf {
	uint32_t n;
	uint8_t def[MAX_SLOTS];
	uint8_t rep[MAX_SLOTS];
	int64_t i[MAX_SLOTS];
	struct cdc_str s[MAX_SLOTS];
	bool text;
};

struct made {
	uint64_t seed;
	struct cdc_arena arena;
	struct cdc_pq_node node[MAX_NODES];
	struct cdc_pq_schema schema;
	int num_leaves;
	struct leaf leaf[MAX_LEAVES];
	char *row[MAX_ROWS];
	uint32_t rows;
	char path[32];
};

static uint32_t pick(struct made *m, uint32_t n)
{
	m->seed ^= m->seed << 13;
	m->seed ^= m->seed >> 7;
	m->seed ^= m->seed << 17;
	return (uint32_t)(m->seed >> 11) % n;
}

/* ------------------------------------------------------------------ types */

static struct cdc_pq_node *add_node(struct made *m, const char *name, bool optional)
{
	struct cdc_pq_node *n = &m->node[m->schema.num_nodes++];

	assert_true(m->schema.num_nodes < MAX_NODES);
	n->name = cdc_str_z(name);
	n->converted = CDC_PQ_CONV_NONE;
	n->repetition = optional ? CDC_PQ_OPTIONAL : CDC_PQ_REQUIRED;
	return n;
}

static const char *child_name(int i)
{
	static const char *const name[] = { "a", "b", "c", "d" };

	return name[i];
}

static struct type *make_type(struct made *m, const char *name, int depth, bool key);

static void make_leaf(struct made *m, struct type *t, struct cdc_pq_node *n)
{
	t->kind = pick(m, 2) ? INT : TEXT;
	t->leaf = m->num_leaves++;
	assert_true(m->num_leaves < MAX_LEAVES);
	m->leaf[t->leaf].n = 0;
	m->leaf[t->leaf].text = t->kind == TEXT;
	n->is_leaf = true;
	n->type = t->kind == INT ? CDC_PQ_INT64 : CDC_PQ_BYTE_ARRAY;
	n->converted = t->kind == INT ? CDC_PQ_CONV_NONE : CDC_PQ_CONV_UTF8;
}

static void make_list(struct made *m, struct type *t, int depth)
{
	struct cdc_pq_node *n;

	t->num_children = 1;
	m->node[m->schema.num_nodes - 1].num_children = 1;
	m->node[m->schema.num_nodes - 1].converted = CDC_PQ_CONV_LIST;
	t->two_level = pick(m, 4) == 0;
	if (t->two_level) {
		n = add_node(m, "array", false);
		n->repetition = CDC_PQ_REPEATED;
		t->child[0] = cdc_arena_calloc(&m->arena, 1, sizeof(*t));
		make_leaf(m, t->child[0], n);
		return;
	}
	n = add_node(m, "list", false);
	n->repetition = CDC_PQ_REPEATED;
	n->num_children = 1;
	t->child[0] = make_type(m, "element", depth + 1, false);
}

static void make_map(struct made *m, struct type *t, int depth)
{
	struct cdc_pq_node *n;

	t->num_children = 2;
	m->node[m->schema.num_nodes - 1].num_children = 1;
	m->node[m->schema.num_nodes - 1].converted = CDC_PQ_CONV_MAP;
	n = add_node(m, "key_value", false);
	n->repetition = CDC_PQ_REPEATED;
	n->num_children = 2;
	t->child[0] = make_type(m, "key", depth + 1, true);
	t->child[1] = make_type(m, "value", depth + 1, false);
}

static struct type *make_type(struct made *m, const char *name, int depth, bool key)
{
	struct type *t = cdc_arena_calloc(&m->arena, 1, sizeof(*t));
	struct cdc_pq_node *n;
	uint32_t what = depth >= 4 ? 0 : pick(m, depth == 0 ? 3 : 5);

	assert_non_null(t);
	t->optional = !key && pick(m, 3) != 0;
	n = add_node(m, name, t->optional);
	if (depth == 0)
		what += 2;
	if (what == 2) {
		t->kind = LIST;
		make_list(m, t, depth);
	} else if (what == 3) {
		t->kind = MAP;
		make_map(m, t, depth);
	} else if (what == 4) {
		t->kind = STRUCT;
		t->num_children = 1 + (int)pick(m, 3);
		n->num_children = t->num_children;
		for (int i = 0; i < t->num_children; i++)
			t->child[i] = make_type(m, child_name(i), depth + 1, false);
	} else {
		make_leaf(m, t, n);
	}
	return t;
}

/* ------------------------------------------------------------------ values */

static void put(struct cdc_buf *b, const char *z)
{
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_buf_puts(b, z, &err), CDC_OK);
}

static void slot(struct made *m, int leaf, int def, int rep, int64_t v, struct cdc_str s)
{
	struct leaf *l = &m->leaf[leaf];

	assert_true(l->n < MAX_SLOTS);
	l->def[l->n] = (uint8_t)def;
	l->rep[l->n] = (uint8_t)rep;
	l->i[l->n] = v;
	l->s[l->n++] = s;
}

/* Nothing below: every leaf has one entry that says how deep it went. */
static void nothing(struct made *m, const struct type *t, int def, int rep)
{
	if (t->num_children == 0)
		slot(m, t->leaf, def, rep, 0, (struct cdc_str)CDC_STR_INIT);
	for (int i = 0; i < t->num_children; i++)
		nothing(m, t->child[i], def, rep);
}

/* def, rep: levels where the value begins; lists: how many are around it. */
static void shred(struct made *m, const struct type *t, int def, int rep, int lists,
		  struct cdc_buf *text)
{
	char word[32];
	uint32_t n;

	if (t->optional && pick(m, 4) == 0) {
		nothing(m, t, def, rep);
		put(text, "null");
		return;
	}
	def += t->optional;
	switch (t->kind) {
	case INT:
		n = pick(m, 50);
		snprintf(word, sizeof(word), "%u", n);
		slot(m, t->leaf, def, rep, n, (struct cdc_str)CDC_STR_INIT);
		put(text, word);
		break;
	case TEXT:
		snprintf(word, sizeof(word), "t%u", pick(m, 100000));
		slot(m, t->leaf, def, rep, 0,
		     cdc_str_z(cdc_arena_dupz(&m->arena, cdc_str_z(word))));
		put(text, word);
		break;
	case STRUCT:
		put(text, "{");
		for (int i = 0; i < t->num_children; i++) {
			put(text, i ? "," : "");
			shred(m, t->child[i], def, rep, lists, text);
		}
		put(text, "}");
		break;
	case LIST:
	case MAP:
		n = pick(m, 3) ? pick(m, 4) : 0;
		put(text, "[");
		if (n == 0)
			nothing(m, t, def, rep);
		for (uint32_t k = 0; k < n; k++) {
			put(text, k ? "," : "");
			for (int i = 0; i < t->num_children; i++) {
				put(text, i ? "=" : "");
				shred(m, t->child[i], def + 1, k ? lists + 1 : rep, lists + 1,
				      text);
			}
		}
		put(text, "]");
		break;
	}
}

/* What was read, in the same words. */
static void show(const struct cdc_column *c, uint32_t row, struct cdc_buf *text)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (cdc_column_is_null(c, row)) {
		put(text, "null");
		return;
	}
	if (c->field->type == CDC_TYPE_LONG) {
		assert_int_equal(cdc_buf_printf(text, &err, "%lld",
						(long long)((const int64_t *)c->values)[row]),
				 CDC_OK);
	} else if (c->field->type == CDC_TYPE_STRING) {
		assert_int_equal(cdc_buf_put(text, ((const struct cdc_str *)c->values)[row], &err),
				 CDC_OK);
	} else if (c->field->type == CDC_TYPE_STRUCT) {
		put(text, "{");
		for (int i = 0; i < c->field->num_children; i++) {
			put(text, i ? "," : "");
			show(&c->child[i], row, text);
		}
		put(text, "}");
	} else {
		struct cdc_span s = ((const struct cdc_span *)c->values)[row];

		put(text, "[");
		for (uint32_t k = 0; k < s.n; k++) {
			put(text, k ? "," : "");
			for (int i = 0; i < c->field->num_children; i++) {
				put(text, i ? "=" : "");
				show(&c->child[i], s.first + k, text);
			}
		}
		put(text, "]");
	}
}

/* ------------------------------------------------------------------ files */

static void write_made(struct made *m)
{
	struct cdc_pq_write_options opt;
	struct cdc_pq_vec vec[MAX_LEAVES] = { { 0 } };
	struct cdc_pq_summary sum = { 0 };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_writer *w = NULL;
	int fd;

	strcpy(m->path, "/tmp/cdc-nested-XXXXXX");
	fd = mkstemp(m->path);
	assert_true(fd >= 0);
	cdc_pq_write_options_init(&opt);
	opt.page_rows = 1 + pick(m, 60);
	opt.row_group_rows = 1 + pick(m, MAX_ROWS);
	opt.dictionary_bytes = pick(m, 2) ? 1 << 16 : 0;
	for (int i = 0; i < m->num_leaves; i++) {
		struct leaf *l = &m->leaf[i];

		vec[i] = (struct cdc_pq_vec){ l->text ? CDC_PQ_BYTE_ARRAY : CDC_PQ_INT64, l->n,
					      l->text ? (const void *)l->s : (const void *)l->i,
					      l->def, l->rep };
	}
	if (cdc_pq_writer_new(&w, &cdc_io_posix, fd, &m->schema, &opt, &err) < 0 ||
	    cdc_pq_writer_write(w, vec, m->rows, &err) < 0 ||
	    cdc_pq_writer_finish(w, &sum, &err) < 0)
		fail_msg("%s", err.msg);
	cdc_pq_summary_free(&sum);
	cdc_pq_writer_free(w);
	close(fd);
}

static void make(struct made *m)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct type *t;

	memset(m->node, 0, sizeof(m->node));
	m->schema = (struct cdc_pq_schema){ .node = m->node };
	m->num_leaves = 0;
	add_node(m, "schema", false)->num_children = 1;
	t = make_type(m, "top", 0, false);
	if (cdc_pq_schema_finish(&m->schema, &m->arena, &err) < 0)
		fail_msg("%s", err.msg);
	m->rows = 1 + pick(m, MAX_ROWS);
	for (uint32_t i = 0; i < m->rows; i++) {
		struct cdc_buf text = CDC_BUF_INIT;

		shred(m, t, 0, 0, 0, &text);
		m->row[i] = cdc_arena_dupz(&m->arena, cdc_buf_str(&text));
		cdc_buf_free(&text);
	}
	write_made(m);
}

static void compare(const struct made *m, const struct cdc_column *c, uint32_t row, uint32_t n)
{
	struct cdc_buf text = CDC_BUF_INIT;

	for (uint32_t i = 0; i < n; i++) {
		cdc_buf_reset(&text);
		show(c, i, &text);
		assert_string_equal(cdc_buf_z(&text), m->row[row + i]);
	}
	cdc_buf_free(&text);
}

static void read_group(struct made *m, struct cdc_nested_reader *r, int32_t group, uint32_t first,
		       uint32_t rows)
{
	struct cdc_err err = CDC_ERR_INIT;
	uint32_t at = 0;

	if (cdc_nested_reader_open(r, group, &err) < 0)
		fail_msg("%s", err.msg);
	while (at < rows) {
		uint32_t n = 1 + pick(m, rows - at);
		struct cdc_column c;

		if (pick(m, 3) == 0) {
			if (cdc_nested_reader_skip(r, n, &err) < 0)
				fail_msg("skip: %s", err.msg);
			at += n;
			continue;
		}
		if (pick(m, 2) && cdc_nested_reader_rows(r, n, &n, &err) < 0)
			fail_msg("rows: %s", err.msg);
		if (cdc_nested_reader_next(r, n, &c, &err) < 0)
			fail_msg("%s", err.msg);
		compare(m, &c, first + at, n);
		at += n;
	}
}

/* All rows of a file, in batches of random sizes, to another file through a shredder. */
static void shred_file(struct made *m, struct cdc_pq_file *f, const struct cdc_schema *schema,
		       const char *path)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_pq_vec vec[MAX_LEAVES] = { { 0 } };
	struct cdc_pq_summary sum = { 0 };
	struct cdc_pq_write_options opt;
	struct cdc_shredder *shredder = NULL;
	struct cdc_nested_reader *r = NULL;
	struct cdc_pq_writer *w = NULL;
	struct cdc_pq_schema pq;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	cdc_pq_write_options_init(&opt);
	opt.page_rows = 1 + pick(m, 60);
	opt.row_group_rows = 1 + pick(m, MAX_ROWS);
	if (cdc_schema_to_parquet(schema, &pq, &arena, &err) < 0 ||
	    cdc_shredder_new(&shredder, schema, &pq, &err) < 0 ||
	    cdc_pq_writer_new(&w, &cdc_io_posix, fd, &pq, &opt, &err) < 0 ||
	    cdc_nested_reader_new(&r, f, &schema->field[0], 1, false, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(pq.num_leaves <= MAX_LEAVES);
	for (int32_t g = 0; g < cdc_pq_metadata(f)->num_row_groups; g++) {
		uint32_t rows = (uint32_t)cdc_pq_metadata(f)->row_group[g].num_rows;

		if (cdc_nested_reader_open(r, g, &err) < 0)
			fail_msg("%s", err.msg);
		for (uint32_t n; rows; rows -= n) {
			struct cdc_column c;
			struct cdc_batch b = { .num_columns = 1, .column = &c };

			n = 1 + pick(m, rows);
			b.rows = n;
			if (cdc_nested_reader_next(r, n, &c, &err) < 0 ||
			    cdc_shredder_rows(shredder, &b, vec, &err) < 0 ||
			    cdc_pq_writer_write(w, vec, n, &err) < 0)
				fail_msg("%s", err.msg);
		}
	}
	if (cdc_pq_writer_finish(w, &sum, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(sum.num_rows, m->rows);
	cdc_pq_summary_free(&sum);
	cdc_pq_writer_free(w);
	cdc_nested_reader_free(r);
	cdc_shredder_free(shredder);
	cdc_arena_free(&arena);
	close(fd);
}

/* What was shredded is what was there. */
static void read_shredded(struct made *m, const char *path)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_schema schema = CDC_SCHEMA_INIT;
	struct cdc_nested_reader *r = NULL;
	struct cdc_pq_file *f = NULL;
	uint32_t row = 0;

	if (cdc_pq_open(&f, &cdc_io_posix, path, 0, &err) < 0 ||
	    cdc_schema_from_parquet(&schema, &cdc_pq_metadata(f)->schema, &err) < 0 ||
	    cdc_nested_reader_new(&r, f, &schema.field[0], 1, false, &err) < 0)
		fail_msg("shredded: %s", err.msg);
	for (int32_t g = 0; g < cdc_pq_metadata(f)->num_row_groups; g++) {
		uint32_t rows = (uint32_t)cdc_pq_metadata(f)->row_group[g].num_rows;
		struct cdc_column c;

		if (cdc_nested_reader_open(r, g, &err) < 0 ||
		    cdc_nested_reader_next(r, rows, &c, &err) < 0)
			fail_msg("shredded: %s", err.msg);
		compare(m, &c, row, rows);
		row += rows;
	}
	assert_int_equal(row, m->rows);
	cdc_nested_reader_free(r);
	cdc_schema_free(&schema);
	cdc_pq_close(f);
}

static void random_types(void **state)
{
	const char *rounds = getenv("CDC_NESTED_ROUNDS");
	const char *start = getenv("CDC_NESTED_SEED");
	uint64_t first = start ? strtoull(start, NULL, 10) : 1;
	struct made *m = calloc(1, sizeof(*m));
	int n = rounds ? atoi(rounds) : 400;
	char again[] = "/tmp/cdc-shredded-XXXXXX";
	int fd = mkstemp(again);

	(void)state;
	assert_non_null(m);
	assert_true(fd >= 0);
	close(fd);
	for (int i = 0; i < n; i++) {
		struct cdc_err err = CDC_ERR_INIT;
		struct cdc_schema schema = CDC_SCHEMA_INIT;
		struct cdc_nested_reader *r = NULL;
		struct cdc_pq_file *f = NULL;
		uint32_t row = 0;

		m->seed = (first + (uint64_t)i) * 0x9e3779b97f4a7c15u;
		make(m);
		if (cdc_pq_open(&f, &cdc_io_posix, m->path, 0, &err) < 0 ||
		    cdc_schema_from_parquet(&schema, &cdc_pq_metadata(f)->schema, &err) < 0 ||
		    cdc_nested_reader_new(&r, f, &schema.field[0], 1, false, &err) < 0)
			fail_msg("seed %llu: %s", (unsigned long long)(first + (uint64_t)i),
				 err.msg);
		f->window = 1 + pick(m, 2000);
		for (int32_t g = 0; g < cdc_pq_metadata(f)->num_row_groups; g++) {
			uint32_t rows = (uint32_t)cdc_pq_metadata(f)->row_group[g].num_rows;

			read_group(m, r, g, row, rows);
			row += rows;
		}
		assert_int_equal(row, m->rows);
		shred_file(m, f, &schema, again);
		read_shredded(m, again);
		cdc_nested_reader_free(r);
		cdc_schema_free(&schema);
		cdc_pq_close(f);
		unlink(m->path);
		cdc_arena_free(&m->arena);
		m->arena = (struct cdc_arena)CDC_ARENA_INIT;
	}
	unlink(again);
	free(m);
}

/* ------------------------------------------------------------------ tables against files */

/* A file with top: struct<a: bigint, b: list<string>>, of three rows. */
static void write_small(struct made *m)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_node *n;

	m->schema = (struct cdc_pq_schema){ .node = m->node };
	add_node(m, "schema", false)->num_children = 1;
	add_node(m, "top", true)->num_children = 2;
	n = add_node(m, "A", true);
	n->is_leaf = true;
	n->type = CDC_PQ_INT64;
	n = add_node(m, "b", true);
	n->num_children = 1;
	n->converted = CDC_PQ_CONV_LIST;
	n = add_node(m, "bag", false);
	n->repetition = CDC_PQ_REPEATED;
	n->num_children = 1;
	n = add_node(m, "array_element", true);
	n->is_leaf = true;
	n->type = CDC_PQ_BYTE_ARRAY;
	n->converted = CDC_PQ_CONV_UTF8;
	assert_int_equal(cdc_pq_schema_finish(&m->schema, &m->arena, &err), CDC_OK);
	m->num_leaves = 2;
	m->leaf[1].text = true;
	/* {1,[x,null]}, null, {null,[]} */
	slot(m, 0, 2, 0, 1, (struct cdc_str)CDC_STR_INIT);
	slot(m, 0, 0, 0, 0, (struct cdc_str)CDC_STR_INIT);
	slot(m, 0, 1, 0, 0, (struct cdc_str)CDC_STR_INIT);
	slot(m, 1, 4, 0, 0, CDC_STR("x"));
	slot(m, 1, 3, 1, 0, (struct cdc_str)CDC_STR_INIT);
	slot(m, 1, 0, 0, 0, (struct cdc_str)CDC_STR_INIT);
	slot(m, 1, 2, 0, 0, (struct cdc_str)CDC_STR_INIT);
	m->rows = 3;
	m->seed = 7;
	write_made(m);
}

/* Read the small file as the type of a table; the rows as text with spaces between, or the error.
 */
static void read_as(struct made *m, const char *type, int expect, const char *rows)
{
	struct cdc_schema schema = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_nested_reader *r = NULL;
	struct cdc_buf text = CDC_BUF_INIT;
	struct cdc_pq_file *f = NULL;
	int rc;

	assert_int_equal(cdc_buf_printf(&text, &err,
					"{\"type\":\"struct\",\"fields\":[{\"name\":\"top\","
					"\"type\":%s,\"nullable\":true,\"metadata\":{}}]}",
					type),
			 CDC_OK);
	if (cdc_schema_from_json(&schema, cdc_buf_str(&text), &err) < 0 ||
	    cdc_pq_open(&f, &cdc_io_posix, m->path, 0, &err) < 0)
		fail_msg("%s", err.msg);
	cdc_buf_reset(&text);
	rc = cdc_nested_reader_new(&r, f, &schema.field[0], 1, false, &err);
	assert_int_equal(rc, expect);
	if (rc == CDC_OK) {
		for (int32_t g = 0; g < cdc_pq_metadata(f)->num_row_groups; g++) {
			uint32_t n = (uint32_t)cdc_pq_metadata(f)->row_group[g].num_rows;
			struct cdc_column c;

			if (cdc_nested_reader_open(r, g, &err) < 0 ||
			    cdc_nested_reader_next(r, n, &c, &err) < 0)
				fail_msg("%s", err.msg);
			for (uint32_t i = 0; i < n; i++) {
				put(&text, text.len ? " " : "");
				show(&c, i, &text);
			}
		}
		assert_string_equal(cdc_buf_z(&text), rows);
	} else {
		assert_non_null(strstr(err.msg, rows));
	}
	cdc_nested_reader_free(r);
	cdc_schema_free(&schema);
	cdc_pq_close(f);
	cdc_buf_free(&text);
}

#define FIELD(name, type)                                                                          \
	"{\"name\":\"" name "\",\"type\":" type ",\"nullable\":true,\"metadata\":{}}"
#define STRUCT_OF(fields) "{\"type\":\"struct\",\"fields\":[" fields "]}"
#define ARRAY_OF(type) "{\"type\":\"array\",\"elementType\":" type ",\"containsNull\":true}"
#define MAP_OF(k, v)                                                                               \
	"{\"type\":\"map\",\"keyType\":" k ",\"valueType\":" v ",\"valueContainsNull\":true}"

static void table_types(void **state)
{
	struct made *m = calloc(1, sizeof(*m));

	(void)state;
	assert_non_null(m);
	write_small(m);
	/* Letters of another case, another order, parts that the file lacks. */
	read_as(m, STRUCT_OF(FIELD("a", "\"long\"") "," FIELD("b", ARRAY_OF("\"string\""))), CDC_OK,
		"{1,[x,null]} null {null,[]}");
	read_as(m, STRUCT_OF(FIELD("b", ARRAY_OF("\"string\"")) "," FIELD("A", "\"long\"")), CDC_OK,
		"{[x,null],1} null {[],null}");
	read_as(m, STRUCT_OF(FIELD("new", "\"long\"") "," FIELD("a", "\"long\"")), CDC_OK,
		"{null,1} null {null,null}");
	read_as(m, STRUCT_OF(FIELD("new", "\"long\"")), CDC_OK, "{null} null {null}");
	read_as(m, STRUCT_OF(FIELD("m", MAP_OF("\"string\"", "\"long\""))), CDC_OK,
		"{null} null {null}");
	read_as(m,
		STRUCT_OF(FIELD("s", STRUCT_OF(FIELD("x", ARRAY_OF("\"long\"")))) "," FIELD(
			"b", ARRAY_OF("\"string\""))),
		CDC_OK, "{null,[x,null]} null {null,[]}");
	/* What cannot be. */
	read_as(m, ARRAY_OF("\"long\""), CDC_ECORRUPT, "\"top\" is no array there");
	read_as(m, MAP_OF("\"string\"", "\"long\""), CDC_ECORRUPT, "\"top\" is no map there");
	read_as(m, STRUCT_OF(FIELD("a", "\"boolean\"")), CDC_ECORRUPT, "\"a\" is no boolean there");
	read_as(m, STRUCT_OF(FIELD("b", "\"string\"")), CDC_ECORRUPT, "\"b\" is no string there");
	read_as(m, STRUCT_OF(FIELD("b", ARRAY_OF("\"long\""))), CDC_ECORRUPT,
		"\"element\" is no long there");
	read_as(m, STRUCT_OF(FIELD("b", STRUCT_OF(FIELD("x", "\"long\"")))), CDC_ECORRUPT,
		"\"b\" is no struct there");
	unlink(m->path);
	cdc_arena_free(&m->arena);
	free(m);
}

/* A map whose keys are optional in the file, as old writers have it, and one of which is null. */
static void null_key(void **state)
{
	struct made *m = calloc(1, sizeof(*m));
	struct cdc_schema schema = CDC_SCHEMA_INIT;
	struct cdc_nested_reader *r = NULL;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_file *f = NULL;
	struct cdc_pq_node *n;
	struct cdc_column c;

	(void)state;
	assert_non_null(m);
	m->schema = (struct cdc_pq_schema){ .node = m->node };
	add_node(m, "schema", false)->num_children = 1;
	n = add_node(m, "m", false);
	n->num_children = 1;
	n->converted = CDC_PQ_CONV_MAP;
	n = add_node(m, "map", false);
	n->repetition = CDC_PQ_REPEATED;
	n->num_children = 2;
	for (int i = 0; i < 2; i++) {
		n = add_node(m, i ? "value" : "key", true);
		n->is_leaf = true;
		n->type = CDC_PQ_INT64;
	}
	assert_int_equal(cdc_pq_schema_finish(&m->schema, &m->arena, &err), CDC_OK);
	m->num_leaves = 2;
	for (int i = 0; i < 2; i++) {
		slot(m, i, 2, 0, 5, (struct cdc_str)CDC_STR_INIT);
		slot(m, i, i ? 2 : 1, 1, 0, (struct cdc_str)CDC_STR_INIT);
	}
	m->rows = 1;
	m->seed = 7;
	write_made(m);
	if (cdc_pq_open(&f, &cdc_io_posix, m->path, 0, &err) < 0 ||
	    cdc_schema_from_parquet(&schema, &cdc_pq_metadata(f)->schema, &err) < 0 ||
	    cdc_nested_reader_new(&r, f, &schema.field[0], 1, false, &err) < 0 ||
	    cdc_nested_reader_open(r, 0, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(cdc_nested_reader_next(r, 1, &c, &err), CDC_ECORRUPT);
	assert_string_equal(err.msg, "\"m\" has a key that is null");
	cdc_nested_reader_free(r);
	cdc_schema_free(&schema);
	cdc_pq_close(f);
	unlink(m->path);
	cdc_arena_free(&m->arena);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_key),
		cmocka_unit_test(random_types),
		cmocka_unit_test(table_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
