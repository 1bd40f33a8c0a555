/*
 * The Parquet writer: batches to columns, columns to row groups, row groups to the file, and the
 * page indexes and footer behind them.
 *
 * Layout: "PAR1", row groups, all column indexes, all offset indexes, footer, its length, "PAR1".
 * A row group is kept as finished pages until it is full, then written column by column.
 */
#include "parquet/parquet.h"

#include "base/endian.h"
#include "parquet/pq_splice.h"
#include "parquet/pq_write.h"

#include <stdlib.h>

enum {
	BLOCK_ROWS = 8192, /* rows given to each column in turn: fits the caches */
	MAX_COMPRESSION_LEVEL = 19
};

static const char magic[4] = { 'P', 'A', 'R', '1' };

struct cdc_pq_writer {
	const struct cdc_pq_schema *schema;
	struct cdc_pq_write_options opt;
	struct cdc_pq_scratch scratch;
	struct cdc_pq_column_writer *column;
	int64_t *null_lists; /* per leaf */
	bool spliced; /* some row groups are another file's */
	uint64_t group_rows;
	uint64_t file_rows;

	struct cdc_pq_chunks chunks;
	struct cdc_pq_group_meta *group;
	struct cdc_pq_index_span **span; /* per group, one per leaf */
	size_t num_groups;
	size_t cap_groups;
};

void cdc_pq_write_options_init(struct cdc_pq_write_options *opt)
{
	*opt = (struct cdc_pq_write_options){
		.codec = CDC_PQ_ZSTD,
		.level = 1,
		.row_group_bytes = UINT64_C(128) << 20,
		.row_group_rows = 1 << 20,
		.page_bytes = 1 << 20,
		.page_rows = 20000,
		.dictionary_bytes = 1 << 20,
		.created_by = "cdc-tools version " CDC_VERSION " (build parquet-1)",
	};
}

/* ----------------------------------------------------------------- row groups */

static int new_group(struct cdc_pq_writer *w, struct cdc_err *err)
{
	size_t cap = w->cap_groups ? 2 * w->cap_groups : 16;
	size_t leaves = (size_t)w->schema->num_leaves;
	void *p;

	if (w->num_groups == w->cap_groups) {
		p = realloc(w->group, cap * sizeof(*w->group));
		if (!p)
			return cdc_fail_nomem(err);
		w->group = p;
		p = realloc(w->span, cap * sizeof(*w->span));
		if (!p)
			return cdc_fail_nomem(err);
		w->span = p;
		w->cap_groups = cap;
	}
	w->group[w->num_groups] = (struct cdc_pq_group_meta){
		.chunk =
			cdc_arena_calloc(&w->chunks.arena, leaves, sizeof(struct cdc_pq_chunk_meta))
	};
	w->span[w->num_groups] =
		cdc_arena_calloc(&w->chunks.arena, leaves, sizeof(struct cdc_pq_index_span));
	if (!w->group[w->num_groups].chunk || !w->span[w->num_groups])
		return cdc_fail_nomem(err);
	return CDC_OK;
}

static int flush_group(struct cdc_pq_writer *w, struct cdc_err *err)
{
	struct cdc_pq_group_meta *g;
	int rc;

	if (w->group_rows == 0)
		return CDC_OK;
	rc = new_group(w, err);
	if (rc < 0)
		return rc;
	g = &w->group[w->num_groups];
	g->file_offset = (int64_t)w->chunks.offset;
	g->num_rows = (int64_t)w->group_rows;
	for (int32_t leaf = 0; leaf < w->schema->num_leaves; leaf++) {
		rc = cdc_pq_chunks_add(&w->chunks, &w->column[leaf], &g->chunk[leaf],
				       &w->span[w->num_groups][leaf], err);
		if (rc < 0)
			return rc;
		g->total_byte_size += g->chunk[leaf].m.total_uncompressed_size;
		g->total_compressed_size += g->chunk[leaf].m.total_compressed_size;
	}
	w->num_groups++;
	w->group_rows = 0;
	return CDC_OK;
}

static uint64_t group_bytes(const struct cdc_pq_writer *w)
{
	uint64_t n = 0;

	for (int32_t leaf = 0; leaf < w->schema->num_leaves; leaf++)
		n += cdc_pq_column_bytes(&w->column[leaf]);
	return n;
}

