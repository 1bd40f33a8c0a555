/*
 * The commit of a compaction. When another writer was first its commits are taken in, and what is
 * left of the bins goes to the version after them. See compact_int.h.
 */
#include "table/compact/compact_int.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

#define NUM_METRICS 11
#define NUM_PARAMETERS 5

struct committing {
	struct compaction *k;
	const struct compact_outcome *o;
	struct cdc_kv param[NUM_PARAMETERS];
	struct cdc_kv metric[NUM_METRICS];
	int num_metrics;
	struct cdc_compact_result *r;
};

/* ------------------------------------------------------------------ commitInfo */

static int compare_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int metric(struct committing *c, const char *name, uint64_t v, struct cdc_err *err)
{
	struct cdc_kv *m = &c->metric[c->num_metrics++];
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)v);

	m->key = cdc_str_z(name);
	m->value = cdc_str(cdc_arena_dup(&c->k->arena, text, (size_t)n), (size_t)n);
	return m->value.p ? CDC_OK : cdc_fail_nomem(err);
}

/* Sizes of the new files at fractions of a quarter. */
static int size_metrics(struct committing *c, struct cdc_err *err)
{
	static const char *const name[] = { "minFileSize", "p25FileSize", "p50FileSize",
					    "p75FileSize", "maxFileSize" };
	size_t n = c->o->num_adds;
	int64_t *size = cdc_arena_calloc(&c->k->arena, n + 1, sizeof(*size));
	int rc = CDC_OK;

	if (!size)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		size[i] = c->o->add[i].size_bytes;
	qsort(size, n, sizeof(*size), compare_size);
	for (size_t i = 0; !rc && i < sizeof(name) / sizeof(name[0]); i++)
		rc = metric(c, name[i], (uint64_t)size[n ? (n - 1) * i / 4 : 0], err);
	return rc;
}

static void count(struct committing *c)
{
	struct cdc_compact_result *r = c->r;
	const struct compaction *k = c->k;

	r->files_added = c->o->num_adds;
	r->files_removed = c->o->num_removes;
	r->dvs_carried = c->o->dvs_written;
	r->bytes_added = r->bytes_removed = r->dvs_removed = 0;
	r->bins_lost = r->rows = r->rows_copied = 0;
	for (size_t i = 0; i < c->o->num_adds; i++)
		r->bytes_added += (uint64_t)c->o->add[i].size_bytes;
	for (size_t i = 0; i < c->o->num_removes; i++) {
		r->bytes_removed += (uint64_t)c->o->remove[i].size_bytes;
		r->dvs_removed += c->o->remove[i].dv.storage != 0;
	}
	for (size_t i = 0; i < k->num_bins; i++) {
		r->bins_lost += k->bin[i].lost;
		if (!k->bin[i].lost) {
			r->rows += k->bin[i].rows;
			r->rows_copied += k->bin[i].rows_copied;
		}
	}
}

static int fill_metrics(struct committing *c, struct cdc_err *err)
{
	const struct cdc_compact_result *r = c->r;
	const struct {
		const char *name;
		uint64_t v;
	} m[] = { { "numAddedFiles", r->files_added },
		  { "numRemovedFiles", r->files_removed },
		  { "numAddedBytes", r->bytes_added },
		  { "numRemovedBytes", r->bytes_removed },
		  { "numDeletionVectorsRemoved", r->dvs_removed },
		  { "numOutputRows", r->rows } };
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < sizeof(m) / sizeof(m[0]); i++)
		rc = metric(c, m[i].name, m[i].v, err);
	return rc ? rc : size_metrics(c, err);
}

/* The names, or the predicate, as a JSON array of strings. */
static int json_list(struct compaction *k, const char *const *text, struct cdc_str *out,
		     struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	int rc = cdc_buf_putc(&b, '[', err);

	for (size_t i = 0; !rc && text && text[i]; i++) {
		if (i)
			rc = cdc_buf_putc(&b, ',', err);
		if (!rc)
			rc = cdc_json_put_string(&b, cdc_str_z(text[i]), err);
	}
	if (!rc)
		rc = cdc_buf_putc(&b, ']', err);
	if (!rc) {
		*out = cdc_str(cdc_arena_dup(&k->arena, b.p, b.len), b.len);
		rc = out->p ? CDC_OK : cdc_fail_nomem(err);
	}
	cdc_buf_free(&b);
	return rc;
}

