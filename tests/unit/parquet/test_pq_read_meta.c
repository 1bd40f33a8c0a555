/*
 * Proves that footers built by hand are read as they are meant: every schema attribute, statistics
 * only where they can be believed, unknown fields and foreign types passed over, names found; that
 * the Thrift cursor stops at every lie; and that a page index counts only when it agrees with its
 * chunk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pq_build.h"
#include "parquet/pq_meta_read.h"

static struct file file;
static struct bytes built;
static struct memory mem;
static struct cdc_io io;

static int start(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	file.type = CDC_PQ_INT32;
	return 0;
}

static int open_built(struct cdc_pq_file **f, struct cdc_err *err)
{
	mem = (struct memory){ built.p, built.n };
	io = mem_io(&mem);
	return cdc_pq_open(f, &io, "test.parquet", built.n, err);
}

static struct cdc_pq_file *open_ok(void)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_file *f = NULL;
	int rc = open_built(&f, &err);

	if (rc < 0)
		print_message("%s\n", err.msg);
	assert_int_equal(rc, CDC_OK);
	return f;
}

static void refuse_footer(const char *part)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_file *f = NULL;

	build(&built, &file);
	assert_int_equal(open_built(&f, &err), CDC_ECORRUPT);
	assert_null(f);
	if (!strstr(err.msg, part))
		print_message("%s\n", err.msg);
	assert_non_null(strstr(err.msg, part));
	assert_string_equal(err.file, "test.parquet");
}

/* ------------------------------------------------------------------ schema */

static void element(struct bytes *b, const char *name, int repetition, int type)
{
	t_open(b);
	if (type >= 0)
		t_i32(b, 1, type);
	if (repetition >= 0)
		t_i32(b, 3, repetition);
	t_text(b, 4, name);
}

static void group(struct bytes *b, const char *name, int repetition, int children)
{
	element(b, name, repetition, -1);
	t_i32(b, 5, children);
	t_close(b);
}

static void leaf(struct bytes *b, const char *name, int repetition, int type)
{
	element(b, name, repetition, type);
	t_close(b);
}

/* Logical types, with a field of every wire type that nobody knows. */
static void typed_schema(struct bytes *b)
{
	t_list(b, 2, 12, 9);
	group(b, "root", -1, 8);
	element(b, "dec", 1, CDC_PQ_INT64);
	t_i32(b, 6, CDC_PQ_CONV_DECIMAL);
	t_i32(b, 7, 2);
	t_i32(b, 8, 7);
	t_i32(b, 9, 42);
	t_struct(b, 10);
	t_struct(b, 5);
	t_i32(b, 1, 3);
	t_i32(b, 2, 9);
	t_close(b);
	t_close(b);
	t_close(b);
	element(b, "ts", 1, CDC_PQ_INT64);
	t_struct(b, 10);
	t_struct(b, 8);
	t_bool(b, 1, true);
	t_struct(b, 2);
	t_struct(b, 2);
	t_close(b);
	t_close(b);
	t_close(b);
	t_close(b);
	t_close(b);
	element(b, "int", 0, CDC_PQ_INT32);
	t_struct(b, 10);
	t_struct(b, 10);
	t_field(b, 1, 3);
	put_byte(b, 16);
	t_bool(b, 2, false);
	t_close(b);
	t_close(b);
	t_close(b);
	element(b, "new", 0, CDC_PQ_INT32);
	t_struct(b, 10);
	t_struct(b, 19);
	t_close(b);
	t_close(b);
	t_close(b);
	element(b, "fixed", 0, -1);
	t_close(b);
	leaf(b, "Name", 1, CDC_PQ_BYTE_ARRAY);
	leaf(b, "name", 1, CDC_PQ_BYTE_ARRAY);
	element(b, "odd", 1, CDC_PQ_BYTE_ARRAY);
	t_bool(b, 50, true);
	t_field(b, 51, 3);
	put_byte(b, 9);
	t_field(b, 52, 7);
	put(b, "12345678", 8);
	t_list(b, 53, 1, 2);
	put(b, "\1\2", 2);
	t_field(b, 54, 11);
	put_byte(b, 1);
	put_byte(b, 0x85);
	put(b, "\1x\2", 3);
	t_field(b, 55, 10);
	put(b, "\x18\1y", 3);
	t_struct(b, 32767);
	t_binary(b, 1, "vendor", 6);
	t_close(b);
	t_close(b);
}

