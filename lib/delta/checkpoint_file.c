/*
 * One Parquet file of actions, streamed in batches. The schema comes from action_table.c:
 * everything optional but map keys, lists as list.element, maps as key_value, which is the shape
 * that all known readers accept. See checkpoint_file.h.
 */
#include "delta/checkpoint_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define BATCH_ROWS 1000
/* What is in memory at a time: a row group, and of each column a dictionary and a page. */
#define ROW_GROUP_BYTES (8 << 20)
#define DICTIONARY_BYTES (32 << 10)
#define PAGE_BYTES (256 << 10)
/* Names that exist are drawn again: under SOURCE_DATE_EPOCH each run draws the same. */
#define NAME_TRIES 10000

static int set_path(char **out, const char *dir, const char *head, const char *name,
		    const char *tail, struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	int rc = cdc_buf_printf(&b, err, "%s/%s%s%s", dir, head, name, tail);

	if (!rc && !cdc_buf_z(&b))
		rc = cdc_fail_nomem(err);
	if (rc) {
		cdc_buf_free(&b);
		return rc;
	}
	free(*out);
	*out = b.p;
	return CDC_OK;
}

/* Whether the final name is taken. */
static int is_taken(const struct cdc_cp_file *f, bool *taken, struct cdc_err *err)
{
	char *path = NULL;
	struct stat st;
	int rc = set_path(&path, f->dir, "", f->name, "", err);

	if (rc)
		return rc;
	*taken = f->io->lstat(f->io->ctx, path, &st) == 0;
	if (!*taken && errno != ENOENT)
		rc = cdc_fail_errno(err, errno, "cannot stat %s", path);
	free(path);
	return rc;
}

