/*
 * Proves that the description of a Parquet file tells what its footer holds, as the manual says,
 * whatever is in it: bounds as text of every logical type, names and values that are no UTF-8,
 * numbers that the format does not know, sums that overflow; and that free metadata is read.
 */
#include "table/describe/describe_file.h"

#include "parquet/pq_file.h"
#include "parquet/pq_meta_read.h"
#include "table/describe/describe_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ------------------------------------------------------------------ bounds */

struct bound {
	struct cdc_pq_node leaf;
	struct cdc_str plain;
	const char *text;
};

#define BYTES(s) CDC_STR(s)

static const struct bound bounds[] = {
	{ { .type = CDC_PQ_BOOLEAN }, BYTES("\1"), "true" },
	{ { .type = CDC_PQ_BOOLEAN }, BYTES("\0"), "false" },
	{ { .type = CDC_PQ_INT32 }, BYTES("\xfe\xff\xff\xff"), "-2" },
	{ { .type = CDC_PQ_INT32, .converted = CDC_PQ_CONV_DATE },
	  BYTES("\x26\x47\0\0"), /* 18214 */
	  "2019-11-14" },
	{ { .type = CDC_PQ_INT32, .converted = CDC_PQ_CONV_UINT_32 },
	  BYTES("\xfe\xff\xff\xff"),
	  "4294967294" },
	{ { .type = CDC_PQ_INT32, .logical = CDC_PQ_LOGICAL_DECIMAL, .precision = 7, .scale = 2 },
	  BYTES("\xfb\xff\xff\xff"),
	  "-0.05" },
	/* A precision that no decimal has: the number as it is stored. */
	{ { .type = CDC_PQ_INT32,
	    .logical = CDC_PQ_LOGICAL_DECIMAL,
	    .precision = 1000000,
	    .scale = 999999 },
	  BYTES("\5\0\0\0"),
	  "5" },
	{ { .type = CDC_PQ_INT32, .logical = CDC_PQ_LOGICAL_TIME, .unit = CDC_PQ_MILLIS },
	  BYTES("\x01\x00\x00\x00"),
	  "00:00:00.001" },
	{ { .type = CDC_PQ_INT32, .logical = CDC_PQ_LOGICAL_TIME, .unit = CDC_PQ_MILLIS },
	  BYTES("\xff\xff\xff\xff"),
	  "-1" },
	{ { .type = CDC_PQ_INT64,
	    .logical = CDC_PQ_LOGICAL_TIMESTAMP,
	    .unit = CDC_PQ_MICROS,
	    .utc = true },
	  BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"),
	  "1969-12-31T23:59:59.999999Z" },
	{ { .type = CDC_PQ_INT64, .logical = CDC_PQ_LOGICAL_TIMESTAMP, .unit = CDC_PQ_MILLIS },
	  BYTES("\1\0\0\0\0\0\0\0"),
	  "1970-01-01 00:00:00.001" },
	{ { .type = CDC_PQ_INT64,
	    .logical = CDC_PQ_LOGICAL_TIMESTAMP,
	    .unit = CDC_PQ_NANOS,
	    .utc = true },
	  BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"),
	  "1969-12-31T23:59:59.999999999Z" },
	{ { .type = CDC_PQ_INT64,
	    .logical = CDC_PQ_LOGICAL_TIMESTAMP,
	    .unit = CDC_PQ_NANOS,
	    .utc = true },
	  BYTES("\0\0\0\0\0\0\0\x80"),
	  "1677-09-21T00:12:43.145224192Z" },
	{ { .type = CDC_PQ_INT64, .logical = CDC_PQ_LOGICAL_TIMESTAMP, .unit = CDC_PQ_MILLIS },
	  BYTES("\0\0\0\0\0\0\0\x80"),
	  "-9223372036854775808" },
	{ { .type = CDC_PQ_INT64, .converted = CDC_PQ_CONV_TIMESTAMP_MICROS },
	  BYTES("\0\0\0\0\0\0\0\0"),
	  "1970-01-01T00:00:00.000000Z" },
	{ { .type = CDC_PQ_INT64, .logical = CDC_PQ_LOGICAL_INTEGER, .bit_width = 64 },
	  BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"),
	  "18446744073709551615" },
	{ { .type = CDC_PQ_DOUBLE }, BYTES("\0\0\0\0\0\0\xf0\x3f"), "1.0" },
	{ { .type = CDC_PQ_FLOAT }, BYTES("\0\0\0\xc0"), "-2.0" },
	{ { .type = CDC_PQ_BYTE_ARRAY, .logical = CDC_PQ_LOGICAL_STRING }, BYTES("a\"b"), "a\"b" },
	{ { .type = CDC_PQ_BYTE_ARRAY }, BYTES("\0\1"), "AAE=" },
	{ { .type = CDC_PQ_BYTE_ARRAY }, BYTES(""), "" },
	{ { .type = CDC_PQ_BYTE_ARRAY,
	    .converted = CDC_PQ_CONV_DECIMAL,
	    .precision = 38,
	    .scale = 0 },
	  BYTES("\xff\x38"),
	  "-200" },
	{ { .type = CDC_PQ_FIXED, .type_length = 16, .logical = CDC_PQ_LOGICAL_UUID },
	  BYTES("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff"),
	  "00112233-4455-6677-8899-aabbccddeeff" },
};

