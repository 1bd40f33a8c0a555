/*
 * The checkpoint of a version that is not in memory: the files of the checkpoint before it go
 * straight into the new one, but for those that the commits since then have replaced.
 */
#include "delta/checkpoint_source.h"
#include "delta/log_load.h"

struct stream {
	struct cdc_loader ld;
	bool bad; /* the checkpoint that is read */
};

static int stream_files(void *ctx, cdc_action_fn *each, void *each_ctx, struct cdc_err *err)
{
	struct stream *st = ctx;
	int rc = cdc_loader_files(&st->ld, each, each_ctx, &st->bad, err);

	return rc ? rc : cdc_cp_snapshot_files(st->ld.s, each, each_ctx, err);
}

int cdc_checkpoint_write_version(const struct cdc_io *io, const char *table, int64_t version,
				 struct cdc_checkpoint_result *out, struct cdc_err *err)
{
	struct stream st = { .bad = false };
	struct cdc_err this = CDC_ERR_INIT;
	int rc = cdc_loader_open(&st.ld, io, table, version, true, &this);

	if (!rc)
		rc = cdc_snapshot_check_writable(st.ld.s, &this);
	while (!rc) {
		struct cdc_cp_source source = { st.ld.s, stream_files, &st };

		st.bad = false;
		rc = cdc_cp_write(io, &source, &out->num_adds, &this);
		if (!rc || !st.bad)
			break;
		/* That it is damaged has shown only now. */
		rc = cdc_loader_older(&st.ld, &this);
	}
	if (!rc) {
		out->version = st.ld.s->version;
		rc = cdc_log_cleanup(io, st.ld.s, &this);
	}
	if (rc)
		*err = this;
	cdc_loader_free(&st.ld);
	return rc;
}