static void schema_attributes(void **state)
{
	struct cdc_pq_metadata m = { .arena = CDC_ARENA_INIT };
	struct cdc_err err = CDC_ERR_INIT;
	const struct cdc_pq_node *n;
	int rc;

	(void)state;
	built = (struct bytes){ .n = 0 };
	t_i32(&built, 1, 2);
	typed_schema(&built);
	t_i64(&built, 3, 0);
	t_list(&built, 4, 0, 0);
	t_text(&built, 6, "somebody");
	put_byte(&built, 0);
	rc = cdc_pq_metadata_read(&m, built.p, built.n, &err);
	if (rc < 0)
		print_message("%s at %llu\n", err.msg, (unsigned long long)err.offset);
	assert_int_equal(rc, CDC_OK);
	assert_int_equal(m.version, 2);
	assert_int_equal(m.num_row_groups, 0);
	assert_true(cdc_str_eqz(m.created_by, "somebody"));
	assert_false(m.has_column_orders);
	assert_int_equal(m.schema.num_leaves, 7);
	n = m.schema.node;
	assert_int_equal(n[1].logical, CDC_PQ_LOGICAL_DECIMAL);
	assert_int_equal(n[1].scale, 3);
	assert_int_equal(n[1].precision, 9);
	assert_true(n[1].has_field_id);
	assert_int_equal(n[1].field_id, 42);
	assert_int_equal(n[1].max_def, 1);
	assert_int_equal(n[2].logical, CDC_PQ_LOGICAL_TIMESTAMP);
	assert_true(n[2].utc);
	assert_int_equal(n[2].unit, CDC_PQ_MICROS);
	assert_int_equal(n[2].converted, CDC_PQ_CONV_NONE);
	assert_int_equal(n[3].bit_width, 16);
	assert_false(n[3].is_signed);
	assert_int_equal(n[3].max_def, 0);
	assert_int_equal(n[4].logical, CDC_PQ_LOGICAL_OTHER);
	assert_false(n[5].is_leaf);
	assert_int_equal(n[8].leaf, 6);
	assert_true(cdc_str_eqz(n[8].name, "odd"));
	cdc_arena_free(&m.arena);
}

static void named_schema(struct bytes *b)
{
	t_list(b, 2, 12, 7);
	group(b, "root", -1, 5);
	leaf(b, "Id", 1, CDC_PQ_INT32);
	leaf(b, "NAME", 1, CDC_PQ_INT32);
	leaf(b, "name", 1, CDC_PQ_INT32);
	group(b, "g", 1, 1);
	leaf(b, "inner", 1, CDC_PQ_INT32);
	leaf(b, "last", 1, CDC_PQ_INT32);
}

static void leaves_by_name(void **state)
{
	struct cdc_pq_file *f;
	size_t footer;

	(void)state;
	built = (struct bytes){ .n = 0 };
	put(&built, "PAR1", 4);
	footer = built.n;
	t_i32(&built, 1, 1);
	named_schema(&built);
	t_i64(&built, 3, 0);
	t_list(&built, 4, 12, 0);
	put_byte(&built, 0);
	put_u32(&built, (uint32_t)(built.n - footer));
	put(&built, "PAR1", 4);
	f = open_ok();
	assert_int_equal(cdc_pq_leaf_by_name(f, CDC_STR("Id")), 0);
	assert_int_equal(cdc_pq_leaf_by_name(f, CDC_STR("iD")), 0);
	assert_int_equal(cdc_pq_leaf_by_name(f, CDC_STR("name")), 2);
	assert_int_equal(cdc_pq_leaf_by_name(f, CDC_STR("Name")), -1);
	assert_int_equal(cdc_pq_leaf_by_name(f, CDC_STR("inner")), -1);
	assert_int_equal(cdc_pq_leaf_by_name(f, CDC_STR("g")), -1);
	assert_int_equal(cdc_pq_leaf_by_name(f, CDC_STR("LAST")), 4);
	cdc_pq_close(f);
}

static void schema_bad_length(struct bytes *b)
{
	t_list(b, 2, 12, 2);
	group(b, "root", -1, 1);
	leaf(b, "f", 0, CDC_PQ_FIXED);
}

