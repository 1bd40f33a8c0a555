/*
 * The draft of a new table: its columns, settings and protocol. Nothing is on disk yet.
 */
#include "table/merge/target_int.h"

#include <stdlib.h>

static struct cdc_str keep(struct cdc_arena *a, struct cdc_str s)
{
	return cdc_str(cdc_arena_dup(a, s.p, s.n), s.n);
}

/* The key as a JSON array of names: cdc.key. */
static int add_key_config(struct target_change *c, struct cdc_target *t, struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	int rc = cdc_buf_putc(&b, '[', err);

	for (int i = 0; !rc && i < t->key.num_fields; i++) {
		if (i)
			rc = cdc_buf_putc(&b, ',', err);
		if (!rc)
			rc = cdc_json_put_string(&b, c->schema.field[t->key.field[i]].name, err);
	}
	if (!rc)
		rc = cdc_buf_putc(&b, ']', err);
	if (!rc)
		rc = change_set(c, CDC_STR("cdc.key"), cdc_buf_str(&b), err);
	cdc_buf_free(&b);
	return rc;
}

/* The database table that the rows come from: cdc.source. */
static int add_source_config(struct target_change *c, struct cdc_target *t,
			     const struct cdc_record *rec, struct cdc_err *err)
{
	char *name;

	if (!rec || !rec->db_table.n)
		return CDC_OK;
	name = cdc_arena_alloc(&t->snapshot->arena, rec->db_table.n);
	if (!name)
		return cdc_fail_nomem(err);
	return change_set(c, CDC_STR("cdc.source"),
			  cdc_str(name, cdc_json_unescape(rec->db_table, name)), err);
}

/* Column mapping when it is asked for, or when a name cannot do without. A point is legal, but
 * readers take it for the way into a struct. */
static bool wants_mapping(const struct target_change *c)
{
	for (int i = 0; i < c->schema.num_fields; i++)
		if (memchr(c->schema.field[i].name.p, '.', c->schema.field[i].name.n))
			return true;
	return !cdc_field_names_are_plain(c->schema.field, c->schema.num_fields);
}

static int fill_mapping(struct target_change *c, struct cdc_target *t, struct cdc_err *err)
{
	struct cdc_str mode;
	int rc = CDC_OK;

	if (!change_get(c, "delta.columnMapping.mode", &mode)) {
		if (!wants_mapping(c))
			return CDC_OK;
		mode = CDC_STR("name");
		rc = change_set(c, CDC_STR("delta.columnMapping.mode"), mode, err);
	}
	if (!rc && !cdc_str_ieq(mode, CDC_STR("none")))
		return change_map_columns(c, t, true, err);
	for (int i = 0; !rc && i < c->schema.num_fields; i++) {
		struct cdc_str name = c->schema.field[i].name;

		if (!cdc_field_names_are_plain(&c->schema.field[i], 1))
			rc = cdc_fail(err, CDC_EUSAGE,
				      "column \"%.*s\" needs delta.columnMapping.mode=name",
				      (int)(name.n > 200 ? 200 : name.n), name.p);
	}
	return rc;
}

static int fill_config(struct target_change *c, struct cdc_target *t, const struct cdc_record *rec,
		       struct cdc_err *err)
{
	const char *const *p = t->opt->property;
	int rc = CDC_OK;

	for (size_t i = 0; !rc && p && p[i]; i++) {
		struct cdc_str key, value;

		rc = target_property(t, i, &key, &value, err);
		if (!rc)
			rc = change_set(c, key, value, err);
	}
	if (!rc && t->opt->mode == CDC_MERGE_DV)
		rc = change_set(c, CDC_STR("delta.enableDeletionVectors"), CDC_STR("true"), err);
	if (!rc)
		rc = change_track_rows(c, t, err);
	if (!rc)
		rc = fill_mapping(c, t, err);
	if (!rc)
		rc = add_key_config(c, t, err);
	return rc ? rc : add_source_config(c, t, rec, err);
}

