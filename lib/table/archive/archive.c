/*
 * Writing a table at one version as an archive. See archive.h.
 */
#include "table/archive/archive.h"

#include "table/archive/archive_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define COPY_BYTES ((size_t)256 << 10)

struct archiver {
	const struct cdc_archive_options *opt;
	const struct cdc_io *io;
	const struct cdc_snapshot *s;
	struct cdc_plan plan;
	struct cdc_pack *pack;
	struct cdc_archive_counts *counts;
	int64_t now_s;
	char *block; /* COPY_BYTES */
	struct cdc_buf base; /* the directory in the archive, with a slash */
	struct cdc_buf name;
	struct cdc_buf source;
};

/* ------------------------------------------------------------------ names in the archive */

/* The last component of a path, without slashes at its end. */
static struct cdc_str last_component(struct cdc_str path)
{
	size_t start;

	while (path.n && path.p[path.n - 1] == '/')
		path.n--;
	for (start = path.n; start && path.p[start - 1] != '/';)
		start--;
	return cdc_str(path.p + start, path.n - start);
}

/* The archive's name without its suffix; else the table's; else "table". In plain letters. */
static int make_base(struct archiver *a, struct cdc_err *err)
{
	const char *name = a->opt->name;
	struct cdc_str base = CDC_STR("");
	int rc = CDC_OK;

	if (strcmp(name, "-")) {
		base = last_component(cdc_str_z(name));
		base.n -= cdc_pack_suffix(name);
	}
	if (!base.n)
		base = last_component(cdc_str_z(a->s->table));
	if (!base.n || cdc_str_eqz(base, ".") || cdc_str_eqz(base, ".."))
		base = CDC_STR("table");
	for (size_t i = 0; rc == CDC_OK && i < base.n; i++) {
		char c = base.p[i];

		rc = cdc_buf_putc(&a->base, c > ' ' && c <= '~' && c != '\\' ? c : '_', err);
	}
	return rc < 0 ? rc : cdc_buf_putc(&a->base, '/', err);
}

static int set_name(struct archiver *a, struct cdc_str name, struct cdc_err *err)
{
	int rc;

	cdc_buf_reset(&a->name);
	rc = cdc_buf_put(&a->name, cdc_buf_str(&a->base), err);
	if (rc == CDC_OK)
		rc = cdc_buf_put(&a->name, name, err);
	return rc < 0 || cdc_buf_z(&a->name) ? rc : cdc_fail_nomem(err);
}

static int64_t seconds(const struct archiver *a, int64_t s)
{
	s = s < a->now_s ? s : a->now_s;
	return s > 0 ? s : 0;
}

/* ------------------------------------------------------------------ files */

static int copy_bytes(struct archiver *a, int fd, const char *source, uint64_t size,
		      struct cdc_err *err)
{
	for (uint64_t at = 0; at < size;) {
		size_t n = size - at < COPY_BYTES ? (size_t)(size - at) : COPY_BYTES;
		int rc = a->io->interrupted(a->io->ctx)
				 ? cdc_fail(err, CDC_EINTR, "interrupted")
				 : cdc_io_pread_full(a->io, fd, a->block, n, at, source, err);

		if (rc == CDC_OK)
			rc = cdc_pack_data(a->pack, a->block, n, err);
		if (rc < 0)
			return rc;
		at += n;
		a->counts->bytes += n;
		if (a->opt->on_progress)
			a->opt->on_progress(a->opt->ctx, a->counts->files, a->counts->bytes);
	}
	return CDC_OK;
}

/* The size was looked at for the plan; a file that changes while it is copied is damage. */
static int copy_file(struct archiver *a, const char *source, struct cdc_str name, uint64_t size,
		     struct cdc_err *err)
{
	struct stat st;
	int rc, fd = -1;

