/*
 * Private to the log: the loader that snapshots are made by, for who wants to read the files of a
 * checkpoint as they come instead of having them in the snapshot.
 */
#ifndef CDC_DELTA_LOG_LOAD_H
#define CDC_DELTA_LOG_LOAD_H

#include "delta/log_int.h"

/* The actions of one commit, in its order. */
struct cdc_action_list {
	struct cdc_action *a;
	size_t n;
	size_t cap;
};

struct cdc_loader {
	const struct cdc_io *io;
	bool leave_files; /* adds and removes of the checkpoint are left where they are */
	struct cdc_snapshot *s;
	struct cdc_log_list list;
	struct cdc_replay replay; /* leave_files: what the commits have is seen in it */
	struct cdc_tape tape;
	struct cdc_buf text;
	struct cdc_arena scratch; /* reset per commit */
	struct cdc_action_list actions;
	bool travel; /* a version was asked for */
	bool cp_protocol; /* the checkpoint has these actions */
	bool cp_metadata;
	bool has_cp; /* the state is on top of cp, else of nothing */
	struct cdc_log_checkpoint cp;
	size_t at; /* where in the list older checkpoints come */
	int tries;
	struct cdc_err first; /* what the first of them said */
};

/* Load the state at `version` (-1: the latest) into ld->s; errors as of cdc_snapshot_load. */
int cdc_loader_open(struct cdc_loader *ld, const struct cdc_io *io, const char *table,
		    int64_t version, bool leave_files, struct cdc_err *err) CDC_NODISCARD;
/*
 * leave_files: give the adds and removes of the checkpoint that the commits have not replaced to
 * each(). *bad tells that a failure is the checkpoint's, so that an older one may serve.
 */
int cdc_loader_files(struct cdc_loader *ld, cdc_action_fn *each, void *ctx, bool *bad,
		     struct cdc_err *err) CDC_NODISCARD;
/* The same state on top of an older checkpoint; `err` holds why. The first error of all stays when
 * there is none left. */
int cdc_loader_older(struct cdc_loader *ld, struct cdc_err *err) CDC_NODISCARD;
void cdc_loader_free(struct cdc_loader *ld);

#endif
