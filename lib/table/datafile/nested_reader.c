/*
 * Nested columns from levels (parquet-format "Nested Encoding"). See nested_reader.h.
 *
 * The slots of a part are the entries of a leaf below it whose repetition level does not exceed the
 * number of lists around the part, and whose definition level reaches the innermost of them: an
 * empty list has an entry in the leaf, but no slot in its elements. A slot holds a value where the
 * definition level reaches the part itself.
 */
#include "table/datafile/nested_reader.h"

#include "parquet/pq_shape.h"
#include "parquet/pq_value_read.h"
#include "table/datafile/convert.h"

#include <stdlib.h>

#define SHOWN(s) (int)((s).n > 128 ? 128 : (s).n), (s).p

/* Slots of one leaf in a batch, if rows allow. */
#define BATCH_SLOTS (64u << 10)

struct leaf {
	int32_t ordinal;
	struct cdc_pq_column *column;
	struct cdc_pq_vec vec;
};

struct part {
	const struct cdc_field *field;
	struct cdc_field own; /* VARIANT: the field with the file's children */
	int32_t leaf; /* whose levels count, index into reader->leaf; -1: not in the file */
	uint8_t rep; /* lists around it */
	uint8_t entry_def; /* level at which its slot is there */
	uint8_t def; /* level at which it is not null */
	struct cdc_convert convert;
	struct part *child;
	/* Arrays of the batch: */
	struct cdc_pq_mem values;
	struct cdc_pq_mem converted;
	struct cdc_pq_mem valid;
	struct cdc_column *column; /* of the children */
};

struct cdc_nested_reader {
	struct cdc_pq_file *file;
	const struct cdc_pq_metadata *meta;
	const struct cdc_pq_schema *schema;
	bool by_id;
	struct part top;
	struct leaf *leaf;
	int num_leaves;
	struct cdc_arena arena; /* the tree */
};

/* ------------------------------------------------------------------ which node is which field */

int32_t cdc_nested_find(const struct cdc_pq_schema *s, int32_t parent, const struct cdc_field *f,
			bool by_id, int32_t guess)
{
	int32_t found = -1;

	if (f->file_node)
		return f->file_node;
	if (by_id) {
		for (int32_t i = cdc_pq_next_child(s, parent, parent); i >= 0 && f->has_field_id;
		     i = cdc_pq_next_child(s, parent, i)) {
			if (s->node[i].has_field_id && s->node[i].field_id == f->field_id)
				return i;
		}
		return -1;
	}
	if (guess > 0 && guess < s->num_nodes && s->node[guess].parent == parent &&
	    cdc_str_eq(s->node[guess].name, f->physical_name))
		return guess;
	for (int32_t i = cdc_pq_next_child(s, parent, parent); i >= 0;
	     i = cdc_pq_next_child(s, parent, i)) {
		if (cdc_str_eq(s->node[i].name, f->physical_name))
			return i;
	}
	for (int32_t i = cdc_pq_next_child(s, parent, parent); i >= 0;
	     i = cdc_pq_next_child(s, parent, i)) {
		if (!cdc_str_ieq(s->node[i].name, f->physical_name))
			continue;
		if (found >= 0)
			return -1;
		found = i;
	}
	return found;
}

/* ------------------------------------------------------------------ the tree */

/* The reader's leaf for a node of the file, each once. */
static int use_leaf(struct cdc_nested_reader *r, int32_t node, struct part *p, struct cdc_err *err)
{
	int32_t ordinal = r->schema->node[node].leaf;
	struct leaf *more;

	for (p->leaf = 0; p->leaf < r->num_leaves; p->leaf++) {
		if (r->leaf[p->leaf].ordinal == ordinal)
			return CDC_OK;
	}
	more = reallocarray(r->leaf, (size_t)r->num_leaves + 1, sizeof(*more));
	if (!more) {
		p->leaf = -1;
		return cdc_fail_nomem(err);
	}
	r->leaf = more;
	r->leaf[r->num_leaves++] = (struct leaf){ .ordinal = ordinal };
	return CDC_OK;
}

static int wrong_type(const struct part *p, struct cdc_err *err)
{
	char name[CDC_TYPE_NAME_MAX];

	return cdc_fail(err, CDC_ECORRUPT, "\"%.*s\" is no %s there", SHOWN(p->field->name),
			cdc_type_name(p->field, name));
}

static int plan(struct cdc_nested_reader *r, struct part *p, const struct cdc_field *f,
		int32_t node, bool element, struct cdc_err *err);

