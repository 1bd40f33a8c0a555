/*
 * FileMetaData: from the footer's bytes to struct cdc_pq_metadata.
 *
 * Field numbers: parquet.thrift of parquet-format 2.13 (spec 1.4). Fields that are not listed are
 * skipped by their wire type. What a list may allocate is bounded by the bytes that its elements
 * take at least.
 */
#include "parquet/pq_meta_read.h"

/* The least bytes of a SchemaElement (name), a RowGroup (columns, num_rows), a ColumnChunk
 * (a nested struct) and a KeyValue (perhaps nothing), STOP included: a longer list cannot be true.
 */
enum { MIN_NODE = 3, MIN_GROUP = 5, MIN_CHUNK = 3, MIN_ENTRY = 1 };

/* Largest FIXED_LEN_BYTE_ARRAY, and most schema elements (spec 3.5): these take 30 times the bytes
 * in memory that they take in the file. */
#define MAX_TYPE_LENGTH (1 << 20)
#define MAX_NODES (1u << 20)

struct parser {
	struct cdc_pq_tread r;
	struct cdc_pq_metadata *m;
	struct cdc_err *err;
	int rc; /* an error that is not the cursor's */
	struct cdc_pq_tread *path; /* of the row group's chunks: where path_in_schema is */
	bool has_rows;
};

int cdc_pq_tread_error(const struct cdc_pq_tread *r, const char *what, struct cdc_err *err)
{
	cdc_fail(err, CDC_ECORRUPT, "%s: %s", what, r->bad);
	cdc_err_offset(err, cdc_pq_tread_used(r));
	return CDC_ECORRUPT;
}

/* Stop the cursor for a reason that has its own code. */
static void stop(struct parser *ps, int rc)
{
	if (!ps->rc)
		ps->rc = rc;
	cdc_pq_tread_fail(&ps->r, "stopped");
}

static void *alloc(struct parser *ps, size_t count, size_t size)
{
	void *p = cdc_arena_calloc(&ps->m->arena, count ? count : 1, size);

	if (!p)
		stop(ps, cdc_fail_nomem(ps->err));
	return p;
}

/* A list whose elements take `least` bytes each. */
static uint32_t struct_list(struct parser *ps, size_t least)
{
	uint32_t n = cdc_pq_tread_list(&ps->r, CDC_PQ_WIRE_STRUCT);

	if (n > (size_t)(ps->r.end - ps->r.p) / least) {
		cdc_pq_tread_fail(&ps->r, "a list is longer than what is left");
		return 0;
	}
	return n;
}

/* A struct of which nothing is wanted. */
static void pass_struct(struct cdc_pq_tread *r)
{
	static const struct cdc_pq_twant nothing = { { 0 } };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;

	while (cdc_pq_tread_field(r, &f, &nothing))
		;
}

/* ------------------------------------------------------------------ schema */

static void read_time_unit(struct cdc_pq_tread *r, struct cdc_pq_node *n)
{
	static const struct cdc_pq_twant want = { {
		[CDC_PQ_MILLIS] = CDC_PQ_WIRE_STRUCT,
		[CDC_PQ_MICROS] = CDC_PQ_WIRE_STRUCT,
		[CDC_PQ_NANOS] = CDC_PQ_WIRE_STRUCT,
	} };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;

	while (cdc_pq_tread_field(r, &f, &want)) {
		n->unit = (enum cdc_pq_time_unit)f.id;
		pass_struct(r);
	}
}

static void read_decimal(struct cdc_pq_tread *r, struct cdc_pq_node *n)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_I32,
		[2] = CDC_PQ_WIRE_I32,
	} };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;

	while (cdc_pq_tread_field(r, &f, &want)) {
		if (f.id == 1)
			n->scale = cdc_pq_tread_i32(r);
		else
			n->precision = cdc_pq_tread_i32(r);
	}
}

