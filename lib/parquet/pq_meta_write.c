/*
 * Thrift structs of the file, writing. Field numbers: spec 1.4.
 */
#include "parquet/pq_meta_write.h"

#include "parquet/pq_thrift_write.h"

/* ---------------------------------------------------------------------- pages */

int cdc_pq_write_page_header(const struct cdc_pq_page_header *h, struct cdc_buf *out,
			     struct cdc_err *err)
{
	struct cdc_pq_tw t;

	cdc_pq_tw_init(&t, out, err);
	cdc_pq_tw_i32(&t, 1, (int32_t)h->type);
	cdc_pq_tw_i32(&t, 2, h->uncompressed_size);
	cdc_pq_tw_i32(&t, 3, h->compressed_size);
	if (h->has_crc)
		cdc_pq_tw_i32(&t, 4, (int32_t)h->crc);
	if (h->type == CDC_PQ_DICTIONARY_PAGE) {
		cdc_pq_tw_struct(&t, 7);
		cdc_pq_tw_i32(&t, 1, h->num_values);
		cdc_pq_tw_i32(&t, 2, (int32_t)h->encoding);
	} else {
		cdc_pq_tw_struct(&t, 5);
		cdc_pq_tw_i32(&t, 1, h->num_values);
		cdc_pq_tw_i32(&t, 2, (int32_t)h->encoding);
		cdc_pq_tw_i32(&t, 3, (int32_t)h->def_encoding);
		cdc_pq_tw_i32(&t, 4, (int32_t)h->rep_encoding);
	}
	cdc_pq_tw_end(&t);
	return cdc_pq_tw_finish(&t);
}

int cdc_pq_write_offset_index(const struct cdc_pq_page_entry *page, size_t n, struct cdc_buf *out,
			      struct cdc_err *err)
{
	struct cdc_pq_tw t;

	cdc_pq_tw_init(&t, out, err);
	cdc_pq_tw_list(&t, 1, CDC_PQ_TW_STRUCT, n);
	for (size_t i = 0; i < n; i++) {
		cdc_pq_tw_struct(&t, 0);
		cdc_pq_tw_i64(&t, 1, (int64_t)page[i].offset);
		cdc_pq_tw_i32(&t, 2, page[i].size);
		cdc_pq_tw_i64(&t, 3, page[i].first_row);
		cdc_pq_tw_end(&t);
	}
	return cdc_pq_tw_finish(&t);
}

int cdc_pq_write_column_index(const struct cdc_pq_page_entry *page, size_t n,
			      enum cdc_pq_boundary_order order, bool has_nan_counts,
			      struct cdc_buf *out, struct cdc_err *err)
{
	struct cdc_pq_tw t;

	cdc_pq_tw_init(&t, out, err);
	cdc_pq_tw_list(&t, 1, CDC_PQ_TW_BOOL, n);
	for (size_t i = 0; i < n; i++)
		cdc_pq_tw_elem_bool(&t, !page[i].has_values);
	cdc_pq_tw_list(&t, 2, CDC_PQ_TW_BINARY, n);
	for (size_t i = 0; i < n; i++)
		cdc_pq_tw_elem_binary(&t, page[i].min);
	cdc_pq_tw_list(&t, 3, CDC_PQ_TW_BINARY, n);
	for (size_t i = 0; i < n; i++)
		cdc_pq_tw_elem_binary(&t, page[i].max);
	cdc_pq_tw_i32(&t, 4, (int32_t)order);
	cdc_pq_tw_list(&t, 5, CDC_PQ_TW_I64, n);
	for (size_t i = 0; i < n; i++)
		cdc_pq_tw_elem_int(&t, page[i].null_count);
	if (has_nan_counts) {
		cdc_pq_tw_list(&t, 8, CDC_PQ_TW_I64, n);
		for (size_t i = 0; i < n; i++)
			cdc_pq_tw_elem_int(&t, page[i].nan_count);
	}
	return cdc_pq_tw_finish(&t);
}

/* --------------------------------------------------------------------- schema */

