/*
 * Table features (spec section 5): what a reader must know, what a writer must honour, and which of
 * them a table really uses.
 */
#include "delta/log_int.h"

#define READER_VERSION_MAX 3
#define WRITER_VERSION_MAX 7

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
	const char *config; /* IF_UNUSED: key, or prefix that ends in a dot */
	const char
		*column_key; /* IF_UNUSED: key, or prefix that ends in a dot, of column metadata */
};

static const struct feature features[] = {
	{ "appendOnly", 0, 2, false, HONOURED, NULL, NULL },
	{ "invariants", 0, 2, false, IF_UNUSED, NULL, "delta.invariants" },
	{ "checkConstraints", 0, 3, false, IF_UNUSED, "delta.constraints.", NULL },
	{ "changeDataFeed", 0, 4, false, IF_UNUSED, "delta.enableChangeDataFeed", NULL },
	{ "generatedColumns", 0, 4, false, IF_UNUSED, NULL, "delta.generationExpression" },
	{ "columnMapping", 2, 5, true, IF_UNUSED, "delta.columnMapping.mode", NULL },
	{ "identityColumns", 0, 6, false, IF_UNUSED, NULL, "delta.identity." },
	{ "deletionVectors", 0, 0, true, HONOURED, NULL, NULL },
	{ "timestampNtz", 0, 0, true, HONOURED, NULL, NULL },
	{ "v2Checkpoint", 0, 0, true, HONOURED, NULL, NULL },
	{ "vacuumProtocolCheck", 0, 0, true, HONOURED, NULL, NULL },
	{ "domainMetadata", 0, 0, false, HONOURED, NULL, NULL },
	{ "inCommitTimestamp", 0, 0, false, HONOURED, NULL, NULL },
	/* Rows are always given whole, so a default is never asked for. */
	{ "allowColumnDefaults", 0, 0, false, HONOURED, NULL, NULL },
	{ "icebergCompatV1", 0, 0, false, IF_UNUSED, "delta.enableIcebergCompatV1", NULL },
	{ "icebergCompatV2", 0, 0, false, IF_UNUSED, "delta.enableIcebergCompatV2", NULL },
	{ "icebergCompatV3", 0, 0, false, IF_UNUSED, "delta.enableIcebergCompatV3", NULL },
	{ "rowTracking", 0, 0, false, REFUSED, NULL, NULL },
	{ "clustering", 0, 0, false, REFUSED, NULL, NULL },
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

int cdc_protocol_check_readable(const struct cdc_protocol *p, struct cdc_err *err)
{
	if (p->reader_version > READER_VERSION_MAX)
		return cdc_fail(err, CDC_EUNSUPPORTED, "table needs reader version %d",
				p->reader_version);
	for (int i = 0; i < p->num_reader_features; i++) {
		const struct feature *f = find(p->reader_feature[i]);

		if (!f || !f->readable)
			return cdc_fail(err, CDC_EUNSUPPORTED, "table needs reader feature %.*s",
					(int)p->reader_feature[i].n, p->reader_feature[i].p);
	}
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

static int check_feature(const struct cdc_snapshot *s, const struct feature *f, struct cdc_err *err)
{
	bool uses = f->duty == REFUSED;
	int rc = CDC_OK;

	if (f->duty == IF_UNUSED && f->config)
		uses = config_uses(&s->metadata, f->config);
	if (f->duty == IF_UNUSED && f->column_key)
		rc = columns_use(&s->metadata, f->column_key, &uses, err);
	if (!rc && uses)
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"table uses writer feature %s, which this program cannot honour",
				f->name);
	return rc;
}

/* The property has a former name that Spark still obeys (spec section 17). */
static bool old_change_data_name(const struct cdc_snapshot *s)
{
	return config_uses(&s->metadata, "delta.enableChangeDataCapture");
}

static int check_listed(const struct cdc_str *list, int n, struct cdc_err *err)
{
	for (int i = 0; i < n; i++) {
		if (!find(list[i]))
			return cdc_fail(err, CDC_EUNSUPPORTED,
					"table needs writer feature %.*s, which this program does "
					"not know",
					(int)list[i].n, list[i].p);
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
	rc = check_listed(p->reader_feature, p->num_reader_features, err);
	if (!rc)
		rc = check_listed(p->writer_feature, p->num_writer_features, err);
	for (size_t i = 0; !rc && i < NUM_FEATURES; i++) {
		if (writer_supports(p, &features[i]))
			rc = check_feature(s, &features[i], err);
	}
	if (rc)
		return rc;
	if (cdc_protocol_has_feature(p, "changeDataFeed") && old_change_data_name(s))
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"table uses writer feature changeDataFeed, which this program "
				"cannot honour");
	/* The next in-commit timestamp must exceed this version's, which then must be known. */
	if (cdc_protocol_has_feature(p, "inCommitTimestamp") &&
	    config_uses(&s->metadata, "delta.enableInCommitTimestamps") &&
	    !s->has_in_commit_timestamp)
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"table has in-commit timestamps, but version %lld has none",
				(long long)s->version);
	return CDC_OK;
}
