/*
 * Columns that come, and types that widen, in a table that is there: what --evolve allows of what
 * the source says.
 */
#include "table/merge/target_int.h"

#define SHOWN(s) (int)((s).n > 200 ? 200 : (s).n), (s).p

static bool is_key(const struct cdc_target *t, int field)
{
	for (int i = 0; i < t->key.num_fields; i++)
		if (t->key.field[i] == field)
			return true;
	return false;
}

/* At the end, and nullable: the rows that are there have no value. */
static int add_column(struct target_change *c, bool mapped, const struct cdc_field *wanted,
		      struct cdc_err *err)
{
	struct cdc_field f = *wanted;

	if (!mapped && !cdc_field_names_are_plain(&f, 1))
		return cdc_fail(err, CDC_EUSAGE,
				"column \"%.*s\" cannot be added to a table without column mapping "
				"(--property delta.columnMapping.mode=name)",
				SHOWN(f.name));
	f.nullable = true;
	f.is_partition = false;
	f.has_field_id = false;
	f.physical_name = f.name;
	c->added++;
	return cdc_schema_add(&c->schema, &f, err);
}

static int widen_column(struct target_change *c, struct cdc_field *f,
			const struct cdc_field *wanted, struct cdc_err *err)
{
	char type[CDC_TYPE_NAME_MAX];

	if (f->is_partition)
		return cdc_fail(err, CDC_EUSAGE,
				"column \"%.*s\" became %s, and a partition column cannot be "
				"widened",
				SHOWN(f->name), cdc_type_name(wanted, type));
	c->widened++;
	return cdc_field_widen(&c->schema, f, wanted, err);
}

/* What is no widening is left: the values decide. */
static int plan_column(struct target_change *c, const struct cdc_target *t, bool mapped,
		       const struct cdc_field *wanted, struct cdc_err *err)
{
	int i = cdc_schema_find(&c->schema, wanted->name);
	struct cdc_field *f;
	int rc = CDC_OK;

	if (i < 0)
		return add_column(c, mapped, wanted, err);
	f = &c->schema.field[i];
	if (t->opt->evolve == CDC_EVOLVE_WIDEN && cdc_type_widens(f, wanted))
		rc = widen_column(c, f, wanted, err);
	if (!rc && !f->nullable && wanted->nullable && !is_key(t, i)) {
		f->nullable = true;
		c->relaxed++;
	}
	return rc;
}

static bool is_change(const struct target_change *c)
{
	return c->added || c->widened || c->relaxed;
}

static int plan(struct target_change *c, struct cdc_target *t, const struct cdc_schema *wanted,
		struct cdc_err *err)
{
	bool mapped = cdc_mapped(&t->snapshot->protocol, &t->snapshot->metadata);
	int rc = CDC_OK;

	for (int i = 0; !rc && i < wanted->num_fields; i++)
		rc = plan_column(c, t, mapped, &wanted->field[i], err);
	if (!rc && mapped && c->added)
		rc = change_map_columns(c, t, true, err);
	if (!rc && c->widened)
		rc = change_set(c, CDC_STR("delta.enableTypeWidening"), CDC_STR("true"), err);
	return rc;
}

int cdc_target_evolve(struct cdc_target *t, const struct cdc_record *schema_record, bool apply,
		      bool *changes, struct cdc_err *err)
{
	struct cdc_schema wanted = CDC_SCHEMA_INIT;
	struct target_change c = { .added = 0 };
	int rc = target_columns(t, schema_record, &t->snapshot->schema, &wanted, err);

	*changes = false;
	if (!rc)
		rc = change_begin(&c, t, err);
	if (!rc)
		rc = plan(&c, t, &wanted, err);
	if (!rc)
		*changes = is_change(&c);
	if (!rc && apply && *changes)
		rc = change_apply(&c, t, err);
	change_free(&c);
	cdc_schema_free(&wanted);
	return rc;
}

int target_evolve_to(struct cdc_target *t, const struct cdc_schema *wanted, struct cdc_err *err)
{
	struct target_change c = { .added = 0 };
	int rc = change_begin(&c, t, err);

	if (!rc)
		rc = plan(&c, t, wanted, err);
	if (!rc && is_change(&c))
		rc = change_apply(&c, t, err);
	change_free(&c);
	return rc;
}
