/* What is constant for a table of DTS events. */
#include "source/dts/dts_table.h"

#include "base/json.h"

#include <stdlib.h>
#include <strings.h>

#define CONTENT_TEXT 1
#define CONTENT_BINARY 2

int dts_object_name(struct cdc_str object, struct cdc_buf *name, struct cdc_err *err)
{
	int rc = cdc_buf_reserve(name, object.n + 1, err);

	if (rc < 0)
		return rc;
	name->len = 0;
	for (size_t i = 0; i < object.n;) {
		if (object.n - i >= 6 && strncasecmp(object.p + i, "\\u002e", 6) == 0) {
			name->p[name->len++] = '.';
			i += 6;
		} else {
			name->p[name->len++] = object.p[i++];
		}
	}
	name->p[name->len] = '\0';
	return CDC_OK;
}

int dts_tables_init(struct dts_tables *ts, struct cdc_source *s, struct cdc_err *err)
{
	*ts = (struct dts_tables){ .s = s };
	return s->opt.key ? cdc_names_split(&ts->given_key, s->opt.key, "--key", err) : CDC_OK;
}

static void table_free(struct dts_table *t)
{
	if (!t)
		return;
	free(t->object);
	free(t->source_type);
	cdc_buf_free(&t->raw_fields);
	cdc_buf_free(&t->raw_key);
	cdc_buf_free(&t->name);
	cdc_buf_free(&t->db_table.buf);
	cdc_buf_free(&t->fields.buf);
	cdc_buf_free(&t->names.buf);
	cdc_buf_free(&t->schema.buf);
	free(t->col);
	free(t);
}

static void forget_all(struct dts_tables *ts)
{
	for (uint32_t i = 0; i < ts->n; i++)
		table_free(ts->table[i]);
	ts->n = 0;
	ts->last = NULL;
	cdc_map_clear(&ts->map);
}

void dts_tables_free(struct dts_tables *ts)
{
	forget_all(ts);
	free(ts->table);
	cdc_map_free(&ts->map);
	cdc_tape_free(&ts->tape);
	cdc_names_free(&ts->given_key);
}

static bool same_table(const struct dts_table *t, const struct dts_event *e)
{
	return cdc_str_eq(cdc_str(t->object, t->object_len), e->object) &&
	       strcmp(t->source_type, e->source_type) == 0;
}

static int table_new(struct dts_tables *ts, const struct dts_event *e, struct dts_table **out,
		     struct cdc_err *err)
{
	struct dts_table *t = calloc(1, sizeof(*t));
	int rc = CDC_OK;

	if (!t)
		return cdc_fail_nomem(err);
	t->object = malloc(e->object.n + 1);
	t->source_type = strdup(e->source_type);
	if (!t->object || !t->source_type) {
		rc = cdc_fail_nomem(err);
		goto out;
	}
	memcpy(t->object, e->object.p, e->object.n);
	t->object_len = e->object.n;
	rc = dts_object_name(e->object, &t->name, err);
	if (rc < 0)
		goto out;
	cdc_out_quoted(&t->db_table, cdc_buf_str(&t->name));
	rc = cdc_out_take(&t->db_table, err);
	if (rc < 0) {
		cdc_err_prefix(err, "objectName");
		goto out;
	}
	t->keep = cdc_source_keeps(ts->s, t->name.p, false);
out:
	if (rc < 0)
		table_free(t);
	else
		*out = t;
	return rc;
}

static int add_table(struct dts_tables *ts, const struct dts_event *e, struct dts_table **out,
		     struct cdc_err *err)
{
	struct dts_table *t = NULL;
	int rc;

	if (ts->n == DTS_TABLES_MAX)
		forget_all(ts);
	if (ts->n == ts->cap) {
		uint32_t cap = ts->cap ? ts->cap * 2 : 16;
		struct dts_table **q = realloc(ts->table, cap * sizeof(struct dts_table *));

		if (!q)
			return cdc_fail_nomem(err);
		ts->table = q;
		ts->cap = cap;
	}
	rc = table_new(ts, e, &t, err);
	if (rc < 0)
		return rc;
	rc = cdc_map_insert(&ts->map, cdc_hash64(e->object.p, e->object.n), ts->n, err);
	if (rc < 0) {
		table_free(t);
		return rc;
	}
	ts->table[ts->n++] = t;
	*out = t;
	return CDC_OK;
}

