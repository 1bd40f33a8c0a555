/* Columns of a Debezium table: from the schema that comes with a message, or from its row. */
#include "source/debezium/debezium_int.h"

#include "base/value.h"

static struct cdc_json_in *in(struct debezium *d)
{
	return &d->j;
}

/* Of the schema, which is on a tape of its own. */
static uint32_t get(struct debezium *d, uint32_t obj, const char *name)
{
	return cdc_json_get(&d->schema_tape, obj, name);
}

static struct cdc_str text(struct debezium *d, uint32_t i)
{
	return i == CDC_JSON_NONE ? CDC_STR("") : cdc_json_raw(&d->schema_tape, i);
}

static bool is_a(struct debezium *d, uint32_t i, enum cdc_json_type type)
{
	return i != CDC_JSON_NONE && d->schema_tape.tok[i].type == type;
}

static bool keep(struct cdc_arena *a, const struct cdc_buf *b, struct cdc_str *out)
{
	char *p = cdc_arena_dup(a, b->p, b->len);

	*out = cdc_str(p, b->len);
	return p != NULL;
}

/* A field of a struct schema as a column. */
static int column(struct debezium *d, uint32_t field, struct cdc_change_column *col,
		  struct cdc_err *err)
{
	uint32_t params = get(d, field, "parameters");
	struct cdc_connect_schema s = {
		.base = text(d, get(d, field, "type")),
		.name = text(d, get(d, field, "name")),
		.scale = text(d, get(d, params, "scale")),
		.precision = text(d, get(d, params, "connect.decimal.precision")),
		.length = text(d, get(d, params, "length")),
		.column_type = text(d, get(d, params, "__debezium.source.column.type")),
		.column_length = text(d, get(d, params, "__debezium.source.column.length")),
		.column_scale = text(d, get(d, params, "__debezium.source.column.scale")),
	};
	uint32_t name = get(d, field, "field");
	int rc;

	if (!is_a(d, name, CDC_JSON_STRING))
		return cdc_fail(err, CDC_EDATA, "a schema has a field without a name");
	rc = cdc_json_string(&d->schema_tape, name, &in(d)->scratch, &col->name, err);
	if (rc == CDC_OK)
		rc = cdc_connect_type(&s, &d->type, err);
	if (rc < 0)
		return rc;
	col->as = (uint8_t)d->type.kind;
	col->arg = d->type.arg;
	col->not_null = is_a(d, get(d, field, "optional"), CDC_JSON_FALSE);
	if (!keep(&in(d)->scratch, &d->type.type, &col->type) ||
	    !keep(&in(d)->scratch, &d->type.source_type, &col->source_type))
		return cdc_fail_nomem(err);
	return CDC_OK;
}

/* The fields of the row's struct: of "after" or "before" in an envelope, else of the schema. */
static uint32_t row_fields(struct debezium *d, bool flat)
{
	uint32_t fields = get(d, 0, "fields");

	if (flat || !is_a(d, fields, CDC_JSON_ARRAY))
		return fields;
	for (uint32_t i = cdc_json_first(&d->schema_tape, fields); i != CDC_JSON_NONE;
	     i = cdc_json_after(&d->schema_tape, fields, i)) {
		uint32_t name = get(d, i, "field");

		if (is_a(d, name, CDC_JSON_STRING) &&
		    (cdc_json_is(&d->schema_tape, name, CDC_STR("after")) ||
		     cdc_json_is(&d->schema_tape, name, CDC_STR("before"))))
			return get(d, i, "fields");
	}
	return CDC_JSON_NONE;
}

/* The names of the message key's columns. */
static int key_names(struct debezium *d, struct cdc_str **name, size_t *n, struct cdc_err *err)
{
	struct cdc_json_in *k = &d->key;
	int rc = CDC_OK;

	*n = 0;
	*name = NULL;
	if (d->key_root == CDC_JSON_NONE)
		return CDC_OK;
	if (k->tape.tok[d->key_root].count > CDC_CHANGE_COLUMNS_MAX)
		return cdc_fail(err, CDC_EDATA, "the message's key has more than %u columns",
				CDC_CHANGE_COLUMNS_MAX);
	cdc_arena_reset(&k->scratch);
	*name = cdc_arena_calloc(&k->scratch, k->tape.tok[d->key_root].count + 1u, sizeof(**name));
	if (!*name)
		return cdc_fail_nomem(err);
	for (uint32_t i = cdc_json_first(&k->tape, d->key_root); rc == CDC_OK && i != CDC_JSON_NONE;
	     i = cdc_json_after(&k->tape, d->key_root, i))
		rc = cdc_json_string(&k->tape, i, &k->scratch, &(*name)[(*n)++], err);
	return rc;
}

/* The shape of a table is the names of its key: a key that comes later is a change. */
static int key_shape(struct debezium *d, const struct cdc_str *key, size_t n_key,
		     struct cdc_err *err)
{
	int rc = CDC_OK;

	cdc_buf_reset(&d->key.text);
	for (size_t i = 0; rc == CDC_OK && i < n_key; i++) {
		rc = cdc_buf_put(&d->key.text, key[i], err);
		if (rc == CDC_OK)
			rc = cdc_buf_putc(&d->key.text, '\n', err);
	}
	return rc;
}

