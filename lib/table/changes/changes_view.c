/*
 * How the rows of a version look: schema, key, and what each record of it repeats.
 */
#include "table/changes/changes_int.h"

#include "base/json.h"

#include <stdlib.h>

/* --key, else the table's cdc.key, else none. */
static int find_key(struct changes_view *v, const struct cdc_changes_options *opt,
		    struct cdc_err *err)
{
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_str *name = NULL;
	int n = 0, rc = CDC_OK;

	if (opt->key) {
		while (opt->key[n])
			n++;
		name = cdc_arena_calloc(&arena, (size_t)n + 1, sizeof(*name));
		if (!name)
			rc = cdc_fail_nomem(err);
		for (int i = 0; !rc && i < n; i++)
			name[i] = cdc_str_z(opt->key[i]);
	} else {
		rc = cdc_key_stored(&v->s->metadata, &tape, &arena, &name, &n, err);
	}
	if (!rc && n)
		rc = cdc_key_init(&v->key, &v->s->schema, name, n, err);
	cdc_tape_free(&tape);
	cdc_arena_free(&arena);
	return rc;
}

static bool in_key(const struct changes_view *v, int field)
{
	for (int i = 0; i < v->key.num_fields; i++)
		if (v->key.field[i] == field)
			return true;
	return false;
}

static int put_column(struct changes_view *v, int i, bool first, struct cdc_err *err)
{
	const struct cdc_field *f = &v->s->schema.field[i];
	struct cdc_buf *b = &v->schema;
	int rc = cdc_buf_puts(b, first ? "{\"name\":" : ",{\"name\":", err);

	if (!rc)
		rc = cdc_json_put_string(b, f->name, err);
	if (!rc)
		rc = cdc_buf_putc(b, ',', err);
	if (!rc)
		rc = cdc_image_text_type(f, b, err);
	if (!rc)
		rc = cdc_buf_puts(b,
				  f->nullable && !in_key(v, i) ? ",\"nullable\":true}"
							       : ",\"nullable\":false}",
				  err);
	return rc;
}

static int make_schema_record(struct changes_view *v, const struct cdc_buf *db_table,
			      struct cdc_err *err)
{
	struct cdc_buf *b = &v->schema;
	bool first = true;
	int rc = cdc_buf_puts(b, "{\"recordType\":\"SCHEMA\"", err);

	if (!rc)
		rc = cdc_buf_put(b, cdc_buf_str(db_table), err);
	if (!rc)
		rc = cdc_buf_puts(b, ",\"columns\":[", err);
	for (int i = 0; !rc && i < v->s->schema.num_fields; i++) {
		if (v->s->schema.field[i].type == CDC_TYPE_VOID)
			continue;
		rc = put_column(v, i, first, err);
		first = false;
	}
	if (!rc)
		rc = cdc_buf_putc(b, ']', err);
	for (int i = 0; !rc && i < v->key.num_fields; i++) {
		rc = cdc_buf_puts(b, i ? "," : ",\"primaryKey\":[", err);
		if (!rc)
			rc = cdc_json_put_string(b, v->s->schema.field[v->key.field[i]].name, err);
	}
	return rc ? rc : cdc_buf_puts(b, v->key.num_fields ? "]}\n" : "}\n", err);
}

/* The view of a snapshot, which becomes its own also when this fails. */
static int make_view(struct changes_view **out, const struct cdc_changes_options *opt,
		     struct cdc_snapshot *s, const struct cdc_buf *db_table, struct cdc_err *err)
{
	struct changes_view *v = calloc(1, sizeof(*v));
	int rc;

	if (!v) {
		cdc_snapshot_free(s);
		return cdc_fail_nomem(err);
	}
	v->s = s;
	v->s->allow_external = opt->allow_external;
	rc = find_key(v, opt, err);
	if (!rc)
		rc = cdc_image_text_init(&v->images, &v->s->schema, err);
	if (!rc)
		rc = cdc_image_text_fields(&v->s->schema, &v->fields, err);
	if (!rc)
		rc = make_schema_record(v, db_table, err);
	if (rc) {
		changes_view_free(v);
		return rc;
	}
	*out = v;
	return CDC_OK;
}

int changes_view_load(struct changes_view **out, const struct cdc_changes_options *opt,
		      int64_t version, const struct cdc_buf *db_table, struct cdc_err *err)
{
	struct cdc_snapshot *s = NULL;
	int rc = cdc_snapshot_load(&s, opt->io, opt->table, version, err);

	return rc ? rc : make_view(out, opt, s, db_table, err);
}

int changes_view_turn(struct changes_view **out, const struct cdc_changes_options *opt,
		      const struct changes_view *before, const struct cdc_commit_actions *a,
		      const struct cdc_buf *db_table, struct cdc_err *err)
{
	struct cdc_snapshot *s = NULL;
	int rc = cdc_snapshot_turn(&s, opt->io, before->s, a, err);

	return rc ? rc : make_view(out, opt, s, db_table, err);
}

void changes_view_free(struct changes_view *v)
{
	if (!v)
		return;
	if (v->has_feed)
		cdc_snapshot_extend_free(&v->feed);
	cdc_buf_free(&v->schema);
	cdc_buf_free(&v->fields);
	cdc_image_text_free(&v->images);
	cdc_key_free(&v->key);
	cdc_snapshot_free(v->s);
	free(v);
}

int changes_view_feed(struct changes_view *v, struct cdc_err *err)
{
	const struct cdc_field type = { .name = CDC_STR("_change_type"),
					.physical_name = CDC_STR("_change_type"),
					.type = CDC_TYPE_STRING,
					.nullable = true,
					.metadata = CDC_STR("{}") };
	int rc;

	if (v->has_feed)
		return CDC_OK;
	rc = cdc_snapshot_extend(&v->feed, v->s, &type, 1, err);
	v->has_feed = !rc;
	return rc;
}

static bool same_type(const struct cdc_field *a, const struct cdc_field *b)
{
	return a->type == b->type && a->precision == b->precision && a->scale == b->scale &&
	       a->is_partition == b->is_partition && cdc_str_eq(a->type_json, b->type_json);
}

bool changes_view_reads(const struct changes_view *now, const struct changes_view *old)
{
	const struct cdc_schema *n = &now->s->schema, *o = &old->s->schema;

	int next = 0; /* mostly the columns are in the same order */

	for (int i = 0; i < o->num_fields; i++) {
		bool found = false;

		for (int k = 0; !found && k < n->num_fields; k++, next++) {
			const struct cdc_field *f = &n->field[next % n->num_fields];

			found = cdc_str_eq(o->field[i].physical_name, f->physical_name) &&
				same_type(&o->field[i], f);
		}
		if (!found)
			return false;
		next %= n->num_fields;
	}
	return true;
}
