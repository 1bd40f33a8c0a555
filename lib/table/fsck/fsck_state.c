/*
 * Two states of one version, side by side: what a checkpoint holds against what the log says.
 */
#include "table/fsck/fsck_int.h"

#include <stdlib.h>

struct compare {
	struct fsck *k;
	struct fsck_place at;
	const struct cdc_snapshot *got; /* the checkpoint's */
	const struct cdc_snapshot *want; /* the log's */
	struct cdc_path_root root;
	struct cdc_arena arena;
	struct cdc_map map; /* of the files of one side */
	struct cdc_str *name; /* canonical */
	uint8_t *seen;
};

static int differs(struct compare *c, const char *what, struct cdc_err *err)
{
	return fsck_report(c->k, FSCK_CHECKPOINT_STATE, c->at, err,
			   "its %s is not what the log says", what);
}

static int file_differs(struct compare *c, struct cdc_str path, const char *what,
			struct cdc_err *err)
{
	return fsck_report(c->k, FSCK_CHECKPOINT_STATE, c->at, err,
			   "%s of \"%.*s\" is not what the log says", what, FSCK_SHOWN(path));
}

/* ------------------------------------------------------------------ metaData and protocol */

static bool has_entry(const struct cdc_kv *kv, int n, const struct cdc_kv *wanted)
{
	for (int i = 0; i < n; i++)
		if (cdc_str_eq(kv[i].key, wanted->key))
			return !kv[i].value.p == !wanted->value.p &&
			       cdc_str_eq(kv[i].value, wanted->value);
	return false;
}

/* Maps have no order. */
static bool same_map(const struct cdc_kv *a, int na, const struct cdc_kv *b, int nb)
{
	bool same = na == nb;

	for (int i = 0; same && i < na; i++)
		same = has_entry(b, nb, &a[i]);
	return same;
}

static bool has_name(const struct cdc_str *list, int n, struct cdc_str name)
{
	for (int i = 0; i < n; i++)
		if (cdc_str_eq(list[i], name))
			return true;
	return false;
}

static bool same_names(const struct cdc_str *a, int na, const struct cdc_str *b, int nb)
{
	bool same = na == nb;

	for (int i = 0; same && i < na; i++)
		same = has_name(b, nb, a[i]);
	return same;
}

static bool same_protocol(const struct cdc_protocol *a, const struct cdc_protocol *b)
{
	return a->reader_version == b->reader_version && a->writer_version == b->writer_version &&
	       same_names(a->reader_feature, a->num_reader_features, b->reader_feature,
			  b->num_reader_features) &&
	       same_names(a->writer_feature, a->num_writer_features, b->writer_feature,
			  b->num_writer_features);
}

static bool same_metadata(const struct cdc_metadata *a, const struct cdc_metadata *b)
{
	bool same = cdc_str_eq(a->id, b->id) && cdc_str_eq(a->name, b->name) &&
		    cdc_str_eq(a->description, b->description) &&
		    cdc_str_eq(a->schema_json, b->schema_json) &&
		    a->num_partition_columns == b->num_partition_columns;

	for (int i = 0; same && i < a->num_partition_columns; i++)
		same = cdc_str_eq(a->partition_column[i], b->partition_column[i]);
	return same && same_map(a->config, a->num_config, b->config, b->num_config);
}

static int compare_heads(struct compare *c, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (!same_protocol(&c->got->protocol, &c->want->protocol))
		rc = differs(c, "protocol", err);
	if (!rc && !same_metadata(&c->got->metadata, &c->want->metadata))
		rc = differs(c, "metaData", err);
	return rc;
}

/* ------------------------------------------------------------------ txns and domains */

/* What is older than the property allows may have been left out of the checkpoint. */
static bool may_be_dropped(const struct compare *c)
{
	struct cdc_str unused;

	return cdc_metadata_config(&c->want->metadata, "delta.setTransactionRetentionDuration",
				   &unused);
}

