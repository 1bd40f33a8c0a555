/*
 * The JSON form of schemas: metaData.schemaString (Delta protocol, "Schema Serialization Format").
 *
 * Nested types are checked and kept as their source text; so is the metadata of every field, since
 * other writers keep settings there that must survive byte for byte.
 */
#include "delta/schema_names.h"

#include "base/json.h"

#define SHOWN(s) (int)((s).n > 128 ? 128 : (s).n), (s).p

static int malformed(struct cdc_err *err, const char *what)
{
	return cdc_fail(err, CDC_ECORRUPT, "schema: %s", what);
}

static int type_check(const struct cdc_tape *t, uint32_t v, struct cdc_err *err);

static int fields_check(const struct cdc_tape *t, uint32_t fields, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (fields == CDC_JSON_NONE || t->tok[fields].type != CDC_JSON_ARRAY)
		return malformed(err, "a struct has no fields array");
	for (uint32_t i = cdc_json_first(t, fields); rc == CDC_OK && i != CDC_JSON_NONE;
	     i = cdc_json_after(t, fields, i)) {
		uint32_t name = cdc_json_get(t, i, "name");

		if (name == CDC_JSON_NONE || t->tok[name].type != CDC_JSON_STRING)
			return malformed(err, "a field of a struct has no name");
		rc = type_check(t, cdc_json_get(t, i, "type"), err);
	}
	return rc;
}

/* Depth is bounded by the scanner. */
static int type_check(const struct cdc_tape *t, uint32_t v, struct cdc_err *err)
{
	struct cdc_field f = { 0 };
	struct cdc_str kind;
	uint32_t k;
	int rc;

	if (v == CDC_JSON_NONE)
		return malformed(err, "a field has no type");
	if (t->tok[v].type == CDC_JSON_STRING) {
		kind = cdc_json_raw(t, v);
		if (!cdc_type_from_name(kind, &f))
			return cdc_fail(err, CDC_EUNSUPPORTED, "schema: type \"%.*s\" is not known",
					SHOWN(kind));
		return CDC_OK;
	}
	k = cdc_json_get(t, v, "type");
	if (k == CDC_JSON_NONE || t->tok[k].type != CDC_JSON_STRING)
		return malformed(err, "a nested type does not say which");
	kind = cdc_json_raw(t, k);
	if (cdc_str_eqz(kind, "struct"))
		return fields_check(t, cdc_json_get(t, v, "fields"), err);
	if (cdc_str_eqz(kind, "array"))
		return type_check(t, cdc_json_get(t, v, "elementType"), err);
	if (cdc_str_eqz(kind, "map")) {
		rc = type_check(t, cdc_json_get(t, v, "keyType"), err);
		return rc < 0 ? rc : type_check(t, cdc_json_get(t, v, "valueType"), err);
	}
	return cdc_fail(err, CDC_EUNSUPPORTED, "schema: type \"%.*s\" is not known", SHOWN(kind));
}

static int read_type(const struct cdc_tape *t, uint32_t v, struct cdc_field *f, struct cdc_err *err)
{
	int rc = type_check(t, v, err);
	struct cdc_str kind;

	if (rc < 0)
		return rc;
	if (t->tok[v].type == CDC_JSON_STRING)
		return cdc_type_from_name(cdc_json_raw(t, v), f) ? CDC_OK
								 : malformed(err, "bad type");
	f->type_json = cdc_json_source(t, v);
	kind = cdc_json_raw(t, cdc_json_get(t, v, "type"));
	f->type = cdc_str_eqz(kind, "struct")  ? CDC_TYPE_STRUCT
		  : cdc_str_eqz(kind, "array") ? CDC_TYPE_ARRAY
					       : CDC_TYPE_MAP;
	return CDC_OK;
}

static int read_metadata(const struct cdc_tape *t, uint32_t v, struct cdc_arena *a,
			 struct cdc_field *f, struct cdc_err *err)
{
	uint32_t k;
	int64_t id;

