/*
 * Proves that checkpoints of other shapes than ours are read: several parts, required columns,
 * two-level lists, 32-bit sizes, sidecars, and statistics and partition values that are there in
 * parsed form only; and that absurd numbers are refused.
 */
#include "log_fixture.h"

#include "parquet/parquet.h"

#include <fcntl.h>

#define MAX_LEAVES 32

/* A file that is described node by node, with one row per call of row(). */
struct maker {
	struct cdc_pq_node node[64];
	struct cdc_pq_schema schema;
	struct cdc_arena arena;
};

static struct cdc_pq_node *group(struct maker *m, const char *name,
				 enum cdc_pq_repetition repetition, int children)
{
	struct cdc_pq_node *n = &m->node[m->schema.num_nodes++];

	*n = (struct cdc_pq_node){ .name = cdc_str_z(name),
				   .repetition = repetition,
				   .num_children = children,
				   .converted = CDC_PQ_CONV_NONE };
	return n;
}

static struct cdc_pq_node *leaf(struct maker *m, const char *name,
				enum cdc_pq_repetition repetition, enum cdc_pq_type type)
{
	struct cdc_pq_node *n = group(m, name, repetition, 0);

	n->is_leaf = true;
	n->type = type;
	if (type == CDC_PQ_BYTE_ARRAY) {
		n->converted = CDC_PQ_CONV_UTF8;
		n->logical = CDC_PQ_LOGICAL_STRING;
	}
	return n;
}

