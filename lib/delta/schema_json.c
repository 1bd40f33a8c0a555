/*
 * The JSON form of schemas: metaData.schemaString (Delta protocol, "Schema Serialization Format").
 *
 * Nested types are kept as their source text beside the tree of their fields; so is the metadata of
 * every field, since other writers keep settings there that must survive byte for byte.
 */
#include "delta/schema_names.h"

#include "base/json.h"

#define SHOWN(s) (int)((s).n > 128 ? 128 : (s).n), (s).p

static int malformed(struct cdc_err *err, const char *what)
{
	return cdc_fail(err, CDC_ECORRUPT, "schema: %s", what);
}

static int unknown(struct cdc_str kind, struct cdc_err *err)
{
	return cdc_fail(err, CDC_EUNSUPPORTED, "schema: type \"%.*s\" is not known", SHOWN(kind));
}

static int read_type(const struct cdc_tape *t, uint32_t v, struct cdc_arena *a, struct cdc_field *f,
		     struct cdc_err *err);

/* A member that is true, false, or absent: true. */
static int read_flag(const struct cdc_tape *t, uint32_t obj, const char *key, bool *out,
		     struct cdc_err *err)
{
	uint32_t v = cdc_json_get(t, obj, key);

	*out = true;
	if (v == CDC_JSON_NONE)
		return CDC_OK;
	if (t->tok[v].type != CDC_JSON_TRUE && t->tok[v].type != CDC_JSON_FALSE)
		return cdc_fail(err, CDC_ECORRUPT, "schema: %s is neither true nor false", key);
	*out = t->tok[v].type == CDC_JSON_TRUE;
	return CDC_OK;
}

/* delta-rs writes it as a string when it changes a schema. */
static int read_field_id(const struct cdc_tape *t, uint32_t v, struct cdc_arena *a,
			 struct cdc_field *f, struct cdc_err *err)
{
	struct cdc_str text;
	int64_t id = -1;

	if (t->tok[v].type == CDC_JSON_STRING) {
		int rc = cdc_json_string(t, v, a, &text, err);

		if (rc < 0)
			return rc;
		if (cdc_int64_parse(text, &id) != CDC_PARSE_OK)
			id = -1;
	} else if (!cdc_json_int64(t, v, &id)) {
		id = -1;
	}
	if (id < 0 || id > INT32_MAX)
		return malformed(err, "delta.columnMapping.id is no field id");
	f->has_field_id = true;
	f->field_id = (int32_t)id;
	return CDC_OK;
}

static int read_metadata(const struct cdc_tape *t, uint32_t v, struct cdc_arena *a,
			 struct cdc_field *f, struct cdc_err *err)
{
	uint32_t k;

	f->metadata = CDC_STR("{}");
	f->physical_name = f->name;
	if (v == CDC_JSON_NONE || t->tok[v].type == CDC_JSON_NULL)
		return CDC_OK;
	if (t->tok[v].type != CDC_JSON_OBJECT)
		return malformed(err, "the metadata of a field is no object");
	f->metadata = cdc_json_source(t, v);
	k = cdc_json_get(t, v, "delta.columnMapping.id");
	if (k != CDC_JSON_NONE) {
		int rc = read_field_id(t, k, a, f, err);

		if (rc < 0)
			return rc;
	}
	k = cdc_json_get(t, v, "delta.columnMapping.physicalName");
	if (k == CDC_JSON_NONE)
		return CDC_OK;
	if (t->tok[k].type != CDC_JSON_STRING || !t->tok[k].len)
		return malformed(err, "delta.columnMapping.physicalName is no name");
	return cdc_json_string(t, k, a, &f->physical_name, err);
}

/*
 * delta.columnMapping.nested.ids: elements, keys and values have no metadata of their own, so that
 * the field around them has their ids, by a path that starts with the field's physical name.
 */
static int read_nested_ids(const struct cdc_tape *t, uint32_t ids, struct cdc_buf *path,
			   struct cdc_arena *a, struct cdc_field *f, struct cdc_err *err)
{
	size_t start = path->len;
	int rc = CDC_OK;

