/*
 * A new metaData for a table: made beside its snapshot, then put there with the protocol that it
 * needs. See target_int.h.
 */
#include "table/merge/target_int.h"

#include "base/value.h"

#define MORE_CONFIG 8 /* keys that come beside those of --property */

/* ------------------------------------------------------------------ properties */

static int find(const struct target_change *c, struct cdc_str key)
{
	for (int i = 0; i < c->num_config; i++)
		if (cdc_str_eq(c->config[i].key, key))
			return i;
	return -1;
}

bool change_get(const struct target_change *c, const char *key, struct cdc_str *value)
{
	int i = find(c, cdc_str_z(key));

	if (i < 0 || !c->config[i].value.p)
		return false;
	*value = c->config[i].value;
	return true;
}

bool change_is(const struct target_change *c, const char *key, const char *value)
{
	struct cdc_str v;

	return change_get(c, key, &v) && cdc_str_ieq(v, cdc_str_z(value));
}

int change_set(struct target_change *c, struct cdc_str key, struct cdc_str value,
	       struct cdc_err *err)
{
	struct cdc_arena *a = &c->arena;
	int i = find(c, key);

	if (i < 0) {
		if (c->num_config == c->cap_config)
			return cdc_fail(err, CDC_EINTERNAL, "no room for one more property");
		i = c->num_config++;
		c->config[i].key = cdc_str(cdc_arena_dup(a, key.p, key.n), key.n);
	}
	c->config[i].value = cdc_str(cdc_arena_dup(a, value.p, value.n), value.n);
	return c->config[i].key.p && c->config[i].value.p ? CDC_OK : cdc_fail_nomem(err);
}

void change_unset(struct target_change *c, const char *key)
{
	int i = find(c, cdc_str_z(key));

	if (i >= 0)
		c->config[i] = c->config[--c->num_config];
}

/* ------------------------------------------------------------------ a change */

static int begin_config(struct target_change *c, const struct cdc_target *t, struct cdc_err *err)
{
	const struct cdc_metadata *m = &t->snapshot->metadata;
	size_t n = 0;

	while (t->opt->property && t->opt->property[n])
		n++;
	n += (size_t)m->num_config + MORE_CONFIG;
	c->cap_config = (int)n;
	c->num_config = m->num_config;
	c->config = cdc_arena_calloc(&c->arena, n, sizeof(*c->config));
	if (!c->config)
		return cdc_fail_nomem(err);
	if (m->num_config)
		memcpy(c->config, m->config, (size_t)m->num_config * sizeof(*c->config));
	return CDC_OK;
}

/*
 * A column mapping that the protocol does not have is none, and the columns have no ids: it must
 * not come into force because the protocol is raised for something else.
 */
static int drop_idle_mapping(struct target_change *c, const struct cdc_snapshot *s,
			     struct cdc_err *err)
{
	struct cdc_str mode;

	if (cdc_mapped(&s->protocol, &s->metadata) ||
	    !change_get(c, "delta.columnMapping.mode", &mode))
		return CDC_OK;
	return change_set(c, CDC_STR("delta.columnMapping.mode"), CDC_STR("none"), err);
}

int change_begin(struct target_change *c, struct cdc_target *t, struct cdc_err *err)
{
	int rc;

	*c = (struct target_change){ .num_config = 0 };
	rc = begin_config(c, t, err);
	if (!rc)
		rc = drop_idle_mapping(c, t->snapshot, err);
	return rc ? rc : cdc_schema_copy(&c->schema, &t->snapshot->schema, err);
}

void change_free(struct target_change *c)
{
	cdc_schema_free(&c->schema);
	cdc_arena_free(&c->arena);
}

int change_map_columns(struct target_change *c, struct cdc_target *t, bool new_names,
		       struct cdc_err *err)
{
	struct cdc_str text;
	char number[CDC_VALUE_TEXT_MAX];
	int64_t max = 0;
	int rc;

