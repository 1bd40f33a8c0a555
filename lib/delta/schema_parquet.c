/*
 * The Parquet schema of a table's data files: parquet-format "Logical Types" as Delta writers use
 * them: lists as list.element, maps as key_value.key and value, variants as value and metadata.
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

bool cdc_schema_leaf(struct cdc_pq_node *n, const struct cdc_field *f)
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

/* ------------------------------------------------------------------ the tree */

struct tree {
	struct cdc_pq_node *node;
	int32_t n;
	bool annotate; /* variants */
};

static int cannot(const struct cdc_field *f, struct cdc_err *err)
{
	char name[CDC_TYPE_NAME_MAX];

	return cdc_fail(err, CDC_EUNSUPPORTED, "column \"%.*s\": type %s cannot be written",
			(int)(f->name.n > 128 ? 128 : f->name.n), f->name.p,
			cdc_type_name(f, name));
}

/* Nodes that a field takes: a list and a map have one between them and their entries. */
static int32_t count_nodes(const struct cdc_field *f)
{
	int32_t n = f->type == CDC_TYPE_ARRAY || f->type == CDC_TYPE_MAP ? 2 : 1;

	if (f->type == CDC_TYPE_VOID)
		return 0;
	if (f->type == CDC_TYPE_VARIANT)
		return 3;
	for (int i = 0; i < f->num_children; i++)
		n += count_nodes(&f->child[i]);
	return n;
}

static struct cdc_pq_node *put_node(struct tree *t, struct cdc_str name,
				    enum cdc_pq_repetition repetition)
{
	struct cdc_pq_node *n = &t->node[t->n++];

	n->name = name;
	n->repetition = repetition;
	n->converted = CDC_PQ_CONV_NONE;
	return n;
}

static int put_field(struct tree *t, const struct cdc_field *f, struct cdc_err *err);

static int put_children(struct tree *t, const struct cdc_field *f, struct cdc_pq_node *parent,
			struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; rc == CDC_OK && i < f->num_children; i++) {
		/* Lists and maps cannot do without what is in them. */
		if (f->child[i].type == CDC_TYPE_VOID && f->type == CDC_TYPE_STRUCT)
			continue;
		parent->num_children++;
		rc = put_field(t, &f->child[i], err);
	}
	return rc;
}

static int put_entries(struct tree *t, const struct cdc_field *f, struct cdc_pq_node *group,
		       struct cdc_err *err)
{
	bool map = f->type == CDC_TYPE_MAP;

	group->converted = map ? CDC_PQ_CONV_MAP : CDC_PQ_CONV_LIST;
	group->logical = map ? CDC_PQ_LOGICAL_MAP : CDC_PQ_LOGICAL_LIST;
	group->num_children = 1;
	return put_children(
		t, f, put_node(t, map ? CDC_STR("key_value") : CDC_STR("list"), CDC_PQ_REPEATED),
		err);
}

/* Both binaries are there or the variant is null (Delta protocol, "Variant Data Type"). */
static void put_variant(struct tree *t, struct cdc_pq_node *group)
{
	static const char *const part[] = { "value", "metadata" };

	if (t->annotate)
		group->logical = CDC_PQ_LOGICAL_VARIANT;
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		struct cdc_pq_node *n = put_node(t, cdc_str_z(part[i]), CDC_PQ_REQUIRED);

		n->is_leaf = true;
		n->type = CDC_PQ_BYTE_ARRAY;
		group->num_children++;
	}
}

static int put_field(struct tree *t, const struct cdc_field *f, struct cdc_err *err)
{
	struct cdc_pq_node *n =
		put_node(t, f->physical_name, f->nullable ? CDC_PQ_OPTIONAL : CDC_PQ_REQUIRED);
	int rc;

	n->has_field_id = f->has_field_id;
	n->field_id = f->field_id;
	if (f->type == CDC_TYPE_ARRAY || f->type == CDC_TYPE_MAP)
		return put_entries(t, f, n, err);
	if (f->type == CDC_TYPE_STRUCT) {
		rc = put_children(t, f, n, err);
		/* Nothing in the file would tell such a struct from null. */
		return rc == CDC_OK && !n->num_children ? cannot(f, err) : rc;
	}
	if (f->type == CDC_TYPE_VARIANT) {
		put_variant(t, n);
		return CDC_OK;
	}
	n->is_leaf = true;
	return cdc_schema_leaf(n, f) ? CDC_OK : cannot(f, err);
}

static int to_parquet(const struct cdc_schema *s, bool annotate, struct cdc_pq_schema *out,
		      struct cdc_arena *arena, struct cdc_err *err)
{
	struct tree t = { NULL, 0, annotate };
	int32_t n = 1;
	int rc = CDC_OK;

	for (int i = 0; i < s->num_fields; i++)
		n += count_nodes(&s->field[i]);
	t.node = cdc_arena_calloc(arena, (size_t)n + 1, sizeof(*t.node));
	if (!t.node)
		return cdc_fail_nomem(err);
	put_node(&t, CDC_STR("schema"), CDC_PQ_REQUIRED);
	for (int i = 0; rc == CDC_OK && i < s->num_fields; i++) {
		/* Columns of type void are null wherever they are, and in no file. */
		if (s->field[i].is_partition || s->field[i].type == CDC_TYPE_VOID)
			continue;
		t.node[0].num_children++;
		rc = put_field(&t, &s->field[i], err);
	}
	if (rc == CDC_OK && !t.node[0].num_children)
		rc = cdc_fail(err, CDC_EUNSUPPORTED, "no column of the table can be in a file");
	if (rc < 0)
		return rc;
	*out = (struct cdc_pq_schema){ .node = t.node, .num_nodes = t.n };
	return cdc_pq_schema_finish(out, arena, err);
}

/*
 * In a table the schema tells which columns are variants, and Spark 4.0, whose parquet-java
 * is 1.15, cannot open a file with an annotation that is newer than itself.
 */
int cdc_schema_to_parquet(const struct cdc_schema *s, struct cdc_pq_schema *out,
			  struct cdc_arena *arena, struct cdc_err *err)
{
	return to_parquet(s, false, out, arena, err);
}

int cdc_schema_to_single_parquet(const struct cdc_schema *s, struct cdc_pq_schema *out,
				 struct cdc_arena *arena, struct cdc_err *err)
{
	return to_parquet(s, true, out, arena, err);
}