static void read_time(struct cdc_pq_tread *r, struct cdc_pq_node *n)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_TRUE,
		[2] = CDC_PQ_WIRE_STRUCT,
	} };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;

	while (cdc_pq_tread_field(r, &f, &want)) {
		if (f.id == 1)
			n->utc = cdc_pq_tread_bool(r, &f);
		else
			read_time_unit(r, n);
	}
	/* A unit that is newer than this list: then the type is too. */
	if (!n->unit)
		n->logical = CDC_PQ_LOGICAL_OTHER;
}

static void read_integer(struct cdc_pq_tread *r, struct cdc_pq_node *n)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_I8,
		[2] = CDC_PQ_WIRE_TRUE,
	} };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;

	while (cdc_pq_tread_field(r, &f, &want)) {
		if (f.id == 1)
			n->bit_width = cdc_pq_tread_i8(r);
		else
			n->is_signed = cdc_pq_tread_bool(r, &f);
	}
}

static void read_logical(struct cdc_pq_tread *r, struct cdc_pq_node *n)
{
	struct cdc_pq_twant want = { { 0 } };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;

	for (int id = CDC_PQ_LOGICAL_STRING; id <= CDC_PQ_LOGICAL_GEOGRAPHY; id++)
		want.type[id] = CDC_PQ_WIRE_STRUCT;
	want.type[9] = 0; /* reserved for intervals, never given out */
	n->logical = CDC_PQ_LOGICAL_OTHER;
	while (cdc_pq_tread_field(r, &f, &want)) {
		n->logical = (enum cdc_pq_logical)f.id;
		if (f.id == CDC_PQ_LOGICAL_DECIMAL)
			read_decimal(r, n);
		else if (f.id == CDC_PQ_LOGICAL_TIME || f.id == CDC_PQ_LOGICAL_TIMESTAMP)
			read_time(r, n);
		else if (f.id == CDC_PQ_LOGICAL_INTEGER)
			read_integer(r, n);
		else
			pass_struct(r);
	}
}

/* What cannot be read of a logical type is one that is not known: the physical type counts. */
static void read_optional_logical(struct cdc_pq_tread *r, const struct cdc_pq_tfield *f,
				  struct cdc_pq_node *n)
{
	const struct cdc_pq_tread before = *r;
	const struct cdc_pq_node without = *n;

	read_logical(r, n);
	if (!cdc_pq_tread_forgive(r, &before, f))
		return;
	*n = without;
	n->logical = CDC_PQ_LOGICAL_OTHER;
}

static void check_node(struct cdc_pq_tread *r, const struct cdc_pq_node *n)
{
	bool decimal = n->logical == CDC_PQ_LOGICAL_DECIMAL || n->converted == CDC_PQ_CONV_DECIMAL;

	if (n->num_children < 0)
		cdc_pq_tread_fail(r, "a schema element has a negative number of children");
	if (!n->is_leaf)
		return;
	if ((int)n->type < 0 || n->type > CDC_PQ_FIXED)
		cdc_pq_tread_fail(r, "a column has an unknown physical type");
	else if (n->type == CDC_PQ_FIXED &&
		 (n->type_length < 1 || n->type_length > MAX_TYPE_LENGTH))
		cdc_pq_tread_fail(r, "a fixed-length column has no valid length");
	else if (decimal && (n->precision < 1 || n->scale < 0 || n->scale > n->precision))
		cdc_pq_tread_fail(r, "a decimal has no valid precision and scale");
}

