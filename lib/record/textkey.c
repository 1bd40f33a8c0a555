/*
 * Keys by their text. See textkey.h.
 */
#include "record/textkey.h"

#include <stdlib.h>

static bool same_name(struct cdc_str a, struct cdc_str b)
{
	return cdc_str_eq(a, b) || cdc_json_same(a, b);
}

static void table_clear(struct cdc_textkey_table *t)
{
	free(t->text);
	free(t->column);
	*t = (struct cdc_textkey_table){ 0 };
}

void cdc_textkey_free(struct cdc_textkey *k)
{
	for (size_t i = 0; i < k->n; i++)
		table_clear(&k->table[i]);
	table_clear(&k->every);
	free(k->table);
	cdc_map_free(&k->map);
	*k = (struct cdc_textkey)CDC_TEXTKEY_INIT;
}

/* Build an entry of copies of `name` and n columns. */
static int table_fill(struct cdc_textkey_table *t, struct cdc_str name,
		      const struct cdc_str *column, size_t n, struct cdc_err *err)
{
	size_t bytes = name.n + 1;
	char *p;

	for (size_t i = 0; i < n; i++)
		bytes += column[i].n;
	*t = (struct cdc_textkey_table){ .text = malloc(bytes),
					 .column = calloc(n ? n : 1, sizeof(*column)),
					 .n = n };
	if (!t->text || !t->column) {
		table_clear(t);
		return cdc_fail_nomem(err);
	}
	p = t->text;
	t->name = cdc_str(p, name.n);
	if (name.n)
		memcpy(p, name.p, name.n);
	p += name.n;
	for (size_t i = 0; i < n; i++) {
		t->column[i] = cdc_str(p, column[i].n);
		if (column[i].n)
			memcpy(p, column[i].p, column[i].n);
		p += column[i].n;
	}
	return CDC_OK;
}

/* Room for one more entry. */
static int grow(struct cdc_textkey *k, struct cdc_err *err)
{
	struct cdc_textkey_table *p;
	size_t cap = k->cap ? 2 * k->cap : 4;

	if (k->n == CDC_TEXTKEY_TABLES_MAX)
		return cdc_fail(err, CDC_EDATA, "SCHEMA records of more than %d tables",
				CDC_TEXTKEY_TABLES_MAX);
	if (k->n < k->cap)
		return CDC_OK;
	p = reallocarray(k->table, cap, sizeof(*p));
	if (!p)
		return cdc_fail_nomem(err);
	k->table = p;
	k->cap = cap;
	return CDC_OK;
}

int cdc_textkey_set(struct cdc_textkey *k, const char *const *column, size_t n, struct cdc_err *err)
{
	struct cdc_buf text = CDC_BUF_INIT;
	struct cdc_str *raw = calloc(n ? n : 1, sizeof(*raw));
	size_t *end = calloc(n ? n : 1, sizeof(*end));
	int rc = raw && end ? CDC_OK : cdc_fail_nomem(err);

	for (size_t i = 0; !rc && i < n; i++) {
		for (size_t j = 0; !rc && j < i; j++)
			if (!strcmp(column[i], column[j]))
				rc = cdc_fail(err, CDC_EUSAGE, "key column \"%s\" is named twice",
					      column[i]);
		if (!rc)
			rc = cdc_json_put_escaped(&text, cdc_str_z(column[i]), err);
		if (!rc)
			end[i] = text.len;
	}
	for (size_t i = 0; !rc && i < n; i++) {
		size_t start = i ? end[i - 1] : 0;

		raw[i] = cdc_str(text.p + start, end[i] - start);
	}
	if (!rc)
		rc = table_fill(&k->every, CDC_STR(""), raw, n, err);
	k->fixed = !rc;
	cdc_buf_free(&text);
	free(raw);
	free(end);
	return rc;
}

/* Place of the table in k->table. */
static bool lookup(const struct cdc_textkey *k, struct cdc_str name, size_t *at)
{
	struct cdc_map_iter it;
	uint32_t i;

	*at = k->last;
	if (k->n && cdc_str_eq(k->table[k->last].name, name))
		return true;
	it = cdc_map_seek(&k->map, cdc_hash64(name.p, name.n));
	while (cdc_map_next(&k->map, &it, &i))
		if (cdc_str_eq(k->table[i].name, name)) {
			*at = i;
			return true;
		}
	return false;
}

/* The key of a table, or NULL: no SCHEMA told it yet. */
static struct cdc_textkey_table *key_table(struct cdc_textkey *k, struct cdc_str name)
{
	size_t at;

	if (k->fixed)
		return &k->every;
	if (!lookup(k, name, &at))
		return NULL;
	k->last = at;
	return &k->table[at];
}

