/*
 * Deletion vectors at rest: descriptors, inline text, and the files that hold several of them
 * (Delta protocol, "Deletion Vectors"; spec section 10).
 */
#include "delta/dv_int.h"

#include "base/endian.h"
#include "delta/path.h"
#include "io/stream.h"
#include "parquet/pq_codec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define FILE_VERSION 1
#define UUID_TEXT CDC_DV_UUID_TEXT

static int uuid_name(struct cdc_str z85, struct cdc_buf *out, struct cdc_err *err)
{
	uint8_t u[16];
	size_t n;

	if (!cdc_z85_decode(z85, u, &n) || n != sizeof(u))
		return cdc_fail(err, CDC_ECORRUPT, "deletion vector: \"%.*s\" is no UUID",
				(int)z85.n, z85.p);
	return cdc_buf_printf(out, err,
			      "deletion_vector_%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
			      "%02x%02x%02x%02x%02x%02x.bin",
			      u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10],
			      u[11], u[12], u[13], u[14], u[15]);
}

/* <table>/[<prefix>/]deletion_vector_<uuid>.bin */
static int uuid_path(const struct cdc_dv_ref *ref, const char *table, struct cdc_buf *out,
		     struct cdc_err *err)
{
	size_t prefix = ref->path.n - UUID_TEXT;
	int rc;

	if (ref->path.n < UUID_TEXT)
		return cdc_fail(err, CDC_ECORRUPT, "deletion vector: path is too short");
	if (cdc_path_escapes(cdc_str(ref->path.p, prefix)) || memchr(ref->path.p, '\0', prefix))
		return cdc_fail(err, CDC_ECORRUPT, "deletion vector: path leaves the table");
	if ((rc = cdc_buf_puts(out, table, err)) < 0 || (rc = cdc_buf_putc(out, '/', err)) < 0)
		return rc;
	if (prefix && ((rc = cdc_buf_append(out, ref->path.p, prefix, err)) < 0 ||
		       (rc = cdc_buf_putc(out, '/', err)) < 0))
		return rc;
	return uuid_name(cdc_str(ref->path.p + prefix, UUID_TEXT), out, err);
}

static int file_path(const struct cdc_dv_ref *ref, const char *table, struct cdc_buf *out,
		     struct cdc_err *err)
{
	if (ref->storage == 'u')
		return uuid_path(ref, table, out, err);
	if (ref->storage == 'p')
		return cdc_path_local(table, ref->path, out, err);
	return cdc_fail(err, CDC_EUNSUPPORTED, "deletion vector: storage type \"%c\" is not known",
			ref->storage > ' ' && ref->storage <= '~' ? ref->storage : '?');
}

void cdc_dv_uuid_text(const uint8_t uuid[16], char out[CDC_DV_UUID_TEXT])
{
	cdc_z85_encode(uuid, 16, out);
}

int cdc_dv_file_path(const struct cdc_dv_ref *ref, const char *table, struct cdc_arena *arena,
		     const char **path, struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	int rc = CDC_OK;

	*path = NULL;
	if (ref->storage == 'i')
		return CDC_OK;
	rc = file_path(ref, table, &b, err);
	if (rc == CDC_OK) {
		*path = cdc_arena_dupz(arena, cdc_buf_str(&b));
		if (!*path)
			rc = cdc_fail_nomem(err);
	}
	cdc_buf_free(&b);
	return rc;
}

/* ------------------------------------------------------------------ reading */

static int load_inline(struct cdc_dv **dv, const struct cdc_dv_ref *ref, struct cdc_err *err)
{
	size_t size = (size_t)ref->size_bytes;
	uint8_t *bytes = malloc(ref->path.n + 1);
	size_t n;
	int rc;

	if (!bytes)
		return cdc_fail_nomem(err);
	/* Some writers pad the data with zeros to a multiple of 4: the descriptor tells the length.
	 */
	if (!cdc_z85_decode(ref->path, bytes, &n))
		rc = cdc_fail(err, CDC_ECORRUPT, "deletion vector: inline data is not Z85");
	else if (n < size || n - size > 3)
		rc = cdc_fail(err, CDC_ECORRUPT, "deletion vector: %zu bytes inline, not %zu", n,
			      size);
	else
		rc = cdc_dv_decode(dv, cdc_str((const char *)bytes, size), err);
	free(bytes);
	return rc;
}

/*
 * Where the block begins. Without an offset it is the first one, which stands behind the version
 * byte, or at the start of a file that has none: the length in front of it tells.
 */
static int find_block(const struct cdc_io *io, int fd, const char *path,
		      const struct cdc_dv_ref *ref, uint64_t *offset, struct cdc_err *err)
{
	char head[5];
	int rc;

	*offset = ref->has_offset ? (uint64_t)ref->offset : 0;
	if (ref->has_offset)
		return CDC_OK;
	rc = cdc_io_pread_full(io, fd, head, sizeof(head), 0, path, err);
	if (rc == CDC_OK && head[0] == FILE_VERSION &&
	    cdc_be32(head) != (uint32_t)ref->size_bytes &&
	    cdc_be32(head + 1) == (uint32_t)ref->size_bytes)
		*offset = 1;
	return rc;
}