/* As Spark has them, and the order of a sort, which Spark does not know. */
static int fill_parameters(struct committing *c, int *n, struct cdc_err *err)
{
	const struct cdc_compact_options *opt = c->k->opt;
	const char *const where[] = { opt->where, NULL };
	const char *const *sort_by = opt->zorder ? NULL : opt->sort_by;
	struct cdc_kv *p = c->param;
	int rc;

	p[0].key = CDC_STR("predicate");
	rc = json_list(c->k, where, &p[0].value, err);
	p[1].key = CDC_STR("zOrderBy");
	if (!rc)
		rc = json_list(c->k, opt->zorder ? opt->sort_by : NULL, &p[1].value, err);
	p[2] = (struct cdc_kv){ CDC_STR("clusterBy"), CDC_STR("[]") };
	p[3] = (struct cdc_kv){ CDC_STR("auto"), CDC_STR("false") };
	p[4].key = CDC_STR("sortBy");
	if (!rc && sort_by)
		rc = json_list(c->k, sort_by, &p[4].value, err);
	*n = sort_by ? 5 : 4;
	return rc;
}

/* ------------------------------------------------------------------ commit */

static int put(struct compaction *k, struct compact_outcome *o, int64_t version,
	       struct cdc_err *err)
{
	static const struct cdc_kv preserved = { CDC_STR("delta.rowTracking.preserved"),
						 CDC_STR("true") };
	struct committing c = { .k = k, .o = o, .r = k->r };
	struct cdc_domain domain;
	bool has_domain;
	struct cdc_commit commit = { .operation = "OPTIMIZE",
				     .parameter = c.param,
				     .metric = c.metric,
				     .isolation = "SnapshotIsolation",
				     .read_version = k->s->version,
				     .add = o->add,
				     .num_adds = o->num_adds,
				     .remove = o->remove,
				     .num_removes = o->num_removes,
				     .domain = &domain,
				     .tag = &preserved,
				     .num_tags = k->tracked.num_columns > 0 };

	if (cdc_row_tracking_assign(k->s, k->row_id_mark, version, o->add, o->num_adds, &domain,
				    &has_domain, &k->arena, err))
		return err->code;
	commit.num_domains = has_domain;
	count(&c);
	if (fill_metrics(&c, err) || fill_parameters(&c, &commit.num_parameters, err))
		return err->code;
	commit.num_metrics = c.num_metrics;
	return cdc_commit_put(k->io, k->s->table, version, &commit, err);
}

/* One try at a version. *keep: its files may be in the log. */
static int try_version(struct compaction *k, int64_t version, bool *keep, struct cdc_err *err)
{
	struct compact_outcome o;
	int rc = compact_carry(k, &o, err);

	if (!rc && !o.num_removes)
		rc = cdc_fail(err, CDC_ECONFLICT, "other writers changed all files");
	if (!rc) {
		rc = put(k, &o, version, err);
		*keep = cdc_commit_may_be_there(k->io, k->s->table, version, rc);
	}
	for (size_t i = 0; !rc && i < o.num_empty; i++)
		cdc_datawriter_discard(k->writer, o.empty[i]);
	compact_outcome_free(k, &o, *keep);
	return rc;
}

/* All commits from *version on; it becomes the first that is not there. */
static int catch_up(struct compaction *k, int64_t *version, struct cdc_err *err)
{
	int rc;

	while (!(rc = compact_rebase(k, *version, err)))
		++*version;
	return rc == CDC_END ? CDC_OK : rc;
}

static bool any_left(const struct compaction *k)
{
	for (size_t i = 0; i < k->num_bins; i++)
		if (k->bin[i].n && !k->bin[i].lost)
			return true;
	return false;
}

int compact_commit(struct compaction *k, bool *keep, struct cdc_err *err)
{
	int64_t version = k->s->version + 1;
	int rc;

	*keep = false;
	while ((rc = try_version(k, version, keep, err)) == CDC_ECONFLICT && any_left(k)) {
		rc = compact_again(k->opt, k->r, err);
		if (!rc)
			rc = catch_up(k, &version, err);
		if (rc)
			return rc;
	}
	if (!rc)
		k->r->version = version;
	return rc;
}
