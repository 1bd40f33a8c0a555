/*
 * Inside the writing of archives: the container format, what goes into it, and the copy's log.
 */
#ifndef CDC_TABLE_ARCHIVE_INT_H
#define CDC_TABLE_ARCHIVE_INT_H

#include "base/hash.h"
#include "table/archive/archive.h"

/* ------------------------------------------------------------------ the container: archive_pack.c
 */

/* An archive that is being written. Names are plain ASCII. */
struct cdc_pack;

/* The format is that of the suffix of `name`; "-": tar. */
int cdc_pack_open(struct cdc_pack **p, const char *name, struct cdc_writer *out,
		  struct cdc_err *err) CDC_NODISCARD;
/* Length of the known suffix at the end of `name`, 0 without one. */
size_t cdc_pack_suffix(const char *name);
int cdc_pack_directory(struct cdc_pack *p, const char *name, int64_t mtime_s,
		       struct cdc_err *err) CDC_NODISCARD;
/* The head of a file, after which come exactly `size` bytes by cdc_pack_data. */
int cdc_pack_file(struct cdc_pack *p, const char *name, uint64_t size, int64_t mtime_s,
		  struct cdc_err *err) CDC_NODISCARD;
int cdc_pack_data(struct cdc_pack *p, const void *data, size_t n,
		  struct cdc_err *err) CDC_NODISCARD;
/* What is still held back. Does not flush the writer. */
int cdc_pack_finish(struct cdc_pack *p, struct cdc_err *err) CDC_NODISCARD;
void cdc_pack_free(struct cdc_pack *p); /* writes nothing any more */

/* ------------------------------------------------------------------ what goes in: archive_plan.c
 */

#define CDC_PLAN_NONE UINT32_MAX

/* A file of deletion vectors; several of the table's files may have theirs in it. */
struct cdc_plan_vector {
	const char *source; /* path in the file system */
	struct cdc_str name; /* in the copy */
	struct cdc_str uuid_path; /* pathOrInlineDv in the copy */
	uint64_t size;
};

struct cdc_plan {
	const struct cdc_io *io;
	const struct cdc_snapshot *s;
	char id[37]; /* of the copy; also in new names */
	struct cdc_str *name; /* of each of the snapshot's files in the copy, not encoded */
	uint32_t *vector_of; /* each file's file of deletion vectors, CDC_PLAN_NONE: none, or inline
			      */
	struct cdc_plan_vector *vector;
	uint32_t num_vectors;
	uint64_t bytes; /* of data files and of files of deletion vectors */
	/* the names that are taken */
	struct cdc_map names;
	struct cdc_str *taken;
	uint32_t num_taken;
	struct cdc_map sources; /* of vectors */
	struct cdc_arena arena;
};

/* Look at all files and name them. Free it after failure as well. */
int cdc_plan_make(struct cdc_plan *plan, const struct cdc_io *io, const struct cdc_snapshot *s,
		  struct cdc_err *err) CDC_NODISCARD;
void cdc_plan_free(struct cdc_plan *plan);

/* Path in the file system of a file of the snapshot, NUL-terminated in `out`. */
int cdc_plan_source(const struct cdc_snapshot *s, const struct cdc_add *add, struct cdc_buf *out,
		    struct cdc_err *err) CDC_NODISCARD;
/* Whether `path` is what may be copied; fills *st. */
int cdc_plan_look(const struct cdc_io *io, const struct cdc_snapshot *s, const char *path,
		  struct stat *st, struct cdc_err *err) CDC_NODISCARD;

/* ------------------------------------------------------------------ the log: archive_log.c */

typedef int cdc_text_fn(void *ctx, struct cdc_str text, struct cdc_err *err);

/* What the commit needs besides the plan, the same each time it is made. */
struct cdc_archive_log {
	const struct cdc_plan *plan;
	int64_t now_ms;
	char txn_id[37];
};

/* Make the copy's commit and give it to each() in pieces. */
int cdc_archive_log_make(const struct cdc_archive_log *log, cdc_text_fn *each, void *ctx,
			 struct cdc_err *err) CDC_NODISCARD;

#endif