static void bounds_are_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		struct cdc_pq_node leaf = bounds[i].leaf;
		struct cdc_buf out = CDC_BUF_INIT;
		struct cdc_err err = CDC_ERR_INIT;

		leaf.is_leaf = true;
		/* Zero is UTF8 among the converted types, and means none in the list above. */
		if (!leaf.converted)
			leaf.converted = CDC_PQ_CONV_NONE;
		assert_int_equal(cdc_pq_put_bound(&leaf, bounds[i].plain, &out, &err), 0);
		assert_non_null(cdc_buf_z(&out));
		assert_string_equal(out.p, bounds[i].text);
		cdc_buf_free(&out);
	}
}

/* ------------------------------------------------------------------ a footer by hand */

/* root { required int64 id; optional group l (LIST) { repeated group list { optional element } } }
 */
static struct cdc_pq_node nodes[] = {
	{ .name = CDC_STR("root"), .num_children = 2, .converted = CDC_PQ_CONV_NONE },
	{ .name = CDC_STR("id"),
	  .is_leaf = true,
	  .type = CDC_PQ_INT64,
	  .converted = CDC_PQ_CONV_NONE,
	  .has_field_id = true,
	  .field_id = -7 },
	{ .name = CDC_STR("l"),
	  .repetition = CDC_PQ_OPTIONAL,
	  .num_children = 1,
	  .converted = CDC_PQ_CONV_LIST,
	  .logical = CDC_PQ_LOGICAL_LIST },
	{ .name = CDC_STR("list"),
	  .repetition = CDC_PQ_REPEATED,
	  .num_children = 1,
	  .converted = CDC_PQ_CONV_NONE },
	{ .name = CDC_STR("\xff"),
	  .is_leaf = true,
	  .type = CDC_PQ_FIXED,
	  .type_length = 3,
	  .repetition = CDC_PQ_OPTIONAL,
	  .converted = CDC_PQ_CONV_DECIMAL,
	  .precision = 5,
	  .scale = 2 },
};

static struct cdc_pq_column_meta chunks[2][2] = {
	{ { .type = CDC_PQ_INT64,
	    .codec = CDC_PQ_ZSTD,
	    .num_values = 3,
	    .total_uncompressed_size = 90,
	    .total_compressed_size = 60,
	    .data_page_offset = 4,
	    .encodings = 1u << CDC_PQ_PLAIN | 1u << CDC_PQ_RLE,
	    .stats = { .has_null_count = true,
		       .has_min_max = true,
		       .min_exact = true,
		       .min_value = CDC_STR("\1\0\0\0\0\0\0\0"),
		       .max_value = CDC_STR("\3\0\0\0\0\0\0\0") },
	    .offset_index_offset = 500,
	    .offset_index_length = 10,
	    .column_index_offset = 480,
	    .column_index_length = 20,
	    .bloom_filter_offset = 300 },
	  { .type = CDC_PQ_FIXED,
	    .codec = (enum cdc_pq_codec)99,
	    .num_values = 5,
	    .total_uncompressed_size = -1,
	    .total_compressed_size = INT64_MAX,
	    .data_page_offset = 80,
	    .dictionary_page_offset = 64,
	    .encodings = 1u << 12 | 1u << CDC_PQ_RLE_DICTIONARY,
	    .encrypted = true } },
	{ { .type = CDC_PQ_INT64,
	    .codec = CDC_PQ_SNAPPY,
	    .num_values = 1,
	    .total_uncompressed_size = 30,
	    .total_compressed_size = 20,
	    .data_page_offset = 600,
	    .encodings = 1u << CDC_PQ_DELTA_BINARY_PACKED,
	    .stats = { .has_null_count = true,
		       .has_min_max = true,
		       .min_value = CDC_STR("\xff\xff\xff\xff\xff\xff\xff\xff"),
		       .max_value = CDC_STR("\xff\xff\xff\xff\xff\xff\xff\xff") } },
	  { .type = CDC_PQ_FIXED,
	    .codec = (enum cdc_pq_codec)99,
	    .num_values = 1,
	    .total_compressed_size = 1 } },
};