	rc = cdc_plan_look(a->io, a->s, source, &st, err);
	if (rc < 0)
		return rc;
	fd = a->io->open(a->io->ctx, source, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return cdc_fail_errno(err, errno, "cannot open %s", source);
	if (a->io->fstat(a->io->ctx, fd, &st) < 0)
		rc = cdc_fail_errno(err, errno, "cannot examine %s", source);
	else if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
		rc = cdc_fail(err, CDC_ECORRUPT, "file %s changed while it was copied", source);
	if (rc == CDC_OK)
		rc = set_name(a, name, err);
	if (rc == CDC_OK)
		rc = cdc_pack_file(a->pack, a->name.p, size, seconds(a, st.st_mtim.tv_sec), err);
	if (rc == CDC_OK)
		rc = copy_bytes(a, fd, source, size, err);
	a->io->close(a->io->ctx, fd);
	a->counts->files += rc == CDC_OK;
	return rc;
}

static int copy_files(struct archiver *a, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (uint32_t i = 0; rc == CDC_OK && i < a->plan.num_vectors; i++) {
		const struct cdc_plan_vector *v = &a->plan.vector[i];

		rc = copy_file(a, v->source, v->name, v->size, err);
	}
	for (size_t i = 0; rc == CDC_OK && i < a->s->num_adds; i++) {
		const struct cdc_add *add = &a->s->add[i];

		rc = cdc_plan_source(a->s, add, &a->source, err);
		if (rc == CDC_OK)
			rc = copy_file(a, a->source.p, a->plan.name[i], (uint64_t)add->size_bytes,
				       err);
	}
	return rc;
}

/* ------------------------------------------------------------------ the log */

static int count_text(void *ctx, struct cdc_str text, struct cdc_err *err)
{
	uint64_t *bytes = ctx;

	(void)err;
	*bytes += text.n;
	return CDC_OK;
}

static int pack_text(void *ctx, struct cdc_str text, struct cdc_err *err)
{
	struct archiver *a = ctx;

	return cdc_pack_data(a->pack, text.p, text.n, err);
}

/* The head of a file tells its size: the commit is made twice. */
static int put_log(struct archiver *a, struct cdc_err *err)
{
	struct cdc_archive_log log = { .plan = &a->plan,
				       .now_ms = a->io->now_us(a->io->ctx) / 1000 };
	int64_t mtime = seconds(a, a->now_s);
	uint64_t bytes = 0;
	int rc = cdc_io_uuid(a->io, log.txn_id, NULL, err);

	if (rc == CDC_OK)
		rc = cdc_archive_log_make(&log, count_text, &bytes, err);
	if (rc == CDC_OK && (rc = set_name(a, CDC_STR(""), err)) == CDC_OK)
		rc = cdc_pack_directory(a->pack, a->name.p, mtime, err);
	if (rc == CDC_OK && (rc = set_name(a, CDC_STR("_delta_log/"), err)) == CDC_OK)
		rc = cdc_pack_directory(a->pack, a->name.p, mtime, err);
	if (rc == CDC_OK)
		rc = set_name(a, CDC_STR("_delta_log/00000000000000000000.json"), err);
	if (rc == CDC_OK)
		rc = cdc_pack_file(a->pack, a->name.p, bytes, mtime, err);
	return rc < 0 ? rc : cdc_archive_log_make(&log, pack_text, a, err);
}

int cdc_archive_write(const struct cdc_archive_options *opt, struct cdc_writer *out,
		      struct cdc_archive_counts *counts, struct cdc_err *err)
{
	struct archiver a = { .opt = opt,
			      .io = opt->io,
			      .s = opt->snapshot,
			      .counts = counts,
			      .now_s = opt->io->now_us(opt->io->ctx) / 1000000,
			      .block = malloc(COPY_BYTES) };
	int rc;

	*counts = (struct cdc_archive_counts){ 0 };
	rc = cdc_plan_make(&a.plan, a.io, a.s, err);
	if (rc == CDC_OK && !a.block)
		rc = cdc_fail_nomem(err);
	if (rc == CDC_OK)
		rc = make_base(&a, err);
	if (rc == CDC_OK)
		rc = cdc_pack_open(&a.pack, opt->name, out, err);
	if (rc == CDC_OK)
		rc = put_log(&a, err);
	if (rc == CDC_OK)
		rc = copy_files(&a, err);
	if (rc == CDC_OK)
		rc = cdc_pack_finish(a.pack, err);
	cdc_pack_free(a.pack);
	cdc_plan_free(&a.plan);
	cdc_buf_free(&a.base);
	cdc_buf_free(&a.name);
	cdc_buf_free(&a.source);
	free(a.block);
	return rc;
}