static void schema_bad_decimal(struct bytes *b)
{
	t_list(b, 2, 12, 2);
	group(b, "root", -1, 1);
	element(b, "d", 0, CDC_PQ_INT32);
	t_i32(b, 6, CDC_PQ_CONV_DECIMAL);
	t_i32(b, 7, 5);
	t_i32(b, 8, 4);
	t_close(b);
}

static void schema_short(struct bytes *b)
{
	t_list(b, 2, 12, 2);
	group(b, "root", -1, 2);
	leaf(b, "a", 0, CDC_PQ_INT32);
}

static void schema_bad_type(struct bytes *b)
{
	t_list(b, 2, 12, 2);
	group(b, "root", -1, 1);
	leaf(b, "a", 0, 8);
}

static void schema_of_two(struct bytes *b)
{
	t_list(b, 2, 12, 3);
	group(b, "root", -1, 2);
	leaf(b, "a", 0, CDC_PQ_INT32);
	leaf(b, "b", 0, CDC_PQ_INT32);
}

static void schema_of_another_type(struct bytes *b)
{
	t_list(b, 2, 12, 2);
	group(b, "root", -1, 1);
	leaf(b, "a", 0, CDC_PQ_INT64);
}

static void schema_without_end(struct bytes *b)
{
	t_list(b, 2, 12, 100000);
}

static void schemas_that_lie(void **state)
{
	(void)state;
	file.schema = schema_bad_length;
	refuse_footer("no valid length");
	file.schema = schema_bad_decimal;
	refuse_footer("precision and scale");
	file.schema = schema_short;
	refuse_footer("lacks 1 of its children");
	file.schema = schema_bad_type;
	refuse_footer("unknown physical type");
	file.schema = schema_of_two;
	refuse_footer("one chunk for each column");
	file.schema = schema_of_another_type;
	refuse_footer("not of its column's type");
	file.schema = schema_without_end;
	refuse_footer("a list is longer");
}

/* A million elements and one, three bytes each: refused before memory is taken for them. */
static void too_many_elements(void **state)
{
	enum { ELEMENTS = (1 << 20) + 1, BYTES = 8 + 3 * ELEMENTS };
	struct cdc_pq_metadata m = { .arena = CDC_ARENA_INIT };
	struct cdc_err err = CDC_ERR_INIT;
	uint8_t *p = calloc(1, BYTES);

	(void)state;
	assert_non_null(p);
	built = (struct bytes){ .n = 0 };
	t_list(&built, 2, 12, ELEMENTS);
	memcpy(p, built.p, built.n);
	assert_int_equal(cdc_pq_metadata_read(&m, p, BYTES, &err), CDC_ECORRUPT);
	assert_non_null(strstr(err.msg, "over a million elements"));
	assert_true(m.arena.total_bytes == 0);
	cdc_arena_free(&m.arena);
	free(p);
}

/* A root that says how it repeats, and that it is no leaf by having no children; rows without
 * columns. */
static void no_columns(struct bytes *b)
{
	t_list(b, 2, 12, 1);
	element(b, "root", 2, -1);
	t_i32(b, 5, 0);
	t_close(b);
}

static void rows_without_columns(void **state)
{
	struct cdc_pq_metadata m = { .arena = CDC_ARENA_INIT };
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	built = (struct bytes){ .n = 0 };
	no_columns(&built);
	t_i64(&built, 3, 7);
	t_list(&built, 4, 12, 2);
	for (int i = 0; i < 2; i++) {
		t_open(&built);
		t_list(&built, 1, 12, 0);
		t_i64(&built, 2, 0);
		t_i64(&built, 3, 3 + i);
		t_close(&built);
	}
	put_byte(&built, 0);
	assert_int_equal(cdc_pq_metadata_read(&m, built.p, built.n, &err), CDC_OK);
	assert_int_equal(m.num_rows, 7);
	assert_int_equal(m.schema.num_leaves, 0);
	assert_int_equal(m.schema.node[0].max_def, 0);
	assert_int_equal(m.schema.node[0].max_rep, 0);
	cdc_arena_free(&m.arena);
}

static void footers_that_lie(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_file *f = NULL;

	(void)state;
	file.num_rows = -1;
	refuse_footer("negative");
	file.num_rows = 0;
	build(&built, &file);
	built.p[built.n - 8]++; /* the footer begins a byte earlier, inside the magic */
	assert_int_equal(open_built(&f, &err), CDC_ECORRUPT);
	built.p[built.n - 5] = 0x7f;
	assert_int_equal(open_built(&f, &err), CDC_ECORRUPT);
	build(&built, &file);
	built.p[0] = 'X';
	assert_int_equal(open_built(&f, &err), CDC_ECORRUPT);
	built.n = 11;
	assert_int_equal(open_built(&f, &err), CDC_ECORRUPT);
}

