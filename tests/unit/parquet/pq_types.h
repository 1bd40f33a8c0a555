/*
 * Schemas of the writer's tests: every physical and logical type that the writer has an order for,
 * and the nestings that tables and checkpoints use.
 */
#ifndef TESTS_PQ_TYPES_H
#define TESTS_PQ_TYPES_H

#include "pq_gen.h"

/* One column per type; all OPTIONAL or all REQUIRED. */
static inline void types_flat(struct gen *g, enum cdc_pq_repetition rep)
{
	static const struct {
		const char *name;
		enum cdc_pq_type type;
		enum cdc_pq_logical logical;
		int32_t length;
		int32_t precision;
		int32_t scale;
		enum cdc_pq_time_unit unit;
		bool utc;
		int8_t bits;
		bool is_signed;
	} column[] = {
		{ .name = "bool", .type = CDC_PQ_BOOLEAN },
		{ .name = "i8",
		  .type = CDC_PQ_INT32,
		  .logical = CDC_PQ_LOGICAL_INTEGER,
		  .bits = 8,
		  .is_signed = true },
		{ .name = "i16",
		  .type = CDC_PQ_INT32,
		  .logical = CDC_PQ_LOGICAL_INTEGER,
		  .bits = 16,
		  .is_signed = true },
		{ .name = "i32", .type = CDC_PQ_INT32 },
		{ .name = "i64", .type = CDC_PQ_INT64 },
		{ .name = "u8",
		  .type = CDC_PQ_INT32,
		  .logical = CDC_PQ_LOGICAL_INTEGER,
		  .bits = 8 },
		{ .name = "u16",
		  .type = CDC_PQ_INT32,
		  .logical = CDC_PQ_LOGICAL_INTEGER,
		  .bits = 16 },
		{ .name = "u32",
		  .type = CDC_PQ_INT32,
		  .logical = CDC_PQ_LOGICAL_INTEGER,
		  .bits = 32 },
		{ .name = "u64",
		  .type = CDC_PQ_INT64,
		  .logical = CDC_PQ_LOGICAL_INTEGER,
		  .bits = 64 },
		{ .name = "float", .type = CDC_PQ_FLOAT },
		{ .name = "double", .type = CDC_PQ_DOUBLE },
		{ .name = "dec7",
		  .type = CDC_PQ_INT32,
		  .logical = CDC_PQ_LOGICAL_DECIMAL,
		  .precision = 7,
		  .scale = 2 },
		{ .name = "dec18",
		  .type = CDC_PQ_INT64,
		  .logical = CDC_PQ_LOGICAL_DECIMAL,
		  .precision = 18,
		  .scale = 6 },
		{ .name = "dec20",
		  .type = CDC_PQ_FIXED,
		  .logical = CDC_PQ_LOGICAL_DECIMAL,
		  .length = 9,
		  .precision = 20 },
		{ .name = "dec38",
		  .type = CDC_PQ_FIXED,
		  .logical = CDC_PQ_LOGICAL_DECIMAL,
		  .length = 16,
		  .precision = 38,
		  .scale = 10 },
		{ .name = "decbytes",
		  .type = CDC_PQ_BYTE_ARRAY,
		  .logical = CDC_PQ_LOGICAL_DECIMAL,
		  .precision = 38,
		  .scale = 3 },
		{ .name = "string", .type = CDC_PQ_BYTE_ARRAY, .logical = CDC_PQ_LOGICAL_STRING },
		{ .name = "json", .type = CDC_PQ_BYTE_ARRAY, .logical = CDC_PQ_LOGICAL_JSON },
		{ .name = "binary", .type = CDC_PQ_BYTE_ARRAY },
		{ .name = "fixed4", .type = CDC_PQ_FIXED, .length = 4 },
		{ .name = "fixed8", .type = CDC_PQ_FIXED, .length = 8 },
		{ .name = "fixed70", .type = CDC_PQ_FIXED, .length = 70 },
		{ .name = "uuid",
		  .type = CDC_PQ_FIXED,
		  .logical = CDC_PQ_LOGICAL_UUID,
		  .length = 16 },
		{ .name = "int96", .type = CDC_PQ_INT96 },
		{ .name = "date", .type = CDC_PQ_INT32, .logical = CDC_PQ_LOGICAL_DATE },
		{ .name = "time_ms",
		  .type = CDC_PQ_INT32,
		  .logical = CDC_PQ_LOGICAL_TIME,
		  .unit = CDC_PQ_MILLIS,
		  .utc = true },
		{ .name = "time_us",
		  .type = CDC_PQ_INT64,
		  .logical = CDC_PQ_LOGICAL_TIME,
		  .unit = CDC_PQ_MICROS },
		{ .name = "ts",
		  .type = CDC_PQ_INT64,
		  .logical = CDC_PQ_LOGICAL_TIMESTAMP,
		  .unit = CDC_PQ_MICROS,
		  .utc = true },
		{ .name = "ts_ntz",
		  .type = CDC_PQ_INT64,
		  .logical = CDC_PQ_LOGICAL_TIMESTAMP,
		  .unit = CDC_PQ_MICROS },
		{ .name = "ts_ms",
		  .type = CDC_PQ_INT64,
		  .logical = CDC_PQ_LOGICAL_TIMESTAMP,
		  .unit = CDC_PQ_MILLIS,
		  .utc = true },
		{ .name = "ts_ns",
		  .type = CDC_PQ_INT64,
		  .logical = CDC_PQ_LOGICAL_TIMESTAMP,
		  .unit = CDC_PQ_NANOS },
	};
	const int32_t num = (int32_t)(sizeof(column) / sizeof(column[0]));

	gen_group(g, "schema", CDC_PQ_REQUIRED, num);
	for (int32_t i = 0; i < num; i++) {
		struct cdc_pq_node *n =
			gen_column(g, column[i].name, rep, column[i].type, column[i].logical);

		n->type_length = column[i].length;
		n->precision = column[i].precision;
		n->scale = column[i].scale;
		n->unit = column[i].unit;
		n->utc = column[i].utc;
		n->bit_width = column[i].bits;
		n->is_signed = column[i].is_signed;
		n->has_field_id = i % 2 == 0;
		n->field_id = 100 + i;
	}
}

