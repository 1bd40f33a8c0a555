/*
 * Checkpoints to actions (spec section 9): classic, multi-part, and V2 with its sidecars. Columns
 * are found by the names in action_table.c; others (previews) are not read.
 */
#include "delta/checkpoint_int.h"

#include "base/value.h"
#include "delta/path.h"

#include <inttypes.h>
#include <stdlib.h>

#define BATCH_SLOTS 1024
#define ROWS_PER_BYTE_MAX 64

/* ------------------------------------------------------------------ the schema */

int32_t cdc_cp_child(const struct cdc_pq_schema *s, int32_t parent, const char *name)
{
	for (int32_t i = parent + 1; i < s->num_nodes; i++) {
		if (s->node[i].parent == parent && cdc_str_eqz(s->node[i].name, name))
			return i;
	}
	return -1;
}

static uint8_t def_level(const struct cdc_pq_schema *s, int32_t node)
{
	unsigned d = 0;

	for (; node > 0; node = s->node[node].parent)
		d += s->node[node].repetition != CDC_PQ_REQUIRED;
	return (uint8_t)d;
}

bool cdc_cp_is_below(const struct cdc_pq_schema *s, int32_t node, int32_t top)
{
	while (node > top)
		node = s->node[node].parent;
	return node == top;
}

/* The n-th leaf below a node, -1 if it has fewer. */
static int32_t leaf_below(const struct cdc_pq_schema *s, int32_t top, int n)
{
	for (int32_t i = top; i < s->num_nodes && cdc_cp_is_below(s, i, top); i++) {
		if (s->node[i].is_leaf && n-- == 0)
			return i;
	}
	return -1;
}

/* Definition level at which the innermost repeated group above a leaf has an entry. */
static uint8_t entry_level(const struct cdc_pq_schema *s, int32_t leaf)
{
	int32_t i = leaf;

	while (i > 0 && s->node[i].repetition != CDC_PQ_REPEATED)
		i = s->node[i].parent;
	return def_level(s, i);
}

static bool leaf_type_fits(enum cdc_member_type m, enum cdc_pq_type t)
{
	switch (m) {
	case CDC_M_INT64:
	case CDC_M_INT32:
		return t == CDC_PQ_INT64 || t == CDC_PQ_INT32;
	case CDC_M_BOOL:
	case CDC_M_EXTENDED:
		return t == CDC_PQ_BOOLEAN;
	case CDC_M_STRING:
	case CDC_M_STORAGE:
	case CDC_M_COUNT_STATS:
	case CDC_M_MAP:
	case CDC_M_LIST:
	case CDC_M_TAGS:
	case CDC_M_FORMAT:
	case CDC_M_DV:
		break;
	}
	return t == CDC_PQ_BYTE_ARRAY;
}

static int add_cursor(struct cdc_cp_reader *r, int32_t node, uint8_t max_rep, struct cdc_err *err)
{
	const struct cdc_pq_node *n = &r->schema->node[node];

	if (r->num_cursors == CDC_CP_MAX_CURSORS)
		return cdc_fail(err, CDC_ECORRUPT, "checkpoint columns are repeated");
	if (n->max_rep != max_rep)
		return cdc_fail(err, CDC_ECORRUPT, "checkpoint column %.*s has %d levels of lists",
				(int)n->name.n, n->name.p, n->max_rep);
	r->cursor[r->num_cursors] = (struct cdc_cp_cursor){ .leaf = n->leaf,
							    .max_def = n->max_def,
							    .repeated = max_rep > 0 };
	return r->num_cursors++;
}

static int bind_leaf(struct cdc_cp_reader *r, struct cdc_cp_binding *b, int32_t node,
		     struct cdc_err *err)
{
	const struct cdc_pq_node *n = &r->schema->node[node];

	if (!n->is_leaf || !leaf_type_fits(b->m->type, n->type))
		return cdc_fail(err, CDC_ECORRUPT, "checkpoint column %s is of the wrong type",
				b->m->name);
	b->cursor = add_cursor(r, node, 0, err);
	return b->cursor < 0 ? b->cursor : CDC_OK;
}

static int bind_nested(struct cdc_cp_reader *r, struct cdc_cp_binding *b, int32_t node,
		       struct cdc_err *err)
{
	bool map = b->m->type != CDC_M_LIST;
	int32_t key = leaf_below(r->schema, node, 0);
	int32_t value = map ? leaf_below(r->schema, node, 1) : key;