bool cdc_textkey_changes(const struct cdc_textkey *k, const struct cdc_record *r)
{
	const struct cdc_tape *t = r->tape;
	uint32_t pk = r->primary_key_tok;
	uint32_t e = pk == CDC_JSON_NONE ? CDC_JSON_NONE : cdc_json_first(t, pk);
	size_t at;

	if (k->fixed || !lookup(k, r->db_table, &at))
		return false;
	for (size_t i = 0; i < k->table[at].n; i++) {
		if (e == CDC_JSON_NONE || !same_name(k->table[at].column[i], cdc_json_raw(t, e)))
			return true;
		e = cdc_json_after(t, pk, e);
	}
	return e != CDC_JSON_NONE;
}

int cdc_textkey_learn(struct cdc_textkey *k, const struct cdc_record *r, bool *first,
		      struct cdc_err *err)
{
	const struct cdc_tape *t = r->tape;
	uint32_t pk = r->primary_key_tok;
	size_t n = pk == CDC_JSON_NONE ? 0 : t->tok[pk].count;
	struct cdc_textkey_table made = { 0 };
	struct cdc_str *raw = calloc(n ? n : 1, sizeof(*raw));
	size_t at, i = 0;
	bool known = lookup(k, r->db_table, &at);
	int rc = raw ? CDC_OK : cdc_fail_nomem(err);

	if (first)
		*first = !known;
	if (rc)
		goto out;
	for (uint32_t e = n ? cdc_json_first(t, pk) : CDC_JSON_NONE; e != CDC_JSON_NONE;
	     e = cdc_json_after(t, pk, e))
		raw[i++] = cdc_json_raw(t, e);
	rc = table_fill(&made, r->db_table, raw, n, err);
	if (rc)
		goto out;
	if (known) {
		table_clear(&k->table[at]);
		k->table[at] = made;
		goto out;
	}
	rc = grow(k, err);
	if (!rc)
		rc = cdc_map_insert(&k->map, cdc_hash64(made.name.p, made.name.n), (uint32_t)k->n,
				    err);
	if (rc)
		table_clear(&made);
	else
		k->table[k->n++] = made;
out:
	free(raw);
	return rc;
}

/* ------------------------------------------------------------------ keys of records */

/* One column needs no frame; of several each is framed by its length, so that no two keys look
 * alike. */
static int put_value(struct cdc_buf *key, const struct cdc_image_col *col, bool framed,
		     struct cdc_err *err)
{
	uint32_t n = (uint32_t)col->value.n;
	size_t at = key->len;
	int rc = cdc_buf_reserve(key, sizeof(n) + col->value.n, err);

	if (rc)
		return rc;
	if (framed)
		key->len += sizeof(n);
	if (col->escaped) {
		n = (uint32_t)cdc_json_unescape(col->value, key->p + key->len);
		key->len += n;
	} else {
		if (n)
			memcpy(key->p + key->len, col->value.p, n);
		key->len += n;
	}
	if (framed)
		memcpy(key->p + at, &n, sizeof(n));
	return CDC_OK;
}

static int no_key(const struct cdc_record *r, bool known, struct cdc_err *err)
{
	return cdc_fail(err, CDC_EDATA,
			known ? "table \"%.*s\" has no primary key: name the key columns"
			      : "no SCHEMA record of table \"%.*s\" came yet: name the key columns",
			(int)(r->db_table.n < 200 ? r->db_table.n : 200),
			r->db_table.n ? r->db_table.p : "");
}

int cdc_textkey_of(void *ctx, const struct cdc_record *r, uint32_t primary, uint32_t fallback,
		   struct cdc_buf *key, struct cdc_err *err)
{
	struct cdc_textkey_table *t = key_table(ctx, r->db_table);
	int rc = CDC_OK;

	if (!t || !t->n)
		return no_key(r, t != NULL, err);
	for (size_t i = 0; !rc && i < t->n; i++) {
		struct cdc_str name = t->column[i];
		uint32_t hint = t->n == 1 ? t->hint : (uint32_t)i;
		struct cdc_image_col col;

		if (!cdc_image_find(r, primary, name, &hint, &col) &&
		    !cdc_image_find(r, fallback, name, &hint, &col))
			return cdc_fail(err, CDC_EDATA, "key column \"%.*s\" is missing",
					(int)name.n, name.p);
		if (col.is_null)
			return cdc_fail(err, CDC_EDATA, "key column \"%.*s\" is null", (int)name.n,
					name.p);
		t->hint = hint - 1;
		rc = put_value(key, &col, t->n > 1, err);
	}
	return rc;
}

bool cdc_textkey_is_key(void *ctx, struct cdc_str db_table, struct cdc_str column)
{
	const struct cdc_textkey_table *t = key_table(ctx, db_table);

	for (size_t i = 0; t && i < t->n; i++)
		if (same_name(t->column[i], column))
			return true;
	return false;
}