static void read_node(struct parser *ps, struct cdc_pq_node *n)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_I32,
		[2] = CDC_PQ_WIRE_I32,
		[3] = CDC_PQ_WIRE_I32,
		[4] = CDC_PQ_WIRE_BINARY,
		[5] = CDC_PQ_WIRE_I32,
		[6] = CDC_PQ_WIRE_I32,
		[7] = CDC_PQ_WIRE_I32,
		[8] = CDC_PQ_WIRE_I32,
		[9] = CDC_PQ_WIRE_I32,
		[10] = CDC_PQ_WIRE_STRUCT,
	} };
	struct cdc_pq_tread *r = &ps->r;
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
	bool has_type = false;
	bool has_name = false;

	n->converted = CDC_PQ_CONV_NONE;
	n->is_signed = true;
	while (cdc_pq_tread_field(r, &f, &want)) {
		switch (f.id) {
		case 1:
			n->type = (enum cdc_pq_type)cdc_pq_tread_i32(r);
			has_type = true;
			break;
		case 2:
			n->type_length = cdc_pq_tread_i32(r);
			break;
		case 3:
			n->repetition = (enum cdc_pq_repetition)cdc_pq_tread_i32(r);
			break;
		case 4:
			n->name = cdc_pq_tread_binary(r);
			has_name = true;
			break;
		case 5:
			n->num_children = cdc_pq_tread_i32(r);
			break;
		case 6:
			n->converted = (enum cdc_pq_converted)cdc_pq_tread_i32(r);
			break;
		case 7:
			n->scale = cdc_pq_tread_i32(r);
			break;
		case 8:
			n->precision = cdc_pq_tread_i32(r);
			break;
		case 9:
			n->field_id = cdc_pq_tread_i32(r);
			n->has_field_id = true;
			break;
		case 10:
			read_optional_logical(r, &f, n);
			break;
		default:
			break;
		}
	}
	n->is_leaf = has_type && n->num_children == 0;
	if (!has_name)
		cdc_pq_tread_fail(r, "a schema element has no name");
	check_node(r, n);
}

static void read_schema(struct parser *ps)
{
	struct cdc_pq_schema *s = &ps->m->schema;
	uint32_t n = struct_list(ps, MIN_NODE);
	int rc;

	if (s->node) {
		cdc_pq_tread_fail(&ps->r, "the schema comes twice");
		return;
	}
	if (n > MAX_NODES) {
		cdc_pq_tread_fail(&ps->r, "the schema has over a million elements");
		return;
	}
	s->node = alloc(ps, n, sizeof(*s->node));
	if (!s->node)
		return;
	for (uint32_t i = 0; i < n && !ps->r.bad; i++)
		read_node(ps, &s->node[i]);
	if (ps->r.bad)
		return;
	s->num_nodes = (int32_t)n;
	rc = cdc_pq_schema_finish(s, &ps->m->arena, ps->err);
	if (rc < 0)
		stop(ps, rc);
}

/* ------------------------------------------------------------------ row groups */

/* Fields 1 and 2 are in signed order whatever the type: they serve signed integers alone. */
static bool old_bounds_serve(enum cdc_pq_type type)
{
	return type == CDC_PQ_INT32 || type == CDC_PQ_INT64;
}

/* has_min_max is set when both are there; apply_orders judges it once the orders are known. */
static void read_statistics(struct cdc_pq_tread *r, struct cdc_pq_statistics *s,
			    enum cdc_pq_type type)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_BINARY,
		[2] = CDC_PQ_WIRE_BINARY,
		[3] = CDC_PQ_WIRE_I64,
		[5] = CDC_PQ_WIRE_BINARY,
		[6] = CDC_PQ_WIRE_BINARY,
		[7] = CDC_PQ_WIRE_TRUE,
		[8] = CDC_PQ_WIRE_TRUE,
		[9] = CDC_PQ_WIRE_I64,
	} };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
	struct cdc_str v[9] = { { NULL, 0 } };

	s->min_exact = true;
	s->max_exact = true;
	while (cdc_pq_tread_field(r, &f, &want)) {
		switch (f.id) {
		case 1:
		case 2:
		case 5:
		case 6:
			v[f.id] = cdc_pq_tread_binary(r);
			break;
		case 3:
			s->null_count = cdc_pq_tread_i64(r);
			s->has_null_count = s->null_count >= 0;
			break;
		case 7:
			s->max_exact = cdc_pq_tread_bool(r, &f);
			break;
		case 8:
			s->min_exact = cdc_pq_tread_bool(r, &f);
			break;
		case 9:
			s->nan_count = cdc_pq_tread_i64(r);
			s->has_nan_count = s->nan_count >= 0;
			break;
		default:
			break;
		}
	}
	if (v[5].p && v[6].p) {
		s->max_value = v[5];
		s->min_value = v[6];
	} else if (v[1].p && v[2].p && old_bounds_serve(type)) {
		s->max_value = v[1];
		s->min_value = v[2];
	}
	s->has_min_max = s->min_value.p && s->max_value.p;
}

