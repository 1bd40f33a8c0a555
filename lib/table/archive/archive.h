/*
 * A table at one version as an archive: one file that unpacks to a table of its own.
 *
 * In the archive there is one directory, called as the archive without its suffix. In it lie the
 * data files of the version, byte for byte, the files of their deletion vectors, and a log of one
 * commit, version 0. What the table had before, its tombstones and its change data stay behind.
 * Every path in the copy is relative and plain: a file that lies outside the table, or whose name
 * would not survive every format and file system, gets a new one.
 *
 * The copy's log: commitInfo of the operation CLONE; the protocol; the metadata with a new id,
 * since from here on the tables go their own ways, and all settings but those about the old log
 * (from when on it has in-commit timestamps, who coordinates its commits); transactions of
 * applications, so that a stream goes on in the copy where it stands in the source; domains; the
 * files with their statistics, tags, partition values and row ids, marked as a change of data.
 */
#ifndef CDC_TABLE_ARCHIVE_H
#define CDC_TABLE_ARCHIVE_H

#include "delta/log.h"
#include "io/stream.h"

/* Whether a file of that name is of a format that can be written. "-" is: a tar. */
bool cdc_archive_known(const char *name);
/* The suffixes, separated by spaces: for a message. */
extern const char cdc_archive_suffixes[];

struct cdc_archive_options {
	const struct cdc_io *io;
	const struct cdc_snapshot *snapshot;
	const char *name; /* of the archive, a path: tells the format, and the directory in it */
	/* Now and then, with what was written so far; may be NULL. */
	void (*on_progress)(void *ctx, uint64_t files, uint64_t bytes);
	void *ctx;
};

struct cdc_archive_counts {
	uint64_t files; /* data files and files of deletion vectors */
	uint64_t bytes; /* in them */
};

/*
 * Write the archive to `out`. All files are looked at before the first byte is written, and the
 * deletion vectors read. CDC_ECORRUPT: a file is not there, is no regular file, or has another size
 * than the log says; CDC_EUNSUPPORTED: a file outside the table without allow_external, a name or
 * size that the format cannot hold; CDC_EUSAGE: unknown suffix. Memory: some bytes a file, and what
 * the compression takes.
 *
 * The same table, name and clock give the same bytes. Times of files are theirs, in whole seconds
 * and not after the clock; owner and group are 0, modes 0644 and 0755.
 */
int cdc_archive_write(const struct cdc_archive_options *opt, struct cdc_writer *out,
		      struct cdc_archive_counts *counts, struct cdc_err *err) CDC_NODISCARD;

#endif
