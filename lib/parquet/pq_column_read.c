/*
 * The cursor over one column chunk: chunk bytes to pages, pages to batches.
 *
 * One page at a time is unpacked from the chunk; pages that strings of the current batch point into
 * are kept until the next call.
 */
#include "parquet/pq_batch.h"
#include "parquet/pq_chunk_place.h"
#include "parquet/pq_chunk_read.h"
#include "parquet/pq_file.h"

#include <stdlib.h>

/* Slots that are decoded in one go: their levels and values stay in the cache, and memory grows
 * with what was decoded, never with what a header promises. */
#define STEP (16u << 10)

/* What the strings of one batch may keep in memory: unpacked pages, and values that were built. */
#define MAX_STRINGS ((size_t)4 << 30)

/* How far one row of a nested column may go beyond the batch that was asked for. */
#define MAX_ROW_SLOTS (64u << 20)

/* What closed cursors keep for those that are opened after them (see cdc_pq_column_close). */
#define MAX_IDLE (64u << 20)

struct cdc_pq_column {
	struct cdc_pq_file *f;
	struct cdc_pq_column *next_idle;
	const struct cdc_pq_column_meta *meta;
	const struct cdc_pq_node *node;
	struct cdc_pq_page_env env;
	int rc; /* an error: the cursor is dead */

	struct cdc_pq_chunk chunk;
	uint64_t slots_left; /* in pages that were not begun */
	uint64_t rows_left; /* rows that were not handed out; nested columns */
	bool began; /* a nested column's first level was seen */

	struct cdc_pq_page page;
	struct cdc_pq_page_header dict_header;
	struct cdc_pq_mem dict_page; /* as it is stored */
	bool dict_waits; /* it was not decoded yet */
	struct cdc_pq_dictionary dict;

	struct cdc_pq_mem *body; /* unpacked pages; those before num_bodies are in use */
	uint32_t num_bodies;
	uint32_t max_bodies;
	size_t bodies_bytes; /* in those in use */
	uint32_t page_bodies; /* how many of them, the last ones, are the page's at work */
	size_t page_bytes; /* and its share of bodies_bytes */

	struct cdc_pq_string_space space;
	struct cdc_buf last; /* copy of the value that the next prefix refers to */
	struct cdc_pq_batch batch;
};

/* Remember the error, and say which column and where. */
static int failed(struct cdc_pq_column *c, int rc, struct cdc_err *err)
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

/* ------------------------------------------------------------------ open and close */

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
	c->space.max_bytes = MAX_STRINGS;
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
		rc = failed(c, rc, err);
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

/* ------------------------------------------------------------------ unpacked pages */

/* Two free bodies after those in use: a page takes one to decompress, one to transpose. */
static int free_bodies(struct cdc_pq_column *c, struct cdc_err *err)
{
	struct cdc_pq_mem *more;
	uint32_t max = c->max_bodies ? 2 * c->max_bodies : 4;

	if (c->num_bodies + 2 <= c->max_bodies)
		return CDC_OK;
	more = realloc(c->body, max * sizeof(*more));
	if (!more)
		return cdc_fail_nomem(err);
	memset(more + c->max_bodies, 0, (max - c->max_bodies) * sizeof(*more));
	c->body = more;
	c->max_bodies = max;
	return CDC_OK;
}

/* PARQUET-246: the first value's prefix is of the last value of the page before. */
static int keep_last(struct cdc_pq_column *c, struct cdc_err *err)
{
	const struct cdc_pq_values *v = &c->page.values;

	if (v->encoding != CDC_PQ_DELTA_BYTE_ARRAY)
		return CDC_OK;
	cdc_buf_reset(&c->last);
	return cdc_buf_append(&c->last, v->dba.last.p, v->dba.last.n, err);
}

/* The page at work is done with: keep its memory only if strings of the batch point there. */
static int leave_page(struct cdc_pq_column *c, struct cdc_err *err)
{
	int rc = c->page_bodies && c->f->carried_prefix ? keep_last(c, err) : CDC_OK;

	if (rc < 0)
		return rc;
	if (!c->page_bodies)
		return CDC_OK;
	if (c->batch.n == 0 || !cdc_pq_values_point_into_page(&c->page.values)) {
		c->num_bodies -= c->page_bodies;
		c->bodies_bytes -= c->page_bytes;
	} else if (c->bodies_bytes > MAX_STRINGS) {
		return cdc_fail(err, CDC_ENOMEM,
				"the strings of one batch are larger than %zu bytes", MAX_STRINGS);
	}
	c->page_bodies = 0;
	c->page_bytes = 0;
	return CDC_OK;
}