/* encoding_stats: true when there are data pages and all of them are dictionary-encoded. */
static bool read_encoding_stats(struct cdc_pq_tread *r)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_I32,
		[2] = CDC_PQ_WIRE_I32,
		[3] = CDC_PQ_WIRE_I32,
	} };
	uint32_t n = cdc_pq_tread_list(r, CDC_PQ_WIRE_STRUCT);
	bool any = false;
	bool all = true;

	for (uint32_t i = 0; i < n && !r->bad; i++) {
		struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
		int32_t v[4] = { 0, -1, -1, 0 };

		while (cdc_pq_tread_field(r, &f, &want))
			v[f.id] = cdc_pq_tread_i32(r);
		if (v[3] <= 0 || (v[1] != CDC_PQ_DATA_PAGE && v[1] != CDC_PQ_DATA_PAGE_V2))
			continue;
		any = true;
		all = all && (v[2] == CDC_PQ_PLAIN_DICTIONARY || v[2] == CDC_PQ_RLE_DICTIONARY);
	}
	return any && all;
}

static uint32_t read_encodings(struct cdc_pq_tread *r)
{
	uint32_t n = cdc_pq_tread_list(r, CDC_PQ_WIRE_I32);
	uint32_t set = 0;

	for (uint32_t i = 0; i < n && !r->bad; i++) {
		int32_t e = cdc_pq_tread_i32(r);

		if (e >= 0 && e < 32)
			set |= UINT32_C(1) << e;
	}
	return set;
}

/* A part that rows can be read without: what is wrong in it takes it away and nothing else. */
static void read_optional(struct cdc_pq_tread *r, const struct cdc_pq_tfield *f,
			  struct cdc_pq_column_meta *c)
{
	const struct cdc_pq_tread before = *r;

	if (f->id == 2)
		c->encodings = read_encodings(r);
	else if (f->id == 12)
		read_statistics(r, &c->stats, c->type);
	else
		c->all_dictionary = read_encoding_stats(r);
	if (!cdc_pq_tread_forgive(r, &before, f))
		return;
	if (f->id == 2)
		c->encodings = 0;
	else if (f->id == 12)
		c->stats = (struct cdc_pq_statistics){ 0 };
	else
		c->all_dictionary = false;
}

enum { HAS_TYPE = 1, HAS_CODEC = 2, HAS_VALUES = 4, HAS_SIZE = 8, HAS_OFFSET = 16, HAS_ALL = 31 };

