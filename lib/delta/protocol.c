/*
 * Which tables may be read and written: what a reader must know and a writer must honour (spec
 * section 5).
 */
#include "delta/features.h"
#include "delta/log_int.h"

#define SHOWN(s) (int)((s).n > 200 ? 200 : (s).n), (s).p

bool cdc_protocol_has_feature(const struct cdc_protocol *p, const char *feature)
{
	const struct cdc_feature *f = cdc_feature_find(cdc_str_z(feature));

	if (cdc_feature_listed(p->reader_feature, p->num_reader_features, feature) ||
	    cdc_feature_listed(p->writer_feature, p->num_writer_features, feature))
		return true;
	return f && cdc_feature_supported(p, f);
}

bool cdc_deletion_vectors_on(const struct cdc_snapshot *s)
{
	return cdc_protocol_has_feature(&s->protocol, "deletionVectors") &&
	       cdc_metadata_config_is(&s->metadata, "delta.enableDeletionVectors", "true");
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
	if (p->reader_version > CDC_READER_VERSION_MAX)
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"table needs reader version %d, and this program knows %d",
				p->reader_version, CDC_READER_VERSION_MAX);
	for (int i = 0; i < p->num_reader_features; i++) {
		const struct cdc_feature *f = cdc_feature_find(p->reader_feature[i]);

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

bool cdc_mapped(const struct cdc_protocol *p, const struct cdc_metadata *m)
{
	return !cdc_str_ieq(mapping_mode(p, m), CDC_STR("none"));
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

/* ------------------------------------------------------------------ writing */

static int check_feature(const struct cdc_snapshot *s, const struct cdc_feature *f,
			 struct cdc_err *err)
{
	bool uses = false;
	int rc = CDC_OK;

	if (f->duty == CDC_DUTY_IF_UNUSED)
		rc = cdc_feature_used(f, &s->metadata, &s->schema, &uses, err);
	if (!rc && uses)
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"table uses writer feature %s, which this program cannot honour",
				f->name);
	return rc;
}

static int check_listed(const struct cdc_str *list, int n, struct cdc_err *err)
{
	for (int i = 0; i < n; i++) {
		if (!cdc_feature_find(list[i]))
			return cdc_fail(err, CDC_EUNSUPPORTED,
					"table needs writer feature %.*s, which this program does "
					"not know",
					SHOWN(list[i]));
	}
	return CDC_OK;
}

int cdc_protocol_check_known(const struct cdc_protocol *p, struct cdc_err *err)
{
	int rc;

	if (p->writer_version > CDC_WRITER_VERSION_MAX)
		return cdc_fail(err, CDC_EUNSUPPORTED, "table needs writer version %d",
				p->writer_version);
	if (p->writer_list_missing)
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"table has writer version 7 and no list of writer features");
	rc = check_listed(p->reader_feature, p->num_reader_features, err);
	return rc ? rc : check_listed(p->writer_feature, p->num_writer_features, err);
}

int cdc_snapshot_check_writable(const struct cdc_snapshot *s, struct cdc_err *err)
{
	const struct cdc_protocol *p = &s->protocol;
	int rc = cdc_protocol_check_known(p, err);

	for (size_t i = 0; !rc && i < cdc_num_features; i++) {
		if (cdc_feature_supported(p, &cdc_feature[i]))
			rc = check_feature(s, &cdc_feature[i], err);
	}
	if (rc)
		return rc;
	/* The next in-commit timestamp must exceed this version's, which then must be known. */
	if (cdc_protocol_has_feature(p, "inCommitTimestamp") &&
	    cdc_config_uses(&s->metadata, "delta.enableInCommitTimestamps") &&
	    !s->has_in_commit_timestamp)
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"table has in-commit timestamps, but version %lld has none",
				(long long)s->version);
	return CDC_OK;
}