static struct cdc_pq_row_group groups[] = {
	{ .column = chunks[0], .num_rows = 3, .total_byte_size = 1000 },
	{ .column = chunks[1], .num_rows = 1, .total_byte_size = 10 },
};

static struct cdc_pq_meta_entry entries[] = {
	{ CDC_STR("k"), CDC_STR("line\nline") },
	{ CDC_STR("\xfe"), { NULL, 0 } },
};

static char *describe(enum cdc_print_format format, int num_groups, int *rc)
{
	struct cdc_pq_file f = { .size = 1234 };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf out = CDC_BUF_INIT;
	char path[] = "/tmp/describe_fileXXXXXX";
	struct cdc_writer w;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	f.meta.version = 1;
	f.meta.num_rows = num_groups ? 4 : 0;
	f.meta.schema.node = nodes;
	f.meta.schema.num_nodes = 5;
	f.meta.row_group = groups;
	f.meta.num_row_groups = num_groups;
	f.meta.entry = entries;
	f.meta.num_entries = 2;
	assert_int_equal(cdc_pq_schema_finish(&f.meta.schema, &f.meta.arena, &err), 0);
	assert_int_equal(cdc_writer_init(&w, &cdc_io_posix, fd, &err), 0);
	*rc = cdc_describe_file(&f, "a\"b", 1234, format, &w, &err);
	assert_int_equal(cdc_writer_flush(&w, &err), 0);
	cdc_writer_free(&w);
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, path, &out, &err), 0);
	assert_non_null(cdc_buf_z(&out));
	unlink(path);
	close(fd);
	cdc_arena_free(&f.meta.arena);
	return out.p;
}

#define SCHEMA                                                                                     \
	"[{\"name\":\"id\",\"repetition\":\"REQUIRED\",\"physicalType\":\"INT64\","                \
	"\"logicalType\":null,\"convertedType\":null,\"fieldId\":-7,\"maxDefinitionLevel\":0,"     \
	"\"maxRepetitionLevel\":0},"                                                               \
	"{\"name\":\"l\",\"repetition\":\"OPTIONAL\",\"physicalType\":null,"                       \
	"\"logicalType\":\"LIST\",\"convertedType\":\"LIST\",\"fieldId\":null,"                    \
	"\"maxDefinitionLevel\":1,\"maxRepetitionLevel\":0,\"children\":["                         \
	"{\"name\":\"list\",\"repetition\":\"REPEATED\",\"physicalType\":null,"                    \
	"\"logicalType\":null,\"convertedType\":null,\"fieldId\":null,\"maxDefinitionLevel\":2,"   \
	"\"maxRepetitionLevel\":1,\"children\":["                                                  \
	"{\"name\":\"\\\\xff\",\"repetition\":\"OPTIONAL\","                                       \
	"\"physicalType\":\"FIXED_LEN_BYTE_ARRAY\",\"length\":3,\"logicalType\":null,"             \
	"\"convertedType\":\"DECIMAL\",\"precision\":5,\"scale\":2,\"fieldId\":null,"              \
	"\"maxDefinitionLevel\":3,\"maxRepetitionLevel\":1}]}]}]"

