/* Canonical records for all decoders: tables of a stream, heads, tags, images. */
#include "source/change.h"

#include "base/json.h"
#include "base/value.h"

#include <stdlib.h>

int cdc_change_source(struct cdc_change *c, struct cdc_str source_type, struct cdc_str version,
		      struct cdc_err *err)
{
	struct cdc_out now = { .buf = CDC_BUF_INIT };
	int rc;

	cdc_out_lit(&now, ",\"source\":{\"sourceType\":");
	cdc_out_quoted(&now, source_type);
	cdc_out_lit(&now, ",\"version\":");
	cdc_out_quoted(&now, version);
	cdc_out_char(&now, '}');
	rc = cdc_out_take(&now, err);
	if (rc < 0) {
		cdc_buf_free(&now.buf);
		return cdc_err_prefix(err, "source");
	}
	cdc_buf_free(&c->source.buf);
	c->source = now;
	return CDC_OK;
}

int cdc_change_init(struct cdc_change *c, struct cdc_source *s, struct cdc_str source_type,
		    struct cdc_str version, struct cdc_err *err)
{
	int rc;

	*c = (struct cdc_change){ .s = s, .time_us = INT64_MIN };
	rc = cdc_change_source(c, source_type, version, err);
	if (rc == CDC_OK && s->opt.key)
		rc = cdc_names_split(&c->given_key, s->opt.key, "--key", err);
	return rc;
}

/* How often, about, the bytes of a name are in memory: as id, text, JSON, in the SCHEMA record. */
#define COPIES 8

static void table_free(struct cdc_change_table *t)
{
	if (!t)
		return;
	cdc_buf_free(&t->name);
	cdc_buf_free(&t->name_json.buf);
	cdc_buf_free(&t->shape);
	cdc_buf_free(&t->schema.buf);
	cdc_arena_free(&t->arena);
	cdc_arena_free(&t->columns);
	free(t);
}

static void forget_all(struct cdc_change *c)
{
	for (uint32_t i = 0; i < c->n; i++)
		table_free(c->table[i]);
	c->n = 0;
	c->bytes = 0;
	c->forgotten++;
	c->last = NULL;
	c->announced = false;
	cdc_map_clear(&c->map);
}

void cdc_change_free(struct cdc_change *c)
{
	forget_all(c);
	free(c->table);
	cdc_map_free(&c->map);
	cdc_names_free(&c->given_key);
	cdc_buf_free(&c->source.buf);
}

static int add_table(struct cdc_change *c, struct cdc_str id, struct cdc_change_table **out,
		     struct cdc_err *err)
{
	struct cdc_change_table *t;
	char *copy;
	int rc;

	if (c->n == CDC_CHANGE_TABLES_MAX || c->bytes > CDC_CHANGE_BYTES_MAX)
		forget_all(c);
	c->bytes += COPIES * id.n;
	if (c->n == c->cap) {
		uint32_t cap = c->cap ? c->cap * 2 : 16;
		struct cdc_change_table **q =
			realloc(c->table, cap * sizeof(struct cdc_change_table *));

		if (!q)
			return cdc_fail_nomem(err);
		c->table = q;
		c->cap = cap;
	}
	t = calloc(1, sizeof(*t));
	copy = t ? cdc_arena_dup(&t->arena, id.p, id.n) : NULL;
	rc = copy ? cdc_map_insert(&c->map, cdc_hash64(id.p, id.n), c->n, err)
		  : cdc_fail_nomem(err);
	if (rc < 0) {
		table_free(t);
		return rc;
	}
	t->id = cdc_str(copy, id.n);
	c->table[c->n++] = t;
	*out = t;
	return CDC_OK;
}

int cdc_change_table(struct cdc_change *c, struct cdc_str id, struct cdc_change_table **t,
		     struct cdc_err *err)
{
	struct cdc_map_iter it;
	uint32_t i;
	int rc;

	if (c->last && cdc_str_eq(c->last->id, id)) {
		*t = c->last;
		return CDC_OK;
	}
	it = cdc_map_seek(&c->map, cdc_hash64(id.p, id.n));
	while (cdc_map_next(&c->map, &it, &i)) {
		if (cdc_str_eq(c->table[i]->id, id)) {
			*t = c->last = c->table[i];
			return CDC_OK;
		}
	}
	rc = add_table(c, id, t, err);
	if (rc == CDC_OK)
		c->last = *t;
	return rc;
}