static int look_up(struct dts_tables *ts, const struct dts_event *e, struct dts_table **out,
		   struct cdc_err *err)
{
	struct cdc_map_iter it = cdc_map_seek(&ts->map, cdc_hash64(e->object.p, e->object.n));
	uint32_t i;

	while (cdc_map_next(&ts->map, &it, &i)) {
		if (same_table(ts->table[i], e)) {
			*out = ts->table[i];
			return CDC_OK;
		}
	}
	return add_table(ts, e, out, err);
}

static int compare_names(const void *a, const void *b)
{
	const struct dts_column *x = *(const struct dts_column *const *)a;
	const struct dts_column *y = *(const struct dts_column *const *)b;

	return cdc_str_cmp(x->name, y->name);
}

/* An image is an object with a member a column: two columns of one name would lose a value. */
static int check_names(const struct dts_column *col, uint32_t n, struct cdc_err *err)
{
	const struct dts_column **sorted = malloc((n ? n : 1) * sizeof(const struct dts_column *));
	int rc = CDC_OK;

	if (!sorted)
		return cdc_fail_nomem(err);
	for (uint32_t i = 0; i < n; i++)
		sorted[i] = &col[i];
	qsort(sorted, n, sizeof(const struct dts_column *), compare_names);
	for (uint32_t i = 1; rc == CDC_OK && i < n; i++) {
		if (cdc_str_eq(sorted[i - 1]->name, sorted[i]->name))
			rc = cdc_fail(err, CDC_EDATA, "two columns are called %.*s",
				      (int)(sorted[i]->name.n < 100 ? sorted[i]->name.n : 100),
				      sorted[i]->name.p);
	}
	free(sorted);
	return rc;
}

/* Columns that keep their name and number keep what was learnt of their values. */
static uint8_t inherited(const struct dts_table *t, const struct dts_column *c, uint32_t i)
{
	struct dts_table_column *old = i < t->n_cols ? &t->col[i] : NULL;

	return old && old->number == c->type && cdc_str_eq(old->name, c->name) ? old->content : 0;
}

static int render_columns(struct dts_table *t, const struct dts_column *col, uint32_t n,
			  struct dts_table_column *out, struct cdc_err *err)
{
	static const char padding[DTS_NAME_LOAD] = "";
	int rc;

	t->fields.buf.len = t->names.buf.len = 0;
	cdc_out_char(&t->fields, '[');
	for (uint32_t i = 0; i < n; i++) {
		size_t off = t->names.buf.len;

		if (i)
			cdc_out_char(&t->fields, ',');
		cdc_out_quoted(&t->fields, col[i].name);
		cdc_out_char(&t->names, ',');
		cdc_out_quoted(&t->names, col[i].name);
		cdc_out_char(&t->names, ':');
		out[i] = (struct dts_table_column){
			.off = (uint32_t)off,
			.len = (uint32_t)(t->names.buf.len - off),
			.number = col[i].type,
			.type = dts_type_find(t->source_type, col[i].type),
			.content = inherited(t, &col[i], i),
		};
		if (out[i].type)
			out[i].as = out[i].type->as;
	}
	cdc_out_char(&t->fields, ']');
	cdc_out_raw(&t->names, cdc_str(padding, sizeof(padding)));
	rc = cdc_out_take(&t->names, err);
	if (rc == CDC_OK)
		rc = cdc_out_take(&t->fields, err);
	else
		(void)cdc_out_take(&t->fields, err);
	return rc < 0 ? cdc_err_prefix(err, "name of a column") : CDC_OK;
}

