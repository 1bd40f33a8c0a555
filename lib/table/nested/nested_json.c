/*
 * Rows of nested columns from JSON, by the type of the field. See nested_build.h.
 */
#include "table/batch/batch_rows.h"
#include "table/batch/cast.h"
#include "table/nested/nested_int.h"

#include <stdio.h>

/* Where a value is, for messages: s.list[3].name. */
struct path {
	const struct path *up; /* NULL: the column */
	struct cdc_str name; /* of a field; or, if p == NULL, */
	uint32_t index; /* of an entry */
};

struct reading {
	struct cdc_nested_build *b;
	const struct cdc_tape *tape;
};

#define PATH_MAX_BYTES 200

static void put_path(const struct path *p, char *out, size_t *n)
{
	int len;

	if (p->up)
		put_path(p->up, out, n);
	if (p->name.p)
		len = snprintf(out + *n, PATH_MAX_BYTES - *n, "%s%.*s", p->up ? "." : "",
			       (int)cdc_utf8_prefix(p->name.p, p->name.n, 64), p->name.p);
	else
		len = snprintf(out + *n, PATH_MAX_BYTES - *n, "[%u]", (unsigned)p->index);
	*n += len > 0 ? (size_t)len : 0;
	if (*n > PATH_MAX_BYTES - 1)
		*n = PATH_MAX_BYTES - 1;
}

static int misfit(const struct path *p, const char *what, struct cdc_str name, struct cdc_err *err)
{
	char text[PATH_MAX_BYTES] = "";
	size_t n = 0;

	put_path(p, text, &n);
	return cdc_fail(err, CDC_EDATA, "column \"%s\": %s%.*s", text, what,
			(int)cdc_utf8_prefix(name.p, name.n, 64), name.p);
}

static int wrong_shape(const struct path *p, const struct cdc_field *f, struct cdc_err *err)
{
	char type[CDC_TYPE_NAME_MAX];

	return misfit(p, "the value is no ", cdc_str_z(cdc_type_name(f, type)), err);
}

static int add_value(const struct reading *r, struct cdc_nested_part *p, const struct path *path,
		     uint32_t tok, struct cdc_err *err);

/* ------------------------------------------------------------------ flat values */

static int add_cast(struct cdc_nested_part *p, const union cdc_value *v, struct cdc_err *err)
{
	char element[sizeof(struct cdc_str) > 16 ? sizeof(struct cdc_str) : 16];

	cdc_value_store(p->field->type, element, 0, v);
	return cdc_nested_add(p, element, err);
}

/* A string, or the source text of a number or a boolean. */
static int add_flat(const struct reading *r, struct cdc_nested_part *p, const struct path *path,
		    uint32_t tok, struct cdc_err *err)
{
	unsigned type = r->tape->tok[tok].type;
	struct cdc_field named = *p->field;
	struct cdc_str text = cdc_json_raw(r->tape, tok);
	char name[PATH_MAX_BYTES] = "";
	union cdc_value v;
	size_t n = 0;
	int rc = CDC_OK;

	if (type >= CDC_JSON_ARRAY || p->field->type == CDC_TYPE_VOID)
		return wrong_shape(path, p->field, err);
	if (type == CDC_JSON_STRING)
		rc = cdc_json_string(r->tape, tok, &r->b->bytes, &text, err);
	/* The text is the caller's, who may forget it before the rows. */
	if (rc == CDC_OK && p->field->type == CDC_TYPE_STRING) {
		text.p = cdc_arena_dup(&r->b->bytes, text.p, text.n);
		rc = text.p ? CDC_OK : cdc_fail_nomem(err);
	}
	if (rc < 0)
		return rc;
	if (cdc_cast_text(p->field, text, &r->b->bytes, &v, err) == CDC_OK)
		return add_cast(p, &v, err);
	/* Once more, for a message that has the path. */
	put_path(path, name, &n);
	named.name = cdc_str(name, n);
	return cdc_cast_text(&named, text, &r->b->bytes, &v, err);
}

static int add_variant(const struct reading *r, struct cdc_nested_part *p, const struct path *path,
		       uint32_t tok, struct cdc_err *err)
{
	struct cdc_variant_build *v;
	struct cdc_str metadata, value;
	char name[PATH_MAX_BYTES] = "";
	size_t n = 0;
	int rc = cdc_nested_variant(r->b, &v, err);

	if (rc < 0)
		return rc;
	rc = cdc_variant_from_json(v, r->tape, tok, &metadata, &value, err);
	if (rc == CDC_EDATA) {
		put_path(path, name, &n);
		return cdc_err_prefix(err, "column \"%s\"", name);
	}
	if (rc < 0)
		return rc;
	metadata.p = cdc_arena_dup(&r->b->bytes, metadata.p, metadata.n);
	value.p = cdc_arena_dup(&r->b->bytes, value.p, value.n);
	if (!metadata.p || !value.p)
		return cdc_fail_nomem(err);
	return cdc_nested_add_variant(p, metadata, value, err);
}

/* ------------------------------------------------------------------ structs */

/* The field that a member is of: exact name, else the only one that matches but for case; -1. */
static int find_field(const struct cdc_field *f, struct cdc_str name, int guess)
{
	int found = -1;

	if (guess < f->num_children && cdc_str_eq(f->child[guess].name, name))
		return guess;
	for (int i = 0; i < f->num_children; i++) {
		if (cdc_str_eq(f->child[i].name, name))
			return i;
	}
	for (int i = 0; i < f->num_children; i++) {
		if (!cdc_str_ieq(f->child[i].name, name))
			continue;
		if (found >= 0)
			return -1;
		found = i;
	}
	return found;
}

