/*
 * The Parquet schema of a table's data files: parquet-format "Logical Types" as Delta writers use
 * them, one flat column a field.
 */
#include "delta/schema.h"

/* Least number of bytes whose two's complement holds every value of `precision` digits. */
static int32_t decimal_bytes(int precision)
{
	cdc_u128 limit = 1;
	int32_t n = 1;

	for (int i = 0; i < precision; i++)
		limit *= 10;
	while (n < 16 && ((cdc_u128)1 << (8 * n - 1)) < limit)
		n++;
	return n;
}

static void decimal_node(struct cdc_pq_node *n, const struct cdc_field *f)
{
	if (f->precision <= 9) {
		n->type = CDC_PQ_INT32;
	} else if (f->precision <= 18) {
		n->type = CDC_PQ_INT64;
	} else {
		n->type = CDC_PQ_FIXED;
		n->type_length = decimal_bytes(f->precision);
	}
	n->converted = CDC_PQ_CONV_DECIMAL;
	n->logical = CDC_PQ_LOGICAL_DECIMAL;
	n->precision = f->precision;
	n->scale = f->scale;
}

static void integer_node(struct cdc_pq_node *n, int8_t bits)
{
	n->type = CDC_PQ_INT32;
	n->converted = bits == 8 ? CDC_PQ_CONV_INT_8 : CDC_PQ_CONV_INT_16;
	n->logical = CDC_PQ_LOGICAL_INTEGER;
	n->bit_width = bits;
	n->is_signed = true;
}

/* timestamp_ntz has no converted type: the old annotation means an instant. */
static void timestamp_node(struct cdc_pq_node *n, bool utc)
{
	n->type = CDC_PQ_INT64;
	n->converted = utc ? CDC_PQ_CONV_TIMESTAMP_MICROS : CDC_PQ_CONV_NONE;
	n->logical = CDC_PQ_LOGICAL_TIMESTAMP;
	n->utc = utc;
	n->unit = CDC_PQ_MICROS;
}

static bool leaf_type(struct cdc_pq_node *n, const struct cdc_field *f)
{
	switch (f->type) {
	case CDC_TYPE_BOOLEAN:
		n->type = CDC_PQ_BOOLEAN;
		return true;
	case CDC_TYPE_BYTE:
		integer_node(n, 8);
		return true;
	case CDC_TYPE_SHORT:
		integer_node(n, 16);
		return true;
	case CDC_TYPE_INTEGER:
		n->type = CDC_PQ_INT32;
		return true;
	case CDC_TYPE_LONG:
		n->type = CDC_PQ_INT64;
		return true;
	case CDC_TYPE_FLOAT:
		n->type = CDC_PQ_FLOAT;
		return true;
	case CDC_TYPE_DOUBLE:
		n->type = CDC_PQ_DOUBLE;
		return true;
	case CDC_TYPE_DECIMAL:
		decimal_node(n, f);
		return true;
	case CDC_TYPE_STRING:
		n->type = CDC_PQ_BYTE_ARRAY;
		n->converted = CDC_PQ_CONV_UTF8;
		n->logical = CDC_PQ_LOGICAL_STRING;
		return true;
	case CDC_TYPE_BINARY:
		n->type = CDC_PQ_BYTE_ARRAY;
		return true;
	case CDC_TYPE_DATE:
		n->type = CDC_PQ_INT32;
		n->converted = CDC_PQ_CONV_DATE;
		n->logical = CDC_PQ_LOGICAL_DATE;
		return true;
	case CDC_TYPE_TIMESTAMP:
		timestamp_node(n, true);
		return true;
	case CDC_TYPE_TIMESTAMP_NTZ:
		timestamp_node(n, false);
		return true;
	case CDC_TYPE_VOID:
	case CDC_TYPE_VARIANT:
	case CDC_TYPE_STRUCT:
	case CDC_TYPE_ARRAY:
	case CDC_TYPE_MAP:
	case CDC_TYPE_TIME:
	case CDC_TYPE_TIMESTAMP_NS:
	case CDC_TYPE_TIMESTAMP_NTZ_NS:
	case CDC_TYPE_UUID:
	case CDC_TYPE_INTERVAL:
	case CDC_TYPE_BIG_DECIMAL:
		break;
	}
	return false;
}

int cdc_schema_to_parquet(const struct cdc_schema *s, struct cdc_pq_schema *out,
			  struct cdc_arena *arena, struct cdc_err *err)
{
	struct cdc_pq_node *node =
		cdc_arena_calloc(arena, (size_t)s->num_fields + 1, sizeof(*node));
	int32_t leaves = 0;

	if (!node)
		return cdc_fail_nomem(err);
	for (int i = 0; i < s->num_fields; i++) {
		const struct cdc_field *f = &s->field[i];
		struct cdc_pq_node *n = &node[leaves + 1];
		char name[CDC_TYPE_NAME_MAX];

		if (f->is_partition)
			continue;
		n->converted = CDC_PQ_CONV_NONE;
		if (!leaf_type(n, f))
			return cdc_fail(err, CDC_EUNSUPPORTED,
					"column \"%.*s\": type %s cannot be written",
					(int)(f->name.n > 128 ? 128 : f->name.n), f->name.p,
					cdc_type_name(f, name));
		n->name = f->physical_name;
		n->is_leaf = true;
		n->repetition = f->nullable ? CDC_PQ_OPTIONAL : CDC_PQ_REQUIRED;
		n->has_field_id = f->has_field_id;
		n->field_id = f->field_id;
		leaves++;
	}
	node[0].name = CDC_STR("schema");
	node[0].num_children = leaves;
	node[0].converted = CDC_PQ_CONV_NONE;
	*out = (struct cdc_pq_schema){ .node = node, .num_nodes = leaves + 1 };
	return cdc_pq_schema_finish(out, arena, err);
}