uint64_t cdc_pq_writer_bytes(const struct cdc_pq_writer *w)
{
	return w->chunks.offset + group_bytes(w);
}

/* --------------------------------------------------------------------- writing */

int cdc_pq_writer_new(struct cdc_pq_writer **out, const struct cdc_io *io, int fd,
		      const struct cdc_pq_schema *schema, const struct cdc_pq_write_options *opt,
		      struct cdc_err *err)
{
	struct cdc_pq_writer *w;
	int rc = CDC_OK;

	*out = NULL;
	if (!cdc_pq_codec_known(opt->codec) || opt->level < 1 ||
	    opt->level > MAX_COMPRESSION_LEVEL || !opt->created_by)
		return cdc_fail(err, CDC_EUSAGE, "Parquet codec %s, level %d: not possible",
				cdc_pq_codec_name(opt->codec), opt->level);
	if (opt->row_group_bytes == 0 || opt->row_group_rows == 0 || opt->page_bytes == 0 ||
	    opt->page_rows == 0 || opt->page_bytes > INT32_MAX || opt->page_rows > INT32_MAX)
		return cdc_fail(err, CDC_EUSAGE, "Parquet page and row group limits out of range");
	if (schema->num_leaves == 0)
		return cdc_fail(err, CDC_EUSAGE, "a Parquet file needs at least one column");
	w = calloc(1, sizeof(*w));
	if (!w)
		return cdc_fail_nomem(err);
	w->chunks.io = io;
	w->chunks.fd = fd;
	w->schema = schema;
	w->opt = *opt;
	w->column = calloc((size_t)schema->num_leaves, sizeof(*w->column));
	w->null_lists = calloc((size_t)schema->num_leaves, sizeof(*w->null_lists));
	if (!w->column || !w->null_lists)
		rc = cdc_fail_nomem(err);
	for (int32_t leaf = 0; rc == CDC_OK && leaf < schema->num_leaves; leaf++)
		rc = cdc_pq_column_init(&w->column[leaf], &schema->node[schema->leaf_node[leaf]],
					&w->opt, &w->scratch, err);
	if (rc == CDC_OK)
		rc = cdc_pq_chunks_put(&w->chunks, magic, sizeof(magic), err);
	if (rc < 0) {
		cdc_pq_writer_free(w);
		return rc;
	}
	*out = w;
	return CDC_OK;
}

void cdc_pq_writer_free(struct cdc_pq_writer *w)
{
	if (!w)
		return;
	for (int32_t leaf = 0; w->column && leaf < w->schema->num_leaves; leaf++)
		cdc_pq_column_free(&w->column[leaf]);
	free(w->column);
	free(w->null_lists);
	free(w->group);
	free(w->span);
	cdc_pq_chunks_free(&w->chunks);
	cdc_pq_scratch_free(&w->scratch);
	free(w);
}

static int bad_batch(const struct cdc_pq_node *leaf, const char *what, struct cdc_err *err)
{
	return cdc_fail(err, CDC_EINTERNAL, "column %.*s: %s", (int)leaf->name.n, leaf->name.p,
			what);
}

static int check_strs(const struct cdc_pq_node *leaf, const struct cdc_pq_vec *v,
		      struct cdc_err *err)
{
	const struct cdc_str *s = v->values;
	size_t length = (size_t)leaf->type_length;

	for (uint32_t i = 0; i < v->n; i++) {
		if (v->def && v->def[i] != leaf->max_def)
			continue;
		if (leaf->type == CDC_PQ_FIXED && s[i].n != length)
			return bad_batch(leaf, "a FIXED value of another length", err);
		if (s[i].n > INT32_MAX - 8)
			return cdc_fail(err, CDC_EDATA, "column %.*s: a value of over 2 GiB",
					(int)leaf->name.n, leaf->name.p);
	}
	return CDC_OK;
}

/* A batch with wrong levels would make a file that nobody can read: check before anything else. */
static int check_vec(const struct cdc_pq_node *leaf, const struct cdc_pq_vec *v, uint32_t rows,
		     struct cdc_err *err)
{
	uint32_t starts = leaf->max_rep && v->rep ? 0 : v->n;
	bool over = false;

