/*
 * Hadoop's checksums: beside "name" a file ".name.crc" may stand, by which Spark on a local disk
 * checks what it reads. One that does not match makes it refuse the file (spec section 20, T1).
 *
 * The form is that of ChecksumFileSystem: "crc", a zero byte, the bytes that each sum covers, and a
 * CRC-32 for each such piece, numbers big-endian.
 */
#include "table/fsck/fsck_int.h"

#include "base/endian.h"
#include "io/stream.h"
#include "parquet/pq_codec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define HEADER 8
#define PIECE_MAX ((uint32_t)1 << 20)

struct side {
	struct fsck *k;
	struct fsck_place at;
	struct cdc_buf sums; /* the whole of ".name.crc" */
	struct cdc_buf name;
	struct cdc_reader data;
	bool reading;
};

static int mismatch(struct side *s, const char *what, struct cdc_err *err)
{
	return fsck_report(s->k, FSCK_SIDE_FILE, s->at, err, "%s %s", strrchr(s->name.p, '/') + 1,
			   what);
}

static int check_pieces(struct side *s, uint32_t piece, struct cdc_err *err)
{
	size_t at = HEADER;

	for (;;) {
		struct cdc_str part;
		int rc = cdc_reader_peek(&s->data, piece, &part, err);

		if (rc < 0)
			return rc;
		if (!part.n)
			break;
		if (part.n > piece)
			part.n = piece; /* it gives what it has */
		if (at + 4 > s->sums.len)
			return mismatch(s, "covers less than the file", err);
		if (cdc_be32(s->sums.p + at) != cdc_pq_crc32(part.p, part.n))
			return mismatch(s, "does not match the file", err);
		at += 4;
		cdc_reader_skip(&s->data, part.n);
	}
	return at == s->sums.len ? CDC_OK : mismatch(s, "covers more than the file", err);
}

static int check(struct side *s, const char *path, struct cdc_err *err)
{
	uint32_t piece;
	int rc;

	if (s->sums.len < HEADER || memcmp(s->sums.p, "crc", 4) != 0)
		return mismatch(s, "is no checksum file", err);
	piece = cdc_be32(s->sums.p + 4);
	if (!piece || piece > PIECE_MAX)
		return mismatch(s, "is no checksum file", err);
	rc = cdc_reader_open(&s->data, s->k->io, path, err);
	s->reading = rc == CDC_OK;
	return rc ? rc : check_pieces(s, piece, err);
}

int fsck_side_file(struct fsck *k, const char *path, struct fsck_place at, struct cdc_err *err)
{
	struct side s = { .k = k, .at = at };
	struct cdc_err why = CDC_ERR_INIT;
	const char *slash = strrchr(path, '/');
	struct stat st;
	int rc = cdc_buf_printf(&s.name, err, "%.*s/.%s.crc", slash ? (int)(slash - path) : 1,
				slash ? path : ".", slash ? slash + 1 : path);

	if (rc || !cdc_buf_z(&s.name)) {
		rc = rc ? rc : cdc_fail_nomem(err);
		goto out;
	}
	if (k->io->lstat(k->io->ctx, s.name.p, &st) < 0 || !S_ISREG(st.st_mode))
		goto out;
	s.sums.max = CDC_LOG_JSON_MAX;
	rc = cdc_io_read_file(k->io, s.name.p, &s.sums, &why);
	if (!rc)
		rc = check(&s, path, &why);
	if (rc)
		rc = fsck_report_err(k, FSCK_SIDE_FILE, at, &why, err);
out:
	if (s.reading)
		cdc_reader_close(&s.data);
	cdc_buf_free(&s.sums);
	cdc_buf_free(&s.name);
	return rc;
}