/* ------------------------------------------------------------------ what rows need not */

/* A time whose unit is none of the three, and a decimal whose scale takes 11 bytes. */
static void schema_of_the_future(struct bytes *b)
{
	t_list(b, 2, 12, 3);
	group(b, "root", -1, 2);
	element(b, "t", 0, CDC_PQ_INT64);
	t_struct(b, 10);
	t_struct(b, 8);
	t_bool(b, 1, true);
	t_struct(b, 2);
	t_struct(b, 4);
	t_close(b);
	t_close(b);
	t_close(b);
	t_close(b);
	t_close(b);
	element(b, "d", 0, CDC_PQ_INT64);
	t_struct(b, 10);
	t_struct(b, 5);
	t_i32(b, 1, INT64_MAX);
	t_close(b);
	t_close(b);
	t_close(b);
}

static void unknown_logical_types(void **state)
{
	struct cdc_pq_metadata m = { .arena = CDC_ARENA_INIT };
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	built = (struct bytes){ .n = 0 };
	t_i32(&built, 1, 2);
	schema_of_the_future(&built);
	t_i64(&built, 3, 0);
	t_list(&built, 4, 12, 0);
	put_byte(&built, 0);
	assert_int_equal(cdc_pq_metadata_read(&m, built.p, built.n, &err), CDC_OK);
	for (int i = 1; i <= 2; i++) {
		assert_int_equal(m.schema.node[i].logical, CDC_PQ_LOGICAL_OTHER);
		assert_int_equal(m.schema.node[i].type, CDC_PQ_INT64);
		assert_int_equal(m.schema.node[i].scale, 0);
	}
	cdc_arena_free(&m.arena);
}

/* A bound that is a number, one without its other half, a negative null count. */
static void odd_stats(struct bytes *b)
{
	t_binary(b, 1, "\2\0\0\0", 4);
	t_i32(b, 2, 1);
	t_i64(b, 3, -1);
	t_i64(b, 5, 2);
	t_binary(b, 6, "\1\0\0\0", 4);
	t_struct(b, 9);
	t_close(b);
}

static void orders_for_two(struct bytes *b)
{
	t_list(b, 7, 12, 2);
	for (int i = 0; i < 2; i++) {
		t_open(b);
		t_struct(b, 1);
		t_close(b);
		t_close(b);
	}
}

static void orders_of_integers(struct bytes *b)
{
	t_list(b, 7, 5, 1);
	put_byte(b, 2);
}

/* The column is there, and the orders do not count. */
static void still_reads(void)
{
	struct cdc_pq_file *f;

	file.num_rows = 3;
	build(&built, &file);
	f = open_ok();
	assert_int_equal(cdc_pq_metadata(f)->num_rows, 3);
	assert_int_equal(cdc_pq_metadata(f)->row_group[0].column[0].num_values, 3);
	assert_null(cdc_pq_metadata(f)->leaf_order);
	cdc_pq_close(f);
}

static void orders_that_lie(void **state)
{
	(void)state;
	file.orders = orders_for_two;
	still_reads();
	file.orders = orders_of_integers;
	still_reads();
}

static void statistics_that_lie(void **state)
{
	struct cdc_pq_statistics stats;
	struct cdc_pq_file *f;

	(void)state;
	file.stats = odd_stats;
	file.num_rows = 3;
	build(&built, &file);
	f = open_ok();
	stats = cdc_pq_metadata(f)->row_group[0].column[0].stats;
	assert_false(stats.has_null_count);
	assert_false(stats.has_min_max);
	cdc_pq_close(f);
}

/* ------------------------------------------------------------------ order of chunks */

/* A chunk of a leaf below "g", told by its number of values. */
static void chunk_of(struct bytes *b, const char *name, int type, int64_t values)
{
	t_open(b);
	t_i64(b, 2, 0);
	t_struct(b, 3);
	t_i32(b, 1, type);
	t_list(b, 2, 8, 1); /* encodings by name: they do not count */
	put_varint(b, 5);
	put(b, "PLAIN", 5);
	t_list(b, 3, 8, 2);
	put_varint(b, 1);
	put_byte(b, 'g');
	put_varint(b, strlen(name));
	put(b, name, strlen(name));
	t_i32(b, 4, 0);
	t_i64(b, 5, values);
	t_i64(b, 6, 10);
	t_i64(b, 7, 10);
	t_i64(b, 9, 4);
	t_close(b);
	t_close(b);
}