	if (v->type != leaf->type)
		return bad_batch(leaf, "a batch of another type", err);
	for (uint32_t i = 0; v->def && i < v->n; i++)
		over |= v->def[i] > leaf->max_def;
	for (uint32_t i = 0; v->rep && i < v->n; i++)
		over |= v->rep[i] > leaf->max_rep;
	if (over)
		return bad_batch(leaf, "a level above the maximum", err);
	for (uint32_t i = 0; leaf->max_rep && v->rep && i < v->n; i++)
		starts += v->rep[i] == 0;
	if (starts != rows || (v->n > 0 && v->rep && v->rep[0] != 0))
		return bad_batch(leaf, "a batch of another number of rows", err);
	if (leaf->type == CDC_PQ_BYTE_ARRAY || leaf->type == CDC_PQ_FIXED)
		return check_strs(leaf, v, err);
	return CDC_OK;
}

/* The slot after `rows` more rows. */
static uint32_t slot_after(const struct cdc_pq_node *leaf, const struct cdc_pq_vec *v,
			   uint32_t from, uint32_t rows)
{
	if (leaf->max_rep == 0 || !v->rep)
		return from + rows;
	while (from < v->n) {
		if (v->rep[from] == 0 && rows-- == 0)
			break;
		from++;
	}
	return from;
}

/* Rows whose outermost list or map is null: they stop above the group that it is. */
static int64_t count_null_lists(const struct cdc_pq_schema *s, int32_t node,
				const struct cdc_pq_vec *v)
{
	uint8_t list_def = 0;
	int64_t n = 0;

	if (!v->def || s->node[node].max_rep == 0)
		return 0;
	for (; node > 0; node = s->node[node].parent)
		if (s->node[node].repetition == CDC_PQ_REPEATED)
			list_def = s->node[s->node[node].parent].max_def;
	for (uint32_t i = 0; i < v->n; i++)
		n += v->def[i] < list_def;
	return n;
}

int cdc_pq_writer_write(struct cdc_pq_writer *w, const struct cdc_pq_vec *vec, uint32_t rows,
			struct cdc_err *err)
{
	uint32_t *slot;
	int rc = CDC_OK;

	for (int32_t leaf = 0; leaf < w->schema->num_leaves; leaf++) {
		rc = check_vec(w->column[leaf].leaf, &vec[leaf], rows, err);
		if (rc < 0)
			return rc;
		w->null_lists[leaf] +=
			count_null_lists(w->schema, w->schema->leaf_node[leaf], &vec[leaf]);
	}
	slot = calloc((size_t)w->schema->num_leaves, sizeof(*slot));
	if (!slot)
		return cdc_fail_nomem(err);
	while (rows > 0) {
		uint64_t left = w->opt.row_group_rows - w->group_rows;
		uint32_t n = rows < BLOCK_ROWS ? rows : BLOCK_ROWS;

		n = n < left ? n : (uint32_t)left;
		for (int32_t leaf = 0; leaf < w->schema->num_leaves; leaf++) {
			struct cdc_pq_column_writer *c = &w->column[leaf];
			uint32_t to = slot_after(c->leaf, &vec[leaf], slot[leaf], n);

			rc = cdc_pq_column_append(c, &vec[leaf], slot[leaf], to, err);
			if (rc < 0)
				goto out;
			slot[leaf] = to;
		}
		rows -= n;
		w->group_rows += n;
		w->file_rows += n;
		if (w->group_rows < w->opt.row_group_rows &&
		    group_bytes(w) < w->opt.row_group_bytes)
			continue;
		rc = flush_group(w, err);
		if (rc < 0)
			goto out;
	}
out:
	free(slot);
	return rc;
}

/* -------------------------------------------------------------------- splicing */

static int splice_group(struct cdc_pq_writer *w, const struct cdc_pq_splice *splice,
			struct cdc_pq_file *f, int32_t row_group, const bool *plain_zero,
			struct cdc_err *err)
{
	struct cdc_pq_group_meta *g;
	int rc = flush_group(w, err);

