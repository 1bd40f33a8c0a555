/*
 * The new files as they are committed: rows that another writer deleted while they were written are
 * found again by their places, and marked in deletion vectors. See compact_int.h.
 *
 * The live rows of an input lie in the bin one after the other. So the place of a row that was
 * deleted since follows from how many rows before it were dead when the input was read.
 */
#include "table/compact/compact_int.h"

#include <stdlib.h>

#define PLACES 8192 /* read at once */

/* ------------------------------------------------------------------ places in the bin */

struct finding {
	const struct cdc_dv *before; /* NULL: none was deleted */
	uint64_t dead; /* rows deleted before, up to here */
	const struct compact_input *in;
	struct cdc_dv *gone; /* places in the bin's order of reading */
	bool astray; /* a row that the file does not have */
	struct cdc_err *err;
};

static int find_row(void *ctx, uint64_t row)
{
	struct finding *f = ctx;

	if (row >= f->in->rows) {
		f->astray = true;
		return 1;
	}
	if (f->before && cdc_dv_contains(f->before, row)) {
		f->dead++;
		return CDC_OK;
	}
	return cdc_dv_add(f->gone, f->in->out_first + row - f->dead, f->err);
}

static int load_dv(struct compaction *k, const struct cdc_dv_ref *ref, struct cdc_dv **dv,
		   struct cdc_err *err)
{
	*dv = NULL;
	if (!ref->storage)
		return CDC_OK;
	return cdc_dv_load(dv, k->io, k->s->table, k->s->allow_external, ref, err);
}

/* What was deleted in an input since it was read. *kept: false when rows came back. */
static int find_deleted(struct compaction *k, const struct compact_input *in, struct cdc_dv *gone,
			bool *kept, struct cdc_err *err)
{
	struct finding f = { .in = in, .gone = gone, .err = err };
	struct cdc_dv *before = NULL, *now = NULL;
	int rc = load_dv(k, &in->add->dv, &before, err);

	if (!rc)
		rc = load_dv(k, &in->now.dv, &now, err);
	f.before = before;
	if (!rc && now)
		rc = cdc_dv_each(now, find_row, &f);
	if (f.astray)
		rc = CDC_OK;
	if (!rc)
		*kept = !f.astray && f.dead == (before ? cdc_dv_count(before) : 0);
	cdc_dv_free(before);
	cdc_dv_free(now);
	return rc;
}

/* ------------------------------------------------------------------ places in the files */

static uint64_t output_rows(const struct compaction *k, const struct compact_bin *b, size_t i)
{
	size_t n;
	const struct cdc_add *add = cdc_datawriter_adds(k->writer, &n);
	int64_t rows = cdc_stats_num_records(add[b->first_output + i].stats);

	return rows > 0 ? (uint64_t)rows : 0;
}

/* Of a sorted bin: its outputs' rows tell where they were in the order of reading. */
static int find_sorted(struct compaction *k, const struct compact_bin *b, const struct cdc_dv *gone,
		       struct cdc_dv **of_output, struct cdc_err *err)
{
	uint64_t *place = reallocarray(NULL, PLACES, sizeof(*place));
	uint64_t at = 0; /* row of the bin's outputs, all counted */
	int rc = place ? CDC_OK : cdc_fail_nomem(err);

	for (size_t i = 0; !rc && i < b->num_outputs; i++) {
		uint64_t rows = output_rows(k, b, i);

		for (uint64_t done = 0; !rc && done < rows;) {
			size_t n = rows - done < PLACES ? (size_t)(rows - done) : PLACES;

			rc = cdc_io_pread_full(k->io, b->places_fd, place, n * sizeof(*place),
					       at * sizeof(*place), "temporary file", err);
			for (size_t j = 0; !rc && j < n; j++)
				if (cdc_dv_contains(gone, place[j]))
					rc = cdc_dv_add(of_output[i], done + j, err);
			done += n;
			at += n;
		}
	}
	free(place);
	return rc;
}

static void free_sets(struct cdc_dv **set, size_t n)
{
	for (size_t i = 0; set && i < n; i++)
		cdc_dv_free(set[i]);
	free(set);
}

/* A set for each output of the bin; the first is that of a packed bin's only one. */
static int new_sets(size_t n, struct cdc_dv ***out, struct cdc_err *err)
{
	struct cdc_dv **set = calloc(n + 1, sizeof(*set));
	int rc = set ? CDC_OK : cdc_fail_nomem(err);

	for (size_t i = 0; !rc && i < n; i++)
		rc = cdc_dv_new(&set[i], err);
	if (rc) {
		free_sets(set, n);
		set = NULL;
	}
	*out = set;
	return rc;
}

/* The rows of each output that are deleted by now; *set stays NULL where there are none. */
static int find_marks(struct compaction *k, struct compact_bin *b, struct cdc_dv ***set,
		      struct cdc_err *err)
{
	struct cdc_dv *gone = NULL;
	bool kept = true;
	int rc = CDC_OK;