static int open_temp(struct cdc_cp_file *f, const char *name, struct cdc_err *err)
{
	const char *hole = strstr(name, "%s");
	int before = hole ? (int)(hole - name) : (int)strlen(name);

	for (int i = 0; i < NAME_TRIES; i++) {
		char uuid[37], tail[64];
		bool taken = false;
		int rc = cdc_io_uuid(f->io, uuid, NULL, err);

		if (rc)
			return rc;
		snprintf(f->name, sizeof(f->name), "%.*s%s%s", before, name, hole ? uuid : "",
			 hole ? hole + 2 : "");
		snprintf(tail, sizeof(tail), ".%s.tmp", uuid);
		rc = set_path(&f->temp_path, f->dir, ".", f->name, tail, err);
		if (!rc && hole)
			rc = is_taken(f, &taken, err);
		if (rc)
			return rc;
		if (taken)
			continue;
		f->fd = f->io->open(f->io->ctx, f->temp_path,
				    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (f->fd >= 0 || errno != EEXIST)
			break;
	}
	f->made = f->fd >= 0;
	return f->made ? CDC_OK : cdc_fail_errno(err, errno, "cannot create %s", f->temp_path);
}

int cdc_cp_file_open(struct cdc_cp_file *f, const struct cdc_io *io, const char *dir,
		     const char *name, const struct cdc_cp_content *content, struct cdc_err *err)
{
	struct cdc_pq_write_options opt;
	int rc;

	*f = (struct cdc_cp_file){ .io = io, .dir = dir, .fd = -1 };
	cdc_pq_write_options_init(&opt);
	opt.codec = CDC_PQ_SNAPPY;
	opt.row_group_bytes = ROW_GROUP_BYTES;
	opt.dictionary_bytes = DICTIONARY_BYTES;
	opt.page_bytes = PAGE_BYTES;
	rc = cdc_cp_rows_init(&f->rows, content, err);
	if (!rc)
		rc = open_temp(f, name, err);
	if (!rc)
		rc = cdc_pq_writer_new(&f->writer, io, f->fd, &f->rows.schema, &opt, err);
	return rc;
}

static int flush(struct cdc_cp_file *f, struct cdc_err *err)
{
	uint32_t n = f->rows.num_rows;
	int rc;

	if (n == 0)
		return CDC_OK;
	if (f->io->interrupted(f->io->ctx))
		return cdc_fail(err, CDC_EINTR, "interrupted");
	cdc_cp_rows_vecs(&f->rows);
	rc = cdc_pq_writer_write(f->writer, f->rows.vec, n, err);
	cdc_cp_rows_reset(&f->rows);
	return rc;
}

int cdc_cp_file_put(struct cdc_cp_file *f, const struct cdc_action *a, struct cdc_err *err)
{
	struct cdc_action own = *a;
	int rc = cdc_action_copy(&f->rows.scratch, own.kind, &own.u, err);

	/* What is in a checkpoint is no news (spec section 4.5). */
	if (own.kind == CDC_ACT_ADD)
		own.u.add.data_change = false;
	if (own.kind == CDC_ACT_REMOVE)
		own.u.remove.data_change = false;
	if (!rc)
		rc = cdc_cp_rows_add(&f->rows, own.kind, &own.u, err);
	f->num_actions++;
	if (!rc && f->rows.num_rows == BATCH_ROWS)
		rc = flush(f, err);
	return rc;
}

/* Hadoop's side file of a checkpoint that was there before would make the new one unreadable. */
static int remove_stale_crc(const struct cdc_cp_file *f, struct cdc_err *err)
{
	char *path = NULL;
	int rc = set_path(&path, f->dir, ".", f->name, ".crc", err);

	if (!rc && f->io->unlink(f->io->ctx, path) < 0 && errno != ENOENT)
		rc = cdc_fail_errno(err, errno, "cannot remove stale %s", path);
	free(path);
	return rc;
}

static int finish(struct cdc_cp_file *f, struct cdc_err *err)
{
	struct cdc_pq_summary summary = { .num_leaves = 0 };
	struct stat st;
	int rc = flush(f, err);

	if (!rc)
		rc = cdc_pq_writer_finish(f->writer, &summary, err);
	if (rc)
		return rc;
	f->size_bytes = (int64_t)summary.file_bytes;
	cdc_pq_summary_free(&summary);
	if (f->io->fsync(f->io->ctx, f->fd) < 0)
		return cdc_fail_errno(err, errno, "cannot sync %s", f->temp_path);
	if (f->io->fstat(f->io->ctx, f->fd, &st) < 0)
		return cdc_fail_errno(err, errno, "cannot stat %s", f->temp_path);
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->modification_time_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	return CDC_OK;
}

/* Where a reply was lost the rename may have been done: only looking tells. */
static int rename_in(struct cdc_cp_file *f, const char *path, struct cdc_err *err)
{
	struct stat st;
	int why;

	if (f->io->rename(f->io->ctx, f->temp_path, path) < 0) {
		why = errno;
		if (f->io->lstat(f->io->ctx, path, &st) < 0 || st.st_dev != f->dev ||
		    st.st_ino != f->ino)
			return cdc_fail_errno(err, why, "cannot rename %s to %s", f->temp_path,
					      path);
	}
	f->made = false;
	return CDC_OK;
}

int cdc_cp_file_close(struct cdc_cp_file *f, struct cdc_err *err)
{
	char *path = NULL;
	int rc = finish(f, err);

	f->io->close(f->io->ctx, f->fd);
	f->fd = -1;
	if (!rc)
		rc = remove_stale_crc(f, err);
	if (!rc)
		rc = set_path(&path, f->dir, "", f->name, "", err);
	if (!rc)
		rc = rename_in(f, path, err);
	free(path);
	return rc;
}

void cdc_cp_file_free(struct cdc_cp_file *f)
{
	if (!f->io)
		return;
	cdc_pq_writer_free(f->writer);
	cdc_cp_rows_free(&f->rows);
	if (f->fd >= 0)
		f->io->close(f->io->ctx, f->fd);
	if (f->made)
		f->io->unlink(f->io->ctx, f->temp_path);
	free(f->temp_path);
	*f = (struct cdc_cp_file)CDC_CP_FILE_INIT;
}