static int by_schema(struct debezium *d, struct cdc_change_table *t, bool flat,
		     const struct cdc_str *key, size_t n_key, struct cdc_err *err)
{
	struct cdc_change_column *col;
	uint32_t fields;
	size_t n = 0;
	int rc = cdc_json_scan(&d->schema_tape, debezium_schema_text(d), NULL, err);

	if (rc < 0)
		return rc;
	fields = row_fields(d, flat);
	if (!is_a(d, fields, CDC_JSON_ARRAY))
		return cdc_fail(err, CDC_EDATA, "the schema has no fields for rows");
	cdc_arena_reset(&in(d)->scratch);
	col = cdc_arena_calloc(&in(d)->scratch, d->schema_tape.tok[fields].count + 1u,
			       sizeof(*col));
	if (!col)
		return cdc_fail_nomem(err);
	for (uint32_t i = cdc_json_first(&d->schema_tape, fields);
	     rc == CDC_OK && i != CDC_JSON_NONE; i = cdc_json_after(&d->schema_tape, fields, i)) {
		if (flat && debezium_is_mark(text(d, get(d, i, "field"))))
			continue;
		rc = column(d, i, &col[n++], err);
	}
	if (rc == CDC_OK)
		rc = cdc_change_define(&in(d)->c, t, cdc_buf_str(&d->key.text), col, n, key, n_key,
				       err);
	if (rc == CDC_OK)
		t->format_state = d->schema_no;
	return rc;
}

/* Append the names in a row that are not columns yet. */
static int add_names(struct debezium *d, uint32_t row, bool flat, struct cdc_err *err)
{
	if (!cdc_json_in_is(in(d), row, CDC_JSON_OBJECT))
		return CDC_OK;
	for (uint32_t k = cdc_json_first(&in(d)->tape, row); k != CDC_JSON_NONE;
	     k = cdc_json_after(&in(d)->tape, row, k)) {
		struct cdc_str name;
		int rc;

		if (flat && debezium_is_mark(cdc_json_raw(&in(d)->tape, k)))
			continue;
		rc = cdc_json_string(&in(d)->tape, k, &in(d)->scratch, &name, err);
		if (rc == CDC_OK)
			rc = cdc_json_in_add(in(d), name, err);
		if (rc < 0)
			return rc;
	}
	return CDC_OK;
}

static size_t members(struct debezium *d, uint32_t row)
{
	return cdc_json_in_is(in(d), row, CDC_JSON_OBJECT) ? in(d)->tape.tok[row].count : 0;
}

static int by_rows(struct debezium *d, struct cdc_change_table *t, uint32_t a, uint32_t b,
		   bool flat, const struct cdc_str *key, size_t n_key, struct cdc_err *err)
{
	size_t known = t->defined && t->format_state == 0 ? t->n : 0;
	const struct cdc_ddl_table *given = debezium_given(d, t);
	struct cdc_json_in *j = in(d);
	int rc;

	cdc_arena_reset(&j->scratch);
	rc = cdc_json_in_grow(j, t, known, members(d, a) + members(d, b), err);
	if (rc == CDC_OK)
		rc = add_names(d, a, flat, err);
	if (rc == CDC_OK)
		rc = add_names(d, b, flat, err);
	for (size_t i = known; rc == CDC_OK && given && i < j->n_col; i++)
		rc = debezium_given_column(d, given, &j->col[i], err);
	if (rc == CDC_OK && given && n_key == 0) {
		key = given->key;
		n_key = given->n_key;
	}
	if (rc == CDC_OK)
		rc = cdc_change_define(&j->c, t, cdc_buf_str(&d->key.text), j->col, j->n_col, key,
				       n_key, err);
	if (rc == CDC_OK)
		t->format_state = 0;
	return rc;
}

/* Are all names of the row columns? */
static bool covers(struct debezium *d, struct cdc_change_table *t, uint32_t row, bool flat)
{
	uint32_t hint = 0;

	if (!cdc_json_in_is(in(d), row, CDC_JSON_OBJECT))
		return true;
	for (uint32_t k = cdc_json_first(&in(d)->tape, row); k != CDC_JSON_NONE;
	     k = cdc_json_after(&in(d)->tape, row, k)) {
		struct cdc_str name = cdc_json_raw(&in(d)->tape, k);

		if (!(flat && debezium_is_mark(name)) && !cdc_json_in_column(in(d), t, k, &hint))
			return false;
	}
	return true;
}

int debezium_columns(struct debezium *d, struct cdc_change_table *t, uint32_t a, uint32_t b,
		     bool flat, struct cdc_err *err)
{
	struct cdc_str *key;
	size_t n_key;
	bool same;
	int rc = key_names(d, &key, &n_key, err);

	if (rc == CDC_OK)
		rc = key_shape(d, key, n_key, err);
	if (rc < 0)
		return rc;
	/* A message without a key says nothing of the key. */
	same = t->defined && t->format_state == d->schema_no &&
	       (n_key == 0 || cdc_str_eq(cdc_buf_str(&t->shape), cdc_buf_str(&d->key.text)));
	if (same && (d->schema_no || (covers(d, t, a, flat) && covers(d, t, b, flat))))
		return CDC_OK;
	if (n_key == 0 && t->defined) {
		key = t->key;
		n_key = t->n_key;
		cdc_buf_reset(&d->key.text);
		rc = cdc_buf_put(&d->key.text, cdc_buf_str(&t->shape), err);
	}
	if (rc < 0)
		return rc;
	return d->schema_no ? by_schema(d, t, flat, key, n_key, err)
			    : by_rows(d, t, a, b, flat, key, n_key, err);
}
