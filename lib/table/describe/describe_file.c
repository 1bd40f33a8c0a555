/*
 * Description of one Parquet file as JSON. See describe_file.h.
 */
#include "table/describe/describe_file.h"

#include "table/describe/describe_file_int.h"
#include "table/describe/describe_json.h"
#include "table/describe/describe_names.h"

#include <errno.h>

#define NUM_ENCODINGS 32 /* bits of struct cdc_pq_column_meta.encodings */

static void put_name(struct cdc_json_out *j, const char *key, const char *name)
{
	cdc_json_out_key(j, key);
	cdc_json_out_str(j, cdc_str_z(name));
}

static void put_int(struct cdc_json_out *j, const char *key, int64_t v)
{
	cdc_json_out_key(j, key);
	cdc_json_out_int(j, v);
}

static void put_bool(struct cdc_json_out *j, const char *key, bool v)
{
	cdc_json_out_key(j, key);
	cdc_json_out_bool(j, v);
}

/* An integer, or null. */
static void put_maybe(struct cdc_json_out *j, const char *key, bool there, int64_t v)
{
	cdc_json_out_key(j, key);
	if (there)
		cdc_json_out_int(j, v);
	else
		cdc_json_out_null(j);
}

/* ------------------------------------------------------------------ schema */

/* What an annotation says beyond its name. */
static void put_parameters(struct cdc_json_out *j, const struct cdc_pq_node *n)
{
	if (n->logical == CDC_PQ_LOGICAL_DECIMAL || n->converted == CDC_PQ_CONV_DECIMAL) {
		put_int(j, "precision", n->precision);
		put_int(j, "scale", n->scale);
	}
	if (n->logical == CDC_PQ_LOGICAL_TIME || n->logical == CDC_PQ_LOGICAL_TIMESTAMP) {
		put_name(j, "unit", cdc_pq_name_unit(n->unit));
		put_bool(j, "isAdjustedToUTC", n->utc);
	}
	if (n->logical == CDC_PQ_LOGICAL_INTEGER) {
		put_int(j, "bitWidth", n->bit_width);
		put_bool(j, "isSigned", n->is_signed);
	}
}

static void put_node(struct cdc_json_out *j, const struct cdc_pq_node *n)
{
	cdc_json_out_key(j, "name");
	cdc_json_out_str(j, n->name.p ? n->name : CDC_STR(""));
	put_name(j, "repetition", cdc_pq_name_repetition(n->repetition));
	put_name(j, "physicalType", n->is_leaf ? cdc_pq_name_type(n->type) : NULL);
	if (n->is_leaf && n->type == CDC_PQ_FIXED)
		put_int(j, "length", n->type_length);
	put_name(j, "logicalType", cdc_pq_name_logical(n->logical));
	put_name(j, "convertedType", cdc_pq_name_converted(n->converted));
	put_parameters(j, n);
	put_maybe(j, "fieldId", n->has_field_id, n->field_id);
	put_int(j, "maxDefinitionLevel", n->max_def);
	put_int(j, "maxRepetitionLevel", n->max_rep);
}

/* The children of `node`, whose first is node `at`; returns the node after the last of them. The
 * depth is bounded by cdc_pq_schema_finish. */
static int32_t put_children(struct cdc_json_out *j, const struct cdc_pq_schema *s, int32_t node,
			    int32_t at)
{
	cdc_json_out_open(j, '[');
	for (int32_t i = 0; j->rc == CDC_OK && i < s->node[node].num_children; i++) {
		int32_t child = at++;

		cdc_json_out_open(j, '{');
		put_node(j, &s->node[child]);
		if (!s->node[child].is_leaf) {
			cdc_json_out_key(j, "children");
			at = put_children(j, s, child, at);
		}
		cdc_json_out_close(j, '}');
	}
	cdc_json_out_close(j, ']');
	return at;
}

/* ------------------------------------------------------------------ row groups */