/* The table's columns changed, or are seen for the first time. */
static int set_fields(struct dts_table *t, const struct dts_layout *l, const struct dts_event *e,
		      struct cdc_err *err)
{
	struct dts_table_column *tc = NULL;
	struct dts_column *col = NULL;
	uint32_t n = 0;
	int rc;

	t->has_fields = false;
	rc = dts_event_columns(l, e, &col, &n, err);
	if (rc == CDC_OK)
		rc = check_names(col, n, err);
	if (rc < 0)
		goto out;
	tc = calloc(n ? n : 1, sizeof(*tc));
	if (!tc) {
		rc = cdc_fail_nomem(err);
		goto out;
	}
	rc = render_columns(t, col, n, tc, err);
	if (rc < 0)
		goto out;
	/* What was kept points into the old bytes: only now may they go. */
	cdc_buf_reset(&t->raw_fields);
	free(t->col);
	t->col = NULL;
	t->n_cols = 0;
	rc = cdc_buf_put(&t->raw_fields, e->fields, err);
	if (rc < 0)
		goto out;
	for (uint32_t i = 0; i < n; i++)
		tc[i].name =
			cdc_str(t->raw_fields.p + (col[i].name.p - e->fields.p), col[i].name.n);
	t->col = tc;
	t->n_cols = n;
	t->layout_id = l->id;
	t->has_fields = true;
	tc = NULL;
out:
	free(tc);
	free(col);
	return rc;
}

static struct cdc_str key_tag(const struct dts_event *e)
{
	for (uint32_t i = 0; i < e->n_tags; i++) {
		if (cdc_str_eq(e->tag[i].key, CDC_STR("pk_uk_info")))
			return e->tag[i].value;
	}
	return CDC_STR("");
}

int dts_tables_find(struct dts_tables *ts, const struct dts_layout *l, const struct dts_event *e,
		    struct dts_table **out, struct cdc_err *err)
{
	struct cdc_str key = key_tag(e);
	struct dts_table *t = ts->last;
	bool changed = false;
	int rc = CDC_OK;

	if (!t || !same_table(t, e))
		rc = look_up(ts, e, &t, err);
	if (rc < 0)
		return rc;
	ts->last = t;
	if (!t->has_fields || t->layout_id != l->id ||
	    !cdc_str_eq(cdc_buf_str(&t->raw_fields), e->fields)) {
		rc = set_fields(t, l, e, err);
		changed = true;
	}
	if (rc == CDC_OK && !cdc_str_eq(cdc_buf_str(&t->raw_key), key)) {
		cdc_buf_reset(&t->raw_key);
		rc = cdc_buf_put(&t->raw_key, key, err);
		changed = true;
	}
	if (rc < 0)
		return rc;
	t->printed = t->printed && !changed;
	*out = t;
	return CDC_OK;
}

static const uint8_t content_of[DTS_EMPTY_OBJECT + 1] = {
	[DTS_CHARACTER] = CONTENT_TEXT,
	[DTS_TEXT_OBJECT] = CONTENT_TEXT,
	[DTS_BINARY_OBJECT] = CONTENT_BINARY,
};

bool dts_table_learn(struct dts_table *t, const struct dts_image *img)
{
	bool changed = false;

	if (img->shape != DTS_ARRAY)
		return false;
	for (uint32_t i = 0; i < t->n_cols && i < img->n; i++) {
		struct dts_table_column *c = &t->col[i];
		uint8_t content = content_of[img->value[i].kind];

		if (content == 0 || content == c->content)
			continue;
		changed = changed || (c->type && c->type->binary_type);
		c->content = content;
	}
	return changed;
}

static struct cdc_str type_of(const struct dts_table_column *c)
{
	const struct dts_type *t = c->type;

	if (!t)
		return CDC_STR("");
	if (c->content == CONTENT_BINARY && t->binary_type)
		return cdc_str_z(t->binary_type);
	if (t->type)
		return cdc_str_z(t->type);
	return c->content == CONTENT_TEXT ? cdc_str_z(t->text_type) : CDC_STR("");
}