/* txns and domains are few: every one of the one side is looked for in the other. */
static int compare_txns(struct compare *c, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < c->want->num_txns; i++) {
		const struct cdc_txn *t = &c->want->txn[i];
		int64_t got = cdc_snapshot_txn(c->got, t->app_id);

		if (got != t->version && (got >= 0 || !may_be_dropped(c)))
			rc = fsck_report(c->k, FSCK_CHECKPOINT_STATE, c->at, err,
					 "its version of the application \"%.*s\" is %lld, and the "
					 "log says %lld",
					 FSCK_SHOWN(t->app_id), (long long)got,
					 (long long)t->version);
	}
	if (!rc && c->got->num_txns > c->want->num_txns)
		rc = differs(c, "number of txn actions", err);
	return rc;
}

static int compare_domains(struct compare *c, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < c->want->num_domains; i++) {
		const struct cdc_domain *d = &c->want->domain[i];
		size_t j = 0;

		while (j < c->got->num_domains && !cdc_str_eq(c->got->domain[j].domain, d->domain))
			j++;
		if (j == c->got->num_domains ||
		    !cdc_str_eq(c->got->domain[j].configuration, d->configuration))
			rc = file_differs(c, d->domain, "the domain metadata", err);
	}
	if (!rc && c->got->num_domains > c->want->num_domains)
		rc = differs(c, "number of domains", err);
	return rc;
}

/* ------------------------------------------------------------------ files */

static int canonical(struct compare *c, struct cdc_str uri, struct cdc_str *out,
		     struct cdc_err *err)
{
	int rc = cdc_path_canonical(&c->root, uri, out, err);

	if (rc)
		return rc;
	out->p = cdc_arena_dup(&c->arena, out->p, out->n);
	return out->p ? CDC_OK : cdc_fail_nomem(err);
}

/* Live files and removed ones are indexed alike. */
struct file {
	struct cdc_str path;
	const struct cdc_dv_ref *dv;
};

static struct file file_of(const struct cdc_snapshot *s, bool removed, size_t i)
{
	if (removed)
		return (struct file){ s->tombstone[i].path, &s->tombstone[i].dv };
	return (struct file){ s->add[i].path, &s->add[i].dv };
}

static int index_files(struct compare *c, bool removed, size_t n, struct cdc_err *err)
{
	int rc = CDC_OK;

	cdc_map_clear(&c->map);
	free(c->name);
	free(c->seen);
	c->name = calloc(n + 1, sizeof(*c->name));
	c->seen = calloc(n + 1, 1);
	if (!c->name || !c->seen)
		return cdc_fail_nomem(err);
	for (size_t i = 0; !rc && i < n; i++) {
		rc = canonical(c, file_of(c->got, removed, i).path, &c->name[i], err);
		if (!rc)
			rc = cdc_map_insert(&c->map, cdc_hash64(c->name[i].p, c->name[i].n),
					    (uint32_t)i, err);
	}
	return rc;
}

/* The checkpoint's twin of a file of the log; n: it has none. */
static int find_twin(struct compare *c, bool removed, const struct file *f, size_t n, size_t *out,
		     struct cdc_err *err)
{
	struct cdc_map_iter it;
	struct cdc_str name;
	uint32_t i;
	int rc = cdc_path_canonical(&c->root, f->path, &name, err);

	if (rc)
		return rc;
	*out = n;
	it = cdc_map_seek(&c->map, cdc_hash64(name.p, name.n));
	while (cdc_map_next(&c->map, &it, &i))
		if (cdc_str_eq(c->name[i], name) &&
		    cdc_dv_ref_equal(file_of(c->got, removed, i).dv, f->dv))
			*out = i;
	return CDC_OK;
}

static bool same_value(enum cdc_type t, bool has_a, const union cdc_value *a, bool has_b,
		       const union cdc_value *b)
{
	return !has_a || !has_b || cdc_value_cmp(t, a, b) == 0;
}

/*
 * Statistics may be kept as columns and come back in another form, or not be kept: what both tell
 * must agree.
 */
static int compare_stats(struct compare *c, const struct cdc_add *got, const struct cdc_add *want,
			 struct cdc_err *err)
{
	struct cdc_arena arena = CDC_ARENA_INIT;
	const struct cdc_schema *schema = &c->want->schema;
	struct cdc_file_stats a, b;
	bool same;
	int rc = cdc_stats_read(schema, got->stats, &arena, &a, err);