/* Chunks a, b and c with 1, 2 and 3 values, of the names and types given, in a group g of leaves
 * a INT32, b INT64 and c INT32: how many values leaf 0, 1 and 2 have, or why it is refused. */
static const char *ordered(const char *const name[3], const int type[3], char out[32])
{
	struct cdc_pq_metadata m = { .arena = CDC_ARENA_INIT };
	struct cdc_err err = CDC_ERR_INIT;

	built = (struct bytes){ .n = 0 };
	t_list(&built, 2, 12, 5);
	group(&built, "root", -1, 1);
	group(&built, "g", 0, 3);
	leaf(&built, "a", 1, CDC_PQ_INT32);
	leaf(&built, "b", 1, CDC_PQ_INT64);
	leaf(&built, "c", 1, CDC_PQ_INT32);
	t_i64(&built, 3, 0);
	t_list(&built, 4, 12, 1);
	t_open(&built);
	t_list(&built, 1, 12, 3);
	for (int i = 0; i < 3; i++)
		chunk_of(&built, name[i], type[i], i + 1);
	t_i64(&built, 3, 0);
	t_close(&built);
	put_byte(&built, 0);
	if (cdc_pq_metadata_read(&m, built.p, built.n, &err) < 0) {
		snprintf(out, 32, "%s",
			 strstr(err.msg, "not of its column") ? "not of its type" : "bad");
	} else {
		const struct cdc_pq_column_meta *c = m.row_group[0].column;

		snprintf(out, 32, "%d %d %d", (int)c[0].num_values, (int)c[1].num_values,
			 (int)c[2].num_values);
	}
	cdc_arena_free(&m.arena);
	return out;
}

static void chunks_by_path(void **state)
{
	static const char *const right[] = { "a", "b", "c" };
	static const char *const turned[] = { "b", "c", "a" };
	static const char *const foreign[] = { "b", "c", "x" };
	static const char *const twice[] = { "a", "b", "b" };
	static const int in_order[] = { CDC_PQ_INT32, CDC_PQ_INT64, CDC_PQ_INT32 };
	static const int b_first[] = { CDC_PQ_INT64, CDC_PQ_INT32, CDC_PQ_INT32 };
	char out[32];

	(void)state;
	assert_string_equal(ordered(right, in_order, out), "1 2 3");
	assert_string_equal(ordered(turned, b_first, out), "3 1 2");
	assert_string_equal(ordered(right, b_first, out), "not of its type");
	/* Paths that do not lead to one leaf each do not count. */
	assert_string_equal(ordered(foreign, in_order, out), "1 2 3");
	assert_string_equal(ordered(twice, in_order, out), "1 2 3");
	assert_string_equal(ordered(foreign, b_first, out), "not of its type");
}

/* ------------------------------------------------------------------ statistics */

static uint8_t min_bytes[16];
static uint8_t max_bytes[16];
static size_t bound_bytes;

static void new_bounds(struct bytes *b)
{
	t_i64(b, 3, 5);
	t_binary(b, 5, max_bytes, bound_bytes);
	t_binary(b, 6, min_bytes, bound_bytes);
	t_bool(b, 7, false);
}

static void old_bounds(struct bytes *b)
{
	t_binary(b, 1, max_bytes, bound_bytes);
	t_binary(b, 2, min_bytes, bound_bytes);
}

static void type_order(struct bytes *b)
{
	t_list(b, 7, 12, 1);
	t_open(b);
	t_struct(b, 1);
	t_close(b);
	t_close(b);
}

static void other_order(struct bytes *b)
{
	t_list(b, 7, 12, 1);
	t_open(b);
	t_struct(b, 2);
	t_close(b);
	t_close(b);
}

