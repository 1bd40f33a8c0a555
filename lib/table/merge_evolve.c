/*
 * Changes of the table itself in a merge: its properties, before the first batch. See
 * merge_internal.h.
 */
#include "table/merge_internal.h"

int merge_set_properties(struct cdc_merge *m, struct cdc_err *err)
{
	struct cdc_buf what = CDC_BUF_INIT;
	int64_t version;
	int rc = cdc_target_set_properties(&m->target, &what, &version, err);

	if (!rc && what.len && !cdc_buf_z(&what))
		rc = cdc_fail_nomem(err);
	if (!rc && version >= 0) {
		m->version = version;
		merge_warn_of_commit(m, err);
		merge_checkpoint_if_due(m, version);
	}
	if (!rc && what.len && m->opt.on_properties)
		m->opt.on_properties(m->opt.ctx, version, what.p);
	cdc_buf_free(&what);
	return rc;
}
