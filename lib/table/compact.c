/*
 * Packing small files and dropping marked rows. See compact.h.
 */
#include "table/compact.h"

#include "delta/row_tracking.h"
#include "table/datawriter.h"
#include "table/scan.h"

#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_TARGET_BYTES ((int64_t)128 << 20)
#define DEFAULT_DV_PERCENT 5
#define DEFAULT_RETRIES 20
#define NUM_METRICS 11

/* Files that become one. */
struct bin {
	const struct cdc_add **file;
	size_t n;
	size_t cap;
	uint64_t bytes;
	bool purge; /* one of them has a deletion vector that has grown */
};

struct compaction {
	const struct cdc_compact_options *opt;
	const struct cdc_io *io;
	struct cdc_snapshot *s;
	uint64_t target;
	struct bin *bin;
	size_t num_bins;
	size_t cap_bins;
	struct cdc_datawriter *writer;
	struct cdc_arena arena;
	struct cdc_compact_result *r;
};

/* ------------------------------------------------------------------ choosing */

static bool dv_has_grown(const struct compaction *k, const struct cdc_add *a)
{
	int64_t rows = cdc_stats_num_records(a->stats);
	int percent = k->opt->dv_percent > 0 ? k->opt->dv_percent : DEFAULT_DV_PERCENT;

	if (!a->dv.storage)
		return false;
	return rows <= 0 || a->dv.cardinality > rows / 100 * percent + rows % 100 * percent / 100;
}

static struct cdc_str partition_value(const struct cdc_add *a, struct cdc_str column)
{
	for (int i = 0; i < a->num_partition_values; i++)
		if (cdc_str_eq(a->partition_value[i].key, column))
			return a->partition_value[i].value;
	return (struct cdc_str)CDC_STR_INIT;
}

/* Physical names of the partition columns, in the table's order. */
static struct cdc_str partition_column(const struct cdc_snapshot *s, int i)
{
	int f = cdc_schema_find(&s->schema, s->metadata.partition_column[i]);

	return f < 0 ? s->metadata.partition_column[i] : s->schema.field[f].physical_name;
}

static bool same_partition(const struct cdc_snapshot *s, const struct cdc_add *a,
			   const struct cdc_add *b)
{
	for (int i = 0; i < s->metadata.num_partition_columns; i++) {
		struct cdc_str column = partition_column(s, i);

		if (!cdc_str_eq(partition_value(a, column), partition_value(b, column)))
			return false;
	}
	return true;
}

static struct bin *open_bin(struct compaction *k, const struct cdc_add *a, uint64_t bytes)
{
	/* From the newest: files of one partition mostly come together. */
	for (size_t i = k->num_bins; i-- > 0 && i + 1000 > k->num_bins;) {
		struct bin *b = &k->bin[i];

		if (b->bytes + bytes <= k->target && same_partition(k->s, a, b->file[0]))
			return b;
	}
	if (k->num_bins == k->cap_bins) {
		size_t cap = k->cap_bins ? k->cap_bins * 2 : 16;
		struct bin *grown = realloc(k->bin, cap * sizeof(*grown));

		if (!grown)
			return NULL;
		k->bin = grown;
		k->cap_bins = cap;
	}
	k->bin[k->num_bins] = (struct bin){ .n = 0 };
	return &k->bin[k->num_bins++];
}

static int put_in_bin(struct compaction *k, const struct cdc_add *a, struct cdc_err *err)
{
	struct bin *b = open_bin(k, a, (uint64_t)a->size_bytes);

	if (!b)
		return cdc_fail_nomem(err);
	if (b->n == b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 8;
		const struct cdc_add **grown = realloc(b->file, cap * sizeof(*grown));

		if (!grown)
			return cdc_fail_nomem(err);
		b->file = grown;
		b->cap = cap;
	}
	b->file[b->n++] = a;
	b->bytes += (uint64_t)a->size_bytes;
	b->purge = b->purge || dv_has_grown(k, a);
	return CDC_OK;
}

/* Bins that are worth the work: several files, or a deletion vector to get rid of. */
static int choose(struct compaction *k, struct cdc_err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < k->s->num_adds; i++) {
		const struct cdc_add *a = &k->s->add[i];

		if ((uint64_t)a->size_bytes >= k->target - k->target / 4 && !dv_has_grown(k, a))
			continue;
		if (put_in_bin(k, a, err))
			return err->code;
	}
	for (size_t i = 0; i < k->num_bins; i++) {
		if (k->bin[i].n > 1 || k->bin[i].purge)
			k->bin[kept++] = k->bin[i];
		else
			free(k->bin[i].file);
	}
	k->num_bins = kept;
	return CDC_OK;
}

