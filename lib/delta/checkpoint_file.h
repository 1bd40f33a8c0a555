/*
 * Private to the checkpoint writer: one Parquet file of actions, streamed under a temporary name
 * and given its own when it is whole.
 */
#ifndef CDC_DELTA_CHECKPOINT_FILE_H
#define CDC_DELTA_CHECKPOINT_FILE_H

#include "delta/checkpoint_rows.h"

struct cdc_cp_file {
	const struct cdc_io *io;
	const char *dir; /* borrowed */
	char name[2 * CDC_LOG_NAME_MAX]; /* in dir */
	struct cdc_cp_rows rows;
	struct cdc_pq_writer *writer;
	char *temp_path;
	int fd;
	bool made; /* the temporary file is there */
	dev_t dev; /* of the temporary file: how it is known again */
	ino_t ino;
	int64_t num_actions;
	int64_t size_bytes; /* when closed */
	int64_t modification_time_ms;
};

#define CDC_CP_FILE_INIT                                                                           \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/*
 * Start dir/name. A name that holds "%s" gets a UUID there and is one that no file has; another may
 * name a file that is to be replaced. CDC_EIO when the file cannot be made.
 */
int cdc_cp_file_open(struct cdc_cp_file *f, const struct cdc_io *io, const char *dir,
		     const char *name, const struct cdc_cp_content *content,
		     struct cdc_err *err) CDC_NODISCARD;
/* One action; it is copied. */
int cdc_cp_file_put(struct cdc_cp_file *f, const struct cdc_action *a,
		    struct cdc_err *err) CDC_NODISCARD;
/* Finish, sync and name it; the directory is the caller's to sync. */
int cdc_cp_file_close(struct cdc_cp_file *f, struct cdc_err *err) CDC_NODISCARD;
/* At any time; a file that was not closed is removed. */
void cdc_cp_file_free(struct cdc_cp_file *f);

#endif