/* A batch begins: only the page at work keeps its memory. */
static void release_bodies(struct cdc_pq_column *c)
{
	for (uint32_t i = 0; i < c->page_bodies; i++) {
		struct cdc_pq_mem *from = &c->body[c->num_bodies - c->page_bodies + i];
		struct cdc_pq_mem m = *from;

		*from = c->body[i];
		c->body[i] = m;
	}
	c->num_bodies = c->page_bodies;
	c->bodies_bytes = c->page_bytes;
}

/* ------------------------------------------------------------------ pages */

/* Strings of the batch may point into stored bytes: those are kept as an unpacked page is. */
static void keep_window(struct cdc_pq_column *c)
{
	bool strings = c->node->type == CDC_PQ_BYTE_ARRAY || c->node->type == CDC_PQ_FIXED;

	c->chunk.keep = strings && c->batch.n > 0;
}

/* There is room for it: see free_bodies. */
static void take_window(struct cdc_pq_column *c)
{
	struct cdc_pq_mem *body = &c->body[c->num_bodies];

	if (!c->chunk.left.p)
		return;
	cdc_pq_mem_free(body);
	*body = c->chunk.left;
	c->chunk.left = (struct cdc_pq_mem)CDC_PQ_MEM_INIT;
	c->num_bodies++;
	c->bodies_bytes += body->cap;
}

/* The stored bytes of the page whose header was read. */
static int page_bytes(struct cdc_pq_column *c, const struct cdc_pq_page_header *h,
		      const uint8_t **stored, struct cdc_err *err)
{
	int rc = free_bodies(c, err);

	if (rc < 0)
		return rc;
	keep_window(c);
	rc = cdc_pq_chunk_page(&c->chunk, h, stored, err);
	take_window(c);
	return rc;
}

/* Header of the next page. CDC_END at the end of the values. */
static int next_header(struct cdc_pq_column *c, struct cdc_pq_page_header *h, struct cdc_err *err)
{
	int rc = c->slots_left ? free_bodies(c, err) : CDC_END;

	if (rc == CDC_OK) {
		keep_window(c);
		rc = cdc_pq_chunk_header(&c->chunk, h, err);
		take_window(c);
	}
	if (rc == CDC_END && c->slots_left)
		return cdc_fail(err, CDC_ECORRUPT, "its pages end %llu values early",
				(unsigned long long)c->slots_left);
	return rc;
}

/* Is it a data page? A dictionary is put aside for when it is needed; others are passed over. */
static int note_page(struct cdc_pq_column *c, const struct cdc_pq_page_header *h, bool *data,
		     struct cdc_err *err)
{
	const uint8_t *stored = NULL;
	int rc;

	*data = (h->type == CDC_PQ_DATA_PAGE || h->type == CDC_PQ_DATA_PAGE_V2) &&
		h->num_values > 0;
	if (h->type != CDC_PQ_DICTIONARY_PAGE)
		return CDC_OK;
	if (c->dict_waits || c->dict.present)
		return cdc_fail(err, CDC_ECORRUPT, "a second dictionary page");
	rc = page_bytes(c, h, &stored, err);
	if (rc >= 0)
		rc = cdc_pq_mem_reserve(&c->dict_page, (size_t)h->compressed_size, 0, err);
	if (rc < 0)
		return rc;
	memcpy(c->dict_page.p, stored, (size_t)h->compressed_size);
	c->dict_header = *h;
	c->dict_waits = true;
	return CDC_OK;
}

static int load_dictionary(struct cdc_pq_column *c, struct cdc_err *err)
{
	if (!c->dict_waits)
		return CDC_OK;
	c->dict_waits = false;
	return cdc_pq_page_dictionary(&c->dict, &c->env, &c->dict_header, c->dict_page.p, err);
}