	if (key < 0 || value < 0 || r->schema->node[key].type != CDC_PQ_BYTE_ARRAY ||
	    r->schema->node[value].type != CDC_PQ_BYTE_ARRAY)
		return cdc_fail(err, CDC_ECORRUPT, "checkpoint column %s is of the wrong type",
				b->m->name);
	b->entry_def = entry_level(r->schema, key);
	b->cursor = add_cursor(r, key, 1, err);
	if (b->cursor < 0)
		return b->cursor;
	b->value_cursor = map ? add_cursor(r, value, 1, err) : b->cursor;
	return b->value_cursor < 0 ? b->value_cursor : CDC_OK;
}

static int bind_member(struct cdc_cp_reader *r, enum cdc_action_kind kind, int32_t group,
		       const struct cdc_member *m, int bit, struct cdc_err *err)
{
	int32_t node = cdc_cp_child(r->schema, group, m->name);
	struct cdc_cp_binding *b = &r->binding[r->num_bindings];
	int rc;

	if (node < 0 || m->type == CDC_M_FORMAT || m->type == CDC_M_EXTENDED)
		return CDC_OK;
	if (m->type == CDC_M_DV) {
		uint16_t at = m->at;

		for (int i = 0; i < CDC_DV_NUM_MEMBERS; i++) {
			int first = r->num_bindings;

			rc = bind_member(r, kind, node, &cdc_dv_member[i], i, err);
			if (rc)
				return rc;
			if (r->num_bindings > first) {
				r->binding[first].in_dv = true;
				r->binding[first].base = at;
			}
		}
		return CDC_OK;
	}
	if (r->num_bindings == CDC_CP_MAX_BINDINGS)
		return cdc_fail(err, CDC_ECORRUPT, "checkpoint columns are repeated");
	*b = (struct cdc_cp_binding){ .kind = kind, .m = m, .bit = bit };
	if (m->type == CDC_M_MAP || m->type == CDC_M_LIST || m->type == CDC_M_TAGS)
		rc = bind_nested(r, b, node, err);
	else
		rc = bind_leaf(r, b, node, err);
	if (!rc)
		r->num_bindings++;
	return rc;
}

