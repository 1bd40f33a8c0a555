/*
 * Fuzzes the writer of checkpoints: whatever state a commit makes, its checkpoint is written, and
 * is the same state when it is all there is. Only tags that are no object cannot be written.
 */
#include "delta/log_int.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NAME_MAX_BYTES 512

static char table[64];

static void check(bool ok)
{
	if (!ok)
		abort();
}

static int no_fsync(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	return 0;
}

/* Empty a directory of the log. */
static void empty(const char *dir)
{
	char path[NAME_MAX_BYTES];
	struct dirent *e;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		(void)!unlink(path);
	}
	if (d)
		closedir(d);
}

static void remove_table(void)
{
	static const char *const dir[] = { "/_delta_log/_sidecars", "/_delta_log", "" };
	char path[NAME_MAX_BYTES];

	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", table, dir[i]);
		empty(path);
		(void)!rmdir(path);
	}
}

static void make_table(void)
{
	char log[NAME_MAX_BYTES];

	snprintf(table, sizeof(table), "/tmp/fuzz-checkpoint-XXXXXX");
	check(mkdtemp(table) != NULL);
	snprintf(log, sizeof(log), "%s/_delta_log", table);
	check(mkdir(log, 0777) == 0 && atexit(remove_table) == 0);
}

static void compare(const struct cdc_snapshot *a, const struct cdc_snapshot *b)
{
	check(a->version == b->version && b->checkpoint_version == 0);
	check(a->num_adds == b->num_adds && a->num_tombstones == b->num_tombstones);
	check(a->num_domains == b->num_domains && a->num_txns >= b->num_txns);
	check(cdc_str_eq(a->metadata.schema_json, b->metadata.schema_json));
	for (size_t i = 0; i < a->num_adds; i++) {
		const struct cdc_add *x = &a->add[i], *y = &b->add[i];

		check(cdc_str_eq(x->path, y->path) && x->size_bytes == y->size_bytes);
		check(x->num_partition_values == y->num_partition_values ||
		      x->num_partition_values == 0);
		check(cdc_str_eq(x->dv.path, y->dv.path));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cdc_io io = cdc_io_posix;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s = NULL, *again = NULL;
	char log[NAME_MAX_BYTES], sidecars[NAME_MAX_BYTES], commit[NAME_MAX_BYTES];
	int fd, rc;

	io.fsync = no_fsync;
	if (!table[0])
		make_table();
	snprintf(log, sizeof(log), "%s/_delta_log", table);
	snprintf(sidecars, sizeof(sidecars), "%s/_sidecars", log);
	snprintf(commit, sizeof(commit), "%s/%020d.json", log, 0);
	empty(sidecars);
	empty(log);
	fd = open(commit, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
	if (cdc_snapshot_load(&s, &io, table, -1, &err))
		return 0;
	rc = cdc_checkpoint_write(&io, s, &err);
	check(rc == CDC_OK || rc == CDC_ECORRUPT || rc == CDC_EDATA);
	if (rc == CDC_OK) {
		check(unlink(commit) == 0);
		check(cdc_snapshot_load(&again, &io, table, -1, &err) == CDC_OK);
		compare(s, again);
		cdc_snapshot_free(again);
	}
	cdc_snapshot_free(s);
	return 0;
}