static unsigned read_column_meta(struct cdc_pq_tread *r, struct cdc_pq_column_meta *c,
				 struct cdc_pq_tread *path)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_I32,
		[2] = CDC_PQ_WIRE_LIST,
		[3] = CDC_PQ_WIRE_LIST,
		[4] = CDC_PQ_WIRE_I32,
		[5] = CDC_PQ_WIRE_I64,
		[6] = CDC_PQ_WIRE_I64,
		[7] = CDC_PQ_WIRE_I64,
		[9] = CDC_PQ_WIRE_I64,
		[11] = CDC_PQ_WIRE_I64,
		[12] = CDC_PQ_WIRE_STRUCT,
		[13] = CDC_PQ_WIRE_LIST,
		[14] = CDC_PQ_WIRE_I64,
		[15] = CDC_PQ_WIRE_I32,
	} };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
	unsigned has = 0;

	while (cdc_pq_tread_field(r, &f, &want)) {
		switch (f.id) {
		case 1:
			c->type = (enum cdc_pq_type)cdc_pq_tread_i32(r);
			has |= HAS_TYPE;
			break;
		case 2:
		case 12:
		case 13:
			read_optional(r, &f, c);
			break;
		case 3:
			*path = *r;
			cdc_pq_tread_pass(r, &f);
			break;
		case 4:
			c->codec = (enum cdc_pq_codec)cdc_pq_tread_i32(r);
			has |= HAS_CODEC;
			break;
		case 5:
			c->num_values = cdc_pq_tread_i64(r);
			has |= HAS_VALUES;
			break;
		case 6:
			c->total_uncompressed_size = cdc_pq_tread_i64(r);
			break;
		case 7:
			c->total_compressed_size = cdc_pq_tread_i64(r);
			has |= HAS_SIZE;
			break;
		case 9:
			c->data_page_offset = cdc_pq_tread_i64(r);
			has |= HAS_OFFSET;
			break;
		case 11:
			c->dictionary_page_offset = cdc_pq_tread_i64(r);
			break;
		case 14:
			c->bloom_filter_offset = cdc_pq_tread_i64(r);
			break;
		case 15:
			c->bloom_filter_length = cdc_pq_tread_i32(r);
			break;
		default:
			break;
		}
	}
	return has;
}

static void read_chunk(struct cdc_pq_tread *r, struct cdc_pq_column_meta *c,
		       struct cdc_pq_tread *path)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_BINARY,
		[3] = CDC_PQ_WIRE_STRUCT,
		[4] = CDC_PQ_WIRE_I64,
		[5] = CDC_PQ_WIRE_I32,
		[6] = CDC_PQ_WIRE_I64,
		[7] = CDC_PQ_WIRE_I32,
		[8] = CDC_PQ_WIRE_STRUCT,
		[9] = CDC_PQ_WIRE_BINARY,
	} };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
	unsigned has = 0;

	while (cdc_pq_tread_field(r, &f, &want)) {
		switch (f.id) {
		case 1:
			c->has_file_path = cdc_pq_tread_binary(r).n > 0;
			break;
		case 3:
			has = read_column_meta(r, c, path);
			break;
		case 4:
			c->offset_index_offset = cdc_pq_tread_i64(r);
			break;
		case 5:
			c->offset_index_length = cdc_pq_tread_i32(r);
			break;
		case 6:
			c->column_index_offset = cdc_pq_tread_i64(r);
			break;
		case 7:
			c->column_index_length = cdc_pq_tread_i32(r);
			break;
		case 8:
			c->encrypted = true;
			pass_struct(r);
			break;
		case 9:
			c->encrypted = true;
			cdc_pq_tread_binary(r);
			break;
		default:
			break;
		}
	}
	/* Where the metadata is encrypted too there is nothing to check. */
	if (c->encrypted && !has)
		return;
	if (has != HAS_ALL)
		cdc_pq_tread_fail(r, "a column chunk lacks a required field");
	else if (c->num_values < 0 || c->total_compressed_size < 0)
		cdc_pq_tread_fail(r, "a column chunk has a negative size");
}

/* Once it is known which leaf each chunk is of. */
static void check_types(struct parser *ps, struct cdc_pq_row_group *g)
{
	const struct cdc_pq_schema *s = &ps->m->schema;

	for (int32_t i = 0; i < s->num_leaves; i++) {
		struct cdc_pq_column_meta *c = &g->column[i];
		enum cdc_pq_type type = s->node[s->leaf_node[i]].type;

		/* A column that is encrypted is refused when it is opened. */
		if (c->encrypted)
			c->type = type;
		else if (c->type != type)
			cdc_pq_tread_fail(&ps->r, "a column chunk is not of its column's type");
	}
}

