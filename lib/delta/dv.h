/*
 * Deletion vectors: sets of row positions of a data file (Delta protocol, "Deletion Vectors").
 * The bitmaps are CRoaring's 64-bit Roaring bitmaps in the portable serialisation.
 */
#ifndef CDC_DELTA_DV_H
#define CDC_DELTA_DV_H

#include "io/io.h"

/* The descriptor of an add or remove action. storage == 0: the file has no deletion vector. */
struct cdc_dv_ref {
	char storage; /* 'u' file by UUID, 'p' absolute path, 'i' inline; 0 none */
	struct cdc_str path; /* pathOrInlineDv as in the log */
	bool has_offset;
	int32_t offset;
	int32_t size_bytes;
	int64_t cardinality;
};

/* Whether two descriptors name the same set: no offset is offset 0. */
bool cdc_dv_ref_equal(const struct cdc_dv_ref *a, const struct cdc_dv_ref *b);

struct cdc_dv; /* a set of row positions */

int cdc_dv_new(struct cdc_dv **dv, struct cdc_err *err) CDC_NODISCARD;
void cdc_dv_free(struct cdc_dv *dv);
int cdc_dv_add(struct cdc_dv *dv, uint64_t row, struct cdc_err *err) CDC_NODISCARD;
bool cdc_dv_contains(const struct cdc_dv *dv, uint64_t row);
uint64_t cdc_dv_count(const struct cdc_dv *dv);
int cdc_dv_union(struct cdc_dv *into, const struct cdc_dv *other,
		 struct cdc_err *err) CDC_NODISCARD;
/* Clears keep[i] for each i in 0..n-1 with row first + i in the set; returns how many. */
size_t cdc_dv_mask(const struct cdc_dv *dv, uint64_t first, size_t n, uint8_t *keep);
/* Visits rows in ascending order; stops when each() returns non-zero and returns that. */
int cdc_dv_each(const struct cdc_dv *dv, int (*each)(void *ctx, uint64_t row), void *ctx);

/* Read the set that `ref` describes; all three storage kinds, both magic numbers; size, CRC and
 * cardinality are checked (CDC_ECORRUPT). `table` is the table's root path; `external` allows a
 * file outside of it (path.h). */
int cdc_dv_load(struct cdc_dv **dv, const struct cdc_io *io, const char *table, bool external,
		const struct cdc_dv_ref *ref, struct cdc_err *err) CDC_NODISCARD;

/*
 * Writes several sets into one deletion_vector_<uuid>.bin in the table's root. Add each set, which
 * fills its descriptor (path text from `arena`); finish writes and fsyncs the file (the caller
 * syncs the directory before the commit); abort removes it.
 */
struct cdc_dv_writer;
int cdc_dv_writer_new(struct cdc_dv_writer **w, const struct cdc_io *io, const char *table,
		      struct cdc_err *err) CDC_NODISCARD;
int cdc_dv_writer_add(struct cdc_dv_writer *w, struct cdc_dv *dv, struct cdc_dv_ref *ref,
		      struct cdc_arena *arena, struct cdc_err *err) CDC_NODISCARD;
int cdc_dv_writer_finish(struct cdc_dv_writer *w, struct cdc_err *err) CDC_NODISCARD;
/* Full path of the file, for clean-up; "" before the first add, valid until free. */
const char *cdc_dv_writer_path(const struct cdc_dv_writer *w);
void cdc_dv_writer_free(struct cdc_dv_writer *w); /* removes an unfinished file */

/* What a 'u' descriptor calls deletion_vector_<uuid>.bin in the table's root. */
#define CDC_DV_UUID_TEXT 20
void cdc_dv_uuid_text(const uint8_t uuid[16], char out[CDC_DV_UUID_TEXT]);

/* Path of the file behind a 'u' or 'p' descriptor, NUL-terminated from `arena`, NULL for 'i'. */
int cdc_dv_file_path(const struct cdc_dv_ref *ref, const char *table, struct cdc_arena *arena,
		     const char **path, struct cdc_err *err) CDC_NODISCARD;

#endif