static int fill_partitions(struct cdc_target *t, struct cdc_snapshot *s, struct cdc_err *err)
{
	const char *const *p = t->opt->partition_by;
	char type[CDC_TYPE_NAME_MAX];
	int n = 0;

	while (p && p[n])
		n++;
	s->metadata.partition_column =
		cdc_arena_calloc(&s->arena, (size_t)n + 1, sizeof(*s->metadata.partition_column));
	if (!s->metadata.partition_column)
		return cdc_fail_nomem(err);
	for (int i = 0; i < n; i++) {
		int f = cdc_schema_find(&s->schema, cdc_str_z(p[i]));

		if (f < 0)
			return cdc_fail(err, CDC_EUSAGE, "--partition-by %s: no such column", p[i]);
		if (s->schema.field[f].is_partition)
			return cdc_fail(err, CDC_EUSAGE, "--partition-by %s: named twice", p[i]);
		if (!cdc_type_is_primitive(s->schema.field[f].type))
			return cdc_fail(err, CDC_EUSAGE,
					"--partition-by %s: a column of type %s cannot be one",
					p[i], cdc_type_name(&s->schema.field[f], type));
		s->schema.field[f].is_partition = true;
		s->metadata.partition_column[i] = keep(&s->arena, s->schema.field[f].name);
		if (!s->metadata.partition_column[i].p)
			return cdc_fail_nomem(err);
	}
	if (n && n == s->schema.num_fields)
		return cdc_fail(err, CDC_EUSAGE, "every column is a partition column");
	s->metadata.num_partition_columns = n;
	return CDC_OK;
}

/* What there is before the settings: an identity, and the least protocol. */
static int fill_identity(struct cdc_target *t, struct cdc_snapshot *s, struct cdc_err *err)
{
	char uuid[37];
	int rc = cdc_io_uuid(t->io, uuid, NULL, err);

	if (rc)
		return rc;
	s->protocol = (struct cdc_protocol){ .reader_version = 1, .writer_version = 2 };
	s->metadata.id = keep(&s->arena, cdc_str_z(uuid));
	s->metadata.has_created_time = true;
	s->metadata.created_time_ms = t->io->now_us(t->io->ctx) / 1000;
	return s->metadata.id.p ? fill_partitions(t, s, err) : cdc_fail_nomem(err);
}

/* What no data file can hold is no table to create. */
static int check_types(const struct cdc_schema *s, struct cdc_err *err)
{
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_pq_schema file;
	int rc = cdc_schema_to_parquet(s, &file, &arena, err);

	cdc_arena_free(&arena);
	return rc;
}

static int fill(struct cdc_target *t, const struct cdc_record *rec, struct cdc_err *err)
{
	struct cdc_snapshot *s = t->snapshot;
	struct target_change c = { .added = 0 };
	int rc = target_columns(t, rec, NULL, &s->schema, err);

	if (!rc && !s->schema.num_fields)
		rc = cdc_fail(err, CDC_EUSAGE,
			      "%s is no table yet, and nothing tells its columns: use --schema",
			      t->path);
	if (!rc)
		rc = target_find_key(t, s, rec, err);
	if (!rc)
		rc = fill_identity(t, s, err);
	if (!rc)
		rc = check_types(&s->schema, err);
	if (!rc)
		rc = change_begin(&c, t, err);
	if (!rc)
		rc = fill_config(&c, t, rec, err);
	if (!rc)
		rc = change_apply(&c, t, err);
	/* The command line asked for it, and no table is there that could be at fault. */
	if (rc == CDC_EUNSUPPORTED)
		rc = err->code = CDC_EUSAGE;
	change_free(&c);
	return rc;
}

int target_draft(struct cdc_target *t, const struct cdc_record *rec, struct cdc_err *err)
{
	struct cdc_snapshot *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return cdc_fail_nomem(err);
	s->version = -1;
	s->checkpoint_version = -1;
	s->table = strdup(t->path);
	t->snapshot = s;
	rc = s->table ? fill(t, rec, err) : cdc_fail_nomem(err);
	cdc_target_committed(t);
	if (rc) {
		cdc_snapshot_free(s);
		t->snapshot = NULL;
		return rc;
	}
	t->creating = true;
	return CDC_OK;
}