/* Write one batch; the vectors are as parquet.h has them. */
static void make(struct maker *m, const struct fixture *f, const char *name,
		 const struct cdc_pq_vec *vec, uint32_t rows)
{
	struct cdc_pq_write_options opt;
	struct cdc_pq_summary summary;
	struct cdc_pq_writer *w = NULL;
	struct cdc_err err = CDC_ERR_INIT;
	char path[2 * PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", f->log, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	assert_true(fd >= 0);
	cdc_pq_write_options_init(&opt);
	opt.page_rows = 1 << 20;
	opt.row_group_rows = 1 << 20;
	assert_int_equal(cdc_pq_writer_new(&w, &cdc_io_posix, fd, &m->schema, &opt, &err), CDC_OK);
	assert_int_equal(cdc_pq_writer_write(w, vec, rows, &err), CDC_OK);
	assert_int_equal(cdc_pq_writer_finish(w, &summary, &err), CDC_OK);
	cdc_pq_summary_free(&summary);
	cdc_pq_writer_free(w);
	close(fd);
	cdc_arena_free(&m->arena);
}

static void finish(struct maker *m)
{
	struct cdc_err err = CDC_ERR_INIT;

	m->schema.node = m->node;
	assert_int_equal(cdc_pq_schema_finish(&m->schema, &m->arena, &err), CDC_OK);
	assert_true(m->schema.num_leaves <= MAX_LEAVES);
}

#define VEC(t, count, v, d)                                                                        \
	{                                                                                          \
		.type = (t), .n = (count), .values = (v), .def = (d)                               \
	}

static const char schema_text[] =
	"{\"type\":\"struct\",\"fields\":[{\"name\":\"i\",\"type\":\"integer\",\"nullable\":true,"
	"\"metadata\":{}},{\"name\":\"p\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]}";

/* Rows: protocol, metaData, two adds. */
static void parsed_statistics(void **state)
{
	static const uint8_t on_protocol[] = { 2, 0, 0, 0 };
	static const uint8_t in_protocol[] = { 1, 0, 0, 0 };
	static const uint8_t in_metadata[] = { 0, 1, 0, 0 };
	static const uint8_t in_add[] = { 0, 0, 1, 1 };
	static const uint8_t all3[] = { 0, 0, 3, 3 };
	static const uint8_t all4[] = { 0, 0, 4, 4 };
	static const uint8_t first4[] = { 0, 0, 4, 3 };
	static const uint8_t none4[] = { 0, 0, 2, 2 };
	static const int32_t version[] = { 1, 0, 0, 0 };
	static const int32_t writer[] = { 2, 0, 0, 0 };
	static const struct cdc_str id[4] = { [1] = CDC_STR("t") };
	static const struct cdc_str schema[4] = { [1] = { schema_text, sizeof(schema_text) - 1 } };
	static const struct cdc_str path[4] = { [2] = CDC_STR("a"), [3] = CDC_STR("b") };
	static const int32_t size[4] = { 0, 0, 70, 80 };
	static const int64_t records[4] = { 0, 0, 3, 4 };
	static const int32_t min_i[4] = { 0, 0, -5, 6 };
	static const int32_t min_d[4] = { 0, 0, 18263, 0 }; /* 2020-01-02 */
	static const int64_t min_ts[4] = { 0, 0, 1577934245678901, 0 };
	static const struct cdc_str min_dec[4] = { [2] = { "\xff\x97", 2 } }; /* -105 */
	static const struct cdc_str min_s[4] = { [2] = CDC_STR("q\"") };
	static const double min_f[4] = { 0, 0, 0.5, 0 };
	static const int64_t nulls[4] = { 0, 0, 1, 0 };
	static const uint8_t tight[4] = { 0, 0, 0, 1 };
	const struct cdc_pq_vec vec[] = {
		VEC(CDC_PQ_INT32, 4, version, on_protocol),
		VEC(CDC_PQ_INT32, 4, writer, in_protocol),
		VEC(CDC_PQ_BYTE_ARRAY, 4, id, in_metadata),
		VEC(CDC_PQ_BYTE_ARRAY, 4, schema, in_metadata),
		VEC(CDC_PQ_BYTE_ARRAY, 4, path, in_add),
		VEC(CDC_PQ_INT32, 4, size, in_add),
		VEC(CDC_PQ_INT64, 4, records, all3),
		VEC(CDC_PQ_INT32, 4, min_i, all4),
		VEC(CDC_PQ_INT32, 4, min_d, first4),
		VEC(CDC_PQ_INT64, 4, min_ts, first4),
		VEC(CDC_PQ_FIXED, 4, min_dec, first4),
		VEC(CDC_PQ_BYTE_ARRAY, 4, min_s, first4),
		VEC(CDC_PQ_DOUBLE, 4, min_f, first4),
		VEC(CDC_PQ_INT64, 4, nulls, first4),
		VEC(CDC_PQ_INT64, 4, nulls, none4),
		VEC(CDC_PQ_BOOLEAN, 4, tight, all3),
	};
	const struct fixture *f = *state;
	struct maker m = { .schema = { .num_nodes = 0 } };
	struct cdc_pq_node *n;
	struct cdc_snapshot *s;

	group(&m, "root", CDC_PQ_REQUIRED, 3);
	group(&m, "protocol", CDC_PQ_OPTIONAL, 2);
	leaf(&m, "minReaderVersion", CDC_PQ_OPTIONAL, CDC_PQ_INT32);
	leaf(&m, "minWriterVersion", CDC_PQ_REQUIRED, CDC_PQ_INT32);
	group(&m, "metaData", CDC_PQ_OPTIONAL, 2);
	leaf(&m, "id", CDC_PQ_REQUIRED, CDC_PQ_BYTE_ARRAY);
	leaf(&m, "schemaString", CDC_PQ_REQUIRED, CDC_PQ_BYTE_ARRAY);
	group(&m, "add", CDC_PQ_OPTIONAL, 3);
	leaf(&m, "path", CDC_PQ_REQUIRED, CDC_PQ_BYTE_ARRAY);
	leaf(&m, "size", CDC_PQ_REQUIRED, CDC_PQ_INT32);
	group(&m, "stats_parsed", CDC_PQ_OPTIONAL, 4);
	leaf(&m, "numRecords", CDC_PQ_OPTIONAL, CDC_PQ_INT64);
	group(&m, "minValues", CDC_PQ_OPTIONAL, 6);
	leaf(&m, "i", CDC_PQ_OPTIONAL, CDC_PQ_INT32);
	n = leaf(&m, "d", CDC_PQ_OPTIONAL, CDC_PQ_INT32);
	n->converted = CDC_PQ_CONV_DATE;
	n->logical = CDC_PQ_LOGICAL_DATE;
	n = leaf(&m, "ts", CDC_PQ_OPTIONAL, CDC_PQ_INT64);
	n->logical = CDC_PQ_LOGICAL_TIMESTAMP;
	n->unit = CDC_PQ_MICROS;
	n->utc = true;
	n = leaf(&m, "dec", CDC_PQ_OPTIONAL, CDC_PQ_FIXED);
	n->type_length = 2;
	n->logical = CDC_PQ_LOGICAL_DECIMAL;
	n->converted = CDC_PQ_CONV_DECIMAL;
	n->precision = 4;
	n->scale = 2;
	leaf(&m, "s", CDC_PQ_OPTIONAL, CDC_PQ_BYTE_ARRAY);
	leaf(&m, "f", CDC_PQ_OPTIONAL, CDC_PQ_DOUBLE);
	group(&m, "nullCount", CDC_PQ_OPTIONAL, 2);
	leaf(&m, "i", CDC_PQ_OPTIONAL, CDC_PQ_INT64);
	leaf(&m, "d", CDC_PQ_OPTIONAL, CDC_PQ_INT64);
	leaf(&m, "tightBounds", CDC_PQ_OPTIONAL, CDC_PQ_BOOLEAN);
	finish(&m);
	make(&m, f, "00000000000000000003.checkpoint.parquet", vec, 4);
	s = fixture_load(f, -1);
	assert_int_equal(s->version, 3);
	assert_live(s, "a b");
	assert_int_equal(s->add[0].size_bytes, 70);
	assert_int_equal(s->add[0].num_partition_values, 0);
	assert_str(s->add[0].stats,
		   "{\"numRecords\":3,\"minValues\":{\"i\":-5,\"d\":\"2020-01-02\",\"ts\":"
		   "\"2020-01-02T03:04:05.678901Z\",\"dec\":-1.05,\"s\":\"q\\\"\",\"f\":0.5},"
		   "\"nullCount\":{\"i\":1},\"tightBounds\":false}");
	assert_str(s->add[1].stats, "{\"numRecords\":4,\"minValues\":{\"i\":6},\"nullCount\":{},"
				    "\"tightBounds\":true}");
	cdc_snapshot_free(s);
}

/* One file of actions: part 1 holds protocol, metaData and a two-level list; part 2 an add. */
static void several_parts(void **state)
{
	static const uint8_t on_first[] = { 1, 0 }, on_second[] = { 0, 1 };
	static const uint8_t columns_def[] = { 0, 2 };
	static const uint8_t columns_rep[] = { 0, 0 };
	static const uint8_t always[] = { 1 };
	static const int32_t one[] = { 1, 0 }, two[] = { 2, 0 };
	static const int64_t size[] = { 9 };
	static const struct cdc_str id[2] = { [1] = CDC_STR("t") };
	static const struct cdc_str schema[2] = { [1] = { schema_text, sizeof(schema_text) - 1 } };
	static const struct cdc_str column[2] = { [1] = CDC_STR("p") };
	static const struct cdc_str path[1] = { CDC_STR("x") };
	const struct cdc_pq_vec first[] = {
		VEC(CDC_PQ_INT32, 2, one, on_first),
		VEC(CDC_PQ_INT32, 2, two, on_first),
		VEC(CDC_PQ_BYTE_ARRAY, 2, id, on_second),
		VEC(CDC_PQ_BYTE_ARRAY, 2, schema, on_second),
		{ CDC_PQ_BYTE_ARRAY, 2, column, columns_def, columns_rep },
	};
	const struct cdc_pq_vec second[] = {
		VEC(CDC_PQ_BYTE_ARRAY, 1, path, always),
		VEC(CDC_PQ_INT64, 1, size, always),
	};
	const struct fixture *f = *state;
	struct maker m = { .schema = { .num_nodes = 0 } };
	struct cdc_snapshot *s;

	group(&m, "root", CDC_PQ_REQUIRED, 2);
	group(&m, "protocol", CDC_PQ_OPTIONAL, 2);
	leaf(&m, "minReaderVersion", CDC_PQ_REQUIRED, CDC_PQ_INT32);
	leaf(&m, "minWriterVersion", CDC_PQ_REQUIRED, CDC_PQ_INT32);
	group(&m, "metaData", CDC_PQ_OPTIONAL, 3);
	leaf(&m, "id", CDC_PQ_REQUIRED, CDC_PQ_BYTE_ARRAY);
	leaf(&m, "schemaString", CDC_PQ_REQUIRED, CDC_PQ_BYTE_ARRAY);
	group(&m, "partitionColumns", CDC_PQ_REQUIRED, 1)->converted = CDC_PQ_CONV_LIST;
	leaf(&m, "array", CDC_PQ_REPEATED, CDC_PQ_BYTE_ARRAY);
	finish(&m);
	make(&m, f, "00000000000000000002.checkpoint.0000000001.0000000002.parquet", first, 2);

	fixture_refuse(f, -1, CDC_EUSAGE, "not a Delta table");

	m = (struct maker){ .schema = { .num_nodes = 0 } };
	group(&m, "root", CDC_PQ_REQUIRED, 1);
	group(&m, "add", CDC_PQ_OPTIONAL, 2);
	leaf(&m, "path", CDC_PQ_REQUIRED, CDC_PQ_BYTE_ARRAY);
	leaf(&m, "size", CDC_PQ_REQUIRED, CDC_PQ_INT64);
	finish(&m);
	make(&m, f, "00000000000000000002.checkpoint.0000000002.0000000002.parquet", second, 1);
	s = fixture_load(f, -1);
	assert_int_equal(s->checkpoint_version, 2);
	assert_live(s, "x");
	assert_int_equal(s->metadata.num_partition_columns, 1);
	assert_str(s->metadata.partition_column[0], "p");
	assert_true(s->schema.field[1].is_partition);
	cdc_snapshot_free(s);
}

/* Nodes of the actions that every checkpoint has: 4 leaves. */
static void protocol_and_metadata(struct maker *m)
{
	group(m, "protocol", CDC_PQ_OPTIONAL, 2);
	leaf(m, "minReaderVersion", CDC_PQ_REQUIRED, CDC_PQ_INT32);
	leaf(m, "minWriterVersion", CDC_PQ_REQUIRED, CDC_PQ_INT32);
	group(m, "metaData", CDC_PQ_OPTIONAL, 2);
	leaf(m, "id", CDC_PQ_REQUIRED, CDC_PQ_BYTE_ARRAY);
	leaf(m, "schemaString", CDC_PQ_REQUIRED, CDC_PQ_BYTE_ARRAY);
}

static const uint8_t row0[] = { 1, 0, 0, 0 }, row1[] = { 0, 1, 0, 0 };
static const int32_t ones[4] = { 1, 0, 0, 0 }, twos[4] = { 2, 0, 0, 0 };
static const struct cdc_str table_id[4] = { [1] = CDC_STR("t") };
static const struct cdc_str table_schema[4] = { [1] = { schema_text, sizeof(schema_text) - 1 } };

#define PROTOCOL_AND_METADATA                                                                      \
	VEC(CDC_PQ_INT32, 4, ones, row0), VEC(CDC_PQ_INT32, 4, twos, row0),                        \
		VEC(CDC_PQ_BYTE_ARRAY, 4, table_id, row1),                                         \
		VEC(CDC_PQ_BYTE_ARRAY, 4, table_schema, row1)

static void assert_part(const struct cdc_add *a, int i, const char *key, const char *value)
{
	assert_str(a->partition_value[i].key, key);
	if (value)
		assert_str(a->partition_value[i].value, value);
	else
		assert_null(a->partition_value[i].value.p);
}

/* Rows: protocol, metaData, two adds; partition values as typed columns only. */
static void parsed_partition_values(void **state)
{
	static const uint8_t in_add[] = { 0, 0, 1, 1 };
	static const uint8_t both[] = { 0, 0, 3, 3 };
	static const uint8_t first[] = { 0, 0, 3, 2 };
	static const struct cdc_str path[4] = { [2] = CDC_STR("a"), [3] = CDC_STR("b") };
	static const int64_t size[4] = { 0, 0, 70, 80 };
	static const struct cdc_str text[4] = { [2] = CDC_STR("x\"y"), [3] = CDC_STR("") };
	static const int32_t date[4] = { 0, 0, 18263, 0 }; /* 2020-01-02 */
	static const int64_t ts[4] = { 0, 0, 1577934245678901, 0 };
	static const int32_t dec[4] = { 0, 0, -105, 0 };
	static const int32_t number[4] = { 0, 0, 7, -8 };
	static const uint8_t flag[4] = { 0, 0, 1, 0 };
	const struct cdc_pq_vec vec[] = {
		PROTOCOL_AND_METADATA,
		VEC(CDC_PQ_BYTE_ARRAY, 4, path, in_add),
		VEC(CDC_PQ_INT64, 4, size, in_add),
		VEC(CDC_PQ_BYTE_ARRAY, 4, text, both),
		VEC(CDC_PQ_INT32, 4, date, first),
		VEC(CDC_PQ_INT64, 4, ts, first),
		VEC(CDC_PQ_INT32, 4, dec, first),
		VEC(CDC_PQ_INT32, 4, number, both),
		VEC(CDC_PQ_BOOLEAN, 4, flag, first),
	};
	const struct fixture *f = *state;
	struct maker m = { .schema = { .num_nodes = 0 } };
	struct cdc_pq_node *n;
	struct cdc_snapshot *s;

	group(&m, "root", CDC_PQ_REQUIRED, 3);
	protocol_and_metadata(&m);
	group(&m, "add", CDC_PQ_OPTIONAL, 3);
	leaf(&m, "path", CDC_PQ_REQUIRED, CDC_PQ_BYTE_ARRAY);
	leaf(&m, "size", CDC_PQ_REQUIRED, CDC_PQ_INT64);
	group(&m, "partitionValues_parsed", CDC_PQ_OPTIONAL, 6);
	leaf(&m, "p", CDC_PQ_OPTIONAL, CDC_PQ_BYTE_ARRAY);
	n = leaf(&m, "d", CDC_PQ_OPTIONAL, CDC_PQ_INT32);
	n->converted = CDC_PQ_CONV_DATE;
	n = leaf(&m, "ts", CDC_PQ_OPTIONAL, CDC_PQ_INT64);
	n->converted = CDC_PQ_CONV_TIMESTAMP_MICROS;
	n = leaf(&m, "dec", CDC_PQ_OPTIONAL, CDC_PQ_INT32);
	n->converted = CDC_PQ_CONV_DECIMAL;
	n->logical = CDC_PQ_LOGICAL_DECIMAL;
	n->precision = 4;
	n->scale = 2;
	leaf(&m, "n", CDC_PQ_OPTIONAL, CDC_PQ_INT32);
	leaf(&m, "b", CDC_PQ_OPTIONAL, CDC_PQ_BOOLEAN);
	finish(&m);
	make(&m, f, "00000000000000000003.checkpoint.parquet", vec, 4);
	s = fixture_load(f, -1);
	assert_live(s, "a b");
	assert_int_equal(s->add[0].num_partition_values, 6);
	assert_part(&s->add[0], 0, "p", "x\"y");
	assert_part(&s->add[0], 1, "d", "2020-01-02");
	assert_part(&s->add[0], 2, "ts", "2020-01-02T03:04:05.678901Z");
	assert_part(&s->add[0], 3, "dec", "-1.05");
	assert_part(&s->add[0], 4, "n", "7");
	assert_part(&s->add[0], 5, "b", "true");
	assert_part(&s->add[1], 0, "p", "");
	assert_part(&s->add[1], 1, "d", NULL);
	assert_part(&s->add[1], 4, "n", "-8");
	cdc_snapshot_free(s);
}

/* A sidecar with one add; rows that are required are those of no other action. */
static void sidecar(const struct fixture *f, const char *name, const char *file)
{
	struct cdc_str path[1] = { cdc_str_z(file) };
	static const int64_t size[] = { 9 };
	const struct cdc_pq_vec vec[] = {
		{ .type = CDC_PQ_BYTE_ARRAY, .n = 1, .values = path, .def = NULL },
		{ .type = CDC_PQ_INT64, .n = 1, .values = size, .def = NULL },
	};
	struct maker m = { .schema = { .num_nodes = 0 } };
	char dir[2 * PATH_MAX], in[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s/_sidecars", f->log);
	(void)mkdir(dir, 0777);
	group(&m, "root", CDC_PQ_REQUIRED, 1);
	group(&m, "add", CDC_PQ_REQUIRED, 2);
	leaf(&m, "path", CDC_PQ_REQUIRED, CDC_PQ_BYTE_ARRAY);
	leaf(&m, "size", CDC_PQ_REQUIRED, CDC_PQ_INT64);
	finish(&m);
	snprintf(in, sizeof(in), "_sidecars/%s", name);
	make(&m, f, in, vec, 1);
}

/* A checkpoint of the classic name with the content of V2: rows protocol, metaData, two sidecars.
 */
static void sidecars(void **state)
{
	static const uint8_t in_sidecar[] = { 0, 0, 1, 1 };
	static const struct cdc_str file[4] = {
		[2] = CDC_STR("one%20%25.parquet"), [3] = CDC_STR("file:///x/_sidecars/two.parquet")
	};
	static int64_t size[4];
	const struct cdc_pq_vec vec[] = {
		PROTOCOL_AND_METADATA,
		VEC(CDC_PQ_BYTE_ARRAY, 4, file, in_sidecar),
		VEC(CDC_PQ_INT64, 4, size, in_sidecar),
	};
	const struct fixture *f = *state;
	struct maker m = { .schema = { .num_nodes = 0 } };
	struct cdc_snapshot *s;
	struct stat st;
	char path[2 * PATH_MAX];

	sidecar(f, "one %.parquet", "a");
	sidecar(f, "two.parquet", "b");
	snprintf(path, sizeof(path), "%s/_sidecars/two.parquet", f->log);
	assert_int_equal(stat(path, &st), 0);
	size[2] = size[3] = st.st_size;
	group(&m, "root", CDC_PQ_REQUIRED, 3);
	protocol_and_metadata(&m);
	group(&m, "sidecar", CDC_PQ_OPTIONAL, 2);
	leaf(&m, "path", CDC_PQ_REQUIRED, CDC_PQ_BYTE_ARRAY);
	leaf(&m, "sizeInBytes", CDC_PQ_REQUIRED, CDC_PQ_INT64);
	finish(&m);
	make(&m, f, "00000000000000000003.checkpoint.parquet", vec, 4);
	s = fixture_load(f, -1);
	assert_live(s, "a b");
	cdc_snapshot_free(s);
	assert_int_equal(unlink(path), 0);
	fixture_refuse(f, -1, CDC_ECORRUPT, "two.parquet");
}

/* Numbers that no table has: a scale that no text would hold, rows without end. */
static void absurd_numbers(void **state)
{
	static const uint8_t in_add[] = { 0, 0, 1, 0 };
	static const uint8_t deep[] = { 0, 0, 4, 0 };
	static const struct cdc_str path[4] = { [2] = CDC_STR("a") };
	static const int64_t size[4] = { 0, 0, 70, 0 };
	static const int64_t min[4] = { 0, 0, 1, 0 };
	const struct cdc_pq_vec vec[] = {
		PROTOCOL_AND_METADATA,
		VEC(CDC_PQ_BYTE_ARRAY, 4, path, in_add),
		VEC(CDC_PQ_INT64, 4, size, in_add),
		VEC(CDC_PQ_INT64, 4, min, deep),
	};
	enum { MANY = 1000000 };
	const struct fixture *f = *state;
	struct maker m = { .schema = { .num_nodes = 0 } };
	int64_t *number = calloc(MANY, sizeof(*number));
	struct cdc_str *text = calloc(MANY, sizeof(*text));
	uint8_t *def = calloc(MANY, 1);
	const struct cdc_pq_vec many[] = {
		VEC(CDC_PQ_BYTE_ARRAY, MANY, text, def),
		VEC(CDC_PQ_INT64, MANY, number, def),
	};
	struct cdc_pq_node *n;
	struct cdc_snapshot *s;

	assert_true(number && text && def);
	group(&m, "root", CDC_PQ_REQUIRED, 3);
	protocol_and_metadata(&m);
	group(&m, "add", CDC_PQ_OPTIONAL, 3);
	leaf(&m, "path", CDC_PQ_REQUIRED, CDC_PQ_BYTE_ARRAY);
	leaf(&m, "size", CDC_PQ_REQUIRED, CDC_PQ_INT64);
	group(&m, "stats_parsed", CDC_PQ_OPTIONAL, 1);
	group(&m, "minValues", CDC_PQ_OPTIONAL, 1);
	n = leaf(&m, "dec", CDC_PQ_OPTIONAL, CDC_PQ_INT64);
	n->converted = CDC_PQ_CONV_DECIMAL;
	n->logical = CDC_PQ_LOGICAL_DECIMAL;
	n->precision = n->scale = 100000;
	finish(&m);
	make(&m, f, "00000000000000000003.checkpoint.parquet", vec, 4);
	s = fixture_load(f, -1);
	assert_str(s->add[0].stats, "{\"minValues\":{\"dec\":null}}");
	cdc_snapshot_free(s);

	m = (struct maker){ .schema = { .num_nodes = 0 } };
	group(&m, "root", CDC_PQ_REQUIRED, 1);
	group(&m, "txn", CDC_PQ_OPTIONAL, 2);
	leaf(&m, "appId", CDC_PQ_REQUIRED, CDC_PQ_BYTE_ARRAY);
	leaf(&m, "version", CDC_PQ_REQUIRED, CDC_PQ_INT64);
	finish(&m);
	make(&m, f, "00000000000000000003.checkpoint.parquet", many, MANY);
	fixture_refuse(f, -1, CDC_ECORRUPT, "cannot hold that many actions");
	free(number);
	free(text);
	free(def);
}

#define WITH_TABLE(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TABLE(parsed_statistics),	     WITH_TABLE(several_parts),
		WITH_TABLE(parsed_partition_values), WITH_TABLE(sidecars),
		WITH_TABLE(absurd_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