/* Where a part of the file lies; null when there is none. */
static void put_place(struct cdc_json_out *j, const char *key, int64_t offset, int32_t bytes)
{
	cdc_json_out_key(j, key);
	if (!offset) {
		cdc_json_out_null(j);
		return;
	}
	cdc_json_out_open(j, '{');
	put_int(j, "offset", offset);
	put_maybe(j, "bytes", bytes > 0, bytes);
	cdc_json_out_close(j, '}');
}

static void put_encodings(struct cdc_json_out *j, uint32_t encodings)
{
	cdc_json_out_key(j, "encodings");
	cdc_json_out_open(j, '[');
	for (int e = 0; e < NUM_ENCODINGS; e++) {
		const char *name = cdc_pq_name_encoding(e);

		if (!(encodings >> e & 1))
			continue;
		if (name)
			cdc_json_out_str(j, cdc_str_z(name));
		else
			cdc_json_out_int(j, e);
	}
	cdc_json_out_close(j, ']');
}

static void put_bound(struct cdc_json_out *j, const char *key, const struct cdc_pq_node *leaf,
		      bool there, struct cdc_str plain)
{
	struct cdc_buf text = CDC_BUF_INIT;

	cdc_json_out_key(j, key);
	if (!there) {
		cdc_json_out_null(j);
		return;
	}
	if (j->rc == CDC_OK)
		j->rc = cdc_pq_put_bound(leaf, plain, &text, j->err);
	cdc_json_out_str(j, text.len ? cdc_buf_str(&text) : CDC_STR(""));
	cdc_buf_free(&text);
}

static void put_statistics(struct cdc_json_out *j, const struct cdc_pq_statistics *st,
			   const struct cdc_pq_node *leaf)
{
	put_maybe(j, "nulls", st->has_null_count, st->null_count);
	put_bound(j, "min", leaf, st->has_min_max, st->min_value);
	put_bound(j, "max", leaf, st->has_min_max, st->max_value);
	if (st->has_min_max) {
		put_bool(j, "minExact", st->min_exact);
		put_bool(j, "maxExact", st->max_exact);
	}
}

static void put_chunk(struct cdc_json_out *j, const struct cdc_pq_schema *s, int32_t leaf,
		      const struct cdc_pq_column_meta *c)
{
	const uint32_t dictionary = 1u << CDC_PQ_PLAIN_DICTIONARY | 1u << CDC_PQ_RLE_DICTIONARY;
	const char *codec = cdc_pq_name_codec(c->codec);
	struct cdc_buf path = CDC_BUF_INIT;

	cdc_json_out_open(j, '{');
	if (j->rc == CDC_OK)
		j->rc = cdc_pq_put_path(s, s->leaf_node[leaf], &path, j->err);
	cdc_json_out_key(j, "column");
	cdc_json_out_str(j, path.len ? cdc_buf_str(&path) : CDC_STR(""));
	cdc_buf_free(&path);
	if (codec)
		put_name(j, "codec", codec);
	else
		put_int(j, "codec", (int)c->codec);
	put_encodings(j, c->encodings);
	put_int(j, "values", c->num_values);
	put_statistics(j, &c->stats, &s->node[s->leaf_node[leaf]]);
	put_int(j, "compressedBytes", c->total_compressed_size);
	put_int(j, "uncompressedBytes", c->total_uncompressed_size);
	put_bool(j, "dictionary",
		 c->dictionary_page_offset > 0 || (c->encodings & dictionary) != 0);
	put_maybe(j, "dictionaryPageOffset", c->dictionary_page_offset > 0,
		  c->dictionary_page_offset);
	put_int(j, "dataPageOffset", c->data_page_offset);
	put_bool(j, "pageIndex", c->offset_index_offset && c->column_index_offset);
	put_place(j, "offsetIndex", c->offset_index_offset, c->offset_index_length);
	put_place(j, "columnIndex", c->column_index_offset, c->column_index_length);
	put_place(j, "bloomFilter", c->bloom_filter_offset, c->bloom_filter_length);
	put_bool(j, "encrypted", c->encrypted);
	cdc_json_out_close(j, '}');
}