static inline void types_list(struct gen *g, const char *name, enum cdc_pq_repetition rep)
{
	gen_group(g, name, rep, 1)->logical = CDC_PQ_LOGICAL_LIST;
	gen_group(g, "list", CDC_PQ_REPEATED, 1);
}

/* The key; the value is added by the caller. */
static inline void types_map(struct gen *g, const char *name, enum cdc_pq_repetition rep)
{
	gen_group(g, name, rep, 1)->logical = CDC_PQ_LOGICAL_MAP;
	gen_group(g, "key_value", CDC_PQ_REPEATED, 2);
	gen_column(g, "key", CDC_PQ_REQUIRED, CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING);
}

/* Structs, lists and maps in each other, the shape of a Delta checkpoint among them. */
static inline void types_nested(struct gen *g)
{
	gen_group(g, "spark_schema", CDC_PQ_REQUIRED, 8);
	gen_column(g, "id", CDC_PQ_REQUIRED, CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE);
	gen_group(g, "add", CDC_PQ_OPTIONAL, 4);
	gen_column(g, "path", CDC_PQ_OPTIONAL, CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING);
	types_map(g, "partitionValues", CDC_PQ_OPTIONAL);
	gen_column(g, "value", CDC_PQ_OPTIONAL, CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING);
	gen_column(g, "size", CDC_PQ_OPTIONAL, CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE);
	gen_column(g, "dataChange", CDC_PQ_OPTIONAL, CDC_PQ_BOOLEAN, CDC_PQ_LOGICAL_NONE);
	types_list(g, "ints", CDC_PQ_OPTIONAL);
	gen_column(g, "element", CDC_PQ_OPTIONAL, CDC_PQ_INT32, CDC_PQ_LOGICAL_NONE);
	types_list(g, "required_ints", CDC_PQ_REQUIRED);
	gen_column(g, "element", CDC_PQ_REQUIRED, CDC_PQ_INT32, CDC_PQ_LOGICAL_NONE);
	types_list(g, "lists", CDC_PQ_OPTIONAL);
	types_list(g, "element", CDC_PQ_OPTIONAL);
	gen_column(g, "element", CDC_PQ_OPTIONAL, CDC_PQ_BYTE_ARRAY, CDC_PQ_LOGICAL_STRING);
	types_list(g, "structs", CDC_PQ_OPTIONAL);
	gen_group(g, "element", CDC_PQ_OPTIONAL, 3);
	gen_column(g, "a", CDC_PQ_REQUIRED, CDC_PQ_DOUBLE, CDC_PQ_LOGICAL_NONE);
	types_list(g, "b", CDC_PQ_OPTIONAL);
	gen_column(g, "element", CDC_PQ_OPTIONAL, CDC_PQ_BOOLEAN, CDC_PQ_LOGICAL_NONE);
	gen_column(g, "c", CDC_PQ_OPTIONAL, CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE);
	types_map(g, "maps", CDC_PQ_REQUIRED);
	types_list(g, "value", CDC_PQ_OPTIONAL);
	gen_column(g, "element", CDC_PQ_OPTIONAL, CDC_PQ_INT64, CDC_PQ_LOGICAL_NONE);
	gen_group(g, "deep", CDC_PQ_OPTIONAL, 1);
	gen_group(g, "deeper", CDC_PQ_OPTIONAL, 1);
	gen_column(g, "deepest", CDC_PQ_OPTIONAL, CDC_PQ_INT32, CDC_PQ_LOGICAL_NONE);
}

#endif