int cdc_change_name(struct cdc_change *c, struct cdc_change_table *t, const struct cdc_str *part,
		    size_t n, struct cdc_err *err)
{
	int rc = CDC_OK;

	cdc_buf_reset(&t->name);
	t->name_json.buf.len = 0;
	for (size_t i = 0; rc == CDC_OK && i < n; i++) {
		if (part[i].n && t->name.len)
			rc = cdc_buf_putc(&t->name, '.', err);
		if (rc == CDC_OK)
			rc = cdc_buf_put(&t->name, part[i], err);
	}
	if (rc == CDC_OK && !cdc_buf_z(&t->name))
		rc = cdc_fail_nomem(err);
	if (rc < 0)
		return rc;
	cdc_out_quoted(&t->name_json, cdc_buf_str(&t->name));
	rc = cdc_out_take(&t->name_json, err);
	if (rc < 0)
		return cdc_err_prefix(err, "name of a table");
	t->keep = cdc_source_keeps(c->s, t->name.p, false);
	t->named = true;
	return CDC_OK;
}

/* --- columns ------------------------------------------------------------ */

static int compare_names(const void *a, const void *b)
{
	return cdc_str_cmp(*(const struct cdc_str *)a, *(const struct cdc_str *)b);
}

/* An image is an object with a member a column: two columns of one name would lose a value. */
static int check_names(const struct cdc_change_column *col, size_t n, struct cdc_err *err)
{
	struct cdc_str *sorted = malloc((n ? n : 1) * sizeof(*sorted));
	int rc = CDC_OK;

	if (!sorted)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		sorted[i] = col[i].name;
	qsort(sorted, n, sizeof(*sorted), compare_names);
	for (size_t i = 1; rc == CDC_OK && i < n; i++) {
		if (cdc_str_eq(sorted[i - 1], sorted[i]))
			rc = cdc_fail(err, CDC_EDATA, "two columns are called %.*s",
				      (int)(sorted[i].n < 100 ? sorted[i].n : 100), sorted[i].p);
	}
	free(sorted);
	return rc;
}

static bool dup(struct cdc_arena *a, struct cdc_str *s)
{
	char *p = cdc_arena_dup(a, s->p, s->n);

	s->p = p;
	return p != NULL;
}

/* Render names into the arena: "fields", and each column's prefix. */
static int render(struct cdc_arena *a, struct cdc_change_column *col, size_t n,
		  struct cdc_str *fields, struct cdc_err *err)
{
	struct cdc_out o = { .buf = CDC_BUF_INIT };
	size_t at = 1;
	int rc;

	cdc_out_char(&o, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			cdc_out_char(&o, ',');
		cdc_out_quoted(&o, col[i].name);
		col[i].prefix.n = o.buf.len; /* for now: where it ends */
	}
	cdc_out_char(&o, ']');
	rc = cdc_out_take(&o, err);
	if (rc < 0) {
		cdc_err_prefix(err, "name of a column");
		goto out;
	}
	*fields = cdc_buf_str(&o.buf);
	if (!dup(a, fields)) {
		rc = cdc_fail_nomem(err);
		goto out;
	}
	for (size_t i = 0; rc == CDC_OK && i < n; i++) {
		size_t len = col[i].prefix.n - at;
		char *p = cdc_arena_alloc(a, len + 1);

		if (!p) {
			rc = cdc_fail_nomem(err);
			break;
		}
		memcpy(p, o.buf.p + at, len);
		p[len] = ':';
		at = col[i].prefix.n + 1;
		col[i].prefix = cdc_str(p, len + 1);
		col[i].raw = cdc_str(p + 1, len - 2);
	}
out:
	cdc_buf_free(&o.buf);
	return rc;
}

static bool has_all(const struct cdc_change_column *col, size_t n, const struct cdc_str *key,
		    size_t n_key)
{
	for (size_t k = 0; k < n_key; k++) {
		size_t i = 0;

		while (i < n && !cdc_str_eq(col[i].name, key[k]))
			i++;
		if (i == n)
			return false;
	}
	return true;
}