/* Old readers know only converted types, so one is written wherever it means the same. */
static enum cdc_pq_converted converted_of(const struct cdc_pq_node *n)
{
	if (n->converted != CDC_PQ_CONV_NONE)
		return n->converted;
	switch (n->logical) {
	case CDC_PQ_LOGICAL_STRING:
		return CDC_PQ_CONV_UTF8;
	case CDC_PQ_LOGICAL_MAP:
		return CDC_PQ_CONV_MAP;
	case CDC_PQ_LOGICAL_LIST:
		return CDC_PQ_CONV_LIST;
	case CDC_PQ_LOGICAL_ENUM:
		return CDC_PQ_CONV_ENUM;
	case CDC_PQ_LOGICAL_DECIMAL:
		return CDC_PQ_CONV_DECIMAL;
	case CDC_PQ_LOGICAL_DATE:
		return CDC_PQ_CONV_DATE;
	case CDC_PQ_LOGICAL_JSON:
		return CDC_PQ_CONV_JSON;
	case CDC_PQ_LOGICAL_BSON:
		return CDC_PQ_CONV_BSON;
	case CDC_PQ_LOGICAL_TIME: /* the converted types are instants only */
		if (!n->utc || n->unit == CDC_PQ_NANOS)
			return CDC_PQ_CONV_NONE;
		return n->unit == CDC_PQ_MILLIS ? CDC_PQ_CONV_TIME_MILLIS : CDC_PQ_CONV_TIME_MICROS;
	case CDC_PQ_LOGICAL_TIMESTAMP:
		if (!n->utc || n->unit == CDC_PQ_NANOS)
			return CDC_PQ_CONV_NONE;
		return n->unit == CDC_PQ_MILLIS ? CDC_PQ_CONV_TIMESTAMP_MILLIS
						: CDC_PQ_CONV_TIMESTAMP_MICROS;
	case CDC_PQ_LOGICAL_INTEGER: /* 8, 16, 32, 64 -> 0, 1, 2, 3 */
		return (enum cdc_pq_converted)(
			(n->is_signed ? CDC_PQ_CONV_INT_8 : CDC_PQ_CONV_UINT_8) +
			__builtin_ctz((unsigned)n->bit_width | 64) - 3);
	case CDC_PQ_LOGICAL_NONE:
	case CDC_PQ_LOGICAL_UNKNOWN:
	case CDC_PQ_LOGICAL_UUID:
	case CDC_PQ_LOGICAL_FLOAT16:
	case CDC_PQ_LOGICAL_VARIANT:
	case CDC_PQ_LOGICAL_GEOMETRY:
	case CDC_PQ_LOGICAL_GEOGRAPHY:
	case CDC_PQ_LOGICAL_OTHER:
	default:
		return CDC_PQ_CONV_NONE;
	}
}

static void put_logical(struct cdc_pq_tw *t, const struct cdc_pq_node *n)
{
	cdc_pq_tw_struct(t, 10);
	cdc_pq_tw_struct(t, (int16_t)n->logical);
	if (n->logical == CDC_PQ_LOGICAL_DECIMAL) {
		cdc_pq_tw_i32(t, 1, n->scale);
		cdc_pq_tw_i32(t, 2, n->precision);
	} else if (n->logical == CDC_PQ_LOGICAL_TIME || n->logical == CDC_PQ_LOGICAL_TIMESTAMP) {
		cdc_pq_tw_bool(t, 1, n->utc);
		cdc_pq_tw_struct(t, 2);
		cdc_pq_tw_empty(t, (int16_t)n->unit);
		cdc_pq_tw_end(t);
	} else if (n->logical == CDC_PQ_LOGICAL_INTEGER) {
		cdc_pq_tw_i8(t, 1, n->bit_width);
		cdc_pq_tw_bool(t, 2, n->is_signed);
	} else if (n->logical == CDC_PQ_LOGICAL_VARIANT) {
		cdc_pq_tw_i8(t, 1, 1); /* specification version */
	}
	cdc_pq_tw_end(t);
	cdc_pq_tw_end(t);
}

static void put_node(struct cdc_pq_tw *t, const struct cdc_pq_node *n, bool is_root)
{
	enum cdc_pq_converted converted = converted_of(n);

	cdc_pq_tw_struct(t, 0);
	if (n->is_leaf)
		cdc_pq_tw_i32(t, 1, (int32_t)n->type);
	if (n->is_leaf && n->type == CDC_PQ_FIXED)
		cdc_pq_tw_i32(t, 2, n->type_length);
	if (!is_root)
		cdc_pq_tw_i32(t, 3, (int32_t)n->repetition);
	cdc_pq_tw_binary(t, 4, is_root && n->name.n == 0 ? CDC_STR("schema") : n->name);
	if (!n->is_leaf)
		cdc_pq_tw_i32(t, 5, n->num_children);
	if (converted != CDC_PQ_CONV_NONE)
		cdc_pq_tw_i32(t, 6, (int32_t)converted);
	if (converted == CDC_PQ_CONV_DECIMAL || n->logical == CDC_PQ_LOGICAL_DECIMAL) {
		cdc_pq_tw_i32(t, 7, n->scale);
		cdc_pq_tw_i32(t, 8, n->precision);
	}
	if (n->has_field_id)
		cdc_pq_tw_i32(t, 9, n->field_id);
	if (n->logical != CDC_PQ_LOGICAL_NONE && n->logical != CDC_PQ_LOGICAL_OTHER)
		put_logical(t, n);
	cdc_pq_tw_end(t);
}