static bool believed(int type, size_t n, const void *min, const void *max,
		     void (*stats)(struct bytes *), void (*orders)(struct bytes *))
{
	struct cdc_pq_statistics s;
	struct cdc_pq_file *f;

	start(NULL);
	file.type = type;
	file.type_length = type == CDC_PQ_FIXED ? 4 : 0;
	file.stats = stats;
	file.orders = orders;
	bound_bytes = n;
	memcpy(min_bytes, min, n);
	memcpy(max_bytes, max, n);
	build(&built, &file);
	f = open_ok();
	s = cdc_pq_metadata(f)->row_group[0].column[0].stats;
	if (s.has_min_max) {
		assert_true(cdc_str_eq(s.min_value, cdc_str((char *)min_bytes, n)));
		assert_true(cdc_str_eq(s.max_value, cdc_str((char *)max_bytes, n)));
	}
	assert_true(s.min_exact);
	assert_int_equal(s.has_null_count, stats == new_bounds);
	if (stats == new_bounds) {
		assert_int_equal(s.null_count, 5);
		assert_false(s.max_exact);
	}
	cdc_pq_close(f);
	return s.has_min_max;
}

static void bounds_to_believe(void **state)
{
	static const char one[] = "\1\0\0\0\0\0\0\0";
	static const char minus[] = "\xff\xff\xff\xff\xff\xff\xff\xff";
	static const char nan[] = "\0\0\xc0\x7f";
	static const char pi[] = "\xdb\x0f\x49\x40";

	(void)state;
	assert_true(believed(CDC_PQ_INT32, 4, minus, one, new_bounds, type_order));
	assert_true(believed(CDC_PQ_INT32, 4, minus, one, new_bounds, NULL));
	assert_true(believed(CDC_PQ_INT64, 8, minus, one, old_bounds, NULL));
	assert_false(believed(CDC_PQ_INT64, 8, one, minus, new_bounds, type_order));
	assert_false(believed(CDC_PQ_INT64, 4, minus, one, new_bounds, type_order));
	assert_false(believed(CDC_PQ_INT32, 4, minus, one, new_bounds, other_order));
	assert_true(believed(CDC_PQ_BYTE_ARRAY, 2, "ab", "b\xff", new_bounds, type_order));
	assert_false(believed(CDC_PQ_BYTE_ARRAY, 2, "ab", "b\xff", new_bounds, NULL));
	assert_false(believed(CDC_PQ_BYTE_ARRAY, 2, "ab", "bb", old_bounds, type_order));
	assert_false(believed(CDC_PQ_BYTE_ARRAY, 2, "b\xff", "ab", new_bounds, type_order));
	assert_true(believed(CDC_PQ_FLOAT, 4, one, pi, new_bounds, type_order));
	assert_false(believed(CDC_PQ_FLOAT, 4, one, nan, new_bounds, type_order));
	assert_false(believed(CDC_PQ_FLOAT, 4, nan, pi, new_bounds, type_order));
	assert_false(
		believed(CDC_PQ_INT96, 12, "123456789012", "123456789012", new_bounds, type_order));
	assert_true(believed(CDC_PQ_FIXED, 4, "aaaa", "bbbb", new_bounds, type_order));
}

static void column_of_timestamps(struct bytes *b)
{
	t_list(b, 2, 12, 2);
	t_open(b);
	t_text(b, 4, "schema");
	t_i32(b, 5, 1);
	t_close(b);
	t_open(b);
	t_i32(b, 1, CDC_PQ_INT64);
	t_i32(b, 3, CDC_PQ_OPTIONAL);
	t_text(b, 4, "c");
	t_i32(b, 6, CDC_PQ_CONV_TIMESTAMP_MILLIS);
	t_close(b);
}

static bool believed_of(const char *writer, void (*schema)(struct bytes *))
{
	struct cdc_pq_file *f;
	bool believed;

	start(NULL);
	file.type = CDC_PQ_INT64;
	file.created_by = writer;
	file.schema = schema;
	file.stats = new_bounds;
	file.orders = type_order;
	bound_bytes = 8;
	memset(min_bytes, 0, 8);
	memset(max_bytes, 1, 8);
	build(&built, &file);
	f = open_ok();
	believed = cdc_pq_metadata(f)->row_group[0].column[0].stats.has_min_max;
	cdc_pq_close(f);
	return believed;
}

/* Its timestamps' bounds are of another time zone. */
static void bounds_of_parquet_net(void **state)
{
	static const char writer[] = "Parquet.Net version 4.25.0 (build 687fbb46)";

	(void)state;
	assert_true(believed_of("parquet-mr version 1.13.1", column_of_timestamps));
	assert_true(believed_of("Parquet", column_of_timestamps));
	assert_true(believed_of(writer, NULL));
	assert_false(believed_of(writer, column_of_timestamps));
}