static int begin_page(struct cdc_pq_column *c, const struct cdc_pq_page_header *h,
		      struct cdc_err *err)
{
	bool carried = c->f->carried_prefix && h->encoding == CDC_PQ_DELTA_BYTE_ARRAY;
	const uint8_t *stored = NULL;
	int rc = page_bytes(c, h, &stored, err);

	if (rc >= 0)
		rc = free_bodies(c, err);

	if (rc >= 0 && carried)
		rc = keep_last(c, err);
	if (rc >= 0 &&
	    (h->encoding == CDC_PQ_RLE_DICTIONARY || h->encoding == CDC_PQ_PLAIN_DICTIONARY))
		rc = load_dictionary(c, err);
	if (rc < 0)
		return rc;
	rc = cdc_pq_page_begin(&c->page, &c->env, h, stored, &c->dict, &c->body[c->num_bodies],
			       &c->body[c->num_bodies + 1], err);
	if (rc < 0) {
		c->page.left = 0;
		return rc;
	}
	c->num_bodies += 2;
	c->page_bodies = 2;
	c->page_bytes = (size_t)h->uncompressed_size;
	c->bodies_bytes += c->page_bytes;
	/* More slots than the chunk has are padding (spec 3.2). */
	if (c->page.left > c->slots_left)
		c->page.left = (uint32_t)c->slots_left;
	c->slots_left -= c->page.left;
	if (c->f->carried_prefix && c->page.values.encoding == CDC_PQ_DELTA_BYTE_ARRAY)
		c->page.values.dba.last = cdc_buf_str(&c->last);
	return CDC_OK;
}

/* Make page.left positive; CDC_END when there is nothing more. */
static int next_page(struct cdc_pq_column *c, struct cdc_err *err)
{
	struct cdc_pq_page_header h;
	bool data = false;
	int rc = leave_page(c, err);

	while (rc >= 0 && !data) {
		rc = next_header(c, &h, err);
		if (rc != CDC_OK)
			return rc;
		rc = note_page(c, &h, &data, err);
	}
	return rc < 0 ? rc : begin_page(c, &h, err);
}

/* ------------------------------------------------------------------ batches */

static int begin_batch(struct cdc_pq_column *c, struct cdc_err *err)
{
	struct cdc_pq_values *v = &c->page.values;
	int rc = CDC_OK;

	if (c->space.arena.total_bytes > 0) {
		rc = keep_last(c, err);
		if (rc >= 0 && v->encoding == CDC_PQ_DELTA_BYTE_ARRAY)
			v->dba.last = cdc_buf_str(&c->last);
		cdc_arena_reset(&c->space.arena);
	}
	cdc_pq_batch_reset(&c->batch);
	release_bodies(c);
	return rc;
}

/*
 * The whole batch from one page of PLAIN values without nulls: no copy. False when that is not so;
 * nothing is consumed then.
 */
static int read_direct(struct cdc_pq_column *c, uint32_t max, struct cdc_pq_vec *out, bool *done,
		       struct cdc_err *err)
{
	struct cdc_pq_page *pg = &c->page;
	uint32_t k = pg->left < max ? pg->left : max;
	uint64_t run = UINT64_MAX;
	uint8_t v = 0;
	const void *p;
	int rc = CDC_OK;

	*done = false;
	if (pg->values.encoding != CDC_PQ_PLAIN || (k < max && c->slots_left > 0))
		return CDC_OK;
	if (c->env.max_def)
		rc = cdc_pq_levels_run(&pg->def, &v, &run, err);
	if (rc < 0 || run < k || v != c->env.max_def)
		return rc;
	p = cdc_pq_values_direct(&pg->values, k);
	if (!p)
		return CDC_OK;
	if (c->env.max_def)
		cdc_pq_levels_pass(&pg->def, k);
	pg->left -= k;
	*out = (struct cdc_pq_vec){ c->batch.type, k, p, NULL, NULL };
	*done = true;
	return CDC_OK;
}

/* Slots until there are max of them or the chunk ends. */
static int fill(struct cdc_pq_column *c, uint32_t max, struct cdc_err *err)
{
	struct cdc_pq_batch *b = &c->batch;

	while (b->n < max) {
		uint32_t k = max - b->n;
		int rc;

		if (c->page.left == 0) {
			rc = next_page(c, err);
			if (rc != CDC_OK)
				return rc;
		}
		k = k < c->page.left ? k : c->page.left;
		k = k < STEP ? k : STEP;
		rc = cdc_pq_batch_append(b, &c->page, k, &c->space, err);
		if (rc < 0)
			return rc;
	}
	return CDC_OK;
}