	if (rc == CDC_OK)
		rc = new_group(w, err);
	if (rc < 0)
		return rc;
	g = &w->group[w->num_groups];
	g->file_offset = (int64_t)w->chunks.offset;
	g->num_rows = f->meta.row_group[row_group].num_rows;
	for (int32_t leaf = 0; rc == CDC_OK && leaf < w->schema->num_leaves; leaf++) {
		rc = cdc_pq_splice_chunk(&splice[leaf], &w->chunks, f, row_group, leaf,
					 &g->chunk[leaf], &w->span[w->num_groups][leaf], err);
		if (rc == CDC_OK)
			rc = cdc_pq_splice_count(&w->column[leaf], &g->chunk[leaf].m,
						 plain_zero && plain_zero[leaf], err);
		if (__builtin_add_overflow(g->total_byte_size,
					   g->chunk[leaf].m.total_uncompressed_size,
					   &g->total_byte_size))
			g->total_byte_size = INT64_MAX;
		g->total_compressed_size += g->chunk[leaf].m.total_compressed_size;
	}
	if (rc < 0)
		return rc;
	w->num_groups++;
	w->spliced = true;
	w->file_rows += (uint64_t)g->num_rows;
	return CDC_OK;
}

int cdc_pq_writer_splice(struct cdc_pq_writer *w, struct cdc_pq_file *f, int32_t row_group,
			 const bool *plain_zero, struct cdc_err *err)
{
	struct cdc_pq_splice *splice;
	int rc = CDC_OK;

	if (row_group < 0 || row_group >= f->meta.num_row_groups ||
	    !cdc_pq_can_splice(f, w->schema))
		return cdc_fail(err, CDC_EINTERNAL, "no row group %d to splice", (int)row_group);
	splice = calloc((size_t)w->schema->num_leaves, sizeof(*splice));
	if (!splice)
		return cdc_fail_nomem(err);
	for (int32_t leaf = 0; rc == CDC_OK && leaf < w->schema->num_leaves; leaf++)
		rc = cdc_pq_splice_probe(&splice[leaf], f, row_group, leaf, err);
	if (rc == CDC_OK)
		rc = splice_group(w, splice, f, row_group, plain_zero, err);
	free(splice);
	return rc;
}

uint64_t cdc_pq_writer_rows(const struct cdc_pq_writer *w)
{
	return w->file_rows;
}

uint64_t cdc_pq_writer_open_rows(const struct cdc_pq_writer *w)
{
	return w->group_rows;
}

/* ---------------------------------------------------------------------- finish */

/* One serialised index; the footer tells where it is. */
static int put_index(struct cdc_pq_writer *w, size_t at, size_t n, int64_t *offset, int32_t *length,
		     struct cdc_err *err)
{
	*offset = (int64_t)w->chunks.offset;
	*length = (int32_t)n;
	return n ? cdc_pq_chunks_put(&w->chunks, w->chunks.indexes.p + at, n, err) : CDC_OK;
}

/* All column indexes, then all offset indexes, as most writers place them. */
static int put_indexes(struct cdc_pq_writer *w, struct cdc_err *err)
{
	int32_t leaves = w->schema->num_leaves;
	int rc = CDC_OK;

	for (size_t g = 0; g < w->num_groups; g++) {
		for (int32_t leaf = 0; rc == CDC_OK && leaf < leaves; leaf++) {
			const struct cdc_pq_index_span *span = &w->span[g][leaf];
			struct cdc_pq_column_meta *m = &w->group[g].chunk[leaf].m;

			rc = put_index(w, span->column_at, span->column_n, &m->column_index_offset,
				       &m->column_index_length, err);
		}
	}
	for (size_t g = 0; g < w->num_groups; g++) {
		for (int32_t leaf = 0; rc == CDC_OK && leaf < leaves; leaf++) {
			const struct cdc_pq_index_span *span = &w->span[g][leaf];
			struct cdc_pq_column_meta *m = &w->group[g].chunk[leaf].m;

			rc = put_index(w, span->offset_at, span->offset_n, &m->offset_index_offset,
				       &m->offset_index_length, err);
		}
	}
	return rc;
}