static void read_chunks(struct parser *ps, struct cdc_pq_row_group *g)
{
	const struct cdc_pq_schema *s = &ps->m->schema;
	uint32_t n = struct_list(ps, MIN_CHUNK);
	int rc;

	if (!ps->r.bad && n != (uint32_t)s->num_leaves)
		cdc_pq_tread_fail(&ps->r, "a row group has not one chunk for each column");
	if (ps->r.bad)
		return;
	g->column = alloc(ps, n, sizeof(*g->column));
	if (g->column && !ps->path)
		ps->path = alloc(ps, n, sizeof(*ps->path));
	for (uint32_t i = 0; i < n && !ps->r.bad; i++) {
		ps->path[i] = (struct cdc_pq_tread){ 0 };
		read_chunk(&ps->r, &g->column[i], &ps->path[i]);
	}
	if (ps->r.bad)
		return;
	rc = cdc_pq_order_chunks(s, ps->path, g->column, ps->err);
	if (rc < 0)
		stop(ps, rc);
	else
		check_types(ps, g);
}

static void read_row_group(struct parser *ps, struct cdc_pq_row_group *g)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_LIST,
		[2] = CDC_PQ_WIRE_I64,
		[3] = CDC_PQ_WIRE_I64,
		[5] = CDC_PQ_WIRE_I64,
		[6] = CDC_PQ_WIRE_I64,
	} };
	struct cdc_pq_tread *r = &ps->r;
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
	bool has_rows = false;

	while (cdc_pq_tread_field(r, &f, &want)) {
		switch (f.id) {
		case 1:
			read_chunks(ps, g);
			break;
		case 2:
			g->total_byte_size = cdc_pq_tread_i64(r);
			break;
		case 3:
			g->num_rows = cdc_pq_tread_i64(r);
			has_rows = true;
			break;
		case 5:
			g->file_offset = cdc_pq_tread_i64(r);
			break;
		case 6:
			g->total_compressed_size = cdc_pq_tread_i64(r);
			break;
		default:
			break;
		}
	}
	if (!g->column || !has_rows)
		cdc_pq_tread_fail(r, "a row group lacks a required field");
	else if (g->num_rows < 0)
		cdc_pq_tread_fail(r, "a row group has a negative number of rows");
}

static void read_row_groups(struct parser *ps)
{
	struct cdc_pq_metadata *m = ps->m;
	uint32_t n = struct_list(ps, MIN_GROUP);

	if (!m->schema.node || m->row_group) {
		cdc_pq_tread_fail(&ps->r, "the row groups come before the schema, or twice");
		return;
	}
	m->row_group = alloc(ps, n, sizeof(*m->row_group));
	if (!m->row_group)
		return;
	for (uint32_t i = 0; i < n && !ps->r.bad; i++)
		read_row_group(ps, &m->row_group[i]);
	m->num_row_groups = (int32_t)n;
}

/* ------------------------------------------------------------------ file */

static void read_entry(struct cdc_pq_tread *r, struct cdc_pq_meta_entry *e)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_BINARY,
		[2] = CDC_PQ_WIRE_BINARY,
	} };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;

	while (cdc_pq_tread_field(r, &f, &want)) {
		if (f.id == 1)
			e->key = cdc_pq_tread_binary(r);
		else
			e->value = cdc_pq_tread_binary(r);
	}
}

static void read_entries(struct parser *ps)
{
	struct cdc_pq_metadata *m = ps->m;
	uint32_t n = struct_list(ps, MIN_ENTRY);

	if (ps->r.bad)
		return;
	m->entry = alloc(ps, n, sizeof(*m->entry));
	m->num_entries = m->entry ? n : 0;
	for (uint32_t i = 0; i < m->num_entries && !ps->r.bad; i++)
		read_entry(&ps->r, &m->entry[i]);
}

static enum cdc_pq_trust read_order(struct cdc_pq_tread *r)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_STRUCT,
	} };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
	enum cdc_pq_trust order = CDC_PQ_TRUST_OTHER;

	while (cdc_pq_tread_field(r, &f, &want)) {
		order = CDC_PQ_TRUST_TYPE;
		pass_struct(r);
	}
	return order;
}

