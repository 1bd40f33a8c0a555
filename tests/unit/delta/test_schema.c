/*
 * Proves that schemas of the log are read, printed, copied and mapped to Parquet as Delta wants it:
 * unknown metadata and nested types survive byte for byte, damaged ones are refused.
 */
#include "delta/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

static const char all_types[] =
	"{\"type\":\"struct\",\"fields\":["
	"{\"name\":\"b\",\"type\":\"boolean\",\"nullable\":true,\"metadata\":{}},"
	"{\"name\":\"i8\",\"type\":\"byte\",\"nullable\":true,\"metadata\":{}},"
	"{\"name\":\"i16\",\"type\":\"short\",\"nullable\":true,\"metadata\":{}},"
	"{\"name\":\"i32\",\"type\":\"integer\",\"nullable\":false,\"metadata\":{}},"
	"{\"name\":\"i64\",\"type\":\"long\",\"nullable\":true,\"metadata\":{\"comment\":\"a \\\"key\\\"\"}},"
	"{\"name\":\"f\",\"type\":\"float\",\"nullable\":true,\"metadata\":{}},"
	"{\"name\":\"d\",\"type\":\"double\",\"nullable\":true,\"metadata\":{}},"
	"{\"name\":\"m4\",\"type\":\"decimal(4,2)\",\"nullable\":true,\"metadata\":{}},"
	"{\"name\":\"m18\",\"type\":\"decimal(18,0)\",\"nullable\":true,\"metadata\":{}},"
	"{\"name\":\"m19\",\"type\":\"decimal(19,5)\",\"nullable\":true,\"metadata\":{}},"
	"{\"name\":\"m38\",\"type\":\"decimal(38,38)\",\"nullable\":true,\"metadata\":{}},"
	"{\"name\":\"s\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}},"
	"{\"name\":\"bin\",\"type\":\"binary\",\"nullable\":true,\"metadata\":{}},"
	"{\"name\":\"day\",\"type\":\"date\",\"nullable\":true,\"metadata\":{}},"
	"{\"name\":\"at\",\"type\":\"timestamp\",\"nullable\":true,\"metadata\":{}},"
	"{\"name\":\"wall\",\"type\":\"timestamp_ntz\",\"nullable\":true,\"metadata\":{}}]}";

static void round_trip(const char *json)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_schema copy = CDC_SCHEMA_INIT;
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_schema_from_json(&s, cdc_str_z(json), &err), 0);
	assert_int_equal(cdc_schema_copy(&copy, &s, &err), 0);
	cdc_schema_free(&s);
	assert_int_equal(cdc_schema_to_json(&copy, &out, &err), 0);
	assert_string_equal(cdc_buf_z(&out), json);
	cdc_buf_free(&out);
	cdc_schema_free(&copy);
}

