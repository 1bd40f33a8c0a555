/*
 * Table features (spec section 5): what a reader must know, what a writer must honour, and which of
 * them a table really uses.
 */
#include "delta/log_int.h"

#define READER_VERSION_MAX 3
#define WRITER_VERSION_MAX 7
#define SHOWN(s) (int)((s).n > 200 ? 200 : (s).n), (s).p

/* What writing to a table with the feature takes. */
enum duty {
	HONOURED, /* nothing that we do not do */
	IF_UNUSED, /* fine while nothing in the metadata uses it */
	REFUSED
};

struct feature {
	const char *name;
	int reader_version; /* legacy version that implies it; 0: writer only or by list only */
	int writer_version; /* legacy version that implies it; 0: by list only */
	bool readable; /* in readerFeatures we know it */
	enum duty duty;
	/* What a table uses it by, if IF_UNUSED: */
	const char *config; /* key, or prefix that ends in a dot */
	const char *column_key; /* key, or prefix that ends in a dot, of column metadata */
	bool variant; /* columns of that type */
};

#define BY_CONFIG(key) IF_UNUSED, .config = (key)
#define BY_COLUMN(key) IF_UNUSED, .column_key = (key)
#define BY_VARIANT IF_UNUSED, .variant = true

static const struct feature features[] = {
	{ "appendOnly", 0, 2, false, .duty = HONOURED },
	{ "invariants", 0, 2, false, BY_COLUMN("delta.invariants") },
	{ "checkConstraints", 0, 3, false, BY_CONFIG("delta.constraints.") },
	{ "changeDataFeed", 0, 4, false, .duty = HONOURED },
	{ "generatedColumns", 0, 4, false, BY_COLUMN("delta.generationExpression") },
	{ "columnMapping", 2, 5, true, BY_CONFIG("delta.columnMapping.mode") },
	{ "identityColumns", 0, 6, false, BY_COLUMN("delta.identity.") },
	{ "deletionVectors", 0, 0, true, .duty = HONOURED },
	{ "timestampNtz", 0, 0, true, .duty = HONOURED },
	{ "v2Checkpoint", 0, 0, true, .duty = HONOURED },
	{ "vacuumProtocolCheck", 0, 0, true, .duty = HONOURED },
	/* Old files have the old types; what we write has the new ones, but merging them is not
	 * done. */
	{ "typeWidening", 0, 0, true, BY_COLUMN("delta.typeChanges") },
	{ "typeWidening-preview", 0, 0, true, BY_COLUMN("delta.typeChanges") },
	{ "variantType", 0, 0, true, BY_VARIANT },
	{ "variantType-preview", 0, 0, true, BY_VARIANT },
	{ "variantShredding", 0, 0, true, BY_VARIANT },
	{ "variantShredding-preview", 0, 0, true, BY_VARIANT },
	{ "domainMetadata", 0, 0, false, .duty = HONOURED },
	{ "inCommitTimestamp", 0, 0, false, .duty = HONOURED },
	/* Rows are always given whole, so a default is never asked for. */
	{ "allowColumnDefaults", 0, 0, false, .duty = HONOURED },
	{ "icebergCompatV1", 0, 0, false, BY_CONFIG("delta.enableIcebergCompatV1") },
	{ "icebergCompatV2", 0, 0, false, BY_CONFIG("delta.enableIcebergCompatV2") },
	{ "icebergCompatV3", 0, 0, false, BY_CONFIG("delta.enableIcebergCompatV3") },
	{ "rowTracking", 0, 0, false, .duty = HONOURED },
	{ "clustering", 0, 0, false, .duty = HONOURED },
};

#define NUM_FEATURES (sizeof(features) / sizeof(features[0]))

static const struct feature *find(struct cdc_str name)
{
	for (size_t i = 0; i < NUM_FEATURES; i++) {
		if (cdc_str_eqz(name, features[i].name))
			return &features[i];
	}
	return NULL;
}

static bool listed(const struct cdc_str *list, int n, const char *name)
{
	for (int i = 0; i < n; i++) {
		if (cdc_str_eqz(list[i], name))
			return true;
	}
	return false;
}

static bool writer_supports(const struct cdc_protocol *p, const struct feature *f)
{
	if (p->writer_version >= WRITER_VERSION_MAX)
		return listed(p->writer_feature, p->num_writer_features, f->name);
	return f->writer_version && f->writer_version <= p->writer_version;
}

bool cdc_protocol_has_feature(const struct cdc_protocol *p, const char *feature)
{
	const struct feature *f = find(cdc_str_z(feature));

	if (listed(p->reader_feature, p->num_reader_features, feature) ||
	    listed(p->writer_feature, p->num_writer_features, feature))
		return true;
	return f && writer_supports(p, f);
}