static int read_block(const struct cdc_io *io, int fd, const char *path,
		      const struct cdc_dv_ref *ref, struct cdc_buf *b, struct cdc_err *err)
{
	uint64_t offset;
	size_t size = (size_t)ref->size_bytes;
	char version = FILE_VERSION;
	struct stat st;
	int rc;

	if (ref->has_offset && ref->offset < 0)
		return cdc_fail(err, CDC_ECORRUPT, "deletion vector: negative offset");
	if (io->fstat(io->ctx, fd, &st) < 0)
		return cdc_fail_errno(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return cdc_fail(err, CDC_ECORRUPT, "deletion vector: %s is not a file", path);
	if ((rc = find_block(io, fd, path, ref, &offset, err)) < 0)
		return rc;
	if (st.st_size < 0 || (uint64_t)st.st_size < offset + size + 8)
		return cdc_fail(err, CDC_ECORRUPT, "deletion vector: %s is too short", path);
	if (offset && (rc = cdc_io_pread_full(io, fd, &version, 1, 0, path, err)) < 0)
		return rc;
	if (version != FILE_VERSION)
		return cdc_fail(err, CDC_EUNSUPPORTED, "deletion vector: %s has file version %d",
				path, version);
	if ((rc = cdc_buf_reserve(b, size + 8, err)) < 0 ||
	    (rc = cdc_io_pread_full(io, fd, b->p, size + 8, offset, path, err)) < 0)
		return rc;
	if (cdc_be32(b->p) != size)
		return cdc_fail(err, CDC_ECORRUPT,
				"deletion vector: %s holds %u bytes at %llu, the log says %zu",
				path, cdc_be32(b->p), (unsigned long long)offset, size);
	if (cdc_be32(b->p + 4 + size) != cdc_pq_crc32(b->p + 4, size))
		return cdc_fail(err, CDC_ECORRUPT,
				"deletion vector: checksum of %s at %llu is wrong", path,
				(unsigned long long)offset);
	b->len = size + 8;
	return CDC_OK;
}

static int load_file(struct cdc_dv **dv, const struct cdc_io *io, const char *table,
		     const struct cdc_dv_ref *ref, struct cdc_err *err)
{
	struct cdc_buf path = CDC_BUF_INIT;
	struct cdc_buf b = CDC_BUF_INIT;
	const char *z;
	int fd = -1;
	int rc = file_path(ref, table, &path, err);

	if (rc < 0)
		goto out;
	z = cdc_buf_z(&path);
	if (!z) {
		rc = cdc_fail_nomem(err);
		goto out;
	}
	/* Not to wait for a pipe's other end: that it is none is seen when it is open. */
	fd = io->open(io->ctx, z, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	if (fd < 0) {
		rc = errno == ENOENT
			     ? cdc_fail(err, CDC_ECORRUPT, "deletion vector: %s is not there", z)
			     : cdc_fail_errno(err, errno, "%s", z);
		goto out;
	}
	rc = read_block(io, fd, z, ref, &b, err);
	if (rc == CDC_OK)
		rc = cdc_dv_decode(dv, cdc_str(b.p + 4, b.len - 8), err);
out:
	if (fd >= 0)
		io->close(io->ctx, fd);
	cdc_buf_free(&b);
	cdc_buf_free(&path);
	return rc;
}

int cdc_dv_load(struct cdc_dv **dv, const struct cdc_io *io, const char *table, bool external,
		const struct cdc_dv_ref *ref, struct cdc_err *err)
{
	struct cdc_dv *made = NULL;
	uint64_t count;
	int rc = CDC_OK;

	if (ref->size_bytes < 0)
		return cdc_fail(err, CDC_ECORRUPT, "deletion vector: negative size");
	if (ref->storage == 'p')
		rc = cdc_path_check(io, table, external, ref->path, err);
	if (rc == CDC_OK)
		rc = ref->storage == 'i' ? load_inline(&made, ref, err)
					 : load_file(&made, io, table, ref, err);
	if (rc < 0)
		return rc;
	count = cdc_dv_count(made);
	if (ref->cardinality < 0 || count != (uint64_t)ref->cardinality) {
		cdc_dv_free(made);
		return cdc_fail(err, CDC_ECORRUPT,
				"deletion vector: it marks %llu rows, the log says %lld",
				(unsigned long long)count, (long long)ref->cardinality);
	}
	*dv = made;
	return CDC_OK;
}

/* ------------------------------------------------------------------ writing */

struct cdc_dv_writer {
	const struct cdc_io *io;
	int fd; /* -1: not open */
	bool created;
	bool finished;
	struct cdc_writer out;
	struct cdc_buf scratch;
	char z85[UUID_TEXT];
	struct cdc_buf path;
	char *table;
};

int cdc_dv_writer_new(struct cdc_dv_writer **w, const struct cdc_io *io, const char *table,
		      struct cdc_err *err)
{
	struct cdc_dv_writer *made = calloc(1, sizeof(*made));

	if (!made)
		return cdc_fail_nomem(err);
	made->io = io;
	made->fd = -1;
	made->table = strdup(table);
	if (!made->table || !cdc_buf_z(&made->path)) {
		cdc_dv_writer_free(made);
		return cdc_fail_nomem(err);
	}
	*w = made;
	return CDC_OK;
}

static int draw_name(struct cdc_dv_writer *w, struct cdc_err *err)
{
	uint8_t uuid[16];
	char text[37];
	int rc = cdc_io_uuid(w->io, text, uuid, err);

	if (rc < 0)
		return rc;
	cdc_z85_encode(uuid, sizeof(uuid), w->z85);
	cdc_buf_reset(&w->path);
	rc = cdc_buf_printf(&w->path, err, "%s/deletion_vector_%s.bin", w->table, text);
	return rc < 0 || cdc_buf_z(&w->path) ? rc : cdc_fail_nomem(err);
}

/* Names are drawn until one is free: under SOURCE_DATE_EPOCH each run draws the same ones. */
#define NAME_TRIES 10000

/* The file comes into being with its first set. */
static int create_file(struct cdc_dv_writer *w, struct cdc_err *err)
{
	const char version = FILE_VERSION;
	int rc;

	for (int i = 0; w->fd < 0; i++) {
		if (draw_name(w, err) < 0)
			return err->code;
		w->fd = w->io->open(w->io->ctx, w->path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				    0666);
		if (w->fd < 0 && (errno != EEXIST || i == NAME_TRIES))
			return cdc_fail_errno(err, errno, "%s", w->path.p);
	}
	w->created = true;
	rc = cdc_writer_init(&w->out, w->io, w->fd, err);
	return rc < 0 ? rc : cdc_writer_put(&w->out, &version, 1, err);
}

int cdc_dv_writer_add(struct cdc_dv_writer *w, struct cdc_dv *dv, struct cdc_dv_ref *ref,
		      struct cdc_arena *arena, struct cdc_err *err)
{
	const char *text;
	uint64_t offset;
	uint8_t word[4];
	int rc = CDC_OK;

	if (!w->created)
		rc = create_file(w, err);
	if (rc < 0)
		return rc;
	text = cdc_arena_dup(arena, w->z85, sizeof(w->z85));
	if (!text)
		return cdc_fail_nomem(err);
	cdc_buf_reset(&w->scratch);
	rc = cdc_dv_encode(dv, &w->scratch, err);
	if (rc < 0)
		return rc;
	offset = cdc_writer_offset(&w->out);
	if (w->scratch.len > INT32_MAX || offset > INT32_MAX)
		return cdc_fail(err, CDC_EUNSUPPORTED, "deletion vector file would pass 2 GiB");
	cdc_put_be32(word, (uint32_t)w->scratch.len);
	if ((rc = cdc_writer_put(&w->out, word, sizeof(word), err)) < 0 ||
	    (rc = cdc_writer_put(&w->out, w->scratch.p, w->scratch.len, err)) < 0)
		return rc;
	cdc_put_be32(word, cdc_pq_crc32(w->scratch.p, w->scratch.len));
	rc = cdc_writer_put(&w->out, word, sizeof(word), err);
	if (rc < 0)
		return rc;
	*ref = (struct cdc_dv_ref){
		.storage = 'u',
		.path = cdc_str(text, sizeof(w->z85)),
		.has_offset = true,
		.offset = (int32_t)offset,
		.size_bytes = (int32_t)w->scratch.len,
		.cardinality = (int64_t)cdc_dv_count(dv),
	};
	return CDC_OK;
}

int cdc_dv_writer_finish(struct cdc_dv_writer *w, struct cdc_err *err)
{
	int rc;

	if (!w->created) {
		w->finished = true;
		return CDC_OK;
	}
	rc = cdc_writer_flush(&w->out, err);
	if (rc < 0)
		return rc;
	if (w->io->fsync(w->io->ctx, w->fd) < 0)
		return cdc_fail_errno(err, errno, "%s", w->path.p);
	rc = w->io->close(w->io->ctx, w->fd);
	w->fd = -1;
	if (rc < 0)
		return cdc_fail_errno(err, errno, "%s", w->path.p);
	w->finished = true;
	return CDC_OK;
}

const char *cdc_dv_writer_path(const struct cdc_dv_writer *w)
{
	return w->path.p;
}

void cdc_dv_writer_free(struct cdc_dv_writer *w)
{
	if (!w)
		return;
	if (w->fd >= 0)
		w->io->close(w->io->ctx, w->fd);
	if (w->created && !w->finished)
		w->io->unlink(w->io->ctx, w->path.p);
	if (w->created)
		cdc_writer_free(&w->out);
	cdc_buf_free(&w->scratch);
	cdc_buf_free(&w->path);
	free(w->table);
	free(w);
}
