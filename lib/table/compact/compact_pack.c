/*
 * The bins of one partition to files, one each. See compact_int.h.
 *
 * Bins were planned by the sizes of their files. What comes out is smaller where many small files
 * were: two files that would fit into one are then written again as one, from the same inputs, or
 * a second run would find them. Files that were alone in their bins take part.
 */
#include "table/compact/compact_int.h"

#include <stdlib.h>

#define SEEN_BINS 64 /* that are looked at for room */

/*
 * Whether the next bin still fits the open file, by what the first came to: mostly that spares
 * writing it twice.
 */
static bool next_fits(const struct compaction *k, const struct compact_bin *b,
		      const struct compact_bin *next)
{
	uint64_t open = cdc_datawriter_open_bytes(k->writer);
	uint64_t more = next->bytes;

	if (next->idle || open > k->target)
		return false;
	if (open < b->bytes)
		more = (uint64_t)((unsigned __int128)more * open / b->bytes);
	return more <= k->target - open;
}

static int finish_file(struct compaction *k, struct compact_bin *b, struct cdc_err *err)
{
	const struct cdc_add *add;
	size_t n;
	int rc = cdc_datawriter_end(k->writer, err);

	if (rc)
		return rc;
	add = cdc_datawriter_adds(k->writer, &n);
	b->num_outputs = n - b->first_output;
	b->bytes = b->num_outputs ? (uint64_t)add[b->first_output].size_bytes : 0;
	b->written = true;
	return CDC_OK;
}

/* Write the bin and, while they fit, those after it up to `end`. */
static int write_bin(struct compaction *k, struct compact_bin *b, const struct compact_bin *end,
		     struct cdc_err *err)
{
	int rc;

	b->rows = 0;
	b->rows_copied = 0;
	(void)cdc_datawriter_adds(k->writer, &b->first_output);
	rc = compact_copy(k, b, 0, err);
	for (struct compact_bin *next = b + 1; !rc && next < end && next_fits(k, b, next); next++) {
		size_t had = b->n;

		rc = compact_join_bins(b, next, err);
		if (!rc)
			rc = compact_copy(k, b, had, err);
	}
	return rc ? rc : finish_file(k, b, err);
}

static int write_all(struct compaction *k, struct compact_bin *b, const struct compact_bin *end,
		     struct cdc_err *err)
{
	int rc = CDC_OK;

	for (; !rc && b < end; b++)
		if (b->n && !b->written && !b->idle)
			rc = write_bin(k, b, end, err);
	return rc;
}

/* ------------------------------------------------------------------ joining */

static void drop_outputs(struct compaction *k, struct compact_bin *b)
{
	for (size_t i = 0; i < b->num_outputs; i++)
		cdc_datawriter_discard(k->writer, b->first_output + i);
	b->num_outputs = 0;
	b->written = false;
	b->idle = false;
}

static bool is_small(const struct compaction *k, const struct compact_bin *b)
{
	return b->n && b->bytes < k->target - k->target / 4;
}

/* Inputs in the order of the log, whose files lie one after the other in the snapshot. */
static int by_place(const void *a, const void *b)
{
	const struct compact_input *x = a, *y = b;

	return (x->add > y->add) - (x->add < y->add);
}

/* An earlier bin with room for this one; NULL: none. */
static struct compact_bin *find_room(const struct compaction *k, struct compact_bin *first,
				     const struct compact_bin *b)
{
	size_t at = (size_t)(b - first);
	int seen = 0;

	while (at > 0 && seen < SEEN_BINS) {
		struct compact_bin *to = &first[--at];

		if (is_small(k, to) && b->bytes <= k->target - to->bytes)
			return to;
		seen += to->n != 0;
	}
	return NULL;
}

/* Join bins that fit together. *joined: there were some. */
static int join_fitting(struct compaction *k, struct compact_bin *first,
			const struct compact_bin *end, bool *joined, struct cdc_err *err)
{
	for (struct compact_bin *b = first; b < end; b++) {
		struct compact_bin *to = is_small(k, b) ? find_room(k, first, b) : NULL;

		if (!to)
			continue;
		drop_outputs(k, to);
		drop_outputs(k, b);
		if (compact_join_bins(to, b, err))
			return err->code;
		qsort(to->input, to->n, sizeof(*to->input), by_place);
		*joined = true;
	}
	return CDC_OK;
}

int compact_pack(struct compaction *k, struct compact_bin *first, struct compact_bin *end,
		 struct cdc_err *err)
{
	bool joined = true;
	int rc = CDC_OK;

	while (!rc && joined) {
		joined = false;
		rc = write_all(k, first, end, err);
		if (!rc)
			rc = join_fitting(k, first, end, &joined, err);
	}
	/* What stayed alone stays as it is. */
	for (struct compact_bin *b = first; b < end; b++)
		if (b->idle)
			b->n = 0;
	return rc;
}
