/*
 * Opening a Parquet file: magic, footer, the writer's known bugs; names to leaves.
 */
#include "parquet/pq_file.h"

#include "base/endian.h"
#include "parquet/pq_meta_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

/* "PAR1" in front; footer, its length and "PAR1" at the end (spec 1.1). */
enum { MAGIC = 4, TAIL = 8, LEAST = MAGIC + TAIL };

/* Read at once from the end: the footer is nearly always within. */
#define FIRST_READ (64u << 10)

/* Some 50 times what a table of 1000 columns and 100 row groups takes. */
#define MAX_FOOTER (1u << 30)

/* As in spec 4.4, and small enough for the cache to hold it and what is decoded from it. */
#define WINDOW (1u << 20)

/* ------------------------------------------------------------------ writers with bugs */

static bool read_number(struct cdc_str *s, uint32_t *v)
{
	size_t i = 0;

	*v = 0;
	for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++)
		*v = *v < 100000 ? *v * 10 + (uint32_t)(s->p[i] - '0') : *v;
	s->p += i;
	s->n -= i;
	return i > 0;
}

/* created_by is "<name> version <a>.<b>.<c>…" before the version given, or the name alone. */
static bool written_before(struct cdc_str by, const char *name, uint32_t a, uint32_t b, uint32_t c)
{
	static const char infix[] = " version ";
	size_t len = strlen(name);
	const uint32_t want[3] = { a, b, c };

	if (cdc_str_eqz(by, name))
		return true;
	if (by.n < len + sizeof(infix) - 1 || memcmp(by.p, name, len) != 0 ||
	    memcmp(by.p + len, infix, sizeof(infix) - 1) != 0)
		return false;
	by = cdc_str(by.p + len + sizeof(infix) - 1, by.n - len - (sizeof(infix) - 1));
	for (int i = 0; i < 3; i++) {
		uint32_t v = 0;

		if (!read_number(&by, &v))
			return false;
		if (v != want[i])
			return v < want[i];
		if (by.n > 0 && *by.p == '.')
			by = cdc_str(by.p + 1, by.n - 1);
	}
	return false;
}

static void judge_writer(struct cdc_pq_file *f)
{
	struct cdc_str by = f->meta.created_by;

	f->carried_prefix = written_before(by, "parquet-mr", 1, 8, 0);
	f->v2_flag_lies = written_before(by, "parquet-cpp", 3, 0, 0) ||
			  written_before(by, "parquet-cpp-arrow", 3, 0, 0);
}

/* ------------------------------------------------------------------ footer */

static int find_size(struct cdc_pq_file *f, struct cdc_err *err)
{
	struct stat st;

	if (f->size)
		return CDC_OK;
	if (f->io->fstat(f->io->ctx, f->fd, &st) < 0)
		return cdc_fail_errno(err, errno, "cannot examine '%s'", f->path);
	if (!S_ISREG(st.st_mode))
		return cdc_fail(err, CDC_ECORRUPT, "not a Parquet file: not a file at all");
	f->size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
	return CDC_OK;
}

/* The last eight bytes to the footer's length. */
static int check_tail(const struct cdc_pq_file *f, const char *tail, uint32_t *len,
		      struct cdc_err *err)
{
	if (memcmp(tail + 4, "PARE", MAGIC) == 0)
		return cdc_fail(err, CDC_EUNSUPPORTED, "the footer is encrypted");
	if (memcmp(tail + 4, "PAR1", MAGIC) != 0)
		return cdc_fail(err, CDC_ECORRUPT, "not a Parquet file: no PAR1 at its end");
	*len = cdc_le32(tail);
	if (*len > f->size - LEAST)
		return cdc_fail(err, CDC_ECORRUPT, "a footer of %u bytes in a file of %llu",
				(unsigned)*len, (unsigned long long)f->size);
	if (*len > MAX_FOOTER)
		return cdc_fail(err, CDC_EUNSUPPORTED, "a footer of %u bytes; the limit is %u",
				(unsigned)*len, (unsigned)MAX_FOOTER);
	return CDC_OK;
}

/* The footer's bytes, in the metadata's arena: its strings point there. */
static int read_footer_bytes(struct cdc_pq_file *f, const char **p, uint32_t *len,
			     struct cdc_err *err)
{
	size_t n = f->size < FIRST_READ ? (size_t)f->size : FIRST_READ;
	char *buf = cdc_arena_alloc(&f->meta.arena, n);
	char *whole;
	size_t have;
	int rc;