/* ------------------------------------------------------------------ writing */

static int write_bin(struct compaction *k, const struct bin *b, struct cdc_err *err)
{
	struct cdc_scan_options so = { .file = b->file, .num_files = b->n };
	int n = k->s->metadata.num_partition_columns;
	struct cdc_kv *value = cdc_arena_calloc(&k->arena, (size_t)n + 1, sizeof(*value));
	struct cdc_scan *scan = NULL;
	struct cdc_batch rows;
	int rc;

	if (!value)
		return cdc_fail_nomem(err);
	for (int i = 0; i < n; i++) {
		value[i].key = partition_column(k->s, i);
		value[i].value = partition_value(b->file[0], value[i].key);
		if (!value[i].value.n)
			value[i].value.p = NULL;
	}
	rc = cdc_datawriter_begin(k->writer, value, n, err);
	if (!rc)
		rc = cdc_scan_new(&scan, k->io, k->s, &so, err);
	while (!rc) {
		rc = cdc_scan_next(scan, &rows, err);
		if (!rc) {
			k->r->rows += rows.rows;
			rc = cdc_datawriter_write(k->writer, &rows, err);
		}
	}
	cdc_scan_free(scan);
	return rc == CDC_END ? cdc_datawriter_end(k->writer, err) : rc;
}

static int write_bins(struct compaction *k, struct cdc_err *err)
{
	/* A bin holds no more than the target: it becomes one file, or the next run would find the
	 * same work again. */
	struct cdc_datawriter_options opt = { .target_bytes = UINT64_MAX };
	int rc = cdc_datawriter_codec(k->s, &opt.codec, err);

	opt.codec_level = 3;
	if (!rc)
		rc = cdc_datawriter_new(&k->writer, k->io, k->s, &opt, err);
	for (size_t i = 0; !rc && i < k->num_bins; i++)
		rc = write_bin(k, &k->bin[i], err);
	return rc ? rc : cdc_datawriter_sync(k->writer, err);
}

/* ------------------------------------------------------------------ commit */

static int compare_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void metric(struct compaction *k, struct cdc_kv *m, const char *name, uint64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)v);

	m->key = cdc_str_z(name);
	m->value = cdc_str(cdc_arena_dup(&k->arena, text, (size_t)n), (size_t)n);
}

static int fill_metrics(struct compaction *k, const struct cdc_add *add, size_t n,
			struct cdc_kv m[NUM_METRICS], struct cdc_err *err)
{
	int64_t *size = cdc_arena_calloc(&k->arena, n + 1, sizeof(*size));
	const struct cdc_compact_result *r = k->r;
	size_t last = n ? n - 1 : 0;

	if (!size)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		size[i] = add[i].size_bytes;
	qsort(size, n, sizeof(*size), compare_size);
	metric(k, &m[0], "numAddedFiles", r->files_added);
	metric(k, &m[1], "numRemovedFiles", r->files_removed);
	metric(k, &m[2], "numAddedBytes", r->bytes_added);
	metric(k, &m[3], "numRemovedBytes", r->bytes_removed);
	metric(k, &m[4], "numDeletionVectorsRemoved", r->dvs_removed);
	metric(k, &m[5], "minFileSize", (uint64_t)size[0]);
	metric(k, &m[6], "p25FileSize", (uint64_t)size[last / 4]);
	metric(k, &m[7], "p50FileSize", (uint64_t)size[last / 2]);
	metric(k, &m[8], "p75FileSize", (uint64_t)size[last * 3 / 4]);
	metric(k, &m[9], "maxFileSize", (uint64_t)size[last]);
	metric(k, &m[10], "numOutputRows", r->rows);
	return CDC_OK;
}

static void count_files(struct compaction *k)
{
	struct cdc_compact_result *r = k->r;

	for (size_t b = 0; b < k->num_bins; b++) {
		for (size_t i = 0; i < k->bin[b].n; i++) {
			r->files_removed++;
			r->bytes_removed += (uint64_t)k->bin[b].file[i]->size_bytes;
			r->dvs_removed += k->bin[b].file[i]->dv.storage != 0;
		}
	}
}