static int put_footer(struct cdc_pq_writer *w, struct cdc_err *err)
{
	struct cdc_buf footer = CDC_BUF_INIT;
	char tail[8];
	struct cdc_pq_footer f = { .schema = w->schema,
				   .group = w->group,
				   .num_groups = w->num_groups,
				   .key_value = w->opt.key_value,
				   .num_key_values = w->opt.num_key_values,
				   .created_by = cdc_str_z(w->opt.created_by) };
	int rc = cdc_pq_write_footer(&f, &footer, err);

	if (rc == CDC_OK && footer.len > UINT32_MAX)
		rc = cdc_fail(err, CDC_EDATA, "a Parquet footer of over 4 GiB");
	if (rc == CDC_OK)
		rc = cdc_pq_chunks_put(&w->chunks, footer.p, footer.len, err);
	cdc_put_le32(tail, (uint32_t)footer.len);
	memcpy(tail + 4, magic, sizeof(magic));
	if (rc == CDC_OK)
		rc = cdc_pq_chunks_put(&w->chunks, tail, sizeof(tail), err);
	if (rc == CDC_OK)
		rc = cdc_pq_chunks_flush(&w->chunks, err);
	cdc_buf_free(&footer);
	return rc;
}

static int keep_str(struct cdc_arena *arena, const struct cdc_buf *b, struct cdc_str *s,
		    struct cdc_err *err)
{
	const char *p = cdc_arena_dup(arena, b->p, b->len);

	if (!p)
		return cdc_fail_nomem(err);
	*s = cdc_str(p, b->len);
	return CDC_OK;
}

static int summarise_leaf(const struct cdc_pq_column_writer *c, struct cdc_arena *arena,
			  struct cdc_pq_leaf_summary *s, struct cdc_err *err)
{
	const struct cdc_pq_range *r = &c->file_range;
	int64_t flip = c->order == CDC_PQ_ORDER_UNSIGNED ? INT64_MIN : 0;
	int rc;

	s->num_values = c->file_slots;
	s->null_count = c->file_nulls;
	s->has_min_max = r->has && r->nan_count == 0 && !c->file_unbounded;
	if (!s->has_min_max)
		return CDC_OK;
	if (c->strings) {
		rc = keep_str(arena, &r->min_s, &s->min.s, err);
		return rc < 0 ? rc : keep_str(arena, &r->max_s, &s->max.s, err);
	}
	if (c->order == CDC_PQ_ORDER_FLOAT) {
		s->min.d = r->min_d;
		s->max.d = r->max_d + 0.0; /* no negative zero: which one came first is chance */
	} else {
		s->min.i = r->min_i ^ flip;
		s->max.i = r->max_i ^ flip;
	}
	return CDC_OK;
}

static int summarise(const struct cdc_pq_writer *w, struct cdc_pq_summary *s, struct cdc_err *err)
{
	int rc = CDC_OK;

	s->file_bytes = w->chunks.offset;
	s->num_rows = (int64_t)w->file_rows;
	s->num_leaves = w->schema->num_leaves;
	s->leaf = cdc_arena_calloc(&s->arena, (size_t)s->num_leaves, sizeof(*s->leaf));
	if (!s->leaf)
		return cdc_fail_nomem(err);
	for (int32_t leaf = 0; rc == CDC_OK && leaf < s->num_leaves; leaf++)
		rc = summarise_leaf(&w->column[leaf], &s->arena, &s->leaf[leaf], err);
	for (int32_t leaf = 0; leaf < s->num_leaves; leaf++)
		s->leaf[leaf].null_lists = w->spliced ? -1 : w->null_lists[leaf];
	return rc;
}

int cdc_pq_writer_finish(struct cdc_pq_writer *w, struct cdc_pq_summary *summary,
			 struct cdc_err *err)
{
	int rc = flush_group(w, err);

	*summary = (struct cdc_pq_summary){ .arena = CDC_ARENA_INIT };
	if (rc == CDC_OK)
		rc = put_indexes(w, err);
	if (rc == CDC_OK)
		rc = put_footer(w, err);
	if (rc == CDC_OK)
		rc = summarise(w, summary, err);
	if (rc < 0)
		cdc_pq_summary_free(summary);
	return rc;
}

void cdc_pq_summary_free(struct cdc_pq_summary *s)
{
	cdc_arena_free(&s->arena);
	*s = (struct cdc_pq_summary){ .arena = CDC_ARENA_INIT };
}