static int copy_columns(struct cdc_arena *a, const struct cdc_change_column *col, size_t n,
			struct cdc_change_column **out, struct cdc_err *err)
{
	struct cdc_change_column *q = cdc_arena_calloc(a, n ? n : 1, sizeof(*q));

	if (!q)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < n; i++) {
		q[i] = col[i];
		if (!dup(a, &q[i].name) || !dup(a, &q[i].type) || !dup(a, &q[i].source_type) ||
		    !dup(a, &q[i].detail))
			return cdc_fail_nomem(err);
	}
	*out = q;
	return CDC_OK;
}

int cdc_change_define(struct cdc_change *c, struct cdc_change_table *t, struct cdc_str shape,
		      const struct cdc_change_column *col, size_t n, const struct cdc_str *key,
		      size_t n_key, struct cdc_err *err)
{
	struct cdc_arena a = CDC_ARENA_INIT, old;
	struct cdc_change_column *copy = NULL;
	struct cdc_str fields, *key_copy = NULL;
	bool key_told;
	int rc;

	if (n > CDC_CHANGE_COLUMNS_MAX)
		return cdc_fail(err, CDC_EDATA, "%zu columns", n);
	if (n_key && !has_all(col, n, key, n_key))
		n_key = 0;
	key_told = n_key > 0;
	if (n_key == 0 && has_all(col, n, c->given_key.name, c->given_key.n)) {
		key = c->given_key.name;
		n_key = c->given_key.n;
	}
	rc = check_names(col, n, err);
	if (rc == CDC_OK)
		rc = copy_columns(&a, col, n, &copy, err);
	if (rc == CDC_OK)
		rc = render(&a, copy, n, &fields, err);
	if (rc < 0)
		goto out;
	key_copy = cdc_arena_calloc(&a, n_key + 1, sizeof(*key_copy));
	for (size_t i = 0; key_copy && i < n_key; i++) {
		key_copy[i] = key[i];
		if (!dup(&a, &key_copy[i]))
			key_copy = NULL;
	}
	if (!key_copy) {
		rc = cdc_fail_nomem(err);
		goto out;
	}
	cdc_buf_reset(&t->shape);
	rc = cdc_buf_put(&t->shape, shape, err);
	if (rc < 0)
		goto out;
	t->col = copy;
	t->n = (uint32_t)n;
	t->key = key_copy;
	t->n_key = (uint32_t)n_key;
	t->key_told = key_told;
	t->fields = fields;
	t->defined = true;
	t->printed = false;
	c->bytes += COPIES * fields.n;
	old = t->columns;
	t->columns = a;
	a = old;
out:
	cdc_arena_free(&a);
	return rc;
}

bool cdc_change_has_key(const struct cdc_change_table *t, const struct cdc_str *key, size_t n_key)
{
	if (n_key != t->n_key)
		return false;
	for (size_t i = 0; i < n_key; i++) {
		if (!cdc_str_eq(key[i], t->key[i]))
			return false;
	}
	return true;
}

/* A key of --key is none of the source's. */
static bool same_key(const struct cdc_change_table *t, const struct cdc_str *key, size_t n_key)
{
	return t->key_told ? cdc_change_has_key(t, key, n_key) : n_key == 0;
}

bool cdc_change_covers(const struct cdc_change_table *t, const struct cdc_change_column *col,
		       size_t n, const struct cdc_str *key, size_t n_key)
{
	bool all = n == t->n;
	uint32_t k = 0;

	if (!t->defined || n > t->n || (all && !same_key(t, key, n_key)))
		return false;
	for (size_t i = 0; i < n; i++) {
		uint32_t looked = 0;

		while (looked < t->n && !cdc_str_eq(t->col[k].name, col[i].name)) {
			k = k + 1 < t->n ? k + 1 : 0;
			looked++;
		}
		if (looked == t->n || !cdc_str_eq(t->col[k].source_type, col[i].source_type) ||
		    !cdc_str_eq(t->col[k].type, col[i].type) ||
		    (all && t->col[k].not_null != col[i].not_null))
			return false;
	}
	return true;
}

struct cdc_change_column *cdc_change_find(struct cdc_change_table *t, struct cdc_str raw,
					  uint32_t *hint)
{
	for (uint32_t i = *hint, looked = 0; looked < t->n; i++, looked++) {
		if (i >= t->n)
			i = 0;
		if (cdc_str_eq(t->col[i].raw, raw)) {
			*hint = i + 1;
			return &t->col[i];
		}
	}
	return NULL;
}