/* The rest of the last row: slots while the repetition level is not 0. */
static int finish_row(struct cdc_pq_column *c, uint32_t max, struct cdc_err *err)
{
	for (;;) {
		uint64_t run = 0;
		uint32_t k = 1;
		uint8_t v = 0;
		int rc;

		if (c->page.left == 0) {
			rc = next_page(c, err);
			if (rc != CDC_OK)
				return rc;
		}
		rc = cdc_pq_levels_run(&c->page.rep, &v, &run, err);
		if (rc >= 0 && run > 0)
			k = run < STEP ? (uint32_t)run : STEP;
		else if (rc >= 0)
			rc = cdc_pq_levels_peek(&c->page.rep, &v, err);
		if (rc < 0 || v == 0)
			return rc;
		if (c->batch.n - max >= MAX_ROW_SLOTS)
			return cdc_fail(err, CDC_ENOMEM, "a row of more than %u values",
					MAX_ROW_SLOTS);
		k = k < c->page.left ? k : c->page.left;
		rc = cdc_pq_batch_append(&c->batch, &c->page, k, &c->space, err);
		if (rc < 0)
			return rc;
	}
}

/* Rows of a nested column add up to the row group's, and the first level begins one. */
static int check_nested(struct cdc_pq_column *c, struct cdc_err *err)
{
	const struct cdc_pq_batch *b = &c->batch;

	if (!c->began && b->n > 0 && b->rep.p[0] != 0)
		return cdc_fail(err, CDC_ECORRUPT, "its first value continues a row");
	c->began = c->began || b->n > 0;
	if (b->rows > c->rows_left)
		return cdc_fail(err, CDC_ECORRUPT, "it has more rows than its row group");
	c->rows_left -= b->rows;
	if (c->rows_left > 0 && c->slots_left == 0 && c->page.left == 0)
		return cdc_fail(err, CDC_ECORRUPT, "it has %llu rows fewer than its row group",
				(unsigned long long)c->rows_left);
	return CDC_OK;
}

/*
 * How far the next *rows rows reach in the page at work: *k of at most `max` slots, and how many of
 * the rows begin there. The first slots may belong to a row that began before.
 */
static int look_ahead(const struct cdc_pq_column *c, uint32_t max, uint32_t *rows, uint32_t *k,
		      struct cdc_err *err)
{
	struct cdc_pq_levels ahead = c->page.rep;
	uint32_t left = *rows;
	uint8_t rep[512];
	uint32_t at_max = 0;

	*k = 0;
	max = max < c->page.left ? max : c->page.left;
	while (*k < max) {
		uint32_t n = max - *k < sizeof(rep) ? max - *k : (uint32_t)sizeof(rep);
		int rc = cdc_pq_levels_read(&ahead, rep, n, &at_max, err);

		if (rc < 0)
			return rc;
		for (uint32_t i = 0; i < n; i++, (*k)++) {
			if (rep[i])
				continue;
			if (left == 0) {
				*rows -= left;
				return CDC_OK;
			}
			left--;
		}
	}
	*rows -= left;
	return CDC_OK;
}

/* Slots of exactly `rows` rows, to the end of the last one or of the chunk. */
static int fill_rows(struct cdc_pq_column *c, uint32_t rows, struct cdc_err *err)
{
	for (;;) {
		uint32_t begun = rows;
		uint32_t k = 0;
		int rc;

		if (c->page.left == 0) {
			rc = next_page(c, err);
			if (rc != CDC_OK)
				return rc;
		}
		rc = look_ahead(c, STEP, &begun, &k, err);
		if (rc < 0 || k == 0)
			return rc;
		if (c->batch.n >= MAX_ROW_SLOTS)
			return cdc_fail(err, CDC_ENOMEM, "rows of more than %u values",
					MAX_ROW_SLOTS);
		rc = cdc_pq_batch_append(&c->batch, &c->page, k, &c->space, err);
		if (rc < 0)
			return rc;
		rows -= begun;
	}
}