static int make_children(struct cdc_nested_reader *r, struct part *p, struct cdc_err *err)
{
	size_t n = (size_t)p->field->num_children;

	p->child = cdc_arena_calloc(&r->arena, n + 1, sizeof(*p->child));
	p->column = cdc_arena_calloc(&r->arena, n + 1, sizeof(*p->column));
	if (!p->child || !p->column)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		p->child[i] = (struct part){ .rep = p->rep, .entry_def = p->entry_def, .leaf = -1 };
	return CDC_OK;
}

/* A part that the file lacks, and all below it. */
static int plan_missing(struct cdc_nested_reader *r, struct part *p, const struct cdc_field *f,
			struct cdc_err *err)
{
	int rc;

	p->field = f;
	p->leaf = -1;
	rc = make_children(r, p, err);
	for (int i = 0; rc == CDC_OK && i < f->num_children; i++)
		rc = plan_missing(r, &p->child[i], &f->child[i], err);
	return rc;
}

/*
 * Whose levels tell of a group: those of a leaf that is read anyway, with as few lists in between
 * as there are; else of the first leaf that the file has below it.
 */
static int choose_levels(struct cdc_nested_reader *r, struct part *p, int32_t node,
			 struct cdc_err *err)
{
	const struct cdc_pq_schema *s = r->schema;
	int32_t best = -1;

	for (int i = 0; i < p->field->num_children; i++) {
		const struct part *c = &p->child[i];

		if (c->leaf < 0)
			continue;
		if (p->leaf < 0 || (!c->child && p->child[best].child)) {
			p->leaf = c->leaf;
			best = i;
		}
	}
	for (int32_t i = node; p->leaf < 0 && i < s->num_nodes; i++) {
		if (i > node && s->node[i].parent < node)
			break;
		if (s->node[i].is_leaf)
			return use_leaf(r, i, p, err);
	}
	return CDC_OK;
}

static int plan_struct(struct cdc_nested_reader *r, struct part *p, int32_t node,
		       struct cdc_err *err)
{
	const struct cdc_field *f = p->field;
	int32_t guess = node + 1;
	int rc = make_children(r, p, err);

	for (int i = 0; rc == CDC_OK && i < f->num_children; i++) {
		int32_t c = cdc_nested_find(r->schema, node, &f->child[i], r->by_id, guess);

		rc = plan(r, &p->child[i], &f->child[i], c, false, err);
		guess = c < 0 ? guess : c + 1;
	}
	return rc < 0 ? rc : choose_levels(r, p, node, err);
}

/* The entries of a list or a map have their slots one list deeper. */
static int plan_entries(struct cdc_nested_reader *r, struct part *p,
			const struct cdc_pq_shape *shape, struct cdc_err *err)
{
	const struct cdc_pq_node *repeated = &r->schema->node[shape->repeated];
	const struct cdc_field *f = p->field;
	bool element = shape->first == shape->repeated;
	int rc = make_children(r, p, err);

	for (int i = 0; rc == CDC_OK && i < f->num_children; i++) {
		p->child[i].rep = repeated->max_rep;
		p->child[i].entry_def = repeated->max_def;
		rc = plan(r, &p->child[i], &f->child[i], i ? shape->second : shape->first, element,
			  err);
	}
	if (rc == CDC_OK)
		rc = choose_levels(r, p, shape->repeated, err);
	if (rc == CDC_OK && p->leaf < 0)
		rc = cdc_fail(err, CDC_ECORRUPT, "\"%.*s\" has entries without columns",
			      SHOWN(f->name));
	return rc;
}

static int plan_variant(struct cdc_nested_reader *r, struct part *p, int32_t node,
			struct cdc_err *err)
{
	const struct cdc_field *f = p->field;
	int rc;

	if (r->schema->node[node].is_leaf)
		return wrong_type(p, err);
	rc = cdc_field_from_parquet(&p->own, r->schema, node, &r->arena, err);
	if (rc < 0)
		return rc;
	p->own.name = f->name;
	p->own.physical_name = f->physical_name;
	p->own.type = CDC_TYPE_VARIANT;
	p->field = &p->own;
	return plan_struct(r, p, node, err);
}

static int plan_leaf(struct cdc_nested_reader *r, struct part *p, int32_t node, struct cdc_err *err)
{
	const struct cdc_pq_node *n = &r->schema->node[node];

	if (!n->is_leaf || n->max_rep != p->rep || !cdc_convert_choose(&p->convert, n, p->field))
		return wrong_type(p, err);
	cdc_convert_calendar(&p->convert, r->meta, n, p->field);
	return use_leaf(r, node, p, err);
}

