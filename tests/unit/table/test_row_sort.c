/*
 * Proves that records come out of the sorter in the order of their keys' bytes, all of them, from
 * memory and from many runs and merges of runs; that keys compare as the values they are made of;
 * that rows of all types, nested ones too, survive their form as bytes.
 */
#include "base/hash.h"
#include "base/value.h"
#include "delta/stats.h"
#include "table/batch/batch_rows.h"
#include "table/sort/row_bytes.h"
#include "table/sort/row_sort.h"
#include "table/sort/sort_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t seed = 1;

static uint64_t draw(uint64_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (seed >> 33) % n;
}

/* ------------------------------------------------------------------ records */

/* Keys with equal beginnings and zeros in them; the payload tells the key again, and more. */
static size_t random_key(char key[40])
{
	size_t n = draw(20);

	for (size_t i = 0; i < n; i++)
		key[i] = (char)(i < 8 ? draw(2) : draw(256));
	return n;
}

/* The sum of all records that go in is that of all that come out. */
static uint64_t sum_of(struct cdc_str key, struct cdc_str payload)
{
	return cdc_hash64(key.p, key.n) + 3 * cdc_hash64(payload.p, payload.n);
}

static void sort_records(size_t records, size_t payload_bytes, uint64_t least_runs)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_sorter *s;
	struct cdc_str key, payload;
	char last[40], text[40];
	char *bulk = calloc(1, payload_bytes + 1);
	size_t last_n = 0, n = 0;
	uint64_t in = 0, out = 0;
	int rc;

	assert_non_null(bulk);
	assert_int_equal(cdc_sorter_new(&s, &cdc_io_posix, NULL, 0, &err), 0);
	for (size_t i = 0; i < records; i++) {
		key = cdc_str(text, random_key(text));
		payload = cdc_str(bulk, draw(payload_bytes + 1));
		for (size_t k = 0; k < payload.n; k += 97)
			bulk[k] = (char)draw(256);
		in += sum_of(key, payload);
		assert_int_equal(cdc_sorter_add(s, key, payload, &err), 0);
	}
	while (!(rc = cdc_sorter_next(s, &key, &payload, &err))) {
		assert_true(n == 0 || cdc_str_cmp(cdc_str(last, last_n), key) <= 0);
		memcpy(last, key.p, key.n);
		last_n = key.n;
		out += sum_of(key, payload);
		n++;
	}
	assert_int_equal(rc, CDC_END);
	assert_int_equal(cdc_sorter_next(s, &key, &payload, &err), CDC_END);
	assert_int_equal(n, records);
	assert_int_equal(in, out);
	assert_true(cdc_sorter_runs(s) >= least_runs);
	cdc_sorter_free(s);
	free(bulk);
}

static void nothing_and_little(void **state)
{
	(void)state;
	sort_records(0, 10, 0);
	sort_records(1, 10, 0);
	sort_records(5000, 20, 0);
}

/* With the least memory, 1 MiB: more runs than are merged at once. */
static void many_runs(void **state)
{
	(void)state;
	sort_records(20000, 2000, 18);
}

/* Records that are larger than the buffers, and than the memory. */
static void large_records(void **state)
{
	(void)state;
	sort_records(40, 1500000, 5);
}

/* ------------------------------------------------------------------ keys */

static int sign(int c)
{
	return (c > 0) - (c < 0);
}

static void compare_keys(const struct cdc_column *c, uint32_t a, uint32_t b)
{
	struct cdc_buf x = CDC_BUF_INIT, y = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	union cdc_value v = cdc_value_load(c->field->type, c->values, a);
	union cdc_value w = cdc_value_load(c->field->type, c->values, b);
	int want = c->valid[a] && c->valid[b] ? cdc_value_cmp(c->field->type, &v, &w)
					      : c->valid[a] - c->valid[b];

	assert_int_equal(cdc_sort_key_put(&x, c, a, &err), 0);
	assert_int_equal(cdc_sort_key_put(&y, c, b, &err), 0);
	/* What follows decides only between equal values. */
	assert_int_equal(cdc_buf_append(&x, "\xff", 1, &err), 0);
	assert_int_equal(cdc_buf_append(&y, "\x00", 1, &err), 0);
	assert_int_equal(sign(cdc_str_cmp(cdc_buf_str(&x), cdc_buf_str(&y))),
			 want ? sign(want) : 1);
	cdc_buf_free(&x);
	cdc_buf_free(&y);
}