	if (change_get(c, "delta.columnMapping.maxColumnId", &text) &&
	    (cdc_int64_parse(text, &max) != CDC_PARSE_OK || max < 0))
		return cdc_fail(err, CDC_ECORRUPT,
				"table property delta.columnMapping.maxColumnId is no number");
	rc = cdc_schema_map(&c->schema, t->io, new_names, &max, err);
	if (rc)
		return rc;
	return change_set(c, CDC_STR("delta.columnMapping.maxColumnId"),
			  cdc_str(number, cdc_int64_format(max, number)), err);
}

int change_track_rows(struct target_change *c, struct cdc_target *t, struct cdc_err *err)
{
	static const struct {
		struct cdc_str key;
		const char *prefix;
	} column[] = {
		{ CDC_STR("delta.rowTracking.materializedRowIdColumnName"), "_row-id-col-" },
		{ CDC_STR("delta.rowTracking.materializedRowCommitVersionColumnName"),
		  "_row-commit-version-col-" },
	};
	struct cdc_buf name = CDC_BUF_INIT;
	char uuid[37];
	int rc = CDC_OK;

	if (!change_is(c, "delta.enableRowTracking", "true"))
		return CDC_OK;
	for (size_t i = 0; !rc && i < sizeof(column) / sizeof(column[0]); i++) {
		if (find(c, column[i].key) >= 0)
			continue;
		cdc_buf_reset(&name);
		rc = cdc_io_uuid(t->io, uuid, NULL, err);
		if (!rc)
			rc = cdc_buf_printf(&name, err, "%s%s", column[i].prefix, uuid);
		if (!rc)
			rc = change_set(c, column[i].key, cdc_buf_str(&name), err);
	}
	cdc_buf_free(&name);
	return rc;
}

/* ------------------------------------------------------------------ into the snapshot */

static struct cdc_str keep(struct cdc_arena *a, struct cdc_str s)
{
	return s.p ? cdc_str(cdc_arena_dup(a, s.p, s.n), s.n) : s;
}

/* The new schema and properties, in memory of the snapshot. */
static int make_metadata(const struct target_change *c, struct cdc_snapshot *s,
			 struct cdc_metadata *m, struct cdc_err *err)
{
	struct cdc_buf json = CDC_BUF_INIT;
	int rc = cdc_schema_to_json(&c->schema, &json, err);

	m->config = cdc_arena_calloc(&s->arena, (size_t)c->num_config + 1, sizeof(*m->config));
	m->num_config = c->num_config;
	if (!rc)
		m->schema_json = keep(&s->arena, cdc_buf_str(&json));
	if (!rc && (!m->config || !m->schema_json.p))
		rc = cdc_fail_nomem(err);
	for (int i = 0; !rc && i < c->num_config; i++) {
		m->config[i].key = keep(&s->arena, c->config[i].key);
		m->config[i].value = keep(&s->arena, c->config[i].value);
		if (!m->config[i].key.p || (c->config[i].value.p && !m->config[i].value.p))
			rc = cdc_fail_nomem(err);
	}
	cdc_buf_free(&json);
	return rc;
}

int change_apply(struct target_change *c, struct cdc_target *t, struct cdc_err *err)
{
	struct cdc_snapshot *s = t->snapshot;
	struct cdc_metadata m = s->metadata;
	struct cdc_protocol p;
	bool raised;
	int rc = make_metadata(c, s, &m, err);

	if (!rc)
		rc = cdc_protocol_upgrade(&s->protocol, &m, &c->schema, &s->arena, &p, &raised,
					  err);
	if (!rc && s->num_adds && cdc_protocol_has_feature(&p, "rowTracking") &&
	    !cdc_protocol_has_feature(&s->protocol, "rowTracking"))
		rc = cdc_fail(err, CDC_EUNSUPPORTED,
			      "delta.enableRowTracking=true: the rows of %s have no ids", t->path);
	if (!rc)
		rc = cdc_snapshot_revise(s, &m, &p, err);
	if (!rc) {
		t->pending = true;
		t->raised = t->raised || raised;
		t->columns.added += c->added;
		t->columns.widened += c->widened;
		t->columns.relaxed += c->relaxed;
	}
	return rc;
}