static void json_of_a_file(void **state)
{
	int rc;
	char *text = describe(CDC_PRINT_NDJSON, 1, &rc);

	(void)state;
	assert_int_equal(rc, 0);
	assert_string_equal(
		text,
		"{\"file\":\"a\\\"b\",\"size\":1234,\"createdBy\":null,\"version\":1,\"rows\":4,"
		"\"schema\":" SCHEMA ",\"keyValueMetadata\":["
		"{\"key\":\"k\",\"value\":\"line\\nline\"},{\"key\":\"\\\\xfe\",\"value\":null}],"
		"\"rowGroups\":[{\"rows\":3,\"bytes\":1000,"
		"\"compressedBytes\":9223372036854775807,\"columns\":["
		"{\"column\":\"id\",\"codec\":\"ZSTD\",\"encodings\":[\"PLAIN\",\"RLE\"],"
		"\"values\":3,\"nulls\":0,\"min\":\"1\",\"max\":\"3\",\"minExact\":true,"
		"\"maxExact\":false,\"compressedBytes\":60,\"uncompressedBytes\":90,"
		"\"dictionary\":false,\"dictionaryPageOffset\":null,\"dataPageOffset\":4,"
		"\"pageIndex\":true,\"offsetIndex\":{\"offset\":500,\"bytes\":10},"
		"\"columnIndex\":{\"offset\":480,\"bytes\":20},"
		"\"bloomFilter\":{\"offset\":300,\"bytes\":null},\"encrypted\":false},"
		"{\"column\":\"l.list.\\\\xff\",\"codec\":99,\"encodings\":[\"RLE_DICTIONARY\",12],"
		"\"values\":5,\"nulls\":null,\"min\":null,\"max\":null,"
		"\"compressedBytes\":9223372036854775807,\"uncompressedBytes\":-1,"
		"\"dictionary\":true,\"dictionaryPageOffset\":64,\"dataPageOffset\":80,"
		"\"pageIndex\":false,\"offsetIndex\":null,\"columnIndex\":null,"
		"\"bloomFilter\":null,\"encrypted\":true}]}]}\n");
	free(text);
}

static void table_of_a_file(void **state)
{
	int rc;
	char *text = describe(CDC_PRINT_TABLE, 2, &rc);

	(void)state;
	assert_int_equal(rc, 0);
	assert_string_equal(
		text,
		"+-----------+------------+-------+-------------------------+-----+----+----+------"
		"-------------+-----+\n"
		"|     column|        type|  codec|                encodings|nulls| min| max|      "
		"        bytes|ratio|\n"
		"+-----------+------------+-------+-------------------------+-----+----+----+------"
		"-------------+-----+\n"
		"|         id|       INT64|several|PLAIN DELTA_BINARY_PACKED|    0|  -1|   3|      "
		"           80| 1.50|\n"
		"|l.list.\\xff|DECIMAL(5,2)|      ?|         RLE_DICTIONARY ?| null|null|null|"
		"9223372036854775807| 0.00|\n"
		"+-----------+------------+-------+-------------------------+-----+----+----+------"
		"-------------+-----+\n");
	free(text);
	text = describe(CDC_PRINT_CSV, 1, &rc);
	assert_int_equal(rc, CDC_EUSAGE);
	free(text);
}

static void a_file_without_rows(void **state)
{
	int rc;
	char *text = describe(CDC_PRINT_TABLE, 0, &rc);

	(void)state;
	assert_int_equal(rc, 0);
	assert_non_null(strstr(text, "| null|"));
	assert_non_null(strstr(text, "    0|null|null|    0| null|\n"));
	free(text);
}

/* ------------------------------------------------------------------ free metadata */

static void key_value_metadata_is_read(void **state)
{
	/* Thrift compact: version 1, a schema of one group, num_rows 0, no row groups, and pairs:
	 * {"a":"bc"}, {"d"}, {}. */
	static const char footer[] = "\x15\x02"
				     "\x19\x1c\x48\x01r\x15\x00\x00"
				     "\x16\x00"
				     "\x19\x0c"
				     "\x19\x3c\x18\x01"
				     "a\x18\x02"
				     "bc\x00\x18\x01"
				     "d\x00\x00\x00";
	struct cdc_pq_metadata m = { .arena = CDC_ARENA_INIT };
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	if (cdc_pq_metadata_read(&m, footer, sizeof(footer) - 1, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(m.num_entries, 3);
	assert_true(cdc_str_eqz(m.entry[0].key, "a") && cdc_str_eqz(m.entry[0].value, "bc"));
	assert_true(cdc_str_eqz(m.entry[1].key, "d") && !m.entry[1].value.p);
	assert_true(!m.entry[2].key.p && !m.entry[2].value.p);
	cdc_arena_free(&m.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_are_text),
		cmocka_unit_test(json_of_a_file),
		cmocka_unit_test(table_of_a_file),
		cmocka_unit_test(a_file_without_rows),
		cmocka_unit_test(key_value_metadata_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
