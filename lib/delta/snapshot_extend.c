/*
 * A snapshot with more columns than its table has. See log.h.
 */
#include "delta/log.h"

#include <stdlib.h>

/*
 * The extra columns have no field ids: with column mapping by id, all columns are looked up by
 * their physical names, which files have in either mode (spec section 11).
 */
static int copy_config(struct cdc_metadata *m, struct cdc_err *err)
{
	struct cdc_kv *copy = calloc((size_t)m->num_config + 1, sizeof(*copy));

	if (!copy)
		return cdc_fail_nomem(err);
	for (int i = 0; i < m->num_config; i++) {
		copy[i] = m->config[i];
		if (cdc_str_eqz(copy[i].key, "delta.columnMapping.mode") &&
		    cdc_str_ieq(copy[i].value, CDC_STR("id")))
			copy[i].value = CDC_STR("name");
	}
	m->config = copy;
	return CDC_OK;
}

int cdc_snapshot_extend(struct cdc_snapshot *out, const struct cdc_snapshot *s,
			const struct cdc_field *extra, int n, struct cdc_err *err)
{
	int rc;

	*out = *s;
	out->schema = (struct cdc_schema)CDC_SCHEMA_INIT;
	rc = copy_config(&out->metadata, err);
	if (rc) {
		out->metadata.config = NULL;
		return rc;
	}
	rc = cdc_schema_copy(&out->schema, &s->schema, err);
	for (int i = 0; !rc && i < n; i++)
		rc = cdc_schema_add(&out->schema, &extra[i], err);
	if (rc == CDC_EUSAGE)
		rc = cdc_fail(err, CDC_EUNSUPPORTED,
			      "table has a column of a name that is reserved: %.*s",
			      (int)extra[n - 1].name.n, extra[n - 1].name.p);
	if (rc)
		cdc_snapshot_extend_free(out);
	return rc;
}

void cdc_snapshot_extend_free(struct cdc_snapshot *out)
{
	free(out->metadata.config);
	cdc_schema_free(&out->schema);
	out->metadata.config = NULL;
}