static void text_survives(void **state)
{
	(void)state;
	round_trip(all_types);
	round_trip("{\"type\":\"struct\",\"fields\":[]}");
	round_trip("{\"type\":\"struct\",\"fields\":[{\"name\":\"n \\\\ x\",\"type\":\"void\","
		   "\"nullable\":true,\"metadata\":{\"x\":[1, 2,{\"y\":1e400}],\"z\":null}}]}");
	round_trip(
		"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":{ \"type\":\"array\","
		"\"elementType\":{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":{\"type\":"
		"\"struct\",\"fields\":[{\"name\":\"q\",\"type\":\"variant\",\"nullable\":true,"
		"\"metadata\":{}}]},\"valueContainsNull\":true},\"containsNull\":false},"
		"\"nullable\":true,\"metadata\":{}}]}");
}

/* The schema of a file has no text of its nested types: they are told from the tree. */
static void tree_without_text(void **state)
{
	static const char json[] =
		"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"array\","
		"\"elementType\":{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":{\"type\":"
		"\"struct\",\"fields\":[{\"name\":\"q\",\"type\":\"decimal(5,2)\",\"nullable\":false,"
		"\"metadata\":{}},{\"name\":\"r\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]},"
		"\"valueContainsNull\":true},\"containsNull\":false},"
		"\"nullable\":true,\"metadata\":{}}]}";
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_field *f;

	(void)state;
	assert_int_equal(cdc_schema_from_json(&s, cdc_str_z(json), &err), 0);
	for (f = &s.field[0]; f; f = f->num_children ? &f->child[f->num_children - 1] : NULL)
		f->type_json = cdc_str(NULL, 0);
	assert_int_equal(cdc_schema_to_json(&s, &out, &err), 0);
	assert_int_equal(out.len, strlen(json));
	assert_memory_equal(out.p, json, out.len);
	cdc_buf_free(&out);
	cdc_schema_free(&s);
}

static void fields_are_understood(void **state)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	char name[CDC_TYPE_NAME_MAX];

	(void)state;
	assert_int_equal(cdc_schema_from_json(&s, cdc_str_z(all_types), &err), 0);
	assert_int_equal(s.num_fields, 16);
	assert_int_equal(s.field[3].nullable, false);
	assert_int_equal(s.field[10].type, CDC_TYPE_DECIMAL);
	assert_int_equal(s.field[10].precision, 38);
	assert_int_equal(s.field[10].scale, 38);
	assert_string_equal(cdc_type_name(&s.field[10], name), "decimal(38,38)");
	assert_string_equal(cdc_type_name(&s.field[15], name), "timestamp_ntz");
	assert_int_equal(cdc_schema_find(&s, CDC_STR("WALL")), 15);
	assert_int_equal(cdc_schema_find(&s, CDC_STR("wal")), -1);
	assert_true(cdc_str_eqz(s.field[4].metadata, "{\"comment\":\"a \\\"key\\\"\"}"));
	cdc_schema_free(&s);
}

/* In a struct it counts as well. */
static bool plain(struct cdc_str name)
{
	struct cdc_field inner = { .name = name };
	struct cdc_field outer = { .name = CDC_STR("s"), .child = &inner, .num_children = 1 };

	assert_int_equal(cdc_field_names_are_plain(&inner, 1),
			 cdc_field_names_are_plain(&outer, 1));
	return cdc_field_names_are_plain(&inner, 1);
}

static void exact_name_wins(void **state)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_field f = { .name = CDC_STR("Id"), .type = CDC_TYPE_LONG, .nullable = true };

	(void)state;
	assert_int_equal(cdc_schema_add(&s, &f, &err), 0);
	f.name = CDC_STR("iD");
	assert_int_equal(cdc_schema_add(&s, &f, &err), CDC_EUSAGE);
	f.name = CDC_STR("id2");
	assert_int_equal(cdc_schema_add(&s, &f, &err), 0);
	for (const char *c = " ,;{}()\n\t="; *c; c++) {
		char bad[] = { 'x', *c, 'y' };

		assert_false(plain(cdc_str(bad, sizeof(bad))));
	}
	assert_true(plain(CDC_STR("a.b-c:\xc3\xa9")));
	f.name = cdc_str("", 0);
	assert_int_equal(cdc_schema_add(&s, &f, &err), CDC_EUSAGE);
	f.name = cdc_str("x\0y", 3);
	assert_int_equal(cdc_schema_add(&s, &f, &err), CDC_EUSAGE);
	assert_int_equal(s.num_fields, 2);
	assert_int_equal(cdc_schema_find(&s, CDC_STR("ID")), 0);
	cdc_schema_free(&s);
}

static void many_fields(void **state)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_buf json = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	assert_int_equal(cdc_buf_puts(&json, "{\"type\":\"struct\",\"fields\":[", &err), 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(cdc_buf_printf(&json, &err,
						"%s{\"name\":\"Column%d\",\"type\":\"long\","
						"\"nullable\":true,\"metadata\":{}}",
						i ? "," : "", i),
				 0);
	assert_int_equal(cdc_buf_puts(&json, "]}", &err), 0);
	assert_int_equal(cdc_schema_from_json(&s, cdc_buf_str(&json), &err), 0);
	assert_int_equal(s.num_fields, 5000);
	assert_int_equal(cdc_schema_find(&s, CDC_STR("Column4999")), 4999);
	cdc_schema_free(&s);
	json.len -= 2;
	assert_int_equal(
		cdc_buf_puts(&json, ",{\"name\":\"coluMN4000\",\"type\":\"long\"}]}", &err), 0);
	assert_int_equal(cdc_schema_from_json(&s, cdc_buf_str(&json), &err), CDC_ECORRUPT);
	assert_non_null(strstr(err.msg, "twice"));
	cdc_buf_free(&json);
}

static void column_mapping(void **state)
{
	const char *json = "{\"type\":\"struct\",\"fields\":[{\"name\":\"a b\",\"type\":\"long\","
			   "\"nullable\":true,\"metadata\":{\"delta.columnMapping.id\":7,"
			   "\"delta.columnMapping.physicalName\":\"col-\\u0031\"}}]}";
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_pq_schema pq;
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	assert_int_equal(cdc_schema_from_json(&s, cdc_str_z(json), &err), 0);
	assert_true(cdc_str_eqz(s.field[0].name, "a b"));
	assert_true(cdc_str_eqz(s.field[0].physical_name, "col-1"));
	assert_true(s.field[0].has_field_id);
	assert_int_equal(s.field[0].field_id, 7);
	cdc_schema_unmap(&s);
	assert_true(cdc_str_eqz(s.field[0].physical_name, "a b"));
	assert_false(s.field[0].has_field_id);
	cdc_schema_free(&s);
	/* Elements, keys and values have their ids in the field around them. */
	json = "{\"type\":\"struct\",\"fields\":[{\"name\":\"m\",\"type\":{\"type\":\"map\",\"keyType\":"
	       "\"string\",\"valueType\":{\"type\":\"array\",\"elementType\":\"long\"}},\"metadata\":"
	       "{\"delta.columnMapping.id\":1,\"delta.columnMapping.physicalName\":\"p\","
	       "\"delta.columnMapping.nested.ids\":{\"p.key\":2,\"p.value\":3,\"p.value.element\":4,"
	       "\"m.value\":9}}}]}";
	assert_int_equal(cdc_schema_from_json(&s, cdc_str_z(json), &err), 0);
	assert_int_equal(cdc_schema_to_parquet(&s, &pq, &arena, &err), 0);
	for (int i = 0; i < pq.num_nodes; i++) {
		/* m, key_value, key, value, list, element */
		static const int id[] = { -1, 1, -1, 2, 3, -1, 4 };

		assert_int_equal(pq.node[i].has_field_id ? pq.node[i].field_id : -1, id[i]);
	}
	cdc_schema_unmap(&s);
	assert_false(s.field[0].child[1].child[0].has_field_id);
	cdc_schema_free(&s);
	cdc_arena_free(&arena);
	/* As delta-rs writes it. */
	json = "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"metadata\":"
	       "{\"delta.columnMapping.id\":\"12\"}}]}";
	assert_int_equal(cdc_schema_from_json(&s, cdc_str_z(json), &err), 0);
	assert_int_equal(s.field[0].field_id, 12);
	cdc_schema_free(&s);
}

static void refused(const char *json, int code, const char *hint)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_schema_from_json(&s, cdc_str_z(json), &err), code);
	if (!strstr(err.msg, hint))
		fail_msg("\"%s\" lacks \"%s\"", err.msg, hint);
	assert_int_equal(s.num_fields, 0);
}

