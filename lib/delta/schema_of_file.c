/*
 * The schema of a Parquet file as a table's: which type each column has, by its logical type, else
 * by its physical one (parquet-format LogicalTypes.md).
 */
#include "delta/schema.h"

#include "parquet/pq_shape.h"

/* The most digits that DECIMAL holds. */
#define MAX_PRECISION 38

static enum cdc_type integer_type(const struct cdc_pq_node *n, int bits, bool is_signed,
				  struct cdc_field *f)
{
	if (n->type == CDC_PQ_INT64 && !is_signed && bits == 64) {
		f->precision = 20;
		return CDC_TYPE_DECIMAL;
	}
	if (n->type == CDC_PQ_INT64)
		return CDC_TYPE_LONG;
	if (is_signed)
		return bits == 8 ? CDC_TYPE_BYTE : bits == 16 ? CDC_TYPE_SHORT : CDC_TYPE_INTEGER;
	return bits == 8 ? CDC_TYPE_SHORT : bits == 16 ? CDC_TYPE_INTEGER : CDC_TYPE_LONG;
}

static enum cdc_type timestamp_type(bool utc, enum cdc_pq_time_unit unit)
{
	if (unit == CDC_PQ_NANOS)
		return utc ? CDC_TYPE_TIMESTAMP_NS : CDC_TYPE_TIMESTAMP_NTZ_NS;
	return utc ? CDC_TYPE_TIMESTAMP : CDC_TYPE_TIMESTAMP_NTZ;
}

/* What the physical type alone says. */
static enum cdc_type physical_type(const struct cdc_pq_node *n)
{
	static const enum cdc_type type[] = {
		[CDC_PQ_BOOLEAN] = CDC_TYPE_BOOLEAN,   [CDC_PQ_INT32] = CDC_TYPE_INTEGER,
		[CDC_PQ_INT64] = CDC_TYPE_LONG,	       [CDC_PQ_INT96] = CDC_TYPE_TIMESTAMP_NS,
		[CDC_PQ_FLOAT] = CDC_TYPE_FLOAT,       [CDC_PQ_DOUBLE] = CDC_TYPE_DOUBLE,
		[CDC_PQ_BYTE_ARRAY] = CDC_TYPE_BINARY, [CDC_PQ_FIXED] = CDC_TYPE_BINARY,
	};

	return type[n->type];
}

static bool is_int(const struct cdc_pq_node *n)
{
	return n->type == CDC_PQ_INT32 || n->type == CDC_PQ_INT64;
}

static enum cdc_type decimal_type(const struct cdc_pq_node *n, struct cdc_field *f)
{
	if (n->type != CDC_PQ_BYTE_ARRAY && n->type != CDC_PQ_FIXED && !is_int(n))
		return physical_type(n);
	f->precision = n->precision;
	f->scale = n->scale;
	return n->precision > MAX_PRECISION ? CDC_TYPE_BIG_DECIMAL : CDC_TYPE_DECIMAL;
}

/* An annotation that does not suit the physical type is passed over. */
static enum cdc_type logical_type(const struct cdc_pq_node *n, struct cdc_field *f)
{
	bool fixed = n->type == CDC_PQ_FIXED;