/* --------------------------------------------------------------------- footer */

static void put_statistics(struct cdc_pq_tw *t, const struct cdc_pq_statistics *s)
{
	cdc_pq_tw_struct(t, 12);
	if (s->has_null_count)
		cdc_pq_tw_i64(t, 3, s->null_count);
	if (s->has_min_max) {
		cdc_pq_tw_binary(t, 5, s->max_value);
		cdc_pq_tw_binary(t, 6, s->min_value);
		cdc_pq_tw_bool(t, 7, s->max_exact);
		cdc_pq_tw_bool(t, 8, s->min_exact);
	}
	if (s->has_nan_count)
		cdc_pq_tw_i64(t, 9, s->nan_count);
	cdc_pq_tw_end(t);
}

static void put_page_count(struct cdc_pq_tw *t, enum cdc_pq_page_type type,
			   enum cdc_pq_encoding encoding, int32_t count)
{
	if (count == 0)
		return;
	cdc_pq_tw_struct(t, 0);
	cdc_pq_tw_i32(t, 1, (int32_t)type);
	cdc_pq_tw_i32(t, 2, (int32_t)encoding);
	cdc_pq_tw_i32(t, 3, count);
	cdc_pq_tw_end(t);
}

/* Without encoding_stats some readers fall back to a path 20 times slower (spec 2.2). */
static void put_page_counts(struct cdc_pq_tw *t, const struct cdc_pq_chunk_meta *c)
{
	static const enum cdc_pq_page_type type[2] = { CDC_PQ_DATA_PAGE, CDC_PQ_DATA_PAGE_V2 };
	size_t kinds = c->dictionary_page;

	for (int v = 0; v < 2; v++)
		for (int e = 0; e < CDC_PQ_NUM_ENCODINGS; e++)
			kinds += c->data_pages[v][e] > 0;
	cdc_pq_tw_list(t, 13, CDC_PQ_TW_STRUCT, kinds);
	put_page_count(t, CDC_PQ_DICTIONARY_PAGE, c->dictionary_encoding, c->dictionary_page);
	/* Dictionary indices first, as they come in a chunk whose dictionary was given up. */
	for (int v = 0; v < 2; v++)
		for (int e = CDC_PQ_NUM_ENCODINGS - 1; e >= 0; e--)
			put_page_count(t, type[v], (enum cdc_pq_encoding)e, c->data_pages[v][e]);
}

static void put_encodings(struct cdc_pq_tw *t, uint32_t encodings)
{
	cdc_pq_tw_list(t, 2, CDC_PQ_TW_I32, (size_t)__builtin_popcount(encodings));
	for (int e = 0; e < 32; e++)
		if (encodings >> e & 1)
			cdc_pq_tw_elem_int(t, e);
}

static void put_path(struct cdc_pq_tw *t, const struct cdc_pq_schema *schema, int32_t leaf)
{
	int32_t path[64];
	size_t depth = 0;

	for (int32_t i = schema->leaf_node[leaf]; i > 0 && depth < 64; i = schema->node[i].parent)
		path[depth++] = i;
	cdc_pq_tw_list(t, 3, CDC_PQ_TW_BINARY, depth);
	while (depth-- > 0)
		cdc_pq_tw_elem_binary(t, schema->node[path[depth]].name);
}