/* What the source calls the type, as far as DTS tells: no sourceType makes cdc-merge ask. */
static struct cdc_str source_type_of(const struct dts_table_column *c)
{
	const struct dts_type *t = c->type;

	if (!t || !t->source_type)
		return CDC_STR("");
	return t->binary_type && c->content ? type_of(c) : cdc_str_z(t->source_type);
}

static bool has_column(const struct dts_table *t, struct cdc_str name)
{
	for (uint32_t i = 0; i < t->n_cols; i++) {
		if (cdc_str_eq(t->col[i].name, name))
			return true;
	}
	return false;
}

/* The names in PRIMARY of pk_uk_info, in the arena; none if the tag has none. */
static int primary_key(struct dts_tables *ts, const struct dts_table *t, struct cdc_arena *a,
		       struct cdc_str **key, size_t *n, struct cdc_err *err)
{
	struct cdc_err ignored = CDC_ERR_INIT; /* a tag that is no JSON tells no key */
	uint32_t list, i;

	*n = 0;
	if (t->raw_key.len == 0 ||
	    cdc_json_scan(&ts->tape, cdc_buf_str(&t->raw_key), NULL, &ignored) != CDC_OK)
		return CDC_OK;
	list = cdc_json_get(&ts->tape, 0, "PRIMARY");
	if (list == CDC_JSON_NONE || ts->tape.tok[list].type != CDC_JSON_ARRAY)
		return CDC_OK;
	*key = cdc_arena_calloc(a, ts->tape.tok[list].count + 1u, sizeof(**key));
	if (!*key)
		return cdc_fail_nomem(err);
	for (i = cdc_json_first(&ts->tape, list); i != CDC_JSON_NONE;
	     i = cdc_json_after(&ts->tape, list, i)) {
		int rc;

		if (ts->tape.tok[i].type != CDC_JSON_STRING)
			continue;
		rc = cdc_json_string(&ts->tape, i, a, &(*key)[*n], err);
		if (rc < 0)
			return rc;
		++*n;
	}
	return CDC_OK;
}

static int print_schema(struct dts_tables *ts, struct dts_table *t, struct cdc_out *o,
			struct cdc_err *err)
{
	struct cdc_arena a = CDC_ARENA_INIT;
	struct cdc_schema_column *col = cdc_arena_calloc(&a, t->n_cols + 1u, sizeof(*col));
	struct cdc_str *key = NULL;
	size_t n_key = 0;
	int rc = col ? primary_key(ts, t, &a, &key, &n_key, err) : cdc_fail_nomem(err);

	if (rc < 0)
		goto out;
	if (n_key == 0 && ts->given_key.n) {
		bool all = true;

		for (size_t i = 0; i < ts->given_key.n; i++)
			all = all && has_column(t, ts->given_key.name[i]);
		key = ts->given_key.name;
		n_key = all ? ts->given_key.n : 0;
	}
	for (uint32_t i = 0; i < t->n_cols; i++) {
		col[i].name = t->col[i].name;
		col[i].type = type_of(&t->col[i]);
		col[i].source_type = source_type_of(&t->col[i]);
	}
	cdc_schema_record_print(o, cdc_buf_str(&t->name), col, t->n_cols, key, n_key);
	rc = cdc_out_take(o, err);
out:
	cdc_arena_free(&a);
	return rc;
}

int dts_table_schema(struct dts_tables *ts, struct dts_table *t, struct cdc_out *o,
		     struct cdc_err *err)
{
	struct cdc_out now = { .buf = CDC_BUF_INIT };
	int rc;

	if (t->printed)
		return CDC_OK;
	rc = print_schema(ts, t, &now, err);
	if (rc == CDC_OK && !cdc_str_eq(cdc_buf_str(&now.buf), cdc_buf_str(&t->schema.buf))) {
		struct cdc_buf old = t->schema.buf;

		t->schema.buf = now.buf;
		now.buf = old;
		cdc_out_raw(o, cdc_buf_str(&t->schema.buf));
	}
	t->printed = rc == CDC_OK;
	cdc_buf_free(&now.buf);
	return rc;
}
