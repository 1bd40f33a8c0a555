/*
 * The container of an archive, by libarchive: its formats and compressions by suffix. What it
 * writes goes to a writer of ours. (The 7z format alone holds its content in an unlinked temporary
 * file of the library's, under $TMPDIR, until it ends.)
 */
#include "table/archive/archive_int.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>

struct format {
	const char *suffix;
	int (*set_format)(struct archive *a);
	int (*add_filter)(struct archive *a);
};

/* A longer suffix comes before one that it ends in. */
static const struct format formats[] = {
	{ ".tar", archive_write_set_format_pax_restricted, archive_write_add_filter_none },
	{ ".tar.gz", archive_write_set_format_pax_restricted, archive_write_add_filter_gzip },
	{ ".tgz", archive_write_set_format_pax_restricted, archive_write_add_filter_gzip },
	{ ".tar.bz2", archive_write_set_format_pax_restricted, archive_write_add_filter_bzip2 },
	{ ".tbz2", archive_write_set_format_pax_restricted, archive_write_add_filter_bzip2 },
	{ ".tar.xz", archive_write_set_format_pax_restricted, archive_write_add_filter_xz },
	{ ".txz", archive_write_set_format_pax_restricted, archive_write_add_filter_xz },
	{ ".tar.zst", archive_write_set_format_pax_restricted, archive_write_add_filter_zstd },
	{ ".tzst", archive_write_set_format_pax_restricted, archive_write_add_filter_zstd },
	{ ".tar.lz4", archive_write_set_format_pax_restricted, archive_write_add_filter_lz4 },
	{ ".zip", archive_write_set_format_zip, archive_write_add_filter_none },
	{ ".cpio", archive_write_set_format_cpio, archive_write_add_filter_none },
	{ ".7z", archive_write_set_format_7zip, archive_write_add_filter_none },
};

const char cdc_archive_suffixes[] =
	".tar .tar.gz .tgz .tar.bz2 .tbz2 .tar.xz .txz .tar.zst .tzst .tar.lz4 .zip .cpio .7z";

struct cdc_pack {
	struct archive *a;
	struct archive_entry *entry;
	struct cdc_writer *out;
	struct cdc_err why; /* why writing to `out` failed */
	bool failed;
};

static const struct format *find_format(const char *name)
{
	size_t n = strlen(name);

	if (!strcmp(name, "-"))
		return &formats[0];
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		size_t len = strlen(formats[i].suffix);

		if (n >= len &&
		    cdc_str_ieq(cdc_str(name + n - len, len), cdc_str(formats[i].suffix, len)))
			return &formats[i];
	}
	return NULL;
}

bool cdc_archive_known(const char *name)
{
	return find_format(name) != NULL;
}

size_t cdc_pack_suffix(const char *name)
{
	const struct format *f = strcmp(name, "-") ? find_format(name) : NULL;

	return f ? strlen(f->suffix) : 0;
}

/* ------------------------------------------------------------------ errors */

/* What a call of the library came to. A warning is about what nobody needs, as a time zone. */
static int outcome(struct cdc_pack *p, int rc, struct cdc_err *err)
{
	if (rc >= ARCHIVE_WARN)
		return CDC_OK;
	if (p->failed) {
		*err = p->why;
		return err->code;
	}
	if (archive_errno(p->a) == ENOMEM)
		return cdc_fail_nomem(err);
	if (rc == ARCHIVE_FAILED)
		return cdc_fail(err, CDC_EUNSUPPORTED, "the archive's format: %s",
				archive_error_string(p->a));
	cdc_fail(err, CDC_EIO, "cannot make the archive: %s", archive_error_string(p->a));
	err->sys_errno = archive_errno(p->a);
	return err->code;
}

static la_ssize_t put(struct archive *a, void *ctx, const void *data, size_t n)
{
	struct cdc_pack *p = ctx;

	if (!p->failed && cdc_writer_put(p->out, data, n, &p->why) == CDC_OK)
		return (la_ssize_t)n;
	p->failed = true;
	archive_set_error(a, EIO, "write failed");
	return -1;
}