static void compare_all(enum cdc_type t, const void *values, uint32_t n)
{
	struct cdc_field f = { .name = CDC_STR("c"), .type = t };
	uint8_t valid[32];
	struct cdc_column c = { .field = &f, .values = values, .valid = valid };

	memset(valid, 1, sizeof(valid));
	valid[n - 1] = 0;
	for (uint32_t a = 0; a < n; a++)
		for (uint32_t b = 0; b < n; b++)
			if (a != b)
				compare_keys(&c, a, b);
}

static void keys_compare_as_values(void **state)
{
	static const double d[] = { 0.0,      -0.0,	 1.5, -1.5,   1e300,   -1e300,
				    INFINITY, -INFINITY, NAN, 5e-324, -5e-324, 0 };
	static const int64_t i[] = { 0, 1, -1, 255, 256, -256, INT64_MAX, INT64_MIN, 0 };
	static const struct cdc_str s[] = { CDC_STR(""),     CDC_STR("a"),    CDC_STR("a\0"),
					    CDC_STR("a\0b"), CDC_STR("a\1"),  CDC_STR("b"),
					    CDC_STR("\0"),   CDC_STR("\xff"), CDC_STR("\xff\xff"),
					    CDC_STR("") };
	cdc_i128 dec[] = {
		0, 1, -1, (cdc_i128)1 << 100, -((cdc_i128)1 << 100), (cdc_i128)1 << 63, 0
	};
	uint8_t b[] = { 0, 1, 0 };

	(void)state;
	compare_all(CDC_TYPE_DOUBLE, d, sizeof(d) / sizeof(d[0]));
	compare_all(CDC_TYPE_LONG, i, sizeof(i) / sizeof(i[0]));
	compare_all(CDC_TYPE_STRING, s, sizeof(s) / sizeof(s[0]));
	compare_all(CDC_TYPE_DECIMAL, dec, sizeof(dec) / sizeof(dec[0]));
	compare_all(CDC_TYPE_BOOLEAN, b, sizeof(b) / sizeof(b[0]));
}

/* ------------------------------------------------------------------ rows */

/*
 * A column of lists of structs, row by row: [{1,"x"},null,{null,"y"}], null, [], [{2,null}]; and
 * beside it a struct of an integer: {7}, {null}, null, {8}.
 */
