/*
 * The change data feed of a merge (spec section 12): the rows that a batch inserts, updates and
 * deletes, in files of their own below _change_data, with what became of each in _change_type. See
 * merge_internal.h.
 *
 * Where only rows come, or whole files go for a TRUNCATE, readers of the feed see that from the
 * add and remove actions, and no file is written.
 */
#include "table/merge/merge_internal.h"

static const struct cdc_field change_type = { .name = CDC_STR("_change_type"),
					      .physical_name = CDC_STR("_change_type"),
					      .type = CDC_TYPE_STRING,
					      .nullable = true,
					      .metadata = CDC_STR("{}") };

struct feeding {
	struct cdc_merge *m;
	struct batch *b;
	struct plan *p;
	struct groups *groups;
	struct outcome *o;
	const struct cdc_snapshot *s;
	struct gather g;
};

static int flush(struct feeding *k, struct cdc_err *err)
{
	return gather_flush(&k->g, k->o->feed, err);
}

/* Say what the row that was gathered last is. */
static int label(struct feeding *k, const char *type, struct cdc_err *err)
{
	union cdc_value v = { .s = cdc_str_z(type) };

	gather_extra(&k->g, 0, &v);
	return k->g.n == CDC_BATCH_ROWS ? flush(k, err) : CDC_OK;
}

/* The stored rows of a file that go. */
static int put_old_rows(struct feeding *k, const struct touched *t, struct cdc_err *err)
{
	struct cdc_datafile *df = NULL;
	struct cdc_datafile_scan *scan = NULL;
	struct cdc_batch rows = { .rows = 0 };
	uint64_t next = 0; /* first row after `rows` */
	int rc = cdc_datafile_open(&df, k->m->opt.io, k->s, t->add, err);

	if (!rc)
		rc = cdc_datafile_scan_new(&scan, df, NULL, k->s->schema.num_fields, err);
	for (size_t i = 0; !rc && i < t->n; i++) {
		uint64_t pos = t->match[i].pos;

		/* Strings are borrowed from the batch that is about to go. */
		if (pos >= next && k->g.n)
			rc = flush(k, err);
		if (!rc && pos >= next + CDC_BATCH_ROWS) {
			rc = cdc_datafile_scan_skip(scan, pos - next, err);
			next = pos;
		}
		while (!rc && pos >= next) {
			rc = cdc_datafile_scan_next(scan, &rows, err);
			next = rows.first_row + rows.rows;
		}
		if (rc)
			break;
		rc = gather_stored(&k->g, &rows, (uint32_t)(pos - rows.first_row), 1, err);
		if (rc)
			break;
		rc = label(k, t->match[i].pair == NO_INDEX ? "delete" : "update_preimage", err);
	}
	if (!rc && k->g.n)
		rc = flush(k, err);
	cdc_datafile_scan_free(scan);
	cdc_datafile_close(df);
	return rc == CDC_END ? cdc_fail(err, CDC_ECORRUPT, "a data file ends early") : rc;
}

static int put_new_rows(struct feeding *k, const struct group *g, struct cdc_err *err)
{
	for (uint32_t i = g->first; i != NO_INDEX; i = k->groups->next[i]) {
		const struct entry *e = &k->b->entry[i];

		if (gather_row(&k->g, &k->b->rows, e->row, err) ||
		    label(k, e->role == ENTRY_UPDATE ? "update_postimage" : "insert", err))
			return err->code;
	}
	return k->g.n ? flush(k, err) : CDC_OK;
}

static int put_group(struct feeding *k, const struct group *g, struct cdc_err *err)
{
	int num = k->s->metadata.num_partition_columns;

	if (cdc_datawriter_begin(k->o->feed, g->value, num, err))
		return err->code;
	for (size_t i = g->first_file; i != SIZE_MAX; i = k->groups->next_file[i])
		if (k->p->touched[i].n && put_old_rows(k, &k->p->touched[i], err))
			return err->code;
	if (put_new_rows(k, g, err))
		return err->code;
	return cdc_datawriter_end(k->o->feed, err);
}

static bool is_wanted(const struct feeding *k)
{
	const struct cdc_metadata *meta = &k->s->metadata;
	bool on = cdc_metadata_config_is(meta, "delta.enableChangeDataFeed", "true") ||
		  cdc_metadata_config_is(meta, "delta.enableChangeDataCapture", "true");
	bool changes = false;

	for (size_t i = 0; i < k->p->n; i++)
		changes = changes || k->p->touched[i].n;
	return on && changes && cdc_protocol_has_feature(&k->s->protocol, "changeDataFeed");
}

int write_feed(struct cdc_merge *m, struct batch *b, struct plan *p, struct groups *g,
	       struct outcome *o, struct cdc_err *err)
{
	struct feeding k = { m, b, p, g, o, m->target.snapshot, { .n = 0 } };
	struct cdc_datawriter_options opt = { .change_data = true,
					      .extra = &change_type,
					      .num_extra = 1 };
	int rc;

	if (!is_wanted(&k))
		return CDC_OK;
	if (cdc_schema_find(&k.s->schema, change_type.name) >= 0)
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"a change data feed of a table with a column \"_change_type\"");
	rc = cdc_datawriter_codec(k.s, &opt.codec, err);
	if (!rc)
		rc = cdc_datawriter_new(&o->feed, m->opt.io, k.s, &opt, err);
	if (!rc)
		rc = gather_init(&k.g, &k.s->schema, &change_type, 1, &o->arena, err);
	for (uint32_t i = 0; !rc && i < g->n; i++)
		rc = put_group(&k, &g->group[i], err);
	gather_free(&k.g);
	return rc ? rc : cdc_datawriter_sync(o->feed, err);
}