/* Orders that are not one for each leaf are none. */
static void read_orders(struct parser *ps, const struct cdc_pq_tfield *f)
{
	struct cdc_pq_metadata *m = ps->m;
	struct cdc_pq_tread *r = &ps->r;
	const struct cdc_pq_tread before = *r;
	uint32_t n = cdc_pq_tread_list(r, CDC_PQ_WIRE_STRUCT);
	uint8_t *order = NULL;

	if (!r->bad && n != (uint32_t)m->schema.num_leaves)
		cdc_pq_tread_fail(r, "there is not one column order for each column");
	if (!r->bad)
		order = alloc(ps, n, sizeof(*order));
	for (uint32_t i = 0; i < n && !r->bad; i++)
		order[i] = (uint8_t)read_order(r);
	if (ps->rc || cdc_pq_tread_forgive(r, &before, f))
		return;
	m->leaf_order = order;
	m->has_column_orders = true;
}

/* Bounds count only where their order is understood. */
static void apply_orders(struct cdc_pq_metadata *m)
{
	const struct cdc_pq_schema *s = &m->schema;

	for (int32_t g = 0; g < m->num_row_groups; g++) {
		for (int32_t i = 0; i < s->num_leaves; i++) {
			struct cdc_pq_statistics *st = &m->row_group[g].column[i].stats;

			st->has_min_max = st->has_min_max &&
					  cdc_pq_bounds_usable(&s->node[s->leaf_node[i]],
							       cdc_pq_leaf_trust(m, i),
							       st->min_value, st->max_value);
		}
	}
}

static void read_fields(struct parser *ps)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_I32,
		[2] = CDC_PQ_WIRE_LIST,
		[3] = CDC_PQ_WIRE_I64,
		[4] = CDC_PQ_WIRE_LIST,
		[5] = CDC_PQ_WIRE_LIST,
		[6] = CDC_PQ_WIRE_BINARY,
		[7] = CDC_PQ_WIRE_LIST,
	} };
	struct cdc_pq_metadata *m = ps->m;
	struct cdc_pq_tread *r = &ps->r;
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;

	while (cdc_pq_tread_field(r, &f, &want)) {
		switch (f.id) {
		case 1:
			m->version = cdc_pq_tread_i32(r);
			break;
		case 2:
			read_schema(ps);
			break;
		case 3:
			m->num_rows = cdc_pq_tread_i64(r);
			ps->has_rows = true;
			break;
		case 4:
			read_row_groups(ps);
			break;
		case 5:
			read_entries(ps);
			break;
		case 6:
			m->created_by = cdc_pq_tread_binary(r);
			break;
		case 7:
			read_orders(ps, &f);
			break;
		default:
			break;
		}
	}
}

/* The rows of the file are those of its row groups, whatever the file says of itself. */
static void count_rows(struct parser *ps)
{
	struct cdc_pq_metadata *m = ps->m;

	m->num_rows = 0;
	for (int32_t i = 0; i < m->num_row_groups; i++) {
		if (m->row_group[i].num_rows > INT64_MAX - m->num_rows) {
			cdc_pq_tread_fail(&ps->r, "the row groups have too many rows");
			return;
		}
		m->num_rows += m->row_group[i].num_rows;
	}
}

int cdc_pq_metadata_read(struct cdc_pq_metadata *m, const void *p, size_t n, struct cdc_err *err)
{
	struct parser ps = { .m = m, .err = err };

	cdc_pq_tread_init(&ps.r, p, n);
	read_fields(&ps);
	if (!ps.r.bad && (!m->schema.node || !m->row_group || !ps.has_rows))
		cdc_pq_tread_fail(&ps.r, "a required field is missing");
	if (!ps.r.bad)
		count_rows(&ps);
	if (ps.rc)
		return ps.rc;
	if (ps.r.bad)
		return cdc_pq_tread_error(&ps.r, "file metadata", err);
	apply_orders(m);
	return CDC_OK;
}