/* Depth is bounded by that of the schemas. */
static int plan(struct cdc_nested_reader *r, struct part *p, const struct cdc_field *f,
		int32_t node, bool element, struct cdc_err *err)
{
	enum cdc_pq_shape_kind wanted = f->type == CDC_TYPE_ARRAY ? CDC_PQ_SHAPE_LIST
					: f->type == CDC_TYPE_MAP ? CDC_PQ_SHAPE_MAP
								  : CDC_PQ_SHAPE_LEAF;
	struct cdc_pq_shape shape;

	p->field = f;
	if (node < 0 || f->type == CDC_TYPE_VOID)
		return plan_missing(r, p, f, err);
	p->def = r->schema->node[node].max_def;
	if (f->type == CDC_TYPE_VARIANT)
		return plan_variant(r, p, node, err);
	shape = cdc_pq_shape_as(r->schema, node, element, wanted);
	if (shape.kind == CDC_PQ_SHAPE_LIST && shape.repeated == node)
		p->def--; /* the list is as its parent: it cannot be null itself */
	if (f->type == CDC_TYPE_STRUCT) {
		if (shape.kind != CDC_PQ_SHAPE_STRUCT)
			return wrong_type(p, err);
		return plan_struct(r, p, node, err);
	}
	if (wanted != CDC_PQ_SHAPE_LEAF) {
		if (shape.kind != wanted)
			return wrong_type(p, err);
		return plan_entries(r, p, &shape, err);
	}
	return plan_leaf(r, p, node, err);
}

int cdc_nested_reader_new(struct cdc_nested_reader **out, struct cdc_pq_file *file,
			  const struct cdc_field *field, int32_t node, bool by_id,
			  struct cdc_err *err)
{
	struct cdc_nested_reader *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return cdc_fail_nomem(err);
	r->file = file;
	r->meta = cdc_pq_metadata(file);
	r->schema = &r->meta->schema;
	r->by_id = by_id;
	r->top.leaf = -1;
	rc = plan(r, &r->top, field, node, false, err);
	if (rc < 0) {
		cdc_nested_reader_free(r);
		return rc;
	}
	*out = r;
	return CDC_OK;
}

static void free_part(struct part *p)
{
	for (int i = 0; p->child && i < p->field->num_children; i++)
		free_part(&p->child[i]);
	cdc_pq_mem_free(&p->values);
	cdc_pq_mem_free(&p->converted);
	cdc_pq_mem_free(&p->valid);
}

static void close_leaves(struct cdc_nested_reader *r)
{
	for (int i = 0; i < r->num_leaves; i++) {
		if (r->leaf[i].column)
			cdc_pq_column_close(r->leaf[i].column);
		r->leaf[i].column = NULL;
	}
}

void cdc_nested_reader_free(struct cdc_nested_reader *r)
{
	if (!r)
		return;
	close_leaves(r);
	free_part(&r->top);
	free(r->leaf);
	cdc_arena_free(&r->arena);
	free(r);
}

/* ------------------------------------------------------------------ slots from levels */

/* Definition levels of the slots of a part, and where they are: all entries of the leaf, or some.
 */
struct slots {
	const uint8_t *def; /* NULL: every entry of the leaf holds a value */
	const uint8_t *rep; /* NULL: every entry begins a row */
	uint32_t entries;
};

static struct slots slots_of(const struct cdc_nested_reader *r, const struct part *p)
{
	const struct cdc_pq_vec *v = &r->leaf[p->leaf].vec;

	return (struct slots){ v->def, v->rep, v->n };
}

static bool is_slot(const struct slots *s, const struct part *p, uint32_t i)
{
	return (!s->rep || s->rep[i] <= p->rep) && (!s->def || s->def[i] >= p->entry_def);
}

/* Of a leaf, whose own levels these are. */
static bool all_are_slots(const struct slots *s, const struct part *p)
{
	if (!s->def || p->entry_def == 0)
		return true;
	for (uint32_t i = 0; i < s->entries; i++) {
		if (s->def[i] < p->entry_def)
			return false;
	}
	return true;
}

static int mismatch(const struct part *p, struct cdc_err *err)
{
	return cdc_fail(err, CDC_ECORRUPT, "the columns of \"%.*s\" do not fit together",
			SHOWN(p->field->name));
}

