/*
 * Compaction, one attempt after the other. See compact.h.
 */
#include "table/compact/compact_int.h"

#define DEFAULT_TARGET_BYTES ((int64_t)128 << 20)
#define DEFAULT_RETRIES 100

/* ------------------------------------------------------------------ writing */

/* The end of the partition that begins with bin i. */
static size_t partition_end(const struct compaction *k, size_t i)
{
	size_t end = i + 1;

	while (end < k->num_bins && k->bin[end].partition == k->bin[i].partition)
		end++;
	return end;
}

static int write_bins(struct compaction *k, struct cdc_err *err)
{
	int n = k->s->metadata.num_partition_columns;
	size_t end;
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < k->num_bins; i = end) {
		struct compact_bin *b = &k->bin[i];

		end = partition_end(k, i);
		rc = cdc_datawriter_begin(k->writer, k->partitions.value[b->partition], n, err);
		if (!rc)
			rc = k->opt->sort_by ? compact_sort(k, b, err)
					     : compact_pack(k, b, k->bin + end, err);
	}
	return rc ? rc : cdc_datawriter_sync(k->writer, err);
}

static int open_writer(struct compaction *k, struct cdc_err *err)
{
	/* A bin that is packed becomes one file, or the next run would find the same work again. */
	struct cdc_datawriter_options opt = { .target_bytes =
						      k->opt->sort_by ? k->target : UINT64_MAX,
					      .codec_level = 3,
					      .extra = k->tracked.column,
					      .num_extra = k->tracked.num_columns };
	int rc = cdc_datawriter_codec(k->s, &opt.codec, err);

	return rc ? rc : cdc_datawriter_new(&k->writer, k->io, k->s, &opt, err);
}

/* ------------------------------------------------------------------ attempts */

static int prepare(struct compaction *k, struct cdc_err *err)
{
	int rc = cdc_snapshot_load(&k->s, k->io, k->opt->table, -1, err);

	if (!rc)
		rc = cdc_snapshot_check_writable(k->s, err);
	if (!rc)
		rc = cdc_tracked_table_init(&k->tracked, k->s, err);
	if (!rc)
		rc = cdc_row_tracking_mark(k->s, &k->row_id_mark, err);
	if (rc)
		return rc;
	k->target = k->opt->target_bytes;
	if (!k->target)
		k->target = (uint64_t)cdc_snapshot_config_size(k->s, "delta.targetFileSize",
							       DEFAULT_TARGET_BYTES);
	if (k->opt->sort_by)
		rc = compact_sort_check(k, err);
	if (!rc)
		rc = compact_plan(k, err);
	if (!rc && k->r->bins)
		rc = open_writer(k, err);
	return rc;
}

/* What the bins would come to; a commit counts what it did itself. */
static void count_inputs(struct compaction *k)
{
	for (size_t b = 0; b < k->num_bins; b++) {
		for (size_t i = 0; !k->bin[b].idle && i < k->bin[b].n; i++) {
			const struct cdc_add *a = k->bin[b].input[i].add;

			k->r->files_removed++;
			k->r->bytes_removed += (uint64_t)a->size_bytes;
			k->r->dvs_removed += a->dv.storage != 0;
		}
	}
}

/* Where a merge would write a checkpoint after its commit, this commit took its place. The commit
 * stands whatever becomes of it. */
static void checkpoint_if_due(const struct compaction *k)
{
	struct cdc_checkpoint_result done;
	struct cdc_err err = CDC_ERR_INIT;

	if (k->r->version >= 0 && cdc_checkpoint_due(k->s, k->r->version))
		(void)!cdc_checkpoint_write_version(k->io, k->s->table, -1, &done, &err);
}

/* One attempt on the latest state; CDC_ECONFLICT: nothing of it could be kept. */
static int attempt(const struct cdc_compact_options *opt, struct cdc_compact_result *r,
		   struct cdc_err *err)
{
	struct compaction k = { .opt = opt, .io = opt->io, .r = r };
	bool keep = false;
	int rc;

	*r = (struct cdc_compact_result){ .version = -1, .retries = r->retries };
	rc = prepare(&k, err);
	if (!rc && opt->dry_run) {
		count_inputs(&k);
		rc = compact_report(&k, err);
	} else if (!rc && r->bins) {
		rc = write_bins(&k, err);
		if (!rc)
			rc = compact_commit(&k, &keep, err);
	}
	if (!rc)
		checkpoint_if_due(&k);
	compact_bins_free(&k);
	cdc_datawriter_free(k.writer, keep);
	cdc_arena_free(&k.arena);
	cdc_tracked_table_free(&k.tracked);
	cdc_snapshot_free(k.s);
	return rc;
}

int compact_again(const struct cdc_compact_options *opt, struct cdc_compact_result *r,
		  struct cdc_err *err)
{
	int retries = opt->retries ? opt->retries : DEFAULT_RETRIES;
	uint64_t most = retries > 0 ? (uint64_t)retries : 0;

	if (r->retries >= most)
		return err->code;
	*err = (struct cdc_err)CDC_ERR_INIT;
	return cdc_io_back_off(opt->io, (unsigned)r->retries++, err);
}

int cdc_compact(const struct cdc_compact_options *opt, struct cdc_compact_result *r,
		struct cdc_err *err)
{
	int64_t start_us = opt->io->now_us(opt->io->ctx);
	int rc;

	r->retries = 0;
	while ((rc = attempt(opt, r, err)) == CDC_ECONFLICT) {
		rc = compact_again(opt, r, err);
		if (rc)
			break;
	}
	r->elapsed_ms = (opt->io->now_us(opt->io->ctx) - start_us) / 1000;
	return rc;
}
