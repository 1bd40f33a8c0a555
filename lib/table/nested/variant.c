/*
 * A walk over shredded variants (VariantShredding.md): a tree of columns that is put together to
 * one value a row. See variant.h.
 *
 * Each place of the tree is a group of "value", in the binary encoding, and "typed_value", a column
 * of a type of its own: flat, an array of such groups, or a struct of such groups, which are
 * members of an object; further members of it are in "value".
 */
#include "table/nested/variant_int.h"

#include <stdlib.h>

/* One place of the tree; what the file does not have is NULL. */
struct place {
	const struct cdc_column *value;
	const struct cdc_column *typed;
};

struct row {
	const struct cdc_variant_sink *sink;
	const struct cdc_variant_names *names;
};

static const struct cdc_column *find_child(const struct cdc_column *c, const char *name)
{
	for (int i = 0; i < c->field->num_children; i++) {
		if (cdc_str_eqz(c->field->child[i].name, name))
			return &c->child[i];
	}
	return NULL;
}

/* The group in a row: what is null there is left out. False: both are, the value is missing. */
static bool place_open(struct place *p, const struct cdc_column *group, uint32_t row)
{
	p->value = find_child(group, "value");
	p->typed = find_child(group, "typed_value");
	if (p->value && cdc_column_is_null(p->value, row))
		p->value = NULL;
	if (p->typed && cdc_column_is_null(p->typed, row))
		p->typed = NULL;
	return !cdc_column_is_null(group, row) && (p->value || p->typed);
}

static int bytes_of(const struct cdc_column *c, uint32_t row, struct cdc_str *out,
		    struct cdc_err *err)
{
	if (c->field->type != CDC_TYPE_BINARY && c->field->type != CDC_TYPE_STRING)
		return cdc_fail(err, CDC_ECORRUPT, "malformed variant: \"%.*s\" is not binary",
				(int)(c->field->name.n > 128 ? 128 : c->field->name.n),
				c->field->name.p);
	*out = ((const struct cdc_str *)c->values)[row];
	return CDC_OK;
}

static int conflict(struct cdc_err *err)
{
	return cdc_fail(err, CDC_ECORRUPT,
			"malformed variant: a value has a shredded one beside it");
}

static int put_group(const struct row *r, const struct cdc_column *group, uint32_t row,
		     struct cdc_err *err);

/* ------------------------------------------------------------------ objects */

struct member {
	struct cdc_str name;
	int at; /* child of the struct */
};

/* The members of an object: shredded ones by name, and those in the binary encoding. */
struct object {
	const struct cdc_column *typed;
	struct member *order; /* NULL: the children are in order as they are */
	struct cdc_variant_object rest;
};

static int by_name(const void *a, const void *b)
{
	const struct member *x = a;
	const struct member *y = b;
	int c = cdc_str_cmp(x->name, y->name);

	return c ? c : (x->at > y->at) - (x->at < y->at);
}

/* Writers sort the names; for those that did not, sort them here. */
static int sort_members(struct object *o, struct cdc_err *err)
{
	const struct cdc_field *f = o->typed->field;
	int n = f->num_children;
	int i = 1;

	while (i < n && cdc_str_cmp(f->child[i - 1].name, f->child[i].name) < 0)
		i++;
	if (i >= n)
		return CDC_OK;
	o->order = calloc((size_t)n, sizeof(*o->order));
	if (!o->order)
		return cdc_fail_nomem(err);
	for (i = 0; i < n; i++)
		o->order[i] = (struct member){ f->child[i].name, i };
	qsort(o->order, (size_t)n, sizeof(*o->order), by_name);
	return CDC_OK;
}

static int member_at(const struct object *o, int i)
{
	return o->order ? o->order[i].at : i;
}

static struct cdc_str member_name(const struct object *o, int i)
{
	return o->typed->field->child[member_at(o, i)].name;
}