/* ------------------------------------------------------------------ page index */

struct location {
	int64_t offset;
	int64_t size;
	int64_t first_row;
};

/* Number of pages that the index tells of; 0: it is ignored. */
static uint32_t index_pages(const struct location *loc, size_t n, size_t null_pages, size_t mins)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_page_index index;
	struct cdc_pq_file *f;
	uint32_t pages = 0;
	int rc;

	start(NULL);
	file.num_rows = 10;
	file.orders = type_order;
	put(&file.chunk, "forty bytes stand for two pages of data.", 40);
	file.chunk_size = 40;
	file.offset_index_offset = 4 + (int64_t)file.chunk.n;
	t_list(&file.chunk, 1, 12, n);
	for (size_t i = 0; i < n; i++) {
		t_open(&file.chunk);
		t_i64(&file.chunk, 1, loc[i].offset);
		t_i32(&file.chunk, 2, loc[i].size);
		t_i64(&file.chunk, 3, loc[i].first_row);
		t_close(&file.chunk);
	}
	put_byte(&file.chunk, 0);
	file.offset_index_length = 4 + (int64_t)file.chunk.n - file.offset_index_offset;
	file.column_index_offset = 4 + (int64_t)file.chunk.n;
	file.chunk.last[0] = 0;
	t_list(&file.chunk, 1, 1, null_pages);
	for (size_t i = 0; i < null_pages; i++)
		put_byte(&file.chunk, i == 1 ? 1 : 2);
	for (int id = 2; id <= 3; id++) {
		t_list(&file.chunk, id, 8, mins);
		for (size_t i = 0; i < mins; i++) {
			put_byte(&file.chunk, 4);
			put_u32(&file.chunk, (uint32_t)id);
		}
	}
	t_i32(&file.chunk, 4, 0);
	put_byte(&file.chunk, 0);
	file.column_index_length = 4 + (int64_t)file.chunk.n - file.column_index_offset;
	build(&built, &file);
	f = open_ok();
	rc = cdc_pq_page_index_read(&index, f, 0, 0, &err);
	assert_true(rc == CDC_OK || rc == CDC_END);
	if (rc == CDC_OK) {
		pages = index.num_pages;
		for (uint32_t i = 0; i < pages; i++) {
			assert_int_equal(index.page[i].offset, loc[i].offset);
			assert_int_equal(index.page[i].first_row, loc[i].first_row);
			assert_int_equal(index.page[i].all_null, null_pages == n && i == 1);
			assert_int_equal(index.page[i].has_min_max,
					 null_pages == n && mins == n && i != 1);
			assert_false(index.page[i].has_null_count);
		}
		cdc_pq_page_index_free(&index);
	}
	cdc_pq_close(f);
	return pages;
}

static void page_index(void **state)
{
	static const struct location good[2] = { { 4, 25, 0 }, { 29, 15, 6 } };
	static const struct location overlap[2] = { { 4, 25, 0 }, { 28, 15, 6 } };
	static const struct location late[2] = { { 4, 25, 1 }, { 29, 15, 6 } };
	static const struct location same_row[2] = { { 4, 25, 0 }, { 29, 15, 0 } };
	static const struct location many_rows[2] = { { 4, 25, 0 }, { 29, 15, 10 } };
	static const struct location outside[2] = { { 4, 25, 0 }, { 29, 1000000, 6 } };
	static const struct location too_long[2] = { { 4, 25, 0 }, { 29, 16, 6 } };
	static const struct location negative[2] = { { 4, -25, 0 }, { 29, 15, 6 } };
	static const struct location far[2] = { { 4, 25, 0 }, { INT64_MAX, 15, 6 } };

	(void)state;
	assert_int_equal(index_pages(good, 2, 2, 2), 2);
	assert_int_equal(index_pages(overlap, 2, 2, 2), 0);
	assert_int_equal(index_pages(late, 2, 2, 2), 0);
	assert_int_equal(index_pages(same_row, 2, 2, 2), 0);
	assert_int_equal(index_pages(many_rows, 2, 2, 2), 0);
	assert_int_equal(index_pages(outside, 2, 2, 2), 0);
	assert_int_equal(index_pages(too_long, 2, 2, 2), 0);
	assert_int_equal(index_pages(negative, 2, 2, 2), 0);
	assert_int_equal(index_pages(far, 2, 2, 2), 0);
	assert_int_equal(index_pages(good, 0, 2, 2), 0);
}

