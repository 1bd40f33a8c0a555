/* Archives and compressed streams, through libarchive. See input.h. */
#include "source/input/input_int.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>

#define READ_BYTES ((size_t)256 << 10)

struct packed {
	const struct cdc_inputs *in;
	struct cdc_reader *r; /* of the packed bytes */
	struct archive *a;
	unsigned char *buf;
	uint64_t offset; /* of the next read, where reads have one */
	uint64_t unpacked;
	/* Of the current entry. */
	uint64_t at;
	uint64_t zeros; /* that come before the block */
	struct cdc_str block;
	bool failed; /* err holds why reading failed */
	struct cdc_err err;
	unsigned depth;
};

/* --- what libarchive reads ---------------------------------------------- */

static la_ssize_t read_some(struct archive *a, void *ctx, const void **out)
{
	struct packed *p = ctx;
	struct cdc_str head;
	int rc;

	if (p->r->pull || !p->r->regular) {
		/* All that is buffered, then one read at a time. */
		rc = cdc_reader_peek(p->r, 1, &head, &p->err);
		if (rc == CDC_OK) {
			size_t n = head.n < READ_BYTES ? head.n : READ_BYTES;

			memcpy(p->buf, head.p, n);
			cdc_reader_skip(p->r, n);
			*out = p->buf;
			return (la_ssize_t)n;
		}
	} else {
		ssize_t n = p->in->io->pread(p->in->io->ctx, p->r->fd, p->buf, READ_BYTES,
					     (off_t)p->offset);

		if (n >= 0) {
			p->offset += (uint64_t)n;
			*out = p->buf;
			return n;
		}
		(void)cdc_fail_errno(&p->err, errno, "cannot read %s", p->r->name);
	}
	p->failed = true;
	archive_set_error(a, EIO, "cannot read");
	return -1;
}

/* Only of regular files: zip and 7z have their directory at the end. */
static la_int64_t seek_to(struct archive *a, void *ctx, la_int64_t offset, int whence)
{
	struct packed *p = ctx;
	int64_t at = whence == SEEK_SET	  ? offset
		     : whence == SEEK_CUR ? (int64_t)p->offset + offset
					  : (int64_t)p->r->size + offset;

	(void)a;
	if (at < 0)
		return ARCHIVE_FATAL;
	p->offset = (uint64_t)at;
	return at;
}

static int open_archive(struct packed *p, struct cdc_err *err)
{
	int (*const support[])(struct archive *) = {
		archive_read_support_filter_gzip, archive_read_support_filter_bzip2,
		archive_read_support_filter_xz,	  archive_read_support_filter_zstd,
		archive_read_support_filter_lz4,  archive_read_support_format_tar,
		archive_read_support_format_zip,  archive_read_support_format_7zip,
		archive_read_support_format_raw,  archive_read_support_format_empty,
	};
	bool seekable = !p->r->pull && p->r->regular;

	p->buf = malloc(READ_BYTES);
	p->a = archive_read_new();
	if (!p->buf || !p->a)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < sizeof(support) / sizeof(support[0]); i++)
		(void)support[i](p->a);
	archive_read_set_read_callback(p->a, read_some);
	if (seekable)
		archive_read_set_seek_callback(p->a, seek_to);
	archive_read_set_callback_data(p->a, p);
	if (archive_read_open1(p->a) != ARCHIVE_OK)
		return cdc_fail(err, CDC_EDATA, "%s", archive_error_string(p->a));
	return CDC_OK;
}

/* The last failure: of reading, or of what was read. */
static int why(struct packed *p, struct cdc_err *err)
{
	const char *text = archive_error_string(p->a);

	if (p->failed) {
		*err = p->err;
		return err->code;
	}
	return cdc_fail(err, CDC_EDATA, "damaged: %s", text ? text : "it cannot be unpacked");
}

/* --- what is read from it ----------------------------------------------- */

int cdc_input_check_size(const struct cdc_inputs *in, uint64_t packed, uint64_t unpacked,
			 struct cdc_err *err)
{
	uint64_t max = in->max_unpacked ? in->max_unpacked : CDC_UNPACK_MAX;

	if (unpacked > max)
		return cdc_fail(err, CDC_EDATA,
				"it unpacks to more than %llu bytes (--max-unpacked)",
				(unsigned long long)max);
	if (unpacked > CDC_UNPACK_FREE && unpacked / CDC_UNPACK_RATIO > packed)
		return cdc_fail(err, CDC_EDATA, "it unpacks to more than %d times its size",
				CDC_UNPACK_RATIO);
	return CDC_OK;
}

static int check_size(struct packed *p, struct cdc_err *err)
{
	int64_t packed = archive_filter_bytes(p->a, -1);

	return cdc_input_check_size(p->in, packed > 0 ? (uint64_t)packed : 0, p->unpacked, err);
}

/* The next block of the entry; what it leaves out is zeros (sparse files). CDC_END at its end. */
static int next_block(struct packed *p, struct cdc_err *err)
{
	la_int64_t offset;
	const void *data;
	size_t n;
	int state = archive_read_data_block(p->a, &data, &n, &offset);

	if (state == ARCHIVE_EOF)
		return CDC_END;
	if (state < ARCHIVE_WARN)
		return why(p, err);
	if (offset < 0 || (uint64_t)offset < p->at)
		return cdc_fail(err, CDC_EDATA, "damaged: an entry's parts overlap");
	p->zeros = (uint64_t)offset - p->at;
	p->block = cdc_str(data, n);
	p->unpacked += p->zeros + n;
	return check_size(p, err);
}