	switch (n->logical) {
	case CDC_PQ_LOGICAL_STRING:
	case CDC_PQ_LOGICAL_ENUM:
	case CDC_PQ_LOGICAL_JSON:
		return n->type == CDC_PQ_BYTE_ARRAY ? CDC_TYPE_STRING : physical_type(n);
	case CDC_PQ_LOGICAL_DECIMAL:
		return decimal_type(n, f);
	case CDC_PQ_LOGICAL_DATE:
		return n->type == CDC_PQ_INT32 ? CDC_TYPE_DATE : physical_type(n);
	case CDC_PQ_LOGICAL_TIME:
		return is_int(n) ? CDC_TYPE_TIME : physical_type(n);
	case CDC_PQ_LOGICAL_TIMESTAMP:
		return n->type == CDC_PQ_INT64 ? timestamp_type(n->utc, n->unit) : physical_type(n);
	case CDC_PQ_LOGICAL_INTEGER:
		return is_int(n) ? integer_type(n, n->bit_width, n->is_signed, f)
				 : physical_type(n);
	case CDC_PQ_LOGICAL_UNKNOWN:
		return CDC_TYPE_VOID;
	case CDC_PQ_LOGICAL_UUID:
		return fixed && n->type_length == 16 ? CDC_TYPE_UUID : physical_type(n);
	case CDC_PQ_LOGICAL_FLOAT16:
		return fixed && n->type_length == 2 ? CDC_TYPE_FLOAT : physical_type(n);
	case CDC_PQ_LOGICAL_NONE:
	case CDC_PQ_LOGICAL_MAP:
	case CDC_PQ_LOGICAL_LIST:
	case CDC_PQ_LOGICAL_BSON:
	case CDC_PQ_LOGICAL_VARIANT:
	case CDC_PQ_LOGICAL_GEOMETRY:
	case CDC_PQ_LOGICAL_GEOGRAPHY:
	case CDC_PQ_LOGICAL_OTHER:
		break;
	}
	return physical_type(n);
}

static enum cdc_type converted_type(const struct cdc_pq_node *n, struct cdc_field *f)
{
	switch (n->converted) {
	case CDC_PQ_CONV_UTF8:
	case CDC_PQ_CONV_ENUM:
	case CDC_PQ_CONV_JSON:
		return n->type == CDC_PQ_BYTE_ARRAY ? CDC_TYPE_STRING : physical_type(n);
	case CDC_PQ_CONV_DECIMAL:
		return decimal_type(n, f);
	case CDC_PQ_CONV_DATE:
		return n->type == CDC_PQ_INT32 ? CDC_TYPE_DATE : physical_type(n);
	case CDC_PQ_CONV_TIME_MILLIS:
	case CDC_PQ_CONV_TIME_MICROS:
		return is_int(n) ? CDC_TYPE_TIME : physical_type(n);
	case CDC_PQ_CONV_TIMESTAMP_MILLIS:
	case CDC_PQ_CONV_TIMESTAMP_MICROS:
		return n->type == CDC_PQ_INT64 ? CDC_TYPE_TIMESTAMP : physical_type(n);
	case CDC_PQ_CONV_UINT_8:
	case CDC_PQ_CONV_UINT_16:
	case CDC_PQ_CONV_UINT_32:
	case CDC_PQ_CONV_UINT_64:
		return is_int(n)
			       ? integer_type(n, 8 << (n->converted - CDC_PQ_CONV_UINT_8), false, f)
			       : physical_type(n);
	case CDC_PQ_CONV_INT_8:
	case CDC_PQ_CONV_INT_16:
	case CDC_PQ_CONV_INT_32:
	case CDC_PQ_CONV_INT_64:
		return is_int(n) ? integer_type(n, 8 << (n->converted - CDC_PQ_CONV_INT_8), true, f)
				 : physical_type(n);
	case CDC_PQ_CONV_INTERVAL:
		return n->type == CDC_PQ_FIXED && n->type_length == 12 ? CDC_TYPE_INTERVAL
								       : physical_type(n);
	case CDC_PQ_CONV_NONE:
	case CDC_PQ_CONV_MAP:
	case CDC_PQ_CONV_MAP_KEY_VALUE:
	case CDC_PQ_CONV_LIST:
	case CDC_PQ_CONV_BSON:
		break;
	}
	return physical_type(n);
}

static void leaf_field(const struct cdc_pq_node *n, struct cdc_field *f)
{
	bool logical = n->logical != CDC_PQ_LOGICAL_NONE && n->logical != CDC_PQ_LOGICAL_OTHER;

	f->type = logical ? logical_type(n, f) : converted_type(n, f);
}

static int node_field(const struct cdc_pq_schema *s, int32_t node, bool element,
		      struct cdc_str name, struct cdc_arena *a, struct cdc_field *f,
		      struct cdc_err *err);

