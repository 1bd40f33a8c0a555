/*
 * Proves what a plan keeps of the marks in an Avro schema, logical types, Connect's, Sqoop's, and
 * that longs of any length are read wherever they lie.
 */
#include "source/avro/avro_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct cdc_avro_plan *compile(const char *json)
{
	struct cdc_avro_plan *p = NULL;
	struct cdc_err err = CDC_ERR_INIT;

	assert_int_equal(cdc_avro_plan_new(&p, cdc_str_z(json), &err), CDC_OK);
	return p;
}

/* The node of field i of the datum, behind a union with null. */
static const struct cdc_avro_node *field(const struct cdc_avro_plan *p, uint32_t i)
{
	const struct cdc_avro_node *n =
		cdc_avro_node(p, cdc_avro_child(p, cdc_avro_node(p, 0), i)->node);

	return n->kind == CDC_AVRO_UNION ? cdc_avro_node(p, cdc_avro_child(p, n, 1)->node) : n;
}

static void logical_types(void **state)
{
	static const uint8_t want[] = {
		CDC_AVRO_DECIMAL, CDC_AVRO_DATE,     CDC_AVRO_TIMESTAMP_MICROS, CDC_AVRO_PLAIN,
		CDC_AVRO_PLAIN,	  CDC_AVRO_DURATION, CDC_AVRO_LOCAL_MILLIS,
	};
	struct cdc_avro_plan *p = compile(
		"{\"type\":\"record\",\"name\":\"ns.r\",\"fields\":["
		"{\"name\":\"a\",\"type\":[\"null\",{\"type\":\"bytes\",\"logicalType\":\"decimal\","
		"\"precision\":7,\"scale\":2}]},"
		"{\"name\":\"b\",\"type\":{\"type\":\"int\",\"logicalType\":\"date\"},\"sqlType\":\"91\"},"
		"{\"name\":\"c\",\"type\":{\"logicalType\":\"timestamp-micros\",\"type\":\"long\"},"
		"\"sqlType\":-5},"
		"{\"name\":\"d\",\"type\":{\"type\":\"string\",\"logicalType\":\"date\"}},"
		"{\"name\":\"e\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":2,"
		"\"scale\":3}},"
		"{\"name\":\"f\",\"type\":{\"type\":\"fixed\",\"name\":\"du\",\"size\":12,"
		"\"logicalType\":\"duration\"}},"
		"{\"name\":\"g\",\"type\":[\"null\",{\"type\":\"long\",\"logicalType\":"
		"\"local-timestamp-millis\"}]},"
		"{\"name\":\"h\",\"type\":\"du\"}]}");

	(void)state;
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(field(p, i)->logical, want[i]);
	assert_int_equal(field(p, 7)->logical, CDC_AVRO_DURATION);
	assert_int_equal(field(p, 0)->precision, 7);
	assert_int_equal(field(p, 0)->scale, 2);
	assert_int_equal(cdc_avro_child(p, cdc_avro_node(p, 0), 1)->sql_type, 91);
	assert_int_equal(cdc_avro_child(p, cdc_avro_node(p, 0), 2)->sql_type, -5);
	assert_string_equal(cdc_avro_node(p, 0)->name, "r");
	cdc_avro_plan_free(p);
}

static void connect(void **state)
{
	struct cdc_avro_plan *p = compile(
		"{\"type\":\"record\",\"name\":\"V\",\"connect.name\":\"a.b.c.Value\",\"fields\":["
		"{\"name\":\"t\",\"type\":[\"null\",{\"type\":\"long\",\"connect.version\":1,"
		"\"connect.name\":\"io.debezium.time.MicroTimestamp\"}],\"default\":null},"
		"{\"name\":\"d\",\"type\":{\"type\":\"bytes\",\"connect.parameters\":{\"scale\":\"3\","
		"\"connect.decimal.precision\":\"10\"},"
		"\"connect.name\":\"org.apache.kafka.connect.data.Decimal\"}},"
		"{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"int\","
		"\"connect.name\":\"io.debezium.time.Date\"}}}]}");
	const struct cdc_avro_node *list;

	(void)state;
	assert_string_equal(cdc_avro_node(p, 0)->connect_name, "a.b.c.Value");
	assert_string_equal(field(p, 0)->connect_name, "io.debezium.time.MicroTimestamp");
	assert_int_equal(field(p, 1)->scale, 3);
	assert_int_equal(field(p, 1)->precision, 10);
	assert_int_equal(field(p, 1)->logical, CDC_AVRO_PLAIN);
	assert_true(cdc_str_eqz(field(p, 1)->connect_parameters,
				"{\"scale\":\"3\",\"connect.decimal.precision\":\"10\"}"));
	list = field(p, 2);
	assert_null(list->connect_name);
	assert_string_equal(cdc_avro_node(p, cdc_avro_child(p, list, 0)->node)->connect_name,
			    "io.debezium.time.Date");
	cdc_avro_plan_free(p);
}

/* The bytes of a long as the specification has them: zigzag, seven bits a byte, lowest first. */
static size_t encode(int64_t v, unsigned char *out)
{
	uint64_t u = (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
	size_t n = 0;

	for (; u >= 0x80; u >>= 7)
		out[n++] = (unsigned char)(u | 0x80);
	out[n++] = (unsigned char)u;
	return n;
}

static void check_long(int64_t v)
{
	unsigned char bytes[32];
	size_t n = encode(v, bytes);

	/* What follows, if anything, must not matter: nor must how much there is of it. */
	for (size_t more = 0; more <= 16; more++) {
		for (int fill = 0; fill < 2; fill++) {
			struct cdc_avro_cur c = { bytes, bytes + n + more, NULL };
			int64_t got = 0;

			memset(bytes + n, fill ? 0xff : 0, more);
			assert_true(cdc_avro_long(&c, &got));
			assert_int_equal(got, v);
			assert_ptr_equal(c.p, bytes + n);
		}
	}
	for (size_t cut = 0; cut < n; cut++) {
		struct cdc_avro_cur c = { bytes, bytes + cut, NULL };
		int64_t got;

		assert_false(cdc_avro_long(&c, &got));
		assert_string_equal(c.why, "it ends early");
	}
}

static void longs(void **state)
{
	static const unsigned char too_long[16] = { 0x80, 0x80, 0x80, 0x80, 0x80,
						    0x80, 0x80, 0x80, 0x80, 2 };
	struct cdc_avro_cur c = { too_long, too_long + sizeof(too_long), NULL };
	uint64_t x = 88172645463325252;
	int64_t v;

	(void)state;
	assert_false(cdc_avro_long(&c, &v));
	assert_string_equal(c.why, "a number is longer than 64 bits");
	check_long(INT64_MIN);
	for (unsigned bit = 0; bit < 63; bit++) {
		int64_t edge = INT64_C(1) << bit;

		check_long(edge);
		check_long(edge - 1);
		check_long(-edge);
		check_long(-edge - 1);
		for (int i = 0; i < 50; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			check_long((int64_t)(x >> (63 - bit)));
			check_long(-(int64_t)(x >> (63 - bit)));
		}
	}
	check_long(INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logical_types),
		cmocka_unit_test(connect),
		cmocka_unit_test(longs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