/* One byte a slot: is the part not null? There must be n slots. */
static int read_valid(const struct slots *s, struct part *p, uint32_t n, struct cdc_err *err)
{
	uint32_t at = 0;
	int rc = cdc_pq_mem_reserve(&p->valid, n, 0, err);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < s->entries; i++) {
		if (!is_slot(s, p, i))
			continue;
		if (at == n)
			return mismatch(p, err);
		p->valid.p[at++] = !s->def || s->def[i] >= p->def;
	}
	return at == n ? CDC_OK : mismatch(p, err);
}

/* ------------------------------------------------------------------ assembly */

static int assemble(struct cdc_nested_reader *r, struct part *p, uint32_t n, struct cdc_column *out,
		    struct cdc_err *err);

/* n nulls: zeroed values, and children of as many rows, or none in lists. */
static int assemble_missing(struct cdc_nested_reader *r, struct part *p, uint32_t n,
			    struct cdc_column *out, struct cdc_err *err)
{
	const struct cdc_field *f = p->field;
	bool list = f->type == CDC_TYPE_ARRAY || f->type == CDC_TYPE_MAP;
	size_t size = cdc_type_size(f->type);
	int rc = cdc_pq_mem_reserve(&p->valid, n, 0, err);

	if (rc == CDC_OK)
		rc = cdc_pq_mem_reserve(&p->values, n * size, 0, err);
	if (rc < 0)
		return rc;
	memset(p->valid.p, 0, n);
	if (size)
		memset(p->values.p, 0, n * size);
	for (int i = 0; rc == CDC_OK && i < f->num_children; i++)
		rc = assemble(r, &p->child[i], list ? 0 : n, &p->column[i], err);
	*out = (struct cdc_column){ f, size ? p->values.p : NULL, p->valid.p, p->column };
	return rc;
}

static int assemble_struct(struct cdc_nested_reader *r, struct part *p, uint32_t n,
			   struct cdc_column *out, struct cdc_err *err)
{
	struct slots s = slots_of(r, p);
	int rc = read_valid(&s, p, n, err);

	for (int i = 0; rc == CDC_OK && i < p->field->num_children; i++)
		rc = assemble(r, &p->child[i], n, &p->column[i], err);
	*out = (struct cdc_column){ p->field, NULL, p->valid.p, p->column };
	return rc;
}

/* Spans and validity of lists; *entries is how many slots the children have. */
static int read_spans(const struct slots *s, struct part *p, uint32_t n, uint32_t *entries,
		      struct cdc_err *err)
{
	const struct part *c = &p->child[0];
	struct cdc_span *span;
	uint32_t at = 0;
	int rc = cdc_pq_mem_reserve(&p->values, n * sizeof(*span), 0, err);

	if (rc == CDC_OK)
		rc = cdc_pq_mem_reserve(&p->valid, n, 0, err);
	if (rc < 0)
		return rc;
	span = (struct cdc_span *)(void *)p->values.p;
	*entries = 0;
	for (uint32_t i = 0; i < s->entries; i++) {
		if (is_slot(s, p, i)) {
			if (at == n)
				return mismatch(p, err);
			p->valid.p[at] = !s->def || s->def[i] >= p->def;
			span[at++] = (struct cdc_span){ *entries, 0 };
		}
		if (is_slot(s, c, i)) {
			if (at == 0)
				return mismatch(p, err);
			span[at - 1].n++;
			(*entries)++;
		}
	}
	return at == n ? CDC_OK : mismatch(p, err);
}

static int assemble_list(struct cdc_nested_reader *r, struct part *p, uint32_t n,
			 struct cdc_column *out, struct cdc_err *err)
{
	struct slots s = slots_of(r, p);
	uint32_t entries = 0;
	int rc = read_spans(&s, p, n, &entries, err);

	for (int i = 0; rc == CDC_OK && i < p->field->num_children; i++)
		rc = assemble(r, &p->child[i], entries, &p->column[i], err);
	if (rc == CDC_OK && p->field->type == CDC_TYPE_MAP && p->column[0].valid &&
	    memchr(p->column[0].valid, 0, entries))
		return cdc_fail(err, CDC_ECORRUPT, "\"%.*s\" has a key that is null",
				SHOWN(p->field->name));
	*out = (struct cdc_column){ p->field, p->values.p, p->valid.p, p->column };
	return rc;
}

