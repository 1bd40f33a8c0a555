/*
 * Column cursors: opening, closing, and the memory that one leaves to the next.
 */
#include "parquet/pq_column_int.h"

#include "parquet/pq_chunk_place.h"

#include <stdlib.h>

/* What closed cursors keep for those that are opened after them (see cdc_pq_column_close). */
#define MAX_IDLE (64u << 20)

/* Remember the error, and say which column and where. */
int cdc_pq_column_failed(struct cdc_pq_column *c, int rc, struct cdc_err *err)
{
	struct cdc_str name = c->node->name;

	cdc_err_prefix(err, "column \"%.*s\"", name.n < 80 ? (int)name.n : 80,
		       name.p ? name.p : "");
	cdc_err_file(err, c->f->path);
	if (c->chunk.offset)
		cdc_err_offset(err, c->chunk.offset + c->chunk.page_pos);
	c->rc = rc;
	return rc;
}

static int check_supported(const struct cdc_pq_column_meta *m, struct cdc_err *err)
{
	if (m->encrypted)
		return cdc_fail(err, CDC_EUNSUPPORTED, "it is encrypted");
	if (m->has_file_path)
		return cdc_fail(err, CDC_EUNSUPPORTED, "it is in another file");
	if (m->codec == CDC_PQ_LZO)
		return cdc_fail(err, CDC_EUNSUPPORTED, "codec LZO");
	if (!cdc_pq_codec_known(m->codec))
		return cdc_fail(err, CDC_EUNSUPPORTED, "codec %d", (int)m->codec);
	return CDC_OK;
}

#define WITNESSES 16

/* Does one of the first columns have as many values as the row group has rows? */
static bool rows_are_right(const struct cdc_pq_file *f, const struct cdc_pq_row_group *g)
{
	const struct cdc_pq_schema *s = &f->meta.schema;

	for (int32_t i = 0; i < s->num_leaves && i < WITNESSES; i++) {
		if (s->node[s->leaf_node[i]].max_rep == 0 && g->column[i].num_values == g->num_rows)
			return true;
	}
	return false;
}

static int load(struct cdc_pq_column *c, const struct cdc_pq_row_group *g, struct cdc_err *err)
{
	bool flat = c->node->max_rep == 0;
	uint64_t offset = 0;
	uint64_t len = 0;
	uint64_t values = 0;
	int rc = check_supported(c->meta, err);

	if (rc < 0)
		return rc;
	if (c->meta->num_values == 0)
		return g->num_rows == 0 ? CDC_OK
					: cdc_fail(err, CDC_ECORRUPT, "no values in %lld rows",
						   (long long)g->num_rows);
	rc = cdc_pq_chunk_place(c->f, c->meta, &offset, &len, err);
	if (rc >= 0)
		cdc_pq_chunk_init(&c->chunk, c->f, offset, len);
	if (rc < 0 || !flat || c->meta->num_values == g->num_rows)
		return rc;
	/*
	 * Two of three must agree: the row group and the pages. Old writers count more values than
	 * rows in columns of structs; then the row group and another column must.
	 */
	rc = cdc_pq_chunk_values(&c->chunk, &values, err);
	if (rc < 0)
		return rc;
	if (values < (uint64_t)g->num_rows ||
	    (values > (uint64_t)g->num_rows && !rows_are_right(c->f, g)))
		return cdc_fail(err, CDC_ECORRUPT, "%lld values in %lld rows",
				(long long)c->meta->num_values, (long long)g->num_rows);
	c->slots_left = (uint64_t)g->num_rows;
	return CDC_OK;
}

static void set_up(struct cdc_pq_column *c, const struct cdc_pq_row_group *g)
{
	c->env = (struct cdc_pq_page_env){
		.codec_ctx = &c->f->codec,
		.codec = c->meta->codec,
		.t = { c->node->type, (uint32_t)c->node->type_length },
		.max_def = c->node->max_def,
		.max_rep = c->node->max_rep,
		.max_page = c->f->max_page,
		.v2_flag_lies = c->f->v2_flag_lies,
	};
	c->slots_left = (uint64_t)c->meta->num_values;
	c->rows_left = (uint64_t)g->num_rows;
	c->space.arena = (struct cdc_arena)CDC_ARENA_INIT;
	c->space.max_bytes = CDC_PQ_MAX_STRINGS;
	c->batch.type = c->node->type;
	c->batch.max_def = c->node->max_def;
	c->batch.max_rep = c->node->max_rep;
}

