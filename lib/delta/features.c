/*
 * The table features that we know, and what makes a table use them (spec section 5).
 */
#include "delta/features.h"

#include "base/json.h"

#define BY_CONFIG(key) .config = (key)
#define BY_VALUE(key, value) .config = (key), .config_value = (value)
#define BY_COLUMN(key) .column_key = (key)
#define BY_TYPE(t) .by_type = true, .type = (t)
#define HONOURED .duty = CDC_DUTY_HONOURED
#define IF_UNUSED .duty = CDC_DUTY_IF_UNUSED
#define PASSIVE .passive = true

const struct cdc_feature cdc_feature[] = {
	{ "appendOnly", 0, 2, false, HONOURED, BY_CONFIG("delta.appendOnly") },
	/* Spark counts NOT NULL among the invariants, and refuses it where they are not listed. */
	{ "invariants", 0, 2, false, HONOURED, BY_COLUMN("delta.invariants"), .by_not_null = true },
	{ "checkConstraints", 0, 3, false, HONOURED, BY_CONFIG("delta.constraints.") },
	{ "changeDataFeed", 0, 4, false, HONOURED, BY_CONFIG("delta.enableChangeDataFeed") },
	{ "generatedColumns", 0, 4, false, HONOURED, BY_COLUMN("delta.generationExpression") },
	{ "columnMapping", 2, 5, true, HONOURED, BY_CONFIG("delta.columnMapping.mode") },
	{ "identityColumns", 0, 6, false, HONOURED, BY_COLUMN("delta.identity.") },
	{ "deletionVectors", 0, 0, true, HONOURED, BY_CONFIG("delta.enableDeletionVectors") },
	{ "timestampNtz", 0, 0, true, HONOURED, BY_TYPE(CDC_TYPE_TIMESTAMP_NTZ) },
	{ "v2Checkpoint", 0, 0, true, HONOURED, BY_VALUE("delta.checkpointPolicy", "v2") },
	{ "vacuumProtocolCheck", 0, 0, true, HONOURED, PASSIVE },
	/* Old files have the old types and are read as the new ones; what is written has those. */
	{ "typeWidening", 0, 0, true, HONOURED, BY_CONFIG("delta.enableTypeWidening"),
	  BY_COLUMN("delta.typeChanges") },
	{ "typeWidening-preview", 0, 0, true, HONOURED, PASSIVE },
	{ "variantType", 0, 0, true, HONOURED, BY_TYPE(CDC_TYPE_VARIANT) },
	{ "variantType-preview", 0, 0, true, HONOURED, BY_TYPE(CDC_TYPE_VARIANT), PASSIVE },
	{ "variantShredding", 0, 0, true, HONOURED, BY_TYPE(CDC_TYPE_VARIANT), PASSIVE },
	{ "variantShredding-preview", 0, 0, true, HONOURED, BY_TYPE(CDC_TYPE_VARIANT), PASSIVE },
	{ "domainMetadata", 0, 0, false, HONOURED, PASSIVE },
	{ "inCommitTimestamp", 0, 0, false, HONOURED, BY_CONFIG("delta.enableInCommitTimestamps") },
	{ "allowColumnDefaults", 0, 0, false, HONOURED, BY_COLUMN("CURRENT_DEFAULT") },
	{ "icebergCompatV1", 0, 0, false, IF_UNUSED, BY_CONFIG("delta.enableIcebergCompatV1"),
	  .needs = "columnMapping" },
	{ "icebergCompatV2", 0, 0, false, IF_UNUSED, BY_CONFIG("delta.enableIcebergCompatV2"),
	  .needs = "columnMapping" },
	{ "icebergCompatV3", 0, 0, false, IF_UNUSED, BY_CONFIG("delta.enableIcebergCompatV3"),
	  .needs = "columnMapping" },
	{ "rowTracking", 0, 0, false, HONOURED, BY_CONFIG("delta.enableRowTracking"),
	  .needs = "domainMetadata" },
	/* Its columns are told by a domain. */
	{ "clustering", 0, 0, false, HONOURED, PASSIVE, .needs = "domainMetadata" },
};

const size_t cdc_num_features = sizeof(cdc_feature) / sizeof(cdc_feature[0]);

