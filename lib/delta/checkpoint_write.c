/*
 * The classic checkpoint of a snapshot (spec section 9), streamed in batches, and the hint that
 * points to it. The schema comes from action_table.c: everything optional but map keys, lists as
 * list.element, maps as key_value, which is the shape that all known readers accept.
 */
#include "delta/checkpoint_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#define BATCH_ROWS 1000

struct output {
	const struct cdc_io *io;
	const struct cdc_snapshot *s;
	struct cdc_cp_rows rows;
	struct cdc_pq_writer *writer;
	int64_t num_actions;
	int fd;
};

static int flush(struct output *o, struct cdc_err *err)
{
	uint32_t n = o->rows.num_rows;
	int rc = CDC_OK;

	if (n == 0)
		return CDC_OK;
	if (o->io->interrupted(o->io->ctx))
		return cdc_fail(err, CDC_EINTR, "interrupted");
	cdc_cp_rows_vecs(&o->rows);
	rc = cdc_pq_writer_write(o->writer, o->rows.vec, n, err);
	cdc_cp_rows_reset(&o->rows);
	return rc;
}

static int put(struct output *o, enum cdc_action_kind kind, const void *body, struct cdc_err *err)
{
	int rc = cdc_cp_rows_add(&o->rows, kind, body, err);

	o->num_actions++;
	if (!rc && o->rows.num_rows == BATCH_ROWS)
		rc = flush(o, err);
	return rc;
}

/* What is in a checkpoint is no news: dataChange is false (spec section 4.5). */
static int put_add(struct output *o, const struct cdc_add *add, struct cdc_err *err)
{
	struct cdc_add own = *add;

	own.data_change = false;
	return put(o, CDC_ACT_ADD, &own, err);
}

static int put_remove(struct output *o, const struct cdc_remove *remove, struct cdc_err *err)
{
	struct cdc_remove own = *remove;

	own.data_change = false;
	return put(o, CDC_ACT_REMOVE, &own, err);
}

static int put_state(struct output *o, struct cdc_err *err)
{
	const struct cdc_snapshot *s = o->s;
	int rc = put(o, CDC_ACT_PROTOCOL, &s->protocol, err);

	if (!rc)
		rc = put(o, CDC_ACT_METADATA, &s->metadata, err);
	for (size_t i = 0; !rc && i < s->num_txns; i++)
		rc = put(o, CDC_ACT_TXN, &s->txn[i], err);
	for (size_t i = 0; !rc && i < s->num_domains; i++)
		rc = put(o, CDC_ACT_DOMAIN, &s->domain[i], err);
	for (size_t i = 0; !rc && i < s->num_tombstones; i++)
		rc = put_remove(o, &s->tombstone[i], err);
	for (size_t i = 0; !rc && i < s->num_adds; i++)
		rc = put_add(o, &s->add[i], err);
	return rc ? rc : flush(o, err);
}

static int write_file(struct output *o, uint64_t *size_bytes, struct cdc_err *err)
{
	struct cdc_pq_write_options opt;
	struct cdc_pq_summary summary = { .num_leaves = 0 };
	int rc;

	cdc_pq_write_options_init(&opt);
	opt.codec = CDC_PQ_SNAPPY;
	rc = cdc_cp_rows_init(&o->rows, err);
	if (!rc)
		rc = cdc_pq_writer_new(&o->writer, o->io, o->fd, &o->rows.schema, &opt, err);
	if (!rc)
		rc = put_state(o, err);
	if (!rc)
		rc = cdc_pq_writer_finish(o->writer, &summary, err);
	if (!rc) {
		*size_bytes = summary.file_bytes;
		cdc_pq_summary_free(&summary);
	}
	cdc_pq_writer_free(o->writer);
	cdc_cp_rows_free(&o->rows);
	if (!rc && o->io->fsync(o->io->ctx, o->fd) < 0)
		rc = cdc_fail_errno(err, errno, "cannot sync a checkpoint");
	return rc;
}

/* Hadoop checks a file against .name.crc beside it; a stale one makes it unreadable (trap T1). */
static int remove_stale_crc(struct output *o, const char *name, struct cdc_arena *arena,
			    struct cdc_err *err)
{
	char crc[CDC_LOG_NAME_MAX + 8];
	const char *path;
	int rc;

	snprintf(crc, sizeof(crc), ".%s.crc", name);
	rc = cdc_log_path(o->s->table, crc, arena, &path, err);
	if (!rc && o->io->unlink(o->io->ctx, path) < 0 && errno != ENOENT)
		rc = cdc_fail_errno(err, errno, "cannot remove %s", path);
	return rc;
}