	if (!buf)
		return cdc_fail_nomem(err);
	rc = cdc_io_pread_full(f->io, f->fd, buf, n, f->size - n, f->path, err);
	if (rc < 0)
		return rc;
	rc = check_tail(f, buf + n - TAIL, len, err);
	if (rc < 0)
		return rc;
	f->footer_start = f->size - TAIL - *len;
	if (*len <= n - TAIL) {
		*p = buf + n - TAIL - *len;
		return CDC_OK;
	}
	whole = cdc_arena_alloc(&f->meta.arena, *len);
	if (!whole)
		return cdc_fail_nomem(err);
	have = n - TAIL;
	memcpy(whole + *len - have, buf, have);
	*p = whole;
	return cdc_io_pread_full(f->io, f->fd, whole, *len - have, f->footer_start, f->path, err);
}

static int read_footer(struct cdc_pq_file *f, struct cdc_err *err)
{
	const char *p = NULL;
	char magic[MAGIC];
	uint32_t len = 0;
	int rc;

	if (f->size < LEAST)
		return cdc_fail(err, CDC_ECORRUPT, "not a Parquet file: %llu bytes",
				(unsigned long long)f->size);
	rc = read_footer_bytes(f, &p, &len, err);
	if (rc < 0)
		return rc;
	rc = cdc_io_pread_full(f->io, f->fd, magic, MAGIC, 0, f->path, err);
	if (rc < 0)
		return rc;
	if (memcmp(magic, "PAR1", MAGIC) != 0)
		return cdc_fail(err, CDC_ECORRUPT, "not a Parquet file: no PAR1 at its beginning");
	rc = cdc_pq_metadata_read(&f->meta, p, len, err);
	if (rc < 0 && err->has_offset)
		err->offset += f->footer_start;
	return rc;
}

/* ------------------------------------------------------------------ public */

int cdc_pq_open(struct cdc_pq_file **out, const struct cdc_io *io, const char *path, uint64_t size,
		struct cdc_err *err)
{
	struct cdc_pq_file *f = calloc(1, sizeof(*f));
	int rc = CDC_ENOMEM;

	*out = NULL;
	if (!f)
		return cdc_fail_nomem(err);
	f->io = io;
	f->fd = -1;
	f->size = size;
	f->meta.arena = (struct cdc_arena)CDC_ARENA_INIT;
	f->codec = (struct cdc_pq_codec_ctx)CDC_PQ_CODEC_CTX_INIT;
	f->window = WINDOW;
	f->max_page = INT32_MAX;
	f->path = strdup(path);
	if (!f->path) {
		rc = cdc_fail_nomem(err);
		goto out;
	}
	/* Not to wait for a pipe's other end: that it is none is seen when it is open. */
	f->fd = io->open(io->ctx, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	if (f->fd < 0) {
		rc = cdc_fail_errno(err, errno, "cannot open '%s'", path);
		goto out;
	}
	rc = find_size(f, err);
	if (rc >= 0)
		rc = read_footer(f, err);
	if (rc < 0)
		goto out;
	judge_writer(f);
	*out = f;
	f = NULL;
out:
	if (rc < 0)
		cdc_err_file(err, path);
	cdc_pq_close(f);
	return rc;
}

void cdc_pq_close(struct cdc_pq_file *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		f->io->close(f->io->ctx, f->fd);
	cdc_pq_file_free_idle(f);
	cdc_arena_free(&f->meta.arena);
	cdc_pq_codec_ctx_free(&f->codec);
	free(f->path);
	free(f);
}

void cdc_pq_limit_page(struct cdc_pq_file *f, uint32_t bytes)
{
	f->max_page = bytes;
}

const struct cdc_pq_metadata *cdc_pq_metadata(const struct cdc_pq_file *f)
{
	return &f->meta;
}

uint64_t cdc_pq_size(const struct cdc_pq_file *f)
{
	return f->size;
}

int32_t cdc_pq_leaf_by_name(const struct cdc_pq_file *f, struct cdc_str name)
{
	const struct cdc_pq_schema *s = &f->meta.schema;
	int32_t found = -1;
	bool twice = false;

	for (int32_t i = 0; i < s->num_leaves; i++) {
		const struct cdc_pq_node *n = &s->node[s->leaf_node[i]];

		if (n->parent != 0)
			continue;
		if (cdc_str_eq(n->name, name))
			return i;
		if (cdc_str_ieq(n->name, name)) {
			twice = twice || found >= 0;
			found = i;
		}
	}
	return twice ? -1 : found;
}