	*set = NULL;
	for (size_t i = 0; !rc && kept && i < b->n; i++) {
		if (!b->input[i].marked)
			continue;
		if (!gone)
			rc = cdc_dv_new(&gone, err);
		if (!rc)
			rc = find_deleted(k, &b->input[i], gone, &kept, err);
	}
	if (!rc && gone && cdc_dv_count(gone)) {
		/* Without the property no new deletion vectors may be written. */
		kept = kept && b->num_outputs && cdc_deletion_vectors_on(k->s);
		if (kept)
			rc = new_sets(b->num_outputs, set, err);
		if (!rc && kept && b->places_fd >= 0)
			rc = find_sorted(k, b, gone, *set, err);
		else if (!rc && kept)
			rc = cdc_dv_union((*set)[0], gone, err);
	}
	b->lost = b->lost || !kept;
	cdc_dv_free(gone);
	return rc;
}

/* ------------------------------------------------------------------ the outcome */

static int put_dv(struct compaction *k, struct compact_outcome *o, struct cdc_dv *dv,
		  struct cdc_add *add, struct cdc_err *err)
{
	struct cdc_buf stats = CDC_BUF_INIT;
	int rc = o->dvs ? CDC_OK : cdc_dv_writer_new(&o->dvs, k->io, k->s->table, err);

	if (!rc)
		rc = cdc_dv_writer_add(o->dvs, dv, &add->dv, &k->arena, err);
	if (!rc)
		rc = cdc_stats_loosen(add->stats, cdc_stats_num_records(add->stats), &stats, err);
	if (!rc) {
		o->dvs_written++;
		add->stats = cdc_str(cdc_arena_dup(&k->arena, stats.p, stats.len), stats.len);
		rc = add->stats.p ? CDC_OK : cdc_fail_nomem(err);
	}
	cdc_buf_free(&stats);
	return rc;
}

static int put_outputs(struct compaction *k, struct compact_outcome *o, struct compact_bin *b,
		       struct cdc_dv **set, struct cdc_err *err)
{
	size_t n;
	const struct cdc_add *add = cdc_datawriter_adds(k->writer, &n);
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < b->num_outputs; i++) {
		uint64_t dead = set ? cdc_dv_count(set[i]) : 0;
		struct cdc_add *to = &o->add[o->num_adds];

		/* A file without a live row has no place in the table. */
		if (dead && dead == output_rows(k, b, i)) {
			o->empty[o->num_empty++] = b->first_output + i;
			continue;
		}
		*to = add[b->first_output + i];
		if (dead)
			rc = put_dv(k, o, set[i], to, err);
		o->num_adds++;
	}
	return rc;
}

static int put_bin(struct compaction *k, struct compact_outcome *o, struct compact_bin *b,
		   struct cdc_err *err)
{
	int64_t now_ms = k->io->now_us(k->io->ctx) / 1000;
	struct cdc_dv **set = NULL;
	int rc = b->lost ? CDC_OK : find_marks(k, b, &set, err);

	if (!rc && b->lost) {
		for (size_t i = 0; i < b->num_outputs; i++)
			cdc_datawriter_discard(k->writer, b->first_output + i);
	} else if (!rc) {
		rc = put_outputs(k, o, b, set, err);
		for (size_t i = 0; i < b->n; i++)
			cdc_remove_of(&b->input[i].now, now_ms, false,
				      &o->remove[o->num_removes++]);
	}
	free_sets(set, b->num_outputs);
	return rc;
}

int compact_carry(struct compaction *k, struct compact_outcome *o, struct cdc_err *err)
{
	size_t inputs = 0, outputs;
	int rc = CDC_OK;

	*o = (struct compact_outcome){ .add = NULL };
	(void)cdc_datawriter_adds(k->writer, &outputs);
	for (size_t i = 0; i < k->num_bins; i++)
		inputs += k->bin[i].n;
	o->add = calloc(outputs + 1, sizeof(*o->add));
	o->remove = calloc(inputs + 1, sizeof(*o->remove));
	o->empty = calloc(outputs + 1, sizeof(*o->empty));
	if (!o->add || !o->remove || !o->empty)
		rc = cdc_fail_nomem(err);
	for (size_t i = 0; !rc && i < k->num_bins; i++)
		rc = put_bin(k, o, &k->bin[i], err);
	if (!rc && o->dvs)
		rc = cdc_dv_writer_finish(o->dvs, err);
	if (!rc && o->dvs)
		rc = cdc_io_sync_dir(k->io, k->s->table, err);
	return rc;
}

void compact_outcome_free(struct compaction *k, struct compact_outcome *o, bool keep_files)
{
	const char *path = o->dvs ? cdc_dv_writer_path(o->dvs) : "";

	if (!keep_files && *path)
		k->io->unlink(k->io->ctx, path);
	cdc_dv_writer_free(o->dvs);
	free(o->add);
	free(o->remove);
	free(o->empty);
	*o = (struct compact_outcome){ .add = NULL };
}