/* A temporary name that nobody looks at, then a rename: readers see a whole checkpoint or none. */
static int write_checkpoint(struct output *o, uint64_t *size_bytes, struct cdc_err *err)
{
	const struct cdc_io *io = o->io;
	struct cdc_arena arena = CDC_ARENA_INIT;
	char name[CDC_LOG_NAME_MAX], temp[2 * CDC_LOG_NAME_MAX], uuid[37];
	const char *dir, *temp_path, *path;
	bool made = false;
	int rc = cdc_io_uuid(io, uuid, NULL, err);

	if (rc)
		return rc;
	snprintf(name, sizeof(name), "%020" PRId64 ".checkpoint.parquet", o->s->version);
	snprintf(temp, sizeof(temp), ".%s.%s.tmp", name, uuid);
	rc = cdc_log_path(o->s->table, NULL, &arena, &dir, err);
	if (!rc)
		rc = cdc_log_path(o->s->table, temp, &arena, &temp_path, err);
	if (!rc)
		rc = cdc_log_path(o->s->table, name, &arena, &path, err);
	if (rc)
		goto out;
	o->fd = io->open(io->ctx, temp_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (o->fd < 0) {
		rc = cdc_fail_errno(err, errno, "cannot create %s", temp_path);
		goto out;
	}
	made = true;
	rc = write_file(o, size_bytes, err);
	io->close(io->ctx, o->fd);
	if (!rc)
		rc = remove_stale_crc(o, name, &arena, err);
	if (!rc && io->rename(io->ctx, temp_path, path) < 0)
		rc = cdc_fail_errno(err, errno, "cannot rename %s to %s", temp_path, path);
	if (!rc) {
		made = false;
		rc = cdc_io_sync_dir(io, dir, err);
	}
out:
	if (made)
		io->unlink(io->ctx, temp_path);
	cdc_arena_free(&arena);
	return rc;
}

/* The version that _last_checkpoint names, -1 if there is none to be read. */
static int64_t hinted_version(const struct cdc_io *io, const char *path)
{
	struct cdc_buf text = CDC_BUF_INIT;
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	int64_t version = -1;

	if (cdc_io_read_file(io, path, &text, &err) == CDC_OK &&
	    cdc_json_scan(&tape, cdc_buf_str(&text), NULL, &err) == CDC_OK) {
		uint32_t v = cdc_json_get(&tape, 0, "version");

		if (v == CDC_JSON_NONE || !cdc_json_int64(&tape, v, &version))
			version = -1;
	}
	cdc_tape_free(&tape);
	cdc_buf_free(&text);
	return version;
}

/* Whether a newer checkpoint is there and the hint says so: another writer was faster. */
static int hint_is_newer(const struct cdc_io *io, const struct cdc_snapshot *s, const char *path,
			 bool *newer, struct cdc_err *err)
{
	struct cdc_log_list list;
	struct cdc_log_checkpoint cp;
	int64_t hinted = hinted_version(io, path);
	size_t at;
	int rc;

	*newer = false;
	if (hinted <= s->version)
		return CDC_OK;
	rc = cdc_log_list_read(&list, io, s->table, err);
	if (rc)
		return rc;
	at = list.n;
	*newer = cdc_log_checkpoint_before(&list, hinted, &at, &cp) && cp.version == hinted;
	cdc_log_list_free(&list);
	return CDC_OK;
}

static int write_hint(const struct output *o, uint64_t size_bytes, struct cdc_err *err)
{
	const struct cdc_snapshot *s = o->s;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_buf b = CDC_BUF_INIT;
	const char *dir, *path;
	bool newer;
	int rc = cdc_log_path(s->table, NULL, &arena, &dir, err);

	if (!rc)
		rc = cdc_log_path(s->table, "_last_checkpoint", &arena, &path, err);
	if (!rc)
		rc = hint_is_newer(o->io, s, path, &newer, err);
	if (rc || newer)
		goto out;
	rc = cdc_buf_printf(&b, err,
			    "{\"version\":%" PRId64 ",\"size\":%" PRId64 ",\"sizeInBytes\":%" PRIu64
			    ",\"numOfAddFiles\":%zu}\n",
			    s->version, o->num_actions, size_bytes, s->num_adds);
	if (!rc)
		rc = cdc_io_commit_replace(o->io, dir, "_last_checkpoint", cdc_buf_str(&b), err);
out:
	cdc_buf_free(&b);
	cdc_arena_free(&arena);
	return rc;
}

int cdc_checkpoint_write(const struct cdc_io *io, const struct cdc_snapshot *s, struct cdc_err *err)
{
	struct output o = { .io = io, .s = s, .fd = -1 };
	uint64_t size_bytes = 0;
	int rc = write_checkpoint(&o, &size_bytes, err);

	if (!rc)
		rc = write_hint(&o, size_bytes, err);
	if (!rc)
		rc = cdc_log_cleanup(io, s, err);
	return rc;
}