/* The values of the slots alone, where empty and null lists left entries without one. */
static int pick_values(const struct slots *s, struct part *p, const struct cdc_pq_vec *from,
		       uint32_t n, struct cdc_err *err)
{
	size_t size = cdc_pq_slot_size(from->type);
	const char *in = from->values;
	uint32_t at = 0;
	int rc = cdc_pq_mem_reserve(&p->values, n * size, 0, err);

	for (uint32_t i = 0; rc == CDC_OK && i < s->entries; i++) {
		if (!is_slot(s, p, i))
			continue;
		if (at == n)
			return mismatch(p, err);
		memcpy(p->values.p + at++ * size, in + i * size, size);
	}
	return rc;
}

static int misfit(const struct part *p, struct cdc_err *err)
{
	if (p->convert.misfit)
		return cdc_fail(err, CDC_EUNSUPPORTED, "\"%.*s\" %s", SHOWN(p->field->name),
				p->convert.misfit);
	return cdc_fail(err, CDC_ECORRUPT, "\"%.*s\" holds a value that is out of range",
			SHOWN(p->field->name));
}

static int assemble_leaf(struct cdc_nested_reader *r, struct part *p, uint32_t n,
			 struct cdc_column *out, struct cdc_err *err)
{
	struct slots s = slots_of(r, p);
	struct cdc_pq_vec vec = r->leaf[p->leaf].vec;
	int rc = CDC_OK;

	*out = (struct cdc_column){ p->field, NULL, NULL, NULL };
	if (!all_are_slots(&s, p)) {
		rc = pick_values(&s, p, &vec, n, err);
		vec.values = p->values.p;
	} else if (s.entries != n) {
		return mismatch(p, err);
	}
	if (rc == CDC_OK && s.def) {
		rc = read_valid(&s, p, n, err);
		out->valid = p->valid.p;
	}
	vec.n = n;
	vec.def = out->valid;
	vec.rep = NULL;
	out->values = vec.values;
	if (rc < 0 || !p->convert.fn)
		return rc;
	rc = cdc_pq_mem_reserve(&p->converted, n * cdc_type_size(p->field->type), 0, err);
	if (rc < 0)
		return rc;
	if (!p->convert.fn(&p->convert, &vec, p->converted.p))
		return misfit(p, err);
	out->values = p->converted.p;
	return CDC_OK;
}

static int assemble(struct cdc_nested_reader *r, struct part *p, uint32_t n, struct cdc_column *out,
		    struct cdc_err *err)
{
	if (p->leaf < 0)
		return assemble_missing(r, p, n, out, err);
	if (p->field->type == CDC_TYPE_STRUCT || p->field->type == CDC_TYPE_VARIANT)
		return assemble_struct(r, p, n, out, err);
	if (p->field->type == CDC_TYPE_ARRAY || p->field->type == CDC_TYPE_MAP)
		return assemble_list(r, p, n, out, err);
	return assemble_leaf(r, p, n, out, err);
}

/* ------------------------------------------------------------------ reading */

int cdc_nested_reader_open(struct cdc_nested_reader *r, int32_t row_group, struct cdc_err *err)
{
	int rc = CDC_OK;

	close_leaves(r);
	for (int i = 0; rc == CDC_OK && i < r->num_leaves; i++)
		rc = cdc_pq_column_open(&r->leaf[i].column, r->file, row_group, r->leaf[i].ordinal,
					err);
	return rc;
}

int cdc_nested_reader_rows(struct cdc_nested_reader *r, uint32_t max, uint32_t *rows,
			   struct cdc_err *err)
{
	int rc = CDC_OK;

	*rows = max;
	for (int i = 0; rc == CDC_OK && i < r->num_leaves; i++) {
		uint32_t n = 0;

		rc = cdc_pq_column_rows(r->leaf[i].column, *rows, BATCH_SLOTS, &n, err);
		*rows = n < *rows ? n : *rows;
	}
	if (rc == CDC_END)
		rc = cdc_fail(err, CDC_ECORRUPT, "its values end early");
	return rc;
}

int cdc_nested_reader_next(struct cdc_nested_reader *r, uint32_t rows, struct cdc_column *out,
			   struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; rc == CDC_OK && i < r->num_leaves; i++)
		rc = cdc_pq_column_read_rows(r->leaf[i].column, rows, &r->leaf[i].vec, err);
	if (rc == CDC_END)
		rc = cdc_fail(err, CDC_ECORRUPT, "its values end early");
	return rc < 0 ? rc : assemble(r, &r->top, rows, out, err);
}

int cdc_nested_reader_skip(struct cdc_nested_reader *r, uint64_t rows, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; rc == CDC_OK && i < r->num_leaves; i++)
		rc = cdc_pq_column_skip(r->leaf[i].column, rows, err);
	return rc;
}