	if (!rc)
		rc = cdc_stats_read(schema, want->stats, &arena, &b, err);
	if (rc)
		goto out;
	same = !a.has_num_records || !b.has_num_records || a.num_records == b.num_records;
	for (int i = 0; same && i < schema->num_fields; i++) {
		const struct cdc_column_stats *x = &a.column[i], *y = &b.column[i];
		enum cdc_type t = schema->field[i].type;

		same = same_value(t, x->has_min, &x->min, y->has_min, &y->min) &&
		       same_value(t, x->has_max, &x->max, y->has_max, &y->max) &&
		       (!x->has_null_count || !y->has_null_count || x->null_count == y->null_count);
	}
	if (!same)
		rc = file_differs(c, want->path, "the statistics", err);
out:
	cdc_arena_free(&arena);
	return rc;
}

static int compare_add(struct compare *c, const struct cdc_add *got, const struct cdc_add *want,
		       struct cdc_err *err)
{
	int rc = CDC_OK;

	if (got->size_bytes != want->size_bytes)
		rc = file_differs(c, want->path, "the size", err);
	if (!rc && got->modification_time_ms != want->modification_time_ms)
		rc = file_differs(c, want->path, "the modification time", err);
	if (!rc && !same_map(got->partition_value, got->num_partition_values, want->partition_value,
			     want->num_partition_values))
		rc = file_differs(c, want->path, "a partition value", err);
	if (!rc && got->dv.cardinality != want->dv.cardinality)
		rc = file_differs(c, want->path, "the deletion vector", err);
	if (!rc && (got->has_base_row_id != want->has_base_row_id ||
		    (got->has_base_row_id && got->base_row_id != want->base_row_id)))
		rc = file_differs(c, want->path, "the baseRowId", err);
	if (!rc && got->stats.p && want->stats.p && !cdc_str_eq(got->stats, want->stats))
		rc = compare_stats(c, got, want, err);
	return rc;
}

/*
 * A removed file must be told of until its time is over: VACUUM goes by it. The checkpoint may tell
 * of one longer than the one before, which the log's state is on: they are made at different times.
 */
static int compare_files(struct compare *c, bool removed, struct cdc_err *err)
{
	size_t n = removed ? c->got->num_tombstones : c->got->num_adds;
	size_t m = removed ? c->want->num_tombstones : c->want->num_adds;
	const char *noun = removed ? "removed file" : "file";
	int rc = index_files(c, removed, n, err);

	for (size_t i = 0; !rc && i < m; i++) {
		struct file f = file_of(c->want, removed, i);
		size_t twin;

		rc = find_twin(c, removed, &f, n, &twin, err);
		if (rc)
			break;
		if (twin == n)
			rc = fsck_report(c->k, FSCK_CHECKPOINT_STATE, c->at, err,
					 "it lacks the %s \"%.*s\"", noun, FSCK_SHOWN(f.path));
		else if (!removed)
			rc = compare_add(c, &c->got->add[twin], &c->want->add[i], err);
		c->seen[twin] = 1;
	}
	if (removed && c->want->checkpoint_version >= 0)
		return rc;
	for (size_t i = 0; !rc && i < n; i++)
		if (!c->seen[i])
			rc = fsck_report(c->k, FSCK_CHECKPOINT_STATE, c->at, err,
					 "it has the %s \"%.*s\", which the log does not", noun,
					 FSCK_SHOWN(file_of(c->got, removed, i).path));
	return rc;
}

int fsck_compare(struct fsck *k, struct fsck_place at, const struct cdc_snapshot *got,
		 const struct cdc_snapshot *want, struct cdc_err *err)
{
	struct compare c = { .k = k, .at = at, .got = got, .want = want };
	int rc;

	c.root = (struct cdc_path_root){ .io = k->io, .table = k->table };
	rc = compare_heads(&c, err);
	if (!rc)
		rc = compare_txns(&c, err);
	if (!rc)
		rc = compare_domains(&c, err);
	if (!rc)
		rc = compare_files(&c, false, err);
	if (!rc)
		rc = compare_files(&c, true, err);
	cdc_path_root_free(&c.root);
	cdc_map_free(&c.map);
	cdc_arena_free(&c.arena);
	free(c.name);
	free(c.seen);
	return rc;
}