/* Bytes of a cursor that is closed. */
static size_t memory_of(const struct cdc_pq_column *c)
{
	size_t bytes = sizeof(*c) + c->chunk.window.cap + c->dict_page.cap + c->dict.slots.cap +
		       c->dict.body.cap + c->batch.values.cap + c->batch.def.cap + c->batch.rep.cap;

	for (uint32_t i = 0; i < c->max_bodies; i++)
		bytes += sizeof(c->body[i]) + c->body[i].cap;
	return bytes;
}

/* A new cursor, or a closed one with its memory and nothing else. */
static struct cdc_pq_column *idle_or_new(struct cdc_pq_file *f)
{
	struct cdc_pq_column *c = f->idle;
	struct cdc_pq_column old;

	if (!c)
		return calloc(1, sizeof(*c));
	old = *c;
	f->idle = c->next_idle;
	f->idle_bytes -= memory_of(c);
	memset(c, 0, sizeof(*c));
	c->chunk.window = old.chunk.window;
	c->dict_page = old.dict_page;
	c->body = old.body;
	c->max_bodies = old.max_bodies;
	c->dict.slots = old.dict.slots;
	c->dict.body = old.dict.body;
	c->batch.values = old.batch.values;
	c->batch.def = old.batch.def;
	c->batch.rep = old.batch.rep;
	return c;
}

int cdc_pq_column_open(struct cdc_pq_column **out, struct cdc_pq_file *f, int32_t row_group,
		       int32_t leaf, struct cdc_err *err)
{
	const struct cdc_pq_metadata *m = &f->meta;
	const struct cdc_pq_row_group *g;
	struct cdc_pq_column *c;
	int rc;

	*out = NULL;
	if (row_group < 0 || row_group >= m->num_row_groups || leaf < 0 ||
	    leaf >= m->schema.num_leaves)
		return cdc_fail(err, CDC_EINTERNAL, "no row group %d or no leaf %d", (int)row_group,
				(int)leaf);
	c = idle_or_new(f);
	if (!c)
		return cdc_fail_nomem(err);
	g = &m->row_group[row_group];
	c->f = f;
	c->meta = &g->column[leaf];
	c->node = &m->schema.node[m->schema.leaf_node[leaf]];
	set_up(c, g);
	rc = load(c, g, err);
	if (rc < 0) {
		rc = cdc_pq_column_failed(c, rc, err);
		cdc_pq_column_close(c);
		return rc;
	}
	*out = c;
	return CDC_OK;
}

static void free_column(struct cdc_pq_column *c)
{
	for (uint32_t i = 0; i < c->max_bodies; i++)
		cdc_pq_mem_free(&c->body[i]);
	free(c->body);
	cdc_pq_mem_free(&c->chunk.window);
	cdc_pq_mem_free(&c->dict_page);
	cdc_pq_mem_free(&c->dict.slots);
	cdc_pq_mem_free(&c->dict.body);
	cdc_pq_batch_free(&c->batch);
	free(c);
}

void cdc_pq_column_close(struct cdc_pq_column *c)
{
	struct cdc_pq_file *f;
	size_t bytes;

	if (!c)
		return;
	cdc_arena_free(&c->space.arena);
	cdc_buf_free(&c->last);
	f = c->f;
	bytes = memory_of(c);
	if (bytes > MAX_IDLE || f->idle_bytes > MAX_IDLE - bytes) {
		free_column(c);
		return;
	}
	c->next_idle = f->idle;
	f->idle = c;
	f->idle_bytes += bytes;
}

void cdc_pq_file_free_idle(struct cdc_pq_file *f)
{
	while (f->idle) {
		struct cdc_pq_column *c = f->idle;

		f->idle = c->next_idle;
		free_column(c);
	}
	f->idle_bytes = 0;
}
