/*
 * What of a data file Spark does not read though other engines, and this program, do: physical
 * types that its vectorised reader refuses for a column's type (spec section 18), and codecs that
 * it does not bring along.
 */
#include "table/fsck/fsck_int.h"

#include "parquet/pq_shape.h"
#include "table/datafile/datafile_int.h"
#include "table/datafile/nested_reader.h"

#define INT32_BIT (1u << CDC_PQ_INT32)
#define INT64_BIT (1u << CDC_PQ_INT64)
#define INT96_BIT (1u << CDC_PQ_INT96)
#define BYTES_BIT (1u << CDC_PQ_BYTE_ARRAY)
#define FIXED_BIT (1u << CDC_PQ_FIXED)
#define FLOAT_BIT (1u << CDC_PQ_FLOAT)
#define DOUBLE_BIT (1u << CDC_PQ_DOUBLE)

/* Physical types for a column, and those that reading widened types adds (Spark 4). */
static const struct {
	unsigned always;
	unsigned widened;
} readable[] = {
	[CDC_TYPE_BOOLEAN] = { 1u << CDC_PQ_BOOLEAN, 0 },
	[CDC_TYPE_BYTE] = { INT32_BIT, 0 },
	[CDC_TYPE_SHORT] = { INT32_BIT, 0 },
	[CDC_TYPE_INTEGER] = { INT32_BIT, 0 },
	[CDC_TYPE_LONG] = { INT64_BIT, INT32_BIT },
	[CDC_TYPE_FLOAT] = { FLOAT_BIT, 0 },
	[CDC_TYPE_DOUBLE] = { DOUBLE_BIT | FLOAT_BIT, INT32_BIT },
	[CDC_TYPE_DECIMAL] = { INT32_BIT | INT64_BIT | BYTES_BIT | FIXED_BIT, 0 },
	[CDC_TYPE_STRING] = { BYTES_BIT, 0 },
	[CDC_TYPE_BINARY] = { BYTES_BIT | FIXED_BIT, 0 },
	[CDC_TYPE_DATE] = { INT32_BIT, 0 },
	[CDC_TYPE_TIMESTAMP] = { INT64_BIT | INT96_BIT, 0 },
	[CDC_TYPE_TIMESTAMP_NTZ] = { INT64_BIT, INT32_BIT },
};

struct types {
	struct fsck *k;
	const struct cdc_datafile *df;
	const struct cdc_pq_schema *file;
	struct fsck_place at;
	bool widening; /* the table has the feature */
};

static bool is_unsigned(const struct cdc_pq_node *n)
{
	return (n->logical == CDC_PQ_LOGICAL_INTEGER && !n->is_signed) ||
	       (n->converted >= CDC_PQ_CONV_UINT_8 && n->converted <= CDC_PQ_CONV_UINT_64);
}

static bool is_decimal(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_DECIMAL || n->converted == CDC_PQ_CONV_DECIMAL;
}

static bool is_nanos(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_TIMESTAMP && n->unit == CDC_PQ_NANOS;
}

static bool is_utc(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_TIMESTAMP
		       ? n->utc
		       : n->converted == CDC_PQ_CONV_TIMESTAMP_MICROS ||
				 n->converted == CDC_PQ_CONV_TIMESTAMP_MILLIS;
}

static bool is_timestamp(const struct cdc_pq_node *n)
{
	return n->logical == CDC_PQ_LOGICAL_TIMESTAMP ||
	       n->converted == CDC_PQ_CONV_TIMESTAMP_MICROS ||
	       n->converted == CDC_PQ_CONV_TIMESTAMP_MILLIS;
}

/* Why the leaf is not read as the field, NULL: it is. */
static const char *refusal(const struct types *t, const struct cdc_field *f,
			   const struct cdc_pq_node *n)
{
	unsigned can = readable[f->type].always | (t->widening ? readable[f->type].widened : 0);

	if (n->logical == CDC_PQ_LOGICAL_UNKNOWN)
		return NULL;
	if (!(can & 1u << n->type))
		return "its physical type";
	if (n->logical == CDC_PQ_LOGICAL_TIME || n->converted == CDC_PQ_CONV_TIME_MILLIS ||
	    n->converted == CDC_PQ_CONV_TIME_MICROS)
		return "a time of the day";
	if (n->logical == CDC_PQ_LOGICAL_FLOAT16)
		return "floats of 16 bits";
	if (f->type <= CDC_TYPE_LONG && is_unsigned(n))
		return "unsigned integers";
	if (is_nanos(n))
		return "timestamps in nanoseconds";
	if (f->type == CDC_TYPE_TIMESTAMP && n->type == CDC_PQ_INT64 && !is_timestamp(n))
		return "integers that are no timestamps";
	if (f->type == CDC_TYPE_TIMESTAMP_NTZ && n->type == CDC_PQ_INT64 && is_utc(n))
		return "timestamps in UTC";
	if (f->type == CDC_TYPE_DECIMAL && is_decimal(n) && !t->widening &&
	    (n->scale != f->scale || n->precision > f->precision))
		return "decimals of another precision or scale";
	return NULL;
}