static bool is_shredded(const struct object *o, struct cdc_str name)
{
	int low = 0;
	int high = o->typed->field->num_children;

	while (low < high) {
		int mid = low + (high - low) / 2;
		int c = cdc_str_cmp(member_name(o, mid), name);

		if (!c)
			return true;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

static int put_shredded(const struct row *r, struct object *o, int i, uint32_t row,
			struct cdc_err *err)
{
	const struct cdc_column *group = &o->typed->child[member_at(o, i)];
	struct place p;
	int rc;

	if (!place_open(&p, group, row))
		return CDC_OK;
	rc = cdc_variant_tell_member(r->sink, member_name(o, i), err);
	return rc < 0 ? rc : put_group(r, group, row, err);
}

/* Both lists of members are in order: merge them. */
static int put_members(const struct row *r, struct object *o, uint32_t row, struct cdc_err *err)
{
	int n = o->typed->field->num_children;
	struct cdc_str name = CDC_STR_INIT;
	int i = 0;
	int rc = CDC_OK;

	for (uint32_t k = 0; rc == CDC_OK && k < o->rest.n; k++) {
		rc = cdc_variant_object_name(&o->rest, k, &name, err);
		if (rc < 0 || is_shredded(o, name))
			continue;
		while (rc == CDC_OK && i < n && cdc_str_cmp(member_name(o, i), name) < 0)
			rc = put_shredded(r, o, i++, row, err);
		if (rc == CDC_OK)
			rc = cdc_variant_tell_member(r->sink, name, err);
		if (rc == CDC_OK)
			rc = cdc_variant_object_walk(&o->rest, k, r->sink, err);
	}
	while (rc == CDC_OK && i < n)
		rc = put_shredded(r, o, i++, row, err);
	return rc;
}

static int put_object(const struct row *r, const struct place *p, uint32_t row, struct cdc_err *err)
{
	struct object o = { .typed = p->typed };
	struct cdc_str value = CDC_STR_INIT;
	int rc = CDC_OK;

	if (p->value) {
		rc = bytes_of(p->value, row, &value, err);
		if (rc == CDC_OK)
			rc = cdc_variant_object_open(&o.rest, r->names, value, err);
		if (rc == CDC_END)
			rc = conflict(err);
	}
	if (rc == CDC_OK)
		rc = sort_members(&o, err);
	if (rc == CDC_OK)
		rc = cdc_variant_tell_begin(r->sink, true, err);
	if (rc == CDC_OK)
		rc = put_members(r, &o, row, err);
	if (rc == CDC_OK)
		rc = cdc_variant_tell_end(r->sink, true, err);
	free(o.order);
	return rc;
}

/* ------------------------------------------------------------------ any place */

static int put_array(const struct row *r, const struct cdc_column *typed, uint32_t row,
		     struct cdc_err *err)
{
	struct cdc_span span = ((const struct cdc_span *)typed->values)[row];
	int rc = cdc_variant_tell_begin(r->sink, false, err);

	for (uint32_t i = 0; rc == CDC_OK && i < span.n; i++) {
		rc = cdc_variant_tell_element(r->sink, err);
		if (rc == CDC_OK)
			rc = put_group(r, &typed->child[0], span.first + i, err);
	}
	return rc < 0 ? rc : cdc_variant_tell_end(r->sink, false, err);
}

/* Where a value must be, as in an array, a missing one is null. */
static int put_group(const struct row *r, const struct cdc_column *group, uint32_t row,
		     struct cdc_err *err)
{
	struct cdc_str value = CDC_STR_INIT;
	struct place p;
	int rc;

	if (group->field->type != CDC_TYPE_STRUCT && group->field->type != CDC_TYPE_VARIANT)
		return cdc_fail(err, CDC_ECORRUPT,
				"malformed variant: a shredded value is no group");
	if (!place_open(&p, group, row))
		return cdc_variant_tell_null(r->sink, err);
	if (p.typed && p.typed->field->type == CDC_TYPE_STRUCT)
		return put_object(r, &p, row, err);
	if (p.typed && p.value)
		return conflict(err);
	if (p.value) {
		rc = bytes_of(p.value, row, &value, err);
		return rc < 0 ? rc : cdc_variant_value_walk(r->sink, r->names, value, err);
	}
	if (p.typed->field->type == CDC_TYPE_ARRAY)
		return put_array(r, p.typed, row, err);
	if (p.typed->field->type == CDC_TYPE_MAP || p.typed->field->type == CDC_TYPE_VARIANT)
		return cdc_fail(err, CDC_ECORRUPT,
				"malformed variant: it is shredded as a type that no variant has");
	return r->sink->ops->flat(r->sink->ctx, p.typed, row, err);
}

static int metadata_of(const struct cdc_column *c, uint32_t row, struct cdc_str *out,
		       struct cdc_err *err)
{
	const struct cdc_column *metadata = find_child(c, "metadata");

	if (!metadata || cdc_column_is_null(metadata, row))
		return cdc_fail(err, CDC_ECORRUPT, "malformed variant: it has no metadata");
	return bytes_of(metadata, row, out, err);
}

int cdc_variant_walk(const struct cdc_variant_sink *s, const struct cdc_column *c, uint32_t row,
		     struct cdc_err *err)
{
	struct cdc_variant_names names = { 0 };
	const struct row r = { s, &names };
	struct cdc_str bytes = CDC_STR_INIT;
	int rc = metadata_of(c, row, &bytes, err);

	if (rc == CDC_OK)
		rc = cdc_variant_names_open(&names, bytes, err);
	return rc < 0 ? rc : put_group(&r, c, row, err);
}

int cdc_variant_stored(const struct cdc_column *c, uint32_t row, struct cdc_str *metadata,
		       struct cdc_str *value, struct cdc_err *err)
{
	struct place p;

	if (!place_open(&p, c, row) || p.typed)
		return CDC_END;
	if (metadata_of(c, row, metadata, err) || bytes_of(p.value, row, value, err))
		return err->code;
	return CDC_OK;
}
