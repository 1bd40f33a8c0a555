/*
 * Inside the delta layer: the table features that we know, and what makes a table use them.
 */
#ifndef CDC_DELTA_FEATURES_H
#define CDC_DELTA_FEATURES_H

#include "delta/actions.h"

#define CDC_READER_VERSION_MAX 3
#define CDC_WRITER_VERSION_MAX 7

/* What writing to a table with the feature takes. */
enum cdc_duty {
	CDC_DUTY_HONOURED, /* nothing that we do not do */
	CDC_DUTY_IF_UNUSED /* fine while nothing in the metadata uses it */
};

struct cdc_feature {
	const char *name;
	int reader_version; /* legacy version that implies it; 0: writer only or by list only */
	int writer_version; /* legacy version that implies it; 0: by list only */
	bool readable; /* readers have to know it, and we do */
	enum cdc_duty duty;
	/* What a table uses it by; several of them: by any. */
	const char *config; /* key, or prefix that ends in a dot */
	const char *config_value; /* of that key; NULL: every value but "false" and "none" */
	const char *column_key; /* key, or prefix that ends in a dot, of column metadata */
	bool by_type; /* a column, at any depth, of this type: */
	enum cdc_type type;
	/* Making a protocol (protocol_upgrade.c): */
	bool by_not_null; /* a column that is NOT NULL asks for it too */
	bool passive; /* never put in a protocol because of what the metadata says */
	const char *needs; /* a feature that has to be there with it */
};

extern const struct cdc_feature cdc_feature[];
extern const size_t cdc_num_features;

/* NULL: not known. */
const struct cdc_feature *cdc_feature_find(struct cdc_str name);
bool cdc_feature_listed(const struct cdc_str *list, int n, const char *name);
/* Whether a writer to a table with this protocol has to know the feature. */
bool cdc_feature_supported(const struct cdc_protocol *p, const struct cdc_feature *f);

/* Whether the metadata turns the key, or one with the prefix, on. */
bool cdc_config_uses(const struct cdc_metadata *m, const char *pattern);
/* Whether the table uses the feature. `schema` is that of the metadata. */
int cdc_feature_used(const struct cdc_feature *f, const struct cdc_metadata *m,
		     const struct cdc_schema *schema, bool *uses,
		     struct cdc_err *err) CDC_NODISCARD;

#endif
