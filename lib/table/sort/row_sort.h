/*
 * Sorting by bytes, with as much memory as is given: records of a key and a payload, by the bytes
 * of their keys. What does not fit goes to a temporary file in sorted runs, which are merged.
 *
 *	cdc_sorter_new
 *	cdc_sorter_add … in any order
 *	cdc_sorter_next … until CDC_END
 *	cdc_sorter_free
 */
#ifndef CDC_TABLE_ROW_SORT_H
#define CDC_TABLE_ROW_SORT_H

#include "io/io.h"

struct cdc_sorter;

#define CDC_SORT_LEAST ((uint64_t)1 << 20) /* less memory than that is not kept to */

/* tmpdir NULL: $TMPDIR or /tmp. */
int cdc_sorter_new(struct cdc_sorter **s, const struct cdc_io *io, const char *tmpdir,
		   uint64_t memory_bytes, struct cdc_err *err) CDC_NODISCARD;
void cdc_sorter_free(struct cdc_sorter *s);

/* Both are copied. CDC_ENOMEM: one has over 4 GiB. */
int cdc_sorter_add(struct cdc_sorter *s, struct cdc_str key, struct cdc_str payload,
		   struct cdc_err *err) CDC_NODISCARD;

/* The next record; equal keys come in any order. Slices live until the next call. CDC_END after the
 * last; CDC_EINTR when interrupted. */
int cdc_sorter_next(struct cdc_sorter *s, struct cdc_str *key, struct cdc_str *payload,
		    struct cdc_err *err) CDC_NODISCARD;

/* How many runs were written, those of merges too. */
uint64_t cdc_sorter_runs(const struct cdc_sorter *s);

#endif
