/*
 * What becomes of the rows of a batch, once it is known what is stored: which are too late, which
 * change nothing, which replace a stored row and which are new; and how each file is written. See
 * merge_internal.h.
 *
 * All of it can be done again when another writer changed what is stored.
 */
#include "delta/row_tracking.h"
#include "table/merge/merge_internal.h"

#include <stdlib.h>

/* Files up to this size are rewritten rather than given a deletion vector. */
#define SMALL_FILE_BYTES (1 << 20)
/* Share of deleted rows, in percent, from which rewriting is the cheaper way. */
#define REWRITE_PERCENT 25

struct settling {
	struct cdc_merge *m;
	struct batch *b;
	struct plan *p;
	const struct cdc_snapshot *s;
};

/* ------------------------------------------------------------------ from the start */

static int compare_match(const void *a, const void *b)
{
	const struct match *x = a, *y = b;

	return (x->pos > y->pos) - (x->pos < y->pos);
}

/* Undo what an earlier attempt left. */
static void reset(struct settling *k)
{
	struct batch *b = k->b;

	for (uint32_t i = 0; i < b->n; i++) {
		struct entry *e = &b->entry[i];

		e->matches = 0;
		e->role = ENTRY_NONE;
		e->base_found = false;
		e->late = false;
		e->unchanged = false;
		e->placed = false;
		e->row_id = -1;
		e->dropped = false;
		for (int f = 0; e->has_unknown && f < b->rows.schema->num_fields; f++) {
			uint8_t *cell = &b->rows.column[f].cell[e->row];

			if (*cell >= CDC_CELL_KEPT_VALUE)
				*cell = CDC_CELL_UNKNOWN;
		}
	}
	for (uint32_t i = 0; i < b->n; i++)
		if (b->entry[i].rejected)
			drop_rejected(b, &b->entry[i]);
	for (size_t i = 0; i < k->p->n; i++) {
		struct touched *t = &k->p->touched[i];

		if (t->n != t->num_probed)
			qsort(t->match, t->num_probed, sizeof(*t->match), compare_match);
		t->n = t->num_probed;
	}
}

static void count_matches(struct settling *k)
{
	struct batch *b = k->b;

	k->p->result.duplicates = 0;
	for (size_t i = 0; i < k->p->n; i++) {
		const struct touched *t = &k->p->touched[i];

		for (size_t n = 0; n < t->n; n++) {
			struct entry *e = &b->entry[t->match[n].entry];

			k->p->result.duplicates += e->matches > 0;
			e->matches++;
			if (e->dependent != NO_INDEX)
				b->entry[e->dependent].base_found = true;
		}
	}
}

/* ------------------------------------------------------------------ dropping */

/* --sequence-by: a stored row that is newer stays, and a key change is late as a whole. */
static int drop_late(struct settling *k, struct cdc_err *err)
{
	struct batch *b = k->b;

	if (k->m->target.sequence < 0)
		return CDC_OK;
	for (size_t i = 0; i < k->p->n; i++)
		if (k->p->touched[i].n && stored_sequences(k->m, b, &k->p->touched[i], err))
			return err->code;
	for (uint32_t i = 0; i < b->n; i++) {
		struct entry *e = &b->entry[i];

		e->dropped |= e->late || (e->source != NO_INDEX && b->entry[e->source].late);
		k->p->result.late += e->late;
	}
	return CDC_OK;
}

/* --insert-only: a key that is stored stays as it is. */
static void drop_stored(struct settling *k)
{
	for (uint32_t i = 0; k->m->opt.insert_only && i < k->b->n; i++)
		if (k->b->entry[i].matches)
			k->b->entry[i].dropped = true;
}

static int drop_unchanged(struct settling *k, struct cdc_err *err)
{
	for (size_t i = 0; i < k->p->n; i++)
		if (stored_unchanged(k->m, k->b, &k->p->touched[i], err))
			return err->code;
	for (uint32_t i = 0; i < k->b->n; i++) {
		struct entry *e = &k->b->entry[i];

		e->dropped |= e->unchanged;
		k->p->result.unchanged += e->unchanged;
	}
	return CDC_OK;
}

/* Stored rows of entries that were dropped stay: their matches go behind the others. */
static void keep_stored_rows(struct settling *k)
{
	for (size_t i = 0; i < k->p->n; i++) {
		struct touched *t = &k->p->touched[i];
		size_t gone = 0;

		for (size_t n = 0; n < t->n; n++) {
			struct match m = t->match[n];

			if (k->b->entry[m.entry].dropped || k->m->opt.insert_only)
				continue;
			t->match[n] = t->match[gone];
			t->match[gone++] = m;
		}
		t->n = gone;
	}
}

/* ------------------------------------------------------------------ roles */

/*
 * Which written row is the update of which stored one. A row replaces the first stored one of its
 * key; where there is none and its key changed, the one that it came from, if that is not replaced
 * by a row of its own.
 */