static void hand_out(const struct cdc_pq_column *c, struct cdc_pq_vec *out)
{
	const struct cdc_pq_batch *b = &c->batch;

	*out = (struct cdc_pq_vec){ .type = b->type,
				    .n = b->n,
				    .values = b->values.p,
				    .def = b->has_def ? b->def.p : NULL,
				    .rep = c->env.max_rep ? b->rep.p : NULL };
}

static int read_rows(struct cdc_pq_column *c, uint32_t rows, struct cdc_pq_vec *out,
		     struct cdc_err *err)
{
	int rc = begin_batch(c, err);

	if (rc >= 0 && c->page.left == 0)
		rc = next_page(c, err);
	if (rc != CDC_OK)
		return rc;
	rc = fill_rows(c, rows, err);
	if (rc >= 0)
		rc = check_nested(c, err);
	if (rc >= 0)
		hand_out(c, out);
	return rc < 0 ? rc : CDC_OK;
}

int cdc_pq_column_rows(struct cdc_pq_column *c, uint32_t max_rows, uint32_t max_slots,
		       uint32_t *rows, struct cdc_err *err)
{
	uint32_t k = 0;
	int rc = CDC_OK;

	*rows = max_rows;
	if (c->rc < 0)
		return cdc_fail(err, c->rc, "the column was given up after an error");
	if (c->env.max_rep == 0)
		return CDC_OK;
	if (c->page.left == 0) {
		rc = begin_batch(c, err);
		if (rc >= 0)
			rc = next_page(c, err);
	}
	if (rc == CDC_OK)
		rc = look_ahead(c, max_slots, rows, &k, err);
	if (rc == CDC_OK && *rows == 0)
		*rows = 1;
	return rc < 0 ? failed(c, rc, err) : rc;
}

int cdc_pq_column_read_rows(struct cdc_pq_column *c, uint32_t rows, struct cdc_pq_vec *out,
			    struct cdc_err *err)
{
	int rc;

	if (c->env.max_rep == 0 || c->rc < 0 || rows == 0)
		return cdc_pq_column_read(c, rows, out, err);
	rc = read_rows(c, rows, out, err);
	return rc < 0 ? failed(c, rc, err) : rc;
}

static int read_batch(struct cdc_pq_column *c, uint32_t max, struct cdc_pq_vec *out,
		      struct cdc_err *err)
{
	bool done = false;
	int rc = begin_batch(c, err);

	if (rc >= 0 && c->page.left == 0)
		rc = next_page(c, err);
	if (rc == CDC_OK && !c->env.max_rep)
		rc = read_direct(c, max, out, &done, err);
	if (rc != CDC_OK || done)
		return rc;
	rc = fill(c, max, err);
	if (rc == CDC_OK && c->env.max_rep)
		rc = finish_row(c, max, err);
	if (rc >= 0 && c->env.max_rep)
		rc = check_nested(c, err);
	if (rc < 0)
		return rc;
	hand_out(c, out);
	return CDC_OK;
}

int cdc_pq_column_read(struct cdc_pq_column *c, uint32_t max, struct cdc_pq_vec *out,
		       struct cdc_err *err)
{
	int rc;

	if (c->rc < 0)
		return cdc_fail(err, c->rc, "the column was given up after an error");
	if (max == 0)
		return cdc_fail(err, CDC_EINTERNAL, "a batch of no slots");
	rc = read_batch(c, max, out, err);
	return rc < 0 ? failed(c, rc, err) : rc;
}

/* ------------------------------------------------------------------ skipping */

/* The next k slots of the page at work. */
static int skip_slots(struct cdc_pq_column *c, uint32_t k, struct cdc_err *err)
{
	uint32_t valid = k;
	uint32_t at_max = 0;
	uint8_t level[512];
	int rc = CDC_OK;

	k = k < sizeof(level) || !c->env.max_def ? k : (uint32_t)sizeof(level);
	valid = k;
	if (c->env.max_rep)
		rc = cdc_pq_levels_read(&c->page.rep, level, k, &at_max, err);
	if (rc >= 0 && c->env.max_def)
		rc = cdc_pq_levels_read(&c->page.def, level, k, &valid, err);
	if (rc >= 0)
		rc = cdc_pq_values_skip(&c->page.values, valid, &c->space, err);
	if (rc < 0)
		return rc;
	c->page.left -= k;
	return (int)k;
}