#define ONE(type) "{\"type\":\"struct\",\"fields\":[{\"name\":\"c\",\"type\":" type "}]}"

static void damaged_is_refused(void **state)
{
	(void)state;
	refused("", CDC_ECORRUPT, "schema");
	refused("{\"type\":\"struct\",\"fields\":[", CDC_ECORRUPT, "schema");
	refused("[]", CDC_ECORRUPT, "struct");
	refused("{\"type\":\"array\",\"fields\":[]}", CDC_ECORRUPT, "struct");
	refused("{\"type\":\"struct\",\"fields\":{}}", CDC_ECORRUPT, "fields");
	refused("{\"type\":\"struct\",\"fields\":[{\"type\":\"long\"}]}", CDC_ECORRUPT, "name");
	refused("{\"type\":\"struct\",\"fields\":[{\"name\":\"c\"}]}", CDC_ECORRUPT, "type");
	refused("{\"type\":\"struct\",\"fields\":[1]}", CDC_ECORRUPT, "name");
	refused(ONE("7"), CDC_ECORRUPT, "\"c\"");
	refused(ONE("\"interval\""), CDC_EUNSUPPORTED, "interval");
	refused(ONE("\"decimal(39,0)\""), CDC_EUNSUPPORTED, "decimal(39,0)");
	refused(ONE("\"decimal(5,6)\""), CDC_EUNSUPPORTED, "decimal(5,6)");
	refused(ONE("\"decimal(0,0)\""), CDC_EUNSUPPORTED, "decimal(0,0)");
	refused(ONE("\"decimal(7,2) \""), CDC_EUNSUPPORTED, "decimal");
	refused(ONE("\"decimal(99999999999,2)\""), CDC_EUNSUPPORTED, "decimal");
	refused(ONE("{\"type\":\"array\"}"), CDC_ECORRUPT, "type");
	refused(ONE("{\"type\":\"array\",\"elementType\":\"geometry\"}"), CDC_EUNSUPPORTED,
		"geometry");
	refused(ONE("{\"type\":\"struct\",\"fields\":[{\"name\":3}]}"), CDC_ECORRUPT, "name");
	refused(ONE("\"long\",\"nullable\":1"), CDC_ECORRUPT, "nullable");
	refused(ONE("\"long\",\"metadata\":[]"), CDC_ECORRUPT, "metadata");
	refused(ONE("\"long\",\"metadata\":{\"delta.columnMapping.id\":1.5}"), CDC_ECORRUPT, "id");
	refused(ONE("\"long\",\"metadata\":{\"delta.columnMapping.id\":\"x\"}"), CDC_ECORRUPT,
		"id");
	refused(ONE("\"long\",\"metadata\":{\"delta.columnMapping.id\":\"-1\"}"), CDC_ECORRUPT,
		"id");
}