/* --- records ------------------------------------------------------------ */

/* The SCHEMA record, if anything is known beyond names and it is not what was printed before. */
static void put_schema(struct cdc_change *c, struct cdc_change_table *t)
{
	struct cdc_out *o = &c->s->out;
	struct cdc_out now = { .buf = CDC_BUF_INIT };
	struct cdc_schema_column *col = malloc((t->n + 1) * sizeof(*col));
	bool known = t->n_key > 0;

	if (!col) {
		if (o->rc == CDC_OK)
			o->rc = cdc_fail_nomem(&o->err);
		return;
	}
	for (uint32_t i = 0; i < t->n; i++) {
		const struct cdc_change_column *q = &t->col[i];

		col[i] =
			(struct cdc_schema_column){ q->name, q->type, q->source_type, q->not_null };
		known = known || q->type.n;
	}
	if (known)
		cdc_schema_record_print(&now, cdc_buf_str(&t->name), col, t->n, t->key, t->n_key);
	free(col);
	if (now.rc < 0 && o->rc == CDC_OK) {
		o->rc = now.rc;
		o->err = now.err;
	}
	if (o->rc == CDC_OK && now.buf.len &&
	    !cdc_str_eq(cdc_buf_str(&now.buf), cdc_buf_str(&t->schema.buf))) {
		struct cdc_buf old = t->schema.buf;

		t->schema.buf = now.buf;
		now.buf = old;
		cdc_out_raw(o, cdc_buf_str(&t->schema.buf));
		t->printed_in = c->message;
		c->announced = true;
		c->s->counts.control++;
	}
	t->printed = o->rc == CDC_OK;
	cdc_buf_free(&now.buf);
}

int64_t cdc_change_id(const struct cdc_change *c, const struct cdc_message *m)
{
	return m->has_kafka ? m->kafka_offset : (int64_t)c->s->counts.messages;
}

/* Years 0000 to 9999. */
#define TIME_MIN_US (-62167219200 * 1000000)
#define TIME_MAX_US (253402300800 * 1000000 - 1)

/* ,"recordTimestamp":"…": no fraction, or milliseconds, or microseconds, as needed. */
static void put_time(struct cdc_change *c, int64_t us)
{
	struct cdc_out *o = &c->s->out;

	if (us < TIME_MIN_US || us > TIME_MAX_US) {
		cdc_out_fail(o, "the time of a change is out of range");
		return;
	}
	if (us != c->time_us) {
		int digits = us % 1000000 == 0 ? 0 : us % 1000 == 0 ? 3 : 6;

		c->time_len = cdc_timestamp_format_fixed(us, 'T', true, digits, c->time_text);
		c->time_us = us;
	}
	cdc_out_lit(o, ",\"recordTimestamp\":\"");
	cdc_out_raw(o, cdc_str(c->time_text, c->time_len));
	cdc_out_char(o, '"');
}

static void put_head(struct cdc_change *c, struct cdc_str name_json, const char *type, int64_t id,
		     bool has_time, int64_t time_us)
{
	struct cdc_out *o = &c->s->out;

	if (id < 0)
		cdc_out_fail(o, "the position of a change is negative");
	c->record_at = o->buf.len;
	cdc_out_lit(o, "{\"recordID\":");
	cdc_out_int(o, id);
	cdc_out_raw(o, cdc_buf_str(&c->source.buf));
	if (name_json.n) {
		cdc_out_lit(o, ",\"dbTable\":");
		cdc_out_raw(o, name_json);
	}
	cdc_out_lit(o, ",\"recordType\":\"");
	cdc_out_raw(o, cdc_str_z(type));
	cdc_out_char(o, '"');
	if (has_time)
		put_time(c, time_us);
	cdc_out_lit(o, ",\"extraTags\":{");
	c->first = true;
	c->row = false;
}

void cdc_change_begin(struct cdc_change *c, struct cdc_change_table *t, const char *type,
		      int64_t id, bool has_time, int64_t time_us)
{
	if (t && t->defined && !t->printed)
		put_schema(c, t);
	put_head(c, t ? cdc_buf_str(&t->name_json.buf) : CDC_STR(""), type, id, has_time, time_us);
}