/* One block at most, so that what is before damage is handed on. */
static ssize_t pull(void *ctx, void *buf, size_t n, struct cdc_err *err)
{
	struct packed *p = ctx;

	while (p->zeros == 0 && p->block.n == 0) {
		int rc = next_block(p, err);

		if (rc != CDC_OK)
			return rc < 0 ? rc : 0;
	}
	if (p->zeros) {
		n = p->zeros < n ? (size_t)p->zeros : n;
		memset(buf, 0, n);
		p->zeros -= n;
	} else {
		n = p->block.n < n ? p->block.n : n;
		memcpy(buf, p->block.p, n);
		p->block = cdc_str(p->block.p + n, p->block.n - n);
	}
	p->at += n;
	return (ssize_t)n;
}

/* The entry's name behind the archive's; a bare compressed stream has none. */
static void name_entry(const struct packed *p, struct archive_entry *e, char *out, size_t room)
{
	const char *name = archive_entry_pathname_utf8(e);

	if (!name)
		name = archive_entry_pathname(e);
	if (archive_format(p->a) == ARCHIVE_FORMAT_RAW || !name)
		(void)snprintf(out, room, "%s", p->r->name);
	else
		(void)snprintf(out, room, "%.127s/%.126s", p->r->name, name);
}

static int read_entry(struct packed *p, struct archive_entry *e, struct cdc_err *err)
{
	char name[256];
	struct cdc_reader r;
	int rc;

	name_entry(p, e, name, sizeof(name));
	if (archive_format(p->a) != ARCHIVE_FORMAT_RAW && archive_entry_filetype(e) != AE_IFREG) {
		if (p->in->passed && archive_entry_filetype(e) != AE_IFDIR)
			p->in->passed(p->in->ctx, name, "no regular file");
		return CDC_OK;
	}
	if (archive_entry_is_encrypted(e)) {
		cdc_fail(err, CDC_EDATA, "the entry is encrypted");
		cdc_err_file(err, name);
		return CDC_EDATA;
	}
	if (archive_format(p->a) != ARCHIVE_FORMAT_RAW && cdc_input_is_passed(name, p->in))
		return CDC_OK;
	p->at = p->zeros = 0;
	p->block = CDC_STR("");
	rc = cdc_reader_pull(&r, p->in->io, pull, p, name, err);
	if (rc == CDC_OK)
		rc = cdc_input_open(p->in, &r, p->depth + 1, err);
	if (rc < 0)
		cdc_err_file(err, name);
	cdc_reader_close(&r);
	return rc;
}

int cdc_input_too_deep(const struct cdc_reader *r, struct cdc_err *err)
{
	cdc_fail(err, CDC_EDATA, "packed inside what is packed inside what is packed");
	cdc_err_file(err, r->name);
	return CDC_EDATA;
}

int cdc_input_unpack(const struct cdc_inputs *in, struct cdc_reader *r, unsigned depth,
		     struct cdc_err *err)
{
	struct packed p = { .in = in, .r = r, .depth = depth, .err = CDC_ERR_INIT };
	struct archive_entry *e;
	int rc;

	if (depth >= CDC_INPUT_DEPTH_MAX)
		return cdc_input_too_deep(r, err);
	rc = open_archive(&p, err);
	while (rc == CDC_OK) {
		int state = archive_read_next_header(p.a, &e);

		if (state == ARCHIVE_EOF)
			break;
		/* A stream may be compressed several times; the last filter is none. */
		if (state >= ARCHIVE_WARN &&
		    depth + (unsigned)archive_filter_count(p.a) - 1 > CDC_INPUT_DEPTH_MAX) {
			rc = cdc_input_too_deep(r, err);
			break;
		}
		rc = state < ARCHIVE_WARN ? why(&p, err) : read_entry(&p, e, err);
	}
	if (rc < 0)
		cdc_err_file(err, r->name);
	if (p.a)
		(void)archive_read_free(p.a);
	free(p.buf);
	return rc;
}

/* --- what is packed ----------------------------------------------------- */

static bool is_octal(const char *p, size_t n, uint64_t *v)
{
	size_t digits = 0;

	*v = 0;
	for (size_t i = 0; i < n && p[i] && !(p[i] == ' ' && digits); i++) {
		if (p[i] == ' ')
			continue;
		if (p[i] < '0' || p[i] > '7')
			return false;
		*v = *v * 8 + (uint64_t)(p[i] - '0');
		digits++;
	}
	return digits > 0;
}

/* A tar header: its magic, and the sum of its bytes. */
bool cdc_input_is_tar(struct cdc_str head)
{
	uint64_t want, sum = 0;

	if (head.n < 512 || memcmp(head.p + 257, "ustar", 5) != 0 ||
	    !is_octal(head.p + 148, 8, &want))
		return false;
	for (size_t i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? ' ' : (unsigned char)head.p[i];
	return sum == want;
}

bool cdc_input_is_packed(struct cdc_str head)
{
	static const struct {
		const char *magic;
		size_t n;
	} magics[] = {
		{ "\x1f\x8b\x08", 3 },
		{ "\x28\xb5\x2f\xfd", 4 },
		{ "\xfd"
		  "7zXZ\0",
		  6 },
		{ "\x04\x22\x4d\x18", 4 },
		{ "PK\x03\x04", 4 },
		{ "PK\x05\x06", 4 },
		{ "7z\xbc\xaf\x27\x1c", 6 },
	};

	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (head.n >= magics[i].n && memcmp(head.p, magics[i].magic, magics[i].n) == 0)
			return true;
	}
	if (head.n >= 10 && memcmp(head.p, "BZh", 3) == 0 && memcmp(head.p + 4, "1AY&SY", 6) == 0)
		return true;
	return cdc_input_is_tar(head);
}