	if (f->type != CDC_TYPE_ARRAY && f->type != CDC_TYPE_MAP)
		return CDC_OK;
	for (int i = 0; rc == CDC_OK && i < f->num_children; i++) {
		path->len = start;
		if ((rc = cdc_buf_putc(path, '.', err)) < 0 ||
		    (rc = cdc_buf_put(path, f->child[i].name, err)) < 0)
			return rc;
		for (uint32_t k = cdc_json_first(t, ids); rc == CDC_OK && k != CDC_JSON_NONE;
		     k = cdc_json_after(t, ids, k)) {
			if (cdc_json_is(t, k, cdc_buf_str(path)))
				rc = read_field_id(t, k + 1, a, &f->child[i], err);
		}
		if (rc == CDC_OK)
			rc = read_nested_ids(t, ids, path, a, &f->child[i], err);
	}
	return rc;
}

static int read_ids_inside(const struct cdc_tape *t, uint32_t metadata, struct cdc_arena *a,
			   struct cdc_field *f, struct cdc_err *err)
{
	uint32_t ids = cdc_json_get(t, metadata, "delta.columnMapping.nested.ids");
	struct cdc_buf path = CDC_BUF_INIT;
	int rc;

	if (ids == CDC_JSON_NONE || t->tok[ids].type != CDC_JSON_OBJECT)
		return CDC_OK;
	rc = cdc_buf_put(&path, f->physical_name, err);
	if (rc == CDC_OK)
		rc = read_nested_ids(t, ids, &path, a, f, err);
	cdc_buf_free(&path);
	return rc;
}

static int read_field(const struct cdc_tape *t, uint32_t v, struct cdc_arena *a,
		      struct cdc_field *f, struct cdc_err *err)
{
	uint32_t name = cdc_json_get(t, v, "name");
	int rc;

	*f = (struct cdc_field){ .nullable = true };
	if (name == CDC_JSON_NONE || t->tok[name].type != CDC_JSON_STRING)
		return malformed(err, "a field has no name");
	rc = cdc_json_string(t, name, a, &f->name, err);
	if (rc < 0)
		return rc;
	if ((rc = read_flag(t, v, "nullable", &f->nullable, err)) < 0 ||
	    (rc = read_type(t, cdc_json_get(t, v, "type"), a, f, err)) < 0 ||
	    (rc = read_metadata(t, cdc_json_get(t, v, "metadata"), a, f, err)) < 0 ||
	    (rc = read_ids_inside(t, cdc_json_get(t, v, "metadata"), a, f, err)) < 0)
		return cdc_err_prefix(err, "column \"%.*s\"", SHOWN(f->name));
	return CDC_OK;
}

/* The fields of a nested struct. */
static int read_children(const struct cdc_tape *t, uint32_t fields, struct cdc_arena *a,
			 struct cdc_field *f, struct cdc_err *err)
{
	int rc = CDC_OK;
	int n = 0;

	if (fields == CDC_JSON_NONE || t->tok[fields].type != CDC_JSON_ARRAY)
		return malformed(err, "a struct has no fields array");
	for (uint32_t i = cdc_json_first(t, fields); i != CDC_JSON_NONE;
	     i = cdc_json_after(t, fields, i))
		n++;
	f->child = cdc_arena_calloc(a, (size_t)n + 1, sizeof(*f->child));
	if (!f->child)
		return cdc_fail_nomem(err);
	for (uint32_t i = cdc_json_first(t, fields); rc == CDC_OK && i != CDC_JSON_NONE;
	     i = cdc_json_after(t, fields, i))
		rc = read_field(t, i, a, &f->child[f->num_children++], err);
	return rc;
}

/* The parts of an array or a map, which have no names of their own in the schema. */
static int read_part(const struct cdc_tape *t, uint32_t v, const char *type, const char *name,
		     bool nullable, struct cdc_arena *a, struct cdc_field *f, struct cdc_err *err)
{
	struct cdc_field *part = &f->child[f->num_children++];

	*part = (struct cdc_field){ .name = cdc_str_z(name),
				    .physical_name = cdc_str_z(name),
				    .metadata = CDC_STR("{}"),
				    .nullable = nullable };
	return read_type(t, cdc_json_get(t, v, type), a, part, err);
}