void cdc_change_begin_named(struct cdc_change *c, struct cdc_str name, const char *type, int64_t id,
			    bool has_time, int64_t time_us)
{
	struct cdc_out json = { .buf = CDC_BUF_INIT };

	if (name.n)
		cdc_out_quoted(&json, name);
	if (json.rc < 0)
		cdc_out_fail(&c->s->out, "the name of a table is not UTF-8");
	put_head(c, cdc_buf_str(&json.buf), type, id, has_time, time_us);
	cdc_buf_free(&json.buf);
}

static void tag_name(struct cdc_change *c, struct cdc_str name)
{
	if (!c->first)
		cdc_out_char(&c->s->out, ',');
	c->first = false;
	cdc_out_quoted(&c->s->out, name);
	cdc_out_char(&c->s->out, ':');
}

void cdc_change_tag(struct cdc_change *c, struct cdc_str name, struct cdc_str value)
{
	tag_name(c, name);
	cdc_out_quoted(&c->s->out, value);
}

void cdc_change_tag_raw(struct cdc_change *c, struct cdc_str name, struct cdc_str raw)
{
	tag_name(c, name);
	cdc_out_char(&c->s->out, '"');
	cdc_out_raw(&c->s->out, raw);
	cdc_out_char(&c->s->out, '"');
}

void cdc_change_tag_int(struct cdc_change *c, struct cdc_str name, int64_t value)
{
	tag_name(c, name);
	cdc_out_char(&c->s->out, '"');
	cdc_out_int(&c->s->out, value);
	cdc_out_char(&c->s->out, '"');
}

void cdc_change_images(struct cdc_change *c, const struct cdc_change_table *t)
{
	struct cdc_out *o = &c->s->out;

	cdc_out_lit(o, "},\"fields\":");
	cdc_out_raw(o, t->fields);
	cdc_out_lit(o, ",\"beforeImages\":{");
	c->first = true;
	c->row = true;
}

void cdc_change_after(struct cdc_change *c)
{
	cdc_out_lit(&c->s->out, "},\"afterImages\":{");
	c->first = true;
}

void cdc_change_ddl(struct cdc_change *c, struct cdc_str ddl)
{
	cdc_out_char(&c->s->out, '}');
	if (ddl.p) {
		cdc_out_lit(&c->s->out, ",\"ddl\":");
		cdc_out_quoted(&c->s->out, ddl);
	}
}

int cdc_change_end(struct cdc_change *c, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_out *o = &c->s->out;

	if (c->row)
		cdc_out_char(o, '}');
	cdc_source_put_position(c->s, m);
	cdc_out_lit(o, "}\n");
	if (c->row)
		c->s->counts.records++;
	else
		c->s->counts.control++;
	return cdc_out_take(o, err);
}

int cdc_change_heartbeat(struct cdc_change *c, bool has_time, int64_t time_us,
			 const struct cdc_message *m, struct cdc_err *err)
{
	cdc_change_begin_named(c, CDC_STR(""), "CHECKPOINT", cdc_change_id(c, m), has_time,
			       time_us);
	cdc_out_lit(&c->s->out, "},\"positions\":[]");
	return cdc_change_end(c, m, err);
}

void cdc_change_rejected(struct cdc_change *c)
{
	for (uint32_t i = 0; c->announced && i < c->n; i++) {
		struct cdc_change_table *t = c->table[i];

		if (t->printed_in == c->message) {
			t->printed = false;
			t->schema.buf.len = 0;
		}
	}
	c->announced = false;
}

void cdc_json_members(const struct cdc_tape *t, uint32_t obj, const struct cdc_str *names, size_t n,
		      uint32_t *tok)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		tok[i] = CDC_JSON_NONE;
	for (uint32_t k = cdc_json_first(t, obj); k != CDC_JSON_NONE;
	     k = cdc_json_after(t, obj, k)) {
		for (size_t looked = 0; looked < n; looked++, at++) {
			if (at == n)
				at = 0;
			if (t->tok[k].escaped ? !cdc_json_is(t, k, names[at])
					      : !cdc_str_eq(cdc_json_raw(t, k), names[at]))
				continue;
			tok[at] = t->tok[k + 1].type == CDC_JSON_NULL ? CDC_JSON_NONE : k + 1;
			break;
		}
	}
}