static void pair(struct settling *k)
{
	struct batch *b = k->b;

	for (uint32_t i = 0; i < b->n; i++)
		if (is_written(&b->entry[i]))
			b->entry[i].role = ENTRY_INSERT;
	for (size_t i = 0; i < k->p->n; i++) {
		struct touched *t = &k->p->touched[i];

		for (size_t n = 0; n < t->n; n++) {
			struct entry *e = &b->entry[t->match[n].entry];

			t->match[n].pair = NO_INDEX;
			if (e->role != ENTRY_INSERT)
				continue;
			t->match[n].pair = t->match[n].entry;
			e->role = ENTRY_UPDATE;
		}
	}
	for (size_t i = 0; i < k->p->n; i++) {
		struct touched *t = &k->p->touched[i];

		for (size_t n = 0; n < t->n; n++) {
			const struct entry *e = &b->entry[t->match[n].entry];
			struct entry *d = e->dependent == NO_INDEX ? NULL : &b->entry[e->dependent];

			if (e->role != ENTRY_NONE || !d || d->role != ENTRY_INSERT)
				continue;
			t->match[n].pair = e->dependent;
			d->role = ENTRY_UPDATE;
		}
	}
}

/* Row tracking: an updated row keeps its id. */
static int find_row_ids(struct settling *k, struct cdc_err *err)
{
	struct cdc_tracked_table t;
	int rc = cdc_tracked_table_init(&t, k->s, err);

	for (size_t i = 0; !rc && t.num_columns && i < k->p->n; i++)
		rc = stored_row_ids(k->m, k->b, &k->p->touched[i], &t.table, err);
	cdc_tracked_table_free(&t);
	return rc;
}

static void count_rows(struct settling *k)
{
	struct cdc_merge_result *r = &k->p->result;
	uint64_t removed = 0;

	for (size_t i = 0; i < k->p->n; i++) {
		const struct touched *t = &k->p->touched[i];
		uint64_t dv = t->add->dv.storage ? (uint64_t)t->add->dv.cardinality : 0;

		removed += k->b->truncated ? t->rows - (dv < t->rows ? dv : t->rows) : t->n;
	}
	for (uint32_t i = 0; i < k->b->n; i++) {
		r->inserted += k->b->entry[i].role == ENTRY_INSERT;
		r->updated += k->b->entry[i].role == ENTRY_UPDATE;
	}
	r->deleted = removed - r->updated;
	r->records = k->b->records;
}

/* ------------------------------------------------------------------ files */

static int choose_ways(struct settling *k, struct cdc_err *err)
{
	bool enabled = cdc_deletion_vectors_on(k->s);
	enum cdc_merge_mode mode = k->m->opt.mode;

	if (mode == CDC_MERGE_DV && !enabled)
		return cdc_fail(err, CDC_EUSAGE,
				"--mode dv: the table has no deletion vectors "
				"(delta.enableDeletionVectors is not true)");
	for (size_t i = 0; i < k->p->n; i++) {
		struct touched *t = &k->p->touched[i];
		uint64_t gone = t->n + (t->dv ? cdc_dv_count(t->dv) : 0);

		t->rewrite = false;
		t->remove_only = t->n && gone >= t->rows;
		if (!t->n || t->remove_only)
			continue;
		if (!enabled || mode == CDC_MERGE_COW)
			t->rewrite = true;
		else if (mode == CDC_MERGE_AUTO)
			t->rewrite = t->add->size_bytes <= SMALL_FILE_BYTES ||
				     gone * 100 >= t->rows * REWRITE_PERCENT;
	}
	return CDC_OK;
}

/* What an earlier attempt counted goes, but for what the probes did. */
static void reset_counts(struct cdc_merge_result *r)
{
	*r = (struct cdc_merge_result){ .version = -1,
					.files_probed = r->files_probed,
					.files_skipped = r->files_skipped };
}

int settle_plan(struct cdc_merge *m, struct batch *b, struct plan *p, struct cdc_err *err)
{
	struct settling k = { .m = m, .b = b, .p = p, .s = m->target.snapshot };
	int rc = CDC_OK;

	reset_counts(&p->result);
	reset(&k);
	count_matches(&k);
	for (size_t i = 0; !rc && i < p->n; i++)
		rc = stored_bases(m, b, &p->touched[i], err);
	if (!rc)
		rc = drop_late(&k, err);
	if (!rc) {
		drop_stored(&k);
		rc = check_filled(m, b, err);
	}
	if (!rc)
		rc = drop_unchanged(&k, err);
	if (!rc)
		rc = check_constraints(m, b, err);
	if (rc)
		return rc;
	keep_stored_rows(&k);
	pair(&k);
	rc = find_row_ids(&k, err);
	if (!rc && !b->truncated)
		rc = choose_ways(&k, err);
	if (!rc)
		count_rows(&k);
	return rc;
}
