/*
 * Private to the checkpoint writer: where the state comes from that it writes.
 */
#ifndef CDC_DELTA_CHECKPOINT_SOURCE_H
#define CDC_DELTA_CHECKPOINT_SOURCE_H

#include "delta/log_int.h"

struct cdc_cp_source {
	const struct cdc_snapshot *s; /* the state; its files are those that files() gives */
	/* Give every add and every remove that counts to each(), whose failure ends it. */
	int (*files)(void *ctx, cdc_action_fn *each, void *each_ctx, struct cdc_err *err);
	void *ctx;
};

/* files() of what the snapshot itself holds. */
int cdc_cp_snapshot_files(const struct cdc_snapshot *s, cdc_action_fn *each, void *ctx,
			  struct cdc_err *err) CDC_NODISCARD;

/*
 * Write the checkpoint that the table's properties ask for, and the hint to it: a classic one, or a
 * V2 checkpoint with its files in sidecars. Streams.
 */
int cdc_cp_write(const struct cdc_io *io, const struct cdc_cp_source *source, uint64_t *num_adds,
		 struct cdc_err *err) CDC_NODISCARD;

#endif