static void put_column_meta(struct cdc_pq_tw *t, const struct cdc_pq_schema *schema, int32_t leaf,
			    const struct cdc_pq_chunk_meta *c)
{
	const struct cdc_pq_column_meta *m = &c->m;

	cdc_pq_tw_struct(t, 3);
	cdc_pq_tw_i32(t, 1, (int32_t)m->type);
	put_encodings(t, m->encodings);
	put_path(t, schema, leaf);
	cdc_pq_tw_i32(t, 4, (int32_t)m->codec);
	cdc_pq_tw_i64(t, 5, m->num_values);
	cdc_pq_tw_i64(t, 6, m->total_uncompressed_size);
	cdc_pq_tw_i64(t, 7, m->total_compressed_size);
	cdc_pq_tw_i64(t, 9, m->data_page_offset);
	if (m->dictionary_page_offset)
		cdc_pq_tw_i64(t, 11, m->dictionary_page_offset);
	put_statistics(t, &m->stats);
	put_page_counts(t, c);
	cdc_pq_tw_end(t);
}

static void put_group(struct cdc_pq_tw *t, const struct cdc_pq_schema *schema,
		      const struct cdc_pq_group_meta *g, size_t ordinal)
{
	cdc_pq_tw_struct(t, 0);
	cdc_pq_tw_list(t, 1, CDC_PQ_TW_STRUCT, (size_t)schema->num_leaves);
	for (int32_t leaf = 0; leaf < schema->num_leaves; leaf++) {
		const struct cdc_pq_column_meta *m = &g->chunk[leaf].m;

		cdc_pq_tw_struct(t, 0);
		cdc_pq_tw_i64(t, 2, 0);
		put_column_meta(t, schema, leaf, &g->chunk[leaf]);
		if (m->offset_index_length > 0) {
			cdc_pq_tw_i64(t, 4, m->offset_index_offset);
			cdc_pq_tw_i32(t, 5, m->offset_index_length);
		}
		if (m->column_index_length > 0) {
			cdc_pq_tw_i64(t, 6, m->column_index_offset);
			cdc_pq_tw_i32(t, 7, m->column_index_length);
		}
		cdc_pq_tw_end(t);
	}
	cdc_pq_tw_i64(t, 2, g->total_byte_size);
	cdc_pq_tw_i64(t, 3, g->num_rows);
	cdc_pq_tw_i64(t, 5, g->file_offset);
	cdc_pq_tw_i64(t, 6, g->total_compressed_size);
	if (ordinal <= INT16_MAX)
		cdc_pq_tw_i16(t, 7, (int16_t)ordinal);
	cdc_pq_tw_end(t);
}

static void put_key_values(struct cdc_pq_tw *t, const struct cdc_pq_key_value *kv, size_t n)
{
	if (!n)
		return;
	cdc_pq_tw_list(t, 5, CDC_PQ_TW_STRUCT, n);
	for (size_t i = 0; i < n; i++) {
		cdc_pq_tw_struct(t, 0);
		cdc_pq_tw_binary(t, 1, cdc_str_z(kv[i].key));
		cdc_pq_tw_binary(t, 2, cdc_str_z(kv[i].value));
		cdc_pq_tw_end(t);
	}
}

int cdc_pq_write_footer(const struct cdc_pq_footer *f, struct cdc_buf *out, struct cdc_err *err)
{
	const struct cdc_pq_schema *schema = f->schema;
	struct cdc_pq_tw t;
	int64_t rows = 0;

	for (size_t i = 0; i < f->num_groups; i++)
		rows += f->group[i].num_rows;
	cdc_pq_tw_init(&t, out, err);
	cdc_pq_tw_i32(&t, 1, 1);
	cdc_pq_tw_list(&t, 2, CDC_PQ_TW_STRUCT, (size_t)schema->num_nodes);
	for (int32_t i = 0; i < schema->num_nodes; i++)
		put_node(&t, &schema->node[i], i == 0);
	cdc_pq_tw_i64(&t, 3, rows);
	cdc_pq_tw_list(&t, 4, CDC_PQ_TW_STRUCT, f->num_groups);
	for (size_t i = 0; i < f->num_groups; i++)
		put_group(&t, schema, &f->group[i], i);
	put_key_values(&t, f->key_value, f->num_key_values);
	cdc_pq_tw_binary(&t, 6, f->created_by);
	/* Without orders readers ignore min_value and max_value (spec 2.3). */
	cdc_pq_tw_list(&t, 7, CDC_PQ_TW_STRUCT, (size_t)schema->num_leaves);
	for (int32_t i = 0; i < schema->num_leaves; i++) {
		cdc_pq_tw_struct(&t, 0);
		cdc_pq_tw_empty(&t, 1);
		cdc_pq_tw_end(&t);
	}
	return cdc_pq_tw_finish(&t);
}