/* What a catalog has ratified may not be in the log yet, and what is there may not count. */
static bool is_catalog_feature(struct cdc_str name)
{
	static const char *const names[] = { "catalogManaged", "catalogOwned",
					     "catalogOwned-preview" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (cdc_str_eqz(name, names[i]))
			return true;
	}
	return false;
}

int cdc_protocol_check_readable(const struct cdc_protocol *p, struct cdc_err *err)
{
	if (p->reader_version > READER_VERSION_MAX)
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"table needs reader version %d, and this program knows %d",
				p->reader_version, READER_VERSION_MAX);
	for (int i = 0; i < p->num_reader_features; i++) {
		const struct feature *f = find(p->reader_feature[i]);

		if (f && f->readable)
			continue;
		if (is_catalog_feature(p->reader_feature[i]))
			return cdc_fail(err, CDC_EUNSUPPORTED,
					"table is managed by a catalog (reader feature %.*s): its "
					"directory does not tell which commits count",
					SHOWN(p->reader_feature[i]));
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"table needs reader feature %.*s, which this program does not know",
				SHOWN(p->reader_feature[i]));
	}
	return CDC_OK;
}

/* Where the protocol has no column mapping the property means nothing: delta-rs leaves it so, and
 * its files have the names of the schema. */
static struct cdc_str mapping_mode(const struct cdc_protocol *p, const struct cdc_metadata *m)
{
	struct cdc_str mode = CDC_STR("none");

	if (p->reader_version == 2 || cdc_protocol_has_feature(p, "columnMapping"))
		(void)cdc_metadata_config(m, "delta.columnMapping.mode", &mode);
	return mode;
}

bool cdc_mapped_by_id(const struct cdc_protocol *p, const struct cdc_metadata *m)
{
	return cdc_str_ieq(mapping_mode(p, m), CDC_STR("id"));
}

int cdc_metadata_check_mapping(const struct cdc_protocol *p, const struct cdc_metadata *m,
			       bool *mapped, struct cdc_err *err)
{
	struct cdc_str mode = mapping_mode(p, m);

	if (!cdc_str_ieq(mode, CDC_STR("none")) && !cdc_str_ieq(mode, CDC_STR("name")) &&
	    !cdc_str_ieq(mode, CDC_STR("id")))
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"table has the column mapping mode \"%.*s\", which this program "
				"does not know",
				SHOWN(mode));
	*mapped = !cdc_str_ieq(mode, CDC_STR("none"));
	return CDC_OK;
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

static bool config_uses(const struct cdc_metadata *m, const char *pattern)
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

static bool has_variant(const struct cdc_field *f, int n)
{
	for (int i = 0; i < n; i++) {
		if (f[i].type == CDC_TYPE_VARIANT || has_variant(f[i].child, f[i].num_children))
			return true;
	}
	return false;
}

static int check_feature(const struct cdc_snapshot *s, const struct feature *f, struct cdc_err *err)
{
	bool uses = f->duty == REFUSED;
	int rc = CDC_OK;

	if (f->duty == IF_UNUSED && f->config)
		uses = config_uses(&s->metadata, f->config);
	if (f->duty == IF_UNUSED && f->column_key)
		rc = columns_use(&s->metadata, f->column_key, &uses, err);
	if (f->duty == IF_UNUSED && f->variant)
		uses = has_variant(s->schema.field, s->schema.num_fields);
	if (!rc && uses)
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"table uses writer feature %s, which this program cannot honour",
				f->name);
	return rc;
}

static int check_listed(const struct cdc_str *list, int n, struct cdc_err *err)
{
	for (int i = 0; i < n; i++) {
		if (!find(list[i]))
			return cdc_fail(err, CDC_EUNSUPPORTED,
					"table needs writer feature %.*s, which this program does "
					"not know",
					SHOWN(list[i]));
	}
	return CDC_OK;
}

int cdc_snapshot_check_writable(const struct cdc_snapshot *s, struct cdc_err *err)
{
	const struct cdc_protocol *p = &s->protocol;
	int rc;

	if (p->writer_version > WRITER_VERSION_MAX)
		return cdc_fail(err, CDC_EUNSUPPORTED, "table needs writer version %d",
				p->writer_version);
	if (p->writer_list_missing)
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"table has writer version 7 and no list of writer features");
	rc = check_listed(p->reader_feature, p->num_reader_features, err);
	if (!rc)
		rc = check_listed(p->writer_feature, p->num_writer_features, err);
	for (size_t i = 0; !rc && i < NUM_FEATURES; i++) {
		if (writer_supports(p, &features[i]))
			rc = check_feature(s, &features[i], err);
	}
	if (rc)
		return rc;
	/* The next in-commit timestamp must exceed this version's, which then must be known. */
	if (cdc_protocol_has_feature(p, "inCommitTimestamp") &&
	    config_uses(&s->metadata, "delta.enableInCommitTimestamps") &&
	    !s->has_in_commit_timestamp)
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"table has in-commit timestamps, but version %lld has none",
				(long long)s->version);
	return CDC_OK;
}