/* Columns of one action, and a flat one of them that tells which rows have it. */
static int bind_action(struct cdc_cp_reader *r, enum cdc_action_kind kind, struct cdc_err *err)
{
	const struct cdc_action_def *d = &cdc_action_def[kind];
	int32_t group = cdc_cp_child(r->schema, 0, d->name);
	int first = r->num_bindings;

	r->probe[kind] = -1;
	if (group < 0 || !(r->kinds & CDC_KIND(kind)))
		return CDC_OK;
	r->first[kind] = first;
	for (int i = 0; i < d->num_members; i++) {
		int rc = bind_member(r, kind, group, &d->member[i], i, err);

		if (rc)
			return rc;
	}
	r->end[kind] = r->num_bindings;
	for (int i = first; i < r->num_bindings && r->probe[kind] < 0; i++) {
		if (!r->cursor[r->binding[i].cursor].repeated)
			r->probe[kind] = r->binding[i].cursor;
	}
	r->probe_def[kind] = def_level(r->schema, group);
	if (r->probe[kind] < 0)
		return cdc_fail(err, CDC_ECORRUPT, "checkpoint column %s has no known members",
				d->name);
	if (kind == CDC_ACT_ADD) {
		int rc = cdc_cp_stats_bind(&r->stats, cdc_pq_metadata(r->file), group, err);

		return rc ? rc : cdc_cp_parts_bind(&r->parts, cdc_pq_metadata(r->file), group, err);
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ rows */

int cdc_cp_cursor_advance(struct cdc_cp_cursor *c, struct cdc_err *err)
{
	c->pos = c->end;
	if (c->pos == c->vec.n) {
		int rc = cdc_pq_column_read(c->column, BATCH_SLOTS, &c->vec, err);

		if (rc == CDC_END || (!rc && c->vec.n == 0))
			return cdc_fail(err, CDC_ECORRUPT, "a checkpoint column is too short");
		if (rc)
			return rc;
		c->pos = 0;
	}
	c->end = c->pos + 1;
	while (c->repeated && c->vec.rep && c->end < c->vec.n && c->vec.rep[c->end])
		c->end++;
	return CDC_OK;
}

static int string_at(const struct cdc_cp_cursor *c, uint32_t slot, struct cdc_str *out,
		     struct cdc_err *err)
{
	*out = (struct cdc_str)CDC_STR_INIT;
	if (!cdc_cp_has_value(c, slot))
		return CDC_OK;
	*out = ((const struct cdc_str *)c->vec.values)[slot];
	if (!cdc_utf8_valid(out->p, out->n))
		return cdc_fail(err, CDC_ECORRUPT, "a checkpoint string is not UTF-8");
	if (!out->p)
		out->p = "";
	return CDC_OK;
}

static int64_t int_at(const struct cdc_cp_cursor *c)
{
	return c->vec.type == CDC_PQ_INT32 ? ((const int32_t *)c->vec.values)[c->pos]
					   : ((const int64_t *)c->vec.values)[c->pos];
}

/* Entries of a list or map in this row: slots that reach the repeated group. */
static uint32_t count_entries(const struct cdc_cp_binding *b, const struct cdc_cp_cursor *c)
{
	uint32_t n = 0;

	for (uint32_t i = c->pos; i < c->end; i++)
		n += !c->vec.def || c->vec.def[i] >= b->entry_def;
	return n;
}

static int read_entries(struct cdc_cp_reader *r, const struct cdc_cp_binding *b,
			struct cdc_kv **out, int *count, struct cdc_err *err)
{
	const struct cdc_cp_cursor *k = &r->cursor[b->cursor], *v = &r->cursor[b->value_cursor];
	uint32_t n = count_entries(b, k), at = 0;
	struct cdc_kv *kv = cdc_arena_calloc(&r->scratch, n, sizeof(*kv));

	if (k->end - k->pos != v->end - v->pos)
		return cdc_fail(err, CDC_ECORRUPT, "keys and values of %s differ in number",
				b->m->name);
	if (!kv || n > INT32_MAX)
		return cdc_fail_nomem(err);
	for (uint32_t i = 0; i < k->end - k->pos; i++) {
		int rc;

		if (k->vec.def && k->vec.def[k->pos + i] < b->entry_def)
			continue;
		rc = string_at(k, k->pos + i, &kv[at].key, err);
		if (!rc)
			rc = string_at(v, v->pos + i, &kv[at].value, err);
		if (rc)
			return rc;
		if (!kv[at++].key.p)
			return cdc_fail(err, CDC_ECORRUPT, "a null key in %s", b->m->name);
	}
	*out = kv;
	*count = (int)n;
	return CDC_OK;
}

static int read_list(struct cdc_cp_reader *r, const struct cdc_cp_binding *b, void *body,
		     struct cdc_err *err)
{
	struct cdc_kv *kv;
	struct cdc_str *s;
	int n, rc = read_entries(r, b, &kv, &n, err);

	if (rc)
		return rc;
	s = cdc_arena_calloc(&r->scratch, (size_t)n, sizeof(*s));
	if (!s)
		return cdc_fail_nomem(err);
	for (int i = 0; i < n; i++)
		s[i] = kv[i].key;
	*(struct cdc_str **)cdc_member_to(body, b->m->at) = s;
	*(int *)cdc_member_to(body, b->m->count_at) = n;
	return CDC_OK;
}

/* Tags are raw JSON in the struct, so that a commit's are kept as they came. */
static int read_tags(struct cdc_cp_reader *r, const struct cdc_cp_binding *b, struct cdc_str *out,
		     struct cdc_err *err)
{
	struct cdc_kv *kv;
	int n, rc = read_entries(r, b, &kv, &n, err);

	if (rc || n == 0)
		return rc;
	cdc_buf_reset(&r->text);
	rc = cdc_action_put_map(&r->text, kv, n, err);
	if (rc)
		return rc;
	*out = cdc_str(cdc_arena_dup(&r->scratch, r->text.p, r->text.len), r->text.len);
	return out->p ? CDC_OK : cdc_fail_nomem(err);
}

static int read_flat(const struct cdc_cp_binding *b, const struct cdc_cp_cursor *c, void *to,
		     struct cdc_err *err)
{
	struct cdc_str s;
	int64_t n;
	int rc;

	switch (b->m->type) {
	case CDC_M_INT32:
		n = int_at(c);
		if (n < INT32_MIN || n > INT32_MAX)
			return cdc_fail(err, CDC_ECORRUPT, "%s is out of range", b->m->name);
		*(int32_t *)to = (int32_t)n;
		return CDC_OK;
	case CDC_M_INT64:
		*(int64_t *)to = int_at(c);
		return CDC_OK;
	case CDC_M_BOOL:
		*(bool *)to = ((const uint8_t *)c->vec.values)[c->pos] != 0;
		return CDC_OK;
	case CDC_M_STRING:
		return string_at(c, c->pos, to, err);
	case CDC_M_STORAGE:
		rc = string_at(c, c->pos, &s, err);
		if (!rc && (s.n != 1 || !memchr("uip", s.p[0], 3)))
			return cdc_fail(err, CDC_ECORRUPT, "unknown deletion vector storage type");
		if (!rc)
			*(char *)to = s.p[0];
		return rc;
	case CDC_M_COUNT_STATS:
	case CDC_M_MAP:
	case CDC_M_LIST:
	case CDC_M_TAGS:
	case CDC_M_EXTENDED:
	case CDC_M_FORMAT:
	case CDC_M_DV:
		break;
	}
	return CDC_OK;
}

/* One member of the row's action; its bit in *seen when it is there. */
static int read_binding(struct cdc_cp_reader *r, const struct cdc_cp_binding *b, void *body,
			uint32_t *seen, struct cdc_err *err)
{
	const struct cdc_cp_cursor *c = &r->cursor[b->cursor];
	const struct cdc_member *m = b->m;
	int rc;

	body = cdc_member_to(body, b->base);
	if (c->repeated) {
		/* A null map and an empty one are alike to us. */
		if (m->type == CDC_M_LIST)
			rc = read_list(r, b, body, err);
		else if (m->type == CDC_M_TAGS)
			rc = read_tags(r, b, cdc_member_to(body, m->at), err);
		else
			rc = read_entries(r, b, cdc_member_to(body, m->at),
					  cdc_member_to(body, m->count_at), err);
		*seen |= UINT32_C(1) << b->bit;
		return rc;
	}
	if (!cdc_cp_has_value(c, c->pos))
		return CDC_OK;
	if (m->flag_at != CDC_M_NO_FLAG)
		*(bool *)cdc_member_to(body, m->flag_at) = true;
	*seen |= UINT32_C(1) << b->bit;
	return read_flat(b, c, cdc_member_to(body, m->at), err);
}

static int check_dv(uint32_t dv_seen, struct cdc_err *err)
{
	for (int i = 0; i < CDC_DV_NUM_MEMBERS && dv_seen; i++) {
		if (cdc_dv_member[i].required && !(dv_seen >> i & 1))
			return cdc_fail(err, CDC_ECORRUPT, "deletionVector without %s",
					cdc_dv_member[i].name);
	}
	return CDC_OK;
}

static int read_action(struct cdc_cp_reader *r, enum cdc_action_kind kind, struct cdc_err *err)
{
	struct cdc_action a;
	uint32_t seen = 0, dv_seen = 0;
	int rc = CDC_OK;

	cdc_action_init(&a, kind);
	for (int i = r->first[kind]; !rc && i < r->end[kind]; i++)
		rc = read_binding(r, &r->binding[i], &a.u, r->binding[i].in_dv ? &dv_seen : &seen,
				  err);
	if (!rc)
		rc = check_dv(dv_seen, err);
	if (!rc)
		rc = cdc_action_finish(&a, seen, err);
	if (!rc && kind == CDC_ACT_ADD && !a.u.add.stats.p)
		rc = cdc_cp_stats_row(&r->stats, &r->scratch, &a.u.add.stats, err);
	if (!rc && kind == CDC_ACT_ADD && !a.u.add.num_partition_values)
		rc = cdc_cp_parts_row(&r->parts, &r->scratch, &a.u.add.partition_value,
				      &a.u.add.num_partition_values, err);
	if (!rc)
		rc = r->each(r->ctx, &a, err);
	return rc;
}

static int read_row(struct cdc_cp_reader *r, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; !rc && i < r->num_cursors; i++)
		rc = cdc_cp_cursor_advance(&r->cursor[i], err);
	if (!rc)
		rc = cdc_cp_stats_advance(&r->stats, err);
	if (!rc)
		rc = cdc_cp_stats_advance(&r->parts, err);
	for (int k = 0; !rc && k < CDC_ACT_NUM_TABLES; k++) {
		const struct cdc_cp_cursor *c;

		if (r->probe[k] < 0)
			continue;
		c = &r->cursor[r->probe[k]];
		if (!c->vec.def || c->vec.def[c->pos] >= r->probe_def[k])
			rc = read_action(r, (enum cdc_action_kind)k, err);
	}
	return rc;
}

static int read_row_group(struct cdc_cp_reader *r, int32_t group, struct cdc_err *err)
{
	int64_t rows = cdc_pq_metadata(r->file)->row_group[group].num_rows;
	int rc = CDC_OK;

	for (int i = 0; !rc && i < r->num_cursors; i++) {
		struct cdc_cp_cursor *c = &r->cursor[i];

		c->vec.n = c->pos = c->end = 0;
		rc = cdc_pq_column_open(&c->column, r->file, group, c->leaf, err);
	}
	if (!rc)
		rc = cdc_cp_stats_open(&r->stats, r->file, group, err);
	if (!rc)
		rc = cdc_cp_stats_open(&r->parts, r->file, group, err);
	for (int64_t row = 0; !rc && row < rows; row++) {
		if (row % BATCH_SLOTS == 0) {
			cdc_arena_reset(&r->scratch);
			if (r->io->interrupted(r->io->ctx))
				rc = cdc_fail(err, CDC_EINTR, "interrupted");
		}
		if (!rc)
			rc = read_row(r, err);
	}
	for (int i = 0; i < r->num_cursors; i++) {
		cdc_pq_column_close(r->cursor[i].column);
		r->cursor[i].column = NULL;
	}
	cdc_cp_stats_close(&r->stats);
	cdc_cp_stats_close(&r->parts);
	return rc;
}

/*
 * Every row is an action that no other row is. A file that has very many for its size repeats a few
 * of them, and was made to take time.
 */
static int check_rows(const struct cdc_pq_metadata *m, uint64_t size, struct cdc_err *err)
{
	uint64_t limit =
		size > UINT64_MAX / ROWS_PER_BYTE_MAX ? UINT64_MAX : size * ROWS_PER_BYTE_MAX;

	for (int32_t g = 0; g < m->num_row_groups; g++) {
		if (m->row_group[g].num_rows < 0 || (uint64_t)m->row_group[g].num_rows > limit)
			return cdc_fail(err, CDC_ECORRUPT,
					"%llu bytes cannot hold that many actions",
					(unsigned long long)size);
		limit -= (uint64_t)m->row_group[g].num_rows;
	}
	return CDC_OK;
}

static int read_parquet(struct cdc_cp_reader *r, const char *path, struct cdc_err *err)
{
	/* The size that a sidecar action tells is not needed: it could only be wrong. */
	int rc = cdc_pq_open(&r->file, r->io, path, 0, err);

	if (rc)
		return rc;
	rc = check_rows(cdc_pq_metadata(r->file), cdc_pq_size(r->file), err);
	r->schema = &cdc_pq_metadata(r->file)->schema;
	r->num_cursors = r->num_bindings = 0;
	for (int k = 0; !rc && k < CDC_ACT_NUM_TABLES; k++)
		rc = bind_action(r, (enum cdc_action_kind)k, err);
	for (int32_t g = 0; !rc && r->num_cursors && g < cdc_pq_metadata(r->file)->num_row_groups;
	     g++)
		rc = read_row_group(r, g, err);
	cdc_cp_stats_free(&r->stats);
	cdc_cp_stats_free(&r->parts);
	cdc_pq_close(r->file);
	r->file = NULL;
	if (rc == CDC_ECORRUPT)
		cdc_err_file(err, path);
	return rc;
}

/* ------------------------------------------------------------------ V2 */

struct v2 {
	uint32_t kinds; /* that are wanted */
	cdc_action_fn *each;
	void *ctx;
	struct cdc_arena arena;
	struct cdc_sidecar *sidecar;
	size_t n;
	size_t cap;
};

/* What is wanted goes on; sidecars are kept for later. */
static int v2_action(void *ctx, const struct cdc_action *a, struct cdc_err *err)
{
	struct v2 *v = ctx;
	struct cdc_sidecar own;

	int rc = v->kinds & CDC_KIND(a->kind) ? v->each(v->ctx, a, err) : CDC_OK;

	if (rc || a->kind != CDC_ACT_SIDECAR)
		return rc;
	if (v->n == v->cap) {
		size_t cap = v->cap ? v->cap * 2 : 16;
		struct cdc_sidecar *p = reallocarray(v->sidecar, cap, sizeof(*p));

		if (!p)
			return cdc_fail_nomem(err);
		v->sidecar = p;
		v->cap = cap;
	}
	own = a->u.sidecar;
	own.path.p = cdc_arena_dup(&v->arena, own.path.p, own.path.n);
	if (!own.path.p)
		return cdc_fail_nomem(err);
	v->sidecar[v->n++] = own;
	return CDC_OK;
}

static int read_json(const struct cdc_io *io, const char *path, struct v2 *v, struct cdc_err *err)
{
	struct cdc_buf text = CDC_BUF_INIT_MAX(CDC_LOG_JSON_MAX);
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_arena arena = CDC_ARENA_INIT;
	int rc = cdc_log_read_file(io, path, &text, err);

	if (!rc)
		rc = cdc_actions_parse(&tape, cdc_buf_str(&text), &arena, v2_action, v, err);
	if (rc == CDC_ECORRUPT)
		cdc_err_file(err, path);
	cdc_arena_free(&arena);
	cdc_tape_free(&tape);
	cdc_buf_free(&text);
	return rc;
}

/*
 * Sidecars lie in one directory, so that of a path only the file's name counts, which is all that
 * most writers give (spec section 3).
 */
int cdc_sidecar_path(const char *table, const struct cdc_sidecar *s, struct cdc_buf *out,
		     struct cdc_err *err)
{
	const char *slash;
	size_t start;
	int rc = cdc_buf_printf(out, err, "%s/" CDC_LOG_DIR "/" CDC_SIDECAR_DIR "/", table);

	start = out->len;
	if (!rc)
		rc = cdc_path_decode(s->path, out, err);
	if (rc)
		return rc;
	slash = memrchr(out->p + start, '/', out->len - start);
	if (slash) {
		size_t n = out->len - (size_t)(slash + 1 - out->p);

		memmove(out->p + start, slash + 1, n);
		out->len = start + n;
	}
	if (out->len == start || cdc_path_escapes(cdc_str(out->p + start, out->len - start)) ||
	    s->size_bytes < 0)
		return cdc_fail(err, CDC_ECORRUPT, "bad sidecar path \"%.*s\"",
				(int)(s->path.n > 200 ? 200 : s->path.n), s->path.p);
	return cdc_buf_z(out) ? CDC_OK : cdc_fail_nomem(err);
}

static int read_sidecars(struct cdc_cp_reader *r, const char *table, const struct v2 *v,
			 struct cdc_err *err)
{
	struct cdc_buf path = CDC_BUF_INIT;
	int rc = CDC_OK;

	r->each = v->each;
	r->ctx = v->ctx;
	for (size_t i = 0; !rc && i < v->n; i++) {
		cdc_buf_reset(&path);
		rc = cdc_sidecar_path(table, &v->sidecar[i], &path, err);
		if (!rc)
			rc = read_parquet(r, path.p, err);
	}
	cdc_buf_free(&path);
	return rc;
}

int cdc_checkpoint_read(const struct cdc_io *io, const char *table,
			const struct cdc_log_checkpoint *cp, uint32_t kinds, cdc_action_fn *each,
			void *ctx, struct cdc_err *err)
{
	struct v2 v = { .kinds = kinds, .each = each, .ctx = ctx };
	struct cdc_cp_reader *r = calloc(1, sizeof(*r));
	struct cdc_arena arena = CDC_ARENA_INIT;
	const char *path;
	int rc = CDC_OK;

	if (!r)
		return cdc_fail_nomem(err);
	r->io = io;
	r->kinds = kinds | CDC_KIND(CDC_ACT_SIDECAR);
	r->each = v2_action;
	r->ctx = &v;
	for (size_t i = 0; !rc && i < cp->num_files; i++) {
		rc = cdc_log_path(table, cp->file[i].name, &arena, &path, err);
		if (!rc && cp->file[i].json)
			rc = read_json(io, path, &v, err);
		else if (!rc)
			rc = read_parquet(r, path, err);
	}
	if (!rc && kinds & CDC_FILE_KINDS)
		rc = read_sidecars(r, table, &v, err);
	cdc_buf_free(&r->text);
	cdc_arena_free(&r->scratch);
	free(r);
	free(v.sidecar);
	cdc_arena_free(&v.arena);
	cdc_arena_free(&arena);
	return rc;
}