static void put_row_group(struct cdc_json_out *j, const struct cdc_pq_schema *s,
			  const struct cdc_pq_row_group *g)
{
	int64_t compressed = 0;

	for (int32_t i = 0; i < s->num_leaves; i++)
		compressed = cdc_sum_limited(compressed, g->column[i].total_compressed_size);
	cdc_json_out_open(j, '{');
	put_int(j, "rows", g->num_rows);
	put_int(j, "bytes", g->total_byte_size);
	put_int(j, "compressedBytes", compressed);
	cdc_json_out_key(j, "columns");
	cdc_json_out_open(j, '[');
	for (int32_t i = 0; j->rc == CDC_OK && i < s->num_leaves; i++)
		put_chunk(j, s, i, &g->column[i]);
	cdc_json_out_close(j, ']');
	cdc_json_out_close(j, '}');
}

/* ------------------------------------------------------------------ the file */

static void put_entries(struct cdc_json_out *j, const struct cdc_pq_metadata *m)
{
	cdc_json_out_key(j, "keyValueMetadata");
	cdc_json_out_open(j, '[');
	for (uint32_t i = 0; j->rc == CDC_OK && i < m->num_entries; i++) {
		cdc_json_out_open(j, '{');
		cdc_json_out_key(j, "key");
		cdc_json_out_str(j, m->entry[i].key);
		cdc_json_out_key(j, "value");
		cdc_json_out_str(j, m->entry[i].value);
		cdc_json_out_close(j, '}');
	}
	cdc_json_out_close(j, ']');
}

static int print_json(const struct cdc_pq_metadata *m, const char *name, uint64_t size,
		      struct cdc_writer *out, struct cdc_err *err)
{
	struct cdc_buf buf = CDC_BUF_INIT;
	struct cdc_json_out j = { .buf = &buf, .writer = out, .err = err };

	cdc_json_out_open(&j, '{');
	cdc_json_out_key(&j, "file");
	cdc_json_out_str(&j, cdc_str_z(name));
	put_int(&j, "size", (int64_t)size);
	cdc_json_out_key(&j, "createdBy");
	cdc_json_out_str(&j, m->created_by);
	put_int(&j, "version", m->version);
	put_int(&j, "rows", m->num_rows);
	cdc_json_out_key(&j, "schema");
	put_children(&j, &m->schema, 0, 1);
	put_entries(&j, m);
	cdc_json_out_key(&j, "rowGroups");
	cdc_json_out_open(&j, '[');
	for (int32_t i = 0; j.rc == CDC_OK && i < m->num_row_groups; i++)
		put_row_group(&j, &m->schema, &m->row_group[i]);
	cdc_json_out_close(&j, ']');
	cdc_json_out_close(&j, '}');
	if (j.rc == CDC_OK)
		j.rc = cdc_buf_putc(&buf, '\n', err);
	cdc_json_out_flush(&j);
	cdc_buf_free(&buf);
	return j.rc;
}

int cdc_describe_file(const struct cdc_pq_file *f, const char *name, uint64_t size,
		      enum cdc_print_format format, struct cdc_writer *out, struct cdc_err *err)
{
	const struct cdc_pq_metadata *m = cdc_pq_metadata(f);

	if (format == CDC_PRINT_NDJSON)
		return print_json(m, name, size, out, err);
	if (format == CDC_PRINT_TABLE)
		return cdc_describe_columns(m, out, err);
	return cdc_fail(err, CDC_EUSAGE, "a file is described as JSON or as a table");
}

int cdc_describe_path(const struct cdc_io *io, const char *path, enum cdc_print_format format,
		      struct cdc_writer *out, struct cdc_err *err)
{
	struct cdc_pq_file *f = NULL;
	struct stat st = { 0 };
	int rc = cdc_pq_open(&f, io, path, 0, err);

	if (rc == CDC_OK && io->stat(io->ctx, path, &st) < 0)
		rc = cdc_fail_errno(err, errno, "cannot examine '%s'", path);
	if (rc == CDC_OK)
		rc = cdc_describe_file(f, path, (uint64_t)st.st_size, format, out, err);
	cdc_pq_close(f);
	return rc;
}