static int put_commit(struct compaction *k, struct cdc_err *err)
{
	static const struct cdc_kv param[] = { { CDC_STR("predicate"), CDC_STR("[]") },
					       { CDC_STR("zOrderBy"), CDC_STR("[]") },
					       { CDC_STR("clusterBy"), CDC_STR("[]") },
					       { CDC_STR("auto"), CDC_STR("false") } };
	struct cdc_kv params[4], metrics[NUM_METRICS];
	struct cdc_commit c = { .operation = "OPTIMIZE",
				.parameter = params,
				.num_parameters = 4,
				.metric = metrics,
				.num_metrics = NUM_METRICS,
				.isolation = "SnapshotIsolation",
				.read_version = k->s->version };
	struct cdc_remove *remove =
		cdc_arena_calloc(&k->arena, k->r->files_removed + 1, sizeof(*remove));

	if (!remove)
		return cdc_fail_nomem(err);
	memcpy(params, param, sizeof(params));
	c.add = cdc_datawriter_adds(k->writer, &c.num_adds);
	k->r->files_added = c.num_adds;
	k->r->bytes_added = cdc_datawriter_bytes(k->writer);
	for (size_t b = 0; b < k->num_bins; b++)
		for (size_t i = 0; i < k->bin[b].n; i++)
			cdc_remove_of(k->bin[b].file[i], k->io->now_us(k->io->ctx) / 1000, false,
				      &remove[c.num_removes++]);
	c.remove = remove;
	if (fill_metrics(k, c.add, c.num_adds, metrics, err))
		return err->code;
	return cdc_commit_put(k->io, k->s->table, k->s->version + 1, &c, err);
}

static void forget(struct compaction *k, bool keep_files)
{
	for (size_t i = 0; i < k->num_bins; i++)
		free(k->bin[i].file);
	free(k->bin);
	cdc_datawriter_free(k->writer, keep_files);
	cdc_arena_free(&k->arena);
	cdc_snapshot_free(k->s);
}

/* One attempt on the latest state; CDC_ECONFLICT: somebody else committed meanwhile. */
static int attempt(const struct cdc_compact_options *opt, struct cdc_compact_result *r,
		   struct cdc_err *err)
{
	struct compaction k = { .opt = opt, .io = opt->io, .r = r };
	bool keep = false;
	int rc = cdc_snapshot_load(&k.s, opt->io, opt->table, -1, err);

	*r = (struct cdc_compact_result){ .version = -1 };
	if (!rc)
		rc = cdc_snapshot_check_writable(k.s, err);
	if (!rc && cdc_row_tracking_on(k.s))
		rc = cdc_fail(
			err, CDC_EUNSUPPORTED,
			"table uses writer feature rowTracking, which compaction cannot honour");
	if (!rc) {
		k.target = opt->target_bytes;
		if (!k.target)
			k.target = (uint64_t)cdc_snapshot_config_size(k.s, "delta.targetFileSize",
								      DEFAULT_TARGET_BYTES);
		rc = choose(&k, err);
	}
	if (!rc)
		count_files(&k);
	if (!rc && k.num_bins && !opt->dry_run) {
		rc = write_bins(&k, err);
		if (!rc) {
			rc = put_commit(&k, err);
			keep = cdc_commit_may_be_there(k.io, k.s->table, k.s->version + 1, rc);
		}
		if (!rc)
			r->version = k.s->version + 1;
	}
	forget(&k, keep);
	return rc;
}

/* Where a merge would write a checkpoint after its commit, this commit took its place. */
static void checkpoint_if_due(const struct cdc_compact_options *opt, int64_t version)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s = NULL;

	/* The commit stands whatever becomes of it. */
	if (!cdc_snapshot_load(&s, opt->io, opt->table, -1, &err) && cdc_checkpoint_due(s, version))
		(void)!cdc_checkpoint_write(opt->io, s, &err);
	cdc_snapshot_free(s);
}

int cdc_compact(const struct cdc_compact_options *opt, struct cdc_compact_result *r,
		struct cdc_err *err)
{
	int64_t start_us = opt->io->now_us(opt->io->ctx);
	int left = opt->retries ? opt->retries : DEFAULT_RETRIES;
	int rc;

	while ((rc = attempt(opt, r, err)) == CDC_ECONFLICT && left-- > 0)
		*err = (struct cdc_err)CDC_ERR_INIT;
	if (!rc && r->version >= 0)
		checkpoint_if_due(opt, r->version);
	r->elapsed_ms = (opt->io->now_us(opt->io->ctx) - start_us) / 1000;
	return rc;
}