static void decimal_forms(void **state)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	assert_int_equal(cdc_schema_from_json(&s, cdc_str_z(ONE("\"decimal\"")), &err), 0);
	assert_int_equal(s.field[0].precision, 10);
	assert_int_equal(s.field[0].scale, 0);
	assert_true(s.field[0].nullable);
	assert_true(cdc_str_eqz(s.field[0].metadata, "{}"));
	cdc_schema_free(&s);
	assert_int_equal(cdc_schema_from_json(&s, cdc_str_z(ONE("\"decimal(12, 3)\"")), &err), 0);
	assert_int_equal(s.field[0].precision, 12);
	assert_int_equal(s.field[0].scale, 3);
	cdc_schema_free(&s);
}

/* Widths of FIXED decimals: those that parquet-java and Arrow use. */
static void parquet_types(void **state)
{
	static const struct {
		enum cdc_pq_type type;
		int length;
		enum cdc_pq_converted converted;
		enum cdc_pq_logical logical;
	} want[] = {
		{ CDC_PQ_BOOLEAN, 0, CDC_PQ_CONV_NONE, CDC_PQ_LOGICAL_NONE },
		{ CDC_PQ_INT32, 0, CDC_PQ_CONV_INT_8, CDC_PQ_LOGICAL_INTEGER },
		{ CDC_PQ_INT32, 0, CDC_PQ_CONV_INT_16, CDC_PQ_LOGICAL_INTEGER },
		{ CDC_PQ_INT32, 0, CDC_PQ_CONV_NONE, CDC_PQ_LOGICAL_NONE },
		{ CDC_PQ_INT64, 0, CDC_PQ_CONV_NONE, CDC_PQ_LOGICAL_NONE },
		{ CDC_PQ_FLOAT, 0, CDC_PQ_CONV_NONE, CDC_PQ_LOGICAL_NONE },
		{ CDC_PQ_DOUBLE, 0, CDC_PQ_CONV_NONE, CDC_PQ_LOGICAL_NONE },
		{ CDC_PQ_INT32, 0, CDC_PQ_CONV_DECIMAL, CDC_PQ_LOGICAL_DECIMAL },
		{ CDC_PQ_INT64, 0, CDC_PQ_CONV_DECIMAL, CDC_PQ_LOGICAL_DECIMAL },
		{ CDC_PQ_FIXED, 9, CDC_PQ_CONV_DECIMAL, CDC_PQ_LOGICAL_DECIMAL },
		{ CDC_PQ_FIXED, 16, CDC_PQ_CONV_DECIMAL, CDC_PQ_LOGICAL_DECIMAL },
		{ CDC_PQ_BYTE_ARRAY, 0, CDC_PQ_CONV_UTF8, CDC_PQ_LOGICAL_STRING },
		{ CDC_PQ_BYTE_ARRAY, 0, CDC_PQ_CONV_NONE, CDC_PQ_LOGICAL_NONE },
		{ CDC_PQ_INT32, 0, CDC_PQ_CONV_DATE, CDC_PQ_LOGICAL_DATE },
		{ CDC_PQ_INT64, 0, CDC_PQ_CONV_TIMESTAMP_MICROS, CDC_PQ_LOGICAL_TIMESTAMP },
		{ CDC_PQ_INT64, 0, CDC_PQ_CONV_NONE, CDC_PQ_LOGICAL_TIMESTAMP },
	};
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_schema pq;

	(void)state;
	assert_int_equal(cdc_schema_from_json(&s, cdc_str_z(all_types), &err), 0);
	assert_int_equal(cdc_schema_to_parquet(&s, &pq, &arena, &err), 0);
	assert_int_equal(pq.num_leaves, 16);
	for (int i = 0; i < 16; i++) {
		const struct cdc_pq_node *n = &pq.node[pq.leaf_node[i]];

		assert_int_equal(n->type, want[i].type);
		assert_int_equal(n->type_length, want[i].length);
		assert_int_equal(n->converted, want[i].converted);
		assert_int_equal(n->logical, want[i].logical);
		assert_int_equal(n->repetition, i == 3 ? CDC_PQ_REQUIRED : CDC_PQ_OPTIONAL);
	}
	assert_true(pq.node[15].utc);
	assert_false(pq.node[16].utc);
	assert_int_equal(pq.node[16].unit, CDC_PQ_MICROS);
	s.field[0].is_partition = true;
	assert_int_equal(cdc_schema_to_parquet(&s, &pq, &arena, &err), 0);
	assert_int_equal(pq.num_leaves, 15);
	assert_true(cdc_str_eqz(pq.node[1].name, "i8"));
	cdc_schema_free(&s);
	assert_int_equal(cdc_schema_from_json(&s, cdc_str_z(ONE("\"void\"")), &err), 0);
	assert_int_equal(cdc_schema_to_parquet(&s, &pq, &arena, &err), CDC_EUNSUPPORTED);
	cdc_schema_free(&s);
	cdc_arena_free(&arena);
}