	f->metadata = CDC_STR("{}");
	f->physical_name = f->name;
	if (v == CDC_JSON_NONE || t->tok[v].type == CDC_JSON_NULL)
		return CDC_OK;
	if (t->tok[v].type != CDC_JSON_OBJECT)
		return malformed(err, "the metadata of a field is no object");
	f->metadata = cdc_json_source(t, v);
	k = cdc_json_get(t, v, "delta.columnMapping.id");
	if (k != CDC_JSON_NONE) {
		if (!cdc_json_int64(t, k, &id) || id < 0 || id > INT32_MAX)
			return malformed(err, "delta.columnMapping.id is no field id");
		f->has_field_id = true;
		f->field_id = (int32_t)id;
	}
	k = cdc_json_get(t, v, "delta.columnMapping.physicalName");
	if (k == CDC_JSON_NONE)
		return CDC_OK;
	if (t->tok[k].type != CDC_JSON_STRING || !t->tok[k].len)
		return malformed(err, "delta.columnMapping.physicalName is no name");
	return cdc_json_string(t, k, a, &f->physical_name, err);
}

static int read_field(struct cdc_schema *s, const struct cdc_tape *t, uint32_t v,
		      struct cdc_err *err)
{
	uint32_t name = cdc_json_get(t, v, "name");
	uint32_t nullable = cdc_json_get(t, v, "nullable");
	struct cdc_field f = { .nullable = true };
	int rc;

	if (name == CDC_JSON_NONE || t->tok[name].type != CDC_JSON_STRING)
		return malformed(err, "a field has no name");
	rc = cdc_json_string(t, name, &s->arena, &f.name, err);
	if (rc < 0)
		return rc;
	if (nullable != CDC_JSON_NONE) {
		if (t->tok[nullable].type != CDC_JSON_TRUE &&
		    t->tok[nullable].type != CDC_JSON_FALSE)
			return malformed(err, "nullable is neither true nor false");
		f.nullable = t->tok[nullable].type == CDC_JSON_TRUE;
	}
	rc = read_type(t, cdc_json_get(t, v, "type"), &f, err);
	if (rc == CDC_OK)
		rc = read_metadata(t, cdc_json_get(t, v, "metadata"), &s->arena, &f, err);
	if (rc < 0)
		return cdc_err_prefix(err, "column \"%.*s\"", SHOWN(f.name));
	rc = cdc_schema_reserve(s, err);
	if (rc < 0)
		return rc;
	s->field[s->num_fields++] = f;
	return CDC_OK;
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
		rc = read_field(s, t, i, err);
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

static int put_field(const struct cdc_field *f, struct cdc_buf *out, struct cdc_err *err)
{
	char name[CDC_TYPE_NAME_MAX];
	int rc;

	if ((rc = cdc_buf_puts(out, "{\"name\":", err)) < 0 ||
	    (rc = cdc_json_put_string(out, f->name, err)) < 0 ||
	    (rc = cdc_buf_puts(out, ",\"type\":", err)) < 0)
		return rc;
	if (f->type_json.p)
		rc = cdc_buf_put(out, f->type_json, err);
	else
		rc = cdc_json_put_string(out, cdc_str_z(cdc_type_name(f, name)), err);
	if (rc < 0 ||
	    (rc = cdc_buf_puts(out, f->nullable ? ",\"nullable\":true" : ",\"nullable\":false",
			       err)) < 0 ||
	    (rc = cdc_buf_puts(out, ",\"metadata\":", err)) < 0 ||
	    (rc = cdc_buf_put(out, f->metadata.p ? f->metadata : CDC_STR("{}"), err)) < 0)
		return rc;
	return cdc_buf_putc(out, '}', err);
}

int cdc_schema_to_json(const struct cdc_schema *s, struct cdc_buf *out, struct cdc_err *err)
{
	int rc = cdc_buf_puts(out, "{\"type\":\"struct\",\"fields\":[", err);

	for (int i = 0; rc == CDC_OK && i < s->num_fields; i++) {
		if (i)
			rc = cdc_buf_putc(out, ',', err);
		if (rc == CDC_OK)
			rc = put_field(&s->field[i], out, err);
	}
	return rc < 0 ? rc : cdc_buf_puts(out, "]}", err);
}