static int read_array(const struct cdc_tape *t, uint32_t v, struct cdc_arena *a,
		      struct cdc_field *f, struct cdc_err *err)
{
	bool nulls = true;
	int rc = read_flag(t, v, "containsNull", &nulls, err);

	f->child = cdc_arena_calloc(a, 1, sizeof(*f->child));
	if (rc == CDC_OK && !f->child)
		rc = cdc_fail_nomem(err);
	return rc < 0 ? rc : read_part(t, v, "elementType", "element", nulls, a, f, err);
}

static int read_map(const struct cdc_tape *t, uint32_t v, struct cdc_arena *a, struct cdc_field *f,
		    struct cdc_err *err)
{
	bool nulls = true;
	int rc = read_flag(t, v, "valueContainsNull", &nulls, err);

	f->child = cdc_arena_calloc(a, 2, sizeof(*f->child));
	if (rc == CDC_OK && !f->child)
		rc = cdc_fail_nomem(err);
	if (rc == CDC_OK)
		rc = read_part(t, v, "keyType", "key", false, a, f, err);
	return rc < 0 ? rc : read_part(t, v, "valueType", "value", nulls, a, f, err);
}

/* Depth is bounded by the scanner. */
static int read_type(const struct cdc_tape *t, uint32_t v, struct cdc_arena *a, struct cdc_field *f,
		     struct cdc_err *err)
{
	struct cdc_str kind;
	uint32_t k;

	if (v == CDC_JSON_NONE)
		return malformed(err, "a field has no type");
	if (t->tok[v].type == CDC_JSON_STRING) {
		kind = cdc_json_raw(t, v);
		return cdc_type_from_name(kind, f) ? CDC_OK : unknown(kind, err);
	}
	k = cdc_json_get(t, v, "type");
	if (k == CDC_JSON_NONE || t->tok[k].type != CDC_JSON_STRING)
		return malformed(err, "a nested type does not say which");
	f->type_json = cdc_json_source(t, v);
	kind = cdc_json_raw(t, k);
	if (cdc_str_eqz(kind, "struct")) {
		f->type = CDC_TYPE_STRUCT;
		return read_children(t, cdc_json_get(t, v, "fields"), a, f, err);
	}
	if (cdc_str_eqz(kind, "array")) {
		f->type = CDC_TYPE_ARRAY;
		return read_array(t, v, a, f, err);
	}
	if (cdc_str_eqz(kind, "map")) {
		f->type = CDC_TYPE_MAP;
		return read_map(t, v, a, f, err);
	}
	return unknown(kind, err);
}

static int add_field(struct cdc_schema *s, const struct cdc_tape *t, uint32_t v,
		     struct cdc_err *err)
{
	int rc = cdc_schema_reserve(s, err);

	if (rc == CDC_OK)
		rc = read_field(t, v, &s->arena, &s->field[s->num_fields], err);
	if (rc == CDC_OK)
		s->num_fields++;
	return rc;
}

static int read_fields(struct cdc_schema *s, const struct cdc_tape *t, struct cdc_err *err)
{
	uint32_t kind = cdc_json_get(t, 0, "type");
	uint32_t fields = cdc_json_get(t, 0, "fields");
	int dup;
	int rc = CDC_OK;

	if (kind == CDC_JSON_NONE || !cdc_str_eqz(cdc_json_raw(t, kind), "struct"))
		return malformed(err, "it is no struct");
	if (fields == CDC_JSON_NONE || t->tok[fields].type != CDC_JSON_ARRAY)
		return malformed(err, "it has no fields array");
	for (uint32_t i = cdc_json_first(t, fields); rc == CDC_OK && i != CDC_JSON_NONE;
	     i = cdc_json_after(t, fields, i))
		rc = add_field(s, t, i, err);
	if (rc < 0 || (rc = cdc_schema_duplicate(s, &dup, err)) < 0)
		return rc;
	if (dup >= 0)
		return cdc_fail(err, CDC_ECORRUPT, "schema: column \"%.*s\" is there twice",
				SHOWN(s->field[dup].name));
	return CDC_OK;
}