/* Pass over pages as long as they are skipped whole; begin the one that is not. */
static int skip_pages(struct cdc_pq_column *c, uint64_t *rows, struct cdc_err *err)
{
	struct cdc_pq_page_header h;
	bool data = false;
	int rc = leave_page(c, err);

	while (rc >= 0) {
		rc = next_header(c, &h, err);
		if (rc != CDC_OK)
			return rc;
		rc = note_page(c, &h, &data, err);
		if (rc < 0 || !data)
			continue;
		if ((uint64_t)h.num_values > *rows || (uint64_t)h.num_values > c->slots_left ||
		    (c->f->carried_prefix && h.encoding == CDC_PQ_DELTA_BYTE_ARRAY))
			return begin_page(c, &h, err);
		*rows -= (uint64_t)h.num_values;
		c->slots_left -= (uint64_t)h.num_values;
		if (*rows == 0)
			return CDC_OK;
	}
	return rc;
}

static int skip_rows(struct cdc_pq_column *c, uint64_t rows, struct cdc_err *err)
{
	int rc = begin_batch(c, err);

	while (rc >= 0 && rows > 0) {
		if (c->page.left == 0) {
			rc = skip_pages(c, &rows, err);
			if (rc == CDC_END)
				return cdc_fail(err, CDC_EINTERNAL, "a skip beyond its end");
			continue;
		}
		rc = skip_slots(c, rows < c->page.left ? (uint32_t)rows : c->page.left, err);
		if (rc >= 0)
			rows -= (uint64_t)rc;
		if (rc >= 0 && c->space.arena.total_bytes > MAX_STRINGS / 2)
			rc = begin_batch(c, err);
	}
	return rc < 0 ? rc : CDC_OK;
}

static int check_first(const struct cdc_pq_column *c, struct cdc_err *err)
{
	uint8_t v = 0;
	int rc = cdc_pq_levels_peek(&c->page.rep, &v, err);

	if (rc >= 0 && v != 0)
		return cdc_fail(err, CDC_ECORRUPT, "its first value continues a row");
	return rc;
}

/* Rows of a nested column: where they end only the repetition levels tell. */
static int skip_nested(struct cdc_pq_column *c, uint64_t rows, struct cdc_err *err)
{
	int rc = begin_batch(c, err);

	if (rows > c->rows_left)
		return cdc_fail(err, CDC_EINTERNAL, "a skip beyond its end");
	c->rows_left -= rows;
	while (rc >= 0) {
		uint32_t begun = rows < UINT32_MAX ? (uint32_t)rows : UINT32_MAX;
		uint32_t k = 0;

		if (c->page.left == 0) {
			rc = next_page(c, err);
			if (rc != CDC_OK)
				break;
		}
		if (!c->began && (rc = check_first(c, err)) < 0)
			break;
		rc = look_ahead(c, STEP, &begun, &k, err);
		if (rc < 0 || k == 0)
			break;
		c->began = true;
		rows -= begun;
		while (rc >= 0 && k > 0) {
			rc = skip_slots(c, k, err);
			k -= rc < 0 ? 0 : (uint32_t)rc;
		}
		if (rc >= 0 && c->space.arena.total_bytes > MAX_STRINGS / 2)
			rc = begin_batch(c, err);
	}
	if (rc == CDC_END && (rows > 0 || c->rows_left > 0))
		return cdc_fail(err, CDC_ECORRUPT, "it has %llu rows fewer than its row group",
				(unsigned long long)(rows + c->rows_left));
	return rc < 0 ? rc : CDC_OK;
}

int cdc_pq_column_skip(struct cdc_pq_column *c, uint64_t rows, struct cdc_err *err)
{
	int rc;

	if (c->rc < 0)
		return cdc_fail(err, c->rc, "the column was given up after an error");
	if (rows == 0)
		return CDC_OK;
	rc = c->env.max_rep ? skip_nested(c, rows, err) : skip_rows(c, rows, err);
	return rc < 0 ? failed(c, rc, err) : rc;
}