static int check_leaf(struct types *t, const struct cdc_field *f, int32_t node, struct cdc_err *err)
{
	const struct cdc_pq_node *n = &t->file->node[node];
	char name[CDC_TYPE_NAME_MAX];
	const char *why;

	/* Another kind of thing altogether is told of when the column is read. */
	if (!n->is_leaf || !cdc_type_is_primitive(f->type))
		return CDC_OK;
	why = refusal(t, f, n);
	if (!why)
		return CDC_OK;
	return fsck_report(t->k, FSCK_SPARK_TYPE, t->at, err,
			   "column \"%.*s\" of type %s is stored as what Spark does not read as "
			   "such: %s",
			   FSCK_SHOWN(f->name), cdc_type_name(f, name), why);
}

static int check_field(struct types *t, const struct cdc_field *f, int32_t node,
		       struct cdc_err *err);

static int check_struct(struct types *t, const struct cdc_field *f, int32_t node,
			struct cdc_err *err)
{
	int32_t guess = node + 1;
	int rc = CDC_OK;

	for (int i = 0; !rc && i < f->num_children; i++) {
		int32_t child = cdc_nested_find(t->file, node, &f->child[i], t->df->by_id, guess);

		if (child < 0)
			continue;
		guess = child + 1;
		rc = check_field(t, &f->child[i], child, err);
	}
	return rc;
}

static int check_field(struct types *t, const struct cdc_field *f, int32_t node,
		       struct cdc_err *err)
{
	struct cdc_pq_shape shape;
	int rc = CDC_OK;

	if (f->type == CDC_TYPE_STRUCT && !t->file->node[node].is_leaf)
		return check_struct(t, f, node, err);
	if (f->type != CDC_TYPE_ARRAY && f->type != CDC_TYPE_MAP)
		return check_leaf(t, f, node, err);
	shape = cdc_pq_shape_as(t->file, node, false,
				f->type == CDC_TYPE_ARRAY ? CDC_PQ_SHAPE_LIST : CDC_PQ_SHAPE_MAP);
	if (shape.kind != CDC_PQ_SHAPE_LIST && shape.kind != CDC_PQ_SHAPE_MAP)
		return CDC_OK;
	/* An element that is itself the repeated node is a list's of the old form. */
	if (f->num_children > 0 && shape.first != node)
		rc = check_field(t, &f->child[0], shape.first, err);
	if (!rc && f->num_children > 1 && shape.kind == CDC_PQ_SHAPE_MAP && shape.second >= 0)
		rc = check_field(t, &f->child[1], shape.second, err);
	return rc;
}

static int check_codecs(struct types *t, struct cdc_err *err)
{
	const struct cdc_pq_metadata *m = cdc_pq_metadata(t->df->pq);

	for (int32_t g = 0; g < m->num_row_groups; g++) {
		for (int32_t l = 0; l < m->schema.num_leaves; l++) {
			enum cdc_pq_codec c = m->row_group[g].column[l].codec;

			if (c == CDC_PQ_BROTLI || c == CDC_PQ_LZO)
				return fsck_report(t->k, FSCK_SPARK_CODEC, t->at, err,
						   "it is compressed with %s, which Spark does not "
						   "have of its own",
						   c == CDC_PQ_LZO ? "LZO" : "Brotli");
		}
	}
	return CDC_OK;
}

int fsck_types(struct fsck *k, const struct cdc_datafile *df, struct cdc_err *err)
{
	const struct cdc_schema *schema = &k->s->schema;
	struct types t = { .k = k,
			   .df = df,
			   .file = &cdc_pq_metadata(df->pq)->schema,
			   .at = { df->add->path, -1 } };
	int rc = check_codecs(&t, err);

	t.widening = cdc_protocol_has_feature(&k->s->protocol, "typeWidening") ||
		     cdc_protocol_has_feature(&k->s->protocol, "typeWidening-preview");
	for (int i = 0; !rc && i < schema->num_fields; i++)
		if (df->node[i] >= 0 && !schema->field[i].is_partition)
			rc = check_field(&t, &schema->field[i], df->node[i], err);
	return rc;
}
