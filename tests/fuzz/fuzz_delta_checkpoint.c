/*
 * Fuzzes the reader of Parquet checkpoints: any bytes give actions or an error that says what is
 * wrong with the file, and actions that are given can be written as JSON.
 */
#include "delta/log_int.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int memory_fd = -1; /* the file that every path names */

static int open_memory(void *ctx, const char *path, int flags, mode_t mode)
{
	(void)ctx;
	(void)path;
	(void)flags;
	(void)mode;
	return dup(memory_fd);
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

static int rewrite(void *ctx, const struct cdc_action *a, struct cdc_err *err)
{
	struct cdc_buf *b = ctx;

	cdc_buf_reset(b);
	return cdc_action_write(b, a->kind, &a->u, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cdc_log_file file = {
		.kind = CDC_LOG_CHECKPOINT, .name = "00000000000000000000.checkpoint.parquet"
	};
	const struct cdc_log_checkpoint cp = { 0, &file, 1 };
	struct cdc_io io = cdc_io_posix;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf b = CDC_BUF_INIT;
	int rc;

	if (memory_fd < 0)
		memory_fd = memfd_create("checkpoint", 0);
	check(memory_fd >= 0 && ftruncate(memory_fd, (off_t)size) == 0 &&
	      pwrite(memory_fd, data, size, 0) == (ssize_t)size);
	io.open = open_memory;
	rc = cdc_checkpoint_read(&io, "/t", &cp, CDC_ALL_KINDS, rewrite, &b, &err);
	check(rc == CDC_OK || rc == CDC_ECORRUPT || rc == CDC_EUNSUPPORTED || rc == CDC_ENOMEM);
	check(rc == CDC_OK || (err.code == (enum cdc_code)rc && err.msg[0]));
	cdc_buf_free(&b);
	return 0;
}