/* A variant is two binaries that are there whenever it is, annotated where no table tells of it;
 * void columns are not in files. */
static void variant_to_parquet(void **state)
{
	static const struct {
		const char *name;
		int parent;
		enum cdc_pq_repetition repetition;
		enum cdc_pq_logical logical;
		int leaf;
	} want[] = {
		{ "schema", -1, CDC_PQ_REQUIRED, CDC_PQ_LOGICAL_NONE, -1 },
		{ "v", 0, CDC_PQ_OPTIONAL, CDC_PQ_LOGICAL_VARIANT, -1 },
		{ "value", 1, CDC_PQ_REQUIRED, CDC_PQ_LOGICAL_NONE, 0 },
		{ "metadata", 1, CDC_PQ_REQUIRED, CDC_PQ_LOGICAL_NONE, 1 },
		{ "l", 0, CDC_PQ_OPTIONAL, CDC_PQ_LOGICAL_LIST, -1 },
		{ "list", 4, CDC_PQ_REPEATED, CDC_PQ_LOGICAL_NONE, -1 },
		{ "element", 5, CDC_PQ_REQUIRED, CDC_PQ_LOGICAL_VARIANT, -1 },
		{ "value", 6, CDC_PQ_REQUIRED, CDC_PQ_LOGICAL_NONE, 2 },
		{ "metadata", 6, CDC_PQ_REQUIRED, CDC_PQ_LOGICAL_NONE, 3 },
	};
	const int n = (int)(sizeof(want) / sizeof(want[0]));
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_schema pq;

	(void)state;
	assert_int_equal(cdc_schema_from_json(
				 &s,
				 CDC_STR("{\"type\":\"struct\",\"fields\":["
					 "{\"name\":\"n\",\"type\":\"void\"},"
					 "{\"name\":\"v\",\"type\":\"variant\"},"
					 "{\"name\":\"l\",\"type\":{\"type\":\"array\","
					 "\"elementType\":\"variant\",\"containsNull\":false}}]}"),
				 &err),
			 0);
	for (int single = 0; single < 2; single++) {
		assert_int_equal(single ? cdc_schema_to_single_parquet(&s, &pq, &arena, &err)
					: cdc_schema_to_parquet(&s, &pq, &arena, &err),
				 0);
		assert_int_equal(pq.num_nodes, n);
		for (int i = 0; i < n; i++) {
			bool variant = want[i].logical == CDC_PQ_LOGICAL_VARIANT;

			assert_true(cdc_str_eqz(pq.node[i].name, want[i].name));
			assert_int_equal(pq.node[i].parent, want[i].parent);
			assert_int_equal(pq.node[i].repetition, want[i].repetition);
			assert_int_equal(pq.node[i].logical, variant && !single
								     ? CDC_PQ_LOGICAL_NONE
								     : want[i].logical);
			assert_int_equal(pq.node[i].leaf, want[i].leaf);
			if (want[i].leaf >= 0)
				assert_int_equal(pq.node[i].type, CDC_PQ_BYTE_ARRAY);
		}
	}
	cdc_schema_free(&s);
	cdc_arena_free(&arena);
}