int cdc_schema_from_json(struct cdc_schema *s, struct cdc_str json, struct cdc_err *err)
{
	struct cdc_schema made = CDC_SCHEMA_INIT;
	struct cdc_tape tape = CDC_TAPE_INIT;
	char *text = cdc_arena_dup(&made.arena, json.p, json.n);
	int rc;

	if (!text)
		return cdc_fail_nomem(err);
	rc = cdc_json_scan(&tape, cdc_str(text, json.n), NULL, err);
	if (rc == CDC_EDATA) {
		err->code = CDC_ECORRUPT;
		rc = cdc_err_prefix(err, "schema");
	}
	if (rc == CDC_OK)
		rc = read_fields(&made, &tape, err);
	cdc_tape_free(&tape);
	if (rc < 0) {
		cdc_schema_free(&made);
		return rc;
	}
	*s = made;
	return CDC_OK;
}

static int put_type(const struct cdc_field *f, struct cdc_buf *out, struct cdc_err *err);
static int put_fields(const struct cdc_field *f, int n, struct cdc_buf *out, struct cdc_err *err);

/* A member of a nested type that tells a type, and the one that tells whether it may be null. */
static int put_part(const struct cdc_field *f, const char *type, const char *null,
		    struct cdc_buf *out, struct cdc_err *err)
{
	int rc = cdc_buf_puts(out, type, err);

	if (rc == CDC_OK)
		rc = put_type(f, out, err);
	if (rc == CDC_OK && null)
		rc = cdc_buf_puts(out, null, err);
	if (rc == CDC_OK && null)
		rc = cdc_buf_puts(out, f->nullable ? "true" : "false", err);
	return rc;
}

/* A nested type comes with its text from a table's schema, without from a file's. */
static int put_type(const struct cdc_field *f, struct cdc_buf *out, struct cdc_err *err)
{
	char name[CDC_TYPE_NAME_MAX];
	int rc;

	if (f->type_json.p)
		return cdc_buf_put(out, f->type_json, err);
	if (f->type == CDC_TYPE_STRUCT)
		return put_fields(f->child, f->num_children, out, err);
	if (f->type == CDC_TYPE_ARRAY) {
		rc = put_part(&f->child[0],
			      "{\"type\":\"array\",\"elementType\":", ",\"containsNull\":", out,
			      err);
	} else if (f->type == CDC_TYPE_MAP) {
		rc = put_part(&f->child[0], "{\"type\":\"map\",\"keyType\":", NULL, out, err);
		if (rc == CDC_OK)
			rc = put_part(&f->child[1],
				      ",\"valueType\":", ",\"valueContainsNull\":", out, err);
	} else {
		return cdc_json_put_string(out, cdc_str_z(cdc_type_name(f, name)), err);
	}
	return rc < 0 ? rc : cdc_buf_putc(out, '}', err);
}

static int put_field(const struct cdc_field *f, struct cdc_buf *out, struct cdc_err *err)
{
	int rc;

	if ((rc = cdc_buf_puts(out, "{\"name\":", err)) < 0 ||
	    (rc = cdc_json_put_string(out, f->name, err)) < 0 ||
	    (rc = cdc_buf_puts(out, ",\"type\":", err)) < 0 || (rc = put_type(f, out, err)) < 0 ||
	    (rc = cdc_buf_puts(out, f->nullable ? ",\"nullable\":true" : ",\"nullable\":false",
			       err)) < 0 ||
	    (rc = cdc_buf_puts(out, ",\"metadata\":", err)) < 0 ||
	    (rc = cdc_buf_put(out, f->metadata.p ? f->metadata : CDC_STR("{}"), err)) < 0)
		return rc;
	return cdc_buf_putc(out, '}', err);
}

static int put_fields(const struct cdc_field *f, int n, struct cdc_buf *out, struct cdc_err *err)
{
	int rc = cdc_buf_puts(out, "{\"type\":\"struct\",\"fields\":[", err);

	for (int i = 0; rc == CDC_OK && i < n; i++) {
		if (i)
			rc = cdc_buf_putc(out, ',', err);
		if (rc == CDC_OK)
			rc = put_field(&f[i], out, err);
	}
	return rc < 0 ? rc : cdc_buf_puts(out, "]}", err);
}

int cdc_schema_to_json(const struct cdc_schema *s, struct cdc_buf *out, struct cdc_err *err)
{
	return put_fields(s->field, s->num_fields, out, err);
}
