/*
 * The inputs that an operand stands for: a file, what a compressed one holds, the entries of an
 * archive, the files under a directory.
 *
 * Compressed: gzip, bzip2, xz, zstd, lz4. Archives: tar in any of these or bare, zip, 7z. All are
 * told by their first bytes. An entry that is itself compressed or an archive is opened once more,
 * and what lies deeper is refused. Plain files are read as they are, without a copy.
 *
 * A directory's files come in the order of their topic, partition and offset where names tell them
 * (place.h), else by name, numbers in names counting as numbers. Passed over are hidden files, the
 * marks and indexes that Hadoop, Kafka and its sinks leave, and links.
 */
#ifndef CDC_SOURCE_INPUT_H
#define CDC_SOURCE_INPUT_H

#include "io/stream.h"

/* A bomb is not unpacked: past the first of these many bytes, this many times its own size. */
#define CDC_UNPACK_FREE ((uint64_t)1 << 30)
#define CDC_UNPACK_RATIO 1000
#define CDC_UNPACK_MAX ((uint64_t)1 << 40) /* default of max_unpacked */

struct cdc_inputs {
	const struct cdc_io *io;
	const char *tmpdir; /* for entries that must be a file (Parquet); NULL: the default */
	uint64_t max_unpacked; /* bytes of one file, 0: CDC_UNPACK_MAX */
	/* Called for each input; the reader is closed behind it. Stops when it fails. */
	int (*each)(void *ctx, struct cdc_reader *r, struct cdc_err *err);
	/* What is passed over, and why; may be NULL. */
	void (*passed)(void *ctx, const char *name, const char *why);
	void *ctx;
};

/* path "-" or NULL: standard input. CDC_EDATA: damaged, too large, nested too deep, encrypted. */
int cdc_inputs_of(const struct cdc_inputs *in, const char *path, struct cdc_err *err) CDC_NODISCARD;

#endif