/* Lists and maps in three levels, with the names and ids that Delta's writers use. */
static void nested_to_parquet(void **state)
{
	static const char json[] =
		"{\"type\":\"struct\",\"fields\":["
		"{\"name\":\"s\",\"type\":{\"type\":\"struct\",\"fields\":["
		"{\"name\":\"v\",\"type\":\"void\"},"
		"{\"name\":\"a\",\"type\":\"long\",\"nullable\":false,\"metadata\":"
		"{\"delta.columnMapping.id\":7,\"delta.columnMapping.physicalName\":\"col-a\"}}]}},"
		"{\"name\":\"l\",\"type\":{\"type\":\"array\",\"elementType\":\"string\","
		"\"containsNull\":false},\"nullable\":false},"
		"{\"name\":\"m\",\"type\":{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":"
		"{\"type\":\"array\",\"elementType\":\"date\",\"containsNull\":true},"
		"\"valueContainsNull\":true}}]}";
	static const struct {
		const char *name;
		int parent;
		enum cdc_pq_repetition repetition;
		enum cdc_pq_converted converted;
		enum cdc_pq_logical logical;
	} want[] = {
		{ "schema", -1, CDC_PQ_REQUIRED, CDC_PQ_CONV_NONE, CDC_PQ_LOGICAL_NONE },
		{ "s", 0, CDC_PQ_OPTIONAL, CDC_PQ_CONV_NONE, CDC_PQ_LOGICAL_NONE },
		{ "col-a", 1, CDC_PQ_REQUIRED, CDC_PQ_CONV_NONE, CDC_PQ_LOGICAL_NONE },
		{ "l", 0, CDC_PQ_REQUIRED, CDC_PQ_CONV_LIST, CDC_PQ_LOGICAL_LIST },
		{ "list", 3, CDC_PQ_REPEATED, CDC_PQ_CONV_NONE, CDC_PQ_LOGICAL_NONE },
		{ "element", 4, CDC_PQ_REQUIRED, CDC_PQ_CONV_UTF8, CDC_PQ_LOGICAL_STRING },
		{ "m", 0, CDC_PQ_OPTIONAL, CDC_PQ_CONV_MAP, CDC_PQ_LOGICAL_MAP },
		{ "key_value", 6, CDC_PQ_REPEATED, CDC_PQ_CONV_NONE, CDC_PQ_LOGICAL_NONE },
		{ "key", 7, CDC_PQ_REQUIRED, CDC_PQ_CONV_UTF8, CDC_PQ_LOGICAL_STRING },
		{ "value", 7, CDC_PQ_OPTIONAL, CDC_PQ_CONV_LIST, CDC_PQ_LOGICAL_LIST },
		{ "list", 9, CDC_PQ_REPEATED, CDC_PQ_CONV_NONE, CDC_PQ_LOGICAL_NONE },
		{ "element", 10, CDC_PQ_OPTIONAL, CDC_PQ_CONV_DATE, CDC_PQ_LOGICAL_DATE },
	};
	const int n = (int)(sizeof(want) / sizeof(want[0]));
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_schema pq;

	(void)state;
	if (cdc_schema_from_json(&s, cdc_str_z(json), &err) < 0 ||
	    cdc_schema_to_parquet(&s, &pq, &arena, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(pq.num_nodes, n);
	for (int i = 0; i < n; i++) {
		assert_true(cdc_str_eqz(pq.node[i].name, want[i].name));
		assert_int_equal(pq.node[i].parent, want[i].parent);
		assert_int_equal(pq.node[i].repetition, want[i].repetition);
		assert_int_equal(pq.node[i].converted, want[i].converted);
		assert_int_equal(pq.node[i].logical, want[i].logical);
		assert_int_equal(pq.node[i].has_field_id, i == 2);
	}
	assert_int_equal(pq.node[2].field_id, 7);
	assert_int_equal(pq.num_leaves, 4);
	cdc_schema_free(&s);
	/* What no file can hold. */
	assert_int_equal(
		cdc_schema_from_json(
			&s, cdc_str_z(ONE("{\"type\":\"array\",\"elementType\":\"void\"}")), &err),
		0);
	assert_int_equal(cdc_schema_to_parquet(&s, &pq, &arena, &err), CDC_EUNSUPPORTED);
	cdc_schema_free(&s);
	assert_int_equal(
		cdc_schema_from_json(
			&s,
			cdc_str_z(ONE(
				"{\"type\":\"struct\",\"fields\":[{\"name\":\"v\",\"type\":\"void\"}]}")),
			&err),
		0);
	assert_int_equal(cdc_schema_to_parquet(&s, &pq, &arena, &err), CDC_EUNSUPPORTED);
	cdc_schema_free(&s);
	cdc_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variant_to_parquet),	 cmocka_unit_test(nested_to_parquet),
		cmocka_unit_test(text_survives),	 cmocka_unit_test(tree_without_text),
		cmocka_unit_test(fields_are_understood), cmocka_unit_test(exact_name_wins),
		cmocka_unit_test(many_fields),		 cmocka_unit_test(column_mapping),
		cmocka_unit_test(damaged_is_refused),	 cmocka_unit_test(decimal_forms),
		cmocka_unit_test(parquet_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
