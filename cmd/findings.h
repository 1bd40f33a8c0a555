/*
 * What cdc-compact --fsck and cdc-snapshot --verify share: run a check, print its findings, set the
 * exit status.
 */
#ifndef CDC_CMD_FINDINGS_H
#define CDC_CMD_FINDINGS_H

#include "cmd/common.h"
#include "table/fsck/fsck.h"

/* The output is open. `opt` needs no io and no on_progress. Exit status 1 when there are errors. */
int cmd_check_table(struct cmd *c, struct cdc_fsck_options *opt, struct cdc_err *err) CDC_NODISCARD;

#endif