static int part_field(const struct cdc_pq_schema *s, int32_t node, bool element, const char *name,
		      struct cdc_arena *a, struct cdc_field *parent, struct cdc_err *err)
{
	struct cdc_field *f = &parent->child[parent->num_children++];

	if (node < 0) { /* a map that is a set: every value is null */
		*f = (struct cdc_field){ .name = cdc_str_z(name),
					 .physical_name = cdc_str_z(name),
					 .type = CDC_TYPE_VOID,
					 .nullable = true,
					 .metadata = CDC_STR("{}") };
		return CDC_OK;
	}
	return node_field(s, node, element, cdc_str_z(name), a, f, err);
}

static int struct_fields(const struct cdc_pq_schema *s, int32_t node, struct cdc_arena *a,
			 struct cdc_field *f, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int32_t c = cdc_pq_next_child(s, node, node); rc == CDC_OK && c >= 0;
	     c = cdc_pq_next_child(s, node, c))
		rc = node_field(s, c, false, s->node[c].name, a, &f->child[f->num_children++], err);
	return rc;
}

/* Depth is bounded where the file's schema is read. */
static int node_field(const struct cdc_pq_schema *s, int32_t node, bool element,
		      struct cdc_str name, struct cdc_arena *a, struct cdc_field *f,
		      struct cdc_err *err)
{
	const struct cdc_pq_node *n = &s->node[node];
	struct cdc_pq_shape shape = cdc_pq_shape_of(s, node, element);
	size_t children = shape.kind == CDC_PQ_SHAPE_MAP ? 2 : (size_t)n->num_children + 1;
	int rc;

	*f = (struct cdc_field){ .name = name,
				 .physical_name = name,
				 .nullable = n->repetition == CDC_PQ_OPTIONAL,
				 .metadata = CDC_STR("{}"),
				 .file_node = node };
	if (shape.kind == CDC_PQ_SHAPE_LEAF) {
		leaf_field(n, f);
		return CDC_OK;
	}
	f->child = cdc_arena_calloc(a, children, sizeof(*f->child));
	if (!f->child)
		return cdc_fail_nomem(err);
	if (shape.kind == CDC_PQ_SHAPE_LIST) {
		f->type = CDC_TYPE_ARRAY;
		return part_field(s, shape.first, shape.first == shape.repeated, "element", a, f,
				  err);
	}
	if (shape.kind == CDC_PQ_SHAPE_MAP) {
		f->type = CDC_TYPE_MAP;
		rc = part_field(s, shape.first, false, "key", a, f, err);
		return rc < 0 ? rc : part_field(s, shape.second, false, "value", a, f, err);
	}
	f->type = n->logical == CDC_PQ_LOGICAL_VARIANT ? CDC_TYPE_VARIANT : CDC_TYPE_STRUCT;
	return struct_fields(s, node, a, f, err);
}

int cdc_field_from_parquet(struct cdc_field *f, const struct cdc_pq_schema *s, int32_t node,
			   struct cdc_arena *arena, struct cdc_err *err)
{
	return node_field(s, node, false, s->node[node].name, arena, f, err);
}

int cdc_schema_from_parquet(struct cdc_schema *out, const struct cdc_pq_schema *s,
			    struct cdc_err *err)
{
	struct cdc_field root = { .name = CDC_STR("schema") };
	struct cdc_arena a = CDC_ARENA_INIT;
	int rc;

	if (s->node[0].num_children > CDC_SCHEMA_MAX_FIELDS)
		return cdc_fail(err, CDC_EUNSUPPORTED, "schema has more than %d columns",
				CDC_SCHEMA_MAX_FIELDS);
	root.child = cdc_arena_calloc(&a, (size_t)s->node[0].num_children + 1, sizeof(*root.child));
	rc = root.child ? struct_fields(s, 0, &a, &root, err) : cdc_fail_nomem(err);
	if (rc < 0) {
		cdc_arena_free(&a);
		return rc;
	}
	*out = (struct cdc_schema){ root.child, root.num_children, a };
	return CDC_OK;
}