static void nested_rows_survive(void **state)
{
	static const char json[] =
		"{\"type\":\"struct\",\"fields\":[{\"name\":\"l\",\"type\":{\"type\":\"array\","
		"\"elementType\":{\"type\":\"struct\",\"fields\":[{\"name\":\"i\",\"type\":"
		"\"integer\",\"nullable\":true,\"metadata\":{}},{\"name\":\"s\",\"type\":\"string\","
		"\"nullable\":true,\"metadata\":{}}]},\"containsNull\":true},\"nullable\":true,"
		"\"metadata\":{}},{\"name\":\"t\",\"type\":{\"type\":\"struct\",\"fields\":[{\"name\":"
		"\"n\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]},\"nullable\":true,"
		"\"metadata\":{}}]}";
	static const int32_t order[] = { 3, 0, 2, 1 };
	static const int32_t i_val[] = { 1, 0, 0, 2 };
	static const uint8_t i_ok[] = { 1, 0, 0, 1 }, s_ok[] = { 1, 0, 1, 0 },
			     e_ok[] = { 1, 0, 1, 1 };
	static const struct cdc_str s_val[] = {
		CDC_STR("x"), { NULL, 0 }, CDC_STR("y"), { NULL, 0 }
	};
	static const struct cdc_span span[] = { { 0, 3 }, { 0, 0 }, { 3, 0 }, { 3, 1 } };
	static const uint8_t l_ok[] = { 1, 0, 1, 1 }, t_ok[] = { 1, 1, 0, 1 },
			     n_ok[] = { 1, 0, 0, 1 };
	static const int64_t n_val[] = { 7, 0, 0, 8 };
	struct cdc_schema schema = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_column part[2], element, top[2], n;
	struct cdc_batch in = { .rows = 4, .num_columns = 2, .column = top }, out;
	struct cdc_row_builder *b;
	struct cdc_buf row = CDC_BUF_INIT;
	const struct cdc_span *got;
	const struct cdc_column *e;

	(void)state;
	assert_int_equal(cdc_schema_from_json(&schema, CDC_STR(json), &err), 0);
	const struct cdc_field *l = &schema.field[0], *t = &schema.field[1];

	part[0] = (struct cdc_column){ &l->child[0].child[0], i_val, i_ok, NULL };
	part[1] = (struct cdc_column){ &l->child[0].child[1], s_val, s_ok, NULL };
	element = (struct cdc_column){ &l->child[0], NULL, e_ok, part };
	n = (struct cdc_column){ &t->child[0], n_val, n_ok, NULL };
	top[0] = (struct cdc_column){ l, span, l_ok, &element };
	top[1] = (struct cdc_column){ t, NULL, t_ok, &n };
	assert_int_equal(cdc_row_builder_new(&b, &schema, &err), 0);
	for (int round = 0; round < 2; round++) { /* the builder is used again */
		for (int i = 0; i < 4; i++) {
			cdc_buf_reset(&row);
			assert_int_equal(cdc_row_put(&row, &in, (uint32_t)order[i], &err), 0);
			assert_int_equal(cdc_row_builder_add(b, cdc_buf_str(&row), &err), 0);
		}
		cdc_row_builder_take(b, &out);
	}
	assert_int_equal(out.rows, 4);
	got = out.column[0].values;
	e = out.column[0].child;
	/* [{2,null}], [{1,"x"},null,{null,"y"}], [], null */
	assert_int_equal(got[0].n, 1);
	assert_int_equal(got[1].n, 3);
	assert_int_equal(got[2].n, 0);
	assert_false(cdc_column_is_null(&out.column[0], 2));
	assert_true(cdc_column_is_null(&out.column[0], 3));
	assert_int_equal(((const int32_t *)e->child[0].values)[got[0].first], 2);
	assert_true(cdc_column_is_null(&e->child[1], got[0].first));
	assert_int_equal(((const int32_t *)e->child[0].values)[got[1].first], 1);
	assert_true(cdc_str_eqz(((const struct cdc_str *)e->child[1].values)[got[1].first], "x"));
	assert_true(cdc_column_is_null(e, got[1].first + 1));
	assert_false(cdc_column_is_null(e, got[1].first + 2));
	assert_true(cdc_column_is_null(&e->child[0], got[1].first + 2));
	assert_true(
		cdc_str_eqz(((const struct cdc_str *)e->child[1].values)[got[1].first + 2], "y"));
	/* {8}, {7}, null, {null} */
	assert_int_equal(((const int64_t *)out.column[1].child[0].values)[0], 8);
	assert_int_equal(((const int64_t *)out.column[1].child[0].values)[1], 7);
	assert_true(cdc_column_is_null(&out.column[1], 2));
	assert_false(cdc_column_is_null(&out.column[1], 3));
	assert_true(cdc_column_is_null(&out.column[1].child[0], 3));
	cdc_row_builder_free(b);
	cdc_buf_free(&row);
	cdc_schema_free(&schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_and_little),  cmocka_unit_test(many_runs),
		cmocka_unit_test(large_records),       cmocka_unit_test(keys_compare_as_values),
		cmocka_unit_test(nested_rows_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