/* Lists of other lengths: the pages stay, their bounds do not count. */
static void page_index_without_bounds(void **state)
{
	static const struct location good[2] = { { 4, 25, 0 }, { 29, 15, 6 } };

	(void)state;
	assert_int_equal(index_pages(good, 2, 3, 2), 2);
	assert_int_equal(index_pages(good, 2, 1, 2), 2);
}

/* ------------------------------------------------------------------ Thrift */

static const char *read_struct(const void *p, size_t n)
{
	static const struct cdc_pq_twant nothing = { { 0 } };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
	struct cdc_pq_tread r;

	cdc_pq_tread_init(&r, p, n);
	while (cdc_pq_tread_field(&r, &f, &nothing))
		;
	return r.bad;
}

static void thrift_that_lies(void **state)
{
	uint8_t deep[200];

	(void)state;
	assert_null(read_struct("\0", 1));
	assert_non_null(read_struct("", 0));
	assert_non_null(read_struct("\x1d", 1)); /* type 13 */
	assert_non_null(read_struct("\x18\x05"
				    "abc\0",
				    6)); /* a string of 5 in 4 */
	assert_null(read_struct("\x18\x03"
				"abc\0",
				6));
	assert_non_null(read_struct("\x19\xf8\xff\xff\xff\xff\x0f\0", 8)); /* a list of 2^32 - 1 */
	assert_non_null(read_struct("\x1b\xff\x7f\x88\0", 5)); /* a map of 16383 */
	assert_null(read_struct("\x1b\0\0", 3));
	assert_non_null(read_struct("\x16\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\0", 12));
	assert_null(read_struct("\x16\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\0", 12));
	assert_non_null(read_struct("\x17"
				    "1234567",
				    8));
	memset(deep, 0x1c, sizeof(deep));
	assert_string_equal(read_struct(deep, sizeof(deep)), "it is nested too deeply");
	memset(deep, 0x19, sizeof(deep));
	assert_string_equal(read_struct(deep, sizeof(deep)), "it is nested too deeply");
	memset(deep + 40, 0, 160);
	memset(deep, 0x1c, 40);
	assert_null(read_struct(deep, sizeof(deep)));
	/* Field id 32767, then one more: out of range. */
	assert_non_null(read_struct("\x08\xfe\xff\x03\1a\x18\1a\0", 10));
}

static void thrift_integers(void **state)
{
	static const struct cdc_pq_twant want = {
		{ [1] = CDC_PQ_WIRE_I32, [2] = CDC_PQ_WIRE_TRUE }
	};
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
	struct cdc_pq_tread r;

	(void)state;
	/* 1: i64 -3; 2: a string, passed over; 2 again: false */
	cdc_pq_tread_init(&r, "\x16\5\x18\1x\2\4\0", 8);
	assert_true(cdc_pq_tread_field(&r, &f, &want));
	assert_int_equal(cdc_pq_tread_i32(&r), -3);
	assert_true(cdc_pq_tread_field(&r, &f, &want));
	assert_int_equal(f.id, 2);
	assert_false(cdc_pq_tread_bool(&r, &f));
	assert_false(cdc_pq_tread_field(&r, &f, &want));
	assert_null(r.bad);
	assert_int_equal(cdc_pq_tread_used(&r), 8);
	/* 2^31 does not fit */
	f = (struct cdc_pq_tfield)CDC_PQ_TFIELD_INIT;
	cdc_pq_tread_init(&r, "\x15\x80\x80\x80\x80\x10\0", 7);
	assert_true(cdc_pq_tread_field(&r, &f, &want));
	assert_int_equal(cdc_pq_tread_i32(&r), 0);
	assert_non_null(r.bad);
}

#define CASE(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(schema_attributes),
		CASE(leaves_by_name),
		CASE(schemas_that_lie),
		CASE(footers_that_lie),
		CASE(bounds_to_believe),
		CASE(bounds_of_parquet_net),
		CASE(page_index),
		CASE(page_index_without_bounds),
		CASE(thrift_that_lies),
		CASE(thrift_integers),
		CASE(unknown_logical_types),
		CASE(orders_that_lie),
		CASE(statistics_that_lie),
		CASE(chunks_by_path),
		CASE(too_many_elements),
		CASE(rows_without_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