/* value[i]: the token of field i's value, CDC_JSON_NONE if it is missing. */
static int find_members(const struct reading *r, const struct cdc_field *f, const struct path *path,
			uint32_t tok, uint32_t *value, struct cdc_err *err)
{
	struct cdc_str name = CDC_STR_INIT;
	int i = -1;

	for (int k = 0; k < f->num_children; k++)
		value[k] = CDC_JSON_NONE;
	for (uint32_t m = cdc_json_first(r->tape, tok); m != CDC_JSON_NONE;
	     m = cdc_json_after(r->tape, tok, m)) {
		if (cdc_json_string(r->tape, m, &r->b->bytes, &name, err))
			return err->code;
		i = find_field(f, name, i + 1);
		if (i < 0)
			return misfit(path, "it has no field ", name, err);
		if (value[i] != CDC_JSON_NONE)
			return misfit(path, "it has twice the field ", name, err);
		value[i] = m + 1;
	}
	return CDC_OK;
}

static int add_struct(const struct reading *r, struct cdc_nested_part *p, const struct path *path,
		      uint32_t tok, struct cdc_err *err)
{
	const struct cdc_field *f = p->field;
	uint32_t *value;
	int rc;

	if (r->tape->tok[tok].type != CDC_JSON_OBJECT)
		return wrong_shape(path, f, err);
	value = cdc_arena_calloc(&r->b->bytes, (size_t)f->num_children + 1, sizeof(*value));
	if (!value)
		return cdc_fail_nomem(err);
	rc = find_members(r, f, path, tok, value, err);
	if (rc == CDC_OK)
		rc = cdc_nested_add_group(p, err);
	for (int i = 0; rc == CDC_OK && i < f->num_children; i++) {
		const struct path below = { path, f->child[i].name, 0 };

		rc = add_value(r, &p->child[i], &below, value[i], err);
	}
	return rc;
}

/* ------------------------------------------------------------------ lists and maps */

static int add_array(const struct reading *r, struct cdc_nested_part *p, const struct path *path,
		     uint32_t tok, struct cdc_err *err)
{
	struct path below = { path, CDC_STR_INIT, 0 };
	uint32_t place;
	int rc;

	if (r->tape->tok[tok].type != CDC_JSON_ARRAY)
		return wrong_shape(path, p->field, err);
	rc = cdc_nested_open_list(p, &place, err);
	for (uint32_t i = cdc_json_first(r->tape, tok); rc == CDC_OK && i != CDC_JSON_NONE;
	     i = cdc_json_after(r->tape, tok, i), below.index++)
		rc = add_value(r, &p->child[0], &below, i, err);
	if (rc == CDC_OK)
		cdc_nested_close_list(p, place);
	return rc;
}

/* The tokens of an entry: a member of an object, or a pair in an array. */
static bool entry_at(const struct cdc_tape *t, bool object, uint32_t i, uint32_t *key,
		     uint32_t *value)
{
	if (!object && (t->tok[i].type != CDC_JSON_ARRAY || t->tok[i].count != 2))
		return false;
	*key = object ? i : i + 1;
	*value = t->tok[*key].next;
	return true;
}

static int add_map(const struct reading *r, struct cdc_nested_part *p, const struct path *path,
		   uint32_t tok, struct cdc_err *err)
{
	bool object = r->tape->tok[tok].type == CDC_JSON_OBJECT;
	struct path below = { path, CDC_STR_INIT, 0 };
	const struct path key_path = { &below, CDC_STR("key"), 0 };
	uint32_t place, key, value;
	int rc;

	if (!object && r->tape->tok[tok].type != CDC_JSON_ARRAY)
		return wrong_shape(path, p->field, err);
	rc = cdc_nested_open_list(p, &place, err);
	for (uint32_t i = cdc_json_first(r->tape, tok); rc == CDC_OK && i != CDC_JSON_NONE;
	     i = cdc_json_after(r->tape, tok, i), below.index++) {
		if (!entry_at(r->tape, object, i, &key, &value))
			return misfit(&below, "an entry of a map is no pair", CDC_STR(""), err);
		rc = add_value(r, &p->child[0], &key_path, key, err);
		if (rc == CDC_OK)
			rc = add_value(r, &p->child[1], &below, value, err);
	}
	if (rc == CDC_OK)
		cdc_nested_close_list(p, place);
	return rc;
}

/* ------------------------------------------------------------------ any value */

/* Value `tok`, CDC_JSON_NONE for one that is missing. Depth is bounded by that of the schema. */
static int add_value(const struct reading *r, struct cdc_nested_part *p, const struct path *path,
		     uint32_t tok, struct cdc_err *err)
{
	if (tok == CDC_JSON_NONE || r->tape->tok[tok].type == CDC_JSON_NULL) {
		if (!p->field->nullable)
			return misfit(path, "it is NOT NULL and the value is null or missing",
				      CDC_STR(""), err);
		return cdc_nested_add_null(p, err);
	}
	if (p->field->type == CDC_TYPE_VARIANT)
		return add_variant(r, p, path, tok, err);
	if (p->field->type == CDC_TYPE_STRUCT)
		return add_struct(r, p, path, tok, err);
	if (p->field->type == CDC_TYPE_ARRAY)
		return add_array(r, p, path, tok, err);
	if (p->field->type == CDC_TYPE_MAP)
		return add_map(r, p, path, tok, err);
	return add_flat(r, p, path, tok, err);
}

int cdc_nested_build_json(struct cdc_nested_build *b, const struct cdc_tape *tape, uint32_t tok,
			  struct cdc_err *err)
{
	const struct path path = { NULL, b->top.field->name, 0 };
	const struct reading r = { b, tape };

	if (b->top.field->type == CDC_TYPE_VARIANT)
		return add_variant(&r, &b->top, &path, tok, err);
	return add_value(&r, &b->top, &path, tok, err);
}