const struct cdc_feature *cdc_feature_find(struct cdc_str name)
{
	for (size_t i = 0; i < cdc_num_features; i++) {
		if (cdc_str_eqz(name, cdc_feature[i].name))
			return &cdc_feature[i];
	}
	return NULL;
}

bool cdc_feature_listed(const struct cdc_str *list, int n, const char *name)
{
	for (int i = 0; i < n; i++) {
		if (cdc_str_eqz(list[i], name))
			return true;
	}
	return false;
}

bool cdc_feature_supported(const struct cdc_protocol *p, const struct cdc_feature *f)
{
	if (p->writer_version >= CDC_WRITER_VERSION_MAX)
		return cdc_feature_listed(p->writer_feature, p->num_writer_features, f->name);
	return f->writer_version && f->writer_version <= p->writer_version;
}

/* ------------------------------------------------------------------ use */

/* `pattern` is a whole key, or a prefix when it ends in a dot. */
static bool key_matches(struct cdc_str key, const char *pattern)
{
	size_t n = strlen(pattern);

	if (pattern[n - 1] == '.')
		return key.n > n && memcmp(key.p, pattern, n) == 0;
	return cdc_str_eqz(key, pattern);
}

/* A setting that is off: "false", and for the column mapping "none". */
static bool value_is_off(struct cdc_str v)
{
	return cdc_str_ieq(v, CDC_STR("false")) || cdc_str_ieq(v, CDC_STR("none"));
}

bool cdc_config_uses(const struct cdc_metadata *m, const char *pattern)
{
	bool prefix = pattern[strlen(pattern) - 1] == '.';

	for (int i = 0; i < m->num_config; i++) {
		if (m->config[i].value.p && key_matches(m->config[i].key, pattern) &&
		    (prefix || !value_is_off(m->config[i].value)))
			return true;
	}
	return false;
}

/* Whether a schema has the key in a "metadata" object, at any depth. */
static int tree_uses(const struct cdc_tape *t, uint32_t value, bool in_metadata,
		     const char *pattern, struct cdc_arena *a, bool *uses, struct cdc_err *err)
{
	bool object = t->tok[value].type == CDC_JSON_OBJECT;

	if (!object && t->tok[value].type != CDC_JSON_ARRAY)
		return CDC_OK;
	for (uint32_t i = cdc_json_first(t, value); i != CDC_JSON_NONE && !*uses;
	     i = cdc_json_after(t, value, i)) {
		struct cdc_str key = CDC_STR_INIT;
		int rc = object ? cdc_json_string(t, i, a, &key, err) : CDC_OK;

		if (rc)
			return rc;
		if (object && in_metadata && key_matches(key, pattern))
			*uses = true;
		rc = tree_uses(t, object ? i + 1 : i, object && cdc_str_eqz(key, "metadata"),
			       pattern, a, uses, err);
		if (rc)
			return rc;
	}
	return CDC_OK;
}

static int columns_use(const struct cdc_metadata *m, const char *pattern, bool *uses,
		       struct cdc_err *err)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_arena arena = CDC_ARENA_INIT;
	int rc = cdc_json_scan(&tape, m->schema_json, NULL, err);

	if (!rc)
		rc = tree_uses(&tape, 0, false, pattern, &arena, uses, err);
	cdc_arena_free(&arena);
	cdc_tape_free(&tape);
	return rc;
}

static bool has_type(const struct cdc_field *f, int n, enum cdc_type type)
{
	for (int i = 0; i < n; i++) {
		if (f[i].type == type || has_type(f[i].child, f[i].num_children, type))
			return true;
	}
	return false;
}

int cdc_feature_used(const struct cdc_feature *f, const struct cdc_metadata *m,
		     const struct cdc_schema *schema, bool *uses, struct cdc_err *err)
{
	struct cdc_str v;

	*uses = false;
	if (f->config && f->config_value)
		*uses = cdc_metadata_config(m, f->config, &v) &&
			cdc_str_ieq(v, cdc_str_z(f->config_value));
	else if (f->config)
		*uses = cdc_config_uses(m, f->config);
	if (!*uses && f->by_type)
		*uses = has_type(schema->field, schema->num_fields, f->type);
	return *uses || !f->column_key ? CDC_OK : columns_use(m, f->column_key, uses, err);
}