/* ------------------------------------------------------------------ the archive */

/* No padding after the end: it would stand behind a compressed stream. No time in gzip's head. */
static int set_up(struct cdc_pack *p, const struct format *f)
{
	int rc = f->set_format(p->a);

	if (rc >= ARCHIVE_WARN)
		rc = f->add_filter(p->a);
	if (rc >= ARCHIVE_WARN)
		rc = archive_write_set_bytes_in_last_block(p->a, 1);
	if (rc >= ARCHIVE_WARN && f->add_filter == archive_write_add_filter_gzip)
		rc = archive_write_set_filter_option(p->a, "gzip", "timestamp", NULL);
	if (rc >= ARCHIVE_WARN)
		rc = archive_write_open2(p->a, p, NULL, put, NULL, NULL);
	return rc;
}

int cdc_pack_open(struct cdc_pack **out, const char *name, struct cdc_writer *w,
		  struct cdc_err *err)
{
	const struct format *f = find_format(name);
	struct cdc_pack *p;
	int rc;

	*out = NULL;
	if (!f)
		return cdc_fail(err, CDC_EUSAGE, "%s has no suffix of an archive (%s)", name,
				cdc_archive_suffixes);
	p = calloc(1, sizeof(*p));
	if (!p)
		return cdc_fail_nomem(err);
	p->out = w;
	p->a = archive_write_new();
	p->entry = archive_entry_new();
	rc = p->a && p->entry ? outcome(p, set_up(p, f), err) : cdc_fail_nomem(err);
	if (rc < 0)
		cdc_pack_free(p);
	else
		*out = p;
	return rc;
}

static int put_head(struct cdc_pack *p, const char *name, unsigned type, unsigned mode,
		    uint64_t size, int64_t mtime_s, struct cdc_err *err)
{
	archive_entry_clear(p->entry);
	archive_entry_set_pathname(p->entry, name);
	archive_entry_set_filetype(p->entry, type);
	archive_entry_set_perm(p->entry, mode);
	archive_entry_set_uid(p->entry, 0);
	archive_entry_set_gid(p->entry, 0);
	archive_entry_set_size(p->entry, (la_int64_t)size);
	archive_entry_set_mtime(p->entry, (time_t)mtime_s, 0);
	return outcome(p, archive_write_header(p->a, p->entry), err);
}

int cdc_pack_directory(struct cdc_pack *p, const char *name, int64_t mtime_s, struct cdc_err *err)
{
	return put_head(p, name, AE_IFDIR, 0755, 0, mtime_s, err);
}

int cdc_pack_file(struct cdc_pack *p, const char *name, uint64_t size, int64_t mtime_s,
		  struct cdc_err *err)
{
	int rc = put_head(p, name, AE_IFREG, 0644, size, mtime_s, err);

	return rc < 0 ? cdc_err_prefix(err, "%s", name) : rc;
}

int cdc_pack_data(struct cdc_pack *p, const void *data, size_t n, struct cdc_err *err)
{
	const char *at = data;

	while (n) {
		la_ssize_t put_bytes = archive_write_data(p->a, at, n);

		if (put_bytes < 0)
			return outcome(p, (int)put_bytes, err);
		if (put_bytes == 0)
			return cdc_fail(err, CDC_EINTERNAL, "a file is longer than its head says");
		at += put_bytes;
		n -= (size_t)put_bytes;
	}
	return CDC_OK;
}

int cdc_pack_finish(struct cdc_pack *p, struct cdc_err *err)
{
	return outcome(p, archive_write_close(p->a), err);
}

void cdc_pack_free(struct cdc_pack *p)
{
	if (!p)
		return;
	/* The library ends the archive first, which releases what its compression holds: put() then
	 * writes nothing any more. */
	p->failed = true;
	if (p->a)
		archive_write_free(p->a);
	archive_entry_free(p->entry);
	free(p);
}
